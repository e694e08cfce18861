/*
 * uids.c - the unique ids of all messages of a mailbox.
 *
 * Linked into postern-store; runs as the user.
 *
 * Two messages can be equal to the last octet.  The first of them has the
 * ordinal 1, the next one 2, and when the first is deleted the other must
 * keep its 2: that is what the file `uids` is for, and it holds nothing else.
 * It is written before the commit, and again behind it.  Each of its lines,
 * all of one length, is one of several equal messages, in the mailbox's
 * order: digest, ordinal, and whether it stays ("+") or goes ("-").  Should
 * the commit not come, those that go are still there to be counted.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "log.h"
#include "seal.h"
#include "uid.h"

#define NAME		"uids"
#define NEW_NAME	"uids.new"
#define LINE_FORMAT	"%s %010u %c\n"
#define LINE_LENGTH	46
#define ORDINAL_DIGITS	10

/* With room for those that messages of now may be given behind it. */
#define ORDINAL_MAX	(UINT32_MAX - MESSAGES_MAX)

struct entry {
	unsigned char digest[UID_DIGEST_BYTES];
	uint32_t place;		/* its message's number, or its line */
	uint32_t ordinal;	/* among equal ones; 0: not read */
	unsigned char goes;	/* it is marked; or the line says so */
	unsigned char named;	/* its label alone is its id */
	unsigned char mixed;	/* equal ones go, and equal ones stay */
};

_Static_assert(UID_DIGEST_BYTES == SEAL_BYTES, "a digest has room for a seal");

/* By message; and the same in the order of their digests. */
static struct entry *entries, **sorted;
static size_t count;
static int state = -1;		/* the user's state directory */
static int was_written;		/* the file has a commit to come */

void
uids_end(void)
{
	free(entries);
	free(sorted);
	entries = NULL;
	sorted = NULL;
	count = 0;
	was_written = 0;
}

int
uids_known(void)
{
	return (entries != NULL);
}

static int
compare(const struct entry *one, const struct entry *other)
{
	const int order = memcmp(one->digest, other->digest,
	    sizeof(one->digest));

	return (order != 0 ? order : one->place < other->place ? -1 :
	    one->place > other->place);
}

static int
compare_pointers(const void *one, const void *other)
{
	return (compare(*(struct entry *const *)one,
	    *(struct entry *const *)other));
}

static int
compare_entries(const void *one, const void *other)
{
	return (compare(one, other));
}

/* glibc's qsort(3) asks for the machine's memory: the sandbox forbids it. */
static void
sort(void *base, size_t members, size_t size,
    int (*order)(const void *, const void *))
{
	if (members > 1)
		(void)heapsort(base, members, size, order);
}

static int
are_equal(const struct entry *one, const struct entry *other)
{
	return (memcmp(one->digest, other->digest, sizeof(one->digest)) == 0);
}

static const char *
read_message(struct mailbox *mailbox, uint64_t number, struct entry *entry)
{
	const struct mailbox_format *format = mailbox->format;
	char label[UID_LABEL_SIZE];
	const char *wrong;
	int kind;

	if (format->known_uid != NULL &&
	    format->known_uid(mailbox, number, entry->digest))
		return (NULL);
	kind = format->label(mailbox, number, label, sizeof(label));
	entry->named = kind == LABEL_UNIQUE;
	if (entry->named)
		return (crypto_generichash(entry->digest,
		    sizeof(entry->digest), (const unsigned char *)label,
		    strlen(label), NULL, 0) == 0 ? NULL : "no hash");
	if (kind == -1)
		return ("the mailbox was changed by another program");
	wrong = uid_content(mailbox, number, label, entry->digest);
	if (wrong == NULL && format->keep_uid != NULL)
		format->keep_uid(mailbox, number, entry->digest);
	return (wrong);
}

/* The file's line at `text`; -1 where it is none. */
static int
parse_line(const char *text, struct entry *entry)
{
	const char *ordinal = text + 2 * sizeof(entry->digest) + 1;
	const char *end = ordinal + ORDINAL_DIGITS;
	unsigned long long value;
	size_t length;

	if (sodium_hex2bin(entry->digest, sizeof(entry->digest), text,
	    2 * sizeof(entry->digest), NULL, &length, NULL) == -1 ||
	    length != sizeof(entry->digest) || ordinal[-1] != ' ' ||
	    strspn(ordinal, "0123456789") != ORDINAL_DIGITS ||
	    end[0] != ' ' || (end[1] != '-' && end[1] != '+') ||
	    end[2] != '\n')
		return (-1);
	value = strtoull(ordinal, NULL, 10);
	entry->ordinal = (uint32_t)value;
	entry->goes = end[1] == '-';
	return (value >= 1 && value <= ORDINAL_MAX ? 0 : -1);
}

/* Of equal messages each has an ordinal of its own, and they rise. */
static int
ordinals_rise(const struct entry *lines, size_t line_count)
{
	size_t i;

	for (i = 1; i < line_count; i++)
		if (are_equal(&lines[i - 1], &lines[i]) &&
		    lines[i - 1].ordinal >= lines[i].ordinal)
			return (0);
	return (1);
}

/* Reads the file's lines; returns how many, 0 where it is not fit. */
static size_t
read_file(struct entry **lines)
{
	struct stat status;
	char text[LINE_LENGTH + 1] = "";
	size_t i, all = 0;
	int fd = openat(state, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);

	*lines = NULL;
	if (fd == -1)
		return (0);
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size > 0 && status.st_size % LINE_LENGTH == 0 &&
	    status.st_size / LINE_LENGTH <= MESSAGES_MAX)
		all = (size_t)(status.st_size / LINE_LENGTH);
	if (all > 0 && (*lines = calloc(all, sizeof(**lines))) == NULL)
		all = 0;
	for (i = 0; i < all; i++) {
		(*lines)[i].place = (uint32_t)i;
		if (disk_read(fd, text, LINE_LENGTH,
		    (uint64_t)i * LINE_LENGTH) == -1 ||
		    parse_line(text, &(*lines)[i]) == -1)
			all = 0;
	}
	(void)close(fd);
	if (all > 0)
		sort(*lines, all, sizeof(**lines), compare_entries);
	if (all == 0 || !ordinals_rise(*lines, all)) {
		log_line(LOG_WARNING, "event=uids error=\"the file " NAME
		    " is not fit; equal messages may change their ids\"");
		all = 0;
	}
	return (all);
}

/*
 * Gives a run of equal messages their ordinals: those that the file has for
 * them, and then new ones.  Where there are fewer than the file tells of, the
 * commit has come.
 */
static void
number_run(struct entry **run, size_t length, const struct entry *lines,
    size_t line_count)
{
	const int committed = length < line_count;
	uint32_t highest = 0;
	size_t i, used = 0;

	for (i = 0; i < line_count; i++) {
		if (lines[i].ordinal > highest)
			highest = lines[i].ordinal;
		if (used < length && !(committed && lines[i].goes))
			run[used++]->ordinal = lines[i].ordinal;
	}
	while (used < length)
		run[used++]->ordinal = ++highest;
}

static void
number_all(const struct entry *lines, size_t line_count)
{
	size_t from, to, first = 0, end;

	for (from = 0; from < count; from = to) {
		for (to = from + 1; to < count &&
		    are_equal(sorted[from], sorted[to]); to++)
			continue;
		while (first < line_count && memcmp(lines[first].digest,
		    sorted[from]->digest, sizeof(sorted[from]->digest)) < 0)
			first++;
		for (end = first; end < line_count &&
		    are_equal(&lines[end], sorted[from]); end++)
			continue;
		number_run(sorted + from, to - from, lines + first,
		    end - first);
		first = end;
	}
}

const char *
uids_begin(struct mailbox *mailbox)
{
	const char *wrong = NULL;
	struct entry *lines;
	size_t i, line_count;

	uids_end();
	state = mailbox->place.state;
	entries = calloc((size_t)mailbox->messages + 1, sizeof(*entries));
	sorted = calloc((size_t)mailbox->messages + 1, sizeof(*sorted));
	if (entries == NULL || sorted == NULL)
		wrong = "the server is short of memory";
	for (i = 0; wrong == NULL && i < mailbox->messages; i++) {
		entries[i].place = (uint32_t)i + 1;
		if (mailbox->format->octets(mailbox, i + 1) == 0)
			continue;	/* gone: it has no id */
		wrong = read_message(mailbox, i + 1, &entries[i]);
		sorted[count++] = &entries[i];
	}
	mailbox->format->remember(mailbox);
	if (wrong != NULL) {
		uids_end();
		return (wrong);
	}
	sort(sorted, count, sizeof(*sorted), compare_pointers);
	line_count = read_file(&lines);
	number_all(lines, line_count);
	free(lines);
	return (NULL);
}

/*
 * RFC 1939: 1 to 70 characters from ! to ~; with room for an ordinal.  A name
 * that looks like a digest may be that of another message.
 */
static int
is_fit(const char *label)
{
	size_t i;

	for (i = 0; label[i] != '\0'; i++)
		if (label[i] < '!' || label[i] > '~' || i >= UID_SIZE - 12)
			return (0);
	return (i > 0 && (i != 2 * UID_DIGEST_BYTES ||
	    strspn(label, "0123456789abcdef") != i));
}

const char *
uids_text(struct mailbox *mailbox, uint64_t number, char *text)
{
	const struct entry *entry = &entries[number - 1];
	char label[UID_LABEL_SIZE], ordinal[12] = "";
	char hex[2 * UID_DIGEST_BYTES + 1];

	text[0] = '\0';
	if (entry->ordinal == 0)
		return (NULL);
	/* No label has a comma: this id is no other message's name. */
	if (entry->ordinal > 1)
		(void)snprintf(ordinal, sizeof(ordinal), ",%u",
		    entry->ordinal);
	if (!entry->named || mailbox->format->label(mailbox, number, label,
	    sizeof(label)) == -1 || !is_fit(label))
		(void)strlcpy(label, sodium_bin2hex(hex, sizeof(hex),
		    entry->digest, sizeof(entry->digest)), sizeof(label));
	(void)strlcpy(text, label, UID_SIZE - sizeof(ordinal) + 1);
	(void)strlcat(text, ordinal, UID_SIZE);
	return (NULL);
}

/*
 * Writes the runs whose ordinals would not be found without it.  Returns how
 * many lines that are, or -1 with errno.
 */
static int
write_lines(int fd, int with_gone)
{
	char hex[2 * UID_DIGEST_BYTES + 1], text[LINE_LENGTH + 1];
	size_t from, to, i;
	uint32_t next, lines = 0;
	int told;

	for (from = 0; from < count; from = to) {
		next = 1;
		told = 0;
		for (to = from; to < count &&
		    are_equal(sorted[from], sorted[to]); to++)
			if (!sorted[to]->goes)
				told |= sorted[to]->ordinal != next++;
		/* Ordinals that a commit would make wrong count as well. */
		for (i = from; i < to; i++)
			told |= with_gone && sorted[i]->ordinal != i - from + 1;
		for (i = from; told && i < to; i++) {
			if (sorted[i]->goes && !with_gone)
				continue;
			(void)snprintf(text, sizeof(text), LINE_FORMAT,
			    sodium_bin2hex(hex, sizeof(hex),
			    sorted[i]->digest, sizeof(sorted[i]->digest)),
			    sorted[i]->ordinal, sorted[i]->goes ? '-' : '+');
			if (disk_write(fd, text, LINE_LENGTH, (uint64_t)
			    LINE_LENGTH * lines++, NULL) == -1)
				return (-1);
		}
	}
	return (lines > 0);
}

static void
write_file(int with_gone)
{
	int fd = openat(state, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int lines = fd == -1 ? -1 : write_lines(fd, with_gone);

	if (lines == 1 && (disk_sync(fd) == -1 ||
	    renameat(state, NEW_NAME, state, NAME) == -1))
		lines = -1;
	if (lines == -1)
		log_line(LOG_WARNING, "event=uids file=" NAME " error=\"%s\"",
		    strerror(errno));
	if (fd != -1)
		(void)close(fd);
	if (lines != 1)
		(void)unlinkat(state, NEW_NAME, 0);
	if (lines == 0 && unlinkat(state, NAME, 0) == -1 && errno != ENOENT)
		lines = -1;
	if (lines != -1)
		(void)disk_sync(state);
}

/* Are there equal ones of which some go and some stay?  They are marked. */
static int
find_mixed(struct entry **list, size_t length)
{
	size_t from, to, goes, i;
	int found = 0;

	for (from = 0; from < length; from = to) {
		for (to = from, goes = 0; to < length &&
		    are_equal(list[from], list[to]); to++)
			goes += list[to]->goes != 0;
		for (i = from; i < to; i++)
			list[i]->mixed = goes > 0 && goes < to - from;
		found |= list[from]->mixed;
	}
	return (found);
}

static int
read_label(struct mailbox *mailbox, struct entry *entry)
{
	char label[UID_LABEL_SIZE];
	struct seal seal;
	int kind = mailbox->format->label(mailbox, entry->place, label,
	    sizeof(label));

	if (kind == -1)
		return (-1);
	entry->named = kind == LABEL_UNIQUE;
	seal_begin(&seal);
	seal_take(&seal, label, strlen(label));
	seal_end(&seal, entry->digest);
	return (0);
}

/*
 * True when of these messages one that stays may be equal to one that goes.
 * Where labels differ messages do, and where headers do if the label is not
 * the whole id; what cannot be read may be anything.
 */
static int
are_mixed(struct mailbox *mailbox, struct entry **list, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (read_label(mailbox, list[i]) == -1)
			return (1);
	sort(list, length, sizeof(*list), compare_pointers);
	if (!find_mixed(list, length))
		return (0);
	for (i = 0; i < length; i++)
		if (list[i]->mixed && !list[i]->named &&
		    uid_header(mailbox, list[i]->place, list[i]->digest) !=
		    NULL)
			return (1);
	sort(list, length, sizeof(*list), compare_pointers);
	return (find_mixed(list, length));
}

static int
may_be_equal(struct mailbox *mailbox, const unsigned char *flags,
    unsigned char marked)
{
	const size_t length = mailbox->messages;
	struct entry *all = calloc(length + 1, sizeof(*all));
	struct entry **list = calloc(length + 1, sizeof(*list));
	size_t i, used = 0;
	int result = 0;

	for (i = 0; all != NULL && list != NULL && i < length; i++) {
		all[i].place = (uint32_t)i + 1;
		all[i].goes = (flags[i] & marked) != 0;
		if (mailbox->format->octets(mailbox, i + 1) != 0)
			list[used++] = &all[i];
	}
	if (used > 1)
		result = are_mixed(mailbox, list, used);
	free(all);
	free(list);
	return (result);
}

void
uids_before_commit(struct mailbox *mailbox, const unsigned char *flags,
    unsigned char marked)
{
	size_t i, all = 0;

	for (i = 0; i < mailbox->messages; i++)
		all += (flags[i] & marked) != 0;
	if (all == 0 || all == mailbox->messages)
		return;
	if (!uids_known() && (!may_be_equal(mailbox, flags, marked) ||
	    uids_begin(mailbox) != NULL))
		return;
	for (i = 0; i < mailbox->messages; i++)
		entries[i].goes = (flags[i] & marked) != 0;
	was_written = find_mixed(sorted, count);
	if (was_written)
		write_file(1);
}

void
uids_after_commit(void)
{
	if (was_written)
		write_file(0);
}
