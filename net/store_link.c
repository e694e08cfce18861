/*
 * store_link.c - what a session's store says.
 *
 * Linked into postern-net; unprivileged.  A store may have been taken over
 * by a message it read: it is heard only about its own session, only in
 * answer to what was asked, and can do no worse than end that session.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "session.h"

static void
handle_ready(void *context, struct ipc_message *message)
{
	struct session *session = context;

	(void)message;
	session->protocol->store_ready(session);
}

static void
handle_opened(void *context, struct ipc_message *message)
{
	struct session *session = context;

	session->protocol->folder_opened(session,
	    IPC_PAYLOAD(message, ipc_folder_opened));
}

static void
handle_size(void *context, struct ipc_message *message)
{
	struct session *session = context;
	uint64_t octets = IPC_PAYLOAD(message, ipc_octets)->octets;

	if (octets > INT64_MAX)
		session_trouble(session, "the mailbox process is not sound");
	else
		session->protocol->size_known(session, octets);
}

void
store_link_data(struct session *session, const struct ipc_data *data)
{
	session->ahead.allowed = data->ahead != 0;
	if (data->piped > INT64_MAX || data->octets > data->piped ||
	    data->next > INT64_MAX)
		session_trouble(session, "the mailbox process is not sound");
	else
		session->protocol->data_follows(session, data);
}

static void
handle_data(void *context, struct ipc_message *message)
{
	store_link_data(context, IPC_PAYLOAD(message, ipc_data));
}

static void
handle_committed(void *context, struct ipc_message *message)
{
	struct session *session = context;
	const struct ipc_committed *committed = IPC_PAYLOAD(message,
	    ipc_committed);

	session->messages_deleted += committed->deleted;
	session->protocol->committed(session, committed);
}

static void
handle_closed(void *context, struct ipc_message *message)
{
	struct session *session = context;

	(void)message;
	session->protocol->folder_closed(session);
}

static void
handle_failed(void *context, struct ipc_message *message)
{
	struct session *session = context;

	session->protocol->store_failed(session,
	    IPC_PAYLOAD(message, ipc_reason));
}

static void
handle_state(void *context, struct ipc_message *message)
{
	struct session *session = context;

	session->protocol->maildrop_state(session,
	    IPC_PAYLOAD(message, ipc_maildrop_state));
}

static void
handle_uid(void *context, struct ipc_message *message)
{
	struct session *session = context;

	session->protocol->uid_known(session,
	    IPC_PAYLOAD(message, ipc_uid)->text);
}

static const struct ipc_handler handlers[] = {
	{ IPC_STORE_READY, handle_ready },
	{ IPC_FOLDER_OPENED, handle_opened },
	{ IPC_MESSAGE_SIZE, handle_size },
	{ IPC_DATA_FOLLOWS, handle_data },
	{ IPC_COMMITTED, handle_committed },
	{ IPC_FOLDER_CLOSED, handle_closed },
	{ IPC_STORE_FAILED, handle_failed },
	{ IPC_MAILDROP_STATE, handle_state },
	{ IPC_MESSAGE_UID, handle_uid },
};

/*
 * What the store was asked ahead may have been too much for it: the message
 * before that, which is all here, goes to the client.  The next request meets
 * the store's end.
 */
static void
on_end(struct session *session)
{
	if (session->relaying && session->relay_left == 0) {
		/* No answer comes any more; one that is here is good. */
		if (session->ahead.state != AHEAD_THERE)
			session->ahead.state = AHEAD_NONE;
		session_lost_store(session);
		return;
	}
	session_trouble(session, "the mailbox process ended");
	session_run(session);
}

static void
on_store(int fd, short what, void *argument)
{
	static const struct ipc_channel from_store = { ROLE_STORE, ROLE_NET,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };
	static struct ipc_message message;
	struct session *session = argument;
	const char *wrong = NULL;
	int got;

	(void)what;
	if ((got = ipc_receive(fd, &message)) == -1 && errno == EAGAIN)
		return;
	if (got == 0) {
		(void)event_del(&session->store_event);
		on_end(session);
		return;
	}
	if (got == -1)
		wrong = "not a message";
	else if (message.header.session != session->id)
		wrong = "wrong session";
	else if (session->ahead.state == AHEAD_ASKED ||
	    session->ahead.state == AHEAD_UNWANTED)
		wrong = ahead_hear(session, &message);
	else
		wrong = ipc_dispatch(&from_store, session->phase, &message,
		    session);
	if (wrong != NULL) {
		log_line(LOG_CRIT, "event=ipc from=store session=%s "
		    "message=%s error=\"%s\"", session_name(session),
		    got == 1 ? ipc_name(message.header.type) : "none", wrong);
		session_trouble(session, "the mailbox process is not sound");
		/* However long the client takes, it keeps no mailbox busy. */
		store_link_close(session);
		session_lost_store(session);
	}
	if (got == 1)
		ipc_release(&message);
	session_run(session);
}

static void
on_data(int fd, short what, void *argument)
{
	struct session *session = argument;

	(void)fd;
	(void)what;
	/* Mail that the client has no room for must not wake us again. */
	if (session->relaying && !event_pending(&session->client_event,
	    EV_WRITE, NULL)) {
		session->data_ready = 1;
		session_run(session);
	} else
		(void)event_del(&session->data_event);
}

void
store_link_attach(struct session *session, int store, int data)
{
	session->store = store;
	session->data = data;
	session_logged_in(session);
	session->phase = PHASE_WAIT_STORE;
	event_set(&session->store_event, store, EV_READ | EV_PERSIST,
	    on_store, session);
	event_set(&session->data_event, data, EV_READ | EV_PERSIST, on_data,
	    session);
	if (event_add(&session->store_event, NULL) == -1) {
		session_trouble(session, "the server is short of memory");
		session_run(session);
	}
}

void
store_link_close(struct session *session)
{
	if (session->store == -1)
		return;
	(void)event_del(&session->store_event);
	(void)event_del(&session->data_event);
	(void)close(session->store);
	(void)close(session->data);
	session->store = session->data = -1;
}
