/*
 * calls_store.c - what postern-store may ask of the system.
 *
 * Linked into postern-store; runs as the user.
 */
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL(openat),			/* mailboxes, the state directory */
	CALL(fstat),			/* what was opened */
	CALL(newfstatat),		/* what the path leads to now */
	CALL(getdents64),		/* MH folders, Maildirs, journals */
	CALL_IF(fcntl, 1, F_GETFL),	/* fdopendir(3) looks, */
	CALL_IF(fcntl, 1, F_SETFD),	/* and makes sure of FD_CLOEXEC */
	CALL(pread64),
	CALL(pwrite64),			/* the commit */
	CALL(ftruncate),
	CALL(fsync),			/* mail, journals, their directory */
	CALL(unlinkat),			/* a message; a done journal */
	/* A journal gets its name, or .bad; the reserve is taken; MH's ,N. */
#ifdef __NR_renameat
	CALL(renameat),
#endif
#ifdef __NR_renameat2
	CALL_IF(renameat2, 4, 0),
#endif
	CALL_IF(fcntl, 1, F_SETLK),
	CALL(flock),
	/* A dotlock is made, named, looked at, and kept young by a timer. */
	CALL(linkat),
	CALL(uname),
	CALL_IF(kill, 1, 0),		/* does its owner live? */
	CALL(setitimer),
	CALL_FUTIMENS,
	CALL_IF(fcntl, 1, F_DUPFD_CLOEXEC),	/* of open directories */
	CALL(geteuid),			/* whose files may be used */
#else
	CALL_NONE,			/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_store = {
	"stdio rpath wpath cpath flock fattr proc", list,
	sizeof(list) / sizeof(list[0])
};
