/*
 * crash.h - a commit that is interrupted everywhere, and what is left then.
 *
 * The code under test is linked with its mutating system calls wrapped
 * (faults.c).  A world is one mailbox with its state directory; it knows
 * what was delivered and what may be gone.
 */
#ifndef CRASH_H
#define CRASH_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "limits_postern.h"

/* What becomes of the mutating calls. */
enum fault {
	FAULT_NONE,
	FAULT_KILL,		/* the process ends before the call */
	FAULT_KILL_HALF,	/* ... with half of a pwrite done */
	FAULT_ONCE,		/* the call fails with `error` */
	FAULT_ALWAYS,		/* and so do all after it */
	FAULT_SHORT		/* it writes one half, and says so */
};

struct faults {
	enum fault kind;
	unsigned int at;	/* which call, from 1 */
	unsigned int also;	/* with FAULT_ONCE a later one; 0: none */
	int error;
	int full;		/* no file can grow */
	int fills;		/* and so it is from a journal's publishing */
	uint64_t area;		/* areas hold no more than this; 0: as real */
	uint64_t far;		/* a gap that is far; 0: as real */
	unsigned int calls;	/* made so far */
	ino_t mailbox;
	uint64_t largest;	/* journal that was synced */
	int sparse;		/* one that is not all written was */
	uint32_t messages;	/* what the session told */
	char reason[REASON_SIZE];	/* why it failed */
	char log[LOG_TEXT_SIZE];	/* its last line */
	int arrived;		/* the case's arrival was delivered */
};

/* Shared with children. */
extern struct faults *faults;
void	faults_begin(void);
void	faults_set(enum fault kind, unsigned int at, int error);

#define STATUS_DONE	0	/* exit statuses of a session */
#define STATUS_FAILED	1	/* the commit was refused */
#define STATUS_CLOSED	2	/* the mailbox could not be opened */
#define STATUS_KILLED	77

/* What was asked of the disk, for power cuts. */
enum event_type {
	EVENT_WRITE, EVENT_CUT, EVENT_SYNC, EVENT_CREATE, EVENT_RENAME,
	EVENT_UNLINK, EVENT_SYNC_DIRECTORY
};

struct event {
	enum event_type type;
	unsigned int call;	/* of the session's, from 1 */
	ino_t file;
	ino_t directory;	/* that the name is in */
	uint64_t at;		/* or the new size */
	size_t length;
	unsigned char *bytes;
	char name[64], to[64];
};

struct recording {
	struct event *events;
	size_t count, room;
};

/* Where events go; NULL: nowhere. */
extern struct recording *recording;
void	recording_free(struct recording *record);

#define MESSAGES	48

struct message {
	char *bytes;
	size_t length;
	int marked;		/* may be gone */
	int hidden;		/* there, and not shown */
};

enum pattern {
	FIRST, LAST, SECOND, ALL_BUT_ONE, ALL, MIDDLE, OTHERS, PATTERNS
};

/* For `far`: of the pattern OTHERS, what is kept first is nearer. */
#define FAR	800

struct world {
	/* The case. */
	enum pattern pattern;
	int crlf;
	int mailtxt;		/* a MAIL.TXT, and not an mbox */
	int keeps_unfit;	/* journals that do not fit may be left */
	int restored;		/* its first bytes come back at times */
	int arrival;		/* one comes between snapshot and commit */
	int lazy;		/* and its agent does not sync it */
	int large;		/* more than the reserve holds at a time */
	int full;		/* the disk is full in the session */
	int fills;		/* ... from when it is decided on */
	int stays_full;		/* and when it is recovered */
	uint64_t area;		/* of journals, where it is not the real one */
	uint64_t far;		/* the gap for which they hold no mail; so */
	uint64_t far_later;	/* the same for who recovers; 0: no other */
	int copy_down;		/* popa3d's way instead of Postern's */

	const char *name;	/* of the mailbox, NULL: "mbox" */
	char directory[64];
	int spool, state;	/* descriptors */
	struct message messages[MESSAGES];
	size_t count;		/* of messages, with what was delivered */
	size_t first_count;	/* at the session's start */
	unsigned int serial;	/* so that no two are the same */
};

/* What has been seen. */
struct figures {
	unsigned long long points, states, messages, losses;
};
extern struct figures figures;
extern int crash_verbose;

void	world_open(struct world *world);	/* after the case is set */
void	world_close(struct world *world);
void	world_reset(struct world *world);	/* as on the first day */
void	world_deliver(struct world *world, size_t length);
uint32_t world_shown(const struct world *world);	/* how many messages */
int	world_read(const struct world *world, const char *name, char **bytes,
	    size_t *length);
void	world_write(const struct world *world, const char *name,
	    const void *bytes, size_t length);
void	world_clear_state(const struct world *world, int reserve_too);

/*
 * A whole session in this process: open, send, mark, commit, close.  Without
 * a commit it is what recovers a mailbox.
 */
int	world_session(struct world *world, int commits);

/* The same in a child, with the faults that are set. */
int	world_child(struct world *world, int commits);

/* Another mailbox in the same place, to be put there with world_put. */
void	world_twin(struct world *world, struct world *twin);
void	world_put(const struct world *world);	/* as on its first day */
void	world_forget_since(struct world *world, size_t count);

/* The name of a published journal; 0: there is none. */
int	world_journal(const struct world *world, char *name, size_t size);

enum verdict {
	MAY_BE_GONE,		/* each marked one there or gone */
	MUST_BE_GONE,		/* it was acknowledged */
	MUST_BE_THERE		/* it was refused */
};

/*
 * The checker.  Reads the mailbox: each message that may not be gone exactly
 * once, byte for byte, in order, and nothing else.  Returns 0, or 1: a loss,
 * which is counted.  `what` says how it came to this.
 */
int	world_check(const struct world *world, enum verdict verdict,
	    const char *what);

/*
 * A session without faults at last: it must open the mailbox, which is then
 * checked, and leave the reserve where it was.
 */
int	world_ends_well(struct world *world, enum verdict verdict,
	    const char *what);

/* Files of the state directory and the mailbox, kept and brought back. */
struct picture;
struct picture *picture_take(const struct world *world);
void	picture_restore(const struct picture *picture,
	    const struct world *world);
void	picture_free(struct picture *picture);

/* Does a pattern mark message `i` of `count`, both from 0? */
int	crash_is_marked(enum pattern pattern, size_t i, size_t count);

/* A fixed sequence. */
uint32_t crash_random(uint32_t below);

/* The benches. */
void	kill_everywhere(struct world *world, int thorough);
void	fail_everywhere(struct world *world);
void	restore_everywhere(struct world *world);
void	twins_everywhere(struct world *world);
void	cut_power_everywhere(struct world *world, unsigned int samples);
void	cut_power_after_refusal(struct world *world, unsigned int samples);
void	cut_power_after_delivery(struct world *world, unsigned int samples);

/* The model: rewrites the mailbox as popa3d does. */
int	copy_down(struct world *world);

#endif
