/*
 * ipc_child.c - what only receivers of descriptors need of messages.
 *
 * Linked into postern-net, postern-auth and postern-store; runs with their
 * rights, never as root.  No message hands the parent a descriptor.
 */
#include "ipc.h"

int
ipc_take_descriptor(struct ipc_message *message, unsigned int i)
{
	int fd = message->descriptors[i];

	message->descriptors[i] = -1;
	return (fd);
}
