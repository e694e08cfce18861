/*
 * posternctl.c - posternctl(8): an administrator's tool.
 *
 * Runs as whoever calls it: as root where the passwd file is root's.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
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

static void __attribute__((noreturn))
usage(void)
{
	(void)fprintf(stderr, "usage: posternctl passwd [-c config] [-f file] "
	    "[-s account | -v uid:gid:home:maildrop]\n\t    user\n");
	exit(2);
}

/* Asks twice on a terminal; reads one line from anything else. */
static void
ask_password(char *password, size_t size)
{
	char again[PASSWORD_SIZE];
	int same;

	if (!isatty(STDIN_FILENO)) {
		if (fgets(password, (int)size, stdin) == NULL)
			log_fatal("no password on standard input");
		password[strcspn(password, "\n")] = '\0';
	} else {
		if (readpassphrase("New password: ", password, size,
		    RPP_REQUIRE_TTY) == NULL || readpassphrase(
		    "The same again: ", again, sizeof(again),
		    RPP_REQUIRE_TTY) == NULL)
			log_fatal("cannot read a password: %s",
			    strerror(errno));
		same = strcmp(password, again) == 0;
		sodium_memzero(again, sizeof(again));
		if (!same)
			log_fatal("the two passwords differ; nothing was "
			    "changed");
	}
	if (password[0] == '\0')
		log_fatal("an empty password is no password; nothing was "
		    "changed");
}

/* Writes the user's line: `target` is what stands behind the hash. */
static void
write_entry(FILE *to, const char *user, const char *hash, const char *target)
{
	(void)fprintf(to, "%s:%s:%s\n", user, hash, target);
}

/*
 * Copies the file, the user's line changed or added.  A line that belongs to
 * another user is not touched, be it ever so odd.
 */
static void
copy_entries(FILE *from, FILE *to, const char *user, const char *hash,
    const char *target)
{
	char line[PASSWD_LINE_SIZE];
	const char *rest;
	size_t length = strlen(user);
	int read, found = 0;

	while (from != NULL &&
	    (read = passwd_read_line(from, line, sizeof(line))) != 0) {
		if (read == -1)
			log_fatal("a line is too long; nothing was changed");
		if (strncmp(line, user, length) != 0 || line[length] != ':' ||
		    (rest = strchr(line + length + 1, ':')) == NULL) {
			(void)fprintf(to, "%s\n", line);
			continue;
		}
		if (!found)
			write_entry(to, user, hash, target != NULL ? target :
			    rest + 1);
		found = 1;
	}
	if (!found)
		write_entry(to, user, hash, target != NULL ? target : "");
}

/* As the old file was; a new one is for root and the authenticators. */
static void
copy_rights(FILE *from, FILE *to, gid_t auth_group)
{
	struct stat status;

	if (from == NULL) {
		status.st_uid = geteuid();
		status.st_gid = auth_group;
		status.st_mode = 0640;
	} else if (fstat(fileno(from), &status) == -1)
		log_fatal("fstat: %s", strerror(errno));
	if ((status.st_gid != (gid_t)-1 && fchown(fileno(to), status.st_uid,
	    status.st_gid) == -1 && geteuid() == 0) ||
	    fchmod(fileno(to), status.st_mode & 07777) == -1)
		log_fatal("owner and mode of the new file: %s",
		    strerror(errno));
}

/* An entry in a directory is durable when the directory is. */
static int
sync_directory(const char *path)
{
	char directory[PATH_SIZE];
	char *slash;
	int fd, result;

	(void)strlcpy(directory, path, sizeof(directory));
	slash = strrchr(directory, '/');
	if (slash == NULL)
		(void)strlcpy(directory, ".", sizeof(directory));
	else
		slash[slash == directory ? 1 : 0] = '\0';
	if ((fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	result = fsync(fd);
	(void)close(fd);
	return (result);
}

/* The new file is written beside the old one and takes its name whole. */
static void
replace_file(const char *path, gid_t auth_group, const char *user,
    const char *hash, const char *target)
{
	char fresh[PATH_SIZE + 8];
	FILE *from, *to = NULL;
	int fd;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	from = passwd_open(path);
	if (from == NULL && errno != ENOENT)
		log_fatal("%s: %s", path, errno == EPERM ? "expected a regular "
		    "file that others may not write" : strerror(errno));
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1 || (to = fdopen(fd, "w")) == NULL)
		log_fatal("%s: %s (if no other posternctl is at work, remove "
		    "it)", fresh, strerror(errno));
	copy_entries(from, to, user, hash, target);
	copy_rights(from, to, auth_group);
	if (ferror(to) || fflush(to) == EOF || fsync(fd) == -1 ||
	    rename(fresh, path) == -1) {
		(void)unlink(fresh);
		log_fatal("%s: %s; nothing was changed", path,
		    strerror(errno));
	}
	if (sync_directory(path) == -1)
		log_fatal("%s: changed, but perhaps not on the disk yet: %s",
		    path, strerror(errno));
	(void)fclose(to);
	if (from != NULL)
		(void)fclose(from);
}

/* The whole line is read back by the parser that the daemon uses. */
static void
check_entry(const char *user, const char *target)
{
	struct passwd_entry entry;
	char line[PASSWD_LINE_SIZE];
	const char *wrong;

	if ((size_t)snprintf(line, sizeof(line), "%s:*:%s", user, target !=
	    NULL ? target : "") >= sizeof(line))
		log_fatal("user and target are too long");
	if ((wrong = passwd_parse_line(line, &entry)) != NULL)
		log_fatal("%s: expected %s", user, wrong);
}

static void
change_password(const char *path, gid_t auth_group, const char *user,
    const char *target)
{
	char password[PASSWORD_SIZE], hash[crypto_pwhash_STRBYTES];
	sigset_t all;

	check_entry(user, target);
	if (sodium_init() == -1)
		log_fatal("libsodium cannot start");
	ask_password(password, sizeof(password));
	if (crypto_pwhash_str(hash, password, strlen(password),
	    crypto_pwhash_OPSLIMIT_INTERACTIVE,
	    crypto_pwhash_MEMLIMIT_INTERACTIVE) == -1)
		log_fatal("no memory to hash the password");
	sodium_memzero(password, sizeof(password));
	/* An interrupt must not leave half a file behind. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)umask(077);
	replace_file(path, auth_group, user, hash, target);
	sodium_memzero(hash, sizeof(hash));
}

int
main(int argc, char **argv)
{
	static struct config config;
	const char *file = NULL, *config_file = NULL, *target = NULL;
	int option;

	log_to_stderr("posternctl");
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
	config.auth_user.gid = (gid_t)-1;
	if (file == NULL && config_read(config_file, &config) > 0)
		log_fatal("the configuration has errors");
	if (file == NULL)
		file = config.auth.passwd_file;
	if (file[0] == '\0')
		log_fatal("the configuration says 'auth system': use "
		    "passwd(1), or name a file with -f");
	if (geteuid() != 0 || config.start.unprivileged)
		config.auth_user.gid = (gid_t)-1;
	change_password(file, config.auth_user.gid, argv[optind], target);
	return (0);
}
