/*
 * mboxrd_test.c - messages of other formats, as an mbox holds them.
 */
#include <sys/mman.h>

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox.h"
#include "mboxrd.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define NOBODY		"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\r\n"
#define TEXT(bytes)	bytes, sizeof(bytes) - 1

/* Writes a message, counted and sent; returns what was sent. */
static char *
form(const char *bytes, size_t length, time_t received, size_t *sent)
{
	static struct line_reader reader;
	static struct wire wire;
	int fd = memfd_create("message", MFD_CLOEXEC), got, i;
	char sender[SENDER_SIZE], *octets;
	struct mboxrd message;
	struct line line;

	memset(&wire, 0, sizeof(wire));
	wire.fd = memfd_create("wire", MFD_CLOEXEC);
	ATF_REQUIRE(fd != -1 && wire.fd != -1);
	ATF_REQUIRE_EQ((ssize_t)length, write(fd, bytes, length));
	for (i = 0; i < 2; i++) {
		if (i == 1)
			wire_begin(&wire, message.octets);
		ATF_REQUIRE_EQ(0, mboxrd_sender(&reader, fd, 0, length,
		    sender));
		ATF_REQUIRE_EQ(0, mboxrd_begin(&message, i == 0 ? NULL :
		    &wire, sender, received));
		lines_begin(&reader, fd, 0, length, NULL);
		while ((got = lines_next(&reader, &line)) == 1)
			ATF_REQUIRE_EQ(0, mboxrd_line(&message, &line));
		ATF_REQUIRE_EQ(0, got);
		ATF_REQUIRE_EQ(0, mboxrd_end(&message));
	}
	/* It is as long as was counted before. */
	ATF_CHECK_EQ(0, wire_end(&wire));
	*sent = (size_t)message.octets;
	octets = calloc(1, *sent + 1);
	ATF_REQUIRE(octets != NULL);
	ATF_REQUIRE_EQ((ssize_t)*sent, pread(wire.fd, octets, *sent + 1, 0));
	(void)close(wire.fd);
	(void)close(fd);
	return (octets);
}

/* The first line begins a message of an mbox, and no other one does. */
static void
check_lines(const char *name, const char *octets)
{
	const char *end;
	size_t number = 0;

	for (; (end = strstr(octets, "\r\n")) != NULL; octets = end + 2)
		ATF_CHECK_EQ_MSG(number++ == 0, mbox_is_from_line((const
		    unsigned char *)octets, (size_t)(end - octets)),
		    "%s: line %zu", name, number);
}

static const struct {
	const char *name, *bytes;
	size_t length;
	const char *form;
	size_t form_length;
} messages[] = {
	{ "nothing", TEXT(""), TEXT(NOBODY "\r\n") },
	{ "an empty line", TEXT("\n"), TEXT(NOBODY "\r\n\r\n") },
	{ "LF", TEXT("S: 1\n\nb\n"), TEXT(NOBODY "S: 1\r\n\r\nb\r\n\r\n") },
	{ "CRLF", TEXT("S: 1\r\n\r\nb\r\n"),
	    TEXT(NOBODY "S: 1\r\n\r\nb\r\n\r\n") },
	{ "mixed", TEXT("S: 1\r\n\nb\n\n"),
	    TEXT(NOBODY "S: 1\r\n\r\nb\r\n\r\n\r\n") },
	{ "no end", TEXT("S: 1\n\nb"), TEXT(NOBODY "S: 1\r\n\r\nb\r\n\r\n") },
	{ "CR at the end", TEXT("b\r"), TEXT(NOBODY "b\r\r\n\r\n") },
	{ "NUL and 8-bit", TEXT("a\0b\n\xff\n"),
	    TEXT(NOBODY "a\0b\r\n\xff\r\n\r\n") },
	{ "From", TEXT("From a Sat Nov 21 23:33:00 2026\n\nFrom \n>From x\n"
	    ">>From y\n"), TEXT(NOBODY ">From a Sat Nov 21 23:33:00 2026\r\n"
	    "\r\n>From \r\n>>From x\r\n>>>From y\r\n\r\n") },
	{ "From, last", TEXT("a\n\nFrom "),
	    TEXT(NOBODY "a\r\n\r\n>From \r\n\r\n") },
	{ "nearly From", TEXT("From\nFrom:\n from \n> From \nfrom x\n>\n"
	    "> >From x\n"), TEXT(NOBODY "From\r\nFrom:\r\n from \r\n"
	    "> From \r\nfrom x\r\n>\r\n> >From x\r\n\r\n") },
};

ATF_TC_WITHOUT_HEAD(forms);
ATF_TC_BODY(forms, tc)
{
	size_t i, length;
	char *sent;

	(void)tc;
	for (i = 0; i < COUNT(messages); i++) {
		sent = form(messages[i].bytes, messages[i].length, 0,
		    &length);
		ATF_CHECK_MSG(length == messages[i].form_length && memcmp(
		    sent, messages[i].form, length) == 0, "%s: \"%s\"",
		    messages[i].name, sent);
		check_lines(messages[i].name, sent);
		free(sent);
	}
}

static const struct {
	const char *line, *sender;
} senders[] = {
	{ "Return-Path: <a@example.org>", "a@example.org" },
	{ "return-path:<a@example.org>", "a@example.org" },
	{ "RETURN-PATH: \t a@example.org", "a@example.org" },
	{ "Return-Path: a!b", "a!b" },
	{ "Return-Path: <\xc3\xa9@example.org>", "\xc3\xa9@example.org" },
	{ "Return-Path: <>", "MAILER-DAEMON" },
	{ "Return-Path:", "MAILER-DAEMON" },
	{ "Return-Path: ", "MAILER-DAEMON" },
	{ "Return-Path", "MAILER-DAEMON" },
	{ "Return-Path: <\"a b\"@example.org>", "MAILER-DAEMON" },
	{ "Return-Path: <a@example.org> x", "MAILER-DAEMON" },
	{ "Return-Path: <a@example.org", "MAILER-DAEMON" },
	{ "Return-Path: a@example.org>", "MAILER-DAEMON" },
	{ "Return-Path: <<a@example.org>>", "MAILER-DAEMON" },
	{ "Return-Path: <", "MAILER-DAEMON" },
	{ "Return-Path: >", "MAILER-DAEMON" },
	{ "Return-Path: <a\t@example.org>", "MAILER-DAEMON" },
	{ "Return-Path: <a\x7f@example.org>", "MAILER-DAEMON" },
	{ "Return-Path: <a\rFrom@example.org>", "MAILER-DAEMON" },
	{ "X-Return-Path: <a@example.org>", "MAILER-DAEMON" },
	/* Anywhere in the header; the first one counts. */
	{ "X: 1\nReturn-Path: <a@example.org>\nY: 2", "a@example.org" },
	{ "X: 1\r\nReturn-Path: <a@example.org>\r", "a@example.org" },
	{ "Return-Path: <a@b>\nReturn-Path: <c@d>", "a@b" },
	{ "Return-Path: <>\nReturn-Path: <c@d>", "MAILER-DAEMON" },
	{ "X: 1\n\nReturn-Path: <a@example.org>", "MAILER-DAEMON" },
	{ "\nReturn-Path: <a@example.org>", "MAILER-DAEMON" },
};

static void
check_sender(const char *line, const char *sender)
{
	char wanted[400], text[400], *sent;
	size_t length;

	(void)snprintf(text, sizeof(text), "%s\n", line);
	(void)snprintf(wanted, sizeof(wanted),
	    "From %s Thu Jan  1 00:00:00 1970\r\n", sender);
	sent = form(text, strlen(text), 0, &length);
	ATF_CHECK_MSG(strncmp(sent, wanted, strlen(wanted)) == 0,
	    "%s: \"%s\"", line, sent);
	check_lines(line, sent);
	free(sent);
}

ATF_TC_WITHOUT_HEAD(sender);
ATF_TC_BODY(sender, tc)
{
	char line[400], address[SENDER_SIZE + 2];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(senders); i++)
		check_sender(senders[i].line, senders[i].sender);
	for (i = SENDER_SIZE - 2; i <= SENDER_SIZE; i++) {
		memset(address, 'a', i);
		address[i] = '\0';
		(void)snprintf(line, sizeof(line), "Return-Path: <%s>",
		    address);
		check_sender(line, i < SENDER_SIZE ? address :
		    "MAILER-DAEMON");
	}
}

static const struct {
	time_t received;
	const char *date;
} dates[] = {
	{ 0, "Thu Jan  1 00:00:00 1970" },
	{ 1795303980, "Sat Nov 21 23:33:00 2026" },
	{ -1, "Wed Dec 31 23:59:59 1969" },
	{ 951782399, "Mon Feb 28 23:59:59 2000" },
	{ 951782400, "Tue Feb 29 00:00:00 2000" },
	{ 253402300799, "Fri Dec 31 23:59:59 9999" },
	/* What a From_ line cannot say. */
	{ 253402300800, "Thu Jan  1 00:00:00 1970" },
	{ -62135596800, "Thu Jan  1 00:00:00 1970" },
	{ INT64_MAX, "Thu Jan  1 00:00:00 1970" },
	{ INT64_MIN, "Thu Jan  1 00:00:00 1970" },
};

ATF_TC_WITHOUT_HEAD(date);
ATF_TC_BODY(date, tc)
{
	const char *from = "From MAILER-DAEMON ";
	size_t i, length;
	char *sent;

	(void)tc;
	for (i = 0; i < COUNT(dates); i++) {
		sent = form("x\n", 2, dates[i].received, &length);
		ATF_CHECK_MSG(strncmp(sent + strlen(from), dates[i].date,
		    strlen(dates[i].date)) == 0, "%s: %s", dates[i].date,
		    sent);
		check_lines(dates[i].date, sent);
		free(sent);
	}
}

/* A Return-Path far down is not looked for. */
ATF_TC_WITHOUT_HEAD(far_sender);
ATF_TC_BODY(far_sender, tc)
{
	static const char field[] = "Return-Path: <a@example.org>\n";
	static char bytes[2 * RETURN_PATH_BYTES];
	size_t length, at;
	char *sent;

	(void)tc;
	for (at = RETURN_PATH_BYTES - sizeof(field); at <
	    RETURN_PATH_BYTES + 4; at++) {
		memset(bytes, 'x', sizeof(bytes));
		bytes[at - 1] = '\n';
		memcpy(bytes + at, field, sizeof(field) - 1);
		sent = form(bytes, sizeof(bytes), 0, &length);
		ATF_CHECK_EQ_MSG(at + sizeof(field) - 1 <= RETURN_PATH_BYTES,
		    strncmp(sent, "From a@example.org ", 19) == 0, "at %zu",
		    at);
		free(sent);
	}
}

static int
gone(void)
{
	return (1);
}

/* What could not be read is no message without a sender. */
ATF_TC_WITHOUT_HEAD(unread_sender);
ATF_TC_BODY(unread_sender, tc)
{
	static const char bytes[] = "Return-Path: <a@example.org>\n\n";
	static struct line_reader reader;
	char sender[SENDER_SIZE];
	int fd = memfd_create("message", MFD_CLOEXEC), i, stopped = 0;

	(void)tc;
	ATF_REQUIRE(fd != -1 && write(fd, bytes, sizeof(bytes) - 1) ==
	    (ssize_t)sizeof(bytes) - 1);
	ATF_CHECK_EQ(-1, mboxrd_sender(&reader, -1, 0, sizeof(bytes) - 1,
	    sender));
	/* Shorter than it was. */
	ATF_CHECK_EQ(-1, mboxrd_sender(&reader, memfd_create("none",
	    MFD_CLOEXEC), 0, sizeof(bytes) - 1, sender));
	/* A client that has gone is looked for now and then. */
	lines_unwanted = gone;
	for (i = 0; i < 1000; i++)
		stopped += mboxrd_sender(&reader, fd, 0, sizeof(bytes) - 1,
		    sender) == -1 && errno == EINTR;
	ATF_CHECK(stopped > 1 && stopped < 1000);
	lines_unwanted = NULL;
}

/* Pieces of a line that is longer than the buffer: no piece is a line. */
ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	static char bytes[2 * RELAY_BYTES];
	size_t have, length, shift;
	char *sent;

	(void)tc;
	for (shift = 0; shift < 8; shift++) {
		have = RELAY_BYTES - 4 + shift;
		memset(bytes, 'x', have);
		have += (size_t)sprintf(bytes + have, "From here\n");
		sent = form(bytes, have, 0, &length);
		ATF_CHECK_EQ(strlen(NOBODY) + have + 1 + 2, length);
		ATF_CHECK(memcmp(sent + strlen(NOBODY), bytes, have - 1) == 0);
		free(sent);
	}
}

/* The wire takes what was announced and not an octet more. */
ATF_TC_WITHOUT_HEAD(announced);
ATF_TC_BODY(announced, tc)
{
	static struct wire wire;
	struct line line = { (const unsigned char *)"x", 1, 1, 1 };
	struct mboxrd message;
	uint64_t octets, short_of;

	(void)tc;
	ATF_REQUIRE(mboxrd_begin(&message, NULL, "a", 0) == 0 &&
	    mboxrd_line(&message, &line) == 0 &&
	    mboxrd_end(&message) == 0);
	octets = message.octets;
	for (short_of = 0; short_of <= octets; short_of++) {
		wire_begin(&wire, octets - short_of);
		ATF_CHECK_EQ(short_of == 0,
		    mboxrd_begin(&message, &wire, "a", 0) == 0 &&
		    mboxrd_line(&message, &line) == 0 &&
		    mboxrd_end(&message) == 0);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, forms);
	ATF_TP_ADD_TC(tp, sender);
	ATF_TP_ADD_TC(tp, date);
	ATF_TP_ADD_TC(tp, far_sender);
	ATF_TP_ADD_TC(tp, unread_sender);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, announced);
	return (atf_no_error());
}
