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
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "log.h"
#include "parent.h"

/*
 * Makes the user's own directory below the state directory, and checks that
 * it is theirs alone.  Only root may write the directory above it.  A maildrop
 * of its own has a directory of its own, by whatever name the user came: the
 * session lock and the journal in it belong to the mailbox.  A colon is in no
 * path of the passwd file and in no name of an account.
 */
static const char *
state_directory(const struct settings *settings, const struct account *account,
    char *path)
{
	const char *of = account->maildrop[0] != '\0' ? account->maildrop :
	    account->system_name[0] != '\0' ? account->system_name :
	    account->user;
	char *slash = path + strlen(settings->parent.state) + 1;
	struct stat status;

	if (snprintf(path, PATH_SIZE, "%s/%u.%s", settings->parent.state,
	    (unsigned int)account->uid, of) >= PATH_SIZE)
		return ("the name of the state directory is too long");
	while ((slash = strchr(slash, '/')) != NULL)
		*slash = ':';
	/* What is kept there counts from the first journal on. */
	if ((mkdir(path, 0700) == 0 ? fsync(open(settings->parent.state,
	    O_RDONLY | O_DIRECTORY)) : errno != EEXIST) != 0 ||
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
fill_config(const struct account *account,
    const struct ipc_login_granted *granted, struct ipc_store_config *config)
{
	config->net = granted->net;
	config->pid = (uint32_t)getpid();
	(void)strlcpy(config->user, account->user, USER_SIZE);
	(void)strlcpy(config->system_name, account->system_name, USER_SIZE);
	(void)strlcpy(config->home, account->home, PATH_SIZE);
	(void)strlcpy(config->peer, granted->peer, PEER_SIZE);
	config->is_template = account->maildrop[0] == '\0';
	if (!config->is_template) {
		(void)strlcpy(config->maildrop, account->maildrop, PATH_SIZE);
		config->maildrop_2[0] = '\0';
		config->formats[0] = FORMAT_ANY;
	}
}

/*
 * Tells postern-lock of a session, and gives it one end of their channel.
 * Logins come in bursts: while it has too many before it, it is waited for,
 * here, in a process of this login's own.  If that does not help the store
 * meets the end of the channel.
 */
static void
tell_lock(const struct child *lock, uint64_t session,
    const struct ipc_store_config *config, const int *end)
{
	struct pollfd polled = { lock->channel, POLLOUT, 0 };

	while (ipc_send(lock->channel, IPC_LOCK_SESSION, session, config,
	    end) == -1)
		if (errno != EAGAIN ||
		    poll(&polled, 1, LOCK_ANSWER_SECONDS * 1000) != 1)
			break;
}

/*
 * The forked child: from here it is on its way to be the user.  It is the one
 * that writes its settings, to the parent's end `control`; and it tells
 * postern-lock.
 */
static void
become_store(const struct settings *settings, int control,
    const struct child *lock, uint64_t session,
    const struct ipc_login_granted *granted, const int *descriptors)
{
	static const struct ipc_reason reason = {
	    "this account has no mailbox here", FAILURE_PERMANENT, 0 };
	const struct account_policy policy = { settings->auth.passwd_file,
	    (uid_t)settings->auth.minimum_uid,
	    (int)settings->parent.start.unprivileged };
	struct ipc_store_config config = settings->store;
	struct account account;
	const char *wrong;
	int ends[2] = { -1, -1 };

	/* A name service that hangs: this has the parent's channels, too. */
	(void)alarm(ACCOUNT_SECONDS);
	wrong = account_find(&policy, granted->user, &account);
	(void)alarm(0);
	if (wrong == NULL)
		wrong = state_directory(settings, &account,
		    config.state_directory);
	if (wrong != NULL) {
		log_line(LOG_ERR, "event=refused session=%u-%llu peer=%s "
		    "user=%s error=\"%s\"", granted->net,
		    (unsigned long long)session, granted->peer,
		    account_name_valid(granted->user) ? granted->user : "?",
		    wrong);
		(void)ipc_send(descriptors[1], IPC_STORE_FAILED, session,
		    &reason, NULL);
		_exit(0);
	}
	fill_config(&account, granted, &config);
	(void)ipc_send(control, IPC_STORE_CONFIG, session, &config, NULL);
	(void)ipc_send(control, IPC_START, session, NULL, NULL);
	if (lock != NULL && children_channel(ends, 1) == -1)
		log_fatal("event=start process=store error=\"%s\"",
		    strerror(errno));
	if (lock != NULL)
		tell_lock(lock, session, &config, &ends[1]);
	children_become(settings, ROLE_STORE, &(const struct identity){
	    account.uid, account.gid, (gid_t)-1 }, (const int[]){
	    descriptors[0], descriptors[1], descriptors[2], ends[0] },
	    ends[0] == -1 ? 3 : 4);
}

void
grant_session(const struct settings *settings, int net,
    const struct child *lock, struct child *store, uint64_t session,
    const struct ipc_login_granted *granted)
{
	struct ipc_reason reason = { "too many sessions; try again later",
	    FAILURE_TEMPORARY, 0 };
	/* Of the channel and of the pipe, net's end and the store's. */
	int control[2], ends[4] = { -1, -1, -1, -1 }, i;
	pid_t pid = -1;

	if (store != NULL && (children_channel(ends, 0) == -1 ||
	    pipe2(ends + 2, O_CLOEXEC | O_NONBLOCK) == -1 ||
	    (pid = children_fork(store, control)) == -1)) {
		log_line(LOG_ERR, "event=start process=store error=\"%s\"",
		    strerror(errno));
		(void)strlcpy(reason.text, "the server is short of resources; "
		    "try again later", sizeof(reason.text));
	}
	if (pid == 0)
		become_store(settings, control[0], lock, session, granted,
		    (const int[]){ control[1], ends[1], ends[3] });
	if (pid > 0)
		(void)strlcpy(store->user, granted->user, sizeof(store->user));
	/* If net does not get them, the store sees the end and goes. */
	if (ipc_send(net, pid > 0 ? IPC_SESSION_STORE : IPC_SESSION_FAILED,
	    session, pid > 0 ? NULL : &reason, (const int[]){ ends[0],
	    ends[2] }) == -1)
		log_line(LOG_ERR, "event=grant session=%u-%llu error=\"%s\"",
		    granted->net, (unsigned long long)session,
		    strerror(errno));
	for (i = 0; i < 4; i++)
		children_close(&ends[i]);
}
