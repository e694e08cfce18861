/*
 * session.c - the engine under every protocol: lines in, replies out, the
 * one transition of states, timers, and the end of a session.
 *
 * Linked into postern-net; unprivileged, on bytes from anybody.  One reply
 * is under way at a time, and while it is, or while something was asked of
 * auth or the store, the client is not read: that is the back-pressure.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "log.h"
#include "session.h"

/*
 * A session's id is a number that never comes again, above its place in the
 * table: an answer that comes too late finds nobody.
 */
#define PLACE_BITS	20
#define PLACE_MASK	((1U << PLACE_BITS) - 1)

_Static_assert(CONNECTIONS_MAX <= PLACE_MASK, "places fit their bits");

static struct session **table;
static uint32_t *free_places;		/* a stack */
static uint32_t table_size, free_count, net_index;
static uint64_t next_number = 1;
static struct timeval login_time, session_time;
static const struct ipc_net_config *settings;
static int stopping;
TAILQ_HEAD(session_list, session);
/* Those that are over, and those that have not logged in, oldest first. */
static struct session_list strangers = TAILQ_HEAD_INITIALIZER(strangers);

static void add_line(struct session *session, const char *format,
    va_list arguments) __attribute__((format(printf, 2, 0)));
static void on_client(int fd, short what, void *argument);
static void on_timer(int fd, short what, void *argument);
static void shake_hands(struct session *session);

void
session_limits(const struct ipc_net_config *config)
{
	uint32_t i;

	table_size = free_count = config->connections;
	table = calloc(table_size, sizeof(*table));
	free_places = calloc(table_size, sizeof(*free_places));
	if (table == NULL || free_places == NULL)
		log_fatal("event=start error=\"no memory for %u connections\"",
		    table_size);
	for (i = 0; i < table_size; i++)
		free_places[i] = table_size - 1 - i;
	login_time.tv_sec = (time_t)config->login_seconds;
	session_time.tv_sec = (time_t)config->session_seconds;
	settings = config;
	net_index = config->index;
}

const char *
session_host(void)
{
	return (settings->host);
}

const struct ipc_net_config *
session_settings(void)
{
	return (settings);
}

const char *
session_name(const struct session *session)
{
	static char name[40];

	(void)snprintf(name, sizeof(name), "%u-%llu", net_index,
	    (unsigned long long)session->id);
	return (name);
}

size_t
session_count(void)
{
	return (table_size - free_count);
}

struct session *
session_find(uint64_t id)
{
	uint32_t place = (uint32_t)(id & PLACE_MASK);

	return (place < table_size && table[place] != NULL &&
	    table[place]->id == id ? table[place] : NULL);
}

static void
free_session(struct session *session)
{
	uint32_t place = (uint32_t)(session->id & PLACE_MASK);

	if (!session->logged_in)
		TAILQ_REMOVE(&strangers, session, entry);
	(void)event_del(&session->client_event);
	(void)event_del(&session->timer);
	(void)close(session->fd);
	table[place] = NULL;
	free_places[free_count++] = place;
	explicit_bzero(session, sizeof(*session));
	free(session);
}

static void
log_end(const struct session *session)
{
	char user[LOG_QUOTED_SIZE], folder[LOG_QUOTED_SIZE];

	log_line(LOG_INFO, "event=end session=%s peer=%s user=%s "
	    "protocol=%s state=%s folder=%s messages=%llu octets=%llu "
	    "deleted=%llu seconds=%lld reason=\"%s\"",
	    session_name(session), session->peer,
	    log_quote(user, sizeof(user), session->user),
	    session->protocol->name, session->protocol->states[session->state],
	    log_quote(folder, sizeof(folder), session->folder),
	    (unsigned long long)session->messages_sent,
	    (unsigned long long)session->octets_sent,
	    (unsigned long long)session->messages_deleted,
	    (long long)(time(NULL) - session->began), session->end_reason);
}

/* A store's reason is gone with its message, and may have quotes in it. */
static void
note_reason(struct session *session, const char *reason)
{
	char *c;

	(void)strlcpy(session->end_reason, reason,
	    sizeof(session->end_reason));
	for (c = session->end_reason; *c != '\0'; c++)
		if (*c == '"' || *c == '\\')
			*c = '?';
}

/* What a session has beyond its connection goes at its end. */
static void
release(struct session *session)
{
	login_withdraw(session);
	store_link_close(session);
	stream_end_tls(session);
	relay_end(session);
	session->phase = 0;
}

/* The end, at once. */
static void
end(struct session *session, const char *reason)
{
	if (!session->lingering) {
		note_reason(session, reason);
		log_end(session);
		release(session);
	}
	free_session(session);
}

/*
 * The end, with the last reply on its way.  Closing a socket that has
 * unread octets would reset the connection and take the reply with it: so
 * what still comes is read and forgotten for a moment.
 */
static void
linger(struct session *session)
{
	static const struct timeval moment = { LINGER_SECONDS, 0 };

	log_end(session);
	release(session);
	session->lingering = 1;
	/* Its place is the first that a new connection may take. */
	if (!session->logged_in)
		TAILQ_REMOVE(&strangers, session, entry);
	session->logged_in = 0;
	TAILQ_INSERT_HEAD(&strangers, session, entry);
	explicit_bzero(session->line, sizeof(session->line));
	if (shutdown(session->fd, SHUT_WR) == -1) {
		free_session(session);
		return;
	}
	(void)event_del(&session->client_event);
	event_set(&session->client_event, session->fd, EV_READ | EV_PERSIST,
	    on_client, session);
	(void)event_add(&session->client_event, NULL);
	(void)event_add(&session->timer, &moment);
}

/* One line more, as far as there is room. */
static void
add_line(struct session *session, const char *format, va_list arguments)
{
	char *line = session->reply + session->reply_length;
	size_t i, room = sizeof(session->reply) - session->reply_length;
	int length;

	if (room <= 2)
		return;
	room -= 2;
	length = vsnprintf(line, room, format, arguments);
	if (length < 0)
		length = 0;
	if ((size_t)length >= room)
		length = (int)room - 1;
	for (i = 0; i < (size_t)length; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			line[i] = '?';
	line[i++] = '\r';
	line[i++] = '\n';
	session->reply_length += i;
}

void
session_reply(struct session *session, const char *format, ...)
{
	va_list arguments;

	session->reply_length = session->reply_sent = 0;
	va_start(arguments, format);
	add_line(session, format, arguments);
	va_end(arguments);
}

void
session_reply_more(struct session *session, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_line(session, format, arguments);
	va_end(arguments);
}

void
session_enter(struct session *session, unsigned int state)
{
	session->state = state;
}

/* T2 runs from here; before the login it runs from the greeting on. */
static void
restart_timer(struct session *session)
{
	if (session->logged_in)
		(void)event_add(&session->timer, &session_time);
}

void
session_succeed(struct session *session)
{
	session->phase = 0;
	session_enter(session, session->row->next);
	restart_timer(session);
	if (session->state == session->protocol->done_state)
		session_finish(session, "QUIT");
}

void
session_finish(struct session *session, const char *reason)
{
	session->phase = 0;
	session->finishing = 1;
	note_reason(session, reason);
}

void
session_fail(struct session *session, const char *reason)
{
	const int is_told = session->relaying &&
	    !relay_holds_reply(session);

	/*
	 * In the middle of a message a reply would be taken for mail, and in
	 * its place where no reply comes before it; one of which a part is
	 * out already cannot be another any more.
	 */
	if (session->reply_sent > 0)
		session->relaying = 0;
	else if (!is_told && !(session->protocol->bare_data &&
	    session->phase == PHASE_WAIT_DATA))
		session_reply(session, "%s %s", session->protocol->error,
		    reason);
	else
		session->reply_length = session->reply_sent = 0;
	session->relaying = 0;
	session_finish(session, reason);
}

void
session_trouble(struct session *session, const char *reason)
{
	char text[REASON_SIZE + 16];

	(void)snprintf(text, sizeof(text), "%s%s", session->protocol->trouble,
	    reason);
	session_fail(session, text);
}

void
session_refuse(struct session *session, const char *reason)
{
	if (session->protocol->errors_close) {
		session_fail(session, reason);
		return;
	}
	session->phase = 0;
	session_reply(session, "%s %s", session->protocol->error, reason);
	restart_timer(session);
}

void
session_user(struct session *session, const char *user)
{
	/* A cut name could be somebody else's; "?" is nobody's. */
	if (strlcpy(session->user, user, sizeof(session->user)) >=
	    sizeof(session->user))
		(void)strlcpy(session->user, "?", sizeof(session->user));
}

void
session_login(struct session *session, char *password)
{
	struct login *login = calloc(1, sizeof(*login));

	if (login != NULL)
		(void)strlcpy(login->message.password, password,
		    PASSWORD_SIZE);
	explicit_bzero(password, strlen(password));
	if (login == NULL) {
		session_trouble(session, "the server is short of memory");
		return;
	}
	login->message.protocol = session->protocol->id;
	(void)strlcpy(login->message.peer, session->peer, PEER_SIZE);
	(void)strlcpy(login->message.user, session->user, USER_SIZE);
	session->phase = PHASE_WAIT_AUTH;
	if (login_enqueue(session, login) == 0)
		return;
	freezero(login, sizeof(*login));
	session_trouble(session, "the server is short of memory");
}

void
session_ask(struct session *session, enum ipc_type request,
    const void *payload, unsigned int phase)
{
	session->phase = phase;
	if (ahead_answers(session, request, payload))
		return;
	if (session->finishing)		/* the store has not kept its word */
		return;
	if (ipc_send(session->store, request, session->id, payload, NULL) ==
	    -1)
		session_trouble(session, "the mailbox process is gone");
}

void
session_open_folder(struct session *session, const char *name, int whole)
{
	struct ipc_folder_open open;

	memset(&open, 0, sizeof(open));
	open.whole = (uint32_t)whole;
	(void)strlcpy(open.name, name, sizeof(open.name));
	if (name != session->folder)
		(void)strlcpy(session->folder, name[0] != '\0' ? name :
		    "INBOX", sizeof(session->folder));
	session_ask(session, IPC_FOLDER_OPEN, &open, PHASE_WAIT_FOLDER);
}

void
session_measure(struct session *session, uint64_t number)
{
	const struct ipc_message_number message = { number };

	session_ask(session, IPC_MESSAGE_MEASURE, &message, PHASE_WAIT_SIZE);
}

void
session_relay(struct session *session, uint64_t octets, const char *trailer)
{
	session->phase = 0;
	session->relaying = 1;
	session->trailer = trailer;
	if (relay_begin(session, octets) == -1)
		session_trouble(session, "the server is short of memory");
}

void
session_relay_known(struct session *session, const struct ipc_data *data,
    const char *trailer)
{
	if (data->octets != session->size || data->piped != session->size)
		session_trouble(session, "the message has changed");
	else
		session_relay(session, data->octets, trailer);
}

/* Writes what it can of the reply; 1 when all is out, 0 later, -1 never. */
static int
flush_reply(struct session *session)
{
	/* A message follows its reply in the same segments. */
	const int more = session->relaying;
	ssize_t sent;
	int flushed;

	while (session->reply_sent < session->reply_length) {
		sent = stream_write(session, session->reply +
		    session->reply_sent, session->reply_length -
		    session->reply_sent, more);
		if (sent >= 0)
			session->reply_sent += (size_t)sent;
		else if (errno == EAGAIN)
			return (0);
		else if (errno != EINTR)
			return (-1);
	}
	if ((flushed = stream_flush(session)) == 1)
		session->reply_length = session->reply_sent = 0;
	return (flushed);
}

/* A listener for both protocols learns from the verb which one it is. */
static void
choose_protocol(struct session *session, const char *line)
{
	size_t length = strcspn(line, " ");

	if (session->protocol != &protocol_auto || length != 4)
		return;
	if (strncasecmp(line, "HELO", length) == 0)
		session->protocol = &protocol_pop2;
	else if (strncasecmp(line, "USER", length) == 0)
		session->protocol = &protocol_pop1;
	session_enter(session, session->protocol->first_state);
}

static void
handle_line(struct session *session, char *line)
{
	const struct protocol_row *row;
	struct command command;
	const char *wrong;

	if (session->protocol->response != NULL &&
	    session->state == session->protocol->response_state) {
		session->protocol->response(session, line);
		return;
	}
	choose_protocol(session, line);
	wrong = command_read(session->protocol, session->state, line, &row,
	    &command);
	if (wrong == NULL) {
		session->row = row;
		row->handle(session, &command);
	} else if (++session->bad_commands >= BAD_COMMANDS_MAX)
		session_fail(session, wrong);
	else
		session_refuse(session, wrong);
}

static size_t
longest_line(const struct session *session)
{
	return (session->protocol->response != NULL &&
	    session->state == session->protocol->response_state ?
	    SASL_LINE_OCTETS_MAX : session->protocol->line_octets);
}

static void
fail_long_line(struct session *session)
{
	char reason[REASON_SIZE];

	(void)snprintf(reason, sizeof(reason), "the line is longer than %zu "
	    "octets", longest_line(session));
	session_fail(session, reason);
}

/*
 * Takes one line off the buffer and handles it.  Lines end with CRLF; LF
 * alone is accepted.  Returns 0 when there is no whole line.
 */
static int
take_line(struct session *session)
{
	char line[SASL_LINE_OCTETS_MAX];
	char *feed = memchr(session->line, '\n', session->have);
	size_t length, taken;

	taken = feed == NULL ? session->have + 1 :
	    (size_t)(feed - session->line) + 1;
	if (taken > longest_line(session)) {
		fail_long_line(session);
		return (1);
	}
	if (feed == NULL)
		return (0);
	length = taken - 1;
	if (length > 0 && feed[-1] == '\r')
		length--;
	memcpy(line, session->line, length);
	line[length] = '\0';
	memmove(session->line, session->line + taken, session->have - taken);
	session->have -= taken;
	explicit_bzero(session->line + session->have, taken);
	restart_timer(session);
	if (memchr(line, '\0', length) != NULL)
		session_fail(session, "a NUL is not allowed in a command");
	else
		handle_line(session, line);
	explicit_bzero(line, sizeof(line));
	return (1);
}

/*
 * Reading stays asked for from one command to the next, which saves two calls
 * for each; on_client takes it back when something comes out of turn.
 */
static void
wait_for_client(struct session *session, short what)
{
	if (event_pending(&session->client_event, what, NULL) != 0)
		return;
	(void)event_del(&session->client_event);
	event_set(&session->client_event, session->fd,
	    what == EV_READ ? EV_READ | EV_PERSIST : what, on_client, session);
	(void)event_add(&session->client_event, NULL);
}

/* Reads what fits.  0 when nothing came, or the session is over now. */
static int
read_client(struct session *session)
{
	ssize_t got;

	got = stream_read(session, session->line + session->have,
	    sizeof(session->line) - session->have);
	if (got > 0) {
		session->have += (size_t)got;
		return (1);
	}
	if (got == -1 && (errno == EAGAIN || errno == EINTR)) {
		wait_for_client(session, EV_READ);
		return (0);
	}
	if (got == 0) {
		session_fail(session, "the connection was closed");
		session_run(session);
	} else
		end(session, "the connection was lost");
	return (0);
}

void
session_progress(struct session *session)
{
	restart_timer(session);
}

void
session_wait_to_send(struct session *session)
{
	wait_for_client(session, EV_WRITE);
}

static int
is_slow(const struct session *session)
{
	const unsigned int slow = PHASE_WAIT_AUTH | PHASE_WAIT_STORE |
	    PHASE_WAIT_FOLDER | PHASE_WAIT_MAILDROP;

	return ((session->phase & slow) != 0);
}

/*
 * While auth or a lock may take its time the client is watched, not read: one
 * that goes must not keep a mailbox busy.
 */
static void
watch_while_waiting(struct session *session)
{
	if (is_slow(session) && !session->gone)
		wait_for_client(session, EV_READ);
}

/*
 * By TLS only what has been read can be known for an end; there is one line's
 * room for what is none.
 */
static ssize_t
read_ahead(struct session *session)
{
	size_t room = sizeof(session->line) - session->have;
	ssize_t got = room > 0 ? stream_read(session, session->line +
	    session->have, room) : 1;

	if (got > 0 && room > 0)
		session->have += (size_t)got;
	if (room > 0 && got != 0)
		wait_for_client(session, EV_READ);
	return (got);
}

/*
 * Something happened at a client who waits: further commands (they stay in
 * the socket until it is their turn), or its end.  A client may also have
 * shut just its own side, and still want the answer: it gets a moment.
 */
static void
peek_client(struct session *session)
{
	static const struct timeval moment = { 0, VANISHED_MS * 1000 };
	char octet;
	ssize_t got = session->tls != NULL ? read_ahead(session) :
	    recv(session->fd, &octet, 1, MSG_PEEK);

	if (got > 0 || (got == -1 && errno == EAGAIN))
		return;
	if (got == -1) {
		end(session, "the connection was lost");
		return;
	}
	if (session->have > 0)
		return;		/* its further commands are here already */
	if (session->refused)
		return;		/* and keeps nothing busy */
	session->gone = 1;
	(void)event_add(&session->timer, &moment);
}

void
session_refused(struct session *session)
{
	static const struct timeval longer = { LOGIN_REFUSED_SECONDS + 1, 0 };

	session->refused = 1;
	if (session->gone)
		(void)event_add(&session->timer, &longer);
}

/* In POP2's DONE state, whatever came behind QUIT is (action 1). */
static int
has_garbage(const struct session *session)
{
	return (session->have > 0 && session->protocol->errors_close &&
	    session->state == session->protocol->done_state);
}

void
session_run(struct session *session)
{
	int flushed, pending, has_read = 0;

	for (;;) {
		if ((flushed = flush_reply(session)) == -1) {
			end(session, "the connection was lost");
			return;
		}
		if (flushed == 0) {
			wait_for_client(session, EV_WRITE);
			return;
		}
		if (session->start_tls) {
			shake_hands(session);
			return;
		}
		if (session->relaying) {
			relay_run(session);
			return;
		}
		if (session->finishing && !has_garbage(session)) {
			linger(session);
			return;
		}
		if (session->phase != 0) {
			watch_while_waiting(session);
			return;
		}
		if (stopping && !session->finishing) {
			session_trouble(session, "the server is going down");
			continue;
		}
		if (session->finishing) {
			session->have = 0;
			session_fail(session, "nothing is expected after QUIT");
		} else if (!take_line(session)) {
			pending = stream_pending(session);
			/* A record has many lines: others come between. */
			if (!pending || has_read) {
				wait_for_client(session,
				    pending ? EV_WRITE : EV_READ);
				return;
			}
			if (!read_client(session))
				return;
			has_read = 1;
		}
	}
}

/* What is not to be read now must not wake us again. */
static int
is_out_of_turn(const struct session *session, short what)
{
	return (session->phase != 0 || ((what & EV_READ) != 0 &&
	    (session->relaying || session->reply_length > 0)));
}

static void
on_client(int fd, short what, void *argument)
{
	struct session *session = argument;
	char forgotten[LINE_OCTETS_MAX];
	ssize_t got;

	if (session->lingering) {
		got = recv(fd, forgotten, sizeof(forgotten), 0);
		explicit_bzero(forgotten, sizeof(forgotten));
		if (got == 0 || (got == -1 && errno != EAGAIN))
			free_session(session);
		return;
	}
	if (session->shaking_hands)
		shake_hands(session);
	else if (is_out_of_turn(session, what)) {
		(void)event_del(&session->client_event);
		if (is_slow(session))
			peek_client(session);
	} else if ((what & EV_READ) == 0 || read_client(session))
		session_run(session);
}

static void
on_timer(int fd, short what, void *argument)
{
	static const struct timeval moment = { LINGER_SECONDS, 0 };
	struct session *session = argument;

	(void)fd;
	(void)what;
	if (session->lingering) {
		free_session(session);
		return;
	}
	/* A reply that is stuck will not be followed by another. */
	if (session->gone || session->reply_length > 0 ||
	    session->relaying || session->finishing ||
	    session->shaking_hands || session->protocol->silent_timeout ||
	    stream_flush(session) != 1) {
		end(session, session->gone ? "the connection was closed" :
		    "timeout");
		return;
	}
	session_fail(session, "timeout");
	(void)event_add(&session->timer, &moment);
	session_run(session);
}

/* There is always room for one more: the oldest stranger makes it. */
static int
make_room(void)
{
	struct session *oldest = TAILQ_FIRST(&strangers);

	if (free_count > 0)
		return (0);
	if (oldest == NULL)
		return (-1);
	if (!oldest->lingering && !oldest->shaking_hands &&
	    oldest->reply_length == 0) {
		session_trouble(oldest,
		    "too many connections; try again later");
		(void)flush_reply(oldest);
	}
	end(oldest, "too many connections");
	return (0);
}

/* Before the client sends a password in its first line. */
static void
greet(struct session *session)
{
	session->greeted = 1;
	if (session->may_login || session->protocol->greets_everybody)
		session->protocol->greet(session);
	else
		session_fail(session, "passwords in clear text are not "
		    "accepted from your address");
}

/* TLS from the next octet on, or a part of its beginning. */
static void
shake_hands(struct session *session)
{
	short what = EV_READ;
	int done;

	session->start_tls = 0;
	session->shaking_hands = 1;
	if ((done = stream_handshake(session, &what)) == 0) {
		wait_for_client(session, what);
		return;
	}
	if (done == -1) {
		end(session, "the TLS handshake failed");
		return;
	}
	session->shaking_hands = 0;
	session->may_login = 1;
	if (!session->greeted)
		greet(session);
	session_run(session);
}

int
session_may_start_tls(const struct session *session)
{
	return (settings->pairs > 0 && session->tls == NULL &&
	    session->store == -1);
}

/* Whoever sits on the line may have put something behind a client's command. */
static int
is_followed(const struct session *session)
{
	char octet;

	return (session->have > 0 ||
	    recv(session->fd, &octet, 1, MSG_PEEK) > 0);
}

void
session_start_tls(struct session *session, const char *reply)
{
	if (!session_may_start_tls(session)) {
		session_refuse(session, session->tls != NULL ?
		    "this is TLS already" : "there is no TLS here");
		return;
	}
	if (is_followed(session)) {
		session->have = 0;
		session_fail(session, "nothing may follow STLS in clear text");
		return;
	}
	/* A name that was given in clear text was perhaps another's. */
	explicit_bzero(session->user, sizeof(session->user));
	session_reply(session, "%s", reply);
	session->phase = 0;
	session_enter(session, session->protocol->first_state);
	session->start_tls = 1;
}

void
session_begin(int fd, const char *peer, int cleartext_allowed,
    const struct ipc_net_listener *listener)
{
	static const struct protocol *const protocols[] = { &protocol_auto,
	    &protocol_pop1, &protocol_pop2, &protocol_pop3 };
	struct session *session = NULL;
	uint32_t place;

	if (make_room() == -1 ||
	    (session = calloc(1, sizeof(*session))) == NULL) {
		(void)close(fd);
		return;
	}
	place = free_places[--free_count];
	table[place] = session;
	session->id = (next_number++ << PLACE_BITS) | place;
	session->fd = fd;
	session->store = session->data = -1;
	session->protocol = protocols[listener->protocol];
	session->state = session->protocol->first_state;
	session->quirks = listener->quirks;
	session->may_login = cleartext_allowed != 0;
	session->began = time(NULL);
	(void)strlcpy(session->peer, peer, sizeof(session->peer));
	TAILQ_INSERT_TAIL(&strangers, session, entry);
	event_set(&session->client_event, fd, EV_READ, on_client, session);
	evtimer_set(&session->timer, on_timer, session);
	(void)event_add(&session->timer, &login_time);
	if (listener->tls) {
		shake_hands(session);
		return;
	}
	greet(session);
	session_run(session);
}

void
session_logged_in(struct session *session)
{
	session->logged_in = 1;
	TAILQ_REMOVE(&strangers, session, entry);
	/* Who has vanished meanwhile has no more time for it. */
	if (!session->gone)
		restart_timer(session);
}

void
session_lost_store(struct session *session)
{
	session->logged_in = 0;
	TAILQ_INSERT_TAIL(&strangers, session, entry);
	(void)event_add(&session->timer, &login_time);
}

static void
for_all(void (*act)(struct session *))
{
	uint32_t i;

	for (i = 0; i < table_size; i++)
		if (table[i] != NULL && !table[i]->lingering)
			act(table[i]);
}

static void
stop_one(struct session *session)
{
	if (session->shaking_hands) {
		end(session, "the server is going down");
		return;
	}
	/* A login would only be the beginning: it is not waited for. */
	if (session->phase == PHASE_WAIT_AUTH)
		session_trouble(session, "the server is going down");
	if (session->phase == 0 && !session->relaying)
		session_run(session);
}

void
session_stop_all(void)
{
	stopping = 1;
	for_all(stop_one);
}
