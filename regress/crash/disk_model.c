/*
 * disk_model.c - what may be on a disk when the power goes.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
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
set_entry(struct entry *entries, size_t *count, const char *name, ino_t file)
{
	size_t i = 0;

	while (i < *count && strcmp(entries[i].name, name) != 0)
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
}

static void
apply_entry(struct entry *entries, size_t *count, const struct event *event)
{
	if (event->type == EVENT_CREATE)
		set_entry(entries, count, event->name, event->file);
	else
		set_entry(entries, count, event->name, 0);
	if (event->type == EVENT_RENAME)
		set_entry(entries, count, event->to, event->file);
}

void
model_event(struct disk_model *model, const struct event *event)
{
	size_t i;

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
		for (i = 0; i < model->pending_count; i++)
			apply_entry(model->entries, &model->entry_count,
			    model->pending[i]);
		model->pending_count = 0;
		break;
	default:
		if (model->pending_count == MODEL_PENDING)
			errx(1, "too many names");
		/* An inode that comes again is another file. */
		if (event->type == EVENT_CREATE)
			find_file(model, event->file)->file = 0;
		model->pending[model->pending_count++] = event;
		break;
	}
}

static void
add_durable(struct disk_model *model, const struct world *world,
    const char *name)
{
	int at = strcmp(name, "mbox") == 0 ? world->spool : world->state;
	struct model_file *file;
	struct stat status;
	size_t length;
	char *bytes;

	if (fstatat(at, name, &status, 0) == -1 ||
	    world_read(world, name, &bytes, &length) == -1)
		err(1, "%s", name);
	file = find_file(model, status.st_ino);
	write_file(file, 0, (unsigned char *)bytes, length);
	sync_file(file);
	free(bytes);
	if (at == world->spool)
		model->mailbox = status.st_ino;
	else
		set_entry(model->entries, &model->entry_count, name,
		    status.st_ino);
}

void
model_begin(struct disk_model *model, const struct world *world)
{
	char path[sizeof(world->directory) + 8];
	struct dirent *entry;
	DIR *directory;

	memset(model, 0, sizeof(*model));
	(void)snprintf(path, sizeof(path), "%s/state", world->directory);
	if ((directory = opendir(path)) == NULL)
		err(1, "%s", path);
	add_durable(model, world, "mbox");
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			add_durable(model, world, entry->d_name);
	(void)closedir(directory);
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
make_file(const struct model_file *file, const struct world *world,
    const char *name)
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
	world_write(world, name, bytes, (size_t)size);
	free(bytes);
}

void
model_make(const struct disk_model *model, const struct world *world)
{
	struct entry entries[MODEL_FILES];
	size_t count = model->entry_count, i, file;

	memcpy(entries, model->entries, sizeof(entries));
	for (i = 0; i < model->pending_count; i++)
		if (model->pending_pick[i])
			apply_entry(entries, &count, model->pending[i]);
	world_clear_state(world, 1);
	for (file = 0; file < model->file_count; file++) {
		if (model->files[file].file == model->mailbox)
			make_file(&model->files[file], world, "mbox");
		for (i = 0; i < count; i++)
			if (entries[i].file == model->files[file].file)
				make_file(&model->files[file], world,
				    entries[i].name);
	}
}
