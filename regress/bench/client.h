/*
 * client.h - a client of POP3, POP2 or POP1 that compares every octet.
 *
 * What is not as it must be ends the program (load_failed).  Reads wait in
 * poll(2), at most CLIENT_PATIENCE_MS; waits that look like a delayed ACK are
 * counted.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <netinet/in.h>

#include <stddef.h>
#include <stdint.h>

#include "mail.h"

#define CLIENT_PATIENCE_MS	60000

enum client_protocol {
	CLIENT_POP1,
	CLIENT_POP2,
	CLIENT_POP3
};

struct client_to {
	enum client_protocol protocol;
	struct in_addr address;		/* of the server */
	int port;
	int quick;		/* ask for quick ACKs, else for delayed ones */
	int at_once;		/* POP2: RETR goes with ACKS */
};

struct client {
	const struct client_to *to;
	int fd;
	char *buffer;
	size_t size, begin, end;
	unsigned int stalls;	/* waits of 30 to 60 ms */
};

/*
 * Connects, from 127.0.0.(2 + source % 250), and takes the greeting.  A
 * client that will get mail has a large buffer.
 */
void	load_open(struct client *client, const struct client_to *to,
	    unsigned int source, int large);
void	load_close(struct client *client);

/* Sends a line, CRLF added. */
void	load_send(struct client *client, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* Takes a line, without its end, that must begin with `with`. */
void	load_line(struct client *client, const char *with, char *line,
	    size_t size);

/* Takes what is expected, to its end, and compares it. */
void	load_take(struct client *client, struct expected *expected);

/*
 * Logs in and learns how many messages (POP1: octets) there are; a wrong
 * password must be refused.
 */
uint64_t load_login(struct client *client, const char *user,
	    const char *password);
void	load_refused(struct client *client, const char *user);

/* Fetches all of a set and compares it; returns the octets of the mail. */
uint64_t load_fetch(struct client *client, const struct mail_set *set);

void	load_quit(struct client *client);

/* Ends the program; the test has one of its own. */
extern void (*load_failed)(const char *reason);

#endif
