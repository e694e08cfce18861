/*
 * tool_files.c - what is odd in a directory of messages.
 *
 * Linked into postern-mailbox; runs as the mailbox's owner.  Names come from
 * strangers, and change while they are listed.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"
#include "file_mailbox.h"
#include "mh.h"
#include "tool.h"

/* Delivery into a Maildir takes no longer; what is left then has failed. */
#define TMP_SECONDS	(36 * 3600)

/* A directory that is being listed. */
struct listing {
	int fd;
	const char *prefix;		/* of its names: "new/" */
	uid_t owner;			/* whose messages are served */
};

static const char *
name_in(const struct listing *listing, const char *name)
{
	static char whole[NAME_MAX + 8];

	(void)snprintf(whole, sizeof(whole), "%s%s", listing->prefix, name);
	return (whole);
}

static int
is_regular(const struct listing *listing, const char *name,
    struct stat *status)
{
	return (fstatat(listing->fd, name, status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(status->st_mode));
}

static int
is_gone(const struct listing *listing, const char *name)
{
	struct stat status;

	return (fstatat(listing->fd, name, &status, AT_SYMLINK_NOFOLLOW) ==
	    -1 && errno == ENOENT);
}

/* A name that is a message's must lead to one. */
static void
check_file(const struct listing *listing, const char *name, int is_message,
    const char *what)
{
	struct stat status;

	if (is_message && is_regular(listing, name, &status)) {
		if (status.st_uid != listing->owner)
			tool_odd(name_in(listing, name), 0, 0,
			    "belongs-to-somebody-else", 0);
	} else if (!is_gone(listing, name))
		tool_odd(name_in(listing, name), 0, 0, what, 0);
}

/* A name of an MH folder. */
static void
check_number(const struct listing *listing, const char *name)
{
	if (name[0] != '\0' && name[strspn(name, "0123456789")] == '\0')
		check_file(listing, name, mh_number(name) != 0,
		    "number-but-not-a-message");
}

/* A name in new or cur. */
static void
check_name(const struct listing *listing, const char *name)
{
	if (name[0] != '.')
		check_file(listing, name, 1, "not-a-regular-file");
}

/* A name in tmp: nobody has touched it for long. */
static void
check_old(const struct listing *listing, const char *name)
{
	struct timespec now;
	struct stat status;
	time_t touched;

	if (name[0] == '.' || !is_regular(listing, name, &status) ||
	    clock_gettime(CLOCK_REALTIME, &now) == -1)
		return;
	touched = status.st_mtime > status.st_atime ? status.st_mtime :
	    status.st_atime;
	if (now.tv_sec - touched > TMP_SECONDS)
		tool_odd(name_in(listing, name), 0, 0,
		    "delivery-that-was-never-finished", 0);
}

/* Looks at every name.  0, or -1 with errno. */
static int
list_names(const struct listing *listing,
    void (*check)(const struct listing *listing, const char *name))
{
	struct dirent *entry;
	int fd, error;
	DIR *names;

	fd = openat(listing->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if ((names = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return (-1);
	}
	while (errno = 0, (entry = readdir(names)) != NULL &&
	    !tool_is_interrupted())
		check(listing, entry->d_name);
	error = errno;
	(void)closedir(names);
	errno = error;
	return (error == 0 ? 0 : -1);
}

/* The sequences are text of numbers, or nmh does not know them any more. */
static void
check_sequences(int directory)
{
	static char text[MH_SEQUENCES_BYTES_MAX];
	struct stat status;
	size_t length;
	char *read_back = NULL;
	int fd;

	fd = openat(directory, MH_SEQUENCES, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return;
	if (fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size <= (off_t)sizeof(text) &&
	    disk_read(fd, text, (size_t)status.st_size, 0) == 0)
		read_back = mh_sequences_text(text, (size_t)status.st_size,
		    NULL, 0, &length);
	if (fd != -1)
		(void)close(fd);
	if (read_back == NULL)
		tool_odd(MH_SEQUENCES, 0, 0, "sequences-are-damaged", 0);
	free(read_back);
}

static int
compare_unique(const void *a, const void *b)
{
	const char *one = *(const char *const *)a;
	const char *other = *(const char *const *)b;
	const size_t length = strcspn(one, ":");
	const size_t other_length = strcspn(other, ":");
	const int difference = memcmp(one, other, length < other_length ?
	    length : other_length);

	return (difference != 0 ? difference : length < other_length ? -1 :
	    length > other_length);
}

/* Two messages with one unique name: a rename of one may replace the other. */
static int
check_doubles(const struct file_list *list)
{
	const char **names;
	size_t i;

	if (list->count < 2)
		return (0);
	if ((names = calloc(list->count, sizeof(*names))) == NULL)
		return (-1);
	for (i = 0; i < list->count; i++)
		names[i] = list->files[i].name;
	if (mergesort(names, list->count, sizeof(*names), compare_unique) ==
	    -1) {
		free(names);
		return (-1);
	}
	for (i = 1; i < list->count; i++)
		if (compare_unique(&names[i - 1], &names[i]) == 0)
			tool_odd(names[i], 0, 0, "unique-name-is-there-twice",
			    0);
	free(names);
	return (0);
}

/* Every message from its first byte to its last. */
static void
check_messages(const struct file_mailbox *files, const char *const *prefixes)
{
	const struct message_file *file = files->list.files;
	struct tool_part part = { .number = 0 };
	struct listing listing;
	size_t i;

	for (i = 0; i < files->list.count && !tool_is_interrupted();
	    i++, file++) {
		listing.prefix = prefixes[file->directory];
		part.file = name_in(&listing, file->name);
		part.number = i + 1;
		part.to = file->identity.size;
		part.fd = message_file_open(file,
		    files->directories[file->directory]);
		if (part.fd == -1 || tool_content(&part) == -1)
			tool_odd(part.file, 0, part.number, "unreadable", 0);
		if (part.fd != -1)
			(void)close(part.fd);
	}
}

static int
check_mh(const struct file_mailbox *files)
{
	static const char *const prefixes[] = { "" };
	const struct listing folder = { files->directories[0], "",
	    files->owner };

	check_sequences(files->directories[0]);
	check_messages(files, prefixes);
	return (list_names(&folder, check_number));
}

static int
check_maildir(const struct mailbox *mailbox, const struct file_mailbox *files)
{
	static const char *const prefixes[] = { "new/", "cur/" };
	const struct listing arrived = { files->directories[0], prefixes[0],
	    files->owner };
	const struct listing seen = { files->directories[1], prefixes[1],
	    files->owner };
	struct listing tmp = { -1, "tmp/", files->owner };
	char path[FOLDER_SIZE + 8];
	int result = -1;

	check_messages(files, prefixes);
	(void)snprintf(path, sizeof(path), "%s/tmp", mailbox->place.name);
	tmp.fd = openat(mailbox->place.directory, path, O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tmp.fd != -1 && list_names(&arrived, check_name) == 0 &&
	    list_names(&seen, check_name) == 0 &&
	    list_names(&tmp, check_old) == 0)
		result = check_doubles(&files->list);
	if (tmp.fd != -1)
		(void)close(tmp.fd);
	return (result);
}

int
tool_files(const struct mailbox *mailbox)
{
	return (mailbox->format == &mailbox_mh ? check_mh(mailbox->state) :
	    check_maildir(mailbox, mailbox->state));
}

uint64_t
tool_files_stored(const struct mailbox *mailbox)
{
	const struct file_mailbox *files = mailbox->state;
	uint64_t stored = 0;
	size_t i;

	for (i = 0; i < files->list.count; i++)
		stored += files->list.files[i].identity.size;
	return (stored);
}
