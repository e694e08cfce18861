/*
 * calls_net.c - what postern-net may ask of the system.
 *
 * Linked into postern-net; unprivileged.
 */
#include <sys/syscall.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	{ __NR_accept4, -1, 0, 0 },
	{ __NR_recvfrom, -1, 0, 0 },	/* client bytes */
	{ __NR_sendto, -1, 0, 0 },
	{ __NR_shutdown, -1, 0, 0 },
	{ __NR_setsockopt, -1, 0, 0 },	/* no Nagle, keepalive */
	{ __NR_fcntl, -1, 0, 0 },	/* non-blocking */
	{ __NR_epoll_ctl, -1, 0, 0 },	/* libevent's loop */
	{ __NR_epoll_pwait, -1, 0, 0 },
#ifdef __NR_epoll_wait
	{ __NR_epoll_wait, -1, 0, 0 },
#endif
#endif
};

/* "inet" is for accept(2); net has no socket to connect. */
const struct sandbox_calls sandbox_net = {
	"stdio inet recvfd", list, sizeof(list) / sizeof(list[0])
};
