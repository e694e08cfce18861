/*
 * mh.h - what the files of the MH format share.
 */
#ifndef MH_H
#define MH_H

#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"

#define MH_SEQUENCES	".mh_sequences"

/*
 * The number that a file's name is, as nmh writes it: digits without a
 * leading zero, from 1 to MH_NUMBER_MAX.  0: it is no message's name.
 */
int64_t	mh_number(const char *name);

/*
 * mh_sequences.c.  Opens and locks the folder's sequences, as nmh does, so
 * that a message that comes now under a freed number keeps its own.
 * Returns the descriptor; -1 when there are none, or they are to be left
 * alone, which was logged.
 */
int	mh_sequences_lock(int directory, const struct mailbox_place *place);

/*
 * Takes the numbers (ascending) out of the sequences, and lets them go
 * (`fd` is closed).  Whatever goes wrong is logged, and leaves them alone.
 */
void	mh_sequences_without(int fd, const int64_t *numbers, size_t count,
	    const struct mailbox_place *place);

/*
 * The text of the sequences without the numbers: every line that has none
 * of them stays byte for byte; a sequence that becomes empty goes; "cur",
 * which may be of a message that is not there, stays.  Returns it, malloc'd,
 * with its length; NULL when the text is damaged or would be too long.
 */
char	*mh_sequences_text(const char *text, size_t length,
	    const int64_t *numbers, size_t count, size_t *new_length);

#endif
