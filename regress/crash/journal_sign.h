/*
 * journal_sign.h - right hashes for a journal whose numbers were changed.
 *
 * Test code alone, for the two programs that forge journals.  Their mailboxes
 * are shorter than the pieces that are looked at: of each part all is hashed,
 * and as its first and its last bytes, so twice.
 */
#ifndef JOURNAL_SIGN_H
#define JOURNAL_SIGN_H

#include "journal_format.h"

/* What a journal speaks of. */
struct signed_box {
	const unsigned char *bytes;
	size_t length;
};

/* The hash of a part of the mailbox, as far as it is there. */
static inline void
sign_part(const struct signed_box *box, uint64_t from, uint64_t to,
    unsigned int times, unsigned char *digest)
{
	crypto_generichash_state hash;

	if (to > box->length)
		to = box->length;
	if (from > to)
		from = to;
	(void)crypto_generichash_init(&hash, NULL, 0, JOURNAL_HASH_BYTES);
	while (times-- > 0)
		(void)crypto_generichash_update(&hash, box->bytes + from,
		    to - from);
	(void)crypto_generichash_final(&hash, digest, JOURNAL_HASH_BYTES);
}

/*
 * A header may tell of more extents than there are; those are hashed then.
 * The magic stays as it is.
 */
static inline void
sign_header(struct journal *journal, uint64_t extents,
    const struct signed_box *box)
{
	struct journal_header *header = &journal->header;

	if (extents > header->extents)
		extents = header->extents;
	sign_part(box, 0, header->from, 1, header->head);
	(void)crypto_generichash(header->list, JOURNAL_HASH_BYTES,
	    (const unsigned char *)journal->extents,
	    extents * sizeof(*journal->extents), NULL, 0);
	(void)crypto_generichash(header->checksum, JOURNAL_HASH_BYTES,
	    (const unsigned char *)header,
	    offsetof(struct journal_header, checksum), NULL, 0);
}

/* After the header. */
static inline void
sign_record(const struct journal *journal, struct journal_record *record,
    const struct signed_box *box)
{
	const struct journal_header *header = &journal->header;

	sign_part(box, header->from, header->from + record->at, 2,
	    record->done);
	sign_part(box, header->from + record->at + record->length,
	    header->size + record->more - JOURNAL_TAG_BYTES, 2,
	    record->rest);
	journal_record_checksum(journal, record, record->checksum);
}

#endif
