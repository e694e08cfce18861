/*
 * config.h - posternd.conf(5) as read.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>

#include "ipc_messages.h"

struct config_listener {
	uint32_t protocol;		/* enum pop_protocol */
	uint32_t quirks;		/* enum listener_quirks bits */
	uint32_t tls;			/* 1: from the first octet */
	char address[HOST_NAME_SIZE];	/* name, address, or "*" */
	char port[8];
};

struct config {
	struct ipc_parent_config parent;
	struct ipc_net_config net;	/* what net processes are told */
	struct ipc_auth_config auth;	/* what authenticators are told */
	struct ipc_lock_config lock;	/* and postern-lock */
	struct ipc_store_config store;	/* and stores, but for the user's */
	struct ipc_config_pair pairs[CERTIFICATES_MAX];
	size_t pair_count;
	struct config_listener listeners[LISTENERS_MAX];
	size_t listener_count;
};

/*
 * Reads the configuration into `config`, defaults first, from `file`; -1:
 * there is none, which means the defaults.  `path` is its name in messages.
 * Every error is reported, with file, line and what was expected; returns
 * their number.  Takes the descriptor.
 */
int	config_read(const char *path, int file, struct config *config);

/*
 * Opens the configuration; `path` NULL: the usual place, where it may be
 * missing.  `name` is set to its name.  Returns the descriptor, -1 where
 * there is none, or -2 with errno.
 */
int	config_open(const char *path, const char **name);

#endif
