/*
 * tool_write.c - a mailbox in the making, in any of the forms.
 *
 * Linked into postern-mailbox; runs as the owner of the mailbox that is
 * converted.  How it is begun and gets its name is in tool_target.c.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "mbox.h"
#include "mailtxt.h"
#include "mboxrd.h"
#include "mh.h"
#include "tool_write.h"

/* A message on its way into a file. */
struct writing {
	struct seal seal;		/* of what POP2 will send of it */
	struct target *target;
	uint64_t octets;
	uint64_t quoted;
	int after_empty;		/* the line before is empty */
	int after_cr;			/* the piece before ends in CR */
};

static int
flush(struct target *target)
{
	const size_t length = target->used;

	target->used = 0;
	if (disk_write(target->fd, target->buffer, length, target->at,
	    NULL) == -1)
		return (-1);
	target->at += length;
	return (0);
}

static int
put(struct target *target, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;
	size_t part;

	if (target->counts_only) {
		target->at += length;
		return (0);
	}
	for (; length > 0; length -= part, from += part) {
		part = sizeof(target->buffer) - target->used;
		if (part > length)
			part = length;
		memcpy(target->buffer + target->used, from, part);
		target->used += part;
		if (target->used == sizeof(target->buffer) &&
		    flush(target) == -1)
			return (-1);
	}
	return (0);
}

static int
has_lf(enum tool_form form)
{
	return (form != FORM_MTX);
}

/* The same octets into the file, and into what the wire must show. */
static int
put_text(struct writing *writing, const void *bytes, size_t length)
{
	seal_take(&writing->seal, bytes, length);
	writing->octets += length;
	return (put(writing->target, bytes, length));
}

/*
 * A line that ends in CR keeps that only with a whole CRLF behind it: CR and
 * LF alone would be the line's end.
 */
static int
put_end(struct writing *writing)
{
	const int shorter = has_lf(writing->target->form) &&
	    !writing->after_cr;

	seal_take(&writing->seal, "\r\n", 2);
	writing->octets += 2;
	return (put(writing->target, shorter ? "\n" : "\r\n",
	    shorter ? 1 : 2));
}

/* What would be the beginning of a message, and is none, is quoted. */
static int
put_quote(struct writing *writing, const struct line *line)
{
	if (writing->target->form != FORM_MBOX || !writing->after_empty ||
	    !line->starts || !mbox_is_from_line(line->text, line->length))
		return (0);
	writing->quoted++;
	return (put_text(writing, ">", 1));
}

static int
put_line(struct writing *writing, const struct line *line)
{
	const int is_empty = line->starts && line->length == 0;

	if (put_quote(writing, line) == -1 ||
	    put_text(writing, line->text, line->length) == -1)
		return (-1);
	if (line->starts || line->length > 0)
		writing->after_cr = line->length > 0 &&
		    line->text[line->length - 1] == '\r';
	writing->after_empty = is_empty;
	return (line->ending != 0 ? put_end(writing) : 0);
}

/* A file that has become shorter is no error of the system's. */
static int
cannot_read(void)
{
	if (errno == 0)
		errno = EIO;
	return (-1);
}

/* The message's lines; the fetched ones all end in CRLF. */
static int
put_lines(struct writing *writing, int fd, uint64_t octets)
{
	static struct line_reader reader;
	struct line line;
	int got;

	seal_begin(&writing->seal);
	lines_begin(&reader, fd, 0, octets, NULL);
	while ((got = lines_next(&reader, &line)) == 1)
		if (put_line(writing, &line) == -1)
			return (-1);
	return (got == -1 ? cannot_read() : got);
}

/* A From_ line: an mbox's own, or one like that which POP1 is sent. */
static int
put_from_line(struct target *target, int fd,
    const struct tool_message *message)
{
	static struct line_reader reader;
	char sender[SENDER_SIZE], text[MBOXRD_FROM_SIZE];
	size_t length;

	if (message->head_length > 0)
		return (put(target, message->head, message->head_length) ==
		    -1 ? -1 : put(target, "\n", 1));
	if (mboxrd_sender(&reader, fd, 0, message->octets, sender) == -1)
		return (cannot_read());
	length = mboxrd_from_line(sender, message->received.tv_sec, text);
	return (put(target, text, length) == -1 ? -1 : put(target, "\n", 1));
}

/* The line before a message of MAIL.TXT, in UTC. */
static int
put_header(struct target *target, const struct tool_message *message,
    uint64_t bytes)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t epoch = 0;
	char text[MAILTXT_HEADER_MAX + 1];
	struct tm date;
	int length;

	/* The year has four digits. */
	if (gmtime_r(&message->received.tv_sec, &date) == NULL ||
	    date.tm_year < 1000 - 1900 || date.tm_year > 9999 - 1900)
		(void)gmtime_r(&epoch, &date);
	length = snprintf(text, sizeof(text),
	    "%2d-%.3s-%04d %02d:%02d:%02d +0000,%llu;000000000000%s",
	    date.tm_mday, months + 3 * date.tm_mon, date.tm_year + 1900,
	    date.tm_hour, date.tm_min, date.tm_sec,
	    (unsigned long long)bytes, target->form == FORM_MTX ? "\r\n" :
	    "\n");
	if (length < 0 || (size_t)length >= sizeof(text)) {
		errno = EOVERFLOW;
		return (-1);
	}
	return (put(target, text, (size_t)length));
}

/* How many bytes the message's lines will be in the file. */
static int
count_bytes(struct target *target, int fd,
    const struct tool_message *message, uint64_t *bytes)
{
	struct writing writing = { .target = target };
	const uint64_t at = target->at;
	int result;

	*bytes = 0;
	if (message->is_empty)
		return (0);
	target->counts_only = 1;
	result = put_lines(&writing, fd, message->octets);
	*bytes = target->at - at;
	target->at = at;
	target->counts_only = 0;
	return (result);
}

static int
put_beginning(struct target *target, int fd,
    const struct tool_message *message)
{
	uint64_t bytes;

	switch (target->form) {
	case FORM_MBOX:
		return (put_from_line(target, fd, message));
	case FORM_MTX:
	case FORM_TENEX:
		return (count_bytes(target, fd, message, &bytes) == -1 ?
		    -1 : put_header(target, message, bytes));
	default:
		return (0);
	}
}

/* A file of its own for the message. */
static int
begin_file(struct target *target)
{
	char name[40 + TARGET_NAME_SIZE];

	/*
	 * Names of a Maildir stand in their order: all have one second, and
	 * then their number.
	 */
	if (target->form == FORM_MH)
		(void)snprintf(name, sizeof(name), "%u", target->messages);
	else
		(void)snprintf(name, sizeof(name),
		    "%lld.M%08uP%ldR%.16s.postern",
		    (long long)target->begun.tv_sec, target->messages,
		    (long)getpid(), target->name +
		    sizeof(".postern-") - 1);
	target->at = 0;
	target->used = 0;
	target->fd = openat(target->folder, name, O_RDWR | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	return (target->fd == -1 ? -1 : 0);
}

static int
end_file(struct target *target, const struct tool_message *message)
{
	const struct timespec times[2] = { message->received,
	    message->received };
	int result = flush(target);

	if (result == 0 && futimens(target->fd, times) == -1)
		result = -1;
	if (result == 0)
		result = disk_sync(target->fd);
	(void)close(target->fd);
	target->fd = -1;
	return (result);
}

/* Of an empty message nothing is stored, whatever the wire shows of it. */
static int
put_message(struct target *target, int fd, struct tool_message *message,
    uint64_t *quoted)
{
	struct writing writing = { .target = target };

	*quoted = 0;
	if (message->is_empty)
		return (0);
	if (put_lines(&writing, fd, message->octets) == -1)
		return (-1);
	message->octets = writing.octets;
	seal_end(&writing.seal, message->seal);
	*quoted = writing.quoted;
	return (0);
}

int
target_add(struct target *target, int fd, struct tool_message *message,
    uint64_t *quoted)
{
	target->messages++;
	if ((target->folder != -1 && begin_file(target) == -1) ||
	    put_beginning(target, fd, message) == -1 ||
	    put_message(target, fd, message, quoted) == -1 ||
	    (target->form == FORM_MBOX && put(target, "\n", 1) == -1) ||
	    (target->folder != -1 && end_file(target, message) == -1))
		return (-1);
	return (0);
}

/* A folder without a message is known for one by its sequences. */
static int
finish_mh(struct target *target)
{
	if (target->form != FORM_MH || target->messages > 0)
		return (0);
	target->fd = openat(target->folder, MH_SEQUENCES, O_RDWR | O_CREAT |
	    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return (target->fd == -1 ? -1 : 0);
}

int
target_sync(struct target *target)
{
	if (finish_mh(target) == -1 ||
	    (target->fd != -1 && (flush(target) == -1 ||
	    disk_sync(target->fd) == -1)) ||
	    (target->folder != -1 && (disk_sync(target->folder) == -1 ||
	    disk_sync(target->top) == -1)))
		return (-1);
	return (0);
}
