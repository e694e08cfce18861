/*
 * journal_fuzz.c - a damaged, foreign or forged journal, and a mailbox that
 * was changed while a rewrite was interrupted.
 *
 * Test code alone.  Input: which of eight messages were being deleted; how
 * many steps the rewrite had done, what happens now, and whether mail was
 * delivered meanwhile; then what is changed.  A mailbox is left as it was
 * found, or comes to be what it was to become (where all had been moved, and
 * only the end was to be cut off, with what was changed before it); unless its
 * journal is forged with every hash right, and then what is before the rewrite
 * stays.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../crash/journal_sign.h"
#include "disk.h"
#include "journal_format.h"
#include "mail.h"
#include "rewrite.h"
#include "rewrite_step.h"

#define HEAD	"From a@example.org Sat Nov 21 23:33:00 2026\n\n"

static const char *const messages[8] = {
	HEAD "1\n\n", HEAD "two two two two two two\n\n", HEAD "3\n3\n3\n3\n\n",
	HEAD "\n\n", HEAD "five\nfive\nfive\nfive\nfive\nfive\nfive\nfive\n\n",
	HEAD "6\n\n", HEAD "seven seven\n\n", HEAD "8\n8\n8\n\n"
};
static const char delivery[] = HEAD "meanwhile\n\n";

enum mode { DAMAGED, CHANGED_MAILBOX, FORGED, FOREIGN };

static int directory, state = -1;
static struct mailbox_place place;

/*
 * Leaves the mailbox as a rewrite does that is killed after some steps, the
 * cut perhaps among them; how long the file is.
 */
static size_t
interrupt(unsigned int mask, unsigned int steps, struct text *wanted)
{
	struct rewrite rewrite = { .writable = 1 };
	struct journal_header *header = &rewrite.journal.header;
	struct journal_extent *extents = calloc(8, sizeof(*extents));
	struct text box = { NULL, 0, 0 };
	size_t i, length, size;
	int more = 1;

	HOLDS(extents != NULL && journal_begin(&rewrite.journal, &place) == 0);
	rewrite.journal.extents = extents;
	wanted->length = 0;
	for (i = 0; i < 8; i++) {
		length = strlen(messages[i]);
		if ((mask >> i & 1) == 0) {
			text_put(wanted, messages[i], length);
			header->to += length;
			if (wanted->length == box.length + length)
				header->from += length;
			else
				extents[header->extents++] =
				    (struct journal_extent){ box.length,
				    length };
		}
		text_put(&box, messages[i], length);
	}
	header->size = size = box.length;
	fuzz_file(directory, MAIL_NAME, box.at, box.length);
	text_free(&box);
	rewrite.fd = openat(directory, MAIL_NAME, O_RDWR | O_CLOEXEC);
	HOLDS(rewrite.fd != -1);
	HOLDS(rewrite_begin(&rewrite) == 0);
	while (steps-- > 0 && more == 1)
		more = rewrite_step(&rewrite);
	HOLDS(more != -1);
	journal_close(&rewrite.journal);
	(void)close(rewrite.fd);
	return (more == 1 ? size : wanted->length);
}

/* The journal's name, and how many of them there are. */
static unsigned int
find_journal(char *name, size_t size)
{
	const int fd = openat(state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fdopendir(fd);
	struct dirent *entry;
	unsigned int count = 0;

	HOLDS(names != NULL);
	while ((entry = readdir(names)) != NULL)
		if (strncmp(entry->d_name, "journal.", 8) == 0 &&
		    strchr(entry->d_name + 8, '.') != NULL &&
		    strstr(entry->d_name, ".bad") == NULL) {
			(void)strlcpy(name, entry->d_name, size);
			count++;
		}
	(void)closedir(names);
	return (count);
}

static void
damage(const char *name, struct input *input)
{
	struct text text = { NULL, 0, 0 };
	const unsigned int part = fuzz_octet(input);

	fuzz_read(state, name, &text);
	fuzz_change(text.at, text.length, input);
	if (part != 0)
		text.length = text.length * part / 256;
	fuzz_file(state, name, text.at, text.length);
	text_free(&text);
}

static void
change_mailbox(struct input *input)
{
	struct text text = { NULL, 0, 0 };
	const unsigned int part = fuzz_octet(input);

	fuzz_read(directory, MAIL_NAME, &text);
	fuzz_change(text.at, text.length, input);
	if (part != 0)
		text.length = text.length * part / 256;
	fuzz_file(directory, MAIL_NAME, text.at, text.length);
	text_free(&text);
}

/* A number of the journal, as forgers like them. */
static uint64_t
number(struct input *input, uint64_t before)
{
	static const uint64_t large[] = { UINT64_MAX, INT64_MAX,
	    (uint64_t)INT64_MAX + 1, UINT32_MAX, 1ULL << 60, 4096, 16, 0 };
	const unsigned int kind = fuzz_octet(input);
	const uint64_t value = fuzz_octet(input);

	switch (kind % 4) {
	case 0:
		return (before + value);
	case 1:
		return (before - value);
	case 2:
		return (value * (kind / 4));
	default:
		return (large[value % 8] - kind / 4);
	}
}

/* One number of the header, the extents or the records. */
static void
forge_one(struct journal *journal, struct journal_record *records,
    struct input *input)
{
	struct journal_header *header = &journal->header;
	const unsigned int which = fuzz_octet(input);
	struct journal_record *record = &records[which / 16 % 2];
	struct journal_extent *extent = &journal->extents[which / 16 % 8];
	uint64_t *const numbers[] = { &header->from, &header->to,
	    &header->size, &header->extents, &extent->offset, &extent->length,
	    &record->generation, &record->at, &record->length, &record->more,
	    &header->inode };

	if (which % 16 < 11)
		*numbers[which % 16] = number(input, *numbers[which % 16]);
	else if (which % 16 < 13)
		record->phase = (uint32_t)number(input, record->phase);
	else
		record->has_data = (uint32_t)number(input, record->has_data);
}

static uint64_t
forge(const char *name, struct input *input)
{
	struct text file = { NULL, 0, 0 }, box = { NULL, 0, 0 };
	struct journal journal = { .fd = -1 };
	struct journal_record records[2];
	struct signed_box parts;
	size_t extents;

	fuzz_read(state, name, &file);
	fuzz_read(directory, MAIL_NAME, &box);
	parts = (struct signed_box){ box.at, box.length };
	HOLDS(file.length >= JOURNAL_LIST_AT);
	memcpy(&journal.header, file.at, sizeof(journal.header));
	memcpy(&records[0], file.at + JOURNAL_RECORD_AT(0), sizeof(*records));
	memcpy(&records[1], file.at + JOURNAL_RECORD_AT(1), sizeof(*records));
	extents = (file.length - JOURNAL_LIST_AT) / sizeof(*journal.extents);
	journal.extents = calloc(extents + 8, sizeof(*journal.extents));
	HOLDS(journal.extents != NULL);
	memcpy(journal.extents, file.at + JOURNAL_LIST_AT,
	    extents * sizeof(*journal.extents));
	while (input->left > 2)
		forge_one(&journal, records, input);
	sign_header(&journal, extents, &parts);
	sign_record(&journal, &records[0], &parts);
	sign_record(&journal, &records[1], &parts);
	memcpy(file.at, &journal.header, sizeof(journal.header));
	memcpy(file.at + JOURNAL_RECORD_AT(0), &records[0], sizeof(*records));
	memcpy(file.at + JOURNAL_RECORD_AT(1), &records[1], sizeof(*records));
	memcpy(file.at + JOURNAL_LIST_AT, journal.extents,
	    extents * sizeof(*journal.extents));
	fuzz_file(state, name, file.at, file.length);
	free(journal.extents);
	text_free(&file);
	text_free(&box);
	return (journal.header.from);
}

static const char *
recover(void)
{
	int fd = openat(directory, MAIL_NAME, O_RDWR | O_CLOEXEC);
	const char *wrong;

	HOLDS(fd != -1);
	wrong = rewrite_interrupted(&place) ?
	    rewrite_recover(fd, 1, &place) : NULL;
	(void)close(fd);
	return (wrong);
}

/* One byte of a magic tells a later version from damage. */
static int
is_later(const char *name)
{
	struct text text = { NULL, 0, 0 };
	int later;

	fuzz_read(state, name, &text);
	later = text.length >= JOURNAL_LIST_AT && memcmp(text.at,
	    "Postern journal", 15) == 0 && text.at[15] >= '0' &&
	    text.at[15] <= '9';
	text_free(&text);
	return (later);
}

/* The mailbox was cut as it was to be, and what was delivered moved down. */
static int
is_cut(const struct text *before, const struct text *after, size_t size)
{
	struct text cut = { NULL, 0, 0 };
	size_t delivered = 0;
	int result;

	if (before->length < size || after->length > before->length)
		return (0);
	delivered = before->length - size;
	text_put(&cut, before->at, after->length - delivered);
	text_put(&cut, before->at + size, delivered);
	result = text_equal(&cut, after);
	text_free(&cut);
	return (result);
}

/*
 * The last octets of what moves are not looked at, since the tag may be there:
 * when these were changed, they move as they are.
 */
static int
is_moved(const struct text *before, const struct text *after, size_t size,
    size_t kept, const struct text *wanted)
{
	struct text moved = { NULL, 0, 0 };
	int result;

	if (before->length < size)
		return (0);
	text_put(&moved, wanted->at, wanted->length);
	memcpy(moved.at + kept - JOURNAL_TAG_BYTES, before->at + size -
	    JOURNAL_TAG_BYTES, JOURNAL_TAG_BYTES);
	result = text_equal(&moved, after);
	text_free(&moved);
	return (result);
}

/* What was before the rewrite is there, and no octet more than before. */
static void
check_forged(const struct text *before, const struct text *after,
    uint64_t from)
{
	HOLDS(after->length <= before->length);
	if (text_equal(before, after))
		return;
	HOLDS(from <= after->length);
	HOLDS(memcmp(before->at, after->at, (size_t)from) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int mask = fuzz_octet(&input);
	const unsigned int options = fuzz_octet(&input);
	const enum mode mode = options >> 3 & 3;
	struct text wanted = { NULL, 0, 0 }, before = { NULL, 0, 0 };
	struct text after = { NULL, 0, 0 };
	char name[JOURNAL_NAME_SIZE + 16] = "";
	struct mailbox mailbox;
	const char *wrong;
	uint64_t from = 0;
	unsigned int left;
	size_t boxed, kept;
	int lowest, refused;

	if (state == -1)
		mail_prepare(&directory, &state);
	mail_box(&mailbox, &mailbox_single_file, directory, state);
	place = mailbox.place;
	/* All of them, or none, need no journal. */
	if (mask == 0 || mask == 255)
		return (0);
	lowest = fuzz_lowest_descriptor();
	fuzz_empty(state);
	boxed = interrupt(mask, options & 7, &wanted);
	kept = wanted.length;
	left = find_journal(name, sizeof(name));
	HOLDS(left == 1);
	if ((options & 128) != 0) {
		int fd = openat(directory, MAIL_NAME, O_WRONLY | O_APPEND |
		    O_CLOEXEC);

		HOLDS(write(fd, delivery, sizeof(delivery) - 1) > 0);
		(void)close(fd);
	}
	if (mode == DAMAGED)
		damage(name, &input);
	else if (mode == CHANGED_MAILBOX)
		change_mailbox(&input);
	else if (mode == FORGED)
		from = forge(name, &input);
	else
		fuzz_file(state, name, input.at, input.left);
	fuzz_read(directory, MAIL_NAME, &before);
	/* What is behind the mailbox as it was is a delivery. */
	if (before.length > boxed)
		text_put(&wanted, before.at + boxed, before.length - boxed);
	refused = is_later(name);
	wrong = recover();
	fuzz_read(directory, MAIL_NAME, &after);
	left = find_journal(name, sizeof(name));
	if (refused)
		HOLDS(wrong != NULL && text_equal(&after, &before) &&
		    left == 1);
	else if (mode == FORGED)
		check_forged(&before, &after, from);
	else {
		HOLDS(text_equal(&after, &before) ||
		    text_equal(&after, &wanted) || (mode ==
		    CHANGED_MAILBOX && after.length == wanted.length &&
		    (is_cut(&before, &after, boxed) || ((mask & 128) == 0 &&
		    is_moved(&before, &after, boxed, kept, &wanted)))));
		HOLDS(wrong == NULL);
	}
	/* What is no journal is set aside; what was damaged may be. */
	HOLDS(mode != FOREIGN || refused || left == 0);
	HOLDS(mode != FOREIGN || text_equal(&after, &before));
	/* With nothing changed it is completed. */
	if (size == 2 && (mode == DAMAGED || mode == CHANGED_MAILBOX ||
	    mode == FORGED))
		HOLDS(text_equal(&after, &wanted) && left == 0);
	text_free(&wanted);
	text_free(&before);
	text_free(&after);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
