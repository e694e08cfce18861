/*
 * wire.h - mail on its way to net: counted octets into the data pipe.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "limits_postern.h"
#include "lines.h"

struct wire {
	int fd;			/* the pipe, non-blocking; -1: only count */
	int timeout_ms;		/* how long net may leave it full */
	uint64_t announced;	/* octets that must be sent, not one else */
	uint64_t sent;		/* octets taken by wire_put so far */
	uint64_t written;	/* octets taken by wire_write so far */

	/* Who takes what wire_put is given; NULL: wire_write.  0, or -1. */
	int (*take)(struct wire *wire, const unsigned char *octets,
	    size_t length);
	/* Who takes a whole line at once; NULL: `take`, in pieces. */
	int (*take_line)(struct wire *wire, const unsigned char *text,
	    size_t length);
	/*
	 * Who takes the whole lines of a text, or some of them, and tells how
	 * much that was; NULL: wire_write_lines, or where there is a `take`
	 * nobody.
	 */
	void (*take_lines)(struct wire *wire, const unsigned char *text,
	    size_t length, struct lines_passed *passed);
	void *context;		/* of them */
	/*
	 * Who takes it ends with the header: so little is read at a time, and
	 * the message does not count as read.
	 */
	int header_only;
	/* Tells net; called once it can read, or when there is nothing to. */
	void (*announce)(void);
	int is_announced;
	size_t used;
	unsigned char buffer[RELAY_BYTES];
};

/*
 * `announced` octets are to come.  The first of them are in the pipe before
 * net is told, where there is anybody to tell it: so it wakes once.
 */
void	wire_begin(struct wire *wire, uint64_t announced);

/*
 * Makes the wire give what it takes to `take`, which may hand some of it on
 * by wire_write, until the next wire_begin.
 */
void	wire_divert(struct wire *wire, int (*take)(struct wire *wire,
	    const unsigned char *octets, size_t length), void *context);

/*
 * Takes `length` octets of a message or mailbox.  0, or -1: who takes them
 * wants no more, or as wire_write.
 */
int	wire_put(struct wire *wire, const void *octets, size_t length);

/*
 * Takes `length` octets to send.  0, or -1: net is gone or does not read,
 * or there would be more than was announced.
 */
int	wire_write(struct wire *wire, const void *octets, size_t length);

/*
 * The same for a whole line, without its end: that goes as CRLF.  `dot`: one
 * more goes before it.
 */
int	wire_write_line(struct wire *wire, int dot, const unsigned char *text,
	    size_t length);

/*
 * As many whole lines of the text as there is room for at once, to one that a
 * message may begin with, as line_crlf says; `dots`: with one more before each
 * line that begins with one.  What is left, perhaps all, is for
 * wire_write_line.
 */
void	wire_write_lines(struct wire *wire, int dots,
	    const unsigned char *text, size_t length,
	    struct lines_passed *passed);

/*
 * Takes such lines of what is in the reader's buffer, at most `most` bytes.
 * Returns how many, perhaps 0.
 */
uint64_t wire_put_lines(struct wire *wire, struct line_reader *reader,
	    uint64_t most);

/*
 * As wire_put, for a line or piece of one.  Its end goes as CRLF, whatever it
 * is; so does the end of the message, when this is the `last` of it.
 */
int	wire_put_line(struct wire *wire, const struct line *line, int last);

/* Sends what is left.  0, or -1 also when less than announced came. */
int	wire_end(struct wire *wire);

#endif
