/*
 * config.c - posternd.conf(5): one keyword a line.
 *
 * Linked into postern-config, which runs as nobody before all others, and
 * into posternctl.  The file is root's own, so the parser's care is for typing
 * errors, and every one of them is reported.
 */
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "network.h"
#include "pathnames.h"

#define WORDS_MAX	32
#define MANY		(WORDS_MAX - 1)

/*
 * A keyword is one row.  Its reader stores into the member at `offset` what
 * the words behind the keyword say, which end in a NULL; it is false where
 * they are not what `expected` says.  A row without a reader is a number from
 * `least` to `most`, or, when it takes no word, 1 for being there.
 */
struct keyword {
	const char *name;
	int (*read)(void *to, char **words);
	size_t offset;
	int words;		/* at most; MANY: and the keyword again */
	const char *none;	/* the word that leaves the member as it is */
	const char *fallback;	/* what is read when the keyword is missing */
	const char *expected;
	long long least, most;
};

static int
find_word(const char *word, const char *const *list)
{
	int i = 0;

	while (list[i] != NULL && strcmp(word, list[i]) != 0)
		i++;
	return (list[i] != NULL ? i : -1);
}

static int
read_path(void *to, char **words)
{
	return (words[0][0] == '/' &&
	    strlcpy(to, words[0], PATH_SIZE) < PATH_SIZE);
}

/* A path from the root or the home, with nothing but %u, %h and %% in it. */
static int
read_template(void *to, char **words)
{
	const char *c = words[0];

	if (c[0] != '/' && strncmp(c, "~/", 2) != 0 &&
	    strncmp(c, "%h/", 3) != 0)
		return (0);
	for (; (c = strchr(c, '%')) != NULL; c += 2)
		if (c[1] != 'u' && c[1] != 'h' && c[1] != '%')
			return (0);
	return (strlcpy(to, words[0], PATH_SIZE) < PATH_SIZE);
}

/* Formats and templates in turn, the parts of each default mailbox. */
static int
read_inbox(void *to, char **words)
{
	static const char *const names[] = { "mbox", "mail.txt", "mh",
	    "maildir", NULL };
	static const uint32_t formats[] = { FORMAT_FILE, FORMAT_FILE,
	    FORMAT_MH, FORMAT_MAILDIR };
	struct ipc_store_config *store = to;
	char *const parts[INBOX_PARTS_MAX] = { store->maildrop,
	    store->maildrop_2, store->maildrop_3 };
	size_t i;
	int format;

	for (i = 0; i < INBOX_PARTS_MAX && words[0] != NULL; i++, words += 2) {
		format = find_word(words[0], names);
		if (format == -1 || words[1] == NULL ||
		    !read_template(parts[i], words + 1))
			return (0);
		store->formats[i] = formats[format];
	}
	return (words[0] == NULL);
}

static int
read_hostname(void *to, char **words)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-.";

	return (words[0][0] != '\0' &&
	    words[0][strspn(words[0], allowed)] == '\0' &&
	    strlcpy(to, words[0], HOST_NAME_SIZE) < HOST_NAME_SIZE);
}

static int
read_listen(void *to, char **words)
{
	static const char *const protocols[] = { "auto", "pop1", "pop2",
	    "pop3", NULL };
	struct config *config = to;
	struct config_listener *listener;
	const char *wrong = NULL;
	int protocol = find_word(words[0], protocols);

	if (config->listener_count == LISTENERS_MAX || protocol == -1 ||
	    words[1] == NULL)
		return (0);
	listener = &config->listeners[config->listener_count++];
	listener->protocol = (uint32_t)protocol;
	if (strlcpy(listener->address, words[1], HOST_NAME_SIZE) >=
	    HOST_NAME_SIZE)
		return (0);
	for (words += 2; words[0] != NULL; words++)
		if (strcmp(words[0], "tls") == 0)
			listener->tls = 1;
		else if (strcmp(words[0], "port") == 0 && wrong == NULL &&
		    words[1] != NULL)
			(void)snprintf(listener->port, sizeof(listener->port),
			    "%lld", strtonum(*++words, 0, 65535, &wrong));
		else if (strcmp(words[0], "quirks") == 0 &&
		    words[1] != NULL && strcmp(*++words, "pcnfs") == 0)
			listener->quirks |= QUIRK_PCNFS;
		else
			return (0);
	/* No port is assigned to POP1 and POP2 inside TLS: POP3's. */
	if (listener->port[0] == '\0')
		(void)strlcpy(listener->port, listener->tls ? "995" :
		    protocol == PROTOCOL_POP3 ? "110" : "109",
		    sizeof(listener->port));
	return (wrong == NULL);
}

static int
read_pair(void *to, char **words)
{
	struct config *config = to;
	struct ipc_config_pair *pair = &config->pairs[config->pair_count];

	return (config->pair_count++ < CERTIFICATES_MAX &&
	    read_path(pair->certificate, words) && words[1] != NULL &&
	    strcmp(words[1], "key") == 0 && words[2] != NULL &&
	    read_path(pair->key, words + 2) && words[3] == NULL);
}

static int
read_cleartext(void *to, char **words)
{
	struct ipc_net_config *net = to;

	for (; words[0] != NULL; words++)
		if (net->network_count == NETWORKS_MAX || !network_read(
		    &net->networks[net->network_count++], words[0]))
			return (0);
	return (1);
}

/* Whose accounts, and the file; `system` alone has been read already. */
static int
read_auth(void *to, char **words)
{
	static const char *const kinds[] = { "system", "passwd", NULL };
	struct ipc_auth_config *auth = to;
	int kind = find_word(words[0], kinds);

	return (kind != -1 && words[1] != NULL &&
	    read_path(auth->named_file, words + 1) &&
	    (kind == 0 || read_path(auth->passwd_file, words + 1)));
}

/* NAME of the system's accounts, or UID:GID. */
static int
read_identity(void *to, char **words)
{
	const struct passwd *found = getpwnam(words[0]);
	struct identity *who = to;
	char *gid = words[0];
	const char *uid = strsep(&gid, ":");

	who->extra = (gid_t)-1;
	if (found != NULL) {
		who->uid = found->pw_uid;
		who->gid = found->pw_gid;
	} else if (gid != NULL) {
		who->uid = (uid_t)strtonum(uid, 1, ACCOUNT_ID_MAX, NULL);
		who->gid = (gid_t)strtonum(gid, 1, ACCOUNT_ID_MAX, NULL);
	}
	return (who->uid != 0 && who->gid != 0);
}

/* Kinds of lock, each once, in the order in which they are taken. */
static int
read_locks(void *to, char **words)
{
	static const char *const kinds[] = { "fcntl", "flock", "dotlock",
	    "try-dotlock", NULL };
	uint32_t *lock = to, seen = 0, bit;
	int which;

	for (; words[0] != NULL; words++, seen |= bit) {
		which = find_word(words[0], kinds);
		bit = 1U << MIN(MAX(which, 0), 2);
		if (which == -1 || (seen & bit) != 0)
			return (0);
		*lock++ = LOCK_FCNTL + (uint32_t)which;
	}
	return (1);
}

static int
read_uidl(void *to, char **words)
{
	static const char *const kinds[] = { "native", "dovecot", "uw",
	    "popa3d", NULL };
	int which = find_word(words[0], kinds);

	*(uint32_t *)to = (uint32_t)MAX(which, 0);
	return (which != -1);
}

static int
read_without(void *to, char **words)
{
	static const char *const mechanisms[] = { "seccomp", "landlock",
	    "chroot", NULL };
	uint32_t *without = to;
	int which = 0;

	for (; words[0] != NULL && which != -1; words++)
		if ((which = find_word(words[0], mechanisms)) != -1)
			*without |= 1U << which;
	return (which != -1);
}

/* Defaults that this machine gives; config_read fills them in. */
static char this_host[HOST_NAME_SIZE], cores[12], few_cores[12];

#define AT(member)	offsetof(struct config, member)
#define TEXT(number)	#number
#define NUMBER(name, member, fallback, least, most)			\
	{ name, NULL, AT(member), 1, NULL, fallback, "a number from "	\
	    TEXT(least) " to " TEXT(most), least, most }
#define OTHER(name, read, offset, words, none, fallback, expected)	\
	{ name, read, offset, words, none, fallback, expected, 0, 0 }
#define ACCOUNT	"an account that exists and is not root (make it first), " \
	"or UID:GID; it is "

/* What a keyword has been met with. */
#define SEEN		1
#define SEEN_NONE	2

static const struct keyword keywords[] = {
	OTHER("hostname", read_hostname, AT(net.host), 1, NULL, this_host,
	    "one host name of letters, digits, hyphens and dots"),
	OTHER("listen", read_listen, 0, MANY, NULL, "auto localhost",
	    "listen auto|pop1|pop2|pop3 ADDRESS [port NUMBER] [tls] "
	    "[quirks pcnfs], at most 32 times"),
	OTHER("tls-certificate", read_pair, 0, MANY, NULL, NULL,
	    "tls-certificate /FILE key /FILE, at most 16 times"),
	OTHER("cleartext", read_cleartext, AT(net), MANY, "none",
	    "127.0.0.0/8 ::1", "networks such as 192.0.2.0/24, addresses, "
	    "or none; at most 64"),
	OTHER("auth", read_auth, AT(auth), 2, "system", "system",
	    "auth system, auth system /FILE, or auth passwd /FILE"),
	OTHER("mailbox", read_template, AT(lock.mailbox), 1, NULL,
	    "/var/mail/%u", "a path from / or ~/ with only %u, %h, %% in it"),
	OTHER("inbox", read_inbox, AT(store), 2 * INBOX_PARTS_MAX, NULL, NULL,
	    "mbox, mail.txt, mh or maildir and a path, up to three times"),
	OTHER("folders", read_template, AT(store.folder_root), 1, "none",
	    "~/mail",
	    "a directory from / or ~/ with only %u, %h, %% in it, or none"),
	NUMBER("minimum-uid", auth.minimum_uid, "1000", 1, ACCOUNT_ID_MAX),
	NUMBER("net-processes", parent.net_processes, cores, 1,
	    NET_PROCESSES_MAX),
	NUMBER("auth-processes", parent.auth_processes, few_cores, 1,
	    AUTH_PROCESSES_MAX),
	NUMBER("login-timeout", net.login_seconds, "60", 1, 3600),
	NUMBER("session-timeout", net.session_seconds, "600", 1, 86400),
	OTHER("lock", read_locks, AT(store.locks), LOCK_KINDS_MAX, NULL,
	    "fcntl try-dotlock", "fcntl, flock, and dotlock or try-dotlock, "
	    "each once, in order"),
	OTHER("uidl", read_uidl, AT(store.uids), 1, NULL, "native",
	    "native, dovecot, uw or popa3d"),
	{ "expire", NULL, AT(net.expire_days), 1, "never", "never",
	    "a number of days from 1 to 36500, or never", 1, 36500 },
	NUMBER("login-delay", net.login_delay, "0", 0, 86400),
	NUMBER("lock-timeout", store.lock_seconds, "10", 0, 3600),
	NUMBER("max-connections", net.connections, "20000", 1,
	    CONNECTIONS_MAX),
	NUMBER("max-sessions", parent.sessions, "2000", 1, SESSIONS_MAX),
	OTHER("net-user", read_identity, AT(parent.net_user), 1, NULL,
	    "_postern", ACCOUNT "_postern where net-user is not set"),
	OTHER("auth-user", read_identity, AT(parent.auth_user), 1, NULL,
	    "_posternauth", ACCOUNT "_posternauth where auth-user is not set"),
	OTHER("lock-user", read_identity, AT(parent.lock_user), 1, NULL,
	    "_posternlock", ACCOUNT "_posternlock where lock-user is not set"),
	OTHER("keys-user", read_identity, AT(parent.keys_user), 1, NULL,
	    "_posternkeys", ACCOUNT "_posternkeys where keys-user is not set"),
	OTHER("chroot", read_path, AT(net.chroot), 1, NULL, CHROOTDIR,
	    "one absolute path"),
	OTHER("state", read_path, AT(parent.state), 1, NULL, STATEDIR,
	    "one absolute path"),
	OTHER("without", read_without, AT(parent.start.without), MANY, NULL,
	    NULL, "seccomp, landlock or chroot"),
	OTHER("mh-rename", NULL, AT(store.mh_rename), 0, NULL, NULL,
	    "nothing behind it"),
	OTHER("unprivileged", NULL, AT(parent.start.unprivileged), 0, NULL,
	    NULL, "nothing behind it"),
};

#define KEYWORDS	(sizeof(keywords) / sizeof(keywords[0]))

/* Cuts a line at white space; "..." holds blanks; # begins a comment. */
static int
split_line(char *line, char **words)
{
	int count = 0;

	for (;;) {
		line += strspn(line, " \t\r");
		words[count] = NULL;
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

/* The one word that says that there is nothing. */
static int
is_none(const struct keyword *keyword, char *const *words, int count)
{
	return (count == 1 && keyword->none != NULL &&
	    strcmp(words[0], keyword->none) == 0);
}

/* Was it there before, where it may not be again?  `none` bears no other. */
static int
is_repeated(const struct keyword *keyword, int *seen, int none)
{
	const int before = *seen;

	*seen = none ? SEEN_NONE : SEEN;
	return (before != 0 && (keyword->words != MANY || none ||
	    before == SEEN_NONE));
}

/* Stores what the `count` words behind a keyword say, if they are right. */
static int
read_words(struct config *config, const struct keyword *keyword, char **words,
    int count)
{
	void *to = (char *)config + keyword->offset;
	const char *wrong = NULL;

	if (count > keyword->words || (count == 0 && keyword->words > 0))
		return (0);
	if (is_none(keyword, words, count))
		return (1);
	if (keyword->read != NULL)
		return (keyword->read(to, words));
	*(uint32_t *)to = count == 0 ? 1 : (uint32_t)strtonum(words[0],
	    keyword->least, keyword->most, &wrong);
	return (wrong == NULL);
}

/* Reads one line; reports an error at `place` and returns 1, else 0. */
static int
read_line(struct config *config, char *line, int *seen, const char *place)
{
	char *words[WORDS_MAX + 1];
	const struct keyword *keyword = keywords;
	const char *expected;
	int count = split_line(line, words);

	if (count == 0)
		return (0);
	while (count > 0 && keyword < keywords + KEYWORDS &&
	    strcmp(keyword->name, words[0]) != 0)
		keyword++;
	if (count == -1)
		expected = "fewer words, and an end to every quote";
	else if (keyword == keywords + KEYWORDS)
		expected = "a keyword of posternd.conf(5)";
	else if (is_repeated(keyword, &seen[keyword - keywords],
	    is_none(keyword, words + 1, count - 1)))
		expected = keyword->words != MANY ? "this keyword only once" :
		    "none on the only line of this keyword";
	else if (read_words(config, keyword, words + 1, count - 1))
		return (0);
	else
		expected = keyword->expected;
	log_line(LOG_ERR, "%s: %s: expected %s", place,
	    count > 0 ? words[0] : "line", expected);
	return (1);
}

/* How many errors there are; -1: it is not read at all, and that was told. */
static int
read_file(const char *path, FILE *file, struct config *config, int *seen)
{
	char place[PATH_SIZE + 16], *line = NULL;
	const char *wrong;
	struct stat status;
	size_t room = 0;
	ssize_t length;
	int number = 0, errors = 0;

	if (fstat(fileno(file), &status) == -1 || !S_ISREG(status.st_mode) ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (status.st_uid != 0 && status.st_uid != getuid())) {
		log_line(LOG_ERR, "%s: expected a regular file of root's "
		    "that nobody else may write", path);
		return (-1);
	}
	while ((length = getline(&line, &room, file)) != -1) {
		(void)snprintf(place, sizeof(place), "%s:%d", path, ++number);
		wrong = length >= CONFIG_LINE_SIZE ? "a shorter line" :
		    strlen(line) != (size_t)length ? "text, and no NUL in it" :
		    NULL;
		line[strcspn(line, "\n")] = '\0';
		if (wrong != NULL) {
			log_line(LOG_ERR, "%s: expected %s", place, wrong);
			errors++;
		} else
			errors += read_line(config, line, seen, place);
	}
	free(line);
	return (errors);
}

/* Every keyword that was not seen is read as if its default stood there. */
static int
read_defaults(struct config *config, int *seen)
{
	const long count = sysconf(_SC_NPROCESSORS_ONLN);
	char line[CONFIG_LINE_SIZE];
	int errors = 0;
	size_t i;

	(void)gethostname(this_host, sizeof(this_host) - 1);
	(void)snprintf(cores, sizeof(cores), "%ld",
	    MIN(MAX(count, 1), NET_PROCESSES_MAX));
	/* At most 8: each may take AUTH_MEMORY_BYTES. */
	(void)snprintf(few_cores, sizeof(few_cores), "%ld",
	    MIN(MAX(count, 2), 8));
	for (i = 0; i < KEYWORDS; i++) {
		if (seen[i] || keywords[i].fallback == NULL ||
		    (keywords[i].read == read_identity &&
		    (config->parent.start.unprivileged ||
		    (keywords[i].offset == AT(parent.keys_user) &&
		    config->pair_count == 0))))
			continue;
		(void)snprintf(line, sizeof(line), "%s %s", keywords[i].name,
		    keywords[i].fallback);
		errors += read_line(config, line, seen, "default");
	}
	return (errors);
}

/*
 * `mailbox` is a default mailbox of one part.  Of several parts that are one
 * file each in a directory for all users the first is in the spool.
 */
static void
choose_spool(struct config *config)
{
	struct ipc_store_config *store = &config->store;
	const char *const parts[INBOX_PARTS_MAX] = { store->maildrop,
	    store->maildrop_2, store->maildrop_3 };
	const char *percent;
	uint32_t i;

	if (store->maildrop[0] == '\0')
		(void)strlcpy(store->maildrop, config->lock.mailbox,
		    PATH_SIZE);
	config->lock.mailbox[0] = '\0';
	for (i = 0; i < INBOX_PARTS_MAX && store->spool_part == 0; i++) {
		percent = strchr(parts[i], '%');
		if (parts[i][0] != '/' || percent == NULL ||
		    percent == parts[i] || strcmp(percent - 1, "/%u") != 0)
			continue;
		store->spool_part = i + 1;
		(void)strlcpy(config->lock.mailbox, parts[i], PATH_SIZE);
	}
}

/*
 * No two of them may trace or signal each other, and postern-lock's group,
 * which may write the spool, is nobody else's.
 */
static int
check_users(const struct ipc_parent_config *parent)
{
	const struct identity users[] = { parent->lock_user, parent->net_user,
	    parent->auth_user, parent->keys_user };
	size_t i, j;

	if (parent->start.unprivileged)
		return (0);
	for (i = 1; i < sizeof(users) / sizeof(users[0]); i++)
		for (j = 0; j < i; j++)
			if (users[i].uid != 0 && (users[i].uid ==
			    users[j].uid || (j == 0 && users[i].gid ==
			    users[j].gid))) {
				log_line(LOG_ERR, "net-user, auth-user, "
				    "lock-user and keys-user: expected "
				    "different accounts, and another group "
				    "than lock-user's");
				return (1);
			}
	return (0);
}

/* What listeners need of other lines. */
static int
check_listeners(const struct config *config)
{
	const struct config_listener *listener = config->listeners;
	size_t i;

	for (i = 0; i < config->listener_count; i++, listener++)
		if (listener->tls && config->pair_count == 0) {
			log_line(LOG_ERR, "listen: tls: expected a "
			    "tls-certificate, too");
			return (1);
		} else if (listener->protocol == PROTOCOL_POP3 &&
		    config->net.session_seconds < POP3_TIMEOUT_LEAST) {
			log_line(LOG_ERR, "session-timeout: expected at least "
			    "%d where a listener is for pop3 (RFC 1939)",
			    POP3_TIMEOUT_LEAST);
			return (1);
		}
	return (0);
}

int
config_read(const char *path, int fd, struct config *config)
{
	int seen[KEYWORDS] = { 0 };
	const uint32_t *lock;
	struct stat shadow;
	int errors = 0;
	FILE *file;

	memset(config, 0, sizeof(*config));
	if (fd != -1 && (file = fdopen(fd, "r")) != NULL) {
		errors = read_file(path, file, config, seen);
		(void)fclose(file);
	}
	if (errors == -1)
		return (1);
	errors += read_defaults(config, seen);
	if (errors == 0)
		errors = check_users(&config->parent) + check_listeners(config);
	/* The system's hashes are read by group, never as root. */
	if (config->auth.passwd_file[0] == '\0' &&
	    stat("/etc/shadow", &shadow) == 0 && shadow.st_gid != 0 &&
	    (shadow.st_mode & S_IRGRP) != 0)
		config->parent.auth_user.extra = shadow.st_gid;
	choose_spool(config);
	/* Dotlocks of mailboxes in home directories are the store's own. */
	for (lock = config->store.locks; *lock != LOCK_NONE; lock++)
		if (*lock >= LOCK_DOTLOCK && config->lock.mailbox[0] == '/')
			config->parent.dotlocks = 1;
	config->net.start = config->auth.start = config->lock.start =
	    config->store.start = config->parent.start;
	config->store.idle_seconds = config->net.session_seconds;
	config->store.login_delay = config->net.login_delay;
	config->net.pairs = (uint32_t)config->pair_count;
	return (errors);
}
