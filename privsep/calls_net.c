/*
 * calls_net.c - what postern-net may ask of the system.
 *
 * Linked into postern-net; unprivileged.
 */
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL(accept4),
	CALL(recvfrom),			/* client octets */
	CALL(sendto),
	/* Mail, from the pipe to the client; more of it may come. */
	CALL_MASKED(splice, 5, 0xffffffff ^ SPLICE_F_MORE, SPLICE_F_NONBLOCK),
	CALL(shutdown),
	CALL(setsockopt),		/* no Nagle, keepalive */
	CALL_IF(fcntl, 1, F_SETFL),	/* non-blocking */
	CALL(epoll_ctl),		/* libevent's loop */
	CALL(epoll_pwait),
#ifdef __NR_epoll_wait
	CALL(epoll_wait),
#endif
#else
	{ -1, -1, 0, 0 },		/* there are only promises */
#endif
};

/* "inet" is for accept(2); net has no socket to connect. */
const struct sandbox_calls sandbox_net = {
	"stdio inet recvfd", list, sizeof(list) / sizeof(list[0])
};
