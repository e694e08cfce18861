/*
 * rewrite_step.h - one rewrite under way, for the files that do it.
 */
#ifndef REWRITE_STEP_H
#define REWRITE_STEP_H

#include <stdint.h>

#include "journal.h"

struct rewrite {
	int fd;			/* the mailbox, with its locks held */
	uint64_t changed;	/* bytes of it written, or that it was cut */
	struct journal journal;
};

/*
 * Writes a journal for header.from, .to, .size and the extents, and makes
 * it count.  On an error it may have been published all the same
 * (journal.published), but nothing else has changed.
 */
int	rewrite_begin(struct rewrite *rewrite);

/* Goes one step on: 1 there is more, 0 the file is done, -1 errno. */
int	rewrite_step(struct rewrite *rewrite);

/*
 * The hash of the first bytes that were moved before the step; they are not
 * touched any more.  0, or -1 with errno.
 */
int	rewrite_hash_done(const struct rewrite *rewrite,
	    const struct journal_record *step, unsigned char *digest);

/* The mailbox still is the one that the journal speaks of: 1, 0, -1. */
int	rewrite_fits(struct rewrite *rewrite);

#endif
