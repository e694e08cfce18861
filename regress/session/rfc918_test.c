/*
 * rfc918_test.c - the POP1 sessions of RFC 918, byte for byte.
 */
#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"

static const char two_messages[] =
    FROM_LINE("a") "Subject: one\n\nfirst\n\n"
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";
static const char arrival[] = FROM_LINE("c") "Subject: late\n\nthird\n\n";

/* What the client sends; what then comes, NULL: the whole mailbox. */
struct exchange {
	const char *command;
	const char *answer;
};

/* Each of them ends a session; DATA stands for the mailbox as sent. */
#define OPENING		{ "USER fred\r\n", "+OK\r\n" },			\
			{ "PASS secret\r\n", "+OK\r\n" }
#define COUNT		"#145\r\n"
#define DATA		NULL
#define CLOSING		{ "QUIT\r\n", "+OK\r\n" }, { NULL, NULL }

static int
open_session(const struct server *server)
{
	int fd = client_connect(server, 0);

	client_expect(fd, "+OK\r\n");
	return (fd);
}

static void
expect_mailbox(int fd, const char *stored)
{
	size_t length;
	char *wire = wire_form(stored, strlen(stored), &length);

	client_expect_bytes(fd, wire, length);
	free(wire);
}

static void
play(int fd, const struct exchange *exchanges)
{
	for (; exchanges->command != NULL; exchanges++) {
		client_send(fd, exchanges->command);
		if (exchanges->answer == DATA)
			expect_mailbox(fd, two_messages);
		else
			client_expect(fd, exchanges->answer);
	}
	client_expect_close(fd);
}

static void
start(struct server *server)
{
	server_start(server, "listen pop1 127.0.0.1 port 0\n");
	mailbox_write(server, FRED, two_messages, strlen(two_messages));
}

/* A whole session against two messages, and what is in the mailbox then. */
static void
session(const struct exchange *exchanges, const char *after)
{
	struct server server;

	start(&server);
	play(open_session(&server), exchanges);
	mailbox_must_be(&server, FRED, after, strlen(after));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(normal_scenario_rdel);
ATF_TC_BODY(normal_scenario_rdel, tc)
{
	static const struct exchange scenario[] = {
		OPENING,
		{ "RDEL INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RCVD\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, "");
}

ATF_TC_WITHOUT_HEAD(normal_scenario_retr);
ATF_TC_BODY(normal_scenario_retr, tc)
{
	static const struct exchange scenario[] = {
		OPENING,
		{ "RETR INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RCVD\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, two_messages);
}

/* The RFC's diagram spells RCEV so (erratum 7615). */
ATF_TC_WITHOUT_HEAD(recv_spelling);
ATF_TC_BODY(recv_spelling, tc)
{
	static const struct exchange scenario[] = {
		OPENING,
		{ "RDEL fred\r\n", COUNT },
		{ "RECV\r\n", DATA },
		{ "RCVD\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, "");
}

/* Two transactions: what the second finds after the first has deleted. */
ATF_TC_WITHOUT_HEAD(after_rdel_empty);
ATF_TC_BODY(after_rdel_empty, tc)
{
	static const struct exchange scenario[] = {
		OPENING,
		{ "RDEL INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RCVD\r\n", "+OK\r\n" },
		{ "RDEL INBOX\r\n", "#0\r\n" },
		{ "RCEV\r\nRCVD\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, "");
}

/* RSET before RCEV, and between RCEV and RCVD, gives the mailbox back. */
ATF_TC_WITHOUT_HEAD(rset);
ATF_TC_BODY(rset, tc)
{
	static const struct exchange scenario[] = {
		{ "RSET\r\n", "+OK\r\n" },
		OPENING,
		{ "RSET\r\n", "+OK\r\n" },
		{ "RDEL INBOX\r\n", COUNT },
		{ "RSET\r\n", "+OK\r\n" },
		{ "RDEL INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RSET\r\n", "+OK\r\n" },
		{ "RETR INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RSET\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, two_messages);
}

/* After RSET the deletion asked for before is forgotten. */
ATF_TC_WITHOUT_HEAD(rset_then_retr);
ATF_TC_BODY(rset_then_retr, tc)
{
	static const struct exchange scenario[] = {
		OPENING,
		{ "RDEL INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RSET\r\n", "+OK\r\n" },
		{ "RETR INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RCVD\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, two_messages);
}

/*
 * RSET releases the mailbox: when it is answered another session can have
 * it.  So does RCVD.  Many rounds, since what comes too late is not so by
 * much.
 */
ATF_TC_WITHOUT_HEAD(releases);
ATF_TC_BODY(releases, tc)
{
	struct server server;
	int first, second, round;

	(void)tc;
	start(&server);
	first = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	second = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	for (round = 0; round < 50; round++) {
		client_send(first, "RDEL INBOX\r\n");
		client_expect(first, COUNT);
		if (round == 0) {	/* it takes a second to be refused */
			client_send(second, "RETR INBOX\r\n");
			client_expect_line(second, "-ERR ");
		}
		client_send(first, "RSET\r\n");
		client_expect(first, "+OK\r\n");
		client_send(second, "RETR INBOX\r\n");
		client_expect(second, COUNT);
		if (round == 0) {
			client_send(first, "RDEL INBOX\r\n");
			client_expect_line(first, "-ERR ");
		}
		client_send(second, "RCEV\r\n");
		expect_mailbox(second, two_messages);
		client_send(second, "RCVD\r\n");
		client_expect(second, "+OK\r\n");
	}
	client_say(first, "QUIT", "+OK");
	client_say(second, "QUIT", "+OK");
	client_expect_close(first);
	client_expect_close(second);
	mailbox_must_be(&server, FRED, two_messages, strlen(two_messages));
	server_stop(&server);
}

/* A refused USER or PASS goes back to waiting for USER. */
ATF_TC_WITHOUT_HEAD(login_again);
ATF_TC_BODY(login_again, tc)
{
	static const struct exchange scenario[] = {
		{ "USER fred\r\n", "+OK\r\n" },
		{ "PASS wrong\r\n", "-ERR login refused\r\n" },
		{ "PASS secret\r\n",
		    "-ERR this command is out of place here\r\n" },
		{ "USER nobody\r\n", "+OK\r\n" },
		{ "PASS secret\r\n", "-ERR login refused\r\n" },
		OPENING,
		{ "RETR INBOX\r\n", COUNT },
		CLOSING
	};

	(void)tc;
	session(scenario, two_messages);
}

/* The third failure ends the connection. */
ATF_TC_WITHOUT_HEAD(three_failures);
ATF_TC_BODY(three_failures, tc)
{
	static const struct exchange scenario[] = {
		{ "USER fred\r\n", "+OK\r\n" },
		{ "PASS wrong\r\n", "-ERR login refused\r\n" },
		{ "USER ann\r\n", "+OK\r\n" },
		{ "PASS wrong\r\n", "-ERR login refused\r\n" },
		{ "USER nobody\r\n", "+OK\r\n" },
		{ "PASS wrong\r\n", "-ERR login refused\r\n" },
		{ NULL, NULL }
	};

	(void)tc;
	session(scenario, two_messages);
}

static void
deliver(const struct server *server)
{
	int fd = open(mailbox_path(server, FRED), O_WRONLY | O_APPEND);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(write(fd, arrival, strlen(arrival)) ==
	    (ssize_t)strlen(arrival));
	ATF_REQUIRE(close(fd) == 0);
}

/* RDEL deletes what was sent: what came later stays, and is sent next. */
static void
delivered_before(const char *command)
{
	struct server server;
	int fd;

	start(&server);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RDEL INBOX", "#145");
	if (strcmp(command, "RCEV") == 0)
		deliver(&server);
	client_send(fd, "RCEV\r\n");
	expect_mailbox(fd, two_messages);
	if (strcmp(command, "RCVD") == 0)
		deliver(&server);
	client_say(fd, "RCVD", "+OK");
	mailbox_must_be(&server, FRED, arrival, strlen(arrival));
	client_say(fd, "RETR INBOX", "#71");
	client_send(fd, "RCEV\r\n");
	expect_mailbox(fd, arrival);
	client_say(fd, "RCVD", "+OK");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(delivered_before_rcev);
ATF_TC_BODY(delivered_before_rcev, tc)
{
	(void)tc;
	delivered_before("RCEV");
}

ATF_TC_WITHOUT_HEAD(delivered_before_rcvd);
ATF_TC_BODY(delivered_before_rcvd, tc)
{
	(void)tc;
	delivered_before("RCVD");
}

/* Mail deleted elsewhere meanwhile: -ERR, and nothing is deleted here. */
ATF_TC_WITHOUT_HEAD(rcvd_fails);
ATF_TC_BODY(rcvd_fails, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RDEL INBOX", "#145");
	client_send(fd, "RCEV\r\n");
	expect_mailbox(fd, two_messages);
	mailbox_write(&server, FRED, arrival, strlen(arrival));
	client_say(fd, "RCVD", "-ERR ");
	mailbox_must_be(&server, FRED, arrival, strlen(arrival));
	client_say(fd, "RETR INBOX", "#71");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	server_stop(&server);
}

/* The count is of the octets sent, whatever the file's line ends are. */
ATF_TC_WITHOUT_HEAD(exact_count);
ATF_TC_BODY(exact_count, tc)
{
	static const char *const stored[] = {
		FROM_LINE("a") "S: 1\n\nlf\n\n",
		FROM_LINE("a") "S: 1\r\n\r\ncrlf\r\n\r\n",
		FROM_LINE("a") "S: 1\n\nmixed\r\nlines\n",
		FROM_LINE("a") "S: 1\n\nno end",
		FROM_LINE("a"),
		FROM_LINE("a") "\n" FROM_LINE("b") "S: 2\n\n\n\n\n",
		"",
	};
	struct server server;
	char count[40];
	size_t i, length;
	char *wire;
	int fd;

	(void)tc;
	start(&server);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	for (i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
		mailbox_write(&server, FRED, stored[i], strlen(stored[i]));
		wire = wire_form(stored[i], strlen(stored[i]), &length);
		if (stored[i][0] == '\0')
			length = 0;
		(void)snprintf(count, sizeof(count), "#%zu\r\n", length);
		client_send(fd, "RETR INBOX\r\n");
		client_expect(fd, count);
		client_send(fd, "RCEV\r\n");
		client_expect_bytes(fd, wire, length);
		client_say(fd, "RCVD", "+OK");
		free(wire);
	}
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(noop);
ATF_TC_BODY(noop, tc)
{
	static const struct exchange scenario[] = {
		{ "NOOP\r\n", "+OK\r\n" },
		OPENING,
		{ "NOOP\r\n", "+OK\r\n" },
		{ "RETR INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
		{ "RCVD\r\n", "+OK\r\n" },
		{ "NOOP\r\n", "+OK\r\n" },
		CLOSING
	};

	(void)tc;
	session(scenario, two_messages);
}

/* QUIT at every step; a transaction that has not come to RCVD is undone. */
ATF_TC_WITHOUT_HEAD(quit_anywhere);
ATF_TC_BODY(quit_anywhere, tc)
{
	static const struct exchange steps[] = {
		OPENING,
		{ "RDEL INBOX\r\n", COUNT },
		{ "RCEV\r\n", DATA },
	}, closing[] = { CLOSING };
	struct server server;
	size_t stop, i;
	int fd;

	(void)tc;
	start(&server);
	for (stop = 0; stop <= sizeof(steps) / sizeof(steps[0]); stop++) {
		fd = open_session(&server);
		for (i = 0; i < stop; i++) {
			client_send(fd, steps[i].command);
			if (steps[i].answer == DATA)
				expect_mailbox(fd, two_messages);
			else
				client_expect(fd, steps[i].answer);
		}
		play(fd, closing);
		children_must_be(&server, "postern-store", 0);
		mailbox_must_be(&server, FRED, two_messages,
		    strlen(two_messages));
	}
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, normal_scenario_rdel);
	ATF_TP_ADD_TC(tp, normal_scenario_retr);
	ATF_TP_ADD_TC(tp, recv_spelling);
	ATF_TP_ADD_TC(tp, after_rdel_empty);
	ATF_TP_ADD_TC(tp, rset);
	ATF_TP_ADD_TC(tp, rset_then_retr);
	ATF_TP_ADD_TC(tp, releases);
	ATF_TP_ADD_TC(tp, login_again);
	ATF_TP_ADD_TC(tp, three_failures);
	ATF_TP_ADD_TC(tp, delivered_before_rcev);
	ATF_TP_ADD_TC(tp, delivered_before_rcvd);
	ATF_TP_ADD_TC(tp, rcvd_fails);
	ATF_TP_ADD_TC(tp, exact_count);
	ATF_TP_ADD_TC(tp, noop);
	ATF_TP_ADD_TC(tp, quit_anywhere);
	return (atf_no_error());
}
