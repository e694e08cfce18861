/*
 * lock.h - locks on a mailbox, and on its use by one session.
 */
#ifndef LOCK_H
#define LOCK_H

#include "mailbox.h"

/*
 * Takes a whole-file fcntl(2) lock, trying again for place->lock_seconds.
 * NULL, or a reason (the mailbox is busy; the session is no longer wanted).
 */
const char *lock_file(int fd, int exclusive, const struct mailbox_place *place);
void	lock_release(int fd);

/*
 * Takes the mailbox for this session: a lock on one byte of the file
 * "sessions" in the state directory, at an offset that stands for the
 * place.  It goes with its holder, whatever becomes of that.  NULL, or a
 * reason ("in use").
 */
const char *lock_session(int state_directory,
	    const struct mailbox_place *place);

/* Lets the mailbox of lock_session go. */
void	lock_session_release(void);

#endif
