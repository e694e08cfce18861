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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "parent.h"

static const char *const role_names[] = { "parent", "net", "auth", "store" };

static const struct config *config;
static const struct listener *listeners;
static size_t listener_count;
static struct child *children;		/* nets, then auths, then stores */
static struct pollfd *polled;
static size_t net_count, worker_count, child_count;
static int stopping;
static int ever_started[ROLE_STORE + 1];

static uint64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

int
children_channel(int pair[2])
{
	return (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
}

void
children_become(const char *program, const struct identity *who,
    int keep_chroot, const int *descriptors, size_t count)
{
	char path[2 * PATH_SIZE];
	char *const arguments[] = { path, NULL };
	char *const environment[] = { NULL };
	int high[3], first = CHILD_CONTROL;
	sigset_t none;
	size_t i;

	/* First out of the way, so that no number is needed twice. */
	for (i = 0; i < count; i++)
		if ((high[i] = fcntl(descriptors[i], F_DUPFD, 16)) == -1)
			_exit(1);
	for (i = 0; i < count; i++)
		if (dup2(high[i], first + (int)i) == -1)
			_exit(1);
	/* The parent ends its children by their channels, in order. */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)snprintf(path, sizeof(path), "%s/%s", config->libexec, program);
	if (who != NULL)
		privdrop_become(who, keep_chroot);
	rights_close_others(first + (int)count);
	(void)execve(path, arguments, environment);
	log_line(LOG_ERR, "event=start program=%s error=\"%s\"", path,
	    strerror(errno));
	_exit(127);
}

void
children_note(struct child *child, pid_t pid, int channel)
{
	child->pid = pid;
	child->channel = channel;
	child->started = child->dead = 0;
	child->born_ms = now_ms();
	(void)fcntl(channel, F_SETFL, O_NONBLOCK);
}

/* Net's settings; its socket to the authenticators has two new ends. */
static void
introduce_net(struct child *net)
{
	struct ipc_net_config settings = config->net;
	struct ipc_net_listener listener;
	int ends[2] = { -1, -1 };
	size_t i;

	settings.index = net->index;
	(void)ipc_send(net->channel, IPC_NET_CONFIG, 0, &settings, NULL);
	for (i = 0; i < listener_count; i++) {
		listener.protocol = listeners[i].protocol;
		listener.quirks = listeners[i].quirks;
		(void)ipc_send(net->channel, IPC_NET_LISTENER, 0, &listener,
		    &listeners[i].fd);
	}
	(void)children_channel(ends);
	(void)ipc_send(net->channel, IPC_NET_AUTH, 0, NULL, &ends[1]);
	(void)close(ends[1]);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	net->auth_end = ends[0];
}

/* Every authenticator and every net process are to know each other. */
static void
acquaint(const struct child *net, const struct child *auth)
{
	const struct ipc_auth_net message = { net->index, 0 };

	if (net->role == ROLE_NET && auth->role == ROLE_AUTH &&
	    net->auth_end != -1 && auth->channel != -1)
		(void)ipc_send(auth->channel, IPC_AUTH_NET, 0, &message,
		    &net->auth_end);
}

/* Starts (again) a net or auth process that is not running. */
static void
start_worker(struct child *child)
{
	static unsigned int instance;
	const int is_net = child->role == ROLE_NET;
	int control[2];
	pid_t pid;
	size_t i;

	child->restart_ms = now_ms() + child->wait_ms;
	if (children_channel(control) == -1 || (pid = fork()) == -1) {
		log_line(LOG_ERR, "event=start process=%s error=\"%s\"",
		    role_names[child->role], strerror(errno));
		return;
	}
	if (pid == 0)
		children_become(is_net ? "postern-net" : "postern-auth",
		    config->start.unprivileged ? NULL : is_net ?
		    &config->net_user : &config->auth_user, is_net,
		    &control[1], 1);
	(void)close(control[1]);
	child->channel = control[0];
	/* A number that never comes again: old grants find no new process. */
	child->index = instance++;
	if (is_net)
		introduce_net(child);
	else
		(void)ipc_send(child->channel, IPC_AUTH_CONFIG, 0,
		    &config->auth, NULL);
	for (i = 0; i < worker_count; i++) {
		acquaint(child, &children[i]);
		acquaint(&children[i], child);
	}
	(void)ipc_send(child->channel, IPC_START, 0, NULL, NULL);
	children_note(child, pid, control[0]);
}

void
children_start(const struct config *given, const struct listener *sockets,
    size_t count)
{
	size_t i;

	config = given;
	listeners = sockets;
	listener_count = count;
	net_count = (size_t)config->net_processes;
	worker_count = net_count + (size_t)config->auth_processes;
	child_count = worker_count + (size_t)config->sessions;
	children = calloc(child_count, sizeof(*children));
	polled = calloc(child_count, sizeof(*polled));
	if (children == NULL || polled == NULL)
		log_fatal("event=start error=\"no memory\"");
	for (i = 0; i < child_count; i++) {
		children[i].channel = children[i].auth_end = -1;
		children[i].role = i < net_count ? ROLE_NET :
		    i < worker_count ? ROLE_AUTH : ROLE_STORE;
		children[i].wait_ms = RESTART_FIRST_MS;
	}
	for (i = 0; i < worker_count; i++)
		start_worker(&children[i]);
}

const struct child *
children_net(unsigned int index)
{
	size_t i;

	for (i = 0; i < net_count; i++)
		if (children[i].channel != -1 && children[i].index == index)
			return (&children[i]);
	return (NULL);
}

struct child *
children_place(void)
{
	size_t i;

	for (i = worker_count; i < child_count; i++)
		if (children[i].pid == 0)
			return (&children[i]);
	return (NULL);
}

static void
handle_log(void *context, struct ipc_message *message)
{
	const struct child *child = context;
	const struct ipc_log *line = IPC_PAYLOAD(message, ipc_log);

	log_line((int)(line->priority & LOG_PRIMASK), "process=%s pid=%d %s",
	    role_names[child->role], (int)child->pid, line->text);
}

static void
handle_started(void *context, struct ipc_message *message)
{
	struct child *child = context;
	size_t i;

	(void)message;
	child->started = ever_started[child->role] = 1;
	for (i = 0; i < worker_count; i++)
		if (!children[i].started)
			return;
	log_line(LOG_INFO, "event=ready net=%zu auth=%zu", net_count,
	    worker_count - net_count);
}

static void
handle_granted(void *context, struct ipc_message *message)
{
	(void)context;
	if (!stopping)
		grant_session(config, message->header.session,
		    IPC_PAYLOAD(message, ipc_login_granted));
}

/* Only auth's channel has a row for LOGIN_GRANTED: ipc_check sees to it. */
static const struct ipc_handler handlers[] = {
	{ IPC_LOG, handle_log },
	{ IPC_STARTED, handle_started },
	{ IPC_LOGIN_GRANTED, handle_granted },
};

static void
hear(struct child *child)
{
	const struct ipc_channel channel = { child->role, ROLE_PARENT,
	    handlers, sizeof(handlers) / sizeof(handlers[0]) };
	struct ipc_message message;
	const char *wrong;
	int got;

	if ((got = ipc_receive(child->channel, &message)) == 1) {
		wrong = ipc_dispatch(&channel, PHASE_RUN, &message, child);
		ipc_release(&message);
	} else if (got == 0) {
		(void)close(child->channel);
		child->channel = -1;
		return;
	} else if (errno == EBADMSG)
		wrong = "not a message";
	else
		return;
	if (wrong == NULL)
		return;
	log_line(LOG_CRIT, "event=ipc process=%s pid=%d message=%s "
	    "error=\"%s\"", role_names[child->role], (int)child->pid,
	    got == 1 ? ipc_name(message.header.type) : "none", wrong);
	if (child->role == ROLE_AUTH)
		log_fatal("event=stop error=\"an authenticator cannot be "
		    "trusted any more\"");
	if (!child->dead)
		(void)kill(child->pid, SIGKILL);
}

/* When the next restart is due, in ms from now; -1: nothing waits. */
static int
restart_due(void)
{
	uint64_t now = now_ms(), soonest = UINT64_MAX;
	size_t i;

	for (i = 0; i < worker_count && !stopping; i++) {
		if (children[i].pid != 0)
			continue;
		if (children[i].restart_ms <= now)
			start_worker(&children[i]);
		if (children[i].pid == 0 && children[i].restart_ms < soonest)
			soonest = children[i].restart_ms;
	}
	return (stopping ? 1000 : soonest == UINT64_MAX ? -1 :
	    soonest <= now ? 0 : (int)(soonest - now));
}

void
children_wait(const sigset_t *unblocked)
{
	struct timespec limit;
	size_t i;
	int wait = restart_due();

	for (i = 0; i < child_count; i++) {
		polled[i].fd = children[i].channel;
		polled[i].events = POLLIN;
	}
	limit.tv_sec = wait / 1000;
	limit.tv_nsec = (long)(wait % 1000) * 1000000;
	if (ppoll(polled, (nfds_t)child_count, wait == -1 ? NULL : &limit,
	    unblocked) <= 0)
		return;
	for (i = 0; i < child_count; i++)
		if (polled[i].revents != 0 && children[i].channel != -1)
			hear(&children[i]);
}

static void
send_to_nets(enum ipc_type type)
{
	size_t i;

	for (i = 0; i < net_count; i++)
		if (children[i].channel != -1)
			(void)ipc_send(children[i].channel, type, 0, NULL,
			    NULL);
}

/* What a dead worker leaves: its clients are told, its return is planned. */
static void
plan_restart(struct child *child, int status)
{
	uint64_t now = now_ms();

	if (!ever_started[child->role] && WIFEXITED(status))
		log_fatal("event=stop error=\"%s cannot start; its reason "
		    "stands above\"", role_names[child->role]);
	if (child->role == ROLE_AUTH)
		send_to_nets(IPC_AUTH_LOST);
	if (now - child->born_ms >= RESTART_FORGIVEN_MS)
		child->wait_ms = RESTART_FIRST_MS;
	child->restart_ms = now + child->wait_ms;
	if (child->wait_ms < RESTART_LONGEST_MS)
		child->wait_ms *= 2;
}

/* Hears a dead child's last words, then clears its place. */
static void
bury(struct child *child, int status)
{
	struct pollfd last = { child->channel, POLLIN, 0 };
	int well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	child->dead = 1;
	while (child->channel != -1 && poll(&last, 1, 0) == 1)
		hear(child);
	if (!well)
		log_line(LOG_ERR, "event=exit process=%s pid=%d %s=%d",
		    role_names[child->role], (int)child->pid,
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) :
		    WEXITSTATUS(status));
	if (child->channel != -1)
		(void)close(child->channel);
	if (child->auth_end != -1)
		(void)close(child->auth_end);
	child->channel = child->auth_end = -1;
	child->pid = 0;
	child->started = 0;
	if (child->role != ROLE_STORE && !stopping)
		plan_restart(child, status);
}

void
children_reap(void)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < child_count; i++)
			if (children[i].pid == pid)
				bury(&children[i], status);
}

void
children_stop(const sigset_t *unblocked)
{
	uint64_t deadline = now_ms() + STOP_SECONDS * 1000;
	size_t i, nets = net_count, all = 1;

	stopping = 1;
	send_to_nets(IPC_STOP);
	while (all > 0 && now_ms() < deadline) {
		children_wait(unblocked);
		children_reap();
		for (i = nets = all = 0; i < child_count; i++) {
			nets += children[i].role == ROLE_NET &&
			    children[i].pid != 0;
			all += children[i].pid != 0;
		}
		/* Authenticators go when no net process needs them. */
		for (i = net_count; i < worker_count && nets == 0; i++) {
			(void)close(children[i].channel);
			children[i].channel = -1;
		}
	}
	for (i = 0; i < child_count; i++)
		if (children[i].pid != 0)
			(void)kill(children[i].pid, SIGKILL);
}
