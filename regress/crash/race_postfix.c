/*
 * race_postfix.c - Postfix of the host's package, in the scratch directory.
 *
 * It has a configuration, a queue and a data directory of its own there, no
 * listener but sockets in them, and mailboxes in the daemon's spool.  What
 * delivers is virtual(8), which opens, locks (fcntl and lock file) and
 * appends by the same functions as local(8), and needs no accounts.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

#define POSTFIX		"/usr/sbin/postfix"
#define MASTER		"/usr/lib/postfix/sbin/master"
#define SENDMAIL	"/usr/sbin/sendmail"
#define SETTLE_MS	180000

static const char settings[] =
    "compatibility_level = 3.6\n"
    "queue_directory = %s/queue\n"
    "data_directory = %s/data\n"
    "maillog_file = %s/maillog\n"
    "maillog_file_prefixes = %s\n"
    "inet_interfaces = loopback-only\n"
    "myhostname = race.example.org\n"
    "mydestination =\n"
    "alias_maps =\n"
    "alias_database =\n"
    "virtual_mailbox_domains = example.org\n"
    "virtual_mailbox_base = %s/spool\n"
    "virtual_mailbox_maps = inline:{ %s }\n"
    "virtual_mailbox_limit = 0\n"
    "virtual_uid_maps = static:%u\n"
    "virtual_gid_maps = static:8\n"
    "virtual_mailbox_lock = fcntl, dotlock\n"
    "virtual_destination_recipient_limit = 1\n"
    "virtual_destination_concurrency_limit = 3\n"
    "deliver_lock_attempts = 100\n"
    "queue_run_delay = 2s\n"
    "minimal_backoff_time = 1s\n"
    "maximal_backoff_time = 5s\n"
    "in_flow_delay = 0\n";

static const char services[] =
    "pickup unix n - n 1 1 pickup\n"
    "cleanup unix n - n - 0 cleanup\n"
    "qmgr unix n - n 300 1 qmgr\n"
    "rewrite unix - - n - - trivial-rewrite\n"
    "bounce unix - - n - 0 bounce\n"
    "defer unix - - n - 0 bounce\n"
    "trace unix - - n - 0 bounce\n"
    "flush unix n - n 1000? 0 flush\n"
    "error unix - - n - - error\n"
    "retry unix - - n - - error\n"
    "virtual unix - n n - - virtual\n"
    "postlog unix-dgram n - n - 1 postlogd\n";

static unsigned int waiting;

/* Messages on their way are the queue's only files but for its lock. */
static int
count_file(const char *path, const struct stat *status, int type,
    struct FTW *where)
{
	(void)where;
	waiting += type == FTW_F && S_ISREG(status->st_mode) &&
	    strstr(path, "/pid/") == NULL;
	return (0);
}

static unsigned int
queue_length(const struct race *race)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/queue", race->directory);
	waiting = 0;
	(void)nftw(path, count_file, 16, FTW_PHYS);
	return (waiting);
}

static void
write_file(const struct race *race, const char *name, const char *text)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", race->directory, name);
	file_write(path, text, strlen(text));
	ATF_REQUIRE(chmod(path, 0644) == 0);
}

static void
configure(struct race *race)
{
	static const char *const parts[] = { "", "/queue", "/data" };
	const struct passwd *account = getpwnam("postfix");
	const char *where = race->directory;
	char text[4000], users[400] = "", path[400];
	unsigned int i;

	(void)snprintf(race->directory, sizeof(race->directory), "%s/agent",
	    race->server.directory);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", where, parts[i]);
		ATF_REQUIRE(mkdir(path, 0755) == 0);
	}
	/* The last of them is Postfix's own user's. */
	ATF_REQUIRE(account != NULL && chown(path, account->pw_uid,
	    (gid_t)-1) == 0);
	for (i = 0; i < RACE_USERS; i++)
		(void)snprintf(users + strlen(users), sizeof(users) -
		    strlen(users), "%s{ %s@example.org = %s }", i > 0 ? ", " :
		    "", race_user(i), race_user(i));
	(void)snprintf(text, sizeof(text), settings, where, where, where,
	    where, race->server.directory, users, race->agent->uid);
	write_file(race, "main.cf", text);
	write_file(race, "master.cf", services);
}

/*
 * Runs Postfix until the test says so, or ends in whatever way: then there is
 * an end to `told`.  (A signal at the parent's death would not do: the kernel
 * forgets about that when a process changes its user, as master does.)
 */
static void __attribute__((noreturn))
guard(const struct race *race, int told)
{
	int null = open("/dev/null", O_RDWR);
	pid_t master;
	char octet;

	/* Nor may a signal to the test's process group end it. */
	(void)setsid();
	if ((master = fork()) == 0) {
		(void)setsid();
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execl(MASTER, "master", "-c", race->directory, "-d",
		    (char *)NULL);
		_exit(127);
	}
	(void)!read(told, &octet, 1);
	if (master > 0 && kill(master, SIGTERM) == 0)
		(void)waitpid(master, NULL, 0);
	_exit(0);
}

static void
begin_postfix(struct race *race)
{
	const char *const check[] = { POSTFIX, "-c", race->directory, "check",
	    NULL };
	char output[16000];
	int pair[2];

	if (!race->server.privileged)
		atf_tc_skip("Postfix can be started by root alone");
	configure(race);
	/* This makes its directories. */
	ATF_REQUIRE_MSG(run(check, NULL, output, sizeof(output)) == 0, "%s",
	    output);
	ATF_REQUIRE(pipe2(pair, O_CLOEXEC) == 0);
	race->agent_pid = fork();
	ATF_REQUIRE(race->agent_pid != -1);
	if (race->agent_pid == 0) {
		(void)close(pair[1]);
		guard(race, pair[0]);
	}
	(void)close(pair[0]);
	race->agent_pipe = pair[1];
}

static void
end_postfix(struct race *race)
{
	(void)close(race->agent_pipe);
	ATF_REQUIRE(waitpid(race->agent_pid, NULL, 0) == race->agent_pid);
}

static int
deliver_postfix(struct race *race, unsigned int lane, unsigned int serial)
{
	char to[80];
	const char *const arguments[] = { SENDMAIL, "-C", race->directory,
	    "-i", "-f", RACE_SENDER, to, NULL };

	(void)snprintf(to, sizeof(to), "%s@example.org",
	    race_user(lane % RACE_USERS));
	return (race_give(race, arguments, lane, serial));
}

/*
 * What sendmail took is delivered when the queue is empty, at two looks: one
 * message can move past one look, from a directory that is yet to be read to
 * one that was.
 */
static void
settle_postfix(struct race *race)
{
	int waited, empty = 0;

	for (waited = 0; waited < SETTLE_MS && empty < 2; waited += 100) {
		empty = queue_length(race) == 0 ? empty + 1 : 0;
		(void)poll(NULL, 0, 100);
	}
	if (queue_length(race) > 0)
		race_complain(race, "Postfix still has %u files in its queue",
		    queue_length(race));
}

const struct race_agent race_postfix = {
	.name = "postfix", .program = MASTER, .uid = 5003, .adds_header = 1,
	.as_root = 1, .begin = begin_postfix, .end = end_postfix,
	.deliver = deliver_postfix, .settle = settle_postfix
};
