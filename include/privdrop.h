/*
 * privdrop.h - becoming somebody with less rights, for good.
 */
#ifndef PRIVDROP_H
#define PRIVDROP_H

#include "ipc_messages.h"

/*
 * Becomes `who` and proves that the way back is shut.  With `keep_chroot`
 * the next program may call chroot(2), and must then call
 * rights_change_root.  Ends the process when anything fails.
 */
void	privdrop_become(const struct identity *who, int keep_chroot);

/*
 * The system's own part (rights_linux.c: capabilities; rights_openbsd.c).
 * Each ends the process when it fails.
 */

/*
 * Leaves root only the rights that posternd uses.  `binding`: among them
 * that to low ports, which is needed only at the start.
 */
void	rights_limit_root(int binding);

/* The parent's own sandbox, as far as it can have one (DESIGN.md says why). */
void	rights_enclose_parent(void);

/* Before the uid changes: nothing is gained again, chroot may be kept. */
void	rights_before_drop(int keep_chroot);

/* After it: chroot goes on to the next program, and nothing else does. */
void	rights_after_drop(int keep_chroot);

/*
 * What the next program is not to inherit: every descriptor from `first` on,
 * and ambient capabilities.
 */
void	rights_close_others(int first);

/*
 * In the new program (change_root_linux.c, change_root_openbsd.c): makes
 * `directory` (NULL: stays where it is) its root, then gives up the last
 * right and proves that none is left.
 */
void	rights_change_root(const char *directory);

#endif
