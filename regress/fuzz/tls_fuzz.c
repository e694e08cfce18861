/*
 * tls_fuzz.c - any octets and records from a client that speaks TLS.
 *
 * Test code alone.  An input is either what a stranger sends in place of a
 * handshake, or, behind a handshake with the library's own client, what both
 * sides do: each octet is a step.  What one side reads must be what the
 * other has sent, in its order, and nothing may be read behind octets that
 * are no record of that session.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "tls.h"

#define STEPS_MAX	256
#define TURNS_MAX	64
#define TEXT_MAX	40000	/* more than two records */
#define UPDATES_MAX	7	/* more in a second, and the library ends it */

enum step {
	STEP_SEND, STEP_READ, STEP_WRITE, STEP_RECEIVE, STEP_INJECT,
	STEP_REHANDSHAKE, STEP_UPDATE, STEP_BYE, STEPS
};

/* One direction: what is sent, and how much of that has come. */
struct flow {
	uint64_t sent, came;
};

static gnutls_certificate_credentials_t server_key, client_trust;
static gnutls_datum_t ticket_key;
static gnutls_priority_t both, only_12;
static unsigned char text[TEXT_MAX];

/* The certificates of the session under test: one, with its key here. */
struct credentials *
credentials_take(void)
{
	return ((struct credentials *)(void *)&server_key);
}

void
credentials_drop(struct credentials *credentials)
{
	HOLDS((void *)credentials == (void *)&server_key);
}

int
credentials_use(struct credentials *credentials, void *session)
{
	credentials_drop(credentials);
	HOLDS(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    server_key) == 0);
	return (gnutls_session_ticket_enable_server(session, &ticket_key));
}

static void
make_certificate(void)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	const time_t now = time(NULL);

	HOLDS(gnutls_x509_privkey_init(&key) == 0);
	HOLDS(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
	HOLDS(gnutls_x509_crt_init(&certificate) == 0);
	HOLDS(gnutls_x509_crt_set_version(certificate, 3) == 0);
	HOLDS(gnutls_x509_crt_set_serial(certificate, "1", 1) == 0);
	HOLDS(gnutls_x509_crt_set_activation_time(certificate, now) == 0);
	HOLDS(gnutls_x509_crt_set_expiration_time(certificate,
	    now + 86400 * 365) == 0);
	HOLDS(gnutls_x509_crt_set_key(certificate, key) == 0);
	HOLDS(gnutls_x509_crt_sign2(certificate, certificate, key,
	    GNUTLS_DIG_SHA256, 0) == 0);
	HOLDS(gnutls_certificate_allocate_credentials(&server_key) == 0);
	HOLDS(gnutls_certificate_allocate_credentials(&client_trust) == 0);
	HOLDS(gnutls_certificate_set_x509_key(server_key, &certificate, 1,
	    key) == 0);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
}

static void
prepare(void)
{
	size_t i;

	tls_begin();
	make_certificate();
	HOLDS(gnutls_session_ticket_key_generate(&ticket_key) == 0);
	HOLDS(gnutls_priority_init(&both, "NORMAL", NULL) == 0);
	HOLDS(gnutls_priority_init(&only_12,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL) == 0);
	/* No two places look alike. */
	for (i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * 7 + i / 251);
}

static void
make_ends(int ends[2])
{
	const int little = 4096;

	HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, ends) == 0);
	/* So that a server's record waits for room. */
	HOLDS(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &little,
	    sizeof(little)) == 0);
}

/* What comes in place of a handshake never becomes one. */
static void
be_a_stranger(struct tls *tls, int client, struct input input)
{
	struct input part;
	int turns, done = 0;

	for (turns = 0; turns < TURNS_MAX && done == 0 && input.left > 0;
	    turns++) {
		part = fuzz_part(&input, fuzz_octet(&input) + 1);
		(void)send(client, part.at, part.left, MSG_NOSIGNAL);
		done = tls_handshake(tls);
		HOLDS(done == 0 || done == -1);
		HOLDS(tls_waits_for(tls) == EV_READ || done == -1 ||
		    tls_waits_for(tls) == EV_WRITE);
	}
	HOLDS(done == 0 || tls_error(tls) != NULL);
}

static gnutls_session_t
make_client(int fd, gnutls_priority_t priority, unsigned int kind)
{
	/* Octets that it wants in a record at the most; 0: it says nothing. */
	static const size_t records[] = { 0, 512, 1024, 4096 };
	gnutls_session_t session;

	HOLDS(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL) == 0);
	HOLDS(gnutls_priority_set(session, priority) == 0);
	HOLDS(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    client_trust) == 0);
	HOLDS(records[kind % 4] == 0 || gnutls_record_set_max_size(session,
	    records[kind % 4]) == 0);
	gnutls_transport_set_int(session, fd);
	return (session);
}

static void
shake_hands(struct tls *tls, gnutls_session_t client)
{
	int turns, ours = 0, theirs = GNUTLS_E_AGAIN;

	for (turns = 0; turns < TURNS_MAX && (ours == 0 || theirs != 0);
	    turns++) {
		if (theirs != 0)
			theirs = gnutls_handshake(client);
		if (ours == 0)
			ours = tls_handshake(tls);
		HOLDS(ours != -1);
		HOLDS(theirs == 0 || gnutls_error_is_fatal(theirs) == 0);
	}
	HOLDS(ours == 1 && theirs == 0);
}

static void
compare(struct flow *flow, const unsigned char *got, size_t length)
{
	size_t i;

	HOLDS(length <= flow->sent - flow->came);
	for (i = 0; i < length; i++)
		HOLDS(got[i] == text[(flow->came + i) % sizeof(text)]);
	flow->came += length;
}

/* Up to 512 octets for each of the step's octet, from where the flow is. */
static size_t
piece(struct input *input, const struct flow *flow)
{
	const size_t at = flow->sent % sizeof(text);
	const size_t want = (size_t)fuzz_octet(input) * 129 + 1;

	return (want < sizeof(text) - at ? want : sizeof(text) - at);
}

/*
 * 1 when the server has something, 0 when nothing is there, -1 when its
 * session is over.
 */
static int
server_reads(struct tls *tls, struct flow *flow, size_t size)
{
	static unsigned char octets[TEXT_MAX];
	ssize_t got = tls_read(tls, octets, size);

	HOLDS(got <= (ssize_t)size);
	if (got > 0)
		compare(flow, octets, (size_t)got);
	else if (got == 0 || errno != EAGAIN)
		return (-1);
	else
		HOLDS(!tls_pending(tls));	/* or nothing would wake it */
	return (got > 0);
}

static void
server_writes(struct tls *tls, struct flow *flow, size_t size)
{
	const ssize_t took = tls_write(tls, text + flow->sent % sizeof(text),
	    size);

	HOLDS(took <= (ssize_t)size && took != 0);
	if (took > 0)
		flow->sent += (size_t)took;
	else
		HOLDS(errno == EAGAIN || errno == EPROTO);
}

static void
client_sends(gnutls_session_t client, struct flow *flow, size_t size)
{
	/* Not more than a socket holds: a record stays whole. */
	if (flow->sent - flow->came + size > sizeof(text))
		return;
	const ssize_t sent = gnutls_record_send(client,
	    text + flow->sent % sizeof(text), size);

	if (sent > 0)
		flow->sent += (size_t)sent;
}

static int
client_reads(gnutls_session_t client, struct flow *flow)
{
	static unsigned char octets[TEXT_MAX];
	const ssize_t got = gnutls_record_recv(client, octets, sizeof(octets));

	if (got > 0)
		compare(flow, octets, (size_t)got);
	return (got > 0);
}

/* All that is on its way arrives, if nothing else was put between. */
static void
settle(struct tls *tls, gnutls_session_t client, struct flow *up,
    struct flow *down, int disturbed)
{
	int turns, idle = 0, moved;

	/* A call that took a record of the library's own says "again". */
	for (turns = 0; turns < 4096 && idle < 8; turns++) {
		moved = server_reads(tls, up, TEXT_MAX) == 1;
		moved |= tls_flush(tls) == 0;
		moved |= client_reads(client, down);
		idle = moved ? 0 : idle + 1;
	}
	if (disturbed)
		return;
	HOLDS(up->came == up->sent);
	HOLDS(down->came == down->sent);
	HOLDS(!tls_pending(tls));
}

static void
act(struct tls *tls, gnutls_session_t client, int fd, struct input input)
{
	struct flow up = { 0, 0 }, down = { 0, 0 };
	struct input part;
	int steps, over = 0, disturbed = 0, updates = 0;

	for (steps = 0; steps < STEPS_MAX && !over && input.left > 0; steps++)
		switch (fuzz_octet(&input) % STEPS) {
		case STEP_SEND:
			client_sends(client, &up, piece(&input, &up));
			break;
		case STEP_READ:
			over = server_reads(tls, &up, (size_t)
			    fuzz_octet(&input) * 100 + 1) == -1;
			HOLDS(!over || disturbed);
			break;
		case STEP_WRITE:
			server_writes(tls, &down, piece(&input, &down));
			break;
		case STEP_RECEIVE:
			(void)client_reads(client, &down);
			break;
		case STEP_INJECT:
			disturbed = 1;
			part = fuzz_part(&input, fuzz_octet(&input));
			(void)send(fd, part.at, part.left, MSG_NOSIGNAL);
			break;
		case STEP_REHANDSHAKE:
			/* Of 1.2 alone; it is refused. */
			if (gnutls_protocol_get_version(client) ==
			    GNUTLS_TLS1_2) {
				disturbed = 1;
				(void)gnutls_handshake(client);
			}
			break;
		case STEP_UPDATE:
			disturbed |= updates++ >= UPDATES_MAX;
			(void)gnutls_session_key_update(client,
			    GNUTLS_KU_PEER);
			break;
		default:
			disturbed = 1;
			(void)gnutls_bye(client, GNUTLS_SHUT_WR);
			break;
		}
	if (!over)
		settle(tls, client, &up, &down, disturbed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int lowest = -1;
	struct input input = { data, size };
	const unsigned int mode = fuzz_octet(&input);
	gnutls_session_t client;
	struct tls *tls;
	int ends[2];

	if (server_key == NULL) {
		prepare();
		lowest = fuzz_lowest_descriptor();
	}
	make_ends(ends);
	HOLDS((tls = tls_open(ends[0])) != NULL);
	if (mode % 4 == 0)
		be_a_stranger(tls, ends[1], input);
	else {
		client = make_client(ends[1], mode % 4 == 1 ? only_12 : both,
		    mode / 4);
		shake_hands(tls, client);
		act(tls, client, ends[1], input);
		gnutls_deinit(client);
	}
	tls_close(tls);
	(void)close(ends[0]);
	(void)close(ends[1]);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
