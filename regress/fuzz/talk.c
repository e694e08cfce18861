/*
 * talk.c - any octets as what a client says to postern-net.
 *
 * Test code alone.  The session, its protocol's table, the queue of logins,
 * the link to the store and the relay are the product's own; the authenticator
 * and the store are functions here, at the other ends of their channels.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "session.h"
#include "talk.h"

#define MESSAGES	3
#define PLACE_BITS	20	/* as session.c has it */

enum option {
	BY_VERB = 1 << 0,	/* the listener is for all protocols */
	FROM_AFAR = 1 << 1,	/* passwords may not come in clear text */
	QUIRKS = 1 << 2,
	STORE_FAILS = 1 << 3,	/* now and then, with an odd reason */
	DELETES_LESS = 1 << 4,	/* a commit deletes nothing */
	VANISHES = 1 << 5	/* the store ends after some requests */
};

static const char mail[] = "mail line one\r\nmail line two\r\n";
static const char data_line[] = "mail 0123456789\r\n";
static const char list[] = "1 30\r\n2 17\r\n";
static const char odd_reason[] = "\"a\\\r\n+OK \x01\xff%s%n\t";

static int auth[2] = { -1, -1 };
static uint64_t sessions;	/* that there were */
static unsigned int options;
static unsigned int ends_logged;

/* The store: its ends, its phase, what it was asked and has sent. */
static int store = -1, data = -1;
static unsigned int phase, requests, failures;
static int is_marked[MESSAGES];

static void
take_line(int priority, const char *text)
{
	(void)priority;
	HOLDS(strpbrk(text, "\r\n") == NULL);
	ends_logged += strncmp(text, "event=end ", 10) == 0;
}

static void
prepare(void)
{
	static struct ipc_net_config config = { .login_seconds = 86400,
	    .session_seconds = 86400, .connections = 4, .index = 7,
	    .login_delay = 60, .host = "pop.example.org" };

	/* As posternd gives it to its children. */
	HOLDS(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	HOLDS(event_init() != NULL);
	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, auth) == 0);
	session_limits(&config);
	login_begin(auth[0]);
	log_output = take_line;
	fuzz_leaps = LOGIN_REFUSED_SECONDS;	/* not to wait for it */
}

static void
forget_store(void)
{
	if (store != -1)
		(void)close(store);
	if (data != -1)
		(void)close(data);
	store = data = -1;
}

static void
answer(enum ipc_type type, uint64_t id, const void *payload)
{
	HOLDS(ipc_send(store, type, id, payload, NULL) == 0);
}

static void
fail(uint64_t id)
{
	struct ipc_reason reason = { .failure = failures % 6 };

	(void)strlcpy(reason.text, failures % 2 == 0 ? odd_reason :
	    "try later", sizeof(reason.text));
	if (failures % 4 == 3) {
		memset(reason.text, 'r', sizeof(reason.text) - 1);
		reason.text[sizeof(reason.text) - 1] = '\0';
	}
	answer(IPC_STORE_FAILED, id, &reason);
	failures++;
}

static void
attach_store(uint64_t id)
{
	struct session *session = login_answered(id);
	int channel[2], ends[2];

	if (session == NULL)
		return;
	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, channel) == 0);
	HOLDS(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
	forget_store();
	store = channel[1];
	data = ends[1];
	phase = PHASE_NO_FOLDER;
	requests = failures = 0;
	memset(is_marked, 0, sizeof(is_marked));
	store_link_attach(session, channel[0], ends[0]);
	answer(IPC_STORE_READY, id, NULL);
}

/* Users whose name begins with an "x" are nobody. */
static int
serve_auth(void)
{
	static struct ipc_message message;
	const struct ipc_login *login;
	int got = ipc_receive(auth[1], &message);

	if (got == -1 && errno == EAGAIN)
		return (0);
	HOLDS(got == 1);
	HOLDS(ipc_check(&message, ROLE_NET, ROLE_AUTH, PHASE_RUN) == NULL);
	login = IPC_PAYLOAD(&message, ipc_login);
	HOLDS(login->password[0] != '\0' && login->user[0] != '\0');
	if (login->user[0] == 'x')
		HOLDS(ipc_send(auth[1], IPC_LOGIN_REFUSED,
		    message.header.session, NULL, NULL) == 0);
	else
		attach_store(message.header.session);
	ipc_release(&message);
	return (1);
}

static uint64_t
octets_of(uint64_t number)
{
	if (number < 1 || number > MESSAGES || is_marked[number - 1])
		return (0);
	return (number == 1 ? sizeof(mail) - 1 : sizeof(data_line) - 1);
}

static void
send_mail(uint64_t id, const char *octets, uint64_t next)
{
	/* Further requests would change which one fails. */
	const uint32_t ahead = next > 0 &&
	    (options & (STORE_FAILS | VANISHES)) == 0;
	struct ipc_data size = { .octets = strlen(octets),
	    .piped = strlen(octets), .next = next,
	    .next_known = next > 0, .ahead = ahead };

	answer(IPC_DATA_FOLLOWS, id, &size);
	HOLDS(write(data, octets, strlen(octets)) ==
	    (ssize_t)strlen(octets));
}

static void
send_state(uint64_t id)
{
	struct ipc_maildrop_state state = { 0, 0, 0 };
	uint64_t number;

	for (number = 1; number <= MESSAGES; number++) {
		state.messages += octets_of(number) != 0;
		state.octets += octets_of(number);
	}
	answer(IPC_MAILDROP_STATE, id, &state);
}

static void
send_committed(uint64_t id)
{
	struct ipc_committed committed = { 0, 0 };
	int i;

	for (i = 0; i < MESSAGES; i++)
		committed.deleted += is_marked[i] != 0;
	if ((options & DELETES_LESS) != 0)
		committed.deleted = 0;
	answer(IPC_COMMITTED, id, &committed);
}

static void
mark(uint64_t number)
{
	if (octets_of(number) != 0)
		is_marked[number - 1] = 1;
}

static void
do_request(const struct ipc_message *message)
{
	const struct ipc_folder_opened opened = { sizeof(mail) - 1, MESSAGES,
	    0 };
	const struct ipc_uid uid = { "an-id" };
	const struct ipc_uid no_uid = { "" };
	const uint64_t id = message->header.session;
	const uint64_t number = IPC_PAYLOAD(message,
	    ipc_message_number)->number;
	const struct ipc_message_get *get = IPC_PAYLOAD(message,
	    ipc_message_get);
	struct ipc_octets octets = { octets_of(number) };

	switch (message->header.type) {
	case IPC_FOLDER_OPEN:
		memset(is_marked, 0, sizeof(is_marked));
		answer(IPC_FOLDER_OPENED, id, &opened);
		break;
	case IPC_MESSAGE_MEASURE:
		answer(IPC_MESSAGE_SIZE, id, &octets);
		break;
	case IPC_MESSAGE_SEND:
		send_mail(id, number == 1 ? mail : data_line,
		    octets_of(number + 1));
		break;
	case IPC_FOLDER_SEND:
		send_mail(id, mail, 0);
		break;
	case IPC_MESSAGE_GET:
		if (octets_of(number) == 0)
			fail(id);
		else
			send_mail(id, number == 1 ? mail : data_line,
			    get->lines == UINT64_MAX ? octets_of(number + 1) :
			    0);
		break;
	case IPC_MAILDROP_LIST:
		send_mail(id, list, 0);
		break;
	case IPC_MESSAGE_IDENTIFY:
		answer(IPC_MESSAGE_UID, id, octets.octets != 0 ? &uid :
		    &no_uid);
		break;
	case IPC_MESSAGE_DELETE:
		mark(number);
		break;
	case IPC_FOLDER_DELETE:
		mark(1);
		mark(2);
		mark(3);
		break;
	case IPC_MESSAGE_MARK:
		if (octets_of(number) == 0)
			fail(id);
		else {
			mark(number);
			send_state(id);
		}
		break;
	case IPC_MAILDROP_UNMARK:
		memset(is_marked, 0, sizeof(is_marked));
		send_state(id);
		break;
	case IPC_MAILDROP_OPEN:
		send_state(id);
		break;
	case IPC_COMMIT:
		send_committed(id);
		break;
	case IPC_FOLDER_CLOSE:
		answer(IPC_FOLDER_CLOSED, id, NULL);
		break;
	default:
		fuzz_broken("every request is known", __FILE__, __LINE__);
	}
}

/* As the store has it. */
static unsigned int
phase_after(uint32_t request)
{
	switch (request) {
	case IPC_FOLDER_OPEN:
		return (PHASE_FOLDER);
	case IPC_MAILDROP_OPEN:
		return (PHASE_MAILDROP);
	case IPC_COMMIT:
	case IPC_FOLDER_CLOSE:
		return (PHASE_NO_FOLDER);
	default:
		return (phase);
	}
}

/* Deletions alone are not answered. */
static int
is_silent(uint32_t request)
{
	return (request == IPC_MESSAGE_DELETE || request == IPC_FOLDER_DELETE);
}

static int
serve_store(void)
{
	static struct ipc_message message;
	int got = store == -1 ? 0 : ipc_receive(store, &message);

	if (store == -1 || (got == -1 && errno == EAGAIN))
		return (0);
	if (got == 0) {
		forget_store();
		return (1);
	}
	HOLDS(got == 1);
	HOLDS(ipc_check(&message, ROLE_NET, ROLE_STORE, phase) == NULL);
	HOLDS(message.header.session >> PLACE_BITS == sessions);
	requests++;
	if ((options & VANISHES) != 0 && requests % 8 == 7) {
		forget_store();
		return (1);
	}
	if ((options & STORE_FAILS) != 0 && requests % 5 == 4 &&
	    !is_silent(message.header.type))
		fail(message.header.session);
	else
		do_request(&message);
	phase = phase_after(message.header.type);
	ipc_release(&message);
	return (1);
}

/* What the client has got. */
static int
drain(int client, struct text *output)
{
	char octets[4096];
	ssize_t got = recv(client, octets, sizeof(octets), 0);

	if (got <= 0)
		return (0);
	text_put(output, octets, (size_t)got);
	return (1);
}

static int
unread(int fd)
{
	int octets = 0;

	return (ioctl(fd, FIONREAD, &octets) == -1 ? 0 : octets);
}

static struct session *
session_now(void)
{
	return (session_find(sessions << PLACE_BITS));
}

/* Until nothing moves any more, nor is due at the next look at the clock. */
static void
settle(int client, int end, struct text *output)
{
	const struct session *session;
	int moved, left = -1, before, idle;

	for (idle = 0; idle < 2; idle = moved ? 0 : idle + 1) {
		before = left;
		HOLDS(event_loop(EVLOOP_NONBLOCK) != -1);
		moved = serve_auth();
		moved |= serve_store();
		moved |= drain(client, output);
		session = session_now();
		left = session == NULL ? 0 : unread(end);
		moved |= left != before;
		HOLDS(session == NULL ||
		    session->state <= session->protocol->done_state);
	}
}

/* Lines that print and are short enough; how many are replies. */
static unsigned int
check_replies(const struct text *output)
{
	const unsigned char *line = output->at, *feed, *at;
	const unsigned char *end = output->at + output->length;
	unsigned int replies = 0;

	for (; line < end; line = feed + 1) {
		feed = memchr(line, '\n', (size_t)(end - line));
		HOLDS(feed != NULL && feed > line && feed[-1] == '\r');
		HOLDS(feed + 1 - line <= LINE_OCTETS_MAX);
		for (at = line; at < feed - 1; at++)
			HOLDS(*at >= 0x20 && *at <= 0x7e);
		replies += strchr("+-#=", *line) != NULL;
	}
	return (replies);
}

static unsigned int
count_text(const struct text *output, const char *text)
{
	const unsigned char *at = output->at;
	const unsigned char *end = output->at + output->length;
	unsigned int found = 0;

	while (at < end && (at = memmem(at, (size_t)(end - at), text,
	    strlen(text))) != NULL) {
		found++;
		at++;
	}
	return (found);
}

static unsigned int
count_lines(struct input input)
{
	unsigned int lines = 0;

	for (; input.left > 0; lines++) {
		/* What has no end is no line. */
		if (memchr(input.at, '\n', input.left) == NULL)
			break;
		(void)fuzz_until(&input, '\n');
	}
	return (lines);
}

/* One session; `piece` 0: all at once.  The state that it ended in. */
static unsigned int
converse(enum pop_protocol protocol, struct input input, size_t piece,
    struct text *output)
{
	const unsigned int lines = count_lines(input);
	const struct ipc_net_listener listener = { protocol,
	    (options & QUIRKS) != 0 ? QUIRK_PCNFS : 0, 0, 0 };
	unsigned int seed = (unsigned int)piece, state, answers;
	const struct session *session;
	struct input part;
	int client[2], is_over;

	HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, client) == 0);
	sessions++;
	ends_logged = 0;
	session_begin(client[0], "192.0.2.1:1025",
	    (options & FROM_AFAR) == 0, &listener);
	settle(client[1], client[0], output);
	while (input.left > 0) {
		seed = seed * 1103515245 + 12345;
		part = fuzz_part(&input, piece == 0 ? input.left :
		    1 + (seed >> 16) % piece);
		if (send(client[1], part.at, part.left, MSG_NOSIGNAL) == -1)
			break;
		settle(client[1], client[0], output);
	}
	session = session_now();
	is_over = session == NULL || session->lingering;
	HOLDS(!is_over || ends_logged == 1);
	state = session == NULL ? UINT32_MAX : session->state;
	(void)shutdown(client[1], SHUT_WR);
	settle(client[1], client[0], output);
	answers = check_replies(output);
	/* Mail that comes without a reply before it counts as one. */
	if (protocol != PROTOCOL_POP3)
		answers += count_text(output, mail) +
		    count_text(output, data_line);
	/* The greeting, and the last word. */
	if (!is_over)
		HOLDS(answers == lines + 2);
	else
		HOLDS(answers <= lines + 3);
	(void)close(client[1]);
	HOLDS(event_loop(EVLOOP_NONBLOCK) != -1);
	HOLDS(session_count() == 0 && ends_logged == 1);
	forget_store();
	return (state);
}

/*
 * What comes behind QUIT in one piece with it is an error of POP2's; what
 * comes later is not read any more.
 */
static void
forget_garbage(struct text *output)
{
	static const char garbage[] =
	    "- nothing is expected after QUIT\r\n";
	const size_t length = sizeof(garbage) - 1;

	if (output->length >= length && memcmp(output->at + output->length -
	    length, garbage, length) == 0)
		output->length -= length;
}

void
talk(enum pop_protocol protocol, struct input input)
{
	struct text whole = { NULL, 0, 0 }, pieces = { NULL, 0, 0 };
	unsigned int state;
	size_t piece;
	int lowest;

	if (auth[0] == -1)
		prepare();
	options = fuzz_octet(&input);
	piece = 1 + fuzz_octet(&input) % 64;
	if ((options & BY_VERB) != 0 && protocol != PROTOCOL_POP3)
		protocol = PROTOCOL_AUTO;
	lowest = fuzz_lowest_descriptor();
	state = converse(protocol, input, 0, &whole);
	HOLDS(converse(protocol, input, piece, &pieces) == state);
	forget_garbage(&whole);
	forget_garbage(&pieces);
	HOLDS(text_equal(&whole, &pieces));
	text_free(&whole);
	text_free(&pieces);
	HOLDS(fuzz_lowest_descriptor() == lowest);
}
