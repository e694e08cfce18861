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
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "folder.h"
#include "inbox.h"
#include "log.h"
#include "mh_profile.h"

static const struct ipc_store_config *settings;
static int root = -1;		/* the folder root, -1: none */
static char mh_path[PATH_SIZE];	/* where "+folder" begins */

static int
open_directory(int at, const char *path, int follow)
{
	return (openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NONBLOCK | (follow ? 0 : O_NOFOLLOW)));
}

void
folder_begin(const struct ipc_store_config *config)
{
	settings = config;
	if (config->folder_root[0] != '\0')
		root = open_directory(AT_FDCWD, config->folder_root, 0);
	/* Whoever has no MH of their own means the folders by "+" as well. */
	if (mh_profile_path(config->home, mh_path, sizeof(mh_path)) == -1)
		(void)strlcpy(mh_path, config->folder_root, sizeof(mh_path));
}

static int
is_default(const char *name)
{
	return (name[0] == '\0' || strcasecmp(name, "INBOX") == 0 ||
	    strcmp(name, settings->user) == 0);
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
		if (rest == NULL && strlcpy(place->name, part,
		    sizeof(place->name)) < sizeof(place->name)) {
			place->directory = directory;
			place->others_allowed = 1;
			return (0);
		}
		directory = descend(directory, part);
	}
	return (-1);
}

/*
 * "+folder" is below the MH path, "~/path" below the home, as users of such
 * systems type them: in `path` they become absolute.  Other names stay.
 */
static int
expand(const char *name, char *path, size_t size)
{
	int length;

	if (name[0] == '+')
		length = snprintf(path, size, "%s/%s", mh_path, name + 1);
	else if (strncmp(name, "~/", 2) == 0)
		length = snprintf(path, size, "%s/%s", settings->home,
		    name + 2);
	else
		length = snprintf(path, size, "%s", name);
	return (length < 0 || (size_t)length >= size ? -1 : 0);
}

/* What of an expanded name is below the folder root; NULL: it is not. */
static char *
below_root(const char *name, char *path)
{
	size_t length = strlen(settings->folder_root);

	if (name[0] != '+' && strncmp(name, "~/", 2) != 0)
		return (path);
	return (length > 0 && strncmp(path, settings->folder_root, length) ==
	    0 && path[length] == '/' ? path + length + 1 : NULL);
}

enum folder_kind
folder_find(const char *name, struct mailbox_place *place)
{
	char path[PATH_SIZE + FOLDER_SIZE], label[LOG_QUOTED_SIZE], *below;

	(void)log_quote(label, sizeof(label), name);
	errno = ENOENT;
	if (expand(name, path, sizeof(path)) == 0) {
		if (is_default(name) || inbox_has_path(path)) {
			(void)strlcpy(place->label, "INBOX",
			    sizeof(place->label));
			place->directory = -1;
			return (FOLDER_DEFAULT);
		}
		below = below_root(name, path);
		if (below != NULL && strlcpy(place->label, label,
		    sizeof(place->label)) < sizeof(place->label) &&
		    root != -1 && walk(below, place) == 0)
			return (FOLDER_NAMED);
	}
	log_line(LOG_NOTICE, "event=folder folder=%s error=\"%s\"", label,
	    strerror(errno));
	return (FOLDER_NONE);
}
