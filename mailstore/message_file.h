/*
 * message_file.h - a message that is a file of its own (MH, Maildir).
 */
#ifndef MESSAGE_FILE_H
#define MESSAGE_FILE_H

#include <sys/types.h>

#include <stdint.h>
#include <time.h>

#include "lines.h"
#include "uid.h"
#include "wire.h"

/* What tells one file from another, and from itself after a change. */
struct file_identity {
	dev_t device;
	ino_t inode;
	uid_t owner;
	uint64_t size;			/* bytes */
	struct timespec modified;
	struct timespec changed;	/* its ctime, which no program can
					   set, and which a rename changes,
					   too */
};

enum message_file_flags {
	FILE_SENT = 1 << 0,	/* whole, and `seal` is of that */
	FILE_MARKED = 1 << 1,	/* to be deleted at the commit */
	FILE_GONE = 1 << 2,	/* no name led to it at the last look */
	FILE_CHANGED = 1 << 3,	/* it, or what has its name, was changed */
	FILE_REMOVED = 1 << 4,	/* by this commit */
	FILE_SETTLED = 1 << 5,	/* its ctime was long past when it was listed */
	FILE_UID = 1 << 6	/* `uid` is known */
};

/* One message of a snapshot. */
struct message_file {
	struct file_identity identity;
	char *name;			/* in its directory, malloc'd */
	int64_t order;			/* messages stand in this order */
	uint64_t octets;		/* on the wire; 0: not measured */
	uint64_t whole_octets;		/* in the whole mailbox's form; 0 */
	uint64_t dots;			/* lines that begin with one, once
					   octets is measured */
	unsigned char uid[UID_DIGEST_BYTES];	/* as uid_content gives it */
	uint8_t directory;		/* which of the mailbox's */
	uint8_t flags;			/* enum message_file_flags */
	unsigned char seal[SEAL_BYTES];	/* of what was sent */
};

/* By device and inode: below 0, 0 for names of one file, or above. */
int	message_file_compare(const struct file_identity *one,
	    const struct file_identity *other);

/* But for their ctimes. */
int	message_file_same(const struct file_identity *one,
	    const struct file_identity *other);

/*
 * Changed last, and named, so long ago that no clock that is merely wrong
 * makes it seem so.  What is not, or has a time to come, may be written now.
 */
int	message_file_is_old(const struct file_identity *identity);

/*
 * What the name leads to, without opening it: 0 when it is a regular file,
 * -1 with errno when not (EISDIR for a directory, EPERM) or not there.  Whose
 * it is, is for the caller to judge.
 */
int	message_file_look(int directory, const char *name,
	    struct file_identity *identity);

/*
 * Opens the file for reading.  Returns the descriptor, or -1 with errno:
 * ESTALE when the name leads to another file, or to one that was changed.
 */
int	message_file_open(const struct message_file *file, int directory);

/*
 * Sends the message, exactly `octets` of it or, in the form of a whole
 * mailbox, `whole_octets`; and keeps the seal of its bytes.  That form is
 * mboxrd: a From_ line with the sender of the Return-Path (MAILER-DAEMON
 * where there is none) and the file's date in UTC; one more ">" before a
 * line that begins with any number of them and "From "; an empty line.
 * NULL, or a reason: what was announced cannot be kept; message_file_unsent
 * where who takes it wants no more, so that nothing is wrong with the file.
 */
extern const char message_file_unsent[];
const char *message_file_send(struct message_file *file, int fd,
	    struct line_reader *reader, struct wire *wire, int whole);

/*
 * Reads the file, and sets `octets` or `whole_octets` to what will be sent.
 * 0, or -1 with errno (0: it has become shorter).
 */
int	message_file_measure(struct message_file *file, int fd,
	    struct line_reader *reader, int whole);

/*
 * Whether its ctime is another than when it was listed: it was changed since,
 * if not in its size and date.  The ctime is kept as it is now.
 */
int	message_file_was_touched(struct message_file *file, int fd);

/* 1: the file is byte for byte what was sent; 0: not; -1 with errno. */
int	message_file_is_sent(const struct message_file *file, int fd,
	    struct line_reader *reader);

#endif
