/*
 * file_mailbox.h - a mailbox of one file for each message: what MH folders
 * and Maildirs have in common.
 */
#ifndef FILE_MAILBOX_H
#define FILE_MAILBOX_H

#include <stddef.h>

#include "mailbox.h"
#include "message_file.h"

#define FILE_DIRECTORIES_MAX	2	/* a Maildir's new and cur */

struct file_list {
	struct message_file *files;
	size_t count, room;
	size_t unfit;			/* messages' names that lead to none */
};

struct file_mailbox {
	int directories[FILE_DIRECTORIES_MAX];	/* in order; -1: none */
	const char *label;			/* for the log */

	/*
	 * True when `name` is that of a message; sets its place in the
	 * order, or leaves it (-1) to the file's date.
	 */
	int (*is_message)(const char *name, int64_t *order);

	/*
	 * Whose the directories are, and every message: the user's, or, where
	 * the place allows that, another's, and nothing is deleted then.
	 */
	uid_t owner;
	int is_foreign;

	/* No two messages ever have one name, whatever their flags. */
	int names_are_unique;

	/*
	 * Takes the name out of the directory, so that the message is
	 * wholly there or wholly gone at any instant.  -1 with errno.
	 */
	int (*remove)(int directory, const char *name);	/* NULL: unlink */

	struct file_list list;			/* the snapshot */
	uint64_t looked_ms;			/* when a file of it, as it is
						   kept here, was met last */

	int index_lacks;		/* what was found since it was read */
	int index_lies;			/* it was found out in this session */
	struct line_reader reader;
};

/* Opens a directory of that owner, not a link; -1 with errno. */
int	file_mailbox_directory(int at, const char *name, uid_t owner);

/*
 * Whose a mailbox may be that is the directory at the place: the user's own, or
 * whose it is, where the place allows that.
 */
uid_t	file_mailbox_owner(const struct mailbox_place *place);

/* Makes mailbox->state, with no directories yet.  NULL: no memory. */
struct file_mailbox *file_mailbox_new(struct mailbox *mailbox);

/*
 * Lists the directories, which could be `opened` (or -1, with errno); no
 * message is read unless mailbox->measure_all.  Then one that cannot be read
 * is left out.  NULL, or a reason, with the state gone again.
 */
const char *file_mailbox_open(struct mailbox *mailbox, int opened);

/* Whether there is anything to commit. */
int	file_mailbox_any_marked(const struct mailbox *mailbox);

/*
 * The commit in two halves.  The first finds every marked message wherever
 * it is now, and reads each of them again; an error means that nothing was
 * changed.  A message that is not there any more counts as mailbox->gone.
 * The second removes them, the directories synced (FILE_REMOVED); on an
 * error the reason says how many.
 */
const char *file_mailbox_verify(struct mailbox *mailbox);
const char *file_mailbox_remove(struct mailbox *mailbox, uint32_t *deleted);

/* The format's operations that are the same for both. */
uint64_t file_mailbox_octets(struct mailbox *mailbox, uint64_t number);
uint64_t file_mailbox_sum(struct mailbox *mailbox);
const char *file_mailbox_send(struct mailbox *mailbox, uint64_t number,
	    struct wire *wire);
const char *file_mailbox_send_all(struct mailbox *mailbox,
	    struct wire *wire);
uint64_t file_mailbox_dots(struct mailbox *mailbox, uint64_t number);
int	file_mailbox_label(struct mailbox *mailbox, uint64_t number,
	    char *label, size_t size);
int	file_mailbox_mark(struct mailbox *mailbox, uint64_t number);
int	file_mailbox_known_uid(struct mailbox *mailbox, uint64_t number,
	    unsigned char *digest);
void	file_mailbox_keep_uid(struct mailbox *mailbox, uint64_t number,
	    const unsigned char *digest);
void	file_mailbox_remember(struct mailbox *mailbox);
void	file_mailbox_distrust(struct mailbox *mailbox);
void	file_mailbox_close(struct mailbox *mailbox);

/* file_list.c: what is in the directories, as message files. */

/*
 * Lists what is there now, in order.  0, or -1 with errno (EOVERFLOW: more
 * than MESSAGES_MAX).  The list is to be freed in either case.
 */
int	file_list_read(const struct file_mailbox *mailbox,
	    struct file_list *list);
void	file_list_free(struct file_list *list);

/*
 * Looks where the snapshot's messages are now: other programs rename and
 * renumber them.  Each gets its new name, or one of two flags: FILE_CHANGED
 * when the file, or another one, has its name and is not as it was (which
 * may be a rewritten message, or a new one), or FILE_GONE.  0, or -1 with
 * errno, and none is said to be gone.
 */
int	file_list_find_again(struct file_mailbox *mailbox);

#endif
