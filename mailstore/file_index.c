/*
 * file_index.c - what was found of messages that are files, kept for the next
 * session.
 *
 * Linked into postern-store, and postern-mailbox, which keeps none; runs as
 * the user, in a directory that only this user may write.  Nothing here is an
 * error: without it the files are read.  What it says may be damage, or have
 * been written by anybody.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "file_index.h"
#include "index_format.h"
#include "log.h"

_Static_assert(sizeof(struct file_index_header) == 40 &&
    sizeof(struct file_index_entry) == 88,
    "no octet of a structure is left out of its checksum");

/* As many entries as are read or written at once. */
static struct file_index_entry entries[RELAY_BYTES /
    sizeof(struct file_index_entry)];

#define ENTRIES_AT_ONCE	(sizeof(entries) / sizeof(entries[0]))

static int
compare_files(const void *a, const void *b)
{
	const struct message_file *const *one = a, *const *other = b;

	return (message_file_compare(&(*one)->identity, &(*other)->identity));
}

/*
 * The list in the order of its devices and inodes; NULL: no memory.  (glibc's
 * qsort(3): see file_list.c.)
 */
static struct message_file **
sort_files(const struct file_list *list)
{
	struct message_file **sorted = calloc(list->count, sizeof(*sorted));
	size_t i;

	for (i = 0; sorted != NULL && i < list->count; i++)
		sorted[i] = &list->files[i];
	if (sorted == NULL || mergesort(sorted, list->count, sizeof(*sorted),
	    compare_files) == 0)
		return (sorted);
	free(sorted);
	return (NULL);
}

/*
 * Is it the file that it was?  Then no octet of it is another: its ctime was
 * long past when it was read, so what changes it gives it another one.
 */
static int
is_as_it_was(const struct message_file *file,
    const struct file_index_entry *entry)
{
	const struct file_identity *now = &file->identity;

	return ((file->flags & FILE_SETTLED) != 0 &&
	    now->size == entry->size &&
	    now->modified.tv_sec == entry->modified &&
	    now->modified.tv_nsec == entry->modified_ns &&
	    now->changed.tv_sec == entry->changed &&
	    now->changed.tv_nsec == entry->changed_ns);
}

/*
 * What can have been found in a file of so many bytes: an octet more for each
 * line end, and an end; a line that is a dot has three octets.  All entries'
 * sums fit.
 */
static int
is_possible(const struct file_index_entry *entry)
{
	const uint64_t size = entry->size;

	return (size <= FILE_INDEX_BYTES_MAX &&
	    entry->dots <= entry->octets / 3 &&
	    (entry->octets == 0 || (entry->octets >= size &&
	    entry->octets - size <= size + 2)) &&
	    index_whole_is_possible(entry->whole_octets, size, 1));
}

static void
take_entry(struct message_file *file, const struct file_index_entry *entry)
{
	file->octets = entry->octets;
	file->whole_octets = entry->whole_octets;
	file->dots = entry->dots;
	if (sodium_is_zero(entry->uid, sizeof(entry->uid)))
		return;
	memcpy(file->uid, entry->uid, sizeof(file->uid));
	file->flags |= FILE_UID;
}

/*
 * Goes through the entries and the files together, both in their order.  0, or
 * -1: the index is not sound, and nothing of it may stay.
 */
static int
take_entries(const struct file_list *list, struct message_file **file, int fd,
    const struct file_index_header *header)
{
	struct message_file **const end = file + list->count;
	unsigned char checksum[INDEX_CHECKSUM_BYTES];
	uint64_t left, at = sizeof(*header);
	crypto_onetimeauth_state state;
	const struct file_index_entry *entry;
	struct file_identity it = { .size = 0 };
	size_t part;
	int order;

	index_checksum_begin(&state);
	for (left = header->entries; left > 0; left -= part) {
		part = left < ENTRIES_AT_ONCE ? (size_t)left : ENTRIES_AT_ONCE;
		if (index_get(fd, entries, part * sizeof(entries[0]), &at,
		    &state) == -1)
			return (-1);
		for (entry = entries; entry < entries + part; entry++) {
			if (!is_possible(entry))
				return (-1);
			it.device = (dev_t)entry->device;
			it.inode = (ino_t)entry->inode;
			/* A file can have more than one name. */
			for (; file < end && (order = message_file_compare(&it,
			    &(*file)->identity)) >= 0; file++)
				if (order == 0 && is_as_it_was(*file, entry))
					take_entry(*file, entry);
		}
	}
	(void)crypto_onetimeauth_update(&state, (const unsigned char *)header,
	    offsetof(struct file_index_header, checksum));
	(void)crypto_onetimeauth_final(&state, checksum);
	return (memcmp(checksum, header->checksum, sizeof(checksum)) == 0 ?
	    0 : -1);
}

static void
forget(struct file_list *list)
{
	static const struct file_index_entry nothing;
	size_t i;

	for (i = 0; i < list->count; i++) {
		take_entry(&list->files[i], &nothing);
		list->files[i].flags &= (uint8_t)~FILE_UID;
	}
}

/* Opens what has that name; -1: it is not there, or nothing to be used. */
static int
open_index(const struct mailbox_place *place, const struct index_names *names,
    struct file_index_header *header)
{
	uint64_t size;
	int fd = index_open_file(place, names, 0, &size);

	if (fd == -1)
		return (-1);
	if (disk_read(fd, header, sizeof(*header), 0) == 0 &&
	    memcmp(header->magic, FILE_INDEX_MAGIC, sizeof(header->magic)) ==
	    0 && header->entries <= INDEX_MESSAGES_MAX)
		return (fd);
	(void)close(fd);
	return (-1);
}

void
file_index_read(struct file_mailbox *mailbox,
    const struct mailbox_place *place)
{
	struct file_index_header header;
	struct message_file **sorted;
	struct index_names names;
	int fd;

	if (!index_files_are_worth(mailbox->list.count) ||
	    index_find(place, &names) == -1 ||
	    (fd = open_index(place, &names, &header)) == -1)
		return;
	sorted = sort_files(&mailbox->list);
	if (sorted != NULL && take_entries(&mailbox->list, sorted, fd,
	    &header) == -1) {
		forget(&mailbox->list);
		log_line(LOG_NOTICE, "event=index folder=%s file=%s "
		    "error=\"damaged; the messages are read instead\"",
		    place->label, names.name);
	}
	free(sorted);
	(void)close(fd);
}

static void
make_entry(struct file_index_entry *entry, const struct message_file *file)
{
	memset(entry, 0, sizeof(*entry));
	entry->device = (uint64_t)file->identity.device;
	entry->inode = (uint64_t)file->identity.inode;
	entry->size = file->identity.size;
	entry->modified = file->identity.modified.tv_sec;
	entry->modified_ns = (uint32_t)file->identity.modified.tv_nsec;
	entry->changed = file->identity.changed.tv_sec;
	entry->changed_ns = (uint32_t)file->identity.changed.tv_nsec;
	entry->octets = file->octets;
	entry->whole_octets = file->whole_octets;
	entry->dots = file->dots;
	if ((file->flags & FILE_UID) != 0)
		memcpy(entry->uid, file->uid, sizeof(entry->uid));
}

/* Is there anything to tell of a file?  One that was deleted does no harm. */
static int
is_told(const struct message_file *file)
{
	return ((file->flags & FILE_SETTLED) != 0 &&
	    file->identity.size <= FILE_INDEX_BYTES_MAX &&
	    (file->octets != 0 || file->whole_octets != 0));
}

/* The header comes last: before it the file is none. */
static int
write_all(const struct file_list *list, struct message_file *const *file,
    int fd)
{
	struct message_file *const *const end = file + list->count;
	struct file_index_header header;
	crypto_onetimeauth_state state;
	uint64_t at = sizeof(header);
	size_t count = 0;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, FILE_INDEX_MAGIC, sizeof(header.magic));
	index_checksum_begin(&state);
	for (; file < end; file++) {
		if (!is_told(*file))
			continue;
		make_entry(&entries[count++], *file);
		header.entries++;
		if (count < ENTRIES_AT_ONCE)
			continue;
		if (index_put(fd, entries, sizeof(entries), &at, &state) == -1)
			return (-1);
		count = 0;
	}
	if (index_put(fd, entries, count * sizeof(entries[0]), &at, &state) ==
	    -1)
		return (-1);
	(void)crypto_onetimeauth_update(&state,
	    (const unsigned char *)&header,
	    offsetof(struct file_index_header, checksum));
	(void)crypto_onetimeauth_final(&state, header.checksum);
	return (disk_write(fd, &header, sizeof(header), 0, NULL));
}

void
file_index_write(struct file_mailbox *mailbox,
    const struct mailbox_place *place)
{
	struct message_file **sorted;
	struct index_names names;
	int fd;

	if (!mailbox->index_lacks || mailbox->index_lies ||
	    !index_files_are_worth(mailbox->list.count) ||
	    index_find(place, &names) == -1)
		return;
	mailbox->index_lacks = 0;
	if ((sorted = sort_files(&mailbox->list)) == NULL)
		return;
	if ((fd = index_create(place, &names)) != -1)
		(void)index_publish(place, &names, fd,
		    write_all(&mailbox->list, sorted, fd));
	free(sorted);
}

void
file_index_remove(struct file_mailbox *mailbox,
    const struct mailbox_place *place)
{
	struct index_names names;

	mailbox->index_lies = 1;
	if (index_find(place, &names) == 0)
		(void)unlinkat(place->state, names.name, 0);
}
