/*
 * calls_mailbox.c - what postern-mailbox may ask of the system.
 *
 * Linked into postern-mailbox; runs as the mailbox's owner.
 */
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL(openat),			/* mailboxes, and what is made */
	CALL(fstat),			/* what was opened */
	CALL(newfstatat),		/* what the path leads to now */
	CALL(getdents64),		/* MH folders, Maildirs */
	CALL_IF(fcntl, 1, F_GETFL),	/* fdopendir(3) looks, */
	CALL_IF(fcntl, 1, F_SETFD),	/* and makes sure of FD_CLOEXEC */
	CALL(pread64),
	CALL(pwrite64),
	CALL(lseek),			/* the scratch file, from its start */
	CALL(ftruncate),		/* and emptied */
	CALL(fsync),
	CALL(mkdirat),			/* the new mailbox, and what */
	CALL(unlinkat),			/* of it must go again */
	CALL(linkat),			/* it gets its name; a dotlock too */
#ifdef __NR_renameat
	CALL(renameat),
#endif
#ifdef __NR_renameat2
	CALL_IF(renameat2, 4, 0),
#endif
	CALL_IF(fcntl, 1, F_SETLK),
	CALL(flock),			/* given back, even where not taken */
	CALL(uname),			/* a dotlock names this host, */
	CALL_IF(kill, 1, 0),		/* and one whose owner is dead goes */
	CALL(setitimer),
	CALL_FUTIMENS,			/* dates; a dotlock is kept young */
	CALL_IF(fcntl, 1, F_DUPFD_CLOEXEC),
	CALL(geteuid),			/* whose files may be used */
#else
	CALL_NONE,			/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_mailbox = {
	"stdio rpath wpath cpath flock fattr proc", list,
	sizeof(list) / sizeof(list[0])
};
