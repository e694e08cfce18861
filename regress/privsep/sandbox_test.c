/*
 * sandbox_test.c - what each process may not do, by doing it.
 *
 * First in probes, which enter a role's sandbox and make one system call;
 * then in the real processes, which are made to execute one by a debugger;
 * then on a kernel (as far as the daemon can tell) that lacks a mechanism.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "log.h"
#include "processes.h"
#include "sandbox.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

enum { NET = 1, PASSWD = 2, SYSTEM = 4, STORE = 8, LOCK = 16,
    KEYS = 32, MAILBOX = 64, AUTHS = PASSWD | SYSTEM,
    ALL = NET | AUTHS | STORE | LOCK | KEYS };	/* of the daemon */

/* The sanitizers' runtime needs these: not forbidden in such builds. */
#ifdef POSTERN_SANITIZED
#define STRICT(roles)	0
#else
#define STRICT(roles)	(roles)
#endif

static const struct {
	int role;
	const char *name;
	const struct sandbox_calls *calls;
} roles[] = {
	{ NET, "net", &sandbox_net },
	{ PASSWD, "auth (passwd)", &sandbox_auth_passwd },
	{ SYSTEM, "auth (system)", &sandbox_auth_system },
	{ STORE, "store", &sandbox_store },
	{ LOCK, "lock", &sandbox_lock },
	{ KEYS, "keys", &sandbox_keys },
	{ MAILBOX, "mailbox", &sandbox_mailbox },
};

struct call {
	const char *name;
	int roles;
	long number;
	long arguments[6];
};

#define PATH(text)	((long)(uintptr_t)(text))
#define OTHER_PID	1	/* it always runs */

/*
 * Arguments are such that a call which does get through does no harm; it
 * fails by them, and the probe goes on.
 */
static const struct call forbidden[] = {
	/* the network */
	{ "socket(AF_INET)", ALL, SYS_socket, { AF_INET, SOCK_STREAM } },
	{ "socket(AF_INET6)", ALL, SYS_socket, { AF_INET6, SOCK_STREAM } },
	{ "socket(AF_NETLINK)", ALL, SYS_socket, { AF_NETLINK, SOCK_RAW } },
	{ "socket(AF_UNIX)", ALL, SYS_socket, { AF_UNIX, SOCK_STREAM } },
	{ "connect", ALL, SYS_connect, { -1 } },
	{ "bind", ALL, SYS_bind, { -1 } },
	{ "listen", ALL, SYS_listen, { -1 } },
	{ "accept4", ALL & ~NET, SYS_accept4, { -1 } },
	{ "recvfrom", ALL & ~NET, SYS_recvfrom, { -1 } },
	{ "sendto", ALL & ~NET, SYS_sendto, { -1 } },
	/* descriptors, which their receiver would have to close */
	{ "sendmsg", ALL, SYS_sendmsg, { -1 } },
	{ "sendto(MSG_FASTOPEN)", NET, SYS_sendto,
	    { -1, 0, 0, MSG_NOSIGNAL | MSG_FASTOPEN } },
	{ "sendmmsg", ALL, SYS_sendmmsg, { -1 } },
	/* the sockets that clients connect to, which other nets have, too */
	{ "shutdown(SHUT_RD)", ALL, SYS_shutdown, { -1, SHUT_RD } },
	{ "shutdown(SHUT_RDWR)", ALL, SYS_shutdown, { -1, SHUT_RDWR } },
	{ "setsockopt", ALL, SYS_setsockopt, { -1 } },
	{ "fcntl(F_SETFL)", ALL & ~LOCK, SYS_fcntl, { -1, F_SETFL, 0 } },
	{ "splice", ALL & ~NET, SYS_splice, { -1, 0, -1, 0, 0,
	    SPLICE_F_NONBLOCK } },
	{ "splice(SPLICE_F_GIFT)", NET, SYS_splice, { -1, 0, -1, 0, 0,
	    SPLICE_F_NONBLOCK | SPLICE_F_GIFT } },
	/* other programs and processes */
	{ "execve", ALL, SYS_execve, { 0 } },
	{ "execveat", ALL, SYS_execveat, { -1 } },
#ifdef SYS_fork
	{ "fork", ALL, SYS_fork, { 0 } },
#endif
	{ "clone", STRICT(ALL), SYS_clone, { SIGCHLD } },
	{ "clone3", STRICT(ALL), SYS_clone3, { 0 } },
	{ "ptrace", ALL, SYS_ptrace, { PTRACE_ATTACH, OTHER_PID } },
	{ "process_vm_readv", STRICT(ALL), SYS_process_vm_readv,
	    { OTHER_PID } },
	{ "process_vm_writev", ALL, SYS_process_vm_writev, { OTHER_PID } },
	{ "pidfd_open", ALL, SYS_pidfd_open, { -1 } },
	{ "kill(0)", ALL & ~STORE, SYS_kill, { OTHER_PID, 0 } },
	{ "kill(SIGTERM)", ALL, SYS_kill, { OTHER_PID, SIGTERM } },
	{ "kill(SIGKILL)", ALL, SYS_kill, { OTHER_PID, SIGKILL } },
	{ "kill of all", ALL, SYS_kill, { -1, SIGKILL } },
	{ "tkill", ALL, SYS_tkill, { OTHER_PID, 0 } },
	{ "tgkill of another", ALL, SYS_tgkill, { OTHER_PID, OTHER_PID, 0 } },
	{ "rt_sigqueueinfo", ALL, SYS_rt_sigqueueinfo, { OTHER_PID, 0, 0 } },
	{ "fcntl(F_SETOWN)", ALL, SYS_fcntl, { -1, F_SETOWN, OTHER_PID } },
	{ "fcntl(F_SETSIG)", ALL, SYS_fcntl, { -1, F_SETSIG, SIGKILL } },
	{ "shmget", ALL, SYS_shmget, { -1, 0, 0 } },
	{ "prlimit64", STRICT(ALL), SYS_prlimit64, { OTHER_PID, 99 } },
	/* rights */
	{ "setuid", ALL, SYS_setuid, { 0 } },
	{ "setgid", ALL, SYS_setgid, { 0 } },
	{ "setresuid", ALL, SYS_setresuid, { 0, 0, 0 } },
	{ "setgroups", ALL, SYS_setgroups, { 0, 0 } },
	{ "capset", ALL, SYS_capset, { 0 } },
	{ "prctl", STRICT(ALL), SYS_prctl, { -1 } },
	{ "setrlimit", ALL, SYS_setrlimit, { 99, 0 } },
	{ "keyctl", ALL, SYS_keyctl, { -1 } },
	/* the machine */
	{ "mount", ALL, SYS_mount, { 0 } },
	{ "umount2", ALL, SYS_umount2, { 0 } },
	{ "chroot", ALL, SYS_chroot, { 0 } },
	{ "pivot_root", ALL, SYS_pivot_root, { 0 } },
	{ "unshare", ALL, SYS_unshare, { CLONE_NEWUSER } },
	{ "setns", ALL, SYS_setns, { -1 } },
	{ "bpf", ALL, SYS_bpf, { -1 } },
	{ "perf_event_open", ALL, SYS_perf_event_open, { 0 } },
	{ "io_uring_setup", ALL, SYS_io_uring_setup, { 0, 0 } },
	{ "userfaultfd", ALL, SYS_userfaultfd, { -1 } },
	{ "init_module", ALL, SYS_init_module, { 0 } },
	{ "reboot", ALL, SYS_reboot, { 0 } },
	{ "ioctl", STRICT(ALL), SYS_ioctl, { -1, 0 } },
	/* files */
#ifdef SYS_open
	{ "open", STRICT(ALL), SYS_open, { PATH("/"), O_RDONLY } },
	{ "creat", ALL, SYS_creat, { PATH("") } },
#endif
	{ "openat", STRICT(NET | LOCK | KEYS), SYS_openat,
	    { AT_FDCWD, PATH("/"), 0 } },
	{ "openat(O_WRONLY)", STRICT(NET | AUTHS | LOCK | KEYS), SYS_openat,
	    { AT_FDCWD, PATH(""), O_WRONLY } },
	{ "openat(O_RDWR)", STRICT(NET | AUTHS | LOCK | KEYS), SYS_openat,
	    { AT_FDCWD, PATH(""), O_RDWR } },
	{ "openat(O_CREAT)", STRICT(NET | AUTHS | LOCK | KEYS), SYS_openat,
	    { AT_FDCWD, PATH(""), O_CREAT } },
	{ "openat(O_TRUNC)", STRICT(NET | AUTHS | LOCK | KEYS), SYS_openat,
	    { AT_FDCWD, PATH(""), O_TRUNC } },
	/* A lock is a new file, and one to write: all else may be mail. */
	{ "openat(O_WRONLY | O_CREAT)", STRICT(LOCK), SYS_openat,
	    { AT_FDCWD, PATH(""), O_WRONLY | O_CREAT } },
	{ "openat(O_WRONLY | O_EXCL)", STRICT(LOCK), SYS_openat,
	    { AT_FDCWD, PATH(""), O_WRONLY | O_EXCL } },
	{ "openat(O_RDWR | O_CREAT | O_EXCL)", STRICT(LOCK), SYS_openat,
	    { AT_FDCWD, PATH(""), O_RDWR | O_CREAT | O_EXCL } },
	{ "openat(O_PATH)", STRICT(NET | LOCK | KEYS), SYS_openat,
	    { AT_FDCWD, PATH("/"), O_PATH } },
	{ "openat(O_PATH) of a new file", STRICT(LOCK), SYS_openat,
	    { AT_FDCWD, PATH("/"), O_WRONLY | O_CREAT | O_EXCL | O_PATH } },
	{ "openat2", ALL, SYS_openat2, { -1 } },
	{ "unlinkat", NET | AUTHS | KEYS, SYS_unlinkat, { -1 } },
	{ "renameat2", NET | AUTHS | KEYS, SYS_renameat2, { -1 } },
	{ "renameat2(RENAME_EXCHANGE)", ALL, SYS_renameat2,
	    { -1, PATH(""), -1, PATH(""), 2 } },
	{ "ftruncate", NET | AUTHS | LOCK | KEYS, SYS_ftruncate, { -1 } },
	{ "pwrite64", NET | AUTHS | KEYS, SYS_pwrite64, { -1 } },
	{ "pread64", STRICT(NET | LOCK | KEYS), SYS_pread64, { -1 } },
	{ "getdents64", STRICT(ALL & ~STORE), SYS_getdents64, { -1 } },
	{ "fcntl(F_SETLK)", NET | AUTHS | LOCK | KEYS, SYS_fcntl,
	    { -1, F_SETLK, 0 } },
	{ "fcntl(F_DUPFD)", STRICT(LOCK), SYS_fcntl, { -1, F_DUPFD, 0 } },
	{ "flock", NET | AUTHS | LOCK | KEYS, SYS_flock, { -1 } },
	{ "utimensat", NET | AUTHS | KEYS, SYS_utimensat, { -1 } },
	{ "utimensat of a path", ALL | MAILBOX, SYS_utimensat,
	    { AT_FDCWD, PATH("") } },
	{ "utimensat of a low path", ALL | MAILBOX, SYS_utimensat,
	    { AT_FDCWD, 0x1000 } },
	{ "utimensat of a high path", ALL | MAILBOX, SYS_utimensat,
	    { AT_FDCWD, 0x100000000 } },
	{ "setitimer", ALL & ~STORE, SYS_setitimer, { 99 } },
	{ "mkdirat", ALL, SYS_mkdirat, { -1, PATH(""), 0 } },
	{ "truncate", ALL, SYS_truncate, { PATH(""), 0 } },
	{ "linkat", NET | AUTHS | KEYS, SYS_linkat, { -1 } },
	{ "symlinkat", ALL, SYS_symlinkat, { 0, -1, 0 } },
	{ "mknodat", ALL, SYS_mknodat, { -1 } },
	{ "fchmod", ALL, SYS_fchmod, { -1, 0 } },
	{ "fchownat", ALL, SYS_fchownat, { -1 } },
	{ "memfd_create", ALL, SYS_memfd_create, { 0, -1 } },
	/* new code */
	{ "mmap(PROT_EXEC)", STRICT(ALL), SYS_mmap, { 0, 4096,
	    PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ "mmap(PROT_WRITE | PROT_EXEC)", STRICT(ALL), SYS_mmap, { 0, 4096,
	    PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ "mprotect(PROT_EXEC)", STRICT(ALL), SYS_mprotect,
	    { 0, 4096, PROT_READ | PROT_EXEC } },
	/* memory, and mail, that may take long to be read */
	{ "mmap of a file", STRICT(ALL | MAILBOX), SYS_mmap,
	    { 0, 4096, PROT_READ, MAP_PRIVATE, -1 } },
	{ "mmap of a shared file", STRICT(ALL | MAILBOX), SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, -1 } },
	{ "remap_file_pages", ALL | MAILBOX, SYS_remap_file_pages, { 0 } },
	{ "shmat", ALL | MAILBOX, SYS_shmat, { -1 } },
	{ "vmsplice", ALL | MAILBOX, SYS_vmsplice, { -1 } },
	{ "tee", ALL | MAILBOX, SYS_tee, { -1, -1 } },
	{ "sendfile", ALL | MAILBOX, SYS_sendfile, { -1, -1 } },
	{ "copy_file_range", ALL | MAILBOX, SYS_copy_file_range, { -1, 0,
	    -1 } },
	{ "seccomp", ALL, SYS_seccomp, { -1 } },
#ifdef __x86_64__
	/* getpid of the x32 interface: other numbers are no way around */
	{ "x32 getpid", ALL, 0x40000000L | SYS_getpid, { 0 } },
#endif
};

static const struct call allowed[] = {
	{ "read", ALL, SYS_read, { -1 } },
	{ "write", ALL, SYS_write, { -1 } },
	{ "recvmsg", ALL, SYS_recvmsg, { -1 } },
	{ "writev", ALL, SYS_writev, { -1 } },
	{ "close", ALL, SYS_close, { -1 } },
	{ "getpid", ALL, SYS_getpid, { 0 } },
	{ "clock_gettime", ALL, SYS_clock_gettime, { -1 } },
	{ "gettimeofday", ALL, SYS_gettimeofday, { 0 } },
#ifdef SYS_time
	{ "time", ALL | MAILBOX, SYS_time, { 0 } },
#endif
	{ "getrandom", ALL, SYS_getrandom, { 0, 0, 0 } },
	{ "brk", ALL, SYS_brk, { 0 } },
	{ "mmap", ALL | MAILBOX, SYS_mmap, { 0, 4096,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ "mprotect", ALL, SYS_mprotect, { 0, 0, PROT_READ } },
	{ "accept4", NET, SYS_accept4, { -1 } },
	{ "recvfrom", NET, SYS_recvfrom, { -1 } },
	{ "sendto", NET, SYS_sendto, { -1, 0, 0, MSG_NOSIGNAL | MSG_MORE } },
	{ "shutdown(SHUT_WR)", NET, SYS_shutdown, { -1, SHUT_WR } },
	{ "splice", NET, SYS_splice, { -1, 0, -1, 0, 0, SPLICE_F_NONBLOCK |
	    SPLICE_F_MORE } },
	{ "epoll_ctl", NET, SYS_epoll_ctl, { -1 } },
	{ "flock", STORE, SYS_flock, { -1 } },
	{ "kill(0)", STORE, SYS_kill, { OTHER_PID, 0 } },
	{ "setitimer", STORE, SYS_setitimer, { 99 } },
	{ "uname", STORE | LOCK, SYS_uname, { 0 } },
	{ "linkat", STORE | LOCK, SYS_linkat, { -1 } },
	{ "unlinkat", STORE | LOCK, SYS_unlinkat, { -1, PATH(""), 0 } },
	{ "renameat2", STORE | LOCK, SYS_renameat2,
	    { -1, PATH(""), -1, PATH(""), 0 } },
	{ "utimensat", STORE | LOCK | MAILBOX, SYS_utimensat, { -1 } },
	{ "newfstatat", STORE | LOCK, SYS_newfstatat, { -1, PATH("") } },
	{ "openat(O_WRONLY | O_CREAT | O_EXCL)", STORE | LOCK, SYS_openat,
	    { AT_FDCWD, PATH(""), O_WRONLY | O_CREAT | O_EXCL } },
	{ "openat(O_RDONLY)", AUTHS | STORE, SYS_openat,
	    { AT_FDCWD, PATH("/"), O_RDONLY | O_CLOEXEC } },
	{ "openat(O_RDWR)", STORE, SYS_openat,
	    { AT_FDCWD, PATH(""), O_RDWR } },
	{ "pwrite64", STORE | LOCK, SYS_pwrite64, { -1 } },
	{ "ftruncate", STORE, SYS_ftruncate, { -1 } },
	{ "fsync", STORE, SYS_fsync, { -1 } },
	{ "fcntl(F_SETLK)", STORE, SYS_fcntl, { -1, F_SETLK, 0 } },
	{ "fcntl(F_SETFL)", LOCK, SYS_fcntl, { -1, F_SETFL, 0 } },
};

static void
become(uid_t uid)
{
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1))
		_exit(99);
}

static int
wait_for(pid_t pid)
{
	int status;

	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	return (status);
}

/* The wait status of a process that makes this call in that sandbox. */
static int
probe(const struct sandbox_calls *calls, const struct call *call)
{
	const long *a = call->arguments;
	pid_t pid;

	(void)fflush(NULL);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		become(64102);
		log_to_stderr("probe");
		sandbox_harden();
		sandbox_enter(calls, 0);
		(void)syscall(call->number, a[0], a[1], a[2], a[3], a[4],
		    a[5]);
		(void)syscall(SYS_exit_group, 0);
	}
	return (wait_for(pid));
}

static int
killed_by_sandbox(int status)
{
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void
probe_all(const struct call *calls, size_t count, int to_die)
{
	size_t role, i;
	int status, good;

	for (role = 0; role < COUNT(roles); role++)
		for (i = 0; i < count; i++) {
			if ((calls[i].roles & roles[role].role) == 0)
				continue;
			status = probe(roles[role].calls, &calls[i]);
			good = to_die ? killed_by_sandbox(status) :
			    status == 0;
			ATF_CHECK_MSG(good, "%s: %s: wait status %#x",
			    roles[role].name, calls[i].name,
			    (unsigned int)status);
		}
}

ATF_TC_WITHOUT_HEAD(forbidden_calls);
ATF_TC_BODY(forbidden_calls, tc)
{
	(void)tc;
	probe_all(forbidden, COUNT(forbidden), 1);
}

ATF_TC_WITHOUT_HEAD(allowed_calls);
ATF_TC_BODY(allowed_calls, tc)
{
	(void)tc;
	probe_all(allowed, COUNT(allowed), 0);
}

#ifdef __x86_64__

/* The wait status of a process that calls by the old 32-bit door. */
static int
probe_foreign(const struct sandbox_calls *calls)
{
	long number = 20;	/* getpid there, writev here */
	pid_t pid;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		log_to_stderr("probe");
		sandbox_harden();
		if (calls != NULL)
			sandbox_enter(calls, 0);
		__asm__ volatile("int $0x80" : "+a"(number) : : "memory",
		    "r8", "r9", "r10", "r11");
		(void)syscall(SYS_exit_group, 0);
	}
	return (wait_for(pid));
}

ATF_TC_WITHOUT_HEAD(foreign_calls);
ATF_TC_BODY(foreign_calls, tc)
{
	size_t role;
	int status;

	(void)tc;
	if (probe_foreign(NULL) != 0)
		atf_tc_skip("this kernel has no 32-bit calls");
	for (role = 0; role < COUNT(roles); role++) {
		status = probe_foreign(roles[role].calls);
		ATF_CHECK_MSG(killed_by_sandbox(status), "%s: %#x",
		    roles[role].name, (unsigned int)status);
	}
}

#endif

/* What fred's store is asked to open; paths below the scratch directory. */
static const struct opened_row {
	const char *path;
	int flags;
	int error;		/* 0: it may */
} opened[] = {
	{ "spool/fred",			O_RDWR,			0 },
	{ "home/fred/mail",		O_RDONLY | O_DIRECTORY,	0 },
	{ "home/fred/mail/work",	O_RDWR,			0 },
	{ "state/*.fred/journal",	O_RDWR | O_CREAT,	0 },
	{ "spool/ann",			O_RDONLY,		EACCES },
	{ "spool/ann",			O_WRONLY,		EACCES },
	{ "home/ann/letter",		O_RDONLY,		EACCES },
	{ "home/fred/.profile",		O_RDONLY,		EACCES },
	{ "home/fred/.profile",		O_WRONLY | O_TRUNC,	EACCES },
	{ "home/fred/mail/escape",	O_RDONLY,		EACCES },
	{ "home/fred/mail/new",		O_RDWR | O_CREAT,	0 },
	{ "home/fred/new",		O_RDWR | O_CREAT,	EACCES },
	{ "spool/fred.new",		O_RDWR | O_CREAT,	EACCES },
	{ "spool",			O_RDONLY | O_DIRECTORY,	EACCES },
	{ "/etc/passwd",		O_RDONLY,		EACCES },
	{ "/proc/self/status",		O_RDONLY,		EACCES },
	{ "/dev/null",			O_RDWR,			EACCES },
	{ "/",				O_RDONLY | O_DIRECTORY,	EACCES },
};

static const char mail[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\nSubject: one\n\nfirst\n";

static const char *
fred_state(const struct server *server)
{
	static char path[300];

	(void)snprintf(path, sizeof(path), "%s/state/%u.fred",
	    server->directory, server->privileged ? FRED_UID :
	    (unsigned int)getuid());
	return (path);
}

static void
path_of(const struct server *server, const struct opened_row *row, char *path,
    size_t size)
{
	const char *star = strchr(row->path, '*');

	if (star != NULL)
		(void)snprintf(path, size, "%s/journal", fred_state(server));
	else if (row->path[0] == '/')
		(void)snprintf(path, size, "%s", row->path);
	else
		(void)snprintf(path, size, "%s/%s", server->directory,
		    row->path);
}

/* Files that fred's uid may open, by their modes, all of them. */
static void
make_files(const struct server *server)
{
	char path[400];

	mailbox_write(server, FRED, mail, strlen(mail));
	mailbox_write(server, ANN, mail, strlen(mail));
	ATF_REQUIRE(chmod(mailbox_path(server, ANN), 0666) == 0);
	folder_write(server, ANN, "letter", mail, strlen(mail));
	(void)snprintf(path, sizeof(path), "%s/home/ann/letter",
	    server->directory);
	ATF_REQUIRE(chmod(path, 0666) == 0);
	folder_write(server, FRED, ".profile", mail, strlen(mail));
	folder_write(server, FRED, "mail/work", mail, strlen(mail));
	(void)snprintf(path, sizeof(path), "%s/home/fred/mail/escape",
	    server->directory);
	ATF_REQUIRE(symlink("../.profile", path) == 0);
	(void)snprintf(path, sizeof(path), "%s/spool", server->directory);
	ATF_REQUIRE(chmod(path, 0777) == 0);
}

/* In fred's state directory, as the daemon makes it at a login. */
static void
make_state(const struct server *server)
{
	ATF_REQUIRE(mkdir(fred_state(server), 0700) == 0);
	if (server->privileged)
		ATF_REQUIRE(chown(fred_state(server), FRED_UID, FRED_UID) ==
		    0);
}

/* As mailstore/store.c does. */
static void
enclose_as_store(const struct server *server)
{
	char maildrop[300], root[300], state[300];
	const struct sandbox_path paths[] = {
		{ maildrop, SANDBOX_CREATE },
		{ root, SANDBOX_CREATE },
		{ state, SANDBOX_CREATE },
	};

	(void)snprintf(maildrop, sizeof(maildrop), "%s/spool/fred",
	    server->directory);
	(void)snprintf(root, sizeof(root), "%s/home/fred/mail",
	    server->directory);
	(void)strlcpy(state, fred_state(server), sizeof(state));
	log_to_stderr("probe");
	sandbox_harden();
	sandbox_files(paths, COUNT(paths), 0);
}

/* What opening it as fred gives: 0, or the error. */
static int
open_as_fred(const struct server *server, const struct opened_row *row,
    int enclosed)
{
	char path[400];
	int status;
	pid_t pid;

	path_of(server, row, path, sizeof(path));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		become(FRED_UID);
		if (enclosed)
			enclose_as_store(server);
		_exit(open(path, row->flags, 0600) != -1 ? 0 : errno);
	}
	status = wait_for(pid);
	ATF_REQUIRE(WIFEXITED(status));
	/* A file that was made is made anew the next time. */
	if ((row->flags & O_CREAT) != 0)
		(void)unlink(path);
	return (WEXITSTATUS(status));
}

static void
uid_could_open(const struct server *server)
{
	size_t i;

	for (i = 0; i < COUNT(opened); i++)
		ATF_REQUIRE_MSG(open_as_fred(server, &opened[i], 0) == 0,
		    "without a sandbox too, %s cannot be opened",
		    opened[i].path);
}

ATF_TC_WITHOUT_HEAD(landlock_of_a_store);
ATF_TC_BODY(landlock_of_a_store, tc)
{
	struct server server;
	size_t i;
	int error;

	(void)tc;
	server_prepare(&server, NULL);
	make_files(&server);
	make_state(&server);
	uid_could_open(&server);
	for (i = 0; i < COUNT(opened); i++) {
		error = open_as_fred(&server, &opened[i], 1);
		ATF_CHECK_MSG(error == opened[i].error, "%s: %s, expected %s",
		    opened[i].path, strerror(error),
		    strerror(opened[i].error));
	}
}

/* What postern-lock is to do with a path below the scratch directory. */
enum deed { MAKE, REMOVE, READ, TRUNCATE, LIST, LINK_HERE, LINK_FROM, RENAME,
    RENAME_FROM, SYMLINK, DIRECTORY, FIFO };

static const struct deed_row {
	const char *path;
	enum deed deed;
	int error;		/* in the sandbox; 0: it may */
	int other;		/* what the kernel may say instead */
} deeds[] = {
	{ "spool/new",		MAKE,		0,	0 },
	{ "spool/ann",		REMOVE,		0,	0 },
	{ "spool/ann",		LINK_HERE,	0,	0 },
	{ "spool/ann",		RENAME,		0,	0 },
	{ "spool/ann",		READ,		EACCES,	0 },
	{ "spool/ann",		TRUNCATE,	EACCES,	0 },
	{ "spool",		LIST,		EACCES,	0 },
	{ "spool/new",		SYMLINK,	EACCES,	0 },
	{ "spool/new",		DIRECTORY,	EACCES,	0 },
	{ "spool/new",		FIFO,		EACCES,	0 },
	{ "home/ann/new",	MAKE,		EACCES,	0 },
	{ "home/ann/letter",	REMOVE,		EACCES,	0 },
	{ "home/ann/letter",	READ,		EACCES,	0 },
	{ "home/ann/letter",	TRUNCATE,	EACCES,	0 },
	{ "home/ann/letter",	LINK_FROM,	EACCES,	EXDEV },
	{ "home/ann/letter",	RENAME_FROM,	EACCES,	EXDEV },
	{ "new",		MAKE,		EACCES,	0 },
	{ "libexec/postern-net", READ,		EACCES,	0 },
	{ "/etc/passwd",	READ,		EACCES,	0 },
	{ "/",			LIST,		EACCES,	0 },
};

/* Does it; both paths are absolute.  0, or -1 with errno. */
static int
do_deed(enum deed deed, const char *path, const char *in_spool)
{
	switch (deed) {
	case MAKE:
		return (open(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
	case REMOVE:
		return (unlink(path));
	case READ:
		return (open(path, O_RDONLY));
	case TRUNCATE:
		return (open(path, O_WRONLY | O_TRUNC));
	case LIST:
		return (open(path, O_RDONLY | O_DIRECTORY));
	case LINK_HERE:
	case LINK_FROM:
		return (link(path, in_spool));
	case RENAME:
	case RENAME_FROM:
		return (rename(path, in_spool));
	case SYMLINK:
		return (symlink("ann", path));
	case DIRECTORY:
		return (mkdir(path, 0755));
	default:
		return (mkfifo(path, 0644));
	}
}

/* As privsep/spool_lock.c does. */
static void
enclose_as_lock(const char *spool)
{
	const struct sandbox_path paths[] = { { spool, SANDBOX_NAMES } };

	log_to_stderr("probe");
	sandbox_harden();
	sandbox_files(paths, COUNT(paths), 0);
}

/* The files that the deeds are done to, anew. */
static void
set_scene(const struct server *server)
{
	static const char *const swept[] = { "spool/new", "spool/other",
	    "home/ann/new", "new", "home/fred/mail/escape" };
	char path[400];
	size_t i;

	for (i = 0; i < COUNT(swept); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", server->directory,
		    swept[i]);
		(void)unlink(path);
		(void)rmdir(path);
	}
	make_files(server);
	(void)snprintf(path, sizeof(path), "%s/home/ann", server->directory);
	ATF_REQUIRE(chmod(path, 0777) == 0);
	ATF_REQUIRE(chmod(server->directory, 0777) == 0);
}

static int
deed_as_ann(const struct server *server, const struct deed_row *row,
    int enclosed)
{
	char path[400], spool[300], in_spool[320];
	int status;
	pid_t pid;

	set_scene(server);
	(void)snprintf(path, sizeof(path), "%s%s%s", row->path[0] == '/' ?
	    "" : server->directory, row->path[0] == '/' ? "" : "/",
	    row->path);
	(void)snprintf(spool, sizeof(spool), "%s/spool", server->directory);
	(void)snprintf(in_spool, sizeof(in_spool), "%s/other", spool);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		become(ANN_UID);
		if (enclosed)
			enclose_as_lock(spool);
		_exit(do_deed(row->deed, path, in_spool) != -1 ? 0 : errno);
	}
	status = wait_for(pid);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/*
 * Names in the spool are made and removed, and that is all: nothing is read,
 * and nothing goes on elsewhere, whatever the uid could do.
 */
ATF_TC_WITHOUT_HEAD(landlock_of_lock);
ATF_TC_BODY(landlock_of_lock, tc)
{
	struct server server;
	size_t i;
	int error;

	(void)tc;
	server_prepare(&server, NULL);
	for (i = 0; i < COUNT(deeds); i++) {
		error = deed_as_ann(&server, &deeds[i], 0);
		ATF_REQUIRE_EQ_MSG(0, error, "without a sandbox too, deed %u "
		    "on %s: %s", deeds[i].deed, deeds[i].path,
		    strerror(error));
		error = deed_as_ann(&server, &deeds[i], 1);
		ATF_CHECK_MSG(error == deeds[i].error || (error != 0 &&
		    error == deeds[i].other), "deed %u on %s: %s, expected "
		    "%s", deeds[i].deed, deeds[i].path, strerror(error),
		    strerror(deeds[i].error));
	}
}

#ifdef __x86_64__

#define ATTEMPTS	100

/*
 * A stopped process of the daemon, at the end of a system call that waits.
 * `saved` is what it goes on with.
 */
struct remote {
	pid_t pid;
	struct user_regs_struct saved;
};

/* Waits until it stops or ends; its wait status. */
static int
remote_wait(pid_t pid)
{
	int64_t began = clock_ms();
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG | __WALL)) == 0) {
		ATF_REQUIRE_MSG(clock_ms() - began < 10000,
		    "process %d does not stop", (int)pid);
		pause_ms(1);
	}
	ATF_REQUIRE_MSG(got == pid, "waitpid: %s", strerror(errno));
	return (status);
}

/* Is it in a system call?  Then the instruction is behind its rip. */
static int
in_call(const struct remote *remote)
{
	long code;

	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, remote->pid,
	    (void *)(uintptr_t)(remote->saved.rip - 2), NULL);
	return (errno == 0 && (code & 0xffff) == 0x050f);
}

static void
remote_stop(struct remote *remote, pid_t pid)
{
	int attempt;

	remote->pid = pid;
	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (ptrace(PTRACE_SEIZE, pid, NULL,
		    (void *)PTRACE_O_TRACESYSGOOD) == -1)
			atf_tc_skip("ptrace is not allowed here: %s",
			    strerror(errno));
		ATF_REQUIRE(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0);
		ATF_REQUIRE(WIFSTOPPED(remote_wait(pid)));
		ATF_REQUIRE(ptrace(PTRACE_GETREGS, pid, NULL,
		    &remote->saved) == 0);
		if (in_call(remote))
			return;
		ATF_REQUIRE(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0);
		pause_ms(5);
	}
	atf_tc_fail("process %d never waits", (int)pid);
}

/* Writes a text where the process may forget it; its address there. */
static long
remote_text(const struct remote *remote, const char *text)
{
	/* Below the stack, and what the compiler may use below that. */
	uintptr_t to = (uintptr_t)remote->saved.rsp - 128 - 600;
	char copy[512];
	struct iovec from = { copy, sizeof(copy) };
	struct iovec there = { (void *)to, sizeof(copy) };

	memset(copy, 0, sizeof(copy));
	(void)strlcpy(copy, text, sizeof(copy));
	ATF_REQUIRE(process_vm_writev(remote->pid, &from, 1, &there, 1, 0) ==
	    (ssize_t)sizeof(copy));
	return ((long)to);
}

/*
 * Makes it execute a system call; `result` is what that returned.  Returns
 * 0, or the signal that it died of.
 */
static int
remote_call(const struct remote *remote, const struct call *call,
    long *result)
{
	struct user_regs_struct now = remote->saved;
	int status, stops;

	now.rip -= 2;
	now.rax = (unsigned long long)call->number;
	now.orig_rax = ~0ULL;		/* nothing is to be restarted */
	now.rdi = (unsigned long long)call->arguments[0];
	now.rsi = (unsigned long long)call->arguments[1];
	now.rdx = (unsigned long long)call->arguments[2];
	now.r10 = (unsigned long long)call->arguments[3];
	now.r8 = (unsigned long long)call->arguments[4];
	now.r9 = (unsigned long long)call->arguments[5];
	ATF_REQUIRE(ptrace(PTRACE_SETREGS, remote->pid, NULL, &now) == 0);
	for (stops = 0; stops < 2;) {
		ATF_REQUIRE(ptrace(PTRACE_SYSCALL, remote->pid, NULL, NULL) ==
		    0);
		status = remote_wait(remote->pid);
		if (WIFSIGNALED(status))
			return (WTERMSIG(status));
		ATF_REQUIRE_MSG(WIFSTOPPED(status), "it ended: %#x",
		    (unsigned int)status);
		stops += WSTOPSIG(status) == (SIGTRAP | 0x80);
	}
	ATF_REQUIRE(ptrace(PTRACE_GETREGS, remote->pid, NULL, &now) == 0);
	*result = (long)now.rax;
	return (0);
}

/* It is to go on as if its waiting had been interrupted. */
static void
remote_restore(const struct remote *remote)
{
	struct user_regs_struct now = remote->saved;

	now.rax = (unsigned long long)-(long long)EINTR;
	now.orig_rax = ~0ULL;
	ATF_REQUIRE(ptrace(PTRACE_SETREGS, remote->pid, NULL, &now) == 0);
}

static void
remote_release(const struct remote *remote)
{
	remote_restore(remote);
	ATF_REQUIRE(ptrace(PTRACE_DETACH, remote->pid, NULL, NULL) == 0);
}

/* The signal that it died of within a second, or 0: then it is let go. */
static int
remote_death(const struct remote *remote)
{
	int status, waited;

	remote_restore(remote);
	ATF_REQUIRE(ptrace(PTRACE_CONT, remote->pid, NULL, NULL) == 0);
	for (waited = 0; waited < 1000; waited++) {
		if (waitpid(remote->pid, &status, WNOHANG | __WALL) ==
		    remote->pid)
			return (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		pause_ms(1);
	}
	return (0);
}

/* In the running process: an allowed call returns, then this one kills. */
static void
kill_by_call(pid_t pid, const struct call *call)
{
	static const struct call harmless = { "getpid", ALL, SYS_getpid,
	    { 0 } };
	struct remote remote;
	long result = 0;
	int died;

	remote_stop(&remote, pid);
	died = remote_call(&remote, &harmless, &result);
	ATF_REQUIRE_MSG(died == 0 && result == (long)pid,
	    "getpid in process %d: signal %d, result %ld", (int)pid, died,
	    result);
	died = remote_call(&remote, call, &result);
	/* The kernel reports the call's end before the process dies of it. */
	if (died == 0)
		died = remote_death(&remote);
	ATF_REQUIRE_MSG(died == SIGSYS, "%s in process %d: signal %d, result "
	    "%ld, expected death by SIGSYS", call->name, (int)pid, died,
	    result);
}

static const struct live_row {
	const char *program;
	struct call call;
} live[] = {
	{ "postern-net", { "execve", NET, SYS_execve, { 0 } } },
	{ "postern-net", { "socket", NET, SYS_socket, { AF_INET, 1 } } },
#ifndef POSTERN_SANITIZED
	{ "postern-net", { "openat", NET, SYS_openat, { AT_FDCWD } } },
	{ "postern-auth", { "clone", AUTHS, SYS_clone, { SIGCHLD } } },
#endif
	{ "postern-auth", { "socket", AUTHS, SYS_socket, { AF_INET, 1 } } },
	{ "postern-auth", { "execve", AUTHS, SYS_execve, { 0 } } },
	{ "postern-store", { "execve", STORE, SYS_execve, { 0 } } },
	{ "postern-store", { "socket", STORE, SYS_socket, { AF_INET, 1 } } },
	{ "postern-store", { "setuid", STORE, SYS_setuid, { 0 } } },
	{ "postern-store", { "kill", STORE, SYS_kill, { OTHER_PID,
	    SIGTERM } } },
	{ "postern-lock", { "execve", LOCK, SYS_execve, { 0 } } },
	{ "postern-lock", { "socket", LOCK, SYS_socket, { AF_INET, 1 } } },
	{ "postern-lock", { "kill", LOCK, SYS_kill, { OTHER_PID, 0 } } },
#ifndef POSTERN_SANITIZED
	{ "postern-lock", { "openat", LOCK, SYS_openat, { AT_FDCWD } } },
	{ "postern-keys", { "openat", KEYS, SYS_openat, { AT_FDCWD } } },
#endif
	{ "postern-keys", { "execve", KEYS, SYS_execve, { 0 } } },
	{ "postern-keys", { "socket", KEYS, SYS_socket, { AF_INET, 1 } } },
	{ "postern-keys", { "kill", KEYS, SYS_kill, { OTHER_PID, 0 } } },
};

/* The net process that has the session which logged in last. */
static pid_t
last_net(const struct server *server)
{
	char *log = file_read(server->log, NULL), *at, *last = NULL;
	int index;

	for (at = log; (at = strstr(at, "event=login session=")) != NULL;
	    at++)
		last = at;
	ATF_REQUIRE(last != NULL);
	index = atoi(last + strlen("event=login session="));
	free(log);
	/* Before any was restarted they stand in order. */
	return (children_pid(server, "postern-net", index));
}

/* The store that was not there before. */
static pid_t
other_store(const struct server *server, pid_t known)
{
	int i;

	for (i = 0; i < children_count(server, "postern-store"); i++)
		if (children_pid(server, "postern-store", i) != known)
			return (children_pid(server, "postern-store", i));
	atf_tc_fail("there is no other store");
}

static void
still_works(const struct server *server, int fd)
{
	int another;

	client_say(fd, "READ 1", "=");
	client_say(fd, "READ 2", "=0");
	another = pop2_login(server, 0, "carl", "carls", "#0");
	client_say(another, "QUIT", "+");
	client_expect_close(another);
}

/*
 * One forbidden call in one process while fred and ann are logged in, each
 * through a net of their own.
 */
static void
try_live(const struct live_row *row)
{
	struct server server;
	char text[1500];
	pid_t victim, net, store;
	int fred, ann;

	(void)snprintf(text, sizeof(text), "net-processes 2\n"
	    "auth-processes 2\n%s", pair_selfsigned());
	server_prepare(&server, text);
	server_add_user(&server, "carl", "carls", 5003);
	server_run(&server);
	server_expect_trouble(&server);
	mailbox_write(&server, FRED, mail, strlen(mail));
	mailbox_write(&server, ANN, mail, strlen(mail));
	fred = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	net = last_net(&server);
	store = children_pid(&server, "postern-store", 0);
	ATF_REQUIRE(kill(net, SIGSTOP) == 0);
	ann = pop2_login(&server, 0, ANN, ANN_QUOTED, "#1");
	ATF_REQUIRE(kill(net, SIGCONT) == 0);
	ATF_REQUIRE(other_store(&server, store) != store);
	victim = strcmp(row->program, "postern-net") == 0 ? net :
	    strcmp(row->program, "postern-store") == 0 ? store :
	    children_pid(&server, row->program, 0);
	kill_by_call(victim, &row->call);
	(void)snprintf(text, sizeof(text), "pid=%d signal=%d", (int)victim,
	    SIGSYS);
	log_must_have(&server, text);
	if (victim == store)
		client_expect_line(fred, "- ");
	else if (victim != net)
		still_works(&server, fred);
	if (victim == store || victim == net)
		client_expect_close(fred);
	children_must_be(&server, "postern-net", 2);
	children_must_be(&server, "postern-auth", 2);
	children_must_be(&server, "postern-lock", 1);
	children_must_be(&server, "postern-keys", 1);
	still_works(&server, ann);
	(void)close(ann);
	if (victim != store && victim != net)
		(void)close(fred);
	server_stop(&server);
}

ATF_TC(live_processes);
ATF_TC_HEAD(live_processes, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "timeout", "60");
}
ATF_TC_BODY(live_processes, tc)
{
	const char *const sweep[] = { "rm", "-rf", "postern", NULL };
	char output[100];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(live); i++) {
		try_live(&live[i]);
		ATF_REQUIRE(run(sweep, NULL, output, sizeof(output)) == 0);
	}
}

/* openat in the stopped process: 0 (closed again), or the error. */
static int
remote_open(const struct remote *remote, const char *path, int flags)
{
	struct call call = { "openat", ALL, SYS_openat, { AT_FDCWD,
	    remote_text(remote, path), flags, 0600 } };
	struct call done = { "close", ALL, SYS_close, { 0 } };
	long result;

	ATF_REQUIRE(remote_call(remote, &call, &result) == 0);
	if (result < 0)
		return ((int)-result);
	done.arguments[0] = result;
	ATF_REQUIRE(remote_call(remote, &done, &result) == 0 && result == 0);
	return (0);
}

ATF_TC(landlock_live);
ATF_TC_HEAD(landlock_live, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(landlock_live, tc)
{
	struct server server;
	struct remote remote;
	char path[400];
	size_t i;
	int fd, error;

	(void)tc;
	server_start(&server, NULL);
	make_files(&server);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	uid_could_open(&server);
	remote_stop(&remote, children_pid(&server, "postern-store", 0));
	for (i = 0; i < COUNT(opened); i++) {
		path_of(&server, &opened[i], path, sizeof(path));
		error = remote_open(&remote, path, opened[i].flags);
		ATF_CHECK_MSG(error == opened[i].error, "%s: %s, expected %s",
		    opened[i].path, strerror(error),
		    strerror(opened[i].error));
	}
	remote_release(&remote);
	/* The store never noticed. */
	client_say(fd, "READ", "=");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	server_stop(&server);
}

/* The real postern-lock makes files in the spool and nowhere else. */
ATF_TC(landlock_of_lock_live);
ATF_TC_HEAD(landlock_of_lock_live, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(landlock_of_lock_live, tc)
{
	static const struct {
		const char *path;
		int error;
	} rows[] = { { "spool/new", 0 }, { "home/ann/new", EACCES },
	    { "new", EACCES } };
	struct server server;
	struct remote remote;
	char path[400];
	size_t i;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	set_scene(&server);
	remote_stop(&remote, children_pid(&server, "postern-lock", 0));
	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", server.directory,
		    rows[i].path);
		ATF_CHECK_EQ_MSG(rows[i].error, remote_open(&remote, path,
		    O_WRONLY | O_CREAT | O_EXCL), "%s", rows[i].path);
	}
	remote_release(&remote);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	server_stop(&server);
}

/* An authenticator reads its passwd file's directory and nothing else. */
ATF_TC(landlock_of_auth_live);
ATF_TC_HEAD(landlock_of_auth_live, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(landlock_of_auth_live, tc)
{
	static const char *const shut[] = { "/etc/passwd", "/etc/hostname",
	    "/proc/self/status", "/dev/null", "/" };
	struct server server;
	struct remote remote;
	char path[300];
	size_t i;

	(void)tc;
	server_start(&server, "auth-processes 1\n");
	remote_stop(&remote, children_pid(&server, "postern-auth", 0));
	(void)snprintf(path, sizeof(path), "%s/passwd", server.directory);
	ATF_CHECK_EQ(0, remote_open(&remote, path, O_RDONLY));
	for (i = 0; i < COUNT(shut); i++)
		ATF_CHECK_EQ_MSG(EACCES, remote_open(&remote, shut[i],
		    O_RDONLY), "auth opened %s", shut[i]);
	remote_release(&remote);
	client_expect_close(pop2_login(&server, 0, FRED, "wrong", "- "));
	server_stop(&server);
}

#endif

/* From here on, for this process and what it starts, there is no `call`. */
static void
take_away(int call, int error, int argument, uint64_t value)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	ATF_REQUIRE(filter != NULL);
	if (argument == -1)
		ATF_REQUIRE(seccomp_rule_add(filter,
		    SCMP_ACT_ERRNO((unsigned int)error), call, 0) == 0);
	else
		ATF_REQUIRE(seccomp_rule_add(filter,
		    SCMP_ACT_ERRNO((unsigned int)error), call, 1,
		    SCMP_CMP((unsigned int)argument, SCMP_CMP_EQ, value, 0))
		    == 0);
	ATF_REQUIRE(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

/* It does not start, and says `reason`; with `line` it starts and serves. */
static void
refuses_without(const char *reason, const char *line)
{
	struct server server;
	char output[8192], programs[300];
	const char *arguments[] = { "timeout", "20", NULL, "-d", "-f",
	    server.config, "-l", programs, NULL };
	FILE *file;
	int fd, status;

	server_prepare(&server, NULL);
	mailbox_write(&server, FRED, mail, strlen(mail));
	arguments[2] = program("posternd");
	(void)snprintf(programs, sizeof(programs), "%s/libexec",
	    server.directory);
	status = run(arguments, NULL, output, sizeof(output));
	ATF_CHECK_MSG(status == 1, "it ended with %d:\n%s", status, output);
	ATF_CHECK_MSG(strstr(output, reason) != NULL, "no \"%s\" in:\n%s",
	    reason, output);
	ATF_CHECK_MSG(strstr(output, "event=ready") == NULL,
	    "it was ready:\n%s", output);
	ATF_REQUIRE((file = fopen(server.config, "ae")) != NULL);
	(void)fprintf(file, "%s\n", line);
	(void)fclose(file);
	server_run(&server);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1");
	client_say(fd, "READ", "=");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(fails_closed_landlock);
ATF_TC_BODY(fails_closed_landlock, tc)
{
	(void)tc;
	take_away(SYS_landlock_create_ruleset, ENOSYS, -1, 0);
	refuses_without("without landlock", "without landlock");
}

/* A kernel that has Landlock, but not at its start. */
ATF_TC_WITHOUT_HEAD(fails_closed_landlock_off);
ATF_TC_BODY(fails_closed_landlock_off, tc)
{
	(void)tc;
	take_away(SYS_landlock_create_ruleset, EOPNOTSUPP, -1, 0);
	refuses_without("without landlock", "without landlock");
}

ATF_TC_WITHOUT_HEAD(fails_closed_seccomp);
ATF_TC_BODY(fails_closed_seccomp, tc)
{
	(void)tc;
	/* The second first: it needs the first to be installed. */
	take_away(SYS_prctl, EINVAL, 0, PR_SET_SECCOMP);
	take_away(SYS_seccomp, ENOSYS, -1, 0);
	refuses_without("without seccomp", "without seccomp");
}

ATF_TC(fails_closed_chroot);
ATF_TC_HEAD(fails_closed_chroot, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(fails_closed_chroot, tc)
{
	(void)tc;
	take_away(SYS_chroot, EPERM, -1, 0);
	refuses_without("chroot", "without chroot");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, forbidden_calls);
	ATF_TP_ADD_TC(tp, allowed_calls);
	ATF_TP_ADD_TC(tp, landlock_of_a_store);
	ATF_TP_ADD_TC(tp, landlock_of_lock);
#ifdef __x86_64__
	ATF_TP_ADD_TC(tp, foreign_calls);
	ATF_TP_ADD_TC(tp, live_processes);
	ATF_TP_ADD_TC(tp, landlock_live);
	ATF_TP_ADD_TC(tp, landlock_of_lock_live);
	ATF_TP_ADD_TC(tp, landlock_of_auth_live);
#endif
	ATF_TP_ADD_TC(tp, fails_closed_landlock);
	ATF_TP_ADD_TC(tp, fails_closed_landlock_off);
	ATF_TP_ADD_TC(tp, fails_closed_seccomp);
	ATF_TP_ADD_TC(tp, fails_closed_chroot);
	return (atf_no_error());
}
