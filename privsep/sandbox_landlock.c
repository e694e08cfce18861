/*
 * sandbox_landlock.c - which files a process may reach, on Linux.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <unistd.h>

#include "ipc_messages.h"
#include "log.h"
#include "sandbox.h"

/* Rights that came after the headers of Linux 6.1. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE	(1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV	(1ULL << 15)
#endif
#define RIGHTS_OF_VERSION_1		((1ULL << 13) - 1)

#define FILE_RIGHTS	(LANDLOCK_ACCESS_FS_READ_FILE |			\
			LANDLOCK_ACCESS_FS_WRITE_FILE |			\
			LANDLOCK_ACCESS_FS_TRUNCATE)

static uint64_t
rights_for(enum sandbox_access access)
{
	const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_READ_DIR;
	const uint64_t making = LANDLOCK_ACCESS_FS_MAKE_REG |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE;

	const uint64_t directories = LANDLOCK_ACCESS_FS_MAKE_DIR |
	    LANDLOCK_ACCESS_FS_REMOVE_DIR;

	switch (access) {
	case SANDBOX_CREATE_TREE:
		return (reading | FILE_RIGHTS | making | directories);
	case SANDBOX_NAMES:
		return (LANDLOCK_ACCESS_FS_WRITE_FILE | making);
	case SANDBOX_CREATE:
		return (reading | FILE_RIGHTS | making);
	case SANDBOX_WRITE:
		return (reading | FILE_RIGHTS);
	default:
		return (reading);
	}
}

/* All that this kernel can forbid; 0 where it has no Landlock. */
static uint64_t
rights_known(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t rights = RIGHTS_OF_VERSION_1;

	if (version < 1)
		return (0);
	if (version >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return (rights);
}

static void
add_path(int ruleset, const struct sandbox_path *path, uint64_t known)
{
	struct landlock_path_beneath_attr rule;
	struct stat status;
	int error = 0;

	memset(&rule, 0, sizeof(rule));
	rule.allowed_access = rights_for(path->access) & known;
	rule.parent_fd = open(path->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return;
	if (fstat(rule.parent_fd, &status) == -1)
		error = errno;
	else if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= FILE_RIGHTS;
	if (error == 0 && syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == -1)
		error = errno;
	(void)close(rule.parent_fd);
	if (error != 0)
		log_fatal("event=sandbox call=landlock_add_rule path=%s "
		    "error=\"%s\"", path->path, strerror(error));
}

void
sandbox_files(const struct sandbox_path *paths, size_t count,
    uint32_t without)
{
	struct landlock_ruleset_attr attributes;
	size_t i;
	int ruleset;

	if ((without & WITHOUT_LANDLOCK) != 0) {
		log_line(LOG_WARNING, "event=sandbox without=landlock");
		return;
	}
	memset(&attributes, 0, sizeof(attributes));
	attributes.handled_access_fs = rights_known();
	if (attributes.handled_access_fs == 0)
		log_fatal("event=sandbox error=\"this kernel has no Landlock "
		    "(or it is switched off); say 'without landlock' in the "
		    "configuration to run all the same\"");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
	    sizeof(attributes), 0);
	if (ruleset == -1)
		log_fatal("event=sandbox call=landlock_create_ruleset "
		    "error=\"%s\"", strerror(errno));
	for (i = 0; i < count; i++)
		if (paths[i].path != NULL && paths[i].path[0] != '\0')
			add_path(ruleset, &paths[i],
			    attributes.handled_access_fs);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		log_fatal("event=sandbox call=landlock_restrict_self "
		    "error=\"%s\"", strerror(errno));
	(void)close(ruleset);
}
