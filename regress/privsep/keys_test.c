/*
 * keys_test.c - postern-keys: it alone has the private keys, it signs what a
 * TLS server signs and nothing else, and it may die.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "ipc.h"
#include "log.h"
#include "memory.h"
#include "parent.h"
#include "processes.h"
#include "tls.h"
#include "tls_client.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define LISTENERS							\
	"listen pop2 127.0.0.1 port 0 tls\n"				\
	"listen auto 127.0.0.1 port 0\n"
#define KEYS_UID	64105

static const char mail[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\n"
    "Subject: one\n\nfirst\n\n";

static void
start(struct server *server, const char *extra)
{
	char text[2048];

	(void)snprintf(text, sizeof(text), LISTENERS "%s%s", pair_line("one"),
	    extra);
	server_start(server, text);
	mailbox_write(server, FRED, mail, strlen(mail));
}

/* Parts of a key, so long that they are nowhere by chance. */
#define PART		12
#define PARTS_MAX	64

struct parts {
	unsigned char octets[PARTS_MAX][PART];
	size_t count;
};

static void
add_part(struct parts *parts, const void *octets)
{
	ATF_REQUIRE(parts->count < PARTS_MAX);
	memcpy(parts->octets[parts->count++], octets, PART);
}

/* A number: its ends and its middle, and as machines that have little ends. */
static void
add_number(struct parts *parts, gnutls_datum_t *number)
{
	unsigned char reversed[1024];
	size_t i, size = number->size;

	ATF_REQUIRE(size >= 2 * PART + 1 && size <= sizeof(reversed));
	for (i = 0; i < size; i++)
		reversed[i] = number->data[size - 1 - i];
	for (i = 0; i < 3; i++) {
		add_part(parts, number->data + 1 + i * (size - 1 - PART) / 2);
		add_part(parts, reversed + i * (size - 1 - PART) / 2);
	}
	gnutls_free(number->data);
}

/* The secret numbers of a key's file, and its text where they stand. */
static void
parts_of(struct parts *parts, const char *name, size_t line, size_t column)
{
	gnutls_datum_t text, n[6];
	gnutls_x509_privkey_t key;
	gnutls_ecc_curve_t curve;
	char path[64], *at;
	size_t i, length;

	memset(parts, 0, sizeof(*parts));
	memset(n, 0, sizeof(n));
	(void)snprintf(path, sizeof(path), "%s.key", name);
	text.data = (unsigned char *)file_read(path, &length);
	text.size = (unsigned int)length;
	ATF_REQUIRE(gnutls_x509_privkey_init(&key) == 0);
	ATF_REQUIRE(gnutls_x509_privkey_import(key, &text,
	    GNUTLS_X509_FMT_PEM) == 0);
	if (gnutls_x509_privkey_get_pk_algorithm(key) == GNUTLS_PK_RSA) {
		ATF_REQUIRE(gnutls_x509_privkey_export_rsa_raw(key, &n[0],
		    &n[1], &n[2], &n[3], &n[4], &n[5]) == 0);
		for (i = 2; i < 6; i++)
			add_number(parts, &n[i]);
	} else {
		ATF_REQUIRE(gnutls_x509_privkey_export_ecc_raw(key, &curve,
		    &n[0], &n[1], &n[2]) == 0);
		add_number(parts, &n[2]);
		gnutls_free(n[1].data);
	}
	gnutls_free(n[0].data);
	at = (char *)text.data;
	for (i = 0; i <= line; i++)
		at = strchr(at, '\n') + 1;
	add_part(parts, at + column);
	gnutls_x509_privkey_deinit(key);
	free(text.data);
}

static int
holds_any(const unsigned char *octets, size_t length, const void *sought)
{
	const struct parts *parts = sought;
	size_t i;

	for (i = 0; i < parts->count; i++)
		if (memmem(octets, length, parts->octets[i], PART) != NULL)
			return (1);
	return (0);
}

/* Searched, and found in postern-keys alone. */
static void
keys_alone_has(const struct server *server, const struct parts *parts,
    const char *when)
{
	char where[600], exe[600];
	pid_t pids[32];
	size_t i, count = processes_of(server, pids, COUNT(pids));
	int found, is_keys, seen = 0;

	for (i = 0; i < count; i++) {
		process_link(pids[i], "exe", exe, sizeof(exe));
		is_keys = strstr(exe, "/postern-keys") != NULL;
		seen += is_keys;
		found = memory_search(pids[i], PART, holds_any, parts, where,
		    sizeof(where));
		if (found != is_keys)
			atf_tc_fail_nonfatal("%s: %s %s the key (%s)", when,
			    exe, found ? "has" : "has not", found ? where :
			    "");
	}
	ATF_REQUIRE_EQ(1, seen);
}

static const struct {
	const char *kind;
	size_t line, column;	/* of the key's text, in the secret part */
} searched[] = {
	{ EC, 0, 52 }, { ED25519, 0, 30 }, { RSA, 10, 20 },
};

ATF_TC(key_is_nowhere_else);
ATF_TC_HEAD(key_is_nowhere_else, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "openssl");
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(key_is_nowhere_else, tc)
{
	struct server server;
	struct tls_client clients[2], other;
	struct parts first, second;
	size_t i;

	(void)tc;
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitizer keeps copies of memory");
#endif
	for (i = 0; i < COUNT(searched); i++) {
		pair_make("one", searched[i].kind, "DNS:one.example.org");
		pair_make("next", searched[i].kind, "DNS:one.example.org");
		parts_of(&first, "one", searched[i].line, searched[i].column);
		parts_of(&second, "next", searched[i].line,
		    searched[i].column);
		start(&server, "net-processes 2\nauth-processes 1\n");
		keys_alone_has(&server, &first, "at the start");
		tls_connect(&clients[0], &server, 0, TLS_12, NULL);
		tls_connect(&clients[1], &server, 0, TLS_13, NULL);
		keys_alone_has(&server, &first, "after handshakes");
		tls_pop2_login(&clients[0], "#1 ");
		keys_alone_has(&server, &first, "after a login");
		pair_replace("one", "next");
		ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
		do {
			pause_ms(10);
			tls_connect(&other, &server, 0, TLS_13, NULL);
			if (tls_shows(&other, "next"))
				break;
			tls_end(&other);
		} while (1);
		tls_end(&other);
		keys_alone_has(&server, &second, "after a reload");
		tls_say(&clients[0], "QUIT", "+");
		tls_expect_close(&clients[0]);
		tls_end(&clients[1]);
		children_must_be(&server, "postern-store", 0);
		keys_alone_has(&server, &second, "after the sessions");
		server_stop(&server);
		(void)run((const char *const[]){ "rm", "-rf", "postern",
		    NULL }, NULL, (char[64]){ 0 }, 64);
	}
}

static int
keys_has(pid_t keys, const struct parts *parts)
{
	char where[600];

	return (memory_search(keys, PART, holds_any, parts, where,
	    sizeof(where)));
}

/*
 * A key that was replaced goes from the one memory that it was in.  Of Ed25519
 * the library leaves a copy in what it has freed.
 */
ATF_TC(key_retires);
ATF_TC_HEAD(key_retires, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(key_retires, tc)
{
	static const struct {
		const char *kind, *name, *next;
		size_t line, column;
	} pairs[] = {
		{ EC, "ec", "ec-next", 0, 52 },
		{ RSA, "rsa", "rsa-next", 10, 20 },
	};
	struct server server;
	struct parts old[COUNT(pairs)], new[COUNT(pairs)];
	char text[4096] = LISTENERS "net-processes 1\n";
	size_t i;
	pid_t keys;
	int64_t began;

	(void)tc;
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitizer keeps copies of memory");
#endif
	for (i = 0; i < COUNT(pairs); i++) {
		pair_make(pairs[i].name, pairs[i].kind, "DNS:one.example.org");
		pair_make(pairs[i].next, pairs[i].kind, "DNS:one.example.org");
		parts_of(&old[i], pairs[i].name, pairs[i].line,
		    pairs[i].column);
		parts_of(&new[i], pairs[i].next, pairs[i].line,
		    pairs[i].column);
		(void)strlcat(text, pair_line(pairs[i].name), sizeof(text));
	}
	server_start(&server, text);
	keys = children_pid(&server, "postern-keys", 0);
	for (i = 0; i < COUNT(pairs); i++)
		pair_replace(pairs[i].name, pairs[i].next);
	began = clock_ms();
	ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
	for (i = 0; i < COUNT(pairs); i++) {
		while (!keys_has(keys, &new[i])) {
			ATF_REQUIRE(clock_ms() - began < 10000);
			pause_ms(10);
		}
		/* For handshakes that have begun with it. */
		ATF_CHECK(clock_ms() - began > 5000 ||
		    keys_has(keys, &old[i]));
	}
	for (i = 0; i < COUNT(pairs); i++) {
		while (keys_has(keys, &old[i])) {
			ATF_REQUIRE_MSG(clock_ms() - began < 30000, "%s stays",
			    pairs[i].name);
			pause_ms(250);
		}
		ATF_CHECK(clock_ms() - began > KEY_RETIRED_SECONDS * 1000 -
		    1000);
		ATF_CHECK(keys_has(keys, &new[i]));
	}
	server_stop(&server);
}

/* Killed: sessions go on, and after a moment there are handshakes again. */
ATF_TC(killed);
ATF_TC_HEAD(killed, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(killed, tc)
{
	struct server server;
	struct tls_client client, other;
	int fd, round, attempt;
	pid_t keys;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "net-processes 1\n");
	tls_connect(&client, &server, 0, TLS_13, NULL);
	tls_pop2_login(&client, "#1 ");
	for (round = 0; round < 2; round++) {
		keys = children_pid(&server, "postern-keys", 0);
		ATF_REQUIRE(kill(keys, SIGKILL) == 0);
		for (attempt = 0; attempt < 500; attempt++) {
			/* Refused or served, but never left hanging. */
			if (tls_try(&other, &server, 0, TLS_13, NULL) == 0 &&
			    children_count(&server, "postern-keys") == 1 &&
			    children_pid(&server, "postern-keys", 0) != keys)
				break;
			tls_end(&other);
			pause_ms(10);
		}
		ATF_REQUIRE(attempt < 500);
		tls_expect_line(&other, "+ POP2");
		tls_end(&other);
		tls_say(&client, "READ 1", "=23 ");
		fd = pop2_login(&server, 1, ANN, ANN_QUOTED, "#0 ");
		client_say(fd, "QUIT", "+");
		client_expect_close(fd);
	}
	tls_say(&client, "QUIT", "+");
	tls_expect_close(&client);
	log_must_have(&server, "event=exit process=keys");
	server_stop(&server);
}

/* It hangs: handshakes fail, all else goes on, and it is asked again later. */
ATF_TC(stopped);
ATF_TC_HEAD(stopped, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(stopped, tc)
{
	struct server server;
	struct tls_client client, other;
	gnutls_datum_t ticket;
	int fd, attempt;
	pid_t keys;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "net-processes 1\n");
	tls_connect(&client, &server, 0, TLS_13, NULL);
	tls_pop2_login(&client, "#1 ");
	ATF_REQUIRE(gnutls_session_get_data2(client.session, &ticket) == 0);
	keys = children_pid(&server, "postern-keys", 0);
	ATF_REQUIRE(kill(keys, SIGSTOP) == 0);
	for (attempt = 0; attempt < 3; attempt++) {
		ATF_CHECK(tls_try(&other, &server, 0, TLS_13, NULL) != 0);
		tls_end(&other);
	}
	log_must_have(&server, "no signature within");
	tls_say(&client, "READ 1", "=23 ");
	fd = pop2_login(&server, 1, ANN, ANN_QUOTED, "#0 ");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	/* Who has a ticket needs no signature. */
	fd = client_connect(&server, 0);
	ATF_REQUIRE(tls_begin_on(&other, fd, TLS_13, NULL, &ticket) == 0);
	tls_expect_line(&other, "+ POP2");
	tls_end(&other);
	ATF_REQUIRE(kill(keys, SIGCONT) == 0);
	for (attempt = 0; attempt < 500; attempt++) {
		if (tls_try(&other, &server, 0, TLS_13, NULL) == 0)
			break;
		tls_end(&other);
		pause_ms(10);
	}
	ATF_REQUIRE(attempt < 500);
	tls_end(&other);
	tls_say(&client, "QUIT", "+");
	tls_expect_close(&client);
	gnutls_free(ticket.data);
	server_stop(&server);
}

/* postern-keys by itself: this process is its parent and its net. */
struct keys {
	pid_t pid;
	int control;
	int net[2];		/* this side's ends */
	uint32_t id;		/* of its certificate */
	char log[65536];
};

static struct ipc_message heard;

/* One message; what is for the log goes there. */
static void
receive(struct keys *keys, int fd)
{
	ATF_REQUIRE_MSG(ipc_receive(fd, &heard) == 1, "postern-keys has "
	    "ended:\n%s", keys->log);
	if (heard.header.type != IPC_LOG)
		return;
	(void)strlcat(keys->log, IPC_PAYLOAD(&heard, ipc_log)->text,
	    sizeof(keys->log));
	(void)strlcat(keys->log, "\n", sizeof(keys->log));
}

/* Waits for a message on `fd`, and hears what the log is told meanwhile. */
static void
hear(struct keys *keys, int fd, enum ipc_type wanted)
{
	struct pollfd polled[2] = { { fd, POLLIN, 0 },
	    { keys->control, POLLIN, 0 } };

	for (;;) {
		ATF_REQUIRE_MSG(poll(polled, 2, 10000) > 0, "no %s",
		    ipc_name(wanted));
		if (polled[1].revents != 0) {
			receive(keys, keys->control);
			if (fd == keys->control &&
			    heard.header.type == wanted)
				return;
		} else {
			receive(keys, fd);
			if (heard.header.type == wanted)
				return;
		}
	}
}

static void __attribute__((noreturn))
become_keys(const char *programs, int control)
{
	char path[700];
	const struct rlimit files = { 4096, 4096 };

	(void)dup2(control, CHILD_CONTROL);
	(void)close_range(CHILD_CONTROL + 1, ~0U, 0);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(KEYS_UID, KEYS_UID, KEYS_UID) == -1 ||
	    setresuid(KEYS_UID, KEYS_UID, KEYS_UID) == -1))
		_exit(1);
	(void)snprintf(path, sizeof(path), "%s/postern-keys", programs);
	(void)execl(path, path, (char *)NULL);
	_exit(127);
}

static void
start_keys(struct keys *keys)
{
	struct ipc_keys_config config;
	struct ipc_keys_pair pair;
	int control[2], net[2], files[2], i;
	char here[512];
	const char *programs;

	memset(keys, 0, sizeof(*keys));
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	ATF_REQUIRE(chmod(here, 0755) == 0);
	programs = programs_copy(here);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control) == 0);
	ATF_REQUIRE((keys->pid = fork()) != -1);
	if (keys->pid == 0)
		become_keys(programs, control[1]);
	(void)close(control[1]);
	keys->control = control[0];
	memset(&config, 0, sizeof(config));
	config.start.unprivileged = 1;
	ATF_REQUIRE(ipc_send(keys->control, IPC_KEYS_CONFIG, 0, &config,
	    NULL) == 0);
	memset(&pair, 0, sizeof(pair));
	pair.required = 1;
	(void)strlcpy(pair.name, "one.crt", sizeof(pair.name));
	files[0] = open("one.crt", O_RDONLY | O_CLOEXEC);
	files[1] = open("one.key", O_RDONLY | O_CLOEXEC);
	ATF_REQUIRE(files[0] != -1 && files[1] != -1);
	ATF_REQUIRE(ipc_send(keys->control, IPC_KEYS_PAIR, 0, &pair, files) ==
	    0);
	(void)close(files[0]);
	(void)close(files[1]);
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
		    0, net) == 0);
		keys->net[i] = net[0];
		ATF_REQUIRE(ipc_send(keys->control, IPC_KEYS_NET, 0,
		    &(struct ipc_net_index){ (uint32_t)i, 0 }, &net[1]) == 0);
		(void)close(net[1]);
	}
	ATF_REQUIRE(ipc_send(keys->control, IPC_START, 0, NULL, NULL) == 0);
	hear(keys, keys->control, IPC_STARTED);
	hear(keys, keys->net[0], IPC_KEYS_RENEWED);
	ATF_REQUIRE_EQ(1, IPC_PAYLOAD(&heard, ipc_keys_renewed)->count);
	ATF_REQUIRE(ipc_send(keys->net[0], IPC_CERTIFICATE_ASK, 0,
	    &(struct ipc_certificate_ask){ 0, 0 }, NULL) == 0);
	hear(keys, keys->net[0], IPC_CERTIFICATE_PIECE);
	keys->id = IPC_PAYLOAD(&heard, ipc_certificate_piece)->id;
}

static void
stop_keys(struct keys *keys)
{
	int status;

	(void)close(keys->control);
	ATF_REQUIRE(waitpid(keys->pid, &status, 0) == keys->pid);
	ATF_REQUIRE_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "it ended with %#x", (unsigned int)status);
	(void)close(keys->net[0]);
	(void)close(keys->net[1]);
}

/* The length of the signature; 0: refused. */
static size_t
ask_to_sign(struct keys *keys, int net, uint32_t algorithm, uint32_t id,
    const void *content, uint32_t length)
{
	static uint64_t sequence = 1;
	struct ipc_sign wanted;

	memset(&wanted, 0, sizeof(wanted));
	wanted.id = id;
	wanted.algorithm = algorithm;
	wanted.length = length;
	memcpy(wanted.content, content, length < sizeof(wanted.content) ?
	    length : sizeof(wanted.content));
	ATF_REQUIRE(ipc_send(keys->net[net], IPC_SIGN, ++sequence, &wanted,
	    NULL) == 0);
	hear(keys, keys->net[net], IPC_SIGNED);
	ATF_REQUIRE(heard.header.session == sequence);
	return (IPC_PAYLOAD(&heard, ipc_signature)->length);
}

static void
must_log(struct keys *keys, const char *text)
{
	while (strstr(keys->log, text) == NULL)
		hear(keys, keys->control, IPC_LOG);
}

static unsigned char content[SIGN_CONTENT_SIZE];

/* Algorithm, octets: what a key of this kind may be asked for. */
struct asked {
	gnutls_sign_algorithm_t algorithm;
	uint32_t length;
	int good;
};

static const struct asked of_ec[] = {
	{ GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 32, 1 },
	{ GNUTLS_SIGN_ECDSA_SHA256, 32, 1 }, { GNUTLS_SIGN_ECDSA_SHA384, 48, 1 },
	{ GNUTLS_SIGN_ECDSA_SHA256, 31, 0 }, { GNUTLS_SIGN_ECDSA_SHA256, 33, 0 },
	{ GNUTLS_SIGN_ECDSA_SHA256, 0, 0 }, { GNUTLS_SIGN_ECDSA_SHA256, 64, 0 },
	{ GNUTLS_SIGN_ECDSA_SHA256, SIGN_CONTENT_SIZE, 0 },
	{ GNUTLS_SIGN_ECDSA_SHA256, SIGN_CONTENT_SIZE + 1, 0 },
	{ GNUTLS_SIGN_ECDSA_SHA256, UINT32_MAX, 0 },
	{ GNUTLS_SIGN_ECDSA_SHA1, 20, 0 }, { GNUTLS_SIGN_RSA_SHA256, 32, 0 },
	{ GNUTLS_SIGN_RSA_RAW, 32, 0 }, { GNUTLS_SIGN_EDDSA_ED25519, 130, 0 },
	{ GNUTLS_SIGN_UNKNOWN, 32, 0 }, { (gnutls_sign_algorithm_t)9999, 32, 0 },
}, of_rsa[] = {
	{ GNUTLS_SIGN_RSA_SHA256, 32, 1 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 32, 1 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 64, 1 },
	/* Whatever the octets are: that would be the bare key. */
	{ GNUTLS_SIGN_RSA_RAW, 51, 0 }, { GNUTLS_SIGN_RSA_RAW, 32, 0 },
	{ GNUTLS_SIGN_RSA_SHA256, 51, 0 }, { GNUTLS_SIGN_RSA_SHA1, 20, 0 },
	{ GNUTLS_SIGN_RSA_MD5, 16, 0 }, { GNUTLS_SIGN_RSA_SHA224, 28, 0 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 48, 0 },
	{ GNUTLS_SIGN_ECDSA_SHA256, 32, 0 },
};

static void
try_all(struct keys *keys, const struct asked *asked, size_t count)
{
	size_t i, length;
	uint32_t id;

	for (i = 0; i < count; i++) {
		length = ask_to_sign(keys, 0, asked[i].algorithm, keys->id,
		    content, asked[i].length);
		ATF_CHECK_MSG((length > 0) == asked[i].good, "%s of %u octets "
		    "is %s", gnutls_sign_get_name(asked[i].algorithm),
		    asked[i].length, length > 0 ? "signed" : "refused");
	}
	for (id = 0; id < 5; id++)
		ATF_CHECK((ask_to_sign(keys, 0, asked[0].algorithm, id,
		    content, asked[0].length) > 0) == (id == keys->id));
	must_log(keys, "asked to sign what is not TLS; refused");
}

ATF_TC(signs_hashes_for_tls);
ATF_TC_HEAD(signs_hashes_for_tls, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(signs_hashes_for_tls, tc)
{
	struct keys keys;

	(void)tc;
	memset(content, 'x', sizeof(content));
	pair_make("one", EC, "DNS:one.example.org");
	start_keys(&keys);
	try_all(&keys, of_ec, COUNT(of_ec));
	stop_keys(&keys);
	pair_make("one", RSA, "DNS:one.example.org");
	start_keys(&keys);
	try_all(&keys, of_rsa, COUNT(of_rsa));
	stop_keys(&keys);
}

#define CONTEXT_13	"TLS 1.3, server CertificateVerify"

/* Fills in what TLS 1.3 signs; its length. */
static uint32_t
make_13(const char *context, uint32_t hash)
{
	const size_t length = strlen(context) + 1;

	memset(content, 'h', sizeof(content));
	memset(content, ' ', 64);
	memcpy(content + 64, context, length);
	return (64 + (uint32_t)length + hash);
}

static uint32_t
make_12(unsigned char type, unsigned char curve, unsigned char point)
{
	memset(content, 'r', sizeof(content));
	content[64] = type;
	content[65] = 0;
	content[66] = curve;
	content[67] = point;
	return (68 + point);
}

static size_t
sign_ed25519(struct keys *keys, uint32_t length)
{
	return (ask_to_sign(keys, 0, GNUTLS_SIGN_EDDSA_ED25519, keys->id,
	    content, length));
}

/* With Ed25519 it sees what it signs. */
ATF_TC(signs_contents_of_tls);
ATF_TC_HEAD(signs_contents_of_tls, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(signs_contents_of_tls, tc)
{
	struct keys keys;
	uint32_t length;

	(void)tc;
	pair_make("one", ED25519, "DNS:one.example.org");
	start_keys(&keys);
	ATF_CHECK_EQ(64, sign_ed25519(&keys, make_13(CONTEXT_13, 32)));
	ATF_CHECK_EQ(64, sign_ed25519(&keys, make_13(CONTEXT_13, 48)));
	ATF_CHECK_EQ(64, sign_ed25519(&keys, make_12(3, 23, 65)));
	ATF_CHECK_EQ(64, sign_ed25519(&keys, make_12(3, 24, 97)));
	ATF_CHECK_EQ(64, sign_ed25519(&keys, make_12(3, 29, 32)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_13(CONTEXT_13, 31)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_13(CONTEXT_13, 64)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_13(CONTEXT_13, 0)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_13("TLS 1.3, client "
	    "CertificateVerify", 32)));
	length = make_13(CONTEXT_13, 32);
	content[63] = 'x';
	ATF_CHECK_EQ(0, sign_ed25519(&keys, length));
	length = make_13(CONTEXT_13, 32);
	content[64 + strlen(CONTEXT_13)] = 1;
	ATF_CHECK_EQ(0, sign_ed25519(&keys, length));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_12(1, 23, 65)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_12(3, 23, 64)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_12(3, 21, 57)));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_12(3, 29, 32) + 1));
	ATF_CHECK_EQ(0, sign_ed25519(&keys, make_12(3, 29, 32) - 1));
	memset(content, 'x', sizeof(content));
	for (length = 0; length <= SIGN_CONTENT_SIZE; length++)
		ATF_CHECK_EQ(0, sign_ed25519(&keys, length));
	must_log(&keys, "asked to sign what is not TLS; refused");
	stop_keys(&keys);
}

/* Messages that are no net's, and a net that does not listen. */
ATF_TC(hostile_net);
ATF_TC_HEAD(hostile_net, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "openssl");
}
ATF_TC_BODY(hostile_net, tc)
{
	static unsigned char payload[IPC_MESSAGE_MAX];
	static const struct ipc_certificate_ask asks[] = { { 1, 0 },
	    { UINT32_MAX, 0 }, { 0, UINT32_MAX }, { 0, CHAIN_SIZE } };
	const int files[2] = { STDIN_FILENO, STDIN_FILENO };
	const struct ipc_sign empty = { 0, 0, 0, 0, { 0 } };
	struct keys keys;
	uint32_t type;
	size_t i;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start_keys(&keys);
	/* What there is not has no answer: the next one is the signature. */
	for (i = 0; i < COUNT(asks); i++) {
		ATF_REQUIRE(ipc_send(keys.net[0], IPC_CERTIFICATE_ASK, 0,
		    &asks[i], NULL) == 0);
		ATF_CHECK(ask_to_sign(&keys, 0, GNUTLS_SIGN_ECDSA_SHA256,
		    keys.id, content, 32) > 0);
	}
	for (type = 0; type < IPC_TYPES; type++) {
		(void)ipc_send(keys.net[0], (enum ipc_type)type, 1, payload,
		    files);
		ATF_CHECK(ask_to_sign(&keys, 1, GNUTLS_SIGN_ECDSA_SHA256,
		    keys.id, content, 32) > 0);
	}
	(void)send(keys.net[0], payload, 3, MSG_NOSIGNAL);
	/* Answers that nobody takes do not hold it up. */
	for (i = 0; i < 5000; i++) {
		(void)ipc_send(keys.net[0], IPC_SIGN, i, &empty, NULL);
		(void)ipc_send(keys.net[0], IPC_CERTIFICATE_ASK, 0,
		    &(struct ipc_certificate_ask){ 0, 0 }, NULL);
	}
	ATF_CHECK(ask_to_sign(&keys, 1, GNUTLS_SIGN_ECDSA_SHA256, keys.id,
	    content, 32) > 0);
	(void)close(keys.net[0]);
	keys.net[0] = -1;
	ATF_CHECK(ask_to_sign(&keys, 1, GNUTLS_SIGN_ECDSA_SHA256, keys.id,
	    content, 32) > 0);
	must_log(&keys, "event=ipc from=net index=0");
	stop_keys(&keys);
}

static void
never_ready(void)
{
	atf_tc_fail("what is no certificate was taken for one");
}

/* Net hears what was sent to it; what it then asks for, or -1. */
static int64_t
asked_for(int keys)
{
	static struct ipc_message message;
	int64_t offset = -1;

	(void)event_loop(EVLOOP_NONBLOCK);
	if (ipc_receive(keys, &message) == 1) {
		ATF_REQUIRE_EQ(IPC_CERTIFICATE_ASK, message.header.type);
		offset = IPC_PAYLOAD(&message, ipc_certificate_ask)->offset;
		ipc_release(&message);
	}
	return (offset);
}

/* Pieces that fit no chain: net keeps none, wherever they say they belong. */
ATF_TC_WITHOUT_HEAD(hostile_pieces);
ATF_TC_BODY(hostile_pieces, tc)
{
	static const struct {
		uint32_t number, offset, size, length;
	} bad[] = {
		{ 0, 4096, 4095, 4096 },	/* its end is before it */
		{ 0, 4096, 0, 4096 },
		{ 0, 4096, 0, 1 },
		{ 0, 4096, 4096, 1 },
		{ 0, 4096, 8191, 4096 },
		{ 0, 4096, CHAIN_SIZE, 0 },
		{ 0, 4096, CHAIN_SIZE, CHAIN_PIECE_SIZE + 1 },
		{ 0, 4096, CHAIN_SIZE, UINT32_MAX },
		{ 0, 4096, CHAIN_SIZE + 1, 4096 },
		{ 0, 4096, UINT32_MAX, 4096 },
		{ 0, 0, CHAIN_SIZE, 4096 },
		{ 0, 8192, CHAIN_SIZE, 4096 },
		{ 1, 4096, CHAIN_SIZE, 4096 },
	};
	static struct ipc_certificate_piece piece;
	const struct ipc_keys_renewed renewed = { .count = 1 };
	uint32_t i;
	int ends[2];

	(void)tc;
	log_to_stderr("test");
	(void)event_init();
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
	    ends) == 0);
	keys_link_attach(ends[0], never_ready);
	ATF_REQUIRE(ipc_send(ends[1], IPC_KEYS_RENEWED, 0, &renewed, NULL) ==
	    0);
	ATF_REQUIRE_EQ(0, asked_for(ends[1]));
	memset(piece.bytes, 'x', sizeof(piece.bytes));
	for (i = 0; i < CHAIN_SIZE / CHAIN_PIECE_SIZE; i++) {
		piece.offset = i * CHAIN_PIECE_SIZE;
		piece.size = CHAIN_SIZE;
		piece.length = CHAIN_PIECE_SIZE;
		ATF_REQUIRE(ipc_send(ends[1], IPC_CERTIFICATE_PIECE, 0,
		    &piece, NULL) == 0);
		if (i > 0)
			continue;
		ATF_REQUIRE_EQ(4096, asked_for(ends[1]));
		for (size_t j = 0; j < COUNT(bad); j++) {
			piece.number = bad[j].number;
			piece.offset = bad[j].offset;
			piece.size = bad[j].size;
			piece.length = bad[j].length;
			ATF_REQUIRE(ipc_send(ends[1], IPC_CERTIFICATE_PIECE,
			    0, &piece, NULL) == 0);
			ATF_CHECK_EQ_MSG(-1, asked_for(ends[1]), "%zu", j);
		}
		piece.number = 0;
	}
	/* The pieces that fit came after that to their end; it is nothing. */
	for (i = 0; i < 20; i++)
		(void)event_loop(EVLOOP_NONBLOCK);
	ATF_CHECK(credentials_take() == NULL);
	(void)close(ends[1]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, key_is_nowhere_else);
	ATF_TP_ADD_TC(tp, key_retires);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, stopped);
	ATF_TP_ADD_TC(tp, signs_hashes_for_tls);
	ATF_TP_ADD_TC(tp, signs_contents_of_tls);
	ATF_TP_ADD_TC(tp, hostile_net);
	ATF_TP_ADD_TC(tp, hostile_pieces);
	return (atf_no_error());
}
