/*
 * uid_content.c - what of a message makes its unique id.
 *
 * Linked into postern-store; runs as the user, on bytes from strangers.
 * Programs that show mail write their notes into its header; the id must not
 * depend on them.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "uid.h"

/* What mutt, Dovecot, c-client, Mozilla, Elm, qpopper and nmh write. */
static const char *const notes[] = { "Status:", "X-Status:", "X-Keywords:",
    "X-UID:", "X-IMAP:", "X-IMAPbase:", "X-UIDL:", "Content-Length:",
    "Lines:", "X-Mozilla-Status:", "X-Mozilla-Status2:", "X-Mozilla-Keys:",
    "Replied:", "Forwarded:", "Resent:", NULL };

#define NAME_SIZE	24	/* longer than any of them */

struct content {
	crypto_generichash_state hash;
	int header_only;
	int in_body;
	int left_out;		/* this header line is */
	int decided;		/* `name` was looked at */
	size_t have;		/* octets of the line in `name` */
	unsigned char name[NAME_SIZE];
	uint64_t empty_lines;	/* not yet in the hash */
	int inside;		/* of a line of the body */
};

static void
add(struct content *content, const void *octets, size_t length)
{
	(void)crypto_generichash_update(&content->hash, octets,
	    (unsigned long long)length);
}

/* The beginning of a header line is there: does the line count? */
static void
decide(struct content *content)
{
	const int first = tolower(content->name[0]);
	size_t i, length;

	content->decided = 1;
	if (content->have > 0 && content->name[0] != ' ' &&
	    content->name[0] != '\t')
		content->left_out = 0;	/* no folded line */
	for (i = 0; notes[i] != NULL && !content->left_out; i++) {
		length = strlen(notes[i]);
		content->left_out = content->have >= length &&
		    first == tolower((unsigned char)notes[i][0]) &&
		    strncasecmp((const char *)content->name, notes[i],
		    length) == 0;
	}
	if (!content->left_out)
		add(content, content->name, content->have);
}

static void
take_header(struct content *content, const unsigned char *octets,
    size_t length, int ends)
{
	size_t part = 0;

	if (!content->decided) {
		part = sizeof(content->name) - content->have;
		if (part > length)
			part = length;
		memcpy(content->name + content->have, octets, part);
		content->have += part;
		if (ends && content->have == 2 &&
		    memcmp(content->name, "\r\n", 2) == 0) {
			content->in_body = 1;
			content->empty_lines = 1;
			return;
		}
		if (ends || content->have == sizeof(content->name))
			decide(content);
	}
	if (content->decided && !content->left_out)
		add(content, octets + part, length - part);
	if (ends) {
		content->decided = 0;
		content->have = 0;
	}
}

/* Empty lines count only where something stands behind them. */
static void
take_body(struct content *content, const unsigned char *octets,
    size_t length, int ends)
{
	if (!content->inside && ends && length == 2) {
		content->empty_lines++;
		return;
	}
	for (; content->empty_lines > 0; content->empty_lines--)
		add(content, "\r\n", 2);
	add(content, octets, length);
	content->inside = !ends;
}

/*
 * An empty piece is no piece; a line's end comes with the line or behind it.
 * An error behind the header is how reading is ended there.
 */
static int
take(struct wire *wire, const unsigned char *octets, size_t length)
{
	struct content *content = wire->context;
	const unsigned char *feed;
	size_t part;

	for (; length > 0; octets += part, length -= part) {
		feed = memchr(octets, '\n', length);
		part = feed == NULL ? length : (size_t)(feed - octets) + 1;
		if (content->in_body)
			take_body(content, octets, part, feed != NULL);
		else
			take_header(content, octets, part, feed != NULL);
		if (content->in_body && content->header_only)
			return (-1);
	}
	return (0);
}

static const char *
read_content(struct mailbox *mailbox, uint64_t number, const void *label,
    size_t length, int header_only, unsigned char *digest)
{
	static struct wire nowhere;
	struct content content;
	const char *wrong;

	memset(&content, 0, sizeof(content));
	content.header_only = header_only;
	(void)crypto_generichash_init(&content.hash, NULL, 0,
	    UID_DIGEST_BYTES);
	add(&content, label, length);
	nowhere.fd = -1;
	wire_begin(&nowhere, 0);
	nowhere.header_only = header_only;
	wire_divert(&nowhere, take, &content);
	wrong = mailbox->format->send(mailbox, number, &nowhere);
	(void)crypto_generichash_final(&content.hash, digest,
	    UID_DIGEST_BYTES);
	return (header_only && content.in_body ? NULL : wrong);
}

const char *
uid_content(struct mailbox *mailbox, uint64_t number, const char *label,
    unsigned char *digest)
{
	return (read_content(mailbox, number, label, strlen(label) + 1, 0,
	    digest));
}

const char *
uid_header(struct mailbox *mailbox, uint64_t number, unsigned char *digest)
{
	return (read_content(mailbox, number, digest, UID_DIGEST_BYTES, 1,
	    digest));
}
