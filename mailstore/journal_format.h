/*
 * journal_format.h - the inside of a journal, for the two files that know it.
 *
 * Page 0 has the header, 1 and 2 one record each, then come the extents, and
 * from the next page on two areas for mail, used in turns; or one, when the
 * first step alone has mail in it.  The numbers are in the machine's own form:
 * no other machine replays it.
 */
#ifndef JOURNAL_FORMAT_H
#define JOURNAL_FORMAT_H

#include <sys/stat.h>

#include "journal.h"

#define JOURNAL_PAGE		4096
#define JOURNAL_LIST_AT		(3 * JOURNAL_PAGE)
#define JOURNAL_RECORD_AT(generation)					\
	(JOURNAL_PAGE * (1 + ((generation) & 1)))

/* A regular file of this user, with one name. */
int	journal_file_is_fit(const struct stat *status);

/*
 * Whoever has a journal open to write it locks it, so that a dead one's can
 * be told.  0, or -1 with errno.
 */
int	journal_lock(int fd);

/* Magic and checksums. */
void	journal_fill_in(struct journal *journal);

/* A record belongs to its journal alone: the header's checksum is in it. */
void	journal_record_checksum(const struct journal *journal,
	    const struct journal_record *record, unsigned char *checksum);

#endif
