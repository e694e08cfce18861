/*
 * race.h - deliveries while clients read and delete.
 *
 * A race has a real daemon, users, lanes and clients, each lane and client a
 * process of its own.  A lane delivers numbered messages to one user by one
 * kind of agent, one after the other.  All write what they did into a ledger
 * that they share; the checker holds the mailboxes against it.
 */
#ifndef RACE_H
#define RACE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

#define RACE_USERS	4
#define RACE_LANES	12		/* three to a user: lane % RACE_USERS */
#define RACE_COMPLAINTS	8
#define RACE_SENDER	"race@example.org"

struct race;

/* What a mailbox is: a file, or a directory in the user's home. */
enum race_form { RACE_MBOX, RACE_MAILTXT, RACE_MH, RACE_MAILDIR };

/* What delivers. */
struct race_agent {
	const char *name;
	enum race_form form;
	const char *program;	/* absolute; NULL: the tests' own */
	unsigned int uid;	/* of the users, where root runs the race */
	int quotes_quoted;	/* also ">From " becomes ">>From " */
	int quotes_nothing;	/* in an mbox; elsewhere nobody does */
	int adds_notes;		/* sets header fields, and rewrites an mbox
				   for them: that may end a session */
	int adds_header;	/* writes header lines before the message's */
	int as_root;		/* root gives it its mail */
	int open_spool;		/* it needs 1777 there, and not 2775 */
	int wants_newline;	/* at the end of what it is given */
	int rests_after_reads;	/* slow where clients come all the time */

	const char *settings;	/* lines for posternd.conf, or NULL */

	/*
	 * Writes what the agent wants to have in `directory`; NULL: nothing.
	 * Ends the test with a failure when that cannot be done.
	 */
	void (*begin)(struct race *race);
	void (*end)(struct race *race);

	/* In the lane's process, as the user: 0 when it was delivered. */
	int (*deliver)(struct race *race, unsigned int lane,
	    unsigned int serial);

	/* When a message that was taken may come later: waits for all. */
	void (*settle)(struct race *race);
};

extern const struct race_agent race_own, race_dotlock, race_procmail,
    race_maildrop, race_postfix, race_mailtxt, race_procmail_maildir,
    race_maildrop_maildir, race_rcvstore, race_dovecot_mbox,
    race_dovecot_maildir;

/* A message's fate, as far as those who acted on it know. */
struct race_mail {
	atomic_uint delivered;	/* the agent said so */
	atomic_uint tries;	/* more than one: the agent said no first */
	atomic_uint seen;	/* sent whole and right, so often */
	atomic_uint asked;	/* a commit with it was asked for, when */
	atomic_uint gone;	/* so many such commits were acknowledged */
	atomic_uint gone_at;	/* and when */
};

/* Shared by all processes of a race. */
struct race_ledger {
	atomic_uint stop;	/* clients end after one more session */
	atomic_uint clock;	/* orders what happens: see race_now() */
	atomic_uint progress;	/* deliveries and sessions */
	atomic_uint sessions, busy, drops, commits, kills;
	atomic_uint complaints;
	char texts[RACE_COMPLAINTS][256];
	struct race_mail mails[];
};

struct race {
	const struct race_agent *agent;
	unsigned int count;	/* messages to a lane */
	int kills;		/* stores are killed now and then */
	struct server server;
	char directory[300];	/* the agent's own files */
	pid_t agent_pid;	/* of what keeps an agent that is a daemon, */
	int agent_pipe;		/* which ends it when this is closed */
	struct race_ledger *ledger;
};

/* The checker's opinion of one mailbox. */
struct race_verdict {
	unsigned int delivered;	/* by the agents' word */
	unsigned int gone;	/* deleted, which was acknowledged */
	unsigned int unsure;	/* deleted, the answer never came */
	unsigned int left;	/* in the mailbox */
	unsigned int lost, doubled, damaged, returned, disorder;
};

/* race_mail.c: messages and the checker. */
void	race_open(struct race *race);		/* makes the ledger */
void	race_close(struct race *race);
void	race_complain(struct race *race, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
uint32_t race_random(uint64_t *state, uint32_t below);

/* A number that is larger with each call by whatever process; never 0. */
unsigned int race_now(struct race *race);

struct race_mail *race_mail(const struct race *race, unsigned int lane,
	    unsigned int serial);

/* What is given to the agent: no From_ line.  malloc'd. */
char	*race_text(unsigned int lane, unsigned int serial, size_t *length);

/* The same as it stands in the mailbox, without From_ and last empty line. */
char	*race_stored(const struct race_agent *agent, unsigned int lane,
	    unsigned int serial, size_t *length);

/*
 * Which message this is, with every byte of it right: its lane and serial
 * are stored.  -1: it is damaged, which was complained of.
 */
int	race_identify(struct race *race, const char *bytes, size_t length,
	    unsigned int *lane, unsigned int *serial);

/* Wire form back to bytes of a file, in place; -1: a line end is not CRLF. */
int	race_unwire(char *bytes, size_t *length);

/*
 * Calls `found` for each message of an mbox, in order (from the line after
 * From_ to before the empty line).  -1: something belongs to no message.
 * `sender` is what stands in each From_ line.
 */
int	race_split(struct race *race, const char *sender, const char *bytes,
	    size_t length,
	    void (*found)(struct race *, const char *, size_t, void *),
	    void *argument);

/* Each lane's messages must come in order, and none twice. */
struct race_order {
	unsigned int next[RACE_LANES];
};
int	race_in_order(struct race *race, struct race_order *order,
	    unsigned int lane, unsigned int serial);

/* race_box.c: where a user's mailbox is, and making it. */
const char *race_box(const struct race *race, unsigned int user);
void	race_make_box(const struct race *race, unsigned int user);

/* All of it in the form of an mbox, as race_judge() takes it; malloc'd. */
char	*race_box_read(struct race *race, unsigned int user, size_t *length);

/* Lines that mboxrd quotes, as they were; in place. */
void	race_unquote(char *bytes, size_t *length);

/* Adds to `verdict` what the mailbox of `user` shows; 0: nothing is wrong. */
int	race_judge(struct race *race, unsigned int user, const char *bytes,
	    size_t length, struct race_verdict *verdict);

/* race_client.c: run until the ledger says stop. */
void	race_pop2(struct race *race, unsigned int user, uint64_t seed);
void	race_pop1(struct race *race, unsigned int user, uint64_t seed);

/* Reads all that `user` has, deletes nothing; returns how many, or -1. */
int	race_read_all(struct race *race, unsigned int user);

/* race_agent.c: delivers all of a lane. */
void	race_lane(struct race *race, unsigned int lane);
const char *race_user(unsigned int user);

/* Gives a message to a program's standard input; 0: it took it. */
int	race_give(const struct race *race, const char *const *arguments,
	    unsigned int lane, unsigned int serial);

/* race.c: the whole; ends the test when anything is lost. */
void	race_run(const struct race_agent *agent, unsigned int count,
	    int kills);

#define RACE_PASSWORD	"runner"

#endif
