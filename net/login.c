/*
 * login.c - the queue before the authenticators.
 *
 * Linked into postern-net; unprivileged.  A password is here from the line
 * it came in until an authenticator can take it, and is wiped at once then.
 * The addresses take turns (login_turns.c).  A refusal is told some time
 * later, so that a flood of wrong passwords keeps nobody waiting, either.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "session.h"

static int channel = -1;
static struct event channel_event;

/* Sent but not answered, in the order they were sent. */
static struct login_list asked = TAILQ_HEAD_INITIALIZER(asked);
static unsigned int asked_count;

/* Logins that were refused, in the order in which they are told. */
struct refusal {
	TAILQ_ENTRY(refusal) entry;
	uint64_t id;			/* of the session */
	uint64_t due_ms;
};
TAILQ_HEAD(refusal_list, refusal);
static struct refusal_list refusals = TAILQ_HEAD_INITIALIZER(refusals);
static struct event refusal_timer;

static void
forget_asked(struct login *login)
{
	TAILQ_REMOVE(&asked, login, entry);
	asked_count--;
	turns_answered(login);
	freezero(login, sizeof(*login));
}

/* Hands on what the authenticators have room for. */
static void
pump(void)
{
	struct login *login;

	/* An answer that was lost on its way must not cost a place for ever. */
	while ((login = TAILQ_FIRST(&asked)) != NULL &&
	    clock_now_ms() - login->sent_ms > LOGIN_ANSWER_SECONDS * 1000)
		forget_asked(login);
	while (asked_count < LOGINS_ASKED_MAX &&
	    (login = turns_next()) != NULL) {
		/* No room: an answer to an earlier login tries again. */
		if (ipc_send(channel, IPC_LOGIN, login->session->id,
		    &login->message, NULL) == -1)
			return;
		explicit_bzero(login->message.password,
		    sizeof(login->message.password));
		login->id = login->session->id;
		login->sent_ms = clock_now_ms();
		login->session->asked_auth = 1;
		login->session->login = NULL;
		turns_ask(login);
		TAILQ_INSERT_TAIL(&asked, login, entry);
		asked_count++;
	}
}

int
login_enqueue(struct session *session, struct login *login)
{
	login->session = session;
	if (turns_add(login) == -1)
		return (-1);
	session->login = login;
	pump();
	return (0);
}

void
login_withdraw(struct session *session)
{
	struct login *login = session->login;

	/* What was sent costs its place until it is answered. */
	session->asked_auth = 0;
	session->login = NULL;
	if (login == NULL)
		return;
	turns_remove(login);
	freezero(login, sizeof(*login));
}

struct session *
login_answered(uint64_t id)
{
	struct session *session = session_find(id);
	struct login *login;

	TAILQ_FOREACH(login, &asked, entry)
		if (login->id == id) {
			forget_asked(login);
			break;
		}
	pump();
	if (session == NULL || !session->asked_auth || session->finishing)
		return (NULL);		/* it did not wait for the answer */
	session->asked_auth = 0;
	return (session);
}

/* Right or wrong: nobody knows, and the password may be kept. */
static void
tell_trouble(struct session *session)
{
	session_trouble(session, "the login could not be checked; "
	    "try again later");
	session_run(session);
}

void
login_lost(void)
{
	struct login_list lost = TAILQ_HEAD_INITIALIZER(lost);
	struct session *session;
	struct login *login;

	/* First all of them, since those that wait go on meanwhile. */
	TAILQ_CONCAT(&lost, &asked, entry);
	asked_count = 0;
	while ((login = TAILQ_FIRST(&lost)) != NULL) {
		TAILQ_REMOVE(&lost, login, entry);
		session = session_find(login->id);
		turns_answered(login);
		freezero(login, sizeof(*login));
		if (session == NULL || !session->asked_auth)
			continue;
		session->asked_auth = 0;
		tell_trouble(session);
	}
	pump();
}

/* The session may have ended meanwhile, or be about to. */
static void
tell_refused(struct session *session)
{
	if (session == NULL || !session->refused || session->finishing)
		return;
	session->refused = 0;
	session->protocol->login_refused(session);
	session_run(session);
}

static void
wait_for_refusal(const struct refusal *refusal, uint64_t now)
{
	const uint64_t left = refusal->due_ms > now ? refusal->due_ms - now :
	    0;
	const struct timeval wait = { (time_t)(left / 1000),
	    (suseconds_t)(left % 1000) * 1000 };

	(void)event_add(&refusal_timer, &wait);
}

static void
on_refusal_timer(int fd, short what, void *argument)
{
	const uint64_t now = clock_now_ms();
	struct refusal *refusal;
	uint64_t id;

	(void)fd;
	(void)what;
	(void)argument;
	while ((refusal = TAILQ_FIRST(&refusals)) != NULL) {
		if (refusal->due_ms > now) {
			wait_for_refusal(refusal, now);
			return;
		}
		id = refusal->id;
		TAILQ_REMOVE(&refusals, refusal, entry);
		free(refusal);
		tell_refused(session_find(id));
	}
}

/* Meanwhile the session waits on, and its client is watched. */
static void
handle_refused(void *context, struct ipc_message *message)
{
	struct session *session = login_answered(message->header.session);
	struct refusal *refusal;

	(void)context;
	if (session == NULL)
		return;
	session_refused(session);
	if ((refusal = malloc(sizeof(*refusal))) == NULL) {
		tell_refused(session);
		return;
	}
	refusal->id = message->header.session;
	refusal->due_ms = clock_now_ms() + LOGIN_REFUSED_SECONDS * 1000;
	TAILQ_INSERT_TAIL(&refusals, refusal, entry);
	/* Also where the timer could not be set for the one before. */
	if (!evtimer_pending(&refusal_timer, NULL))
		wait_for_refusal(TAILQ_FIRST(&refusals), clock_now_ms());
}

static void
handle_failed(void *context, struct ipc_message *message)
{
	struct session *session = login_answered(message->header.session);

	(void)context;
	if (session != NULL)
		tell_trouble(session);
}

static const struct ipc_handler handlers[] = {
	{ IPC_LOGIN_REFUSED, handle_refused },
	{ IPC_LOGIN_FAILED, handle_failed },
};

static void
on_channel(int fd, short what, void *argument)
{
	static const struct ipc_channel from_auth = { ROLE_AUTH, ROLE_NET,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };
	static struct ipc_message message;
	const char *wrong;
	int got;

	(void)what;
	(void)argument;
	if ((got = ipc_receive(fd, &message)) == -1 && errno == EAGAIN)
		return;
	wrong = got == 1 ? ipc_dispatch(&from_auth, PHASE_RUN, &message,
	    NULL) : "no message";
	if (wrong != NULL)
		log_fatal("event=ipc from=auth error=\"%s\"", wrong);
	ipc_release(&message);
}

void
login_begin(int auth_channel)
{
	channel = auth_channel;
	turns_begin();
	evtimer_set(&refusal_timer, on_refusal_timer, NULL);
	event_set(&channel_event, channel, EV_READ | EV_PERSIST, on_channel,
	    NULL);
	if (event_add(&channel_event, NULL) == -1)
		log_fatal("event=start error=\"event loop\"");
}
