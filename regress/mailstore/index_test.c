/*
 * index_test.c - with an index or without one, a mailbox is what is in its
 * file.
 *
 * In one process with the store's own code; what it asks of the system is
 * counted, and some answers are other ones (see "Doubles").
 */
#include <sys/param.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "index_file.h"
#include "log.h"
#include "mailboxes.h"
#include "mailtxt.h"
#include "maildrop.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define BOX		"box"

/* Doubles. */

static int settled = 1;		/* what index_is_settled says; -1: the truth */
static int any_size;		/* a mailbox of any size is worth an index */
static int frozen;		/* the mailbox's times are always the same */
static int no_room;		/* errno of writing in the state directory */
static uint64_t bytes_read;	/* of the mailbox */
static ino_t box_inode;
static char last_log[LOG_TEXT_SIZE];

int	__real_index_is_settled(const struct timespec *changed);
int	__wrap_index_is_settled(const struct timespec *changed);
int	__real_index_is_worth(uint64_t bytes, uint64_t messages);
int	__wrap_index_is_worth(uint64_t bytes, uint64_t messages);
int	__real_fstat(int fd, struct stat *status);
int	__wrap_fstat(int fd, struct stat *status);
ssize_t	__real_pread(int fd, void *to, size_t length, off_t at);
ssize_t	__wrap_pread(int fd, void *to, size_t length, off_t at);
ssize_t	__real_pwrite(int fd, const void *from, size_t length, off_t at);
ssize_t	__wrap_pwrite(int fd, const void *from, size_t length, off_t at);

int
__wrap_index_is_settled(const struct timespec *changed)
{
	return (settled != -1 ? settled : __real_index_is_settled(changed));
}

int
__wrap_index_is_worth(uint64_t bytes, uint64_t messages)
{
	return (any_size ? messages > 0 :
	    __real_index_is_worth(bytes, messages));
}

int
__wrap_fstat(int fd, struct stat *status)
{
	const int result = __real_fstat(fd, status);

	if (result == 0 && frozen && status->st_ino == box_inode) {
		status->st_mtim = (struct timespec){ 1000000000, 1 };
		status->st_ctim = (struct timespec){ 1000000000, 2 };
	}
	return (result);
}

static int
is_box(int fd)
{
	struct stat status;

	return (__real_fstat(fd, &status) == 0 &&
	    status.st_ino == box_inode);
}

ssize_t
__wrap_pread(int fd, void *to, size_t length, off_t at)
{
	const ssize_t got = __real_pread(fd, to, length, at);

	if (got > 0 && is_box(fd))
		bytes_read += (uint64_t)got;
	return (got);
}

ssize_t
__wrap_pwrite(int fd, const void *from, size_t length, off_t at)
{
	if (no_room != 0 && !is_box(fd)) {
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

/* A mailbox, as it is found by its index and as it is. */

static int spool = -1, state;
static struct wire wire;

static void
prepare(void)
{
	ATF_REQUIRE(sodium_init() != -1);
	ATF_REQUIRE(mkdir("spool", 0700) == 0 && mkdir("state", 0700) == 0);
	spool = open("spool", O_RDONLY | O_DIRECTORY);
	state = open("state", O_RDONLY | O_DIRECTORY);
	ATF_REQUIRE(spool != -1 && state != -1);
	log_output = take_line;
}

/*
 * What was changed has another time than what was changed before: where the
 * times of files move with the clock's tick, nothing else may tell them apart
 * here, where all times count as settled.
 */
static void
time_must_move(int fd)
{
	static struct timespec last;
	struct stat status;

	for (;;) {
		ATF_REQUIRE(__real_fstat(fd, &status) == 0);
		if (memcmp(&status.st_ctim, &last, sizeof(last)) != 0)
			break;
		(void)usleep(1000);
		ATF_REQUIRE(fchmod(fd, 0600) == 0);
	}
	last = status.st_ctim;
}

static void
put_at(const char *name, const void *bytes, size_t length, int flags)
{
	struct stat status;
	int fd = openat(spool, name, O_WRONLY | O_CREAT | flags, 0600);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(length == 0 ||
	    write(fd, bytes, length) == (ssize_t)length);
	time_must_move(fd);
	ATF_REQUIRE(__real_fstat(fd, &status) == 0);
	box_inode = status.st_ino;
	ATF_REQUIRE(close(fd) == 0);
}

/* A new file, or the same with other octets. */
static void
put(const void *bytes, size_t length)
{
	(void)unlinkat(spool, BOX, 0);
	put_at(BOX, bytes, length, O_EXCL);
}

static void
put_over(const void *bytes, size_t length)
{
	put_at(BOX, bytes, length, O_TRUNC);
}

static void
append(const void *bytes, size_t length)
{
	put_at(BOX, bytes, length, O_APPEND);
}

static void
change_byte(uint64_t at, char byte)
{
	int fd = openat(spool, BOX, O_RDWR);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE(__real_pwrite(fd, &byte, 1, (off_t)at) == 1);
	time_must_move(fd);
	ATF_REQUIRE(close(fd) == 0);
}

/* `plain`: as if there were no state directory, so without an index. */
static void
open_box(struct mailbox *mailbox, int plain)
{
	const char *wrong;

	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->format = &mailbox_single_file;
	mailbox->read_only = plain;
	mailbox->place.directory = spool;
	mailbox->place.state = plain ? -1 : state;
	mailbox->place.pulse = -1;
	mailbox->place.locks[0] = LOCK_FCNTL;
	(void)strlcpy(mailbox->place.name, BOX, FOLDER_SIZE);
	(void)strlcpy(mailbox->place.label, BOX, FOLDER_SIZE);
	bytes_read = 0;
	wrong = mailbox->format->open(mailbox);
	ATF_REQUIRE_MSG(wrong == NULL, "%s", wrong);
	mailbox->format->remember(mailbox);
}

static void
close_box(struct mailbox *mailbox)
{
	mailbox->format->close(mailbox);
}

static int
same_list(const struct single_list *one, const struct single_list *other)
{
	const struct single_message *a = one->messages, *b = other->messages;
	size_t i;

	if (one->count != other->count)
		return (0);
	for (i = 0; i < one->count; i++)
		if (a[i].offset != b[i].offset || a[i].stored != b[i].stored ||
		    a[i].octets != b[i].octets || a[i].dots != b[i].dots ||
		    a[i].head_bytes != b[i].head_bytes ||
		    a[i].head_ending != b[i].head_ending ||
		    a[i].blank_bytes != b[i].blank_bytes ||
		    a[i].flags != b[i].flags)
			return (0);
	return (1);
}

/* The octets of all messages together are those of each. */
static int
adds_up(struct mailbox *mailbox)
{
	uint64_t number, octets = 0;

	for (number = 1; number <= mailbox->messages; number++)
		octets += mailbox->format->octets(mailbox, number);
	return (mailbox->format->sum(mailbox) == octets);
}

/* Digests have a key of each index: those of the head lines in the file? */
static int
has_heads(struct single_file *single, const struct single_list *list)
{
	struct line line;
	size_t i;

	for (i = 0; i < list->count; i++)
		if (single_read_head(single, &list->messages[i], NULL,
		    &line) != NULL)
			return (0);
	return (1);
}

/* What an open mailbox tells is what is in the file. */
static int
is_true(struct mailbox *mailbox)
{
	struct single_file *one = mailbox->state, *other;
	struct mailbox plain;
	const uint64_t before = bytes_read;
	int result;

	open_box(&plain, 1);
	other = plain.state;
	result = mailbox->messages == plain.messages &&
	    mailbox->all_octets == plain.all_octets &&
	    mailbox->lacks_blank == plain.lacks_blank &&
	    one->format == other->format && one->damaged == other->damaged &&
	    adds_up(mailbox) &&
	    same_list(&one->shown, &other->shown) &&
	    same_list(&one->hidden, &other->hidden) &&
	    has_heads(one, &one->shown) && has_heads(one, &one->hidden);
	bytes_read = before;
	close_box(&plain);
	return (result);
}

/* Opens the mailbox; how many of its bytes that has read. */
static uint64_t
opening_reads(const char *when)
{
	struct mailbox mailbox;
	const uint64_t read = (open_box(&mailbox, 0), bytes_read);

	ATF_CHECK_MSG(is_true(&mailbox), "%s: the index lies", when);
	close_box(&mailbox);
	return (read);
}

static void
must_be_true(const char *when)
{
	(void)opening_reads(when);
}

static struct mailbox_place
place_of_box(void)
{
	struct mailbox_place place = { .directory = spool, .state = state };

	(void)strlcpy(place.name, BOX, sizeof(place.name));
	return (place);
}

static int
is_there(void)
{
	const struct mailbox_place place = place_of_box();

	return (index_file_is_there(&place));
}

/* So many messages of about so many bytes, with odd ones among them. */
static char *
make_box(size_t messages, size_t bytes, size_t *length)
{
	char *text = malloc(messages * (bytes + 200)), *at = text;
	size_t i, line;
	char *end;

	ATF_REQUIRE(text != NULL);
	for (i = 0; i < messages; i++) {
		end = at + bytes;
		at += sprintf(at, "From u%zu@example.org Sat Nov 21 23:33:00 "
		    "2026\nSubject: %zu\nStatus: O\n\n", i, i);
		for (line = 0; at < end; line++)
			at += sprintf(at, "%sline %zu of a message%s",
			    line % 7 == 3 ? "." : "", line,
			    line % 5 == 4 ? "\r\n" : line % 9 == 8 ? "\n\n" :
			    "\n");
		*at++ = '\n';
	}
	*length = (size_t)(at - text);
	return (text);
}

/* With the real limits: some 1.2 MB. */
static char *
put_large(size_t *length)
{
	char *text = make_box(20, 60000, length);

	put(text, *length);
	ATF_REQUIRE(*length > INDEX_MAILBOX_BYTES_MIN);
	return (text);
}

/* All ids, one after the other; malloc'd. */
static char *
ask_uids(void)
{
	struct mailbox mailbox;
	char *all, uid[UID_SIZE];
	uint64_t number;

	open_box(&mailbox, 0);
	all = calloc(mailbox.messages + 1U, UID_SIZE);
	ATF_REQUIRE(all != NULL);
	ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
	for (number = 1; number <= mailbox.messages; number++) {
		ATF_REQUIRE(maildrop_uid(number, uid) == NULL);
		(void)strlcat(all, uid, mailbox.messages * UID_SIZE);
	}
	maildrop_end();
	close_box(&mailbox);
	return (all);
}

/* Sends a message to nowhere: NULL, or a reason. */
static const char *
send_one(struct mailbox *mailbox, uint64_t number)
{
	wire.fd = -1;
	wire_begin(&wire, mailbox->format->octets(mailbox, number));
	return (mailbox->format->send(mailbox, number, &wire));
}

ATF_TC_WITHOUT_HEAD(unchanged);
ATF_TC_BODY(unchanged, tc)
{
	char *first, *again;
	size_t length;

	(void)tc;
	prepare();
	free(put_large(&length));
	ATF_CHECK(opening_reads("first") >= length);
	ATF_CHECK(is_there());
	ATF_CHECK(opening_reads("again") <= MAILTXT_HEADER_MAX);
	first = ask_uids();
	ATF_CHECK(bytes_read >= length);
	again = ask_uids();
	ATF_CHECK_MSG(bytes_read <= MAILTXT_HEADER_MAX, "%llu bytes were read",
	    (unsigned long long)bytes_read);
	ATF_CHECK_STREQ(first, again);
	free(first);
	free(again);
}

/* One that is small, or of the smallest messages, is not worth it. */
ATF_TC_WITHOUT_HEAD(not_worth_it);
ATF_TC_BODY(not_worth_it, tc)
{
	size_t length;
	char *text;

	(void)tc;
	prepare();
	text = make_box(16, 60000, &length);
	put(text, length);
	free(text);
	ATF_REQUIRE(length < INDEX_MAILBOX_BYTES_MIN);
	must_be_true("small");
	ATF_CHECK(!is_there());
	text = make_box(10000, 150, &length);
	put(text, length);
	free(text);
	ATF_REQUIRE(length > INDEX_MAILBOX_BYTES_MIN);
	must_be_true("of small messages");
	ATF_CHECK(!is_there());
}

ATF_TC_WITHOUT_HEAD(appended);
ATF_TC_BODY(appended, tc)
{
	char *text, *first, *again;
	size_t length;

	(void)tc;
	prepare();
	text = put_large(&length);
	first = ask_uids();
	append(ONE TWO, strlen(ONE TWO));
	/* The last message and the new ones; of the others their head. */
	ATF_CHECK(opening_reads("appended") < length / 10);
	ATF_CHECK(opening_reads("unchanged") <= MAILTXT_HEADER_MAX);
	again = ask_uids();
	ATF_CHECK(bytes_read < length / 10);
	ATF_CHECK(strncmp(first, again, strlen(first)) == 0);
	ATF_CHECK_EQ(strlen(first) + 64, strlen(again));
	free(again);
	again = ask_uids();
	ATF_CHECK(bytes_read <= MAILTXT_HEADER_MAX);
	free(again);
	free(first);
	free(text);
}

/* Each awkward mailbox, and then with the octets of another behind it. */
static void
check_awkward(const struct awkward *one, size_t ones,
    const struct awkward *other, size_t others)
{
	char when[200];
	size_t i, j;

	for (i = 0; i < ones; i++)
		for (j = 0; j < others; j++) {
			(void)snprintf(when, sizeof(when), "%s; %s",
			    one[i].name, other[j].name);
			put(one[i].bytes, one[i].length);
			must_be_true(when);
			must_be_true(when);
			append(other[j].bytes, other[j].length);
			must_be_true(when);
			must_be_true(when);
		}
}

static const struct awkward pieces[] = {
	{ "LF", BYTES("\n"), 0 }, { "CRLF", BYTES("\r\n"), 0 },
	{ "LF LF", BYTES("\n\n"), 0 }, { "text", BYTES("more\n"), 0 },
	{ "no end", BYTES("more"), 0 }, { "CR", BYTES("\r"), 0 },
	{ "part of a From_ line", BYTES("From ann@example.org Sat"), 0 },
	{ "rest of one", BYTES("26\n\nx\n"), 0 },
	{ "dots", BYTES(".\n..\n"), 0 },
};

ATF_TC_WITHOUT_HEAD(awkward);
ATF_TC_BODY(awkward, tc)
{
	static const struct {
		const struct awkward *list;
		size_t count;
	} all[] = { { line_ends, COUNT(line_ends) },
	    { separators, COUNT(separators) }, { ends, COUNT(ends) },
	    { preambles, COUNT(preambles) }, { pieces, COUNT(pieces) } };
	size_t i, j;

	(void)tc;
	prepare();
	any_size = 1;
	for (i = 0; i < COUNT(all); i++)
		for (j = 2; j < COUNT(all); j += 2)
			check_awkward(all[i].list, all[i].count, all[j].list,
			    all[j].count);
}

#define DATE	"21-Nov-2026 23:33:00-0800"
#define NONE	";000000000000\n"
#define GONE	";000000000002\n"

static const struct awkward mailtxts[] = {
	{ "one", BYTES(DATE ",2" NONE "a\n"), 1 },
	{ "CRLF", BYTES(DATE ",3;000000000001\r\na\r\n" DATE ",1" NONE "b"),
	    2 },
	{ "one is hidden", BYTES(DATE ",2" NONE "a\n" DATE ",5" GONE "bcde\n"
	    DATE ",2" NONE ".\n"), 2 },
	{ "the first is hidden", BYTES(DATE ",0" GONE DATE ",0" NONE), 1 },
	{ "all are", BYTES(DATE ",2" GONE "a\n" DATE ",1" GONE "b"), 0 },
	{ "From", BYTES(DATE ",12" NONE "From x\nFrom\n"), 1 },
	{ "damaged", BYTES(DATE ",2" NONE "a\n" "garbage\n"), 1 },
	{ "too long", BYTES(DATE ",2" NONE "a\n" DATE ",99" NONE "b\n"), 1 },
};

ATF_TC_WITHOUT_HEAD(mailtxt);
ATF_TC_BODY(mailtxt, tc)
{
	size_t i;

	(void)tc;
	prepare();
	any_size = 1;
	check_awkward(mailtxts, COUNT(mailtxts), mailtxts, COUNT(mailtxts));
	check_awkward(mailtxts, COUNT(mailtxts), pieces, COUNT(pieces));
	check_awkward(ends, COUNT(ends), mailtxts, COUNT(mailtxts));
	/* Flags that are patched, alone and with mail behind them. */
	for (i = 0; i < 3; i++) {
		put(mailtxts[2].bytes, mailtxts[2].length);
		must_be_true("flags");
		change_byte(strlen(DATE ",2" NONE) - 2, i == 0 ? '2' : '1');
		if (i > 0)
			append(mailtxts[i].bytes, mailtxts[i].length);
		must_be_true("flags were patched");
		must_be_true("flags were patched, again");
	}
}

/* What was changed without moving anything, before more came behind it. */
ATF_TC_WITHOUT_HEAD(changed_and_appended);
ATF_TC_BODY(changed_and_appended, tc)
{
	static const char two[] = DATE ",2" NONE "a\n" DATE ",4" NONE "b\nc\n";
	static const char cut[] = DATE ",2" NONE "a\n" DATE ",4" NONE "bcd\n"
	    DATE ",2" NONE "e\n";

	(void)tc;
	prepare();
	any_size = 1;
	put(ONE TWO, strlen(ONE TWO));
	must_be_true("two");
	change_byte(strlen(ONE) - 1, 'z');
	append(ONE, strlen(ONE));
	must_be_true("a From_ line is none any more");
	put(two, strlen(two));
	must_be_true("two of MAIL.TXT");
	put_over(cut, strlen(cut));
	must_be_true("the last has other lines");
}

ATF_TC_WITHOUT_HEAD(replaced);
ATF_TC_BODY(replaced, tc)
{
	size_t length, other_length;
	char *text, *other;

	(void)tc;
	prepare();
	text = put_large(&length);
	must_be_true("first");
	other = make_box(25, 55000, &other_length);
	put_at("other", other, other_length, O_TRUNC);
	ATF_REQUIRE(renameat(spool, "other", spool, BOX) == 0);
	ATF_CHECK(opening_reads("another file") >= other_length);
	ATF_CHECK(opening_reads("that again") <= MAILTXT_HEADER_MAX);
	/* The same octets elsewhere are another file, too. */
	put_at("other", other, other_length, O_TRUNC);
	ATF_REQUIRE(renameat(spool, "other", spool, BOX) == 0);
	ATF_CHECK(opening_reads("a copy") >= other_length);
	/* Another program has put as much, less, or more into the file. */
	(void)memmove(other, other + 60000, other_length - 60000);
	put_over(other, other_length);
	must_be_true("as long");
	put_over(other, other_length - 100);
	must_be_true("shorter");
	put_over(text, length);
	must_be_true("as at first");
	memcpy(text, other, 100000);
	put_over(text, length);
	append(ONE, strlen(ONE));
	must_be_true("longer, and changed at the front");
	text[length - 30000] = '\n';
	put_over(text, length);
	append(ONE, strlen(ONE) - 10);
	must_be_true("longer, and changed at the end");
	free(text);
	free(other);
}

/* A program that writes the file twice within a tick of its clock. */
ATF_TC_WITHOUT_HEAD(racy);
ATF_TC_BODY(racy, tc)
{
	struct mailbox mailbox;
	size_t length;
	char *text;

	(void)tc;
	prepare();
	frozen = 1;
	settled = 0;
	text = put_large(&length);
	must_be_true("first");
	change_byte(length - 3, '\n');
	ATF_CHECK(opening_reads("changed at once") >= length);
	settled = 1;
	ATF_CHECK(opening_reads("the index was made too early") >= length);
	ATF_CHECK(opening_reads("left alone") <= MAILTXT_HEADER_MAX);
	/* Who changes a file and its times back is seen when it is sent. */
	change_byte(length - 6, '\n');
	open_box(&mailbox, 0);
	ATF_CHECK(!is_true(&mailbox));
	ATF_CHECK(send_one(&mailbox, 1) == NULL);
	ATF_CHECK(is_there());
	ATF_CHECK(send_one(&mailbox, 20) != NULL);
	ATF_CHECK(!is_there());
	close_box(&mailbox);
	must_be_true("afterwards");
	free(text);
}

/* By the true clock: a mailbox that was changed a moment ago is read again. */
ATF_TC_WITHOUT_HEAD(clock_of_files);
ATF_TC_BODY(clock_of_files, tc)
{
	size_t length;

	(void)tc;
	prepare();
	settled = -1;
	free(put_large(&length));
	ATF_CHECK(opening_reads("at once") >= length);
	ATF_CHECK(opening_reads("a moment later") >= length);
	(void)sleep(INDEX_SETTLED_SECONDS + 2);
	ATF_CHECK(opening_reads("it rests") >= length);
	ATF_CHECK(opening_reads("it rested before") <= MAILTXT_HEADER_MAX);
}

/* Makes an index with ids, and returns its octets. */
static struct index_file
make_index(void)
{
	const struct mailbox_place place = place_of_box();
	struct index_file file;

	free(ask_uids());
	ATF_REQUIRE(index_file_read(&place, &file) == 0);
	return (file);
}

static const char three[] = ONE TWO THREE;

static char *
ids_must_be(const char *wanted)
{
	char *now = ask_uids();

	if (wanted != NULL)
		ATF_CHECK_STREQ(wanted, now);
	return (now);
}

/* A digest that somebody aims at needs the key: each mailbox has its own. */
ATF_TC_WITHOUT_HEAD(keys);
ATF_TC_BODY(keys, tc)
{
	static const unsigned char none[HEAD_KEY_BYTES];
	unsigned char keys[3][HEAD_KEY_BYTES];
	struct index_file file;
	size_t i;

	(void)tc;
	prepare();
	any_size = 1;
	for (i = 0; i < COUNT(keys); i++) {
		if (i < 2)
			put(three, strlen(three));
		else
			append(TWO, strlen(TWO));
		file = make_index();
		memcpy(keys[i], index_file_header(&file)->head_key,
		    sizeof(keys[i]));
		index_file_free(&file);
		ATF_CHECK(memcmp(keys[i], none, sizeof(none)) != 0);
	}
	ATF_CHECK(memcmp(keys[0], keys[1], sizeof(keys[0])) != 0);
	/* What has grown was held against the digests that there were. */
	ATF_CHECK(memcmp(keys[1], keys[2], sizeof(keys[1])) == 0);
}

ATF_TC_WITHOUT_HEAD(damaged);
ATF_TC_BODY(damaged, tc)
{
	struct index_file file, other;
	unsigned char whole[1024];
	struct mailbox_place now;
	char *ids;
	size_t i, j;

	(void)tc;
	prepare();
	now = place_of_box();
	any_size = 1;
	put(three, strlen(three));
	file = make_index();
	ATF_REQUIRE(file.length < sizeof(whole));
	memcpy(whole, file.bytes, file.length);
	ids = ask_uids();
	for (i = 0; i < file.length; i++)
		for (j = 0; j < 2; j++) {
			memcpy(file.bytes, whole, file.length);
			file.bytes[i] ^= (unsigned char)(j == 0 ? 0xff :
			    1 << i % 8);
			index_file_write(&now, &file);
			must_be_true("one byte is another");
			index_file_write(&now, &file);
			free(ids_must_be(ids));
		}
	memcpy(file.bytes, whole, file.length);
	for (other = file; other.length > 0; other.length--) {
		index_file_write(&now, &other);
		must_be_true("it was cut short");
		index_file_write(&now, &other);
		free(ids_must_be(ids));
	}
	for (i = 0; i < 300; i++) {
		other.length = randombytes_uniform(700);
		randombytes_buf(other.bytes, other.length);
		if (i % 2 == 0)
			memcpy(other.bytes, INDEX_MAGIC,
			    sizeof(INDEX_MAGIC));
		index_file_write(&now, &other);
		must_be_true("it is none");
	}
	free(ids);
	index_file_free(&file);
}

/* The index of another mailbox, of this place before, or with more behind. */
ATF_TC_WITHOUT_HEAD(foreign);
ATF_TC_BODY(foreign, tc)
{
	struct mailbox_place place;
	struct index_file file;
	int i;

	(void)tc;
	prepare();
	place = place_of_box();
	any_size = 1;
	put(three, strlen(three));
	file = make_index();
	for (i = 0; i < 3; i++) {
		if (i == 0)
			put_over(TWO ONE THREE, strlen(three));
		else if (i == 1)
			put_over(three, strlen(three) - 1);
		else
			put_over(DATE ",2" NONE "a\n", strlen(DATE ",2" NONE "a\n"));
		index_file_write(&place, &file);
		must_be_true("another mailbox's");
	}
	index_file_free(&file);
	put(three, strlen(three));
	file = make_index();
	file.length += 4000;
	index_file_write(&place, &file);
	must_be_true("with more behind it");
	index_file_free(&file);
}

/*
 * What an index may say, its checksum right.  `at`: the entry; where no
 * session can notice it, because it is not the mail that is a lie.
 */
#define SHAPE(stored, hidden, blank, ending, head)			\
	((uint64_t)(stored) << 16 | (uint64_t)(hidden) << 15 |		\
	(uint64_t)(blank) << 13 | (uint64_t)(ending) << 11 | (head))

static const char text_box[] = ONE A "\nS: dots\n\n.\n..\n" B "\nx\n\n\n" TWO
    THREE;

enum lie { MORE_OCTETS, FEWER_OCTETS, MORE_DOTS, FEWER_DOTS, LONGER, SHORTER,
    MERGED, MERGED_ALL, SPLIT, NO_BLANK, TWO_BLANKS, CRLF_BLANK, LONGER_HEAD,
    ENDLESS_HEAD, OTHER_ENDING, HIDDEN, DIGEST, KEY, ENDLESS, NOTHING,
    MANY_MORE, COUNTS, HUGE_COUNTS, OVERFLOWING_COUNTS, WHOLE_OCTETS, FEWER_WHOLE,
    HUGE_WHOLE, OTHER_FORMAT, SIZE, LIES };

static void
tell_shape(struct index_entry *entry, enum lie lie)
{
	uint64_t stored = entry->shape >> 16;
	unsigned int hidden = entry->shape >> 15 & 1;
	unsigned int blank = entry->shape >> 13 & 3;
	unsigned int ending = entry->shape >> 11 & 3;
	unsigned int head = entry->shape & 0x7ff;

	switch (lie) {
	case LONGER:
		stored++;
		break;
	case SHORTER:
		stored--;
		break;
	case NO_BLANK:
		blank = 0;
		break;
	case TWO_BLANKS:
	case CRLF_BLANK:
		blank = 2 + (lie == CRLF_BLANK);
		break;
	case LONGER_HEAD:
		head++;
		break;
	case ENDLESS_HEAD:
		head = 0x7ff;
		break;
	case OTHER_ENDING:
		ending = 2;
		break;
	case HIDDEN:
		hidden = 1;
		break;
	case ENDLESS:
		stored = UINT64_MAX >> 16;
		break;
	default:
		stored = 0;
		break;
	}
	entry->shape = SHAPE(stored, hidden, blank, ending, head);
}

/* Leaves the entry behind this one out, which gets what is in it. */
static void
merge(struct index_file *file, size_t at)
{
	struct index_entry *entry = index_file_entries(file) + at;
	const size_t count = index_file_count(file);
	struct index_header *header = index_file_header(file);

	if (at + 1 >= count)
		return;
	/* The From_ line's CR, the empty line: octets as if it were right. */
	entry->more += entry[1].more + 2;
	entry->dots += entry[1].dots;
	entry->shape += entry[1].shape >> 16 << 16;
	memmove(entry + 1, entry + 2, (count - at - 2) * sizeof(*entry));
	header->shown--;
}

/* Makes two of a message, at the From_ line in its text. */
static void
divide(struct index_file *file, size_t at)
{
	struct index_entry *entry = index_file_entries(file) + at;
	const size_t count = index_file_count(file);
	struct index_header *header = index_file_header(file);
	const uint64_t first = strlen(A "\nS: dots\n\n.\n..\n");

	if (entry->shape >> 16 != strlen(A "\nS: dots\n\n.\n..\n" B
	    "\nx\n\n\n"))
		return;
	memmove(entry + 1, entry, (count - at) * sizeof(*entry));
	header->shown++;
	file->length += sizeof(*entry);
	entry->shape = SHAPE(first, 0, 1, 1, strlen(A) + 1);
	entry->more = 4;
	(void)crypto_shorthash_siphashx24(entry->digest,
	    (const unsigned char *)A, strlen(A), header->head_key);
	entry++;
	entry->shape -= first << 16;
	entry->shape += strlen(B) - strlen(A);
	entry->dots = 0;
	entry->more -= 5;
	(void)crypto_shorthash_siphashx24(entry->digest,
	    (const unsigned char *)B, strlen(B), header->head_key);
}

static void
tell(struct index_file *file, enum lie lie, size_t at)
{
	struct index_header *header = index_file_header(file);
	struct index_entry *entry = index_file_entries(file) + at;
	size_t count;

	switch (lie) {
	case MORE_OCTETS:
	case FEWER_OCTETS:
		entry->more += lie == MORE_OCTETS ? 1 : UINT32_MAX;
		break;
	case MORE_DOTS:
	case FEWER_DOTS:
		entry->dots += lie == MORE_DOTS ? 1 : UINT32_MAX;
		break;
	case MERGED:
		merge(file, at);
		break;
	case MERGED_ALL:
		/* Of a lie about counts it would take away one for ever. */
		for (count = index_file_count(file); count > at + 1; count--)
			merge(file, at);
		break;
	case SPLIT:
		divide(file, at);
		break;
	case DIGEST:
		entry->digest[at] ^= 1;
		break;
	case KEY:
		header->head_key[at] ^= 1;
		break;
	case MANY_MORE:
		entry->more = UINT32_MAX;
		break;
	case COUNTS:
		header->shown++;
		header->hidden--;
		break;
	case HUGE_COUNTS:
		header->shown = UINT64_MAX / 2;
		break;
	case OVERFLOWING_COUNTS:
		header->shown += UINT64_MAX / 32 + 1;
		break;
	case WHOLE_OCTETS:
	case FEWER_WHOLE:
		header->whole_octets += lie == FEWER_WHOLE ? UINT64_MAX : 1;
		break;
	case HUGE_WHOLE:
		header->whole_octets = UINT64_MAX;
		break;
	case OTHER_FORMAT:
		header->flags ^= INDEX_MAILTXT;
		break;
	case SIZE:
		header->size--;
		break;
	default:
		tell_shape(entry, lie);
		break;
	}
}

/* The wire form of the file's bytes at a place. */
static int
is_wire_form(int fd, const char *bytes, size_t length)
{
	size_t i, used = 0;
	char wanted[4096], got[4096];
	ssize_t have = __real_pread(fd, got, sizeof(got), 0);

	for (i = 0; i < length; i++) {
		if (bytes[i] == '\r' && i + 1 < length && bytes[i + 1] == '\n')
			continue;
		if (bytes[i] == '\n')
			wanted[used++] = '\r';
		wanted[used++] = bytes[i];
	}
	return (have == (ssize_t)used && memcmp(wanted, got, used) == 0);
}

/*
 * Reads all messages as POP2 does; those that came whole are to be deleted.
 * What comes is, octet for octet, what is in the file there.  True when there
 * was no error.
 */
static int
read_liar(struct mailbox *mailbox, const char *bytes)
{
	const struct single_file *single = mailbox->state;
	const struct single_message *message;
	uint32_t number;
	int good = 1;

	for (number = 1; number <= mailbox->messages && good; number++) {
		message = &single->shown.messages[number - 1];
		wire.fd = openat(spool, "wire", O_RDWR | O_CREAT | O_TRUNC,
		    0600);
		ATF_REQUIRE(wire.fd != -1);
		wire_begin(&wire, mailbox->format->octets(mailbox, number));
		good = mailbox->format->send(mailbox, number, &wire) == NULL &&
		    wire_end(&wire) == 0;
		if (good)
			ATF_CHECK(is_wire_form(wire.fd, bytes +
			    message->offset + message->head_bytes,
			    message->stored - message->head_bytes -
			    message->blank_bytes));
		(void)close(wire.fd);
	}
	return (good);
}

/* The same as POP3 does, where dots are announced. */
static int
pop_liar(struct mailbox *mailbox)
{
	struct ipc_data data;
	uint64_t number;
	int good = 1;

	ATF_REQUIRE(maildrop_begin(mailbox, UID_NATIVE) == NULL);
	wire.fd = -1;
	for (number = 1; number <= mailbox->messages && good; number++) {
		good = maildrop_measure(number, UINT64_MAX, &data) == NULL;
		if (!good)
			break;
		wire_begin(&wire, data.piped);
		good = maildrop_send(number, UINT64_MAX, &data, &wire) ==
		    NULL && wire_end(&wire) == 0;
	}
	maildrop_end();
	return (good);
}

static int
whole_liar(struct mailbox *mailbox)
{
	wire.fd = -1;
	wire_begin(&wire, mailbox->all_octets);
	return (mailbox->format->send_all(mailbox, &wire) == NULL &&
	    wire_end(&wire) == 0);
}

/*
 * One lie, met in three ways.  Either it is found out at the opening, or at
 * the latest when what it is about is sent: then the index goes, and the next
 * session sees the truth.  Whatever is deleted was sent.
 */
static void
check_lie(const struct index_file *truth, enum lie lie, size_t at)
{
	const struct mailbox_place place = place_of_box();
	struct index_file file = *truth;
	struct mailbox mailbox;
	char when[80];
	int way, good, found = 0;

	(void)snprintf(when, sizeof(when), "lie %d of message %zu", lie, at);
	for (way = 0; way < 3; way++) {
		file.bytes = calloc(truth->length + 4096, 1);
		ATF_REQUIRE(file.bytes != NULL);
		file.length = truth->length;
		memcpy(file.bytes, truth->bytes, truth->length);
		tell(&file, lie, at);
		index_file_sign(&file);
		index_file_write(&place, &file);
		free(file.bytes);
		open_box(&mailbox, 0);
		found |= is_true(&mailbox);
		good = way == 0 ? read_liar(&mailbox, text_box) :
		    way == 1 ? pop_liar(&mailbox) : whole_liar(&mailbox);
		if (!good)
			ATF_CHECK_MSG(!is_there(), "%s: it is kept", when);
		found |= !good;
		close_box(&mailbox);
		if (!good)
			must_be_true(when);
	}
	ATF_CHECK_MSG(found, "%s: nobody has noticed", when);
}

ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	struct index_file file;
	size_t at;
	int lie;

	(void)tc;
	prepare();
	any_size = 1;
	put(text_box, strlen(text_box));
	file = make_index();
	for (lie = 0; lie < LIES; lie++)
		for (at = 0; at < index_file_count(&file); at++)
			check_lie(&file, (enum lie)lie, at);
	index_file_free(&file);
}

/* Ids that are not this index's, or more than there are messages. */
ATF_TC_WITHOUT_HEAD(hostile_uids);
ATF_TC_BODY(hostile_uids, tc)
{
	static const uint64_t more[] = { 0, 1, 10000, 1 << 20 };
	struct mailbox_place place;
	struct index_file file;
	struct index_uids *ids;
	char *first, *again;
	size_t length, i, end, count;

	(void)tc;
	prepare();
	place = place_of_box();
	free(put_large(&length));
	first = ask_uids();
	for (i = 0; i < COUNT(more); i++) {
		free(ask_uids());
		ATF_REQUIRE(index_file_read(&place, &file) == 0);
		ids = index_file_uids(&file);
		count = index_file_header(&file)->shown;
		ATF_REQUIRE_EQ(count, ids->known);
		end = (size_t)((unsigned char *)(ids + 1) - file.bytes) +
		    (count + more[i]) * UID_DIGEST_BYTES;
		if (end > file.length) {
			file.bytes = realloc(file.bytes, end);
			ATF_REQUIRE(file.bytes != NULL);
			memset(file.bytes + file.length, 'x', end -
			    file.length);
			file.length = end;
		}
		ids = index_file_uids(&file);
		memset(ids + 1, 'y', count * UID_DIGEST_BYTES);
		ids->known = count + more[i];
		/* Of as many as there are: of another time's index. */
		if (more[i] == 0)
			ids->of[0] ^= 1;
		index_file_sign_uids(&file);
		index_file_write(&place, &file);
		again = ask_uids();
		ATF_CHECK_MSG(strcmp(first, again) == 0, "%llu more",
		    (unsigned long long)more[i]);
		free(again);
		index_file_free(&file);
	}
	free(first);
}

/* Numbers by chance: nothing goes that was not sent, whatever they are. */
ATF_TC_WITHOUT_HEAD(hostile_deletes);
ATF_TC_BODY(hostile_deletes, tc)
{
	struct mailbox_place place;
	struct index_file truth, file;
	struct mailbox mailbox;
	const struct single_message *message;
	struct single_file *single;
	char wanted[sizeof(text_box)], now[sizeof(text_box)];
	size_t used, from;
	uint32_t number, deleted;
	const char *wrong;
	int lie, other, fd;

	(void)tc;
	prepare();
	place = place_of_box();
	any_size = 1;
	for (lie = 0; lie < LIES * 4; lie++) {
		put(text_box, strlen(text_box));
		truth = make_index();
		file = truth;
		for (other = 0; other < 2; other++)
			tell(&file, (enum lie)randombytes_uniform(LIES),
			    (size_t)lie % 4);
		index_file_sign(&file);
		index_file_write(&place, &file);
		open_box(&mailbox, 0);
		single = mailbox.state;
		for (number = 2; number <= mailbox.messages; number += 2)
			if (send_one(&mailbox, number) == NULL)
				(void)mailbox.format->mark(&mailbox, number);
		used = from = 0;
		for (number = 1; number <= mailbox.messages; number++) {
			message = &single->shown.messages[number - 1];
			if ((message->flags & SINGLE_MARKED) == 0)
				continue;
			memcpy(wanted + used, text_box + from,
			    message->offset - from);
			used += message->offset - from;
			from = message->offset + message->stored;
		}
		memcpy(wanted + used, text_box + from,
		    strlen(text_box) - from);
		used += strlen(text_box) - from;
		wrong = mailbox.format->commit(&mailbox, &deleted);
		close_box(&mailbox);
		fd = openat(spool, BOX, O_RDONLY);
		ATF_REQUIRE(fd != -1);
		if (wrong != NULL) {
			memcpy(wanted, text_box, strlen(text_box));
			used = strlen(text_box);
		}
		ATF_CHECK_EQ((ssize_t)used, read(fd, now, sizeof(now)));
		ATF_CHECK(memcmp(now, wanted, used) == 0);
		(void)close(fd);
		index_file_free(&truth);
	}
}

/* What stays after a delete has its ids, and is found. */
ATF_TC_WITHOUT_HEAD(deleted);
ATF_TC_BODY(deleted, tc)
{
	char *text, *first, *now, wanted[30 * UID_SIZE] = "";
	struct mailbox mailbox;
	uint32_t number, gone;
	size_t length;

	(void)tc;
	prepare();
	text = make_box(30, 60000, &length);
	put(text, length);
	must_be_true("first");
	first = ask_uids();
	open_box(&mailbox, 0);
	ATF_REQUIRE(bytes_read <= MAILTXT_HEADER_MAX);
	ATF_REQUIRE(maildrop_begin(&mailbox, UID_NATIVE) == NULL);
	for (number = 1; number <= mailbox.messages; number++)
		if (number % 3 == 0)
			ATF_REQUIRE(maildrop_mark(number) == NULL);
		else
			(void)strncat(wanted, first + (number - 1) * 32, 32);
	ATF_REQUIRE(maildrop_give_marks() == NULL);
	ATF_REQUIRE(mailbox.format->commit(&mailbox, &gone) == NULL);
	maildrop_committed(gone);
	maildrop_end();
	close_box(&mailbox);
	ATF_CHECK_EQ(10, gone);
	must_be_true("after the delete");
	now = ask_uids();
	ATF_CHECK_STREQ(wanted, now);
	ATF_CHECK(opening_reads("and again") <= MAILTXT_HEADER_MAX);
	free(first);
	free(now);
	free(text);
}

ATF_TC_WITHOUT_HEAD(many_messages);
ATF_TC_BODY(many_messages, tc)
{
	char *text, *tail;
	size_t length, tail_length;

	(void)tc;
	prepare();
	text = make_box(100000, 450, &length);
	put(text, length);
	free(text);
	ATF_CHECK(opening_reads("first") >= length);
	ATF_CHECK(opening_reads("again") <= MAILTXT_HEADER_MAX);
	tail = make_box(3000, 450, &tail_length);
	append(tail, tail_length);
	free(tail);
	ATF_CHECK(opening_reads("appended") < length / 2);
	ATF_CHECK(opening_reads("again") <= MAILTXT_HEADER_MAX);
}

/* No room, or no leave: no index, no noise, and nothing left behind. */
ATF_TC_WITHOUT_HEAD(no_room);
ATF_TC_BODY(no_room, tc)
{
	static const int errors[] = { ENOSPC, EDQUOT, EFBIG, EIO };
	struct dirent *entry;
	size_t length, i;
	char *ids;
	DIR *list;

	(void)tc;
	prepare();
	free(put_large(&length));
	for (i = 0; i < COUNT(errors); i++) {
		no_room = errors[i];
		last_log[0] = '\0';
		ATF_CHECK(opening_reads("no room") >= length);
		ids = ask_uids();
		free(ids_must_be(ids));
		free(ids);
		ATF_CHECK_STREQ("", last_log);
		ATF_REQUIRE((list = opendir("state")) != NULL);
		while ((entry = readdir(list)) != NULL)
			ATF_CHECK_MSG(entry->d_name[0] == '.', "%s is left",
			    entry->d_name);
		(void)closedir(list);
	}
	/* An index that is there already is of use all the same. */
	no_room = 0;
	must_be_true("room again");
	no_room = ENOSPC;
	ATF_CHECK(opening_reads("its index") <= MAILTXT_HEADER_MAX);
	ids = ask_uids();
	free(ids_must_be(ids));
	free(ids);
}

/* Something else stands where the index should be. */
ATF_TC_WITHOUT_HEAD(in_its_place);
ATF_TC_BODY(in_its_place, tc)
{
	struct index_names names;
	struct mailbox_place place;
	struct stat status;
	size_t length;

	(void)tc;
	prepare();
	place = place_of_box();
	put_at("target", "not mine", 8, O_TRUNC);
	free(put_large(&length));
	ATF_REQUIRE(index_find(&place, &names) == 0);
	ATF_REQUIRE(mkdirat(state, names.name, 0700) == 0);
	ATF_CHECK(opening_reads("a directory") >= length);
	ATF_CHECK(opening_reads("a directory, again") >= length);
	ATF_REQUIRE(unlinkat(state, names.name, AT_REMOVEDIR) == 0);
	/* A link is not followed, neither to read nor to write. */
	ATF_REQUIRE(symlinkat("../spool/target", state, names.name) == 0);
	ATF_REQUIRE(symlinkat("../spool/target", state, names.new) == 0);
	ATF_CHECK(opening_reads("a link") >= length);
	ATF_REQUIRE(fstatat(spool, "target", &status, 0) == 0);
	ATF_CHECK_EQ(8, status.st_size);
	ATF_CHECK(opening_reads("that went") <= MAILTXT_HEADER_MAX);
	ATF_REQUIRE(linkat(state, names.name, spool, "second", 0) == 0);
	ATF_CHECK(opening_reads("two names") >= length);
	ATF_REQUIRE(unlinkat(state, names.name, 0) == 0);
	ATF_REQUIRE(mkfifoat(state, names.name, 0600) == 0);
	ATF_CHECK(opening_reads("a FIFO") >= length);
}

/* Those of folders that were opened long ago make room. */
ATF_TC_WITHOUT_HEAD(bounded);
ATF_TC_BODY(bounded, tc)
{
	struct mailbox mailbox;
	struct index_names names, first;
	struct dirent *entry;
	struct stat status;
	size_t i, count = 0;
	char name[40];
	DIR *list;

	(void)tc;
	prepare();
	any_size = 1;
	for (i = 0; i < INDEXES_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "folder-%zu", i);
		put_at(name, three, strlen(three), O_TRUNC);
		memset(&mailbox, 0, sizeof(mailbox));
		mailbox.format = &mailbox_single_file;
		mailbox.place.directory = spool;
		mailbox.place.state = state;
		mailbox.place.pulse = -1;
		(void)strlcpy(mailbox.place.name, name, FOLDER_SIZE);
		ATF_REQUIRE(mailbox.format->open(&mailbox) == NULL);
		mailbox.format->remember(&mailbox);
		ATF_REQUIRE(index_find(&mailbox.place, &names) == 0);
		ATF_CHECK(index_file_is_there(&mailbox.place));
		close_box(&mailbox);
		if (i == 0)
			first = names;
	}
	ATF_CHECK(fstatat(state, first.name, &status, 0) == -1);
	ATF_REQUIRE((list = opendir("state")) != NULL);
	while ((entry = readdir(list)) != NULL)
		count += strncmp(entry->d_name, INDEX_PREFIX,
		    strlen(INDEX_PREFIX)) == 0;
	(void)closedir(list);
	ATF_CHECK_EQ(INDEXES_MAX, count);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unchanged);
	ATF_TP_ADD_TC(tp, not_worth_it);
	ATF_TP_ADD_TC(tp, appended);
	ATF_TP_ADD_TC(tp, awkward);
	ATF_TP_ADD_TC(tp, mailtxt);
	ATF_TP_ADD_TC(tp, changed_and_appended);
	ATF_TP_ADD_TC(tp, replaced);
	ATF_TP_ADD_TC(tp, racy);
	ATF_TP_ADD_TC(tp, clock_of_files);
	ATF_TP_ADD_TC(tp, keys);
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, foreign);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, hostile_uids);
	ATF_TP_ADD_TC(tp, hostile_deletes);
	ATF_TP_ADD_TC(tp, deleted);
	ATF_TP_ADD_TC(tp, many_messages);
	ATF_TP_ADD_TC(tp, no_room);
	ATF_TP_ADD_TC(tp, in_its_place);
	ATF_TP_ADD_TC(tp, bounded);
	return (atf_no_error());
}
