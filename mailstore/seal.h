/*
 * seal.h - were these bytes read before, in this process?
 *
 * A seal is a universal hash (Poly1305) under a random key of the process,
 * which is never shown nor written.  Two different messages of L bytes (16 or
 * more) have the same seal with a probability of at most L / 2^106, whoever has
 * made them up.  It says nothing to another process, nor to a later one.
 */
#ifndef SEAL_H
#define SEAL_H

#include <sodium.h>
#include <stddef.h>

#define SEAL_BYTES	crypto_onetimeauth_BYTES	/* 16 */

struct seal {
	crypto_onetimeauth_state state;
};

void	seal_begin(struct seal *seal);
void	seal_take(struct seal *seal, const void *bytes, size_t length);
void	seal_end(struct seal *seal, unsigned char *bytes);

/* In constant time. */
int	seal_is_same(const unsigned char *one, const unsigned char *other);

#endif
