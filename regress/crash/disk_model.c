/*
 * disk_model.c - what may be on a disk when the power goes.
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

#include "disk_model.h"

static void *
grown(void *array, size_t count, size_t size)
{
	void *new = reallocarray(array, count, size);

	if (new == NULL)
		err(1, "malloc");
	return (new);
}

static struct model_file *
find_file(struct disk_model *model, ino_t file)
{
	struct model_file *new;
	size_t i;

	for (i = 0; i < model->file_count; i++)
		if (model->files[i].file == file)
			return (&model->files[i]);
	if (model->file_count == MODEL_FILES)
		errx(1, "too many files");
	new = &model->files[model->file_count++];
	memset(new, 0, sizeof(*new));
	new->file = file;
	new->sizes = grown(NULL, 1, sizeof(*new->sizes));
	new->sizes[0] = 0;
	new->size_count = 1;
	return (new);
}

static uint64_t
latest_size(const struct model_file *file)
{
	return (file->sizes[file->size_count - 1]);
}

static void
add_size(struct model_file *file, uint64_t size)
{
	file->sizes = grown(file->sizes, file->size_count + 1,
	    sizeof(*file->sizes));
	file->sizes[file->size_count++] = size;
}

/* One more version of a page, made from the last. */
static unsigned char *
add_version(struct model_file *file, size_t number)
{
	struct page *page;
	unsigned char *new;

	while (file->page_count <= number) {
		file->pages = grown(file->pages, file->page_count + 1,
		    sizeof(*page));
		page = &file->pages[file->page_count++];
		page->versions = grown(NULL, 1, sizeof(*page->versions));
		page->versions[0] = calloc(1, MODEL_PAGE);
		page->count = 1;
	}
	page = &file->pages[number];
	page->versions = grown(page->versions, page->count + 1,
	    sizeof(*page->versions));
	new = calloc(1, MODEL_PAGE);
	if (new == NULL || page->versions[0] == NULL)
		err(1, "malloc");
	if (number * MODEL_PAGE < latest_size(file))
		memcpy(new, page->versions[page->count - 1], MODEL_PAGE);
	page->versions[page->count++] = new;
	return (new);
}

static void
write_file(struct model_file *file, uint64_t at, const unsigned char *bytes,
    size_t length)
{
	size_t part, offset;

	while (length > 0) {
		offset = (size_t)(at % MODEL_PAGE);
		part = MODEL_PAGE - offset;
		if (part > length)
			part = length;
		memcpy(add_version(file, (size_t)(at / MODEL_PAGE)) + offset,
		    bytes, part);
		at += part;
		bytes += part;
		length -= part;
		if (at > latest_size(file))
			add_size(file, at);
	}
}

/* The rest of the last page is zeroed, and that may reach the disk alone. */
static void
cut_file(struct model_file *file, uint64_t size)
{
	size_t offset = (size_t)(size % MODEL_PAGE);

	if (offset != 0)
		memset(add_version(file, (size_t)(size / MODEL_PAGE)) +
		    offset, 0, MODEL_PAGE - offset);
	add_size(file, size);
}

static void
sync_file(struct model_file *file)
{
	struct page *page;
	size_t i;

	for (i = 0; i < file->page_count; i++) {
		page = &file->pages[i];
		while (page->count > 1) {
			free(page->versions[0]);
			memmove(page->versions, page->versions + 1,
			    --page->count * sizeof(*page->versions));
		}
	}
	file->sizes[0] = latest_size(file);
	file->size_count = 1;
}

static void
set_entry(struct entry *entries, size_t *count, size_t place,
    const char *name, ino_t file)
{
	size_t i = 0;

	while (i < *count && (entries[i].place != place ||
	    strcmp(entries[i].name, name) != 0))
		i++;
	if (file == 0) {
		if (i < *count)
			entries[i] = entries[--*count];
		return;
	}
	if (i == MODEL_FILES)
		errx(1, "too many entries");
	if (i == *count)
		(*count)++;
	(void)strlcpy(entries[i].name, name, sizeof(entries[i].name));
	entries[i].file = file;
	entries[i].place = place;
}

static size_t
place_of(const struct disk_model *model, ino_t directory)
{
	size_t i = 0;

	while (i < model->place_count &&
	    model->places[i].directory != directory)
		i++;
	return (i);
}

static void
apply_entry(const struct disk_model *model, struct entry *entries,
    size_t *count, const struct event *event)
{
	const size_t place = place_of(model, event->directory);

	if (event->type == EVENT_CREATE)
		set_entry(entries, count, place, event->name, event->file);
	else
		set_entry(entries, count, place, event->name, 0);
	if (event->type == EVENT_RENAME)
		set_entry(entries, count, place, event->to, event->file);
}

/* What was asked of one directory is durable, in the order it was asked. */
static void
sync_directory(struct disk_model *model, ino_t directory)
{
	size_t i, left = 0;

	for (i = 0; i < model->pending_count; i++)
		if (model->pending[i]->directory == directory)
			apply_entry(model, model->entries,
			    &model->entry_count, model->pending[i]);
		else
			model->pending[left++] = model->pending[i];
	model->pending_count = left;
}

/* Of a name in a directory that is looked at. */
static void
add_pending(struct disk_model *model, const struct event *event)
{
	if (place_of(model, event->directory) == model->place_count)
		return;
	if (model->pending_count == MODEL_PENDING)
		errx(1, "too many names");
	/* An inode that comes again is another file. */
	if (event->type == EVENT_CREATE)
		find_file(model, event->file)->file = 0;
	model->pending[model->pending_count++] = event;
}

void
model_event(struct disk_model *model, const struct event *event)
{
	switch (event->type) {
	case EVENT_WRITE:
		write_file(find_file(model, event->file), event->at,
		    event->bytes, event->length);
		break;
	case EVENT_CUT:
		cut_file(find_file(model, event->file), event->at);
		break;
	case EVENT_SYNC:
		sync_file(find_file(model, event->file));
		break;
	case EVENT_SYNC_DIRECTORY:
		sync_directory(model, event->file);
		break;
	default:
		add_pending(model, event);
		break;
	}
}

/* Any file, malloc'd. */
static unsigned char *
read_file(const char *path, size_t *length, ino_t *file)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	unsigned char *bytes;

	if (fd == -1 || fstat(fd, &status) == -1)
		err(1, "%s", path);
	*length = (size_t)status.st_size;
	*file = status.st_ino;
	bytes = malloc(*length + 1);
	if (bytes == NULL || pread(fd, bytes, *length, 0) != (ssize_t)*length)
		err(1, "%s", path);
	(void)close(fd);
	return (bytes);
}

/* In place, where it is there; as old as if it had not been made again. */
static void
write_over(const char *path, const void *bytes, size_t length)
{
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, bytes, length) != (ssize_t)length ||
	    futimens(fd, old) == -1 || close(fd) == -1)
		err(1, "%s", path);
}

static ino_t
add_durable(struct disk_model *model, const char *path)
{
	struct model_file *file;
	unsigned char *bytes;
	size_t length;
	ino_t number;

	bytes = read_file(path, &length, &number);
	file = find_file(model, number);
	write_file(file, 0, bytes, length);
	sync_file(file);
	free(bytes);
	return (number);
}

/* Calls `each` for every file in a directory. */
static void
each_file(const struct model_place *place, void (*each)(struct disk_model *,
    const struct model_place *, const char *), struct disk_model *model)
{
	struct dirent *entry;
	struct stat status;
	DIR *directory;

	if ((directory = opendir(place->path)) == NULL)
		err(1, "%s", place->path);
	while ((entry = readdir(directory)) != NULL)
		if (fstatat(dirfd(directory), entry->d_name, &status,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
			each(model, place, entry->d_name);
	(void)closedir(directory);
}

static void
add_name(struct disk_model *model, const struct model_place *place,
    const char *name)
{
	char path[sizeof(place->path) + NAME_MAX + 2];

	(void)snprintf(path, sizeof(path), "%s/%s", place->path, name);
	set_entry(model->entries, &model->entry_count,
	    (size_t)(place - model->places), name, add_durable(model, path));
}

static void
remove_name(struct disk_model *model, const struct model_place *place,
    const char *name)
{
	char path[sizeof(place->path) + NAME_MAX + 2];

	(void)model;
	(void)snprintf(path, sizeof(path), "%s/%s", place->path, name);
	if (unlink(path) == -1)
		err(1, "%s", path);
}

void
model_begin_at(struct disk_model *model, const char *mailbox,
    const char *const *directories, size_t count)
{
	struct model_place *place = model->places;
	struct stat status;
	size_t i;

	memset(model, 0, sizeof(*model));
	(void)strlcpy(model->mailbox_path, mailbox,
	    sizeof(model->mailbox_path));
	if (mailbox[0] != '\0')
		model->mailbox = add_durable(model, mailbox);
	model->place_count = count;
	for (i = 0; i < count; i++, place++) {
		(void)strlcpy(place->path, directories[i],
		    sizeof(place->path));
		if (stat(place->path, &status) == -1)
			err(1, "%s", place->path);
		place->directory = status.st_ino;
		each_file(place, add_name, model);
	}
}

void
model_begin(struct disk_model *model, const struct world *world)
{
	char mailbox[sizeof(world->directory) + 8];
	char state[sizeof(world->directory) + 8];
	const char *const directories[] = { state };

	(void)snprintf(mailbox, sizeof(mailbox), "%s/mbox",
	    world->directory);
	(void)snprintf(state, sizeof(state), "%s/state", world->directory);
	model_begin_at(model, mailbox, directories, 1);
}

void
model_free(struct disk_model *model)
{
	struct model_file *file;
	unsigned int version;
	size_t i, page;

	for (i = 0; i < model->file_count; i++) {
		file = &model->files[i];
		for (page = 0; page < file->page_count; page++) {
			for (version = 0; version < file->pages[page].count;
			    version++)
				free(file->pages[page].versions[version]);
			free(file->pages[page].versions);
		}
		free(file->pages);
		free(file->sizes);
	}
}

/* Visits every choice there is; what is done with it is `number`'s matter. */
static void
choose(unsigned int *pick, unsigned int count, unsigned int number,
    unsigned int *left, int exhaustive)
{
	static const unsigned int chances[] = { 1, 4, 7 };

	if (exhaustive) {
		*pick = *left % count;
		*left /= count;
	} else if (number < 2)
		*pick = number == 0 ? 0 : count - 1;
	else if (crash_random(8) < chances[number % 3])
		*pick = count - 1;
	else
		*pick = crash_random(count);
}

static void
choose_all(struct disk_model *model, unsigned int number, int exhaustive,
    unsigned int *left)
{
	struct model_file *file;
	size_t i, page;

	for (i = 0; i < model->pending_count; i++)
		choose(&model->pending_pick[i], 2, number, left, exhaustive);
	for (i = 0; i < model->file_count; i++) {
		file = &model->files[i];
		choose(&file->size_pick, file->size_count, number, left,
		    exhaustive);
		for (page = 0; page < file->page_count; page++)
			choose(&file->pages[page].pick,
			    file->pages[page].count, number, left, exhaustive);
	}
}

/* How many choices, or anything above `limit`. */
static unsigned int
choices(const struct disk_model *model, unsigned int limit)
{
	unsigned long long total = 1;
	size_t i, page;

	if (model->pending_count > 8)
		return (limit + 1);
	total <<= model->pending_count;
	for (i = 0; i < model->file_count && total <= limit; i++) {
		total *= model->files[i].size_count;
		for (page = 0; page < model->files[i].page_count &&
		    total <= limit; page++)
			total *= model->files[i].pages[page].count;
	}
	return (total > limit ? limit + 1 : (unsigned int)total);
}

int
model_choose(struct disk_model *model, unsigned int number,
    unsigned int samples)
{
	unsigned int all = choices(model, samples), left = number;

	if (number >= samples || number >= all)
		return (0);
	choose_all(model, number, all <= samples, &left);
	return (1);
}

static void
make_file(const struct model_file *file, const char *path)
{
	uint64_t size = file->sizes[file->size_pick];
	unsigned char *bytes = calloc(1, (size_t)size + MODEL_PAGE);
	size_t page;

	if (bytes == NULL)
		err(1, "malloc");
	for (page = 0; page < file->page_count && page * MODEL_PAGE < size;
	    page++)
		memcpy(bytes + page * MODEL_PAGE, file->pages[page].versions[
		    file->pages[page].pick], MODEL_PAGE);
	write_over(path, bytes, (size_t)size);
	free(bytes);
}

static void
make_entry(const struct disk_model *model, const struct entry *entry)
{
	const struct model_place *place = &model->places[entry->place];
	char path[sizeof(place->path) + sizeof(entry->name) + 2];
	size_t i;

	(void)snprintf(path, sizeof(path), "%.95s/%.63s", place->path,
	    entry->name);
	for (i = 0; i < model->file_count; i++)
		if (model->files[i].file == entry->file)
			make_file(&model->files[i], path);
}

void
model_make(const struct disk_model *model)
{
	struct entry entries[MODEL_FILES];
	size_t count = model->entry_count, i;

	memcpy(entries, model->entries, sizeof(entries));
	for (i = 0; i < model->pending_count; i++)
		if (model->pending_pick[i])
			apply_entry(model, entries, &count,
			    model->pending[i]);
	for (i = 0; i < model->place_count; i++)
		each_file(&model->places[i], remove_name, NULL);
	for (i = 0; i < model->file_count; i++)
		if (model->mailbox != 0 &&
		    model->files[i].file == model->mailbox)
			make_file(&model->files[i], model->mailbox_path);
	for (i = 0; i < count; i++)
		make_entry(model, &entries[i]);
}
