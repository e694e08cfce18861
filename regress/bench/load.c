/*
 * load.c - bench_load: one piece of work, done and measured.
 *
 * Runs as whoever runs the bench.  `bench_load WORK NAME=VALUE ...` does the
 * work with a server on loopback, compares every octet that comes, and prints
 * one line "figure=value ...".  Anything that is not as it must be is a line
 * on standard error and the status 1.  All loops are bounded, in count and by
 * an alarm.
 */
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <crypt.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "measure.h"

#define SECONDS_MAX	300
#define THREADS_MAX	1000
#define SESSIONS_MAX	50000
#define HOLDERS		4
#define ENDING_US	100000
#define PIPE_BYTES	65536	/* what a pipe takes */
#define PASSWORD	"secret"

/* What is said on the command line. */
static struct client_to to = { CLIENT_POP3, { 0 }, 0, 1, 0 };
static struct mail_set set;
static const char *user = "u1", *file_name;
static pid_t tree;
static unsigned int count = 100, threads = 1;

/* What users u1, u2 ... have. */
static const struct mail_set small_set = { 10, 20000, 1 };

static double cpu_before, began;

static void
start(void)
{
	cpu_before = tree > 0 ? measure_cpu(tree) : 0;
	began = measure_now();
}

/* Seconds since then; and the CPU seconds of the server. */
static double
stop(double *cpu)
{
	double seconds = measure_now() - began;

	/* A process that is just ending is in nobody's account yet. */
	(void)usleep(ENDING_US);
	*cpu = tree > 0 ? measure_cpu(tree) - cpu_before : 0;
	return (seconds);
}

/* What each thread does so often, with users of its own. */
struct task {
	pthread_t thread;
	unsigned int number;
	unsigned int times;
	double longest, sum;
	int wrong;			/* tries wrong passwords */
	volatile const int *enough;
};

static void
session(const struct task *task)
{
	struct client client;
	char name[32];

	(void)snprintf(name, sizeof(name), "u%u", task->number + 1);
	load_open(&client, &to, task->number, 0);
	if (task->wrong) {
		load_refused(&client, name);
		load_close(&client);
		return;
	}
	if (load_login(&client, name, PASSWORD) != (to.protocol ==
	    CLIENT_POP1 ? mail_mbox_octets(&small_set) : small_set.messages))
		errx(1, "%s has another count of messages", name);
	load_quit(&client);
}

static void *
run_task(void *argument)
{
	struct task *task = argument;
	unsigned int i;
	double at, took;

	for (i = 0; i < task->times && !(task->enough != NULL &&
	    *task->enough); i++) {
		at = measure_now();
		session(task);
		took = measure_now() - at;
		task->sum += took;
		if (took > task->longest)
			task->longest = took;
	}
	return (NULL);
}

static void
begin_task(struct task *task)
{
	pthread_attr_t attributes;
	int error;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, 65536);
	error = pthread_create(&task->thread, &attributes, run_task, task);
	if (error != 0)
		errx(1, "thread: %s", strerror(error));
}

/* Log in, count, quit. */
static void
work_login(void)
{
	static struct task tasks[THREADS_MAX];
	double seconds, cpu, longest = 0, sum = 0;
	unsigned int i, done = 0;

	start();
	for (i = 0; i < threads; i++) {
		tasks[i].number = i;
		tasks[i].times = count / threads;
		begin_task(&tasks[i]);
	}
	for (i = 0; i < threads; i++) {
		(void)pthread_join(tasks[i].thread, NULL);
		done += tasks[i].times;
		sum += tasks[i].sum;
		if (tasks[i].longest > longest)
			longest = tasks[i].longest;
	}
	seconds = stop(&cpu);
	printf("rate=%.1f cpu_ms=%.3f mean_ms=%.2f longest_ms=%.1f\n",
	    done / seconds, cpu * 1e3 / done, sum * 1e3 / done, longest * 1e3);
}

/* From the connect to the last octet of all messages. */
static void
work_fetch(void)
{
	double seconds, opened, cpu;
	struct client client;
	uint64_t octets;

	start();
	load_open(&client, &to, 0, 1);
	octets = load_login(&client, user, PASSWORD);
	if (octets != (to.protocol == CLIENT_POP1 ? mail_mbox_octets(&set) :
	    set.messages))
		errx(1, "%s has another count: %llu", user,
		    (unsigned long long)octets);
	opened = measure_now() - began;
	octets = load_fetch(&client, &set);
	seconds = stop(&cpu);
	load_quit(&client);
	printf("mb_s=%.1f cpu_s_gb=%.2f stalls=%u open_ms=%.2f seconds=%.3f "
	    "move_mb_s=%.1f\n", (double)octets / 1e6 / seconds, cpu * 1e9 /
	    (double)octets, client.stalls, opened * 1e3, seconds,
	    (double)octets / 1e6 / (seconds - opened));
}

/* From the connect to the count. */
static void
work_open(void)
{
	struct client client;
	double seconds, cpu;

	start();
	load_open(&client, &to, 0, 0);
	if (load_login(&client, user, PASSWORD) != set.messages)
		errx(1, "%s has another count of messages", user);
	seconds = stop(&cpu);
	load_quit(&client);
	printf("ms=%.3f cpu_ms=%.2f\n", seconds * 1e3, cpu * 1e3);
}

/* Every second of POP3's messages goes; QUIT to its reply. */
static void
work_delete(void)
{
	struct mail_set left = set;
	struct client client;
	double seconds, cpu;
	uint32_t i;

	load_open(&client, &to, 0, 1);
	if (load_login(&client, user, PASSWORD) != set.messages)
		errx(1, "%s has another count of messages", user);
	for (i = 2; i <= set.messages; i += 2) {
		load_send(&client, "DELE %u", i);
		load_line(&client, "+OK", NULL, 0);
	}
	start();
	load_send(&client, "QUIT");
	load_line(&client, "+OK", NULL, 0);
	seconds = stop(&cpu);
	load_close(&client);
	left.step = 2;
	load_open(&client, &to, 0, 1);
	if (load_login(&client, user, PASSWORD) != (set.messages + 1) / 2)
		errx(1, "not every second message is left");
	(void)load_fetch(&client, &left);
	load_quit(&client);
	printf("ms=%.2f cpu_ms=%.1f\n", seconds * 1e3, cpu * 1e3);
}

/* Opens some of the connections, and keeps them until `go` is closed. */
static void __attribute__((noreturn))
hold_part(unsigned int first, unsigned int end, int log_in, int ready, int go)
{
	struct client *clients = calloc(end - first, sizeof(*clients));
	unsigned int i;
	char name[32], octet = 0;

	if (clients == NULL)
		err(1, NULL);
	for (i = first; i < end; i++) {
		load_open(&clients[i - first], &to, i, 0);
		if (!log_in)
			continue;
		(void)snprintf(name, sizeof(name), "u%u", i + 1);
		if (load_login(&clients[i - first], name, PASSWORD) !=
		    small_set.messages)
			errx(1, "%s has another count of messages", name);
	}
	if (write(ready, &octet, 1) != 1 || read(go, &octet, 1) != 0)
		err(1, "the other process");
	/* Each is still there and is served. */
	for (i = first; i < end; i++)
		load_quit(&clients[i - first]);
	exit(0);
}

/* One process may not have as many descriptors: so several hold them. */
static void
hold(int log_in)
{
	const unsigned int parts = count < HOLDERS ? 1 : HOLDERS;
	double before, seconds, cpu, bytes;
	int ready[2], go[2], status;
	unsigned int i;
	char octet;

	if (pipe(ready) == -1 || pipe(go) == -1)
		err(1, "pipe");
	before = measure_memory(tree);
	start();
	for (i = 0; i < parts; i++)
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			(void)alarm(SECONDS_MAX);
			(void)close(ready[0]);
			(void)close(go[1]);
			hold_part(count / parts * i, i + 1 == parts ? count :
			    count / parts * (i + 1), log_in, ready[1], go[0]);
		}
	(void)close(ready[1]);
	for (i = 0; i < parts; i++)
		if (read(ready[0], &octet, 1) != 1)
			errx(1, "not all could be held");
	seconds = stop(&cpu);
	bytes = measure_memory(tree) - before;
	(void)close(go[1]);
	for (i = 0; i < parts; i++)
		if (wait(&status) == -1 || status != 0)
			errx(1, "not all were served in the end");
	printf("held=%u kb=%.2f rate=%.0f\n", count, bytes / 1024 / count,
	    count / seconds);
}

static void
work_hold(void)
{
	hold(0);
}

static void
work_sessions(void)
{
	hold(1);
}

/* A gigabyte: twice the large mailbox. */
static void *
download(void *argument)
{
	volatile int *enough = argument;
	struct client client;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		load_open(&client, &to, 249, 1);
		(void)load_login(&client, user, PASSWORD);
		(void)load_fetch(&client, &set);
		load_quit(&client);
	}
	*enough = 1;
	return (NULL);
}

/* The task's sessions, one after the other; prints what each took. */
static void
print_small(struct task *task, const char *when)
{
	task->sum = task->longest = 0;
	(void)run_task(task);
	printf("%s_ms=%.2f %s_longest_ms=%.1f ", when,
	    task->sum * 1e3 / task->times, when, task->longest * 1e3);
}

/*
 * Small sessions alone, then while one client downloads a gigabyte (by POP3),
 * then while `threads` clients try wrong passwords.
 */
static void
work_fair(void)
{
	static struct task wrong[THREADS_MAX];
	static volatile int enough;
	struct task small = { .number = 0, .times = count };
	pthread_t downloading;
	unsigned int i;

	print_small(&small, "alone");
	if (pthread_create(&downloading, NULL, download,
	    (void *)(uintptr_t)&enough) != 0)
		errx(1, "thread");
	print_small(&small, "download");
	printf("download_lasts=%d ", !enough);
	(void)pthread_join(downloading, NULL);
	enough = 0;
	for (i = 0; i < threads; i++) {
		wrong[i].number = i + 1;
		wrong[i].times = SESSIONS_MAX;
		wrong[i].wrong = 1;
		wrong[i].enough = &enough;
		begin_task(&wrong[i]);
	}
	print_small(&small, "wrong");
	enough = 1;
	for (i = 0; i < threads; i++)
		(void)pthread_join(wrong[i].thread, NULL);
	printf("\n");
}

/* The other side of `raw`: one file, by sendfile(2). */
static void
send_file(int client, int file)
{
	while (sendfile(client, file, NULL, 1 << 20) > 0)
		continue;
}

/* Of `relay`: by a process that reads it, a pipe, and one that splices it. */
static void
relay_file(int client, int file)
{
	static char buffer[PIPE_BYTES];
	ssize_t got;
	pid_t pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		err(1, "relay");
	if (pid == 0) {
		while ((got = read(file, buffer, sizeof(buffer))) > 0)
			if (write(fds[1], buffer, (size_t)got) != got)
				err(1, "relay");
		exit(0);
	}
	(void)close(fds[1]);
	while (splice(fds[0], NULL, client, NULL, PIPE_BYTES,
	    SPLICE_F_MORE) > 0)
		continue;
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "relay");
}

static void __attribute__((noreturn))
serve_file(int listener, void (*give)(int client, int file))
{
	int client = accept(listener, NULL, NULL);
	int file = open(file_name, O_RDONLY | O_CLOEXEC);

	if (client == -1 || file == -1)
		err(1, "%s", file_name);
	if (send(client, "+\r\n", 3, MSG_NOSIGNAL) != 3)
		err(1, "send");
	give(client, file);
	exit(0);
}

/* What this machine's loopback does: one message as it is on the wire. */
static void
fetch_file(void (*give)(int client, int file))
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(address);
	struct expected expected;
	struct rusage used;
	struct client client;
	double seconds;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (listener == -1 || bind(listener, (struct sockaddr *)&address,
	    sizeof(address)) == -1 || listen(listener, 1) == -1 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) == -1)
		err(1, "raw");
	if ((pid = fork()) == 0)
		serve_file(listener, give);
	to.port = ntohs(address.sin_port);
	began = measure_now();
	load_open(&client, &to, 0, 1);
	expected_message(&expected, &set, 1, FORM_WIRE);
	load_take(&client, &expected);
	seconds = measure_now() - began;
	load_close(&client);
	if (waitpid(pid, NULL, 0) != pid ||
	    getrusage(RUSAGE_CHILDREN, &used) == -1)
		err(1, "raw");
	printf("mb_s=%.1f cpu_s_gb=%.2f\n", (double)mail_octets(&set, 1,
	    FORM_WIRE) / 1e6 / seconds, ((double)(used.ru_utime.tv_sec +
	    used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec +
	    used.ru_stime.tv_usec) / 1e6) * 1e9 /
	    (double)mail_octets(&set, 1, FORM_WIRE));
}

static void
work_raw(void)
{
	fetch_file(send_file);
}

static void
work_relay(void)
{
	fetch_file(relay_file);
}

/* "1000:64000000": messages, and bytes of all. */
static void
read_set(const char *value)
{
	unsigned long long bytes;

	if (sscanf(value, "%u:%llu", &set.messages, &bytes) != 2 ||
	    (set.messages == 0) != (bytes == 0))
		errx(2, "set: %s", value);
	set.bytes = bytes;
	set.step = 1;
}

static FILE *
make_file(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		err(1, "%s", path);
	return (file);
}

static void
finish_file(FILE *file, int failed, const char *path)
{
	if (fclose(file) != 0 || failed)
		err(1, "%s", path);
}

/* As its owner, who must be able to read all of it. */
static void
make_maildir(const char *path, unsigned int uid)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	char part[PATH_MAX + 8];
	size_t i;

	if (mkdir(path, 0700) == -1 || chown(path, uid, uid) == -1 ||
	    setegid(uid) == -1 || seteuid(uid) == -1)
		err(1, "%s", path);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(part, sizeof(part), "%s/%s", path, parts[i]);
		if (mkdir(part, 0700) == -1)
			err(1, "%s", part);
	}
	if (mail_write_maildir(&set, part) == -1)
		err(1, "%s", part);
	if (seteuid(0) == -1 || setegid(0) == -1)
		err(1, "seteuid");
}

/*
 * Gives each user of the list on standard input, "name uid set", a mailbox: in
 * the directory `file` an mbox, or with `count` 0 a Maildir.
 */
static void
work_mailboxes(void)
{
	char line[256], name[64], what[64], path[PATH_MAX];
	unsigned int uid;
	FILE *file;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "%63s %u %63s", name, &uid, what) != 3)
			errx(1, "users: %s", line);
		read_set(what);
		(void)snprintf(path, sizeof(path), "%s/%s", file_name, name);
		if (count == 0) {
			make_maildir(path, uid);
			continue;
		}
		file = make_file(path);
		finish_file(file, fchmod(fileno(file), 0600) == -1 ||
		    mail_write_mbox(&set, file) == -1, path);
		if (chown(path, uid, uid) == -1)
			err(1, "%s", path);
	}
}

/* What `raw` sends. */
static void
work_wire(void)
{
	FILE *file = make_file(file_name);

	finish_file(file, mail_write_message(&set, 1, FORM_WIRE, file) == -1,
	    file_name);
}

/*
 * Starts the program `file` for each client, as inetd does, until it is
 * ended: popa3d alone would take 50 sessions from one address in 10 seconds.
 */
static void
work_inetd(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)to.port), .sin_addr = to.address };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client, on = 1;

	(void)alarm(0);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ==
	    -1 || listen(listener, SOMAXCONN) == -1)
		err(1, "inetd");
	for (;;) {
		client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client != -1 && fork() == 0) {
			(void)dup2(client, STDIN_FILENO);
			(void)dup2(client, STDOUT_FILENO);
			(void)execl(file_name, file_name, (char *)NULL);
			_exit(127);
		}
		(void)close(client);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

/* The password's cheapest hash that Postern takes. */
static void
work_hash(void)
{
	char hash[crypto_pwhash_STRBYTES];

	if (sodium_init() == -1 || crypto_pwhash_str(hash, PASSWORD,
	    strlen(PASSWORD), crypto_pwhash_OPSLIMIT_MIN,
	    crypto_pwhash_MEMLIMIT_MIN) == -1)
		errx(1, "no hash");
	printf("%s\n", hash);
}

/* One that costs as little, for the system's own accounts. */
static void
work_crypt(void)
{
	const char *hash = crypt(PASSWORD, "ab");

	if (hash == NULL)
		errx(1, "no hash");
	printf("%s\n", hash);
}

static const struct {
	const char *name;
	void (*work)(void);
} works[] = {
	{ "login", work_login }, { "fetch", work_fetch },
	{ "open", work_open }, { "delete", work_delete },
	{ "hold", work_hold }, { "sessions", work_sessions },
	{ "fair", work_fair }, { "raw", work_raw },
	{ "relay", work_relay }, { "mailboxes", work_mailboxes },
	{ "wire", work_wire },
	{ "hash", work_hash }, { "crypt", work_crypt },
	{ "inetd", work_inetd },
};

static unsigned long
number(const char *value, unsigned long most)
{
	char *end;
	unsigned long read = strtoul(value, &end, 10);

	if (end == value || *end != '\0' || read > most)
		errx(2, "%s: a number up to %lu is expected", value, most);
	return (read);
}

static void
read_setting(char *setting)
{
	char *value = strchr(setting, '=');

	if (value == NULL)
		errx(2, "%s: expected NAME=VALUE", setting);
	*value++ = '\0';
	if (strcmp(setting, "port") == 0)
		to.port = (int)number(value, 65535);
	else if (strcmp(setting, "protocol") == 0)
		to.protocol = (enum client_protocol)(number(value, 3) - 1);
	else if (strcmp(setting, "quick") == 0)
		to.quick = (int)number(value, 1);
	else if (strcmp(setting, "at_once") == 0)
		to.at_once = (int)number(value, 1);
	else if (strcmp(setting, "tree") == 0)
		tree = (pid_t)number(value, 4194304);
	else if (strcmp(setting, "count") == 0)
		count = (unsigned int)number(value, SESSIONS_MAX);
	else if (strcmp(setting, "threads") == 0)
		threads = (unsigned int)number(value, THREADS_MAX);
	else if (strcmp(setting, "user") == 0)
		user = value;
	else if (strcmp(setting, "file") == 0)
		file_name = value;
	else if (strcmp(setting, "set") == 0)
		read_set(value);
	else
		errx(2, "%s: unknown", setting);
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	size_t i;
	int j;

	(void)alarm(SECONDS_MAX);
	to.address.s_addr = htonl(INADDR_LOOPBACK);
	/* As many as may be: connections are descriptors here too. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	mail_begin();
	for (j = 2; j < argc; j++)
		read_setting(argv[j]);
	for (i = 0; argc > 1 && i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(argv[1], works[i].name) == 0) {
			works[i].work();
			return (0);
		}
	errx(2, "usage: bench_load WORK NAME=VALUE ...");
}
