/*
 * file_mailbox.c - a mailbox of one file for each message.
 *
 * Linked into postern-store and postern-mailbox; runs as the user whose mail
 * it is.  There is no lock: what one message's name leads to is held against
 * the snapshot each time it is opened, and looked for again when it is
 * another.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "disk.h"
#include "file_index.h"
#include "log.h"

static const char changed[] = "the folder was changed by another program; "
    "nothing was deleted";

int
file_mailbox_directory(int at, const char *name, uid_t owner)
{
	struct stat status;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);

	if (fd != -1 && (fstat(fd, &status) == -1 ||
	    status.st_uid != owner)) {
		(void)close(fd);
		errno = EPERM;
		return (-1);
	}
	return (fd);
}

uid_t
file_mailbox_owner(const struct mailbox_place *place)
{
	struct stat status;

	return (place->others_allowed && fstatat(place->directory,
	    place->name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_uid :
	    geteuid());
}

struct file_mailbox *
file_mailbox_new(struct mailbox *mailbox)
{
	struct file_mailbox *state = malloc(sizeof(*state));
	size_t i;

	mailbox->state = state;
	/* The buffer, at its end, takes no memory before it is used. */
	if (state != NULL)
		memset(state, 0, offsetof(struct file_mailbox, reader.buffer));
	for (i = 0; state != NULL && i < FILE_DIRECTORIES_MAX; i++)
		state->directories[i] = -1;
	if (state != NULL) {
		state->label = mailbox->place.label;
		state->owner = file_mailbox_owner(&mailbox->place);
		state->is_foreign = state->owner != geteuid();
	}
	return (state);
}

void
file_mailbox_close(struct mailbox *mailbox)
{
	struct file_mailbox *state = mailbox->state;
	size_t i;

	if (state == NULL)
		return;
	file_index_write(state, &mailbox->place);
	for (i = 0; i < FILE_DIRECTORIES_MAX; i++)
		if (state->directories[i] != -1)
			(void)close(state->directories[i]);
	file_list_free(&state->list);
	free(state);
	mailbox->state = NULL;
}

static void
log_message(const struct file_mailbox *state,
    const struct message_file *file, const char *wrong)
{
	char name[LOG_QUOTED_SIZE];

	log_line(LOG_NOTICE, "event=message folder=%s file=%s error=\"%s\"",
	    state->label, log_quote(name, sizeof(name), file->name), wrong);
}

#define FILE_LOST	(FILE_GONE | FILE_CHANGED)

/* Opens the message where it is now; -1 with errno, also when it is lost. */
static int
open_message(struct file_mailbox *state, struct message_file *file)
{
	int fd, tries;

	for (tries = 0; tries < 2 && (file->flags & FILE_LOST) == 0;
	    tries++) {
		fd = message_file_open(file,
		    state->directories[file->directory]);
		if (fd != -1 || (errno != ENOENT && errno != ESTALE))
			return (fd);
		if (tries == 0 && file_list_find_again(state) == -1)
			return (-1);
	}
	errno = (file->flags & FILE_GONE) != 0 ? ENOENT : ESTALE;
	return (-1);
}

static int
measure(struct file_mailbox *state, struct message_file *file, int whole)
{
	int fd = open_message(state, file), result;

	if (fd == -1) {
		log_message(state, file, strerror(errno));
		return (-1);
	}
	result = message_file_measure(file, fd, &state->reader, whole);
	if (result == -1 && errno != EINTR)
		log_message(state, file, errno != 0 ? strerror(errno) :
		    "changed while it was read");
	else if (result == 0 && (file->flags & FILE_SETTLED) != 0)
		state->index_lacks = 1;
	(void)close(fd);
	return (result);
}

/* What cannot be read cannot be sent, nor be deleted with the rest. */
static void
measure_all(struct mailbox *mailbox, struct file_mailbox *state)
{
	struct message_file *file = state->list.files, *to = file;
	struct message_file *end = file + state->list.count;

	/* The list stays whole meanwhile: a file may have to be found again. */
	for (; file < end; file++)
		if (file->whole_octets == 0 &&
		    measure(state, file, 1) == -1 && lines_are_unwanted())
			break;
	file_index_write(state, &mailbox->place);
	for (file = to; file < end; file++)
		if (file->whole_octets == 0)
			free(file->name);
		else {
			mailbox->all_octets += file->whole_octets;
			*to++ = *file;
		}
	state->list.count = (size_t)(to - state->list.files);
}

const char *
file_mailbox_open(struct mailbox *mailbox, int opened)
{
	struct file_mailbox *state = mailbox->state;
	int error;

	mailbox->all_octets = 0;
	/* It was there a moment ago: what is missing is a part of it. */
	mailbox->unfit = opened == -1 && (errno == ENOENT ||
	    disk_error_lasts(errno));
	if (opened == -1 || file_list_read(state, &state->list) == -1) {
		error = errno;
		log_line(LOG_ERR, "event=open folder=%s error=\"%s\"",
		    state->label, strerror(error));
		file_mailbox_close(mailbox);
		return (opened == -1 ? "the mailbox cannot be opened" :
		    error == EOVERFLOW ? "the mailbox has too many messages" :
		    "the mailbox cannot be listed");
	}
	state->looked_ms = clock_now_ms();
	file_index_read(state, &mailbox->place);
	if (mailbox->measure_all)
		measure_all(mailbox, state);
	mailbox->messages = (uint32_t)state->list.count;
	return (NULL);
}

static struct message_file *
find_message(const struct mailbox *mailbox, uint64_t number)
{
	const struct file_mailbox *state = mailbox->state;

	if (number < 1 || number > state->list.count ||
	    (state->list.files[number - 1].flags & FILE_MARKED) != 0)
		return (NULL);
	return (&state->list.files[number - 1]);
}

uint64_t
file_mailbox_octets(struct mailbox *mailbox, uint64_t number)
{
	struct message_file *file = find_message(mailbox, number);

	if (file == NULL || (file->octets == 0 &&
	    measure(mailbox->state, file, 0) == -1))
		return (0);
	return (file->octets);
}

/* A file is read when it is asked for. */
uint64_t
file_mailbox_sum(struct mailbox *mailbox)
{
	(void)mailbox;
	return (UINT64_MAX);
}

uint64_t
file_mailbox_dots(struct mailbox *mailbox, uint64_t number)
{
	const struct message_file *file = find_message(mailbox, number);

	return (file == NULL || file->octets == 0 ? UINT64_MAX : file->dots);
}

/*
 * The part of a name that never changes: before ":2,FLAGS" and ",S=BYTES",
 * which other programs add.  Where names change there is no label.
 */
int
file_mailbox_label(struct mailbox *mailbox, uint64_t number, char *label,
    size_t size)
{
	const struct file_mailbox *state = mailbox->state;
	const struct message_file *file = find_message(mailbox, number);
	size_t length;

	label[0] = '\0';
	if (file == NULL)
		return (-1);
	if (!state->names_are_unique)
		return (LABEL_PART);
	length = strcspn(file->name, ":,");
	if (length >= size)
		length = size - 1;
	memcpy(label, file->name, length);
	label[length] = '\0';
	return (LABEL_UNIQUE);
}

/*
 * A message that cannot be read any more counts for nothing, and one that is
 * not as the index says is measured: by the next session, without the index.
 * A client that went away says nothing of the file.
 */
static const char *
send_file(struct mailbox *mailbox, struct message_file *file,
    struct wire *wire, int whole)
{
	struct file_mailbox *state = mailbox->state;
	int fd = open_message(state, file);
	const char *wrong;

	if (fd == -1 && (errno == ENOENT || errno == ESTALE))
		return ("the message was changed or removed by another "
		    "program");
	if (fd == -1)
		wrong = strerror(errno);
	else {
		wrong = message_file_send(file, fd, &state->reader, wire,
		    whole);
		(void)close(fd);
	}
	if (wrong != NULL && wrong != message_file_unsent)
		file_mailbox_distrust(mailbox);
	return (wrong);
}

const char *
file_mailbox_send(struct mailbox *mailbox, uint64_t number,
    struct wire *wire)
{
	struct message_file *file = find_message(mailbox, number);

	return (file == NULL ? "no such message" :
	    send_file(mailbox, file, wire, 0));
}

const char *
file_mailbox_send_all(struct mailbox *mailbox, struct wire *wire)
{
	struct file_mailbox *state = mailbox->state;
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < state->list.count && wrong == NULL; i++)
		wrong = send_file(mailbox, &state->list.files[i], wire, 1);
	return (wrong);
}

int
file_mailbox_known_uid(struct mailbox *mailbox, uint64_t number,
    unsigned char *digest)
{
	const struct message_file *file = find_message(mailbox, number);

	if (file == NULL || (file->flags & FILE_UID) == 0)
		return (0);
	memcpy(digest, file->uid, sizeof(file->uid));
	return (1);
}

void
file_mailbox_keep_uid(struct mailbox *mailbox, uint64_t number,
    const unsigned char *digest)
{
	struct file_mailbox *state = mailbox->state;
	struct message_file *file = find_message(mailbox, number);

	if (file == NULL)
		return;
	memcpy(file->uid, digest, sizeof(file->uid));
	file->flags |= FILE_UID;
	if ((file->flags & FILE_SETTLED) != 0)
		state->index_lacks = 1;
}

void
file_mailbox_remember(struct mailbox *mailbox)
{
	file_index_write(mailbox->state, &mailbox->place);
}

void
file_mailbox_distrust(struct mailbox *mailbox)
{
	file_index_remove(mailbox->state, &mailbox->place);
}

int
file_mailbox_mark(struct mailbox *mailbox, uint64_t number)
{
	struct message_file *file = find_message(mailbox, number);

	if (file == NULL || (file->flags & FILE_SENT) == 0)
		return (-1);
	file->flags |= FILE_MARKED;
	return (0);
}

int
file_mailbox_any_marked(const struct mailbox *mailbox)
{
	const struct file_mailbox *state = mailbox->state;
	size_t i;

	for (i = 0; i < state->list.count; i++)
		if ((state->list.files[i].flags & FILE_MARKED) != 0)
			return (1);
	return (0);
}

/*
 * A file that is not as it was may still be the message: one that was only
 * touched, or a Maildir's that was copied.  That it is byte for byte what
 * was sent is then for the caller to see.
 */
static void
accept_change(struct file_mailbox *state, struct message_file *file)
{
	struct file_identity now;

	if (message_file_look(state->directories[file->directory], file->name,
	    &now) == -1 || now.size != file->identity.size ||
	    now.owner != file->identity.owner ||
	    (!state->names_are_unique &&
	    (now.device != file->identity.device ||
	    now.inode != file->identity.inode)))
		return;
	file->identity = now;
	file->flags &= (uint8_t)~(FILE_CHANGED | FILE_SETTLED);
	state->looked_ms = clock_now_ms();
}

/* Still byte for byte what was sent; or gone, which is no obstacle. */
static const char *
verify_one(struct file_mailbox *state, struct message_file *file)
{
	int fd = open_message(state, file), same;

	if (fd == -1 && (file->flags & FILE_CHANGED) != 0) {
		accept_change(state, file);
		fd = open_message(state, file);
	}
	if (fd == -1 && (file->flags & FILE_GONE) != 0)
		return (NULL);
	if (fd == -1) {
		log_message(state, file, strerror(errno));
		return (changed);
	}
	same = message_file_is_sent(file, fd, &state->reader);
	if (message_file_was_touched(file, fd))
		state->looked_ms = clock_now_ms();
	(void)close(fd);
	if (same == 1)
		return (NULL);
	log_message(state, file, same == -1 ? strerror(errno) :
	    "not what was sent");
	return (changed);
}

const char *
file_mailbox_verify(struct mailbox *mailbox)
{
	struct file_mailbox *state = mailbox->state;
	struct message_file *file = state->list.files;
	struct message_file *end = file + state->list.count;
	const char *wrong = NULL;

	if (state->is_foreign) {
		log_line(LOG_NOTICE, "event=commit folder=%s error=\"it "
		    "belongs to somebody else; nothing was deleted\"",
		    state->label);
		for (; file < end; file++)
			file->flags &= (uint8_t)~FILE_MARKED;
		return (NULL);
	}
	/* What was not found once is looked for again before it is over. */
	for (; file < end; file++)
		file->flags &= (uint8_t)~FILE_LOST;
	for (file = state->list.files; file < end && wrong == NULL; file++)
		if ((file->flags & FILE_MARKED) != 0)
			wrong = verify_one(state, file);
	return (wrong);
}

static int
remove_name(const struct file_mailbox *state, int directory, const char *name)
{
	return (state->remove != NULL ? state->remove(directory, name) :
	    unlinkat(directory, name, 0));
}

/*
 * Removes one message whose bytes were looked at a moment ago.  Its entry
 * must still be this very file, and unchanged; nothing stands between this
 * look and the removal.  0, or -1 with errno; FILE_GONE may be set instead.
 */
static int
remove_one(struct file_mailbox *state, struct message_file *file)
{
	struct file_identity identity;
	int tries, directory;

	for (tries = 0; tries < 2 && (file->flags & FILE_LOST) == 0;
	    tries++) {
		directory = state->directories[file->directory];
		if (message_file_look(directory, file->name, &identity) == 0 &&
		    message_file_same(&identity, &file->identity)) {
			if (remove_name(state, directory, file->name) == 0) {
				file->flags |= FILE_REMOVED;
				return (0);
			}
			if (errno != ENOENT)
				return (-1);
		}
		if (tries == 0 && file_list_find_again(state) == -1)
			return (-1);
	}
	errno = ESTALE;
	return ((file->flags & FILE_GONE) != 0 ? 0 : -1);
}

/* Each directory that a name went out of.  0, or -1 with errno. */
static int
sync_directories(const struct file_mailbox *state)
{
	int touched[FILE_DIRECTORIES_MAX] = { 0 }, result = 0;
	size_t i;

	for (i = 0; i < state->list.count; i++)
		if ((state->list.files[i].flags & FILE_REMOVED) != 0)
			touched[state->list.files[i].directory] = 1;
	for (i = 0; i < FILE_DIRECTORIES_MAX; i++)
		if (touched[i] && disk_sync(state->directories[i]) == -1)
			result = -1;
	return (result);
}

/* What stopped the removal, and how far it had come. */
static const char *
tell(const struct file_mailbox *state, uint32_t deleted, int error)
{
	static char reason[REASON_SIZE];

	if (deleted == 0 && (error == EACCES || error == EPERM ||
	    error == EROFS)) {
		log_line(LOG_NOTICE, "event=commit folder=%s error=\"may not "
		    "be written; nothing was deleted\"", state->label);
		return (NULL);
	}
	log_line(LOG_ERR, "event=commit folder=%s deleted=%u error=\"%s\"",
	    state->label, deleted, strerror(error));
	if (deleted == 0)
		return (error == ESTALE ? changed :
		    "the messages cannot be removed; nothing was deleted");
	(void)snprintf(reason, sizeof(reason), "%u message%s deleted, the "
	    "others could not be", deleted, deleted == 1 ? " was" : "s were");
	return (reason);
}

const char *
file_mailbox_remove(struct mailbox *mailbox, uint32_t *deleted)
{
	struct file_mailbox *state = mailbox->state;
	struct message_file *file = state->list.files;
	struct message_file *end = file + state->list.count;
	int error = 0;

	for (; file < end && error == 0; file++) {
		if ((file->flags & FILE_MARKED) == 0)
			continue;
		if (remove_one(state, file) == -1)
			error = errno;
		else if ((file->flags & FILE_REMOVED) != 0)
			(*deleted)++;
		else
			mailbox->gone++;
	}
	if (sync_directories(state) == -1) {
		log_line(LOG_CRIT, "event=commit folder=%s deleted=%u "
		    "error=\"%s\"", state->label, *deleted, strerror(errno));
		return ("the disk fails; look what is in the mailbox");
	}
	return (error == 0 ? NULL : tell(state, *deleted, error));
}
