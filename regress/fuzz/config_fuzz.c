/*
 * config_fuzz.c - any octets as posternd.conf.
 *
 * Test code alone.  Input: 0 to run as one ordinary user, else with accounts;
 * then the file.  What is accepted must be what the processes can rely on.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <netinet/in.h>

#include <string.h>
#include <unistd.h>

#include "config.h"
#include "fuzz.h"
#include "log.h"
#include "template.h"

static const char accounts[] = "\nnet-user 1:1\nauth-user 2:2\n"
    "lock-user 3:3\n";
static const char ordinary[] = "\nunprivileged\n";

static int errors_told;

static void
count_line(int priority, const char *text)
{
	errors_told += priority == LOG_ERR && text[0] != '\0';
}

#define HAS_END(member)							\
	HOLDS(memchr((member), '\0', sizeof(member)) != NULL)

static int
is_between(int64_t value, int64_t least, int64_t most)
{
	return (value >= least && value <= most);
}

/* A short name and home always fit, but in a path that is nearly too long. */
static void
check_template(const char *template)
{
	char path[2 * PATH_SIZE];

	if (template[0] != '\0') {
		HOLDS(template_expand(template, "u", "/h", path,
		    sizeof(path)) == 0);
		HOLDS(path[0] == '/');
	}
}

static void
check_store(const struct ipc_store_config *store)
{
	size_t i;

	HAS_END(store->maildrop);
	HAS_END(store->maildrop_2);
	HAS_END(store->maildrop_3);
	HAS_END(store->folder_root);
	check_template(store->maildrop);
	check_template(store->maildrop_2);
	check_template(store->maildrop_3);
	check_template(store->folder_root);
	HOLDS(store->maildrop[0] != '\0');
	HOLDS(store->locks[LOCK_KINDS_MAX] == LOCK_NONE);
	for (i = 0; i < LOCK_KINDS_MAX; i++)
		HOLDS(is_between(store->locks[i], LOCK_NONE,
		    LOCK_TRY_DOTLOCK));
	for (i = 0; i < INBOX_PARTS_MAX; i++)
		HOLDS(is_between(store->formats[i], FORMAT_ANY,
		    FORMAT_MAILDIR));
	HOLDS(is_between(store->spool_part, 0, INBOX_PARTS_MAX));
	HOLDS(is_between(store->uids, UID_NATIVE, UID_POPA3D));
	HOLDS(is_between(store->lock_seconds, 0, 3600));
	HOLDS(is_between(store->login_delay, 0, 86400));
	HOLDS(is_between(store->mh_rename, 0, 1));
}

static void
check_net(const struct ipc_net_config *net)
{
	size_t i;

	HAS_END(net->host);
	HAS_END(net->chroot);
	HOLDS(net->host[0] != '\0' && net->chroot[0] == '/');
	HOLDS(strpbrk(net->host, " \t\r\n%") == NULL);
	HOLDS(is_between(net->login_seconds, 1, 3600));
	HOLDS(is_between(net->session_seconds, 1, 86400));
	HOLDS(is_between(net->connections, 1, CONNECTIONS_MAX));
	HOLDS(is_between(net->network_count, 0, NETWORKS_MAX));
	HOLDS(is_between(net->expire_days, 0, 36500));
	for (i = 0; i < net->network_count; i++) {
		HOLDS(net->networks[i].family == AF_INET ||
		    net->networks[i].family == AF_INET6);
		HOLDS(is_between(net->networks[i].prefix, 0,
		    net->networks[i].family == AF_INET ? 32 : 128));
	}
}

static void
check_config(const struct config *config, int is_ordinary)
{
	const struct ipc_parent_config *parent = &config->parent;
	size_t i;

	HAS_END(parent->state);
	HOLDS(parent->state[0] == '/');
	HOLDS(!is_ordinary || parent->start.unprivileged == 1);
	HOLDS(is_between(parent->net_processes, 1, NET_PROCESSES_MAX));
	HOLDS(is_between(parent->auth_processes, 1, AUTH_PROCESSES_MAX));
	HOLDS(is_between(parent->sessions, 1, SESSIONS_MAX));
	HOLDS(parent->start.without < 8);
	if (!parent->start.unprivileged) {
		HOLDS(parent->net_user.uid != 0 && parent->net_user.gid != 0);
		HOLDS(parent->auth_user.uid != 0);
		HOLDS(parent->lock_user.uid != 0);
		HOLDS(parent->net_user.uid != parent->auth_user.uid);
		HOLDS(parent->net_user.uid != parent->lock_user.uid);
		HOLDS(parent->auth_user.uid != parent->lock_user.uid);
	}
	HAS_END(config->auth.passwd_file);
	HOLDS(config->auth.passwd_file[0] == '\0' ||
	    config->auth.passwd_file[0] == '/');
	HOLDS(config->auth.minimum_uid > 0);
	HAS_END(config->lock.mailbox);
	HOLDS(is_between((int64_t)config->listener_count, 1,
	    LISTENERS_MAX));
	for (i = 0; i < config->listener_count; i++) {
		HAS_END(config->listeners[i].address);
		HAS_END(config->listeners[i].port);
		HOLDS(config->listeners[i].protocol < PROTOCOLS);
		HOLDS(config->listeners[i].protocol != PROTOCOL_POP3 ||
		    config->net.session_seconds >= POP3_TIMEOUT_LEAST);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const int is_ordinary = fuzz_octet(&input) == '0';
	static struct config config;
	struct text file = { NULL, 0, 0 };
	int fd, lowest, errors;

	log_output = count_line;
	lowest = fuzz_lowest_descriptor();
	text_put(&file, input.at, input.left);
	text_put(&file, is_ordinary ? ordinary : accounts,
	    is_ordinary ? sizeof(ordinary) - 1 : sizeof(accounts) - 1);
	fd = memfd_create("config", MFD_CLOEXEC);
	HOLDS(fd != -1 && fchmod(fd, 0600) == 0);
	HOLDS(write(fd, file.at, file.length) == (ssize_t)file.length);
	HOLDS(lseek(fd, 0, SEEK_SET) == 0);
	errors_told = 0;
	memset(&config, 0xff, sizeof(config));
	errors = config_read("posternd.conf", fd, &config);
	/* Every error is told, and so often as it is counted. */
	HOLDS(errors == errors_told);
	if (errors == 0) {
		check_config(&config, is_ordinary);
		check_net(&config.net);
		check_store(&config.store);
	}
	text_free(&file);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
