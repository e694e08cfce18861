/*
 * tool_content.c - what is odd inside of one message.
 *
 * Linked into postern-mailbox; runs as the mailbox's owner, on bytes from
 * strangers.
 */
#include <string.h>
#include <strings.h>

#include "mbox.h"
#include "tool.h"

enum oddity {
	BARE_CR,
	NUL,
	HEADER_8BIT,
	NO_EMPTY_LINE,
	NO_DATE,
	CONTENT_LENGTH,
	NO_NEWLINE,
	ODDITIES
};

static const char *const names[ODDITIES] = {
	"bare-cr", "nul", "8-bit-in-header",
	"from-line-not-taken-no-empty-line-before-it",
	"from-line-not-taken-no-address-and-date", "content-length-is-wrong",
	"no-newline-at-the-end"
};

struct content {
	const struct tool_part *part;
	uint64_t at;			/* byte of the file */
	int in_header;
	int after_empty;		/* the line before is empty */
	int ended;			/* the last line has its newline */
	uint64_t body;			/* where it begins; 0: there is none */
	int has_length;
	uint64_t length, length_at;	/* Content-Length says */
	struct {
		uint64_t first, count;
	} found[ODDITIES];
};

static void
note(struct content *content, enum oddity oddity, uint64_t offset)
{
	if (content->found[oddity].count++ == 0)
		content->found[oddity].first = offset;
}

static void
look_at_octets(struct content *content, const struct line *line)
{
	const unsigned char *c = line->text, *end = c + line->length;

	for (; c < end; c++)
		if (*c == '\r')
			note(content, BARE_CR, content->at +
			    (uint64_t)(c - line->text));
		else if (*c == '\0')
			note(content, NUL, content->at +
			    (uint64_t)(c - line->text));
		else if (*c > 0x7f && content->in_header)
			note(content, HEADER_8BIT, content->at +
			    (uint64_t)(c - line->text));
}

/* "From " that another reader may take for the beginning of a message. */
static void
look_for_from(struct content *content, const struct line *line)
{
	const int is_from = mbox_is_from_line(line->text, line->length);

	if (line->length < 5 || memcmp(line->text, "From ", 5) != 0)
		return;
	if (is_from && !content->after_empty)
		note(content, NO_EMPTY_LINE, content->at);
	else if (!is_from && content->after_empty)
		note(content, NO_DATE, content->at);
}

static void
look_for_length(struct content *content, const struct line *line)
{
	static const char key[] = "Content-Length:";
	size_t at = sizeof(key) - 1;
	uint64_t value = 0;

	if (line->length <= at ||
	    strncasecmp((const char *)line->text, key, at) != 0)
		return;
	while (at < line->length && line->text[at] == ' ')
		at++;
	/* More digits than any file has bytes are a lie as well. */
	for (; at < line->length && line->text[at] >= '0' &&
	    line->text[at] <= '9' && value < UINT64_MAX / 20; at++)
		value = value * 10 + (uint64_t)(line->text[at] - '0');
	content->has_length = 1;
	content->length = value;
	content->length_at = content->at;
}

static void
look_at_line(struct content *content, const struct line *line)
{
	const int is_empty = line->starts && line->length == 0;

	if (content->part->is_mbox && line->starts)
		look_for_from(content, line);
	if (content->part->is_mbox && line->starts && content->in_header)
		look_for_length(content, line);
	look_at_octets(content, line);
	content->at += line->length + line->ending;
	content->ended = line->ending != 0;
	content->after_empty = is_empty && line->ending != 0;
	if (content->in_header && is_empty) {
		content->in_header = 0;
		content->body = content->at;
	}
}

/* Agents count the body with the empty line behind it, or without. */
static void
check_length(struct content *content, uint64_t end)
{
	const uint64_t body = content->body == 0 || content->body > end ? 0 :
	    end - content->body;

	if (content->has_length && content->length != body &&
	    content->length != body + content->part->blank_bytes)
		note(content, CONTENT_LENGTH, content->length_at);
}

int
tool_content(const struct tool_part *part)
{
	static struct line_reader reader;
	struct content content;
	struct line line;
	int got, oddity;

	memset(&content, 0, sizeof(content));
	content.part = part;
	content.at = part->from;
	content.in_header = content.ended = 1;
	lines_begin(&reader, part->fd, part->from, part->to, NULL);
	while ((got = lines_next(&reader, &line)) == 1 &&
	    !tool_is_interrupted())
		look_at_line(&content, &line);
	if (got == -1)
		return (-1);
	check_length(&content, part->to - part->blank_bytes);
	if (!content.ended)
		note(&content, NO_NEWLINE, part->to);
	for (oddity = 0; oddity < ODDITIES; oddity++)
		if (content.found[oddity].count > 0)
			tool_odd(part->file, content.found[oddity].first,
			    part->number, names[oddity],
			    content.found[oddity].count);
	return (0);
}
