/*
 * processes.h - what /proc tells of a process, and a clock.
 *
 * For the test programs of this directory.  Every function ends the test
 * case with a failure when something is not as it must be.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <sys/types.h>

#include <atf-c.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

static inline void
pause_ms(long ms)
{
	const struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&time, NULL);
}

static inline int64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/*
 * The value of a line of /proc/PID/status, its white space made single
 * spaces.  Returns 0, or -1 when there is no such process or line.
 */
static inline int
process_field(pid_t pid, const char *name, char *to, size_t size)
{
	char path[64], line[1024], *word, *rest;
	size_t length = strlen(name);
	FILE *file;
	int found = -1;

	to[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((file = fopen(path, "re")) == NULL)
		return (-1);
	while (found == -1 && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		found = 0;
		rest = line + length + 1;
		while ((word = strsep(&rest, " \t\n")) != NULL) {
			if (word[0] == '\0')
				continue;
			if (to[0] != '\0')
				(void)strlcat(to, " ", size);
			(void)strlcat(to, word, size);
		}
	}
	(void)fclose(file);
	return (found);
}

/* True while it runs: a dead one that nobody has collected does not. */
static inline int
process_runs(pid_t pid)
{
	char state[64];

	return (process_field(pid, "State", state, sizeof(state)) == 0 &&
	    state[0] != 'Z' && state[0] != 'X');
}

/* Waits until it does not run; returns how many ms that took. */
static inline int64_t
process_must_go(pid_t pid, int64_t limit_ms)
{
	int64_t began = clock_ms();

	while (process_runs(pid)) {
		ATF_REQUIRE_MSG(clock_ms() - began < limit_ms,
		    "process %d still runs after %lld ms", (int)pid,
		    (long long)limit_ms);
		pause_ms(5);
	}
	return (clock_ms() - began);
}

/* /proc/PID/root, exe, cwd, fd/N. */
static inline void
process_link(pid_t pid, const char *what, char *to, size_t size)
{
	char path[300];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/%.64s", (int)pid, what);
	length = readlink(path, to, size - 1);
	ATF_REQUIRE_MSG(length != -1, "%s cannot be read", path);
	to[length] = '\0';
}

/* How many descriptors it has open; -1: this user may not look. */
static inline int
process_descriptors(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;
	int count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if ((directory = opendir(path)) == NULL)
		return (-1);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(directory);
	return (count);
}

/* Every process of the tree: posternd first.  Returns their number. */
static inline size_t
processes_of(const struct server *server, pid_t *pids, size_t size)
{
	static const char *const names[] = { "postern-net", "postern-auth",
	    "postern-store", "postern-lock", "postern-keys" };
	size_t name, count = 0;
	int there;

	pids[count++] = server->pid;
	for (name = 0; name < sizeof(names) / sizeof(names[0]); name++) {
		there = children_list(server, names[name], 0, pids + count,
		    (int)(size - count));
		ATF_REQUIRE((size_t)there <= size - count);
		count += (size_t)there;
	}
	return (count);
}

/* Ticks of processor time that a process has used. */
static inline long
processor_ticks(pid_t pid)
{
	char path[64], line[1024], *after;
	long user, system;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ATF_REQUIRE((file = fopen(path, "r")) != NULL);
	ATF_REQUIRE(fgets(line, sizeof(line), file) != NULL);
	(void)fclose(file);
	ATF_REQUIRE((after = strrchr(line, ')')) != NULL);
	ATF_REQUIRE(sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u "
	    "%*u %*u %ld %ld", &user, &system) == 2);
	return (user + system);
}

#endif
