/*
 * line_count.c - what lines of a mailbox come to, counted all at once.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.
 *
 * A first scan spends its time here.  To find each line's end costs three times
 * what it costs to count ends, 16 bytes at a time: and that is all a message
 * is measured by.  Vectors are the compilers' own: where a processor has none
 * they make single steps of them.
 */
#include <string.h>

#include "line_count.h"

#define LANES		16
#define VECTORS		4	/* in a block */
#define BLOCK		((size_t)LANES * VECTORS)

/* After so many blocks a lane of counts might overflow. */
#define BLOCKS_MAX	(255 / VECTORS)

/* So much before a byte tells whether a message may begin with it. */
#define BEFORE		3

typedef unsigned char vector __attribute__((vector_size(LANES)));

struct counts {
	vector feeds, pairs, dots;	/* LF, CR before LF, "." behind LF */
};

static vector
load(const unsigned char *from)
{
	vector loaded;

	memcpy(&loaded, from, sizeof(loaded));
	return (loaded);
}

static int
is_any(vector lanes)
{
	uint64_t parts[LANES / sizeof(uint64_t)];

	memcpy(parts, &lanes, sizeof(parts));
	return ((parts[0] | parts[1]) != 0);
}

/* Does a line in the block begin with an F behind an empty line? */
static int
has_beginning(const unsigned char *text)
{
	const unsigned char *end = text + BLOCK;
	vector two, three, begins = { 0 };

	for (; text < end; text += LANES) {
		two = load(text - 2);
		three = load(text - BEFORE);
		begins |= (vector)(load(text) == 'F') &
		    (vector)(load(text - 1) == '\n') &
		    ((vector)(two == '\n') | ((vector)(two == '\r') &
		    (vector)(three == '\n')));
	}
	return (is_any(begins));
}

/*
 * A comparison gives 255 where it holds: that is less 1.  Where a message may
 * begin in the block nothing is counted, and the answer is 0.
 */
static int
count_block(const unsigned char *text, struct counts *counts)
{
	const unsigned char *at, *end = text + BLOCK;
	vector now, one, feed, behind_feed, with_f = { 0 };
	struct counts sums = *counts;

	for (at = text; at < end; at += LANES) {
		now = load(at);
		one = load(at - 1);
		feed = (vector)(now == '\n');
		behind_feed = (vector)(one == '\n');
		sums.feeds -= feed;
		sums.pairs -= feed & (vector)(one == '\r');
		sums.dots -= behind_feed & (vector)(now == '.');
		with_f |= behind_feed & (vector)(now == 'F');
	}
	if (is_any(with_f) && has_beginning(text))
		return (0);
	*counts = sums;
	return (1);
}

static uint64_t
sum(vector lanes)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < LANES; i++)
		all += lanes[i];
	return (all);
}

/* The byte so far before `at`; before the first stands another line. */
static int
before(const unsigned char *text, size_t at, size_t far)
{
	return (at >= far ? text[at - far] : at + 1 == far ? '\n' : 0);
}

unsigned int
line_blank(const unsigned char *text, size_t end)
{
	if (before(text, end, 1) != '\n')
		return (0);
	if (before(text, end, 2) == '\n')
		return (1);
	return (before(text, end, 2) == '\r' &&
	    before(text, end, 3) == '\n' ? 2 : 0);
}

/* Byte by byte to `end`, or to a line that a message may begin with. */
static size_t
count_some(const unsigned char *text, size_t at, size_t end,
    struct lines_passed *passed)
{
	for (; at < end; at++) {
		if (text[at] == 'F' && line_blank(text, at) > 0)
			break;
		passed->octets += 1U + (text[at] == '\n' &&
		    before(text, at, 1) != '\r');
		passed->dots += text[at] == '.' && before(text, at, 1) ==
		    '\n';
	}
	return (at);
}

/* Whole blocks, as far as no message may begin in them. */
static size_t
count_blocks(const unsigned char *text, size_t at, size_t end,
    struct lines_passed *passed)
{
	struct counts counts;
	size_t blocks;

	do {
		memset(&counts, 0, sizeof(counts));
		for (blocks = 0; blocks < BLOCKS_MAX && end - at >= BLOCK &&
		    count_block(text + at, &counts); blocks++)
			at += BLOCK;
		passed->octets += blocks * BLOCK + sum(counts.feeds) -
		    sum(counts.pairs);
		passed->dots += sum(counts.dots);
	} while (blocks == BLOCKS_MAX);
	return (at);
}

void
line_count(const unsigned char *text, size_t length,
    struct lines_passed *passed)
{
	const unsigned char *feed = length == 0 ? NULL :
	    memrchr(text, '\n', length);
	const size_t end = feed == NULL ? 0 : (size_t)(feed - text) + 1;
	size_t at, next = end < BEFORE ? end : BEFORE;

	memset(passed, 0, sizeof(*passed));
	/* Single bytes: the first ones, a block with a beginning, the rest. */
	for (at = 0; at < end; next = end - at < BLOCK ? end : at + BLOCK) {
		at = count_some(text, at, next, passed);
		if (at < next)
			break;
		at = count_blocks(text, at, end, passed);
	}
	passed->bytes = at;
	passed->blank = line_blank(text, at);
}
