/*
 * tls_test.c - POP inside TLS, against openssl, gnutls-cli and a client of
 * its own: what is spoken, what is refused, and what survives a reload.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include <atf-c.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"
#include "tls_client.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* Ports of every server here. */
enum { POP2_TLS, POP1_TLS, CLEAR };
#define LISTENERS							\
	"listen pop2 127.0.0.1 port 0 tls\n"				\
	"listen pop1 127.0.0.1 port 0 tls\n"				\
	"listen auto 127.0.0.1 port 0\n"

static const char mail[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\n"
    "Subject: one\n\nfirst\n\n";

/* A server with the certificates of `first` and `second` (or NULL). */
static void
start(struct server *server, const char *first, const char *second,
    const char *extra)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), LISTENERS "%s%s%s",
	    pair_line(first), second != NULL ? pair_line(second) : "", extra);
	server_start(server, text);
	mailbox_write(server, FRED, mail, strlen(mail));
}

static void
start_plain(struct server *server)
{
	pair_make("one", EC, "DNS:one.example.org");
	start(server, "one", NULL, "");
}

/* A shell command's output; {} stands for a port, twice at the most. */
static char output[65536];

static int
shell(const char *format, int port)
{
	char line[2000];
	const char *const arguments[] = { "sh", "-c", line, NULL };

	(void)snprintf(line, sizeof(line), "port=%d; %s", port, format);
	return (run(arguments, NULL, output, sizeof(output)));
}

static void
output_must_have(const char *text)
{
	ATF_REQUIRE_MSG(strstr(output, text) != NULL, "no \"%s\" in:\n%s",
	    text, output);
}

#define TOOL_CASE(name, tools)						\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "require.progs", tools);			\
	atf_tc_set_md_var(tc, "timeout", "60");				\
}									\
ATF_TC_BODY(name, tc)

#define TLS_CASE(name)	TOOL_CASE(name, "openssl")

/* Whole sessions; commands may be sent ahead. */
TOOL_CASE(openssl_speaks, "openssl timeout")
{
	struct server server;

	(void)tc;
	start_plain(&server);
	(void)shell("printf 'HELO fred secret\\r\\nREAD 1\\r\\nRETR\\r\\n"
	    "ACKS\\r\\nQUIT\\r\\n' | timeout 20 openssl s_client -quiet "
	    "-verify_return_error -CAfile one.crt -verify_hostname "
	    "one.example.org -connect 127.0.0.1:$port",
	    server.ports[POP2_TLS]);
	output_must_have("+ POP2 post.example.org Postern\r\n#1 message\r\n"
	    "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=0 no message\r\n+ OK bye\r\n");
	(void)shell("printf 'USER fred\\r\\nPASS secret\\r\\nRETR fred\\r\\n"
	    "RCEV\\r\\nRCVD\\r\\nQUIT\\r\\n' | timeout 20 openssl s_client "
	    "-quiet -tls1_2 -connect 127.0.0.1:$port",
	    server.ports[POP1_TLS]);
	output_must_have("+OK\r\n+OK\r\n+OK\r\n#70\r\nFrom a@example.org Sat "
	    "Nov 21 23:33:00 2026\r\nSubject: one\r\n\r\nfirst\r\n\r\n"
	    "+OK\r\n+OK\r\n");
	log_must_have(&server, "version=TLS1.2 ");
	log_must_have(&server, "version=TLS1.3 ");
	server_stop(&server);
}

TOOL_CASE(gnutls_speaks, "openssl gnutls-cli timeout")
{
	struct server server;

	(void)tc;
	start_plain(&server);
	(void)shell("(printf 'HELO fred secret\\r\\nREAD 1\\r\\nRETR\\r\\n"
	    "ACKS\\r\\nQUIT\\r\\n'; sleep 2) | timeout 20 gnutls-cli "
	    "--x509cafile one.crt --sni-hostname one.example.org "
	    "--verify-hostname one.example.org --port $port 127.0.0.1",
	    server.ports[POP2_TLS]);
	output_must_have("Status: The certificate is trusted.");
	output_must_have("#1 message\r\n=23 characters\r\nSubject: one\r\n");
	output_must_have("+ OK bye\r\n");
	log_must_have(&server, "name=one.example.org resumed=no");
	server_stop(&server);
}

/* Kinds of key, each with both versions. */
TLS_CASE(kinds_of_key)
{
	static const char *const kinds[] = { EC, RSA, ED25519,
	    "ec -pkeyopt ec_paramgen_curve:P-384",
	    "ec -pkeyopt ec_paramgen_curve:P-521", "rsa:3072",
	    "rsa-pss -pkeyopt rsa_keygen_bits:2048" };
	static const char *const versions[] = { TLS_12, TLS_13 };
	struct server server;
	struct tls_client client;
	size_t i, j;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "one", NULL, "net-processes 1\n");
	for (i = 0; i < COUNT(kinds); i++) {
		pair_make("next", kinds[i], "DNS:next.example.org");
		pair_replace("one", "next");
		ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
		for (j = 0; j < 500; j++) {
			tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
			if (tls_shows(&client, "next"))
				break;
			tls_end(&client);
			pause_ms(10);
		}
		ATF_REQUIRE(j < 500);
		tls_end(&client);
		for (j = 0; j < COUNT(versions); j++) {
			tls_connect(&client, &server, POP2_TLS, versions[j],
			    NULL);
			ATF_REQUIRE(tls_shows(&client, "next"));
			tls_pop2_login(&client, "#1 ");
			tls_say(&client, "QUIT", "+");
			tls_expect_close(&client);
		}
	}
	server_stop(&server);
}

static const struct {
	const char *priority;
	int good;
} priorities[] = {
	{ TLS_13, 1 }, { TLS_12, 1 },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.1", 0 },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.0", 0 },
	/* The key never decrypts; a share for each connection. */
	{ TLS_12 ":-KX-ALL:+RSA", 0 },
	{ TLS_12 ":-KX-ALL:+DHE-RSA", 0 },
	{ TLS_12 ":-KX-ALL:+ANON-ECDH", 0 },
	{ TLS_12 ":-KX-ALL:+ECDHE-RSA", 1 },
	{ TLS_12 ":-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC:-MAC-ALL:+SHA1", 0 },
	{ TLS_12 ":-CIPHER-ALL:+3DES-CBC:+ARCFOUR-128", 0 },
	{ TLS_12 ":-CIPHER-ALL:+AES-128-CCM", 0 },
	{ TLS_12 ":-CIPHER-ALL:+AES-128-GCM", 1 },
	{ TLS_12 ":-CIPHER-ALL:+CHACHA20-POLY1305", 1 },
	{ TLS_13 ":-CIPHER-ALL:+CHACHA20-POLY1305", 1 },
	{ TLS_12 ":-SIGN-ALL:+SIGN-RSA-SHA1", 0 },
	{ TLS_12 ":-SIGN-ALL:+SIGN-RSA-SHA256", 1 },
	{ TLS_12 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA384", 1 },
	{ TLS_13 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-SHA256", 1 },
	{ TLS_13 ":-GROUP-ALL:+GROUP-SECP256R1", 1 },
	{ TLS_13 ":-GROUP-ALL:+GROUP-SECP384R1", 1 },
	{ TLS_13 ":-GROUP-ALL:+GROUP-FFDHE2048", 0 },
};

TLS_CASE(versions_and_suites)
{
	struct server server;
	struct tls_client client;
	size_t i;
	int error;

	(void)tc;
	pair_make("one", RSA, "DNS:one.example.org");
	start(&server, "one", NULL, "");
	for (i = 0; i < COUNT(priorities); i++) {
		error = tls_try(&client, &server, POP2_TLS,
		    priorities[i].priority, NULL);
		ATF_CHECK_MSG((error == 0) == priorities[i].good, "%s: %s",
		    priorities[i].priority, gnutls_strerror(error));
		tls_end(&client);
	}
	/* openssl would allow them all, were it up to the client. */
	for (i = 0; i < 2; i++) {
		(void)shell(i == 0 ? "openssl s_client -tls1 -cipher "
		    "ALL:@SECLEVEL=0 -connect 127.0.0.1:$port </dev/null" :
		    "openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 "
		    "-connect 127.0.0.1:$port </dev/null",
		    server.ports[POP2_TLS]);
		output_must_have("alert protocol version");
	}
	log_must_have(&server, "event=tls-failed session=");
	tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
	tls_expect_line(&client, "+ POP2");
	tls_end(&client);
	server_stop(&server);
}

/* A client of TLS 1.2 that wants to begin anew loses its connection. */
TOOL_CASE(no_renegotiation, "openssl timeout")
{
	struct server server;
	struct tls_client client;
	char octet;
	int error;

	(void)tc;
	start_plain(&server);
	tls_connect(&client, &server, POP2_TLS, TLS_12, NULL);
	tls_expect_line(&client, "+ POP2 ");
	do
		error = gnutls_handshake(client.session);
	while (error == GNUTLS_E_GOT_APPLICATION_DATA ||
	    error == GNUTLS_E_AGAIN);
	ATF_CHECK_MSG(error < 0, "it was renegotiated");
	ATF_CHECK(tls_receive(&client, &octet, 1) <= 0);
	tls_end(&client);
	(void)shell("(sleep 1; echo R; sleep 1) | timeout 20 openssl s_client "
	    "-tls1_2 -connect 127.0.0.1:$port", server.ports[POP2_TLS]);
	output_must_have("RENEGOTIATING");
	output_must_have("alert no renegotiation");
	server_stop(&server);
}

static const struct {
	const char *name;	/* asked for; NULL: none */
	const char *shown;
} sni[] = {
	{ "one.example.org", "one" }, { "two.example.org", "two" },
	{ "ONE.example.org", "one" }, { "also.example.org", "two" },
	{ "a.wild.example.org", "two" }, { "a.b.wild.example.org", "one" },
	{ "wild.example.org", "one" }, { "other.example.org", "one" },
	{ "localhost", "one" }, { NULL, "one" },
};

TLS_CASE(names_choose)
{
	struct server server;
	struct tls_client client;
	size_t i, version;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	pair_make("two", RSA, "DNS:two.example.org,DNS:also.example.org,"
	    "DNS:*.wild.example.org");
	start(&server, "one", "two", "");
	for (i = 0; i < COUNT(sni); i++)
		for (version = 0; version < 2; version++) {
			tls_connect(&client, &server, POP2_TLS,
			    version == 0 ? TLS_12 : TLS_13, sni[i].name);
			ATF_CHECK_MSG(tls_shows(&client, sni[i].shown),
			    "%s: not the certificate of %s",
			    sni[i].name != NULL ? sni[i].name : "no name",
			    sni[i].shown);
			tls_end(&client);
		}
	/* Who cannot verify the first gets the other, whatever its name. */
	tls_connect(&client, &server, POP2_TLS,
	    TLS_12 ":-SIGN-ALL:+SIGN-RSA-SHA256", NULL);
	ATF_CHECK(tls_shows(&client, "two"));
	tls_end(&client);
	/* Also when it asks for the name of the one it cannot verify. */
	tls_connect(&client, &server, POP2_TLS,
	    TLS_12 ":-SIGN-ALL:+SIGN-RSA-SHA256", "one.example.org");
	ATF_CHECK(tls_shows(&client, "two"));
	tls_end(&client);
	server_stop(&server);
}

/* Waits until new connections are shown this certificate. */
static void
must_show(const struct server *server, const char *name)
{
	struct tls_client client;
	int attempt, shown = 0, in_row = 0;

	/* Each net process learns of it by itself. */
	for (attempt = 0; attempt < 500 && in_row < 8; attempt++) {
		tls_connect(&client, server, POP2_TLS, TLS_13, NULL);
		shown = tls_shows(&client, name);
		in_row = shown ? in_row + 1 : 0;
		tls_end(&client);
		if (!shown)
			pause_ms(10);
	}
	ATF_REQUIRE_MSG(in_row == 8, "the certificate of %s does not come",
	    name);
}

/* A client that does not trust the certificate is told of as that. */
TLS_CASE(no_trust)
{
	struct server server;

	(void)tc;
	start_plain(&server);
	/* By TLS 1.3 its alert comes before its keys are in use. */
	(void)shell("openssl s_client -tls1_3 -verify_return_error -connect "
	    "127.0.0.1:$port </dev/null", server.ports[POP2_TLS]);
	output_must_have("verify error");
	log_must_have(&server, "or the client does not trust the certificate");
	(void)shell("openssl s_client -tls1_2 -verify_return_error -connect "
	    "127.0.0.1:$port </dev/null", server.ports[POP2_TLS]);
	log_must_have(&server, "reason=\"the client broke off: ");
	server_stop(&server);
}

/* SIGHUP: sessions go on, new ones see the new certificate. */
TLS_CASE(reload)
{
	struct server server;
	struct tls_client before, shaking, after;
	int clear;

	(void)tc;
	start_plain(&server);
	tls_connect(&before, &server, POP2_TLS, TLS_13, NULL);
	tls_pop2_login(&before, "#1 ");
	clear = client_connect(&server, CLEAR);
	client_expect_line(clear, "+ POP2 ");
	tls_connect(&shaking, &server, POP1_TLS, TLS_12, NULL);
	pair_make("next", RSA, "DNS:one.example.org");
	pair_replace("one", "next");
	ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
	must_show(&server, "next");
	tls_say(&before, "READ 1", "=23 ");
	tls_send(&before, "RETR\r\n");
	tls_expect(&before, "Subject: one\r\n\r\nfirst\r\n");
	tls_say(&before, "ACKD", "=0");
	tls_expect_line(&shaking, "+OK");
	tls_say(&shaking, "USER " FRED, "+OK");
	/* And once more, while the sessions still are there. */
	pair_make("third", EC, "DNS:one.example.org");
	pair_replace("one", "third");
	ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
	must_show(&server, "third");
	tls_say(&before, "QUIT", "+");
	tls_expect_close(&before);
	mailbox_must_be(&server, FRED, "", 0);
	tls_say(&shaking, "QUIT", "+OK");
	tls_expect_close(&shaking);
	client_say(clear, "QUIT", "+");
	client_expect_close(clear);
	tls_connect(&after, &server, POP2_TLS, TLS_13, NULL);
	tls_pop2_login(&after, "#0 ");
	tls_end(&after);
	server_stop(&server);
}

static const struct {
	const char *what;	/* done to one.crt and one.key */
	const char *said;
} broken[] = {
	{ "openssl ecparam -genkey -name prime256v1 -noout >one.key",
	    "the key is not this certificate's" },
	{ ": >one.key", "one.crt error=\"its key file has no key" },
	{ ": >one.crt", "one.crt error=" },
	{ "echo nonsense >one.crt", "one.crt error=" },
	{ "head -c 100 next.key >one.key", "its key file has no key" },
	{ "head -c 70000 /dev/zero >one.crt", "the file is too long" },
	{ "openssl pkcs8 -topk8 -in next.key -passout pass:x >one.key",
	    "passphrase" },
	{ "openssl req -x509 -newkey rsa:1024 -nodes -keyout one.key "
	    "-out one.crt -days 1 -subj /CN=x 2>/dev/null",
	    "the RSA key is too short" },
	{ "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-224 "
	    "-nodes -keyout one.key -out one.crt -days 1 -subj /CN=x "
	    "2>/dev/null", "expected a key of P-256, P-384 or P-521" },
	{ "chmod 640 one.key", "mode 0600" },
	{ "chmod 604 one.key", "mode 0600" },
	{ "chmod 622 one.crt", "nobody else may write" },
	{ "rm one.key", "one.key error=\"No such file or directory\"" },
	{ "rm one.crt; mkdir one.crt", "one.crt error=\"expected a regular" },
	{ "rm one.key; mkfifo one.key; chmod 600 one.key", "mode 0600" },
};

static void
restore_pair(void)
{
	(void)shell("rm -rf one.crt one.key; umask 077; cp next.crt one.crt; "
	    "cp next.key one.key", 0);
}

/* What cannot be used changes nothing, and is told. */
TLS_CASE(broken_pairs_change_nothing)
{
	struct server server;
	struct tls_client client;
	size_t i, length;
	char *log;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	pair_make("two", EC, "DNS:two.example.org");
	(void)shell("cp one.crt next.crt; cp one.key next.key", 0);
	start(&server, "one", "two", "");
	for (i = 0; i < COUNT(broken); i++) {
		free(file_read(server.log, &length));
		(void)shell(broken[i].what, 0);
		/* The other one is renewed all the same. */
		pair_make("fresh", EC, "DNS:two.example.org");
		pair_replace("two", "fresh");
		ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
		do {
			tls_connect(&client, &server, POP2_TLS, TLS_13,
			    "two.example.org");
			if (tls_shows(&client, "fresh"))
				break;
			tls_end(&client);
			pause_ms(10);
		} while (1);
		tls_expect_line(&client, "+ POP2 ");
		tls_end(&client);
		log = file_read(server.log, NULL);
		ATF_CHECK_MSG(strstr(log + length, broken[i].said) != NULL,
		    "%s: no \"%s\" in:\n%s", broken[i].what, broken[i].said,
		    log + length);
		free(log);
		must_show(&server, "next");
		restore_pair();
	}
	server_stop(&server);
}

/* At the start the daemon says what is wrong and does not run. */
TLS_CASE(broken_pairs_do_not_start)
{
	struct server server;
	char programs[300];
	const char *arguments[] = { "timeout", "20", NULL, "-d", "-f",
	    server.config, "-l", programs, NULL };
	size_t i;
	int status;

	(void)tc;
	pair_make("next", EC, "DNS:one.example.org");
	restore_pair();
	server_prepare(&server, pair_line("one"));
	arguments[2] = program("posternd");
	(void)snprintf(programs, sizeof(programs), "%s/libexec",
	    server.directory);
	for (i = 0; i < COUNT(broken); i++) {
		(void)shell(broken[i].what, 0);
		status = run(arguments, NULL, output, sizeof(output));
		ATF_CHECK_MSG(status == 1, "%s: status %d:\n%s",
		    broken[i].what, status, output);
		output_must_have(broken[i].said);
		ATF_CHECK(strstr(output, "event=ready") == NULL);
		restore_pair();
	}
	server_run(&server);
	server_stop(&server);
}

/* A file with certificate and key in one shows the certificate alone. */
TLS_CASE(one_file_for_both)
{
	struct server server;
	struct tls_client client;
	char text[4096], here[512];

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	(void)shell("umask 077; cat one.key one.crt >both.pem", 0);
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	(void)snprintf(text, sizeof(text), LISTENERS "tls-certificate "
	    "%s/both.pem key %s/both.pem\n", here, here);
	server_start(&server, text);
	tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
	ATF_CHECK(tls_shows(&client, "one"));
	tls_expect_line(&client, "+ POP2 ");
	tls_end(&client);
	server_stop(&server);
}

/* One session's ticket is good in every net process, by both versions. */
TLS_CASE(resumption_across_nets)
{
	static const char *const versions[] = { TLS_12, TLS_13 };
	struct server server;
	struct tls_client client;
	gnutls_datum_t ticket;
	pid_t nets[2];
	size_t i;
	int from, fd;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "one", NULL, "net-processes 2\n");
	nets[0] = children_pid(&server, "postern-net", 0);
	nets[1] = children_pid(&server, "postern-net", 1);
	for (i = 0; i < 2 * COUNT(versions); i++) {
		from = (int)(i % 2);
		ATF_REQUIRE(kill(nets[1 - from], SIGSTOP) == 0);
		tls_connect(&client, &server, POP2_TLS, versions[i / 2],
		    "one.example.org");
		tls_pop2_login(&client, "#1 ");
		ATF_CHECK(!gnutls_session_is_resumed(client.session));
		ATF_REQUIRE(gnutls_session_get_data2(client.session,
		    &ticket) == 0);
		tls_say(&client, "QUIT", "+");
		tls_expect_close(&client);
		ATF_REQUIRE(kill(nets[1 - from], SIGCONT) == 0);
		ATF_REQUIRE(kill(nets[from], SIGSTOP) == 0);
		fd = client_connect(&server, POP2_TLS);
		ATF_REQUIRE(tls_begin_on(&client, fd, versions[i / 2],
		    "one.example.org", &ticket) == 0);
		tls_pop2_login(&client, "#1 ");
		ATF_CHECK(gnutls_session_is_resumed(client.session));
		tls_say(&client, "QUIT", "+");
		tls_expect_close(&client);
		ATF_REQUIRE(kill(nets[from], SIGCONT) == 0);
		gnutls_free(ticket.data);
	}
	log_must_have(&server, "resumed=yes");
	server_stop(&server);
}

/* Who may not log in in clear text may by TLS. */
TLS_CASE(clear_text_policy)
{
	struct server server;
	struct tls_client client;
	int fd;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "one", NULL, "cleartext none\n");
	fd = client_connect(&server, CLEAR);
	client_expect_line(fd, "- passwords in clear text are not accepted");
	client_expect_close(fd);
	tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
	tls_pop2_login(&client, "#1 ");
	tls_end(&client);
	tls_connect(&client, &server, POP1_TLS, TLS_13, NULL);
	tls_expect_line(&client, "+OK");
	tls_say(&client, "USER " FRED, "+OK");
	tls_say(&client, "PASS " FRED_PASSWORD, "+OK");
	tls_end(&client);
	server_stop(&server);
}

/* What is no TLS ends that connection and disturbs nobody. */
TLS_CASE(garbage)
{
	static const struct {
		const char *octets;
		size_t length;
	} sent[] = {
		{ "HELO fred secret\r\n", 18 }, { "\0\0\0\0\0\0\0\0\0", 9 },
		{ "GET / HTTP/1.0\r\n\r\n", 18 },
		{ "\x16\x03\x01\xff\xff\x01\xff\xff\xff", 9 },
		{ "\x16\x03\x01\x00\x00", 5 },
		{ "\x15\x03\x01\x00\x02\x02\x28", 7 },
		{ "\x17\x03\x03\x00\x05hello", 10 },
		{ "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11 },
		{ "\x16\x03\x01\x00\x04\x0e\x00\x00\x00", 9 },
		{ "\x14\x03\x01\x00\x01\x01", 6 },
	};
	struct server server;
	struct tls_client client;
	char octets[600];
	size_t i;
	int fd;

	(void)tc;
	start_plain(&server);
	tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
	tls_pop2_login(&client, "#1 ");
	for (i = 0; i < COUNT(sent); i++) {
		fd = client_connect(&server, POP2_TLS);
		client_send_bytes(fd, sent[i].octets, sent[i].length);
		/* It may have closed by now. */
		ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0 || errno == ENOTCONN);
		/* Nothing but an alert, and never a greeting. */
		while (recv(fd, octets, sizeof(octets), 0) > 0)
			ATF_CHECK_MSG(octets[0] == 0x15, "to garbage %zu it "
			    "said %d", i, octets[0]);
		(void)close(fd);
	}
	log_must_have(&server, "event=tls-failed");
	tls_say(&client, "READ 1", "=23 ");
	tls_say(&client, "QUIT", "+");
	tls_expect_close(&client);
	server_stop(&server);
}

/* Half a handshake, or none, does not outlast login-timeout. */
TLS_CASE(half_a_handshake)
{
	struct server server;
	char octet;
	int whole, half;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "one", NULL, "login-timeout 1\n");
	whole = client_connect(&server, POP2_TLS);
	half = client_connect(&server, POP2_TLS);
	client_send_bytes(half, "\x16\x03\x01\x01\x00\x01\x00", 7);
	ATF_CHECK(recv(whole, &octet, 1, 0) == 0);
	ATF_CHECK(recv(half, &octet, 1, 0) == 0);
	(void)close(whole);
	(void)close(half);
	log_must_have(&server, "reason=\"timeout\"");
	server_stop(&server);
}

/* A handshake in pieces of one octet, and lines in as many records. */
TLS_CASE(dribble)
{
	struct server server;
	struct tls_client client;
	const char *c;
	int fd, on = 1;

	(void)tc;
	start_plain(&server);
	fd = client_connect(&server, POP2_TLS);
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &on, sizeof(on)) ==
	    0);
	ATF_REQUIRE(tls_begin_on(&client, fd, TLS_13, NULL, NULL) == 0);
	tls_expect_line(&client, "+ POP2 ");
	for (c = "HELO fred secret\r\n"; *c != '\0'; c++)
		tls_send(&client, (char[]){ *c, '\0' });
	tls_expect_line(&client, "#1 ");
	/* Many commands in one record: none is lost in the library. */
	tls_send(&client, "READ 1\r\nRETR\r\nACKS\r\nREAD 1\r\nRETR\r\n"
	    "NACK\r\nQUIT\r\n");
	tls_expect(&client, "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=0 no message\r\n=23 characters\r\nSubject: one\r\n\r\n"
	    "first\r\n=23 characters\r\n+ OK bye\r\n");
	tls_expect_close(&client);
	server_stop(&server);
}

/* As many as a record has room for, read from the library piece by piece. */
TLS_CASE(full_record)
{
	enum { LINES = 1900 };
	static char lines[LINES * 8 + 7];
	struct server server;
	struct tls_client client;
	int i;

	(void)tc;
	start_plain(&server);
	tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
	tls_expect_line(&client, "+ POP2 ");
	tls_send(&client, "HELO fred secret\r\n");
	tls_expect_line(&client, "#1 ");
	for (i = 0; i < LINES; i++)
		(void)strlcat(lines + 8 * i, "READ 1\r\n", 9);
	(void)strlcat(lines + 8 * LINES, "QUIT\r\n", 7);
	tls_send(&client, lines);
	for (i = 0; i < LINES; i++)
		tls_expect(&client, "=23 characters\r\n");
	tls_expect(&client, "+ OK bye\r\n");
	tls_expect_close(&client);
	server_stop(&server);
}

/* Others come between while the many lines of a record are answered. */
TLS_CASE(record_in_turns)
{
	enum { LINES = 1000, TURNS = 5, POP3_TLS = 3 };
	static char lines[LINES * 6 + 40];
	struct server server;
	struct tls_client many, other;
	int i, j, between = 0;
	char name[2][40], *log;
	pid_t net;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "one", NULL, "listen pop3 127.0.0.1 port 0 tls\n"
	    "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	for (i = 0; i < LINES; i++)
		(void)strlcat(lines + 6 * i, "UTF8\r\n", 7);
	for (i = 0; i < TURNS; i++) {
		tls_connect(&many, &server, POP3_TLS, TLS_13, NULL);
		tls_expect_line(&many, "+OK");
		tls_connect(&other, &server, POP3_TLS, TLS_13, NULL);
		tls_expect_line(&other, "+OK");
		(void)snprintf(lines + 6 * LINES, 40,
		    "USER many-%d\r\nQUIT\r\n", i);
		(void)snprintf(name[1], sizeof(name[1]),
		    "USER other-%d\r\nQUIT\r\n", i);
		ATF_REQUIRE(kill(net, SIGSTOP) == 0);
		tls_send(&many, lines);
		tls_send(&other, name[1]);
		ATF_REQUIRE(kill(net, SIGCONT) == 0);
		tls_expect_line(&other, "+OK");
		tls_expect_line(&other, "+OK");
		tls_expect_close(&other);
		for (j = 0; j < LINES + 2; j++)
			tls_expect_line(&many, "+OK");
		tls_expect_close(&many);
		/* Who came first is through first, if all is done at once. */
		(void)snprintf(name[0], sizeof(name[0]), "user=many-%d ", i);
		(void)snprintf(name[1], sizeof(name[1]), "user=other-%d ", i);
		log_must_have(&server, name[0]);
		log_must_have(&server, name[1]);
		log = file_read(server.log, NULL);
		between += strstr(log, name[1]) < strstr(log, name[0]);
		free(log);
	}
	ATF_CHECK_MSG(between > 0, "a record was answered in one turn");
	server_stop(&server);
}

/* More in one record than a line may have is refused as in clear text. */
TLS_CASE(long_lines)
{
	struct server server;
	struct tls_client client;
	char line[9000];

	(void)tc;
	start_plain(&server);
	memset(line, 'A', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	tls_connect(&client, &server, POP2_TLS, TLS_13, NULL);
	tls_expect_line(&client, "+ POP2 ");
	tls_send(&client, line);
	tls_expect_line(&client, "- the line is longer than 512 octets");
	tls_expect_close(&client);
	server_stop(&server);
}

#define LARGE	(24 * 1024 * 1024)

/* A sanitizer keeps the last 256 MB that were freed. */
#ifdef POSTERN_SANITIZED
#define GROWTH_KB	(256 * 1024)
#else
#define GROWTH_KB	1024
#endif

static long
resident_kb(pid_t pid)
{
	char value[64];

	ATF_REQUIRE(process_field(pid, "VmHWM", value, sizeof(value)) == 0);
	return (strtol(value, NULL, 10));
}

/*
 * A client that does not read costs net a record or two, not the mail; nor
 * does it miss any, also when it has asked for short records.
 */
TLS_CASE(large_and_slow)
{
	static const struct {
		const char *priority;
		size_t record;		/* octets; 0: as many as fit */
	} kinds[] = { { TLS_13, 0 }, { TLS_13, 512 }, { TLS_12, 512 },
	    { TLS_13, 4096 }, { TLS_12, 4096 } };
	static char box[LARGE + 200], got[65536];
	struct server server;
	struct tls_client client;
	size_t header, i, kind, have;
	ssize_t length;
	long before;
	pid_t net;

	(void)tc;
	pair_make("one", EC, "DNS:one.example.org");
	start(&server, "one", NULL, "net-processes 1\n");
	header = (size_t)snprintf(box, sizeof(box), "From a@example.org Sat "
	    "Nov 21 23:33:00 2026\n\n");
	for (i = 0; i < LARGE; i++)
		box[header + i] = i % 64 == 63 ? '\n' :
		    (char)('a' + (i / 64 + i) % 26);
	net = children_pid(&server, "postern-net", 0);
	for (kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		mailbox_write(&server, FRED, box, header + LARGE);
		tls_prepare(&client, client_connect(&server, POP1_TLS),
		    kinds[kind].priority, NULL, NULL);
		ATF_REQUIRE(kinds[kind].record == 0 ||
		    gnutls_record_set_max_size(client.session,
		    kinds[kind].record) == 0);
		ATF_REQUIRE_EQ(0, tls_shake_hands(&client));
		tls_expect_line(&client, "+OK");
		tls_say(&client, "USER " FRED, "+OK");
		tls_say(&client, "PASS " FRED_PASSWORD, "+OK");
		tls_say(&client, "RETR " FRED, "#");
		before = resident_kb(net);
		tls_send(&client, "RCEV\r\n");
		pause_ms(1000);
		ATF_CHECK_MSG(resident_kb(net) - before < GROWTH_KB, "net "
		    "grew by %ld KB for one slow client", resident_kb(net) -
		    before);
		/* The mailbox, with every LF as CRLF. */
		for (i = have = 0; i < header + LARGE;) {
			length = tls_receive(&client, got, sizeof(got));
			ATF_REQUIRE_MSG(length > 0, "%zu: after %zu octets: "
			    "%s", kind, have, gnutls_strerror((int)length));
			have += (size_t)length;
			for (ssize_t at = 0; at < length; at++) {
				if (got[at] == '\r')
					continue;
				ATF_REQUIRE_MSG(got[at] == box[i], "%zu: "
				    "octet %zu is wrong", kind, i);
				i++;
			}
		}
		tls_say(&client, "RCVD", "+OK");
		ATF_CHECK(resident_kb(net) - before < GROWTH_KB);
		tls_say(&client, "QUIT", "+OK");
		tls_expect_close(&client);
	}
	server_stop(&server);
}

/* A client that goes in the middle of everything, by TLS. */
TLS_CASE(client_gone)
{
	struct server server;
	struct tls_client client;
	int i;

	(void)tc;
	start_plain(&server);
	for (i = 0; i < 20; i++) {
		tls_connect(&client, &server, POP2_TLS, i % 2 ? TLS_12 :
		    TLS_13, NULL);
		tls_expect_line(&client, "+ POP2 ");
		tls_send(&client, "HELO fred secret\r\n");
		if (i % 4 >= 2)
			tls_expect_line(&client, "#1 ");
		if (i % 3 == 0)
			(void)gnutls_bye(client.session, GNUTLS_SHUT_WR);
		tls_end(&client);
	}
	children_must_be(&server, "postern-store", 0);
	mailbox_must_be(&server, FRED, mail, strlen(mail));
	server_stop(&server);
}

/* posternctl's first certificate serves. */
ATF_TC_WITHOUT_HEAD(selfsigned);
ATF_TC_BODY(selfsigned, tc)
{
	struct server server;
	struct tls_client client;
	struct stat status;
	char here[512], line[1400];
	const char *arguments[] = { program("posternctl"), "tls",
	    "-l", BUILD_DIRECTORY, "selfsigned", "-o", here, "one.example.org", "*.two.example.org",
	    NULL };
	char *first, *second;

	(void)tc;
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	ATF_REQUIRE_EQ(0, run(arguments, NULL, output, sizeof(output)));
	(void)snprintf(line, sizeof(line), "tls-certificate %s/tls.crt key "
	    "%s/tls.key\n", here, here);
	output_must_have(line);
	ATF_CHECK(stat("tls.key", &status) == 0 &&
	    (status.st_mode & 07777) == 0600);
	/* Nothing is overwritten by mistake. */
	first = file_read("tls.key", NULL);
	ATF_CHECK_EQ(1, run(arguments, NULL, output, sizeof(output)));
	output_must_have("exists; -f replaces it");
	second = file_read("tls.key", NULL);
	ATF_CHECK_STREQ(first, second);
	free(second);
	(void)strlcat(line, LISTENERS, sizeof(line));
	server_prepare(&server, line);
	server_run(&server);
	tls_connect(&client, &server, POP2_TLS, TLS_13, "x.two.example.org");
	ATF_CHECK(tls_shows(&client, "tls"));
	tls_end(&client);
	arguments[5] = "-fo";
	ATF_REQUIRE_EQ(0, run(arguments, NULL, output, sizeof(output)));
	second = file_read("tls.key", NULL);
	ATF_CHECK(strcmp(first, second) != 0);
	ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
	must_show(&server, "tls");
	free(first);
	free(second);
	server_stop(&server);
}

/* The line that is printed serves, whatever the directory's name. */
ATF_TC_WITHOUT_HEAD(selfsigned_blanks);
ATF_TC_BODY(selfsigned_blanks, tc)
{
	struct server server;
	char here[512], directory[600], line[1400];
	const char *arguments[] = { program("posternctl"), "tls",
	    "-l", BUILD_DIRECTORY, "selfsigned", "-o", directory,
	    "one.example.org", NULL };

	(void)tc;
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	(void)snprintf(directory, sizeof(directory), "%s/a # b", here);
	ATF_REQUIRE(mkdir(directory, 0755) == 0);
	ATF_REQUIRE_EQ_MSG(0, run(arguments, NULL, output, sizeof(output)),
	    "%s", output);
	(void)snprintf(line, sizeof(line), "tls-certificate \"%s/tls.crt\" "
	    "key \"%s/tls.key\"\n", directory, directory);
	output_must_have(line);
	ATF_REQUIRE(strcspn(output, "\n") < sizeof(line) - 200);
	(void)snprintf(line, sizeof(line), "%.*s\n" LISTENERS,
	    (int)strcspn(output, "\n"), output);
	server_prepare(&server, line);
	server_run(&server);
	must_show(&server, "a # b/tls");
	server_stop(&server);
}

/* Wrong use, and an output that nobody gets. */
ATF_TC_WITHOUT_HEAD(selfsigned_status);
ATF_TC_BODY(selfsigned_status, tc)
{
	static const struct {
		const char *option, *value, *said;
	} rows[] = {
		{ "-d", "0", "-d: expected a number of days from 1 to 3650" },
		{ "-d", "3651", "-d: expected a number of days" },
		{ "-d", "x", "-d: expected a number of days" },
		{ "-d", "", "-d: expected a number of days" },
		{ "-o", "here", "-o: expected an absolute path" },
		{ "-o", "", "-o: expected an absolute path" },
		{ "-o", "/nonexistent/a\"b", "without quotes" },
		{ "-o", "/nonexistent/a\nb", "without quotes" },
	};
	const char *arguments[] = { program("posternctl"), "tls",
	    "-l", BUILD_DIRECTORY, "selfsigned", NULL, NULL,
	    "one.example.org", NULL };
	const char *full[] = { "sh", "-c", NULL, NULL };
	char command[1400];
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		arguments[5] = rows[i].option;
		arguments[6] = rows[i].value;
		ATF_CHECK_EQ_MSG(2, run(arguments, NULL, output,
		    sizeof(output)), "row %zu: %s", i, output);
		output_must_have(rows[i].said);
	}
	if (access("/dev/full", W_OK) == -1)
		return;
	(void)snprintf(command, sizeof(command), "'%s' tls -l '%s' selfsigned "
	    "-o \"$(pwd)\" one.example.org >/dev/full",
	    program("posternctl"), BUILD_DIRECTORY);
	full[2] = command;
	ATF_CHECK_EQ(1, run(full, NULL, output, sizeof(output)));
	output_must_have("standard output: ");
	output_must_have("the certificate has been made");
	ATF_CHECK(access("tls.key", F_OK) == 0 &&
	    access("tls.crt", F_OK) == 0);
}

/* A client that asks for an address looks among addresses. */
TOOL_CASE(selfsigned_names, "openssl")
{
	static const char *const good[][2] = {
		{ "127.0.0.1", "IP Address:127.0.0.1" },
		{ "2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1" },
		{ "*.example.org", "DNS:*.example.org" },
		{ "1and1.example", "DNS:1and1.example" },
	};
	static const char *const bad[] = { "", "a*.example.org", "*", "*.",
	    "192.0.2.300", "10.1", "*.10.0.0.1", "1", "a..b", ".a", "a.",
	    "b.-a.b", "a-.b", "a b", "a.*.b", "*.*.b", "a_b",
	    "a234567890123456789012345678901234567890123456789012345678"
	    "901234.example" };
	const char *arguments[] = { "openssl", "x509", "-in", "tls.crt",
	    "-noout", "-ext", "subjectAltName", NULL };
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ATF_CHECK_EQ_MSG(0, selfsigned_make(good[i][0], output,
		    sizeof(output)), "%s: %s", good[i][0], output);
		ATF_REQUIRE_EQ(0, run(arguments, NULL, output,
		    sizeof(output)));
		output_must_have(good[i][1]);
		ATF_CHECK_MSG((strstr(output, "DNS:") == NULL) ==
		    (strstr(good[i][1], "DNS:") == NULL), "%s", output);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_CHECK_EQ_MSG(2, selfsigned_make(bad[i], output,
		    sizeof(output)), "%s", bad[i]);
		output_must_have("expected a host name or an address");
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, openssl_speaks);
	ATF_TP_ADD_TC(tp, gnutls_speaks);
	ATF_TP_ADD_TC(tp, kinds_of_key);
	ATF_TP_ADD_TC(tp, versions_and_suites);
	ATF_TP_ADD_TC(tp, no_renegotiation);
	ATF_TP_ADD_TC(tp, no_trust);
	ATF_TP_ADD_TC(tp, names_choose);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, broken_pairs_change_nothing);
	ATF_TP_ADD_TC(tp, broken_pairs_do_not_start);
	ATF_TP_ADD_TC(tp, one_file_for_both);
	ATF_TP_ADD_TC(tp, resumption_across_nets);
	ATF_TP_ADD_TC(tp, clear_text_policy);
	ATF_TP_ADD_TC(tp, garbage);
	ATF_TP_ADD_TC(tp, half_a_handshake);
	ATF_TP_ADD_TC(tp, dribble);
	ATF_TP_ADD_TC(tp, full_record);
	ATF_TP_ADD_TC(tp, record_in_turns);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, large_and_slow);
	ATF_TP_ADD_TC(tp, client_gone);
	ATF_TP_ADD_TC(tp, selfsigned);
	ATF_TP_ADD_TC(tp, selfsigned_blanks);
	ATF_TP_ADD_TC(tp, selfsigned_status);
	ATF_TP_ADD_TC(tp, selfsigned_names);
	return (atf_no_error());
}
