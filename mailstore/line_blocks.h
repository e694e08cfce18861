/*
 * line_blocks.h - what many bytes of lines come to, by vectors of one width.
 *
 * Only for line_count.c, which includes it for each width: LANES bytes, FOR
 * the processors that have them, and NAMED(name) a name of its own.
 * Vectors are the compilers' own: where a processor has none they make single
 * steps of them.
 */
#define vector		NAMED(vector)
#define is_any		NAMED(is_any)
#define has_beginning	NAMED(has_beginning)
#define count_vector	NAMED(count_vector)
#define count_block	NAMED(count_block)
#define sum		NAMED(sum)
#define count_some	NAMED(count_some)
#define count_blocks	NAMED(count_blocks)

/* In a block; and after so many blocks a lane of counts might overflow. */
#define VECTORS		4
#define BLOCKS_MAX	(255 / VECTORS)

typedef unsigned char vector __attribute__((vector_size(LANES)));

/* A vector is never handed over by value: how depends on the processor. */
#define LOAD(to, from)	memcpy(&(to), (from), sizeof(to))

INLINE int
is_any(const vector *lanes)
{
	uint64_t parts[LANES / sizeof(uint64_t)], all = 0;
	size_t i;

	memcpy(parts, lanes, sizeof(parts));
	for (i = 0; i < LANES / sizeof(uint64_t); i++)
		all |= parts[i];
	return (all != 0);
}

INLINE uint64_t
sum(const vector *lanes)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < LANES; i++)
		all += (*lanes)[i];
	return (all);
}

/* Does a line in the block begin with an F behind an empty line? */
INLINE int
has_beginning(const unsigned char *text, size_t block)
{
	const unsigned char *end = text + block;
	vector now, one, two, three, begins = { 0 };

	for (; text < end; text += LANES) {
		LOAD(now, text);
		LOAD(one, text - 1);
		LOAD(two, text - 2);
		LOAD(three, text - 3);
		begins |= (vector)(now == 'F') & (vector)(one == '\n') &
		    ((vector)(two == '\n') | ((vector)(two == '\r') &
		    (vector)(three == '\n')));
	}
	return (is_any(&begins));
}

/*
 * Counts line feeds without a CR, and dots behind line feeds; notes an F behind
 * one.  A comparison gives 255 where it holds: that is less 1.
 */
INLINE void
count_vector(const unsigned char *text, vector *feeds, vector *dots,
    vector *with_f)
{
	vector now, one, two, behind_feed, first;

	LOAD(now, text);
	LOAD(one, text - 1);
	LOAD(two, text - 2);
	behind_feed = (vector)(one == '\n');
	first = behind_feed & now;
	*feeds -= behind_feed & ~(vector)(two == '\r');
	*dots -= (vector)(first == '.');
	*with_f |= (vector)(first == 'F');
}

/* Where a message may begin in it nothing is counted, and the answer is 0. */
INLINE int
count_block(const unsigned char *text, size_t block, vector *all_feeds,
    vector *all_dots)
{
	vector feeds = *all_feeds, dots = *all_dots, with_f = { 0 };

	count_vector(text, &feeds, &dots, &with_f);
	if (block == VECTORS * LANES) {
		count_vector(text + LANES, &feeds, &dots, &with_f);
		count_vector(text + 2 * LANES, &feeds, &dots, &with_f);
		count_vector(text + 3 * LANES, &feeds, &dots, &with_f);
	}
	if (is_any(&with_f) && has_beginning(text, block))
		return (0);
	*all_feeds = feeds;
	*all_dots = dots;
	return (1);
}

/* Blocks of a size, as far as no message may begin in them. */
INLINE size_t
count_some(const unsigned char *text, size_t at, size_t end, size_t block,
    struct lines_passed *passed)
{
	vector feeds, dots;
	size_t blocks;

	do {
		memset(&feeds, 0, sizeof(feeds));
		memset(&dots, 0, sizeof(dots));
		for (blocks = 0; blocks < BLOCKS_MAX && end - at >= block &&
		    count_block(text + at, block, &feeds, &dots); blocks++)
			at += block;
		passed->octets += blocks * block + sum(&feeds);
		passed->dots += sum(&dots);
	} while (blocks == BLOCKS_MAX);
	return (at);
}

static FOR size_t
count_blocks(const unsigned char *text, size_t at, size_t end,
    struct lines_passed *passed)
{
	at = count_some(text, at, end, (size_t)VECTORS * LANES, passed);
	return (count_some(text, at, end, LANES, passed));
}

#undef vector
#undef is_any
#undef has_beginning
#undef count_vector
#undef count_block
#undef sum
#undef count_some
#undef count_blocks
#undef VECTORS
#undef BLOCKS_MAX
#undef LOAD
