/*
 * auth_hash.c - password hashes of Postern's own file (Argon2id, libsodium).
 *
 * Linked into postern-auth; runs as its own user.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

const char hash_of_nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$"
    "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const char *
hash_unfit(const char *hash)
{
	const char *memory = strstr(hash, "$m=");

	/* "*" and the like, and what libsodium cannot read. */
	if (crypto_pwhash_str_needs_rehash(hash,
	    crypto_pwhash_OPSLIMIT_INTERACTIVE,
	    crypto_pwhash_MEMLIMIT_INTERACTIVE) == -1)
		return ("the user has no password");
	/* "$argon2id$v=19$m=65536,t=2,p=1$...": m is in KiB. */
	if (memory != NULL && strtoull(memory + 3, NULL, 10) >
	    (AUTH_MEMORY_BYTES - AUTH_PROGRAM_BYTES) / 1024)
		return ("the hash asks for more memory than a login may take");
	return (NULL);
}

int
hash_fits(const char *hash, const char *password)
{
	return (crypto_pwhash_str_verify(hash, password, strlen(password)) ==
	    0);
}
