/*
 * config_test.c - configuration files in, expected errors out.
 */
#include <sys/stat.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <pwd.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "harness.h"
#include "log.h"
#include "template.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define OTHERS		"auth-user 64102:64102\nlock-user 64104:64104\n"
#define KEYS	"keys-user 64105:64105\n"
#define USERS		"net-user 64101:64101\n" OTHERS
#define USER_LINES	3

static char output[16384];

static void
write_config(const char *text)
{
	file_write("conf", text, strlen(text));
	ATF_REQUIRE(chmod("conf", 0644) == 0);
}

/* Where posternd finds postern-config. */
static const char *
programs(void)
{
	static const char *copied;
	char here[512];

	if (copied == NULL) {
		ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
		ATF_REQUIRE(chmod(here, 0755) == 0);
		copied = programs_copy(here);
	}
	return (copied);
}

/* Runs `posternd -n` on the text; returns its exit status. */
static int
check(const char *text)
{
	const char *const arguments[] = { program("posternd"), "-n", "-l",
	    programs(), "-f", "conf", NULL };

	write_config(text);
	return (run(arguments, NULL, output, sizeof(output)));
}

static int
lines_with(const char *text)
{
	const char *at = output;
	int count = 0;

	while ((at = strstr(at, text)) != NULL) {
		count++;
		at++;
	}
	return (count);
}

static const char *const good[] = {
	"",
	"\n\n  \n\t\n",
	"# a comment\n   # another\n",
	"hostname post.example.org\n",
	"hostname post",
	"hostname 192.0.2.1",
	"hostname\tpost.example.org\t# the name\n",
	"hostname \"post.example.org\"\n",
	"hostname post.example.org\r\n",
	"listen auto localhost",
	"listen pop1 127.0.0.1",
	"listen pop2 ::1 port 0",
	"listen auto * port 65535",
	"listen auto 127.0.0.1 port 109 quirks pcnfs",
	"listen auto 127.0.0.1 quirks pcnfs port 109",
	"listen auto ::1\nlisten pop1 ::1 port 110\nlisten pop2 ::1 port 1\n",
	"cleartext none",
	"cleartext 192.0.2.1",
	"cleartext 192.0.2.0/24 2001:db8::/32 ::1 10.0.0.0/8",
	"cleartext 0.0.0.0/0\ncleartext ::/0\n",
	"cleartext 192.0.2.1/32 2001:db8::/128",
	"auth system",
	"auth passwd /etc/postern/passwd",
	"auth system /etc/postern/passwd",
	"auth passwd \"/etc/post ern/passwd\"",
	"mailbox /var/mail/%u",
	"mailbox ~/Mailbox",
	"mailbox %h/mail/%u",
	"mailbox /var/100%%/%u",
	"folders ~/mail",
	"folders none",
	"folders /var/folders/%u",
	"minimum-uid 1", "minimum-uid 4294967294",
	"net-processes 1", "net-processes 64",
	"auth-processes 1", "auth-processes 64",
	"login-timeout 1", "login-timeout 3600",
	"session-timeout 1", "session-timeout 86400",
	"lock-timeout 0", "lock-timeout 3600",
	"listen pop3 127.0.0.1", "listen pop3 ::1\nsession-timeout 600",
	"uidl native", "uidl dovecot", "uidl uw",
	"expire never", "expire 1", "expire 36500",
	"login-delay 0", "login-delay 86400",
	"lock fcntl", "lock flock", "lock dotlock", "lock try-dotlock",
	"lock dotlock fcntl", "lock flock fcntl try-dotlock",
	"max-connections 1", "max-connections 1000000",
	"max-sessions 1", "max-sessions 16384",
	"chroot /var/empty", "state /var/lib/postern",
	"without seccomp", "without landlock chroot",
	"without seccomp\nwithout landlock\n",
	"unprivileged", "mh-rename",
	KEYS "tls-certificate /a key /b",
	KEYS "tls-certificate /a key /b\ntls-certificate /c key /d\n"
	    "listen pop2 ::1 tls\nlisten pop3 ::1 port 1 tls\n"
	    "listen auto ::1 tls quirks pcnfs port 0\nlisten pop3 ::1",
	/* The account is asked for only where there is something to sign. */
	"listen pop3 ::1",
};

static const char *const bad_tls[] = {
	"tls-certificate", "tls-certificate /a", "tls-certificate /a key",
	"tls-certificate /a /b", "tls-certificate /a key b",
	"tls-certificate a key /b", "tls-certificate /a key /b more",
	"tls-certificate key /a /b", "tls-certificate /a key \"\"",
};

ATF_TC_WITHOUT_HEAD(tls);
ATF_TC_BODY(tls, tc)
{
	static char text[4096];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(bad_tls); i++) {
		(void)snprintf(text, sizeof(text), USERS KEYS "%s",
		    bad_tls[i]);
		ATF_CHECK_EQ_MSG(1, check(text), "%s", bad_tls[i]);
		ATF_CHECK_EQ_MSG(1, lines_with("tls-certificate: expected "
		    "tls-certificate /FILE key /FILE, at most 16 times"),
		    "%s: %s", bad_tls[i], output);
	}
	(void)strlcpy(text, USERS KEYS, sizeof(text));
	for (i = 0; i < CERTIFICATES_MAX; i++)
		(void)strlcat(text, "tls-certificate /a key /b\n",
		    sizeof(text));
	ATF_CHECK_EQ_MSG(0, check(text), "%s", output);
	(void)strlcat(text, "tls-certificate /a key /b\n", sizeof(text));
	ATF_CHECK_EQ(1, check(text));
	ATF_CHECK_EQ_MSG(1, lines_with("at most 16 times"), "%s", output);
	/* One is missing; for STLS none has to be there. */
	ATF_CHECK_EQ(1, check(USERS "listen pop2 ::1 tls"));
	ATF_CHECK_EQ_MSG(1, lines_with("listen: tls: expected a "
	    "tls-certificate, too"), "%s", output);
}

ATF_TC_WITHOUT_HEAD(good_files);
ATF_TC_BODY(good_files, tc)
{
	char text[1024];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(good); i++) {
		(void)snprintf(text, sizeof(text), USERS "%s", good[i]);
		ATF_CHECK_EQ_MSG(0, check(text), "%s: %s", good[i], output);
		ATF_CHECK_STREQ("configuration OK\n", output);
	}
}

#define NUMBER(name, range)						\
	{ name, name, range }, { name " x", name, range },		\
	{ name " -1", name, range }, { name " 1 2", name, range },	\
	{ name " 1x", name, range }, { name " 0x10", name, range },	\
	{ name " 4294967296", name, range },				\
	{ name " 18446744073709551617", name, range }

/* A line, the word that the error names, and what it says was expected. */
static const struct {
	const char *line, *word, *expected;
} bad[] = {
	{ "nonsense", "nonsense", "a keyword of posternd.conf(5)" },
	{ "Hostname post", "Hostname", "a keyword of posternd.conf(5)" },
	{ "\"\"", "", "a keyword of posternd.conf(5)" },
	{ "hostname", "hostname", "one host name" },
	{ "hostname a b", "hostname", "one host name" },
	{ "hostname a_b", "hostname", "one host name" },
	{ "hostname \"a b\"", "hostname", "one host name" },
	{ "hostname \"\"", "hostname", "one host name" },
	{ "hostname post\xc3\xb6rn", "hostname", "one host name" },
	{ "hostname \"post", "line", "an end to every quote" },
	{ "cleartext 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 "
	    "22 23 24 25 26 27 28 29 30 31 32", "line", "fewer words" },
	{ "listen", "listen", "listen auto|pop1|pop2|pop3 ADDRESS" },
	{ "listen auto", "listen", "listen auto|pop1|pop2|pop3 ADDRESS" },
	{ "listen imap ::1", "listen", "listen auto|pop1|pop2|pop3 ADDRESS" },
	{ "listen auto ::1 port", "listen", "listen auto|" },
	{ "listen auto ::1 port x", "listen", "listen auto|" },
	{ "listen auto ::1 port -1", "listen", "listen auto|" },
	{ "listen auto ::1 port 65536", "listen", "listen auto|" },
	{ "listen auto ::1 109", "listen", "listen auto|" },
	{ "listen auto ::1 quirks", "listen", "listen auto|" },
	{ "listen auto ::1 quirks other", "listen", "listen auto|" },
	{ "listen auto ::1 extra 1", "listen", "listen auto|" },
	{ "cleartext", "cleartext", "networks such as" },
	{ "cleartext none 10.0.0.0/8", "cleartext", "networks such as" },
	{ "cleartext example.org", "cleartext", "networks such as" },
	{ "cleartext 10.0.0.0/33", "cleartext", "networks such as" },
	{ "cleartext 10.0.0.0/-1", "cleartext", "networks such as" },
	{ "cleartext 10.0.0.0/", "cleartext", "networks such as" },
	{ "cleartext 10.0.0/8", "cleartext", "networks such as" },
	{ "cleartext 10.0.0.256", "cleartext", "networks such as" },
	{ "cleartext ::/129", "cleartext", "networks such as" },
	{ "cleartext ::1 x", "cleartext", "networks such as" },
	{ "auth", "auth", "auth system, auth system /FILE" },
	{ "auth pam", "auth", "auth system, auth system /FILE" },
	{ "auth system x", "auth", "auth system, auth system /FILE" },
	{ "auth passwd", "auth", "auth system, auth system /FILE" },
	{ "auth passwd file", "auth", "auth system, auth system /FILE" },
	{ "auth passwd /a /b", "auth", "auth system, auth system /FILE" },
	{ "mailbox", "mailbox", "a path from / or ~/" },
	{ "mailbox %u", "mailbox", "a path from / or ~/" },
	{ "mailbox mail/%u", "mailbox", "a path from / or ~/" },
	{ "mailbox /var/mail/%s", "mailbox", "a path from / or ~/" },
	{ "mailbox /var/mail/%", "mailbox", "a path from / or ~/" },
	{ "mailbox ~fred/mail", "mailbox", "a path from / or ~/" },
	{ "mailbox none", "mailbox", "a path from / or ~/" },
	{ "mailbox /a /b", "mailbox", "a path from / or ~/" },
	{ "folders", "folders", "a directory from / or ~/" },
	{ "folders mail", "folders", "a directory from / or ~/" },
	{ "folders ~/%d", "folders", "a directory from / or ~/" },
	NUMBER("minimum-uid", "a number from 1 to 4294967294"),
	{ "minimum-uid 0", "minimum-uid", "a number from 1 to 4294967294" },
	NUMBER("net-processes", "a number from 1 to 64"),
	{ "net-processes 0", "net-processes", "a number from 1 to 64" },
	{ "net-processes 65", "net-processes", "a number from 1 to 64" },
	NUMBER("auth-processes", "a number from 1 to 64"),
	{ "auth-processes 65", "auth-processes", "a number from 1 to 64" },
	NUMBER("login-timeout", "a number from 1 to 3600"),
	NUMBER("session-timeout", "a number from 1 to 86400"),
	NUMBER("lock-timeout", "a number from 0 to 3600"),
	NUMBER("login-delay", "a number from 0 to 86400"),
	NUMBER("expire", "a number of days from 1 to 36500, or never"),
	{ "expire 0", "expire", "a number of days from 1 to 36500" },
	{ "uidl", "uidl", "native, dovecot, uw or" },
	{ "uidl popa3", "uidl", "native, dovecot, uw or" },
	{ "uidl uw uw", "uidl", "native, dovecot, uw or" },
	{ "listen pop4 ::1", "listen", "listen auto|pop1|pop2|pop3 " },
	{ "lock", "lock", "fcntl, flock, and dotlock or try-dotlock" },
	{ "lock none", "lock", "fcntl, flock, and dotlock or try-dotlock" },
	{ "lock fcntl lockf", "lock", "fcntl, flock, and dotlock" },
	{ "lock Fcntl", "lock", "fcntl, flock, and dotlock or try-dotlock" },
	{ "lock \"fcntl flock\"", "lock", "fcntl, flock, and " },
	{ "lock \"\"", "lock", "fcntl, flock, and dotlock or try-dotlock" },
	{ "lock fcntl x dotlock", "lock", "fcntl, flock, and " },
	{ "lock fcntl flock dotlock try-dotlock", "lock", "fcntl, flock, " },
	NUMBER("max-connections", "a number from 1 to 1000000"),
	NUMBER("max-sessions", "a number from 1 to 16384"),
	{ "chroot", "chroot", "one absolute path" },
	{ "chroot empty", "chroot", "one absolute path" },
	{ "state a", "state", "one absolute path" },
	{ "state /a /b", "state", "one absolute path" },
	{ "without", "without", "seccomp, landlock or chroot" },
	{ "lock fcntl fcntl", "lock", "fcntl, flock, and dotlock or" },
	{ "lock dotlock try-dotlock", "lock", "fcntl, flock, and dotlock" },
	{ "without sandbox", "without", "seccomp, landlock or chroot" },
	{ "without seccomp x", "without", "seccomp, landlock or chroot" },
	{ "unprivileged yes", "unprivileged", "nothing behind it" },
	{ "mh-rename yes", "mh-rename", "nothing behind it" },
};

/* One error, at its line, with what was expected, and status 1. */
ATF_TC_WITHOUT_HEAD(bad_lines);
ATF_TC_BODY(bad_lines, tc)
{
	char text[2048], wanted[512];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(bad); i++) {
		(void)snprintf(text, sizeof(text), USERS "# more\n%s\n",
		    bad[i].line);
		(void)snprintf(wanted, sizeof(wanted),
		    "posternd: conf:%d: %s: expected %s%s", USER_LINES + 2,
		    bad[i].word,
		    strstr(bad[i].line, "\"post") != NULL ?
		    "fewer words, and " : "", bad[i].expected);
		ATF_CHECK_EQ_MSG(1, check(text), "\"%s\" is taken",
		    bad[i].line);
		ATF_CHECK_MSG(strstr(output, wanted) != NULL,
		    "\"%s\": expected \"%s\", got: %s", bad[i].line, wanted,
		    output);
		ATF_CHECK_EQ_MSG(1, lines_with(": expected "), "\"%s\": %s",
		    bad[i].line, output);
		ATF_CHECK_MSG(strstr(output, "configuration: 1 error\n") !=
		    NULL, "\"%s\": %s", bad[i].line, output);
	}
}

static const char *const identities[] = {
	"net-user", "net-user 0:0", "net-user 0:1", "net-user 1:0",
	"net-user root", "net-user no-such-account-here", "net-user 5",
	"net-user 5:", "net-user :5", "net-user 5:x",
	"net-user 4294967295:5", "net-user 5:4294967295", "net-user 5:6:7",
	"net-user \"\"", "net-user 5:5 6:6",
};

ATF_TC_WITHOUT_HEAD(users);
ATF_TC_BODY(users, tc)
{
	char text[256];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(identities); i++) {
		(void)snprintf(text, sizeof(text), "%s\n" OTHERS,
		    identities[i]);
		ATF_CHECK_EQ_MSG(1, check(text), "%s", identities[i]);
		ATF_CHECK_MSG(strstr(output, "conf:1: net-user: expected an "
		    "account that exists and is not root") != NULL, "%s: %s",
		    identities[i], output);
	}
	ATF_CHECK_EQ(0, check("net-user nobody\n" OTHERS));
}

/* No two roles may have one account, whatever their groups are. */
ATF_TC_WITHOUT_HEAD(different_users);
ATF_TC_BODY(different_users, tc)
{
	static const struct {
		unsigned int net, auth, lock, keys;
		int status;
	} rows[] = {
		{ 5, 6, 7, 8, 0 }, { 5, 5, 7, 8, 1 }, { 5, 6, 5, 8, 1 },
		{ 5, 6, 6, 8, 1 }, { 5, 5, 5, 8, 1 }, { 5, 6, 7, 5, 1 },
		{ 5, 6, 7, 6, 1 }, { 5, 6, 7, 7, 1 },
	};
	char text[256];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text), "net-user %u:1\n"
		    "auth-user %u:2\nlock-user %u:3\nkeys-user %u:4\n",
		    rows[i].net, rows[i].auth, rows[i].lock, rows[i].keys);
		ATF_CHECK_EQ_MSG(rows[i].status, check(text), "%s", text);
		ATF_CHECK_EQ_MSG(rows[i].status, lines_with("net-user, "
		    "auth-user, lock-user and keys-user: expected different "
		    "accounts"),
		    "%s%s", text, output);
		/* One group may serve several. */
		(void)snprintf(text, sizeof(text), "unprivileged\nnet-user "
		    "%u:1\nauth-user %u:1\nlock-user %u:1\nkeys-user %u:1\n",
		    rows[i].net, rows[i].auth, rows[i].lock, rows[i].keys);
		ATF_CHECK_EQ_MSG(0, check(text), "%s%s", text, output);
	}
	/* But not that of postern-lock, which may write the spool. */
	ATF_CHECK_EQ(0, check("net-user 5:1\nauth-user 6:1\n"
	    "lock-user 7:3\nkeys-user 8:1\n"));
	ATF_CHECK_EQ(1, check("net-user 5:3\nauth-user 6:2\n"
	    "lock-user 7:3\nkeys-user 8:4\n"));
	ATF_CHECK_EQ(1, check("net-user 5:1\nauth-user 6:3\n"
	    "lock-user 7:3\nkeys-user 8:4\n"));
	ATF_CHECK_EQ(1, check("net-user 5:1\nauth-user 6:2\n"
	    "lock-user 7:3\nkeys-user 8:3\n"));
}

/* All of them at once, each with its own line. */
ATF_TC_WITHOUT_HEAD(all_errors);
ATF_TC_BODY(all_errors, tc)
{
	static char text[COUNT(bad) * 128];
	char place[32];
	size_t i, line = USER_LINES;

	(void)tc;
	(void)strlcpy(text, USERS, sizeof(text));
	for (i = 0; i < COUNT(bad); i += 3) {
		(void)strlcat(text, bad[i].line, sizeof(text));
		(void)strlcat(text, "\n", sizeof(text));
	}
	ATF_CHECK_EQ(1, check(text));
	for (i = 0; i < COUNT(bad); i += 3) {
		(void)snprintf(place, sizeof(place), " conf:%zu: ", ++line);
		ATF_CHECK_EQ_MSG(1, lines_with(place), "%s (%s)", place,
		    bad[i].line);
	}
	(void)snprintf(place, sizeof(place), "%zu errors",
	    line - USER_LINES);
	ATF_CHECK_MSG(strstr(output, place) != NULL, "%s", output);
}

static const struct {
	const char *line;
	int repeatable;
} keywords[] = {
	{ "hostname a", 0 }, { "listen auto ::1", 1 }, { "cleartext ::1", 1 },
	{ "auth system", 0 }, { "mailbox /a", 0 }, { "folders none", 0 },
	{ "minimum-uid 5", 0 }, { "net-processes 2", 0 },
	{ "auth-processes 2", 0 }, { "login-timeout 5", 0 },
	{ "session-timeout 5", 0 }, { "lock-timeout 5", 0 },
	{ "lock fcntl", 0 },
	{ "max-connections 5", 0 }, { "max-sessions 5", 0 },
	{ "chroot /a", 0 }, { "state /a", 0 },
	{ "without seccomp", 1 }, { "unprivileged", 0 },
	{ "mh-rename", 0 }, { "uidl uw", 0 }, { "expire 5", 0 },
	{ "login-delay 5", 0 },
};

ATF_TC_WITHOUT_HEAD(repeated);
ATF_TC_BODY(repeated, tc)
{
	static const char *const with_none[] = {
	    "cleartext none\ncleartext ::1\n",
	    "cleartext ::1\ncleartext none\n",
	    "cleartext none\ncleartext none\n" };
	char text[256], second[32];
	size_t i;

	(void)tc;
	(void)snprintf(second, sizeof(second), "conf:%d: ", USER_LINES + 2);
	for (i = 0; i < COUNT(keywords); i++) {
		(void)snprintf(text, sizeof(text), "%s\n" USERS "%s\n",
		    keywords[i].line, keywords[i].line);
		ATF_CHECK_EQ_MSG(keywords[i].repeatable ? 0 : 1, check(text),
		    "%s: %s", keywords[i].line, output);
		ATF_CHECK_MSG((strstr(output, second) != NULL &&
		    strstr(output, "only once") != NULL) !=
		    keywords[i].repeatable, "%s: %s", keywords[i].line,
		    output);
	}
	ATF_CHECK_EQ(1, check(USERS "net-user 64101:64101\n"));
	ATF_CHECK_MSG(strstr(output, "conf:4: net-user: expected this "
	    "keyword only once") != NULL, "%s", output);
	for (i = 0; i < COUNT(with_none); i++) {
		(void)snprintf(text, sizeof(text), "%s" USERS, with_none[i]);
		ATF_CHECK_EQ(1, check(text));
		ATF_CHECK_MSG(strstr(output, "conf:2: cleartext: expected "
		    "none on the only line") != NULL, "%s", output);
	}
	ATF_CHECK_EQ(1, check(USERS "lock-user 64104:64104\n"));
	ATF_CHECK_MSG(strstr(output, "conf:4: lock-user: expected this "
	    "keyword only once") != NULL, "%s", output);
}

/* What stands behind a NUL is not passed over without a word. */
ATF_TC_WITHOUT_HEAD(nul);
ATF_TC_BODY(nul, tc)
{
	static const char text[] = "hostname a.example\0b\n" USERS;
	const char *const arguments[] = { program("posternd"), "-n", "-l",
	    programs(), "-f", "conf", NULL };

	(void)tc;
	write_config("");
	file_write("conf", text, sizeof(text) - 1);
	ATF_CHECK_EQ(1, run(arguments, NULL, output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "conf:1: expected text, and no NUL") !=
	    NULL, "%s", output);
}

ATF_TC_WITHOUT_HEAD(too_many);
ATF_TC_BODY(too_many, tc)
{
	static char text[16384];
	char line[64];
	int i;

	(void)tc;
	(void)strlcpy(text, USERS, sizeof(text));
	for (i = 0; i < LISTENERS_MAX + 1; i++)
		(void)strlcat(text, "listen auto ::1\n", sizeof(text));
	ATF_CHECK_EQ(1, check(text));
	(void)snprintf(line, sizeof(line), "conf:%d: listen:",
	    USER_LINES + LISTENERS_MAX + 1);
	ATF_CHECK_MSG(strstr(output, line) != NULL, "%s", output);
	ATF_CHECK_EQ(1, lines_with(": expected "));
	(void)strlcpy(text, USERS, sizeof(text));
	for (i = 0; i < NETWORKS_MAX + 1; i++)
		(void)strlcat(text, "cleartext ::1\n", sizeof(text));
	ATF_CHECK_EQ(1, check(text));
	(void)snprintf(line, sizeof(line), "conf:%d: cleartext:",
	    USER_LINES + NETWORKS_MAX + 1);
	ATF_CHECK_MSG(strstr(output, line) != NULL, "%s", output);
	ATF_CHECK_EQ(1, lines_with(": expected "));
}

/* A line that is too long is one error, and those behind it are told too. */
ATF_TC_WITHOUT_HEAD(long_line);
ATF_TC_BODY(long_line, tc)
{
	static char text[2 * CONFIG_LINE_SIZE + 256];

	(void)tc;
	(void)strlcpy(text, USERS "# ", sizeof(text));
	memset(text + strlen(text), 'x', 2 * CONFIG_LINE_SIZE);
	(void)strlcat(text, "\nnonsense\n", sizeof(text));
	ATF_CHECK_EQ(1, check(text));
	ATF_CHECK_MSG(strstr(output, "conf:4: expected a shorter line") !=
	    NULL, "%s", output);
	ATF_CHECK_MSG(strstr(output, "conf:5: nonsense: expected ") != NULL,
	    "%s", output);
}

ATF_TC_WITHOUT_HEAD(unfit_files);
ATF_TC_BODY(unfit_files, tc)
{
	static const struct {
		mode_t mode;
		int status;
	} modes[] = { { 0600, 0 }, { 0644, 0 }, { 0444, 0 }, { 0664, 1 },
	    { 0646, 1 }, { 0666, 1 } };
	const char *const arguments[] = { program("posternd"), "-n", "-l",
	    programs(), "-f", "conf", NULL };
	const char *const missing[] = { arguments[0], "-n", "-l", programs(),
	    "-f", "none", NULL };
	size_t i;

	(void)tc;
	write_config(USERS);
	for (i = 0; i < COUNT(modes); i++) {
		ATF_REQUIRE(chmod("conf", modes[i].mode) == 0);
		ATF_CHECK_EQ_MSG(modes[i].status, run(arguments, NULL, output,
		    sizeof(output)), "mode %o", (unsigned int)modes[i].mode);
		ATF_CHECK_MSG(modes[i].status == 0 || strstr(output, "conf: "
		    "expected a regular file of root's that nobody else may "
		    "write") != NULL, "%s", output);
		/* What it says, and what it does not, is no matter then. */
		ATF_CHECK_MSG(modes[i].status == 0 || strstr(output,
		    "configuration: 1 error\n") != NULL, "%s", output);
	}
	ATF_CHECK_EQ(1, run(missing, NULL, output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "none: No such file") != NULL, "%s",
	    output);
	ATF_REQUIRE(unlink("conf") == 0 && mkdir("conf", 0755) == 0);
	ATF_CHECK_EQ(1, run(arguments, NULL, output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "conf: ") != NULL, "%s", output);
}

ATF_TC_WITHOUT_HEAD(somebody_elses_file);
ATF_TC_BODY(somebody_elses_file, tc)
{
	const char *const arguments[] = { program("posternd"), "-n", "-l",
	    programs(), "-f", "conf", NULL };

	(void)tc;
	if (geteuid() != 0)
		atf_tc_skip("needs root: gives a file away");
	write_config(USERS);
	ATF_REQUIRE(chown("conf", FRED_UID, FRED_UID) == 0);
	ATF_CHECK_EQ(1, run(arguments, NULL, output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "of root's") != NULL, "%s", output);
}

/* Where `configure` said that the configuration is, if that is known. */
static int
usual_file_exists(void)
{
	char path[600], *text, *line;
	int exists;

	(void)snprintf(path, sizeof(path), "%s", program("config.mk"));
	text = file_read(path, NULL);
	line = strstr(text, "\nSYSCONFDIR = ");
	ATF_REQUIRE(line != NULL);
	line += strlen("\nSYSCONFDIR = ");
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(path, sizeof(path), "%s/posternd.conf", line);
	exists = access(path, F_OK) == 0;
	free(text);
	return (exists);
}

/* No file is no error: what may be missing are the three accounts. */
ATF_TC_WITHOUT_HEAD(without_file);
ATF_TC_BODY(without_file, tc)
{
	const char *arguments[] = { NULL, "-n", "-l", programs(), NULL };
	int accounts = (getpwnam("_postern") != NULL) +
	    (getpwnam("_posternauth") != NULL) +
	    (getpwnam("_posternlock") != NULL);
	int status;

	(void)tc;
	if (usual_file_exists())
		atf_tc_skip("this host has a configuration of its own");
	arguments[0] = program("posternd");
	status = run(arguments, NULL, output, sizeof(output));
	ATF_CHECK_EQ_MSG(accounts == 3 ? 0 : 1, status, "%s", output);
	ATF_CHECK_EQ(3 - accounts, lines_with("default: "));
	ATF_CHECK_EQ(3 - accounts, lines_with("(make it first)"));
}

static void
read_text(struct config *config, const char *text)
{
	write_config(text);
	log_to_stderr("test");
	memset(config, 0xff, sizeof(*config));
	ATF_REQUIRE_EQ(0, config_read("conf", open("conf", O_RDONLY),
	    config));
}

ATF_TC_WITHOUT_HEAD(defaults);
ATF_TC_BODY(defaults, tc)
{
	static struct config config;
	struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;

	(void)tc;
	read_text(&config, USERS);
	ATF_CHECK_EQ(1, config.listener_count);
	ATF_CHECK_EQ((uint32_t)PROTOCOL_AUTO, config.listeners[0].protocol);
	ATF_CHECK_STREQ("localhost", config.listeners[0].address);
	ATF_CHECK_STREQ("109", config.listeners[0].port);
	ATF_CHECK_EQ(0, config.listeners[0].quirks);
	ATF_REQUIRE_EQ(2, config.net.network_count);
	ATF_CHECK_EQ(8, config.net.networks[0].prefix);
	ATF_CHECK_EQ(127, config.net.networks[0].address[0]);
	ATF_CHECK_EQ(128, config.net.networks[1].prefix);
	ATF_CHECK(memcmp(&loopback, config.net.networks[1].address, 16) == 0);
	ATF_CHECK_STREQ("/var/mail/%u", config.lock.mailbox);
	ATF_CHECK_STREQ("~/mail", config.store.folder_root);
	ATF_CHECK_STREQ("", config.auth.passwd_file);
	ATF_CHECK_STREQ("", config.auth.named_file);
	ATF_CHECK_EQ(1000, config.auth.minimum_uid);
	ATF_CHECK_EQ(0, config.parent.start.without);
	ATF_CHECK_EQ(0, config.parent.start.unprivileged);
	ATF_CHECK(config.parent.auth_processes >= 2);
	ATF_CHECK(config.parent.net_processes >= 1);
	ATF_CHECK_EQ(0, config.store.mh_rename);
	ATF_CHECK(config.net.host[0] != '\0');
	ATF_CHECK_EQ(64101, config.parent.net_user.uid);
	ATF_CHECK_EQ((gid_t)-1, config.parent.net_user.extra);
	ATF_CHECK_EQ(64104, config.parent.lock_user.uid);
	ATF_CHECK_EQ((gid_t)-1, config.parent.lock_user.extra);
	ATF_CHECK_EQ(10, config.store.lock_seconds);
	ATF_CHECK_EQ(config.net.session_seconds, config.store.idle_seconds);
	ATF_CHECK_EQ((uint32_t)LOCK_FCNTL, config.store.locks[0]);
	ATF_CHECK_EQ((uint32_t)LOCK_TRY_DOTLOCK, config.store.locks[1]);
	ATF_CHECK_EQ((uint32_t)LOCK_NONE, config.store.locks[2]);
	ATF_CHECK_EQ(1, config.parent.dotlocks);
}

ATF_TC_WITHOUT_HEAD(values);
ATF_TC_BODY(values, tc)
{
	static struct config config;

	(void)tc;
	read_text(&config, USERS
	    "  hostname \tpost.example.org   # the name\n"
	    "listen pop2 \"127.0.0.1\" port 7 quirks pcnfs\n"
	    "listen pop1 *\n"
	    "auth passwd \"/a b/#c\"\n"
	    "mailbox /x#y/%u\n"
	    "folders none\n"
	    "cleartext none\nmh-rename\n"
	    "minimum-uid 4294967294\n"
	    "lock dotlock flock fcntl\n"
	    "lock-timeout 7\n"
	    "without chroot\n"
	    "session-timeout 86400");
	ATF_CHECK_STREQ("post.example.org", config.net.host);
	ATF_REQUIRE_EQ(2, config.listener_count);
	ATF_CHECK_EQ((uint32_t)PROTOCOL_POP2, config.listeners[0].protocol);
	ATF_CHECK_STREQ("127.0.0.1", config.listeners[0].address);
	ATF_CHECK_STREQ("7", config.listeners[0].port);
	ATF_CHECK_EQ((uint32_t)QUIRK_PCNFS, config.listeners[0].quirks);
	ATF_CHECK_EQ(0, config.listeners[1].quirks);
	ATF_CHECK_STREQ("/a b/#c", config.auth.passwd_file);
	ATF_CHECK_STREQ("/a b/#c", config.auth.named_file);
	ATF_CHECK_STREQ("/x#y/%u", config.lock.mailbox);
	ATF_CHECK_STREQ("", config.store.folder_root);
	ATF_CHECK_EQ(0, config.net.network_count);
	ATF_CHECK_EQ(4294967294U, config.auth.minimum_uid);
	ATF_CHECK_EQ((uint32_t)WITHOUT_CHROOT, config.parent.start.without);
	ATF_CHECK_EQ((uint32_t)WITHOUT_CHROOT, config.auth.start.without);
	ATF_CHECK_EQ((uint32_t)WITHOUT_CHROOT, config.net.start.without);
	ATF_CHECK_EQ((uint32_t)WITHOUT_CHROOT, config.lock.start.without);
	ATF_CHECK_EQ((uint32_t)WITHOUT_CHROOT, config.store.start.without);
	ATF_CHECK_EQ(86400, config.net.session_seconds);
	ATF_CHECK_EQ(7, config.store.lock_seconds);
	ATF_CHECK_EQ((uint32_t)LOCK_DOTLOCK, config.store.locks[0]);
	ATF_CHECK_EQ((uint32_t)LOCK_FLOCK, config.store.locks[1]);
	ATF_CHECK_EQ((uint32_t)LOCK_FCNTL, config.store.locks[2]);
	ATF_CHECK_EQ((uint32_t)LOCK_NONE, config.store.locks[3]);
	ATF_CHECK_EQ(1, config.parent.dotlocks);
}

/* RFC 1939: an autologout timer of less than ten minutes must not be. */
ATF_TC_WITHOUT_HEAD(pop3);
ATF_TC_BODY(pop3, tc)
{
	static struct config config;

	(void)tc;
	read_text(&config, USERS "listen pop3 ::1\nlisten pop3 ::1 port 1\n"
	    "uidl dovecot\nexpire 30\nlogin-delay 9\n"
	    "auth system /named\n");
	ATF_CHECK_STREQ("", config.auth.passwd_file);
	ATF_CHECK_STREQ("/named", config.auth.named_file);
	ATF_CHECK_EQ((uint32_t)PROTOCOL_POP3, config.listeners[0].protocol);
	ATF_CHECK_STREQ("110", config.listeners[0].port);
	ATF_CHECK_STREQ("1", config.listeners[1].port);
	ATF_CHECK_EQ((uint32_t)UID_DOVECOT, config.store.uids);
	ATF_CHECK_EQ(30, config.net.expire_days);
	ATF_CHECK_EQ(9, config.net.login_delay);
	ATF_CHECK_EQ(9, config.store.login_delay);
	read_text(&config, USERS "uidl popa3d\n");
	ATF_CHECK_EQ((uint32_t)UID_POPA3D, config.store.uids);
	read_text(&config, USERS);
	ATF_CHECK_EQ((uint32_t)UID_NATIVE, config.store.uids);
	ATF_CHECK_EQ(0, config.net.expire_days);
	ATF_CHECK_EQ(0, config.net.login_delay);
	ATF_CHECK_EQ(1, check(USERS "session-timeout 599\n"
	    "listen auto ::1\nlisten pop3 ::1\n"));
	ATF_CHECK_MSG(strstr(output, "session-timeout: expected at least 600 "
	    "where a listener is for pop3") != NULL, "%s", output);
	ATF_CHECK_EQ(0, check(USERS "session-timeout 599\nlisten auto ::1\n"));
}

/* Nothing makes dotlocks where none are asked for. */
ATF_TC_WITHOUT_HEAD(without_dotlocks);
ATF_TC_BODY(without_dotlocks, tc)
{
	static struct config config;

	(void)tc;
	read_text(&config, USERS "lock flock fcntl\n");
	ATF_CHECK_EQ((uint32_t)LOCK_FLOCK, config.store.locks[0]);
	ATF_CHECK_EQ((uint32_t)LOCK_FCNTL, config.store.locks[1]);
	ATF_CHECK_EQ((uint32_t)LOCK_NONE, config.store.locks[2]);
	ATF_CHECK_EQ(0, config.parent.dotlocks);
}

static const struct {
	const char *template, *path;	/* NULL: refused */
} expansions[] = {
	{ "/var/mail/%u", "/var/mail/fred" },
	{ "/%u/%u/%h", "/fred/fred//home/fred" },
	{ "%h/Mailbox", "/home/fred/Mailbox" },
	{ "~/mail", "/home/fred/mail" },
	{ "/~/mail", "/~/mail" },
	{ "/a%%b", "/a%b" },
	{ "/%%u", "/%u" },
	{ "/", "/" },
	{ "", NULL }, { "~", NULL }, { "~fred", NULL }, { "a", NULL },
	{ "%u", NULL }, { "%%/a", NULL }, { "/%x", NULL }, { "/%", NULL },
	{ "/%U", NULL }, { "/%u%", NULL },
};

ATF_TC_WITHOUT_HEAD(expand);
ATF_TC_BODY(expand, tc)
{
	char to[64];
	size_t i, size;
	int result;

	(void)tc;
	for (i = 0; i < COUNT(expansions); i++) {
		result = template_expand(expansions[i].template, "fred",
		    "/home/fred", to, sizeof(to));
		ATF_CHECK_EQ_MSG(expansions[i].path != NULL ? 0 : -1, result,
		    "%s", expansions[i].template);
		if (result == 0 && expansions[i].path != NULL)
			ATF_CHECK_STREQ(expansions[i].path, to);
	}
	for (size = 1; size < 20; size++) {
		memset(to, '#', sizeof(to));
		ATF_CHECK_EQ_MSG(size > 15 ? 0 : -1, template_expand("~/mail",
		    "x", "/home/fred", to, size), "%zu", size);
		ATF_CHECK_EQ('#', to[size]);
	}
	/* What a user name brings is not expanded again. */
	ATF_CHECK_EQ(0, template_expand("/%u", "%h", "/h", to, sizeof(to)));
	ATF_CHECK_STREQ("/%h", to);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good_files);
	ATF_TP_ADD_TC(tp, tls);
	ATF_TP_ADD_TC(tp, bad_lines);
	ATF_TP_ADD_TC(tp, users);
	ATF_TP_ADD_TC(tp, different_users);
	ATF_TP_ADD_TC(tp, all_errors);
	ATF_TP_ADD_TC(tp, repeated);
	ATF_TP_ADD_TC(tp, nul);
	ATF_TP_ADD_TC(tp, too_many);
	ATF_TP_ADD_TC(tp, long_line);
	ATF_TP_ADD_TC(tp, unfit_files);
	ATF_TP_ADD_TC(tp, somebody_elses_file);
	ATF_TP_ADD_TC(tp, without_file);
	ATF_TP_ADD_TC(tp, defaults);
	ATF_TP_ADD_TC(tp, values);
	ATF_TP_ADD_TC(tp, pop3);
	ATF_TP_ADD_TC(tp, without_dotlocks);
	ATF_TP_ADD_TC(tp, expand);
	return (atf_no_error());
}
