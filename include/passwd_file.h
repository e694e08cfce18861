/*
 * passwd_file.h - Postern's own file of users.
 *
 *	user:hash:account                   a system account ("": same name)
 *	user:hash:uid:gid:home:maildrop     a virtual user
 *
 * Lines that begin with "#" and empty lines are comments.
 */
#ifndef PASSWD_FILE_H
#define PASSWD_FILE_H

#include <stdio.h>

#include "account.h"

#define PASSWD_HASH_SIZE	192

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
 * Opens the file, which must be regular and not writable by others.  NULL
 * with errno (EPERM for a file that anyone may write).
 */
FILE	*passwd_open(const char *path);

/*
 * Finds the first entry of `user` (NULL: the first of all).  Returns 1, 0
 * when there is none, -1 with errno when the file cannot be used.  Lines
 * that do not parse are passed over and logged.
 */
int	passwd_find(const char *path, const char *user,
	    struct passwd_entry *entry);

#endif
