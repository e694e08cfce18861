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

struct figures figures;
int crash_verbose;

uint32_t
crash_random(uint32_t below)
{
	static uint64_t state = 918937;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((uint32_t)(state >> 33) % below);
}

/* A message of about `length` bytes that is like no other. */
static void
make_message(struct world *world, struct message *message, size_t length)
{
	const char *end = world->crlf ? "\r\n" : "\n";
	unsigned int serial = world->serial++, line = 0;
	FILE *stream = open_memstream(&message->bytes, &message->length);

	if (stream == NULL)
		err(1, "open_memstream");
	fprintf(stream, "From a%u@example.org Sun Nov 22 01:02:03 2026%s"
	    "Subject: %u%s%s", serial, end, serial, end, end);
	while ((size_t)ftello(stream) < length) {
		fprintf(stream, "message %u line %u%s", serial, line++, end);
		fflush(stream);
	}
	fprintf(stream, "%s", end);
	if (fclose(stream) != 0)
		err(1, "memory");
	message->marked = 0;
}

static int
is_marked(const struct world *world, size_t i, size_t count)
{
	switch (world->pattern) {
	case FIRST:
		return (i == 0);
	case LAST:
		return (i == count - 1);
	case SECOND:
		return (i % 2 == 1);
	case ALL_BUT_ONE:
		return (i != count / 2);
	case MIDDLE:
		return (i == count / 2);
	default:
		return (1);
	}
}

void
world_open(struct world *world)
{
	static const size_t lengths[] = { 700, 9000, 60, 4096, 12345, 1,
	    5000, 300, 8191 };
	size_t i, count = sizeof(lengths) / sizeof(lengths[0]);
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
	for (i = 0; i < count; i++) {
		make_message(world, &world->messages[i], world->large &&
		    i > 0 ? lengths[i] * 9 : lengths[i]);
		world->messages[i].marked = is_marked(world, i, count);
	}
	world->count = world->first_count = count;
	world_reset(world);
}

/* Forgets what was delivered since. */
static void
forget(struct world *world)
{
	while (world->count > world->first_count)
		free(world->messages[--world->count].bytes);
}

void
world_close(struct world *world)
{
	char path[sizeof(world->directory) + 8];

	world_clear_state(world, 1);
	world->first_count = 0;
	forget(world);
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
world_reset(struct world *world)
{
	size_t i, length = 0;
	char *all;

	forget(world);
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
	world_clear_state(world, 0);
	faults_set(FAULT_NONE, 0, 0);
	faults->full = 0;
	if (faccessat(world->state, "reserve", F_OK, 0) == -1)
		(void)world_session(world, 0);
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

/* Sends and marks what the case says. */
static void
read_all(struct world *world, struct mailbox *mailbox)
{
	static struct wire wire;
	uint64_t number;

	wire.fd = open("/dev/null", O_WRONLY);
	for (number = 1; number <= mailbox->messages; number++) {
		wire_begin(&wire, mailbox->format->octets(mailbox, number));
		if (mailbox->format->send(mailbox, number, &wire) != NULL ||
		    wire_end(&wire) == -1)
			errx(1, "message %llu is not sent",
			    (unsigned long long)number);
		if (world->messages[number - 1].marked &&
		    mailbox->format->mark(mailbox, number) == -1)
			errx(1, "not marked");
	}
	(void)close(wire.fd);
}

int
world_session(struct world *world, int commits)
{
	struct mailbox mailbox = { .format = &mailbox_mbox };
	const char *wrong;
	uint32_t deleted;

	mailbox.place.directory = world->spool;
	mailbox.place.state = world->state;
	mailbox.place.pulse = -1;
	mailbox.place.locks[0] = LOCK_FCNTL;
	(void)strlcpy(mailbox.place.name, world->name != NULL ? world->name :
	    "mbox", sizeof(mailbox.place.name));
	if (mailbox.format->open(&mailbox) != NULL)
		return (STATUS_CLOSED);
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
