/*
 * mbox_from.c - which lines begin a message of an mbox.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers: a line of a body that looks nearly so must not split the
 * message.
 */
#include <ctype.h>
#include <string.h>

#include "limits_postern.h"
#include "mbox.h"

static int
is_one_of(const unsigned char *text, const char *names)
{
	for (; *names != '\0'; names += 3)
		if (memcmp(text, names, 3) == 0)
			return (1);
	return (0);
}

/* Digits at `at`, from `least` to `most` of them; returns how many, or 0. */
static size_t
digits(const unsigned char *text, size_t length, size_t at, size_t least,
    size_t most)
{
	size_t count = 0;

	while (count < most && at + count < length &&
	    isdigit(text[at + count]))
		count++;
	return (count >= least ? count : 0);
}

/* " hh:mm" or " hh:mm:ss" at `at`; returns what follows, or 0. */
static size_t
time_of_day(const unsigned char *text, size_t length, size_t at)
{
	size_t count;

	if ((count = digits(text, length, at, 1, 2)) == 0)
		return (0);
	at += count;
	if (at >= length || text[at] != ':' ||
	    digits(text, length, at + 1, 2, 2) == 0)
		return (0);
	at += 3;
	if (at < length && text[at] == ':') {
		if (digits(text, length, at + 1, 2, 2) == 0)
			return (0);
		at += 3;
	}
	return (at);
}

/* " 2026", or a zone or two around it: "MET DST 2026", "2026 +0100". */
static int
year_and_zones(const unsigned char *text, size_t length, size_t at)
{
	size_t words, count;

	for (words = 0; words < 4 && at < length && text[at] == ' '; words++) {
		while (at < length && text[at] == ' ')
			at++;
		count = digits(text, length, at, 4, 5);
		if (count == 4 && (at + 4 == length || text[at + 4] == ' '))
			return (1);
		while (at < length && (isalnum(text[at]) ||
		    strchr("+-:()", text[at]) != NULL) && text[at] != '\0')
			at++;
	}
	return (0);
}

/* "Sat Nov 21 23:33:00 2026" at `at`. */
static int
is_date(const unsigned char *text, size_t length, size_t at)
{
	size_t count;

	if (length - at < 16 ||		/* "Sat Nov 1 1:00 2026" is longer */
	    !is_one_of(text + at, "MonTueWedThuFriSatSun") ||
	    text[at + 3] != ' ' ||
	    !is_one_of(text + at + 4, "JanFebMarAprMayJunJulAugSepOctNovDec") ||
	    text[at + 7] != ' ')
		return (0);
	at += 8;
	while (at < length && text[at] == ' ')
		at++;
	if ((count = digits(text, length, at, 1, 2)) == 0)
		return (0);
	at += count;
	if (at >= length || text[at] != ' ')
		return (0);
	while (at < length && text[at] == ' ')
		at++;
	at = time_of_day(text, length, at);
	return (at != 0 && year_and_zones(text, length, at));
}

/* Where the date of a From_ line begins; 0: it is none. */
static size_t
find_date(const unsigned char *text, size_t length)
{
	size_t at;

	if (length < 5 || length >= FROM_LINE_MAX ||
	    memcmp(text, "From ", 5) != 0)
		return (0);
	at = 5;
	while (at < length && text[at] == ' ')
		at++;
	/* The address: a word at least, and a date somewhere behind it. */
	if (at == length)
		return (0);
	for (at++; at < length; at++)
		if (text[at - 1] == ' ' && is_date(text, length, at))
			return (at);
	return (0);
}

int
mbox_is_from_line(const unsigned char *text, size_t length)
{
	return (find_date(text, length) != 0);
}

/* A number that stands at `*at` behind blanks; moves behind it. */
static int
number_at(const unsigned char *text, size_t length, size_t *at)
{
	int number = 0;

	while (*at < length && text[*at] == ' ')
		(*at)++;
	for (; *at < length && isdigit(text[*at]) && number <= 9999; (*at)++)
		number = number * 10 + (text[*at] - '0');
	return (number);
}

/* "+0100" or "-0700" at `at`, alone: seconds east of UTC; else 0. */
static int
zone_at(const unsigned char *text, size_t length, size_t at)
{
	const int west = text[at] == '-';
	int zone;

	if ((!west && text[at] != '+') ||
	    digits(text, length, at + 1, 4, 5) != 4)
		return (0);
	at++;
	zone = number_at(text, length, &at);
	zone = (zone / 100 * 60 + zone % 100) * 60;
	return (west ? -zone : zone);
}

/* The year, and the zone in figures before or behind it, if there is one. */
static int
read_year(const unsigned char *text, size_t length, size_t at, int *year)
{
	int east = 0;

	while (at < length) {
		while (at < length && text[at] == ' ')
			at++;
		if (*year == 0 && digits(text, length, at, 4, 5) == 4 &&
		    (at + 4 == length || text[at + 4] == ' '))
			*year = number_at(text, length, &at);
		else if (at < length && east == 0)
			east = zone_at(text, length, at);
		while (at < length && text[at] != ' ')
			at++;
	}
	return (east);
}

int
mbox_from_date(const unsigned char *text, size_t length, time_t *received)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	size_t at = find_date(text, length);
	struct tm date;
	int year = 0, east;

	if (at == 0)
		return (-1);
	memset(&date, 0, sizeof(date));
	while (memcmp(text + at + 4, months + 3 * (size_t)date.tm_mon, 3) != 0)
		date.tm_mon++;
	at += 7;
	date.tm_mday = number_at(text, length, &at);
	date.tm_hour = number_at(text, length, &at);
	at++;			/* the colon */
	date.tm_min = number_at(text, length, &at);
	if (at < length && text[at] == ':') {
		at++;
		date.tm_sec = number_at(text, length, &at);
	}
	east = read_year(text, length, at, &year);
	date.tm_year = year - 1900;
	*received = timegm(&date) - east;
	return (0);
}
