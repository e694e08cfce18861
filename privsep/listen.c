/*
 * listen.c - the sockets that clients connect to.
 *
 * Linked into posternd; runs as root, once, before the right to low ports is
 * given up.  The parent never accepts: net processes get these sockets.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "parent.h"

/* Port 0 is replaced in `address` by the one that the system chose. */
static int
open_address(struct addrinfo *address)
{
	int fd, on = 1;

	fd = socket(address->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (address->ai_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	    listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, address->ai_addr, &address->ai_addrlen) == 0)
		return (fd);
	(void)close(fd);
	return (-1);
}

static void
report(const char *protocol, const struct addrinfo *address, int fd)
{
	char host[HOST_NAME_SIZE] = "?", port[8] = "?", error[128] = "";

	if (fd == -1)
		(void)snprintf(error, sizeof(error), " error=\"%s\"",
		    strerror(errno));
	(void)getnameinfo(address->ai_addr, address->ai_addrlen, host,
	    sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	log_line(fd == -1 ? LOG_WARNING : LOG_INFO, "event=listen protocol=%s "
	    "address=%s port=%s%s", protocol, host, port, error);
}

/* Binds every address that one listener's name stands for. */
static int
open_listener(struct config *config, const struct config_listener *wanted)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
	    .ai_socktype = SOCK_STREAM };
	const char *name = strcmp(wanted->address, "*") == 0 ? NULL :
	    wanted->address;
	const size_t before = config->socket_count;
	struct addrinfo *found, *address;
	int error, fd;

	error = getaddrinfo(name, wanted->port, &hints, &found);
	if (error != 0) {
		log_line(LOG_ERR, "event=listen address=%s error=\"%s\"",
		    wanted->address, gai_strerror(error));
		return (-1);
	}
	for (address = found; address != NULL &&
	    config->socket_count < SOCKETS_MAX; address = address->ai_next) {
		fd = open_address(address);
		report(config_protocols[wanted->protocol], address, fd);
		if (fd != -1)
			config->sockets[config->socket_count++] =
			    (struct listener){ fd, { wanted->protocol,
			    wanted->quirks } };
	}
	freeaddrinfo(found);
	return (config->socket_count > before ? 0 : -1);
}

int
listen_open(struct config *config)
{
	size_t i;

	for (i = 0; i < config->listener_count; i++)
		if (open_listener(config, &config->listeners[i]) == -1)
			return (-1);
	return (0);
}
