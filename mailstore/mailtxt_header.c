/*
 * mailtxt_header.c - the line before each message of a MAIL.TXT.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.  The counts in these lines say where messages begin: a line
 * is taken for one only if it is one from its first byte to its last.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "limits_postern.h"
#include "mailtxt.h"

#define FLAG_DELETED	2	/* in the last digit */

struct cursor {
	const unsigned char *at, *end;
};

/* Takes the octet, if it is there. */
static int
take(struct cursor *cursor, int octet)
{
	if (cursor->at == cursor->end || *cursor->at != octet)
		return (0);
	cursor->at++;
	return (1);
}

/* Takes exactly so many digits, as a number up to `most`. */
static int
number(struct cursor *cursor, int digits, int most, int *value)
{
	for (*value = 0; digits > 0; digits--) {
		if (cursor->at == cursor->end || !isdigit(*cursor->at))
			return (0);
		*value = *value * 10 + (*cursor->at++ - '0');
	}
	return (*value <= most);
}

static int
month(struct cursor *cursor, int *value)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (cursor->end - cursor->at < 3)
		return (0);
	for (*value = 0; *value < 12; (*value)++)
		if (strncasecmp((const char *)cursor->at, names + 3 * *value,
		    3) == 0) {
			cursor->at += 3;
			return (1);
		}
	return (0);
}

/* Of two digits, or of four; as struct tm has it. */
static int
year(struct cursor *cursor, int *value)
{
	int rest;

	if (!number(cursor, 2, 99, value))
		return (0);
	if (cursor->at != cursor->end && isdigit(*cursor->at)) {
		if (!number(cursor, 2, 99, &rest))
			return (0);
		*value = *value * 100 + rest - 1900;
	}
	return (1);
}

static int
date_and_time(struct cursor *cursor, struct tm *tm)
{
	int day_digits = take(cursor, ' ') ? 1 : 2;

	memset(tm, 0, sizeof(*tm));
	return (number(cursor, day_digits, 31, &tm->tm_mday) &&
	    tm->tm_mday > 0 && take(cursor, '-') &&
	    month(cursor, &tm->tm_mon) && take(cursor, '-') &&
	    year(cursor, &tm->tm_year) && take(cursor, ' ') &&
	    number(cursor, 2, 23, &tm->tm_hour) && take(cursor, ':') &&
	    number(cursor, 2, 59, &tm->tm_min) && take(cursor, ':') &&
	    number(cursor, 2, 60, &tm->tm_sec));
}

/* Hours from UTC of the zones that RFC 822 knows; others are taken for it. */
static int
hours_of(const unsigned char *name, size_t length)
{
	static const struct {
		char name[4];
		int hours;
	} zones[] = {
		{ "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
		{ "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};
	size_t i;

	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (length == 3 && strncasecmp((const char *)name,
		    zones[i].name, 3) == 0)
			return (zones[i].hours);
	return (0);
}

/* "-MST", "-0700", " -0700", " +0100"; the seconds east of UTC. */
static int
zone(struct cursor *cursor, int *east)
{
	int has_blank = take(cursor, ' '), is_west, hours, minutes;
	const unsigned char *name;

	is_west = take(cursor, '-');
	if (!is_west && !take(cursor, '+'))
		return (0);
	name = cursor->at;
	while (cursor->at != cursor->end && isalpha(*cursor->at))
		cursor->at++;
	if (cursor->at != name) {
		*east = hours_of(name, (size_t)(cursor->at - name)) * 3600;
		return (is_west && !has_blank &&
		    cursor->at - name <= ZONE_LETTERS_MAX);
	}
	if (!number(cursor, 2, 23, &hours) ||
	    !number(cursor, 2, 59, &minutes))
		return (0);
	*east = (hours * 60 + minutes) * (is_west ? -60 : 60);
	return (1);
}

/* At least one digit and no more than UINT64_MAX has. */
static int
octets(struct cursor *cursor, uint64_t *value)
{
	const unsigned char *begin = cursor->at;
	uint64_t digit;

	for (*value = 0; cursor->at != cursor->end && isdigit(*cursor->at);
	    cursor->at++) {
		digit = (uint64_t)(*cursor->at - '0');
		if (cursor->at - begin == 20 ||
		    *value > (UINT64_MAX - digit) / 10)
			return (0);
		*value = *value * 10 + digit;
	}
	return (cursor->at != begin);
}

/* Twelve octal digits, and perhaps more behind them. */
static int
flags(const unsigned char *text, size_t length)
{
	size_t i;

	for (i = 0; i < MAILTXT_FLAG_BYTES; i++)
		if (i == length || text[i] < '0' || text[i] > '7')
			return (0);
	return (1);
}

/* All that is before the octets. */
static int
begin(struct cursor *cursor, time_t *received)
{
	struct tm tm;
	int east;

	if (!date_and_time(cursor, &tm) || !zone(cursor, &east) ||
	    !take(cursor, ','))
		return (0);
	*received = timegm(&tm) - east;
	return (1);
}

int
mailtxt_parse(const unsigned char *text, size_t length,
    struct mailtxt_header *header)
{
	struct cursor cursor = { text, text + length };

	if (!begin(&cursor, &header->received) ||
	    !octets(&cursor, &header->octets) || !take(&cursor, ';') ||
	    cursor.end - cursor.at != MAILTXT_FLAG_BYTES ||
	    !flags(cursor.at, MAILTXT_FLAG_BYTES))
		return (-1);
	header->is_deleted = ((cursor.end[-1] - '0') & FLAG_DELETED) != 0;
	return (0);
}

/*
 * In an mbox a sender's address stands there, perhaps with digits in it; and
 * an empty line, or a few words, may stand before that.
 */
static int
is_from(const unsigned char *text, size_t length, size_t at)
{
	return ((at == 0 || text[at - 1] == '\n') && length - at >= 5 &&
	    memcmp(text + at, "From ", 5) == 0);
}

int
mailtxt_resembles(const unsigned char *text, size_t length)
{
	struct cursor cursor = { text, text + length };
	time_t received;
	size_t at;

	if (begin(&cursor, &received))
		return (1);
	for (at = 0; at < length; at++) {
		if (is_from(text, length, at))
			return (0);
		if (text[at] == ';' && flags(text + at + 1, length - at - 1))
			return (1);
	}
	return (0);
}
