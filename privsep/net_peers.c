/*
 * net_peers.c - the net processes that auth and keys serve.
 *
 * Linked into postern-auth and postern-keys; runs with their rights, never
 * as root.  A net may have been taken over: what is no message of the table
 * is logged and not handled.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "net_peers.h"
#include "parent.h"

struct net_peer net_peers[NET_PEERS];

void
net_peers_begin(void)
{
	unsigned int i;

	for (i = 0; i < NET_PEERS; i++)
		net_peers[i].fd = -1;
}

struct net_peer *
net_peers_add(struct ipc_message *message)
{
	unsigned int i = 0;

	/* A net process that ended is forgotten when its end is read. */
	while (i < NET_PEERS && net_peers[i].fd != -1)
		i++;
	if (i == NET_PEERS)
		return (NULL);
	net_peers[i].index = IPC_PAYLOAD(message, ipc_net_index)->index;
	net_peers[i].fd = ipc_take_descriptor(message, 0);
	return (&net_peers[i]);
}

static void
hear_parent(const struct ipc_channel *channel)
{
	struct ipc_message message;
	const char *wrong;
	int got;

	if ((got = ipc_receive(CHILD_CONTROL, &message)) == 0)
		exit(0);
	wrong = got == 1 ? ipc_dispatch(channel, PHASE_RUN, &message, NULL) :
	    "not a message";
	if (wrong != NULL)
		log_fatal("event=ipc from=parent error=\"%s\"", wrong);
	ipc_release(&message);
}

/* Another process may have been faster: EAGAIN is no error. */
static void
hear_net(const struct ipc_channel *channel, struct net_peer *peer)
{
	struct ipc_message message;
	const char *wrong;
	int got;

	got = ipc_receive(peer->fd, &message);
	if (got == 0) {
		(void)close(peer->fd);
		peer->fd = -1;
		return;
	}
	if (got == -1 && errno != EBADMSG)
		return;
	wrong = got == 1 ? ipc_dispatch(channel, PHASE_RUN, &message, peer) :
	    "not a message";
	if (wrong != NULL)
		log_line(LOG_CRIT, "event=ipc from=net index=%u session=%llu "
		    "error=\"%s\"", peer->index, (unsigned long long)
		    (got == 1 ? message.header.session : 0), wrong);
	if (got == 1)
		ipc_release(&message);
}

void
net_peers_serve(const struct ipc_channel *parent,
    const struct ipc_channel *net, int timeout)
{
	struct pollfd polled[NET_PEERS + 1];
	static unsigned int first;
	unsigned int i, at;

	for (i = 0; i < NET_PEERS; i++)
		polled[i] = (struct pollfd){ net_peers[i].fd, POLLIN, 0 };
	polled[NET_PEERS] = (struct pollfd){ CHILD_CONTROL, POLLIN, 0 };
	if (poll(polled, NET_PEERS + 1, timeout) <= 0)
		return;
	if (polled[NET_PEERS].revents != 0)
		hear_parent(parent);
	for (i = 0; i < NET_PEERS; i++) {
		at = (first + i) % NET_PEERS;
		if (polled[at].revents != 0 &&
		    net_peers[at].fd == polled[at].fd) {
			first = at + 1;
			hear_net(net, &net_peers[at]);
			return;
		}
	}
}
