/*
 * measure.c - what a server has used: the whole tree of its processes.
 *
 * Linked into bench_load and its test; runs as whoever runs the bench.
 */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

struct process {
	pid_t pid, parent;
	double seconds;
	int counts;
};

double
measure_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

/* One line of /proc/PID/stat; 0 when that has gone. */
static int
read_process(const char *name, struct process *process)
{
	char path[300], line[1024], *after = NULL;
	unsigned long used[4];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", name);
	if ((file = fopen(path, "r")) == NULL)
		return (0);
	if (fgets(line, sizeof(line), file) != NULL)
		after = strrchr(line, ')');
	(void)fclose(file);
	process->pid = (pid_t)strtol(name, NULL, 10);
	process->counts = 0;
	if (after == NULL || sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u "
	    "%*u %*u %*u %*u %lu %lu %lu %lu", &process->parent, &used[0],
	    &used[1], &used[2], &used[3]) != 5)
		return (0);
	process->seconds = (double)(used[0] + used[1] + used[2] + used[3]) /
	    (double)sysconf(_SC_CLK_TCK);
	return (1);
}

static size_t
read_processes(struct process **list)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t count = 0, room = 0;

	if (proc == NULL)
		err(1, "/proc");
	*list = NULL;
	while ((entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (count == room) {
			room = room * 2 + 1024;
			*list = realloc(*list, room * sizeof(**list));
			if (*list == NULL)
				err(1, NULL);
		}
		count += (size_t)read_process(entry->d_name, *list + count);
	}
	(void)closedir(proc);
	return (count);
}

/* Those of the tree get `counts`. */
static size_t
read_tree(pid_t root, struct process **list)
{
	size_t count = read_processes(list), i, j, found = 1;

	while (found > 0)
		for (i = found = 0; i < count; i++) {
			if ((*list)[i].counts)
				continue;
			(*list)[i].counts = (*list)[i].pid == root;
			for (j = 0; j < count && !(*list)[i].counts; j++)
				(*list)[i].counts = (*list)[j].counts &&
				    (*list)[j].pid == (*list)[i].parent;
			found += (size_t)(*list)[i].counts;
		}
	return (count);
}

double
measure_cpu(pid_t root)
{
	struct process *list;
	size_t count = read_tree(root, &list), i;
	double seconds = 0;

	for (i = 0; i < count; i++)
		if (list[i].counts)
			seconds += list[i].seconds;
	free(list);
	return (seconds);
}

static double
process_memory(pid_t pid)
{
	char path[64], line[256];
	double bytes = 0;
	unsigned long kb;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if ((file = fopen(path, "r")) == NULL)
		return (0);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Pss: %lu kB", &kb) == 1)
			bytes = (double)kb * 1024;
	(void)fclose(file);
	return (bytes);
}

double
measure_memory(pid_t root)
{
	struct process *list;
	size_t count = read_tree(root, &list), i;
	double bytes = 0;

	for (i = 0; i < count; i++)
		if (list[i].counts)
			bytes += process_memory(list[i].pid);
	free(list);
	return (bytes);
}
