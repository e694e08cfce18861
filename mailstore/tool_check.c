/*
 * tool_check.c - what is in a mailbox, and what of it is odd.
 *
 * Linked into postern-mailbox; runs as the mailbox's owner, and writes nothing.
 */
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mailtxt.h"
#include "single_file.h"
#include "tool.h"

static uint64_t oddities;

void
tool_odd(const char *file, uint64_t offset, uint64_t message,
    const char *what, uint64_t count)
{
	char name[LOG_QUOTED_SIZE];

	oddities++;
	(void)printf("oddity");
	if (file != NULL)
		(void)printf(" file=%s", log_quote(name, sizeof(name), file));
	(void)printf(" octet=%llu", (unsigned long long)offset);
	if (message > 0)
		(void)printf(" message=%llu", (unsigned long long)message);
	(void)printf(" what=%s", what);
	if (count > 0)
		(void)printf(" count=%llu", (unsigned long long)count);
	(void)printf("\n");
}

/* Where the last message ends that could be found. */
static uint64_t
end_of(const struct single_list *list)
{
	const struct single_message *last;

	if (list->count == 0)
		return (0);
	last = &list->messages[list->count - 1];
	return (last->offset + last->stored);
}

/* Of a MAIL.TXT, what stands where a message should begin. */
static void
check_damage(struct single_file *single)
{
	const uint64_t shown = end_of(&single->shown);
	const uint64_t hidden = end_of(&single->hidden);
	const uint64_t at = shown > hidden ? shown : hidden;
	struct mailtxt_header header;
	struct line line;
	int is_header;

	lines_begin(&single->reader, single->fd, at, single->size, NULL);
	is_header = lines_next(&single->reader, &line) == 1 &&
	    line.ending != 0 &&
	    mailtxt_parse(line.text, line.length, &header) == 0;
	tool_odd(NULL, at, 0, is_header ? "message-longer-than-the-file" :
	    "no-header-of-a-message", 0);
	(void)printf("not-served=%llu\n",
	    (unsigned long long)(single->size - at));
}

static void
check_ends(const struct single_file *single)
{
	const struct single_list *list = &single->shown;
	size_t i;

	if (single->format == &single_mbox && single->size > 0 &&
	    (list->count == 0 || list->messages[0].offset > 0))
		tool_odd(NULL, 0, 0, "text-before-the-first-from-line", 0);
	if (single->format == &single_mbox && list->count > 0 &&
	    list->messages[list->count - 1].blank_bytes == 0)
		tool_odd(NULL, single->size, list->count,
		    "no-empty-line-at-the-end", 0);
	for (i = 0; i < single->hidden.count; i++)
		tool_odd(NULL, single->hidden.messages[i].offset, 0,
		    "flagged-as-deleted-and-not-shown", 0);
}

static int
check_single(struct single_file *single)
{
	const struct single_message *message = single->shown.messages;
	struct tool_part part = { .fd = single->fd,
	    .is_mbox = single->format == &single_mbox };
	uint64_t number;

	for (number = 1; number <= single->shown.count; number++, message++) {
		part.number = number;
		part.from = message->offset + message->head_bytes;
		part.to = message->offset + message->stored;
		part.blank_bytes = message->blank_bytes;
		if (tool_content(&part) == -1)
			return (-1);
		if (tool_is_interrupted())
			return (0);
	}
	check_ends(single);
	if (single->damaged)
		check_damage(single);
	return (0);
}

/* Nobody was kept from writing since its messages were looked for. */
static int
was_changed(const struct single_file *single)
{
	struct stat now;

	return (fstat(single->fd, &now) == -1 ||
	    (uint64_t)now.st_size != single->size ||
	    timespeccmp(&now.st_mtim, &single->modified, !=) ||
	    timespeccmp(&now.st_ctim, &single->changed, !=));
}

/* Bytes that are stored, and octets as POP2 sends them. */
static void
print_sizes(struct mailbox *mailbox)
{
	const struct single_file *single = mailbox->state;
	uint64_t stored = 0, octets = 0;
	uint32_t number;

	if (mailbox->format == &mailbox_single_file)
		stored = single->size;
	else
		stored = tool_files_stored(mailbox);
	for (number = 1; number <= mailbox->messages &&
	    !tool_is_interrupted(); number++)
		octets += mailbox->format->octets(mailbox, number);
	(void)printf("format=%s\nmessages=%u\noctets=%llu\npop-octets=%llu\n",
	    tool_form_name(mailbox), mailbox->messages,
	    (unsigned long long)stored, (unsigned long long)octets);
}

enum tool_status
tool_check(struct mailbox *mailbox)
{
	const int is_single = mailbox->format == &mailbox_single_file;
	int result;

	print_sizes(mailbox);
	result = is_single ? check_single(mailbox->state) :
	    tool_files(mailbox);
	if (tool_is_interrupted())
		log_line(LOG_ERR, "interrupted");
	else if (is_single && (result == -1 || oddities > 0) &&
	    was_changed(mailbox->state)) {
		log_line(LOG_ERR, "the mailbox was changed while it was read, "
		    "and what is odd may be that alone; try again");
		result = -1;
	} else if (result == -1)
		log_line(LOG_ERR, "the mailbox cannot be read: %s",
		    errno != 0 ? strerror(errno) : "it has become shorter");
	if (result == -1 || tool_is_interrupted())
		return (TOOL_FAILED);
	(void)printf("oddities=%llu\n", (unsigned long long)oddities);
	return (oddities > 0 ? TOOL_ODD : TOOL_GOOD);
}
