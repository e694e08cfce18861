/*
 * calls_auth_system.c - what postern-auth may ask of the system when it
 * checks the system's own accounts.
 *
 * Linked into postern-auth; runs as its own user.
 */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL_OPEN_TO_READ,
	CALL(fstat),
	CALL(newfstatat),		/* nsswitch.conf's age */
	CALL(lseek),			/* fclose(), and rewinding files */
	CALL(pread64),
	CALL_IF(fcntl, 1, F_GETFL),
	CALL_IF(fcntl, 1, F_SETFL),
	CALL_IF(fcntl, 1, F_GETFD),
	CALL_IF(fcntl, 1, F_SETFD),
	CALL(getuid),
	CALL(geteuid),
	/* Name services speak with their daemons over UNIX sockets. */
	CALL_IF(socket, 0, AF_UNIX),
	CALL(connect),
	CALL(sendto),
	CALL(recvfrom),
	CALL(getsockopt),
#else
	{ -1, -1, 0, 0 },		/* there are only promises */
#endif
};

const struct sandbox_calls sandbox_auth_system = {
	"stdio rpath getpw unix recvfd", list, sizeof(list) / sizeof(list[0])
};
