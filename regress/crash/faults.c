/*
 * faults.c - the mutating system calls of the code under test, wrapped.
 *
 * Linked with -Wl,--wrap=pwrite and so on.  A killed process is one that
 * ends with _exit(2) at the call: its locks go, and nothing is flushed.
 * fsync(2) costs nothing here; what it would make durable is recorded.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "message_file.h"

struct faults *faults;
struct recording *recording;

ssize_t	__real_pwrite(int, const void *, size_t, off_t);
int	__real_ftruncate(int, off_t);
int	__real_renameat(int, const char *, int, const char *);
int	__real_unlinkat(int, const char *, int);
int	__real_openat(int, const char *, int, ...);
ssize_t	__wrap_pwrite(int, const void *, size_t, off_t);
int	__wrap_ftruncate(int, off_t);
int	__wrap_fsync(int);
int	__wrap_renameat(int, const char *, int, const char *);
int	__wrap_unlinkat(int, const char *, int);
int	__wrap_openat(int, const char *, int, ...);
uint64_t __real_journal_wanted(uint64_t);
uint64_t __wrap_journal_wanted(uint64_t);
int	__real_journal_is_far(uint64_t);
int	__wrap_journal_is_far(uint64_t);
int	__wrap_message_file_is_old(const struct file_identity *);
void	__wrap_log_line(int, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

void
faults_begin(void)
{
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (faults == MAP_FAILED)
		err(1, "mmap");
}

void
faults_set(enum fault kind, unsigned int at, int error)
{
	faults->kind = kind;
	faults->at = at;
	faults->also = 0;
	faults->error = error;
	faults->calls = 0;
	faults->arrived = 0;
}

/* Counts a call; -1 when it is to fail. */
static int
strike(void)
{
	unsigned int now = ++faults->calls;

	if ((faults->kind == FAULT_KILL && now == faults->at) ||
	    (faults->kind == FAULT_KILL_HALF && now == faults->at))
		_exit(STATUS_KILLED);
	if ((faults->kind == FAULT_ONCE && (now == faults->at ||
	    now == faults->also)) ||
	    (faults->kind == FAULT_ALWAYS && now >= faults->at)) {
		errno = faults->error;
		return (-1);
	}
	return (0);
}

static struct event *
record(enum event_type type, int fd)
{
	struct event *event;
	struct stat status;

	if (recording == NULL)
		return (NULL);
	if (recording->count == recording->room) {
		recording->room = recording->room * 2 + 64;
		recording->events = reallocarray(recording->events,
		    recording->room, sizeof(*event));
		if (recording->events == NULL)
			err(1, "malloc");
	}
	event = &recording->events[recording->count++];
	memset(event, 0, sizeof(*event));
	event->type = type;
	event->call = faults->calls;
	if (fd != -1 && fstat(fd, &status) == 0)
		event->file = status.st_ino;
	return (event);
}

void
recording_free(struct recording *old)
{
	size_t i;

	for (i = 0; i < old->count; i++)
		free(old->events[i].bytes);
	free(old->events);
	memset(old, 0, sizeof(*old));
}

static int
grows(int fd, uint64_t end)
{
	struct stat status;

	return (fstat(fd, &status) == 0 && end > (uint64_t)status.st_size);
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	struct event *event;
	ssize_t wrote;

	if (faults->calls + 1 == faults->at && length > 1 &&
	    (faults->kind == FAULT_KILL_HALF || faults->kind == FAULT_SHORT)) {
		length /= 2;
		(void)__real_pwrite(fd, bytes, length, at);
	}
	if (strike() == -1)
		return (-1);
	if (faults->full && grows(fd, (uint64_t)at + length)) {
		errno = ENOSPC;
		return (-1);
	}
	wrote = __real_pwrite(fd, bytes, length, at);
	if (wrote > 0 && (event = record(EVENT_WRITE, fd)) != NULL) {
		event->at = (uint64_t)at;
		event->length = (size_t)wrote;
		event->bytes = malloc((size_t)wrote);
		if (event->bytes == NULL)
			err(1, "malloc");
		memcpy(event->bytes, bytes, (size_t)wrote);
	}
	return (wrote);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	struct event *event;
	int result;

	if (strike() == -1)
		return (-1);
	result = __real_ftruncate(fd, size);
	if (result == 0 && (event = record(EVENT_CUT, fd)) != NULL)
		event->at = (uint64_t)size;
	return (result);
}

int
__wrap_fsync(int fd)
{
	struct stat status;

	if (strike() == -1)
		return (-1);
	if (fstat(fd, &status) == -1)
		return (-1);
	if (S_ISREG(status.st_mode) && status.st_ino != faults->mailbox) {
		if ((uint64_t)status.st_size > faults->largest)
			faults->largest = (uint64_t)status.st_size;
		faults->sparse |= status.st_blocks * 512 < status.st_size;
	}
	(void)record(S_ISDIR(status.st_mode) ? EVENT_SYNC_DIRECTORY :
	    EVENT_SYNC, fd);
	return (0);
}

/* The file that a name leads to, before the name changes. */
static struct event *
record_name(enum event_type type, int directory, const char *name)
{
	struct event *event = record(type, -1);
	struct stat status;

	if (event != NULL) {
		(void)strlcpy(event->name, name, sizeof(event->name));
		if (fstat(directory, &status) == 0)
			event->directory = status.st_ino;
		if (fstatat(directory, name, &status, 0) == 0)
			event->file = status.st_ino;
	}
	return (event);
}

int
__wrap_renameat(int from, const char *name, int directory, const char *to)
{
	struct event *event;
	struct stat status;

	if (strike() == -1)
		return (-1);
	if (strlen(name) > 4 &&
	    strcmp(name + strlen(name) - 4, ".new") == 0)
		faults->full |= faults->fills;
	if (fstatat(from, name, &status, 0) == 0 &&
	    (event = record_name(EVENT_RENAME, from, name)) != NULL)
		(void)strlcpy(event->to, to, sizeof(event->to));
	return (__real_renameat(from, name, directory, to));
}

int
__wrap_unlinkat(int directory, const char *name, int flags)
{
	struct stat status;

	if (strike() == -1)
		return (-1);
	if (fstatat(directory, name, &status, 0) == 0)
		(void)record_name(EVENT_UNLINK, directory, name);
	return (__real_unlinkat(directory, name, flags));
}

int
__wrap_openat(int directory, const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;
	int fd;

	if ((flags & O_CREAT) == 0)
		return (__real_openat(directory, name, flags));
	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (strike() == -1)
		return (-1);
	fd = __real_openat(directory, name, flags, mode);
	if (fd != -1)
		(void)record_name(EVENT_CREATE, directory, name);
	return (fd);
}

/* Steps of a few KB are steps, too. */
uint64_t
__wrap_journal_wanted(uint64_t mail)
{
	uint64_t wanted = __real_journal_wanted(mail);

	return (faults->area != 0 && wanted > faults->area ? faults->area :
	    wanted);
}

int
__wrap_journal_is_far(uint64_t gap)
{
	return (faults->far != 0 ? gap >= faults->far :
	    __real_journal_is_far(gap));
}

/* No test can make a ctime: what has an old date is old, and not waited for. */
int
__wrap_message_file_is_old(const struct file_identity *identity)
{
	return (identity->modified.tv_sec <= 1000000000);
}

/* Thousands of deaths leave thousands of lines. */
void
__wrap_log_line(int priority, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	va_start(arguments, format);
	(void)vsnprintf(faults->log, sizeof(faults->log), format, arguments);
	va_end(arguments);
	if (getenv("CRASH_LOG") != NULL)
		fprintf(stderr, "%s\n", faults->log);
}
