/*
 * line_crlf.c - lines of a mailbox as they go on the wire, many at once.
 *
 * Linked into postern-store and postern-mailbox; runs as the user, on bytes
 * from strangers.
 *
 * Most of what is ever sent goes through here.  Mail is made of short lines: to
 * look for each end by itself, and to copy each line by its length, costs more
 * than the copying.  So the line feeds of a block are found at once, as a mask
 * of bits, and each piece up to one is copied by as much as a block has; what
 * was copied too much is overwritten by what comes next.
 */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "line_crlf.h"

#define INLINE		static inline __attribute__((always_inline))

/* As many bytes as a mask has bits. */
#define BLOCK		64

/*
 * What there must be for a block: all of it, and behind that what is copied
 * too much of a piece that begins in it.  Each byte may come to two octets, a
 * dot or a line feed, and the next block's first line may have its dot already.
 */
#define READ_MOST	(2 * BLOCK)
#define WRITE_MOST	(2 * BLOCK + 1 + BLOCK)

/* Where it is on its way. */
struct copying {
	const unsigned char *line;	/* begins here, */
	unsigned char *wire_line;	/* and here */
	int dot;			/* of this line, before it */
	const unsigned char *from;	/* goes on here, */
	unsigned char *to;		/* and here */
	int is_message;			/* the line may begin one */
};

/* A bit for each line feed, the lowest for the first byte: eight at a time. */
INLINE uint64_t
feeds_of_words(const unsigned char *block)
{
	const uint64_t ones = UINT64_MAX / 255;
	uint64_t word, mask = 0;
	size_t i;

	for (i = 0; i < BLOCK; i += sizeof(word)) {
		memcpy(&word, block + i, sizeof(word));
		word = le64toh(word) ^ ones * '\n';
		/* The highest bit of each byte that is not zero; of others. */
		word |= (word & ones * 0x7f) + ones * 0x7f;
		word = ~word >> 7 & ones;
		/* Gathers the lowest bit of each byte in the highest byte. */
		mask |= (word * 0x0102040810204080 >> 56) << i;
	}
	return (mask);
}

#ifdef __SSE2__
INLINE uint64_t
feeds_of_vectors(const unsigned char *block)
{
	const __m128i feed = _mm_set1_epi8('\n');
	uint64_t mask = 0;
	__m128i bytes;
	size_t i;

	for (i = 0; i < BLOCK; i += sizeof(bytes)) {
		memcpy(&bytes, block + i, sizeof(bytes));
		mask |= (uint64_t)(unsigned int)_mm_movemask_epi8(
		    _mm_cmpeq_epi8(bytes, feed)) << i;
	}
	return (mask);
}
#else
#define feeds_of_vectors	feeds_of_words
#endif

/* Begins a line: what stands in `from` is known to be there. */
INLINE void
begin_line(struct copying *copying, int dots)
{
	copying->line = copying->from;
	copying->wire_line = copying->to;
	copying->dot = dots && *copying->from == '.';
	*copying->to = '.';
	copying->to += copying->dot;
}

/* Ends it at a line feed, all before which has been copied. */
INLINE void
end_line(struct copying *copying, const unsigned char *feed,
    struct lines_passed *passed)
{
	const int has_cr = feed > copying->line && feed[-1] == '\r';

	copying->to -= has_cr;
	*copying->to++ = '\r';
	*copying->to++ = '\n';
	copying->from = feed + 1;
	copying->is_message = feed - copying->line == has_cr;
	passed->dots += (unsigned int)copying->dot;
}

INLINE void
copy_blocks(struct copying *copying, const unsigned char *end,
    const unsigned char *room_end, int dots, struct lines_passed *passed,
    int narrow)
{
	const unsigned char *block = copying->line, *feed;
	uint64_t feeds;

	begin_line(copying, dots);
	for (; end - block >= READ_MOST &&
	    room_end - copying->to >= WRITE_MOST; block += BLOCK) {
		feeds = narrow ? feeds_of_words(block) :
		    feeds_of_vectors(block);
		for (; feeds != 0; feeds &= feeds - 1) {
			feed = block + __builtin_ctzll(feeds);
			memcpy(copying->to, copying->from, BLOCK);
			copying->to += feed - copying->from;
			end_line(copying, feed, passed);
			copying->is_message &= *copying->from == 'F';
			begin_line(copying, dots);
			if (copying->is_message)
				return;
		}
		memcpy(copying->to, copying->from, BLOCK);
		copying->to += block + BLOCK - copying->from;
		copying->from = block + BLOCK;
	}
}

/* Line by line: what is too near to an end for blocks. */
static void
copy_lines(struct copying *copying, const unsigned char *end,
    const unsigned char *room_end, int dots, struct lines_passed *passed)
{
	const unsigned char *feed;
	size_t length;

	copying->from = copying->line;
	copying->to = copying->wire_line;
	while (!copying->is_message && copying->from < end &&
	    (feed = memchr(copying->from, '\n',
	    (size_t)(end - copying->from))) != NULL) {
		length = (size_t)(feed - copying->from);
		/* With its dot and CRLF. */
		if ((size_t)(room_end - copying->to) < length + 3)
			break;
		begin_line(copying, dots);
		memcpy(copying->to, copying->from, length);
		copying->to += length;
		end_line(copying, feed, passed);
		copying->is_message &= copying->from < end &&
		    *copying->from == 'F';
	}
	copying->line = copying->from;
	copying->wire_line = copying->to;
}

INLINE void
copy(unsigned char *to, size_t room, const unsigned char *text, size_t length,
    int dots, struct lines_passed *passed, int narrow)
{
	struct copying copying = { .line = text, .wire_line = to, .from = text,
	    .to = to };
	const unsigned char *end = text + length, *room_end = to + room;

	memset(passed, 0, sizeof(*passed));
	if (length >= READ_MOST && room >= WRITE_MOST)
		copy_blocks(&copying, end, room_end, dots, passed, narrow);
	copy_lines(&copying, end, room_end, dots, passed);
	passed->bytes = (uint64_t)(copying.line - text);
	passed->octets = (uint64_t)(copying.wire_line - to) - passed->dots;
}

void
line_crlf(unsigned char *to, size_t room, const unsigned char *text,
    size_t length, int dots, struct lines_passed *passed)
{
	copy(to, room, text, length, dots, passed, 0);
}

void
line_crlf_narrow(unsigned char *to, size_t room, const unsigned char *text,
    size_t length, int dots, struct lines_passed *passed)
{
	copy(to, room, text, length, dots, passed, 1);
}
