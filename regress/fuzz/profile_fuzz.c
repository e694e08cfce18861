/*
 * profile_fuzz.c - any octets as .mh_profile.
 *
 * Test code alone.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fuzz.h"
#include "limits_postern.h"
#include "mh_profile.h"

static int directory = -1;
static char home[PATH_SIZE];

/* The value of the first "Path:" line, as a person would find it. */
static char *
find_path(char *text)
{
	char *line, *value;
	size_t length;

	for (line = text; line != NULL; line = strchr(line, '\n')) {
		line += line != text || *line == '\n';
		if (line != text && line[-1] != '\n')
			continue;
		if (strncasecmp(line, "Path:", 5) == 0)
			break;
	}
	if (line == NULL)
		return (NULL);
	value = line + 5;
	value[strcspn(value, "\n")] = '\0';
	while (*value == ' ' || *value == '\t' || *value == '\r')
		value++;
	for (length = strlen(value); length > 0 &&
	    strchr(" \t\r/", value[length - 1]) != NULL; length--)
		value[length - 1] = '\0';
	return (length > 0 ? value : NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[PATH_SIZE], wanted[2 * PATH_SIZE];
	char *text, *value;
	size_t room;
	int lowest, found;

	if (directory == -1) {
		directory = fuzz_directory();
		HOLDS(fchdir(directory) == 0);
		HOLDS(getcwd(home, sizeof(home)) != NULL);
		HOLDS(chdir("..") == 0);
	}
	lowest = fuzz_lowest_descriptor();
	/* A file that has a NUL ends there. */
	text = fuzz_string((struct input){ data, size });
	fuzz_file(directory, ".mh_profile", data, size);
	for (room = 1; room <= sizeof(path); room *= 2) {
		found = mh_profile_path(home, path, room) == 0;
		HOLDS(!found || memchr(path, '\0', room) != NULL);
	}
	value = find_path(text);
	if (value != NULL && strlen(value) < PATH_SIZE) {
		wanted[0] = '\0';
		if (value[0] != '/') {
			(void)strlcpy(wanted, home, sizeof(wanted));
			(void)strlcat(wanted, "/", sizeof(wanted));
		}
		(void)strlcat(wanted, value, sizeof(wanted));
		HOLDS(found == (strlen(wanted) < sizeof(path)));
		HOLDS(!found || strcmp(path, wanted) == 0);
	} else
		HOLDS(!found);
	free(text);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
