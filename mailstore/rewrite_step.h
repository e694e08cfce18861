/*
 * rewrite_step.h - one rewrite under way, for the files that do it.
 */
#ifndef REWRITE_STEP_H
#define REWRITE_STEP_H

#include <stdint.h>

#include "journal.h"

struct rewrite {
	int fd;			/* the mailbox, with its locks held */
	int writable;		/* it may be changed */
	uint64_t changed;	/* bytes of it written, or that it was cut */
	struct journal journal;
};

/*
 * Writes a journal for header.from, .to, .size and the extents, and makes
 * it count.  E2BIG: the disk is full, and the reserve would need too many
 * steps.  On an error it may have been published all the same
 * (journal.published), but nothing else has changed.
 */
int	rewrite_begin(struct rewrite *rewrite);

/* Goes one step on: 1 there is more, 0 the file is done, -1 errno. */
int	rewrite_step(struct rewrite *rewrite);

/* True for what more room on the disk, or in the quota, would mend. */
int	rewrite_is_full(int error);

/* Text, so that the end of the file is a line to those who read it. */
void	rewrite_make_tag(struct journal_record *step);

/*
 * Writes a step down, with its mail and with hashes of what was moved before
 * it and of what it will not touch; not durable before
 * disk_sync(journal.fd).  0, or -1 with errno.
 */
int	rewrite_note(struct rewrite *rewrite, struct journal_record *step);

/*
 * The record's tag stands at the end of the gap, but for the first `skip`
 * bytes: 1, 0, -1.
 */
int	rewrite_has_tag(const struct rewrite *rewrite, size_t skip);

/* The mailbox still is the one that the journal speaks of: 1, 0, -1. */
int	rewrite_fits(struct rewrite *rewrite);

#endif
