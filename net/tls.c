/*
 * tls.c - a client's TLS session.
 *
 * Linked into postern-net; unprivileged, on bytes from anybody.  TLS 1.2 and
 * 1.3, suites with forward secrecy alone: there is nothing that a key could
 * decrypt, and none is here.
 */
#include <sys/uio.h>

#include <errno.h>
#include <event.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limits_postern.h"
#include "log.h"
#include "tls.h"

/* What goes into one record: RFC 8446's limit. */
#define RECORD_OCTETS	16384

/* A record in cipher text, and an answer to a change of keys before it. */
#define UNSENT_BYTES	(RECORD_OCTETS + 2048)

struct tls {
	int fd;
	gnutls_session_t session;
	struct credentials *credentials;
	gnutls_packet_t packet;		/* received, and not all read yet */
	size_t packet_read;
	int begun;			/* the handshake is done */
	unsigned char *unsent;		/* what waits for room, or NULL */
	size_t unsent_at, unsent_end;
	int error;			/* the library's, of the last call */
};

/* All of it by name: what the host's defaults are does not count. */
static const char priorities[] = "NONE:+CTYPE-X509:+COMP-NULL"
    ":+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA"
    ":+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM:+AEAD"
    ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
    ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512"
    ":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384"
    ":+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-EDDSA-ED25519"
    ":+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-SHA512"
    ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384"
    ":+SIGN-RSA-PSS-RSAE-SHA512"
    ":+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512";

static gnutls_priority_t priority;

void
tls_begin(void)
{
	const char *wrong = NULL;
	int error = gnutls_priority_init(&priority, priorities, &wrong);

	if (error < 0)
		log_fatal("event=start error=\"TLS: %s at %s\"",
		    gnutls_strerror(error), wrong != NULL ? wrong : "?");
}

/*
 * GnuTLS's own sends by sendmsg(2), which could send descriptors.  After the
 * handshake nothing is sent in part: of what a client has no room for yet the
 * library says "again", and not how much it has taken of what it was given.
 * That is a record; and the client may have asked for short ones.
 */
static ssize_t
push(gnutls_transport_ptr_t to, const giovec_t *parts, int count)
{
	struct tls *tls = to;
	ssize_t sent = tls->unsent != NULL ? 0 : writev(tls->fd, parts, count);
	size_t skip, length = 0;
	int i;

	if (!tls->begun || (sent == -1 && errno != EAGAIN && errno != EINTR))
		return (sent);
	skip = sent == -1 ? 0 : (size_t)sent;
	for (i = 0; i < count; i++)
		length += parts[i].iov_len;
	if (skip == length)
		return (sent);
	if (tls->unsent == NULL) {
		tls->unsent = malloc(UNSENT_BYTES);
		tls->unsent_at = tls->unsent_end = 0;
	}
	if (tls->unsent == NULL || length - skip > UNSENT_BYTES -
	    tls->unsent_end) {
		errno = ENOBUFS;
		return (-1);
	}
	for (i = 0; i < count; i++) {
		const size_t size = parts[i].iov_len;

		if (skip >= size) {
			skip -= size;
			continue;
		}
		memcpy(tls->unsent + tls->unsent_end,
		    (const char *)parts[i].iov_base + skip, size - skip);
		tls->unsent_end += size - skip;
		skip = 0;
	}
	return ((ssize_t)length);
}

struct tls *
tls_open(int fd)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return (NULL);
	if ((tls->credentials = credentials_take()) == NULL ||
	    gnutls_init(&tls->session, GNUTLS_SERVER | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL) < 0 ||
	    gnutls_priority_set(tls->session, priority) < 0 ||
	    credentials_use(tls->credentials, tls->session) < 0) {
		tls_close(tls);
		return (NULL);
	}
	gnutls_handshake_set_max_packet_length(tls->session,
	    HANDSHAKE_OCTETS_MAX);
	tls->fd = fd;
	gnutls_transport_set_ptr2(tls->session,
	    (gnutls_transport_ptr_t)(intptr_t)fd, tls);
	gnutls_transport_set_vec_push_function(tls->session, push);
	return (tls);
}

/* A call that is to be made again (0), or that has failed (-1). */
static int
later(struct tls *tls, int error)
{
	if (error == GNUTLS_E_AGAIN || error == GNUTLS_E_INTERRUPTED)
		return (0);
	tls->error = error;
	return (-1);
}

int
tls_handshake(struct tls *tls)
{
	int error;

	/* Warnings are passed over. */
	do
		error = gnutls_handshake(tls->session);
	while (error == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (error == 0) {
		tls->begun = 1;
		return (1);
	}
	if (later(tls, error) == 0)
		return (0);
	/* The client learns why, if there is room to tell. */
	(void)gnutls_alert_send_appropriate(tls->session, error);
	return (-1);
}

short
tls_waits_for(const struct tls *tls)
{
	return (gnutls_record_get_direction(tls->session) == 1 ? EV_WRITE :
	    EV_READ);
}

/* Passwords may be in it. */
static void
forget_packet(struct tls *tls)
{
	gnutls_datum_t data;

	if (tls->packet == NULL)
		return;
	gnutls_packet_get(tls->packet, &data, NULL);
	explicit_bzero(data.data, data.size);
	gnutls_packet_deinit(tls->packet);
	tls->packet = NULL;
}

/* A client that wants to begin anew inside TLS 1.2 is refused so. */
static ssize_t
receive_error(struct tls *tls, ssize_t error)
{
	if (error == GNUTLS_E_REHANDSHAKE)
		(void)gnutls_alert_send(tls->session, GNUTLS_AL_FATAL,
		    GNUTLS_A_NO_RENEGOTIATION);
	if (error == 0 || error == GNUTLS_E_PREMATURE_TERMINATION)
		return (0);
	errno = later(tls, (int)error) == 0 ? EAGAIN : EPROTO;
	return (-1);
}

ssize_t
tls_read(struct tls *tls, void *to, size_t size)
{
	gnutls_datum_t data;
	ssize_t got;

	if (tls->packet == NULL) {
		got = gnutls_record_recv_packet(tls->session, &tls->packet);
		if (got <= 0) {
			tls->packet = NULL;
			return (receive_error(tls, got));
		}
		tls->packet_read = 0;
	}
	gnutls_packet_get(tls->packet, &data, NULL);
	if (size > data.size - tls->packet_read)
		size = data.size - tls->packet_read;
	memcpy(to, data.data + tls->packet_read, size);
	explicit_bzero(data.data + tls->packet_read, size);
	tls->packet_read += size;
	if (tls->packet_read == data.size)
		forget_packet(tls);
	return ((ssize_t)size);
}

int
tls_pending(const struct tls *tls)
{
	return (tls->packet != NULL ||
	    gnutls_record_check_pending(tls->session) > 0);
}

int
tls_flush(struct tls *tls)
{
	ssize_t sent;

	while (tls->unsent_at < tls->unsent_end) {
		sent = write(tls->fd, tls->unsent + tls->unsent_at,
		    tls->unsent_end - tls->unsent_at);
		if (sent == -1)
			return (later(tls, errno == EAGAIN || errno == EINTR ?
			    GNUTLS_E_AGAIN : GNUTLS_E_PUSH_ERROR));
		tls->unsent_at += (size_t)sent;
	}
	free(tls->unsent);
	tls->unsent = NULL;
	tls->unsent_at = tls->unsent_end = 0;
	return (1);
}

ssize_t
tls_write(struct tls *tls, const void *from, size_t size)
{
	const unsigned char *text = from;
	const int flushed = tls_flush(tls);
	size_t taken = 0;
	ssize_t sent;

	if (flushed != 1) {
		errno = flushed == 0 ? EAGAIN : EPROTO;
		return (-1);
	}
	while (taken < size && tls->unsent == NULL) {
		sent = gnutls_record_send(tls->session, text + taken, size -
		    taken);
		if (sent <= 0) {
			/* "Again" is nothing that push() says. */
			tls->error = sent < 0 ? (int)sent :
			    GNUTLS_E_PUSH_ERROR;
			errno = EPROTO;
			return (-1);
		}
		taken += (size_t)sent;
	}
	return ((ssize_t)taken);
}

void
tls_close(struct tls *tls)
{
	if (tls->session != NULL) {
		if (tls->begun && tls->unsent == NULL && tls->error == 0)
			(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
		forget_packet(tls);
		gnutls_deinit(tls->session);
	}
	if (tls->credentials != NULL)
		credentials_drop(tls->credentials);
	free(tls->unsent);
	free(tls);
}

void
tls_describe(const struct tls *tls, char *text, size_t size)
{
	char name[HOST_NAME_SIZE], quoted[LOG_QUOTED_SIZE];
	size_t length = sizeof(name);
	unsigned int kind = GNUTLS_NAME_DNS;

	if (gnutls_server_name_get(tls->session, name, &length, &kind, 0) != 0)
		name[0] = '\0';
	(void)snprintf(text, size, "version=%s cipher=%s group=%s name=%s "
	    "resumed=%s", gnutls_protocol_get_name(
	    gnutls_protocol_get_version(tls->session)),
	    gnutls_cipher_get_name(gnutls_cipher_get(tls->session)),
	    gnutls_group_get_name(gnutls_group_get(tls->session)),
	    log_quote(quoted, sizeof(quoted), name),
	    gnutls_session_is_resumed(tls->session) ? "yes" : "no");
}

const char *
tls_error(const struct tls *tls)
{
	static char text[80];
	const char *alert = gnutls_alert_get_name(gnutls_alert_get(
	    tls->session));

	/* OpenSSL sends an alert before it uses its keys: it fits none. */
	if (!tls->begun && tls->error == GNUTLS_E_DECRYPTION_FAILED)
		return ("decryption has failed, or the client does not trust "
		    "the certificate");
	if (tls->error != GNUTLS_E_FATAL_ALERT_RECEIVED || alert == NULL)
		return (gnutls_strerror(tls->error));
	(void)snprintf(text, sizeof(text), "the client broke off: %s", alert);
	return (text);
}
