/*
 * mh_test.c - MH folders: what is a message, what is sent, what a delete
 * removes; and what holds while other programs work in the same folder.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <poll.h>
#include <time.h>

#include "message_file.h"
#include "message_files.h"
#include "mh.h"

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

/* A folder "desk" of three messages, with gaps in their numbers. */
static void
make_three(const struct server *server)
{
	write_message(server, "mail/desk/2", ONE);
	write_message(server, "mail/desk/10", TWO);
	write_message(server, "mail/desk/103", THREE);
	date_file(server, "mail/desk/2", 1795303980);
	date_file(server, "mail/desk/10", 0);
	date_file(server, "mail/desk/103", 1709208001);
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
	fd = fold(&server, "desk", 3);
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
		(void)snprintf(path, sizeof(path), "mail/desk/%s", others[i]);
		write_message(&server, path, i < 10 ? TWO : "");
	}
	write_message(&server, "mail/desk/2147483647", TWO);
	fd = fold(&server, "desk", 4);
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
	fd = ask_whole(&server, "RETR desk", WHOLE);
	client_say(fd, "RCVD", "+OK");
	ATF_REQUIRE_EQ(3, count_entries(&server, "mail/desk"));
	(void)close(fd);
	fd = ask_whole(&server, "RDEL desk", WHOLE);
	write_message(&server, "mail/desk/104", ONE);
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE_EQ(1, count_entries(&server, "mail/desk"));
	folder_must_be(&server, FRED, "mail/desk/104", ONE, strlen(ONE));
	server_stop(&server);
}

/* Three messages, of which the second is to be deleted. */
static int
mark_second(const struct server *server)
{
	int fd = fold(server, "desk", 3);

	read_and_delete(fd, 2, TWO_WIRE);
	return (fd);
}

static void
must_be_all_there(const struct server *server)
{
	folder_must_be(server, FRED, "mail/desk/2", ONE, strlen(ONE));
	folder_must_be(server, FRED, "mail/desk/10", TWO, strlen(TWO));
	folder_must_be(server, FRED, "mail/desk/103", THREE, strlen(THREE));
}

/* A delete removes that name, and a new message does not get another's. */
ATF_TC_WITHOUT_HEAD(delete_unlinks);
ATF_TC_BODY(delete_unlinks, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = mark_second(&server);
	client_say(fd, "READ 2", "=0 ");
	must_be_all_there(&server);
	(void)close(fd);	/* no QUIT, no delete */
	children_must_be(&server, "postern-store", 0);
	must_be_all_there(&server);
	fd = mark_second(&server);
	write_message(&server, "mail/desk/104", ONE);
	client_say(fd, "FOLD desk", "#3 ");
	ATF_REQUIRE_EQ(3, count_entries(&server, "mail/desk"));
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	read_and_delete(fd, 2, THREE_WIRE);
	read_and_delete(fd, 1, ONE_WIRE);
	quit(fd, "+");
	ATF_REQUIRE_EQ(1, count_entries(&server, "mail/desk"));
	folder_must_be(&server, FRED, "mail/desk/104", ONE, strlen(ONE));
	log_must_have(&server, "folder=desk deleted=2");
	server_stop(&server);
}

#define BEGUN		"Subject: four\n\nbegun"
#define BEGUN_WIRE	"Subject: four\r\n\r\nbegun\r\n"

/* What has been begun is sent, and to be deleted; the commit waits. */
static int
delete_begun(const struct server *server, time_t ahead)
{
	int fd;

	write_message(server, "mail/desk/104", BEGUN);
	if (ahead != 0)
		date_file(server, "mail/desk/104", time(NULL) + ahead);
	fd = fold(server, "desk", 4);
	read_and_delete(fd, 4, BEGUN_WIRE);
	client_send(fd, "QUIT\r\n");
	(void)poll(NULL, 0, MH_STILL_MS / 10);
	return (fd);
}

static void
end_begun(const struct server *server, int fd)
{
	FILE *file = fopen(home_of(server, "mail/desk/104"), "a");

	ATF_REQUIRE(file != NULL && fputs(", and ended\n", file) != EOF &&
	    fclose(file) == 0);
	client_expect_line(fd, "- the folder was changed by another program");
	client_expect_close(fd);
	folder_must_be(server, FRED, "mail/desk/104", BEGUN ", and ended\n",
	    strlen(BEGUN ", and ended\n"));
}

/*
 * procmail and inc make the name first, and write the message then.  The clock
 * that sets its date may be another one, and be wrong.
 */
ATF_TC_WITHOUT_HEAD(written_while_deleted);
ATF_TC_BODY(written_while_deleted, tc)
{
	static const time_t ahead[] = { 0, 5, -5, 3600, -3600, -800000000 };
	struct server server;
	size_t i;

	(void)tc;
	start(&server, NULL);
	for (i = 0; i < COUNT(ahead); i++)
		end_begun(&server, delete_begun(&server, ahead[i]));
	server_stop(&server);
}

/* What was only touched may be written on as well: that is waited for anew. */
ATF_TC_WITHOUT_HEAD(touched_while_deleted);
ATF_TC_BODY(touched_while_deleted, tc)
{
	struct server server;
	int fd, dated;

	(void)tc;
	start(&server, NULL);
	for (dated = 0; dated < 2; dated++) {
		fd = delete_begun(&server, 0);
		ATF_REQUIRE(chmod(home_of(&server, "mail/desk/104"), 0640) ==
		    0);
		if (dated)
			date_file(&server, "mail/desk/104", 12345);
		(void)poll(NULL, 0, MH_STILL_MS);
		end_begun(&server, fd);
	}
	fd = delete_begun(&server, 0);
	ATF_REQUIRE(chmod(home_of(&server, "mail/desk/104"), 0600) == 0);
	client_expect_line(fd, "+");
	client_expect_close(fd);
	ATF_REQUIRE(!is_there(&server, "mail/desk/104"));
	server_stop(&server);
}

/* One that is touched all the time stays. */
ATF_TC_WITHOUT_HEAD(touched_all_the_time);
ATF_TC_BODY(touched_all_the_time, tc)
{
	struct pollfd answer = { .events = POLLIN };
	struct server server;

	(void)tc;
	start(&server, NULL);
	answer.fd = delete_begun(&server, 0);
	while (poll(&answer, 1, MH_STILL_MS / 10) == 0)
		ATF_REQUIRE(chmod(home_of(&server, "mail/desk/104"), 0600) ==
		    0);
	client_expect_line(answer.fd, "- the folder is being changed");
	client_expect_close(answer.fd);
	folder_must_be(&server, FRED, "mail/desk/104", BEGUN, strlen(BEGUN));
	server_stop(&server);
}

/* The clocks of hosts differ; only what is far in the past by both is old. */
ATF_TC_WITHOUT_HEAD(old);
ATF_TC_BODY(old, tc)
{
	static const struct {
		time_t modified, changed;
		int is_old;
	} table[] = {
		{ 0, 0, 0 }, { -5, -5, 0 }, { 5, 5, 0 }, { -3600, -3600, 0 },
		{ -50400, -50400, 0 }, { 100000, 100000, 0 },
		{ -100000, -100000, 1 }, { -100000, -5, 0 },
		{ -5, -100000, 0 }, { 100000, -100000, 0 },
		{ -100000, 100000, 0 },
	};
	struct file_identity identity;
	size_t i;

	(void)tc;
	memset(&identity, 0, sizeof(identity));
	for (i = 0; i < COUNT(table); i++) {
		identity.modified.tv_sec = time(NULL) + table[i].modified;
		identity.changed.tv_sec = time(NULL) + table[i].changed;
		ATF_REQUIRE_EQ_MSG(table[i].is_old,
		    message_file_is_old(&identity), "row %zu", i);
	}
}

/* A session that lasted for long enough does not wait at its end. */
ATF_TC_WITHOUT_HEAD(not_waited_for_again);
ATF_TC_BODY(not_waited_for_again, tc)
{
	struct pollfd answer = { .events = POLLIN };
	struct server server;
	int tries, quick = 0;

	(void)tc;
	start(&server, NULL);
	/* Once in three: who waits does so each time. */
	for (tries = 0; tries < 3 && !quick; tries++) {
		write_message(&server, "mail/desk/10", TWO);
		answer.fd = mark_second(&server);
		(void)poll(NULL, 0, MH_STILL_MS);
		client_send(answer.fd, "QUIT\r\n");
		quick = poll(&answer, 1, MH_STILL_MS * 3 / 4) == 1;
		client_expect_line(answer.fd, "+");
		client_expect_close(answer.fd);
	}
	ATF_CHECK(quick);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(delete_renames);
ATF_TC_BODY(delete_renames, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, "mh-rename\n");
	write_message(&server, "mail/desk/,10", ONE);
	ATF_REQUIRE(link(home_of(&server, "mail/desk/2"),
	    home_of(&server, "mail/desk/,2")) == 0);
	fd = fold(&server, "desk", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	quit(fd, "+");
	ATF_REQUIRE_EQ(3, count_entries(&server, "mail/desk"));
	folder_must_be(&server, FRED, "mail/desk/,2", ONE, strlen(ONE));
	folder_must_be(&server, FRED, "mail/desk/,10", TWO, strlen(TWO));
	folder_must_be(&server, FRED, "mail/desk/103", THREE, strlen(THREE));
	server_stop(&server);
}

/* What was done is told, and what was not done stays. */
ATF_TC_WITHOUT_HEAD(delete_stops);
ATF_TC_BODY(delete_stops, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, "mh-rename\n");
	make_folder(&server, "mail/desk/,10");
	fd = fold(&server, "desk", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	quit(fd, "- 1 message was deleted, the others could not be");
	folder_must_be(&server, FRED, "mail/desk/,2", ONE, strlen(ONE));
	folder_must_be(&server, FRED, "mail/desk/10", TWO, strlen(TWO));
	folder_must_be(&server, FRED, "mail/desk/103", THREE, strlen(THREE));
	log_must_have(&server, "folder=desk deleted=1 error=");
	server_stop(&server);
}

/* A message linked into another folder stays there. */
ATF_TC_WITHOUT_HEAD(delete_one_name);
ATF_TC_BODY(delete_one_name, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	make_folder(&server, "mail/other");
	ATF_REQUIRE(link(home_of(&server, "mail/desk/10"),
	    home_of(&server, "mail/other/1")) == 0);
	ATF_REQUIRE(link(home_of(&server, "mail/desk/10"),
	    home_of(&server, "mail/desk/11")) == 0);
	fd = fold(&server, "desk", 4);
	read_and_delete(fd, 2, TWO_WIRE);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	folder_must_be(&server, FRED, "mail/desk/11", TWO, strlen(TWO));
	folder_must_be(&server, FRED, "mail/other/1", TWO, strlen(TWO));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(read_only);
ATF_TC_BODY(read_only, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	write_message(&server, "mail/desk/.mh_sequences", "unseen: 10\n");
	ATF_REQUIRE(chmod(home_of(&server, "mail/desk"), 0500) == 0);
	fd = mark_second(&server);
	quit(fd, "+");
	must_be_all_there(&server);
	log_must_have(&server, "may not be written; nothing was deleted");
	fd = ask_whole(&server, "RDEL desk", WHOLE);
	client_say(fd, "RCVD", "-ERR the mail was not deleted");
	quit(fd, "+OK");
	must_be_all_there(&server);
	folder_must_be(&server, FRED, "mail/desk/.mh_sequences",
	    "unseen: 10\n", 11);
	ATF_REQUIRE(chmod(home_of(&server, "mail/desk"), 0700) == 0);
	server_stop(&server);
}

/* "folder -pack" under a session: the messages are found again. */
ATF_TC_WITHOUT_HEAD(renumbered);
ATF_TC_BODY(renumbered, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "desk", 3);
	client_say(fd, "READ 1", "=");
	remove_file(&server, "mail/desk/2");
	move_file(&server, "mail/desk/10", "mail/desk/2");
	move_file(&server, "mail/desk/103", "mail/desk/10");
	client_say(fd, "READ 4", "=0 ");
	read_and_keep(fd, 3, THREE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	move_file(&server, "mail/desk/2", "mail/desk/1");
	move_file(&server, "mail/desk/10", "mail/desk/2");
	write_message(&server, "mail/desk/10", ONE);
	quit(fd, "+");
	ATF_REQUIRE_EQ(2, count_entries(&server, "mail/desk"));
	folder_must_be(&server, FRED, "mail/desk/2", THREE, strlen(THREE));
	folder_must_be(&server, FRED, "mail/desk/10", ONE, strlen(ONE));
	server_stop(&server);
}

/* "sortm" under a session: two messages have each other's number. */
ATF_TC_WITHOUT_HEAD(exchanged);
ATF_TC_BODY(exchanged, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "desk", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	move_file(&server, "mail/desk/2", "mail/desk/x");
	move_file(&server, "mail/desk/10", "mail/desk/2");
	move_file(&server, "mail/desk/x", "mail/desk/10");
	read_and_keep(fd, 2, TWO_WIRE);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	folder_must_be(&server, FRED, "mail/desk/2", TWO, strlen(TWO));
	server_stop(&server);
}

/* Another file of the same size takes the place of message 10. */
static void
put_another(const struct server *server)
{
	char other[sizeof(TWO)];

	memset(other, 'x', sizeof(other) - 1);
	folder_write(server, FRED, "mail/desk/new", other, sizeof(other) - 1);
	date_file(server, "mail/desk/new", 0);
	move_file(server, "mail/desk/new", "mail/desk/10");
}

ATF_TC_WITHOUT_HEAD(replaced);
ATF_TC_BODY(replaced, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	/* Before it was measured. */
	fd = fold(&server, "desk", 3);
	put_another(&server);
	client_say(fd, "READ 2", "=0 ");
	read_and_keep(fd, 3, THREE_WIRE);
	quit(fd, "+");
	/* Measured, and then not to be sent. */
	write_message(&server, "mail/desk/10", TWO);
	date_file(&server, "mail/desk/10", 0);
	fd = fold(&server, "desk", 3);
	client_say(fd, "READ 2", "=");
	put_another(&server);
	client_send(fd, "RETR\r\n");
	client_expect_close(fd);
	log_must_have(&server, "event=send folder=desk octets=0");
	/* Sent, and then not to be deleted, nor the others with it. */
	write_message(&server, "mail/desk/10", TWO);
	date_file(&server, "mail/desk/10", 0);
	fd = fold(&server, "desk", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	put_another(&server);
	quit(fd, "- the folder was changed by another program; nothing was "
	    "deleted");
	ATF_REQUIRE_EQ(3, count_entries(&server, "mail/desk"));
	folder_must_be(&server, FRED, "mail/desk/2", ONE, strlen(ONE));
	server_stop(&server);
}

/* By a file that was another message's: its name tells, not its inode. */
ATF_TC_WITHOUT_HEAD(replaced_by_another_s);
ATF_TC_BODY(replaced_by_another_s, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = mark_second(&server);
	move_file(&server, "mail/desk/2", "mail/desk/new");
	write_message(&server, "mail/desk/2", "Subject: new\n\nfirst\n");
	write_message(&server, "mail/desk/new", "Subject: new\n\nsecond\n");
	move_file(&server, "mail/desk/new", "mail/desk/10");
	quit(fd, "- the folder was changed by another program; nothing was "
	    "deleted");
	ATF_CHECK(is_there(&server, "mail/desk/10"));
	server_stop(&server);
}

/* Changed in place, the size and even the date as before. */
ATF_TC_WITHOUT_HEAD(rewritten);
ATF_TC_BODY(rewritten, tc)
{
	struct server server;
	char other[] = TWO;
	int fd;

	(void)tc;
	start(&server, NULL);
	other[0] = 'X';
	fd = mark_second(&server);
	write_message(&server, "mail/desk/10", other);
	date_file(&server, "mail/desk/10", 0);
	quit(fd, "- the folder was changed by another program; nothing was "
	    "deleted");
	folder_must_be(&server, FRED, "mail/desk/10", other, strlen(other));
	/* Touched alone, it is still what was sent. */
	write_message(&server, "mail/desk/10", TWO);
	fd = mark_second(&server);
	date_file(&server, "mail/desk/10", 12345);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	server_stop(&server);
}

/* What another program has removed is no obstacle to the rest. */
ATF_TC_WITHOUT_HEAD(removed_by_others);
ATF_TC_BODY(removed_by_others, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "desk", 3);
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, TWO_WIRE);
	remove_file(&server, "mail/desk/10");
	quit(fd, "+");
	log_must_have(&server, "folder=desk deleted=1");
	make_three(&server);
	fd = ask_whole(&server, "RDEL desk", WHOLE);
	remove_file(&server, "mail/desk/103");
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE_EQ(0, count_entries(&server, "mail/desk"));
	server_stop(&server);
}

static void
make_socket(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char here[1024];

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	(void)strcpy(address.sun_path, "6");
	ATF_REQUIRE(chdir(path) == 0);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) ==
	    0);
	ATF_REQUIRE(chdir(here) == 0);
	(void)close(fd);
}

/* Nothing but a regular file of the user's is a message. */
ATF_TC_WITHOUT_HEAD(hostile_entries);
ATF_TC_BODY(hostile_entries, tc)
{
	struct server server;
	size_t messages = 3;
	int fd;

	(void)tc;
	start(&server, NULL);
	ATF_REQUIRE(mkfifo(home_of(&server, "mail/desk/1"), 0666) == 0);
	ATF_REQUIRE(symlink("2", home_of(&server, "mail/desk/3")) == 0);
	ATF_REQUIRE(symlink("/etc/passwd", home_of(&server, "mail/desk/4"))
	    == 0);
	make_folder(&server, "mail/desk/5");
	make_socket(home_of(&server, "mail/desk"));
	write_message(&server, "mail/desk/7", TWO);
	if (server.privileged)
		ATF_REQUIRE(chown(home_of(&server, "mail/desk/7"), ANN_UID,
		    ANN_UID) == 0);
	else
		messages++;
	fd = fold(&server, "desk", messages);
	read_and_keep(fd, 1, ONE_WIRE);
	read_one(fd, messages, THREE_WIRE);
	/* And under the session. */
	remove_file(&server, "mail/desk/103");
	ATF_REQUIRE(mkfifo(home_of(&server, "mail/desk/103"), 0666) == 0);
	client_say(fd, "ACKD", "=0 ");
	quit(fd, "+");
	ATF_REQUIRE(is_there(&server, "mail/desk/103"));
	log_must_have(&server, "passed over: not regular files of this user");
	server_stop(&server);
}

/* A FIFO, a link, a directory in the place of what was measured. */
ATF_TC_WITHOUT_HEAD(hostile_replacements);
ATF_TC_BODY(hostile_replacements, tc)
{
	struct server server;
	unsigned int kind;
	int fd;

	(void)tc;
	start(&server, NULL);
	for (kind = 0; kind < 3; kind++) {
		fd = fold(&server, "desk", 3);
		client_say(fd, "READ 3", "=");
		move_file(&server, "mail/desk/103", "mail/saved");
		if (kind == 0)
			ATF_REQUIRE(mkfifo(home_of(&server, "mail/desk/103"),
			    0666) == 0);
		else if (kind == 1)
			ATF_REQUIRE(symlink("../saved", home_of(&server,
			    "mail/desk/103")) == 0);
		else
			make_folder(&server, "mail/desk/103");
		client_send(fd, "RETR\r\n");
		client_expect_close(fd);
		if (kind == 2)
			ATF_REQUIRE(rmdir(home_of(&server, "mail/desk/103"))
			    == 0);
		move_file(&server, "mail/saved", "mail/desk/103");
	}
	server_stop(&server);
}

/* One that cannot be read counts, and is none when it is asked for. */
ATF_TC_WITHOUT_HEAD(unreadable);
ATF_TC_BODY(unreadable, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	ATF_REQUIRE(chmod(home_of(&server, "mail/desk/10"), 0) == 0);
	fd = fold(&server, "desk", 3);
	client_say(fd, "READ 2", "=0 ");
	read_and_delete(fd, 3, THREE_WIRE);
	quit(fd, "+");
	log_must_have(&server, "event=message folder=desk file=10 error=");
	fd = ask_whole(&server, "RDEL desk", "From ann@example.org Sat Nov 21 "
	    "23:33:00 2026\r\n" ONE_WIRE "\r\n");
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	ATF_REQUIRE(is_there(&server, "mail/desk/10"));
	ATF_REQUIRE_EQ(1, count_entries(&server, "mail/desk"));
	server_stop(&server);
}

/*
 * Opening reads no message: here it could not.  The one that can be read is
 * found behind them all.
 */
ATF_TC(many_files);
ATF_TC_HEAD(many_files, tc)
{
	atf_tc_set_md_var(tc, "timeout", "300");
}
ATF_TC_BODY(many_files, tc)
{
	const size_t count = 100000;
	struct server server;
	struct stat home;
	char path[1400];
	size_t i;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	make_folder(&server, "mail/many");
	ATF_REQUIRE(stat(home_of(&server, ""), &home) == 0);
	for (i = 1; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%zu",
		    home_of(&server, "mail/many"), i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0);
		ATF_REQUIRE(fd != -1);
		if (server.privileged)
			ATF_REQUIRE(fchown(fd, home.st_uid, home.st_gid) ==
			    0);
		(void)close(fd);
	}
	(void)snprintf(path, sizeof(path), "mail/many/%zu", count);
	write_message(&server, path, ONE);
	fd = fold(&server, "many", count);
	ATF_REQUIRE(!log_has(&server, "event=message"));
	client_say(fd, "READ 5", "=0 ");
	read_and_delete(fd, count, ONE_WIRE);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, path));
	ATF_REQUIRE_EQ(count - 1, count_entries(&server, "mail/many"));
	server_stop(&server);
}

/* A directory is a folder by its messages, or by its sequences. */
ATF_TC_WITHOUT_HEAD(detection);
ATF_TC_BODY(detection, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	make_folder(&server, "mail/bare");
	write_message(&server, "mail/known/.mh_sequences", "cur: 7\n");
	write_message(&server, "mail/text/letter", ONE);
	write_message(&server, "mail/both/1", ONE);
	make_folder(&server, "mail/both/cur");
	make_folder(&server, "mail/both/new");
	make_folder(&server, "mail/both/tmp");
	make_folder(&server, "mail/closed");
	write_message(&server, "mail/closed/1", ONE);
	ATF_REQUIRE(chmod(home_of(&server, "mail/closed"), 0) == 0);
	ATF_REQUIRE(symlink("desk", home_of(&server, "mail/link")) == 0);
	fd = fold(&server, "known", 0);
	ATF_REQUIRE(!log_has(&server, "neither a Maildir"));
	client_say(fd, "FOLD bare", "#0 ");
	log_must_have(&server, "folder=bare error=\"neither a Maildir");
	client_say(fd, "FOLD text", "#0 ");
	log_must_have(&server, "folder=text error=\"neither a Maildir");
	client_say(fd, "FOLD both", "#0 ");
	log_must_have(&server, "folder=both error=\"the mailbox is both");
	client_say(fd, "FOLD closed", "#0 ");
	log_must_have(&server, "folder=closed error=");
	client_say(fd, "FOLD link", "#0 ");
	client_say(fd, "FOLD desk", "#3 ");
	client_say(fd, "FOLD desk/2", "#0 ");
	quit(fd, "+");
	if (server.privileged) {
		ATF_REQUIRE(chown(home_of(&server, "mail/desk"), ANN_UID,
		    ANN_UID) == 0);
		ATF_REQUIRE(chmod(home_of(&server, "mail/desk"), 0777) == 0);
		fd = fold(&server, "desk", 0);
		quit(fd, "+");
	}
	ATF_REQUIRE(chmod(home_of(&server, "mail/closed"), 0700) == 0);
	server_stop(&server);
}

/* Below the MH path, as MH's users type it; and from the home. */
ATF_TC_WITHOUT_HEAD(typed_names);
ATF_TC_BODY(typed_names, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	write_message(&server, "mail/mh/inbox/1", ONE);
	fd = fold(&server, "+desk", 3);
	client_say(fd, "FOLD ~/mail/desk", "#3 ");
	client_say(fd, "FOLD +mh/inbox", "#1 ");
	quit(fd, "+");
	write_message(&server, ".mh_profile", "Editor: vi\npath:\t mail/mh/\n");
	fd = fold(&server, "+desk", 0);
	client_say(fd, "FOLD +inbox", "#1 ");
	client_say(fd, "FOLD inbox", "#0 ");
	client_say(fd, "FOLD +../desk", "#0 ");
	client_say(fd, "FOLD ~/mail/desk", "#3 ");
	client_say(fd, "FOLD ~/.mh_profile", "#0 ");
	client_say(fd, "FOLD ~/../../spool/fred", "#0 ");
	quit(fd, "+");
	write_message(&server, ".mh_profile", "Path: /etc\n");
	fd = fold(&server, "+passwd", 0);
	client_say(fd, "FOLD desk", "#3 ");
	quit(fd, "+");
	server_stop(&server);
}

/* The default mailbox may be a folder, too. */
ATF_TC_WITHOUT_HEAD(default_mailbox);
ATF_TC_BODY(default_mailbox, tc)
{
	struct server server;
	char path[700];
	int fd;

	(void)tc;
	start(&server, NULL);
	(void)strlcpy(path, mailbox_path(&server, FRED), sizeof(path));
	ATF_REQUIRE(rename(home_of(&server, "mail/desk"), path) == 0);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#3 ");
	read_and_delete(fd, 2, TWO_WIRE);
	client_say(fd, "FOLD inbox", "#2 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, THREE_WIRE);
	quit(fd, "+");
	/* No mail is no error. */
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	quit(fd, "+");
	fd = ask_whole(&server, "RETR inbox", "");
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	server_stop(&server);
}

/* Two sessions of one folder exclude each other, by whatever name. */
ATF_TC_WITHOUT_HEAD(one_session);
ATF_TC_BODY(one_session, tc)
{
	struct server server;
	int fd, other;

	(void)tc;
	start(&server, NULL);
	fd = fold(&server, "desk", 3);
	other = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	client_say(other, "FOLD +desk", "- the mailbox is in use");
	client_expect_close(other);
	quit(fd, "+");
	server_stop(&server);
}

/* What is left of the sequences when messages 3, 5 and 12 to 14 go. */
static const struct {
	const char *before, *after;	/* after NULL: damaged */
} sequence_cases[] = {
	{ "", "" },
	{ "unseen: 1 2\n", "unseen: 1 2\n" },
	{ "unseen: 3\n", "" },
	{ "unseen: 3 5\nred: 1-9\n", "red: 1-2 4 6-9\n" },
	{ "cur: 3\nunseen: 3-5\n", "cur: 3\nunseen: 4\n" },
	{ "a: 1-100\n", "a: 1-2 4 6-11 15-100\n" },
	{ "a: 12-14\nb:  2   4\n", "b:  2   4\n" },
	{ "a: 13-20\nb: 4", "a: 15-20\nb: 4" },
	{ "a: 5 6", "a: 6\n" },
	{ "a: 1 2\n  3 4\n\t5\nb: 1\n", "a: 1 2 4\nb: 1\n" },
	{ "a: 1\n  2\n", "a: 1\n  2\n" },
	{ "a:\nb: 3\n", "a:\n" },
	{ "a: 3 1 3 2 2-4\n", "a: 1 2 2 4\n" },
	{ "a: 1-2147483647\n", "a: 1-2 4 6-11 15-2147483647\n" },
	{ "currant: 3 4\r\n", "currant: 4\n" },
	{ "a: 3\n\nb: 1\n", NULL },
	{ " a: 3\n", NULL },
	{ "a 3\n", NULL },
	{ ": 3\n", NULL },
	{ "a: 3 x\n", NULL },
	{ "a: 3-\n", NULL },
	{ "a: -3\n", NULL },
	{ "a: 4-3\n", NULL },
	{ "a: 3-4-5\n", NULL },
	{ "a: 0\n", NULL },
	{ "a: 2147483648 3\n", NULL },
	{ "a: 99999999999999999999999 3\n", NULL },
	{ "a: 3,4\n", NULL },
	{ "\x01: 3\n", NULL },
	{ "garbage", NULL },
};

static const int64_t left[] = { 3, 5, 12, 13, 14 };

ATF_TC_WITHOUT_HEAD(sequence_texts);
ATF_TC_BODY(sequence_texts, tc)
{
	size_t i, length;
	char *text;

	(void)tc;
	for (i = 0; i < COUNT(sequence_cases); i++) {
		text = mh_sequences_text(sequence_cases[i].before,
		    strlen(sequence_cases[i].before), left, COUNT(left),
		    &length);
		ATF_REQUIRE_EQ_MSG(sequence_cases[i].after == NULL,
		    text == NULL, "%s", sequence_cases[i].before);
		if (text == NULL)
			continue;
		ATF_REQUIRE_MSG(length == strlen(sequence_cases[i].after) &&
		    memcmp(text, sequence_cases[i].after, length) == 0,
		    "\"%s\": \"%.*s\"", sequence_cases[i].before, (int)length,
		    text);
		free(text);
	}
	text = mh_sequences_text("a: 3\0\n", 6, left, COUNT(left), &length);
	ATF_REQUIRE(text == NULL);
}

/* A short file that would become an endless one. */
ATF_TC_WITHOUT_HEAD(sequence_growth);
ATF_TC_BODY(sequence_growth, tc)
{
	const size_t count = 10000;
	int64_t *odd = calloc(count, sizeof(*odd));
	char *text = malloc(12 * count + 2);
	size_t i, length = 2;

	(void)tc;
	ATF_REQUIRE(odd != NULL && text != NULL);
	(void)strcpy(text, "a:");
	for (i = 0; i < count; i++) {
		odd[i] = (int64_t)i * 2 + 1;
		length += (size_t)sprintf(text + length, " 1-%zu", 2 * count);
	}
	ATF_REQUIRE(mh_sequences_text(text, length, odd, count, &length) ==
	    NULL);
	free(odd);
	free(text);
}

#define SEQUENCES	"cur: 10\nunseen: 2 10 103\nred: 1-20\nblue: 10\n" \
			"green:   1   103\n"
#define SEQUENCES_LATER	"cur: 10\nunseen: 2 103\nred: 1-9 11-20\n" \
			"green:   1   103\n"

/* As many ranges as there may be, of all messages that go. */
ATF_TC(sequence_overlaps);
ATF_TC_HEAD(sequence_overlaps, tc)
{
	atf_tc_set_md_var(tc, "timeout", "30");
}
ATF_TC_BODY(sequence_overlaps, tc)
{
	static const char range[] = " 1-1000001";
	static int64_t numbers[1000000];
	static char text[MH_SEQUENCES_BYTES_MAX - 20];
	size_t i, at = 2, length;
	char *after;

	(void)tc;
	for (i = 0; i < COUNT(numbers); i++)
		numbers[i] = (int64_t)i + 1;
	(void)memcpy(text, "a:", 2);
	for (; at + sizeof(range) < sizeof(text); at += sizeof(range) - 1)
		(void)memcpy(text + at, range, sizeof(range) - 1);
	text[at++] = '\n';
	after = mh_sequences_text(text, at, numbers, COUNT(numbers), &length);
	ATF_REQUIRE(after != NULL);
	ATF_CHECK(length > 100 && memcmp(after, "a: 1000001 1000001 ", 19) == 0);
	free(after);
}

ATF_TC_WITHOUT_HEAD(sequences_follow);
ATF_TC_BODY(sequences_follow, tc)
{
	struct server server;
	struct stat before, after;
	int fd;

	(void)tc;
	start(&server, NULL);
	write_message(&server, "mail/desk/.mh_sequences", SEQUENCES);
	ATF_REQUIRE(stat(home_of(&server, "mail/desk/.mh_sequences"),
	    &before) == 0);
	fd = mark_second(&server);
	folder_must_be(&server, FRED, "mail/desk/.mh_sequences", SEQUENCES,
	    strlen(SEQUENCES));
	quit(fd, "+");
	folder_must_be(&server, FRED, "mail/desk/.mh_sequences",
	    SEQUENCES_LATER, strlen(SEQUENCES_LATER));
	/* Whoever waits for its lock waits for the right file. */
	ATF_REQUIRE(stat(home_of(&server, "mail/desk/.mh_sequences"),
	    &after) == 0);
	ATF_REQUIRE(before.st_ino == after.st_ino);
	ATF_REQUIRE_EQ(3, count_entries(&server, "mail/desk"));
	server_stop(&server);
}

/* After a renumbering the number is the one that the message has now. */
ATF_TC_WITHOUT_HEAD(sequences_renumbered);
ATF_TC_BODY(sequences_renumbered, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = mark_second(&server);
	move_file(&server, "mail/desk/10", "mail/desk/3");
	write_message(&server, "mail/desk/10", ONE);
	write_message(&server, "mail/desk/.mh_sequences", "a: 3 10\n");
	quit(fd, "+");
	folder_must_be(&server, FRED, "mail/desk/.mh_sequences", "a: 10\n",
	    6);
	ATF_REQUIRE(is_there(&server, "mail/desk/10"));
	server_stop(&server);
}

/* The delete succeeds, and the file is as it was. */
static void
left_alone(const struct server *server, const char *text, size_t length)
{
	int fd;

	make_three(server);
	folder_write(server, FRED, "mail/desk/.mh_sequences", text, length);
	fd = mark_second(server);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(server, "mail/desk/10"));
	folder_must_be(server, FRED, "mail/desk/.mh_sequences", text, length);
}

ATF_TC_WITHOUT_HEAD(sequences_left_alone);
ATF_TC_BODY(sequences_left_alone, tc)
{
	const size_t length = MH_SEQUENCES_BYTES_MAX + 1;
	const char *path = "mail/desk/.mh_sequences";
	struct server server;
	char *text = malloc(length);
	size_t i;
	int fd;

	(void)tc;
	ATF_REQUIRE(text != NULL);
	start(&server, NULL);
	left_alone(&server, "unseen: 10\n\n\nwhat is this?\n", 27);
	log_must_have(&server, "event=sequences folder=desk error=\"damaged");
	left_alone(&server, "unseen: 10\0\n", 12);
	for (i = 0; i < length; i++)
		text[i] = "unseen: 10\n"[i % 11];
	left_alone(&server, text, length);
	log_must_have(&server, "event=sequences folder=desk error=\"too long");
	free(text);
	/* A link, a FIFO, a directory. */
	remove_file(&server, path);
	write_message(&server, "mail/elsewhere", SEQUENCES);
	ATF_REQUIRE(symlink("../elsewhere", home_of(&server, path)) == 0);
	make_three(&server);
	fd = mark_second(&server);
	quit(fd, "+");
	folder_must_be(&server, FRED, "mail/elsewhere", SEQUENCES,
	    strlen(SEQUENCES));
	remove_file(&server, path);
	ATF_REQUIRE(mkfifo(home_of(&server, path), 0600) == 0);
	make_three(&server);
	fd = mark_second(&server);
	quit(fd, "+");
	remove_file(&server, path);
	make_folder(&server, path);
	make_three(&server);
	fd = mark_second(&server);
	quit(fd, "+");
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	server_stop(&server);
}

/* A program that keeps the lock does not keep the mail. */
ATF_TC_WITHOUT_HEAD(sequences_locked);
ATF_TC_BODY(sequences_locked, tc)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct server server;
	int fd, sequences;

	(void)tc;
	start(&server, "lock-timeout 1\n");
	write_message(&server, "mail/desk/.mh_sequences", SEQUENCES);
	sequences = open(home_of(&server, "mail/desk/.mh_sequences"), O_RDWR);
	ATF_REQUIRE(sequences != -1);
	ATF_REQUIRE(fcntl(sequences, F_SETLK, &lock) == 0);
	fd = mark_second(&server);
	client_send(fd, "QUIT\r\n");
	client_expect_line(fd, "+");
	client_expect_close(fd);
	(void)close(sequences);
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	folder_must_be(&server, FRED, "mail/desk/.mh_sequences", SEQUENCES,
	    strlen(SEQUENCES));
	log_must_have(&server, "event=sequences folder=desk error=");
	server_stop(&server);
}

/*
 * While the lock is waited for no number is free yet.  Who deletes nothing
 * does not wait.
 */
ATF_TC_WITHOUT_HEAD(sequences_lock_first);
ATF_TC_BODY(sequences_lock_first, tc)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct server server;
	int fd, sequences;

	(void)tc;
	start(&server, "lock-timeout 60\n");
	write_message(&server, "mail/desk/.mh_sequences", SEQUENCES);
	sequences = open(home_of(&server, "mail/desk/.mh_sequences"), O_RDWR);
	ATF_REQUIRE(sequences != -1);
	ATF_REQUIRE(fcntl(sequences, F_SETLK, &lock) == 0);
	fd = fold(&server, "desk", 3);
	read_and_keep(fd, 1, ONE_WIRE);
	quit(fd, "+");
	fd = mark_second(&server);
	client_send(fd, "QUIT\r\n");
	/* Behind the time for which a message must have been still. */
	(void)usleep(MH_STILL_MS * 1000 + 300000);
	must_be_all_there(&server);
	(void)close(sequences);
	client_expect_line(fd, "+");
	client_expect_close(fd);
	ATF_REQUIRE(!is_there(&server, "mail/desk/10"));
	folder_must_be(&server, FRED, "mail/desk/.mh_sequences",
	    SEQUENCES_LATER, strlen(SEQUENCES_LATER));
	server_stop(&server);
}

/*
 * The message was looked at, and the lock is waited for: another program's
 * new one gets its number.  The last look is at the name that goes.
 */
ATF_TC_WITHOUT_HEAD(replaced_at_last);
ATF_TC_BODY(replaced_at_last, tc)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	static const char fresh[] = "Subject: fresh\n\nnot read yet\n";
	struct server server;
	char from[600], reply[600];
	int fd, sequences;

	(void)tc;
	start(&server, "lock-timeout 60\n");
	write_message(&server, "mail/desk/.mh_sequences", SEQUENCES);
	write_message(&server, "mail/fresh", fresh);
	(void)strlcpy(from, home_of(&server, "mail/fresh"), sizeof(from));
	sequences = open(home_of(&server, "mail/desk/.mh_sequences"), O_RDWR);
	ATF_REQUIRE(sequences != -1);
	ATF_REQUIRE(fcntl(sequences, F_SETLK, &lock) == 0);
	fd = mark_second(&server);
	client_send(fd, "QUIT\r\n");
	/* Behind the time for which a folder must have been still. */
	(void)usleep(MH_STILL_MS * 1000 + 700000);
	must_be_all_there(&server);
	ATF_REQUIRE(rename(from, home_of(&server, "mail/desk/10")) == 0);
	(void)close(sequences);
	client_line(fd, reply, sizeof(reply));
	client_expect_close(fd);
	folder_must_be(&server, FRED, "mail/desk/10", fresh, strlen(fresh));
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, numeric_order);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, other_names);
	ATF_TP_ADD_TC(tp, wire_forms);
	ATF_TP_ADD_TC(tp, whole_mailbox);
	ATF_TP_ADD_TC(tp, delete_unlinks);
	ATF_TP_ADD_TC(tp, written_while_deleted);
	ATF_TP_ADD_TC(tp, touched_while_deleted);
	ATF_TP_ADD_TC(tp, touched_all_the_time);
	ATF_TP_ADD_TC(tp, old);
	ATF_TP_ADD_TC(tp, not_waited_for_again);
	ATF_TP_ADD_TC(tp, delete_renames);
	ATF_TP_ADD_TC(tp, delete_stops);
	ATF_TP_ADD_TC(tp, delete_one_name);
	ATF_TP_ADD_TC(tp, read_only);
	ATF_TP_ADD_TC(tp, renumbered);
	ATF_TP_ADD_TC(tp, exchanged);
	ATF_TP_ADD_TC(tp, replaced);
	ATF_TP_ADD_TC(tp, replaced_by_another_s);
	ATF_TP_ADD_TC(tp, rewritten);
	ATF_TP_ADD_TC(tp, removed_by_others);
	ATF_TP_ADD_TC(tp, hostile_entries);
	ATF_TP_ADD_TC(tp, hostile_replacements);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, many_files);
	ATF_TP_ADD_TC(tp, detection);
	ATF_TP_ADD_TC(tp, typed_names);
	ATF_TP_ADD_TC(tp, default_mailbox);
	ATF_TP_ADD_TC(tp, one_session);
	ATF_TP_ADD_TC(tp, sequence_texts);
	ATF_TP_ADD_TC(tp, sequence_growth);
	ATF_TP_ADD_TC(tp, sequence_overlaps);
	ATF_TP_ADD_TC(tp, sequences_follow);
	ATF_TP_ADD_TC(tp, sequences_renumbered);
	ATF_TP_ADD_TC(tp, sequences_left_alone);
	ATF_TP_ADD_TC(tp, sequences_locked);
	ATF_TP_ADD_TC(tp, sequences_lock_first);
	ATF_TP_ADD_TC(tp, replaced_at_last);
	return (atf_no_error());
}
