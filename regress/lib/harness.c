/*
 * harness.c - a real daemon in a scratch directory, and clients of it.
 *
 * Linked into test programs alone; runs as whoever runs the tests.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

/* Of a test that will fail: files of gigabytes on a busy machine take long. */
#define PATIENCE_MS	60000

#ifndef BUILD_DIRECTORY
#error "BUILD_DIRECTORY is where the programs are"
#endif

static int trouble_expected;

static void
sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&time, NULL);
}

const char *
program(const char *name)
{
	static char paths[8][512];	/* of the last eight calls */
	static unsigned int next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", BUILD_DIRECTORY, name);
	return (path);
}

void
file_write(const char *path, const void *bytes, size_t length)
{
	const char *from = bytes;
	ssize_t wrote;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ATF_REQUIRE_MSG(fd != -1, "%s: %s", path, strerror(errno));
	while (length > 0) {
		wrote = write(fd, from, length);
		ATF_REQUIRE_MSG(wrote > 0, "%s: %s", path, strerror(errno));
		from += wrote;
		length -= (size_t)wrote;
	}
	ATF_REQUIRE(close(fd) == 0);
}

char *
file_read(const char *path, size_t *length)
{
	struct stat status;
	char *bytes;
	size_t have = 0;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY);
	ATF_REQUIRE_MSG(fd != -1, "%s: %s", path, strerror(errno));
	ATF_REQUIRE(fstat(fd, &status) == 0);
	bytes = malloc((size_t)status.st_size + 1);
	ATF_REQUIRE(bytes != NULL);
	while (have < (size_t)status.st_size && (got = read(fd, bytes + have,
	    (size_t)status.st_size - have)) > 0)
		have += (size_t)got;
	(void)close(fd);
	bytes[have] = '\0';
	if (length != NULL)
		*length = have;
	return (bytes);
}

static void
make_directory(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	ATF_REQUIRE_MSG(mkdir(path, mode) == 0 || errno == EEXIST, "%s: %s",
	    path, strerror(errno));
	ATF_REQUIRE(chmod(path, mode) == 0);
	if (geteuid() == 0)
		ATF_REQUIRE(chown(path, uid, gid) == 0);
}

static void
own(const struct server *server, const char *path, const char *user)
{
	char home[600];
	struct stat status;

	(void)snprintf(home, sizeof(home), "%s/home/%s", server->directory,
	    user);
	ATF_REQUIRE(stat(home, &status) == 0);
	if (geteuid() == 0)
		ATF_REQUIRE(chown(path, status.st_uid, status.st_gid) == 0);
}

/* The cheapest there is: the tests are about other things. */
static const char *
cheap_hash(const char *password)
{
	static char hash[crypto_pwhash_STRBYTES];

	ATF_REQUIRE(sodium_init() != -1);
	ATF_REQUIRE(crypto_pwhash_str(hash, password, strlen(password),
	    crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN) == 0);
	return (hash);
}

void
server_add_line(const struct server *server, const char *line)
{
	char path[600];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/passwd", server->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0640);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(dprintf(fd, "%s\n", line) == (int)strlen(line) + 1);
	ATF_REQUIRE(fchmod(fd, 0640) == 0);
	if (geteuid() == 0)
		ATF_REQUIRE(fchown(fd, 0, 64102) == 0);
	(void)close(fd);
}

void
server_add_named(const struct server *server, const char *key,
    const char *password, const char *limits)
{
	char line[1000];

	(void)snprintf(line, sizeof(line), "%s:%s:%s", key,
	    cheap_hash(password), limits);
	server_add_line(server, line);
}

void
server_add_user(struct server *server, const char *user,
    const char *password, unsigned int uid)
{
	char path[600], line[2000];

	if (geteuid() != 0)
		uid = (unsigned int)getuid();
	(void)snprintf(path, sizeof(path), "%s/home/%s", server->directory,
	    user);
	make_directory(path, uid, uid, 0755);
	(void)snprintf(path, sizeof(path), "%s/home/%s/mail",
	    server->directory, user);
	make_directory(path, uid, uid, 0700);
	(void)snprintf(line, sizeof(line), "%s:%s:%u:%u:%s/home/%s:", user,
	    cheap_hash(password), uid, geteuid() == 0 ? uid :
	    (unsigned int)getgid(), server->directory, user);
	server_add_line(server, line);
}

/*
 * The programs are copied into the scratch directory: the children's users
 * must be able to reach them, wherever the tree was built.
 */
const char *
programs_copy(const char *directory)
{
	static const char *const names[] = { "postern-net", "postern-auth",
	    "postern-store", "postern-lock", "postern-keys",
	    "postern-config", "postern-mailbox" };
	static char copied[600];
	char path[700], *bytes;
	size_t i, length;

	(void)snprintf(copied, sizeof(copied), "%s/libexec", directory);
	make_directory(copied, 0, 0, 0755);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bytes = file_read(program(names[i]), &length);
		(void)snprintf(path, sizeof(path), "%s/%s", copied, names[i]);
		file_write(path, bytes, length);
		ATF_REQUIRE(chmod(path, 0755) == 0);
		free(bytes);
	}
	return (copied);
}

int
selfsigned_make(const char *name, char *output, size_t size)
{
	char here[512];
	const char *const arguments[] = { program("posternctl"), "tls",
	    "-l", BUILD_DIRECTORY, "selfsigned", "-f", "-o", here, name,
	    NULL };

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	return (run(arguments, NULL, output, size));
}

const char *
pair_selfsigned(void)
{
	static char line[1200];
	char here[512], output[4096];

	ATF_REQUIRE_MSG(selfsigned_make("one.example.org", output,
	    sizeof(output)) == 0, "%s", output);
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	(void)snprintf(line, sizeof(line), "tls-certificate %s/tls.crt key "
	    "%s/tls.key\n", here, here);
	return (line);
}

void
server_prepare(struct server *server, const char *extra)
{
	char path[600], text[8192];
	const char *where = server->directory;

	memset(server, 0, sizeof(*server));
	trouble_expected = 0;
	server->privileged = geteuid() == 0;
	ATF_REQUIRE(getcwd(path, sizeof(path)) != NULL);
	ATF_REQUIRE(strlen(path) < sizeof(server->directory) - 10);
	(void)chmod(path, 0755);
	(void)snprintf(server->directory, sizeof(server->directory),
	    "%.200s/postern", path);
	make_directory(where, 0, 0, 0755);
	(void)snprintf(path, sizeof(path), "%s/empty", where);
	make_directory(path, 0, 0, 0755);
	(void)snprintf(path, sizeof(path), "%s/state", where);
	make_directory(path, 0, 0, 0755);
	(void)snprintf(path, sizeof(path), "%s/home", where);
	make_directory(path, 0, 0, 0755);
	(void)snprintf(path, sizeof(path), "%s/spool", where);
	make_directory(path, 0, 8, 02775);
	server_add_user(server, FRED, FRED_PASSWORD, FRED_UID);
	server_add_user(server, ANN, ANN_PASSWORD, ANN_UID);
	(void)snprintf(server->log, sizeof(server->log), "%s/log", where);
	(void)snprintf(server->config, sizeof(server->config), "%s/conf",
	    where);
	(void)snprintf(text, sizeof(text), "hostname post.example.org\n"
	    "%sauth passwd %s/passwd\nmailbox %s/spool/%%u\n"
	    "folders ~/mail\nstate %s/state\n%s%s%s%s",
	    extra != NULL && strstr(extra, "listen ") != NULL ? "" :
	    "listen auto 127.0.0.1 port 0\n", where, where, where,
	    server->privileged ? "net-user 64101:64101\n"
	    "auth-user 64102:64102\nlock-user 64104:8\nkeys-user 64105:64105\n"
	    "chroot " :
	    "unprivileged\nminimum-uid 1\n",
	    server->privileged ? where : "", server->privileged ? "/empty\n" :
	    "", extra != NULL ? extra : "");
	file_write(server->config, text, strlen(text));
	(void)programs_copy(where);
}

int
log_has(const struct server *server, const char *text)
{
	char *log = file_read(server->log, NULL);
	int has = strstr(log, text) != NULL;

	free(log);
	return (has);
}

/* A test's result is one line: the log goes before it. */
static void __attribute__((noreturn))
fail_with_log(const struct server *server, const char *what,
    const char *detail)
{
	char *log = file_read(server->log, NULL);

	(void)fprintf(stderr, "%s\n", log);
	free(log);
	atf_tc_fail("%s \"%s\"", what, detail);
}

void
log_must_have(const struct server *server, const char *text)
{
	int waited;

	for (waited = 0; waited < PATIENCE_MS; waited += 20) {
		if (log_has(server, text))
			return;
		sleep_ms(20);
	}
	fail_with_log(server, "the log has no", text);
}

static void
find_ports(struct server *server)
{
	char *log = file_read(server->log, NULL);
	char *line, *rest = log;
	int count = 0;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (strstr(line, "event=listen") != NULL &&
		    strstr(line, "error=") == NULL &&
		    strstr(line, "port=") != NULL && count < SERVER_PORTS)
			server->ports[count++] =
			    atoi(strstr(line, "port=") + 5);
	free(log);
	ATF_REQUIRE(count > 0);
}

pid_t
server_fork(const struct server *server)
{
	char programs[300];
	pid_t pid, parent = getpid();
	int log = open(server->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND,
	    0600);

	ATF_REQUIRE(log != -1 && (pid = fork()) != -1);
	if (pid == 0) {
		/* The daemon does not outlive the test. */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(127);
		(void)dup2(log, STDERR_FILENO);
		(void)snprintf(programs, sizeof(programs), "%s/libexec",
		    server->directory);
		(void)execl(program("posternd"), "posternd", "-d", "-f",
		    server->config, "-l", programs, (char *)NULL);
		_exit(127);
	}
	(void)close(log);
	return (pid);
}

void
server_run(struct server *server)
{
	int waited, status;

	server->pid = server_fork(server);
	for (waited = 0; waited < PATIENCE_MS; waited += 10) {
		if (log_has(server, "event=ready")) {
			find_ports(server);
			return;
		}
		if (waitpid(server->pid, &status, WNOHANG) != 0)
			break;
		sleep_ms(10);
	}
	server->pid = 0;
	fail_with_log(server, "the daemon did not start", server->config);
}

void
server_start(struct server *server, const char *extra)
{
	server_prepare(server, extra);
	server_run(server);
}

void
server_expect_trouble(struct server *server)
{
	(void)server;
	trouble_expected = 1;
}

void
server_stop(struct server *server)
{
	static const char *const bad[] = { "AddressSanitizer",
	    "runtime error:", "LeakSanitizer", "signal=31", "signal=11",
	    "signal=6", "event=ipc" };
	int status = -1, waited;
	size_t i;
	pid_t ended = 0;

	ATF_REQUIRE(server->pid > 0);
	ATF_REQUIRE(kill(server->pid, SIGTERM) == 0);
	for (waited = 0; waited < 40000 && ended == 0; waited += 10) {
		ended = waitpid(server->pid, &status, WNOHANG);
		if (ended == 0)
			sleep_ms(10);
	}
	server->pid = 0;
	if (ended <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_with_log(server, "the daemon did not stop well", "");
	for (i = 0; !trouble_expected && i < sizeof(bad) / sizeof(bad[0]); i++)
		if (log_has(server, bad[i]))
			fail_with_log(server, "the log has", bad[i]);
}

const char *
mailbox_path(const struct server *server, const char *user)
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s/spool/%s", server->directory,
	    user);
	return (path);
}

void
mailbox_write(const struct server *server, const char *user,
    const void *bytes, size_t length)
{
	const char *path = mailbox_path(server, user);

	file_write(path, bytes, length);
	ATF_REQUIRE(chmod(path, 0600) == 0);
	own(server, path, user);
}

static void
must_be(const char *path, const void *bytes, size_t length)
{
	size_t have, i;
	char *now = file_read(path, &have);

	for (i = 0; i < have && i < length; i++)
		if (now[i] != ((const char *)bytes)[i])
			break;
	ATF_REQUIRE_MSG(have == length && i == length, "%s: %zu bytes, "
	    "expected %zu; they differ from byte %zu on", path, have, length,
	    i);
	free(now);
}

void
mailbox_must_be(const struct server *server, const char *user,
    const void *bytes, size_t length)
{
	must_be(mailbox_path(server, user), bytes, length);
}

static void
home_path(const struct server *server, const char *user, const char *path,
    char *to, size_t size)
{
	(void)snprintf(to, size, "%s/home/%s/%s", server->directory, user,
	    path);
}

void
folder_write(const struct server *server, const char *user,
    const char *path, const void *bytes, size_t length)
{
	char whole[1024], *slash;

	home_path(server, user, path, whole, sizeof(whole));
	slash = whole + strlen(whole) - strlen(path);
	while ((slash = strchr(slash, '/')) != NULL) {
		*slash = '\0';
		(void)mkdir(whole, 0700);
		own(server, whole, user);
		*slash++ = '/';
	}
	file_write(whole, bytes, length);
	own(server, whole, user);
}

void
folder_must_be(const struct server *server, const char *user,
    const char *path, const void *bytes, size_t length)
{
	char whole[1024];

	home_path(server, user, path, whole, sizeof(whole));
	must_be(whole, bytes, length);
}

/* A child of the daemon that has not ended, and whose program is `name`. */
static int
is_child(const struct server *server, pid_t pid, const char *name)
{
	char path[40], line[512], *program, *after;
	FILE *file;
	int parent;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((file = fopen(path, "r")) == NULL)
		return (0);
	program = fgets(line, sizeof(line), file);
	(void)fclose(file);
	if (program != NULL)
		program = strchr(line, '(');
	if (program == NULL || (after = strrchr(program, ')')) == NULL ||
	    sscanf(after + 1, " %*c %d", &parent) != 1 ||
	    parent != server->pid || after[2] == 'Z')
		return (0);
	*after = '\0';
	return (strcmp(program + 1, name) == 0);
}

/*
 * The oldest first: the directory has them by their numbers, and those under
 * the daemon's own are later ones, behind the last number that there is.
 */
int
children_list(const struct server *server, const char *name, int first,
    pid_t *pids, int size)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int count = 0, later;
	pid_t pid;

	ATF_REQUIRE(proc != NULL);
	for (later = 0; later < 2; later++) {
		rewinddir(proc);
		while ((entry = readdir(proc)) != NULL) {
			pid = atoi(entry->d_name);
			if (pid <= 0 || (pid < server->pid) != later ||
			    !is_child(server, pid, name))
				continue;
			if (count >= first && count - first < size)
				pids[count - first] = pid;
			count++;
		}
	}
	(void)closedir(proc);
	return (count);
}

int
children_count(const struct server *server, const char *name)
{
	return (children_list(server, name, 0, NULL, 0));
}

pid_t
children_find(const struct server *server, const char *name, int which)
{
	pid_t found = -1;

	(void)children_list(server, name, which, &found, 1);
	return (found);
}

pid_t
children_pid(const struct server *server, const char *name, int which)
{
	pid_t found = children_find(server, name, which);

	ATF_REQUIRE_MSG(found != -1, "no %s number %d", name, which);
	return (found);
}

void
children_must_be(const struct server *server, const char *name, int count)
{
	int waited;

	for (waited = 0; waited < PATIENCE_MS; waited += 20) {
		if (children_count(server, name) == count)
			return;
		sleep_ms(20);
	}
	atf_tc_fail("%d children %s, expected %d", children_count(server,
	    name), name, count);
}

int
client_connect_to(const char *address, int port)
{
	struct sockaddr_storage to;
	struct sockaddr_in *v4 = (void *)&to;
	struct sockaddr_in6 *v6 = (void *)&to;
	struct timeval patience = { PATIENCE_MS / 1000, 0 };
	int fd, on = 1;

	memset(&to, 0, sizeof(to));
	if (strchr(address, ':') != NULL) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		ATF_REQUIRE(inet_pton(AF_INET6, address, &v6->sin6_addr) == 1);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		ATF_REQUIRE(inet_pton(AF_INET, address, &v4->sin_addr) == 1);
	}
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_MSG(connect(fd, (struct sockaddr *)&to, to.ss_family ==
	    AF_INET6 ? sizeof(*v6) : sizeof(*v4)) == 0, "connect: %s",
	    strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	return (fd);
}

int
client_connect(const struct server *server, int port_index)
{
	return (client_connect_to("127.0.0.1", server->ports[port_index]));
}

void
client_send_bytes(int fd, const void *bytes, size_t length)
{
	ssize_t sent;

	while (length > 0) {
		sent = send(fd, bytes, length, MSG_NOSIGNAL);
		ATF_REQUIRE_MSG(sent > 0, "send: %s", strerror(errno));
		bytes = (const char *)bytes + sent;
		length -= (size_t)sent;
	}
}

void
client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

void
client_read(int fd, void *bytes, size_t length)
{
	char *to = bytes;
	size_t have = 0;
	ssize_t got;

	while (have < length) {
		got = recv(fd, to + have, length - have, 0);
		ATF_REQUIRE_MSG(got > 0, "%zu of %zu octets came, then %s: "
		    "\"%.*s\"", have, length, got == 0 ? "the end" :
		    strerror(errno), (int)have, to);
		have += (size_t)got;
	}
}

void
client_expect_bytes(int fd, const void *bytes, size_t length)
{
	char *got = calloc(1, length + 1);
	size_t i;

	ATF_REQUIRE(got != NULL);
	client_read(fd, got, length);
	for (i = 0; i < length && got[i] == ((const char *)bytes)[i]; i++)
		continue;
	ATF_REQUIRE_MSG(i == length, "expected \"%.*s\", got \"%.*s\"",
	    (int)length, (const char *)bytes, (int)length, got);
	free(got);
}

void
client_expect(int fd, const char *text)
{
	client_expect_bytes(fd, text, strlen(text));
}

void
client_line(int fd, char *line, size_t size)
{
	size_t have = 0;

	for (;;) {
		ATF_REQUIRE(have + 1 < size);
		client_read(fd, line + have, 1);
		if (line[have++] == '\n')
			break;
	}
	ATF_REQUIRE_MSG(have >= 2 && line[have - 2] == '\r',
	    "a reply without CRLF");
	line[have - 2] = '\0';
}

void
client_expect_line(int fd, const char *prefix)
{
	char line[1024];

	client_line(fd, line, sizeof(line));
	ATF_REQUIRE_MSG(strncmp(line, prefix, strlen(prefix)) == 0,
	    "expected \"%s...\", got \"%s\"", prefix, line);
}

void
client_expect_close(int fd)
{
	char octet;
	ssize_t got = recv(fd, &octet, 1, 0);

	ATF_REQUIRE_MSG(got == 0 || (got == -1 && errno == ECONNRESET),
	    "expected the end, got %zd (%s) '%c'", got,
	    got == -1 ? strerror(errno) : "", got == 1 ? octet : '-');
	(void)close(fd);
}

void
client_say(int fd, const char *command, const char *reply)
{
	char line[2048];

	ATF_REQUIRE((size_t)snprintf(line, sizeof(line), "%s\r\n", command) <
	    sizeof(line));
	client_send(fd, line);
	client_expect_line(fd, reply);
}

int
pop2_login(const struct server *server, int port_index, const char *user,
    const char *quoted_password, const char *reply)
{
	char line[600];
	int fd = client_connect(server, port_index);

	client_expect_line(fd, "+ POP2 post.example.org ");
	(void)snprintf(line, sizeof(line), "HELO %s %s", user,
	    quoted_password);
	client_say(fd, line, reply);
	return (fd);
}

int
pop1_login(const struct server *server, int port_index, const char *user,
    const char *password)
{
	char line[600];
	int fd = client_connect(server, port_index);

	client_expect_line(fd, "+");
	(void)snprintf(line, sizeof(line), "USER %s", user);
	client_say(fd, line, "+OK");
	(void)snprintf(line, sizeof(line), "PASS %s", password);
	client_say(fd, line, "+OK");
	return (fd);
}

int
run(const char *const *arguments, const char *input, char *output,
    size_t output_size)
{
	int in[2], out[2], status;
	size_t have = 0;
	ssize_t got;
	pid_t pid;
	char rest[512];

	ATF_REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(out[1], STDERR_FILENO);
		(void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	(void)signal(SIGPIPE, SIG_IGN);
	if (input != NULL)
		(void)!write(in[1], input, strlen(input));
	(void)close(in[1]);
	while ((got = read(out[0], have + 1 < output_size ? output + have :
	    rest, have + 1 < output_size ? output_size - have - 1 :
	    sizeof(rest))) > 0)
		if (have + 1 < output_size)
			have += (size_t)got;
	if (output_size > 0)
		output[have] = '\0';
	(void)close(out[0]);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status));
}

char *
wire_form(const void *bytes, size_t length, size_t *wire_length)
{
	const char *from = bytes;
	char *to = malloc(2 * length + 3);
	size_t i, have = 0;

	ATF_REQUIRE(to != NULL);
	for (i = 0; i < length; i++) {
		if (from[i] == '\n' && (i == 0 || from[i - 1] != '\r'))
			to[have++] = '\r';
		to[have++] = from[i];
	}
	if (have == 0 || to[have - 1] != '\n') {
		to[have++] = '\r';
		to[have++] = '\n';
	}
	to[have] = '\0';
	*wire_length = have;
	return (to);
}
