/*
 * inbox.h - the default mailbox: one mailbox, or several one after the other.
 *
 * RFC 937 names both the file /usr/spool/mail/user and the folder
 * /usr/user/Mail/inbox as the default mailbox on UNIX.  Their messages are
 * numbered one after the other; each part has its own format, locks and
 * commit.
 */
#ifndef INBOX_H
#define INBOX_H

#include "ipc_messages.h"
#include "mailbox.h"
#include "sandbox.h"

/*
 * Expands the templates of the parts, and opens the directories that they are
 * in; these may be missing.  Called before the sandbox is shut.
 */
void	inbox_begin(const struct ipc_store_config *config);

/* Entries that inbox_sandbox adds at most. */
#define INBOX_SANDBOX_PATHS	(2 * INBOX_PARTS_MAX)

/* Adds what the parts need of the file system; returns the new count. */
size_t	inbox_sandbox(struct sandbox_path *paths, size_t count);

/* True for the full path of a part. */
int	inbox_has_path(const char *path);

/*
 * The first part of an inbox: its numbers are the inbox's.  NULL where it is
 * not open.  Another mailbox is its own part.
 */
struct mailbox *inbox_first_part(struct mailbox *mailbox);

/*
 * All parts behind the operations of one mailbox.  Its place has no directory
 * and no name of its own; the parts take their lock settings from it.
 */
extern const struct mailbox_format mailbox_inbox;

#endif
