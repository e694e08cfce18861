/*
 * walk.h - a client that walks through a whole mailbox and deletes of it.
 *
 * Test code alone.  What comes is held against splitter.h's opinion of the
 * file, and after the session the file against the original without exactly
 * the deleted messages: its bytes, its inode, its mode.
 */
#ifndef WALK_H
#define WALK_H

#include <sys/stat.h>

#include <atf-c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
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
}, delete_none = { "none", none }, delete_all = { "all", all };

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

/* RETR keeps all; RDEL leaves what is no message that was sent. */
static void
read_whole(const struct server *server, const struct split *split,
    const char *command)
{
	unsigned char *deleted = choose(split, strcmp(command, "RDEL") == 0 ?
	    &delete_all : &delete_none);
	struct stat before;
	size_t length;
	char *left;
	int fd;

	(void)printf("  %s\n", command);
	put_mailbox(server, split);
	status_of(server, &before);
	fd = begin_pop1(server, command, split->whole_octets);
	client_send(fd, "RCEV\r\n");
	expect_octets(fd, split->whole, split->whole_octets);
	mailbox_must_be(server, FRED, split->bytes, split->length);
	client_say(fd, "RCVD", "+OK");
	left = split_without(split, deleted, &length);
	mailbox_must_be(server, FRED, left, length);
	same_file(server, &before);
	quit(fd);
	free(left);
	free(deleted);
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

/* A growing piece of memory. */
struct text {
	char *bytes;
	size_t length, room;
};

static void
add(struct text *text, const void *bytes, size_t length)
{
	if (text->bytes == NULL || text->length + length > text->room) {
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

#endif
