/*
 * tool.h - what the files of postern-mailbox share.
 *
 * It is the administrator's look at one mailbox, and the way of a mailbox
 * into another format: posternctl(8), "mailbox".
 */
#ifndef TOOL_H
#define TOOL_H

#include <sys/stat.h>

#include <stdint.h>
#include <time.h>

#include "lines.h"
#include "mailbox.h"

/* Exit statuses: scripts go by them. */
enum tool_status {
	TOOL_GOOD,
	TOOL_ODD,		/* read whole, but not all of it is in order */
	TOOL_FAILED		/* not read, or not converted */
};

/* What a mailbox can be converted to. */
enum tool_form {
	FORM_MBOX,
	FORM_MH,
	FORM_MAILDIR,
	FORM_MTX,		/* MAIL.TXT with lines that end in CRLF */
	FORM_TENEX,		/* and in LF */
	FORMS
};
extern const char *const tool_forms[FORMS];	/* their names */

/* Standard error is a terminal: somebody waits. */
extern int tool_on_terminal;

/* A signal came that asks for the end. */
int	tool_is_interrupted(void);

/* tool_source.c: a mailbox that is only read. */

/*
 * Splits a path into an open directory and a name; fills in the rest for a
 * reader.  0, or -1 with errno.
 */
int	tool_place(const char *path, struct mailbox_place *place);

/*
 * Opens what the place leads to, as the store does, but never to write.
 * NULL, or a reason.
 */
const char *tool_open(struct mailbox *mailbox);
void	tool_close(struct mailbox *mailbox);

/*
 * Lists a mailbox of many files anew, so that none is missing: while names are
 * changed a listing may pass one over.  Nor is one still being written that
 * has its name, as in MH.  NULL, or a reason.
 */
const char *tool_list_all(struct mailbox *mailbox);

/* No message's file is another than it was when it was listed; or a reason. */
const char *tool_messages_changed(struct mailbox *mailbox);

/* Mail has come since, or gone. */
int	tool_has_changed(const struct mailbox *mailbox);

/* "mbox", "mail.txt", "tenex", "mh", "maildir". */
const char *tool_form_name(const struct mailbox *mailbox);

/* A message in the form of the wire, and what else a format holds of it. */
struct tool_message {
	uint64_t octets;
	unsigned char seal[SEAL_BYTES];	/* of these */
	struct timespec received;
	int is_empty;			/* nothing is stored: the wire's one
					   CRLF is not the message's */
	size_t head_length;		/* an mbox's own From_ line, or 0 */
	unsigned char head[FROM_LINE_MAX];
};

/*
 * Writes message `number` (from 1) to the file `fd`, whose content is
 * replaced, as POP2 would send it.  NULL, or a reason.
 */
const char *tool_fetch(struct mailbox *mailbox, uint32_t number, int fd,
	    struct tool_message *message);

/* A new file in the directory that has no name.  -1 with errno. */
int	tool_scratch_file(int directory);

/* tool_check.c */
enum tool_status tool_check(struct mailbox *mailbox);

/*
 * One line about something odd: where (bytes from the file's beginning; of
 * which `file`, where the mailbox is a directory, or NULL), in which message
 * (0: none), what, and how often (0: does not apply).
 */
void	tool_odd(const char *file, uint64_t offset, uint64_t message,
	    const char *what, uint64_t count);

/* tool_content.c: what is odd inside of one message. */
struct tool_part {
	const char *file;		/* NULL: a single file */
	int fd;
	uint64_t number;		/* of the message */
	uint64_t from, to;		/* its bytes */
	unsigned int blank_bytes;	/* the empty line behind it */
	int is_mbox;
};

/* 0, or -1: the part cannot be read. */
int	tool_content(const struct tool_part *part);

/*
 * tool_files.c: what is odd in a directory of messages (0, or -1 with errno),
 * and how many bytes the files have.
 */
int	tool_files(const struct mailbox *mailbox);
uint64_t tool_files_stored(const struct mailbox *mailbox);

/* tool_convert.c: from an open mailbox into a place where nothing is. */
enum tool_status tool_convert(struct mailbox *from, enum tool_form form,
	    const struct mailbox_place *to);

#endif
