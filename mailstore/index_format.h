/*
 * index_format.h - an index as it lies on the disk.
 *
 * One file: struct index_header; an entry for each message, shown or hidden,
 * in the mailbox's order; and, once they are known, struct index_uids and the
 * digests of unique ids, of the first messages that are shown.  Numbers are in
 * the machine's own form.  A machine of another form, as a damage, finds the
 * checksum or the magic wrong.
 */
#ifndef INDEX_FORMAT_H
#define INDEX_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "index.h"
#include "single_file.h"

/*
 * The number in it is another for each change of the structures here, of what
 * a scan makes of a file, and of what unique ids are made of (uid_content.c).
 */
#define INDEX_MAGIC		"Postern index 3"
#define INDEX_UIDS_MAGIC	"Postern ids   1"

enum index_flags {
	INDEX_MAILTXT = 1 << 0,	/* else an mbox */
	INDEX_SETTLED = 1 << 1	/* the mailbox had been left alone before it
				   was read: equal times mean equal bytes */
};

struct index_header {
	char magic[16];
	uint64_t device, inode, size;	/* of the mailbox */
	int64_t modified, changed;	/* its mtime and ctime */
	uint32_t modified_ns, changed_ns;
	uint64_t shown, hidden;		/* messages */
	uint64_t whole_octets;		/* as in struct single_file */
	uint64_t flags;			/* enum index_flags */
	unsigned char head_key[HEAD_KEY_BYTES];	/* of the entries' digests */
	unsigned char checksum[INDEX_CHECKSUM_BYTES];	/* of what is before
					   it, and of the entries */
};

/*
 * A message begins where the one before it ends, the first one at 0, and the
 * last one ends with the file.  A mailbox that is not so has no index.
 */
struct index_entry {
	uint64_t shape;		/* index_format.c: stored, head_bytes, ... */
	uint32_t more;		/* octets beyond the bytes of its content */
	uint32_t dots;
	unsigned char digest[SINGLE_DIGEST_BYTES];
};

struct index_uids {
	char magic[16];
	uint64_t known;			/* digests behind this */
	unsigned char of[INDEX_CHECKSUM_BYTES];	/* the header's */
	unsigned char checksum[INDEX_CHECKSUM_BYTES];	/* of what is before
					   it, and of the digests */
};

/* A file's name in the state directory, and while it is being written. */
#define INDEX_PREFIX		"index."
#define INDEX_NEW		".part"
#define INDEX_DIGITS		16

struct index_names {
	char name[sizeof(INDEX_PREFIX) + INDEX_DIGITS];
	char new[sizeof(INDEX_PREFIX INDEX_NEW) + INDEX_DIGITS];
};

/* index.c: 0, or -1: the place has no state directory, or is not there. */
int	index_find(const struct mailbox_place *place,
	    struct index_names *names);

/*
 * index.c: opens what has that name, a file of the user's alone, and tells its
 * bytes; -1: it is not there, or nothing such.
 */
int	index_open_file(const struct mailbox_place *place,
	    const struct index_names *names, int writes, uint64_t *size);

/* index.c: makes a new one, which index_publish must close; -1. */
int	index_create(const struct mailbox_place *place,
	    const struct index_names *names);

/*
 * index.c: closes it, and where all could be written (`result` 0) gives it its
 * name, in the place of an older one; else (-1) removes it.  0, or -1.
 */
int	index_publish(const struct mailbox_place *place,
	    const struct index_names *names, int fd, int result);

/*
 * index.c: opens what has that name and reads its header; -1: it is not there,
 * or nothing that may be used.  What the header says is still to be checked.
 */
int	index_open(const struct mailbox_place *place,
	    const struct index_names *names, int writes,
	    struct index_header *header);

/* index.c: reads the digests of ids from an index of shown messages, if any. */
void	index_read_uids(struct single_file *single, int fd,
	    const struct index_header *header);

/* Where the ids are in a file with this header. */
uint64_t index_uids_at(const struct index_header *header);

/* A mailbox of so many bytes and messages is worth an index. */
int	index_is_worth(uint64_t bytes, uint64_t messages);

/* So many messages that are files are (file_index.h). */
int	index_files_are_worth(uint64_t messages);

/*
 * True when what changes a file from now on gives it another ctime than this
 * one, however coarse the clock of its file system.
 */
int	index_is_settled(const struct timespec *changed);

/* Fills in all but the checksum, from an open mailbox. */
void	index_describe(struct index_header *header,
	    const struct single_file *single);

/*
 * index.c: read, or write, so many bytes, take them into the checksum and move
 * `at` behind them.  0, or -1.
 */
int	index_get(int fd, void *bytes, size_t length, uint64_t *at,
	    crypto_onetimeauth_state *state);
int	index_put(int fd, const void *bytes, size_t length, uint64_t *at,
	    crypto_onetimeauth_state *state);

/*
 * Can so many messages of so many bytes have these octets in the form of a
 * whole mailbox?  Two for each byte, one for each ">" before a line, and a
 * From_ line with an empty one behind it for each message.
 */
int	index_whole_is_possible(uint64_t octets, uint64_t bytes,
	    uint64_t messages);

/*
 * A mere checksum, under a key that everybody knows: it finds damage, and no
 * ill will.  Poly1305 is the fastest thing in libsodium that does.
 */
void	index_checksum_begin(crypto_onetimeauth_state *state);

/* 0, or -1: there is no entry for such a message. */
int	index_pack(struct index_entry *entry,
	    const struct single_message *message, int is_hidden);

/*
 * The other way; `message` has its offset, and gets all else.  0, or -1: there
 * is no such message in a file of this format, with so many bytes left in it.
 */
int	index_is_hidden(const struct index_entry *entry);
int	index_unpack(const struct index_entry *entry, uint64_t left,
	    const struct single_format *format,
	    struct single_message *message);

#endif
