/*
 * auth.h - the two ways to check an account's password, and its further ones.
 */
#ifndef AUTH_H
#define AUTH_H

#include <sys/types.h>

#include "ipc_messages.h"

enum verdict {
	VERDICT_SHUT_OUT,		/* nobody's name, or no mailbox: no
					   password is right */
	VERDICT_WRONG,			/* not the account's own password */
	VERDICT_RIGHT,
	VERDICT_UNKNOWN			/* its file cannot be read: the same
					   for all users */
};

struct auth_backend {
	/* Opens what it needs, before the sandbox is shut. */
	void (*open)(const char *passwd_file);
	/*
	 * Is `password` that of `user`, who may have a mailbox?  Takes the
	 * same time for a user who does not exist.  `why` is set to the
	 * reason of a refusal, for the log only.
	 */
	enum verdict (*verify)(const char *user, const char *password,
	    uid_t minimum_uid, const char **why);
};

extern const struct auth_backend auth_passwd;	/* Postern's own file */
extern const struct auth_backend auth_system;	/* the system's accounts */

/* auth_hash.c: what libsodium writes, Argon2id. */

/* NULL, or why no password can be held against this hash. */
const char *hash_unfit(const char *hash);

/* Costs what posternctl's own hashes cost, and no password fits it. */
extern const char hash_of_nobody[];

int	hash_fits(const char *hash, const char *password);

/*
 * auth_named.c: the further passwords of users (passwd_named.h) in `file`.
 *
 * named_verify tries those of the user that are for this protocol and this
 * peer; `name` (PASSWORD_NAME_SIZE) is set to that of the one that fits.  It
 * is given the verdict on the account's own password, and returns the one on
 * the login: only where that was wrong can one of these be right.  Takes the
 * same time for all users.
 */
void	named_open(const char *file);
enum verdict named_verify(const struct ipc_login *login, enum verdict own,
	    char *name);

#endif
