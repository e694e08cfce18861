/*
 * peers_test.c - the same mailboxes through Dovecot's POP3 and popa3d's, octet
 * for octet.
 *
 * Dovecot runs on loopback, with its files in the scratch directory.
 */
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <atf-c.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../mailstore/mailboxes.h"
#include "pop3_client.h"

struct dovecot {
	pid_t pid;
	int port;
	char directory[256];
};

/* A port that is free now. */
static int
free_port(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ATF_REQUIRE(fd != -1 && bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0);
	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	(void)close(fd);
	return (ntohs(address.sin_port));
}

static void
write_config(const struct dovecot *dovecot, const char *extra)
{
	const char *directory = dovecot->directory;
	char text[2000], path[300];

	(void)snprintf(path, sizeof(path), "%s/passwd", directory);
	(void)snprintf(text, sizeof(text), "fred:{PLAIN}secret:%u:%u::"
	    "%s/home::\n", FRED_UID, FRED_UID, directory);
	file_write(path, text, strlen(text));
	ATF_REQUIRE(chmod(path, 0644) == 0);
	(void)snprintf(path, sizeof(path), "%s/conf", directory);
	(void)snprintf(text, sizeof(text), "base_dir = %s/run\n"
	    "state_dir = %s/state\nlog_path = %s/log\nprotocols = pop3\n"
	    "ssl = no\ndisable_plaintext_auth = no\nlisten = 127.0.0.1\n"
	    "mail_location = mbox:~/mail:INBOX=~/inbox\n"
	    "first_valid_uid = 100\nmbox_write_locks = fcntl\n"
	    "passdb {\n  driver = passwd-file\n  args = %s/passwd\n}\n"
	    "userdb {\n  driver = passwd-file\n  args = %s/passwd\n}\n"
	    "service pop3-login {\n  inet_listener pop3 {\n    port = %d\n"
	    "  }\n  inet_listener pop3s {\n    port = 0\n  }\n}\n%s",
	    directory, directory, directory, directory, directory,
	    dovecot->port, extra);
	file_write(path, text, strlen(text));
}

static void
dovecot_start(struct dovecot *dovecot, const struct server *server,
    const char *extra)
{
	struct sockaddr_in address;
	char path[300];
	int fd, tries;

	dovecot->port = free_port();
	(void)snprintf(dovecot->directory, sizeof(dovecot->directory),
	    "%.200s/dovecot", server->directory);
	ATF_REQUIRE(mkdir(dovecot->directory, 0755) == 0);
	(void)snprintf(path, sizeof(path), "%s/home", dovecot->directory);
	ATF_REQUIRE(mkdir(path, 0700) == 0 &&
	    chown(path, FRED_UID, FRED_UID) == 0);
	write_config(dovecot, extra);
	(void)snprintf(path, sizeof(path), "%s/conf", dovecot->directory);
	ATF_REQUIRE((dovecot->pid = fork()) != -1);
	if (dovecot->pid == 0) {
		(void)execlp("dovecot", "dovecot", "-F", "-c", path,
		    (char *)NULL);
		_exit(127);
	}
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)dovecot->port);
	for (tries = 0; tries < 200; tries++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&address,
		    sizeof(address)) == 0) {
			(void)close(fd);
			return;
		}
		(void)close(fd);
		(void)usleep(50000);
	}
	atf_tc_fail("dovecot does not answer");
}

static void
dovecot_stop(const struct dovecot *dovecot)
{
	(void)kill(dovecot->pid, SIGTERM);
	ATF_REQUIRE(waitpid(dovecot->pid, NULL, 0) == dovecot->pid);
}

/* Its mailbox; what it remembers of another one goes. */
static void
dovecot_write(const struct dovecot *dovecot, const void *bytes, size_t length)
{
	char path[300], command[400];

	(void)snprintf(command, sizeof(command), "rm -rf %s/home/mail",
	    dovecot->directory);
	ATF_REQUIRE(run((const char *const[]){ "sh", "-c", command, NULL },
	    NULL, NULL, 0) == 0);
	(void)snprintf(path, sizeof(path), "%s/home/inbox",
	    dovecot->directory);
	file_write(path, bytes, length);
	ATF_REQUIRE(chown(path, FRED_UID, FRED_UID) == 0 &&
	    chmod(path, 0600) == 0);
}

static int
dovecot_login(const struct dovecot *dovecot)
{
	int fd = client_connect_to("127.0.0.1", dovecot->port);

	client_expect_line(fd, "+OK");
	client_say(fd, "USER fred", "+OK");
	client_say(fd, "PASS secret", "+OK");
	return (fd);
}

static void
same(int ours, int theirs, const char *command, const char *name)
{
	size_t our_length, their_length;
	char *our = pop3_ask(ours, command, &our_length);
	char *their = pop3_ask(theirs, command, &their_length);

	ATF_CHECK_MSG(our_length == their_length &&
	    memcmp(our, their, our_length) == 0, "%s: %s", name, command);
	free(our);
	free(their);
}

/*
 * Dovecot counts a line without an end as it is stored, and sends it with
 * one; it counts a message without an octet as 0, and sends an empty line.
 * There its LIST and STAT are not what it sends, and ours are.
 */
static int
is_counted_otherwise(const struct awkward *mailbox)
{
	const char *end = mailbox->bytes + mailbox->length;

	return (mailbox->length < 2 || end[-1] != '\n' ||
	    (end[-2] != '\n' && end[-2] != '\r') ||
	    strstr(mailbox->bytes, "2026\n\nFrom ") != NULL);
}

static void
compare(const struct server *server, const struct dovecot *dovecot,
    const struct awkward *mailbox)
{
	char command[40];
	unsigned int i, lines;
	int ours, theirs;

	(void)printf("%s\n", mailbox->name);
	(void)fflush(stdout);
	mailbox_write(server, FRED, mailbox->bytes, mailbox->length);
	dovecot_write(dovecot, mailbox->bytes, mailbox->length);
	ours = pop3_login(server, 0, FRED, FRED_PASSWORD);
	theirs = dovecot_login(dovecot);
	if (!is_counted_otherwise(mailbox)) {
		char reply[80];

		client_send(theirs, "STAT\r\n");
		client_line(theirs, reply, sizeof(reply));
		client_say(ours, "STAT", reply);
		same(ours, theirs, "LIST", mailbox->name);
	}
	for (i = 1; i <= mailbox->messages; i++) {
		(void)snprintf(command, sizeof(command), "RETR %u", i);
		same(ours, theirs, command, mailbox->name);
		for (lines = 0; lines < 4; lines++) {
			(void)snprintf(command, sizeof(command), "TOP %u %u",
			    i, lines);
			same(ours, theirs, command, mailbox->name);
		}
	}
	pop3_quit(ours);
	client_say(theirs, "QUIT", "+OK");
	client_expect_close(theirs);
}

/* Forms of an mbox that both read in the same way. */
static const struct awkward shared[] = {
	{ "plain", BYTES(ONE TWO THREE), 3 },
	{ "CRLF", BYTES(A "\r\nSubject: one\r\n\r\nfirst\r\n\r\n"
	    B "\r\nSubject: two\r\n\r\nthe second\r\n\r\n"), 2 },
	{ "dots", BYTES(A "\nSubject: one\n\n.\n..\n...a\n.b\n\n.\n\n"
	    TWO), 2 },
	{ "bare CR", BYTES(A "\nSubject: one\n\na\rb\r\rc\n\n" TWO), 2 },
	{ "From within", BYTES(A "\nSubject: one\n\n>From here\nFrom here\n"
	    "\nFrom there on\n\n" TWO), 2 },
	{ "no header", BYTES(A "\n\nfirst\n\n" TWO), 2 },
	{ "no body", BYTES(A "\nSubject: one\n\n" TWO), 2 },
	{ "8-bit", BYTES(A "\nSubject: \xfc\xff\n\n\xe2\x82\xac\xfe\n\n"), 1 },
	{ "no end", BYTES(A "\nSubject: one\n\nfirst"), 1 },
	{ "no empty line", BYTES(A "\nSubject: one\n\nfirst\n"), 1 },
	{ "empty lines", BYTES(A "\nSubject: one\n\n\n\nfirst\n\n\n\n" TWO), 2 },
	{ "folded", BYTES(A "\nSubject: one\n two\n\tthree\n\nx\n\n" TWO), 2 },
};

ATF_TC(same_as_dovecot);
ATF_TC_HEAD(same_as_dovecot, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "dovecot");
}
ATF_TC_BODY(same_as_dovecot, tc)
{
	struct dovecot dovecot;
	struct server server;
	size_t i;

	(void)tc;
	server_start(&server, POP3);
	dovecot_start(&dovecot, &server, "");
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		compare(&server, &dovecot, &shared[i]);
	dovecot_stop(&dovecot);
	server_stop(&server);
}

/*
 * Moving from Dovecot: the mailbox as it leaves it, with a message that was
 * deleted since, gives the ids that its clients know.
 */
static void
move(const char *format, const char *setting)
{
	struct dovecot dovecot;
	struct server server;
	char extra[200], path[300], *theirs, *ours, *box;
	size_t length, our_length;
	int fd;

	(void)snprintf(extra, sizeof(extra), POP3 "uidl %s\n", setting);
	server_start(&server, extra);
	dovecot_start(&dovecot, &server, format);
	dovecot_write(&dovecot, ONE TWO THREE, strlen(ONE TWO THREE));
	fd = dovecot_login(&dovecot);
	client_say(fd, "DELE 2", "+OK");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	fd = dovecot_login(&dovecot);
	theirs = pop3_ask(fd, "UIDL", &length);
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	dovecot_stop(&dovecot);
	(void)snprintf(path, sizeof(path), "%s/home/inbox",
	    dovecot.directory);
	box = file_read(path, &our_length);
	mailbox_write(&server, FRED, box, our_length);
	free(box);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	ours = pop3_ask(fd, "UIDL", &our_length);
	ATF_CHECK_STREQ(theirs, ours);
	ATF_CHECK(strlen(ours) > 20);
	free(theirs);
	free(ours);
	pop3_quit(fd);
	server_stop(&server);
}

ATF_TC(ids_of_dovecot);
ATF_TC_HEAD(ids_of_dovecot, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "dovecot");
}
ATF_TC_BODY(ids_of_dovecot, tc)
{
	(void)tc;
	move("", "dovecot");
}

/* Dovecot's own imitation of UW's ids. */
ATF_TC(ids_of_uw);
ATF_TC_HEAD(ids_of_uw, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "dovecot");
}
ATF_TC_BODY(ids_of_uw, tc)
{
	(void)tc;
	move("protocol pop3 {\n  pop3_uidl_format = %08Xv%08Xu\n}\n", "uw");
}

static void __attribute__((format(printf, 1, 2)))
shell(const char *format, ...)
{
	char command[1200];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	ATF_REQUIRE_MSG(run((const char *const[]){ "sh", "-c", command, NULL },
	    NULL, NULL, 0) == 0, "%s", command);
}

static char *
ids_of(int fd)
{
	size_t length;
	char *ids = pop3_ask(fd, "UIDL", &length);

	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	return (ids);
}

static void
deliver(const char *home, const char *name, const char *subject)
{
	char path[400], text[100];

	(void)snprintf(path, sizeof(path), "%s/Maildir/new/%s", home, name);
	(void)snprintf(text, sizeof(text), "Subject: %s\n\n%s\n", subject,
	    subject);
	file_write(path, text, strlen(text));
	ATF_REQUIRE(chown(path, FRED_UID, FRED_UID) == 0);
}

/* One that has been there before: read, flagged, deleted from, renamed. */
ATF_TC(ids_of_dovecot_maildir);
ATF_TC_HEAD(ids_of_dovecot_maildir, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "dovecot");
}
ATF_TC_BODY(ids_of_dovecot_maildir, tc)
{
	struct dovecot dovecot;
	struct server server;
	char home[300], *theirs, *ours, *last;
	int fd;

	(void)tc;
	server_start(&server, POP3 "uidl dovecot\n");
	dovecot_start(&dovecot, &server,
	    "mail_location = maildir:~/Maildir\n");
	(void)snprintf(home, sizeof(home), "%s/home", dovecot.directory);
	shell("mkdir -p %s/Maildir/new %s/Maildir/cur; "
	    "chown -R 5001:5001 %s/Maildir", home, home, home);
	deliver(home, "1600000001.M1P1.host", "one");
	deliver(home, "1600000002.M2P2.host,S=19,W=23", "two");
	deliver(home, "1600000003.M3P3.host", "three");
	free(ids_of(dovecot_login(&dovecot)));
	fd = dovecot_login(&dovecot);
	client_say(fd, "RETR 1", "+OK");
	client_say(fd, "DELE 3", "Subject: one");
	(void)close(fd);
	fd = dovecot_login(&dovecot);
	client_say(fd, "DELE 1", "+OK");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	deliver(home, "1600000004.M4P4.host", "four");
	deliver(home, "1600000005.M5P5.host,U=77", "five");
	theirs = ids_of(dovecot_login(&dovecot));
	dovecot_stop(&dovecot);
	/* Dovecot has moved all to cur; a mail reader flags one. */
	shell("cd %s/Maildir/cur && mv 1600000004* 1600000004.M4P4.host:2,FS",
	    home);
	shell("cp -a %s/Maildir %s", home, mailbox_path(&server, FRED));
	ours = ids_of(pop3_login(&server, 0, FRED, FRED_PASSWORD));
	ATF_CHECK_STREQ(theirs, ours);
	ATF_CHECK_MSG(strstr(ours, "1 00000002") != NULL, "%s", ours);
	free(ours);
	/* What comes later has an id of the server's own, behind those. */
	(void)snprintf(home, sizeof(home), "%s", mailbox_path(&server, FRED));
	shell("cp -a %s/cur/1600000002* %s/new/1600000009.M9P9.host", home,
	    home);
	ours = ids_of(pop3_login(&server, 0, FRED, FRED_PASSWORD));
	ATF_CHECK(strncmp(theirs, ours, strlen(theirs)) == 0);
	last = ours + strlen(theirs);
	ATF_CHECK_STREQ("5 1600000009.M9P9.host\r\n", last);
	free(theirs);
	free(ours);
	server_stop(&server);
}

/*
 * popa3d as inetd starts it, in a mount namespace of its own: there its user,
 * its passwords and its spool are files of the scratch directory.
 */
#define POPA3D	BUILD_DIRECTORY "/build/peers/popa3d"

struct popa3d {
	pid_t pid;
	int fd;
};

static void
cover(const char *directory, const char *name, const char *path)
{
	char from[400];

	(void)snprintf(from, sizeof(from), "%s/%s", directory, name);
	if (mount(from, path, NULL, MS_BIND, NULL) == -1)
		_exit(100);
}

static void __attribute__((noreturn))
become_popa3d(const char *directory, int fd)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		_exit(100);
	cover(directory, "pam.d", "/etc/pam.d");
	cover(directory, "passwd", "/etc/passwd");
	cover(directory, "group", "/etc/group");
	cover(directory, "mail", "/var/mail");
	cover(directory, "lib", "/var/lib");
	(void)dup2(fd, STDIN_FILENO);
	(void)dup2(fd, STDOUT_FILENO);
	(void)execl(POPA3D, "popa3d", (char *)NULL);
	_exit(127);
}

static void
popa3d_prepare(const char *directory)
{
	static const char pam[] = "auth required pam_permit.so\n"
	    "account required pam_permit.so\n"
	    "session required pam_permit.so\n";
	static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
	    "popa3d:x:64105:64105::/:/bin/false\n"
	    "fred:x:5001:5001::/:/bin/sh\n";
	static const char group[] = "root:x:0:\nmail:x:8:\n"
	    "popa3d:x:64105:\nfred:x:5001:\n";
	char path[400];

	if (access(POPA3D, X_OK) == -1)
		atf_tc_skip("there is no popa3d; build/setup.sh ci gets it");
	shell("mkdir -p %s/pam.d %s/lib/popa3d && mkdir -m 1777 %s/mail",
	    directory, directory, directory);
	(void)snprintf(path, sizeof(path), "%s/pam.d/popa3d", directory);
	file_write(path, pam, strlen(pam));
	(void)snprintf(path, sizeof(path), "%s/passwd", directory);
	file_write(path, passwd, strlen(passwd));
	ATF_REQUIRE(chmod(path, 0644) == 0);
	(void)snprintf(path, sizeof(path), "%s/group", directory);
	file_write(path, group, strlen(group));
	ATF_REQUIRE(chmod(path, 0644) == 0);
}

static void
popa3d_write(const char *directory, const struct awkward *mailbox)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/mail/fred", directory);
	file_write(path, mailbox->bytes, mailbox->length);
	ATF_REQUIRE(chown(path, FRED_UID, FRED_UID) == 0);
}

static struct popa3d
popa3d_login(const char *directory)
{
	const struct timeval patience = { 10, 0 };
	struct popa3d popa3d;
	int pair[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair) == 0);
	ATF_REQUIRE((popa3d.pid = fork()) != -1);
	if (popa3d.pid == 0)
		become_popa3d(directory, pair[1]);
	(void)close(pair[1]);
	popa3d.fd = pair[0];
	(void)setsockopt(popa3d.fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	client_expect_line(popa3d.fd, "+OK");
	client_say(popa3d.fd, "USER fred", "+OK");
	client_say(popa3d.fd, "PASS secret", "+OK");
	return (popa3d);
}

static void
popa3d_quit(struct popa3d *popa3d)
{
	client_say(popa3d->fd, "QUIT", "+OK");
	client_expect_close(popa3d->fd);
	ATF_REQUIRE(waitpid(popa3d->pid, NULL, 0) == popa3d->pid);
}

/*
 * STAT, LIST, RETR and TOP; and ids, where all messages have lines of which
 * popa3d makes one.  To those that have none it gives one and the same.
 */
static void
compare_popa3d(const struct server *server, const char *directory,
    const struct awkward *mailbox, int ids)
{
	struct popa3d popa3d;
	char command[40], reply[80];
	unsigned int i, lines;
	int ours;

	(void)printf("%s\n", mailbox->name);
	(void)fflush(stdout);
	mailbox_write(server, FRED, mailbox->bytes, mailbox->length);
	popa3d_write(directory, mailbox);
	ours = pop3_login(server, 0, FRED, FRED_PASSWORD);
	popa3d = popa3d_login(directory);
	client_send(popa3d.fd, "STAT\r\n");
	client_line(popa3d.fd, reply, sizeof(reply));
	client_say(ours, "STAT", reply);
	same(ours, popa3d.fd, "LIST", mailbox->name);
	if (ids)
		same(ours, popa3d.fd, "UIDL", mailbox->name);
	for (i = 1; i <= mailbox->messages; i++) {
		(void)snprintf(command, sizeof(command), "RETR %u", i);
		same(ours, popa3d.fd, command, mailbox->name);
		for (lines = 0; lines < 4; lines++) {
			(void)snprintf(command, sizeof(command), "TOP %u %u",
			    i, lines);
			same(ours, popa3d.fd, command, mailbox->name);
		}
	}
	pop3_quit(ours);
	popa3d_quit(&popa3d);
	mailbox_must_be(server, FRED, mailbox->bytes, mailbox->length);
}

#define D	"Date: Sat, 21 Nov 2026 23:33:00 +0000\n"
#define M	"Message-ID: <a@b>\n"
#define R	"Received: from x by y;\n\tSat, 21 Nov 2026 23:33:00 +0000\n"
#define R2	"Received: from z by x; Sat, 21 Nov 2026 23:32:00 +0000\n"
#define END	"\nDate: in the body\n\n"

static const struct awkward headers[] = {
	{ "headers", BYTES(A "\n" D "Subject: s\nX-Delivery-ID: 1\n" END A "\n"
	    M END A "\n" D M END A "\n" M D END), 4 },
	{ "received", BYTES(A "\n" R D M END A "\n" D R M END A "\n" D M R
	    END A "\n" R2 R END), 4 },
	{ "delivered", BYTES(A "\nDelivered-To: a\n" R "Delivered-To: b\n"
	    D END A "\nX-Delivery-ID: 7\nX-Delivery-ID: 8\n" D END A "\n"
	    R "X-Delivery-ID: 9\n" M END), 3 },
	{ "names", BYTES(A "\nDATE: a\nmessage-id: b\n" END A
	    "\nDate : a\n" M END A "\nDate:\n" M END A "\nDates: x\n" R
	    END), 4 },
	{ "going on", BYTES(A "\n" D " and\n\ton\n" M " Date: no\n" END A
	    "\nSubject: x\n Date: no\nDate: yes\n" M END), 2 },
	{ "8-bit and CR", BYTES(A "\nDate: \xfc\xff\n" M END A
	    "\nDate: a\rb\nMessage-ID: \rc\n" END), 2 },
};

/*
 * Where popa3d reads a mailbox in another way: what it says to STAT, and why.
 */
static const struct {
	const char *name, *stat;
} differences[] = {
	/* Only a LF alone is an empty line, so no second message is found. */
	{ "CRLF", "+OK 1 111" },
	/* "From " behind an empty line begins one, whatever follows it. */
	{ "From within", "+OK 3 69" },
	/* The line that ends a header stays where there is no body. */
	{ "no body", "+OK 2 44" },
	/* It counts the line without an end as if it had but a LF. */
	{ "no end", "+OK 1 22" },
};

/* True, and held to it, where this is one of those. */
static int
differs(const struct server *server, const char *directory,
    const struct awkward *mailbox)
{
	struct popa3d popa3d;
	char reply[80];
	size_t i = 0;
	int ours;

	while (i < sizeof(differences) / sizeof(differences[0]) &&
	    strcmp(differences[i].name, mailbox->name) != 0)
		i++;
	if (i == sizeof(differences) / sizeof(differences[0]))
		return (0);
	mailbox_write(server, FRED, mailbox->bytes, mailbox->length);
	popa3d_write(directory, mailbox);
	popa3d = popa3d_login(directory);
	client_say(popa3d.fd, "STAT", differences[i].stat);
	popa3d_quit(&popa3d);
	ours = pop3_login(server, 0, FRED, FRED_PASSWORD);
	client_send(ours, "STAT\r\n");
	client_line(ours, reply, sizeof(reply));
	ATF_CHECK_MSG(strcmp(reply, differences[i].stat) != 0, "%s: %s",
	    mailbox->name, reply);
	pop3_quit(ours);
	return (1);
}

ATF_TC(same_as_popa3d);
ATF_TC_HEAD(same_as_popa3d, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(same_as_popa3d, tc)
{
	struct server server;
	char directory[300];
	size_t i;

	(void)tc;
	server_start(&server, POP3 "uidl popa3d\n");
	(void)snprintf(directory, sizeof(directory), "%s/popa3d",
	    server.directory);
	popa3d_prepare(directory);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		compare_popa3d(&server, directory, &headers[i], 1);
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (!differs(&server, directory, &shared[i]))
			compare_popa3d(&server, directory, &shared[i], 0);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, same_as_dovecot);
	ATF_TP_ADD_TC(tp, ids_of_dovecot);
	ATF_TP_ADD_TC(tp, same_as_popa3d);
	ATF_TP_ADD_TC(tp, ids_of_uw);
	ATF_TP_ADD_TC(tp, ids_of_dovecot_maildir);
	return (atf_no_error());
}
