/*
 * vanish_test.c - clients that go away, two at once, and one twice.
 *
 * After every step of a session the client goes, by a close or a reset,
 * before or after it has read the reply.  Nothing is deleted by that, and
 * nothing stays behind: processes, descriptors and locks are counted.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define LARGE_BYTES	(3 * 1024 * 1024)	/* more than sockets hold */
#define PEEKED		1000			/* octets read of that */
#define LIMIT_MS	5000			/* until nothing is left */
#define PROCESSES	16

/*
 * One command and what comes: a line that begins so, and then that many
 * octets.  WHOLE: as many as the last line announced.
 */
#define WHOLE	((size_t)-1)

struct step {
	const char *command;		/* NULL: the greeting */
	const char *reply;		/* NULL: no line, data alone */
	size_t octets;
};

#define STEPS	12

/* The listeners, in their order: POP1 and POP2, and POP3. */
enum { OLD, POP3 };

static const struct script {
	const char *name;
	int listener;
	struct step steps[STEPS];
} scripts[] = {
	{ "POP2, reading", OLD, {
		{ NULL, "+ POP2", 0 },
		{ "HELO fred secret\r\n", "#2", 0 },
		{ "READ\r\n", "=", 0 },
		{ "RETR\r\n", NULL, WHOLE },
		{ "ACKS\r\n", "=", 0 },
		{ "RETR\r\n", NULL, WHOLE },
		{ "NACK\r\n", "=", 0 },
		{ "FOLD work\r\n", "#1", 0 },
		{ "READ 1\r\n", "=", 0 },
	} },
	{ "POP2, deleting", OLD, {
		{ NULL, "+ POP2", 0 },
		{ "HELO fred secret\r\n", "#2", 0 },
		{ "READ 1\r\n", "=", 0 },
		{ "RETR\r\n", NULL, WHOLE },
		{ "ACKD\r\n", "=", 0 },
		{ "RETR\r\n", NULL, WHOLE },
		{ "ACKD\r\n", "=0", 0 },
		{ "QUIT", "", 0 },	/* it never ends its line */
	} },
	{ "POP2, deleting in a folder", OLD, {
		{ NULL, "+ POP2", 0 },
		{ "HELO fred secret\r\nFOLD work\r\n", "#2\r\n#1", 0 },
		{ "READ\r\n", "=", 0 },
		{ "RETR\r\n", NULL, WHOLE },
		{ "ACKD\r\n", "=0", 0 },
	} },
	{ "POP1, reading", OLD, {
		{ NULL, "+", 0 },
		{ "USER fred\r\n", "+OK", 0 },
		{ "PASS secret\r\n", "+OK", 0 },
		{ "RETR fred\r\n", "#", 0 },
		{ "RCEV\r\n", NULL, WHOLE },
		{ "RCVD\r\n", "+OK", 0 },
		{ "RETR work\r\n", "#", 0 },
		{ "RCEV\r\n", NULL, WHOLE },
	} },
	{ "POP1, deleting", OLD, {
		{ NULL, "+", 0 },
		{ "USER fred\r\n", "+OK", 0 },
		{ "PASS secret\r\n", "+OK", 0 },
		{ "RDEL fred\r\n", "#", 0 },
		{ "RCEV\r\n", NULL, WHOLE },
		{ "RSET\r\n", "+OK", 0 },
		{ "RDEL fred\r\n", "#", 0 },
		{ "RCEV\r\n", NULL, WHOLE },
		{ "RCVD", "", 0 },	/* it never ends its line */
	} },
	{ "POP3, reading", POP3, {
		{ NULL, "+OK", 0 },
		{ "USER fred\r\n", "+OK", 0 },
		{ "PASS secret\r\n", "+OK", 0 },
		{ "UIDL\r\n", "+OK\r\n1 \r\n2 \r\n.", 0 },
		{ "LIST\r\n", "+OK\r\n1 \r\n2 \r\n.", 0 },
		{ "RETR 1\r\n", "+OK", WHOLE },
		{ "TOP 2 1\r\n", "+OK", 24 },
		{ "RETR 2\r\nRETR 1\r\n", "+OK", WHOLE },
	} },
	{ "POP3, deleting", POP3, {
		{ NULL, "+OK", 0 },
		{ "USER fred\r\n", "+OK", 0 },
		{ "PASS secret\r\n", "+OK", 0 },
		{ "DELE 2\r\n", "+OK", 0 },
		{ "RETR 1\r\n", "+OK", WHOLE },
		{ "DELE 1\r\n", "+OK", 0 },
		{ "RSET\r\nDELE 1\r\n", "+OK\r\n+OK", 0 },
		{ "QUIT", "", 0 },	/* it never ends its line */
	} },
};

/* The ways to go. */
enum way { CLOSES, RESETS, CLOSES_EARLY, RESETS_EARLY, WAYS };

static const char *const way_names[] = { "closes", "resets",
    "closes before the reply", "resets before the reply" };

static char *mail;
static size_t mail_length;
static const char work[] =
    "From c@example.org Sat Nov 21 23:35:00 2026\nSubject: w\n\nwork\n";

static void
make_mail(void)
{
	static const char first[] =
	    "From a@example.org Sat Nov 21 23:33:00 2026\nSubject: one\n\n";
	static const char second[] =
	    "\n\nFrom b@example.org Sat Nov 21 23:34:00 2026\nSubject: two\n\n";
	size_t i;

	mail_length = sizeof(first) + LARGE_BYTES + 2 * sizeof(second);
	ATF_REQUIRE((mail = calloc(1, mail_length)) != NULL);
	(void)strlcpy(mail, first, mail_length);
	for (i = strlen(mail); i < LARGE_BYTES; i++)
		mail[i] = i % 64 == 0 ? '\n' : (char)('a' + i % 23);
	mail[i] = '\0';
	(void)strlcat(mail, second, mail_length);
	(void)strlcat(mail, "two\n\n", mail_length);
	mail_length = strlen(mail);
}

static void
nothing_deleted(const struct server *server)
{
	mailbox_must_be(server, FRED, mail, mail_length);
	folder_must_be(server, FRED, "mail/work", work, strlen(work));
}

/* What there is when nobody is connected; -1 where this user cannot see. */
struct count {
	int nets, auths, stores;
	int descriptors[PROCESSES];
	size_t processes;
	int locks;
};

/* Locks in /proc/locks on a file with this inode. */
static int
locks_on(const char *path)
{
	struct stat status;
	char line[300], inode[64];
	FILE *file = fopen("/proc/locks", "re");
	int count = 0;

	ATF_REQUIRE(file != NULL);
	if (stat(path, &status) == 0) {
		(void)snprintf(inode, sizeof(inode), ":%llu ",
		    (unsigned long long)status.st_ino);
		while (fgets(line, sizeof(line), file) != NULL)
			count += strstr(line, inode) != NULL;
	}
	(void)fclose(file);
	return (count);
}

static int
locks_of(const struct server *server, const char *user, unsigned int uid)
{
	char path[400];
	int count;

	(void)snprintf(path, sizeof(path), "%s/state/%u.%s/sessions",
	    server->directory, server->privileged ? uid :
	    (unsigned int)getuid(), user);
	count = locks_on(path) + locks_on(mailbox_path(server, user));
	(void)snprintf(path, sizeof(path), "%s/home/%s/mail/work",
	    server->directory, user);
	return (count + locks_on(path));
}

static void
take_count(const struct server *server, struct count *count)
{
	pid_t pids[PROCESSES];
	size_t i;

	memset(count, 0, sizeof(*count));
	count->nets = children_count(server, "postern-net");
	count->auths = children_count(server, "postern-auth");
	count->stores = children_count(server, "postern-store");
	count->locks = locks_of(server, FRED, FRED_UID);
	count->processes = processes_of(server, pids, PROCESSES);
	for (i = 0; i < count->processes; i++)
		count->descriptors[i] = process_descriptors(pids[i]);
}

static void
describe(const struct count *count, char *text, size_t size)
{
	char number[32];
	size_t i;

	(void)snprintf(text, size, "nets %d auths %d stores %d locks %d "
	    "descriptors", count->nets, count->auths, count->stores,
	    count->locks);
	for (i = 0; i < count->processes; i++) {
		(void)snprintf(number, sizeof(number), " %d",
		    count->descriptors[i]);
		(void)strlcat(text, number, size);
	}
}

/* Waits until all is as it was; returns how long the stores took. */
static int64_t
all_as_before(const struct server *server, const struct count *before,
    const char *script, size_t step, const char *way)
{
	int64_t began = clock_ms(), stores_gone = -1;
	struct count now;
	char was[400], is[400];

	for (;;) {
		take_count(server, &now);
		if (stores_gone == -1 && now.stores == before->stores)
			stores_gone = clock_ms() - began;
		if (memcmp(&now, before, sizeof(now)) == 0)
			return (stores_gone);
		if (clock_ms() - began > LIMIT_MS)
			break;
		pause_ms(5);
	}
	describe(before, was, sizeof(was));
	describe(&now, is, sizeof(is));
	atf_tc_fail("%s, the client %s at step %zu: %s; before: %s", script,
	    way, step, is, was);
}

static void
go(int fd, int reset)
{
	const struct linger at_once = { 1, 0 };

	if (reset)
		ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once)) == 0);
	ATF_REQUIRE(close(fd) == 0);
}

static void
skip_octets(int fd, size_t count)
{
	static char octets[65536];
	size_t part;

	for (; count > 0; count -= part) {
		part = count < sizeof(octets) ? count : sizeof(octets);
		client_read(fd, octets, part);
	}
}

/* Lines as `reply` has them; the last one's number is stored. */
static void
read_reply(int fd, const char *reply, size_t *announced)
{
	char line[600], part[100];
	const char *next;
	size_t length;

	for (; reply != NULL && reply[0] != '\0'; reply = next) {
		length = strcspn(reply, "\r");
		next = reply + length + strspn(reply + length, "\r\n");
		(void)snprintf(part, sizeof(part), "%.*s", (int)length, reply);
		client_line(fd, line, sizeof(line));
		ATF_REQUIRE_MSG(strncmp(line, part, length) == 0,
		    "expected \"%s\", got \"%s\"", part, line);
		if (line[0] == '#' || line[0] == '=')
			*announced = strtoul(line + 1, NULL, 10);
		/* Behind as many octets, by POP3, comes the end. */
		if (strncmp(line, "+OK ", 4) == 0)
			*announced = strtoul(line + 4, NULL, 10) +
			    strlen(".\r\n");
	}
}

/* Does the script's first steps; the last one only as far as `way` says. */
static void
vanish_at(const struct server *server, const struct script *script,
    size_t last, enum way way)
{
	const struct step *step;
	size_t i, announced = 0, octets;
	int fd = client_connect(server, script->listener);

	for (i = 0; i <= last; i++) {
		step = &script->steps[i];
		if (step->command != NULL)
			client_send(fd, step->command);
		if (i == last && way >= CLOSES_EARLY)
			break;
		read_reply(fd, step->reply, &announced);
		octets = step->octets == WHOLE ? announced : step->octets;
		/* In the middle of the data, where it is large. */
		if (i == last && octets > PEEKED)
			octets = PEEKED;
		skip_octets(fd, octets);
	}
	go(fd, way == RESETS || way == RESETS_EARLY);
	/* What was asked for comes to life after its client has gone. */
	if (way >= CLOSES_EARLY)
		pause_ms(20);
}

static size_t
steps_of(const struct script *script)
{
	size_t count = 0;

	while (count < STEPS && (script->steps[count].command != NULL ||
	    script->steps[count].reply != NULL))
		count++;
	return (count);
}

/* After a large message was read whole, nothing is in the middle. */
static void
vanish_after_whole(const struct server *server, const struct script *script,
    size_t last)
{
	size_t i, announced = 0;
	int fd = client_connect(server, script->listener);

	for (i = 0; i <= last; i++) {
		if (script->steps[i].command != NULL)
			client_send(fd, script->steps[i].command);
		read_reply(fd, script->steps[i].reply, &announced);
		skip_octets(fd, script->steps[i].octets == WHOLE ? announced :
		    script->steps[i].octets);
	}
	go(fd, 1);
}

static void
begin(struct server *server, struct count *before)
{
	int fd;

	server_start(server, "net-processes 2\nauth-processes 2\n"
	    "listen auto 127.0.0.1 port 0\nlisten pop3 127.0.0.1 port 0\n");
	make_mail();
	mailbox_write(server, FRED, mail, mail_length);
	folder_write(server, FRED, "mail/work", work, strlen(work));
	/* The first session makes the user's state directory. */
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#2");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	children_must_be(server, "postern-store", 0);
	pause_ms(50);
	take_count(server, before);
	ATF_REQUIRE(before->stores == 0 && before->locks == 0);
}

static void
run_script(const struct script *script)
{
	struct server server;
	struct count before;
	int64_t took, longest = 0, all = 0;
	size_t last;
	int way, fd;

	begin(&server, &before);
	for (last = 0; last < steps_of(script); last++) {
		for (way = 0; way < WAYS; way++) {
			vanish_at(&server, script, last, (enum way)way);
			took = all_as_before(&server, &before, script->name,
			    last, way_names[way]);
			longest = took > longest ? took : longest;
			all += took;
			nothing_deleted(&server);
		}
		vanish_after_whole(&server, script, last);
		(void)all_as_before(&server, &before, script->name, last,
		    "has read all");
		nothing_deleted(&server);
	}
	(void)printf("%s: stores were gone after %lld ms at the most\n",
	    script->name, (long long)longest);
	/* And the mailbox is nobody's: it opens at once. */
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	(void)all_as_before(&server, &before, script->name, last, "quits");
	server_stop(&server);
	nothing_deleted(&server);
	/* The limit of one would measure how busy this machine is. */
	ATF_CHECK_MSG(all / WAYS / (int64_t)steps_of(script) < 1000,
	    "stores stayed for %lld ms, all together", (long long)all);
}

#define SCRIPT_CASE(name, number)					\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "timeout", "120");			\
}									\
ATF_TC_BODY(name, tc)							\
{									\
	(void)tc;							\
	run_script(&scripts[number]);					\
}

SCRIPT_CASE(pop2_reading, 0)
SCRIPT_CASE(pop2_deleting, 1)
SCRIPT_CASE(pop2_folder, 2)
SCRIPT_CASE(pop1_reading, 3)
SCRIPT_CASE(pop1_deleting, 4)
SCRIPT_CASE(pop3_reading, 5)
SCRIPT_CASE(pop3_deleting, 6)

/* A client that stops in the middle of a message, and then goes. */
ATF_TC_WITHOUT_HEAD(stuck_reader);
ATF_TC_BODY(stuck_reader, tc)
{
	struct server server;
	struct count before;
	int fd, reset;

	(void)tc;
	begin(&server, &before);
	for (reset = 0; reset < 2; reset++) {
		fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
		client_say(fd, "READ", "=");
		client_send(fd, "RETR\r\n");
		/* Socket and pipe fill up, and the store waits. */
		pause_ms(300);
		ATF_REQUIRE_EQ(1, children_count(&server, "postern-store"));
		go(fd, reset);
		(void)all_as_before(&server, &before, "RETR", 3, "is stuck");
		nothing_deleted(&server);
	}
	server_stop(&server);
}

/* It shuts its side down and reads on: it gets what it asked for. */
ATF_TC_WITHOUT_HEAD(half_closed);
ATF_TC_BODY(half_closed, tc)
{
	struct server server;
	struct count before;
	size_t size = 0;
	int fd;

	(void)tc;
	begin(&server, &before);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	client_send(fd, "READ\r\n");
	read_reply(fd, "=", &size);
	client_send(fd, "RETR\r\n");
	ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0);
	skip_octets(fd, size);
	client_expect_line(fd, "- ");
	client_expect_close(fd);
	(void)all_as_before(&server, &before, "RETR", 3, "half closes");
	nothing_deleted(&server);
	server_stop(&server);
}

/* fred and ann at the same time, command by command. */
ATF_TC_WITHOUT_HEAD(two_users);
ATF_TC_BODY(two_users, tc)
{
	struct server server;
	struct count before;
	int fred, ann;

	(void)tc;
	begin(&server, &before);
	mailbox_write(&server, ANN, work, strlen(work));
	fred = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	ann = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	ATF_CHECK_EQ(2, children_count(&server, "postern-store"));
	ATF_CHECK_EQ(1, locks_of(&server, FRED, FRED_UID));
	ATF_CHECK_EQ(1, locks_of(&server, ANN, ANN_UID));
	client_say(fred, "READ 2", "=21 ");
	client_say(ann, "READ 1", "=20 ");
	client_send(fred, "RETR\r\n");
	client_send(ann, "RETR\r\n");
	client_expect(ann, "Subject: w\r\n\r\nwork\r\n");
	client_expect(fred, "Subject: two\r\n\r\ntwo\r\n");
	client_say(ann, "ACKD", "=0");
	client_say(fred, "ACKS", "=0");
	client_say(ann, "QUIT", "+");
	client_expect_close(ann);
	mailbox_must_be(&server, ANN, "", 0);
	client_say(fred, "READ 1", "=");
	client_say(fred, "QUIT", "+");
	client_expect_close(fred);
	(void)all_as_before(&server, &before, "two users", 0, "quits");
	nothing_deleted(&server);
	server_stop(&server);
}

static void
must_be_in_use(const char *line, const char *prefix)
{
	ATF_CHECK_MSG(strncmp(line, prefix, strlen(prefix)) == 0 &&
	    strstr(line, "in use") != NULL, "expected \"%s...in use...\", "
	    "got \"%s\"", prefix, line);
}

/* The mailbox's second user, by POP2 and by POP1, is told why. */
static void
others_are_refused(const struct server *server)
{
	char line[600];
	int fd;

	fd = client_connect(server, 0);
	client_expect_line(fd, "+");
	client_send(fd, "HELO fred secret\r\n");
	client_line(fd, line, sizeof(line));
	must_be_in_use(line, "- ");
	client_expect_close(fd);
	fd = pop1_login(server, 0, FRED, FRED_PASSWORD);
	client_send(fd, "RETR fred\r\n");
	client_line(fd, line, sizeof(line));
	must_be_in_use(line, "-ERR ");
	client_send(fd, "RDEL fred\r\n");
	client_line(fd, line, sizeof(line));
	must_be_in_use(line, "-ERR ");
	/* The connection lives, and another folder is free. */
	client_say(fd, "RETR work", "#65");
	client_say(fd, "RSET", "+OK");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
}

/* Free again: at once, or (after a reset) very soon. */
static void
must_be_free(const struct server *server)
{
	int fd;

	children_must_be(server, "postern-store", 0);
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#2");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	children_must_be(server, "postern-store", 0);
}

ATF_TC_WITHOUT_HEAD(one_user_twice);
ATF_TC_BODY(one_user_twice, tc)
{
	struct server server;
	struct count before;
	int fd, way;

	(void)tc;
	begin(&server, &before);
	for (way = 0; way < 2; way++) {
		fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
		others_are_refused(&server);
		client_say(fd, "READ 2", "=21 ");
		go(fd, way);
		must_be_free(&server);
		fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
		client_say(fd, "RDEL fred", "#");
		others_are_refused(&server);
		go(fd, way);
		must_be_free(&server);
		fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
		client_say(fd, "RETR fred", "#");
		client_say(fd, "RSET", "+OK");
		/* Out of its transaction it holds nothing. */
		client_say(fd, "QUIT", "+OK");
		client_expect_close(fd);
		must_be_free(&server);
	}
	(void)all_as_before(&server, &before, "in use", 0, "goes");
	nothing_deleted(&server);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, pop2_reading);
	ATF_TP_ADD_TC(tp, pop2_deleting);
	ATF_TP_ADD_TC(tp, pop2_folder);
	ATF_TP_ADD_TC(tp, pop1_reading);
	ATF_TP_ADD_TC(tp, pop1_deleting);
	ATF_TP_ADD_TC(tp, pop3_reading);
	ATF_TP_ADD_TC(tp, pop3_deleting);
	ATF_TP_ADD_TC(tp, stuck_reader);
	ATF_TP_ADD_TC(tp, half_closed);
	ATF_TP_ADD_TC(tp, two_users);
	ATF_TP_ADD_TC(tp, one_user_twice);
	return (atf_no_error());
}
