/*
 * race_agent.c - what delivers: procmail, maildrop, and two of the tests' own.
 *
 * Each runs as the mailbox's owner.  Where root runs the race its group is
 * mail, as the setgid programs of a host have it: the spool directory is
 * Debian's, root:mail 2775, and a lock file in it takes that group.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

#define TRIES		20	/* of a delivery that fails */
#define LOCK_TRIES	12000	/* a minute for a lock file */
#define LOCK_SLEEP_MS	5
#define NOBODY		65534
#define FROM_LINE	"From " RACE_SENDER " Sat Nov 21 23:33:00 2026\n"

static void
pause_ms(uint32_t ms)
{
	(void)poll(NULL, 0, (int)ms);
}

const char *
race_user(unsigned int user)
{
	static const char *const names[RACE_USERS] = { "olive", "peter",
	    "quinn", "ruth" };

	return (names[user]);
}

static int
write_all(int fd, const char *bytes, size_t length)
{
	ssize_t wrote;

	for (; length > 0; length -= (size_t)wrote, bytes += wrote)
		if ((wrote = write(fd, bytes, length)) <= 0)
			return (-1);
	return (0);
}

/* At the end, in pieces: who does not lock sees half a message. */
static int
append(struct race *race, int fd, unsigned int lane, unsigned int serial)
{
	size_t length;
	char *bytes = race_stored(race->agent, lane, serial, &length);
	const int mailtxt = race->agent->form == RACE_MAILTXT;
	char head[80];
	int result;

	(void)snprintf(head, sizeof(head), "22-Nov-2026 01:02:03 +0000,%zu;"
	    "000000000000\n", length);
	result = lseek(fd, 0, SEEK_END) == -1 ||
	    (mailtxt ? write_all(fd, head, strlen(head)) :
	    write_all(fd, FROM_LINE, strlen(FROM_LINE))) == -1 ||
	    write_all(fd, bytes, length / 2) == -1 ||
	    write_all(fd, bytes + length / 2, length - length / 2) == -1 ||
	    write_all(fd, "\n", !mailtxt) == -1 ? -1 : 0;
	free(bytes);
	return (result);
}

static int
open_mailbox(const struct race *race, unsigned int lane)
{
	return (open(mailbox_path(&race->server, race_user(lane %
	    RACE_USERS)), O_RDWR | O_CLOEXEC));
}

/*
 * Waits for the lock with the file open, and never looks whether the name
 * still leads to it.  A user's three lanes differ: one opens and
 * locks, one is slow in between, one opens once for all its messages.
 */
static int
deliver_own(struct race *race, unsigned int lane, unsigned int serial)
{
	static int kept = -1;
	const unsigned int kind = lane / RACE_USERS;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	uint64_t random = (uint64_t)serial * RACE_LANES + lane;
	int fd = kept != -1 ? kept : open_mailbox(race, lane), result = -1;

	(void)race_random(&random, 2);
	if (fd == -1)
		return (-1);
	if (kind == 1)
		pause_ms(race_random(&random, 12));
	if (fcntl(fd, F_SETLKW, &lock) == 0)
		result = append(race, fd, lane, serial);
	lock.l_type = F_UNLCK;
	(void)fcntl(fd, F_SETLK, &lock);
	if (kind == 2)
		kept = fd;
	else
		(void)close(fd);
	pause_ms(race_random(&random, 20));
	return (result);
}

const struct race_agent race_own = {
	.name = "own, fcntl", .uid = 5003, .deliver = deliver_own
};

/* The same locks, in a MAIL.TXT. */
const struct race_agent race_mailtxt = {
	.name = "own, MAIL.TXT", .form = RACE_MAILTXT, .uid = 5003,
	.deliver = deliver_own
};

/* The lock file is all that keeps others away. */
static int
lock_by_name(const char *mailbox, char *path, size_t size)
{
	int fd, tries;

	(void)snprintf(path, size, "%s.lock", mailbox);
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd != -1)
			return (close(fd));
		if (errno != EEXIST)
			return (-1);
		pause_ms(LOCK_SLEEP_MS);
	}
	return (-1);
}

/* Every second one has the mailbox open before it has the lock. */
static int
deliver_dotlock(struct race *race, unsigned int lane, unsigned int serial)
{
	uint64_t random = (uint64_t)serial * RACE_LANES + lane;
	char path[700];
	int fd = -1, result = -1;

	(void)race_random(&random, 2);
	if (serial % 2 == 0)
		fd = open_mailbox(race, lane);
	if (lock_by_name(mailbox_path(&race->server, race_user(lane %
	    RACE_USERS)), path, sizeof(path)) == 0) {
		if (serial % 2 == 1)
			fd = open_mailbox(race, lane);
		if (fd != -1)
			result = append(race, fd, lane, serial);
		(void)unlink(path);
	}
	if (fd != -1)
		(void)close(fd);
	pause_ms(race_random(&random, 20));
	return (result);
}

const struct race_agent race_dotlock = {
	.name = "own, dotlock", .uid = 5003, .open_spool = 1,
	.settings = "lock fcntl dotlock\n",
	.deliver = deliver_dotlock
};

int
race_give(const struct race *race, const char *const *arguments,
    unsigned int lane, unsigned int serial)
{
	static char path[] = "PATH=/usr/bin:/bin", home[] = "HOME=/";
	static char user[] = "USER=nobody", profile[400];
	static char *const environment[] = { path, home, user, profile, NULL };
	size_t length;
	char *text = race_text(lane, serial, &length), log[400];
	int in[2], status, out;
	pid_t pid;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(log, sizeof(log), "%s/log.%u", race->directory, lane);
	/* nmh's. */
	(void)snprintf(profile, sizeof(profile), "MH=%s/%s", race->directory,
	    race_user(lane % RACE_USERS));
	if (pipe2(in, O_CLOEXEC) == -1 || (out = open(log, O_WRONLY |
	    O_CREAT | O_APPEND | O_CLOEXEC, 0600)) == -1 ||
	    (pid = fork()) == -1)
		return (-1);
	if (pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(out, STDERR_FILENO);
		(void)signal(SIGPIPE, SIG_DFL);
		(void)execve(arguments[0], (char *const *)(uintptr_t)arguments,
		    environment);
		_exit(127);
	}
	(void)close(out);
	(void)close(in[0]);
	if (race->agent->wants_newline && text[length - 1] != '\n')
		text[length++] = '\n';	/* where the NUL was */
	(void)write_all(in[1], text, length);
	(void)close(in[1]);
	free(text);
	return (waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1);
}

/*
 * A directory of the agent's, the users' own, with the program in it.  The
 * copy is not set to any user or group: it cannot touch the host's own mail,
 * which procmail would do.
 */
static void
make_directory(struct race *race)
{
	char path[400], *bytes;
	size_t length;

	(void)snprintf(race->directory, sizeof(race->directory), "%s/agent",
	    race->server.directory);
	ATF_REQUIRE(mkdir(race->directory, 0755) == 0);
	if (race->server.privileged)
		ATF_REQUIRE(chown(race->directory, race->agent->uid,
		    (gid_t)-1) == 0);
	bytes = file_read(race->agent->program, &length);
	(void)snprintf(path, sizeof(path), "%s%s", race->directory,
	    strrchr(race->agent->program, '/'));
	file_write(path, bytes, length);
	ATF_REQUIRE(chmod(path, 0755) == 0);
	free(bytes);
}

/*
 * Each user's file of rules or settings, in which % is the mailbox and ~ the
 * agent's directory.
 */
static void
write_rules(struct race *race, const char *rules)
{
	char path[400], text[2000];
	const char *from;
	unsigned int user;

	make_directory(race);
	for (user = 0; user < RACE_USERS; user++) {
		text[0] = '\0';
		for (from = rules; *from != '\0'; from++)
			(void)snprintf(text + strlen(text), sizeof(text) -
			    strlen(text), "%.*s", *from == '%' || *from == '~'
			    ? 500 : 1, *from == '%' ? race_box(race, user) :
			    *from == '~' ? race->directory : from);
		(void)snprintf(path, sizeof(path), "%s/%s", race->directory,
		    race_user(user));
		file_write(path, text, strlen(text));
		if (race->server.privileged)
			ATF_REQUIRE(chown(path, race->agent->uid,
			    (gid_t)-1) == 0);
	}
}

/* As if the spool were mounted "noatime": nobody has read the mailbox. */
static void
forget_reads(const struct race *race, unsigned int lane)
{
	const struct timespec times[2] = { { 0, 0 }, { 0, UTIME_OMIT } };

	(void)utimensat(AT_FDCWD, mailbox_path(&race->server,
	    race_user(lane % RACE_USERS)), times, 0);
}

static int
deliver_by_rules(struct race *race, unsigned int lane, unsigned int serial)
{
	char program[400], rules[400];
	const char *const arguments[] = { program, "-f", RACE_SENDER, rules,
	    NULL };
	uint64_t random = (uint64_t)serial * RACE_LANES + lane;

	(void)race_random(&random, 2);
	/* Its own name tells procmail what to do. */
	(void)snprintf(program, sizeof(program), "%s%s", race->directory,
	    strrchr(race->agent->program, '/'));
	(void)snprintf(rules, sizeof(rules), "%s/%s", race->directory,
	    race_user(lane % RACE_USERS));
	/* Who meets a lock file sleeps for a second, or for more. */
	pause_ms(race_random(&random, 100));
	if (race->agent->rests_after_reads)
		forget_reads(race, lane);
	return (race_give(race, arguments, lane, serial));
}

static void
begin_procmail(struct race *race)
{
	static const char *const suffixes[] = { [RACE_MBOX] = "",
	    [RACE_MAILDIR] = "/" };
	char rules[200];

	(void)snprintf(rules, sizeof(rules), "DEFAULT=\"%%%s\"\n"
	    "ORGMAIL=$DEFAULT\nLOCKSLEEP=1\n",
	    suffixes[race->agent->form]);
	write_rules(race, rules);
}

/*
 * Lock file and fcntl.  It takes the group of its user's entry in the
 * password file, and does not work without one: who runs it here has to be
 * nobody, without the group mail.  When the mailbox was read in this second it
 * sleeps for one, with one letter of a From_ line written and its locks held;
 * forget_reads() makes that the exception.
 * Behind a message that ends without a newline it writes no empty line: the
 * next would seem to be part of it.
 */
const struct race_agent race_procmail = {
	.name = "procmail", .program = "/usr/bin/procmail", .uid = NOBODY,
	.open_spool = 1, .wants_newline = 1, .rests_after_reads = 1,
	.begin = begin_procmail, .deliver = deliver_by_rules
};

static void
begin_maildrop(struct race *race)
{
	write_rules(race, "DEFAULT=\"%\"\nLOCKSLEEP=1\nto \"%\"\n");
}

/* The same locks; it needs the entry, too, but stays in the group mail. */
const struct race_agent race_maildrop = {
	.name = "maildrop", .program = "/usr/bin/maildrop", .uid = NOBODY,
	.quotes_quoted = 1, .begin = begin_maildrop,
	.deliver = deliver_by_rules
};

#define IN_MAILDIR	.form = RACE_MAILDIR,				\
			.settings = "inbox maildir ~/box\n"
#define IN_MH		.form = RACE_MH, .settings = "inbox mh ~/box\n"

/*
 * No lock at all.  (In MH it gives a message its number before it has written
 * it: a reader that comes in that moment sees less than was delivered.)
 */
const struct race_agent race_procmail_maildir = {
	.name = "procmail, Maildir", .program = "/usr/bin/procmail",
	.uid = NOBODY, IN_MAILDIR, .begin = begin_procmail,
	.open_spool = 1, .deliver = deliver_by_rules
};

const struct race_agent race_maildrop_maildir = {
	.name = "maildrop, Maildir", .program = "/usr/bin/maildrop",
	.uid = NOBODY, IN_MAILDIR, .begin = begin_maildrop,
	.deliver = deliver_by_rules
};

/*
 * Its folder's number and sequences are nmh's business.  Two at once in one
 * folder break .mh_sequences without anybody's help, and then take no more mail
 * ("eof encountered in field"): a lock file between them is the custom.
 */
static int
deliver_rcvstore(struct race *race, unsigned int lane, unsigned int serial)
{
	const unsigned int user = lane % RACE_USERS;
	char folder[500], name[400];
	const char *const arguments[] = { race->agent->program, folder, NULL };
	int lock, result = -1;

	(void)snprintf(folder, sizeof(folder), "+%s", race_box(race, user));
	(void)snprintf(name, sizeof(name), "%s/%s.lock", race->directory,
	    race_user(user));
	lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock != -1 && flock(lock, LOCK_EX) == 0)
		result = race_give(race, arguments, lane, serial);
	(void)close(lock);
	return (result);
}

static void
begin_rcvstore(struct race *race)
{
	write_rules(race, "Path: ~\nUnseen-Sequence: unseen\n");
}

const struct race_agent race_rcvstore = {
	.name = "rcvstore", .program = "/usr/lib/mh/rcvstore", .uid = NOBODY,
	IN_MH, .begin = begin_rcvstore, .deliver = deliver_rcvstore
};

static int
deliver_dovecot(struct race *race, unsigned int lane, unsigned int serial)
{
	char settings[400];
	const char *const arguments[] = { race->agent->program, "-e", "-f",
	    RACE_SENDER, "-c", settings, NULL };

	(void)snprintf(settings, sizeof(settings), "%s/%s", race->directory,
	    race_user(lane % RACE_USERS));
	return (race_give(race, arguments, lane, serial));
}

static void
begin_dovecot(struct race *race)
{
	char rules[400];

	(void)snprintf(rules, sizeof(rules), "base_dir=~/run\n"
	    "log_path=~/log\nssl=no\nstats_writer_socket_path=\n"
	    "postmaster_address=postmaster@example.org\n"
	    "mail_location=%s\n", race->agent->form == RACE_MBOX ?
	    "mbox:~/other:INBOX=%:INDEX=MEMORY" : "maildir:%");
	write_rules(race, rules);
}

const struct race_agent race_dovecot_maildir = {
	.name = "Dovecot, Maildir", .program = "/usr/lib/dovecot/deliver",
	.uid = NOBODY, IN_MAILDIR, .begin = begin_dovecot,
	.deliver = deliver_dovecot
};

/* It counts where others quote, and sets fields in what was there before. */
const struct race_agent race_dovecot_mbox = {
	.name = "Dovecot, mbox", .program = "/usr/lib/dovecot/deliver",
	.uid = NOBODY, .quotes_nothing = 1, .adds_notes = 1,
	.wants_newline = 1, .begin = begin_dovecot,
	.deliver = deliver_dovecot
};

/* Why it did not: the last that the agent said, where it says anything. */
static const char *
last_words(const struct race *race, unsigned int lane)
{
	static char words[200];
	char log[400];
	ssize_t got = 0;
	off_t size;
	int fd;

	(void)snprintf(log, sizeof(log), "%s/log.%u", race->directory, lane);
	fd = open(log, O_RDONLY | O_CLOEXEC);
	if (fd != -1 && (size = lseek(fd, 0, SEEK_END)) > 0)
		got = pread(fd, words, sizeof(words) - 1,
		    size < (off_t)sizeof(words) ? 0 :
		    size - (off_t)sizeof(words) + 1);
	if (fd != -1)
		(void)close(fd);
	words[got > 0 ? got : 0] = '\0';
	return (words);
}

void
race_lane(struct race *race, unsigned int lane)
{
	unsigned int serial, tries;

	for (serial = 0; serial < race->count; serial++) {
		for (tries = 0; tries < TRIES; tries++) {
			race_mail(race, lane, serial)->tries = tries + 1;
			if (race->agent->deliver(race, lane, serial) == 0)
				break;
			pause_ms(100);
		}
		if (tries == TRIES) {
			race_complain(race, "%s did not take message %u of "
			    "lane %u: %s", race->agent->name, serial, lane,
			    last_words(race, lane));
			return;
		}
		race_mail(race, lane, serial)->delivered = 1;
		atomic_fetch_add(&race->ledger->progress, 1);
	}
}
