/*
 * refusal.h - a daemon that must not start.
 *
 * For the test programs of this directory.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <sys/types.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

#define REFUSAL_MS	10000

/*
 * Starts a prepared server.  It must end by itself, with a failure and with
 * `why` in its log; `what` is told where it does not.
 */
static inline void
must_refuse(const struct server *server, const char *what, const char *why)
{
	const pid_t pid = server_fork(server);
	pid_t ended = 0;
	int status = 0, waited;
	char *text;

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
