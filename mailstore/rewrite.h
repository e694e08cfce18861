/*
 * rewrite.h - parts of a file taken out, in place, whatever interrupts it.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include <stdint.h>

#include "journal.h"
#include "mailbox.h"

enum rewrite_result {
	REWRITE_DONE,		/* and on the disk */
	REWRITE_AS_BEFORE,	/* errno; nothing has changed */
	REWRITE_DECIDED,	/* errno; the journal is on the disk, and the
				   next opening completes it */
	REWRITE_UNCERTAIN	/* errno; it is one of these, but the disk
				   does not let us know which */
};

/*
 * Leaves, of a file of `size` bytes, the first `from` and the extents (in
 * order, all behind `from`); what is behind `size` then is a delivery and
 * stays too.  The extents are freed.  The caller holds the locks, and
 * rewrite_recover has found nothing to do since the file was opened.
 */
enum rewrite_result rewrite_file(int fd, const struct mailbox_place *place,
	    uint64_t from, uint64_t size, struct journal_extent *extents,
	    uint64_t count);

/* True when rewrite_recover is needed: a journal is there. */
int	rewrite_interrupted(const struct mailbox_place *place);

/*
 * Completes what was interrupted, or sets its journal aside.  NULL, or a
 * reason not to use the mailbox now.  The caller holds the exclusive locks.
 */
const char *rewrite_recover(int fd, int writable,
	    const struct mailbox_place *place);

/* Lays in room for deleting on a full disk. */
void	rewrite_reserve(const struct mailbox_place *place);

#endif
