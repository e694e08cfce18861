/*
 * check.c - the checker: what was promised, held against the file.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"

#define FILES	6

struct picture {
	size_t count;
	char names[FILES][64];
	char *bytes[FILES];
	size_t lengths[FILES];
};

static int
loss(const struct world *world, const char *what, const char *why,
    size_t message)
{
	figures.losses++;
	if (crash_verbose)
		fprintf(stderr, "LOSS (pattern %d crlf %d mailtxt %d "
		    "arrival %d large %d full %d): %s: %s, message %zu\n",
		    (int)world->pattern, world->crlf, world->mailtxt,
		    world->arrival, world->large, world->full,
		    what, why, message);
	return (1);
}

/*
 * The messages are laid over the file in their order.  No two are equal and
 * none begins another, so there is one way to do it at the most.
 */
static int
lay_over(const struct world *world, enum verdict verdict, const char *bytes,
    size_t length, const char *what)
{
	const struct message *message = world->messages;
	size_t i, at = 0;
	uint32_t there = 0;

	for (i = 0; i < world->count; i++, message++) {
		if (length - at >= message->length && memcmp(bytes + at,
		    message->bytes, message->length) == 0) {
			if (message->marked && verdict == MUST_BE_GONE)
				return (loss(world, what, "not gone", i));
			at += message->length;
			there += !message->hidden;
		} else if (!message->marked)
			return (loss(world, what, "lost or damaged", i));
		else if (verdict == MUST_BE_THERE)
			return (loss(world, what, "gone", i));
	}
	if (at != length)
		return (loss(world, what, "more than was delivered", i));
	if (faults->messages != there)
		return (loss(world, what, "not counted as many", there));
	return (0);
}

int
world_check(const struct world *world, enum verdict verdict, const char *what)
{
	char *bytes;
	size_t length, i;
	int lost;

	for (i = 0; i < world->count; i++)
		figures.messages += !world->messages[i].marked;
	if (world_read(world, "mbox", &bytes, &length) == -1)
		return (loss(world, what, "no mailbox", 0));
	lost = lay_over(world, verdict, bytes, length, what);
	free(bytes);
	return (lost);
}

/*
 * On a disk that stays full a journal is the reserve; where the mailbox was
 * restored from a copy it may fit no more, and is left.
 */
static int
is_in_a_journal(const struct world *world)
{
	struct stat status;
	char name[80];

	return (world->restored && world->stays_full &&
	    world_journal(world, name, sizeof(name)) &&
	    fstatat(world->state, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    status.st_size == RESERVE_BYTES);
}

int
world_ends_well(struct world *world, enum verdict verdict, const char *what)
{
	int status;

	faults_set(FAULT_NONE, 0, 0);
	status = world_child(world, 0);
	figures.states++;
	if (status != STATUS_DONE)
		return (loss(world, what, "cannot be opened", 0));
	/* One that a journal of another mailbox has taken stays taken. */
	if (!world->keeps_unfit && faccessat(world->state, "reserve", F_OK,
	    0) == -1 && !is_in_a_journal(world))
		return (loss(world, what, "the reserve is gone", 0));
	return (world_check(world, verdict, what));
}

static void
picture_add(struct picture *picture, const struct world *world,
    const char *name)
{
	size_t i = picture->count;

	if (i == FILES)
		errx(1, "too many files");
	(void)strlcpy(picture->names[i], name, sizeof(picture->names[i]));
	if (world_read(world, name, &picture->bytes[i],
	    &picture->lengths[i]) == 0)
		picture->count++;
}

struct picture *
picture_take(const struct world *world)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	char path[sizeof(world->directory) + 8];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/state", world->directory);
	if (picture == NULL || (directory = opendir(path)) == NULL)
		err(1, "%s", path);
	picture_add(picture, world, "mbox");
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			picture_add(picture, world, entry->d_name);
	(void)closedir(directory);
	return (picture);
}

void
picture_restore(const struct picture *picture, const struct world *world)
{
	size_t i;

	world_clear_state(world, 1);
	for (i = 0; i < picture->count; i++)
		world_write(world, picture->names[i], picture->bytes[i],
		    picture->lengths[i]);
}

void
picture_free(struct picture *picture)
{
	while (picture->count > 0)
		free(picture->bytes[--picture->count]);
	free(picture);
}
