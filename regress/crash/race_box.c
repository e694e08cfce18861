/*
 * race_box.c - the mailboxes of a race, in whatever form.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

#define MAIL_GROUP	8	/* of the harness's spool, too */

const char *
race_box(const struct race *race, unsigned int user)
{
	static char path[400];

	if (race->agent->form == RACE_MBOX ||
	    race->agent->form == RACE_MAILTXT)
		return (mailbox_path(&race->server, race_user(user)));
	(void)snprintf(path, sizeof(path), "%s/home/%s/box",
	    race->server.directory, race_user(user));
	return (path);
}

static void
make_directory(const struct race *race, const char *path)
{
	ATF_REQUIRE(mkdir(path, 0700) == 0);
	if (race->server.privileged)
		ATF_REQUIRE(chown(path, race->agent->uid,
		    (gid_t)race->agent->uid) == 0);
}

void
race_make_box(const struct race *race, unsigned int user)
{
	static const char *const below[] = { "", "/cur", "/new", "/tmp" };
	const char *path = race_box(race, user);
	char whole[500];
	size_t i;

	if (race->agent->form == RACE_MBOX ||
	    race->agent->form == RACE_MAILTXT) {
		mailbox_write(&race->server, race_user(user), "", 0);
		ATF_REQUIRE(chmod(path, 0660) == 0);
		if (race->server.privileged)
			ATF_REQUIRE(chown(path, race->agent->uid,
			    MAIL_GROUP) == 0);
		return;
	}
	for (i = 0; i < (race->agent->form == RACE_MH ? 1 : 4); i++) {
		(void)snprintf(whole, sizeof(whole), "%s%s", path, below[i]);
		make_directory(race, whole);
	}
}

static void
add(FILE *out, const char *bytes, size_t length)
{
	(void)fprintf(out, "From " RACE_SENDER " \n");
	(void)fwrite(bytes, 1, length, out);
	(void)fputs(length > 0 && bytes[length - 1] == '\n' ? "\n" : "\n\n",
	    out);
}

static int
by_number(const struct dirent **one, const struct dirent **other)
{
	return (atoi((*one)->d_name) - atoi((*other)->d_name));
}

static int
is_message(const struct dirent *entry)
{
	return (entry->d_name[0] >= '0' && entry->d_name[0] <= '9');
}

/* In the order of the numbers that the names begin with. */
static void
add_directory(FILE *out, const char *path)
{
	struct dirent **entries;
	char name[800], *bytes;
	int count = scandir(path, &entries, is_message, by_number), i;
	size_t length;

	ATF_REQUIRE(count != -1);
	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", path,
		    entries[i]->d_name);
		bytes = file_read(name, &length);
		add(out, bytes, length);
		free(bytes);
		free(entries[i]);
	}
	free(entries);
}

/* From line to line, by what each says of the octets behind it. */
static void
add_mailtxt(struct race *race, FILE *out, const char *bytes, size_t length)
{
	size_t at = 0, octets;
	const char *line, *comma;

	while (at < length) {
		line = memchr(bytes + at, '\n', length - at);
		comma = memchr(bytes + at, ',', length - at);
		octets = comma == NULL ? 0 : strtoul(comma + 1, NULL, 10);
		if (line == NULL || comma == NULL || comma > line ||
		    (size_t)(++line - bytes) + octets > length) {
			race_complain(race, "bytes from %zu of a mailbox are "
			    "not a message", at);
			return;
		}
		at = (size_t)(line - bytes) + octets;
		add(out, line, octets);
	}
}

char *
race_box_read(struct race *race, unsigned int user, size_t *length)
{
	const char *path = race_box(race, user);
	char *bytes = NULL, *file, below[500];
	FILE *out;

	if (race->agent->form == RACE_MBOX)
		return (file_read(path, length));
	out = open_memstream(&bytes, length);
	ATF_REQUIRE(out != NULL);
	switch (race->agent->form) {
	case RACE_MAILTXT:
		file = file_read(path, length);
		add_mailtxt(race, out, file, *length);
		free(file);
		break;
	case RACE_MAILDIR:
		(void)snprintf(below, sizeof(below), "%s/cur", path);
		add_directory(out, below);
		(void)snprintf(below, sizeof(below), "%s/new", path);
		add_directory(out, below);
		break;
	default:
		add_directory(out, path);
		break;
	}
	ATF_REQUIRE(fclose(out) == 0);
	return (bytes);
}

void
race_unquote(char *bytes, size_t *length)
{
	size_t from, to = 0, arrows;
	int begins = 1;

	for (from = 0; from < *length; from++) {
		for (arrows = from; begins && arrows < *length &&
		    bytes[arrows] == '>';)
			arrows++;
		if (arrows > from && *length - arrows >= 5 &&
		    memcmp(bytes + arrows, "From ", 5) == 0)
			from++;
		begins = bytes[from] == '\n';
		bytes[to++] = bytes[from];
	}
	*length = to;
}
