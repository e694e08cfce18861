/*
 * auth_test.c - who gets in, by either back end, and what that costs; and
 * posternctl's changes of the passwd file.
 */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <crypt.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define PATIENCE_MS	10000
#define SHADOW_GID	64103
#define MIB		(1024 * 1024)

static void
sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&time, NULL);
}

/* One login by POP2: its whole reply, and the end if it is refused. */
static void
login(const struct server *server, const char *user, const char *password,
    const char *reply)
{
	char line[600];
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+ POP2 ");
	(void)snprintf(line, sizeof(line), "HELO %s %s\r\n", user, password);
	client_send(fd, line);
	client_expect(fd, reply);
	if (reply[0] == '-')
		client_expect_close(fd);
	else {
		client_say(fd, "QUIT", "+ ");
		client_expect_close(fd);
	}
}

static void
login_pop1(const struct server *server, const char *user,
    const char *password, const char *reply)
{
	char line[600];
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+");
	(void)snprintf(line, sizeof(line), "USER %s", user);
	client_say(fd, line, "+OK");
	(void)snprintf(line, sizeof(line), "PASS %s\r\n", password);
	client_send(fd, line);
	client_expect(fd, reply);
	(void)close(fd);
}

#define REFUSED		"- login refused\r\n"
#define REFUSED_POP1	"-ERR login refused\r\n"
#define TROUBLE		"- the login could not be checked; try again later\r\n"
#define TROUBLE_POP1	"-ERR the login could not be checked; try again " \
			"later\r\n"
#define EMPTY_BOX	"#0 messages\r\n"

/* A refusal is told in a while: so many are waited for at once. */
#define WAITING_MAX	50
static int waiting[WAITING_MAX];
static const char *waiting_for[WAITING_MAX];
static size_t waiting_count;

static void
hear_refusals(void)
{
	size_t i;

	for (i = 0; i < waiting_count; i++) {
		client_expect(waiting[i], waiting_for[i]);
		(void)close(waiting[i]);
	}
	waiting_count = 0;
}

/* Such a login, by POP2 and by POP1; hear_refusals looks at the replies. */
static void
both_refused(const struct server *server, const char *user,
    const char *password)
{
	char line[600];
	size_t i;

	if (waiting_count + 2 > WAITING_MAX)
		hear_refusals();
	for (i = 0; i < 2; i++) {
		waiting[waiting_count] = client_connect(server, 0);
		waiting_for[waiting_count] = i == 0 ? REFUSED : "+OK\r\n"
		    REFUSED_POP1;
		client_expect_line(waiting[waiting_count], "+ POP2 ");
		(void)snprintf(line, sizeof(line), i == 0 ?
		    "HELO %s %s\r\n" : "USER %s\r\nPASS %s\r\n", user,
		    password);
		client_send(waiting[waiting_count++], line);
	}
}

/* What a login costs the one authenticator. */
static long
cost(const struct server *server, const char *user, const char *password,
    const char *reply)
{
	pid_t auth = children_pid(server, "postern-auth", 0);
	long before = processor_ticks(auth);

	login(server, user, password, reply);
	return (processor_ticks(auth) - before);
}

static void
replace_line(const struct server *server, const char *begins,
    const char *line)
{
	char *config = file_read(server->config, NULL);
	char *at = strstr(config, begins), *rest;
	FILE *file;

	ATF_REQUIRE(at != NULL && (rest = strchr(at, '\n')) != NULL);
	ATF_REQUIRE((file = fopen(server->config, "w")) != NULL);
	(void)fprintf(file, "%.*s%s%s", (int)(at - config), config, line,
	    rest);
	ATF_REQUIRE(fclose(file) == 0);
	free(config);
}

/*
 * While passwords cannot be read no answer calls one wrong, and a user's is
 * what everybody's is.
 */
static void
nobody_is_told(const struct server *server, const char *user)
{
	const char *const users[] = { user, "t-unknown", "../x", "root" };
	size_t i;

	for (i = 0; i < COUNT(users); i++) {
		login(server, users[i], "secret", TROUBLE);
		login(server, users[i], "wrong", TROUBLE);
		login_pop1(server, users[i], "wrong", TROUBLE_POP1);
	}
}

/* The system's accounts. */

enum hash { STAR_PASSWD, HASH_PASSWD, YESCRYPT, SHA512, COSTLY, BANG_HASH, BANG,
    STAR, NO_HASH, NO_ENTRY };

#define YESTERDAY	"yesterday"
#define TODAY		"today"
#define TOMORROW	"tomorrow"

/* Whose password is always "secret" where there is one. */
static const struct {
	const char *user;
	unsigned int uid, gid;
	enum hash hash;
	const char *change, *most, *expire;	/* fields of shadow(5), or
						   days around today's */
	const char *reason;		/* of the right password's refusal */
} accounts[] = {
	{ "t-costly", 5100, 5100, COSTLY, "19000", "99999", "", NULL },
	{ "t-yescrypt", 5101, 5101, YESCRYPT, "19000", "99999", "", NULL },
	{ "t-sha512", 5102, 5102, SHA512, "19000", "99999", "", NULL },
	{ "t-noaging", 5103, 5103, SHA512, "", "", "", NULL },
	{ "t-future", 5104, 5104, SHA512, "19000", "", "99999", NULL },
	{ "t-locked", 5105, 5105, BANG_HASH, "19000", "99999", "",
	    "locked, or without a password" },
	{ "t-bang", 5106, 5106, BANG, "19000", "99999", "",
	    "locked, or without a password" },
	{ "t-star", 5107, 5107, STAR, "19000", "99999", "",
	    "locked, or without a password" },
	{ "t-empty", 5108, 5108, NO_HASH, "19000", "99999", "",
	    "locked, or without a password" },
	{ "t-expired", 5109, 5109, SHA512, "19000", "99999", "1",
	    "account expired" },
	{ "t-expired-0", 5115, 5115, SHA512, "19000", "99999", "0",
	    "account expired" },
	{ "t-expired-today", 5118, 5118, SHA512, "19000", "99999", TODAY,
	    "account expired" },
	{ "t-expires-tomorrow", 5119, 5119, SHA512, "19000", "99999", TOMORROW,
	    NULL },
	{ "t-old-today", 5120, 5120, SHA512, YESTERDAY, "1", "", NULL },
	{ "t-old-yesterday", 5121, 5121, SHA512, YESTERDAY, "0", "",
	    "password expired" },
	{ "t-old", 5110, 5110, SHA512, "1", "10", "", "password expired" },
	{ "t-change", 5111, 5111, SHA512, "0", "99999", "",
	    "password must be changed first" },
	{ "t-root", 0, 5112, SHA512, "19000", "99999", "",
	    "uid 0 and gid 0 never get a mailbox" },
	{ "t-wheel", 5113, 0, SHA512, "19000", "99999", "",
	    "uid 0 and gid 0 never get a mailbox" },
	{ "t-low", 999, 999, SHA512, "19000", "99999", "",
	    "uid under minimum-uid" },
	{ "t-vipw", 5122, 5122, STAR_PASSWD, "19000", "99999", "",
	    "locked, or the password is not in the shadow file" },
	{ "t-passwd", 5123, 5123, HASH_PASSWD, "19000", "99999", "",
	    "locked, or the password is not in the shadow file" },
	{ "t-noshadow", 5114, 5114, NO_ENTRY, "", "", "",
	    "no shadow entry" },
};

static const char *
make_hash(enum hash hash)
{
	static char made[CRYPT_OUTPUT_SIZE + 1];
	const char *setting, *result;

	if (hash == BANG || hash == STAR || hash == NO_HASH)
		return (hash == BANG ? "!" : hash == STAR ? "*" : "");
	setting = hash == COSTLY ?
	    crypt_gensalt("$6$", 400000, NULL, 0) : hash == YESCRYPT ?
	    crypt_gensalt("$y$", 1, NULL, 0) :
	    crypt_gensalt("$6$", 1000, NULL, 0);
	ATF_REQUIRE(setting != NULL);
	result = crypt("secret", setting);
	ATF_REQUIRE(result != NULL && result[0] == '$');
	(void)snprintf(made, sizeof(made), "%s%s", hash == BANG_HASH ? "!" :
	    "", result);
	return (made);
}

/* A day as shadow(5) has it. */
static const char *
day(const char *text)
{
	static const char *const names[] = { YESTERDAY, TODAY, TOMORROW };
	static char made[2][24];
	static unsigned int turn;
	char *number = made[turn++ % 2];
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (strcmp(text, names[i]) == 0) {
			(void)snprintf(number, sizeof(made[0]), "%lld",
			    (long long)time(NULL) / 86400 + (int)i - 1);
			return (number);
		}
	return (text);
}

static void
cover(const char *scratch, const char *path)
{
	ATF_REQUIRE_MSG(mount(scratch, path, NULL, MS_BIND, NULL) == 0,
	    "%s: %s", path, strerror(errno));
}

/*
 * Beside the files accounts are looked for in a service that no sandbox has room
 * for (name_service.c), if libc has one by that name: 1, or 0.
 */
static int
cover_service(void)
{
	char path[600];
	Dl_info libc;

	if (dladdr((void *)(uintptr_t)getpwnam, &libc) == 0 ||
	    strrchr(libc.dli_fname, '/') == NULL)
		return (0);
	(void)snprintf(path, sizeof(path), "%.*s/libnss_hesiod.so.2",
	    (int)(strrchr(libc.dli_fname, '/') - libc.dli_fname),
	    libc.dli_fname);
	if (access(path, F_OK) == -1)
		return (0);
	cover(BUILD_DIRECTORY "/regress/privsep/name_service.so", path);
	return (1);
}

/*
 * For this process alone: the host's own files stay as they are.  What the
 * first hash of the shadow file costs, every refusal costs.
 */
static void
cover_accounts(const struct server *server, int with_costly)
{
	const char *services;
	FILE *passwd, *shadow;
	size_t i;

	if (geteuid() != 0)
		atf_tc_skip("needs root: scratch files cover /etc/passwd and "
		    "/etc/shadow in a mount namespace");
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		atf_tc_skip("no mount namespace: %s", strerror(errno));
	ATF_REQUIRE((passwd = fopen("passwd", "w")) != NULL &&
	    (shadow = fopen("shadow", "w")) != NULL);
	(void)fprintf(passwd, "root:x:0:0::/root:/bin/sh\n"
	    "nobody:x:65534:65534::/:/bin/false\n");
	(void)fprintf(shadow, "root:*:19000:0:99999:7:::\n");
	for (i = 0; i < COUNT(accounts); i++) {
		(void)fprintf(passwd, "%s:%s:%u:%u::%s/home/fred:/bin/sh\n",
		    accounts[i].user, accounts[i].hash == STAR_PASSWD ? "*" :
		    accounts[i].hash == HASH_PASSWD ? make_hash(SHA512) : "x",
		    accounts[i].uid, accounts[i].gid, server->directory);
		if (accounts[i].hash != NO_ENTRY &&
		    (accounts[i].hash != COSTLY || with_costly))
			(void)fprintf(shadow, "%s:%s:%s:0:%s:7::%s:\n",
			    accounts[i].user, make_hash(accounts[i].hash),
			    day(accounts[i].change), accounts[i].most,
			    day(accounts[i].expire));
	}
	ATF_REQUIRE(fclose(passwd) == 0 && fclose(shadow) == 0);
	services = cover_service() ?
	    "passwd: files hesiod\nshadow: files hesiod\n" :
	    "passwd: files\nshadow: files\n";
	file_write("nsswitch", services, strlen(services));
	ATF_REQUIRE(chmod("nsswitch", 0644) == 0);
	ATF_REQUIRE(chmod("passwd", 0644) == 0 &&
	    chmod("shadow", 0640) == 0 && chown("shadow", 0, SHADOW_GID) == 0);
	cover("passwd", "/etc/passwd");
	cover("shadow", "/etc/shadow");
	if (access("/etc/nsswitch.conf", F_OK) == 0)
		cover("nsswitch", "/etc/nsswitch.conf");
}

static void
start_system(struct server *server, int with_costly)
{
	server_prepare(server, "auth-processes 1\n");
	cover_accounts(server, with_costly);
	replace_line(server, "auth passwd", "auth system");
	server_run(server);
}

static void
must_be_logged(const struct server *server, const char *user,
    const char *reason)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "user=%s protocol=pop2 "
	    "reason=\"%s\"", user, reason);
	log_must_have(server, text);
}

/* In with the right password where nothing is against it; all else is one. */
ATF_TC_WITHOUT_HEAD(system_accounts);
ATF_TC_BODY(system_accounts, tc)
{
	struct server server;
	size_t i;

	(void)tc;
	start_system(&server, 0);
	for (i = 0; i < COUNT(accounts); i++) {
		if (accounts[i].hash == COSTLY)
			continue;
		both_refused(&server, accounts[i].user, "wrong");
		if (accounts[i].reason != NULL)
			both_refused(&server, accounts[i].user, "secret");
		else {
			login(&server, accounts[i].user, "secret", EMPTY_BOX);
			login_pop1(&server, accounts[i].user, "secret",
			    "+OK\r\n");
		}
		must_be_logged(&server, accounts[i].user,
		    accounts[i].reason == NULL ? "wrong password" :
		    accounts[i].reason);
	}
	hear_refusals();
	server_stop(&server);
}

/* What is nobody's name, or nobody's password. */
ATF_TC_WITHOUT_HEAD(system_strangers);
ATF_TC_BODY(system_strangers, tc)
{
	static const char *const names[] = { "t-unknown", "../t-sha512",
	    "t-sha512/", "T-SHA512", "t-sha51", "t-sha5122", "-t", "*", "%s",
	    "t-sha512:x", "0", "5102", "root", "fred" };
	static const char *const passwords[] = { "secre", "secrett", "Secret",
	    "!", "*", "x", "\\ secret", "secret\\ ", "\xe9" };
	struct server server;
	size_t i;

	(void)tc;
	start_system(&server, 0);
	for (i = 0; i < COUNT(names); i++)
		both_refused(&server, names[i], "secret");
	for (i = 0; i < COUNT(passwords); i++) {
		both_refused(&server, "t-yescrypt", passwords[i]);
		both_refused(&server, "t-sha512", passwords[i]);
		both_refused(&server, "t-empty", passwords[i]);
		both_refused(&server, "t-star", passwords[i]);
		both_refused(&server, "t-bang", passwords[i]);
	}
	hear_refusals();
	login(&server, "t-sha512", "secret", EMPTY_BOX);
	server_stop(&server);
}

/*
 * A name that is not in the files is looked for nowhere else: what another
 * service does is more than the sandbox has room for, and would end a process
 * whenever somebody makes up a name.
 */
ATF_TC_WITHOUT_HEAD(system_services);
ATF_TC_BODY(system_services, tc)
{
	struct server server;
	int status;
	pid_t pid;

	(void)tc;
	start_system(&server, 0);
	pid = fork();
	ATF_REQUIRE(pid != -1);
	if (pid == 0)
		_exit(getpwnam("t-elsewhere") == NULL);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	if (status != 0) {
		server_stop(&server);
		atf_tc_skip("libc asks no other name service");
	}
	both_refused(&server, "t-elsewhere", "secret");
	both_refused(&server, "t-unknown", "secret");
	hear_refusals();
	must_be_logged(&server, "t-elsewhere", "no such account");
	login(&server, "t-sha512", "secret", EMPTY_BOX);
	ATF_CHECK(!log_has(&server, "event=exit process=auth"));
	server_stop(&server);
}

/* A shadow file that cannot be read. */
ATF_TC_WITHOUT_HEAD(system_unreadable);
ATF_TC_BODY(system_unreadable, tc)
{
	struct server server;

	(void)tc;
	start_system(&server, 0);
	login(&server, "t-sha512", "secret", EMPTY_BOX);
	ATF_REQUIRE(chmod("shadow", 0600) == 0);
	nobody_is_told(&server, "t-sha512");
	must_be_logged(&server, "t-sha512", "the shadow file cannot be read");
	ATF_REQUIRE(chmod("shadow", 0640) == 0);
	login(&server, "t-sha512", "secret", EMPTY_BOX);
	login(&server, "t-sha512", "wrong", REFUSED);
	server_stop(&server);
}

/* Names that are not there cost what the costly account costs. */
ATF_TC_WITHOUT_HEAD(system_cost);
ATF_TC_BODY(system_cost, tc)
{
	static const char *const users[] = { "t-costly", "t-unknown",
	    "t-locked", "t-star", "t-low", "t-noshadow", "../x" };
	struct server server;
	long right, wrong;
	size_t i;

	(void)tc;
	start_system(&server, 1);
	right = cost(&server, "t-costly", "secret", EMPTY_BOX);
	ATF_CHECK_MSG(right >= 4, "the costly hash took %ld ticks", right);
	for (i = 0; i < COUNT(users); i++) {
		wrong = cost(&server, users[i], "wrong", REFUSED);
		ATF_CHECK_MSG(2 * wrong >= right, "%s: %ld ticks, the right "
		    "password %ld", users[i], wrong, right);
	}
	server_stop(&server);
}

/* Postern's own file. */

static void
users_path(const struct server *server, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/passwd", server->directory);
}

/* A line for a user with this hash and target; "": the tester's own uid. */
static void
add_line(const struct server *server, const char *user, const char *hash,
    const char *target)
{
	char path[600];
	FILE *file;

	users_path(server, path, sizeof(path));
	ATF_REQUIRE((file = fopen(path, "a")) != NULL);
	if (target[0] != '\0')
		(void)fprintf(file, "%s:%s:%s\n", user, hash, target);
	else
		(void)fprintf(file, "%s:%s:%u:%u:%s/home/fred:\n", user, hash,
		    server->privileged ? FRED_UID : (unsigned int)getuid(),
		    server->privileged ? FRED_UID : (unsigned int)getgid(),
		    server->directory);
	ATF_REQUIRE(fclose(file) == 0);
}

static const char *
argon(unsigned long long operations, size_t memory)
{
	static char hash[crypto_pwhash_STRBYTES];

	ATF_REQUIRE(sodium_init() != -1);
	ATF_REQUIRE(crypto_pwhash_str(hash, "secret", strlen("secret"),
	    operations, memory) == 0);
	return (hash);
}

static const char *
cheap(void)
{
	return (argon(crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN));
}

/*
 * A file of further passwords beside the system's accounts: they let in whom
 * the account's own would let in, and nobody else.
 */
ATF_TC_WITHOUT_HEAD(system_named);
ATF_TC_BODY(system_named, tc)
{
	char line[600], hash[crypto_pwhash_STRBYTES];
	struct server server;
	size_t i;

	(void)tc;
	server_prepare(&server, "auth-processes 1\n");
	cover_accounts(&server, 0);
	ATF_REQUIRE(crypto_pwhash_str(hash, "named", strlen("named"),
	    crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN) == 0);
	for (i = 0; i < COUNT(accounts); i++) {
		(void)snprintf(line, sizeof(line), "%s/old", accounts[i].user);
		add_line(&server, line, hash, "pop2:");
	}
	add_line(&server, "t-unknown/old", hash, "pop2:");
	(void)snprintf(line, sizeof(line), "auth system %s/passwd",
	    server.directory);
	replace_line(&server, "auth passwd", line);
	server_run(&server);
	for (i = 0; i < COUNT(accounts); i++) {
		if (accounts[i].hash == COSTLY)
			continue;
		if (accounts[i].reason != NULL) {
			both_refused(&server, accounts[i].user, "named");
			both_refused(&server, accounts[i].user, "secret");
			continue;
		}
		login(&server, accounts[i].user, "named", EMPTY_BOX);
		login_pop1(&server, accounts[i].user, "named",
		    REFUSED_POP1);
		login(&server, accounts[i].user, "secret", EMPTY_BOX);
	}
	hear_refusals();
	login(&server, "t-unknown", "named", REFUSED);
	/* A user of that file is none of the system's. */
	login(&server, FRED, FRED_PASSWORD, REFUSED);
	log_must_have(&server, "user=t-sha512 protocol=pop2 password=old\n");
	log_must_have(&server, "user=t-sha512 protocol=pop2\n");
	/* Of a password that is not the account's own nobody knows now. */
	users_path(&server, line, sizeof(line));
	ATF_REQUIRE(chmod(line, 0666) == 0);
	login(&server, "t-sha512", "secret", EMPTY_BOX);
	login(&server, "t-sha512", "named", TROUBLE);
	login(&server, "t-locked", "named", TROUBLE);
	login(&server, "t-unknown", "named", TROUBLE);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(passwd_users);
ATF_TC_BODY(passwd_users, tc)
{
	static const struct {
		const char *user, *hash, *target, *reason;
	} users[] = {
		{ "p-star", "*", "", "the user has no password" },
		{ "p-empty", "", "", "the user has no password" },
		{ "p-crypt", "$6$abcdefgh$x", "", "the user has no password" },
		{ "p-broken", "$argon2id$v=19$m=65536", "", "the user has no password" },
		{ "p-text", "secret", "", "the user has no password" },
	};
	static const char *const names[] = { "unknown", "../fred", "fred/",
	    "FRED", "fre", "freda", "-fred", "%s", "fred:x" };
	struct server server;
	size_t i;

	(void)tc;
	server_prepare(&server, NULL);
	for (i = 0; i < COUNT(users); i++)
		add_line(&server, users[i].user, users[i].hash,
		    users[i].target);
	server_run(&server);
	login(&server, FRED, FRED_PASSWORD, EMPTY_BOX);
	login(&server, ANN, ANN_QUOTED, EMPTY_BOX);
	login(&server, FRED, "wrong", REFUSED);
	must_be_logged(&server, FRED, "wrong password");
	login_pop1(&server, FRED, "wrong", REFUSED_POP1);
	for (i = 0; i < COUNT(users); i++) {
		both_refused(&server, users[i].user, "secret");
		must_be_logged(&server, users[i].user, users[i].reason);
	}
	for (i = 0; i < COUNT(names); i++)
		both_refused(&server, names[i], "secret");
	hear_refusals();
	must_be_logged(&server, "unknown", "no such user");
	login(&server, "p-empty", "\\ ", REFUSED);
	server_stop(&server);
}

/* A locked user: the hash is there, behind a mark. */
ATF_TC_WITHOUT_HEAD(passwd_locked);
ATF_TC_BODY(passwd_locked, tc)
{
	struct server server;
	char hash[256];

	(void)tc;
	server_prepare(&server, NULL);
	(void)snprintf(hash, sizeof(hash), "!%s", cheap());
	add_line(&server, "p-locked", hash, "");
	server_run(&server);
	login(&server, "p-locked", "secret", REFUSED);
	must_be_logged(&server, "p-locked", "the user has no password");
	server_stop(&server);
}

/* A change counts at once, without a signal. */
ATF_TC_WITHOUT_HEAD(passwd_change_counts);
ATF_TC_BODY(passwd_change_counts, tc)
{
	struct server server;
	char path[600];

	(void)tc;
	server_start(&server, NULL);
	login(&server, "late", "secret", REFUSED);
	add_line(&server, "late", cheap(), "");
	login(&server, "late", "secret", EMPTY_BOX);
	users_path(&server, path, sizeof(path));
	ATF_REQUIRE(chmod(path, 0666) == 0);
	nobody_is_told(&server, "late");
	must_be_logged(&server, "late", "the passwd file cannot be read");
	ATF_REQUIRE(chmod(path, 0644) == 0);
	login(&server, "late", "secret", EMPTY_BOX);
	login(&server, "late", "wrong", REFUSED);
	ATF_REQUIRE(unlink(path) == 0);
	nobody_is_told(&server, "late");
	server_stop(&server);
}

/* Entries that are a system account's, and policy. */
ATF_TC_WITHOUT_HEAD(passwd_mapped);
ATF_TC_BODY(passwd_mapped, tc)
{
	static const char nothing[] =
	    "- this account has no mailbox here\r\n";
	const struct passwd *nobody = getpwnam("nobody");
	struct server server;

	(void)tc;
	if (geteuid() != 0)
		atf_tc_skip("needs root: stores become other users");
	if (nobody == NULL || nobody->pw_uid < 1000 || nobody->pw_gid == 0)
		atf_tc_skip("there is no account nobody to map to");
	server_prepare(&server, NULL);
	add_line(&server, "mapped", cheap(), "nobody");
	add_line(&server, "nobody", cheap(), ":");
	add_line(&server, "rooty", cheap(), "root");
	add_line(&server, "missing", cheap(), "no-such-account-here");
	add_line(&server, "low", cheap(), "999:5001:/:");
	add_line(&server, "wheel", cheap(), "5001:0:/:");
	server_run(&server);
	login(&server, "mapped", "secret", EMPTY_BOX);
	login(&server, "mapped", "wrong", REFUSED);
	login(&server, "rooty", "wrong", REFUSED);
	login(&server, "rooty", "secret", nothing);
	login(&server, "missing", "secret", nothing);
	login(&server, "low", "secret", REFUSED);
	must_be_logged(&server, "low", "uid under minimum-uid");
	login(&server, "wheel", "secret", REFUSED);
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
}

/* "user:hash:": the system account of the same name. */
ATF_TC_WITHOUT_HEAD(passwd_same_name);
ATF_TC_BODY(passwd_same_name, tc)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct server server;
	char path[600], line[256];
	FILE *file;

	(void)tc;
	if (geteuid() != 0)
		atf_tc_skip("needs root: stores become other users");
	if (nobody == NULL || nobody->pw_uid < 1000 || nobody->pw_gid == 0)
		atf_tc_skip("there is no account nobody to map to");
	server_prepare(&server, NULL);
	users_path(&server, path, sizeof(path));
	(void)snprintf(line, sizeof(line), "nobody:%s:\n", cheap());
	ATF_REQUIRE((file = fopen(path, "a")) != NULL);
	(void)fputs(line, file);
	ATF_REQUIRE(fclose(file) == 0);
	server_run(&server);
	login(&server, "nobody", "secret", EMPTY_BOX);
	login(&server, "nobody", "wrong", REFUSED);
	server_stop(&server);
}

/* An unknown user and a wrong password cost what the right one costs. */
ATF_TC_WITHOUT_HEAD(passwd_cost);
ATF_TC_BODY(passwd_cost, tc)
{
	static const char *const users[] = { "costly", "unknown", "star",
	    "../x" };
	struct server server;
	char path[600];
	long right, wrong;
	size_t i;

	(void)tc;
	server_prepare(&server, "auth-processes 1\n");
	users_path(&server, path, sizeof(path));
	ATF_REQUIRE(truncate(path, 0) == 0);
	add_line(&server, "costly", argon(4, 64 * MIB), "");
	add_line(&server, "star", "*", "");
	server_run(&server);
	right = cost(&server, "costly", "secret", EMPTY_BOX);
	ATF_CHECK_MSG(right >= 4, "the costly hash took %ld ticks", right);
	for (i = 0; i < COUNT(users); i++) {
		wrong = cost(&server, users[i], "wrong", REFUSED);
		ATF_CHECK_MSG(2 * wrong >= right, "%s: %ld ticks, the right "
		    "password %ld", users[i], wrong, right);
	}
	server_stop(&server);
}

static int
helo(const struct server *server, const char *command)
{
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+ POP2 ");
	client_send(fd, command);
	return (fd);
}

static int
is_silent(int fd)
{
	char octet;

	return (recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == -1 &&
	    errno == EAGAIN);
}

/* The authenticator that works, held in the middle of it. */
static pid_t
hold_the_busy_one(const struct server *server)
{
	pid_t auths[2] = { children_pid(server, "postern-auth", 0),
	    children_pid(server, "postern-auth", 1) };
	const long before[2] = { processor_ticks(auths[0]),
	    processor_ticks(auths[1]) };
	int waited, i;

	for (waited = 0; waited < PATIENCE_MS; waited += 5) {
		for (i = 0; i < 2; i++)
			if (processor_ticks(auths[i]) > before[i] + 2) {
				ATF_REQUIRE(kill(auths[i], SIGSTOP) == 0);
				return (auths[i]);
			}
		sleep_ms(5);
	}
	atf_tc_fail("no authenticator is at work");
}

/* A slow hash holds up nobody else: neither a login nor a greeting. */
ATF_TC_WITHOUT_HEAD(side_by_side);
ATF_TC_BODY(side_by_side, tc)
{
	struct server server;
	pid_t busy;
	int slow, i;

	(void)tc;
	server_prepare(&server, "net-processes 1\nauth-processes 2\n");
	add_line(&server, "slow", argon(16, 64 * MIB), "");
	server_run(&server);
	/* Two at the least, so that one is seen at work before its end. */
	slow = helo(&server, "HELO slow secret\r\n");
	busy = hold_the_busy_one(&server);
	ATF_REQUIRE_MSG(is_silent(slow), "the slow hash is too fast");
	for (i = 0; i < 5; i++) {
		login(&server, FRED, FRED_PASSWORD, EMPTY_BOX);
		login(&server, ANN, "wrong", REFUSED);
	}
	ATF_CHECK_MSG(is_silent(slow), "the slow login was answered");
	ATF_REQUIRE(kill(busy, SIGCONT) == 0);
	client_expect(slow, EMPTY_BOX);
	client_say(slow, "QUIT", "+ ");
	client_expect_close(slow);
	server_stop(&server);
}

/* With all authenticators at work others wait, and are served in the end. */
ATF_TC_WITHOUT_HEAD(all_at_work);
ATF_TC_BODY(all_at_work, tc)
{
	struct server server;
	int fds[40];
	pid_t auth;
	size_t i;

	(void)tc;
	server_start(&server, "net-processes 1\nauth-processes 1\n");
	auth = children_pid(&server, "postern-auth", 0);
	ATF_REQUIRE(kill(auth, SIGSTOP) == 0);
	for (i = 0; i < COUNT(fds); i++)
		fds[i] = helo(&server, "HELO fred wrong\r\n");
	ATF_CHECK(is_silent(fds[0]));
	ATF_REQUIRE(kill(auth, SIGCONT) == 0);
	for (i = 0; i < COUNT(fds); i++) {
		client_expect(fds[i], REFUSED);
		client_expect_close(fds[i]);
	}
	login(&server, FRED, FRED_PASSWORD, EMPTY_BOX);
	server_stop(&server);
}

/* A hash that asks for more memory than a login may take. */
ATF_TC_WITHOUT_HEAD(memory_bound);
ATF_TC_BODY(memory_bound, tc)
{
	static const char *const hashes[] = {
		"$argon2id$v=19$m=1048576,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4194303,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	static const char *const users[] = { "greedy", "greedier" };
	struct server server;
	pid_t auth;
	size_t i;

	(void)tc;
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitized build has no limit of memory");
#endif
	server_prepare(&server, "auth-processes 1\n");
	for (i = 0; i < COUNT(users); i++)
		add_line(&server, users[i], hashes[i], "");
	server_run(&server);
	auth = children_pid(&server, "postern-auth", 0);
	for (i = 0; i < COUNT(users); i++) {
		login(&server, users[i], "secret", REFUSED);
		must_be_logged(&server, users[i], "the hash asks for more "
		    "memory than a login may take");
	}
	login(&server, FRED, FRED_PASSWORD, EMPTY_BOX);
	ATF_CHECK_EQ(auth, children_pid(&server, "postern-auth", 0));
	server_stop(&server);
}

/* posternctl passwd. */

static char output[4096];

#define FILE_BEFORE							\
	"# ann:this is a comment\n"					\
	"\n"								\
	"ann:$argon2id$old:5002:5002:/home/ann:/var/mail/ann\n"		\
	"  an odd line: with: things\n"					\
	"fred:$argon2id$old:freddy\n"					\
	"bob:*:\n"							\
	"#end\n"

static void
write_users(const char *text)
{
	(void)unlink("users");
	file_write("users", text, strlen(text));
}

static int
control(const char *first, const char *second, const char *user,
    const char *input)
{
	const char *arguments[8] = { program("posternctl"), "passwd", "-f",
	    "users" };
	int count = 4;

	if (first != NULL) {
		arguments[count++] = first;
		arguments[count++] = second;
	}
	arguments[count++] = user;
	arguments[count] = NULL;
	return (run(arguments, input, output, sizeof(output)));
}

static void
must_be_file(const char *name, const char *text)
{
	char *now = file_read(name, NULL);

	ATF_CHECK_MSG(strcmp(now, text) == 0, "%s is:\n%s\nexpected:\n%s",
	    name, now, text);
	free(now);
}

static void
must_not_exist(const char *name)
{
	ATF_CHECK_MSG(access(name, F_OK) == -1 && errno == ENOENT,
	    "%s was left", name);
}

/* Takes the new hash out of the file: the rest must be as expected. */
static void
must_have_hash(const char *user, const char *password, const char *rest)
{
	char *text = file_read("users", NULL), start[64], *at, *end;
	char hash[crypto_pwhash_STRBYTES];

	(void)snprintf(start, sizeof(start), "%s:$argon2id$v=19$", user);
	at = strstr(text, start);
	ATF_REQUIRE_MSG(at != NULL && (at == text || at[-1] == '\n'),
	    "no new hash of %s in:\n%s", user, text);
	at += strlen(user) + 1;
	end = strchr(at, ':');
	ATF_REQUIRE(end != NULL && (size_t)(end - at) < sizeof(hash));
	(void)snprintf(hash, sizeof(hash), "%.*s", (int)(end - at), at);
	ATF_CHECK_EQ(0, crypto_pwhash_str_verify(hash, password,
	    strlen(password)));
	memmove(at + 1, end, strlen(end) + 1);
	*at = 'H';
	ATF_CHECK_MSG(strcmp(text, rest) == 0, "is:\n%s\nexpected:\n%s",
	    text, rest);
	free(text);
	must_not_exist("users.new");
}

ATF_TC_WITHOUT_HEAD(ctl_adds);
ATF_TC_BODY(ctl_adds, tc)
{
	struct stat status;

	(void)tc;
	ATF_CHECK_EQ(0, control(NULL, NULL, "fred", "secret\n"));
	must_have_hash("fred", "secret", "fred:H:\n");
	ATF_REQUIRE(stat("users", &status) == 0);
	ATF_CHECK_EQ(0640, status.st_mode & 07777);
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control(NULL, NULL, "new", "a b\\c\n"));
	must_have_hash("new", "a b\\c", FILE_BEFORE "new:H:\n");
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control("-s", "other", "new", "x\n"));
	must_have_hash("new", "x", FILE_BEFORE "new:H:other\n");
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control("-v", "5:6:/h:/m", "new", "x\n"));
	must_have_hash("new", "x", FILE_BEFORE "new:H:5:6:/h:/m\n");
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control("-v", "5:6:/h:", "an", "no newline"));
	must_have_hash("an", "no newline", FILE_BEFORE "an:H:5:6:/h:\n");
}

/* Where the entry was; its target stays unless another is given. */
ATF_TC_WITHOUT_HEAD(ctl_changes);
ATF_TC_BODY(ctl_changes, tc)
{
	(void)tc;
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control(NULL, NULL, "fred", "new\n"));
	must_have_hash("fred", "new", "# ann:this is a comment\n\n"
	    "ann:$argon2id$old:5002:5002:/home/ann:/var/mail/ann\n"
	    "  an odd line: with: things\nfred:H:freddy\nbob:*:\n#end\n");
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control(NULL, NULL, "ann", "new\n"));
	must_have_hash("ann", "new", "# ann:this is a comment\n\n"
	    "ann:H:5002:5002:/home/ann:/var/mail/ann\n"
	    "  an odd line: with: things\nfred:$argon2id$old:freddy\n"
	    "bob:*:\n#end\n");
	write_users(FILE_BEFORE);
	ATF_CHECK_EQ(0, control("-v", "7:8:/h:", "bob", "new\n"));
	must_have_hash("bob", "new", "# ann:this is a comment\n\n"
	    "ann:$argon2id$old:5002:5002:/home/ann:/var/mail/ann\n"
	    "  an odd line: with: things\nfred:$argon2id$old:freddy\n"
	    "bob:H:7:8:/h:\n#end\n");
}

/* The line that the daemon takes is changed, and odd ones are not. */
ATF_TC_WITHOUT_HEAD(ctl_odd_lines);
ATF_TC_BODY(ctl_odd_lines, tc)
{
	(void)tc;
	write_users("fred:*:a b\nfred:*:5:6:/h\nfred:*:freddy\nfred:*:too\n"
	    "fred:*:0:0:/h:\n");
	ATF_CHECK_EQ(0, control(NULL, NULL, "fred", "new\n"));
	must_have_hash("fred", "new", "fred:*:a b\nfred:*:5:6:/h\n"
	    "fred:H:freddy\nfred:*:0:0:/h:\n");
	write_users("fred:*:a b\n");
	/* Whose mailbox it was to be is not known. */
	ATF_CHECK_EQ(1, control(NULL, NULL, "fred", "new\n"));
	ATF_CHECK_MSG(strstr(output, "its line fits no form") != NULL, "%s",
	    output);
	ATF_CHECK_EQ(0, control("-s", "fred", "fred", "new\n"));
	must_have_hash("fred", "new", "fred:*:a b\nfred:H:fred\n");
}

ATF_TC_WITHOUT_HEAD(ctl_keeps_rights);
ATF_TC_BODY(ctl_keeps_rights, tc)
{
	static const mode_t modes[] = { 0600, 0640, 0400, 0644 };
	struct stat before, after;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(modes); i++) {
		write_users(FILE_BEFORE);
		ATF_REQUIRE(chmod("users", modes[i]) == 0);
		if (geteuid() == 0)
			ATF_REQUIRE(chown("users", 0, 64102) == 0);
		ATF_REQUIRE(stat("users", &before) == 0);
		ATF_CHECK_EQ(0, control(NULL, NULL, "fred", "new\n"));
		ATF_REQUIRE(stat("users", &after) == 0);
		ATF_CHECK_EQ(modes[i], after.st_mode & 07777);
		ATF_CHECK_EQ(before.st_uid, after.st_uid);
		ATF_CHECK_EQ(before.st_gid, after.st_gid);
		/* Another file took the name: nobody ever saw half of it. */
		ATF_CHECK(before.st_ino != after.st_ino);
		must_not_exist("users.new");
	}
}

/* Nothing is changed, and status 1 or 2. */
static const struct {
	const char *option, *value, *user, *input, *said;
	int status;
} refusals[] = {
	{ NULL, NULL, "", "x\n", "a valid user name", 1 },
	{ NULL, NULL, ".x", "x\n", "a valid user name", 1 },
	{ NULL, NULL, "a/b", "x\n", "a valid user name", 1 },
	{ NULL, NULL, "../a", "x\n", "a valid user name", 1 },
	{ NULL, NULL, "a b", "x\n", "a valid user name", 1 },
	{ NULL, NULL, "a\nb", "x\n", "a valid user name", 1 },
	{ NULL, NULL, "a:b", "x\n", "expected", 1 },
	{ NULL, NULL, "a\xe9", "x\n", "a valid user name", 1 },
	{ NULL, NULL, "-x", "x\n", "usage:", 2 },
	{ "-s", "", "fred", "x\n", "-s: expected something", 2 },
	{ "-v", "", "fred", "x\n", "-v: expected something", 2 },
	{ "-s", "../root", "fred", "x\n", "a valid system account", 1 },
	{ "-s", "a:b", "fred", "x\n", "expected", 1 },
	{ "-s", "a\nb", "fred", "x\n", "a valid system account", 1 },
	{ "-v", "5:5:/h", "fred", "x\n", "3 or 6 fields", 1 },
	{ "-v", "0:5:/h:", "fred", "x\n", "a uid and a gid of 1 or more", 1 },
	{ "-v", "5:0:/h:", "fred", "x\n", "a uid and a gid of 1 or more", 1 },
	{ "-v", "5:5:h:", "fred", "x\n", "an absolute home", 1 },
	{ "-v", "5:5:/h:m", "fred", "x\n", "an absolute maildrop", 1 },
	{ "-v", "5:5:/h:/m\r", "fred", "x\n", "an absolute maildrop", 1 },
	{ "-v", "5:5:/h:/m:x", "fred", "x\n", "3 or 6 fields", 1 },
	{ "-v", "5:5:/h\nx:", "fred", "x\n", "expected", 1 },
	{ "-v", "5:5:/h:/m\nx", "fred", "x\n", "expected", 1 },
	{ NULL, NULL, "fred", "\n", "an empty password", 1 },
	{ NULL, NULL, "fred", "", "no password", 1 },
	{ NULL, NULL, "fred", "\r\n", "no password", 1 },
	{ "-x", "y", "fred", "x\n", "usage:", 2 },
	{ "-c", "conf", "fred", "x\n", "usage:", 2 },
};

ATF_TC_WITHOUT_HEAD(ctl_refuses);
ATF_TC_BODY(ctl_refuses, tc)
{
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(refusals); i++) {
		write_users(FILE_BEFORE);
		ATF_CHECK_EQ_MSG(refusals[i].status,
		    control(refusals[i].option, refusals[i].value,
		    refusals[i].user, refusals[i].input),
		    "refusal %zu is not one", i);
		ATF_CHECK_MSG(strstr(output, refusals[i].said) != NULL,
		    "refusal %zu: expected \"%s\", got: %s", i,
		    refusals[i].said, output);
		must_be_file("users", FILE_BEFORE);
		must_not_exist("users.new");
	}
}

/* A password that no client could send is not cut to one. */
ATF_TC_WITHOUT_HEAD(ctl_long_password);
ATF_TC_BODY(ctl_long_password, tc)
{
	static const size_t lengths[] = { 506, 511, 512, 513, 699 };
	char password[701];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(lengths); i++) {
		memset(password, 'x', lengths[i]);
		(void)strlcpy(password + lengths[i], "\n", 2);
		write_users(FILE_BEFORE);
		ATF_CHECK_EQ(1, control(NULL, NULL, "fred", password));
		ATF_CHECK_MSG(strstr(output, "so long a password") != NULL,
		    "%s", output);
		must_be_file("users", FILE_BEFORE);
		must_not_exist("users.new");
	}
	/* "PASS ", this and CRLF are POP1's 512 octets. */
	(void)strlcpy(password + 505, "\n", 2);
	write_users("fred:*:\n");
	ATF_CHECK_EQ(0, control(NULL, NULL, "fred", password));
	password[505] = '\0';
	must_have_hash("fred", password, "fred:H:\n");
}

/* A line is taken as it is: what stands before a NUL is another password. */
ATF_TC_WITHOUT_HEAD(ctl_whole_line);
ATF_TC_BODY(ctl_whole_line, tc)
{
	static const char *const odd[] = { "geheim\\000x\\n",
	    "\\000x\\n", "geheim\\000\\n", "geheim\\000",
	    "ge\\rheim\\n", "geheim\\r\\r\\n" };
	const char *arguments[] = { "sh", "-c", NULL, NULL };
	char command[900];
	size_t i;

	(void)tc;
	arguments[2] = command;
	for (i = 0; i < COUNT(odd); i++) {
		write_users(FILE_BEFORE);
		(void)snprintf(command, sizeof(command), "printf '%s' | "
		    "'%s' passwd -f users fred", odd[i],
		    program("posternctl"));
		ATF_CHECK_EQ_MSG(1, run(arguments, NULL, output,
		    sizeof(output)), "%s", odd[i]);
		ATF_CHECK_MSG(strstr(output, "no NUL and no carriage return "
		    "in it; nothing was changed") != NULL, "%s: %s", odd[i],
		    output);
		must_be_file("users", FILE_BEFORE);
	}
	write_users("fred:*:\n");
	ATF_CHECK_EQ(0, control(NULL, NULL, "fred", "geheim\r\nx\n"));
	must_have_hash("fred", "geheim", "fred:H:\n");
}

ATF_TC_WITHOUT_HEAD(ctl_unfit_files);
ATF_TC_BODY(ctl_unfit_files, tc)
{
	static char text[3 * 4096];

	(void)tc;
	write_users(FILE_BEFORE);
	ATF_REQUIRE(chmod("users", 0660) == 0);
	ATF_CHECK_EQ(1, control(NULL, NULL, "fred", "x\n"));
	must_be_file("users", FILE_BEFORE);
	must_not_exist("users.new");
	ATF_REQUIRE(chmod("users", 0600) == 0 &&
	    rename("users", "target") == 0 && symlink("target", "users") == 0);
	ATF_CHECK_EQ(1, control(NULL, NULL, "fred", "x\n"));
	must_be_file("target", FILE_BEFORE);
	must_not_exist("users.new");
	memset(text, 'x', sizeof(text) - 2);
	text[sizeof(text) - 2] = '\n';
	write_users(text);
	ATF_CHECK_EQ(1, control(NULL, NULL, "fred", "x\n"));
	must_be_file("users", text);
	must_not_exist("users.new");
}

/* Another posternctl at work, or one that was killed. */
ATF_TC_WITHOUT_HEAD(ctl_new_file_exists);
ATF_TC_BODY(ctl_new_file_exists, tc)
{
	(void)tc;
	write_users(FILE_BEFORE);
	file_write("users.new", "half", 4);
	ATF_CHECK_EQ(1, control(NULL, NULL, "fred", "x\n"));
	ATF_CHECK_MSG(strstr(output, "users.new") != NULL, "%s", output);
	must_be_file("users", FILE_BEFORE);
	must_be_file("users.new", "half");
	ATF_REQUIRE(unlink("users.new") == 0);
	ATF_REQUIRE(symlink("elsewhere", "users.new") == 0);
	ATF_CHECK_EQ(1, control(NULL, NULL, "fred", "x\n"));
	must_be_file("users", FILE_BEFORE);
	must_not_exist("elsewhere");
}

/* The file that the configuration names; what it makes lets its user in. */
ATF_TC_WITHOUT_HEAD(ctl_by_configuration);
ATF_TC_BODY(ctl_by_configuration, tc)
{
	struct server server;
	const char *arguments[] = { program("posternctl"), "passwd", "-c",
	    server.config, "-v", NULL, "carl", NULL };
	struct stat status;
	char target[600], path[600];

	(void)tc;
	server_prepare(&server, NULL);
	users_path(&server, path, sizeof(path));
	ATF_REQUIRE(unlink(path) == 0);
	(void)snprintf(target, sizeof(target), "%u:%u:%s/home/fred:",
	    server.privileged ? FRED_UID : (unsigned int)getuid(),
	    server.privileged ? FRED_UID : (unsigned int)getgid(),
	    server.directory);
	arguments[0] = program("posternctl");
	arguments[5] = target;
	ATF_REQUIRE_EQ_MSG(0, run(arguments, "pass word\n", output,
	    sizeof(output)), "%s", output);
	ATF_REQUIRE(stat(path, &status) == 0);
	ATF_CHECK_EQ(0640, status.st_mode & 07777);
	if (server.privileged) {
		ATF_CHECK_EQ(0, status.st_uid);
		ATF_CHECK_EQ(64102, status.st_gid);
	}
	ATF_CHECK_STREQ("", output);
	/* A password that is good for nothing is told. */
	arguments[5] = "5:5:/nonexistent:";
	ATF_CHECK_EQ(0, run(arguments, "x\n", output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "carl has a password now, but cannot "
	    "log in: ") != NULL && strstr(output, server.privileged ?
	    "uid under minimum-uid" : "only that user's mail") != NULL, "%s",
	    output);
	arguments[4] = "-s";
	arguments[5] = "no.such.account";
	ATF_CHECK_EQ(0, run(arguments, "x\n", output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "cannot log in: no such account") !=
	    NULL, "%s", output);
	arguments[4] = "-v";
	arguments[5] = target;
	ATF_CHECK_EQ(0, run(arguments, "pass word\n", output,
	    sizeof(output)));
	ATF_CHECK_STREQ("", output);
	server_run(&server);
	login(&server, "carl", "pass\\ word", EMPTY_BOX);
	server_stop(&server);
	replace_line(&server, "auth passwd", "auth system");
	arguments[0] = program("posternctl");
	ATF_CHECK_EQ(1, run(arguments, "x\n", output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "auth system") != NULL, "%s", output);
}

/* A name service that hangs keeps no session's place. */
ATF_TC_WITHOUT_HEAD(hung_service);
ATF_TC_BODY(hung_service, tc)
{
	struct server server;
	char hash[crypto_pwhash_STRBYTES], line[300];
	int hung;

	(void)tc;
	server_prepare(&server, "auth-processes 1\nmax-sessions 1\n");
	cover_accounts(&server, 0);
	if (!cover_service())
		atf_tc_skip("this libc has no service whose place is free");
	ATF_REQUIRE(crypto_pwhash_str(hash, "secret", 6, 1, 8192) == 0);
	(void)snprintf(line, sizeof(line), "hung:%s:t-hung", hash);
	server_add_line(&server, line);
	server_run(&server);
	hung = client_connect(&server, 0);
	client_expect_line(hung, "+ POP2 ");
	client_send(hung, "HELO hung secret\r\n");
	log_must_have(&server, "user=hung");
	(void)close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- too many sessions"));
	/* ACCOUNT_SECONDS later. */
	client_expect_line(hung, "- the mailbox process ended");
	(void)close(hung);
	log_must_have(&server, "signal=14");
	(void)close(pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 "));
	server_stop(&server);
}

/* Beside the system's accounts a name may be anybody's, and is told of. */
ATF_TC_WITHOUT_HEAD(ctl_beside_system);
ATF_TC_BODY(ctl_beside_system, tc)
{
	static const char said[] = " has a further password now, but cannot "
	    "log in: ";
	static const struct {
		const char *user, *why;
	} useless[] = {
		{ "t-unknown", "no such account" },
		{ "root", "uid 0" },
		{ "t-low", "minimum-uid" },
	};
	const char *arguments[] = { NULL, "passwd", "-c", NULL, "-a", "old",
	    NULL, NULL, NULL };
	struct server server;
	char line[600];
	size_t i;

	(void)tc;
	server_prepare(&server, NULL);
	cover_accounts(&server, 0);
	(void)snprintf(line, sizeof(line), "auth system %s/passwd",
	    server.directory);
	replace_line(&server, "auth passwd", line);
	arguments[0] = program("posternctl");
	arguments[3] = server.config;
	for (i = 0; i < COUNT(useless); i++) {
		arguments[6] = useless[i].user;
		ATF_CHECK_EQ(0, run(arguments, "x\n", output,
		    sizeof(output)));
		ATF_CHECK_MSG(strstr(output, said) != NULL &&
		    strstr(output, useless[i].why) != NULL, "%s", output);
	}
	arguments[6] = "t-sha512";
	ATF_CHECK_EQ(0, run(arguments, "x\n", output, sizeof(output)));
	ATF_CHECK_STREQ("", output);
	/* What is taken away, or shown, needs no such word. */
	arguments[6] = "-d";
	arguments[7] = "t-low";
	ATF_CHECK_EQ(0, run(arguments, NULL, output, sizeof(output)));
	ATF_CHECK_STREQ("", output);
	arguments[4] = "-l";
	arguments[5] = "root";
	arguments[6] = NULL;
	ATF_CHECK_EQ(0, run(arguments, NULL, output, sizeof(output)));
	ATF_CHECK_STREQ("old all all\n", output);
	/* A line without a name has no meaning in any file. */
	arguments[4] = "t-sha512";
	arguments[5] = NULL;
	ATF_CHECK_EQ(1, run(arguments, "x\n", output, sizeof(output)));
	ATF_CHECK_MSG(strstr(output, "'auth system': use passwd(1)\n") != NULL,
	    "%s", output);
}

/* On a terminal of its own. */

static int
open_terminal(char *name, size_t size)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	ATF_REQUIRE(terminal != -1);
	ATF_REQUIRE(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	ATF_REQUIRE(ptsname_r(terminal, name, size) == 0);
	return (terminal);
}

static pid_t
start_on_terminal(const char *name)
{
	pid_t pid = fork();
	int fd;

	ATF_REQUIRE(pid != -1);
	if (pid != 0)
		return (pid);
	(void)setsid();
	if ((fd = open(name, O_RDWR)) == -1 ||
	    ioctl(fd, TIOCSCTTY, 0) == -1)
		_exit(120);
	(void)dup2(fd, STDIN_FILENO);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	(void)execl(program("posternctl"), "posternctl", "passwd", "-f",
	    "users", "fred", (char *)NULL);
	_exit(121);
}

/* Collects what the terminal shows until `text` is there, or its end. */
static int
shown(int terminal, const char *text)
{
	struct pollfd polled = { terminal, POLLIN, 0 };
	size_t have = strlen(output);
	ssize_t got;

	while (text == NULL || strstr(output, text) == NULL) {
		if (have >= sizeof(output) - 1 ||
		    poll(&polled, 1, PATIENCE_MS) != 1 ||
		    (got = read(terminal, output + have,
		    sizeof(output) - 1 - have)) <= 0)
			return (text == NULL);
		have += (size_t)got;
		output[have] = '\0';
	}
	return (1);
}

static int
on_terminal(const char *first, const char *second)
{
	char name[64];
	int terminal = open_terminal(name, sizeof(name)), status;
	pid_t pid = start_on_terminal(name);

	output[0] = '\0';
	ATF_REQUIRE_MSG(shown(terminal, "New password: "), "%s", output);
	ATF_REQUIRE(write(terminal, first, strlen(first)) > 0);
	ATF_REQUIRE_MSG(shown(terminal, "The same again: "), "%s", output);
	ATF_REQUIRE(write(terminal, second, strlen(second)) > 0);
	(void)shown(terminal, NULL);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	(void)close(terminal);
	ATF_CHECK_MSG(strstr(output, "geheim") == NULL,
	    "the password was shown: %s", output);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

ATF_TC_WITHOUT_HEAD(ctl_terminal);
ATF_TC_BODY(ctl_terminal, tc)
{
	(void)tc;
	write_users("fred:*:\n");
	ATF_CHECK_EQ(1, on_terminal("geheim\n", "geheim2\n"));
	ATF_CHECK_MSG(strstr(output, "differ") != NULL, "%s", output);
	must_be_file("users", "fred:*:\n");
	must_not_exist("users.new");
	ATF_CHECK_EQ_MSG(1, on_terminal("\n", "\n"), "%s", output);
	must_be_file("users", "fred:*:\n");
	ATF_CHECK_EQ_MSG(0, on_terminal("geheim\n", "geheim\n"), "%s",
	    output);
	must_have_hash("fred", "geheim", "fred:H:\n");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, system_accounts);
	ATF_TP_ADD_TC(tp, system_strangers);
	ATF_TP_ADD_TC(tp, system_services);
	ATF_TP_ADD_TC(tp, system_unreadable);
	ATF_TP_ADD_TC(tp, system_cost);
	ATF_TP_ADD_TC(tp, system_named);
	ATF_TP_ADD_TC(tp, passwd_users);
	ATF_TP_ADD_TC(tp, passwd_locked);
	ATF_TP_ADD_TC(tp, passwd_change_counts);
	ATF_TP_ADD_TC(tp, passwd_mapped);
	ATF_TP_ADD_TC(tp, passwd_same_name);
	ATF_TP_ADD_TC(tp, passwd_cost);
	ATF_TP_ADD_TC(tp, side_by_side);
	ATF_TP_ADD_TC(tp, all_at_work);
	ATF_TP_ADD_TC(tp, memory_bound);
	ATF_TP_ADD_TC(tp, ctl_adds);
	ATF_TP_ADD_TC(tp, ctl_changes);
	ATF_TP_ADD_TC(tp, ctl_odd_lines);
	ATF_TP_ADD_TC(tp, ctl_keeps_rights);
	ATF_TP_ADD_TC(tp, ctl_refuses);
	ATF_TP_ADD_TC(tp, ctl_long_password);
	ATF_TP_ADD_TC(tp, ctl_whole_line);
	ATF_TP_ADD_TC(tp, ctl_unfit_files);
	ATF_TP_ADD_TC(tp, ctl_new_file_exists);
	ATF_TP_ADD_TC(tp, ctl_by_configuration);
	ATF_TP_ADD_TC(tp, hung_service);
	ATF_TP_ADD_TC(tp, ctl_beside_system);
	ATF_TP_ADD_TC(tp, ctl_terminal);
	return (atf_no_error());
}
