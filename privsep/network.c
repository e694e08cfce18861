/*
 * network.c - reading networks.
 *
 * Linked into postern-config, postern-auth and posternctl; runs as whoever
 * they run as, on text of root's files and on a peer's name.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

int
network_read(struct network *network, const char *text)
{
	char address[PEER_SIZE], *bits = address;
	const char *wrong = NULL;

	memset(network, 0, sizeof(*network));
	if (strlcpy(address, text, sizeof(address)) >= sizeof(address))
		return (0);
	(void)strsep(&bits, "/");
	network->family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	network->prefix = network->family == AF_INET6 ? 128 : 32;
	if (bits != NULL)
		network->prefix = (uint32_t)strtonum(bits, 0, network->prefix,
		    &wrong);
	return (wrong == NULL && inet_pton((int)network->family, address,
	    network->address) == 1);
}
