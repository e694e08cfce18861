/*
 * copy_down.c - a model of how popa3d rewrites a mailbox.
 *
 * What stays is copied down over what goes, front first, the file is cut,
 * and synced once.  The checker must find that this loses mail.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "crash.h"

static int
move(int fd, off_t from, off_t to, size_t length)
{
	char buffer[2048];
	ssize_t got;

	while (length > 0) {
		got = pread(fd, buffer, length < sizeof(buffer) ? length :
		    sizeof(buffer), from);
		if (got <= 0 || pwrite(fd, buffer, (size_t)got, to) != got)
			return (-1);
		from += got;
		to += got;
		length -= (size_t)got;
	}
	return (0);
}

int
copy_down(struct world *world)
{
	int fd = openat(world->spool, "mbox", O_RDWR);
	off_t from = 0, to = 0;
	struct stat status;
	size_t i;
	int result = 0;

	if (fd == -1 || fstat(fd, &status) == -1)
		return (-1);
	for (i = 0; i < world->count && result == 0; i++) {
		size_t length = world->messages[i].length;

		if (!world->messages[i].marked) {
			if (from != to)
				result = move(fd, from, to, length);
			to += (off_t)length;
		}
		from += (off_t)length;
	}
	if (result == 0)
		result = ftruncate(fd, to);
	if (result == 0)
		result = fsync(fd);
	(void)close(fd);
	return (result);
}
