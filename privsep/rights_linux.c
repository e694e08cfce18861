/*
 * rights_linux.c - capabilities: what is left of root, and of its children.
 *
 * Linked into posternd (root) and postern-net (its own user, for the last
 * step).  By the system calls themselves: three sets and a loop are less to
 * read than a library.
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

#define BIT(capability)	(UINT64_C(1) << (capability))

/* What posternd does as root, and why. */
#define RIGHTS_OF_ROOT							\
	(BIT(CAP_SETUID) | BIT(CAP_SETGID) |	/* children become users */ \
	BIT(CAP_SETPCAP) |			/* and lose their bounds */ \
	BIT(CAP_KILL) |				/* are ended */		\
	BIT(CAP_CHOWN) |			/* get a state directory */ \
	BIT(CAP_SYS_CHROOT))			/* net goes into its root */

static void
set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {
	    _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	int i;

	for (i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, data) == -1)
		log_fatal("event=rights call=capset error=\"%s\"",
		    strerror(errno));
}

/* Takes all but `kept` out of the bounding set, as far as the kernel knows. */
static void
bound_capabilities(uint64_t kept)
{
	unsigned long i;

	for (i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if ((kept & BIT(i)) == 0 &&
		    prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1)
			log_fatal("event=rights call=capbset error=\"%s\"",
			    strerror(errno));
}

void
rights_limit_root(int binding)
{
	uint64_t kept = RIGHTS_OF_ROOT |
	    (binding ? BIT(CAP_NET_BIND_SERVICE) : 0);

	bound_capabilities(kept);
	set_capabilities(kept, kept, 0);
}

void
rights_enclose_parent(void)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		log_fatal("event=rights call=enclose error=\"%s\"",
		    strerror(errno));
}

void
rights_before_drop(int keep_chroot)
{
	uint64_t kept = keep_chroot ? BIT(CAP_SYS_CHROOT) : 0;

	set_capabilities(RIGHTS_OF_ROOT, RIGHTS_OF_ROOT, kept);
	bound_capabilities(0);
	if (keep_chroot && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		log_fatal("event=rights call=keepcaps error=\"%s\"",
		    strerror(errno));
}

void
rights_after_drop(int keep_chroot)
{
	uint64_t kept = keep_chroot ? BIT(CAP_SYS_CHROOT) : 0;

	set_capabilities(0, kept, kept);
	if (keep_chroot && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
	    CAP_SYS_CHROOT, 0, 0) == -1)
		log_fatal("event=rights call=ambient error=\"%s\"",
		    strerror(errno));
}

void
rights_close_others(int first)
{
	if (close_range((unsigned int)first, ~0U, 0) == -1)
		log_fatal("event=rights call=close_range error=\"%s\"",
		    strerror(errno));
}

void
rights_change_root(const char *directory)
{
	if (directory != NULL &&
	    (chroot(directory) == -1 || chdir("/") == -1))
		log_fatal("event=rights call=chroot directory=%s error=\"%s\"",
		    directory, strerror(errno));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		log_fatal("event=rights call=ambient error=\"%s\"",
		    strerror(errno));
	set_capabilities(0, 0, 0);
	if (chroot("/") != -1 || errno != EPERM)
		log_fatal("event=rights error=\"chroot is still allowed\"");
}
