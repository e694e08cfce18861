/*
 * mbox_send.c - an mbox message as it goes on the wire.
 *
 * Linked into postern-store; runs as the user.  No lock is held while a
 * client is slow.  Another program may have changed the file meanwhile: what
 * is sent is held against the snapshot, and a hash of the stored bytes is
 * kept, so that only that very message can be deleted.
 */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "mbox.h"

static const char *
send_lines(struct mbox *mbox, const struct mbox_message *message,
    struct wire *wire, int whole)
{
	uint64_t at = message->offset, end = at + message->stored;
	uint64_t content_end = end - message->blank_bytes;
	struct line line;
	int got, failed = 0, is_from = 1;

	while ((got = lines_next(&mbox->reader, &line)) == 1 && !failed) {
		if (is_from && !mbox_is_from_line(line.text, line.length))
			return ("the mailbox was changed by another program");
		if (whole || (!is_from && at < content_end))
			failed = wire_put_line(wire, &line, at + line.length +
			    line.ending == end);
		at += line.length + line.ending;
		is_from = 0;
	}
	/* A message of nothing at all is sent as an empty line. */
	if (got == 0 && !failed && !whole && message->octets == 0)
		failed = wire_put(wire, "\r\n", 2);
	if (got == -1)
		return (errno != 0 ? strerror(errno) :
		    "the mailbox was cut short by another program");
	return (failed ? "not all could be sent" : NULL);
}

const char *
mbox_send(struct mbox *mbox, struct mbox_message *message, struct wire *wire,
    int whole)
{
	crypto_generichash_state hash;
	uint64_t before = wire->sent;
	uint64_t octets = whole ? mbox_whole_octets(message) :
	    mbox_message_octets(message);
	const char *wrong;

	(void)crypto_generichash_init(&hash, NULL, 0, MBOX_DIGEST_BYTES);
	lines_begin(&mbox->reader, mbox->fd, message->offset,
	    message->offset + message->stored, &hash);
	wrong = send_lines(mbox, message, wire, whole);
	if (wrong == NULL && wire->sent - before != octets)
		wrong = "the mailbox was changed by another program";
	if (wrong != NULL)
		return (wrong);
	(void)crypto_generichash_final(&hash, message->digest,
	    sizeof(message->digest));
	message->flags |= MBOX_SENT;
	return (NULL);
}
