/*
 * stls_test.c - POP3 inside TLS, from the first octet or by STLS (RFC 2595).
 */
#include <atf-c.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../privsep/tls_client.h"
#include "limits_postern.h"
#include "pop3_client.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

enum { BY_STLS, AT_ONCE };
#define LISTENERS							\
	POP3 "listen pop3 127.0.0.1 port 0 tls\n"
#define REFUSED		"-ERR nothing may follow STLS in clear text"

static const char mail[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\n"
    "Subject: one\n\n.first\n\n"
    "From b@example.org Sat Nov 21 23:34:00 2026\n"
    "Subject: two\n\nsecond\n\n";

static void
start(struct server *server, const char *extra)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), LISTENERS "%s%s",
	    pair_selfsigned(), extra);
	server_start(server, text);
	mailbox_write(server, FRED, mail, strlen(mail));
}

/* A connection that has been greeted in clear text. */
static int
greeted(const struct server *server)
{
	int fd = client_connect(server, BY_STLS);

	client_expect_line(fd, "+OK Postern");
	return (fd);
}

static void
begin_tls(struct tls_client *client, int fd, const char *priority)
{
	int error;

	client_say(fd, "STLS", "+OK");
	error = tls_begin_on(client, fd, priority, "one.example.org", NULL);
	ATF_REQUIRE_MSG(error == 0, "%s", gnutls_strerror(error));
}

/* A client in state AUTHORIZATION, by the port's way. */
static void
connect_by(struct tls_client *client, const struct server *server, int way,
    const char *priority)
{
	if (way == BY_STLS) {
		begin_tls(client, greeted(server), priority);
		return;
	}
	tls_connect(client, server, AT_ONCE, priority, NULL);
	tls_expect_line(client, "+OK Postern");
}

static void
login(struct tls_client *client)
{
	tls_say(client, "USER " FRED, "+OK");
	tls_say(client, "PASS " FRED_PASSWORD, "+OK 2 messages");
}

static void
quit(struct tls_client *client)
{
	tls_say(client, "QUIT", "+OK bye");
	tls_expect_close(client);
}

/* The lines up to the final one, which is "." */
static const char *
lines(struct tls_client *client)
{
	static char all[4096];
	char line[600];

	all[0] = '\0';
	for (;;) {
		tls_line(client, line, sizeof(line));
		if (strcmp(line, ".") == 0)
			return (all);
		(void)strlcat(all, line, sizeof(all));
		(void)strlcat(all, "\n", sizeof(all));
	}
}

/* Both ways and both versions: fetch and keep, then fetch and delete. */
ATF_TC_WITHOUT_HEAD(sessions);
ATF_TC_BODY(sessions, tc)
{
	static const char *const versions[] = { TLS_12, TLS_13 };
	struct server server;
	struct tls_client client;
	size_t i;
	int way;

	(void)tc;
	start(&server, "cleartext none\n");
	for (i = 0; i < 2 * COUNT(versions); i++) {
		way = i % 2 == 0 ? BY_STLS : AT_ONCE;
		connect_by(&client, &server, way, versions[i / 2]);
		login(&client);
		tls_say(&client, "RETR 1", "+OK");
		ATF_CHECK_STREQ("Subject: one\n\n..first\n", lines(&client));
		tls_say(&client, "LIST", "+OK");
		ATF_CHECK_STREQ("1 24\n2 24\n", lines(&client));
		quit(&client);
		mailbox_must_be(&server, FRED, mail, strlen(mail));
		/* Many commands in one record. */
		connect_by(&client, &server, way, versions[i / 2]);
		tls_send(&client, "AUTH PLAIN AGZyZWQAc2VjcmV0\r\nSTAT\r\n"
		    "RETR 2\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n");
		tls_expect(&client, "+OK 2 messages (48 octets)\r\n"
		    "+OK 2 48\r\n+OK 24 octets\r\nSubject: two\r\n\r\n"
		    "second\r\n.\r\n");
		tls_expect_line(&client, "+OK");
		tls_expect_line(&client, "+OK");
		tls_expect_line(&client, "+OK bye");
		tls_expect_close(&client);
		mailbox_must_be(&server, FRED, "", 0);
		mailbox_write(&server, FRED, mail, strlen(mail));
	}
	log_must_have(&server, "name=one.example.org");
	server_stop(&server);
}

static void
capa_has(const char *capabilities, const char *name, int wanted)
{
	char line[40];

	(void)snprintf(line, sizeof(line), "\n%s\n", name);
	ATF_CHECK_MSG((strstr(capabilities, line) != NULL) == wanted,
	    "%s is %soffered", name, wanted ? "not " : "");
}

static void
clear_capa_has(int fd, const char *name, int wanted)
{
	size_t length;
	char *text, clean[4096] = "\n";
	size_t i, to = 1;

	text = pop3_ask(fd, "CAPA", &length);
	for (i = 0; i < length; i++)
		if (text[i] != '\r')
			clean[to++] = text[i];
	clean[to] = '\0';
	free(text);
	capa_has(clean, name, wanted);
}

static void
tls_capa_has(struct tls_client *client, const char *name, int wanted)
{
	char text[4096] = "\n";

	tls_say(client, "CAPA", "+OK");
	(void)strlcat(text, lines(client), sizeof(text));
	capa_has(text, name, wanted);
}

/* STLS is offered as long as it can be used, and passwords likewise. */
ATF_TC_WITHOUT_HEAD(capabilities);
ATF_TC_BODY(capabilities, tc)
{
	struct server server;
	struct tls_client client;
	int fd, way;

	(void)tc;
	start(&server, "cleartext none\n");
	fd = greeted(&server);
	clear_capa_has(fd, "STLS", 1);
	clear_capa_has(fd, "USER", 0);
	clear_capa_has(fd, "SASL PLAIN", 0);
	client_say(fd, "USER " FRED, "-ERR");
	client_say(fd, "AUTH PLAIN", "-ERR");
	pop3_quit(fd);
	for (way = BY_STLS; way <= AT_ONCE; way++) {
		connect_by(&client, &server, way, TLS_13);
		tls_capa_has(&client, "STLS", 0);
		tls_capa_has(&client, "USER", 1);
		tls_capa_has(&client, "SASL PLAIN", 1);
		login(&client);
		tls_capa_has(&client, "STLS", 0);
		quit(&client);
	}
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	struct server server;
	struct tls_client client;
	int fd, way;

	(void)tc;
	start(&server, "");
	fd = pop3_login(&server, BY_STLS, FRED, FRED_PASSWORD);
	clear_capa_has(fd, "STLS", 0);
	client_say(fd, "STLS", "-ERR");
	client_say(fd, "STAT", "+OK 2 48");
	pop3_quit(fd);
	/* An argument is an error; so is STLS in answer to AUTH. */
	fd = greeted(&server);
	client_say(fd, "STLS now", "-ERR");
	client_say(fd, "AUTH PLAIN", "+ ");
	client_say(fd, "STLS", "-ERR");
	client_say(fd, "USER " FRED, "+OK");
	client_say(fd, "PASS " FRED_PASSWORD, "+OK 2");
	pop3_quit(fd);
	for (way = BY_STLS; way <= AT_ONCE; way++) {
		connect_by(&client, &server, way, TLS_13);
		tls_say(&client, "STLS", "-ERR this is TLS already");
		tls_say(&client, "USER " FRED, "+OK");
		tls_say(&client, "STLS", "-ERR this is TLS already");
		tls_say(&client, "PASS " FRED_PASSWORD, "+OK 2");
		tls_say(&client, "STLS", "-ERR");
		tls_say(&client, "STAT", "+OK 2 48");
		quit(&client);
	}
	server_stop(&server);
}

/* Without a certificate there is nothing to begin. */
ATF_TC_WITHOUT_HEAD(not_configured);
ATF_TC_BODY(not_configured, tc)
{
	struct server server;
	int fd;

	(void)tc;
	server_start(&server, POP3);
	fd = greeted(&server);
	clear_capa_has(fd, "STLS", 0);
	client_say(fd, "STLS", "-ERR there is no TLS here");
	clear_capa_has(fd, "USER", 1);
	pop3_quit(fd);
	children_must_be(&server, "postern-keys", 0);
	server_stop(&server);
}

/* A name from before is not one for a password from inside. */
ATF_TC_WITHOUT_HEAD(forgotten);
ATF_TC_BODY(forgotten, tc)
{
	struct server server;
	struct tls_client client;
	int fd;

	(void)tc;
	start(&server, "");
	fd = greeted(&server);
	client_say(fd, "USER " FRED, "+OK");
	clear_capa_has(fd, "STLS", 1);
	begin_tls(&client, fd, TLS_13);
	tls_say(&client, "PASS " FRED_PASSWORD, "-ERR");
	tls_say(&client, "QUIT", "+OK");
	tls_expect_close(&client);
	log_must_have(&server, "user=\"\" protocol=pop3 state=DONE");
	/* But failures are remembered. */
	fd = greeted(&server);
	client_say(fd, "USER " FRED, "+OK");
	client_say(fd, "PASS x", "-ERR [AUTH]");
	client_say(fd, "USER " FRED, "+OK");
	client_say(fd, "PASS x", "-ERR [AUTH]");
	begin_tls(&client, fd, TLS_12);
	tls_say(&client, "USER " FRED, "+OK");
	tls_say(&client, "PASS x", "-ERR [AUTH]");
	tls_expect_close(&client);
	server_stop(&server);
}

/* What may stand behind STLS in clear text. */
static const char *const injected[] = {
	"USER fred\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n",
	"CAPA\r\n", "USER fred", "\r\n", "\n", "x",
	/* The beginning of TLS, too: the client did not wait. */
	"\x16\x03\x01\x02\x01\x01",
};

static void
must_close(const struct server *server, int fd)
{
	client_expect_line(fd, REFUSED);
	client_expect_close(fd);
	log_must_have(server, "reason=\"nothing may follow STLS in clear "
	    "text\"");
	mailbox_must_be(server, FRED, mail, strlen(mail));
}

ATF_TC_WITHOUT_HEAD(injection);
ATF_TC_BODY(injection, tc)
{
	struct server server;
	char text[200];
	size_t i;
	int fd;

	(void)tc;
	start(&server, "");
	for (i = 0; i < COUNT(injected); i++) {
		fd = greeted(&server);
		(void)snprintf(text, sizeof(text), "STLS\r\n%s", injected[i]);
		client_send(fd, text);
		must_close(&server, fd);
	}
	/* With a name before it, which must not count either. */
	fd = greeted(&server);
	client_send(fd, "USER fred\r\nSTLS\r\nPASS secret\r\n");
	client_expect_line(fd, "+OK");
	must_close(&server, fd);
	server_stop(&server);
}

/* The line buffer ends where STLS does: the rest is in the socket still. */
ATF_TC_WITHOUT_HEAD(injection_in_the_socket);
ATF_TC_BODY(injection_in_the_socket, tc)
{
	static const char line[] = "LANG en\r\n";
	const size_t room = SASL_LINE_OCTETS_MAX - strlen("STLS\r\n");
	char text[2 * SASL_LINE_OCTETS_MAX], reply[64];
	struct server server;
	size_t have = 0, replies = 0;
	pid_t net;
	int fd;

	(void)tc;
	start(&server, "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	fd = greeted(&server);
	/* One line that is none fills up what the others leave. */
	while (room - have >= 2 * strlen(line)) {
		memcpy(text + have, line, strlen(line));
		have += strlen(line);
		replies++;
	}
	memset(text + have, 'X', room - have);
	memcpy(text + room - 2, "\r\nSTLS\r\n", 8);
	have = room + 6;
	(void)strlcpy(text + have, injected[0], sizeof(text) - have);
	/* All of it is there when net reads its first octet. */
	ATF_REQUIRE(kill(net, SIGSTOP) == 0);
	client_send(fd, text);
	ATF_REQUIRE(kill(net, SIGCONT) == 0);
	for (; replies > 0; replies--)
		client_expect_line(fd, "+OK en");
	client_line(fd, reply, sizeof(reply));
	ATF_REQUIRE(strncmp(reply, "-ERR", 4) == 0);
	must_close(&server, fd);
	server_stop(&server);
}

/* Instead of a handshake, once +OK was said: nothing of it is a command. */
ATF_TC_WITHOUT_HEAD(no_handshake);
ATF_TC_BODY(no_handshake, tc)
{
	struct server server;
	char octets[600];
	ssize_t got;
	int fd;

	(void)tc;
	start(&server, "login-timeout 2\n");
	fd = greeted(&server);
	client_say(fd, "STLS", "+OK");
	client_send(fd, injected[0]);
	while ((got = recv(fd, octets, sizeof(octets), 0)) > 0)
		ATF_CHECK_MSG(octets[0] == 0x15, "it said %.20s", octets);
	(void)close(fd);
	log_must_have(&server, "event=tls-failed");
	log_must_have(&server, "reason=\"the TLS handshake failed\"");
	/* And silence ends as it does before a login. */
	fd = greeted(&server);
	client_say(fd, "STLS", "+OK");
	client_expect_close(fd);
	log_must_have(&server, "reason=\"timeout\"");
	mailbox_must_be(&server, FRED, mail, strlen(mail));
	server_stop(&server);
}

/* Messages as long as what is moved at a time, and about that. */
ATF_TC_WITHOUT_HEAD(lengths);
ATF_TC_BODY(lengths, tc)
{
	static char box[RELAY_BYTES + 4096], wire[RELAY_BYTES + 4096];
	struct server server;
	struct tls_client client;
	char command[40];
	size_t length, head, i, sizes[] = { RELAY_BYTES - 3, RELAY_BYTES - 2,
	    RELAY_BYTES - 1, RELAY_BYTES, RELAY_BYTES + 1, 16384, 16381 };

	(void)tc;
	start(&server, "");
	for (i = 0; i < COUNT(sizes); i++) {
		head = (size_t)snprintf(box, sizeof(box), "From a@example.org "
		    "Sat Nov 21 23:33:00 2026\n");
		length = sizes[i];
		memset(box + head, 'x', length - 2);
		memcpy(box + head + length - 2, "\n\n", 3);
		memcpy(wire, box + head, length - 2);
		(void)strlcpy(wire + length - 2, "\r\n.\r\n", 6);
		mailbox_write(&server, FRED, box, head + length);
		connect_by(&client, &server, (int)i % 2, i % 4 < 2 ? TLS_12 :
		    TLS_13);
		tls_say(&client, "USER " FRED, "+OK");
		tls_say(&client, "PASS " FRED_PASSWORD, "+OK 1");
		(void)snprintf(command, sizeof(command), "+OK %zu octets",
		    length);
		tls_say(&client, "RETR 1", command);
		tls_expect(&client, wire);
		quit(&client);
	}
	server_stop(&server);
}

/* A shell command's output. */
static char output[65536];

static void
shell(const char *command, int port)
{
	char line[2000];
	const char *const arguments[] = { "sh", "-c", line, NULL };

	(void)snprintf(line, sizeof(line), "port=%d; %s", port, command);
	(void)run(arguments, NULL, output, sizeof(output));
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

#define COMMANDS	"'USER fred\\r\\nPASS secret\\r\\nRETR 1\\r\\n"	\
			"DELE 2\\r\\nQUIT\\r\\n'"

static void
one_is_left(const struct server *server)
{
	output_must_have("Subject: one\r\n\r\n..first\r\n.\r\n");
	output_must_have("+OK bye\r\n");
	mailbox_must_be(server, FRED, mail,
	    (size_t)(strstr(mail, "From b") - mail));
	mailbox_write(server, FRED, mail, strlen(mail));
}

TOOL_CASE(openssl_speaks, "openssl timeout")
{
	struct server server;

	(void)tc;
	start(&server, "cleartext none\n");
	shell("printf " COMMANDS " | timeout 20 openssl s_client -quiet "
	    "-starttls pop3 -verify_return_error -CAfile tls.crt "
	    "-verify_hostname one.example.org -connect 127.0.0.1:$port",
	    server.ports[BY_STLS]);
	one_is_left(&server);
	shell("printf " COMMANDS " | timeout 20 openssl s_client -quiet "
	    "-verify_return_error -CAfile tls.crt -connect 127.0.0.1:$port",
	    server.ports[AT_ONCE]);
	one_is_left(&server);
	shell("timeout 20 openssl s_client -starttls pop3 -tls1_1 -cipher "
	    "ALL:@SECLEVEL=0 -connect 127.0.0.1:$port </dev/null",
	    server.ports[BY_STLS]);
	output_must_have("alert protocol version");
	shell("(sleep 1; echo R; sleep 3) | timeout 20 openssl s_client "
	    "-starttls pop3 -tls1_2 -connect 127.0.0.1:$port",
	    server.ports[BY_STLS]);
	output_must_have("RENEGOTIATING");
	output_must_have("alert no renegotiation");
	server_stop(&server);
}

TOOL_CASE(gnutls_speaks, "gnutls-cli timeout")
{
	struct server server;

	(void)tc;
	start(&server, "cleartext none\n");
	shell("(sleep 1; printf " COMMANDS "; sleep 4) | timeout 20 "
	    "gnutls-cli --starttls-proto=pop3 --x509cafile tls.crt "
	    "--sni-hostname one.example.org --verify-hostname one.example.org "
	    "--port $port 127.0.0.1", server.ports[BY_STLS]);
	output_must_have("Status: The certificate is trusted.");
	one_is_left(&server);
	shell("(printf " COMMANDS "; sleep 4) | timeout 20 gnutls-cli "
	    "--x509cafile tls.crt --verify-hostname one.example.org "
	    "--port $port 127.0.0.1", server.ports[AT_ONCE]);
	output_must_have("Status: The certificate is trusted.");
	one_is_left(&server);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sessions);
	ATF_TP_ADD_TC(tp, capabilities);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, not_configured);
	ATF_TP_ADD_TC(tp, forgotten);
	ATF_TP_ADD_TC(tp, injection);
	ATF_TP_ADD_TC(tp, injection_in_the_socket);
	ATF_TP_ADD_TC(tp, no_handshake);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, openssl_speaks);
	ATF_TP_ADD_TC(tp, gnutls_speaks);
	return (atf_no_error());
}
