/*
 * tool_convert.c - from one mailbox into a new one of another form.
 *
 * Linked into postern-mailbox; runs as the mailbox's owner.  The new one has
 * its name only when it is on the disk and was read back: every message must
 * be on the wire what the old one's is.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_mailbox.h"
#include "lock.h"
#include "log.h"
#include "single_file.h"
#include "tool_write.h"

#define BAR_WIDTH	30

/* What a message of the new mailbox must be. */
struct expected {
	uint64_t octets;
	unsigned char seal[SEAL_BYTES];
	time_t received;
};

static struct target target;
static struct expected *list;
static uint64_t octets, quoted_messages, other_dates;

static void
show(const char *what, uint32_t done, uint32_t all)
{
	static unsigned int last = UINT32_MAX;
	const unsigned int percent = all == 0 ? 100 :
	    (unsigned int)((uint64_t)done * 100 / all);
	const unsigned int filled = percent * BAR_WIDTH / 100;

	if (!tool_on_terminal || percent == last)
		return;
	last = percent;
	(void)fprintf(stderr, "\r%-12s [%.*s%*s] %3u%% %u/%u ", what,
	    (int)filled, "##############################",
	    (int)(BAR_WIDTH - filled), "", percent, done, all);
}

static void
clear_bar(void)
{
	if (tool_on_terminal)
		(void)fprintf(stderr, "\r%79s\r", "");
}

/* What cannot be converted whole is not converted. */
static const char *
why_unfit(const struct mailbox *from)
{
	const struct single_file *single = from->state;
	const struct file_mailbox *files = from->state;

	if (from->format != &mailbox_single_file)
		return (files->list.unfit == 0 ? NULL : "not all of its "
		    "messages are files of its owner's; 'check' tells which");
	if (single->damaged)
		return ("it is damaged; 'check' tells where");
	if (single->shown.count == 0 && single->hidden.count == 0 &&
	    single->size > 0)
		return ("it is not an mbox");
	return (NULL);
}

static const char *
copy_message(struct mailbox *from, uint32_t number, int scratch)
{
	unsigned char seal[SEAL_BYTES];
	static struct tool_message message;
	struct expected *expected = &list[number - 1];
	const char *wrong = tool_fetch(from, number, scratch, &message);
	uint64_t quoted;

	if (wrong != NULL)
		return (wrong);
	memcpy(seal, message.seal, sizeof(seal));
	expected->received = message.received.tv_sec;
	if (target_add(&target, scratch, &message, &quoted) == -1)
		return (strerror(errno));
	quoted_messages += quoted > 0;
	octets += message.octets;
	expected->octets = message.octets;
	memcpy(expected->seal, message.seal, sizeof(seal));
	if (quoted == 0 && !seal_is_same(seal, message.seal))
		return ("a message did not become what it was");
	return (NULL);
}

static const char *
copy_all(struct mailbox *from, int scratch)
{
	const char *wrong = NULL;
	uint32_t number;

	for (number = 1; number <= from->messages && wrong == NULL;
	    number++) {
		show("writing", number - 1, from->messages);
		wrong = tool_is_interrupted() ? "interrupted" :
		    copy_message(from, number, scratch);
	}
	if (wrong != NULL)
		log_line(LOG_ERR, "message %u: %s", number - 1, wrong);
	return (wrong);
}

static void
unlock(struct mailbox *from)
{
	struct single_file *single = from->state;

	if (from->format == &mailbox_single_file)
		lock_mailbox_release(single->fd);
	from->keeps_locks = 0;
}

static const char *
compare_message(struct mailbox *written, uint32_t number, int scratch)
{
	static struct tool_message message;
	const struct expected *expected = &list[number - 1];
	const char *wrong = tool_fetch(written, number, scratch, &message);

	if (wrong != NULL)
		return (wrong);
	if (message.octets != expected->octets || !seal_is_same(
	    message.seal, expected->seal))
		return ("a message reads back as another");
	other_dates += message.received.tv_sec != expected->received;
	return (NULL);
}

static const char *
compare_all(struct mailbox *written, uint32_t messages, int scratch)
{
	const char *wrong = NULL;
	uint32_t number;

	/* Two messages or none more read as an mbox, and so on. */
	if (messages > 0 && strcmp(tool_form_name(written),
	    tool_forms[target.form]) != 0)
		return ("it reads back as another format");
	if (written->messages != messages)
		return ("another number of messages reads back");
	for (number = 1; number <= messages && wrong == NULL; number++) {
		show("reading back", number - 1, messages);
		wrong = tool_is_interrupted() ? "interrupted" :
		    compare_message(written, number, scratch);
	}
	if (wrong != NULL)
		log_line(LOG_ERR, "message %u of the new mailbox: %s",
		    number - 1, wrong);
	return (wrong);
}

/* Reads the new mailbox as the store will. */
static const char *
read_back(const struct mailbox *from, int scratch)
{
	static struct mailbox written;
	const char *wrong;

	written.place = from->place;
	(void)strlcpy(written.place.name, target.name,
	    sizeof(written.place.name));
	(void)strlcpy(written.place.label, "the-new-mailbox",
	    sizeof(written.place.label));
	written.place.directory = target.directory;
	/* Nobody else knows its name. */
	written.place.locks[0] = LOCK_NONE;
	wrong = tool_open(&written);
	if (wrong != NULL)
		return (wrong);
	wrong = compare_all(&written, from->messages, scratch);
	written.format->close(&written);
	return (wrong);
}

static const char *
convert(struct mailbox *from, enum tool_form form,
    const struct mailbox_place *to)
{
	const char *wrong = NULL;
	int scratch;

	list = calloc((size_t)from->messages + 1, sizeof(*list));
	if (list == NULL)
		return (strerror(errno));
	scratch = tool_scratch_file(to->directory);
	if (scratch == -1 ||
	    target_make(&target, form, to->directory) == -1)
		wrong = strerror(errno);
	if (wrong == NULL)
		wrong = copy_all(from, scratch);
	/* What is written is not waited for with a lock. */
	unlock(from);
	if (wrong == NULL && target_sync(&target) == -1)
		wrong = strerror(errno);
	if (wrong == NULL)
		wrong = read_back(from, scratch);
	clear_bar();
	if (wrong == NULL)
		wrong = tool_messages_changed(from);
	if (wrong == NULL && tool_is_interrupted())
		wrong = "interrupted";
	if (wrong == NULL && target_publish(&target, to->name) == -1)
		wrong = strerror(errno);
	target_remove(&target);
	target_close(&target);
	if (scratch != -1)
		(void)close(scratch);
	return (wrong);
}

/* Also what a person might miss in the new mailbox. */
static void
report(const struct mailbox *from)
{
	const struct single_file *single = from->state;
	const int is_single = from->format == &mailbox_single_file;

	(void)printf("from=%s\nto=%s\nmessages=%u\npop-octets=%llu\n"
	    "quoted=%llu\nother-dates=%llu\nleft-out=%zu\n",
	    tool_form_name(from), tool_forms[target.form], from->messages,
	    (unsigned long long)octets, (unsigned long long)quoted_messages,
	    (unsigned long long)other_dates, is_single ?
	    single->hidden.count : 0);
	if (is_single && single->shown.count > 0 && single->hidden.count == 0
	    && single->shown.messages[0].offset > 0)
		(void)printf("passed-over-bytes=%llu\n",
		    (unsigned long long)single->shown.messages[0].offset);
	if (tool_has_changed(from))
		log_line(LOG_WARNING, "mail has come since it began: what is "
		    "new is not in the new mailbox");
}

enum tool_status
tool_convert(struct mailbox *from, enum tool_form form,
    const struct mailbox_place *to)
{
	struct stat status;
	const char *wrong = tool_list_all(from);

	if (wrong == NULL)
		wrong = why_unfit(from);
	if (wrong != NULL) {
		log_line(LOG_ERR, "%s: %s; nothing was made",
		    from->place.label, wrong);
		return (TOOL_FAILED);
	}
	if (fstatat(to->directory, to->name, &status, AT_SYMLINK_NOFOLLOW) ==
	    0)
		wrong = strerror(EEXIST);
	if (wrong == NULL)
		wrong = convert(from, form, to);
	if (wrong == NULL)
		report(from);
	else
		log_line(LOG_ERR, "%s: %s; %s", to->label, wrong,
		    target.published ? "it was made, and is right, but is "
		    "perhaps not on the disk yet" : "nothing was made");
	free(list);
	return (wrong == NULL ? TOOL_GOOD : TOOL_FAILED);
}
