/*
 * tls_client.h - clients that speak TLS, and certificates for the server.
 *
 * For the test programs of this directory.  Every function ends the test
 * case with a failure when something is not as it must be.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <atf-c.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define TLS_12	"NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_13	"NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct tls_client {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
};

/* "-newkey" arguments of openssl req. */
#define EC	"ec -pkeyopt ec_paramgen_curve:P-256"
#define RSA	"rsa:2048"
#define ED25519	"ed25519"

/* Makes NAME.crt and NAME.key here for DNS names ("DNS:a,DNS:b"). */
static inline void
pair_make(const char *name, const char *kind, const char *names)
{
	char line[1024], output[4096];
	const char *const arguments[] = { "sh", "-c", line, NULL };

	(void)snprintf(line, sizeof(line), "umask 077 && openssl req -x509 "
	    "-newkey %s -nodes -keyout %s.key -out %s.crt -days 30 "
	    "-subj /CN=test -addext subjectAltName=%s", kind, name, name,
	    names);
	ATF_REQUIRE_MSG(run(arguments, NULL, output, sizeof(output)) == 0,
	    "%s", output);
}

/* Their configuration line, in one of some buffers. */
static inline const char *
pair_line(const char *name)
{
	static char lines[4][1200];
	static unsigned int next;
	char *line = lines[next++ % 4], here[512];

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	(void)snprintf(line, sizeof(lines[0]), "tls-certificate %s/%s.crt "
	    "key %s/%s.key\n", here, name, here, name);
	return (line);
}

/* The files of `from` become those of `to`. */
static inline void
pair_replace(const char *to, const char *from)
{
	static const char *const ends[] = { "crt", "key" };
	char path[128], *bytes;
	size_t i, length;

	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s.%s", from, ends[i]);
		bytes = file_read(path, &length);
		(void)snprintf(path, sizeof(path), "%s.%s", to, ends[i]);
		file_write(path, bytes, length);
		free(bytes);
	}
}

/* A client on a connected socket, before it has said anything. */
static inline void
tls_prepare(struct tls_client *client, int fd, const char *priority,
    const char *name, const gnutls_datum_t *resumed)
{
	const struct timeval patience = { 10, 0 };
	const char *wrong;

	client->fd = fd;
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience)) == 0);
	ATF_REQUIRE(gnutls_certificate_allocate_credentials(
	    &client->credentials) == 0);
	ATF_REQUIRE(gnutls_init(&client->session, GNUTLS_CLIENT) == 0);
	ATF_REQUIRE_MSG(gnutls_priority_set_direct(client->session, priority,
	    &wrong) == 0, "%s", wrong);
	ATF_REQUIRE(gnutls_credentials_set(client->session,
	    GNUTLS_CRD_CERTIFICATE, client->credentials) == 0);
	if (name != NULL)
		ATF_REQUIRE(gnutls_server_name_set(client->session,
		    GNUTLS_NAME_DNS, name, strlen(name)) == 0);
	if (resumed != NULL)
		ATF_REQUIRE(gnutls_session_set_data(client->session,
		    resumed->data, resumed->size) == 0);
	gnutls_transport_set_int(client->session, fd);
}

/* The library's error, or 0. */
static inline int
tls_shake_hands(const struct tls_client *client)
{
	int error;

	do
		error = gnutls_handshake(client->session);
	while (error < 0 && error != GNUTLS_E_AGAIN &&
	    !gnutls_error_is_fatal(error));
	return (error);
}

/* Begins TLS on a connected socket; the library's error, or 0. */
static inline int
tls_begin_on(struct tls_client *client, int fd, const char *priority,
    const char *name, const gnutls_datum_t *resumed)
{
	tls_prepare(client, fd, priority, name, resumed);
	return (tls_shake_hands(client));
}

static inline int
tls_try(struct tls_client *client, const struct server *server,
    int port_index, const char *priority, const char *name)
{
	return (tls_begin_on(client, client_connect(server, port_index),
	    priority, name, NULL));
}

static inline void
tls_connect(struct tls_client *client, const struct server *server,
    int port_index, const char *priority, const char *name)
{
	int error = tls_try(client, server, port_index, priority, name);

	ATF_REQUIRE_MSG(error == 0, "%s %s: %s", priority, name != NULL ?
	    name : "(no name)", gnutls_strerror(error));
}

static inline void
tls_end(struct tls_client *client)
{
	gnutls_deinit(client->session);
	gnutls_certificate_free_credentials(client->credentials);
	(void)close(client->fd);
}

static inline void
tls_send(struct tls_client *client, const char *text)
{
	size_t sent = 0, length = strlen(text);
	ssize_t got;

	while (sent < length) {
		got = gnutls_record_send(client->session, text + sent,
		    length - sent);
		ATF_REQUIRE_MSG(got > 0, "%s", gnutls_strerror((int)got));
		sent += (size_t)got;
	}
}

/* As read(2), but what only belongs to TLS is passed over. */
static inline ssize_t
tls_receive(struct tls_client *client, void *to, size_t size)
{
	ssize_t got;

	do
		got = gnutls_record_recv(client->session, to, size);
	while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
	return (got);
}

/* One line without its CRLF. */
static inline void
tls_line(struct tls_client *client, char *line, size_t size)
{
	size_t have = 0;
	ssize_t got;

	for (;;) {
		ATF_REQUIRE(have + 1 < size);
		got = tls_receive(client, line + have, 1);
		ATF_REQUIRE_MSG(got == 1, "%s", gnutls_strerror((int)got));
		if (line[have++] == '\n')
			break;
	}
	ATF_REQUIRE(have >= 2 && line[have - 2] == '\r');
	line[have - 2] = '\0';
}

static inline void
tls_expect_line(struct tls_client *client, const char *prefix)
{
	char line[600];

	tls_line(client, line, sizeof(line));
	ATF_REQUIRE_MSG(strncmp(line, prefix, strlen(prefix)) == 0,
	    "expected \"%s...\", got \"%s\"", prefix, line);
}

static inline void
tls_say(struct tls_client *client, const char *command, const char *reply)
{
	tls_send(client, command);
	tls_send(client, "\r\n");
	tls_expect_line(client, reply);
}

static inline void
tls_expect(struct tls_client *client, const char *text)
{
	char octet;
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		ATF_REQUIRE_MSG(tls_receive(client, &octet, 1) == 1 &&
		    octet == text[i], "not \"%s\"", text);
}

/* The server says that it is over (close_notify), then the connection is. */
static inline void
tls_expect_close(struct tls_client *client)
{
	char octet;
	ssize_t got = tls_receive(client, &octet, 1);

	ATF_REQUIRE_MSG(got == 0, "expected the end, got %s", got > 0 ?
	    "octets" : gnutls_strerror((int)got));
	tls_end(client);
}

static inline void
tls_pop2_login(struct tls_client *client, const char *reply)
{
	tls_expect_line(client, "+ POP2 ");
	tls_say(client, "HELO " FRED " " FRED_PASSWORD, reply);
}

/* Did the server show the certificate of this file? */
static inline int
tls_shows(const struct tls_client *client, const char *name)
{
	const gnutls_datum_t *shown;
	gnutls_datum_t text, encoded;
	unsigned int count, size;
	char path[128];
	size_t length;
	int same;

	(void)snprintf(path, sizeof(path), "%s.crt", name);
	text.data = (unsigned char *)file_read(path, &length);
	text.size = (unsigned int)length;
	ATF_REQUIRE(gnutls_pem_base64_decode2("CERTIFICATE", &text,
	    &encoded) == 0);
	shown = gnutls_certificate_get_peers(client->session, &count);
	ATF_REQUIRE(shown != NULL && count > 0);
	size = encoded.size;
	same = shown->size == size &&
	    memcmp(shown->data, encoded.data, size) == 0;
	gnutls_free(encoded.data);
	free(text.data);
	return (same);
}

#endif
