/*
 * mboxrd.c - a message of another format in the form that an mbox has.
 *
 * Linked into postern-store; runs as the user, on bytes from strangers: no
 * line of a message may look like the beginning of another one.
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

/* The address of a Return-Path line; its length, or 0 where there is none. */
static size_t
sender_of(const struct line *line, const unsigned char **sender)
{
	const unsigned char *text = line->text;
	size_t at = sizeof(RETURN_PATH) - 1, begin, end = line->length;

	if (end <= at || strncasecmp((const char *)text, RETURN_PATH, at) != 0)
		return (0);
	while (at < end && (text[at] == ' ' || text[at] == '\t'))
		at++;
	if (at < end && text[at] == '<' && text[end - 1] == '>') {
		at++;
		end--;
	}
	*sender = text + at;
	/* One word, as a From_ line wants it. */
	for (begin = at; at < end; at++)
		if (text[at] <= ' ' || text[at] == 0x7f ||
		    text[at] == '<' || text[at] == '>')
			return (0);
	return (end - begin > RETURN_PATH_MAX ? 0 : end - begin);
}

/* Like asctime(3), but in English always; a year has four digits. */
static int
put_date(struct mboxrd *message)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t epoch = 0;
	struct tm date;
	char text[40];
	int length;

	if (gmtime_r(&message->received, &date) == NULL ||
	    date.tm_year < 1000 - 1900 || date.tm_year > 9999 - 1900)
		(void)gmtime_r(&epoch, &date);
	length = snprintf(text, sizeof(text),
	    " %.3s %.3s %2d %02d:%02d:%02d %04d\r\n", days + 3 * date.tm_wday,
	    months + 3 * date.tm_mon, date.tm_mday, date.tm_hour, date.tm_min,
	    date.tm_sec, date.tm_year + 1900);
	return (put(message, text, (size_t)length));
}

/* The From_ line; `line` is the message's first, or NULL. */
static int
put_from_line(struct mboxrd *message, const struct line *line)
{
	const unsigned char *sender = NULL;
	size_t length = line == NULL ? 0 : sender_of(line, &sender);

	message->has_begun = 1;
	if (put(message, "From ", 5) == -1 || (length > 0 ?
	    put(message, sender, length) :
	    put(message, NOBODY, sizeof(NOBODY) - 1)) == -1)
		return (-1);
	return (put_date(message));
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

void
mboxrd_begin(struct mboxrd *message, struct wire *wire, time_t received)
{
	memset(message, 0, sizeof(*message));
	message->wire = wire;
	message->received = received;
}

int
mboxrd_line(struct mboxrd *message, const struct line *line)
{
	if (!message->has_begun && put_from_line(message, line) == -1)
		return (-1);
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
	if (!message->has_begun && put_from_line(message, NULL) == -1)
		return (-1);
	if (message->is_inside && put(message, "\r\n", 2) == -1)
		return (-1);
	return (put(message, "\r\n", 2));
}
