/*
 * power.c - the power is cut in a session, and in recoveries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model.h"

static const size_t deliveries[] = { 50, 30000 };

/* Runs a session of which the disk's events are recorded. */
static int
record(struct world *world, int commits, struct recording *record)
{
	int status;

	memset(record, 0, sizeof(*record));
	recording = record;
	faults_set(FAULT_NONE, 0, 0);
	faults->full = commits ? world->full : world->stays_full;
	status = world_session(world, commits);
	faults->full = world->stays_full;
	recording = NULL;
	return (status);
}

static int
recover(struct world *world, enum verdict verdict, const char *what)
{
	faults_set(FAULT_NONE, 0, 0);
	figures.states++;
	if (world_session(world, 0) == STATUS_DONE)
		return (world_check(world, verdict, what));
	figures.losses++;
	if (crash_verbose)
		fprintf(stderr, "LOSS: %s: cannot be opened\n", what);
	return (1);
}

/* The power goes again while what the last time left is put right. */
static void
cut_in_recovery(struct world *world, enum verdict verdict, const char *where)
{
	size_t count = world->count, i;
	struct recording events;
	struct disk_model model;
	unsigned int number;
	char what[160];

	if (crash_random(2) == 0)
		world_deliver(world, deliveries[crash_random(2)]);
	model_begin(&model, world);
	(void)record(world, 0, &events);
	for (i = 0; i < events.count; i++) {
		model_event(&model, &events.events[i]);
		figures.points++;
		for (number = 0; model_choose(&model, number, 3); number++) {
			model_make(&model);
			(void)snprintf(what, sizeof(what), "%s, in recovery "
			    "after event %zu, state %u", where, i, number);
			(void)recover(world, verdict, what);
		}
	}
	model_free(&model);
	recording_free(&events);
	world_forget_since(world, count);
}

static void
try_state(struct world *world, const struct disk_model *model,
    enum verdict verdict, const char *what)
{
	size_t count = world->count;

	model_make(model);
	if (crash_random(16) == 0) {
		cut_in_recovery(world, verdict, what);
		return;
	}
	if (crash_random(3) == 0)
		world_deliver(world, deliveries[crash_random(2)]);
	(void)recover(world, verdict, what);
	world_forget_since(world, count);
}

/*
 * From when on a case's own arrival counts: its agent has synced it, or, if
 * it does not, Postern has begun to rely on it.
 */
static int
counts_from(const struct world *world, const struct event *event)
{
	if (!world->lazy)
		return (event->type == EVENT_SYNC && event->at == 1);
	return (event->type == EVENT_RENAME && strncmp(event->to, "journal.",
	    8) == 0 && strstr(event->to, ".new") == NULL);
}

static size_t
begin_of(const struct world *world, const struct recording *events)
{
	size_t i;

	for (i = 0; world->arrival && i < events->count; i++)
		if (counts_from(world, &events->events[i]))
			return (i);
	return (0);
}

void
cut_power_everywhere(struct world *world, unsigned int samples)
{
	struct recording events;
	struct disk_model model;
	enum verdict verdict = MAY_BE_GONE;
	unsigned int number;
	char what[80];
	size_t i, begin;
	int status;

	world_reset(world);
	model_begin(&model, world);
	status = record(world, 1, &events);
	if (status != STATUS_DONE) {
		fprintf(stderr, "LOSS: the session did not succeed\n");
		figures.losses++;
	}
	begin = begin_of(world, &events);
	for (i = 0; i < events.count; i++) {
		model_event(&model, &events.events[i]);
		if (i < begin)
			continue;
		if (i + 1 == events.count && status == STATUS_DONE)
			verdict = MUST_BE_GONE;
		figures.points++;
		for (number = 0; model_choose(&model, number, samples);
		    number++) {
			(void)snprintf(what, sizeof(what), "no power after "
			    "event %zu of %zu, state %u", i, events.count,
			    number);
			try_state(world, &model, verdict, what);
		}
	}
	model_free(&model);
	recording_free(&events);
	world_reset(world);
}
