/*
 * mbox_fuzz.c - any octets as an mbox: read, sent, and deleted from.
 *
 * Test code alone.  Input: which messages to delete, how much a read gives at
 * a time, lines of TOP and what is delivered meanwhile; then the file.
 */
#include <sys/param.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail.h"
#include "mailtxt.h"
#include "rewrite.h"
#include "single_file.h"

#undef ATF_REQUIRE
#define ATF_REQUIRE(condition)	HOLDS(condition)
#include "../mailstore/splitter.h"

static const char delivery[] =
    "From late@example.org Sun Nov 22 10:00:00 2026\n\nmeanwhile\n\n";

static int directory, state = -1;

static void
open_box(struct mailbox *mailbox)
{
	mail_box(mailbox, &mailbox_single_file, directory, state);
	HOLDS(mailbox->format->open(mailbox) == NULL);
	HOLDS(!mailbox->unfit && !mailbox->absent);
}

/* Every octet of the file is one message's, or before the first. */
static void
check_places(const struct mailbox *mailbox, const struct split *split)
{
	const struct single_file *single = mailbox->state;
	const struct single_message *message = single->shown.messages;
	size_t i;

	HOLDS(single->format == &single_mbox);
	HOLDS(!single->damaged && single->hidden.count == 0);
	HOLDS(single->shown.count == split->count);
	for (i = 0; i < split->count; i++) {
		HOLDS(message[i].offset == split->messages[i].offset);
		HOLDS(message[i].offset + message[i].stored ==
		    (i + 1 < split->count ? message[i + 1].offset :
		    split->length));
	}
}

static void
check_content(const struct mail *mail, const struct split *split)
{
	uint32_t i;

	HOLDS(mail->count == split->count);
	for (i = 0; i < mail->count; i++)
		HOLDS(mail->messages[i].length == split->messages[i].octets &&
		    memcmp(mail->messages[i].at, split->messages[i].form,
		    split->messages[i].octets) == 0);
}

static void
read_box(struct mailbox *mailbox, size_t piece, const struct split *split,
    uint64_t lines, struct mail *mail)
{
	struct text whole = { NULL, 0, 0 };

	fuzz_piece = piece;
	open_box(mailbox);
	check_places(mailbox, split);
	mail_read(mailbox, lines, mail);
	check_content(mail, split);
	mail_read_whole(mailbox, &whole);
	HOLDS(whole.length == split->whole_octets && (whole.length == 0 ||
	    memcmp(whole.at, split->whole, whole.length) == 0));
	text_free(&whole);
}

/* The file has lost the marked messages, and nothing else. */
static void
check_file(const struct split *split, unsigned int mask, int delivered)
{
	unsigned char *deleted = calloc(split->count + 1, 1);
	struct text file = { NULL, 0, 0 }, wanted = { NULL, 0, 0 };
	size_t length, i;
	char *without;

	HOLDS(deleted != NULL);
	for (i = 0; i < split->count; i++)
		deleted[i] = mail_is_marked(mask, (uint32_t)i + 1) != 0;
	without = split_without(split, deleted, &length);
	text_put(&wanted, without, length);
	if (delivered)
		text_put(&wanted, delivery, sizeof(delivery) - 1);
	fuzz_read(directory, MAIL_NAME, &file);
	HOLDS(text_equal(&file, &wanted));
	text_free(&file);
	text_free(&wanted);
	free(without);
	free(deleted);
}

static void
deliver(void)
{
	int fd = openat(directory, MAIL_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);

	HOLDS(fd != -1);
	HOLDS(write(fd, delivery, sizeof(delivery) - 1) ==
	    (ssize_t)sizeof(delivery) - 1);
	(void)close(fd);
}

static void
delete_from(struct mailbox *mailbox, const struct split *split,
    const struct mail *before, unsigned int mask)
{
	/* Behind a last line without an end it would be no message. */
	const int delivers = (mask & 1) != 0 && split->length > 0 &&
	    split->bytes[split->length - 1] == '\n';
	const uint32_t marked = mail_mark(mailbox, mask);
	struct mail after;

	if (delivers)
		deliver();
	HOLDS(mail_commit(mailbox) == marked);
	HOLDS(!rewrite_interrupted(&mailbox->place));
	check_file(split, mask, delivers);
	if (delivers || marked == 0)
		return;
	open_box(mailbox);
	mail_read(mailbox, 0, &after);
	mail_check_kept(before, mask, &after);
	mailbox->format->close(mailbox);
	mail_free(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int mask = fuzz_octet(&input);
	size_t piece = 1 + fuzz_octet(&input) % 97;
	const uint64_t lines = fuzz_octet(&input) % 8;
	struct mail mail, again;
	struct text file = { NULL, 0, 0 };
	struct mailbox mailbox;
	struct split split;
	int lowest;

	if (state == -1)
		mail_prepare(&directory, &state);
	lowest = fuzz_lowest_descriptor();
	text_put_stretched(&file, input);
	if (file.length > RELAY_BYTES / 2)
		piece *= 500;
	/* What looks like a MAIL.TXT is not what is asked about here. */
	fuzz_file(directory, MAIL_NAME, file.at, file.length);
	split_begin(&split, file.length == 0 ? "" : (char *)file.at,
	    file.length);
	if (file.length == 0 || !mailtxt_resembles(file.at,
	    MIN(file.length, MAILTXT_HEADER_MAX))) {
		(void)unlinkat(state, "uids", 0);
		read_box(&mailbox, 0, &split, lines, &mail);
		mailbox.format->close(&mailbox);
		read_box(&mailbox, piece, &split, lines, &again);
		HOLDS(mail_equal(&mail, &again));
		fuzz_piece = 0;
		delete_from(&mailbox, &split, &mail, mask);
		mail_free(&mail);
		mail_free(&again);
	}
	split_end(&split);
	text_free(&file);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
