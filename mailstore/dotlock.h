/*
 * dotlock.h - a lock that is a file beside the mailbox, NAME.lock.
 */
#ifndef DOTLOCK_H
#define DOTLOCK_H

#include <sys/types.h>

/* Names in a directory are at most this long on both systems. */
#define DOTLOCK_NAME_SIZE	256

enum dotlock_result {
	DOTLOCK_TAKEN,
	DOTLOCK_HELD,		/* by somebody else, for now */
	DOTLOCK_IMPOSSIBLE	/* none can be made here; errno says why */
};

struct dotlock {
	int directory;
	char mailbox[DOTLOCK_NAME_SIZE];	/* its name in there */
	pid_t holder;		/* who is to be named in the file */
	int ours_refresh;	/* all that this user makes here is refreshed
				   while it is held: see dotlock.c */
	int keeps_files;	/* dotlock_forget_files will be called */
	int only_looks;		/* nothing can be made here */
	int fd;			/* of the file while it is held, or -1 */
};

/* True for a name that a dotlock could have: no mailbox has such a name. */
int	dotlock_is_name(const char *name);

/*
 * Tries once, without waiting, and safely on NFS.  A stale lock is removed
 * on the way; the next try may then succeed.
 */
enum dotlock_result dotlock_try(struct dotlock *lock);

/*
 * True when the lock of another program is there and not stale, where none can
 * be made: nothing is changed, and ages are counted by this host's clock.
 */
int	dotlock_is_there(const struct dotlock *lock);

/*
 * Makes a held lock young again, so that nobody takes it for a stale one.
 * Safe in a signal handler.
 */
void	dotlock_refresh(const struct dotlock *lock);

/* True while the file that was made has the lock's name. */
int	dotlock_is_held(const struct dotlock *lock);

/*
 * Removes the file, if it still is the one that was made.  With keeps_files it
 * loses the lock's name alone, as a rule, and has one of our own until it is
 * the next lock's: to make and remove a file for each costs far more.
 */
void	dotlock_release(struct dotlock *lock);

/* Removes the files that were kept. */
void	dotlock_forget_files(void);

#endif
