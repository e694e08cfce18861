/*
 * start_test.c - what is not started: the daemon with files that others can
 * change, and its programs as root.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "ipc.h"
#include "parent.h"
#include "refusal.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static const char *
path_of(const struct server *server, const char *name)
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", server->directory, name);
	return (path);
}

static const char not_own[] = "must be a directory of ";

/* Who may write what is in there can put anything in its place. */
static void
directory_modes(struct server *server, const char *name)
{
	static const mode_t modes[] = { 0775, 0757, 0777, 01777, 0720, 0702 },
	    closed[] = { 0700, 0750, 0710 };
	const char *path = path_of(server, name);
	char what[64];
	size_t i;

	for (i = 0; i < COUNT(modes); i++) {
		(void)snprintf(what, sizeof(what), "%s, mode %o", name,
		    (unsigned int)modes[i]);
		ATF_REQUIRE(chmod(path, modes[i]) == 0);
		must_refuse(server, what, not_own);
	}
	/* Whom root's children become has to get through. */
	for (i = 0; i < COUNT(closed) && server->privileged; i++) {
		(void)snprintf(what, sizeof(what), "%s, mode %o", name,
		    (unsigned int)closed[i]);
		ATF_REQUIRE(chmod(path, closed[i]) == 0);
		must_refuse(server, what, "root's that all may search");
	}
	ATF_REQUIRE(chmod(path, 0755) == 0);
}

/* A link could lead elsewhere tomorrow; a file is no directory. */
static void
directory_kinds(struct server *server, const char *name)
{
	char aside[700];
	const char *path = path_of(server, name);

	(void)snprintf(aside, sizeof(aside), "%s.aside", path);
	ATF_REQUIRE(rename(path, aside) == 0 && symlink(aside, path) == 0);
	must_refuse(server, "a link", not_own);
	ATF_REQUIRE(unlink(path) == 0);
	file_write(path, "", 0);
	must_refuse(server, "a file", not_own);
	ATF_REQUIRE(unlink(path) == 0 && rename(aside, path) == 0);
}

static void
directory_owner(struct server *server, const char *name)
{
	const char *path = path_of(server, name);

	ATF_REQUIRE(chown(path, FRED_UID, 0) == 0);
	must_refuse(server, name, not_own);
	ATF_REQUIRE(chown(path, 0, FRED_UID) == 0);
}

static void
must_be_own(const char *name)
{
	struct server server;

	server_prepare(&server, "net-processes 1\nauth-processes 1\n");
	directory_modes(&server, name);
	directory_kinds(&server, name);
	if (server.privileged)
		directory_owner(&server, name);
	/* As it was, or with a group that may not write, it is good. */
	server_run(&server);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(state_directory);
ATF_TC_BODY(state_directory, tc)
{
	(void)tc;
	must_be_own("state");
}

/* The root of net and of keys. */
ATF_TC(chroot_directory);
ATF_TC_HEAD(chroot_directory, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(chroot_directory, tc)
{
	(void)tc;
	must_be_own("empty");
}

/* What the daemon makes itself is right, whatever its caller's umask is. */
ATF_TC_WITHOUT_HEAD(umask_of_caller);
ATF_TC_BODY(umask_of_caller, tc)
{
	struct server server;
	struct stat status;
	const char *state;
	int fd;

	(void)tc;
	server_prepare(&server, NULL);
	state = path_of(&server, "state");
	ATF_REQUIRE(rmdir(state) == 0);
	(void)umask(077);
	server_run(&server);
	ATF_REQUIRE(stat(state, &status) == 0);
	ATF_CHECK_EQ(0755, status.st_mode & 07777);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 ");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	server_stop(&server);
}

/* Without the first three descriptors no socket takes their numbers. */
ATF_TC_WITHOUT_HEAD(closed_descriptors);
ATF_TC_BODY(closed_descriptors, tc)
{
	struct server server;
	int kept[2], i, fd;

	(void)tc;
	server_prepare(&server, "listen auto 127.0.0.1 port 0\n"
	    "listen auto 127.0.0.1 port 0\n");
	for (i = 0; i < 2; i++)
		ATF_REQUIRE((kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10)) != -1 &&
		    close(i) == 0);
	server_run(&server);
	for (i = 0; i < 2; i++)
		ATF_REQUIRE(dup2(kept[i], i) != -1);
	for (i = 0; i < 2; i++) {
		fd = pop2_login(&server, i, FRED, FRED_PASSWORD, "#0 ");
		client_say(fd, "QUIT", "+");
		client_expect_close(fd);
	}
	server_stop(&server);
}

/* In the place of postern-config: says that it runs, waits, and becomes it. */
static const char slow_config[] = "#!/bin/sh\n"
    "cd \"${0%/*}\" || exit 1\n"
    ": >runs\n"
    "for i in 1 2 3 4 5 6 7 8 9 10; do\n"
    "	[ -e go ] && exec ./real\n"
    "	sleep 0.5\n"
    "done\n"
    "exit 1\n";

/* A reload that comes too early finds nothing to load anew, and ends nobody. */
ATF_TC_WITHOUT_HEAD(hangup_at_start);
ATF_TC_BODY(hangup_at_start, tc)
{
	struct server server;
	const char *names[] = { "postern-config", "real", "runs", "go" };
	char paths[COUNT(names)][600], name[64];
	int waited, status;
	size_t i;

	(void)tc;
	server_prepare(&server, NULL);
	for (i = 0; i < COUNT(names); i++) {
		(void)snprintf(name, sizeof(name), "libexec/%s", names[i]);
		(void)strlcpy(paths[i], path_of(&server, name),
		    sizeof(paths[i]));
	}
	ATF_REQUIRE(rename(paths[0], paths[1]) == 0);
	file_write(paths[0], slow_config, strlen(slow_config));
	ATF_REQUIRE(chmod(paths[0], 0755) == 0 &&
	    chmod(path_of(&server, "libexec"), 0777) == 0);
	server.pid = server_fork(&server);
	for (waited = 0; waited < 10000 && access(paths[2], F_OK) == -1;
	    waited += 5)
		pause_ms(5);
	ATF_REQUIRE(kill(server.pid, SIGHUP) == 0);
	file_write(paths[3], "", 0);
	log_must_have(&server, "event=ready");
	ATF_CHECK_EQ(0, waitpid(server.pid, &status, WNOHANG));
	server_stop(&server);
}

/* Children are looked for after the daemon has left its directory. */
ATF_TC_WITHOUT_HEAD(relative_libexec);
ATF_TC_BODY(relative_libexec, tc)
{
	const char *command[] = { program("posternd"), "-n", "-l", "libexec",
	    NULL };
	char said[1000];

	(void)tc;
	ATF_CHECK_EQ(2, run(command, NULL, said, sizeof(said)));
	ATF_CHECK_MSG(strncmp(said, "usage: ", 7) == 0, "%s", said);
}

/* Whose file it is can write and read it, whatever its mode says. */
ATF_TC(pair_owners);
ATF_TC_HEAD(pair_owners, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(pair_owners, tc)
{
	struct server server;
	char text[1300];

	(void)tc;
	(void)snprintf(text, sizeof(text), "net-processes 1\n"
	    "auth-processes 1\n%s", pair_selfsigned());
	server_prepare(&server, text);
	ATF_REQUIRE(chown("tls.crt", FRED_UID, 0) == 0);
	must_refuse(&server, "a user's certificate", "/tls.crt error=\""
	    "expected a regular file of root's that nobody else may write");
	ATF_REQUIRE(chown("tls.crt", 0, 0) == 0 &&
	    chown("tls.key", FRED_UID, 0) == 0);
	/* By now the daemon has no right to pass over a file's mode. */
	must_refuse(&server, "a user's key", "/tls.key error=\""
	    "Permission denied\"");
	ATF_REQUIRE(chown("tls.key", 0, 0) == 0);
	server_run(&server);
	server_stop(&server);
}

/* Programs that are started with a channel to the parent as descriptor 3. */
static const char *const programs[] = { "postern-net", "postern-auth",
    "postern-store", "postern-lock", "postern-keys", "postern-config" };

/* Real, effective and saved uids of somebody who can be root. */
static const struct {
	uid_t real, effective, saved;
} roots[] = {
	{ 0, 0, 0 },
	{ 0, FRED_UID, FRED_UID },
	{ FRED_UID, 0, FRED_UID },
};

/* Starts a program so; the channel to it says nothing. */
static pid_t
start_as(const char *path, size_t root, int *channel)
{
	int ends[2];
	pid_t pid;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    ends) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		(void)dup2(ends[1], CHILD_CONTROL);
		(void)fcntl(CHILD_CONTROL, F_SETFD, 0);
		if (setresuid(roots[root].real, roots[root].effective,
		    roots[root].saved) == 0)
			(void)execl(path, path, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	/* One that starts meets the end, and goes without a word. */
	ATF_REQUIRE(shutdown(ends[0], SHUT_WR) == 0);
	*channel = ends[0];
	return (pid);
}

static void
must_say_no(const char *path, size_t root)
{
	static struct ipc_message heard;
	char said[LOG_TEXT_SIZE] = "";
	struct pollfd polled = { .events = POLLIN };
	pid_t pid = start_as(path, root, &polled.fd);
	int status;

	while (poll(&polled, 1, 10000) == 1 &&
	    ipc_receive(polled.fd, &heard) == 1)
		if (heard.header.type == IPC_LOG)
			(void)strlcpy(said, IPC_PAYLOAD(&heard, ipc_log)->text,
			    sizeof(said));
	(void)close(polled.fd);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 1,
	    "%s, uids %zu: status %#x", path, root, (unsigned int)status);
	ATF_CHECK_MSG(strcmp(said,
	    "event=start error=\"will not run as root\"") == 0,
	    "%s, uids %zu: \"%s\"", path, root, said);
}

/* A parent that made a mistake gets no process that is root. */
ATF_TC(programs_as_root);
ATF_TC_HEAD(programs_as_root, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(programs_as_root, tc)
{
	char here[512], path[700];
	const char *copied;
	size_t i, root;

	(void)tc;
	/* Root by one uid alone may not reach the tree. */
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	ATF_REQUIRE(chmod(here, 0755) == 0);
	copied = programs_copy(here);
	for (i = 0; i < COUNT(programs); i++)
		for (root = 0; root < COUNT(roots); root++) {
			(void)snprintf(path, sizeof(path), "%s/%s", copied,
			    programs[i]);
			must_say_no(path, root);
		}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, state_directory);
	ATF_TP_ADD_TC(tp, chroot_directory);
	ATF_TP_ADD_TC(tp, umask_of_caller);
	ATF_TP_ADD_TC(tp, closed_descriptors);
	ATF_TP_ADD_TC(tp, hangup_at_start);
	ATF_TP_ADD_TC(tp, relative_libexec);
	ATF_TP_ADD_TC(tp, pair_owners);
	ATF_TP_ADD_TC(tp, programs_as_root);
	return (atf_no_error());
}
