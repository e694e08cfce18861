/*
 * mh.c - MH folders behind the mailbox operations.
 *
 * Linked into postern-store and postern-mailbox; runs as the user whose mail
 * it is.  A message is a file whose name is its number.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file_mailbox.h"
#include "log.h"
#include "mh.h"

int64_t
mh_number(const char *name)
{
	int64_t number = 0;

	if (name[0] == '0')
		return (0);
	for (; *name != '\0'; name++) {
		if (*name < '0' || *name > '9')
			return (0);
		number = number * 10 + (*name - '0');
		if (number > MH_NUMBER_MAX)
			return (0);
	}
	return (number);
}

static int
is_message(const char *name, int64_t *order)
{
	*order = mh_number(name);
	return (*order > 0);
}

/*
 * As rmm(1) does it: N becomes ",N", in the place of an older one.  Where
 * both are names of one file, rename(2) would leave both.
 */
static int
rename_message(int directory, const char *name)
{
	char deleted[NAME_MAX + 2];
	struct stat message, older;

	(void)snprintf(deleted, sizeof(deleted), ",%s", name);
	if (fstatat(directory, name, &message, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(directory, deleted, &older, AT_SYMLINK_NOFOLLOW) == 0 &&
	    message.st_dev == older.st_dev && message.st_ino == older.st_ino)
		return (unlinkat(directory, name, 0));
	return (renameat(directory, name, directory, deleted));
}

static const char *
open_mh(struct mailbox *mailbox)
{
	struct file_mailbox *state = file_mailbox_new(mailbox);

	if (state == NULL)
		return ("the server is short of memory");
	state->is_message = is_message;
	state->remove = mailbox->rename_deleted ? rename_message : NULL;
	state->directories[0] = file_mailbox_directory(
	    mailbox->place.directory, mailbox->place.name, state->owner);
	return (file_mailbox_open(mailbox, state->directories[0]));
}

static int
compare_numbers(const void *a, const void *b)
{
	const int64_t *one = a, *other = b;

	return (*one < *other ? -1 : *one > *other);
}

/* The numbers of removed files, ascending and once each; NULL: no memory. */
static int64_t *
removed_numbers(const struct file_mailbox *state, uint32_t deleted,
    size_t *once)
{
	int64_t *numbers = calloc(deleted, sizeof(*numbers));
	size_t i, count = 0;

	if (numbers == NULL)
		return (NULL);
	for (i = 0; i < state->list.count && count < deleted; i++)
		if ((state->list.files[i].flags & FILE_REMOVED) != 0)
			numbers[count++] = mh_number(state->list.files[i].name);
	/* In order as they are, unless the folder was renumbered. */
	if (count > 1 && mergesort(numbers, count, sizeof(*numbers),
	    compare_numbers) == -1) {
		free(numbers);
		return (NULL);
	}
	/* A number may have been another message's when that was removed. */
	for (i = *once = 0; i < count; i++)
		if (*once == 0 || numbers[i] != numbers[*once - 1])
			numbers[(*once)++] = numbers[i];
	return (numbers);
}

/* How many ms it takes until the marked messages were left alone for long. */
static int
rest_of_wait(const struct file_mailbox *state)
{
	const uint64_t passed = clock_now_ms() - state->looked_ms;
	const struct message_file *file = state->list.files;
	const struct message_file *end = file + state->list.count;

	if (passed >= MH_STILL_MS)
		return (0);
	for (; file < end; file++)
		if ((file->flags & FILE_MARKED) != 0 &&
		    !message_file_is_old(&file->identity))
			return (MH_STILL_MS - (int)passed);
	return (0);
}

/*
 * MH has no lock for messages, and an agent may still be writing what was
 * sent: nothing tells that but that it is as it was so long ago.  How long ago
 * a clock of this process says: files' times may be another host's.
 */
static const char *
verify_still(struct mailbox *mailbox)
{
	struct pollfd pulse = { mailbox->place.pulse, POLLIN, 0 };
	struct file_mailbox *state = mailbox->state;
	const char *wrong;
	int tries, rest;

	for (tries = 0; tries < MH_STILL_TRIES; tries++) {
		while ((rest = rest_of_wait(state)) > 0)
			if (poll(&pulse, 1, rest) == 1)
				return ("the session has ended");
		wrong = file_mailbox_verify(mailbox);
		if (wrong != NULL || rest_of_wait(state) == 0)
			return (wrong);
	}
	return ("the folder is being changed by another program; nothing was "
	    "deleted");
}

/*
 * The sequences are locked before the first number is free: a message that
 * is given it meanwhile gets its sequences after the old one has left them.
 */
static const char *
commit(struct mailbox *mailbox, uint32_t *deleted)
{
	struct file_mailbox *state = mailbox->state;
	int64_t *numbers = NULL;
	const char *wrong;
	size_t count = 0;
	int sequences;

	*deleted = 0;
	if (!file_mailbox_any_marked(mailbox))
		return (NULL);
	wrong = state->is_foreign ? file_mailbox_verify(mailbox) :
	    verify_still(mailbox);
	if (wrong != NULL || state->is_foreign)
		return (wrong);
	sequences = mh_sequences_lock(state->directories[0], &mailbox->place);
	wrong = file_mailbox_remove(mailbox, deleted);
	if (sequences != -1 && *deleted > 0)
		numbers = removed_numbers(state, *deleted, &count);
	if (sequences != -1)
		mh_sequences_without(sequences, numbers, numbers == NULL ? 0 :
		    count, &mailbox->place);
	free(numbers);
	return (wrong);
}

const struct mailbox_format mailbox_mh = {
	"mh", open_mh, file_mailbox_octets, file_mailbox_sum,
	file_mailbox_send, file_mailbox_send_all, file_mailbox_mark, commit,
	file_mailbox_close, file_mailbox_dots, file_mailbox_label,
	file_mailbox_known_uid, file_mailbox_keep_uid, file_mailbox_distrust,
	file_mailbox_remember
};
