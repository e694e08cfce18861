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

static int
copy_field(char *to, size_t size, const char *from)
{
	return (strlcpy(to, from, size) < size);
}

static const char *
parse_virtual(char **field, struct account *account)
{
	const char *wrong;

	account->uid = (uid_t)strtonum(field[2], 1, ACCOUNT_ID_MAX, &wrong);
	if (wrong != NULL)
		return ("a uid of 1 or more");
	account->gid = (gid_t)strtonum(field[3], 1, ACCOUNT_ID_MAX, &wrong);
	if (wrong != NULL)
		return ("a gid of 1 or more");
	if (field[4][0] != '/' ||
	    !copy_field(account->home, sizeof(account->home), field[4]))
		return ("an absolute home directory");
	if ((field[5][0] != '/' && field[5][0] != '\0') ||
	    !copy_field(account->maildrop, sizeof(account->maildrop),
	    field[5]))
		return ("an absolute maildrop path, or none");
	return (NULL);
}

const char *
passwd_parse_line(char *line, struct passwd_entry *entry)
{
	char *field[FIELDS_VIRTUAL + 1];
	size_t count = 0;

	memset(entry, 0, sizeof(*entry));
	while (count < FIELDS_VIRTUAL + 1 &&
	    (field[count] = strsep(&line, ":")) != NULL)
		count++;
	if (count != FIELDS_SYSTEM && count != FIELDS_VIRTUAL)
		return ("3 or 6 fields divided by colons");
	if (!account_name_valid(field[0]) || !copy_field(entry->account.user,
	    sizeof(entry->account.user), field[0]))
		return ("a valid user name");
	if (!copy_field(entry->hash, sizeof(entry->hash), field[1]))
		return ("a shorter hash");
	if (count == FIELDS_VIRTUAL)
		return (parse_virtual(field, &entry->account));
	if (field[2][0] == '\0')
		field[2] = field[0];
	if (!account_name_valid(field[2]) ||
	    !copy_field(entry->account.system_name,
	    sizeof(entry->account.system_name), field[2]))
		return ("a valid system account name");
	return (NULL);
}

int
passwd_read_line(FILE *file, char *line, size_t size)
{
	size_t length;

	if (fgets(line, (int)size, file) == NULL)
		return (0);
	length = strcspn(line, "\n");
	if (line[length] != '\n' && !feof(file)) {
		while (fgets(line, (int)size, file) != NULL &&
		    strchr(line, '\n') == NULL)
			continue;
		return (-1);
	}
	line[length] = '\0';
	return (1);
}

FILE *
passwd_open(const char *path)
{
	struct stat status;
	FILE *file = NULL;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode) ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		errno = EPERM;
	else
		file = fdopen(fd, "r");
	if (file == NULL)
		(void)close(fd);
	return (file);
}

int
passwd_find(const char *path, const char *user, struct passwd_entry *entry)
{
	char line[PASSWD_LINE_SIZE];
	const char *wrong;
	FILE *file;
	int number = 0, read, found = 0;

	if ((file = passwd_open(path)) == NULL)
		return (-1);
	while (!found &&
	    (read = passwd_read_line(file, line, sizeof(line))) != 0) {
		number++;
		if (read == 1 && (line[0] == '#' || line[0] == '\0'))
			continue;
		wrong = read == -1 ? "a shorter line" :
		    passwd_parse_line(line, entry);
		if (wrong != NULL)
			log_line(LOG_WARNING, "%s:%d: expected %s; the line "
			    "is passed over", path, number, wrong);
		else
			found = user == NULL ||
			    strcmp(entry->account.user, user) == 0;
	}
	(void)fclose(file);
	if (!found)
		memset(entry, 0, sizeof(*entry));
	return (found);
}
