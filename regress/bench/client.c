/*
 * client.c - a client of POP3, POP2 or POP1 that compares every octet.
 *
 * Linked into bench_load and its test; runs as whoever runs the bench.
 */
#include <sys/socket.h>

#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "measure.h"

#define BUFFER_LARGE	262144
#define BUFFER_SMALL	1024

/* Linux delays an ACK by 40 ms. */
#define STALL_LEAST	0.030
#define STALL_MOST	0.060

static void __attribute__((noreturn))
end_program(const char *reason)
{
	errx(1, "%s", reason);
}

void (*load_failed)(const char *reason) = end_program;

static void __attribute__((format(printf, 1, 2)))
fail(const char *format, ...)
{
	char reason[600];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	load_failed(reason);
	abort();
}

/* The kernel forgets this at each turn, so it is said at each turn. */
static void
set_acks(const struct client *client)
{
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_QUICKACK,
	    &client->to->quick, sizeof(client->to->quick));
}

void
load_open(struct client *client, const struct client_to *to,
    unsigned int source, int large)
{
	struct sockaddr_in from, address;
	int on = 1;

	memset(client, 0, sizeof(*client));
	client->to = to;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client->size = large ? BUFFER_LARGE : BUFFER_SMALL;
	client->buffer = malloc(client->size);
	if (client->fd == -1 || client->buffer == NULL)
		fail("socket: %s", strerror(errno));
	memset(&from, 0, sizeof(from));
	from.sin_family = AF_INET;
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source % 250);
	address = from;
	address.sin_addr = to->address;
	address.sin_port = htons((uint16_t)to->port);
	(void)setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on));
	if (bind(client->fd, (struct sockaddr *)&from, sizeof(from)) == -1 ||
	    connect(client->fd, (struct sockaddr *)&address,
	    sizeof(address)) == -1)
		fail("connect: %s", strerror(errno));
	set_acks(client);
	load_line(client, "+", NULL, 0);
}

void
load_close(struct client *client)
{
	(void)close(client->fd);
	free(client->buffer);
	client->buffer = NULL;
}

void
load_send(struct client *client, const char *format, ...)
{
	char line[600];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 2, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(line) - 2)
		fail("a line does not fit");
	memcpy(line + length, "\r\n", 2);
	if (send(client->fd, line, (size_t)length + 2, MSG_NOSIGNAL) !=
	    length + 2)
		fail("send %.4s: %s", line, strerror(errno));
}

/* More octets; what is there is moved to the front. */
static void
fill(struct client *client)
{
	struct pollfd polled = { client->fd, POLLIN, 0 };
	double began = measure_now(), waited;
	ssize_t got;

	memmove(client->buffer, client->buffer + client->begin,
	    client->end - client->begin);
	client->end -= client->begin;
	client->begin = 0;
	if (client->end == client->size)
		fail("a line is too long");
	if (poll(&polled, 1, CLIENT_PATIENCE_MS) != 1)
		fail("nothing came for a minute");
	waited = measure_now() - began;
	client->stalls += waited >= STALL_LEAST && waited <= STALL_MOST;
	got = recv(client->fd, client->buffer + client->end,
	    client->size - client->end, 0);
	if (got <= 0)
		fail("recv: %s", got == 0 ? "the end" : strerror(errno));
	client->end += (size_t)got;
	set_acks(client);
}

void
load_line(struct client *client, const char *with, char *line, size_t size)
{
	const char *text, *feed;
	size_t length;

	for (;;) {
		text = client->buffer + client->begin;
		feed = memchr(text, '\n', client->end - client->begin);
		if (feed != NULL)
			break;
		fill(client);
	}
	length = (size_t)(feed - text) + 1;
	if (length < 2 || feed[-1] != '\r' || length - 2 < strlen(with) ||
	    memcmp(text, with, strlen(with)) != 0)
		fail("expected \"%s\", got \"%.*s\"", with, (int)length, text);
	if (line != NULL) {
		if (length - 2 >= size)
			fail("a line is too long");
		memcpy(line, text, length - 2);
		line[length - 2] = '\0';
	}
	client->begin += length;
}

void
load_take(struct client *client, struct expected *expected)
{
	const char *piece;
	size_t length, have;

	while ((length = expected_piece(expected, &piece)) > 0) {
		if (client->begin == client->end)
			fill(client);
		have = client->end - client->begin;
		if (length > have)
			length = have;
		if (memcmp(client->buffer + client->begin, piece, length) != 0)
			fail("message %u is not what it must be",
			    expected->number);
		client->begin += length;
		expected_taken(expected, length);
	}
}

/* The first number of a line. */
static uint64_t
number_in(const char *line)
{
	line += strcspn(line, "0123456789");
	return (strtoull(line, NULL, 10));
}

static void
send_login(struct client *client, const char *user, const char *password,
    const char *reply)
{
	if (client->to->protocol == CLIENT_POP2) {
		load_send(client, "HELO %s %s", user, password);
		return;
	}
	load_send(client, "USER %s", user);
	load_line(client, "+OK", NULL, 0);
	load_send(client, "PASS %s", password);
	load_line(client, reply, NULL, 0);
}

uint64_t
load_login(struct client *client, const char *user, const char *password)
{
	static const char *const count[] = { "RETR INBOX", NULL, "STAT" };
	static const char *const replies[] = { "#", "#", "+OK" };
	const enum client_protocol protocol = client->to->protocol;
	char line[512];

	send_login(client, user, password, "+OK");
	if (count[protocol] != NULL)
		load_send(client, "%s", count[protocol]);
	load_line(client, replies[protocol], line, sizeof(line));
	return (number_in(line));
}

void
load_refused(struct client *client, const char *user)
{
	send_login(client, user, "wrong", "-ERR");
	if (client->to->protocol == CLIENT_POP2)
		load_line(client, "-", NULL, 0);
}

/* POP3: each by RETR. */
static uint64_t
fetch_pop3(struct client *client, const struct mail_set *set)
{
	struct expected expected;
	uint64_t octets = 0;
	uint32_t i, number = 1;

	for (i = 1; i <= set->messages; i += set->step) {
		load_send(client, "RETR %u", number++);
		load_line(client, "+OK", NULL, 0);
		expected_message(&expected, set, i, FORM_DOTS);
		load_take(client, &expected);
		octets += mail_octets(set, i, FORM_WIRE);
	}
	return (octets);
}

/*
 * POP2: READ, then RETR and ACKS for each; the octets must be right.  At once:
 * a client that knows from its login that there is another message asks for it
 * with the ACKS.
 */
static uint64_t
fetch_pop2(struct client *client, const struct mail_set *set)
{
	struct expected expected;
	uint64_t octets = 0;
	int asked = 0, at_once = client->to->at_once;
	char line[512];
	uint32_t i;

	load_send(client, "READ 1");
	for (i = 1; i <= set->messages; i += set->step) {
		load_line(client, "=", line, sizeof(line));
		if (number_in(line) != mail_octets(set, i, FORM_WIRE))
			fail("message %u: %s octets are announced", i, line);
		if (!asked)
			load_send(client, "RETR");
		expected_message(&expected, set, i, FORM_WIRE);
		load_take(client, &expected);
		asked = at_once && set->messages - i >= set->step;
		load_send(client, asked ? "ACKS\r\nRETR" : "ACKS");
		octets += mail_octets(set, i, FORM_WIRE);
	}
	load_line(client, "=0", NULL, 0);
	return (octets);
}

/* POP1: all at once; its login has asked for it. */
static uint64_t
fetch_pop1(struct client *client, const struct mail_set *set)
{
	struct expected expected;

	load_send(client, "RCEV");
	expected_mbox(&expected, set);
	load_take(client, &expected);
	load_send(client, "RCVD");
	load_line(client, "+OK", NULL, 0);
	return (mail_mbox_octets(set));
}

uint64_t
load_fetch(struct client *client, const struct mail_set *set)
{
	static uint64_t (*const fetches[])(struct client *,
	    const struct mail_set *) = { fetch_pop1, fetch_pop2, fetch_pop3 };

	return (fetches[client->to->protocol](client, set));
}

void
load_quit(struct client *client)
{
	load_send(client, "QUIT");
	load_line(client, "+", NULL, 0);
	load_close(client);
}
