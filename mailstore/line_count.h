/*
 * line_count.h - what lines of a mailbox come to, counted all at once.
 */
#ifndef LINE_COUNT_H
#define LINE_COUNT_H

#include <stddef.h>
#include <stdint.h>

/* Lines that were passed over; see lines_pass. */
struct lines_passed {
	uint64_t bytes;		/* in the file */
	uint64_t octets;	/* on the wire: each ends in CRLF there */
	uint64_t dots;		/* that begin with one */
	unsigned int blank;	/* bytes of the last one where it is empty */
};

/*
 * Counts the whole lines from `text` on, where one begins that is behind none
 * that is empty, up to the next that begins with "F" behind an empty one.
 */
void	line_count(const unsigned char *text, size_t length,
	    struct lines_passed *passed);

/*
 * The same as on a processor that has no wide vectors: what the other is held
 * against.
 */
void	line_count_narrow(const unsigned char *text, size_t length,
	    struct lines_passed *passed);

/*
 * The bytes of the line that ends before text[end], where it is empty; else
 * 0.  Before text[0] stands the end of another line.
 */
unsigned int line_blank(const unsigned char *text, size_t end);

#endif
