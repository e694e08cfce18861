/*
 * disk.h - whole reads, writes and copies: no short ones, no EINTR.
 */
#ifndef DISK_H
#define DISK_H

#include <sys/types.h>

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All return 0, or -1 with errno; a file that is too short for a read is
 * EIO.  `changed`, where it is not NULL, grows by the bytes written, also
 * when not all could be.
 */
int	disk_read(int fd, void *bytes, size_t length, uint64_t at);
int	disk_write(int fd, const void *bytes, size_t length, uint64_t at,
	    uint64_t *changed);
int	disk_cut(int fd, uint64_t size);	/* ftruncate(2) */
int	disk_sync(int fd);			/* fsync(2) */

/* As disk_read, but of a file that ends sooner what there is; the bytes. */
ssize_t	disk_read_some(int fd, void *bytes, size_t length, uint64_t at);

/*
 * True when what open(2) says lies in what the name leads to; anything else may
 * pass by itself, and tells nothing of what is there.
 */
int	disk_error_lasts(int error);

/* Where copies go, one behind the other. */
struct disk_target {
	int fd;					/* -1: nowhere */
	uint64_t at;				/* moves with the bytes */
	uint64_t *changed;			/* as above, or NULL */
	crypto_generichash_state *hash;		/* takes every byte, or NULL */
	size_t used;				/* bytes not yet written */
};

/*
 * Copies front first, so also down within one file.  Short pieces are written
 * together: the last of them by disk_flush, before there is another target.
 */
int	disk_copy(int fd, uint64_t from, uint64_t length,
	    struct disk_target *target);
int	disk_flush(struct disk_target *target);

#endif
