/*
 * sandbox_openbsd.c - pledge(2) and unveil(2), in the place of seccomp and
 * Landlock.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock and
 * postern-mailbox on OpenBSD; runs with their rights, never as root.
 */
#include <sys/resource.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ipc_messages.h"
#include "log.h"
#include "sandbox.h"

void
sandbox_harden(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		log_fatal("event=sandbox call=setrlimit error=\"%s\"",
		    strerror(errno));
}

void
sandbox_files(const struct sandbox_path *paths, size_t count,
    uint32_t without)
{
	/* What a name leads to cannot be asked without "r". */
	static const char *const permissions[] = { "r", "rw", "rwc", "rwc",
	    "rwc" };
	size_t i;

	(void)without;		/* OpenBSD always has both mechanisms */
	if (unveil("/", "") == -1)
		log_fatal("event=sandbox call=unveil error=\"%s\"",
		    strerror(errno));
	for (i = 0; i < count; i++)
		if (paths[i].path != NULL && paths[i].path[0] != '\0' &&
		    unveil(paths[i].path, permissions[paths[i].access]) ==
		    -1 && errno != ENOENT)
			log_fatal("event=sandbox call=unveil path=%s "
			    "error=\"%s\"", paths[i].path, strerror(errno));
	if (unveil(NULL, NULL) == -1)
		log_fatal("event=sandbox call=unveil error=\"%s\"",
		    strerror(errno));
}

void
sandbox_enter(const struct sandbox_calls *calls, uint32_t without)
{
	(void)without;
	if (pledge(calls->promises, NULL) == -1)
		log_fatal("event=sandbox call=pledge error=\"%s\"",
		    strerror(errno));
}
