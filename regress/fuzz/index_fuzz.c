/*
 * index_fuzz.c - any octets as the index of a mailbox, or behind a mailbox
 * that has one.
 *
 * Test code alone.  Input: what becomes of the index; which messages to
 * delete; then what is done: see enum mode.  Whatever it is, the mailbox is
 * what is in its file.  Where the index lies, with its checksum right, that is
 * noticed no later than when a message is sent, and nothing goes that was not.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../mailstore/index_file.h"
#include "mail.h"

#define A	"From ann@example.org Sat Nov 21 23:33:00 2026\n"
#define B	"From bob@example.org Sun Nov 22 01:02:03 2026\n"
#define DATE	"21-Nov-2026 23:33:00-0800"

static const char mbox[] = A "S: 1\n\nfirst\n\n" B "S: dots\r\n\r\n.\r\n..\n"
    A "no empty line\n\n\n" A "\n" B "\n\n" A "S: 1\n\nfirst\n\n" B
    "S: last\n\n\nFrom here\n\n";
static const char mailtxt[] = DATE ",12;000000000000\nS: 1\n\nfirst\n"
    DATE ",7;000000000002\nhidden\n" DATE ",0;000000000001\r\n"
    DATE ",46;000000000000\n" A DATE ",4;000000000000\n..\r\n";

enum mode {
	DAMAGED,		/* places and bits to change */
	FORGED,			/* fields and numbers; the checksum is right */
	FOREIGN,		/* the index */
	GROWN,			/* what is written behind the mailbox */
	CHANGED,		/* places and bits of the mailbox; it grows */
	MODES
};

static int directory, state = -1;

static void
open_box(struct mailbox *mailbox, int plain)
{
	mail_box(mailbox, &mailbox_single_file, directory, plain ? -1 : state);
	mailbox->read_only = plain;
	HOLDS(mailbox->format->open(mailbox) == NULL);
	HOLDS(!mailbox->unfit && !mailbox->absent);
	mailbox->format->remember(mailbox);
}

static void
read_box(int plain, struct mail *mail)
{
	struct mailbox mailbox;
	struct text whole = { NULL, 0, 0 };

	open_box(&mailbox, plain);
	mail_read(&mailbox, 1, mail);
	mail_read_whole(&mailbox, &whole);
	mailbox.format->close(&mailbox);
	text_free(&whole);
}

/* One number in the header, or in an entry. */
static void
forge_one(struct index_file *file, struct input *input)
{
	struct index_header *header = index_file_header(file);
	const unsigned int which = fuzz_octet(input);
	struct index_entry *entry = index_file_entries(file) + which / 16 % 8;
	const uint64_t value = fuzz_number(input);

	switch (which % 16) {
	case 0:
		header->shown = value;
		break;
	case 1:
		header->hidden = value;
		break;
	case 2:
		header->whole_octets += value;
		break;
	case 3:
		header->shown += value;
		header->hidden -= value;
		break;
	case 4:
		header->flags ^= value;
		break;
	case 5:
	case 6:
		entry->shape = value;
		break;
	case 7:
		entry->shape ^= value;
		break;
	case 8:
	case 9:
		entry->shape += value << 16;
		(entry + (which % 2 == 0 ? 1 : 0))->shape -= value << 16;
		break;
	case 10:
		entry->more += (uint32_t)value;
		break;
	case 11:
		entry->dots += (uint32_t)value;
		break;
	case 12:
		entry->digest[value % sizeof(entry->digest)] ^= 1;
		break;
	case 13:
		/* The next one is part of this one. */
		entry->shape += (entry + 1)->shape >> 16 << 16;
		entry->more += (entry + 1)->more + (uint32_t)value % 8;
		memmove(entry + 1, entry + 2, 8 * sizeof(*entry));
		header->shown--;
		break;
	case 14:
		header->head_key[value % sizeof(header->head_key)] ^= 1;
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
	    file.length > sizeof(struct index_header))
		forge_one(&file, input);
	if (mode == FORGED && file.length >= sizeof(struct index_header))
		index_file_sign(&file);
	index_file_write(place, &file);
	index_file_free(&file);
}

/* Sends it; what comes is what is in the file there. */
static int
send_one(struct mailbox *mailbox, uint32_t number_of, const struct text *box)
{
	const struct single_file *single = mailbox->state;
	const struct single_message *message =
	    &single->shown.messages[number_of - 1];
	struct text sent = { NULL, 0, 0 }, wanted = { NULL, 0, 0 };
	const int good = mail_try(mailbox, number_of, &sent);

	if (good) {
		HOLDS(message->offset + message->stored <= box->length);
		text_put_wire(&wanted, box->at + message->offset +
		    message->head_bytes, message->stored -
		    message->head_bytes - message->blank_bytes);
		HOLDS(text_equal(&sent, &wanted));
	}
	text_free(&sent);
	text_free(&wanted);
	return (good);
}

/* What is deleted is what was sent, and nothing else goes. */
static void
delete_sent(struct mailbox *mailbox, unsigned int mask,
    const struct mailbox_place *place)
{
	struct text box = { NULL, 0, 0 }, now = { NULL, 0, 0 };
	struct text wanted = { NULL, 0, 0 };
	const struct single_file *single = mailbox->state;
	const struct single_message *message;
	uint32_t number_of, deleted, marked = 0;
	size_t from = 0;
	int good = 1;

	fuzz_read(directory, MAIL_NAME, &box);
	for (number_of = 1; number_of <= mailbox->messages; number_of++) {
		if (!send_one(mailbox, number_of, &box)) {
			good = 0;
			HOLDS(!index_file_is_there(place));
		} else if (mail_is_marked(mask, number_of)) {
			HOLDS(mailbox->format->mark(mailbox, number_of) == 0);
			message = &single->shown.messages[number_of - 1];
			text_put(&wanted, box.at + from,
			    message->offset - from);
			from = message->offset + message->stored;
			marked++;
		}
	}
	text_put(&wanted, box.at + from, box.length - from);
	if (mailbox->format->commit(mailbox, &deleted) != NULL) {
		wanted.length = 0;
		text_put(&wanted, box.at, box.length);
		good = 0;
	} else
		HOLDS(deleted == marked || deleted == 0);
	HOLDS(good || !index_file_is_there(place));
	fuzz_read(directory, MAIL_NAME, &now);
	HOLDS(text_equal(&now, deleted == 0 ? &box : &wanted));
	text_free(&box);
	text_free(&now);
	text_free(&wanted);
}

static void
make_box(int is_mailtxt)
{
	struct mailbox mailbox;
	struct mail mail;

	fuzz_empty(state);
	(void)unlinkat(directory, MAIL_NAME, 0);
	fuzz_file(directory, MAIL_NAME, is_mailtxt ? mailtxt : mbox,
	    is_mailtxt ? sizeof(mailtxt) - 1 : sizeof(mbox) - 1);
	open_box(&mailbox, 0);
	mail_read(&mailbox, 0, &mail);
	HOLDS(index_file_is_there(&mailbox.place));
	mailbox.format->close(&mailbox);
	mail_free(&mail);
}

static void
change_box(enum mode mode, struct input *input)
{
	const unsigned int few = mode == CHANGED ? fuzz_octet(input) : 0;
	struct input changes = fuzz_part(input, few % 4 * 3);
	struct text box = { NULL, 0, 0 };

	fuzz_read(directory, MAIL_NAME, &box);
	fuzz_change(box.at, box.length, &changes);
	text_put(&box, input->at, input->left);
	if (mode == CHANGED)
		text_put(&box, "\n", 1);
	fuzz_file(directory, MAIL_NAME, box.at, box.length);
	text_free(&box);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int options = fuzz_octet(&input);
	const unsigned int mask = fuzz_octet(&input);
	const enum mode mode = options % 8 % MODES;
	struct mailbox mailbox;
	struct index_names names;
	int lowest;

	if (state == -1)
		mail_prepare(&directory, &state);
	lowest = fuzz_lowest_descriptor();
	fuzz_indexes = 1;
	make_box((options & 8) != 0);
	mail_box(&mailbox, &mailbox_single_file, directory, state);
	HOLDS(index_find(&mailbox.place, &names) == 0);
	if (mode == GROWN || mode == CHANGED)
		change_box(mode, &input);
	else if (mode == FOREIGN)
		fuzz_file(state, names.name, input.at, input.left);
	else
		forge(&mailbox.place, mode, &input);
	if (mode == DAMAGED || mode == FOREIGN || mode == GROWN)
		mail_index_tells_truth(read_box);
	open_box(&mailbox, 0);
	if ((options & 16) != 0)
		HOLDS(mail_try_all(&mailbox) ||
		    !index_file_is_there(&mailbox.place));
	else
		delete_sent(&mailbox, mask, &mailbox.place);
	mailbox.format->close(&mailbox);
	/* One that was not found out yet lies still. */
	if (mode == FORGED || mode == CHANGED)
		(void)unlinkat(state, names.name, 0);
	mail_index_tells_truth(read_box);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
