/*
 * calls_auth_system.c - what postern-auth may ask of the system when it
 * checks the system's own accounts.
 *
 * Linked into postern-auth; runs as its own user.
 */
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	{ __NR_openat, 2, 3 /* O_ACCMODE */, 0 /* O_RDONLY */ },
	{ __NR_fstat, -1, 0, 0 },
	{ __NR_newfstatat, -1, 0, 0 },	/* nsswitch.conf's age */
	{ __NR_lseek, -1, 0, 0 },	/* fclose(), and rewinding files */
	{ __NR_pread64, -1, 0, 0 },
	{ __NR_fcntl, -1, 0, 0 },
	{ __NR_getuid, -1, 0, 0 },
	{ __NR_geteuid, -1, 0, 0 },
	/* Name services speak with their daemons over UNIX sockets. */
	{ __NR_socket, 0, 0xffffffff, AF_UNIX },
	{ __NR_connect, -1, 0, 0 },
	{ __NR_sendto, -1, 0, 0 },
	{ __NR_recvfrom, -1, 0, 0 },
	{ __NR_getsockopt, -1, 0, 0 },
#endif
};

const struct sandbox_calls sandbox_auth_system = {
	"stdio rpath getpw unix recvfd", list, sizeof(list) / sizeof(list[0])
};
