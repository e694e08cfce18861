/*
 * command_test.c - lines of clients against the protocols' tables.
 */
#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define POP1		&protocol_pop1
#define POP2		&protocol_pop2
#define POP3		&protocol_pop3

static const struct protocol_row *row;
static struct command command;
static char line[LINE_OCTETS_MAX + 1];

static const char *
read_line(const struct protocol *protocol, unsigned int state,
    const char *text)
{
	row = NULL;
	memset(&command, 0xff, sizeof(command));
	(void)strlcpy(line, text, sizeof(line));
	return (command_read(protocol, state, line, &row, &command));
}

static unsigned int
state_of(const struct protocol *protocol, const char *name)
{
	unsigned int i;

	for (i = 0; i <= protocol->done_state; i++)
		if (strcmp(protocol->states[i], name) == 0)
			return (i);
	atf_tc_fail("%s has no state %s", protocol->name, name);
}

static void
must_take(const struct protocol *protocol, const char *state,
    const char *text, const char *verb)
{
	const char *wrong = read_line(protocol, state_of(protocol, state),
	    text);

	ATF_REQUIRE_MSG(wrong == NULL, "%s in %s: %s", text, state, wrong);
	ATF_REQUIRE(row != NULL);
	ATF_CHECK_STREQ(verb, row->verb);
}

static void
must_refuse(const struct protocol *protocol, const char *state,
    const char *text, const char *expected)
{
	const char *wrong = read_line(protocol, state_of(protocol, state),
	    text);

	ATF_REQUIRE_MSG(wrong != NULL, "\"%s\" in %s is taken", text, state);
	ATF_CHECK_MSG(strstr(wrong, expected) != NULL,
	    "\"%s\": expected \"%s\", got \"%s\"", text, expected, wrong);
}

/* Which verbs each state has: all others are refused, by the right words. */
static const struct {
	const struct protocol *protocol;
	const char *state, *verbs;
} states[] = {
	{ POP2, "AUTH", "HELO QUIT" },
	{ POP2, "MBOX", "FOLD READ QUIT" },
	{ POP2, "ITEM", "FOLD READ RETR QUIT" },
	{ POP2, "NEXT", "ACKS ACKD NACK" },
	{ POP2, "DONE", "" },
	{ POP1, "USER", "USER RSET NOOP QUIT" },
	{ POP1, "PASS", "PASS RSET QUIT" },
	{ POP1, "TRANSACTION", "RETR RDEL RSET NOOP QUIT" },
	{ POP1, "RCEV", "RCEV RECV RSET QUIT" },
	{ POP1, "RCVD", "RCVD RSET QUIT" },
	{ POP1, "DONE", "" },
	{ POP3, "AUTHORIZATION", "USER AUTH STLS CAPA LANG UTF8 QUIT" },
	{ POP3, "PASS", "USER PASS AUTH STLS CAPA QUIT" },
	{ POP3, "AUTH", "" },
	{ POP3, "TRANSACTION",
	    "STAT LIST UIDL RETR TOP DELE RSET NOOP CAPA LANG QUIT" },
	{ POP3, "DONE", "" },
};

static const struct {
	const struct protocol *protocol;
	const char *verb, *argument;
} verbs[] = {
	{ POP2, "HELO", " fred secret" }, { POP2, "FOLD", " work" },
	{ POP2, "READ", " 1" }, { POP2, "RETR", "" }, { POP2, "ACKS", "" },
	{ POP2, "ACKD", "" }, { POP2, "NACK", "" }, { POP2, "QUIT", "" },
	{ POP1, "USER", " fred" }, { POP1, "PASS", " secret" },
	{ POP1, "RETR", " work" }, { POP1, "RDEL", " work" },
	{ POP1, "RCEV", "" }, { POP1, "RECV", "" }, { POP1, "RCVD", "" },
	{ POP1, "RSET", "" }, { POP1, "NOOP", "" }, { POP1, "QUIT", "" },
	{ POP3, "USER", " fred" }, { POP3, "PASS", " secret" },
	{ POP3, "AUTH", " PLAIN" }, { POP3, "STLS", "" }, { POP3, "CAPA", "" },
	{ POP3, "LANG", "" }, { POP3, "UTF8", "" }, { POP3, "STAT", "" },
	{ POP3, "LIST", " 1" }, { POP3, "UIDL", "" }, { POP3, "RETR", " 1" },
	{ POP3, "TOP", " 1 2" }, { POP3, "DELE", " 1" },
	{ POP3, "RSET", "" }, { POP3, "NOOP", "" }, { POP3, "QUIT", "" },
};

static void
walk_state(size_t i)
{
	char text[64];
	size_t j;

	for (j = 0; j < COUNT(verbs); j++) {
		if (verbs[j].protocol != states[i].protocol)
			continue;
		(void)snprintf(text, sizeof(text), "%s%s", verbs[j].verb,
		    verbs[j].argument);
		if (strstr(states[i].verbs, verbs[j].verb) != NULL)
			must_take(states[i].protocol, states[i].state, text,
			    verbs[j].verb);
		else
			must_refuse(states[i].protocol, states[i].state, text,
			    "out of place");
	}
}

ATF_TC_WITHOUT_HEAD(tables);
ATF_TC_BODY(tables, tc)
{
	size_t i, j, k, rows;

	(void)tc;
	for (i = 0; i < COUNT(states); i++)
		walk_state(i);
	/* And there is no verb that is not in the table above. */
	for (i = 0; i < protocol_pop2.row_count; i++) {
		for (j = rows = 0; j < COUNT(verbs); j++)
			rows += verbs[j].protocol == POP2 &&
			    strcmp(verbs[j].verb,
			    protocol_pop2.rows[i].verb) == 0;
		ATF_CHECK_EQ(1, rows);
	}
	for (i = 0; i < protocol_pop1.row_count; i++) {
		for (k = rows = 0; k < COUNT(verbs); k++)
			rows += verbs[k].protocol == POP1 &&
			    strcmp(verbs[k].verb,
			    protocol_pop1.rows[i].verb) == 0;
		ATF_CHECK_EQ(1, rows);
	}
	for (i = 0; i < protocol_pop3.row_count; i++) {
		for (k = rows = 0; k < COUNT(verbs); k++)
			rows += verbs[k].protocol == POP3 &&
			    strcmp(verbs[k].verb,
			    protocol_pop3.rows[i].verb) == 0;
		ATF_CHECK_EQ(1, rows);
	}
}

static const char *const unknown[] = { "", " ", " QUIT", "QUI", "QUITS",
    "QUIT,", "QUIT\t", "X", "LIST", "RETRX", "RETR\r", "\x80", "%s",
    "STAT", "QUITQUIT" };

ATF_TC_WITHOUT_HEAD(unknown_verbs);
ATF_TC_BODY(unknown_verbs, tc)
{
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(unknown); i++) {
		must_refuse(POP2, "AUTH", unknown[i], "unknown command");
		must_refuse(POP1, "USER", unknown[i], "unknown command");
	}
}

static const struct {
	const char *text, *verb;
} cases[] = {
	{ "quit", "QUIT" }, { "Quit", "QUIT" }, { "qUiT", "QUIT" },
	{ "QUIT ", "QUIT" }, { "QUIT   ", "QUIT" },
	{ "helo fred secret", "HELO" },
};

ATF_TC_WITHOUT_HEAD(verbs_without_case);
ATF_TC_BODY(verbs_without_case, tc)
{
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(cases); i++)
		must_take(POP2, "AUTH", cases[i].text, cases[i].verb);
	must_take(POP1, "USER", "uSeR Fred", "USER");
	ATF_CHECK_STREQ("Fred", command.text);
}

/* RFC 937, "Quoting". */
static const struct {
	const char *line, *user, *password;
} logins[] = {
	{ "HELO fred secret", "fred", "secret" },
	{ "HELO fred  secret", "fred", "secret" },
	{ "HELO fred secret ", "fred", "secret" },
	{ "HELO fred se\\ cret", "fred", "se cret" },
	{ "HELO fred se\\\\cret", "fred", "se\\cret" },
	{ "HELO fred \\ ", "fred", " " },
	{ "HELO fred \\\\", "fred", "\\" },
	{ "HELO fred \\ \\ \\ ", "fred", "   " },
	{ "HELO fr\\ ed x", "fr ed", "x" },
	{ "HELO fr\\ed \\x", "fred", "x" },
	{ "HELO f\\\\\\ d \\\\\\\\", "f\\ d", "\\\\" },
	{ "HELO fred s\xc3\xa9""cret", "fred", "s\xc3\xa9""cret" },
};

ATF_TC_WITHOUT_HEAD(login_arguments);
ATF_TC_BODY(login_arguments, tc)
{
	static const char *const bad[] = { "HELO", "HELO ", "HELO  ",
	    "HELO fred", "HELO fred ", "HELO fred\\ secret",
	    "HELO fred a b", "HELO fred a \\ ", "HELO fred secret\\",
	    "HELO fred \\", "HELO fred\\" };
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(logins); i++) {
		must_take(POP2, "AUTH", logins[i].line, "HELO");
		ATF_CHECK_STREQ(logins[i].user, command.text);
		ATF_CHECK_STREQ(logins[i].password, command.password);
	}
	for (i = 0; i < COUNT(bad); i++)
		must_refuse(POP2, "AUTH", bad[i],
		    "expected a user name and a password");
}

static const struct {
	const char *line, *name;
} folders[] = {
	{ "FOLD work", "work" },
	{ "FOLD a b", "a b" },
	{ "FOLD a\\ b", "a b" },
	{ "FOLD a\\\\b", "a\\b" },
	{ "FOLD \\a", "a" },
	{ "FOLD /var/mail/fred", "/var/mail/fred" },
	{ "FOLD ../../etc/passwd", "../../etc/passwd" },
};

ATF_TC_WITHOUT_HEAD(mailbox_arguments);
ATF_TC_BODY(mailbox_arguments, tc)
{
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(folders); i++) {
		must_take(POP2, "MBOX", folders[i].line, "FOLD");
		ATF_CHECK_STREQ(folders[i].name, command.text);
	}
	must_refuse(POP2, "MBOX", "FOLD", "expected a mailbox");
	must_refuse(POP2, "MBOX", "FOLD ", "expected a mailbox");
	must_refuse(POP2, "MBOX", "FOLD a\\", "expected a mailbox");
}

/* RFC 918 has no quoting: the rest of the line, as it is. */
ATF_TC_WITHOUT_HEAD(text_arguments);
ATF_TC_BODY(text_arguments, tc)
{
	(void)tc;
	must_take(POP1, "PASS", "PASS a\\ b  c\\", "PASS");
	ATF_CHECK_STREQ("a\\ b  c\\", command.text);
	must_take(POP1, "PASS", "PASS  x ", "PASS");
	ATF_CHECK_STREQ(" x ", command.text);
	must_refuse(POP1, "PASS", "PASS", "expected an argument");
	must_refuse(POP1, "PASS", "PASS ", "expected an argument");
	must_refuse(POP1, "USER", "USER", "expected an argument");
}

static const struct {
	const char *line;
	int has;
	uint64_t number;
} numbers[] = {
	{ "READ", 0, 0 },
	{ "READ ", 0, 0 },
	{ "READ 0", 1, 0 },
	{ "READ 1", 1, 1 },
	{ "READ 1 ", 1, 1 },
	{ "READ 00000000000000000000000000000007", 1, 7 },
	{ "READ 4294967295", 1, 4294967295U },
	{ "READ 4294967296", 1, UINT64_C(4294967296) },
	{ "READ 4294967297", 1, UINT64_C(4294967297) },
	{ "READ 9223372036854775807", 1, UINT64_C(9223372036854775807) },
};

/* Too large for 64 bits is too large, and never some small number. */
static const char *const huge[] = {
	"READ 18446744073709551616", "READ 18446744073709551617",
	"READ 184467440737095516160", "READ 99999999999999999999",
	"READ 99999999999999999999999999999999999999999999999999",
	"READ 36893488147419103233", "READ 340282366920938463463374607431768"
};

ATF_TC_WITHOUT_HEAD(number_arguments);
ATF_TC_BODY(number_arguments, tc)
{
	static const char *const bad[] = { "READ x", "READ -1", "READ +1",
	    "READ 1x", "READ 0x1", "READ 1.0", "READ \xb9" };
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(numbers); i++) {
		must_take(POP2, "MBOX", numbers[i].line, "READ");
		ATF_CHECK_EQ(numbers[i].has, command.has_number);
		ATF_CHECK_EQ(numbers[i].number, command.number);
	}
	for (i = 0; i < COUNT(huge); i++) {
		must_take(POP2, "MBOX", huge[i], "READ");
		ATF_CHECK_EQ(1, command.has_number);
		ATF_CHECK_MSG(command.number > INT64_MAX, "%s: %llu",
		    huge[i], (unsigned long long)command.number);
	}
	for (i = 0; i < COUNT(bad); i++)
		must_refuse(POP2, "MBOX", bad[i],
		    "expected a message number");
}

/* RFC 937's grammar: READ has one number, or none. */
ATF_TC_WITHOUT_HEAD(two_numbers);
ATF_TC_BODY(two_numbers, tc)
{
	(void)tc;
	must_refuse(POP2, "MBOX", "READ 1 2", "expected a message number");
	must_refuse(POP2, "MBOX", "READ 1 x", "expected a message number");
}

ATF_TC_WITHOUT_HEAD(no_arguments);
ATF_TC_BODY(no_arguments, tc)
{
	(void)tc;
	must_refuse(POP2, "AUTH", "QUIT now", "expected no argument");
	must_refuse(POP2, "ITEM", "RETR 1", "expected no argument");
	must_refuse(POP2, "NEXT", "ACKD 1", "expected no argument");
	must_refuse(POP1, "TRANSACTION", "NOOP x", "expected no argument");
	must_refuse(POP1, "RCVD", "RCVD  x", "expected no argument");
}

/* Lines as long as they come, of back-slashes alone: nothing overruns. */
ATF_TC_WITHOUT_HEAD(long_arguments);
ATF_TC_BODY(long_arguments, tc)
{
	char text[LINE_OCTETS_MAX];
	size_t length;

	(void)tc;
	memset(text, '\\', sizeof(text));
	memcpy(text, "FOLD ", 5);
	for (length = 5; length < sizeof(text); length++) {
		text[length] = '\0';
		if (length == 5 || (length - 5) % 2 == 1)
			must_refuse(POP2, "MBOX", text, "expected a mailbox");
		else {
			must_take(POP2, "MBOX", text, "FOLD");
			ATF_CHECK_EQ((length - 5) / 2, strlen(command.text));
		}
		text[length] = '\\';
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tables);
	ATF_TP_ADD_TC(tp, unknown_verbs);
	ATF_TP_ADD_TC(tp, verbs_without_case);
	ATF_TP_ADD_TC(tp, login_arguments);
	ATF_TP_ADD_TC(tp, mailbox_arguments);
	ATF_TP_ADD_TC(tp, text_arguments);
	ATF_TP_ADD_TC(tp, number_arguments);
	ATF_TP_ADD_TC(tp, two_numbers);
	ATF_TP_ADD_TC(tp, no_arguments);
	ATF_TP_ADD_TC(tp, long_arguments);
	return (atf_no_error());
}
