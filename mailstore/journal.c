/*
 * journal.c - journals as files: made, written, published, removed.
 *
 * Linked into postern-store; runs as the user, in a directory that only
 * this user may write.  Nothing in it is followed if it is a link.
 */
#include <sys/stat.h>

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
 * The directory's inode and the name in it stand for the place.  Its device
 * number does not: it may be another after the next start of the machine.
 */
int
journal_name(struct journal *journal, const struct mailbox_place *place)
{
	unsigned char digest[crypto_generichash_BYTES_MIN];
	char hex[sizeof(digest) + 1];	/* of half of it */
	crypto_generichash_state hash;
	struct stat directory;

	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
	journal->directory = place->state;
	if (fstat(place->directory, &directory) == -1)
		return (-1);
	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)&directory.st_ino,
	    sizeof(directory.st_ino));
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)place->name, strlen(place->name));
	(void)crypto_generichash_final(&hash, digest, sizeof(digest));
	(void)sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest) / 2);
	(void)snprintf(journal->name, sizeof(journal->name), "journal.%s",
	    hex);
	return (0);
}

int
journal_exists(const struct journal *journal)
{
	struct stat status;

	return (fstatat(journal->directory, journal->name, &status,
	    AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT);
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

/*
 * The reserve is taken by renaming it, so that two sessions cannot both.
 */
static int
take_reserve(const struct journal *journal, const char *name)
{
	struct stat status;
	int fd;

	if (rename_to(journal, RESERVE, name) == -1)
		return (-1);
	fd = open_new(journal, name, 0);
	if (fd == -1)
		return (-1);
	if (fstat(fd, &status) == 0 && journal_file_is_fit(&status) &&
	    status.st_size == RESERVE_BYTES)
		return (fd);
	(void)close(fd);
	errno = ENOSPC;
	return (-1);
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
journal_create(struct journal *journal)
{
	struct other_name name = name_with(journal, ".new");

	journal->published = 0;
	journal_clean(journal);
	journal->fd = journal->reserved ? take_reserve(journal, name.text) :
	    open_new(journal, name.text, O_CREAT | O_EXCL);
	if (journal->fd == -1)
		return (-1);
	journal_fill_in(journal);
	return (write_beginning(journal));
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

void
journal_clean(const struct journal *journal)
{
	struct other_name name = name_with(journal, ".new");
	struct other_name room = name_with(journal, ".room");

	(void)unlink_name(journal, name.text);
	(void)unlink_name(journal, room.text);
}

/*
 * Written, not just allocated, and with bytes that no file system can
 * compress: the room must be there.  The first name is this mailbox's, which
 * only one session has open; the reserve belongs to all of them.
 */
void
journal_reserve(const struct journal *journal)
{
	static unsigned char bytes[RESERVE_BYTES / 16];
	struct other_name name = name_with(journal, ".room");
	struct stat status;
	int fd, part, failed = 0;

	if (fstatat(journal->directory, RESERVE, &status,
	    AT_SYMLINK_NOFOLLOW) == 0 && journal_file_is_fit(&status) &&
	    status.st_size == RESERVE_BYTES)
		return;
	fd = open_new(journal, name.text, O_CREAT | O_EXCL);
	if (fd == -1)
		return;
	randombytes_buf(bytes, sizeof(bytes));
	for (part = 0; part < 16 && !failed; part++)
		failed = disk_write(fd, bytes, sizeof(bytes),
		    (uint64_t)part * sizeof(bytes), NULL) == -1;
	if (failed || disk_sync(fd) == -1 ||
	    rename_to(journal, name.text, RESERVE) == -1)
		(void)unlink_name(journal, name.text);
	(void)close(fd);
}
