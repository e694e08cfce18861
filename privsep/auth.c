/*
 * auth.c - postern-auth: is this the user's password?
 *
 * Runs as its own user, one login at a time.  Several such processes share
 * one socket to each net process, and whichever is free takes the next
 * login: one slow hash holds up nobody else, what hashing takes is bounded
 * by their number, and a fault in one ends one.
 */
#include <sys/resource.h>

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "auth.h"
#include "child.h"
#include "log.h"
#include "sandbox.h"

#ifdef RLIMIT_AS
#define MEMORY_LIMIT	RLIMIT_AS
#else
#define MEMORY_LIMIT	RLIMIT_DATA	/* OpenBSD */
#endif

/* The sanitizers of a test build want terabytes of addresses. */
#ifdef POSTERN_SANITIZED
#define MEMORY_BYTES	RLIM_INFINITY
#else
#define MEMORY_BYTES	AUTH_MEMORY_BYTES
#endif

/* What verification leaves on the stack is within this far of its top. */
#define STACK_WIPED	(128 * 1024)

static struct ipc_auth_config config;
static const struct auth_backend *backend;

/* Twice as many as there are: old ones may not have been forgotten yet. */
#define NETS	(2 * NET_PROCESSES_MAX)

static struct {
	uint32_t index;
	int fd;			/* -1: none */
} nets[NETS];

static void
handle_config(void *context, struct ipc_message *message)
{
	(void)context;
	config = *IPC_PAYLOAD(message, ipc_auth_config);
}

static void
handle_net(void *context, struct ipc_message *message)
{
	unsigned int i = 0;

	(void)context;
	/* A net process that ended is forgotten when its end is read. */
	while (i < NETS && nets[i].fd != -1)
		i++;
	if (i == NETS)
		log_fatal("event=ipc error=\"too many net processes\"");
	nets[i].index = IPC_PAYLOAD(message, ipc_auth_net)->index;
	nets[i].fd = ipc_take_descriptor(message, 0);
}

static void
handle_login(void *context, struct ipc_message *message)
{
	static const char *const protocols[PROTOCOLS] = { "auto", "pop1",
	    "pop2", "pop3" };
	const struct ipc_login *login = IPC_PAYLOAD(message, ipc_login);
	unsigned int slot = *(const unsigned int *)context;
	struct ipc_login_granted granted;
	char user[LOG_QUOTED_SIZE], peer[LOG_QUOTED_SIZE];
	char name[PASSWORD_NAME_SIZE] = "";
	const char *why = NULL;
	enum verdict verdict;
	int good;

	verdict = backend->verify(login->user, login->password,
	    (uid_t)config.minimum_uid, &why);
	good = verdict == VERDICT_RIGHT || named_verify(login,
	    verdict == VERDICT_SHUT_OUT, name);
	log_line(good ? LOG_INFO : LOG_NOTICE, "event=%s session=%u-%llu "
	    "peer=%s user=%s protocol=%s%s%s%s%s%s", good ? "login" :
	    "login-refused", nets[slot].index,
	    (unsigned long long)message->header.session,
	    log_quote(peer, sizeof(peer), login->peer),
	    log_quote(user, sizeof(user), login->user),
	    login->protocol < PROTOCOLS ? protocols[login->protocol] :
	    "?", name[0] != '\0' ? " password=" : "", name,
	    good ? "" : " reason=\"", good ? "" : why, good ? "" : "\"");
	if (!good) {
		(void)ipc_send(nets[slot].fd, IPC_LOGIN_REFUSED,
		    message->header.session, NULL, NULL);
		return;
	}
	memset(&granted, 0, sizeof(granted));
	granted.net = nets[slot].index;
	(void)strlcpy(granted.peer, login->peer, sizeof(granted.peer));
	(void)strlcpy(granted.user, login->user, sizeof(granted.user));
	if (ipc_send(CHILD_CONTROL, IPC_LOGIN_GRANTED, message->header.session,
	    &granted, NULL) == -1)
		log_fatal("event=ipc error=\"%s\"", strerror(errno));
}

static const struct ipc_handler parent_handlers[] = {
	{ IPC_AUTH_CONFIG, handle_config },
	{ IPC_AUTH_NET, handle_net },
};
static const struct ipc_handler net_handlers[] = {
	{ IPC_LOGIN, handle_login },
};

static void
hear_parent(void)
{
	static const struct ipc_channel channel = { ROLE_PARENT, ROLE_AUTH,
	    parent_handlers, sizeof(parent_handlers) /
	    sizeof(parent_handlers[0]) };
	struct ipc_message message;
	const char *wrong;
	int got;

	if ((got = ipc_receive(CHILD_CONTROL, &message)) == 0)
		exit(0);
	wrong = got == 1 ? ipc_dispatch(&channel, PHASE_RUN, &message, NULL) :
	    "not a message";
	if (wrong != NULL)
		log_fatal("event=ipc from=parent error=\"%s\"", wrong);
	ipc_release(&message);
}

/* Another authenticator may have been faster: EAGAIN is no error. */
static void
hear_net(unsigned int slot)
{
	static const struct ipc_channel channel = { ROLE_NET, ROLE_AUTH,
	    net_handlers, sizeof(net_handlers) / sizeof(net_handlers[0]) };
	struct ipc_message message;
	const char *wrong;
	int got;

	got = ipc_receive(nets[slot].fd, &message);
	if (got == 0) {
		(void)close(nets[slot].fd);
		nets[slot].fd = -1;
		return;
	}
	if (got == -1 && errno != EBADMSG)
		return;
	wrong = got == 1 ? ipc_dispatch(&channel, PHASE_RUN, &message, &slot) :
	    "not a message";
	if (wrong != NULL)
		log_line(LOG_CRIT, "event=ipc from=net index=%u session=%llu "
		    "error=\"%s\"", nets[slot].index, (unsigned long long)
		    (got == 1 ? message.header.session : 0), wrong);
	if (got == 1)
		ipc_release(&message);
	sodium_stackzero(STACK_WIPED);
}

/* Hears each net process once, beginning with another one every time. */
static void
serve(void)
{
	struct pollfd polled[NETS + 1];
	static unsigned int first;
	unsigned int i, slot;

	for (i = 0; i < NETS; i++)
		polled[i] = (struct pollfd){ nets[i].fd, POLLIN, 0 };
	polled[NETS] = (struct pollfd){ CHILD_CONTROL, POLLIN, 0 };
	if (poll(polled, NETS + 1, -1) <= 0)
		return;
	if (polled[NETS].revents != 0)
		hear_parent();
	for (i = 0; i < NETS; i++) {
		slot = (first + i) % NETS;
		if (polled[slot].revents != 0 &&
		    nets[slot].fd == polled[slot].fd) {
			first = slot + 1;
			hear_net(slot);
			return;
		}
	}
}

static void
shut_sandbox(void)
{
	char directory[PATH_SIZE];
	const struct sandbox_path files[] = {
		{ directory, SANDBOX_READ },	/* passwd is replaced there */
		{ "/etc", SANDBOX_READ },	/* accounts, name services */
	};
	const size_t has_file = config.named_file[0] != '\0';
	const size_t is_system = backend == &auth_system;

	(void)strlcpy(directory, config.named_file, sizeof(directory));
	if (has_file)
		*strrchr(directory, '/') = '\0';
	if (directory[0] == '\0')
		(void)strlcpy(directory, "/", sizeof(directory));
	sandbox_files(has_file ? files : files + 1, has_file + is_system,
	    config.start.without);
	sandbox_enter(is_system ? &sandbox_auth_system : &sandbox_auth_passwd,
	    config.start.without);
}

int
main(void)
{
	unsigned int i;

	for (i = 0; i < NETS; i++)
		nets[i].fd = -1;
	child_receive_settings(ROLE_AUTH, parent_handlers,
	    sizeof(parent_handlers) / sizeof(parent_handlers[0]), NULL);
	backend = config.passwd_file[0] != '\0' ? &auth_passwd : &auth_system;
	backend->open(config.passwd_file);
	named_open(config.named_file);
	child_limit(RLIMIT_NOFILE, NETS + 16);
	child_limit(RLIMIT_NPROC, 0);
	child_limit(RLIMIT_FSIZE, 0);
	child_limit(MEMORY_LIMIT, MEMORY_BYTES);
	shut_sandbox();
	child_report_started();
	for (;;)
		serve();
}
