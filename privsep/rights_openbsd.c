/*
 * rights_openbsd.c - what is left of root where there are no capabilities.
 *
 * Linked into posternd and postern-mailbox; runs as root.  OpenBSD limits root
 * by pledge(2) in the parent and by the uid in its children.  chroot(2) is
 * root's alone there, so privdrop_become cannot hand it on:
 * change_root_openbsd.c.
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
	    "recvfd", NULL) == -1)
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
