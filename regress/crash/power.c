/*
 * power.c - the power is cut in a session, and in recoveries.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model.h"

static const size_t deliveries[] = { 50, 30000 };

/* Runs a session, with faults that are set, and records the disk's events. */
static int
record_as_set(struct world *world, int commits, struct recording *record)
{
	int status;

	memset(record, 0, sizeof(*record));
	recording = record;
	faults->full = commits ? world->full : world->stays_full;
	status = world_session(world, commits);
	faults->full = world->stays_full;
	recording = NULL;
	return (status);
}

static int
record(struct world *world, int commits, struct recording *record)
{
	faults_set(FAULT_NONE, 0, 0);
	return (record_as_set(world, commits, record));
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

/* A journal gets the name with which it counts. */
static int
publishes(const struct event *event)
{
	return (event->type == EVENT_RENAME && strncmp(event->to, "journal.",
	    8) == 0 && strstr(event->to, ".new") == NULL);
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
	return (publishes(event));
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

static void
complain(const char *what)
{
	fprintf(stderr, "LOSS: %s\n", what);
	figures.losses++;
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
	if (status != STATUS_DONE)
		complain("the session did not succeed");
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
	/* Who was answered has no journal that can come back. */
	if (model.pending_count != 0)
		complain("names are not on the disk in the end");
	model_free(&model);
	recording_free(&events);
	world_reset(world);
}

/* Every state that `samples` reach, as it is after the last event. */
static void
try_states(struct world *world, struct disk_model *model,
    enum verdict verdict, unsigned int samples, const char *how)
{
	unsigned int number;
	char what[120];

	figures.points++;
	for (number = 0; model_choose(model, number, samples); number++) {
		(void)snprintf(what, sizeof(what), "%s, state %u", how,
		    number);
		try_state(world, model, verdict, what);
	}
}

/* The first call of a type from event `from` on; 0: there is none. */
static unsigned int
find_call(const struct recording *events, size_t from, enum event_type type,
    ino_t file)
{
	for (; from < events->count; from++)
		if (events->events[from].type == type &&
		    events->events[from].file == file)
			return (events->events[from].call);
	return (0);
}

/* The sync after which a journal counts; the session may have none. */
static unsigned int
find_publishing(struct world *world)
{
	struct recording events;
	unsigned int call = 0;
	size_t i = 0;

	world_reset(world);
	(void)record(world, 1, &events);
	while (i < events.count && !publishes(&events.events[i]))
		i++;
	if (i < events.count)
		call = find_call(&events, i, EVENT_SYNC_DIRECTORY,
		    events.events[i].directory);
	recording_free(&events);
	return (call);
}

/* Two calls fail; the client was told so when the power goes. */
static void
refuse(struct world *world, unsigned int call, unsigned int also,
    unsigned int samples)
{
	struct recording events;
	struct disk_model model;
	char what[80];
	size_t i;
	int status;

	world_reset(world);
	model_begin(&model, world);
	faults_set(FAULT_ONCE, call, EIO);
	faults->also = also;
	status = record_as_set(world, 1, &events);
	faults_set(FAULT_NONE, 0, 0);
	for (i = 0; i < events.count; i++)
		model_event(&model, &events.events[i]);
	(void)snprintf(what, sizeof(what), "%u and %u failed", call, also);
	if (status != STATUS_FAILED)
		complain(what);
	try_states(world, &model, MUST_BE_THERE, samples, what);
	model_free(&model);
	recording_free(&events);
}

/*
 * A journal that counts, but perhaps not on the disk, is taken back: it must
 * not come back later, whichever one of the calls for that fails, too.
 */
void
cut_power_after_refusal(struct world *world, unsigned int samples)
{
	unsigned int call = find_publishing(world), more;

	for (more = 0; call != 0 && more < 5; more++)
		refuse(world, call, more == 0 ? 0 : call + more, samples);
	world_reset(world);
}

/*
 * A commit was killed before it cut the mailbox, and an agent that does not
 * sync has delivered: from when the journal speaks of that mail it is to be
 * on the disk.
 */
static void
follow(struct world *world, unsigned int call, size_t length,
    unsigned int samples)
{
	const int lazy = world->lazy;
	struct recording events, recovery;
	struct disk_model model;
	char what[80];
	int counts = 0;
	size_t i;

	world_reset(world);
	faults_set(FAULT_KILL, call, 0);
	if (world_child(world, 1) != STATUS_KILLED)
		complain("not killed");
	faults_set(FAULT_NONE, 0, 0);
	model_begin(&model, world);
	memset(&events, 0, sizeof(events));
	recording = &events;
	world->lazy = 1;
	world_deliver(world, length);
	world->lazy = lazy;
	(void)record(world, 0, &recovery);
	for (i = 0; i < events.count; i++)
		model_event(&model, &events.events[i]);
	for (i = 0; i < recovery.count; i++) {
		model_event(&model, &recovery.events[i]);
		counts |= recovery.events[i].type == EVENT_SYNC &&
		    recovery.events[i].file != faults->mailbox;
		(void)snprintf(what, sizeof(what), "%zu delivered, no power "
		    "after event %zu", length, i);
		if (counts)
			try_states(world, &model, MUST_BE_GONE, samples, what);
	}
	if (!counts)
		complain("the delivery was not followed");
	model_free(&model);
	recording_free(&events);
	recording_free(&recovery);
}

void
cut_power_after_delivery(struct world *world, unsigned int samples)
{
	struct recording events;
	unsigned int call;
	size_t i;

	/* Where nothing stays there is no journal. */
	if (find_publishing(world) == 0)
		return;
	world_reset(world);
	(void)record(world, 1, &events);
	call = find_call(&events, 0, EVENT_CUT, faults->mailbox);
	recording_free(&events);
	for (i = 0; i < sizeof(deliveries) / sizeof(deliveries[0]); i++)
		follow(world, call, deliveries[i], samples);
	world_reset(world);
}
