/*
 * file_index_fuzz.c - an index of files that are messages, whoever wrote it.
 *
 * Test code alone.  Input: how, and which messages to delete; then what makes
 * the index another one, or the files.
 *
 * An index that is damaged or another's, and files that were changed under
 * it, must not be seen in what a client gets.  A forged one, its checksum
 * right, may tell anything: then no octet is sent that was not announced, what
 * is sent is in the file, what goes was sent, and what is found out takes the
 * index along.
 */
#include <sys/stat.h>

#include <fcntl.h>

#include "../mailstore/index_file.h"
#include "files.h"

enum mode { DAMAGED, FOREIGN, FORGED, CHANGED, MODES };

#define FILES	5

static const char *const texts[FILES] = {
	"Subject: one\n\nfirst\n",
	"Subject: two\n\n.\n..dots\nFrom here\n",
	"no line end",
	"CRLF\r\n\r\n.\r\nbare\r\n\n",
	"",
};

static int directory, state = -1;

static const char *
name_of(size_t i)
{
	static char name[16];

	(void)snprintf(name, sizeof(name), MAIL_NAME "/%zu", i + 1);
	return (name);
}

/* Long ago: a commit does not wait for it then. */
static void
put(size_t i, const void *octets, size_t length, time_t seconds)
{
	const struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };

	fuzz_file(directory, name_of(i), octets, length);
	HOLDS(utimensat(directory, name_of(i), times, 0) == 0);
}

static void
open_box(struct mailbox *mailbox, int plain)
{
	mail_box(mailbox, &mailbox_mh, directory, plain ? -1 : state);
	mailbox->measure_all = 1;
	HOLDS(mailbox->format->open(mailbox) == NULL);
}

static void
read_box(int plain, struct mail *mail)
{
	struct mailbox mailbox;
	struct text whole = { NULL, 0, 0 };

	open_box(&mailbox, plain);
	mail_read(&mailbox, 1, mail);
	mail_read_whole(&mailbox, &whole);
	mail_check_mboxrd(&whole, mail);
	text_free(&whole);
	mailbox.format->close(&mailbox);
}

static void
forge_one(struct index_file *file, struct input *input)
{
	struct file_index_header *header = index_files_header(file);
	const unsigned int which = fuzz_octet(input);
	struct file_index_entry *entry = index_files_entries(file) +
	    which / 16 % FILES;
	const uint64_t value = fuzz_number(input);

	switch (which % 16) {
	case 0:
		header->entries = value;
		break;
	case 1:
		entry->device ^= value;
		break;
	case 2:
		entry->octets = value;
		break;
	case 3:
		entry->octets += value;
		break;
	case 4:
		entry->dots = value;
		break;
	case 5:
		entry->dots += value;
		break;
	case 6:
		entry->whole_octets = value;
		break;
	case 7:
		entry->whole_octets += value;
		break;
	case 8:
		entry->size += value;
		break;
	case 9:
		entry->uid[value % sizeof(entry->uid)] ^= 1;
		break;
	case 10:
		*entry = index_files_entries(file)[value % FILES];
		break;
	case 11:
		entry->inode += value;
		break;
	default:
		file->length -= value % (file->length / 2);
		break;
	}
}

static void
forge(const struct mailbox_place *place, enum mode mode, struct input *input)
{
	struct index_file file;

	HOLDS(index_file_read(place, &file) == 0);
	if (mode == DAMAGED)
		fuzz_change(file.bytes, file.length, input);
	while (mode == FORGED && input->left > 0 &&
	    file.length > sizeof(struct file_index_header))
		forge_one(&file, input);
	if (mode == FORGED && file.length >= sizeof(struct file_index_header))
		index_files_sign(&file);
	index_file_write(place, &file);
	index_file_free(&file);
}

/* Sends it; what comes is what is in its file. */
static int
send_one(struct mailbox *mailbox, uint32_t number_of)
{
	struct text sent = { NULL, 0, 0 }, is = { NULL, 0, 0 };
	struct text wanted = { NULL, 0, 0 };
	const int good = mail_try(mailbox, number_of, &sent);

	if (good) {
		fuzz_read(directory, name_of(number_of - 1), &is);
		if (is.length == 0)
			text_put(&is, "\n", 1);
		text_put_wire(&wanted, is.at, is.length);
		HOLDS(text_equal(&sent, &wanted));
	}
	text_free(&sent);
	text_free(&is);
	text_free(&wanted);
	return (good);
}

/* As POP2 reads and deletes: what fails takes the index along. */
static int
delete_sent(struct mailbox *mailbox, unsigned int mask,
    const struct mailbox_place *place)
{
	uint32_t number_of, deleted = 0, marked = 0;
	struct stat status;
	int good = 1;

	HOLDS(mailbox->messages == FILES);
	for (number_of = 1; number_of <= FILES; number_of++) {
		if (!send_one(mailbox, number_of)) {
			good = 0;
			HOLDS(!index_file_is_there(place));
			HOLDS(mailbox->format->mark(mailbox, number_of) == -1);
		} else if (mail_is_marked(mask, number_of)) {
			HOLDS(mailbox->format->mark(mailbox, number_of) == 0);
			marked |= 1U << number_of;
		}
	}
	HOLDS(mailbox->format->commit(mailbox, &deleted) == NULL);
	for (number_of = 1; number_of <= FILES; number_of++)
		HOLDS((fstatat(directory, name_of(number_of - 1), &status,
		    AT_SYMLINK_NOFOLLOW) == -1) ==
		    ((marked >> number_of & 1) != 0));
	return (good);
}

static void
make_box(const struct mailbox_place *place)
{
	struct mail mail;
	size_t i;

	fuzz_empty(state);
	fuzz_empty(directory);
	HOLDS(mkdirat(directory, MAIL_NAME, 0700) == 0);
	for (i = 0; i < FILES; i++)
		put(i, texts[i], strlen(texts[i]), 1000000000);
	read_box(0, &mail);
	HOLDS(index_file_is_there(place));
	mail_free(&mail);
}

static void
change_files(struct input *input)
{
	struct text text = { NULL, 0, 0 };
	const unsigned int which = fuzz_octet(input);
	const size_t i = which % FILES;

	if (which >= 192)
		(void)unlinkat(directory, name_of(i), 0);
	if (which < 128)
		fuzz_read(directory, name_of(i), &text);
	text_put(&text, input->at, input->left);
	put(i, text.at, text.length, 1000000001);
	text_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int options = fuzz_octet(&input);
	const unsigned int mask = fuzz_octet(&input);
	const enum mode mode = options % MODES;
	struct mailbox mailbox;
	struct index_names names;
	int lowest, good;

	if (state == -1)
		mail_prepare(&directory, &state);
	lowest = fuzz_lowest_descriptor();
	fuzz_indexes = 1;
	mail_box(&mailbox, &mailbox_mh, directory, state);
	make_box(&mailbox.place);
	HOLDS(index_find(&mailbox.place, &names) == 0);
	if (mode == CHANGED)
		change_files(&input);
	else if (mode == FOREIGN)
		fuzz_file(state, names.name, input.at, input.left);
	else
		forge(&mailbox.place, mode, &input);
	if (mode != FORGED)
		mail_index_tells_truth(read_box);
	open_box(&mailbox, 0);
	good = (options & 16) != 0 ? mail_try_all(&mailbox) :
	    delete_sent(&mailbox, mask, &mailbox.place);
	mailbox.format->close(&mailbox);
	HOLDS(good || !index_file_is_there(&mailbox.place));
	/* One that was not found out yet lies still. */
	if (mode == FORGED)
		(void)unlinkat(state, names.name, 0);
	mail_index_tells_truth(read_box);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
