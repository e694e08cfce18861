/*
 * dotlock_test.c - the lock that is a file beside the mailbox, by itself.
 *
 * What is a lock, whose it is, when it is stale, and that two never have it.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dotlock.h"
#include "harness.h"
#include "limits_postern.h"
#include "log.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define BOX		"fred"
#define LOCK		"scratch/fred.lock"
#define MAIL		"scratch/fred"

/* Older than that, or younger, by so much is beyond doubt. */
#define MARGIN		30

static struct dotlock
begin(void)
{
	struct dotlock lock = { .fd = -1 };

	ATF_REQUIRE(sodium_init() != -1);
	log_to_stderr("test");
	(void)umask(022);
	(void)mkdir("scratch", 0755);
	lock.directory = open("scratch", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ATF_REQUIRE(lock.directory != -1);
	(void)strlcpy(lock.mailbox, BOX, sizeof(lock.mailbox));
	lock.holder = getpid();
	return (lock);
}

static int
names_there(void)
{
	struct dirent *entry;
	DIR *directory;
	int count = 0;

	ATF_REQUIRE((directory = opendir("scratch")) != NULL);
	while ((entry = readdir(directory)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	(void)closedir(directory);
	return (count);
}

static int
exists(const char *path)
{
	struct stat status;

	return (lstat(path, &status) == 0);
}

static void
make_old(const char *path, time_t age)
{
	struct timespec times[2];

	ATF_REQUIRE(clock_gettime(CLOCK_REALTIME, &times[0]) == 0);
	times[0].tv_sec -= age;
	times[1] = times[0];
	ATF_REQUIRE(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) ==
	    0);
}

static void
plant(const char *text, time_t age)
{
	file_write(LOCK, text, strlen(text));
	make_old(LOCK, age);
}

static const char *
own_text(long pid)
{
	static char text[400];
	char host[300] = "";

	ATF_REQUIRE(gethostname(host, sizeof(host) - 1) == 0);
	(void)snprintf(text, sizeof(text), "%ld:%s\n", pid, host);
	return (text);
}

/* A process that was, and is no more. */
static pid_t
dead_pid(void)
{
	pid_t pid = fork();

	ATF_REQUIRE(pid != -1);
	if (pid == 0)
		_exit(0);
	ATF_REQUIRE(waitpid(pid, NULL, 0) == pid);
	return (pid);
}

/* Stale: the first try takes it away, the second has the lock. */
static void
must_be_broken(struct dotlock *lock, const char *what)
{
	ATF_CHECK_EQ_MSG(DOTLOCK_HELD, dotlock_try(lock), "%s", what);
	ATF_CHECK_MSG(!exists(LOCK), "%s: it is still there", what);
	ATF_CHECK_EQ_MSG(DOTLOCK_TAKEN, dotlock_try(lock), "%s", what);
	dotlock_release(lock);
	ATF_CHECK_MSG(!exists(LOCK), "%s: not released", what);
}

/* It stays as it is, however often it is asked for. */
static void
must_be_kept(struct dotlock *lock, const char *what)
{
	struct stat before, after;
	int names = names_there(), i;

	ATF_REQUIRE(lstat(LOCK, &before) == 0);
	for (i = 0; i < 3; i++)
		ATF_CHECK_EQ_MSG(DOTLOCK_HELD, dotlock_try(lock), "%s", what);
	ATF_REQUIRE_MSG(lstat(LOCK, &after) == 0, "%s: it is gone", what);
	ATF_CHECK_MSG(before.st_ino == after.st_ino && before.st_mtime ==
	    after.st_mtime && before.st_mode == after.st_mode, "%s: changed",
	    what);
	ATF_CHECK_EQ_MSG(names, names_there(), "%s: something is left", what);
	ATF_CHECK_EQ(-1, lock->fd);
}

ATF_TC_WITHOUT_HEAD(taken);
ATF_TC_BODY(taken, tc)
{
	struct dotlock lock = begin();
	struct stat status;
	char *text;

	(void)tc;
	lock.holder = 4711;
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&lock));
	ATF_REQUIRE(lock.fd != -1);
	text = file_read(LOCK, NULL);
	ATF_CHECK_STREQ(own_text(4711), text);
	free(text);
	ATF_REQUIRE(lstat(LOCK, &status) == 0);
	ATF_CHECK(S_ISREG(status.st_mode));
	ATF_CHECK_EQ(1, status.st_nlink);
	ATF_CHECK_EQ(0644, status.st_mode & 07777);
	ATF_CHECK_EQ(1, names_there());
	dotlock_release(&lock);
	ATF_CHECK_EQ(-1, lock.fd);
	ATF_CHECK_EQ(0, names_there());
	/* Nothing is held: nothing happens. */
	dotlock_release(&lock);
	dotlock_refresh(&lock);
}

ATF_TC_WITHOUT_HEAD(second_taker);
ATF_TC_BODY(second_taker, tc)
{
	struct dotlock first = begin(), second = begin();

	(void)tc;
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&first));
	must_be_kept(&second, "another's that is alive");
	dotlock_release(&second);
	ATF_CHECK(exists(LOCK));
	dotlock_release(&first);
	ATF_CHECK_EQ(DOTLOCK_TAKEN, dotlock_try(&second));
	dotlock_release(&second);
	ATF_CHECK_EQ(0, names_there());
}

/* Broken by somebody while it was held, and made anew: that is not ours. */
ATF_TC_WITHOUT_HEAD(release_of_anothers);
ATF_TC_BODY(release_of_anothers, tc)
{
	struct dotlock lock = begin();

	(void)tc;
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&lock));
	ATF_REQUIRE(unlink(LOCK) == 0);
	plant("0", 0);
	dotlock_release(&lock);
	ATF_CHECK_EQ(-1, lock.fd);
	ATF_CHECK(exists(LOCK));
	ATF_REQUIRE(unlink(LOCK) == 0);
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&lock));
	ATF_REQUIRE(unlink(LOCK) == 0);
	dotlock_release(&lock);
	ATF_CHECK_EQ(0, names_there());
}

ATF_TC_WITHOUT_HEAD(owner_dead);
ATF_TC_BODY(owner_dead, tc)
{
	struct dotlock lock = begin();
	char text[64];
	long dead = (long)dead_pid();
	size_t i;
	static const struct {
		const char *before, *after;	/* the dead one's number */
	} kept[] = { { "", "" }, { "", "\n" }, { "", ":" }, { "-", ":" },
	    { "", ":another.example.org\n" }, { "9999999999999", ":" },
	    { "x", ":" }, { "", "x:" }, { ":", "" }, { "\n", ":" } };

	(void)tc;
	plant(own_text(dead), 0);
	must_be_broken(&lock, "a dead pid of this host");
	plant(own_text(dead), 0);
	ATF_REQUIRE(truncate(LOCK, (off_t)strlen(own_text(dead)) - 1) == 0);
	must_be_broken(&lock, "the same without a line end");
	plant(own_text((long)getpid()), 0);
	must_be_kept(&lock, "a living pid of this host");
	plant("", 0);
	must_be_kept(&lock, "no text");
	plant(own_text(1), 0);
	must_be_kept(&lock, "another user's living pid");
	for (i = 0; i < COUNT(kept); i++) {
		(void)snprintf(text, sizeof(text), "%s%ld%s", kept[i].before,
		    dead, kept[i].after);
		plant(text, 0);
		must_be_kept(&lock, text);
	}
}

/* One of any other program: by its age, and by the mailbox's. */
ATF_TC_WITHOUT_HEAD(age);
ATF_TC_BODY(age, tc)
{
	struct dotlock lock = begin();
	const time_t old = DOTLOCK_STALE_SECONDS + MARGIN;
	char lengthy[600];

	(void)tc;
	file_write(MAIL, "x", 1);
	make_old(MAIL, old);
	plant("0", DOTLOCK_STALE_SECONDS - MARGIN);
	must_be_kept(&lock, "not old enough");
	plant("0", DOTLOCK_DEAD_SECONDS + MARGIN);
	must_be_kept(&lock, "not one that is refreshed");
	plant("0", -old);
	must_be_kept(&lock, "from the future");
	make_old(MAIL, 0);
	plant("0", old);
	must_be_kept(&lock, "an old one of a fresh mailbox");
	make_old(MAIL, DOTLOCK_STALE_SECONDS - MARGIN);
	must_be_kept(&lock, "an old one of a mailbox in use");
	make_old(MAIL, old);
	must_be_broken(&lock, "both are old");
	ATF_REQUIRE(unlink(MAIL) == 0);
	plant("0", old);
	must_be_broken(&lock, "old, without a mailbox");
	plant(own_text((long)getpid()), old);
	must_be_kept(&lock, "old, and its owner lives");
	ATF_REQUIRE(unlink(LOCK) == 0);
	/* A mailbox that has such a name is no lock. */
	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	plant(lengthy, old);
	must_be_kept(&lock, "old, and longer than any lock");
	ATF_REQUIRE(unlink(LOCK) == 0);
	ATF_CHECK_EQ(0, names_there());
}

/* As postern-lock does: what it made itself is refreshed, or given up. */
ATF_TC_WITHOUT_HEAD(age_where_refreshed);
ATF_TC_BODY(age_where_refreshed, tc)
{
	struct dotlock lock = begin();

	(void)tc;
	lock.ours_refresh = 1;
	file_write(MAIL, "x", 1);
	plant(own_text((long)dead_pid()), 0);
	must_be_kept(&lock, "a dead pid says nothing");
	plant("0", DOTLOCK_DEAD_SECONDS - MARGIN);
	must_be_kept(&lock, "own, young");
	plant("0", DOTLOCK_DEAD_SECONDS + MARGIN);
	must_be_broken(&lock, "own, not refreshed");
	if (geteuid() != 0)
		return;
	plant("0", DOTLOCK_DEAD_SECONDS + MARGIN);
	ATF_REQUIRE(chown(LOCK, FRED_UID, FRED_UID) == 0);
	must_be_kept(&lock, "somebody else's");
	plant("0", DOTLOCK_STALE_SECONDS + MARGIN);
	must_be_kept(&lock, "somebody else's, of a fresh mailbox");
	make_old(MAIL, DOTLOCK_STALE_SECONDS + MARGIN);
	must_be_broken(&lock, "somebody else's, old");
}

/* No program locks with these: they are not for us to remove. */
ATF_TC_WITHOUT_HEAD(not_a_file);
ATF_TC_BODY(not_a_file, tc)
{
	struct dotlock lock = begin();
	const time_t old = DOTLOCK_STALE_SECONDS + MARGIN;
	char text[64];
	int refreshed;

	(void)tc;
	for (refreshed = 0; refreshed < 2; refreshed++) {
		lock.ours_refresh = refreshed;
		ATF_REQUIRE(mkdir(LOCK, 0755) == 0);
		make_old(LOCK, old);
		must_be_kept(&lock, "a directory");
		ATF_REQUIRE(rmdir(LOCK) == 0);
		ATF_REQUIRE(mkfifo(LOCK, 0644) == 0);
		make_old(LOCK, old);
		must_be_kept(&lock, "a FIFO");
		ATF_REQUIRE(unlink(LOCK) == 0);
		ATF_REQUIRE(symlink("nowhere", LOCK) == 0);
		must_be_kept(&lock, "a link to nowhere");
		ATF_REQUIRE(!exists("scratch/nowhere"));
		ATF_REQUIRE(unlink(LOCK) == 0);
		/* What a link leads to is not asked whose lock it is. */
		(void)strlcpy(text, own_text((long)dead_pid()), sizeof(text));
		file_write("scratch/dead", text, strlen(text));
		ATF_REQUIRE(symlink("dead", LOCK) == 0);
		make_old(LOCK, old);
		must_be_kept(&lock, "a link to a dead one's");
		ATF_REQUIRE(unlink(LOCK) == 0);
	}
}

ATF_TC_WITHOUT_HEAD(impossible);
ATF_TC_BODY(impossible, tc)
{
	struct dotlock lock = begin();

	(void)tc;
	memset(lock.mailbox, 'x', sizeof(lock.mailbox) - 1);
	ATF_CHECK_EQ(DOTLOCK_IMPOSSIBLE, dotlock_try(&lock));
	ATF_CHECK_EQ(ENAMETOOLONG, errno);
	lock.mailbox[DOTLOCK_NAME_SIZE - 1 - strlen(".lock")] = '\0';
	ATF_CHECK_EQ(DOTLOCK_TAKEN, dotlock_try(&lock));
	dotlock_release(&lock);
	lock.mailbox[DOTLOCK_NAME_SIZE - 1 - strlen(".lock")] = 'x';
	lock.mailbox[DOTLOCK_NAME_SIZE - strlen(".lock")] = '\0';
	ATF_CHECK_EQ(DOTLOCK_IMPOSSIBLE, dotlock_try(&lock));
	ATF_CHECK_EQ(ENAMETOOLONG, errno);
	ATF_CHECK_EQ(0, names_there());
	(void)strlcpy(lock.mailbox, BOX, sizeof(lock.mailbox));
	ATF_REQUIRE(rmdir("scratch") == 0);
	ATF_CHECK_EQ(DOTLOCK_IMPOSSIBLE, dotlock_try(&lock));
	ATF_CHECK_EQ(ENOENT, errno);
	ATF_CHECK_EQ(-1, lock.fd);
}

ATF_TC_WITHOUT_HEAD(read_only_directory);
ATF_TC_BODY(read_only_directory, tc)
{
	struct dotlock lock = begin();
	pid_t pid;
	int status;

	(void)tc;
	ATF_REQUIRE(chmod("scratch", 0555) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (geteuid() == 0 &&
		    setresuid(FRED_UID, FRED_UID, FRED_UID) == -1)
			_exit(1);
		if (dotlock_try(&lock) != DOTLOCK_IMPOSSIBLE)
			_exit(2);
		_exit(errno == EACCES ? 0 : 3);
	}
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ_MSG(0, status, "%#x", (unsigned int)status);
	ATF_CHECK_EQ(0, names_there());
	ATF_REQUIRE(chmod("scratch", 0755) == 0);
}

ATF_TC_WITHOUT_HEAD(refreshed);
ATF_TC_BODY(refreshed, tc)
{
	struct dotlock lock = begin();
	struct stat status;
	time_t before = time(NULL);

	(void)tc;
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&lock));
	make_old(LOCK, DOTLOCK_STALE_SECONDS);
	dotlock_refresh(&lock);
	ATF_REQUIRE(stat(LOCK, &status) == 0);
	/* A file's time is of the last tick. */
	ATF_CHECK(status.st_mtime >= before - 1);
	dotlock_release(&lock);
}

static ino_t
take_kept(struct dotlock *lock, pid_t holder)
{
	struct stat status;
	char *text;

	lock->holder = holder;
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(lock));
	text = file_read(LOCK, NULL);
	ATF_CHECK_STREQ(own_text((long)holder), text);
	free(text);
	ATF_REQUIRE(lstat(LOCK, &status) == 0);
	ATF_CHECK_EQ(1, status.st_nlink);
	ATF_CHECK(status.st_mtime >= time(NULL) - MARGIN);
	return (status.st_ino);
}

/* The one name in the directory. */
static const char *
only_name(void)
{
	static char path[300];
	struct dirent *entry;
	DIR *directory;

	ATF_REQUIRE_EQ(1, names_there());
	ATF_REQUIRE((directory = opendir("scratch")) != NULL);
	while ((entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			(void)snprintf(path, sizeof(path), "scratch/%s",
			    entry->d_name);
	(void)closedir(directory);
	return (path);
}

/* One file is one lock after the other, and no lock in between. */
ATF_TC_WITHOUT_HEAD(kept_file);
ATF_TC_BODY(kept_file, tc)
{
	struct dotlock lock = begin(), other = begin();
	const pid_t own = getpid();
	ino_t file;

	(void)tc;
	lock.keeps_files = 1;
	file = take_kept(&lock, own);
	ATF_CHECK_EQ(1, names_there());
	ATF_CHECK_EQ(DOTLOCK_HELD, dotlock_try(&other));
	make_old(LOCK, DOTLOCK_STALE_SECONDS);
	dotlock_release(&lock);
	ATF_CHECK(!exists(LOCK));
	ATF_CHECK_EQ(1, names_there());
	/* Another's is another file, and is not taken for ours. */
	ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&other));
	ATF_CHECK_EQ(DOTLOCK_HELD, dotlock_try(&lock));
	dotlock_release(&other);
	/* Another pid of as many digits. */
	ATF_CHECK_EQ(file, take_kept(&lock, own - own % 10 +
	    (own + 1) % 10));
	dotlock_release(&lock);
	dotlock_forget_files();
	ATF_CHECK_EQ(0, names_there());
	dotlock_forget_files();
}

/* A file that is not quite ours any more is not made a lock. */
ATF_TC_WITHOUT_HEAD(kept_file_changed);
ATF_TC_BODY(kept_file_changed, tc)
{
	struct dotlock lock = begin();
	struct stat status;
	char path[300];
	int fd;

	(void)tc;
	lock.keeps_files = 1;
	(void)take_kept(&lock, 47110);
	dotlock_release(&lock);
	(void)take_kept(&lock, 4);	/* a shorter text */
	dotlock_release(&lock);
	ATF_REQUIRE(link(only_name(), "elsewhere") == 0);
	(void)take_kept(&lock, 5);
	dotlock_release(&lock);
	(void)strlcpy(path, only_name(), sizeof(path));
	/* While it is open, no other file gets its number. */
	ATF_REQUIRE((fd = open("elsewhere", O_RDONLY | O_CLOEXEC)) != -1);
	ATF_REQUIRE(fstat(fd, &status) == 0);
	ATF_CHECK_EQ(1, status.st_nlink);
	/* Another file has got its name: that one goes, and is no lock. */
	ATF_REQUIRE(rename("elsewhere", path) == 0);
	ATF_CHECK(status.st_ino != take_kept(&lock, 6));
	(void)close(fd);
	/* While it was held another program took its place. */
	ATF_REQUIRE(unlink(LOCK) == 0);
	plant("another's", 0);
	dotlock_release(&lock);
	ATF_CHECK_STREQ(LOCK, only_name());
	ATF_REQUIRE(unlink(LOCK) == 0);
	(void)take_kept(&lock, 7);
	dotlock_release(&lock);
	dotlock_forget_files();
	ATF_CHECK_EQ(0, names_there());
}

ATF_TC_WITHOUT_HEAD(kept_files);
ATF_TC_BODY(kept_files, tc)
{
	struct dotlock lock[DOTLOCK_KEPT_MAX + 2];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(lock); i++) {
		lock[i] = begin();
		/* All of one process are in one directory. */
		lock[i].directory = lock[0].directory;
		lock[i].keeps_files = 1;
		(void)snprintf(lock[i].mailbox, sizeof(lock[i].mailbox),
		    "box%zu", i);
		ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&lock[i]));
	}
	ATF_CHECK_EQ((int)COUNT(lock), names_there());
	for (i = 0; i < COUNT(lock); i++)
		dotlock_release(&lock[i]);
	ATF_CHECK_EQ(DOTLOCK_KEPT_MAX, names_there());
	for (i = 0; i < COUNT(lock); i++)
		ATF_REQUIRE_EQ(DOTLOCK_TAKEN, dotlock_try(&lock[i]));
	ATF_CHECK_EQ((int)COUNT(lock), names_there());
	for (i = 0; i < COUNT(lock); i++)
		dotlock_release(&lock[i]);
	dotlock_forget_files();
	ATF_CHECK_EQ(0, names_there());
}

#define TAKERS		8
#define ROUNDS		500
#define CRASHES		2	/* one of so many, where there are any */

static void
take(struct dotlock *lock)
{
	enum dotlock_result result;

	while ((result = dotlock_try(lock)) != DOTLOCK_TAKEN) {
		if (result == DOTLOCK_IMPOSSIBLE)
			_exit(1);
		(void)sched_yield();
	}
}

/* One is added without any protection but the lock's. */
static void
count_up(int fd)
{
	long value = 0;

	if (pread(fd, &value, sizeof(value), 0) == -1)
		_exit(2);
	value++;
	if (pwrite(fd, &value, sizeof(value), 0) != sizeof(value))
		_exit(2);
}

/* Its end without a release, as by a crash: a stale lock is what is left. */
static void
crash(struct dotlock *lock, pid_t dead)
{
	char text[400];
	int fd = open(LOCK, O_WRONLY | O_TRUNC | O_CLOEXEC);

	(void)snprintf(text, sizeof(text), "%s", own_text((long)dead));
	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		_exit(3);
	(void)close(fd);
	(void)close(lock->fd);
	lock->fd = -1;
}

static void
taker(int plants, pid_t dead, int keeps_files)
{
	struct dotlock lock = begin();
	int fd = open("count", O_RDWR | O_CLOEXEC), i;

	lock.keeps_files = keeps_files;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A lock that nobody has and nobody gets is an end, too. */
	(void)alarm(110);
	/* A line for each lock that was stale would be thousands. */
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(4);
	for (i = 0; i < ROUNDS; i++) {
		take(&lock);
		count_up(fd);
		if (plants && randombytes_uniform(CRASHES) == 0)
			crash(&lock, dead);
		else
			dotlock_release(&lock);
	}
	dotlock_forget_files();
	_exit(0);
}

/* Every one of them counts, whoever comes at the same time. */
static void
exclude_each_other(int plants)
{
	const pid_t dead = dead_pid();
	pid_t takers[TAKERS];
	struct dotlock lock = begin();
	long value = 0;
	int i, status, fd;

	file_write("count", &value, sizeof(value));
	for (i = 0; i < TAKERS; i++) {
		ATF_REQUIRE((takers[i] = fork()) != -1);
		if (takers[i] == 0)
			taker(plants, dead, i % 2);
	}
	for (i = 0; i < TAKERS; i++) {
		ATF_REQUIRE(waitpid(takers[i], &status, 0) == takers[i]);
		ATF_CHECK_EQ_MSG(0, status, "taker %d: %#x", i,
		    (unsigned int)status);
	}
	ATF_REQUIRE((fd = open("count", O_RDONLY | O_CLOEXEC)) != -1);
	ATF_REQUIRE(read(fd, &value, sizeof(value)) == sizeof(value));
	(void)close(fd);
	ATF_CHECK_EQ_MSG((long)TAKERS * ROUNDS, value, "%ld were counted",
	    value);
	/* The last may have crashed. */
	while (dotlock_try(&lock) != DOTLOCK_TAKEN)
		continue;
	dotlock_release(&lock);
	ATF_CHECK_EQ(0, names_there());
}

ATF_TC(exclusion);
ATF_TC_HEAD(exclusion, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(exclusion, tc)
{
	(void)tc;
	exclude_each_other(0);
}

ATF_TC(exclusion_with_stale);
ATF_TC_HEAD(exclusion_with_stale, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(exclusion_with_stale, tc)
{
	(void)tc;
	exclude_each_other(1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, taken);
	ATF_TP_ADD_TC(tp, second_taker);
	ATF_TP_ADD_TC(tp, release_of_anothers);
	ATF_TP_ADD_TC(tp, owner_dead);
	ATF_TP_ADD_TC(tp, age);
	ATF_TP_ADD_TC(tp, age_where_refreshed);
	ATF_TP_ADD_TC(tp, not_a_file);
	ATF_TP_ADD_TC(tp, impossible);
	ATF_TP_ADD_TC(tp, read_only_directory);
	ATF_TP_ADD_TC(tp, refreshed);
	ATF_TP_ADD_TC(tp, kept_file);
	ATF_TP_ADD_TC(tp, kept_file_changed);
	ATF_TP_ADD_TC(tp, kept_files);
	ATF_TP_ADD_TC(tp, exclusion);
	ATF_TP_ADD_TC(tp, exclusion_with_stale);
	return (atf_no_error());
}
