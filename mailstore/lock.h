/*
 * lock.h - locks on a mailbox, and on its use by one session.
 */
#ifndef LOCK_H
#define LOCK_H

#include "mailbox.h"

/*
 * Takes the locks of place->locks on the open mailbox `fd`, in their order,
 * without waiting with one lock for another: what was taken is released
 * when one is held by somebody else, and all begins again a random moment
 * later, for place->lock_seconds.  `exclusive`: to change it; needs a
 * descriptor that is open for writing.  One mailbox at a time.  Returns NULL,
 * or a reason for the client, which is lock_impossible where the next session
 * will have no other answer.
 */
extern const char lock_impossible[];
const char *lock_mailbox(int fd, int exclusive,
	    const struct mailbox_place *place);

/*
 * Before anything is changed: nobody has broken a dotlock while this process
 * stood still.  NULL, or a reason.
 */
const char *lock_mailbox_check(const struct mailbox_place *place);

/* Gives back what lock_mailbox took. */
void	lock_mailbox_release(int fd);

/*
 * The session lock: keeps other sessions of this user, on all hosts that
 * share the state directory, off the mailbox until lock_session_release,
 * which lets all go that this process has taken, or this process ends.
 * Returns NULL, or a reason, which is lock_in_use where another session has
 * the mailbox.
 */
extern const char lock_in_use[];
const char *lock_session(int state_directory,
	    const struct mailbox_place *place);
void	lock_session_release(void);

#endif
