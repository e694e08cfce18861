/*
 * ipc_fuzz.c - any datagrams between any two processes in any phase.
 *
 * Test code alone.  Input, again and again: who is taken to have sent, who
 * receives, in which phases, how many descriptors come along, and how long a
 * datagram; then its octets.
 */
#include <sys/param.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "ipc.h"

/* A row of the table, again, without the macros of the product's checks. */
static const struct row {
	enum ipc_role from, to;
	unsigned int phases, descriptors;
	size_t size;
} rows[] = {
#define X(name, from, to, phases, payload, descriptors)			\
	{ ROLE_##from, ROLE_##to, (phases), (descriptors),		\
	    sizeof(struct ipc_##payload) },
	IPC_MESSAGE_LIST(X)
#undef X
};

static const struct string {
	uint32_t type;
	size_t offset, size;
} strings[] = {
#define X(name, payload, member)					\
	{ IPC_##name, offsetof(struct ipc_##payload, member),		\
	    sizeof(((struct ipc_##payload *)0)->member) },
	IPC_STRING_LIST(X)
#undef X
};

static int sockets[2] = { -1, -1 };
static unsigned int handled;

static void
send_datagram(const void *octets, size_t length, unsigned int descriptors)
{
	struct iovec part = { (void *)(uintptr_t)octets, length };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} room;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *control;
	int fds[3] = { 0, 0, 0 };

	memset(&room, 0, sizeof(room));
	if (descriptors > 0) {
		message.msg_control = room.bytes;
		message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
		control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
		fds[0] = fds[1] = fds[2] = sockets[1];
		memcpy(CMSG_DATA(control), fds, descriptors * sizeof(int));
	}
	HOLDS(sendmsg(sockets[0], &message, 0) == (ssize_t)length);
}

/* What the table says, read in another way. */
static int
may_come(const struct ipc_message *message, unsigned int from,
    unsigned int to, unsigned int phase)
{
	const struct string *string = strings;
	const struct row *row;
	size_t i;

	if (message->header.type >= sizeof(rows) / sizeof(rows[0]))
		return (0);
	row = &rows[message->header.type];
	if (row->from == ROLE_CHILD ? from == ROLE_PARENT : row->from != from)
		return (0);
	if (row->to == ROLE_CHILD ? to == ROLE_PARENT : row->to != to)
		return (0);
	if ((row->phases & phase) == 0 ||
	    row->size != message->header.size ||
	    row->descriptors != message->descriptor_count)
		return (0);
	for (; string < strings + sizeof(strings) / sizeof(strings[0]);
	    string++) {
		if (string->type != message->header.type)
			continue;
		for (i = 0; i < string->size; i++)
			if (message->payload.bytes[string->offset + i] == 0)
				break;
		if (i == string->size)
			return (0);
	}
	return (1);
}

static void
handle(void *context, struct ipc_message *message)
{
	HOLDS(context == &handled);
	handled++;
	if (message->descriptor_count > 0)
		(void)close(ipc_take_descriptor(message, 0));
}

/* A handler for every type: the checks alone decide. */
static void
dispatch(struct ipc_message *message, unsigned int from, unsigned int to,
    unsigned int phase)
{
	static struct ipc_handler handlers[IPC_TYPES];
	const struct ipc_channel channel = { from, to, handlers, IPC_TYPES };
	const int wanted = may_come(message, from, to, phase);
	const unsigned int before = handled;
	uint32_t i;

	for (i = 0; i < IPC_TYPES; i++)
		handlers[i] = (struct ipc_handler){ i, handle };
	HOLDS((ipc_dispatch(&channel, phase, message, &handled) == NULL) ==
	    wanted);
	HOLDS(handled - before == (unsigned int)wanted);
	HOLDS(ipc_name(message->header.type)[0] != '\0');
}

/*
 * One datagram; bit 7 of `options`: its size is put right, so that what comes
 * behind that check is reached.
 */
static void
pass(struct input *input)
{
	static struct ipc_message message;
	static unsigned char octets[sizeof(struct ipc_header) +
	    IPC_MESSAGE_MAX + 64];
	const unsigned int roles = fuzz_octet(input);
	const unsigned int options = fuzz_octet(input);
	unsigned int phase = 1U << (options & 15);
	struct ipc_header header;
	struct input part;
	size_t length, i;
	int got;

	part = fuzz_part(input, fuzz_octet(input));
	memset(octets, 0, sizeof(octets));
	if (part.left > 0)
		memcpy(octets, part.at, part.left);
	length = part.left;
	memcpy(&header, octets, sizeof(header));
	if ((options & 128) != 0) {
		header.type %= IPC_TYPES + 1;
		length = sizeof(header) + (header.type < IPC_TYPES ?
		    rows[header.type].size : 8);
		header.size = (uint32_t)(length - sizeof(header));
		/* What is not given is as what is: strings have no end then. */
		for (i = part.left; i < length && (options & 64) != 0; i++)
			octets[i] = (unsigned char)(options | 1);
		memcpy(octets, &header, sizeof(header));
	} else
		length = MIN(length * 37, sizeof(octets));
	if (length == 0)
		return;
	send_datagram(octets, length, (options >> 4) % 4);
	got = ipc_receive(sockets[1], &message);
	if (got == 1) {
		HOLDS(length >= sizeof(header));
		HOLDS(message.header.size == length - sizeof(header));
		HOLDS(memcmp(message.payload.bytes, octets + sizeof(header),
		    message.header.size) == 0);
		dispatch(&message, roles % (ROLE_CHILD + 1),
		    roles / 16 % (ROLE_CHILD + 1), phase);
		ipc_release(&message);
		for (i = 0; i < length - sizeof(header); i++)
			HOLDS(message.payload.bytes[i] == 0);
	} else {
		HOLDS(got == -1 && errno == EBADMSG);
		HOLDS(length < sizeof(header) || length > sizeof(header) +
		    IPC_MESSAGE_MAX || header.size != length -
		    sizeof(header) || (options >> 4) % 4 >
		    IPC_DESCRIPTORS_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	int lowest, i;

	if (sockets[0] == -1)
		HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, 0, sockets) == 0);
	lowest = fuzz_lowest_descriptor();
	for (i = 0; input.left > 0 && i < 32; i++)
		pass(&input);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
