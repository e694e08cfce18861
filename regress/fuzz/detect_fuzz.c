/*
 * detect_fuzz.c - what a mailbox is, by what is there.
 *
 * Test code alone.  Input: what the name leads to; then, for a directory,
 * what is in it (each an octet of its kind, a name, a line feed); for a file
 * its content.
 */
#include <sys/param.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "detect.h"
#include "mail.h"
#include "mailtxt.h"
#include "single_file.h"

enum kind { A_FILE, A_DIRECTORY, A_LINK, A_FIFO, KINDS };

static int directory = -1, state;

/* What directory_format must come to. */
struct seen {
	int has_number, has_sequences, maildir;	/* a bit for each of three */
};

static int
make(int at, const char *name, enum kind kind)
{
	int fd;

	switch (kind) {
	case A_FILE:
		fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
		if (fd != -1)
			(void)close(fd);
		return (fd == -1 ? -1 : 0);
	case A_DIRECTORY:
		return (mkdirat(at, name, 0700));
	case A_LINK:
		return (symlinkat("/etc/passwd", at, name));
	default:
		return (mkfifoat(at, name, 0600));
	}
}

/* Digits, no leading zero, up to the largest int. */
static int
is_number(const char *name)
{
	return (name[0] >= '1' && name[0] <= '9' && strlen(name) <= 10 &&
	    name[strspn(name, "0123456789")] == '\0' &&
	    strtoll(name, NULL, 10) <= 2147483647);
}

static void
make_entry(int box, struct input line, struct seen *seen)
{
	static const char *const parts[] = { "cur", "new", "tmp" };
	const enum kind kind = fuzz_octet(&line) % KINDS;
	char *name = fuzz_string(line);
	int i;

	if (name[0] != '\0' && strlen(name) <= 255 &&
	    strchr(name, '/') == NULL && make(box, name, kind) == 0) {
		seen->has_number |= kind == A_FILE && is_number(name);
		seen->has_sequences |= kind == A_FILE &&
		    strcmp(name, ".mh_sequences") == 0;
		for (i = 0; i < 3; i++)
			if (kind == A_DIRECTORY && strcmp(name, parts[i]) == 0)
				seen->maildir |= 1 << i;
	}
	free(name);
}

static void
make_directory(struct input *input, struct seen *seen)
{
	int box;

	HOLDS(mkdirat(directory, MAIL_NAME, 0700) == 0);
	box = openat(directory, MAIL_NAME, O_RDONLY | O_CLOEXEC);
	HOLDS(box != -1);
	while (input->left > 0)
		make_entry(box, fuzz_until(input, '\n'), seen);
	(void)close(box);
}

static void
check_directory(struct mailbox *mailbox, const struct seen *seen)
{
	const char *wrong = detect_format(mailbox);
	const int is_maildir = seen->maildir == 7;

	HOLDS((wrong != NULL) == (is_maildir && seen->has_number));
	HOLDS((wrong != NULL) == (mailbox->unfit != 0));
	if (wrong != NULL)
		return;
	HOLDS(mailbox->format == (is_maildir ? &mailbox_maildir :
	    seen->has_number || seen->has_sequences ? &mailbox_mh : NULL));
	if (mailbox->format == NULL)
		return;
	HOLDS(mailbox->format->open(mailbox) == NULL);
	mailbox->format->close(mailbox);
}

/* Of a file the content alone tells: whatever it is, it is one or the other. */
static void
check_file(struct mailbox *mailbox, struct input content)
{
	const struct single_file *single;

	fuzz_file(directory, MAIL_NAME, content.at, content.left);
	HOLDS(detect_format(mailbox) == NULL);
	HOLDS(mailbox->format == &mailbox_single_file);
	HOLDS(mailbox->format->open(mailbox) == NULL);
	single = mailbox->state;
	HOLDS((single->format == &single_mailtxt) == (content.left > 0 &&
	    mailtxt_resembles(content.at, MIN(content.left,
	    MAILTXT_HEADER_MAX))));
	if (content.left >= 5 && memcmp(content.at, "From ", 5) == 0)
		HOLDS(single->format == &single_mbox);
	/* What has a message of one is not the other. */
	HOLDS(single->shown.count + single->hidden.count == 0 ||
	    single->format == &single_mailtxt ||
	    memmem(content.at, content.left, "From ", 5) != NULL);
	mailbox->format->close(mailbox);
}

/* A link or a FIFO is found unfit, and not waited for. */
static void
check_other(struct mailbox *mailbox, enum kind kind)
{
	HOLDS(make(directory, MAIL_NAME, kind) == 0);
	HOLDS(detect_format(mailbox) == NULL);
	HOLDS(mailbox->format == &mailbox_single_file);
	HOLDS(mailbox->format->open(mailbox) != NULL && mailbox->unfit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const enum kind kind = fuzz_octet(&input) % KINDS;
	struct seen seen = { 0, 0, 0 };
	struct mailbox mailbox;
	int lowest;

	if (directory == -1)
		mail_prepare(&directory, &state);
	lowest = fuzz_lowest_descriptor();
	fuzz_empty(directory);
	mail_box(&mailbox, NULL, directory, state);
	if (kind == A_DIRECTORY) {
		make_directory(&input, &seen);
		check_directory(&mailbox, &seen);
	} else if (kind == A_FILE)
		check_file(&mailbox, input);
	else
		check_other(&mailbox, kind);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
