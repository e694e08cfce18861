/*
 * refusal.h - a daemon that must not start.
 *
 * For the test programs of this directory.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

#define REFUSAL_MS	10000

static inline void __attribute__((noreturn))
refusal_become(const struct server *server, int log, pid_t parent)
{
	char programs[300];

	/* One that starts in spite of all does not outlive the test. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	(void)dup2(log, STDERR_FILENO);
	(void)snprintf(programs, sizeof(programs), "%s/libexec",
	    server->directory);
	(void)execl(program("posternd"), "posternd", "-d", "-f",
	    server->config, "-l", programs, (char *)NULL);
	_exit(0);
}

/*
 * Starts a prepared server.  It must end by itself, with a failure and with
 * `why` in its log; `what` is told where it does not.
 */
static inline void
must_refuse(const struct server *server, const char *what, const char *why)
{
	pid_t pid, ended = 0, parent = getpid();
	int log, status = 0, waited;
	char *text;

	log = open(server->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	ATF_REQUIRE(log != -1 && (pid = fork()) != -1);
	if (pid == 0)
		refusal_become(server, log, parent);
	(void)close(log);
	for (waited = 0; waited < REFUSAL_MS && ended == 0 &&
	    !log_has(server, "event=ready"); waited += 5) {
		ended = waitpid(pid, &status, WNOHANG);
		pause_ms(ended == 0 ? 5 : 0);
	}
	if (ended == 0) {
		(void)kill(pid, SIGTERM);
		(void)waitpid(pid, &status, 0);
	}
	text = file_read(server->log, NULL);
	ATF_CHECK_MSG(ended == pid, "%s: the daemon runs", what);
	ATF_CHECK_MSG(WIFEXITED(status) && (ended == 0 ||
	    WEXITSTATUS(status) == 1), "%s: status %#x", what,
	    (unsigned int)status);
	ATF_CHECK_MSG(strstr(text, why) != NULL, "%s: no \"%s\" in \"%s\"",
	    what, why, text);
	free(text);
}

#endif
