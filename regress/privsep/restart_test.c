/*
 * restart_test.c - processes that die, and the daemon's own end.
 *
 * A store's death ends its session alone; net and auth come back; SIGTERM
 * lets a message under way come to its end; nothing is deleted by any of it.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define LARGE_BYTES	(8 * 1024 * 1024)	/* more than sockets hold */
#define TREE		32
#define LIMIT_MS	10000

static const char small[] =
    "From b@example.org Sat Nov 21 23:34:00 2026\nSubject: two\n\ntwo\n";

static char *mail;		/* one large message */
static size_t mail_length;
static char *body;		/* of which this is on the wire */
static size_t body_length;

static void
make_mail(const struct server *server)
{
	static const char from[] =
	    "From a@example.org Sat Nov 21 23:33:00 2026\n";
	size_t i;

	mail_length = LARGE_BYTES;
	ATF_REQUIRE((mail = malloc(mail_length + 1)) != NULL);
	for (i = 0; i < mail_length; i++)
		mail[i] = i % 61 == 60 ? '\n' : (char)('a' + i / 61 % 26);
	memcpy(mail, from, strlen(from));
	memcpy(mail + strlen(from), "Subject: large\n\n", 16);
	mail[mail_length - 1] = '\n';
	mail[mail_length] = '\0';
	body = wire_form(mail + strlen(from), mail_length - strlen(from),
	    &body_length);
	mailbox_write(server, FRED, mail, mail_length);
	mailbox_write(server, ANN, small, strlen(small));
}

static void
nothing_deleted(const struct server *server)
{
	mailbox_must_be(server, FRED, mail, mail_length);
	mailbox_must_be(server, ANN, small, strlen(small));
}

static void
quit(int fd)
{
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
}

/* A new client can log in, read and leave. */
static void
must_serve(const struct server *server)
{
	int fd = pop2_login(server, 0, ANN, ANN_QUOTED, "#1");

	client_say(fd, "READ", "=");
	quit(fd);
}

/* The store that is there besides `known`. */
static pid_t
store_besides(const struct server *server, pid_t known)
{
	pid_t pid = -1;
	int i, count = children_count(server, "postern-store");

	for (i = 0; i < count && (pid == -1 || pid == known); i++)
		pid = children_pid(server, "postern-store", i);
	ATF_REQUIRE(pid != -1 && pid != known);
	return (pid);
}

/* Asks for the large message and reads its first octets. */
static int
begin_retr(const struct server *server, size_t peeked)
{
	char line[100];
	int fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#1");

	client_send(fd, "READ\r\n");
	client_line(fd, line, sizeof(line));
	ATF_REQUIRE_EQ(body_length, strtoul(line + 1, NULL, 10));
	client_send(fd, "RETR\r\n");
	client_expect_bytes(fd, body, peeked);
	return (fd);
}

/* The end; the process that saw it first may have said why. */
static void
must_end(int fd)
{
	char text[600];
	size_t have = 0;
	ssize_t got;

	while (have < sizeof(text) &&
	    (got = recv(fd, text + have, sizeof(text) - have, 0)) > 0)
		have += (size_t)got;
	ATF_CHECK_MSG(have == 0 || (have > 4 && text[0] == '-' &&
	    text[have - 1] == '\n' && memchr(text, '\n', have - 1) == NULL),
	    "at the end there came \"%.*s\"", (int)have, text);
	client_expect_close(fd);
}

/*
 * What still comes, up to the end; it must be the message's, from `from`
 * on, as far as it goes.  Returns how many octets of it came; what follows
 * the message is stored in `rest`.
 */
static size_t
read_to_end(int fd, size_t from, char *rest, size_t size)
{
	static char octets[65536];
	size_t have = 0, i;
	ssize_t got;

	while ((got = recv(fd, octets, sizeof(octets), 0)) > 0)
		for (i = 0; i < (size_t)got; i++) {
			if (from < body_length) {
				ATF_REQUIRE_MSG(octets[i] == body[from],
				    "octet %zu is wrong", from);
				from++;
			} else if (have + 1 < size)
				rest[have++] = octets[i];
		}
	ATF_REQUIRE_MSG(got == 0 || errno == ECONNRESET, "recv: %s",
	    strerror(errno));
	rest[have] = '\0';
	(void)close(fd);
	return (from);
}

ATF_TC_WITHOUT_HEAD(store_killed);
ATF_TC_BODY(store_killed, tc)
{
	struct server server;
	pid_t store, other;
	int fred, ann;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	fred = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	store = children_pid(&server, "postern-store", 0);
	ann = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	other = store_besides(&server, store);
	client_say(ann, "READ", "=21 ");
	ATF_REQUIRE(kill(store, SIGKILL) == 0);
	client_expect_line(fred, "- ");
	client_expect_close(fred);
	log_must_have(&server, "process=store");
	log_must_have(&server, "signal=9");
	/* ann's goes on, in the middle of it; so does everything else. */
	client_send(ann, "RETR\r\n");
	client_expect(ann, "Subject: two\r\n\r\ntwo\r\n");
	client_say(ann, "ACKS", "=0");
	ATF_CHECK(process_runs(other));
	/* fred's mailbox is free at once. */
	fred = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	quit(fred);
	quit(ann);
	nothing_deleted(&server);
	server_stop(&server);
}

/* Killed while it sends: the data is cut, and no reply is put into it. */
ATF_TC_WITHOUT_HEAD(store_killed_sending);
ATF_TC_BODY(store_killed_sending, tc)
{
	struct server server;
	char rest[600];
	size_t came;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	fd = begin_retr(&server, 5000);
	ATF_REQUIRE(kill(children_pid(&server, "postern-store", 0),
	    SIGKILL) == 0);
	came = read_to_end(fd, 5000, rest, sizeof(rest));
	ATF_CHECK_MSG(came < body_length, "all of it came");
	ATF_CHECK_STREQ("", rest);
	must_serve(&server);
	nothing_deleted(&server);
	server_stop(&server);
}

/*
 * Killed while all that it was asked for waits in net for a client that does
 * not read.  What is there still goes out, but not for as long as a session
 * may last: its place among its user's sessions is free.
 */
ATF_TC_WITHOUT_HEAD(store_killed_unread);
ATF_TC_BODY(store_killed_unread, tc)
{
	struct server server;
	static char mailbox[20000];
	int fd, i, window = 4096;

	(void)tc;
	server_start(&server, "listen pop3 127.0.0.1 port 0\n"
	    "login-timeout 3\n");
	memset(mailbox, 'x', sizeof(mailbox));
	memcpy(mailbox, small, strlen(small) - 1);
	memcpy(mailbox + sizeof(mailbox) - 2, "\n\n", 2);
	mailbox_write(&server, FRED, mailbox, sizeof(mailbox));
	fd = client_connect(&server, 0);
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window,
	    sizeof(window)) == 0);
	client_expect_line(fd, "+OK");
	client_say(fd, "USER " FRED, "+OK");
	client_say(fd, "PASS " FRED_PASSWORD, "+OK");
	/* More than the kernel holds for a client. */
	for (i = 0; i < 600; i++)
		client_send(fd, "RETR 1\r\n");
	pause_ms(1500);
	ATF_REQUIRE(kill(children_pid(&server, "postern-store", 0),
	    SIGKILL) == 0);
	log_must_have(&server, "event=end");
	(void)close(fd);
	server_stop(&server);
}

/* POP1's store: its session gets "-ERR" and a close. */
ATF_TC_WITHOUT_HEAD(store_killed_pop1);
ATF_TC_BODY(store_killed_pop1, tc)
{
	struct server server;
	char line[600];
	int fd;

	(void)tc;
	server_start(&server, "listen pop1 127.0.0.1 port 0\n"
	    "listen auto 127.0.0.1 port 0\n");
	make_mail(&server);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RDEL fred", "#");
	ATF_REQUIRE(kill(children_pid(&server, "postern-store", 0),
	    SIGKILL) == 0);
	client_line(fd, line, sizeof(line));
	ATF_CHECK_MSG(line[0] == '-', "\"%s\"", line);
	client_expect_close(fd);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RETR fred", "#");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	nothing_deleted(&server);
	server_stop(&server);
}

/* Waits until another process of that name is there; how long it took. */
static int64_t
successor(const struct server *server, const char *name, pid_t old,
    pid_t *now)
{
	int64_t began = clock_ms();

	for (;;) {
		if (!process_runs(old) && children_count(server, name) == 1) {
			*now = children_pid(server, name, 0);
			return (clock_ms() - began);
		}
		ATF_REQUIRE_MSG(clock_ms() - began < LIMIT_MS,
		    "no %s comes back", name);
		pause_ms(5);
	}
}

ATF_TC_WITHOUT_HEAD(net_killed);
ATF_TC_BODY(net_killed, tc)
{
	struct server server;
	char rest[600];
	pid_t net, stores[2];
	int fred, ann;

	(void)tc;
	server_start(&server, "net-processes 1\n");
	make_mail(&server);
	fred = begin_retr(&server, 5000);
	stores[0] = children_pid(&server, "postern-store", 0);
	ann = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	stores[1] = store_besides(&server, stores[0]);
	net = children_pid(&server, "postern-net", 0);
	ATF_REQUIRE(kill(net, SIGKILL) == 0);
	client_expect_close(ann);
	ATF_CHECK(read_to_end(fred, 5000, rest, sizeof(rest)) < body_length);
	(void)process_must_go(stores[0], LIMIT_MS);
	(void)process_must_go(stores[1], LIMIT_MS);
	children_must_be(&server, "postern-store", 0);
	(void)successor(&server, "postern-net", net, &net);
	must_serve(&server);
	nothing_deleted(&server);
	server_stop(&server);
}

/* Each death in a row waits longer for its successor, and not for ever. */
static void
backs_off(const char *name)
{
	static const int64_t least[] = { 80, 180, 380 };
	struct server server;
	pid_t pid;
	int64_t took;
	size_t i;

	server_start(&server, "net-processes 1\nauth-processes 1\n");
	make_mail(&server);
	for (i = 0; i < COUNT(least); i++) {
		pid = children_pid(&server, name, 0);
		ATF_REQUIRE(kill(pid, SIGKILL) == 0);
		took = successor(&server, name, pid, &pid);
		(void)printf("%s is back after %lld ms\n", name,
		    (long long)took);
		ATF_CHECK_MSG(took >= least[i] && took < 10 * least[i] + 4000,
		    "death %zu: %s is back after %lld ms", i + 1, name,
		    (long long)took);
		must_serve(&server);
	}
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(net_backs_off);
ATF_TC_BODY(net_backs_off, tc)
{
	(void)tc;
	backs_off("postern-net");
}

ATF_TC_WITHOUT_HEAD(auth_backs_off);
ATF_TC_BODY(auth_backs_off, tc)
{
	(void)tc;
	backs_off("postern-auth");
}

static void
signal_auths(const struct server *server, int number)
{
	pid_t pids[TREE];
	int i, count = children_count(server, "postern-auth");

	ATF_REQUIRE(count > 0 && count < TREE);
	for (i = 0; i < count; i++)
		pids[i] = children_pid(server, "postern-auth", i);
	for (i = 0; i < count; i++)
		ATF_REQUIRE(kill(pids[i], number) == 0);
}

ATF_TC_WITHOUT_HEAD(auth_killed);
ATF_TC_BODY(auth_killed, tc)
{
	struct server server;
	char line[600];
	int pop2, pop1, open;

	(void)tc;
	server_start(&server, "auth-processes 2\n");
	make_mail(&server);
	open = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	pop2 = client_connect(&server, 0);
	client_expect_line(pop2, "+ POP2");
	pop1 = client_connect(&server, 0);
	client_expect_line(pop1, "+ POP2");
	client_say(pop1, "USER fred", "+OK");
	signal_auths(&server, SIGSTOP);
	client_send(pop2, "HELO fred secret\r\n");
	client_send(pop1, "PASS secret\r\n");
	pause_ms(200);
	signal_auths(&server, SIGKILL);
	client_expect_line(pop2, "- ");
	client_expect_close(pop2);
	client_line(pop1, line, sizeof(line));
	ATF_CHECK_MSG(line[0] == '-', "\"%s\"", line);
	client_expect_close(pop1);
	children_must_be(&server, "postern-auth", 2);
	/* Sessions that are logged in need no authenticator. */
	client_say(open, "READ", "=21 ");
	quit(open);
	must_serve(&server);
	/* And the logins that were given up have left no session. */
	children_must_be(&server, "postern-store", 0);
	must_serve(&server);
	nothing_deleted(&server);
	server_stop(&server);
}

/* The whole tree, to see that it goes. */
struct tree {
	pid_t pids[TREE];
	size_t count;
};

static void
note_tree(const struct server *server, struct tree *tree)
{
	tree->count = processes_of(server, tree->pids, TREE);
	ATF_REQUIRE(tree->count >= 4);
}

/* Every process but posternd, which is collected by its starter: here. */
static void
children_must_go(const struct tree *tree)
{
	size_t i;

	for (i = 1; i < tree->count; i++)
		(void)process_must_go(tree->pids[i], LIMIT_MS);
}

static void
must_exit(struct server *server, const struct tree *tree)
{
	int64_t began = clock_ms();
	int status;
	pid_t got;

	while ((got = waitpid(server->pid, &status, WNOHANG)) == 0) {
		ATF_REQUIRE_MSG(clock_ms() - began < LIMIT_MS,
		    "the daemon does not end");
		pause_ms(10);
	}
	ATF_REQUIRE(got == server->pid);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the daemon ended with %#x:\n%s", (unsigned int)status,
	    file_read(server->log, NULL));
	ATF_CHECK_MSG(!log_has(server, "event=exit"),
	    "a child did not end well:\n%s", file_read(server->log, NULL));
	children_must_go(tree);
	server->pid = 0;
}

ATF_TC_WITHOUT_HEAD(stop_idle);
ATF_TC_BODY(stop_idle, tc)
{
	struct server server;
	struct tree tree;
	int stranger, pop2, pop1;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	stranger = client_connect(&server, 0);
	client_expect_line(stranger, "+ POP2");
	/* Marked, and not asked for: it stays. */
	pop2 = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	client_say(pop2, "READ", "=21 ");
	client_send(pop2, "RETR\r\n");
	client_expect(pop2, "Subject: two\r\n\r\ntwo\r\n");
	client_say(pop2, "ACKD", "=0");
	pop1 = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(pop1, "RDEL fred", "#");
	note_tree(&server, &tree);
	ATF_REQUIRE(kill(server.pid, SIGTERM) == 0);
	client_expect_line(stranger, "- ");
	client_expect_close(stranger);
	client_expect_line(pop2, "- ");
	client_expect_close(pop2);
	client_expect_line(pop1, "-ERR ");
	client_expect_close(pop1);
	must_exit(&server, &tree);
	nothing_deleted(&server);
}

/* In the middle of a message: all of it comes, then the end is told. */
ATF_TC_WITHOUT_HEAD(stop_sending);
ATF_TC_BODY(stop_sending, tc)
{
	struct server server;
	struct tree tree;
	char rest[600];
	int fd;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	fd = begin_retr(&server, 5000);
	note_tree(&server, &tree);
	ATF_REQUIRE(kill(server.pid, SIGTERM) == 0);
	/* A slow reader: the stop has long been told to everybody. */
	pause_ms(500);
	ATF_CHECK(process_runs(server.pid));
	client_expect_bytes(fd, body + 5000, 100000);
	pause_ms(200);
	ATF_CHECK_EQ(body_length, read_to_end(fd, 105000, rest,
	    sizeof(rest)));
	ATF_CHECK_MSG(strncmp(rest, "- ", 2) == 0, "after the message: "
	    "\"%s\"", rest);
	must_exit(&server, &tree);
	nothing_deleted(&server);
}

/* A delete that was asked for is done, or not at all; the reply is true. */
ATF_TC_WITHOUT_HEAD(stop_committing);
ATF_TC_BODY(stop_committing, tc)
{
	struct server server;
	struct tree tree;
	char line[600];
	int fd;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	fd = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	client_say(fd, "READ", "=21 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: two\r\n\r\ntwo\r\n");
	client_say(fd, "ACKD", "=0");
	note_tree(&server, &tree);
	client_send(fd, "QUIT\r\n");
	ATF_REQUIRE(kill(server.pid, SIGTERM) == 0);
	client_line(fd, line, sizeof(line));
	client_expect_close(fd);
	must_exit(&server, &tree);
	if (strncmp(line, "+ ", 2) == 0)
		mailbox_must_be(&server, ANN, "", 0);
	else
		mailbox_must_be(&server, ANN, small, strlen(small));
	mailbox_must_be(&server, FRED, mail, mail_length);
}

/* A login that is being checked: the client is told, and nothing stays. */
ATF_TC_WITHOUT_HEAD(stop_during_login);
ATF_TC_BODY(stop_during_login, tc)
{
	struct server server;
	struct tree tree;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+ POP2");
	signal_auths(&server, SIGSTOP);
	client_send(fd, "HELO fred secret\r\n");
	pause_ms(100);
	note_tree(&server, &tree);
	ATF_REQUIRE(kill(server.pid, SIGTERM) == 0);
	pause_ms(100);
	signal_auths(&server, SIGCONT);
	client_expect_line(fd, "- ");
	client_expect_close(fd);
	must_exit(&server, &tree);
	nothing_deleted(&server);
}

/* Without a parent there is no service: every child goes by itself. */
ATF_TC_WITHOUT_HEAD(parent_killed);
ATF_TC_BODY(parent_killed, tc)
{
	struct server server;
	struct tree tree;
	char rest[600];
	int fred, ann, stranger, status;

	(void)tc;
	server_start(&server, NULL);
	make_mail(&server);
	stranger = client_connect(&server, 0);
	client_expect_line(stranger, "+ POP2");
	fred = begin_retr(&server, 5000);
	ann = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	note_tree(&server, &tree);
	ATF_REQUIRE(kill(server.pid, SIGKILL) == 0);
	ATF_REQUIRE(waitpid(server.pid, &status, 0) == server.pid);
	server.pid = 0;
	children_must_go(&tree);
	must_end(stranger);
	must_end(ann);
	(void)read_to_end(fred, 5000, rest, sizeof(rest));
	nothing_deleted(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, store_killed);
	ATF_TP_ADD_TC(tp, store_killed_sending);
	ATF_TP_ADD_TC(tp, store_killed_unread);
	ATF_TP_ADD_TC(tp, store_killed_pop1);
	ATF_TP_ADD_TC(tp, net_killed);
	ATF_TP_ADD_TC(tp, net_backs_off);
	ATF_TP_ADD_TC(tp, auth_killed);
	ATF_TP_ADD_TC(tp, auth_backs_off);
	ATF_TP_ADD_TC(tp, stop_idle);
	ATF_TP_ADD_TC(tp, stop_sending);
	ATF_TP_ADD_TC(tp, stop_committing);
	ATF_TP_ADD_TC(tp, stop_during_login);
	ATF_TP_ADD_TC(tp, parent_killed);
	return (atf_no_error());
}
