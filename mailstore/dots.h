/*
 * dots.h - a message with its dots doubled, whole or from its top.
 */
#ifndef DOTS_H
#define DOTS_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/* What goes through, and how far it is. */
struct dots {
	int counts_only;	/* nothing is to be sent: how much would be? */
	uint64_t lines;		/* of the body still wanted */
	int in_body;		/* the empty line behind the header has come */
	int inside;		/* of a line, not at its beginning */
	uint64_t line_octets;	/* of the line so far */
	uint64_t octets;	/* of the message, as they came */
	uint64_t doubled;	/* the same with its dots doubled */
	int enough;		/* the rest is not wanted */
};

/*
 * Diverts the wire, just begun, through `dots`: the header, the empty line
 * and `lines` lines of the body (UINT64_MAX: all of them) go on, with a "."
 * before each line that begins with one (RFC 1939, "Basic Operation").  Then
 * wire_put fails with dots->enough set.
 */
void	dots_begin(struct dots *dots, struct wire *wire, uint64_t lines,
	    int counts_only);

#endif
