/*
 * mailbox_tool_test.c - posternctl mailbox: what it finds, makes, and leaves.
 */
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdarg.h>

#include "forms.h"
#include "message_files.h"

static char output[1024 * 1024];

/*
 * Runs posternctl mailbox with these words (up to NULL); paths that begin with
 * "~/" are below FRED's home.  Returns its status; output and errors are in
 * `output`.
 */
static int
tool(const struct server *server, const char *word, ...)
{
	static char libexec[300], paths[8][800];
	const char *arguments[12] = { program("posternctl"), "mailbox", "-l",
	    libexec };
	size_t used = 4;
	va_list words;

	(void)snprintf(libexec, sizeof(libexec), "%s/libexec",
	    server->directory);
	va_start(words, word);
	for (; word != NULL; word = va_arg(words, const char *)) {
		ATF_REQUIRE(used < COUNT(arguments) - 1);
		(void)snprintf(paths[used - 4], sizeof(paths[0]), "%s",
		    strncmp(word, "~/", 2) == 0 ? home_of(server, word + 2) :
		    word);
		arguments[used] = paths[used - 4];
		used++;
	}
	va_end(words);
	return (run(arguments, NULL, output, sizeof(output)));
}

static void
must_say(const char *text)
{
	ATF_CHECK_MSG(strstr(output, text) != NULL, "no \"%s\" in: %s", text,
	    output);
}

static size_t
count_oddities(void)
{
	const char *at = output;
	size_t count = 0;

	while ((at = strstr(at, "\noddity ")) != NULL) {
		count++;
		at++;
	}
	return (count);
}

#define A	"From ann@example.org Sat Nov 21 23:33:00 2026\n"
#define GOOD	A "Subject: one\n\nfirst\n\n"
#define HEAD(count)	" 1-Nov-2026 00:00:00 +0000," count ";000000000000\r\n"

/* What stands in a file, and what is odd about it. */
static const struct odd_file {
	const char *name, *bytes;
	size_t length;
	size_t oddities;
	const char *says[5];
} odd_files[] = {
#define FILE_OF(name, bytes)	name, bytes, sizeof(bytes) - 1
	{ FILE_OF("good", GOOD), 0, { "format=mbox\nmessages=1\n",
	    "\noctets=67\npop-octets=23\n", "\noddities=0\n" } },
	{ FILE_OF("empty", ""), 0, { "format=mbox\nmessages=0\noctets=0\n" } },
	{ FILE_OF("not an mbox", "hello\n"), 1, { "messages=0\n",
	    "oddity octet=0 what=text-before-the-first-from-line\n" } },
	{ FILE_OF("preamble", "junk\n\n" GOOD), 1, { "messages=1\n",
	    "oddity octet=0 what=text-before-the-first-from-line\n" } },
	{ FILE_OF("bare CR, NUL, 8 bits", A "S: \xfc\xfc\n\na\rb\0c\n\n"), 3, {
	    "oddity octet=54 message=1 what=bare-cr count=1\n",
	    "oddity octet=56 message=1 what=nul count=1\n",
	    "oddity octet=49 message=1 what=8-bit-in-header count=2\n" } },
	{ FILE_OF("8 bits in a body", A "S: x\n\n\xfc\n\n"), 0, { NULL } },
	{ FILE_OF("From, no empty line", A "\na\n" A "\n\n" ), 1, {
	    "messages=1\n", "oddity octet=49 message=1 what="
	    "from-line-not-taken-no-empty-line-before-it count=1\n" } },
	{ FILE_OF("From, no date", A "\na\n\nFrom here\n\n" ), 1, {
	    "oddity octet=50 message=1 what="
	    "from-line-not-taken-no-address-and-date count=1\n" } },
	{ FILE_OF("no newline", A "\na"), 2, {
	    "oddity octet=48 message=1 what=no-newline-at-the-end count=1\n",
	    "oddity octet=48 message=1 what=no-empty-line-at-the-end\n" } },
	{ FILE_OF("no empty line", A "\na\n"), 1, {
	    "oddity octet=49 message=1 what=no-empty-line-at-the-end\n" } },
	{ FILE_OF("Content-Length", A "Content-Length: 3\n\nab\n\n"), 0,
	    { NULL } },
	{ FILE_OF("with its empty line", A "Content-Length: 4\n\nab\n\n"), 0,
	    { NULL } },
	{ FILE_OF("lying", A "x: y\nContent-Length: 5\n\nab\n\n"), 1, {
	    "oddity octet=51 message=1 what=content-length-is-wrong count=1"
	    "\n" } },
	{ FILE_OF("mtx", HEAD("3") "a\r\n"), 0, {
	    "format=mail.txt\nmessages=1\noctets=46\npop-octets=3\n" } },
	{ FILE_OF("tenex", " 1-Nov-2026 00:00:00 +0000,2;000000000000\na\n"),
	    0, { "format=tenex\nmessages=1\n" } },
	{ FILE_OF("deleted", HEAD("3") "a\r\n 1-Nov-2026 00:00:00 +0000,3;"
	    "000000000002\r\nb\r\n"), 1, { "messages=1\n",
	    "oddity octet=46 what=flagged-as-deleted-and-not-shown\n" } },
	{ FILE_OF("no header", HEAD("3") "a\r\njunk\r\n"), 1, {
	    "oddity octet=46 what=no-header-of-a-message\nnot-served=6\n" } },
	{ FILE_OF("too long", HEAD("4") "a\r\n"), 1, { "messages=0\n",
	    "oddity octet=0 what=message-longer-than-the-file\n" } },
};

/* Check writes nothing, and leaves no lock behind. */
ATF_TC_WITHOUT_HEAD(check_files);
ATF_TC_BODY(check_files, tc)
{
	struct server server;
	struct stat before, after;
	const struct odd_file *file;
	size_t i, says;

	(void)tc;
	server_prepare(&server, NULL);
	for (i = 0; i < COUNT(odd_files); i++) {
		file = &odd_files[i];
		(void)printf("%s\n", file->name);
		folder_write(&server, FRED, "mail/x", file->bytes,
		    file->length);
		date_file(&server, "mail/x", 1795312800);
		ATF_REQUIRE(stat(home_of(&server, "mail/x"), &before) == 0);
		ATF_CHECK_EQ_MSG(file->oddities > 0, tool(&server, "check",
		    "~/mail/x", NULL), "%s: %s", file->name, output);
		ATF_CHECK_EQ_MSG(file->oddities, count_oddities(), "%s: %s",
		    file->name, output);
		for (says = 0; file->says[says] != NULL; says++)
			must_say(file->says[says]);
		ATF_REQUIRE(stat(home_of(&server, "mail/x"), &after) == 0);
		ATF_CHECK(before.st_ino == after.st_ino &&
		    before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
		    before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
		folder_must_be(&server, FRED, "mail/x", file->bytes,
		    file->length);
		ATF_CHECK_EQ(1, count_entries(&server, "mail"));
	}
}

ATF_TC_WITHOUT_HEAD(check_mh);
ATF_TC_BODY(check_mh, tc)
{
	struct server server;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/mh/2", "a\n\nb\n");
	write_message(&server, "mail/mh/10", "a\n\nb\n");
	write_message(&server, "mail/mh/,1", "a\n\nb\r");
	write_message(&server, "mail/mh/.mh_sequences", "cur: 2\nseen: 2 10\n");
	ATF_CHECK_EQ(0, tool(&server, "check", "~/mail/mh", NULL));
	must_say("format=mh\nmessages=2\noctets=10\npop-octets=16\n");
	write_message(&server, "mail/mh/.mh_sequences", "seen: two\n");
	write_message(&server, "mail/mh/007", "x\n");
	write_message(&server, "mail/mh/99999999999", "x\n");
	write_message(&server, "mail/mh/3/x", "x\n");
	ATF_REQUIRE(symlink("2", home_of(&server, "mail/mh/4")) == 0);
	ATF_REQUIRE(chmod(home_of(&server, "mail/mh/10"), 0) == 0);
	ATF_CHECK_EQ(1, tool(&server, "check", "~/mail/mh", NULL));
	ATF_CHECK_EQ(6, count_oddities());
	must_say("oddity file=.mh_sequences octet=0 what=sequences-are-d");
	must_say("oddity file=007 octet=0 what=number-but-not-a-message\n");
	must_say("oddity file=99999999999 octet=0 what=number-but-not-a-mes");
	must_say("oddity file=3 octet=0 what=number-but-not-a-message\n");
	must_say("oddity file=4 octet=0 what=number-but-not-a-message\n");
	must_say("oddity file=10 octet=0 message=2 what=unreadable\n");
}

ATF_TC_WITHOUT_HEAD(check_maildir);
ATF_TC_BODY(check_maildir, tc)
{
	struct server server;

	(void)tc;
	server_prepare(&server, NULL);
	make_folder(&server, "mail/m/tmp");
	write_message(&server, "mail/m/new/1.one.host", "a\n\nb\n");
	write_message(&server, "mail/m/cur/2.two.host:2,S", "a\n\nb\n");
	write_message(&server, "mail/m/tmp/3.three.host", "a");
	ATF_CHECK_EQ(0, tool(&server, "check", "~/mail/m/", NULL));
	must_say("format=maildir\nmessages=2\noctets=10\npop-octets=16\n");
	write_message(&server, "mail/m/cur/1.one.host:2,S", "a\n\nb\n");
	date_file(&server, "mail/m/tmp/3.three.host", 1600000000);
	write_message(&server, "mail/m/new/5.five\n=\".host", "a\r\r\n\nb\n");
	make_folder(&server, "mail/m/new/directory");
	ATF_CHECK_EQ(1, tool(&server, "check", "~/mail/m", NULL));
	ATF_CHECK_EQ(4, count_oddities());
	must_say("oddity file=1.one.host:2,S octet=0 what="
	    "unique-name-is-there-twice\n");
	must_say("oddity file=tmp/3.three.host octet=0 what="
	    "delivery-that-was-never-finished\n");
	must_say("oddity file=new/directory octet=0 what=not-a-regular-file");
	/* A name from a stranger is one word, on one line. */
	must_say("oddity file=\"new/5.five\\x0a=\\x22.host\" octet=1 message="
	    "4 what=bare-cr count=1\n");
}

/* What cannot be read is 2, and so is what is asked wrongly. */
ATF_TC_WITHOUT_HEAD(unreadable);
ATF_TC_BODY(unreadable, tc)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct server server;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", GOOD);
	make_folder(&server, "mail/nothing");
	ATF_REQUIRE(symlink("x", home_of(&server, "mail/link")) == 0);
	ATF_REQUIRE(mkfifo(home_of(&server, "mail/fifo"), 0666) == 0);
	if (server.privileged)
		ATF_REQUIRE(chown(home_of(&server, "mail/fifo"), FRED_UID,
		    FRED_UID) == 0 && lchown(home_of(&server, "mail/link"),
		    FRED_UID, FRED_UID) == 0);
	ATF_CHECK_EQ(2, tool(&server, NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/x", "more", NULL));
	ATF_CHECK_EQ(2, tool(&server, "convert", "~/mail/x", "~/y", NULL));
	ATF_CHECK_EQ(2, tool(&server, "convert", "-t", "mmdf", "~/mail/x",
	    "~/mail/y", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/none", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/nothing", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/link", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/fifo", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "/", NULL));
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/..", NULL));
	/* The owner's own right to read it counts, and not root's. */
	ATF_REQUIRE(chmod(home_of(&server, "mail/x"), 0) == 0);
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/x", NULL));
	must_say("cannot be opened");
	ATF_REQUIRE(chmod(home_of(&server, "mail/x"), 0600) == 0);
	/* Another program writes to it. */
	fd = open(home_of(&server, "mail/x"), O_RDWR);
	ATF_REQUIRE(fd != -1 && fcntl(fd, F_SETLK, &lock) == 0);
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/x", NULL));
	must_say("locked by another program");
	ATF_REQUIRE(close(fd) == 0);
	ATF_CHECK_EQ(0, tool(&server, "check", "~/mail/x", NULL));
}

ATF_TC(root_reads_no_mail);
ATF_TC_HEAD(root_reads_no_mail, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(root_reads_no_mail, tc)
{
	struct server server;
	struct stat status;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", GOOD);
	ATF_REQUIRE(chown(home_of(&server, "mail/x"), 0, 0) == 0);
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/x", NULL));
	must_say("it is root's");
	ATF_REQUIRE(chown(home_of(&server, "mail/x"), FRED_UID, 0) == 0);
	ATF_CHECK_EQ(2, tool(&server, "check", "~/mail/x", NULL));
	must_say("asked to stay root");
	ATF_REQUIRE(chown(home_of(&server, "mail/x"), FRED_UID, FRED_UID) ==
	    0);
	/* What is made is the owner's, and nobody else's to read. */
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mh", "~/mail/x",
	    "~/mail/y", NULL));
	ATF_REQUIRE(stat(home_of(&server, "mail/y"), &status) == 0);
	ATF_CHECK_EQ(FRED_UID, status.st_uid);
	ATF_CHECK_EQ(0700, status.st_mode & 07777);
	ATF_REQUIRE(stat(home_of(&server, "mail/y/1"), &status) == 0);
	ATF_CHECK_EQ(FRED_UID, status.st_uid);
	ATF_CHECK_EQ(0600, status.st_mode & 07777);
	/* Nor is it made where the owner may not make it. */
	ATF_CHECK_EQ(2, tool(&server, "convert", "-t", "mh", "~/mail/x",
	    "/mailbox-of-fred", NULL));
	ATF_CHECK(access("/mailbox-of-fred", F_OK) == -1);
}

/* Nothing is overwritten, and what fails leaves nothing. */
ATF_TC_WITHOUT_HEAD(convert_refused);
ATF_TC_BODY(convert_refused, tc)
{
	static const char *const kinds[] = { "mbox", "maildir" };
	struct server server;
	size_t i;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", GOOD);
	write_message(&server, "mail/there", "");
	make_folder(&server, "mail/folder");
	ATF_REQUIRE(symlink("nowhere", home_of(&server, "mail/link")) == 0);
	write_message(&server, "mail/damaged", HEAD("9") "a\r\n");
	write_message(&server, "mail/hello", "hello\n");
	write_message(&server, "mail/mh/1", "one\n");
	write_message(&server, "mail/mh/2", "two\n");
	ATF_REQUIRE(chmod(home_of(&server, "mail/mh/2"), 0) == 0);
	for (i = 0; i < COUNT(kinds); i++) {
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/x", "~/mail/there", NULL));
		must_say("File exists; nothing was made");
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/x", "~/mail/folder", NULL));
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/x", "~/mail/link", NULL));
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/x", "~/mail/x", NULL));
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/damaged", "~/mail/y", NULL));
		must_say("it is damaged");
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/hello", "~/mail/y", NULL));
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/mh", "~/mail/y", NULL));
		must_say("message 2: ");
		ATF_CHECK_EQ(2, tool(&server, "convert", "-t", kinds[i],
		    "~/mail/x", "~/mail/none/y", NULL));
	}
	folder_must_be(&server, FRED, "mail/x", GOOD, sizeof(GOOD) - 1);
	folder_must_be(&server, FRED, "mail/there", "", 0);
	ATF_CHECK_EQ(0, count_entries(&server, "mail/folder"));
	ATF_CHECK_EQ(7, count_entries(&server, "mail"));
}

/* A directory may be reached by a link: its mailboxes are locked, and made. */
ATF_TC_WITHOUT_HEAD(behind_a_link);
ATF_TC_BODY(behind_a_link, tc)
{
	struct server server;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", GOOD);
	ATF_REQUIRE(symlink("mail", home_of(&server, "link")) == 0);
	ATF_CHECK_EQ(0, tool(&server, "check", "~/link/x", NULL));
	ATF_CHECK_MSG(strstr(output, "no dotlock") == NULL, "%s", output);
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mh", "~/link/x",
	    "~/link/y", NULL));
	ATF_CHECK_MSG(strstr(output, "no dotlock") == NULL, "%s", output);
	ATF_CHECK(is_there(&server, "mail/y/1"));
}

/* An empty mailbox stays one of its kind. */
ATF_TC_WITHOUT_HEAD(convert_nothing);
ATF_TC_BODY(convert_nothing, tc)
{
	struct server server;
	char to[40];
	int form;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", "");
	for (form = 0; form < FORMS; form++) {
		(void)snprintf(to, sizeof(to), "~/mail/%s", form_names[form]);
		ATF_CHECK_EQ(0, tool(&server, "convert", "-t",
		    form_names[form], "~/mail/x", to, NULL));
		must_say("messages=0\n");
		ATF_CHECK_EQ(0, tool(&server, "check", to, NULL));
		must_say("messages=0\n");
	}
}

/* A line that would begin a message is quoted, which is told. */
ATF_TC_WITHOUT_HEAD(convert_quoted);
ATF_TC_BODY(convert_quoted, tc)
{
	struct server server;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/mh/1", "a\n\nx\n\n" A "\n" A ">" A);
	write_message(&server, "mail/mh/2", "a\n\nFrom here on\n");
	date_file(&server, "mail/mh/1", 1795312800);
	date_file(&server, "mail/mh/2", 1795312801);
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mbox", "~/mail/mh",
	    "~/mail/x", NULL));
	must_say("messages=2\n");
	must_say("quoted=1\n");
#define QUOTED	"From MAILER-DAEMON Sun Nov 22 02:00:00 2026\n" \
	"a\n\nx\n\n>" A "\n>" A ">" A "\n" \
	"From MAILER-DAEMON Sun Nov 22 02:00:01 2026\n" \
	"a\n\nFrom here on\n\n"
	folder_must_be(&server, FRED, "mail/x", QUOTED, sizeof(QUOTED) - 1);
	/* What an mbox has quoted stays so. */
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mh", "~/mail/x",
	    "~/mail/y", NULL));
	must_say("quoted=0\n");
	folder_must_be(&server, FRED, "mail/y/1", "a\n\nx\n\n>" A "\n>" A ">" A,
	    strlen("a\n\nx\n\n>" A "\n>" A ">" A));
}

/* Dates that a form cannot hold, and mail that is not shown, are told. */
ATF_TC_WITHOUT_HEAD(convert_tells);
ATF_TC_BODY(convert_tells, tc)
{
	static const char hidden[] = HEAD("3") "a\r\n 2-Nov-2026 00:00:00 "
	    "-0700,3;000000000002\r\nb\r\n";
	struct server server;
	struct stat status;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", hidden);
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mh", "~/mail/x",
	    "~/mail/mh", NULL));
	must_say("messages=1\n");
	must_say("left-out=1\n");
	ATF_REQUIRE(stat(home_of(&server, "mail/mh/1"), &status) == 0);
	ATF_CHECK_EQ(1793491200, status.st_mtime);
	write_message(&server, "mail/zone", "From a@b Sat Nov 21 23:33:00 2026 "
	    "-0700\nx\n\nFrom a@b Sat Nov 21 23:33 MET DST 2026\ny\n\n"
	    "From a@b Sat Nov 21 23:33:01 +0130 2026\nz\n\n");
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mh", "~/mail/zone",
	    "~/mail/zones", NULL));
	ATF_REQUIRE(stat(home_of(&server, "mail/zones/1"), &status) == 0);
	ATF_CHECK_EQ(1795303980 + 7 * 3600, status.st_mtime);
	ATF_REQUIRE(stat(home_of(&server, "mail/zones/2"), &status) == 0);
	ATF_CHECK_EQ(1795303980, status.st_mtime);
	ATF_REQUIRE(stat(home_of(&server, "mail/zones/3"), &status) == 0);
	ATF_CHECK_EQ(1795303981 - 5400, status.st_mtime);
	/* A year that only an mbox can name. */
	write_message(&server, "mail/old", "From a@b Sat Nov 21 23:33:00 0005"
	    "\nx\n\n");
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "tenex", "~/mail/old",
	    "~/mail/new", NULL));
	must_say("other-dates=1\n");
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mbox", "~/mail/old",
	    "~/mail/same", NULL));
	must_say("other-dates=0\n");
}

/* A full disk, as far as a limit of the file's size is one. */
ATF_TC_WITHOUT_HEAD(convert_no_room);
ATF_TC_BODY(convert_no_room, tc)
{
	char command[2000];
	const char *const arguments[] = { "sh", "-c", command, NULL };
	struct server server;
	int form;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MBOX, 120, make_message);
	for (form = 0; form < FORMS; form++) {
		(void)snprintf(command, sizeof(command), "ulimit -f 60 && "
		    "exec '%s' mailbox -l '%s/libexec' convert -t %s '%s' '%s'",
		    program("posternctl"), server.directory, form_names[form],
		    home_of(&server, "mail/x"), home_of(&server, "mail/y"));
		ATF_CHECK_EQ(2, run(arguments, NULL, output, sizeof(output)));
		must_say("nothing was made");
		ATF_CHECK_EQ(1, count_entries(&server, "mail"));
	}
}

static size_t
count_beginnings(const struct server *server)
{
	struct dirent *entry;
	DIR *names = opendir(home_of(server, "mail"));
	size_t count = 0;

	ATF_REQUIRE(names != NULL);
	while ((entry = readdir(names)) != NULL)
		count += strncmp(entry->d_name, ".postern-", 9) == 0 &&
		    strstr(entry->d_name, ".new") != NULL;
	(void)closedir(names);
	return (count);
}

/*
 * Begins to check a mailbox of FRED's, or to convert it into a Maildir: `to`
 * is NULL or not.  What it prints goes to `out`, its errors to `errors`.
 */
static pid_t
start_tool_with(const struct server *server, const char *from, const char *to,
    int out, int errors)
{
	char libexec[300];
	pid_t pid;

	(void)snprintf(libexec, sizeof(libexec), "%s/libexec",
	    server->directory);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid != 0)
		return (pid);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(errors, STDERR_FILENO);
	if (to != NULL)
		(void)execl(program("posternctl"), "posternctl", "mailbox",
		    "-l", libexec, "convert", "-t", "maildir",
		    home_of(server, from), home_of(server, to), (char *)NULL);
	else
		(void)execl(program("posternctl"), "posternctl", "mailbox",
		    "-l", libexec, "check", home_of(server, from),
		    (char *)NULL);
	_exit(127);
}

static pid_t
start_tool(const struct server *server, const char *from, const char *to)
{
	return (start_tool_with(server, from, to, STDOUT_FILENO,
	    STDERR_FILENO));
}

static void
must_have_failed(pid_t pid)
{
	int status;

	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 2,
	    "status %d", status);
}

/* Interrupted when it has begun, it takes all back. */
ATF_TC(convert_interrupted);
ATF_TC_HEAD(convert_interrupted, tc)
{
	atf_tc_set_md_var(tc, "timeout", "300");
}
ATF_TC_BODY(convert_interrupted, tc)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct server server;
	int waited;
	size_t i;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MBOX, 4000, make_message);
	for (i = 0; i < COUNT(signals); i++) {
		pid = start_tool(&server, "mail/x", "mail/y");
		for (waited = 0; waited < 10000 &&
		    count_beginnings(&server) == 0; waited++)
			(void)usleep(1000);
		ATF_REQUIRE(kill(pid, signals[i]) == 0);
		must_have_failed(pid);
		ATF_CHECK_EQ(1, count_entries(&server, "mail"));
	}
}

/* Waits until the beginning of a Maildir in there has its last directory. */
static const char *
find_beginning(const struct server *server, const char *directory)
{
	static char path[600], last[700];
	struct dirent *entry;
	int waited;
	DIR *names;

	for (waited = 0; waited < 10000; waited++) {
		ATF_REQUIRE((names = opendir(home_of(server, directory))) !=
		    NULL);
		while ((entry = readdir(names)) != NULL)
			if (strstr(entry->d_name, ".new") != NULL) {
				(void)snprintf(path, sizeof(path), "%s/%s",
				    directory, entry->d_name);
				(void)snprintf(last, sizeof(last), "%s/new",
				    path);
			}
		(void)closedir(names);
		if (last[0] != '\0' && is_there(server, last))
			return (path);
		(void)usleep(1000);
	}
	atf_tc_fail("it does not begin");
}

static int
is_locked_by(const struct server *server, const char *path, pid_t pid)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(home_of(server, path), O_RDWR);

	ATF_REQUIRE(fd != -1 && fcntl(fd, F_GETLK, &lock) == 0 &&
	    close(fd) == 0);
	return (lock.l_type == F_RDLCK && lock.l_pid == pid);
}

/* Nobody rewrites it while it is copied; and the lock goes. */
ATF_TC_WITHOUT_HEAD(convert_locks);
ATF_TC_BODY(convert_locks, tc)
{
	struct server server;
	int status, tries, was_locked = 0;
	char done[20];
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MBOX, 4000, make_message);
	/* Its end may come before it is stopped: then once more. */
	for (tries = 0; tries < 5 && !was_locked; tries++) {
		pid = start_tool(&server, "mail/x", "mail/y");
		(void)find_beginning(&server, "mail");
		ATF_REQUIRE(kill(pid, SIGSTOP) == 0);
		ATF_REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
		if (WIFSTOPPED(status)) {
			was_locked = is_locked_by(&server, "mail/x", pid) &&
			    is_there(&server, "mail/x.lock");
			ATF_REQUIRE(kill(pid, SIGCONT) == 0);
			ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
		}
		ATF_CHECK_EQ(0, status);
		ATF_CHECK(!is_there(&server, "mail/x.lock"));
		ATF_CHECK_EQ(4000, count_entries(&server, "mail/y/new"));
		(void)snprintf(done, sizeof(done), "done-%d", tries);
		move_file(&server, "mail/y", done);
	}
	ATF_CHECK(was_locked);
}

/* While names change a listing may miss one: so none is taken for whole. */
ATF_TC_WITHOUT_HEAD(convert_renamed);
ATF_TC_BODY(convert_renamed, tc)
{
	static const char *const names[] = { "mail/x/cur/1.one:2,",
	    "mail/x/cur/1.one:2,S" };
	struct server server;
	pid_t renamer;
	int i;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MAILDIR, 3, make_message);
	write_message(&server, names[0], "Subject: one\n\nfirst\n");
	ATF_REQUIRE((renamer = fork()) != -1);
	if (renamer == 0) {
		/* At most a minute, should nobody end it. */
		for (i = 0; i < 600; i++) {
			move_file(&server, names[i % 2], names[1 - i % 2]);
			(void)usleep(100000);
		}
		_exit(0);
	}
	ATF_CHECK_EQ(2, tool(&server, "convert", "-t", "mbox", "~/mail/x",
	    "~/mail/y", NULL));
	must_say("names in it are being changed");
	ATF_CHECK(!is_there(&server, "mail/y"));
	ATF_REQUIRE(kill(renamer, SIGKILL) == 0);
	ATF_REQUIRE(waitpid(renamer, NULL, 0) == renamer);
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mbox", "~/mail/x",
	    "~/mail/y", NULL));
	must_say("messages=4\n");
}

static void
append(const struct server *server, const char *path, const char *text)
{
	FILE *file = fopen(home_of(server, path), "a");

	ATF_REQUIRE(file != NULL && fputs(text, file) != EOF &&
	    fclose(file) == 0);
}

/* An agent has named its message, and writes it still: that is waited for. */
ATF_TC_WITHOUT_HEAD(convert_written);
ATF_TC_BODY(convert_written, tc)
{
	struct server server;
	pid_t writer;
	char *bytes;
	int i;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x/1", "Subject: one\n\nbegun\n");
	ATF_REQUIRE((writer = fork()) != -1);
	if (writer == 0) {
		for (i = 0; i < 14; i++) {
			(void)usleep(250000);
			append(&server, "mail/x/1", i < 13 ? "more\n" :
			    "ended\n");
			/* By another clock. */
			date_file(&server, "mail/x/1", time(NULL) - 100000);
		}
		_exit(0);
	}
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mbox", "~/mail/x",
	    "~/mail/y", NULL));
	ATF_REQUIRE(waitpid(writer, NULL, 0) == writer);
	bytes = file_read(home_of(&server, "mail/y"), NULL);
	ATF_CHECK(strstr(bytes, "ended\n") != NULL);
	free(bytes);
}

/* One that is written on after it was copied is seen in the end. */
ATF_TC_WITHOUT_HEAD(convert_changed);
ATF_TC_BODY(convert_changed, tc)
{
	struct server server;
	char path[700];
	int waited;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MH, 2000, make_message);
	pid = start_tool(&server, "mail/x", "mail/y");
	(void)snprintf(path, sizeof(path), "%s/new",
	    find_beginning(&server, "mail"));
	for (waited = 0; waited < 10000 && count_entries(&server, path) == 0;
	    waited++)
		(void)usleep(1000);
	ATF_REQUIRE(kill(pid, SIGSTOP) == 0);
	append(&server, "mail/x/1", "and more\n");
	ATF_REQUIRE(kill(pid, SIGCONT) == 0);
	must_have_failed(pid);
	ATF_CHECK(!is_there(&server, "mail/y"));
	ATF_CHECK_EQ(1, count_entries(&server, "mail"));
}

/* A message that may not be served is not left out without a word. */
ATF_TC_WITHOUT_HEAD(convert_not_ours);
ATF_TC_BODY(convert_not_ours, tc)
{
	struct server server;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MAILDIR, 3, make_message);
	write_form(&server, "mail/mh", MH, 3, make_message);
	/* A folder within a folder is none of its messages. */
	make_folder(&server, "mail/mh/2026");
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mbox", "~/mail/mh",
	    "~/mail/good", NULL));
	must_say("messages=3\n");
	ATF_REQUIRE(symlink("1", home_of(&server, "mail/mh/4")) == 0);
	ATF_CHECK_EQ(2, tool(&server, "convert", "-t", "mbox", "~/mail/mh",
	    "~/mail/y", NULL));
	must_say("'check' tells which");
	ATF_CHECK(!is_there(&server, "mail/y"));
	if (!server.privileged)
		return;
	write_message(&server, "mail/x/cur/1.one:2,", "Subject: one\n\na\n");
	ATF_CHECK_EQ(0, tool(&server, "check", "~/mail/x", NULL));
	ATF_REQUIRE(chown(home_of(&server, "mail/x/cur/1.one:2,"), 0, 0) == 0);
	ATF_CHECK_EQ(1, tool(&server, "check", "~/mail/x", NULL));
	must_say("oddity file=cur/1.one:2, octet=0 "
	    "what=belongs-to-somebody-else\n");
	ATF_CHECK_EQ(2, tool(&server, "convert", "-t", "mbox", "~/mail/x",
	    "~/mail/y", NULL));
	must_say("'check' tells which");
	ATF_CHECK(!is_there(&server, "mail/y"));
}

/* Errors may go where stdio would first ask what that is. */
ATF_TC_WITHOUT_HEAD(errors_to_a_device);
ATF_TC_BODY(errors_to_a_device, tc)
{
	struct server server;
	int null;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", "Not an mbox.\n");
	ATF_REQUIRE((null = open("/dev/null", O_WRONLY | O_CLOEXEC)) != -1);
	pid = start_tool_with(&server, "mail/x", "mail/y", STDOUT_FILENO,
	    null);
	(void)close(null);
	must_have_failed(pid);
}

/*
 * Where others may write, too, they can put a link in the place of what is
 * being made: nothing is removed or made where it leads to.
 */
ATF_TC_WITHOUT_HEAD(convert_replaced);
ATF_TC_BODY(convert_replaced, tc)
{
	const char *beginning;
	struct server server;
	int ends;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MAILDIR, 4000, make_message);
	make_folder(&server, "shared");
	ATF_REQUIRE(chmod(home_of(&server, "shared"), 0777) == 0);
	for (ends = 0; ends < 2; ends++) {
		pid = start_tool(&server, "mail/x", "shared/y");
		beginning = find_beginning(&server, "shared");
		ATF_REQUIRE(kill(pid, SIGSTOP) == 0);
		move_file(&server, beginning, "shared/taken");
		ATF_REQUIRE(symlink(home_of(&server, "mail/x"),
		    home_of(&server, beginning)) == 0);
		if (ends)
			ATF_REQUIRE(kill(pid, SIGTERM) == 0);
		ATF_REQUIRE(kill(pid, SIGCONT) == 0);
		must_have_failed(pid);
		ATF_CHECK_EQ(4000, count_entries(&server, "mail/x/new") +
		    count_entries(&server, "mail/x/cur"));
		ATF_CHECK(is_there(&server, "mail/x/tmp"));
		ATF_CHECK(!is_there(&server, "shared/y"));
		/* What is not its own is left there. */
		remove_file(&server, beginning);
		ATF_REQUIRE(rmdir(home_of(&server, "shared/taken")) == 0);
	}
}

/*
 * A user can make a file that takes hours to read, and no room on the disk:
 * whoever looks at it can stop that, and no lock is left behind.
 */
ATF_TC_WITHOUT_HEAD(check_interrupted);
ATF_TC_BODY(check_interrupted, tc)
{
	struct server server;
	int waited;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_message(&server, "mail/x", GOOD);
	if (truncate(home_of(&server, "mail/x"), (off_t)4 << 40) == -1)
		atf_tc_skip("no file of that size can be made here");
	pid = start_tool(&server, "mail/x", NULL);
	/* The lock shows that it has begun. */
	for (waited = 0; waited < 10000 && !is_there(&server, "mail/x.lock");
	    waited++)
		(void)usleep(1000);
	ATF_REQUIRE(kill(pid, SIGINT) == 0);
	must_have_failed(pid);
	ATF_CHECK_EQ(1, count_entries(&server, "mail"));
}

static int
octets_in(int fd)
{
	int count = 0;

	ATF_REQUIRE(ioctl(fd, FIONREAD, &count) == 0);
	return (count);
}

/* Reads all that comes into `output`, and waits for the tool's end. */
static int
read_tool(pid_t pid, int fd)
{
	const size_t size = sizeof(output) - 1;
	size_t have = 0;
	ssize_t got;
	int status;

	while (have < size && (got = read(fd, output + have, size - have)) > 0)
		have += (size_t)got;
	output[have] = '\0';
	(void)close(fd);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/*
 * Nobody reads what is printed: others get the lock all the same, and what they
 * write is not taken for an oddity.
 */
ATF_TC_WITHOUT_HEAD(check_stuck);
ATF_TC_BODY(check_stuck, tc)
{
	static const char odd[] = "From a@example.org Sat Nov 21 23:33:00 "
	    "2026\nSubject: odd\n\none\rtwo\n\n";
	const size_t length = strlen(odd), count = 4000;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *text = malloc(count * length + 1);
	int changes, fd, ends[2], waited;
	struct server server;
	size_t i;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	ATF_REQUIRE(text != NULL);
	for (i = 0; i < count; i++)
		memcpy(text + i * length, odd, length + 1);
	write_message(&server, "mail/x", text);
	for (changes = 0; changes < 2; changes++) {
		ATF_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
		pid = start_tool_with(&server, "mail/x", NULL, ends[1],
		    ends[1]);
		(void)close(ends[1]);
		for (waited = 0; waited < 10000 && octets_in(ends[0]) < 4096;
		    waited++)
			(void)usleep(1000);
		fd = open(home_of(&server, "mail/x"), O_RDWR);
		ATF_REQUIRE(fd != -1 && fcntl(fd, F_SETLK, &lock) == 0);
		ATF_CHECK(!is_there(&server, "mail/x.lock"));
		/* As long as before. */
		if (changes)
			ATF_REQUIRE(pwrite(fd, "f", 1, 0) == 1);
		(void)close(fd);
		ATF_CHECK_EQ(changes ? 2 : 1, read_tool(pid, ends[0]));
		must_say(changes ? "changed while it was read" :
		    "\noddities=4000\n");
		ATF_CHECK_EQ(changes, strstr(output, "oddities=") == NULL);
	}
	free(text);
}

/* The bar is for a person at a terminal, and for nobody else. */
ATF_TC_WITHOUT_HEAD(progress);
ATF_TC_BODY(progress, tc)
{
	char libexec[300], from[800], to[800], text[4096];
	struct server server;
	int terminal, status;
	size_t have = 0;
	ssize_t got;
	pid_t pid;

	(void)tc;
	server_prepare(&server, NULL);
	write_form(&server, "mail/x", MBOX, 40, make_message);
	(void)snprintf(libexec, sizeof(libexec), "%s/libexec",
	    server.directory);
	(void)strlcpy(from, home_of(&server, "mail/x"), sizeof(from));
	(void)strlcpy(to, home_of(&server, "mail/y"), sizeof(to));
	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ATF_REQUIRE(terminal != -1 && grantpt(terminal) == 0 &&
	    unlockpt(terminal) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		(void)dup2(open(ptsname(terminal), O_RDWR | O_NOCTTY),
		    STDERR_FILENO);
		(void)execl(program("posternctl"), "posternctl", "mailbox",
		    "-l", libexec, "convert", "-t", "mh", from, to,
		    (char *)NULL);
		_exit(127);
	}
	while (have < sizeof(text) - 1 && (got = read(terminal, text + have,
	    sizeof(text) - 1 - have)) > 0)
		have += (size_t)got;
	text[have] = '\0';
	(void)close(terminal);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK(have > 0 && strstr(text, "\rwriting ") != NULL &&
	    strstr(text, "\rreading back ") != NULL);
	ATF_CHECK_EQ(0, tool(&server, "convert", "-t", "mh", "~/mail/x",
	    "~/mail/z", NULL));
	ATF_CHECK(strchr(output, '%') == NULL && strchr(output, '\r') == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, check_files);
	ATF_TP_ADD_TC(tp, check_mh);
	ATF_TP_ADD_TC(tp, check_maildir);
	ATF_TP_ADD_TC(tp, unreadable);
	ATF_TP_ADD_TC(tp, root_reads_no_mail);
	ATF_TP_ADD_TC(tp, convert_refused);
	ATF_TP_ADD_TC(tp, behind_a_link);
	ATF_TP_ADD_TC(tp, convert_nothing);
	ATF_TP_ADD_TC(tp, convert_quoted);
	ATF_TP_ADD_TC(tp, convert_tells);
	ATF_TP_ADD_TC(tp, convert_no_room);
	ATF_TP_ADD_TC(tp, convert_interrupted);
	ATF_TP_ADD_TC(tp, convert_locks);
	ATF_TP_ADD_TC(tp, convert_renamed);
	ATF_TP_ADD_TC(tp, convert_written);
	ATF_TP_ADD_TC(tp, convert_changed);
	ATF_TP_ADD_TC(tp, convert_not_ours);
	ATF_TP_ADD_TC(tp, errors_to_a_device);
	ATF_TP_ADD_TC(tp, convert_replaced);
	ATF_TP_ADD_TC(tp, check_interrupted);
	ATF_TP_ADD_TC(tp, check_stuck);
	ATF_TP_ADD_TC(tp, progress);
	return (atf_no_error());
}
