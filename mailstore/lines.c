/*
 * lines.c - the lines of a part of a file, in constant memory.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  Reads,
 * never maps: a file that another program cuts short must not be the end of
 * this one.
 */
#include <sys/param.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "lines.h"

int (*lines_unwanted)(void);

/* So many reads are a few megabytes, and far less than a second. */
#define READS_UNASKED	64

int
lines_are_unwanted(void)
{
	return (lines_unwanted != NULL && lines_unwanted());
}

void
lines_begin(struct line_reader *reader, int fd, uint64_t from,
    uint64_t limit, struct seal *seal)
{
	reader->fd = fd;
	reader->next = from;
	reader->limit = limit;
	reader->begin = reader->end = reader->feed = 0;
	reader->inside = 0;
	reader->seal = seal;
	reader->ahead = reader->behind = 0;
	reader->most = sizeof(reader->buffer);
}

void
lines_read_ahead(struct line_reader *reader, size_t ahead)
{
	reader->ahead = ahead;
}

void
lines_read_little(struct line_reader *reader)
{
	reader->most = HEADER_READ_BYTES;
}

ssize_t
lines_behind(const struct line_reader *reader, void *bytes, size_t length)
{
	if (reader->next != reader->limit || reader->behind < length)
		return (disk_read_some(reader->fd, bytes, length,
		    reader->limit));
	memcpy(bytes, reader->buffer + reader->end, length);
	return ((ssize_t)length);
}

void
lines_take_seal(struct line_reader *reader, struct seal *seal)
{
	seal_take(seal, reader->buffer + reader->begin,
	    reader->end - reader->begin);
	reader->seal = seal;
}

/*
 * So many bytes came in.  Where the last line feed is, is looked for here once,
 * and not by each who takes lines: mail can be made in which they take few.
 */
static void
take(struct line_reader *reader, size_t length)
{
	const unsigned char *feed = memrchr(reader->buffer + reader->end,
	    '\n', length);

	if (feed != NULL)
		reader->feed = (size_t)(feed - reader->buffer) + 1;
	reader->end += length;
	reader->next += length;
}

/* Moves what is left to the front and reads more behind it. */
static int
fill(struct line_reader *reader)
{
	static unsigned int reads;
	uint64_t left = reader->limit - reader->next;
	size_t room, ahead = 0;
	ssize_t got;

	if (reads++ % READS_UNASKED == 0 && lines_are_unwanted()) {
		errno = EINTR;
		return (-1);
	}
	memmove(reader->buffer, reader->buffer + reader->begin,
	    reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->feed -= MIN(reader->feed, reader->begin);
	reader->begin = 0;
	room = sizeof(reader->buffer) - reader->end;
	if (room > reader->most)
		room = reader->most;
	if (room > left) {
		ahead = room - (size_t)left < reader->ahead ?
		    room - (size_t)left : reader->ahead;
		room = (size_t)left;
	}
	do
		got = pread(reader->fd, reader->buffer + reader->end,
		    room + ahead, (off_t)reader->next);
	while (got == -1 && errno == EINTR);
	if (got == 0)
		errno = 0;
	if (got <= 0)
		return (-1);
	if ((size_t)got > room) {
		reader->behind = (size_t)got - room;
		got = (ssize_t)room;
	}
	if (reader->seal != NULL)
		seal_take(reader->seal, reader->buffer + reader->end,
		    (size_t)got);
	take(reader, (size_t)got);
	return (0);
}

static void
hand_out(struct line_reader *reader, struct line *line, size_t length,
    unsigned int ending)
{
	line->text = reader->buffer + reader->begin;
	line->length = length;
	line->ending = ending;
	line->starts = !reader->inside;
	reader->inside = ending == 0;
	reader->begin += length + ending;
}

int
lines_next(struct line_reader *reader, struct line *line)
{
	const unsigned char *text, *feed;
	size_t length;

	for (;;) {
		text = reader->buffer + reader->begin;
		length = reader->end - reader->begin;
		feed = length == 0 ? NULL : memchr(text, '\n', length);
		if (feed != NULL) {
			length = (size_t)(feed - text);
			if (length > 0 && feed[-1] == '\r')
				hand_out(reader, line, length - 1, 2);
			else
				hand_out(reader, line, length, 1);
			return (1);
		}
		if (reader->next == reader->limit) {
			if (length == 0)
				return (0);
			hand_out(reader, line, length, 0);
			return (1);
		}
		if (length == sizeof(reader->buffer)) {
			/* A CR may belong to the line feed behind it. */
			if (text[length - 1] == '\r')
				length--;
			hand_out(reader, line, length, 0);
			return (1);
		}
		if (fill(reader) == -1)
			return (-1);
	}
}

size_t
lines_peek(const struct line_reader *reader, uint64_t most,
    const unsigned char **text)
{
	*text = reader->buffer + reader->begin;
	/* In the middle of a line there is none that is whole. */
	if (reader->inside || reader->feed <= reader->begin)
		return (0);
	return ((size_t)MIN(reader->feed - reader->begin, most));
}

void
lines_skip(struct line_reader *reader, uint64_t bytes)
{
	reader->begin += (size_t)bytes;
}

void
lines_pass(struct line_reader *reader, struct lines_passed *passed)
{
	const unsigned char *text;
	const size_t length = lines_peek(reader, UINT64_MAX, &text);

	line_count(text, length, passed);
	reader->begin += (size_t)passed->bytes;
}

int
lines_pass_all(struct line_reader *reader)
{
	for (;;) {
		reader->begin = reader->end = reader->feed = 0;
		if (reader->next == reader->limit) {
			reader->behind = 0;	/* it is not at `end` now */
			return (0);
		}
		if (fill(reader) == -1)
			return (-1);
	}
}

int
lines_seal(struct line_reader *reader, int fd, uint64_t from,
    uint64_t limit, unsigned char *seal)
{
	struct seal bytes;

	seal_begin(&bytes);
	lines_begin(reader, fd, from, limit, &bytes);
	if (lines_pass_all(reader) == -1)
		return (-1);
	seal_end(&bytes, seal);
	return (0);
}
