/*
 * children.c - the process table: starting, hearing and burying children.
 *
 * Linked into posternd; runs as root.  Children's messages are taken to be
 * hostile; what they can make this file do is write a log line, start a
 * store (auth alone), and be ended.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "parent.h"
#include "privdrop.h"

static const char *const roles[] = { "parent", "net", "auth", "store", "lock",
    "keys", "config" };

static const struct settings *settings;
static struct child *children;	/* nets, then auths, locks, keys, stores */
static struct pollfd *polled;
static size_t net_count, auth_end, lock_end, worker_count;
static size_t child_count, child_max;	/* places in use; that there may be */
static int ready;			/* all have once been started */
static int stopping;

int
children_channel(int pair[2], int waits)
{
	return (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
	    (waits ? 0 : SOCK_NONBLOCK), 0, pair));
}

void
children_close(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

/*
 * SIGTERM, SIGINT and SIGHUP stay blocked in the new program, and SIGPIPE
 * ignored: the parent ends its children by their channels, in order.
 */
void
children_become(const struct settings *given, enum ipc_role role,
    const struct identity *who, const int *descriptors, int count)
{
	char path[2 * PATH_SIZE];
	char *const environment[] = { NULL };
	int high[4], i;

	/* syslog's own descriptor may be among the numbers. */
	closelog();
	/* First out of the way, so that no number is needed twice. */
	for (i = 0; i < count; i++)
		high[i] = fcntl(descriptors[i], F_DUPFD, 16);
	for (i = 0; i < count; i++)
		if (dup2(high[i], CHILD_CONTROL + i) == -1)
			_exit(1);
	rights_close_others(CHILD_CONTROL + count);
	(void)snprintf(path, sizeof(path), "%s/postern-%s", given->libexec,
	    roles[role]);
	/* These make their own root. */
	if (!given->parent.start.unprivileged)
		privdrop_become(who, role == ROLE_NET || role == ROLE_KEYS);
	(void)execle(path, path, (char *)NULL, environment);
	log_line(LOG_ERR, "event=start program=%s error=\"%s\"", path,
	    strerror(errno));
	_exit(127);
}

pid_t
children_fork(struct child *child, int control[2])
{
	pid_t pid = -1;

	if (children_channel(control, 1) == -1 || (pid = fork()) == 0)
		return (pid);
	(void)close(control[1]);
	if (pid == -1) {
		(void)close(control[0]);
		return (-1);
	}
	(void)fcntl(control[0], F_SETFL, O_NONBLOCK);
	child->pid = pid;
	child->channel = control[0];
	child->dead = child->started = 0;
	return (pid);
}

/* Net's settings; its socket to the authenticators has two new ends. */
static void
introduce_net(struct child *net)
{
	struct ipc_net_config config = settings->net;
	int ends[2] = { -1, -1 };
	size_t i;

	config.index = net->index;
	(void)ipc_send(net->channel, IPC_NET_CONFIG, 0, &config, NULL);
	for (i = 0; i < settings->socket_count; i++)
		(void)ipc_send(net->channel, IPC_NET_LISTENER, 0,
		    &settings->sockets[i].settings, &settings->sockets[i].fd);
	(void)children_channel(ends, 0);
	(void)ipc_send(net->channel, IPC_NET_AUTH, 0, NULL, &ends[1]);
	children_close(&ends[1]);
	net->auth_end = ends[0];
}

/* Tells an authenticator of a net process; who does not run hears nothing. */
static void
acquaint(const struct child *net, const struct child *auth)
{
	(void)ipc_send(auth->channel, IPC_AUTH_NET, 0,
	    &(struct ipc_net_index){ net->index, 0 }, &net->auth_end);
}

/* A channel between net and keys; the parent keeps no end of it. */
static void
join(const struct child *net, const struct child *keys)
{
	int ends[2] = { -1, -1 };

	(void)children_channel(ends, 0);
	(void)ipc_send(net->channel, IPC_NET_KEYS, 0, NULL, &ends[0]);
	(void)ipc_send(keys->channel, IPC_KEYS_NET, 0,
	    &(struct ipc_net_index){ net->index, 0 }, &ends[1]);
	children_close(&ends[0]);
	children_close(&ends[1]);
}

/* What a new worker is told, by its role; net has more than one message. */
static void
tell_settings(struct child *child)
{
	struct ipc_keys_config keys;

	if (child->role == ROLE_NET)
		introduce_net(child);
	else if (child->role == ROLE_AUTH)
		(void)ipc_send(child->channel, IPC_AUTH_CONFIG, 0,
		    &settings->auth, NULL);
	else if (child->role == ROLE_LOCK)
		(void)ipc_send(child->channel, IPC_LOCK_CONFIG, 0,
		    &settings->lock, NULL);
	else {
		keys.start = settings->parent.start;
		memcpy(keys.chroot, settings->net.chroot, sizeof(keys.chroot));
		(void)ipc_send(child->channel, IPC_KEYS_CONFIG, 0, &keys, NULL);
		pairs_send(settings, child->channel, !ready);
	}
}

/* Plans when a worker that is not running may be started again. */
static void
back_off(struct child *child)
{
	uint64_t now = clock_now_ms();

	/* The last start was long ago: it ran well. */
	if (now >= child->restart_ms + RESTART_FORGIVEN_MS)
		child->wait_ms = RESTART_FIRST_MS;
	child->restart_ms = now + child->wait_ms;
	if (child->wait_ms < RESTART_LONGEST_MS)
		child->wait_ms *= 2;
}

/* Starts a worker that is not running. */
static void
start_worker(struct child *child)
{
	const struct identity *const users[] = { [ROLE_NET] =
	    &settings->parent.net_user, [ROLE_AUTH] =
	    &settings->parent.auth_user, [ROLE_LOCK] =
	    &settings->parent.lock_user, [ROLE_KEYS] =
	    &settings->parent.keys_user };
	static unsigned int instance;
	int control[2];
	pid_t pid;
	size_t i;

	if ((pid = children_fork(child, control)) == -1) {
		log_line(LOG_ERR, "event=start process=%s error=\"%s\"",
		    roles[child->role], strerror(errno));
		back_off(child);
		return;
	}
	if (pid == 0)
		children_become(settings, child->role, users[child->role],
		    &control[1], 1);
	/* A number that never comes again: old grants find no new process. */
	child->index = instance++;
	tell_settings(child);
	for (i = 0; i < net_count; i++)
		if (child->role == ROLE_AUTH)
			acquaint(&children[i], child);
		else if (child->role == ROLE_KEYS)
			join(&children[i], child);
	for (i = net_count; i < worker_count && child->role == ROLE_NET; i++)
		if (i < auth_end)
			acquaint(child, &children[i]);
		else if (i >= lock_end && children[i].channel != -1)
			join(child, &children[i]);
	(void)ipc_send(child->channel, IPC_START, 0, NULL, NULL);
}

void
children_prepare(const struct settings *given)
{
	size_t i;

	settings = given;
	net_count = (size_t)settings->parent.net_processes;
	auth_end = net_count + (size_t)settings->parent.auth_processes;
	lock_end = auth_end + (settings->parent.dotlocks != 0);
	worker_count = lock_end + (settings->pair_count > 0);
	child_count = worker_count;
	child_max = worker_count + (size_t)settings->parent.sessions;
	/* What no session has used yet costs no fork a page. */
	children = calloc(child_max, sizeof(*children));
	polled = calloc(child_max, sizeof(*polled));
	if (children == NULL || polled == NULL)
		log_fatal("event=start error=\"no memory\"");
	for (i = 0; i < child_count; i++) {
		children[i].channel = children[i].auth_end = -1;
		children[i].role = i < net_count ? ROLE_NET :
		    i < auth_end ? ROLE_AUTH :
		    i < lock_end ? ROLE_LOCK : ROLE_KEYS;
		children[i].wait_ms = RESTART_FIRST_MS;
	}
}

static void
handle_log(void *context, struct ipc_message *message)
{
	const struct child *child = context;
	const struct ipc_log *line = IPC_PAYLOAD(message, ipc_log);

	/* Nobody's terminal is written on at a child's word (LOG_EMERG). */
	log_line((line->priority & LOG_PRIMASK) < LOG_CRIT ? LOG_CRIT :
	    (int)(line->priority & LOG_PRIMASK), "process=%s pid=%d %s",
	    roles[child->role], (int)child->pid, line->text);
}

static void
handle_started(void *context, struct ipc_message *message)
{
	struct child *child = context;
	size_t i;

	(void)message;
	child->started = 1;
	for (i = 0; i < worker_count; i++)
		if (!children[i].started)
			return;
	ready = 1;
	log_line(LOG_INFO, "event=ready net=%zu auth=%zu lock=%zu keys=%zu",
	    net_count, auth_end - net_count, lock_end - auth_end,
	    worker_count - lock_end);
}

/* The first free place for a store, or NULL. */
static struct child *
free_place(void)
{
	size_t i = worker_count;

	while (i < child_count && children[i].pid != 0)
		i++;
	if (i == child_max)
		return (NULL);
	if (i == child_count) {
		polled[i].revents = 0;	/* of who had it before */
		children[child_count++] = (struct child){
		    .role = ROLE_STORE, .channel = -1, .auth_end = -1 };
	}
	return (&children[i]);
}

/* Only auth's channel has a row for LOGIN_GRANTED: ipc_check sees to it. */
static void
handle_granted(void *context, struct ipc_message *message)
{
	const struct ipc_login_granted *granted = IPC_PAYLOAD(message,
	    ipc_login_granted);
	size_t i, net = 0, same = 0;

	(void)context;
	while (net < net_count && (children[net].channel == -1 ||
	    children[net].index != granted->net))
		net++;
	for (i = worker_count; i < child_count; i++)
		same += children[i].pid != 0 &&
		    strcmp(children[i].user, granted->user) == 0;
	/* The net process that asked may be gone, and its client with it. */
	if (net < net_count && !stopping)
		grant_session(settings, children[net].channel,
		    auth_end < lock_end ? &children[auth_end] : NULL,
		    same < SESSIONS_PER_USER_MAX ? free_place() : NULL,
		    message->header.session, granted);
}

static const struct ipc_handler handlers[] = {
	{ IPC_LOG, handle_log },
	{ IPC_STARTED, handle_started },
	{ IPC_LOGIN_GRANTED, handle_granted },
};

/*
 * Handles one message.  A datagram without a byte is read as the end is; it
 * is one only where poll(2) has said in `revents` that the other side is shut.
 */
static void
hear(struct child *child, short revents)
{
	const struct ipc_channel channel = { child->role, ROLE_PARENT,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };
	struct ipc_message message;
	const char *name = "none", *wrong = "not a message";
	int got = ipc_receive(child->channel, &message);

	if (got == -1 && errno == EAGAIN)
		return;
	if (got == 1) {
		name = ipc_name(message.header.type);
		wrong = ipc_dispatch(&channel, child->started ||
		    child->role == ROLE_STORE ? PHASE_RUN : PHASE_CONFIGURE,
		    &message, child);
		ipc_release(&message);
		if (wrong == NULL)
			return;
	}
	children_close(&child->channel);
	if (got == 0 && (revents & POLLHUP) != 0)
		return;
	log_line(LOG_CRIT, "event=ipc process=%s pid=%d message=%s "
	    "error=\"%s\"", roles[child->role], (int)child->pid, name,
	    wrong);
	if (child->role == ROLE_AUTH || child->role == ROLE_KEYS)
		log_fatal("event=stop error=\"postern-%s cannot be trusted "
		    "any more\"", roles[child->role]);
	if (!child->dead)
		(void)kill(child->pid, SIGKILL);
}

static void
send_to_nets(enum ipc_type type)
{
	size_t i;

	for (i = 0; i < net_count; i++)
		(void)ipc_send(children[i].channel, type, 0, NULL, NULL);
}

/* Hears a dead child's last words, then clears its place. */
static void
bury(struct child *child, int status)
{
	struct pollfd last = { child->channel, POLLIN, 0 };
	const int signalled = WIFSIGNALED(status);

	child->dead = 1;
	/* Whoever else may have its end can add nothing to what is queued. */
	if (child->channel != -1)
		(void)shutdown(child->channel, SHUT_RDWR);
	while (child->channel != -1 && poll(&last, 1, 0) == 1)
		hear(child, last.revents);
	if (status != 0)
		log_line(LOG_ERR, "event=exit process=%s pid=%d %s=%d",
		    roles[child->role], (int)child->pid,
		    signalled ? "signal" : "status",
		    signalled ? WTERMSIG(status) : WEXITSTATUS(status));
	children_close(&child->channel);
	children_close(&child->auth_end);
	child->pid = child->started = 0;
	if (child->role == ROLE_STORE || stopping)
		return;
	if (!ready)
		log_fatal("event=stop error=\"%s cannot start; its reason "
		    "stands above\"", roles[child->role]);
	back_off(child);
	/* What it was asked is not answered. */
	if (child->role == ROLE_AUTH)
		send_to_nets(IPC_AUTH_LOST);
}

void
children_wait(void)
{
	static const struct timespec tick = { 0, RESTART_FIRST_MS * 1000000L };
	int status, watch = stopping;
	sigset_t none;
	size_t i;
	pid_t pid;

	for (i = 0; i < worker_count && !stopping; i++) {
		if (children[i].pid == 0 &&
		    children[i].restart_ms <= clock_now_ms())
			start_worker(&children[i]);
		watch |= children[i].pid == 0;
	}
	while (child_count > worker_count &&
	    children[child_count - 1].pid == 0)
		child_count--;
	for (i = 0; i < child_count; i++)
		polled[i] = (struct pollfd){ children[i].channel, POLLIN, 0 };
	(void)sigemptyset(&none);
	/* While one waits for its restart the clock is looked at. */
	if (ppoll(polled, (nfds_t)child_count, watch ? &tick : NULL, &none) ==
	    -1 && errno != EINTR)
		log_fatal("event=stop error=\"poll: %s\"", strerror(errno));
	for (i = 0; i < child_count; i++)
		if (polled[i].revents != 0 && children[i].channel != -1)
			hear(&children[i], polled[i].revents);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < child_count; i++)
			if (children[i].pid == pid) {
				bury(&children[i], status);
				break;	/* another may have its pid by now */
			}
}

void
children_reload(void)
{
	log_line(LOG_INFO, "event=reload certificates=%zu",
	    settings->pair_count);
	if (lock_end < worker_count)
		pairs_send(settings, children[lock_end].channel, 0);
}

void
children_stop(void)
{
	uint64_t deadline = clock_now_ms() + STOP_SECONDS * 1000;
	size_t i, nets, all;

	stopping = 1;
	send_to_nets(IPC_STOP);
	do {
		children_wait();
		for (i = nets = all = 0; i < child_count; i++) {
			all += children[i].pid != 0;
			nets += i < net_count && children[i].pid != 0;
		}
		/* What serves net and stores goes when there is no net. */
		for (i = net_count; i < worker_count && nets == 0; i++)
			children_close(&children[i].channel);
	} while (all > 0 && clock_now_ms() < deadline);
	for (i = 0; i < child_count; i++)
		if (children[i].pid != 0)
			(void)kill(children[i].pid, SIGKILL);
}
