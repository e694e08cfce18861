/*
 * pop3_test.c - what a POP3 server must not do: delete without QUIT, mix up
 * commands that come together, take passwords where it must not, hang, grow.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pop3_client.h"

#define FROM(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define ONE		FROM("a") "Subject: one\n\nfirst\n\n"
#define TWO		FROM("b") "Subject: two\n\nthe second\n\n"
#define LOGIN		"USER fred\r\nPASS secret\r\n"
#define RETR_AND_MORE	"RETR 1\r\nDELE 1\r\nSTAT\r\nRSET\r\n"
#define GREETING	"+OK Postern on post.example.org\r\n"

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	mailbox_write(server, FRED, ONE TWO, strlen(ONE TWO));
}

/* The whole of a session, and its answers. */
static const char session[] = "CAPA\r\n" LOGIN "STAT\r\nLIST\r\nRETR 1\r\n"
    "TOP 2 0\r\nNONSENSE\r\nDELE 1\r\nSTAT\r\nRSET\r\nDELE 2\r\nRETR 2\r\n"
    "LIST 1\r\nNOOP\r\nQUIT\r\n";
static const char answers[] = GREETING
    "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
    "USER\r\nSASL PLAIN\r\nEXPIRE NEVER\r\nUTF8\r\nLANG\r\n"
    "IMPLEMENTATION Postern\r\n.\r\n"
    "+OK\r\n+OK 2 messages (51 octets)\r\n+OK 2 51\r\n"
    "+OK\r\n1 23\r\n2 28\r\n.\r\n"
    "+OK 23 octets\r\nSubject: one\r\n\r\nfirst\r\n.\r\n"
    "+OK\r\nSubject: two\r\n\r\n.\r\n"
    "-ERR unknown command\r\n+OK 1 message (28 octets)\r\n+OK 1 28\r\n"
    "+OK 2 messages (51 octets)\r\n+OK 1 message (23 octets)\r\n"
    "-ERR no such message\r\n+OK 1 23\r\n+OK\r\n+OK bye\r\n";

ATF_TC_WITHOUT_HEAD(pipelining);
ATF_TC_BODY(pipelining, tc)
{
	static const size_t pieces[] = { sizeof(session), 7, 1 };
	struct server server;
	size_t i, at, length;
	int fd;

	(void)tc;
	start(&server, POP3);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		mailbox_write(&server, FRED, ONE TWO, strlen(ONE TWO));
		fd = client_connect(&server, 0);
		for (at = 0; at < sizeof(session) - 1; at += length) {
			length = sizeof(session) - 1 - at;
			if (length > pieces[i])
				length = pieces[i];
			client_send_bytes(fd, session + at, length);
		}
		client_expect(fd, answers);
		client_expect_close(fd);
		mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	}
	server_stop(&server);
}

/* Thousands of commands that are sent before an answer is read. */
ATF_TC_WITHOUT_HEAD(long_pipeline);
ATF_TC_BODY(long_pipeline, tc)
{
	enum { ROUNDS = 2000 };
	struct server server;
	int fd, i;
	pid_t writer;

	(void)tc;
	start(&server, POP3);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	ATF_REQUIRE((writer = fork()) != -1);
	if (writer == 0) {
		for (i = 0; i < ROUNDS; i++)
			(void)!write(fd, RETR_AND_MORE,
			    sizeof(RETR_AND_MORE) - 1);
		_exit(0);
	}
	for (i = 0; i < ROUNDS; i++)
		client_expect(fd, "+OK 23 octets\r\nSubject: one\r\n\r\n"
		    "first\r\n.\r\n+OK 1 message (28 octets)\r\n+OK 1 28\r\n"
		    "+OK 2 messages (51 octets)\r\n");
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
	server_stop(&server);
}

/* A line that is lost, half closed, or cut in a message deletes nothing. */
ATF_TC_WITHOUT_HEAD(no_delete_without_quit);
ATF_TC_BODY(no_delete_without_quit, tc)
{
	static const char *const ways[] = { "RETR 1\r\nDELE 1\r\n",
	    "DELE 1\r\nDELE 2\r\n", "DELE 1\r\nQUI", "DELE 1\r\nXYZZY\r\n",
	    "DELE 1\r\nQUIT now\r\n" };
	struct server server;
	size_t i;
	int fd, half;

	(void)tc;
	start(&server, POP3);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (half = 0; half < 2; half++) {
			fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
			client_send(fd, ways[i]);
			if (half)
				ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0);
			else
				(void)close(fd);
			children_must_be(&server, "postern-store", 0);
			if (half)
				(void)close(fd);
			mailbox_must_be(&server, FRED, ONE TWO,
			    strlen(ONE TWO));
		}
	/* The daemon's own end, too. */
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "DELE 1", "+OK");
	server_stop(&server);
	client_expect_line(fd, "-ERR [SYS/TEMP] the server is going down");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, ONE TWO, strlen(ONE TWO));
}

/* DELE needs no RETR; what is deleted is what was there when it was said. */
ATF_TC_WITHOUT_HEAD(dele_alone);
ATF_TC_BODY(dele_alone, tc)
{
	static const char rewritten[] = ONE FROM("b")
	    "Subject: two\n\nTHE SECOND\n\n";
	struct server server;
	int fd;

	(void)tc;
	start(&server, POP3);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "DELE 1", "+OK");
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));

	mailbox_write(&server, FRED, ONE TWO, strlen(ONE TWO));
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "DELE 2", "+OK");
	mailbox_write(&server, FRED, rewritten, strlen(rewritten));
	client_say(fd, "QUIT", "-ERR [SYS/TEMP] the mailbox was changed by "
	    "another program");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, rewritten, strlen(rewritten));
	server_stop(&server);
}

/* A message that has moved is refused for now; one that never was, is not. */
ATF_TC_WITHOUT_HEAD(moved);
ATF_TC_BODY(moved, tc)
{
	static const char rewritten[] = FROM("a") "Status: RO\n"
	    "Subject: one\n\nfirst\n\n" TWO;
	static const char *const verbs[] = { "RETR", "TOP", "DELE" };
	struct server server;
	char line[20];
	size_t i;
	int fd;

	(void)tc;
	start(&server, POP3);
	mailbox_write(&server, FRED, ONE TWO, strlen(ONE TWO));
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	mailbox_write(&server, FRED, rewritten, strlen(rewritten));
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		(void)snprintf(line, sizeof(line), "%s 2%s", verbs[i],
		    i == 1 ? " 0" : "");
		client_say(fd, line, "-ERR [SYS/TEMP] the m");
		(void)snprintf(line, sizeof(line), "%s 3%s", verbs[i],
		    i == 1 ? " 0" : "");
		client_say(fd, line, "-ERR no such message");
	}
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, rewritten, strlen(rewritten));
	server_stop(&server);
}

/* Nor is another deleted than the one whose id or text the client has. */
ATF_TC_WITHOUT_HEAD(dele_of_what_was_read);
ATF_TC_BODY(dele_of_what_was_read, tc)
{
	static const char *const reads[] = { "UIDL 2", "RETR 2" };
	static const char rewritten[] = ONE FROM("b")
	    "Subject: two\n\nTHE SECOND\n\n";
	struct server server;
	size_t i, length;
	int fd;

	(void)tc;
	start(&server, POP3);
	for (i = 0; i < 2; i++) {
		mailbox_write(&server, FRED, ONE TWO, strlen(ONE TWO));
		fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
		client_say(fd, reads[i], "+OK");
		if (i == 1)
			free(pop3_read_lines(fd, &length));
		mailbox_write(&server, FRED, rewritten, strlen(rewritten));
		if (i == 0) {	/* it is read once more, and is another */
			client_say(fd, "DELE 2", "-ERR [SYS/TEMP] the mailbox "
			    "was changed by another program");
			pop3_quit(fd);
		} else {
			client_say(fd, "DELE 2", "+OK");
			client_say(fd, "QUIT", "-ERR [SYS/TEMP] ");
			client_expect_close(fd);
		}
		mailbox_must_be(&server, FRED, rewritten, strlen(rewritten));
	}
	server_stop(&server);
}

/* Mail that comes while a session is open stays, and is not seen in it. */
ATF_TC_WITHOUT_HEAD(deliveries);
ATF_TC_BODY(deliveries, tc)
{
	struct server server;
	int fd, box;

	(void)tc;
	start(&server, POP3);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "DELE 1", "+OK");
	box = open(mailbox_path(&server, FRED), O_WRONLY | O_APPEND);
	ATF_REQUIRE(box != -1);
	ATF_REQUIRE(write(box, ONE, strlen(ONE)) == (ssize_t)strlen(ONE));
	(void)close(box);
	client_say(fd, "STAT", "+OK 1 28");
	client_say(fd, "RETR 3", "-ERR no such message");
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, TWO ONE, strlen(TWO ONE));
	server_stop(&server);
}

static void
login_must_fail(const struct server *server, const char *reply)
{
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+OK");
	client_say(fd, "USER fred", "+OK");
	client_say(fd, "PASS secret", reply);
	client_expect_close(fd);
}

/* RFC 2449 and RFC 3206: what the codes say is so. */
ATF_TC_WITHOUT_HEAD(codes);
ATF_TC_BODY(codes, tc)
{
	struct server server;
	int first, second;

	(void)tc;
	start(&server, POP3);
	first = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	second = client_connect(&server, 0);
	client_expect_line(second, "+OK");
	client_say(second, "USER fred", "+OK");
	client_say(second, "PASS secret", "-ERR [IN-USE] the mailbox is in "
	    "use by another session");
	client_expect_close(second);
	pop3_quit(first);
	pop3_quit(pop3_login(&server, 0, FRED, FRED_PASSWORD));

	/* A wrong password and a user who is not look the same. */
	first = client_connect(&server, 0);
	client_expect_line(first, "+OK");
	client_say(first, "USER fred", "+OK");
	client_say(first, "PASS wrong", "-ERR [AUTH] login refused");
	client_say(first, "USER nobody-here", "+OK");
	client_say(first, "PASS secret", "-ERR [AUTH] login refused");
	client_say(first, "AUTH PLAIN AGZyZWQAc2VjcmV1",
	    "-ERR [AUTH] login refused");
	client_expect_close(first);

	/* What is no mailbox needs somebody to do something about it. */
	ATF_REQUIRE(unlink(mailbox_path(&server, FRED)) == 0);
	ATF_REQUIRE(mkfifo(mailbox_path(&server, FRED), 0600) == 0);
	login_must_fail(&server, "-ERR [SYS/PERM] ");
	ATF_REQUIRE(unlink(mailbox_path(&server, FRED)) == 0);
	ATF_REQUIRE(mkdir(mailbox_path(&server, FRED), 0) == 0);
	login_must_fail(&server, "-ERR [SYS/PERM] the mailbox cannot be opened");
	server_stop(&server);
}

/* Nor does an empty directory become a file, or a Maildir, by itself. */
ATF_TC_WITHOUT_HEAD(wrong_format);
ATF_TC_BODY(wrong_format, tc)
{
	static const char *const formats[] = { "mbox", "maildir" };
	static const char *const reasons[] = {
	    "-ERR [SYS/PERM] the mailbox has not the expected format",
	    "-ERR [SYS/PERM] the mailbox cannot be opened" };
	char here[300], line[400];
	struct server server;
	size_t i;

	(void)tc;
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	for (i = 0; i < 2; i++) {
		(void)snprintf(line, sizeof(line), POP3 "inbox %s "
		    "\"%s/postern/spool/%%u\"\n", formats[i], here);
		server_start(&server, line);
		ATF_REQUIRE(mkdir(mailbox_path(&server, FRED), 0755) == 0);
		ATF_REQUIRE(geteuid() != 0 || chown(mailbox_path(&server,
		    FRED), FRED_UID, FRED_UID) == 0);
		login_must_fail(&server, reasons[i]);
		server_stop(&server);
		ATF_REQUIRE(rename("postern", formats[i]) == 0);
	}
}

/* A dotlock that another program has goes; one that none may make does not. */
ATF_TC_WITHOUT_HEAD(no_dotlock);
ATF_TC_BODY(no_dotlock, tc)
{
	struct server server;
	char lock[600], spool[600];

	(void)tc;
	start(&server, POP3 "lock dotlock\nlock-timeout 1\n");
	(void)snprintf(lock, sizeof(lock), "%s.lock", mailbox_path(&server,
	    FRED));
	file_write(lock, "0", 1);
	login_must_fail(&server, "-ERR [SYS/TEMP] the mailbox is locked by "
	    "another program");
	ATF_REQUIRE(unlink(lock) == 0);
	(void)snprintf(spool, sizeof(spool), "%s/spool", server.directory);
	ATF_REQUIRE(chmod(spool, 0555) == 0);
	login_must_fail(&server, "-ERR [SYS/PERM] the mailbox cannot be "
	    "locked: no dotlock can be made");
	ATF_REQUIRE(chmod(spool, 02775) == 0);
	pop3_quit(pop3_login(&server, 0, FRED, FRED_PASSWORD));
	/* After this, postern-lock is started again. */
	(void)snprintf(lock, sizeof(lock), "%s/old", server.directory);
	ATF_REQUIRE(rename(spool, lock) == 0 && mkdir(spool, 0777) == 0);
	ATF_REQUIRE(chmod(spool, 0777) == 0);
	mailbox_write(&server, FRED, ONE TWO, strlen(ONE TWO));
	login_must_fail(&server, "-ERR [SYS/TEMP] the mailbox cannot be "
	    "locked");
	server_stop(&server);
}

/* No password is asked for where it must not cross the network. */
ATF_TC_WITHOUT_HEAD(clear_text);
ATF_TC_BODY(clear_text, tc)
{
	static const char *const attempts[] = { "USER fred",
	    "AUTH PLAIN AGZyZWQAc2VjcmV0", "AUTH PLAIN" };
	struct server server;
	size_t length, i;
	char *text;
	int fd;

	(void)tc;
	start(&server, POP3 "cleartext 192.0.2.0/24\n");
	fd = client_connect(&server, 0);
	client_expect(fd, GREETING);
	text = pop3_ask(fd, "CAPA", &length);
	ATF_CHECK(strstr(text, "USER") == NULL);
	ATF_CHECK(strstr(text, "SASL") == NULL);
	ATF_CHECK(strstr(text, "PIPELINING\r\n") != NULL);
	free(text);
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		client_say(fd, attempts[i], "-ERR [SYS/PERM] passwords in "
		    "clear text are not accepted from your address; use TLS");
	client_say(fd, "PASS secret", "-ERR this command is out of place");
	client_say(fd, "QUIT", "+OK bye");
	client_expect_close(fd);
	ATF_CHECK(!log_has(&server, "event=login"));
	server_stop(&server);
}

/* RFC 5034 and RFC 4616. */
ATF_TC_WITHOUT_HEAD(auth_plain);
ATF_TC_BODY(auth_plain, tc)
{
	static const struct {
		const char *answer, *reply;
	} wrong[] = {
		{ "AGZyZWQAc2VjcmV", "-ERR this is not base64" },
		{ "AGZyZWQA c2VjcmV0", "-ERR this is not base64" },
		{ "AGZyZWQAc2VjcmV0====", "-ERR this is not base64" },
		{ "A===", "-ERR this is not base64" },
		{ "=", "-ERR this is not base64" },
		{ "====", "-ERR this is not base64" },
		{ "AGZyZWQAc2VjcmV0MR==", "-ERR this is not base64" },
		{ "", "-ERR this is not base64" },
		{ "*", "-ERR AUTH was cancelled" },
		{ "AGZyZWQ=", "-ERR expected a name, a user and a " },
		{ "ZnJlZABmcmVk", "-ERR expected a name, a user and a " },
		{ "AAA=", "-ERR expected a name, a user and a password" },
		{ "AGZyZWQA", "-ERR expected a name, a user and a password" },
		{ "AABzZWNyZXQ=", "-ERR expected a name, a user and a " },
		{ "AGZyZWQAc2VjcmV0AA==", "-ERR expected a name, a user" },
		{ "YW5uAGZyZWQAc2VjcmV0", "-ERR [AUTH] the two names " },
	};
	struct server server;
	char line[2000];
	size_t i;
	int fd, at_once;

	(void)tc;
	start(&server, POP3);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		for (at_once = 0; at_once < 2; at_once++) {
			fd = client_connect(&server, 0);
			client_expect_line(fd, "+OK");
			(void)snprintf(line, sizeof(line), "AUTH PLAIN %s",
			    wrong[i].answer);
			if (!at_once)
				client_say(fd, "AUTH PLAIN", "+ ");
			client_say(fd, at_once ? line : wrong[i].answer,
			    wrong[i].reply);
			client_say(fd, "NOOP", "-ERR this command is out of");
			(void)close(fd);
		}
	/* The same name twice is one name. */
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	client_say(fd, "auth plain ZnJlZABmcmVkAHNlY3JldA==",
	    "+OK 2 messages");
	pop3_quit(fd);
	/* An answer may be longer than a command, and not without end. */
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	client_say(fd, "AUTH PLAIN", "+ ");
	memset(line, 'A', 1024);
	line[1024] = '\0';
	client_say(fd, line, "-ERR expected a name, a user and a password");
	client_say(fd, "AUTH PLAIN", "+ ");
	memset(line, 'A', 1100);
	line[1100] = '\0';
	client_say(fd, line, "-ERR the line is longer than 1026 octets");
	client_expect_close(fd);
	server_stop(&server);
}

/* RFC 2449: 255 octets, CRLF among them. */
ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	struct server server;
	char line[600];
	int fd;

	(void)tc;
	start(&server, POP3);
	memset(line, 'x', sizeof(line));
	memcpy(line, "USER ", 5);
	memcpy(line + 253, "\r\n", 3);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	client_send(fd, line);
	client_expect_line(fd, "+OK");
	memcpy(line + 253, "x\r\n", 4);
	client_send(fd, line);
	client_expect_line(fd, "-ERR the line is longer than 255 octets");
	client_expect_close(fd);
	/* And without an end. */
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	client_send_bytes(fd, line, 255);
	client_expect_line(fd, "-ERR the line is longer than 255 octets");
	client_expect_close(fd);
	server_stop(&server);
}

/* RFC 1939: an autologout says nothing. */
ATF_TC_WITHOUT_HEAD(timeout);
ATF_TC_BODY(timeout, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, POP3 "login-timeout 1\n");
	fd = client_connect(&server, 0);
	client_expect(fd, GREETING);
	client_send(fd, "USER fred\r\n");
	client_expect(fd, "+OK\r\n");
	client_expect_close(fd);
	log_must_have(&server, "reason=\"timeout\"");
	server_stop(&server);
}

/* What the configuration says of mail's age and of logins. */
ATF_TC_WITHOUT_HEAD(announced);
ATF_TC_BODY(announced, tc)
{
	struct server server;
	size_t length;
	char *text;
	int fd;

	(void)tc;
	start(&server, POP3 "expire 60\nlogin-delay 3600\n");
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	text = pop3_ask(fd, "CAPA", &length);
	ATF_CHECK(strstr(text, "\r\nEXPIRE 60\r\n") != NULL);
	ATF_CHECK(strstr(text, "\r\nLOGIN-DELAY 3600\r\n") != NULL);
	free(text);
	client_send(fd, LOGIN);
	client_expect(fd, "+OK\r\n+OK 2 messages (51 octets)\r\n");
	pop3_quit(fd);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	client_say(fd, "USER fred", "+OK");
	client_say(fd, "PASS secret", "-ERR [LOGIN-DELAY] ");
	client_expect_close(fd);
	/* It is each user's own. */
	pop3_quit(pop3_login(&server, 0, ANN, ANN_PASSWORD));
	server_stop(&server);
}

/* A login that did not get the mailbox begins no delay. */
ATF_TC_WITHOUT_HEAD(delay_of_no_login);
ATF_TC_BODY(delay_of_no_login, tc)
{
	struct server server;
	int holder, fd;

	(void)tc;
	start(&server, POP3 "listen pop2 127.0.0.1 port 0\n"
	    "login-delay 3600\n");
	holder = pop2_login(&server, 1, FRED, FRED_PASSWORD, "#2 ");
	fd = client_connect(&server, 0);
	client_expect(fd, GREETING);
	client_say(fd, "USER fred", "+OK");
	client_say(fd, "PASS secret", "-ERR [IN-USE] ");
	client_expect_close(fd);
	client_say(holder, "QUIT", "+");
	client_expect_close(holder);
	children_must_be(&server, "postern-store", 0);
	pop3_quit(pop3_login(&server, 0, FRED, FRED_PASSWORD));
	/* One that did begins it, or the above would mean nothing. */
	fd = client_connect(&server, 0);
	client_expect(fd, GREETING);
	client_say(fd, "USER fred", "+OK");
	client_say(fd, "PASS secret", "-ERR [LOGIN-DELAY] ");
	client_expect_close(fd);
	server_stop(&server);
}

static long
resident_kb(pid_t pid)
{
	char path[40], line[200];
	long kb = -1;
	FILE *status;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	ATF_REQUIRE((status = fopen(path, "r")) != NULL);
	while (kb == -1 && fgets(line, sizeof(line), status) != NULL)
		(void)sscanf(line, "VmHWM: %ld", &kb);
	(void)fclose(status);
	ATF_REQUIRE(kb != -1);
	return (kb);
}

/*
 * Lists of 100,000 messages, asked for again and again by a client that does
 * not read, do not gather in the process that serves all others.
 */
ATF_TC(long_lists);
ATF_TC_HEAD(long_lists, tc)
{
	atf_tc_set_md_var(tc, "timeout", "300");
}
ATF_TC_BODY(long_lists, tc)
{
	enum { MESSAGES = 100000, LISTS = 10 };
	static const char *const commands[] = { "LIST\r\n", "UIDL\r\n" };
	struct server server;
	char *box, *at, *text;
	size_t length, i, lines;
	long before, after;
	int fd, list;
	pid_t net;

	(void)tc;
	server_start(&server, POP3 "net-processes 1\n");
	ATF_REQUIRE((at = box = malloc(MESSAGES * 80)) != NULL);
	for (i = 0; i < MESSAGES; i++)
		at += sprintf(at, FROM("a") "Subject: %zu\n\n\n", i);
	mailbox_write(&server, FRED, box, (size_t)(at - box));
	free(box);
	net = children_pid(&server, "postern-net", 0);
	before = resident_kb(net);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	for (list = 0; list < LISTS; list++)
		client_send(fd, commands[list % 2]);
	/* Another client is served meanwhile. */
	pop3_quit(pop3_login(&server, 0, ANN, ANN_PASSWORD));
	for (list = 0; list < 2; list++) {
		client_expect(fd, "+OK\r\n");
		text = pop3_read_lines(fd, &length);
		for (i = lines = 0; i < length; i++)
			lines += text[i] == '\n';
		ATF_CHECK_EQ((size_t)MESSAGES, lines);
		free(text);
	}
	after = resident_kb(net);
	ATF_CHECK_MSG(after - before < 1024, "net grew by %ld KB",
	    after - before);
	(void)close(fd);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, pipelining);
	ATF_TP_ADD_TC(tp, long_pipeline);
	ATF_TP_ADD_TC(tp, no_delete_without_quit);
	ATF_TP_ADD_TC(tp, dele_alone);
	ATF_TP_ADD_TC(tp, moved);
	ATF_TP_ADD_TC(tp, dele_of_what_was_read);
	ATF_TP_ADD_TC(tp, deliveries);
	ATF_TP_ADD_TC(tp, codes);
	ATF_TP_ADD_TC(tp, wrong_format);
	ATF_TP_ADD_TC(tp, no_dotlock);
	ATF_TP_ADD_TC(tp, clear_text);
	ATF_TP_ADD_TC(tp, auth_plain);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, timeout);
	ATF_TP_ADD_TC(tp, announced);
	ATF_TP_ADD_TC(tp, delay_of_no_login);
	ATF_TP_ADD_TC(tp, long_lists);
	return (atf_no_error());
}
