/*
 * spool_lock.c - postern-lock: dotlocks in a spool that a group may write.
 *
 * Runs as its own user with the spool's group, and never reads mail: it can
 * open no file that exists.  A store asks over a channel of its session,
 * which the parent has made; what it may lock is that session's own mailbox,
 * and all that it can say is "take" and "release".  When the channel ends,
 * the lock goes.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "dotlock.h"
#include "log.h"
#include "sandbox.h"

static struct ipc_lock_config config;
static char spool_path[PATH_SIZE];	/* "": the mailboxes have none */
static const char *real_spool;		/* where its links lead, or NULL */
static int spool = -1;
static int spool_error;		/* why it is not open */
static struct stat seen;	/* where its path led to; zeros: nowhere */
static int moved;		/* it leads elsewhere by now */
static time_t moved_at;

/* polled[0] is the parent's channel; the others are sessions', densely. */
static struct pollfd polled[1 + SESSIONS_MAX];
static struct dotlock locks[1 + SESSIONS_MAX];
static size_t used = 1;

static void
handle_config(void *context, struct ipc_message *message)
{
	(void)context;
	config = *IPC_PAYLOAD(message, ipc_lock_config);
}

/* Seconds of a clock that nobody sets. */
static time_t
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (time.tv_sec);
}

/* Where the spool's path leads to now. */
static struct stat
look_at_spool(void)
{
	struct stat status;

	if (fstatat(AT_FDCWD, spool_path, &status, 0) == -1)
		memset(&status, 0, sizeof(status));
	return (status);
}

/* The spool is DIRECTORY where mailboxes are DIRECTORY/%u. */
static void
find_spool(void)
{
	char *last = strrchr(config.mailbox, '/');

	if (config.mailbox[0] != '/' || strcmp(last, "/%u") != 0)
		return;
	*last = '\0';
	if (strchr(config.mailbox, '%') != NULL)
		return;
	(void)strlcpy(spool_path, config.mailbox[0] != '\0' ? config.mailbox :
	    "/", sizeof(spool_path));
	/* The administrator's own path: links in it are meant. */
	real_spool = realpath(spool_path, NULL);
	if (real_spool != NULL)
		spool = open(real_spool, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
	if (spool != -1 && fstat(spool, &seen) == 0)
		return;
	spool_error = errno;
	/* Any other failure may pass: then the next take starts again. */
	if (spool_error == EACCES || spool_error == EPERM)
		seen = look_at_spool();
	log_line(LOG_WARNING, "event=lock spool=%s error=\"%s\"", spool_path,
	    strerror(spool_error));
}

/*
 * Another file system came there, the directory or a link was replaced, or
 * there is one now: who has mail there looks for dotlocks there.  The sandbox
 * keeps this process from following; the next one begins with a fresh look.
 */
static int
is_moved(void)
{
	struct stat status;

	if (moved)
		return (1);
	status = look_at_spool();
	if (status.st_dev == seen.st_dev && status.st_ino == seen.st_ino)
		return (0);
	log_line(LOG_WARNING, "event=lock spool=%s error=\"the path leads to "
	    "another directory now; starting again\"", spool_path);
	moved = 1;
	moved_at = now();
	return (1);
}

/*
 * The name in the spool of a session's mailbox: the user's, or, where the
 * passwd file names the mailbox, what that says.  NULL: it is not there.
 */
static const char *
spool_name(const struct ipc_store_config *session)
{
	const size_t length = strlen(spool_path);
	const char *name = session->system_name[0] != '\0' ?
	    session->system_name : session->user;

	if (spool_path[0] == '\0')
		return (NULL);
	if (!session->is_template) {
		if (strncmp(session->maildrop, spool_path, length) != 0 ||
		    session->maildrop[length] != '/')
			return (NULL);
		name = session->maildrop + length + 1;
	}
	return (name[0] == '\0' || name[0] == '.' ||
	    strchr(name, '/') != NULL || dotlock_is_name(name) ? NULL : name);
}

static void
handle_session(void *context, struct ipc_message *message)
{
	const struct ipc_store_config *session = IPC_PAYLOAD(message,
	    ipc_store_config);
	const char *name = spool_name(session);
	struct dotlock *lock = &locks[used];

	(void)context;
	/* The channel's end tells the store that it cannot lock now. */
	if (used == 1 + SESSIONS_MAX)
		return;
	lock->directory = spool;
	(void)strlcpy(lock->mailbox, name != NULL ? name : "",
	    sizeof(lock->mailbox));
	lock->holder = (pid_t)session->pid;
	lock->ours_refresh = lock->keeps_files = 1;
	lock->fd = -1;
	polled[used].fd = ipc_take_descriptor(message, 0);
	/* Nobody waits for a store that does not take its answers. */
	(void)fcntl(polled[used].fd, F_SETFL, O_NONBLOCK);
	polled[used++].events = POLLIN;
}

/* Which session asks, and why it cannot be answered. */
struct asked {
	size_t i;
	const char *wrong;
	int refused;
};

static void
answer(struct asked *asked, enum dotlock_result result, int error)
{
	const struct ipc_lock_answer reply = { result, (uint32_t)error };

	if (ipc_send(polled[asked->i].fd, IPC_LOCK_ANSWER, 0, &reply, NULL) ==
	    -1 && errno != EPIPE && errno != ECONNRESET)
		asked->wrong = "takes no answers";
}

/* Another session of this mailbox has it, and its clock may have stood. */
static int
is_taken_here(const struct dotlock *lock)
{
	size_t i;

	for (i = 1; i < used; i++)
		if (&locks[i] != lock && locks[i].fd != -1 &&
		    strcmp(locks[i].mailbox, lock->mailbox) == 0)
			return (1);
	return (0);
}

/*
 * Asked again by the one who has it, it says whether that still is so.  Where
 * the spool is not, the channel's end tells the store that it cannot lock now.
 */
static void
handle_take(void *context, struct ipc_message *message)
{
	struct asked *asked = context;
	struct dotlock *lock = &locks[asked->i];
	enum dotlock_result result = DOTLOCK_TAKEN;

	(void)message;
	errno = ENOENT;
	if (lock->mailbox[0] == '\0')
		result = DOTLOCK_IMPOSSIBLE;
	else if (is_moved() || spool_error == ENOENT) {
		asked->refused = 1;
		return;
	} else if (spool == -1) {
		errno = spool_error;
		result = DOTLOCK_IMPOSSIBLE;
	} else if (lock->fd != -1)
		result = dotlock_is_held(lock) ? DOTLOCK_TAKEN : DOTLOCK_HELD;
	else
		result = is_taken_here(lock) ? DOTLOCK_HELD :
		    dotlock_try(lock);
	answer(asked, result, result == DOTLOCK_IMPOSSIBLE ? errno : 0);
}

static void
handle_release(void *context, struct ipc_message *message)
{
	struct asked *asked = context;

	(void)message;
	dotlock_release(&locks[asked->i]);
	answer(asked, DOTLOCK_TAKEN, 0);
}

static const struct ipc_handler parent_handlers[] = {
	{ IPC_LOCK_CONFIG, handle_config },
	{ IPC_LOCK_SESSION, handle_session },
};
static const struct ipc_handler store_handlers[] = {
	{ IPC_LOCK_TAKE, handle_take },
	{ IPC_LOCK_RELEASE, handle_release },
};

static void
end_session(size_t i)
{
	dotlock_release(&locks[i]);
	(void)close(polled[i].fd);
	polled[i] = polled[--used];
	locks[i] = locks[used];
}

static void
hear_store(size_t i)
{
	static const struct ipc_channel channel = { ROLE_STORE, ROLE_LOCK,
	    store_handlers, sizeof(store_handlers) / sizeof(store_handlers[0])
	};
	static struct ipc_message message;
	struct asked asked = { i, NULL, 0 };
	const char *wrong = NULL;
	int got = ipc_receive(polled[i].fd, &message);

	if (got == 1) {
		wrong = ipc_dispatch(&channel, PHASE_RUN, &message, &asked);
		ipc_release(&message);
		if (wrong == NULL)
			wrong = asked.wrong;
		if (wrong == NULL && !asked.refused)
			return;
	} else if (got == -1)
		wrong = "not a message";
	if (wrong != NULL)
		log_line(LOG_CRIT, "event=ipc from=store pid=%ld error=\"%s\"",
		    (long)locks[i].holder, wrong);
	end_session(i);
}

/* The parent's end is not ours before the last session's. */
static void
hear_parent(void)
{
	static const struct ipc_channel channel = { ROLE_PARENT, ROLE_LOCK,
	    parent_handlers, sizeof(parent_handlers) /
	    sizeof(parent_handlers[0]) };
	static struct ipc_message message;
	const char *wrong;
	int got = ipc_receive(CHILD_CONTROL, &message);

	if (got == 0) {
		polled[0].fd = -1;
		return;
	}
	wrong = got == -1 ? "not a message" : ipc_dispatch(&channel, PHASE_RUN,
	    &message, NULL);
	if (wrong != NULL)
		log_fatal("event=ipc from=parent error=\"%s\"", wrong);
	ipc_release(&message);
}

static void
refresh(void)
{
	static time_t last;
	size_t i;

	if (now() - last < DOTLOCK_REFRESH_SECONDS)
		return;
	last = now();
	for (i = 1; i < used; i++)
		dotlock_refresh(&locks[i]);
}

/*
 * To begin anew, behind a move.  A lock that is held is that of a store at
 * work, perhaps with a deletion; one that is held for so long is of a store
 * that its user has stopped, and keeps the others out no longer.
 */
static int
is_to_end(void)
{
	size_t i;

	for (i = 1; i < used; i++)
		if (locks[i].fd != -1 &&
		    now() - moved_at < DOTLOCK_STALE_SECONDS)
			return (0);
	return (moved);
}

static void
serve(void)
{
	size_t i;
	int got;

	got = poll(polled, (nfds_t)used, DOTLOCK_REFRESH_SECONDS * 1000);
	if (got == -1) {
		if (errno != EINTR)
			log_fatal("event=stop error=\"poll: %s\"",
			    strerror(errno));
		return;
	}
	if (got == 0)
		dotlock_forget_files();
	refresh();
	/* From the last: the place of one that ends is taken by a later one. */
	for (i = used; --i > 0; )
		if (polled[i].revents != 0)
			hear_store(i);
	if (polled[0].revents != 0)
		hear_parent();
}

int
main(void)
{
	struct sandbox_path spool_access = { NULL, SANDBOX_NAMES };

	child_receive_settings(ROLE_LOCK, parent_handlers,
	    sizeof(parent_handlers) / sizeof(parent_handlers[0]), NULL);
	if (sodium_init() == -1)
		log_fatal("event=start error=\"libsodium cannot start\"");
	(void)umask(022);
	find_spool();
	child_limit(RLIMIT_NPROC, 0);
	spool_access.path = real_spool;
	sandbox_files(&spool_access, 1, config.start.without);
	sandbox_enter(&sandbox_lock, config.start.without);
	child_report_started();
	polled[0] = (struct pollfd){ CHILD_CONTROL, POLLIN, 0 };
	while ((polled[0].fd != -1 || used > 1) && !is_to_end())
		serve();
	dotlock_forget_files();
	return (0);
}
