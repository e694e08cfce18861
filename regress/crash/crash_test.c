/*
 * crash_test.c - a short version of `make crash`, and a test of the checker.
 */
#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "crash.h"
#include "journal.h"

/* A fork of a sanitized process takes many times as long: less is tried. */
#ifdef POSTERN_SANITIZED
#define PATTERN_STEP	2
#define THOROUGH	0
#else
#define PATTERN_STEP	1
#define THOROUGH	1
#endif

static void
begin(void)
{
	faults_begin();
	crash_verbose = 1;
}

static void
end(void)
{
	printf("%llu points, %llu states, %llu messages at stake, "
	    "%llu losses\n", figures.points, figures.states,
	    figures.messages, figures.losses);
	ATF_CHECK_EQ(figures.losses, 0);
	ATF_CHECK(figures.states > 0);
}

/* Cases that are like `like`, but for what it leaves open. */
static const struct world
    usual = { 0 },
    stays_full = { .full = 1, .large = 1, .stays_full = 1 },
    in_steps = { .area = 5000, .fills = 1, .stays_full = 1 };

/*
 * Runs `bench` over patterns, with the other traits spread over them; over
 * all of them for mbox, and over every second one for MAIL.TXT.
 */
static void
over_patterns(void (*bench)(struct world *), const struct world *like)
{
	unsigned int pattern;
	int mailtxt;

	begin();
	for (mailtxt = 0; mailtxt < 2; mailtxt++)
		for (pattern = 0; pattern < PATTERNS;
		    pattern += mailtxt ? 2 : PATTERN_STEP) {
			struct world world = *like;

			world.pattern = pattern;
			world.mailtxt = mailtxt;
			world.crlf = (pattern >> mailtxt) % 2;
			world.arrival = pattern / 2 % 2;
			world.lazy = pattern % 2;
			world_open(&world);
			bench(&world);
			world_close(&world);
		}
	end();
}

static void
kills(struct world *world)
{
	kill_everywhere(world, 0);
}

static void
kills_of_recovery(struct world *world)
{
	kill_everywhere(world, THOROUGH && world->pattern == FIRST);
}

static void
power_cuts(struct world *world)
{
	cut_power_everywhere(world, 12);
}

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	(void)tc;
	over_patterns(kills_of_recovery, &usual);
}

ATF_TC_WITHOUT_HEAD(killed_on_a_full_disk);
ATF_TC_BODY(killed_on_a_full_disk, tc)
{
	(void)tc;
	over_patterns(kills, &stays_full);
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	(void)tc;
	over_patterns(fail_everywhere, &usual);
}

ATF_TC_WITHOUT_HEAD(power);
ATF_TC_BODY(power, tc)
{
	(void)tc;
	over_patterns(power_cuts, &usual);
}

static void
refusals(struct world *world)
{
	cut_power_after_refusal(world, 24);
}

ATF_TC_WITHOUT_HEAD(power_after_refusal);
ATF_TC_BODY(power_after_refusal, tc)
{
	(void)tc;
	over_patterns(refusals, &usual);
}

static void
late_deliveries(struct world *world)
{
	cut_power_after_delivery(world, 6);
}

ATF_TC_WITHOUT_HEAD(power_after_delivery);
ATF_TC_BODY(power_after_delivery, tc)
{
	(void)tc;
	over_patterns(late_deliveries, &usual);
}

ATF_TC_WITHOUT_HEAD(power_on_a_full_disk);
ATF_TC_BODY(power_on_a_full_disk, tc)
{
	struct world world = { .pattern = FIRST, .full = 1, .large = 1 };

	(void)tc;
	begin();
	world_open(&world);
	cut_power_everywhere(&world, 8);
	world_close(&world);
	end();
}

/* Nothing stays on a full disk: no call may fail. */
ATF_TC_WITHOUT_HEAD(deletes_on_a_full_disk);
ATF_TC_BODY(deletes_on_a_full_disk, tc)
{
	struct world world = { .full = 1, .large = 1 };
	unsigned int i;

	(void)tc;
	begin();
	for (i = 0; i < 2 * PATTERNS; i++) {
		world.pattern = i % PATTERNS;
		world.mailtxt = i / PATTERNS != 0;
		world.count = 0;
		world_open(&world);
		faults->full = 1;
		ATF_CHECK_EQ_MSG(world_child(&world, 1), STATUS_DONE,
		    "pattern %d", (int)world.pattern);
		ATF_CHECK_EQ(world_child(&world, 0), STATUS_DONE);
		ATF_CHECK_EQ(world_check(&world, MUST_BE_GONE, "full"), 0);
		world_close(&world);
	}
}

/*
 * A journal whose areas hold little goes on in steps; the disk is full from
 * the moment that it counts, and stays so.
 */
ATF_TC_WITHOUT_HEAD(killed_in_steps);
ATF_TC_BODY(killed_in_steps, tc)
{
	(void)tc;
	over_patterns(kills, &in_steps);
}

ATF_TC_WITHOUT_HEAD(errors_in_steps);
ATF_TC_BODY(errors_in_steps, tc)
{
	(void)tc;
	over_patterns(fail_everywhere, &in_steps);
}

ATF_TC_WITHOUT_HEAD(power_in_steps);
ATF_TC_BODY(power_in_steps, tc)
{
	(void)tc;
	over_patterns(power_cuts, &in_steps);
}

/*
 * What stays near its place moves by way of the journal, and behind it all
 * moves by steps without mail; with two areas, and with one.
 */
static void
with_far_steps(void (*bench)(struct world *))
{
	struct world far = { .area = 5000, .far = FAR, .fills = 1,
	    .stays_full = 1, .pattern = OTHERS };

	begin();
	for (; far.area <= 20000; far.area += 15000)
		for (far.mailtxt = 0; far.mailtxt < 2; far.mailtxt++) {
			struct world world = far;

			world_open(&world);
			bench(&world);
			world_close(&world);
		}
	end();
}

ATF_TC_WITHOUT_HEAD(killed_in_far_steps);
ATF_TC_BODY(killed_in_far_steps, tc)
{
	(void)tc;
	with_far_steps(kills);
}

ATF_TC_WITHOUT_HEAD(errors_in_far_steps);
ATF_TC_BODY(errors_in_far_steps, tc)
{
	(void)tc;
	with_far_steps(fail_everywhere);
}

ATF_TC_WITHOUT_HEAD(power_in_far_steps);
ATF_TC_BODY(power_in_far_steps, tc)
{
	(void)tc;
	with_far_steps(power_cuts);
}

/*
 * Who recovers may have another rule for what is far: an earlier or later
 * version.  The one area of the journal is not taken for two.
 */
ATF_TC_WITHOUT_HEAD(recovered_by_another_rule);
ATF_TC_BODY(recovered_by_another_rule, tc)
{
	struct world world = { .area = 20000, .far = FAR,
	    .far_later = UINT64_MAX, .pattern = OTHERS };

	(void)tc;
	begin();
	world_open(&world);
	kill_everywhere(&world, THOROUGH);
	world_close(&world);
	end();
}

/* Leaves a commit decided, and not done. */
static void
interrupt(struct world *world, char *name, size_t size)
{
	unsigned int at;

	for (at = 1; !world_journal(world, name, size); at++) {
		world_reset(world);
		faults_set(FAULT_KILL, at, 0);
		ATF_REQUIRE_EQ(world_child(world, 1), STATUS_KILLED);
	}
	faults_set(FAULT_NONE, 0, 0);
}

/*
 * Behind a short gap, with a journal that has room for no mail, comes more
 * than can be moved in a reasonable time.
 */
ATF_TC_WITHOUT_HEAD(refused_until_there_is_room);
ATF_TC_BODY(refused_until_there_is_room, tc)
{
	struct world world = { .pattern = LAST };
	char name[64];

	(void)tc;
	begin();
	world_open(&world);
	interrupt(&world, name, sizeof(name));
	world_deliver(&world, (RESERVE_STEPS_MAX + 10) *
	    world.messages[world.first_count - 1].length);
	faults->full = 1;
	ATF_CHECK_EQ(world_child(&world, 0), STATUS_CLOSED);
	ATF_CHECK_EQ(world_child(&world, 0), STATUS_CLOSED);
	ATF_CHECK_MSG(strstr(faults->log, name) != NULL, "%s", faults->log);
	faults->full = 0;
	ATF_CHECK_EQ(world_ends_well(&world, MUST_BE_GONE, "room"), 0);
	world_close(&world);
	end();
}

/* The longest that the reserve may take, and a little more. */
ATF_TC_WITHOUT_HEAD(too_many_steps);
ATF_TC_BODY(too_many_steps, tc)
{
	struct world world = { .pattern = FIRST };

	(void)tc;
	begin();
	world_open(&world);
	world_deliver(&world, (size_t)RESERVE_STEPS_MAX * RESERVE_BYTES / 2);
	faults->full = 1;
	ATF_CHECK_EQ(world_child(&world, 1), STATUS_FAILED);
	ATF_CHECK_MSG(strstr(faults->reason, "too much mail") != NULL, "%s",
	    faults->reason);
	ATF_CHECK_EQ(world_ends_well(&world, MUST_BE_THERE, "refused"), 0);
	/* What is told helps: the last ones may go, and then the first. */
	world.messages[0].marked = 0;
	world.messages[world.count - 1].marked = 1;
	ATF_CHECK_EQ(world_child(&world, 1), STATUS_DONE);
	ATF_CHECK_EQ(world_ends_well(&world, MUST_BE_GONE, "last"), 0);
	world_forget_since(&world, world.count - 1);
	world.messages[0].marked = 1;
	ATF_CHECK_EQ(world_child(&world, 1), STATUS_DONE);
	ATF_CHECK_EQ(world_ends_well(&world, MUST_BE_GONE, "first"), 0);
	world_close(&world);
	end();
}

/* Two areas at the most, and written as a whole. */
ATF_TC_WITHOUT_HEAD(journal_is_bounded);
ATF_TC_BODY(journal_is_bounded, tc)
{
	struct world world = { .pattern = FIRST, .fills = 1 };

	(void)tc;
	begin();
	world_open(&world);
	world_deliver(&world, 4 * JOURNAL_AREA_BYTES);
	faults->largest = 0;
	ATF_CHECK_EQ(world_child(&world, 1), STATUS_DONE);
	ATF_CHECK(faults->full);
	ATF_CHECK(faults->largest > 2 * JOURNAL_AREA_BYTES);
	ATF_CHECK(faults->largest < 2 * JOURNAL_AREA_BYTES + 65536);
	ATF_CHECK(!faults->sparse);
	ATF_CHECK_EQ(world_ends_well(&world, MUST_BE_GONE, "bounded"), 0);
	world_close(&world);
	end();
}

/* Of mail that moves far there is nothing in it. */
ATF_TC_WITHOUT_HEAD(far_mail_is_not_in_it);
ATF_TC_BODY(far_mail_is_not_in_it, tc)
{
	struct world world = { .pattern = FIRST };

	(void)tc;
	begin();
	world_open(&world);
	world_deliver(&world, JOURNAL_GAP_BYTES);
	world.messages[world.count - 1].marked = 1;
	world_deliver(&world, 2 * JOURNAL_AREA_BYTES);
	faults->largest = 0;
	ATF_CHECK_EQ(world_child(&world, 1), STATUS_DONE);
	ATF_CHECK(faults->largest > 0);
	ATF_CHECK(faults->largest < 65536);
	ATF_CHECK_EQ(world_ends_well(&world, MUST_BE_GONE, "far"), 0);
	world_close(&world);
	end();
}

ATF_TC_WITHOUT_HEAD(restored);
ATF_TC_BODY(restored, tc)
{
	(void)tc;
	over_patterns(restore_everywhere, &usual);
	over_patterns(restore_everywhere, &in_steps);
	over_patterns(restore_everywhere, &stays_full);
}

ATF_TC_WITHOUT_HEAD(twins);
ATF_TC_BODY(twins, tc)
{
	(void)tc;
	over_patterns(twins_everywhere, &usual);
	over_patterns(twins_everywhere, &in_steps);
}

/* The checker sees what popa3d's way loses. */
ATF_TC_WITHOUT_HEAD(checker);
ATF_TC_BODY(checker, tc)
{
	struct world world = { .pattern = FIRST, .copy_down = 1 };
	unsigned long long killed;

	(void)tc;
	faults_begin();
	world_open(&world);
	kill_everywhere(&world, 0);
	printf("copy-down, killed: %llu of %llu states lost mail\n",
	    figures.losses, figures.states);
	ATF_CHECK(figures.losses > figures.states / 4);
	killed = figures.losses;
	cut_power_everywhere(&world, 12);
	printf("copy-down, no power: %llu of %llu states lost mail\n",
	    figures.losses - killed, figures.states);
	ATF_CHECK(figures.losses > killed);
	world_close(&world);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, killed_on_a_full_disk);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, power);
	ATF_TP_ADD_TC(tp, power_after_refusal);
	ATF_TP_ADD_TC(tp, power_after_delivery);
	ATF_TP_ADD_TC(tp, power_on_a_full_disk);
	ATF_TP_ADD_TC(tp, deletes_on_a_full_disk);
	ATF_TP_ADD_TC(tp, killed_in_steps);
	ATF_TP_ADD_TC(tp, errors_in_steps);
	ATF_TP_ADD_TC(tp, power_in_steps);
	ATF_TP_ADD_TC(tp, killed_in_far_steps);
	ATF_TP_ADD_TC(tp, errors_in_far_steps);
	ATF_TP_ADD_TC(tp, power_in_far_steps);
	ATF_TP_ADD_TC(tp, refused_until_there_is_room);
	ATF_TP_ADD_TC(tp, too_many_steps);
	ATF_TP_ADD_TC(tp, journal_is_bounded);
	ATF_TP_ADD_TC(tp, far_mail_is_not_in_it);
	ATF_TP_ADD_TC(tp, recovered_by_another_rule);
	ATF_TP_ADD_TC(tp, restored);
	ATF_TP_ADD_TC(tp, twins);
	ATF_TP_ADD_TC(tp, checker);
	return (atf_no_error());
}
