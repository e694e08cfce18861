/*
 * index_file.h - an index as its file, to be looked at and forged.
 *
 * Test code alone.
 */
#ifndef INDEX_FILE_H
#define INDEX_FILE_H

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_index.h"
#include "index_format.h"
#include "uid.h"

struct index_file {
	unsigned char *bytes;
	size_t length;
};

static inline struct index_header *
index_file_header(const struct index_file *file)
{
	return ((void *)file->bytes);
}

static inline struct index_entry *
index_file_entries(const struct index_file *file)
{
	return ((void *)(file->bytes + sizeof(struct index_header)));
}

/* Its entries, as many as there are octets for. */
static inline size_t
index_file_count(const struct index_file *file)
{
	const struct index_header *header = index_file_header(file);
	const uint64_t room = (file->length - sizeof(*header)) /
	    sizeof(struct index_entry);
	const uint64_t count = header->shown + header->hidden;

	return ((size_t)(count < room ? count : room));
}

/* -1: there is none. */
static inline int
index_file_read(const struct mailbox_place *place, struct index_file *file)
{
	struct index_names names;
	struct stat status;
	int fd = index_find(place, &names) == -1 ? -1 :
	    openat(place->state, names.name, O_RDONLY | O_CLOEXEC);

	memset(file, 0, sizeof(*file));
	if (fd == -1)
		return (-1);
	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode) ||
	    (file->bytes = calloc((size_t)status.st_size + 4096, 1)) == NULL ||
	    read(fd, file->bytes, (size_t)status.st_size) != status.st_size)
		abort();
	file->length = (size_t)status.st_size;
	(void)close(fd);
	return (0);
}

static inline void
index_file_write(const struct mailbox_place *place,
    const struct index_file *file)
{
	struct index_names names;
	int fd = index_find(place, &names) == -1 ? -1 :
	    openat(place->state, names.name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, file->bytes, file->length) !=
	    (ssize_t)file->length || close(fd) == -1)
		abort();
}

static inline void
index_file_free(struct index_file *file)
{
	free(file->bytes);
	memset(file, 0, sizeof(*file));
}

/* Makes the checksum of what is there right; that of ids is void then. */
static inline void
index_file_sign(const struct index_file *file)
{
	struct index_header *header = index_file_header(file);
	crypto_onetimeauth_state state;

	index_checksum_begin(&state);
	(void)crypto_onetimeauth_update(&state, file->bytes,
	    offsetof(struct index_header, checksum));
	(void)crypto_onetimeauth_update(&state, file->bytes + sizeof(*header),
	    index_file_count(file) * sizeof(struct index_entry));
	(void)crypto_onetimeauth_final(&state, header->checksum);
}

/* What it says of ids; where that is, there are octets enough. */
static inline struct index_uids *
index_file_uids(const struct index_file *file)
{
	return ((void *)(file->bytes +
	    index_uids_at(index_file_header(file))));
}

static inline void
index_file_sign_uids(const struct index_file *file)
{
	struct index_uids *ids = index_file_uids(file);
	crypto_onetimeauth_state state;

	index_checksum_begin(&state);
	(void)crypto_onetimeauth_update(&state, (unsigned char *)ids,
	    offsetof(struct index_uids, checksum));
	(void)crypto_onetimeauth_update(&state, (unsigned char *)(ids + 1),
	    ids->known * UID_DIGEST_BYTES);
	(void)crypto_onetimeauth_final(&state, ids->checksum);
}

/* The same of an index of many files. */

static inline struct file_index_header *
index_files_header(const struct index_file *file)
{
	return ((void *)file->bytes);
}

static inline struct file_index_entry *
index_files_entries(const struct index_file *file)
{
	return ((void *)(file->bytes + sizeof(struct file_index_header)));
}

static inline void
index_files_sign(const struct index_file *file)
{
	struct file_index_header *header = index_files_header(file);
	const uint64_t room = (file->length - sizeof(*header)) /
	    sizeof(struct file_index_entry);
	const uint64_t count = header->entries < room ? header->entries : room;
	crypto_onetimeauth_state state;

	index_checksum_begin(&state);
	(void)crypto_onetimeauth_update(&state, file->bytes + sizeof(*header),
	    count * sizeof(struct file_index_entry));
	(void)crypto_onetimeauth_update(&state, file->bytes,
	    offsetof(struct file_index_header, checksum));
	(void)crypto_onetimeauth_final(&state, header->checksum);
}

/* Whether there is one. */
static inline int
index_file_is_there(const struct mailbox_place *place)
{
	struct index_names names;
	struct stat status;

	return (index_find(place, &names) == 0 && fstatat(place->state,
	    names.name, &status, AT_SYMLINK_NOFOLLOW) == 0);
}

#endif
