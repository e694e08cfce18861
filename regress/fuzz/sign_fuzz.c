/*
 * sign_fuzz.c - any octets as what a net process asks postern-keys to sign.
 *
 * Test code alone.  Two octets are the algorithm, two the length, and the rest
 * is the content.  A second opinion says what a TLS server signs; nothing else
 * may be signed by either key.
 */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "fuzz.h"
#include "keys.h"

static struct pair ed25519, ecdsa;

static void
make_key(struct pair *pair, gnutls_pk_algorithm_t kind, unsigned int bits)
{
	HOLDS(gnutls_privkey_init(&pair->key) == 0);
	HOLDS(gnutls_privkey_generate(pair->key, kind, bits, 0) == 0);
}

/* RFC 8446, section 4.4.3, with the hashes that there are. */
static int
is_of_13(const uint8_t *content, size_t length)
{
	uint8_t begin[64 + 34];

	memset(begin, ' ', 64);
	memcpy(begin + 64, "TLS 1.3, server CertificateVerify", 34);
	return ((length == 98 + 32 || length == 98 + 48) &&
	    memcmp(content, begin, sizeof(begin)) == 0);
}

/* RFC 8422, section 5.4: two randoms, a named curve, a point. */
static int
is_of_12(const uint8_t *content, size_t length)
{
	size_t point;

	if (length < 68 || content[64] != 3 || content[65] != 0)
		return (0);
	point = content[66] == 23 ? 65 : content[66] == 24 ? 97 :
	    content[66] == 29 ? 32 : 0;
	return (point != 0 && content[67] == point && length == 68 + point);
}

static int
is_allowed(int by_ed25519, const struct ipc_sign *asked)
{
	if (asked->length > sizeof(asked->content))
		return (0);
	if (by_ed25519)
		return (asked->algorithm == GNUTLS_SIGN_EDDSA_ED25519 &&
		    (is_of_13(asked->content, asked->length) ||
		    is_of_12(asked->content, asked->length)));
	switch (asked->algorithm) {
	case GNUTLS_SIGN_ECDSA_SHA256:
	case GNUTLS_SIGN_ECDSA_SECP256R1_SHA256:
		return (asked->length == 32);
	case GNUTLS_SIGN_ECDSA_SHA384:
	case GNUTLS_SIGN_ECDSA_SECP384R1_SHA384:
		return (asked->length == 48);
	case GNUTLS_SIGN_ECDSA_SHA512:
	case GNUTLS_SIGN_ECDSA_SECP521R1_SHA512:
		return (asked->length == 64);
	default:
		return (0);
	}
}

static void
check(const struct pair *pair, const struct ipc_sign *asked)
{
	const int allowed = is_allowed(pair == &ed25519, asked);
	struct ipc_signature answer;
	int result;

	memset(&answer, 0, sizeof(answer));
	result = pair_sign(pair, asked, &answer);
	/* The library may refuse more: a curve that is not the key's. */
	HOLDS(allowed ? result != -1 : result == -1);
	HOLDS((result == 0) == (answer.length > 0));
	HOLDS(answer.length <= sizeof(answer.bytes));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size }, content;
	struct ipc_sign asked;

	if (ed25519.key == NULL) {
		make_key(&ed25519, GNUTLS_PK_EDDSA_ED25519,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519));
		make_key(&ecdsa, GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
	}
	memset(&asked, 0, sizeof(asked));
	asked.algorithm = fuzz_octet(&input) << 8;
	asked.algorithm |= fuzz_octet(&input);
	asked.length = fuzz_octet(&input) << 8;
	asked.length |= fuzz_octet(&input);
	content = fuzz_part(&input, sizeof(asked.content));
	if (content.left > 0)
		memcpy(asked.content, content.at, content.left);
	check(&ed25519, &asked);
	check(&ecdsa, &asked);
	/* As long as what there is, too. */
	asked.length = (uint32_t)content.left;
	check(&ed25519, &asked);
	check(&ecdsa, &asked);
	return (0);
}
