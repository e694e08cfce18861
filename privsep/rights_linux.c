/*
 * rights_linux.c - capabilities: what is left of root, and of its children.
 *
 * Linked into posternd and postern-mailbox; runs as root.  By the system calls
 * themselves: three sets and a loop are less to read than a library.  net's
 * own last step is in change_root_linux.c.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"

#define BIT(capability)	(UINT32_C(1) << (capability))

/* What posternd does as root, and why. */
#define RIGHTS_OF_ROOT							\
	(BIT(CAP_SETUID) | BIT(CAP_SETGID) |	/* children become users */ \
	BIT(CAP_SETPCAP) |			/* and lose their bounds */ \
	BIT(CAP_KILL) |				/* are ended */		\
	BIT(CAP_CHOWN) |			/* get a state directory */ \
	BIT(CAP_SYS_CHROOT))			/* net goes into its root */

static void
must(int done, const char *call)
{
	if (!done)
		log_fatal("event=rights call=%s error=\"%s\"", call,
		    strerror(errno));
}

/* All of the capabilities in use are in the first of the kernel's two words. */
static void
set_capabilities(uint32_t effective, uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct header = {
	    _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct data[2] = {
	    { effective, permitted, inheritable }, { 0, 0, 0 } };

	must(syscall(SYS_capset, &header, data) == 0, "capset");
}

/*
 * Takes all but `kept` out of the bounding set, as far as the kernel knows.
 * What was taken out never comes back, neither here nor in what was forked.
 */
static void
bound_capabilities(uint64_t kept)
{
	static uint64_t rest = UINT64_MAX;	/* all that may be in it */
	unsigned long i;

	for (i = 0; i < 64; i++)
		if (((rest & ~kept) >> i & 1) != 0 &&
		    prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			must(prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0,
			    "capbset");
	rest &= kept;
}

void
rights_limit_root(int binding)
{
	const uint32_t kept = RIGHTS_OF_ROOT |
	    (binding ? BIT(CAP_NET_BIND_SERVICE) : 0);

	bound_capabilities(kept);
	set_capabilities(kept, kept, 0);
}

void
rights_enclose_parent(void)
{
	const struct rlimit none = { 0, 0 };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
	must(setrlimit(RLIMIT_CORE, &none) == 0, "core");
	/* A service manager may have given some to bind by. */
	if (geteuid() != 0)
		set_capabilities(0, 0, 0);
}

void
rights_before_drop(int keep_chroot)
{
	set_capabilities(RIGHTS_OF_ROOT, RIGHTS_OF_ROOT,
	    keep_chroot ? BIT(CAP_SYS_CHROOT) : 0);
	bound_capabilities(0);
	must(prctl(PR_SET_KEEPCAPS, keep_chroot, 0, 0, 0) == 0, "keepcaps");
}

void
rights_after_drop(int keep_chroot)
{
	uint32_t kept = keep_chroot ? BIT(CAP_SYS_CHROOT) : 0;

	set_capabilities(0, kept, kept);
	must(!keep_chroot || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
	    CAP_SYS_CHROOT, 0, 0) == 0, "ambient");
}

void
rights_close_others(int first)
{
	must(close_range((unsigned int)first, ~0U, 0) == 0, "close_range");
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0,
	    "ambient");
}
