/*
 * rewrite.c - parts of a file taken out, in place, whatever interrupts it.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, with the
 * mailbox's locks held.  The journal says where the work stands; whoever comes
 * after an interruption goes on from there, and may be interrupted too.
 * DESIGN.md, "The commit", tells why each step can be done again.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "lines.h"
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
is_cut(const struct rewrite *rewrite, uint64_t from, uint64_t end)
{
	uint64_t tag_at = end - JOURNAL_TAG_BYTES, at = from;
	int has_tag;
	char byte;

	/* No page is longer than this. */
	if (end - at > JOURNAL_PIECE_BYTES)
		end = at + JOURNAL_PIECE_BYTES;
	for (; at < end; at++) {
		if (disk_read(rewrite->fd, &byte, 1, at) == -1)
			return (-1);
		if (byte != '\0')
			break;
	}
	has_tag = rewrite_has_tag(rewrite, at > tag_at ?
	    (size_t)(at - tag_at) : 0);
	return (has_tag == -1 ? -1 : !has_tag);
}

/* The next step counts when it is on the disk. */
static int
record_step(struct rewrite *rewrite, struct journal_record *next)
{
	if (rewrite_note(rewrite, next) == -1 ||
	    disk_sync(rewrite->journal.fd) == -1)
		return (-1);
	rewrite->journal.record = *next;
	return (1);
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
	return (record_step(rewrite, &next));
}

/* More room means fewer steps; where there is none, there may be many. */
static int
make_room(struct journal *journal, uint64_t at, uint64_t more)
{
	if (journal_measure(journal) == -1)
		return (-1);
	if (move_count(journal, at, more, STEPS_WITHOUT_COPY) <=
	    STEPS_WITHOUT_COPY || journal_grow(journal,
	    move_room(journal, at, more)) == 0)
		return (0);
	return (rewrite_is_full(errno) && move_count(journal, at, more,
	    RESERVE_STEPS_MAX) <= RESERVE_STEPS_MAX ? 0 : -1);
}

/*
 * What was delivered behind the old end, after an interruption had let the
 * locks go, moves down over the gap, too: the same rewrite goes on, and is
 * longer.
 */
static int
follow_with_deliveries(struct rewrite *rewrite, uint64_t size)
{
	struct journal *journal = &rewrite->journal;
	struct journal_record next = journal->record;

	next.generation++;
	next.more = size - journal->header.size;
	/* As in the beginning, they must be on the disk. */
	if (disk_sync(rewrite->fd) == -1 ||
	    make_room(journal, next.at, next.more) == -1)
		return (-1);
	rewrite_make_tag(&next);
	move_plan(journal, next.at, &next);
	return (record_step(rewrite, &next));
}

static int
cut(struct rewrite *rewrite)
{
	const struct journal *journal = &rewrite->journal;
	uint64_t to = journal->header.to + journal->record.more;
	uint64_t end = journal->header.size + journal->record.more;
	struct stat status;
	uint64_t size;
	int was_cut = 1;

	if (fstat(rewrite->fd, &status) == -1)
		return (-1);
	size = (uint64_t)status.st_size;
	if (size >= end && (was_cut = is_cut(rewrite, to, end)) == -1)
		return (-1);
	if (!was_cut && size > end)
		return (follow_with_deliveries(rewrite, size));
	if (!was_cut && disk_cut(rewrite->fd, to) == -1)
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

/*
 * An error may pass: a step that failed is done again from its beginning.
 * Each step lasts, so a recovery may end behind any; a commit does not.
 */
static int
complete(struct rewrite *rewrite, int may_end)
{
	unsigned int failures = 0;
	int more = 1;

	while (more != 0) {
		more = rewrite_step(rewrite);
		if (more == -1 && ++failures == REWRITE_TRIES)
			return (-1);
		if (more == 1 && may_end && lines_are_unwanted()) {
			errno = EINTR;
			return (-1);
		}
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
	if (result != REWRITE_AS_BEFORE)
		log_line(LOG_CRIT, "event=commit file=%s error=\"%s: %s\"",
		    rewrite->journal.name, strerror(error),
		    result == REWRITE_DECIDED ? "decided, and to be completed "
		    "when the mailbox is opened next" :
		    "cannot be taken back for certain");
	errno = error;
	return (result);
}

enum rewrite_result
rewrite_file(int fd, const struct mailbox_place *place, uint64_t from,
    uint64_t size, struct journal_extent *extents, uint64_t count)
{
	struct rewrite rewrite = { .fd = fd, .writable = 1 };
	struct journal_header *header = &rewrite.journal.header;
	enum rewrite_result result = REWRITE_DONE;
	uint64_t i;

	if (from == 0 && count == 0) {
		free(extents);
		return (empty_file(fd));
	}
	if (journal_begin(&rewrite.journal, place) == -1) {
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
	if (rewrite_begin(&rewrite) == -1 || complete(&rewrite, 0) == -1)
		result = after_error(&rewrite);
	journal_close(&rewrite.journal);
	return (result);
}

int
rewrite_interrupted(const struct mailbox_place *place)
{
	struct journal journal;

	return (journal_begin(&journal, place) == 0 &&
	    journal_clean(&journal));
}

static void
tell(int priority, const struct journal *journal, const char *label,
    const char *what, int error)
{
	log_line(priority, "event=recover folder=%s file=%s error=\"%s%s%s\"",
	    label, journal->name, what, error == 0 ? "" : ": ",
	    error == 0 ? "" : strerror(error));
}

/*
 * One that does not fit stays as it is: two mailboxes may look the same by
 * their numbers (journal_begin), and the other one may need it.
 */
static const char *
recover_fitting(struct rewrite *rewrite, const char *label)
{
	const struct journal *journal = &rewrite->journal;
	int fits = rewrite_fits(rewrite);
	unsigned long long bytes;

	if (fits == -1)
		tell(LOG_CRIT, journal, label, "the mailbox cannot be read",
		    errno);
	else if (fits == 0)
		tell(LOG_WARNING, journal, label, "not used, and left: it is "
		    "another mailbox's, or this one has changed since", 0);
	else if (!rewrite->writable) {
		tell(LOG_CRIT, journal, label, "the mailbox is half rewritten "
		    "and may not be written", 0);
		fits = -1;
	} else if (complete(rewrite, 1) == -1) {
		tell(errno == EINTR ? LOG_NOTICE : LOG_CRIT, journal, label,
		    "the rewrite cannot be completed", errno);
		fits = -1;
	} else {
		bytes = journal->header.to + journal->record.more;
		log_line(LOG_NOTICE, "event=recover folder=%s file=%s "
		    "bytes=%llu", label, journal->name, bytes);
	}
	return (fits == -1 ? cannot_repair : NULL);
}

static const char *
recover_from(struct rewrite *rewrite, const char *label)
{
	struct journal *journal = &rewrite->journal;

	switch (journal_load(journal)) {
	case JOURNAL_FOUND:
		return (recover_fitting(rewrite, label));
	case JOURNAL_NONE:
		return (NULL);
	case JOURNAL_DAMAGED:
		return (journal_set_aside(journal, label, "it is damaged") ==
		    -1 ? cannot_repair : NULL);
	default:
		tell(errno == EINTR ? LOG_NOTICE : LOG_CRIT, journal, label,
		    "it cannot be read", errno);
		return (cannot_repair);
	}
}

const char *
rewrite_recover(int fd, int writable, const struct mailbox_place *place)
{
	struct rewrite rewrite = { .fd = fd, .writable = writable };
	const char *wrong = NULL;
	int more, count = 0;

	/*
	 * The newest first: after that, older ones of this mailbox do not
	 * fit any more.
	 */
	more = journal_begin(&rewrite.journal, place);
	while (more != -1 && wrong == NULL &&
	    (more = journal_next(&rewrite.journal)) == 1) {
		if (lines_are_unwanted())
			wrong = cannot_repair;
		else if (count++ == JOURNALS_MAX) {
			tell(LOG_CRIT, &rewrite.journal, place->label,
			    "this one and all that are older are too many",
			    0);
			wrong = cannot_repair;
		} else
			wrong = recover_from(&rewrite, place->label);
		journal_close(&rewrite.journal);
	}
	if (more == -1) {
		log_line(LOG_CRIT, "event=recover folder=%s error=\"no "
		    "journals can be looked for: %s\"", place->label,
		    strerror(errno));
		wrong = cannot_repair;
	}
	return (wrong);
}

void
rewrite_reserve(const struct mailbox_place *place)
{
	struct journal journal;

	if (journal_begin(&journal, place) == 0)
		journal_reserve(&journal);
}
