/*
 * journal_test.c - journals that are damaged, foreign, stale, or forged.
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
#include "journal_format.h"

static struct world world;
static struct picture *killed;		/* in the middle of a commit */
static char name[64];			/* of its journal */

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
begin(void)
{
	unsigned int at;

	faults_begin();
	crash_verbose = 1;
	world.pattern = world.area != 0 ? FIRST : SECOND;
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
	not_used(change_head, 0);
	not_used(change_gap, 0);
	not_used(cut_mailbox, 0);
	not_used(replace_mailbox, 0);
	world_close(&world);
}

/* As if the mailbox had another name since: the journal is another place's. */
static void
move_place(void)
{
	char old[sizeof(name)];

	(void)strlcpy(old, name, sizeof(old));
	name[8] = name[8] == '0' ? '1' : '0';
	ATF_REQUIRE(renameat(world.state, old, world.state, name) == 0);
}

static void
spoil_journal(void)
{
	world_write(&world, name, "what is this", 12);
}

/* It stays where it is, without a word, and so does the mailbox. */
static void
passed_over(int (*change)(void), int spoils)
{
	char *mailbox;
	size_t length;

	begin();
	move_place();
	ATF_REQUIRE(change == NULL || change() == 0);
	if (spoils)
		spoil_journal();
	ATF_REQUIRE(world_read(&world, "mbox", &mailbox, &length) == 0);
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	ATF_CHECK(is_there("") && !is_there(".bad"));
	ATF_CHECK_MSG(strstr(faults->log, name) == NULL, "%s", faults->log);
	same_mailbox(mailbox, length, 0);
	free(mailbox);
	world_close(&world);
}

/* A mailbox that was renamed is completed all the same. */
ATF_TC_WITHOUT_HEAD(moved);
ATF_TC_BODY(moved, tc)
{
	(void)tc;
	begin();
	move_place();
	ATF_REQUIRE_EQ(world_session(&world, 0), STATUS_DONE);
	ATF_CHECK(!is_there("") && !is_there(".bad"));
	ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "moved"), 0);
	world_close(&world);
	passed_over(change_head, 0);
	passed_over(replace_mailbox, 0);
	passed_over(NULL, 1);
}

static uint64_t
odd_number(uint64_t mailbox)
{
	static const uint64_t numbers[] = { 0, 1, 2, 23, 24, 25, 4095, 4096,
	    INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 4096,
	    (uint64_t)1 << 60, UINT64_MAX / 16 };
	unsigned int which = crash_random(20);

	return (which < 15 ? numbers[which] : mailbox - which + 15);
}

/* With right checksums all through, and numbers that are anything. */
ATF_TC_WITHOUT_HEAD(forged);
ATF_TC_BODY(forged, tc)
{
	struct mailbox_place where;
	struct journal_extent extents[3];
	struct journal_record record;
	struct journal journal;
	struct stat status;
	unsigned int round;

	(void)tc;
	begin();
	where = place();
	for (round = 0; round < 4000; round++) {
		picture_restore(killed, &world);
		ATF_REQUIRE(fstatat(world.spool, "mbox", &status, 0) == 0);
		ATF_REQUIRE(journal_begin(&journal, &where) == 0);
		(void)strlcpy(journal.name, name, sizeof(journal.name));
		ATF_REQUIRE(journal_load(&journal) == JOURNAL_FOUND);
		record = journal.record;
		free(journal.extents);
		memset(extents, 0, sizeof(extents));
		journal.extents = extents;
		journal.header.extents = crash_random(4);
		extents[crash_random(3)].offset =
		    odd_number((uint64_t)status.st_size);
		extents[crash_random(3)].length =
		    odd_number((uint64_t)status.st_size);
		if (crash_random(2))
			journal.header.from = odd_number(5000);
		if (crash_random(2))
			journal.header.to = odd_number(journal.header.from);
		if (crash_random(3) == 0)
			journal.header.size =
			    odd_number((uint64_t)status.st_size);
		journal_fill_in(&journal);
		record.at = odd_number(10000);
		record.length = crash_random(2) ? 0 : odd_number(10000);
		record.more = crash_random(2) ? 0 : odd_number(1000);
		record.has_data = crash_random(2);
		record.phase = crash_random(4);
		(void)disk_write(journal.fd, &journal.header,
		    sizeof(journal.header), 0, NULL);
		(void)disk_write(journal.fd, extents, sizeof(extents),
		    JOURNAL_LIST_AT, NULL);
		(void)journal_write_record(&journal, &record);
		if (crash_random(4) == 0)
			(void)disk_cut(journal.fd, crash_random(60000));
		(void)close(journal.fd);
		/* It may be set aside or followed, but that is all. */
		ATF_CHECK(world_child(&world, 0) != STATUS_KILLED);
		ATF_REQUIRE(fstatat(world.spool, "mbox", &status, 0) == 0);
		ATF_CHECK(status.st_size < 200000);
	}
	world_close(&world);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, damaged_in_steps);
	ATF_TP_ADD_TC(tp, not_its_own);
	ATF_TP_ADD_TC(tp, moved);
	ATF_TP_ADD_TC(tp, forged);
	return (atf_no_error());
}
