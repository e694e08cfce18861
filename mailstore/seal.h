/*
 * seal.h - were these bytes read before, in this process?
 *
 * A seal is a universal hash under random keys of the process, which are never
 * shown nor written.  Two different messages of L bytes (16 or more) have the
 * same seal with a probability of at most 2^-64 + L / 2^106, whoever has made
 * them up.
 * It says nothing to another process, nor to a later one.
 */
#ifndef SEAL_H
#define SEAL_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_BYTES	crypto_onetimeauth_BYTES	/* 16 */

/*
 * Bytes that are hashed at once: many, so that little is left for Poly1305, and
 * few enough for a short message.
 */
#define SEAL_BLOCK	1024

struct seal {
	crypto_onetimeauth_state state;
	uint64_t bytes;		/* taken so far */
	unsigned char block[SEAL_BLOCK];	/* while it is not whole */
};

void	seal_begin(struct seal *seal);
void	seal_take(struct seal *seal, const void *bytes, size_t length);
void	seal_end(struct seal *seal, unsigned char *bytes);

/* In constant time. */
int	seal_is_same(const unsigned char *one, const unsigned char *other);

#endif
