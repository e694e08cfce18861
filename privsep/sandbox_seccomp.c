/*
 * sandbox_seccomp.c - system call allow-lists on Linux.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.  What is not on the role's list or the base list kills the
 * process.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <unistd.h>

#include "ipc_messages.h"
#include "log.h"
#include "sandbox_filter.h"

/* abort() signals its own process; nobody else's may be. */
#define OWN_SIGNALS(pid)	CALL_IF(tgkill, 0, (uint32_t)(pid))

void
sandbox_harden(void)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		log_fatal("event=sandbox call=harden error=\"%s\"",
		    strerror(errno));
}

size_t
sandbox_rows(const struct sandbox_calls *calls, pid_t pid,
    struct sandbox_call *rows)
{
	const size_t shared = sandbox_base.count, own = calls->count;

	if (shared + own + 1 > SANDBOX_ROWS_MAX)
		return (0);
	memcpy(rows, sandbox_base.list, shared * sizeof(*rows));
	if (own > 0)
		memcpy(rows + shared, calls->list, own * sizeof(*rows));
	rows[shared + own] = (struct sandbox_call)OWN_SIGNALS(pid);
	return (shared + own + 1);
}

void
sandbox_enter(const struct sandbox_calls *calls, uint32_t without)
{
	struct sandbox_call rows[SANDBOX_ROWS_MAX];
	struct sandbox_filter filter;
	struct sock_fprog program;
	size_t count;

	if ((without & WITHOUT_SECCOMP) != 0) {
		log_line(LOG_WARNING, "event=sandbox without=seccomp");
		return;
	}
	count = sandbox_rows(calls, getpid(), rows);
	if (count == 0 || sandbox_filter_make(&filter, rows, count) == -1)
		log_fatal("event=sandbox error=\"a list of calls is too "
		    "long\"");
	program.len = (unsigned short)filter.length;
	program.filter = filter.code;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		log_fatal("event=sandbox error=\"seccomp: %s; this kernel "
		    "needs seccomp filters, or say 'without seccomp' in the "
		    "configuration\"", strerror(errno));
}
