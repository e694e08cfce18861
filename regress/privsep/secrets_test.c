/*
 * secrets_test.c - after a login its password is in no process's memory, nor a
 * line with a hash.
 *
 * Root alone can read that memory: its processes may not be dumped.  The
 * searcher is itself tried on what is known to be there.
 */
#include <sys/socket.h>

#include <atf-c.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "memory.h"
#include "processes.h"
#include "tls_client.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define TREE		32	/* processes, at the most */

/* So many octets of a secret in a row are no chance. */
#define WINDOW		8

#define OLGA		"olga"
#define LAST		"lasse"
#define PASSWORD	"zQ7-hV2k pW9\\xR4m+J6tY8bN3c_L5dF1gS0aE"
#define QUOTED		"zQ7-hV2k\\ pW9\\\\xR4m+J6tY8bN3c_L5dF1gS0aE"
#define WRONG		"uK3:wB8x eD2\\oI7n=C4vM9qZ1r?T6yH0jP5lG"
#define WRONG_QUOTED	"uK3:wB8x\\ eD2\\\\oI7n=C4vM9qZ1r?T6yH0jP5lG"
/* In base64; "\0olga\0" goes before them, and is whole groups. */
#define PLAIN_OLGA	"AG9sZ2EA"
#define PASSWORD_64	"elE3LWhWMmsgcFc5XHhSNG0rSjZ0WThiTjNjX0w1ZEYxZ1MwYUU="
#define WRONG_64	"dUszOndCOHggZUQyXG9JN249QzR2TTlxWjFyP1Q2eUgwalA1bEc="

static const char mail[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\nSubject: one\n\nfirst\n";

/* Is a part of the secret in these octets? */
static int
holds_part(const unsigned char *octets, size_t length, const void *sought)
{
	const char *secret = sought;
	size_t i, windows = strlen(secret) - WINDOW + 1;

	for (i = 0; i < windows; i++)
		if (memmem(octets, length, secret + i, WINDOW) != NULL)
			return (1);
	return (0);
}

/* Is a part of the secret anywhere in the process?  `where` says it. */
static int
search(pid_t pid, const char *secret, char *where, size_t size)
{
	return (memory_search(pid, WINDOW, holds_part, secret, where, size));
}

static void
nobody_has(const struct server *server, const char *secret,
    const char *when)
{
	char where[600], exe[600];
	pid_t pids[TREE];
	size_t i, count = processes_of(server, pids, TREE);

	for (i = 0; i < count; i++) {
		if (!search(pids[i], secret, where, sizeof(where)))
			continue;
		process_link(pids[i], "exe", exe, sizeof(exe));
		atf_tc_fail_nonfatal("%s: %s has the secret in %s", when,
		    exe, where);
	}
}

/* What must be found: else nothing that is not found means anything. */
static void
searcher_works(const struct server *server)
{
	static const char present[] = PASSWORD;
	char where[600];
	pid_t net = children_pid(server, "postern-net", 0);
	pid_t auth = children_pid(server, "postern-auth", 0);

	ATF_REQUIRE(search(getpid(), present, where, sizeof(where)));
	ATF_REQUIRE(search(server->pid, server->directory, where,
	    sizeof(where)));
	ATF_REQUIRE(search(net, "post.example.org", where, sizeof(where)));
	ATF_REQUIRE(search(auth, server->directory, where, sizeof(where)));
}

static void
prepare(struct server *server, const char *extra)
{
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitizer keeps copies of memory");
#endif
	server_prepare(server, extra);
}

static void
start(struct server *server)
{
	server_run(server);
	mailbox_write(server, OLGA, mail, strlen(mail));
	searcher_works(server);
}

static void
begin(struct server *server)
{
	prepare(server, "net-processes 2\nauth-processes 2\n"
	    "listen auto 127.0.0.1 port 0\nlisten pop1 127.0.0.1 port 0\n"
	    "listen pop3 127.0.0.1 port 0\n");
	server_add_user(server, OLGA, PASSWORD, 5003);
	start(server);
}

#define ROOT_CASE(name)							\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "require.user", "root");			\
}									\
ATF_TC_BODY(name, tc)

ROOT_CASE(pop2_right)
{
	struct server server;
	char where[600];
	int fd;

	(void)tc;
	begin(&server);
	fd = pop2_login(&server, 0, OLGA, QUOTED, "#1");
	nobody_has(&server, PASSWORD, "after the reply to HELO");
	/* The store is searched as well: its user's name is there. */
	ATF_REQUIRE(search(children_pid(&server, "postern-store", 0),
	    "5003.olga", where, sizeof(where)));
	client_say(fd, "READ", "=");
	nobody_has(&server, PASSWORD, "after READ");
	client_say(fd, "QUIT", "+");
	nobody_has(&server, PASSWORD, "after QUIT");
	client_expect_close(fd);
	children_must_be(&server, "postern-store", 0);
	nobody_has(&server, PASSWORD, "after the session");
	server_stop(&server);
}

ROOT_CASE(pop2_wrong)
{
	struct server server;
	int fd;

	(void)tc;
	begin(&server);
	fd = pop2_login(&server, 0, OLGA, WRONG_QUOTED, "- ");
	nobody_has(&server, WRONG, "after the refusal");
	client_expect_close(fd);
	fd = pop2_login(&server, 0, "nobody-here", WRONG_QUOTED, "- ");
	nobody_has(&server, WRONG, "after an unknown user's refusal");
	client_expect_close(fd);
	nobody_has(&server, WRONG, "after the sessions");
	server_stop(&server);
}

static int
pop1_user(const struct server *server, int port)
{
	int fd = client_connect(server, port);

	client_expect_line(fd, "+");
	client_say(fd, "USER " OLGA, "+OK");
	return (fd);
}

ROOT_CASE(pop1_right)
{
	struct server server;
	int fd, port;

	(void)tc;
	begin(&server);
	for (port = 0; port < 2; port++) {
		fd = pop1_user(&server, port);
		client_say(fd, "PASS " PASSWORD, "+OK");
		nobody_has(&server, PASSWORD, "after the reply to PASS");
		client_say(fd, "RETR " OLGA, "#");
		nobody_has(&server, PASSWORD, "after RETR");
		client_say(fd, "QUIT", "+OK");
		client_expect_close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	nobody_has(&server, PASSWORD, "after the sessions");
	server_stop(&server);
}

ROOT_CASE(pop1_wrong)
{
	struct server server;
	int fd;

	(void)tc;
	begin(&server);
	fd = pop1_user(&server, 1);
	client_say(fd, "PASS " WRONG, "-ERR");
	nobody_has(&server, WRONG, "after the refusal");
	/* The same connection again, now with the right one. */
	client_say(fd, "USER " OLGA, "+OK");
	client_say(fd, "PASS " PASSWORD, "+OK");
	nobody_has(&server, WRONG, "after the next login");
	nobody_has(&server, PASSWORD, "after the next login");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	server_stop(&server);
}

/* As it is, and as AUTH PLAIN's base64, of which the decoder leaves an end. */
static void
nobody_has_either(const struct server *server, const char *secret,
    const char *encoded, const char *when)
{
	nobody_has(server, secret, when);
	nobody_has(server, encoded, when);
}

/* By USER and PASS, by AUTH PLAIN at once, by AUTH PLAIN when asked. */
static const struct {
	const char *first, *reply, *right, *wrong;
} pop3_ways[] = {
	{ "USER " OLGA, "+OK", "PASS " PASSWORD, "PASS " WRONG },
	{ "LANG en", "+OK", "AUTH PLAIN " PLAIN_OLGA PASSWORD_64,
	    "AUTH PLAIN " PLAIN_OLGA WRONG_64 },
	{ "AUTH PLAIN", "+", PLAIN_OLGA PASSWORD_64, PLAIN_OLGA WRONG_64 },
};

static int
pop3_begin(const struct server *server, size_t way)
{
	int fd = client_connect(server, 2);

	client_expect_line(fd, "+OK Postern");
	client_say(fd, pop3_ways[way].first, pop3_ways[way].reply);
	return (fd);
}

ROOT_CASE(pop3_right)
{
	struct server server;
	size_t way;
	int fd;

	(void)tc;
	begin(&server);
	for (way = 0; way < COUNT(pop3_ways); way++) {
		fd = pop3_begin(&server, way);
		client_say(fd, pop3_ways[way].right, "+OK 1 message");
		nobody_has_either(&server, PASSWORD, PASSWORD_64,
		    pop3_ways[way].right);
		client_say(fd, "QUIT", "+OK");
		client_expect_close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	nobody_has_either(&server, PASSWORD, PASSWORD_64,
	    "after the sessions");
	server_stop(&server);
}

/* All at once: a refusal is told in a while. */
ROOT_CASE(pop3_wrong)
{
	struct server server;
	int fds[COUNT(pop3_ways)];
	size_t way;

	(void)tc;
	begin(&server);
	for (way = 0; way < COUNT(pop3_ways); way++) {
		fds[way] = pop3_begin(&server, way);
		client_send(fds[way], pop3_ways[way].wrong);
		client_send(fds[way], "\r\n");
	}
	for (way = 0; way < COUNT(pop3_ways); way++)
		client_expect_line(fds[way], "-ERR [AUTH] login refused");
	nobody_has_either(&server, WRONG, WRONG_64, "after the refusals");
	/* What is no user and password is refused at once. */
	client_say(fds[1], "AUTH PLAIN " WRONG_64, "-ERR");
	client_say(fds[1], "AUTH PLAIN " PLAIN_OLGA WRONG_64 "*", "-ERR");
	nobody_has_either(&server, WRONG, WRONG_64, "after what is no login");
	for (way = 0; way < COUNT(pop3_ways); way++)
		(void)close(fds[way]);
	server_stop(&server);
}

/*
 * A client that says its password behind QUIT, and one that says it when it
 * has its answer; both stay, so that their sessions linger.
 */
ROOT_CASE(behind_quit)
{
	struct server server;
	int fds[2], port;

	(void)tc;
	begin(&server);
	for (port = 1; port <= 2; port++) {
		fds[0] = client_connect(&server, port);
		client_expect_line(fds[0], "+OK");
		client_send(fds[0], "QUIT\r\nPASS " WRONG "\r\n");
		client_expect_line(fds[0], "+OK");
		fds[1] = client_connect(&server, port);
		client_expect_line(fds[1], "+OK");
		client_say(fds[1], "QUIT", "+OK");
		nobody_has(&server, WRONG, "behind QUIT");
		client_send(fds[1], "PASS " WRONG "\r\n");
		pause_ms(200);
		nobody_has(&server, WRONG, "after the answer to QUIT");
		client_expect_close(fds[0]);
		client_expect_close(fds[1]);
	}
	server_stop(&server);
}

/* Net has handed it on, and nobody has taken it: the kernel alone has it. */
ROOT_CASE(handed_on)
{
	struct server server;
	char where[600];
	int fds[2], i;
	pid_t net, auths[2];

	(void)tc;
	prepare(&server, "net-processes 1\nauth-processes 2\n"
	    "listen pop2 127.0.0.1 port 0\nlisten pop1 127.0.0.1 port 0\n");
	server_add_user(&server, OLGA, PASSWORD, 5003);
	start(&server);
	net = children_pid(&server, "postern-net", 0);
	for (i = 0; i < 2; i++) {
		auths[i] = children_pid(&server, "postern-auth", i);
		ATF_REQUIRE(kill(auths[i], SIGSTOP) == 0);
	}
	fds[0] = client_connect(&server, 0);
	client_expect_line(fds[0], "+");
	client_send(fds[0], "HELO olga " QUOTED "\r\n");
	/* It came before these, so net has read it. */
	fds[1] = client_connect(&server, 1);
	client_expect_line(fds[1], "+OK");
	pause_ms(100);
	client_say(fds[1], "NOOP", "+OK");
	client_say(fds[1], "NOOP", "+OK");
	ATF_CHECK_MSG(!search(net, PASSWORD, where, sizeof(where)),
	    "net has the secret in %s", where);
	for (i = 0; i < 2; i++)
		ATF_REQUIRE(kill(auths[i], SIGCONT) == 0);
	client_expect_line(fds[0], "#1");
	nobody_has(&server, PASSWORD, "after the reply to HELO");
	client_say(fds[0], "QUIT", "+");
	client_expect_close(fds[0]);
	(void)close(fds[1]);
	server_stop(&server);
}

/* The password is one with a name; and one that is for another protocol. */
ROOT_CASE(named)
{
	struct server server;
	int fd;

	(void)tc;
	prepare(&server, "auth-processes 1\n");
	server_add_user(&server, OLGA, "short", 5003);
	server_add_named(&server, OLGA "/other", "other", ":");
	server_add_named(&server, OLGA "/old", PASSWORD, "pop2:");
	start(&server);
	fd = pop2_login(&server, 0, OLGA, QUOTED, "#1");
	log_must_have(&server, "password=old");
	nobody_has(&server, PASSWORD, "after the reply to HELO");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	fd = pop1_user(&server, 0);
	client_say(fd, "PASS " PASSWORD, "-ERR");
	nobody_has(&server, PASSWORD, "after a refusal");
	(void)close(fd);
	server_stop(&server);
}

/* The end of a hash in the passwd file, which no other one has. */
static void
hash_end(const struct server *server, const char *name, char *to, size_t size)
{
	char path[600], *file, *line;

	(void)snprintf(path, sizeof(path), "%s/passwd", server->directory);
	file = file_read(path, NULL);
	line = strstr(file, name);
	ATF_REQUIRE(line != NULL && strsep(&line, ":") != NULL &&
	    (line = strsep(&line, ":")) != NULL && strlen(line) > 2 * size);
	(void)strlcpy(to, line + strlen(line) - (size - 1), size);
	free(file);
}

/*
 * Of the file's hashes none stays either, as it is written there: the user's
 * own, others', those of passwords with names.
 */
ROOT_CASE(hashes)
{
	static const char *const names[] = { OLGA ":", FRED ":",
	    OLGA "/old:", OLGA "/far:", LAST ":" };
	struct server server;
	char ends[COUNT(names)][33];
	size_t i;
	int fd, tries;

	(void)tc;
	prepare(&server, "auth-processes 1\n");
	server_add_user(&server, OLGA, "short", 5003);
	server_add_named(&server, OLGA "/old", PASSWORD, "pop2:");
	server_add_named(&server, OLGA "/far", PASSWORD, ":192.0.2.0/24");
	server_add_user(&server, LAST, PASSWORD, 5004);
	start(&server);
	for (i = 0; i < COUNT(names); i++)
		hash_end(&server, names[i], ends[i], sizeof(ends[i]));
	for (tries = 0; tries < 3; tries++) {
		fd = pop2_login(&server, 0, tries < 2 ? OLGA : "nobody-here",
		    tries == 0 ? QUOTED : WRONG_QUOTED, tries == 0 ? "#1" :
		    "- ");
		for (i = 0; i < COUNT(names); i++)
			nobody_has(&server, ends[i], names[i]);
		if (tries == 0)
			client_say(fd, "QUIT", "+");
		client_expect_close(fd);
	}
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
}

/* Commands behind the login in one segment; passwords out of place. */
ROOT_CASE(odd_lines)
{
	static const struct {
		const char *sent;
		const char *reply;
		const char *password;
		unsigned int errors;	/* that are told behind the reply */
	} lines[] = {
		{ "HELO olga " QUOTED "\r\nREAD 1\r\nNACK\r\n", "#1",
		    PASSWORD, 0 },
		{ "PASS " WRONG "\r\n", "-", WRONG, 0 },
		{ "HELO olga " WRONG " more\r\n", "-", WRONG, 0 },
		{ "HELO " WRONG_QUOTED "\r\n", "-", WRONG, 0 },
		{ "LOGIN olga " WRONG "\r\n", "-", WRONG, 0 },
		{ "USER olga\r\nPASS " WRONG "\r\nPASS " WRONG "\r\n", "+OK",
		    WRONG, 2 },
		{ "USER olga\r\nHELO olga " WRONG_QUOTED "\r\n", "+OK",
		    WRONG, 1 },
	};
	struct server server;
	unsigned int error;
	size_t i;
	int fd;

	(void)tc;
	begin(&server);
	for (i = 0; i < COUNT(lines); i++) {
		fd = client_connect(&server, 0);
		client_expect_line(fd, "+");
		client_send(fd, lines[i].sent);
		client_expect_line(fd, lines[i].reply);
		/* What stands behind a refused login waits until it is told. */
		for (error = 0; error < lines[i].errors; error++)
			client_expect_line(fd, "-ERR");
		/* Every reply: the last line was read, too. */
		pause_ms(200);
		nobody_has(&server, lines[i].password, lines[i].sent);
		(void)close(fd);
	}
	children_must_be(&server, "postern-store", 0);
	nobody_has(&server, PASSWORD, "after all");
	nobody_has(&server, WRONG, "after all");
	server_stop(&server);
}

/* A client that goes before its line is whole, or before the answer. */
ROOT_CASE(client_gone)
{
	static const struct linger reset = { 1, 0 };
	struct server server;
	char where[600];
	int fd;

	(void)tc;
	begin(&server);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+");
	client_send(fd, "HELO olga " QUOTED);
	pause_ms(100);
	/* An unfinished line is in net: it cannot be anywhere else. */
	ATF_REQUIRE(search(children_pid(&server, "postern-net", 0), PASSWORD,
	    where, sizeof(where)) ||
	    search(children_pid(&server, "postern-net", 1), PASSWORD, where,
	    sizeof(where)));
	(void)close(fd);
	pause_ms(200);
	nobody_has(&server, PASSWORD, "after an unfinished line");
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+");
	client_send(fd, "HELO olga " QUOTED);
	pause_ms(100);
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
	    sizeof(reset)) == 0);
	(void)close(fd);
	pause_ms(200);
	nobody_has(&server, PASSWORD, "after one that was reset");
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+");
	client_send(fd, "HELO olga " QUOTED "\r\n");
	(void)close(fd);
	pause_ms(200);
	children_must_be(&server, "postern-store", 0);
	nobody_has(&server, PASSWORD, "after a login nobody waited for");
	server_stop(&server);
}

/* Many at once: some wait in net for an authenticator. */
ROOT_CASE(many_logins)
{
	struct server server;
	int fds[80], i;

	(void)tc;
	begin(&server);
	for (i = 0; i < (int)COUNT(fds); i++) {
		fds[i] = client_connect(&server, 0);
		client_expect_line(fds[i], "+");
	}
	for (i = 0; i < (int)COUNT(fds); i++)
		client_send(fds[i], i % 2 == 0 ?
		    "HELO olga " WRONG_QUOTED "\r\n" :
		    "HELO nobody-here " WRONG_QUOTED "\r\n");
	for (i = 0; i < (int)COUNT(fds); i++) {
		client_expect_line(fds[i], "- ");
		client_expect_close(fds[i]);
	}
	nobody_has(&server, WRONG, "after many logins");
	server_stop(&server);
}

/* The same by TLS: the library has had them in its buffers. */
ATF_TC(by_tls);
ATF_TC_HEAD(by_tls, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(by_tls, tc)
{
	static const char *const versions[] = { TLS_12, TLS_13,
	    TLS_13 ":-CIPHER-ALL:+CHACHA20-POLY1305",
	    TLS_13 ":-CIPHER-ALL:+AES-128-GCM" };
	struct server server;
	struct tls_client client;
	char text[2000];
	size_t i;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	(void)snprintf(text, sizeof(text), "net-processes 2\n"
	    "auth-processes 2\nlisten pop2 127.0.0.1 port 0 tls\n%s",
	    pair_line("one"));
	prepare(&server, text);
	server_add_user(&server, OLGA, PASSWORD, 5003);
	start(&server);
	for (i = 0; i < COUNT(versions); i++) {
		tls_connect(&client, &server, 0, versions[i], NULL);
		tls_expect_line(&client, "+ POP2");
		tls_say(&client, "HELO olga " WRONG_QUOTED, "- ");
		nobody_has(&server, WRONG, "after the refusal");
		tls_expect_close(&client);
		tls_connect(&client, &server, 0, versions[i], NULL);
		tls_expect_line(&client, "+ POP2");
		tls_say(&client, "HELO olga " QUOTED, "#1");
		nobody_has(&server, PASSWORD, "after the reply to HELO");
		tls_say(&client, "READ", "=");
		nobody_has(&server, PASSWORD, "after READ");
		tls_say(&client, "QUIT", "+");
		tls_expect_close(&client);
		children_must_be(&server, "postern-store", 0);
		nobody_has(&server, PASSWORD, "after the session");
		/* A client that goes before its line is whole. */
		tls_connect(&client, &server, 0, versions[i], NULL);
		tls_expect_line(&client, "+ POP2");
		tls_send(&client, "HELO olga " QUOTED);
		tls_end(&client);
		pause_ms(200);
		nobody_has(&server, PASSWORD, "after an unfinished line");
	}
	server_stop(&server);
}

/*
 * A record of TLS with more in it than net has room for: its beginning is
 * read while its end is not.  The password stands at its beginning (what is
 * behind it waits until the refusal is told), then at its end (which nobody
 * ever reads).
 */
static void
fill(char *text, size_t size, const char *start, const char *end)
{
	memset(text, 'x', size);
	memcpy(text, start, strlen(start));
	memcpy(text + size - strlen(end) - 1, end, strlen(end) + 1);
}

ATF_TC(by_long_records);
ATF_TC_HEAD(by_long_records, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(by_long_records, tc)
{
	struct server server;
	struct tls_client client;
	char text[2000], record[8192];

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	(void)snprintf(text, sizeof(text), "net-processes 1\n"
	    "auth-processes 2\nlisten pop2 127.0.0.1 port 0 tls\n%s",
	    pair_line("one"));
	prepare(&server, text);
	server_add_user(&server, OLGA, PASSWORD, 5003);
	start(&server);
	tls_connect(&client, &server, 0, TLS_13, NULL);
	tls_expect_line(&client, "+ POP2");
	fill(record, sizeof(record), "HELO olga " WRONG_QUOTED "\r\n",
	    "\r\n");
	tls_send(&client, record);
	/* Refused, which is not told yet: what is behind it waits. */
	log_must_have(&server, "event=login-refused");
	nobody_has(&server, WRONG, "before the end of a record");
	tls_expect_line(&client, "- login refused");
	tls_expect_close(&client);
	tls_connect(&client, &server, 0, TLS_13, NULL);
	tls_expect_line(&client, "+ POP2");
	fill(record, sizeof(record), "", "HELO olga " WRONG_QUOTED "\r\n");
	tls_send(&client, record);
	tls_expect_line(&client, "- the line is longer");
	tls_expect_close(&client);
	nobody_has(&server, WRONG, "after a record that was not read");
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, by_tls);
	ATF_TP_ADD_TC(tp, pop2_right);
	ATF_TP_ADD_TC(tp, pop2_wrong);
	ATF_TP_ADD_TC(tp, pop1_right);
	ATF_TP_ADD_TC(tp, pop1_wrong);
	ATF_TP_ADD_TC(tp, pop3_right);
	ATF_TP_ADD_TC(tp, pop3_wrong);
	ATF_TP_ADD_TC(tp, behind_quit);
	ATF_TP_ADD_TC(tp, handed_on);
	ATF_TP_ADD_TC(tp, by_long_records);
	ATF_TP_ADD_TC(tp, named);
	ATF_TP_ADD_TC(tp, hashes);
	ATF_TP_ADD_TC(tp, odd_lines);
	ATF_TP_ADD_TC(tp, client_gone);
	ATF_TP_ADD_TC(tp, many_logins);
	return (atf_no_error());
}
