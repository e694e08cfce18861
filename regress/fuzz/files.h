/*
 * files.h - an input as the files of an MH folder or a Maildir.
 *
 * Test code alone.
 */
#ifndef FILES_H
#define FILES_H

#include "mail.h"

#define FILES_MAX	24

struct file {
	char *name;			/* in its directory */
	int which;			/* of the directories */
	int64_t order;			/* -1: it is no message */
	struct text content;
};

struct files {
	struct file list[FILES_MAX];
	size_t count;
	const char *const *directories;	/* below the mailbox's directory */
};

/*
 * Takes "NAME 0x1f CONTENT 0x1e" so often as it is there, and makes the files;
 * a name's first octet tells its directory, where there are two.  A name that
 * no file can have is passed over; one that comes again is written over.
 */
void	files_make(struct files *files, const char *const *directories,
	    int directory, struct input *input);
void	files_free(struct files *files);

/*
 * Sets each file's order (-1: no message), and puts them into it: where it is
 * the same, those that `unique` is shorter of or before first.
 */
void	files_sort(struct files *files, int64_t (*order)(const char *name));

/* The mailbox is those messages. */
void	files_check(const struct files *files, const struct mail *mail);

/* Those that are marked, and only those, are gone; what stays is the same. */
void	files_check_left(const struct files *files, unsigned int mask,
	    int directory, const char *but);

#endif
