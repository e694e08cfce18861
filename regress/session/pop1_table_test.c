/*
 * pop1_table_test.c - every (state, input) pair of RFC 918's server, over
 * IPv4 and IPv6, in transactions that RETR began and that RDEL began.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define WIRE_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\r\n"

static const char mailbox[] =
    FROM_LINE("a") "Subject: one\n\nfirst\n\n"
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";
static const char data[] =
    WIRE_LINE("a") "Subject: one\r\n\r\nfirst\r\n\r\n"
    WIRE_LINE("b") "Subject: two\r\n\r\nthe second\r\n\r\n";

enum state { USER, PASS, TRAN, RCEV, RCVD, DONE, STATES };

static const char *const state_names[STATES] = { "want USER", "want PASS",
    "transaction", "want RCEV", "want RCVD", "closed" };

/* The two inputs that are no octets. */
static const char half_close[] = "(half close)", silence[] = "(silence)";

/*
 * A cell is two characters, what is answered and the state then:
 *
 *	+  +OK			U P T E D  want USER, want PASS, transaction,
 *	-  -ERR			           want RCEV, want RCVD
 *	#  #145			Q	   closed, as after QUIT
 *	*  the mailbox		=	   as before
 *	.  nothing		.	   closed
 *
 * The RFC's table has the cells that are no errors.  An error leaves the
 * state as it is: RFC 918 has no rule that errors close, as RFC 937 has.
 * Octets behind QUIT are not answered.
 */
static const struct input {
	const char *name;
	const char *octets;
	const char *cell[STATES];
} table[] = {
	/*			 want  want  trans-want  want  closed
	 *			 USER  PASS  action RCEV RCVD	      */
	{ "USER", "USER fred\r\n",
			       { "+P", "-=", "-=", "-=", "-=", ".." } },
	{ "PASS", "PASS secret\r\n",
			       { "-=", "+T", "-=", "-=", "-=", ".." } },
	{ "wrong PASS", "PASS geheim\r\n",
			       { "-=", "-U", "-=", "-=", "-=", ".." } },
	{ "RETR", "RETR INBOX\r\n",
			       { "-=", "-=", "#E", "-=", "-=", ".." } },
	{ "RDEL", "RDEL INBOX\r\n",
			       { "-=", "-=", "#E", "-=", "-=", ".." } },
	{ "RCEV", "RCEV\r\n",  { "-=", "-=", "-=", "*D", "-=", ".." } },
	{ "RECV", "RECV\r\n",  { "-=", "-=", "-=", "*D", "-=", ".." } },
	{ "RCVD", "RCVD\r\n",  { "-=", "-=", "-=", "-=", "+T", ".." } },
	{ "RSET", "RSET\r\n",  { "+U", "+U", "+T", "+T", "+T", ".." } },
	{ "NOOP", "NOOP\r\n",  { "+U", "-=", "+T", "-=", "-=", ".." } },
	{ "QUIT", "QUIT\r\n",  { "+Q", "+Q", "+Q", "+Q", "+Q", ".." } },
	{ "other", "XYZZY\r\n",
			       { "-=", "-=", "-=", "-=", "-=", ".." } },
	{ "Close", half_close, { "-.", "-.", "-.", "-.", "-.", ".." } },
	{ "Timeout", silence,  { "-.", "-.", "-.", "-.", "-.", ".." } },
};

#define INPUTS	(sizeof(table) / sizeof(table[0]))

/* The one command that only this state takes, and what it answers then. */
static const struct step {
	const char *command;
	const char *reply;
} steps[STATES] = {
	{ "USER fred\r\n", "+OK\r\n" },
	{ "PASS secret\r\n", "+OK\r\n" },
	{ "RETR INBOX\r\n", "#145\r\n" },
	{ "RCEV\r\n", data },
	{ "RCVD\r\n", "+OK\r\n" },
	{ "", "" },
};

static const char *const addresses[] = { "127.0.0.1", "::1" };

/* How many of the addresses this host has: IPv6 may be missing. */
static size_t
families(void)
{
	struct sockaddr_in6 address;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int bound;

	memset(&address, 0, sizeof(address));
	address.sin6_family = AF_INET6;
	address.sin6_addr = in6addr_loopback;
	bound = fd != -1 && bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0;
	if (fd != -1)
		(void)close(fd);
	return (bound ? 2 : 1);
}

static const char *
configuration(const char *added)
{
	static char text[200];

	(void)snprintf(text, sizeof(text), "listen pop1 127.0.0.1 port 0\n"
	    "%s%s", families() == 2 ? "listen pop1 ::1 port 0\n" : "", added);
	return (text);
}

/* From the greeting to a state; `begin` is the RETR or RDEL on the way. */
static int
go(const struct server *server, size_t listener, enum state state,
    const char *user, const char *begin)
{
	char command[80];
	int fd, now;

	fd = client_connect_to(addresses[listener], server->ports[listener]);
	client_expect(fd, "+OK\r\n");
	for (now = USER; now < (int)state && state != DONE; now++) {
		(void)snprintf(command, sizeof(command), "USER %s\r\n", user);
		client_send(fd, now == USER ? command : now == TRAN ? begin :
		    steps[now].command);
		client_expect(fd, steps[now].reply);
	}
	return (fd);
}

static void
give(int fd, enum state state, const struct input *input)
{
	char both[80];

	(void)snprintf(both, sizeof(both), "%s%s", state == DONE ?
	    "QUIT\r\n" : "", input->octets == half_close ? "" :
	    input->octets);
	client_send(fd, both);
	if (input->octets == half_close)
		ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0);
	if (state == DONE)
		client_expect(fd, "+OK\r\n");
}

static void
expect_reply(int fd, char kind)
{
	switch (kind) {
	case '+':
		client_expect(fd, "+OK\r\n");
		break;
	case '-':
		client_expect_line(fd, "-ERR ");
		break;
	case '#':
		client_expect(fd, "#145\r\n");
		break;
	case '*':
		client_expect(fd, data);
		break;
	}
}

/* The state is the one that takes this state's own command. */
static void
expect_state(int fd, enum state before, char kind)
{
	static const char letters[] = "UPTEDQ";
	enum state state = kind == '=' ? before :
	    (enum state)(strchr(letters, kind) - letters);

	client_send(fd, steps[state].command);
	client_expect(fd, steps[state].reply);
	(void)close(fd);
}

static void
cell(const struct server *server, size_t listener, enum state state,
    const struct input *input, const char *begin)
{
	const char *expected = input->cell[state], *after = mailbox;
	int fd;

	(void)printf("%s %.4s: %s in %s: %s\n", addresses[listener], begin,
	    input->name, state_names[state], expected);
	(void)fflush(stdout);
	mailbox_write(server, FRED, mailbox, strlen(mailbox));
	fd = go(server, listener, state, FRED, begin);
	give(fd, state, input);
	expect_reply(fd, expected[0]);
	if (state == RCVD && strcmp(input->name, "RCVD") == 0 &&
	    strncmp(begin, "RDEL", 4) == 0)
		after = "";
	mailbox_must_be(server, FRED, after, strlen(after));
	/* Whole again, for the RETR that may follow. */
	mailbox_write(server, FRED, mailbox, strlen(mailbox));
	if (strchr(".Q", expected[1]) != NULL) {
		client_expect_close(fd);
		children_must_be(server, "postern-store", 0);
		mailbox_must_be(server, FRED, mailbox, strlen(mailbox));
	} else
		expect_state(fd, state, expected[1]);
	children_must_be(server, "postern-store", 0);
}

static void
walk(size_t listener, const char *begin)
{
	struct server server;
	size_t i;
	int state;

	if (listener >= families())
		atf_tc_skip("this host has no IPv6");
	server_start(&server, configuration(""));
	for (i = 0; i < INPUTS; i++)
		for (state = USER; state < STATES; state++)
			if (table[i].octets != silence)
				cell(&server, listener, (enum state)state,
				    &table[i], begin);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(retr_ipv4);
ATF_TC_BODY(retr_ipv4, tc)
{
	(void)tc;
	walk(0, "RETR INBOX\r\n");
}

ATF_TC_WITHOUT_HEAD(rdel_ipv4);
ATF_TC_BODY(rdel_ipv4, tc)
{
	(void)tc;
	walk(0, "RDEL INBOX\r\n");
}

ATF_TC_WITHOUT_HEAD(retr_ipv6);
ATF_TC_BODY(retr_ipv6, tc)
{
	(void)tc;
	walk(1, "RETR INBOX\r\n");
}

ATF_TC_WITHOUT_HEAD(rdel_ipv6);
ATF_TC_BODY(rdel_ipv6, tc)
{
	(void)tc;
	walk(1, "RDEL INBOX\r\n");
}

/* The row Timeout: users of their own, waiting side by side. */
ATF_TC_WITHOUT_HEAD(timeouts);
ATF_TC_BODY(timeouts, tc)
{
	const struct input *row = &table[INPUTS - 1];
	struct server server;
	char user[20];
	int fds[2 * STATES];
	int i, count = (int)families() * STATES;

	(void)tc;
	server_prepare(&server, configuration("login-timeout 4\n"
	    "session-timeout 4\n"));
	for (i = 0; i < count; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		server_add_user(&server, user, FRED_PASSWORD, FRED_UID);
		mailbox_write(&server, user, mailbox, strlen(mailbox));
	}
	server_run(&server);
	for (i = 0; i < count; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		fds[i] = go(&server, (size_t)(i / STATES),
		    (enum state)(i % STATES), user, "RDEL INBOX\r\n");
		if (i % STATES == DONE) {
			client_send(fds[i], "QUIT\r\n");
			client_expect(fds[i], "+OK\r\n");
		}
	}
	for (i = 0; i < count; i++) {
		expect_reply(fds[i], row->cell[i % STATES][0]);
		client_expect_close(fds[i]);
	}
	children_must_be(&server, "postern-store", 0);
	for (i = 0; i < count; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		mailbox_must_be(&server, user, mailbox, strlen(mailbox));
	}
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, retr_ipv4);
	ATF_TP_ADD_TC(tp, rdel_ipv4);
	ATF_TP_ADD_TC(tp, retr_ipv6);
	ATF_TP_ADD_TC(tp, rdel_ipv6);
	ATF_TP_ADD_TC(tp, timeouts);
	return (atf_no_error());
}
