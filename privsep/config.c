/*
 * config.c - posternd.conf(5): one keyword a line.
 *
 * Linked into posternd alone and runs there as root, before any child: the
 * file is root's own, so the parser's care is for typing errors, and every
 * one of them is reported.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR	"/etc/postern"
#endif
#ifndef LIBEXECDIR
#define LIBEXECDIR	"/usr/local/libexec/postern"
#endif
#ifndef STATEDIR
#define STATEDIR	"/var/lib/postern"
#endif

#ifndef CHROOTDIR
#define CHROOTDIR	"/var/empty"
#endif

#define WORDS_MAX	32

/*
 * A keyword is one row.  Its reader stores into the member at `offset` what
 * words[1] ... words[count - 1] say and returns 0, or -1 where they are not
 * what `expected` says; a number lies from `least` to `most`.
 */
struct keyword {
	const char *name;
	int (*read)(struct config *, const struct keyword *, char **words,
	    int count);
	size_t offset;
	const char *expected;
	long least, most;
	int repeatable;
};

static int
copy_word(char *to, size_t size, const char *word)
{
	return (strlcpy(to, word, size) < size ? 0 : -1);
}

static int
find_word(const char *word, const char *const *list)
{
	int i;

	for (i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return (i);
	return (-1);
}

static int
read_number(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	const char *wrong;
	uint32_t value;

	if (count != 2)
		return (-1);
	value = (uint32_t)strtonum(words[1], keyword->least, keyword->most,
	    &wrong);
	memcpy((char *)config + keyword->offset, &value, sizeof(value));
	return (wrong == NULL ? 0 : -1);
}

static int
read_path(struct config *config, const struct keyword *keyword, char **words,
    int count)
{
	return (count != 2 || words[1][0] != '/' ? -1 :
	    copy_word((char *)config + keyword->offset, PATH_SIZE, words[1]));
}

/* A path from the root or the home, with nothing but %u, %h and %% in it. */
static int
read_template(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	char *to = (char *)config + keyword->offset;
	const char *c;

	if (count == 2 && to == config->folders &&
	    strcmp(words[1], "none") == 0)
		return (copy_word(to, PATH_SIZE, ""));
	if (count != 2 || (words[1][0] != '/' &&
	    strncmp(words[1], "~/", 2) != 0 && strncmp(words[1], "%h/", 3) != 0))
		return (-1);
	for (c = words[1]; (c = strchr(c, '%')) != NULL; c += 2)
		if (c[1] != 'u' && c[1] != 'h' && c[1] != '%')
			return (-1);
	return (copy_word(to, PATH_SIZE, words[1]));
}

static int
read_hostname(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	(void)keyword;
	if (count != 2 || words[1][0] == '\0' || words[1][strspn(words[1],
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-.")] != '\0')
		return (-1);
	return (copy_word(config->net.host, sizeof(config->net.host), words[1]));
}

static int
read_listen(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	static const char *const protocols[] = { "auto", "pop1", "pop2", NULL };
	struct config_listener *listener;
	const char *wrong = NULL;
	int i, protocol;

	(void)keyword;
	if (config->listener_count == LISTENERS_MAX || count < 3 ||
	    count % 2 == 0 || (protocol = find_word(words[1], protocols)) == -1)
		return (-1);
	listener = &config->listeners[config->listener_count++];
	listener->protocol = (uint32_t)protocol;
	(void)strlcpy(listener->port, "109", sizeof(listener->port));
	for (i = 3; i < count && wrong == NULL; i += 2)
		if (strcmp(words[i], "port") == 0)
			(void)snprintf(listener->port, sizeof(listener->port),
			    "%lld", strtonum(words[i + 1], 0, 65535, &wrong));
		else if (strcmp(words[i], "quirks") == 0 &&
		    strcmp(words[i + 1], "pcnfs") == 0)
			listener->quirks |= QUIRK_PCNFS;
		else
			return (-1);
	return (wrong != NULL ? -1 : copy_word(listener->address,
	    sizeof(listener->address), words[2]));
}

static int
read_network(struct config *config, char *word)
{
	struct network *network;
	char *slash = strchr(word, '/');
	const char *wrong = NULL;

	if (config->net.network_count == NETWORKS_MAX)
		return (-1);
	network = &config->net.networks[config->net.network_count++];
	if (slash != NULL)
		*slash = '\0';
	network->family = strchr(word, ':') != NULL ? AF_INET6 : AF_INET;
	network->prefix = network->family == AF_INET6 ? 128 : 32;
	if (slash != NULL)
		network->prefix = (uint32_t)strtonum(slash + 1, 0,
		    network->prefix, &wrong);
	return (wrong == NULL && inet_pton((int)network->family, word,
	    network->address) == 1 ? 0 : -1);
}

static int
read_cleartext(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	int i;

	(void)keyword;
	if (count == 2 && strcmp(words[1], "none") == 0)
		return (0);
	for (i = 1; i < count; i++)
		if (read_network(config, words[i]) == -1)
			return (-1);
	return (count < 2 ? -1 : 0);
}

static int
read_auth(struct config *config, const struct keyword *keyword, char **words,
    int count)
{
	if (count == 2 && strcmp(words[1], "system") == 0)
		return (0);
	return (count != 3 || strcmp(words[1], "passwd") != 0 ? -1 :
	    read_path(config, keyword, words + 1, count - 1));
}

/* NAME of the system's accounts, or UID:GID. */
static int
read_identity(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	struct identity *who = (void *)((char *)config + keyword->offset);
	const struct passwd *found;
	const char *wrong = NULL, *wrong_gid = NULL;
	char *colon;

	if (count != 2)
		return (-1);
	who->extra = (gid_t)-1;
	if ((colon = strchr(words[1], ':')) != NULL) {
		*colon = '\0';
		who->uid = (uid_t)strtonum(words[1], 1, ACCOUNT_ID_MAX, &wrong);
		who->gid = (gid_t)strtonum(colon + 1, 1, ACCOUNT_ID_MAX,
		    &wrong_gid);
	} else if ((found = getpwnam(words[1])) != NULL) {
		who->uid = found->pw_uid;
		who->gid = found->pw_gid;
	}
	return (wrong != NULL || wrong_gid != NULL || who->uid == 0 ||
	    who->gid == 0 ? -1 : 0);
}

static int
read_without(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	static const char *const mechanisms[] = { "seccomp", "landlock",
	    "chroot", NULL };
	int i, which;

	(void)keyword;
	for (i = 1; i < count; i++) {
		if ((which = find_word(words[i], mechanisms)) == -1)
			return (-1);
		config->start.without |= 1U << which;
	}
	return (count < 2 ? -1 : 0);
}

static int
read_unprivileged(struct config *config, const struct keyword *keyword,
    char **words, int count)
{
	(void)keyword;
	(void)words;
	config->start.unprivileged = 1;
	return (count == 1 ? 0 : -1);
}

#define AT(member)	offsetof(struct config, member)
#define NUMBER(name, member, least, most)				\
	{ name, read_number, AT(member), NULL, least, most, 0 }
#define OTHER(name, reader, offset, repeatable, expected)		\
	{ name, reader, offset, expected, 0, 0, repeatable }

static const struct keyword keywords[] = {
	OTHER("hostname", read_hostname, 0, 0,
	    "one host name of letters, digits, hyphens and dots"),
	OTHER("listen", read_listen, 0, 1, "listen auto|pop1|pop2 ADDRESS "
	    "[port NUMBER] [quirks pcnfs]"),
	OTHER("cleartext", read_cleartext, 0, 1,
	    "networks such as 192.0.2.0/24, addresses, or none"),
	OTHER("auth", read_auth, AT(auth.passwd_file), 0,
	    "auth system, or auth passwd /FILE"),
	OTHER("mailbox", read_template, AT(mailbox), 0,
	    "a path from / or ~/ with only %u, %h and %% in it"),
	OTHER("folders", read_template, AT(folders), 0,
	    "a directory from / or ~/ with only %u, %h and %% in it, or none"),
	NUMBER("minimum-uid", auth.minimum_uid, 1, ACCOUNT_ID_MAX),
	NUMBER("net-processes", net_processes, 1, NET_PROCESSES_MAX),
	NUMBER("auth-processes", auth_processes, 1, AUTH_PROCESSES_MAX),
	NUMBER("login-timeout", net.login_seconds, 1, 3600),
	NUMBER("session-timeout", net.session_seconds, 1, 86400),
	NUMBER("lock-timeout", lock_seconds, 0, 3600),
	NUMBER("max-connections", net.connections, 1, CONNECTIONS_MAX),
	NUMBER("max-sessions", sessions, 1, SESSIONS_MAX),
	OTHER("net-user", read_identity, AT(net_user), 0, "an account that "
	    "exists and is not root (make it first), or UID:GID"),
	OTHER("auth-user", read_identity, AT(auth_user), 0, "an account that "
	    "exists and is not root (make it first), or UID:GID"),
	OTHER("chroot", read_path, AT(net.chroot), 0, "one absolute path"),
	OTHER("state", read_path, AT(state), 0, "one absolute path"),
	OTHER("libexec", read_path, AT(libexec), 0, "one absolute path"),
	OTHER("without", read_without, 0, 1, "seccomp, landlock or chroot"),
	OTHER("unprivileged", read_unprivileged, 0, 0, "nothing behind it"),
};

#define KEYWORDS	(sizeof(keywords) / sizeof(keywords[0]))

/* Cuts a line at white space; "..." holds blanks; # begins a comment. */
static int
split_line(char *line, char **words)
{
	int count = 0;

	for (;;) {
		line += strspn(line, " \t\r");
		if (*line == '\0' || *line == '#')
			return (count);
		if (count == WORDS_MAX)
			return (-1);
		if (*line == '"') {
			words[count++] = ++line;
			line = strchr(line, '"');
		} else {
			words[count++] = line;
			line += strcspn(line, " \t\r");
		}
		if (line == NULL)
			return (-1);
		if (*line != '\0')
			*line++ = '\0';
	}
}

/* Reads one line; reports an error at `place` and returns 1, else 0. */
static int
read_line(struct config *config, char *line, int *seen, const char *place)
{
	char *words[WORDS_MAX];
	const struct keyword *keyword = keywords;
	const char *expected;
	char range[80];
	int count;

	if ((count = split_line(line, words)) == 0)
		return (0);
	while (count > 0 && keyword < keywords + KEYWORDS &&
	    strcmp(keyword->name, words[0]) != 0)
		keyword++;
	if (count == -1)
		expected = "fewer words, and an end to every quote";
	else if (keyword == keywords + KEYWORDS)
		expected = "a keyword of posternd.conf(5)";
	else if (seen[keyword - keywords]++ && !keyword->repeatable)
		expected = "this keyword only once";
	else if (keyword->read(config, keyword, words, count) == 0)
		return (0);
	else
		expected = keyword->expected;
	if (expected == NULL) {
		(void)snprintf(range, sizeof(range),
		    "a number from %ld to %ld", keyword->least, keyword->most);
		expected = range;
	}
	log_line(LOG_ERR, "%s: %s: expected %s", place,
	    count > 0 ? words[0] : "line", expected);
	return (1);
}

static int
read_file(const char *path, FILE *file, struct config *config, int *seen)
{
	char line[CONFIG_LINE_SIZE], place[PATH_SIZE + 16];
	struct stat status;
	int number, errors = 0;

	if (fstat(fileno(file), &status) == -1 || !S_ISREG(status.st_mode) ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (status.st_uid != 0 && status.st_uid != getuid())) {
		log_line(LOG_ERR, "%s: expected a regular file of root's "
		    "that nobody else may write", path);
		return (1);
	}
	for (number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
		(void)snprintf(place, sizeof(place), "%s:%d", path, number);
		if (strchr(line, '\n') == NULL && !feof(file)) {
			log_line(LOG_ERR, "%s: expected a shorter line", place);
			return (errors + 1);
		}
		line[strcspn(line, "\n")] = '\0';
		errors += read_line(config, line, seen, place);
	}
	return (errors);
}

static void
set_defaults(struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	memset(config, 0, sizeof(*config));
	cores = cores < 1 ? 1 : cores > NET_PROCESSES_MAX ?
	    NET_PROCESSES_MAX : cores;
	(void)strlcpy(config->mailbox, "/var/mail/%u", PATH_SIZE);
	(void)strlcpy(config->folders, "~/mail", PATH_SIZE);
	(void)strlcpy(config->net.chroot, CHROOTDIR, PATH_SIZE);
	(void)strlcpy(config->state, STATEDIR, PATH_SIZE);
	(void)strlcpy(config->libexec, LIBEXECDIR, PATH_SIZE);
	config->auth.minimum_uid = 1000;
	config->net_processes = (uint32_t)cores;
	/* At most 8 by default: each may take AUTH_MEMORY_BYTES. */
	config->auth_processes = (uint32_t)(cores < 2 ? 2 : cores > 8 ? 8 : cores);
	config->net.login_seconds = 60;
	config->net.session_seconds = 600;
	config->lock_seconds = 10;
	config->net.connections = 20000;
	config->sessions = 2000;
}

/* Reads a default as if it had stood in the file, unless the keyword did. */
static int
default_line(struct config *config, int *seen, const char *keyword,
    const char *rest)
{
	char line[CONFIG_LINE_SIZE];
	size_t i = 0;

	while (strcmp(keywords[i].name, keyword) != 0)
		i++;
	if (seen[i])
		return (0);
	(void)snprintf(line, sizeof(line), "%s %s", keyword, rest);
	return (read_line(config, line, seen, "default"));
}

static int
finish(struct config *config, int *seen)
{
	char host[HOST_NAME_SIZE] = "";
	struct stat status;
	int errors = 0;

	(void)gethostname(host, sizeof(host) - 1);
	errors += default_line(config, seen, "hostname", host);
	errors += default_line(config, seen, "listen", "auto localhost");
	errors += default_line(config, seen, "cleartext", "127.0.0.0/8 ::1");
	if (config->start.unprivileged)
		return (errors);
	errors += default_line(config, seen, "net-user", "_postern");
	errors += default_line(config, seen, "auth-user", "_posternauth");
	if (errors == 0 && config->net_user.uid == config->auth_user.uid) {
		log_line(LOG_ERR, "net-user and auth-user: expected two "
		    "different accounts");
		errors++;
	}
	/* The system's hashes are read by group, never as root. */
	if (config->auth.passwd_file[0] == '\0' &&
	    stat("/etc/shadow", &status) == 0 && status.st_gid != 0 &&
	    (status.st_mode & S_IRGRP) != 0)
		config->auth_user.extra = status.st_gid;
	return (errors);
}

int
config_read(const char *path, struct config *config)
{
	const char *name = path != NULL ? path : SYSCONFDIR "/posternd.conf";
	int seen[KEYWORDS] = { 0 };
	int errors = 0;
	FILE *file;

	set_defaults(config);
	file = fopen(name, "re");
	if (file != NULL) {
		errors = read_file(name, file, config, seen);
		(void)fclose(file);
	} else if (path != NULL || errno != ENOENT) {
		log_line(LOG_ERR, "%s: %s", name, strerror(errno));
		return (1);
	}
	errors += finish(config, seen);
	config->net.start = config->auth.start = config->start;
	return (errors);
}
