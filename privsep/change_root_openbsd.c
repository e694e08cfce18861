/*
 * change_root_openbsd.c - net's last step where chroot(2) is root's alone.
 *
 * Linked into postern-net and postern-keys; runs as its own user.  It reaches
 * no file because unveil(2) and pledge(2) say so, before it meets a client;
 * the directory is only the one that it works in.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"

void
rights_change_root(const char *directory)
{
	if (directory != NULL && chdir(directory) == -1)
		log_fatal("event=rights call=chdir directory=%s error=\"%s\"",
		    directory, strerror(errno));
}
