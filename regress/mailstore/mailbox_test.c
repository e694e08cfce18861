/*
 * mailbox_test.c - mailboxes of every awkward kind, through the daemon.
 *
 * What comes over the wire is held against a splitter of the test's own, and
 * after each delete the file against the original without exactly those
 * messages: its bytes, its inode, its mode.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "mailboxes.h"
#include "splitter.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* A generator that is the same everywhere. */
static uint64_t random_state;

static size_t
random_below(size_t bound)
{
	random_state = random_state * 6364136223846793005ULL +
	    1442695040888963407ULL;
	return ((size_t)(random_state >> 33) % bound);
}

/* Which messages to delete, of `count`. */
static int
first(size_t i, size_t count)
{
	(void)count;
	return (i == 0);
}

static int
last(size_t i, size_t count)
{
	return (i + 1 == count);
}

static int
every_second(size_t i, size_t count)
{
	(void)count;
	return (i % 2 == 1);
}

static int
all_but_one(size_t i, size_t count)
{
	return (i != count / 2);
}

static int
all(size_t i, size_t count)
{
	(void)i;
	(void)count;
	return (1);
}

static int
none(size_t i, size_t count)
{
	(void)i;
	(void)count;
	return (0);
}

static int
a_random_subset(size_t i, size_t count)
{
	(void)i;
	(void)count;
	return (random_below(2) == 1);
}

static const struct pattern {
	const char *name;
	int (*chosen)(size_t, size_t);
} patterns[] = {
	{ "none", none },
	{ "first", first },
	{ "last", last },
	{ "every second", every_second },
	{ "all but one", all_but_one },
	{ "all", all },
	{ "a random subset", a_random_subset },
};

/* "=nnn ..." or "#nnn ..." */
static uint64_t
expect_number(int fd, char sign)
{
	char line[600], *end;
	uint64_t number;

	client_line(fd, line, sizeof(line));
	ATF_REQUIRE_MSG(line[0] == sign && line[1] >= '0' && line[1] <= '9',
	    "expected %cnnn, got \"%s\"", sign, line);
	number = strtoull(line + 1, &end, 10);
	ATF_REQUIRE_MSG(*end == '\0' || *end == ' ', "\"%s\"", line);
	return (number);
}

static void
expect_octets(int fd, const char *octets, size_t length)
{
	char *got = malloc(length + 1);
	size_t i;

	ATF_REQUIRE(got != NULL);
	client_read(fd, got, length);
	for (i = 0; i < length && got[i] == octets[i]; i++)
		continue;
	ATF_REQUIRE_MSG(i == length, "octet %zu of %zu is \\x%02x, expected "
	    "\\x%02x", i, length, got[i] & 0xff, octets[i] & 0xff);
	free(got);
}

/* READs and RETRs all; acknowledges with ACKD where `deleted` says so. */
static void
read_all(int fd, const struct split *split, const unsigned char *deleted)
{
	size_t i;

	client_send(fd, "READ\r\n");
	for (i = 0; i < split->count; i++) {
		ATF_REQUIRE_EQ(split->messages[i].octets,
		    expect_number(fd, '='));
		client_send(fd, deleted[i] ? "RETR\r\nACKD\r\n" :
		    "RETR\r\nACKS\r\n");
		expect_octets(fd, split->messages[i].form,
		    split->messages[i].octets);
	}
	ATF_REQUIRE_EQ(0, expect_number(fd, '='));
}

/* Logs in by POP2; the count must be right. */
static int
begin_pop2(const struct server *server, size_t messages)
{
	char reply[40];

	(void)snprintf(reply, sizeof(reply), "#%zu ", messages);
	return (pop2_login(server, 0, FRED, FRED_PASSWORD, reply));
}

static void
quit(int fd)
{
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
}

static void
status_of(const struct server *server, struct stat *status)
{
	ATF_REQUIRE(lstat(mailbox_path(server, FRED), status) == 0);
}

/* The same file as before, whatever is in it. */
static void
same_file(const struct server *server, const struct stat *before)
{
	struct stat now;

	status_of(server, &now);
	ATF_REQUIRE_EQ(before->st_ino, now.st_ino);
	ATF_REQUIRE_EQ(before->st_mode, now.st_mode);
	ATF_REQUIRE_EQ(before->st_uid, now.st_uid);
	ATF_REQUIRE_EQ(before->st_gid, now.st_gid);
	ATF_REQUIRE_EQ(before->st_nlink, now.st_nlink);
}

static void
put_mailbox(const struct server *server, const struct split *split)
{
	mailbox_write(server, FRED, split->bytes, split->length);
	ATF_REQUIRE(chmod(mailbox_path(server, FRED), 0640) == 0);
}

static unsigned char *
choose(const struct split *split, const struct pattern *pattern)
{
	unsigned char *deleted = calloc(split->count + 1, 1);
	size_t i;

	ATF_REQUIRE(deleted != NULL);
	for (i = 0; i < split->count; i++)
		deleted[i] = pattern->chosen(i, split->count) != 0;
	return (deleted);
}

static void
delete_some(const struct server *server, const struct split *split,
    const struct pattern *pattern)
{
	unsigned char *deleted = choose(split, pattern);
	struct stat before;
	size_t length;
	char *left;
	int fd;

	(void)printf("  delete %s\n", pattern->name);
	put_mailbox(server, split);
	status_of(server, &before);
	fd = begin_pop2(server, split->count);
	read_all(fd, split, deleted);
	mailbox_must_be(server, FRED, split->bytes, split->length);
	quit(fd);
	left = split_without(split, deleted, &length);
	mailbox_must_be(server, FRED, left, length);
	same_file(server, &before);
	free(left);
	free(deleted);
}

/* Logs in by POP1 and asks for all; the count must be right. */
static int
begin_pop1(const struct server *server, const char *command, uint64_t octets)
{
	int fd = pop1_login(server, 0, FRED, FRED_PASSWORD);

	client_send(fd, command);
	client_send(fd, " inbox\r\n");
	ATF_REQUIRE_EQ(octets, expect_number(fd, '#'));
	return (fd);
}

/* RETR keeps all; RDEL leaves what stood before the first From_ line. */
static void
read_whole(const struct server *server, const struct split *split,
    const char *command)
{
	size_t left = split->length;
	struct stat before;
	int fd;

	(void)printf("  %s\n", command);
	put_mailbox(server, split);
	status_of(server, &before);
	fd = begin_pop1(server, command, split->whole_octets);
	client_send(fd, "RCEV\r\n");
	expect_octets(fd, split->whole, split->whole_octets);
	mailbox_must_be(server, FRED, split->bytes, split->length);
	client_say(fd, "RCVD", "+OK");
	if (strcmp(command, "RDEL") == 0 && split->count > 0)
		left = split->messages[0].offset;
	mailbox_must_be(server, FRED, split->bytes, left);
	same_file(server, &before);
	quit(fd);
}

static void
walk(const struct server *server, const struct split *split)
{
	size_t i;

	read_whole(server, split, "RETR");
	for (i = 0; i < COUNT(patterns); i++)
		delete_some(server, split, &patterns[i]);
	read_whole(server, split, "RDEL");
}

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

/* The first mail there ever was comes after the login. */
ATF_TC_WITHOUT_HEAD(missing_file_comes);
ATF_TC_BODY(missing_file_comes, tc)
{
	struct server server;
	struct split split;
	int fd;

	(void)tc;
	split_begin(&split, ONE TWO, strlen(ONE TWO));
	server_start(&server, NULL);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	put_mailbox(&server, &split);
	client_send(fd, "RDEL inbox\r\n");
	ATF_REQUIRE_EQ(split.whole_octets, expect_number(fd, '#'));
	client_send(fd, "RCEV\r\n");
	expect_octets(fd, split.whole, split.whole_octets);
	client_say(fd, "RCVD", "+OK");
	quit(fd);
	mailbox_must_be(&server, FRED, "", 0);
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

/* A growing piece of memory. */
struct text {
	char *bytes;
	size_t length, room;
};

static void
add(struct text *text, const void *bytes, size_t length)
{
	if (text->length + length > text->room) {
		text->room = 2 * text->room + length + 4096;
		text->bytes = realloc(text->bytes, text->room);
		ATF_REQUIRE(text->bytes != NULL);
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

static void
add_fill(struct text *text, size_t length)
{
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	char *fill = malloc(length + 1);
	size_t i;

	ATF_REQUIRE(fill != NULL);
	for (i = 0; i < length; i++)
		fill[i] = octets[i % (sizeof(octets) - 1)];
	add(text, fill, length);
	free(fill);
}

static void
add_string(struct text *text, const char *string)
{
	add(text, string, strlen(string));
}

/* A line that is long, and a second message behind it. */
static void
walk_long_line(const struct server *server, size_t length,
    const char *ending)
{
	struct text text = { NULL, 0, 0 };
	struct split split;

	(void)printf("line of %zu and %zu\n", length, strlen(ending));
	add_string(&text, A "\n\n");
	add_fill(&text, length);
	add_string(&text, ending);
	add_string(&text, "\n" TWO);
	split_begin(&split, text.bytes, text.length);
	ATF_REQUIRE_EQ(2, split.count);
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
	static const size_t lengths[] = { 998, 1000, 4096, 32768, 65535, 65536,
	    65537, 131071, 131072, 131073, 1048575, 1048576, 1048577 };
	static const char *const endings[] = { "\n", "\r\n", "\r\r\n" };
	struct server server;
	size_t i, j;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(lengths); i++)
		for (j = 0; j < COUNT(endings); j++)
			walk_long_line(&server, lengths[i], endings[j]);
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

/* Others that write to the mailbox. */
static void
append(const struct server *server, const char *bytes)
{
	int fd = open(mailbox_path(server, FRED), O_WRONLY | O_APPEND);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(write(fd, bytes, strlen(bytes)) ==
	    (ssize_t)strlen(bytes));
	ATF_REQUIRE(close(fd) == 0);
}

enum moment { BEFORE_READ, BEFORE_QUIT, TWICE };

static void
append_pop2(const struct server *server, const struct split *split,
    const char *arrival, enum moment moment, const struct pattern *pattern)
{
	unsigned char *deleted = choose(split, pattern);
	struct text left = { NULL, 0, 0 };
	size_t length;
	char *kept;
	int fd;

	(void)printf("append at %d, delete %s\n", moment, pattern->name);
	put_mailbox(server, split);
	fd = begin_pop2(server, split->count);
	if (moment != BEFORE_QUIT)
		append(server, arrival);
	read_all(fd, split, deleted);
	if (moment != BEFORE_READ)
		append(server, arrival);
	quit(fd);
	kept = split_without(split, deleted, &length);
	add(&left, kept, length);
	add_string(&left, arrival);
	if (moment == TWICE)
		add_string(&left, arrival);
	mailbox_must_be(server, FRED, left.bytes, left.length);
	free(kept);
	free(left.bytes);
	free(deleted);
}

static void
append_pop1(const struct server *server, const struct split *split,
    const char *arrival, enum moment moment)
{
	struct text left = { NULL, 0, 0 };
	int fd;

	(void)printf("append at %d, RDEL\n", moment);
	put_mailbox(server, split);
	fd = begin_pop1(server, "RDEL", split->whole_octets);
	if (moment != BEFORE_QUIT)
		append(server, arrival);
	client_send(fd, "RCEV\r\n");
	expect_octets(fd, split->whole, split->whole_octets);
	if (moment != BEFORE_READ)
		append(server, arrival);
	client_say(fd, "RCVD", "+OK");
	quit(fd);
	add(&left, split->bytes, split->messages[0].offset);
	add_string(&left, arrival);
	if (moment == TWICE)
		add_string(&left, arrival);
	mailbox_must_be(server, FRED, left.bytes, left.length);
	free(left.bytes);
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

/* What another program may do to a mailbox that is in use. */
static void
overwrite(const struct server *server, const struct split *split)
{
	int fd = open(mailbox_path(server, FRED), O_WRONLY);
	size_t i;

	ATF_REQUIRE(fd != -1);
	for (i = 0; i < split->length; i++)
		ATF_REQUIRE(write(fd, i % 60 == 59 ? "\n" : "x", 1) == 1);
	ATF_REQUIRE(close(fd) == 0);
}

static void
overwrite_with_mail(const struct server *server, const struct split *split)
{
	char *bytes = malloc(split->length);
	size_t i;
	int fd;

	/* The same messages, at the same places, with other words. */
	ATF_REQUIRE(bytes != NULL);
	memcpy(bytes, split->bytes, split->length);
	for (i = split->messages[0].offset + sizeof(A); i < split->length; i++)
		if (bytes[i] == 't')
			bytes[i] = 'T';
	fd = open(mailbox_path(server, FRED), O_WRONLY);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(write(fd, bytes, split->length) ==
	    (ssize_t)split->length);
	ATF_REQUIRE(close(fd) == 0);
	free(bytes);
}

static void
shorten(const struct server *server, const struct split *split)
{
	ATF_REQUIRE(truncate(mailbox_path(server, FRED),
	    (off_t)split->messages[split->count - 1].offset) == 0);
}

static void
shorten_by_one(const struct server *server, const struct split *split)
{
	ATF_REQUIRE(truncate(mailbox_path(server, FRED),
	    (off_t)split->length - 1) == 0);
}

static void
replace(const struct server *server, const struct split *split)
{
	char other[700];
	struct stat old;

	status_of(server, &old);
	(void)snprintf(other, sizeof(other), "%s.new",
	    mailbox_path(server, FRED));
	file_write(other, split->bytes, split->length);
	ATF_REQUIRE(chown(other, old.st_uid, old.st_gid) == 0);
	ATF_REQUIRE(rename(other, mailbox_path(server, FRED)) == 0);
}

static void
change_octet(const struct server *server, size_t at, const char *octet)
{
	int fd = open(mailbox_path(server, FRED), O_WRONLY);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(pwrite(fd, octet, 1, (off_t)at) == 1);
	ATF_REQUIRE(close(fd) == 0);
}

/* In the body, the last octet that is not a line's end. */
static void
change_body(const struct server *server, const struct split *split)
{
	change_octet(server, split->messages[0].end - 3, "!");
}

static void
change_address(const struct server *server, const struct split *split)
{
	change_octet(server, split->messages[0].offset + 5, "z");
}

static void
change_blank(const struct server *server, const struct split *split)
{
	change_octet(server, split->messages[0].end - 1, "-");
}

static void
hide_kept(const struct server *server, const struct split *split)
{
	change_octet(server, split->messages[1].offset, ">");
}

static void
append_no_mail(const struct server *server, const struct split *split)
{
	(void)split;
	append(server, "these lines begin no message\n\n");
}

static void
give_second_name(const struct server *server, const struct split *split)
{
	char other[700];

	(void)split;
	(void)snprintf(other, sizeof(other), "%s.link",
	    mailbox_path(server, FRED));
	(void)unlink(other);
	ATF_REQUIRE(link(mailbox_path(server, FRED), other) == 0);
}

static const struct meddling {
	const char *name;
	void (*meddle)(const struct server *, const struct split *);
} meddlings[] = {
	{ "overwritten", overwrite },
	{ "overwritten with mail", overwrite_with_mail },
	{ "shorter", shorten },
	{ "shorter by one", shorten_by_one },
	{ "replaced", replace },
	{ "body changed", change_body },
	{ "address changed", change_address },
	{ "empty line changed", change_blank },
	{ "a kept message hidden", hide_kept },
	{ "text appended", append_no_mail },
	{ "linked twice", give_second_name },
};

/* How the delete is asked for; each must be told that it was not done. */
static int
mark_pop2(const struct server *server, const struct split *split)
{
	int fd = begin_pop2(server, split->count);

	client_say(fd, "READ", "=");
	client_send(fd, "RETR\r\n");
	expect_octets(fd, split->messages[0].form, split->messages[0].octets);
	client_say(fd, "ACKD", "=");
	return (fd);
}

static void
refuse_quit(int fd)
{
	client_say(fd, "QUIT", "- ");
	client_expect_close(fd);
}

static void
refuse_fold(int fd)
{
	client_say(fd, "FOLD work", "- ");
	client_expect_close(fd);
}

static int
mark_pop1(const struct server *server, const struct split *split)
{
	int fd = begin_pop1(server, "RDEL", split->whole_octets);

	client_send(fd, "RCEV\r\n");
	expect_octets(fd, split->whole, split->whole_octets);
	return (fd);
}

static void
refuse_rcvd(int fd)
{
	client_say(fd, "RCVD", "-ERR ");
	client_say(fd, "NOOP", "+OK");
	quit(fd);
}

static const struct asking {
	const char *name;
	int (*mark)(const struct server *, const struct split *);
	void (*refuse)(int);
} askings[] = {
	{ "QUIT", mark_pop2, refuse_quit },
	{ "FOLD", mark_pop2, refuse_fold },
	{ "RCVD", mark_pop1, refuse_rcvd },
};

static void
meddle_once(const struct server *server, const struct split *split,
    const struct meddling *meddling, const struct asking *asking)
{
	struct stat before, after;
	size_t length;
	char *now;
	int fd;

	(void)printf("%s, %s\n", meddling->name, asking->name);
	(void)unlink(mailbox_path(server, FRED));
	put_mailbox(server, split);
	fd = asking->mark(server, split);
	meddling->meddle(server, split);
	now = file_read(mailbox_path(server, FRED), &length);
	status_of(server, &before);
	asking->refuse(fd);
	mailbox_must_be(server, FRED, now, length);
	same_file(server, &before);
	status_of(server, &after);
	ATF_REQUIRE(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
	    before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	free(now);
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
	ATF_REQUIRE(time(NULL) - began <= 5);
	log_must_have(server, "event=folder folder=INBOX error=\"the mailbox");
	children_must_be(server, "postern-store", 0);
}

static void
other_path(const struct server *server, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/spool/other", server->directory);
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
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(symlink("nowhere", path) == 0);
	refused(&server, "a symbolic link to nothing");
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(mkfifo(path, 0666) == 0 && chmod(path, 0666) == 0);
	refused(&server, "a FIFO");
	ATF_REQUIRE(unlink(path) == 0);
	ATF_REQUIRE(mkdir(path, 0755) == 0 && chmod(path, 0777) == 0);
	refused(&server, "a directory");
	server_stop(&server);
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

/* Cut short while it is sent: the end, and nothing that was not mail. */
ATF_TC_WITHOUT_HEAD(cut_short);
ATF_TC_BODY(cut_short, tc)
{
	struct text text = { NULL, 0, 0 };
	struct server server;
	struct split split;
	size_t have = 0, length = 24 << 20;
	ssize_t got;
	char *octets;
	int fd;

	(void)tc;
	add_string(&text, A "\n\n");
	while (text.length < length) {
		add_fill(&text, 70);
		add_string(&text, "\n");
	}
	split_begin(&split, text.bytes, text.length);
	ATF_REQUIRE((octets = malloc(split.whole_octets)) != NULL);
	server_start(&server, NULL);
	put_mailbox(&server, &split);
	fd = begin_pop2(&server, 1);
	client_send(fd, "READ\r\n");
	ATF_REQUIRE_EQ(split.messages[0].octets, expect_number(fd, '='));
	client_send(fd, "RETR\r\n");
	client_read(fd, octets, 1000);
	ATF_REQUIRE(truncate(mailbox_path(&server, FRED), 5000) == 0);
	for (have = 1000; (got = recv(fd, octets + have,
	    split.messages[0].octets - have, 0)) > 0; )
		have += (size_t)got;
	ATF_REQUIRE_EQ(0, got);
	ATF_REQUIRE(have < split.messages[0].octets);
	ATF_REQUIRE(memcmp(octets, split.messages[0].form, have) == 0);
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	mailbox_must_be(&server, FRED, split.bytes, 5000);
	free(octets);
	split_end(&split);
	free(text.bytes);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, line_ends);
	ATF_TP_ADD_TC(tp, separators);
	ATF_TP_ADD_TC(tp, ends);
	ATF_TP_ADD_TC(tp, preambles);
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
	ATF_TP_ADD_TC(tp, removed_by_another);
	ATF_TP_ADD_TC(tp, changed_before_retr);
	ATF_TP_ADD_TC(tp, read_only);
	ATF_TP_ADD_TC(tp, unfit_files);
	ATF_TP_ADD_TC(tp, unfit_owners);
	ATF_TP_ADD_TC(tp, cut_short);
	return (atf_no_error());
}
