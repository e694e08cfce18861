/*
 * auth_passwd.c - passwords in Postern's own file (Argon2id, by libsodium).
 *
 * Linked into postern-auth; runs as its own user, which may read the file.
 * The file is opened anew for each login, so that a change counts at once.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "auth.h"
#include "log.h"
#include "passwd_file.h"

static const char *path;

/*
 * Costs what posternctl's own hashes cost, and no password fits it: used
 * for unknown users of a file that has no entry to take the cost from.
 */
static const char nobodys_hash[PASSWD_HASH_SIZE] =
    "$argon2id$v=19$m=65536,t=2,p=1$"
    "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static void
open_passwd(const char *passwd_file)
{
	struct passwd_entry entry;

	path = passwd_file;
	if (sodium_init() == -1)
		log_fatal("event=start error=\"libsodium cannot start\"");
	if (passwd_find(path, NULL, &entry) == -1)
		log_line(LOG_ERR, "event=passwd file=%s error=\"%s\"; every "
		    "login will be refused", path, strerror(errno));
	sodium_memzero(&entry, sizeof(entry));
}

/* False for "*" and the like, and for what libsodium cannot read. */
static int
is_hash(const struct passwd_entry *entry)
{
	return (crypto_pwhash_str_needs_rehash(entry->hash,
	    crypto_pwhash_OPSLIMIT_INTERACTIVE,
	    crypto_pwhash_MEMLIMIT_INTERACTIVE) != -1);
}

/* "$argon2id$v=19$m=65536,t=2,p=1$...": m is in KiB. */
static int
is_too_large(const struct passwd_entry *entry)
{
	const char *memory = strstr(entry->hash, "$m=");

	return (memory != NULL && strtoull(memory + 3, NULL, 10) >
	    (AUTH_MEMORY_BYTES - AUTH_PROGRAM_BYTES) / 1024);
}

static int
verify_passwd(const char *user, const char *password, uid_t minimum_uid,
    const char **why)
{
	struct passwd_entry entry, first;
	const char *hash = nobodys_hash;
	int found, good;

	found = account_name_valid(user) ? passwd_find(path, user, &entry) : 0;
	if (found == 1 && is_hash(&entry) && !is_too_large(&entry))
		hash = entry.hash;
	else if (passwd_find(path, NULL, &first) == 1 && is_hash(&first) &&
	    !is_too_large(&first))
		hash = first.hash;
	good = crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
	if (found == -1)
		*why = "the passwd file cannot be read";
	else if (found == 0)
		*why = "no such user";
	else if (!is_hash(&entry))
		*why = "the user has no password";
	else if (is_too_large(&entry))
		*why = "the hash asks for more memory than a login may take";
	else if (!good)
		*why = "wrong password";
	else if (entry.account.system_name[0] == '\0' &&
	    entry.account.uid < minimum_uid)
		*why = "uid under minimum-uid";
	/* A system account's uid is the parent's to look up. */
	sodium_memzero(&entry, sizeof(entry));
	sodium_memzero(&first, sizeof(first));
	return (*why == NULL);
}

const struct auth_backend auth_passwd = { open_passwd, verify_passwd };
