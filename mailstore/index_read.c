/*
 * index_read.c - an index is read, and held against the mailbox.
 *
 * Linked into postern-store, and postern-mailbox, which keeps none; runs
 * as the user.  DESIGN.md, "The index of a file", says why what is believed
 * here may be.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "index_format.h"
#include "log.h"

/* As many entries as are read at once. */
static struct index_entry entries[RELAY_BYTES / sizeof(struct index_entry)];

static void
forget(struct single_file *single)
{
	single->shown.count = 0;
	single->hidden.count = 0;
	single->whole_octets = 0;
	index_close(&single->index);
}

/* Puts one message into its list; it begins where the one before it ends. */
static int
take_entry(struct single_file *single, const struct index_entry *entry,
    uint64_t *at, uint64_t size)
{
	struct single_list *list = index_is_hidden(entry) ? &single->hidden :
	    &single->shown;
	struct single_message *message;

	if (list->count == list->room)
		return (-1);
	message = &list->messages[list->count];
	message->offset = *at;
	if (index_unpack(entry, size - *at, single->format, message) == -1)
		return (-1);
	*at += message->stored;
	list->count++;
	return (0);
}

/* All entries into the lists: as many as the header says, and sound. */
static int
take_entries(struct single_file *single, int fd,
    const struct index_header *header)
{
	const uint64_t count = header->shown + header->hidden;
	uint64_t done, i, part, end = 0, at = sizeof(*header);
	unsigned char checksum[INDEX_CHECKSUM_BYTES];
	crypto_onetimeauth_state state;

	if (single_reserve(&single->shown, header->shown) == -1 ||
	    single_reserve(&single->hidden, header->hidden) == -1)
		return (-1);
	index_checksum_begin(&state);
	(void)crypto_onetimeauth_update(&state, (const unsigned char *)header,
	    offsetof(struct index_header, checksum));
	for (done = 0; done < count; done += part) {
		part = sizeof(entries) / sizeof(entries[0]);
		if (part > count - done)
			part = count - done;
		if (index_get(fd, entries, part * sizeof(entries[0]), &at,
		    &state) == -1)
			return (-1);
		for (i = 0; i < part; i++)
			if (take_entry(single, &entries[i], &end,
			    header->size) == -1)
				return (-1);
	}
	(void)crypto_onetimeauth_final(&state, checksum);
	return (memcmp(checksum, header->checksum, sizeof(checksum)) == 0 &&
	    single->shown.count == header->shown && end == header->size ? 0 :
	    -1);
}

/* Does an empty line stand before it, or is it the file's first? */
static int
is_behind_blank(const struct single_file *single,
    const struct single_message *message)
{
	unsigned char text[3];

	if (message->offset == 0)
		return (1);
	return (message->offset >= sizeof(text) && disk_read(single->fd, text,
	    sizeof(text), message->offset - sizeof(text)) == 0 &&
	    line_blank(text, sizeof(text)) > 0);
}

/* Is every message of an mbox that the list tells of where it was? */
static int
are_there(struct single_file *single)
{
	const struct single_list *shown = &single->shown;
	struct line line;
	size_t i;

	for (i = 0; i < shown->count; i++)
		if (!is_behind_blank(single, &shown->messages[i]) ||
		    single_read_head(single, &shown->messages[i], NULL,
		    &line) != NULL)
			return (0);
	return (1);
}

/*
 * The part of an mbox behind its last From_ line may have grown, and is read
 * again.  Where that line was the file's end it may be no From_ line now.
 */
static int
drop_last(struct single_file *single)
{
	const size_t count = single->shown.count;

	if (count > 0) {
		if (single->shown.messages[count - 1].head_ending == 0)
			return (-1);
		single->shown.count--;
	}
	if (single->index.uids_known > single->shown.count)
		single->index.uids_known = single->shown.count;
	return (0);
}

enum match { NOT_THIS, UNCHANGED, GROWN };

static enum match
compare(const struct index_header *header, const struct single_file *single)
{
	struct index_header now;

	index_describe(&now, single);
	if (header->device != now.device || header->inode != now.inode ||
	    ((header->flags ^ now.flags) & INDEX_MAILTXT) != 0)
		return (NOT_THIS);
	/* A MAIL.TXT that has grown is read whole: few are large. */
	if (now.size > header->size)
		return (single->format == &single_mbox ? GROWN : NOT_THIS);
	return (now.size == header->size &&
	    header->modified == now.modified &&
	    header->modified_ns == now.modified_ns &&
	    header->changed == now.changed &&
	    header->changed_ns == now.changed_ns &&
	    (header->flags & INDEX_SETTLED) != 0 ? UNCHANGED : NOT_THIS);
}

/* Fills the lists from a sound file; empties them again where it is none. */
static enum match
load(struct single_file *single, const struct mailbox_place *place,
    const char *name, int fd, const struct index_header *header)
{
	const enum match match = compare(header, single);

	if (match == NOT_THIS)
		return (match);
	if (!index_whole_is_possible(header->whole_octets, header->size,
	    header->shown + header->hidden) ||
	    take_entries(single, fd, header) == -1) {
		forget(single);
		log_line(LOG_NOTICE, "event=index folder=%s file=%s "
		    "error=\"damaged; the mailbox is read instead\"",
		    place->label, name);
		return (NOT_THIS);
	}
	memcpy(single->index.checksum, header->checksum,
	    sizeof(header->checksum));
	memcpy(single->head_key, header->head_key, sizeof(single->head_key));
	single->whole_octets = header->whole_octets;
	if (match == UNCHANGED)
		return (match);
	index_read_uids(single, fd, header);
	if (!are_there(single) || drop_last(single) == -1) {
		forget(single);
		return (NOT_THIS);
	}
	return (match);
}

int
index_read(struct single_file *single, const struct mailbox_place *place)
{
	struct index_header header;
	enum match match;
	struct index_names names;
	int fd;

	if (!index_is_worth(single->size, 1) ||
	    index_find(place, &names) == -1)
		return (0);
	single->settled = index_is_settled(&single->changed);
	fd = index_open(place, &names, 0, &header);
	if (fd == -1)
		return (0);
	match = load(single, place, names.name, fd, &header);
	(void)close(fd);
	single->index.is_there = match == UNCHANGED;
	return (match == UNCHANGED);
}
