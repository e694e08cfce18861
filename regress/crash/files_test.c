/*
 * files_test.c - commits in MH folders and Maildirs, killed at every call
 * that changes something, and with every such call failing.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "harness.h"
#include "mailbox.h"
#include "mh.h"

#define FILES		6
#define MARKED(which)	((which) % 2 == 1)	/* 1, 3, 5 */
#define MARKED_COUNT	3
#define SEQUENCES	"cur: 2\nodd: 2 4 6\nall: 1-6\nfirst: 1-2\n"

static const char *const mh_names[FILES] = { "box/1", "box/2", "box/3",
    "box/4", "box/5", "box/6" };
static const char *const mh_renamed[FILES] = { NULL, "box/,2", NULL,
    "box/,4", NULL, "box/,6" };
static const char *const maildir_names[FILES] = { "box/new/1.a",
    "box/new/2.b", "box/cur/3.c:2,S", "box/cur/4.d:2,", "box/new/5.e",
    "box/cur/6.f:2,FS" };

static const struct kind {
	const struct mailbox_format *format;
	int rename;
	const char *const *names;
} kinds[] = {
	{ &mailbox_mh, 0, mh_names },
	{ &mailbox_mh, 1, mh_names },
	{ &mailbox_maildir, 0, maildir_names },
};

/* What a session in a child told. */
struct told {
	uint32_t deleted, gone;
	int failed;
	char reason[REASON_SIZE];
};
static struct told *told;

static const char *
text_of(int which)
{
	static char text[100];

	(void)snprintf(text, sizeof(text), "Subject: %d\n\n%.*s\n", which,
	    which * 7, "................................................");
	return (text);
}

static void
make_box(const struct kind *kind)
{
	static const char *const sweep[] = { "rm", "-rf", "box", NULL };
	static const char *const directories[] = { "box", "box/cur",
	    "box/new", "box/tmp" };
	char output[100];
	size_t i;

	ATF_REQUIRE(run(sweep, NULL, output, sizeof(output)) == 0);
	for (i = 0; i < (kind->format == &mailbox_mh ? 1 : 4); i++)
		ATF_REQUIRE(mkdir(directories[i], 0700) == 0);
	for (i = 0; i < FILES; i++)
		file_write(kind->names[i], text_of((int)i),
		    strlen(text_of((int)i)));
	if (kind->format == &mailbox_mh)
		file_write("box/.mh_sequences", SEQUENCES, strlen(SEQUENCES));
}

static void
read_and_mark(struct mailbox *mailbox)
{
	static struct wire wire;
	uint64_t number;

	ATF_REQUIRE_EQ(FILES, mailbox->messages);
	wire.fd = open("/dev/null", O_WRONLY);
	for (number = 1; number <= FILES; number++) {
		wire_begin(&wire, mailbox->format->octets(mailbox, number));
		ATF_REQUIRE(mailbox->format->send(mailbox, number, &wire) ==
		    NULL && wire_end(&wire) == 0);
		if (MARKED(number - 1))
			ATF_REQUIRE(mailbox->format->mark(mailbox, number) ==
			    0);
	}
	(void)close(wire.fd);
}

/* A whole session; the faults are in its commit alone. */
static void
session(const struct kind *kind, enum fault fault, unsigned int at, int error)
{
	struct mailbox mailbox;
	const char *wrong;

	memset(&mailbox, 0, sizeof(mailbox));
	mailbox.format = kind->format;
	mailbox.rename_deleted = kind->rename;
	mailbox.place.directory = open(".", O_RDONLY | O_DIRECTORY);
	mailbox.place.state = mailbox.place.pulse = -1;
	(void)strlcpy(mailbox.place.name, "box", sizeof(mailbox.place.name));
	ATF_REQUIRE(mailbox.format->open(&mailbox) == NULL);
	read_and_mark(&mailbox);
	faults_set(fault, at, error);
	wrong = mailbox.format->commit(&mailbox, &told->deleted);
	told->gone = mailbox.gone;
	told->failed = wrong != NULL;
	(void)strlcpy(told->reason, wrong != NULL ? wrong : "",
	    sizeof(told->reason));
	mailbox.format->close(&mailbox);
	(void)close(mailbox.place.directory);
}

/* The same in a child; false when it was killed. */
static int
session_child(const struct kind *kind, enum fault fault, unsigned int at,
    int error)
{
	int status;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		session(kind, fault, at, error);
		_exit(STATUS_DONE);
	}
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	ATF_REQUIRE(WEXITSTATUS(status) == STATUS_DONE ||
	    WEXITSTATUS(status) == STATUS_KILLED);
	return (WEXITSTATUS(status) == STATUS_DONE);
}

static int
is_whole(const char *path, const char *text)
{
	size_t length;
	char *bytes;
	int same;

	if (access(path, F_OK) == -1)
		return (0);
	bytes = file_read(path, &length);
	same = length == strlen(text) && memcmp(bytes, text, length) == 0;
	free(bytes);
	ATF_REQUIRE_MSG(same, "%s is not what it was", path);
	return (1);
}

/* nmh can read it, and no message that is there has lost a sequence. */
static void
check_sequences(uint32_t removed)
{
	static const int64_t none[1];
	size_t length, new_length;
	char *bytes = file_read("box/.mh_sequences", &length), *text;

	text = mh_sequences_text(bytes, length, none, 0, &new_length);
	ATF_REQUIRE_MSG(text != NULL && length > 0, "sequences: %s", bytes);
	ATF_REQUIRE(strstr(bytes, "cur: 2\n") == bytes);
	ATF_REQUIRE(strstr(bytes, "\nfirst: 1") != NULL);
	if (removed == 0)
		ATF_REQUIRE_STREQ(SEQUENCES, bytes);
	free(text);
	free(bytes);
}

/* What is not marked is there; returns how many of the marked are gone. */
static uint32_t
check_box(const struct kind *kind)
{
	uint32_t removed = 0;
	int i;

	for (i = 0; i < FILES; i++) {
		if (is_whole(kind->names[i], text_of(i)))
			continue;
		ATF_REQUIRE_MSG(MARKED(i), "%s is lost", kind->names[i]);
		removed++;
		if (kind->rename)
			ATF_REQUIRE(is_whole(mh_renamed[i], text_of(i)));
	}
	if (kind->format == &mailbox_mh)
		check_sequences(removed);
	return (removed);
}

/* How many calls a whole commit makes. */
static unsigned int
calls_of(const struct kind *kind)
{
	make_box(kind);
	ATF_REQUIRE(session_child(kind, FAULT_NONE, 0, 0));
	ATF_REQUIRE_MSG(!told->failed, "%s", told->reason);
	ATF_REQUIRE_EQ(MARKED_COUNT, told->deleted);
	ATF_REQUIRE_EQ(MARKED_COUNT, check_box(kind));
	ATF_REQUIRE(faults->calls > MARKED_COUNT);
	return (faults->calls);
}

static void
begin(void)
{
	faults_begin();
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ATF_REQUIRE(told != MAP_FAILED);
}

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	static const enum fault ends[] = { FAULT_KILL, FAULT_KILL_HALF };
	unsigned int at, calls;
	size_t i, end;

	(void)tc;
	begin();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		calls = calls_of(&kinds[i]);
		for (at = 1; at <= calls; at++)
			for (end = 0; end < 2; end++) {
				make_box(&kinds[i]);
				ATF_REQUIRE(!session_child(&kinds[i],
				    ends[end], at, 0));
				/* Only whole, or gone. */
				(void)check_box(&kinds[i]);
			}
	}
}

/* The answer is what was done, whatever fails. */
ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	static const int errors[] = { EIO, ENOSPC, EACCES, EROFS };
	static const enum fault faulty[] = { FAULT_ONCE, FAULT_ALWAYS };
	unsigned int at, calls, which;
	uint32_t removed;
	size_t i;

	(void)tc;
	begin();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		calls = calls_of(&kinds[i]);
		for (at = 1; at <= calls; at++)
			for (which = 0; which < 8; which++) {
				make_box(&kinds[i]);
				ATF_REQUIRE(session_child(&kinds[i],
				    faulty[which / 4], at, errors[which % 4]));
				removed = check_box(&kinds[i]);
				ATF_REQUIRE_EQ(told->deleted, removed);
				ATF_REQUIRE_EQ(0, told->gone);
				ATF_REQUIRE(told->failed ||
				    removed == MARKED_COUNT || removed == 0);
				ATF_REQUIRE(!told->failed || removed > 0 ||
				    strstr(told->reason, "nothing was") !=
				    NULL || strstr(told->reason, "look") !=
				    NULL);
			}
	}
}

/* Before the answer every directory that a name went out of was synced. */
ATF_TC_WITHOUT_HEAD(synced);
ATF_TC_BODY(synced, tc)
{
	static struct recording made;
	struct stat where[3];
	size_t i, event, unlinked, late;
	const char *const directories[] = { "box", "box/new", "box/cur" };

	(void)tc;
	begin();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		make_box(&kinds[i]);
		recording = &made;
		session(&kinds[i], FAULT_NONE, 0, 0);
		recording = NULL;
		ATF_REQUIRE_EQ(MARKED_COUNT, check_box(&kinds[i]));
		unlinked = late = 0;
		for (event = 0; event < made.count; event++)
			if (made.events[event].type == EVENT_UNLINK ||
			    made.events[event].type == EVENT_RENAME) {
				unlinked++;
				late = event;
			}
		ATF_REQUIRE_EQ(MARKED_COUNT, unlinked);
		memset(where, 0, sizeof(where));
		for (unlinked = 0; unlinked < 3; unlinked++)
			(void)stat(directories[unlinked], &where[unlinked]);
		for (unlinked = 0; late < made.count; late++)
			if (made.events[late].type == EVENT_SYNC_DIRECTORY)
				unlinked += made.events[late].file ==
				    where[kinds[i].names == mh_names ? 0 : 1]
				    .st_ino || made.events[late].file ==
				    where[2].st_ino;
		ATF_REQUIRE_EQ(kinds[i].names == mh_names ? 1 : 2, unlinked);
		recording_free(&made);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, synced);
	return (atf_no_error());
}
