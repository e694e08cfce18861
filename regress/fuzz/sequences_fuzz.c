/*
 * sequences_fuzz.c - any octets as .mh_sequences, and numbers that leave it.
 *
 * Test code alone.  Input: numbers up to a NUL, one more than the one before
 * for each octet's value; then the text.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mh.h"

#define NUMBERS_MAX	64

static int
is_ours(int64_t number, const int64_t *numbers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (numbers[i] == number)
			return (1);
	return (0);
}

/* Is one of ours in the range? */
static int
touches(int64_t first, int64_t last, const int64_t *numbers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (numbers[i] >= first && numbers[i] <= last)
			return (1);
	return (0);
}

/* The list of a sequence, in a simple way: the ranges, joined. */
struct range {
	int64_t first, last;
};

static size_t
ranges_of(const char *list, const char *end, struct range *ranges)
{
	size_t count = 0;
	char *next;

	while (list < end) {
		if (strchr(" \t\r\n", *list) != NULL) {
			list++;
			continue;
		}
		ranges[count].first = strtoll(list, &next, 10);
		ranges[count].last = ranges[count].first;
		list = next;
		if (*list == '-') {
			ranges[count].last = strtoll(list + 1, &next, 10);
			list = next;
		}
		count++;
	}
	return (count);
}

/* A sequence: "name: 1 3-5", perhaps going on with lines that begin blank. */
struct field {
	const char *at, *list, *end;
};

static int
next_field(const char **at, const char *limit, struct field *field)
{
	const char *feed;

	if (*at == limit)
		return (0);
	field->at = *at;
	for (;;) {
		feed = memchr(*at, '\n', (size_t)(limit - *at));
		*at = feed == NULL ? limit : feed + 1;
		if (*at == limit || (**at != ' ' && **at != '\t'))
			break;
	}
	field->end = *at;
	field->list = memchr(field->at, ':',
	    (size_t)(field->end - field->at));
	HOLDS(field->list != NULL);
	field->list++;
	return (1);
}

static int
is_cur(const struct field *field)
{
	return (field->list - field->at == 4 &&
	    memcmp(field->at, "cur:", 4) == 0);
}

/* What was in it, and is not ours, is in it; and nothing else. */
static void
check_field(const struct field *before, const struct field *after,
    const int64_t *numbers, size_t count)
{
	const size_t room = (size_t)(before->end - before->at) + 1;
	struct range *old = calloc(room, sizeof(*old));
	struct range *new = calloc((size_t)(after->end - after->at) + 1,
	    sizeof(*new));
	size_t i, j = 0, olds, news;
	int64_t at;

	HOLDS(old != NULL && new != NULL);
	olds = ranges_of(before->list, before->end, old);
	news = ranges_of(after->list, after->end, new);
	for (i = 0; i < olds; i++)
		for (at = old[i].first; at <= old[i].last; ) {
			if (is_ours(at, numbers, count)) {
				at++;
				continue;
			}
			HOLDS(j < news && new[j].first == at);
			HOLDS(new[j].last <= old[i].last);
			HOLDS(!touches(at, new[j].last, numbers, count));
			HOLDS(new[j].last == old[i].last ||
			    is_ours(new[j].last + 1, numbers, count));
			at = new[j++].last + 1;
		}
	HOLDS(j == news);
	free(old);
	free(new);
}

static int
is_touched(const struct field *field, const int64_t *numbers, size_t count)
{
	struct range *ranges = calloc((size_t)(field->end - field->at) + 1,
	    sizeof(*ranges));
	size_t i, all;
	int result = 0;

	HOLDS(ranges != NULL);
	all = ranges_of(field->list, field->end, ranges);
	for (i = 0; i < all; i++)
		result |= touches(ranges[i].first, ranges[i].last, numbers,
		    count);
	free(ranges);
	return (result);
}

/* True when nothing of the sequence stays. */
static int
is_left_out(const struct field *field, const int64_t *numbers, size_t count)
{
	struct range *ranges = calloc((size_t)(field->end - field->at) + 1,
	    sizeof(*ranges));
	size_t i, all;
	int64_t at;
	int result = 1;

	HOLDS(ranges != NULL);
	all = ranges_of(field->list, field->end, ranges);
	for (i = 0; i < all && result; i++)
		for (at = ranges[i].first; at <= ranges[i].last && result;
		    at++)
			result = is_ours(at, numbers, count);
	free(ranges);
	return (result);
}

static void
check(const char *text, size_t length, const char *changed,
    size_t changed_length, const int64_t *numbers, size_t count)
{
	const char *at = text, *now = changed;
	struct field field, after;

	while (next_field(&at, text + length, &field)) {
		if (!is_touched(&field, numbers, count) || is_cur(&field)) {
			HOLDS((size_t)(changed + changed_length - now) >=
			    (size_t)(field.end - field.at));
			HOLDS(memcmp(now, field.at,
			    (size_t)(field.end - field.at)) == 0);
			now += field.end - field.at;
			continue;
		}
		if (is_left_out(&field, numbers, count))
			continue;
		HOLDS(next_field(&now, changed + changed_length, &after));
		HOLDS(after.list - after.at == field.list - field.at &&
		    memcmp(after.at, field.at,
		    (size_t)(field.list - field.at)) == 0);
		HOLDS(after.end[-1] == '\n');
		check_field(&field, &after, numbers, count);
	}
	HOLDS(now == changed + changed_length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size }, steps;
	int64_t numbers[NUMBERS_MAX], number = 0;
	size_t count = 0, length, again_length;
	char *text, *changed, *ended, *again;

	for (steps = fuzz_until(&input, '\0'); steps.left > 0 &&
	    count < NUMBERS_MAX; numbers[count++] = number)
		number += 1 + (int64_t)fuzz_octet(&steps);
	/* Without an end: an octet read too far is seen by ASan. */
	changed = mh_sequences_text((const char *)input.at, input.left,
	    numbers, count, &length);
	/* The simple reader wants one. */
	text = malloc(input.left + 1);
	HOLDS(text != NULL);
	if (input.left > 0)
		memcpy(text, input.at, input.left);
	text[input.left] = '\0';
	if (changed != NULL) {
		ended = malloc(length + 1);
		HOLDS(ended != NULL);
		memcpy(ended, changed, length);
		ended[length] = '\0';
		check(text, input.left, ended, length, numbers, count);
		free(ended);
		again = mh_sequences_text(changed, length, numbers, count,
		    &again_length);
		HOLDS(again != NULL && again_length == length &&
		    memcmp(again, changed, length) == 0);
		free(again);
	}
	free(changed);
	free(text);
	return (0);
}
