/*
 * files.c - an input as the files of an MH folder or a Maildir.
 *
 * Test code alone.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/* A date for all of them: names alone make the order. */
static const struct timespec dates[2] = { { 1000000000, 0 },
    { 1000000000, 0 } };

static int
open_below(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	HOLDS(fd != -1);
	return (fd);
}

static int
can_be_name(const char *name)
{
	return (name[0] != '\0' && strlen(name) <= 255 &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	    strchr(name, '/') == NULL);
}

/* One that has the name already is written over. */
static struct file *
find(struct files *files, const char *name, int which)
{
	struct file *file = files->list;

	while (file < files->list + files->count && (file->which != which ||
	    strcmp(file->name, name) != 0))
		file++;
	return (file);
}

static void
add(struct files *files, int directory, struct input name,
    struct input content)
{
	const int which = files->directories[1] == NULL ? 0 :
	    (int)(fuzz_octet(&name) & 1);
	char *string = fuzz_string(name);
	struct file *file = find(files, string, which);
	int below;

	if (!can_be_name(string) || file == files->list + FILES_MAX) {
		free(string);
		return;
	}
	if (file == files->list + files->count) {
		files->count++;
		memset(file, 0, sizeof(*file));
	}
	free(file->name);
	file->name = string;
	file->which = which;
	file->content.length = 0;
	/* One is enough: each is read many times. */
	if (file == files->list)
		text_put_stretched(&file->content, content);
	else
		text_put(&file->content, content.at, content.left);
	below = open_below(directory, files->directories[which]);
	fuzz_file(below, string, file->content.at, file->content.length);
	HOLDS(utimensat(below, string, dates, 0) == 0);
	(void)close(below);
}

void
files_make(struct files *files, const char *const *directories,
    int directory, struct input *input)
{
	struct input record, name;

	memset(files, 0, sizeof(*files));
	files->directories = directories;
	while (input->left > 0) {
		record = fuzz_until(input, 0x1e);
		name = fuzz_until(&record, 0x1f);
		add(files, directory, name, record);
	}
}

void
files_free(struct files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		free(files->list[i].name);
		text_free(&files->list[i].content);
	}
}

/* Up to a Maildir's flags. */
static int
compare_names(const char *one, const char *other)
{
	const size_t length = strcspn(one, ":");
	const size_t other_length = strcspn(other, ":");
	const int difference = memcmp(one, other, length < other_length ?
	    length : other_length);

	if (difference != 0)
		return (difference);
	return (length != other_length ? (length < other_length ? -1 : 1) :
	    strcmp(one, other));
}

static int
compare(const void *a, const void *b)
{
	const struct file *one = a, *other = b;
	int difference;

	if (one->order != other->order)
		return (one->order < other->order ? -1 : 1);
	difference = compare_names(one->name, other->name);
	return (difference != 0 ? difference : one->which - other->which);
}

void
files_sort(struct files *files, int64_t (*order)(const char *name))
{
	size_t i;

	for (i = 0; i < files->count; i++)
		files->list[i].order = order(files->list[i].name);
	qsort(files->list, files->count, sizeof(files->list[0]), compare);
}

void
files_check(const struct files *files, const struct mail *mail)
{
	struct text wanted = { NULL, 0, 0 };
	uint32_t number = 0;
	size_t i;

	for (i = 0; i < files->count; i++) {
		if (files->list[i].order == -1)
			continue;
		HOLDS(number < mail->count);
		wanted.length = 0;
		text_put_wire(&wanted, files->list[i].content.at,
		    files->list[i].content.length);
		HOLDS(text_equal(&wanted, &mail->messages[number++]));
	}
	HOLDS(number == mail->count);
	text_free(&wanted);
}

void
files_check_left(const struct files *files, unsigned int mask, int directory,
    const char *but)
{
	const struct file *file = files->list;
	struct text now = { NULL, 0, 0 };
	struct stat status;
	uint32_t number = 0;
	int below;

	for (; file < files->list + files->count; file++) {
		below = open_below(directory, files->directories[file->which]);
		if (file->order != -1 && mail_is_marked(mask, ++number))
			HOLDS(fstatat(below, file->name, &status, 0) == -1 &&
			    errno == ENOENT);
		else if (strcmp(file->name, but) != 0) {
			fuzz_read(below, file->name, &now);
			HOLDS(text_equal(&now, &file->content));
		}
		(void)close(below);
	}
	text_free(&now);
}
