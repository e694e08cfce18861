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

static void
must_be_all_there(const struct server *server)
{
	folder_must_be(server, FRED, FIRST, ONE, strlen(ONE));
	folder_must_be(server, FRED, SECOND, TWO, strlen(TWO));
	folder_must_be(server, FRED, THIRD, THREE, strlen(THREE));
}

ATF_TC_WITHOUT_HEAD(deletes);
ATF_TC_BODY(deletes, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "box", 3);
	read_and_delete(fd, 2, TWO_WIRE);
	client_say(fd, "READ 2", "=0 ");
	must_be_all_there(&server);
	(void)close(fd);	/* no QUIT, no delete */
	children_must_be(&server, "postern-store", 0);
	must_be_all_there(&server);
	fd = fold(&server, "box", 3);
	read_and_delete(fd, 2, TWO_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	write_message(&server, BOX "new/1.late", ONE);
	client_say(fd, "FOLD box", "#2 ");
	ATF_REQUIRE(!is_there(&server, SECOND) && !is_there(&server, THIRD));
	read_and_delete(fd, 2, ONE_WIRE);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, FIRST));
	folder_must_be(&server, FRED, BOX "new/1.late", ONE, strlen(ONE));
	log_must_have(&server, "folder=box deleted=2");
	server_stop(&server);
}

#define SECOND_SEEN	BOX "cur/1000.M1P2.host:2,S"
#define SECOND_REPLIED	BOX "cur/1000.M1P2.host:2,RS"

/* A mail reader moves and marks what a session has in its list. */
ATF_TC_WITHOUT_HEAD(moved_and_marked);
ATF_TC_BODY(moved_and_marked, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "box", 3);
	move_file(&server, SECOND, SECOND_SEEN);	/* before its size */
	client_say(fd, "READ 2", "=");
	move_file(&server, SECOND_SEEN, SECOND);	/* before it is sent */
	read_and_keep(fd, 2, TWO_WIRE);
	move_file(&server, THIRD, BOX "cur/1000.M2P1.host,S=9:2,FRS");
	read_and_keep(fd, 3, THREE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	move_file(&server, SECOND, SECOND_REPLIED);	/* before it goes */
	quit(fd, "+");
	ATF_REQUIRE_EQ(0, count_entries(&server, BOX "new"));
	ATF_REQUIRE_EQ(2, count_entries(&server, BOX "cur"));
	ATF_REQUIRE(is_there(&server, FIRST));
	server_stop(&server);
}

/* Everything under a session for the whole mailbox. */
ATF_TC_WITHOUT_HEAD(moved_while_whole);
ATF_TC_BODY(moved_while_whole, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RDEL box", "#");
	move_file(&server, SECOND, SECOND_SEEN);
	client_send(fd, "RCEV\r\n");
	client_expect(fd, WHOLE);
	move_file(&server, SECOND_SEEN, SECOND_REPLIED);
	write_message(&server, SECOND, ONE);	/* a new one, of that name */
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE_EQ(0, count_entries(&server, BOX "cur"));
	folder_must_be(&server, FRED, SECOND, ONE, strlen(ONE));
	server_stop(&server);
}

/* Not there any more: no message, and no other in its place. */
ATF_TC_WITHOUT_HEAD(removed_by_others);
ATF_TC_BODY(removed_by_others, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "box", 3);
	remove_file(&server, SECOND);
	client_say(fd, "READ 2", "=0 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	remove_file(&server, FIRST);
	quit(fd, "+");
	ATF_REQUIRE_EQ(0, count_entries(&server, BOX "cur"));
	log_must_have(&server, "folder=box deleted=1");
	make_maildir(&server);
	fd = fold(&server, "box", 3);
	client_say(fd, "READ 1", "=");
	remove_file(&server, FIRST);
	client_send(fd, "RETR\r\n");
	client_expect_close(fd);
	server_stop(&server);
}

/* A reader that copies has not changed the mail; one that edits has. */
ATF_TC_WITHOUT_HEAD(copied_or_edited);
ATF_TC_BODY(copied_or_edited, tc)
{
	struct server server;
	char other[] = TWO;
	int fd;

	(void)tc;
	start(&server, NULL);
	other[0] = 'X';
	fd = fold(&server, "box", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	write_message(&server, SECOND_SEEN, other);
	remove_file(&server, SECOND);
	quit(fd, "- the folder was changed by another program; nothing was "
	    "deleted");
	folder_must_be(&server, FRED, FIRST, ONE, strlen(ONE));
	folder_must_be(&server, FRED, SECOND_SEEN, other, strlen(other));
	write_message(&server, SECOND_SEEN, TWO);
	fd = fold(&server, "box", 3);
	read_and_delete(fd, 2, TWO_WIRE);
	write_message(&server, SECOND_REPLIED, TWO);
	remove_file(&server, SECOND_SEEN);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, SECOND_REPLIED));
	ATF_REQUIRE_EQ(2, count_entries(&server, BOX "cur"));
	server_stop(&server);
}

static void
set_modes(const struct server *server, mode_t mode)
{
	ATF_REQUIRE(chmod(home_of(server, BOX "cur"), mode) == 0);
	ATF_REQUIRE(chmod(home_of(server, BOX "new"), mode) == 0);
}

ATF_TC_WITHOUT_HEAD(read_only);
ATF_TC_BODY(read_only, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	set_modes(&server, 0500);
	fd = fold(&server, "box", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	quit(fd, "+");
	must_be_all_there(&server);
	log_must_have(&server, "may not be written; nothing was deleted");
	fd = ask_whole(&server, "RDEL box", WHOLE);
	client_say(fd, "RCVD", "-ERR the mail was not deleted");
	quit(fd, "+OK");
	must_be_all_there(&server);
	/* One of the two alone: what was done is told. */
	set_modes(&server, 0700);
	ATF_REQUIRE(chmod(home_of(&server, BOX "new"), 0500) == 0);
	fd = fold(&server, "box", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	quit(fd, "- 1 message was deleted, the others could not be");
	ATF_REQUIRE(!is_there(&server, FIRST));
	ATF_REQUIRE(is_there(&server, SECOND) && is_there(&server, THIRD));
	set_modes(&server, 0700);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(hostile_entries);
ATF_TC_BODY(hostile_entries, tc)
{
	struct server server;
	size_t messages = 3;
	int fd;

	(void)tc;
	start(&server, NULL);
	ATF_REQUIRE(mkfifo(home_of(&server, BOX "new/1.fifo"), 0666) == 0);
	ATF_REQUIRE(symlink("../" "cur/999.M1P2.host:2,S",
	    home_of(&server, BOX "new/2.link")) == 0);
	ATF_REQUIRE(symlink("/etc/passwd", home_of(&server, BOX "cur/3.link"))
	    == 0);
	make_folder(&server, BOX "cur/4.directory");
	write_message(&server, BOX "cur/5.foreign", TWO);
	if (server.privileged)
		ATF_REQUIRE(chown(home_of(&server, BOX "cur/5.foreign"),
		    ANN_UID, ANN_UID) == 0);
	else
		remove_file(&server, BOX "cur/5.foreign");
	write_message(&server, BOX "cur/:2,S", ONE);
	write_message(&server, BOX "new/99999999999999999999.x\n\033[2J",
	    ONE);
	messages += 2;
	fd = fold(&server, "box", messages);
	ATF_REQUIRE(unlink(home_of(&server, BOX "new/99999999999999999999.x\n"
	    "\033[2J")) == 0);
	client_say(fd, "READ 5", "=");
	client_say(fd, "READ 4", "=");
	quit(fd, "+");
	log_must_have(&server, "passed over: not regular files of this user");
	server_stop(&server);
}

/* new or cur that lead elsewhere: it is no Maildir. */
ATF_TC_WITHOUT_HEAD(hostile_directories);
ATF_TC_BODY(hostile_directories, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	make_folder(&server, "mail/a/cur");
	make_folder(&server, "mail/a/tmp");
	ATF_REQUIRE(symlink("../box/new", home_of(&server, "mail/a/new")) ==
	    0);
	fd = fold(&server, "a", 0);
	log_must_have(&server, "folder=a error=\"neither a Maildir");
	client_say(fd, "FOLD box/cur", "#0 ");
	client_say(fd, "FOLD box", "#3 ");
	quit(fd, "+");
	if (server.privileged) {
		ATF_REQUIRE(chown(home_of(&server, BOX "new"), ANN_UID,
		    ANN_UID) == 0);
		ATF_REQUIRE(chmod(home_of(&server, BOX "new"), 0777) == 0);
		fd = fold(&server, "box", 0);
		quit(fd, "+");
	}
	server_stop(&server);
}

/* "mailbox ~/Maildir/" in the configuration. */
ATF_TC_WITHOUT_HEAD(default_mailbox);
ATF_TC_BODY(default_mailbox, tc)
{
	struct server server;
	char *config, *line, *end, path[1400];
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	config = file_read(server.config, NULL);
	line = strstr(config, "mailbox ");
	ATF_REQUIRE(line != NULL && (end = strchr(line, '\n')) != NULL);
	memset(line, ' ', (size_t)(end - line));
	memcpy(line, "mailbox ~/Maildir/", 18);
	file_write(server.config, config, strlen(config));
	free(config);
	server_run(&server);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	quit(fd, "+");
	make_maildir(&server);
	move_file(&server, "mail/box", "Maildir");
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#3 ");
	read_and_delete(fd, 2, TWO_WIRE);
	client_say(fd, "FOLD ~/Maildir", "#2 ");
	(void)snprintf(path, sizeof(path), "FOLD %s",
	    home_of(&server, "Maildir"));
	client_say(fd, path, "#2 ");
	client_say(fd, "FOLD ~/Maildir/cur", "#0 ");
	client_say(fd, "FOLD inbox", "#2 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, THREE_WIRE);
	quit(fd, "+");
	ATF_REQUIRE_EQ(0, count_entries(&server, "Maildir/cur"));
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	quit(fd, "+");
	server_stop(&server);
}

/* Senders and dates of the whole mailbox's From_ lines. */
static const struct {
	const char *bytes, *sender;
	time_t date;
	const char *asctime;
} from_lines[] = {
	{ "Return-Path: <>\n\n", "MAILER-DAEMON", 951868799,
	    "Tue Feb 29 23:59:59 2000" },
	{ "return-path:bob@x\n\n", "bob@x", 951868800,
	    "Wed Mar  1 00:00:00 2000" },
	{ "X: y\nReturn-Path:\t <a.b+c@[192.0.2.1]> \n\n",
	    "a.b+c@[192.0.2.1]", 4102444799, "Thu Dec 31 23:59:59 2099" },
	{ "Return-Path: <two words@x>\n\n", "MAILER-DAEMON", 4107542400,
	    "Mon Mar  1 00:00:00 2100" },
	{ "Return-Path: <\001@x>\n\n", "MAILER-DAEMON", 0,
	    "Thu Jan  1 00:00:00 1970" },
	{ "X: y\n\nReturn-Path: <body@x>\n", "MAILER-DAEMON", 1,
	    "Thu Jan  1 00:00:01 1970" },
	{ "Return-Path: <first@x>\nReturn-Path: <second@x>\n\n", "first@x",
	    86399, "Thu Jan  1 23:59:59 1970" },
};

ATF_TC_WITHOUT_HEAD(from_lines_made);
ATF_TC_BODY(from_lines_made, tc)
{
	struct server server;
	char whole[400], *wire;
	size_t i, length;
	int fd;

	(void)tc;
	start(&server, NULL);
	remove_file(&server, FIRST);
	remove_file(&server, THIRD);
	for (i = 0; i < COUNT(from_lines); i++) {
		(void)printf("from line %zu\n", i);
		write_message(&server, SECOND, from_lines[i].bytes);
		date_file(&server, SECOND, from_lines[i].date);
		wire = wire_form(from_lines[i].bytes,
		    strlen(from_lines[i].bytes), &length);
		(void)snprintf(whole, sizeof(whole), "From %s %s\r\n%.*s\r\n",
		    from_lines[i].sender, from_lines[i].asctime, (int)length,
		    wire);
		free(wire);
		fd = ask_whole(&server, "RETR box", whole);
		client_say(fd, "RCVD", "+OK");
		quit(fd, "+OK");
	}
	server_stop(&server);
}

/* Longer than any buffer: the counts are exact, the lines unharmed. */
ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	const size_t length = 300000;
	struct server server;
	char *bytes = malloc(length + 1), *wire;
	size_t octets;
	int fd;

	(void)tc;
	ATF_REQUIRE(bytes != NULL);
	start(&server, NULL);
	remove_file(&server, FIRST);
	remove_file(&server, THIRD);
	memset(bytes, 'x', length);
	memcpy(bytes + 65531, "\nFrom a\n", 8);
	memcpy(bytes + 131070, "\r\n>From b\r\n", 11);
	bytes[length] = '\0';
	folder_write(&server, FRED, SECOND, bytes, length);
	date_file(&server, SECOND, 0);
	wire = wire_form(bytes, length, &octets);
	fd = fold(&server, "box", 1);
	read_bytes(fd, 1, wire, octets);
	free(wire);
	client_say(fd, "ACKS", "=0 ");
	quit(fd, "+");
	wire = malloc(length + 200);
	ATF_REQUIRE(wire != NULL);
	(void)sprintf(wire, "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\r\n"
	    "%.*s\r\n>From a\r\n%.*s\r\n>>From b\r\n%s\r\n\r\n", 65531, bytes,
	    131070 - 65539, bytes + 65539, bytes + 131081);
	fd = ask_whole(&server, "RDEL box", wire);
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE(!is_there(&server, SECOND));
	free(wire);
	free(bytes);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, delivery_order);
	ATF_TP_ADD_TC(tp, wire_forms);
	ATF_TP_ADD_TC(tp, whole_mailbox);
	ATF_TP_ADD_TC(tp, deletes);
	ATF_TP_ADD_TC(tp, moved_and_marked);
	ATF_TP_ADD_TC(tp, moved_while_whole);
	ATF_TP_ADD_TC(tp, removed_by_others);
	ATF_TP_ADD_TC(tp, copied_or_edited);
	ATF_TP_ADD_TC(tp, read_only);
	ATF_TP_ADD_TC(tp, hostile_entries);
	ATF_TP_ADD_TC(tp, hostile_directories);
	ATF_TP_ADD_TC(tp, default_mailbox);
	ATF_TP_ADD_TC(tp, from_lines_made);
	ATF_TP_ADD_TC(tp, long_lines);
	return (atf_no_error());
}
