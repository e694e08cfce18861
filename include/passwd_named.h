/*
 * passwd_named.h - further passwords of a user, each with a name.
 *
 *	user/name:hash:protocols:networks
 *
 * They stand in the passwd file among the users' own lines, in any order.
 * Protocols are of pop1,pop2,pop3; networks are as network.h reads them, with
 * commas between them.  What is empty limits nothing.
 */
#ifndef PASSWD_NAMED_H
#define PASSWD_NAMED_H

#include "passwd_file.h"
#include "network.h"

struct passwd_named {
	char user[USER_SIZE];
	char name[PASSWORD_NAME_SIZE];
	char hash[PASSWD_HASH_SIZE];
	uint32_t protocols;		/* 1 << enum pop_protocol; 0: all */
	uint32_t network_count;		/* 0: all */
	struct network networks[PASSWORD_NETWORKS_MAX];
};

/*
 * Reads one line (it is changed) into `named`.  Returns NULL, or what was
 * expected.
 */
const char *passwd_parse_named(char *line, struct passwd_named *named);

/* True for such a line: no user's name has a slash in it. */
int	passwd_is_named(const char *line);

/*
 * Finds the first user's entry of all.  Returns 1, 0 when there is none, -1
 * when the file cannot be used.
 */
int	passwd_find_first(const char *path, struct passwd_entry *entry);

#endif
