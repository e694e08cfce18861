/*
 * message_file.c - a message that is a file of its own.
 *
 * Linked into postern-store; runs as the user.  Other programs rename,
 * renumber, replace and remove these files while a session lasts, with no
 * lock that all of them take.  So a name is never believed: what it leads to
 * is opened, and held against the snapshot by the descriptor.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "message_file.h"

/* The last second of the year 9999: a From_ line's year has four digits. */
#define LATEST_SECOND	253402300799LL

#define FROM_LINE_SIZE	(SENDER_SIZE + 64)

int
message_file_same(const struct file_identity *one,
    const struct file_identity *other)
{
	return (one->device == other->device && one->inode == other->inode &&
	    one->owner == other->owner && one->size == other->size &&
	    one->modified.tv_sec == other->modified.tv_sec &&
	    one->modified.tv_nsec == other->modified.tv_nsec);
}

/*
 * Files with several names are allowed: MH links a message into more than
 * one folder, and a delete takes this folder's name alone.
 */
static int
identify(const struct stat *status, struct file_identity *identity)
{
	if (!S_ISREG(status->st_mode) || status->st_size < 0) {
		errno = EPERM;
		return (-1);
	}
	identity->device = status->st_dev;
	identity->inode = status->st_ino;
	identity->owner = status->st_uid;
	identity->size = (uint64_t)status->st_size;
	identity->modified = status->st_mtim;
	return (0);
}

int
message_file_look(int directory, const char *name,
    struct file_identity *identity)
{
	struct stat status;

	return (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1 ?
	    -1 : identify(&status, identity));
}

int
message_file_open(const struct message_file *file, int directory)
{
	struct file_identity identity;
	struct stat status;
	int fd;

	fd = openat(directory, file->name, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1) {
		/* A link, or a socket, has taken its place. */
		if (errno == ELOOP || errno == ENXIO)
			errno = ESTALE;
		return (-1);
	}
	if (fstat(fd, &status) == -1 || identify(&status, &identity) == -1 ||
	    !message_file_same(&identity, &file->identity)) {
		(void)close(fd);
		errno = ESTALE;
		return (-1);
	}
	return (fd);
}

/* The address in "Return-Path: <address>"; 0 when there is none to use. */
static int
sender_of(const struct line *line, char *sender)
{
	static const char field[] = "Return-Path:";
	const unsigned char *text = line->text;
	size_t at = sizeof(field) - 1, length = 0;

	if (!line->starts || line->length < at ||
	    strncasecmp((const char *)text, field, at) != 0)
		return (0);
	while (at < line->length && (text[at] == ' ' || text[at] == '\t'))
		at++;
	if (at < line->length && text[at] == '<')
		at++;
	while (at < line->length && text[at] > ' ' && text[at] < 0x7f &&
	    text[at] != '>' && length < SENDER_SIZE - 1)
		sender[length++] = (char)text[at++];
	sender[length] = '\0';
	while (at < line->length && (text[at] == ' ' || text[at] == '>'))
		at++;
	return (length > 0 && at == line->length);
}

static void
find_sender(const struct message_file *file, int fd,
    struct line_reader *reader, char *sender)
{
	struct line line;

	lines_begin(reader, fd, 0, file->identity.size < RETURN_PATH_BYTES ?
	    file->identity.size : RETURN_PATH_BYTES, NULL);
	while (lines_next(reader, &line) == 1 &&
	    (line.length > 0 || !line.starts))
		if (line.ending != 0 && sender_of(&line, sender))
			return;
	(void)strlcpy(sender, "MAILER-DAEMON", SENDER_SIZE);
}

static int
is_leap(int year)
{
	return (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/*
 * "Sat Nov 21 23:33:00 2026", in UTC.  strftime(3) and gmtime(3) would read
 * the zone of this host, which the sandbox hides.
 */
static void
format_date(int64_t seconds, char *text, size_t size)
{
	static const char days[] = "ThuFriSatSunMonTueWed";	/* from 1970 */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	int64_t day = seconds / 86400;
	int left = (int)(seconds % 86400), weekday = (int)(day % 7);
	int year = 1970, month = 0, length;

	for (; day >= (length = 365 + is_leap(year)); year++)
		day -= length;
	for (; day >= (length = lengths[month] + (month == 1 &&
	    is_leap(year))); month++)
		day -= length;
	(void)snprintf(text, size, "%.3s %.3s %2d %02d:%02d:%02d %04d",
	    days + 3 * (ptrdiff_t)weekday, months + 3 * (ptrdiff_t)month,
	    (int)day + 1, left / 3600, left / 60 % 60, left % 60, year);
}

/* "From ann@example.org Sat Nov 21 23:33:00 2026", and CRLF. */
static int
put_from_line(const struct message_file *file, int fd,
    struct line_reader *reader, struct wire *wire)
{
	char sender[SENDER_SIZE], date[40], text[FROM_LINE_SIZE];
	int64_t seconds = (int64_t)file->identity.modified.tv_sec;
	int length;

	if (seconds < 0 || seconds > LATEST_SECOND)
		seconds = 0;
	format_date(seconds, date, sizeof(date));
	find_sender(file, fd, reader, sender);
	length = snprintf(text, sizeof(text), "From %s %s\r\n", sender, date);
	return (wire_put(wire, text, (size_t)length));
}

/*
 * A line that a reader of the mailbox would take for a From_ line, or take a
 * ">" from.  A piece of 64 KiB of ">" alone is taken for neither.
 */
static int
must_be_quoted(const struct line *line)
{
	size_t at = 0;

	if (!line->starts)
		return (0);
	while (at < line->length && line->text[at] == '>')
		at++;
	return (line->length - at >= 5 &&
	    memcmp(line->text + at, "From ", 5) == 0);
}

static const char *
put_lines(const struct message_file *file, struct line_reader *reader,
    struct wire *wire, int whole)
{
	uint64_t at = 0;
	struct line line;
	int got, failed = 0;

	while ((got = lines_next(reader, &line)) == 1 && !failed) {
		at += line.length + line.ending;
		if (whole && must_be_quoted(&line))
			failed = wire_put(wire, ">", 1);
		if (!failed)
			failed = wire_put_line(wire, &line,
			    at == file->identity.size);
	}
	/* A message of nothing at all is sent as an empty line. */
	if (got == 0 && !failed && (whole || at == 0))
		failed = wire_put(wire, "\r\n", 2);
	if (got == -1)
		return (errno != 0 ? strerror(errno) :
		    "the message was cut short by another program");
	return (failed ? "not all could be sent" : NULL);
}

static const char *
put_message(const struct message_file *file, int fd,
    struct line_reader *reader, struct wire *wire, int whole,
    crypto_generichash_state *hash)
{
	if (whole && put_from_line(file, fd, reader, wire) == -1)
		return ("not all could be sent");
	lines_begin(reader, fd, 0, file->identity.size, hash);
	return (put_lines(file, reader, wire, whole));
}

const char *
message_file_send(struct message_file *file, int fd,
    struct line_reader *reader, struct wire *wire, int whole)
{
	crypto_generichash_state hash;
	uint64_t before = wire->sent;
	const char *wrong;

	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(file->digest));
	wrong = put_message(file, fd, reader, wire, whole, &hash);
	if (wrong == NULL && wire->sent - before !=
	    (whole ? file->whole_octets : file->octets))
		wrong = "the message was changed by another program";
	if (wrong != NULL)
		return (wrong);
	(void)crypto_generichash_final(&hash, file->digest,
	    sizeof(file->digest));
	file->flags |= FILE_SENT;
	return (NULL);
}

int
message_file_measure(struct message_file *file, int fd,
    struct line_reader *reader, int whole)
{
	static struct wire counter;

	counter.fd = -1;
	wire_begin(&counter, INT64_MAX);
	errno = 0;
	if (put_message(file, fd, reader, &counter, whole, NULL) != NULL)
		return (-1);
	if (whole)
		file->whole_octets = counter.sent;
	else
		file->octets = counter.sent;
	return (0);
}

int
message_file_is_sent(const struct message_file *file, int fd,
    struct line_reader *reader)
{
	unsigned char digest[LINES_DIGEST_BYTES];

	if (lines_digest(reader, fd, 0, file->identity.size, digest) == -1)
		return (errno == 0 ? 0 : -1);
	return (sodium_memcmp(digest, file->digest, sizeof(digest)) == 0);
}
