/*
 * pop2.c - POP2, RFC 937, as a table.
 *
 * Linked into postern-net; unprivileged.  The rows are the RFC's Server
 * Decision Table (page 22); what has no row is its action 1, "Send - error,
 * and Close the connection".
 */
#include <string.h>

#include "session.h"

enum pop2_state { AUTH, MBOX, ITEM, NEXT, DONE };

static const char *const states[] = { "AUTH", "MBOX", "ITEM", "NEXT",
    "DONE" };

#define IN(state)	(1U << (state))

/* What PC-NFS wants behind each message, and counted: one more CRLF. */
static uint64_t
quirk_octets(const struct session *session)
{
	return ((session->quirks & QUIRK_PCNFS) != 0 ? 2 : 0);
}

/* Action 3: HELO user password. */
static void
helo(struct session *session, struct command *command)
{
	session_user(session, command->text);
	session_login(session, command->password);
}

static void
store_ready(struct session *session)
{
	session_open_folder(session, "", 0);
}

/* "#nnn": to HELO and to FOLD.  The current message is the first. */
static void
folder_opened(struct session *session, const struct ipc_folder_opened *opened)
{
	session->current = 1;
	session->size = 0;
	session_reply(session, "#%u message%s", opened->messages,
	    opened->messages == 1 ? "" : "s");
	session_succeed(session);
}

/* Action 5: what was marked in the folder that is left is deleted now. */
static void
fold(struct session *session, struct command *command)
{
	(void)strlcpy(session->folder, command->text, sizeof(session->folder));
	session_ask(session, IPC_COMMIT, NULL, PHASE_WAIT_COMMIT);
}

/* Action 4, where a mailbox is open; `committed` answers. */
static void
quit(struct session *session, struct command *command)
{
	(void)command;
	session_ask(session, IPC_COMMIT, NULL, PHASE_WAIT_COMMIT);
}

/* Action 4, before the login. */
static void
quit_early(struct session *session, struct command *command)
{
	(void)command;
	session_reply(session, "+ OK bye");
	session_succeed(session);
}

static void
committed(struct session *session, const struct ipc_committed *committed)
{
	(void)committed;
	if (session->row->next == DONE)
		quit_early(session, NULL);
	else
		session_open_folder(session, session->folder, 0);
}

/* Action 6: READ [n]. */
static void
read_message(struct session *session, struct command *command)
{
	if (command->has_number)
		session->current = command->number;
	session_measure(session, session->current);
}

/* "=ccc": to READ and to the acknowledgments. */
static void
size_known(struct session *session, uint64_t octets)
{
	const unsigned long long characters = octets + quirk_octets(session);

	session->size = octets;
	if (octets == 0)
		session_reply(session, "=0 no message");
	else
		session_reply(session, "=%llu characters", characters);
	session_succeed(session);
}

/* Action 7: no data and no reply where there is no message. */
static void
retr(struct session *session, struct command *command)
{
	const struct ipc_message_number number = { session->current };

	(void)command;
	if (session->size == 0)
		session_finish(session, "RETR of a message of length 0");
	else
		session_ask(session, IPC_MESSAGE_SEND, &number,
		    PHASE_WAIT_DATA);
}

/* PC-NFS counts and wants one more CRLF behind each message. */
static void
data_follows(struct session *session, const struct ipc_data *data)
{
	session->next_known = data->next_known != 0;
	session->next_size = data->next;
	session_relay_known(session, data, quirk_octets(session) != 0 ?
	    "\r\n" : "");
}

static void
data_sent(struct session *session)
{
	session->messages_sent++;
	session_succeed(session);
	/* It is ready by the time that the client has acknowledged this one. */
	ahead_ask(session, IPC_MESSAGE_SEND, session->current + 1);
}

/* Action 8: mostly the store has told of the next message with this one. */
static void
acks(struct session *session, struct command *command)
{
	(void)command;
	session->current++;
	if (session->next_known)
		size_known(session, session->next_size);
	else
		session_measure(session, session->current);
}

static void
ackd(struct session *session, struct command *command)
{
	const struct ipc_message_number number = { session->current };

	session_ask(session, IPC_MESSAGE_DELETE, &number, 0);
	if (!session->finishing)
		acks(session, command);
}

static void
nack(struct session *session, struct command *command)
{
	(void)command;
	session_measure(session, session->current);
}

static const struct protocol_row rows[] = {
	{ "HELO", IN(AUTH),		ARGUMENT_LOGIN,	  helo,		MBOX },
	{ "FOLD", IN(MBOX) | IN(ITEM),	ARGUMENT_MAILBOX, fold,		MBOX },
	{ "READ", IN(MBOX) | IN(ITEM),	ARGUMENT_NUMBER,  read_message,	ITEM },
	{ "RETR", IN(ITEM),		ARGUMENT_NONE,	  retr,		NEXT },
	{ "ACKS", IN(NEXT),		ARGUMENT_NONE,	  acks,		ITEM },
	{ "ACKD", IN(NEXT),		ARGUMENT_NONE,	  ackd,		ITEM },
	{ "NACK", IN(NEXT),		ARGUMENT_NONE,	  nack,		ITEM },
	{ "QUIT", IN(AUTH),		ARGUMENT_NONE,	  quit_early,	DONE },
	{ "QUIT", IN(MBOX) | IN(ITEM),	ARGUMENT_NONE,	  quit,		DONE },
};

static void
greet(struct session *session)
{
	session_reply(session, "+ POP2 %s Postern", session_host());
}

/* Action 3 (b). */
static void
login_refused(struct session *session)
{
	session_fail(session, "login refused");
}

static void
store_failed(struct session *session, const struct ipc_reason *reason)
{
	session_fail(session, reason->text);
}

const struct protocol protocol_pop2 = {
	.id = PROTOCOL_POP2,
	.name = "pop2",
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.states = states,
	.first_state = AUTH,
	.done_state = DONE,
	.error = "-",
	.trouble = "",
	.line_octets = LINE_OCTETS_MAX,
	.bare_data = 1,
	.errors_close = 1,
	.greet = greet,
	.login_refused = login_refused,
	.store_ready = store_ready,
	.folder_opened = folder_opened,
	.size_known = size_known,
	.data_follows = data_follows,
	.data_sent = data_sent,
	.committed = committed,
	.store_failed = store_failed,
};

/*
 * A listener for both: greets as POP2; HELO makes the connection a POP2 one
 * and USER a POP1 one, before that very command is handled by its table.
 */
static const struct protocol_row auto_rows[] = {
	{ "QUIT", IN(AUTH),		ARGUMENT_NONE,	  quit_early,	DONE },
};

const struct protocol protocol_auto = {
	.id = PROTOCOL_AUTO,
	.name = "auto",
	.rows = auto_rows,
	.row_count = sizeof(auto_rows) / sizeof(auto_rows[0]),
	.states = states,
	.first_state = AUTH,
	.done_state = DONE,
	.error = "-",
	.trouble = "",
	.line_octets = LINE_OCTETS_MAX,
	.errors_close = 1,
	.greet = greet,
	.login_refused = login_refused,
	.store_failed = store_failed,
};
