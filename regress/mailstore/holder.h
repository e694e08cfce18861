/*
 * holder.h - another program that holds a lock on a mailbox.
 *
 * For the test programs of this directory.
 */
#ifndef HOLDER_H
#define HOLDER_H

#include <sys/prctl.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct holder {
	pid_t pid;
	int told;		/* readable: it has the lock */
	int release;		/* closed: let the lock go */
};

static inline int
holder_lock(int fd, int how, short type)
{
	struct flock lock;

	memset(&lock, 0, sizeof(lock));
	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	return (fcntl(fd, how, &lock));
}

static inline void
holder_hold(const char *path, int how, short type, int told, int release)
{
	int fd = open(path, O_RDWR);
	char octet = 'n';

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd != -1 && holder_lock(fd, how, type) == 0)
		octet = 'y';
	if (write(told, &octet, 1) == 1)
		(void)!read(release, &octet, 1);
	_exit(0);
}

/* Begins to take the lock by F_SETLK or F_SETLKW. */
static inline struct holder
holder_start(const char *path, int how, short type)
{
	struct holder holder;
	int told[2], release[2];

	ATF_REQUIRE(pipe2(told, O_CLOEXEC) == 0);
	ATF_REQUIRE(pipe2(release, O_CLOEXEC) == 0);
	ATF_REQUIRE((holder.pid = fork()) != -1);
	if (holder.pid == 0) {
		(void)close(release[1]);
		holder_hold(path, how, type, told[1], release[0]);
	}
	(void)close(told[1]);
	(void)close(release[0]);
	holder.told = told[0];
	holder.release = release[1];
	return (holder);
}

/* It has it now, or the test fails. */
static inline void
holder_must_have(struct holder *holder)
{
	char octet = '-';

	ATF_REQUIRE(read(holder->told, &octet, 1) == 1);
	(void)close(holder->told);
	ATF_REQUIRE_MSG(octet == 'y', "the lock could not be had at once");
}

/* Takes the lock at once, or the test fails. */
static inline struct holder
holder_of(const char *path, short type)
{
	struct holder holder = holder_start(path, F_SETLK, type);

	holder_must_have(&holder);
	return (holder);
}

static inline void
holder_end(struct holder *holder)
{
	(void)close(holder->release);
	ATF_REQUIRE(waitpid(holder->pid, NULL, 0) == holder->pid);
}

#endif
