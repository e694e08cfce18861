/*
 * pop3_table_test.c - every command of POP3 in every state of RFC 1939: what
 * is answered, which state follows, and what is in the mailbox afterwards.
 */
#include <atf-c.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define FIRST		FROM_LINE("a") "Subject: one\n\nfirst\n\n"
#define SECOND		FROM_LINE("b") "Subject: two\n\n.the second\n\n"

static const char mailbox[] = FIRST SECOND;

/* The UPDATE state is left, with the connection, by the reply to QUIT. */
enum state { AUTHORIZATION, PASS, ANSWER, TRANSACTION, CLOSED };

#define STATES		CLOSED
#define OUT_OF_PLACE	"-ERR this command is out of place here\r\n"
#define LOGGED_IN	"+OK 2 messages (52 octets)\r\n"
#define UNKNOWN		"-ERR unknown command\r\n"
#define CAPABILITIES	"+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"		\
			"AUTH-RESP-CODE\r\nPIPELINING\r\nUSER\r\n"	\
			"SASL PLAIN\r\nEXPIRE NEVER\r\nUTF8\r\nLANG\r\n" \
			"IMPLEMENTATION Postern\r\n.\r\n"

static const char *const state_names[] = { "AUTHORIZATION", "USER given",
    "AUTH given", "TRANSACTION" };

struct cell {
	const char *reply;		/* NULL: some error */
	enum state next;
};

/* A command is no answer: it is not base64, or not of what it should be. */
#define NOT_THERE(state)	{ OUT_OF_PLACE, state }
#define NO_LINE		{ NULL, AUTHORIZATION }
#define IN_TRANSACTION(reply)						\
	{ NOT_THERE(AUTHORIZATION), NOT_THERE(PASS), NO_LINE,		\
	    { reply, TRANSACTION } }

static const struct input {
	const char *line;
	struct cell cells[STATES];
} table[] = {
	{ "USER fred", { { "+OK\r\n", PASS }, { "+OK\r\n", PASS }, NO_LINE,
	    NOT_THERE(TRANSACTION) } },
	{ "USER", { { "-ERR expected an argument\r\n", AUTHORIZATION },
	    { "-ERR expected an argument\r\n", PASS }, NO_LINE,
	    NOT_THERE(TRANSACTION) } },
	{ "PASS secret", { NOT_THERE(AUTHORIZATION),
	    { LOGGED_IN, TRANSACTION }, NO_LINE, NOT_THERE(TRANSACTION) } },
	{ "PASS wrong", { NOT_THERE(AUTHORIZATION),
	    { "-ERR [AUTH] login refused\r\n", AUTHORIZATION }, NO_LINE,
	    NOT_THERE(TRANSACTION) } },
	{ "AUTH PLAIN AGZyZWQAc2VjcmV0", { { LOGGED_IN, TRANSACTION },
	    { LOGGED_IN, TRANSACTION }, NO_LINE, NOT_THERE(TRANSACTION) } },
	{ "AUTH PLAIN", { { "+ \r\n", ANSWER }, { "+ \r\n", ANSWER },
	    NO_LINE, NOT_THERE(TRANSACTION) } },
	{ "AUTH CRAM-MD5", { { "-ERR expected AUTH PLAIN\r\n",
	    AUTHORIZATION }, { "-ERR expected AUTH PLAIN\r\n", PASS },
	    NO_LINE, NOT_THERE(TRANSACTION) } },
	{ "AGZyZWQAc2VjcmV0", { { UNKNOWN, AUTHORIZATION },
	    { UNKNOWN, PASS }, { LOGGED_IN, TRANSACTION },
	    { UNKNOWN, TRANSACTION } } },
	{ "*", { { UNKNOWN, AUTHORIZATION }, { UNKNOWN, PASS },
	    { "-ERR AUTH was cancelled\r\n", AUTHORIZATION },
	    { UNKNOWN, TRANSACTION } } },
	{ "STAT", IN_TRANSACTION("+OK 2 52\r\n") },
	{ "LIST", IN_TRANSACTION("+OK\r\n1 23\r\n2 29\r\n.\r\n") },
	{ "LIST 2", IN_TRANSACTION("+OK 2 29\r\n") },
	{ "LIST 3", IN_TRANSACTION("-ERR no such message\r\n") },
	{ "RETR 2", IN_TRANSACTION("+OK 29 octets\r\nSubject: two\r\n\r\n"
	    "..the second\r\n.\r\n") },
	{ "TOP 2 0", IN_TRANSACTION("+OK\r\nSubject: two\r\n\r\n.\r\n") },
	{ "DELE 1", IN_TRANSACTION("+OK 1 message (29 octets)\r\n") },
	{ "NOOP", IN_TRANSACTION("+OK\r\n") },
	{ "RSET", IN_TRANSACTION("+OK 2 messages (52 octets)\r\n") },
	{ "CAPA", { { CAPABILITIES, AUTHORIZATION }, { CAPABILITIES, PASS },
	    NO_LINE, { CAPABILITIES, TRANSACTION } } },
	{ "UTF8", { { "+OK\r\n", AUTHORIZATION }, NOT_THERE(PASS), NO_LINE,
	    NOT_THERE(TRANSACTION) } },
	{ "LANG", { { "+OK\r\nen English\r\n.\r\n", AUTHORIZATION },
	    NOT_THERE(PASS), NO_LINE,
	    { "+OK\r\nen English\r\n.\r\n", TRANSACTION } } },
	{ "LANG en", { { "+OK en this is the language\r\n", AUTHORIZATION },
	    NOT_THERE(PASS), NO_LINE,
	    { "+OK en this is the language\r\n", TRANSACTION } } },
	{ "LANG x-klingon", { { "-ERR there is no such language here\r\n",
	    AUTHORIZATION }, NOT_THERE(PASS), NO_LINE,
	    { "-ERR there is no such language here\r\n", TRANSACTION } } },
	{ "QUIT", { { "+OK bye\r\n", CLOSED }, { "+OK bye\r\n", CLOSED },
	    NO_LINE, { "+OK bye\r\n", CLOSED } } },
	{ "APOP fred 0123456789abcdef0123456789abcdef",
	    { { UNKNOWN, AUTHORIZATION }, { UNKNOWN, PASS }, NO_LINE,
	    { UNKNOWN, TRANSACTION } } },
	{ "XYZZY", { { UNKNOWN, AUTHORIZATION }, { UNKNOWN, PASS }, NO_LINE,
	    { UNKNOWN, TRANSACTION } } },
	{ "", { { UNKNOWN, AUTHORIZATION }, { UNKNOWN, PASS }, NO_LINE,
	    { UNKNOWN, TRANSACTION } } },
};

#define INPUTS	(sizeof(table) / sizeof(table[0]))

static int
go(const struct server *server, enum state state)
{
	int fd = client_connect(server, 0);

	client_expect(fd, "+OK Postern on post.example.org\r\n");
	if (state == PASS || state == TRANSACTION)
		client_say(fd, "USER fred", "+OK");
	if (state == TRANSACTION)
		client_say(fd, "PASS secret", "+OK 2 messages");
	if (state == ANSWER)
		client_say(fd, "AUTH PLAIN", "+ ");
	return (fd);
}

/* What tells each state from all others. */
static void
must_be_in(int fd, enum state state)
{
	static const struct {
		const char *line, *reply;
	} probes[] = {
		{ "PASS secret", "-ERR this command is out of place" },
		{ "PASS secret", "+OK 2 messages" },
		{ "*", "-ERR AUTH was cancelled" },
		{ "NOOP", "+OK" },
	};

	if (state == AUTHORIZATION)
		client_say(fd, "NOOP", "-ERR this command is out of place");
	if (state != CLOSED) {
		client_say(fd, probes[state].line, probes[state].reply);
		(void)close(fd);
	} else
		client_expect_close(fd);
}

/* Nothing is deleted but by QUIT. */
ATF_TC_WITHOUT_HEAD(table);
ATF_TC_BODY(table, tc)
{
	struct server server;
	const struct cell *cell;
	size_t i;
	int fd, state;

	(void)tc;
	server_start(&server, "listen pop3 127.0.0.1 port 0\n");
	mailbox_write(&server, FRED, mailbox, strlen(mailbox));
	for (i = 0; i < INPUTS; i++)
		for (state = 0; state < STATES; state++) {
			(void)printf("%s in %s\n", table[i].line,
			    state_names[state]);
			(void)fflush(stdout);
			cell = &table[i].cells[state];
			fd = go(&server, (enum state)state);
			client_send(fd, table[i].line);
			client_send(fd, "\r\n");
			if (cell->reply == NULL)
				client_expect_line(fd, "-ERR ");
			else
				client_expect(fd, cell->reply);
			must_be_in(fd, cell->next);
			children_must_be(&server, "postern-store", 0);
			mailbox_must_be(&server, FRED, mailbox,
			    strlen(mailbox));
		}
	server_stop(&server);
}

/* UIDL's ids are not known beforehand, but that they are ids. */
ATF_TC_WITHOUT_HEAD(uidl);
ATF_TC_BODY(uidl, tc)
{
	struct server server;
	char line[600], again[600];
	int fd, state;

	(void)tc;
	server_start(&server, "listen pop3 127.0.0.1 port 0\n");
	mailbox_write(&server, FRED, mailbox, strlen(mailbox));
	for (state = AUTHORIZATION; state < TRANSACTION; state++) {
		fd = go(&server, (enum state)state);
		client_say(fd, "UIDL", "-ERR ");
		(void)close(fd);
	}
	fd = go(&server, TRANSACTION);
	client_say(fd, "UIDL", "+OK");
	client_expect_line(fd, "1 ");
	client_line(fd, line, sizeof(line));
	client_expect(fd, ".\r\n");
	client_send(fd, "UIDL 2\r\n");
	client_line(fd, again, sizeof(again));
	ATF_CHECK(strlen(line) > 2 && strlen(line) <= 72);
	ATF_CHECK(strncmp(again, "+OK ", 4) == 0);
	ATF_CHECK_STREQ(line, again + 4);
	client_say(fd, "UIDL 3", "-ERR no such message");
	client_say(fd, "QUIT", "+OK bye");
	client_expect_close(fd);
	server_stop(&server);
}

/* Numbers that are none, arguments that do not belong there. */
static const struct {
	const char *line, *reply;
} arguments[] = {
	{ "RETR", "-ERR expected a message number" },
	{ "RETR 0", "-ERR no such message" },
	{ "RETR -1", "-ERR expected a message number" },
	{ "RETR +1", "-ERR expected a message number" },
	{ "RETR 1.5", "-ERR expected a message number" },
	{ "RETR 1 2", "-ERR expected a message number" },
	{ "RETR one", "-ERR expected a message number" },
	{ "RETR 3", "-ERR no such message" },
	{ "RETR 4294967297", "-ERR no such message" },
	{ "RETR 18446744073709551617", "-ERR no such message" },
	{ "RETR 99999999999999999999999999999999", "-ERR no such message" },
	{ "DELE", "-ERR expected a message number" },
	{ "DELE 0", "-ERR no such message" },
	{ "DELE 18446744073709551616", "-ERR no such message" },
	{ "LIST 0", "-ERR no such message" },
	{ "LIST x", "-ERR expected a message number" },
	{ "UIDL 0", "-ERR no such message" },
	{ "UIDL 18446744073709551615", "-ERR no such message" },
	{ "TOP", "-ERR expected a message number" },
	{ "TOP 1", "-ERR expected a message number and a number of lines" },
	{ "TOP 1 -1", "-ERR expected a message number and a number of" },
	{ "TOP 1 2 3", "-ERR expected a message number and a number of" },
	{ "TOP 0 1", "-ERR no such message" },
	{ "TOP 3 1", "-ERR no such message" },
	{ "STAT 1", "-ERR expected no argument" },
	{ "NOOP 1", "-ERR expected no argument" },
	{ "RSET 1", "-ERR expected no argument" },
	{ "QUIT 1", "-ERR expected no argument" },
};

ATF_TC_WITHOUT_HEAD(bad_arguments);
ATF_TC_BODY(bad_arguments, tc)
{
	struct server server;
	size_t i;
	int fd = -1;

	(void)tc;
	server_start(&server, "listen pop3 127.0.0.1 port 0\n");
	mailbox_write(&server, FRED, mailbox, strlen(mailbox));
	for (i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		/* Ten commands that make no sense end the connection. */
		if (i % 5 == 0) {
			if (fd != -1)
				(void)close(fd);
			children_must_be(&server, "postern-store", 0);
			fd = go(&server, TRANSACTION);
		}
		client_say(fd, arguments[i].line, arguments[i].reply);
		client_say(fd, "STAT", "+OK 2 52");
	}
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	fd = go(&server, TRANSACTION);
	/* More lines than there are, and than fit any number. */
	client_say(fd, "TOP 1 18446744073709551616", "+OK");
	client_expect(fd, "Subject: one\r\n\r\nfirst\r\n.\r\n");
	for (i = 0; i < 10; i++)
		client_say(fd, "XYZZY", "-ERR unknown command");
	client_expect_close(fd);
	server_stop(&server);
	mailbox_must_be(&server, FRED, mailbox, strlen(mailbox));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, table);
	ATF_TP_ADD_TC(tp, uidl);
	ATF_TP_ADD_TC(tp, bad_arguments);
	return (atf_no_error());
}
