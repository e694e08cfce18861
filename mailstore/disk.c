/*
 * disk.c - whole reads, writes and copies: no short ones, no EINTR.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.
 */
#include <errno.h>
#include <unistd.h>

#include "disk.h"
#include "limits_postern.h"

ssize_t
disk_read_some(int fd, void *bytes, size_t length, uint64_t at)
{
	unsigned char *to = bytes;
	size_t done = 0;
	ssize_t got;

	while (done < length) {
		got = pread(fd, to + done, length - done, (off_t)(at + done));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return (-1);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return ((ssize_t)done);
}

int
disk_read(int fd, void *bytes, size_t length, uint64_t at)
{
	ssize_t got = disk_read_some(fd, bytes, length, at);

	if (got != -1 && (size_t)got < length)
		errno = EIO;
	return (got != -1 && (size_t)got == length ? 0 : -1);
}

int
disk_write(int fd, const void *bytes, size_t length, uint64_t at,
    uint64_t *changed)
{
	const unsigned char *from = bytes;
	ssize_t wrote;

	while (length > 0) {
		wrote = pwrite(fd, from, length, (off_t)at);
		if (wrote == -1 && errno == EINTR)
			continue;
		if (wrote == 0)
			errno = EIO;
		if (wrote <= 0)
			return (-1);
		if (changed != NULL)
			*changed += (uint64_t)wrote;
		from += wrote;
		at += (uint64_t)wrote;
		length -= (size_t)wrote;
	}
	return (0);
}

int
disk_cut(int fd, uint64_t size)
{
	int result;

	do
		result = ftruncate(fd, (off_t)size);
	while (result == -1 && errno == EINTR);
	return (result);
}

int
disk_sync(int fd)
{
	int result;

	do
		result = fsync(fd);
	while (result == -1 && errno == EINTR);
	return (result);
}

int
disk_error_lasts(int error)
{
	return (error == EACCES || error == EPERM || error == ELOOP ||
	    error == ENOTDIR || error == EISDIR || error == ENXIO ||
	    error == EOPNOTSUPP || error == ENODEV || error == ENAMETOOLONG ||
	    error == EINVAL || error == EILSEQ);
}

/* Of one target at a time. */
static unsigned char buffer[RELAY_BYTES];

int
disk_flush(struct disk_target *target)
{
	const size_t length = target->used;

	target->used = 0;
	if (target->hash != NULL)
		(void)crypto_generichash_update(target->hash, buffer, length);
	if (target->fd != -1 && disk_write(target->fd, buffer, length,
	    target->at, target->changed) == -1)
		return (-1);
	target->at += length;
	return (0);
}

int
disk_copy(int fd, uint64_t from, uint64_t length, struct disk_target *target)
{
	size_t part;

	while (length > 0) {
		if (target->used == sizeof(buffer) && disk_flush(target) == -1)
			return (-1);
		part = sizeof(buffer) - target->used;
		if (part > length)
			part = (size_t)length;
		if (disk_read(fd, buffer + target->used, part, from) == -1)
			return (-1);
		target->used += part;
		from += part;
		length -= part;
	}
	return (0);
}
