/*
 * box.h - mailboxes with a file for each message, and a default mailbox of
 * three parts, whose commits are interrupted everywhere.
 *
 * The wrapped calls are those of crash.h.  A box knows what was delivered to
 * each of its parts and what may be gone.
 */
#ifndef BOX_H
#define BOX_H

#include "crash.h"

enum box_kind {
	BOX_MH, BOX_MH_RENAME,	/* deleted messages go, or stay as ,N */
	BOX_MAILDIR,
	BOX_INBOX,		/* an mbox, an MH folder, a Maildir */
	BOX_KINDS
};

enum box_form { PART_MBOX, PART_MH, PART_MAILDIR, PART_FORMS };

#define BOX_PART_MAILS	6
#define BOX_MAILS	32
#define BOX_DIRECTORIES	4

struct box_mail {
	unsigned int serial;	/* what it is: see box_text() */
	enum box_form part;
	int marked;
};

/* What a session told, from whatever process. */
struct box_told {
	uint32_t messages, deleted, gone;
	int failed;
	int looks;		/* it asked the user to look what is there */
};

struct box {
	/* The case. */
	enum box_kind kind;
	enum pattern pattern;
	int arrival;		/* one comes to each part before the commit */

	char directory[64];
	char mailbox[96];	/* the mbox's path; "" */
	char directories[BOX_DIRECTORIES][96];
	size_t directory_count;
	struct box_mail mails[BOX_MAILS];
	size_t count, first_count;
	unsigned int serial;
	size_t arrived_at;	/* so many events were recorded then */
	int is_torn;		/* sequences may be anything */
	struct box_told *told;
};

/* box.c */
void	box_open(struct box *box);
void	box_close(struct box *box);
void	box_reset(struct box *box);
void	box_clear(const struct box *box);	/* of files */
int	box_has(const struct box *box, enum box_form part);
const char *box_text(const struct box_mail *mail);	/* as it is stored */
size_t	box_octets(const struct box_mail *mail);
void	box_deliver(struct box *box);		/* one to each part */
void	box_forget_since(struct box *box, size_t count);

/* A whole session, here or in a child, as of a world. */
int	box_session(struct box *box, int commits);
int	box_child(struct box *box, int commits);

/* box_check.c: 0, or 1 for a loss, which is counted. */
int	box_check(struct box *box, enum verdict verdict, const char *what);

/* How many of the marked are not there any more. */
uint32_t box_removed(const struct box *box);

/*
 * Two sessions without faults: one puts right what was interrupted, one
 * deletes what is still there of the marked.
 */
int	box_ends_well(struct box *box, enum verdict verdict,
	    const char *what);

struct box_picture;
struct box_picture *box_picture_take(const struct box *box);
void	box_picture_restore(const struct box_picture *picture,
	    const struct box *box);
void	box_picture_free(struct box_picture *picture);

/* box_bench.c */
void	box_kill_everywhere(struct box *box, int thorough);
void	box_fail_everywhere(struct box *box);
void	box_cut_power_everywhere(struct box *box, unsigned int samples);

#endif
