/*
 * passwd_file.c - reading Postern's own file of users.
 *
 * Linked into posternd (in the child that becomes the user: root),
 * postern-auth (its own user) and posternctl (whoever runs it).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "passwd_file.h"

#define FIELDS_SYSTEM	3
#define FIELDS_VIRTUAL	6

/* The last place in the room for a line. */
#define LAST		(PASSWD_LINE_SIZE - 1)

/* One file is open at a time.  stdio's own buffer would keep what was read. */
static char buffer[PASSWD_READ_BYTES], room[PASSWD_LINE_SIZE];

/* An absolute path that fits. */
static int
copy_path(char *to, const char *from)
{
	return (from[0] == '/' && strlcpy(to, from, PATH_SIZE) < PATH_SIZE);
}

/*
 * A maildrop's path names a directory of state as well: one mailbox is to have
 * one spelling.
 */
static int
copy_maildrop(char *to, const char *from)
{
	const char *part = from;
	size_t length;

	do {
		length = strcspn(++part, "/");
		if (length == 0 || (part[0] == '.' && (length == 1 ||
		    (length == 2 && part[1] == '.'))))
			return (0);
		part += length;
	} while (*part == '/');
	return (strlen(from) <= MAILDROP_LENGTH_MAX && copy_path(to, from));
}

const char *
passwd_parse_line(char *line, struct passwd_entry *entry)
{
	struct account *account = &entry->account;
	char *field[FIELDS_VIRTUAL + 1];
	size_t count = 0;

	memset(entry, 0, sizeof(*entry));
	while (count < FIELDS_VIRTUAL + 1 &&
	    (field[count] = strsep(&line, ":")) != NULL)
		count++;
	if (count != FIELDS_SYSTEM && count != FIELDS_VIRTUAL)
		return ("3 or 6 fields divided by colons");
	if (!account_name_valid(field[0]))
		return ("a valid user name");
	(void)strlcpy(account->user, field[0], USER_SIZE);
	if (strlcpy(entry->hash, field[1], PASSWD_HASH_SIZE) >=
	    PASSWD_HASH_SIZE)
		return ("a shorter hash");
	if (count == FIELDS_SYSTEM) {
		if (field[2][0] == '\0')
			field[2] = field[0];
		(void)strlcpy(account->system_name, field[2], USER_SIZE);
		return (account_name_valid(field[2]) ? NULL :
		    "a valid system account name");
	}
	account->uid = (uid_t)strtonum(field[2], 1, ACCOUNT_ID_MAX, NULL);
	account->gid = (gid_t)strtonum(field[3], 1, ACCOUNT_ID_MAX, NULL);
	if (account->uid == 0)
		return ("a uid of 1 or more");
	if (account->gid == 0)
		return ("a gid of 1 or more");
	if (!copy_path(account->home, field[4]))
		return ("an absolute home directory");
	if (field[5][0] != '\0' && !copy_maildrop(account->maildrop, field[5]))
		return ("an absolute maildrop path of at most 240 bytes "
		    "without //, . and .., or none");
	return (NULL);
}

FILE *
passwd_open(const char *path)
{
	struct stat status;
	FILE *file = NULL;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return (NULL);
	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode) ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (status.st_uid != 0 && status.st_uid != geteuid()))
		errno = EPERM;
	else if ((file = fdopen(fd, "r")) != NULL)
		(void)setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	if (file == NULL)
		(void)close(fd);
	return (file);
}

int
passwd_open_lines(const char *path, struct passwd_lines *lines)
{
	memset(lines, 0, sizeof(*lines));
	lines->path = path;
	return ((lines->file = passwd_open(path)) != NULL ? 0 : -1);
}

char *
passwd_next_line(struct passwd_lines *lines)
{
	int c;

	while (room[LAST] = 'x', ferror(lines->file) == 0 &&
	    fgets(room, sizeof(room), lines->file) != NULL) {
		lines->number++;
		/*
		 * Written over by a line that fills the room, or is longer:
		 * its name alone fits no form, and is told of as such.
		 */
		if (room[LAST] == '\0' && room[LAST - 1] != '\n') {
			room[strcspn(room, ":")] = '\0';
			while ((c = getc(lines->file)) != '\n' && c != EOF)
				;
		}
		room[strcspn(room, "\n")] = '\0';
		if (room[0] != '#' && room[0] != '\0')
			return (room);
	}
	return (NULL);
}

void
passwd_passed_over(const struct passwd_lines *lines, const char *expected)
{
	log_line(LOG_WARNING, "%s:%d: expected %s; the line is passed over",
	    lines->path, lines->number, expected);
}

void
passwd_close(FILE *file)
{
	(void)fclose(file);
	explicit_bzero(room, sizeof(room));
	explicit_bzero(buffer, sizeof(buffer));
}

int
passwd_is_named(const char *line)
{
	return (line[strcspn(line, ":/")] == '/');
}

int
passwd_find(const char *path, const char *user, int to_the_end,
    struct passwd_entry *entry)
{
	const size_t length = user == NULL ? 0 : strlen(user);
	struct passwd_entry other;
	struct passwd_lines lines;
	const char *wrong;
	char *line;
	int found = 0;

	if (passwd_open_lines(path, &lines) == -1)
		return (-1);
	while ((!found || to_the_end) &&
	    (line = passwd_next_line(&lines)) != NULL)
		if (user == NULL ? passwd_is_named(line) :
		    strcspn(line, ":") != length ||
		    memcmp(line, user, length) != 0)
			continue;
		else if ((wrong = passwd_parse_line(line, found ? &other :
		    entry)) != NULL)
			passwd_passed_over(&lines, wrong);
		else
			found = 1;
	passwd_close(lines.file);
	explicit_bzero(&other, sizeof(other));
	if (!found)
		memset(entry, 0, sizeof(*entry));
	return (found);
}
