/*
 * rewrite.c - parts of a file taken out, in place, whatever interrupts it.
 *
 * Linked into postern-store; runs as the user, with the mailbox's locks
 * held.  The journal says where the work stands; whoever comes after an
 * interruption goes on from there, and may be interrupted too.  DESIGN.md,
 * "The commit", tells why each step can be done again.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "log.h"
#include "rewrite.h"
#include "rewrite_move.h"

static const char cannot_repair[] =
    "the mailbox is half rewritten and cannot be completed now; "
    "try again later";

/*
 * Has the file, with all moved and the tag on the disk, been cut yet?  Not
 * if the tag is there.  After a power cut that came while it was cut, there
 * may be zeros from `to` to the end of a page in place of what was there
 * (and of the tag, or its beginning), with the old size: no delivery begins
 * with a zero.  1: cut, 0: not, -1: errno.
 */
static int
is_cut(int fd, const struct journal_header *header, uint64_t size)
{
	uint64_t tag_at = header->size - JOURNAL_TAG_BYTES;
	uint64_t at = header->to, end = header->size;
	char there[JOURNAL_TAG_BYTES], byte;
	size_t skip = 0;

	if (size < header->size)
		return (1);
	/* No page is longer than this. */
	if (end - at > JOURNAL_PIECE_BYTES)
		end = at + JOURNAL_PIECE_BYTES;
	for (; at < end; at++) {
		if (disk_read(fd, &byte, 1, at) == -1)
			return (-1);
		if (byte != '\0')
			break;
	}
	if (at > tag_at)
		skip = (size_t)(at - tag_at);
	if (disk_read(fd, there, sizeof(there), tag_at) == -1)
		return (-1);
	return (memcmp(there + skip, header->tag + skip,
	    sizeof(there) - skip) != 0);
}

/* Goes on with the next step, or with the cut. */
static int
advance(struct rewrite *rewrite)
{
	struct journal *journal = &rewrite->journal;
	struct journal_record next = journal->record;

	next.generation++;
	if (move_is_last(journal, &journal->record)) {
		next.phase = JOURNAL_CUT;
		next.at += next.length;
		next.length = 0;
		next.has_data = 0;
	} else
		move_plan(journal, next.at + next.length, &next);
	if (move_capture(rewrite, &next) == -1 ||
	    rewrite_hash_done(rewrite, &next, next.done) == -1 ||
	    journal_write_record(journal, &next) == -1 ||
	    disk_sync(journal->fd) == -1)
		return (-1);
	journal->record = next;
	return (1);
}

/*
 * What was delivered behind the old end, after an interruption had let the
 * locks go, moves down over the gap: a rewrite of its own, whose journal
 * takes the place of the first one's in one stroke.
 */
static int
follow_with_deliveries(struct rewrite *rewrite, uint64_t size)
{
	struct journal *old = &rewrite->journal;
	struct rewrite next = *rewrite;
	struct journal_header *header = &next.journal.header;
	int error;

	next.journal.fd = -1;
	next.journal.extents = malloc(sizeof(*next.journal.extents));
	if (next.journal.extents == NULL)
		return (-1);
	next.journal.extents[0].offset = old->header.size;
	next.journal.extents[0].length = size - old->header.size;
	header->extents = 1;
	header->from = old->header.to;
	header->to = header->from + next.journal.extents[0].length;
	header->size = size;
	if (rewrite_begin(&next) == 0) {
		journal_close(old);
		*rewrite = next;
		return (1);
	}
	error = errno;
	if (next.journal.published)
		journal_close(&next.journal);
	else
		(void)journal_take_back(&next.journal);
	errno = error;
	return (-1);
}

static int
cut(struct rewrite *rewrite)
{
	const struct journal_header *header = &rewrite->journal.header;
	struct stat status;
	uint64_t size;
	int was_cut;

	if (fstat(rewrite->fd, &status) == -1)
		return (-1);
	size = (uint64_t)status.st_size;
	if ((was_cut = is_cut(rewrite->fd, header, size)) == -1)
		return (-1);
	if (!was_cut && size > header->size)
		return (follow_with_deliveries(rewrite, size));
	if (!was_cut && disk_cut(rewrite->fd, header->to) == -1)
		return (-1);
	rewrite->changed++;
	return (disk_sync(rewrite->fd));
}

int
rewrite_step(struct rewrite *rewrite)
{
	if (rewrite->journal.record.phase == JOURNAL_CUT)
		return (cut(rewrite));
	if (move_apply(rewrite) == -1)
		return (-1);
	return (advance(rewrite));
}

/* An error may pass: a step that failed is done again from its beginning. */
static int
complete(struct rewrite *rewrite)
{
	unsigned int failures = 0;
	int more = 1;

	while (more != 0) {
		more = rewrite_step(rewrite);
		if (more == -1 && ++failures == REWRITE_TRIES)
			return (-1);
	}
	/* The mailbox is right; a journal that stays does no harm. */
	if (journal_remove(&rewrite->journal) == -1)
		log_line(LOG_ERR, "event=commit file=%s error=\"cannot be "
		    "removed: %s\"", rewrite->journal.name, strerror(errno));
	return (0);
}

/* Nothing stays: there is nothing to be kept in a journal either. */
static enum rewrite_result
empty_file(int fd)
{
	int try, error;

	if (disk_cut(fd, 0) == -1)
		return (REWRITE_AS_BEFORE);
	for (try = 0; try < REWRITE_TRIES; try++)
		if (disk_sync(fd) == 0)
			return (REWRITE_DONE);
	error = errno;
	log_line(LOG_CRIT, "event=commit error=\"emptied, but perhaps not on "
	    "the disk: %s\"", strerror(error));
	errno = error;
	return (REWRITE_UNCERTAIN);
}

/* After an error: what can be said for certain? */
static enum rewrite_result
after_error(struct rewrite *rewrite)
{
	enum rewrite_result result = REWRITE_DECIDED;
	int error = errno;

	if (rewrite->changed == 0)
		result = journal_take_back(&rewrite->journal) == 0 ?
		    REWRITE_AS_BEFORE : REWRITE_UNCERTAIN;
	errno = error;
	return (result);
}

enum rewrite_result
rewrite_file(int fd, const struct mailbox_place *place, uint64_t from,
    uint64_t size, struct journal_extent *extents, uint64_t count)
{
	struct rewrite rewrite = { .fd = fd };
	struct journal_header *header = &rewrite.journal.header;
	enum rewrite_result result = REWRITE_DONE;
	uint64_t i;

	if (from == 0 && count == 0) {
		free(extents);
		return (empty_file(fd));
	}
	if (journal_name(&rewrite.journal, place) == -1) {
		free(extents);
		return (REWRITE_AS_BEFORE);
	}
	rewrite.journal.extents = extents;
	header->from = header->to = from;
	header->size = size;
	header->extents = count;
	for (i = 0; i < count; i++)
		header->to += extents[i].length;
	/* A separator is longer: this cannot be. */
	if (size - header->to < JOURNAL_TAG_BYTES) {
		errno = EINVAL;
		journal_close(&rewrite.journal);
		return (REWRITE_AS_BEFORE);
	}
	if (rewrite_begin(&rewrite) == -1 || complete(&rewrite) == -1)
		result = after_error(&rewrite);
	journal_close(&rewrite.journal);
	return (result);
}

int
rewrite_interrupted(const struct mailbox_place *place)
{
	struct journal journal;

	if (journal_name(&journal, place) == -1)
		return (0);
	journal_clean(&journal);
	return (journal_exists(&journal));
}

/* What is wrong with a journal that was found, or NULL; `*error`: errno. */
static const char *
examine(struct rewrite *rewrite, int *error)
{
	int fits;

	*error = 0;
	switch (journal_load(&rewrite->journal)) {
	case JOURNAL_FOUND:
		break;
	case JOURNAL_DAMAGED:
		return ("it is damaged");
	default:
		*error = errno;
		return ("it cannot be read");
	}
	if ((fits = rewrite_fits(rewrite)) == 1)
		return (NULL);
	*error = fits == -1 ? errno : 0;
	return (fits == -1 ? "the mailbox cannot be read" :
	    "the mailbox is no longer the one that was being rewritten");
}

const char *
rewrite_recover(int fd, const struct mailbox_place *place)
{
	struct rewrite rewrite = { .fd = fd };
	const char *wrong;
	int error, failed;

	if (journal_name(&rewrite.journal, place) == -1)
		return (cannot_repair);
	wrong = examine(&rewrite, &error);
	failed = error != 0;
	if (wrong != NULL && !failed)
		failed = journal_set_aside(&rewrite.journal, place->label,
		    wrong) == -1;
	else if (wrong == NULL && complete(&rewrite) == -1) {
		error = errno;
		wrong = "the rewrite cannot be completed";
		failed = 1;
	} else if (wrong == NULL)
		log_line(LOG_NOTICE, "event=recover folder=%s bytes=%llu",
		    place->label,
		    (unsigned long long)rewrite.journal.header.to);
	if (failed)
		log_line(LOG_CRIT, "event=recover folder=%s error=\"%s: %s\"",
		    place->label, wrong, strerror(error));
	journal_close(&rewrite.journal);
	return (failed ? cannot_repair : NULL);
}

void
rewrite_reserve(const struct mailbox_place *place)
{
	struct journal journal;

	if (journal_name(&journal, place) == 0)
		journal_reserve(&journal);
}
