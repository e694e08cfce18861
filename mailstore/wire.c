/*
 * wire.c - counted octets into the data pipe.
 *
 * Linked into postern-store and postern-mailbox; runs as the user whose mail
 * it is.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "line_crlf.h"
#include "wire.h"

static void
announce(struct wire *wire)
{
	if (!wire->is_announced && wire->announce != NULL)
		wire->announce();
	wire->is_announced = 1;
}

static int
flush(struct wire *wire)
{
	struct pollfd polled = { wire->fd, POLLOUT, 0 };
	size_t done = 0;
	ssize_t wrote;

	while (done < wire->used) {
		wrote = write(wire->fd, wire->buffer + done,
		    wire->used - done);
		if (wrote > 0) {
			done += (size_t)wrote;
			announce(wire);
		} else if (wrote == -1 && errno == EAGAIN) {
			announce(wire);
			if (poll(&polled, 1, wire->timeout_ms) == 0)
				return (-1);
		} else if (wrote != -1 || errno != EINTR)
			return (-1);
	}
	wire->used = 0;
	return (0);
}

void
wire_begin(struct wire *wire, uint64_t announced)
{
	wire->announced = announced;
	wire->sent = wire->written = 0;
	wire->used = 0;
	wire->is_announced = 0;
	wire->header_only = 0;
	wire->take = NULL;
	wire->take_line = NULL;
	wire->take_lines = NULL;
	wire->context = NULL;
}

void
wire_divert(struct wire *wire, int (*take)(struct wire *,
    const unsigned char *, size_t), void *context)
{
	wire->take = take;
	wire->take_line = NULL;
	wire->take_lines = NULL;
	wire->context = context;
}

int
wire_put(struct wire *wire, const void *octets, size_t length)
{
	wire->sent += length;
	return (wire->take == NULL ? wire_write(wire, octets, length) :
	    wire->take(wire, octets, length));
}

int
wire_write(struct wire *wire, const void *octets, size_t length)
{
	const unsigned char *from = octets;
	size_t part;

	if (length > wire->announced - wire->written)
		return (-1);
	wire->written += length;
	if (wire->fd == -1)
		return (0);
	while (length > 0) {
		/* The last octets wait for wire_end: all must be right then. */
		if (wire->used == sizeof(wire->buffer) && flush(wire) == -1)
			return (-1);
		part = sizeof(wire->buffer) - wire->used;
		if (part > length)
			part = length;
		memcpy(wire->buffer + wire->used, from, part);
		wire->used += part;
		from += part;
		length -= part;
	}
	return (0);
}

/* Mail is made of short lines: one that fits is copied with its end at once. */
int
wire_write_line(struct wire *wire, int dot, const unsigned char *text,
    size_t length)
{
	const size_t whole = length + (dot ? 3 : 2);
	unsigned char *to = wire->buffer + wire->used;

	if (wire->fd == -1 || whole >= sizeof(wire->buffer) - wire->used ||
	    whole > wire->announced - wire->written)
		return ((dot && wire_write(wire, ".", 1) == -1) ||
		    wire_write(wire, text, length) == -1 ? -1 :
		    wire_write(wire, "\r\n", 2));
	if (dot)
		*to++ = '.';
	memcpy(to, text, length);
	to += length;
	*to++ = '\r';
	*to = '\n';
	wire->written += whole;
	wire->used += whole;
	return (0);
}

void
wire_write_lines(struct wire *wire, int dots, const unsigned char *text,
    size_t length, struct lines_passed *passed)
{
	uint64_t room = sizeof(wire->buffer) - wire->used, octets;

	memset(passed, 0, sizeof(*passed));
	if (wire->fd == -1)
		return;
	if (room > wire->announced - wire->written)
		room = wire->announced - wire->written;
	line_crlf(wire->buffer + wire->used, (size_t)room, text, length, dots,
	    passed);
	octets = passed->octets + passed->dots;
	wire->used += (size_t)octets;
	wire->written += octets;
}

uint64_t
wire_put_lines(struct wire *wire, struct line_reader *reader, uint64_t most)
{
	struct lines_passed passed = { 0, 0, 0, 0 };
	const unsigned char *text;
	const size_t length = lines_peek(reader, most, &text);

	if (length > 0 && wire->take_lines != NULL)
		wire->take_lines(wire, text, length, &passed);
	else if (length > 0 && wire->take == NULL)
		wire_write_lines(wire, 0, text, length, &passed);
	lines_skip(reader, passed.bytes);
	wire->sent += passed.octets;
	return (passed.bytes);
}

int
wire_put_line(struct wire *wire, const struct line *line, int last)
{
	const int ends = line->ending != 0 || last;

	if (line->starts && ends && (wire->take == NULL ||
	    wire->take_line != NULL)) {
		wire->sent += line->length + 2;
		return (wire->take == NULL ? wire_write_line(wire, 0,
		    line->text, line->length) :
		    wire->take_line(wire, line->text, line->length));
	}
	if (wire_put(wire, line->text, line->length) == -1)
		return (-1);
	return (ends ? wire_put(wire, "\r\n", 2) : 0);
}

int
wire_end(struct wire *wire)
{
	if (wire->written != wire->announced || flush(wire) == -1)
		return (-1);
	announce(wire);
	return (0);
}
