/*
 * mailbox.h - a folder as the rest of the store sees it: messages, octets.
 *
 * Every format is one file behind one struct mailbox_format.  Functions
 * that can fail return NULL, or a reason that may be told to the client;
 * the details stand in the log.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "ipc_messages.h"
#include "wire.h"

struct mailbox;

/* Who makes a dotlock for a mailbox. */
enum mailbox_dotlock {
	DOTLOCK_NOBODY,
	DOTLOCK_BESIDE,			/* the store: its directory is the
					   user's own */
	DOTLOCK_IN_SPOOL		/* postern-lock */
};

/* Where a mailbox is: an open directory, and a name in it. */
struct mailbox_place {
	int directory;			/* stays open while the mailbox is */
	int state;			/* the user's own state directory */
	char name[FOLDER_SIZE];
	char label[FOLDER_SIZE];	/* for the log */
	uint32_t locks[LOCK_KINDS_MAX + 1];	/* enum lock_kind, in order */
	enum mailbox_dotlock dotlock;
	unsigned int lock_seconds;
	int pulse;			/* a descriptor whose end means: give
					   up waiting for locks */
	int others_allowed;		/* what belongs to another user, and
					   may be read, is read-only */
};

struct mailbox_format {
	const char *name;

	/*
	 * Takes the mailbox's locks, a snapshot of its messages, and lets
	 * the locks go.  A mailbox that is not there is empty (and `absent`
	 * is set); `unfit` is set when what is there may not be opened, or
	 * is no mailbox.
	 */
	const char *(*open)(struct mailbox *mailbox);

	/*
	 * The octets on the wire of message `number` (from 1), every line
	 * end and the end of the message as CRLF (RFC 937, "Message
	 * Length"); 0 when it does not exist, cannot be read, or is marked.
	 */
	uint64_t (*octets)(struct mailbox *mailbox, uint64_t number);

	/*
	 * That of all messages together, each of which exists and can be read;
	 * UINT64_MAX where that takes asking for each.
	 */
	uint64_t (*sum)(struct mailbox *mailbox);

	/*
	 * Writes exactly octets() (or all_octets of the whole folder in mbox
	 * form, RFC 918; see mboxrd.h) to the wire.  An error means that the
	 * mailbox does not hold what was announced: if net has been told of
	 * any of it the session must end.  A message that was written whole
	 * before must be the same, byte for byte.
	 */
	const char *(*send)(struct mailbox *mailbox, uint64_t number,
	    struct wire *wire);
	const char *(*send_all)(struct mailbox *mailbox, struct wire *wire);

	/*
	 * Marks a message for deletion: -1 unless it was sent whole and is
	 * not marked yet.
	 */
	int (*mark)(struct mailbox *mailbox, uint64_t number);

	/*
	 * Deletes what is marked, and answers when that is on the disk.  A
	 * mailbox that may not be written is left as it is and `deleted`
	 * is 0 (RFC 937, "ACKD").  On an error `deleted` are gone, and the
	 * reason says whether that is none or some.
	 */
	const char *(*commit)(struct mailbox *mailbox, uint32_t *deleted);

	void (*close)(struct mailbox *mailbox);

	/*
	 * How many lines of a message that octets() has measured begin with
	 * a "."; UINT64_MAX where they were not counted.
	 */
	uint64_t (*dots)(struct mailbox *mailbox, uint64_t number);

	/*
	 * What a message has beside its content, and keeps, to tell it from
	 * others: mbox's From_ line, the unique part of a Maildir's file
	 * name.  `label` gets it, cut to `size`, with a NUL.  Returns
	 * LABEL_UNIQUE where it names the message alone, LABEL_PART where the
	 * content belongs to it, or -1 when it cannot be read any more.
	 */
	int (*label)(struct mailbox *mailbox, uint64_t number, char *label,
	    size_t size);

	/*
	 * The digest of UID_DIGEST_BYTES that a message's unique id is made
	 * of, as a session before has left it: 1, or 0, it is not known; and
	 * leaving it.  NULL: such mailboxes keep none.
	 */
	int (*known_uid)(struct mailbox *mailbox, uint64_t number,
	    unsigned char *digest);
	void (*keep_uid)(struct mailbox *mailbox, uint64_t number,
	    const unsigned char *digest);

	/*
	 * What it has said of a message is not so: what a session before has
	 * left is not to be used again.  NULL: there is nothing such.
	 */
	void (*distrust)(struct mailbox *mailbox);

	/*
	 * Leaves for later sessions what was found of messages so far, and
	 * room for what deleting may need.  Is asked for once the client
	 * knows what there is, so that the count does not wait for it, and
	 * before a message is sent; again where more was found.
	 */
	void (*remember)(struct mailbox *mailbox);
};

enum { LABEL_PART, LABEL_UNIQUE };

struct mailbox {
	const struct mailbox_format *format;
	struct mailbox_place place;
	void *state;			/* the format's own */
	int measure_all;		/* send_all may come: open() must know
					   its octets */
	int rename_deleted;		/* MH: a deleted message's file stays,
					   as ,N */
	int read_only;			/* set before open(): nothing is
					   written, not even completed */
	int keeps_locks;		/* set before open(): until close(), or
					   lock_mailbox_release */
	int unfit, absent;
	uint32_t messages;
	uint32_t gone;			/* of the marked: by another program's
					   hand, as the commit found */
	uint64_t all_octets;		/* of send_all, with measure_all */
	int lacks_blank;		/* send_all ends without an empty
					   line, as the file does */
};

extern const struct mailbox_format mailbox_single_file, mailbox_mh,
    mailbox_maildir;

#endif
