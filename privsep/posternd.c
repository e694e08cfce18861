/*
 * posternd.c - the parent: binds, starts, watches, hands descriptors over.
 *
 * Runs as root (or, with `unprivileged` in its configuration, as one
 * ordinary user).  It never reads a byte from the network or a mailbox.
 */
#include <sys/param.h>
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
#include "privdrop.h"
#include "pathnames.h"

static volatile sig_atomic_t got_stop, got_reload;

/* Each writes its own or nothing: no write can undo another's. */
static void
on_signal(int number)
{
	if (number == SIGHUP)
		got_reload = 1;
	else if (number != SIGCHLD)
		got_stop = 1;
}

/* These arrive only while children_wait waits; SIGCHLD is to wake it. */
static void
set_signals(void)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t blocked;
	size_t i;

	(void)sigemptyset(&blocked);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaddset(&blocked, numbers[i]);
		(void)signal(numbers[i], on_signal);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGALRM, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* A directory that only root can change, and others search; or one's own. */
static void
own_directory(const char *path)
{
	const mode_t searched = geteuid() == 0 ? S_IXOTH : 0;
	struct stat status;

	(void)mkdir(path, 0755);
	if (lstat(path, &status) == -1)
		log_fatal("%s: %s; make this directory, or name another in "
		    "the configuration", path, strerror(errno));
	if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
	    (status.st_mode & (S_IWGRP | S_IWOTH | searched)) != searched)
		log_fatal("%s: must be a directory of %s, and nobody else may "
		    "write it", path, searched != 0 ? "root's that all may "
		    "search" : "this user's");
}

/*
 * In net a connection is one descriptor, and a session two more; connections
 * are as many as that leaves room for.
 */
static void
raise_descriptor_limit(struct settings *settings)
{
	rlim_t reserved = 2 * (rlim_t)settings->parent.sessions + 256;
	rlim_t wanted = reserved + settings->net.connections;
	struct rlimit limit = { wanted, wanted };

	/* Where the limit cannot be raised, what there may be must do. */
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 &&
	    getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = wanted = MIN(wanted, limit.rlim_max);
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (wanted <= reserved)
		log_fatal("a limit of %lu descriptors is too low for "
		    "max-sessions %u", (unsigned long)wanted,
		    settings->parent.sessions);
	if (wanted - reserved < settings->net.connections) {
		settings->net.connections = (uint32_t)(wanted - reserved);
		log_line(LOG_WARNING, "event=limit descriptors=%lu "
		    "max-connections=%u", (unsigned long)wanted,
		    settings->net.connections);
	}
}

static void
stand_alone(int debug)
{
	if ((debug ? chdir("/") : daemon(0, 0)) == -1)
		log_fatal("%s: %s", debug ? "/" : "daemon", strerror(errno));
	if (debug)
		return;
	openlog("posternd", LOG_PID | LOG_NDELAY, LOG_MAIL);
	log_to_stderr(NULL);
}

/* Everything that wants more rights than the daemon has when it runs. */
static void
start(struct settings *settings, int debug)
{
	const int as_root = !settings->parent.start.unprivileged;

	if ((geteuid() == 0) != as_root)
		log_fatal(as_root ? "must be started as root, or as another "
		    "user with 'unprivileged' in the configuration" :
		    "'unprivileged' is for another user than root");
	own_directory(settings->parent.state);
	if (as_root)
		own_directory(settings->net.chroot);
	raise_descriptor_limit(settings);
	if (as_root)
		rights_limit_root(1);
	if (listen_open(settings) == -1)
		log_fatal("cannot listen; the reason stands above");
	stand_alone(debug);
	if (as_root)
		rights_limit_root(0);
	rights_enclose_parent();
	set_signals();
	children_prepare(settings);
}

int
main(int argc, char **argv)
{
	static struct settings settings = { .libexec = LIBEXECDIR };
	const char *file = NULL;
	int option, debug = 0, check = 0;

	log_to_stderr("posternd");
	/* No socket is to have one of the first three numbers. */
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	while ((unsigned int)open("/dev/null", O_RDWR) < STDERR_FILENO)
		continue;
	rights_close_others(STDERR_FILENO + 1);
	/* Certificates are not read before the other signals are set. */
	(void)signal(SIGHUP, SIG_IGN);
	(void)umask(022);
	while ((option = getopt(argc, argv, "dnf:l:")) != -1 && option != '?')
		if (option == 'd')
			debug = 1;
		else if (option == 'n')
			check = 1;
		else if (option == 'f')
			file = optarg;
		else
			settings.libexec = optarg;
	if (option == '?' || optind != argc || settings.libexec[0] != '/') {
		(void)fprintf(stderr, "usage: posternd [-dn] [-f file] "
		    "[-l directory]\n");
		return (2);
	}
	settings_read(file, &settings);
	if (check)
		return (fprintf(stderr, "configuration OK\n") < 0);
	start(&settings, debug);
	while (!got_stop) {
		children_wait();
		if (got_reload)
			children_reload();
		got_reload = 0;
	}
	log_line(LOG_INFO, "event=stop");
	children_stop();
	log_line(LOG_INFO, "event=stopped");
	return (0);
}
