/*
 * account.c - whose mailbox a user name stands for.
 *
 * Linked into posternd, postern-auth and posternctl.  In posternd it runs in
 * the child that is about to become the user, as root: the parent itself
 * never waits for a name service.
 */
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "passwd_file.h"

int
account_name_valid(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._@+-";

	return (name[0] != '\0' && name[0] != '.' && name[0] != '-' &&
	    strlen(name) < USER_SIZE && name[strspn(name, allowed)] == '\0');
}

/* Fills in what the system knows of the account `system_name`. */
static const char *
find_system(struct account *account)
{
	const struct passwd *found = getpwnam(account->system_name);

	if (found == NULL)
		return ("no such account");
	account->uid = found->pw_uid;
	account->gid = found->pw_gid;
	return (strlcpy(account->system_name, found->pw_name, USER_SIZE) >=
	    USER_SIZE || strlcpy(account->home, found->pw_dir, PATH_SIZE) >=
	    PATH_SIZE ? "account data too long" : NULL);
}

const char *
account_find(const struct account_policy *policy, const char *user,
    struct account *account)
{
	struct passwd_entry entry;
	const char *wrong;
	int found = 1;

	if (!account_name_valid(user))
		return ("not a valid user name");
	memset(&entry, 0, sizeof(entry));
	(void)strlcpy(entry.account.user, user, USER_SIZE);
	(void)strlcpy(entry.account.system_name, user, USER_SIZE);
	if (policy->passwd_file[0] != '\0')
		found = passwd_find(policy->passwd_file, user, 0, &entry);
	*account = entry.account;
	explicit_bzero(&entry, sizeof(entry));
	if (found != 1)
		return (found == 0 ? "no such user" :
		    "the passwd file cannot be read");
	if (account->system_name[0] != '\0' &&
	    (wrong = find_system(account)) != NULL)
		return (wrong);
	if (account->uid == 0 || account->gid == 0)
		return ("uid 0 and gid 0 never get a mailbox");
	if (account->uid < policy->minimum_uid)
		return ("uid under minimum-uid");
	if (policy->unprivileged && account->uid != getuid())
		return ("running as one ordinary user: only that user's mail");
	return (NULL);
}
