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
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "auth.h"
#include "child.h"
#include "log.h"
#include "net_peers.h"
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

static void
handle_config(void *context, struct ipc_message *message)
{
	(void)context;
	config = *IPC_PAYLOAD(message, ipc_auth_config);
}

static void
handle_net(void *context, struct ipc_message *message)
{
	(void)context;
	if (net_peers_add(message) == NULL)
		log_fatal("event=ipc error=\"too many net processes\"");
}

static void
handle_login(void *context, struct ipc_message *message)
{
	static const char *const protocols[PROTOCOLS] = { "auto", "pop1",
	    "pop2", "pop3" };
	const struct ipc_login *login = IPC_PAYLOAD(message, ipc_login);
	const struct net_peer *net = context;
	struct ipc_login_granted granted;
	char user[LOG_QUOTED_SIZE], peer[LOG_QUOTED_SIZE];
	char name[PASSWORD_NAME_SIZE] = "";
	const char *why = NULL;
	enum verdict verdict, own;
	int good;

	own = backend->verify(login->user, login->password,
	    (uid_t)config.minimum_uid, &why);
	verdict = own != VERDICT_RIGHT ? named_verify(login, own, name) : own;
	if (verdict == VERDICT_UNKNOWN && own != VERDICT_UNKNOWN)
		why = "the further passwords cannot be read";
	good = verdict == VERDICT_RIGHT;
	log_line(good ? LOG_INFO : LOG_NOTICE, "event=%s session=%u-%llu "
	    "peer=%s user=%s protocol=%s%s%s%s%s%s", good ? "login" :
	    "login-refused", net->index,
	    (unsigned long long)message->header.session,
	    log_quote(peer, sizeof(peer), login->peer),
	    log_quote(user, sizeof(user), login->user),
	    login->protocol < PROTOCOLS ? protocols[login->protocol] :
	    "?", name[0] != '\0' ? " password=" : "", name,
	    good ? "" : " reason=\"", good ? "" : why, good ? "" : "\"");
	if (!good) {
		(void)ipc_send(net->fd, verdict == VERDICT_UNKNOWN ?
		    IPC_LOGIN_FAILED : IPC_LOGIN_REFUSED,
		    message->header.session, NULL, NULL);
		return;
	}
	memset(&granted, 0, sizeof(granted));
	granted.net = net->index;
	/* Others log it as it is: words of net's are not to be among theirs. */
	(void)strlcpy(granted.peer, strcmp(peer, login->peer) == 0 ? peer :
	    "?", sizeof(granted.peer));
	(void)strlcpy(granted.user, login->user, sizeof(granted.user));
	if (ipc_send(CHILD_CONTROL, IPC_LOGIN_GRANTED, message->header.session,
	    &granted, NULL) == 0)
		return;
	/* The parent has ended, or is about to. */
	if (errno == EPIPE)
		exit(0);
	log_fatal("event=ipc error=\"%s\"", strerror(errno));
}

static const struct ipc_handler parent_handlers[] = {
	{ IPC_AUTH_CONFIG, handle_config },
	{ IPC_AUTH_NET, handle_net },
};
static const struct ipc_handler net_handlers[] = {
	{ IPC_LOGIN, handle_login },
};

/* What a login leaves on the stack goes with it. */
static void
serve(void)
{
	static const struct ipc_channel parent = { ROLE_PARENT, ROLE_AUTH,
	    parent_handlers, sizeof(parent_handlers) /
	    sizeof(parent_handlers[0]) };
	static const struct ipc_channel net = { ROLE_NET, ROLE_AUTH,
	    net_handlers, sizeof(net_handlers) / sizeof(net_handlers[0]) };

	net_peers_serve(&parent, &net, -1);
	sodium_stackzero(STACK_WIPED);
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
	net_peers_begin();
	child_receive_settings(ROLE_AUTH, parent_handlers,
	    sizeof(parent_handlers) / sizeof(parent_handlers[0]), NULL);
	backend = config.passwd_file[0] != '\0' ? &auth_passwd : &auth_system;
	backend->open(config.passwd_file);
	named_open(config.named_file);
	child_limit(RLIMIT_NOFILE, NET_PEERS + 16);
	child_limit(RLIMIT_NPROC, 0);
	child_limit(RLIMIT_FSIZE, 0);
	child_limit(MEMORY_LIMIT, MEMORY_BYTES);
	shut_sandbox();
	child_report_started();
	for (;;)
		serve();
}
