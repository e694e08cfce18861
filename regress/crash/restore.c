/*
 * restore.c - what else may be in the place of a half rewritten mailbox: a
 * backup of it, or another mailbox that looks the same by its numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"

/* Interrupts a commit at call `at`, now and then in the middle of it. */
static int
kill_commit(struct world *world, unsigned int at)
{
	int status;

	faults->full = world->full;
	faults->fills = world->fills;
	faults_set(at % 2 ? FAULT_KILL_HALF : FAULT_KILL, at, 0);
	status = world_child(world, 1);
	faults_set(FAULT_NONE, 0, 0);
	faults->full = world->stays_full;
	figures.points++;
	return (status);
}

/* Deletes from what was restored, killed and not, beside the old journal. */
static void
delete_again(struct world *world, unsigned int how, const char *what)
{
	int status;

	if (how != 0) {
		(void)kill_commit(world, how);
		(void)world_ends_well(world, MAY_BE_GONE, what);
		return;
	}
	faults->full = world->full;
	status = world_child(world, 1);
	faults->full = world->stays_full;
	(void)world_ends_well(world, status == STATUS_DONE ? MUST_BE_GONE :
	    MUST_BE_THERE, what);
}

/*
 * The first bytes come back into the same file, with a delivery behind them
 * or not, after a kill at each call of a commit.
 */
void
restore_everywhere(struct world *world)
{
	int status = STATUS_KILLED;
	unsigned int at, round;
	char what[80];

	world->restored = 1;
	for (at = 1; status == STATUS_KILLED; at++)
		for (round = at % 2; round < 4; round += 2) {
			world_reset(world);
			if ((status = kill_commit(world, at)) != STATUS_KILLED)
				continue;
			world_put(world);
			if (at / 2 % 2 == 1)
				world_deliver(world, 20000);
			(void)snprintf(what, sizeof(what),
			    "restored at %u, round %u", at, round);
			(void)world_ends_well(world, MAY_BE_GONE, what);
			/* Only then its numbers are what they were. */
			if (faults->messages == world->count)
				delete_again(world, round < 2 ? 0 :
				    1 + crash_random(40), what);
		}
	world_reset(world);
}

/* The mailbox of `to` takes the place of that of `from`, as it is now. */
static void
change_over(struct world *from, const struct world *to, char **bytes,
    size_t *length, const char *old, size_t old_length)
{
	if (world_read(from, "mbox", bytes, length) == -1)
		abort();
	if (old == NULL)
		world_put(to);
	else
		world_write(to, "mbox", old, old_length);
}

/*
 * Two file systems, each with a mailbox in a directory of the same inode
 * number, with the same name and the same inode number: both are rewritten
 * and interrupted, and neither's journal may be lost by the other.
 */
void
twins_everywhere(struct world *world)
{
	char *bytes, *twin_bytes, what[80];
	size_t length, twin_length;
	int status = STATUS_KILLED;
	struct world twin;
	unsigned int at;

	world->keeps_unfit = 1;
	world_twin(world, &twin);
	world->keeps_unfit = 1;
	for (at = 1; status == STATUS_KILLED; at++) {
		world_reset(world);
		status = kill_commit(world, at);
		(void)snprintf(what, sizeof(what), "twins, killed at %u", at);
		change_over(world, &twin, &bytes, &length, NULL, 0);
		if (at % 3 == 0)
			delete_again(&twin, 0, what);
		else
			(void)kill_commit(&twin, 1 + crash_random(40));
		change_over(&twin, world, &twin_bytes, &twin_length, bytes,
		    length);
		(void)world_ends_well(world, status == STATUS_DONE ?
		    MUST_BE_GONE : MAY_BE_GONE, what);
		world_write(&twin, "mbox", twin_bytes, twin_length);
		(void)world_ends_well(&twin, MAY_BE_GONE, what);
		world_forget_since(&twin, twin.first_count);
		free(bytes);
		free(twin_bytes);
	}
	world_forget_since(&twin, 0);
	world->serial = twin.serial;
	world_reset(world);
}
