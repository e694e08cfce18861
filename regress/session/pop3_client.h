/*
 * pop3_client.h - what the tests of POP3 have in common.
 *
 * Test code alone.
 */
#ifndef POP3_CLIENT_H
#define POP3_CLIENT_H

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define POP3	"listen pop3 127.0.0.1 port 0\n"

/* USER and PASS are POP1's. */
static inline int
pop3_login(const struct server *server, int port_index, const char *user,
    const char *password)
{
	return (pop1_login(server, port_index, user, password));
}

/* Ends the session by QUIT, which must succeed. */
static inline void
pop3_quit(int fd)
{
	client_say(fd, "QUIT", "+OK bye");
	client_expect_close(fd);
}

/*
 * Reads lines up to the final ".", takes doubled dots apart (RFC 1939,
 * section 3), and returns the rest, malloc'd, with a NUL behind it.
 */
static inline char *
pop3_read_lines(int fd, size_t *length)
{
	size_t room = 1 << 16, have = 0, line = 0;
	char *text = malloc(room);

	ATF_REQUIRE(text != NULL);
	for (;;) {
		if (have + 2 > room)
			ATF_REQUIRE((text = realloc(text, room *= 2)) !=
			    NULL);
		client_read(fd, text + have++, 1);
		if (text[have - 1] != '\n')
			continue;
		ATF_REQUIRE_MSG(have - line >= 2 && text[have - 2] == '\r',
		    "a LF without a CR");
		if (have - line == 3 && text[line] == '.')
			break;
		if (text[line] == '.') {
			ATF_REQUIRE_MSG(text[line + 1] == '.',
			    "a dot is not doubled");
			memmove(text + line, text + line + 1,
			    --have - line);
		}
		line = have;
	}
	text[line] = '\0';
	*length = line;
	return (text);
}

/* Says `command`, which must succeed, and returns its further lines. */
static inline char *
pop3_ask(int fd, const char *command, size_t *length)
{
	client_say(fd, command, "+OK");
	return (pop3_read_lines(fd, length));
}

/* Unique id of a message. */
static inline void
pop3_uid(int fd, unsigned int number, char *uid, size_t size)
{
	char line[600], expected[40];
	int head;

	(void)snprintf(line, sizeof(line), "UIDL %u\r\n", number);
	client_send(fd, line);
	client_line(fd, line, sizeof(line));
	head = snprintf(expected, sizeof(expected), "+OK %u ", number);
	ATF_REQUIRE_MSG(strncmp(line, expected, (size_t)head) == 0, "%s",
	    line);
	(void)snprintf(uid, size, "%s", line + head);
}

#endif
