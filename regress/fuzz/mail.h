/*
 * mail.h - what must hold of any mailbox, whatever its format and its octets.
 *
 * Test code alone.
 */
#ifndef MAIL_H
#define MAIL_H

#include "fuzz.h"
#include "mailbox.h"

#define MAIL_NAME	"box"

/* A mailbox as it was read: its messages on the wire, and their ids. */
struct mail {
	uint32_t count;
	struct text *messages;
	char (*uids)[UID_SIZE];
};

/* Two directories: for mailboxes, named MAIL_NAME, and for a user's state. */
void	mail_prepare(int *directory, int *state);

/* A mailbox there, not open. */
void	mail_box(struct mailbox *mailbox, const struct mailbox_format *format,
	    int directory, int state);

/*
 * Reads all of an open mailbox, each way that a client can: each message
 * alone (RETR of POP2 and POP3, TOP with `lines` of its body), and their
 * list.  What is announced is what comes; doubled dots are doubled, and no
 * other octet is changed; ids are unique.
 */
void	mail_read(struct mailbox *mailbox, uint64_t lines, struct mail *mail);
void	mail_free(struct mail *mail);

/* The whole mailbox as POP1 gets it; `text` is emptied first. */
void	mail_read_whole(struct mailbox *mailbox, struct text *text);

/* Takes that apart again: where it is in mboxrd form. */
void	mail_check_mboxrd(const struct text *whole, const struct mail *mail);

int	mail_equal(const struct mail *one, const struct mail *other);

/*
 * For a mailbox that may not be what it says.  Sends a message as POP2 does,
 * and keeps what came: 1, or 0, it was refused; no octet is sent that was not
 * announced.
 */
int	mail_try(struct mailbox *mailbox, uint64_t number, struct text *sent);

/* The same of all, as POP3 (with their ids) and POP1 do; 0: any was refused. */
int	mail_try_all(struct mailbox *mailbox);

/*
 * What read_box reads with an index, whatever it is, and with the one that is
 * made then, is what it reads `plain`, without one.
 */
void	mail_index_tells_truth(void (*read_box)(int plain,
	    struct mail *mail));

/* True for those messages that an octet of the input stands for. */
int	mail_is_marked(unsigned int mask, uint32_t number);

/*
 * Marks those of the mask as POP3 does, with second thoughts; how many.  The
 * maildrop stays open, until mail_commit.
 */
uint32_t mail_mark(struct mailbox *mailbox, unsigned int mask);

/* Commits, and closes the mailbox; how many are deleted. */
uint32_t mail_commit(struct mailbox *mailbox);

/* What is there `after` is what was not marked, with its ids, in order. */
void	mail_check_kept(const struct mail *before, unsigned int mask,
	    const struct mail *after);

#endif
