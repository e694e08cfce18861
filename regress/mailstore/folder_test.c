/*
 * folder_test.c - folder names from strangers, and what they lead to.
 *
 * First the table of names, without a daemon; then folders through it.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "inbox.h"
#include "harness.h"
#include "log.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define ONE	"From ann@example.org Sat Nov 21 23:33:00 2026\n" \
		"Subject: one\n\nfirst\n\n"
#define TWO	"From bob@example.org Sun Nov 22 01:02:03 2026\n" \
		"Subject: two\n\nthe second\n\n"
#define BOTH	ONE TWO
#define ONE_MAIL	"Subject: one\n\nfirst\n"
#define TWO_MAIL	"Subject: two\n\nthe second\n"
#define ONE_WIRE "Subject: one\r\n\r\nfirst\r\n"
#define TWO_WIRE "Subject: two\r\n\r\nthe second\r\n"
#define BOTH_OCTETS "#149"

/* The place where the names of the first tests lead to. */
static struct ipc_store_config settings;
static char here[600];

static void
make_place(void)
{
	static const char *const directories[] = { "spool", "top", "top/a",
	    "top/a/b", "top/a/b/c", "top/foreign", "top/closed",
	    "top/ sp ace" };
	size_t i;

	log_to_stderr("folder_test");
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	for (i = 0; i < COUNT(directories); i++)
		ATF_REQUIRE(mkdir(directories[i], 0700) == 0);
	file_write("top/work", ONE, strlen(ONE));
	file_write("top/a/b/c/work", ONE, strlen(ONE));
	file_write("outside", ONE, strlen(ONE));
	ATF_REQUIRE(symlink("a", "top/link") == 0);
	ATF_REQUIRE(symlink("../..", "top/a/up") == 0);
	ATF_REQUIRE(symlink("../outside", "top/file-link") == 0);
	ATF_REQUIRE(symlink("top", "top-link") == 0);
	memset(&settings, 0, sizeof(settings));
	(void)strcpy(settings.user, "fred");
	(void)snprintf(settings.maildrop, sizeof(settings.maildrop),
	    "%s/spool/maildrop", here);
	(void)snprintf(settings.folder_root, sizeof(settings.folder_root),
	    "%s/top", here);
}

static void
begin(void)
{
	inbox_begin(&settings);
	folder_begin(&settings);
}

/* The place must be `directory` and `name` in it. */
static void
leads_to(const char *folder, enum folder_kind kind, const char *directory,
    const char *name)
{
	struct mailbox_place place;
	struct stat found, meant;
	enum folder_kind got;
	const char *c;

	(void)printf("folder \"%.80s\"\n", folder);
	memset(&place, 0, sizeof(place));
	place.directory = -1;
	got = folder_find(folder, &place);
	ATF_REQUIRE_MSG(got == kind, "\"%s\": kind %d, expected %d", folder,
	    got, kind);
	if (kind == FOLDER_DEFAULT)
		ATF_REQUIRE_EQ(-1, place.directory);
	if (kind != FOLDER_NAMED)
		return;
	ATF_REQUIRE_STREQ(name, place.name);
	ATF_REQUIRE(fstat(place.directory, &found) == 0);
	ATF_REQUIRE(stat(directory, &meant) == 0);
	ATF_REQUIRE(found.st_dev == meant.st_dev &&
	    found.st_ino == meant.st_ino);
	ATF_REQUIRE((fcntl(place.directory, F_GETFD) & FD_CLOEXEC) != 0);
	ATF_REQUIRE(place.label[0] != '\0');
	for (c = place.label; *c != '\0'; c++)
		ATF_REQUIRE(*c >= 0x20 && *c < 0x7f);
	ATF_REQUIRE(close(place.directory) == 0);
}

static const struct {
	const char *folder;
	enum folder_kind kind;
	const char *directory, *name;
} names[] = {
	{ "", FOLDER_DEFAULT, "spool", "maildrop" },
	{ "INBOX", FOLDER_DEFAULT, "spool", "maildrop" },
	{ "inbox", FOLDER_DEFAULT, "spool", "maildrop" },
	{ "InBox", FOLDER_DEFAULT, "spool", "maildrop" },
	{ "fred", FOLDER_DEFAULT, "spool", "maildrop" },
	{ "Fred", FOLDER_NAMED, "top", "Fred" },
	{ "ann", FOLDER_NAMED, "top", "ann" },
	{ "work", FOLDER_NAMED, "top", "work" },
	{ "nosuch", FOLDER_NAMED, "top", "nosuch" },
	{ "a", FOLDER_NAMED, "top", "a" },
	{ "a/work", FOLDER_NAMED, "top/a", "work" },
	{ "a/fred", FOLDER_NAMED, "top/a", "fred" },
	{ "a/INBOX", FOLDER_NAMED, "top/a", "INBOX" },
	{ "a/b/c/work", FOLDER_NAMED, "top/a/b/c", "work" },
	{ " sp ace/ work ", FOLDER_NAMED, "top/ sp ace", " work " },
	{ "...", FOLDER_NAMED, "top", "..." },
	{ "..a", FOLDER_NAMED, "top", "..a" },
	{ ".hidden", FOLDER_NAMED, "top", ".hidden" },
	{ "~", FOLDER_NAMED, "top", "~" },
	{ "~root", FOLDER_NAMED, "top", "~root" },
	{ "%u", FOLDER_NAMED, "top", "%u" },
	{ "%s%n%d", FOLDER_NAMED, "top", "%s%n%d" },
	{ "a\\b", FOLDER_NAMED, "top", "a\\b" },
	{ "\001\r\n\033[2J\177", FOLDER_NAMED, "top",
	    "\001\r\n\033[2J\177" },
	{ "\xff\xfe\"quote\"", FOLDER_NAMED, "top", "\xff\xfe\"quote\"" },
	/* The last part may be a link: it is not followed when opened. */
	{ "file-link", FOLDER_NAMED, "top", "file-link" },
	{ ".", FOLDER_NONE, NULL, NULL },
	{ "..", FOLDER_NONE, NULL, NULL },
	{ "work.lock", FOLDER_NONE, NULL, NULL },
	{ ".lock", FOLDER_NAMED, "top", ".lock" },
	{ "./work", FOLDER_NONE, NULL, NULL },
	{ "../outside", FOLDER_NONE, NULL, NULL },
	{ "../top/work", FOLDER_NONE, NULL, NULL },
	{ "a/..", FOLDER_NONE, NULL, NULL },
	{ "a/../work", FOLDER_NONE, NULL, NULL },
	{ "a/./work", FOLDER_NONE, NULL, NULL },
	{ "a/b/../../../outside", FOLDER_NONE, NULL, NULL },
	{ "/", FOLDER_NONE, NULL, NULL },
	{ "//", FOLDER_NONE, NULL, NULL },
	{ "/work", FOLDER_NONE, NULL, NULL },
	{ "/etc/passwd", FOLDER_NONE, NULL, NULL },
	{ "../../../../../../../../etc/passwd", FOLDER_NONE, NULL, NULL },
	{ "a//work", FOLDER_NONE, NULL, NULL },
	{ "a//b/c/work", FOLDER_NONE, NULL, NULL },
	{ "work/", FOLDER_NONE, NULL, NULL },
	{ "a/", FOLDER_NONE, NULL, NULL },
	{ "a/b/c/", FOLDER_NONE, NULL, NULL },
	{ "inbox/", FOLDER_NONE, NULL, NULL },
	{ "inbox/x", FOLDER_NONE, NULL, NULL },
	{ "nosuch/work", FOLDER_NONE, NULL, NULL },
	{ "work/x", FOLDER_NONE, NULL, NULL },
	{ "link/work", FOLDER_NONE, NULL, NULL },
	{ "link/b/c/work", FOLDER_NONE, NULL, NULL },
	{ "a/up/outside", FOLDER_NONE, NULL, NULL },
	{ "a/up/top/work", FOLDER_NONE, NULL, NULL },
};

ATF_TC_WITHOUT_HEAD(find_names);
ATF_TC_BODY(find_names, tc)
{
	size_t i;

	(void)tc;
	make_place();
	begin();
	for (i = 0; i < COUNT(names); i++)
		leads_to(names[i].folder, names[i].kind, names[i].directory,
		    names[i].name);
	leads_to(settings.maildrop, FOLDER_DEFAULT, "spool", "maildrop");
	leads_to(settings.folder_root, FOLDER_NONE, NULL, NULL);
}

ATF_TC_WITHOUT_HEAD(find_long_names);
ATF_TC_BODY(find_long_names, tc)
{
	char name[FOLDER_SIZE];
	size_t i;

	(void)tc;
	make_place();
	begin();
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	leads_to(name, FOLDER_NAMED, "top", name);
	memcpy(name, "a/b/c/", 6);
	leads_to(name, FOLDER_NAMED, "top/a/b/c", name + 6);
	for (i = 1; i < sizeof(name) - 1; i += 2)
		name[i] = '/';
	leads_to(name, FOLDER_NONE, NULL, NULL);
	memset(name, '/', sizeof(name) - 1);
	leads_to(name, FOLDER_NONE, NULL, NULL);
	for (i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "../", 3);
	leads_to(name, FOLDER_NONE, NULL, NULL);
	memset(name, '\001', sizeof(name) - 1);
	leads_to(name, FOLDER_NAMED, "top", name);
}

ATF_TC(find_foreign);
ATF_TC_HEAD(find_foreign, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(find_foreign, tc)
{
	(void)tc;
	make_place();
	file_write("top/foreign/work", ONE, strlen(ONE));
	ATF_REQUIRE(mkdir("top/foreign/mine", 0700) == 0);
	ATF_REQUIRE(chmod("top/foreign", 0755) == 0);
	begin();
	leads_to("foreign/work", FOLDER_NAMED, "top/foreign", "work");
	ATF_REQUIRE(chown("top/foreign", ANN_UID, ANN_UID) == 0);
	leads_to("foreign/work", FOLDER_NONE, NULL, NULL);
	leads_to("foreign/mine/work", FOLDER_NONE, NULL, NULL);
}

ATF_TC(find_closed);
ATF_TC_HEAD(find_closed, tc)
{
	atf_tc_set_md_var(tc, "require.user", "unprivileged");
}
ATF_TC_BODY(find_closed, tc)
{
	struct mailbox_place place;
	enum folder_kind kind;

	(void)tc;
	make_place();
	begin();
	memset(&place, 0, sizeof(place));
	place.directory = -1;
	ATF_REQUIRE(chmod("top/closed", 0) == 0);
	kind = folder_find("closed/work", &place);
	/* One that stays closed could not be removed. */
	ATF_REQUIRE(chmod("top/closed", 0700) == 0);
	ATF_CHECK_EQ(FOLDER_NONE, kind);
	leads_to("closed/work", FOLDER_NAMED, "top/closed", "work");
}

/* No folder root, by the configuration or by the user's own hand. */
ATF_TC_WITHOUT_HEAD(find_no_root);
ATF_TC_BODY(find_no_root, tc)
{
	(void)tc;
	make_place();
	settings.folder_root[0] = '\0';
	begin();
	leads_to("work", FOLDER_NONE, NULL, NULL);
	leads_to("inbox", FOLDER_DEFAULT, "spool", "maildrop");
	leads_to("fred", FOLDER_DEFAULT, "spool", "maildrop");
}

static void
root_is(const char *root)
{
	(void)snprintf(settings.folder_root, sizeof(settings.folder_root),
	    "%.500s/%s", here, root);
	begin();
	leads_to("work", FOLDER_NONE, NULL, NULL);
	leads_to("inbox", FOLDER_DEFAULT, "spool", "maildrop");
}

ATF_TC_WITHOUT_HEAD(find_bad_root);
ATF_TC_BODY(find_bad_root, tc)
{
	(void)tc;
	make_place();
	root_is("nosuch");
	root_is("outside");
	root_is("top-link");
}

ATF_TC_WITHOUT_HEAD(find_no_spool);
ATF_TC_BODY(find_no_spool, tc)
{
	(void)tc;
	make_place();
	ATF_REQUIRE(rmdir("spool") == 0);
	begin();
	leads_to("", FOLDER_DEFAULT, NULL, NULL);
	leads_to("work", FOLDER_NAMED, "top", "work");
}

/* Names as MH's users, and shells' users, type them. */
static const struct typed {
	const char *folder;
	enum folder_kind kind;
	const char *directory, *name;
} from_root[] = {
	{ "+work", FOLDER_NAMED, "top", "work" },
	{ "+a/b/c/work", FOLDER_NAMED, "top/a/b/c", "work" },
	{ "+inbox", FOLDER_NAMED, "top", "inbox" },
	{ "+fred", FOLDER_NAMED, "top", "fred" },
	{ "+~", FOLDER_NAMED, "top", "~" },
	{ "++", FOLDER_NAMED, "top", "+" },
	{ "~/top/work", FOLDER_NAMED, "top", "work" },
	{ "~/top/a/work", FOLDER_NAMED, "top/a", "work" },
	{ "~/spool/maildrop", FOLDER_DEFAULT, "spool", "maildrop" },
	{ "a/+work", FOLDER_NAMED, "top/a", "+work" },
	{ "+", FOLDER_NONE, NULL, NULL },
	{ "+/", FOLDER_NONE, NULL, NULL },
	{ "+/work", FOLDER_NONE, NULL, NULL },
	{ "+work/", FOLDER_NONE, NULL, NULL },
	{ "+.", FOLDER_NONE, NULL, NULL },
	{ "+..", FOLDER_NONE, NULL, NULL },
	{ "+../outside", FOLDER_NONE, NULL, NULL },
	{ "+a/../work", FOLDER_NONE, NULL, NULL },
	{ "+link/work", FOLDER_NONE, NULL, NULL },
	{ "~/", FOLDER_NONE, NULL, NULL },
	{ "~/top", FOLDER_NONE, NULL, NULL },
	{ "~/top/", FOLDER_NONE, NULL, NULL },
	{ "~/topped/work", FOLDER_NONE, NULL, NULL },
	{ "~/outside", FOLDER_NONE, NULL, NULL },
	{ "~/spool/other", FOLDER_NONE, NULL, NULL },
	{ "~/top-link/work", FOLDER_NONE, NULL, NULL },
	{ "~//top/work", FOLDER_NONE, NULL, NULL },
	{ "~/./top/work", FOLDER_NONE, NULL, NULL },
	{ "~/top/../outside", FOLDER_NONE, NULL, NULL },
	{ "~/top//work", FOLDER_NONE, NULL, NULL },
}, from_a[] = {
	{ "+work", FOLDER_NAMED, "top/a", "work" },
	{ "+b/c/work", FOLDER_NAMED, "top/a/b/c", "work" },
	{ "work", FOLDER_NAMED, "top", "work" },
	{ "+../work", FOLDER_NONE, NULL, NULL },
	{ "+..", FOLDER_NONE, NULL, NULL },
}, from_nowhere[] = {
	{ "+work", FOLDER_NONE, NULL, NULL },
	{ "+", FOLDER_NONE, NULL, NULL },
	{ "+top/work", FOLDER_NONE, NULL, NULL },
	{ "work", FOLDER_NAMED, "top", "work" },
	{ "~/top/work", FOLDER_NAMED, "top", "work" },
};

static void
leads_all(const struct typed *typed, size_t count)
{
	size_t i;

	begin();
	for (i = 0; i < count; i++)
		leads_to(typed[i].folder, typed[i].kind, typed[i].directory,
		    typed[i].name);
}

static const struct {
	const char *text;
	const struct typed *typed;
	size_t count;
} profiles[] = {
#define LEADS(text, typed)	{ text, typed, COUNT(typed) }
	LEADS("", from_root),
	LEADS("Editor: vi\n", from_root),
	LEADS("Path:\n", from_root),
	LEADS("Path: \t \nX: y\n", from_root),
	LEADS("Path", from_root),
	LEADS("X-Path: top/a\n Path: top/a\n", from_root),
	LEADS("Path: top", from_root),
	LEADS("Path: top\n", from_root),
	LEADS("Path: top/a\n", from_a),
	LEADS("pATH:top/a/// \r\n", from_a),
	LEADS("X: y\nPath: top/a\nPath: outside\n", from_a),
	LEADS("Path: outside\n", from_nowhere),
	LEADS("Path: topped\n", from_nowhere),
	LEADS("Path: roo\n", from_nowhere),
	LEADS("Path: top-link\n", from_nowhere),
	LEADS("Path: top/link\n", from_nowhere),
	LEADS("Path: top/a/..\n", from_nowhere),
	LEADS("Path: ../top\n", from_nowhere),
	LEADS("Path: .\n", from_nowhere),
	LEADS("Path: /\n", from_root),
	LEADS("Path: /etc\n", from_nowhere),
	LEADS("Path: ~/top\n", from_nowhere),
};

ATF_TC_WITHOUT_HEAD(find_typed_names);
ATF_TC_BODY(find_typed_names, tc)
{
	char text[PATH_SIZE + 100];
	size_t i;

	(void)tc;
	make_place();
	(void)strlcpy(settings.home, here, sizeof(settings.home));
	leads_all(from_root, COUNT(from_root));
	for (i = 0; i < COUNT(profiles); i++) {
		(void)printf("profile %s\n", profiles[i].text);
		file_write(".mh_profile", profiles[i].text,
		    strlen(profiles[i].text));
		leads_all(profiles[i].typed, profiles[i].count);
	}
	(void)snprintf(text, sizeof(text), "Path: %s/top/a\n", here);
	file_write(".mh_profile", text, strlen(text));
	leads_all(from_a, COUNT(from_a));
	/* Too long to be a path. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "Path: ", 6);
	file_write(".mh_profile", text, sizeof(text));
	leads_all(from_root, COUNT(from_root));
	settings.folder_root[0] = '\0';
	begin();
	leads_to("+work", FOLDER_NONE, NULL, NULL);
	leads_to("~/top/work", FOLDER_NONE, NULL, NULL);
	leads_to("~/spool/maildrop", FOLDER_DEFAULT, "spool", "maildrop");
}

/* A profile that is no plain file of the user's is not read. */
ATF_TC_WITHOUT_HEAD(unfit_profiles);
ATF_TC_BODY(unfit_profiles, tc)
{
	static const char text[] = "Path: top/a\n";
	char *lengthy = calloc(1, MH_PROFILE_BYTES_MAX + 1);

	(void)tc;
	ATF_REQUIRE(lengthy != NULL);
	make_place();
	(void)strlcpy(settings.home, here, sizeof(settings.home));
	file_write("profile", text, strlen(text));
	ATF_REQUIRE(symlink("profile", ".mh_profile") == 0);
	leads_all(from_root, COUNT(from_root));
	ATF_REQUIRE(unlink(".mh_profile") == 0);
	ATF_REQUIRE(mkfifo(".mh_profile", 0600) == 0);
	leads_all(from_root, COUNT(from_root));
	ATF_REQUIRE(unlink(".mh_profile") == 0);
	ATF_REQUIRE(mkdir(".mh_profile", 0700) == 0);
	leads_all(from_root, COUNT(from_root));
	ATF_REQUIRE(rmdir(".mh_profile") == 0);
	memcpy(lengthy, text, strlen(text));
	file_write(".mh_profile", lengthy, MH_PROFILE_BYTES_MAX + 1);
	leads_all(from_root, COUNT(from_root));
	file_write(".mh_profile", lengthy, MH_PROFILE_BYTES_MAX);
	leads_all(from_a, COUNT(from_a));
	free(lengthy);
	if (geteuid() == 0) {
		ATF_REQUIRE(chown(".mh_profile", ANN_UID, ANN_UID) == 0);
		leads_all(from_root, COUNT(from_root));
	}
	(void)strlcat(settings.home, "/nosuch", sizeof(settings.home));
	begin();
	leads_to("+work", FOLDER_NAMED, "top", "work");
}

/* From here on through the daemon. */
static void
start(struct server *server)
{
	server_start(server, NULL);
	mailbox_write(server, FRED, BOTH, strlen(BOTH));
	folder_write(server, FRED, "mail/work", BOTH, strlen(BOTH));
	folder_write(server, FRED, "mail/a/b/c/work", BOTH, strlen(BOTH));
}

static int
login(const struct server *server)
{
	return (pop2_login(server, 0, FRED, FRED_PASSWORD, "#2 "));
}

static void
quit(int fd)
{
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
}

/* READs message `number` and asks for its end. */
static void
mark(int fd, int number, const char *wire)
{
	char command[40], size[40];

	(void)snprintf(command, sizeof(command), "READ %d", number);
	(void)snprintf(size, sizeof(size), "=%zu ", strlen(wire));
	client_say(fd, command, size);
	client_send(fd, "RETR\r\n");
	client_expect(fd, wire);
	client_say(fd, "ACKD", "=");
}

ATF_TC_WITHOUT_HEAD(fold_commits);
ATF_TC_BODY(fold_commits, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = login(&server);
	mark(fd, 2, TWO_WIRE);
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	client_say(fd, "FOLD a/b/c/work", "#2 ");
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	mark(fd, 1, ONE_WIRE);
	folder_must_be(&server, FRED, "mail/a/b/c/work", BOTH, strlen(BOTH));
	client_say(fd, "FOLD inbox", "#1 ");
	folder_must_be(&server, FRED, "mail/a/b/c/work", TWO, strlen(TWO));
	client_say(fd, "FOLD a/b/c/work", "#1 ");
	mark(fd, 1, TWO_WIRE);
	client_say(fd, "FOLD work", "#2 ");
	folder_must_be(&server, FRED, "mail/a/b/c/work", "", 0);
	mark(fd, 1, ONE_WIRE);
	folder_must_be(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	quit(fd);
	folder_must_be(&server, FRED, "mail/work", TWO, strlen(TWO));
	mailbox_must_be(&server, FRED, ONE, strlen(ONE));
	server_stop(&server);
}

/* FOLD to the folder that is open is a FOLD like any other. */
ATF_TC_WITHOUT_HEAD(fold_again);
ATF_TC_BODY(fold_again, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = login(&server);
	client_say(fd, "FOLD work", "#2 ");
	mark(fd, 1, ONE_WIRE);
	client_say(fd, "FOLD work", "#1 ");
	folder_must_be(&server, FRED, "mail/work", TWO, strlen(TWO));
	client_say(fd, "READ", "=28 ");
	client_say(fd, "FOLD nosuch", "#0 ");
	client_say(fd, "READ", "=0");
	client_say(fd, "FOLD work", "#1 ");
	quit(fd);
	folder_must_be(&server, FRED, "mail/work", TWO, strlen(TWO));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(dropped_in_a_folder);
ATF_TC_BODY(dropped_in_a_folder, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = login(&server);
	client_say(fd, "FOLD work", "#2 ");
	mark(fd, 1, ONE_WIRE);
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	folder_must_be(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	fd = login(&server);
	client_say(fd, "FOLD work", "#2 ");
	mark(fd, 1, ONE_WIRE);
	client_say(fd, "NONSENSE", "- ");
	client_expect_close(fd);
	children_must_be(&server, "postern-store", 0);
	folder_must_be(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	server_stop(&server);
}

/* The default mailbox has several names, and all are one mailbox. */
ATF_TC_WITHOUT_HEAD(names_of_inbox);
ATF_TC_BODY(names_of_inbox, tc)
{
	struct server server;
	char command[700];
	int fd;

	(void)tc;
	start(&server);
	folder_write(&server, FRED, "mail/fred", "", 0);
	folder_write(&server, FRED, "mail/inbox", "", 0);
	fd = login(&server);
	client_say(fd, "FOLD INBOX", "#2 ");
	client_say(fd, "FOLD inbox", "#2 ");
	client_say(fd, "FOLD " FRED, "#2 ");
	client_say(fd, "FOLD " ANN, "#0 ");
	(void)snprintf(command, sizeof(command), "FOLD %s",
	    mailbox_path(&server, FRED));
	client_say(fd, command, "#2 ");
	mark(fd, 1, ONE_WIRE);
	client_say(fd, "FOLD nosuch", "#0 ");
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	quit(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(quoted_names);
ATF_TC_BODY(quoted_names, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	folder_write(&server, FRED, "mail/my mail/of 2026", ONE, strlen(ONE));
	folder_write(&server, FRED, "mail/back\\slash", ONE, strlen(ONE));
	folder_write(&server, FRED, "mail/50%s", ONE, strlen(ONE));
	fd = login(&server);
	client_say(fd, "FOLD my\\ mail/of\\ 2026", "#1 ");
	mark(fd, 1, ONE_WIRE);
	client_say(fd, "FOLD back\\\\slash", "#1 ");
	client_say(fd, "FOLD backslash", "#0 ");
	client_say(fd, "FOLD 50%s", "#1 ");
	quit(fd);
	folder_must_be(&server, FRED, "mail/my mail/of 2026", "", 0);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RETR my mail/of 2026", "#0");
	client_say(fd, "RSET", "+OK");
	client_say(fd, "RETR back\\slash", "#72");
	quit(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(pop1_folders);
ATF_TC_BODY(pop1_folders, tc)
{
	static const char wire[] =
	    "From ann@example.org Sat Nov 21 23:33:00 2026\r\n" ONE_WIRE "\r\n"
	    "From bob@example.org Sun Nov 22 01:02:03 2026\r\n" TWO_WIRE
	    "\r\n";
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_say(fd, "RETR a/b/c/work", BOTH_OCTETS);
	client_send(fd, "RCEV\r\n");
	client_expect(fd, wire);
	client_say(fd, "RCVD", "+OK");
	folder_must_be(&server, FRED, "mail/a/b/c/work", BOTH, strlen(BOTH));
	client_say(fd, "RDEL a/b/c/work", BOTH_OCTETS);
	client_send(fd, "RCEV\r\n");
	client_expect(fd, wire);
	client_say(fd, "RSET", "+OK");
	folder_must_be(&server, FRED, "mail/a/b/c/work", BOTH, strlen(BOTH));
	client_say(fd, "RDEL a/b/c/work", BOTH_OCTETS);
	client_send(fd, "RCEV\r\n");
	client_expect(fd, wire);
	folder_must_be(&server, FRED, "mail/a/b/c/work", BOTH, strlen(BOTH));
	client_say(fd, "RCVD", "+OK");
	folder_must_be(&server, FRED, "mail/a/b/c/work", "", 0);
	client_say(fd, "RETR nosuch", "#0");
	client_send(fd, "RCEV\r\n");
	client_say(fd, "RCVD", "+OK");
	quit(fd);
	folder_must_be(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	server_stop(&server);
}

/* Each is empty, by both protocols, and the session goes on. */
static void
all_empty(const struct server *server, const char *const *folders,
    size_t count)
{
	char command[800];
	size_t i;
	int fd;

	fd = login(server);
	for (i = 0; i < count; i++) {
		(void)printf("FOLD \"%.80s\"\n", folders[i]);
		(void)snprintf(command, sizeof(command), "FOLD %s",
		    folders[i]);
		client_say(fd, command, "#0 ");
		client_say(fd, "READ", "=0");
	}
	client_say(fd, "FOLD inbox", "#2 ");
	quit(fd);
	fd = pop1_login(server, 0, FRED, FRED_PASSWORD);
	for (i = 0; i < count; i++) {
		(void)printf("RETR \"%.80s\"\n", folders[i]);
		(void)snprintf(command, sizeof(command), "RETR %s",
		    folders[i]);
		client_say(fd, command, "#0");
		client_say(fd, "RSET", "+OK");
	}
	quit(fd);
}

ATF_TC_WITHOUT_HEAD(names_of_strangers);
ATF_TC_BODY(names_of_strangers, tc)
{
	static const char *const folders[] = { "nosuch", "a/nosuch",
	    "no/such", "/etc/passwd", "../../../../../../etc/passwd",
	    "../../spool/" FRED, "../../spool/" ANN, "a/../work", "./work",
	    "a//b/c/work", "work/", "a", "a/b", ".", "..", "/", "%s%s%n",
	    "\001\002\033[2J", "\xff\xfe\x80", "\"quoted\"", "a=b", "|ls",
	    "$(ls)", "*", "~", "~/work", "~/../fred/mail/work", "~//etc",
	    "+", "+nosuch", "+a//b", "+../mail/work", "mail/work" };
	char lengthy[2][506], lying[700];
	const char *more[3] = { lengthy[0], lengthy[1], lying };
	struct server server;
	size_t i;

	(void)tc;
	start(&server);
	mailbox_write(&server, ANN, ONE, strlen(ONE));
	all_empty(&server, folders, COUNT(folders));
	memset(lengthy[0], 'n', 505);
	for (i = 0; i < 505; i++)
		lengthy[1][i] = i % 2 == 0 ? 'a' : '/';
	lengthy[0][505] = lengthy[1][505] = '\0';
	(void)snprintf(lying, sizeof(lying), "%s",
	    mailbox_path(&server, ANN));
	all_empty(&server, more, COUNT(more));
	log_must_have(&server, "folder=/etc/passwd ");
	ATF_REQUIRE(!log_has(&server, "\033"));
	ATF_REQUIRE(!log_has(&server, "\xff"));
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	server_stop(&server);
}

static void
fred_path(const struct server *server, const char *name, char *path)
{
	(void)snprintf(path, 700, "%.300s/home/" FRED "/mail/%s",
	    server->directory, name);
}

/* Gives the file to fred: it is its kind that counts, not its owner. */
static void
give(const struct server *server, const char *path)
{
	char home[700];
	struct stat status;

	(void)snprintf(home, sizeof(home), "%.300s/home/" FRED,
	    server->directory);
	ATF_REQUIRE(stat(home, &status) == 0);
	if (geteuid() == 0)
		ATF_REQUIRE(lchown(path, status.st_uid, status.st_gid) == 0);
}

static void
make_unfit(const struct server *server)
{
	char path[700], other[700];

	mailbox_write(server, ANN, ONE, strlen(ONE));
	fred_path(server, "to-ann", path);
	ATF_REQUIRE(symlink(mailbox_path(server, ANN), path) == 0);
	fred_path(server, "to-work", path);
	ATF_REQUIRE(symlink("work", path) == 0);
	give(server, path);
	fred_path(server, "to-a", path);
	ATF_REQUIRE(symlink("a", path) == 0);
	fred_path(server, "to-spool", path);
	ATF_REQUIRE(symlink("../../../spool", path) == 0);
	fred_path(server, "dangling", path);
	ATF_REQUIRE(symlink("nowhere", path) == 0);
	fred_path(server, "fifo", path);
	ATF_REQUIRE(mkfifo(path, 0600) == 0);
	give(server, path);
	folder_write(server, FRED, "mail/twin", ONE, strlen(ONE));
	fred_path(server, "twin", path);
	fred_path(server, "twin-2", other);
	ATF_REQUIRE(link(path, other) == 0);
	folder_write(server, FRED, "mail/closed", ONE, strlen(ONE));
	fred_path(server, "closed", path);
	ATF_REQUIRE(chmod(path, 0) == 0);
}

/* What may not be opened looks like what is not there; nothing hangs. */
ATF_TC_WITHOUT_HEAD(unfit_folders);
ATF_TC_BODY(unfit_folders, tc)
{
	static const char *const folders[] = { "to-ann", "to-work",
	    "to-a/b/c/work", "to-spool/" FRED, "to-spool/" ANN, "dangling",
	    "fifo", "twin", "twin-2", "closed", "a" };
	struct server server;

	(void)tc;
	start(&server);
	make_unfit(&server);
	all_empty(&server, folders, COUNT(folders));
	log_must_have(&server, "event=folder folder=to-ann ");
	log_must_have(&server, "event=folder folder=fifo ");
	log_must_have(&server, "event=folder folder=twin ");
	log_must_have(&server, "event=folder folder=to-spool/ann ");
	server_stop(&server);
}

/* Gives something in FRED's folder root to another user, with this mode. */
static void
give_away(const struct server *server, const char *name, uid_t uid,
    mode_t mode)
{
	char path[700];

	fred_path(server, name, path);
	ATF_REQUIRE(chmod(path, mode) == 0 && chown(path, uid, uid) == 0);
}

/* It is served, and neither POP2's nor POP1's deletes change anything. */
static void
must_be_read_only(const struct server *server, const char *folder)
{
	char command[100], line[100], whole[1000];
	size_t octets;
	int fd;

	(void)printf("read-only folder %s\n", folder);
	(void)snprintf(command, sizeof(command), "FOLD %s", folder);
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#");
	client_say(fd, command, "#2 ");
	client_say(fd, "READ 2", "=28 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, TWO_WIRE);
	client_say(fd, "ACKD", "=0");
	client_say(fd, "READ 1", "=23 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, ONE_WIRE);
	client_say(fd, "ACKD", "=0");
	/* All that was marked is there again. */
	client_say(fd, command, "#2 ");
	client_say(fd, "READ 1", "=23 ");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	(void)snprintf(command, sizeof(command), "RDEL %s", folder);
	fd = pop1_login(server, 0, FRED, FRED_PASSWORD);
	client_send(fd, command);
	client_send(fd, "\r\n");
	client_line(fd, line, sizeof(line));
	octets = strtoul(line + 1, NULL, 10);
	ATF_REQUIRE_MSG(line[0] == '#' && octets > 2 * sizeof(ONE_WIRE) &&
	    octets < sizeof(whole), "%s", line);
	client_send(fd, "RCEV\r\n");
	client_read(fd, whole, octets);
	client_say(fd, "RCVD", "-ERR");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
}

static void
make_folders(const struct server *server)
{
	folder_write(server, FRED, "mail/file", BOTH, strlen(BOTH));
	folder_write(server, FRED, "mail/mh/1", ONE_MAIL, strlen(ONE_MAIL));
	folder_write(server, FRED, "mail/mh/2", TWO_MAIL, strlen(TWO_MAIL));
	folder_write(server, FRED, "mail/mh/.mh_sequences", "cur: 1\n", 7);
	folder_write(server, FRED, "mail/md/tmp/x", "", 0);
	folder_write(server, FRED, "mail/md/new/2.b.c", TWO_MAIL,
	    strlen(TWO_MAIL));
	folder_write(server, FRED, "mail/md/cur/1.a.b", ONE_MAIL,
	    strlen(ONE_MAIL));
}

static void
folders_must_be_there(const struct server *server)
{
	folder_must_be(server, FRED, "mail/file", BOTH, strlen(BOTH));
	folder_must_be(server, FRED, "mail/mh/1", ONE_MAIL, strlen(ONE_MAIL));
	folder_must_be(server, FRED, "mail/mh/2", TWO_MAIL, strlen(TWO_MAIL));
	folder_must_be(server, FRED, "mail/mh/.mh_sequences", "cur: 1\n", 7);
	folder_must_be(server, FRED, "mail/md/new/2.b.c", TWO_MAIL,
	    strlen(TWO_MAIL));
	folder_must_be(server, FRED, "mail/md/cur/1.a.b", ONE_MAIL,
	    strlen(ONE_MAIL));
}

/*
 * What is somebody else's and may be read is served, and never changed, be it
 * ever so writable.
 */
ATF_TC(foreign_folders);
ATF_TC_HEAD(foreign_folders, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(foreign_folders, tc)
{
	static const char *const parts[] = { "file", "mh", "mh/1", "mh/2",
	    "mh/.mh_sequences", "md", "md/tmp", "md/new", "md/cur",
	    "md/new/2.b.c", "md/cur/1.a.b" };
	static const uid_t owners[] = { ANN_UID, 0 };
	static const mode_t writable[] = { 0, 0222 };
	struct server server;
	struct stat status;
	char path[700];
	size_t i, name;

	(void)tc;
	start(&server);
	make_folders(&server);
	for (i = 0; i < 4; i++) {
		for (name = 0; name < COUNT(parts); name++) {
			fred_path(&server, parts[name], path);
			ATF_REQUIRE(stat(path, &status) == 0);
			give_away(&server, parts[name], owners[i / 2],
			    writable[i % 2] | (S_ISDIR(status.st_mode) ?
			    0555 : 0444));
		}
		must_be_read_only(&server, "file");
		must_be_read_only(&server, "mh");
		must_be_read_only(&server, "md");
	}
	log_must_have(&server, "folder=file error=\"may not be written; "
	    "nothing was deleted\"");
	log_must_have(&server, "folder=mh error=\"it belongs to somebody else;"
	    " nothing was deleted\"");
	folders_must_be_there(&server);
	server_stop(&server);
}

/* Not what may not be read, is below another's directory, or is mixed. */
ATF_TC(foreign_refused);
ATF_TC_HEAD(foreign_refused, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(foreign_refused, tc)
{
	static const char *const folders[] = { "anns", "roots", "deep/work",
	    "mixed", "half", "twin" };
	struct server server;
	char path[700], other[700];
	int fd;

	(void)tc;
	start(&server);
	folder_write(&server, FRED, "mail/anns", ONE, strlen(ONE));
	give_away(&server, "anns", ANN_UID, 0600);
	folder_write(&server, FRED, "mail/roots", ONE, strlen(ONE));
	give_away(&server, "roots", 0, 0640);
	folder_write(&server, FRED, "mail/deep/work", ONE, strlen(ONE));
	give_away(&server, "deep", ANN_UID, 0777);
	/* Another's files in a folder of this user's, and the other way. */
	folder_write(&server, FRED, "mail/mixed/.mh_sequences", "", 0);
	folder_write(&server, FRED, "mail/mixed/1", ONE, strlen(ONE));
	give_away(&server, "mixed/1", ANN_UID, 0666);
	folder_write(&server, FRED, "mail/half/new/1.a.b", ONE, strlen(ONE));
	folder_write(&server, FRED, "mail/half/cur/1.a.b", ONE, strlen(ONE));
	folder_write(&server, FRED, "mail/half/tmp/1.a.b", ONE, strlen(ONE));
	give_away(&server, "half", ANN_UID, 0777);
	folder_write(&server, FRED, "mail/twin", ONE, strlen(ONE));
	fred_path(&server, "twin", path);
	fred_path(&server, "twin-2", other);
	ATF_REQUIRE(link(path, other) == 0);
	give_away(&server, "twin", ANN_UID, 0666);
	all_empty(&server, folders, COUNT(folders));
	log_must_have(&server, "event=folder folder=anns ");
	/* The default mailbox is to be one's own. */
	mailbox_write(&server, FRED, ONE, strlen(ONE));
	ATF_REQUIRE(chown(mailbox_path(&server, FRED), ANN_UID, 8) == 0 &&
	    chmod(mailbox_path(&server, FRED), 0666) == 0);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "- ");
	client_expect_close(fd);
	server_stop(&server);
}

/* On a file system that is mounted read-only, one's own mail is, too. */
ATF_TC(read_only_system);
ATF_TC_HEAD(read_only_system, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(read_only_system, tc)
{
	struct server server;
	char path[700];

	(void)tc;
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		atf_tc_skip("mounts cannot be made here");
	server_prepare(&server, NULL);
	make_folders(&server);
	(void)snprintf(path, sizeof(path), "%s/home", server.directory);
	ATF_REQUIRE(mount(path, path, NULL, MS_BIND, NULL) == 0);
	ATF_REQUIRE(mount("none", path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
	    NULL) == 0);
	server_run(&server);
	must_be_read_only(&server, "file");
	must_be_read_only(&server, "mh");
	must_be_read_only(&server, "md");
	folders_must_be_there(&server);
	server_stop(&server);
	ATF_REQUIRE(umount(path) == 0);
}

/* A folder that is made during the session is there when it is asked for. */
ATF_TC_WITHOUT_HEAD(folder_appears);
ATF_TC_BODY(folder_appears, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server);
	fd = login(&server);
	client_say(fd, "FOLD later", "#0 ");
	folder_write(&server, FRED, "mail/later", ONE, strlen(ONE));
	client_say(fd, "FOLD later", "#1 ");
	mark(fd, 1, ONE_WIRE);
	quit(fd);
	folder_must_be(&server, FRED, "mail/later", "", 0);
	server_stop(&server);
}

/* Neither a missing root nor one that is a link leads anywhere. */
ATF_TC_WITHOUT_HEAD(no_root);
ATF_TC_BODY(no_root, tc)
{
	static const char *const folders[] = { "work", "a/b/c/work" };
	struct server server;
	char path[700], moved[700];

	(void)tc;
	start(&server);
	fred_path(&server, "", path);
	path[strlen(path) - 1] = '\0';
	fred_path(&server, "../elsewhere", moved);
	ATF_REQUIRE(rename(path, moved) == 0);
	all_empty(&server, folders, COUNT(folders));
	ATF_REQUIRE(symlink("elsewhere", path) == 0);
	all_empty(&server, folders, COUNT(folders));
	ATF_REQUIRE(unlink(path) == 0);
	file_write(path, ONE, strlen(ONE));
	all_empty(&server, folders, COUNT(folders));
	server_stop(&server);
}

/* Says "folders none" where the configuration has the harness's line. */
static void
forbid_folders(const struct server *server)
{
	static const char was[] = "folders ~/mail\n", is[] = "folders none  \n";
	char *text, *line;
	size_t length;

	text = file_read(server->config, &length);
	ATF_REQUIRE((line = strstr(text, was)) != NULL);
	memcpy(line, is, strlen(is));
	file_write(server->config, text, length);
	free(text);
}

ATF_TC_WITHOUT_HEAD(folders_none);
ATF_TC_BODY(folders_none, tc)
{
	static const char *const folders[] = { "work", "a/b/c/work", "../x" };
	struct server server;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	forbid_folders(&server);
	server_run(&server);
	mailbox_write(&server, FRED, BOTH, strlen(BOTH));
	folder_write(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	folder_write(&server, FRED, "mail/a/b/c/work", BOTH, strlen(BOTH));
	all_empty(&server, folders, COUNT(folders));
	fd = login(&server);
	mark(fd, 1, ONE_WIRE);
	client_say(fd, "FOLD work", "#0 ");
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	client_say(fd, "FOLD " FRED, "#1 ");
	quit(fd);
	folder_must_be(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, find_names);
	ATF_TP_ADD_TC(tp, find_long_names);
	ATF_TP_ADD_TC(tp, find_foreign);
	ATF_TP_ADD_TC(tp, find_closed);
	ATF_TP_ADD_TC(tp, find_no_root);
	ATF_TP_ADD_TC(tp, find_bad_root);
	ATF_TP_ADD_TC(tp, find_no_spool);
	ATF_TP_ADD_TC(tp, find_typed_names);
	ATF_TP_ADD_TC(tp, unfit_profiles);
	ATF_TP_ADD_TC(tp, fold_commits);
	ATF_TP_ADD_TC(tp, fold_again);
	ATF_TP_ADD_TC(tp, dropped_in_a_folder);
	ATF_TP_ADD_TC(tp, names_of_inbox);
	ATF_TP_ADD_TC(tp, quoted_names);
	ATF_TP_ADD_TC(tp, pop1_folders);
	ATF_TP_ADD_TC(tp, names_of_strangers);
	ATF_TP_ADD_TC(tp, unfit_folders);
	ATF_TP_ADD_TC(tp, foreign_folders);
	ATF_TP_ADD_TC(tp, foreign_refused);
	ATF_TP_ADD_TC(tp, read_only_system);
	ATF_TP_ADD_TC(tp, folder_appears);
	ATF_TP_ADD_TC(tp, no_root);
	ATF_TP_ADD_TC(tp, folders_none);
	return (atf_no_error());
}
