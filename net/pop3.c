/*
 * pop3.c - POP3, RFC 1939, as a table; with RFC 2449 (CAPA), RFC 3206 and
 * RFC 2449's codes, RFC 2595 (STLS), RFC 5034 (AUTH) and RFC 6856 (UTF8, LANG).
 *
 * Linked into postern-net; unprivileged.  An error leaves the state as it
 * is.  What is deleted is deleted in QUIT's UPDATE state, and nowhere else.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "session.h"

enum pop3_state { AUTHORIZATION, WANT_PASS, WANT_ANSWER, TRANSACTION, DONE };

static const char *const states[] = { "AUTHORIZATION", "PASS", "AUTH",
    "TRANSACTION", "DONE" };

#define IN(state)	(1U << (state))
#define BEFORE_LOGIN	(IN(AUTHORIZATION) | IN(WANT_PASS))

static const char no_cleartext[] = "[SYS/PERM] passwords in clear text are "
    "not accepted from your address; use TLS";

static void
ok(struct session *session)
{
	session_reply(session, "+OK");
	session_succeed(session);
}

static void
noop(struct session *session, struct command *command)
{
	(void)command;
	ok(session);
}

/* Refused before the password is asked for, where it must not come. */
static void
user(struct session *session, struct command *command)
{
	if (!session->may_login) {
		session_refuse(session, no_cleartext);
		return;
	}
	session_user(session, command->text);
	ok(session);
}

static void
pass(struct session *session, struct command *command)
{
	session_login(session, command->text);
}

/* A login that failed, or was not one: a few times only. */
static void
fail_login(struct session *session, const char *reason)
{
	session_enter(session, AUTHORIZATION);
	if (++session->tries >= LOGIN_TRIES_MAX)
		session_fail(session, reason);
	else
		session_refuse(session, reason);
}

static void
login_refused(struct session *session)
{
	fail_login(session, "[AUTH] login refused");
}

/* RFC 5034: what AUTH PLAIN was given, at once or in a line of its own. */
static void
answer(struct session *session, char *text)
{
	const char *who, *wrong;
	char *password;

	if (strcmp(text, "*") == 0) {
		fail_login(session, "AUTH was cancelled");
		return;
	}
	wrong = plain_read(text, &who, &password);
	if (wrong != NULL) {
		fail_login(session, wrong);
		return;
	}
	session_user(session, who);
	session_login(session, password);
}

static void
auth(struct session *session, struct command *command)
{
	const size_t length = strcspn(command->text, " ");
	char *initial = command->text + length;

	if (length != 5 || strncasecmp(command->text, "PLAIN", length) != 0)
		session_refuse(session, "expected AUTH PLAIN");
	else if (!session->may_login)
		session_refuse(session, no_cleartext);
	else if (*initial != '\0')
		answer(session, initial + 1);
	else {
		session_enter(session, WANT_ANSWER);
		session_reply(session, "+ ");
	}
}

/* RFC 2595, section 4. */
static void
stls(struct session *session, struct command *command)
{
	(void)command;
	session_start_tls(session, "+OK begin TLS now");
}

static void
store_ready(struct session *session)
{
	session_ask(session, IPC_MAILDROP_OPEN, NULL, PHASE_WAIT_MAILDROP);
}

/* The answer to the login, to DELE and to RSET. */
static void
maildrop_state(struct session *session, const struct ipc_maildrop_state *now)
{
	session->folder_messages = now->messages;
	session->folder_octets = now->octets;
	if (strcasecmp(session->row->verb, "DELE") == 0)
		session->marked++;
	else if (strcasecmp(session->row->verb, "RSET") == 0)
		session->marked = 0;
	else
		(void)strlcpy(session->folder, "INBOX",
		    sizeof(session->folder));
	session_reply(session, "+OK %u message%s (%llu octets)",
	    now->messages, now->messages == 1 ? "" : "s",
	    (unsigned long long)now->octets);
	session_succeed(session);
}

static void
stat(struct session *session, struct command *command)
{
	(void)command;
	session_reply(session, "+OK %u %llu", session->folder_messages,
	    (unsigned long long)session->folder_octets);
	session_succeed(session);
}

static void
ask_list(struct session *session, uint32_t uids)
{
	const struct ipc_maildrop_list list = { uids, 0 };

	session_ask(session, IPC_MAILDROP_LIST, &list, PHASE_WAIT_DATA);
}

static void
list(struct session *session, struct command *command)
{
	session->current = command->number;
	if (command->has_number)
		session_measure(session, command->number);
	else
		ask_list(session, 0);
}

static void
uidl(struct session *session, struct command *command)
{
	const struct ipc_message_number number = { command->number };

	session->current = command->number;
	if (command->has_number)
		session_ask(session, IPC_MESSAGE_IDENTIFY, &number,
		    PHASE_WAIT_UID);
	else
		ask_list(session, 1);
}

/* To LIST n. */
static void
size_known(struct session *session, uint64_t octets)
{
	if (octets == 0) {
		session_refuse(session, "no such message");
		return;
	}
	session_reply(session, "+OK %llu %llu",
	    (unsigned long long)session->current,
	    (unsigned long long)octets);
	session_succeed(session);
}

/* To UIDL n. */
static void
uid_known(struct session *session, const char *uid)
{
	if (uid[0] == '\0') {
		session_refuse(session, "no such message");
		return;
	}
	session_reply(session, "+OK %llu %s",
	    (unsigned long long)session->current, uid);
	session_succeed(session);
}

static void
get(struct session *session, uint64_t number, uint64_t lines)
{
	const struct ipc_message_get wanted = { number, lines };

	session_ask(session, IPC_MESSAGE_GET, &wanted, PHASE_WAIT_DATA);
}

static void
retr(struct session *session, struct command *command)
{
	session->current = command->number;
	get(session, command->number, UINT64_MAX);
}

static void
top(struct session *session, struct command *command)
{
	get(session, command->number, command->lines < UINT64_MAX ?
	    command->lines : UINT64_MAX - 1);
}

static int
is_retr(const struct session *session)
{
	return (strcasecmp(session->row->verb, "RETR") == 0);
}

/* The store has doubled dots; the end of the reply is sent behind it all. */
static void
data_follows(struct session *session, const struct ipc_data *data)
{
	if (is_retr(session))
		session_reply(session, "+OK %llu octets",
		    (unsigned long long)data->octets);
	else
		session_reply(session, "+OK");
	session_relay(session, data->piped, ".\r\n");
}

static void
data_taken(struct session *session)
{
	if (is_retr(session))
		ahead_ask(session, IPC_MESSAGE_GET, session->current + 1);
}

static void
data_sent(struct session *session)
{
	session_succeed(session);
	if (is_retr(session))
		session->messages_sent++;
}

static void
dele(struct session *session, struct command *command)
{
	const struct ipc_message_number number = { command->number };

	session_ask(session, IPC_MESSAGE_MARK, &number, PHASE_WAIT_STATE);
}

static void
rset(struct session *session, struct command *command)
{
	(void)command;
	session_ask(session, IPC_MAILDROP_UNMARK, NULL, PHASE_WAIT_STATE);
}

static void
bye(struct session *session, struct command *command)
{
	(void)command;
	session_reply(session, "+OK bye");
	session_succeed(session);
}

/* The UPDATE state: answered when it is over. */
static void
quit(struct session *session, struct command *command)
{
	(void)command;
	session_ask(session, IPC_COMMIT, NULL, PHASE_WAIT_COMMIT);
}

static void
committed(struct session *session, const struct ipc_committed *committed)
{
	/* What another program has removed is as gone as was asked for. */
	if ((uint64_t)committed->deleted + committed->gone == session->marked)
		bye(session, NULL);
	else
		session_fail(session, committed->deleted == 0 ?
		    "[SYS/PERM] the mailbox may not be written; nothing was "
		    "deleted" : "some messages were not deleted");
}

static const char *
failure_code(const struct ipc_reason *reason)
{
	switch (reason->failure) {
	case FAILURE_IN_USE:
		return ("[IN-USE] ");
	case FAILURE_TEMPORARY:
		return ("[SYS/TEMP] ");
	case FAILURE_PERMANENT:
		return ("[SYS/PERM] ");
	case FAILURE_TOO_SOON:
		return ("[LOGIN-DELAY] ");
	default:
		return ("");
	}
}

/* A login or an UPDATE that fails is the end of the session. */
static void
store_failed(struct session *session, const struct ipc_reason *reason)
{
	const unsigned int ends = PHASE_WAIT_STORE | PHASE_WAIT_MAILDROP |
	    PHASE_WAIT_COMMIT;
	char text[REASON_SIZE + 16];

	(void)snprintf(text, sizeof(text), "%s%s", failure_code(reason),
	    reason->text);
	if ((session->phase & ends) != 0)
		session_fail(session, text);
	else
		session_refuse(session, text);
}

/* RFC 2449; what an address may not use is not offered to it. */
static void
capa(struct session *session, struct command *command)
{
	const struct ipc_net_config *settings = session_settings();

	(void)command;
	session_reply(session, "+OK");
	session_reply_more(session, "TOP");
	session_reply_more(session, "UIDL");
	session_reply_more(session, "RESP-CODES");
	session_reply_more(session, "AUTH-RESP-CODE");
	session_reply_more(session, "PIPELINING");
	if (session->may_login) {
		session_reply_more(session, "USER");
		session_reply_more(session, "SASL PLAIN");
	}
	if (session_may_start_tls(session))
		session_reply_more(session, "STLS");
	if (settings->login_delay > 0)
		session_reply_more(session, "LOGIN-DELAY %u",
		    settings->login_delay);
	if (settings->expire_days > 0)
		session_reply_more(session, "EXPIRE %u",
		    settings->expire_days);
	else
		session_reply_more(session, "EXPIRE NEVER");
	session_reply_more(session, "UTF8");
	session_reply_more(session, "LANG");
	session_reply_more(session, "IMPLEMENTATION Postern");
	session_reply_more(session, ".");
	session_succeed(session);
}

/*
 * RFC 6856: messages are sent as they are stored, with and without it; so it
 * only has to be accepted.
 */
static void
utf8(struct session *session, struct command *command)
{
	(void)command;
	ok(session);
}

static void
lang(struct session *session, struct command *command)
{
	if (command->text[0] == '\0') {
		session_reply(session, "+OK");
		session_reply_more(session, "en English");
		session_reply_more(session, ".");
	} else if (strcmp(command->text, "*") == 0 ||
	    strcasecmp(command->text, "en") == 0 ||
	    strcasecmp(command->text, "i-default") == 0)
		session_reply(session, "+OK en this is the language");
	else {
		session_refuse(session, "there is no such language here");
		return;
	}
	session_succeed(session);
}

/* A row per next state, where a command is for several states. */
static const struct protocol_row rows[] = {
	{ "USER", BEFORE_LOGIN,		ARGUMENT_TEXT,	user,	WANT_PASS },
	{ "PASS", IN(WANT_PASS),	ARGUMENT_TEXT,	pass,	TRANSACTION },
	{ "AUTH", BEFORE_LOGIN,		ARGUMENT_TEXT,	auth,	TRANSACTION },
	{ "STLS", BEFORE_LOGIN,		ARGUMENT_NONE,	stls,
	    AUTHORIZATION },
	{ "STAT", IN(TRANSACTION),	ARGUMENT_NONE,	stat,	TRANSACTION },
	{ "LIST", IN(TRANSACTION),	ARGUMENT_NUMBER, list,	TRANSACTION },
	{ "UIDL", IN(TRANSACTION),	ARGUMENT_NUMBER, uidl,	TRANSACTION },
	{ "RETR", IN(TRANSACTION),	ARGUMENT_MESSAGE, retr,	TRANSACTION },
	{ "TOP",  IN(TRANSACTION),	ARGUMENT_TOP,	top,	TRANSACTION },
	{ "DELE", IN(TRANSACTION),	ARGUMENT_MESSAGE, dele,	TRANSACTION },
	{ "RSET", IN(TRANSACTION),	ARGUMENT_NONE,	rset,	TRANSACTION },
	{ "NOOP", IN(TRANSACTION),	ARGUMENT_NONE,	noop,	TRANSACTION },
	{ "CAPA", IN(AUTHORIZATION),	ARGUMENT_NONE,	capa,
	    AUTHORIZATION },
	{ "CAPA", IN(WANT_PASS),	ARGUMENT_NONE,	capa,	WANT_PASS },
	{ "CAPA", IN(TRANSACTION),	ARGUMENT_NONE,	capa,	TRANSACTION },
	{ "LANG", IN(AUTHORIZATION),	ARGUMENT_WORDS,	lang,
	    AUTHORIZATION },
	{ "LANG", IN(TRANSACTION),	ARGUMENT_WORDS,	lang,	TRANSACTION },
	{ "UTF8", IN(AUTHORIZATION),	ARGUMENT_NONE,	utf8,
	    AUTHORIZATION },
	{ "QUIT", BEFORE_LOGIN,		ARGUMENT_NONE,	bye,	DONE },
	{ "QUIT", IN(TRANSACTION),	ARGUMENT_NONE,	quit,	DONE },
};

static void
greet(struct session *session)
{
	session_reply(session, "+OK Postern on %s", session_host());
}

const struct protocol protocol_pop3 = {
	.id = PROTOCOL_POP3,
	.name = "pop3",
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.states = states,
	.first_state = AUTHORIZATION,
	.done_state = DONE,
	.error = "-ERR",
	.trouble = "[SYS/TEMP] ",
	.line_octets = POP3_LINE_OCTETS_MAX,
	.silent_timeout = 1,
	.greets_everybody = 1,
	.greet = greet,
	.login_refused = login_refused,
	.store_ready = store_ready,
	.size_known = size_known,
	.data_follows = data_follows,
	.data_taken = data_taken,
	.data_sent = data_sent,
	.committed = committed,
	.store_failed = store_failed,
	.maildrop_state = maildrop_state,
	.uid_known = uid_known,
	.response = answer,
	.response_state = WANT_ANSWER,
};
