/*
 * mailbox_test.c - mailboxes of every awkward kind, through the daemon.
 *
 * What comes over the wire is held against a splitter of the test's own, and
 * after each delete the file against the original without exactly those
 * messages: its bytes, its inode, its mode.
 */
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "mailboxes.h"
#include "meddle.h"
#include "splitter.h"
#include "walk.h"

static void
walk_table(const struct awkward *table, size_t count)
{
	struct server server;
	struct split split;
	size_t i;

	random_state = 937;
	server_start(&server, NULL);
	for (i = 0; i < count; i++) {
		(void)printf("mailbox: %s\n", table[i].name);
		split_begin(&split, table[i].bytes, table[i].length);
		ATF_REQUIRE_EQ(table[i].messages, split.count);
		walk(&server, &split);
		split_end(&split);
	}
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(line_ends);
ATF_TC_BODY(line_ends, tc)
{
	(void)tc;
	walk_table(line_ends, COUNT(line_ends));
}

ATF_TC_WITHOUT_HEAD(separators);
ATF_TC_BODY(separators, tc)
{
	(void)tc;
	walk_table(separators, COUNT(separators));
}

ATF_TC_WITHOUT_HEAD(ends);
ATF_TC_BODY(ends, tc)
{
	(void)tc;
	walk_table(ends, COUNT(ends));
}

ATF_TC_WITHOUT_HEAD(preambles);
ATF_TC_BODY(preambles, tc)
{
	(void)tc;
	walk_table(preambles, COUNT(preambles));
}

/* Makes a program of the file, and runs it: nobody may write that. */
static pid_t
run_file(const char *path)
{
	pid_t child;
	char octet;
	int running[2];

	ATF_REQUIRE(chmod(path, 0700) == 0);
	ATF_REQUIRE(pipe2(running, O_CLOEXEC) == 0);
	ATF_REQUIRE((child = fork()) != -1);
	if (child == 0) {
		(void)execl(path, "sleep", "600", (char *)NULL);
		_exit(127);
	}
	(void)close(running[1]);
	/* Its end is closed when it runs. */
	ATF_REQUIRE(read(running[0], &octet, 1) == 0);
	(void)close(running[0]);
	ATF_REQUIRE(open(path, O_WRONLY) == -1 && errno == ETXTBSY);
	return (child);
}

/*
 * What keeps a file from being opened for now is no empty mailbox, and nothing
 * that somebody must do something about.
 */
ATF_TC_WITHOUT_HEAD(opened_later);
ATF_TC_BODY(opened_later, tc)
{
	struct server server;
	char folder[600];
	pid_t first, second;
	size_t length;
	char *bytes;
	int fd;

	(void)tc;
	server_start(&server, "listen auto 127.0.0.1 port 0\n"
	    "listen pop3 127.0.0.1 port 0\n");
	(void)snprintf(folder, sizeof(folder), "%s/home/" FRED "/mail/work",
	    server.directory);
	bytes = file_read("/bin/sleep", &length);
	folder_write(&server, FRED, "mail/work", bytes, length);
	first = run_file(folder);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	client_say(fd, "FOLD work", "- the mailbox cannot be opened");
	client_expect_close(fd);
	mailbox_write(&server, FRED, bytes, length);
	second = run_file(mailbox_path(&server, FRED));
	fd = client_connect(&server, 1);
	client_expect_line(fd, "+OK");
	client_say(fd, "USER " FRED, "+OK");
	client_say(fd, "PASS " FRED_PASSWORD, "-ERR [SYS/TEMP] the mailbox "
	    "cannot be opened");
	client_expect_close(fd);
	ATF_REQUIRE(kill(first, SIGKILL) == 0 && kill(second, SIGKILL) == 0);
	ATF_REQUIRE(waitpid(first, NULL, 0) == first &&
	    waitpid(second, NULL, 0) == second);
	free(bytes);
	server_stop(&server);
}

/* Served as empty by both protocols. */
static void
serve_empty(const struct server *server)
{
	int fd = begin_pop2(server, 0);

	client_say(fd, "READ", "=0");
	client_say(fd, "READ 1", "=0");
	quit(fd);
	fd = begin_pop1(server, "RDEL", 0);
	client_send(fd, "RCEV\r\n");
	client_say(fd, "RCVD", "+OK");
	quit(fd);
}

ATF_TC_WITHOUT_HEAD(empty_file);
ATF_TC_BODY(empty_file, tc)
{
	struct server server;
	struct stat before;

	(void)tc;
	server_start(&server, NULL);
	mailbox_write(&server, FRED, "", 0);
	status_of(&server, &before);
	serve_empty(&server);
	mailbox_must_be(&server, FRED, "", 0);
	same_file(&server, &before);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(missing_file);
ATF_TC_BODY(missing_file, tc)
{
	struct server server;
	struct stat status;

	(void)tc;
	server_start(&server, NULL);
	serve_empty(&server);
	ATF_REQUIRE(lstat(mailbox_path(&server, FRED), &status) == -1 &&
	    errno == ENOENT);
	server_stop(&server);
}

/*
 * The first mail there ever was comes after the login: the store may not
 * reach what did not exist when its sandbox was shut, and says what helps.
 */
ATF_TC_WITHOUT_HEAD(missing_file_comes);
ATF_TC_BODY(missing_file_comes, tc)
{
	static const char new[] = "the mailbox is new; log in again";
	struct server server;
	struct split split;
	char reply[80];
	int pop1, pop2;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	pop2 = begin_pop2(&server, 0);
	client_say(pop2, "FOLD elsewhere", "#0");
	pop1 = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	put_mailbox(&server, &split);
	(void)snprintf(reply, sizeof(reply), "-ERR %s", new);
	client_say(pop1, "RDEL inbox", reply);
	client_say(pop1, "NOOP", "+OK");
	quit(pop1);
	(void)snprintf(reply, sizeof(reply), "- %s", new);
	client_say(pop2, "FOLD inbox", reply);
	client_expect_close(pop2);
	mailbox_must_be(&server, FRED, split.bytes, split.length);
	walk(&server, &split);
	split_end(&split);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(no_separator);
ATF_TC_BODY(no_separator, tc)
{
	static const struct awkward table[] = {
		{ "text", BYTES("Subject: no separator\n\ntext\n\n"), 0 },
		{ "late", BYTES("text\n" ONE), 0 },
		{ "no line end", BYTES("text"), 0 },
		{ "NUL", BYTES("\0"), 0 },
		{ "newlines", BYTES("\n\n\n"), 0 },
	};
	struct server server;
	struct stat before, after;
	size_t i;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(table); i++) {
		(void)printf("mailbox: %s\n", table[i].name);
		mailbox_write(&server, FRED, table[i].bytes, table[i].length);
		status_of(&server, &before);
		serve_empty(&server);
		mailbox_must_be(&server, FRED, table[i].bytes,
		    table[i].length);
		same_file(&server, &before);
		status_of(&server, &after);
		ATF_REQUIRE(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
		    before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	}
	log_must_have(&server, "no From_ line");
	server_stop(&server);
}

/* A line that is long, and what comes behind it. */
static void
walk_long_line(const struct server *server, size_t length,
    const char *behind, size_t messages)
{
	struct text text = { NULL, 0, 0 };
	struct split split;

	(void)printf("line of %zu, %zu messages\n", length, messages);
	add_string(&text, ONE A "\n\n");
	add_fill(&text, length);
	add_string(&text, behind);
	split_begin(&split, text.bytes, text.length);
	ATF_REQUIRE_EQ(messages, split.count);
	read_whole(server, &split, "RETR");
	delete_some(server, &split, &patterns[1]);
	delete_some(server, &split, &patterns[2]);
	read_whole(server, &split, "RDEL");
	split_end(&split);
	free(text.bytes);
}

ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	static const size_t lengths[] = { 998, 1000, 32768, 65534, 65535,
	    65536, 65537, 131071, 131072, 1048575, 1048576, 1048577 };
	static const struct {
		const char *behind;
		size_t messages;
	} table[] = {
		{ "\n\n" TWO, 3 }, { "\r\n\r\n" TWO, 3 },
		{ "\r\r\n\n" TWO, 3 },
		/* The end of a long line is not an empty line. */
		{ "\n" TWO, 2 }, { "\r\n" TWO, 2 }, { "\n", 2 },
		{ "\r\n", 2 }, { "\r", 2 }, { "", 2 },
	};
	struct server server;
	size_t i, j;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(lengths); i++)
		for (j = 0; j < COUNT(table); j++)
			walk_long_line(&server, lengths[i], table[j].behind,
			    table[j].messages);
	server_stop(&server);
}

/* What the store reads at a time ends at every place of a separator. */
static void
walk_border(const struct server *server, size_t border, const char *ending)
{
	struct text text = { NULL, 0, 0 };
	struct split split;

	add_string(&text, A);
	add_string(&text, ending);
	add_string(&text, ending);
	add_fill(&text, border - text.length);
	add_string(&text, ending);
	add_string(&text, ending);
	add_string(&text, B);
	add_string(&text, ending);
	add_string(&text, "text");
	add_string(&text, ending);
	split_begin(&split, text.bytes, text.length);
	ATF_REQUIRE_EQ(2, split.count);
	delete_some(server, &split, &patterns[border % 2 + 1]);
	read_whole(server, &split, "RDEL");
	split_end(&split);
	free(text.bytes);
}

ATF_TC_WITHOUT_HEAD(borders);
ATF_TC_BODY(borders, tc)
{
	struct server server;
	size_t before;

	(void)tc;
	server_start(&server, NULL);
	for (before = 0; before < sizeof(B) + 8; before++) {
		(void)printf("%zu before the border\n", before);
		walk_border(&server, 65536 - before, "\n");
		walk_border(&server, 65536 - before, "\r\n");
	}
	server_stop(&server);
}

/* A line is only so long to be a From_ line. */
ATF_TC_WITHOUT_HEAD(long_from_lines);
ATF_TC_BODY(long_from_lines, tc)
{
	static const struct {
		size_t fill, messages;
	} table[] = { { 100, 3 }, { 950, 3 }, { 1100, 2 }, { 70000, 2 } };
	struct server server;
	struct split split;
	size_t i;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(table); i++) {
		struct text text = { NULL, 0, 0 };

		(void)printf("From_ line of %zu\n", table[i].fill + 30);
		add_string(&text, ONE "From ");
		add_fill(&text, table[i].fill);
		add_string(&text, " Sun Nov 22 01:02:03 2026\n\nx\n\n" TWO);
		split_begin(&split, text.bytes, text.length);
		ATF_REQUIRE_EQ(table[i].messages, split.count);
		walk(&server, &split);
		split_end(&split);
		free(text.bytes);
	}
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(ten_thousand);
ATF_TC_BODY(ten_thousand, tc)
{
	struct text text = { NULL, 0, 0 };
	struct server server;
	struct split split;
	char part[120];
	size_t i;

	(void)tc;
	random_state = 10000;
	for (i = 0; i < 10000; i++) {
		(void)snprintf(part, sizeof(part), B "\nSubject: %zu\n\n", i);
		add_string(&text, part);
		add_fill(&text, i % 97);
		add_string(&text, "\n\n");
	}
	split_begin(&split, text.bytes, text.length);
	ATF_REQUIRE_EQ(10000, split.count);
	server_start(&server, NULL);
	read_whole(&server, &split, "RETR");
	delete_some(&server, &split, &patterns[3]);
	delete_some(&server, &split, &patterns[6]);
	read_whole(&server, &split, "RDEL");
	split_end(&split);
	free(text.bytes);
	server_stop(&server);
}

/* Pieces that a mailbox is thrown together from. */
static void
add_random_piece(struct text *text)
{
	static const struct {
		const char *bytes;
		size_t length;
	} pieces[] = {
		{ BYTES("\n" A "\n") }, { BYTES("\n" B "\r\n") },
		{ BYTES("\r\n" C "\r\n") }, { BYTES("\n\n" A "\n\n") },
		{ BYTES(B "\n") }, { BYTES("\n" C) }, { BYTES("\n>" A "\n") },
		{ BYTES("\nFrom nobody in particular\n") },
		{ BYTES("\nFrom x Sun Nov 22 01:02 2026\n") },
		{ BYTES("\n") }, { BYTES("\r\n") }, { BYTES("\n\n") },
		{ BYTES("\r") }, { BYTES("\0") }, { BYTES("\n\0\n") },
		{ BYTES("text\n") }, { BYTES("text\r\n") }, { BYTES("text") },
		{ BYTES("Subject: words\n\n") }, { BYTES("\xff\x80\n") },
		{ BYTES(" \n") }, { BYTES("\r\r\n") }, { BYTES("From ") },
	};
	size_t i = random_below(COUNT(pieces) + 1);

	if (i < COUNT(pieces))
		add(text, pieces[i].bytes, pieces[i].length);
	else
		add_fill(text, random_below(20) == 0 ? random_below(150000) :
		    random_below(2000));
}

ATF_TC_WITHOUT_HEAD(random_mailboxes);
ATF_TC_BODY(random_mailboxes, tc)
{
	struct server server;
	struct split split;
	size_t i, pieces;

	(void)tc;
	random_state = 918;
	server_start(&server, NULL);
	for (i = 0; i < 120; i++) {
		struct text text = { NULL, 0, 0 };

		if (random_below(4) != 0)
			add_string(&text, A "\n");
		for (pieces = random_below(80); pieces > 0; pieces--)
			add_random_piece(&text);
		add_string(&text, "");
		split_begin(&split, text.bytes, text.length);
		(void)printf("mailbox %zu: %zu messages\n", i, split.count);
		read_whole(&server, &split, "RETR");
		delete_some(&server, &split, &patterns[i % COUNT(patterns)]);
		delete_some(&server, &split, &patterns[6]);
		read_whole(&server, &split, "RDEL");
		split_end(&split);
		free(text.bytes);
	}
	server_stop(&server);
}

/* What arrives during a session stays, byte for byte. */
ATF_TC_WITHOUT_HEAD(arrivals);
ATF_TC_BODY(arrivals, tc)
{
	static const struct {
		const char *before, *arrival;
	} table[] = {
		{ ONE TWO, THREE },
		{ ONE TWO THREE, C "\r\n\r\nthe newest\r\n\r\n" },
		{ "junk\n\n" ONE TWO, C "\nno newline" },
		{ ONE B "\n\nno newline", "\n\n" THREE },
		{ ONE B "\n\nno empty line\n", "\n" THREE },
	};
	struct server server;
	struct split split;
	enum moment moment;
	size_t i, j;

	(void)tc;
	random_state = 1;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(table); i++) {
		split_begin(&split, table[i].before, strlen(table[i].before));
		for (moment = BEFORE_READ; moment <= TWICE; moment++) {
			for (j = 0; j < COUNT(patterns); j++)
				append_pop2(&server, &split, table[i].arrival,
				    moment, &patterns[j]);
			append_pop1(&server, &split, table[i].arrival, moment);
		}
		split_end(&split);
	}
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(changed_by_another);
ATF_TC_BODY(changed_by_another, tc)
{
	struct server server;
	struct split split;
	size_t i, j;

	(void)tc;
	split_begin(&split, ONE TWO THREE, strlen(ONE TWO THREE));
	server_start(&server, NULL);
	for (i = 0; i < COUNT(meddlings); i++)
		for (j = 0; j < COUNT(askings); j++)
			meddle_once(&server, &split, &meddlings[i],
			    &askings[j]);
	split_end(&split);
	server_stop(&server);
}

/* A body that is kept may change: nothing of it is lost or put back. */
ATF_TC_WITHOUT_HEAD(kept_changed);
ATF_TC_BODY(kept_changed, tc)
{
	static const char changed[] = B "\nSubject: two\n\nthe seco!d\n\n";
	struct server server;
	struct split split;
	int fd;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	put_mailbox(&server, &split);
	fd = mark_pop2(&server, &split);
	change_octet(&server, split.messages[1].end - 4, "!");
	quit(fd);
	mailbox_must_be(&server, FRED, changed, strlen(changed));
	split_end(&split);
	server_stop(&server);
}

/* The mailbox goes away: nothing is made in its place. */
ATF_TC_WITHOUT_HEAD(removed_by_another);
ATF_TC_BODY(removed_by_another, tc)
{
	struct server server;
	struct split split;
	struct stat status;
	size_t i;
	int fd;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	for (i = 0; i < COUNT(askings); i++) {
		put_mailbox(&server, &split);
		fd = askings[i].mark(&server, &split);
		ATF_REQUIRE(unlink(mailbox_path(&server, FRED)) == 0);
		askings[i].refuse(fd);
		ATF_REQUIRE(lstat(mailbox_path(&server, FRED), &status) ==
		    -1 && errno == ENOENT);
	}
	split_end(&split);
	server_stop(&server);
}

/* A message that is changed before it is sent is not sent as another. */
ATF_TC_WITHOUT_HEAD(changed_before_retr);
ATF_TC_BODY(changed_before_retr, tc)
{
	struct server server;
	struct split split;
	size_t length;
	char *now, octet;
	int fd;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	put_mailbox(&server, &split);
	fd = begin_pop2(&server, 2);
	client_say(fd, "READ", "=23 ");
	/* LF for a CRLF's LF: the same bytes make another count. */
	change_octet(&server, split.messages[0].end - 4, "\n");
	now = file_read(mailbox_path(&server, FRED), &length);
	client_send(fd, "RETR\r\n");
	while (recv(fd, &octet, 1, 0) > 0)
		ATF_REQUIRE_MSG(octet != '=', "a reply inside the message");
	(void)close(fd);
	mailbox_must_be(&server, FRED, now, length);
	free(now);
	split_end(&split);
	server_stop(&server);
}

/*
 * A mail reader has put a line into the header, and what now lies where the
 * message was has just as many octets: its end is another line's.
 */
ATF_TC_WITHOUT_HEAD(moved_before_retr);
ATF_TC_BODY(moved_before_retr, tc)
{
	static const struct {
		const char *before, *after;
	} boxes[] = {
		{ A "\nSubject: a\n\nfirst\n\nX-Y: 67890\n\n"
		    B "\nS: b\n\nb\n\n",
		    A "\nStatus: OR\n\nSubject: a\n\nfirst\n\nX-Y: 67890\n\n"
		    B "\nS: b\n\nb\n\n" },
		{ A "\nSubject: a\n\nfirst\n>From me\n\n"
		    B "\nS: b\n\nb\n\n",
		    A "\nStatus:O\nSubject: a\n\nfirst\n>From me\n\n"
		    B "\nS: b\n\nb\n\n" },
	};
	struct server server;
	size_t i, announced, came;
	ssize_t got;
	char octet;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		mailbox_write(&server, FRED, boxes[i].before,
		    strlen(boxes[i].before));
		fd = begin_pop2(&server, 2);
		client_send(fd, "READ 1\r\n");
		announced = expect_number(fd, '=');
		mailbox_write(&server, FRED, boxes[i].after,
		    strlen(boxes[i].after));
		client_send(fd, "RETR\r\n");
		for (came = 0; (got = recv(fd, &octet, 1, 0)) == 1; came++)
			ATF_REQUIRE_MSG(came < announced, "%zu: whole", i);
		ATF_CHECK_EQ_MSG(0, got, "%zu: no end", i);
		ATF_CHECK_MSG(came < announced, "%zu: whole", i);
		(void)close(fd);
		mailbox_must_be(&server, FRED, boxes[i].after,
		    strlen(boxes[i].after));
	}
	server_stop(&server);
}

/* What is no longer where a message begins is not sent as one. */
ATF_TC_WITHOUT_HEAD(hidden_before_retr);
ATF_TC_BODY(hidden_before_retr, tc)
{
	struct server server;
	struct split split;
	size_t length;
	char *now;
	int fd;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	put_mailbox(&server, &split);
	fd = begin_pop2(&server, 2);
	client_say(fd, "READ", "=23 ");
	change_octet(&server, split.messages[0].offset, ">");
	now = file_read(mailbox_path(&server, FRED), &length);
	client_send(fd, "RETR\r\n");
	client_expect_close(fd);
	children_must_be(&server, "postern-store", 0);
	mailbox_must_be(&server, FRED, now, length);
	free(now);
	split_end(&split);
	server_stop(&server);
}

/* Three messages of one length, which a reader might take for each other. */
#define EQUAL(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n" \
	"Subject: " who "\n\nof one length\n\n"
#define EQUALS	EQUAL("ann") EQUAL("bob") EQUAL("cat")

/* Another program deletes the first; its file keeps its inode. */
static void
delete_first(const struct server *server)
{
	mailbox_write(server, FRED, EQUAL("bob") EQUAL("cat"),
	    strlen(EQUAL("bob") EQUAL("cat")));
}

/*
 * A number stands for the message that it stood for at the login: another
 * one that now begins at its place is neither sent nor deleted as that.
 */
ATF_TC_WITHOUT_HEAD(moved_by_another);
ATF_TC_BODY(moved_by_another, tc)
{
	struct server server;
	int fd;

	(void)tc;
	server_start(&server, "listen auto 127.0.0.1 port 0\n"
	    "listen pop3 127.0.0.1 port 0\n");
	mailbox_write(&server, FRED, EQUALS, strlen(EQUALS));
	fd = begin_pop2(&server, 3);
	client_say(fd, "READ 2", "=31 ");
	delete_first(&server);
	client_send(fd, "RETR\r\n");
	client_expect_close(fd);
	children_must_be(&server, "postern-store", 0);
	mailbox_write(&server, FRED, EQUALS, strlen(EQUALS));
	fd = pop1_login(&server, 1, FRED, FRED_PASSWORD);
	client_say(fd, "TOP 2 0", "+OK");
	client_expect(fd, "Subject: bob\r\n\r\n.\r\n");
	delete_first(&server);
	client_say(fd, "DELE 2", "-ERR");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, EQUAL("bob") EQUAL("cat"),
	    strlen(EQUAL("bob") EQUAL("cat")));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(read_only);
ATF_TC_BODY(read_only, tc)
{
	static const mode_t modes[] = { 0400, 0440, 0444 };
	unsigned char deleted[] = { 1, 1 };
	struct server server;
	struct split split;
	struct stat before;
	size_t i;
	int fd;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	for (i = 0; i < COUNT(modes); i++) {
		(void)unlink(mailbox_path(&server, FRED));
		put_mailbox(&server, &split);
		ATF_REQUIRE(chmod(mailbox_path(&server, FRED), modes[i]) ==
		    0);
		status_of(&server, &before);
		fd = begin_pop2(&server, 2);
		read_all(fd, &split, deleted);
		client_say(fd, "QUIT", "+ OK");
		client_expect_close(fd);
		mailbox_must_be(&server, FRED, split.bytes, split.length);
		fd = mark_pop1(&server, &split);
		refuse_rcvd(fd);
		mailbox_must_be(&server, FRED, split.bytes, split.length);
		same_file(&server, &before);
	}
	split_end(&split);
	server_stop(&server);
}

/* A mailbox that may not be used: a reason, at once, by both protocols. */
static void
refused(const struct server *server, const char *kind)
{
	time_t began = time(NULL);
	int fd;

	(void)printf("a mailbox that is %s\n", kind);
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "- the mailbox ");
	client_expect_close(fd);
	fd = pop1_login(server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RETR inbox", "-ERR the mailbox ");
	client_say(fd, "RDEL " FRED, "-ERR the mailbox ");
	client_say(fd, "NOOP", "+OK");
	quit(fd);
	ATF_REQUIRE(time(NULL) - began <= 8);
	log_must_have(server, "event=folder folder=INBOX error=\"the mailbox");
	children_must_be(server, "postern-store", 0);
}

static void
other_path(const struct server *server, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/spool/other", server->directory);
}

/* Makes a directory look like a Maildir, and like an MH folder. */
static void
make_entries(const char *directory)
{
	static const char *const entries[] = { "cur", "new", "tmp" };
	char path[700];
	size_t i;

	for (i = 0; i < COUNT(entries); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory,
		    entries[i]);
		ATF_REQUIRE(mkdir(path, 0755) == 0);
	}
	(void)snprintf(path, sizeof(path), "%s/1", directory);
	file_write(path, ONE, strlen(ONE));
}

ATF_TC_WITHOUT_HEAD(unfit_files);
ATF_TC_BODY(unfit_files, tc)
{
	struct server server;
	const char *path;
	char other[700];

	(void)tc;
	server_start(&server, NULL);
	path = mailbox_path(&server, FRED);
	other_path(&server, other, sizeof(other));
	mailbox_write(&server, FRED, ONE, strlen(ONE));
	ATF_REQUIRE(link(path, other) == 0);
	refused(&server, "linked twice");
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(symlink(other, path) == 0);
	refused(&server, "a symbolic link");
	log_must_have(&server, "event=open folder=INBOX error=\"it must not "
	    "be a symbolic link\"");
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(symlink("nowhere", path) == 0);
	refused(&server, "a symbolic link to nothing");
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(mkfifo(path, 0666) == 0 && chmod(path, 0666) == 0);
	refused(&server, "a FIFO");
	ATF_REQUIRE(chmod(path, 0444) == 0);
	refused(&server, "a FIFO to read");
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(mkdir(path, 0755) == 0 && chmod(path, 0777) == 0);
	make_entries(path);
	refused(&server, "a directory of two formats, or of somebody else");
	server_stop(&server);
}

/* Where there is no room is told, and is not where the mail is. */
ATF_TC(no_room_for_journal);
ATF_TC_HEAD(no_room_for_journal, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(no_room_for_journal, tc)
{
	static const char page[4096];
	struct server server;
	char path[700];
	int fd, filler;

	(void)tc;
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		atf_tc_skip("mounts cannot be made here");
	server_prepare(&server, NULL);
	mailbox_write(&server, FRED, ONE ONE, strlen(ONE ONE));
	(void)snprintf(path, sizeof(path), "%s/state", server.directory);
	ATF_REQUIRE(mount("none", path, "tmpfs", 0, "size=64k,mode=755") ==
	    0);
	(void)strlcat(path, "/filler", sizeof(path));
	ATF_REQUIRE((filler = open(path, O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600)) != -1);
	while (write(filler, page, sizeof(page)) > 0)
		;
	ATF_REQUIRE_EQ(ENOSPC, errno);
	(void)close(filler);
	server_run(&server);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2 ");
	client_say(fd, "READ", "=");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
	client_say(fd, "ACKD", "=");
	client_say(fd, "QUIT", "- the disk is full; nothing was deleted");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, ONE ONE, strlen(ONE ONE));
	log_must_have(&server, "no room for this journal in the state "
	    "directory");
	server_stop(&server);
	*strrchr(path, '/') = '\0';
	ATF_REQUIRE(umount(path) == 0);
}

ATF_TC(unfit_owners);
ATF_TC_HEAD(unfit_owners, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(unfit_owners, tc)
{
	static const struct {
		const char *name;
		uid_t owner;
		mode_t mode;
	} table[] = {
		{ "ann's, private", ANN_UID, 0600 },
		{ "ann's, readable", ANN_UID, 0644 },
		{ "ann's, writable", ANN_UID, 0666 },
		{ "root's, readable", 0, 0644 },
		{ "root's, writable", 0, 0666 },
	};
	struct server server;
	const char *path;
	size_t i;

	(void)tc;
	server_start(&server, NULL);
	path = mailbox_path(&server, FRED);
	for (i = 0; i < COUNT(table); i++) {
		mailbox_write(&server, FRED, ONE, strlen(ONE));
		ATF_REQUIRE(chown(path, table[i].owner, table[i].owner) == 0);
		ATF_REQUIRE(chmod(path, table[i].mode) == 0);
		refused(&server, table[i].name);
		mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	}
	server_stop(&server);
}

/* One message of many lines. */
static void
make_large(struct text *text, size_t length)
{
	add_string(text, A "\n\n");
	while (text->length < length) {
		add_fill(text, 70);
		add_string(text, "\n");
	}
}

/* The rest comes as far as it was read, then the end: nothing for padding. */
static void
cut_while_sent(const struct server *server, int fd, const char *form,
    size_t announced)
{
	char *octets = malloc(announced);
	size_t have = 1000;
	ssize_t got;

	ATF_REQUIRE(octets != NULL);
	client_read(fd, octets, have);
	ATF_REQUIRE(truncate(mailbox_path(server, FRED), 5000) == 0);
	while ((got = recv(fd, octets + have, announced - have, 0)) > 0)
		have += (size_t)got;
	ATF_REQUIRE_EQ(0, got);
	ATF_REQUIRE(have < announced);
	ATF_REQUIRE(memcmp(octets, form, have) == 0);
	(void)close(fd);
	free(octets);
	children_must_be(server, "postern-store", 0);
}

/* Cut short while it is sent: the end, and nothing that was not mail. */
ATF_TC_WITHOUT_HEAD(cut_short);
ATF_TC_BODY(cut_short, tc)
{
	struct text text = { NULL, 0, 0 };
	struct server server;
	struct split split;
	int fd;

	(void)tc;
	make_large(&text, 24 << 20);
	split_begin(&split, text.bytes, text.length);
	server_start(&server, NULL);
	put_mailbox(&server, &split);
	fd = begin_pop2(&server, 1);
	client_send(fd, "READ\r\n");
	ATF_REQUIRE_EQ(split.messages[0].octets, expect_number(fd, '='));
	client_send(fd, "RETR\r\n");
	cut_while_sent(&server, fd, split.messages[0].form,
	    split.messages[0].octets);
	mailbox_must_be(&server, FRED, split.bytes, 5000);
	put_mailbox(&server, &split);
	fd = begin_pop1(&server, "RDEL", split.whole_octets);
	client_send(fd, "RCEV\r\n");
	cut_while_sent(&server, fd, split.whole, split.whole_octets);
	mailbox_must_be(&server, FRED, split.bytes, 5000);
	split_end(&split);
	free(text.bytes);
	server_stop(&server);
}

static void
spoil(const struct server *server)
{
	int fd = open(mailbox_path(server, FRED), O_WRONLY | O_CLOEXEC);

	ATF_REQUIRE(fd != -1 && pwrite(fd, "X", 1, 0) == 1);
	(void)close(fd);
}

/* Changed before the first octet: nothing is said that could be mail. */
ATF_TC_WITHOUT_HEAD(changed_before_it_is_sent);
ATF_TC_BODY(changed_before_it_is_sent, tc)
{
	static const char box[] = A "\nSubject: one\n\ntext\n\n";
	struct server server;
	struct split split;
	int fd;

	(void)tc;
	server_start(&server, "listen auto 127.0.0.1 port 0\n"
	    "listen pop3 127.0.0.1 port 0\n");
	split_begin(&split, box, sizeof(box) - 1);
	put_mailbox(&server, &split);
	fd = begin_pop2(&server, 1);
	client_send(fd, "READ\r\n");
	(void)expect_number(fd, '=');
	spoil(&server);
	client_send(fd, "RETR\r\n");
	client_expect_close(fd);
	put_mailbox(&server, &split);
	fd = begin_pop1(&server, "RETR", split.whole_octets);
	spoil(&server);
	client_send(fd, "RCEV\r\n");
	client_expect_close(fd);
	put_mailbox(&server, &split);
	fd = client_connect(&server, 1);
	client_expect_line(fd, "+OK");
	client_say(fd, "USER " FRED, "+OK");
	client_say(fd, "PASS " FRED_PASSWORD, "+OK 1 ");
	spoil(&server);
	/* Of which nothing was sent: the others can be. */
	client_say(fd, "RETR 1", "-ERR [SYS/TEMP] ");
	client_say(fd, "QUIT", "+OK bye");
	client_expect_close(fd);
	split_end(&split);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, changed_before_it_is_sent);
	ATF_TP_ADD_TC(tp, line_ends);
	ATF_TP_ADD_TC(tp, separators);
	ATF_TP_ADD_TC(tp, ends);
	ATF_TP_ADD_TC(tp, preambles);
	ATF_TP_ADD_TC(tp, opened_later);
	ATF_TP_ADD_TC(tp, empty_file);
	ATF_TP_ADD_TC(tp, missing_file);
	ATF_TP_ADD_TC(tp, missing_file_comes);
	ATF_TP_ADD_TC(tp, no_separator);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, borders);
	ATF_TP_ADD_TC(tp, long_from_lines);
	ATF_TP_ADD_TC(tp, ten_thousand);
	ATF_TP_ADD_TC(tp, random_mailboxes);
	ATF_TP_ADD_TC(tp, arrivals);
	ATF_TP_ADD_TC(tp, changed_by_another);
	ATF_TP_ADD_TC(tp, kept_changed);
	ATF_TP_ADD_TC(tp, removed_by_another);
	ATF_TP_ADD_TC(tp, changed_before_retr);
	ATF_TP_ADD_TC(tp, moved_before_retr);
	ATF_TP_ADD_TC(tp, hidden_before_retr);
	ATF_TP_ADD_TC(tp, moved_by_another);
	ATF_TP_ADD_TC(tp, read_only);
	ATF_TP_ADD_TC(tp, unfit_files);
	ATF_TP_ADD_TC(tp, no_room_for_journal);
	ATF_TP_ADD_TC(tp, unfit_owners);
	ATF_TP_ADD_TC(tp, cut_short);
	return (atf_no_error());
}
