/*
 * ahead_test.c - the next message, which net asks for before its client does:
 * whatever the client says instead, the answers are what they would be.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pop3_client.h"

#define LISTEN		POP3 "listen auto 127.0.0.1 port 0\n"
#define FROM(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define ONE		FROM("a") "Subject: one\n\nfirst\n\n"
#define TWO		FROM("b") "Subject: two\n\n.second\n\n"
#define OTHER_TWO	FROM("b") "Subject: two\n\n.SECOND\n\n"
#define SHORTER_TWO	FROM("b") "Subject: two\n\nsecond\n\n"
#define THREE		FROM("c") "Subject: three\n\nthird\n\n"
#define RETR_ONE	"+OK 23 octets\r\nSubject: one\r\n\r\nfirst\r\n.\r\n"
#define RETR_TWO	"+OK 25 octets\r\nSubject: two\r\n\r\n..second\r\n.\r\n"
#define RETR_THREE	"+OK 25 octets\r\nSubject: three\r\n\r\nthird\r\n.\r\n"

/* Time in which what is asked for ahead has come. */
#define A_WHILE_US	100000
/* The same where the test itself would be wrong without it. */
#define LONG_US		1000000

static void
start(struct server *server)
{
	server_start(server, LISTEN);
	mailbox_write(server, FRED, ONE TWO THREE, strlen(ONE TWO THREE));
}

static int
begin(const struct server *server)
{
	int fd = pop3_login(server, 0, FRED, FRED_PASSWORD);

	client_send(fd, "RETR 1\r\n");
	client_expect(fd, RETR_ONE);
	return (fd);
}

static int
begin_pop2(const struct server *server)
{
	int fd = client_connect(server, 1);

	client_expect_line(fd, "+ POP2 ");
	client_say(fd, "HELO fred secret", "#3 ");
	client_say(fd, "READ", "=23 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
	return (fd);
}

/* It is: the client gets what was there before another program came. */
ATF_TC_WITHOUT_HEAD(is_asked);
ATF_TC_BODY(is_asked, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = begin(&server);
	/* The store answers in order. */
	client_say(fd, "LIST 2", "+OK 2 25");
	mailbox_write(&server, FRED, ONE OTHER_TWO THREE,
	    strlen(ONE OTHER_TWO THREE));
	client_send(fd, "RETR 2\r\n");
	client_expect(fd, RETR_TWO);
	/* And what it has read is not what would be deleted. */
	client_say(fd, "DELE 2", "+OK");
	client_say(fd, "QUIT", "-ERR [SYS/TEMP] ");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, ONE OTHER_TWO THREE,
	    strlen(ONE OTHER_TWO THREE));

	/* POP2 asks for it while the client makes up its mind. */
	mailbox_write(&server, FRED, ONE TWO THREE, strlen(ONE TWO THREE));
	fd = begin_pop2(&server);
	usleep(LONG_US);
	mailbox_write(&server, FRED, ONE OTHER_TWO THREE,
	    strlen(ONE OTHER_TWO THREE));
	client_say(fd, "ACKS", "=25 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: two\r\n\r\n.second\r\n");
	/* The third is in the pipe when the second is acknowledged. */
	usleep(A_WHILE_US);
	client_say(fd, "ACKD", "=25 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: three\r\n\r\nthird\r\n");
	client_say(fd, "ACKD", "=0 ");
	(void)close(fd);
	server_stop(&server);
}

/* What clients may say instead of RETR 2, and what they are to hear. */
static const struct {
	const char *command;
	const char *answer;
} turns[] = {
	{ "RETR 2\r\n", RETR_TWO },
	{ "RETR 1\r\n", RETR_ONE },
	{ "RETR 3\r\n", RETR_THREE },
	{ "RETR 4\r\n", "-ERR no such message\r\n" },
	{ "TOP 2 1\r\n", "+OK\r\nSubject: two\r\n\r\n..second\r\n.\r\n" },
	{ "TOP 1 0\r\nRETR 2\r\n",
	    "+OK\r\nSubject: one\r\n\r\n.\r\n" RETR_TWO },
	{ "LIST\r\nRETR 2\r\n",
	    "+OK\r\n1 23\r\n2 25\r\n3 25\r\n.\r\n" RETR_TWO },
	{ "LIST 2\r\nRETR 2\r\n", "+OK 2 25\r\n" RETR_TWO },
	{ "NOOP\r\nRETR 2\r\n", "+OK\r\n" RETR_TWO },
	{ "STAT\r\nRETR 2\r\n", "+OK 3 73\r\n" RETR_TWO },
	{ "DELE 1\r\nRETR 2\r\nRSET\r\n", "+OK 2 messages (50 octets)\r\n"
	    RETR_TWO "+OK 3 messages (73 octets)\r\n" },
	{ "DELE 2\r\nRETR 2\r\nRSET\r\nRETR 2\r\n",
	    "+OK 2 messages (48 octets)\r\n-ERR no such message\r\n"
	    "+OK 3 messages (73 octets)\r\n" RETR_TWO },
	{ "RSET\r\nRETR 2\r\n", "+OK 3 messages (73 octets)\r\n" RETR_TWO },
	{ "XYZZY\r\nRETR 2\r\n", "-ERR unknown command\r\n" RETR_TWO },
	{ "RETR 2\r\nRETR 3\r\nRETR 1\r\nRETR 2\r\n", RETR_TWO RETR_THREE
	    RETR_ONE RETR_TWO },
};

/* At once, when it is on its way, and later, when it is there. */
ATF_TC_WITHOUT_HEAD(other_commands);
ATF_TC_BODY(other_commands, tc)
{
	struct server server;
	size_t i;
	int fd, late;

	(void)tc;
	start(&server);
	for (late = 0; late < 2; late++)
		for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
			fd = begin(&server);
			if (late)
				usleep(A_WHILE_US);
			client_send(fd, turns[i].command);
			client_expect(fd, turns[i].answer);
			pop3_quit(fd);
		}
	mailbox_must_be(&server, FRED, ONE TWO THREE,
	    strlen(ONE TWO THREE));
	server_stop(&server);
}

/* All in one, in the order in which mail is fetched and deleted. */
ATF_TC_WITHOUT_HEAD(fetched_and_deleted);
ATF_TC_BODY(fetched_and_deleted, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = begin(&server);
	client_say(fd, "DELE 1", "+OK 2 messages (50 octets)");
	client_send(fd, "RETR 2\r\n");
	client_expect(fd, RETR_TWO);
	client_say(fd, "DELE 2", "+OK 1 message (25 octets)");
	usleep(A_WHILE_US);
	/* Three waits in the pipe, and is not fetched. */
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, THREE, strlen(THREE));
	server_stop(&server);
}

/* By POP2: the other folder's mail is not what was asked for in the first. */
ATF_TC_WITHOUT_HEAD(other_folder);
ATF_TC_BODY(other_folder, tc)
{
	struct server server;
	int fd, late;

	(void)tc;
	start(&server);
	folder_write(&server, FRED, "mail/work", THREE ONE,
	    strlen(THREE ONE));
	for (late = 0; late < 2; late++) {
		fd = begin_pop2(&server);
		client_say(fd, "NACK", "=23 ");
		client_send(fd, "RETR\r\n");
		client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
		client_say(fd, "ACKS", "=25 ");
		if (late)
			usleep(A_WHILE_US);
		client_say(fd, "FOLD work", "#2 ");
		client_say(fd, "READ 2", "=23 ");
		client_send(fd, "RETR\r\n");
		client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
		client_say(fd, "ACKS", "=0 ");
		client_say(fd, "READ 1", "=25 ");
		client_send(fd, "RETR\r\n");
		client_expect(fd, "Subject: three\r\n\r\nthird\r\n");
		client_say(fd, "ACKS", "=23 ");
		client_say(fd, "QUIT", "+ OK");
		client_expect_close(fd);
	}
	server_stop(&server);
}

/* A next message that another program has changed harms nobody before RETR. */
ATF_TC_WITHOUT_HEAD(changed);
ATF_TC_BODY(changed, tc)
{
	static const char shorter[] = ONE SHORTER_TWO THREE;
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	mailbox_write(&server, FRED, shorter, strlen(shorter));
	client_send(fd, "RETR 1\r\n");
	client_expect(fd, RETR_ONE);
	usleep(A_WHILE_US);
	client_say(fd, "NOOP", "+OK");
	client_say(fd, "RETR 2", "-ERR ");
	client_send(fd, "RETR 1\r\n");
	client_expect(fd, RETR_ONE);
	pop3_quit(fd);
	mailbox_must_be(&server, FRED, shorter, strlen(shorter));
	server_stop(&server);
}

/* Who goes behind the last octet leaves no word of mail that was not wanted. */
ATF_TC_WITHOUT_HEAD(closed);
ATF_TC_BODY(closed, tc)
{
	struct server server;
	int i;

	(void)tc;
	start(&server);
	for (i = 0; i < 40; i++)
		(void)close(begin(&server));
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
	ATF_CHECK(!log_has(&server, "event=send"));
}

#define LINE		"a line of a message for a client that is in no hurry\n"

/*
 * The first fills what systems take for such a client; the second, then, has no
 * room there, and is none of those that net moves by splice(2).
 */
static const int slow_lines[2] = { 1700, 540 };

/* Logs in from a client that has hardly any room for what it is sent. */
static int
log_in_with_little_room(const struct server *server)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)server->ports[0]),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval patience = { 20, 0 };
	const int room = 4096, segment = 536;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ATF_REQUIRE(fd != -1);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment,
	    sizeof(segment));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	ATF_REQUIRE(connect(fd, (const struct sockaddr *)&to, sizeof(to)) ==
	    0);
	client_expect_line(fd, "+OK ");
	client_say(fd, "USER fred", "+OK");
	client_say(fd, "PASS secret", "+OK");
	return (fd);
}

static char *
put_slow_message(char *to, int lines)
{
	to += sprintf(to, "%s", FROM("a") "Subject: one\n\n");
	for (; lines > 0; lines--)
		to += sprintf(to, LINE);
	return (to + sprintf(to, "\n"));
}

/*
 * It is asked for while the one before it is still on its way to a client that
 * does not read: that one comes whole, whatever becomes of the next.
 */
ATF_TC_WITHOUT_HEAD(before_the_end);
ATF_TC_BODY(before_the_end, tc)
{
	static char box[200000];
	struct server server;
	size_t length, i;
	char *text, *two;
	int fd, is_changed;

	(void)tc;
	two = put_slow_message(put_slow_message(box, slow_lines[0]),
	    slow_lines[1]);
	server_start(&server, LISTEN);
	for (is_changed = 0; is_changed < 2; is_changed++) {
		(void)sprintf(two, "%s", TWO);
		mailbox_write(&server, FRED, box, strlen(box));
		fd = log_in_with_little_room(&server);
		(void)sprintf(two, "%s", is_changed ? SHORTER_TWO : OTHER_TWO);
		if (is_changed)
			mailbox_write(&server, FRED, box, strlen(box));
		client_send(fd, "RETR 1\r\n");
		usleep(A_WHILE_US);
		client_send(fd, "RETR 2\r\n");
		usleep(A_WHILE_US);
		for (i = 0; i < 2; i++) {
			/* The second is all in net when it has the first. */
			if (i == 1)
				usleep(LONG_US);
			if (i == 1 && !is_changed)
				mailbox_write(&server, FRED, box, strlen(box));
			client_expect_line(fd, "+OK ");
			text = pop3_read_lines(fd, &length);
			ATF_CHECK_EQ(strlen("Subject: one\r\n\r\n") +
			    (size_t)slow_lines[i] * sizeof(LINE), length);
			free(text);
		}
		client_send(fd, "RETR 3\r\n");
		if (is_changed)
			client_expect_line(fd, "-ERR ");
		else
			client_expect(fd, RETR_TWO);
		(void)close(fd);
	}
	server_stop(&server);
}

/*
 * Messages as large as the pipe, and larger: for one that has no room in it a
 * store must not keep other requests waiting.
 */
ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	static const size_t bodies[] = { 16000, 48000, 49200, 65000, 65500,
	    65518, 65519, 65530, 65536, 65600, 131072, 400000 };
	const size_t count = sizeof(bodies) / sizeof(bodies[0]);
	struct server server;
	char *box, *to, *text, line[40];
	size_t i, j, length;
	int fd, late;

	(void)tc;
	box = malloc(2000000);
	ATF_REQUIRE(box != NULL);
	for (to = box, i = 0; i < count; i++) {
		to += sprintf(to, FROM("a") "Subject: %zu\n\n", i);
		/* Lines of dots alone are the most that doubling can add. */
		for (j = 0; j < bodies[i]; j += 4)
			to += sprintf(to, i % 2 == 0 ? "abc\n" : ".\n");
		to += sprintf(to, "\n");
	}
	server_start(&server, LISTEN);
	mailbox_write(&server, FRED, box, (size_t)(to - box));
	for (late = 0; late < 2; late++) {
		fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
		for (i = 0; i < count; i++) {
			(void)snprintf(line, sizeof(line), "RETR %zu", i + 1);
			client_say(fd, line, "+OK ");
			text = pop3_read_lines(fd, &length);
			(void)snprintf(line, sizeof(line), "Subject: %zu\r\n",
			    i);
			ATF_CHECK(strncmp(text, line, strlen(line)) == 0);
			ATF_CHECK_EQ((bodies[i] + 3) / 4 * (i % 2 == 0 ? 5 : 3),
			    length - strlen(line) - 2);
			free(text);
			if (late)
				usleep(A_WHILE_US / 4);
			(void)snprintf(line, sizeof(line), "DELE %zu", i + 1);
			client_say(fd, line, "+OK");
			if (i % 3 == (late ? 2 : 0))
				client_say(fd, "RSET", "+OK");
		}
		client_say(fd, "RSET", "+OK");
		pop3_quit(fd);
	}
	mailbox_must_be(&server, FRED, box, (size_t)(to - box));
	free(box);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, is_asked);
	ATF_TP_ADD_TC(tp, other_commands);
	ATF_TP_ADD_TC(tp, fetched_and_deleted);
	ATF_TP_ADD_TC(tp, other_folder);
	ATF_TP_ADD_TC(tp, changed);
	ATF_TP_ADD_TC(tp, closed);
	ATF_TP_ADD_TC(tp, before_the_end);
	ATF_TP_ADD_TC(tp, sizes);
	return (atf_no_error());
}
