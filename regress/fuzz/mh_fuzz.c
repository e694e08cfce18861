/*
 * mh_fuzz.c - files of any names and octets as an MH folder.
 *
 * Test code alone.  Input: which messages to delete, how much a read gives at
 * a time, lines of TOP and whether deleted messages stay as ",N"; then the
 * files (files.h), .mh_sequences among them.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "mh.h"

static const char *const directories[] = { MAIL_NAME, NULL };

static int directory, state = -1;

static void
open_box(struct mailbox *mailbox, int renames)
{
	mail_box(mailbox, &mailbox_mh, directory, state);
	mailbox->rename_deleted = renames;
	mailbox->measure_all = 1;
	HOLDS(mailbox->format->open(mailbox) == NULL);
	HOLDS(!mailbox->unfit);
}

/* A number from 1 to 2147483647 as nmh writes it. */
static int64_t
order(const char *name)
{
	const size_t length = strspn(name, "0123456789");
	const long long number = strtoll(name, NULL, 10);

	return (name[length] == '\0' && length > 0 && name[0] != '0' &&
	    length <= 10 && number <= 2147483647 ? number : -1);
}

static void
read_box(struct mailbox *mailbox, size_t piece, const struct files *files,
    unsigned int options, struct mail *mail)
{
	struct text whole = { NULL, 0, 0 };

	fuzz_piece = piece;
	open_box(mailbox, (options & 8) != 0);
	mail_read(mailbox, options % 8, mail);
	files_check(files, mail);
	mail_read_whole(mailbox, &whole);
	mail_check_mboxrd(&whole, mail);
	text_free(&whole);
}

/* With rmm's way the messages stay, under names that are none. */
static void
check_renamed(const struct files *files, unsigned int mask, int renames)
{
	struct text now = { NULL, 0, 0 };
	const struct file *file = files->list;
	uint32_t number = 0;
	char name[260] = ",";
	int box = openat(directory, MAIL_NAME, O_RDONLY | O_CLOEXEC);

	for (; renames && file < files->list + files->count; file++) {
		if (file->order == -1 || !mail_is_marked(mask, ++number))
			continue;
		(void)strlcpy(name + 1, file->name, sizeof(name) - 1);
		fuzz_read(box, name, &now);
		HOLDS(text_equal(&now, &file->content));
	}
	(void)close(box);
	text_free(&now);
}

/* The sequences are those without the numbers, or as they were. */
static void
check_sequences(const struct files *files, unsigned int mask)
{
	const struct file *file = files->list, *sequences = NULL;
	int64_t numbers[FILES_MAX];
	uint32_t number = 0;
	size_t count = 0, length;
	struct text now = { NULL, 0, 0 }, wanted = { NULL, 0, 0 };
	char *text = NULL;
	int box;

	for (; file < files->list + files->count; file++)
		if (file->order != -1 && mail_is_marked(mask, ++number))
			numbers[count++] = file->order;
		else if (strcmp(file->name, MH_SEQUENCES) == 0)
			sequences = file;
	if (sequences == NULL)
		return;
	if (count > 0)
		text = mh_sequences_text(sequences->content.length == 0 ? "" :
		    (char *)sequences->content.at, sequences->content.length,
		    numbers, count, &length);
	if (text != NULL)
		text_put(&wanted, text, length);
	else
		text_put(&wanted, sequences->content.at,
		    sequences->content.length);
	box = openat(directory, MAIL_NAME, O_RDONLY | O_CLOEXEC);
	fuzz_read(box, MH_SEQUENCES, &now);
	HOLDS(text_equal(&now, &wanted));
	(void)close(box);
	free(text);
	text_free(&now);
	text_free(&wanted);
}

static void
delete_from(struct mailbox *mailbox, const struct files *files,
    const struct mail *before, unsigned int mask, int renames)
{
	struct mail after;
	uint32_t marked = mail_mark(mailbox, mask);

	HOLDS(mail_commit(mailbox) == marked);
	HOLDS(mailbox->gone == 0);
	open_box(mailbox, renames);
	mail_read(mailbox, 0, &after);
	mail_check_kept(before, mask, &after);
	mailbox->format->close(mailbox);
	mail_free(&after);
	if (!renames)
		files_check_left(files, mask, directory, MH_SEQUENCES);
	check_sequences(files, mask);
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
	files_make(&files, directories, directory, &input);
	files_sort(&files, order);
	(void)unlinkat(state, "uids", 0);
	read_box(&mailbox, 0, &files, options, &mail);
	mailbox.format->close(&mailbox);
	read_box(&mailbox, piece, &files, options, &again);
	HOLDS(mail_equal(&mail, &again));
	fuzz_piece = 0;
	delete_from(&mailbox, &files, &mail, mask, (options & 8) != 0);
	check_renamed(&files, mask, (options & 8) != 0);
	mail_free(&mail);
	mail_free(&again);
	files_free(&files);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
