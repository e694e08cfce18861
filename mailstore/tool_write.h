/*
 * tool_write.h - a mailbox in the making, in any of the forms.
 */
#ifndef TOOL_WRITE_H
#define TOOL_WRITE_H

#include "tool.h"

#define TARGET_NAME_SIZE	40

struct target {
	enum tool_form form;
	int directory;			/* that it is made in */
	char name[TARGET_NAME_SIZE];	/* until it is done */
	int made;			/* there is something of that name */
	int published;			/* it has the name that was wanted */
	struct timespec begun;
	int top;			/* the directory that is made, or -1 */
	int folder;			/* where message files go: that, or a
					   Maildir's new; or -1 */
	int fd;				/* the file that is written, or -1 */
	uint64_t at;			/* bytes in it so far */
	int counts_only;		/* nothing is written */
	size_t used;
	uint32_t messages;		/* so far */
	unsigned char buffer[RELAY_BYTES];
};

/*
 * Makes an empty mailbox under a name of its own in the directory.  These
 * functions return 0, or -1 with errno.
 */
int	target_make(struct target *target, enum tool_form form,
	    int directory);

/*
 * Adds a message: `message` as tool_fetch has written it to `fd`.  Its seal
 * and octets become those that the new mailbox must give; they differ where a
 * line had to be quoted, and `quoted` says how many lines.
 */
int	target_add(struct target *target, int fd,
	    struct tool_message *message, uint64_t *quoted);

/* Puts all of it on the disk. */
int	target_sync(struct target *target);

/*
 * Gives it its name, if there is nothing of that name (EEXIST), durably.
 * ESTALE: another program has put something else in its place.
 */
int	target_publish(struct target *target, const char *name);

/* Removes what was made. */
void	target_remove(struct target *target);

void	target_close(struct target *target);

#endif
