/*
 * lock_test.c - locks on a mailbox, against other programs and sessions.
 *
 * Delivery must never wait for a reader: the mailbox is locked while its
 * snapshot is taken and while a delete is committed, and at no other time.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "holder.h"

#define ONE	"From ann@example.org Sat Nov 21 23:33:00 2026\n" \
		"Subject: one\n\nfirst\n\n"
#define TWO	"From bob@example.org Sun Nov 22 01:02:03 2026\n" \
		"Subject: two\n\nthe second\n\n"
#define BOTH	ONE TWO
#define ONE_WIRE "Subject: one\r\n\r\nfirst\r\n"
#define BOTH_OCTETS "#149"

static double
now(void)
{
	struct timespec time;

	ATF_REQUIRE(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
	return ((double)time.tv_sec + (double)time.tv_nsec / 1e9);
}

static void
pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static struct holder
holder_begin(const struct server *server, short type)
{
	return (holder_of(mailbox_path(server, FRED), type));
}

/* Another program can have the mailbox for itself, now. */
static void
must_be_free(const struct server *server)
{
	struct holder holder = holder_begin(server, F_WRLCK);

	holder_end(&holder);
}

static int
answer_within(int fd, int ms)
{
	struct pollfd polled = { fd, POLLIN, 0 };

	return (poll(&polled, 1, ms) == 1);
}

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	mailbox_write(server, FRED, BOTH, strlen(BOTH));
}

static int
login(const struct server *server)
{
	return (pop2_login(server, 0, FRED, FRED_PASSWORD, "#2 "));
}

static void
must_be_whole(const struct server *server)
{
	mailbox_must_be(server, FRED, BOTH, strlen(BOTH));
}

/* Reads the first message and asks for its end. */
static void
mark_first(int fd)
{
	client_say(fd, "READ", "=23 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, ONE_WIRE);
	client_say(fd, "ACKD", "=");
}

static void
quit(int fd)
{
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
}

static void
asked_for_whole(int fd, const char *command)
{
	char octets[200];

	client_say(fd, command, BOTH_OCTETS);
	client_send(fd, "RCEV\r\n");
	client_read(fd, octets, 149);
}

ATF_TC_WITHOUT_HEAD(held_at_login);
ATF_TC_BODY(held_at_login, tc)
{
	struct server server;
	struct holder holder;
	double began;
	int fd;

	(void)tc;
	/* Who has logged in waits no matter how long a login may take. */
	start(&server, "lock-timeout 2\nlogin-timeout 1\n");
	holder = holder_begin(&server, F_WRLCK);
	began = now();
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "- the mailbox ");
	client_expect_close(fd);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RETR inbox", "-ERR the mailbox ");
	ATF_REQUIRE(now() - began < 8);
	holder_end(&holder);
	/* The POP1 session is none the worse for it. */
	client_say(fd, "RETR inbox", BOTH_OCTETS);
	client_say(fd, "RSET", "+OK");
	quit(fd);
	log_must_have(&server, "event=lock folder=INBOX");
	quit(login(&server));
	must_be_whole(&server);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(not_waited_for);
ATF_TC_BODY(not_waited_for, tc)
{
	struct server server;
	struct holder holder;
	double began;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 0\n");
	holder = holder_begin(&server, F_WRLCK);
	began = now();
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "- ");
	client_expect_close(fd);
	/* Who says nothing of it waits 10 s. */
	ATF_REQUIRE(now() - began < 8);
	holder_end(&holder);
	quit(login(&server));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(released_in_time);
ATF_TC_BODY(released_in_time, tc)
{
	struct server server;
	struct holder holder;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 10\n");
	holder = holder_begin(&server, F_WRLCK);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+ POP2 ");
	client_send(fd, "HELO " FRED " " FRED_PASSWORD "\r\n");
	ATF_REQUIRE(!answer_within(fd, 700));
	holder_end(&holder);
	ATF_REQUIRE(answer_within(fd, 8000));
	client_expect_line(fd, "#2 ");
	mark_first(fd);
	holder = holder_begin(&server, F_WRLCK);
	client_send(fd, "QUIT\r\n");
	ATF_REQUIRE(!answer_within(fd, 700));
	must_be_whole(&server);
	holder_end(&holder);
	ATF_REQUIRE(answer_within(fd, 8000));
	client_expect_line(fd, "+ OK");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	server_stop(&server);
}

/* A reason, and nothing deleted: the writer's lock, and a reader's. */
static void
held_at_commit(const struct server *server, short type)
{
	struct holder holder;
	int fd;

	mailbox_write(server, FRED, BOTH, strlen(BOTH));
	fd = login(server);
	mark_first(fd);
	holder = holder_begin(server, type);
	client_say(fd, "QUIT", "- the mailbox ");
	client_expect_close(fd);
	holder_end(&holder);
	must_be_whole(server);
	fd = login(server);
	mark_first(fd);
	holder = holder_begin(server, type);
	client_say(fd, "FOLD work", "- the mailbox ");
	client_expect_close(fd);
	holder_end(&holder);
	must_be_whole(server);
}

static void
held_at_rcvd(const struct server *server, short type)
{
	struct holder holder;
	int fd;

	mailbox_write(server, FRED, BOTH, strlen(BOTH));
	fd = pop1_login(server, 0, FRED, FRED_PASSWORD);
	asked_for_whole(fd, "RDEL inbox");
	holder = holder_begin(server, type);
	client_say(fd, "RCVD", "-ERR the mailbox ");
	holder_end(&holder);
	must_be_whole(server);
	asked_for_whole(fd, "RDEL inbox");
	client_say(fd, "RCVD", "+OK");
	mailbox_must_be(server, FRED, "", 0);
	quit(fd);
}

ATF_TC_WITHOUT_HEAD(written_at_commit);
ATF_TC_BODY(written_at_commit, tc)
{
	struct server server;

	(void)tc;
	server_start(&server, "lock-timeout 1\n");
	held_at_commit(&server, F_WRLCK);
	held_at_rcvd(&server, F_WRLCK);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(read_at_commit);
ATF_TC_BODY(read_at_commit, tc)
{
	struct server server;

	(void)tc;
	server_start(&server, "lock-timeout 1\n");
	held_at_commit(&server, F_RDLCK);
	held_at_rcvd(&server, F_RDLCK);
	server_stop(&server);
}

/* A delete of nothing needs no lock, so nothing stands in its way. */
ATF_TC_WITHOUT_HEAD(nothing_to_commit);
ATF_TC_BODY(nothing_to_commit, tc)
{
	struct server server;
	struct holder holder;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 1\n");
	fd = login(&server);
	client_say(fd, "READ", "=23 ");
	holder = holder_begin(&server, F_WRLCK);
	quit(fd);
	holder_end(&holder);
	must_be_whole(&server);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(read_at_login);
ATF_TC_BODY(read_at_login, tc)
{
	struct server server;
	struct holder holder;
	double began;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 20\n");
	holder = holder_begin(&server, F_RDLCK);
	began = now();
	fd = login(&server);
	ATF_REQUIRE(now() - began < 15);
	client_say(fd, "READ 2", "=28 ");
	holder_end(&holder);
	quit(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(free_between_commands);
ATF_TC_BODY(free_between_commands, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = login(&server);
	must_be_free(&server);
	client_say(fd, "READ", "=23 ");
	must_be_free(&server);
	client_send(fd, "RETR\r\n");
	client_expect(fd, ONE_WIRE);
	must_be_free(&server);
	client_say(fd, "ACKD", "=28 ");
	must_be_free(&server);
	client_say(fd, "FOLD inbox", "#1 ");
	must_be_free(&server);
	quit(fd);
	must_be_free(&server);
	mailbox_write(&server, FRED, BOTH, strlen(BOTH));
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	must_be_free(&server);
	client_say(fd, "RDEL inbox", BOTH_OCTETS);
	must_be_free(&server);
	client_say(fd, "RSET", "+OK");
	asked_for_whole(fd, "RDEL inbox");
	must_be_free(&server);
	client_say(fd, "RCVD", "+OK");
	must_be_free(&server);
	quit(fd);
	server_stop(&server);
}

/* Writes one message of many lines; returns its octets on the wire. */
static size_t
write_large(const struct server *server, size_t lines)
{
	static const char head[] =
	    "From ann@example.org Sat Nov 21 23:33:00 2026\n\n";
	static const char line[] = "a line like all the others of it, well\n";
	size_t i, length = sizeof(head) - 1 + lines * (sizeof(line) - 1);
	char *bytes = malloc(length), *to = bytes;

	ATF_REQUIRE(bytes != NULL);
	to = mempcpy(to, head, sizeof(head) - 1);
	for (i = 0; i < lines; i++)
		to = mempcpy(to, line, sizeof(line) - 1);
	mailbox_write(server, FRED, bytes, length);
	free(bytes);
	return (2 + lines * sizeof(line));
}

static void
read_slowly(const struct server *server, int fd, size_t octets)
{
	static char buffer[1 << 16];
	struct holder holder;
	size_t part;

	client_read(fd, buffer, 100);
	octets -= 100;
	pause_ms(300);		/* until all buffers are full */
	holder = holder_begin(server, F_WRLCK);
	for (; octets > 0; octets -= part) {
		part = octets < sizeof(buffer) ? octets : sizeof(buffer);
		client_read(fd, buffer, part);
	}
	holder_end(&holder);
}

ATF_TC_WITHOUT_HEAD(free_while_sending);
ATF_TC_BODY(free_while_sending, tc)
{
	struct server server;
	size_t octets;
	char reply[80];
	int fd;

	(void)tc;
	server_start(&server, NULL);
	octets = write_large(&server, 500000);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 ");
	(void)snprintf(reply, sizeof(reply), "=%zu ", octets);
	client_say(fd, "READ", reply);
	client_send(fd, "RETR\r\n");
	read_slowly(&server, fd, octets);
	client_say(fd, "ACKS", "=0");
	quit(fd);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	octets += strlen("From ann@example.org Sat Nov 21 23:33:00 2026\r\n");
	(void)snprintf(reply, sizeof(reply), "#%zu", octets);
	client_say(fd, "RDEL inbox", reply);
	client_send(fd, "RCEV\r\n");
	read_slowly(&server, fd, octets);
	client_say(fd, "RCVD", "+OK");
	quit(fd);
	mailbox_must_be(&server, FRED, "", 0);
	server_stop(&server);
}

/* One mailbox, one session, whatever the protocol and the name. */
ATF_TC_WITHOUT_HEAD(one_session);
ATF_TC_BODY(one_session, tc)
{
	struct server server;
	char command[700];
	int first, second;

	(void)tc;
	start(&server, NULL);
	mailbox_write(&server, ANN, ONE, strlen(ONE));
	first = login(&server);
	second = pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is in use");
	client_expect_close(second);
	second = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(second, "RETR inbox", "-ERR the mailbox is in use");
	client_say(second, "RDEL " FRED, "-ERR the mailbox is in use");
	(void)snprintf(command, sizeof(command), "RETR %s",
	    mailbox_path(&server, FRED));
	client_say(second, command, "-ERR the mailbox is in use");
	/* Another user is not concerned. */
	quit(pop2_login(&server, 0, ANN, ANN_QUOTED, "#1 "));
	mark_first(first);
	quit(first);
	client_say(second, "RDEL inbox", "#77");
	first = pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is in use");
	client_expect_close(first);
	client_say(second, "RSET", "+OK");
	quit(pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 "));
	quit(second);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(two_folders);
ATF_TC_BODY(two_folders, tc)
{
	struct server server;
	int first, second;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/work", ONE, strlen(ONE));
	folder_write(&server, FRED, "mail/a/work", BOTH, strlen(BOTH));
	first = login(&server);
	client_say(first, "FOLD work", "#1 ");
	second = login(&server);
	client_say(second, "FOLD a/work", "#2 ");
	client_say(first, "FOLD inbox", "#2 ");
	client_say(second, "FOLD work", "#1 ");
	mark_first(second);
	mark_first(first);
	quit(first);
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	first = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(first, "RETR work", "-ERR the mailbox is in use");
	client_say(first, "RETR a/work", BOTH_OCTETS);
	quit(second);
	folder_must_be(&server, FRED, "mail/work", "", 0);
	quit(first);
	second = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 ");
	first = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(first, "RETR work", "#0");
	client_say(second, "FOLD work", "- the mailbox is in use");
	client_expect_close(second);
	quit(first);
	server_stop(&server);
}

/* The lock dies with its holder, and with its client. */
ATF_TC_WITHOUT_HEAD(holder_dies);
ATF_TC_BODY(holder_dies, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = login(&server);
	mark_first(fd);
	ATF_REQUIRE(kill(children_pid(&server, "postern-store", 0),
	    SIGKILL) == 0);
	client_expect_line(fd, "- ");
	client_expect_close(fd);
	fd = login(&server);
	mark_first(fd);
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	asked_for_whole(fd, "RDEL inbox");
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	must_be_whole(&server);
	quit(login(&server));
	server_stop(&server);
}

/*
 * A client that comes back at once is not told that it is in its own way:
 * the store of its last session may need a moment to go.
 */
ATF_TC_WITHOUT_HEAD(comes_back_at_once);
ATF_TC_BODY(comes_back_at_once, tc)
{
	struct server server;
	pid_t store;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	asked_for_whole(fd, "RETR inbox");
	store = children_pid(&server, "postern-store", 0);
	ATF_REQUIRE(kill(store, SIGSTOP) == 0);
	client_send(fd, "RCVD\r\n");
	(void)close(fd);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+ POP2 ");
	client_send(fd, "HELO " FRED " " FRED_PASSWORD "\r\n");
	pause_ms(300);
	ATF_REQUIRE(kill(store, SIGCONT) == 0);
	client_expect_line(fd, "#2 ");
	quit(fd);
	server_stop(&server);
}

/* Who waits for a lock on behalf of nobody stops waiting. */
ATF_TC_WITHOUT_HEAD(client_vanishes_waiting);
ATF_TC_BODY(client_vanishes_waiting, tc)
{
	struct server server;
	struct holder holder;
	double began;
	int fd, at_once;

	(void)tc;
	start(&server, "lock-timeout 60\n");
	holder = holder_begin(&server, F_WRLCK);
	/* Before the grant, and when the store waits for the lock. */
	for (at_once = 1; at_once >= 0; at_once--) {
		fd = client_connect(&server, 0);
		client_expect_line(fd, "+ POP2 ");
		client_send(fd, "HELO " FRED " " FRED_PASSWORD "\r\n");
		if (!at_once) {
			children_must_be(&server, "postern-store", 1);
			pause_ms(300);
		}
		(void)close(fd);
		began = now();
		if (at_once)
			pause_ms(500);
		children_must_be(&server, "postern-store", 0);
		ATF_REQUIRE(now() - began < 5);
	}
	holder_end(&holder);
	quit(login(&server));
	must_be_whole(&server);
	server_stop(&server);
}

/* The parent is told to stop while a store waits for a lock. */
ATF_TC_WITHOUT_HEAD(stopped_waiting);
ATF_TC_BODY(stopped_waiting, tc)
{
	struct server server;
	struct holder holder;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 3\n");
	fd = login(&server);
	mark_first(fd);
	holder = holder_begin(&server, F_WRLCK);
	client_send(fd, "QUIT\r\n");
	pause_ms(300);
	server_stop(&server);
	client_expect_line(fd, "- ");
	(void)close(fd);
	holder_end(&holder);
	must_be_whole(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, held_at_login);
	ATF_TP_ADD_TC(tp, not_waited_for);
	ATF_TP_ADD_TC(tp, released_in_time);
	ATF_TP_ADD_TC(tp, written_at_commit);
	ATF_TP_ADD_TC(tp, read_at_commit);
	ATF_TP_ADD_TC(tp, nothing_to_commit);
	ATF_TP_ADD_TC(tp, read_at_login);
	ATF_TP_ADD_TC(tp, free_between_commands);
	ATF_TP_ADD_TC(tp, free_while_sending);
	ATF_TP_ADD_TC(tp, one_session);
	ATF_TP_ADD_TC(tp, two_folders);
	ATF_TP_ADD_TC(tp, holder_dies);
	ATF_TP_ADD_TC(tp, comes_back_at_once);
	ATF_TP_ADD_TC(tp, client_vanishes_waiting);
	ATF_TP_ADD_TC(tp, stopped_waiting);
	return (atf_no_error());
}
