/*
 * rights_openbsd.c - what is left of root where there are no capabilities.
 *
 * Linked into posternd (root) and postern-net.  OpenBSD limits root by
 * pledge(2) in the parent and by the uid in its children.  chroot(2) is
 * root's alone there, so privdrop_become cannot hand it on: net reaches no
 * file because unveil(2) and pledge(2) say so, before it meets a client.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"

void
rights_limit_root(int binding)
{
	(void)binding;
}

void
rights_enclose_parent(void)
{
	if (pledge("stdio rpath cpath fattr chown getpw proc exec id sendfd "
	    "recvfd sendsyslog", NULL) == -1)
		log_fatal("event=rights call=pledge error=\"%s\"",
		    strerror(errno));
}

void
rights_before_drop(int keep_chroot)
{
	(void)keep_chroot;
}

void
rights_after_drop(int keep_chroot)
{
	(void)keep_chroot;
}

void
rights_close_others(int first)
{
	(void)closefrom(first);
}

void
rights_change_root(const char *directory)
{
	if (directory != NULL && chdir(directory) == -1)
		log_fatal("event=rights call=chdir directory=%s error=\"%s\"",
		    directory, strerror(errno));
}
