/*
 * index.h - what a scan has found in a mailbox of one file, kept for the next
 * session.
 *
 * It is a file in the user's own state directory, and nothing but a way to be
 * faster: DESIGN.md, "The index of a file", says what is believed of it.
 */
#ifndef INDEX_H
#define INDEX_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"
#include "uid.h"

#define INDEX_CHECKSUM_BYTES	crypto_onetimeauth_BYTES	/* 16 */

struct single_file;

/* Of an open mailbox; all zeros is a mailbox without an index. */
struct index {
	int is_there;		/* a file tells of this very snapshot */
	int asked;		/* for unique ids in it */
	unsigned char checksum[INDEX_CHECKSUM_BYTES];	/* that file's */
	unsigned char *uids;	/* the digests of unique ids: of the first */
	size_t uids_known;	/* messages that are shown, so many */
};

/*
 * Fills the empty lists and whole_octets of a mailbox that was just opened,
 * locked and looked at, its format found.  True when that is all of it, and
 * nothing is to be read.  Else the lists hold nothing, or those messages that
 * are still there where mail was appended: a scan may go on behind them.
 */
int	index_read(struct single_file *single,
	    const struct mailbox_place *place);

/* Keeps what a scan has found, where that is worth it and there is room. */
void	index_write(struct single_file *single,
	    const struct mailbox_place *place);

/* Removes the index of a mailbox that is not as it says. */
void	index_remove(struct single_file *single,
	    const struct mailbox_place *place);

/*
 * The digest that the unique id of a message is made of (UID_DIGEST_BYTES),
 * as a session before has found it: 1, or 0, it is not known.
 */
int	index_uid(struct single_file *single,
	    const struct mailbox_place *place, uint64_t number,
	    unsigned char *digest);

/* Takes one that was not known, for the next session; in their order. */
void	index_keep_uid(struct single_file *single,
	    const struct mailbox_place *place, uint64_t number,
	    const unsigned char *digest);

/* Frees what is in memory. */
void	index_close(struct index *kept);

#endif
