/*
 * bad_input_test.c - clients that mean harm, or that are broken, and a good
 * one that is served meanwhile.
 *
 * Every loop is bounded in count and in time; what looks random comes from
 * a fixed seed.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define GREETING	"+ POP2 post.example.org Postern\r\n"
#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

#define SILENT		10000	/* connections that say nothing */
#define SILENT_LEAST	1000	/* with fewer the test says nothing */
#define PER_ADDRESS	1000	/* of them from one address of 127/8 */
#define BYTES_EACH	8192	/* what one may add to the server's memory */
#define SERVED_SECONDS	5.0	/* a good client's whole session */

/* Where a sanitizer's own memory is in the way of the server's. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED	1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED	0
#endif

static const char box[] =
    FROM_LINE("a") "Subject: one\n\nfirst\n\n"
    FROM_LINE("b") "Subject: two\n\nthe second\n\n";

static uint64_t random_state;

/* xorshift64*, so that each run is the same. */
static unsigned int
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((unsigned int)((random_state * 0x2545f4914f6cdd1dULL) >> 32));
}

static double
seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	mailbox_write(server, FRED, box, strlen(box));
	mailbox_write(server, ANN, box, strlen(box));
}

/* A whole session of a good client, soon enough. */
static void
serve_well(const struct server *server)
{
	double began = seconds_now();
	int fd = client_connect(server, 0);

	client_expect(fd, GREETING);
	client_send(fd, "HELO ann " ANN_QUOTED "\r\n");
	client_expect(fd, "#2 messages\r\n");
	client_send(fd, "READ 2\r\n");
	client_expect(fd, "=28 characters\r\n");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: two\r\n\r\nthe second\r\n");
	client_send(fd, "ACKS\r\n");
	client_expect(fd, "=0 no message\r\n");
	client_send(fd, "QUIT\r\n");
	client_expect(fd, "+ OK bye\r\n");
	client_expect_close(fd);
	ATF_CHECK_MSG(seconds_now() - began < SERVED_SECONDS,
	    "a good client waited %.1f s", seconds_now() - began);
}

/* The memory of all network processes, in bytes. */
static long
net_memory(const struct server *server)
{
	int i, count = children_count(server, "postern-net");
	char path[64], line[256];
	long total = 0, kib;
	FILE *file;

	for (i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/status",
		    (int)children_pid(server, "postern-net", i));
		ATF_REQUIRE((file = fopen(path, "r")) != NULL);
		while (fgets(line, sizeof(line), file) != NULL)
			if (sscanf(line, "VmRSS: %ld", &kib) == 1)
				total += kib * 1024;
		(void)fclose(file);
	}
	ATF_REQUIRE(total > 0);
	return (total);
}

/* No process has ended that should not have. */
static void
end_well(struct server *server)
{
	children_must_be(server, "postern-store", 0);
	mailbox_must_be(server, FRED, box, strlen(box));
	mailbox_must_be(server, ANN, box, strlen(box));
	server_stop(server);
	ATF_CHECK(!log_has(server, "event=exit"));
}

/* Sends all, whether it is wanted or not; says that this is the end. */
static void
throw(int fd, const char *octets, size_t length)
{
	ssize_t sent;

	while (length > 0 && (sent = send(fd, octets, length,
	    MSG_NOSIGNAL)) > 0) {
		octets += sent;
		length -= (size_t)sent;
	}
	(void)shutdown(fd, SHUT_WR);
}

/*
 * Reads to the end, which must come.  Of clients who have not logged in all
 * replies are lines of at most 512 octets that begin with + or -.
 */
static void
drain(int fd, int stranger)
{
	char all[65536];
	size_t have = 0, i, begin = 0;
	ssize_t got = 1;

	while (have < sizeof(all) && got > 0) {
		got = recv(fd, all + have, sizeof(all) - have, 0);
		ATF_REQUIRE_MSG(got >= 0 || errno == ECONNRESET,
		    "no end came: %s", strerror(errno));
		have += got > 0 ? (size_t)got : 0;
	}
	ATF_REQUIRE(have < sizeof(all));
	(void)close(fd);
	for (i = 0; stranger && i < have; i++) {
		if (i == begin)
			ATF_REQUIRE_MSG(strchr("+-", all[i]) != NULL,
			    "a reply begins with '%c'", all[i]);
		ATF_REQUIRE((all[i] >= 0x20 && all[i] <= 0x7e) ||
		    all[i] == '\r' || all[i] == '\n');
		ATF_REQUIRE(i - begin < 512);
		if (all[i] == '\n')
			begin = i + 1;
	}
}

ATF_TC_WITHOUT_HEAD(random_octets);
ATF_TC_BODY(random_octets, tc)
{
	struct server server;
	char octets[4096];
	size_t length, i;
	int fd, round;

	(void)tc;
	random_state = 937;
	start(&server, "listen auto 127.0.0.1 port 0\n"
	    "listen pop1 127.0.0.1 port 0\nlisten pop2 127.0.0.1 port 0\n");
	for (round = 0; round < 300; round++) {
		length = next_random() % sizeof(octets) + 1;
		for (i = 0; i < length; i++)
			octets[i] = (char)(next_random() %
			    (round % 3 == 0 ? 256 : round % 3 == 1 ? 128 :
			    16));
		fd = client_connect(&server, round % 3);
		throw(fd, octets, length);
		drain(fd, 1);
		if (round % 100 == 0)
			serve_well(&server);
	}
	serve_well(&server);
	end_well(&server);
}

/*
 * Good sessions with some octets changed, cut or doubled.  None of them has
 * what deletes (ACKD; RCVD), so nothing may be missing afterwards.
 */
static size_t
mutate(const char *good, char *to, size_t size)
{
	size_t length = strlen(good), at, part, i;
	unsigned int changes = next_random() % 4;

	ATF_REQUIRE(length * 2 < size);
	memcpy(to, good, length);
	for (i = 0; i <= changes && length > 2; i++) {
		at = next_random() % (length - 1);
		part = next_random() % (length - at);
		switch (next_random() % 4) {
		case 0:
			to[at] = (char)next_random();
			break;
		case 1:
			length -= part;
			memmove(to + at, to + at + part, length - at);
			break;
		case 2:
			if (length + part < size) {
				memmove(to + at + part, to + at, length - at);
				length += part;
			}
			break;
		default:
			to[at] = "\r\n\\ 0\0"[next_random() % 6];
			break;
		}
	}
	return (length);
}

ATF_TC_WITHOUT_HEAD(damaged_sessions);
ATF_TC_BODY(damaged_sessions, tc)
{
	static const char *const good[] = {
		"HELO fred secret\r\nREAD 1\r\nRETR\r\nACKS\r\nRETR\r\nNACK"
		"\r\nFOLD work\r\nREAD 12\r\nFOLD INBOX\r\nREAD\r\nQUIT\r\n",
		"USER fred\r\nPASS secret\r\nRETR INBOX\r\nRCEV\r\nRSET\r\n"
		"RDEL INBOX\r\nRCEV\r\nRSET\r\nNOOP\r\nRETR work\r\nQUIT\r\n",
	};
	struct server server;
	char octets[1024];
	size_t length;
	int fd, round;

	(void)tc;
	random_state = 918;
	start(&server, NULL);
	for (round = 0; round < 200; round++) {
		length = mutate(good[round % 2], octets, sizeof(octets));
		fd = client_connect(&server, 0);
		throw(fd, octets, length);
		drain(fd, 0);
		if (round % 50 == 0)
			serve_well(&server);
	}
	serve_well(&server);
	end_well(&server);
}

/* A line that does not end: an error once it is too long, and the close. */
static void
long_line(const struct server *server, int port, const char *before,
    const char *begin, char fill, const char *error)
{
	static char line[1024 * 1024];
	char reply[512];
	int fd = client_connect(server, port);

	memset(line, fill, sizeof(line));
	memcpy(line, begin, strlen(begin));
	client_expect_line(fd, "+");
	if (before[0] != '\0') {
		client_send(fd, before);
		client_expect_line(fd, "#2");
	}
	throw(fd, line, sizeof(line));
	client_line(fd, reply, sizeof(reply));
	ATF_CHECK_STREQ(reply, error);
	client_expect_close(fd);
}

ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	static const char error[] = "- the line is longer than 512 octets";
	struct server server;
	long before;
	int round;

	(void)tc;
	start(&server, "net-processes 1\nlisten auto 127.0.0.1 port 0\n"
	    "listen pop1 127.0.0.1 port 0\n");
	serve_well(&server);
	before = net_memory(&server);
	for (round = 0; round < 5; round++) {
		long_line(&server, 0, "", "", 'A', error);
		long_line(&server, 0, "", "HELO ", 'A', error);
		long_line(&server, 0, "", "HELO x ", '\\', error);
		long_line(&server, 0, "", "QUIT", ' ', error);
		long_line(&server, 0, "", "", '\0', error);
		long_line(&server, 0, "", "", '\r', error);
		long_line(&server, 1, "", "USER ", 'A',
		    "-ERR the line is longer than 512 octets");
		long_line(&server, 0, "HELO fred secret\r\n", "FOLD ", '/',
		    error);
		long_line(&server, 0, "HELO fred secret\r\n", "READ ", '9',
		    error);
		children_must_be(&server, "postern-store", 0);
	}
	serve_well(&server);
	ATF_CHECK_MSG(SANITIZED || net_memory(&server) - before < 1024 * 1024,
	    "memory grew from %ld to %ld", before, net_memory(&server));
	end_well(&server);
}

/* From many addresses of 127/8, so that no one runs out of ports. */
static int
connect_from(const struct server *server, int number)
{
	static const struct timeval patience = { 10, 0 };
	static const struct linger reset = { 1, 0 };
	struct sockaddr_in address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	ATF_REQUIRE_MSG(fd != -1, "%s", strerror(errno));
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(0x7f000100U +
	    (unsigned int)(number / PER_ADDRESS) + 1);
#ifdef IP_BIND_ADDRESS_NO_PORT
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
#endif
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)server->ports[0]);
	ATF_REQUIRE_MSG(connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0, "connection %d: %s", number,
	    strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* Ports that rest for a minute would be missing in the next run. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return (fd);
}

/* How many connections this process, and the daemon it starts, may have. */
static int
allowed_connections(void)
{
	struct rlimit limit;
	rlim_t wanted = SILENT + 1000;

	limit.rlim_cur = limit.rlim_max = 2 * wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
		ATF_REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	ATF_REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	return (limit.rlim_cur >= wanted ? SILENT :
	    limit.rlim_cur < 1000 ? 0 : (int)limit.rlim_cur - 1000);
}

static void
open_silent(const struct server *server, int *fds, int count)
{
	int i, greeted = 0;

	for (i = 0; i < count; i++) {
		fds[i] = connect_from(server, i);
		/* Not more in the queue than it holds. */
		while (i - greeted > 100)
			client_expect(fds[greeted++], GREETING);
		if (i % 2000 == 1999)
			serve_well(server);
	}
	while (greeted < count)
		client_expect(fds[greeted++], GREETING);
}

/* Is it still there, with nothing said to it? */
static int
is_quiet(int fd)
{
	char octet;

	return (recv(fd, &octet, 1, MSG_DONTWAIT | MSG_PEEK) == -1 &&
	    errno == EAGAIN);
}

static void
check_memory(long before, long after, int count)
{
	(void)printf("%d connections: %ld bytes each\n", count,
	    (after - before) / count);
	(void)fflush(stdout);
	ATF_CHECK_MSG(SANITIZED || (after - before) / count < BYTES_EACH,
	    "%ld bytes for each connection", (after - before) / count);
}

ATF_TC_WITHOUT_HEAD(silent_connections);
ATF_TC_BODY(silent_connections, tc)
{
	static int fds[SILENT];
	struct server server;
	long before;
	int i, count = allowed_connections();

	(void)tc;
	if (count < SILENT_LEAST)
		atf_tc_skip("the limit of open files allows %d connections",
		    count);
	start(&server, "login-timeout 600\nmax-sessions 50\n");
	serve_well(&server);
	before = net_memory(&server);
	open_silent(&server, fds, count);
	serve_well(&server);
	check_memory(before, net_memory(&server), count);
	/* They were not dropped for the good clients' sake. */
	for (i = 0; i < count; i += 500)
		ATF_CHECK(is_quiet(fds[i]));
	for (i = 0; i < count; i++)
		(void)close(fds[i]);
	serve_well(&server);
	end_well(&server);
	if (count < SILENT)
		atf_tc_skip("all is well, but with %d connections only: the "
		    "limit of open files", count);
}

/* More connections than there may be: the oldest stranger makes room. */
ATF_TC_WITHOUT_HEAD(oldest_dropped);
ATF_TC_BODY(oldest_dropped, tc)
{
	struct server server;
	int fds[60], i;

	(void)tc;
	start(&server, "net-processes 1\nmax-connections 20\n");
	for (i = 0; i < 60; i++) {
		fds[i] = connect_from(&server, i);
		client_expect(fds[i], GREETING);
		if (i < 20)
			continue;
		client_expect_line(fds[i - 20], "- too many connections");
		client_expect_close(fds[i - 20]);
		ATF_CHECK(is_quiet(fds[i - 19]));
	}
	serve_well(&server);
	client_expect_line(fds[40], "- too many connections");
	client_expect_close(fds[40]);
	for (i = 43; i < 60; i++) {
		ATF_CHECK(is_quiet(fds[i]));
		client_send(fds[i], "QUIT\r\n");
		client_expect(fds[i], "+ OK bye\r\n");
		client_expect_close(fds[i]);
	}
	(void)close(fds[41]);
	(void)close(fds[42]);
	end_well(&server);
}

/* Who has logged in stays, and where all have no one else comes in. */
ATF_TC_WITHOUT_HEAD(users_stay);
ATF_TC_BODY(users_stay, tc)
{
	struct server server;
	int fds[20], fred, ann, i;

	(void)tc;
	start(&server, "net-processes 1\nmax-connections 2\n");
	fred = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	for (i = 0; i < 20; i++) {
		fds[i] = connect_from(&server, i);
		client_expect(fds[i], GREETING);
	}
	for (i = 0; i < 19; i++) {
		client_expect_line(fds[i], "- too many connections");
		client_expect_close(fds[i]);
	}
	serve_well(&server);
	client_expect_line(fds[19], "- too many connections");
	client_expect_close(fds[19]);
	ann = pop2_login(&server, 0, ANN, ANN_QUOTED, "#2");
	for (i = 0; i < 20; i++)
		client_expect_close(connect_from(&server, i));
	client_say(ann, "READ 1", "=23");
	client_say(ann, "QUIT", "+ OK bye");
	client_expect_close(ann);
	client_say(fred, "READ 1", "=23");
	serve_well(&server);
	client_say(fred, "QUIT", "+ OK bye");
	client_expect_close(fred);
	end_well(&server);
}

/* Who has said QUIT and does not close is in nobody's way. */
ATF_TC_WITHOUT_HEAD(finished_make_room);
ATF_TC_BODY(finished_make_room, tc)
{
	struct server server;
	int user, stranger;

	(void)tc;
	start(&server, "net-processes 1\nmax-connections 2\n");
	user = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	client_send(user, "QUIT\r\n");
	client_expect(user, "+ OK bye\r\n");
	stranger = client_connect(&server, 0);
	client_send(stranger, "QUIT\r\n");
	client_expect(stranger, GREETING "+ OK bye\r\n");
	serve_well(&server);
	(void)close(user);
	(void)close(stranger);
	user = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#2");
	stranger = pop2_login(&server, 0, ANN, ANN_QUOTED, "#2");
	client_send(user, "QUIT\r\n");
	client_send(stranger, "QUIT\r\n");
	client_expect(user, "+ OK bye\r\n");
	client_expect(stranger, "+ OK bye\r\n");
	serve_well(&server);
	(void)close(user);
	(void)close(stranger);
	end_well(&server);
}

/* Two hundred who send an octet at a time, in turn. */
ATF_TC_WITHOUT_HEAD(slow_writers);
ATF_TC_BODY(slow_writers, tc)
{
	static const char text[] = "USER a-name-that-takes-its-time-to-come"
	    "\r\nNOOPS\r\nQUIT\r\n";
	struct server server;
	int fds[200];
	size_t at, i;

	(void)tc;
	start(&server, NULL);
	for (i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = connect_from(&server, (int)i);
		client_expect(fds[i], GREETING);
	}
	for (at = 0; text[at] != '\0'; at++) {
		for (i = 0; i < COUNT_OF(fds); i++)
			client_send_bytes(fds[i], text + at, 1);
		if (at % 10 == 0)
			serve_well(&server);
	}
	for (i = 0; i < COUNT_OF(fds); i++) {
		client_expect(fds[i], "+OK\r\n-ERR unknown command\r\n"
		    "+OK\r\n");
		client_expect_close(fds[i]);
	}
	end_well(&server);
}

/* Commands without end whose replies nobody reads, for two seconds. */
ATF_TC_WITHOUT_HEAD(never_reads);
ATF_TC_BODY(never_reads, tc)
{
	static char flood[16384];
	struct server server;
	double until;
	long before;
	int fds[20];
	size_t i;

	(void)tc;
	for (i = 0; i + 6 <= sizeof(flood); i += 6)
		memcpy(flood + i, "NOOP\r\n", 6);
	start(&server, "net-processes 1\nlisten auto 127.0.0.1 port 0\n"
	    "listen pop1 127.0.0.1 port 0\n");
	serve_well(&server);
	before = net_memory(&server);
	for (i = 0; i < COUNT_OF(fds); i++)
		fds[i] = client_connect(&server, 1);
	for (until = seconds_now() + 2; seconds_now() < until;)
		for (i = 0; i < COUNT_OF(fds); i++)
			(void)send(fds[i], flood, sizeof(flood) / 6 * 6,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	serve_well(&server);
	ATF_CHECK_MSG(SANITIZED || net_memory(&server) - before < 1024 * 1024,
	    "memory grew from %ld to %ld", before, net_memory(&server));
	for (i = 0; i < COUNT_OF(fds); i++)
		(void)close(fds[i]);
	end_well(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, random_octets);
	ATF_TP_ADD_TC(tp, damaged_sessions);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, silent_connections);
	ATF_TP_ADD_TC(tp, oldest_dropped);
	ATF_TP_ADD_TC(tp, users_stay);
	ATF_TP_ADD_TC(tp, finished_make_room);
	ATF_TP_ADD_TC(tp, slow_writers);
	ATF_TP_ADD_TC(tp, never_reads);
	return (atf_no_error());
}
