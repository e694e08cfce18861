/*
 * mboxrd.c - a message of another format in the form that an mbox has.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers: no line of a message may look like the beginning of another
 * one.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mboxrd.h"

#define RETURN_PATH	"Return-Path:"
#define NOBODY		"MAILER-DAEMON"

static int
put(struct mboxrd *message, const void *octets, size_t length)
{
	message->octets += length;
	return (message->wire == NULL ? 0 :
	    wire_put(message->wire, octets, length));
}

static int
is_return_path(const struct line *line)
{
	return (line->starts && line->ending != 0 &&
	    line->length >= sizeof(RETURN_PATH) - 1 &&
	    strncasecmp((const char *)line->text, RETURN_PATH,
	    sizeof(RETURN_PATH) - 1) == 0);
}

/* The address of a Return-Path line.  0, or -1: none that can be used. */
static int
take_sender(const struct line *line, char *sender)
{
	const unsigned char *text = line->text;
	size_t at = sizeof(RETURN_PATH) - 1, end = line->length, length = 0;

	while (at < end && (text[at] == ' ' || text[at] == '\t'))
		at++;
	while (end > at && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	if (at < end && text[at] == '<' && text[end - 1] == '>') {
		at++;
		end--;
	}
	/* One word, as a From_ line wants it. */
	for (; at < end; at++) {
		if (length == SENDER_SIZE - 1 || text[at] <= ' ' ||
		    text[at] == 0x7f || text[at] == '<' || text[at] == '>')
			return (-1);
		sender[length++] = (char)text[at];
	}
	sender[length] = '\0';
	return (length > 0 ? 0 : -1);
}

int
mboxrd_sender(struct line_reader *reader, int fd, uint64_t from,
    uint64_t limit, char *sender)
{
	struct line line;
	int got;

	if (limit - from > RETURN_PATH_BYTES)
		limit = from + RETURN_PATH_BYTES;
	lines_begin(reader, fd, from, limit, NULL);
	while ((got = lines_next(reader, &line)) == 1 &&
	    (line.length > 0 || !line.starts))
		if (is_return_path(&line)) {
			if (take_sender(&line, sender) == 0)
				return (0);
			break;
		}
	(void)strlcpy(sender, NOBODY, SENDER_SIZE);
	return (got == -1 ? -1 : 0);
}

/* The date is like asctime(3)'s, but in English always. */
size_t
mboxrd_from_line(const char *sender, time_t received,
    char text[MBOXRD_FROM_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t epoch = 0;
	struct tm date;

	if (gmtime_r(&received, &date) == NULL ||
	    date.tm_year < 1000 - 1900 || date.tm_year > 9999 - 1900)
		(void)gmtime_r(&epoch, &date);
	return ((size_t)snprintf(text, MBOXRD_FROM_SIZE,
	    "From %s %.3s %.3s %2d %02d:%02d:%02d %04d", sender,
	    days + 3 * date.tm_wday, months + 3 * date.tm_mon, date.tm_mday,
	    date.tm_hour, date.tm_min, date.tm_sec, date.tm_year + 1900));
}

static int
needs_quoting(const struct line *line)
{
	size_t at = 0;

	while (at < line->length && line->text[at] == '>')
		at++;
	return (line->starts && line->length - at >= 5 &&
	    memcmp(line->text + at, "From ", 5) == 0);
}

int
mboxrd_begin(struct mboxrd *message, struct wire *wire, const char *sender,
    time_t received)
{
	char text[MBOXRD_FROM_SIZE];
	size_t length = mboxrd_from_line(sender, received, text);

	memset(message, 0, sizeof(*message));
	message->wire = wire;
	return (put(message, text, length) == -1 ? -1 :
	    put(message, "\r\n", 2));
}

int
mboxrd_line(struct mboxrd *message, const struct line *line)
{
	if (needs_quoting(line) && put(message, ">", 1) == -1)
		return (-1);
	message->is_inside = line->ending == 0;
	if (put(message, line->text, line->length) == -1)
		return (-1);
	return (message->is_inside ? 0 : put(message, "\r\n", 2));
}

int
mboxrd_end(struct mboxrd *message)
{
	if (message->is_inside && put(message, "\r\n", 2) == -1)
		return (-1);
	return (put(message, "\r\n", 2));
}
