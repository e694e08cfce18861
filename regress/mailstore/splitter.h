/*
 * splitter.h - a second opinion on what an mbox file holds.
 *
 * Test code alone.  Written from RFC 4155 and from the rules in
 * mailstore/mbox.h, simple and slow, and shares nothing with mailstore/:
 * where the two differ, one of them is wrong.
 */
#ifndef SPLITTER_H
#define SPLITTER_H

#include <atf-c.h>
#include <regex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SPLIT_FROM_MAX	1000	/* a longer line is text */

struct split_line {
	size_t at, length;	/* without its end */
	size_t ending;		/* bytes of its end: 0, 1 or 2 */
};

struct split_message {
	size_t from, to;	/* lines: the From_ line; behind the last */
	size_t offset, end;	/* bytes of the file */
	char *form;		/* on the wire */
	size_t octets;
};

struct split {
	const char *bytes;
	size_t length;
	struct split_line *lines;
	size_t line_count;
	struct split_message *messages;
	size_t count;
	char *whole;		/* the mailbox on the wire, From_ lines too */
	size_t whole_octets;
};

static void
split_lines(struct split *split)
{
	struct split_line *line;
	size_t at = 0, end;

	split->lines = calloc(split->length + 1, sizeof(*line));
	ATF_REQUIRE(split->lines != NULL);
	while (at < split->length) {
		line = &split->lines[split->line_count++];
		line->at = at;
		for (end = at; end < split->length; end++)
			if (split->bytes[end] == '\n')
				break;
		line->length = end - at;
		if (end < split->length) {
			line->ending = 1;
			if (end > at && split->bytes[end - 1] == '\r') {
				line->ending = 2;
				line->length--;
			}
			end++;
		}
		at = end;
	}
}

static int
split_is_from(const struct split *split, const struct split_line *line)
{
	static const char pattern[] = "^From +[^ ].* "
	    "(Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
	    "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-9]{1,2} +"
	    "[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( +[-+:()A-Za-z0-9]+){0,3}"
	    " +[0-9]{4}( .*)?$";
	static regex_t compiled;
	static int ready;
	char text[SPLIT_FROM_MAX];
	size_t i;

	if (line->length < 5 || line->length >= sizeof(text) ||
	    memcmp(split->bytes + line->at, "From ", 5) != 0)
		return (0);
	if (!ready)
		ATF_REQUIRE(regcomp(&compiled, pattern, REG_EXTENDED |
		    REG_NOSUB) == 0);
	ready = 1;
	/* To a regular expression a NUL would be the end. */
	for (i = 0; i < line->length; i++) {
		text[i] = split->bytes[line->at + i];
		if (text[i] == '\0')
			text[i] = '\1';
	}
	text[line->length] = '\0';
	return (regexec(&compiled, text, 0, NULL, 0) == 0);
}

static int
split_is_empty(const struct split_line *line)
{
	return (line->length == 0 && line->ending != 0);
}

/* Lines as the wire has them: each with CRLF. */
static char *
split_form(const struct split *split, size_t from, size_t to, size_t *octets)
{
	const struct split_line *line;
	size_t i, room = 3, used = 0;
	char *form;

	for (i = from; i < to; i++)
		room += split->lines[i].length + 2;
	ATF_REQUIRE((form = malloc(room)) != NULL);
	for (i = from; i < to; i++) {
		line = &split->lines[i];
		memcpy(form + used, split->bytes + line->at, line->length);
		used += line->length;
		form[used++] = '\r';
		form[used++] = '\n';
	}
	*octets = used;
	return (form);
}

/* One empty line behind the message is the separator's, not the message's. */
static void
split_fill_message(const struct split *split, struct split_message *message)
{
	const struct split_line *last = &split->lines[message->to - 1];
	size_t to = message->to;

	message->offset = split->lines[message->from].at;
	message->end = last->at + last->length + last->ending;
	if (to - 1 > message->from && split_is_empty(last))
		to--;
	message->form = split_form(split, message->from + 1, to,
	    &message->octets);
	if (message->octets == 0) {
		memcpy(message->form, "\r\n", 2);
		message->octets = 2;
	}
}

static void
split_begin(struct split *split, const void *bytes, size_t length)
{
	size_t i;

	memset(split, 0, sizeof(*split));
	split->bytes = bytes;
	split->length = length;
	split_lines(split);
	split->messages = calloc(split->line_count + 1,
	    sizeof(*split->messages));
	ATF_REQUIRE(split->messages != NULL);
	for (i = 0; i < split->line_count; i++)
		if ((i == 0 || split_is_empty(&split->lines[i - 1])) &&
		    split_is_from(split, &split->lines[i]))
			split->messages[split->count++].from = i;
	for (i = 0; i < split->count; i++) {
		split->messages[i].to = i + 1 < split->count ?
		    split->messages[i + 1].from : split->line_count;
		split_fill_message(split, &split->messages[i]);
	}
	split->whole = split_form(split, split->count > 0 ?
	    split->messages[0].from : split->line_count, split->line_count,
	    &split->whole_octets);
}

static void
split_end(struct split *split)
{
	size_t i;

	for (i = 0; i < split->count; i++)
		free(split->messages[i].form);
	free(split->messages);
	free(split->lines);
	free(split->whole);
}

/* The file without the messages that have their octet of `deleted` set. */
static char *
split_without(const struct split *split, const unsigned char *deleted,
    size_t *length)
{
	size_t i, at = 0, used = 0, part;
	char *left = malloc(split->length + 1);

	ATF_REQUIRE(left != NULL);
	for (i = 0; i < split->count; i++) {
		if (!deleted[i])
			continue;
		part = split->messages[i].offset - at;
		memcpy(left + used, split->bytes + at, part);
		used += part;
		at = split->messages[i].end;
	}
	memcpy(left + used, split->bytes + at, split->length - at);
	*length = used + split->length - at;
	return (left);
}

#endif
