/*
 * file_list.c - what is in a mailbox's directories, as message files.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  Names come
 * from strangers, and change while they are listed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_mailbox.h"
#include "index_format.h"
#include "log.h"

void
file_list_free(struct file_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->files[i].name);
	free(list->files);
	memset(list, 0, sizeof(*list));
}

static int
add(struct file_list *list, const struct message_file *file)
{
	size_t room = list->room + list->room / 2 + 64;
	struct message_file *grown;

	if (list->count >= MESSAGES_MAX) {
		errno = EOVERFLOW;
		return (-1);
	}
	if (list->count == list->room) {
		grown = reallocarray(list->files, room, sizeof(*grown));
		if (grown == NULL)
			return (-1);
		list->files = grown;
		list->room = room;
	}
	list->files[list->count++] = *file;
	return (0);
}

/*
 * One name: what is no message's is passed over, and so is what is gone
 * already; a message's name that leads to something else is counted.
 */
static int
list_name(const struct file_mailbox *mailbox, uint8_t which,
    const char *name, struct file_list *list)
{
	struct message_file file;

	memset(&file, 0, sizeof(file));
	file.order = -1;
	file.directory = which;
	if (!mailbox->is_message(name, &file.order))
		return (0);
	errno = 0;
	if (message_file_look(mailbox->directories[which], name,
	    &file.identity) == -1 || file.identity.owner != mailbox->owner) {
		list->unfit += errno != ENOENT && errno != EISDIR;
		return (0);
	}
	if (file.order == -1)
		file.order = (int64_t)file.identity.modified.tv_sec;
	if (index_is_settled(&file.identity.changed))
		file.flags |= FILE_SETTLED;
	if ((file.name = strdup(name)) == NULL)
		return (-1);
	if (add(list, &file) == -1) {
		free(file.name);
		return (-1);
	}
	return (0);
}

/* Each listing has a descriptor of its own: it begins at the beginning. */
static int
list_directory(const struct file_mailbox *mailbox, uint8_t which,
    struct file_list *list)
{
	struct dirent *entry;
	int fd, error, result = 0;
	DIR *names;

	fd = openat(mailbox->directories[which], ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if ((names = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return (-1);
	}
	while (errno = 0, result == 0 && (entry = readdir(names)) != NULL)
		result = list_name(mailbox, which, entry->d_name, list);
	error = errno;
	if (entry == NULL && error != 0)
		result = -1;
	(void)closedir(names);
	errno = error;
	return (result);
}

/* Of a Maildir's name, the part that stays when its flags change. */
static size_t
unique_length(const char *name)
{
	return (strcspn(name, ":"));
}

static int
compare_unique(const struct message_file *one,
    const struct message_file *other)
{
	size_t length = unique_length(one->name);
	size_t other_length = unique_length(other->name);
	int difference = memcmp(one->name, other->name,
	    length < other_length ? length : other_length);

	return (difference != 0 ? difference : length < other_length ? -1 :
	    length > other_length);
}

static int
compare_names(const void *a, const void *b)
{
	return (compare_unique(a, b));
}

static int
compare_order(const void *a, const void *b)
{
	const struct message_file *one = a, *other = b;
	int difference;

	if (one->order != other->order)
		return (one->order < other->order ? -1 : 1);
	difference = compare_unique(one, other);
	return (difference != 0 ? difference : strcmp(one->name,
	    other->name));
}

static int
compare_place(const struct message_file *one,
    const struct message_file *other)
{
	return (one->directory != other->directory ?
	    one->directory - other->directory : strcmp(one->name,
	    other->name));
}

static int
compare_inode(const struct message_file *one,
    const struct message_file *other)
{
	return (message_file_compare(&one->identity, &other->identity));
}

static int
compare_files(const void *a, const void *b)
{
	int difference = compare_inode(a, b);

	return (difference != 0 ? difference : compare_place(a, b));
}

/*
 * glibc's qsort(3) asks for the machine's memory, which the sandbox forbids;
 * and names from strangers could make it slow.
 */
static int
sort(struct file_list *list, int (*compare)(const void *, const void *))
{
	return (list->count < 2 ? 0 : mergesort(list->files, list->count,
	    sizeof(*list->files), compare));
}

/*
 * A message that was renamed while the directories were listed may have been
 * met under both names: the first goes.
 */
static void
drop_doubles(struct file_list *list)
{
	struct message_file *from, *to = list->files;
	struct message_file *end = list->files + list->count;

	for (from = list->files; from < end; from++) {
		if (from + 1 < end && compare_inode(from, from + 1) == 0 &&
		    compare_unique(from, from + 1) == 0)
			free(from->name);
		else
			*to++ = *from;
	}
	list->count = (size_t)(to - list->files);
}

int
file_list_read(const struct file_mailbox *mailbox, struct file_list *list)
{
	uint8_t which;

	memset(list, 0, sizeof(*list));
	for (which = 0; which < FILE_DIRECTORIES_MAX; which++)
		if (mailbox->directories[which] != -1 && list_directory(
		    mailbox, which, list) == -1)
			return (-1);
	if (sort(list, compare_order) == -1)
		return (-1);
	drop_doubles(list);
	if (list->unfit > 0)
		log_line(LOG_NOTICE, "event=open folder=%s files=%zu "
		    "error=\"passed over: not regular files of this user\"",
		    mailbox->label, list->unfit);
	return (0);
}

/* The first entry of a list sorted by file that is not before `file`. */
static struct message_file *
first_not_before(const struct file_list *list,
    const struct message_file *file)
{
	size_t low = 0, high = list->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_inode(&list->files[middle], file) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (&list->files[low]);
}

/* How much an entry must have of a message. */
enum likeness { SAME_PLACE, SAME_FILE, SAME_NAME, SAME_INODE };

/* The entry is this message's, and no other's. */
static void
take(struct message_file *file, struct message_file *entry, uint8_t flags)
{
	char *name = file->name;

	entry->flags |= FILE_MARKED;
	file->name = entry->name;
	entry->name = name;
	file->directory = entry->directory;
	file->flags = (uint8_t)((file->flags & ~(FILE_GONE | FILE_CHANGED)) |
	    flags);
}

/* Looks for the message in a list that is sorted by inode. */
static void
find_inode(struct message_file *file, const struct file_list *now,
    enum likeness likeness)
{
	struct message_file *entry = first_not_before(now, file);
	int same;

	for (; entry < now->files + now->count &&
	    compare_inode(entry, file) == 0; entry++) {
		same = message_file_same(&entry->identity, &file->identity);
		if ((entry->flags & FILE_MARKED) != 0 ||
		    (!same && likeness != SAME_INODE) ||
		    (likeness == SAME_PLACE && compare_place(entry, file) !=
		    0))
			continue;
		take(file, entry, same ? 0 : FILE_CHANGED);
		return;
	}
}

/* Looks for what has its name now, in a list that is sorted by that. */
static void
find_name(struct message_file *file, const struct file_list *now)
{
	struct message_file *entry = NULL;

	if (now->count > 0)
		entry = bsearch(file, now->files, now->count,
		    sizeof(*now->files), compare_names);
	if (entry != NULL && (entry->flags & FILE_MARKED) == 0)
		take(file, entry, FILE_CHANGED);
}

/* Entries that are some message's are let go. */
static void
drop_taken(struct file_list *list)
{
	struct message_file *from, *to = list->files;

	for (from = list->files; from < list->files + list->count; from++)
		if ((from->flags & FILE_MARKED) != 0)
			free(from->name);
		else
			*to++ = *from;
	list->count = (size_t)(to - list->files);
}

/* For all that are not found yet, in what is nobody's yet. */
static void
find_by(const struct file_list *messages, const struct file_list *now,
    enum likeness likeness)
{
	struct message_file *file = messages->files;
	const struct message_file *end = file + messages->count;

	for (; file < end; file++)
		if ((file->flags & FILE_GONE) != 0 && likeness == SAME_NAME)
			find_name(file, now);
		else if ((file->flags & FILE_GONE) != 0)
			find_inode(file, now, likeness);
}

/*
 * The surest likeness first: each entry can be only one message's.  An inode
 * alone comes last: it may have been another file's before.
 */
static int
find_all(const struct file_list *messages, struct file_list *now)
{
	if (sort(now, compare_files) == -1)
		return (-1);
	find_by(messages, now, SAME_PLACE);
	find_by(messages, now, SAME_FILE);
	drop_taken(now);
	if (sort(now, compare_names) == -1)
		return (-1);
	find_by(messages, now, SAME_NAME);
	drop_taken(now);
	if (sort(now, compare_files) == -1)
		return (-1);
	find_by(messages, now, SAME_INODE);
	return (0);
}

int
file_list_find_again(struct file_mailbox *mailbox)
{
	struct message_file *file = mailbox->list.files;
	struct message_file *end = file + mailbox->list.count;
	struct file_list now;
	int result = file_list_read(mailbox, &now), error;

	for (; result == 0 && file < end; file++)
		if ((file->flags & FILE_REMOVED) == 0)
			file->flags |= FILE_GONE;
	if (result == 0)
		result = find_all(&mailbox->list, &now);
	error = errno;
	/* What could not be looked for is not gone. */
	for (file = mailbox->list.files; result == -1 && file < end; file++)
		file->flags &= (uint8_t)~FILE_GONE;
	file_list_free(&now);
	errno = error;
	return (result);
}
