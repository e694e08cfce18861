/*
 * maildrop.c - an open mailbox as POP3 sees it.
 *
 * Linked into postern-store; runs as the user.  Marks are kept here until
 * the commit, so that they can be taken back (RFC 1939, RSET): no format
 * needs to know of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dots.h"
#include "lines.h"
#include "maildrop.h"
#include "uid.h"

enum flags {
	READ_WHOLE = 1 << 0,	/* the mailbox knows its hash */
	MARKED = 1 << 1,
	UNCOUNTED = 1 << 2	/* it could not be read when all were counted */
};

const char maildrop_no_message[] = "no such message";
static const char changed[] = "the message has changed";

static struct mailbox *mailbox;		/* NULL: nothing is open */
static unsigned char *flags;
static struct ipc_maildrop_state state;		/* without what is marked */
static uint32_t marked;				/* messages */
static struct wire nowhere;
static enum uid_kind kind;

static unsigned char *
find(uint64_t number)
{
	if (mailbox == NULL || number < 1 || number > mailbox->messages ||
	    (flags[number - 1] & MARKED) != 0)
		return (NULL);
	return (&flags[number - 1]);
}

uint64_t
maildrop_octets(uint64_t number)
{
	return (find(number) == NULL ? 0 :
	    mailbox->format->octets(mailbox, number));
}

static void
count_all(void)
{
	uint64_t number, octets;

	marked = 0;
	state.octets = mailbox->format->sum(mailbox);
	state.messages = mailbox->messages;
	if (state.octets != UINT64_MAX)
		return;
	state.octets = state.messages = 0;
	for (number = 1; number <= mailbox->messages; number++) {
		octets = maildrop_octets(number);
		state.octets += octets;
		state.messages += octets != 0;
		flags[number - 1] &= (unsigned char)~UNCOUNTED;
		if (octets != 0)
			continue;
		flags[number - 1] |= UNCOUNTED;
		if (lines_are_unwanted())
			return;		/* nor will anybody get this */
	}
}

const char *
maildrop_begin(struct mailbox *open, enum uid_kind uids)
{
	kind = uids;
	flags = calloc((size_t)open->messages + 1, sizeof(*flags));
	if (flags == NULL)
		return ("the server is short of memory");
	mailbox = open;
	count_all();
	return (NULL);
}

void
maildrop_end(void)
{
	uids_end();
	uid_foreign_end();
	free(flags);
	flags = NULL;
	mailbox = NULL;
	memset(&state, 0, sizeof(state));
	marked = 0;
}

void
maildrop_state(struct ipc_maildrop_state *now)
{
	*now = state;
}

/*
 * Sends a message, or its top, through `dots`.  A whole one must then be as
 * long as it always was; what is left out of another cannot be known.
 */
static const char *
send_through(uint64_t number, uint64_t lines, struct wire *wire,
    struct dots *dots, int counts_only)
{
	const char *wrong;

	dots_begin(dots, wire, lines, counts_only);
	wrong = mailbox->format->send(mailbox, number, wire);
	if (wrong != NULL)
		return (dots->enough ? NULL : wrong);
	flags[number - 1] |= READ_WHOLE;
	return (NULL);
}

uint64_t
maildrop_most(uint64_t number)
{
	const uint64_t octets = maildrop_octets(number);
	uint64_t count = 0;

	if (octets != 0)
		count = mailbox->format->dots(mailbox, number);
	/* A line that is a dot has three octets. */
	return (octets + (count != UINT64_MAX ? count : octets / 3));
}

const char *
maildrop_measure(uint64_t number, uint64_t lines, struct ipc_data *data)
{
	const uint64_t octets = maildrop_octets(number);
	uint64_t count = UINT64_MAX;
	struct dots dots;
	const char *wrong;

	if (octets == 0)
		return (maildrop_no_message);
	if (lines == UINT64_MAX)
		count = mailbox->format->dots(mailbox, number);
	if (count != UINT64_MAX) {
		data->octets = octets;
		data->piped = octets + count;
		return (NULL);
	}
	nowhere.fd = -1;
	wire_begin(&nowhere, 0);
	wrong = send_through(number, lines, &nowhere, &dots, 1);
	data->octets = dots.octets;
	data->piped = dots.doubled;
	return (wrong);
}

const char *
maildrop_send(uint64_t number, uint64_t lines, const struct ipc_data *data,
    struct wire *wire)
{
	struct dots dots;
	const char *wrong;

	wrong = send_through(number, lines, wire, &dots, 0);
	/* More than was announced cannot be sent, and is a reason by itself. */
	if (dots.octets > data->octets || dots.doubled > data->piped ||
	    (wrong == NULL && (dots.octets != data->octets ||
	    dots.doubled != data->piped))) {
		wrong = changed;
		flags[number - 1] &= (unsigned char)~READ_WHOLE;
		if (mailbox->format->distrust != NULL)
			mailbox->format->distrust(mailbox);
	}
	return (wrong);
}

/* One line of a list; 0 octets where the message is marked. */
static int
list_line(uint64_t number, int uids, char *line, size_t size,
    const char **wrong)
{
	const uint64_t octets = maildrop_octets(number);
	char uid[UID_SIZE];
	int length;

	*wrong = NULL;
	if (octets == 0)
		return (0);
	if (uids && (*wrong = maildrop_uid(number, uid)) != NULL)
		return (0);
	length = uids ? snprintf(line, size, "%llu %s\r\n",
	    (unsigned long long)number, uid) :
	    snprintf(line, size, "%llu %llu\r\n", (unsigned long long)number,
	    (unsigned long long)octets);
	return (length > 0 && (size_t)length < size ? length : 0);
}

const char *
maildrop_list_measure(int uids, uint64_t *octets)
{
	char line[UID_SIZE + 32];
	const char *wrong = NULL;
	uint64_t number;

	*octets = 0;
	for (number = 1; mailbox != NULL && wrong == NULL &&
	    number <= mailbox->messages; number++)
		*octets += (uint64_t)list_line(number, uids, line,
		    sizeof(line), &wrong);
	return (wrong);
}

const char *
maildrop_list_send(int uids, struct wire *wire)
{
	char line[UID_SIZE + 32];
	const char *wrong = NULL;
	uint64_t number;
	int length;

	for (number = 1; mailbox != NULL && wrong == NULL &&
	    number <= mailbox->messages; number++) {
		length = list_line(number, uids, line, sizeof(line), &wrong);
		if (wire_put(wire, line, (size_t)length) == -1)
			wrong = "not all could be sent";
	}
	return (wrong);
}

/*
 * The ids of another server come from what it has left in the mailbox; a
 * message that it has not seen gets one of ours.
 */
const char *
maildrop_uid(uint64_t number, char *text)
{
	const char *wrong;

	text[0] = '\0';
	if (maildrop_octets(number) == 0)
		return (NULL);
	if (kind != UID_NATIVE) {
		wrong = uid_foreign(mailbox, kind, number, text);
		if (wrong != NULL || text[0] != '\0')
			return (wrong);
	}
	if (!uids_known() && (wrong = uids_begin(mailbox)) != NULL)
		return (wrong);
	return (uids_text(mailbox, number, text));
}

const char *
maildrop_mark(uint64_t number)
{
	const uint64_t octets = maildrop_octets(number);
	struct dots dots;
	const char *wrong;

	if (octets == 0)
		return (maildrop_no_message);
	nowhere.fd = -1;
	wire_begin(&nowhere, 0);
	if ((flags[number - 1] & READ_WHOLE) == 0 &&
	    (wrong = send_through(number, UINT64_MAX, &nowhere, &dots,
	    1)) != NULL)
		return (wrong);
	flags[number - 1] |= MARKED;
	marked++;
	if ((flags[number - 1] & UNCOUNTED) == 0) {
		state.messages--;
		state.octets -= octets;
	}
	return (NULL);
}

void
maildrop_unmark_all(void)
{
	uint64_t number;

	if (marked == 0)
		return;
	for (number = 1; number <= mailbox->messages; number++)
		flags[number - 1] &= (unsigned char)~MARKED;
	count_all();
}

const char *
maildrop_give_marks(void)
{
	uint64_t number;

	if (marked == 0)
		return (NULL);
	uids_before_commit(mailbox, flags, MARKED);
	if ((flags[0] & MARKED) != 0)
		uid_foreign_keep(mailbox, kind);
	for (number = 1; number <= mailbox->messages; number++)
		if ((flags[number - 1] & MARKED) != 0 &&
		    mailbox->format->mark(mailbox, number) == -1)
			return (changed);
	return (NULL);
}

/*
 * Where not all are gone, what was written before the commit is left: it is
 * right for those messages that went, and for those that did not.
 */
void
maildrop_committed(uint32_t deleted)
{
	if (marked > 0 && deleted + mailbox->gone == marked)
		uids_after_commit();
}
