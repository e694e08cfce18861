/*
 * place.c - a mailbox's place as a number.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.
 */
#include <sys/stat.h>

#include <string.h>

#include "place.h"

int
place_digest(const struct mailbox_place *place,
    unsigned char digest[PLACE_DIGEST_BYTES])
{
	crypto_generichash_state hash;
	struct stat directory;

	if (fstat(place->directory, &directory) == -1)
		return (-1);
	(void)crypto_generichash_init(&hash, NULL, 0, PLACE_DIGEST_BYTES);
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)&directory.st_ino,
	    sizeof(directory.st_ino));
	(void)crypto_generichash_update(&hash,
	    (const unsigned char *)place->name, strlen(place->name));
	(void)crypto_generichash_final(&hash, digest, PLACE_DIGEST_BYTES);
	return (0);
}
