/*
 * network_has.c - is an address in a network?
 *
 * Linked into postern-net and postern-auth; runs as their users.
 */
#include <string.h>

#include "network.h"

int
network_has(const struct network *network, uint32_t family,
    const unsigned char *address)
{
	unsigned int whole = network->prefix / 8, rest = network->prefix % 8;

	return (network->family == family &&
	    memcmp(network->address, address, whole) == 0 &&
	    (rest == 0 || ((network->address[whole] ^ address[whole]) >>
	    (8 - rest)) == 0));
}
