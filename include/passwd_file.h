/*
 * passwd_file.h - Postern's own file of users.
 *
 *	user:hash:account                   a system account ("": same name)
 *	user:hash:uid:gid:home:maildrop     a virtual user
 *	user/name:...                       see passwd_named.h
 *
 * Lines that begin with "#" and empty lines are comments.
 */
#ifndef PASSWD_FILE_H
#define PASSWD_FILE_H

#include <stdio.h>

#include "account.h"

#define PASSWD_HASH_SIZE	192

/* In a hash's place: no password of the account's own, but named ones. */
#define PASSWD_HASH_NONE	"-"

struct passwd_entry {
	struct account account;
	char hash[PASSWD_HASH_SIZE];
};

/*
 * Reads one line (it is changed) into `entry`.  Returns NULL, or what was
 * expected.
 */
const char *passwd_parse_line(char *line, struct passwd_entry *entry);

/*
 * Opens the file, which must be regular and not writable by others; one at a
 * time, for they share what it is read into.  NULL with errno (EPERM for a file
 * that anyone may write).
 */
FILE	*passwd_open(const char *path);

/* All that was read is wiped. */
void	passwd_close(FILE *file);

/* A file that is read line by line; one at a time. */
struct passwd_lines {
	FILE *file;
	const char *path;
	int number;			/* of the line that was read last */
};

/* 0, with `file` to be closed by passwd_close; or -1 with errno. */
int	passwd_open_lines(const char *path, struct passwd_lines *lines);

/*
 * The next line that is not empty and no comment, without its end, until the
 * next call; NULL at the file's end.  Of one that does not fit the name alone,
 * which is no entry.
 */
char	*passwd_next_line(struct passwd_lines *lines);

/* Logs that the line which was read last is not what was expected. */
void	passwd_passed_over(const struct passwd_lines *lines,
	    const char *expected);

/* True for a line of passwd_named.h: no user's name has a slash in it. */
int	passwd_is_named(const char *line);

/*
 * Finds the first entry of `user` (NULL: the first of all).  Returns 1, 0
 * when there is none, -1 with errno when the file cannot be used.  Lines of
 * `user` that do not parse are passed over and logged; what is in others' is
 * not looked at.  `to_the_end`: the whole file is read, whoever is found, so
 * that the time it takes tells nobody's place.
 */
int	passwd_find(const char *path, const char *user, int to_the_end,
	    struct passwd_entry *entry);

#endif
