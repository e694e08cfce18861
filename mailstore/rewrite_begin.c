/*
 * rewrite_begin.c - the journal of a rewrite, before the first byte changes.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, with the
 * mailbox's locks held.  Three kinds of journal, one form: without mail, where
 * all moves down so far that the old copy outlives the new one's making; with
 * mail, as much at a time as an area holds, the usual kind; and, when the disk
 * is full, in the reserve, with as much as that holds at a time.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "log.h"
#include "rewrite_step.h"
#include "rewrite_move.h"

/* The last bytes between `from` and `to`. */
static int
add_piece(int fd, uint64_t from, uint64_t to, crypto_generichash_state *hash)
{
	struct disk_target nowhere = { .fd = -1, .hash = hash };
	uint64_t length = to - from;

	if (length > JOURNAL_PIECE_BYTES)
		length = JOURNAL_PIECE_BYTES;
	return (disk_copy(fd, to - length, length, &nowhere) == -1 ? -1 :
	    disk_flush(&nowhere));
}

/* The hash of the last bytes between `from` and `middle`, and `to`. */
static int
hash_pieces(int fd, uint64_t from, uint64_t middle, uint64_t to,
    unsigned char *digest)
{
	crypto_generichash_state hash;

	(void)crypto_generichash_init(&hash, NULL, 0, JOURNAL_HASH_BYTES);
	if (add_piece(fd, from, middle, &hash) == -1 ||
	    add_piece(fd, from, to, &hash) == -1)
		return (-1);
	(void)crypto_generichash_final(&hash, digest, JOURNAL_HASH_BYTES);
	return (0);
}

/* What a rewrite never touches. */
static int
hash_head(const struct rewrite *rewrite, unsigned char *digest)
{
	return (hash_pieces(rewrite->fd, 0, 0, rewrite->journal.header.from,
	    digest));
}

/* The first and the last bytes between `from` and `to`. */
static int
hash_ends(const struct rewrite *rewrite, uint64_t from, uint64_t to,
    unsigned char *digest)
{
	uint64_t first = to - from < JOURNAL_PIECE_BYTES ? to :
	    from + JOURNAL_PIECE_BYTES;

	return (hash_pieces(rewrite->fd, from, first, to, digest));
}

/* What was moved before a step is as it was left. */
static int
hash_done(const struct rewrite *rewrite, const struct journal_record *step,
    unsigned char *digest)
{
	uint64_t from = rewrite->journal.header.from;

	return (hash_ends(rewrite, from, from + step->at, digest));
}

/* And what no step has touched yet: its mail, and the gap but for the tag. */
static int
hash_rest(const struct rewrite *rewrite, const struct journal_record *step,
    unsigned char *digest)
{
	const struct journal_header *header = &rewrite->journal.header;

	return (hash_ends(rewrite, header->from + step->at + step->length,
	    header->size + step->more - JOURNAL_TAG_BYTES, digest));
}

int
rewrite_has_tag(const struct rewrite *rewrite, size_t skip)
{
	const struct journal_record *record = &rewrite->journal.record;
	char there[JOURNAL_TAG_BYTES];

	if (disk_read(rewrite->fd, there, sizeof(there),
	    rewrite->journal.header.size + record->more -
	    JOURNAL_TAG_BYTES) == -1)
		return (-1);
	return (memcmp(there + skip, record->tag + skip,
	    sizeof(there) - skip) == 0);
}

/* The bytes that cannot have changed are what they were. */
static int
pieces_fit(const struct rewrite *rewrite)
{
	const struct journal_record *record = &rewrite->journal.record;
	unsigned char digest[JOURNAL_HASH_BYTES];

	if (hash_head(rewrite, digest) == -1)
		return (-1);
	if (memcmp(digest, rewrite->journal.header.head, sizeof(digest)) != 0)
		return (0);
	if (hash_done(rewrite, record, digest) == -1)
		return (-1);
	if (memcmp(digest, record->done, sizeof(digest)) != 0)
		return (0);
	if (record->phase == JOURNAL_CUT)
		return (1);
	if (hash_rest(rewrite, record, digest) == -1)
		return (-1);
	return (memcmp(digest, record->rest, sizeof(digest)) == 0);
}

int
rewrite_fits(struct rewrite *rewrite)
{
	const struct journal_header *header = &rewrite->journal.header;
	const struct journal_record *record = &rewrite->journal.record;
	struct stat status;
	uint64_t size;
	int has_tag = 0;

	if (fstat(rewrite->fd, &status) == -1)
		return (-1);
	size = (uint64_t)status.st_size;
	if ((uint64_t)status.st_ino != header->inode)
		return (0);
	if (record->phase == JOURNAL_CUT) {
		if (size < header->to + record->more)
			return (0);
		if (size >= header->size + record->more)
			has_tag = rewrite_has_tag(rewrite, 0);
	} else if (size < header->size + record->more)
		return (0);
	return (has_tag != 0 ? has_tag : pieces_fit(rewrite));
}

void
rewrite_make_tag(struct journal_record *step)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char random[JOURNAL_TAG_BYTES];
	size_t i;

	randombytes_buf(random, sizeof(random));
	for (i = 0; i < JOURNAL_TAG_BYTES - 2; i++)
		step->tag[i] = letters[random[i] % 64];
	step->tag[i++] = '\n';
	step->tag[i] = '\n';
}

int
rewrite_note(struct rewrite *rewrite, struct journal_record *step)
{
	return (move_capture(rewrite, step) == -1 ||
	    hash_done(rewrite, step, step->done) == -1 ||
	    hash_rest(rewrite, step, step->rest) == -1 ||
	    journal_write_record(&rewrite->journal, step) == -1 ? -1 : 0);
}

static int
fill_header(struct rewrite *rewrite)
{
	struct journal_header *header = &rewrite->journal.header;
	struct stat status;

	if (fstat(rewrite->fd, &status) == -1)
		return (-1);
	header->inode = (uint64_t)status.st_ino;
	return (hash_head(rewrite, header->head));
}

/*
 * Gaps only grow on the way to the end: where the second step needs no room in
 * the journal, no later one does.
 */
static int
needs_second_area(const struct journal *journal,
    const struct journal_record *first)
{
	struct journal_record second = { 0 };

	move_plan(journal, first->length, &second);
	return (second.has_data != 0);
}

static int
write_journal(struct rewrite *rewrite)
{
	struct journal *journal = &rewrite->journal;
	struct journal_record first = { 0 };

	move_plan(journal, 0, &first);
	rewrite_make_tag(&first);
	if (journal_create(journal, needs_second_area(journal, &first)) ==
	    -1 ||
	    rewrite_note(rewrite, &first) == -1)
		return (-1);
	journal->record = first;
	return (journal_publish(journal));
}

int
rewrite_is_full(int error)
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
	errno = error;
	if (journal->header.extents > RESERVE_BYTES / sizeof(*extents) ||
	    begin >= RESERVE_BYTES)
		return (-1);
	journal->capacity = (RESERVE_BYTES - begin) / 2;
	if (move_count(journal, 0, 0, RESERVE_STEPS_MAX) >
	    RESERVE_STEPS_MAX) {
		errno = E2BIG;
		return (-1);
	}
	journal->reserved = 1;
	if (write_journal(rewrite) == 0)
		return (0);
	if (errno == ENOENT)
		errno = error;
	return (-1);
}

/*
 * Room in the journal only where a few steps without it will not do, and where
 * something stays near its place; none of it may be needed in the end.
 */
static void
choose_kind(struct journal *journal)
{
	journal->capacity = 0;
	if (move_count(journal, 0, 0, STEPS_WITHOUT_COPY) >
	    STEPS_WITHOUT_COPY)
		journal->capacity = move_room(journal, 0, 0);
}

int
rewrite_begin(struct rewrite *rewrite)
{
	struct journal *journal = &rewrite->journal;
	int error;

	/* The mailbox itself must be on the disk as the journal knows it. */
	if (disk_sync(rewrite->fd) == -1 || fill_header(rewrite) == -1)
		return (-1);
	journal->reserved = 0;
	journal->published = 0;
	choose_kind(journal);
	if (write_journal(rewrite) == 0)
		return (0);
	if (journal->published || !rewrite_is_full(errno))
		return (-1);
	if (write_in_reserve(rewrite) == 0)
		return (0);
	error = errno;
	log_line(LOG_CRIT, "event=commit file=%s error=\"no room for this "
	    "journal in the state directory\"", journal->name);
	errno = error;
	return (-1);
}
