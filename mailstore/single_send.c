/*
 * single_send.c - a message of a single file as it goes on the wire.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  No lock is
 * held while a client is slow.  Another program may have changed the file
 * meanwhile: what is sent is held against the snapshot, and a seal of the
 * stored bytes is kept, so that only that very message can be deleted.
 */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "mbox.h"
#include "mboxrd.h"
#include "single_file.h"

_Static_assert(SINGLE_DIGEST_BYTES == crypto_shorthash_siphashx24_BYTES,
    "a digest of a head line");

static const char changed[] = "the mailbox was changed by another program";
static const char not_sent[] = "not all could be sent";
static const char from[] = "From ";

#define FROM_LENGTH	(sizeof(from) - 1)

/* A message on its way. */
struct outgoing {
	struct wire *wire;
	int whole;		/* with all that an mbox has around it */
	int converts;		/* to that, from another form */
	struct mboxrd mboxrd;
	char sender[SENDER_SIZE];
	uint64_t octets;	/* of the message itself, so far */
};

int
single_is_changed(const char *wrong)
{
	return (wrong == changed);
}

/* Why lines_next said -1. */
static const char *
why_not_read(void)
{
	return (errno != 0 ? strerror(errno) :
	    "the mailbox was cut short by another program");
}

void
single_add_dots(struct single_message *message, uint64_t dots)
{
	message->dots = dots < (uint64_t)(UINT16_MAX - message->dots) ?
	    (uint16_t)(message->dots + dots) : UINT16_MAX;
}

void
single_count_dot(struct single_message *message, const struct line *line)
{
	if (line->starts && line->length > 0 && line->text[0] == '.')
		single_add_dots(message, 1);
}

uint64_t
single_octets(const struct single_message *message)
{
	return (message->octets != 0 ? message->octets : 2);
}

/* Its end is not in it: take_head compares that by itself. */
static void
hash_head(const struct single_file *single, const struct line *line,
    unsigned char *digest)
{
	(void)crypto_shorthash_siphashx24(digest, line->text, line->length -
	    single->format->flag_bytes, single->head_key);
}

void
single_keep_head(const struct single_file *single,
    struct single_message *message, const struct line *line)
{
	hash_head(single, line, message->digest);
}

/*
 * A program that has deleted messages before this one may have put another
 * one of its length in its place.
 */
static int
is_kept_head(const struct single_file *single,
    const struct single_message *message, const struct line *line)
{
	unsigned char digest[SINGLE_DIGEST_BYTES];

	if ((message->flags & SINGLE_SENT) != 0)
		return (1);	/* what was sent tells more */
	hash_head(single, line, digest);
	return (sodium_memcmp(digest, message->digest, sizeof(digest)) == 0);
}

/* The first line that is read must be that of the snapshot. */
static const char *
take_head(struct single_file *single, const struct single_message *message,
    struct line *line)
{
	const struct single_format *format = single->format;
	const int got = lines_next(&single->reader, line);

	if (got == -1)
		return (why_not_read());
	return (got == 0 || line->ending != message->head_ending ||
	    line->length + line->ending != message->head_bytes ||
	    !format->begins(message, line) ||
	    !is_kept_head(single, message, line) ? changed : NULL);
}

/* What is behind it is for a glance: no seal is made of it. */
static const char *
glance_at_head(struct single_file *single,
    const struct single_message *message, struct line *line)
{
	lines_begin(&single->reader, single->fd, message->offset,
	    message->offset + message->stored, NULL);
	lines_read_little(&single->reader);
	return (take_head(single, message, line));
}

const char *
single_read_head(struct single_file *single,
    const struct single_message *message, struct seal *seal,
    struct line *line)
{
	const struct single_format *format = single->format;
	uint64_t bytes = seal == NULL ? message->head_bytes : message->stored;
	const char *wrong;

	lines_begin(&single->reader, single->fd, message->offset,
	    message->offset + bytes, NULL);
	if (seal != NULL)
		lines_read_ahead(&single->reader, FROM_LENGTH);
	wrong = take_head(single, message, line);
	if (wrong != NULL || seal == NULL)
		return (wrong);
	seal_begin(seal);
	seal_take(seal, line->text, line->length - format->flag_bytes);
	seal_take(seal, line->text + line->length, line->ending);
	lines_take_seal(&single->reader, seal);
	return (NULL);
}

/* One line or piece of it; the end of the message is a line's end too. */
static int
put_line(struct outgoing *out, const struct line *line, int last)
{
	if (out->converts)
		return (mboxrd_line(&out->mboxrd, line));
	return (wire_put_line(out->wire, line, last));
}

static int
put_head(struct outgoing *out, const struct single_format *format,
    const struct line *line)
{
	if (out->converts)
		return (mboxrd_begin(&out->mboxrd, out->wire, out->sender,
		    format->received(line)));
	return (out->whole ? put_line(out, line, 1) : 0);
}

static int
put_end(struct outgoing *out)
{
	if (out->converts)
		return (mboxrd_end(&out->mboxrd));
	/* A message of nothing at all is sent as an empty line. */
	return (!out->whole && out->octets == 0 ?
	    wire_put(out->wire, "\r\n", 2) : 0);
}

/*
 * In an mbox no line of a message, `left` bytes before the end of its content,
 * can begin another message, and behind that stands the empty line that the
 * snapshot tells of.  Else a message was left out there, or was made of parts
 * of others.
 */
static int
is_foreign(const struct line *line, uint64_t left, unsigned int blank_bytes,
    int *after_blank)
{
	const int was_blank = *after_blank;

	*after_blank = line->starts && line->length == 0;
	if (left == 0)
		return (!*after_blank || line->ending != blank_bytes);
	return (line->length + line->ending > left || (was_blank &&
	    line->starts && mbox_is_from_line(line->text, line->length)));
}

/*
 * Whole lines of the content that are at hand, before one that a message of an
 * mbox may begin with: their bytes.
 */
static uint64_t
put_lines(struct single_file *single, struct outgoing *out, uint64_t most,
    int *after_blank)
{
	const int is_mbox = single->format->received == NULL;
	const uint64_t before = out->wire->sent;
	const unsigned char *text;
	uint64_t bytes;

	if (out->converts || *after_blank)
		return (0);
	(void)lines_peek(&single->reader, most, &text);
	bytes = wire_put_lines(out->wire, &single->reader, most);
	out->octets += out->wire->sent - before;
	*after_blank = is_mbox && line_blank(text, (size_t)bytes) > 0;
	return (bytes);
}

static const char *
send_lines(struct single_file *single, const struct single_message *message,
    struct outgoing *out)
{
	uint64_t at = message->offset + message->head_bytes;
	uint64_t end = message->offset + message->stored;
	uint64_t content_end = end - message->blank_bytes;
	struct line line;
	const int is_mbox = single->format->received == NULL;
	int got, failed = 0, last, after_blank = 0;

	if (at < content_end)
		at += put_lines(single, out, content_end - at,
		    &after_blank);
	while ((got = lines_next(&single->reader, &line)) == 1 && !failed) {
		last = at + line.length + line.ending == end;
		if (is_mbox && is_foreign(&line, at < content_end ?
		    content_end - at : 0, message->blank_bytes, &after_blank))
			return (changed);
		if (at < content_end)
			out->octets += line.length +
			    (line.ending != 0 || last ? 2 : 0);
		if (at < content_end || out->whole)
			failed = put_line(out, &line, last);
		at += line.length + line.ending;
		if (at < content_end && !failed)
			at += put_lines(single, out, content_end - at,
			    &after_blank);
	}
	if (got == -1)
		return (why_not_read());
	/* More than was announced cannot be sent, and is a reason by itself. */
	if (out->octets > message->octets ||
	    (!failed && out->octets != message->octets))
		return (changed);
	return (failed || put_end(out) == -1 ? not_sent : NULL);
}

/*
 * In an mbox the next message must still begin behind this one.  A program
 * that has put lines into this header, or taken others out, has moved it; and
 * what is in this place then may have just as many octets.
 */
static const char *
check_behind(const struct single_file *single,
    const struct single_message *message)
{
	const uint64_t end = message->offset + message->stored;
	const int is_last = end == single->size;
	char bytes[FROM_LENGTH];
	ssize_t got;

	/* Another format counts a message's bytes in its head line. */
	if (single->format->received != NULL)
		return (NULL);
	got = lines_behind(&single->reader, bytes, sizeof(bytes));
	if (got == -1)
		return (strerror(errno));
	/* Behind the last one a delivery may be under way. */
	if (is_last && (got == 0 || (message->blank_bytes == 0 &&
	    (bytes[0] == '\n' || bytes[0] == '\r'))))
		return (NULL);
	if (memcmp(bytes, from, (size_t)got) != 0 ||
	    (!is_last && got < (ssize_t)sizeof(bytes)))
		return (changed);
	return (NULL);
}

const char *
single_send(struct single_file *single, struct single_message *message,
    struct wire *wire, int whole)
{
	const struct single_format *format = single->format;
	uint64_t begin = message->offset + message->head_bytes;
	uint64_t end = message->offset + message->stored;
	struct outgoing out = { .wire = wire, .whole = whole,
	    .converts = whole && format->received != NULL };
	unsigned char digest[SEAL_BYTES];
	struct seal seal;
	struct line line;
	const char *wrong;

	if (out.converts && mboxrd_sender(&single->reader, single->fd, begin,
	    end, out.sender) == -1)
		return (why_not_read());
	wrong = wire->header_only ? glance_at_head(single, message, &line) :
	    single_read_head(single, message, &seal, &line);
	if (wrong == NULL && put_head(&out, format, &line) == -1)
		wrong = not_sent;
	if (wrong != NULL)
		return (wrong);
	wrong = send_lines(single, message, &out);
	if (wrong == NULL)
		wrong = check_behind(single, message);
	if (wrong != NULL || wire->header_only)
		return (wrong);
	seal_end(&seal, digest);
	/* A number stands for one message as long as the session lasts. */
	if ((message->flags & SINGLE_SENT) != 0 &&
	    !seal_is_same(digest, message->digest))
		return (changed);
	memcpy(message->digest, digest, sizeof(digest));
	message->flags |= SINGLE_SENT;
	return (NULL);
}
