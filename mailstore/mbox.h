/*
 * mbox.h - which lines begin a message of an mbox.
 */
#ifndef MBOX_H
#define MBOX_H

#include <stddef.h>
#include <time.h>

/*
 * True for a From_ line: "From ", an address, an asctime(3)-like date
 * (RFC 4155; with or without seconds, with zones before or after the year).
 */
int	mbox_is_from_line(const unsigned char *text, size_t length);

/*
 * The date of a From_ line, in UTC, as RFC 4155 wants it, where no zone stands
 * there in figures.  0, or -1: it is no From_ line.
 */
int	mbox_from_date(const unsigned char *text, size_t length,
	    time_t *received);

#endif
