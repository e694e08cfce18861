/*
 * box_bench.c - a box's session is killed, given errors, or has its power
 * cut, at each mutating call of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "disk_model.h"

#define DESCRIPTORS	256

/*
 * The next session deletes what is left, and is killed at each of its calls;
 * mail is delivered in between.
 */
static void
kill_the_next(struct box *box, const char *how)
{
	struct box_picture *picture = box_picture_take(box);
	size_t count = box->count;
	int status = STATUS_KILLED;
	unsigned int at;
	char what[100];

	for (at = 1; status == STATUS_KILLED; at++) {
		box_picture_restore(picture, box);
		faults_set(at % 3 == 0 ? FAULT_KILL_HALF : FAULT_KILL, at, 0);
		box->is_torn |= at % 3 == 0;
		status = box_child(box, 2);
		figures.points++;
		if (at % 2 == 0)
			box_deliver(box);
		(void)snprintf(what, sizeof(what), "%s, and then at %u", how,
		    at);
		(void)box_ends_well(box, status == STATUS_DONE ?
		    MUST_BE_GONE : MAY_BE_GONE, what);
		box_forget_since(box, count);
	}
	box_picture_free(picture);
}

void
box_kill_everywhere(struct box *box, int thorough)
{
	static const enum fault ends[] = { FAULT_KILL, FAULT_KILL_HALF };
	int status = STATUS_KILLED;
	unsigned int at, half;
	char what[60];

	for (at = 1; status == STATUS_KILLED; at++)
		for (half = 0; half < 2; half++) {
			box_reset(box);
			faults_set(ends[half], at, 0);
			status = box_child(box, 1);
			figures.points++;
			box->is_torn = half != 0;
			box_deliver(box);
			(void)snprintf(what, sizeof(what), "killed at %u%s",
			    at, half ? ", half done" : "");
			if (thorough && status == STATUS_KILLED)
				kill_the_next(box, what);
			else
				(void)box_ends_well(box, status ==
				    STATUS_DONE ? MUST_BE_GONE : MAY_BE_GONE,
				    what);
		}
	box_reset(box);
}

/*
 * What is told of the marked must be true, after whatever error.  All parts
 * that could not be written are left as they are, and that is no error.
 */
static enum verdict
verdict_of(const struct box *box, int status)
{
	uint32_t marked = 0;
	size_t i;

	for (i = 0; i < box->count; i++)
		marked += box->mails[i].marked != 0;
	if (status == STATUS_CLOSED || (box->told->deleted == 0 &&
	    !box->told->looks))
		return (MUST_BE_THERE);
	return (box->told->deleted == marked ? MUST_BE_GONE : MAY_BE_GONE);
}

static int
fail_at(struct box *box, enum fault kind, unsigned int at, int error)
{
	enum verdict verdict;
	unsigned int calls;
	uint32_t deleted;
	char what[100];
	int status, looks;

	(void)snprintf(what, sizeof(what), "%s at %u, kind %d",
	    strerror(error), at, (int)kind);
	box_reset(box);
	faults_set(kind, at, error);
	status = box_child(box, 1);
	calls = faults->calls;
	deleted = box->told->deleted;
	looks = box->told->looks;
	verdict = verdict_of(box, status);
	figures.points++;
	faults_set(FAULT_NONE, 0, 0);
	/* What the mbox's journal still has to do is done by this. */
	if (box_child(box, 0) != STATUS_DONE ||
	    (!looks && deleted != box_removed(box)) ||
	    (kind == FAULT_SHORT && status != STATUS_DONE)) {
		figures.losses++;
		if (crash_verbose)
			fprintf(stderr, "LOSS: %s: told %u deleted\n", what,
			    deleted);
	}
	(void)box_ends_well(box, verdict, what);
	return (calls >= at);
}

void
box_fail_everywhere(struct box *box)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, EACCES,
	    EROFS };
	unsigned int at;
	int more = 1;
	size_t i;

	for (at = 1; more; at++) {
		more = fail_at(box, FAULT_SHORT, at, 0);
		for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
			more |= fail_at(box, FAULT_ONCE, at, errors[i]);
			/* Always interrupted would be never done. */
			if (errors[i] != EINTR)
				more |= fail_at(box, FAULT_ALWAYS, at,
				    errors[i]);
		}
	}
	box_reset(box);
}

/* The session of which the disk's events are recorded; it must succeed. */
static void
record(struct box *box, struct recording *events)
{
	struct flock none = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int fd;

	memset(events, 0, sizeof(*events));
	faults_set(FAULT_NONE, 0, 0);
	recording = events;
	if (box_session(box, 1) != STATUS_DONE) {
		fprintf(stderr, "LOSS: the session did not succeed\n");
		figures.losses++;
	}
	recording = NULL;
	faults->arrived = 0;
	/* The lock of its session would last as long as this process. */
	for (fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		(void)fcntl(fd, F_SETLK, &none);
}

static void
try_state(struct box *box, const struct disk_model *model,
    enum verdict verdict, const char *what)
{
	const size_t count = box->count;

	model_make(model);
	box->is_torn = 1;
	if (crash_random(3) == 0)
		box_deliver(box);
	(void)box_ends_well(box, verdict, what);
	box_forget_since(box, count);
}

void
box_cut_power_everywhere(struct box *box, unsigned int samples)
{
	const char *directories[BOX_DIRECTORIES];
	enum verdict verdict = MAY_BE_GONE;
	struct recording events;
	struct disk_model model;
	unsigned int number;
	char what[80];
	size_t i;

	box_reset(box);
	for (i = 0; i < box->directory_count; i++)
		directories[i] = box->directories[i];
	model_begin_at(&model, box->mailbox, directories,
	    box->directory_count);
	box->arrived_at = 0;
	record(box, &events);
	for (i = 0; i < events.count; i++) {
		model_event(&model, &events.events[i]);
		/* What arrives counts when its agent has synced it. */
		if (i + 1 < box->arrived_at)
			continue;
		if (i + 1 == events.count)
			verdict = MUST_BE_GONE;
		figures.points++;
		for (number = 0; model_choose(&model, number, samples);
		    number++) {
			(void)snprintf(what, sizeof(what), "no power after "
			    "event %zu of %zu, state %u", i, events.count,
			    number);
			try_state(box, &model, verdict, what);
		}
	}
	model_free(&model);
	recording_free(&events);
	box_reset(box);
}
