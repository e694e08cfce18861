/*
 * seal_test.c - seals tell bytes apart, in one process alone.
 */
#include <sys/wait.h>

#include <atf-c.h>
#include <string.h>
#include <unistd.h>

#include "seal.h"

/* Some blocks, and a part of one. */
#define LENGTH	(2 * SEAL_BLOCK + 200)

static void
seal_all(const unsigned char *bytes, size_t length, unsigned char *seal)
{
	struct seal state;

	seal_begin(&state);
	seal_take(&state, bytes, length);
	seal_end(&state, seal);
}

/* However they come. */
ATF_TC_WITHOUT_HEAD(same_bytes);
ATF_TC_BODY(same_bytes, tc)
{
	unsigned char bytes[LENGTH], whole[SEAL_BYTES], pieces[SEAL_BYTES];
	struct seal state;
	size_t cut;

	(void)tc;
	ATF_REQUIRE(sodium_init() != -1);
	randombytes_buf(bytes, sizeof(bytes));
	seal_all(bytes, sizeof(bytes), whole);
	for (cut = 0; cut <= sizeof(bytes); cut++) {
		seal_begin(&state);
		seal_take(&state, bytes, cut);
		seal_take(&state, bytes + cut, sizeof(bytes) - cut);
		seal_end(&state, pieces);
		ATF_REQUIRE(seal_is_same(whole, pieces));
	}
}

/* One bit, or one byte more or less, also where that is a zero. */
ATF_TC_WITHOUT_HEAD(other_bytes);
ATF_TC_BODY(other_bytes, tc)
{
	unsigned char bytes[LENGTH] = "", one[SEAL_BYTES], other[SEAL_BYTES];
	size_t i;

	(void)tc;
	ATF_REQUIRE(sodium_init() != -1);
	seal_all(bytes, sizeof(bytes), one);
	for (i = 0; i < 8 * sizeof(bytes); i++) {
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		seal_all(bytes, sizeof(bytes), other);
		ATF_REQUIRE(!seal_is_same(one, other));
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (i = 0; i < sizeof(bytes); i++) {
		seal_all(bytes, i, other);
		ATF_REQUIRE(!seal_is_same(one, other));
	}
}

static void
swap(unsigned char *one, unsigned char *other, size_t length)
{
	unsigned char bytes[SEAL_BLOCK];

	memcpy(bytes, one, length);
	memcpy(one, other, length);
	memcpy(other, bytes, length);
}

/* The same parts in another order: of a word of 64 bits, and of many. */
ATF_TC_WITHOUT_HEAD(other_order);
ATF_TC_BODY(other_order, tc)
{
	unsigned char bytes[LENGTH], one[SEAL_BYTES], other[SEAL_BYTES];
	size_t length, at, to;

	(void)tc;
	ATF_REQUIRE(sodium_init() != -1);
	randombytes_buf(bytes, sizeof(bytes));
	seal_all(bytes, sizeof(bytes), one);
	for (length = 4; length <= SEAL_BLOCK; length *= 2)
		for (at = 0; at + 2 * length <= sizeof(bytes); at += length)
			for (to = at + length; to + length <= sizeof(bytes);
			    to += to < at + 4 * length ? length :
			    5 * length) {
				/* By chance, once in 100,000 runs. */
				if (memcmp(bytes + at, bytes + to, length) == 0)
					continue;
				swap(bytes + at, bytes + to, length);
				seal_all(bytes, sizeof(bytes), other);
				ATF_REQUIRE(!seal_is_same(one, other));
				swap(bytes + at, bytes + to, length);
			}
	seal_all(bytes, sizeof(bytes), other);
	ATF_CHECK(seal_is_same(one, other));
}

/* The key is each process's own. */
ATF_TC_WITHOUT_HEAD(other_process);
ATF_TC_BODY(other_process, tc)
{
	unsigned char ours[SEAL_BYTES], theirs[SEAL_BYTES];
	int ends[2];
	pid_t pid;

	(void)tc;
	ATF_REQUIRE(sodium_init() != -1 && pipe(ends) == 0);
	if ((pid = fork()) == 0) {
		seal_all((const unsigned char *)"mail", 4, theirs);
		_exit(write(ends[1], theirs, SEAL_BYTES) == SEAL_BYTES ? 0 : 1);
	}
	ATF_REQUIRE(waitpid(pid, NULL, 0) == pid);
	ATF_REQUIRE(read(ends[0], theirs, SEAL_BYTES) == SEAL_BYTES);
	seal_all((const unsigned char *)"mail", 4, ours);
	ATF_CHECK(!seal_is_same(ours, theirs));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, same_bytes);
	ATF_TP_ADD_TC(tp, other_bytes);
	ATF_TP_ADD_TC(tp, other_order);
	ATF_TP_ADD_TC(tp, other_process);
	return (atf_no_error());
}
