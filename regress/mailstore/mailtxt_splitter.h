/*
 * mailtxt_splitter.h - a second opinion on what a MAIL.TXT holds.
 *
 * Test code alone.  Fills the struct split of splitter.h, and shares nothing
 * with mailstore/: where the two differ, one of them is wrong.
 */
#ifndef MAILTXT_SPLITTER_H
#define MAILTXT_SPLITTER_H

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "walk.h"

/*
 * A header line at `at`: its length with its end, or 0.  The fields are
 * pointed out in `match`: 1 the octets, 2 the flags, 3 the date.
 */
static size_t
txt_header(const char *bytes, size_t length, size_t at, regmatch_t *match)
{
	static const char pattern[] = "^(( [1-9]|0[1-9]|[12][0-9]|3[01])-"
	    "([jJ][aA][nN]|[fF][eE][bB]|[mM][aA][rRyY]|[aA][pP][rR]|"
	    "[jJ][uU][nNlL]|[aA][uU][gG]|[sS][eE][pP]|[oO][cC][tT]|"
	    "[nN][oO][vV]|[dD][eE][cC])-([0-9]{2}|[0-9]{4}) "
	    "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60))"
	    "(-[A-Za-z]{1,6}| ?[-+]([01][0-9]|2[0-3])[0-5][0-9]),"
	    "([0-9]{1,20});([0-7]{12})$";
	static regex_t compiled;
	static int ready;
	regmatch_t all[11];
	char text[80];
	size_t end = at, ending = 1;

	if (!ready)
		ATF_REQUIRE(regcomp(&compiled, pattern, REG_EXTENDED) == 0);
	ready = 1;
	while (end < length && bytes[end] != '\n')
		end++;
	if (end == length || end - at >= sizeof(text))
		return (0);
	if (end > at && bytes[end - 1] == '\r') {
		end--;
		ending = 2;
	}
	memcpy(text, bytes + at, end - at);
	text[end - at] = '\0';
	if (strlen(text) != end - at ||
	    regexec(&compiled, text, 11, all, 0) != 0)
		return (0);
	match[1] = all[9];
	match[2] = all[10];
	match[3] = all[1];
	return (end - at + ending);
}

/* Every line with CRLF at its end. */
static void
txt_form(struct text *out, const char *bytes, size_t length, int quotes)
{
	size_t at = 0, end, next, quote;

	for (; at < length; at = next) {
		end = at;
		while (end < length && bytes[end] != '\n')
			end++;
		next = end + 1;
		if (end < length && end > at && bytes[end - 1] == '\r')
			end--;
		for (quote = at; quote < end && bytes[quote] == '>'; quote++)
			continue;
		if (quotes && end - quote >= 5 &&
		    memcmp(bytes + quote, "From ", 5) == 0)
			add(out, ">", 1);
		add(out, bytes + at, end - at);
		add(out, "\r\n", 2);
	}
}

/*
 * The date as a From_ line has it.  Tests use no zone but GMT and +0000 in
 * a mailbox, so that it needs no sums.
 */
static void
txt_date(const char *bytes, size_t length, char *date, size_t size)
{
	char text[40];
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	(void)snprintf(text, sizeof(text), "%.*s", (int)length, bytes);
	ATF_REQUIRE(strptime(text, length == 20 ? "%e-%b-%Y %H:%M:%S" :
	    "%e-%b-%y %H:%M:%S", &tm) != NULL);
	/* Two digits are a year of the 1900s. */
	if (length != 20 && tm.tm_year >= 100)
		tm.tm_year -= 100;
	(void)timegm(&tm);	/* finds the day of the week */
	(void)strftime(date, size, "%a %b %e %H:%M:%S %Y", &tm);
	/* What a From_ line cannot say. */
	if (tm.tm_year < 1000 - 1900)
		(void)snprintf(date, size, "Thu Jan  1 00:00:00 1970");
}

/* A message: alone, and behind a From_ line. */
static void
txt_message(struct split *split, struct text *whole, size_t at, size_t head,
    size_t content, const regmatch_t *date)
{
	struct split_message *message = &split->messages[split->count++];
	const char *bytes = split->bytes + at, *body = bytes + head;
	struct text out = { NULL, 0, 0 };
	char sender[300] = "MAILER-DAEMON", line[400], text[40], *path;
	const char *empty;

	message->offset = at;
	message->end = at + head + content;
	txt_form(&out, body, content, 0);
	if (content == 0)
		add(&out, "\r\n", 2);
	message->form = out.bytes;
	message->octets = out.length;
	txt_date(bytes, (size_t)(date->rm_eo - date->rm_so), text,
	    sizeof(text));
	path = memmem(body, content, "Return-Path: <", 14);
	empty = memmem(body, content, "\n\n", 2);
	/* Tests that have one write it so. */
	if (path != NULL && (empty == NULL || path < empty) &&
	    (path == body || path[-1] == '\n') &&
	    memchr(path, '\n', content - (size_t)(path - body)) != NULL)
		(void)snprintf(sender, sizeof(sender), "%.*s",
		    (int)strcspn(path + 14, ">"), path + 14);
	(void)snprintf(line, sizeof(line), "From %s %s\r\n", sender, text);
	add(whole, line, strlen(line));
	txt_form(whole, body, content, 1);
	add(whole, "\r\n", 2);
}

/* Returns 0, or 1: damaged, behind the messages that were found. */
static int
split_mailtxt(struct split *split, const void *bytes, size_t length)
{
	struct text whole = { NULL, 0, 0 };
	unsigned long long content;
	size_t at = 0, head = 0;
	regmatch_t match[4];
	const char *text = bytes;

	memset(split, 0, sizeof(*split));
	split->bytes = bytes;
	split->length = length;
	split->messages = calloc(length + 1, sizeof(*split->messages));
	ATF_REQUIRE(split->messages != NULL);
	add(&whole, "", 0);
	while (at < length) {
		head = txt_header(text, length, at, match);
		if (head == 0)
			break;
		errno = 0;
		content = strtoull(text + at + match[1].rm_so, NULL, 10);
		if (errno != 0 || content > length - at - head)
			break;
		/* Flagged as deleted: it is there, and not shown. */
		if (((text[at + (size_t)match[2].rm_eo - 1] - '0') & 2) == 0)
			txt_message(split, &whole, at, head, (size_t)content,
			    &match[3]);
		at += head + (size_t)content;
	}
	split->whole = whole.bytes;
	split->whole_octets = whole.length;
	return (at < length);
}

#endif
