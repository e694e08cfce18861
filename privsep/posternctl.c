/*
 * posternctl.c - posternctl(8): an administrator's tool.
 *
 * Runs as whoever calls it: as root where the passwd file is root's.  What
 * looks into mailboxes is a program of its own, which is not to be root.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <readpassphrase.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "passwd_file.h"
#include "pathnames.h"
#include "selfsigned.h"

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
	(void)fprintf(stderr, "usage: posternctl passwd [-c config] [-f file] "
	    "[-s account | -v uid:gid:home:maildrop]\n\t    user\n"
	    "       posternctl mailbox [-l directory] check path\n"
	    "       posternctl mailbox [-l directory] convert -t format "
	    "from to\n"
	    "       posternctl tls selfsigned [-f] [-d days] [-o directory] "
	    "[name ...]\n");
	exit(2);
}

/*
 * Asks twice on a terminal; reads one line from anything else.  `password` has
 * room for one byte more than it may have.
 */
static void
ask_password(char *password)
{
	char again[PASSWORD_SIZE + 1];
	const int terminal = isatty(STDIN_FILENO);
	const int flags = terminal ? RPP_REQUIRE_TTY : RPP_STDIN;
	int same;

	if (readpassphrase("New password: ", password, sizeof(again), flags) ==
	    NULL || (terminal && readpassphrase("The same again: ", again,
	    sizeof(again), flags) == NULL))
		log_fatal("cannot read a password: %s", strerror(errno));
	same = !terminal || strcmp(password, again) == 0;
	sodium_memzero(again, sizeof(again));
	if (!same)
		log_fatal("the two passwords differ; nothing was changed");
	if (password[0] == '\0')
		log_fatal("an empty password is no password; nothing was "
		    "changed");
	if (strlen(password) >= PASSWORD_SIZE)
		log_fatal("a password has at most %d bytes; nothing was "
		    "changed", PASSWORD_SIZE - 1);
}

/*
 * Copies the file, the user's line changed or added; `target` is what stands
 * behind the hash, NULL: what stood there.  A line that belongs to another
 * user is not touched, be it ever so odd.
 */
static void
copy_entries(FILE *from, FILE *to, const char *user, const char *hash,
    const char *target)
{
	char *line = NULL, *rest, last = '\n';
	size_t room = 0, length = strlen(user);
	ssize_t got;
	int found = 0;

	while (from != NULL && (got = getline(&line, &room, from)) != -1) {
		if (got >= PASSWD_LINE_SIZE)
			log_fatal("a line is too long; nothing was changed");
		if (strncmp(line, user, length) != 0 || line[length] != ':' ||
		    (rest = strchr(line + length + 1, ':')) == NULL) {
			(void)fwrite(line, 1, (size_t)got, to);
			last = line[got - 1];
			continue;
		}
		rest[strcspn(rest, "\n")] = '\0';
		if (!found)
			(void)fprintf(to, "%s:%s:%s\n", user, hash,
			    target != NULL ? target : rest + 1);
		found = 1;
	}
	freezero(line, room);
	if (from != NULL && ferror(from))
		log_fatal("the file cannot be read; nothing was changed");
	if (!found)
		(void)fprintf(to, "%s%s:%s:%s\n", last != '\n' ? "\n" : "",
		    user, hash, target != NULL ? target : "");
}

/* As the old file was; a new one is for root and the authenticators. */
static void
copy_rights(FILE *from, int to, gid_t auth_group)
{
	struct stat status = { .st_uid = geteuid(), .st_gid = auth_group,
	    .st_mode = 0640 };

	if ((from != NULL && fstat(fileno(from), &status) == -1) ||
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
	FILE *from, *to = NULL;
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
	from = passwd_open(path);
	if (from == NULL && errno != ENOENT)
		log_fatal("%s: %s", path, errno == EPERM ? "expected a regular "
		    "file that others may not write" : strerror(errno));
	copy_entries(from, to, user, hash, target);
	copy_rights(from, fd, auth_group);
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
check_entry(const char *user, const char *target)
{
	struct passwd_entry entry;
	char line[PASSWD_LINE_SIZE];
	const char *wrong;

	if (snprintf(line, sizeof(line), "%s:*:%s", user, target) >=
	    PASSWD_LINE_SIZE)
		log_fatal("user and target are too long");
	wrong = passwd_parse_line(line, &entry);
	if (wrong == NULL && strchr(target, '\n') != NULL)
		wrong = "one line";
	if (wrong != NULL)
		log_fatal("%s: expected %s", user, wrong);
}

static void
change_password(const char *path, gid_t auth_group, const char *user,
    const char *target)
{
	char password[PASSWORD_SIZE + 1], hash[crypto_pwhash_STRBYTES];
	sigset_t all;

	if (sodium_init() == -1)
		log_fatal("libsodium cannot start");
	ask_password(password);
	if (crypto_pwhash_str(hash, password, strlen(password),
	    crypto_pwhash_OPSLIMIT_INTERACTIVE,
	    crypto_pwhash_MEMLIMIT_INTERACTIVE) == -1)
		log_fatal("no memory to hash the password");
	sodium_memzero(password, sizeof(password));
	/* An interrupt must not leave half a file behind. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)atexit(remove_unfinished);
	replace_file(path, auth_group, user, hash, target);
	sodium_memzero(hash, sizeof(hash));
}

/* It is given the words behind the option, and no environment. */
static void __attribute__((noreturn))
run_mailbox_tool(char **words)
{
	static char program[PATH_SIZE], *const nothing[] = { NULL };
	const char *directory = LIBEXECDIR;

	words++;
	if (words[0] != NULL && strcmp(words[0], "-l") == 0 &&
	    words[1] != NULL) {
		directory = words[1];
		words += 2;
	}
	if (words[0] == NULL)
		usage();
	if (snprintf(program, sizeof(program), "%s/postern-mailbox",
	    directory) >= PATH_SIZE)
		usage();
	words[-1] = program;
	(void)execve(program, words - 1, nothing);
	log_line(LOG_ERR, "%s: %s", program, strerror(errno));
	exit(2);
}

int
main(int argc, char **argv)
{
	static struct config config;
	const char *file = NULL, *config_file = NULL, *target = NULL;
	int fd;
	gid_t auth_group = (gid_t)-1;
	int option;

	log_to_stderr("posternctl");
	if (argc > 1 && strcmp(argv[1], "mailbox") == 0)
		run_mailbox_tool(argv + 1);
	if (argc > 2 && strcmp(argv[1], "tls") == 0 &&
	    strcmp(argv[2], "selfsigned") == 0)
		return (selfsigned_main(argc - 2, argv + 2));
	if (argc < 2 || strcmp(argv[1], "passwd") != 0)
		usage();
	optind = 2;
	while ((option = getopt(argc, argv, "c:f:s:v:")) != -1)
		if (option == 'c')
			config_file = optarg;
		else if (option == 'f')
			file = optarg;
		else if ((option == 's' || option == 'v') && target == NULL)
			target = optarg;
		else
			usage();
	if (optind != argc - 1 || (file != NULL && config_file != NULL))
		usage();
	check_entry(argv[optind], target != NULL ? target : "");
	if (file == NULL) {
		fd = config_open(config_file, &config_file);
		if (fd == -2)
			log_fatal("%s: %s", config_file, strerror(errno));
		if (config_read(config_file, fd, &config) > 0)
			log_fatal("the configuration has errors");
		file = config.auth.passwd_file;
		if (geteuid() == 0 && !config.parent.start.unprivileged)
			auth_group = config.parent.auth_user.gid;
	}
	if (file[0] == '\0')
		log_fatal("the configuration says 'auth system': use "
		    "passwd(1), or name a file with -f");
	change_password(file, auth_group, argv[optind], target);
	return (0);
}
