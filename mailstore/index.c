/*
 * index.c - indexes as files: found, opened, written, removed.
 *
 * Linked into postern-store, and postern-mailbox, which keeps none; runs as
 * the user, in a directory that only this user may write.  Nothing here is an
 * error: without an index the mailbox is read, and that is all.  So a disk
 * that is full makes no noise, either.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "index_format.h"
#include "place.h"

#define FLAGS		(O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* As many entries as are written at once. */
static struct index_entry entries[RELAY_BYTES / sizeof(struct index_entry)];

int
index_find(const struct mailbox_place *place, struct index_names *names)
{
	unsigned char digest[PLACE_DIGEST_BYTES];
	char hex[INDEX_DIGITS + 1];

	if (place->state == -1 || place_digest(place, digest) == -1)
		return (-1);
	(void)sodium_bin2hex(hex, sizeof(hex), digest, INDEX_DIGITS / 2);
	(void)snprintf(names->name, sizeof(names->name), INDEX_PREFIX "%s",
	    hex);
	(void)snprintf(names->new, sizeof(names->new), INDEX_PREFIX "%s"
	    INDEX_NEW, hex);
	return (0);
}

int
index_open_file(const struct mailbox_place *place,
    const struct index_names *names, int writes, uint64_t *size)
{
	struct stat status;
	int fd = openat(place->state, names->name, FLAGS | (writes ? O_RDWR :
	    O_RDONLY));

	if (fd == -1)
		return (-1);
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_uid == geteuid() && status.st_nlink == 1) {
		*size = (uint64_t)status.st_size;
		return (fd);
	}
	(void)close(fd);
	return (-1);
}

int
index_open(const struct mailbox_place *place, const struct index_names *names,
    int writes, struct index_header *header)
{
	uint64_t size;
	int fd = index_open_file(place, names, writes, &size);

	if (fd == -1)
		return (-1);
	if (disk_read(fd, header, sizeof(*header), 0) == 0 &&
	    memcmp(header->magic, INDEX_MAGIC, sizeof(header->magic)) == 0 &&
	    header->shown <= INDEX_MESSAGES_MAX &&
	    header->hidden <= INDEX_MESSAGES_MAX &&
	    size >= index_uids_at(header))
		return (fd);
	(void)close(fd);
	return (-1);
}

static void
forget_uids(struct index *kept)
{
	free(kept->uids);
	kept->uids = NULL;
	kept->uids_known = 0;
	kept->asked = 0;
}

void
index_close(struct index *kept)
{
	forget_uids(kept);
	kept->is_there = 0;
}

static void
sum_of_uids(const struct index_uids *ids, const unsigned char *digests,
    unsigned char *checksum)
{
	crypto_onetimeauth_state state;

	index_checksum_begin(&state);
	(void)crypto_onetimeauth_update(&state, (const unsigned char *)ids,
	    offsetof(struct index_uids, checksum));
	(void)crypto_onetimeauth_update(&state, digests,
	    ids->known * UID_DIGEST_BYTES);
	(void)crypto_onetimeauth_final(&state, checksum);
}

void
index_read_uids(struct single_file *single, int fd,
    const struct index_header *header)
{
	struct index *kept = &single->index;
	unsigned char checksum[INDEX_CHECKSUM_BYTES];
	const uint64_t at = index_uids_at(header);
	struct index_uids ids;

	kept->asked = 1;
	kept->uids_known = 0;
	kept->uids = calloc(single->shown.count + 1, UID_DIGEST_BYTES);
	if (kept->uids == NULL ||
	    disk_read(fd, &ids, sizeof(ids), at) == -1 ||
	    memcmp(ids.magic, INDEX_UIDS_MAGIC, sizeof(ids.magic)) != 0 ||
	    memcmp(ids.of, header->checksum, sizeof(ids.of)) != 0 ||
	    ids.known > single->shown.count ||
	    disk_read(fd, kept->uids, ids.known * UID_DIGEST_BYTES,
	    at + sizeof(ids)) == -1)
		return;
	sum_of_uids(&ids, kept->uids, checksum);
	if (memcmp(checksum, ids.checksum, sizeof(checksum)) == 0)
		kept->uids_known = ids.known;
}

/* Behind the entries; what is read back is held against its checksum. */
static void
write_uids(const struct index *kept, int fd,
    const struct index_header *header)
{
	const uint64_t at = index_uids_at(header);
	struct index_uids ids;

	memset(&ids, 0, sizeof(ids));
	memcpy(ids.magic, INDEX_UIDS_MAGIC, sizeof(ids.magic));
	ids.known = kept->uids_known;
	memcpy(ids.of, header->checksum, sizeof(ids.of));
	sum_of_uids(&ids, kept->uids, ids.checksum);
	if (disk_write(fd, kept->uids, ids.known * UID_DIGEST_BYTES,
	    at + sizeof(ids), NULL) == 0)
		(void)disk_write(fd, &ids, sizeof(ids), at, NULL);
}

/* The index that this session has read or written, if it is still there. */
static int
open_own(const struct single_file *single, const struct mailbox_place *place,
    int writes, struct index_header *header)
{
	struct index_names names;
	int fd = -1;

	if (single->index.is_there && index_find(place, &names) == 0)
		fd = index_open(place, &names, writes, header);
	if (fd == -1 || memcmp(header->checksum, single->index.checksum,
	    sizeof(header->checksum)) == 0)
		return (fd);
	(void)close(fd);
	return (-1);
}

int
index_uid(struct single_file *single, const struct mailbox_place *place,
    uint64_t number, unsigned char *digest)
{
	struct index *kept = &single->index;
	struct index_header header;
	int fd;

	if (!kept->asked && (fd = open_own(single, place, 0, &header)) != -1) {
		index_read_uids(single, fd, &header);
		(void)close(fd);
	}
	kept->asked = 1;
	if (number < 1 || number > kept->uids_known)
		return (0);
	memcpy(digest, kept->uids + (number - 1) * UID_DIGEST_BYTES,
	    UID_DIGEST_BYTES);
	return (1);
}

void
index_keep_uid(struct single_file *single, const struct mailbox_place *place,
    uint64_t number, const unsigned char *digest)
{
	struct index *kept = &single->index;
	struct index_header header;
	int fd;

	if (kept->uids == NULL || number != kept->uids_known + 1 ||
	    number > single->shown.count)
		return;
	memcpy(kept->uids + kept->uids_known++ * UID_DIGEST_BYTES, digest,
	    UID_DIGEST_BYTES);
	if (kept->uids_known < single->shown.count ||
	    (fd = open_own(single, place, 1, &header)) == -1)
		return;
	write_uids(kept, fd, &header);
	(void)close(fd);
}

void
index_remove(struct single_file *single, const struct mailbox_place *place)
{
	struct index_names names;

	index_close(&single->index);
	if (index_is_worth(single->size, 1) &&
	    index_find(place, &names) == 0)
		(void)unlinkat(place->state, names.name, 0);
}

int
index_get(int fd, void *bytes, size_t length, uint64_t *at,
    crypto_onetimeauth_state *state)
{
	if (disk_read(fd, bytes, length, *at) == -1)
		return (-1);
	*at += length;
	(void)crypto_onetimeauth_update(state, bytes, length);
	return (0);
}

int
index_put(int fd, const void *bytes, size_t length, uint64_t *at,
    crypto_onetimeauth_state *state)
{
	(void)crypto_onetimeauth_update(state, bytes, length);
	if (disk_write(fd, bytes, length, *at, NULL) == -1)
		return (-1);
	*at += length;
	return (0);
}

/* The next message in the mailbox's order; NULL: that was the last. */
static const struct single_message *
next_message(const struct single_file *single, size_t *shown, size_t *hidden,
    int *is_hidden)
{
	const struct single_message *one = single->shown.messages + *shown;
	const struct single_message *other = single->hidden.messages +
	    *hidden;
	const int more_shown = *shown < single->shown.count;
	const int more_hidden = *hidden < single->hidden.count;

	*is_hidden = more_hidden && (!more_shown ||
	    other->offset < one->offset);
	if (*is_hidden) {
		(*hidden)++;
		return (other);
	}
	(*shown)++;
	return (more_shown ? one : NULL);
}

/* The header comes last: before it the file is none. */
static int
write_all(const struct single_file *single, int fd,
    struct index_header *header)
{
	const size_t most = sizeof(entries) / sizeof(entries[0]);
	const struct single_message *message;
	size_t shown = 0, hidden = 0, count = 0;
	uint64_t at = sizeof(*header);
	crypto_onetimeauth_state state;
	int is_hidden;

	index_checksum_begin(&state);
	(void)crypto_onetimeauth_update(&state, (unsigned char *)header,
	    offsetof(struct index_header, checksum));
	while ((message = next_message(single, &shown, &hidden,
	    &is_hidden)) != NULL) {
		if (index_pack(&entries[count++], message, is_hidden) == -1 ||
		    (count == most && index_put(fd, entries,
		    sizeof(entries), &at, &state) == -1))
			return (-1);
		count %= most;
	}
	if (index_put(fd, entries, count * sizeof(entries[0]), &at,
	    &state) == -1)
		return (-1);
	(void)crypto_onetimeauth_final(&state, header->checksum);
	return (disk_write(fd, header, sizeof(*header), 0, NULL));
}

/* Of an index, or of one that was being written. */
static int
is_name(const char *name)
{
	const size_t length = strlen(INDEX_PREFIX);
	const char *end = name + length + INDEX_DIGITS;

	return (strncmp(name, INDEX_PREFIX, length) == 0 &&
	    strspn(name + length, "0123456789abcdef") == INDEX_DIGITS &&
	    (*end == '\0' || strcmp(end, INDEX_NEW) == 0));
}

/* Counts the indexes, and finds the one that was written first. */
static size_t
find_oldest(int state, char *oldest, size_t size)
{
	int fd = openat(state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd == -1 ? NULL : fdopendir(fd);
	struct timespec first = { 0, 0 };
	struct dirent *entry;
	struct stat status;
	size_t count = 0;

	if (list == NULL && fd != -1)
		(void)close(fd);
	while (list != NULL && (entry = readdir(list)) != NULL) {
		if (!is_name(entry->d_name) || fstatat(state, entry->d_name,
		    &status, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (count++ > 0 && (status.st_mtim.tv_sec > first.tv_sec ||
		    (status.st_mtim.tv_sec == first.tv_sec &&
		    status.st_mtim.tv_nsec >= first.tv_nsec)))
			continue;
		first = status.st_mtim;
		(void)strlcpy(oldest, entry->d_name, size);
	}
	if (list != NULL)
		(void)closedir(list);
	return (count);
}

/* Counted with the one that is to get its name. */
static void
make_room(int state)
{
	char oldest[NAME_MAX + 1];

	while (find_oldest(state, oldest, sizeof(oldest)) > INDEXES_MAX &&
	    unlinkat(state, oldest, 0) == 0)
		continue;
}

int
index_create(const struct mailbox_place *place,
    const struct index_names *names)
{
	(void)unlinkat(place->state, names->new, 0);
	return (openat(place->state, names->new, O_RDWR | O_CREAT | O_EXCL |
	    FLAGS, 0600));
}

int
index_publish(const struct mailbox_place *place,
    const struct index_names *names, int fd, int result)
{
	struct stat status;

	(void)close(fd);
	if (result == 0 && fstatat(place->state, names->name, &status,
	    AT_SYMLINK_NOFOLLOW) == -1)
		make_room(place->state);
	if (result == 0)
		result = renameat(place->state, names->new, place->state,
		    names->name);
	if (result == -1)
		(void)unlinkat(place->state, names->new, 0);
	return (result);
}

/* Writes one for this snapshot, with what ids the one before it had. */
static int
write_new(const struct single_file *single, const struct mailbox_place *place,
    const struct index_names *names, struct index_header *header)
{
	int fd = index_create(place, names), result;

	if (fd == -1)
		return (-1);
	index_describe(header, single);
	result = write_all(single, fd, header);
	if (result == 0 && single->index.uids_known > 0)
		write_uids(&single->index, fd, header);
	return (index_publish(place, names, fd, result));
}

void
index_write(struct single_file *single, const struct mailbox_place *place)
{
	const uint64_t count = (uint64_t)single->shown.count +
	    single->hidden.count;
	struct index_header header;
	struct index_names names;
	int is_there;

	is_there = index_is_worth(single->size, count) && !single->damaged &&
	    single_begin(single) == 0 && single_end(single) == single->size &&
	    index_find(place, &names) == 0 &&
	    write_new(single, place, &names, &header) == 0;
	/* What was not believed, and has no follower, is of no use. */
	if (!is_there) {
		index_remove(single, place);
		return;
	}
	/* What ids are known is in the new one now, for when they are asked. */
	index_close(&single->index);
	single->index.is_there = 1;
	memcpy(single->index.checksum, header.checksum,
	    sizeof(header.checksum));
}
