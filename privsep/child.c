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

/*
 * With posternd -d its log is on descriptor 2, unmarked and unescaped: what
 * came up to here is for that, and nothing that a client may lead to.
 */
static void
leave_log(void)
{
#ifndef POSTERN_SANITIZED	/* a sanitizer's findings are to be seen */
	const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null == -1 || dup2(null, STDERR_FILENO) == -1)
		log_fatal("event=start error=\"/dev/null: %s\"",
		    strerror(errno));
	if (null != STDERR_FILENO)
		(void)close(null);
#endif
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
	leave_log();
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
