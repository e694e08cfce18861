/*
 * rights_test.c - what each process is and has, as /proc shows it.
 *
 * The tables below are the one of the design ("Processes"): whoever takes a
 * process over gets what stands in its row.
 */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "limits_postern.h"
#include "processes.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define BIT(capability)	(UINT64_C(1) << (capability))

#define NETS		2
#define AUTHS		2
#define NET_UID		64101
#define AUTH_UID	64102
#define LOCK_UID	64104
#define KEYS_UID	64105
#define SPOOL_GID	8	/* the group that may write the spool */
#define WORKERS		"net-processes 2\nauth-processes 2\n"

static const char mail[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\nSubject: one\n\nfirst\n";

static const uint64_t rights_of_root = BIT(CAP_SETUID) | BIT(CAP_SETGID) |
    BIT(CAP_SETPCAP) | BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(CAP_SYS_CHROOT);

/* One row a program; `program` NULL is not in use. */
static const struct program_row {
	const char *program;
	int count;		/* during the session */
	unsigned int uid, gid;
	int is_parent;
	const char *seccomp;	/* 2: a filter */
} programs[] = {
	{ "posternd",	   1,	  0,	    0,	       1, "0" },
	{ "postern-net",   NETS,  NET_UID,  NET_UID,   0, "2" },
	{ "postern-auth",  AUTHS, AUTH_UID, AUTH_UID,  0, "2" },
	{ "postern-lock",  1,	  LOCK_UID, SPOOL_GID, 0, "2" },
	{ "postern-keys",  1,	  KEYS_UID, KEYS_UID,  0, "2" },
	{ "postern-store", 1,	  FRED_UID, FRED_UID,  0, "2" },
};

static pid_t
process(const struct server *server, const struct program_row *row, int i)
{
	return (row->is_parent ? server->pid :
	    children_pid(server, row->program, i));
}

/* The configuration of all servers here. */
static const char *
settings(void)
{
	static char text[1500];

	(void)snprintf(text, sizeof(text), WORKERS "%s", pair_selfsigned());
	return (text);
}

/* A session that has read mail and waits for its next command. */
static int
begin_session(struct server *server)
{
	const gid_t groups[] = { 64190, 64191 };
	int fd;

	/* Groups that the daemon is started with are not for its children. */
	if (geteuid() == 0)
		ATF_REQUIRE(setgroups(COUNT(groups), groups) == 0);
	server_start(server, settings());
	mailbox_write(server, FRED, mail, strlen(mail));
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#1 ");
	client_say(fd, "READ", "=");
	return (fd);
}

static void
end_session(struct server *server, int fd)
{
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	server_stop(server);
}

static void
field_must_be(pid_t pid, const char *program_name, const char *field,
    const char *expected)
{
	char value[512];

	ATF_REQUIRE_MSG(process_field(pid, field, value, sizeof(value)) == 0,
	    "%s: no %s", program_name, field);
	ATF_CHECK_STREQ_MSG(expected, value, "%s: %s is \"%s\", expected "
	    "\"%s\"", program_name, field, value, expected);
}

static void
check_ids(pid_t pid, const struct program_row *row, int privileged)
{
	unsigned int uid = privileged ? row->uid : (unsigned int)getuid();
	unsigned int gid = privileged ? row->gid : (unsigned int)getgid();
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "%u %u %u %u", uid, uid,
	    uid, uid);
	field_must_be(pid, row->program, "Uid", expected);
	(void)snprintf(expected, sizeof(expected), "%u %u %u %u", gid, gid,
	    gid, gid);
	field_must_be(pid, row->program, "Gid", expected);
	/* An ordinary user cannot put off groups. */
	if (privileged && !row->is_parent)
		field_must_be(pid, row->program, "Groups", "");
}

static void
check_capabilities(pid_t pid, const struct program_row *row, int privileged)
{
	static const char *const sets[] = { "CapPrm", "CapEff", "CapBnd" };
	uint64_t kept = privileged && row->is_parent ? rights_of_root : 0;
	char expected[64];
	size_t i;

	(void)snprintf(expected, sizeof(expected), "%016llx",
	    (unsigned long long)kept);
	/* Nor can an ordinary user lower the bounding set. */
	for (i = 0; i < COUNT(sets); i++)
		if (privileged || strcmp(sets[i], "CapBnd") != 0)
			field_must_be(pid, row->program, sets[i], expected);
	field_must_be(pid, row->program, "CapInh", "0000000000000000");
	field_must_be(pid, row->program, "CapAmb", "0000000000000000");
}

static void
for_every_process(const struct server *server,
    void (*check)(pid_t pid, const struct program_row *row, int privileged))
{
	size_t row;
	int i;

	for (row = 0; row < COUNT(programs); row++)
		for (i = 0; i < programs[row].count; i++)
			check(process(server, &programs[row], i),
			    &programs[row], server->privileged);
}

static void
check_status(pid_t pid, const struct program_row *row, int privileged)
{
	check_ids(pid, row, privileged);
	check_capabilities(pid, row, privileged);
	field_must_be(pid, row->program, "NoNewPrivs", "1");
	field_must_be(pid, row->program, "Seccomp", row->seccomp);
	field_must_be(pid, row->program, "Threads", "1");
}

ATF_TC_WITHOUT_HEAD(ids_and_capabilities);
ATF_TC_BODY(ids_and_capabilities, tc)
{
	struct server server;
	int fd;
	size_t i;

	(void)tc;
	fd = begin_session(&server);
	for (i = 1; i < COUNT(programs); i++)
		ATF_CHECK_EQ(programs[i].count, children_count(&server,
		    programs[i].program));
	for_every_process(&server, check_status);
	end_session(&server, fd);
}

/* Becomes FRED, who may bind low ports, and may hand that on. */
static int
become_fred_who_binds(void)
{
	struct __user_cap_header_struct header = {
	    _LINUX_CAPABILITY_VERSION_3, 0 };
	const uint32_t right = (uint32_t)BIT(CAP_NET_BIND_SERVICE);
	const struct __user_cap_data_struct data[2] = {
	    { right, right, right }, { 0, 0, 0 } };

	return (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
	    setgroups(0, NULL) == 0 &&
	    setresgid(FRED_UID, FRED_UID, FRED_UID) == 0 &&
	    setresuid(FRED_UID, FRED_UID, FRED_UID) == 0 &&
	    syscall(SYS_capset, &header, data) == 0 &&
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE,
	    0, 0) == 0);
}

/* Starts a daemon of FRED's own so; its log is in LOG. */
static pid_t
fork_as_fred(const struct server *server)
{
	char libexec[300], copy[320], said[500];
	const char *command[] = { "cp", program("posternd"), copy, NULL };
	pid_t pid;

	(void)snprintf(libexec, sizeof(libexec), "%s/libexec",
	    server->directory);
	/* Where other users can reach it. */
	(void)snprintf(copy, sizeof(copy), "%s/posternd", libexec);
	ATF_REQUIRE(run(command, NULL, said, sizeof(said)) == 0);
	file_write(server->log, "", 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid > 0)
		return (pid);
	/* The signal is forgotten where the uid changes. */
	if (freopen(server->log, "a", stderr) != NULL &&
	    become_fred_who_binds() &&
	    prctl(PR_SET_PDEATHSIG, SIGTERM) == 0)
		(void)execl(copy, "posternd", "-d", "-f", server->config, "-l",
		    libexec, (char *)NULL);
	_exit(127);
}

/* As service managers start an ordinary user's daemon that is to bind 110. */
ATF_TC(ambient_right);
ATF_TC_HEAD(ambient_right, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(ambient_right, tc)
{
	static const char own[] = "unprivileged\nminimum-uid 1\n"
	    "net-processes 2\nauth-processes 2\n"
	    "listen auto 127.0.0.1 port 0\n";
	struct server server;
	char text[1500], state[300];
	size_t row;
	int i;

	(void)tc;
	server_prepare(&server, NULL);
	(void)snprintf(state, sizeof(state), "%s/state", server.directory);
	(void)snprintf(text, sizeof(text), "%sauth passwd %s/none\n"
	    "state %s\n", own, server.directory, state);
	file_write(server.config, text, strlen(text));
	ATF_REQUIRE(chmod(server.config, 0644) == 0 &&
	    chown(state, FRED_UID, FRED_UID) == 0);
	server.pid = fork_as_fred(&server);
	log_must_have(&server, "event=ready");
	for (row = 0; row < COUNT(programs); row++)
		for (i = 0; programs[row].is_parent ? i < 1 :
		    i < children_count(&server, programs[row].program); i++)
			check_capabilities(process(&server, &programs[row],
			    i), &programs[row], 0);
	ATF_CHECK_EQ(NETS, children_count(&server, "postern-net"));
	server_stop(&server);
}

/* The memory of a process that may not be dumped belongs to root. */
static void
check_memory(pid_t pid, const struct program_row *row, int privileged)
{
	char path[64];
	struct stat status;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	ATF_REQUIRE(stat(path, &status) == 0);
	ATF_CHECK_MSG(status.st_uid == 0 && status.st_gid == 0,
	    "%s may be dumped by uid %u", row->program,
	    (unsigned int)status.st_uid);
	if (privileged)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ATF_CHECK_MSG(fd == -1, "this user may read %s's memory",
	    row->program);
	if (fd != -1)
		(void)close(fd);
}

ATF_TC_WITHOUT_HEAD(not_dumpable);
ATF_TC_BODY(not_dumpable, tc)
{
	struct server server;
	int fd;

	(void)tc;
	fd = begin_session(&server);
	for_every_process(&server, check_memory);
	end_session(&server, fd);
}

static const struct limit_row {
	const char *program;	/* NULL: every one */
	const char *limit;	/* as /proc/PID/limits names it */
	unsigned long long value;
} limits[] = {
	{ NULL,		   "Max core file size", 0 },
	{ "postern-net",   "Max processes",	 0 },
	{ "postern-net",   "Max file size",	 0 },
	{ "postern-auth",  "Max processes",	 0 },
	{ "postern-auth",  "Max file size",	 0 },
	/* A net process that was started again comes before the old goes. */
	{ "postern-auth",  "Max open files",	 2 * NET_PROCESSES_MAX + 16 },
#ifndef POSTERN_SANITIZED
	{ "postern-auth",  "Max address space",	 AUTH_MEMORY_BYTES },
#endif
	{ "postern-lock",  "Max processes",	 0 },
	{ "postern-keys",  "Max processes",	 0 },
	{ "postern-keys",  "Max file size",	 0 },
	/* Two files of each certificate, beside auth's. */
	{ "postern-keys",  "Max open files",	 2 * NET_PROCESSES_MAX +
	    2 * CERTIFICATES_MAX + 16 },
	{ "postern-store", "Max processes",	 0 },
	{ "postern-store", "Max open files",	 32 },
};

static void
check_limits(pid_t pid, const struct program_row *row, int privileged)
{
	char path[64], text[8192], *line;
	unsigned long long soft, hard;
	size_t i, length;
	FILE *file;

	(void)privileged;
	(void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	ATF_REQUIRE((file = fopen(path, "re")) != NULL);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	(void)fclose(file);
	for (i = 0; i < COUNT(limits); i++) {
		if (limits[i].program != NULL &&
		    strcmp(limits[i].program, row->program) != 0)
			continue;
		ATF_REQUIRE((line = strstr(text, limits[i].limit)) != NULL);
		soft = hard = 1;
		(void)sscanf(line + strlen(limits[i].limit), "%llu %llu",
		    &soft, &hard);
		ATF_CHECK_MSG(soft == limits[i].value && hard == soft,
		    "%s: %s is %.60s", row->program, limits[i].limit, line);
	}
}

ATF_TC_WITHOUT_HEAD(resource_limits);
ATF_TC_BODY(resource_limits, tc)
{
	struct server server;
	int fd;

	(void)tc;
	fd = begin_session(&server);
	for_every_process(&server, check_limits);
	end_session(&server, fd);
}

/* The harness has the daemon start its children's programs from a copy. */
static void
where_program(const struct server *server, const struct program_row *row,
    char *path)
{
	char name[600];

	if (row->is_parent)
		(void)strlcpy(name, program(row->program), sizeof(name));
	else
		(void)snprintf(name, sizeof(name), "%s/libexec/%s",
		    server->directory, row->program);
	ATF_REQUIRE_MSG(realpath(name, path) != NULL, "%s: %s", name,
	    strerror(errno));
}

/* /proc/PID/exe, root, cwd: a program each; net and keys in their chroot. */
ATF_TC(programs_and_roots);
ATF_TC_HEAD(programs_and_roots, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(programs_and_roots, tc)
{
	struct server server;
	char link[PATH_MAX], expected[PATH_MAX];
	const char *root;
	size_t row;
	pid_t pid;
	int fd, i;

	(void)tc;
	fd = begin_session(&server);
	for (row = 0; row < COUNT(programs); row++)
		for (i = 0; i < programs[row].count; i++) {
			pid = process(&server, &programs[row], i);
			process_link(pid, "exe", link, sizeof(link));
			where_program(&server, &programs[row], expected);
			ATF_CHECK_STREQ(expected, link);
			(void)snprintf(expected, sizeof(expected), "%s/empty",
			    server.directory);
			root = programs[row].uid == NET_UID ||
			    programs[row].uid == KEYS_UID ? expected : "/";
			process_link(pid, "root", link, sizeof(link));
			ATF_CHECK_STREQ(root, link);
			process_link(pid, "cwd", link, sizeof(link));
			ATF_CHECK_STREQ(root, link);
		}
	end_session(&server, fd);
}

/* This test's own; under kyua it leads a session that has none. */
static void
get_terminal(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
	char name[64];

	ATF_REQUIRE(terminal != -1);
	ATF_REQUIRE(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	ATF_REQUIRE(ptsname_r(terminal, name, sizeof(name)) == 0);
	ATF_REQUIRE((fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) != -1);
	if (ioctl(fd, TIOCSCTTY, 0) == -1)
		atf_tc_skip("needs to lead a session without a terminal");
}

/* The starter's terminal is the parent's, and out of its children's reach. */
static void
check_terminal(pid_t pid, const struct program_row *row, int privileged)
{
	char path[64], line[1024] = "", *after;
	int terminal = 0;
	FILE *file;

	(void)privileged;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ATF_REQUIRE((file = fopen(path, "re")) != NULL);
	ATF_REQUIRE(fgets(line, sizeof(line), file) != NULL);
	(void)fclose(file);
	ATF_REQUIRE((after = strrchr(line, ')')) != NULL);
	ATF_REQUIRE_EQ(1, sscanf(after + 1, " %*c %*d %*d %*d %d", &terminal));
	ATF_CHECK_EQ_MSG(row->is_parent, terminal != 0, "%s", row->program);
	ATF_CHECK_EQ_MSG(row->is_parent, getsid(pid) == getsid(0), "%s",
	    row->program);
}

ATF_TC_WITHOUT_HEAD(terminal);
ATF_TC_BODY(terminal, tc)
{
	struct server server;
	int fd;

	(void)tc;
	get_terminal();
	fd = begin_session(&server);
	for_every_process(&server, check_terminal);
	end_session(&server, fd);
}

/* Whether the socket's inode stands in a table of /proc/net. */
static int
listed(const char *table, unsigned long inode)
{
	char line[512], word[32];
	FILE *file = fopen(table, "re");
	int found = 0;

	(void)snprintf(word, sizeof(word), " %lu ", inode);
	if (file == NULL)
		return (0);
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		/* Every column ends in a space, the last one too. */
		line[strcspn(line, "\n")] = ' ';
		found = strstr(line, word) != NULL;
	}
	(void)fclose(file);
	return (found);
}

/* A descriptor's kind: "unix", "tcp", "pipe", "log", or its path. */
static void
name_descriptor(const struct server *server, const char *link, char *name,
    size_t size)
{
	static const char kept[] = "/spool/.postern.";
	size_t length = strlen(server->directory);
	unsigned long inode;

	if (sscanf(link, "socket:[%lu]", &inode) == 1)
		(void)strlcpy(name, listed("/proc/net/unix", inode) ? "unix" :
		    listed("/proc/net/tcp", inode) ? "tcp" : link, size);
	else if (strncmp(link, "pipe:", 5) == 0)
		(void)strlcpy(name, "pipe", size);
	else if (strcmp(link, server->log) == 0)
		(void)strlcpy(name, "log", size);
	else if (strncmp(link, server->directory, length) == 0 &&
	    strncmp(link + length, kept, strlen(kept)) == 0)
		(void)strlcpy(name, "kept", size);
	else if (strncmp(link, server->directory, length) == 0)
		(void)strlcpy(name, link + length + 1, size);
	else
		(void)strlcpy(name, link, size);
}

#define DESCRIPTORS	64
#define NAME		300

struct descriptors {
	char names[DESCRIPTORS][NAME];
	size_t count;
};

static void
list_descriptors(const struct server *server, pid_t pid,
    struct descriptors *to)
{
	char path[300], link[600];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	ATF_REQUIRE((directory = opendir(path)) != NULL);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		ATF_REQUIRE(to->count < DESCRIPTORS);
		(void)snprintf(path, sizeof(path), "fd/%.20s", entry->d_name);
		process_link(pid, path, link, sizeof(link));
		name_descriptor(server, link, to->names[to->count++], NAME);
	}
	(void)closedir(directory);
}

static void
expect_names(struct descriptors *to, const char *const *names, size_t count,
    int times)
{
	size_t i;

	for (; times > 0; times--)
		for (i = 0; i < count; i++) {
			ATF_REQUIRE(to->count < DESCRIPTORS);
			(void)strlcpy(to->names[to->count++], names[i], NAME);
		}
}

static int
compare(const void *one, const void *other)
{
	return (strcmp(one, other));
}

static void
join(struct descriptors *all, char *text, size_t size)
{
	size_t i;

	qsort(all->names, all->count, NAME, compare);
	text[0] = '\0';
	for (i = 0; i < all->count; i++) {
		(void)strlcat(text, all->names[i], size);
		(void)strlcat(text, "\n", size);
	}
}

static void
must_be_the_same(const char *whose, struct descriptors *expected,
    struct descriptors *found)
{
	static char wanted[DESCRIPTORS * NAME], there[DESCRIPTORS * NAME];

	join(expected, wanted, sizeof(wanted));
	join(found, there, sizeof(there));
	ATF_CHECK_MSG(strcmp(wanted, there) == 0, "%s has:\n%sexpected:\n%s",
	    whose, there, wanted);
	memset(expected, 0, sizeof(*expected));
	memset(found, 0, sizeof(*found));
}

/* The parent: nothing to read, and (with -d) the log. */
static const char *const parents[] = { "/dev/null", "/dev/null", "log" };

/* What every other process has: nothing to read, and nowhere to write. */
static const char *const standard[] = { "/dev/null", "/dev/null",
#ifdef POSTERN_SANITIZED
    "log" };
#else
    "/dev/null" };
#endif

static void
list_all(const struct server *server, const char *name, int count,
    struct descriptors *found)
{
	int i;

	for (i = 0; i < count; i++)
		list_descriptors(server, children_pid(server, name, i), found);
}

static void
check_parent(const struct server *server, int stores)
{
	static const char *const listener[] = { "tcp" };
	static const char *const channel[] = { "unix" };
	static struct descriptors expected, found;

	expect_names(&expected, parents, COUNT(parents), 1);
	expect_names(&expected, listener, 1, 1);
	/* Each child's control, and the authenticators' end of each net. */
	expect_names(&expected, channel, 1, 2 * NETS + AUTHS + 2 + stores);
	list_descriptors(server, server->pid, &found);
	must_be_the_same("posternd", &expected, &found);
}

static void
check_workers(const struct server *server, int stores, const char *backend)
{
	/* Control, the authenticators, keys, the listener; libevent's own. */
	static const char *const net[] = { "unix", "unix", "unix", "tcp",
	    "anon_inode:[eventpoll]", "pipe", "pipe" };
	static const char *const session[] = { "tcp", "unix", "pipe" };
	static const char *const channel[] = { "unix" };
	static struct descriptors expected, found;

	/* Which net has the session is chance: all of them together. */
	expect_names(&expected, standard, COUNT(standard), NETS);
	expect_names(&expected, net, COUNT(net), NETS);
	expect_names(&expected, session, COUNT(session), stores);
	list_all(server, "postern-net", NETS, &found);
	must_be_the_same("net", &expected, &found);
	expect_names(&expected, standard, COUNT(standard), AUTHS);
	expect_names(&expected, channel, 1, AUTHS * (1 + NETS));
	list_all(server, "postern-auth", AUTHS, &found);
	must_be_the_same(backend, &expected, &found);
}

static void
check_lock(const struct server *server, int stores)
{
	/* Control, and the directory that it makes locks in. */
	static const char *const fixed[] = { "unix", "spool" };
	/* A store's channel, and the file that was its lock. */
	static const char *const of_store[] = { "unix", "kept" };
	static struct descriptors expected, found;

	expect_names(&expected, standard, COUNT(standard), 1);
	expect_names(&expected, fixed, COUNT(fixed), 1);
	expect_names(&expected, of_store, COUNT(of_store), stores);
	list_all(server, "postern-lock", 1, &found);
	must_be_the_same("lock", &expected, &found);
}

/* Neither the certificate's file nor the key's: they have been read. */
static void
check_keys(const struct server *server)
{
	static const char *const channel[] = { "unix" };
	static struct descriptors expected, found;

	expect_names(&expected, standard, COUNT(standard), 1);
	expect_names(&expected, channel, 1, 1 + NETS);
	list_all(server, "postern-keys", 1, &found);
	must_be_the_same("keys", &expected, &found);
}

static void
check_store(const struct server *server)
{
	/* Control, session, data, lock; where the mail is; the mailbox. */
	static const char *const fixed[] = { "unix", "unix", "pipe", "unix",
	    "state/5001.fred", "spool", "home/fred/mail",
	    "spool", "state/5001.fred/sessions", "spool/fred" };
	static struct descriptors expected, found;

	expect_names(&expected, standard, COUNT(standard), 1);
	expect_names(&expected, fixed, COUNT(fixed), 1);
	list_all(server, "postern-store", 1, &found);
	must_be_the_same("store", &expected, &found);
}

ATF_TC(descriptors);
ATF_TC_HEAD(descriptors, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(descriptors, tc)
{
	struct server server;
	int fd, inherited = open("/etc/passwd", O_RDONLY);

	(void)tc;
	/* What the daemon's starter had open is nobody's in the tree. */
	ATF_REQUIRE(inherited != -1);
	fd = begin_session(&server);
	check_parent(&server, 1);
	check_workers(&server, 1, "auth");
	check_lock(&server, 1);
	check_keys(&server);
	check_store(&server);
	end_session(&server, fd);
}

/* The configuration with its line `keyword ...` changed to `line`. */
static void
replace_line(const struct server *server, const char *keyword,
    const char *line)
{
	char *text = file_read(server->config, NULL), *at, *rest;
	char changed[8192];

	ATF_REQUIRE((at = strstr(text, keyword)) != NULL);
	ATF_REQUIRE((rest = strchr(at, '\n')) != NULL);
	(void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text),
	    text, line, rest);
	file_write(server->config, changed, strlen(changed));
	free(text);
}

/* With the system's accounts: the shadow file's group, and that alone. */
ATF_TC(shadow_group);
ATF_TC_HEAD(shadow_group, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.files", "/etc/shadow");
}
ATF_TC_BODY(shadow_group, tc)
{
	struct server server;
	struct stat status;
	char group[32] = "";
	int i;

	(void)tc;
	ATF_REQUIRE(stat("/etc/shadow", &status) == 0);
	if (status.st_gid != 0 && (status.st_mode & S_IRGRP) != 0)
		(void)snprintf(group, sizeof(group), "%u",
		    (unsigned int)status.st_gid);
	server_prepare(&server, settings());
	replace_line(&server, "auth passwd", "auth system");
	server_run(&server);
	for (i = 0; i < AUTHS; i++) {
		pid_t pid = children_pid(&server, "postern-auth", i);

		field_must_be(pid, "auth", "Groups", group);
		field_must_be(pid, "auth", "Uid", "64102 64102 64102 64102");
		field_must_be(pid, "auth", "Gid", "64102 64102 64102 64102");
		check_capabilities(pid, &programs[2], 1);
		field_must_be(pid, "auth", "Seccomp", "2");
	}
	for (i = 0; i < NETS; i++)
		field_must_be(children_pid(&server, "postern-net", i), "net",
		    "Groups", "");
	check_workers(&server, 0, "auth (system)");
	check_lock(&server, 0);
	check_keys(&server);
	server_stop(&server);
}

static char output[4 * 1024 * 1024];

/* A shell command in the build directory; its output. */
static char *
shell(const char *command, char *to, size_t size)
{
	char line[1024];
	const char *const arguments[] = { "sh", "-c", line, NULL };

	(void)snprintf(line, sizeof(line), "cd '%s' && { %s; }",
	    BUILD_DIRECTORY, command);
	if (run(arguments, NULL, to, size) != 0) {
		(void)fprintf(stderr, "%s\n", to);
		atf_tc_fail("%s", command);
	}
	ATF_REQUIRE(strlen(to) + 2 < size);
	return (to);
}

/* One word a line: is `word` among them? */
static int
has_line(const char *lines, const char *word)
{
	size_t length = strlen(word);
	const char *at = lines;

	while ((at = strstr(at, word)) != NULL) {
		if ((at == lines || at[-1] == '\n') &&
		    (at[length] == '\n' || at[length] == '\0'))
			return (1);
		at += length;
	}
	return (0);
}

/* No word of `words` is in the program; all of them, in `others`. */
static int
none_of(const char *program_name, const char *what, char *words,
    const char *there, const char *others)
{
	char *word;
	int count = 0;

	while ((word = strsep(&words, "\n")) != NULL) {
		if (word[0] == '\0')
			continue;
		count++;
		ATF_CHECK_MSG(!has_line(there, word), "%s holds %s %s",
		    program_name, what, word);
		ATF_CHECK_MSG(has_line(others, word), "no program holds %s "
		    "%s: this test looks at the wrong names", what, word);
	}
	return (count);
}

/* posternd holds no code that meets a protocol or a mailbox. */
ATF_TC(parent_symbols);
ATF_TC_HEAD(parent_symbols, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "nm readelf sed awk");
}
ATF_TC_BODY(parent_symbols, tc)
{
	static char there[1024 * 1024], others[1024 * 1024];

	(void)tc;
	(void)shell("nm posternd | sed 's/.* //'", there, sizeof(there));
	(void)shell("nm postern-net postern-store postern-lock postern-keys "
	    "postern-mailbox | sed 's/.* //'", others, sizeof(others));
	(void)shell("nm -g --defined-only net/*.o mailstore/*.o | "
	    "awk 'NF == 3 && $3 != \"main\" { print $3 }'", output,
	    sizeof(output));
	ATF_CHECK(none_of("posternd", "symbol", output, there, others) > 50);
	/* Static functions by the names of their files. */
	(void)shell("readelf -sW posternd | awk '$4 == \"FILE\" "
	    "{ print $8 }'", there, sizeof(there));
	(void)shell("readelf -sW postern-net postern-store postern-auth "
	    "postern-lock postern-keys postern-mailbox | "
	    "awk '$4 == \"FILE\" { print $8 }'", others, sizeof(others));
	ATF_CHECK(has_line(there, "children.c"));
	(void)shell("for i in net/*.o mailstore/*.o privsep/auth*.o "
	    "privsep/calls_*.o privsep/sandbox_*.o privsep/child.o "
	    "privsep/spool_lock.o privsep/keys*.o privsep/net_peers.o; do "
	    "basename $i .o; done | sed 's/$/.c/'", output, sizeof(output));
	ATF_CHECK(none_of("posternd", "file", output, there, others) > 20);
}

/* Nor postern-lock such as reads mail. */
ATF_TC(lock_symbols);
ATF_TC_HEAD(lock_symbols, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "readelf awk");
}
ATF_TC_BODY(lock_symbols, tc)
{
	static char there[64 * 1024], others[64 * 1024];

	(void)tc;
	(void)shell("readelf -sW postern-lock | awk '$4 == \"FILE\" "
	    "{ print $8 }'", there, sizeof(there));
	(void)shell("readelf -sW postern-net postern-store "
	    "postern-mailbox | awk '$4 == \"FILE\" { print $8 }'", others, sizeof(others));
	ATF_CHECK(has_line(there, "spool_lock.c"));
	ATF_CHECK(has_line(there, "dotlock.c"));
	(void)shell("for i in net/*.o mailstore/*.o; do basename $i .o; done "
	    "| sed -e '/^dotlock$/d' -e 's/$/.c/'", output, sizeof(output));
	ATF_CHECK(none_of("postern-lock", "file", output, there, others) >
	    20);
}

/* Nor posternctl, which root runs: what reads mail is another program. */
ATF_TC(ctl_symbols);
ATF_TC_HEAD(ctl_symbols, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "readelf awk");
}
ATF_TC_BODY(ctl_symbols, tc)
{
	static char there[64 * 1024], others[64 * 1024];

	(void)tc;
	(void)shell("readelf -sW posternctl | awk '$4 == \"FILE\" "
	    "{ print $8 }'", there, sizeof(there));
	(void)shell("readelf -sW postern-net postern-store "
	    "postern-mailbox | awk '$4 == \"FILE\" { print $8 }'", others,
	    sizeof(others));
	ATF_CHECK(has_line(there, "posternctl.c"));
	(void)shell("for i in net/*.o mailstore/*.o; do basename $i .o; done "
	    "| sed 's/$/.c/'", output, sizeof(output));
	ATF_CHECK(none_of("posternctl", "file", output, there, others) > 20);
}

/* Functions of the libraries that posternd has no use for. */
ATF_TC(parent_imports);
ATF_TC_HEAD(parent_imports, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "nm sed");
}
ATF_TC_BODY(parent_imports, tc)
{
	static const char *const prefixes[] = { "event_", "evtimer",
	    "bufferevent", "crypto_", "sodium_", "seccomp_", "crypt", "SSL_",
	    "gnutls_" };
	static const char *const functions[] = { "accept", "accept4",
	    "connect", "recv", "recvfrom", "__recv_chk", "__recvfrom_chk",
	    "send", "sendto", "system", "popen", "getspnam", "dlopen" };
	char *words, *word;
	size_t i;

	(void)tc;
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitizer's runtime imports what it likes");
#endif
	words = shell("nm -D --undefined-only posternd | "
	    "sed -e 's/.* //' -e 's/@.*//'", output, sizeof(output));
	for (i = 0; i < COUNT(functions); i++)
		ATF_CHECK_MSG(!has_line(words, functions[i]),
		    "posternd uses %s", functions[i]);
	ATF_CHECK(has_line(words, "setresuid"));
	while ((word = strsep(&words, "\n")) != NULL)
		for (i = 0; i < COUNT(prefixes); i++)
			ATF_CHECK_MSG(strncmp(word, prefixes[i],
			    strlen(prefixes[i])) != 0, "posternd uses %s",
			    word);
}

static const struct library_row {
	const char *program;
	const char *libraries;		/* may be needed, and no other */
} libraries[] = {
	{ "posternd",	   "libbsd libc" },
	{ "postern-net",   "libgnutls libevent_core libbsd libc" },
	{ "postern-auth",  "libsodium libcrypt libbsd libc" },
	{ "postern-store", "libsodium libmd libbsd libc" },
	{ "postern-lock",  "libsodium libbsd libc" },
	{ "postern-keys",  "libgnutls libbsd libc" },
	{ "postern-config", "libbsd libc" },
	{ "postern-mailbox", "libsodium libbsd libc" },
	{ "postern-selfsigned", "libgnutls libbsd libc" },
	{ "posternctl",	   "libsodium libbsd libc" },
};

/* Is it to be linked whole, as configure has said? */
static int
is_whole(const char *program)
{
	char answer[64];

	return (strcmp(program, "postern-store") == 0 &&
	    strcmp(shell("sed -n 's/^LINK_STORE =.* -static-pie .*/whole/p' "
	    "config.mk", answer, sizeof(answer)), "whole\n") == 0);
}

static int
has_word(const char *words, const char *word)
{
	char all[256], sought[256];

	(void)snprintf(all, sizeof(all), " %s ", words);
	(void)snprintf(sought, sizeof(sought), " %s ", word);
	return (strstr(all, sought) != NULL);
}

ATF_TC(needed_libraries);
ATF_TC_HEAD(needed_libraries, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "readelf sed");
}
ATF_TC_BODY(needed_libraries, tc)
{
	char command[300], *words, *word;
	size_t i;
	int count;

	(void)tc;
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitizer's runtime is linked in");
#endif
	for (i = 0; i < COUNT(libraries); i++) {
		(void)snprintf(command, sizeof(command), "readelf -dW %s | "
		    "sed -n 's/.*(NEEDED).*\\[\\([a-z_]*\\)[-0-9.]*so.*/\\1/p'",
		    libraries[i].program);
		words = shell(command, output, sizeof(output));
		if (is_whole(libraries[i].program)) {
			ATF_CHECK_STREQ("", words);
			continue;
		}
		for (count = 0; (word = strsep(&words, "\n")) != NULL;) {
			if (word[0] == '\0')
				continue;
			count++;
			word[strcspn(word, ".-")] = '\0';
			ATF_CHECK_MSG(has_word(libraries[i].libraries, word),
			    "%s is linked with %s", libraries[i].program,
			    word);
		}
		ATF_CHECK(count > 0);
	}
}

/* Must (or must not) stand in what readelf and nm say of a program. */
static const struct hardening_row {
	const char *text;
	int wanted;			/* 2: unless it is linked whole */
	const char *what;
} hardening[] = {
	{ "Type: DYN",		1, "is position-independent" },
	{ "Flags: NOW PIE",	1, "is PIE and bound at start" },
	{ "GNU_RELRO",		1, "has its relocations read-only" },
	{ "(TEXTREL)",		0, "has text relocations" },
	{ "(RPATH)",		0, "looks for libraries elsewhere" },
	{ "(RUNPATH)",		0, "looks for libraries elsewhere" },
	{ "GNU_STACK RW ",	1, "has a stack that is not executed" },
	{ "INTERP",		2, "has a linker at its start" },
	{ " RWE ",		0, "has a segment to write and execute" },
	{ "__stack_chk_fail",	1, "has stack protectors" },
	{ "_chk\n",		1, "is fortified" },
};

/*
 * The functions that a program needs of others: of a whole one its objects
 * tell, since the libraries' own protection is in it, too.
 */
static const char *
needed_functions(const char *program)
{
	return (is_whole(program) ? "nm --undefined-only mailstore/*.o | "
	    "sed 's/.* //'" : "nm -D --undefined-only \"$program\" | "
	    "sed -e 's/.* //' -e 's/@.*//'");
}

ATF_TC(hardened_executables);
ATF_TC_HEAD(hardened_executables, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "nm readelf awk");
}
ATF_TC_BODY(hardened_executables, tc)
{
	char command[400];
	size_t i, row;
	int whole;

	(void)tc;
#ifdef POSTERN_SANITIZED
	atf_tc_skip("builds for sanitizers are not hardened");
#endif
	for (i = 0; i < COUNT(libraries); i++) {
		whole = is_whole(libraries[i].program);
		(void)snprintf(command, sizeof(command), "readelf -hldW %s | "
		    "awk '/GNU_STACK|LOAD|Type:|Flags:/ { $1 = $1; "
		    "sub(/0x.*0x[0-9a-f]+ R/, \"R\") } { print }'; "
		    "program=%s; %s", libraries[i].program,
		    libraries[i].program,
		    needed_functions(libraries[i].program));
		(void)shell(command, output, sizeof(output));
		for (row = 0; row < COUNT(hardening); row++)
			ATF_CHECK_MSG((strstr(output, hardening[row].text) !=
			    NULL) == (hardening[row].wanted == 2 ? !whole :
			    hardening[row].wanted), "%s: wrong about \"%s\"",
			    libraries[i].program, hardening[row].what);
	}
}

/* Every object has the notes; executables, where the C library's have. */
ATF_TC(control_flow_notes);
ATF_TC_HEAD(control_flow_notes, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "readelf grep");
}
ATF_TC_BODY(control_flow_notes, tc)
{
	char own[4096], self[600], command[800];
	size_t i;

	(void)tc;
#if defined(POSTERN_SANITIZED)
	atf_tc_skip("builds for sanitizers are not hardened");
#elif !defined(__CET__)
	atf_tc_skip("this compiler or machine has no such notes");
#endif
	(void)shell("for i in privsep/*.o net/*.o mailstore/*.o; do "
	    "readelf -nW $i | grep -q 'IBT, SHSTK' || echo $i; done",
	    output, sizeof(output));
	ATF_CHECK_STREQ_MSG("", output, "objects without notes:\n%s", output);
	process_link(getpid(), "exe", self, sizeof(self));
	(void)snprintf(command, sizeof(command), "readelf -nW '%s'", self);
	if (strstr(shell(command, own, sizeof(own)), "IBT, SHSTK") == NULL)
		return;		/* this host's start-up files have none */
	for (i = 0; i < COUNT(libraries); i++) {
		(void)snprintf(command, sizeof(command), "readelf -nW %s",
		    libraries[i].program);
		ATF_CHECK_MSG(strstr(shell(command, output, sizeof(output)),
		    "IBT, SHSTK") != NULL, "%s has no CET notes",
		    libraries[i].program);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ids_and_capabilities);
	ATF_TP_ADD_TC(tp, ambient_right);
	ATF_TP_ADD_TC(tp, not_dumpable);
	ATF_TP_ADD_TC(tp, resource_limits);
	ATF_TP_ADD_TC(tp, programs_and_roots);
	ATF_TP_ADD_TC(tp, terminal);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, shadow_group);
	ATF_TP_ADD_TC(tp, parent_symbols);
	ATF_TP_ADD_TC(tp, lock_symbols);
	ATF_TP_ADD_TC(tp, ctl_symbols);
	ATF_TP_ADD_TC(tp, parent_imports);
	ATF_TP_ADD_TC(tp, needed_libraries);
	ATF_TP_ADD_TC(tp, hardened_executables);
	ATF_TP_ADD_TC(tp, control_flow_notes);
	return (atf_no_error());
}
