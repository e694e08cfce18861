/*
 * mailtxt.h - the line before each message of a MAIL.TXT.
 *
 * MAIL.TXT is the mailbox of TOPS-20, also known as mtx (its lines end in
 * CRLF) and, with lines that end in LF, as tenex.  It is what RFC 937 names
 * as that system's default mailbox.
 */
#ifndef MAILTXT_H
#define MAILTXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Octal digits at the line's end: ten of the user's, two of the system's. */
#define MAILTXT_FLAG_BYTES	12

struct mailtxt_header {
	time_t received;
	uint64_t octets;	/* bytes of the message behind the line */
	int is_deleted;		/* by another program, which has not
				   expunged it yet */
};

/*
 * Takes a line, without its end, apart:
 *
 *	dd-mmm-yy[yy] hh:mm:ss<zone>,<octets>;<12 octal digits>
 *
 * The day may have a blank for its first digit; a year of two digits is one
 * of the 1900s; the zone is "-" and letters, or four digits with a sign and
 * perhaps a blank before that.  Returns 0, or -1: it is anything else.
 */
int	mailtxt_parse(const unsigned char *text, size_t length,
	    struct mailtxt_header *header);

/*
 * True when a file that begins with these bytes is a MAIL.TXT, also when its
 * first line is damaged: "From " in a message of it must not be taken for
 * the beginning of an mbox then.
 */
int	mailtxt_resembles(const unsigned char *text, size_t length);

#endif
