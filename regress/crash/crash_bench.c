/*
 * crash_bench.c - `make crash`: the whole bench, with figures.
 *
 * Usage: crash_bench [-v] [directory]; the directory is for scratch.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"

static const char *const patterns[] = { "first", "last", "every second",
    "all but one", "all", "middle" };
static struct figures total;

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
	fflush(stdout);
	total.points += figures.points;
	total.states += figures.states;
	total.messages += figures.messages;
	total.losses += figures.losses;
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

/* Each way for a mailbox to differ once; then these ways in other company. */
static const struct world cases[] = {
	{ .crlf = 0 },
	{ .crlf = 1, .arrival = 1, .lazy = 1 },
	{ .mailtxt = 1, .crlf = 1, .arrival = 1 },
	{ .full = 1, .large = 1 },
	{ .full = 1, .large = 1, .stays_full = 1 },
	{ .area = 5000, .fills = 1, .stays_full = 1 },
	{ .crlf = 1 },
	{ .arrival = 1 },
	{ .mailtxt = 1 },
	{ .mailtxt = 1, .full = 1, .large = 1 },
};
#define CASES	(sizeof(cases) / sizeof(cases[0]))
#define ONCE	6

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

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		crash_verbose = 1;
		argv++;
		argc--;
	}
	if (argc > 1 && chdir(argv[1]) == -1)
		err(1, "%s", argv[1]);
	faults_begin();
	printf("%-7s %-12s %-8s %-4s %-7s %-5s %-5s %8s %8s %9s %6s\n",
	    "bench", "deletes", "format", "ends", "arrival", "size", "disk",
	    "points", "states", "messages", "losses");
	/* Kills within kills take their time. */
	all_of("kill", kills, ONCE);
	all_of("errors", fail_everywhere, CASES);
	all_of("power", power_cuts, CASES);
	all_of("restore", restore_everywhere, ONCE);
	/* Without deliveries between: DESIGN.md tells what is not covered. */
	all_of("twins", twins_everywhere, 1);
	printf("%llu points, %llu states rebuilt, %llu messages at stake, "
	    "%llu losses\n", total.points, total.states, total.messages,
	    total.losses);
	return (total.losses != 0);
}
