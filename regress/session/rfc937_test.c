/*
 * rfc937_test.c - the RFC's own sessions, byte for byte.
 *
 * The RFC leaves the words behind the first characters of a reply to the
 * server: here they are Postern's.
 */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"

static const char two_messages[] =
    FROM_LINE("a") "Subject: one\n\nfirst\n\n"
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";
static const char second_alone[] =
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";

/* One line of a scenario: what the client sends, what then comes. */
struct exchange {
	const char *command;
	const char *answer;
};

static void
play(int fd, const struct exchange *exchanges)
{
	for (; exchanges->command != NULL; exchanges++) {
		client_send(fd, exchanges->command);
		client_expect(fd, exchanges->answer);
	}
	client_expect_close(fd);
}

static int
open_session(const struct server *server)
{
	int fd = client_connect(server, 0);

	client_expect(fd, "+ POP2 post.example.org Postern\r\n");
	return (fd);
}

/* `count` messages; the one numbered `special` has the body given. */
static void
write_many(const struct server *server, int count, int special,
    const char *body)
{
	char *box = malloc((size_t)count * 200 + strlen(body));
	size_t length = 0;
	int i;

	ATF_REQUIRE(box != NULL);
	for (i = 1; i <= count; i++)
		length += (size_t)sprintf(box + length, FROM_LINE("m")
		    "Subject: %d\n\n%s\n\n", i, i == special ? body : "text");
	mailbox_write(server, FRED, box, length);
	free(box);
}

/* The Normal Scenario (page 4): the message has 537 characters, too. */
ATF_TC_WITHOUT_HEAD(normal_scenario);
ATF_TC_BODY(normal_scenario, tc)
{
	static char body[537], data[600];
	struct exchange scenario[] = {
		{ "HELO fred secret\r\n", "#13 messages\r\n" },
		{ "READ 13\r\n", "=537 characters\r\n" },
		{ "RETR\r\n", data },
		{ "ACKS\r\n", "=0 no message\r\n" },
		{ "QUIT\r\n", "+ OK bye\r\n" },
		{ NULL, NULL }
	};
	struct server server;
	size_t length;
	char *before;

	(void)tc;
	memset(body, 'x', 537 - strlen("Subject: 13\r\n\r\n\r\n"));
	(void)snprintf(data, sizeof(data), "Subject: 13\r\n\r\n%s\r\n", body);
	server_start(&server, NULL);
	write_many(&server, 13, 13, body);
	before = file_read(mailbox_path(&server, FRED), &length);
	play(open_session(&server), scenario);
	mailbox_must_be(&server, FRED, before, length);
	free(before);
	server_stop(&server);
}

/* Page 13, but that the second message is kept. */
ATF_TC_WITHOUT_HEAD(one_kept);
ATF_TC_BODY(one_kept, tc)
{
	static const struct exchange scenario[] = {
		{ "HELO fred secret\r\n", "#2 messages\r\n" },
		{ "READ\r\n", "=23 characters\r\n" },
		{ "RETR\r\n", "Subject: one\r\n\r\nfirst\r\n" },
		{ "ACKD\r\n", "=28 characters\r\n" },
		{ "RETR\r\n", "Subject: two\r\n\r\nthe second\r\n" },
		{ "ACKS\r\n", "=0 no message\r\n" },
		{ "QUIT\r\n", "+ OK bye\r\n" },
		{ NULL, NULL }
	};
	struct server server;

	(void)tc;
	server_start(&server, NULL);
	mailbox_write(&server, FRED, two_messages, strlen(two_messages));
	play(open_session(&server), scenario);
	mailbox_must_be(&server, FRED, second_alone, strlen(second_alone));
	server_stop(&server);
}

/* Page 13: both messages are read and deleted. */
ATF_TC_WITHOUT_HEAD(example_1);
ATF_TC_BODY(example_1, tc)
{
	static const struct exchange scenario[] = {
		{ "HELO fred secret\r\n", "#2 messages\r\n" },
		{ "READ\r\n", "=23 characters\r\n" },
		{ "RETR\r\n", "Subject: one\r\n\r\nfirst\r\n" },
		{ "ACKD\r\n", "=28 characters\r\n" },
		{ "RETR\r\n", "Subject: two\r\n\r\nthe second\r\n" },
		{ "ACKD\r\n", "=0 no message\r\n" },
		{ "QUIT\r\n", "+ OK bye\r\n" },
		{ NULL, NULL }
	};
	struct server server;

	(void)tc;
	server_start(&server, NULL);
	mailbox_write(&server, FRED, two_messages, strlen(two_messages));
	play(open_session(&server), scenario);
	mailbox_must_be(&server, FRED, "", 0);
	server_stop(&server);
}

/*
 * Page 14: a folder by its full path, its last message kept.  The RFC has
 * two spaces before the number here.
 */
ATF_TC_WITHOUT_HEAD(example_2);
ATF_TC_BODY(example_2, tc)
{
	static char fold[700], body[10123], data[10200];
	struct exchange scenario[] = {
		{ "HELO fred secret\r\n", "#27 messages\r\n" },
		{ fold, "#27 messages\r\n" },
		{ "READ  27\r\n", "=10123 characters\r\n" },
		{ "RETR\r\n", data },
		{ "ACKS\r\n", "=0 no message\r\n" },
		{ "QUIT\r\n", "+ OK bye\r\n" },
		{ NULL, NULL }
	};
	struct server server;
	size_t length;
	char *before;

	(void)tc;
	memset(body, 'y', 10123 - strlen("Subject: 27\r\n\r\n\r\n"));
	(void)snprintf(data, sizeof(data), "Subject: 27\r\n\r\n%s\r\n", body);
	server_start(&server, NULL);
	(void)snprintf(fold, sizeof(fold), "FOLD %s\r\n",
	    mailbox_path(&server, FRED));
	write_many(&server, 27, 27, body);
	before = file_read(mailbox_path(&server, FRED), &length);
	play(open_session(&server), scenario);
	mailbox_must_be(&server, FRED, before, length);
	free(before);
	server_stop(&server);
}

/*
 * Page 14: an empty mailbox.  The example closes at READ; the text of READ
 * ("If there is no message to be read, the count of zero is returned") and
 * the Server Decision Table answer "=0", and the RETR that follows closes.
 */
ATF_TC_WITHOUT_HEAD(example_3);
ATF_TC_BODY(example_3, tc)
{
	static const struct exchange scenario[] = {
		{ "HELO fred secret\r\n", "#0 messages\r\n" },
		{ "READ\r\n", "=0 no message\r\n" },
		{ "RETR\r\n", "" },
		{ NULL, NULL }
	};
	struct server server;

	(void)tc;
	server_start(&server, NULL);
	mailbox_write(&server, FRED, "", 0);
	play(open_session(&server), scenario);
	mailbox_must_be(&server, FRED, "", 0);
	server_stop(&server);
}

/* The same with no mailbox at all. */
ATF_TC_WITHOUT_HEAD(example_3_no_file);
ATF_TC_BODY(example_3_no_file, tc)
{
	static const struct exchange scenario[] = {
		{ "HELO fred secret\r\n", "#0 messages\r\n" },
		{ "READ\r\n", "=0 no message\r\n" },
		{ "QUIT\r\n", "+ OK bye\r\n" },
		{ NULL, NULL }
	};
	struct server server;

	(void)tc;
	server_start(&server, NULL);
	play(open_session(&server), scenario);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, normal_scenario);
	ATF_TP_ADD_TC(tp, one_kept);
	ATF_TP_ADD_TC(tp, example_1);
	ATF_TP_ADD_TC(tp, example_2);
	ATF_TP_ADD_TC(tp, example_3);
	ATF_TP_ADD_TC(tp, example_3_no_file);
	return (atf_no_error());
}
