/*
 * journal.c - journals as files: made, written, published, removed.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, in a
 * directory that only this user may write.  Nothing in it is followed if it is
 * a link.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "journal.h"
#include "journal_format.h"
#include "log.h"
#include "place.h"

#define RESERVE		"reserve"
#define FLAGS		(O_RDWR | O_NOFOLLOW | O_NONBLOCK |		\
			O_NOCTTY | O_CLOEXEC)

/* The name with something behind it. */
struct other_name {
	char text[JOURNAL_NAME_SIZE + 8];
};

static struct other_name
name_with(const struct journal *journal, const char *ending)
{
	struct other_name name;

	(void)snprintf(name.text, sizeof(name.text), "%s%s", journal->name,
	    ending);
	return (name);
}

/*
 * Two places may look the same: no journal's name is that of another, and what
 * is in one tells whose it is.
 */
int
journal_begin(struct journal *journal, const struct mailbox_place *place)
{
	unsigned char digest[PLACE_DIGEST_BYTES];
	char hex[sizeof(digest) + 1];	/* of half of it */

	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
	journal->directory = place->state;
	if (place_digest(place, digest) == -1)
		return (-1);
	(void)sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest) / 2);
	(void)snprintf(journal->place, sizeof(journal->place), "journal.%s.",
	    hex);
	return (0);
}

/* Place, serial, id, and then `ending`. */
static int
is_name(const struct journal *journal, const char *name, const char *ending)
{
	const size_t digits = 8 + 2 * JOURNAL_ID_BYTES;
	size_t place = strlen(journal->place);

	return (strncmp(name, journal->place, place) == 0 &&
	    strspn(name + place, "0123456789abcdef") == digits &&
	    strcmp(name + place + digits, ending) == 0);
}

static DIR *
open_list(const struct journal *journal)
{
	int fd = openat(journal->directory, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	DIR *list = fd == -1 ? NULL : fdopendir(fd);

	if (list == NULL && fd != -1)
		(void)close(fd);
	return (list);
}

/* Names are in the order of their serial numbers. */
int
journal_next(struct journal *journal)
{
	char found[JOURNAL_NAME_SIZE] = "";
	DIR *list = open_list(journal);
	struct dirent *entry;
	int error;

	if (list == NULL)
		return (-1);
	errno = 0;
	while ((entry = readdir(list)) != NULL)
		if (is_name(journal, entry->d_name, "") &&
		    strcmp(entry->d_name, found) > 0 &&
		    (journal->name[0] == '\0' ||
		    strcmp(entry->d_name, journal->name) < 0))
			(void)strlcpy(found, entry->d_name, sizeof(found));
	error = errno;
	(void)closedir(list);
	(void)strlcpy(journal->name, found, sizeof(journal->name));
	errno = error;
	return (error != 0 ? -1 : found[0] != '\0');
}

/* Behind all that are there, and like no other. */
static int
make_name(struct journal *journal)
{
	char hex[JOURNAL_ID_BYTES * 2 + 1], serial[9];
	int found;

	journal->name[0] = '\0';
	if ((found = journal_next(journal)) == -1)
		return (-1);
	(void)strlcpy(serial, found ? journal->name +
	    strlen(journal->place) : "0", sizeof(serial));
	journal->header.serial = (uint32_t)strtoul(serial, NULL, 16) + 1;
	randombytes_buf(journal->header.id, sizeof(journal->header.id));
	(void)sodium_bin2hex(hex, sizeof(hex), journal->header.id,
	    sizeof(journal->header.id));
	(void)snprintf(journal->name, sizeof(journal->name), "%s%08x%s",
	    journal->place, journal->header.serial, hex);
	return (0);
}

static int
rename_to(const struct journal *journal, const char *from, const char *to)
{
	int result;

	do
		result = renameat(journal->directory, from,
		    journal->directory, to);
	while (result == -1 && errno == EINTR);
	return (result);
}

static int
unlink_name(const struct journal *journal, const char *name)
{
	int result;

	do
		result = unlinkat(journal->directory, name, 0);
	while (result == -1 && errno == EINTR);
	return (result);
}

static int
open_new(const struct journal *journal, const char *name, int flags)
{
	int fd;

	do
		fd = openat(journal->directory, name, FLAGS | flags, 0600);
	while (fd == -1 && errno == EINTR);
	return (fd);
}

static int
is_reserve(const struct stat *status)
{
	return (journal_file_is_fit(status) &&
	    status->st_size == RESERVE_BYTES);
}

/*
 * The reserve is taken by renaming it, so that two sessions cannot both.
 */
static int
take_reserve(const struct journal *journal, const char *name)
{
	struct stat status, named;
	int fd;

	if (rename_to(journal, RESERVE, name) == -1)
		return (-1);
	fd = open_new(journal, name, 0);
	if (fd == -1)
		return (-1);
	/* Before it was locked it may have been taken for a dead one's. */
	if (journal_lock(fd) == 0 && fstat(fd, &status) == 0 &&
	    is_reserve(&status) && fstatat(journal->directory, name, &named,
	    AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == status.st_ino)
		return (fd);
	(void)close(fd);
	errno = ENOSPC;
	return (-1);
}

/* The reserve is given back: there may be no room for another. */
static void
clean_new(const struct journal *journal, const char *name)
{
	int fd = open_new(journal, name, 0);
	struct stat status;

	if (fd != -1 && journal_lock(fd) == -1) {
		(void)close(fd);
		return;
	}
	if (fd == -1 || fstat(fd, &status) == -1 || !is_reserve(&status) ||
	    rename_to(journal, name, RESERVE) == -1)
		(void)unlink_name(journal, name);
	if (fd != -1)
		(void)close(fd);
}

int
journal_clean(const struct journal *journal)
{
	char room[JOURNAL_PLACE_SIZE + 8];
	DIR *list = open_list(journal);
	struct dirent *entry;
	int found = 0;

	if (list == NULL)
		return (1);
	(void)snprintf(room, sizeof(room), "%sroom", journal->place);
	(void)unlink_name(journal, room);
	errno = 0;
	while ((entry = readdir(list)) != NULL) {
		if (is_name(journal, entry->d_name, ".new"))
			clean_new(journal, entry->d_name);
		found |= is_name(journal, entry->d_name, "");
		errno = 0;
	}
	found |= errno != 0;
	(void)closedir(list);
	return (found);
}

/*
 * Written, not just allocated, and with bytes that no file system can
 * compress: the room must be there.
 */
static int
write_room(int fd, uint64_t at, uint64_t end)
{
	static unsigned char bytes[RELAY_BYTES];
	unsigned char seed[randombytes_SEEDBYTES];
	size_t part;

	/* The system's own would be a call for each 256 of them. */
	randombytes_buf(seed, sizeof(seed));
	for (; at < end; at += part) {
		part = end - at < sizeof(bytes) ? (size_t)(end - at) :
		    sizeof(bytes);
		sodium_increment(seed, sizeof(seed));
		randombytes_buf_deterministic(bytes, part, seed);
		if (disk_write(fd, bytes, part, at, NULL) == -1)
			return (-1);
	}
	return (0);
}

/* Header, two places for records, extents: every page is written. */
static int
write_beginning(struct journal *journal)
{
	static const unsigned char zeros[JOURNAL_PAGE];
	uint64_t list = journal->header.extents * sizeof(*journal->extents);
	uint64_t at = JOURNAL_LIST_AT + list;
	uint64_t end = journal_data_at(journal->header.extents);
	unsigned int page;

	for (page = 0; page < JOURNAL_LIST_AT / JOURNAL_PAGE; page++)
		if (disk_write(journal->fd, zeros, sizeof(zeros),
		    page * sizeof(zeros), NULL) == -1)
			return (-1);
	if (disk_write(journal->fd, &journal->header,
	    sizeof(journal->header), 0, NULL) == -1)
		return (-1);
	if (list != 0 && disk_write(journal->fd, journal->extents,
	    (size_t)list, JOURNAL_LIST_AT, NULL) == -1)
		return (-1);
	return (disk_write(journal->fd, zeros, (size_t)(end - at), at, NULL));
}

int
journal_create(struct journal *journal, int both_areas)
{
	uint64_t end = journal_data_at(journal->header.extents) +
	    journal->capacity;
	struct other_name name;

	journal->published = 0;
	if (make_name(journal) == -1)
		return (-1);
	name = name_with(journal, ".new");
	journal->fd = journal->reserved ? take_reserve(journal, name.text) :
	    open_new(journal, name.text, O_CREAT | O_EXCL);
	if (journal->fd == -1)
		return (-1);
	if (!journal->reserved)
		(void)journal_lock(journal->fd);
	journal_fill_in(journal);
	if (write_beginning(journal) == -1)
		return (-1);
	/* The first area gets the first step's mail. */
	if (!journal->reserved && both_areas)
		return (write_room(journal->fd, end,
		    end + journal->capacity));
	return (0);
}

int
journal_grow(struct journal *journal, uint64_t capacity)
{
	uint64_t end = journal_data_at(journal->header.extents) +
	    2 * capacity;
	uint64_t before = journal->bytes;
	int result, error;

	result = write_room(journal->fd, before, end);
	error = errno;
	if (result == -1)
		(void)disk_cut(journal->fd, before);
	if (journal_measure(journal) == -1)
		return (-1);
	journal->reserved = journal->bytes == RESERVE_BYTES;
	errno = error;
	return (result);
}

int
journal_write_record(struct journal *journal, struct journal_record *record)
{
	journal_record_checksum(journal, record, record->checksum);
	return (disk_write(journal->fd, record, sizeof(*record),
	    JOURNAL_RECORD_AT(record->generation), NULL));
}

int
journal_publish(struct journal *journal)
{
	struct other_name name = name_with(journal, ".new");

	if (disk_sync(journal->fd) == -1 ||
	    rename_to(journal, name.text, journal->name) == -1)
		return (-1);
	journal->published = 1;
	return (disk_sync(journal->directory));
}

/*
 * One that may be on the disk already is made worthless before its name
 * goes, so that it cannot come back after a power cut.
 */
int
journal_take_back(struct journal *journal)
{
	static const unsigned char zeros[JOURNAL_PAGE];
	struct other_name name = name_with(journal, ".new");
	const char *now = journal->published ? journal->name : name.text;
	int worthless, gone;

	worthless = journal->published && disk_write(journal->fd, zeros,
	    sizeof(zeros), 0, NULL) == 0 && disk_sync(journal->fd) == 0;
	gone = (journal->reserved ? rename_to(journal, now, RESERVE) :
	    unlink_name(journal, now)) == 0;
	if (journal->published && disk_sync(journal->directory) == -1 &&
	    !worthless)
		gone = 0;
	gone = gone || worthless || !journal->published;
	journal_close(journal);
	return (gone ? 0 : -1);
}

int
journal_remove(struct journal *journal)
{
	if (journal->reserved ?
	    rename_to(journal, journal->name, RESERVE) == -1 :
	    unlink_name(journal, journal->name) == -1)
		return (-1);
	return (disk_sync(journal->directory));
}

int
journal_set_aside(struct journal *journal, const char *label, const char *why)
{
	struct other_name bad = name_with(journal, ".bad");
	int result = rename_to(journal, journal->name, bad.text);

	if (result == 0)
		result = disk_sync(journal->directory);
	log_line(LOG_CRIT, "event=recover folder=%s file=%s error=\"%s; %s\"",
	    label, journal->name, why, result == 0 ?
	    "not used, and set aside with .bad behind its name" :
	    "and it cannot be set aside");
	return (result);
}

void
journal_close(struct journal *journal)
{
	if (journal->fd != -1)
		(void)close(journal->fd);
	free(journal->extents);
	journal->fd = -1;
	journal->extents = NULL;
}

/*
 * The first name is this mailbox's, which only one session has open; the
 * reserve belongs to all of them.
 */
void
journal_reserve(const struct journal *journal)
{
	char room[JOURNAL_PLACE_SIZE + 8];
	struct stat status;
	int fd;

	if (fstatat(journal->directory, RESERVE, &status,
	    AT_SYMLINK_NOFOLLOW) == 0 && is_reserve(&status))
		return;
	(void)snprintf(room, sizeof(room), "%sroom", journal->place);
	fd = open_new(journal, room, O_CREAT | O_EXCL);
	if (fd == -1)
		return;
	if (write_room(fd, 0, RESERVE_BYTES) == -1 || disk_sync(fd) == -1 ||
	    rename_to(journal, room, RESERVE) == -1)
		(void)unlink_name(journal, room);
	(void)close(fd);
}
