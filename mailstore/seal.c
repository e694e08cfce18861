/*
 * seal.c - were these bytes read before, in this process?
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  Blocks go
 * through NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC: Fast and
 * Secure Message Authentication", CRYPTO '99, section 4) with words of 64
 * bits: two different blocks have the same sum for one key of 2^64.  The sums
 * and the length of all go through Poly1305, which tells the rest apart; by
 * itself it takes a third of that many bytes in a second.
 *
 * "One time" in the name of libsodium's function means: with two seals of one
 * key, the key can be found, and a message be made up that fits one of them.
 * Here nobody is given a seal; what can be learned is that two were different,
 * one bit for each try, of which it would take some 2^64 in one session.
 */
#include <string.h>

#include "seal.h"

#define WORDS		(SEAL_BLOCK / sizeof(uint64_t))

struct keys {
	uint64_t words[WORDS];
	unsigned char sums[crypto_onetimeauth_KEYBYTES];
};

static const struct keys *
keys(void)
{
	static struct keys made;
	static int is_made;

	if (!is_made)
		randombytes_buf(&made, sizeof(made));
	is_made = 1;
	return (&made);
}

/* Tests have it narrow, too. */
#if defined(__SIZEOF_INT128__) && !defined(SEAL_NARROW)

__extension__ typedef unsigned __int128 product;

static void
take_block(struct seal *seal, const unsigned char *block)
{
	const uint64_t *key = keys()->words;
	uint64_t even, odd;
	product sum = 0;
	size_t i;

	for (i = 0; i < WORDS; i += 2) {
		memcpy(&even, block + i * sizeof(even), sizeof(even));
		memcpy(&odd, block + (i + 1) * sizeof(odd), sizeof(odd));
		sum += (product)(even + key[i]) * (odd + key[i + 1]);
	}
	(void)crypto_onetimeauth_update(&seal->state, (unsigned char *)&sum,
	    sizeof(sum));
}

#else

/* Without such products Poly1305 takes all by itself. */
static void
take_block(struct seal *seal, const unsigned char *block)
{
	(void)crypto_onetimeauth_update(&seal->state, block, SEAL_BLOCK);
}

#endif

void
seal_begin(struct seal *seal)
{
	(void)crypto_onetimeauth_init(&seal->state, keys()->sums);
	seal->bytes = 0;
}

void
seal_take(struct seal *seal, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;
	const size_t used = (size_t)(seal->bytes % SEAL_BLOCK);
	size_t part = SEAL_BLOCK - used;

	seal->bytes += length;
	if (used > 0) {
		if (part > length)
			part = length;
		memcpy(seal->block + used, from, part);
		from += part;
		length -= part;
		if (used + part < SEAL_BLOCK)
			return;
		take_block(seal, seal->block);
	}
	for (; length >= SEAL_BLOCK; length -= SEAL_BLOCK) {
		take_block(seal, from);
		from += SEAL_BLOCK;
	}
	memcpy(seal->block, from, length);
}

void
seal_end(struct seal *seal, unsigned char *bytes)
{
	const size_t used = (size_t)(seal->bytes % SEAL_BLOCK);

	if (used > 0) {
		memset(seal->block + used, 0, SEAL_BLOCK - used);
		take_block(seal, seal->block);
	}
	/* Zeros at the end and what fills the block are told apart by this. */
	(void)crypto_onetimeauth_update(&seal->state,
	    (const unsigned char *)&seal->bytes, sizeof(seal->bytes));
	(void)crypto_onetimeauth_final(&seal->state, bytes);
}

int
seal_is_same(const unsigned char *one, const unsigned char *other)
{
	return (sodium_memcmp(one, other, SEAL_BYTES) == 0);
}
