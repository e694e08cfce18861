/*
 * lines.h - the lines of a part of a file, in constant memory.
 */
#ifndef LINES_H
#define LINES_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "limits_postern.h"
#include "line_count.h"
#include "seal.h"

struct line_reader {
	int fd;
	uint64_t next;		/* file offset of the next read */
	uint64_t limit;		/* file offset of the end */
	size_t begin, end;	/* what of the buffer is not yet handed out */
	size_t feed;		/* behind the last line feed before `end` */
	int inside;		/* the next piece goes on with a line */
	struct seal *seal;	/* takes every byte read, or NULL */
	size_t ahead, behind;	/* bytes behind the limit: wanted, read */
	size_t most;		/* bytes that are asked for at a time */
	unsigned char buffer[RELAY_BYTES];
};

/* A line, or a piece of one that is longer than the buffer. */
struct line {
	const unsigned char *text;
	size_t length;		/* bytes, without the line's end */
	unsigned int ending;	/* bytes of its end: 1 LF, 2 CRLF, 0 none */
	int starts;		/* the piece begins the line */
};

/*
 * Asked now and then while a file is read, where it is not NULL: true when
 * nobody wants the answer any more, and reading ends with EINTR.
 */
extern int (*lines_unwanted)(void);
int	lines_are_unwanted(void);

void	lines_begin(struct line_reader *reader, int fd, uint64_t from,
	    uint64_t limit, struct seal *seal);

/*
 * So many bytes behind the limit are read with the end of it, where there is
 * room for them; lines_behind gives them, or reads them now.  Their number,
 * less at the end of the file, or -1 with errno.
 */
void	lines_read_ahead(struct line_reader *reader, size_t ahead);
ssize_t	lines_behind(const struct line_reader *reader, void *bytes,
	    size_t length);

/* From here on little is read at a time: only the first lines are wanted. */
void	lines_read_little(struct line_reader *reader);

/* From here on all lines go into the seal, too. */
void	lines_take_seal(struct line_reader *reader, struct seal *seal);

/*
 * Finds the next piece.  A line that fits FROM_LINE_MAX always comes in one.
 * Returns 1, 0 at the limit, -1 when the file cannot be read or has become
 * shorter (errno 0).
 */
int	lines_next(struct line_reader *reader, struct line *line);

/*
 * What is in the buffer up to its last line feed, at most `most` bytes, where a
 * line begins there; how much that is.  Whole lines of it may be taken, and so
 * many bytes skipped.
 */
size_t	lines_peek(const struct line_reader *reader, uint64_t most,
	    const unsigned char **text);
void	lines_skip(struct line_reader *reader, uint64_t bytes);

/*
 * Passes over what lines of the buffer are whole, if a line begins there that
 * is behind none that is empty.  It ends before one that begins with "F" behind
 * an empty one.  What stands next is lines_next's.
 */
void	lines_pass(struct line_reader *reader, struct lines_passed *passed);

/* Passes over all that is left.  0, or -1 as above. */
int	lines_pass_all(struct line_reader *reader);

/* The seal of a part of a file.  0, or -1 as above. */
int	lines_seal(struct line_reader *reader, int fd, uint64_t from,
	    uint64_t limit, unsigned char *seal);

#endif
