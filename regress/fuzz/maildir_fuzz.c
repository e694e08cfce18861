/*
 * maildir_fuzz.c - files of any names and octets as a Maildir.
 *
 * Test code alone.  Input: which messages to delete, how much a read gives at
 * a time, lines of TOP and whether another program sets flags meanwhile; then
 * the files (files.h), each in new or in cur.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static const char *const directories[] = { MAIL_NAME "/new",
    MAIL_NAME "/cur", NULL };

static int directory, state = -1;

static void
open_box(struct mailbox *mailbox)
{
	mail_box(mailbox, &mailbox_maildir, directory, state);
	mailbox->measure_all = 1;
	HOLDS(mailbox->format->open(mailbox) == NULL);
	HOLDS(!mailbox->unfit);
}

/* The second in the name; or the file's, which files.c has made. */
static int64_t
order(const char *name)
{
	const size_t length = strspn(name, "0123456789");

	if (name[0] == '.')
		return (-1);
	return (length > 0 && length < 16 && name[length] == '.' ?
	    strtoll(name, NULL, 10) : 1000000000);
}

static void
read_box(struct mailbox *mailbox, size_t piece, const struct files *files,
    uint64_t lines, struct mail *mail)
{
	struct text whole = { NULL, 0, 0 };

	fuzz_piece = piece;
	open_box(mailbox);
	mail_read(mailbox, lines, mail);
	files_check(files, mail);
	mail_read_whole(mailbox, &whole);
	mail_check_mboxrd(&whole, mail);
	text_free(&whole);
}

/* All that is new and has no flags becomes cur, and seen. */
static void
set_flags(struct files *files)
{
	struct file *file = files->list;
	char from[300], to[300];

	for (; file < files->list + files->count; file++) {
		if (file->which != 0 || file->order == -1 ||
		    strchr(file->name, ':') != NULL ||
		    strlen(file->name) > 250)
			continue;
		(void)snprintf(from, sizeof(from), "%s/%s", directories[0],
		    file->name);
		(void)snprintf(to, sizeof(to), "%s/%s:2,S", directories[1],
		    file->name);
		if (linkat(directory, from, directory, to, 0) == -1)
			continue;	/* it is there already */
		HOLDS(unlinkat(directory, from, 0) == 0);
		file->which = 1;
		free(file->name);
		file->name = strdup(to + strlen(directories[1]) + 1);
		HOLDS(file->name != NULL);
	}
}

static void
delete_from(struct mailbox *mailbox, struct files *files,
    const struct mail *before, unsigned int mask, int others_set_flags)
{
	struct mail after;
	uint32_t marked = mail_mark(mailbox, mask);

	if (others_set_flags)
		set_flags(files);
	HOLDS(mail_commit(mailbox) == marked);
	HOLDS(mailbox->gone == 0);
	files_check_left(files, mask, directory, "");
	open_box(mailbox);
	mail_read(mailbox, 0, &after);
	/* With flags the order of equal names may be another. */
	if (!others_set_flags)
		mail_check_kept(before, mask, &after);
	else
		HOLDS(after.count == before->count - marked);
	mailbox->format->close(mailbox);
	mail_free(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int mask = fuzz_octet(&input);
	const size_t piece = 1 + fuzz_octet(&input) * 31;
	const unsigned int options = fuzz_octet(&input);
	struct mail mail, again;
	struct mailbox mailbox;
	struct files files;
	int lowest;

	if (state == -1)
		mail_prepare(&directory, &state);
	lowest = fuzz_lowest_descriptor();
	fuzz_empty(directory);
	HOLDS(mkdirat(directory, MAIL_NAME, 0700) == 0);
	HOLDS(mkdirat(directory, MAIL_NAME "/tmp", 0700) == 0);
	HOLDS(mkdirat(directory, directories[0], 0700) == 0);
	HOLDS(mkdirat(directory, directories[1], 0700) == 0);
	files_make(&files, directories, directory, &input);
	files_sort(&files, order);
	(void)unlinkat(state, "uids", 0);
	read_box(&mailbox, 0, &files, options % 8, &mail);
	mailbox.format->close(&mailbox);
	read_box(&mailbox, piece, &files, options % 8, &again);
	HOLDS(mail_equal(&mail, &again));
	fuzz_piece = 0;
	delete_from(&mailbox, &files, &mail, mask, (options & 8) != 0);
	mail_free(&mail);
	mail_free(&again);
	files_free(&files);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
