/*
 * rfc1939_test.c - POP3 sessions, octet for octet, and that a message is the
 * same by every way to it.
 */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../mailstore/mailboxes.h"
#include "pop3_client.h"

/* Messages of 120 and 200 octets, as those of the RFC's example. */
#define FROM		"From a@example.org Sat Nov 21 23:33:00 2026\n"
#define TEN		"012345678\n"		/* 11 octets on the wire */
#define MESSAGE_1	"Subject: one\n\n" TEN TEN TEN TEN TEN TEN TEN TEN \
			"01234567890123\n"
#define MESSAGE_2	"Subject: two\n\n" TEN TEN TEN TEN TEN TEN TEN TEN \
			TEN TEN TEN TEN TEN TEN TEN TEN "456789\n"
#define WIRE_TEN	"012345678\r\n"
#define WIRE_1		"Subject: one\r\n\r\n" WIRE_TEN WIRE_TEN WIRE_TEN \
			WIRE_TEN WIRE_TEN WIRE_TEN WIRE_TEN WIRE_TEN	\
			"01234567890123\r\n"
#define WIRE_2		"Subject: two\r\n\r\n" WIRE_TEN WIRE_TEN WIRE_TEN \
			WIRE_TEN WIRE_TEN WIRE_TEN WIRE_TEN WIRE_TEN	\
			WIRE_TEN WIRE_TEN WIRE_TEN WIRE_TEN WIRE_TEN	\
			WIRE_TEN WIRE_TEN WIRE_TEN "456789\r\n"

_Static_assert(sizeof(WIRE_1) - 1 == 120 && sizeof(WIRE_2) - 1 == 200,
    "what the scenario below counts");

static const char example_mailbox[] = FROM MESSAGE_1 "\n" FROM MESSAGE_2
    "\n";

/* Section 10, but for APOP, which there is not. */
ATF_TC_WITHOUT_HEAD(example_session);
ATF_TC_BODY(example_session, tc)
{
	static const struct {
		const char *says, *answer;
	} example[] = {
		{ "USER fred\r\n", "+OK\r\n" },
		{ "PASS secret\r\n", "+OK 2 messages (320 octets)\r\n" },
		{ "STAT\r\n", "+OK 2 320\r\n" },
		{ "LIST\r\n", "+OK\r\n1 120\r\n2 200\r\n.\r\n" },
		{ "RETR 1\r\n", "+OK 120 octets\r\n" WIRE_1 ".\r\n" },
		{ "DELE 1\r\n", "+OK 1 message (200 octets)\r\n" },
		{ "RETR 2\r\n", "+OK 200 octets\r\n" WIRE_2 ".\r\n" },
		{ "DELE 2\r\n", "+OK 0 messages (0 octets)\r\n" },
		{ "QUIT\r\n", "+OK bye\r\n" },
	};
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	server_start(&server, POP3);
	mailbox_write(&server, FRED, example_mailbox,
	    strlen(example_mailbox));
	fd = client_connect(&server, 0);
	client_expect(fd, "+OK Postern on post.example.org\r\n");
	for (i = 0; i < sizeof(example) / sizeof(example[0]); i++) {
		client_send(fd, example[i].says);
		client_expect(fd, example[i].answer);
	}
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, "", 0);
	server_stop(&server);
}

/* Marked messages do not count, are not shown, and can be unmarked. */
ATF_TC_WITHOUT_HEAD(marks);
ATF_TC_BODY(marks, tc)
{
	struct server server;
	size_t length;
	char *text;
	int fd;

	(void)tc;
	server_start(&server, POP3);
	mailbox_write(&server, FRED, ONE TWO THREE, strlen(ONE TWO THREE));
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "STAT", "+OK 3 84");
	client_say(fd, "DELE 2", "+OK 2 messages (56 octets)");
	client_say(fd, "STAT", "+OK 2 56");
	text = pop3_ask(fd, "LIST", &length);
	ATF_CHECK_STREQ("1 23\r\n3 33\r\n", text);
	free(text);
	text = pop3_ask(fd, "UIDL", &length);
	ATF_CHECK(strstr(text, "\r\n2 ") == NULL);
	free(text);
	client_say(fd, "LIST 2", "-ERR no such message");
	client_say(fd, "UIDL 2", "-ERR no such message");
	client_say(fd, "RETR 2", "-ERR no such message");
	client_say(fd, "TOP 2 1", "-ERR no such message");
	client_say(fd, "DELE 2", "-ERR no such message");
	client_say(fd, "DELE 1", "+OK 1 message (33 octets)");
	client_say(fd, "RSET", "+OK 3 messages (84 octets)");
	client_say(fd, "LIST 2", "+OK 2 28");
	client_say(fd, "DELE 3", "+OK 2 messages (51 octets)");
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
	server_stop(&server);
}

/* The first octets of a message, up to `lines` lines of its body. */
static size_t
top_length(const char *message, size_t length, size_t lines)
{
	size_t at = 0, end;
	int in_body = 0;

	while (at < length && !(in_body && lines == 0)) {
		for (end = at; message[end] != '\n'; end++)
			continue;
		end++;
		if (in_body)
			lines--;
		else if (end - at == 2)
			in_body = 1;
		at = end;
	}
	return (at);
}

/*
 * One message: by POP2 it has its octets in one piece and counted.  By POP3
 * it is the same when its dots are single again, LIST tells its octets, and
 * TOP the beginning of it.
 */
static size_t
compare_message(int pop2, int pop3, unsigned int number, const char *name)
{
	static const size_t lines[] = { 0, 1, 2, 3, 100 };
	char command[40], reply[80], *whole, *text;
	size_t octets, length, i;

	(void)snprintf(command, sizeof(command), "READ %u\r\n", number);
	client_send(pop2, command);
	client_line(pop2, reply, sizeof(reply));
	octets = strtoul(reply + 1, NULL, 10);
	ATF_REQUIRE_MSG(octets > 0, "%s: %s", name, reply);
	ATF_REQUIRE((whole = malloc(octets)) != NULL);
	client_send(pop2, "RETR\r\n");
	client_read(pop2, whole, octets);
	client_say(pop2, "ACKS", "=");

	(void)snprintf(command, sizeof(command), "LIST %u", number);
	(void)snprintf(reply, sizeof(reply), "+OK %u %zu", number, octets);
	client_say(pop3, command, reply);
	(void)snprintf(command, sizeof(command), "RETR %u", number);
	text = pop3_ask(pop3, command, &length);
	ATF_CHECK_MSG(length == octets && memcmp(whole, text, octets) == 0,
	    "%s: RETR %u", name, number);
	free(text);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)snprintf(command, sizeof(command), "TOP %u %zu",
		    number, lines[i]);
		text = pop3_ask(pop3, command, &length);
		ATF_CHECK_MSG(length == top_length(whole, octets, lines[i]) &&
		    memcmp(whole, text, length) == 0, "%s: %s", name,
		    command);
		free(text);
	}
	free(whole);
	return (octets);
}

static void
compare_mailbox(const struct server *server, const struct awkward *mailbox)
{
	char expected[80];
	size_t octets = 0;
	unsigned int i;
	int pop2, pop3;

	mailbox_write(server, FRED, mailbox->bytes, mailbox->length);
	mailbox_write(server, ANN, mailbox->bytes, mailbox->length);
	(void)snprintf(expected, sizeof(expected), "#%zu ",
	    mailbox->messages);
	pop2 = pop2_login(server, 1, ANN, ANN_QUOTED, expected);
	pop3 = pop3_login(server, 0, FRED, FRED_PASSWORD);
	for (i = 1; i <= mailbox->messages; i++)
		octets += compare_message(pop2, pop3, i, mailbox->name);
	(void)snprintf(expected, sizeof(expected), "+OK %zu %zu",
	    mailbox->messages, octets);
	client_say(pop3, "STAT", expected);
	pop3_quit(pop3);
	client_say(pop2, "QUIT", "+ ");
	client_expect_close(pop2);
	mailbox_must_be(server, FRED, mailbox->bytes, mailbox->length);
}

static const struct awkward dots[] = {
	{ "dots", BYTES(A "\n.\n..\n.Subject: x\n\n.\n\n..\n.\r\n...a\n"
	    "a.\n .\n.\n\n" B "\n\n.\n\n" C "\n.\n\n"), 3 },
	{ "a dot at the very end", BYTES(A "\nSubject: one\n\n."), 1 },
	{ "only a dot", BYTES(A "\n."), 1 },
	{ "no body", BYTES(A "\nSubject: one\n\n" B "\nSubject: two"), 2 },
	{ "no header", BYTES(A "\n\nfirst\n.\n\n"), 1 },
	{ "nothing", BYTES(A "\n\n" B "\n"), 2 },
	{ "CR before a dot", BYTES(A "\n\r.\n\r\n\r.\n.\r.\n\n"), 1 },
};

#define EACH(array, server)						\
	do {								\
		size_t each;						\
									\
		for (each = 0; each < sizeof(array) / sizeof(array[0]);	\
		    each++)						\
			compare_mailbox(server, &array[each]);		\
	} while (0)

ATF_TC(same_as_pop2);
ATF_TC_HEAD(same_as_pop2, tc)
{
	atf_tc_set_md_var(tc, "timeout", "300");
}
ATF_TC_BODY(same_as_pop2, tc)
{
	struct server server;

	(void)tc;
	server_start(&server, POP3 "listen pop2 127.0.0.1 port 0\n");
	EACH(dots, &server);
	EACH(line_ends, &server);
	EACH(separators, &server);
	EACH(ends, &server);
	EACH(preambles, &server);
	server_stop(&server);
}

/* More lines that begin with a dot than the snapshot counts. */
ATF_TC_WITHOUT_HEAD(many_dots);
ATF_TC_BODY(many_dots, tc)
{
	enum { LINES = 70000 };
	static char box[100 + 3 * LINES];
	struct server server;
	char expected[80], *text;
	size_t length = strlen(FROM), got, i;
	int fd;

	(void)tc;
	memcpy(box, FROM, length);
	for (i = 0; i < LINES; i++, length += 3)
		memcpy(box + length, ".x\n", 3);
	server_start(&server, POP3);
	mailbox_write(&server, FRED, box, length);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	(void)snprintf(expected, sizeof(expected), "+OK 1 %d", 4 * LINES);
	client_say(fd, "STAT", expected);
	text = pop3_ask(fd, "RETR 1", &got);
	ATF_CHECK_EQ((size_t)4 * LINES, got);
	free(text);
	text = pop3_ask(fd, "TOP 1 5", &got);	/* it is all header */
	ATF_CHECK_EQ((size_t)4 * LINES, got);
	free(text);
	pop3_quit(fd);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, example_session);
	ATF_TP_ADD_TC(tp, marks);
	ATF_TP_ADD_TC(tp, same_as_pop2);
	ATF_TP_ADD_TC(tp, many_dots);
	return (atf_no_error());
}
