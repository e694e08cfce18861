/*
 * meddle.h - what other programs may do to a mailbox that is in use.
 *
 * Test code alone.  Whatever it is, a client that then asks for a delete is
 * told that it was not done, and the file stays as the other one left it.
 */
#ifndef MEDDLE_H
#define MEDDLE_H

#include <fcntl.h>
#include <unistd.h>

#include "walk.h"

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
	unsigned char *deleted = choose(split, &delete_all);
	struct text left = { NULL, 0, 0 };
	size_t length;
	char *kept;
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
	i = split->messages[0].offset;
	while (bytes[i] != '\n')
		i++;
	for (; i < split->length; i++)
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

/* The old file lives on under another name. */
static void
move_away(const struct server *server, const struct split *split)
{
	char other[700];

	(void)snprintf(other, sizeof(other), "%s.old",
	    mailbox_path(server, FRED));
	ATF_REQUIRE(rename(mailbox_path(server, FRED), other) == 0);
	put_mailbox(server, split);
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
	{ "moved away and made anew", move_away },
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

#endif
