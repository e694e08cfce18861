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
static int
state_directory(const struct config *config, const struct account *account,
    char *path, size_t size)
{
	struct stat status;

	if ((size_t)snprintf(path, size, "%s/%u.%s", config->state,
	    (unsigned int)account->uid, account->user) >= size)
		return (-1);
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return (-1);
	if (lstat(path, &status) == -1)
		return (-1);
	if (S_ISDIR(status.st_mode) && status.st_uid == 0 &&
	    lchown(path, account->uid, account->gid) == 0 &&
	    lstat(path, &status) == -1)
		return (-1);
	if (!S_ISDIR(status.st_mode) || status.st_uid != account->uid ||
	    (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		errno = EPERM;
		return (-1);
	}
	return (0);
}

static const char *
fill_settings(const struct config *config, const struct account *account,
    const char *peer, struct ipc_store_config *settings)
{
	const char *name = account->system_name[0] != '\0' ?
	    account->system_name : account->user;
	const char *maildrop = account->maildrop[0] != '\0' ?
	    account->maildrop : config->mailbox;

	memset(settings, 0, sizeof(*settings));
	settings->start = config->start;
	settings->lock_seconds = config->lock_seconds;
	settings->idle_seconds = config->net.session_seconds;
	(void)strlcpy(settings->user, account->user, sizeof(settings->user));
	(void)strlcpy(settings->peer, peer, sizeof(settings->peer));
	if (account->maildrop[0] != '\0')
		(void)strlcpy(settings->maildrop, maildrop, PATH_SIZE);
	else if (config_expand(maildrop, name, account->home,
	    settings->maildrop, PATH_SIZE) == -1)
		return ("mailbox path too long");
	if (config->folders[0] != '\0' && config_expand(config->folders, name,
	    account->home, settings->folder_root, PATH_SIZE) == -1)
		return ("folder path too long");
	if (state_directory(config, account, settings->state_directory,
	    PATH_SIZE) == -1)
		return ("no state directory of the user's own");
	return (NULL);
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
	struct ipc_store_config settings;
	struct ipc_reason reason = { "this account has no mailbox here" };
	struct identity who;
	struct account account;
	const char *wrong;

	(void)umask(077);
	wrong = account_find(&policy, granted->user, &account);
	if (wrong == NULL)
		wrong = fill_settings(config, &account, granted->peer,
		    &settings);
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
	(void)ipc_send(ends->control[0], IPC_STORE_CONFIG, session, &settings,
	    NULL);
	(void)ipc_send(ends->control[0], IPC_START, session, NULL, NULL);
	who.uid = account.uid;
	who.gid = account.gid;
	who.extra = (gid_t)-1;
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
	children_note(store, ROLE_STORE, pid, ends->control[0]);
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
	struct ipc_reason reason;
	const char *wrong;

	if (net == NULL)
		return;
	wrong = start_store(config, net, session, granted, &ends);
	close_pair(ends.control);
	close_pair(ends.session);
	close_pair(ends.data);
	if (wrong == NULL)
		return;
	memset(&reason, 0, sizeof(reason));
	(void)strlcpy(reason.text, wrong, sizeof(reason.text));
	(void)ipc_send(net->channel, IPC_SESSION_FAILED, session, &reason,
	    NULL);
}
