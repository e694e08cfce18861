/*
 * maildrop_requests.c - what postern-store is asked where the client speaks
 * POP3.
 *
 * Linked into postern-store; runs as the user.  The table of messages lets
 * these requests come only after MAILDROP_OPEN, and those of the other
 * protocols only after FOLDER_OPEN: what may be deleted there is what was
 * sent whole, and nothing else.
 */
#include <string.h>

#include "maildrop.h"
#include "store.h"

static void
answer_state(const char *wrong, enum failure failure)
{
	struct ipc_maildrop_state state;

	maildrop_state(&state);
	if (wrong != NULL)
		store_answer_failure(wrong, failure);
	else
		store_answer(IPC_MAILDROP_STATE, &state);
}

/* To ask for what is not there is the client's error; all else may pass. */
static enum failure
failure_of(const char *wrong)
{
	return (wrong == maildrop_no_message ? FAILURE_OTHER :
	    FAILURE_TEMPORARY);
}

void
store_maildrop_open(void *context, struct ipc_message *message)
{
	enum failure failure;
	const char *wrong = store_open(&failure);

	(void)context;
	(void)message;
	if (wrong == NULL && store_mailbox() != NULL)
		wrong = maildrop_begin(store_mailbox(), store_uids());
	answer_state(wrong, failure);
	store_remember();
}

void
store_message_get(void *context, struct ipc_message *message)
{
	const struct ipc_message_get *get = IPC_PAYLOAD(message,
	    ipc_message_get);
	struct ipc_data data = { 0 };
	const char *wrong = maildrop_measure(get->number, get->lines, &data);

	(void)context;
	if (wrong != NULL) {
		store_answer_failure(wrong, failure_of(wrong));
		return;
	}
	if (get->lines == UINT64_MAX)
		data.ahead = store_has_room(maildrop_most(get->number + 1));
	store_finish_message(maildrop_send(get->number, get->lines, &data,
	    store_begin_data(&data)));
}

void
store_maildrop_list(void *context, struct ipc_message *message)
{
	const int uids = IPC_PAYLOAD(message, ipc_maildrop_list)->uids != 0;
	struct ipc_data data = { 0 };
	const char *wrong = maildrop_list_measure(uids, &data.octets);

	(void)context;
	if (wrong != NULL) {
		store_answer_failure(wrong, FAILURE_TEMPORARY);
		return;
	}
	data.piped = data.octets;
	store_finish_data(maildrop_list_send(uids, store_begin_data(&data)));
}

void
store_message_identify(void *context, struct ipc_message *message)
{
	struct ipc_uid uid;
	const char *wrong;

	(void)context;
	memset(&uid, 0, sizeof(uid));
	wrong = maildrop_uid(IPC_PAYLOAD(message, ipc_message_number)->number,
	    uid.text);
	if (wrong != NULL)
		store_answer_failure(wrong, FAILURE_TEMPORARY);
	else
		store_answer(IPC_MESSAGE_UID, &uid);
}

void
store_message_mark(void *context, struct ipc_message *message)
{
	const char *wrong = maildrop_mark(IPC_PAYLOAD(message,
	    ipc_message_number)->number);

	(void)context;
	answer_state(wrong, failure_of(wrong));
}

void
store_maildrop_unmark(void *context, struct ipc_message *message)
{
	(void)context;
	(void)message;
	maildrop_unmark_all();
	answer_state(NULL, FAILURE_OTHER);
}
