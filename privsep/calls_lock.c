/*
 * calls_lock.c - what postern-lock may ask of the system.
 *
 * Linked into postern-lock; runs as its own user.
 */
#include <sys/syscall.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "sandbox.h"

/* A file that is made new: no file that exists can be opened at all. */
#define NEW_FILE	(O_WRONLY | O_CREAT | O_EXCL)

static const struct sandbox_call list[] = {
#ifdef __linux__
	/* With O_PATH the kernel forgets that it is to be new. */
	CALL_MASKED(openat, 2, O_ACCMODE | O_CREAT | O_EXCL | O_PATH,
	    NEW_FILE),
	CALL(fstat),			/* the new file's links and time */
	CALL(newfstatat),		/* what has the lock's name */
	CALL(linkat),			/* the new file becomes the lock */
	CALL(pwrite64),			/* and, once more, another's */
	CALL_IF(unlinkat, 2, 0),	/* it is released */
	CALL_FUTIMENS,			/* it is kept young */
	/* A stale lock is taken away; a file is kept for the next. */
#ifdef __NR_renameat
	CALL(renameat),
#endif
#ifdef __NR_renameat2
	CALL_IF(renameat2, 4, 0),
#endif
	CALL_IF(fcntl, 1, F_SETFL),	/* no store is waited for */
	CALL(geteuid),			/* which locks are refreshed */
	CALL(uname),			/* the host, in a lock */
#else
	CALL_NONE,			/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_lock = {
	"stdio rpath wpath cpath fattr recvfd", list,
	sizeof(list) / sizeof(list[0])
};
