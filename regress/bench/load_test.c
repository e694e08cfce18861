/*
 * load_test.c - the bench's client says what is not as it must be.
 *
 * Figures that were taken while something else came than was asked for would
 * be worth nothing.  No speed is asserted here.
 */
#include <arpa/inet.h>
#include <atf-c.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "harness.h"
#include "measure.h"

#define MESSAGES	40

static const struct mail_set set = { MESSAGES, 400000, 1 };
static const struct mail_set left = { MESSAGES, 400000, 2 };

static jmp_buf failed;
static char failure[600];

static void
note_failure(const char *reason)
{
	(void)snprintf(failure, sizeof(failure), "%s", reason);
	longjmp(failed, 1);
}

/* The set as an mbox; malloc'd. */
static char *
make_mbox(const struct mail_set *which, size_t *length)
{
	char *bytes = NULL;
	FILE *file = open_memstream(&bytes, length);

	ATF_REQUIRE(file != NULL);
	mail_begin();
	ATF_REQUIRE(mail_write_mbox(which, file) == 0);
	ATF_REQUIRE(fclose(file) == 0);
	return (bytes);
}

static void
start(struct server *server, struct client_to *to,
    enum client_protocol protocol)
{
	size_t length;
	char *bytes = make_mbox(&set, &length);

	server_prepare(server, "listen auto 127.0.0.1 port 0\n"
	    "listen pop3 127.0.0.1 port 0\n");
	mailbox_write(server, FRED, bytes, length);
	server_run(server);
	free(bytes);
	memset(to, 0, sizeof(*to));
	to->protocol = protocol;
	to->address.s_addr = htonl(INADDR_LOOPBACK);
	to->port = server->ports[protocol == CLIENT_POP3];
	to->quick = 1;
}

ATF_TC_WITHOUT_HEAD(the_same_mail_by_all_protocols);
ATF_TC_BODY(the_same_mail_by_all_protocols, tc)
{
	/* The last by POP2 with RETR behind each ACKS. */
	static const enum client_protocol protocols[] = { CLIENT_POP1,
	    CLIENT_POP2, CLIENT_POP3, CLIENT_POP2 };
	struct server server;
	struct client_to to;
	struct client client;
	size_t i;

	start(&server, &to, CLIENT_POP3);
	for (i = 0; i < 4; i++) {
		to.protocol = protocols[i];
		to.at_once = i == 3;
		to.port = server.ports[to.protocol == CLIENT_POP3];
		load_open(&client, &to, 0, 1);
		ATF_CHECK(load_login(&client, FRED, FRED_PASSWORD) ==
		    (i == 0 ? mail_mbox_octets(&set) : MESSAGES));
		ATF_CHECK(load_fetch(&client, &set) ==
		    (i == 0 ? mail_mbox_octets(&set) :
		    mail_all_octets(&set, FORM_WIRE)));
		load_quit(&client);
	}
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(a_wrong_octet_is_seen);
ATF_TC_BODY(a_wrong_octet_is_seen, tc)
{
	struct server server;
	struct client_to to;
	static struct client client;
	size_t length;
	char *bytes;

	start(&server, &to, CLIENT_POP3);
	bytes = make_mbox(&set, &length);
	bytes[length - 10] ^= 1;
	mailbox_write(&server, FRED, bytes, length);
	free(bytes);
	load_failed = note_failure;
	if (setjmp(failed) == 0) {
		load_open(&client, &to, 0, 1);
		(void)load_login(&client, FRED, FRED_PASSWORD);
		(void)load_fetch(&client, &set);
		atf_tc_fail("the wrong octet was not seen");
	}
	ATF_CHECK_STREQ("message 40 is not what it must be", failure);
	load_close(&client);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(every_second_message_goes);
ATF_TC_BODY(every_second_message_goes, tc)
{
	struct server server;
	struct client_to to;
	struct client client;
	size_t length;
	char *bytes;
	uint32_t i;

	start(&server, &to, CLIENT_POP3);
	load_open(&client, &to, 0, 1);
	(void)load_login(&client, FRED, FRED_PASSWORD);
	for (i = 2; i <= MESSAGES; i += 2) {
		load_send(&client, "DELE %u", i);
		load_line(&client, "+OK", NULL, 0);
	}
	load_quit(&client);
	bytes = make_mbox(&left, &length);
	mailbox_must_be(&server, FRED, bytes, length);
	free(bytes);
	load_open(&client, &to, 0, 1);
	ATF_CHECK(load_login(&client, FRED, FRED_PASSWORD) == MESSAGES / 2);
	ATF_CHECK(load_fetch(&client, &left) ==
	    mail_all_octets(&left, FORM_WIRE));
	load_quit(&client);
	server_stop(&server);
}

/* Memory of processes that nobody may trace is for root alone to see. */
ATF_TC(the_whole_tree_is_measured);
ATF_TC_HEAD(the_whole_tree_is_measured, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(the_whole_tree_is_measured, tc)
{
	struct server server;
	struct client_to to;
	struct client client;
	double before;

	start(&server, &to, CLIENT_POP3);
	before = measure_memory(server.pid);
	ATF_CHECK(before > 0);
	load_open(&client, &to, 0, 1);
	(void)load_login(&client, FRED, FRED_PASSWORD);
	ATF_CHECK(measure_memory(server.pid) > before);
	ATF_CHECK(measure_cpu(server.pid) >= 0);
	load_quit(&client);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, the_same_mail_by_all_protocols);
	ATF_TP_ADD_TC(tp, a_wrong_octet_is_seen);
	ATF_TP_ADD_TC(tp, every_second_message_goes);
	ATF_TP_ADD_TC(tp, the_whole_tree_is_measured);
	return (atf_no_error());
}
