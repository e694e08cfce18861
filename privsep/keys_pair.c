/*
 * keys_pair.c - a certificate and its key: read, checked, and signed with.
 *
 * Linked into postern-keys; runs as its own user, with the sandbox shut.  The
 * files are root's own; what is to be signed comes from a net process that
 * may have been taken over.
 */
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "log.h"

/* RFC 8446, section 4.4.3: 64 spaces, this context, a zero, and a hash. */
#define PADDING		64
static const char context_13[] = "TLS 1.3, server CertificateVerify";

/*
 * RFC 8422, section 5.4: two randoms, then a named curve and a point.  The
 * curves of the priorities in net/tls.c, with the type and the points' length.
 */
#define RANDOMS		64
#define CURVE_HEADER	4
static const unsigned char curves[][CURVE_HEADER] = {
	{ 3, 0, 23, 65 },		/* secp256r1 */
	{ 3, 0, 24, 97 },		/* secp384r1 */
	{ 3, 0, 29, 32 },		/* x25519 */
};

#define CURVES		(sizeof(curves) / sizeof(curves[0]))

/* The algorithms of the priorities in net/tls.c, and no other. */
static const gnutls_sign_algorithm_t algorithms[] = {
	GNUTLS_SIGN_RSA_SHA256, GNUTLS_SIGN_RSA_SHA384,
	GNUTLS_SIGN_RSA_SHA512, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
	GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512,
	GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_SIGN_RSA_PSS_SHA384,
	GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_SIGN_ECDSA_SHA256,
	GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_SIGN_ECDSA_SHA512,
	GNUTLS_SIGN_ECDSA_SECP256R1_SHA256,
	GNUTLS_SIGN_ECDSA_SECP384R1_SHA384,
	GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, GNUTLS_SIGN_EDDSA_ED25519,
};

#define ALGORITHMS	(sizeof(algorithms) / sizeof(algorithms[0]))

/* What is being made of a pair's files. */
struct reading {
	char *text;			/* PEM_FILE_SIZE */
	gnutls_datum_t file;
	gnutls_x509_crt_t *chain;
	unsigned int chain_length;
	struct pair made;
};

static const char *
read_file(struct reading *reading, int fd)
{
	size_t have = 0;
	ssize_t got = 1;

	while (got != 0 && have < PEM_FILE_SIZE) {
		got = read(fd, reading->text + have, PEM_FILE_SIZE - have);
		if (got == -1 && errno != EINTR)
			return (strerror(errno));
		if (got > 0)
			have += (size_t)got;
	}
	reading->file.data = (unsigned char *)reading->text;
	reading->file.size = (unsigned int)have;
	return (have == PEM_FILE_SIZE ? "the file is too long" : NULL);
}

/* The certificates of the file, written anew: it may have a key in it. */
static const char *
read_chain(struct reading *reading)
{
	gnutls_datum_t one, *chain = &reading->made.chain;
	unsigned int i;
	int error;

	error = gnutls_x509_crt_list_import2(&reading->chain,
	    &reading->chain_length, &reading->file, GNUTLS_X509_FMT_PEM,
	    GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	if (error < 0)
		return (gnutls_strerror(error));
	if (reading->chain_length > CHAIN_CERTIFICATES_MAX)
		return ("too many certificates in one file");
	if ((chain->data = gnutls_malloc(CHAIN_SIZE)) == NULL)
		return ("no memory");
	for (i = 0; i < reading->chain_length; i++) {
		error = gnutls_x509_crt_export2(reading->chain[i],
		    GNUTLS_X509_FMT_PEM, &one);
		if (error < 0)
			return (gnutls_strerror(error));
		if (one.size < CHAIN_SIZE - chain->size)
			memcpy(chain->data + chain->size, one.data, one.size);
		chain->size += one.size;
		gnutls_free(one.data);
		if (chain->size >= CHAIN_SIZE)
			return ("the certificates are too long");
	}
	return (NULL);
}

static const char *
read_key(struct reading *reading)
{
	int error = gnutls_privkey_init(&reading->made.key);

	if (error == 0)
		error = gnutls_privkey_import_x509_raw(reading->made.key,
		    &reading->file, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (error == GNUTLS_E_DECRYPTION_FAILED)
		return ("a key with a passphrase cannot be used");
	if (error == 0)
		error = gnutls_privkey_verify_params(reading->made.key);
	return (error < 0 ? "its key file has no key that can be used" : NULL);
}

/* Strong enough, and such that what it signs fits TLS and an answer. */
static const char *
check_kind(int kind, unsigned int bits)
{
	switch (kind) {
	case GNUTLS_PK_EDDSA_ED25519:
		return (NULL);
	case GNUTLS_PK_ECDSA:
		/* Of P-521 the library says 528; larger ones it has not. */
		return (bits < 256 ? "expected a key of P-256, P-384 or P-521" :
		    NULL);
	case GNUTLS_PK_RSA:
	case GNUTLS_PK_RSA_PSS:
		return (bits < RSA_BITS_MIN ? "the RSA key is too short" :
		    bits > SIGNATURE_SIZE * 8 ? "the RSA key is too long" :
		    NULL);
	default:
		return ("expected a key of RSA, ECDSA or Ed25519");
	}
}

/* Is it this certificate's key, and one that can be used? */
static const char *
hold_together(struct reading *reading)
{
	unsigned char of_key[32], of_certificate[32];
	size_t size = sizeof(of_key), other = sizeof(of_certificate);
	unsigned int bits = 0;
	gnutls_pubkey_t public;
	int kind, error;

	if ((error = gnutls_pubkey_init(&public)) < 0)
		return (gnutls_strerror(error));
	error = gnutls_pubkey_import_privkey(public, reading->made.key, 0, 0);
	if (error == 0)
		error = gnutls_pubkey_get_key_id(public,
		    GNUTLS_KEYID_USE_SHA256, of_key, &size);
	gnutls_pubkey_deinit(public);
	if (error == 0)
		error = gnutls_x509_crt_get_key_id(reading->chain[0],
		    GNUTLS_KEYID_USE_SHA256, of_certificate, &other);
	if (error < 0)
		return (gnutls_strerror(error));
	if (size != other || memcmp(of_key, of_certificate, size) != 0)
		return ("the key is not this certificate's");
	kind = gnutls_privkey_get_pk_algorithm(reading->made.key, &bits);
	return (check_kind(kind, bits));
}

static void
report(const char *name, gnutls_x509_crt_t certificate)
{
	unsigned int bits = 0;
	const int kind = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
	time_t until = gnutls_x509_crt_get_expiration_time(certificate);
	struct tm when;
	char day[40] = "?", quoted[LOG_QUOTED_SIZE];

	/* Not strftime(3), which would look for the time zone's file. */
	if (gmtime_r(&until, &when) != NULL)
		(void)snprintf(day, sizeof(day), "%d-%02d-%02d",
		    when.tm_year + 1900, when.tm_mon + 1, when.tm_mday);
	log_line(until < time(NULL) ? LOG_WARNING : LOG_INFO,
	    "event=certificate file=%s key=%s bits=%u until=%s%s",
	    log_quote(quoted, sizeof(quoted), name),
	    gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)kind), bits,
	    day, until < time(NULL) ? " error=\"it has expired\"" : "");
}

const char *
pair_read(const char *name, int certificate, int key, struct pair *pair)
{
	struct reading reading;
	const char *wrong;
	unsigned int i;

	memset(&reading, 0, sizeof(reading));
	if ((reading.text = malloc(PEM_FILE_SIZE)) == NULL)
		wrong = "no memory";
	else if ((wrong = read_file(&reading, certificate)) == NULL &&
	    (wrong = read_chain(&reading)) == NULL &&
	    (wrong = read_file(&reading, key)) == NULL &&
	    (wrong = read_key(&reading)) == NULL)
		wrong = hold_together(&reading);
	(void)close(certificate);
	(void)close(key);
	freezero(reading.text, PEM_FILE_SIZE);
	if (wrong == NULL) {
		report(name, reading.chain[0]);
		*pair = reading.made;
	} else
		pair_free(&reading.made);
	for (i = 0; i < reading.chain_length; i++)
		gnutls_x509_crt_deinit(reading.chain[i]);
	gnutls_free(reading.chain);
	return (wrong);
}

void
pair_free(struct pair *pair)
{
	if (pair->key != NULL)
		gnutls_privkey_deinit(pair->key);
	gnutls_free(pair->chain.data);
	memset(pair, 0, sizeof(*pair));
}

/* Neither form can be taken for the other: the octet behind 64 differs. */
static int
is_of_tls(const unsigned char *content, size_t length)
{
	const unsigned char *rest = content + PADDING;
	size_t i;

	for (i = 0; i < CURVES; i++)
		if (length == RANDOMS + CURVE_HEADER + (size_t)curves[i][3] &&
		    memcmp(rest, curves[i], CURVE_HEADER) == 0)
			return (1);
	for (i = 0; i < PADDING && i < length && content[i] == ' '; i++)
		continue;
	/* The terminating zero is part of it; the hash SHA-256 or SHA-384. */
	return (i == PADDING && (length == PADDING + sizeof(context_13) + 32 ||
	    length == PADDING + sizeof(context_13) + 48) &&
	    memcmp(rest, context_13, sizeof(context_13)) == 0);
}

/*
 * The library hands out what Ed25519 signs as it is; of all else only the
 * hash, of which no more can be asked than its length.
 */
static int
may_sign(const struct pair *pair, const struct ipc_sign *asked)
{
	const gnutls_sign_algorithm_t algorithm =
	    (gnutls_sign_algorithm_t)asked->algorithm;
	const int kind = gnutls_privkey_get_pk_algorithm(pair->key, NULL);
	size_t i = 0;

	while (i < ALGORITHMS && algorithms[i] != algorithm)
		i++;
	if (i == ALGORITHMS || asked->length > sizeof(asked->content) ||
	    !gnutls_sign_supports_pk_algorithm(algorithm,
	    (gnutls_pk_algorithm_t)kind))
		return (0);
	return (algorithm == GNUTLS_SIGN_EDDSA_ED25519 ?
	    is_of_tls(asked->content, asked->length) :
	    asked->length == gnutls_hash_get_len(
	    gnutls_sign_get_hash_algorithm(algorithm)));
}

int
pair_sign(const struct pair *pair, const struct ipc_sign *asked,
    struct ipc_signature *answer)
{
	const gnutls_sign_algorithm_t algorithm =
	    (gnutls_sign_algorithm_t)asked->algorithm;
	const gnutls_datum_t content = {
	    (unsigned char *)(uintptr_t)asked->content, asked->length };
	gnutls_datum_t made = { NULL, 0 };
	int error;

	if (!may_sign(pair, asked))
		return (-1);
	if (algorithm == GNUTLS_SIGN_EDDSA_ED25519)
		error = gnutls_privkey_sign_data2(pair->key, algorithm, 0,
		    &content, &made);
	else
		error = gnutls_privkey_sign_hash2(pair->key, algorithm, 0,
		    &content, &made);
	if (error == 0 && made.size <= sizeof(answer->bytes)) {
		memcpy(answer->bytes, made.data, made.size);
		answer->length = made.size;
	}
	gnutls_free(made.data);
	return (error);
}
