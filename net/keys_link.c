/*
 * keys_link.c - net's certificates, and the signatures that prove them.
 *
 * Linked into postern-net; unprivileged.  Certificates come from postern-keys
 * over a channel, all of them anew whenever one has changed.  A signature is
 * waited for: the library's function for it is a plain call, it takes a
 * millisecond, and SIGN_ANSWER_MS bounds it.
 */
#include <event.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "ipc.h"
#include "log.h"
#include "tls.h"

/* The longest hash: SHA-512. */
#define HASH_SIZE	64

/* A certificate, those behind it, and its key's stand-in. */
struct server {
	gnutls_pcert_st chain[CHAIN_CERTIFICATES_MAX];
	unsigned int length;
	gnutls_x509_crt_t first;	/* the same as the chain's */
	gnutls_privkey_t key;
	gnutls_pk_algorithm_t kind;
};

struct credentials {
	gnutls_certificate_credentials_t x509;
	struct server servers[CERTIFICATES_MAX];
	unsigned int count;
	unsigned char ticket_key[TICKET_KEY_SIZE];
	unsigned int handles;
};

/* What the library knows of a key that is elsewhere. */
struct remote_key {
	uint32_t id;
	gnutls_pk_algorithm_t kind;
	unsigned int bits;
};

static int channel = -1;
static struct event channel_event;
static void (*tell_ready)(void);
static struct credentials *current;

/* The certificates that are being asked for. */
static struct {
	struct credentials *made;
	uint32_t count, number, have;
	unsigned char chain[CHAIN_SIZE];
} loading;

/* The signature that is waited for, and one that was given up. */
static uint64_t sequence, answered, given_up;
static struct ipc_signature answer;

static void
free_server(struct server *server)
{
	while (server->length > 0)
		gnutls_pcert_deinit(&server->chain[--server->length]);
	if (server->first != NULL)
		gnutls_x509_crt_deinit(server->first);
	if (server->key != NULL)
		gnutls_privkey_deinit(server->key);
	memset(server, 0, sizeof(*server));
}

void
credentials_drop(struct credentials *credentials)
{
	if (--credentials->handles > 0)
		return;
	while (credentials->count > 0)
		free_server(&credentials->servers[--credentials->count]);
	if (credentials->x509 != NULL)
		gnutls_certificate_free_credentials(credentials->x509);
	freezero(credentials, sizeof(*credentials));
}

struct credentials *
credentials_take(void)
{
	if (current != NULL)
		current->handles++;
	return (current);
}

int
credentials_use(struct credentials *credentials, void *session)
{
	const gnutls_datum_t key = { credentials->ticket_key,
	    TICKET_KEY_SIZE };
	int error = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    credentials->x509);

	gnutls_db_set_cache_expiration(session, TICKET_SECONDS);
	gnutls_session_set_ptr(session, credentials);
	return (error < 0 ? error :
	    gnutls_session_ticket_enable_server(session, &key));
}

/* Can the client verify signatures by this kind of key? */
static int
is_of_use(gnutls_session_t session, gnutls_pk_algorithm_t kind)
{
	gnutls_sign_algorithm_t algorithm;
	size_t i;

	for (i = 0; gnutls_sign_algorithm_get_requested(session, i,
	    &algorithm) == 0; i++)
		if (gnutls_sign_supports_pk_algorithm(algorithm, kind))
			return (1);
	return (0);
}

/*
 * The library's question which certificate to show: one that is of use to the
 * client, with the name that it asks for, as far as there is one; of these
 * the first of the configuration.
 */
static int
choose(gnutls_session_t session, const gnutls_datum_t *authorities,
    int authority_count, const gnutls_pk_algorithm_t *kinds, int kind_count,
    gnutls_pcert_st **chain, unsigned int *length, gnutls_privkey_t *key)
{
	struct credentials *credentials = gnutls_session_get_ptr(session);
	struct server *server = credentials->servers, *best = server;
	unsigned int i, score, best_score = 0, type = GNUTLS_NAME_DNS;
	char name[HOST_NAME_SIZE];
	size_t size = sizeof(name);

	(void)authorities;
	(void)authority_count;
	(void)kinds;
	(void)kind_count;
	if (gnutls_server_name_get(session, name, &size, &type, 0) != 0)
		name[0] = '\0';
	for (i = 0; i < credentials->count; i++, server++) {
		score = is_of_use(session, server->kind) ? 2 : 0;
		if (name[0] != '\0' && gnutls_x509_crt_check_hostname(
		    server->first, name))
			score++;
		if (score > best_score) {
			best = server;
			best_score = score;
		}
	}
	*chain = best->chain;
	*length = best->length;
	*key = best->key;
	return (0);
}

static void
hang_up(const char *why)
{
	log_line(LOG_ERR, "event=keys error=\"%s\"", why);
	(void)event_del(&channel_event);
	(void)close(channel);
	channel = -1;
}

static void
ask(void)
{
	const struct ipc_certificate_ask asked = { loading.number,
	    loading.have };

	if (ipc_send(channel, IPC_CERTIFICATE_ASK, 0, &asked, NULL) == -1)
		hang_up(strerror(errno));
}

static void
give_up_loading(void)
{
	if (loading.made != NULL)
		credentials_drop(loading.made);
	loading.made = NULL;
	explicit_bzero(loading.chain, sizeof(loading.chain));
}

/* There are new certificates, or a new key of tickets, or both. */
static void
handle_renewed(void *context, struct ipc_message *message)
{
	const struct ipc_keys_renewed *renewed = IPC_PAYLOAD(message,
	    ipc_keys_renewed);

	(void)context;
	give_up_loading();
	if (renewed->count == 0 || renewed->count > CERTIFICATES_MAX ||
	    (loading.made = calloc(1, sizeof(*loading.made))) == NULL)
		return;
	loading.made->handles = 1;
	memcpy(loading.made->ticket_key, renewed->ticket_key,
	    TICKET_KEY_SIZE);
	if (gnutls_certificate_allocate_credentials(&loading.made->x509) < 0) {
		give_up_loading();
		return;
	}
	gnutls_certificate_set_retrieve_function2(loading.made->x509, choose);
	loading.count = renewed->count;
	loading.number = loading.have = 0;
	ask();
}

static void
handle_signed(void *context, struct ipc_message *message)
{
	(void)context;
	answered = message->header.session;
	answer = *IPC_PAYLOAD(message, ipc_signature);
	if (answered == given_up)
		given_up = 0;
}

static void	handle_piece(void *context, struct ipc_message *message);

static const struct ipc_handler handlers[] = {
	{ IPC_KEYS_RENEWED, handle_renewed },
	{ IPC_CERTIFICATE_PIECE, handle_piece },
	{ IPC_SIGNED, handle_signed },
};

/* Handles one message, if there is one; at its end the channel is closed. */
static void
hear(void)
{
	static const struct ipc_channel from_keys = { ROLE_KEYS, ROLE_NET,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };
	static struct ipc_message message;
	const char *wrong;
	int got;

	if ((got = ipc_receive(channel, &message)) == -1 && errno == EAGAIN)
		return;
	wrong = got == 0 ? "postern-keys has ended" : got == -1 ?
	    "not a message" : ipc_dispatch(&from_keys, PHASE_RUN, &message,
	    NULL);
	if (got == 1)
		ipc_release(&message);
	if (wrong != NULL)
		hang_up(wrong);
}

/* Asks for a signature and waits for it; 0 when there will be none. */
static int
round_trip(const struct ipc_sign *wanted)
{
	struct pollfd polled = { channel, POLLIN, 0 };
	const uint64_t end = clock_now_ms() + SIGN_ANSWER_MS;
	uint64_t now;

	if (channel == -1 || given_up != 0 || ipc_send(channel, IPC_SIGN,
	    ++sequence, wanted, NULL) == -1)
		return (0);
	while (channel != -1 && answered != sequence) {
		if ((now = clock_now_ms()) >= end) {
			given_up = sequence;
			log_line(LOG_ERR, "event=keys error=\"no signature "
			    "within %d ms\"", SIGN_ANSWER_MS);
			return (0);
		}
		if (poll(&polled, 1, (int)(end - now)) == 1)
			hear();
	}
	return (answered == sequence && answer.length > 0 &&
	    answer.length <= sizeof(answer.bytes));
}

/* The library's functions of a key that is elsewhere. */

static int
sign(const struct remote_key *remote, gnutls_sign_algorithm_t algorithm,
    const unsigned char *content, size_t length, gnutls_datum_t *signature)
{
	struct ipc_sign wanted;

	memset(&wanted, 0, sizeof(wanted));
	if (length > sizeof(wanted.content))
		return (GNUTLS_E_PK_SIGN_FAILED);
	wanted.id = remote->id;
	wanted.algorithm = (uint32_t)algorithm;
	wanted.length = (uint32_t)length;
	memcpy(wanted.content, content, length);
	if (!round_trip(&wanted))
		return (GNUTLS_E_PK_SIGN_FAILED);
	if ((signature->data = gnutls_malloc(answer.length)) == NULL)
		return (GNUTLS_E_MEMORY_ERROR);
	memcpy(signature->data, answer.bytes, answer.length);
	signature->size = answer.length;
	return (0);
}

/* Ed25519 alone: it has no hash that could be made here. */
static int
sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm,
    void *context, unsigned int flags, const gnutls_datum_t *data,
    gnutls_datum_t *signature)
{
	(void)key;
	(void)flags;
	return (sign(context, algorithm, data->data, data->size, signature));
}

/*
 * All others.  For RSA as TLS 1.2 has it the library names no hash, but gives
 * a DigestInfo; postern-keys makes that itself, and signs no other text.
 */
static int
sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm,
    void *context, unsigned int flags, const gnutls_datum_t *data,
    gnutls_datum_t *signature)
{
	unsigned char hash[HASH_SIZE];
	unsigned int length = sizeof(hash);
	gnutls_digest_algorithm_t kind;

	(void)key;
	(void)flags;
	if (algorithm != GNUTLS_SIGN_RSA_RAW)
		return (sign(context, algorithm, data->data, data->size,
		    signature));
	if (gnutls_decode_ber_digest_info(data, &kind, hash, &length) < 0)
		return (GNUTLS_E_PK_SIGN_FAILED);
	return (sign(context, gnutls_pk_to_sign(GNUTLS_PK_RSA, kind), hash,
	    length, signature));
}

static int
describe_key(gnutls_privkey_t key, unsigned int flags, void *context)
{
	const struct remote_key *remote = context;

	(void)key;
	if ((flags & GNUTLS_PRIVKEY_INFO_PK_ALGO) != 0)
		return ((int)remote->kind);
	if ((flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS) != 0)
		return ((int)remote->bits);
	if ((flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) != 0)
		return ((int)gnutls_sign_supports_pk_algorithm(
		    GNUTLS_FLAGS_TO_SIGN_ALGO(flags), remote->kind));
	return (flags == GNUTLS_PRIVKEY_INFO_SIGN_ALGO ? 0 : -1);
}

static void
forget_key(gnutls_privkey_t key, void *context)
{
	(void)key;
	free(context);
}

/* The key's stand-in; NULL: no memory. */
static gnutls_privkey_t
stand_in(uint32_t id, const gnutls_pcert_st *certificate)
{
	struct remote_key *remote = calloc(1, sizeof(*remote));
	gnutls_privkey_t key = NULL;

	if (remote == NULL || gnutls_privkey_init(&key) < 0) {
		free(remote);
		return (NULL);
	}
	remote->id = id;
	remote->kind = (gnutls_pk_algorithm_t)gnutls_pubkey_get_pk_algorithm(
	    certificate->pubkey, &remote->bits);
	if (gnutls_privkey_import_ext4(key, remote, sign_data, sign_hash,
	    NULL, forget_key, describe_key, 0) == 0)
		return (key);
	free(remote);
	gnutls_privkey_deinit(key);
	return (NULL);
}

/* Adds the chain that has been received; the library's error, or 0. */
static int
add_certificate(uint32_t id)
{
	struct server *server = &loading.made->servers[loading.number];
	const gnutls_datum_t chain = { loading.chain, loading.have };
	unsigned int length = CHAIN_CERTIFICATES_MAX;
	int error;

	error = gnutls_pcert_list_import_x509_raw(server->chain, &length,
	    &chain, GNUTLS_X509_FMT_PEM, 0);
	if (error < 0)
		return (error);
	loading.made->count = loading.number + 1;
	server->length = length;
	server->kind = (gnutls_pk_algorithm_t)gnutls_pubkey_get_pk_algorithm(
	    server->chain[0].pubkey, NULL);
	error = gnutls_x509_crt_init(&server->first);
	if (error == 0)
		error = gnutls_x509_crt_import(server->first,
		    &server->chain[0].cert, GNUTLS_X509_FMT_DER);
	if (error == 0 && (server->key = stand_in(id, &server->chain[0])) ==
	    NULL)
		error = GNUTLS_E_MEMORY_ERROR;
	return (error);
}

/* All of them are here: from now on they are the ones. */
static void
install(void)
{
	if (current != NULL)
		credentials_drop(current);
	current = loading.made;
	loading.made = NULL;
	tell_ready();
}

/* A piece that nobody waits for any more is passed over. */
static void
handle_piece(void *context, struct ipc_message *message)
{
	const struct ipc_certificate_piece *piece = IPC_PAYLOAD(message,
	    ipc_certificate_piece);
	int error;

	(void)context;
	if (loading.made == NULL || piece->number != loading.number ||
	    piece->offset != loading.have || piece->size > CHAIN_SIZE ||
	    piece->length > CHAIN_PIECE_SIZE || piece->length == 0 ||
	    piece->offset > piece->size ||
	    piece->length > piece->size - piece->offset)
		return;
	memcpy(loading.chain + loading.have, piece->bytes, piece->length);
	loading.have += piece->length;
	if (loading.have == piece->size) {
		if ((error = add_certificate(piece->id)) < 0) {
			log_line(LOG_ERR, "event=keys error=\"certificate %u: "
			    "%s\"", piece->number, gnutls_strerror(error));
			give_up_loading();
			return;
		}
		loading.have = 0;
		if (++loading.number == loading.count) {
			install();
			return;
		}
	}
	ask();
}

static void
on_channel(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	if (channel != -1)
		hear();
}

void
keys_link_attach(int fd, void (*ready)(void))
{
	if (channel != -1) {
		(void)event_del(&channel_event);
		(void)close(channel);
	}
	channel = fd;
	given_up = 0;
	tell_ready = ready;
	event_set(&channel_event, channel, EV_READ | EV_PERSIST, on_channel,
	    NULL);
	(void)event_add(&channel_event, NULL);
}
