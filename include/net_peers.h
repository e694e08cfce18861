/*
 * net_peers.h - the net processes that auth and keys serve.
 */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "ipc.h"

/* Twice as many as there are: old ones may not have been forgotten yet. */
#define NET_PEERS	(2 * NET_PROCESSES_MAX)

/* Handlers of messages from net get one of these as their context. */
struct net_peer {
	uint32_t index;		/* of the net process */
	int fd;			/* -1: none */
};

extern struct net_peer net_peers[NET_PEERS];

/* Before anything else. */
void	net_peers_begin(void);

/* The parent's message that hands over a net's channel; NULL: no room. */
struct net_peer *net_peers_add(struct ipc_message *message);

/*
 * Waits (`timeout` ms, -1: for ever) for the parent and the nets, and handles
 * one message of the parent and one of one net, of another one in each call.
 * Handlers get NULL and a struct net_peer as their contexts.  A net's wrong
 * message is logged; a parent's ends the process, as its end does.
 */
void	net_peers_serve(const struct ipc_channel *parent,
	    const struct ipc_channel *net, int timeout);

#endif
