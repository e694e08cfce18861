/*
 * spool_test.c - postern-lock by itself, with the test as its parent and as
 * its stores: whose locks it makes, and that two sessions have not one lock.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dotlock.h"
#include "harness.h"
#include "ipc.h"
#include "limits_postern.h"
#include "parent.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define PATIENCE_MS	10000
#define LOCK_UID	64104
#define SPOOL_GID	8
#define MARGIN		30	/* seconds: older by so much is beyond doubt */

static struct server scratch;
static struct ipc_message heard;
static pid_t lock_pid;
static int control;

static const char *
path_of(const char *name)
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", scratch.directory, name);
	return (path);
}

static int
exists(const char *name)
{
	struct stat status;

	return (lstat(path_of(name), &status) == 0);
}

static void __attribute__((noreturn))
become_lock(int channel)
{
	const char *path = path_of("libexec/postern-lock");

	(void)dup2(channel, CHILD_CONTROL);
	closefrom(CHILD_CONTROL + 1);
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(SPOOL_GID, SPOOL_GID, SPOOL_GID) == -1 ||
	    setresuid(LOCK_UID, LOCK_UID, LOCK_UID) == -1))
		_exit(125);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)execl(path, path, (char *)NULL);
	_exit(126);
}

/* The next message of a channel that is no line of the log. */
static void
hear(int fd, enum ipc_type wanted)
{
	struct pollfd polled = { fd, POLLIN, 0 };

	do {
		ATF_REQUIRE_MSG(poll(&polled, 1, PATIENCE_MS) == 1, "no %s",
		    ipc_name(wanted));
		ATF_REQUIRE_MSG(ipc_receive(fd, &heard) == 1, "the end, and "
		    "no %s", ipc_name(wanted));
	} while (heard.header.type == IPC_LOG);
	ATF_REQUIRE_MSG(heard.header.type == wanted, "expected %s, got %s",
	    ipc_name(wanted), ipc_name(heard.header.type));
}

static void
run_lock(void)
{
	struct ipc_lock_config config;
	int ends[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    ends) == 0);
	ATF_REQUIRE((lock_pid = fork()) != -1);
	if (lock_pid == 0)
		become_lock(ends[1]);
	(void)close(ends[1]);
	control = ends[0];
	memset(&config, 0, sizeof(config));
	config.start.unprivileged = geteuid() != 0;
	(void)strlcpy(config.mailbox, path_of("spool/%u"),
	    sizeof(config.mailbox));
	ATF_REQUIRE(ipc_send(control, IPC_LOCK_CONFIG, 0, &config, NULL) ==
	    0);
	ATF_REQUIRE(ipc_send(control, IPC_START, 0, NULL, NULL) == 0);
	hear(control, IPC_STARTED);
}

static void
start_lock(void)
{
	server_prepare(&scratch, NULL);
	run_lock();
}

static void
wait_for_lock(void)
{
	int status;

	ATF_REQUIRE(waitpid(lock_pid, &status, 0) == lock_pid);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "it ended with %#x", (unsigned int)status);
}

/* It goes with the last session and its parent. */
static void
stop_lock(void)
{
	(void)close(control);
	wait_for_lock();
}

/* It ends by itself. */
static void
lock_must_end(void)
{
	struct pollfd polled = { control, 0, 0 };

	ATF_REQUIRE_MSG(poll(&polled, 1, PATIENCE_MS) == 1, "it still runs");
	wait_for_lock();
	(void)close(control);
}

/*
 * A session of a user, who may be one of the system's, or, with `maildrop`, of
 * one whose mailbox the passwd file names (below the scratch directory, unless
 * it begins with a colon).  Returns its store's end.
 */
static int
begin_session(const char *user, const char *system_name, const char *maildrop)
{
	struct ipc_store_config session;
	int ends[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    ends) == 0);
	memset(&session, 0, sizeof(session));
	session.pid = (uint32_t)getpid();
	session.is_template = maildrop == NULL;
	(void)strlcpy(session.user, user, sizeof(session.user));
	(void)strlcpy(session.system_name, system_name,
	    sizeof(session.system_name));
	(void)strlcpy(session.maildrop, maildrop == NULL ? path_of("spool/%u") :
	    maildrop[0] == ':' ? maildrop + 1 : path_of(maildrop),
	    sizeof(session.maildrop));
	ATF_REQUIRE(ipc_send(control, IPC_LOCK_SESSION, 0, &session,
	    &ends[1]) == 0);
	(void)close(ends[1]);
	return (ends[0]);
}

static const struct ipc_lock_answer *
ask(int session, enum ipc_type what)
{
	ATF_REQUIRE(ipc_send(session, what, 0, NULL, NULL) == 0);
	hear(session, IPC_LOCK_ANSWER);
	return (IPC_PAYLOAD(&heard, ipc_lock_answer));
}

/* No answer: the channel ends, and the store knows that it cannot lock. */
static void
must_refuse(int session)
{
	struct pollfd polled = { session, POLLIN, 0 };

	ATF_REQUIRE(ipc_send(session, IPC_LOCK_TAKE, 0, NULL, NULL) == 0);
	ATF_REQUIRE(poll(&polled, 1, PATIENCE_MS) == 1);
	ATF_CHECK_EQ(0, ipc_receive(session, &heard));
	(void)close(session);
}

static void
make_spool(const char *name)
{
	char path[600];

	(void)strlcpy(path, path_of(name), sizeof(path));
	ATF_REQUIRE(mkdir(path, 0700) == 0);
	if (geteuid() == 0)
		ATF_REQUIRE(chown(path, 0, SPOOL_GID) == 0);
	ATF_REQUIRE(chmod(path, 0775) == 0);
}

static void
move_spool(const char *from, const char *to)
{
	char path[600];

	(void)strlcpy(path, path_of(from), sizeof(path));
	ATF_REQUIRE(rename(path, path_of(to)) == 0);
}

#define MUST(session, what, expected)					\
	ATF_CHECK_EQ((uint32_t)(expected), ask(session, what)->result)

static const struct {
	const char *user, *system_name, *maildrop;
	const char *lock;		/* NULL: there is none for this */
} names[] = {
	{ "fred", "", NULL, "spool/fred.lock" },
	{ "fred@example.org", "", NULL, "spool/fred@example.org.lock" },
	{ "../fred", "ann", NULL, "spool/ann.lock" },
	{ "lock", "", NULL, "spool/lock.lock" },
	{ "fred.lock", "", "spool/ann", "spool/ann.lock" },

	{ "", "", NULL, NULL },
	{ ".", "", NULL, NULL },
	{ "..", "", NULL, NULL },
	{ ".fred", "", NULL, NULL },
	{ "fred.lock", "", NULL, NULL },
	{ ".lock", "", NULL, NULL },
	{ "sub/fred", "", NULL, NULL },
	{ "../home/fred", "", NULL, NULL },
	{ "/etc/passwd", "", NULL, NULL },
	{ "fred", "sub/fred", NULL, NULL },
	{ "fred", "fred.lock", NULL, NULL },
	{ "fred", "..", NULL, NULL },

	{ "fred", "", "spool", NULL },
	{ "fred", "", "spool/", NULL },
	{ "fred", "", "spool/.", NULL },
	{ "fred", "", "spool/..", NULL },
	{ "fred", "", "spool/.fred", NULL },
	{ "fred", "", "spool/fred.lock", NULL },
	{ "fred", "", "spool/sub/fred", NULL },
	{ "fred", "", "spool//fred", NULL },
	{ "fred", "", "spool/../home/fred", NULL },
	{ "fred", "", "spool.fred", NULL },
	{ "fred", "", "other/fred", NULL },	/* of the same length */
	{ "fred", "", "home/fred", NULL },
	{ "fred", "", "home/fred/fred", NULL },
	{ "fred", "", ":fred", NULL },
	{ "fred", "", ":", NULL },
};

/* A lock is for a mailbox in the spool, by a name that a mailbox can have. */
ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	const struct ipc_lock_answer *answer;
	int session;
	size_t i;

	(void)tc;
	start_lock();
	ATF_REQUIRE(mkdir(path_of("spool/sub"), 0777) == 0);
	ATF_REQUIRE(chmod(path_of("spool/sub"), 0777) == 0);
	for (i = 0; i < COUNT(names); i++) {
		session = begin_session(names[i].user, names[i].system_name,
		    names[i].maildrop);
		answer = ask(session, IPC_LOCK_TAKE);
		ATF_CHECK_MSG(answer->result == (names[i].lock != NULL ?
		    DOTLOCK_TAKEN : DOTLOCK_IMPOSSIBLE) && answer->error ==
		    (names[i].lock != NULL ? 0 : ENOENT),
		    "row %zu: result %u, errno %u", i, answer->result,
		    answer->error);
		if (names[i].lock != NULL)
			ATF_CHECK_MSG(exists(names[i].lock), "row %zu", i);
		MUST(session, IPC_LOCK_RELEASE, DOTLOCK_TAKEN);
		if (names[i].lock != NULL)
			ATF_CHECK_MSG(!exists(names[i].lock), "row %zu", i);
		(void)close(session);
	}
	stop_lock();
}

/*
 * What one session has is another one's only when it was given back: neither
 * by the file's age, where the machine slept, nor where the file went.
 */
ATF_TC_WITHOUT_HEAD(two_sessions);
ATF_TC_BODY(two_sessions, tc)
{
	const time_t then = time(NULL) - DOTLOCK_DEAD_SECONDS - MARGIN;
	const struct timespec old[2] = { { then, 0 }, { then, 0 } };
	int first, second, other, waited = 0;

	(void)tc;
	start_lock();
	first = begin_session("fred", "", NULL);
	second = begin_session("", "", "spool/fred");
	other = begin_session("ann", "", NULL);
	MUST(first, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	MUST(second, IPC_LOCK_TAKE, DOTLOCK_HELD);
	MUST(other, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	MUST(second, IPC_LOCK_RELEASE, DOTLOCK_TAKEN);
	ATF_CHECK(exists("spool/fred.lock"));

	ATF_REQUIRE(utimensat(AT_FDCWD, path_of("spool/fred.lock"), old,
	    AT_SYMLINK_NOFOLLOW) == 0);
	MUST(second, IPC_LOCK_TAKE, DOTLOCK_HELD);
	ATF_CHECK(exists("spool/fred.lock"));
	MUST(first, IPC_LOCK_TAKE, DOTLOCK_TAKEN);

	ATF_REQUIRE(unlink(path_of("spool/fred.lock")) == 0);
	MUST(second, IPC_LOCK_TAKE, DOTLOCK_HELD);
	ATF_CHECK(!exists("spool/fred.lock"));
	MUST(first, IPC_LOCK_TAKE, DOTLOCK_HELD);	/* it has it no more */
	MUST(first, IPC_LOCK_RELEASE, DOTLOCK_TAKEN);

	MUST(second, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	MUST(first, IPC_LOCK_TAKE, DOTLOCK_HELD);
	(void)close(second);
	while (ask(first, IPC_LOCK_TAKE)->result == DOTLOCK_HELD &&
	    waited++ < PATIENCE_MS / 5)
		(void)poll(NULL, 0, 5);
	ATF_CHECK(waited < PATIENCE_MS / 5);
	ATF_CHECK(exists("spool/fred.lock"));
	/* Whose place in the list had moved has its lock still. */
	MUST(other, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	(void)close(first);
	(void)close(other);
	stop_lock();
	ATF_CHECK(!exists("spool/fred.lock") && !exists("spool/ann.lock"));
}

/*
 * Another directory has the spool's name: nothing is locked in the old one any
 * more, what is held stays until it is given back, and then a new process is
 * to look anew.
 */
ATF_TC_WITHOUT_HEAD(replaced);
ATF_TC_BODY(replaced, tc)
{
	int holding, asking, idle;

	(void)tc;
	start_lock();
	holding = begin_session("fred", "", NULL);
	asking = begin_session("ann", "", NULL);
	idle = begin_session("bob", "", NULL);
	MUST(holding, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	move_spool("spool", "aside");
	make_spool("spool");
	must_refuse(asking);
	ATF_CHECK(!exists("spool/ann.lock") && !exists("aside/ann.lock"));
	ATF_CHECK(exists("aside/fred.lock"));
	/* Nor when the old one has its name again: it is to end. */
	ATF_REQUIRE(rmdir(path_of("spool")) == 0);
	move_spool("aside", "spool");
	must_refuse(idle);
	ATF_CHECK(exists("spool/fred.lock"));
	MUST(holding, IPC_LOCK_RELEASE, DOTLOCK_TAKEN);
	ATF_CHECK(!exists("spool/fred.lock"));
	lock_must_end();
	(void)close(holding);
}

/* Who asks again before a deletion hears of it, and has no lock any more. */
ATF_TC_WITHOUT_HEAD(replaced_while_held);
ATF_TC_BODY(replaced_while_held, tc)
{
	int session;

	(void)tc;
	start_lock();
	session = begin_session("fred", "", NULL);
	MUST(session, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	move_spool("spool", "aside");
	must_refuse(session);
	ATF_CHECK(!exists("aside/fred.lock"));
	lock_must_end();
}

/* The administrator's link leads to another spool. */
ATF_TC_WITHOUT_HEAD(link_changed);
ATF_TC_BODY(link_changed, tc)
{
	int session;

	(void)tc;
	server_prepare(&scratch, NULL);
	move_spool("spool", "one");
	make_spool("two");
	ATF_REQUIRE(symlink("one", path_of("spool")) == 0);
	run_lock();
	session = begin_session("fred", "", NULL);
	MUST(session, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	ATF_CHECK(exists("one/fred.lock"));
	MUST(session, IPC_LOCK_RELEASE, DOTLOCK_TAKEN);
	ATF_REQUIRE(unlink(path_of("spool")) == 0);
	ATF_REQUIRE(symlink("two", path_of("spool")) == 0);
	must_refuse(session);
	ATF_CHECK(!exists("two/fred.lock"));
	lock_must_end();
}

/* What is not there yet is looked for with each request. */
ATF_TC_WITHOUT_HEAD(comes_late);
ATF_TC_BODY(comes_late, tc)
{
	int session;

	(void)tc;
	server_prepare(&scratch, NULL);
	move_spool("spool", "aside");
	run_lock();
	must_refuse(begin_session("fred", "", NULL));
	/* It is no reason to end, nor to say of other mailboxes what is not. */
	session = begin_session("ann", "", "home/ann");
	MUST(session, IPC_LOCK_TAKE, DOTLOCK_IMPOSSIBLE);
	(void)close(session);
	move_spool("aside", "spool");
	must_refuse(begin_session("fred", "", NULL));
	lock_must_end();
	run_lock();
	session = begin_session("fred", "", NULL);
	MUST(session, IPC_LOCK_TAKE, DOTLOCK_TAKEN);
	ATF_CHECK(exists("spool/fred.lock"));
	(void)close(session);
	stop_lock();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, two_sessions);
	ATF_TP_ADD_TC(tp, replaced);
	ATF_TP_ADD_TC(tp, replaced_while_held);
	ATF_TP_ADD_TC(tp, link_changed);
	ATF_TP_ADD_TC(tp, comes_late);
	return (atf_no_error());
}
