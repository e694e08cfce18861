/*
 * mbox_scan.c - a list of the messages of an mbox file, in one pass.
 *
 * Linked into postern-store; runs as the user, on bytes from strangers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mbox.h"

/* Where a scan stands. */
struct scan {
	struct mbox *mbox;
	struct mbox_message *message;	/* the open one, or NULL */
	uint64_t at;			/* file offset of the line */
	unsigned int blank;		/* bytes of the last line if empty */
};

uint64_t
mbox_message_octets(const struct mbox_message *message)
{
	return (message->octets != 0 ? message->octets : 2);
}

uint64_t
mbox_whole_octets(const struct mbox_message *message)
{
	return ((uint64_t)message->from_bytes - message->from_ending + 2 +
	    message->octets + (message->blank_bytes != 0 ? 2 : 0));
}

/* Makes the list half as long again. */
static int
grow(struct mbox *mbox)
{
	size_t room = mbox->room + mbox->room / 2 + 64;
	void *grown;

	grown = reallocarray(mbox->messages, room, sizeof(*mbox->messages));
	if (grown == NULL)
		return (-1);
	mbox->messages = grown;
	mbox->room = room;
	return (0);
}

/* One more place in the list; NULL when there is no room for it. */
static struct mbox_message *
new_message(struct mbox *mbox)
{
	struct mbox_message *message;

	if (mbox->count >= MESSAGES_MAX ||
	    (mbox->count == mbox->room && grow(mbox) == -1))
		return (NULL);
	message = &mbox->messages[mbox->count++];
	memset(message, 0, sizeof(*message));
	return (message);
}

/* The message ends at `end`; the empty line before it is not its own. */
static void
end_message(struct scan *scan, struct mbox_message *message, uint64_t end)
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
	struct mbox_message *message;

	if ((message = new_message(scan->mbox)) == NULL)
		return (-1);
	/* The list may have moved: the open message is the one before. */
	if (scan->message != NULL)
		end_message(scan, message - 1, scan->at);
	message->offset = scan->at;
	message->from_bytes = (uint16_t)(line->length + line->ending);
	message->from_ending = (uint8_t)line->ending;
	scan->message = message;
	scan->blank = 0;
	return (0);
}

/* A line, or a piece of one; its end counts as CRLF, and the file's does. */
static void
add_line(struct scan *scan, const struct line *line, int last)
{
	if (scan->message != NULL)
		scan->message->octets += line->length +
		    (line->ending != 0 || last ? 2 : 0);
	scan->blank = line->starts && line->length == 0 ? line->ending : 0;
}

const char *
mbox_scan(struct mbox *mbox, const char *label)
{
	struct scan scan = { mbox, NULL, 0, 1 };
	struct line line;
	uint64_t end;
	int got;

	lines_begin(&mbox->reader, mbox->fd, 0, mbox->size, NULL);
	while ((got = lines_next(&mbox->reader, &line)) == 1) {
		end = scan.at + line.length + line.ending;
		if (scan.blank == 0 || !line.starts ||
		    !mbox_is_from_line(line.text, line.length))
			add_line(&scan, &line, end == mbox->size);
		else if (begin_message(&scan, &line) == -1) {
			log_line(LOG_ERR, "event=open folder=%s error=\"%s\"",
			    label, "too many messages for this process");
			return ("the mailbox has too many messages");
		}
		scan.at = end;
	}
	if (got == -1) {
		log_line(LOG_ERR, "event=open folder=%s error=\"%s\"", label,
		    errno != 0 ? strerror(errno) : "became shorter");
		return ("the mailbox cannot be read");
	}
	if (scan.message != NULL)
		end_message(&scan, scan.message, mbox->size);
	if (mbox->count == 0 && mbox->size > 0)
		log_line(LOG_WARNING, "event=open folder=%s bytes=%llu "
		    "error=\"no From_ line: not an mbox\"", label,
		    (unsigned long long)mbox->size);
	else if (mbox->count > 0 && mbox->messages[0].offset > 0)
		log_line(LOG_NOTICE, "event=open folder=%s bytes=%llu "
		    "error=\"passed over before the first From_ line\"",
		    label, (unsigned long long)mbox->messages[0].offset);
	return (NULL);
}
