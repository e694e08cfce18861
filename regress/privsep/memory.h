/*
 * memory.h - looks through all that a process has in its memory.
 *
 * For the test programs of this directory.  Root alone can read that memory:
 * the daemon's processes may not be dumped.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <sys/types.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "processes.h"

#define MEMORY_CHUNK	(1024 * 1024)

/* Is what is sought, of at most `window` octets, in these? */
typedef int memory_holds(const unsigned char *octets, size_t length,
	    const void *sought);

/* Searches one mapping, chunk by chunk, with an overlap between them. */
static inline int
memory_search_mapping(int memory, uint64_t from, uint64_t to, size_t window,
    memory_holds *holds, const void *sought)
{
	static unsigned char chunk[MEMORY_CHUNK];
	const uint64_t step = MEMORY_CHUNK - window + 1;
	ssize_t got;
	int found = 0;

	for (; from < to && !found; from += step) {
		got = pread(memory, chunk, to - from < MEMORY_CHUNK ?
		    (size_t)(to - from) : MEMORY_CHUNK, (off_t)from);
		found = got > 0 && holds(chunk, (size_t)got, sought);
	}
	explicit_bzero(chunk, sizeof(chunk));
	return (found);
}

/*
 * Searches all that the process can read.  Returns whether it is there;
 * `where` says in which mapping.  One that ends meanwhile has no memory.
 */
static inline int
memory_search(pid_t pid, size_t window, memory_holds *holds,
    const void *sought, char *where, size_t size)
{
	char path[64], line[600], rights[8];
	unsigned long long from, to;
	uint64_t bytes = 0;
	int memory, found = 0;
	FILE *maps;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory == -1)
		(void)printf("%s: %s\n", path, strerror(errno));
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = memory == -1 ? NULL : fopen(path, "re");
	while (maps != NULL && !found &&
	    fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%llx-%llx %7s", &from, &to, rights) != 3 ||
		    rights[0] != 'r' || strstr(line, "[v") != NULL)
			continue;
		bytes += to - from;
		line[strcspn(line, "\n")] = '\0';
		found = memory_search_mapping(memory, from, to, window, holds,
		    sought);
		(void)strlcpy(where, line, size);
	}
	if (maps != NULL)
		(void)fclose(maps);
	if (memory != -1)
		(void)close(memory);
	if (!found && bytes <= 500000) {
		(void)printf("only %llu bytes of process %d were searched\n",
		    (unsigned long long)bytes, (int)pid);
		(void)process_must_go(pid, 1000);
	}
	return (found);
}

#endif
