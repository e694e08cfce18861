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
	CALL(pread64),
	CALL(pwrite64),			/* the commit */
	CALL(ftruncate),
	CALL(fsync),			/* mail, journals, their directory */
	CALL(unlinkat),			/* a journal whose work is done */
	CALL(getdents64),		/* is there a journal? */
	CALL_IF(fcntl, 1, F_GETFL),	/* fdopendir(3) */
	CALL_IF(fcntl, 1, F_SETFD),
	/* A journal gets its name, or .bad; the reserve is taken. */
#ifdef __NR_renameat
	CALL(renameat),
#endif
#ifdef __NR_renameat2
	CALL_IF(renameat2, 4, 0),
#endif
	CALL_IF(fcntl, 1, F_SETLK),
	CALL_IF(fcntl, 1, F_DUPFD_CLOEXEC),	/* of open directories */
	CALL(geteuid),			/* whose files may be used */
#else
	{ -1, -1, 0, 0 },		/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_store = {
	"stdio rpath wpath cpath flock", list, sizeof(list) / sizeof(list[0])
};
