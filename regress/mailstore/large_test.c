/*
 * large_test.c - many messages, and large ones, in little memory.
 *
 * Memory grows with the number of messages, by under 100 bytes each, and
 * never with their octets: a message of 1 GB streams.  Its file is sparse; a
 * hole is NUL octets without a line's end.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define FEW		10
#define MANY		200000
#define BYTES_A_MESSAGE	100
#define STREAM_KB	(16 * 1024)	/* over what a small mailbox takes */
#ifdef POSTERN_SANITIZED
#define HOLE		(1ULL << 27)	/* it is slow */
#else
#define HOLE		(1ULL << 30)
#endif
#define DISK_FREE	(2ULL << 30)

#define FROM	"From ann@example.org Sat Nov 21 23:33:00 2026"
#define BEFORE	FROM "\nSubject: small\n\nbefore\n\n"
#define HEAD	FROM "\nSubject: large\n\n"
#define TAIL	"\nthe first line\nthe second line\n\n"
#define AFTER	FROM "\nSubject: small\n\nafter\n"

#define FROM_WIRE	FROM "\r\n"
#define BEFORE_WIRE	"Subject: small\r\n\r\nbefore\r\n"
#define HEAD_WIRE	"Subject: large\r\n\r\n"
#define TAIL_WIRE	"\r\nthe first line\r\nthe second line\r\n"
#define AFTER_WIRE	"Subject: small\r\n\r\nafter\r\n"

#define OCTETS(wire)	(sizeof(wire) - 1)
#define LARGE_OCTETS	(OCTETS(HEAD_WIRE) + HOLE + OCTETS(TAIL_WIRE))
#define WHOLE_OCTETS	(3 * OCTETS(FROM_WIRE) + OCTETS(BEFORE_WIRE) + 2 + \
			LARGE_OCTETS + 2 + OCTETS(AFTER_WIRE))

static void
skip_memory_under_sanitizers(void)
{
#ifdef POSTERN_SANITIZED
	atf_tc_skip("a sanitizer's own memory hides the figures");
#endif
}

/* A figure of /proc/PID/status, in KiB. */
static long
memory_kb(pid_t pid, const char *name)
{
	char path[64], line[256];
	long kb = -1;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	ATF_REQUIRE((file = fopen(path, "r")) != NULL);
	while (kb == -1 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 &&
		    line[strlen(name)] == ':')
			kb = atol(line + strlen(name) + 1);
	(void)fclose(file);
	ATF_REQUIRE_MSG(kb > 0, "no %s of %d", name, (int)pid);
	return (kb);
}

/* The most that any process of this name has had. */
static long
peak_kb(const struct server *server, const char *name)
{
	int i, count = children_count(server, name);
	long kb, most = 0;

	for (i = 0; i < count; i++) {
		kb = memory_kb(children_pid(server, name, i), "VmHWM");
		if (kb > most)
			most = kb;
	}
	ATF_REQUIRE(most > 0);
	return (most);
}

static void
write_small(const struct server *server, size_t count)
{
	size_t i, room = count * 90, length = 0;
	char *bytes = malloc(room);
	int part;

	ATF_REQUIRE(bytes != NULL);
	for (i = 0; i < count; i++) {
		part = snprintf(bytes + length, room - length,
		    FROM "\nSubject: %zu\n\ntext\n\n", i);
		ATF_REQUIRE(part > 0 && (size_t)part < room - length);
		length += (size_t)part;
	}
	mailbox_write(server, FRED, bytes, length);
	free(bytes);
}

struct memory {
	long resident, peak;		/* KiB */
};

/* What the store of a session with `count` messages takes. */
static struct memory
memory_of(const struct server *server, size_t count)
{
	struct memory memory;
	char reply[40];
	pid_t store;
	int fd;

	write_small(server, count);
	(void)snprintf(reply, sizeof(reply), "#%zu ", count);
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, reply);
	(void)snprintf(reply, sizeof(reply), "READ %zu", count);
	client_say(fd, reply, "=");
	store = children_pid(server, "postern-store", 0);
	memory.resident = memory_kb(store, "VmRSS");
	memory.peak = memory_kb(store, "VmHWM");
	client_say(fd, "QUIT", "+ OK");
	client_expect_close(fd);
	children_must_be(server, "postern-store", 0);
	(void)printf("%zu messages: VmRSS %ld kB, VmHWM %ld kB\n", count,
	    memory.resident, memory.peak);
	return (memory);
}

ATF_TC_WITHOUT_HEAD(many_messages);
ATF_TC_BODY(many_messages, tc)
{
	const long most = (long)MANY * BYTES_A_MESSAGE / 1024;
	struct server server;
	struct memory few, many;

	(void)tc;
	skip_memory_under_sanitizers();
	server_start(&server, NULL);
	few = memory_of(&server, FEW);
	many = memory_of(&server, MANY);
	ATF_REQUIRE_MSG(many.resident - few.resident < most,
	    "VmRSS grew by %ld kB", many.resident - few.resident);
	ATF_REQUIRE_MSG(many.peak - few.peak < most,
	    "VmHWM grew by %ld kB", many.peak - few.peak);
	server_stop(&server);
}

/* Many messages are all there, and are all deleted. */
ATF_TC_WITHOUT_HEAD(many_deleted);
ATF_TC_BODY(many_deleted, tc)
{
	static char buffer[1 << 16];
	struct server server;
	char line[80];
	uint64_t octets;
	size_t part;
	int fd;

	(void)tc;
	server_start(&server, NULL);
	write_small(&server, MANY);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	client_send(fd, "RDEL inbox\r\n");
	client_line(fd, line, sizeof(line));
	ATF_REQUIRE(line[0] == '#');
	octets = strtoull(line + 1, NULL, 10);
	ATF_REQUIRE(octets > (uint64_t)MANY * 60);
	client_send(fd, "RCEV\r\n");
	for (; octets > 0; octets -= part) {
		part = octets < sizeof(buffer) ? (size_t)octets :
		    sizeof(buffer);
		client_read(fd, buffer, part);
	}
	client_say(fd, "RCVD", "+OK");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, "", 0);
	log_must_have(&server, "deleted=200000");
	server_stop(&server);
}

static void
need_disk(void)
{
	struct statvfs status;

	ATF_REQUIRE(statvfs(".", &status) == 0);
	if ((uint64_t)status.f_bavail * status.f_frsize < DISK_FREE)
		atf_tc_skip("less than 2 GB free on the disk");
}

static void
append(int fd, const char *bytes)
{
	ATF_REQUIRE(write(fd, bytes, strlen(bytes)) ==
	    (ssize_t)strlen(bytes));
}

/* A small message, a large one with a hole in it, and a small one. */
static void
write_large(const struct server *server)
{
	const char *path = mailbox_path(server, FRED);
	struct stat status;
	int fd;

	mailbox_write(server, FRED, BEFORE HEAD, strlen(BEFORE HEAD));
	ATF_REQUIRE((fd = open(path, O_WRONLY)) != -1);
	ATF_REQUIRE(lseek(fd, (off_t)(strlen(BEFORE HEAD) + HOLE),
	    SEEK_SET) != -1);
	append(fd, TAIL AFTER);
	ATF_REQUIRE(fstat(fd, &status) == 0);
	ATF_REQUIRE(close(fd) == 0);
	if ((uint64_t)status.st_blocks * 512 > HOLE / 2)
		atf_tc_skip("this file system has no sparse files");
}

/* `length` NUL octets, and not one of another kind. */
static void
expect_hole(int fd, uint64_t length)
{
	static char buffer[1 << 18];
	static const char nothing[sizeof(buffer)];
	size_t part;
	ssize_t got;

	while (length > 0) {
		part = length < sizeof(buffer) ? (size_t)length :
		    sizeof(buffer);
		got = recv(fd, buffer, part, 0);
		ATF_REQUIRE_MSG(got > 0, "the end, with %llu octets left",
		    (unsigned long long)length);
		ATF_REQUIRE(memcmp(buffer, nothing, (size_t)got) == 0);
		length -= (uint64_t)got;
	}
}

static void
must_stay_small(const struct server *server, const char *name, long before)
{
#ifndef POSTERN_SANITIZED
	long now = peak_kb(server, name);

	(void)printf("%s: VmHWM %ld kB, was %ld kB\n", name, now, before);
	ATF_REQUIRE_MSG(now - before < STREAM_KB, "%s grew by %ld kB", name,
	    now - before);
#else
	(void)server;
	(void)name;
	(void)before;
#endif
}

/* Peaks of a session with a small mailbox. */
static void
measure_small(const struct server *server, long *store, long *net)
{
	int fd;

	mailbox_write(server, FRED, BEFORE, strlen(BEFORE));
	fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#1 ");
	client_say(fd, "READ", "=");
	client_send(fd, "RETR\r\n");
	client_expect(fd, BEFORE_WIRE);
	client_say(fd, "ACKS", "=0");
	*store = peak_kb(server, "postern-store");
	*net = peak_kb(server, "postern-net");
	client_say(fd, "QUIT", "+ OK");
	client_expect_close(fd);
	children_must_be(server, "postern-store", 0);
}

/* All of it, and the delete of the large message alone. */
static void
stream_pop2(int fd)
{
	char size[40];

	(void)snprintf(size, sizeof(size), "=%llu ",
	    (unsigned long long)LARGE_OCTETS);
	client_say(fd, "READ 2", size);
	client_send(fd, "RETR\r\n");
	client_expect(fd, HEAD_WIRE);
	expect_hole(fd, HOLE);
	client_expect(fd, TAIL_WIRE);
	(void)snprintf(size, sizeof(size), "=%zu ", OCTETS(AFTER_WIRE));
	client_say(fd, "ACKD", size);
	client_send(fd, "RETR\r\n");
	client_expect(fd, AFTER_WIRE);
	client_say(fd, "ACKS", "=0");
}

ATF_TC(large_message_pop2);
ATF_TC_HEAD(large_message_pop2, tc)
{
	atf_tc_set_md_var(tc, "timeout", "200");
}
ATF_TC_BODY(large_message_pop2, tc)
{
	struct server server;
	long store, net;
	int fd;

	(void)tc;
	need_disk();
	server_start(&server, NULL);
	measure_small(&server, &store, &net);
	write_large(&server);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#3 ");
	stream_pop2(fd);
	must_stay_small(&server, "postern-store", store);
	must_stay_small(&server, "postern-net", net);
	client_say(fd, "QUIT", "+ OK");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, BEFORE AFTER, strlen(BEFORE AFTER));
	server_stop(&server);
}

static void
stream_pop1(int fd)
{
	char size[40];

	(void)snprintf(size, sizeof(size), "#%llu",
	    (unsigned long long)WHOLE_OCTETS);
	client_say(fd, "RDEL inbox", size);
	client_send(fd, "RCEV\r\n");
	client_expect(fd, FROM_WIRE BEFORE_WIRE "\r\n" FROM_WIRE HEAD_WIRE);
	expect_hole(fd, HOLE);
	client_expect(fd, TAIL_WIRE "\r\n" FROM_WIRE AFTER_WIRE);
}

ATF_TC(large_message_pop1);
ATF_TC_HEAD(large_message_pop1, tc)
{
	atf_tc_set_md_var(tc, "timeout", "200");
}
ATF_TC_BODY(large_message_pop1, tc)
{
	struct server server;
	long store, net;
	int fd;

	(void)tc;
	need_disk();
	server_start(&server, NULL);
	measure_small(&server, &store, &net);
	write_large(&server);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	stream_pop1(fd);
	must_stay_small(&server, "postern-store", store);
	must_stay_small(&server, "postern-net", net);
	client_say(fd, "RCVD", "+OK");
	mailbox_must_be(&server, FRED, "", 0);
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	server_stop(&server);
}

/* A client that reads nothing of a large message costs no memory either. */
ATF_TC_WITHOUT_HEAD(large_message_unread);
ATF_TC_BODY(large_message_unread, tc)
{
	struct server server;
	long store, net;
	int fd;

	(void)tc;
	skip_memory_under_sanitizers();
	need_disk();
	server_start(&server, NULL);
	measure_small(&server, &store, &net);
	write_large(&server);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#3 ");
	client_say(fd, "READ 2", "=");
	client_send(fd, "RETR\r\n");
	client_expect(fd, HEAD_WIRE);
	(void)usleep(1000000);
	must_stay_small(&server, "postern-store", store);
	must_stay_small(&server, "postern-net", net);
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
}

/* Nor does a mailbox that takes hours to read, for a client that has gone. */
ATF_TC_WITHOUT_HEAD(abandoned);
ATF_TC_BODY(abandoned, tc)
{
	static const char one[] = "From a@b Sat Nov 21 23:33:00 2026\n\nx";
	struct server server;
	char path[600];
	int fd;

	(void)tc;
	server_start(&server, NULL);
	folder_write(&server, FRED, "mail/long", one, strlen(one));
	(void)snprintf(path, sizeof(path), "%s/home/%s/mail/long",
	    server.directory, FRED);
	if (truncate(path, (off_t)4 << 40) == -1)
		atf_tc_skip("no file of that size can be made here");
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	client_send(fd, "FOLD long\r\n");
	(void)usleep(200000);
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, many_messages);
	ATF_TP_ADD_TC(tp, many_deleted);
	ATF_TP_ADD_TC(tp, large_message_pop2);
	ATF_TP_ADD_TC(tp, large_message_pop1);
	ATF_TP_ADD_TC(tp, large_message_unread);
	ATF_TP_ADD_TC(tp, abandoned);
	return (atf_no_error());
}
