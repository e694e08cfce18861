/*
 * journal_test.c - journals that are damaged, foreign, stale, or forgery.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "disk.h"
#include "lines.h"
#include "journal_sign.h"

#define EXTENTS	8		/* more than a killed commit's journal has */

static struct world world;
static struct picture *killed;		/* in the middle of a commit */
static char name[64];			/* of its journal */

/* That journal taken apart: numbers are changed here, and it is signed. */
static struct journal forgery;
static struct journal_extent extents[EXTENTS];
static struct journal_record step;	/* the newest, and the only one left */
static uint64_t turn;			/* where it belongs */
static unsigned char *file;
static char *mail;			/* of the mailbox */
static struct signed_box box;

static struct mailbox_place
place(void)
{
	struct mailbox_place where;

	memset(&where, 0, sizeof(where));
	where.directory = world.spool;
	where.state = world.state;
	(void)strlcpy(where.name, "mbox", sizeof(where.name));
	return (where);
}

static int
is_there(const char *ending)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s%s", name, ending);
	return (faccessat(world.state, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

/* Kills a commit at the first call that leaves a journal and a change. */
static void
begin_with(enum pattern pattern)
{
	unsigned int at;

	faults_begin();
	crash_verbose = 1;
	world.pattern = pattern;
	world_open(&world);
	for (at = 1; !world_journal(&world, name, sizeof(name)); at++) {
		world_reset(&world);
		faults_set(FAULT_KILL, at, 0);
		ATF_REQUIRE_EQ(world_child(&world, 1), STATUS_KILLED);
	}
	/*
	 * And half of its first write into the mailbox; in steps, of one
	 * that is not the first.
	 */
	world_reset(&world);
	faults_set(FAULT_KILL_HALF, at + (world.area != 0 ? 11 : 1), 0);
	ATF_REQUIRE_EQ(world_child(&world, 1), STATUS_KILLED);
	ATF_REQUIRE(world_journal(&world, name, sizeof(name)));
	killed = picture_take(&world);
	faults_set(FAULT_NONE, 0, 0);
}

static void
begin(void)
{
	begin_with(world.area != 0 ? FIRST : SECOND);
}

static void
same_mailbox(const char *bytes, size_t length, size_t where)
{
	char *now;
	size_t now_length;

	ATF_REQUIRE(world_read(&world, "mbox", &now, &now_length) == 0);
	ATF_CHECK_MSG(now_length == length && memcmp(now, bytes, length) ==
	    0, "the mailbox was touched (%zu)", where);
	free(now);
}

/* Set aside or left, the mailbox as it was; or the commit completed. */
static void
use(const char *mailbox, size_t length, size_t at)
{
	char what[40];

	(void)snprintf(what, sizeof(what), "damaged at %zu", at);
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	if (is_there(".bad") || is_there(""))
		same_mailbox(mailbox, length, at);
	else
		ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, what), 0);
}

/* Each byte wrong once. */
static void
damage(uint64_t generation)
{
	struct mailbox_place where;
	struct journal loaded;
	char *journal, *mailbox;
	size_t length, mailbox_length, at;

	begin();
	where = place();
	ATF_REQUIRE(journal_begin(&loaded, &where) == 0);
	ATF_REQUIRE(journal_next(&loaded) == 1);
	ATF_REQUIRE(journal_load(&loaded) == JOURNAL_FOUND);
	ATF_REQUIRE_EQ(loaded.record.generation, generation);
	ATF_REQUIRE_EQ(loaded.record.has_data, generation != 0);
	journal_close(&loaded);
	ATF_REQUIRE(world_read(&world, name, &journal, &length) == 0);
	ATF_REQUIRE(world_read(&world, "mbox", &mailbox, &mailbox_length) ==
	    0);
	for (at = 0; at < length; at += at < 300 || at % 4096 < 200 ? 1 :
	    97) {
		picture_restore(killed, &world);
		journal[at] = (char)(journal[at] ^ 0x41);
		world_write(&world, name, journal, length);
		journal[at] = (char)(journal[at] ^ 0x41);
		use(mailbox, mailbox_length, at);
	}
	/* Cut short, and longer. */
	journal = realloc(journal, length + 8192);
	ATF_REQUIRE(journal != NULL);
	memset(journal + length, 'x', 8192);
	for (at = 0; at <= length + 8192; at += 512) {
		if (at == length)
			continue;
		picture_restore(killed, &world);
		world_write(&world, name, journal, at);
		use(mailbox, mailbox_length, at);
	}
	free(mailbox);
	free(journal);
	world_close(&world);
}

ATF_TC_WITHOUT_HEAD(damaged);
ATF_TC_BODY(damaged, tc)
{
	(void)tc;
	damage(0);
}

/* The same in the middle of many steps. */
ATF_TC_WITHOUT_HEAD(damaged_in_steps);
ATF_TC_BODY(damaged_in_steps, tc)
{
	(void)tc;
	world.area = 5000;
	damage(2);
}

/* The mailbox is served as it is; what becomes of the journal? */
static void
not_used(int (*change)(void), int is_set_aside)
{
	char *mailbox;
	size_t length;

	picture_restore(killed, &world);
	ATF_REQUIRE(change() == 0);
	ATF_REQUIRE(world_read(&world, "mbox", &mailbox, &length) == 0);
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	ATF_CHECK(is_there(".bad") == is_set_aside &&
	    is_there("") == !is_set_aside);
	ATF_CHECK_MSG(strstr(faults->log, name) != NULL, "%s", faults->log);
	same_mailbox(mailbox, length, 0);
	free(mailbox);
}

static int
make_link(void)
{
	return (renameat(world.state, name, world.state, "elsewhere") == 0 &&
	    symlinkat("elsewhere", world.state, name) == 0 ? 0 : -1);
}

static int
make_second_name(void)
{
	return (linkat(world.state, name, world.state, "elsewhere", 0));
}

static int
make_fifo(void)
{
	return (unlinkat(world.state, name, 0) == 0 ?
	    mkfifoat(world.state, name, 0600) : -1);
}

static int
give_away(void)
{
	return (fchownat(world.state, name, 12345, (gid_t)-1, 0));
}

static int
replace_mailbox(void)
{
	char *bytes;
	size_t length;

	if (world_read(&world, "mbox", &bytes, &length) == -1 ||
	    renameat(world.spool, "mbox", world.spool, "old") == -1)
		return (-1);
	world_write(&world, "mbox", bytes, length);
	free(bytes);
	return (unlinkat(world.spool, "old", 0));
}

/* In place, of the same length or more: only the bytes tell. */
static int
change_head(void)
{
	int fd = openat(world.spool, "mbox", O_WRONLY);
	int result = disk_write(fd, "!", 1, 100, NULL);

	(void)close(fd);
	return (result);
}

static int
cut_mailbox(void)
{
	int fd = openat(world.spool, "mbox", O_WRONLY);
	int result = disk_cut(fd, 5000);

	(void)close(fd);
	return (result);
}

static int
change_gap(void)
{
	int fd = openat(world.spool, "mbox", O_WRONLY);
	struct stat status;
	int result = fstat(fd, &status);

	result |= disk_write(fd, "!", 1, (uint64_t)status.st_size - 100,
	    NULL);
	(void)close(fd);
	return (result);
}

ATF_TC_WITHOUT_HEAD(not_its_own);
ATF_TC_BODY(not_its_own, tc)
{
	(void)tc;
	begin();
	not_used(make_link, 1);
	not_used(make_second_name, 1);
	not_used(make_fifo, 1);
	if (geteuid() == 0)
		not_used(give_away, 1);
	not_used(change_head, 0);
	not_used(change_gap, 0);
	not_used(cut_mailbox, 0);
	not_used(replace_mailbox, 0);
	world_close(&world);
}

/* The journal of the killed commit, and its mailbox. */
static void
take_apart(void)
{
	struct mailbox_place where = place();
	char *bytes;
	size_t length;

	picture_restore(killed, &world);
	ATF_REQUIRE(journal_begin(&forgery, &where) == 0);
	(void)strlcpy(forgery.name, name, sizeof(forgery.name));
	ATF_REQUIRE(journal_load(&forgery) == JOURNAL_FOUND);
	ATF_REQUIRE(forgery.header.extents <= EXTENTS);
	memset(extents, 0, sizeof(extents));
	memcpy(extents, forgery.extents,
	    forgery.header.extents * sizeof(*extents));
	step = forgery.record;
	turn = step.generation;
	journal_close(&forgery);
	forgery.extents = extents;
	ATF_REQUIRE(world_read(&world, name, &bytes, &length) == 0);
	ATF_REQUIRE_EQ(length, forgery.bytes);
	file = (unsigned char *)bytes;
	ATF_REQUIRE(world_read(&world, "mbox", &mail, &box.length) == 0);
	box.bytes = (const unsigned char *)mail;
}

/* The bytes that the step says are its mail, as far as they are there. */
static void
sign_data(void)
{
	const uint64_t begins = journal_data_at(forgery.header.extents);
	uint64_t at, length = step.length;

	memset(step.data, 0, sizeof(step.data));
	if (!step.has_data || begins > forgery.bytes)
		return;
	forgery.capacity = (forgery.bytes - begins) / 2;
	at = journal_area(&forgery, &step);
	if (length > forgery.bytes - at)
		length = forgery.bytes - at;
	(void)crypto_generichash(step.data, sizeof(step.data), file + at,
	    length, NULL, 0);
}

/* With every hash right; no other record can be gone back to. */
static void
put_together(void)
{
	uint64_t there = (forgery.bytes - JOURNAL_LIST_AT) / sizeof(*extents);

	if (there > EXTENTS)
		there = EXTENTS;
	sign_header(&forgery, there, &box);
	memcpy(file, &forgery.header, sizeof(forgery.header));
	memcpy(file + JOURNAL_LIST_AT, extents, there * sizeof(*extents));
	sign_data();
	sign_record(&forgery, &step, &box);
	memset(file + JOURNAL_PAGE, 0, JOURNAL_LIST_AT - JOURNAL_PAGE);
	memcpy(file + JOURNAL_RECORD_AT(turn), &step, sizeof(step));
	world_write(&world, name, file, forgery.bytes);
}

static void
throw_away(void)
{
	free(file);
	free(mail);
}

static void
fit_to(void)
{
	uint64_t i;

	forgery.header.to = forgery.header.from;
	for (i = 0; i < forgery.header.extents && i < EXTENTS; i++)
		forgery.header.to += extents[i].length;
}

/* What the numbers are held against, of the sound journal. */
static uint64_t kept, list, first_end, last_room;

/*
 * A number that is so much `more` than another, or than 0; with `fits` the
 * mailbox's size afterwards is what the extents make, so that no other check
 * sees it.  That `from` is not above `to` needs none: extents, all of which
 * have a length, make the difference.
 */
#define NUMBER(number)	&(number), sizeof(number)

static const struct wrong {
	const char *what;
	enum pattern pattern;		/* of the commit */
	void *number;
	size_t size;
	const uint64_t *than;
	uint64_t more;
	int fits;
} wrongs[] = {
	{ "other magic", SECOND, forgery.header.magic, 4, NULL, 'p', 0 },
	{ "size of no file", SECOND, NUMBER(forgery.header.size), NULL,
	    (uint64_t)INT64_MAX + 1, 0 },
	{ "size below to", LAST, NUMBER(forgery.header.size),
	    &forgery.header.to, UINT64_MAX, 0 },
	{ "no room for a tag", LAST, NUMBER(forgery.header.size),
	    &forgery.header.to, JOURNAL_TAG_BYTES - 1, 0 },
	{ "a list that comes round to 0", SECOND,
	    NUMBER(forgery.header.extents), NULL, UINT64_MAX /
	    sizeof(*extents) + 1 - JOURNAL_LIST_AT / sizeof(*extents), 0 },
	{ "a list behind the end", SECOND, NUMBER(forgery.header.extents),
	    &list, 1, 0 },
	{ "an empty extent", SECOND, NUMBER(extents[1].length), NULL, 0, 1 },
	{ "the first at from", SECOND, NUMBER(extents[0].offset),
	    &forgery.header.from, 0, 0 },
	{ "one in another", SECOND, NUMBER(extents[1].offset), &first_end,
	    UINT64_MAX, 0 },
	{ "out of order", SECOND, NUMBER(extents[2].offset),
	    &extents[0].offset, 0, 0 },
	{ "one behind size", SECOND, NUMBER(extents[3].offset),
	    &forgery.header.size, 1, 0 },
	{ "one beyond size", SECOND, NUMBER(extents[3].length), &last_room,
	    1, 1 },
	{ "more in all", SECOND, NUMBER(forgery.header.to),
	    &forgery.header.to, 1, 0 },
	{ "more than a file", SECOND, NUMBER(step.more), NULL, INT64_MAX, 0 },
	{ "the other's place", SECOND, NUMBER(step.generation),
	    &step.generation, 1, 0 },
	{ "no phase", SECOND, NUMBER(step.phase), NULL, 0, 0 },
	{ "a third phase", SECOND, NUMBER(step.phase), NULL, 3, 0 },
	{ "at behind the end", SECOND, NUMBER(step.at), &kept, 1, 0 },
	{ "longer than the rest", SECOND, NUMBER(step.length), &kept, 1, 0 },
	{ "a step of nothing", SECOND, NUMBER(step.length), NULL, 0, 0 },
	{ "mail that is not there", SECOND, NUMBER(step.has_data), NULL, 1,
	    0 },
};
#define WRONGS	(sizeof(wrongs) / sizeof(wrongs[0]))

static void
make_wrong(const struct wrong *wrong)
{
	uint64_t value;
	uint32_t small;

	kept = forgery.header.to - forgery.header.from;
	ATF_REQUIRE(step.at == 0 && step.length <= kept && !step.has_data);
	list = (forgery.bytes - JOURNAL_LIST_AT) / sizeof(*extents);
	first_end = extents[0].offset + extents[0].length;
	last_room = forgery.header.size - extents[3].offset;
	value = (wrong->than == NULL ? 0 : *wrong->than) + wrong->more;
	small = (uint32_t)value;
	if (wrong->size == sizeof(small))
		memcpy(wrong->number, &small, sizeof(small));
	else
		memcpy(wrong->number, &value, sizeof(value));
	if (wrong->fits)
		fit_to();
}

static enum journal_found
load(void)
{
	struct mailbox_place where = place();
	struct journal journal;
	enum journal_found found;

	ATF_REQUIRE(journal_begin(&journal, &where) == 0);
	(void)strlcpy(journal.name, name, sizeof(journal.name));
	found = journal_load(&journal);
	journal_close(&journal);
	return (found);
}

/* With nothing wrong it is followed: how it is put together is no matter. */
static void
nothing_wrong(void)
{
	take_apart();
	put_together();
	ATF_REQUIRE_EQ(load(), JOURNAL_FOUND);
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "nothing wrong"), 0);
	throw_away();
}

static void
one_wrong(const struct wrong *wrong)
{
	enum journal_found found;
	char *now;
	size_t length;

	take_apart();
	make_wrong(wrong);
	put_together();
	found = load();
	ATF_CHECK_MSG(found == JOURNAL_DAMAGED, "%s: %d", wrong->what,
	    (int)found);
	/* Followed, some would have no end. */
	if (found != JOURNAL_DAMAGED) {
		throw_away();
		return;
	}
	ATF_CHECK_EQ_MSG(world_session(&world, 0), STATUS_DONE, "%s",
	    wrong->what);
	ATF_CHECK_MSG(is_there(".bad") && !is_there(""), "%s", wrong->what);
	ATF_REQUIRE(world_read(&world, "mbox", &now, &length) == 0);
	ATF_CHECK_MSG(length == box.length && memcmp(now, box.bytes,
	    length) == 0, "%s: the mailbox was touched", wrong->what);
	free(now);
	throw_away();
}

/* Each number is held against the others: all hashes are right. */
ATF_TC_WITHOUT_HEAD(each_number);
ATF_TC_BODY(each_number, tc)
{
	static const enum pattern patterns[] = { SECOND, LAST };
	size_t i, pattern;

	(void)tc;
	for (pattern = 0; pattern < 2; pattern++) {
		begin_with(patterns[pattern]);
		nothing_wrong();
		for (i = 0; i < WRONGS; i++)
			if (wrongs[i].pattern == patterns[pattern])
				one_wrong(&wrongs[i]);
		world_close(&world);
	}
}

/* Near what it was, near what others are, or at the end of all numbers. */
static uint64_t
odd_number(uint64_t before)
{
	static const uint64_t numbers[] = { 0, 1, 2, 23, 24, 25, 4095, 4096,
	    INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 4096,
	    (uint64_t)1 << 60, UINT64_MAX / 16 };

	switch (crash_random(4)) {
	case 0:
		return (numbers[crash_random(15)]);
	case 1:
		return (crash_random((uint32_t)box.length + 100));
	case 2:
		return (before + crash_random(300));
	default:
		return (before - crash_random(300));
	}
}

static void
forge_number(void)
{
	const uint32_t there = (uint32_t)(forgery.header.extents % EXTENTS);
	struct journal_extent *extent = &extents[crash_random(there + 1)];
	uint64_t *const numbers[] = { &forgery.header.from,
	    &forgery.header.to, &forgery.header.size, &forgery.header.extents,
	    &extent->offset, &extent->length, &step.generation, &step.at,
	    &step.length, &step.more };
	const unsigned int which = crash_random(12);

	if (which < 10)
		*numbers[which] = odd_number(*numbers[which]);
	else if (which == 10)
		step.phase = crash_random(4);
	else
		step.has_data = crash_random(2);
}

/* What became of the forged ones. */
static struct {
	unsigned int set_aside, left, followed;
} outcomes;

/*
 * What is before it stays, and the mailbox is as long as the journal says; or
 * as it was, where that says CUT and the tag is not there any more.
 */
static void
check_followed(const char *now, size_t length)
{
	const struct journal_header *header = &forgery.header;

	ATF_CHECK(header->from <= length && memcmp(now, box.bytes,
	    header->from) == 0);
	ATF_CHECK(length == header->to + box.length - header->size ||
	    (step.phase == JOURNAL_CUT && length == box.length));
}

static void
forge(void)
{
	unsigned int changes = 1 + crash_random(3);
	char *now;
	size_t length;

	take_apart();
	while (changes-- > 0)
		forge_number();
	if (crash_random(2))
		fit_to();
	put_together();
	if (crash_random(8) == 0)
		world_write(&world, name, file,
		    crash_random((uint32_t)forgery.bytes));
	ATF_REQUIRE_EQ(world_child(&world, 0), STATUS_DONE);
	ATF_REQUIRE(world_read(&world, "mbox", &now, &length) == 0);
	if (is_there(".bad") || is_there("")) {
		outcomes.set_aside += is_there(".bad") != 0;
		outcomes.left += is_there("") != 0;
		ATF_CHECK(length == box.length && memcmp(now, box.bytes,
		    length) == 0);
	} else {
		outcomes.followed++;
		check_followed(now, length);
	}
	free(now);
	throw_away();
}

/* With right hashes all through, and numbers that are anything. */
static void
forge_often(unsigned int rounds)
{
	unsigned int i;

	memset(&outcomes, 0, sizeof(outcomes));
	begin();
	for (i = 0; i < rounds; i++)
		forge();
	printf("%u set aside, %u left, %u followed\n", outcomes.set_aside,
	    outcomes.left, outcomes.followed);
	ATF_CHECK(outcomes.set_aside > rounds / 20);
	ATF_CHECK(outcomes.left > rounds / 20);
	ATF_CHECK(outcomes.followed > rounds / 20);
	world_close(&world);
}

ATF_TC_WITHOUT_HEAD(forged);
ATF_TC_BODY(forged, tc)
{
	(void)tc;
	forge_often(700);
	world.area = 5000;
	forge_often(700);
}

/* What another version has begun it must end: it is not damage. */
ATF_TC_WITHOUT_HEAD(later_version);
ATF_TC_BODY(later_version, tc)
{
	char *journal, *mailbox;
	size_t length, mailbox_length;

	(void)tc;
	begin();
	picture_restore(killed, &world);
	ATF_REQUIRE(world_read(&world, name, &journal, &length) == 0);
	ATF_REQUIRE(world_read(&world, "mbox", &mailbox, &mailbox_length) ==
	    0);
	journal[15] = '2';
	world_write(&world, name, journal, length);
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_CLOSED);
	ATF_CHECK(is_there("") && !is_there(".bad"));
	same_mailbox(mailbox, mailbox_length, 0);
	journal[15] = '\0';
	world_write(&world, name, journal, length);
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	ATF_CHECK(!is_there(""));
	ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "later"), 0);
	free(mailbox);
	free(journal);
	world_close(&world);
}

static unsigned int asked, gone_at;

static int
is_unwanted(void)
{
	return (++asked > gone_at);
}

/* A recovery, whose client goes when that is asked for the nth time. */
static int
recover_until(unsigned int n)
{
	int status;

	picture_restore(killed, &world);
	asked = 0;
	gone_at = n;
	lines_unwanted = is_unwanted;
	status = world_session(&world, 0);
	lines_unwanted = NULL;
	return (status);
}

/* A recovery whose client has gone ends behind a step; another goes on. */
ATF_TC_WITHOUT_HEAD(unwanted);
ATF_TC_BODY(unwanted, tc)
{
	unsigned int n, same = 0;
	char *before, *now;
	size_t length, now_length;

	(void)tc;
	world.area = 5000;
	begin();
	picture_restore(killed, &world);
	ATF_REQUIRE(world_read(&world, "mbox", &before, &length) == 0);
	for (n = 0; recover_until(n) == STATUS_CLOSED; n++) {
		ATF_CHECK_MSG(is_there(""), "%u", n);
		ATF_REQUIRE(world_read(&world, "mbox", &now, &now_length) ==
		    0);
		same += now_length == length && memcmp(now, before, length) ==
		    0;
		free(now);
		ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
		ATF_CHECK(!is_there(""));
		ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "unwanted"), 0);
	}
	/* Some while it was checked, and some behind steps. */
	ATF_CHECK_MSG(same > 1 && n > same + 2, "%u of %u", same, n);
	ATF_CHECK(!is_there(""));
	ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "wanted"), 0);
	free(before);
	world_close(&world);
}

/* The one that is needed is not passed over for the sake of newer ones. */
ATF_TC_WITHOUT_HEAD(too_many);
ATF_TC_BODY(too_many, tc)
{
	char *mailbox, other[64];
	size_t mailbox_length;
	unsigned int i;

	(void)tc;
	begin();
	picture_restore(killed, &world);
	ATF_REQUIRE(world_read(&world, "mbox", &mailbox, &mailbox_length) ==
	    0);
	for (i = 0; i < JOURNALS_MAX; i++) {
		(void)strlcpy(other, name, sizeof(other));
		(void)snprintf(other + strlen(name) - 24 - 8, 9, "%08x",
		    0x100 + i);
		other[strlen(name) - 24] = name[strlen(name) - 24];
		world_write(&world, other, "", 0);
	}
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_CLOSED);
	ATF_CHECK(is_there(""));
	ATF_CHECK(strstr(faults->log, "too many") != NULL);
	same_mailbox(mailbox, mailbox_length, 0);
	/* The others were damaged, and do not count any more. */
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	ATF_CHECK(!is_there(""));
	ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "too many"), 0);
	free(mailbox);
	world_close(&world);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, damaged_in_steps);
	ATF_TP_ADD_TC(tp, not_its_own);
	ATF_TP_ADD_TC(tp, each_number);
	ATF_TP_ADD_TC(tp, forged);
	ATF_TP_ADD_TC(tp, later_version);
	ATF_TP_ADD_TC(tp, unwanted);
	ATF_TP_ADD_TC(tp, too_many);
	return (atf_no_error());
}
