/*
 * network.h - networks of addresses, as the configuration and the passwd
 * file name them.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "ipc_messages.h"

/*
 * network.c: reads "192.0.2.0/24", "2001:db8::/32", or one address.  Returns
 * 1, or 0 where it is neither.
 */
int	network_read(struct network *network, const char *text);

/*
 * network_has.c: true for an address of the network: 4 bytes, or 16 with
 * AF_INET6.
 */
int	network_has(const struct network *network, uint32_t family,
	    const unsigned char *address);

#endif
