/*
 * calls_auth_passwd.c - what postern-auth may ask of the system when it
 * reads Postern's own passwd file.
 *
 * Linked into postern-auth; runs as its own user.
 */
#include <sys/syscall.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	{ __NR_openat, 2, 3 /* O_ACCMODE */, 0 /* O_RDONLY */ },
	{ __NR_fstat, -1, 0, 0 },	/* whose file it is */
	{ __NR_newfstatat, -1, 0, 0 },	/* fstat by another name */
	{ __NR_lseek, -1, 0, 0 },	/* fclose() gives back what it read */
	{ __NR_fcntl, -1, 0, 0 },	/* fdopen() asks for the mode */
#endif
};

const struct sandbox_calls sandbox_auth_passwd = {
	"stdio rpath recvfd", list, sizeof(list) / sizeof(list[0])
};
