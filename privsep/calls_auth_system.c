/*
 * calls_auth_system.c - what postern-auth may ask of the system when it
 * checks the system's own accounts.
 *
 * Linked into postern-auth; runs as its own user.
 */
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL_OPEN_TO_READ,
	CALL(fstat),
	CALL(newfstatat),		/* fstat(3), in other forms of libc */
	CALL(lseek),			/* fclose(), and rewinding files */
	CALL_IF(fcntl, 1, F_GETFL),	/* fdopen() asks for the mode */
	CALL(getuid),
	CALL(geteuid),
#else
	CALL_NONE,			/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_auth_system = {
	/* Whoever promises getpw(3) is kept from spwd.db. */
	"stdio rpath recvfd", list, sizeof(list) / sizeof(list[0])
};
