/*
 * daemon_test.c - what was interrupted is completed by a real daemon's store,
 * inside its sandbox.
 */
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "harness.h"

#define FROM_LINE(who)	"From " who "@example.org Sat Nov 21 23:33:00 2026\n"
#define ONE	FROM_LINE("a") "Subject: one\n\nfirst\n\n"
#define TWO	FROM_LINE("b") "Subject: two\n\nthe second\n\n"
#define THREE	FROM_LINE("c") "Subject: three\n\nthe third one\n\n"

static struct world world;

/* A store without the daemon, as the user, that dies at call `at`. */
static int
die_at(unsigned int at)
{
	int status;
	pid_t pid;

	faults_set(FAULT_KILL_HALF, at, 0);
	if ((pid = fork()) == 0) {
		if (geteuid() == 0 && setuid(FRED_UID) == -1)
			_exit(99);
		_exit(world_session(&world, 1));
	}
	ATF_REQUIRE(pid != -1 && waitpid(pid, &status, 0) == pid);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/* `account`: the end of the name of the user's state directory. */
static void
open_directories(const struct server *server, const char *account)
{
	char path[800];

	(void)snprintf(path, sizeof(path), "%s/spool", server->directory);
	world.spool = open(path, O_RDONLY | O_DIRECTORY);
	(void)snprintf(path, sizeof(path), "%s/state/%u.%s",
	    server->directory, geteuid() == 0 ? FRED_UID :
	    (unsigned int)geteuid(), account);
	world.state = open(path, O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE(world.spool != -1 && world.state != -1);
	world.name = FRED;
	world.messages[1].marked = 1;
}

/* Logs in through the daemon, and looks what is in the mailbox then. */
static int
is_completed(struct server *server, const char *user)
{
	char *bytes, reply[80];
	size_t length;
	int fd, gone;

	fd = client_connect(server, 0);
	client_expect_line(fd, "+ POP2");
	client_send(fd, "HELO ");
	client_send(fd, user);
	client_send(fd, " " FRED_PASSWORD "\r\n");
	client_line(fd, reply, sizeof(reply));
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	bytes = file_read(mailbox_path(server, FRED), &length);
	gone = strcmp(bytes, ONE THREE) == 0;
	ATF_CHECK_MSG(gone || strcmp(bytes, ONE TWO THREE) == 0,
	    "the mailbox is damaged: %s", bytes);
	ATF_CHECK_STREQ(reply, gone ? "#2 messages" :
	    "#3 messages");
	free(bytes);
	return (gone);
}

/* Dies at each call of a commit in turn; `user` logs in after each. */
static void
must_complete(struct server *server, const char *account, const char *user)
{
	unsigned int at, completed = 0;
	int status = STATUS_KILLED;

	mailbox_write(server, FRED, ONE TWO THREE, strlen(ONE TWO THREE));
	ATF_CHECK_EQ(is_completed(server, user), 0);
	open_directories(server, account);
	for (at = 1; status == STATUS_KILLED; at++) {
		mailbox_write(server, FRED, ONE TWO THREE,
		    strlen(ONE TWO THREE));
		status = die_at(at);
		completed += (unsigned int)is_completed(server, user);
	}
	ATF_CHECK_EQ(status, STATUS_DONE);
	ATF_CHECK_MSG(completed > 3, "completed %u of %u", completed, at);
	log_must_have(server, "event=recover");
	log_must_have(server, "file=journal.");
}

ATF_TC_WITHOUT_HEAD(completed);
ATF_TC_BODY(completed, tc)
{
	struct server server;

	(void)tc;
	faults_begin();
	server_start(&server, NULL);
	must_complete(&server, FRED, FRED);
	server_stop(&server);
}

/*
 * Two users whose entries name one maildrop keep each other out of it, and
 * complete what was interrupted of each other.
 */
ATF_TC_WITHOUT_HEAD(shared_maildrop);
ATF_TC_BODY(shared_maildrop, tc)
{
	struct server server;
	char path[700], account[700], *passwd, *line, *c;
	size_t length;
	FILE *file;
	int fd;

	(void)tc;
	faults_begin();
	server_prepare(&server, NULL);
	server_add_user(&server, "otto", FRED_PASSWORD, FRED_UID);
	(void)snprintf(path, sizeof(path), "%s/passwd", server.directory);
	passwd = file_read(path, &length);
	ATF_REQUIRE((file = fopen(path, "r+")) != NULL);
	for (line = strtok(passwd, "\n"); line != NULL;
	    line = strtok(NULL, "\n"))
		(void)fprintf(file, "%s%s\n", line, strncmp(line, ANN ":", 4)
		    != 0 ? mailbox_path(&server, FRED) : "");
	ATF_REQUIRE(fclose(file) == 0);
	free(passwd);
	server_run(&server);
	mailbox_write(&server, FRED, ONE, strlen(ONE));
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 ");
	client_expect_close(pop2_login(&server, 0, "otto", FRED_PASSWORD,
	    "- the mailbox is in use"));
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	(void)strlcpy(account, mailbox_path(&server, FRED), sizeof(account));
	for (c = account; *c != '\0'; c++)
		if (*c == '/')
			*c = ':';
	must_complete(&server, account, "otto");
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, completed);
	ATF_TP_ADD_TC(tp, shared_maildrop);
	return (atf_no_error());
}
