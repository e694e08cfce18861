/*
 * seal.c - were these bytes read before, in this process?
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  "One
 * time" in the name of libsodium's function means: with two seals of one key,
 * the key can be found, and a message be made up that fits one of them.  Here
 * nobody is given a seal; what can be learned is that two were different, and
 * then the session ends, and its key with it.
 */
#include "seal.h"

static const unsigned char *
key(void)
{
	static unsigned char bytes[crypto_onetimeauth_KEYBYTES];
	static int is_made;

	if (!is_made)
		crypto_onetimeauth_keygen(bytes);
	is_made = 1;
	return (bytes);
}

void
seal_begin(struct seal *seal)
{
	(void)crypto_onetimeauth_init(&seal->state, key());
}

void
seal_take(struct seal *seal, const void *bytes, size_t length)
{
	(void)crypto_onetimeauth_update(&seal->state, bytes, length);
}

void
seal_end(struct seal *seal, unsigned char *bytes)
{
	(void)crypto_onetimeauth_final(&seal->state, bytes);
}

int
seal_is_same(const unsigned char *one, const unsigned char *other)
{
	return (sodium_memcmp(one, other, SEAL_BYTES) == 0);
}
