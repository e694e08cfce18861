/*
 * talk.h - any octets as what a client says to postern-net.
 *
 * Test code alone.
 */
#ifndef TALK_H
#define TALK_H

#include "fuzz.h"
#include "ipc_messages.h"

/*
 * Input: options, and how it comes in pieces; then the client's octets.  They
 * are said twice, in one piece and in many: the answers must be the same, and
 * as many as there are lines.  Every reply prints, and fits its line; the
 * store is asked nothing that it does not allow; in the end nothing is left
 * of the session.  With the first option the protocol is found out.
 */
void	talk(enum pop_protocol protocol, struct input input);

#endif
