/*
 * rewrite_move.c - bytes on their way down in a mailbox.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, with the
 * mailbox's locks held.  A step can be done again after any interruption:
 * either its bytes are in the journal, or it does not overwrite what it reads.
 */
#include <string.h>

#include "disk.h"
#include "rewrite_move.h"

/* The deliveries that a step knows of are one more. */
static struct journal_extent
extent_of(const struct journal *journal, const struct journal_record *step,
    uint64_t i)
{
	const struct journal_extent deliveries = { journal->header.size,
	    step->more };

	return (i < journal->header.extents ? journal->extents[i] :
	    deliveries);
}

/* Where the kept byte `at` is in the file; `at` is less than all. */
static uint64_t
source_of(const struct journal *journal, const struct journal_record *step,
    uint64_t at, uint64_t *extent)
{
	uint64_t i = 0;

	while (at >= extent_of(journal, step, i).length)
		at -= extent_of(journal, step, i++).length;
	*extent = i;
	return (extent_of(journal, step, i).offset + at);
}

void
move_plan(const struct journal *journal, uint64_t at,
    struct journal_record *step)
{
	uint64_t rest = journal_kept(journal, step) - at;
	uint64_t room = journal->capacity, gap, extent;

	step->phase = JOURNAL_STEP;
	step->at = at;
	step->length = rest;
	step->has_data = 0;
	if (rest == 0)
		return;
	gap = source_of(journal, step, at, &extent) -
	    (journal->header.from + at);
	if (gap >= rest)
		return;
	step->has_data = gap < room && !journal_is_far(gap);
	step->length = step->has_data ? room : gap;
	if (step->length > rest)
		step->length = rest;
}

uint64_t
move_room(const struct journal *journal, uint64_t at, uint64_t more)
{
	const struct journal_record step = { .more = more };
	const uint64_t kept = journal_kept(journal, &step);
	uint64_t i, near = 0;

	for (i = 0; near < kept && !journal_is_far(extent_of(journal, &step,
	    i).offset - (journal->header.from + near)); i++)
		near += extent_of(journal, &step, i).length;
	return (near <= at ? 0 : journal_wanted(near - at));
}

unsigned int
move_count(const struct journal *journal, uint64_t at, uint64_t more,
    unsigned int limit)
{
	struct journal_record step = { .more = more };
	unsigned int steps = 0;

	while (at < journal_kept(journal, &step) && steps <= limit) {
		move_plan(journal, at, &step);
		at += step.length;
		steps++;
	}
	return (steps);
}

/* Copies kept bytes from where they were. */
static int
copy_kept(const struct rewrite *rewrite, const struct journal_record *step,
    struct disk_target *target)
{
	const struct journal *journal = &rewrite->journal;
	uint64_t rest = step->length, from, part, i;
	struct journal_extent extent;

	if (rest == 0)
		return (0);
	from = source_of(journal, step, step->at, &i);
	for (; rest > 0; rest -= part) {
		extent = extent_of(journal, step, i);
		part = extent.offset + extent.length - from;
		if (part > rest)
			part = rest;
		if (disk_copy(rewrite->fd, from, part, target) == -1)
			return (-1);
		from = extent_of(journal, step, ++i).offset;
	}
	return (0);
}

int
move_capture(struct rewrite *rewrite, struct journal_record *step)
{
	struct journal *journal = &rewrite->journal;
	crypto_generichash_state hash;
	struct disk_target target = { .fd = journal->fd, .hash = &hash };

	memset(step->data, 0, sizeof(step->data));
	if (!step->has_data)
		return (0);
	target.at = journal_area(journal, step);
	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(step->data));
	if (copy_kept(rewrite, step, &target) == -1 ||
	    disk_flush(&target) == -1)
		return (-1);
	(void)crypto_generichash_final(&hash, step->data, sizeof(step->data));
	return (0);
}

/*
 * The tag may stand on the last bytes that are moved: they must be in the
 * journal, or done for good by the step before, or lie before its place, as
 * where the last message goes.
 */
int
move_is_last(const struct journal *journal, const struct journal_record *step)
{
	const uint64_t kept = journal_kept(journal, step);
	uint64_t extent;

	if (step->at + step->length != kept)
		return (0);
	return (step->has_data || step->length == 0 ||
	    source_of(journal, step, kept - 1, &extent) <
	    journal->header.size + step->more - JOURNAL_TAG_BYTES);
}

int
move_apply(struct rewrite *rewrite)
{
	const struct journal *journal = &rewrite->journal;
	const struct journal_header *header = &journal->header;
	const struct journal_record *step = &journal->record;
	struct disk_target target = { .fd = rewrite->fd,
	    .at = header->from + step->at, .changed = &rewrite->changed };
	int result;

	result = step->has_data ? disk_copy(journal->fd,
	    journal_area(journal, step), step->length, &target) :
	    copy_kept(rewrite, step, &target);
	if (result == 0)
		result = disk_flush(&target);
	if (result == 0 && move_is_last(journal, step))
		result = disk_write(rewrite->fd, step->tag,
		    JOURNAL_TAG_BYTES, header->size + step->more -
		    JOURNAL_TAG_BYTES, &rewrite->changed);
	return (result == 0 ? disk_sync(rewrite->fd) : -1);
}
