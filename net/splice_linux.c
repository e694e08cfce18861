/*
 * splice_linux.c - octets from a pipe to a socket, without a copy.
 *
 * Linked into postern-net; unprivileged.
 */
#include <fcntl.h>

#include "session.h"

int
splice_works(void)
{
	return (1);
}

ssize_t
splice_octets(int pipe, int client, size_t length, int more)
{
	return (splice(pipe, NULL, client, NULL, length,
	    SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0)));
}
