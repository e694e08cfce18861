/*
 * listen.c - the sockets that clients connect to.
 *
 * Linked into posternd; runs as root, once, before the right to low ports is
 * given up.  The parent never accepts: net processes get these sockets.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "parent.h"

/* Port 0 is replaced in `address` by the one that the system chose. */
static int
open_address(struct sockaddr *address, socklen_t length)
{
	int fd, on = 1;

	/* Nothing else is bound, whatever is asked for. */
	errno = EAFNOSUPPORT;
	if ((address->sa_family != AF_INET ||
	    length != sizeof(struct sockaddr_in)) &&
	    (address->sa_family != AF_INET6 ||
	    length != sizeof(struct sockaddr_in6)))
		return (-1);
	fd = socket(address->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (address->sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    /* Clients' sockets have these from it. */
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	    bind(fd, address, length) == 0 &&
	    listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, address, &length) == 0)
		return (fd);
	(void)close(fd);
	return (-1);
}

static void
report(const struct ipc_config_address *wanted,
    const struct sockaddr *address, int fd)
{
	static const char *const protocols[PROTOCOLS] = { "auto", "pop1",
	    "pop2", "pop3" };
	char host[HOST_NAME_SIZE] = "?", port[8] = "?", error[128] = "";

	if (fd == -1)
		(void)snprintf(error, sizeof(error), " error=\"%s\"",
		    strerror(errno));
	(void)getnameinfo(address, wanted->length, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	log_line(fd == -1 ? LOG_WARNING : LOG_INFO, "event=listen protocol=%s "
	    "tls=%s address=%s port=%s%s", protocols[wanted->protocol],
	    wanted->tls ? "yes" : "no", host, port, error);
}

/* Binds one address; its socket, or -1. */
static int
open_listener(const struct ipc_config_address *wanted)
{
	union {
		struct sockaddr any;
		unsigned char bytes[ADDRESS_SIZE];
	} address;
	int fd;

	memcpy(address.bytes, wanted->address, sizeof(address.bytes));
	fd = open_address(&address.any, wanted->length);
	report(wanted, &address.any, fd);
	return (fd);
}

int
listen_open(struct settings *settings)
{
	const struct ipc_config_address *wanted = settings->addresses;
	const struct ipc_config_address *end = wanted + settings->address_count;
	size_t before;
	uint32_t line;
	int fd;

	while (wanted < end) {
		before = settings->socket_count;
		for (line = wanted->line; wanted < end && wanted->line == line;
		    wanted++)
			if ((fd = open_listener(wanted)) != -1)
				settings->sockets[settings->socket_count++] =
				    (struct listener){ fd, { wanted->protocol,
				    wanted->quirks, wanted->tls, 0 } };
		if (settings->socket_count == before)
			return (-1);
	}
	return (0);
}
