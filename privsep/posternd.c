/*
 * posternd.c - the parent: binds, starts, watches, hands descriptors over.
 *
 * Runs as root (or, with `unprivileged` in its configuration, as one
 * ordinary user).  It never reads a byte from the network or a mailbox.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "parent.h"

static volatile sig_atomic_t got_child, got_stop;

static void
on_signal(int number)
{
	if (number == SIGCHLD)
		got_child = 1;
	else
		got_stop = 1;
}

/* Signals arrive only while children_wait waits; `unblocked` is for that. */
static void
set_signals(sigset_t *unblocked)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT };
	struct sigaction action;
	sigset_t blocked;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&blocked);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaddset(&blocked, numbers[i]);
		(void)sigaction(numbers[i], &action, NULL);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &blocked, unblocked);
	(void)sigdelset(unblocked, SIGCHLD);
	(void)sigdelset(unblocked, SIGTERM);
	(void)sigdelset(unblocked, SIGINT);
}

/* A directory that only root (or the one user) can change. */
static void
own_directory(const char *path)
{
	struct stat status;

	(void)mkdir(path, 0755);
	if (lstat(path, &status) == -1)
		log_fatal("%s: %s; make this directory, or name another in "
		    "the configuration", path, strerror(errno));
	if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		log_fatal("%s: must be a directory of %s that nobody else "
		    "may write", path, geteuid() == 0 ? "root" : "this user");
}

/*
 * In net a connection is one descriptor, and a session two more; connections
 * are as many as that leaves room for.
 */
static void
raise_descriptor_limit(struct config *config)
{
	rlim_t reserved = 2 * (rlim_t)config->sessions + 256;
	rlim_t wanted = reserved + config->net.connections;
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 &&
	    getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		/* Not more than there may be; the rest is made to fit. */
		if (wanted > limit.rlim_max)
			wanted = limit.rlim_max;
		limit.rlim_cur = wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
			log_fatal("descriptor limit: %s", strerror(errno));
	}
	if (limit.rlim_cur <= reserved)
		log_fatal("a limit of %lu descriptors is too low for "
		    "max-sessions %u", (unsigned long)limit.rlim_cur,
		    config->sessions);
	if (limit.rlim_cur - reserved < config->net.connections)
		config->net.connections = (uint32_t)(limit.rlim_cur - reserved);
}

static void
stand_alone(int debug)
{
	int null;

	if (!debug && daemon(0, 0) == -1)
		log_fatal("daemon: %s", strerror(errno));
	if (chdir("/") == -1 || (null = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		log_fatal("/dev/null: %s", strerror(errno));
	if (null > STDERR_FILENO)
		(void)close(null);
	(void)umask(022);
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: posternd [-dn] [-f file]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	static struct config config;
	static struct listener listeners[SOCKETS_MAX];
	const char *file = NULL;
	int option, debug = 0, check = 0, errors, count;
	sigset_t unblocked;

	while ((option = getopt(argc, argv, "dnf:")) != -1)
		switch (option) {
		case 'd':
			debug = 1;
			break;
		case 'n':
			check = 1;
			break;
		case 'f':
			file = optarg;
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
	log_to_stderr("posternd");
	if ((errors = config_read(file, &config)) > 0)
		log_fatal("configuration: %d error%s", errors,
		    errors == 1 ? "" : "s");
	if (check) {
		(void)fprintf(stderr, "configuration OK\n");
		return (0);
	}
	if ((geteuid() == 0) == (config.start.unprivileged != 0))
		log_fatal("must be started as root, or as another user with "
		    "'unprivileged' in the configuration");
	own_directory(config.state);
	if (!config.start.unprivileged)
		own_directory(config.net.chroot);
	raise_descriptor_limit(&config);
	if (!config.start.unprivileged)
		rights_limit_root(1);
	if ((count = listen_open(&config, listeners, SOCKETS_MAX)) <= 0)
		log_fatal("cannot listen; the reason stands above");
	stand_alone(debug);
	if (!debug)
		log_to_syslog();
	if (!config.start.unprivileged)
		rights_limit_root(0);
	rights_enclose_parent();
	set_signals(&unblocked);
	children_start(&config, listeners, (size_t)count);
	while (!got_stop) {
		children_wait(&unblocked);
		if (got_child) {
			got_child = 0;
			children_reap();
		}
	}
	log_line(LOG_INFO, "event=stop");
	children_stop(&unblocked);
	log_line(LOG_INFO, "event=stopped");
	return (0);
}
