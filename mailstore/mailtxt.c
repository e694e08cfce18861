/*
 * mailtxt.c - the format of TOPS-20's MAIL.TXT: mtx, and tenex.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.  Messages are found by the counts in the lines before them,
 * and by nothing else: from a line or a count that is wrong on nobody can tell
 * where the next message begins.  What stands before it is served, and the
 * file is not rewritten.
 */
#include <string.h>

#include "log.h"
#include "mailtxt.h"
#include "mboxrd.h"
#include "single_file.h"

static const char no_header[] = "no line that begins a message";
static const char too_long[] = "a message longer than the file";

/*
 * Finds the message at `at`, in a file that ends at `end`: 1, 0 and what is
 * damaged, -1 and errno.
 */
static int
find(struct single_file *single, uint64_t at, uint64_t end,
    struct single_message *message, struct mailtxt_header *header,
    const char **damage)
{
	uint64_t left = end - at;
	struct line line;

	*damage = no_header;
	lines_begin(&single->reader, single->fd, at, at + (left <
	    MAILTXT_HEADER_MAX ? left : MAILTXT_HEADER_MAX), NULL);
	if (lines_next(&single->reader, &line) == -1)
		return (-1);
	if (line.ending == 0 ||
	    mailtxt_parse(line.text, line.length, header) == -1)
		return (0);
	memset(message, 0, sizeof(*message));
	message->offset = at;
	message->head_bytes = (uint16_t)(line.length + line.ending);
	message->head_ending = (uint8_t)line.ending;
	single_keep_head(single, message, &line);
	*damage = too_long;
	if (header->octets > left - message->head_bytes)
		return (0);
	message->stored = message->head_bytes + header->octets;
	return (1);
}

/* Counts a message's octets, alone and as mboxrd.  0, or -1 with errno. */
static int
measure(struct single_file *single, struct single_message *message,
    time_t received)
{
	uint64_t begin = message->offset + message->head_bytes;
	uint64_t end = message->offset + message->stored;
	struct line line = { NULL, 0, 1, 0 };
	char sender[SENDER_SIZE];
	struct mboxrd whole;
	int got;

	if (mboxrd_sender(&single->reader, single->fd, begin, end, sender) ==
	    -1)
		return (-1);
	(void)mboxrd_begin(&whole, NULL, sender, received);
	lines_begin(&single->reader, single->fd, begin, end, NULL);
	while ((got = lines_next(&single->reader, &line)) == 1) {
		message->octets += line.length + (line.ending != 0 ? 2 : 0);
		single_count_dot(message, &line);
		(void)mboxrd_line(&whole, &line);
	}
	if (got == -1)
		return (-1);
	if (line.ending == 0)
		message->octets += 2;
	(void)mboxrd_end(&whole);
	single->whole_octets += whole.octets;
	return (0);
}

/* Takes a message into its list.  0, or -1: there is no room. */
static int
add(struct single_list *list, const struct single_message *found)
{
	struct single_message *message = single_add(list);

	if (message == NULL)
		return (-1);
	*message = *found;
	return (0);
}

static const char *
scan(struct single_file *single, const char *label)
{
	struct single_message message;
	struct mailtxt_header header;
	const char *damage;
	uint64_t at;
	int got = 1;

	for (at = 0; at < single->size; at += message.stored) {
		got = find(single, at, single->size, &message, &header,
		    &damage);
		if (got != 1)
			break;
		if (!header.is_deleted &&
		    measure(single, &message, header.received) == -1)
			return (single_unreadable(label));
		if (add(header.is_deleted ? &single->hidden :
		    &single->shown, &message) == -1)
			return (single_too_many(label));
	}
	if (got == -1)
		return (single_unreadable(label));
	single->damaged = got == 0;
	if (single->damaged)
		log_line(LOG_WARNING, "event=open folder=%s octet=%llu "
		    "bytes=%llu error=\"damaged: %s; what stands before it is "
		    "served, and nothing will be deleted\"", label,
		    (unsigned long long)at, (unsigned long long)single->size,
		    damage);
	return (NULL);
}

/* The flags may have changed, and nothing else. */
static int
begins(const struct single_message *message, const struct line *line)
{
	struct mailtxt_header header;

	return (mailtxt_parse(line->text, line->length, &header) == 0 &&
	    header.octets == message->stored - message->head_bytes);
}

static int
arrived(struct single_file *single, uint64_t size)
{
	struct single_message message;
	struct mailtxt_header header;
	const char *damage;
	uint64_t at;

	for (at = single->size; at < size; at += message.stored)
		if (find(single, at, size, &message, &header, &damage) != 1)
			return (0);
	return (1);
}

static time_t
received(const struct line *line)
{
	struct mailtxt_header header;

	return (mailtxt_parse(line->text, line->length, &header) == 0 ?
	    header.received : 0);
}

const struct single_format single_mailtxt = {
	scan, begins, arrived, received, MAILTXT_FLAG_BYTES
};
