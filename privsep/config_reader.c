/*
 * config_reader.c - postern-config: reads the configuration for the parent.
 *
 * Runs as nobody, for a moment, before any other process: what parses text,
 * asks for accounts and resolves names needs no right of root's.  It has the
 * file by its descriptor.  There is no list of its system calls and files: the
 * system's name services may do anything.
 */
#include <sys/socket.h>

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "config.h"
#include "log.h"

static struct config config;
static char path[PATH_SIZE] = "default";
static int file = -1;

static void
handle_file(void *context, struct ipc_message *message)
{
	(void)context;
	(void)strlcpy(path, IPC_PAYLOAD(message, ipc_config_file)->path,
	    sizeof(path));
	file = ipc_take_descriptor(message, 0);
}

static void
tell(enum ipc_type type, const void *payload)
{
	if (ipc_send(CHILD_CONTROL, type, 0, payload, NULL) == -1)
		exit(1);
}

/* Every address that one listener's name stands for; 0 where it has none. */
static int
tell_addresses(uint32_t line)
{
	const struct config_listener *wanted = &config.listeners[line];
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
	    .ai_socktype = SOCK_STREAM };
	const char *name = strcmp(wanted->address, "*") == 0 ? NULL :
	    wanted->address;
	struct ipc_config_address told;
	struct addrinfo *found, *address;
	int error = getaddrinfo(name, wanted->port, &hints, &found);

	if (error != 0) {
		log_line(LOG_ERR, "event=listen address=%s error=\"%s\"",
		    wanted->address, gai_strerror(error));
		return (0);
	}
	for (address = found; address != NULL; address = address->ai_next) {
		if (address->ai_addrlen > sizeof(told.address))
			continue;
		memset(&told, 0, sizeof(told));
		told.line = line;
		told.protocol = wanted->protocol;
		told.quirks = wanted->quirks;
		told.tls = wanted->tls;
		told.length = address->ai_addrlen;
		memcpy(told.address, address->ai_addr, told.length);
		tell(IPC_CONFIG_ADDRESS, &told);
	}
	freeaddrinfo(found);
	return (1);
}

static const struct ipc_handler handlers[] = {
	{ IPC_CONFIG_FILE, handle_file },
};

int
main(void)
{
	int errors;
	uint32_t i;

	child_receive_settings(ROLE_CONFIG, handlers,
	    sizeof(handlers) / sizeof(handlers[0]), NULL);
	if ((errors = config_read(path, file, &config)) > 0)
		log_fatal("configuration: %d error%s", errors,
		    errors == 1 ? "" : "s");
	tell(IPC_CONFIG_PARENT, &config.parent);
	tell(IPC_CONFIG_NET, &config.net);
	tell(IPC_CONFIG_AUTH, &config.auth);
	tell(IPC_CONFIG_LOCK, &config.lock);
	tell(IPC_CONFIG_STORE, &config.store);
	for (i = 0; i < config.pair_count; i++)
		tell(IPC_CONFIG_PAIR, &config.pairs[i]);
	for (i = 0; i < config.listener_count; i++)
		if (!tell_addresses(i))
			return (1);
	child_report_started();
	return (0);
}
