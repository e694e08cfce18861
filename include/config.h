/*
 * config.h - posternd.conf(5) as read.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>

#include "ipc_messages.h"
#include "privdrop.h"

struct config_listener {
	uint32_t protocol;		/* enum pop_protocol */
	uint32_t quirks;		/* enum listener_quirks bits */
	char address[HOST_NAME_SIZE];	/* name, address, or "*" */
	char port[8];
};

/* Room for sockets: a name may stand for several addresses. */
#define SOCKETS_MAX	(2 * LISTENERS_MAX)

struct listener {
	int fd;
	struct ipc_net_listener settings;	/* as net is told of it */
};

struct config {
	struct ipc_net_config net;	/* what net processes are told */
	struct ipc_auth_config auth;	/* what authenticators are told */
	struct config_listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct listener sockets[SOCKETS_MAX];	/* listen_open's */
	size_t socket_count;
	char mailbox[PATH_SIZE];	/* template of the default mailbox */
	char folders[PATH_SIZE];	/* of the folder root, "": none */
	char state[PATH_SIZE];
	char libexec[PATH_SIZE];
	uint32_t net_processes;
	uint32_t auth_processes;
	uint32_t lock_seconds;
	uint32_t sessions;
	uint32_t mh_rename;
	struct identity net_user;
	struct identity auth_user;
	struct start_settings start;
};

/*
 * Reads the configuration into `config`, defaults first.  `path` NULL: the
 * usual place, where a missing file means the defaults.  Every error is
 * reported, with file, line and what was expected; returns their number.
 */
int	config_read(const char *path, struct config *config);

#endif
