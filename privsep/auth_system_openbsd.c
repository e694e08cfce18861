/*
 * auth_system_openbsd.c - passwords of OpenBSD's own accounts.
 *
 * Linked into postern-auth on OpenBSD, in the place of auth_system.c; runs
 * as its own user, with the group that may read spwd.db as its only further
 * right.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "auth.h"
#include "log.h"

static void
open_system(const char *passwd_file)
{
	(void)passwd_file;
	errno = 0;
	if (getpwnam_shadow("root") == NULL)
		log_line(LOG_ERR, "event=shadow error=\"%s\"; no login "
		    "can be checked", strerror(errno));
}

static enum verdict
verify_system(const char *user, const char *password, uid_t minimum_uid,
    const char **why)
{
	const struct account_policy policy = { "", minimum_uid, 0 };
	const struct passwd *found = NULL;
	struct account account;
	time_t now = time(NULL);
	/* Asked for everybody: whether hashes can be read tells of no user. */
	const int can_read = getpwnam_shadow("root") != NULL;
	int good;

	*why = can_read ? account_find(&policy, user, &account) :
	    "the hashes cannot be read";
	if (*why == NULL && (found = getpwnam_shadow(user)) == NULL)
		*why = "no shadow entry";
	if (*why == NULL && found->pw_expire != 0 && now >= found->pw_expire)
		*why = "account expired";
	if (*why == NULL && found->pw_change != 0 && now >= found->pw_change)
		*why = "password expired";
	/* crypt_checkpass(3) takes as long for NULL, and for "*", as ever. */
	good = crypt_checkpass(password, found != NULL ? found->pw_passwd :
	    NULL) == 0;
	if (!can_read)
		return (VERDICT_UNKNOWN);
	if (*why != NULL)
		return (VERDICT_SHUT_OUT);
	*why = good ? NULL : "wrong password, or locked";
	return (good ? VERDICT_RIGHT : VERDICT_WRONG);
}

const struct auth_backend auth_system = { open_system, verify_system };
