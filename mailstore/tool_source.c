/*
 * tool_source.c - a mailbox that is only read, message by message.
 *
 * Linked into postern-mailbox; runs as the mailbox's owner.
 */
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "detect.h"
#include "disk.h"
#include "file_mailbox.h"
#include "index_format.h"
#include "log.h"
#include "mbox.h"
#include "single_file.h"
#include "tool.h"

/* As long as the configuration's default. */
#define LOCK_SECONDS	10

/* So long it is tried; directories are to be left alone for two seconds. */
#define LIST_MS		10000
#define LIST_WAIT_MS	250

/* When the directories of the mailbox to be converted were last changed. */
static struct timespec listed[FILE_DIRECTORIES_MAX];

int
tool_place(const char *path, struct mailbox_place *place)
{
	char directory[PATH_SIZE], *slash, *name;
	size_t length;

	memset(place, 0, sizeof(*place));
	errno = ENAMETOOLONG;
	if (strlcpy(directory, path, sizeof(directory)) >= sizeof(directory))
		return (-1);
	for (length = strlen(directory); length > 1 &&
	    directory[length - 1] == '/'; length--)
		directory[length - 1] = '\0';
	slash = strrchr(directory, '/');
	name = slash == NULL ? directory : slash + 1;
	if (strlcpy(place->name, name, sizeof(place->name)) >=
	    sizeof(place->name))
		return (-1);
	errno = EINVAL;
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return (-1);
	*name = '\0';
	(void)log_quote(place->label, sizeof(place->label), path);
	place->locks[0] = LOCK_FCNTL;
	place->locks[1] = LOCK_TRY_DOTLOCK;
	place->dotlock = DOTLOCK_BESIDE;
	place->lock_seconds = LOCK_SECONDS;
	place->others_allowed = 1;
	place->pulse = -1;
	place->state = -1;
	place->directory = open(slash == NULL ? "." : directory, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	return (place->directory == -1 ? -1 : 0);
}

const char *
tool_open(struct mailbox *mailbox)
{
	struct stat status;
	const char *wrong;

	mailbox->read_only = 1;
	if (fstatat(mailbox->place.directory, mailbox->place.name, &status,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return (strerror(errno));
	wrong = detect_format(mailbox);
	if (wrong == NULL && mailbox->format == NULL)
		wrong = "neither a Maildir nor a folder of numbers";
	if (wrong == NULL)
		wrong = mailbox->format->open(mailbox);
	if (wrong == NULL && mailbox->absent) {
		mailbox->format->close(mailbox);
		wrong = "it has gone";
	}
	return (wrong);
}

/* When names in the directories were last made, changed or removed. */
static int
look_at(const struct file_mailbox *files,
    struct timespec changed[FILE_DIRECTORIES_MAX])
{
	struct stat status;
	size_t i;

	for (i = 0; i < FILE_DIRECTORIES_MAX; i++) {
		memset(&status, 0, sizeof(status));
		if (files->directories[i] != -1 &&
		    fstat(files->directories[i], &status) == -1)
			return (-1);
		changed[i] = status.st_ctim;
	}
	return (0);
}

static int
is_as_listed(const struct timespec now[FILE_DIRECTORIES_MAX])
{
	size_t i = 0;

	while (i < FILE_DIRECTORIES_MAX &&
	    timespeccmp(&now[i], &listed[i], ==))
		i++;
	return (i == FILE_DIRECTORIES_MAX);
}

/* Lists what has been left alone, and still is.  1, 0, or -1 with errno. */
static int
list_once(struct file_mailbox *files)
{
	struct timespec now[FILE_DIRECTORIES_MAX];
	size_t i;

	if (look_at(files, listed) == -1)
		return (-1);
	for (i = 0; i < FILE_DIRECTORIES_MAX; i++)
		if (!index_is_settled(&listed[i]))
			return (0);
	file_list_free(&files->list);
	if (file_list_read(files, &files->list) == -1 ||
	    look_at(files, now) == -1)
		return (-1);
	return (is_as_listed(now));
}

static int
is_as_before(const struct file_mailbox *files, const struct message_file *file)
{
	struct file_identity now;

	return (message_file_look(files->directories[file->directory],
	    file->name, &now) == 0 &&
	    message_file_same(&now, &file->identity) &&
	    timespeccmp(&now.changed, &file->identity.changed, ==));
}

/*
 * A message of MH has its name before it is written: as in a commit it must
 * stay as it is for so long by a clock that nobody sets.
 */
static int
were_left_alone(const struct file_mailbox *files)
{
	const uint64_t began = clock_now_ms();
	const struct message_file *file = files->list.files;
	const struct message_file *end = file + files->list.count;

	while (file < end && message_file_is_old(&file->identity))
		file++;
	while (file < end && clock_now_ms() - began < MH_STILL_MS &&
	    !tool_is_interrupted())
		(void)poll(NULL, 0, LIST_WAIT_MS);
	while (file < end && is_as_before(files, file))
		file++;
	return (file == end);
}

const char *
tool_list_all(struct mailbox *mailbox)
{
	struct file_mailbox *files = mailbox->state;
	const uint64_t began = clock_now_ms();
	int result;

	if (mailbox->format == &mailbox_single_file)
		return (NULL);
	while ((result = list_once(files)) == 0 ||
	    (result == 1 && mailbox->format == &mailbox_mh &&
	    !were_left_alone(files))) {
		result = 0;
		if (tool_is_interrupted() || clock_now_ms() - began >= LIST_MS)
			break;
		(void)poll(NULL, 0, LIST_WAIT_MS);
	}
	mailbox->messages = (uint32_t)files->list.count;
	if (tool_is_interrupted())
		return ("interrupted");
	if (result == 0)
		return ("names in it are being changed, or messages; try "
		    "again when nobody uses it");
	return (result == -1 ? strerror(errno) : NULL);
}

const char *
tool_messages_changed(struct mailbox *mailbox)
{
	struct file_mailbox *files = mailbox->state;
	size_t i;

	if (mailbox->format == &mailbox_single_file)
		return (NULL);
	if (file_list_find_again(files) == -1)
		return (strerror(errno));
	for (i = 0; i < files->list.count; i++)
		if ((files->list.files[i].flags & FILE_CHANGED) != 0)
			return ("a message was changed while it was copied; "
			    "try again when nobody uses it");
	return (NULL);
}

int
tool_has_changed(const struct mailbox *mailbox)
{
	const struct single_file *single = mailbox->state;
	struct timespec now[FILE_DIRECTORIES_MAX];
	struct stat status;

	if (mailbox->format == &mailbox_single_file)
		return (fstat(single->fd, &status) == 0 &&
		    (uint64_t)status.st_size != single->size);
	return (look_at(mailbox->state, now) == 0 && !is_as_listed(now));
}

void
tool_close(struct mailbox *mailbox)
{
	mailbox->format->close(mailbox);
	(void)close(mailbox->place.directory);
}

const char *
tool_form_name(const struct mailbox *mailbox)
{
	const struct single_file *single = mailbox->state;

	if (mailbox->format == &mailbox_mh)
		return (tool_forms[FORM_MH]);
	if (mailbox->format == &mailbox_maildir)
		return (tool_forms[FORM_MAILDIR]);
	if (single->format == &single_mbox)
		return (tool_forms[FORM_MBOX]);
	return (tool_forms[single->shown.count + single->hidden.count > 0 &&
	    (single->shown.count > 0 ? single->shown.messages :
	    single->hidden.messages)->head_ending == 1 ? FORM_TENEX :
	    FORM_MTX]);
}

int
tool_scratch_file(int directory)
{
	char name[40];
	int fd;

	(void)snprintf(name, sizeof(name), ".postern-%08x%08x.tmp",
	    randombytes_random(), randombytes_random());
	fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd != -1)
		(void)unlinkat(directory, name, 0);
	return (fd);
}

/* What its head line says of a message in a single file. */
static const char *
read_head(struct single_file *single, uint32_t number,
    struct tool_message *message)
{
	const struct single_message *stored =
	    &single->shown.messages[number - 1];
	const char *wrong;
	struct line line;
	time_t received = 0;

	message->is_empty = stored->stored == (uint64_t)stored->head_bytes +
	    stored->blank_bytes;
	wrong = single_read_head(single, stored, NULL, &line);
	if (wrong != NULL)
		return (wrong);
	if (single->format->received != NULL)
		received = single->format->received(&line);
	else {
		(void)mbox_from_date(line.text, line.length, &received);
		message->head_length = line.length;
		memcpy(message->head, line.text, line.length);
	}
	message->received.tv_sec = received;
	return (NULL);
}

static const char *
describe(struct mailbox *mailbox, uint32_t number,
    struct tool_message *message)
{
	const struct file_mailbox *files = mailbox->state;

	memset(message, 0, sizeof(*message));
	message->octets = mailbox->format->octets(mailbox, number);
	if (message->octets == 0)
		return ("a message cannot be read");
	if (mailbox->format == &mailbox_single_file)
		return (read_head(mailbox->state, number, message));
	message->received = files->list.files[number - 1].identity.modified;
	message->is_empty = files->list.files[number - 1].identity.size == 0;
	return (NULL);
}

const char *
tool_fetch(struct mailbox *mailbox, uint32_t number, int fd,
    struct tool_message *message)
{
	static struct line_reader reader;
	static struct wire wire;
	const char *wrong = describe(mailbox, number, message);

	if (wrong != NULL)
		return (wrong);
	if (disk_cut(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		return (strerror(errno));
	wire.fd = fd;
	wire.timeout_ms = -1;
	wire_begin(&wire, message->octets);
	wrong = mailbox->format->send(mailbox, number, &wire);
	errno = 0;
	if (wrong == NULL && wire_end(&wire) == -1)
		wrong = errno != 0 ? strerror(errno) : "not all could be read";
	if (wrong == NULL && lines_seal(&reader, fd, 0, message->octets,
	    message->seal) == -1)
		wrong = "what was written cannot be read back";
	return (wrong);
}
