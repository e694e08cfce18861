/*
 * rfc937_test.c - the RFC's own sessions, byte for byte.
 */
#include <atf-c.h>
#include <string.h>

#include "harness.h"

static const char two_messages[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\n"
    "Subject: one\n\nfirst\n\n"
    "From b@example.org Sat Nov 21 23:34:00 2026\n"
    "Subject: two\n\nthe second\n\n";
static const char second_alone[] =
    "From b@example.org Sat Nov 21 23:34:00 2026\n"
    "Subject: two\n\nthe second\n\n";

ATF_TC_WITHOUT_HEAD(example_1);
ATF_TC_BODY(example_1, tc)
{
	struct server server;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	mailbox_write(&server, FRED, two_messages, strlen(two_messages));
	fd = client_connect(&server, 0);
	client_expect(fd, "+ POP2 post.example.org Postern\r\n");
	client_send(fd, "HELO fred secret\r\n");
	client_expect(fd, "#2 messages\r\n");
	client_send(fd, "READ\r\n");
	client_expect(fd, "=23 characters\r\n");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
	client_send(fd, "ACKD\r\n");
	client_expect(fd, "=28 characters\r\n");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: two\r\n\r\nthe second\r\n");
	client_send(fd, "ACKS\r\n");
	client_expect(fd, "=0 no message\r\n");
	client_send(fd, "QUIT\r\n");
	client_expect(fd, "+ OK bye\r\n");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, second_alone, strlen(second_alone));
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, example_1);
	return (atf_no_error());
}
