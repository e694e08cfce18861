/*
 * child.h - what net, auth, store and lock begin with.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stddef.h>

#include "ipc.h"
#include "parent.h"

/*
 * Lets the log go to the parent, hardens the process (sandbox_harden), and
 * handles the parent's settings messages until it says START.  Ends the
 * process when the parent goes, or breaks the protocol.
 */
void	child_receive_settings(enum ipc_role role,
	    const struct ipc_handler *handlers, size_t count, void *context);

/* Tells the parent that the sandbox is shut and work begins. */
void	child_report_started(void);

/* Limits a resource for good; ends the process when that fails. */
void	child_limit(unsigned int resource, unsigned long value);

#endif
