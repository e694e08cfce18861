/*
 * lock.c - locks on a mailbox, and on its use by one session.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dotlock.h"
#include "ipc.h"
#include "lock.h"
#include "log.h"
#include "parent.h"
#include "place.h"

static const char cannot_lock[] = "the mailbox cannot be locked";
const char lock_impossible[] = "the mailbox cannot be locked: no dotlock can "
    "be made";

static const char no_answer[] = "postern-lock does not answer; a new session "
    "will ask another one";

enum lock_result {
	TAKEN,
	HELD,			/* by another program, for now */
	FAILED,			/* it will not get better by waiting here */
	IMPOSSIBLE		/* nor in another session */
};

/* A dotlock of this process's own making, and one of postern-lock's. */
static struct dotlock own = { .fd = -1 };
static int spool_locked;
static int spool_gone;		/* postern-lock does not answer any more */
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

/* Waits a moment; true when the session is no longer wanted. */
static int
pause_ended(const struct mailbox_place *place)
{
	struct pollfd pulse = { place->pulse, POLLIN, 0 };
	int wait = LOCK_RETRY_MS + (int)randombytes_uniform(LOCK_RETRY_MS);

	return (poll(&pulse, 1, wait) == 1);
}

static enum lock_result
lock_result(int failed)
{
	if (failed == 0)
		return (TAKEN);
	return (errno == EACCES || errno == EAGAIN || errno == EINTR ? HELD :
	    FAILED);
}

/* While a dotlock of our own is held, a timer keeps it young. */
static void
on_alarm(int number)
{
	const int error = errno;

	(void)number;
	dotlock_refresh(&own);
	errno = error;
}

static void
set_timer(time_t seconds)
{
	const struct itimerval timer = { { seconds, 0 }, { seconds, 0 } };
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	action.sa_flags = SA_RESTART;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static enum dotlock_result
take_own(const struct mailbox_place *place)
{
	enum dotlock_result result;

	if (own.fd != -1)
		return (DOTLOCK_TAKEN);
	own.directory = place->directory;
	own.holder = getpid();
	own.ours_refresh = 0;
	if (strlcpy(own.mailbox, place->name, sizeof(own.mailbox)) >=
	    sizeof(own.mailbox)) {
		errno = ENAMETOOLONG;
		return (DOTLOCK_IMPOSSIBLE);
	}
	if ((result = dotlock_try(&own)) == DOTLOCK_TAKEN)
		set_timer(DOTLOCK_REFRESH_SECONDS);
	return (result);
}

/* Asks postern-lock, and waits for its answer; -1 with errno: there is none. */
static int
exchange(enum ipc_type request, struct ipc_lock_answer *reply)
{
	static struct ipc_message message;
	struct pollfd channel = { CHILD_LOCK, POLLIN, 0 };

	if (ipc_send(CHILD_LOCK, request, 0, NULL, NULL) == -1)
		return (-1);
	errno = ETIMEDOUT;
	if (poll(&channel, 1, LOCK_ANSWER_SECONDS * 1000) != 1)
		return (-1);
	errno = EPIPE;
	if (ipc_receive(CHILD_LOCK, &message) != 1)
		return (-1);
	if (message.header.type != IPC_LOCK_ANSWER || ipc_check(&message,
	    ROLE_LOCK, ROLE_STORE, PHASE_WAIT_LOCK) != NULL)
		log_fatal("event=ipc from=lock error=\"not an answer\"");
	*reply = *IPC_PAYLOAD(&message, ipc_lock_answer);
	ipc_release(&message);
	if (reply->result > DOTLOCK_IMPOSSIBLE)
		log_fatal("event=ipc from=lock error=\"not a result\"");
	return (0);
}

/*
 * Without an answer nobody knows what is held, and the next answer might be
 * to this request: that is the end of the channel, and of a lock that
 * postern-lock holds for it.
 */
static int
ask_spool(enum ipc_type request, struct ipc_lock_answer *reply)
{
	int error;

	errno = EPIPE;
	if (spool_gone)
		return (-1);
	if (exchange(request, reply) == 0)
		return (0);
	error = errno;
	spool_gone = 1;
	(void)close(CHILD_LOCK);
	errno = error;
	return (-1);
}

static enum dotlock_result
take_in_spool(void)
{
	struct ipc_lock_answer reply;

	if (ask_spool(IPC_LOCK_TAKE, &reply) == -1)
		return (DOTLOCK_IMPOSSIBLE);
	spool_locked = reply.result == DOTLOCK_TAKEN;
	errno = (int)reply.error;
	return ((enum dotlock_result)reply.result);
}

/* An agent may take dotlocks alone, where none can be made for a session. */
static int
is_dotlocked(const struct mailbox_place *place)
{
	struct dotlock lock = { .directory = place->directory,
	    .only_looks = 1, .fd = -1 };
	const int error = errno;
	int found;

	found = strlcpy(lock.mailbox, place->name, sizeof(lock.mailbox)) <
	    sizeof(lock.mailbox) && dotlock_is_there(&lock);
	errno = error;
	return (found);
}

/* Somebody has to do something about it. */
static int
is_lasting(int error)
{
	return (error == EACCES || error == EPERM || error == EROFS ||
	    error == ENOENT || error == ENAMETOOLONG || error == EOPNOTSUPP);
}

/* Where the store makes none, and postern-lock knows of no such place. */
static int
is_never_made(const struct mailbox_place *place, int error)
{
	return (place->dotlock == DOTLOCK_NOBODY ||
	    (place->dotlock == DOTLOCK_IN_SPOOL && error == ENOENT));
}

static void
tell_no_dotlock(const struct mailbox_place *place, int priority, int error)
{
	log_line(priority, "event=lock folder=%s error=\"no dotlock can be "
	    "made: %s\"", place->label, is_never_made(place, error) ?
	    "none is made in this directory" : strerror(error));
}

/*
 * One that cannot be made and need not be is as good as taken where there is
 * none; but one that is made otherwise, when postern-lock runs, is not done
 * without.
 */
static enum lock_result
take_dotlock(const struct mailbox_place *place, int required)
{
	enum dotlock_result result = DOTLOCK_IMPOSSIBLE;
	static int told;
	int unanswered;

	errno = EACCES;
	if (place->dotlock == DOTLOCK_BESIDE)
		result = take_own(place);
	else if (place->dotlock == DOTLOCK_IN_SPOOL)
		result = take_in_spool();
	if (result != DOTLOCK_IMPOSSIBLE)
		return (result == DOTLOCK_TAKEN ? TAKEN : HELD);
	/* In other places postern-lock is not asked. */
	unanswered = spool_gone && place->dotlock == DOTLOCK_IN_SPOOL;
	if (!unanswered && is_dotlocked(place))
		return (HELD);
	/* A failure that may pass is not done without. */
	if (unanswered || (!is_lasting(errno) && errno != ENOSPC &&
	    errno != EDQUOT))
		return (FAILED);
	if (required)
		return (is_lasting(errno) ? IMPOSSIBLE : FAILED);
	if (!told++)
		tell_no_dotlock(place, is_never_made(place, errno) ?
		    LOG_DEBUG : LOG_INFO, errno);
	return (TAKEN);
}

static enum lock_result
take(uint32_t kind, int fd, int exclusive, const struct mailbox_place *place)
{
	switch (kind) {
	case LOCK_FCNTL:
		return (lock_result(try_lock(fd, exclusive ? F_WRLCK :
		    F_RDLCK, 0, 0)));
	case LOCK_FLOCK:
		return (lock_result(flock(fd, LOCK_NB | (exclusive ?
		    LOCK_EX : LOCK_SH))));
	default:
		return (take_dotlock(place, kind == LOCK_DOTLOCK));
	}
}

void
lock_mailbox_release(int fd)
{
	struct ipc_lock_answer reply;
	const int error = errno;

	if (own.fd != -1) {
		set_timer(0);
		dotlock_release(&own);
	}
	/* If postern-lock has gone, its lock is stale before long. */
	if (spool_locked)
		(void)ask_spool(IPC_LOCK_RELEASE, &reply);
	spool_locked = 0;
	(void)flock(fd, LOCK_UN);
	(void)try_lock(fd, F_UNLCK, 0, 0);
	errno = error;
}

static enum lock_result
take_all(int fd, int exclusive, const struct mailbox_place *place)
{
	enum lock_result result = TAKEN;
	const uint32_t *kind;

	for (kind = place->locks; *kind != LOCK_NONE && result == TAKEN;
	    kind++)
		result = take(*kind, fd, exclusive, place);
	if (result != TAKEN)
		lock_mailbox_release(fd);
	return (result);
}

const char *
lock_mailbox(int fd, int exclusive, const struct mailbox_place *place)
{
	const uint64_t deadline = clock_now_ms() +
	    (uint64_t)place->lock_seconds * 1000;
	enum lock_result result;

	while ((result = take_all(fd, exclusive, place)) == HELD) {
		if (pause_ended(place))
			return ("the session ended");
		if (clock_now_ms() >= deadline) {
			log_line(LOG_WARNING, "event=lock folder=%s "
			    "error=\"held by another program\"", place->label);
			return ("the mailbox is locked by another program; "
			    "try again later");
		}
	}
	if (result == TAKEN)
		return (NULL);
	if (result == IMPOSSIBLE) {
		tell_no_dotlock(place, LOG_ERR, errno);
		return (lock_impossible);
	}
	log_line(LOG_ERR, "event=lock folder=%s error=\"%s\"", place->label,
	    errno == EPIPE ? no_answer : strerror(errno));
	return (cannot_lock);
}

const char *
lock_mailbox_check(const struct mailbox_place *place)
{
	struct ipc_lock_answer reply = { DOTLOCK_TAKEN, 0 };

	if ((own.fd == -1 || dotlock_is_held(&own)) && (!spool_locked ||
	    (ask_spool(IPC_LOCK_TAKE, &reply) == 0 &&
	    reply.result == DOTLOCK_TAKEN)))
		return (NULL);
	log_line(LOG_ERR, "event=lock folder=%s error=\"%s\"", place->label,
	    spool_locked && spool_gone ? no_answer :
	    "the dotlock was removed by another program");
	return (cannot_lock);
}

/* The same place gives the same byte, one that off_t can name. */
static int
place_offset(const struct mailbox_place *place, off_t *offset)
{
	unsigned char digest[PLACE_DIGEST_BYTES];
	uint64_t value;

	if (place_digest(place, digest) == -1)
		return (-1);
	memcpy(&value, digest, sizeof(value));
	*offset = (off_t)(value >> 2);
	return (0);
}

const char lock_in_use[] = "the mailbox is in use by another session";

const char *
lock_session(int state_directory, const struct mailbox_place *place)
{
	enum lock_result result;
	struct stat file;
	off_t offset;
	int tries = SESSION_LOCK_MS / LOCK_RETRY_MS;

	if (sessions == -1)
		sessions = openat(state_directory, "sessions", O_RDWR |
		    O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (sessions == -1 || fstat(sessions, &file) == -1 ||
	    !S_ISREG(file.st_mode) ||
	    place_offset(place, &offset) == -1) {
		log_line(LOG_ERR, "event=lock file=sessions error=\"%s\"",
		    strerror(errno));
		return (cannot_lock);
	}
	while ((result = lock_result(try_lock(sessions, F_WRLCK, offset,
	    1))) == HELD)
		if (tries-- == 0 || pause_ended(place))
			return (lock_in_use);
	if (result == TAKEN)
		return (NULL);
	log_line(LOG_ERR, "event=lock file=sessions error=\"%s\"",
	    strerror(errno));
	return (cannot_lock);
}

void
lock_session_release(void)
{
	if (sessions != -1)
		(void)try_lock(sessions, F_UNLCK, 0, 0);
}
