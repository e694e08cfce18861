/*
 * mh_sequences.c - an MH folder's sequences, when messages leave it.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on a file
 * that other programs write.  It is a convenience and no mail: whatever is
 * wrong with it, it is left as it is, and the messages go all the same.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "lock.h"
#include "log.h"
#include "mh.h"

struct text {
	char *bytes;
	size_t length, room;
};

/* Messages `first` to `last`. */
struct range {
	int64_t first, last;
};

struct numbers {
	const int64_t *list;		/* ascending */
	size_t count;
};

static int
put(struct text *text, const char *bytes, size_t length)
{
	size_t room = text->room;
	char *grown;

	if (length > MH_SEQUENCES_BYTES_MAX - text->length)
		return (-1);
	while (room < text->length + length)
		room = room + room / 2 + 1024;
	if (room > text->room) {
		if ((grown = realloc(text->bytes, room)) == NULL)
			return (-1);
		text->bytes = grown;
		text->room = room;
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	return (0);
}

static int
put_range(struct text *text, int64_t first, int64_t last)
{
	char bytes[48];
	int length = first == last ?
	    snprintf(bytes, sizeof(bytes), " %lld", (long long)first) :
	    snprintf(bytes, sizeof(bytes), " %lld-%lld", (long long)first,
	    (long long)last);

	return (put(text, bytes, (size_t)length));
}

/* Where the first number that is not below `least` stands. */
static size_t
first_from(const struct numbers *numbers, int64_t least)
{
	size_t low = 0, high = numbers->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (numbers->list[middle] < least)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/* Behind the numbers that follow one upon the other from `at` on. */
static size_t
behind_run(const struct numbers *numbers, size_t at)
{
	size_t low = at + 1, high = numbers->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (numbers->list[middle] - numbers->list[at] ==
		    (int64_t)(middle - at))
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/* What stays of a range: each turn but the last writes some of it. */
static int
put_rest(struct text *text, struct range range, const struct numbers *numbers)
{
	size_t at = first_from(numbers, range.first), behind;

	for (; at < numbers->count && numbers->list[at] <= range.last;
	    at = behind) {
		behind = behind_run(numbers, at);
		if (range.first < numbers->list[at] && put_range(text,
		    range.first, numbers->list[at] - 1) == -1)
			return (-1);
		range.first = numbers->list[behind - 1] + 1;
	}
	return (range.first > range.last ? 0 : put_range(text, range.first,
	    range.last));
}

static int
is_touched(struct range range, const struct numbers *numbers)
{
	size_t at = first_from(numbers, range.first);

	return (at < numbers->count && numbers->list[at] <= range.last);
}

static int64_t
read_number(const char **at, const char *end)
{
	int64_t number = 0;

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		number = number * 10 + (**at - '0');
		if (number > MH_NUMBER_MAX)
			return (0);
	}
	return (number);
}

static int
is_blank(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* The next of "1 3-5 9": 1, 0 at the end, -1 when it is something else. */
static int
next_range(const char **at, const char *end, struct range *range)
{
	while (*at < end && is_blank(**at))
		(*at)++;
	if (*at == end)
		return (0);
	range->first = range->last = read_number(at, end);
	if (*at < end && **at == '-') {
		(*at)++;
		range->last = read_number(at, end);
	}
	return (range->first > 0 && range->last >= range->first &&
	    (*at == end || is_blank(**at)) ? 1 : -1);
}

/* The numbers behind the name: 1 when one of ours is among them, -1. */
static int
look_at(const char *list, const char *end, const struct numbers *numbers)
{
	struct range range;
	int got, touched = 0;

	while ((got = next_range(&list, end, &range)) == 1)
		touched |= is_touched(range, numbers);
	return (got == -1 ? -1 : touched);
}

/* A sequence anew, on one line; nothing when nothing stays. */
static int
put_changed(struct text *text, const char *field, const char *list,
    const char *end, const struct numbers *numbers)
{
	size_t before = text->length, bare;
	struct range range;

	if (put(text, field, (size_t)(list - field)) == -1)
		return (-1);
	bare = text->length;
	while (next_range(&list, end, &range) == 1)
		if (put_rest(text, range, numbers) == -1)
			return (-1);
	if (text->length == bare) {
		text->length = before;
		return (0);
	}
	return (put(text, "\n", 1));
}

/* A name and its colon; NULL where that is not so. */
static const char *
after_name(const char *field, const char *end)
{
	const char *c = field;

	while (c < end && *c > ' ' && *c < 0x7f && *c != ':')
		c++;
	return (c == field || c == end || *c != ':' ? NULL : c + 1);
}

static int
put_field(struct text *text, const char *field, const char *end,
    const struct numbers *numbers)
{
	const char *list = after_name(field, end);
	int touched;

	if (list == NULL || (touched = look_at(list, end, numbers)) == -1)
		return (-1);
	if (!touched || (list - field == 4 && memcmp(field, "cur:", 4) == 0))
		return (put(text, field, (size_t)(end - field)));
	return (put_changed(text, field, list, end, numbers));
}

/* Behind the line and those that go on with it, which begin with a blank. */
static const char *
field_end(const char *field, const char *end)
{
	do {
		field = memchr(field, '\n', (size_t)(end - field));
		if (field == NULL)
			return (end);
		field++;
	} while (field < end && (*field == ' ' || *field == '\t'));
	return (field);
}

char *
mh_sequences_text(const char *text, size_t length, const int64_t *numbers,
    size_t count, size_t *new_length)
{
	const struct numbers ours = { numbers, count };
	const char *end = text + length, *next;
	struct text out = { NULL, 0, 0 };

	/* There is a text also where nothing is left. */
	if ((out.bytes = malloc(1)) == NULL)
		return (NULL);
	out.room = 1;
	for (; text < end; text = next) {
		next = field_end(text, end);
		if (put_field(&out, text, next, &ours) == -1) {
			free(out.bytes);
			return (NULL);
		}
	}
	*new_length = out.length;
	return (out.bytes);
}

static void
leave_alone(const struct mailbox_place *place, const char *wrong)
{
	log_line(LOG_WARNING, "event=sequences folder=%s error=\"%s\"",
	    place->label, wrong);
}

static const char *
why_unfit(int fd, struct stat *status)
{
	if (fstat(fd, status) == -1)
		return (strerror(errno));
	if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() ||
	    status->st_nlink != 1)
		return ("not a regular file of this user with one name");
	if (status->st_size > MH_SEQUENCES_BYTES_MAX)
		return ("too long");
	return (NULL);
}

/* Whether the locked file is still the one with the name. */
static int
has_name(int directory, const struct stat *file)
{
	struct stat path;

	return (fstatat(directory, MH_SEQUENCES, &path,
	    AT_SYMLINK_NOFOLLOW) == 0 && path.st_dev == file->st_dev &&
	    path.st_ino == file->st_ino);
}

int
mh_sequences_lock(int directory, const struct mailbox_place *place)
{
	struct mailbox_place as_nmh = *place;
	const char *wrong = NULL;
	struct stat status;
	int fd, tries;

	/* The one kind that nmh takes here; it goes with the descriptor. */
	as_nmh.locks[0] = LOCK_FCNTL;
	as_nmh.locks[1] = LOCK_NONE;
	for (tries = 0; tries < 3 && wrong == NULL; tries++) {
		fd = openat(directory, MH_SEQUENCES, O_RDWR | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd == -1) {
			if (errno != ENOENT)
				leave_alone(place, strerror(errno));
			return (-1);
		}
		wrong = why_unfit(fd, &status);
		if (wrong == NULL)
			wrong = lock_mailbox(fd, 1, &as_nmh);
		if (wrong == NULL && has_name(directory, &status))
			return (fd);
		(void)close(fd);
	}
	leave_alone(place, wrong != NULL ? wrong : "replaced all the time");
	return (-1);
}

/*
 * Writes the new text over the old.  The inode stays, as with nmh, since
 * others may wait for its lock.  Killed anywhere, it leaves lines that nmh can
 * read: a shorter text is first filled up with blanks.
 */
static int
write_over(int fd, size_t old_length, const char *text, size_t length)
{
	size_t ended = length > 0 && text[length - 1] == '\n';
	size_t body = length - ended;
	char *filled;
	int result;

	if (length >= old_length)
		return (disk_write(fd, text, length, 0, NULL));
	if (length == 0)
		return (disk_cut(fd, 0));
	if ((filled = malloc(old_length)) == NULL)
		return (-1);
	memcpy(filled, text, body);
	memset(filled + body, ' ', old_length - body);
	if (ended)
		filled[old_length - 1] = '\n';
	result = disk_write(fd, filled, old_length, 0, NULL);
	free(filled);
	if (result == 0)
		result = disk_cut(fd, body);
	if (result == 0)
		result = disk_write(fd, "\n", ended, body, NULL);
	return (result);
}

/* NULL, or what went wrong; then the old text is there, if at all possible. */
static const char *
replace(int fd, const char *old, size_t old_length, const char *text,
    size_t length)
{
	const char *wrong;

	if (length == old_length && memcmp(old, text, length) == 0)
		return (NULL);
	if (write_over(fd, old_length, text, length) == 0)
		return (disk_sync(fd) == 0 ? NULL : strerror(errno));
	wrong = strerror(errno);
	if (disk_write(fd, old, old_length, 0, NULL) == 0)
		(void)disk_cut(fd, old_length);
	return (wrong);
}

static const char *
rewrite(int fd, const int64_t *numbers, size_t count)
{
	const char *wrong = "the server is short of memory";
	char *old = NULL, *text = NULL;
	size_t old_length, length;
	struct stat status;

	if (fstat(fd, &status) == -1)
		return (strerror(errno));
	if (status.st_size > MH_SEQUENCES_BYTES_MAX)
		return ("too long");
	old_length = (size_t)status.st_size;
	if ((old = malloc(old_length + 1)) != NULL)
		wrong = disk_read(fd, old, old_length, 0) == 0 ? NULL :
		    strerror(errno);
	if (wrong == NULL && (text = mh_sequences_text(old, old_length,
	    numbers, count, &length)) == NULL)
		wrong = "damaged, or too long; left as it is";
	if (wrong == NULL)
		wrong = replace(fd, old, old_length, text, length);
	free(text);
	free(old);
	return (wrong);
}

void
mh_sequences_without(int fd, const int64_t *numbers, size_t count,
    const struct mailbox_place *place)
{
	const char *wrong = NULL;

	if (count > 0)
		wrong = rewrite(fd, numbers, count);
	if (wrong != NULL)
		leave_alone(place, wrong);
	(void)close(fd);
}
