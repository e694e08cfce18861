/*
 * journal.h - the file that says how an interrupted rewrite goes on.
 *
 * It lies in the user's own state directory, one for each mailbox, for as
 * long as a rewrite lasts.  DESIGN.md, "The commit", has the whole story.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"

#define JOURNAL_HASH_BYTES	crypto_generichash_BYTES	/* 32 */
#define JOURNAL_NAME_SIZE	40
#define JOURNAL_TAG_BYTES	24	/* shorter than any From_ line */

/* A part of the mailbox that stays, bytes of the file as it was. */
struct journal_extent {
	uint64_t offset, length;
};

/*
 * What is to be done.  "Kept" below is the extents one after the other; it
 * goes to `from`, and ends at `to`.
 */
struct journal_header {
	char magic[16];
	uint64_t inode;			/* of the mailbox */
	uint64_t from;			/* what is before it is not touched */
	uint64_t to;			/* size of the mailbox afterwards */
	uint64_t size;			/* and before: more is deliveries */
	uint64_t bytes;			/* of the journal */
	uint64_t capacity;		/* bytes in an area for mail */
	uint64_t extents;
	char tag[JOURNAL_TAG_BYTES];	/* stands at the end of `size` until
					   the mailbox is cut */
	unsigned char head[JOURNAL_HASH_BYTES];	/* of bytes before `from` */
	unsigned char gap[JOURNAL_HASH_BYTES];	/* of bytes behind `to` */
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
	uint32_t phase;		/* enum journal_phase */
	uint32_t has_data;	/* the bytes are in the journal */
	unsigned char data[JOURNAL_HASH_BYTES];
	unsigned char done[JOURNAL_HASH_BYTES];	/* of bytes moved before */
	unsigned char checksum[JOURNAL_HASH_BYTES];
};

struct journal {
	int directory;		/* the user's state directory */
	char name[JOURNAL_NAME_SIZE];
	int fd;			/* -1: not open */
	int reserved;		/* it is the reserve, to be given back */
	int published;		/* it has its name */
	struct journal_header header;
	struct journal_record record;
	struct journal_extent *extents;
};

enum journal_found {
	JOURNAL_NONE,
	JOURNAL_FOUND,
	JOURNAL_DAMAGED,	/* nothing that Postern has written */
	JOURNAL_UNREADABLE	/* errno */
};

/* The name that belongs to the place; nothing is opened. */
int	journal_name(struct journal *journal,
	    const struct mailbox_place *place);

/* True when there is something of that name. */
int	journal_exists(const struct journal *journal);

/* Opens and checks it, as if an enemy had written it. */
enum journal_found journal_load(struct journal *journal);

/*
 * Makes a new one for the header and extents that are filled in, not yet of
 * that name: a file of its own, or (`reserved`) the room that was set aside
 * before.  Writes everything but a record.
 */
int	journal_create(struct journal *journal);

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

/* Bytes that are kept behind `from`. */
uint64_t journal_kept(const struct journal *journal);

/* The first byte of the journal that is for mail. */
uint64_t journal_data_at(uint64_t extents);

/* Removes what an interrupted journal_create left. */
void	journal_clean(const struct journal *journal);

/* Makes the reserve, where there is none and the disk has room. */
void	journal_reserve(const struct journal *journal);

#endif
