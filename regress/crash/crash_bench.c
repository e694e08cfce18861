/*
 * crash_bench.c - `make crash`: the whole bench, with figures.
 *
 * Usage: crash_bench [-v] [-b] [directory]; the directory is for scratch.
 * -b: only mailboxes with a file for each message, and of several parts.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "box.h"

static const char *const patterns[] = { "first", "last", "every second",
    "all but one", "all", "middle", "the others" };
static struct figures total;

static void
add_figures(void)
{
	fflush(stdout);
	total.points += figures.points;
	total.states += figures.states;
	total.messages += figures.messages;
	total.losses += figures.losses;
}

static void
show(const char *name, void (*bench)(struct world *), struct world *world)
{
	time_t began = time(NULL);

	memset(&figures, 0, sizeof(figures));
	world_open(world);
	bench(world);
	world_close(world);
	printf("%-7s %-12s %-8s %-4s %-7s %-5s %-5s %8llu %8llu %9llu %6llu "
	    "%4lds\n", name, patterns[world->pattern],
	    world->mailtxt ? "MAIL.TXT" : "mbox", world->crlf ? "CRLF" : "LF",
	    world->arrival ? "arrival" : "-", world->large ? "large" :
	    world->area != 0 ? "steps" : "-", world->fills ? "fills" :
	    world->stays_full ? "stays" : world->full ? "full" : "-",
	    figures.points, figures.states,
	    figures.messages, figures.losses, (long)(time(NULL) - began));
	add_figures();
}

static void
show_box(const char *name, void (*bench)(struct box *), struct box *box)
{
	static const char *const kinds[BOX_KINDS] = { "MH", "MH,N",
	    "Maildir", "3 parts" };
	time_t began = time(NULL);

	memset(&figures, 0, sizeof(figures));
	box_open(box);
	bench(box);
	box_close(box);
	printf("%-7s %-12s %-8s %-4s %-7s %-5s %-5s %8llu %8llu %9llu %6llu "
	    "%4lds\n", name, patterns[box->pattern], kinds[box->kind], "LF",
	    box->arrival ? "arrival" : "-", "-", "-", figures.points,
	    figures.states, figures.messages, figures.losses,
	    (long)(time(NULL) - began));
	add_figures();
}

static void
kills_of_box(struct box *box)
{
	/* The next session's as well: each with each. */
	box_kill_everywhere(box, box->kind != BOX_INBOX ||
	    box->pattern == SECOND);
}

static void
power_cuts_of_box(struct box *box)
{
	box_cut_power_everywhere(box, 64);
}

static void
all_boxes(const char *name, void (*bench)(struct box *))
{
	unsigned int pattern, arrival;
	enum box_kind kind;

	for (kind = 0; kind < BOX_KINDS; kind++)
		for (pattern = 0; pattern < PATTERNS; pattern++)
			for (arrival = 0; arrival < 2; arrival++) {
				struct box box = { .kind = kind,
				    .pattern = pattern,
				    .arrival = arrival != 0 };

				show_box(name, bench, &box);
			}
}

static void
kills(struct world *world)
{
	int costly = world->large || world->area != 0;

	kill_everywhere(world, !costly || world->pattern == FIRST);
}

static void
power_cuts(struct world *world)
{
	cut_power_everywhere(world, world->large ? 24 : 64);
}

static void
refusals(struct world *world)
{
	cut_power_after_refusal(world, 64);
}

static void
late_deliveries(struct world *world)
{
	cut_power_after_delivery(world, 24);
}

/* Each way for a mailbox to differ once; then these ways in other company. */
static const struct world cases[] = {
	{ .crlf = 0 },
	{ .crlf = 1, .arrival = 1, .lazy = 1 },
	{ .mailtxt = 1, .crlf = 1, .arrival = 1 },
	{ .full = 1, .large = 1 },
	{ .full = 1, .large = 1, .stays_full = 1 },
	{ .area = 5000, .fills = 1, .stays_full = 1 },
	{ .area = 5000, .far = FAR, .fills = 1, .stays_full = 1 },
	{ .area = 20000, .far = FAR },
	{ .crlf = 1 },
	{ .arrival = 1 },
	{ .mailtxt = 1 },
	{ .mailtxt = 1, .full = 1, .large = 1 },
};
#define CASES	(sizeof(cases) / sizeof(cases[0]))
#define ONCE	8

static void
all_of(const char *name, void (*bench)(struct world *), size_t count)
{
	unsigned int pattern;
	size_t i;

	for (pattern = 0; pattern < PATTERNS; pattern++)
		for (i = 0; i < count; i++) {
			struct world world = cases[i];

			world.pattern = pattern;
			show(name, bench, &world);
		}
}

static void
all_worlds(void)
{
	/* Kills within kills take their time. */
	all_of("kill", kills, ONCE);
	all_of("errors", fail_everywhere, CASES);
	all_of("power", power_cuts, CASES);
	all_of("refused", refusals, 3);
	all_of("late", late_deliveries, 3);
	all_of("restore", restore_everywhere, ONCE);
	/* Without deliveries between: DESIGN.md tells what is not covered. */
	all_of("twins", twins_everywhere, 1);
}

int
main(int argc, char **argv)
{
	int boxes_alone = 0;

	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		crash_verbose = 1;
		argv++;
		argc--;
	}
	if (argc > 1 && strcmp(argv[1], "-b") == 0) {
		boxes_alone = 1;
		argv++;
		argc--;
	}
	if (argc > 1 && chdir(argv[1]) == -1)
		err(1, "%s", argv[1]);
	faults_begin();
	printf("%-7s %-12s %-8s %-4s %-7s %-5s %-5s %8s %8s %9s %6s\n",
	    "bench", "deletes", "format", "ends", "arrival", "size", "disk",
	    "points", "states", "messages", "losses");
	all_boxes("kill", kills_of_box);
	all_boxes("errors", box_fail_everywhere);
	all_boxes("power", power_cuts_of_box);
	if (!boxes_alone)
		all_worlds();
	printf("%llu points, %llu states rebuilt, %llu messages at stake, "
	    "%llu losses\n", total.points, total.states, total.messages,
	    total.losses);
	return (total.losses != 0);
}
