/*
 * folder.c - from a folder name, as a stranger typed it, to a place.
 *
 * Linked into postern-store; runs as the user.  "FOLD /etc/passwd" is what
 * scanners send: a name never leads outside the folder root, neither by ".."
 * nor by a link, and what may not be opened looks like what is not there.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "folder.h"
#include "log.h"

static const struct ipc_store_config *settings;
static int spool = -1;		/* the directory of the maildrop */
static int root = -1;		/* the folder root, -1: none */

static int
open_directory(int at, const char *path, int follow)
{
	return (openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NONBLOCK | (follow ? 0 : O_NOFOLLOW)));
}

void
folder_begin(const struct ipc_store_config *config)
{
	char directory[PATH_SIZE];
	char *slash;

	settings = config;
	(void)strlcpy(directory, config->maildrop, sizeof(directory));
	slash = strrchr(directory, '/');
	if (slash == NULL || slash[1] == '\0')
		log_fatal("event=start error=\"maildrop path\"");
	slash[slash == directory ? 1 : 0] = '\0';
	/* The administrator's own path: links in it are meant. */
	spool = open_directory(AT_FDCWD, directory, 1);
	if (config->folder_root[0] != '\0')
		root = open_directory(AT_FDCWD, config->folder_root, 0);
}

static int
is_default(const char *name)
{
	return (name[0] == '\0' || strcasecmp(name, "INBOX") == 0 ||
	    strcmp(name, settings->user) == 0 ||
	    strcmp(name, settings->maildrop) == 0);
}

static enum folder_kind
default_place(struct mailbox_place *place)
{
	const char *name = strrchr(settings->maildrop, '/') + 1;

	(void)strlcpy(place->label, "INBOX", sizeof(place->label));
	if (spool == -1 || strlcpy(place->name, name, sizeof(place->name)) >=
	    sizeof(place->name))
		return (FOLDER_NONE);
	place->directory = fcntl(spool, F_DUPFD_CLOEXEC, 0);
	return (place->directory == -1 ? FOLDER_NONE : FOLDER_DEFAULT);
}

/* A part of a path that goes down, and nowhere else. */
static int
is_plain(const char *part)
{
	return (part[0] != '\0' && strcmp(part, ".") != 0 &&
	    strcmp(part, "..") != 0);
}

/* One directory down; the one above is closed. */
static int
descend(int directory, const char *part)
{
	struct stat status;
	int below = open_directory(directory, part, 0);

	(void)close(directory);
	if (below != -1 && (fstat(below, &status) == -1 ||
	    status.st_uid != geteuid())) {
		(void)close(below);
		errno = EPERM;
		return (-1);
	}
	return (below);
}

static int
walk(char *path, struct mailbox_place *place)
{
	char *part, *rest = path;
	int directory = fcntl(root, F_DUPFD_CLOEXEC, 0);

	while ((part = strsep(&rest, "/")) != NULL && directory != -1) {
		if (!is_plain(part)) {
			(void)close(directory);
			errno = EPERM;
			return (-1);
		}
		if (rest == NULL) {
			(void)strlcpy(place->name, part, sizeof(place->name));
			place->directory = directory;
			return (0);
		}
		directory = descend(directory, part);
	}
	return (-1);
}

enum folder_kind
folder_find(const char *name, struct mailbox_place *place)
{
	char path[FOLDER_SIZE], label[LOG_QUOTED_SIZE];

	(void)log_quote(label, sizeof(label), name);
	if (is_default(name))
		return (default_place(place));
	errno = ENOENT;
	if (strlcpy(path, name, sizeof(path)) < sizeof(path) &&
	    strlcpy(place->label, label, sizeof(place->label)) <
	    sizeof(place->label) && root != -1 && walk(path, place) == 0)
		return (FOLDER_NAMED);
	log_line(LOG_NOTICE, "event=folder folder=%s error=\"%s\"", label,
	    strerror(errno));
	return (FOLDER_NONE);
}
