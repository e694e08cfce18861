/*
 * dotlock.c - a lock that is a file beside the mailbox, NAME.lock.
 *
 * Linked into postern-store and postern-mailbox, for mailboxes in directories
 * of the user's own, and into postern-lock, for the shared spool; runs as that
 * user, never as root.
 *
 * Made by link(2) from a file of a random name, and believed when that file
 * has two links: over NFS neither O_EXCL nor an answer can be relied on.  It
 * holds "pid:host".  postern-lock makes one lock after the other of the same
 * few files: some file systems look at every inode that was freed of late
 * before they give a new one.
 *
 * Stale is a lock whose owner is known to be dead: its pid on this host does
 * not exist, or it is one of those that are refreshed while they are held,
 * and was not; and one of any other program when neither it nor the mailbox
 * has changed for long.  Ages are counted by the clock that sets the files'
 * times, which may be a server's.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dotlock.h"
#include "limits_postern.h"
#include "log.h"

#define RANDOM_BYTES	12
#define TEXT_SIZE	(HOST_NAME_SIZE + 16)

/* A name of our own in the mailbox's directory. */
struct own_name {
	char text[sizeof(".postern.") + 2 * RANDOM_BYTES];
};

static struct own_name
make_name(void)
{
	struct own_name name = { "" };
	unsigned char random[RANDOM_BYTES];
	char hex[2 * RANDOM_BYTES + 1];

	randombytes_buf(random, sizeof(random));
	(void)snprintf(name.text, sizeof(name.text), ".postern.%s",
	    sodium_bin2hex(hex, sizeof(hex), random, sizeof(random)));
	return (name);
}

int
dotlock_is_name(const char *name)
{
	const size_t length = strlen(name), end = sizeof(".lock") - 1;

	return (length > end && strcmp(name + length - end, ".lock") == 0);
}

/* NAME.lock; -1 with errno where that is too long. */
static int
lock_name(const struct dotlock *lock, char *name)
{
	if (snprintf(name, DOTLOCK_NAME_SIZE, "%s.lock", lock->mailbox) <
	    DOTLOCK_NAME_SIZE)
		return (0);
	errno = ENAMETOOLONG;
	return (-1);
}

static const char *
this_host(void)
{
	static char host[HOST_NAME_SIZE];

	if (host[0] == '\0')
		(void)gethostname(host, sizeof(host) - 1);
	return (host);
}

/* Whom the lock names; the length. */
static size_t
make_text(const struct dotlock *lock, char *text)
{
	return ((size_t)snprintf(text, TEXT_SIZE, "%ld:%s\n",
	    (long)lock->holder, this_host()));
}

/* A new file with our text in it; its descriptor, or -1 with errno. */
static int
make_file(const struct dotlock *lock, const struct own_name *name)
{
	char text[TEXT_SIZE];
	size_t length;
	int fd, error;

	fd = openat(lock->directory, name->text, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd == -1)
		return (-1);
	length = make_text(lock, text);
	/* On a full disk the file can be made, and must do without a text. */
	if (write(fd, text, length) == -1 && errno != ENOSPC &&
	    errno != EDQUOT) {
		error = errno;
		(void)close(fd);
		(void)unlinkat(lock->directory, name->text, 0);
		errno = error;
		return (-1);
	}
	return (fd);
}

static int
open_found(const struct dotlock *lock, const char *name)
{
	return (openat(lock->directory, name, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

enum owner { OWNER_UNKNOWN, OWNER_ALIVE, OWNER_DEAD };

/* Does "pid:host" in an existing lock name a process of this host? */
static enum owner
owner_of(const struct dotlock *lock, const char *name)
{
	char text[TEXT_SIZE], *host;
	const char *wrong = NULL;
	ssize_t length;
	pid_t pid;
	int fd;

	if ((fd = open_found(lock, name)) == -1)
		return (OWNER_UNKNOWN);
	length = pread(fd, text, sizeof(text) - 1, 0);
	(void)close(fd);
	if (length <= 0)
		return (OWNER_UNKNOWN);
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if ((host = strchr(text, ':')) == NULL)
		return (OWNER_UNKNOWN);
	*host++ = '\0';
	/* A pid is an int on both systems. */
	pid = (pid_t)strtonum(text, 1, 0x7fffffff, &wrong);
	if (wrong != NULL || strcmp(host, this_host()) != 0)
		return (OWNER_UNKNOWN);
	return (kill(pid, 0) == -1 && errno == ESRCH ? OWNER_DEAD :
	    OWNER_ALIVE);
}

/* The time, now, by the clock that sets the times of files in there. */
static time_t
file_clock(const struct dotlock *lock)
{
	const struct own_name name = make_name();
	struct stat status;
	time_t now = 0;
	int fd;

	if (lock->only_looks)
		return (time(NULL));
	if ((fd = make_file(lock, &name)) == -1)
		return (0);
	if (fstat(fd, &status) == 0)
		now = status.st_mtime;
	(void)close(fd);
	(void)unlinkat(lock->directory, name.text, 0);
	return (now);
}

static int
is_stale(const struct dotlock *lock, const char *name,
    const struct stat *found)
{
	const int refreshed = lock->ours_refresh &&
	    found->st_uid == geteuid();
	const time_t limit = refreshed ? DOTLOCK_DEAD_SECONDS :
	    DOTLOCK_STALE_SECONDS;
	enum owner owner = OWNER_UNKNOWN;
	struct stat mailbox;
	time_t now;

	/* What is no lock, but mail perhaps, is not taken away either. */
	if (!S_ISREG(found->st_mode) || found->st_size >= TEXT_SIZE)
		return (0);
	if (!lock->ours_refresh)
		owner = owner_of(lock, name);
	if (owner != OWNER_UNKNOWN)
		return (owner == OWNER_DEAD);
	/* A look at the clock at hand saves most looks at the other one. */
	if (time(NULL) - found->st_mtime < limit)
		return (0);
	now = file_clock(lock);
	if (now - found->st_mtime < limit)
		return (0);
	/* Where nobody removes it, what came later may be our own work. */
	if (lock->only_looks && now - found->st_mtime >= DOTLOCK_LEFT_SECONDS)
		return (1);
	return (refreshed || fstatat(lock->directory, lock->mailbox, &mailbox,
	    AT_SYMLINK_NOFOLLOW) == -1 || now - mailbox.st_mtime >= limit);
}

static int
is_file(const struct stat *one, const struct stat *other)
{
	return (one->st_dev == other->st_dev && one->st_ino == other->st_ino);
}

/* A file that is used again is written anew: to the nanosecond, then. */
static int
is_unchanged(const struct stat *one, const struct stat *other)
{
	return (is_file(one, other) &&
	    timespeccmp(&one->st_mtim, &other->st_mtim, ==) &&
	    one->st_size == other->st_size);
}

/* Gives a lock its name again; 0, or -1 with errno. */
static int
put_back(const struct dotlock *lock, const char *away, const char *name)
{
	struct stat there;

	if (linkat(lock->directory, away, lock->directory, name, 0) == 0)
		return (0);
	/* Another user's may be moved by us, but perhaps not linked. */
	if (fstatat(lock->directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0)
		errno = EEXIST;
	return (errno == EEXIST ? -1 : renameat(lock->directory, away,
	    lock->directory, name));
}

/* What was moved by mistake gets its name back; ours for it goes. */
static void
undo_move(const struct dotlock *lock, const char *away, const char *name)
{
	char quoted[LOG_QUOTED_SIZE];

	if (put_back(lock, away, name) == -1)
		log_line(LOG_ERR, "event=lock file=%s error=\"another "
		    "program's was lost: %s\"", log_quote(quoted,
		    sizeof(quoted), name), strerror(errno));
	(void)unlinkat(lock->directory, away, 0);
}

/*
 * Takes a stale lock away.  It is moved first and looked at again: if in
 * between somebody else broke it and made a new one, that is put back.
 */
static void
move_away(const struct dotlock *lock, const char *name,
    const struct stat *stale)
{
	const struct own_name away = make_name();
	char quoted[LOG_QUOTED_SIZE];
	struct stat moved;

	(void)log_quote(quoted, sizeof(quoted), name);
	if (renameat(lock->directory, name, lock->directory, away.text) ==
	    -1) {
		if (errno != ENOENT)
			log_line(LOG_WARNING, "event=lock file=%s "
			    "error=\"stale, and cannot be removed: %s\"",
			    quoted, strerror(errno));
		return;
	}
	if (fstatat(lock->directory, away.text, &moved, AT_SYMLINK_NOFOLLOW) ==
	    -1 || !is_unchanged(&moved, stale)) {
		undo_move(lock, away.text, name);
		return;
	}
	log_line(LOG_NOTICE, "event=lock file=%s uid=%u age=%lld "
	    "error=\"stale; removed\"", quoted, (unsigned int)stale->st_uid,
	    (long long)(time(NULL) - stale->st_mtime));
	(void)unlinkat(lock->directory, away.text, 0);
}

/*
 * Of several stores that find one lock stale, one at a time takes it away,
 * and the others then see that it went: nobody's new lock is moved.  While
 * it is open, no new one gets its inode's number.  postern-lock may not open
 * it, and is alone on its host; nor may the store that of another user.
 */
static void
take_away(const struct dotlock *lock, const char *name,
    const struct stat *stale)
{
	struct stat held, there;
	int fd = -1;

	errno = EACCES;
	if (!lock->ours_refresh)
		fd = open_found(lock, name);
	if (fd == -1) {
		/* One that is gone has perhaps been followed by a live one. */
		if (errno == EACCES)
			move_away(lock, name, stale);
		return;
	}
	/* A file system that has no such lock for readers leaves the look. */
	if ((flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
	    fstat(fd, &held) == 0 &&
	    fstatat(lock->directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_unchanged(&held, &there) && is_stale(lock, name, &there))
		move_away(lock, name, &there);
	(void)close(fd);
}

static int
is_name_of(const struct dotlock *lock, const char *name,
    const struct stat *file)
{
	struct stat there;

	return (fstatat(lock->directory, name, &there, AT_SYMLINK_NOFOLLOW) ==
	    0 && is_file(&there, file));
}

/* Files that were locks, each with a name of our own and no other. */
static struct kept {
	int directory;
	int fd;
	struct own_name name;
} kept[DOTLOCK_KEPT_MAX];
static size_t kept_count;

static void
remove_file(const struct kept *file)
{
	(void)unlinkat(file->directory, file->name.text, 0);
	(void)close(file->fd);
}

void
dotlock_forget_files(void)
{
	while (kept_count > 0)
		remove_file(&kept[--kept_count]);
}

/*
 * A file that was a lock, with our text in it and the time of now; or -1.  One
 * that has got another name, or would keep the end of a longer text, is gone.
 */
static int
take_kept(const struct dotlock *lock, struct own_name *name)
{
	const struct kept *file;
	char text[TEXT_SIZE];
	const size_t length = make_text(lock, text);
	struct stat ours;

	if (kept_count == 0 ||
	    kept[kept_count - 1].directory != lock->directory)
		return (-1);
	file = &kept[--kept_count];
	if (fstat(file->fd, &ours) == 0 && ours.st_nlink == 1 &&
	    ours.st_size == (off_t)length &&
	    is_name_of(lock, file->name.text, &ours) &&
	    pwrite(file->fd, text, length, 0) == (ssize_t)length) {
		*name = file->name;
		return (file->fd);
	}
	remove_file(file);
	return (-1);
}

/*
 * Gives the lock's file a name of our own for the lock's.  What had the lock's
 * name in the meantime gets it back.
 */
static int
keep_file(const struct dotlock *lock, const char *name)
{
	struct kept *file = &kept[kept_count];
	struct stat ours;

	if (!lock->keeps_files || kept_count == DOTLOCK_KEPT_MAX)
		return (-1);
	*file = (struct kept){ lock->directory, lock->fd, make_name() };
	if (fstat(lock->fd, &ours) == -1 || renameat(lock->directory, name,
	    lock->directory, file->name.text) == -1)
		return (-1);
	kept_count++;
	if (is_name_of(lock, file->name.text, &ours))
		return (0);
	kept_count--;
	undo_move(lock, file->name.text, name);
	(void)close(lock->fd);
	return (0);
}

/* Makes the lock out of a file: 1 done, 0 it exists, -1 with errno. */
static int
make_lock(struct dotlock *lock, const char *name)
{
	struct own_name own = make_name();
	struct stat ours;
	int fd, error, linked;

	if ((fd = take_kept(lock, &own)) == -1 &&
	    (fd = make_file(lock, &own)) == -1)
		return (-1);
	error = linkat(lock->directory, own.text, lock->directory, name, 0) ==
	    -1 ? errno : 0;
	/*
	 * What link(2) said may be wrong over NFS.  A second link may be a
	 * neighbour's, where such are allowed: the name decides as well.
	 */
	linked = fstat(fd, &ours) == 0 && ours.st_nlink >= 2 &&
	    is_name_of(lock, name, &ours);
	(void)unlinkat(lock->directory, own.text, 0);
	if (linked) {
		lock->fd = fd;
		return (1);
	}
	(void)close(fd);
	errno = error;
	return (error == EEXIST || error == 0 ? 0 : -1);
}

enum dotlock_result
dotlock_try(struct dotlock *lock)
{
	char name[DOTLOCK_NAME_SIZE];
	struct stat found;
	int made;

	if (lock_name(lock, name) == -1)
		return (DOTLOCK_IMPOSSIBLE);
	if (fstatat(lock->directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0) {
		if (is_stale(lock, name, &found))
			take_away(lock, name, &found);
		return (DOTLOCK_HELD);
	}
	if (errno != ENOENT)
		return (DOTLOCK_IMPOSSIBLE);
	made = make_lock(lock, name);
	return (made == 1 ? DOTLOCK_TAKEN : made == 0 ? DOTLOCK_HELD :
	    DOTLOCK_IMPOSSIBLE);
}

int
dotlock_is_there(const struct dotlock *lock)
{
	char name[DOTLOCK_NAME_SIZE];
	struct stat found;

	return (lock_name(lock, name) == 0 && fstatat(lock->directory, name,
	    &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !is_stale(lock, name, &found));
}

void
dotlock_refresh(const struct dotlock *lock)
{
	if (lock->fd != -1)
		(void)futimens(lock->fd, NULL);
}

int
dotlock_is_held(const struct dotlock *lock)
{
	char name[DOTLOCK_NAME_SIZE];
	struct stat ours;

	return (lock->fd != -1 && lock_name(lock, name) == 0 &&
	    fstat(lock->fd, &ours) == 0 && is_name_of(lock, name, &ours));
}

void
dotlock_release(struct dotlock *lock)
{
	char name[DOTLOCK_NAME_SIZE], quoted[LOG_QUOTED_SIZE];

	if (lock->fd == -1 || lock_name(lock, name) == -1)
		return;
	if (!dotlock_is_held(lock)) {
		log_line(LOG_WARNING, "event=lock file=%s error=\"another "
		    "program removed it while it was held\"",
		    log_quote(quoted, sizeof(quoted), name));
		(void)close(lock->fd);
	} else if (keep_file(lock, name) == -1) {
		(void)unlinkat(lock->directory, name, 0);
		(void)close(lock->fd);
	}
	lock->fd = -1;
}
