/*
 * passwd_file_test.c - lines of Postern's own file of users.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "log.h"
#include "passwd_file.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define NAME_127	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee" \
	"ffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkk" \
	"lllllllllmmmmmmmm"

static const struct {
	const char *line, *system_name;
	uid_t uid;
	gid_t gid;
	const char *home, *maildrop;
} good[] = {
	{ "fred:$h:", "fred", 0, 0, "", "" },
	{ "fred:$h:freddy", "freddy", 0, 0, "", "" },
	{ "fred:*:", "fred", 0, 0, "", "" },
	{ "fred::", "fred", 0, 0, "", "" },
	{ "fred:$h:5:6:/h:", "", 5, 6, "/h", "" },
	{ "fred:$h:5:6:/h:/m", "", 5, 6, "/h", "/m" },
	{ "fred:$h:1:1:/:/m", "", 1, 1, "/", "/m" },
	{ "fred:$h:4294967294:4294967294:/h:", "", 4294967294U, 4294967294U,
	    "/h", "" },
};

ATF_TC_WITHOUT_HEAD(good_lines);
ATF_TC_BODY(good_lines, tc)
{
	struct passwd_entry entry;
	const char *wrong;
	char line[PASSWD_LINE_SIZE];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(good); i++) {
		(void)strlcpy(line, good[i].line, sizeof(line));
		memset(&entry, 0xff, sizeof(entry));
		wrong = passwd_parse_line(line, &entry);
		ATF_REQUIRE_MSG(wrong == NULL, "%s: %s", good[i].line, wrong);
		ATF_CHECK_STREQ("fred", entry.account.user);
		ATF_CHECK_STREQ(good[i].system_name,
		    entry.account.system_name);
		ATF_CHECK_EQ(good[i].uid, entry.account.uid);
		ATF_CHECK_EQ(good[i].gid, entry.account.gid);
		ATF_CHECK_STREQ(good[i].home, entry.account.home);
		ATF_CHECK_STREQ(good[i].maildrop, entry.account.maildrop);
	}
}

static const struct {
	const char *line, *expected;
} bad[] = {
	{ "", "3 or 6 fields" },
	{ "fred", "3 or 6 fields" },
	{ "fred:$h", "3 or 6 fields" },
	{ "fred:$h:5:6", "3 or 6 fields" },
	{ "fred:$h:5:6:/h", "3 or 6 fields" },
	{ "fred:$h:5:6:/h::", "3 or 6 fields" },
	{ "fred:$h:5:6:/h:/m:x:y", "3 or 6 fields" },
	{ ":$h:", "user name" },
	{ " fred:$h:", "user name" },
	{ ".fred:$h:", "user name" },
	{ "-fred:$h:", "user name" },
	{ "fr/ed:$h:", "user name" },
	{ "../fred:$h:", "user name" },
	{ "fr ed:$h:", "user name" },
	{ "fr\xe9""d:$h:", "user name" },
	{ "fr%d:$h:", "user name" },
	{ NAME_127 "a:$h:", "user name" },
	{ "fred:$h:../root", "system account" },
	{ "fred:$h:a b", "system account" },
	{ "fred:$h:0:6:/h:", "uid" },
	{ "fred:$h:-1:6:/h:", "uid" },
	{ "fred:$h::6:/h:", "uid" },
	{ "fred:$h:5x:6:/h:", "uid" },
	{ "fred:$h:4294967295:6:/h:", "uid" },
	{ "fred:$h:4294967296:6:/h:", "uid" },
	{ "fred:$h:99999999999999999999:6:/h:", "uid" },
	{ "fred:$h:5:0:/h:", "gid" },
	{ "fred:$h:5::/h:", "gid" },
	{ "fred:$h:5:4294967295:/h:", "gid" },
	{ "fred:$h:5:6::", "home" },
	{ "fred:$h:5:6:h:", "home" },
	{ "fred:$h:5:6:/h:m", "maildrop" },
	{ "fred:$h:5:6:/h:/", "maildrop" },
	{ "fred:$h:5:6:/h:/m/", "maildrop" },
	{ "fred:$h:5:6:/h://m", "maildrop" },
	{ "fred:$h:5:6:/h:/a/./m", "maildrop" },
	{ "fred:$h:5:6:/h:/a/..", "maildrop" },
	{ "fred:$h:5:6:/h:/" NAME_127 NAME_127, "maildrop" },
};

ATF_TC_WITHOUT_HEAD(bad_lines);
ATF_TC_BODY(bad_lines, tc)
{
	struct passwd_entry entry;
	const char *wrong;
	char line[PASSWD_LINE_SIZE];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(bad); i++) {
		(void)strlcpy(line, bad[i].line, sizeof(line));
		wrong = passwd_parse_line(line, &entry);
		ATF_REQUIRE_MSG(wrong != NULL, "%s is taken", bad[i].line);
		ATF_CHECK_MSG(strstr(wrong, bad[i].expected) != NULL,
		    "%s: expected \"%s\", got \"%s\"", bad[i].line,
		    bad[i].expected, wrong);
	}
	(void)snprintf(line, sizeof(line), "%s:$h:", NAME_127);
	ATF_CHECK(passwd_parse_line(line, &entry) == NULL);
	ATF_CHECK_STREQ(NAME_127, entry.account.user);
}

/* A field of `length` bytes in `format`: too long to be copied whole. */
static void
long_field(const char *before, size_t length, const char *after, int taken)
{
	static char line[4 * PATH_SIZE];
	struct passwd_entry entry;

	(void)snprintf(line, sizeof(line), "%s/%0*d%s", before,
	    (int)length - 1, 0, after);
	ATF_CHECK_EQ_MSG(taken, passwd_parse_line(line, &entry) == NULL,
	    "%s %zu", before, length);
}

ATF_TC_WITHOUT_HEAD(long_fields);
ATF_TC_BODY(long_fields, tc)
{
	(void)tc;
	long_field("fred:", PASSWD_HASH_SIZE - 1, ":", 1);
	long_field("fred:", PASSWD_HASH_SIZE, ":", 0);
	long_field("fred:$h:5:6:", PATH_SIZE - 1, ":", 1);
	long_field("fred:$h:5:6:", PATH_SIZE, ":", 0);
	long_field("fred:$h:5:6:/h:", MAILDROP_LENGTH_MAX, "", 1);
	long_field("fred:$h:5:6:/h:", MAILDROP_LENGTH_MAX + 1, "", 0);
}

static void
write_octets(const char *text, size_t length, mode_t mode)
{
	(void)unlink("users");
	file_write("users", text, length);
	ATF_REQUIRE(chmod("users", mode) == 0);
}

static void
write_file(const char *text, mode_t mode)
{
	write_octets(text, strlen(text), mode);
}

static int
find(const char *user)
{
	struct passwd_entry entry;
	int found = passwd_find("users", user, 1, &entry);

	if (found == 1)
		ATF_CHECK_STREQ(user, entry.account.user);
	if (found == 0)
		ATF_CHECK_STREQ("", entry.account.user);
	return (found);
}

ATF_TC_WITHOUT_HEAD(finding);
ATF_TC_BODY(finding, tc)
{
	struct passwd_entry entry;

	(void)tc;
	log_to_stderr("test");
	write_file("# ann:$c:\n\nbad line\nfred:$h:5:6:/h:\n"
	    "fred:$2:7:8:/i:\nann:$a:", 0640);
	ATF_CHECK_EQ(1, find("fred"));
	ATF_CHECK_EQ(1, find("ann"));	/* no newline at the end */
	ATF_CHECK_EQ(0, find("fre"));
	ATF_CHECK_EQ(0, find("freda"));
	ATF_CHECK_EQ(0, find("FRED"));
	ATF_CHECK_EQ(0, find("bad line"));
	ATF_CHECK_EQ(0, find("#"));
	ATF_REQUIRE_EQ(1, passwd_find("users", "fred", 0, &entry));
	ATF_CHECK_STREQ("$h", entry.hash);	/* the first counts */
	write_file("", 0600);
	ATF_CHECK_EQ(0, find("fred"));
}

/* Lines behind the user's are read as well: the time tells nobody's place. */
ATF_TC_WITHOUT_HEAD(read_to_the_end);
ATF_TC_BODY(read_to_the_end, tc)
{
	static const char *const users[] = { "fred", "ghost" };
	struct passwd_entry entry;
	char *said;
	size_t i;
	int here, log;

	(void)tc;
	log_to_stderr("test");
	write_file("fred:$h:5:6:/h:\nghost:bad\nfred:bad\nann:$a:\n", 0640);
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE((here = dup(STDERR_FILENO)) != -1);
		log = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		ATF_REQUIRE(log != -1 && dup2(log, STDERR_FILENO) != -1);
		ATF_CHECK_EQ(i == 0, passwd_find("users", users[i], 1,
		    &entry));
		ATF_REQUIRE(dup2(here, STDERR_FILENO) != -1);
		(void)close(log);
		(void)close(here);
		said = file_read("said", NULL);
		ATF_CHECK_MSG(strstr(said, i == 0 ? "users:3: expected" :
		    "users:2: expected") != NULL, "%s: %s", users[i], said);
		ATF_CHECK_MSG(strstr(said, i == 0 ? "users:2" : "users:3") ==
		    NULL, "%s: %s", users[i], said);
		ATF_CHECK_STREQ(i == 0 ? "fred" : "", entry.account.user);
		ATF_CHECK_STREQ(i == 0 ? "$h" : "", entry.hash);
		free(said);
	}
}

/* A line that is too long is passed over, and not read as two. */
ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	static const size_t first[] = { PASSWD_LINE_SIZE - 14,
	    2 * PASSWD_LINE_SIZE - 14, PASSWD_READ_BYTES - 14,
	    PASSWD_READ_BYTES + PASSWD_LINE_SIZE - 14 };
	static char text[PASSWD_READ_BYTES + 2 * PASSWD_LINE_SIZE];
	size_t i, length;

	(void)tc;
	log_to_stderr("test");
	for (i = 0; i < COUNT(first); i++)
		for (length = first[i]; length < first[i] + 20; length++) {
			memset(text, 'x', sizeof(text));
			(void)strlcpy(text + length, "ann:$a:\nfred:$h:\n",
			    100);
			write_file(text, 0600);
			ATF_CHECK_EQ_MSG(0, find("ann"), "at %zu", length);
			ATF_CHECK_EQ_MSG(1, find("fred"), "at %zu", length);
		}
}

/* Each is found whole, also where it lies across two readings. */
ATF_TC_WITHOUT_HEAD(many_lines);
ATF_TC_BODY(many_lines, tc)
{
	static char text[4 * PASSWD_READ_BYTES];
	struct passwd_entry entry;
	char user[USER_SIZE], home[PATH_SIZE];
	size_t i, length = 0, count;

	(void)tc;
	log_to_stderr("test");
	for (count = 0; length < 3 * PASSWD_READ_BYTES; count++)
		length += (size_t)snprintf(text + length, 100,
		    "u%zu:$h:5:6:/%0*zu:\n", count, (int)(count % 37) + 4,
		    count);
	write_octets(text, length, 0600);
	for (i = 0; i < count; i++) {
		(void)snprintf(user, sizeof(user), "u%zu", i);
		(void)snprintf(home, sizeof(home), "/%0*zu",
		    (int)(i % 37) + 4, i);
		ATF_REQUIRE_EQ(1, passwd_find("users", user, (int)i % 2,
		    &entry));
		ATF_CHECK_STREQ(user, entry.account.user);
		ATF_CHECK_STREQ(home, entry.account.home);
	}
}

/*
 * A line is good as long as it fits, and no longer: with and without an end,
 * and another one behind it.
 */
ATF_TC_WITHOUT_HEAD(fitting_lines);
ATF_TC_BODY(fitting_lines, tc)
{
	static const char begin[] = "ann:$a:", end[] = "5:6:/h:";
	static const char *const behind[] = { "", "\n", "\nfred:$h:\n" };
	static char text[2 * PASSWD_LINE_SIZE];
	size_t i, length;

	(void)tc;
	log_to_stderr("test");
	for (i = 0; i < COUNT(behind); i++)
		for (length = PASSWD_LINE_SIZE - 4;
		    length < PASSWD_LINE_SIZE + 2; length++) {
			memset(text, '0', sizeof(text));
			memcpy(text, begin, strlen(begin));
			(void)snprintf(text + length - strlen(end), 100,
			    "%s%s", end, behind[i]);
			write_file(text, 0600);
			ATF_CHECK_EQ_MSG(length <= PASSWD_LENGTH_MAX,
			    find("ann"), "%zu of them, %zu", length, i);
			ATF_CHECK_EQ(i == 2, find("fred"));
		}
}

/* A line ends for its reader at a NUL; what is behind that is no other line. */
ATF_TC_WITHOUT_HEAD(lines_with_nul);
ATF_TC_BODY(lines_with_nul, tc)
{
	static const char first[] = "ann:$a:\n", hidden[] = "five:$h:",
	    behind[] = "\nfred:$h:\n";
	static char text[2 * PASSWD_LINE_SIZE];
	size_t at, length;

	(void)tc;
	log_to_stderr("test");
	for (at = PASSWD_LINE_SIZE - 16; at < PASSWD_LINE_SIZE + 4; at++) {
		memset(text, '0', sizeof(text));
		memcpy(text, first, strlen(first));
		length = strlen(first) + at;
		text[length++] = '\0';
		(void)snprintf(text + length, 100, "%s%s", hidden, behind);
		length += strlen(hidden) + strlen(behind);
		write_octets(text, length, 0600);
		ATF_CHECK_EQ(1, find("ann"));
		ATF_CHECK_EQ_MSG(0, find("five"), "at %zu", at);
		ATF_CHECK_EQ_MSG(1, find("fred"), "at %zu", at);
	}
}

ATF_TC_WITHOUT_HEAD(unfit_files);
ATF_TC_BODY(unfit_files, tc)
{
	static const struct {
		mode_t mode;
		int found;
	} modes[] = { { 0600, 1 }, { 0640, 1 }, { 0644, 1 }, { 0660, -1 },
	    { 0602, -1 }, { 0666, -1 } };
	size_t i;

	(void)tc;
	log_to_stderr("test");
	for (i = 0; i < COUNT(modes); i++) {
		write_file("fred:$h:\n", modes[i].mode);
		ATF_CHECK_EQ_MSG(modes[i].found, find("fred"), "mode %o",
		    (unsigned int)modes[i].mode);
	}
	ATF_REQUIRE(rename("users", "target") == 0);
	ATF_REQUIRE(chmod("target", 0600) == 0);
	ATF_CHECK_ERRNO(ENOENT, find("fred") == -1);
	ATF_REQUIRE(symlink("target", "users") == 0);
	ATF_CHECK_ERRNO(ELOOP, find("fred") == -1);
	ATF_REQUIRE(unlink("users") == 0 && mkfifo("users", 0600) == 0);
	ATF_CHECK_ERRNO(EPERM, find("fred") == -1);
	ATF_REQUIRE(unlink("users") == 0 && mkdir("users", 0700) == 0);
	ATF_CHECK_ERRNO(EPERM, find("fred") == -1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good_lines);
	ATF_TP_ADD_TC(tp, bad_lines);
	ATF_TP_ADD_TC(tp, long_fields);
	ATF_TP_ADD_TC(tp, finding);
	ATF_TP_ADD_TC(tp, read_to_the_end);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, many_lines);
	ATF_TP_ADD_TC(tp, fitting_lines);
	ATF_TP_ADD_TC(tp, lines_with_nul);
	ATF_TP_ADD_TC(tp, unfit_files);
	return (atf_no_error());
}
