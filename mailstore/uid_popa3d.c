/*
 * uid_popa3d.c - the unique ids that popa3d makes of a message's header.
 *
 * Linked into postern-store; runs as the user, on bytes from strangers.
 *
 * It takes the MD5 hash of some lines of the header, in their order, each with
 * those that go on with it and a LF: all of Delivered-To and X-Delivery-ID,
 * the first Received, and Date and Message-ID as far as they stand before
 * that.  The first 8 bytes are the id, as two numbers with the least byte
 * first.  This was found by asking popa3d 1.0.3; peers_test holds it.
 *
 * Equal lines give equal ids there.  Here they give none: an id that a client
 * knows from another message would keep a message from it.
 */
#include <sys/types.h>

#include <md5.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "uid.h"

#define NAME_SIZE	15		/* the longest name, "X-Delivery-ID:" */

enum when { ALWAYS, FIRST, BEFORE_RECEIVED };

static const struct {
	const char *name;
	enum when when;
	int tells_apart;		/* which message it is of */
} taken[] = {
	{ "Received:", FIRST, 1 },
	{ "Delivered-To:", ALWAYS, 0 },
	{ "X-Delivery-ID:", ALWAYS, 1 },
	{ "Date:", BEFORE_RECEIVED, 0 },
	{ "Message-ID:", BEFORE_RECEIVED, 1 },
};

struct header {
	MD5_CTX hash;
	unsigned char begin[NAME_SIZE];	/* of a line, until it is judged */
	size_t have;
	int judged;			/* the line's begin was looked at */
	int takes;			/* this line, and those that go on */
	int received;
	int told_apart;			/* by a line that was taken */
	int cr;				/* one that may be of a line's end */
	int ended;
};

static void
judge(struct header *header)
{
	size_t i, length;

	header->judged = 1;
	if (header->have > 0 && header->begin[0] != ' ' &&
	    header->begin[0] != '\t')
		header->takes = 0;
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		length = strlen(taken[i].name);
		if (header->have < length || strncasecmp(taken[i].name,
		    (const char *)header->begin, length) != 0)
			continue;
		header->takes = taken[i].when == ALWAYS || !header->received;
		header->received |= taken[i].when == FIRST;
		header->told_apart |= header->takes && taken[i].tells_apart;
	}
	if (header->takes)
		MD5Update(&header->hash, header->begin, header->have);
}

static void
take_octet(struct header *header, unsigned char octet)
{
	if (!header->judged && octet != '\n')
		header->begin[header->have++] = octet;
	else if (header->judged && header->takes)
		MD5Update(&header->hash, &octet, 1);
	if (!header->judged && (octet == '\n' || header->have == NAME_SIZE)) {
		judge(header);
		if (octet == '\n' && header->takes)
			MD5Update(&header->hash, &octet, 1);
	}
	if (octet == '\n') {
		header->have = 0;
		header->judged = 0;
	}
}

/* Lines are as they stand in the file: with LF alone. */
static int
take(struct wire *wire, const unsigned char *octets, size_t length)
{
	struct header *header = wire->context;
	size_t i;

	for (i = 0; i < length; i++) {
		if (octets[i] == '\n' && header->have == 0 &&
		    !header->judged) {
			header->ended = 1;
			return (-1);
		}
		if (header->cr && octets[i] != '\n')
			take_octet(header, '\r');
		header->cr = octets[i] == '\r';
		if (!header->cr)
			take_octet(header, octets[i]);
	}
	return (0);
}

static uint32_t
little_endian(const unsigned char *bytes)
{
	return ((uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 |
	    (uint32_t)bytes[1] << 8 | bytes[0]);
}

static const char *
read_header(struct mailbox *mailbox, uint64_t number, struct uid_given *given)
{
	static struct wire nowhere;
	unsigned char digest[MD5_DIGEST_LENGTH];
	struct header header;
	const char *wrong;

	memset(&header, 0, sizeof(header));
	MD5Init(&header.hash);
	nowhere.fd = -1;
	wire_begin(&nowhere, 0);
	nowhere.header_only = 1;
	wire_divert(&nowhere, take, &header);
	wrong = mailbox->format->send(mailbox, number, &nowhere);
	MD5Final(digest, &header.hash);
	/*
	 * Two messages of one second may have one date, one after the other in
	 * the mailbox: the second would be taken for one that was fetched.
	 */
	if (header.told_apart)
		*given = (struct uid_given){ little_endian(digest),
		    little_endian(digest + 4), 0 };
	return (header.ended ? NULL : wrong);
}

static int
compare(const void *one, const void *other)
{
	const struct uid_given *a = *(struct uid_given *const *)one;
	const struct uid_given *b = *(struct uid_given *const *)other;

	return (a->validity != b->validity ? (a->validity > b->validity) -
	    (a->validity < b->validity) : (a->uid > b->uid) -
	    (a->uid < b->uid));
}

/* What two messages would share is nobody's. */
static void
forget_equal(struct uid_given **sorted, size_t count)
{
	size_t from, to;

	/* glibc's qsort(3) asks for the machine's memory. */
	if (count > 1)
		(void)heapsort(sorted, count, sizeof(*sorted), compare);
	for (from = 0; from < count; from = to) {
		for (to = from + 1; to < count && compare(&sorted[from],
		    &sorted[to]) == 0; to++)
			sorted[to - 1]->shared = 1;
		sorted[to - 1]->shared = to - from > 1;
	}
}

const char *
uid_popa3d_read(struct mailbox *mailbox, struct uid_given *given)
{
	struct uid_given **sorted = calloc((size_t)mailbox->messages + 1,
	    sizeof(*sorted));
	const char *wrong = sorted == NULL ? "the server is short of memory" :
	    NULL;
	size_t i, count = 0;

	for (i = 0; i < mailbox->messages && wrong == NULL; i++) {
		if (mailbox->format->octets(mailbox, i + 1) == 0)
			continue;
		wrong = read_header(mailbox, i + 1, &given[i]);
		if (given[i].validity != 0 || given[i].uid != 0)
			sorted[count++] = &given[i];
	}
	if (wrong == NULL)
		forget_equal(sorted, count);
	free(sorted);
	return (wrong);
}
