/*
 * lock.c - locks on a mailbox, and on its use by one session.
 *
 * Linked into postern-store; runs as the user.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"
#include "log.h"

static int sessions = -1;

static int
try_lock(int fd, short type, off_t start, off_t length)
{
	struct flock lock;

	memset(&lock, 0, sizeof(lock));
	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	lock.l_start = start;
	lock.l_len = length;
	return (fcntl(fd, F_SETLK, &lock));
}

/* Seconds of a clock that nobody sets. */
static time_t
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (time.tv_sec);
}

/* Waits a moment; true when the session is no longer wanted. */
static int
pause_ended(const struct mailbox_place *place)
{
	struct pollfd pulse = { place->pulse, POLLIN, 0 };
	int wait = LOCK_RETRY_MS + (int)randombytes_uniform(LOCK_RETRY_MS);

	return (poll(&pulse, 1, wait) == 1);
}

const char *
lock_file(int fd, int exclusive, const struct mailbox_place *place)
{
	const time_t deadline = now() + (time_t)place->lock_seconds;

	for (;;) {
		if (try_lock(fd, exclusive ? F_WRLCK : F_RDLCK, 0, 0) == 0)
			return (NULL);
		if (errno != EACCES && errno != EAGAIN && errno != EINTR) {
			log_line(LOG_ERR, "event=lock folder=%s error=\"%s\"",
			    place->label, strerror(errno));
			return ("the mailbox cannot be locked");
		}
		if (pause_ended(place))
			return ("the session ended");
		if (now() >= deadline) {
			log_line(LOG_WARNING, "event=lock folder=%s "
			    "error=\"held by another program\"", place->label);
			return ("the mailbox is locked by another program; "
			    "try again later");
		}
	}
}

void
lock_release(int fd)
{
	(void)try_lock(fd, F_UNLCK, 0, 0);
}

/* The same place gives the same byte, whatever name led to it. */
static off_t
place_offset(const struct mailbox_place *place, const struct stat *directory)
{
	unsigned char digest[crypto_generichash_BYTES_MIN];
	crypto_generichash_state hash;
	uint64_t value;

	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)&directory->st_dev,
	    sizeof(directory->st_dev));
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)&directory->st_ino,
	    sizeof(directory->st_ino));
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)place->name, strlen(place->name));
	(void)crypto_generichash_final(&hash, digest, sizeof(digest));
	memcpy(&value, digest, sizeof(value));
	return ((off_t)(value >> 2));	/* a byte that off_t can name */
}

const char *
lock_session(int state_directory, const struct mailbox_place *place)
{
	struct stat directory, file;
	int tries = SESSION_LOCK_MS / LOCK_RETRY_MS;

	if (sessions == -1)
		sessions = openat(state_directory, "sessions", O_RDWR |
		    O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (sessions == -1 || fstat(sessions, &file) == -1 ||
	    !S_ISREG(file.st_mode) ||
	    fstat(place->directory, &directory) == -1) {
		log_line(LOG_ERR, "event=lock file=sessions error=\"%s\"",
		    strerror(errno));
		return ("the mailbox cannot be locked");
	}
	lock_session_release();
	while (try_lock(sessions, F_WRLCK, place_offset(place, &directory),
	    1) == -1)
		if (tries-- == 0 || pause_ended(place))
			return ("the mailbox is in use by another session");
	return (NULL);
}

void
lock_session_release(void)
{
	if (sessions != -1)
		lock_release(sessions);
}
