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
	time_t received;
	int has_begun;		/* the From_ line is out */
	int is_inside;		/* a line has not come to its end */
};

/*
 * One message: begin, each line (or piece of one) as lines_next gives it,
 * end.  The sender in the From_ line is that of a Return-Path header, if it
 * is the message's first line, where RFC 5321 (4.4) puts it, or
 * MAILER-DAEMON; the date is `received`, in UTC.  mboxrd_line and
 * mboxrd_end return 0, or -1 when wire_put does.
 */
void	mboxrd_begin(struct mboxrd *message, struct wire *wire,
	    time_t received);
int	mboxrd_line(struct mboxrd *message, const struct line *line);
int	mboxrd_end(struct mboxrd *message);

#endif
