/*
 * file_index.h - what was found of messages that are files (MH, Maildir), kept
 * for the next session.
 *
 * As the index of a mailbox of one file it is nothing but a way to be faster,
 * and lies in the same place: DESIGN.md, "The index of many files".  One file:
 * struct file_index_header, and an entry for each message's file, in the order
 * of their devices and inodes.  Numbers are in the machine's own form.
 */
#ifndef FILE_INDEX_H
#define FILE_INDEX_H

#include <stdint.h>

#include "file_mailbox.h"
#include "index.h"

/*
 * The number in it is another for each change of the structures here, and of
 * what a message's octets or its unique id are made of.
 */
#define FILE_INDEX_MAGIC	"Postern files 2"

struct file_index_header {
	char magic[16];
	uint64_t entries;
	unsigned char checksum[INDEX_CHECKSUM_BYTES];	/* of the entries, and
					   of what is before it */
};

/* One file: what it was when it was read, and what was found. */
struct file_index_entry {
	uint64_t device, inode, size;
	int64_t modified, changed;	/* its mtime and ctime */
	uint32_t modified_ns, changed_ns;
	uint64_t octets, whole_octets, dots;	/* as in struct message_file;
					   0: not measured */
	unsigned char uid[UID_DIGEST_BYTES];	/* all zeros: not known */
};

/*
 * Gives the messages of a list that was just read what is known of their
 * files.  Of a file that is not as it was nothing is.
 */
void	file_index_read(struct file_mailbox *mailbox,
	    const struct mailbox_place *place);

/* Keeps what was found since then, where that is worth it; no error. */
void	file_index_write(struct file_mailbox *mailbox,
	    const struct mailbox_place *place);

/* Removes it, for this session: it has not told what is in the files. */
void	file_index_remove(struct file_mailbox *mailbox,
	    const struct mailbox_place *place);

#endif
