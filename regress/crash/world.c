/*
 * world.c - one mailbox, its deliveries, its sessions.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "mailbox.h"

#define ARRIVAL		3333	/* octets, about */
#define HIDDEN		5	/* in a MAIL.TXT, flagged as deleted */

struct figures figures;
int crash_verbose;

uint32_t
crash_random(uint32_t below)
{
	static uint64_t state = 918937;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((uint32_t)(state >> 33) % below);
}

/* Headers, and lines until it is long enough. */
static void
make_text(const struct world *world, unsigned int serial, size_t length,
    struct message *message)
{
	const char *end = world->crlf ? "\r\n" : "\n";
	FILE *stream = open_memstream(&message->bytes, &message->length);
	unsigned int line = 0;
	int written;

	if (stream == NULL)
		err(1, "open_memstream");
	written = fprintf(stream, "Subject: %u%s%s", serial, end, end);
	while ((size_t)written < length)
		written += fprintf(stream, "message %u line %u%s", serial,
		    line++, end);
	if (fclose(stream) != 0)
		err(1, "memory");
}

/*
 * A message of about `length` bytes that is like no other, with what its
 * mailbox has around it.
 */
static void
make_message(struct world *world, struct message *message, size_t length)
{
	const char *end = world->crlf ? "\r\n" : "\n";
	unsigned int serial = world->serial++;
	struct message text;
	char head[100];
	int all;

	make_text(world, serial, length, &text);
	if (world->mailtxt)
		(void)snprintf(head, sizeof(head), "22-Nov-2026 01:02:03 "
		    "+0000,%zu;00000000000%c%s", text.length,
		    message->hidden ? '2' : '0', end);
	else
		(void)snprintf(head, sizeof(head), "From a%u@example.org "
		    "Sun Nov 22 01:02:03 2026%s", serial, end);
	all = asprintf(&message->bytes, "%s%s%s", head, text.bytes,
	    world->mailtxt ? "" : end);
	if (all == -1)
		err(1, "memory");
	message->length = (size_t)all;
	message->marked = 0;
	free(text.bytes);
}

int
crash_is_marked(enum pattern pattern, size_t i, size_t count)
{
	switch (pattern) {
	case FIRST:
		return (i == 0);
	case LAST:
		return (i == count - 1);
	case SECOND:
		return (i % 2 == 1);
	case OTHERS:
		return (i % 2 == 0);
	case ALL_BUT_ONE:
		return (i != count / 2);
	case MIDDLE:
		return (i == count / 2);
	default:
		return (1);
	}
}

static const size_t lengths[] = { 700, 9000, 60, 4096, 12345, 1, 5000, 300,
    8191 };
#define LENGTHS	(sizeof(lengths) / sizeof(lengths[0]))

static void
make_messages(struct world *world, size_t times)
{
	size_t i;

	for (i = 0; i < LENGTHS; i++) {
		world->messages[i].hidden = world->mailtxt && i == HIDDEN;
		make_message(world, &world->messages[i], i == 0 ? lengths[i] :
		    lengths[i] * times);
		world->messages[i].marked = crash_is_marked(
		    world->pattern, i, LENGTHS) && !world->messages[i].hidden;
	}
	world->count = world->first_count = LENGTHS;
}

void
world_open(struct world *world)
{
	char state[sizeof(world->directory) + 8];

	(void)strlcpy(world->directory, "crash.XXXXXX",
	    sizeof(world->directory));
	if (mkdtemp(world->directory) == NULL)
		err(1, "mkdtemp");
	(void)snprintf(state, sizeof(state), "%s/state", world->directory);
	if (mkdir(state, 0700) == -1)
		err(1, "%s", state);
	world->spool = open(world->directory, O_RDONLY | O_DIRECTORY);
	world->state = open(state, O_RDONLY | O_DIRECTORY);
	make_messages(world, world->large ? 9 : 1);
	world_reset(world);
}

void
world_twin(struct world *world, struct world *twin)
{
	*twin = *world;
	make_messages(twin, 2);
	world->serial = twin->serial;
}

void
world_forget_since(struct world *world, size_t count)
{
	while (world->count > count)
		free(world->messages[--world->count].bytes);
}

void
world_close(struct world *world)
{
	char path[sizeof(world->directory) + 8];

	world_clear_state(world, 1);
	world_forget_since(world, 0);
	(void)unlinkat(world->spool, "mbox", 0);
	(void)snprintf(path, sizeof(path), "%s/state", world->directory);
	(void)rmdir(path);
	(void)rmdir(world->directory);
	(void)close(world->spool);
	(void)close(world->state);
}

/* In place: the mailbox keeps its inode. */
void
world_write(const struct world *world, const char *name, const void *bytes,
    size_t length)
{
	int at = strcmp(name, "mbox") == 0 ? world->spool : world->state;
	char path[sizeof(world->directory) + 80];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s%s", world->directory,
	    at == world->state ? "state/" : "", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, bytes, length) != (ssize_t)length ||
	    close(fd) == -1)
		err(1, "%s", path);
}

int
world_read(const struct world *world, const char *name, char **bytes,
    size_t *length)
{
	int at = strcmp(name, "mbox") == 0 ? world->spool : world->state;
	int fd = openat(at, name, O_RDONLY);
	struct stat status;

	if (fd == -1 || fstat(fd, &status) == -1)
		return (-1);
	*length = (size_t)status.st_size;
	*bytes = malloc(*length + 1);
	if (*bytes == NULL || pread(fd, *bytes, *length, 0) !=
	    (ssize_t)*length)
		err(1, "%s", name);
	(void)close(fd);
	return (0);
}

/* The reserve may stay: its content is of no account. */
void
world_clear_state(const struct world *world, int reserve_too)
{
	char path[sizeof(world->directory) + 8];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/state", world->directory);
	if ((directory = opendir(path)) == NULL)
		err(1, "%s", path);
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.' && (reserve_too ||
		    strcmp(entry->d_name, "reserve") != 0))
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	(void)closedir(directory);
}

void
world_put(const struct world *world)
{
	size_t i, length = 0;
	char *all;

	for (i = 0; i < world->count; i++)
		length += world->messages[i].length;
	if ((all = malloc(length)) == NULL)
		err(1, "malloc");
	for (i = 0, length = 0; i < world->count; i++) {
		memcpy(all + length, world->messages[i].bytes,
		    world->messages[i].length);
		length += world->messages[i].length;
	}
	world_write(world, "mbox", all, length);
	free(all);
}

void
world_reset(struct world *world)
{
	world_forget_since(world, world->first_count);
	world_put(world);
	world_clear_state(world, 0);
	faults_set(FAULT_NONE, 0, 0);
	faults->full = 0;
	faults->fills = 0;
	faults->area = world->area;
	faults->far = world->far;
	if (faccessat(world->state, "reserve", F_OK, 0) == -1)
		(void)world_session(world, 0);
	faults->fills = world->fills;
}

int
world_journal(const struct world *world, char *name, size_t size)
{
	char path[sizeof(world->directory) + 8];
	struct dirent *entry;
	DIR *directory;
	int found = 0;

	(void)snprintf(path, sizeof(path), "%s/state", world->directory);
	if ((directory = opendir(path)) == NULL)
		err(1, "%s", path);
	while (!found && (entry = readdir(directory)) != NULL)
		found = strncmp(entry->d_name, "journal.", 8) == 0 &&
		    strlen(entry->d_name) == 57;
	if (found)
		(void)strlcpy(name, entry->d_name, size);
	(void)closedir(directory);
	return (found);
}

/* An agent's work, with the lock free; its sync makes it count. */
void
world_deliver(struct world *world, size_t length)
{
	struct message *message = &world->messages[world->count++];
	struct faults before = *faults;
	struct stat status;
	int fd = openat(world->spool, "mbox", O_WRONLY);

	if (world->count > MESSAGES || fd == -1 || fstat(fd, &status) == -1)
		errx(1, "no delivery");
	make_message(world, message, length);
	memset(faults, 0, sizeof(*faults));
	if (pwrite(fd, message->bytes, message->length, status.st_size) !=
	    (ssize_t)message->length)
		err(1, "delivery");
	if (!world->lazy)
		(void)fsync(fd);
	/* From here on it counts; power.c looks for this. */
	if (!world->lazy && recording != NULL)
		recording->events[recording->count - 1].at = 1;
	*faults = before;
	(void)close(fd);
}

uint32_t
world_shown(const struct world *world)
{
	uint32_t shown = 0;
	size_t i;

	for (i = 0; i < world->count; i++)
		shown += !world->messages[i].hidden;
	return (shown);
}

/* Sends and marks what the case says. */
static void
read_all(struct world *world, struct mailbox *mailbox)
{
	const struct message *message = world->messages;
	static struct wire wire;
	uint64_t number;

	wire.fd = open("/dev/null", O_WRONLY);
	for (number = 1; number <= mailbox->messages; number++, message++) {
		message += message->hidden;
		wire_begin(&wire, mailbox->format->octets(mailbox, number));
		if (mailbox->format->send(mailbox, number, &wire) != NULL ||
		    wire_end(&wire) == -1)
			errx(1, "message %llu is not sent",
			    (unsigned long long)number);
		if (message->marked &&
		    mailbox->format->mark(mailbox, number) == -1)
			errx(1, "not marked");
	}
	(void)close(wire.fd);
}

int
world_session(struct world *world, int commits)
{
	struct mailbox mailbox = { .format = &mailbox_single_file };
	const char *wrong;
	struct stat status;
	uint32_t deleted;

	mailbox.place.directory = world->spool;
	mailbox.place.state = world->state;
	mailbox.place.pulse = -1;
	mailbox.place.locks[0] = LOCK_FCNTL;
	(void)strlcpy(mailbox.place.name, world->name != NULL ? world->name :
	    "mbox", sizeof(mailbox.place.name));
	if (fstatat(world->spool, mailbox.place.name, &status, 0) == 0)
		faults->mailbox = status.st_ino;
	if (mailbox.format->open(&mailbox) != NULL)
		return (STATUS_CLOSED);
	mailbox.format->remember(&mailbox);
	faults->messages = mailbox.messages;
	wrong = NULL;
	if (commits) {
		read_all(world, &mailbox);
		if (world->arrival) {
			world_deliver(world, ARRIVAL);
			faults->arrived = 1;
		}
		if (world->copy_down)
			wrong = copy_down(world) == 0 ? NULL : "model";
		else
			wrong = mailbox.format->commit(&mailbox, &deleted);
	}
	mailbox.format->close(&mailbox);
	(void)strlcpy(faults->reason, wrong == NULL ? "" : wrong,
	    sizeof(faults->reason));
	return (wrong == NULL ? STATUS_DONE : STATUS_FAILED);
}

int
world_child(struct world *world, int commits)
{
	int status;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		_exit(world_session(world, commits));
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (!WIFEXITED(status))
		errx(1, "a session ended with signal %d", WTERMSIG(status));
	/* The child's delivery, known here as well. */
	if (faults->arrived)
		make_message(world, &world->messages[world->count++],
		    ARRIVAL);
	faults->arrived = 0;
	return (WEXITSTATUS(status));
}
