/*
 * pop2_table_test.c - every cell of RFC 937's Server Decision Table, over
 * IPv4 and IPv6.
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
#define FIRST		FROM_LINE("a") "Subject: one\n\nfirst\n\n"
#define OTHERS		FROM_LINE("b") "Subject: two\n\nthe second\n\n"	\
			FROM_LINE("c") "Subject: three\n\nthe third one\n\n"

static const char mailbox[] = FIRST OTHERS, without_first[] = OTHERS;
static const char data_2[] = "Subject: two\r\n\r\nthe second\r\n";

enum state { LSTN, AUTH, MBOX, ITEM, NEXT, DONE, STATES };

static const char *const state_names[STATES] = { "LSTN", "AUTH", "MBOX",
    "ITEM", "NEXT", "DONE" };

/* The two inputs that are no octets. */
static const char half_close[] = "(half close)", silence[] = "(silence)";

/*
 * RFC 937, page 22.  Cells are the actions of page 23.  What LSTN's column
 * has below Open cannot be brought about: there is no connection to send it
 * on.  Nor can a connection be opened twice.
 */
static const struct input {
	const char *name;
	const char *octets;
	int action[STATES];
} table[] = {
	/*			   LSTN AUTH MBOX ITEM NEXT DONE */
	{ "Open",    NULL,	       { 2,   1,   1,   1,   1,   1 } },
	{ "HELO",    "HELO fred secret\r\n",
				       { 1,   3,   1,   1,   1,   1 } },
	{ "FOLD",    "FOLD INBOX\r\n", { 1,   1,   5,   5,   1,   1 } },
	{ "READ",    "READ 3\r\n",     { 1,   1,   6,   6,   1,   1 } },
	{ "RETR",    "RETR\r\n",       { 1,   1,   1,   7,   1,   1 } },
	{ "ACKS",    "ACKS\r\n",       { 1,   1,   1,   1,   8,   1 } },
	{ "ACKD",    "ACKD\r\n",       { 1,   1,   1,   1,   8,   1 } },
	{ "NACK",    "NACK\r\n",       { 1,   1,   1,   1,   8,   1 } },
	{ "QUIT",    "QUIT\r\n",       { 1,   4,   4,   4,   1,   1 } },
	{ "Close",   half_close,       { 1,   1,   1,   1,   1,   9 } },
	{ "other",   "XYZZY\r\n",      { 1,   1,   1,   1,   1,   1 } },
	{ "Timeout", silence,	       { 0,   1,   1,   1,   1,   1 } },
};

#define INPUTS	(sizeof(table) / sizeof(table[0]))

/* The cells that are no errors: the reply, and the state then. */
static const struct success {
	enum state from;
	const char *input;
	const char *reply;
	enum state to;
	const char *mailbox;		/* what is in it when all is over */
} successes[] = {
	{ AUTH, "HELO", "#3 messages\r\n", MBOX, mailbox },
	{ AUTH, "QUIT", "+ OK bye\r\n", DONE, mailbox },
	{ MBOX, "FOLD", "#3 messages\r\n", MBOX, mailbox },
	{ MBOX, "READ", "=33 characters\r\n", ITEM, mailbox },
	{ MBOX, "QUIT", "+ OK bye\r\n", DONE, mailbox },
	/* Coming to ITEM the first message was marked: see `way`. */
	{ ITEM, "FOLD", "#2 messages\r\n", MBOX, without_first },
	{ ITEM, "READ", "=33 characters\r\n", ITEM, mailbox },
	{ ITEM, "RETR", data_2, NEXT, mailbox },
	{ ITEM, "QUIT", "+ OK bye\r\n", DONE, without_first },
	{ NEXT, "ACKS", "=33 characters\r\n", ITEM, mailbox },
	{ NEXT, "ACKD", "=33 characters\r\n", ITEM, mailbox },
	{ NEXT, "NACK", "=28 characters\r\n", ITEM, mailbox },
};

#define SUCCESSES	(sizeof(successes) / sizeof(successes[0]))

/*
 * From the greeting to each state.  ITEM and NEXT are reached with a message
 * marked for deletion, so that an error there could do harm.  What puts a
 * session into DONE is sent together with the input: afterwards the server
 * has closed.
 */
static const struct way {
	const char *command;
	const char *reply;
	enum state state;		/* where this leads */
} way[] = {
	{ "HELO %s secret\r\n", "#3 messages\r\n", MBOX },
	{ "READ 1\r\n", "=23 characters\r\n", STATES },
	{ "RETR\r\n", "Subject: one\r\n\r\nfirst\r\n", STATES },
	{ "ACKD\r\n", "=28 characters\r\n", ITEM },
	{ "RETR\r\n", data_2, NEXT },
};

/* What tells one state from the others: a "- " means not this one. */
static const struct probe {
	enum state state;
	const char *command;
	const char *replies;		/* the characters it may begin with */
} probes[] = {
	{ MBOX, "READ 2\r\n", "=" },	/* MBOX or ITEM, */
	{ MBOX, "RETR\r\n", "-" },	/* and not ITEM */
	{ ITEM, "RETR\r\n", "S" },
	{ NEXT, "NACK\r\n", "=" },
	{ DONE, "", "" },
};

#define PROBES	(sizeof(probes) / sizeof(probes[0]))

static const struct listener {
	const char *address;
	const char *line;
} listeners[] = {
	{ "127.0.0.1", "listen pop2 127.0.0.1 port 0\n" },
	{ "::1", "listen pop2 ::1 port 0\n" },
};

/* How many of the listeners this host can have: IPv6 may be missing. */
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

/* The configuration lines of those that there can be, and what is added. */
static const char *
configuration(const char *added)
{
	static char text[200];

	(void)snprintf(text, sizeof(text), "%s%s%s", listeners[0].line,
	    families() == 2 ? listeners[1].line : "", added);
	return (text);
}

static int
go(const struct server *server, size_t listener, enum state state,
    const char *user)
{
	const struct way *step = way;
	enum state now = AUTH;
	char command[80];
	int fd;

	fd = client_connect_to(listeners[listener].address,
	    server->ports[listener]);
	client_expect(fd, "+ POP2 post.example.org Postern\r\n");
	for (; now != state && state != DONE; now = (step++)->state) {
		(void)snprintf(command, sizeof(command), "HELO %s secret\r\n",
		    user);
		client_send(fd, step == way ? command : step->command);
		client_expect(fd, step->reply);
	}
	return (fd);
}

static const struct success *
find_success(enum state state, const char *input)
{
	size_t i;

	for (i = 0; i < SUCCESSES; i++)
		if (successes[i].from == state &&
		    strcmp(successes[i].input, input) == 0)
			return (&successes[i]);
	atf_tc_fail("no reply is known to %s in %s", input,
	    state_names[state]);
}

static void
try(int fd, const struct probe *probe)
{
	char first;

	client_send(fd, probe->command);
	if (probe->replies[0] == '\0') {
		client_expect_close(fd);
		return;
	}
	client_read(fd, &first, 1);
	ATF_REQUIRE_MSG(first == probe->replies[0], "%s answered '%c'",
	    probe->command, first);
	(void)close(fd);
}

/* A session without store any more: what it did to the mailbox is done. */
static void
mailbox_afterwards(const struct server *server, const char *expected)
{
	children_must_be(server, "postern-store", 0);
	mailbox_must_be(server, FRED, expected, strlen(expected));
}

static void
begin(const struct server *server, const char *what, enum state state,
    const char *input)
{
	(void)printf("%s: %s in %s\n", what, input, state_names[state]);
	(void)fflush(stdout);
	mailbox_write(server, FRED, mailbox, strlen(mailbox));
}

/* Sends one input; a line behind QUIT is one in the state DONE. */
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
		client_expect(fd, "+ OK bye\r\n");
}

/* Actions 1 and 9: nothing is deleted, the connection ends. */
static void
walk_end(const struct server *server, size_t listener, enum state state,
    const struct input *input)
{
	int fd;

	begin(server, listeners[listener].address, state, input->name);
	fd = go(server, listener, state, FRED);
	give(fd, state, input);
	if (input->action[state] == 1)
		client_expect_line(fd, "- ");
	client_expect_close(fd);
	mailbox_afterwards(server, mailbox);
}

/* The others: the reply, and every probe of the state that follows. */
static void
walk_success(const struct server *server, size_t listener, enum state state,
    const struct input *input)
{
	const struct success *success = find_success(state, input->name);
	size_t i;
	int fd;

	for (i = 0; i < PROBES; i++) {
		if (probes[i].state != success->to)
			continue;
		begin(server, listeners[listener].address, state, input->name);
		fd = go(server, listener, state, FRED);
		client_send(fd, input->octets);
		client_expect(fd, success->reply);
		try(fd, &probes[i]);
		mailbox_afterwards(server, success->mailbox);
	}
}

static void
walk(size_t listener)
{
	struct server server;
	size_t i;
	int state;

	if (listener >= families())
		atf_tc_skip("this host has no IPv6");
	server_start(&server, configuration(""));
	/* Open in LSTN: action 2, the greeting; `go` compares it. */
	(void)close(go(&server, listener, AUTH, FRED));
	for (i = 1; i < INPUTS; i++)
		for (state = AUTH; state < STATES; state++)
			if (table[i].octets == silence)
				continue;	/* below */
			else if (table[i].action[state] == 1 ||
			    table[i].action[state] == 9)
				walk_end(&server, listener, (enum state)state,
				    &table[i]);
			else
				walk_success(&server, listener,
				    (enum state)state, &table[i]);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(table_ipv4);
ATF_TC_BODY(table_ipv4, tc)
{
	(void)tc;
	walk(0);
}

ATF_TC_WITHOUT_HEAD(table_ipv6);
ATF_TC_BODY(table_ipv6, tc)
{
	(void)tc;
	walk(1);
}

/*
 * The row Timeout: each state's session with a user of its own, all of them
 * waiting side by side.  In DONE the server has closed already.
 */
ATF_TC_WITHOUT_HEAD(timeouts);
ATF_TC_BODY(timeouts, tc)
{
	struct server server;
	char user[20];
	int fds[2][STATES];
	int listener, state, count = (int)families();

	(void)tc;
	server_prepare(&server, configuration("login-timeout 4\n"
	    "session-timeout 4\n"));
	for (state = 0; state < 2 * STATES; state++) {
		(void)snprintf(user, sizeof(user), "user%d", state);
		server_add_user(&server, user, FRED_PASSWORD, FRED_UID);
		mailbox_write(&server, user, mailbox, strlen(mailbox));
	}
	server_run(&server);
	for (listener = 0; listener < count; listener++)
		for (state = AUTH; state < STATES; state++) {
			(void)snprintf(user, sizeof(user), "user%d",
			    listener * STATES + state);
			fds[listener][state] = go(&server, (size_t)listener,
			    (enum state)state, user);
			if (state == DONE)
				client_send(fds[listener][state], "QUIT\r\n");
		}
	for (listener = 0; listener < count; listener++)
		for (state = AUTH; state < STATES; state++) {
			client_expect_line(fds[listener][state],
			    state == DONE ? "+ OK bye" : "- timeout");
			client_expect_close(fds[listener][state]);
		}
	children_must_be(&server, "postern-store", 0);
	for (state = 0; state < 2 * STATES; state++) {
		(void)snprintf(user, sizeof(user), "user%d", state);
		mailbox_must_be(&server, user, mailbox, strlen(mailbox));
	}
	server_stop(&server);
}

/* What an action says beside the usual case. */
static const struct other_case {
	const char *commands;
	const char *replies;
} other_cases[] = {
	/* 3 (b): Else send "- error" and Close the connection. */
	{ "HELO fred wrong\r\n", "- login refused\r\n" },
	{ "HELO nobody secret\r\n", "- login refused\r\n" },
	/* 7: Else Close the connection. */
	{ "HELO fred secret\r\nREAD 4\r\nRETR\r\n",
	    "#3 messages\r\n=0 no message\r\n" },
	/* 8: what ACKS, ACKD and NACK require. */
	{ "HELO fred secret\r\nREAD 3\r\nRETR\r\nACKS\r\nRETR\r\n",
	    "#3 messages\r\n=33 characters\r\n"
	    "Subject: three\r\n\r\nthe third one\r\n=0 no message\r\n" },
	{ "HELO fred secret\r\nREAD 1\r\nRETR\r\nACKD\r\nREAD 1\r\nRETR\r\n",
	    "#3 messages\r\n=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=28 characters\r\n=0 no message\r\n" },
	{ "HELO fred secret\r\nREAD 3\r\nRETR\r\nNACK\r\nRETR\r\nXYZZY\r\n",
	    "#3 messages\r\n=33 characters\r\n"
	    "Subject: three\r\n\r\nthe third one\r\n=33 characters\r\n"
	    "Subject: three\r\n\r\nthe third one\r\n- unknown command\r\n" },
};

ATF_TC_WITHOUT_HEAD(alternatives);
ATF_TC_BODY(alternatives, tc)
{
	struct server server;
	size_t i, listener, count = families();
	int fd;

	(void)tc;
	server_start(&server, configuration(""));
	for (i = 0; i < sizeof(other_cases) / sizeof(other_cases[0]); i++)
		for (listener = 0; listener < count; listener++) {
			begin(&server, other_cases[i].commands, AUTH, "HELO");
			fd = go(&server, listener, AUTH, FRED);
			client_send(fd, other_cases[i].commands);
			client_expect(fd, other_cases[i].replies);
			client_expect_close(fd);
			mailbox_afterwards(&server, mailbox);
		}
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, table_ipv4);
	ATF_TP_ADD_TC(tp, table_ipv6);
	ATF_TP_ADD_TC(tp, timeouts);
	ATF_TP_ADD_TC(tp, alternatives);
	return (atf_no_error());
}
