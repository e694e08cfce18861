/*
 * calls_net.c - what postern-net may ask of the system.
 *
 * Linked into postern-net; unprivileged.
 */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <fcntl.h>

#include "sandbox.h"

static const struct sandbox_call list[] = {
#ifdef __linux__
	CALL(accept4),
	CALL(recvfrom),			/* client octets */
	/* And nothing that would connect (MSG_FASTOPEN). */
	CALL_MASKED(sendto, 3, 0xffffffff ^ MSG_MORE, MSG_NOSIGNAL),
#ifdef __NR_send			/* POWER's, of recv(2) and send(2) */
	CALL(recv),
	CALL_MASKED(send, 3, 0xffffffff ^ MSG_MORE, MSG_NOSIGNAL),
#endif
	/* Mail, from the pipe to the client; more of it may come. */
	CALL_MASKED(splice, 5, 0xffffffff ^ SPLICE_F_MORE, SPLICE_F_NONBLOCK),
	/*
	 * Listeners are the other nets', too, and the next one's: nothing of
	 * them can be changed.  Without SHUT_RD no socket comes to be one that
	 * sendto could connect.
	 */
	CALL_IF(shutdown, 1, SHUT_WR),
	CALL(epoll_ctl),		/* libevent's loop */
	CALL(epoll_pwait),
#ifdef __NR_epoll_wait
	CALL(epoll_wait),
#endif
#else
	CALL_NONE,			/* there are only promises */
#endif
};

/* "inet" is for accept(2); net has no socket to connect. */
const struct sandbox_calls sandbox_net = {
	"stdio inet recvfd", list, sizeof(list) / sizeof(list[0])
};
