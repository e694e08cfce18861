/*
 * line_count.c - what lines of a mailbox come to, counted all at once.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.
 *
 * A first scan spends its time here.  To find each line's end costs several
 * times what it costs to count ends, many bytes at a time: and that is all a
 * message is measured by.
 */
#include <string.h>
#if defined(__x86_64__) && defined(__linux__) && defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

#include "line_count.h"

#define INLINE		static inline __attribute__((always_inline))

#define LANES		16
#define FOR
#define NAMED(name)	name ## _16
#include "line_blocks.h"
#undef LANES
#undef FOR
#undef NAMED

/*
 * Most processors of this kind have wider vectors; each is asked, where what
 * asks it is known to be there.  The C library has asked already, as each
 * program starts; the compiler's own way asks again then, and costs a login a
 * fiftieth in a virtual machine.
 */
#if defined(__x86_64__) && defined(__linux__)
#ifdef CPU_FEATURE_ACTIVE
#define HAS_WIDE	CPU_FEATURE_ACTIVE(AVX2)
#else
#define HAS_WIDE	__builtin_cpu_supports("avx2")
#endif
#define LANES		32
#define FOR		__attribute__((target("avx2")))
#define NAMED(name)	name ## _32
#include "line_blocks.h"
#else
#define HAS_WIDE	0
#define count_blocks_32	count_blocks_16
#endif

/* A few bytes: what blocks are not counted for. */
#define FEW		32

/* So much before a byte tells whether a message may begin with it. */
#define BEFORE		3

/* The byte so far before `at`; before the first stands another line. */
static int
before(const unsigned char *text, size_t at, size_t far)
{
	return (at >= far ? text[at - far] : at + 1 == far ? '\n' : 0);
}

/* Is the byte before `end` a line feed without a CR? */
static unsigned int
is_feed(const unsigned char *text, size_t end)
{
	return (before(text, end, 1) == '\n' && before(text, end, 2) != '\r');
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
count_single(const unsigned char *text, size_t at, size_t end,
    struct lines_passed *passed)
{
	for (; at < end; at++) {
		if (text[at] == 'F' && line_blank(text, at) > 0)
			break;
		passed->octets += 1U + is_feed(text, at + 1);
		passed->dots += text[at] == '.' && before(text, at, 1) ==
		    '\n';
	}
	return (at);
}

static void
count(const unsigned char *text, size_t length, struct lines_passed *passed,
    int wide)
{
	const unsigned char *feed = length == 0 ? NULL :
	    memrchr(text, '\n', length);
	const size_t end = feed == NULL ? 0 : (size_t)(feed - text) + 1;
	size_t at, next = end < BEFORE ? end : BEFORE;

	memset(passed, 0, sizeof(*passed));
	/* Single bytes: the first ones, some with a beginning, the rest. */
	for (at = 0; at < end; next = end - at < FEW ? end : at + FEW) {
		at = count_single(text, at, next, passed);
		if (at < next)
			break;
		/* Blocks count the line feed before them, not their last. */
		passed->octets -= is_feed(text, at);
		at = (wide ? count_blocks_32 : count_blocks_16)(text, at, end,
		    passed);
		passed->octets += is_feed(text, at);
	}
	passed->bytes = at;
	passed->blank = line_blank(text, at);
}

void
line_count(const unsigned char *text, size_t length,
    struct lines_passed *passed)
{
	count(text, length, passed, HAS_WIDE);
}

void
line_count_narrow(const unsigned char *text, size_t length,
    struct lines_passed *passed)
{
	count(text, length, passed, 0);
}
