/*
 * folder.h - from a folder name, as a stranger typed it, to a place.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include "ipc_messages.h"
#include "mailbox.h"

/*
 * Opens the directories that folders live in; they may be missing.  Called
 * before the sandbox is shut.
 */
void	folder_begin(const struct ipc_store_config *config);

enum folder_kind {
	FOLDER_DEFAULT,		/* the user's default mailbox */
	FOLDER_NAMED,		/* a file below the folder root */
	FOLDER_NONE		/* nothing that may be opened: empty */
};

/*
 * Finds the place of folder `name`: "", "INBOX", the login name and the
 * maildrop's own full path are the default mailbox; all else lies below
 * the folder root, at names without "." and "..", through directories of
 * the user's own that are no links.  What is there may be another's, if this
 * user may read it, and is read-only then.  "+name" is `name` below the MH
 * path, and "~/name" below the home, where that is the maildrop or below the
 * root.  Fills `place` unless the answer is FOLDER_NONE; its directory is to
 * be closed by the caller, or -1 for the default mailbox (inbox.h).
 */
enum folder_kind folder_find(const char *name, struct mailbox_place *place);

#endif
