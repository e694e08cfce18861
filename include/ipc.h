/*
 * ipc.h - one message, one datagram, over a SOCK_SEQPACKET socketpair.
 */
#ifndef IPC_H
#define IPC_H

#include <stddef.h>
#include <stdint.h>

#include "ipc_messages.h"

/* What stands before every payload. */
struct ipc_header {
	uint32_t type;		/* enum ipc_type */
	uint32_t size;		/* of the payload, bytes */
	uint64_t session;	/* 0 where no session is meant */
};

struct ipc_message {
	struct ipc_header header;
	union {
		uint64_t align;
		unsigned char bytes[IPC_MESSAGE_MAX];
	} payload;
	int descriptors[IPC_DESCRIPTORS_MAX];	/* -1: none, or taken */
	unsigned int descriptor_count;
};

/* The members of ipc_message that a handler reads as its row's payload. */
#define IPC_PAYLOAD(message, type) \
	((const struct type *)(const void *)(message)->payload.bytes)

/* What is done with a message of one type. */
struct ipc_handler {
	enum ipc_type type;
	void (*handle)(void *context, struct ipc_message *message);
};

/* One side of a channel: who sends, who receives, what is done with it. */
struct ipc_channel {
	enum ipc_role from;
	enum ipc_role to;
	const struct ipc_handler *handlers;
	size_t handler_count;
};

/*
 * Sends one message of exactly its row's size; `payload` may be NULL for
 * an empty one.  Descriptors stay open here.  Returns 0, or -1 with errno
 * (EAGAIN where the descriptor is non-blocking and the peer is behind).
 */
int	ipc_send(int fd, enum ipc_type type, uint64_t session,
	    const void *payload, const int *descriptors);

/*
 * Receives one message; every descriptor in it is close-on-exec.  Returns 1,
 * 0 at the end (the peer is gone), or -1 with errno: EAGAIN, or EBADMSG for
 * a datagram that is no message (too short, too long, a size that lies).
 */
int	ipc_receive(int fd, struct ipc_message *message);

/* Closes what descriptors no handler took, and wipes the payload. */
void	ipc_release(struct ipc_message *message);

/* ipc_child.c: hands descriptor `i` of a message over to the caller. */
int	ipc_take_descriptor(struct ipc_message *message, unsigned int i);

/*
 * Holds a message against its row of IPC_MESSAGE_LIST.  Returns NULL when
 * it may be handled, else what is wrong with it.
 */
const char *ipc_check(const struct ipc_message *message, enum ipc_role from,
	    enum ipc_role to, unsigned int phase);

/*
 * Checks a message and calls its handler.  Returns NULL, or what is wrong;
 * then nothing was called.  The caller releases the message.
 */
const char *ipc_dispatch(const struct ipc_channel *channel,
	    unsigned int phase, struct ipc_message *message, void *context);

/* The name of a message type, for the log. */
const char *ipc_name(uint32_t type);

#endif
