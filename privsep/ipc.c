/*
 * ipc.c - messages between Postern's processes.
 *
 * Linked into every program but postern-selfsigned; runs with each one's
 * rights (in posternd: root).  Peers are taken to be hostile: a datagram is
 * read whole into a buffer of our own size, and nothing in it is used before
 * ipc_check has agreed.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ipc.h"

struct ipc_row {
	const char *name;
	enum ipc_role from;
	enum ipc_role to;
	unsigned int phases;
	uint32_t size;
	unsigned int descriptors;
};

static const struct ipc_row rows[IPC_TYPES] = {
#define X(name, from, to, phases, payload, descriptors)			\
	{ #name, ROLE_##from, ROLE_##to, (phases),			\
	    sizeof(struct ipc_##payload), (descriptors) },
	IPC_MESSAGE_LIST(X)
#undef X
};

static const struct {
	enum ipc_type type;
	size_t offset;
	size_t size;
} strings[] = {
#define X(name, payload, member)					\
	{ IPC_##name, offsetof(struct ipc_##payload, member),		\
	    sizeof(((struct ipc_##payload *)0)->member) },
	IPC_STRING_LIST(X)
#undef X
};

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * IPC_DESCRIPTORS_MAX)];
};

int
ipc_send(int fd, enum ipc_type type, uint64_t session, const void *payload,
    const int *descriptors)
{
	static const struct ipc_empty empty;
	const struct ipc_row *row = &rows[type];
	struct ipc_header header = { type, row->size, session };
	struct iovec parts[2] = { { &header, sizeof(header) },
	    { (void *)(uintptr_t)(payload != NULL ? payload : &empty),
	    row->size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	struct cmsghdr *control;
	union control room = { .bytes = { 0 } };
	size_t bytes = sizeof(int) * row->descriptors;

	if (bytes > 0) {
		message.msg_control = room.bytes;
		message.msg_controllen = CMSG_SPACE(bytes);
		control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(control), descriptors, bytes);
	}
	/* The parent alone has descriptors to send; others may not. */
	while ((row->from != ROLE_PARENT ? writev(fd, parts, 2) :
	    sendmsg(fd, &message, MSG_NOSIGNAL)) == -1)
		if (errno != EINTR)
			return (-1);
	return (0);
}

int
ipc_receive(int fd, struct ipc_message *message)
{
	struct iovec parts[2] = {
	    { &message->header, sizeof(message->header) },
	    { message->payload.bytes, sizeof(message->payload.bytes) } };
	struct cmsghdr *control;
	union control room;
	struct msghdr raw = { .msg_iov = parts, .msg_iovlen = 2,
	    .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes) };
	size_t bytes;
	ssize_t got;

	message->descriptors[0] = message->descriptors[1] = -1;
	message->descriptor_count = 0;
	do
		got = recvmsg(fd, &raw, MSG_CMSG_CLOEXEC);
	while (got == -1 && errno == EINTR);
	if (got <= 0)
		return (got == 0 || errno == ECONNRESET ? 0 : -1);
	/* The buffer has room for one control message, so there is but one. */
	control = CMSG_FIRSTHDR(&raw);
	if (control != NULL && control->cmsg_level == SOL_SOCKET &&
	    control->cmsg_type == SCM_RIGHTS) {
		bytes = control->cmsg_len - CMSG_LEN(0);
		message->descriptor_count = (unsigned int)(bytes / sizeof(int));
		memcpy(message->descriptors, CMSG_DATA(control), bytes);
	}
	if ((size_t)got < sizeof(message->header) ||
	    (raw.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    (size_t)got != sizeof(message->header) + message->header.size) {
		message->header.size = sizeof(message->payload.bytes);
		ipc_release(message);
		errno = EBADMSG;
		return (-1);
	}
	return (1);
}

void
ipc_release(struct ipc_message *message)
{
	unsigned int i;

	for (i = 0; i < message->descriptor_count; i++)
		if (message->descriptors[i] != -1)
			(void)close(message->descriptors[i]);
	message->descriptor_count = 0;
	if (message->header.size <= sizeof(message->payload.bytes))
		explicit_bzero(message->payload.bytes, message->header.size);
}

const char *
ipc_check(const struct ipc_message *message, enum ipc_role from,
    enum ipc_role to, unsigned int phase)
{
	const uint32_t type = message->header.type;
	const struct ipc_row *row = &rows[type < IPC_TYPES ? type : 0];
	size_t i;

	if (type >= IPC_TYPES)
		return ("unknown type");
	if (row->from != from &&
	    (row->from != ROLE_CHILD || from == ROLE_PARENT))
		return ("wrong sender");
	if (row->to != to && (row->to != ROLE_CHILD || to == ROLE_PARENT))
		return ("wrong receiver");
	if ((row->phases & phase) == 0)
		return ("wrong phase");
	if (message->header.size != row->size)
		return ("wrong size");
	if (message->descriptor_count != row->descriptors)
		return ("wrong number of descriptors");
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (strings[i].type == type && memchr(message->payload.bytes +
		    strings[i].offset, '\0', strings[i].size) == NULL)
			return ("string without an end");
	return (NULL);
}

const char *
ipc_dispatch(const struct ipc_channel *channel, unsigned int phase,
    struct ipc_message *message, void *context)
{
	const struct ipc_handler *handler = channel->handlers;
	const struct ipc_handler *end = handler + channel->handler_count;
	const char *wrong;

	wrong = ipc_check(message, channel->from, channel->to, phase);
	if (wrong != NULL)
		return (wrong);
	while (handler < end && handler->type != message->header.type)
		handler++;
	if (handler == end)
		return ("no handler");
	handler->handle(context, message);
	return (NULL);
}

const char *
ipc_name(uint32_t type)
{
	return (type < IPC_TYPES ? rows[type].name : "unknown");
}
