/*
 * maildir_test.c - Maildirs: what is sent, in which order; and what holds
 * while other programs deliver, move, mark and remove.
 */
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

#define BOX	"mail/box/"
#define FIRST	BOX "cur/999.M1P2.host:2,S"
#define SECOND	BOX "new/1000.M1P2.host"
#define THIRD	BOX "cur/1000.M2P1.host,S=9:2,"

static void
make_maildir(const struct server *server)
{
	make_folder(server, BOX "tmp");
	write_message(server, FIRST, ONE);
	write_message(server, SECOND, TWO);
	write_message(server, THIRD, THREE);
	date_file(server, FIRST, 1795303980);
	date_file(server, SECOND, 0);
	date_file(server, THIRD, 1709208001);
}

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	make_maildir(server);
}

/* In the order of their delivery, wherever they are, whatever their flags. */
ATF_TC_WITHOUT_HEAD(delivery_order);
ATF_TC_BODY(delivery_order, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	write_message(&server, BOX "cur/.hidden", ONE);
	write_message(&server, BOX "tmp/1.M1P1.host", ONE);
	write_message(&server, BOX "cur/1001.Q1.host:2,ST", ONE);
	write_message(&server, BOX "new/no date in it", TWO);
	date_file(&server, BOX "new/no date in it", 1001);
	fd = fold(&server, "box", 5);
	read_and_keep(fd, 1, ONE_WIRE);
	read_and_keep(fd, 2, TWO_WIRE);
	read_and_keep(fd, 3, THREE_WIRE);
	read_and_keep(fd, 4, ONE_WIRE);
	read_and_keep(fd, 5, TWO_WIRE);
	client_say(fd, "READ 6", "=0 ");
	quit(fd, "+");
	/* Nothing is moved, nothing is marked as read. */
	ATF_REQUIRE(is_there(&server, SECOND));
	ATF_REQUIRE(is_there(&server, THIRD));
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
	make_folder(&server, BOX "tmp");
	make_folder(&server, BOX "new");
	for (i = 0; i < COUNT(awkward_files); i++) {
		(void)snprintf(path, sizeof(path), BOX "cur/%zu.a:2,", i + 1);
		folder_write(&server, FRED, path, awkward_files[i].bytes,
		    awkward_files[i].length);
	}
	fd = fold(&server, "box", COUNT(awkward_files));
	for (i = 0; i < COUNT(awkward_files); i++) {
		file = &awkward_files[i];
		(void)printf("a message with %s\n", file->name);
		read_bytes(fd, i + 1, file->wire, file->octets);
		client_say(fd, "ACKD", "=");
	}
	quit(fd, "+");
	ATF_REQUIRE_EQ(0, count_entries(&server, BOX "cur"));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(whole_mailbox);
ATF_TC_BODY(whole_mailbox, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = ask_whole(&server, "RETR box", WHOLE);
	client_say(fd, "RCVD", "+OK");
	(void)close(fd);
	ATF_REQUIRE(is_there(&server, FIRST) && is_there(&server, SECOND) &&
	    is_there(&server, THIRD));
	fd = ask_whole(&server, "RDEL box", WHOLE);
	write_message(&server, BOX "new/1.late", ONE);
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE_EQ(0, count_entries(&server, BOX "cur"));
	ATF_REQUIRE_EQ(1, count_entries(&server, BOX "new"));
	folder_must_be(&server, FRED, BOX "new/1.late", ONE, strlen(ONE));
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, delivery_order);
	ATF_TP_ADD_TC(tp, wire_forms);
	ATF_TP_ADD_TC(tp, whole_mailbox);
	return (atf_no_error());
}
