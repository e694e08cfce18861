/*
 * index_format.c - an index as it lies on the disk.
 *
 * Linked into postern-store, and postern-mailbox, which keeps none; runs
 * as the user.  What an index says may be damage, or have been written by
 * anybody: no number of it is used before it was found possible here.
 */
#include <string.h>

#include "index_format.h"
#include "mboxrd.h"

/* Of struct index_entry's shape, from the lowest bit on. */
#define HEAD_BITS	11
#define ENDING_BITS	2
#define BLANK_BITS	2
#define ENDING_AT	HEAD_BITS
#define BLANK_AT	(ENDING_AT + ENDING_BITS)
#define HIDDEN_AT	(BLANK_AT + BLANK_BITS)
#define STORED_AT	(HIDDEN_AT + 1)

#define LOW(value, bits)	((value) & ((1U << (bits)) - 1))

/* A quarter of what a From_ line and an empty one can have in mboxrd form. */
#define HEAD_QUARTER	128

_Static_assert(MBOXRD_FROM_SIZE + 4 <= 4 * HEAD_QUARTER, "a whole mailbox");
_Static_assert(FROM_LINE_MAX + 2 < 1 << HEAD_BITS &&
    MAILTXT_HEADER_MAX < 1 << HEAD_BITS, "a head line and its end");
_Static_assert(sizeof(struct index_header) == 128 &&
    sizeof(struct index_entry) == 32 && sizeof(struct index_uids) == 56,
    "no octet of a structure is left out of its checksum");

uint64_t
index_uids_at(const struct index_header *header)
{
	return (sizeof(*header) + (header->shown + header->hidden) *
	    sizeof(struct index_entry));
}

int
index_is_worth(uint64_t bytes, uint64_t messages)
{
	return (bytes >= INDEX_MAILBOX_BYTES_MIN && messages > 0 &&
	    messages <= INDEX_MESSAGES_MAX &&
	    bytes / messages >= INDEX_MESSAGE_BYTES_MIN);
}

int
index_files_are_worth(uint64_t messages)
{
	return (messages >= FILE_INDEX_MESSAGES_MIN &&
	    messages <= INDEX_MESSAGES_MAX);
}

int
index_is_settled(const struct timespec *changed)
{
	struct timespec now;

	return (clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    changed->tv_sec < now.tv_sec - INDEX_SETTLED_SECONDS);
}

void
index_describe(struct index_header *header, const struct single_file *single)
{
	memset(header, 0, sizeof(*header));
	memcpy(header->magic, INDEX_MAGIC, sizeof(header->magic));
	header->device = (uint64_t)single->device;
	header->inode = (uint64_t)single->inode;
	header->size = single->size;
	header->modified = single->modified.tv_sec;
	header->modified_ns = (uint32_t)single->modified.tv_nsec;
	header->changed = single->changed.tv_sec;
	header->changed_ns = (uint32_t)single->changed.tv_nsec;
	header->shown = single->shown.count;
	header->hidden = single->hidden.count;
	header->whole_octets = single->whole_octets;
	header->flags = (single->format == &single_mailtxt ? INDEX_MAILTXT :
	    0) | (single->settled ? INDEX_SETTLED : 0);
	memcpy(header->head_key, single->head_key, sizeof(header->head_key));
}

void
index_checksum_begin(crypto_onetimeauth_state *state)
{
	static const unsigned char key[crypto_onetimeauth_KEYBYTES] =
	    "Postern: a checksum, no secret";

	(void)crypto_onetimeauth_init(state, key);
}

int
index_whole_is_possible(uint64_t octets, uint64_t bytes, uint64_t messages)
{
	/* Divided, so that no sum is too large: both are a file's numbers. */
	return (octets / 4 <= bytes + HEAD_QUARTER * messages);
}

int
index_pack(struct index_entry *entry, const struct single_message *message,
    int is_hidden)
{
	const uint64_t content = message->stored - message->head_bytes -
	    message->blank_bytes;

	memset(entry, 0, sizeof(*entry));
	if ((message->flags & SINGLE_SENT) != 0)
		return (-1);	/* its digest is not its head line's */
	/* A hidden one was not measured. */
	if (!is_hidden) {
		if (message->octets < content ||
		    message->octets - content > UINT32_MAX)
			return (-1);
		entry->more = (uint32_t)(message->octets - content);
	}
	if (message->stored >> (64 - STORED_AT) != 0)
		return (-1);
	entry->shape = message->stored << STORED_AT |
	    (uint64_t)(is_hidden != 0) << HIDDEN_AT |
	    (uint64_t)message->blank_bytes << BLANK_AT |
	    (uint64_t)message->head_ending << ENDING_AT | message->head_bytes;
	entry->dots = message->dots;
	memcpy(entry->digest, message->digest, sizeof(entry->digest));
	return (0);
}

/* What a scan can have found, so far as its numbers tell. */
static int
is_possible(const struct single_message *message, uint64_t left,
    const struct single_format *format, int is_hidden)
{
	const uint64_t around = (uint64_t)message->head_bytes +
	    message->blank_bytes;
	const int is_last = message->stored == left;

	if (message->stored > left || message->stored < around ||
	    message->head_ending > 2 || message->blank_bytes > 2 ||
	    message->head_bytes <= message->head_ending)
		return (0);
	/* Only the file's end ends a line, or a message, without more. */
	if (message->head_ending == 0 && (!is_last ||
	    message->stored != message->head_bytes))
		return (0);
	if (format == &single_mbox)
		return (!is_hidden && (is_last || message->blank_bytes > 0));
	return (message->head_ending > 0 && message->blank_bytes == 0);
}

int
index_is_hidden(const struct index_entry *entry)
{
	return (LOW(entry->shape >> HIDDEN_AT, 1) != 0);
}

int
index_unpack(const struct index_entry *entry, uint64_t left,
    const struct single_format *format, struct single_message *message)
{
	const int is_hidden = index_is_hidden(entry);
	uint64_t content;

	message->stored = entry->shape >> STORED_AT;
	message->head_bytes = (uint16_t)LOW(entry->shape, HEAD_BITS);
	message->head_ending = (uint8_t)LOW(entry->shape >> ENDING_AT,
	    ENDING_BITS);
	message->blank_bytes = (uint8_t)LOW(entry->shape >> BLANK_AT,
	    BLANK_BITS);
	message->flags = 0;
	message->dots = (uint16_t)entry->dots;
	memcpy(message->digest, entry->digest, sizeof(message->digest));
	if (!is_possible(message, left, format, is_hidden))
		return (-1);
	content = message->stored - message->head_bytes -
	    message->blank_bytes;
	message->octets = is_hidden ? 0 : content + entry->more;
	/* Each LF has a CR more on the wire; so has a last line without. */
	return (entry->more <= content + 2 && entry->dots <= content &&
	    message->dots == entry->dots ? 0 : -1);
}
