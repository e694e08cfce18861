/*
 * single_commit.c - deleting from a single file, in place.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, with the
 * mailbox's locks held.  Here it is decided what may go; rewrite.c does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "log.h"
#include "rewrite.h"
#include "single_file.h"

static const char changed[] =
    "the mailbox was changed by another program; nothing was deleted";

/* The path must still lead to the file that the snapshot was taken of. */
static const char *
check_file(const struct single_file *single, const struct mailbox_place *place,
    uint64_t *size)
{
	struct stat path, file;

	if (fstatat(place->directory, place->name, &path,
	    AT_SYMLINK_NOFOLLOW) == -1 || fstat(single->fd, &file) == -1)
		return (changed);
	if (path.st_dev != single->device || path.st_ino != single->inode ||
	    file.st_ino != single->inode || !S_ISREG(path.st_mode) ||
	    file.st_size < 0 || (uint64_t)file.st_size < single->size)
		return (changed);
	if (file.st_nlink != 1 || file.st_uid != geteuid())
		return ("the mailbox has another owner or name; "
		    "nothing was deleted");
	*size = (uint64_t)file.st_size;
	return (NULL);
}

/* Byte for byte what was sent, or it is not deleted. */
static const char *
check_message(struct single_file *single,
    const struct single_message *message)
{
	unsigned char digest[SEAL_BYTES];
	struct seal seal;
	struct line line;

	if (single_read_head(single, message, &seal, &line) != NULL ||
	    lines_pass_all(&single->reader) == -1)
		return (changed);
	seal_end(&seal, digest);
	return (seal_is_same(digest, message->digest) ? NULL : changed);
}

/* Every kept message must begin where it did. */
static const char *
check_beginning(struct single_file *single,
    const struct single_message *message)
{
	struct line line;

	return (single_read_head(single, message, NULL, &line) == NULL ?
	    NULL : changed);
}

static const char *
check_list(struct single_file *single, const struct single_list *list)
{
	const struct single_message *message = list->messages;
	const char *wrong = NULL;

	for (; wrong == NULL && message < list->messages + list->count;
	    message++)
		wrong = (message->flags & SINGLE_MARKED) != 0 ?
		    check_message(single, message) :
		    check_beginning(single, message);
	return (wrong);
}

static const char *
check_all(struct single_file *single, const struct mailbox_place *place,
    uint64_t *size)
{
	const char *wrong = check_file(single, place, size);

	if (wrong == NULL)
		wrong = check_list(single, &single->shown);
	if (wrong == NULL)
		wrong = check_list(single, &single->hidden);
	if (wrong == NULL && !single->format->arrived(single, *size))
		wrong = changed;
	return (wrong);
}

/* Adds a part that stays, if there is any between two that go. */
static void
keep(struct journal_extent *extents, uint64_t *count, uint64_t offset,
    uint64_t length)
{
	if (length == 0)
		return;
	extents[*count].offset = offset;
	extents[*count].length = length;
	(*count)++;
}

/*
 * All checks are done, `size` bytes are in the file, the locks are held.
 * From the first marked message on, what stays moves down over what goes.
 */
static enum rewrite_result
rewrite(struct single_file *single, const struct mailbox_place *place,
    uint64_t size)
{
	const struct single_message *message = single->shown.messages;
	const struct single_message *end = message + single->shown.count;
	struct journal_extent *extents;
	uint64_t from, at, count = 0;

	while ((message->flags & SINGLE_MARKED) == 0)
		message++;
	at = from = message->offset;
	extents = calloc((size_t)(end - message) + 1, sizeof(*extents));
	if (extents == NULL)
		return (REWRITE_AS_BEFORE);
	for (; message < end; message++)
		if ((message->flags & SINGLE_MARKED) != 0) {
			keep(extents, &count, at, message->offset - at);
			at = message->offset + message->stored;
		}
	keep(extents, &count, at, size - at);
	return (rewrite_file(single->fd, place, from, size, extents, count));
}

static const char *
tell(enum rewrite_result result, int error)
{
	const char *cause = error == E2BIG ? "no room, and too many steps "
	    "in the reserve of the state directory" : strerror(error);

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
single_commit(struct single_file *single, const struct mailbox_place *place,
    uint32_t *deleted)
{
	enum rewrite_result result;
	const char *wrong;
	uint64_t size;
	size_t i;

	*deleted = 0;
	wrong = check_all(single, place, &size);
	if (wrong == NULL)
		wrong = lock_mailbox_check(place);
	if (wrong != NULL) {
		log_line(LOG_WARNING, "event=commit error=\"%s\"", wrong);
		return (wrong);
	}
	result = rewrite(single, place, size);
	wrong = tell(result, errno);
	for (i = 0; wrong == NULL && i < single->shown.count; i++)
		*deleted += (single->shown.messages[i].flags &
		    SINGLE_MARKED) != 0;
	return (wrong);
}
