/*
 * account.c - whose mailbox a user name stands for.
 *
 * Linked into posternd, postern-auth and posternctl.  In posternd it runs in
 * the child that is about to become the user, as root: the parent itself
 * never waits for a name service.
 */
#include <ctype.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "passwd_file.h"

int
account_name_valid(const char *name)
{
	const char *c;

	if (name[0] == '.' || name[0] == '-' || name[0] == '\0' ||
	    strlen(name) >= USER_SIZE)
		return (0);
	for (c = name; *c != '\0'; c++)
		if (!isascii((unsigned char)*c) ||
		    (!isalnum((unsigned char)*c) &&
		    strchr("._@+-", *c) == NULL))
			return (0);
	return (1);
}

static const char *
find_system(const char *name, struct account *account)
{
	const struct passwd *found = getpwnam(name);

	if (found == NULL)
		return ("no such account");
	account->uid = found->pw_uid;
	account->gid = found->pw_gid;
	if (strlcpy(account->system_name, found->pw_name, USER_SIZE) >=
	    USER_SIZE || strlcpy(account->home, found->pw_dir, PATH_SIZE) >=
	    PATH_SIZE)
		return ("account data too long");
	return (NULL);
}

static const char *
find_anywhere(const struct account_policy *policy, const char *user,
    struct account *account)
{
	struct passwd_entry entry;

	memset(account, 0, sizeof(*account));
	if (policy->passwd_file[0] == '\0') {
		(void)strlcpy(account->user, user, sizeof(account->user));
		return (find_system(user, account));
	}
	switch (passwd_find(policy->passwd_file, user, &entry)) {
	case -1:
		return ("the passwd file cannot be read");
	case 0:
		return ("no such user");
	default:
		*account = entry.account;
		explicit_bzero(&entry, sizeof(entry));
		if (account->system_name[0] == '\0')
			return (NULL);
		return (find_system(account->system_name, account));
	}
}

const char *
account_find(const struct account_policy *policy, const char *user,
    struct account *account)
{
	const char *wrong;

	if (!account_name_valid(user))
		return ("not a valid user name");
	wrong = find_anywhere(policy, user, account);
	if (wrong != NULL)
		return (wrong);
	if (account->uid == 0 || account->gid == 0)
		return ("uid 0 and gid 0 never get a mailbox");
	if (account->uid < policy->minimum_uid)
		return ("uid under minimum-uid");
	if (policy->unprivileged && account->uid != getuid())
		return ("running as one ordinary user: only that user's mail");
	return (NULL);
}
