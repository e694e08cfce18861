/*
 * auth_passwd.c - passwords in Postern's own file (Argon2id, by libsodium).
 *
 * Linked into postern-auth; runs as its own user, which may read the file.
 * The file is opened anew for each login, so that a change counts at once.
 */
#include <sodium.h>
#include <string.h>

#include "account.h"
#include "auth.h"
#include "passwd_named.h"

static const char *path;

/* named_open() tells when the file cannot be used: it is the same one. */
static void
open_passwd(const char *passwd_file)
{
	path = passwd_file;
}

static enum verdict
verify_passwd(const char *user, const char *password, uid_t minimum_uid,
    const char **why)
{
	struct passwd_entry entry, first;
	const char *hash = hash_of_nobody;
	enum verdict verdict = VERDICT_SHUT_OUT;
	int found, first_found, good;

	/* Both for everybody: a name that is here costs as much as any. */
	found = account_name_valid(user) ? passwd_find(path, user, 1,
	    &entry) : 0;
	first_found = passwd_find_first(path, &first);
	if (first_found == 1 && hash_unfit(first.hash) == NULL)
		hash = first.hash;
	if (found == 1 && hash_unfit(entry.hash) == NULL)
		hash = entry.hash;
	good = hash_fits(hash, password);
	if (found == -1 || first_found == -1) {
		*why = "the passwd file cannot be read";
		verdict = VERDICT_UNKNOWN;
	} else if (found == 0)
		*why = "no such user";
	else if (entry.account.system_name[0] == '\0' &&
	    entry.account.uid < minimum_uid)
		*why = "uid under minimum-uid";
	else if (strcmp(entry.hash, PASSWD_HASH_NONE) == 0) {
		*why = "wrong password; the user has none but named ones";
		verdict = VERDICT_WRONG;
	} else if ((*why = hash_unfit(entry.hash)) == NULL) {
		*why = good ? NULL : "wrong password";
		verdict = good ? VERDICT_RIGHT : VERDICT_WRONG;
	}
	/* A system account's uid is the parent's to look up. */
	sodium_memzero(&entry, sizeof(entry));
	sodium_memzero(&first, sizeof(first));
	return (verdict);
}

const struct auth_backend auth_passwd = { open_passwd, verify_passwd };
