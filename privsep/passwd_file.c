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

/* One file is open at a time.  stdio's own buffer would keep what was read. */
static char room[PASSWD_READ_BYTES + 1];

/* An absolute path that fits, and is not of a file with CRLF. */
static int
copy_path(char *to, const char *from)
{
	return (from[0] == '/' && strchr(from, '\r') == NULL &&
	    strlcpy(to, from, PATH_SIZE) < PATH_SIZE);
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
	if (account->uid == 0 || account->gid == 0)
		return ("a uid and a gid of 1 or more");
	if (!copy_path(account->home, field[4]))
		return ("an absolute home directory");
	if (field[5][0] != '\0' && !copy_maildrop(account->maildrop, field[5]))
		return ("an absolute maildrop path of at most 240 bytes "
		    "without //, . and .., or none");
	return (NULL);
}

int
passwd_open(const char *path, struct passwd_lines *lines)
{
	struct stat status;

	*lines = (struct passwd_lines){ .path = path, .fd = open(path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) };
	if (lines->fd == -1)
		return (-1);
	if (fstat(lines->fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    (status.st_uid == 0 || status.st_uid == geteuid()))
		return (0);
	(void)close(lines->fd);
	errno = EPERM;
	return (-1);
}

/* Reads more behind what is left.  0 at the file's end, and on an error. */
static int
read_on(struct passwd_lines *lines)
{
	ssize_t got;

	lines->end -= lines->at;
	memmove(room, room + lines->at, lines->end);
	lines->at = 0;
	/* Too long already: what follows tells of nothing but its end. */
	if (lines->end > PASSWD_LENGTH_MAX)
		lines->end = PASSWD_LENGTH_MAX + 1;
	got = read(lines->fd, room + lines->end, PASSWD_READ_BYTES -
	    lines->end);
	lines->failed = got == -1;
	lines->end += got > 0 ? (size_t)got : 0;
	return (got > 0);
}

char *
passwd_next_line(struct passwd_lines *lines)
{
	char *line, *newline;

	while ((newline = memchr(room + lines->at, '\n', lines->end -
	    lines->at)) == NULL && read_on(lines))
		continue;
	if (lines->failed || lines->at == lines->end)
		return (NULL);
	line = room + lines->at;
	lines->length = newline != NULL ? (size_t)(newline - line) :
	    lines->end - lines->at;
	lines->at += lines->length + (newline != NULL);
	lines->number++;
	line[lines->length] = '\0';
	/* Its name alone fits no form, and is told of as such. */
	if (lines->length > PASSWD_LENGTH_MAX)
		line[strcspn(line, ":")] = '\0';
	return (line);
}

void
passwd_close(struct passwd_lines *lines)
{
	(void)close(lines->fd);
	explicit_bzero(room, sizeof(room));
}

void
passwd_passed_over(const struct passwd_lines *lines, const char *expected)
{
	log_line(LOG_WARNING, "%s:%d: expected %s; the line is passed over",
	    lines->path, lines->number, expected);
}

int
passwd_find(const char *path, const char *user, int to_the_end,
    struct passwd_entry *entry)
{
	const size_t length = strlen(user);
	struct passwd_entry other;
	struct passwd_lines lines;
	const char *wrong;
	char *line;
	int found = 0;

	if (passwd_open(path, &lines) == -1)
		return (-1);
	while ((!found || to_the_end) &&
	    (line = passwd_next_line(&lines)) != NULL)
		if (strncmp(line, user, length) != 0 ||
		    (line[length] != ':' && line[length] != '\0'))
			continue;
		else if ((wrong = passwd_parse_line(line, found ? &other :
		    entry)) != NULL)
			passwd_passed_over(&lines, wrong);
		else
			found = 1;
	passwd_close(&lines);
	explicit_bzero(&other, sizeof(other));
	if (lines.failed || !found)
		memset(entry, 0, sizeof(*entry));
	return (lines.failed ? -1 : found);
}
