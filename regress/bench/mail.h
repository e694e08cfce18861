/*
 * mail.h - the bench's mail: made, and known again octet by octet.
 *
 * A set is so many messages of about so many bytes.  What a message holds
 * follows from its number alone, so nothing of it is kept: it is written to
 * mailboxes and compared on the wire from one page of text.  Messages are of
 * unequal lengths, and some of their lines begin with a dot.
 */
#ifndef MAIL_H
#define MAIL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mail_set {
	uint32_t messages;
	uint64_t bytes;		/* of all, about */
	uint32_t step;		/* 2: what is left when every second is gone */
};

/* How mail stands in a file, and how each protocol sends it. */
enum mail_form {
	FORM_FILE,		/* lines end in LF */
	FORM_WIRE,		/* in CRLF: POP1, POP2 */
	FORM_DOTS,		/* and dots are doubled: POP3 */
	FORMS
};

/* Makes the page; once, before anything else. */
void	mail_begin(void);

/* The octets of message `number` (1 is the first) in this form. */
uint64_t mail_octets(const struct mail_set *set, uint32_t number,
	    enum mail_form form);

/* The octets of all, and of an mbox of all as POP1 sends it. */
uint64_t mail_all_octets(const struct mail_set *set, enum mail_form form);
uint64_t mail_mbox_octets(const struct mail_set *set);

/*
 * Writes the set: as an mbox; as files in a Maildir's cur; or one message of
 * it, in any form.  0, or -1.
 */
int	mail_write_mbox(const struct mail_set *set, FILE *file);
int	mail_write_maildir(const struct mail_set *set, const char *directory);
int	mail_write_message(const struct mail_set *set, uint32_t number,
	    enum mail_form form, FILE *file);

/* What is to come: a message, or a whole mbox. */
struct expected {
	const struct mail_set *set;
	enum mail_form form;
	uint32_t number;
	int mbox;		/* From_ lines and all that come after it */
	char head[512];
	size_t head_length, head_at;
	size_t page_at;
	uint64_t body_left;
	const char *tail;
};

void	expected_message(struct expected *expected,
	    const struct mail_set *set, uint32_t number, enum mail_form form);
void	expected_mbox(struct expected *expected, const struct mail_set *set);

/*
 * The next octets that must come, as many as there are in one piece (0: no
 * more), and that so many of them have come.
 */
size_t	expected_piece(struct expected *expected, const char **piece);
void	expected_taken(struct expected *expected, size_t length);

#endif
