/*
 * uid.h - unique ids of messages (RFC 1939, UIDL).
 *
 * They are made from what a message is, so that they outlive restarts,
 * deletions, and programs that rewrite the mailbox; see DESIGN.md.
 */
#ifndef UID_H
#define UID_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"

#define UID_DIGEST_BYTES	crypto_generichash_BYTES_MIN	/* 16 */

/* Room for a label: a From_ line, or a Maildir's file name. */
#define UID_LABEL_SIZE		FROM_LINE_MAX

/*
 * uid_content.c: what LABEL_PART and the content of a message amount to,
 * without the header lines that other programs write into mailboxes, the
 * empty lines at its end, and the form of its line ends.  NULL, or a reason.
 */
const char *uid_content(struct mailbox *mailbox, uint64_t number,
	    const char *label, unsigned char *digest);

/*
 * Adds the header to a digest of the label, as much of it as uid_content takes:
 * a digest that is the same where messages are equal, and seldom else.
 */
const char *uid_header(struct mailbox *mailbox, uint64_t number,
	    unsigned char *digest);

/*
 * uids.c: the ids of all messages of the mailbox that is open.
 *
 * uids_begin reads every message; equal ones are told apart by a number that
 * the file `uids` in the user's state directory keeps true when one of them
 * is deleted.  NULL, or a reason.
 */
const char *uids_begin(struct mailbox *mailbox);
void	uids_end(void);
int	uids_known(void);

/* The id of message `number`, at most UID_SIZE with its NUL. */
const char *uids_text(struct mailbox *mailbox, uint64_t number, char *text);

/*
 * Before messages go whose flags have `marked`, and after they are gone: what
 * the file has to say.  An error is logged, and costs no more than that one
 * of two equal messages may take the other's id.
 */
void	uids_before_commit(struct mailbox *mailbox,
	    const unsigned char *flags, unsigned char marked);
void	uids_after_commit(void);

/* What another server has said of a message: its mailbox's number, its own. */
struct uid_given {
	uint32_t validity, uid;		/* 0: nothing is known */
	int shared;			/* popa3d: by another message, too */
};

/*
 * uidlist.c: what Dovecot knows of the messages of a Maildir, into `given`,
 * by number from 0.  NULL, or a reason.
 */
const char *uidlist_read(struct mailbox *maildir, struct uid_given *given);

/* uid_popa3d.c: popa3d's ids, in two halves.  NULL, or a reason. */
const char *uid_popa3d_read(struct mailbox *mailbox, struct uid_given *given);

/*
 * uid_foreign.c: the id that another server has given the message, as far as
 * the mailbox tells; "" where it does not.  NULL, or a reason.
 */
const char *uid_foreign(struct mailbox *mailbox, enum uid_kind kind,
	    uint64_t number, char *text);
void	uid_foreign_end(void);

/*
 * Before messages go: the first may be the one that says which mailbox of
 * that server's this is.  Kept in the user's state directory; an error is
 * logged.
 */
void	uid_foreign_keep(struct mailbox *mailbox, enum uid_kind kind);

#endif
