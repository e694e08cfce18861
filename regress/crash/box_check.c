/*
 * box_check.c - what was promised, held against the files of a box.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "mh.h"

#define FILES	64

static const char *const kind_names[BOX_KINDS] = { "MH", "MH ,N", "Maildir",
    "parts" };

static int
loss(const struct box *box, const char *what, const char *why,
    unsigned int serial)
{
	figures.losses++;
	if (crash_verbose)
		fprintf(stderr, "LOSS (%s pattern %d arrival %d): %s: %s, "
		    "message %u\n", kind_names[box->kind], (int)box->pattern,
		    box->arrival, what, why, serial);
	return (1);
}

/* malloc'd with a NUL, or NULL: there is no such file. */
static char *
read_file(int directory, const char *name, size_t *length)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW);
	struct stat status;
	char *bytes;

	if (fd == -1 || fstat(fd, &status) == -1)
		return (NULL);
	*length = (size_t)status.st_size;
	if ((bytes = malloc(*length + 1)) == NULL ||
	    pread(fd, bytes, *length, 0) != (ssize_t)*length)
		err(1, "%s", name);
	bytes[*length] = '\0';
	(void)close(fd);
	return (bytes);
}

/* How often each message is there, and as ",N". */
struct count {
	unsigned int there[BOX_MAILS], aside[BOX_MAILS];
	unsigned int unknown;
};

static void
count_file(const struct box *box, enum box_form part, const char *name,
    const char *bytes, size_t length, struct count *count)
{
	const char *text;
	size_t i;

	for (i = 0; i < box->count; i++) {
		text = box_text(&box->mails[i]);
		if (box->mails[i].part != part || strlen(text) != length ||
		    memcmp(bytes, text, length) != 0)
			continue;
		if (part == PART_MH && name[0] == ',')
			count->aside[i]++;
		else
			count->there[i]++;
		return;
	}
	count->unknown++;
}

static void
count_directory(const struct box *box, const char *path,
    struct count *count)
{
	const enum box_form part = strstr(path, "/maildir/") != NULL ?
	    PART_MAILDIR : PART_MH;
	struct dirent *entry;
	DIR *directory = opendir(path);
	size_t length;
	char *bytes;

	if (directory == NULL)
		err(1, "%s", path);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		bytes = read_file(dirfd(directory), entry->d_name, &length);
		if (bytes != NULL)
			count_file(box, part, entry->d_name, bytes, length,
			    count);
		free(bytes);
	}
	(void)closedir(directory);
}

/* The messages of the mbox are laid over it in their order. */
static void
count_mbox(const struct box *box, struct count *count)
{
	size_t i, at = 0, length;
	const char *text;
	char *bytes;

	if (box->mailbox[0] == '\0')
		return;
	if ((bytes = read_file(AT_FDCWD, box->mailbox, &length)) == NULL)
		err(1, "%s", box->mailbox);
	for (i = 0; i < box->count; i++) {
		text = box_text(&box->mails[i]);
		if (box->mails[i].part != PART_MBOX || length - at <
		    strlen(text) || memcmp(bytes + at, text, strlen(text)) !=
		    0)
			continue;
		count->there[i]++;
		at += strlen(text);
	}
	count->unknown += at != length;
	free(bytes);
}

static void
count_all(const struct box *box, struct count *count)
{
	size_t i;

	memset(count, 0, sizeof(*count));
	count_mbox(box, count);
	/* The first is the state's. */
	for (i = 1; i < box->directory_count; i++)
		count_directory(box, box->directories[i], count);
}

uint32_t
box_removed(const struct box *box)
{
	struct count count;
	uint32_t removed = 0;
	size_t i;

	count_all(box, &count);
	for (i = 0; i < box->count; i++)
		removed += box->mails[i].marked && count.there[i] == 0;
	return (removed);
}

/* nmh can read it, and what stays has kept its sequences. */
static int
sequences_are_right(const struct box *box)
{
	static const int64_t none[1];
	char path[sizeof(box->directory) + 20], *bytes, *text;
	size_t length, new_length;
	int right;

	(void)snprintf(path, sizeof(path), "%s/mh/" MH_SEQUENCES,
	    box->directory);
	if ((bytes = read_file(AT_FDCWD, path, &length)) == NULL)
		return (0);
	text = mh_sequences_text(bytes, length, none, 0, &new_length);
	/* Blanks may stand behind it, or no line's end yet. */
	right = text != NULL && strncmp(bytes, "cur: 2", 6) == 0 &&
	    strchr("\n ", bytes[6]) != NULL;
	if (!crash_is_marked(box->pattern, 0, BOX_PART_MAILS))
		right &= strstr(bytes, "\nfirst: 1") != NULL;
	free(text);
	free(bytes);
	return (right);
}

static int
check_mail(const struct box *box, size_t i, const struct count *count,
    enum verdict verdict, const char *what)
{
	const struct box_mail *mail = &box->mails[i];

	figures.messages += !mail->marked;
	if (count->there[i] > 1)
		return (loss(box, what, "there twice", mail->serial));
	if (!mail->marked)
		return (count->there[i] == 1 ? 0 : loss(box, what, "lost",
		    mail->serial));
	if (count->there[i] == 1)
		return (verdict == MUST_BE_GONE ? loss(box, what, "not gone",
		    mail->serial) : 0);
	if (verdict == MUST_BE_THERE)
		return (loss(box, what, "gone", mail->serial));
	if (box->kind == BOX_MH_RENAME && count->aside[i] != 1)
		return (loss(box, what, "not put aside", mail->serial));
	return (0);
}

int
box_check(struct box *box, enum verdict verdict, const char *what)
{
	struct count count;
	size_t i;

	count_all(box, &count);
	for (i = 0; i < box->count; i++)
		if (check_mail(box, i, &count, verdict, what))
			return (1);
	if (count.unknown != 0)
		return (loss(box, what, "damaged", count.unknown));
	if (box_has(box, PART_MH) && !box->is_torn &&
	    !sequences_are_right(box))
		return (loss(box, what, "sequences", 0));
	return (0);
}

int
box_ends_well(struct box *box, enum verdict verdict, const char *what)
{
	uint32_t gone;

	faults_set(FAULT_NONE, 0, 0);
	figures.states++;
	if (box_child(box, 0) != STATUS_DONE)
		return (loss(box, what, "cannot be opened", 0));
	if (box_check(box, verdict, what))
		return (1);
	gone = box_removed(box);
	/* 2: without what arrives in the first one. */
	if (box_child(box, 2) != STATUS_DONE)
		return (loss(box, what, "cannot be deleted from", 0));
	if (box->told->messages + gone != box->count ||
	    box->told->deleted + gone != box_removed(box))
		return (loss(box, what, "not counted right",
		    box->told->messages));
	return (box_check(box, MUST_BE_GONE, what));
}

struct box_picture {
	size_t count;
	char paths[FILES][192];
	char *bytes[FILES];
	size_t lengths[FILES];
};

static void
take(struct box_picture *picture, const char *path)
{
	size_t i = picture->count;

	if (i == FILES)
		errx(1, "too many files");
	(void)strlcpy(picture->paths[i], path, sizeof(picture->paths[i]));
	picture->bytes[i] = read_file(AT_FDCWD, path, &picture->lengths[i]);
	picture->count += picture->bytes[i] != NULL;
}

struct box_picture *
box_picture_take(const struct box *box)
{
	struct box_picture *picture = calloc(1, sizeof(*picture));
	struct dirent *entry;
	char path[192];
	DIR *directory;
	size_t i;

	if (picture == NULL)
		err(1, "malloc");
	if (box->mailbox[0] != '\0')
		take(picture, box->mailbox);
	for (i = 0; i < box->directory_count; i++) {
		if ((directory = opendir(box->directories[i])) == NULL)
			err(1, "%s", box->directories[i]);
		while ((entry = readdir(directory)) != NULL) {
			(void)snprintf(path, sizeof(path), "%.95s/%.90s",
			    box->directories[i], entry->d_name);
			if (entry->d_type == DT_REG)
				take(picture, path);
		}
		(void)closedir(directory);
	}
	return (picture);
}

void
box_picture_restore(const struct box_picture *picture, const struct box *box)
{
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	size_t i;
	int fd;

	box_clear(box);
	for (i = 0; i < picture->count; i++) {
		fd = open(picture->paths[i], O_WRONLY | O_CREAT | O_TRUNC,
		    0600);
		if (fd == -1 || write(fd, picture->bytes[i],
		    picture->lengths[i]) != (ssize_t)picture->lengths[i] ||
		    futimens(fd, old) == -1 || close(fd) == -1)
			err(1, "%s", picture->paths[i]);
	}
}

void
box_picture_free(struct box_picture *picture)
{
	while (picture->count > 0)
		free(picture->bytes[--picture->count]);
	free(picture);
}
