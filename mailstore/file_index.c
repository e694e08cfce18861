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

_Static_assert(sizeof(struct file_index_header) == 48 &&
    sizeof(struct file_index_entry) == 80,
    "no octet of a structure is left out of its checksum");

/* As many entries as are read or written at once. */
static struct file_index_entry entries[RELAY_BYTES /
    sizeof(struct file_index_entry)];

#define ENTRIES_AT_ONCE	(sizeof(entries) / sizeof(entries[0]))

static int
compare_inodes(const void *a, const void *b)
{
	const struct message_file *const *one = a, *const *other = b;

	return ((*one)->identity.inode < (*other)->identity.inode ? -1 :
	    (*one)->identity.inode > (*other)->identity.inode);
}

/* The list by inode; NULL: no memory.  (glibc's qsort(3): see file_list.c.) */
static struct message_file **
sort_by_inode(const struct file_list *list)
{
	struct message_file **sorted = calloc(list->count, sizeof(*sorted));
	size_t i;

	for (i = 0; sorted != NULL && i < list->count; i++)
		sorted[i] = &list->files[i];
	if (sorted == NULL || mergesort(sorted, list->count, sizeof(*sorted),
	    compare_inodes) == 0)
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
    const struct file_index_header *header,
    const struct file_index_entry *entry)
{
	const struct file_identity *now = &file->identity;

	return ((file->flags & FILE_SETTLED) != 0 &&
	    now->device == header->device && now->size == entry->size &&
	    now->modified.tv_sec == entry->modified &&
	    now->modified.tv_nsec == entry->modified_ns &&
	    now->changed.tv_sec == entry->changed &&
	    now->changed.tv_nsec == entry->changed_ns);
}

/* What can have been found in a file of so many bytes. */
static int
is_possible(const struct file_index_entry *entry)
{
	const uint64_t size = entry->size;

	return (size <= INT64_MAX && entry->dots <= entry->octets &&
	    (entry->octets == 0 || (entry->octets >= size &&
	    entry->octets - size <= size + 2)) &&
	    (entry->whole_octets == 0 ||
	    entry->whole_octets / 4 <= size + FROM_LINE_MAX));
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
 * Goes through the entries and the files together, both in the order of their
 * inodes.  0, or -1: the index is not sound, and nothing of it may stay.
 */
static int
take_entries(const struct file_list *list, struct message_file **file, int fd,
    const struct file_index_header *header)
{
	struct message_file **const end = file + list->count;
	unsigned char checksum[INDEX_CHECKSUM_BYTES];
	uint64_t left, at = sizeof(*header);
	crypto_onetimeauth_state state;
	size_t part, i;

	index_checksum_begin(&state);
	for (left = header->entries; left > 0; left -= part) {
		part = left < ENTRIES_AT_ONCE ? (size_t)left : ENTRIES_AT_ONCE;
		if (disk_read(fd, entries, part * sizeof(entries[0]), at) ==
		    -1)
			return (-1);
		at += part * sizeof(entries[0]);
		(void)crypto_onetimeauth_update(&state,
		    (const unsigned char *)entries,
		    part * sizeof(entries[0]));
		for (i = 0; i < part; i++) {
			if (!is_possible(&entries[i]))
				return (-1);
			while (file < end &&
			    (*file)->identity.inode < entries[i].inode)
				file++;
			/* A file can have more than one name. */
			for (; file < end &&
			    (*file)->identity.inode == entries[i].inode;
			    file++)
				if (is_as_it_was(*file, header, &entries[i]))
					take_entry(*file, &entries[i]);
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
	sorted = sort_by_inode(&mailbox->list);
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
is_told(const struct message_file *file, uint64_t device)
{
	return ((file->flags & FILE_SETTLED) != 0 &&
	    (uint64_t)file->identity.device == device &&
	    (file->octets != 0 || file->whole_octets != 0));
}

/* Writes so many entries, and takes them into the checksum. */
static int
put_entries(int fd, size_t count, struct file_index_header *header,
    crypto_onetimeauth_state *state)
{
	const size_t bytes = count * sizeof(entries[0]);
	const uint64_t at = sizeof(*header) +
	    header->entries * sizeof(entries[0]);

	(void)crypto_onetimeauth_update(state,
	    (const unsigned char *)entries, bytes);
	header->entries += count;
	return (disk_write(fd, entries, bytes, at, NULL));
}

/* The header comes last: before it the file is none. */
static int
write_all(const struct file_list *list, struct message_file *const *file,
    int fd)
{
	struct message_file *const *const end = file + list->count;
	struct file_index_header header;
	crypto_onetimeauth_state state;
	size_t count = 0;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, FILE_INDEX_MAGIC, sizeof(header.magic));
	header.device = (uint64_t)(*file)->identity.device;
	index_checksum_begin(&state);
	for (; file < end; file++) {
		if (!is_told(*file, header.device))
			continue;
		make_entry(&entries[count++], *file);
		if (count < ENTRIES_AT_ONCE)
			continue;
		if (put_entries(fd, count, &header, &state) == -1)
			return (-1);
		count = 0;
	}
	if (put_entries(fd, count, &header, &state) == -1)
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
	if ((sorted = sort_by_inode(&mailbox->list)) == NULL)
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
	if (index_files_are_worth(mailbox->list.count) &&
	    index_find(place, &names) == 0)
		(void)unlinkat(place->state, names.name, 0);
}
