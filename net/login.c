/*
 * login.c - the queue before the authenticators.
 *
 * Linked into postern-net; unprivileged.  A password is here from the line
 * it came in until an authenticator can take it, and is wiped at once then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "session.h"

static int channel = -1;
static struct event channel_event;
static unsigned int asked;		/* logins without an answer */
TAILQ_HEAD(login_list, login);
static struct login_list waiting = TAILQ_HEAD_INITIALIZER(waiting);

static void
drop(struct login *login)
{
	login->session->login = NULL;
	TAILQ_REMOVE(&waiting, login, entry);
	freezero(login, sizeof(*login));
}

/* Hands on what the authenticators have room for. */
static void
pump(void)
{
	struct login *login;

	while (asked < LOGINS_ASKED_MAX &&
	    (login = TAILQ_FIRST(&waiting)) != NULL) {
		/* No room: an answer to an earlier login tries again. */
		if (ipc_send(channel, IPC_LOGIN, login->session->id,
		    &login->message, NULL) == -1)
			return;
		login->session->asked_auth = 1;
		asked++;
		drop(login);
	}
}

void
login_enqueue(struct session *session, struct login *login)
{
	login->session = session;
	session->login = login;
	TAILQ_INSERT_TAIL(&waiting, login, entry);
	pump();
}

void
login_over(struct session *session)
{
	if (session->login != NULL)
		drop(session->login);
	if (session->asked_auth)
		asked--;
	session->asked_auth = 0;
	pump();
}

static void
handle_refused(void *context, struct ipc_message *message)
{
	struct session *session = session_find(message->header.session);

	(void)context;
	if (session == NULL || !session->asked_auth)
		return;		/* it did not wait for the answer */
	login_over(session);
	session->protocol->login_refused(session);
	session_run(session);
}

static const struct ipc_handler handlers[] = {
	{ IPC_LOGIN_REFUSED, handle_refused },
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
	pump();
}

void
login_begin(int auth_channel)
{
	channel = auth_channel;
	event_set(&channel_event, channel, EV_READ | EV_PERSIST, on_channel,
	    NULL);
	if (event_add(&channel_event, NULL) == -1)
		log_fatal("event=start error=\"event loop\"");
}
