/*
 * session_test.c - what a session does with odd clients, odd folders and odd
 * configurations; the tables of states and the RFCs' scenarios are tested in
 * programs of their own.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "limits_postern.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define GREETING	"+ POP2 post.example.org Postern\r\n"
#define HELO		"HELO fred secret\r\n"
#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

static const char box[] =
    FROM_LINE("a") "Subject: one\n\nfirst\n\n"
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";
static const char second_alone[] =
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";
static const char folder[] = FROM_LINE("c") "Subject: three\n\nthird\n\n";

/*
 * What one client sends, in one piece, and all that it gets until the server
 * closes; the greeting goes before.
 */
struct talk {
	const char *commands;
	const char *replies;
};

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	mailbox_write(server, FRED, box, strlen(box));
}

static void
talk(const struct server *server, const char *greeting, const struct talk *talk)
{
	int fd = client_connect(server, 0);

	(void)printf("%s", talk->commands);
	(void)fflush(stdout);
	client_expect(fd, greeting);
	client_send(fd, talk->commands);
	client_expect(fd, talk->replies);
	client_expect_close(fd);
	/* Its mailbox is free again when its store is gone. */
	children_must_be(server, "postern-store", 0);
}

static void
talk_each(const struct server *server, const struct talk *talks, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		talk(server, GREETING, &talks[i]);
}

static void
pause_ms(long ms)
{
	const struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&time, NULL);
}

static double
seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

/* How often `text` stands in the log. */
static int
log_count(const struct server *server, const char *text)
{
	char *log = file_read(server->log, NULL), *at = log;
	int count = 0;

	while ((at = strstr(at, text)) != NULL) {
		at += strlen(text);
		count++;
	}
	free(log);
	return (count);
}

/* The log's (last) line that has `text`; for the caller to free. */
static char *
log_line_with(const struct server *server, const char *text)
{
	char *log, *line, *rest, *found = NULL;

	log_must_have(server, text);
	rest = log = file_read(server->log, NULL);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strstr(line, text) != NULL) {
			free(found);
			found = strdup(line);
		}
	free(log);
	ATF_REQUIRE(found != NULL);
	return (found);
}

/* RFC 937 "Quoting": a space and a back-slash in arguments. */
ATF_TC_WITHOUT_HEAD(quoting);
ATF_TC_BODY(quoting, tc)
{
	static const struct talk talks[] = {
		{ "HELO ann pass\\ word\\\\1\r\nQUIT\r\n",
		    "#0 messages\r\n+ OK bye\r\n" },
		{ "HELO \\a\\n\\n \\p\\a\\s\\s\\ word\\\\1\r\nQUIT\r\n",
		    "#0 messages\r\n+ OK bye\r\n" },
		{ "HELO ann pass\\ word\\1\r\n", "- login refused\r\n" },
		{ HELO "FOLD my folder\r\nFOLD my\\ folder\r\n"
		    "FOLD back\\\\slash\r\nQUIT\r\n", "#2 messages\r\n"
		    "#1 message\r\n#1 message\r\n#1 message\r\n+ OK bye\r\n" },
		{ HELO "FOLD back\\slash\r\nFOLD back\\\\\\slash\r\nQUIT\r\n",
		    "#2 messages\r\n#0 messages\r\n#1 message\r\n"
		    "+ OK bye\r\n" },
		{ "HELO ann pass word\\\\1\r\n",
		    "- expected a user name and a password\r\n" },
		{ "HELO ann\r\n", "- expected a user name and a password\r\n" },
		{ "HELO\r\n", "- expected a user name and a password\r\n" },
		{ "HELO fred secret\\\r\n",
		    "- expected a user name and a password\r\n" },
		{ HELO "FOLD\r\n",
		    "#2 messages\r\n- expected a mailbox\r\n" },
		{ HELO "FOLD work\\\r\n",
		    "#2 messages\r\n- expected a mailbox\r\n" },
	};
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/my folder", folder, strlen(folder));
	folder_write(&server, FRED, "mail/back\\slash", folder,
	    strlen(folder));
	talk_each(&server, talks, COUNT_OF(talks));
	/* RFC 918 has no quotes: a password is the rest of the line. */
	fd = pop1_login(&server, 0, ANN, ANN_PASSWORD);
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(verbs_in_any_case);
ATF_TC_BODY(verbs_in_any_case, tc)
{
	static const struct talk talks[] = {
		{ "helo fred secret\r\nfold INBOX\r\nread 1\r\nretr\r\n"
		    "nack\r\nreTR\r\nacks\r\nRETr\r\nackd\r\nREAD 1\r\n"
		    "qUiT\r\n",
		    "#2 messages\r\n#2 messages\r\n=23 characters\r\n"
		    "Subject: one\r\n\r\nfirst\r\n=23 characters\r\n"
		    "Subject: one\r\n\r\nfirst\r\n=28 characters\r\n"
		    "Subject: two\r\n\r\nthe second\r\n=0 no message\r\n"
		    "=23 characters\r\n+ OK bye\r\n" },
		{ "UsEr fred\r\npass secret\r\nrdel INBOX\r\nrset\r\n"
		    "noop\r\nretr INBOX\r\nrecv\r\nrcvd\r\nquit\r\n",
		    "+OK\r\n+OK\r\n#70\r\n+OK\r\n+OK\r\n#70\r\n"
		    "From a@example.org Sat Nov 21 23:33:00 2026\r\n"
		    "Subject: one\r\n\r\nfirst\r\n\r\n+OK\r\n+OK\r\n" },
	};
	struct server server;

	(void)tc;
	start(&server, NULL);
	talk_each(&server, talks, COUNT_OF(talks));
	server_stop(&server);
}

/* LF alone ends a command, CR alone does not. */
ATF_TC_WITHOUT_HEAD(line_ends);
ATF_TC_BODY(line_ends, tc)
{
	static const struct talk talks[] = {
		{ "HELO fred secret\nREAD 1\r\nREAD 2\nQUIT\n",
		    "#2 messages\r\n=23 characters\r\n=28 characters\r\n"
		    "+ OK bye\r\n" },
		{ "USER fred\nPASS secret\nRETR INBOX\nQUIT\n",
		    "+OK\r\n+OK\r\n#145\r\n+OK\r\n" },
		{ "QUIT\rQUIT\r\n", "- unknown command\r\n" },
		{ "\r\n", "- unknown command\r\n" },
		{ "\n", "- unknown command\r\n" },
	};
	struct server server;

	(void)tc;
	start(&server, NULL);
	talk_each(&server, talks, COUNT_OF(talks));
	server_stop(&server);
}

/* Whole sessions in one segment, answered in order. */
static const struct talk whole[] = {
	{ HELO "READ 1\r\nRETR\r\nNACK\r\nRETR\r\nACKS\r\nREAD 1\r\nREAD\r\n"
	    "FOLD work\r\nREAD\r\nRETR\r\nACKS\r\nQUIT\r\n",
	    "#2 messages\r\n=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=28 characters\r\n=23 characters\r\n=23 characters\r\n"
	    "#1 message\r\n=25 characters\r\nSubject: three\r\n\r\n"
	    "third\r\n=0 no message\r\n+ OK bye\r\n" },
	{ "USER fred\r\nPASS wrong\r\nUSER fred\r\nPASS secret\r\n"
	    "RETR work\r\nRCEV\r\nRCVD\r\nRDEL work\r\nRSET\r\nNOOP\r\n"
	    "QUIT\r\n",
	    "+OK\r\n-ERR login refused\r\n+OK\r\n+OK\r\n#72\r\n"
	    "From c@example.org Sat Nov 21 23:33:00 2026\r\n"
	    "Subject: three\r\n\r\nthird\r\n\r\n+OK\r\n#72\r\n+OK\r\n+OK\r\n"
	    "+OK\r\n" },
};

ATF_TC_WITHOUT_HEAD(pipelined);
ATF_TC_BODY(pipelined, tc)
{
	struct server server;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/work", folder, strlen(folder));
	talk_each(&server, whole, COUNT_OF(whole));
	mailbox_must_be(&server, FRED, box, strlen(box));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(octet_by_octet);
ATF_TC_BODY(octet_by_octet, tc)
{
	struct server server;
	const char *octet;
	size_t i;
	int fd, on = 1;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/work", folder, strlen(folder));
	for (i = 0; i < COUNT_OF(whole); i++) {
		fd = client_connect(&server, 0);
		ATF_REQUIRE(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on)) == 0);
		for (octet = whole[i].commands; *octet != '\0'; octet++) {
			client_send_bytes(fd, octet, 1);
			pause_ms(1);
		}
		client_expect(fd, GREETING);
		client_expect(fd, whole[i].replies);
		client_expect_close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	server_stop(&server);
}

/* RFC 937 "Sizes": a command line has 512 octets with its end, no more. */
static void
long_line(const struct server *server, int port, const char *before,
    const char *verb, size_t octets, const char *end, const char *reply)
{
	char line[600];
	int fd = client_connect(server, port);

	client_expect_line(fd, "+");
	client_send(fd, before);
	if (before[0] != '\0')
		client_expect_line(fd, "+");
	memset(line, 'p', sizeof(line));
	memcpy(line, verb, strlen(verb));
	memcpy(line + octets - strlen(end), end, strlen(end));
	client_send_bytes(fd, line, octets);
	client_expect_line(fd, reply);
	if (octets > 512)
		client_expect_close(fd);
	else
		(void)close(fd);
}

ATF_TC_WITHOUT_HEAD(line_length);
ATF_TC_BODY(line_length, tc)
{
	char password[512];
	struct server server;

	(void)tc;
	server_prepare(&server, "listen pop2 127.0.0.1 port 0\n"
	    "listen pop1 127.0.0.1 port 0\n");
	/* These make lines of 512 octets: "HELO joe ", "PASS ", CRLF. */
	memset(password, 'p', sizeof(password));
	password[512 - 9 - 2] = '\0';
	server_add_user(&server, "joe", password, FRED_UID);
	password[512 - 9 - 2] = 'p';
	password[512 - 5 - 2] = '\0';
	server_add_user(&server, "jim", password, FRED_UID);
	server_run(&server);
	long_line(&server, 0, "", "HELO joe ", 512, "\r\n", "#0");
	long_line(&server, 0, "", "HELO joe ", 511, "\n", "#0");
	long_line(&server, 0, "", "HELO joe ", 512, "\n", "- login refused");
	long_line(&server, 0, "", "HELO joe ", 513, "\r\n", "- the line is");
	long_line(&server, 0, "", "HELO joe ", 513, "\n", "- the line is");
	long_line(&server, 1, "USER jim\r\n", "PASS ", 512, "\r\n", "+OK");
	long_line(&server, 1, "USER jim\r\n", "PASS ", 511, "\n", "+OK");
	long_line(&server, 1, "USER jim\r\n", "PASS ", 512, "\n", "-ERR logi");
	long_line(&server, 1, "USER jim\r\n", "PASS ", 513, "\r\n",
	    "-ERR the line is");
	long_line(&server, 1, "USER jim\r\n", "PASS ", 513, "\n",
	    "-ERR the line is");
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(nul_refused);
ATF_TC_BODY(nul_refused, tc)
{
	static const struct {
		const char *octets;
		size_t length;
		const char *error;
	} lines[] = {
		{ "\0\r\n", 3, "- a NUL" },
		{ "HELO fred secret\0\r\n", 19, "- a NUL" },
		{ "HE\0LO fred secret\r\n", 19, "- a NUL" },
		{ "QUIT\0\n", 6, "- a NUL" },
	};
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	start(&server, "listen pop2 127.0.0.1 port 0\n"
	    "listen pop1 127.0.0.1 port 0\n");
	for (i = 0; i < COUNT_OF(lines); i++) {
		fd = client_connect(&server, 0);
		client_expect_line(fd, "+ POP2");
		client_send_bytes(fd, lines[i].octets, lines[i].length);
		client_expect_line(fd, lines[i].error);
		client_expect_close(fd);
	}
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	client_send_bytes(fd, "READ 1\0\r\n", 9);
	client_expect_line(fd, "- a NUL");
	client_expect_close(fd);
	fd = pop1_login(&server, 1, FRED, FRED_PASSWORD);
	client_send_bytes(fd, "RETR INBOX\0x\r\n", 14);
	client_expect_line(fd, "-ERR a NUL");
	client_expect_close(fd);
	server_stop(&server);
}

/* What is no message is of length zero; what is no number is an error. */
ATF_TC_WITHOUT_HEAD(read_numbers);
ATF_TC_BODY(read_numbers, tc)
{
	static const struct {
		const char *command;
		const char *reply;
	} reads[] = {
		{ "READ\r\n", "=23 characters\r\n" },
		{ "READ 2\r\n", "=28 characters\r\n" },
		{ "READ 01\r\n", "=23 characters\r\n" },
		{ "READ  2\r\n", "=28 characters\r\n" },
		{ "READ 0\r\n", "=0 no message\r\n" },
		{ "READ 3\r\n", "=0 no message\r\n" },
		{ "READ 65537\r\n", "=0 no message\r\n" },
		{ "READ 2147483648\r\n", "=0 no message\r\n" },
		{ "READ 4294967297\r\n", "=0 no message\r\n" },
		{ "READ 18446744073709551615\r\n", "=0 no message\r\n" },
		{ "READ 18446744073709551616\r\n", "=0 no message\r\n" },
		{ "READ 18446744073709551617\r\n", "=0 no message\r\n" },
		{ "READ 99999999999999999999999999999\r\n",
		    "=0 no message\r\n" },
		{ "READ x\r\n", "- expected a message number\r\n" },
		{ "READ 1x\r\n", "- expected a message number\r\n" },
		{ "READ -1\r\n", "- expected a message number\r\n" },
		{ "READ +1\r\n", "- expected a message number\r\n" },
		{ "READ 0x1\r\n", "- expected a message number\r\n" },
		{ "READ 1.0\r\n", "- expected a message number\r\n" },
		{ "READ \t1\r\n", "- expected a message number\r\n" },
		{ "READ 1 2\r\n", "- expected a message number\r\n" },
		{ "READ \\1\r\n", "- expected a message number\r\n" },
	};
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	start(&server, NULL);
	for (i = 0; i < COUNT_OF(reads); i++) {
		(void)printf("%s", reads[i].command);
		(void)fflush(stdout);
		fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
		client_send(fd, reads[i].command);
		client_send(fd, "QUIT\r\n");
		client_expect(fd, reads[i].reply);
		if (reads[i].reply[0] == '=')
			client_expect(fd, "+ OK bye\r\n");
		client_expect_close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	server_stop(&server);
}

/* Messages that are deleted, that are not there, or that come again. */
ATF_TC_WITHOUT_HEAD(transactions);
ATF_TC_BODY(transactions, tc)
{
	static const struct talk talks[] = {
		/* READ of a deleted message, before and after others. */
		{ HELO "READ 1\r\nRETR\r\nACKD\r\nREAD 1\r\nREAD 2\r\n"
		    "READ 1\r\nREAD\r\nRETR\r\n",
		    "#2 messages\r\n=23 characters\r\n"
		    "Subject: one\r\n\r\nfirst\r\n=28 characters\r\n"
		    "=0 no message\r\n=28 characters\r\n=0 no message\r\n"
		    "=0 no message\r\n" },
		/* The acknowledged one was the last; the next is deleted. */
		{ HELO "READ 2\r\nRETR\r\nACKD\r\nREAD 1\r\nRETR\r\nACKS\r\n"
		    "RETR\r\n",
		    "#2 messages\r\n=28 characters\r\n"
		    "Subject: two\r\n\r\nthe second\r\n=0 no message\r\n"
		    "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
		    "=0 no message\r\n" },
		/* RETR of nothing: no data, no reply. */
		{ HELO "READ 0\r\nRETR\r\nQUIT\r\n",
		    "#2 messages\r\n=0 no message\r\n" },
		{ HELO "READ 99999999999999999999\r\nRETR\r\n",
		    "#2 messages\r\n=0 no message\r\n" },
		/* NACK: the same again, as often as wanted. */
		{ HELO "READ 2\r\nRETR\r\nNACK\r\nRETR\r\nNACK\r\nREAD\r\n"
		    "QUIT\r\n",
		    "#2 messages\r\n=28 characters\r\n"
		    "Subject: two\r\n\r\nthe second\r\n=28 characters\r\n"
		    "Subject: two\r\n\r\nthe second\r\n=28 characters\r\n"
		    "=28 characters\r\n+ OK bye\r\n" },
		/* FOLD: the current message is the first again. */
		{ HELO "READ 2\r\nFOLD INBOX\r\nREAD\r\nRETR\r\nACKS\r\n"
		    "FOLD INBOX\r\nREAD\r\nQUIT\r\n",
		    "#2 messages\r\n=28 characters\r\n#2 messages\r\n"
		    "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
		    "=28 characters\r\n#2 messages\r\n=23 characters\r\n"
		    "+ OK bye\r\n" },
		/* Arguments where there are none. */
		{ HELO "READ 1\r\nRETR 1\r\n", "#2 messages\r\n"
		    "=23 characters\r\n- expected no argument\r\n" },
		{ HELO "QUIT now\r\n",
		    "#2 messages\r\n- expected no argument\r\n" },
	};
	struct server server;

	(void)tc;
	start(&server, NULL);
	talk_each(&server, talks, COUNT_OF(talks));
	mailbox_must_be(&server, FRED, box, strlen(box));
	server_stop(&server);
}

static int
ackd_both(const struct server *server)
{
	int fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#2");

	client_send(fd, "READ 1\r\nRETR\r\nACKD\r\nRETR\r\nACKD\r\n");
	client_expect(fd, "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=28 characters\r\nSubject: two\r\n\r\nthe second\r\n"
	    "=0 no message\r\n");
	return (fd);
}

/* ACKD, and then anything but QUIT or FOLD: nothing is deleted. */
ATF_TC_WITHOUT_HEAD(ackd_and_drop);
ATF_TC_BODY(ackd_and_drop, tc)
{
	static const struct linger reset = { 1, 0 };
	struct server server;
	int fd, how;

	(void)tc;
	start(&server, NULL);
	for (how = 0; how < 4; how++) {
		fd = ackd_both(&server);
		if (how == 1)		/* a reset */
			ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER,
			    &reset, sizeof(reset)) == 0);
		if (how == 2)		/* a half close */
			ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0);
		if (how == 3)		/* half a command */
			client_send(fd, "QUIT");
		(void)close(fd);
		children_must_be(&server, "postern-store", 0);
		mailbox_must_be(&server, FRED, box, strlen(box));
	}
	ATF_CHECK_EQ(log_count(&server, "event=commit"), 0);
	server_stop(&server);
}

/* FOLD commits the deletes of the folder it leaves, and only those. */
ATF_TC_WITHOUT_HEAD(fold_commits);
ATF_TC_BODY(fold_commits, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/work", folder, strlen(folder));
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	client_send(fd, "READ 1\r\nRETR\r\nACKD\r\nFOLD work\r\n");
	client_expect(fd, "=23 characters\r\nSubject: one\r\n\r\nfirst\r\n"
	    "=28 characters\r\n#1 message\r\n");
	mailbox_must_be(&server, FRED, second_alone, strlen(second_alone));
	client_send(fd, "READ\r\nRETR\r\nACKD\r\n");
	client_expect(fd, "=25 characters\r\n"
	    "Subject: three\r\n\r\nthird\r\n=0 no message\r\n");
	folder_must_be(&server, FRED, "mail/work", folder, strlen(folder));
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	folder_must_be(&server, FRED, "mail/work", folder, strlen(folder));
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 ");
	client_send(fd, "FOLD work\r\nREAD\r\nRETR\r\nACKD\r\nFOLD nosuch\r\n"
	    "FOLD INBOX\r\nFOLD work\r\n");
	client_expect(fd, "#1 message\r\n=25 characters\r\n"
	    "Subject: three\r\n\r\nthird\r\n=0 no message\r\n"
	    "#0 messages\r\n#1 message\r\n#0 messages\r\n");
	folder_must_be(&server, FRED, "mail/work", "", 0);
	mailbox_must_be(&server, FRED, second_alone, strlen(second_alone));
	(void)close(fd);
	server_stop(&server);
}

static const char *
mail_path(const struct server *server, const char *name)
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s/home/fred/mail/%s",
	    server->directory, name);
	return (path);
}

/* Folders that Fred may not have; his own mailbox is below a bad name. */
static void
make_bad_folders(const struct server *server)
{
	folder_write(server, FRED, "outside", folder, strlen(folder));
	folder_write(server, FRED, "mail/sub/desk", folder, strlen(folder));
	ATF_REQUIRE(symlink(mailbox_path(server, FRED), mail_path(server,
	    "link")) == 0);
	ATF_REQUIRE(symlink("sub/desk", mail_path(server, "inside")) == 0);
	ATF_REQUIRE(symlink("sub", mail_path(server, "subs")) == 0);
	ATF_REQUIRE(symlink("/etc", mail_path(server, "etc")) == 0);
	ATF_REQUIRE(mkfifo(mail_path(server, "fifo"), 0666) == 0);
	if (server->privileged)
		ATF_REQUIRE(chown(mail_path(server, "fifo"), FRED_UID,
		    FRED_UID) == 0);
}

/* A dead process's last lines may still be on their way. */
static int
log_has_soon(const struct server *server, const char *text)
{
	int tries;

	for (tries = 0; tries < 100 && !log_has(server, text); tries++)
		pause_ms(20);
	return (tries < 100);
}

/* One line of the log about each: the names are scanners' favourites. */
ATF_TC_WITHOUT_HEAD(folders_refused);
ATF_TC_BODY(folders_refused, tc)
{
	static const char *const names[] = { "nosuch", "nosuch/desk",
	    "/etc/passwd", "/", "//", ".", "..", "../outside",
	    "../../fred/outside", "sub/../sub/desk", "./sub/desk",
	    "sub//desk", "/sub/desk", "sub/desk/", "link", "inside",
	    "subs/desk", "etc/passwd", "fifo", "sub", "ann",
	    "~/sub/desk", "../../../../../../etc/passwd", "%s%n" };
	char command[80], logged[100];
	struct server server;
	size_t i;
	int fd, bad = 0;

	(void)tc;
	start(&server, NULL);
	make_bad_folders(&server);
	for (i = 0; i < COUNT_OF(names); i++) {
		char line[512];

		fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
		(void)snprintf(command, sizeof(command), "FOLD %s\r\n",
		    names[i]);
		client_send(fd, command);
		client_line(fd, line, sizeof(line));
		if (strcmp(line, "#0 messages") != 0) {
			(void)printf("FOLD %s: %s\n", names[i], line);
			bad++;
		}
		(void)close(fd);
		children_must_be(&server, "postern-store", 0);
		(void)snprintf(logged, sizeof(logged), "folder=%s error=\"",
		    names[i]);
		if (!log_has_soon(&server, logged)) {
			(void)printf("FOLD %s: no line in the log\n",
			    names[i]);
			bad++;
		}
	}
	(void)fflush(stdout);
	ATF_CHECK_EQ_MSG(bad, 0, "%d are not as they must be", bad);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(folder_names);
ATF_TC_BODY(folder_names, tc)
{
	struct server server;
	char path[700];
	int fd;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/lists/deep/er", folder,
	    strlen(folder));
	(void)snprintf(path, sizeof(path), "FOLD %s\r\n",
	    mailbox_path(&server, FRED));
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	client_send(fd, "FOLD INBOX\r\nFOLD inbox\r\nFOLD fred\r\n"
	    "FOLD lists/deep/er\r\n");
	client_expect(fd, "#2 messages\r\n#2 messages\r\n#2 messages\r\n"
	    "#1 message\r\n");
	client_send(fd, path);
	client_expect(fd, "#2 messages\r\n");
	client_send(fd, "QUIT\r\n");
	client_expect(fd, "+ OK bye\r\n");
	client_expect_close(fd);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_send(fd, "RETR lists/deep/er\r\nRSET\r\nRETR /etc/passwd\r\n"
	    "RSET\r\nRETR fred\r\nRSET\r\nRETR Inbox\r\nQUIT\r\n");
	client_expect(fd, "#72\r\n+OK\r\n#0\r\n+OK\r\n#145\r\n+OK\r\n#145\r\n"
	    "+OK\r\n");
	client_expect_close(fd);
	server_stop(&server);
}

/* The mailbox in use elsewhere is refused with the reason. */
ATF_TC_WITHOUT_HEAD(in_use);
ATF_TC_BODY(in_use, tc)
{
	struct server server;
	int first, second;

	(void)tc;
	start(&server, NULL);
	first = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	second = client_connect(&server, 0);
	client_expect(second, GREETING);
	client_send(second, HELO);
	client_expect_line(second, "- the mailbox is in use");
	client_expect_close(second);
	client_say(first, "QUIT", "+ OK bye");
	client_expect_close(first);
	second = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	(void)close(second);
	server_stop(&server);
}

/* One more CRLF behind each message of POP2, and counted. */
ATF_TC_WITHOUT_HEAD(quirks_pcnfs);
ATF_TC_BODY(quirks_pcnfs, tc)
{
	static const struct talk talks[] = {
		{ HELO "READ 1\r\nRETR\r\nNACK\r\nRETR\r\nACKS\r\nRETR\r\n"
		    "ACKS\r\nQUIT\r\n",
		    "#2 messages\r\n=25 characters\r\n"
		    "Subject: one\r\n\r\nfirst\r\n\r\n=25 characters\r\n"
		    "Subject: one\r\n\r\nfirst\r\n\r\n=30 characters\r\n"
		    "Subject: two\r\n\r\nthe second\r\n\r\n=0 no message\r\n"
		    "+ OK bye\r\n" },
		{ "USER fred\r\nPASS secret\r\nRETR INBOX\r\nRCEV\r\n"
		    "RCVD\r\nQUIT\r\n",
		    "+OK\r\n+OK\r\n#145\r\n"
		    "From a@example.org Sat Nov 21 23:33:00 2026\r\n"
		    "Subject: one\r\n\r\nfirst\r\n\r\n"
		    "From b@example.org Sat Nov 21 23:33:00 2026\r\n"
		    "Subject: two\r\n\r\nthe second\r\n\r\n+OK\r\n+OK\r\n" },
	};
	struct server server;

	(void)tc;
	start(&server, "listen auto 127.0.0.1 port 0 quirks pcnfs\n");
	talk_each(&server, talks, COUNT_OF(talks));
	log_must_have(&server, "octets=80 ");
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(auto_listener);
ATF_TC_BODY(auto_listener, tc)
{
	static const struct talk talks[] = {
		{ HELO "QUIT\r\n", "#2 messages\r\n+ OK bye\r\n" },
		{ "USER fred\r\nPASS secret\r\nQUIT\r\n",
		    "+OK\r\n+OK\r\n+OK\r\n" },
		{ "QUIT\r\n", "+ OK bye\r\n" },
		{ "USER fred\r\n" HELO "QUIT\r\n",
		    "+OK\r\n-ERR unknown command\r\n+OK\r\n" },
		{ HELO "USER fred\r\n",
		    "#2 messages\r\n- unknown command\r\n" },
		{ "PASS secret\r\n", "- unknown command\r\n" },
		{ "GET / HTTP/1.0\r\n\r\n", "- unknown command\r\n" },
		{ "HELOfred secret\r\n", "- unknown command\r\n" },
		{ "USE fred\r\n", "- unknown command\r\n" },
	};
	struct server server;

	(void)tc;
	start(&server, NULL);
	talk_each(&server, talks, COUNT_OF(talks));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(several_listeners);
ATF_TC_BODY(several_listeners, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, "listen pop1 127.0.0.1 port 0\n"
	    "listen pop2 127.0.0.1 port 0\nlisten auto 127.0.0.2 port 0\n"
	    "listen pop2 127.0.0.1 port 0 quirks pcnfs\n");
	fd = client_connect(&server, 0);
	client_send(fd, HELO "USER fred\r\nPASS secret\r\nQUIT\r\n");
	client_expect(fd, "+OK\r\n-ERR unknown command\r\n+OK\r\n+OK\r\n"
	    "+OK\r\n");
	client_expect_close(fd);
	fd = client_connect(&server, 1);
	client_send(fd, "USER fred\r\n");
	client_expect(fd, GREETING "- unknown command\r\n");
	client_expect_close(fd);
	fd = client_connect_to("127.0.0.2", server.ports[2]);
	client_send(fd, HELO "READ 1\r\nQUIT\r\n");
	client_expect(fd, GREETING "#2 messages\r\n=23 characters\r\n"
	    "+ OK bye\r\n");
	client_expect_close(fd);
	children_must_be(&server, "postern-store", 0);
	fd = client_connect(&server, 3);
	client_send(fd, HELO "READ 1\r\nQUIT\r\n");
	client_expect(fd, GREETING "#2 messages\r\n=25 characters\r\n"
	    "+ OK bye\r\n");
	client_expect_close(fd);
	server_stop(&server);
}

/* The address that a listen line's name led to, from the log. */
static void
each_listener(const struct server *server)
{
	char *log = file_read(server->log, NULL), *line, *rest = log;
	char address[64];
	int fd, port, count = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((line = strstr(line, "event=listen")) == NULL ||
		    sscanf(line, "event=listen protocol=pop2 tls=no address=%63s "
		    "port=%d", address, &port) != 2 ||
		    strstr(line, "error=") != NULL)
			continue;
		fd = client_connect_to(address, port);
		client_send(fd, HELO "QUIT\r\n");
		client_expect(fd, GREETING "#2 messages\r\n+ OK bye\r\n");
		client_expect_close(fd);
		children_must_be(server, "postern-store", 0);
		count++;
	}
	free(log);
	ATF_REQUIRE(count > 0);
}

ATF_TC_WITHOUT_HEAD(listener_by_name);
ATF_TC_BODY(listener_by_name, tc)
{
	struct server server;

	(void)tc;
	start(&server, "listen pop2 localhost port 0\n");
	each_listener(&server);
	server_stop(&server);
}

static int
have_ipv6(void)
{
	struct sockaddr_in6 address;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int bound;

	memset(&address, 0, sizeof(address));
	address.sin6_family = AF_INET6;
	address.sin6_addr = in6addr_loopback;
	bound = fd != -1 && bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0;
	if (fd != -1)
		(void)close(fd);
	return (bound);
}

ATF_TC_WITHOUT_HEAD(listener_ipv6);
ATF_TC_BODY(listener_ipv6, tc)
{
	struct server server;

	(void)tc;
	if (!have_ipv6())
		atf_tc_skip("this host has no IPv6");
	start(&server, "listen pop2 ::1 port 0\n");
	each_listener(&server);
	log_must_have(&server, "peer=[::1]:");
	server_stop(&server);
}

/* A client that comes from an address of its own choice. */
static int
connect_from(const char *from, int port)
{
	static const struct timeval patience = { 10, 0 };
	struct sockaddr_in address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ATF_REQUIRE(fd != -1);
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	ATF_REQUIRE(inet_pton(AF_INET, from, &address.sin_addr) == 1);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0);
	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ATF_REQUIRE(connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	return (fd);
}

/* Refused before a password could be sent. */
ATF_TC_WITHOUT_HEAD(cleartext_none);
ATF_TC_BODY(cleartext_none, tc)
{
	struct server server;
	int fd, i;

	(void)tc;
	start(&server, "listen pop2 127.0.0.1 port 0\n"
	    "listen auto 127.0.0.1 port 0\nlisten pop1 127.0.0.1 port 0\n"
	    "cleartext none\n");
	for (i = 0; i < 3; i++) {
		fd = client_connect(&server, i);
		client_expect_line(fd, i == 2 ? "-ERR passwords in clear" :
		    "- passwords in clear");
		client_expect_close(fd);
	}
	ATF_CHECK(!log_has(&server, "event=login"));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(cleartext_networks);
ATF_TC_BODY(cleartext_networks, tc)
{
	static const struct {
		const char *from;
		int allowed;
	} clients[] = {
		{ "127.0.0.1", 0 }, { "127.0.0.2", 1 }, { "127.0.0.3", 0 },
		{ "127.0.1.2", 0 }, { "127.1.2.63", 0 }, { "127.1.2.64", 1 },
		{ "127.1.2.127", 1 }, { "127.1.2.128", 0 },
	};
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	start(&server, "cleartext 127.0.0.2/32 ::1\n"
	    "cleartext 127.1.2.64/26\n");
	for (i = 0; i < COUNT_OF(clients); i++) {
		(void)printf("from %s\n", clients[i].from);
		(void)fflush(stdout);
		fd = connect_from(clients[i].from, server.ports[0]);
		if (clients[i].allowed) {
			client_send(fd, HELO "QUIT\r\n");
			client_expect(fd, GREETING "#2 messages\r\n"
			    "+ OK bye\r\n");
		} else
			client_expect_line(fd, "- passwords in clear");
		client_expect_close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	server_stop(&server);
}

/* Sends an octet now and then; returns after how long the end came. */
static double
dribble(int fd, const char *end)
{
	double begin = seconds_now();
	char octet;
	int i;

	for (i = 0; i < 60; i++) {
		(void)send(fd, "x", 1, MSG_NOSIGNAL);
		pause_ms(100);
		if (recv(fd, &octet, 1, MSG_DONTWAIT | MSG_PEEK) != -1)
			break;
	}
	client_expect_line(fd, end);
	client_expect_close(fd);
	return (seconds_now() - begin);
}

/* Says what is harmless, twice a second; returns after how long it is over. */
static double
say_until(int fd, const char *end)
{
	double begin = seconds_now();
	char line[512];
	int i;

	for (i = 0; i < 8; i++) {
		client_send(fd, "NOOP\r\n");
		client_line(fd, line, sizeof(line));
		if (strcmp(line, "+OK") != 0)
			break;
		pause_ms(500);
	}
	if (i == 8)
		client_line(fd, line, sizeof(line));
	ATF_CHECK_STREQ(line, end);
	client_expect_close(fd);
	return (seconds_now() - begin);
}

/* The time to log in is a total: octets that come do not extend it. */
ATF_TC_WITHOUT_HEAD(login_timeout);
ATF_TC_BODY(login_timeout, tc)
{
	struct server server;
	double took;
	int fd;

	(void)tc;
	start(&server, "login-timeout 2\nsession-timeout 60\n"
	    "listen pop2 127.0.0.1 port 0\nlisten pop1 127.0.0.1 port 0\n");
	fd = client_connect(&server, 0);
	client_expect(fd, GREETING);
	took = dribble(fd, "- timeout");
	ATF_CHECK_MSG(took > 1 && took < 5, "after %.1f s", took);
	/* Commands do not extend it, either, for as long as they come. */
	fd = client_connect(&server, 1);
	client_expect(fd, "+OK\r\n");
	took = say_until(fd, "-ERR timeout");
	ATF_CHECK_MSG(took > 1 && took < 4, "after %.1f s", took);
	/* And it is over with the login. */
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	pause_ms(2500);
	client_say(fd, "READ 1", "=23");
	(void)close(fd);
	server_stop(&server);
}

/* T2 after the login: each command begins it anew, an octet does not. */
ATF_TC_WITHOUT_HEAD(session_timeout);
ATF_TC_BODY(session_timeout, tc)
{
	struct server server;
	double took;
	int fd, i;

	(void)tc;
	start(&server, "login-timeout 60\nsession-timeout 3\n");
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	for (i = 0; i < 3; i++) {
		pause_ms(1200);
		client_send(fd, "READ 1\r\n");
		client_expect(fd, "=23 characters\r\n");
	}
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
	client_send(fd, "ACKD\r\n");
	client_expect(fd, "=28 characters\r\n");
	took = dribble(fd, "- timeout");
	ATF_CHECK_MSG(took > 2 && took < 7, "after %.1f s", took);
	children_must_be(&server, "postern-store", 0);
	mailbox_must_be(&server, FRED, box, strlen(box));
	log_must_have(&server, "reason=\"timeout\"");
	server_stop(&server);
}

/* Mail that moves begins it anew, for a client that is in no hurry. */
ATF_TC_WITHOUT_HEAD(slow_reader);
ATF_TC_BODY(slow_reader, tc)
{
	static const char begin[] = FROM_LINE("a") "Subject: long\n\n";
	/* Of this the client's socket holds little, and the server's 4 MB. */
	const size_t lines = 150000, line = 80, part = 64 * 1024;
	const int room = 64 * 1024;
	struct server server;
	char *text, reply[80];
	size_t left, length = strlen(begin);
	double began;
	int fd;

	(void)tc;
	server_start(&server, "login-timeout 60\nsession-timeout 5\n");
	ATF_REQUIRE((text = malloc(length + lines * line)) != NULL);
	memcpy(text, begin, length);
	memset(text + length, 'x', lines * line);
	for (left = lines; left > 0; left--)
		text[length + left * line - 1] = '\n';
	mailbox_write(&server, FRED, text, length + lines * line);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room,
	    sizeof(room)) == 0);
	client_send(fd, "READ\r\n");
	client_line(fd, reply, sizeof(reply));
	left = strtoul(reply + 1, NULL, 10);
	ATF_REQUIRE(reply[0] == '=' && left > lines * line);
	client_send(fd, "RETR\r\n");
	for (began = seconds_now(); left > part; left -= part) {
		client_read(fd, text, part);
		if (seconds_now() - began < 7)
			pause_ms(75);
	}
	client_read(fd, text, left);
	ATF_CHECK(memcmp(text + left - 3, "x\r\n", 3) == 0);
	ATF_CHECK(seconds_now() - began > 7);
	client_say(fd, "ACKS", "=0");
	client_say(fd, "QUIT", "+");
	free(text);
	server_stop(&server);
}

/* Fred's password for another entry of the passwd file. */
static void
add_entry(const struct server *server, const char *user, const char *rest)
{
	char path[600], *all, *hash, *more;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/passwd", server->directory);
	all = file_read(path, NULL);
	hash = strchr(all, ':');
	ATF_REQUIRE(hash != NULL && (more = strchr(hash + 1, ':')) != NULL);
	*more = '\0';
	ATF_REQUIRE((file = fopen(path, "a")) != NULL);
	(void)fprintf(file, "%s%s%s\n", user, hash, rest);
	ATF_REQUIRE(fclose(file) == 0);
	free(all);
}

/* Whatever the reason is, the client is told the same. */
ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	static const char *const logins[] = { "fred Secret", "fred wrong",
	    "nobody secret", "root secret", "low secret", "zero secret",
	    "../fred secret", "fred/ secret", "FRED secret", "-d secret",
	    "fr\\ ed secret", "fred: secret",
	    "a1234567890123456789012345678901234567890123456789012345678901"
	    "234567890123456789012345678901234567890123456789012345678901234"
	    "5678901234567890 secret" };
	struct server server;
	char command[300];
	size_t i;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	add_entry(&server, "low", ":999:999:/:");
	add_entry(&server, "zero", ":0:0:/:");
	if (!server.privileged && getuid() <= 999)
		atf_tc_skip("this uid is not an ordinary user's");
	server_run(&server);
	for (i = 0; i < COUNT_OF(logins); i++) {
		(void)printf("%s\n", logins[i]);
		(void)fflush(stdout);
		/* One ordinary user's server has no lowest uid of note. */
		if (!server.privileged && strncmp(logins[i], "low", 3) == 0)
			continue;
		fd = client_connect(&server, 0);
		(void)snprintf(command, sizeof(command), "HELO %s\r\n",
		    logins[i]);
		client_send(fd, command);
		client_expect(fd, GREETING "- login refused\r\n");
		client_expect_close(fd);
	}
	ATF_CHECK(!log_has(&server, "event=login "));
	ATF_CHECK_EQ(children_count(&server, "postern-store"), 0);
	server_stop(&server);
}

/* What only the parent finds out: still no mailbox, and no other one. */
ATF_TC_WITHOUT_HEAD(root_refused);
ATF_TC_BODY(root_refused, tc)
{
	static const struct {
		const char *user, *rest;
	} entries[] = {
		{ "alias", ":root" },		/* a system account */
		{ "group", ":5009:0:/:" },	/* gid 0 */
	};
	struct server server;
	char command[80];
	size_t i;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	for (i = 0; i < COUNT_OF(entries); i++)
		add_entry(&server, entries[i].user, entries[i].rest);
	server_run(&server);
	for (i = 0; i < COUNT_OF(entries); i++) {
		fd = client_connect(&server, 0);
		(void)snprintf(command, sizeof(command), "HELO %s secret\r\n",
		    entries[i].user);
		client_send(fd, command);
		client_expect(fd, GREETING);
		client_expect_line(fd, "- ");
		client_expect_close(fd);
	}
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
}

/* Fred may not come in; the log has the reason, the client has not. */
static void
refused_for(const struct server *server, const char *reason)
{
	char logged[100];
	int fd, before;

	(void)snprintf(logged, sizeof(logged), "user=fred error=\"%s\"",
	    reason);
	before = log_count(server, logged);
	fd = client_connect(server, 0);
	client_send(fd, HELO);
	client_expect(fd, GREETING);
	client_expect_line(fd, "- this account has no mailbox here");
	client_expect_close(fd);
	children_must_be(server, "postern-store", 0);
	ATF_CHECK_EQ_MSG(before + 1, log_count(server, logged), "not \"%s\"",
	    reason);
}

/* What keeps journals is the user's own directory, and nobody else's. */
ATF_TC(state_not_ones_own);
ATF_TC_HEAD(state_not_ones_own, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(state_not_ones_own, tc)
{
	static const struct talk served = { HELO "QUIT\r\n",
	    "#2 messages\r\n+ OK bye\r\n" };
	static const char *const links[] = { "5002.ann", "moved", "roots" };
	static const mode_t modes[] = { 0755, 0710, 0701 };
	static const char not_own[] =
	    "the state directory is not the user's own";
	char own[600], moved[600], roots[600];
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	start(&server, NULL);
	(void)snprintf(own, sizeof(own), "%s/state/5001.fred",
	    server.directory);
	(void)snprintf(moved, sizeof(moved), "%s/state/moved",
	    server.directory);
	(void)snprintf(roots, sizeof(roots), "%s/state/roots",
	    server.directory);
	ATF_REQUIRE(mkdir(roots, 0700) == 0);
	fd = pop2_login(&server, 0, ANN, ANN_QUOTED, "#0");
	client_say(fd, "QUIT", "+ OK bye");
	client_expect_close(fd);
	talk(&server, GREETING, &served);
	/* A link: to another's, to one's own, to one that root could give. */
	ATF_REQUIRE(rename(own, moved) == 0);
	for (i = 0; i < COUNT_OF(links); i++) {
		ATF_REQUIRE(symlink(links[i], own) == 0);
		refused_for(&server, "no state directory");
		ATF_REQUIRE(unlink(own) == 0);
	}
	ATF_REQUIRE(rename(moved, own) == 0);
	ATF_REQUIRE(chown(own, ANN_UID, FRED_UID) == 0);
	refused_for(&server, not_own);
	ATF_REQUIRE(chown(own, FRED_UID, FRED_UID) == 0);
	for (i = 0; i < COUNT_OF(modes); i++) {
		ATF_REQUIRE(chmod(own, modes[i]) == 0);
		refused_for(&server, not_own);
	}
	/* The log says why, and not only what could not be done without. */
	ATF_REQUIRE(chmod(own, 0) == 0);
	(void)close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox cannot be locked"));
	log_must_have(&server, "/state/5001.fred error=\"Permission denied\"");
	ATF_REQUIRE(chmod(own, 0700) == 0);
	talk(&server, GREETING, &served);
	server_stop(&server);
}

/* A name that is cut could be another's: it is nobody's. */
ATF_TC_WITHOUT_HEAD(name_is_not_cut);
ATF_TC_BODY(name_is_not_cut, tc)
{
	static const struct {
		const char *verb, *answer, *before_password, *refusal;
	} ways[] = {
		{ "USER ", "+OK\r\n", "PASS ",
		    "-ERR [AUTH] login refused\r\n" },
		{ "USER ", "+OK\r\n", "PASS ", "-ERR login refused\r\n" },
		{ "HELO ", "", " ", "- login refused\r\n" },
	};
	char name[USER_SIZE], commands[400];
	struct server server;
	int fds[COUNT_OF(ways)], i;

	(void)tc;
	memset(name, 'n', sizeof(name));
	name[USER_SIZE - 1] = '\0';
	server_prepare(&server, "listen pop3 127.0.0.1 port 0\n"
	    "listen pop1 127.0.0.1 port 0\nlisten pop2 127.0.0.1 port 0\n");
	server_add_user(&server, name, "long", 5003);
	server_run(&server);
	/* Together: a refusal is told in a while. */
	for (i = 0; i < (int)COUNT_OF(ways); i++) {
		fds[i] = client_connect(&server, i);
		client_expect_line(fds[i], "+");
		(void)snprintf(commands, sizeof(commands), "%s%sx%s%slong\r\n",
		    ways[i].verb, name, ways[i].answer[0] != '\0' ? "\r\n" :
		    "", ways[i].before_password);
		client_send(fds[i], commands);
	}
	for (i = 0; i < (int)COUNT_OF(ways); i++) {
		client_expect(fds[i], ways[i].answer);
		client_expect(fds[i], ways[i].refusal);
		(void)close(fds[i]);
	}
	/* It is not for its length. */
	(void)close(pop1_login(&server, 0, name, "long"));
	server_stop(&server);
}

/* A login by POP1 that there is no room for. */
static void
is_one_too_many(const struct server *server, const char *user,
    const char *password)
{
	char line[100];
	int fd = client_connect(server, 0);

	client_expect(fd, "+OK\r\n");
	(void)snprintf(line, sizeof(line), "USER %s", user);
	client_say(fd, line, "+OK");
	(void)snprintf(line, sizeof(line), "PASS %s", password);
	client_say(fd, line, "-ERR too many sessions; try again later");
	client_expect_close(fd);
}

/*
 * Ends a session, and returns when its place is free: its store is gone when
 * the parent has waited for it, which is before it hears of another login.
 */
static void
leave(int fd, pid_t store)
{
	int tries;

	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	for (tries = 0; kill(store, 0) == 0; tries++) {
		ATF_REQUIRE_MSG(tries < 1000, "the store does not end");
		pause_ms(10);
	}
}

/* Whoever is in stays in, whoever came or was refused after them. */
static void
all_are_in(const int *fds, int count)
{
	int i;

	for (i = 0; i < count; i++)
		client_say(fds[i], "NOOP", "+OK");
}

ATF_TC_WITHOUT_HEAD(sessions_of_a_user);
ATF_TC_BODY(sessions_of_a_user, tc)
{
	struct server server;
	int fds[SESSIONS_PER_USER_MAX + 1], i;

	(void)tc;
	server_start(&server, "listen pop1 127.0.0.1 port 0\n");
	/* By POP1, which takes no mailbox at the login. */
	for (i = 0; i < SESSIONS_PER_USER_MAX; i++)
		fds[i] = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	is_one_too_many(&server, FRED, FRED_PASSWORD);
	fds[i] = pop1_login(&server, 0, ANN, ANN_PASSWORD);
	all_are_in(fds, (int)COUNT_OF(fds));
	/* One in the middle: its place is between others. */
	leave(fds[7], children_pid(&server, "postern-store", 7));
	fds[7] = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	is_one_too_many(&server, FRED, FRED_PASSWORD);
	all_are_in(fds, (int)COUNT_OF(fds));
	for (i = 0; i < (int)COUNT_OF(fds); i++)
		(void)close(fds[i]);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(sessions_of_all);
ATF_TC_BODY(sessions_of_all, tc)
{
	struct server server;
	int fds[2];

	(void)tc;
	server_prepare(&server, "max-sessions 2\n"
	    "listen pop1 127.0.0.1 port 0\n");
	server_add_user(&server, "joe", "third", 5003);
	server_run(&server);
	fds[0] = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	fds[1] = pop1_login(&server, 0, ANN, ANN_PASSWORD);
	is_one_too_many(&server, "joe", "third");
	all_are_in(fds, 2);
	leave(fds[0], children_pid(&server, "postern-store", 0));
	fds[0] = pop1_login(&server, 0, "joe", "third");
	is_one_too_many(&server, FRED, FRED_PASSWORD);
	all_are_in(fds, 2);
	(void)close(fds[0]);
	(void)close(fds[1]);
	server_stop(&server);
}

/* POP1 keeps the connection at errors, but not for ever. */
ATF_TC_WITHOUT_HEAD(pop1_errors_end);
ATF_TC_BODY(pop1_errors_end, tc)
{
	struct server server;
	char line[512];
	int fd, i;

	(void)tc;
	start(&server, "listen pop1 127.0.0.1 port 0\n");
	fd = client_connect(&server, 0);
	client_expect(fd, "+OK\r\n");
	client_send(fd, "XYZZY\r\nXYZZY\r\nNOOP\r\n");
	client_expect(fd, "-ERR unknown command\r\n-ERR unknown command\r\n"
	    "+OK\r\n");
	for (i = 2; i < 100; i++) {
		if (send(fd, "XYZZY\r\n", 7, MSG_NOSIGNAL) != 7)
			break;
		if (recv(fd, line, 1, MSG_PEEK) != 1)
			break;
		client_expect_line(fd, "-ERR ");
	}
	ATF_CHECK_MSG(i < 100, "it goes on for ever");
	(void)close(fd);
	server_stop(&server);
}

/* The longest host name there is leaves the greeting a proper line. */
ATF_TC_WITHOUT_HEAD(reply_length);
ATF_TC_BODY(reply_length, tc)
{
	char name[256], line[514], folders[502];
	struct server server;
	size_t length;
	char *config, *text;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	memset(name, 'h', sizeof(name));
	name[63] = name[127] = name[191] = '.';
	name[255] = '\0';
	config = file_read(server.config, &length);
	ATF_REQUIRE(strncmp(config, "hostname post.example.org\n", 26) == 0);
	text = malloc(length + 300);
	ATF_REQUIRE(text != NULL);
	(void)sprintf(text, "hostname %s\n%s", name, config + 26);
	file_write(server.config, text, strlen(text));
	server_run(&server);
	fd = client_connect(&server, 0);
	client_line(fd, line, sizeof(line));
	ATF_CHECK(strlen(line) + 2 <= 512);
	ATF_CHECK(strncmp(line, "+ POP2 hhh", 10) == 0);
	ATF_CHECK(strncmp(line + 7, name, 255) == 0);
	client_send(fd, HELO);
	client_expect_line(fd, "#0");
	memset(folders, 'f', sizeof(folders));
	folders[sizeof(folders) - 1] = '\0';
	client_send(fd, "FOLD ");
	client_send(fd, folders);
	client_send(fd, "\r\n");
	client_line(fd, line, sizeof(line));
	ATF_CHECK_STREQ(line, "#0 messages");
	(void)close(fd);
	free(config);
	free(text);
	server_stop(&server);
}

/* No octet of a client's reaches the log as it is, if it does not print. */
ATF_TC_WITHOUT_HEAD(log_is_escaped);
ATF_TC_BODY(log_is_escaped, tc)
{
	static const char *const sent[] = {
		"HELO a\rb secret\r\n",
		"HELO e\x1b[31m\x7f\x80\xff\"q\\\\ secret\r\n",
		"HELO x\\ event=login\\ user=root secret\r\n",
		"USER u\x01\rv\" x\nPASS p\r\nQUIT\r\n",
		HELO "FOLD f\x1b]0;\rposternd: event=stop\x85\r\n",
	};
	static const char *const logged[] = { "user=\"a\\x0db\" ",
	    "user=\"e\\x1b[31m\\x7f\\x80\\xff\\x22q\\x5c\" ",
	    "user=\"x event=login user=root\" ",
	    "user=\"u\\x01\\x0dv\\x22 x\" ",
	    "folder=\"f\\x1b]0;\\x0dposternd: event=stop\\x85\" " };
	struct server server;
	size_t i;
	char *log, *line, *rest;
	int fd;

	(void)tc;
	start(&server, NULL);
	for (i = 0; i < COUNT_OF(sent); i++) {
		fd = client_connect(&server, 0);
		client_expect(fd, GREETING);
		client_send(fd, sent[i]);
		ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0);
		log_must_have(&server, logged[i]);
		(void)close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	server_stop(&server);
	rest = log = file_read(server.log, NULL);
	while ((line = strsep(&rest, "\n")) != NULL) {
		ATF_CHECK_MSG(line[0] == '\0' ||
		    strncmp(line, "posternd: ", 10) == 0, "%s", line);
		for (; *line != '\0'; line++)
			ATF_CHECK(*line >= 0x20 && *line < 0x7f);
	}
	free(log);
}

/* One line ends each session, and has what there is to say of it. */
ATF_TC_WITHOUT_HEAD(log_of_the_end);
ATF_TC_BODY(log_of_the_end, tc)
{
	static const char *const keys[] = { " session=", " peer=127.0.0.1:",
	    " user=fred ", " protocol=pop2 ", " folder=INBOX ",
	    " messages=2 ", " octets=51 ", " deleted=1 ", " seconds=",
	    " reason=\"QUIT\"" };
	static const char *const keys_pop1[] = { " session=",
	    " peer=127.0.0.1:", " user=fred ", " protocol=pop1 ",
	    " folder=INBOX ", " messages=1 ", " octets=75 ", " deleted=1 ",
	    " seconds=", " reason=\"QUIT\"" };
	static const struct talk pop2 = { HELO "READ\r\nRETR\r\nACKD\r\n"
	    "RETR\r\nACKS\r\nQUIT\r\n", "#2 messages\r\n=23 characters\r\n"
	    "Subject: one\r\n\r\nfirst\r\n=28 characters\r\n"
	    "Subject: two\r\n\r\nthe second\r\n=0 no message\r\n"
	    "+ OK bye\r\n" };
	static const struct talk pop1 = { "USER fred\r\nPASS secret\r\n"
	    "RDEL INBOX\r\nRCEV\r\nRCVD\r\nQUIT\r\n", "+OK\r\n+OK\r\n#75\r\n"
	    "From b@example.org Sat Nov 21 23:33:00 2026\r\n"
	    "Subject: two\r\n\r\nthe second\r\n\r\n+OK\r\n+OK\r\n" };
	struct server server;
	char *line;
	size_t i;
	int fd;

	(void)tc;
	start(&server, NULL);
	talk(&server, GREETING, &pop2);
	line = log_line_with(&server, "event=end");
	for (i = 0; i < COUNT_OF(keys); i++)
		ATF_CHECK_MSG(strstr(line, keys[i]) != NULL, "no \"%s\" in %s",
		    keys[i], line);
	free(line);
	talk(&server, GREETING, &pop1);
	line = log_line_with(&server, "protocol=pop1 state");
	for (i = 0; i < COUNT_OF(keys_pop1); i++)
		ATF_CHECK_MSG(strstr(line, keys_pop1[i]) != NULL,
		    "no \"%s\" in %s", keys_pop1[i], line);
	free(line);
	fd = client_connect(&server, 0);	/* one who says nothing */
	client_expect(fd, GREETING);
	(void)close(fd);
	fd = client_connect(&server, 0);	/* one who is refused */
	client_send(fd, "HELO fred wrong\r\n");
	client_expect(fd, GREETING "- login refused\r\n");
	client_expect_close(fd);
	server_stop(&server);
	ATF_CHECK_EQ(log_count(&server, "event=end"), 4);
	ATF_CHECK_EQ(log_count(&server, "event=login "), 2);
	ATF_CHECK_EQ(log_count(&server, "event=login-refused "), 1);
}

ATF_TC(refused_later);
ATF_TC_HEAD(refused_later, tc)
{
	atf_tc_set_md_var(tc, "descr", "A refused login is told in a while, "
	    "also to a client that has shut its side, and to none that is "
	    "gone; what was said behind it is answered then");
}
ATF_TC_BODY(refused_later, tc)
{
	static const struct linger reset = { 1, 0 };
	struct server server;
	double began;
	int fd, shut, late, gone, tries;

	server_start(&server, NULL);
	gone = client_connect(&server, 0);
	client_send(gone, "USER fred\r\nPASS wrong\r\n");
	client_expect(gone, GREETING "+OK\r\n");
	log_must_have(&server, "event=login-refused ");
	ATF_REQUIRE(setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset,
	    sizeof(reset)) == 0);
	(void)close(gone);
	began = seconds_now();
	shut = client_connect(&server, 0);
	client_send(shut, "HELO fred wrong\r\n");
	ATF_REQUIRE(shutdown(shut, SHUT_WR) == 0);
	late = client_connect(&server, 0);
	client_send(late, "HELO fred wrong\r\n");
	/* Its end comes when the answer is here, and not told. */
	for (tries = 0; tries < 190; tries++)
		if (log_count(&server, "event=login-refused ") == 3)
			break;
		else
			pause_ms(10);
	ATF_REQUIRE(tries < 190 && shutdown(late, SHUT_WR) == 0);
	fd = client_connect(&server, 0);
	client_send(fd, "USER fred\r\nPASS wrong\r\nUSER fred\r\n"
	    "PASS secret\r\nQUIT\r\n");
	client_expect(fd, GREETING "+OK\r\n");
	client_expect(shut, GREETING "- login refused\r\n");
	ATF_CHECK(seconds_now() - began >
	    LOGIN_REFUSED_SECONDS - 0.01);
	client_expect_close(shut);
	client_expect(late, GREETING "- login refused\r\n");
	client_expect_close(late);
	client_expect(fd, "-ERR login refused\r\n+OK\r\n+OK\r\n"
	    "+OK\r\n");
	client_expect_close(fd);
	server_stop(&server);
	ATF_CHECK_EQ(log_count(&server, "event=login-refused "), 4);
}

/* All was said, and the client's side is shut: it has time for its answers. */
ATF_TC_WITHOUT_HEAD(all_said);
ATF_TC_BODY(all_said, tc)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct server server;
	int fd, held;

	(void)tc;
	start(&server, NULL);
	held = open(mailbox_path(&server, FRED), O_RDWR);
	ATF_REQUIRE(held != -1 && fcntl(held, F_SETLK, &lock) == 0);
	fd = client_connect(&server, 0);
	client_send(fd, HELO "READ 1\r\nQUIT\r\n");
	ATF_REQUIRE(shutdown(fd, SHUT_WR) == 0);
	client_expect(fd, GREETING);
	pause_ms(3 * VANISHED_MS);
	(void)close(held);
	client_expect(fd, "#2 messages\r\n=23 characters\r\n+ OK bye\r\n");
	client_expect_close(fd);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, refused_later);
	ATF_TP_ADD_TC(tp, all_said);
	ATF_TP_ADD_TC(tp, quoting);
	ATF_TP_ADD_TC(tp, verbs_in_any_case);
	ATF_TP_ADD_TC(tp, line_ends);
	ATF_TP_ADD_TC(tp, pipelined);
	ATF_TP_ADD_TC(tp, octet_by_octet);
	ATF_TP_ADD_TC(tp, line_length);
	ATF_TP_ADD_TC(tp, nul_refused);
	ATF_TP_ADD_TC(tp, read_numbers);
	ATF_TP_ADD_TC(tp, transactions);
	ATF_TP_ADD_TC(tp, ackd_and_drop);
	ATF_TP_ADD_TC(tp, fold_commits);
	ATF_TP_ADD_TC(tp, folders_refused);
	ATF_TP_ADD_TC(tp, folder_names);
	ATF_TP_ADD_TC(tp, in_use);
	ATF_TP_ADD_TC(tp, quirks_pcnfs);
	ATF_TP_ADD_TC(tp, auto_listener);
	ATF_TP_ADD_TC(tp, several_listeners);
	ATF_TP_ADD_TC(tp, listener_by_name);
	ATF_TP_ADD_TC(tp, listener_ipv6);
	ATF_TP_ADD_TC(tp, cleartext_none);
	ATF_TP_ADD_TC(tp, cleartext_networks);
	ATF_TP_ADD_TC(tp, login_timeout);
	ATF_TP_ADD_TC(tp, session_timeout);
	ATF_TP_ADD_TC(tp, slow_reader);
	ATF_TP_ADD_TC(tp, refusals);
	ATF_TP_ADD_TC(tp, root_refused);
	ATF_TP_ADD_TC(tp, state_not_ones_own);
	ATF_TP_ADD_TC(tp, name_is_not_cut);
	ATF_TP_ADD_TC(tp, sessions_of_a_user);
	ATF_TP_ADD_TC(tp, sessions_of_all);
	ATF_TP_ADD_TC(tp, pop1_errors_end);
	ATF_TP_ADD_TC(tp, reply_length);
	ATF_TP_ADD_TC(tp, log_is_escaped);
	ATF_TP_ADD_TC(tp, log_of_the_end);
	return (atf_no_error());
}
