/*
 * account.h - whose mailbox a user name stands for.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <sys/types.h>

#include "limits_postern.h"

/* The mailbox owner behind a user name that auth has vouched for. */
struct account {
	char user[USER_SIZE];		/* as the client named it */
	char system_name[USER_SIZE];	/* the system account, "": virtual */
	uid_t uid;
	gid_t gid;
	char home[PATH_SIZE];
	char maildrop[PATH_SIZE];	/* "": the configuration's template */
};

/* Where user names are looked up, and which of them may have mail. */
struct account_policy {
	const char *passwd_file;	/* "": the system's accounts */
	uid_t minimum_uid;
	int unprivileged;		/* only the daemon's own uid will do */
};

/*
 * True for a name that can safely be part of a path and of a log line:
 * letters, digits and "._@+-", not first a dot or hyphen.
 */
int	account_name_valid(const char *name);

/*
 * Looks `user` up and holds it against the policy (never uid 0, nor under
 * the minimum).  Returns NULL, or why there is no mailbox for it.
 */
const char *account_find(const struct account_policy *policy,
	    const char *user, struct account *account);

#endif
