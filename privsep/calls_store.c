/*
 * calls_store.c - what postern-store may ask of the system.
 *
 * Linked into postern-store; runs as the user.
 */
#include <sys/syscall.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	{ __NR_openat, -1, 0, 0 },	/* mailboxes, the state directory */
	{ __NR_fstat, -1, 0, 0 },	/* what was opened */
	{ __NR_newfstatat, -1, 0, 0 },	/* what the path leads to now */
	{ __NR_pread64, -1, 0, 0 },
	{ __NR_pwrite64, -1, 0, 0 },	/* the commit */
	{ __NR_ftruncate, -1, 0, 0 },
	{ __NR_fsync, -1, 0, 0 },
	{ __NR_fcntl, -1, 0, 0 },	/* locks, dup of directories */
	{ __NR_geteuid, -1, 0, 0 },	/* whose files may be used */
#endif
};

const struct sandbox_calls sandbox_store = {
	"stdio rpath wpath cpath flock", list, sizeof(list) / sizeof(list[0])
};
