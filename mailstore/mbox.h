/*
 * mbox.h - what the files of the mbox format share.
 */
#ifndef MBOX_H
#define MBOX_H

#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

#include "lines.h"
#include "mailbox.h"

#define MBOX_DIGEST_BYTES	LINES_DIGEST_BYTES

enum mbox_flags {
	MBOX_SENT = 1 << 0,	/* whole; the digest is of what was sent */
	MBOX_MARKED = 1 << 1	/* to be deleted at the commit */
};

/*
 * One message of a snapshot.  In the file it is a From_ line, the message
 * itself, and the empty line that every agent writes behind it.
 */
struct mbox_message {
	uint64_t offset;	/* of its From_ line in the file, bytes */
	uint64_t stored;	/* bytes up to the next message or the end */
	uint64_t octets;	/* on the wire, of the message itself */
	uint16_t from_bytes;	/* the From_ line with its end */
	uint8_t from_ending;	/* 1 LF, 2 CRLF, 0 none */
	uint8_t blank_bytes;	/* the empty line behind it: 1, 2, 0 none */
	uint8_t flags;		/* enum mbox_flags */
	unsigned char digest[MBOX_DIGEST_BYTES];
};

struct mbox {
	int fd;				/* -1: there is no file */
	int writable;
	dev_t device;
	ino_t inode;
	uint64_t size;			/* of the file at the snapshot */
	struct mbox_message *messages;
	size_t count, room;
	struct line_reader reader;
};

/*
 * True for a From_ line: "From ", an address, an asctime(3)-like date
 * (RFC 4155; with or without seconds, with zones before or after the year).
 */
int	mbox_is_from_line(const unsigned char *text, size_t length);

/*
 * Reads the file into a list of messages.  Returns NULL or a reason.  The
 * caller holds the locks.
 */
const char *mbox_scan(struct mbox *mbox, const char *label);

/* Octets on the wire of a message, never 0: an empty one is one CRLF. */
uint64_t mbox_message_octets(const struct mbox_message *message);

/* Octets of the message in the whole mailbox's form, From_ line and all. */
uint64_t mbox_whole_octets(const struct mbox_message *message);

const char *mbox_send(struct mbox *mbox, struct mbox_message *message,
	    struct wire *wire, int whole);

/*
 * Checks that the path still names the file, that it is fit to be a
 * mailbox, and that nothing that is to be deleted or kept has changed;
 * then rewrites the file without the marked messages, with all that came
 * since.  The caller holds the locks.  NULL: that is on the disk, or is
 * decided by a journal on the disk.  On an error the file is as it was.
 */
const char *mbox_commit_locked(struct mbox *mbox,
	    const struct mailbox_place *place, uint32_t *deleted);

#endif
