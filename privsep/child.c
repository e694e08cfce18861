/*
 * child.c - what net, auth, store and lock begin with.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "sandbox.h"

/* A sanitizer's findings are to be seen. */
#ifdef POSTERN_SANITIZED
#define LEFT	STDERR_FILENO
#else
#define LEFT	(STDERR_FILENO + 1)
#endif

/*
 * The terminal that posternd was started from: who could type there would be
 * root.  A daemon has none.  Then there is none to leave, and no session is
 * made: Linux makes a group for its scheduler with each, which is a tenth of
 * what a login costs.
 */
static void
leave_session(void)
{
	const int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal == -1 && errno == ENXIO)
		return;
	if (setsid() == -1)
		log_fatal("event=start error=\"a session of its own: %s\"",
		    strerror(errno));
	if (terminal != -1)
		(void)close(terminal);
}

/*
 * With posternd -d its log is on descriptor 2, unmarked and unescaped: what
 * came up to here is for that, and nothing that a client may lead to.
 */
static void
leave_terminal(void)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd;

	for (fd = 0; fd < LEFT; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			log_fatal("event=start error=\"/dev/null: %s\"",
			    strerror(errno));
	if (null >= LEFT)
		(void)close(null);
	leave_session();
}

void
child_receive_settings(enum ipc_role role, const struct ipc_handler *handlers,
    size_t count, void *context)
{
	const struct ipc_channel channel = { ROLE_PARENT, role, handlers,
	    count };
	struct ipc_message message;
	const char *wrong;
	int got, started = 0;

	log_to_parent(CHILD_CONTROL);
	if (getuid() == 0 || geteuid() == 0)
		log_fatal("event=start error=\"will not run as root\"");
	leave_terminal();
	sandbox_harden();
	while (!started) {
		if ((got = ipc_receive(CHILD_CONTROL, &message)) == 0)
			exit(0);
		if (got == -1)
			log_fatal("event=start error=\"settings: %s\"",
			    strerror(errno));
		if (message.header.type == IPC_START) {
			wrong = ipc_check(&message, ROLE_PARENT, role,
			    PHASE_CONFIGURE);
			started = 1;
		} else
			wrong = ipc_dispatch(&channel, PHASE_CONFIGURE,
			    &message, context);
		if (wrong != NULL)
			log_fatal("event=start message=%s error=\"%s\"",
			    ipc_name(message.header.type), wrong);
		ipc_release(&message);
	}
}

void
child_report_started(void)
{
	if (ipc_send(CHILD_CONTROL, IPC_STARTED, 0, NULL, NULL) == -1)
		log_fatal("event=start error=\"%s\"", strerror(errno));
}

void
child_limit(unsigned int resource, unsigned long value)
{
	const struct rlimit limit = { value, value };

	if (setrlimit(resource, &limit) == -1)
		log_fatal("event=limit resource=%u error=\"%s\"", resource,
		    strerror(errno));
}
