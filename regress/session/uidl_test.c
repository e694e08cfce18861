/*
 * uidl_test.c - unique ids: the same for as long as the message is there,
 * and another one for every message.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pop3_client.h"

#define FROM		"From a@example.org Sat Nov 21 23:33:00 2026\n"
#define SAME		FROM "Subject: same\n\nthe same\n\n"
#define OTHER		FROM "Subject: other\n\nanother\n\n"
#define THIRD		FROM "Subject: third\n\nthe third\n\n"

#define UIDS_MAX	20

struct uids {
	unsigned int count;
	char id[UIDS_MAX][80];
};

/* All ids, in a session of their own. */
static void
ask(const struct server *server, struct uids *uids)
{
	int fd = pop3_login(server, 0, FRED, FRED_PASSWORD);
	size_t length;
	char *text = pop3_ask(fd, "UIDL", &length), *rest = text, *line;
	unsigned int number;

	memset(uids, 0, sizeof(*uids));	/* they are compared whole */
	while ((line = strsep(&rest, "\r")) != NULL && *line != '\0') {
		ATF_REQUIRE(uids->count < UIDS_MAX);
		ATF_REQUIRE(sscanf(line, " %u %79s", &number,
		    uids->id[uids->count++]) == 2);
		ATF_REQUIRE_EQ(uids->count, number);
		if (rest != NULL)
			rest++;
		if (rest == NULL || *rest == '\0')
			break;
	}
	free(text);
	pop3_quit(fd);
}

static void
give_to_fred(const char *path)
{
	if (geteuid() == 0)
		ATF_REQUIRE(chown(path, FRED_UID, FRED_UID) == 0);
}

/* With three messages, all in cur. */
static void
make_maildir(const char *box, const char *const *names)
{
	static const char *const parts[] = { "", "/new", "/cur", "/tmp" };
	char path[600];
	size_t i;

	for (i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", box, parts[i]);
		ATF_REQUIRE(mkdir(path, 0700) == 0);
		give_to_fred(path);
	}
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/cur/%s:2,S", box,
		    names[i]);
		file_write(path, "Subject: a\n\nb\n", 14);
		give_to_fred(path);
	}
}

static void
write_box(const struct server *server, const char *text)
{
	mailbox_write(server, FRED, text, strlen(text));
}

/* Deletes one message, in a session without UIDL. */
static void
delete(const struct server *server, unsigned int number)
{
	int fd = pop3_login(server, 0, FRED, FRED_PASSWORD);
	char command[40];

	(void)snprintf(command, sizeof(command), "DELE %u", number);
	client_say(fd, command, "+OK");
	pop3_quit(fd);
}

/* A file in the state directory of fred's. */
static void
state_file(const struct server *server, const char *name, char *path,
    size_t size)
{
	char pattern[600];
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), "%s/state/*.fred",
	    server->directory);
	ATF_REQUIRE(glob(pattern, 0, NULL, &found) == 0);
	(void)snprintf(path, size, "%s/%s", found.gl_pathv[0], name);
	globfree(&found);
}

static void
must_differ(const struct uids *uids)
{
	unsigned int i, j;

	for (i = 0; i < uids->count; i++) {
		ATF_CHECK(strlen(uids->id[i]) >= 1 &&
		    strlen(uids->id[i]) <= 70);
		for (j = 0; j < i; j++)
			ATF_CHECK(strcmp(uids->id[i], uids->id[j]) != 0);
	}
}

/* Over a restart, a delivery, and the deletion of others. */
ATF_TC_WITHOUT_HEAD(lasting);
ATF_TC_BODY(lasting, tc)
{
	struct server server;
	struct uids first, now;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME OTHER THIRD);
	ask(&server, &first);
	ATF_REQUIRE_EQ(3, first.count);
	must_differ(&first);
	server_stop(&server);
	server_run(&server);
	ask(&server, &now);
	ATF_CHECK(memcmp(&first, &now, sizeof(first)) == 0);
	delete(&server, 1);
	ask(&server, &now);
	ATF_CHECK_EQ(2, now.count);
	ATF_CHECK_STREQ(first.id[1], now.id[0]);
	ATF_CHECK_STREQ(first.id[2], now.id[1]);
	write_box(&server, OTHER FROM "Subject: new\n\n\n" THIRD SAME);
	ask(&server, &now);
	ATF_CHECK_EQ(4, now.count);
	must_differ(&now);
	ATF_CHECK_STREQ(first.id[1], now.id[0]);
	ATF_CHECK_STREQ(first.id[2], now.id[2]);
	ATF_CHECK_STREQ(first.id[0], now.id[3]);
	server_stop(&server);
}

/* What mail readers and other servers write is not the message. */
static const char *const rewritten[] = {
	FROM "Subject: same\nStatus: RO\n\nthe same\n\n" OTHER,
	FROM "Status: O\nX-Status: AF\nSubject: same\nContent-Length: 9\n"
	    "Lines: 1\n\nthe same\n\n" OTHER,
	FROM "X-IMAPbase: 1234567890 0000000012 NonJunk\n"
	    "X-Keywords: NonJunk\n\tfolded, too\nX-UID: 11\nSubject: same\n"
	    "\nthe same\n\n" OTHER,
	FROM "x-imap: 1 2\nSubject: same\nX-UIDL: `!!\"!abcdef\n"
	    "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"
	    "X-Mozilla-Keys:                \n"
	    "Replied: Sat, 21 Nov 2026\nReplied: fred\n joe\n"
	    "Forwarded: x\nResent: y\n\nthe same\n\n" OTHER,
	FROM "Subject: same\n\nthe same\n\n\n\n\n" OTHER,	/* empty lines */
	"From a@example.org Sat Nov 21 23:33:00 2026\r\nSubject: same\r\n\r\n"
	    "the same\r\n\r\n" OTHER,
};

ATF_TC_WITHOUT_HEAD(rewritten_by_others);
ATF_TC_BODY(rewritten_by_others, tc)
{
	struct server server;
	struct uids first, now;
	size_t i;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME OTHER);
	ask(&server, &first);
	for (i = 0; i < sizeof(rewritten) / sizeof(rewritten[0]); i++) {
		write_box(&server, rewritten[i]);
		ask(&server, &now);
		ATF_CHECK_EQ(2, now.count);
		ATF_CHECK_MSG(strcmp(first.id[0], now.id[0]) == 0,
		    "%s", rewritten[i]);
		ATF_CHECK_STREQ(first.id[1], now.id[1]);
	}
	server_stop(&server);
}

/* Anything else is another message. */
static const char *const different[] = {
	"From b@example.org Sat Nov 21 23:33:00 2026\n"
	    "Subject: same\n\nthe same\n\n",
	"From a@example.org Sat Nov 21 23:33:01 2026\n"
	    "Subject: same\n\nthe same\n\n",
	FROM "Subject: same\n\nthe  same\n\n",
	FROM "Subject: same\n\n\nthe same\n\n",
	FROM "Subject:  same\n\nthe same\n\n",
	FROM "Subject: same\nX-Statuss: x\n\nthe same\n\n",
	FROM "Subject: same\nX-Other: a\n Status: b\n\nthe same\n\n",
	FROM "Subject: same\n\nStatus: RO\n\nthe same\n\n",
	FROM "Subject: same\n\nthe same\n.\n\n",
};

ATF_TC_WITHOUT_HEAD(other_messages);
ATF_TC_BODY(other_messages, tc)
{
	struct server server;
	struct uids all = { 1, { "" } }, now;
	size_t i;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME);
	ask(&server, &all);
	for (i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
		write_box(&server, different[i]);
		ask(&server, &now);
		ATF_CHECK_EQ(1, now.count);
		(void)strlcpy(all.id[all.count++], now.id[0],
		    sizeof(all.id[0]));
	}
	must_differ(&all);
	server_stop(&server);
}

/*
 * Equal messages: each has its own id, and keeps it whichever of the others
 * is deleted, and over restarts.
 */
ATF_TC_WITHOUT_HEAD(equal_messages);
ATF_TC_BODY(equal_messages, tc)
{
	struct server server;
	struct uids first, now;
	unsigned int gone, i, j;

	(void)tc;
	server_start(&server, POP3);
	for (gone = 0; gone < 4; gone++) {
		write_box(&server, SAME SAME OTHER SAME);
		ask(&server, &first);
		ATF_REQUIRE_EQ(4, first.count);
		must_differ(&first);
		delete(&server, gone + 1);
		server_stop(&server);
		server_run(&server);
		ask(&server, &now);
		ATF_REQUIRE_EQ(3, now.count);
		for (i = j = 0; i < 4; i++)
			if (i != gone)
				ATF_CHECK_STREQ(first.id[i], now.id[j++]);
		/* One that comes now is none of them. */
		if (gone == 0) {
			write_box(&server, SAME OTHER SAME SAME);
			ask(&server, &now);
			must_differ(&now);
			ATF_CHECK_STREQ(first.id[1], now.id[0]);
			ATF_CHECK_STREQ(first.id[3], now.id[2]);
			ATF_CHECK(strcmp(first.id[0], now.id[3]) != 0);
		}
		delete(&server, 1);
		while (now.count > 1) {
			delete(&server, 1);
			ask(&server, &now);
		}
		delete(&server, 1);
	}
	server_stop(&server);
}

/* Notes of other programs make no difference, and a body does. */
ATF_TC_WITHOUT_HEAD(equal_but_for_notes);
ATF_TC_BODY(equal_but_for_notes, tc)
{
	struct server server;
	struct uids first, now;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, FROM "Subject: same\n\nanother body\n\n" SAME
	    FROM "Status: RO\nSubject: same\n\nthe same\n\n" OTHER);
	ask(&server, &first);
	must_differ(&first);
	delete(&server, 2);
	ask(&server, &now);
	ATF_REQUIRE_EQ(3, now.count);
	ATF_CHECK_STREQ(first.id[0], now.id[0]);
	ATF_CHECK_STREQ(first.id[2], now.id[1]);
	ATF_CHECK_STREQ(first.id[3], now.id[2]);
	server_stop(&server);
}

/*
 * The time goes by a message's octets, not by its octets times its lines: that
 * would be minutes.
 */
ATF_TC(short_lines);
ATF_TC_HEAD(short_lines, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(short_lines, tc)
{
	static const char begin[] = FROM "Subject: short\n\n";
	const size_t size = 24UL << 20;
	struct server server;
	struct uids first, now;
	char *text = malloc(size);
	size_t i;

	(void)tc;
	ATF_REQUIRE(text != NULL);
	for (i = 0; i < size; i++)
		text[i] = i % 2 == 0 ? 'a' : '\n';
	memcpy(text, begin, sizeof(begin) - 1);
	text[size - 2] = '\n';
	server_start(&server, POP3);
	mailbox_write(&server, FRED, text, size);
	free(text);
	ask(&server, &first);
	ATF_REQUIRE_EQ(1, first.count);
	ask(&server, &now);
	ATF_CHECK_STREQ(first.id[0], now.id[0]);
	server_stop(&server);
}

/* In one session: two of them go, and one deletion is taken back. */
ATF_TC_WITHOUT_HEAD(equal_in_one_session);
ATF_TC_BODY(equal_in_one_session, tc)
{
	struct server server;
	struct uids first, now;
	char uid[80];
	int fd;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME SAME SAME SAME);
	ask(&server, &first);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "DELE 4", "+OK");
	client_say(fd, "RSET", "+OK");
	client_say(fd, "DELE 1", "+OK");
	client_say(fd, "DELE 3", "+OK");
	pop3_uid(fd, 2, uid, sizeof(uid));
	ATF_CHECK_STREQ(first.id[1], uid);
	pop3_quit(fd);
	ask(&server, &now);
	ATF_CHECK_EQ(2, now.count);
	ATF_CHECK_STREQ(first.id[1], now.id[0]);
	ATF_CHECK_STREQ(first.id[3], now.id[1]);
	server_stop(&server);
}

/* What cannot be written is not deleted, and the ids stay as they are. */
ATF_TC_WITHOUT_HEAD(equal_in_a_read_only_mailbox);
ATF_TC_BODY(equal_in_a_read_only_mailbox, tc)
{
	struct server server;
	struct uids first, now;
	int fd;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME SAME);
	ask(&server, &first);
	ATF_REQUIRE(chmod(mailbox_path(&server, FRED), 0400) == 0);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "DELE 1", "+OK");
	client_say(fd, "QUIT", "-ERR [SYS/PERM] the mailbox may not be ");
	client_expect_close(fd);
	ask(&server, &now);
	ATF_CHECK(memcmp(&first, &now, sizeof(first)) == 0);
	server_stop(&server);
}

/*
 * A commit that fails has announced a deletion that did not come: the ids
 * are as before, and when it comes after all, as they must be then.
 */
ATF_TC_WITHOUT_HEAD(equal_after_a_failed_commit);
ATF_TC_BODY(equal_after_a_failed_commit, tc)
{
	struct server server;
	struct uids first, now;
	int fd;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME SAME OTHER);
	ask(&server, &first);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "UIDL 1", "+OK");
	client_say(fd, "DELE 1", "+OK");
	write_box(&server, OTHER SAME SAME);
	client_say(fd, "QUIT", "-ERR [SYS/TEMP] ");
	client_expect_close(fd);
	write_box(&server, SAME SAME OTHER);
	ask(&server, &now);
	ATF_CHECK(memcmp(&first, &now, sizeof(first)) == 0);
	/* As if the store had been killed right behind the deletion. */
	write_box(&server, SAME OTHER);
	ask(&server, &now);
	ATF_CHECK_EQ(2, now.count);
	ATF_CHECK_STREQ(first.id[1], now.id[0]);
	ATF_CHECK_STREQ(first.id[2], now.id[1]);
	server_stop(&server);
}

/* A file of ordinals that is not fit costs nothing but the ordinals. */
ATF_TC_WITHOUT_HEAD(damaged_ordinals);
ATF_TC_BODY(damaged_ordinals, tc)
{
	static const char *const texts[] = { "", "x", "\n",
	    "0123456789abcdef0123456789abcdef 0000000000 +\n",
	    "0123456789abcdef0123456789abcdeg 0000000001 +\n",
	    "0123456789abcdef0123456789abcdef 4294967296 +\n",
	    "0123456789abcdef0123456789abcdef -000000001 +\n",
	    "0123456789abcdef0123456789abcdef 0000000001 *\n",
	    ("0123456789abcdef0123456789abcdef 0000000001 +\n"
	    "0123456789abcdef0123456789abcdef 000000000x +\n") };
	struct server server;
	struct uids first, now;
	char path[600];
	size_t i;

	(void)tc;
	server_start(&server, POP3);
	write_box(&server, SAME SAME OTHER);
	ask(&server, &first);
	state_file(&server, "uids", path, sizeof(path));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		file_write(path, texts[i], strlen(texts[i]));
		ATF_REQUIRE(chmod(path, 0644) == 0);
		ask(&server, &now);
		ATF_CHECK_MSG(memcmp(&first, &now, sizeof(first)) == 0,
		    "\"%s\"", texts[i]);
	}
	ATF_REQUIRE(unlink(path) == 0 && mkfifo(path, 0666) == 0);
	ask(&server, &now);
	ATF_CHECK(memcmp(&first, &now, sizeof(first)) == 0);
	server_stop(&server);
}

/* The ids that Dovecot and UW have left in the mailbox. */
static const char foreign_box[] =
    FROM "X-IMAPbase: 1234567890 0000000012\nX-UID: 3\nSubject: a\n\na\n\n"
    FROM "X-UID: 10\nSubject: b\n\nb\n\n"
    FROM "Subject: without\n\nc\n\n"
    FROM "X-UID: 9\nSubject: does not rise\n\nd\n\n"
    FROM "X-UID: 12\nSubject: e\n\ne\n\n"
    FROM "X-UID: 13\nSubject: was never given\n\nf\n\n"
    FROM "X-IMAPbase: 1 99\nX-UID: 50\nSubject: a sender's own\n\ng\n\n";

static void
must_be_without_first(const struct server *server, const struct uids *before)
{
	struct uids now;
	unsigned int i;

	ask(server, &now);
	ATF_REQUIRE_EQ(before->count - 1, now.count);
	for (i = 0; i < now.count; i++)
		ATF_CHECK_STREQ(before->id[i + 1], now.id[i]);
}

static void
foreign(const char *setting, const char *const *expected)
{
	static const char *const bases[] = { "", "0", "0000000001\n",
	    "0000000001 00000000x9\n", "0000000000 0000000099\n",
	    "9999999999 9999999999\n" };
	struct server server;
	struct uids native, now, bad;
	char extra[200], path[600];
	unsigned int i;
	int fd;

	server_start(&server, POP3);
	write_box(&server, foreign_box);
	ask(&server, &native);
	server_stop(&server);
	(void)snprintf(extra, sizeof(extra), POP3 "listen auto 127.0.0.1 port "
	    "0\nuidl %s\n", setting);
	server_start(&server, extra);
	write_box(&server, foreign_box);
	ask(&server, &now);
	ATF_REQUIRE_EQ(7, now.count);
	must_differ(&now);
	for (i = 0; i < now.count; i++)
		ATF_CHECK_STREQ(expected[i] != NULL ? expected[i] :
		    native.id[i], now.id[i]);
	/* The first had the mailbox's numbers, and the others keep theirs. */
	delete(&server, 1);
	must_be_without_first(&server, &now);
	server_stop(&server);
	server_run(&server);
	must_be_without_first(&server, &now);
	/* Also where nobody has asked for an id before; and by POP2. */
	for (i = 0; i < 2; i++) {
		state_file(&server, "uid-base", path, sizeof(path));
		ATF_REQUIRE(unlink(path) == 0);
		write_box(&server, foreign_box);
		if (i == 0)
			delete(&server, 1);
		else {
			fd = pop2_login(&server, 1, FRED, FRED_PASSWORD, "#7");
			client_say(fd, "READ 1", "=");
			client_send(fd, "RETR\r\n");
			client_expect(fd, "X-IMAPbase: 1234567890 0000000012"
			    "\r\nX-UID: 3\r\nSubject: a\r\n\r\na\r\n");
			client_say(fd, "ACKD", "=");
			client_say(fd, "QUIT", "+");
			client_expect_close(fd);
		}
		must_be_without_first(&server, &now);
	}
	/*
	 * A stranger's message that has become the first gives no ids, nor
	 * does a new mailbox; it changes nothing for later.
	 */
	write_box(&server, FROM "X-IMAPbase: 1 4000000000\nX-UID: 13\n"
	    "Subject: s\n\ns\n\n" FROM "X-UID: 10\nSubject: b\n\nb\n\n");
	ask(&server, &bad);
	ATF_REQUIRE_EQ(2, bad.count);
	ATF_CHECK_EQ(32, strlen(bad.id[0]));
	ATF_CHECK_EQ(32, strlen(bad.id[1]));
	log_must_have(&server, "file=uid-base error=\"the first message has");
	write_box(&server, FROM "X-UID: 10\nSubject: b\n\nb\n\n");
	ask(&server, &bad);
	ATF_REQUIRE_EQ(1, bad.count);
	ATF_CHECK_STREQ(expected[1], bad.id[0]);
	/* What is there is not believed, whatever it is. */
	write_box(&server, strstr(foreign_box + 1, FROM));
	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		file_write(path, bases[i], strlen(bases[i]));
		ask(&server, &bad);
		ATF_REQUIRE_EQ(6, bad.count);
		must_differ(&bad);
		ATF_CHECK_STREQ(native.id[1], bad.id[0]);
	}
	/* Another mailbox is another. */
	write_box(&server, OTHER FROM "X-IMAPbase: 5 7\nX-UID: 6\n\nh\n\n");
	ask(&server, &bad);
	ATF_CHECK_EQ(2, bad.count);
	ATF_CHECK_EQ(32, strlen(bad.id[0]));
	ATF_CHECK_EQ(32, strlen(bad.id[1]));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(dovecot);
ATF_TC_BODY(dovecot, tc)
{
	static const char *const expected[] = { "00000003499602d2",
	    "0000000a499602d2", NULL, NULL, "0000000c499602d2", NULL, NULL };

	(void)tc;
	foreign("dovecot", expected);
}

ATF_TC_WITHOUT_HEAD(uw);
ATF_TC_BODY(uw, tc)
{
	static const char *const expected[] = { "499602d200000003",
	    "499602d20000000a", NULL, NULL, "499602d20000000c", NULL, NULL };

	(void)tc;
	foreign("uw", expected);
}

/* Dovecot's list in a Maildir: each line for itself, and what is none. */
ATF_TC_WITHOUT_HEAD(uidlist);
ATF_TC_BODY(uidlist, tc)
{
	static const struct {
		const char *text, *ids[3];	/* NULL: its own */
	} lists[] = {
		{ "3 V16 N9 Gx\n1 :100.a\n2 :101.b,S=3:2,S\n3 :102.c:2,\n",
		    { "0000000100000010", "0000000200000010",
		    "0000000300000010" } },
		/* The order and what is not there are no matter. */
		{ "3 V255 N9\n1 W1 S2 :102.c\n5 :gone\n7 :100.a\n",
		    { "00000007000000ff", NULL, "00000001000000ff" } },
		/* Numbers that do not rise, or are none. */
		{ "3 V1 N9\n5 :100.a\n5 :101.b\n4 :102.c\n",
		    { "0000000500000001", NULL, NULL } },
		{ "3 V1 N9\n0 :100.a\n4294967296 :101.b\n-1 :102.c\n",
		    { NULL, NULL, NULL } },
		{ "3 V1 N9\n 1 :100.a\n0x2 :101.b\n3:102.c\n",
		    { NULL, NULL, NULL } },
		{ "3 V1 N9\n99999999999999999999999 :100.a\n2 :101.b\n",
		    { NULL, "0000000200000001", NULL } },
		{ "3 V1 N9\n1 :100.a\n4294967295 :102.c\n",
		    { "0000000100000001", NULL, "ffffffff00000001" } },
		/* One name twice: there are two numbers, and one message. */
		{ "3 V1 N9\n1 :100.a\n2 :100.a:2,S\n",
		    { "0000000200000001", NULL, NULL } },
		/* No end, no number, no version that is known, no line. */
		{ "3 V1 N9\n1 :100.a\n2 :101.b",
		    { "0000000100000001", NULL, NULL } },
		{ "3 V0 N9\n1 :100.a\n", { NULL, NULL, NULL } },
		{ "3 V4294967296 N9\n1 :100.a\n", { NULL, NULL, NULL } },
		{ "1 16 9\n1 100.a\n", { NULL, NULL, NULL } },
		{ "3 V1\n1 :100.a\n", { NULL, NULL, NULL } },
		{ "\n3 V1 N1\n1 :100.a\n", { NULL, NULL, NULL } },
		{ "", { NULL, NULL, NULL } },
		{ "3 V1 N9\n1 :\n2 ::\n3 :../100.a\n4 :102.c\n",
		    { NULL, NULL, "0000000400000001" } },
	};
	static char large[200000];
	static const char *const names[] = { "100.a", "101.b", "102.c" };
	struct server server;
	struct uids now;
	char box[300], path[600];
	size_t i, j;

	(void)tc;
	server_start(&server, POP3 "uidl dovecot\n");
	(void)snprintf(box, sizeof(box), "%s", mailbox_path(&server, FRED));
	make_maildir(box, names);
	(void)snprintf(path, sizeof(path), "%s/dovecot-uidlist", box);
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		file_write(path, lists[i].text, strlen(lists[i].text));
		give_to_fred(path);
		ask(&server, &now);
		ATF_REQUIRE_EQ(3, now.count);
		must_differ(&now);
		for (j = 0; j < 3; j++)
			ATF_CHECK_MSG(strcmp(now.id[j],
			    lists[i].ids[j] != NULL ? lists[i].ids[j] :
			    names[j]) == 0, "list %zu: %s", i, now.id[j]);
	}
	/* A line longer than any, and one behind it. */
	(void)strlcpy(large, "3 V1 N9\n1 :", sizeof(large));
	memset(large + strlen(large), 'x', sizeof(large) - 80 - strlen(large));
	(void)strlcpy(large + sizeof(large) - 80, "\n2 :101.b\n", 80);
	file_write(path, large, strlen(large));
	ask(&server, &now);
	ATF_CHECK_STREQ("100.a", now.id[0]);
	ATF_CHECK_STREQ("0000000200000001", now.id[1]);
	/* A link, and a pipe, are not opened. */
	ATF_REQUIRE(rename(path, "list") == 0 &&
	    symlink("list", path) == 0);
	ask(&server, &now);
	ATF_CHECK_STREQ("101.b", now.id[1]);
	ATF_REQUIRE(unlink(path) == 0 && mkfifo(path, 0644) == 0);
	ask(&server, &now);
	ATF_CHECK_STREQ("101.b", now.id[1]);
	server_stop(&server);
}

/* popa3d's ids, which it makes of the header, and which must not be shared. */
ATF_TC_WITHOUT_HEAD(popa3d);
ATF_TC_BODY(popa3d, tc)
{
	static const char one[] = FROM "Received: from x by y;\n\tSat\n"
	    "Date: Sat, 21 Nov 2026 23:34:00 +0000\nSubject: a\n\na\n\n";
	static const char none[] = FROM "Subject: b\n\nb\n\n";
	struct server server;
	struct uids now, after;
	char box[1000];

	(void)tc;
	server_start(&server, POP3 "uidl popa3d\n");
	(void)snprintf(box, sizeof(box), "%s%s" OTHER, one, none);
	write_box(&server, box);
	ask(&server, &now);
	ATF_REQUIRE_EQ(3, now.count);
	/* As popa3d 1.0.3 has it. */
	ATF_CHECK_STREQ("d7b5c876ddabcdc4", now.id[0]);
	/* No such line: the server's own id. */
	ATF_CHECK_EQ(32, strlen(now.id[1]));
	must_differ(&now);
	/* The others stay what they are without it. */
	delete(&server, 2);
	ask(&server, &after);
	ATF_CHECK_STREQ(now.id[0], after.id[0]);
	ATF_CHECK_STREQ(now.id[2], after.id[1]);
	/* Two with one id of popa3d's: neither has it, and they differ. */
	(void)snprintf(box, sizeof(box), "%s%s" OTHER "%s", one, one, one);
	write_box(&server, box);
	ask(&server, &now);
	ATF_REQUIRE_EQ(4, now.count);
	must_differ(&now);
	ATF_CHECK_EQ(32, strlen(now.id[0]));
	ATF_CHECK(strcmp("d7b5c876ddabcdc4", now.id[1]) != 0);
	/* A date alone is of all that a second has brought. */
	write_box(&server, FROM "Delivered-To: fred\nDate: x\n\na\n\n"
	    FROM "Delivered-To: fred\nMessage-ID: x\n\na\n\n");
	ask(&server, &now);
	ATF_REQUIRE_EQ(2, now.count);
	ATF_CHECK_EQ(32, strlen(now.id[0]));
	ATF_CHECK_EQ(16, strlen(now.id[1]));
	/* A header that does not end, and one of a single long line. */
	write_box(&server, FROM "Date: x");
	ask(&server, &now);
	ATF_CHECK_EQ(1, now.count);
	write_box(&server, FROM "\n\n");
	ask(&server, &now);
	ATF_CHECK_EQ(1, now.count);
	server_stop(&server);
}

/* The default mailbox is the path that `with` says. */
static void
start_with(struct server *server, const char *with)
{
	char *config, *line, *end;

	server_prepare(server, POP3);
	config = file_read(server->config, NULL);
	line = strstr(config, "mailbox ");
	ATF_REQUIRE(line != NULL && (end = strchr(line, '\n')) != NULL);
	ATF_REQUIRE((size_t)(end - line) > strlen(with) + 8);
	memset(line + 8, ' ', (size_t)(end - line) - 8);
	memcpy(line + 8, with, strlen(with));
	file_write(server->config, config, strlen(config));
	free(config);
	server_run(server);
}

/* MH's numbers change; the content is what stays. */
ATF_TC_WITHOUT_HEAD(mh);
ATF_TC_BODY(mh, tc)
{
	static const char same[] = "Subject: same\n\nthe same\n",
	    other[] = "Subject: other\n\nanother\n";
	struct server server;
	struct uids first, now;
	char from[600], to[600];

	(void)tc;
	start_with(&server, "~/mail/inbox");
	folder_write(&server, FRED, "mail/inbox/3", same, strlen(same));
	folder_write(&server, FRED, "mail/inbox/5", other, strlen(other));
	folder_write(&server, FRED, "mail/inbox/7", same, strlen(same));
	ask(&server, &first);
	ATF_REQUIRE_EQ(3, first.count);
	must_differ(&first);
	(void)snprintf(from, sizeof(from), "%s/home/fred/mail/inbox/7",
	    server.directory);
	(void)snprintf(to, sizeof(to), "%s/home/fred/mail/inbox/6",
	    server.directory);
	ATF_REQUIRE(rename(from, to) == 0);
	delete(&server, 1);
	ask(&server, &now);
	ATF_CHECK_EQ(2, now.count);
	ATF_CHECK_STREQ(first.id[1], now.id[0]);
	ATF_CHECK_STREQ(first.id[2], now.id[1]);
	server_stop(&server);
}

/* A name that looks like another one's with an ordinal is not that. */
ATF_TC_WITHOUT_HEAD(maildir_ordinals);
ATF_TC_BODY(maildir_ordinals, tc)
{
	static const char *const names[] = { "new/1.a", "cur/1.a:2,S",
	    "cur/1.a.2:2,S", "cur/1.a,S=5:2,", "tmp/x" };
	struct server server;
	struct uids uids;
	char path[100];
	size_t i;

	(void)tc;
	start_with(&server, "~/mail/Maildir");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "mail/Maildir/%s",
		    names[i]);
		folder_write(&server, FRED, path, "a\n\nb\n", 5);
	}
	ask(&server, &uids);
	ATF_REQUIRE_EQ(4, uids.count);
	must_differ(&uids);
	server_stop(&server);
}

/* A Maildir's unique names, without flags and sizes that others add. */
ATF_TC_WITHOUT_HEAD(maildir);
ATF_TC_BODY(maildir, tc)
{
	static const char message[] = "Subject: same\n\nthe same\n";
	struct server server;
	struct uids first, now;
	char from[600], to[600];

	(void)tc;
	start_with(&server, "~/mail/Maildir");
	folder_write(&server, FRED, "mail/Maildir/new/1000.a.host", message,
	    strlen(message));
	folder_write(&server, FRED, "mail/Maildir/cur/1001.b.host:2,S",
	    message, strlen(message));
	folder_write(&server, FRED, "mail/Maildir/tmp/x", "", 0);
	ask(&server, &first);
	ATF_REQUIRE_EQ(2, first.count);
	ATF_CHECK_STREQ("1000.a.host", first.id[0]);
	ATF_CHECK_STREQ("1001.b.host", first.id[1]);
	(void)snprintf(from, sizeof(from), "%s/home/fred/mail/Maildir/"
	    "new/1000.a.host", server.directory);
	(void)snprintf(to, sizeof(to), "%s/home/fred/mail/Maildir/"
	    "cur/1000.a.host,S=24:2,FS", server.directory);
	ATF_REQUIRE(rename(from, to) == 0);
	ask(&server, &now);
	ATF_CHECK(memcmp(&first, &now, sizeof(first)) == 0);
	delete(&server, 1);
	ask(&server, &now);
	ATF_CHECK_EQ(1, now.count);
	ATF_CHECK_STREQ(first.id[1], now.id[0]);
	server_stop(&server);
}

/* What becomes readable in the session: it never makes the counts wrong. */
ATF_TC_WITHOUT_HEAD(unreadable_at_first);
ATF_TC_BODY(unreadable_at_first, tc)
{
	static const char message[] = "Subject: one\n\nonly\n";
	struct server server;
	char path[600];
	int fd;

	(void)tc;
	start_with(&server, "~/mail/Maildir");
	folder_write(&server, FRED, "mail/Maildir/new/1000.a.host", message,
	    strlen(message));
	folder_write(&server, FRED, "mail/Maildir/cur/1001.b.host:2,",
	    message, strlen(message));
	folder_write(&server, FRED, "mail/Maildir/tmp/x", "", 0);
	(void)snprintf(path, sizeof(path), "%s/home/fred/mail/Maildir/cur/"
	    "1001.b.host:2,", server.directory);
	ATF_REQUIRE(chmod(path, 0) == 0);
	fd = pop3_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "STAT", "+OK 1 22");
	ATF_REQUIRE(chmod(path, 0600) == 0);
	client_say(fd, "DELE 2", "+OK");
	client_say(fd, "STAT", "+OK 1 22");
	client_say(fd, "RSET", "+OK");
	client_say(fd, "STAT", "+OK 2 44");
	client_say(fd, "DELE 2", "+OK");
	client_say(fd, "DELE 1", "+OK");
	client_say(fd, "STAT", "+OK 0 0");
	pop3_quit(fd);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unreadable_at_first);
	ATF_TP_ADD_TC(tp, lasting);
	ATF_TP_ADD_TC(tp, rewritten_by_others);
	ATF_TP_ADD_TC(tp, other_messages);
	ATF_TP_ADD_TC(tp, equal_messages);
	ATF_TP_ADD_TC(tp, equal_but_for_notes);
	ATF_TP_ADD_TC(tp, short_lines);
	ATF_TP_ADD_TC(tp, equal_in_one_session);
	ATF_TP_ADD_TC(tp, equal_in_a_read_only_mailbox);
	ATF_TP_ADD_TC(tp, equal_after_a_failed_commit);
	ATF_TP_ADD_TC(tp, damaged_ordinals);
	ATF_TP_ADD_TC(tp, dovecot);
	ATF_TP_ADD_TC(tp, uw);
	ATF_TP_ADD_TC(tp, uidlist);
	ATF_TP_ADD_TC(tp, popa3d);
	ATF_TP_ADD_TC(tp, mh);
	ATF_TP_ADD_TC(tp, maildir_ordinals);
	ATF_TP_ADD_TC(tp, maildir);
	return (atf_no_error());
}
