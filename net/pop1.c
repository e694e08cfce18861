/*
 * pop1.c - POP1, RFC 918, as a table.
 *
 * Linked into postern-net; unprivileged.  The rows are the state table that
 * the RFC's diagram amounts to; an error leaves the state as it is.
 */
#include <string.h>

#include "session.h"

enum pop1_state { WANT_USER, WANT_PASS, TRANSACTION, WANT_RCEV, WANT_RCVD,
    DONE };

static const char *const states[] = { "USER", "PASS", "TRANSACTION", "RCEV",
    "RCVD", "DONE" };

#define IN(state)	(1U << (state))
#define BEFORE_LOGIN	(IN(WANT_USER) | IN(WANT_PASS))
#define AFTER_LOGIN	(IN(TRANSACTION) | IN(WANT_RCEV) | IN(WANT_RCVD))

static void
ok(struct session *session)
{
	session_reply(session, "+OK");
	session_succeed(session);
}

static void
user(struct session *session, struct command *command)
{
	session_user(session, command->text);
	ok(session);
}

static void
pass(struct session *session, struct command *command)
{
	session_login(session, command->text);
}

/* Goes back to waiting for a command, and a few times only. */
static void
login_refused(struct session *session)
{
	session_enter(session, WANT_USER);
	if (++session->tries >= LOGIN_TRIES_MAX)
		session_fail(session, "login refused");
	else
		session_refuse(session, "login refused");
}

static void
begin(struct session *session, const char *mailbox, unsigned int deleting)
{
	session->deleting = deleting & 1;
	session_open_folder(session, mailbox, 1);
}

static void
retr(struct session *session, struct command *command)
{
	begin(session, command->text, 0);
}

static void
rdel(struct session *session, struct command *command)
{
	begin(session, command->text, 1);
}

/* "#xxx": the octets of all that RCEV will bring. */
static void
folder_opened(struct session *session, const struct ipc_folder_opened *opened)
{
	session->folder_octets = opened->octets;
	session->folder_messages = opened->messages;
	session->size = opened->octets;
	session_reply(session, "#%llu", (unsigned long long)opened->octets);
	session_succeed(session);
}

/* The answer is the data itself: no status line, no end mark. */
static void
rcev(struct session *session, struct command *command)
{
	(void)command;
	session_ask(session, IPC_FOLDER_SEND, NULL, PHASE_WAIT_DATA);
}

static void
data_follows(struct session *session, const struct ipc_data *data)
{
	session_relay_known(session, data, "");
}

static void
data_sent(struct session *session)
{
	session->messages_sent += session->folder_messages;
	session_succeed(session);
}

static void
rcvd(struct session *session, struct command *command)
{
	(void)command;
	if (session->deleting) {
		session_ask(session, IPC_FOLDER_DELETE, NULL, 0);
		if (!session->finishing)
			session_ask(session, IPC_COMMIT, NULL,
			    PHASE_WAIT_COMMIT);
	} else
		session_ask(session, IPC_FOLDER_CLOSE, NULL, PHASE_WAIT_CLOSE);
}

static void
committed(struct session *session, const struct ipc_committed *committed)
{
	/* What another program has removed is as gone as was asked for. */
	if ((uint64_t)committed->deleted + committed->gone ==
	    session->folder_messages) {
		ok(session);
		return;
	}
	session_enter(session, TRANSACTION);
	session_refuse(session, "the mail was not deleted");
}

static void
store_failed(struct session *session, const struct ipc_reason *reason)
{
	/* Behind RCEV the client takes all that comes for mail. */
	if (session->phase == PHASE_WAIT_STORE ||
	    session->phase == PHASE_WAIT_DATA) {
		session_fail(session, reason->text);
		return;
	}
	session_enter(session, TRANSACTION);
	session_refuse(session, reason->text);
}

/* Aborts a transaction: the mailbox is closed, nothing is deleted. */
static void
rset(struct session *session, struct command *command)
{
	(void)command;
	if (session->state == WANT_RCEV || session->state == WANT_RCVD)
		session_ask(session, IPC_FOLDER_CLOSE, NULL, PHASE_WAIT_CLOSE);
	else
		ok(session);
}

static void
noop(struct session *session, struct command *command)
{
	(void)command;
	ok(session);
}

static const struct protocol_row rows[] = {
	{ "USER", IN(WANT_USER),	ARGUMENT_TEXT, user, WANT_PASS },
	{ "PASS", IN(WANT_PASS),	ARGUMENT_TEXT, pass, TRANSACTION },
	{ "RETR", IN(TRANSACTION),	ARGUMENT_TEXT, retr, WANT_RCEV },
	{ "RDEL", IN(TRANSACTION),	ARGUMENT_TEXT, rdel, WANT_RCEV },
	{ "RCEV", IN(WANT_RCEV),	ARGUMENT_NONE, rcev, WANT_RCVD },
	{ "RECV", IN(WANT_RCEV),	ARGUMENT_NONE, rcev, WANT_RCVD },
	{ "RCVD", IN(WANT_RCVD),	ARGUMENT_NONE, rcvd, TRANSACTION },
	{ "RSET", BEFORE_LOGIN,		ARGUMENT_NONE, rset, WANT_USER },
	{ "RSET", AFTER_LOGIN,		ARGUMENT_NONE, rset, TRANSACTION },
	{ "NOOP", IN(WANT_USER),	ARGUMENT_NONE, noop, WANT_USER },
	{ "NOOP", IN(TRANSACTION),	ARGUMENT_NONE, noop, TRANSACTION },
	{ "QUIT", BEFORE_LOGIN | AFTER_LOGIN, ARGUMENT_NONE, noop, DONE },
};

static void
greet(struct session *session)
{
	session_reply(session, "+OK");
}

const struct protocol protocol_pop1 = {
	.id = PROTOCOL_POP1,
	.name = "pop1",
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.states = states,
	.first_state = WANT_USER,
	.done_state = DONE,
	.error = "-ERR",
	.trouble = "",
	.line_octets = LINE_OCTETS_MAX,
	.bare_data = 1,
	.greet = greet,
	.login_refused = login_refused,
	.store_ready = ok,
	.folder_opened = folder_opened,
	.data_follows = data_follows,
	.data_sent = data_sent,
	.committed = committed,
	.folder_closed = ok,
	.store_failed = store_failed,
};
