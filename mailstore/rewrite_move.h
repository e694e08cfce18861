/*
 * rewrite_move.h - bytes on their way down in a mailbox.
 */
#ifndef REWRITE_MOVE_H
#define REWRITE_MOVE_H

#include <stdint.h>

#include "rewrite_step.h"

/*
 * Fills in the step that begins at byte `at` of what is kept, with the
 * step's `more`: as far as the
 * old copy is not overwritten by the new one, or, where that is more, as much
 * as fits the journal.  At the end it is a step of nothing.
 */
void	move_plan(const struct journal *journal, uint64_t at,
	    struct journal_record *step);

/*
 * What an area of the journal is to hold for all from `at` on: as much as stays
 * near its old place, or what there may be; 0: nothing.
 */
uint64_t move_room(const struct journal *journal, uint64_t at,
	    uint64_t more);

/* Steps like that from `at` on, counted up to one more than `limit`. */
unsigned int move_count(const struct journal *journal, uint64_t at,
	    uint64_t more, unsigned int limit);

/* Puts the step's mail into the journal, if it is to be there. */
int	move_capture(struct rewrite *rewrite, struct journal_record *step);

/* Does the current step, and makes it durable; done twice it is the same. */
int	move_apply(struct rewrite *rewrite);

/* True when the tag has been written with this step. */
int	move_is_last(const struct journal *journal,
	    const struct journal_record *step);

#endif
