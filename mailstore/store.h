/*
 * store.h - what the requests that postern-store answers have in common.
 */
#ifndef STORE_H
#define STORE_H

#include "ipc.h"
#include "mailbox.h"
#include "wire.h"

/* Tells net; the end where net is gone. */
void	store_answer(enum ipc_type type, const void *payload);
void	store_answer_failure(const char *why, enum failure failure);

/*
 * The mailbox that is open; NULL: none.  store_open closes it and opens the
 * default mailbox.  NULL, or a reason and what kind it is of; where there is
 * nothing that may be opened, that is no error.
 */
struct mailbox *store_mailbox(void);
const char *store_open(enum failure *failure);

/* What of it is for later sessions; behind the answer to its opening. */
void	store_remember(void);

/* Whose unique ids messages get. */
enum uid_kind store_uids(void);

/*
 * What leads to net: net is told of `data` when the first of it has been
 * written.  And the end of the session where `wrong` is so.
 */
struct wire *store_begin_data(const struct ipc_data *data);
void	store_finish_data(const char *wrong);

/* The same for one message: net is told, where it has not heard of any data. */
void	store_finish_message(const char *wrong);

/*
 * 1 where so many octets fit into the empty pipe to net: who has written them
 * waits for nobody.
 */
uint32_t store_has_room(uint64_t octets);

/* maildrop_requests.c: POP3's requests. */
void	store_maildrop_open(void *context, struct ipc_message *message);
void	store_maildrop_list(void *context, struct ipc_message *message);
void	store_maildrop_unmark(void *context, struct ipc_message *message);
void	store_message_get(void *context, struct ipc_message *message);
void	store_message_identify(void *context, struct ipc_message *message);
void	store_message_mark(void *context, struct ipc_message *message);

#endif
