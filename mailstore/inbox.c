/*
 * inbox.c - the default mailbox: one mailbox, or several one after the other.
 *
 * Linked into postern-store; runs as the user.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "detect.h"
#include "disk.h"
#include "dotlock.h"
#include "inbox.h"
#include "lock.h"
#include "log.h"
#include "parent.h"
#include "template.h"

static struct part {
	char path[PATH_SIZE];		/* expanded */
	int directory;			/* that it is in, or -1 */
	int error;			/* why: ENOENT, it is missing */
	enum mailbox_dotlock dotlock;
	char own_directory[PATH_SIZE];	/* where dotlocks are made beside it;
					   "": not there */
	struct mailbox mailbox;
	uint32_t before;		/* messages of the parts before it */
	int after_blank;		/* its first message, for POP1, needs
					   an empty line before it */
	int is_open;
} parts[INBOX_PARTS_MAX];
static size_t count;
static const struct ipc_store_config *config;

/* Does the directory in a template differ from user to user? */
static int
is_for_one_user(const char *template)
{
	const char *percent = strchr(template, '%');

	return (template[0] == '~' ||
	    (percent != NULL && strchr(percent, '/') != NULL));
}

/*
 * Who makes dotlocks for a part: the store itself where the configuration puts
 * it into a directory for this user alone.  The sandbox then lets it make and
 * remove files there; that is too much for a home, and for a directory of
 * several users' mail.
 */
static void
choose_dotlock(struct part *part, int for_one_user)
{
	const size_t length = (size_t)(strrchr(part->path, '/') - part->path);
	const int above_home =
	    strncmp(config->home, part->path, length) == 0 &&
	    (config->home[length] == '/' || config->home[length] == '\0');
	const int in_spool = !config->is_template ||
	    config->spool_part == (uint32_t)(part - parts) + 1;

	if (for_one_user && !above_home) {
		part->dotlock = DOTLOCK_BESIDE;
		memcpy(part->own_directory, part->path, length);
	} else if (in_spool && fcntl(CHILD_LOCK, F_GETFD) != -1)
		part->dotlock = DOTLOCK_IN_SPOOL;
}

static void
begin_part(struct part *part, const char *template)
{
	const char *name = config->system_name[0] != '\0' ?
	    config->system_name : config->user;
	char directory[PATH_SIZE], *slash;
	size_t length;

	part->mailbox.place.directory = -1;
	if (!config->is_template)
		(void)strlcpy(part->path, template, sizeof(part->path));
	else if (template_expand(template, name, config->home, part->path,
	    sizeof(part->path)) == -1)
		log_fatal("event=start error=\"mailbox path\"");
	/* "~/Maildir/" is the directory "~/Maildir", and nothing in it. */
	for (length = strlen(part->path); length > 1 &&
	    part->path[length - 1] == '/'; length--)
		part->path[length - 1] = '\0';
	(void)strlcpy(directory, part->path, sizeof(directory));
	slash = strrchr(directory, '/');
	if (slash == NULL || slash[1] == '\0')
		log_fatal("event=start error=\"mailbox path\"");
	slash[slash == directory ? 1 : 0] = '\0';
	/* The administrator's own path: links in it are meant. */
	part->mailbox.place.directory = -1;
	part->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NONBLOCK);
	part->error = part->directory == -1 ? errno : 0;
	choose_dotlock(part, config->is_template && is_for_one_user(template));
}

void
inbox_begin(const struct ipc_store_config *given)
{
	const char *const templates[INBOX_PARTS_MAX] = { given->maildrop,
	    given->maildrop_2, given->maildrop_3 };

	config = given;
	for (count = 0; count < INBOX_PARTS_MAX &&
	    templates[count][0] != '\0'; count++)
		begin_part(&parts[count], templates[count]);
}

size_t
inbox_sandbox(struct sandbox_path *paths, size_t used)
{
	size_t i;

	for (i = 0; i < count; i++) {
		paths[used++] = (struct sandbox_path){ parts[i].path,
		    SANDBOX_CREATE };
		paths[used++] = (struct sandbox_path){ parts[i].own_directory,
		    SANDBOX_CREATE };
	}
	return (used);
}

int
inbox_has_path(const char *path)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(path, parts[i].path) == 0)
			return (1);
	return (0);
}

static void
close_all(struct mailbox *inbox)
{
	struct part *part;

	(void)inbox;
	for (part = parts; part < parts + count; part++) {
		if (part->is_open)
			part->mailbox.format->close(&part->mailbox);
		if (part->mailbox.place.directory != -1)
			(void)close(part->mailbox.place.directory);
		part->mailbox.place.directory = -1;
		part->is_open = 0;
	}
}

static int
set_place(struct part *part, const struct mailbox *inbox)
{
	struct mailbox_place *place = &part->mailbox.place;
	const char *name = strrchr(part->path, '/') + 1;

	memset(&part->mailbox, 0, sizeof(part->mailbox));
	*place = inbox->place;
	part->mailbox.measure_all = inbox->measure_all;
	part->mailbox.rename_deleted = inbox->rename_deleted;
	if (count > 1)
		(void)snprintf(place->label, sizeof(place->label),
		    "INBOX-%zu", (size_t)(part - parts) + 1);
	place->dotlock = part->dotlock;
	place->directory = part->directory == -1 ? -1 :
	    fcntl(part->directory, F_DUPFD_CLOEXEC, 0);
	return (strlcpy(place->name, name, sizeof(place->name)) <
	    sizeof(place->name) ? 0 : -1);
}

/*
 * The format is what is there, or what the configuration says; then that must
 * fit what is there.
 */
static const char *
choose_format(struct part *part)
{
	struct mailbox *mailbox = &part->mailbox;
	const uint32_t wanted = config->formats[part - parts];
	struct stat status;
	int is_directory;

	if (wanted == FORMAT_ANY)
		return (detect_format(mailbox));
	mailbox->format = &mailbox_single_file;
	if (mailbox->place.directory == -1 || fstatat(mailbox->place.directory,
	    mailbox->place.name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return (NULL);	/* opening it tells why */
	is_directory = S_ISDIR(status.st_mode);
	if (is_directory == (wanted == FORMAT_FILE) ||
	    (wanted == FORMAT_MH && detect_is_maildir(&mailbox->place))) {
		log_line(LOG_ERR, "event=open folder=%s error=\"not of the "
		    "format that the configuration says\"",
		    mailbox->place.label);
		mailbox->unfit = 1;
		return ("the mailbox has not the expected format");
	}
	if (is_directory)
		mailbox->format = wanted == FORMAT_MH ? &mailbox_mh :
		    &mailbox_maildir;
	return (NULL);
}

/* What may be there, and cannot be seen, is not taken for nothing. */
static const char *
why_no_directory(const struct part *part, struct mailbox *inbox)
{
	if (part->error == ENOENT)
		return (NULL);
	log_line(LOG_ERR, "event=open folder=%s error=\"%s\"",
	    part->mailbox.place.label, strerror(part->error));
	inbox->unfit = disk_error_lasts(part->error);
	return ("the mailbox cannot be opened");
}

/* It would be the dotlock of another one, and keep everybody off that. */
static const char *
why_no_mailbox(const struct mailbox_place *place, struct mailbox *inbox)
{
	if (!dotlock_is_name(place->name))
		return (NULL);
	log_line(LOG_ERR, "event=open folder=%s error=\"a name that ends in "
	    ".lock is a dotlock's\"", place->label);
	inbox->unfit = 1;
	return ("the mailbox has the name of a lock");
}

/* A part that is not there, or shows no format yet, has no messages. */
static const char *
open_part(struct part *part, struct mailbox *inbox)
{
	struct mailbox *mailbox = &part->mailbox;
	const char *wrong;

	if (set_place(part, inbox) == -1)
		return ("the mailbox cannot be opened");
	if ((wrong = why_no_mailbox(&mailbox->place, inbox)) != NULL)
		return (wrong);
	if (part->directory == -1)
		return (why_no_directory(part, inbox));
	wrong = lock_session(mailbox->place.state, &mailbox->place);
	if (wrong == NULL)
		wrong = choose_format(part);
	if (wrong == NULL && mailbox->format != NULL) {
		wrong = mailbox->format->open(mailbox);
		part->is_open = wrong == NULL;
	}
	inbox->unfit |= mailbox->unfit;
	if (mailbox->format == NULL)
		return (wrong);
	inbox->absent &= !part->is_open || mailbox->absent;
	return (wrong);
}

/* Numbers its messages behind those of the parts before it. */
static const char *
add_part(struct part *part, struct mailbox *inbox)
{
	const struct mailbox *mailbox = &part->mailbox;

	part->before = inbox->messages;
	part->after_blank = 0;
	if (mailbox->messages == 0)
		return (NULL);
	if (inbox->messages > MESSAGES_MAX - mailbox->messages)
		return ("the mailbox has too many messages");
	part->after_blank = inbox->lacks_blank;
	inbox->lacks_blank = mailbox->lacks_blank;
	inbox->messages += mailbox->messages;
	inbox->all_octets += mailbox->all_octets +
	    (part->after_blank ? 2 : 0);
	return (NULL);
}

/* One that cannot be opened makes the rest unavailable, and is told. */
static const char *
open_all(struct mailbox *inbox)
{
	const char *wrong = NULL;
	struct part *part;

	inbox->messages = 0;
	inbox->all_octets = 0;
	inbox->lacks_blank = 0;
	inbox->absent = 1;
	for (part = parts; part < parts + count && wrong == NULL; part++) {
		wrong = open_part(part, inbox);
		if (wrong == NULL)
			wrong = add_part(part, inbox);
	}
	if (wrong != NULL)
		close_all(inbox);
	return (wrong);
}

/* The part of a message, and its number there; NULL: there is none. */
static struct part *
find_part(uint64_t *number)
{
	struct part *part;

	for (part = parts; part < parts + count; part++)
		if (part->is_open && *number > part->before &&
		    *number - part->before <= part->mailbox.messages) {
			*number -= part->before;
			return (part);
		}
	return (NULL);
}

struct mailbox *
inbox_first_part(struct mailbox *mailbox)
{
	return (mailbox->format != &mailbox_inbox ? mailbox :
	    parts[0].is_open ? &parts[0].mailbox : NULL);
}

static uint64_t
octets_of(struct mailbox *inbox, uint64_t number)
{
	struct part *part = find_part(&number);

	(void)inbox;
	return (part == NULL ? 0 : part->mailbox.format->octets(
	    &part->mailbox, number));
}

static uint64_t
sum_of(struct mailbox *inbox)
{
	uint64_t here, octets = 0;
	struct part *part;

	(void)inbox;
	for (part = parts; part < parts + count; part++) {
		if (!part->is_open)
			continue;
		here = part->mailbox.format->sum(&part->mailbox);
		if (here == UINT64_MAX)
			return (here);
		octets += here;
	}
	return (octets);
}

static const char *
send_message(struct mailbox *inbox, uint64_t number, struct wire *wire)
{
	struct part *part = find_part(&number);

	(void)inbox;
	return (part == NULL ? "no such message" :
	    part->mailbox.format->send(&part->mailbox, number, wire));
}

static const char *
send_all(struct mailbox *inbox, struct wire *wire)
{
	const char *wrong = NULL;
	struct part *part;

	(void)inbox;
	for (part = parts; part < parts + count && wrong == NULL; part++) {
		if (!part->is_open)
			continue;
		if (part->after_blank && wire_put(wire, "\r\n", 2) == -1)
			return ("not all could be sent");
		wrong = part->mailbox.format->send_all(&part->mailbox, wire);
	}
	return (wrong);
}

static int
mark(struct mailbox *inbox, uint64_t number)
{
	struct part *part = find_part(&number);

	(void)inbox;
	return (part == NULL ? -1 :
	    part->mailbox.format->mark(&part->mailbox, number));
}

static uint64_t
dots_of(struct mailbox *inbox, uint64_t number)
{
	struct part *part = find_part(&number);

	(void)inbox;
	return (part == NULL ? UINT64_MAX : part->mailbox.format->dots(
	    &part->mailbox, number));
}

static int
label(struct mailbox *inbox, uint64_t number, char *text, size_t size)
{
	struct part *part = find_part(&number);

	(void)inbox;
	return (part == NULL ? -1 : part->mailbox.format->label(
	    &part->mailbox, number, text, size));
}

static int
known_uid(struct mailbox *inbox, uint64_t number, unsigned char *digest)
{
	struct part *part = find_part(&number);

	(void)inbox;
	return (part != NULL && part->mailbox.format->known_uid != NULL &&
	    part->mailbox.format->known_uid(&part->mailbox, number, digest));
}

static void
keep_uid(struct mailbox *inbox, uint64_t number, const unsigned char *digest)
{
	struct part *part = find_part(&number);

	(void)inbox;
	if (part != NULL && part->mailbox.format->keep_uid != NULL)
		part->mailbox.format->keep_uid(&part->mailbox, number,
		    digest);
}

/* Which part it is of is not said. */
static void
distrust(struct mailbox *inbox)
{
	struct part *part;

	(void)inbox;
	for (part = parts; part < parts + count; part++)
		if (part->is_open && part->mailbox.format->distrust != NULL)
			part->mailbox.format->distrust(&part->mailbox);
}

static void
remember(struct mailbox *inbox)
{
	struct part *part;

	(void)inbox;
	for (part = parts; part < parts + count; part++)
		if (part->is_open)
			part->mailbox.format->remember(&part->mailbox);
}

/* A failure in one part leaves the others right, and is told. */
static const char *
commit(struct mailbox *inbox, uint32_t *deleted)
{
	static char some[REASON_SIZE];
	const char *wrong = NULL, *failed;
	struct part *part;
	uint32_t here;

	*deleted = 0;
	for (part = parts; part < parts + count; part++) {
		if (!part->is_open)
			continue;
		here = 0;
		failed = part->mailbox.format->commit(&part->mailbox, &here);
		if (failed != NULL && wrong == NULL)
			wrong = failed;
		*deleted += here;
		inbox->gone += part->mailbox.gone;
	}
	if (wrong == NULL || *deleted == 0 || count == 1)
		return (wrong);
	(void)snprintf(some, sizeof(some), "%u deleted; in another part of "
	    "the mailbox: %s", *deleted, wrong);
	return (some);
}

const struct mailbox_format mailbox_inbox = {
	"inbox", open_all, octets_of, sum_of, send_message, send_all, mark,
	commit, close_all, dots_of, label, known_uid, keep_uid, distrust,
	remember
};
