/*
 * maildrop.h - an open mailbox as POP3 sees it (RFC 1939): what is marked
 * does not count, marks can be taken back, and dots are doubled.
 *
 * There is one at a time.  Functions that can fail return NULL, or a reason
 * that may be told to the client; then nothing has changed.
 */
#ifndef MAILDROP_H
#define MAILDROP_H

#include <stdint.h>

#include "ipc_messages.h"
#include "mailbox.h"
#include "wire.h"

/*
 * Takes an open mailbox, which stays the caller's; measures every message.
 * `uids`: whose unique ids they get.
 */
const char *maildrop_begin(struct mailbox *mailbox, enum uid_kind uids);
void	maildrop_end(void);

/* How much is not marked. */
void	maildrop_state(struct ipc_maildrop_state *state);

/* Octets on the wire (before dots are doubled); 0: no such message. */
uint64_t maildrop_octets(uint64_t number);

/*
 * What maildrop_send will write for message `number`: the whole of it
 * (`lines` UINT64_MAX), or its header and so many lines of the body.  Nothing
 * else of `data` is touched.
 */
const char *maildrop_measure(uint64_t number, uint64_t lines,
	    struct ipc_data *data);

/* The most octets that the whole of a message can have with dots doubled. */
uint64_t maildrop_most(uint64_t number);

/*
 * Writes that to the wire, begun with data->piped.  After an error the session
 * must end, where net has been told of it.
 */
const char *maildrop_send(uint64_t number, uint64_t lines,
	    const struct ipc_data *data, struct wire *wire);

/*
 * "number octets CRLF" of each message that is not marked, or its unique id
 * in the place of its octets: how long that is, and writing it.
 */
const char *maildrop_list_measure(int uids, uint64_t *octets);
const char *maildrop_list_send(int uids, struct wire *wire);

/* A message's unique id; "" where there is no such message. */
const char *maildrop_uid(uint64_t number, char *text);

/* The reason of these where there is no such message, or it is marked. */
extern const char maildrop_no_message[];

/*
 * Marks a message.  One that was not sent whole is read now: what is deleted
 * in the end is, byte for byte, what was there at this moment.
 */
const char *maildrop_mark(uint64_t number);
void	maildrop_unmark_all(void);

/*
 * Hands the marks on to the mailbox, for its commit; which came, and deleted
 * so many messages.
 */
const char *maildrop_give_marks(void);
void	maildrop_committed(uint32_t deleted);

#endif
