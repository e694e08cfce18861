/*
 * mbox_commit.c - deleting from an mbox, in place.
 *
 * Linked into postern-store; runs as the user, with the mailbox's locks
 * held.  Here it is decided what may go; rewrite.c does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mbox.h"
#include "rewrite.h"

static const char changed[] =
    "the mailbox was changed by another program; nothing was deleted";

/* The path must still lead to the file that the snapshot was taken of. */
static const char *
check_file(const struct mbox *mbox, const struct mailbox_place *place,
    uint64_t *size)
{
	struct stat path, file;

	if (fstatat(place->directory, place->name, &path,
	    AT_SYMLINK_NOFOLLOW) == -1 || fstat(mbox->fd, &file) == -1)
		return (changed);
	if (path.st_dev != mbox->device || path.st_ino != mbox->inode ||
	    file.st_ino != mbox->inode || !S_ISREG(path.st_mode) ||
	    file.st_size < 0 || (uint64_t)file.st_size < mbox->size)
		return (changed);
	if (file.st_nlink != 1 || file.st_uid != geteuid())
		return ("the mailbox has another owner or name; "
		    "nothing was deleted");
	*size = (uint64_t)file.st_size;
	return (NULL);
}

/* Byte for byte what was sent, or it is not deleted. */
static const char *
check_message(struct mbox *mbox, const struct mbox_message *message)
{
	unsigned char digest[MBOX_DIGEST_BYTES];
	crypto_generichash_state hash;
	struct line line;
	int got;

	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
	lines_begin(&mbox->reader, mbox->fd, message->offset,
	    message->offset + message->stored, &hash);
	while ((got = lines_next(&mbox->reader, &line)) == 1)
		continue;
	(void)crypto_generichash_final(&hash, digest, sizeof(digest));
	return (got == 0 && sodium_memcmp(digest, message->digest,
	    sizeof(digest)) == 0 ? NULL : changed);
}

/* What came since the snapshot must begin a message of its own. */
static const char *
check_arrivals(struct mbox *mbox, uint64_t size)
{
	struct line line;
	int got;

	lines_begin(&mbox->reader, mbox->fd, mbox->size, size, NULL);
	while ((got = lines_next(&mbox->reader, &line)) == 1)
		if (line.length != 0 || line.ending == 0)
			return (mbox_is_from_line(line.text, line.length) ?
			    NULL : changed);
	return (got == 0 ? NULL : changed);
}

/* Every kept message must begin where it did. */
static const char *
check_beginning(struct mbox *mbox, const struct mbox_message *message)
{
	struct line line;

	lines_begin(&mbox->reader, mbox->fd, message->offset,
	    message->offset + message->from_bytes, NULL);
	return (lines_next(&mbox->reader, &line) == 1 &&
	    line.ending == message->from_ending &&
	    mbox_is_from_line(line.text, line.length) ? NULL : changed);
}

static const char *
check_all(struct mbox *mbox, const struct mailbox_place *place,
    uint64_t *size)
{
	const struct mbox_message *message = mbox->messages;
	const char *wrong = check_file(mbox, place, size);

	for (; wrong == NULL && message < mbox->messages + mbox->count;
	    message++)
		wrong = (message->flags & MBOX_MARKED) != 0 ?
		    check_message(mbox, message) :
		    check_beginning(mbox, message);
	return (wrong != NULL ? wrong : check_arrivals(mbox, *size));
}

/* Adds a part that stays; one right behind the last makes that longer. */
static void
keep(struct journal_extent *extents, uint64_t *count, uint64_t offset,
    uint64_t length)
{
	struct journal_extent *last = extents + *count - 1;

	if (length == 0)
		return;
	if (*count > 0 && last->offset + last->length == offset) {
		last->length += length;
		return;
	}
	extents[*count].offset = offset;
	extents[*count].length = length;
	(*count)++;
}

/*
 * All checks are done, `size` bytes are in the file, the locks are held.
 * From the first marked message on, what stays moves down over what goes.
 */
static enum rewrite_result
rewrite(struct mbox *mbox, const struct mailbox_place *place, uint64_t size)
{
	const struct mbox_message *message = mbox->messages;
	const struct mbox_message *end = message + mbox->count;
	struct journal_extent *extents;
	uint64_t from, count = 0;

	while ((message->flags & MBOX_MARKED) == 0)
		message++;
	from = message->offset;
	extents = calloc((size_t)(end - message) + 1, sizeof(*extents));
	if (extents == NULL)
		return (REWRITE_AS_BEFORE);
	for (; message < end; message++)
		if ((message->flags & MBOX_MARKED) == 0)
			keep(extents, &count, message->offset,
			    message->stored);
	keep(extents, &count, mbox->size, size - mbox->size);
	return (rewrite_file(mbox->fd, place, from, size, extents, count));
}

static const char *
tell(enum rewrite_result result, int error)
{
	const char *cause = error == E2BIG ? "no room, and too many steps "
	    "in the reserve" : strerror(error);

	if (result == REWRITE_AS_BEFORE)
		log_line(LOG_CRIT, "event=commit error=\"%s\"", cause);
	if (result == REWRITE_UNCERTAIN)
		return ("the disk fails; look what is in the mailbox");
	if (result != REWRITE_AS_BEFORE)
		return (NULL);
	if (error == E2BIG)
		return ("the disk is full, and too much mail is behind the "
		    "first to be deleted; nothing was deleted; delete the "
		    "last messages first, or all");
	return (error == ENOSPC || error == EDQUOT ?
	    "the disk is full; nothing was deleted" :
	    "the mailbox cannot be rewritten; nothing was deleted");
}

const char *
mbox_commit_locked(struct mbox *mbox, const struct mailbox_place *place,
    uint32_t *deleted)
{
	enum rewrite_result result;
	const char *wrong;
	uint64_t size;
	size_t i;

	*deleted = 0;
	wrong = check_all(mbox, place, &size);
	if (wrong != NULL) {
		log_line(LOG_WARNING, "event=commit error=\"%s\"", wrong);
		return (wrong);
	}
	result = rewrite(mbox, place, size);
	wrong = tell(result, errno);
	for (i = 0; wrong == NULL && i < mbox->count; i++)
		*deleted += (mbox->messages[i].flags & MBOX_MARKED) != 0;
	return (wrong);
}
