/*
 * kill.c - a session is killed, or given errors, at each mutating call; then
 * so is its recovery.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"

/* A delivery that is shorter than most gaps, and one that is longer. */
static const size_t deliveries[] = { 0, 50, 30000 };
#define DELIVERIES	(sizeof(deliveries) / sizeof(deliveries[0]))

static void
deliver(struct world *world, unsigned int which)
{
	if (deliveries[which] != 0)
		world_deliver(world, deliveries[which]);
}

/*
 * Recovery, killed at each call, with deliveries after; then once or twice
 * more at any call, and in the end not.
 */
static void
recover_everywhere(struct world *world, unsigned int which, const char *how)
{
	struct picture *picture = picture_take(world);
	size_t count = world->count;
	unsigned int at, again;
	int status = STATUS_KILLED;
	char what[160];

	for (at = 1; status == STATUS_KILLED; at++) {
		picture_restore(picture, world);
		faults_set(at % 3 == 0 ? FAULT_KILL_HALF : FAULT_KILL, at, 0);
		status = world_child(world, 0);
		figures.points++;
		(void)snprintf(what, sizeof(what), "%s, recovery killed at %u "
		    "(%s)", how, at, status == STATUS_KILLED ? "yes" : "no");
		if (which != 0)
			deliver(world, crash_random(DELIVERIES));
		for (again = crash_random(3); again > 0; again--) {
			faults_set(FAULT_KILL, 1 + crash_random(16), 0);
			(void)world_child(world, 0);
			if (which != 0)
				deliver(world, crash_random(DELIVERIES));
		}
		(void)world_ends_well(world, MAY_BE_GONE, what);
		world_forget_since(world, count);
	}
	picture_free(picture);
}

void
kill_everywhere(struct world *world, int thorough)
{
	unsigned int at, which, half;
	int status = STATUS_KILLED;
	char what[100];

	for (at = 1; status == STATUS_KILLED; at++)
		for (which = 0; which < DELIVERIES; which++)
			for (half = 0; half < 2; half++) {
				world_reset(world);
				faults->full = world->full;
				faults_set(half ? FAULT_KILL_HALF : FAULT_KILL,
				    at, 0);
				status = world_child(world, 1);
				figures.points++;
				faults->full = world->stays_full;
				if (world->far_later != 0)
					faults->far = world->far_later;
				deliver(world, which);
				(void)snprintf(what, sizeof(what), "killed "
				    "at %u%s, delivery %u", at, half ?
				    " half done" : "", which);
				if (thorough && status == STATUS_KILLED)
					recover_everywhere(world, which, what);
				else
					(void)world_ends_well(world, status ==
					    STATUS_DONE ? MUST_BE_GONE :
					    MAY_BE_GONE, what);
			}
	world_reset(world);
}

/* One call, or all from one on, fail.  What is told must be true. */
static int
fail_at(struct world *world, enum fault kind, unsigned int at, int error)
{
	enum verdict verdict = MAY_BE_GONE;
	unsigned int calls;
	char what[100];
	int status;

	(void)snprintf(what, sizeof(what), "%s at %u, kind %d",
	    strerror(error), at, (int)kind);
	world_reset(world);
	faults->full = world->full;
	faults_set(kind, at, error);
	status = world_child(world, 1);
	calls = faults->calls;
	faults->full = world->stays_full;
	figures.points++;
	if (status == STATUS_DONE)
		verdict = MUST_BE_GONE;
	else if (kind == FAULT_SHORT || error == EINTR) {
		figures.losses++;
		if (crash_verbose)
			fprintf(stderr, "LOSS: %s: refused\n", what);
	} else if (kind == FAULT_ONCE) {
		/* As it was, also before anybody has recovered anything. */
		verdict = MUST_BE_THERE;
		faults->messages = world_shown(world);
		(void)world_check(world, verdict, what);
	}
	(void)world_ends_well(world, verdict, what);
	return (calls >= at);
}

void
fail_everywhere(struct world *world)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EFBIG, EINTR };
	unsigned int at, i;
	int more = 1;

	for (at = 1; more; at++) {
		more = fail_at(world, FAULT_SHORT, at, 0);
		for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
			more |= fail_at(world, FAULT_ONCE, at, errors[i]);
			if (errors[i] != EINTR)
				more |= fail_at(world, FAULT_ALWAYS, at,
				    errors[i]);
		}
	}
	world_reset(world);
}
