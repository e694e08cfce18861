/*
 * mbox_scan.c - the mbox format: its messages, found in one pass.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.
 */
#include "log.h"
#include "mbox.h"
#include "single_file.h"

/* Where a scan stands. */
struct scan {
	struct single_file *single;
	struct single_message *message;	/* the open one, or NULL */
	uint64_t at;			/* file offset of the line */
	unsigned int blank;		/* bytes of the last line if empty */
};

/* Octets of the message as it stands in the file, From_ line and all. */
static uint64_t
whole_octets(const struct single_message *message)
{
	return ((uint64_t)message->head_bytes - message->head_ending + 2 +
	    message->octets + (message->blank_bytes != 0 ? 2 : 0));
}

/* The message ends at `end`; the empty line before it is not its own. */
static void
end_message(const struct scan *scan, struct single_message *message,
    uint64_t end)
{
	message->stored = end - message->offset;
	if (scan->blank != 0) {
		message->blank_bytes = (uint8_t)scan->blank;
		message->octets -= 2;
	}
}

static int
begin_message(struct scan *scan, const struct line *line)
{
	struct single_message *message;

	if ((message = single_add(&scan->single->shown)) == NULL)
		return (-1);
	/* The list may have moved: the open message is the one before. */
	if (scan->message != NULL)
		end_message(scan, message - 1, scan->at);
	message->offset = scan->at;
	message->head_bytes = (uint16_t)(line->length + line->ending);
	message->head_ending = (uint8_t)line->ending;
	single_keep_head(scan->single, message, line);
	scan->message = message;
	scan->blank = 0;
	return (0);
}

/* A line, or a piece of one; its end counts as CRLF, and the file's does. */
static void
add_line(struct scan *scan, const struct line *line, int last)
{
	if (scan->message != NULL) {
		scan->message->octets += line->length +
		    (line->ending != 0 || last ? 2 : 0);
		single_count_dot(scan->message, line);
	}
	scan->blank = line->starts && line->length == 0 ? line->ending : 0;
}

/*
 * Lines that begin no message, as many as there are at once: behind one that is
 * not empty, or with another letter.
 */
static void
pass_lines(struct scan *scan)
{
	struct lines_passed passed;

	if (scan->blank != 0)
		return;
	lines_pass(&scan->single->reader, &passed);
	if (passed.bytes == 0)
		return;
	scan->at += passed.bytes;
	scan->blank = passed.blank;
	if (scan->message == NULL)
		return;
	scan->message->octets += passed.octets;
	single_add_dots(scan->message, passed.dots);
}

/* Messages end when the next one begins, and with the file. */
static void
finish(struct single_file *single, const struct scan *scan,
    const char *label)
{
	const struct single_message *first = single->shown.messages;
	size_t i;

	if (scan->message != NULL)
		end_message(scan, scan->message, single->size);
	single->whole_octets = 0;
	for (i = 0; i < single->shown.count; i++)
		single->whole_octets += whole_octets(first + i);
	if (single->shown.count == 0 && single->size > 0)
		log_line(LOG_WARNING, "event=open folder=%s bytes=%llu "
		    "error=\"no From_ line: not an mbox\"", label,
		    (unsigned long long)single->size);
	else if (single->shown.count > 0 && first->offset > 0)
		log_line(LOG_NOTICE, "event=open folder=%s bytes=%llu "
		    "error=\"passed over before the first From_ line\"",
		    label, (unsigned long long)first->offset);
}

static const char *
scan_mbox(struct single_file *single, const char *label)
{
	struct scan scan = { single, NULL, single_end(single), 1 };
	struct line line;
	uint64_t end;
	int got;

	lines_begin(&single->reader, single->fd, scan.at, single->size, NULL);
	for (;;) {
		pass_lines(&scan);
		if ((got = lines_next(&single->reader, &line)) != 1)
			break;
		end = scan.at + line.length + line.ending;
		if (scan.blank == 0 || !line.starts ||
		    !mbox_is_from_line(line.text, line.length))
			add_line(&scan, &line, end == single->size);
		else if (begin_message(&scan, &line) == -1)
			return (single_too_many(label));
		scan.at = end;
	}
	if (got == -1)
		return (single_unreadable(label));
	finish(single, &scan, label);
	return (NULL);
}

static int
begins(const struct single_message *message, const struct line *line)
{
	(void)message;
	return (mbox_is_from_line(line->text, line->length));
}

/* The agent before may have left the empty line to the next one. */
static int
arrived(struct single_file *single, uint64_t size)
{
	struct line line;
	int got;

	lines_begin(&single->reader, single->fd, single->size, size, NULL);
	while ((got = lines_next(&single->reader, &line)) == 1)
		if (line.length != 0 || line.ending == 0)
			return (mbox_is_from_line(line.text, line.length));
	return (got == 0);
}

const struct single_format single_mbox = {
	scan_mbox, begins, arrived, NULL, 0
};
