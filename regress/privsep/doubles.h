/*
 * doubles.h - the daemon's processes that have been taken over.
 *
 * For hostile_test.c: started under the name of one of the daemon's programs
 * it behaves as that program's double (be_a_double), and sends what a
 * well-behaved one never would.  What a double is to do stands in files
 * beside it, its orders.
 */
#ifndef DOUBLES_H
#define DOUBLES_H

#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "ipc.h"
#include "parent.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define PATIENCE_MS	10000
#define SESSION		UINT64_C(4711)
#define MALLORY		"mallory"
#define MALLORY_UID	5003

/* One type that is just too large, and one that is negative. */
#define TYPES		(IPC_TYPES + 2)

struct row {
	const char *name;
	enum ipc_role from, to;
	unsigned int phases;
	uint32_t size;
	unsigned int descriptors;
};

static const struct row rows[TYPES] = {
#define X(name, from, to, phases, payload, descriptors)			\
	{ #name, ROLE_##from, ROLE_##to, (phases),			\
	    sizeof(struct ipc_##payload), (descriptors) },
	IPC_MESSAGE_LIST(X)
#undef X
	{ "unknown", 0, 0, 0, 8, 0 },
	{ "unknown", 0, 0, 0, 8, 0 },
};

/* What is done with a message before it is sent. */
enum trick {
	RIGHT,			/* as its row says */
	SHORT, LONG, BARE,	/* a byte less, a byte more, no payload */
	UNENDED,		/* its strings have no end */
	ONE_FD, TWO_FDS, THREE_FDS,
	NO_HEADER,		/* three bytes */
	LYING_SIZE,		/* the header says one byte less */
	TOO_LONG,		/* more than IPC_MESSAGE_MAX */
	OTHER_SESSION,
	TRICKS,
	/* a store's own */
	HUGE_NUMBERS,		/* a right message, every byte of it 0xff */
	INJECT,			/* control characters in its text */
	ONE_LESS, ONE_MORE,	/* than the message has octets */
	HUGE_NEXT,		/* octets of the next one */
	TOO_FEW, TOO_MANY,	/* octets in the pipe */
	FLOOD,
	EMPTY,			/* a datagram of no bytes */
	DIE,
	SILENCE,
	DIE_WHEN_STUCK		/* behind mail that net does not get rid of */
};

static const char injected[] = "bad\r\n+ OK\r\n#9 messages\x01\x7f\xff\"";

static void
sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&time, NULL);
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * 3)];
};

static void
send_raw(int fd, const struct ipc_header *header, const void *payload,
    size_t length, unsigned int count)
{
	struct iovec parts[2] = { { (void *)(uintptr_t)header,
	    sizeof(*header) }, { (void *)(uintptr_t)payload, length } };
	struct msghdr raw;
	struct cmsghdr *control;
	union control room;
	const int given[3] = { 0, 0, 0 };

	memset(&raw, 0, sizeof(raw));
	memset(&room, 0, sizeof(room));
	raw.msg_iov = parts;
	raw.msg_iovlen = 2;
	if (count > 0) {
		raw.msg_control = room.bytes;
		raw.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control = CMSG_FIRSTHDR(&raw);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(control), given, sizeof(int) * count);
	}
	(void)sendmsg(fd, &raw, MSG_NOSIGNAL);
}

static void
attack(int fd, uint32_t type, enum trick trick, uint64_t session)
{
	static unsigned char payload[2 * IPC_MESSAGE_MAX];
	struct ipc_header header = { type == IPC_TYPES + 1 ? 0x80000000 :
	    type, rows[type].size, session };
	size_t length = rows[type].size;
	unsigned int count = rows[type].descriptors;

	memset(payload, trick == UNENDED ? 'A' : trick == HUGE_NUMBERS ?
	    0xff : 0, sizeof(payload));
	if (trick == INJECT)
		memcpy(payload + (type == IPC_LOG ? sizeof(uint32_t) : 0),
		    injected, sizeof(injected));
	if (trick == SHORT || trick == LONG)
		length = trick == SHORT ? length - 1 : length + 1;
	if (trick == BARE)
		length = 0;
	if (trick == TOO_LONG)
		length = IPC_MESSAGE_MAX + 1;
	if (trick >= ONE_FD && trick <= THREE_FDS)
		count = 1 + trick - ONE_FD;
	header.size = (uint32_t)length - (trick == LYING_SIZE ? 1 : 0);
	if (trick == OTHER_SESSION)
		header.session++;
	if (trick == NO_HEADER || trick == EMPTY)
		(void)send(fd, &header, trick == EMPTY ? 0 : 3, MSG_NOSIGNAL);
	else
		send_raw(fd, &header, payload, length, count);
}

static int
has_strings(uint32_t type)
{
#define X(name, payload, member)	if (type == IPC_##name) return (1);
	IPC_STRING_LIST(X)
#undef X
	return (0);
}

/* What the receiver's table says to it; NULL: nothing. */
static const char *
complaint(uint32_t type, enum trick trick, enum ipc_role from,
    enum ipc_role to, unsigned int phase)
{
	const struct row *row = &rows[type];

	if (trick == NO_HEADER || trick == LYING_SIZE || trick == TOO_LONG ||
	    trick == THREE_FDS)
		return ("not a message");
	if (type >= IPC_TYPES)
		return ("unknown type");
	if (row->from != from && (row->from != ROLE_CHILD ||
	    from == ROLE_PARENT))
		return ("wrong sender");
	if (row->to != to && (row->to != ROLE_CHILD || to == ROLE_PARENT))
		return ("wrong receiver");
	if ((row->phases & phase) == 0)
		return ("wrong phase");
	if (trick == SHORT || trick == LONG || trick == BARE)
		return ("wrong size");
	if ((trick == ONE_FD || trick == TWO_FDS) &&
	    row->descriptors != 1 + trick - ONE_FD)
		return ("wrong number of descriptors");
	return (trick == UNENDED && has_strings(type) ?
	    "string without an end" : NULL);
}

/* The doubles. */

static const char *libexec;	/* where the doubles' orders are */

static int
read_order(const char *name, char *to, size_t size)
{
	char path[600];
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", libexec, name);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (0);
	got = read(fd, to, size - 1);
	(void)close(fd);
	to[got > 0 ? got : 0] = '\0';
	return (1);
}

static void __attribute__((noreturn))
be_the_real_one(const char *name)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/real/%s", libexec, name);
	(void)execl(path, path, (char *)NULL);
	_exit(126);
}

/* The first message, left where it is for the real program. */
static void
peek(struct ipc_message *message)
{
	char bytes[sizeof(message->header) + IPC_MESSAGE_MAX];
	ssize_t got = recv(CHILD_CONTROL, bytes, sizeof(bytes), MSG_PEEK);

	if (got < (ssize_t)sizeof(message->header))
		_exit(0);
	memcpy(&message->header, bytes, sizeof(message->header));
	memcpy(message->payload.bytes, bytes + sizeof(message->header),
	    (size_t)got - sizeof(message->header));
}

static struct ipc_message heard;

static uint32_t net_index;	/* of the net that auth's double serves */

static void
take_net(int *net)
{
	net_index = IPC_PAYLOAD(&heard, ipc_net_index)->index;
	(void)close(*net);
	*net = ipc_take_descriptor(&heard, 0);
}

/* Takes the settings up to START; `auth` is the channel to auth or to net. */
static void
take_settings(int *auth)
{
	do {
		if (ipc_receive(CHILD_CONTROL, &heard) != 1)
			_exit(0);
		if (heard.header.type == IPC_NET_AUTH) {
			*auth = ipc_take_descriptor(&heard, 0);
			(void)fcntl(*auth, F_SETFL, 0);
		}
		if (heard.header.type == IPC_AUTH_NET)
			take_net(auth);
	} while (heard.header.type != IPC_START);
}

static void
tell(const char *text)
{
	struct ipc_log line;

	memset(&line, 0, sizeof(line));
	line.priority = 6;
	(void)strlcpy(line.text, text, sizeof(line.text));
	(void)ipc_send(CHILD_CONTROL, IPC_LOG, 0, &line, NULL);
}

/* Stays until the parent ends it: that is what is to be seen. */
static void __attribute__((noreturn))
linger(void)
{
	struct pollfd polled = { CHILD_CONTROL, POLLIN, 0 };

	while (poll(&polled, 1, 2 * PATIENCE_MS) == 1) {
		if (ipc_receive(CHILD_CONTROL, &heard) != 1) {
			sleep_ms(PATIENCE_MS);	/* its end alone is not */
			break;
		}
		if (heard.header.type == IPC_STOP)
			break;
	}
	_exit(0);
}

static void
wait_for_go(void)
{
	char order[8];
	int waited;

	for (waited = 0; waited < 2 * PATIENCE_MS; waited += 10) {
		if (read_order("go", order, sizeof(order)))
			return;
		sleep_ms(10);
	}
	_exit(0);
}

/* Attacks on auth are numbered: number N is this type and this trick. */
#define AUTH_ATTACKS	(TYPES + TRICKS)
#define PARENT_ATTACKS	(TYPES + TRICKS)

/* One attacks auth, each of the others the parent in its own way. */
#define NET_DOUBLES	(1 + PARENT_ROUND)

/*
 * A daemon has at most 64 net processes, so that the attacks come in rounds;
 * the order "first" says with which one.
 */
#define PARENT_ROUND	40

static uint32_t
type_of(uint32_t number, uint32_t tricked)
{
	return (number < TYPES ? number : tricked);
}

static enum trick
trick_of(uint32_t number)
{
	return (number < TYPES ? RIGHT : (enum trick)(number - TYPES));
}

/* A login of nobody; true when auth answers it within the time. */
static int
auth_answers(int fd, uint64_t session)
{
	struct pollfd polled = { fd, POLLIN, 0 };
	struct ipc_login login;

	memset(&login, 0, sizeof(login));
	(void)strlcpy(login.user, "nobody-here", sizeof(login.user));
	(void)strlcpy(login.password, "x", sizeof(login.password));
	(void)ipc_send(fd, IPC_LOGIN, session, &login, NULL);
	return (poll(&polled, 1, PATIENCE_MS) == 1 &&
	    ipc_receive(fd, &heard) == 1 &&
	    heard.header.type == IPC_LOGIN_REFUSED &&
	    heard.header.session == session);
}

static void
attack_auth(int fd)
{
	uint32_t number;
	int answered = 0;

	for (number = 0; number < AUTH_ATTACKS; number++) {
		if (type_of(number, IPC_LOGIN) == IPC_LOGIN &&
		    (trick_of(number) == RIGHT ||
		    trick_of(number) == OTHER_SESSION))
			continue;
		attack(fd, type_of(number, IPC_LOGIN), trick_of(number),
		    1000 + number);
		answered += auth_answers(fd, 2000 + number);
	}
	(void)snprintf((char *)heard.payload.bytes, 80,
	    "double=auth answered=%d", answered);
	tell((const char *)heard.payload.bytes);
}

/* Logs in as anybody may, but for the client's name; the store's channel. */
static int
log_in(int auth, uint64_t session, const char *user)
{
	struct ipc_login login;

	memset(&login, 0, sizeof(login));
	(void)strlcpy(login.peer, "192.0.2.1:1 user=ann",
	    sizeof(login.peer));
	(void)strlcpy(login.user, user, sizeof(login.user));
	(void)strlcpy(login.password, FRED_PASSWORD, sizeof(login.password));
	(void)ipc_send(auth, IPC_LOGIN, session, &login, NULL);
	if (ipc_receive(CHILD_CONTROL, &heard) != 1 ||
	    heard.header.type != IPC_SESSION_STORE)
		_exit(1);
	return (ipc_take_descriptor(&heard, 0));
}

/* Has no mailbox by one login; asks a store for what was never sent. */
static void
attack_own_store(int auth)
{
	static const struct ipc_folder_open inbox;
	int store;

	(void)log_in(auth, 2, "homeless");
	store = log_in(auth, 1, FRED);
	(void)ipc_receive(store, &heard);	/* STORE_READY */
	(void)ipc_send(store, IPC_FOLDER_OPEN, 1, &inbox, NULL);
	(void)ipc_receive(store, &heard);	/* FOLDER_OPENED */
	attack(store, IPC_FOLDER_DELETE, RIGHT, 1);
	attack(store, IPC_COMMIT, RIGHT, 1);
	if (ipc_receive(store, &heard) != 1)
		tell("double=store ended");
}

/*
 * Number 0 and those that come after the doubles are real ones.  Attacks on
 * the parent: each type, then each trick on LOG.
 */
static void __attribute__((noreturn))
double_net(void)
{
	char path[600];
	uint32_t index, first = 0;
	int auth = -1, marker;

	peek(&heard);
	index = IPC_PAYLOAD(&heard, ipc_net_config)->index;
	(void)snprintf(path, sizeof(path), "%s/done/%u", libexec, index);
	if (index == 0 || index > NET_DOUBLES || (marker = open(path,
	    O_WRONLY | O_CREAT | O_EXCL, 0600)) == -1)
		be_the_real_one("postern-net");
	/* Of these attacks there is one; what takes its place is real. */
	if (index > 1 && (read_order("empty", path, sizeof(path)) ||
	    read_order("store", path, sizeof(path))))
		be_the_real_one("postern-net");
	(void)close(marker);
	take_settings(&auth);
	(void)ipc_send(CHILD_CONTROL, IPC_STARTED, 0, NULL, NULL);
	wait_for_go();
	(void)snprintf(path, sizeof(path), "double=%u attacks", index);
	tell(path);
	if (read_order("empty", path, sizeof(path)))
		attack(CHILD_CONTROL, IPC_LOG, EMPTY, 0);
	else if (read_order("store", path, sizeof(path)))
		attack_own_store(auth);
	else if (index == 1)
		attack_auth(auth);
	else {
		if (read_order("first", path, sizeof(path)))
			first = (uint32_t)strtoul(path, NULL, 10);
		if (first + index - 2 < PARENT_ATTACKS)
			attack(CHILD_CONTROL, type_of(first + index - 2,
			    IPC_LOG), trick_of(first + index - 2), 1);
	}
	linger();
}

/* A store's order: when, on which channel, what. */
static struct {
	unsigned int moment;
	int channel;
	uint32_t type;
	unsigned int trick;
	int done;
} order;

enum moment { AT_READY, AT_OPENED, AFTER_OPENED, AT_SIZE, AT_DATA,
    AFTER_DATA, AT_COMMITTED, AT_MARKED, AT_UID,
    AT_AHEAD };

#define MAIL		"Subject: x\r\n\r\n"
#define MAIL_OCTETS	(sizeof(MAIL) - 1)

/* True when this is the moment: then the order has been carried out. */
static int
carried_out(enum moment moment, uint64_t session)
{
	unsigned int i;

	if (order.done || order.moment != moment)
		return (0);
	order.done = 1;
	if (order.trick == DIE)
		_exit(0);
	for (i = 0; i < (order.trick == FLOOD ? 5000U : 1U); i++)
		if (order.trick != SILENCE)
			attack(order.channel, order.type,
			    (enum trick)order.trick, session);
	return (1);
}

#define LARGE_OCTETS	30000

/* Net asks for the next one when it has sent this one. */
static void
send_large(uint64_t session)
{
	static char mail[LARGE_OCTETS];
	const struct ipc_data data = { .octets = LARGE_OCTETS,
	    .piped = LARGE_OCTETS };
	struct pollfd next = { CHILD_SESSION, POLLIN, 0 };

	memset(mail, 'x', sizeof(mail));
	(void)ipc_send(CHILD_SESSION, IPC_DATA_FOLLOWS, session, &data,
	    NULL);
	(void)!write(CHILD_DATA, mail, sizeof(mail));
	if (poll(&next, 1, 500) == 0)
		_exit(0);
}

static void
send_data(uint64_t session)
{
	static unsigned int answered;
	struct ipc_data data = { .octets = MAIL_OCTETS, .piped = MAIL_OCTETS,
	    .next = order.trick == HUGE_NEXT ? UINT64_MAX : 0,
	    .next_known = 1, .ahead = order.moment == AT_AHEAD };

	/* The second one was asked for before the client asked. */
	answered++;
	if (answered == 2 && order.moment == AT_AHEAD &&
	    order.trick == TOO_FEW) {
		(void)ipc_send(CHILD_SESSION, IPC_DATA_FOLLOWS, session,
		    &data, NULL);
		(void)!write(CHILD_DATA, MAIL, 4);
		return;
	}
	if (answered == 2 && carried_out(AT_AHEAD, session))
		return;

	if (order.moment == AT_DATA && order.trick == ONE_LESS)
		data.octets = --data.piped;
	if (order.moment == AT_DATA && order.trick == ONE_MORE)
		data.octets = ++data.piped;
	(void)ipc_send(CHILD_SESSION, IPC_DATA_FOLLOWS, session, &data,
	    NULL);
	if (order.moment == AFTER_DATA && order.trick == TOO_MANY)
		(void)!write(CHILD_DATA, MAIL MAIL, 2 * MAIL_OCTETS);
	else if (order.moment == AFTER_DATA)
		(void)!write(CHILD_DATA, MAIL, 4);
	else
		(void)!write(CHILD_DATA, MAIL, MAIL_OCTETS);
	if (order.moment == AFTER_DATA && order.trick == TOO_FEW)
		_exit(0);
	if (order.trick != TOO_MANY)
		(void)carried_out(AFTER_DATA, session);
}

static void
send_size(uint64_t session, uint64_t number)
{
	const struct ipc_octets octets = { number == 1 ? MAIL_OCTETS : 0 };

	(void)ipc_send(CHILD_SESSION, IPC_MESSAGE_SIZE, session, &octets,
	    NULL);
}

/* A mailbox of one message, but for the order. */
static void
answer(uint64_t session)
{
	static const struct ipc_folder_opened opened = { MAIL_OCTETS, 1, 0 };
	static const struct ipc_committed committed = { 0, 0 };
	static const struct ipc_maildrop_state state = { MAIL_OCTETS, 1, 0 };
	static const struct ipc_uid uid = { "x" };

	switch (heard.header.type) {
	case IPC_MAILDROP_OPEN:
		if (!carried_out(AT_OPENED, session))
			(void)ipc_send(CHILD_SESSION, IPC_MAILDROP_STATE,
			    session, &state, NULL);
		(void)carried_out(AFTER_OPENED, session);
		break;
	case IPC_MESSAGE_MARK:
		if (!carried_out(AT_MARKED, session))
			(void)ipc_send(CHILD_SESSION, IPC_MAILDROP_STATE,
			    session, &state, NULL);
		break;
	case IPC_MESSAGE_IDENTIFY:
		if (!carried_out(AT_UID, session))
			(void)ipc_send(CHILD_SESSION, IPC_MESSAGE_UID,
			    session, &uid, NULL);
		break;
	case IPC_FOLDER_OPEN:
		if (!carried_out(AT_OPENED, session))
			(void)ipc_send(CHILD_SESSION, IPC_FOLDER_OPENED,
			    session, &opened, NULL);
		(void)carried_out(AFTER_OPENED, session);
		break;
	case IPC_MESSAGE_MEASURE:
		if (!carried_out(AT_SIZE, session))
			send_size(session, IPC_PAYLOAD(&heard,
			    ipc_message_number)->number);
		break;
	case IPC_MESSAGE_SEND:
	case IPC_MESSAGE_GET:
	case IPC_FOLDER_SEND:
		if (order.trick == DIE_WHEN_STUCK)
			send_large(session);
		else if ((order.trick >= ONE_LESS &&
		    order.trick <= HUGE_NEXT) ||
		    !carried_out(AT_DATA, session))
			send_data(session);
		break;
	case IPC_COMMIT:
		if (!carried_out(AT_COMMITTED, session))
			(void)ipc_send(CHILD_SESSION, IPC_COMMITTED, session,
			    &committed, NULL);
		break;
	default:
		break;
	}
}

static void __attribute__((noreturn))
double_store(void)
{
	uint64_t session;
	char text[80];

	peek(&heard);
	session = heard.header.session;
	if (strcmp(IPC_PAYLOAD(&heard, ipc_store_config)->user, MALLORY) != 0)
		be_the_real_one("postern-store");
	take_settings(NULL);
	(void)fcntl(CHILD_SESSION, F_SETFL, 0);
	if (!read_order("order", text, sizeof(text)) || sscanf(text,
	    "%u %d %u %u", &order.moment, &order.channel, &order.type,
	    &order.trick) != 4)
		_exit(1);
	if (!carried_out(AT_READY, session))
		(void)ipc_send(CHILD_SESSION, IPC_STORE_READY, session, NULL,
		    NULL);
	while (ipc_receive(CHILD_SESSION, &heard) == 1)
		answer(session);
	_exit(0);
}

/* To a store's request: the order, or that it has the lock. */
static void
answer_store(int fd)
{
	static const struct ipc_lock_answer taken = { 0, 0 };
	char text[80];

	if (read_order("parent", text, sizeof(text))) {
		attack(CHILD_CONTROL, (uint32_t)strtoul(text, NULL, 10),
		    RIGHT, 0);
		sleep_ms(PATIENCE_MS);	/* the parent does not wait */
	}
	if (!read_order("order", text, sizeof(text)) || sscanf(text, "%u %u",
	    &order.type, &order.trick) != 2)
		(void)ipc_send(fd, IPC_LOCK_ANSWER, 0, &taken, NULL);
	else if (order.trick == DIE)
		_exit(3);
	else
		attack(fd, order.type, (enum trick)order.trick, 0);
}

/* Attacks MALLORY's store and nobody else's; one that died is real. */
static void __attribute__((noreturn))
double_lock(void)
{
	struct pollfd polled[8] = { { CHILD_CONTROL, POLLIN, 0 } };
	char path[600];
	size_t used = 1, i;
	int mallory[8] = { 0 }, marker;

	(void)snprintf(path, sizeof(path), "%s/done/lock", libexec);
	marker = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (marker == -1)
		be_the_real_one("postern-lock");
	(void)close(marker);
	take_settings(NULL);
	(void)ipc_send(CHILD_CONTROL, IPC_STARTED, 0, NULL, NULL);
	for (;;) {
		if (poll(polled, used, 4 * PATIENCE_MS) <= 0)
			_exit(0);
		for (i = 1; i < used; i++) {
			if (polled[i].revents == 0)
				continue;
			if (ipc_receive(polled[i].fd, &heard) != 1) {
				(void)close(polled[i].fd);
				polled[i].fd = -1;
			} else if (mallory[i])
				answer_store(polled[i].fd);
			else
				attack(polled[i].fd, IPC_LOCK_ANSWER, RIGHT,
				    0);
		}
		if (polled[0].revents == 0)
			continue;
		if (ipc_receive(CHILD_CONTROL, &heard) != 1)
			_exit(0);
		for (i = 1; i < used && polled[i].fd != -1; i++)
			continue;
		if (i == COUNT(polled))
			_exit(1);
		mallory[i] = strcmp(IPC_PAYLOAD(&heard,
		    ipc_store_config)->user, MALLORY) == 0;
		polled[i] = (struct pollfd){ ipc_take_descriptor(&heard, 0),
		    POLLIN, 0 };
		used = i == used ? used + 1 : used;
	}
}

/* An authenticator that grants whatever it is asked, or attacks. */
static void
grant(int net, uint64_t session)
{
	const struct ipc_login *login = IPC_PAYLOAD(&heard, ipc_login);
	struct ipc_login_granted granted;
	char text[80];

	memset(&granted, 0, sizeof(granted));
	granted.net = net_index;
	(void)strlcpy(granted.user, login->user, sizeof(granted.user));
	(void)strlcpy(granted.peer, login->peer, sizeof(granted.peer));
	if (read_order("order", text, sizeof(text)) && sscanf(text,
	    "%u %u", &order.type, &order.trick) == 2) {
		attack(CHILD_CONTROL, order.type, (enum trick)order.trick,
		    session);
		return;
	}
	if (strcmp(login->user, "nameless") == 0)
		granted.user[0] = '\0';
	if (strcmp(login->user, "othernet") == 0)
		granted.net = net_index + 7;
	if (strcmp(login->user, "hugenet") == 0)
		granted.net = UINT32_MAX;
	if (strcmp(login->password, "othersession") == 0)
		session += 1 << 20;
	if (strcmp(login->user, "badanswer") == 0)
		attack(net, IPC_LOGIN_REFUSED, SHORT, session);
	else
		(void)ipc_send(CHILD_CONTROL, IPC_LOGIN_GRANTED, session,
		    &granted, NULL);
}

static void __attribute__((noreturn))
double_auth(void)
{
	struct pollfd polled[2] = { { CHILD_CONTROL, POLLIN, 0 },
	    { -1, POLLIN, 0 } };

	take_settings(&polled[1].fd);
	(void)ipc_send(CHILD_CONTROL, IPC_STARTED, 0, NULL, NULL);
	for (;;) {
		if (poll(polled, 2, 4 * PATIENCE_MS) <= 0)
			_exit(0);
		if (polled[0].revents != 0) {
			if (ipc_receive(CHILD_CONTROL, &heard) != 1)
				_exit(0);
			take_net(&polled[1].fd);
		} else if (ipc_receive(polled[1].fd, &heard) == 1)
			grant(polled[1].fd, heard.header.session);
		else
			polled[1].fd = -1;
	}
}

/* A message of the parent's goes on to the real one; its type. */
static uint32_t
tell_real(int real)
{
	uint32_t type;

	if (ipc_receive(CHILD_CONTROL, &heard) != 1)
		_exit(0);
	type = heard.header.type;
	(void)ipc_send(real, (enum ipc_type)type, heard.header.session,
	    heard.payload.bytes, heard.descriptors);
	ipc_release(&heard);
	return (type);
}

/* Starts the real one beside this one, which is its parent: a channel to it. */
static int
start_real(const char *name, pid_t *pid)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ==
	    -1 || (*pid = fork()) == -1)
		_exit(1);
	if (*pid == 0) {
		(void)dup2(ends[1], CHILD_CONTROL);
		be_the_real_one(name);
	}
	(void)close(ends[1]);
	while (tell_real(ends[0]) != IPC_START)
		continue;
	return (ends[0]);
}

/*
 * Net cannot start without a certificate: the real one serves it, and what it
 * says to the parent goes there.  On "go" comes the order.
 */
static void __attribute__((noreturn))
double_keys(void)
{
	struct pollfd polled[2] = { { CHILD_CONTROL, POLLIN, 0 },
	    { -1, POLLIN, 0 } };
	char text[80];
	pid_t pid;

	polled[1].fd = start_real("postern-keys", &pid);
	while (!order.done) {
		if (poll(polled, 2, 10) == 0 &&
		    read_order("go", text, sizeof(text)))
			order.done = 1;
		if (polled[0].revents != 0)
			(void)tell_real(polled[1].fd);
		if (polled[1].revents == 0)
			continue;
		if (ipc_receive(polled[1].fd, &heard) != 1)
			_exit(1);
		(void)ipc_send(CHILD_CONTROL, (enum ipc_type)heard.header.type,
		    0, heard.payload.bytes, NULL);
	}
	if (!read_order("order", text, sizeof(text)) || sscanf(text, "%u %u",
	    &order.type, &order.trick) != 2)
		_exit(1);
	attack(CHILD_CONTROL, order.type, (enum trick)order.trick, 0);
	for (;;)
		(void)tell_real(polled[1].fd);
}

/* What of a configuration is not told as the real one has read it. */
enum lying {
	CHANGED,		/* a number in a message */
	LEFT_OUT,		/* a message */
	REPEATED,		/* a message, `value` times */
	FAILED,			/* all is told, and the status is `value` */
	KILLED			/* all is told, and it ends by a signal */
};

struct lie {
	enum lying how;
	enum ipc_type type;
	size_t offset, size;
	uint32_t value;
};

static void
change(const struct lie *lie)
{
	const uint16_t low = (uint16_t)lie->value;

	if (lie->size == sizeof(low))
		memcpy(heard.payload.bytes + lie->offset, &low, sizeof(low));
	else
		memcpy(heard.payload.bytes + lie->offset, &lie->value,
		    sizeof(lie->value));
}

/* A message of the real one's goes to the parent, but for the lie. */
static void
pass_on(const struct lie *lie)
{
	const int is_it = heard.header.type == lie->type;
	uint32_t i, times = 1;

	if (is_it && lie->how == CHANGED)
		change(lie);
	if (is_it && lie->how == LEFT_OUT)
		times = 0;
	if (is_it && lie->how == REPEATED)
		times = lie->value;
	for (i = 0; i < times; i++)
		(void)ipc_send(CHILD_CONTROL, heard.header.type, 0,
		    heard.payload.bytes, NULL);
}

/* The order is the lie, or, as for the others, an attack before all else. */
static void __attribute__((noreturn))
double_config(void)
{
	struct lie lie = { FAILED, IPC_TYPES, 0, 0, 0 };
	unsigned int how, type;
	char text[80];
	int real, status;
	pid_t pid;

	real = start_real("postern-config", &pid);
	if (read_order("order", text, sizeof(text)) && sscanf(text, "%u %u",
	    &order.type, &order.trick) == 2)
		attack(CHILD_CONTROL, order.type, (enum trick)order.trick, 0);
	if (read_order("lie", text, sizeof(text)) && sscanf(text,
	    "%u %u %zu %zu %u", &how, &type, &lie.offset, &lie.size,
	    &lie.value) == 5) {
		lie.how = (enum lying)how;
		lie.type = (enum ipc_type)type;
	}
	while (ipc_receive(real, &heard) == 1)
		pass_on(&lie);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(2);
	if (lie.how == KILLED)
		(void)raise(SIGKILL);
	_exit(lie.how == FAILED ? (int)lie.value : 0);
}

/* Before main(): the test's own name gives the test. */
static void __attribute__((constructor))
be_a_double(int argc, char **argv)
{
	static char path[512];
	char *slash;

	if (argc != 1 || (slash = strrchr(argv[0], '/')) == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%.*s", (int)(slash - argv[0]),
	    argv[0]);
	libexec = path;
	if (strcmp(slash, "/postern-net") == 0)
		double_net();
	if (strcmp(slash, "/postern-store") == 0)
		double_store();
	if (strcmp(slash, "/postern-auth") == 0)
		double_auth();
	if (strcmp(slash, "/postern-lock") == 0)
		double_lock();
	if (strcmp(slash, "/postern-keys") == 0)
		double_keys();
	if (strcmp(slash, "/postern-config") == 0)
		double_config();
}

#endif
