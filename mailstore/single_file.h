/*
 * single_file.h - a mailbox that is one file with many messages in it.
 *
 * What the formats of that kind share: the snapshot, the locks, sending,
 * and the commit.  A format adds how its messages are found; see struct
 * single_format.
 */
#ifndef SINGLE_FILE_H
#define SINGLE_FILE_H

#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "index.h"
#include "lines.h"
#include "mailbox.h"

/* Of a digest of a head line (SipHash-2-4, 128 bits), or of a seal. */
#define SINGLE_DIGEST_BYTES	SEAL_BYTES
#define HEAD_KEY_BYTES		crypto_shorthash_siphashx24_KEYBYTES	/* 16 */

enum single_flags {
	SINGLE_SENT = 1 << 0,	/* whole; the digest is its seal */
	SINGLE_MARKED = 1 << 1	/* to be deleted at the commit */
};

/*
 * One message of a snapshot.  In the file it is a head line that the format
 * puts before each message, the message itself, and, in an mbox, the empty
 * line that every agent writes behind it.
 */
struct single_message {
	uint64_t offset;	/* of its head line in the file, bytes */
	uint64_t stored;	/* bytes with its head line and empty line */
	uint64_t octets;	/* on the wire, of the message itself */
	uint16_t head_bytes;	/* the head line with its end */
	uint8_t head_ending;	/* 1 LF, 2 CRLF, 0 none */
	uint8_t blank_bytes;	/* the empty line behind it: 1, 2, 0 none */
	uint8_t flags;		/* enum single_flags */
	uint16_t dots;		/* lines that begin with one; UINT16_MAX:
				   so many or more */
	unsigned char digest[SINGLE_DIGEST_BYTES];	/* of its head line;
				   once it was sent, the seal of all of it */
};

struct single_list {
	struct single_message *messages;	/* in the file's order */
	size_t count, room;
};

struct single_file {
	const struct single_format *format;
	int fd;				/* -1: there is no file */
	int writable;
	int damaged;			/* nothing in it is to be rewritten */
	dev_t device;
	ino_t inode;
	uint64_t size;			/* of the file at the snapshot */
	struct timespec modified, changed;	/* the same: mtime, ctime */
	int settled;			/* it had been left alone before it:
					   index_format.h */
	struct single_list shown;
	struct single_list hidden;	/* deleted by another program's mark:
					   not shown, and never touched */
	uint64_t whole_octets;		/* of what is shown, for POP1 */
	size_t marked;			/* of the messages that are shown */
	int was_read;			/* by a scan, not from an index */
	int is_remembered;		/* that is done with */
	unsigned char head_key[HEAD_KEY_BYTES];	/* of head lines' digests */
	struct index index;		/* what is kept of all this */
	struct line_reader reader;
};

struct single_format {
	/*
	 * Reads the file into the lists, and whole_octets; an mbox from where
	 * the last message that is in them ends.  Returns NULL or a reason;
	 * what is `damaged` is logged.  The caller holds the locks.
	 */
	const char *(*scan)(struct single_file *single, const char *label);

	/* True when the line may be the head line of the message. */
	int (*begins)(const struct single_message *message,
	    const struct line *line);

	/*
	 * True when what the file has behind the snapshot, up to `size`, is
	 * messages of its own.
	 */
	int (*arrived)(struct single_file *single, uint64_t size);

	/*
	 * When a message came, from its head line.  NULL: the form of the
	 * file is that of an mbox, so that POP1 gets it as it is.
	 */
	time_t (*received)(const struct line *line);

	/* Bytes at a head line's end that other programs may change. */
	size_t flag_bytes;
};

extern const struct single_format single_mbox, single_mailtxt;

/*
 * Finds the format by how the content of a regular file begins: that of a
 * MAIL.TXT with the line of its first message; anything else, also nothing,
 * is an mbox, or has no messages.
 */
const struct single_format *single_file_format(int fd);

/* Takes note of so many lines that begin with a dot. */
void	single_add_dots(struct single_message *message, uint64_t dots);

/* The same of a line, or a piece of one, if it is such. */
void	single_count_dot(struct single_message *message,
	    const struct line *line);

/* One more place in the list; NULL when there is no room for it. */
struct single_message *single_add(struct single_list *list);

/* Makes room for so many at once.  0, or -1. */
int	single_reserve(struct single_list *list, size_t count);

/* Where the first message of the lists begins, and the last ends; or 0. */
uint64_t single_begin(const struct single_file *single);
uint64_t single_end(const struct single_file *single);

/* Logs why a scan ended early; returns the reason. */
const char *single_too_many(const char *label);
const char *single_unreadable(const char *label);

/* Octets on the wire of a message, never 0: an empty one is one CRLF. */
uint64_t single_octets(const struct single_message *message);

/*
 * Keeps the digest of a message's head line, so that no other message of its
 * length is taken for it.  For scans; flags are no part of the digest.
 */
void	single_keep_head(const struct single_file *single,
	    struct single_message *message, const struct line *line);

/*
 * Reads a message's head line, which must be that of the snapshot.  With a
 * `seal`, the reader goes on with what is stored behind it, and the seal is
 * that of the message; flags are no part of it.  NULL, or a reason.
 */
const char *single_read_head(struct single_file *single,
	    const struct single_message *message, struct seal *seal,
	    struct line *line);

/* True for a reason of single_send: the file is not as the snapshot says. */
int	single_is_changed(const char *wrong);

/* Sends a message, alone or as its part of the whole mailbox. */
const char *single_send(struct single_file *single,
	    struct single_message *message, struct wire *wire, int whole);

/*
 * Checks that the path still names the file, that it is fit to be a
 * mailbox, and that nothing that is to be deleted or kept has changed;
 * then rewrites the file without the marked messages, with all that came
 * since.  The caller holds the locks.  NULL: that is on the disk, or is
 * decided by a journal on the disk.  On an error the file is as it was.
 */
const char *single_commit(struct single_file *single,
	    const struct mailbox_place *place, uint32_t *deleted);

#endif
