/*
 * ipc_test.c - every row of the message list, held against every mistake.
 */
#include <sys/socket.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc.h"

/* Descriptors come from the parent alone: no other process may send any. */
#define X(name, from, to, phases, payload, descriptors)			\
	_Static_assert((descriptors) == 0 || ROLE_##from == ROLE_PARENT, #name);
IPC_MESSAGE_LIST(X)
#undef X

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define PHASES		16
#define SESSION		UINT64_C(0x1122334455667788)

struct row {
	const char *name;
	enum ipc_role from, to;
	unsigned int phases;
	uint32_t size;
	unsigned int descriptors;
};

static const struct row rows[] = {
#define X(name, from, to, phases, payload, descriptors)			\
	{ #name, ROLE_##from, ROLE_##to, (phases),			\
	    sizeof(struct ipc_##payload), (descriptors) },
	IPC_MESSAGE_LIST(X)
#undef X
};

static const struct {
	enum ipc_type type;
	const char *name;
	size_t offset, size;
} strings[] = {
#define X(message, payload, member)					\
	{ IPC_##message, #message "." #member,				\
	    offsetof(struct ipc_##payload, member),			\
	    sizeof(((struct ipc_##payload *)0)->member) },
	IPC_STRING_LIST(X)
#undef X
};

static struct ipc_message message;

/* A message that its row allows; the strings in it are empty. */
static void
make(uint32_t type)
{
	memset(&message, 0, sizeof(message));
	message.header.type = type;
	message.header.size = rows[type].size;
	message.header.session = SESSION;
	message.descriptors[0] = message.descriptors[1] = -1;
	message.descriptor_count = rows[type].descriptors;
}

static enum ipc_role
some(enum ipc_role role)
{
	return (role == ROLE_CHILD ? ROLE_AUTH : role);
}

static unsigned int
some_phase(uint32_t type)
{
	return (rows[type].phases & -rows[type].phases);
}

static const char *
check(uint32_t type)
{
	return (ipc_check(&message, some(rows[type].from),
	    some(rows[type].to), some_phase(type)));
}

static void
must_say(uint32_t type, const char *what, const char *expected)
{
	const char *said = check(type);

	ATF_CHECK_MSG((said == NULL) == (expected == NULL) && (said == NULL ||
	    strcmp(said, expected) == 0), "%s, %s: expected \"%s\", got "
	    "\"%s\"", rows[type].name, what, expected != NULL ? expected :
	    "nothing", said != NULL ? said : "nothing");
}

static int
open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	ATF_REQUIRE(directory != NULL);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return (count);
}

static int
fits(enum ipc_role row, enum ipc_role actual)
{
	return (row == actual || (row == ROLE_CHILD && actual != ROLE_PARENT));
}

static const char *
expected_of(const struct row *row, enum ipc_role from, enum ipc_role to,
    unsigned int phase)
{
	if (!fits(row->from, from))
		return ("wrong sender");
	if (!fits(row->to, to))
		return ("wrong receiver");
	return ((row->phases & phase) == 0 ? "wrong phase" : NULL);
}

static void
walk_row(uint32_t type)
{
	const char *said, *expected;
	unsigned int from, to, bit;

	make(type);
	for (from = ROLE_PARENT; from <= ROLE_STORE; from++)
		for (to = ROLE_PARENT; to <= ROLE_STORE; to++)
			for (bit = 0; bit < PHASES; bit++) {
				said = ipc_check(&message, from, to,
				    1U << bit);
				expected = expected_of(&rows[type], from, to,
				    1U << bit);
				ATF_CHECK_MSG((said == NULL) == (expected ==
				    NULL) && (said == NULL || strcmp(said,
				    expected) == 0), "%s %u->%u phase %u: %s",
				    rows[type].name, from, to, bit,
				    said != NULL ? said : "allowed");
			}
}

/* Who may send what to whom, and when: the whole cube. */
ATF_TC_WITHOUT_HEAD(sender_receiver_phase);
ATF_TC_BODY(sender_receiver_phase, tc)
{
	uint32_t type;

	(void)tc;
	ATF_REQUIRE_EQ(IPC_TYPES, COUNT(rows));
	for (type = 0; type < IPC_TYPES; type++)
		walk_row(type);
}

ATF_TC_WITHOUT_HEAD(unknown_type);
ATF_TC_BODY(unknown_type, tc)
{
	static const uint32_t types[] = { IPC_TYPES, IPC_TYPES + 1,
	    0x7fffffff, 0x80000000, 0xffffffff };
	const char *said;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(types); i++) {
		make(0);
		message.header.type = types[i];
		said = ipc_check(&message, ROLE_PARENT, ROLE_NET,
		    PHASE_CONFIGURE);
		ATF_REQUIRE(said != NULL);
		ATF_CHECK_STREQ("unknown type", said);
		ATF_CHECK_STREQ("unknown", ipc_name(types[i]));
	}
	for (i = 0; i < COUNT(rows); i++)
		ATF_CHECK_STREQ(rows[i].name, ipc_name((uint32_t)i));
}

/* Exactly the payload's size, and no other. */
ATF_TC_WITHOUT_HEAD(size);
ATF_TC_BODY(size, tc)
{
	uint32_t type, wrong, i;

	(void)tc;
	for (type = 0; type < IPC_TYPES; type++) {
		const uint32_t sizes[] = { 0, 1, rows[type].size - 1,
		    rows[type].size + 1, rows[type].size * 2,
		    IPC_MESSAGE_MAX, UINT32_MAX };

		make(type);
		must_say(type, "right size", NULL);
		for (i = 0; i < COUNT(sizes); i++) {
			wrong = sizes[i];
			if (wrong == rows[type].size)
				continue;
			message.header.size = wrong;
			must_say(type, "wrong size", "wrong size");
		}
	}
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	unsigned int count;
	uint32_t type;

	(void)tc;
	for (type = 0; type < IPC_TYPES; type++)
		for (count = 0; count <= IPC_DESCRIPTORS_MAX; count++) {
			make(type);
			message.descriptor_count = count;
			must_say(type, "descriptors", count ==
			    rows[type].descriptors ? NULL :
			    "wrong number of descriptors");
		}
}

/* Each string for itself: full to the brim, and with its last byte NUL. */
ATF_TC_WITHOUT_HEAD(string_ends);
ATF_TC_BODY(string_ends, tc)
{
	unsigned char *string;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(strings); i++) {
		make(strings[i].type);
		string = message.payload.bytes + strings[i].offset;
		memset(string, 'A', strings[i].size);
		must_say(strings[i].type, strings[i].name,
		    "string without an end");
		string[strings[i].size - 1] = '\0';
		must_say(strings[i].type, strings[i].name, NULL);
	}
}

/* No array of characters is left out of the list of strings. */
ATF_TC_WITHOUT_HEAD(string_list);
ATF_TC_BODY(string_list, tc)
{
	static const struct {
		enum ipc_type type;
		size_t count;
	} wanted[] = {
		{ IPC_CONFIG_FILE, 1 }, { IPC_CONFIG_PARENT, 1 },
		{ IPC_CONFIG_NET, 2 }, { IPC_CONFIG_AUTH, 2 },
		{ IPC_CONFIG_LOCK, 1 }, { IPC_CONFIG_STORE, 9 },
		{ IPC_NET_CONFIG, 2 }, { IPC_AUTH_CONFIG, 2 },
		{ IPC_STORE_CONFIG, 9 }, { IPC_LOCK_CONFIG, 1 },
		{ IPC_LOCK_SESSION, 9 }, { IPC_LOGIN, 3 },
		{ IPC_LOGIN_GRANTED, 2 }, { IPC_SESSION_FAILED, 1 },
		{ IPC_FOLDER_OPEN, 1 }, { IPC_STORE_FAILED, 1 },
		{ IPC_MESSAGE_UID, 1 }, { IPC_LOG, 1 },
		{ IPC_CONFIG_PAIR, 2 }, { IPC_KEYS_CONFIG, 1 },
		{ IPC_KEYS_PAIR, 1 },
	};
	size_t i, j, have, all = 0;

	(void)tc;
	for (i = 0; i < COUNT(wanted); i++) {
		for (have = j = 0; j < COUNT(strings); j++)
			have += strings[j].type == wanted[i].type;
		ATF_CHECK_EQ_MSG(wanted[i].count, have, "%s",
		    ipc_name(wanted[i].type));
		all += have;
	}
	ATF_CHECK_EQ(COUNT(strings), all);
}

static unsigned int handled;

static void
count_up(void *context, struct ipc_message *given)
{
	ATF_CHECK(given == &message);
	handled += *(unsigned int *)context;
}

/* A refused message reaches no handler; an allowed one exactly its own. */
ATF_TC_WITHOUT_HEAD(dispatch);
ATF_TC_BODY(dispatch, tc)
{
	static const struct ipc_handler handlers[] = {
		{ IPC_LOGIN, count_up },
	};
	static const struct ipc_channel channel = { ROLE_NET, ROLE_AUTH,
	    handlers, 1 }, other = { ROLE_PARENT, ROLE_AUTH, handlers, 1 };
	unsigned int one = 1;

	(void)tc;
	make(IPC_LOGIN);
	ATF_CHECK(ipc_dispatch(&channel, PHASE_RUN, &message, &one) == NULL);
	ATF_CHECK_EQ(1, handled);
	ATF_CHECK_STREQ("wrong phase",
	    ipc_dispatch(&channel, PHASE_CONFIGURE, &message, &one));
	ATF_CHECK_STREQ("wrong sender",
	    ipc_dispatch(&other, PHASE_RUN, &message, &one));
	message.header.size--;
	ATF_CHECK_STREQ("wrong size",
	    ipc_dispatch(&channel, PHASE_RUN, &message, &one));
	make(IPC_AUTH_NET);
	ATF_CHECK_STREQ("no handler",
	    ipc_dispatch(&other, PHASE_RUN, &message, &one));
	ATF_CHECK_EQ(1, handled);
}

static void
make_pair(int pair[2])
{
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) == 0);
}

static void
close_pair(int pair[2])
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void
send_and_receive(uint32_t type, const int *pair, const int *given)
{
	unsigned char payload[IPC_MESSAGE_MAX];
	unsigned int i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (unsigned char)(i * 7 + type);
	ATF_REQUIRE(ipc_send(pair[0], type, SESSION, payload, given) == 0);
	ATF_REQUIRE_EQ(1, ipc_receive(pair[1], &message));
	ATF_CHECK_EQ(type, message.header.type);
	ATF_CHECK_EQ(rows[type].size, message.header.size);
	ATF_CHECK_EQ(SESSION, message.header.session);
	ATF_CHECK(memcmp(payload, message.payload.bytes, rows[type].size) ==
	    0);
	ATF_CHECK_EQ(rows[type].descriptors, message.descriptor_count);
	for (i = 0; i < message.descriptor_count; i++)
		ATF_CHECK_EQ(FD_CLOEXEC, fcntl(message.descriptors[i],
		    F_GETFD));
	ipc_release(&message);
	for (i = 0; i < rows[type].size; i++)
		ATF_REQUIRE_MSG(message.payload.bytes[i] == 0,
		    "%s is not wiped", rows[type].name);
}

ATF_TC_WITHOUT_HEAD(round_trip);
ATF_TC_BODY(round_trip, tc)
{
	const int given[] = { STDIN_FILENO, STDOUT_FILENO };
	int pair[2], before;
	uint32_t type;

	(void)tc;
	make_pair(pair);
	before = open_descriptors();
	for (type = 0; type < IPC_TYPES; type++)
		send_and_receive(type, pair, given);
	ATF_CHECK_EQ(before, open_descriptors());
	ATF_REQUIRE(ipc_send(pair[0], IPC_NET_AUTH, 0, NULL, given) == 0);
	ATF_REQUIRE_EQ(1, ipc_receive(pair[1], &message));
	ATF_CHECK(ipc_take_descriptor(&message, 0) != -1);
	ipc_release(&message);
	ATF_CHECK_EQ(before + 1, open_descriptors());
	close_pair(pair);
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * 8)];
};

/* A datagram of `length` bytes whose header says `size`. */
static void
send_raw(int fd, uint32_t type, uint32_t size, size_t length,
    unsigned int count)
{
	static unsigned char bytes[sizeof(struct ipc_header) +
	    2 * IPC_MESSAGE_MAX];
	const struct ipc_header header = { type, size, SESSION };
	struct iovec part = { bytes, length };
	struct msghdr raw;
	struct cmsghdr *control;
	union control room;
	int given[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };

	memcpy(bytes, &header, sizeof(header));
	memset(&raw, 0, sizeof(raw));
	memset(&room, 0, sizeof(room));
	raw.msg_iov = &part;
	raw.msg_iovlen = 1;
	if (count > 0) {
		raw.msg_control = room.bytes;
		raw.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control = CMSG_FIRSTHDR(&raw);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(control), given, sizeof(int) * count);
	}
	ATF_REQUIRE_EQ((ssize_t)length, sendmsg(fd, &raw, MSG_NOSIGNAL));
}

#define HEADER	sizeof(struct ipc_header)

static const struct {
	const char *what;
	uint32_t size;
	size_t length;
	unsigned int descriptors;
	int result;
} datagrams[] = {
	{ "one byte",			0, 1, 0, -1 },
	{ "a byte short of a header",	0, HEADER - 1, 0, -1 },
	{ "a header alone",		0, HEADER, 0, 1 },
	{ "a size too large",		9, HEADER + 8, 0, -1 },
	{ "a size too small",		7, HEADER + 8, 0, -1 },
	{ "a size far too large",	UINT32_MAX, HEADER + 8, 0, -1 },
	{ "a size that wraps",		UINT32_MAX - 7, HEADER + 8, 0, -1 },
	{ "the largest", IPC_MESSAGE_MAX, HEADER + IPC_MESSAGE_MAX, 0, 1 },
	{ "one byte more", IPC_MESSAGE_MAX + 1, HEADER + IPC_MESSAGE_MAX + 1,
	    0, -1 },
	{ "one byte more that is hidden", IPC_MESSAGE_MAX,
	    HEADER + IPC_MESSAGE_MAX + 1, 0, -1 },
	{ "twice as long", 2 * IPC_MESSAGE_MAX, HEADER + 2 * IPC_MESSAGE_MAX,
	    0, -1 },
	{ "one descriptor",		8, HEADER + 8, 1, 1 },
	{ "two descriptors",		8, HEADER + 8, 2, 1 },
	{ "three descriptors",		8, HEADER + 8, 3, -1 },
	{ "eight descriptors",		8, HEADER + 8, 8, -1 },
	{ "one, and a lie",		9, HEADER + 8, 1, -1 },
	{ "two, and too short",		0, 3, 2, -1 },
	{ "two, and too long", IPC_MESSAGE_MAX + 9,
	    HEADER + IPC_MESSAGE_MAX + 9, 2, -1 },
};

/* Whatever comes, no descriptor stays open, and the next is read well. */
ATF_TC_WITHOUT_HEAD(hostile_datagrams);
ATF_TC_BODY(hostile_datagrams, tc)
{
	int pair[2], before, got;
	size_t i;

	(void)tc;
	make_pair(pair);
	before = open_descriptors();
	for (i = 0; i < COUNT(datagrams); i++) {
		send_raw(pair[0], IPC_NET_AUTH, datagrams[i].size,
		    datagrams[i].length, datagrams[i].descriptors);
		errno = 0;
		got = ipc_receive(pair[1], &message);
		ATF_CHECK_EQ_MSG(datagrams[i].result, got, "%s",
		    datagrams[i].what);
		ATF_CHECK_MSG(got == 1 || errno == EBADMSG, "%s: %s",
		    datagrams[i].what, strerror(errno));
		ATF_CHECK_MSG(got == -1 || message.descriptor_count ==
		    datagrams[i].descriptors, "%s", datagrams[i].what);
		if (got == 1)
			ipc_release(&message);
		ATF_CHECK_EQ_MSG(before, open_descriptors(), "%s",
		    datagrams[i].what);
		ATF_REQUIRE(ipc_send(pair[0], IPC_STOP, 1, NULL, NULL) == 0);
		ATF_REQUIRE_EQ(1, ipc_receive(pair[1], &message));
	}
	close_pair(pair);
}

ATF_TC_WITHOUT_HEAD(ends);
ATF_TC_BODY(ends, tc)
{
	int pair[2];

	(void)tc;
	make_pair(pair);
	ATF_REQUIRE(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
	ATF_CHECK_ERRNO(EAGAIN, ipc_receive(pair[1], &message) == -1);
	(void)close(pair[0]);
	ATF_CHECK_EQ(0, ipc_receive(pair[1], &message));
	/* No SIGPIPE: this process would have ended. */
	ATF_CHECK_ERRNO(EPIPE, ipc_send(pair[1], IPC_STOP, 0, NULL, NULL) ==
	    -1);
	(void)close(pair[1]);
}

/* A peer that does not read makes a non-blocking sender hear EAGAIN. */
ATF_TC_WITHOUT_HEAD(back_pressure);
ATF_TC_BODY(back_pressure, tc)
{
	int pair[2], sent, got = 0;

	(void)tc;
	make_pair(pair);
	ATF_REQUIRE(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	for (sent = 0; sent < 100000; sent++)
		if ((got = ipc_send(pair[0], IPC_LOGIN, 0, &message.payload,
		    NULL)) == -1)
			break;
	ATF_CHECK_EQ(-1, got);
	ATF_CHECK_EQ(EAGAIN, errno);
	ATF_CHECK(sent >= LOGINS_ASKED_MAX);
	for (got = 0; got < sent; got++)
		ATF_REQUIRE_EQ(1, ipc_receive(pair[1], &message));
	ATF_CHECK(ipc_send(pair[0], IPC_STOP, 0, NULL, NULL) == 0);
	close_pair(pair);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sender_receiver_phase);
	ATF_TP_ADD_TC(tp, unknown_type);
	ATF_TP_ADD_TC(tp, size);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, string_ends);
	ATF_TP_ADD_TC(tp, string_list);
	ATF_TP_ADD_TC(tp, dispatch);
	ATF_TP_ADD_TC(tp, round_trip);
	ATF_TP_ADD_TC(tp, hostile_datagrams);
	ATF_TP_ADD_TC(tp, ends);
	ATF_TP_ADD_TC(tp, back_pressure);
	return (atf_no_error());
}
