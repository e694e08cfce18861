/*
 * settings.c - the configuration, as a process of its own has read it.
 *
 * Linked into posternd; runs as root, before any other child.  That process
 * has read root's own file, and has asked the system's name services; what it
 * tells is held against the table of messages and against the limits.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "parent.h"

static const struct {
	enum ipc_type type;
	size_t offset;
} parts[] = {
	{ IPC_CONFIG_PARENT, offsetof(struct settings, parent) },
	{ IPC_CONFIG_NET, offsetof(struct settings, net) },
	{ IPC_CONFIG_AUTH, offsetof(struct settings, auth) },
	{ IPC_CONFIG_LOCK, offsetof(struct settings, lock) },
	{ IPC_CONFIG_STORE, offsetof(struct settings, store) },
};

/* A part is as long as the table of messages says: ipc_check has seen to it. */
static void
handle_part(void *context, struct ipc_message *message)
{
	struct settings *settings = context;
	size_t i = 0;

	while (parts[i].type != message->header.type)
		i++;
	settings->parts |= 1U << i;
	memcpy((char *)settings + parts[i].offset, message->payload.bytes,
	    message->header.size);
}

static void
handle_address(void *context, struct ipc_message *message)
{
	const struct ipc_config_address *address = IPC_PAYLOAD(message,
	    ipc_config_address);
	struct settings *settings = context;

	if (settings->address_count == SOCKETS_MAX ||
	    address->length > sizeof(address->address) ||
	    address->protocol >= PROTOCOLS)
		log_fatal("listen: more than %d addresses, or not one",
		    SOCKETS_MAX);
	settings->addresses[settings->address_count++] = *address;
}

static void
handle_pair(void *context, struct ipc_message *message)
{
	struct settings *settings = context;

	if (settings->pair_count < CERTIFICATES_MAX)
		settings->pairs[settings->pair_count++] = *IPC_PAYLOAD(message,
		    ipc_config_pair);
}

static void
handle_log(void *context, struct ipc_message *message)
{
	(void)context;
	log_line(LOG_ERR, "%s", IPC_PAYLOAD(message, ipc_log)->text);
}

static const struct ipc_handler handlers[] = {
	{ IPC_CONFIG_PARENT, handle_part },
	{ IPC_CONFIG_NET, handle_part },
	{ IPC_CONFIG_AUTH, handle_part },
	{ IPC_CONFIG_LOCK, handle_part },
	{ IPC_CONFIG_STORE, handle_part },
	{ IPC_CONFIG_ADDRESS, handle_address },
	{ IPC_CONFIG_PAIR, handle_pair },
	{ IPC_LOG, handle_log },
};

/* All that the daemon allocates and loops by. */
static int
within_limits(const struct settings *settings)
{
	const struct ipc_parent_config *parent = &settings->parent;

	return (parent->net_processes >= 1 &&
	    parent->net_processes <= NET_PROCESSES_MAX &&
	    parent->auth_processes >= 1 &&
	    parent->auth_processes <= AUTH_PROCESSES_MAX &&
	    parent->sessions >= 1 && parent->sessions <= SESSIONS_MAX &&
	    settings->net.connections <= CONNECTIONS_MAX &&
	    settings->net.network_count <= NETWORKS_MAX &&
	    settings->net.pairs == settings->pair_count &&
	    settings->auth.minimum_uid >= 1 &&
	    settings->store.locks[LOCK_KINDS_MAX] == LOCK_NONE &&
	    settings->parts == (1U << sizeof(parts) / sizeof(parts[0])) - 1 &&
	    settings->address_count > 0);
}

/* Hears it to its end; true when it said that this was all. */
static int
hear(int channel, struct settings *settings)
{
	static const struct ipc_channel config = { ROLE_CONFIG, ROLE_PARENT,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };
	static struct ipc_message message;
	const char *wrong = NULL;
	int got, complete = 0;

	while (wrong == NULL && (got = ipc_receive(channel, &message)) != 0) {
		if (got == 1 && message.header.type == IPC_STARTED)
			complete = 1;
		else
			wrong = got == -1 ? "not a message" : ipc_dispatch(
			    &config, PHASE_CONFIGURE, &message, settings);
		ipc_release(&message);
	}
	if (wrong != NULL)
		log_fatal("event=ipc process=config error=\"%s\"", wrong);
	return (complete && within_limits(settings));
}

void
settings_read(const char *path, struct settings *settings)
{
	const struct passwd *nobody = getpwnam("nobody");
	const struct identity who = { nobody != NULL ? nobody->pw_uid : 65534,
	    nobody != NULL ? nobody->pw_gid : 65534, (gid_t)-1 };
	struct ipc_config_file file = { "" };
	struct child child;
	int fd, control[2], complete, status = -1;
	pid_t pid;

	if ((fd = config_open(path, &path)) == -2)
		log_fatal("%s: %s", path, strerror(errno));
	settings->parent.start.unprivileged = geteuid() != 0;
	if ((pid = children_fork(&child, control)) == -1)
		log_fatal("event=start process=config error=\"%s\"",
		    strerror(errno));
	if (pid == 0)
		children_become(settings, ROLE_CONFIG, &who, &control[1], 1);
	(void)strlcpy(file.path, path, sizeof(file.path));
	if (fd != -1)
		(void)ipc_send(child.channel, IPC_CONFIG_FILE, 0, &file, &fd);
	(void)ipc_send(child.channel, IPC_START, 0, NULL, NULL);
	children_close(&fd);
	(void)fcntl(child.channel, F_SETFL, 0);
	complete = hear(child.channel, settings);
	children_close(&child.channel);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (!complete || status != 0)
		log_fatal("there is no configuration to run by");
	/* All are confined as the parent is. */
	settings->net.start = settings->auth.start = settings->lock.start =
	    settings->store.start = settings->parent.start;
}
