/*
 * splice_openbsd.c - where the system has no splice(2) from pipes.
 *
 * Linked into postern-net; unprivileged.
 */
#include <errno.h>

#include "session.h"

int
splice_works(void)
{
	return (0);
}

ssize_t
splice_octets(int pipe, int client, size_t length, int more)
{
	(void)pipe;
	(void)client;
	(void)length;
	(void)more;
	errno = ENOSYS;
	return (-1);
}
