/*
 * journal_format.c - the inside of a journal, and whether it can be believed.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  A journal
 * that is read is taken for an enemy's work: no number of it is used before it
 * was held against the size of the file and the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "journal_format.h"
#include "lines.h"

/* Its last byte is the form's version: NUL is the first, digits are later. */
static const char magic[16] = "Postern journal";

int
journal_file_is_fit(const struct stat *status)
{
	return (S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
	    status->st_nlink == 1 && status->st_size >= 0);
}

int
journal_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return (fcntl(fd, F_SETLK, &lock));
}

uint64_t
journal_kept(const struct journal *journal,
    const struct journal_record *record)
{
	return (journal->header.to - journal->header.from + record->more);
}

uint64_t
journal_wanted(uint64_t mail)
{
	return (mail < JOURNAL_AREA_BYTES ? mail : JOURNAL_AREA_BYTES);
}

int
journal_is_far(uint64_t gap)
{
	return (gap >= JOURNAL_GAP_BYTES);
}

uint64_t
journal_data_at(uint64_t extents)
{
	uint64_t end = JOURNAL_LIST_AT +
	    extents * sizeof(struct journal_extent);

	return ((end + JOURNAL_PAGE - 1) / JOURNAL_PAGE * JOURNAL_PAGE);
}

uint64_t
journal_area(const struct journal *journal,
    const struct journal_record *record)
{
	return (journal_data_at(journal->header.extents) +
	    (record->generation & 1) * journal->capacity);
}

int
journal_measure(struct journal *journal)
{
	uint64_t begin = journal_data_at(journal->header.extents);
	struct stat status;

	if (fstat(journal->fd, &status) == -1)
		return (-1);
	journal->bytes = (uint64_t)status.st_size;
	journal->capacity = journal->bytes < begin ? 0 :
	    (journal->bytes - begin) / 2;
	return (0);
}

static void
hash_list(const struct journal *journal, unsigned char *hash)
{
	(void)crypto_generichash(hash, JOURNAL_HASH_BYTES,
	    (const unsigned char *)journal->extents,
	    journal->header.extents * sizeof(*journal->extents), NULL, 0);
}

static void
header_checksum(const struct journal_header *header, unsigned char *hash)
{
	(void)crypto_generichash(hash, JOURNAL_HASH_BYTES,
	    (const unsigned char *)header,
	    offsetof(struct journal_header, checksum), NULL, 0);
}

void
journal_record_checksum(const struct journal *journal,
    const struct journal_record *record, unsigned char *checksum)
{
	(void)crypto_generichash(checksum, JOURNAL_HASH_BYTES,
	    (const unsigned char *)record,
	    offsetof(struct journal_record, checksum),
	    journal->header.checksum, JOURNAL_HASH_BYTES);
}

void
journal_fill_in(struct journal *journal)
{
	struct journal_header *header = &journal->header;

	memcpy(header->magic, magic, sizeof(magic));
	hash_list(journal, header->list);
	header_checksum(header, header->checksum);
}

/* The numbers of the header fit each other and the file's size. */
static int
header_is_sound(const struct journal_header *header, uint64_t bytes)
{
	unsigned char hash[JOURNAL_HASH_BYTES];

	header_checksum(header, hash);
	return (memcmp(header->magic, magic, sizeof(magic)) == 0 &&
	    sodium_memcmp(hash, header->checksum, sizeof(hash)) == 0 &&
	    header->size <= INT64_MAX &&
	    header->from <= header->to && header->to <= header->size &&
	    header->size - header->to >= JOURNAL_TAG_BYTES &&
	    header->extents <= bytes / sizeof(struct journal_extent) &&
	    header->extents <= (uint64_t)MESSAGES_MAX + 1 &&
	    journal_data_at(header->extents) <= bytes);
}

/* In order, apart, behind `from`, before `size`, and so long in all. */
static int
extents_are_sound(const struct journal *journal)
{
	const struct journal_header *header = &journal->header;
	unsigned char hash[JOURNAL_HASH_BYTES];
	uint64_t i, total = 0, end = header->from + 1;

	hash_list(journal, hash);
	if (sodium_memcmp(hash, header->list, sizeof(hash)) != 0)
		return (0);
	for (i = 0; i < header->extents; i++) {
		const struct journal_extent *extent = &journal->extents[i];

		if (extent->length == 0 || extent->offset < end ||
		    extent->offset > header->size ||
		    extent->length > header->size - extent->offset)
			return (0);
		end = extent->offset + extent->length;
		total += extent->length;
	}
	return (total == header->to - header->from);
}

/* Nothing else of it is known: its checksums may be elsewhere. */
static int
is_of_later_version(const struct journal_header *header)
{
	const char version = header->magic[sizeof(magic) - 1];

	return (memcmp(header->magic, magic, sizeof(magic) - 1) == 0 &&
	    version >= '0' && version <= '9');
}

static enum journal_found
load_beginning(struct journal *journal)
{
	size_t list;

	if (journal->bytes < JOURNAL_LIST_AT)
		return (JOURNAL_DAMAGED);
	if (disk_read(journal->fd, &journal->header, sizeof(journal->header),
	    0) == -1)
		return (JOURNAL_UNREADABLE);
	if (is_of_later_version(&journal->header)) {
		errno = ENOTSUP;
		return (JOURNAL_UNREADABLE);
	}
	if (!header_is_sound(&journal->header, journal->bytes))
		return (JOURNAL_DAMAGED);
	/*
	 * What is kept lies before, between and behind messages that go; and
	 * no more than the file is long: no number alone asks for memory.
	 */
	list = (size_t)journal->header.extents * sizeof(*journal->extents);
	journal->extents = malloc(list + 1);
	if (journal->extents == NULL || disk_read(journal->fd,
	    journal->extents, list, JOURNAL_LIST_AT) == -1)
		return (JOURNAL_UNREADABLE);
	return (extents_are_sound(journal) ? JOURNAL_FOUND : JOURNAL_DAMAGED);
}

static int
record_is_sound(const struct journal *journal,
    const struct journal_record *record, uint64_t turn)
{
	unsigned char checksum[JOURNAL_HASH_BYTES];
	uint64_t kept, area = journal_area(journal, record);

	journal_record_checksum(journal, record, checksum);
	if (sodium_memcmp(checksum, record->checksum, sizeof(checksum)) !=
	    0 || record->more > INT64_MAX - journal->header.size)
		return (0);
	kept = journal_kept(journal, record);
	return ((record->generation & 1) == turn &&
	    (record->phase == JOURNAL_STEP || record->phase == JOURNAL_CUT) &&
	    record->at <= kept && record->length <= kept - record->at &&
	    (record->length != 0 || record->at == kept) &&
	    (!record->has_data || (area <= journal->bytes &&
	    record->length <= journal->bytes - area)));
}

/* 1: the mail of the record is there; 0: it is not; -1: errno. */
static int
data_is_sound(const struct journal *journal,
    const struct journal_record *record)
{
	unsigned char digest[JOURNAL_HASH_BYTES];
	crypto_generichash_state hash;
	struct disk_target nowhere = { .fd = -1, .hash = &hash };
	uint64_t at, part;

	if (!record->has_data)
		return (1);
	(void)crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
	/* A forged one may be as long as a file without blocks. */
	for (at = 0; at < record->length; at += part) {
		if (lines_are_unwanted()) {
			errno = EINTR;
			return (-1);
		}
		part = journal_wanted(record->length - at);
		if (disk_copy(journal->fd, journal_area(journal, record) + at,
		    part, &nowhere) == -1)
			return (-1);
	}
	if (disk_flush(&nowhere) == -1)
		return (-1);
	(void)crypto_generichash_final(&hash, digest, sizeof(digest));
	return (sodium_memcmp(digest, record->data, sizeof(digest)) == 0);
}

/* The newest record that is whole: the one after it never came to be. */
static enum journal_found
load_record(struct journal *journal)
{
	struct journal_record record;
	uint64_t turn;
	int found = 0, sound;

	for (turn = 0; turn < 2; turn++) {
		if (disk_read(journal->fd, &record, sizeof(record),
		    JOURNAL_RECORD_AT(turn)) == -1)
			return (JOURNAL_UNREADABLE);
		if (!record_is_sound(journal, &record, turn) || (found &&
		    record.generation < journal->record.generation))
			continue;
		if ((sound = data_is_sound(journal, &record)) == -1)
			return (JOURNAL_UNREADABLE);
		if (sound == 1)
			journal->record = record;
		found |= sound;
	}
	return (found ? JOURNAL_FOUND : JOURNAL_DAMAGED);
}

enum journal_found
journal_load(struct journal *journal)
{
	struct stat status;
	enum journal_found found;

	journal->fd = openat(journal->directory, journal->name, O_RDWR |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (journal->fd == -1)
		/* No journal is a link, a directory or a socket. */
		return (errno == ENOENT ? JOURNAL_NONE : errno == ELOOP ||
		    errno == EISDIR || errno == ENXIO ? JOURNAL_DAMAGED :
		    JOURNAL_UNREADABLE);
	if (fstat(journal->fd, &status) == -1)
		return (JOURNAL_UNREADABLE);
	if (!journal_file_is_fit(&status))
		return (JOURNAL_DAMAGED);
	/* The locks of this mailbox are held: that is another's. */
	if (journal_lock(journal->fd) == -1 && (errno == EAGAIN ||
	    errno == EACCES))
		return (JOURNAL_NONE);
	journal->bytes = (uint64_t)status.st_size;
	journal->reserved = journal->bytes == RESERVE_BYTES;
	journal->published = 1;
	found = load_beginning(journal);
	if (found != JOURNAL_FOUND)
		return (found);
	if (journal_measure(journal) == -1)
		return (JOURNAL_UNREADABLE);
	found = load_record(journal);
	/*
	 * It has one area, in use: whoever wrote it may have seen that nobody
	 * needs another, by a rule that is not ours.
	 */
	if (found == JOURNAL_FOUND && journal->record.has_data &&
	    journal->record.length > journal->capacity)
		journal->capacity = 0;
	return (found);
}
