/*
 * line_crlf_test.c - lines become those of the wire, however many at once.
 */
#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "letters.h"
#include "line_crlf.h"

#define TEXT_MAX	3000

typedef void line_crlf_function(unsigned char *to, size_t room,
    const unsigned char *text, size_t length, int dots,
    struct lines_passed *passed);

/* Line by line, and letter by letter; ends before what has no room. */
static void
copy_slowly(unsigned char *to, size_t room, const char *text, size_t length,
    int dots, struct lines_passed *passed)
{
	size_t at = 0, end, line, dot, all = 0;
	unsigned int ending;
	int blank = 0;

	memset(passed, 0, sizeof(*passed));
	for (; at < length; at = end) {
		for (end = at; end < length && text[end] != '\n';)
			end++;
		if (end++ == length || (blank && text[at] == 'F'))
			break;
		ending = end - at > 1 && text[end - 2] == '\r' ? 2 : 1;
		line = end - at - ending;
		dot = dots && line + ending > 1 && text[at] == '.';
		if (all + dot + line + 2 > room)
			break;
		if (dot)
			to[all++] = '.';
		memcpy(to + all, text + at, line);
		memcpy(to + all + line, "\r\n", 2);
		all += line + 2;
		blank = line == 0;
		passed->bytes = end;
		passed->dots += dot;
		passed->octets += line + 2;
	}
}

/*
 * A line is given room for a dot and a CR that it may not need: with two octets
 * less of room no more may be taken, and what is taken is what it must be.
 */
static void
check_copy(line_crlf_function *copy, const char *text, size_t length, int dots,
    size_t room)
{
	/* No mail: nor does a text have it. */
	static const unsigned char beyond[64] = { 0xa5, 0xa6, 0xa7, 0xa8 };
	unsigned char *from = malloc(length + 1);
	unsigned char *to = malloc(room + sizeof(beyond));
	static unsigned char wanted[2 * TEXT_MAX];
	struct lines_passed passed, slow, least;

	ATF_REQUIRE(from != NULL && to != NULL);
	from++;
	memcpy(from, text, length);
	memcpy(to + room, beyond, sizeof(beyond));
	copy(to, room, from, length, dots, &passed);
	copy_slowly(wanted, room < 2 ? 0 : room - 2, text, length, dots,
	    &least);
	copy_slowly(wanted, (size_t)(passed.octets + passed.dots), text,
	    length, dots, &slow);
	if (least.bytes > passed.bytes || slow.bytes != passed.bytes ||
	    slow.octets != passed.octets || slow.dots != passed.dots ||
	    memcmp(to, wanted, (size_t)(slow.octets + slow.dots)) != 0 ||
	    memcmp(to + room, beyond, sizeof(beyond)) != 0)
		atf_tc_fail("\"%.*s\": %llu bytes of %llu, room %zu",
		    (int)length, text, (unsigned long long)passed.bytes,
		    (unsigned long long)slow.bytes, room);
	free(from - 1);
	free(to);
}

static void
check_all(const char *text, size_t length, size_t room)
{
	check_copy(line_crlf, text, length, 0, room);
	check_copy(line_crlf, text, length, 1, room);
	check_copy(line_crlf_narrow, text, length, 0, room);
	check_copy(line_crlf_narrow, text, length, 1, room);
}

/* All short texts, by themselves and at places of a block. */
ATF_TC_WITHOUT_HEAD(short_texts);
ATF_TC_BODY(short_texts, tc)
{
	static const size_t places[] = { 0, 1, 60, 61, 62, 63, 64, 126, 127 };
	char text[400], few[5];
	size_t length, place;
	unsigned int number;

	(void)tc;
	for (length = 0; length <= sizeof(few); length++)
		for (number = 0; short_text(few, length, number); number++) {
			check_all(few, length, 64);
			for (place = 0; place < sizeof(places) /
			    sizeof(places[0]); place++) {
				memset(text, 'y', sizeof(text));
				memcpy(text + places[place], few, length);
				text[350] = '\n';
				check_all(text, sizeof(text), 900);
			}
		}
}

/* Whatever there is room for. */
ATF_TC_WITHOUT_HEAD(any_room);
ATF_TC_BODY(any_room, tc)
{
	static char text[TEXT_MAX];
	size_t length, room, i, j;

	(void)tc;
	for (i = 0; i < LETTERS; i++) {
		memset(text, letters[i], sizeof(text));
		check_all(text, sizeof(text), 2 * sizeof(text));
		for (j = 1; j < sizeof(text); j += 2)
			text[j] = '\n';
		check_all(text, sizeof(text), 2 * sizeof(text));
	}
	for (i = 0; i < 5000; i++) {
		length = randombytes_uniform(sizeof(text));
		room = randombytes_uniform(2 * sizeof(text));
		random_text(text, length, 100);
		check_all(text, length, room);
	}
}

/*
 * A block that comes to the most that one can, and a line with a dot behind it,
 * wherever they begin, and whatever room there is.
 */
ATF_TC_WITHOUT_HEAD(least_room);
ATF_TC_BODY(least_room, tc)
{
	char text[400];
	size_t before, feeds, room;

	(void)tc;
	for (before = 0; before < 130; before += 1 + before / 2)
		for (feeds = 56; feeds <= 72; feeds++) {
			memset(text, '.', sizeof(text));
			memset(text, 'x', before);
			memset(text + before, '\n', feeds);
			for (room = 100; room < 450; room++)
				check_all(text, sizeof(text), room);
		}
}

/* All that has room is taken: nothing is left for later that could go now. */
ATF_TC_WITHOUT_HEAD(takes_all);
ATF_TC_BODY(takes_all, tc)
{
	static unsigned char to[2 * TEXT_MAX];
	static char text[TEXT_MAX];
	struct lines_passed passed;
	size_t i;

	(void)tc;
	memset(text, 'x', sizeof(text));
	for (i = 71; i < sizeof(text); i += 72)
		text[i] = '\n';
	line_crlf(to, sizeof(to), (unsigned char *)text, sizeof(text), 1,
	    &passed);
	ATF_CHECK_EQ(sizeof(text) / 72 * 72, passed.bytes);
	ATF_CHECK_EQ(sizeof(text) / 72 * 73, passed.octets);
	/* With its dot and its end a line of 71 has room in 74, not in 73. */
	line_crlf(to, 74, (unsigned char *)text, sizeof(text), 1, &passed);
	ATF_CHECK_EQ(72, passed.bytes);
	line_crlf(to, 72, (unsigned char *)text, sizeof(text), 1, &passed);
	ATF_CHECK_EQ(0, passed.bytes);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, short_texts);
	ATF_TP_ADD_TC(tp, any_room);
	ATF_TP_ADD_TC(tp, least_room);
	ATF_TP_ADD_TC(tp, takes_all);
	return (atf_no_error());
}
