/*
 * parent.h - what the files of posternd share.
 */
#ifndef PARENT_H
#define PARENT_H

#include <sys/types.h>

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc.h"

/* Descriptors that every child is started with. */
enum child_descriptor {
	CHILD_CONTROL = 3,	/* its channel to the parent */
	CHILD_SESSION = 4,	/* a store's channel to net */
	CHILD_DATA = 5,		/* a store's pipe to net */
	CHILD_LOCK = 6		/* its channel to postern-lock, or nothing */
};

/* Room for sockets: a name may stand for several addresses. */
#define SOCKETS_MAX	(2 * LISTENERS_MAX)

struct listener {
	int fd;
	struct ipc_net_listener settings;	/* as net is told of it */
};

/* The configuration, as postern-config has told it. */
struct settings {
	const char *libexec;		/* where the programs are */
	unsigned int parts;		/* of the following five: which came */
	struct ipc_parent_config parent;
	struct ipc_net_config net;	/* what net processes are told */
	struct ipc_auth_config auth;	/* what authenticators are told */
	struct ipc_lock_config lock;	/* and postern-lock */
	struct ipc_store_config store;	/* and stores, but for the user's */
	struct ipc_config_pair pairs[CERTIFICATES_MAX];
	size_t pair_count;
	struct ipc_config_address addresses[SOCKETS_MAX];
	size_t address_count;
	struct listener sockets[SOCKETS_MAX];	/* listen_open's */
	size_t socket_count;
};

/*
 * settings.c: starts postern-config from settings->libexec for the file
 * `path` (NULL: the usual one, which may be missing), and fills in what it
 * tells.  Ends the process, with a reason, when anything is wrong.
 */
void	settings_read(const char *path, struct settings *settings);

/*
 * listen.c: binds what the configuration names; every address that fails is
 * reported.  Returns 0, or -1 when a listener got none.
 */
int	listen_open(struct settings *settings);

/* children.c: the process table. */
struct child {
	enum ipc_role role;
	unsigned int index;	/* which one, of all that were ever started */
	pid_t pid;		/* 0: not running */
	int channel;		/* -1: its end came */
	int auth_end;		/* a net's: the authenticators' end */
	char user[USER_SIZE];	/* a store's: whom auth has vouched for */
	int started;		/* it has said so */
	int dead;		/* waited for: its pid is no longer its own */
	uint64_t restart_ms;	/* when it may be started again */
	uint64_t wait_ms;	/* its back-off */
};

/* Makes the table; children_wait starts its workers. */
void	children_prepare(const struct settings *settings);

/*
 * Starts the workers that are not running, as far as their back-off lets it,
 * waits once for messages and signals, handles what came, and collects the
 * dead.  A worker's end before all have said STARTED ends the daemon.
 */
void	children_wait(void);

/* Gives postern-keys the files of certificates and keys as they are now. */
void	children_reload(void);

/*
 * Ends everything in order: net processes let their sessions finish their
 * commands; what is left after STOP_SECONDS is killed.
 */
void	children_stop(void);

/*
 * In a forked child: arranges `descriptors` as 3, 4, ..., closes the rest,
 * becomes `who` (unless the tree is unprivileged) and runs the role's program.
 */
void	children_become(const struct settings *settings, enum ipc_role role,
	    const struct identity *who, const int *descriptors, int count)
	    __attribute__((noreturn));

/*
 * A connected pair of message sockets, or -1 with errno.  Who reads or writes
 * either of them waits, or (0) does not.
 */
int	children_channel(int pair[2], int waits);

/* Closes a descriptor, unless it is -1, and makes it that. */
void	children_close(int *fd);

/*
 * Makes the channel of a child and forks.  Returns as fork(2) does; in the
 * child control[1] is its end, in the parent `child` has the other one.
 */
pid_t	children_fork(struct child *child, int control[2]);

/*
 * pairs.c: opens every certificate and key, and sends them to postern-keys.
 * What cannot be opened is logged; `required`: or ends the daemon.
 */
void	pairs_send(const struct settings *settings, int channel, int required);

/*
 * grant.c: starts a store for a user that auth has vouched for, in the free
 * place `store` (NULL: there is none), and tells the net on channel `net`, and
 * postern-lock, `lock` (NULL: nobody makes dotlocks in a spool).  While that
 * does not run, the store finds its channel to it closed.
 */
void	grant_session(const struct settings *settings, int net,
	    const struct child *lock, struct child *store, uint64_t session,
	    const struct ipc_login_granted *granted);

#endif
