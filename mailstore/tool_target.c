/*
 * tool_target.c - how a new mailbox begins, gets its name, or goes again.
 *
 * Linked into postern-mailbox; runs as the owner of the mailbox that is
 * converted.  Everything is made under a name that nobody knows, and takes
 * its own when it is whole.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "file_mailbox.h"
#include "tool_write.h"

static int
make_directory(int at, const char *name)
{
	return (mkdirat(at, name, 0700) == -1 ? -1 :
	    file_mailbox_directory(at, name, geteuid()));
}

static const char *const parts[] = { "tmp", "cur", "new" };

#define PARTS	(sizeof(parts) / sizeof(parts[0]))

/* Goes down into new, where mail is that nobody has seen. */
static int
make_maildir(struct target *target)
{
	size_t i;

	for (i = 0; i < PARTS; i++) {
		if (target->folder != -1)
			(void)close(target->folder);
		target->folder = make_directory(target->top, parts[i]);
		if (target->folder == -1)
			return (-1);
	}
	return (0);
}

static int
make_folder(struct target *target)
{
	target->top = make_directory(target->directory, target->name);
	if (target->top == -1)
		return (-1);
	target->made = 1;
	if (target->form == FORM_MAILDIR)
		return (make_maildir(target));
	target->folder = fcntl(target->top, F_DUPFD_CLOEXEC, 0);
	return (target->folder == -1 ? -1 : 0);
}

int
target_make(struct target *target, enum tool_form form, int directory)
{
	memset(target, 0, sizeof(*target));
	target->form = form;
	target->directory = directory;
	target->top = target->folder = target->fd = -1;
	(void)clock_gettime(CLOCK_REALTIME, &target->begun);
	(void)snprintf(target->name, sizeof(target->name),
	    ".postern-%08x%08x.new", randombytes_random(),
	    randombytes_random());
	if (form == FORM_MH || form == FORM_MAILDIR)
		return (make_folder(target));
	target->fd = openat(directory, target->name, O_RDWR | O_CREAT |
	    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	target->made = target->fd != -1;
	return (target->made ? 0 : -1);
}

/* Does the name lead to what was made? */
static int
is_ours(const struct target *target, const char *name)
{
	struct stat ours, there;

	return (fstat(target->top != -1 ? target->top : target->fd, &ours) ==
	    0 && fstatat(target->directory, name, &there,
	    AT_SYMLINK_NOFOLLOW) == 0 && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino);
}

/*
 * A file gets its name by link(2), which takes no name that is taken.  A
 * directory takes the place of an empty one that was made for it: that rename
 * fails when there is anything in it by then.
 */
static int
give_name(struct target *target, const char *name)
{
	int error;

	if (target->top == -1)
		return (linkat(target->directory, target->name,
		    target->directory, name, 0));
	if (mkdirat(target->directory, name, 0700) == -1)
		return (-1);
	if (renameat(target->directory, target->name, target->directory,
	    name) == -1) {
		error = errno;
		(void)unlinkat(target->directory, name, AT_REMOVEDIR);
		errno = error;
		return (-1);
	}
	return (0);
}

int
target_publish(struct target *target, const char *name)
{
	if (!is_ours(target, target->name)) {
		errno = ESTALE;
		return (-1);
	}
	if (give_name(target, name) == -1)
		return (-1);
	if (!is_ours(target, name)) {
		errno = ESTALE;
		return (-1);
	}
	if (target->top == -1)
		(void)unlinkat(target->directory, target->name, 0);
	target->made = 0;
	target->published = 1;
	return (disk_sync(target->directory));
}

/* Removes the files in a directory, which is not walked into any deeper. */
static void
remove_files(int directory)
{
	struct dirent *entry;
	DIR *names;
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return;
	if ((names = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return;
	}
	while ((entry = readdir(names)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(names);
}

/*
 * By descriptors, and not by the name: where others may write, too, that may
 * lead to mail by now.
 */
static void
remove_folder(const struct target *target)
{
	size_t i;
	int fd;

	for (i = 0; i < PARTS && target->form == FORM_MAILDIR; i++) {
		fd = file_mailbox_directory(target->top, parts[i], geteuid());
		if (fd == -1)
			continue;
		remove_files(fd);
		(void)close(fd);
		(void)unlinkat(target->top, parts[i], AT_REMOVEDIR);
	}
	remove_files(target->top);
	(void)unlinkat(target->directory, target->name, AT_REMOVEDIR);
}

void
target_remove(struct target *target)
{
	if (!target->made)
		return;
	if (target->top != -1)
		remove_folder(target);
	else
		(void)unlinkat(target->directory, target->name, 0);
	target->made = 0;
}

void
target_close(struct target *target)
{
	if (target->fd != -1)
		(void)close(target->fd);
	if (target->folder != -1)
		(void)close(target->folder);
	if (target->top != -1)
		(void)close(target->top);
}
