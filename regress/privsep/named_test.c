/*
 * named_test.c - further passwords of a user: which of them let whom in,
 * by which protocol and from where; and posternctl's changes of them.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <atf-c.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

#define LOGINS_MAX	80	/* at once */
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* Ports: POP1 and POP2, POP3, and both on ::1. */
#define LISTEN	"listen auto 127.0.0.1 port 0\n"			\
		"listen pop3 127.0.0.1 port 0\n"
#define LISTEN_V6	LISTEN "listen auto ::1 port 0\n"		\
		"listen pop3 ::1 port 0\n"

enum way { POP1, POP2, POP3, WAYS };

static const char *const ways[] = { "pop1", "pop2", "pop3" };

static char output[4096];

static int
has_v6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int has = fd != -1 && bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0;

	if (fd != -1)
		(void)close(fd);
	return (has);
}

/* From another address of the loopback network, or from ::1. */
static int
connect_from(const struct server *server, const char *from, int port)
{
	struct sockaddr_in own = { .sin_family = AF_INET }, to = own;
	int fd;

	if (strchr(from, ':') != NULL)
		return (client_connect_to(from, server->ports[port + 2]));
	ATF_REQUIRE(inet_pton(AF_INET, from, &own.sin_addr) == 1);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)server->ports[port]);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1 && bind(fd, (struct sockaddr *)&own,
	    sizeof(own)) == 0);
	ATF_REQUIRE_MSG(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0,
	    "%s: %s", from, strerror(errno));
	return (fd);
}

static const char *const refused[] = { "-ERR login refused",
    "- login refused", "-ERR [AUTH] login refused" };

/* A login, but for its reply. */
static int
begin_login(const struct server *server, enum way way, const char *from,
    const char *user, const char *password)
{
	int fd = connect_from(server, from, way == POP3);
	char line[600];

	client_expect_line(fd, "+");
	if (way == POP2)
		(void)snprintf(line, sizeof(line), "HELO %s %s\r\n", user,
		    password);
	else {
		(void)snprintf(line, sizeof(line), "USER %s", user);
		client_say(fd, line, "+OK");
		(void)snprintf(line, sizeof(line), "PASS %s\r\n", password);
	}
	client_send(fd, line);
	return (fd);
}

/* Whether the password let its user in; the reply is always the same. */
static int
is_in(int fd, enum way way)
{
	static const char *const taken[] = { "+OK", "#0", "+OK" };
	char line[600];
	int good;

	client_line(fd, line, sizeof(line));
	good = strncmp(line, taken[way], strlen(taken[way])) == 0;
	if (!good)
		ATF_CHECK_STREQ(refused[way], line);
	(void)close(fd);
	return (good);
}

/* Logins that are under way: a refusal takes its time, so all at once. */
static struct {
	int fd;
	enum way way;
	int good;
	char what[200];
} logins[LOGINS_MAX];
static size_t login_count;

static void
will(const struct server *server, enum way way, const char *from,
    const char *user, const char *password, int good)
{
	ATF_REQUIRE(login_count < LOGINS_MAX);
	logins[login_count].fd = begin_login(server, way, from, user,
	    password);
	logins[login_count].way = way;
	logins[login_count].good = good;
	(void)snprintf(logins[login_count].what,
	    sizeof(logins[login_count].what), "%s from %s: %s with %s",
	    ways[way], from, user, password);
	login_count++;
}

static void
hear_all(void)
{
	size_t i;

	for (i = 0; i < login_count; i++)
		ATF_CHECK_EQ_MSG(logins[i].good, is_in(logins[i].fd,
		    logins[i].way), "%s", logins[i].what);
	login_count = 0;
}

static void
must(const struct server *server, enum way way, const char *from,
    const char *user, const char *password, int good)
{
	will(server, way, from, user, password, good);
	hear_all();
}

/* With no limit it lets its user in everywhere, beside the account's own. */
ATF_TC_WITHOUT_HEAD(beside_own);
ATF_TC_BODY(beside_own, tc)
{
	static const char *const wrong[][2] = { { ANN, "one" },
	    { "ghost", "one" }, { "fred/old", "one" }, { FRED, "on" },
	    { FRED, "onee" }, { FRED, "One" }, { FRED, "two." },
	    { FRED, "old/one" }, { FRED, "old" }, { FRED, "fred/old" },
	    { FRED, "-" }, { FRED, "*" } };
	struct server server;
	enum way way;
	size_t i;

	(void)tc;
	server_prepare(&server, LISTEN);
	server_add_named(&server, "fred/old", "one", ":");
	server_add_named(&server, "fred/older", "two", ":");
	server_run(&server);
	for (way = POP1; way < WAYS; way++) {
		will(&server, way, "127.0.0.1", FRED, FRED_PASSWORD, 1);
		will(&server, way, "127.0.0.1", FRED, "one", 1);
		will(&server, way, "127.0.0.1", FRED, "two", 1);
		for (i = 0; i < COUNT(wrong); i++)
			will(&server, way, "127.0.0.1", wrong[i][0],
			    wrong[i][1], 0);
	}
	hear_all();
	/* The log names the one that was used, and no password. */
	log_must_have(&server, "user=fred protocol=pop2\n");
	log_must_have(&server, "user=fred protocol=pop2 password=old\n");
	log_must_have(&server, "user=fred protocol=pop3 password=older\n");
	log_must_have(&server, "user=fred protocol=pop1 "
	    "reason=\"wrong password\"");
	ATF_CHECK(!log_has(&server, "password=one"));
	server_stop(&server);
}

/* Every list of protocols, held against every protocol. */
ATF_TC_WITHOUT_HEAD(by_protocol);
ATF_TC_BODY(by_protocol, tc)
{
	char key[40], limits[40];
	struct server server;
	unsigned int set;
	enum way way;

	(void)tc;
	server_prepare(&server, LISTEN);
	for (set = 1; set < 8; set++) {
		(void)snprintf(limits, sizeof(limits), "%s%s%s%s%s:",
		    (set & 1) != 0 ? "pop1" : "",
		    (set & 1) != 0 && set > 1 ? "," : "",
		    (set & 2) != 0 ? "pop2" : "",
		    (set & 2) != 0 && set > 3 ? "," : "",
		    (set & 4) != 0 ? "pop3" : "");
		(void)snprintf(key, sizeof(key), "fred/n%u", set);
		server_add_named(&server, key, key, limits);
	}
	server_run(&server);
	for (set = 1; set < 8; set++)
		for (way = POP1; way < WAYS; way++) {
			(void)snprintf(key, sizeof(key), "fred/n%u", set);
			will(&server, way, "127.0.0.1", FRED, key,
			    (set & 1U << way) != 0);
		}
	hear_all();
	server_stop(&server);
}

/* Addresses and networks, and both limits at once. */
ATF_TC_WITHOUT_HEAD(by_network);
ATF_TC_BODY(by_network, tc)
{
	static const struct {
		const char *networks;
		int from_1, from_2, from_9, from_v6;
	} rows[] = {
		{ "127.0.0.1", 1, 0, 0, 0 },
		{ "127.0.0.2", 0, 1, 0, 0 },
		{ "127.0.0.2,127.0.0.9", 0, 1, 1, 0 },
		{ "127.0.0.0/30", 1, 1, 0, 0 },
		{ "127.0.0.8/29", 0, 0, 1, 0 },
		{ "127.0.0.0/8", 1, 1, 1, 0 },
		{ "0.0.0.0/0", 1, 1, 1, 0 },
		{ "::1", 0, 0, 0, 1 },
		{ "::/0", 0, 0, 0, 1 },
		{ "2001:db8::/32,::/127", 0, 0, 0, 1 },
		{ "2001:db8::/32", 0, 0, 0, 0 },
		{ "10.0.0.0/8,::1,127.0.0.2", 0, 1, 0, 1 },
	};
	const int v6 = has_v6();
	struct server server;
	char limits[400], user[20], key[40];
	enum way way;
	size_t i;

	(void)tc;
	server_prepare(&server, v6 ? LISTEN_V6 : LISTEN);
	server_add_user(&server, "u", "own", FRED_UID);
	server_add_named(&server, "u/both", "one", "pop2:127.0.0.2");
	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(user, sizeof(user), "u%zu", i);
		(void)snprintf(key, sizeof(key), "%s/here", user);
		(void)snprintf(limits, sizeof(limits), ":%s",
		    rows[i].networks);
		server_add_user(&server, user, "own", FRED_UID);
		server_add_named(&server, key, "one", limits);
	}
	server_run(&server);
	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(user, sizeof(user), "u%zu", i);
		way = (enum way)(i % WAYS);
		will(&server, way, "127.0.0.1", user, "one", rows[i].from_1);
		will(&server, way, "127.0.0.2", user, "one", rows[i].from_2);
		will(&server, way, "127.0.0.9", user, "one", rows[i].from_9);
		if (v6)
			will(&server, way, "::1", user, "one",
			    rows[i].from_v6);
		will(&server, way, "127.0.0.2", user, "own", 1);
	}
	will(&server, POP2, "127.0.0.2", "u", "one", 1);
	will(&server, POP2, "127.0.0.1", "u", "one", 0);
	will(&server, POP1, "127.0.0.2", "u", "one", 0);
	will(&server, POP3, "127.0.0.1", "u", "one", 0);
	hear_all();
	server_stop(&server);
}

/* What the configuration says about clear text holds for these, too. */
ATF_TC_WITHOUT_HEAD(cleartext_holds);
ATF_TC_BODY(cleartext_holds, tc)
{
	struct server server;
	int fd;

	(void)tc;
	server_prepare(&server, LISTEN "cleartext 127.0.0.2\n");
	server_add_named(&server, "fred/one", "one", ":127.0.0.1,127.0.0.2");
	server_run(&server);
	must(&server, POP2, "127.0.0.2", FRED, "one", 1);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "- ");
	client_expect_close(fd);
	server_stop(&server);
}

/* Who has no mailbox, and who is shut out, gets in by none of them. */
ATF_TC_WITHOUT_HEAD(shut_out);
ATF_TC_BODY(shut_out, tc)
{
	const unsigned int uid = geteuid() == 0 ? FRED_UID :
	    (unsigned int)getuid();
	const unsigned int gid = geteuid() == 0 ? FRED_UID :
	    (unsigned int)getgid();
	char line[800], path[600];
	struct server server;

	(void)tc;
	server_prepare(&server, LISTEN);
	server_add_named(&server, "ghost/one", "one", ":");
	server_add_named(&server, "star/one", "one", ":");
	server_add_named(&server, "dash/one", "one", ":");
	server_add_named(&server, "low/one", "one", ":");
	(void)snprintf(path, sizeof(path), "%u:%u:%s/home/fred:", uid, gid,
	    server.directory);
	(void)snprintf(line, sizeof(line), "star:*:%s", path);
	server_add_line(&server, line);
	(void)snprintf(line, sizeof(line), "dash:-:%s", path);
	server_add_line(&server, line);
	if (server.privileged)
		server_add_line(&server, "low:-:999:5001:/:");
	server_run(&server);
	must(&server, POP2, "127.0.0.1", "ghost", "one", 0);
	must(&server, POP2, "127.0.0.1", "star", "one", 0);
	must(&server, POP2, "127.0.0.1", "low", "one", 0);
	/* "-": there is no password but those with a name. */
	must(&server, POP2, "127.0.0.1", "dash", "one", 1);
	must(&server, POP2, "127.0.0.1", "dash", "-", 0);
	must(&server, POP3, "127.0.0.1", "dash", "secret", 0);
	log_must_have(&server, "user=ghost protocol=pop2 "
	    "reason=\"no such user\"");
	log_must_have(&server, "user=star protocol=pop2 "
	    "reason=\"the user has no password\"");
	server_stop(&server);
}

/* Lines that are none are passed over, and so is what is too much. */
ATF_TC_WITHOUT_HEAD(bad_lines);
ATF_TC_BODY(bad_lines, tc)
{
	struct server server;
	char key[40];
	int i;

	(void)tc;
	server_prepare(&server, LISTEN);
	server_add_named(&server, "fred/bad", "bad", "pop4:");
	server_add_named(&server, "fred/worse", "bad", ":10.0.0.0/33");
	server_add_line(&server, "fred/star:*::");
	server_add_line(&server, "fred/dash:-::");
	server_add_line(&server, "fred/empty:::");
	server_add_line(&server, "/etc/passwd:x:y:z");
	for (i = 1; i <= 9; i++) {
		(void)snprintf(key, sizeof(key), "fred/n%d", i);
		server_add_named(&server, key, key, "pop2:");
	}
	server_add_named(&server, "fred/later", "later", "pop1:");
	server_run(&server);
	must(&server, POP2, "127.0.0.1", FRED, "bad", 0);
	must(&server, POP2, "127.0.0.1", FRED, "*", 0);
	must(&server, POP1, "127.0.0.1", FRED, "-", 0);
	must(&server, POP2, "127.0.0.1", FRED, "fred/n1", 1);
	must(&server, POP2, "127.0.0.1", FRED, "fred/n8", 1);
	must(&server, POP2, "127.0.0.1", FRED, "fred/n9", 0);
	must(&server, POP1, "127.0.0.1", FRED, "later", 1);
	must(&server, POP2, "127.0.0.1", FRED, FRED_PASSWORD, 1);
	log_must_have(&server, "expected protocols of pop1,pop2,pop3; the "
	    "line is passed over");
	log_must_have(&server, "expected networks such as");
	log_must_have(&server, "more than 8 passwords of fred; n9 is passed "
	    "over");
	server_stop(&server);
}

/* What each protocol's line has room for, as posternctl(8) says. */
ATF_TC_WITHOUT_HEAD(longest);
ATF_TC_BODY(longest, tc)
{
	static const size_t lengths[WAYS] = { 505, 504 - 4, 248 };
	char passwords[WAYS][512];
	struct server server;
	enum way way;
	char key[40];

	(void)tc;
	server_prepare(&server, LISTEN);
	for (way = POP1; way < WAYS; way++) {
		memset(passwords[way], 'x', lengths[way]);
		passwords[way][lengths[way]] = '\0';
		(void)snprintf(key, sizeof(key), "fred/%s", ways[way]);
		server_add_named(&server, key, passwords[way], ":");
	}
	server_run(&server);
	for (way = POP1; way < WAYS; way++)
		must(&server, way, "127.0.0.1", FRED, passwords[way], 1);
	server_stop(&server);
}

/* POP3 has a code for it: clients are not to forget their passwords. */
ATF_TC_WITHOUT_HEAD(unreadable);
ATF_TC_BODY(unreadable, tc)
{
	static const char *const users[] = { FRED, "ghost" };
	struct server server;
	char path[600];
	size_t i;
	int fd;

	(void)tc;
	server_prepare(&server, LISTEN);
	server_add_named(&server, "fred/one", "one", ":");
	server_run(&server);
	must(&server, POP3, "127.0.0.1", FRED, "one", 1);
	(void)snprintf(path, sizeof(path), "%s/passwd", server.directory);
	ATF_REQUIRE(unlink(path) == 0);
	for (i = 0; i < COUNT(users); i++) {
		fd = begin_login(&server, POP3, "127.0.0.1", users[i], "one");
		client_expect(fd, "-ERR [SYS/TEMP] the login could not be "
		    "checked; try again later\r\n");
		client_expect_close(fd);
	}
	server_stop(&server);
}

/*
 * A refusal costs the same for who has such passwords, who has none, and who
 * is nobody; and where none of them may be used, nothing more than before.
 */
ATF_TC_WITHOUT_HEAD(same_cost);
ATF_TC_BODY(same_cost, tc)
{
	static const char *const users[] = { FRED, ANN, "ghost", "../x" };
	char line[600], hash[crypto_pwhash_STRBYTES];
	struct server server;
	long most = 0, spent;
	pid_t auth;
	size_t i;

	(void)tc;
	ATF_REQUIRE(sodium_init() != -1 && crypto_pwhash_str(hash, "slow", 4,
	    8, 64 * 1024 * 1024) == 0);
	server_prepare(&server, LISTEN "auth-processes 1\n");
	for (i = 0; i < 3; i++) {
		(void)snprintf(line, sizeof(line), "fred/n%zu:%s:pop2:", i,
		    hash);
		server_add_line(&server, line);
	}
	server_run(&server);
	auth = children_pid(&server, "postern-auth", 0);
	for (i = 0; i < COUNT(users); i++) {
		spent = processor_ticks(auth);
		must(&server, POP2, "127.0.0.1", users[i], "wrong", 0);
		spent = processor_ticks(auth) - spent;
		if (i == 0)
			most = spent;
		ATF_CHECK_MSG(most >= 6 && 2 * spent >= most,
		    "%s: %ld ticks, fred %ld", users[i], spent, most);
		spent = processor_ticks(auth);
		must(&server, POP1, "127.0.0.1", users[i], "slow", 0);
		spent = processor_ticks(auth) - spent;
		ATF_CHECK_MSG(2 * spent < most, "%s by POP1: %ld ticks, by "
		    "POP2 %ld", users[i], spent, most);
	}
	server_stop(&server);
}

/* posternctl passwd -a. */

static int
control(const char *file, const char *const *words, const char *input)
{
	const char *arguments[16] = { program("posternctl"), "passwd", "-f",
	    file };
	int count = 4;

	while (*words != NULL)
		arguments[count++] = *words++;
	arguments[count] = NULL;
	return (run(arguments, input, output, sizeof(output)));
}

#define CONTROL(file, input, ...)					\
	control(file, (const char *const[]){ __VA_ARGS__, NULL }, input)

/* Made, changed, limited otherwise and taken away: each counts at once. */
ATF_TC_WITHOUT_HEAD(ctl_and_logins);
ATF_TC_BODY(ctl_and_logins, tc)
{
	struct server server;
	char file[600];

	(void)tc;
	server_start(&server, LISTEN);
	(void)snprintf(file, sizeof(file), "%s/passwd", server.directory);
	must(&server, POP2, "127.0.0.1", FRED, "one", 0);
	ATF_REQUIRE_EQ(0, CONTROL(file, "one\n", "-a", "old", "-p", "pop2",
	    "-n", "127.0.0.1", FRED));
	must(&server, POP2, "127.0.0.1", FRED, "one", 1);
	must(&server, POP1, "127.0.0.1", FRED, "one", 0);
	must(&server, POP2, "127.0.0.2", FRED, "one", 0);
	ATF_REQUIRE_EQ(0, CONTROL(file, "two\n", "-a", "new", FRED));
	must(&server, POP2, "127.0.0.1", FRED, "one", 1);
	must(&server, POP3, "127.0.0.2", FRED, "two", 1);
	/* Another password; what limits it stays. */
	ATF_REQUIRE_EQ(0, CONTROL(file, "three\n", "-a", "old", FRED));
	must(&server, POP2, "127.0.0.1", FRED, "one", 0);
	must(&server, POP2, "127.0.0.1", FRED, "three", 1);
	must(&server, POP1, "127.0.0.1", FRED, "three", 0);
	ATF_REQUIRE_EQ(0, CONTROL(file, NULL, "-l", FRED));
	ATF_CHECK_STREQ("old pop2 127.0.0.1\nnew all all\n", output);
	ATF_REQUIRE_EQ(0, CONTROL(file, "three\n", "-p", "pop1,pop3", "-a",
	    "old", FRED));
	must(&server, POP2, "127.0.0.1", FRED, "three", 0);
	must(&server, POP1, "127.0.0.2", FRED, "three", 1);
	/* What limits it is lifted by a word: nothing may be a mistake. */
	ATF_REQUIRE_EQ(0, CONTROL(file, "three\n", "-p", "all", "-n",
	    "127.0.0.2", "-a", "old", FRED));
	must(&server, POP2, "127.0.0.2", FRED, "three", 1);
	must(&server, POP2, "127.0.0.1", FRED, "three", 0);
	ATF_REQUIRE_EQ(0, CONTROL(file, "three\n", "-n", "all", "-a", "old",
	    FRED));
	must(&server, POP2, "127.0.0.1", FRED, "three", 1);
	must(&server, POP3, "127.0.0.1", FRED, "three", 1);
	ATF_REQUIRE_EQ(0, CONTROL(file, NULL, "-d", "-a", "old", FRED));
	must(&server, POP1, "127.0.0.1", FRED, "three", 0);
	must(&server, POP1, "127.0.0.1", FRED, "two", 1);
	/* The account's own password is changed beside it. */
	ATF_REQUIRE_EQ(0, CONTROL(file, "fresh\n", FRED));
	must(&server, POP1, "127.0.0.1", FRED, "fresh", 1);
	must(&server, POP1, "127.0.0.1", FRED, FRED_PASSWORD, 0);
	must(&server, POP1, "127.0.0.1", FRED, "two", 1);
	must(&server, POP2, "127.0.0.1", ANN, ANN_QUOTED, 1);
	server_stop(&server);
}

static void
must_be_file(const char *text)
{
	char *now = file_read("users", NULL);

	ATF_CHECK_STREQ(text, now);
	free(now);
	ATF_CHECK(access("users.new", F_OK) == -1 && errno == ENOENT);
}

#define BEFORE	"# fred/a:x::\nfred:*:\nann/a:*:pop3:\nfred/a:*:pop2:::1\n" \
		"fred/a b\nann:*:\n"

/* What is refused, and changes nothing. */
ATF_TC_WITHOUT_HEAD(ctl_refuses);
ATF_TC_BODY(ctl_refuses, tc)
{
	static const struct {
		const char *words[8], *said;
		int status;
	} rows[] = {
		{ { "-a", "", FRED }, "-a: expected something", 2 },
		{ { "-a", "b", "-n", "", FRED }, "-n: expected something", 2 },
		{ { "-a", "b", "-p", "", FRED }, "-p: expected something", 2 },
		{ { "-a", "b", "-p", "pop2", "-n", "", FRED },
		    "-n: expected something", 2 },
		{ { "-a", "b", "-p", "all,pop2", FRED }, "protocols of", 1 },
		{ { "-a", "b", "-n", "all,::1", FRED }, "networks such", 1 },
		{ { "-a", "a/b", FRED }, "a valid name", 1 },
		{ { "-a", "a:pop2", FRED }, "expected", 1 },
		{ { "-a", "a b", FRED }, "a valid name", 1 },
		{ { "-a", "a\nb", FRED }, "a valid name", 1 },
		{ { "-a", "-b", FRED }, "a valid name", 1 },
		{ { "-a", "0123456789012345678901234567890123456789"
		    "012345678901234567890123", FRED }, "name", 1 },
		{ { "-a", "b", "fr/ed" }, "a valid user name", 1 },
		{ { "-a", "b", "-p", "pop4", FRED }, "protocols of", 1 },
		{ { "-a", "b", "-p", "pop1,", FRED }, "protocols of", 1 },
		{ { "-a", "b", "-p", "auto", FRED }, "protocols of", 1 },
		{ { "-a", "b", "-p", "pop1:::1", FRED }, "networks such", 1 },
		{ { "-a", "b", "-n", "10.0.0/8", FRED }, "networks such", 1 },
		{ { "-a", "b", "-n", "10.0.0.0/8,", FRED },
		    "networks such", 1 },
		{ { "-a", "b", "-n", "::/129", FRED }, "networks such", 1 },
		{ { "-a", "b", "-n", "::1\n", FRED }, "networks such", 1 },
		{ { "-a", "b", "-s", "ann", FRED }, "usage:", 2 },
		{ { "-a", "b", "-v", "5:5:/:", FRED }, "usage:", 2 },
		{ { "-a", "b", "-l", FRED }, "usage:", 2 },
		{ { "-a", "b", "-a", "c", FRED }, "usage:", 2 },
		{ { "-a", "a", "-d", "-p", "pop1", FRED }, "usage:", 2 },
		{ { "-d", FRED }, "usage:", 2 },
		{ { "-p", "pop1", FRED }, "usage:", 2 },
		{ { "-n", "::1", FRED }, "usage:", 2 },
		{ { "-l" }, "usage:", 2 },
		{ { "-d", "-a", "b", FRED }, "there is none", 1 },
		{ { "-d", "-a", "a", "fre" }, "there is none", 1 },
	};
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(rows); i++) {
		file_write("users", BEFORE, strlen(BEFORE));
		ATF_CHECK_EQ_MSG(rows[i].status, control("users",
		    rows[i].words, "x\n"), "row %zu: %s", i, output);
		ATF_CHECK_MSG(strstr(output, rows[i].said) != NULL,
		    "row %zu: expected \"%s\", got: %s", i, rows[i].said,
		    output);
		must_be_file(BEFORE);
	}
}

/* What others may write is not read, and the reason is told. */
ATF_TC_WITHOUT_HEAD(ctl_writable);
ATF_TC_BODY(ctl_writable, tc)
{
	(void)tc;
	file_write("users", BEFORE, strlen(BEFORE));
	ATF_REQUIRE(chmod("users", 0660) == 0);
	ATF_CHECK_EQ(1, CONTROL("users", NULL, "-l", FRED));
	ATF_CHECK_MSG(strstr(output, "users: expected a regular file that "
	    "others may not write") != NULL, "%s", output);
	ATF_CHECK_EQ(1, CONTROL("users", "x\n", FRED));
	ATF_CHECK_MSG(strstr(output, "users: expected a regular file that "
	    "others may not write") != NULL, "%s", output);
	must_be_file(BEFORE);
}

/* Other lines stay as they are, be they ever so odd; no hash is shown. */
ATF_TC_WITHOUT_HEAD(ctl_others_stay);
ATF_TC_BODY(ctl_others_stay, tc)
{
	char command[600], *text;
	const char *const full[] = { "sh", "-c", command, NULL };
	int i;

	(void)tc;
	file_write("users", BEFORE, strlen(BEFORE));
	ATF_CHECK_EQ(0, CONTROL("users", NULL, "-d", "-a", "a", FRED));
	must_be_file("# fred/a:x::\nfred:*:\nann/a:*:pop3:\nfred/a b\n"
	    "ann:*:\n");
	file_write("users", BEFORE, strlen(BEFORE));
	ATF_CHECK_EQ(0, CONTROL("users", NULL, "-l", FRED));
	ATF_CHECK_MSG(strncmp(output, "a pop2 ::1\n", 11) == 0 ||
	    strstr(output, "\na pop2 ::1\n") != NULL, "%s", output);
	ATF_CHECK_EQ(0, CONTROL("users", NULL, "-l", "nobody"));
	ATF_CHECK_STREQ("", output);
	if (access("/dev/full", W_OK) == 0) {
		(void)snprintf(command, sizeof(command), "'%s' passwd -f users "
		    "-l fred >/dev/full", program("posternctl"));
		ATF_CHECK_EQ(1, run(full, NULL, output, sizeof(output)));
		ATF_CHECK_MSG(strstr(output, "standard output: ") != NULL,
		    "%s", output);
	}
	/* A user has at most eight. */
	for (i = 1; i <= 8; i++) {
		const char name[] = { (char)('a' + i), '\0' };

		ATF_CHECK_EQ(i < 8 ? 0 : 1, CONTROL("users", "x\n", "-a",
		    name, FRED));
	}
	ATF_CHECK_MSG(strstr(output, "fred has 8 already") != NULL, "%s",
	    output);
	ATF_CHECK_EQ(0, CONTROL("users", "x\n", "-a", "h", FRED));
	text = file_read("users", NULL);
	ATF_CHECK(strstr(text, "\nfred/a:*:pop2:::1\n") != NULL);
	ATF_CHECK(strstr(text, "\nfred/h:$argon2id$") != NULL);
	ATF_CHECK(strstr(text, "\nfred/i:") == NULL);
	free(text);
}

/* Of lines of one name those that the daemon takes are changed, or go. */
ATF_TC_WITHOUT_HEAD(ctl_odd_lines);
ATF_TC_BODY(ctl_odd_lines, tc)
{
	static const char text[] = "fred/a:*:pop9:\nfred/a:*:pop2:\n"
	    "fred/a:*:pop1:\nfred/a:*::0/99\nfred/a:*:\n";
	char *now;

	(void)tc;
	file_write("users", text, strlen(text));
	ATF_CHECK_EQ(0, CONTROL("users", NULL, "-d", "-a", "a", FRED));
	must_be_file("fred/a:*:pop9:\nfred/a:*::0/99\nfred/a:*:\n");
	file_write("users", text, strlen(text));
	ATF_CHECK_EQ(0, CONTROL("users", "x\n", "-a", "a", FRED));
	now = file_read("users", NULL);
	ATF_CHECK_MSG(strncmp(now, "fred/a:*:pop9:\nfred/a:$argon2id$", 32) ==
	    0 && strstr(now, ":pop2:\nfred/a:*::0/99\nfred/a:*:\n") != NULL,
	    "%s", now);
	free(now);
}

/* By the configuration: the user must be there; `auth system` needs a file. */
ATF_TC_WITHOUT_HEAD(ctl_by_configuration);
ATF_TC_BODY(ctl_by_configuration, tc)
{
	struct server server;
	const char *arguments[] = { NULL, "passwd", "-c", server.config, "-a",
	    "old", "fred", NULL };
	const char *const conf = "auth system\n";
	char text[600];

	(void)tc;
	server_start(&server, LISTEN);
	arguments[0] = program("posternctl");
	ATF_CHECK_EQ_MSG(0, run(arguments, "one\n", output, sizeof(output)),
	    "%s", output);
	must(&server, POP2, "127.0.0.1", FRED, "one", 1);
	arguments[6] = "nobody-here";
	ATF_CHECK_EQ(1, run(arguments, "one\n", output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "nobody-here is not in") != NULL, "%s",
	    output);
	server_stop(&server);
	arguments[3] = "conf";
	arguments[6] = "fred";
	(void)snprintf(text, sizeof(text), "%snet-user 1:1\nauth-user 2:2\n"
	    "lock-user 3:3\n", conf);
	file_write("conf", text, strlen(text));
	ATF_CHECK_EQ(1, run(arguments, "one\n", output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "auth system /FILE") != NULL, "%s",
	    output);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, beside_own);
	ATF_TP_ADD_TC(tp, by_protocol);
	ATF_TP_ADD_TC(tp, by_network);
	ATF_TP_ADD_TC(tp, cleartext_holds);
	ATF_TP_ADD_TC(tp, shut_out);
	ATF_TP_ADD_TC(tp, bad_lines);
	ATF_TP_ADD_TC(tp, longest);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, same_cost);
	ATF_TP_ADD_TC(tp, ctl_and_logins);
	ATF_TP_ADD_TC(tp, ctl_refuses);
	ATF_TP_ADD_TC(tp, ctl_writable);
	ATF_TP_ADD_TC(tp, ctl_others_stay);
	ATF_TP_ADD_TC(tp, ctl_odd_lines);
	ATF_TP_ADD_TC(tp, ctl_by_configuration);
	return (atf_no_error());
}
