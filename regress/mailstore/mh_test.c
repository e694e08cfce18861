/*
 * mh_test.c - MH folders: what is a message, what is sent, what a delete
 * removes; and what holds while other programs work in the same folder.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "mh.h"
#include "message_files.h"

#define ONE	"Return-Path: <ann@example.org>\nSubject: one\n\nfirst\n"
#define TWO	"Subject: two\n\nthe second\n\nFrom here\n>From there\n"
#define THREE	"Subject: three\n\nthe third one"
#define ONE_WIRE	"Return-Path: <ann@example.org>\r\nSubject: one\r\n" \
			"\r\nfirst\r\n"
#define TWO_WIRE	"Subject: two\r\n\r\nthe second\r\n\r\nFrom here\r\n" \
			">From there\r\n"
#define THREE_WIRE	"Subject: three\r\n\r\nthe third one\r\n"
#define WHOLE		"From ann@example.org Sat Nov 21 23:33:00 2026\r\n" \
			ONE_WIRE "\r\n" \
			"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\r\n" \
			"Subject: two\r\n\r\nthe second\r\n\r\n>From here\r\n" \
			">>From there\r\n\r\n" \
			"From MAILER-DAEMON Thu Feb 29 12:00:01 2024\r\n" \
			THREE_WIRE "\r\n"

/* A folder "work" of three messages, with gaps in their numbers. */
static void
make_three(const struct server *server)
{
	write_message(server, "mail/work/2", ONE);
	write_message(server, "mail/work/10", TWO);
	write_message(server, "mail/work/103", THREE);
	date_file(server, "mail/work/2", 1795303980);
	date_file(server, "mail/work/10", 0);
	date_file(server, "mail/work/103", 1709208001);
}

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	make_three(server);
}

ATF_TC_WITHOUT_HEAD(numeric_order);
ATF_TC_BODY(numeric_order, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "work", 3);
	read_and_keep(fd, 1, ONE_WIRE);
	read_and_keep(fd, 2, TWO_WIRE);
	read_and_keep(fd, 3, THREE_WIRE);
	client_say(fd, "READ 4", "=0 ");
	client_say(fd, "READ 0", "=0 ");
	quit(fd, "+");
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	static const struct {
		const char *name;
		int64_t number;
	} table[] = {
		{ "1", 1 }, { "9", 9 }, { "10", 10 }, { "2147483647",
		2147483647 }, { "2147483648", 0 }, { "4294967297", 0 },
		{ "18446744073709551617", 0 }, { "0", 0 }, { "01", 0 },
		{ "", 0 }, { "-1", 0 }, { "+1", 0 }, { "1a", 0 }, { "a1", 0 },
		{ " 1", 0 }, { "1 ", 0 }, { ",1", 0 }, { "#1", 0 },
		{ "1.", 0 }, { "\xb2", 0 },
		{ "99999999999999999999999999999999999999999999999999", 0 },
	};
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(table); i++)
		ATF_REQUIRE_EQ_MSG(table[i].number, mh_number(table[i].name),
		    "\"%s\"", table[i].name);
}

/* A folder has other names in it: those of drafts, backups, deleted mail. */
ATF_TC_WITHOUT_HEAD(other_names);
ATF_TC_BODY(other_names, tc)
{
	static const char *const others[] = { "0", "007", ",2", "#2", "2~",
	    ".3", "3.bak", "2147483648", "18446744073709551617", "-5",
	    ".mh_sequences", ".xmhcache" };
	struct server server;
	char path[600];
	size_t i;
	int fd;

	(void)tc;
	start(&server, NULL);
	for (i = 0; i < COUNT(others); i++) {
		(void)snprintf(path, sizeof(path), "mail/work/%s", others[i]);
		write_message(&server, path, i < 10 ? TWO : "");
	}
	write_message(&server, "mail/work/2147483647", TWO);
	fd = fold(&server, "work", 4);
	read_and_keep(fd, 1, ONE_WIRE);
	read_and_keep(fd, 4, TWO_WIRE);
	quit(fd, "+");
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(wire_forms);
ATF_TC_BODY(wire_forms, tc)
{
	const struct awkward_file *file;
	struct server server;
	char path[100];
	size_t i;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(awkward_files); i++) {
		(void)snprintf(path, sizeof(path), "mail/odd/%zu", i + 1);
		folder_write(&server, FRED, path, awkward_files[i].bytes,
		    awkward_files[i].length);
	}
	fd = fold(&server, "odd", COUNT(awkward_files));
	for (i = 0; i < COUNT(awkward_files); i++) {
		file = &awkward_files[i];
		(void)printf("a message with %s\n", file->name);
		read_bytes(fd, i + 1, file->wire, file->octets);
		client_say(fd, "ACKD", "=");
	}
	quit(fd, "+");
	ATF_REQUIRE_EQ(0, count_entries(&server, "mail/odd"));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(whole_mailbox);
ATF_TC_BODY(whole_mailbox, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = ask_whole(&server, "RETR work", WHOLE);
	client_say(fd, "RCVD", "+OK");
	ATF_REQUIRE_EQ(3, count_entries(&server, "mail/work"));
	(void)close(fd);
	fd = ask_whole(&server, "RDEL work", WHOLE);
	write_message(&server, "mail/work/104", ONE);
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE_EQ(1, count_entries(&server, "mail/work"));
	folder_must_be(&server, FRED, "mail/work/104", ONE, strlen(ONE));
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, numeric_order);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, other_names);
	ATF_TP_ADD_TC(tp, wire_forms);
	ATF_TP_ADD_TC(tp, whole_mailbox);
	return (atf_no_error());
}
