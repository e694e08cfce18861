/*
 * inbox_test.c - a default mailbox of several parts.
 *
 * Their messages stand one after the other; each part is locked, and deletes,
 * in its own way; and what goes wrong in one leaves the others right.
 */
#include "message_files.h"

#define A	"From ann@example.org Sat Nov 21 23:33:00 2026\n"
#define B	"From bob@example.org Sun Nov 22 01:02:03 2026\n"
#define ONE	A "Subject: one\n\nfirst\n\n"
#define TWO	B "Subject: two\n\nthe second\n\n"
#define ONE_WIRE	"Subject: one\r\n\r\nfirst\r\n"
#define TWO_WIRE	"Subject: two\r\n\r\nthe second\r\n"
#define THREE	"Subject: three\n\nthe third\n"
#define FOUR	"Subject: four\n\nthe fourth one\n"
#define THREE_WIRE	"Subject: three\r\n\r\nthe third\r\n"
#define FOUR_WIRE	"Subject: four\r\n\r\nthe fourth one\r\n"
#define MH	"Mail/inbox/"

/* Starts a server whose default mailbox has the given parts. */
static void
start(struct server *server, const char *parts)
{
	char here[300], line[1000];

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	(void)snprintf(line, sizeof(line), "inbox mbox \"%s/postern/spool/%%u"
	    "\" %s\n", here, parts);
	server_start(server, line);
}

static void
put_mbox(const struct server *server)
{
	mailbox_write(server, FRED, ONE TWO, sizeof(ONE TWO) - 1);
}

static void
put_mh(const struct server *server)
{
	write_message(server, MH "3", THREE);
	write_message(server, MH "12", FOUR);
}

static void
start_both(struct server *server)
{
	start(server, "mh ~/Mail/inbox");
	put_mbox(server);
	put_mh(server);
}

static int
login(const struct server *server, const char *reply)
{
	return (pop2_login(server, 0, FRED, FRED_PASSWORD, reply));
}

static void
mbox_must_be(const struct server *server, const char *text)
{
	mailbox_must_be(server, FRED, text, strlen(text));
}

ATF_TC_WITHOUT_HEAD(numbering);
ATF_TC_BODY(numbering, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start_both(&server);
	fd = login(&server, "#4 ");
	read_and_keep(fd, 1, ONE_WIRE);
	read_and_keep(fd, 2, TWO_WIRE);
	read_and_keep(fd, 3, THREE_WIRE);
	read_and_keep(fd, 4, FOUR_WIRE);
	client_say(fd, "READ 5", "=0");
	client_say(fd, "READ 2", "=");
	quit(fd, "+");
	mbox_must_be(&server, ONE TWO);
	ATF_CHECK_EQ(2, count_entries(&server, MH));
	server_stop(&server);
}

/* POP3 counts them together, whatever the parts are, and what is not marked. */
ATF_TC_WITHOUT_HEAD(sums);
ATF_TC_BODY(sums, tc)
{
	static const char *const parts[] = { "mh ~/Mail/inbox",
	    "mbox ~/Mail/inbox/3" };
	const size_t octets = sizeof(ONE_WIRE TWO_WIRE THREE_WIRE) - 1;
	char line[300], all[100], some[100];
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	(void)snprintf(all, sizeof(all), "+OK 3 %zu", octets);
	(void)snprintf(some, sizeof(some), "+OK 2 %zu", octets -
	    (sizeof(TWO_WIRE) - 1));
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(line, sizeof(line),
		    "%s\nlisten pop3 127.0.0.1 port 0", parts[i]);
		start(&server, line);
		put_mbox(&server);
		write_message(&server, MH "3", i == 0 ? THREE : A THREE "\n");
		fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
		client_say(fd, "STAT", all);
		client_say(fd, "DELE 2", "+OK");
		client_say(fd, "STAT", some);
		client_say(fd, "RSET", "+OK");
		client_say(fd, "STAT", all);
		client_say(fd, "QUIT", "+OK");
		client_expect_close(fd);
		mbox_must_be(&server, ONE TWO);
		server_stop(&server);
	}
}

/* Each of its parts deletes what was marked in it. */
ATF_TC_WITHOUT_HEAD(deleting);
ATF_TC_BODY(deleting, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start_both(&server);
	write_message(&server, MH ".mh_sequences", "unseen: 3 12\n");
	fd = login(&server, "#4 ");
	read_and_delete(fd, 2, TWO_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	quit(fd, "+");
	mbox_must_be(&server, ONE);
	ATF_CHECK(!is_there(&server, MH "3"));
	folder_must_be(&server, FRED, MH "12", FOUR, strlen(FOUR));
	folder_must_be(&server, FRED, MH ".mh_sequences", "unseen: 12\n", 11);
	fd = login(&server, "#2 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 2, FOUR_WIRE);
	/* FOLD commits as well, and the names of the inbox are the inbox's. */
	client_say(fd, "FOLD inbox", "#0");
	client_say(fd, "FOLD ~/Mail/inbox", "#0");
	quit(fd, "+");
	mbox_must_be(&server, "");
	ATF_CHECK(!is_there(&server, MH "12"));
	server_stop(&server);
}

static const struct {
	const char *change;		/* of which file of the folder */
	int in_mbox;			/* or of the mbox */
} failures[] = {
	{ MH "12", 0 },
	{ NULL, 1 },
};

/* What another program changes is left alone; the other part is not. */
ATF_TC_WITHOUT_HEAD(failure_in_one);
ATF_TC_BODY(failure_in_one, tc)
{
	static const char other[] = ONE B "Subject: TWO\n\nthe second\n\n";
	char line[300];
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	start_both(&server);
	for (i = 0; i < COUNT(failures); i++) {
		put_mbox(&server);
		put_mh(&server);
		fd = login(&server, "#4 ");
		read_and_delete(fd, 2, TWO_WIRE);
		read_and_delete(fd, 4, FOUR_WIRE);
		if (failures[i].in_mbox)
			mailbox_write(&server, FRED, other, strlen(other));
		else
			write_message(&server, failures[i].change, "Changed\n");
		client_send(fd, "QUIT\r\n");
		client_line(fd, line, sizeof(line));
		ATF_CHECK_MSG(strncmp(line, "- 1 deleted; in another part ",
		    29) == 0, "%s", line);
		client_expect_close(fd);
		mbox_must_be(&server, failures[i].in_mbox ? other : ONE);
		ATF_CHECK_EQ(!failures[i].in_mbox, is_there(&server, MH "12"));
		ATF_CHECK(is_there(&server, MH "3"));
	}
	log_must_have(&server, "folder=INBOX-2 ");
	server_stop(&server);
}

/* A part that cannot be opened is an error, and not half a mailbox. */
ATF_TC_WITHOUT_HEAD(unfit_part);
ATF_TC_BODY(unfit_part, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start_both(&server);
	move_file(&server, MH, "Mail/elsewhere");
	write_message(&server, "Mail/inbox", "a file\n");
	fd = login(&server, "- ");
	client_expect_close(fd);
	log_must_have(&server, "not of the format that the configuration");
	/* Both parts are free again, and nothing is spoilt. */
	remove_file(&server, "Mail/inbox");
	move_file(&server, "Mail/elsewhere", "Mail/inbox");
	fd = login(&server, "#4 ");
	quit(fd, "+");
	mbox_must_be(&server, ONE TWO);
	/* A Maildir would look like a folder without messages. */
	move_file(&server, MH, "Mail/elsewhere");
	make_folder(&server, MH "cur");
	make_folder(&server, MH "tmp");
	write_message(&server, MH "new/1.one.host", FOUR);
	fd = login(&server, "- ");
	client_expect_close(fd);
	move_file(&server, MH, "Mail/maildir");
	move_file(&server, "Mail/elsewhere", "Mail/inbox");
	/* The other way round: a directory where the file should be. */
	ATF_REQUIRE(unlink(mailbox_path(&server, FRED)) == 0);
	ATF_REQUIRE(mkdir(mailbox_path(&server, FRED), 0777) == 0);
	fd = login(&server, "- ");
	client_expect_close(fd);
	ATF_REQUIRE(rmdir(mailbox_path(&server, FRED)) == 0);
	fd = login(&server, "#2 ");
	quit(fd, "+");
	server_stop(&server);
}

static void
must_be_a_lock(const struct server *server, const char *user)
{
	client_expect_close(pop2_login(server, 0, user, FRED_PASSWORD,
	    "- the mailbox has the name of a lock"));
	log_must_have(server, "a name that ends in .lock is a dotlock's");
}

/* A dotlock's name is no mailbox's, whoever says so. */
ATF_TC_WITHOUT_HEAD(name_of_a_lock);
ATF_TC_BODY(name_of_a_lock, tc)
{
	char line[1000], *text, *entry;
	struct server server;

	(void)tc;
	server_prepare(&server, "lock-timeout 1\n");
	put_mbox(&server);
	server_add_user(&server, "fred.lock", FRED_PASSWORD, FRED_UID);
	/* And one whose entry says the name. */
	text = file_read("postern/passwd", NULL);
	ATF_REQUIRE((entry = strstr(text, "fred.lock:")) != NULL);
	entry[strcspn(entry, "\n")] = '\0';
	(void)snprintf(line, sizeof(line), "bob%s%s/spool/fred.lock", entry +
	    strlen("fred.lock"), server.directory);
	server_add_line(&server, line);
	free(text);
	server_run(&server);
	must_be_a_lock(&server, "fred.lock");
	/* What is there does not count, nor that there is nothing. */
	mailbox_write(&server, "fred.lock", ONE, sizeof(ONE) - 1);
	must_be_a_lock(&server, "fred.lock");
	must_be_a_lock(&server, "bob");
	mailbox_must_be(&server, "fred.lock", ONE, sizeof(ONE) - 1);
	ATF_REQUIRE(unlink(mailbox_path(&server, "fred.lock")) == 0);
	quit(login(&server, "#2 "), "+");
	server_stop(&server);
}

/*
 * A directory that is there, and cannot be opened, is no missing part: its
 * mail would look as if it had gone.
 */
ATF_TC_WITHOUT_HEAD(closed_directory);
ATF_TC_BODY(closed_directory, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start_both(&server);
	ATF_REQUIRE(chmod(home_of(&server, "Mail"), 0) == 0);
	fd = login(&server, "- ");
	client_expect_close(fd);
	log_must_have(&server, "folder=INBOX-2 error=\"Permission denied");
	ATF_REQUIRE(chmod(home_of(&server, "Mail"), 0700) == 0);
	fd = login(&server, "#4 ");
	quit(fd, "+");
	move_file(&server, "Mail", "elsewhere");
	write_message(&server, "Mail", "a file\n");
	fd = login(&server, "- ");
	client_expect_close(fd);
	server_stop(&server);
}

/*
 * Parts that are one and the same: what is deleted by one number has gone
 * under the other, and no other message goes.
 */
ATF_TC_WITHOUT_HEAD(one_part_twice);
ATF_TC_BODY(one_part_twice, tc)
{
	char here[300], parts[900];
	struct server server;
	int fd;

	(void)tc;
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	(void)snprintf(parts, sizeof(parts), "mbox \"%s/postern/spool/%%u\"",
	    here);
	start(&server, parts);
	put_mbox(&server);
	fd = login(&server, "#4 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_keep(fd, 3, ONE_WIRE);
	quit(fd, "+");
	mbox_must_be(&server, TWO);
	put_mbox(&server);
	fd = login(&server, "#4 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 3, ONE_WIRE);
	quit(fd, "- 1 deleted; in another part of the mailbox");
	mbox_must_be(&server, TWO);
	put_mbox(&server);
	fd = login(&server, "#4 ");
	read_and_delete(fd, 4, TWO_WIRE);
	quit(fd, "+");
	mbox_must_be(&server, ONE);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(one_folder_twice);
ATF_TC_BODY(one_folder_twice, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, "mh ~/Mail/inbox mh ~/Mail/../Mail/inbox");
	put_mh(&server);
	write_message(&server, MH ".mh_sequences", "a: 3 12\n");
	fd = login(&server, "#4 ");
	read_and_delete(fd, 1, THREE_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	quit(fd, "+");
	ATF_CHECK(!is_there(&server, MH "3"));
	folder_must_be(&server, FRED, MH "12", FOUR, strlen(FOUR));
	folder_must_be(&server, FRED, MH ".mh_sequences", "a: 12\n", 6);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(absent_parts);
ATF_TC_BODY(absent_parts, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, "mh ~/Mail/inbox maildir ~/Maildir/");
	fd = login(&server, "#0 ");
	client_say(fd, "READ", "=0");
	quit(fd, "+");
	put_mh(&server);
	fd = login(&server, "#2 ");
	read_and_keep(fd, 1, THREE_WIRE);
	quit(fd, "+");
	/* The middle one goes, the last one comes. */
	remove_file(&server, MH "3");
	remove_file(&server, MH "12");
	make_folder(&server, "Maildir/cur");
	make_folder(&server, "Maildir/tmp");
	write_message(&server, "Maildir/new/1.one.host", FOUR);
	put_mbox(&server);
	fd = login(&server, "#3 ");
	read_and_delete(fd, 3, FOUR_WIRE);
	quit(fd, "+");
	ATF_CHECK(!is_there(&server, "Maildir/new/1.one.host"));
	mbox_must_be(&server, ONE TWO);
	server_stop(&server);
}

/* One session has all of them; the next one gets all, or none. */
ATF_TC_WITHOUT_HEAD(one_session);
ATF_TC_BODY(one_session, tc)
{
	struct server server;
	int first, second;

	(void)tc;
	start_both(&server);
	first = login(&server, "#4 ");
	second = login(&server, "- ");
	client_expect_close(second);
	/* Also where only the second part is in use. */
	ATF_REQUIRE(unlink(mailbox_path(&server, FRED)) == 0);
	second = login(&server, "- ");
	client_expect_close(second);
	client_say(first, "FOLD none", "#0");
	second = login(&server, "#2 ");
	quit(second, "+");
	quit(first, "+");
	server_stop(&server);
}

#define WHOLE	"From ann@example.org Sat Nov 21 23:33:00 2026\r\n" ONE_WIRE \
	"\r\nFrom bob@example.org Sun Nov 22 01:02:03 2026\r\n" TWO_WIRE \
	"\r\nFrom MAILER-DAEMON Sun Nov 22 02:00:00 2026\r\n" THREE_WIRE \
	"\r\nFrom MAILER-DAEMON Sun Nov 22 03:00:00 2026\r\n" FOUR_WIRE "\r\n"

ATF_TC_WITHOUT_HEAD(whole);
ATF_TC_BODY(whole, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start_both(&server);
	date_file(&server, MH "3", 1795312800);
	date_file(&server, MH "12", 1795316400);
	fd = ask_whole(&server, "RETR INBOX", WHOLE);
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	mbox_must_be(&server, ONE TWO);
	fd = ask_whole(&server, "RDEL INBOX", WHOLE);
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	mbox_must_be(&server, "");
	ATF_CHECK_EQ(0, count_entries(&server, MH));
	server_stop(&server);
}

/*
 * Two parts are one mbox for the client of POP1: the second begins behind an
 * empty line, also where the first part's file has none at its end.
 */
ATF_TC_WITHOUT_HEAD(whole_joined);
ATF_TC_BODY(whole_joined, tc)
{
	static const char *const ends[] = { "the second\n", "the second" };
	static const char head[] = ONE B "Subject: two\n\n";
	char text[300];
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	start_both(&server);
	for (i = 0; i < COUNT(ends); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", head, ends[i]);
		mailbox_write(&server, FRED, text, strlen(text));
		put_mh(&server);
		date_file(&server, MH "3", 1795312800);
		date_file(&server, MH "12", 1795316400);
		fd = ask_whole(&server, "RDEL INBOX", WHOLE);
		client_say(fd, "RCVD", "+OK");
		quit(fd, "+OK");
		mbox_must_be(&server, "");
		ATF_CHECK_EQ(0, count_entries(&server, MH));
	}
	/* Where no other part has mail, the file is sent as it is. */
	mailbox_write(&server, FRED, A "\nlast", strlen(A "\nlast"));
	fd = ask_whole(&server, "RETR INBOX", "From ann@example.org Sat Nov 21 "
	    "23:33:00 2026\r\n\r\nlast\r\n");
	client_say(fd, "RCVD", "+OK");
	quit(fd, "+OK");
	server_stop(&server);
}

/* RFC 937: ACKD changes nothing there; RDEL's client is told. */
ATF_TC_WITHOUT_HEAD(read_only_part);
ATF_TC_BODY(read_only_part, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start_both(&server);
	date_file(&server, MH "3", 1795312800);
	date_file(&server, MH "12", 1795316400);
	ATF_REQUIRE(chmod(mailbox_path(&server, FRED), 0400) == 0);
	fd = ask_whole(&server, "RDEL INBOX", WHOLE);
	client_say(fd, "RCVD", "-ERR");
	quit(fd, "+OK");
	mbox_must_be(&server, ONE TWO);
	put_mh(&server);
	fd = login(&server, "#4 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 4, FOUR_WIRE);
	quit(fd, "+");
	mbox_must_be(&server, ONE TWO);
	ATF_CHECK(is_there(&server, MH "3") && !is_there(&server, MH "12"));
	server_stop(&server);
}

/* A virtual user whose entry names a maildrop has that one alone. */
ATF_TC_WITHOUT_HEAD(own_maildrop);
ATF_TC_BODY(own_maildrop, tc)
{
	struct server server;
	char path[600], *passwd, *end;
	size_t length;
	FILE *file;
	int fd;

	(void)tc;
	start_both(&server);
	(void)snprintf(path, sizeof(path), "%s/passwd", server.directory);
	passwd = file_read(path, &length);
	end = strchr(passwd, '\n');
	ATF_REQUIRE(end != NULL && strncmp(passwd, FRED ":", 5) == 0);
	*end++ = '\0';
	ATF_REQUIRE((file = fopen(path, "r+")) != NULL);
	(void)fprintf(file, "%s%s\n%s", passwd, home_of(&server, "own"), end);
	ATF_REQUIRE(fclose(file) == 0);
	free(passwd);
	fd = login(&server, "#0 ");
	quit(fd, "+");
	write_message(&server, "own", TWO);
	fd = login(&server, "#1 ");
	read_and_delete(fd, 1, TWO_WIRE);
	quit(fd, "+");
	folder_must_be(&server, FRED, "own", "", 0);
	mbox_must_be(&server, ONE TWO);
	ATF_CHECK_EQ(2, count_entries(&server, MH));
	server_stop(&server);
}

/* A lock on one part holds up that part's delete alone. */
ATF_TC_WITHOUT_HEAD(locked_part);
ATF_TC_BODY(locked_part, tc)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct server server;
	char line[300];
	int fd, held;

	(void)tc;
	start(&server, "mh ~/Mail/inbox\nlock fcntl\nlock-timeout 0");
	put_mbox(&server);
	put_mh(&server);
	fd = login(&server, "#4 ");
	read_and_delete(fd, 1, ONE_WIRE);
	read_and_delete(fd, 3, THREE_WIRE);
	held = open(mailbox_path(&server, FRED), O_RDWR);
	ATF_REQUIRE(held != -1 && fcntl(held, F_SETLK, &lock) == 0);
	client_send(fd, "QUIT\r\n");
	client_line(fd, line, sizeof(line));
	ATF_CHECK_MSG(strncmp(line, "- 1 deleted; in another part of the "
	    "mailbox: the mailbox is locked", 66) == 0, "%s", line);
	client_expect_close(fd);
	ATF_REQUIRE(close(held) == 0);
	mbox_must_be(&server, ONE TWO);
	ATF_CHECK(!is_there(&server, MH "3") && is_there(&server, MH "12"));
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, numbering);
	ATF_TP_ADD_TC(tp, sums);
	ATF_TP_ADD_TC(tp, deleting);
	ATF_TP_ADD_TC(tp, failure_in_one);
	ATF_TP_ADD_TC(tp, unfit_part);
	ATF_TP_ADD_TC(tp, name_of_a_lock);
	ATF_TP_ADD_TC(tp, closed_directory);
	ATF_TP_ADD_TC(tp, one_part_twice);
	ATF_TP_ADD_TC(tp, one_folder_twice);
	ATF_TP_ADD_TC(tp, absent_parts);
	ATF_TP_ADD_TC(tp, one_session);
	ATF_TP_ADD_TC(tp, whole);
	ATF_TP_ADD_TC(tp, whole_joined);
	ATF_TP_ADD_TC(tp, read_only_part);
	ATF_TP_ADD_TC(tp, own_maildrop);
	ATF_TP_ADD_TC(tp, locked_part);
	return (atf_no_error());
}
