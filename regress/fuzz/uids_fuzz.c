/*
 * uids_fuzz.c - any octets as the files of a user's state directory that tell
 * equal messages apart, and when the last login was.
 *
 * Test code alone.  Input: which messages to delete, and what the time of the
 * last login is; then the file `uids`, in which the octets 1 to 4 stand for
 * the digests of the messages in the mailbox.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "login_delay.h"
#include "mail.h"

#define HEAD	"From a@example.org Sat Nov 21 23:33:00 2026\n\n"
#define DIGEST	32		/* hexadecimal digits */

/* Four different messages, three of them more than once. */
static const char box[] = HEAD "one\n\n" HEAD "two\n\n" HEAD "one\n\n"
    HEAD "three\n\n" HEAD "one\n\n" HEAD "two\n\n" HEAD "four\n\n"
    HEAD "three\n\n";
static const int firsts[] = { 0, 1, 3, 6 };

static int directory, state = -1;
static char digests[4][DIGEST + 1];

static void
open_box(struct mailbox *mailbox)
{
	mail_box(mailbox, &mailbox_single_file, directory, state);
	HOLDS(mailbox->format->open(mailbox) == NULL);
	HOLDS(mailbox->messages <= 8);
}

/* The ids of those messages that come first are their digests. */
static void
prepare(void)
{
	struct mailbox mailbox;
	struct mail mail;
	int i;

	mail_prepare(&directory, &state);
	fuzz_file(directory, MAIL_NAME, box, sizeof(box) - 1);
	open_box(&mailbox);
	mail_read(&mailbox, 0, &mail);
	HOLDS(mail.count == 8);
	for (i = 0; i < 4; i++) {
		HOLDS(strlen(mail.uids[firsts[i]]) == DIGEST);
		memcpy(digests[i], mail.uids[firsts[i]], DIGEST);
	}
	mailbox.format->close(&mailbox);
	mail_free(&mail);
}

static void
make_file(struct input input)
{
	struct text file = { NULL, 0, 0 };

	for (; input.left > 0; input.at++, input.left--)
		if (*input.at >= 1 && *input.at <= 4)
			text_put(&file, digests[*input.at - 1], DIGEST);
		else
			text_put(&file, input.at, 1);
	fuzz_file(state, "uids", file.at, file.length);
	text_free(&file);
}

/* So long ago, or so long to come, in hundreds of seconds. */
static void
check_login_delay(int hundreds)
{
	const struct timespec now = { time(NULL), 0 };
	struct timespec times[2] = { now, now };
	uint32_t seconds;

	(void)unlinkat(state, "pop3-login", 0);
	HOLDS(login_delay_is_over(state, 100));
	login_delay_begins(state, 0);
	HOLDS(login_delay_is_over(state, 100));
	login_delay_begins(state, 1);
	HOLDS(!login_delay_is_over(state, 100));
	times[1].tv_sec -= hundreds * 100;
	HOLDS(utimensat(state, "pop3-login", times, 0) == 0);
	HOLDS(login_delay_is_over(state, 0));
	for (seconds = 50; seconds < 1000; seconds += 100)
		HOLDS(login_delay_is_over(state, seconds) ==
		    (hundreds < 0 || hundreds * 100 >= (int)seconds));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int mask = fuzz_octet(&input);
	const int hundreds = (int)(fuzz_octet(&input) % 16) - 4;
	struct mailbox mailbox;
	struct mail before, again, after;
	uint32_t marked;
	int lowest;

	if (state == -1)
		prepare();
	lowest = fuzz_lowest_descriptor();
	fuzz_file(directory, MAIL_NAME, box, sizeof(box) - 1);
	make_file(input);
	open_box(&mailbox);
	mail_read(&mailbox, 0, &before);
	mail_read(&mailbox, 0, &again);
	HOLDS(mail_equal(&before, &again));
	marked = mail_mark(&mailbox, mask);
	HOLDS(mail_commit(&mailbox) == marked);
	open_box(&mailbox);
	mail_read(&mailbox, 0, &after);
	mail_check_kept(&before, mask, &after);
	mailbox.format->close(&mailbox);
	mail_free(&before);
	mail_free(&again);
	mail_free(&after);
	check_login_delay(hundreds);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
