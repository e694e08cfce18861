/*
 * clients_test.c - programs that people fetch their mail with: each fetches
 * and keeps, sees nothing new then, and fetches and deletes; in clear text, by
 * TLS from the first octet, and by STLS.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../privsep/tls_client.h"
#include "pop3_client.h"

/* How the client is to connect; by TLS it is to verify the server. */
enum way { CLEAR, BY_TLS, BY_STLS };

#define FROM(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define HEADER(subject)	"From: a@example.org\nTo: fred@example.org\n"	\
			"Date: Sat, 21 Nov 2026 23:33:00 +0000\n"	\
			"Message-ID: <" subject "@example.org>\n"	\
			"Subject: " subject "\n\n"
#define ONE		FROM("a") HEADER("one") "the first\n.\n..dots\n\n"
#define TWO		FROM("b") HEADER("two") "the second\n\n"
#define THREE		FROM("c") HEADER("three") "the third\n\n"

static char directory[400];		/* what the client may write */
static char answer[65536];		/* what it said */

/* So that the client can verify it. */
static void
copy_certificate(void)
{
	char path[500], *bytes;
	size_t length;

	bytes = file_read("one.crt", &length);
	(void)snprintf(path, sizeof(path), "%s/one.crt", directory);
	file_write(path, bytes, length);
	free(bytes);
}

/* Where TLS is to be, clear text would not do. */
static void
begin(struct server *server, enum way way)
{
	char text[2000];

	if (way != CLEAR)
		pair_make("one", EC, "DNS:localhost,IP:127.0.0.1");
	(void)snprintf(text, sizeof(text), "listen pop3 127.0.0.1 port 0%s\n"
	    "%s%s", way == BY_TLS ? " tls" : "", way != CLEAR ?
	    "cleartext none\n" : "", way != CLEAR ? pair_line("one") : "");
	server_start(server, text);
	mailbox_write(server, FRED, ONE TWO, strlen(ONE TWO));
	(void)snprintf(directory, sizeof(directory), "%s/client",
	    server->directory);
	ATF_REQUIRE(mkdir(directory, 0700) == 0);
	if (way != CLEAR)
		copy_certificate();
	ATF_REQUIRE(setenv("HOME", directory, 1) == 0);
	ATF_REQUIRE(setenv("LC_ALL", "C", 1) == 0);
	ATF_REQUIRE(chdir(directory) == 0);
}

/* The client's configuration, where PORT stands for the server's. */
static void
configure(const struct server *server, const char *name, const char *text)
{
	char out[2000], number[12];
	const char *port = strstr(text, "PORT");

	ATF_REQUIRE(port != NULL);
	(void)snprintf(number, sizeof(number), "%d", server->ports[0]);
	(void)snprintf(out, sizeof(out), "%.*s%s%s", (int)(port - text), text,
	    number, port + 4);
	file_write(name, out, strlen(out));
	ATF_REQUIRE(chmod(name, 0600) == 0);
}

static int
client(const char *command)
{
	int status = run((const char *const[]){ "sh", "-c", command, NULL },
	    NULL, answer, sizeof(answer));

	(void)printf("%s: %d\n%s\n", command, status, answer);
	(void)fflush(stdout);
	return (status);
}

/* How often `text` is in what the client has fetched into `out`. */
static size_t
fetched(const char *text)
{
	char *out = file_read("out", NULL), *at = out;
	size_t count = 0;

	for (; (at = strstr(at, text)) != NULL; at++)
		count++;
	free(out);
	return (count);
}

/* `keep` and `delete` are commands; the status of one without mail. */
static void
keep_and_delete(const struct server *server, const char *keep,
    const char *delete, int nothing_new)
{
	file_write("out", "", 0);
	ATF_CHECK_EQ(0, client(keep));
	ATF_CHECK_EQ(1, fetched("\nthe first\n.\n..dots\n"));
	ATF_CHECK_EQ(1, fetched("the second"));
	ATF_CHECK_EQ(nothing_new, client(keep));
	ATF_CHECK_EQ(1, fetched("the first"));
	mailbox_must_be(server, FRED, ONE TWO, strlen(ONE TWO));
	mailbox_write(server, FRED, ONE TWO THREE, strlen(ONE TWO THREE));
	ATF_CHECK_EQ(0, client(keep));
	ATF_CHECK_EQ(1, fetched("the first"));
	ATF_CHECK_EQ(1, fetched("the third"));
	mailbox_write(server, FRED, ONE, strlen(ONE));
	file_write("out", "", 0);
	ATF_CHECK_EQ(0, client(delete));
	ATF_CHECK_EQ(1, fetched("the first"));
	mailbox_must_be(server, FRED, "", 0);
}

static void
end(struct server *server, enum way way)
{
	if (way != CLEAR)
		log_must_have(server, "event=tls session=");
	server_stop(server);
}

#define CASE(name, programs, body, way)					\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "require.progs", (way) == CLEAR ?		\
	    programs : programs " openssl");				\
}									\
ATF_TC_BODY(name, tc)							\
{									\
	(void)tc;							\
	body(way);							\
}

/* A client, and its case for each way. */
#define CLIENT(name, programs)						\
static void	run_##name(enum way way);				\
CASE(name, programs, run_##name, CLEAR)					\
CASE(name##_tls, programs, run_##name, BY_TLS)				\
CASE(name##_stls, programs, run_##name, BY_STLS)			\
static void								\
run_##name(enum way way)

CLIENT(curl, "curl")
{
	static const char *const urls[] = { "url = \"pop3:",
	    "cacert = one.crt\nurl = \"pop3s:",
	    "cacert = one.crt\nssl-reqd\nurl = \"pop3:" };
	struct server server;
	char text[500];

	begin(&server, way);
	(void)snprintf(text, sizeof(text), "%s//127.0.0.1:PORT/1\"\n"
	    "user = fred:secret\nsilent\nmax-time = 60\n", urls[way]);
	configure(&server, "url", text);
	ATF_CHECK_EQ(0, client("curl -K url"));
	ATF_CHECK(strstr(answer, "the first\r\n.\r\n..dots\r\n") != NULL);
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
	ATF_CHECK_EQ(0, client("curl -K url -X DELE -l"));
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	ATF_CHECK_EQ(67, client("curl -K url -u fred:wrong"));
	end(&server, way);
}

CLIENT(fetchmail, "fetchmail")
{
	static const char *const ssl[] = { "sslproto ''", "ssl sslcertck "
	    "sslcertfile one.crt", "sslproto 'TLS1.2+' sslcertck sslcertfile "
	    "one.crt" };
	struct server server;
	char text[500];

	begin(&server, way);
	(void)snprintf(text, sizeof(text), "poll localhost service PORT "
	    "protocol pop3 uidl timeout 60 user fred password secret %s "
	    "mda 'cat >>out' keep no rewrite\n", ssl[way]);
	configure(&server, "keep", text);
	(void)snprintf(text, sizeof(text), "poll localhost service PORT "
	    "protocol pop3 timeout 60 user fred password secret %s "
	    "mda 'cat >>out' fetchall no rewrite\n", ssl[way]);
	configure(&server, "delete", text);
	keep_and_delete(&server, "fetchmail -f keep -i ids --nosyslog --pidfile pid",
	    "fetchmail -f delete -i other --nosyslog --pidfile pid", 1);
	end(&server, way);
}

CLIENT(mpop, "mpop")
{
	static const char settings[] = "defaults\nport PORT\nhost 127.0.0.1\n"
	    "user fred\npassword secret\nauth user\n%s\ntimeout 60\n"
	    "account a\nkeep on\nuidls_file ids\ndelivery mbox out\n"
	    "account b\nkeep off\nonly_new off\nuidls_file other\n"
	    "delivery mbox out\n";
	static const char *const tls[] = { "tls off", "tls on\ntls_starttls "
	    "off\ntls_trust_file one.crt", "tls on\ntls_starttls on\n"
	    "tls_trust_file one.crt" };
	struct server server;
	char text[1500];

	begin(&server, way);
	(void)snprintf(text, sizeof(text), settings, tls[way]);
	configure(&server, "rc", text);
	keep_and_delete(&server, "mpop -C rc a", "mpop -C rc b", 0);
	/* And by AUTH PLAIN, pipelined. */
	mailbox_write(&server, FRED, TWO, strlen(TWO));
	ATF_CHECK_EQ(0, client("mpop -C rc --auth=plain --pipelining=on b"));
	mailbox_must_be(&server, FRED, "", 0);
	end(&server, way);
}

CLIENT(getmail, "getmail")
{
	static const char settings[] = "[retriever]\n"
	    "type = SimplePOP3%sRetriever\n%sport = PORT\nserver = 127.0.0.1\n"
	    "username = fred\npassword = secret\ntimeout = 60\n"
	    "[destination]\ntype = MDA_external\npath = /bin/sh\n"
	    "arguments = (\"-c\", \"cat >>out\")\n"
	    "allow_root_commands = true\n[options]\nmessage_log_verbose = "
	    "false\nverbose = 0\ndelivered_to = false\nreceived = false\n";
	struct server server;
	char text[1500], kind[1000];

	if (way == BY_STLS)
		atf_tc_skip("getmail has no STLS");
	begin(&server, way);
	(void)snprintf(kind, sizeof(kind), settings, way == CLEAR ? "" : "SSL",
	    way == CLEAR ? "" : "ca_certs = one.crt\n");
	(void)snprintf(text, sizeof(text), "%sdelete = false\n"
	    "read_all = false\n", kind);
	configure(&server, "keep", text);
	(void)snprintf(text, sizeof(text), "%sdelete = true\n"
	    "read_all = true\n", kind);
	configure(&server, "delete", text);
	keep_and_delete(&server, "getmail --getmaildir=. --rcfile=keep",
	    "getmail --getmaildir=. --rcfile=delete", 0);
	end(&server, way);
}

CLIENT(poplib, "python3")
{
	static const char *const connect[] = {
	    "p = poplib.POP3('127.0.0.1', PORT, timeout=60)\n",
	    "p = poplib.POP3_SSL('127.0.0.1', PORT, timeout=10, context=c)\n",
	    ("p = poplib.POP3('127.0.0.1', PORT, timeout=60)\n"
	    "assert 'STLS' in p.capa()\np.stls(c)\n") };
	static const char program[] =
	    "assert 'PIPELINING' in p.capa()\np.utf8()\n"
	    "assert 'STLS' not in p.capa()\n"
	    "p.user('fred'); p.pass_('secret')\n"
	    "assert p.stat()[0] == 2\n"
	    "assert [l.split()[0] for l in p.list()[1]] == [b'1', b'2']\n"
	    "assert len(set(p.uidl()[1])) == 2\n"
	    "assert p.uidl(2).split()[2] == p.uidl()[1][1].split()[1]\n"
	    "r, lines, octets = p.retr(1)\n"
	    "assert lines[-3:] == [b'the first', b'.', b'..dots'], lines\n"
	    "assert sum(len(l) + 2 for l in lines) == int(p.list(1).split()"
	    "[2])\n"
	    "assert p.top(2, 0)[1][-1] == b''\n"
	    "p.dele(1); p.rset(); p.noop(); p.dele(2); p.quit()\n";
	struct server server;
	char text[2000];

	begin(&server, way);
	(void)snprintf(text, sizeof(text), "import poplib, ssl\n%s%s%s",
	    way != CLEAR ? "c = ssl.create_default_context(cafile='one.crt')"
	    "\n" : "", connect[way], program);
	configure(&server, "program.py", text);
	ATF_CHECK_EQ(0, client("python3 program.py 2>&1"));
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	end(&server, way);
}

CLIENT(net_pop3, "perl")
{
	static const char *const connect[] = { ") or die 'connect';\n",
	    ", SSL => 1, SSL_ca_file => 'one.crt') or die $@;\n",
	    (") or die 'connect';\n$p->starttls(SSL_ca_file => 'one.crt', "
	    "SSL_verifycn_name => 'localhost') or die $@;\n") };
	static const char program[] =
	    "$p->login('fred', 'secret') == 2 or die 'login';\n"
	    "my $l = $p->get(1) or die 'get';\n"
	    /* By TLS it leaves the lines their CRs. */
	    "join('', @$l) =~ /the first\\r?\\n\\.\\r?\\n\\.\\.dots"
	    "\\r?\\n\\z/ or die 'text';\n"
	    "my ($n, $s) = $p->popstat;\n"
	    "my $i = $p->list; $n == 2 && $s == $$i{1} + $$i{2} or die "
	    "'sizes';\n"
	    "my $u = $p->uidl; $$u{1} ne $$u{2} or die 'ids';\n"
	    "$p->delete(2) or die 'delete';\n$p->quit or die 'quit';\n";
	struct server server;
	char text[2000];

	if (system("perl -MNet::POP3 -e 1 2>/dev/null") != 0)
		atf_tc_skip("perl has no Net::POP3");
	if (way != CLEAR &&
	    system("perl -MIO::Socket::SSL -e 1 2>/dev/null") != 0)
		atf_tc_skip("perl has no IO::Socket::SSL");
	begin(&server, way);
	(void)snprintf(text, sizeof(text), "use Net::POP3;\n"
	    "my $p = Net::POP3->new('127.0.0.1', Port => PORT, "
	    "Timeout => 60%s%s", connect[way], program);
	configure(&server, "program.pl", text);
	ATF_CHECK_EQ(0, client("perl program.pl 2>&1"));
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	end(&server, way);
}

/* It wants a terminal, which script(1) is to it. */
CLIENT(mutt, "mutt script")
{
	static const char *const ssl[] = { "set ssl_starttls=no "
	    "ssl_force_tls=no pop_host=pop:",
	    "set ssl_force_tls=yes certificate_file=one.crt pop_host=pops:",
	    "set ssl_starttls=yes ssl_force_tls=yes certificate_file=one.crt "
	    "pop_host=pop:" };
	static const char settings[] = "%s//127.0.0.1:PORT\n"
	    "set pop_user=fred pop_pass=secret pop_reconnect=no\n"
	    "set spoolfile=out\n"
	    "set mbox_type=mbox folder=.\n"
	    "set move=no sleep_time=0 delete=yes quit=yes timeout=1\n"
	    "set header_cache= message_cachedir=\n";
	struct server server;
	char text[1000];

	begin(&server, way);
	file_write("out", "", 0);
	(void)snprintf(text, sizeof(text), settings, ssl[way]);
	configure(&server, "rc", text);
	ATF_CHECK_EQ(0, client("TERM=vt100 timeout 60 script -qec \"mutt -F "
	    "rc -e 'set pop_delete=no' -e 'push Gq'\" log "
	    "</dev/null >/dev/null"));
	ATF_CHECK_EQ(1, fetched("the first"));
	ATF_CHECK_EQ(1, fetched("the second"));
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
	file_write("out", "", 0);
	ATF_CHECK_EQ(0, client("TERM=vt100 timeout 60 script -qec \"mutt -F "
	    "rc -e 'set pop_delete=yes' -e 'push Gq'\" log "
	    "</dev/null >/dev/null"));
	ATF_CHECK_EQ(1, fetched("the second"));
	mailbox_must_be(&server, FRED, "", 0);
	end(&server, way);
}

#define ADD(name)							\
	ATF_TP_ADD_TC(tp, name);					\
	ATF_TP_ADD_TC(tp, name##_tls);					\
	ATF_TP_ADD_TC(tp, name##_stls)

ATF_TP_ADD_TCS(tp)
{
	ADD(curl);
	ADD(fetchmail);
	ADD(mpop);
	ADD(getmail);
	ADD(poplib);
	ADD(net_pop3);
	ADD(mutt);
	return (atf_no_error());
}
