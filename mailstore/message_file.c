/*
 * message_file.c - a message that is a file of its own.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  Other
 * programs rename, renumber, replace and remove these files while a session
 * lasts, with no lock that all of them take.  So a name is never believed:
 * what it leads to is opened, and held against the snapshot by the descriptor.
 */
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dots.h"
#include "mboxrd.h"
#include "message_file.h"

const char message_file_unsent[] = "not all could be sent";
static const char changed[] = "the message was changed by another program";

int
message_file_compare(const struct file_identity *one,
    const struct file_identity *other)
{
	if (one->device != other->device)
		return (one->device < other->device ? -1 : 1);
	if (one->inode != other->inode)
		return (one->inode < other->inode ? -1 : 1);
	return (0);
}

int
message_file_same(const struct file_identity *one,
    const struct file_identity *other)
{
	return (message_file_compare(one, other) == 0 &&
	    one->owner == other->owner && one->size == other->size &&
	    timespeccmp(&one->modified, &other->modified, ==));
}

int
message_file_is_old(const struct file_identity *identity)
{
	struct timespec now;

	return (clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    identity->modified.tv_sec < now.tv_sec - MH_OLD_SECONDS &&
	    identity->changed.tv_sec < now.tv_sec - MH_OLD_SECONDS);
}

/*
 * Files with several names are allowed: MH links a message into more than
 * one folder, and a delete takes this folder's name alone.
 */
static int
identify(const struct stat *status, struct file_identity *identity)
{
	if (!S_ISREG(status->st_mode) || status->st_size < 0) {
		errno = S_ISDIR(status->st_mode) ? EISDIR : EPERM;
		return (-1);
	}
	identity->device = status->st_dev;
	identity->inode = status->st_ino;
	identity->owner = status->st_uid;
	identity->size = (uint64_t)status->st_size;
	identity->modified = status->st_mtim;
	identity->changed = status->st_ctim;
	return (0);
}

int
message_file_look(int directory, const char *name,
    struct file_identity *identity)
{
	struct stat status;

	return (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1 ?
	    -1 : identify(&status, identity));
}

int
message_file_open(const struct message_file *file, int directory)
{
	struct file_identity identity;
	struct stat status;
	int fd;

	fd = openat(directory, file->name, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1) {
		/* A link, or a socket, has taken its place. */
		if (errno == ELOOP || errno == ENXIO)
			errno = ESTALE;
		return (-1);
	}
	if (fstat(fd, &status) == -1 || identify(&status, &identity) == -1 ||
	    !message_file_same(&identity, &file->identity)) {
		(void)close(fd);
		errno = ESTALE;
		return (-1);
	}
	return (fd);
}

/*
 * Why lines_next or wire_put stopped: -1 of the first, or else the second.  One
 * that nobody waits for any more is not read (EINTR).
 */
static const char *
why_stopped(int got)
{
	if (got != -1 || errno == EINTR)
		return (message_file_unsent);
	return (errno != 0 ? strerror(errno) :
	    "the message was cut short by another program");
}

static const char *
put_alone(const struct message_file *file, struct line_reader *reader,
    struct wire *wire)
{
	uint64_t at = 0;
	struct line line;
	int got, failed = 0;

	while ((got = lines_next(reader, &line)) == 1 && !failed) {
		at += line.length + line.ending;
		failed = wire_put_line(wire, &line,
		    at == file->identity.size);
		if (!failed)
			at += wire_put_lines(wire, reader,
			    file->identity.size - at);
	}
	/* A message of nothing at all is sent as an empty line. */
	if (got == 0 && !failed && at == 0)
		failed = wire_put(wire, "\r\n", 2);
	return (got == 0 && !failed ? NULL : why_stopped(got));
}

static const char *
put_in_mboxrd(const struct message_file *file, struct line_reader *reader,
    struct wire *wire, const char *sender)
{
	struct mboxrd message;
	struct line line;
	int got = 0, failed;

	failed = mboxrd_begin(&message, wire, sender,
	    file->identity.modified.tv_sec);
	while (!failed && (got = lines_next(reader, &line)) == 1)
		failed = mboxrd_line(&message, &line);
	if (got == 0 && !failed)
		failed = mboxrd_end(&message);
	return (got == 0 && !failed ? NULL : why_stopped(got));
}

static const char *
put_message(const struct message_file *file, int fd,
    struct line_reader *reader, struct wire *wire, int whole,
    struct seal *seal)
{
	char sender[SENDER_SIZE];

	if (whole && mboxrd_sender(reader, fd, 0, file->identity.size,
	    sender) == -1)
		return (why_stopped(-1));
	lines_begin(reader, fd, 0, file->identity.size, seal);
	if (wire->header_only)
		lines_read_little(reader);
	return (whole ? put_in_mboxrd(file, reader, wire, sender) :
	    put_alone(file, reader, wire));
}

const char *
message_file_send(struct message_file *file, int fd,
    struct line_reader *reader, struct wire *wire, int whole)
{
	unsigned char bytes[SEAL_BYTES];
	struct seal seal;
	const uint64_t before = wire->sent;
	const uint64_t octets = whole ? file->whole_octets : file->octets;
	const char *wrong;

	seal_begin(&seal);
	wrong = put_message(file, fd, reader, wire, whole,
	    wire->header_only ? NULL : &seal);
	/* More than was announced cannot be sent, and is a reason by itself. */
	if (wire->sent - before > octets ||
	    (wrong == NULL && wire->sent - before != octets))
		wrong = changed;
	if (wrong != NULL || wire->header_only)
		return (wrong);
	seal_end(&seal, bytes);
	/* A number stands for one message as long as the session lasts. */
	if ((file->flags & FILE_SENT) != 0 &&
	    !seal_is_same(bytes, file->seal))
		return (changed);
	memcpy(file->seal, bytes, sizeof(bytes));
	file->flags |= FILE_SENT;
	return (NULL);
}

int
message_file_measure(struct message_file *file, int fd,
    struct line_reader *reader, int whole)
{
	static struct wire counter;
	struct dots dots;

	counter.fd = -1;
	wire_begin(&counter, INT64_MAX);
	dots_begin(&dots, &counter, UINT64_MAX, 1);
	errno = 0;
	if (put_message(file, fd, reader, &counter, whole, NULL) != NULL)
		return (-1);
	if (whole)
		file->whole_octets = counter.sent;
	else {
		file->octets = counter.sent;
		file->dots = dots.doubled - dots.octets;
	}
	return (0);
}

int
message_file_was_touched(struct message_file *file, int fd)
{
	struct stat status;

	if (fstat(fd, &status) == -1)
		return (1);
	if (timespeccmp(&status.st_ctim, &file->identity.changed, ==))
		return (0);
	file->identity.changed = status.st_ctim;
	file->flags &= (uint8_t)~FILE_SETTLED;
	return (1);
}

int
message_file_is_sent(const struct message_file *file, int fd,
    struct line_reader *reader)
{
	unsigned char seal[SEAL_BYTES];

	if (lines_seal(reader, fd, 0, file->identity.size, seal) == -1)
		return (errno == 0 ? 0 : -1);
	return (seal_is_same(seal, file->seal));
}
