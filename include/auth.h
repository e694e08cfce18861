/*
 * auth.h - the two ways to check a password.
 */
#ifndef AUTH_H
#define AUTH_H

#include <sys/types.h>

struct auth_backend {
	/* Opens what it needs, before the sandbox is shut. */
	void (*open)(const char *passwd_file);
	/*
	 * True when `password` is that of `user`, who may have a mailbox.
	 * Takes the same time for a user who does not exist.  `why` is set
	 * to the reason of a refusal, for the log only.
	 */
	int (*verify)(const char *user, const char *password,
	    uid_t minimum_uid, const char **why);
};

extern const struct auth_backend auth_passwd;	/* Postern's own file */
extern const struct auth_backend auth_system;	/* the system's accounts */

#endif
