/*
 * file_index_test.c - with an index or without one, messages are what is in
 * their files.
 *
 * In one process with the store's own code; what it reads is counted, and some
 * answers are other ones (see "Doubles").
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>

#include "index_file.h"
#include "log.h"
#include "maildrop.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define BOX		"box"
#define MESSAGES	20	/* not so few that there is no index */
#define TEXT_SIZE	8192

/* Doubles. */

static int settled = 1;		/* what index_is_settled says; -1: the truth */
static struct timespec young;	/* but for this ctime, which is not */
static ino_t unreadable;	/* a file that cannot be opened */
static int no_room;		/* errno of writing in the state directory */
static int measured;		/* messages that were read for their octets */
static int identified;		/* and for their unique ids */
static char last_log[LOG_TEXT_SIZE];

int	__real_index_is_settled(const struct timespec *changed);
int	__wrap_index_is_settled(const struct timespec *changed);
int	__real_message_file_open(const struct message_file *file, int directory);
int	__wrap_message_file_open(const struct message_file *file, int directory);
int	__real_message_file_measure(struct message_file *file, int fd,
	    struct line_reader *reader, int whole);
int	__wrap_message_file_measure(struct message_file *file, int fd,
	    struct line_reader *reader, int whole);
const char *__real_uid_content(struct mailbox *mailbox, uint64_t number,
	    const char *label, unsigned char *digest);
const char *__wrap_uid_content(struct mailbox *mailbox, uint64_t number,
	    const char *label, unsigned char *digest);
ssize_t	__real_pwrite(int fd, const void *from, size_t length, off_t at);
ssize_t	__wrap_pwrite(int fd, const void *from, size_t length, off_t at);

int
__wrap_index_is_settled(const struct timespec *changed)
{
	if (changed->tv_sec == young.tv_sec &&
	    changed->tv_nsec == young.tv_nsec)
		return (0);
	return (settled != -1 ? settled : __real_index_is_settled(changed));
}

int
__wrap_message_file_open(const struct message_file *file, int directory)
{
	if (file->identity.inode == unreadable) {
		errno = EACCES;
		return (-1);
	}
	return (__real_message_file_open(file, directory));
}

int
__wrap_message_file_measure(struct message_file *file, int fd,
    struct line_reader *reader, int whole)
{
	measured++;
	return (__real_message_file_measure(file, fd, reader, whole));
}

const char *
__wrap_uid_content(struct mailbox *mailbox, uint64_t number,
    const char *label, unsigned char *digest)
{
	identified++;
	return (__real_uid_content(mailbox, number, label, digest));
}

ssize_t
__wrap_pwrite(int fd, const void *from, size_t length, off_t at)
{
	if (no_room != 0) {
		errno = no_room;
		return (-1);
	}
	return (__real_pwrite(fd, from, length, at));
}

static void
take_line(int priority, const char *text)
{
	(void)priority;
	(void)strlcpy(last_log, text, sizeof(last_log));
}

/* A mailbox. */

static const struct mailbox_format *format;
static int spool = -1, state;
static struct wire wire;

static int
is_maildir(void)
{
	return (format == &mailbox_maildir);
}

/* Where message `number` is. */
static const char *
path_of(size_t number)
{
	static char path[80];

	(void)snprintf(path, sizeof(path), is_maildir() ?
	    BOX "/cur/17000%05zu.M1.host:2," : BOX "/%zu", number);
	return (path);
}

static void
put(const char *path, const char *text)
{
	int fd = openat(spool, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	ATF_REQUIRE(close(fd) == 0);
}

/* Where the times of files move with the clock's tick (10 ms at the most). */
static void
time_moves(void)
{
	(void)usleep(20000);
}

/* Some have lines that begin with a dot, or no line end at their end. */
static void
put_message(size_t number)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "Return-Path: <u%zu@example.org>\n"
	    "Subject: %zu\n\n%sFrom here\nlast%s", number, number,
	    number % 3 == 0 ? ".\n..dots\n" : "text\n",
	    number % 4 == 0 ? "" : "\n");
	put(path_of(number), text);
}

static void
put_all(void)
{
	size_t i;

	ATF_REQUIRE(mkdirat(spool, BOX, 0700) == 0);
	if (is_maildir())
		ATF_REQUIRE(mkdirat(spool, BOX "/new", 0700) == 0 &&
		    mkdirat(spool, BOX "/cur", 0700) == 0);
	for (i = 1; i <= MESSAGES; i++)
		put_message(i);
}

/* Each format is met in directories of its own. */
static void
prepare(int which)
{
	char name[2][20];

	ATF_REQUIRE(sodium_init() != -1);
	format = which == 0 ? &mailbox_mh : &mailbox_maildir;
	(void)snprintf(name[0], sizeof(name[0]), "spool-%d", which);
	(void)snprintf(name[1], sizeof(name[1]), "state-%d", which);
	ATF_REQUIRE(mkdir(name[0], 0700) == 0 && mkdir(name[1], 0700) == 0);
	spool = open(name[0], O_RDONLY | O_DIRECTORY);
	state = open(name[1], O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE(spool != -1 && state != -1);
	log_output = take_line;
	last_log[0] = '\0';
	put_all();
}

#define FORMATS	2

/* `plain`: as if there were no state directory, so without an index. */
static void
open_box(struct mailbox *mailbox, int plain, int whole)
{
	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->format = format;
	mailbox->measure_all = whole;
	mailbox->place.directory = spool;
	mailbox->place.state = plain ? -1 : state;
	mailbox->place.pulse = -1;
	(void)strlcpy(mailbox->place.name, BOX, FOLDER_SIZE);
	ATF_REQUIRE(mailbox->format->open(mailbox) == NULL);
}

static struct mailbox_place
place_of_box(void)
{
	struct mailbox_place place;

	memset(&place, 0, sizeof(place));
	place.directory = spool;
	place.state = state;
	(void)strlcpy(place.name, BOX, FOLDER_SIZE);
	return (place);
}

/* What a client is told of all messages, by each way it may ask. */
static char *
tell(int plain, int uids)
{
	struct ipc_maildrop_state now;
	struct mailbox mailbox;
	struct ipc_data data;
	char *text = calloc(1, TEXT_SIZE), uid[UID_SIZE];
	uint32_t number;
	size_t used;

	ATF_REQUIRE(text != NULL);
	open_box(&mailbox, plain, 0);
	ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
	maildrop_state(&now);
	used = (size_t)sprintf(text, "%llu %llu\n",
	    (unsigned long long)now.messages, (unsigned long long)now.octets);
	for (number = 1; number <= mailbox.messages; number++) {
		uid[0] = '\0';
		memset(&data, 0, sizeof(data));
		if (maildrop_measure(number, UINT64_MAX, &data) != NULL)
			ATF_CHECK(unreadable != 0);
		if (uids)
			ATF_REQUIRE(maildrop_uid(number, uid) == NULL);
		used += (size_t)snprintf(text + used, TEXT_SIZE - used,
		    "%llu %llu %s\n", (unsigned long long)data.octets,
		    (unsigned long long)data.piped, uid);
	}
	ATF_REQUIRE(used < TEXT_SIZE);
	maildrop_end();
	mailbox.format->close(&mailbox);
	return (text);
}

/* All of it is sent, as announced: 0, or what went wrong. */
static const char *
send_each(int by_pop3)
{
	struct mailbox mailbox;
	struct ipc_data data;
	const char *wrong = NULL;
	uint32_t number;

	wire.fd = -1;
	open_box(&mailbox, 0, 0);
	if (by_pop3)
		ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
	for (number = 1; wrong == NULL && number <= mailbox.messages;
	    number++) {
		data.piped = format->octets(&mailbox, number);
		if (by_pop3)
			wrong = maildrop_measure(number, UINT64_MAX, &data);
		wire_begin(&wire, data.piped);
		if (wrong == NULL)
			wrong = by_pop3 ? maildrop_send(number, UINT64_MAX,
			    &data, &wire) : format->send(&mailbox, number,
			    &wire);
		ATF_CHECK(wire.written <= data.piped);
		if (wrong == NULL && wire_end(&wire) == -1)
			wrong = "not what was announced";
	}
	maildrop_end();
	mailbox.format->close(&mailbox);
	return (wrong);
}

/* The same as a whole, by POP1. */
static const char *
send_whole(uint64_t *octets)
{
	struct mailbox mailbox;
	const char *wrong;

	wire.fd = -1;
	open_box(&mailbox, 0, 1);
	*octets = mailbox.all_octets;
	wire_begin(&wire, mailbox.all_octets);
	wrong = format->send_all(&mailbox, &wire);
	ATF_CHECK(wire.written <= mailbox.all_octets);
	if (wrong == NULL && wire_end(&wire) == -1)
		wrong = "not what was announced";
	mailbox.format->close(&mailbox);
	return (wrong);
}

static int
is_there(void)
{
	const struct mailbox_place place = place_of_box();

	return (index_file_is_there(&place));
}

static struct index_file
read_index(void)
{
	const struct mailbox_place place = place_of_box();
	struct index_file file;

	ATF_REQUIRE(index_file_read(&place, &file) == 0);
	return (file);
}

static void
write_index(const struct index_file *file)
{
	const struct mailbox_place place = place_of_box();

	index_file_write(&place, file);
}

/* As without an index; so many messages are read for it. */
static void
must_be_true(const char *when, int measures, int identifies)
{
	char *without = tell(1, 1), *with;

	measured = identified = 0;
	with = tell(0, 1);
	ATF_CHECK_STREQ_MSG(without, with, "%s", when);
	ATF_CHECK_EQ_MSG(measures, measured, "%s: %d were read", when,
	    measured);
	/* A Maildir's names are its ids. */
	if (is_maildir())
		identifies = 0;
	ATF_CHECK_EQ_MSG(identifies, identified, "%s: %d were identified",
	    when, identified);
	free(with);
	free(without);
}

ATF_TC_WITHOUT_HEAD(unchanged);
ATF_TC_BODY(unchanged, tc)
{
	uint64_t first, again;
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		must_be_true("first", MESSAGES, MESSAGES);
		ATF_CHECK(is_there());
		must_be_true("again", 0, 0);
		ATF_CHECK(send_each(0) == NULL);
		ATF_CHECK(send_each(1) == NULL);
		measured = 0;
		ATF_CHECK(send_whole(&first) == NULL);
		ATF_CHECK_EQ(MESSAGES, measured);
		measured = 0;
		ATF_CHECK(send_whole(&again) == NULL);
		ATF_CHECK_EQ(0, measured);
		ATF_CHECK_EQ(first, again);
		must_be_true("and with that", 0, 0);
	}
}

/* A session that ends suddenly leaves what its opening has found. */
ATF_TC_WITHOUT_HEAD(sudden_end);
ATF_TC_BODY(sudden_end, tc)
{
	struct mailbox mailbox;
	char uid[UID_SIZE];
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		open_box(&mailbox, 0, 0);
		ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
		mailbox.format->remember(&mailbox);
		must_be_true("beside it", 0, MESSAGES);
		maildrop_end();
		mailbox.format->close(&mailbox);
		/* By POP2 a message is read when it is asked for. */
		put_message(3);
		open_box(&mailbox, 0, 0);
		measured = 0;
		ATF_CHECK(format->octets(&mailbox, 3) != 0);
		ATF_CHECK_EQ(1, measured);
		mailbox.format->close(&mailbox);
		must_be_true("after it", 0, 1);
		/* And ids when the first is asked for. */
		put_message(4);
		open_box(&mailbox, 0, 0);
		ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
		mailbox.format->remember(&mailbox);
		ATF_REQUIRE(maildrop_uid(1, uid) == NULL);
		maildrop_end();
		must_be_true("beside that", 0, 0);
		mailbox.format->close(&mailbox);
	}
}

/* Whatever happens to files, those to which it does are read again. */
ATF_TC_WITHOUT_HEAD(changed);
ATF_TC_BODY(changed, tc)
{
	struct timespec times[2];
	struct stat status;
	char name[80];
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		must_be_true("first", MESSAGES, MESSAGES);
		put_message(MESSAGES + 1);
		must_be_true("a new one", 1, 1);
		put(path_of(2), "Subject: two\n\nother\n\n.text\n");
		must_be_true("another text", 1, 1);
		/* As long, and with the date it had: no program sets ctime. */
		ATF_REQUIRE(fstatat(spool, path_of(2), &status, 0) == 0);
		time_moves();
		put(path_of(2), "Subject: two\n\nother\n.\ntext\n");
		times[0] = status.st_atim;
		times[1] = status.st_mtim;
		ATF_REQUIRE(utimensat(spool, path_of(2), times, 0) == 0);
		must_be_true("another text with the old date", 1, 1);
		put("new", "Subject: new\n\nnew\n");
		ATF_REQUIRE(renameat(spool, "new", spool, path_of(5)) == 0);
		must_be_true("another file", 1, 1);
		ATF_REQUIRE(unlinkat(spool, path_of(7), 0) == 0);
		must_be_true("one is gone", 0, 0);
		(void)strlcpy(name, path_of(8), sizeof(name));
		ATF_REQUIRE(renameat(spool, name, spool, path_of(30)) == 0);
		must_be_true("another name", 1, 1);
		/* Two names of a file: linking has changed its ctime. */
		(void)strlcpy(name, path_of(9), sizeof(name));
		time_moves();
		ATF_REQUIRE(linkat(spool, name, spool, path_of(31), 0) == 0);
		must_be_true("two names", 2, 2);
		must_be_true("two names, again", 0, 0);
		if (!is_maildir())
			continue;
		(void)strlcpy(name, path_of(10), sizeof(name));
		(void)strlcpy(strchr(name, ':'), ":2,S", 5);
		ATF_REQUIRE(renameat(spool, path_of(10), spool, name) == 0);
		must_be_true("it was seen", 1, 0);
		must_be_true("and again", 0, 0);
	}
}

/* Files that were changed a moment ago may be changed again unseen. */
ATF_TC_WITHOUT_HEAD(racy);
ATF_TC_BODY(racy, tc)
{
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		settled = -1;
		must_be_true("made just now", MESSAGES, MESSAGES);
		ATF_CHECK(!is_there());
		must_be_true("again", MESSAGES, MESSAGES);
		settled = 1;
		must_be_true("settled", MESSAGES, MESSAGES);
		must_be_true("known", 0, 0);
		/* A clock that was set back: not believed, either. */
		settled = 0;
		must_be_true("unsettled", MESSAGES, MESSAGES);
		settled = 1;
		must_be_true("as before", 0, 0);
	}
}

/* Among others that are settled it is one of its own. */
ATF_TC_WITHOUT_HEAD(one_is_young);
ATF_TC_BODY(one_is_young, tc)
{
	struct stat status;
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		(void)usleep(50000);
		put_message(8);
		ATF_REQUIRE(fstatat(spool, path_of(8), &status, 0) == 0);
		young = status.st_ctim;
		must_be_true("first", MESSAGES, MESSAGES);
		must_be_true("one is read again", 1, 1);
		memset(&young, 0, sizeof(young));
		must_be_true("and again, when it is settled", 1, 1);
		must_be_true("all are known", 0, 0);
	}
}

/*
 * What cannot be read any more, though its ctime is what it was: it is announced
 * once, and left out then as it would be without an index.
 */
ATF_TC_WITHOUT_HEAD(unreadable_now);
ATF_TC_BODY(unreadable_now, tc)
{
	struct stat status;
	uint64_t octets;
	int which, way;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		ATF_REQUIRE(fstatat(spool, path_of(8), &status, 0) == 0);
		for (way = 0; way < 3; way++) {
			unreadable = 0;
			free(tell(0, 0));
			ATF_REQUIRE(send_whole(&octets) == NULL);
			ATF_CHECK(is_there());
			unreadable = status.st_ino;
			ATF_CHECK((way == 2 ? send_whole(&octets) :
			    send_each(way)) != NULL);
			ATF_CHECK(!is_there());
			must_be_true("without it", MESSAGES - 1, MESSAGES - 1);
			ATF_CHECK(send_whole(&octets) == NULL);
		}
		unreadable = 0;
	}
}

/* A lie is found out in a mailbox that has become too small for an index. */
ATF_TC_WITHOUT_HEAD(too_small_now);
ATF_TC_BODY(too_small_now, tc)
{
	struct index_file file;
	struct stat status;
	uint64_t octets;
	int which, i;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		for (i = FILE_INDEX_MESSAGES_MIN + 1; i <= MESSAGES; i++)
			ATF_REQUIRE(unlinkat(spool, path_of((size_t)i), 0) ==
			    0);
		ATF_REQUIRE(fstatat(spool, path_of(3), &status, 0) == 0);
		unreadable = status.st_ino;
		ATF_REQUIRE(send_whole(&octets) == NULL);
		file = read_index();
		index_files_entries(&file)[7].whole_octets++;
		index_files_sign(&file);
		write_index(&file);
		index_file_free(&file);
		ATF_CHECK(send_whole(&octets) != NULL);
		ATF_CHECK(!is_there());
		ATF_CHECK(send_whole(&octets) == NULL);
		unreadable = 0;
	}
}

/* It is another file between its listing and its reading. */
ATF_TC_WITHOUT_HEAD(touched_while_open);
ATF_TC_BODY(touched_while_open, tc)
{
	struct mailbox mailbox;
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		open_box(&mailbox, 0, 0);
		time_moves();
		ATF_REQUIRE(fchmodat(spool, path_of(6), 0640, 0) == 0);
		ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
		maildrop_end();
		mailbox.format->close(&mailbox);
		must_be_true("later", 1, MESSAGES);
	}
}

ATF_TC_WITHOUT_HEAD(not_worth_it);
ATF_TC_BODY(not_worth_it, tc)
{
	int which, i;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		for (i = FILE_INDEX_MESSAGES_MIN; i <= MESSAGES; i++)
			ATF_REQUIRE(unlinkat(spool, path_of((size_t)i), 0) ==
			    0);
		must_be_true("few", FILE_INDEX_MESSAGES_MIN - 1,
		    FILE_INDEX_MESSAGES_MIN - 1);
		ATF_CHECK(!is_there());
	}
}

ATF_TC_WITHOUT_HEAD(no_room);
ATF_TC_BODY(no_room, tc)
{
	static const int errors[] = { ENOSPC, EDQUOT, EFBIG, EIO };
	struct index_names names;
	struct stat status;
	struct mailbox_place place;
	size_t i;
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		place = place_of_box();
		ATF_REQUIRE(index_find(&place, &names) == 0);
		for (i = 0; i < COUNT(errors); i++) {
			no_room = errors[i];
			must_be_true("no room", MESSAGES, MESSAGES);
			ATF_CHECK(!is_there());
			ATF_CHECK(fstatat(state, names.new, &status, 0) ==
			    -1);
		}
		ATF_CHECK_STREQ("", last_log);
		no_room = 0;
		must_be_true("room", MESSAGES, MESSAGES);
		/* What is there is of use all the same. */
		no_room = ENOSPC;
		put_message(1);
		must_be_true("no room again", 1, 1);
		must_be_true("and again", 1, 1);
		no_room = 0;
	}
}

/* In any octet, at any length, or nothing such at all. */
ATF_TC_WITHOUT_HEAD(damaged);
ATF_TC_BODY(damaged, tc)
{
	struct index_file file, other;
	size_t i;

	(void)tc;
	prepare(0);
	must_be_true("first", MESSAGES, MESSAGES);
	file = read_index();
	ATF_CHECK_EQ(sizeof(struct file_index_header) +
	    MESSAGES * sizeof(struct file_index_entry), file.length);
	for (i = 0; i < file.length; i++) {
		file.bytes[i] ^= (unsigned char)(1 << i % 8);
		write_index(&file);
		file.bytes[i] ^= (unsigned char)(1 << i % 8);
		last_log[0] = '\0';
		must_be_true("one bit is another", MESSAGES, MESSAGES);
		/* Another magic, or too many, is none. */
		ATF_CHECK_MSG(strstr(last_log, "damaged") != NULL || i < 16 ||
		    (i >= 16 && i < 24), "octet %zu: %s", i, last_log);
		must_be_true("it is made anew", 0, 0);
	}
	for (other = file; other.length > 0; other.length -= 7) {
		if (other.length == file.length)
			other.length--;
		write_index(&other);
		must_be_true("it was cut", MESSAGES, MESSAGES);
		if (other.length < 7)
			break;
	}
	other.length = 700;
	for (i = 0; i < 100; i++) {
		randombytes_buf(other.bytes, other.length);
		if (i % 2 == 0)
			memcpy(other.bytes, FILE_INDEX_MAGIC,
			    sizeof(FILE_INDEX_MAGIC));
		write_index(&other);
		must_be_true("it is none", MESSAGES, MESSAGES);
	}
	index_file_free(&file);
}

/* Of another folder, or another file system. */
ATF_TC_WITHOUT_HEAD(foreign);
ATF_TC_BODY(foreign, tc)
{
	struct index_file file;
	size_t i;

	(void)tc;
	prepare(0);
	must_be_true("first", MESSAGES, MESSAGES);
	file = read_index();
	for (i = 0; i < MESSAGES; i++)
		index_files_entries(&file)[i].device++;
	index_files_sign(&file);
	write_index(&file);
	must_be_true("another device", MESSAGES, MESSAGES);
	index_file_free(&file);
	file = read_index();
	for (i = 1; i <= MESSAGES; i++) {
		put("new", "Subject: new\n\nnew\n");
		ATF_REQUIRE(renameat(spool, "new", spool, path_of(i)) == 0);
	}
	write_index(&file);
	must_be_true("other files", MESSAGES, MESSAGES);
	/* What a mailbox of one file keeps has the same name. */
	memcpy(file.bytes, INDEX_MAGIC, sizeof(INDEX_MAGIC));
	write_index(&file);
	must_be_true("another index", MESSAGES, MESSAGES);
	index_file_free(&file);
}

/*
 * Lies, with the checksum right: found out at once, or when the message is
 * sent.  Then the index goes, and the next session is told the truth.
 */
enum lie { MORE_OCTETS, FEWER_OCTETS, HUGE_OCTETS, MORE_DOTS, FEWER_DOTS,
    HUGE_DOTS, MORE_WHOLE, FEWER_WHOLE, HUGE_WHOLE, DISORDER, TWICE,
    MORE_ENTRIES, FEWER_ENTRIES, HUGE_ENTRIES, LIES };

static void
forge(const struct index_file *file, enum lie lie)
{
	struct file_index_header *header = index_files_header(file);
	struct file_index_entry *entry = index_files_entries(file) + 5, other;
	size_t i;

	/* One that has dots. */
	for (i = 5; i < MESSAGES && entry->dots == 0; i++)
		entry++;
	ATF_REQUIRE(entry->dots == 2);
	other = entry[-1];
	switch (lie) {
	case MORE_OCTETS:
		entry->octets++;
		break;
	case FEWER_OCTETS:
		entry->octets--;
		break;
	case HUGE_OCTETS:
		entry->octets = UINT64_MAX;
		break;
	case MORE_DOTS:
		entry->dots++;
		break;
	case FEWER_DOTS:
		entry->dots--;
		break;
	case HUGE_DOTS:
		entry->dots = UINT64_MAX;
		break;
	case MORE_WHOLE:
		entry->whole_octets++;
		break;
	case FEWER_WHOLE:
		entry->whole_octets--;
		break;
	case HUGE_WHOLE:
		entry->whole_octets = UINT64_MAX;
		break;
	case DISORDER:
		entry[-1] = *entry;
		*entry = other;
		break;
	case TWICE:
		entry[-1] = *entry;
		break;
	case MORE_ENTRIES:
		header->entries++;
		break;
	case FEWER_ENTRIES:
		header->entries--;
		break;
	default:
		header->entries = UINT64_MAX / 2;
		break;
	}
}

ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	struct index_file file;
	int which, lie, way, failed, found;
	const char *wrong;
	char *truth, *told;
	uint64_t octets, whole;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		truth = tell(1, 0);
		ATF_REQUIRE(send_whole(&whole) == NULL);
		for (lie = 0; lie < LIES; lie++) {
			for (way = 0, found = 0; way < 3; way++) {
				free(tell(0, 0));
				ATF_REQUIRE(send_whole(&octets) == NULL);
				file = read_index();
				forge(&file, (enum lie)lie);
				index_files_sign(&file);
				write_index(&file);
				index_file_free(&file);
				wrong = way == 2 ? send_whole(&octets) :
				    send_each(way);
				failed = wrong != NULL;
				found |= failed;
				ATF_CHECK_MSG(!failed || !is_there(),
				    "lie %d, way %d: it is kept", lie, way);
				told = tell(0, 0);
				(void)send_whole(&octets);
				found |= strcmp(truth, told) == 0 &&
				    octets == whole;
				ATF_CHECK_MSG(!failed || strcmp(truth, told) ==
				    0, "lie %d, way %d:\n%s", lie, way, told);
				free(told);
				/* One not found out yet lies still. */
				if (!failed) {
					(void)send_each(0);
					(void)send_each(1);
					(void)send_whole(&octets);
				}
			}
			ATF_CHECK_MSG(found, "lie %d: unnoticed", lie);
			ATF_CHECK(send_each(0) == NULL);
			ATF_CHECK(send_each(1) == NULL);
			ATF_CHECK(send_whole(&octets) == NULL);
		}
		free(truth);
	}
}

/* Nothing that was found out comes back at the session's end. */
ATF_TC_WITHOUT_HEAD(found_out);
ATF_TC_BODY(found_out, tc)
{
	struct mailbox mailbox;
	struct index_file file;
	uint32_t number;
	int which;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		must_be_true("first", MESSAGES, MESSAGES);
		file = read_index();
		index_files_entries(&file)[4].octets++;
		index_files_sign(&file);
		write_index(&file);
		index_file_free(&file);
		put_message(MESSAGES + 1);
		open_box(&mailbox, 0, 0);
		wire.fd = -1;
		for (number = 1; is_there() && number <= MESSAGES; number++) {
			wire_begin(&wire, format->octets(&mailbox, number));
			(void)format->send(&mailbox, number, &wire);
		}
		ATF_CHECK(!is_there());
		measured = 0;
		ATF_CHECK(format->octets(&mailbox, MESSAGES + 1) != 0);
		ATF_CHECK_EQ(1, measured);
		mailbox.format->close(&mailbox);
		ATF_CHECK(!is_there());
		must_be_true("later", MESSAGES + 1, MESSAGES + 1);
	}
}

/* What stays after a commit is known, what went is not. */
ATF_TC_WITHOUT_HEAD(deleted);
ATF_TC_BODY(deleted, tc)
{
	struct mailbox mailbox;
	struct index_file file;
	uint32_t gone;
	int which, i;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		must_be_true("first", MESSAGES, MESSAGES);
		open_box(&mailbox, 0, 0);
		ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
		for (i = 1; i <= 3; i++)
			ATF_REQUIRE(maildrop_mark((uint64_t)i) == NULL);
		ATF_REQUIRE(maildrop_give_marks() == NULL);
		ATF_REQUIRE(format->commit(&mailbox, &gone) == NULL);
		ATF_CHECK_EQ(3, gone);
		maildrop_committed(gone);
		maildrop_end();
		mailbox.format->close(&mailbox);
		must_be_true("after it", 0, 0);
		put_message(MESSAGES + 1);
		must_be_true("a new one", 1, 1);
		file = read_index();
		ATF_CHECK_EQ(MESSAGES - 3 + 1, index_files_header(&file)->entries);
		index_file_free(&file);
	}
}

/* More than are read or written at once. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	const int most = 3 * RELAY_BYTES /
	    (int)sizeof(struct file_index_entry) + 5;
	struct mailbox mailbox;
	int which, i;

	(void)tc;
	for (which = 0; which < FORMATS; which++) {
		prepare(which);
		for (i = MESSAGES + 1; i <= most; i++)
			put_message((size_t)i);
		for (i = 0; i < 2; i++) {
			measured = 0;
			open_box(&mailbox, 0, 0);
			ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) ==
			    NULL);
			ATF_CHECK_EQ(most, (int)mailbox.messages);
			ATF_CHECK_EQ(i == 0 ? most : 0, measured);
			maildrop_end();
			mailbox.format->close(&mailbox);
		}
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unchanged);
	ATF_TP_ADD_TC(tp, sudden_end);
	ATF_TP_ADD_TC(tp, changed);
	ATF_TP_ADD_TC(tp, racy);
	ATF_TP_ADD_TC(tp, one_is_young);
	ATF_TP_ADD_TC(tp, touched_while_open);
	ATF_TP_ADD_TC(tp, unreadable_now);
	ATF_TP_ADD_TC(tp, too_small_now);
	ATF_TP_ADD_TC(tp, not_worth_it);
	ATF_TP_ADD_TC(tp, no_room);
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, foreign);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, found_out);
	ATF_TP_ADD_TC(tp, deleted);
	ATF_TP_ADD_TC(tp, many);
	return (atf_no_error());
}
