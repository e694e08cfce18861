/*
 * clients_test.c - programs that people fetch their mail with: each fetches
 * and keeps, sees nothing new then, and fetches and deletes.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pop3_client.h"

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

static void
begin(struct server *server)
{
	server_start(server, POP3);
	mailbox_write(server, FRED, ONE TWO, strlen(ONE TWO));
	(void)snprintf(directory, sizeof(directory), "%s/client",
	    server->directory);
	ATF_REQUIRE(mkdir(directory, 0700) == 0);
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

#define CLIENT(name, program)						\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "require.progs", program);		\
}									\
ATF_TC_BODY(name, tc)

CLIENT(curl, "curl")
{
	struct server server;

	(void)tc;
	begin(&server);
	configure(&server, "url", "url = \"pop3://127.0.0.1:PORT/1\"\n"
	    "user = fred:secret\nsilent\nmax-time = 10\n");
	ATF_CHECK_EQ(0, client("curl -K url"));
	ATF_CHECK(strstr(answer, "the first\r\n.\r\n..dots\r\n") != NULL);
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
	ATF_CHECK_EQ(0, client("curl -K url -X DELE -l"));
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	ATF_CHECK_EQ(67, client("curl -K url -u fred:wrong"));
	server_stop(&server);
}

CLIENT(fetchmail, "fetchmail")
{
	struct server server;

	(void)tc;
	begin(&server);
	configure(&server, "keep", "poll 127.0.0.1 service PORT protocol pop3"
	    " uidl timeout 10 user fred password secret sslproto ''"
	    " mda 'cat >>out' keep no rewrite\n");
	configure(&server, "delete", "poll 127.0.0.1 service PORT "
	    "protocol pop3 timeout 10 user fred password secret sslproto ''"
	    " mda 'cat >>out' fetchall no rewrite\n");
	keep_and_delete(&server, "fetchmail -f keep -i ids --nosyslog",
	    "fetchmail -f delete -i other --nosyslog", 1);
	server_stop(&server);
}

CLIENT(mpop, "mpop")
{
	static const char settings[] = "defaults\nport PORT\nhost 127.0.0.1\n"
	    "user fred\npassword secret\nauth user\ntls off\ntimeout 10\n"
	    "account a\nkeep on\nuidls_file ids\ndelivery mbox out\n"
	    "account b\nkeep off\nonly_new off\nuidls_file other\n"
	    "delivery mbox out\n";
	struct server server;

	(void)tc;
	begin(&server);
	configure(&server, "rc", settings);
	keep_and_delete(&server, "mpop -C rc a", "mpop -C rc b", 0);
	/* And by AUTH PLAIN, pipelined. */
	mailbox_write(&server, FRED, TWO, strlen(TWO));
	ATF_CHECK_EQ(0, client("mpop -C rc --auth=plain --pipelining=on b"));
	mailbox_must_be(&server, FRED, "", 0);
	server_stop(&server);
}

CLIENT(getmail, "getmail")
{
	static const char settings[] = "[retriever]\n"
	    "type = SimplePOP3Retriever\nport = PORT\nserver = 127.0.0.1\n"
	    "username = fred\npassword = secret\ntimeout = 10\n"
	    "[destination]\ntype = MDA_external\npath = /bin/sh\n"
	    "arguments = (\"-c\", \"cat >>out\")\n"
	    "allow_root_commands = true\n[options]\nmessage_log_verbose = "
	    "false\nverbose = 0\ndelivered_to = false\nreceived = false\n";
	struct server server;
	char text[1500];

	(void)tc;
	begin(&server);
	(void)snprintf(text, sizeof(text), "%sdelete = false\n"
	    "read_all = false\n", settings);
	configure(&server, "keep", text);
	(void)snprintf(text, sizeof(text), "%sdelete = true\n"
	    "read_all = true\n", settings);
	configure(&server, "delete", text);
	keep_and_delete(&server, "getmail --getmaildir=. --rcfile=keep",
	    "getmail --getmaildir=. --rcfile=delete", 0);
	server_stop(&server);
}

CLIENT(poplib, "python3")
{
	static const char program[] = "import poplib\n"
	    "p = poplib.POP3('127.0.0.1', PORT, timeout=10)\n"
	    "assert 'PIPELINING' in p.capa()\np.utf8()\n"
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

	(void)tc;
	begin(&server);
	configure(&server, "program.py", program);
	ATF_CHECK_EQ(0, client("python3 program.py 2>&1"));
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	server_stop(&server);
}

CLIENT(net_pop3, "perl")
{
	static const char program[] = "use Net::POP3;\n"
	    "my $p = Net::POP3->new('127.0.0.1', Port => PORT, "
	    "Timeout => 10) or die 'connect';\n"
	    "$p->login('fred', 'secret') == 2 or die 'login';\n"
	    "my $l = $p->get(1) or die 'get';\n"
	    "join('', @$l) =~ /the first\\n\\.\\n\\.\\.dots\\n\\z/ or die "
	    "'text';\n"
	    "my ($n, $s) = $p->popstat;\n"
	    "my $i = $p->list; $n == 2 && $s == $$i{1} + $$i{2} or die "
	    "'sizes';\n"
	    "my $u = $p->uidl; $$u{1} ne $$u{2} or die 'ids';\n"
	    "$p->delete(2) or die 'delete';\n$p->quit or die 'quit';\n";
	struct server server;

	(void)tc;
	if (system("perl -MNet::POP3 -e 1 2>/dev/null") != 0)
		atf_tc_skip("perl has no Net::POP3");
	begin(&server);
	configure(&server, "program.pl", program);
	ATF_CHECK_EQ(0, client("perl program.pl 2>&1"));
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	server_stop(&server);
}

/* It wants a terminal, which script(1) is to it. */
CLIENT(mutt, "mutt script")
{
	static const char settings[] = "set pop_host=pop://127.0.0.1:PORT\n"
	    "set pop_user=fred pop_pass=secret pop_reconnect=no\n"
	    "set ssl_starttls=no ssl_force_tls=no spoolfile=out\n"
	    "set mbox_type=mbox folder=.\n"
	    "set move=no sleep_time=0 delete=yes quit=yes timeout=1\n"
	    "set header_cache= message_cachedir=\n";
	struct server server;

	(void)tc;
	begin(&server);
	file_write("out", "", 0);
	configure(&server, "rc", settings);
	ATF_CHECK_EQ(0, client("TERM=vt100 timeout 20 script -qec \"mutt -F "
	    "rc -e 'set pop_delete=no' -e 'push Gq'\" log "
	    "</dev/null >/dev/null"));
	ATF_CHECK_EQ(1, fetched("the first"));
	ATF_CHECK_EQ(1, fetched("the second"));
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
	file_write("out", "", 0);
	ATF_CHECK_EQ(0, client("TERM=vt100 timeout 20 script -qec \"mutt -F "
	    "rc -e 'set pop_delete=yes' -e 'push Gq'\" log "
	    "</dev/null >/dev/null"));
	ATF_CHECK_EQ(1, fetched("the second"));
	mailbox_must_be(&server, FRED, "", 0);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, curl);
	ATF_TP_ADD_TC(tp, fetchmail);
	ATF_TP_ADD_TC(tp, mpop);
	ATF_TP_ADD_TC(tp, getmail);
	ATF_TP_ADD_TC(tp, poplib);
	ATF_TP_ADD_TC(tp, net_pop3);
	ATF_TP_ADD_TC(tp, mutt);
	return (atf_no_error());
}
