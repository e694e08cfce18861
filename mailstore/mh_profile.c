/*
 * mh_profile.c - where a user of MH keeps the folders.
 *
 * Linked into postern-store; runs as the user, before the sandbox is shut:
 * the home is not to be read afterwards.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "disk.h"
#include "limits_postern.h"
#include "log.h"
#include "mh_profile.h"

#define MH_PROFILE	".mh_profile"

/* The user's own regular file, of a reasonable size: NULL, or a reason. */
static const char *
why_unfit(int fd, size_t *length)
{
	struct stat status;

	if (fstat(fd, &status) == -1)
		return (strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return ("not a regular file of this user");
	if (status.st_size > MH_PROFILE_BYTES_MAX)
		return ("too long");
	*length = (size_t)status.st_size;
	return (NULL);
}

/* Reads the file as a string.  0, or -1. */
static int
read_profile(const char *home, char *text)
{
	const char *wrong;
	size_t length = 0;
	int directory, fd;

	/* The account's own path: links in it are meant. */
	directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory == -1)
		return (-1);
	fd = openat(directory, MH_PROFILE, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	wrong = fd == -1 ? strerror(errno) : NULL;
	(void)close(directory);
	if (fd == -1 && errno == ENOENT)
		return (-1);
	if (wrong == NULL)
		wrong = why_unfit(fd, &length);
	if (wrong == NULL && disk_read(fd, text, length, 0) == -1)
		wrong = strerror(errno);
	if (fd != -1)
		(void)close(fd);
	if (wrong != NULL)
		log_line(LOG_NOTICE, "event=start file=" MH_PROFILE
		    " error=\"%s\"", wrong);
	text[length] = '\0';
	return (wrong == NULL ? 0 : -1);
}

/* The value of the first "Path:" line, in place; NULL: there is none. */
static char *
find_path(char *text)
{
	static const char key[] = "Path:";
	char *line, *value, *end;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (strncasecmp(line, key, sizeof(key) - 1) != 0)
			continue;
		value = line + sizeof(key) - 1;
		value += strspn(value, " \t\r");
		end = value + strlen(value);
		while (end > value && strchr(" \t\r/", end[-1]) != NULL)
			*--end = '\0';
		return (value[0] == '\0' ? NULL : value);
	}
	return (NULL);
}

int
mh_profile_path(const char *home, char *path, size_t size)
{
	static char text[MH_PROFILE_BYTES_MAX + 1];
	const char *value;
	int length;

	if (home[0] != '/' || read_profile(home, text) == -1 ||
	    (value = find_path(text)) == NULL)
		return (-1);
	length = value[0] == '/' ? snprintf(path, size, "%s", value) :
	    snprintf(path, size, "%s/%s", home, value);
	return (length > 0 && (size_t)length < size ? 0 : -1);
}
