/*
 * mbox_commit.c - deleting from an mbox, in place.
 *
 * Linked into postern-store; runs as the user, with the mailbox's locks
 * held.  The file keeps its inode: a delivery agent that waits for the lock
 * with the file open must find its mail in the mailbox afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mbox.h"

static const char changed[] =
    "the mailbox was changed by another program; nothing was deleted";
static const char failed[] = "the mailbox cannot be rewritten";

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

/* Moves `length` bytes of the file down, front first. */
static int
move_down(struct mbox *mbox, uint64_t from, uint64_t to, uint64_t length)
{
	unsigned char *buffer = mbox->reader.buffer;
	size_t part;
	ssize_t got, wrote, done;

	while (length > 0) {
		part = length < sizeof(mbox->reader.buffer) ?
		    (size_t)length : sizeof(mbox->reader.buffer);
		got = pread(mbox->fd, buffer, part, (off_t)from);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return (-1);
		for (done = 0; done < got; done += wrote) {
			wrote = pwrite(mbox->fd, buffer + done,
			    (size_t)(got - done), (off_t)to + done);
			if (wrote == -1 && errno == EINTR)
				wrote = 0;
			else if (wrote <= 0)
				return (-1);
		}
		from += (uint64_t)got;
		to += (uint64_t)got;
		length -= (uint64_t)got;
	}
	return (0);
}

/*
 * The rewrite itself, and the one place that a journal belongs: all checks
 * are done, `size` bytes are in the file, the locks are held.  From the
 * first marked message on, what stays moves down over what goes.
 */
static int
rewrite(struct mbox *mbox, uint64_t size)
{
	const struct mbox_message *message = mbox->messages;
	const struct mbox_message *end = message + mbox->count;
	uint64_t to, length;

	while ((message->flags & MBOX_MARKED) == 0)
		message++;
	to = message->offset;
	for (; message < end; message++) {
		if ((message->flags & MBOX_MARKED) != 0)
			continue;
		length = message->stored;
		if (move_down(mbox, message->offset, to, length) == -1)
			return (-1);
		to += length;
	}
	if (move_down(mbox, mbox->size, to, size - mbox->size) == -1)
		return (-1);
	to += size - mbox->size;
	return (ftruncate(mbox->fd, (off_t)to) == -1 ||
	    fsync(mbox->fd) == -1 ? -1 : 0);
}

const char *
mbox_commit_locked(struct mbox *mbox, const struct mailbox_place *place,
    uint32_t *deleted)
{
	const char *wrong;
	uint64_t size;
	size_t i;

	*deleted = 0;
	wrong = check_all(mbox, place, &size);
	if (wrong != NULL) {
		log_line(LOG_WARNING, "event=commit error=\"%s\"", wrong);
		return (wrong);
	}
	if (rewrite(mbox, size) == -1) {
		log_line(LOG_CRIT, "event=commit error=\"%s\"",
		    strerror(errno));
		return (failed);
	}
	for (i = 0; i < mbox->count; i++)
		*deleted += (mbox->messages[i].flags & MBOX_MARKED) != 0;
	return (NULL);
}
