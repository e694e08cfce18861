/*
 * mbox.c - the mbox format behind the mailbox operations.
 *
 * Linked into postern-store; runs as the user whose mail it is.  The file is
 * in a directory that others may write (a spool): it is opened without
 * following links, and used only as a regular file of this user.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "log.h"
#include "mbox.h"
#include "rewrite.h"

static void
close_mbox(struct mailbox *mailbox)
{
	struct mbox *mbox = mailbox->state;

	if (mbox == NULL)
		return;
	if (mbox->fd != -1)
		(void)close(mbox->fd);
	free(mbox->messages);
	free(mbox);
	mailbox->state = NULL;
}

/* Opens for writing where that is allowed.  0, or -1 with errno. */
static int
open_file(struct mbox *mbox, const struct mailbox_place *place)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	mbox->writable = 1;
	mbox->fd = openat(place->directory, place->name, O_RDWR | flags);
	if (mbox->fd == -1 && (errno == EACCES || errno == EROFS ||
	    errno == EPERM)) {
		mbox->writable = 0;
		mbox->fd = openat(place->directory, place->name,
		    O_RDONLY | flags);
	}
	return (mbox->fd == -1 ? -1 : 0);
}

static const char replaced[] = "the mailbox was replaced; try again";

/* After the lock is held: the path leads to this file, and it is fit. */
static const char *
check_opened(struct mbox *mbox, const struct mailbox_place *place)
{
	struct stat file, path;

	if (fstat(mbox->fd, &file) == -1 || fstatat(place->directory,
	    place->name, &path, AT_SYMLINK_NOFOLLOW) == -1 ||
	    file.st_dev != path.st_dev || file.st_ino != path.st_ino)
		return (replaced);
	if (!S_ISREG(file.st_mode))
		return ("the mailbox is not a regular file");
	if (file.st_uid != geteuid())
		return ("the mailbox belongs to somebody else");
	if (file.st_nlink != 1)
		return ("the mailbox has more than one name");
	mbox->device = file.st_dev;
	mbox->inode = file.st_ino;
	mbox->size = (uint64_t)file.st_size;
	return (NULL);
}

/* Completes a rewrite that was interrupted, before anything is read. */
static const char *
recover(struct mbox *mbox, const struct mailbox_place *place)
{
	const char *wrong;

	if (!rewrite_interrupted(place))
		return (NULL);
	if (!mbox->writable)
		return ("the mailbox is half rewritten and may not be "
		    "written");
	wrong = lock_mailbox(mbox->fd, 1, place);
	if (wrong != NULL)
		return (wrong);
	wrong = check_opened(mbox, place);
	if (wrong == NULL)
		wrong = rewrite_recover(mbox->fd, place);
	lock_mailbox_release(mbox->fd);
	return (wrong);
}

static const char *
take_snapshot(struct mailbox *mailbox, struct mbox *mbox)
{
	const char *wrong;
	size_t i;

	/* Before any lock: a FIFO or a device is not to be waited for. */
	wrong = check_opened(mbox, &mailbox->place);
	mailbox->unfit = wrong != NULL;
	if (wrong == NULL)
		wrong = recover(mbox, &mailbox->place);
	if (wrong == NULL)
		wrong = lock_mailbox(mbox->fd, 0, &mailbox->place);
	if (wrong != NULL)
		return (wrong);
	wrong = check_opened(mbox, &mailbox->place);
	if (wrong == NULL)
		wrong = mbox_scan(mbox, mailbox->place.label);
	lock_mailbox_release(mbox->fd);
	for (i = 0; i < mbox->count; i++)
		mailbox->all_octets += mbox_whole_octets(&mbox->messages[i]);
	mailbox->messages = (uint32_t)mbox->count;
	if (mbox->count > 0 && mbox->writable)
		rewrite_reserve(&mailbox->place);
	return (wrong);
}

/*
 * The sandbox lets the store reach the maildrop that was there when it was
 * shut, and no other file of the spool: one that came since, or took its
 * place, is for the next session.
 */
static const char *
why_not_opened(const struct mailbox_place *place)
{
	struct stat path;

	if (errno == EACCES && fstatat(place->directory, place->name, &path,
	    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(path.st_mode) &&
	    path.st_uid == geteuid() && (path.st_mode & S_IRUSR) != 0)
		return ("the mailbox is new; log in again");
	return ("the mailbox cannot be opened");
}

/* Opens the file that is there now; all that was of an earlier try goes. */
static const char *
open_once(struct mailbox *mailbox)
{
	struct mbox *mbox = calloc(1, sizeof(*mbox));
	const char *wrong;
	int error;

	mailbox->messages = 0;
	mailbox->all_octets = 0;
	mailbox->unfit = 0;
	mailbox->state = mbox;
	if (mbox == NULL)
		return ("the server is short of memory");
	mbox->fd = -1;
	if (open_file(mbox, &mailbox->place) == 0)
		return (take_snapshot(mailbox, mbox));
	if (errno == ENOENT) {
		mailbox->absent = 1;
		return (NULL);
	}
	error = errno;
	wrong = why_not_opened(&mailbox->place);
	log_line(LOG_ERR, "event=open folder=%s error=\"%s\"",
	    mailbox->place.label, strerror(error));
	mailbox->unfit = 1;
	return (wrong);
}

/* A mailbox that is replaced between its opening and its lock: once more. */
static const char *
open_mbox(struct mailbox *mailbox)
{
	const char *wrong = replaced;
	int tries;

	for (tries = 0; wrong == replaced && tries < MAILBOX_OPEN_TRIES;
	    tries++) {
		wrong = open_once(mailbox);
		if (wrong != NULL)
			close_mbox(mailbox);
	}
	return (wrong);
}

static struct mbox_message *
find_message(const struct mailbox *mailbox, uint64_t number)
{
	struct mbox *mbox = mailbox->state;

	if (number < 1 || number > mbox->count ||
	    (mbox->messages[number - 1].flags & MBOX_MARKED) != 0)
		return (NULL);
	return (&mbox->messages[number - 1]);
}

static uint64_t
mbox_octets(const struct mailbox *mailbox, uint64_t number)
{
	const struct mbox_message *message = find_message(mailbox, number);

	return (message == NULL ? 0 : mbox_message_octets(message));
}

static const char *
send_message(struct mailbox *mailbox, uint64_t number, struct wire *wire)
{
	struct mbox_message *message = find_message(mailbox, number);

	return (message == NULL ? "no such message" :
	    mbox_send(mailbox->state, message, wire, 0));
}

static const char *
send_all(struct mailbox *mailbox, struct wire *wire)
{
	struct mbox *mbox = mailbox->state;
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < mbox->count && wrong == NULL; i++)
		wrong = mbox_send(mbox, &mbox->messages[i], wire, 1);
	return (wrong);
}

static int
mark(struct mailbox *mailbox, uint64_t number)
{
	struct mbox_message *message = find_message(mailbox, number);

	if (message == NULL || (message->flags & MBOX_SENT) == 0)
		return (-1);
	message->flags |= MBOX_MARKED;
	return (0);
}

static const char *
commit(struct mailbox *mailbox, uint32_t *deleted)
{
	struct mbox *mbox = mailbox->state;
	const char *wrong;
	size_t i, marked = 0;

	*deleted = 0;
	for (i = 0; i < mbox->count; i++)
		marked += (mbox->messages[i].flags & MBOX_MARKED) != 0;
	if (marked == 0)
		return (NULL);
	if (!mbox->writable) {
		log_line(LOG_NOTICE, "event=commit folder=%s error=\"may not "
		    "be written; nothing was deleted\"", mailbox->place.label);
		return (NULL);
	}
	wrong = lock_mailbox(mbox->fd, 1, &mailbox->place);
	if (wrong != NULL)
		return (wrong);
	wrong = mbox_commit_locked(mbox, &mailbox->place, deleted);
	lock_mailbox_release(mbox->fd);
	return (wrong);
}

const struct mailbox_format mailbox_mbox = {
	"mbox", open_mbox, mbox_octets, send_message, send_all, mark, commit,
	close_mbox
};
