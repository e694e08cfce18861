/*
 * keys.h - what the two files of postern-keys share.
 */
#ifndef KEYS_H
#define KEYS_H

#include <gnutls/abstract.h>

#include "ipc_messages.h"

/* A certificate with what stands behind it, and its key. */
struct pair {
	gnutls_privkey_t key;
	gnutls_datum_t chain;		/* PEM, certificates alone */
};

/*
 * keys_pair.c: reads both files, which it closes, and holds them against each
 * other.  Returns NULL, or what is wrong; then `pair` is as it was.  Success
 * is logged under `name`.
 */
const char *pair_read(const char *name, int certificate, int key,
	    struct pair *pair);

/* Wipes and frees what it holds. */
void	pair_free(struct pair *pair);

/*
 * Signs what net has asked for, if it may be what a TLS server signs.  Returns
 * 0; -1 when it is not; or the library's error, with no signature.
 */
int	pair_sign(const struct pair *pair, const struct ipc_sign *asked,
	    struct ipc_signature *answer);

#endif
