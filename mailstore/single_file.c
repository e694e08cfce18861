/*
 * single_file.c - mailboxes of one file behind the mailbox operations.
 *
 * Linked into postern-store and postern-mailbox; runs as the user whose mail
 * it is.  The file is in a directory that others may write (a spool): it is
 * opened without following links, and used only as a regular file of this
 * user.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "lock.h"
#include "log.h"
#include "mailtxt.h"
#include "rewrite.h"
#include "single_file.h"

static void
close_file(struct mailbox *mailbox)
{
	struct single_file *single = mailbox->state;

	if (single == NULL)
		return;
	if (single->fd != -1 && mailbox->keeps_locks)
		lock_mailbox_release(single->fd);
	if (single->fd != -1)
		(void)close(single->fd);
	free(single->shown.messages);
	free(single->hidden.messages);
	index_close(&single->index);
	free(single);
	mailbox->state = NULL;
}

/*
 * Room for a long list comes in large pages, where the system has some to give:
 * to be handed some hundred small ones takes longer than to fill them.
 */
static void *
large_room(size_t count)
{
	void *room = NULL;

#ifdef MADV_HUGEPAGE
	const size_t bytes = count * sizeof(struct single_message);

	if (count > MESSAGES_MAX || bytes < LARGE_PAGE_BYTES ||
	    posix_memalign(&room, LARGE_PAGE_BYTES, bytes) != 0)
		return (NULL);
	(void)madvise(room, bytes - bytes % LARGE_PAGE_BYTES, MADV_HUGEPAGE);
#else
	(void)count;
#endif
	return (room);
}

int
single_reserve(struct single_list *list, size_t count)
{
	void *grown = NULL;

	if (count <= list->room)
		return (0);
	if (list->messages == NULL)
		grown = large_room(count);
	if (grown == NULL)
		grown = reallocarray(list->messages, count,
		    sizeof(*list->messages));
	if (grown == NULL)
		return (-1);
	list->messages = grown;
	list->room = count;
	return (0);
}

struct single_message *
single_add(struct single_list *list)
{
	struct single_message *message;

	/* Half as long again. */
	if (list->count >= MESSAGES_MAX || (list->count == list->room &&
	    single_reserve(list, list->room + list->room / 2 + 64) == -1))
		return (NULL);
	message = &list->messages[list->count++];
	memset(message, 0, sizeof(*message));
	return (message);
}

uint64_t
single_begin(const struct single_file *single)
{
	const struct single_list *shown = &single->shown;
	const struct single_list *hidden = &single->hidden;

	if (hidden->count > 0 && (shown->count == 0 ||
	    hidden->messages[0].offset < shown->messages[0].offset))
		return (hidden->messages[0].offset);
	return (shown->count > 0 ? shown->messages[0].offset : 0);
}

static uint64_t
end_of(const struct single_list *list)
{
	const struct single_message *behind = list->messages + list->count;

	return (list->count == 0 ? 0 : behind[-1].offset + behind[-1].stored);
}

uint64_t
single_end(const struct single_file *single)
{
	const uint64_t shown = end_of(&single->shown);
	const uint64_t hidden = end_of(&single->hidden);

	return (shown > hidden ? shown : hidden);
}

const char *
single_too_many(const char *label)
{
	log_line(LOG_ERR, "event=open folder=%s error=\"too many messages "
	    "for this process\"", label);
	return ("the mailbox has too many messages");
}

const char *
single_unreadable(const char *label)
{
	log_line(LOG_ERR, "event=open folder=%s error=\"%s\"", label,
	    errno != 0 ? strerror(errno) : "became shorter");
	return ("the mailbox cannot be read");
}

/* Opens for writing where that is allowed.  0, or -1 with errno. */
static int
open_file(struct single_file *single, const struct mailbox *mailbox)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const struct mailbox_place *place = &mailbox->place;

	single->writable = !mailbox->read_only;
	if (single->writable)
		single->fd = openat(place->directory, place->name,
		    O_RDWR | flags);
	if (!single->writable || (single->fd == -1 && (errno == EACCES ||
	    errno == EROFS || errno == EPERM))) {
		single->writable = 0;
		single->fd = openat(place->directory, place->name,
		    O_RDONLY | flags);
	}
	return (single->fd == -1 ? -1 : 0);
}

static const char replaced[] = "the mailbox was replaced; try again";

/* After the lock is held: the path leads to this file, and it is fit. */
static const char *
check_opened(struct single_file *single, const struct mailbox_place *place)
{
	struct stat file, path;

	if (fstat(single->fd, &file) == -1 || fstatat(place->directory,
	    place->name, &path, AT_SYMLINK_NOFOLLOW) == -1 ||
	    file.st_dev != path.st_dev || file.st_ino != path.st_ino)
		return (replaced);
	if (!S_ISREG(file.st_mode))
		return ("the mailbox is not a regular file");
	if (file.st_uid != geteuid()) {
		if (!place->others_allowed)
			return ("the mailbox belongs to somebody else");
		single->writable = 0;
	}
	if (file.st_nlink != 1)
		return ("the mailbox has more than one name");
	single->device = file.st_dev;
	single->inode = file.st_ino;
	single->size = (uint64_t)file.st_size;
	single->modified = file.st_mtim;
	single->changed = file.st_ctim;
	return (NULL);
}

/* The content alone tells: the file may have any name. */
const struct single_format *
single_file_format(int fd)
{
	unsigned char text[MAILTXT_HEADER_MAX];
	const ssize_t got = disk_read_some(fd, text, sizeof(text), 0);

	return (got > 0 && mailtxt_resembles(text, (size_t)got) ?
	    &single_mailtxt : &single_mbox);
}

/* Completes a rewrite that was interrupted, before anything is read. */
static const char *
recover(struct single_file *single, const struct mailbox_place *place)
{
	const char *wrong;

	if (!rewrite_interrupted(place))
		return (NULL);
	/* One that may not be written is looked at all the same. */
	wrong = lock_mailbox(single->fd, single->writable, place);
	if (wrong != NULL)
		return (wrong);
	wrong = check_opened(single, place);
	if (wrong == NULL)
		wrong = rewrite_recover(single->fd, single->writable, place);
	lock_mailbox_release(single->fd);
	return (wrong);
}

/* What is sent behind it would be text of its last message. */
static int
lacks_blank(const struct single_file *single)
{
	const struct single_list *shown = &single->shown;

	return (single->format->received == NULL && shown->count > 0 &&
	    shown->messages[shown->count - 1].blank_bytes == 0);
}

/* What is in the file, from its index or by reading; locks are held. */
static const char *
find_messages(struct single_file *single, const struct mailbox_place *place)
{
	single->format = single_file_format(single->fd);
	single->was_read = !index_read(single, place);
	return (single->was_read ? single->format->scan(single,
	    place->label) : NULL);
}

static const char *
take_snapshot(struct mailbox *mailbox, struct single_file *single)
{
	const char *wrong;

	/* Before any lock: a FIFO or a device is not to be waited for. */
	wrong = check_opened(single, &mailbox->place);
	mailbox->unfit = wrong != NULL && wrong != replaced;
	if (wrong == NULL && !mailbox->read_only)
		wrong = recover(single, &mailbox->place);
	if (wrong == NULL)
		wrong = lock_mailbox(single->fd, 0, &mailbox->place);
	if (wrong != NULL)
		return (wrong);
	wrong = check_opened(single, &mailbox->place);
	if (wrong == NULL)
		wrong = find_messages(single, &mailbox->place);
	if (!mailbox->keeps_locks)
		lock_mailbox_release(single->fd);
	mailbox->lacks_blank = wrong == NULL && lacks_blank(single);
	mailbox->all_octets = single->whole_octets;
	mailbox->messages = (uint32_t)single->shown.count;
	return (wrong);
}

/* What deleting may need comes first: there may not be room for both. */
static void
remember(struct mailbox *mailbox)
{
	struct single_file *single = mailbox->state;

	if (single->is_remembered)
		return;
	single->is_remembered = 1;
	if (single->shown.count > 0 && single->writable && !single->damaged)
		rewrite_reserve(&mailbox->place);
	if (single->was_read)
		index_write(single, &mailbox->place);
}

static const char new_one[] = "the mailbox is new; log in again";

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
		return (new_one);
	return ("the mailbox cannot be opened");
}

/* Opens the file that is there now. */
static const char *
open_once(struct mailbox *mailbox)
{
	struct single_file *single = malloc(sizeof(*single));
	const char *wrong;
	int error;

	mailbox->messages = 0;
	mailbox->all_octets = 0;
	mailbox->unfit = 0;
	mailbox->state = single;
	if (single == NULL)
		return ("the server is short of memory");
	/* The buffer, at its end, takes no memory before it is used. */
	memset(single, 0, offsetof(struct single_file, reader.buffer));
	single->fd = -1;
	randombytes_buf(single->head_key, sizeof(single->head_key));
	if (open_file(single, mailbox) == 0)
		return (take_snapshot(mailbox, single));
	if (errno == ENOENT) {
		mailbox->absent = 1;
		return (NULL);
	}
	error = errno;
	wrong = why_not_opened(&mailbox->place);
	log_line(LOG_ERR, "event=open folder=%s error=\"%s\"",
	    mailbox->place.label, error == ELOOP ? "it must not be a "
	    "symbolic link" : strerror(error));
	mailbox->unfit = wrong != new_one && disk_error_lasts(error);
	return (wrong);
}

/* A mailbox that is replaced between its opening and its lock: once more. */
static const char *
open_single(struct mailbox *mailbox)
{
	const char *wrong = replaced;
	int tries;

	for (tries = 0; wrong == replaced && tries < MAILBOX_OPEN_TRIES;
	    tries++) {
		wrong = open_once(mailbox);
		if (wrong != NULL)
			close_file(mailbox);
	}
	return (wrong);
}

static struct single_message *
find_message(const struct mailbox *mailbox, uint64_t number)
{
	struct single_file *single = mailbox->state;

	if (number < 1 || number > single->shown.count ||
	    (single->shown.messages[number - 1].flags & SINGLE_MARKED) != 0)
		return (NULL);
	return (&single->shown.messages[number - 1]);
}

static uint64_t
octets_of(struct mailbox *mailbox, uint64_t number)
{
	const struct single_message *message = find_message(mailbox, number);

	return (message == NULL ? 0 : single_octets(message));
}

static uint64_t
sum_of(struct mailbox *mailbox)
{
	const struct single_file *single = mailbox->state;
	uint64_t octets = 0;
	size_t i;

	for (i = 0; i < single->shown.count; i++)
		octets += single_octets(&single->shown.messages[i]);
	return (octets);
}

static uint64_t
dots_of(struct mailbox *mailbox, uint64_t number)
{
	const struct single_message *message = find_message(mailbox, number);

	return (message == NULL || message->dots == UINT16_MAX ? UINT64_MAX :
	    message->dots);
}

/*
 * What is not as the snapshot says was changed by another program, or the
 * index told a lie: the next session reads the file.
 */
static void
distrust(struct mailbox *mailbox)
{
	index_remove(mailbox->state, &mailbox->place);
}

/* The head line, without what other programs change in it. */
static int
label(struct mailbox *mailbox, uint64_t number, char *text, size_t size)
{
	const struct single_message *message = find_message(mailbox, number);
	struct single_file *single = mailbox->state;
	struct line line;
	size_t length;
	int got;

	if (message == NULL)
		return (-1);
	lines_begin(&single->reader, single->fd, message->offset,
	    message->offset + message->head_bytes, NULL);
	got = lines_next(&single->reader, &line);
	if (got != 1 || line.length < single->format->flag_bytes) {
		/* A client that has gone says nothing of the file. */
		if (got != -1 || errno == 0)
			distrust(mailbox);
		return (-1);
	}
	length = line.length - single->format->flag_bytes;
	if (length >= size)
		length = size - 1;
	memcpy(text, line.text, length);
	text[length] = '\0';
	return (LABEL_PART);
}

static const char *
send_message(struct mailbox *mailbox, uint64_t number, struct wire *wire)
{
	struct single_message *message = find_message(mailbox, number);
	const char *wrong;

	wrong = message == NULL ? "no such message" :
	    single_send(mailbox->state, message, wire, 0);
	if (single_is_changed(wrong))
		distrust(mailbox);
	return (wrong);
}

static const char *
send_all(struct mailbox *mailbox, struct wire *wire)
{
	struct single_file *single = mailbox->state;
	const uint64_t before = wire->sent;
	const char *wrong = NULL;
	uint64_t octets;
	size_t i;

	for (i = 0; i < single->shown.count && wrong == NULL; i++)
		wrong = single_send(single, &single->shown.messages[i], wire,
		    1);
	octets = wire->sent - before;
	/* More than was announced cannot be sent, and is a reason by itself. */
	if (octets > single->whole_octets ||
	    (wrong == NULL && octets != single->whole_octets))
		wrong = "the mailbox is not what was announced";
	else if (!single_is_changed(wrong))
		return (wrong);
	distrust(mailbox);
	return (wrong);
}

static int
mark(struct mailbox *mailbox, uint64_t number)
{
	struct single_file *single = mailbox->state;
	struct single_message *message = find_message(mailbox, number);

	if (message == NULL || (message->flags & SINGLE_SENT) == 0)
		return (-1);
	message->flags |= SINGLE_MARKED;
	single->marked++;
	return (0);
}

static const char *
commit(struct mailbox *mailbox, uint32_t *deleted)
{
	struct single_file *single = mailbox->state;
	const char *wrong;

	*deleted = 0;
	if (single->marked == 0)
		return (NULL);
	if (!single->writable || single->damaged) {
		log_line(LOG_NOTICE, "event=commit folder=%s error=\"%s; "
		    "nothing was deleted\"", mailbox->place.label,
		    single->writable ? "damaged" : "may not be written");
		return (NULL);
	}
	wrong = lock_mailbox(single->fd, 1, &mailbox->place);
	if (wrong != NULL)
		return (wrong);
	/* Its room may be what the commit lacks; and it is of no more use. */
	index_remove(single, &mailbox->place);
	wrong = single_commit(single, &mailbox->place, deleted);
	lock_mailbox_release(single->fd);
	return (wrong);
}

static int
known_uid(struct mailbox *mailbox, uint64_t number, unsigned char *digest)
{
	return (index_uid(mailbox->state, &mailbox->place, number, digest));
}

static void
keep_uid(struct mailbox *mailbox, uint64_t number,
    const unsigned char *digest)
{
	index_keep_uid(mailbox->state, &mailbox->place, number, digest);
}

const struct mailbox_format mailbox_single_file = {
	"single file", open_single, octets_of, sum_of, send_message, send_all,
	mark, commit, close_file, dots_of, label, known_uid, keep_uid, distrust,
	remember
};
