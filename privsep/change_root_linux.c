/*
 * change_root_linux.c - net's last step out of privilege.
 *
 * Linked into postern-net and postern-keys; runs as its own user, with the one
 * capability that privdrop_become left it, and gives that up.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"

static void
must(int done, const char *call)
{
	if (!done)
		log_fatal("event=rights call=%s error=\"%s\"", call,
		    strerror(errno));
}

void
rights_change_root(const char *directory)
{
	struct __user_cap_header_struct header = {
	    _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[2] = {
	    { 0, 0, 0 }, { 0, 0, 0 } };

	must(directory == NULL ||
	    (chroot(directory) == 0 && chdir("/") == 0), "chroot");
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0,
	    "ambient");
	must(syscall(SYS_capset, &header, none) == 0, "capset");
	must(chroot("/") == -1 && errno == EPERM, "chroot is still allowed");
}
