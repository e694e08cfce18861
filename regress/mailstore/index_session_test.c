/*
 * index_session_test.c - a daemon that keeps indexes of its users' mailboxes,
 * in its sandboxes.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../session/pop3_client.h"
#include "limits_postern.h"

#define LISTEN		"listen pop3 127.0.0.1 port 0\n" \
			"listen pop2 127.0.0.1 port 0\n" \
			"listen pop1 127.0.0.1 port 0\n"
#define MESSAGES	25
#define MESSAGE_BYTES	60000
#define MANY		2000
#define NEW		"From x@example.org Sat Nov 21 23:33:00 2026\n" \
			"Subject: new\n\nnew\n\n"

/* Messages of one length, of which each says its number. */
static size_t
put_message(char *to, size_t number)
{
	char *at = to + sprintf(to, "From u@example.org Sat Nov 21 23:33:00 "
	    "2026\nSubject: %04zu\n\n", number);

	for (; at < to + MESSAGE_BYTES; at += 50)
		(void)memcpy(at,
		    "forty-nine letters and what ends a line behind it\n", 50);
	*at++ = '\n';
	return ((size_t)(at - to));
}

static char *
make_box(size_t *length, size_t skipped)
{
	char *box = malloc(MESSAGES * (MESSAGE_BYTES + 200));
	size_t i;

	ATF_REQUIRE(box != NULL);
	for (*length = 0, i = 1; i <= MESSAGES; i++)
		if (i != skipped)
			*length += put_message(box + *length, i);
	ATF_REQUIRE(*length > INDEX_MAILBOX_BYTES_MIN);
	return (box);
}

static char *
ask_uids(int fd)
{
	size_t length;

	return (pop3_ask(fd, "UIDL", &length));
}

static size_t
indexes(const struct server *server, char *path, size_t size)
{
	char pattern[400];
	size_t count = 0;
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), "%s/state/*/index.*",
	    server->directory);
	if (glob(pattern, 0, NULL, &found) == 0) {
		count = found.gl_pathc;
		(void)snprintf(path, size, "%s", found.gl_pathv[0]);
		globfree(&found);
	}
	return (count);
}

/* What the only store has read of files since it was started. */
static uint64_t
store_has_read(const struct server *server)
{
	char path[80], line[80];
	unsigned long long bytes = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/io",
	    (int)children_pid(server, "postern-store", 0));
	ATF_REQUIRE((file = fopen(path, "r")) != NULL);
	ATF_REQUIRE(fgets(line, sizeof(line), file) != NULL);
	ATF_REQUIRE(sscanf(line, "rchar: %llu", &bytes) == 1);
	(void)fclose(file);
	return (bytes);
}

static int
login(const struct server *server)
{
	return (pop3_login(server, 0, FRED, FRED_PASSWORD));
}

static void
begin(struct server *server, char **box, size_t *length, char **uids)
{
	char path[500];
	int fd;

	server_start(server, LISTEN);
	*box = make_box(length, 0);
	mailbox_write(server, FRED, *box, *length);
	(void)sleep(INDEX_SETTLED_SECONDS + 2);
	fd = login(server);
	*uids = ask_uids(fd);
	pop3_quit(fd);
	children_must_be(server, "postern-store", 0);
	ATF_REQUIRE_EQ(1, indexes(server, path, sizeof(path)));
}

static void
uids_must_be(int fd, const char *wanted)
{
	char *now = ask_uids(fd);

	ATF_CHECK(strcmp(wanted, now) == 0);
	free(now);
}

ATF_TC_WITHOUT_HEAD(unchanged);
ATF_TC_BODY(unchanged, tc)
{
	struct server server;
	char *box, *uids;
	size_t length;
	int fd;

	(void)tc;
	begin(&server, &box, &length, &uids);
	fd = login(&server);
	uids_must_be(fd, uids);
	/* Its own libraries, configuration and the index are less. */
	if (server.privileged)
		ATF_CHECK(store_has_read(&server) < length / 2);
	pop3_quit(fd);
	free(box);
	free(uids);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(deliveries_and_deletes);
ATF_TC_BODY(deliveries_and_deletes, tc)
{
	char *box, *uids, *now, *left, path[500];
	struct server server;
	size_t length, left_length;
	FILE *file;
	int fd;

	(void)tc;
	begin(&server, &box, &length, &uids);
	ATF_REQUIRE((file = fopen(mailbox_path(&server, FRED), "a")) != NULL);
	ATF_REQUIRE(fputs(NEW, file) != EOF && fclose(file) == 0);
	fd = login(&server);
	now = ask_uids(fd);
	ATF_CHECK(strncmp(uids, now, strlen(uids)) == 0);
	ATF_CHECK(strncmp(now + strlen(uids), "26 ", 3) == 0);
	client_say(fd, "DELE 2", "+OK");
	pop3_quit(fd);
	free(now);
	left = make_box(&left_length, 2);
	left = realloc(left, left_length + sizeof(NEW));
	ATF_REQUIRE(left != NULL);
	memcpy(left + left_length, NEW, strlen(NEW));
	mailbox_must_be(&server, FRED, left, left_length + strlen(NEW));
	ATF_CHECK_EQ(0, indexes(&server, path, sizeof(path)));
	fd = login(&server);
	now = ask_uids(fd);
	ATF_CHECK(strstr(now, "25 ") != NULL && strstr(now, "26 ") == NULL);
	/* The third is the second now, and the same. */
	ATF_CHECK(strncmp(strstr(now, "\n2 ") + 3, strstr(uids, "\n3 ") + 3,
	    32) == 0);
	pop3_quit(fd);
	free(now);
	free(left);
	free(box);
	free(uids);
	server_stop(&server);
}

/* Garbage in its place is told in the log, and replaced. */
ATF_TC_WITHOUT_HEAD(damaged);
ATF_TC_BODY(damaged, tc)
{
	struct server server;
	char *box, *uids, *bytes, path[500];
	size_t length, index_length;
	int fd, i;

	(void)tc;
	begin(&server, &box, &length, &uids);
	ATF_REQUIRE_EQ(1, indexes(&server, path, sizeof(path)));
	bytes = file_read(path, &index_length);
	bytes[index_length / 3] ^= 4;
	file_write(path, bytes, index_length);
	free(bytes);
	for (i = 0; i < 2; i++) {
		fd = login(&server);
		uids_must_be(fd, uids);
		pop3_quit(fd);
	}
	log_must_have(&server, "event=index folder=INBOX file=index.");
	ATF_CHECK_EQ(1, indexes(&server, path, sizeof(path)));
	free(box);
	free(uids);
	server_stop(&server);
}

/* A folder that may not be written has one as well. */
ATF_TC_WITHOUT_HEAD(read_only);
ATF_TC_BODY(read_only, tc)
{
	struct server server;
	char *box, path[500], reply[20];
	size_t length;
	int fd, i;

	(void)tc;
	server_start(&server, LISTEN);
	box = make_box(&length, 0);
	folder_write(&server, FRED, "mail/big", box, length);
	(void)snprintf(path, sizeof(path), "%s/home/" FRED "/mail/big",
	    server.directory);
	ATF_REQUIRE(chmod(path, 0400) == 0);
	(void)snprintf(reply, sizeof(reply), "#%u ", MESSAGES);
	for (i = 0; i < 2; i++) {
		fd = pop2_login(&server, 1, FRED, FRED_PASSWORD, "#0 ");
		client_say(fd, "FOLD big", reply);
		client_say(fd, "READ 25", "=");
		client_send(fd, "RETR\r\n");
		client_expect(fd, "Subject: 0025\r\n");
		(void)close(fd);
		children_must_be(&server, "postern-store", 0);
		ATF_CHECK_EQ(1, indexes(&server, path, sizeof(path)));
	}
	free(box);
	server_stop(&server);
}

static void
write_letters(const struct server *server, size_t count)
{
	char *text = malloc(MESSAGE_BYTES + 200), name[40];
	size_t length, i;

	ATF_REQUIRE(text != NULL);
	for (i = 1; i <= count; i++) {
		(void)snprintf(name, sizeof(name), "mail/letters/%zu", i);
		length = put_message(text, i);
		folder_write(server, FRED, name, text, length);
	}
	free(text);
	(void)sleep(INDEX_SETTLED_SECONDS + 2);
}

/* An MH folder: asked for as a whole, it is not read twice to be measured. */
ATF_TC_WITHOUT_HEAD(many_files);
ATF_TC_BODY(many_files, tc)
{
	struct server server;
	char path[500];
	size_t i;
	int fd;

	(void)tc;
	server_start(&server, LISTEN);
	write_letters(&server, MESSAGES);
	for (i = 0; i < 2; i++) {
		fd = pop1_login(&server, 2, FRED, FRED_PASSWORD);
		client_send(fd, "RETR letters\r\n");
		client_expect(fd, "#");
		if (server.privileged)
			ATF_CHECK_EQ(i == 0, store_has_read(&server) >
			    MESSAGES * (uint64_t)MESSAGE_BYTES);
		ATF_CHECK_EQ(1, indexes(&server, path, sizeof(path)));
		(void)close(fd);
		children_must_be(&server, "postern-store", 0);
	}
	server_stop(&server);
}

/* By POP2 each is measured when it is asked for; QUIT does not come. */
ATF_TC_WITHOUT_HEAD(no_quit);
ATF_TC_BODY(no_quit, tc)
{
	char path[500], command[20], reply[20];
	struct server server;
	size_t i, number;
	int fd;

	(void)tc;
	server_start(&server, LISTEN);
	write_letters(&server, MESSAGES);
	(void)snprintf(reply, sizeof(reply), "#%u ", MESSAGES);
	for (i = 0; i < 2; i++) {
		fd = pop2_login(&server, 1, FRED, FRED_PASSWORD, "#0 ");
		client_say(fd, "FOLD letters", reply);
		for (number = 1; number <= MESSAGES; number++) {
			(void)snprintf(command, sizeof(command), "READ %zu",
			    number);
			client_say(fd, command, "=");
		}
		if (server.privileged)
			ATF_CHECK_EQ(i == 0, store_has_read(&server) >
			    MESSAGES * (uint64_t)MESSAGE_BYTES);
		(void)close(fd);
		children_must_be(&server, "postern-store", 0);
		ATF_CHECK_EQ(1, indexes(&server, path, sizeof(path)));
	}
	server_stop(&server);
}

/*
 * A client that goes while its many messages are read: that ends soon, and
 * what was read needs not be read again.
 */
ATF_TC(client_goes);
ATF_TC_HEAD(client_goes, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(client_goes, tc)
{
	const uint64_t all = (uint64_t)MANY * MESSAGE_BYTES;
	const struct linger reset = { 1, 0 };
	char *text, path[500];
	struct server server;
	uint64_t had;
	pid_t store;
	int fd;

	(void)tc;
	server_start(&server, LISTEN "inbox mh ~/mail/letters\n");
	write_letters(&server, MANY);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+OK");
	client_say(fd, "USER " FRED, "+OK");
	client_send(fd, "PASS " FRED_PASSWORD "\r\n");
	/* In the middle of its reading it stands still, and the client goes. */
	while (children_count(&server, "postern-store") == 0)
		(void)usleep(100);
	store = children_pid(&server, "postern-store", 0);
	while (store_has_read(&server) < all / 20)
		continue;
	ATF_REQUIRE(kill(store, SIGSTOP) == 0);
	had = store_has_read(&server);
	if (had > all) {
		ATF_REQUIRE(kill(store, SIGCONT) == 0);
		server_stop(&server);
		atf_tc_skip("it was too quick to be stopped");
	}
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
	    sizeof(reset)) == 0 && close(fd) == 0);
	(void)sleep(3);
	ATF_REQUIRE(kill(store, SIGCONT) == 0);
	children_must_be(&server, "postern-store", 0);
	ATF_CHECK_EQ(1, indexes(&server, path, sizeof(path)));
	fd = login(&server);
	ATF_CHECK(store_has_read(&server) < all - had / 2);
	pop3_quit(fd);
	server_stop(&server);
	text = file_read(server.log, NULL);
	ATF_CHECK_MSG(strstr(text, "event=message") == NULL, "%s", text);
	free(text);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unchanged);
	ATF_TP_ADD_TC(tp, deliveries_and_deletes);
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, read_only);
	ATF_TP_ADD_TC(tp, many_files);
	ATF_TP_ADD_TC(tp, no_quit);
	ATF_TP_ADD_TC(tp, client_goes);
	return (atf_no_error());
}
