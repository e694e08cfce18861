/*
 * place.h - a mailbox's place as a number: for names and locks that are its.
 */
#ifndef PLACE_H
#define PLACE_H

#include <sodium.h>

#include "mailbox.h"

#define PLACE_DIGEST_BYTES	crypto_generichash_BYTES_MIN	/* 16 */

/*
 * A hash of the directory's inode and the name in it: the same whatever path
 * led to the place.  The device number is no part of it: that may be another
 * after the next start of the machine, or on another host.  So two places
 * may look the same.  0, or -1 with errno.
 */
int	place_digest(const struct mailbox_place *place,
	    unsigned char digest[PLACE_DIGEST_BYTES]);

#endif
