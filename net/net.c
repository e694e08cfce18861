/*
 * net.c - postern-net: the only process that meets clients.
 *
 * Runs as its own user, in an empty root directory, without a right: it
 * accepts, reads and writes what it was given, and asks auth and its own
 * sessions' stores.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "network.h"
#include "privdrop.h"
#include "sandbox.h"
#include "session.h"
#include "tls.h"

/* How long accepting rests when the system has no descriptor left. */
#define ACCEPT_REST_SECONDS	1

/* Connections taken at a time, so that those who are here get their turn. */
#define ACCEPTS_AT_A_TIME	16

struct door {
	struct event event;
	int fd;
	struct ipc_net_listener listener;
};

static struct ipc_net_config config;
static struct door doors[2 * LISTENERS_MAX];
static size_t door_count;
static int auth_channel = -1, keys_channel = -1;
static struct event parent_event, rest_event, stopped_event;
static int stopping, running, resting, has_certificates;

static void
handle_config(void *context, struct ipc_message *message)
{
	(void)context;
	config = *IPC_PAYLOAD(message, ipc_net_config);
}

static void
handle_listener(void *context, struct ipc_message *message)
{
	const struct ipc_net_listener *listener =
	    IPC_PAYLOAD(message, ipc_net_listener);

	(void)context;
	if (door_count == sizeof(doors) / sizeof(doors[0]) ||
	    listener->protocol >= PROTOCOLS)
		log_fatal("event=start error=\"listeners\"");
	doors[door_count].fd = ipc_take_descriptor(message, 0);
	doors[door_count++].listener = *listener;
}

static void
handle_auth(void *context, struct ipc_message *message)
{
	(void)context;
	auth_channel = ipc_take_descriptor(message, 0);
}

/* Doors of TLS stay shut until there is a certificate. */
static void
open_doors(void)
{
	size_t i;

	for (i = 0; i < door_count && !resting; i++)
		if (!doors[i].listener.tls || has_certificates)
			(void)event_add(&doors[i].event, NULL);
}

/* All certificates are here, for the first time or anew. */
static void
on_certificates(void)
{
	if (!has_certificates)
		child_report_started();
	has_certificates = 1;
	open_doors();
}

static void
handle_keys(void *context, struct ipc_message *message)
{
	(void)context;
	keys_channel = ipc_take_descriptor(message, 0);
	if (running)
		keys_link_attach(keys_channel, on_certificates);
}

/* A session's store: whoever no longer waits for it lets it go. */
static void
handle_store(void *context, struct ipc_message *message)
{
	struct session *session = login_answered(message->header.session);
	int store, data;

	(void)context;
	if (session == NULL)
		return;
	store = ipc_take_descriptor(message, 0);
	data = ipc_take_descriptor(message, 1);
	store_link_attach(session, store, data);
}

static void
handle_no_store(void *context, struct ipc_message *message)
{
	struct session *session = login_answered(message->header.session);

	(void)context;
	if (session == NULL)
		return;
	session_trouble(session, IPC_PAYLOAD(message, ipc_reason)->text);
	session_run(session);
}

static void
handle_auth_lost(void *context, struct ipc_message *message)
{
	(void)context;
	(void)message;
	login_lost();
}

/* Ends the process when the last session has. */
static void
on_stopped(int fd, short what, void *argument)
{
	static const struct timeval soon = { 0, 50000 };

	(void)fd;
	(void)what;
	(void)argument;
	if (session_count() == 0)
		exit(0);
	(void)event_add(&stopped_event, &soon);
}

static void
handle_stop(void *context, struct ipc_message *message)
{
	(void)context;
	(void)message;
	if (stopping)
		return;
	stopping = 1;
	while (door_count > 0) {
		(void)event_del(&doors[--door_count].event);
		(void)close(doors[door_count].fd);
	}
	session_stop_all();
	evtimer_set(&stopped_event, on_stopped, NULL);
	on_stopped(-1, 0, NULL);
}

static const struct ipc_handler handlers[] = {
	{ IPC_NET_CONFIG, handle_config },
	{ IPC_NET_LISTENER, handle_listener },
	{ IPC_NET_AUTH, handle_auth },
	{ IPC_NET_KEYS, handle_keys },
	{ IPC_SESSION_STORE, handle_store },
	{ IPC_SESSION_FAILED, handle_no_store },
	{ IPC_AUTH_LOST, handle_auth_lost },
	{ IPC_STOP, handle_stop },
};

#define HANDLERS	(sizeof(handlers) / sizeof(handlers[0]))

static void
on_parent(int fd, short what, void *argument)
{
	static const struct ipc_channel channel = { ROLE_PARENT, ROLE_NET,
	    handlers, HANDLERS };
	static struct ipc_message message;
	const char *wrong;
	int got;

	(void)what;
	(void)argument;
	if ((got = ipc_receive(fd, &message)) == 0)
		exit(0);	/* without a parent there is no service */
	if (got == -1) {
		if (errno == EBADMSG)	/* no descriptor was left for it */
			log_line(LOG_ERR, "event=ipc from=parent "
			    "error=\"a message was lost\"");
		return;
	}
	wrong = ipc_dispatch(&channel, PHASE_RUN, &message, NULL);
	if (wrong != NULL)
		log_fatal("event=ipc from=parent message=%s error=\"%s\"",
		    ipc_name(message.header.type), wrong);
	ipc_release(&message);
}

/* Also writes the peer's name: "192.0.2.1:1025", "[2001:db8::1]:1025". */
static int
cleartext_allowed(const struct sockaddr_storage *peer, char *name, size_t size)
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;
	const unsigned char *address;
	char text[INET6_ADDRSTRLEN] = "?";
	uint32_t i;

	if (peer->ss_family == AF_INET6) {
		address = v6->sin6_addr.s6_addr;
		(void)inet_ntop(AF_INET6, address, text, sizeof(text));
		(void)snprintf(name, size, "[%s]:%u", text,
		    ntohs(v6->sin6_port));
	} else {
		address = (const unsigned char *)&v4->sin_addr;
		(void)inet_ntop(AF_INET, address, text, sizeof(text));
		(void)snprintf(name, size, "%s:%u", text, ntohs(v4->sin_port));
	}
	for (i = 0; i < config.network_count && i < NETWORKS_MAX; i++)
		if (network_has(&config.networks[i], peer->ss_family, address))
			return (1);
	return (0);
}

static void
on_rested(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	resting = 0;
	open_doors();
}

/* The system has no descriptor for another client: wait, do not spin. */
static void
rest(void)
{
	static const struct timeval time = { ACCEPT_REST_SECONDS, 0 };
	size_t i;

	log_line(LOG_ERR, "event=accept error=\"%s\"", strerror(errno));
	resting = 1;
	for (i = 0; i < door_count; i++)
		(void)event_del(&doors[i].event);
	(void)event_add(&rest_event, &time);
}

static void
on_door(int fd, short what, void *argument)
{
	const struct door *door = argument;
	struct sockaddr_storage peer;
	socklen_t size;
	char name[PEER_SIZE];
	int client, allowed, i;

	(void)what;
	for (i = 0; i < ACCEPTS_AT_A_TIME; i++) {
		memset(&peer, 0, sizeof(peer));
		size = sizeof(peer);
		client = accept4(fd, (struct sockaddr *)&peer, &size,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				rest();
			return;
		}
		allowed = cleartext_allowed(&peer, name, sizeof(name));
		session_begin(client, name, allowed, &door->listener);
	}
}

/* Nothing may fail any more once this is done: clients come next. */
static void
shut_sandbox(void)
{
	int enclosed = (config.start.without & WITHOUT_CHROOT) == 0;

	if (!config.start.unprivileged)
		rights_change_root(enclosed ? config.chroot : NULL);
	child_limit(RLIMIT_NPROC, 0);
	child_limit(RLIMIT_FSIZE, 0);
	sandbox_files(NULL, 0, config.start.without);
	sandbox_enter(&sandbox_net, config.start.without);
}

static void
watch(void)
{
	size_t i;

	event_set(&parent_event, CHILD_CONTROL, EV_READ | EV_PERSIST,
	    on_parent, NULL);
	(void)event_add(&parent_event, NULL);
	evtimer_set(&rest_event, on_rested, NULL);
	for (i = 0; i < door_count; i++)
		event_set(&doors[i].event, doors[i].fd, EV_READ | EV_PERSIST,
		    on_door, &doors[i]);
	open_doors();
	login_begin(auth_channel);
	running = 1;
	if (keys_channel != -1)
		keys_link_attach(keys_channel, on_certificates);
}

int
main(void)
{
	child_receive_settings(ROLE_NET, handlers, HANDLERS, NULL);
	if (auth_channel == -1 || config.connections == 0)
		log_fatal("event=start error=\"settings are incomplete\"");
	if (event_init() == NULL)
		log_fatal("event=start error=\"event loop\"");
	session_limits(&config);
	if (config.pairs > 0)
		tls_begin();
	shut_sandbox();
	watch();
	/* With TLS it has started when there is a certificate. */
	if (config.pairs == 0)
		child_report_started();
	(void)event_dispatch();
	log_fatal("event=stop error=\"event loop\"");
}
