/*
 * privdrop.c - becoming somebody with less rights, for good.
 *
 * Linked into posternd and postern-mailbox; runs as root: in a child that is
 * about to become another program, and in that tool before it meets mail.
 */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"

void
privdrop_become(const struct identity *who, int keep_chroot)
{
	size_t groups = who->extra != (gid_t)-1 ? 1 : 0;
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (who->uid == 0 || who->gid == 0 || who->extra == 0)
		log_fatal("event=privdrop error=\"asked to stay root\"");
	rights_before_drop(keep_chroot);
	if (setgroups(groups, &who->extra) == -1 ||
	    setresgid(who->gid, who->gid, who->gid) == -1 ||
	    setresuid(who->uid, who->uid, who->uid) == -1)
		log_fatal("event=privdrop uid=%u gid=%u error=\"%s\"",
		    (unsigned int)who->uid, (unsigned int)who->gid,
		    strerror(errno));
	rights_after_drop(keep_chroot);
	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    getresgid(&rgid, &egid, &sgid) == -1 ||
	    ruid != who->uid || euid != who->uid || suid != who->uid ||
	    rgid != who->gid || egid != who->gid || sgid != who->gid)
		log_fatal("event=privdrop error=\"ids did not change\"");
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1 ||
	    setegid(0) != -1)
		log_fatal("event=privdrop error=\"root came back\"");
}
