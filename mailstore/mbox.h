/*
 * mbox.h - which lines begin a message of an mbox.
 */
#ifndef MBOX_H
#define MBOX_H

#include <stddef.h>

/*
 * True for a From_ line: "From ", an address, an asctime(3)-like date
 * (RFC 4155; with or without seconds, with zones before or after the year).
 */
int	mbox_is_from_line(const unsigned char *text, size_t length);

#endif
