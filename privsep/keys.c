/*
 * keys.c - postern-keys: the private keys of TLS, and nothing else.
 *
 * Runs as its own user, in an empty root directory.  Net processes ask it for
 * signatures, and get them over what a TLS server signs: whoever takes over a
 * net process can be this server for as long as that lives, and never has the
 * key.  There is no message that decrypts.
 */
#include <sys/resource.h>

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "keys.h"
#include "log.h"
#include "net_peers.h"
#include "privdrop.h"
#include "sandbox.h"

/* A place in the configuration. */
struct place {
	char name[PATH_SIZE];
	int files[2];			/* not yet read; -1: none */
	int required;
	uint32_t id;			/* 0: there is no pair yet */
	struct pair pair;
	uint32_t old_id;		/* 0: there is none */
	struct pair old;
	time_t retired;
};

static struct ipc_keys_config config;
static struct place places[CERTIFICATES_MAX];
static struct ipc_keys_renewed renewed;	/* what nets have been told */
static time_t ticket_made;

static time_t
now(void)
{
	struct timespec clock;

	(void)clock_gettime(CLOCK_MONOTONIC, &clock);
	return (clock.tv_sec);
}

static void
handle_config(void *context, struct ipc_message *message)
{
	(void)context;
	config = *IPC_PAYLOAD(message, ipc_keys_config);
}

/* It is read when the sandbox is shut. */
static void
handle_pair(void *context, struct ipc_message *message)
{
	const struct ipc_keys_pair *given = IPC_PAYLOAD(message,
	    ipc_keys_pair);
	struct place *place = &places[given->index % CERTIFICATES_MAX];
	int i;

	(void)context;
	(void)strlcpy(place->name, given->name, sizeof(place->name));
	place->required = given->required != 0;
	for (i = 0; i < 2; i++) {
		if (place->files[i] != -1)
			(void)close(place->files[i]);
		place->files[i] = ipc_take_descriptor(message,
		    (unsigned int)i);
	}
}

/* No answer: a net that has no room for one is not waited for. */
static void
tell_net(const struct net_peer *peer)
{
	if (peer->fd != -1)
		(void)ipc_send(peer->fd, IPC_KEYS_RENEWED, 0, &renewed, NULL);
}

static void
tell_nets(void)
{
	unsigned int i;

	for (i = 0; i < NET_PEERS; i++)
		tell_net(&net_peers[i]);
}

static void
handle_net(void *context, struct ipc_message *message)
{
	const struct net_peer *peer = net_peers_add(message);

	(void)context;
	if (peer == NULL)
		log_fatal("event=ipc error=\"too many net processes\"");
	/* Before the pairs have been read there is nothing to tell. */
	if (renewed.count > 0)
		tell_net(peer);
}

/* The pair that net counts as its number: places without one do not count. */
static const struct place *
numbered(uint32_t number)
{
	size_t i;

	for (i = 0; i < CERTIFICATES_MAX; i++)
		if (places[i].id != 0 && number-- == 0)
			return (&places[i]);
	return (NULL);
}

static void
handle_ask(void *context, struct ipc_message *message)
{
	const struct ipc_certificate_ask *asked = IPC_PAYLOAD(message,
	    ipc_certificate_ask);
	const struct net_peer *peer = context;
	const struct place *place = numbered(asked->number);
	struct ipc_certificate_piece piece;
	uint32_t left;

	if (place == NULL || asked->offset >= place->pair.chain.size)
		return;
	memset(&piece, 0, sizeof(piece));
	piece.number = asked->number;
	piece.offset = asked->offset;
	piece.size = place->pair.chain.size;
	piece.id = place->id;
	left = piece.size - piece.offset;
	piece.length = left < CHAIN_PIECE_SIZE ? left : CHAIN_PIECE_SIZE;
	memcpy(piece.bytes, place->pair.chain.data + piece.offset,
	    piece.length);
	(void)ipc_send(peer->fd, IPC_CERTIFICATE_PIECE, 0, &piece, NULL);
}

static const struct pair *
find_pair(uint32_t id)
{
	size_t i;

	for (i = 0; i < CERTIFICATES_MAX && id != 0; i++)
		if (places[i].id == id)
			return (&places[i].pair);
		else if (places[i].old_id == id)
			return (&places[i].old);
	return (NULL);
}

static void
handle_sign(void *context, struct ipc_message *message)
{
	const struct ipc_sign *asked = IPC_PAYLOAD(message, ipc_sign);
	const struct net_peer *peer = context;
	const struct pair *pair = find_pair(asked->id);
	struct ipc_signature answer;

	memset(&answer, 0, sizeof(answer));
	if (pair != NULL && pair_sign(pair, asked, &answer) == -1)
		log_line(LOG_CRIT, "event=sign net=%u error=\"asked to sign "
		    "what is not TLS; refused\"", peer->index);
	(void)ipc_send(peer->fd, IPC_SIGNED, message->header.session, &answer,
	    NULL);
}

static const struct ipc_handler parent_handlers[] = {
	{ IPC_KEYS_CONFIG, handle_config },
	{ IPC_KEYS_PAIR, handle_pair },
	{ IPC_KEYS_NET, handle_net },
};
static const struct ipc_handler net_handlers[] = {
	{ IPC_CERTIFICATE_ASK, handle_ask },
	{ IPC_SIGN, handle_sign },
};

/* Reads a place's new files; what was good stays where they are not. */
static int
renew(struct place *place)
{
	static uint32_t last_id;
	struct pair fresh;
	const char *wrong;
	char name[LOG_QUOTED_SIZE];

	wrong = pair_read(place->name, place->files[0], place->files[1],
	    &fresh);
	place->files[0] = place->files[1] = -1;
	if (wrong != NULL) {
		log_line(LOG_ERR, "event=certificate file=%s error=\"%s%s\"",
		    log_quote(name, sizeof(name), place->name), wrong,
		    place->id != 0 ? "; the old one stays" : "");
		if (place->required)
			log_fatal("event=stop error=\"a certificate cannot "
			    "be used\"");
		return (0);
	}
	pair_free(&place->old);
	place->old = place->pair;
	place->old_id = place->id;
	place->retired = now();
	place->pair = fresh;
	place->id = ++last_id;
	return (1);
}

/*
 * Every key of tickets that there ever was would open what was recorded: the
 * library derives new ones from this one, which is random, and is forgotten.
 */
static void
renew_ticket_key(void)
{
	if (gnutls_rnd(GNUTLS_RND_KEY, renewed.ticket_key,
	    sizeof(renewed.ticket_key)) < 0)
		log_fatal("event=start error=\"no random numbers\"");
	ticket_made = now();
}

/* What is due; returns how long nothing else will be, in ms. */
static int
housekeeping(void)
{
	int changed = 0, retired = 0;
	size_t i;

	for (i = 0; i < CERTIFICATES_MAX; i++) {
		if (places[i].files[0] != -1)
			changed += renew(&places[i]);
		if (places[i].old_id != 0 && now() - places[i].retired >=
		    KEY_RETIRED_SECONDS) {
			pair_free(&places[i].old);
			places[i].old_id = 0;
		}
		retired += places[i].old_id != 0;
	}
	if (ticket_made == 0 || now() - ticket_made >= TICKET_SECONDS) {
		renew_ticket_key();
		changed = 1;
	}
	for (renewed.count = 0; numbered(renewed.count) != NULL;)
		renewed.count++;
	if (changed)
		tell_nets();
	return (1000 * (retired > 0 ? KEY_RETIRED_SECONDS :
	    (int)(TICKET_SECONDS - (now() - ticket_made))));
}

static void
shut_sandbox(void)
{
	int enclosed = (config.start.without & WITHOUT_CHROOT) == 0;

	if (!config.start.unprivileged)
		rights_change_root(enclosed ? config.chroot : NULL);
	child_limit(RLIMIT_NOFILE, NET_PEERS + 2 * CERTIFICATES_MAX + 16);
	child_limit(RLIMIT_NPROC, 0);
	child_limit(RLIMIT_FSIZE, 0);
	sandbox_files(NULL, 0, config.start.without);
	sandbox_enter(&sandbox_keys, config.start.without);
}

int
main(void)
{
	static const struct ipc_channel parent = { ROLE_PARENT, ROLE_KEYS,
	    parent_handlers, sizeof(parent_handlers) /
	    sizeof(parent_handlers[0]) };
	static const struct ipc_channel net = { ROLE_NET, ROLE_KEYS,
	    net_handlers, sizeof(net_handlers) / sizeof(net_handlers[0]) };
	int timeout;
	size_t i;

	for (i = 0; i < CERTIFICATES_MAX; i++)
		places[i].files[0] = places[i].files[1] = -1;
	net_peers_begin();
	child_receive_settings(ROLE_KEYS, parent_handlers,
	    sizeof(parent_handlers) / sizeof(parent_handlers[0]), NULL);
	tzset();	/* gmtime_r(3) would open the time zone's file */
	shut_sandbox();
	timeout = housekeeping();
	child_report_started();
	for (;;) {
		net_peers_serve(&parent, &net, timeout);
		timeout = housekeeping();
	}
}
