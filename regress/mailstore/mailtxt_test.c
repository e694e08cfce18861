/*
 * mailtxt_test.c - MAIL.TXT mailboxes, whole and damaged, through the daemon.
 *
 * What comes over the wire is held against a splitter of the test's own, and
 * after each delete the file against the original without exactly those
 * messages.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "mailtxt_splitter.h"
#include "meddle.h"
#include "walk.h"

#define DATE	"21-Nov-2026 23:33:00 +0000"
#define OLD	" 1-Jan-82 10:20:30-GMT"
#define NONE	"000000000000"
#define SEEN	"000000000001"
#define GONE	"000000000002"
#define ALL_SET	"777777777777"
#define BODY(bytes)	bytes, sizeof(bytes) - 1

/* One message: its line's parts and end, and what it counts. */
struct part {
	const char *date, *flags, *ending, *body;
	size_t length;
};

static void
add_part(struct text *text, const struct part *part)
{
	char header[80];

	(void)snprintf(header, sizeof(header), "%s,%zu;%s%s", part->date,
	    part->length, part->flags, part->ending);
	add_string(text, header);
	add(text, part->body, part->length);
}

static void
build(struct text *text, const struct part *parts, size_t count)
{
	size_t i;

	memset(text, 0, sizeof(*text));
	for (i = 0; i < count; i++)
		if (parts[i].date != NULL)
			add_part(text, &parts[i]);
}

#define PARTS	5

static const struct mailbox_case {
	const char *name;
	size_t messages;		/* that are shown */
	struct part parts[PARTS];
} cases[] = {
	{ "LF", 3, { { DATE, NONE, "\n", BODY("Subject: one\n\nfirst\n") },
	    { DATE, SEEN, "\n", BODY("Subject: two\n\nthe second\n") },
	    { OLD, NONE, "\n", BODY("Subject: three\n\nthe third one\n") } } },
	{ "CRLF", 3, {
	    { DATE, NONE, "\r\n", BODY("Subject: one\r\n\r\nfirst\r\n") },
	    { DATE, SEEN, "\r\n", BODY("Subject: two\r\n\r\nsecond\r\n") },
	    { OLD, NONE, "\r\n", BODY("Subject: three\r\n\r\nthird\r\n") } } },
	{ "mixed", 3, { { DATE, NONE, "\r\n", BODY("S: 1\n\r\nfirst\n") },
	    { DATE, NONE, "\n", BODY("S: 2\r\n\nsecond\r\n") },
	    { DATE, NONE, "\n", BODY("\n\r\n\n") } } },
	{ "one", 1, { { OLD, NONE, "\n", BODY("x\n") } } },
	{ "no line end, not even between", 4, {
	    { DATE, NONE, "\n", BODY("one") },
	    { DATE, NONE, "\n", BODY("two\r") },
	    { DATE, NONE, "\r\n", BODY("three\n\nx") },
	    { DATE, NONE, "\n", BODY("last") } } },
	{ "empty messages", 5, { { DATE, NONE, "\n", BODY("") },
	    { DATE, NONE, "\r\n", BODY("") },
	    { DATE, NONE, "\n", BODY("text\n") },
	    { DATE, NONE, "\n", BODY("\n") },
	    { DATE, NONE, "\n", BODY("") } } },
	{ "an empty message alone", 1, { { DATE, NONE, "\n", BODY("") } } },
	{ "From lines", 3, { { DATE, NONE, "\n", BODY("From ann@example.org "
	    "Sat Nov 21 23:33:00 2026\nS: 1\n\nFrom x\n\nFrom bob@example.org "
	    "Sun Nov 22 01:02:03 2026\n\n") },
	    { DATE, NONE, "\n", BODY("\n>From x\n>>From \n> From\nFrom\n") },
	    { DATE, NONE, "\n", BODY("\n\nFrom ") } } },
	{ "headers in a message", 2, {
	    { DATE, NONE, "\n", BODY("S: 1\n\n" DATE ",3;" NONE "\nx\n\n"
	    OLD ",0;" NONE "\n") },
	    { DATE, NONE, "\r\n", BODY(OLD ",1;" NONE "\r\n" DATE ",") } } },
	{ "first deleted", 2, { { DATE, GONE, "\n", BODY("one\n") },
	    { DATE, NONE, "\n", BODY("two\n") },
	    { DATE, NONE, "\n", BODY("three\n") } } },
	{ "some deleted", 2, { { DATE, NONE, "\n", BODY("one\n") },
	    { DATE, ALL_SET, "\n", BODY("From x\ntwo\n") },
	    { DATE, GONE, "\n", BODY("") },
	    { DATE, "777777777775", "\n", BODY("four\n") },
	    { DATE, "000000000077", "\n", BODY("no end") } } },
	{ "all deleted", 0, { { DATE, GONE, "\n", BODY("one\n") },
	    { DATE, ALL_SET, "\n", BODY("two\n") } } },
	{ "senders", 5, {
	    { DATE, NONE, "\r\n", BODY("Return-Path: <ann@example.org>\r\n"
	    "Subject: one\r\n\r\nfirst\r\n") },
	    { OLD, NONE, "\n", BODY("Return-Path: <b!c>\nSubject: 2\n\n2\n") },
	    { DATE, NONE, "\n", BODY("X: y\nReturn-Path: <d>\n\n") },
	    { DATE, NONE, "\n", BODY("X: y\n\nReturn-Path: <no>\n\n") },
	    { DATE, NONE, "\n", BODY("Return-Path: <\xfc@x>") } } },
	{ "octets", 3, { { DATE, NONE, "\n", BODY("\0\n\0\0\r\r\n\xff\x80") },
	    { DATE, NONE, "\n", BODY("\r") },
	    { DATE, NONE, "\n", BODY("\001\002\032\033\177\r\n\0") } } },
};

/* The mailbox of one case, and what the splitter says of it. */
static void
take_case(struct text *text, struct split *split,
    const struct mailbox_case *one)
{
	build(text, one->parts, PARTS);
	ATF_REQUIRE_EQ(0, split_mailtxt(split, text->bytes, text->length));
	ATF_REQUIRE_EQ_MSG(one->messages, split->count, "%s: %zu", one->name,
	    split->count);
}

static void
drop_case(struct text *text, struct split *split)
{
	split_end(split);
	free(text->bytes);
}

ATF_TC_WITHOUT_HEAD(mailboxes);
ATF_TC_BODY(mailboxes, tc)
{
	struct server server;
	struct split split;
	struct text text;
	size_t i;

	(void)tc;
	random_state = 20;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(cases); i++) {
		(void)printf("mailbox: %s\n", cases[i].name);
		take_case(&text, &split, &cases[i]);
		walk(&server, &split);
		drop_case(&text, &split);
	}
	ATF_CHECK(!log_has(&server, "damaged"));
	server_stop(&server);
}

/* Messages and lines around what is read at a time. */
ATF_TC_WITHOUT_HEAD(long_messages);
ATF_TC_BODY(long_messages, tc)
{
	static const size_t lengths[] = { 65470, 65535, 65536, 65537, 131072,
	    1048577 };
	static const char *const ends[] = { "", "\n", "\r\n", "\r",
	    "\nFrom x\n" };
	struct server server;
	size_t i, j;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(lengths); i++)
		for (j = 0; j < COUNT(ends); j++) {
			struct text body = { NULL, 0, 0 }, text;
			struct split split;
			struct part parts[3] = {
				{ DATE, NONE, "\r\n", BODY("one\n") },
				{ DATE, NONE, "\n", NULL, 0 },
				{ DATE, NONE, "\n", BODY("three") },
			};

			add_fill(&body, lengths[i]);
			add_string(&body, ends[j]);
			parts[1].body = body.bytes;
			parts[1].length = body.length;
			build(&text, parts, 3);
			(void)printf("%zu and %zu\n", lengths[i], j);
			ATF_REQUIRE_EQ(0, split_mailtxt(&split, text.bytes,
			    text.length));
			ATF_REQUIRE_EQ(3, split.count);
			read_whole(&server, &split, "RETR");
			delete_some(&server, &split, &patterns[1 + j % 3]);
			read_whole(&server, &split, "RDEL");
			drop_case(&text, &split);
			free(body.bytes);
		}
	server_stop(&server);
}

static void
not_touched(const struct server *server, const struct split *split,
    const struct stat *before)
{
	struct stat after;

	mailbox_must_be(server, FRED, split->bytes, split->length);
	same_file(server, before);
	status_of(server, &after);
	ATF_REQUIRE(before->st_mtim.tv_sec == after.st_mtim.tv_sec &&
	    before->st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

/* What is good of a damaged mailbox can be read; nothing can be deleted. */
static void
read_damaged(const struct server *server, const struct split *split)
{
	unsigned char *deleted = choose(split, &delete_all);
	struct stat before;
	int fd;

	put_mailbox(server, split);
	status_of(server, &before);
	fd = begin_pop2(server, split->count);
	read_all(fd, split, deleted);
	quit(fd);
	not_touched(server, split, &before);
	fd = mark_pop1(server, split);
	client_say(fd, "RCVD", split->count == 0 ? "+OK" : "-ERR ");
	quit(fd);
	not_touched(server, split, &before);
	free(deleted);
}

static void
read_maybe_damaged(const struct server *server, const char *bytes,
    size_t length, size_t *damaged)
{
	struct split split;

	if (split_mailtxt(&split, bytes, length) != 0) {
		(*damaged)++;
		read_damaged(server, &split);
	} else {
		delete_some(server, &split, &patterns[random_below(7)]);
		read_whole(server, &split, "RDEL");
	}
	split_end(&split);
}

/* A mailbox of which each octet counts. */
static const struct part small[] = {
	{ OLD, NONE, "\n", BODY("S: 1\n\nFrom x\n") },
	{ OLD, GONE, "\r\n", BODY("gone\r\n") },
	{ "21-Nov-2026 23:33:00-GMT", SEEN, "\r\n", BODY("S: 2\r\n") },
};

ATF_TC_WITHOUT_HEAD(cut_anywhere);
ATF_TC_BODY(cut_anywhere, tc)
{
	struct server server;
	struct text text;
	size_t length, damaged = 0;

	(void)tc;
	random_state = 4;
	server_start(&server, NULL);
	build(&text, small, COUNT(small));
	for (length = 0; length <= text.length; length++) {
		(void)printf("%zu of %zu octets\n", length, text.length);
		read_maybe_damaged(&server, text.bytes, length, &damaged);
	}
	/* All but the four places between messages. */
	ATF_CHECK_EQ(text.length + 1 - 4, damaged);
	log_must_have(&server, "damaged: a message longer than the file");
	log_must_have(&server, "damaged: no line that begins a message");
	log_must_have(&server, "damaged; nothing was deleted");
	free(text.bytes);
	server_stop(&server);
}

/* Octet `at` of the small mailbox becomes others, one after the other. */
static void
change_octets(const struct server *server, struct text *text, size_t at,
    size_t *damaged)
{
	const char was = text->bytes[at];
	const char others[] = { (char)(was ^ 1), '\n', '0',
	    (char)(was | '\x80'), ' ' };
	size_t i = at % 2;

	/* Some at each place. */
	for (; i < sizeof(others); i += 2) {
		text->bytes[at] = others[i];
		(void)printf("octet %zu is \\x%02x\n", at, others[i] & 0xff);
		read_maybe_damaged(server, text->bytes, text->length,
		    damaged);
	}
	text->bytes[at] = was;
}

ATF_TC_WITHOUT_HEAD(changed_anywhere);
ATF_TC_BODY(changed_anywhere, tc)
{
	struct server server;
	struct text text;
	size_t at, damaged = 0;

	(void)tc;
	random_state = 7;
	server_start(&server, NULL);
	build(&text, small, COUNT(small));
	for (at = 0; at < text.length; at++)
		change_octets(&server, &text, at, &damaged);
	ATF_CHECK_MSG(damaged > text.length, "%zu", damaged);
	free(text.bytes);
	server_stop(&server);
}

/* What stands before the damage is served, and the log says where it is. */
ATF_TC_WITHOUT_HEAD(damaged);
ATF_TC_BODY(damaged, tc)
{
#define GOOD	DATE ",4;" NONE "\none\n"
#define AT	(sizeof(GOOD) - 1)
	static const struct {
		const char *name, *bytes;
		size_t octet, messages;
	} table[] = {
		{ "junk", GOOD "junk\n", AT, 1 },
		{ "an empty line", GOOD "\n", AT, 1 },
		{ "a From_ line", GOOD "From a Sat Nov 21 23:33:00 2026\n\nx\n",
		    AT, 1 },
		{ "no end of the line", GOOD DATE ",0;" NONE, AT, 1 },
		{ "a long line", GOOD DATE ",0;" NONE "000000000000000000000"
		    "0000000000000000000000000000000000000000\n", AT, 1 },
		{ "one octet missing", GOOD DATE ",5;" NONE "\ntext", AT, 1 },
		{ "a large count", GOOD DATE ",18446744073709551615;" NONE
		    "\ntext", AT, 1 },
		{ "a larger count", GOOD DATE ",18446744073709551616;" NONE
		    "\ntext", AT, 1 },
		{ "a count that wraps", GOOD DATE ",18446744073709551557;"
		    NONE "\ntext", AT, 1 },
		{ "a negative count", GOOD DATE ",-59;" NONE "\ntext", AT, 1 },
		{ "a count too small", GOOD DATE ",4;" NONE "\n12345",
		    2 * AT, 2 },
		{ "at the beginning", DATE ",5;" NONE "\ntext", 0, 0 },
		{ "no header, but much like one", DATE ",5:" NONE "\ntext\n\n"
		    "From a Sat Nov 21 23:33:00 2026\n\nx\n", 0, 0 },
	};
	struct server server;
	struct split split;
	char name[40], text[100];
	size_t i, length;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(table); i++) {
		(void)printf("damage: %s\n", table[i].name);
		length = strlen(table[i].bytes);
		ATF_REQUIRE_EQ(1, split_mailtxt(&split, table[i].bytes,
		    length));
		ATF_REQUIRE_EQ(table[i].messages, split.count);
		read_damaged(&server, &split);
		/* Again, by a name that the log shows. */
		(void)snprintf(name, sizeof(name), "mail/case%zu", i);
		folder_write(&server, FRED, name, table[i].bytes, length);
		fd = begin_pop2(&server, split.count);
		(void)snprintf(text, sizeof(text), "FOLD case%zu", i);
		client_say(fd, text, "#");
		quit(fd);
		(void)snprintf(text, sizeof(text), "folder=case%zu octet=%zu "
		    "bytes=%zu error=\"damaged", i, table[i].octet, length);
		log_must_have(&server, text);
		split_end(&split);
	}
	server_stop(&server);
}

/* Flags at the end of a message's line, as another program writes them. */
static void
patch_flags(const struct server *server, const struct split *split,
    size_t message, const char *flags)
{
	const char *line = split->bytes + split->messages[message].offset;
	size_t at = split->messages[message].offset;
	int fd = open(mailbox_path(server, FRED), O_WRONLY);

	at += (size_t)(strchr(line, ';') + 1 - line);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(pwrite(fd, flags, strlen(flags), (off_t)at) ==
	    (ssize_t)strlen(flags));
	ATF_REQUIRE(close(fd) == 0);
}

/* They may change under a session, and what was changed stays. */
ATF_TC_WITHOUT_HEAD(flags_change);
ATF_TC_BODY(flags_change, tc)
{
	static const char *const flags[] = { SEEN, GONE, ALL_SET,
	    "525252525252" };
	unsigned char deleted[] = { 1, 0, 0, 1, 1 };
	struct server server;
	struct split split;
	struct text text;
	size_t i, j, length;
	char *now, *left;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(flags); i++) {
		take_case(&text, &split, &cases[i % 2]);
		put_mailbox(&server, &split);
		fd = begin_pop2(&server, split.count);
		/* Before it is sent, and after. */
		patch_flags(&server, &split, 0, "000000000074");
		read_all(fd, &split, deleted);
		for (j = 0; j < split.count; j++)
			patch_flags(&server, &split, j, flags[i]);
		now = file_read(mailbox_path(&server, FRED), &length);
		quit(fd);
		split.bytes = now;
		left = split_without(&split, deleted, &length);
		mailbox_must_be(&server, FRED, left, length);
		free(left);
		free(now);
		/* The same for POP1, which deletes all. */
		split.bytes = text.bytes;
		put_mailbox(&server, &split);
		fd = mark_pop1(&server, &split);
		for (j = 0; j < split.count; j++)
			patch_flags(&server, &split, j, flags[i]);
		client_say(fd, "RCVD", "+OK");
		quit(fd);
		mailbox_must_be(&server, FRED, "", 0);
		drop_case(&text, &split);
	}
	server_stop(&server);
}

/* Everything else may not change: then nothing is deleted. */
ATF_TC_WITHOUT_HEAD(changed_by_another);
ATF_TC_BODY(changed_by_another, tc)
{
	struct server server;
	struct split split;
	struct text text;
	size_t i, j;

	(void)tc;
	server_start(&server, NULL);
	take_case(&text, &split, &cases[0]);
	for (i = 0; i < COUNT(meddlings); i++)
		for (j = 0; j < COUNT(askings); j++)
			meddle_once(&server, &split, &meddlings[i],
			    &askings[j]);
	drop_case(&text, &split);
	server_stop(&server);
}

static void
refuse_changed(const struct server *server, const struct split *split,
    size_t at)
{
	size_t length;
	char *now;
	int fd;

	(void)printf("octet %zu\n", at);
	put_mailbox(server, split);
	fd = mark_pop2(server, split);
	change_octet(server, at, split->bytes[at] == '6' ? "7" : "6");
	now = file_read(mailbox_path(server, FRED), &length);
	refuse_quit(fd);
	mailbox_must_be(server, FRED, now, length);
	free(now);
}

/* Each octet of what is to be deleted, but for the flags; and each count. */
ATF_TC_WITHOUT_HEAD(octet_changed);
ATF_TC_BODY(octet_changed, tc)
{
	static const struct part parts[] = {
		{ DATE, GONE, "\n", BODY("first\n") },
		{ DATE, NONE, "\n", BODY("second\n") },
		{ DATE, GONE, "\n", BODY("third\n") },
		{ DATE, NONE, "\n", BODY("fourth\n") },
	};
	const size_t comma = strlen(DATE ",");
	struct server server;
	struct split split;
	struct text text;
	size_t begin, end, flags, at;

	(void)tc;
	server_start(&server, NULL);
	build(&text, parts, COUNT(parts));
	ATF_REQUIRE_EQ(0, split_mailtxt(&split, text.bytes, text.length));
	ATF_REQUIRE_EQ(2, split.count);
	begin = split.messages[0].offset;
	end = split.messages[0].end;
	flags = begin + strlen(DATE ",7;");
	for (at = begin; at < end; at++)
		if (at < flags || at >= flags + strlen(NONE))
			refuse_changed(&server, &split, at);
	/* Hidden before it, hidden behind it, and shown and kept. */
	refuse_changed(&server, &split, comma);
	refuse_changed(&server, &split, end + comma);
	refuse_changed(&server, &split, split.messages[1].offset + comma);
	drop_case(&text, &split);
	server_stop(&server);
}

/* What arrives during a session stays, byte for byte. */
ATF_TC_WITHOUT_HEAD(arrivals);
ATF_TC_BODY(arrivals, tc)
{
	static const char *const arrived[] = {
		DATE ",8;" NONE "\narrival\n",
		DATE ",0;" GONE "\r\n" OLD ",3;" SEEN "\nend",
	};
	struct server server;
	struct split split;
	enum moment moment;
	struct text text;
	size_t i, j, k;

	(void)tc;
	random_state = 1;
	server_start(&server, NULL);
	for (i = 0; i < COUNT(arrived); i++)
		for (k = 3; k < 11; k += 7)
			for (moment = BEFORE_READ; moment <= TWICE;
			    moment++) {
				take_case(&text, &split, &cases[k]);
				for (j = 0; j < COUNT(patterns); j++)
					append_pop2(&server, &split,
					    arrived[i], moment, &patterns[j]);
				append_pop1(&server, &split, arrived[i],
				    moment);
				drop_case(&text, &split);
			}
	server_stop(&server);
}

/* An arrival that is not whole: it may be one that is being written. */
ATF_TC_WITHOUT_HEAD(half_an_arrival);
ATF_TC_BODY(half_an_arrival, tc)
{
	static const char arrival[] = DATE ",9;" NONE "\narrival\n";
	char part[sizeof(arrival)], *now;
	struct server server;
	struct split split;
	struct text text;
	size_t length, have;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	take_case(&text, &split, &cases[0]);
	for (length = 1; length < sizeof(arrival); length += 3) {
		put_mailbox(&server, &split);
		fd = mark_pop2(&server, &split);
		(void)strlcpy(part, arrival, length + 1);
		append(&server, part);
		now = file_read(mailbox_path(&server, FRED), &have);
		refuse_quit(fd);
		mailbox_must_be(&server, FRED, now, have);
		free(now);
	}
	drop_case(&text, &split);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(folder);
ATF_TC_BODY(folder, tc)
{
	unsigned char deleted[] = { 0, 1, 0 };
	struct server server;
	struct split split, mbox;
	struct text text;
	size_t length;
	char *left;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	take_case(&text, &split, &cases[1]);
	split_begin(&mbox, "From a Sat Nov 21 23:33:00 2026\n\n" DATE ",3;"
	    NONE "\nabc\n\n", strlen(DATE) + strlen(NONE) + 42);
	ATF_REQUIRE_EQ(1, mbox.count);
	put_mailbox(&server, &mbox);
	folder_write(&server, FRED, "mail/old/MAIL.TXT", split.bytes,
	    split.length);
	/* Each file is what its own content says. */
	fd = begin_pop2(&server, 1);
	client_say(fd, "FOLD old/MAIL.TXT", "#3");
	read_all(fd, &split, deleted);
	client_say(fd, "FOLD inbox", "#1");
	read_all(fd, &mbox, deleted);
	quit(fd);
	left = split_without(&split, deleted, &length);
	folder_must_be(&server, FRED, "mail/old/MAIL.TXT", left, length);
	mailbox_must_be(&server, FRED, mbox.bytes, mbox.length);
	free(left);
	split_end(&mbox);
	drop_case(&text, &split);
	server_stop(&server);
}

/* RFC 937's default mailbox of TOPS-20. */
static void
move_maildrop(const struct server *server)
{
	size_t length;
	char *now = file_read(server->config, &length), *line, *end;
	struct text text = { NULL, 0, 0 };

	ATF_REQUIRE((line = strstr(now, "\nmailbox ")) != NULL);
	ATF_REQUIRE((end = strchr(line + 1, '\n')) != NULL);
	add(&text, now, (size_t)(line - now));
	add_string(&text, "\nmailbox ~/MAIL.TXT.1");
	add_string(&text, end);
	file_write(server->config, text.bytes, text.length);
	free(text.bytes);
	free(now);
}

ATF_TC_WITHOUT_HEAD(default_mailbox);
ATF_TC_BODY(default_mailbox, tc)
{
	unsigned char deleted[] = { 1, 0, 1 };
	struct server server;
	struct split split;
	struct text text;
	size_t length;
	char *left;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	move_maildrop(&server);
	server_run(&server);
	take_case(&text, &split, &cases[1]);
	folder_write(&server, FRED, "MAIL.TXT.1", split.bytes, split.length);
	fd = begin_pop1(&server, "RETR", split.whole_octets);
	client_send(fd, "RCEV\r\n");
	expect_octets(fd, split.whole, split.whole_octets);
	client_say(fd, "RCVD", "+OK");
	quit(fd);
	fd = begin_pop2(&server, 3);
	read_all(fd, &split, deleted);
	quit(fd);
	left = split_without(&split, deleted, &length);
	folder_must_be(&server, FRED, "MAIL.TXT.1", left, length);
	free(left);
	drop_case(&text, &split);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(read_only);
ATF_TC_BODY(read_only, tc)
{
	unsigned char deleted[] = { 1, 1, 1 };
	struct server server;
	struct split split;
	struct stat before;
	struct text text;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	take_case(&text, &split, &cases[0]);
	put_mailbox(&server, &split);
	ATF_REQUIRE(chmod(mailbox_path(&server, FRED), 0400) == 0);
	status_of(&server, &before);
	fd = begin_pop2(&server, 3);
	read_all(fd, &split, deleted);
	quit(fd);
	refuse_rcvd(mark_pop1(&server, &split));
	not_touched(&server, &split, &before);
	drop_case(&text, &split);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, mailboxes);
	ATF_TP_ADD_TC(tp, long_messages);
	ATF_TP_ADD_TC(tp, cut_anywhere);
	ATF_TP_ADD_TC(tp, changed_anywhere);
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, flags_change);
	ATF_TP_ADD_TC(tp, changed_by_another);
	ATF_TP_ADD_TC(tp, octet_changed);
	ATF_TP_ADD_TC(tp, arrivals);
	ATF_TP_ADD_TC(tp, half_an_arrival);
	ATF_TP_ADD_TC(tp, folder);
	ATF_TP_ADD_TC(tp, default_mailbox);
	ATF_TP_ADD_TC(tp, read_only);
	return (atf_no_error());
}
