/*
 * disk_model.h - what may be on a disk when the power goes.
 *
 * A file is pages of 4 KiB and a size, each with all its values since the
 * last fsync of the file; a directory is entries, and the operations since
 * its last fsync.  Any choice of values, and any subset of the operations,
 * is a state that may remain.
 */
#ifndef DISK_MODEL_H
#define DISK_MODEL_H

#include "crash.h"

#define MODEL_PAGE	4096
#define MODEL_FILES	48
#define MODEL_PENDING	24
#define MODEL_PLACES	4

struct page {
	unsigned char **versions;	/* [0]: durable */
	unsigned int count, pick;
};

struct model_file {
	ino_t file;
	struct page *pages;
	size_t page_count;
	uint64_t *sizes;		/* [0]: durable */
	unsigned int size_count, size_pick;
};

struct entry {
	char name[64];
	ino_t file;
	size_t place;
};

/* A directory of which names go and come. */
struct model_place {
	char path[96];
	ino_t directory;
};

struct disk_model {
	struct model_file files[MODEL_FILES];
	size_t file_count;
	char mailbox_path[96];		/* a file that is always there; "" */
	ino_t mailbox;
	struct model_place places[MODEL_PLACES];
	size_t place_count;
	struct entry entries[MODEL_FILES];	/* durable */
	size_t entry_count;
	const struct event *pending[MODEL_PENDING];
	unsigned int pending_pick[MODEL_PENDING];
	size_t pending_count;
};

/* All that is there now, durable: in a world, or in these directories. */
void	model_begin(struct disk_model *model, const struct world *world);
void	model_begin_at(struct disk_model *model, const char *mailbox,
	    const char *const *directories, size_t count);
void	model_event(struct disk_model *model, const struct event *event);
void	model_free(struct disk_model *model);

/*
 * The `number`th of `samples` choices: every one where there are not more,
 * else all old, all new, and what the fixed sequence gives.  0: no more.
 */
int	model_choose(struct disk_model *model, unsigned int number,
	    unsigned int samples);

/* Puts the chosen state into the files. */
void	model_make(const struct disk_model *model);

#endif
