/*
 * parent.h - what the files of posternd share.
 */
#ifndef PARENT_H
#define PARENT_H

#include <sys/types.h>

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "ipc.h"

/* Descriptors that every child is started with. */
enum child_descriptor {
	CHILD_CONTROL = 3,	/* its channel to the parent */
	CHILD_SESSION = 4,	/* a store's channel to net */
	CHILD_DATA = 5		/* a store's pipe to net */
};

struct listener {
	int fd;
	uint32_t protocol;
	uint32_t quirks;
};

/*
 * listen.c: binds what the configuration names; every address that fails is
 * reported.  Returns the number of sockets, or -1 when a listener got none.
 */
int	listen_open(const struct config *config, struct listener *listeners,
	    size_t size);

/* Room for listeners: a name may stand for several addresses. */
#define SOCKETS_MAX	(2 * LISTENERS_MAX)

/* children.c: the process table. */
struct child {
	enum ipc_role role;
	unsigned int index;	/* which one, of all that were ever started */
	pid_t pid;		/* 0: not running */
	int channel;		/* -1: its end came */
	int auth_end;		/* a net's: the authenticators' end */
	int started;		/* it has said so */
	int dead;		/* waited for: its pid is no longer its own */
	uint64_t born_ms;
	uint64_t restart_ms;	/* when it may be started again */
	uint64_t wait_ms;	/* its back-off */
};

/* Makes the table and starts net and auth processes. */
void	children_start(const struct config *config,
	    const struct listener *listeners, size_t count);

/*
 * Waits for messages and due restarts, and handles them once.  `unblocked`
 * is the signal mask while waiting.
 */
void	children_wait(const sigset_t *unblocked);

/* Collects the dead (after SIGCHLD). */
void	children_reap(void);

/*
 * Ends everything in order: net processes let their sessions finish their
 * commands; what is left after STOP_SECONDS is killed.
 */
void	children_stop(const sigset_t *unblocked);

/* Finds a running net process, or NULL. */
const struct child *children_net(unsigned int index);

/* A free place for a store, or NULL when there are sessions enough. */
struct child *children_place(void);

/*
 * In a forked child: arranges `descriptors` as 3, 4, ..., closes the rest,
 * becomes `who` (NULL: stays who it is) and runs the program.
 */
void	children_become(const char *program, const struct identity *who,
	    int keep_chroot, const int *descriptors, size_t count)
	    __attribute__((noreturn));

/* A connected pair of message sockets, or -1 with errno. */
int	children_channel(int pair[2]);

/* Notes a started child; `channel` becomes the parent's, non-blocking. */
void	children_note(struct child *child, pid_t pid, int channel);

/* grant.c: starts a store for a user that auth has vouched for. */
void	grant_session(const struct config *config, uint64_t session,
	    const struct ipc_login_granted *granted);

#endif
