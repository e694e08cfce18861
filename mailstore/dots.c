/*
 * dots.c - a message with its dots doubled, whole or from its top.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.  It sees the wire's form, where no LF is without a CR before
 * it.
 */
#include <string.h>

#include "dots.h"

/* Passes a line on, or a piece of one. */
static int
pass(struct dots *dots, struct wire *wire, const unsigned char *octets,
    size_t length)
{
	const int is_dot = !dots->inside && octets[0] == '.';

	dots->octets += length;
	dots->doubled += length + (size_t)is_dot;
	if (dots->counts_only)
		return (0);
	if (is_dot && wire_write(wire, ".", 1) == -1)
		return (-1);
	return (wire_write(wire, octets, length));
}

/* A line begins: is it wanted? */
static int
is_wanted(struct dots *dots)
{
	dots->line_octets = 0;
	if (!dots->in_body || dots->lines == UINT64_MAX)
		return (1);
	if (dots->lines == 0) {
		dots->enough = 1;
		return (0);
	}
	dots->lines--;
	return (1);
}

static int
take(struct wire *wire, const unsigned char *octets, size_t length)
{
	struct dots *dots = wire->context;
	const unsigned char *feed;
	size_t part;

	for (; length > 0; octets += part, length -= part) {
		feed = memchr(octets, '\n', length);
		part = feed == NULL ? length : (size_t)(feed - octets) + 1;
		if ((!dots->inside && !is_wanted(dots)) ||
		    pass(dots, wire, octets, part) == -1)
			return (-1);
		dots->inside = feed == NULL;
		dots->line_octets += part;
		if (feed != NULL && dots->line_octets == 2)
			dots->in_body = 1;
	}
	return (0);
}

/* The same for a whole line: its text, which the wire's end is put behind. */
static int
take_line(struct wire *wire, const unsigned char *text, size_t length)
{
	struct dots *dots = wire->context;
	const int is_dot = length > 0 && text[0] == '.';

	if (!is_wanted(dots))
		return (-1);
	if (length == 0)
		dots->in_body = 1;
	dots->octets += length + 2;
	dots->doubled += length + 2 + (size_t)is_dot;
	return (dots->counts_only ? 0 :
	    wire_write_line(wire, is_dot, text, length));
}

/* Only where all lines are wanted: then nobody asks where the body begins. */
static void
take_lines(struct wire *wire, const unsigned char *text, size_t length,
    struct lines_passed *passed)
{
	struct dots *dots = wire->context;

	if (dots->counts_only)
		line_count(text, length, passed);
	else
		wire_write_lines(wire, 1, text, length, passed);
	dots->octets += passed->octets;
	dots->doubled += passed->octets + passed->dots;
}

void
dots_begin(struct dots *dots, struct wire *wire, uint64_t lines,
    int counts_only)
{
	memset(dots, 0, sizeof(*dots));
	dots->counts_only = counts_only;
	dots->lines = lines;
	wire_divert(wire, take, dots);
	wire->take_line = take_line;
	if (lines == UINT64_MAX)
		wire->take_lines = take_lines;
}
