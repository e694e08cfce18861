/*
 * ahead.c - the next message, asked for before the client asks.
 *
 * Linked into postern-net; unprivileged.  Who fetches one message mostly
 * fetches the one behind it: while the client takes the first, the store can
 * make the second ready.  It waits in the pipe, of which a store says with
 * each message whether it has room for all of the next one: so a store is
 * never held up by what nobody may come to want, and answers what else it is
 * asked meanwhile.  What else is to come through the pipe, or changes that
 * message, throws it away.
 */
#include <string.h>
#include <unistd.h>

#include "session.h"

void
ahead_ask(struct session *session, enum ipc_type request, uint64_t number)
{
	struct ahead *ahead = &session->ahead;
	const int in_order = ahead->last == 0 || number == ahead->last + 2;

	ahead->last = number - 1;
	/* What the client has sent already may be anything. */
	if (!ahead->allowed || !in_order || session->have > 0)
		return;
	ahead->allowed = 0;
	ahead->request = request;
	ahead->wanted = (struct ipc_message_get){ number, UINT64_MAX };
	/* Should the store be gone, the next request meets it. */
	if (ipc_send(session->store, request, session->id, &ahead->wanted,
	    NULL) == 0)
		ahead->state = AHEAD_ASKED;
}

/* All of it is in the pipe: else the store has not kept its word. */
static void
throw_away(struct session *session)
{
	static unsigned char unwanted[4096];
	uint64_t left = session->ahead.data.piped;
	size_t part;
	ssize_t got;

	session->ahead.state = AHEAD_NONE;
	while (left > 0) {
		part = left < sizeof(unwanted) ? (size_t)left :
		    sizeof(unwanted);
		got = read(session->data, unwanted, part);
		if (got <= 0)
			break;
		left -= (uint64_t)got;
	}
	explicit_bzero(unwanted, sizeof(unwanted));
	if (left > 0)
		session_trouble(session, "the mailbox process is not sound");
}

/* What has no answer in the pipe, and does not change that message. */
static int
goes_beside(const struct ahead *ahead, enum ipc_type request,
    const void *payload)
{
	const struct ipc_message_number *number = payload;

	return (request == IPC_MESSAGE_MEASURE ||
	    request == IPC_MESSAGE_IDENTIFY ||
	    ((request == IPC_MESSAGE_MARK || request == IPC_MESSAGE_DELETE) &&
	    number->number != ahead->wanted.number));
}

int
ahead_answers(struct session *session, enum ipc_type request,
    const void *payload)
{
	struct ahead *ahead = &session->ahead;
	const enum ahead_state state = ahead->state;

	if (state != AHEAD_ASKED && state != AHEAD_THERE)
		return (0);
	if (request == ahead->request && memcmp(payload, &ahead->wanted,
	    request == IPC_MESSAGE_GET ? sizeof(struct ipc_message_get) :
	    sizeof(struct ipc_message_number)) == 0) {
		ahead->state = AHEAD_NONE;
		if (state == AHEAD_THERE)
			store_link_data(session, &ahead->data);
		return (1);
	}
	if (goes_beside(ahead, request, payload))
		return (0);
	if (state == AHEAD_THERE)
		throw_away(session);
	else
		ahead->state = AHEAD_UNWANTED;
	return (0);
}

static void
handle_data(void *context, struct ipc_message *message)
{
	struct session *session = context;
	struct ahead *ahead = &session->ahead;
	const int is_wanted = ahead->state == AHEAD_ASKED;

	ahead->data = *IPC_PAYLOAD(message, ipc_data);
	ahead->state = AHEAD_THERE;
	if (ahead->data.piped > RELAY_BYTES)
		session_trouble(session, "the mailbox process is not sound");
	else if (!is_wanted)
		throw_away(session);
}

/* Should the client ask for it, it is asked for again. */
static void
handle_failed(void *context, struct ipc_message *message)
{
	struct session *session = context;

	(void)message;
	session->ahead.state = AHEAD_NONE;
}

const char *
ahead_hear(struct session *session, struct ipc_message *message)
{
	static const struct ipc_handler handlers[] = {
		{ IPC_DATA_FOLLOWS, handle_data },
		{ IPC_STORE_FAILED, handle_failed },
	};
	static const struct ipc_channel from_store = { ROLE_STORE, ROLE_NET,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };

	return (ipc_dispatch(&from_store, PHASE_WAIT_DATA, message, session));
}
