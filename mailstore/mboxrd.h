/*
 * mboxrd.h - a message of another format in the form that an mbox has.
 *
 * POP1 sends a whole mailbox (RFC 918), and its client takes that apart
 * again: whatever the mailbox's own format, it goes out as mboxrd.  Each
 * message is a From_ line, its lines, with one more ">" before those that
 * match "^>*From ", and an empty line; every line ends in CRLF.
 */
#ifndef MBOXRD_H
#define MBOXRD_H

#include <stdint.h>
#include <time.h>

#include "lines.h"
#include "wire.h"

struct mboxrd {
	struct wire *wire;	/* NULL: octets are counted, not sent */
	uint64_t octets;	/* on the wire so far, of this message */
	int is_inside;		/* a line has not come to its end */
};

/*
 * Finds who sent the message that is in the file between `from` and `limit`:
 * the address of its first Return-Path header (RFC 5321, 4.4), or
 * MAILER-DAEMON where there is none that a From_ line can hold.  `sender`
 * has SENDER_SIZE bytes.  Returns 0, or -1 when lines_next does.
 */
int	mboxrd_sender(struct line_reader *reader, int fd, uint64_t from,
	    uint64_t limit, char *sender);

/* Room for a From_ line with an address of SENDER_SIZE, and the date. */
#define MBOXRD_FROM_SIZE	(SENDER_SIZE + 64)

/*
 * The From_ line without its end; a date whose year has not four digits is
 * the epoch.  Returns its length.
 */
size_t	mboxrd_from_line(const char *sender, time_t received,
	    char text[MBOXRD_FROM_SIZE]);

/*
 * One message: its From_ line with the date in UTC, each line (or piece of
 * one) as lines_next gives it, its end.  All return 0, or -1 when wire_put
 * does.
 */
int	mboxrd_begin(struct mboxrd *message, struct wire *wire,
	    const char *sender, time_t received);
int	mboxrd_line(struct mboxrd *message, const struct line *line);
int	mboxrd_end(struct mboxrd *message);

#endif
