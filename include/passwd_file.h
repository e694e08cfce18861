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

#include <stddef.h>

#include "account.h"

#define PASSWD_HASH_SIZE	192

/* Bytes of a line that can be good, without its end. */
#define PASSWD_LENGTH_MAX	(PASSWD_LINE_SIZE - 2)

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

/* A file that is read line by line; one at a time: they share a room. */
struct passwd_lines {
	int fd;
	const char *path;
	size_t at, end;			/* of what was read and is left */
	int number;			/* of the line that was read last */
	size_t length;			/* that line's, in bytes */
	int failed;			/* the end is not the file's */
};

/*
 * Opens the file, which must be regular and not writable by others.  0, or -1
 * with errno (EPERM for a file that anyone may write).
 */
int	passwd_open(const char *path, struct passwd_lines *lines);

/*
 * The next line, without its end, until the next call; NULL at the file's end,
 * and where it cannot be read.  Of one over PASSWD_LENGTH_MAX the name alone,
 * which is no entry.
 */
char	*passwd_next_line(struct passwd_lines *lines);

/* All that was read is wiped. */
void	passwd_close(struct passwd_lines *lines);

/* Logs that the line which was read last is not what was expected. */
void	passwd_passed_over(const struct passwd_lines *lines,
	    const char *expected);

/*
 * Finds the first entry of `user`.  Returns 1, 0 when there is none, -1 when
 * the file cannot be used.  Lines of `user` that do not parse are passed over
 * and logged; what is in others' is not looked at.  `to_the_end`: the whole
 * file is read, whoever is found, so that the time it takes tells nobody's
 * place.
 */
int	passwd_find(const char *path, const char *user, int to_the_end,
	    struct passwd_entry *entry);

#endif
