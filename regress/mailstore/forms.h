/*
 * forms.h - the same awkward messages in every form that a mailbox has.
 *
 * Test code alone.  Which message is which follows from its number, so that
 * a failure can be looked at again.
 */
#ifndef FORMS_H
#define FORMS_H

#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

enum form { MBOX, MH, MAILDIR, MTX, TENEX, FORMS };

static const char *const form_names[FORMS] = { "mbox", "mh", "maildir",
    "mail.txt", "tenex" };

struct bytes {
	char *at;
	size_t length, room;
};

static inline void
add(struct bytes *to, const void *bytes, size_t length)
{
	if (to->length + length > to->room) {
		to->room = 2 * (to->length + length) + 64;
		to->at = realloc(to->at, to->room);
		ATF_REQUIRE(to->at != NULL);
	}
	if (length > 0)
		memcpy(to->at + to->length, bytes, length);
	to->length += length;
}

static inline void
add_text(struct bytes *to, const char *text)
{
	add(to, text, strlen(text));
}

static inline void
add_many(struct bytes *to, int octet, size_t count)
{
	const char one = (char)octet;

	while (count-- > 0)
		add(to, &one, 1);
}

/* The same numbers each time. */
static inline unsigned int
chance(unsigned int *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return (*state);
}

#define SUBJECT	"From: ann@example.org\nSubject: "

/* Lines that a careless reader takes for something else. */
static const char *const lines[] = {
	SUBJECT "a dot\n\n.\n..\n...\n.\r\n",
	SUBJECT "From\n\ntext\nFrom bob@example.org Sun Nov 22 01:02:03 2026\n"
	    "more\n",
	SUBJECT "From\n\ntext\n\nFrom here on\n\nFrom \n\nFrom\n",
	SUBJECT "quoted\n\n\n>From bob Sun Nov 22 01:02:03 2026\n\n>>From b\n",
	"From bob@example.org Sun Nov 22 01:02:03 2026\n\nno header\n",
	SUBJECT "a MAIL.TXT\n\n 1-Jan-2026 00:00:00 +0000,5;000000000000\n",
	SUBJECT "one long line later\nX: \t y\n\tfolded\n\n\t\t tabs \t\n",
	"Return-Path: <bob@example.org>\n" SUBJECT "sender\n\nx\n",
	"Return-Path: <>\nReturn-Path: <no@example.org>\n" SUBJECT "\n\n",
	SUBJECT "header only\n", SUBJECT "header only", "\n", "\r\n", "",
	"x", "\n\n\n\n", "x\r", "\r", SUBJECT "blank at the end\n\nx\n\n\n\n",
	SUBJECT "CRs\n\na\rb\r\rc\r\r\n\r\r\n\rd\n\r\r\n",
	SUBJECT "\xfc\xff\x80\n\n\xe2\x82\xac\xfe\xff\n",
	SUBJECT "lying\nContent-Length: 99999\nStatus: RO\n\nx\n",
};

static const size_t lengths[] = { 1, 511, 512, 997, 998, 999, 1000, 65535,
    65536, 65537 };

#define LINES	(sizeof(lines) / sizeof(lines[0]))
#define LENGTHS	(sizeof(lengths) / sizeof(lengths[0]))

/* Octets by chance, of those that mean something somewhere. */
static inline void
add_salad(struct bytes *to, unsigned int number)
{
	static const char octets[] = "\r\n\n\0.>F \t\x80\xff:ab";
	unsigned int state = number * 2654435761U + 1, left;

	for (left = chance(&state) % 300; left > 0; left--)
		add(to, &octets[chance(&state) % (sizeof(octets) - 1)], 1);
}

/*
 * Text that an mbox cannot hold as it is, or that looks as if; and what is
 * in an mbox in its place.  The same: it is held as it is.
 */
#define DATED	"From bob@example.org Sun Nov 22 01:02:03 2026"
#define SAME(text)	{ text, text }

static const struct quotable {
	const char *text, *quoted;
} quotables[] = {
	{ SUBJECT "one\n\ntext\n\n" DATED "\nmore\n",
	    SUBJECT "one\n\ntext\n\n>" DATED "\nmore\n" },
	{ SUBJECT "at once\n\n" DATED "\n",
	    SUBJECT "at once\n\n>" DATED "\n" },
	{ SUBJECT "two\n\n" DATED "\n\n" DATED "\n",
	    SUBJECT "two\n\n>" DATED "\n\n>" DATED "\n" },
	{ SUBJECT "CRLF\r\n\r\n" DATED "\r\nmore\r\n",
	    SUBJECT "CRLF\r\n\r\n>" DATED "\r\nmore\r\n" },
	{ SUBJECT "the last line\n\n" DATED,
	    SUBJECT "the last line\n\n>" DATED },
	{ SUBJECT "zones\n\nFrom bob Sun Nov 22 01:02:03 MET DST 2026\n",
	    SUBJECT "zones\n\n>From bob Sun Nov 22 01:02:03 MET DST 2026\n" },
	{ "\n" DATED "\n", "\n>" DATED "\n" },
	SAME(SUBJECT "no empty line\n\ntext\n" DATED "\n"),
	SAME(SUBJECT "quoted before\n\n>" DATED "\n\n>>" DATED "\n"),
	SAME(SUBJECT "no date\n\nFrom here on\n\nFrom bob@example.org\n"),
	SAME(SUBJECT "a blank\n\n " DATED "\n \n" DATED "\n"),
	SAME(SUBJECT "a CR before\n\r\r\n" DATED "\n"),
};

#define QUOTABLES	(sizeof(quotables) / sizeof(quotables[0]))

static inline void
make_quotable(unsigned int number, struct bytes *to)
{
	to->length = 0;
	add_text(to, quotables[number - 1].text);
}

static inline void
make_quoted(unsigned int number, struct bytes *to)
{
	to->length = 0;
	add_text(to, quotables[number - 1].quoted);
}

/* Message `number`, from 1, as a file of its own. */
static inline void
make_message(unsigned int number, struct bytes *to)
{
	const unsigned int kind = number % 40;
	char text[80];

	to->length = 0;
	if (kind < LINES) {
		add_text(to, lines[kind]);
		if (kind == 5)		/* NULs are no part of a text */
			add(to, "\0a\0\n\0\n", 6);
	} else if (kind < LINES + 2 && number < 400) {
		add_text(to, SUBJECT "long\n\n");
		add_many(to, 'x', lengths[number / 40 % LENGTHS]);
		add_text(to, kind % 2 == 0 ? "\n" : "\r\r\ny\n");
	} else if (kind == LINES + 2 && number < 400) {
		add_text(to, "X-Huge: ");
		while (to->length < 100000)
			add_text(to, "from here to there\n\t");
		add_text(to, "\n\nx\n");
	} else {
		(void)snprintf(text, sizeof(text), SUBJECT "%u\n%s\n", number,
		    number % 2 == 0 ? "\r" : "");
		add_text(to, text);
		add_salad(to, number);
	}
}

static inline int
has_line_end(const struct bytes *message)
{
	return (message->length > 0 &&
	    message->at[message->length - 1] == '\n');
}

/* Adds text with CRLF for every line end; `quotes`: as mboxrd has it. */
static inline void
add_crlf(struct bytes *to, const struct bytes *from, int quotes)
{
	size_t at = 0, end, length, arrows;

	for (; at < from->length; at = end + 1) {
		for (end = at; end < from->length && from->at[end] != '\n';
		    end++)
			continue;
		for (arrows = at; arrows < end && from->at[arrows] == '>';
		    arrows++)
			continue;
		if (quotes && end - arrows >= 5 &&
		    memcmp(from->at + arrows, "From ", 5) == 0)
			add_text(to, ">");
		length = end - at;
		if (end < from->length && length > 0 &&
		    from->at[end - 1] == '\r')
			length--;
		add(to, from->at + at, length);
		add_text(to, "\r\n");
	}
}

/* What POP2 sends of it. */
static inline void
make_wire(const struct bytes *message, struct bytes *to)
{
	to->length = 0;
	add_crlf(to, message, 0);
	if (message->length == 0)
		add_text(to, "\r\n");
}

/* Each came a little later than the one before. */
static inline time_t
date_of(unsigned int number)
{
	return (1770000000 + (time_t)number * 4001);
}

static inline void
add_from_line(struct bytes *to, unsigned int number,
    const struct bytes *message, const char *end)
{
	static const char bob[] = "Return-Path: <bob@example.org>";
	const time_t date = date_of(number);
	char text[120], when[60];
	struct tm tm;

	(void)gmtime_r(&date, &tm);
	(void)strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	(void)snprintf(text, sizeof(text), "From %s %s%s",
	    message->length > sizeof(bob) && memcmp(message->at, bob,
	    sizeof(bob) - 1) == 0 ? "bob@example.org" : "MAILER-DAEMON", when,
	    end);
	add_text(to, text);
}

/* An mbox's message ends in a line end and an empty line. */
static inline void
add_to_mbox(struct bytes *to, unsigned int number,
    const struct bytes *message)
{
	add_from_line(to, number, message, "\n");
	add(to, message->at, message->length);
	if (message->length > 0 && !has_line_end(message))
		add_text(to, message->at[message->length - 1] == '\r' ?
		    "\r\n" : "\n");
	add_text(to, "\n");
}

static inline void
add_to_mailtxt(struct bytes *to, unsigned int number,
    const struct bytes *message, enum form form)
{
	const time_t date = date_of(number);
	struct bytes text = { NULL, 0, 0 };
	char head[120], when[60];
	struct tm tm;

	add(&text, "", 0);
	if (form == TENEX || message->length == 0)
		add(&text, message->at, message->length);
	else {
		add_crlf(&text, message, 0);
		if (!has_line_end(message))
			text.length -= 2;
	}
	(void)gmtime_r(&date, &tm);
	(void)strftime(when, sizeof(when), "%e-%b-%Y %H:%M:%S +0000", &tm);
	(void)snprintf(head, sizeof(head), "%s,%zu;000000000000%s", when,
	    text.length, form == TENEX ? "\n" : "\r\n");
	add_text(to, head);
	add(to, text.at, text.length);
	free(text.at);
}

static inline void
write_file_of(const struct server *server, const char *folder,
    enum form form, unsigned int number, const struct bytes *message)
{
	const struct timespec times[2] = { { date_of(number), 0 },
	    { date_of(number), 0 } };
	char path[300], whole[800];

	if (form == MH)
		(void)snprintf(path, sizeof(path), "%s/%u", folder, number);
	else
		(void)snprintf(path, sizeof(path), "%s/%s/%lld.M%u.host%s",
		    folder, number % 3 == 0 ? "cur" : "new",
		    (long long)date_of(number), number, number % 3 == 0 ?
		    ":2,S" : "");
	folder_write(server, FRED, path, message->at, message->length);
	(void)snprintf(whole, sizeof(whole), "%s/home/%s/%s",
	    server->directory, FRED, path);
	ATF_REQUIRE(utimensat(AT_FDCWD, whole, times, 0) == 0);
}

static inline void
make_below(const struct server *server, const char *folder, const char *name)
{
	char path[300], whole[800];

	(void)snprintf(path, sizeof(path), "%s/%s/x", folder, name);
	folder_write(server, FRED, path, "", 0);
	(void)snprintf(whole, sizeof(whole), "%s/home/%s/%s",
	    server->directory, FRED, path);
	ATF_REQUIRE(unlink(whole) == 0);
}

/* Writes messages 1 to `count` into a folder below FRED's home. */
static inline void
write_form(const struct server *server, const char *folder, enum form form,
    unsigned int count, void (*make)(unsigned int, struct bytes *))
{
	struct bytes message = { NULL, 0, 0 }, all = { NULL, 0, 0 };
	unsigned int number;

	if (form == MAILDIR) {
		make_below(server, folder, "cur");
		make_below(server, folder, "new");
		make_below(server, folder, "tmp");
	}
	add(&message, "", 0);
	for (number = 1; number <= count; number++) {
		make(number, &message);
		if (form == MBOX)
			add_to_mbox(&all, number, &message);
		else if (form == MTX || form == TENEX)
			add_to_mailtxt(&all, number, &message, form);
		else
			write_file_of(server, folder, form, number, &message);
	}
	if (all.length > 0)
		folder_write(server, FRED, folder, all.at, all.length);
	free(message.at);
	free(all.at);
}

#endif
