/*
 * journal.h - the file that says how an interrupted rewrite goes on.
 *
 * It lies in the user's own state directory for as long as a rewrite lasts.
 * DESIGN.md, "The commit of a file", has the whole story.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"

#define JOURNAL_HASH_BYTES	crypto_generichash_BYTES	/* 32 */
#define JOURNAL_ID_BYTES	12
#define JOURNAL_PLACE_SIZE	28
#define JOURNAL_NAME_SIZE	60
#define JOURNAL_TAG_BYTES	24	/* shorter than any From_ line */

/* A part of the mailbox that stays, bytes of the file as it was. */
struct journal_extent {
	uint64_t offset, length;
};

/*
 * What was to be done at the beginning.  "Kept" below is the extents one
 * after the other, and behind them the deliveries that a record knows of; it
 * goes to `from`.
 */
struct journal_header {
	char magic[16];
	uint32_t serial;		/* higher than those that are there */
	unsigned char id[JOURNAL_ID_BYTES];	/* random; so is the name */
	uint64_t inode;			/* of the mailbox */
	uint64_t from;			/* what is before it is not touched */
	uint64_t to;			/* size of the mailbox afterwards */
	uint64_t size;			/* and before: more is deliveries */
	uint64_t extents;
	unsigned char head[JOURNAL_HASH_BYTES];	/* of bytes before `from` */
	unsigned char list[JOURNAL_HASH_BYTES];	/* of the extents */
	unsigned char checksum[JOURNAL_HASH_BYTES];
};

enum journal_phase {
	JOURNAL_STEP = 1,	/* `length` bytes from `at` are being moved */
	JOURNAL_CUT		/* all moved, the tag written: cut */
};

/* How far it is.  Two places for it, used in turns. */
struct journal_record {
	uint64_t generation;	/* 0, 1, ...: the highest counts */
	uint64_t at, length;	/* of what is kept, bytes */
	uint64_t more;		/* bytes behind header.size that move, too;
				   `to` and `size` are so much larger */
	uint32_t phase;		/* enum journal_phase */
	uint32_t has_data;	/* the bytes are in the journal */
	char tag[JOURNAL_TAG_BYTES];	/* stands at the end of `size` until
					   the mailbox is cut */
	unsigned char rest[JOURNAL_HASH_BYTES];	/* of bytes behind the step */
	unsigned char data[JOURNAL_HASH_BYTES];
	unsigned char done[JOURNAL_HASH_BYTES];	/* of bytes moved before */
	unsigned char checksum[JOURNAL_HASH_BYTES];
};

struct journal {
	int directory;		/* the user's state directory */
	char place[JOURNAL_PLACE_SIZE];	/* how the names of this mailbox's
					   journals begin */
	char name[JOURNAL_NAME_SIZE];
	int fd;			/* -1: not open */
	int reserved;		/* it is the reserve, to be given back */
	int published;		/* it has its name */
	uint64_t bytes;		/* of the file */
	uint64_t capacity;	/* for mail, in each of two areas */
	struct journal_header header;
	struct journal_record record;
	struct journal_extent *extents;
};

enum journal_found {
	JOURNAL_NONE,		/* or its maker lives, and is at it */
	JOURNAL_FOUND,
	JOURNAL_DAMAGED,	/* nothing that Postern has written */
	JOURNAL_UNREADABLE	/* errno */
};

/* For journals of that place; nothing is opened. */
int	journal_begin(struct journal *journal,
	    const struct mailbox_place *place);

/*
 * Gives back what was being made when its maker died.  True when there is a
 * journal of the place, or when that cannot be seen.
 */
int	journal_clean(const struct journal *journal);

/*
 * Fills in the name of the place's next older journal; of the newest where
 * none is filled in.  1, 0 there is none, -1 errno.
 */
int	journal_next(struct journal *journal);

/* Opens and checks it, as if an enemy had written it. */
enum journal_found journal_load(struct journal *journal);

/*
 * Makes a new one for the header, extents and capacity that are filled in,
 * with a name that does not count yet: a file of its own, or (`reserved`)
 * the room that was set aside before.  Writes everything but a record and
 * the mail of the first, which fills the first of two areas.  The second is
 * made where a later step needs it (`both_areas`).
 */
int	journal_create(struct journal *journal, int both_areas);

/* The areas are the halves of what the file has behind the extents. */
int	journal_measure(struct journal *journal);

/*
 * After journal_measure: makes both areas hold `capacity` bytes at least.
 * On an error they are as they were, and errno is set.  No record may have
 * mail in them.
 */
int	journal_grow(struct journal *journal, uint64_t capacity);

/* Where the mail of a record lies in the journal. */
uint64_t journal_area(const struct journal *journal,
	    const struct journal_record *record);

/* Writes a record; not durable before disk_sync(journal->fd). */
int	journal_write_record(struct journal *journal,
	    struct journal_record *record);

/* Makes it durable and gives it its name: from here on it counts. */
int	journal_publish(struct journal *journal);

/* Takes back what journal_create made, published or not; closes it. */
int	journal_take_back(struct journal *journal);

/* After the work is done: away with it, for good. */
int	journal_remove(struct journal *journal);

/* Renames one that must not be used to NAME.bad, and logs that. */
int	journal_set_aside(struct journal *journal, const char *label,
	    const char *why);

void	journal_close(struct journal *journal);

/* Bytes that are kept behind `from`, with those that the record knows. */
uint64_t journal_kept(const struct journal *journal,
	    const struct journal_record *record);

/* The first byte of the journal that is for mail. */
uint64_t journal_data_at(uint64_t extents);

/* The capacity that a journal for so much mail is to have. */
uint64_t journal_wanted(uint64_t mail);

/* True when what moves down by so much is not to be copied into a journal. */
int	journal_is_far(uint64_t gap);

/* Makes the reserve, where there is none and the disk has room. */
void	journal_reserve(const struct journal *journal);

#endif
