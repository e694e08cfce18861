/*
 * rewrite_begin.c - the journal of a rewrite, before the first byte changes.
 *
 * Linked into postern-store; runs as the user, with the mailbox's locks
 * held.  Three kinds of journal, one form: without mail, where all moves down
 * so far that the old copy outlives the new one's making; with all of it,
 * the usual kind; and, when the disk is full, in the reserve, with as much
 * as that holds at a time.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "rewrite_step.h"
#include "rewrite_move.h"

#define PIECE(from, to)	((to) - (from) < JOURNAL_PIECE_BYTES ?		\
			(to) - (from) : JOURNAL_PIECE_BYTES)

/* The hash of the last bytes between `from` and `to`. */
static int
hash_piece(int fd, uint64_t from, uint64_t to, unsigned char *digest)
{
	uint64_t length = PIECE(from, to);
	crypto_generichash_state hash;
	struct disk_target nowhere = { -1, 0, NULL, &hash };

	(void)crypto_generichash_init(&hash, NULL, 0, JOURNAL_HASH_BYTES);
	if (disk_copy(fd, to - length, length, &nowhere) == -1)
		return (-1);
	(void)crypto_generichash_final(&hash, digest, JOURNAL_HASH_BYTES);
	return (0);
}

/* What a rewrite never touches: the bytes before it, and those it leaves. */
static int
hash_pieces(const struct rewrite *rewrite, unsigned char *head,
    unsigned char *gap)
{
	const struct journal_header *header = &rewrite->journal.header;

	return (hash_piece(rewrite->fd, 0, header->from, head) == -1 ||
	    hash_piece(rewrite->fd, header->to, header->size -
	    JOURNAL_TAG_BYTES, gap) == -1 ? -1 : 0);
}

int
rewrite_hash_done(const struct rewrite *rewrite,
    const struct journal_record *step, unsigned char *digest)
{
	uint64_t from = rewrite->journal.header.from;

	return (hash_piece(rewrite->fd, from, from + PIECE(0, step->at),
	    digest));
}

int
rewrite_fits(struct rewrite *rewrite)
{
	const struct journal_header *header = &rewrite->journal.header;
	const struct journal_record *record = &rewrite->journal.record;
	unsigned char head[JOURNAL_HASH_BYTES], gap[JOURNAL_HASH_BYTES];
	unsigned char done[JOURNAL_HASH_BYTES];
	struct stat status;

	if (fstat(rewrite->fd, &status) == -1)
		return (-1);
	if ((uint64_t)status.st_ino != header->inode)
		return (0);
	/* After the cut there is nothing to be done that could harm. */
	if (rewrite->journal.record.phase == JOURNAL_CUT) {
		if ((uint64_t)status.st_size < header->to)
			return (0);
		return (1);
	}
	if ((uint64_t)status.st_size < header->size)
		return (0);
	if (hash_pieces(rewrite, head, gap) == -1 ||
	    rewrite_hash_done(rewrite, record, done) == -1)
		return (-1);
	return (memcmp(done, record->done, sizeof(done)) == 0 &&
	    memcmp(head, header->head, sizeof(head)) == 0 &&
	    memcmp(gap, header->gap, sizeof(gap)) == 0);
}

/* Text, so that the end of the file is a line to those who read it now. */
static void
make_tag(char *tag)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char random[JOURNAL_TAG_BYTES];
	size_t i;

	randombytes_buf(random, sizeof(random));
	for (i = 0; i < JOURNAL_TAG_BYTES - 2; i++)
		tag[i] = letters[random[i] % 64];
	tag[i++] = '\n';
	tag[i] = '\n';
}

static int
fill_header(struct rewrite *rewrite)
{
	struct journal_header *header = &rewrite->journal.header;
	struct stat status;

	if (fstat(rewrite->fd, &status) == -1 ||
	    hash_pieces(rewrite, header->head, header->gap) == -1)
		return (-1);
	header->inode = (uint64_t)status.st_ino;
	make_tag(header->tag);
	return (0);
}

/* Steps of a journal without mail, counted no further than is of use. */
static unsigned int
steps_without_copy(const struct journal *journal)
{
	struct journal_record step;
	unsigned int steps = 0;
	uint64_t at = 0;

	while (at < journal_kept(journal) && steps <= STEPS_WITHOUT_COPY) {
		move_plan(journal, at, &step);
		at += step.length;
		steps++;
	}
	return (steps);
}

static int
write_journal(struct rewrite *rewrite)
{
	struct journal *journal = &rewrite->journal;
	struct journal_record first;

	if (journal_create(journal) == -1)
		return (-1);
	memset(&first, 0, sizeof(first));
	move_plan(journal, 0, &first);
	if (move_capture(rewrite, &first) == -1 ||
	    rewrite_hash_done(rewrite, &first, first.done) == -1 ||
	    journal_write_record(journal, &first) == -1)
		return (-1);
	journal->record = first;
	return (journal_publish(journal));
}

static int
is_full(int error)
{
	return (error == ENOSPC || error == EDQUOT || error == EFBIG);
}

/* Another try, in the room that was laid in for this. */
static int
write_in_reserve(struct rewrite *rewrite)
{
	struct journal *journal = &rewrite->journal;
	struct journal_extent *extents = journal->extents;
	uint64_t begin = journal_data_at(journal->header.extents);
	int error = errno;

	/* What there is of it is in the way; the list is still needed. */
	journal->extents = NULL;
	(void)journal_take_back(journal);
	journal->extents = extents;
	if (journal->header.extents > RESERVE_BYTES / sizeof(*extents) ||
	    begin >= RESERVE_BYTES) {
		errno = error;
		return (-1);
	}
	journal->reserved = 1;
	journal->header.capacity = (RESERVE_BYTES - begin) / 2;
	if (write_journal(rewrite) == 0)
		return (0);
	if (errno == ENOENT)
		errno = error;
	return (-1);
}

int
rewrite_begin(struct rewrite *rewrite)
{
	struct journal *journal = &rewrite->journal;

	/* The mailbox itself must be on the disk as the journal knows it. */
	if (disk_sync(rewrite->fd) == -1 || fill_header(rewrite) == -1)
		return (-1);
	journal->reserved = 0;
	journal->published = 0;
	journal->header.capacity = 0;
	if (steps_without_copy(journal) > STEPS_WITHOUT_COPY)
		journal->header.capacity = journal_kept(journal);
	if (write_journal(rewrite) == 0)
		return (0);
	return (journal->published || !is_full(errno) ? -1 :
	    write_in_reserve(rewrite));
}
