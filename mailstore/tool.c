/*
 * tool.c - postern-mailbox: checks one mailbox, or converts it.
 *
 * Started by posternctl.  Runs as the owner of the mailbox: where root starts
 * it, it becomes that owner before it has read a byte of mail, and refuses a
 * mailbox of root's.  What it prints is for scripts and persons alike.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"
#include "sandbox.h"
#include "tool.h"

const char *const tool_forms[FORMS] = { "mbox", "mh", "maildir", "mail.txt",
    "tenex" };

int tool_on_terminal;

static volatile sig_atomic_t interrupted;
static int is_finished;

int
tool_is_interrupted(void)
{
	return (interrupted);
}

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void __attribute__((noreturn))
usage(void)
{
	(void)fprintf(stderr, "usage: posternctl mailbox check path\n"
	    "       posternctl mailbox convert -t mbox | mh | maildir | "
	    "mail.txt | tenex\n\t    from to\n");
	exit(TOOL_FAILED);
}

/* Whatever ends it early ends it with the status of a failure. */
static void
on_exit_early(void)
{
	if (!is_finished)
		_exit(TOOL_FAILED);
}

/*
 * What is half done is taken back, whoever asks for the end; a mailbox may be
 * so long that reading it comes to none.
 */
static void
set_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaction(ends[i], &action, NULL);
	lines_unwanted = tool_is_interrupted;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

/*
 * Root reads no mail.  The group is the account's own; where there is no such
 * account, which is so with virtual users, the mailbox's.
 */
static void
become_owner(const char *path)
{
	struct identity owner = { .extra = (gid_t)-1 };
	const struct passwd *account;
	struct stat status;

	if (geteuid() != 0)
		return;
	if (lstat(path, &status) == -1)
		log_fatal("%s: %s", path, strerror(errno));
	if (status.st_uid == 0)
		log_fatal("%s: it is root's; give it to the user whose mail "
		    "it is", path);
	errno = 0;
	account = getpwuid(status.st_uid);
	if (account == NULL && errno != 0 && errno != ENOENT &&
	    errno != ESRCH)
		log_fatal("%s: its owner cannot be looked up: %s", path,
		    strerror(errno));
	owner.uid = status.st_uid;
	owner.gid = account != NULL ? account->pw_gid : status.st_gid;
	privdrop_become(&owner, 0);
}

/*
 * The directory that a path's last part is in; one that is a link, as itself:
 * the sandbox lets nobody through a link's name.
 */
static void
parent_of(const char *path, char *parent, size_t size)
{
	char *slash;
	size_t length;

	if (strlcpy(parent, path, size) >= size)
		log_fatal("%s: the path is too long", path);
	for (length = strlen(parent); length > 1 &&
	    parent[length - 1] == '/'; length--)
		parent[length - 1] = '\0';
	slash = strrchr(parent, '/');
	if (slash == NULL)
		(void)strlcpy(parent, ".", size);
	else
		slash[slash == parent ? 1 : 0] = '\0';
	if (strlcat(parent, "/.", size) >= size)
		log_fatal("%s: the path is too long", path);
}

/* `to` is NULL where nothing is to be made; a directory has no dotlock. */
static void
shut_sandbox(const char *from, const char *to)
{
	const struct rlimit none = { 0, 0 };
	char beside[PATH_SIZE] = "", target[PATH_SIZE] = "";
	const struct sandbox_path paths[] = {
		{ from, SANDBOX_READ },
		{ beside, SANDBOX_NAMES },	/* the dotlock */
		{ target, SANDBOX_CREATE_TREE },
	};
	struct stat status;

	if (stat(from, &status) == 0 && !S_ISDIR(status.st_mode))
		parent_of(from, beside, sizeof(beside));
	if (to != NULL)
		parent_of(to, target, sizeof(target));
	if (setrlimit(RLIMIT_NPROC, &none) == -1)
		log_fatal("setrlimit: %s", strerror(errno));
	sandbox_harden();
	sandbox_files(paths, sizeof(paths) / sizeof(paths[0]), 0);
	sandbox_enter(&sandbox_mailbox, 0);
}

static enum tool_form
find_form(const char *name)
{
	int form = 0;

	while (form < FORMS && strcmp(name, tool_forms[form]) != 0)
		form++;
	if (form == FORMS)
		usage();
	return ((enum tool_form)form);
}

/* What both commands begin with; `to` may be NULL. */
static void
begin(const char *from, struct mailbox *mailbox, const char *to,
    struct mailbox_place *target)
{
	static char buffer[BUFSIZ];

	/* A buffer of its own: stdio would ask what its descriptor is. */
	tool_on_terminal = isatty(STDERR_FILENO);
	(void)setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
	if (sodium_init() == -1)
		log_fatal("libsodium cannot start");
	become_owner(from);
	if (tool_place(from, &mailbox->place) == -1)
		log_fatal("%s: %s", from, strerror(errno));
	if (to != NULL && tool_place(to, target) == -1)
		log_fatal("%s: %s", to, strerror(errno));
	shut_sandbox(from, to);
}

int
main(int argc, char **argv)
{
	static struct mailbox mailbox;
	static struct mailbox_place target;
	enum tool_status status;
	enum tool_form form;
	const char *wrong;
	int converts;

	log_to_stderr("posternctl");
	(void)atexit(on_exit_early);
	rights_close_others(STDERR_FILENO + 1);
	(void)umask(077);
	converts = argc == 6 && strcmp(argv[1], "convert") == 0 &&
	    strcmp(argv[2], "-t") == 0;
	if (!converts && (argc != 3 || strcmp(argv[1], "check") != 0))
		usage();
	form = converts ? find_form(argv[3]) : FORMS;
	set_signals();
	mailbox.keeps_locks = converts;
	begin(argv[converts ? 4 : 2], &mailbox, converts ? argv[5] : NULL,
	    &target);
	if ((wrong = tool_open(&mailbox)) != NULL)
		log_fatal("%s: %s", argv[converts ? 4 : 2],
		    tool_is_interrupted() ? "interrupted" : wrong);
	status = converts ? tool_convert(&mailbox, form, &target) :
	    tool_check(&mailbox);
	tool_close(&mailbox);
	if (fflush(stdout) == EOF || ferror(stdout))
		status = TOOL_FAILED;
	is_finished = 1;
	return ((int)status);
}
