/*
 * calls_base.c - what every process but the parent may ask of the system.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sandbox_filter.h"

/* What every process needs, whatever it does. */
static const struct sandbox_call list[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(close),
	/*
	 * IPC and the log.  Without sendmsg no descriptor can be sent: whoever
	 * gets one may have to wait for as long as a peer likes, to close it.
	 */
	CALL(recvmsg),
	CALL(ppoll),				/* waiting */
#ifdef __NR_poll
	CALL(poll),
#endif
	CALL(brk), CALL(munmap), CALL(mremap),	/* malloc */
	/*
	 * And no file: on a file system of the user's own, to read from such
	 * memory takes as long as they like.  Who writes from it to the mail
	 * pipe keeps net from that, and waiting, for so long.
	 */
	CALL_HELD(mmap, HELD(2, PROT_EXEC, 0),
	    HELD(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	CALL_MASKED(mprotect, 2, PROT_EXEC, 0),
	CALL(madvise), CALL(futex),
	CALL(clock_gettime), CALL(gettimeofday), /* where there is no vDSO */
#ifdef __NR_time
	CALL(time),
#endif
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

const struct sandbox_calls sandbox_base = { NULL, list,
    sizeof(list) / sizeof(list[0]) };
