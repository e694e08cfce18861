/*
 * dotlock_session_test.c - sessions, and dotlocks of theirs and of others.
 *
 * In the spool postern-lock makes them, in the user's own directories the
 * store does; each is there while the mailbox is read or rewritten, and at
 * no other time.  Whoever waits for one lock keeps no other meanwhile.
 */
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "harness.h"
#include "holder.h"
#include "limits_postern.h"

#define ONE	"From ann@example.org Sat Nov 21 23:33:00 2026\n" \
		"Subject: one\n\nfirst\n\n"
#define TWO	"From bob@example.org Sun Nov 22 01:02:03 2026\n" \
		"Subject: two\n\nthe second\n\n"
#define BOTH	ONE TWO
#define ONE_WIRE "Subject: one\r\n\r\nfirst\r\n"

#define LOCK_UID	64104
#define SPOOL_GID	8
#define PATIENCE_MS	10000
#define MARGIN		30	/* seconds: older by so much is beyond doubt */
#define LARGE_BYTES	(16 * 1024 * 1024)	/* more than sockets hold */

static void
pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static const char *
path_of(const struct server *server, const char *name)
{
	static char paths[4][400];
	static unsigned int next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", server->directory,
	    name);
	return (path);
}

static int
exists(const char *path)
{
	struct stat status;

	return (lstat(path, &status) == 0);
}

/* What is made and removed under one name of a directory. */
struct watch {
	int fd;
	char name[64];
	int made, removed;
};

static struct watch
watch_begin(const char *directory, const char *name)
{
	struct watch watch = { .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };

	ATF_REQUIRE(watch.fd != -1);
	ATF_REQUIRE(inotify_add_watch(watch.fd, directory, IN_CREATE |
	    IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO) != -1);
	(void)strlcpy(watch.name, name, sizeof(watch.name));
	return (watch);
}

static void
watch_look(struct watch *watch)
{
	union {
		struct inotify_event event;
		char bytes[8192];
	} room;
	const struct inotify_event *event;
	ssize_t got, at;

	while ((got = read(watch->fd, room.bytes, sizeof(room.bytes))) > 0)
		for (at = 0; at < got; at += (ssize_t)(sizeof(*event) +
		    event->len)) {
			event = (const void *)(room.bytes + at);
			ATF_REQUIRE((event->mask & IN_Q_OVERFLOW) == 0);
			if (strcmp(event->name, watch->name) != 0)
				continue;
			if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
				watch->made++;
			else
				watch->removed++;
		}
}

/* So often it came and went since the last look, and is gone. */
static void
watch_must_be(struct watch *watch, int least, int most, const char *when)
{
	watch_look(watch);
	ATF_CHECK_EQ_MSG(watch->made, watch->removed, "%s: made %d times, "
	    "removed %d times", when, watch->made, watch->removed);
	ATF_CHECK_MSG(watch->made >= least && watch->made <= most,
	    "%s: made %d times", when, watch->made);
	watch->made = watch->removed = 0;
}

static void
start(struct server *server, const char *extra)
{
	server_start(server, extra);
	mailbox_write(server, FRED, BOTH, strlen(BOTH));
}

static struct watch
watch_spool(const struct server *server)
{
	return (watch_begin(path_of(server, "spool"), "fred.lock"));
}

static int
login(const struct server *server)
{
	return (pop2_login(server, 0, FRED, FRED_PASSWORD, "#2 "));
}

/* Only asks to: the answer is to come. */
static int
begin_login(const struct server *server)
{
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+ POP2 ");
	client_send(fd, "HELO " FRED " " FRED_PASSWORD "\r\n");
	return (fd);
}

static void
mark_first(int fd)
{
	client_say(fd, "READ", "=23 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, ONE_WIRE);
	client_say(fd, "ACKD", "=");
}

static void
quit(int fd)
{
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
}

/* A whole session that deletes the first message. */
static void
must_serve(const struct server *server)
{
	int fd;

	mailbox_write(server, FRED, BOTH, strlen(BOTH));
	fd = login(server);
	mark_first(fd);
	quit(fd);
	mailbox_must_be(server, FRED, TWO, strlen(TWO));
}

static void
make_old(const char *path, time_t age)
{
	struct timespec times[2];

	ATF_REQUIRE(clock_gettime(CLOCK_REALTIME, &times[0]) == 0);
	times[0].tv_sec -= age;
	times[1] = times[0];
	ATF_REQUIRE(utimensat(AT_FDCWD, path, times, 0) == 0);
}

/* Of another program, this moment. */
static const char *
plant(const struct server *server, const char *name)
{
	const char *path = path_of(server, name);

	file_write(path, "0", 1);
	ATF_REQUIRE(chmod(path, 0644) == 0);
	return (path);
}

static const char *
text_for(long pid)
{
	static char text[400];
	char host[300] = "";

	ATF_REQUIRE(gethostname(host, sizeof(host) - 1) == 0);
	(void)snprintf(text, sizeof(text), "%ld:%s\n", pid, host);
	return (text);
}

/* Waits until the lock is there at this moment; whose it is. */
static void
catch_lock(const char *path, struct stat *status, char *text, size_t size)
{
	struct timespec began, now;
	ssize_t got = -1;
	int fd;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		ATF_REQUIRE_MSG(now.tv_sec - began.tv_sec < 9,
		    "%s is never there", path);
		if ((fd = open(path, O_RDONLY | O_NOFOLLOW)) == -1)
			continue;
		got = read(fd, text, size - 1);
		ATF_REQUIRE(fstat(fd, status) == 0);
		(void)close(fd);
	} while (got <= 0);
	text[got] = '\0';
}

ATF_TC_WITHOUT_HEAD(in_the_spool);
ATF_TC_BODY(in_the_spool, tc)
{
	struct server server;
	struct watch watch;
	int fd;

	(void)tc;
	/* As it comes: fcntl and try-dotlock. */
	start(&server, NULL);
	watch = watch_spool(&server);
	fd = login(&server);
	watch_must_be(&watch, 1, 1, "opening");
	client_say(fd, "READ", "=23 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, ONE_WIRE);
	pause_ms(200);
	client_say(fd, "ACKD", "=");
	pause_ms(200);
	watch_must_be(&watch, 0, 0, "reading");
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	watch_must_be(&watch, 1, 1, "committing");
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	/* Without anything to delete there is nothing to lock. */
	quit(pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 "));
	watch_must_be(&watch, 1, 1, "a session that deletes nothing");
	ATF_CHECK(!exists(path_of(&server, "spool/fred.lock")));
	server_stop(&server);
}

/* A client that does not take its mail keeps nobody from delivering. */
ATF_TC_WITHOUT_HEAD(slow_client);
ATF_TC_BODY(slow_client, tc)
{
	static const char head[] =
	    "From ann@example.org Sat Nov 21 23:33:00 2026\nSubject: x\n\n";
	struct server server;
	struct watch watch;
	struct holder holder;
	char *mail = malloc(LARGE_BYTES);
	size_t i;
	int fd;

	(void)tc;
	ATF_REQUIRE(mail != NULL);
	for (i = 0; i < LARGE_BYTES; i++)
		mail[i] = i % 64 == 63 ? '\n' : 'a';
	memcpy(mail, head, strlen(head));
	server_start(&server, NULL);
	mailbox_write(&server, FRED, mail, LARGE_BYTES);
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "#1 ");
	client_say(fd, "READ", "=");
	watch = watch_spool(&server);
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: x\r\n");
	pause_ms(500);
	watch_must_be(&watch, 0, 0, "in the middle of a message");
	holder = holder_of(mailbox_path(&server, FRED), F_WRLCK);
	holder_end(&holder);
	(void)close(fd);
	children_must_be(&server, "postern-store", 0);
	watch_must_be(&watch, 0, 0, "after its end");
	mailbox_must_be(&server, FRED, mail, LARGE_BYTES);
	free(mail);
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(held_by_another);
ATF_TC_BODY(held_by_another, tc)
{
	struct server server;
	const char *lock;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 1\n");
	lock = plant(&server, "spool/fred.lock");
	fd = pop2_login(&server, 0, FRED, FRED_PASSWORD, "- the mailbox is "
	    "locked by another program");
	client_expect_close(fd);
	ATF_CHECK(exists(lock));
	ATF_REQUIRE(unlink(lock) == 0);
	fd = login(&server);
	mark_first(fd);
	lock = plant(&server, "spool/fred.lock");
	client_say(fd, "QUIT", "- the mailbox is locked by another program");
	client_expect_close(fd);
	ATF_CHECK(exists(lock));
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	/* Another's lock is another's mailbox. */
	quit(pop2_login(&server, 0, ANN, ANN_QUOTED, "#0 "));
	ATF_REQUIRE(unlink(lock) == 0);
	must_serve(&server);
	server_stop(&server);
}

/* fcntl first: it is not kept while the dotlock is waited for. */
ATF_TC_WITHOUT_HEAD(waiting_for_dotlock);
ATF_TC_BODY(waiting_for_dotlock, tc)
{
	struct server server;
	struct holder holder;
	struct pollfd answer, told;
	const char *lock;

	(void)tc;
	start(&server, "lock fcntl dotlock\nlock-timeout 30\n");
	lock = plant(&server, "spool/fred.lock");
	answer = (struct pollfd){ begin_login(&server), POLLIN, 0 };
	log_must_have(&server, "event=login");
	pause_ms(300);
	holder = holder_start(mailbox_path(&server, FRED), F_SETLKW, F_WRLCK);
	told = (struct pollfd){ holder.told, POLLIN, 0 };
	ATF_REQUIRE_EQ_MSG(1, poll(&told, 1, 5000), "the fcntl lock is kept");
	holder_must_have(&holder);
	ATF_REQUIRE_EQ(0, poll(&answer, 1, 300));
	ATF_REQUIRE(unlink(lock) == 0);
	ATF_REQUIRE_EQ_MSG(0, poll(&answer, 1, 300), "one lock was enough");
	holder_end(&holder);
	client_expect_line(answer.fd, "#2 ");
	mark_first(answer.fd);
	quit(answer.fd);
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	server_stop(&server);
}

/* The dotlock first: it comes and goes while the other is waited for. */
ATF_TC_WITHOUT_HEAD(waiting_for_fcntl);
ATF_TC_BODY(waiting_for_fcntl, tc)
{
	struct server server;
	struct watch watch;
	struct holder holder;
	struct stat status;
	char text[400];
	int fd, tries;

	(void)tc;
	start(&server, "lock dotlock fcntl\nlock-timeout 30\n");
	watch = watch_spool(&server);
	holder = holder_of(mailbox_path(&server, FRED), F_WRLCK);
	fd = begin_login(&server);
	catch_lock(path_of(&server, "spool/fred.lock"), &status, text,
	    sizeof(text));
	ATF_CHECK_EQ(server.privileged ? LOCK_UID : getuid(), status.st_uid);
	if (server.privileged)
		ATF_CHECK_EQ(SPOOL_GID, status.st_gid);
	ATF_CHECK_EQ(0644, status.st_mode & 07777);
	ATF_CHECK_STREQ(text_for((long)children_pid(&server, "postern-store",
	    0)), text);
	for (tries = 0; tries < 100 && (watch.made < 3 || watch.removed < 3);
	    tries++) {
		pause_ms(50);
		watch_look(&watch);
	}
	ATF_CHECK_MSG(watch.made > 2 && watch.removed > 2, "made %d times, "
	    "removed %d times", watch.made, watch.removed);
	holder_end(&holder);
	client_expect_line(fd, "#2 ");
	quit(fd);
	watch_must_be(&watch, 1, INT_MAX, "the login");
	server_stop(&server);
}

/* Dotlocks that nobody asked for are not made, and not minded. */
ATF_TC_WITHOUT_HEAD(fcntl_alone);
ATF_TC_BODY(fcntl_alone, tc)
{
	struct server server;
	struct watch watch;
	const char *lock;

	(void)tc;
	start(&server, "lock fcntl\nlock-timeout 1\n");
	ATF_CHECK_EQ(0, children_count(&server, "postern-lock"));
	watch = watch_spool(&server);
	must_serve(&server);
	watch_must_be(&watch, 0, 0, "a session");
	lock = plant(&server, "spool/fred.lock");
	must_serve(&server);
	ATF_CHECK(exists(lock));
	server_stop(&server);
}

/* flock(2) is another lock than fcntl(2)'s. */
ATF_TC_WITHOUT_HEAD(flock_held);
ATF_TC_BODY(flock_held, tc)
{
	struct server server;
	struct holder holder;
	int fd, held;

	(void)tc;
	start(&server, "lock flock\nlock-timeout 1\n");
	ATF_REQUIRE((held = open(mailbox_path(&server, FRED), O_RDWR |
	    O_CLOEXEC)) != -1);
	ATF_REQUIRE(flock(held, LOCK_EX | LOCK_NB) == 0);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is locked by another program"));
	ATF_REQUIRE(flock(held, LOCK_SH | LOCK_NB) == 0);
	fd = login(&server);
	mark_first(fd);
	client_say(fd, "QUIT", "- the mailbox is locked by another program");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	(void)close(held);
	holder = holder_of(mailbox_path(&server, FRED), F_WRLCK);
	must_serve(&server);
	holder_end(&holder);
	server_stop(&server);
}

/* A spool that nobody may make a file in. */
static void
shut_spool(struct server *server, const char *extra)
{
	const char *spool;

	server_prepare(server, extra);
	mailbox_write(server, FRED, BOTH, strlen(BOTH));
	spool = path_of(server, "spool");
	if (server->privileged)
		ATF_REQUIRE(chown(spool, 0, 0) == 0);
	ATF_REQUIRE(chmod(spool, server->privileged ? 0755 : 0555) == 0);
	server_run(server);
}

/* A spool that the test's end can sweep. */
static void
open_spool(struct server *server)
{
	server_stop(server);
	ATF_REQUIRE(chmod(path_of(server, "spool"), 0755) == 0);
}

ATF_TC_WITHOUT_HEAD(impossible_but_needed);
ATF_TC_BODY(impossible_but_needed, tc)
{
	struct server server;

	(void)tc;
	shut_spool(&server, "lock dotlock\nlock-timeout 10\n");
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox cannot be locked"));
	log_must_have(&server, "event=lock folder=INBOX "
	    "error=\"no dotlock can be made: Permission denied\"");
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	open_spool(&server);
}

ATF_TC_WITHOUT_HEAD(impossible_and_not_needed);
ATF_TC_BODY(impossible_and_not_needed, tc)
{
	struct server server;
	int fd;

	(void)tc;
	shut_spool(&server, "lock fcntl try-dotlock\n");
	fd = login(&server);
	log_must_have(&server, "event=lock folder=INBOX error=\"no dotlock "
	    "can be made: Permission denied\"");
	mark_first(fd);
	quit(fd);
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	open_spool(&server);
}

/* Mail that is not in the spool: postern-lock says so, whatever is asked. */
static void
keep_mail_at_home(struct server *server, const char *extra)
{
	char path[400], *text, *colon;
	FILE *file;

	server_prepare(server, extra);
	(void)strlcpy(path, path_of(server, "passwd"), sizeof(path));
	text = file_read(path, NULL);
	ATF_REQUIRE((colon = strstr(text, ":\n")) != NULL);
	*colon = '\0';
	ATF_REQUIRE((file = fopen(path, "w")) != NULL);
	(void)fprintf(file, "%s:%s\n%s", text, path_of(server,
	    "home/fred/Mailbox"), colon + 2);
	ATF_REQUIRE(fclose(file) == 0);
	free(text);
	folder_write(server, FRED, "Mailbox", BOTH, strlen(BOTH));
	server_run(server);
}

ATF_TC_WITHOUT_HEAD(elsewhere_but_needed);
ATF_TC_BODY(elsewhere_but_needed, tc)
{
	struct server server;

	(void)tc;
	keep_mail_at_home(&server, "lock fcntl dotlock\n");
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox cannot be locked"));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(elsewhere_and_not_needed);
ATF_TC_BODY(elsewhere_and_not_needed, tc)
{
	struct server server;
	int fd;

	(void)tc;
	keep_mail_at_home(&server, "lock fcntl try-dotlock\n");
	fd = login(&server);
	mark_first(fd);
	quit(fd);
	folder_must_be(&server, FRED, "Mailbox", TWO, strlen(TWO));
	log_must_have(&server, "no dotlock can be made: none is made in this "
	    "directory");
	server_stop(&server);
}

/*
 * An agent that takes dotlocks alone is waited for, also where none can be
 * made for the session; and nothing of its own is removed there.
 */
ATF_TC_WITHOUT_HEAD(elsewhere_held_by_another);
ATF_TC_BODY(elsewhere_held_by_another, tc)
{
	struct server server;
	const char *lock;
	char mailbox[400];
	int fd;

	(void)tc;
	keep_mail_at_home(&server, "lock fcntl try-dotlock\nlock-timeout 1\n");
	(void)strlcpy(mailbox, path_of(&server, "home/fred/Mailbox"),
	    sizeof(mailbox));
	fd = login(&server);
	mark_first(fd);
	lock = plant(&server, "home/fred/Mailbox.lock");
	client_say(fd, "QUIT", "- the mailbox is locked by another program");
	client_expect_close(fd);
	folder_must_be(&server, FRED, "Mailbox", BOTH, strlen(BOTH));
	make_old(mailbox, DOTLOCK_STALE_SECONDS + MARGIN);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is locked by another program"));
	make_old(mailbox, 0);
	make_old(lock, DOTLOCK_STALE_SECONDS + MARGIN);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is locked by another program"));
	make_old(mailbox, DOTLOCK_STALE_SECONDS + MARGIN);
	quit(login(&server));
	ATF_CHECK(exists(lock));
	ATF_REQUIRE(unlink(lock) == 0);
	ATF_REQUIRE(mkdir(lock, 0755) == 0);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is locked by another program"));
	ATF_REQUIRE(rmdir(lock) == 0);
	fd = login(&server);
	mark_first(fd);
	quit(fd);
	folder_must_be(&server, FRED, "Mailbox", TWO, strlen(TWO));
	server_stop(&server);
}

/* Below the folder root the store makes it, as the user. */
ATF_TC_WITHOUT_HEAD(folders);
ATF_TC_BODY(folders, tc)
{
	struct server server;
	struct watch watch;
	struct holder holder;
	struct stat status;
	char text[400];
	pid_t store;
	int fd;

	(void)tc;
	start(&server, "lock dotlock fcntl\nlock-timeout 30\n");
	folder_write(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	watch = watch_begin(path_of(&server, "home/fred/mail"), "work.lock");
	fd = login(&server);
	store = children_pid(&server, "postern-store", 0);
	holder = holder_of(path_of(&server, "home/fred/mail/work"), F_WRLCK);
	client_send(fd, "FOLD work\r\n");
	catch_lock(path_of(&server, "home/fred/mail/work.lock"), &status,
	    text, sizeof(text));
	ATF_CHECK_EQ(server.privileged ? FRED_UID : getuid(), status.st_uid);
	ATF_CHECK_STREQ(text_for((long)store), text);
	holder_end(&holder);
	client_expect_line(fd, "#2 ");
	watch_must_be(&watch, 1, INT_MAX, "opening");
	mark_first(fd);
	watch_must_be(&watch, 0, 0, "reading");
	quit(fd);
	watch_must_be(&watch, 1, 1, "committing");
	folder_must_be(&server, FRED, "mail/work", TWO, strlen(TWO));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(folder_held_by_another);
ATF_TC_BODY(folder_held_by_another, tc)
{
	struct server server;
	const char *lock;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 1\n");
	folder_write(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	fd = login(&server);
	client_say(fd, "FOLD work", "#2 ");
	mark_first(fd);
	lock = plant(&server, "home/fred/mail/work.lock");
	client_say(fd, "QUIT", "- the mailbox is locked by another program");
	client_expect_close(fd);
	folder_must_be(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	ATF_REQUIRE(unlink(lock) == 0);
	server_stop(&server);
}

/* Mail would be at risk without its lock: such a session ends. */
ATF_TC_WITHOUT_HEAD(lock_process_killed);
ATF_TC_BODY(lock_process_killed, tc)
{
	struct server server;
	pid_t old;
	int fd;

	(void)tc;
	start(&server, NULL);
	fd = login(&server);
	mark_first(fd);
	old = children_pid(&server, "postern-lock", 0);
	ATF_REQUIRE(kill(old, SIGKILL) == 0);
	log_must_have(&server, "event=exit process=lock");
	client_say(fd, "QUIT", "- the mailbox cannot be locked");
	client_expect_close(fd);
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	children_must_be(&server, "postern-lock", 1);
	ATF_CHECK(old != children_pid(&server, "postern-lock", 0));
	must_serve(&server);
	server_stop(&server);
}

/* Where postern-lock makes none, a session needs none of its answers. */
ATF_TC_WITHOUT_HEAD(lock_process_killed_elsewhere);
ATF_TC_BODY(lock_process_killed_elsewhere, tc)
{
	struct server server;
	int fd;

	(void)tc;
	start(&server, NULL);
	folder_write(&server, FRED, "mail/closed/work", ONE, strlen(ONE));
	ATF_REQUIRE(chmod(path_of(&server, "home/fred/mail/closed"), 0555) ==
	    0);
	fd = pop1_login(&server, 0, FRED, FRED_PASSWORD);
	ATF_REQUIRE(kill(children_pid(&server, "postern-lock", 0), SIGKILL) ==
	    0);
	client_say(fd, "RETR fred", "-ERR the mailbox cannot be locked");
	client_say(fd, "RETR closed/work", "#");
	client_say(fd, "RSET", "+OK");
	(void)close(fd);
	ATF_REQUIRE(chmod(path_of(&server, "home/fred/mail/closed"), 0755) ==
	    0);
	server_stop(&server);
}

/* Nor does a session begin without what it would be locked with. */
ATF_TC_WITHOUT_HEAD(lock_process_away);
ATF_TC_BODY(lock_process_away, tc)
{
	struct server server;
	char path[400], aside[400];

	(void)tc;
	start(&server, NULL);
	(void)strlcpy(path, path_of(&server, "libexec/postern-lock"),
	    sizeof(path));
	(void)strlcpy(aside, path_of(&server, "libexec/aside"),
	    sizeof(aside));
	ATF_REQUIRE(rename(path, aside) == 0);
	ATF_REQUIRE(kill(children_pid(&server, "postern-lock", 0), SIGKILL) ==
	    0);
	children_must_be(&server, "postern-lock", 0);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox cannot be locked"));
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	ATF_REQUIRE(rename(aside, path) == 0);
	children_must_be(&server, "postern-lock", 1);
	must_serve(&server);
	server_stop(&server);
}

/* A directory of the spool's name, owner and rights. */
static void
make_spool(const struct server *server, const char *like)
{
	const char *path = path_of(server, "spool");
	struct stat old;

	ATF_REQUIRE(stat(path_of(server, like), &old) == 0);
	ATF_REQUIRE(mkdir(path, 0700) == 0);
	if (server->privileged)
		ATF_REQUIRE(chown(path, old.st_uid, old.st_gid) == 0);
	ATF_REQUIRE(chmod(path, old.st_mode & 07777) == 0);
}

static void
move_spool(const struct server *server, const char *from, const char *to)
{
	ATF_REQUIRE(rename(path_of(server, from), path_of(server, to)) == 0);
}

/* postern-lock ends, and another takes its place. */
static void
lock_must_follow(const struct server *server, pid_t old)
{
	int waited;

	log_must_have(server, "leads to another directory now");
	for (waited = 0; waited < PATIENCE_MS && kill(old, 0) == 0;
	    waited += 10)
		pause_ms(10);
	ATF_REQUIRE_MSG(waited < PATIENCE_MS, "postern-lock did not end");
	children_must_be(server, "postern-lock", 1);
}

/* Locked is where the path leads to, or nothing is. */
ATF_TC_WITHOUT_HEAD(spool_replaced);
ATF_TC_BODY(spool_replaced, tc)
{
	struct server server;
	struct watch watch;
	const char *lock;
	char *text;
	pid_t old;
	int fd;

	(void)tc;
	start(&server, "lock-timeout 1\n");
	fd = login(&server);
	mark_first(fd);
	old = children_pid(&server, "postern-lock", 0);
	move_spool(&server, "spool", "old");
	make_spool(&server, "old");
	mailbox_write(&server, FRED, BOTH, strlen(BOTH));
	client_say(fd, "QUIT", "- the mailbox cannot be locked");
	client_expect_close(fd);
	text = file_read(path_of(&server, "old/fred"), NULL);
	ATF_CHECK_STREQ(BOTH, text);
	free(text);
	mailbox_must_be(&server, FRED, BOTH, strlen(BOTH));
	lock_must_follow(&server, old);
	lock = plant(&server, "spool/fred.lock");
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is locked by another program"));
	ATF_REQUIRE(unlink(lock) == 0);
	watch = watch_spool(&server);
	must_serve(&server);
	watch_must_be(&watch, 2, 2, "in the new spool");
	server_stop(&server);
}

/* Its file system comes when the daemon runs. */
ATF_TC_WITHOUT_HEAD(spool_comes_late);
ATF_TC_BODY(spool_comes_late, tc)
{
	struct server server;
	struct watch watch;
	pid_t old;

	(void)tc;
	server_prepare(&server, NULL);
	mailbox_write(&server, FRED, BOTH, strlen(BOTH));
	move_spool(&server, "spool", "late");
	server_run(&server);
	old = children_pid(&server, "postern-lock", 0);
	quit(pop2_login(&server, 0, FRED, FRED_PASSWORD, "#0 "));
	move_spool(&server, "late", "spool");
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox cannot be locked"));
	lock_must_follow(&server, old);
	watch = watch_spool(&server);
	must_serve(&server);
	watch_must_be(&watch, 2, 2, "in the spool");
	server_stop(&server);
}

/* A store that takes its lock again and again is stopped while it has it. */
static pid_t
stop_with_lock(const struct server *server, const char *path)
{
	struct stat status;
	char text[400];
	pid_t store;
	int tries;

	catch_lock(path, &status, text, sizeof(text));
	store = children_pid(server, "postern-store", 0);
	for (tries = 0; tries < 200; tries++) {
		catch_lock(path, &status, text, sizeof(text));
		ATF_REQUIRE(kill(store, SIGSTOP) == 0);
		/* It may have asked for it to be given up. */
		pause_ms(200);
		if (exists(path))
			break;
		ATF_REQUIRE(kill(store, SIGCONT) == 0);
	}
	ATF_REQUIRE(exists(path));
	return (store);
}

/* Who has a lock keeps it when the spool is moved; nobody else gets one. */
ATF_TC_WITHOUT_HEAD(held_over_a_move);
ATF_TC_BODY(held_over_a_move, tc)
{
	struct server server;
	struct holder holder;
	pid_t store, old;
	int fd;

	(void)tc;
	start(&server, "lock dotlock fcntl\nlock-timeout 30\n");
	holder = holder_of(mailbox_path(&server, FRED), F_WRLCK);
	fd = begin_login(&server);
	store = stop_with_lock(&server, path_of(&server, "spool/fred.lock"));
	old = children_pid(&server, "postern-lock", 0);
	move_spool(&server, "spool", "old");
	make_spool(&server, "old");
	mailbox_write(&server, FRED, BOTH, strlen(BOTH));
	mailbox_write(&server, ANN, BOTH, strlen(BOTH));
	client_expect_close(pop2_login(&server, 0, ANN, ANN_QUOTED,
	    "- the mailbox cannot be locked"));
	log_must_have(&server, "leads to another directory now");
	pause_ms(300);
	ATF_CHECK(kill(old, 0) == 0);
	ATF_CHECK(exists(path_of(&server, "old/fred.lock")));
	ATF_REQUIRE(kill(store, SIGCONT) == 0);
	lock_must_follow(&server, old);
	ATF_CHECK(!exists(path_of(&server, "old/fred.lock")));
	holder_end(&holder);
	(void)close(fd);
	must_serve(&server);
	server_stop(&server);
}

/* The store stands still with its lock; then it is no more. */
ATF_TC_WITHOUT_HEAD(store_killed_with_lock);
ATF_TC_BODY(store_killed_with_lock, tc)
{
	struct server server;
	struct holder holder;
	char path[400];
	pid_t store;
	int fd, waited;

	(void)tc;
	start(&server, "lock dotlock fcntl\nlock-timeout 30\n");
	(void)strlcpy(path, path_of(&server, "spool/fred.lock"),
	    sizeof(path));
	holder = holder_of(mailbox_path(&server, FRED), F_WRLCK);
	fd = begin_login(&server);
	store = stop_with_lock(&server, path);
	ATF_REQUIRE(kill(store, SIGKILL) == 0);
	for (waited = 0; waited < PATIENCE_MS && exists(path); waited += 10)
		pause_ms(10);
	ATF_CHECK(!exists(path));
	holder_end(&holder);
	(void)close(fd);
	must_serve(&server);
	server_stop(&server);
}

/* A second daemon that knows the same directories by other paths. */
static void
start_other_host(const struct server *server, struct server *other)
{
	char text[4096];

	*other = *server;
	other->pid = 0;
	(void)snprintf(other->log, sizeof(other->log), "%s/log2",
	    server->directory);
	(void)snprintf(other->config, sizeof(other->config), "%s/conf2",
	    server->directory);
	ATF_REQUIRE(symlink(".", path_of(server, "other")) == 0);
	(void)snprintf(text, sizeof(text), "hostname post.example.org\n"
	    "listen auto 127.0.0.1 port 0\nauth passwd %s\n"
	    "mailbox %s/%%u\nfolders ~/mail\nstate %s\n"
	    "%s%s%s\n", path_of(server, "passwd"),
	    path_of(server, "other/spool"), path_of(server, "other/state"),
	    server->privileged ?
	    "net-user 64101:64101\nauth-user 64102:64102\n"
	    "lock-user 64104:8\nchroot " : "unprivileged\nminimum-uid 1",
	    server->privileged ? server->directory : "",
	    server->privileged ? "/empty" : "");
	file_write(other->config, text, strlen(text));
	server_run(other);
}

/* One session at a time, wherever it came in; its end is an end for all. */
ATF_TC_WITHOUT_HEAD(two_hosts);
ATF_TC_BODY(two_hosts, tc)
{
	struct server server, other;
	struct watch watch;
	int fd, second;

	(void)tc;
	start(&server, NULL);
	start_other_host(&server, &other);
	fd = login(&server);
	second = pop2_login(&other, 0, FRED, FRED_PASSWORD, "- the mailbox "
	    "is in use by another session");
	client_expect_close(second);
	/* Other mailboxes are free. */
	quit(pop2_login(&other, 0, ANN, ANN_QUOTED, "#0 "));
	mark_first(fd);
	ATF_REQUIRE(kill(children_pid(&server, "postern-store", 0),
	    SIGKILL) == 0);
	children_must_be(&server, "postern-store", 0);
	second = login(&other);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is in use by another session"));
	mark_first(second);
	quit(second);
	mailbox_must_be(&server, FRED, TWO, strlen(TWO));
	(void)close(fd);
	must_serve(&server);
	/* A link on the administrator's own path is no reason for no lock. */
	watch = watch_spool(&server);
	must_serve(&other);
	watch_must_be(&watch, 2, 2, "through a symbolic link");
	server_stop(&other);
	server_stop(&server);
}

/* What a crash has left keeps nobody waiting. */
ATF_TC_WITHOUT_HEAD(leftover_in_folder);
ATF_TC_BODY(leftover_in_folder, tc)
{
	struct server server;
	const char *text;
	pid_t dead;
	int fd;

	(void)tc;
	ATF_REQUIRE((dead = fork()) != -1);
	if (dead == 0)
		_exit(0);
	ATF_REQUIRE(waitpid(dead, NULL, 0) == dead);
	start(&server, "lock-timeout 1\n");
	folder_write(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	text = text_for((long)dead);
	folder_write(&server, FRED, "mail/work.lock", text, strlen(text));
	fd = login(&server);
	client_say(fd, "FOLD work", "#2 ");
	log_must_have(&server, "stale; removed");
	mark_first(fd);
	quit(fd);
	folder_must_be(&server, FRED, "mail/work", TWO, strlen(TWO));
	ATF_CHECK(!exists(path_of(&server, "home/fred/mail/work.lock")));
	/* A name from a client is one word of the log's line. */
	folder_write(&server, FRED, "mail/a user=\"root", BOTH, strlen(BOTH));
	folder_write(&server, FRED, "mail/a user=\"root.lock", text,
	    strlen(text));
	fd = login(&server);
	client_say(fd, "FOLD a user=\"root", "#2 ");
	quit(fd);
	log_must_have(&server, "file=\"a user=\\x22root.lock\" uid=");
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(leftover_in_spool);
ATF_TC_BODY(leftover_in_spool, tc)
{
	struct server server;
	const char *lock;

	(void)tc;
	start(&server, "lock-timeout 1\n");
	lock = plant(&server, "spool/fred.lock");
	if (server.privileged)
		ATF_REQUIRE(chown(lock, LOCK_UID, SPOOL_GID) == 0);
	make_old(lock, DOTLOCK_DEAD_SECONDS - MARGIN);
	client_expect_close(pop2_login(&server, 0, FRED, FRED_PASSWORD,
	    "- the mailbox is locked by another program"));
	ATF_CHECK(exists(lock));
	make_old(lock, DOTLOCK_DEAD_SECONDS + MARGIN);
	must_serve(&server);
	log_must_have(&server, "stale; removed");
	ATF_CHECK(!exists(lock));
	server_stop(&server);
}

/* The file that is served is the one that has the name under the lock. */
static void
replaced_while_waiting(const char *kinds, int dotlock)
{
	struct server server;
	struct holder holder;
	const char *lock = NULL;
	struct pollfd answer;

	start(&server, kinds);
	folder_write(&server, FRED, "mail/work", BOTH, strlen(BOTH));
	answer = (struct pollfd){ login(&server), POLLIN, 0 };
	if (dotlock)
		lock = plant(&server, "home/fred/mail/work.lock");
	else
		holder = holder_of(path_of(&server, "home/fred/mail/work"),
		    F_WRLCK);
	client_send(answer.fd, "FOLD work\r\n");
	ATF_REQUIRE_EQ(0, poll(&answer, 1, 500));
	folder_write(&server, FRED, "mail/new", BOTH TWO, strlen(BOTH TWO));
	ATF_REQUIRE(rename(path_of(&server, "home/fred/mail/new"),
	    path_of(&server, "home/fred/mail/work")) == 0);
	ATF_REQUIRE_EQ(0, poll(&answer, 1, 300));
	if (dotlock)
		ATF_REQUIRE(unlink(lock) == 0);
	else
		holder_end(&holder);
	client_expect_line(answer.fd, "#3 ");
	mark_first(answer.fd);
	quit(answer.fd);
	folder_must_be(&server, FRED, "mail/work", TWO TWO, strlen(TWO TWO));
	server_stop(&server);
}

ATF_TC_WITHOUT_HEAD(replaced_under_fcntl);
ATF_TC_BODY(replaced_under_fcntl, tc)
{
	(void)tc;
	replaced_while_waiting("lock fcntl\nlock-timeout 30\n", 0);
}

ATF_TC_WITHOUT_HEAD(replaced_under_dotlock);
ATF_TC_BODY(replaced_under_dotlock, tc)
{
	(void)tc;
	replaced_while_waiting("lock-timeout 30\n", 1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, in_the_spool);
	ATF_TP_ADD_TC(tp, slow_client);
	ATF_TP_ADD_TC(tp, held_by_another);
	ATF_TP_ADD_TC(tp, waiting_for_dotlock);
	ATF_TP_ADD_TC(tp, waiting_for_fcntl);
	ATF_TP_ADD_TC(tp, fcntl_alone);
	ATF_TP_ADD_TC(tp, flock_held);
	ATF_TP_ADD_TC(tp, impossible_but_needed);
	ATF_TP_ADD_TC(tp, impossible_and_not_needed);
	ATF_TP_ADD_TC(tp, elsewhere_but_needed);
	ATF_TP_ADD_TC(tp, elsewhere_and_not_needed);
	ATF_TP_ADD_TC(tp, elsewhere_held_by_another);
	ATF_TP_ADD_TC(tp, folders);
	ATF_TP_ADD_TC(tp, folder_held_by_another);
	ATF_TP_ADD_TC(tp, lock_process_killed);
	ATF_TP_ADD_TC(tp, lock_process_killed_elsewhere);
	ATF_TP_ADD_TC(tp, lock_process_away);
	ATF_TP_ADD_TC(tp, spool_replaced);
	ATF_TP_ADD_TC(tp, spool_comes_late);
	ATF_TP_ADD_TC(tp, held_over_a_move);
	ATF_TP_ADD_TC(tp, store_killed_with_lock);
	ATF_TP_ADD_TC(tp, two_hosts);
	ATF_TP_ADD_TC(tp, leftover_in_folder);
	ATF_TP_ADD_TC(tp, leftover_in_spool);
	ATF_TP_ADD_TC(tp, replaced_under_fcntl);
	ATF_TP_ADD_TC(tp, replaced_under_dotlock);
	return (atf_no_error());
}
