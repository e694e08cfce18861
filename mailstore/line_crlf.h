/*
 * line_crlf.h - lines of a mailbox as they go on the wire, many at once.
 */
#ifndef LINE_CRLF_H
#define LINE_CRLF_H

#include <stddef.h>

#include "line_count.h"

/*
 * Copies whole lines, where one begins at text[0] and at to[0], as far as
 * there is room for them: each ends in CRLF then; `dots`: and one more goes
 * before a line that begins with one.  It ends before a line that begins with
 * "F" behind an empty one, as line_count does, and tells in `passed` what was
 * taken and what it came to, dots apart; not whether the last one is empty.
 */
void	line_crlf(unsigned char *to, size_t room, const unsigned char *text,
	    size_t length, int dots, struct lines_passed *passed);

/*
 * The same as on a processor without vectors: what the other is held against.
 */
void	line_crlf_narrow(unsigned char *to, size_t room,
	    const unsigned char *text, size_t length, int dots,
	    struct lines_passed *passed);

#endif
