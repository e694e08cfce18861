/*
 * detect.h - which format is what a name leads to.
 */
#ifndef DETECT_H
#define DETECT_H

#include "mailbox.h"

/*
 * Sets mailbox->format to that of what is at its place: mbox also where
 * nothing is; NULL, and a line in the log, where a directory has no mail of
 * any format in it, and is to look empty.  Returns NULL, or a reason, with
 * `unfit` set: a directory that may not be opened, or is of two formats.
 */
const char *detect_format(struct mailbox *mailbox);

/* True when what is at the place is a directory as Maildirs are. */
int	detect_is_maildir(const struct mailbox_place *place);

#endif
