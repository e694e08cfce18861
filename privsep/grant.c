/*
 * grant.c - a store for a user that auth has vouched for.
 *
 * Linked into posternd; runs as root.  The account is looked up in the new
 * child, so that a slow or faulty name service stops nobody else; no uid,
 * path or name in here comes from net.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "log.h"
#include "parent.h"

/* The three channels of a session; [0] is posternd's or net's end. */
struct session_ends {
	int control[2];		/* settings, log */
	int session[2];		/* net's requests */
	int data[2];		/* mail, store to net */
};

/*
 * Makes the user's own directory below the state directory, and checks that
 * it is theirs alone.  Only root may write the directory above it.
 */
static const char *
state_directory(const struct config *config, const struct account *account,
    char *path)
{
	struct stat status;

	(void)umask(077);
	if (snprintf(path, PATH_SIZE, "%s/%u.%s", config->state,
	    (unsigned int)account->uid, account->user) >= PATH_SIZE ||
	    (mkdir(path, 0700) == -1 && errno != EEXIST) ||
	    lstat(path, &status) == -1 || !S_ISDIR(status.st_mode))
		return ("no state directory");
	if (status.st_uid == 0 && lchown(path, account->uid, account->gid) ==
	    -1)
		return ("the state directory cannot be given to the user");
	return ((status.st_uid != 0 && status.st_uid != account->uid) ||
	    (status.st_mode & (S_IRWXG | S_IRWXO)) != 0 ?
	    "the state directory is not the user's own" : NULL);
}

/* What the store is told; templates are expanded by the store itself. */
static void
fill_settings(const struct config *config, const struct account *account,
    const struct ipc_login_granted *granted, struct ipc_store_config *settings)
{
	settings->start = config->start;
	settings->net = granted->net;
	settings->lock_seconds = config->lock_seconds;
	settings->idle_seconds = config->net.session_seconds;
	(void)strlcpy(settings->user, account->user, USER_SIZE);
	(void)strlcpy(settings->system_name, account->system_name, USER_SIZE);
	(void)strlcpy(settings->home, account->home, PATH_SIZE);
	(void)strlcpy(settings->peer, granted->peer, PEER_SIZE);
	(void)strlcpy(settings->maildrop, account->maildrop[0] != '\0' ?
	    account->maildrop : config->mailbox, PATH_SIZE);
	settings->is_template = account->maildrop[0] == '\0';
	(void)strlcpy(settings->folder_root, config->folders, PATH_SIZE);
}

/* The forked child: from here it is on its way to be the user. */
static void
become_store(const struct config *config, const struct session_ends *ends,
    uint64_t session, const struct ipc_login_granted *granted)
{
	const struct account_policy policy = { config->auth.passwd_file,
	    (uid_t)config->auth.minimum_uid, (int)config->start.unprivileged };
	const int descriptors[] = { ends->control[1], ends->session[1],
	    ends->data[1] };
	const struct ipc_reason reason = { "this account has no mailbox here" };
	struct ipc_store_config settings;
	struct account account;
	struct identity who;
	const char *wrong;

	memset(&settings, 0, sizeof(settings));
	wrong = account_find(&policy, granted->user, &account);
	if (wrong == NULL)
		wrong = state_directory(config, &account,
		    settings.state_directory);
	if (wrong != NULL) {
		log_line(LOG_ERR, "event=refused session=%u-%llu peer=%s "
		    "user=%s error=\"%s\"", granted->net,
		    (unsigned long long)session, granted->peer,
		    account_name_valid(granted->user) ? granted->user : "?",
		    wrong);
		(void)ipc_send(ends->session[1], IPC_STORE_FAILED, session,
		    &reason, NULL);
		_exit(0);
	}
	fill_settings(config, &account, granted, &settings);
	(void)ipc_send(ends->control[0], IPC_STORE_CONFIG, session, &settings,
	    NULL);
	(void)ipc_send(ends->control[0], IPC_START, session, NULL, NULL);
	who = (struct identity){ account.uid, account.gid, (gid_t)-1 };
	children_become("postern-store", config->start.unprivileged ? NULL : &who, 0,
	    descriptors, 3);
}

static void
close_pair(const int *pair)
{
	if (pair[0] != -1)
		(void)close(pair[0]);
	if (pair[1] != -1)
		(void)close(pair[1]);
}

static const char *
start_store(const struct config *config, const struct child *net,
    uint64_t session, const struct ipc_login_granted *granted,
    struct session_ends *ends)
{
	struct child *store = children_place();
	int for_net[2];
	pid_t pid;

	if (store == NULL)
		return ("too many sessions; try again later");
	if (children_channel(ends->control) == -1 ||
	    children_channel(ends->session) == -1 ||
	    pipe2(ends->data, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		log_line(LOG_ERR, "event=start process=store error=\"%s\"",
		    strerror(errno));
		return ("the server is short of resources; try again later");
	}
	if (pid == 0)
		become_store(config, ends, session, granted);
	children_note(store, pid, ends->control[0]);
	ends->control[0] = -1;
	for_net[0] = ends->session[0];
	for_net[1] = ends->data[0];
	/* If net does not get them, the store sees the end and goes. */
	if (ipc_send(net->channel, IPC_SESSION_STORE, session, NULL,
	    for_net) == -1)
		log_line(LOG_ERR, "event=grant session=%u-%llu error=\"%s\"",
		    granted->net, (unsigned long long)session,
		    strerror(errno));
	return (NULL);
}

void
grant_session(const struct config *config, uint64_t session,
    const struct ipc_login_granted *granted)
{
	struct session_ends ends = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	const struct child *net = children_net(granted->net);
	struct ipc_reason reason = { "" };
	const char *wrong;

	if (net == NULL)
		return;
	wrong = start_store(config, net, session, granted, &ends);
	close_pair(ends.control);
	close_pair(ends.session);
	close_pair(ends.data);
	if (wrong == NULL)
		return;
	(void)strlcpy(reason.text, wrong, sizeof(reason.text));
	(void)ipc_send(net->channel, IPC_SESSION_FAILED, session, &reason,
	    NULL);
}
