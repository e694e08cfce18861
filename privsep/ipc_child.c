/*
 * ipc_child.c - what only receivers of descriptors need of messages.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.  No message hands the parent a descriptor.
 */
#include "ipc.h"

/* Every payload must fit a message; the compiler checks. */
#define X(name, from, to, phases, payload, descriptors)			\
	_Static_assert(sizeof(struct ipc_##payload) <= IPC_MESSAGE_MAX,	\
	    "payload of " #name);					\
	_Static_assert((descriptors) <= IPC_DESCRIPTORS_MAX, #name);
IPC_MESSAGE_LIST(X)
#undef X

int
ipc_take_descriptor(struct ipc_message *message, unsigned int i)
{
	int fd = message->descriptors[i];

	message->descriptors[i] = -1;
	return (fd);
}
