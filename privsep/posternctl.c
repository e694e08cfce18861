/*
 * posternctl.c - posternctl(8): an administrator's tool.
 *
 * Runs as whoever calls it: as root where the passwd file is root's.  What
 * looks into mailboxes is a program of its own, which is not to be root; so is
 * what makes certificates, for its library's sake.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <readpassphrase.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "config.h"
#include "log.h"
#include "passwd_named.h"
#include "pathnames.h"

/* The options of `posternctl passwd`, by letter: NULL, or what follows. */
static const char *given[UCHAR_MAX + 1];

/* The new file beside the old one, until it takes the old one's name. */
static char fresh[PATH_SIZE];
static int unfinished;

static void
remove_unfinished(void)
{
	if (unfinished)
		(void)unlink(fresh);
}

static void __attribute__((noreturn))
usage(void)
{
	(void)fprintf(stderr, "usage: posternctl passwd [-c config | -f file] "
	    "[-s account | -v uid:gid:home:maildrop]\n\t    user\n"
	    "       posternctl passwd [-c config | -f file] -a name "
	    "[-d | [-n networks] [-p protocols]]\n\t    user\n"
	    "       posternctl passwd [-c config | -f file] -l user\n"
	    "       posternctl mailbox [-l directory] check path\n"
	    "       posternctl mailbox [-l directory] convert -t format "
	    "from to\n"
	    "       posternctl tls [-l directory] selfsigned [-f] [-d days] "
	    "[-o directory]\n\t    [name ...]\n");
	exit(2);
}

/* Why passwd_open would not have the file. */
static const char *
why_not(void)
{
	return (errno == EPERM ? "expected a regular file that others may not "
	    "write" : strerror(errno));
}

/* Asks twice; returns what is wrong, or NULL. */
static const char *
ask_terminal(char *password, size_t size)
{
	char again[PASSWORD_SIZE + 1];
	int same;

	if (readpassphrase("New password: ", password, size,
	    RPP_REQUIRE_TTY) == NULL || readpassphrase("The same again: ",
	    again, sizeof(again), RPP_REQUIRE_TTY) == NULL)
		log_fatal("cannot read a password: %s", strerror(errno));
	same = strcmp(password, again) == 0;
	sodium_memzero(again, sizeof(again));
	return (same ? NULL : "the two passwords differ");
}

/* Reads one line of what is no terminal; the same. */
static const char *
read_line(char *password, size_t size)
{
	size_t length = 0;
	ssize_t got = 1;

	while (length < size - 1 && (got = read(STDIN_FILENO,
	    password + length, 1)) == 1 && password[length] != '\n')
		length++;
	length -= length > 0 && password[length - 1] == '\r';
	password[length] = '\0';
	if (got == -1)
		log_fatal("cannot read a password: %s", strerror(errno));
	/* To hash what stands before them would be another password. */
	return (strlen(password) < length || strchr(password, '\r') != NULL ?
	    "a password has no NUL and no carriage return in it" : NULL);
}

/* `password` has room for one byte more than it may have. */
static void
ask_password(char *password, size_t size)
{
	const char *wrong = isatty(STDIN_FILENO) ?
	    ask_terminal(password, size) : read_line(password, size);

	if (wrong == NULL && password[0] == '\0')
		wrong = "an empty password is no password";
	if (wrong == NULL && strlen(password) > PASSWORD_OCTETS_MAX)
		wrong = "no line of a protocol carries so long a password";
	if (wrong == NULL)
		return;
	sodium_memzero(password, size);
	log_fatal("%s; nothing was changed", wrong);
}

/* Is it what the daemon takes for the line of `user`, or USER/NAME? */
static int
is_line_of(const char *line, const char *user, int *odd)
{
	const size_t length = strlen(user);
	char copy[PASSWD_LINE_SIZE];
	const char *wrong;
	struct passwd_entry entry;
	struct passwd_named named;

	if (strncmp(line, user, length) != 0 || line[length] != ':')
		return (0);
	(void)strlcpy(copy, line, sizeof(copy));
	wrong = passwd_is_named(user) ? passwd_parse_named(copy, &named) :
	    passwd_parse_line(copy, &entry);
	*odd |= wrong != NULL;
	return (wrong == NULL);
}

/*
 * Copies the file, the line of `user` changed or added; `target` is what
 * stands behind the hash, NULL: what stood there.  Without a hash the line is
 * left out, and so are further ones that are good.  A line that belongs to
 * another, or that the daemon passes over, is not touched.  A password with a
 * name has a line of its own, with USER/NAME for a user.
 */
static void
copy_entries(struct passwd_lines *from, FILE *to, const char *user,
    const char *hash, const char *target)
{
	const char *line, *rest;
	int found = 0, odd = 0;

	while (from != NULL && (line = passwd_next_line(from)) != NULL) {
		if (from->length > PASSWD_LENGTH_MAX)
			log_fatal("a line is too long; nothing was changed");
		if (!is_line_of(line, user, &odd)) {
			(void)fwrite(line, 1, from->length, to);
			(void)putc('\n', to);
		} else if (!found++ && hash != NULL) {
			rest = strchr(line + strlen(user) + 1, ':') + 1;
			(void)fprintf(to, "%s:%s:%s\n", user, hash,
			    target != NULL ? target : rest);
		}
	}
	if (from != NULL && from->failed)
		log_fatal("the file cannot be read; nothing was changed");
	if (!found && hash == NULL)
		log_fatal("%s: there is none; nothing was changed", user);
	/* It may have been to say whose mailbox it is, or what limits it. */
	if (!found && odd && target == NULL)
		log_fatal("%s: its line fits no form; correct it, or say %s; "
		    "nothing was changed", user, passwd_is_named(user) ?
		    "-n or -p" : "-s or -v");
	if (!found)
		(void)fprintf(to, "%s:%s:%s\n", user, hash, target != NULL ?
		    target : passwd_is_named(user) ? ":" : "");
}

/*
 * Goes through the further passwords of `user`; shows their names and limits,
 * if asked to, and returns how many there are with another name than `but`.
 */
static unsigned int
list_passwords(const char *path, const char *user, const char *but, int shows)
{
	const size_t length = strlen(user);
	char copy[PASSWD_LINE_SIZE], *line, *limits;
	struct passwd_named named;
	struct passwd_lines lines;
	const char *wrong;
	unsigned int count = 0;

	if (passwd_open(path, &lines) == -1) {
		if (!shows && errno == ENOENT)
			return (0);
		log_fatal("%s: %s", path, why_not());
	}
	while ((line = passwd_next_line(&lines)) != NULL) {
		if (strncmp(line, user, length) != 0 || line[length] != '/')
			continue;
		(void)strlcpy(copy, line, sizeof(copy));
		if ((wrong = passwd_parse_named(copy, &named)) != NULL) {
			passwd_passed_over(&lines, wrong);
			continue;
		}
		count += strcmp(named.name, but) != 0;
		(void)strsep(&line, ":");
		(void)strsep(&line, ":");
		limits = strsep(&line, ":");
		if (shows && limits != NULL && line != NULL)
			(void)printf("%s %s %s\n", named.name,
			    limits[0] != '\0' ? limits : "all",
			    line[0] != '\0' ? line : "all");
	}
	passwd_close(&lines);
	if (lines.failed)
		log_fatal("%s: cannot be read to its end", path);
	return (count);
}

/* As the old file was; a new one is for root and the authenticators. */
static void
copy_rights(const struct passwd_lines *from, int to, gid_t auth_group)
{
	struct stat status = { .st_uid = geteuid(), .st_gid = auth_group,
	    .st_mode = 0640 };

	if ((from != NULL && fstat(from->fd, &status) == -1) ||
	    fchown(to, status.st_uid, status.st_gid) == -1 ||
	    fchmod(to, status.st_mode & 07777) == -1)
		log_fatal("owner and mode of the new file: %s; nothing was "
		    "changed", strerror(errno));
}

/*
 * The new file is written beside the old one and takes its name whole; that
 * is durable when the directory is.
 */
static void
replace_file(const char *path, gid_t auth_group, const char *user,
    const char *hash, const char *target)
{
	char copy[PATH_SIZE];
	struct passwd_lines old, *from = NULL;
	FILE *to = NULL;
	int fd, directory;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= PATH_SIZE)
		log_fatal("%s: a path of fewer bytes is needed", path);
	(void)strlcpy(copy, path, sizeof(copy));
	directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	unfinished = fd != -1;
	if (directory == -1 || fd == -1 || (to = fdopen(fd, "w")) == NULL)
		log_fatal("%s: %s%s", fresh, strerror(errno), errno == EEXIST ?
		    " (if no other posternctl is at work, remove it)" : "");
	/* Read only now: the new file is the lock against other changes. */
	if (passwd_open(path, &old) == 0)
		from = &old;
	else if (errno != ENOENT)
		log_fatal("%s: %s", path, why_not());
	copy_entries(from, to, user, hash, target);
	copy_rights(from, fd, auth_group);
	if (from != NULL)
		passwd_close(from);
	if (fflush(to) == EOF || ferror(to) || fsync(fd) == -1 ||
	    rename(fresh, path) == -1)
		log_fatal("%s: %s; nothing was changed", path,
		    strerror(errno));
	unfinished = 0;
	if (fsync(directory) == -1)
		log_fatal("%s: changed, but perhaps not on the disk yet: %s",
		    path, strerror(errno));
	(void)fclose(to);
}

/* The whole line is read back by the parser that the daemon uses. */
static void
check_entry(const char *user, const char *target, int is_named)
{
	struct passwd_named named;
	struct passwd_entry entry;
	char line[PASSWD_LINE_SIZE];
	const char *wrong;

	if (snprintf(line, sizeof(line), "%s:*:%s", user, target) >=
	    PASSWD_LINE_SIZE)
		log_fatal("user and target are too long");
	wrong = is_named ? passwd_parse_named(line, &named) :
	    passwd_parse_line(line, &entry);
	if (wrong == NULL && strchr(target, '\n') != NULL)
		wrong = "one line";
	if (wrong != NULL)
		log_fatal("%s: expected %s", user, wrong);
}

/* Asks for the password, unless its line is to go. */
static void
change_password(const char *path, gid_t auth_group, const char *user,
    const char *target)
{
	const int deletes = given['d'] != NULL;
	char password[PASSWORD_SIZE + 1], hash[crypto_pwhash_STRBYTES];
	sigset_t all;

	if (sodium_init() == -1)
		log_fatal("libsodium cannot start");
	if (!deletes) {
		ask_password(password, sizeof(password));
		if (crypto_pwhash_str(hash, password, strlen(password),
		    crypto_pwhash_OPSLIMIT_INTERACTIVE,
		    crypto_pwhash_MEMLIMIT_INTERACTIVE) == -1)
			log_fatal("no memory to hash the password");
		sodium_memzero(password, sizeof(password));
	}
	/* An interrupt must not leave half a file behind. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)atexit(remove_unfinished);
	replace_file(path, auth_group, user, deletes ? NULL : hash, target);
	sodium_memzero(hash, sizeof(hash));
}

/*
 * Becomes postern-`tool`, which is given the words behind the option (and
 * behind `command`, unless it has several), and no environment.
 */
static void __attribute__((noreturn))
run_tool(const char *tool, const char *command, char **words)
{
	static char program[PATH_SIZE], *const nothing[] = { NULL };
	const char *directory = LIBEXECDIR;

	words++;
	if (words[0] != NULL && strcmp(words[0], "-l") == 0 &&
	    words[1] != NULL) {
		directory = words[1];
		words += 2;
	}
	if (words[0] == NULL || (command != NULL &&
	    strcmp(*words++, command) != 0))
		usage();
	if (snprintf(program, sizeof(program), "%s/postern-%s", directory,
	    tool) >= PATH_SIZE)
		usage();
	words[-1] = program;
	(void)execve(program, words - 1, nothing);
	log_line(LOG_ERR, "%s: %s", program, strerror(errno));
	exit(2);
}

static void
read_options(int argc, char **argv)
{
	/* Each pair: not both; and not the first without the second. */
	static const char *const excluded[] = { "cf", "sv", "as", "av", "la",
	    "ls", "lv", "dn", "dp" }, *const needed[] = { "da", "na", "pa" };
	size_t i;
	int option;

	optind = 2;
	while ((option = getopt(argc, argv, "a:c:df:ln:p:s:v:")) != -1) {
		if (option == '?' || given[option] != NULL)
			usage();
		/* Of a shell's variable that is not set, as a rule. */
		if (optarg != NULL && optarg[0] == '\0') {
			log_line(LOG_ERR, "-%c: expected something behind it; "
			    "nothing was changed", option);
			exit(2);
		}
		given[option] = optarg != NULL ? optarg : "";
	}
	for (i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
		if (given[(int)excluded[i][0]] != NULL &&
		    given[(int)excluded[i][1]] != NULL)
			usage();
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (given[(int)needed[i][0]] != NULL &&
		    given[(int)needed[i][1]] == NULL)
			usage();
	if (optind != argc - 1)
		usage();
}

/* The file, as the configuration names it, and who is to read it. */
static const char *
find_file(const char *user, gid_t *auth_group, struct account_policy *policy)
{
	static struct config config;
	const int is_named = given['a'] != NULL || given['l'] != NULL;
	struct passwd_entry entry;
	const char *path, *file;
	int fd = config_open(given['c'], &path);

	if (fd == -2)
		log_fatal("%s: %s", path, strerror(errno));
	if (config_read(path, fd, &config) > 0)
		log_fatal("the configuration has errors");
	file = is_named ? config.auth.named_file : config.auth.passwd_file;
	policy->passwd_file = config.auth.passwd_file;
	policy->minimum_uid = (uid_t)config.auth.minimum_uid;
	policy->unprivileged = geteuid() != 0 ||
	    config.parent.start.unprivileged;
	if (!policy->unprivileged)
		*auth_group = config.parent.auth_user.gid;
	if (file[0] == '\0')
		log_fatal("the configuration says 'auth system': %s%s",
		    is_named ? "let it say 'auth system /FILE'" :
		    "use passwd(1)", config.auth.named_file[0] != '\0' ? "" :
		    ", or name a file with -f");
	if (given['a'] != NULL && config.auth.passwd_file[0] != '\0' &&
	    passwd_find(file, user, 0, &entry) == 0)
		log_fatal("%s is not in %s; begin without -a", user, file);
	return (file);
}

/* A password is of no use to one whom the daemon gives no mailbox. */
static void
tell_why_no_login(const struct account_policy *policy, const char *user)
{
	struct account account;
	const char *wrong = policy->passwd_file == NULL ? NULL :
	    account_find(policy, user, &account);

	if (wrong != NULL)
		log_line(LOG_WARNING, "%s has %s password now, but cannot log "
		    "in: %s", user, given['a'] != NULL ? "a further" : "a",
		    wrong);
}

/* What a further password is limited to; "": nothing. */
static const char *
read_limit(int option)
{
	return (given[option] == NULL || strcmp(given[option], "all") == 0 ?
	    "" : given[option]);
}

/* What stands behind the hash; NULL: what stood there. */
static const char *
read_target(void)
{
	static char limits[PASSWD_LINE_SIZE];

	if (given['n'] == NULL && given['p'] == NULL)
		return (given['s'] != NULL ? given['s'] : given['v']);
	if (snprintf(limits, sizeof(limits), "%s:%s", read_limit('p'),
	    read_limit('n')) >= PASSWD_LINE_SIZE)
		log_fatal("expected fewer networks");
	return (limits);
}

int
main(int argc, char **argv)
{
	char key[USER_SIZE + PASSWORD_NAME_SIZE];
	struct account_policy policy = { NULL, 0, 0 };	/* -f: not known */
	const char *user, *target, *file = NULL;
	gid_t auth_group = (gid_t)-1;

	log_to_stderr("posternctl");
	if (argc > 1 && strcmp(argv[1], "mailbox") == 0)
		run_tool("mailbox", NULL, argv + 1);
	if (argc > 1 && strcmp(argv[1], "tls") == 0)
		run_tool("selfsigned", "selfsigned", argv + 1);
	if (argc < 2 || strcmp(argv[1], "passwd") != 0)
		usage();
	read_options(argc, argv);
	user = argv[optind];
	target = read_target();
	check_entry(user, "", 0);
	(void)strlcpy(key, user, sizeof(key));
	if (given['a'] != NULL && snprintf(key, sizeof(key), "%s/%s", user,
	    given['a']) >= (int)sizeof(key))
		log_fatal("expected a shorter name of the password");
	check_entry(key, target != NULL ? target : given['a'] != NULL ? ":" :
	    "", given['a'] != NULL);
	file = given['f'] != NULL ? given['f'] :
	    find_file(user, &auth_group, &policy);
	if (given['l'] != NULL)
		(void)list_passwords(file, user, "", 1);
	else if (given['a'] != NULL && given['d'] == NULL &&
	    list_passwords(file, user, given['a'], 0) >= PASSWORDS_NAMED_MAX)
		/* The daemon would pass it over. */
		log_fatal("%s has %d already; nothing was changed", user,
		    PASSWORDS_NAMED_MAX);
	else
		change_password(file, auth_group, key, target);
	if (given['d'] == NULL && given['l'] == NULL)
		tell_why_no_login(&policy, user);
	if (fflush(stdout) == EOF || ferror(stdout))
		log_fatal("standard output: %s", strerror(errno));
	return (0);
}
