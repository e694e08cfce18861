/*
 * calls_auth_passwd.c - what postern-auth may ask of the system when it
 * reads Postern's own passwd file.
 *
 * Linked into postern-auth; runs as its own user.
 */
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL_OPEN_TO_READ,
	CALL(fstat),			/* whose file it is */
	CALL(newfstatat),		/* fstat by another name */
	CALL(geteuid),			/* whether the file is its own */
#else
	CALL_NONE,			/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_auth_passwd = {
	"stdio rpath recvfd", list, sizeof(list) / sizeof(list[0])
};
