/*
 * log_test.c - client bytes in a log line stay inside their value.
 */
#include <sys/socket.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "ipc.h"
#include "log.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *value, *quoted;
} values[] = {
	{ "fred", "fred" },
	{ "fred@example.org", "fred@example.org" },
	{ "/var/mail/fred", "/var/mail/fred" },
	{ "", "\"\"" },
	{ " ", "\" \"" },
	{ "a b", "\"a b\"" },
	{ "a=b", "\"a=b\"" },
	{ "a\"b", "\"a\\x22b\"" },
	{ "a\\b", "\"a\\x5cb\"" },
	{ "\" user=root x=\"", "\"\\x22 user=root x=\\x22\"" },
	{ "a\r\nevent=login", "\"a\\x0d\\x0aevent=login\"" },
	{ "\t", "\"\\x09\"" },
	{ "\x1b[2J", "\"\\x1b[2J\"" },
	{ "\x7f", "\"\\x7f\"" },
	{ "\x80\xff", "\"\\x80\\xff\"" },
	{ "\xc3\xa9", "\"\\xc3\\xa9\"" },
	{ "~!@#$%^&*()", "~!@#$%^&*()" },
};

ATF_TC_WITHOUT_HEAD(quote);
ATF_TC_BODY(quote, tc)
{
	char to[LOG_QUOTED_SIZE];
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(values); i++) {
		ATF_CHECK(log_quote(to, sizeof(to), values[i].value) == to);
		ATF_CHECK_STREQ(values[i].quoted, to);
	}
}

/* Every byte there is: what comes out is one value that prints. */
ATF_TC_WITHOUT_HEAD(quote_every_byte);
ATF_TC_BODY(quote_every_byte, tc)
{
	char value[2] = "", to[LOG_QUOTED_SIZE], *c;
	int byte;

	(void)tc;
	for (byte = 1; byte < 256; byte++) {
		value[0] = (char)byte;
		(void)log_quote(to, sizeof(to), value);
		for (c = to; *c != '\0'; c++)
			ATF_CHECK_MSG(*c >= 0x20 && *c <= 0x7e, "byte %d",
			    byte);
		if (to[0] != '"')
			ATF_CHECK_STREQ(value, to);
		else
			ATF_CHECK_MSG(strchr(to + 1, '"') == to + strlen(to) -
			    1, "byte %d: %s", byte, to);
	}
}

/* Whatever the room: an end, never a byte too many, "..." where cut. */
ATF_TC_WITHOUT_HEAD(quote_cuts);
ATF_TC_BODY(quote_cuts, tc)
{
	static const char *const longs[] = { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "a b c d e f g h i j k l m" };
	char to[64];
	size_t i, size, length;

	(void)tc;
	for (i = 0; i < COUNT(longs); i++)
		for (size = 12; size < sizeof(to); size++) {
			memset(to, '#', sizeof(to));
			(void)log_quote(to, size, longs[i]);
			ATF_REQUIRE(memchr(to, '\0', size) != NULL);
			ATF_CHECK_EQ('#', to[size]);
			length = strlen(to);
			if (strcmp(to, longs[i]) == 0)
				continue;
			ATF_CHECK_EQ('"', to[0]);
			ATF_CHECK_EQ('"', to[length - 1]);
			if (length < strlen(longs[i]))
				ATF_CHECK_MSG(length >= 5 && memcmp(to +
				    length - 4, "...", 3) == 0, "%zu: %s",
				    size, to);
		}
}

/* What log_line writes to stderr, by way of a file. */
static char *
logged(const char *text)
{
	int saved = dup(STDERR_FILENO);
	int fd = open("line", O_RDWR | O_CREAT | O_TRUNC, 0600);

	ATF_REQUIRE(saved != -1 && fd != -1);
	ATF_REQUIRE(dup2(fd, STDERR_FILENO) != -1);
	log_to_stderr("test");
	log_line(LOG_INFO, "%s", text);
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) != -1);
	(void)close(saved);
	(void)close(fd);
	return (file_read("line", NULL));
}

ATF_TC_WITHOUT_HEAD(line_is_one_line);
ATF_TC_BODY(line_is_one_line, tc)
{
	static const struct {
		const char *text, *line;
	} lines[] = {
		{ "event=a b=c", "test: event=a b=c\n" },
		{ "a\nb\rc", "test: a\\x0ab\\x0dc\n" },
		{ "a\x1b[0m\x80", "test: a\\x1b[0m\\x80\n" },
		{ "100%s %n", "test: 100%s %n\n" },
		{ "", "test: \n" },
	};
	char *line;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(lines); i++) {
		line = logged(lines[i].text);
		ATF_CHECK_STREQ(lines[i].line, line);
		free(line);
	}
}

/* Longer than a line may be: cut, with its end, and nothing overrun. */
ATF_TC_WITHOUT_HEAD(long_line);
ATF_TC_BODY(long_line, tc)
{
	static char text[3 * LOG_TEXT_SIZE];
	static const char fills[] = { 'a', '\n', '\xff' };
	char *line;
	size_t i, length;

	(void)tc;
	for (i = 0; i < sizeof(fills); i++) {
		memset(text, fills[i], sizeof(text) - 1);
		line = logged(text);
		length = strlen(line);
		ATF_CHECK(length <= LOG_TEXT_SIZE + strlen("test: \n"));
		ATF_CHECK(length > LOG_TEXT_SIZE / 2);
		ATF_CHECK(strchr(line, '\n') == line + length - 1);
		free(line);
	}
}

/* By way of the parent: one LOG message, of its row's size. */
ATF_TC_WITHOUT_HEAD(to_parent);
ATF_TC_BODY(to_parent, tc)
{
	static struct ipc_message message;
	int pair[2];

	(void)tc;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	log_to_parent(pair[0]);
	log_line(LOG_NOTICE, "user=%s", "a\nb");
	ATF_REQUIRE_EQ(1, ipc_receive(pair[1], &message));
	ATF_CHECK(ipc_check(&message, ROLE_STORE, ROLE_PARENT, PHASE_RUN) ==
	    NULL);
	ATF_CHECK_EQ(IPC_LOG, message.header.type);
	ATF_CHECK_EQ((uint32_t)LOG_NOTICE,
	    IPC_PAYLOAD(&message, ipc_log)->priority);
	ATF_CHECK_STREQ("user=a\\x0ab", IPC_PAYLOAD(&message, ipc_log)->text);
	(void)close(pair[1]);
	log_line(LOG_NOTICE, "the parent is gone; no signal comes");
	(void)close(pair[0]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, quote);
	ATF_TP_ADD_TC(tp, quote_every_byte);
	ATF_TP_ADD_TC(tp, quote_cuts);
	ATF_TP_ADD_TC(tp, line_is_one_line);
	ATF_TP_ADD_TC(tp, long_line);
	ATF_TP_ADD_TC(tp, to_parent);
	return (atf_no_error());
}
