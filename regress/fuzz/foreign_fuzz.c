/*
 * foreign_fuzz.c - any octets as what another server has left of its ids.
 *
 * Test code alone.  Input: how the ids are to be read, and which messages to
 * delete; then an mbox, whose header lines tell of ids, or, where Dovecot's
 * Maildirs are meant, a file dovecot-uidlist.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail.h"
#include "maildrop.h"

static const struct {
	const struct mailbox_format *format;
	enum uid_kind kind;
} ways[] = {
	{ &mailbox_maildir, UID_DOVECOT },
	{ &mailbox_single_file, UID_DOVECOT },
	{ &mailbox_single_file, UID_UW },
	{ &mailbox_single_file, UID_POPA3D },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

/* Files of the Maildir; a list may name them. */
static const char *const names[] = { "100.a", "101.b:2,S", "102.c" };

static int boxes, maildirs, state = -1;

static void
prepare(void)
{
	static const char *const parts[] = { "", "/cur", "/new", "/tmp" };
	char path[40];
	size_t i;

	mail_prepare(&boxes, &state);
	maildirs = fuzz_directory();
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), MAIL_NAME "%s", parts[i]);
		HOLDS(mkdirat(maildirs, path, 0700) == 0);
	}
}

/* Some of these go; none is written again where it is. */
static void
make_maildir(struct input list)
{
	char path[40];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), MAIL_NAME "/cur/%s",
		    names[i]);
		if (faccessat(maildirs, path, F_OK, 0) == -1)
			fuzz_file(maildirs, path, "S: x\n\nx\n", 8);
	}
	fuzz_file(maildirs, MAIL_NAME "/dovecot-uidlist", list.at, list.left);
}

/* True when it is open: not all octets are an mbox. */
static int
open_box(size_t way, struct mailbox *mailbox)
{
	mail_box(mailbox, ways[way].format, ways[way].format ==
	    &mailbox_maildir ? maildirs : boxes, state);
	return (mailbox->format->open(mailbox) == NULL);
}

/* Every message has an id of the right form, and no other message has it. */
static void
read_ids(size_t way)
{
	char (*ids)[UID_SIZE];
	struct mailbox mailbox;
	uint64_t i, j;
	size_t at;

	if (!open_box(way, &mailbox))
		return;
	HOLDS((ids = calloc((size_t)mailbox.messages + 1, UID_SIZE)) != NULL);
	HOLDS(maildrop_begin(&mailbox, ways[way].kind) == NULL);
	for (i = 0; i < mailbox.messages; i++) {
		HOLDS(maildrop_uid(i + 1, ids[i]) == NULL);
		for (at = 0; ids[i][at] != '\0'; at++)
			HOLDS(isgraph((unsigned char)ids[i][at]));
		HOLDS(at <= 70);
		for (j = 0; j < i && at > 0; j++)
			HOLDS(strcmp(ids[i], ids[j]) != 0);
	}
	maildrop_end();
	mailbox.format->close(&mailbox);
	free(ids);
}

/* As it is done by POP3: the first may be the one that tells of all. */
static void
delete(size_t way, unsigned int mask)
{
	struct mailbox mailbox;
	uint32_t deleted;
	uint64_t i;

	if (!open_box(way, &mailbox))
		return;
	HOLDS(maildrop_begin(&mailbox, ways[way].kind) == NULL);
	for (i = 1; i <= mailbox.messages; i++)
		if (mail_is_marked(mask, (uint32_t)i))
			HOLDS(maildrop_mark(i) == NULL);
	HOLDS(maildrop_give_marks() == NULL);
	HOLDS(mailbox.format->commit(&mailbox, &deleted) == NULL);
	maildrop_committed(deleted);
	maildrop_end();
	mailbox.format->close(&mailbox);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const size_t way = fuzz_octet(&input) % WAYS;
	const unsigned int mask = fuzz_octet(&input);
	int lowest;

	if (state == -1)
		prepare();
	lowest = fuzz_lowest_descriptor();
	(void)unlinkat(state, "uid-base", 0);
	if (ways[way].format == &mailbox_maildir)
		make_maildir(input);
	else
		fuzz_file(boxes, MAIL_NAME, input.at, input.left);
	read_ids(way);
	delete(way, mask);
	read_ids(way);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
