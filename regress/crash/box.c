/*
 * box.c - a box, its deliveries, its sessions.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "inbox.h"
#include "mailbox.h"
#include "mh.h"

#define FROM_LINE	"From a@example.org Sun Nov 22 01:02:03 2026\n"
#define SEQUENCES	"cur: 2\nodd: 2 4 6\nall: 1-6\nfirst: 1-2\n"
#define SECONDS		1000	/* of dates; in names of a Maildir and its
				   serial */

int
box_has(const struct box *box, enum box_form part)
{
	switch (box->kind) {
	case BOX_INBOX:
		return (1);
	case BOX_MAILDIR:
		return (part == PART_MAILDIR);
	default:
		return (part == PART_MH);
	}
}

/* No two are of one length, so that a session knows which is which. */
static size_t
dots_of(unsigned int serial)
{
	return (serial * 7 % 1000);
}

/* As it is stored in its part. */
const char *
box_text(const struct box_mail *mail)
{
	static char text[1200], dots[1001];
	const size_t count = dots_of(mail->serial);

	memset(dots, '.', count);
	dots[count] = '\0';
	(void)snprintf(text, sizeof(text), "%sSubject: %04u\n\n%s\n%s",
	    mail->part == PART_MBOX ? FROM_LINE : "", mail->serial, dots,
	    mail->part == PART_MBOX ? "\n" : "");
	return (text);
}

/* On the wire. */
size_t
box_octets(const struct box_mail *mail)
{
	return (strlen("Subject: 0000\r\n\r\n\r\n") + dots_of(mail->serial));
}

/*
 * By calls that are recorded, and synced.  It is old: a commit does not wait
 * until a message is that.
 */
static void
write_file(int directory, const char *name, int flags, const char *text)
{
	const struct timespec old[2] = { { SECONDS, 0 }, { SECONDS, 0 } };
	int fd = openat(directory, name, O_WRONLY | O_CREAT | flags, 0600);
	struct stat status;

	if (fd == -1 || fstat(fd, &status) == -1 || pwrite(fd, text,
	    strlen(text), status.st_size) != (ssize_t)strlen(text) ||
	    fsync(fd) == -1 || futimens(fd, old) == -1 || close(fd) == -1)
		err(1, "%s", name);
}

static int
highest_number(const char *path)
{
	struct dirent *entry;
	DIR *directory = opendir(path);
	int64_t highest = 0, number;

	if (directory == NULL)
		err(1, "%s", path);
	while ((entry = readdir(directory)) != NULL)
		if ((number = mh_number(entry->d_name)) > highest)
			highest = number;
	(void)closedir(directory);
	return ((int)highest);
}

/* As an agent would, with everything on the disk before it says so. */
static void
put(const struct box *box, const struct box_mail *mail)
{
	char path[sizeof(box->directory) + 20], name[40];
	int directory;

	if (mail->part == PART_MBOX) {
		write_file(AT_FDCWD, box->mailbox, 0, box_text(mail));
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", box->directory,
	    mail->part == PART_MH ? "mh" : mail->serial % 2 == 0 ?
	    "maildir/new" : "maildir/cur");
	if (mail->part == PART_MH)
		(void)snprintf(name, sizeof(name), "%d",
		    highest_number(path) + 1);
	else
		(void)snprintf(name, sizeof(name), "%u.x%s", SECONDS +
		    mail->serial, mail->serial % 2 == 0 ? "" : ":2,FS");
	directory = open(path, O_RDONLY | O_DIRECTORY);
	if (directory == -1)
		err(1, "%s", path);
	write_file(directory, name, O_EXCL, box_text(mail));
	if (fsync(directory) == -1 || close(directory) == -1)
		err(1, "%s", path);
}

static void
add_mail(struct box *box, enum box_form part, int marked)
{
	struct box_mail *mail = &box->mails[box->count++];

	if (box->count > BOX_MAILS)
		errx(1, "too many messages");
	mail->serial = ++box->serial;
	mail->part = part;
	mail->marked = marked;
}

static void
add_one_to_each(struct box *box)
{
	enum box_form part;

	for (part = 0; part < PART_FORMS; part++)
		if (box_has(box, part))
			add_mail(box, part, 0);
}

void
box_deliver(struct box *box)
{
	struct faults before = *faults;
	size_t i = box->count;

	add_one_to_each(box);
	memset(faults, 0, sizeof(*faults));
	for (; i < box->count; i++)
		put(box, &box->mails[i]);
	*faults = before;
}

void
box_forget_since(struct box *box, size_t count)
{
	box->count = count;
	box->serial = box->mails[count - 1].serial;
}

static void
make_directory(struct box *box, const char *name, int holds_names)
{
	char *path = box->directories[box->directory_count];

	(void)snprintf(path, sizeof(box->directories[0]), "%s/%s",
	    box->directory, name);
	if (mkdir(path, 0700) == -1)
		err(1, "%s", path);
	box->directory_count += holds_names != 0;
}

/* Its parts are the configuration's, and found once for all children. */
static void
configure(const struct box *box)
{
	static struct ipc_store_config config;
	char here[PATH_MAX];

	if (getcwd(here, sizeof(here)) == NULL)
		err(1, "getcwd");
	memset(&config, 0, sizeof(config));
	(void)strlcpy(config.home, "/nonexistent", sizeof(config.home));
	(void)snprintf(config.maildrop, sizeof(config.maildrop),
	    "%.800s/%s/mbox", here, box->directory);
	(void)snprintf(config.maildrop_2, sizeof(config.maildrop_2),
	    "%.800s/%s/mh", here, box->directory);
	(void)snprintf(config.maildrop_3, sizeof(config.maildrop_3),
	    "%.800s/%s/maildir", here, box->directory);
	inbox_begin(&config);
}

void
box_open(struct box *box)
{
	enum box_form part;
	size_t i;

	(void)strlcpy(box->directory, "box.XXXXXX", sizeof(box->directory));
	if (mkdtemp(box->directory) == NULL)
		err(1, "mkdtemp");
	box->told = mmap(NULL, sizeof(*box->told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (box->told == MAP_FAILED)
		err(1, "mmap");
	box->directory_count = 0;
	box->mailbox[0] = '\0';
	make_directory(box, "state", 1);
	if (box_has(box, PART_MH))
		make_directory(box, "mh", 1);
	if (box_has(box, PART_MAILDIR)) {
		make_directory(box, "maildir", 0);
		make_directory(box, "maildir/tmp", 0);
		make_directory(box, "maildir/new", 1);
		make_directory(box, "maildir/cur", 1);
	}
	if (box_has(box, PART_MBOX))
		(void)snprintf(box->mailbox, sizeof(box->mailbox), "%s/mbox",
		    box->directory);
	for (part = 0; part < PART_FORMS; part++)
		for (i = 0; i < BOX_PART_MAILS && box_has(box, part); i++)
			add_mail(box, part, crash_is_marked(box->pattern, i,
			    BOX_PART_MAILS));
	box->first_count = box->count;
	if (box->kind == BOX_INBOX)
		configure(box);
	box_reset(box);
}

/* Files alone: no directory is ever made in one of these. */
void
box_clear(const struct box *box)
{
	struct dirent *entry;
	DIR *directory;
	size_t i;

	for (i = 0; i < box->directory_count; i++) {
		if ((directory = opendir(box->directories[i])) == NULL)
			err(1, "%s", box->directories[i]);
		while ((entry = readdir(directory)) != NULL)
			if (entry->d_type != DT_DIR)
				(void)unlinkat(dirfd(directory),
				    entry->d_name, 0);
		(void)closedir(directory);
	}
}

void
box_close(struct box *box)
{
	static const char *const names[] = { "/maildir/tmp", "/maildir/new",
	    "/maildir/cur", "/maildir", "/mh", "/state", "" };
	char path[sizeof(box->directory) + 20];
	size_t i;

	box_clear(box);
	if (box->mailbox[0] != '\0')
		(void)unlink(box->mailbox);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", box->directory,
		    names[i]);
		(void)rmdir(path);
	}
	(void)munmap(box->told, sizeof(*box->told));
}

void
box_reset(struct box *box)
{
	char path[sizeof(box->directory) + 20];
	size_t i;

	box_forget_since(box, box->first_count);
	box->is_torn = 0;
	memset(faults, 0, sizeof(*faults));
	box_clear(box);
	if (box->mailbox[0] != '\0')
		write_file(AT_FDCWD, box->mailbox, O_TRUNC, "");
	for (i = 0; i < box->count; i++)
		put(box, &box->mails[i]);
	if (box_has(box, PART_MH)) {
		(void)snprintf(path, sizeof(path), "%s/mh/" MH_SEQUENCES,
		    box->directory);
		write_file(AT_FDCWD, path, O_TRUNC, SEQUENCES);
	}
	/* The reserve, and what else a first session leaves. */
	(void)box_child(box, 0);
}

/* Sends all; marks what is to go and is still there. */
static void
read_and_mark(const struct box *box, struct mailbox *mailbox)
{
	static struct wire wire;
	uint64_t number, octets;
	size_t i;

	wire.fd = open("/dev/null", O_WRONLY);
	for (number = 1; number <= mailbox->messages; number++) {
		octets = mailbox->format->octets(mailbox, number);
		wire_begin(&wire, octets);
		if (mailbox->format->send(mailbox, number, &wire) != NULL ||
		    wire_end(&wire) == -1)
			errx(1, "message %llu is not sent",
			    (unsigned long long)number);
		for (i = 0; i < box->count; i++)
			if (box_octets(&box->mails[i]) == octets)
				break;
		/* What is damaged is for the checker to tell. */
		if (i < box->count && box->mails[i].marked &&
		    mailbox->format->mark(mailbox, number) == -1)
			errx(1, "not marked");
	}
	(void)close(wire.fd);
}

static const char *
open_mailbox(const struct box *box, struct mailbox *mailbox)
{
	static const struct mailbox_format *const formats[BOX_KINDS] = {
	    &mailbox_mh, &mailbox_mh, &mailbox_maildir, &mailbox_inbox };

	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->format = formats[box->kind];
	mailbox->rename_deleted = box->kind == BOX_MH_RENAME;
	mailbox->place.directory = open(box->directory, O_RDONLY |
	    O_DIRECTORY);
	mailbox->place.state = open(box->directories[0], O_RDONLY |
	    O_DIRECTORY);
	mailbox->place.pulse = -1;
	mailbox->place.locks[0] = LOCK_FCNTL;
	(void)strlcpy(mailbox->place.name, box->kind == BOX_MAILDIR ?
	    "maildir" : "mh", sizeof(mailbox->place.name));
	return (mailbox->format->open(mailbox));
}

int
box_session(struct box *box, int commits)
{
	struct mailbox mailbox;
	const char *wrong = NULL;

	memset(box->told, 0, sizeof(*box->told));
	if (open_mailbox(box, &mailbox) != NULL)
		return (STATUS_CLOSED);
	mailbox.format->remember(&mailbox);
	box->told->messages = mailbox.messages;
	if (commits) {
		read_and_mark(box, &mailbox);
		if (box->arrival && commits == 1) {
			box_deliver(box);
			faults->arrived = 1;
			box->arrived_at = recording != NULL ?
			    recording->count : 0;
		}
		wrong = mailbox.format->commit(&mailbox, &box->told->deleted);
	}
	box->told->gone = mailbox.gone;
	box->told->failed = wrong != NULL;
	box->told->looks = wrong != NULL && strstr(wrong, "look") != NULL;
	(void)strlcpy(faults->reason, wrong == NULL ? "" : wrong,
	    sizeof(faults->reason));
	mailbox.format->close(&mailbox);
	(void)close(mailbox.place.directory);
	(void)close(mailbox.place.state);
	return (wrong == NULL ? STATUS_DONE : STATUS_FAILED);
}

int
box_child(struct box *box, int commits)
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	faults->arrived = 0;
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		_exit(box_session(box, commits));
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (!WIFEXITED(status))
		errx(1, "a session ended with signal %d", WTERMSIG(status));
	/* The child's deliveries, known here as well. */
	if (faults->arrived)
		add_one_to_each(box);
	faults->arrived = 0;
	return (WEXITSTATUS(status));
}
