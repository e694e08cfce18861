/*
 * crash_test.c - a short version of `make crash`, and a test of the checker.
 */
#include <atf-c.h>
#include <stdio.h>

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

/*
 * Runs `bench` over patterns, with the other traits spread over them; over
 * all of them for mbox, and over every second one for MAIL.TXT.
 */
static void
over_patterns(void (*bench)(struct world *), int full)
{
	unsigned int pattern;
	int mailtxt;

	begin();
	for (mailtxt = 0; mailtxt < 2; mailtxt++)
		for (pattern = 0; pattern < PATTERNS;
		    pattern += mailtxt ? 2 : PATTERN_STEP) {
			struct world world = { .pattern = pattern,
			    .crlf = (pattern >> mailtxt) % 2,
			    .mailtxt = mailtxt, .arrival = pattern / 2 % 2,
			    .lazy = pattern % 2, .full = full, .large = full };

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
	over_patterns(kills_of_recovery, 0);
}

ATF_TC_WITHOUT_HEAD(killed_on_a_full_disk);
ATF_TC_BODY(killed_on_a_full_disk, tc)
{
	(void)tc;
	over_patterns(kills, 1);
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	(void)tc;
	over_patterns(fail_everywhere, 0);
}

ATF_TC_WITHOUT_HEAD(power);
ATF_TC_BODY(power, tc)
{
	(void)tc;
	over_patterns(power_cuts, 0);
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
ATF_TC_WITHOUT_HEAD(full_disk);
ATF_TC_BODY(full_disk, tc)
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
	ATF_TP_ADD_TC(tp, power_on_a_full_disk);
	ATF_TP_ADD_TC(tp, full_disk);
	ATF_TP_ADD_TC(tp, checker);
	return (atf_no_error());
}
