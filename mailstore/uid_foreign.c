/*
 * uid_foreign.c - the unique ids that another server has given.
 *
 * Linked into postern-store; runs as the user, on bytes from strangers: a
 * sender can write X-UID, too.  Only ids that rise through the mailbox, and
 * that its owner's server has given, are believed; all others are ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "disk.h"
#include "inbox.h"
#include "log.h"
#include "uid.h"

/* What the first message of an mbox has said, for when that is gone. */
#define BASE_NAME	"uid-base"
#define BASE_NEW_NAME	"uid-base.new"
#define BASE_FORMAT	"%010u %010u\n"
#define BASE_LENGTH	22

static struct uid_given *given;	/* by message, from 0 */

/* A mailbox's number, and the last one that it has given to a message. */
struct base {
	uint32_t validity, last;	/* 0: nothing is known */
};

/* What one message's header says, beyond a line's first octets. */
struct header {
	struct base base;
	uint32_t uid;
	size_t have;
	char line[80];
	int ended;
};

/* "NAME: number [number]"; how many there are. */
static int
read_numbers(const char *line, const char *name, uint32_t *one,
    uint32_t *other)
{
	const size_t length = strlen(name);
	unsigned long long numbers[2] = { 0, 0 };
	char *end;
	int count = 0;

	if (strncasecmp(line, name, length) != 0)
		return (0);
	for (line += length; count < 2; line = end) {
		line += strspn(line, " \t");
		if (line[strspn(line, "0123456789")] == line[0])
			break;
		errno = 0;
		numbers[count] = strtoull(line, &end, 10);
		if (errno != 0 || numbers[count++] > UINT32_MAX)
			return (0);
	}
	*one = (uint32_t)numbers[0];
	*other = (uint32_t)numbers[1];
	return (count);
}

static void
read_line(struct header *header)
{
	uint32_t one, other;

	if (read_numbers(header->line, "X-IMAPbase:", &one, &other) == 2 ||
	    read_numbers(header->line, "X-IMAP:", &one, &other) == 2) {
		header->base.validity = one;
		header->base.last = other;
	} else if (read_numbers(header->line, "X-UID:", &one, &other) == 1)
		header->uid = one;
}

static int
take(struct wire *wire, const unsigned char *octets, size_t length)
{
	struct header *header = wire->context;
	size_t i;

	for (i = 0; i < length; i++) {
		if (octets[i] == '\n' && header->have == 0) {
			header->ended = 1;
			return (-1);
		}
		if (octets[i] == '\n') {
			header->line[header->have] = '\0';
			read_line(header);
			header->have = 0;
		} else if (octets[i] != '\r' &&
		    header->have < sizeof(header->line) - 1)
			header->line[header->have++] = (char)octets[i];
	}
	return (0);
}

static const char *
read_header(struct mailbox *mailbox, uint64_t number, struct header *header)
{
	static struct wire nowhere;
	const char *wrong;

	memset(header, 0, sizeof(*header));
	nowhere.fd = -1;
	wire_begin(&nowhere, 0);
	nowhere.header_only = 1;
	wire_divert(&nowhere, take, header);
	wrong = mailbox->format->send(mailbox, number, &nowhere);
	return (header->ended ? NULL : wrong);
}

static struct base
kept_base(int state)
{
	struct base base = { 0, 0 };
	char text[BASE_LENGTH + 1] = "";
	int fd = openat(state, BASE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);

	if (fd == -1)
		return (base);
	if (disk_read_some(fd, text, BASE_LENGTH, 0) != BASE_LENGTH ||
	    read_numbers(text, "", &base.validity, &base.last) != 2)
		base.validity = base.last = 0;
	(void)close(fd);
	return (base);
}

/*
 * Makes what is kept what the first message says, and writes it.  Once there is
 * a number no other one is believed: by now the first may be a stranger's.
 * An error costs no more than that ids change when the first message goes.
 */
static void
keep_base(int state, struct base *kept, const struct base *said)
{
	char text[BASE_LENGTH + 1];
	int fd;

	if (said->validity == 0 || (kept->validity != 0 &&
	    (kept->validity != said->validity || said->last <= kept->last)))
		return;
	*kept = *said;
	(void)snprintf(text, sizeof(text), BASE_FORMAT, kept->validity,
	    kept->last);
	fd = openat(state, BASE_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1 || disk_write(fd, text, BASE_LENGTH, 0, NULL) == -1 ||
	    disk_sync(fd) == -1 ||
	    renameat(state, BASE_NEW_NAME, state, BASE_NAME) == -1 ||
	    disk_sync(state) == -1)
		log_line(LOG_WARNING, "event=uids file=" BASE_NAME
		    " error=\"%s\"", strerror(errno));
	if (fd != -1)
		(void)close(fd);
}

void
uid_foreign_keep(struct mailbox *mailbox, enum uid_kind kind)
{
	struct mailbox *part = inbox_first_part(mailbox);
	struct header header;
	struct base kept;

	if ((kind == UID_DOVECOT || kind == UID_UW) && part != NULL &&
	    part->format == &mailbox_single_file && part->messages > 0 &&
	    part->format->octets(part, 1) > 0 &&
	    read_header(part, 1, &header) == NULL) {
		kept = kept_base(mailbox->place.state);
		keep_base(mailbox->place.state, &kept, &header.base);
	}
}

/*
 * With a number that is not the kept one no message has an id of either: each
 * may have been given with the other.
 */
static struct base
believed(const struct base *kept, const struct base *said)
{
	const struct base none = { 0, 0 };

	if (said->validity == 0 || said->validity == kept->validity)
		return (*kept);
	log_line(LOG_WARNING, "event=uids file=" BASE_NAME " error=\"the first "
	    "message has another number: no ids of another server are given; "
	    "remove this file if the mailbox is another one\"");
	return (none);
}

/*
 * An mbox's first message has the mailbox's numbers, and each has its own.
 * Two mailboxes of a server can have the same numbers: the first part counts.
 * Who deletes the first message deletes what it said: that is kept, then.
 */
static const char *
read_headers(struct mailbox *mailbox, int state)
{
	struct base base = kept_base(state);
	struct header header;
	uint32_t before = 0;
	const char *wrong = NULL;
	uint64_t number;

	for (number = 1; number <= mailbox->messages && wrong == NULL;
	    number++) {
		if (mailbox->format->octets(mailbox, number) == 0)
			continue;
		wrong = read_header(mailbox, number, &header);
		if (number == 1) {
			keep_base(state, &base, &header.base);
			base = believed(&base, &header.base);
		}
		if (base.validity == 0 || header.uid <= before ||
		    header.uid > base.last)
			continue;
		before = header.uid;
		given[number - 1] = (struct uid_given){ base.validity,
		    header.uid, 0 };
	}
	return (wrong);
}

static const char *
read_given(struct mailbox *mailbox, enum uid_kind kind)
{
	struct mailbox *part = inbox_first_part(mailbox);

	if (part == NULL)
		return (NULL);
	if (kind == UID_POPA3D)
		return (part->format == &mailbox_single_file ?
		    uid_popa3d_read(part, given) : NULL);
	return (part->format == &mailbox_maildir ? uidlist_read(part, given) :
	    read_headers(part, mailbox->place.state));
}

void
uid_foreign_end(void)
{
	free(given);
	given = NULL;
}

const char *
uid_foreign(struct mailbox *mailbox, enum uid_kind kind, uint64_t number,
    char *text)
{
	const char *wrong = NULL;
	const struct uid_given *ids;

	text[0] = '\0';
	if (given == NULL) {
		given = calloc((size_t)mailbox->messages + 1, sizeof(*given));
		wrong = given == NULL ? "the server is short of memory" :
		    read_given(mailbox, kind);
	}
	if (wrong != NULL) {
		uid_foreign_end();
		return (wrong);
	}
	ids = &given[number - 1];
	if ((ids->validity == 0 && ids->uid == 0) || ids->shared)
		return (NULL);
	if (kind == UID_DOVECOT)
		(void)snprintf(text, UID_SIZE, "%08x%08x", ids->uid,
		    ids->validity);
	else
		(void)snprintf(text, UID_SIZE, "%08x%08x", ids->validity,
		    ids->uid);
	return (NULL);
}
