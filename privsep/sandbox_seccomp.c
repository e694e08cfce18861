/*
 * sandbox_seccomp.c - system call allow-lists on Linux, by libseccomp.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock and
 * postern-mailbox; runs with their rights, never as root.
 * What is not on the role's list or the base list kills the process.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include "ipc_messages.h"
#include "log.h"
#include "sandbox.h"

/* What every process needs, whatever it does. */
static const struct sandbox_call base[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(close),
	CALL(sendmsg), CALL(recvmsg),		/* IPC and the log */
	CALL(ppoll),				/* waiting */
#ifdef __NR_poll
	CALL(poll),
#endif
	CALL(brk), CALL(munmap), CALL(mremap),	/* malloc */
	CALL_MASKED(mmap, 2, PROT_EXEC, 0),
	CALL_MASKED(mprotect, 2, PROT_EXEC, 0),
	CALL(madvise), CALL(futex),
	CALL(clock_gettime), CALL(gettimeofday), /* where there is no vDSO */
	CALL(getrandom),			/* malloc, random back-off */
	CALL(getpid), CALL(gettid),		/* abort(), with tgkill below */
	CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(rt_sigreturn),
	CALL(restart_syscall), CALL(exit), CALL(exit_group),
#ifdef POSTERN_SANITIZED
	/* The sanitizers' runtime; such a build is for tests alone. */
	CALL(sigaltstack), CALL(sched_yield), CALL(getrlimit),
	CALL(prlimit64), CALL(readlink), CALL(openat), CALL(open),
	CALL(mmap), CALL(mprotect), CALL(stat), CALL(fstat), CALL(lseek),
	CALL(newfstatat), CALL(sched_getaffinity), CALL(getuid),
	CALL(clone3), CALL(clone), CALL(prctl), CALL(ioctl),
	CALL(set_robust_list), CALL(rseq), CALL(nanosleep), CALL(wait4),
	CALL(process_vm_readv), CALL(personality), CALL(uname),
#endif
};

static int
add_calls(scmp_filter_ctx filter, const struct sandbox_call *list,
    size_t count)
{
	struct scmp_arg_cmp held;
	size_t i;
	int error = 0;

	for (i = 0; i < count && error == 0; i++) {
		held = (struct scmp_arg_cmp){ (unsigned int)list[i].argument,
		    SCMP_CMP_MASKED_EQ, list[i].mask, list[i].value };
		error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
		    list[i].number, list[i].argument == -1 ? 0 : 1, &held);
		if (error == -EEXIST)
			error = 0;
	}
	return (error);
}

/* abort() signals its own process; nobody else's may be. */
static int
add_own_signals(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp self = { 0, SCMP_CMP_EQ,
	    (scmp_datum_t)getpid(), 0 };

	return (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
	    SCMP_SYS(tgkill), 1, &self));
}

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

void
sandbox_enter(const struct sandbox_calls *calls, uint32_t without)
{
	scmp_filter_ctx filter;
	int error;

	if ((without & WITHOUT_SECCOMP) != 0) {
		log_line(LOG_WARNING, "event=sandbox without=seccomp");
		return;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	error = filter == NULL ? -ENOSYS :
	    add_calls(filter, base, sizeof(base) / sizeof(base[0]));
	if (error == 0)
		error = add_calls(filter, calls->list, calls->count);
	if (error == 0)
		error = add_own_signals(filter);
	if (error == 0)
		error = seccomp_load(filter);
	if (error != 0)
		log_fatal("event=sandbox error=\"seccomp: %s; this kernel "
		    "needs seccomp filters, or say 'without seccomp' in the "
		    "configuration\"", strerror(-error));
	seccomp_release(filter);
}
