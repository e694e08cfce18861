/*
 * mbox_test.c - From_ lines, and what a scan makes of awkward files.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "letters.h"
#include "log.h"
#include "mbox.h"
#include "single_file.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define FROM		"From a@example.org Sat Nov 21 23:33:00 2026"
#define FROM_LENGTH	(sizeof(FROM) - 1)

static const char *const from_lines[] = {
	FROM,
	"From a@example.org  Sat Nov 21 23:33:00 2026",
	"From a Sun Jan  1 00:00:00 1984",
	"From a Sun Jan 1 00:00:00 1984",
	"From a Sun Jan 01 00:00:00 1984",
	"From a Mon Feb 29 0:00 2088",
	"From a Tue Mar 31 23:59 1999",
	"From a Wed Apr 30 9:05:07 1999",
	"From a Thu May  2 10:11:12 MET 1996",
	"From a Fri Jun  2 10:11:12 MET DST 1996",
	"From a Sat Jul  2 10:11:12 +0200 1996",
	"From a Sat Aug  2 10:11:12 1996 +0200",
	"From a Sat Sep  2 10:11:12 1996 MET",
	"From a Sat Oct  2 10:11:12 1996 GMT+1",
	"From a Sat Nov  2 10:11 EST 1996",
	"From a Sat Dec  2 10:11:12 1996 remote from host",
	"From a!b!c Sat Dec  2 10:11:12 1996 remote from d",
	"From MAILER-DAEMON Sat Nov 21 23:33:00 2026",
	"From \"a b\"@example.org Sat Nov 21 23:33:00 2026",
	"From <> Sat Nov 21 23:33:00 2026",
	"From a@b (A. B.) Sat Nov 21 23:33:00 2026",
	"From  a Sat Nov 21 23:33:00 2026",
	"From \xc3\xa9@b Sat Nov 21 23:33:00 2026",
};

static const char *const text_lines[] = {
	"", "F", "From", "From ", "From  ", "From a", "From a@example.org",
	"from a Sat Nov 21 23:33:00 2026",
	"FROM a Sat Nov 21 23:33:00 2026",
	">From a Sat Nov 21 23:33:00 2026",
	" From a Sat Nov 21 23:33:00 2026",
	"From: a Sat Nov 21 23:33:00 2026",
	"From\ta Sat Nov 21 23:33:00 2026",
	"From Sat Nov 21 23:33:00 2026",
	"From the beginning, it was so.",
	"From a Saturday Nov 21 23:33:00 2026",
	"From a Sa Nov 21 23:33:00 2026",
	"From a sat Nov 21 23:33:00 2026",
	"From a Sat Nob 21 23:33:00 2026",
	"From a Sat November 21 23:33:00 2026",
	"From a Sat 21 Nov 2026 23:33:00",
	"From a Sat Nov 21 2026",
	"From a Sat Nov 21 23 2026",
	"From a Sat Nov 21 23:3 2026",
	"From a Sat Nov 21 :33:00 2026",
	"From a Sat Nov 21 23:33:0 2026",
	"From a Sat Nov 21 23:33:00",
	"From a Sat Nov 21 23:33:00 ",
	"From a Sat Nov 21 23:33:00 26",
	"From a Sat Nov 21 23:33:00 202",
	"From a Sat Nov 21 23:33:00 20267",
	"From a Sat Nov 21 23:33:00 2026x",
	"From a Sat Nov xx 23:33:00 2026",
	"From a Sat Nov 21",
	"From a Sat Nov",
	"From a Sat",
	"From a Sat Nov 21 23:33:00 one two three four 2026",
	"From aSat Nov 21 23:33:00 2026",
};

static int
is_from(const char *text, size_t length)
{
	/* A block of its very size: a byte read too far is seen by ASan. */
	unsigned char *copy = malloc(length + (length == 0));
	int answer;

	ATF_REQUIRE(copy != NULL);
	memcpy(copy, text, length);
	answer = mbox_is_from_line(copy, length);
	free(copy);
	return (answer);
}

ATF_TC_WITHOUT_HEAD(from_line);
ATF_TC_BODY(from_line, tc)
{
	size_t i, length;

	(void)tc;
	for (i = 0; i < COUNT(from_lines); i++)
		ATF_CHECK_MSG(is_from(from_lines[i], strlen(from_lines[i])),
		    "\"%s\" is text", from_lines[i]);
	for (i = 0; i < COUNT(text_lines); i++)
		ATF_CHECK_MSG(!is_from(text_lines[i], strlen(text_lines[i])),
		    "\"%s\" is a From_ line", text_lines[i]);
	for (length = 0; length < FROM_LENGTH; length++)
		ATF_CHECK_MSG(!is_from(FROM, length), "%zu bytes", length);
	ATF_CHECK(!is_from("From a\0Sat Nov 21 23:33:00 2026", 31));
}

ATF_TC_WITHOUT_HEAD(from_line_length);
ATF_TC_BODY(from_line_length, tc)
{
	char text[FROM_LINE_MAX + 64];
	size_t length, date = strlen(" Sat Nov 21 23:33:00 2026");

	(void)tc;
	for (length = FROM_LINE_MAX - 3; length < FROM_LINE_MAX + 8;
	    length++) {
		memset(text, 'a', length);
		memcpy(text, "From ", 5);
		memcpy(text + length - date, " Sat Nov 21 23:33:00 2026",
		    date);
		ATF_CHECK_EQ_MSG(length < FROM_LINE_MAX,
		    is_from(text, length), "%zu bytes", length);
	}
}

static struct single_file mbox;

static void
scan(const char *bytes, size_t length)
{
	const char *wrong;

	log_to_stderr("test");
	memset(&mbox, 0, sizeof(mbox));
	mbox.fd = memfd_create("mbox", MFD_CLOEXEC);
	ATF_REQUIRE(mbox.fd != -1);
	ATF_REQUIRE_EQ((ssize_t)length, write(mbox.fd, bytes, length));
	mbox.size = length;
	mbox.format = single_file_format(mbox.fd);
	ATF_REQUIRE_EQ(&single_mbox, mbox.format);
	wrong = mbox.format->scan(&mbox, "INBOX");
	ATF_REQUIRE_MSG(wrong == NULL, "%s", wrong);
}

static void
forget(void)
{
	(void)close(mbox.fd);
	free(mbox.shown.messages);
	mbox.shown.messages = NULL;
}

struct wanted {
	uint64_t offset, stored, octets;
	unsigned int blank, head_ending;
};

#define TEXT(bytes)	bytes, sizeof(bytes) - 1

static const struct {
	const char *name, *bytes;
	size_t length;
	size_t count;
	struct wanted wanted[3];
} files[] = {
	{ "empty file", TEXT(""), 0, { { 0, 0, 0, 0, 0 } } },
	{ "no separator", TEXT("Hello\n\nworld\n"), 0, { { 0, 0, 0, 0, 0 } } },
	{ "one byte", TEXT("F"), 0, { { 0, 0, 0, 0, 0 } } },
	{ "one newline", TEXT("\n"), 0, { { 0, 0, 0, 0, 0 } } },
	{ "LF", TEXT(FROM "\nS: 1\n\nb\n\n" FROM "\nS: 2\n\nbb\n\n"), 2,
	    { { 0, 53, 11, 1, 1 }, { 53, 54, 12, 1, 1 } } },
	{ "CRLF", TEXT(FROM "\r\nS: 1\r\n\r\nb\r\n\r\n" FROM "\r\nx\r\n\r\n"),
	    2, { { 0, 58, 11, 2, 2 }, { 58, 50, 3, 2, 2 } } },
	{ "mixed", TEXT(FROM "\nS: 1\r\n\nb\n\r\n" FROM "\r\nx\n\n"), 2,
	    { { 0, 55, 11, 2, 1 }, { 55, 48, 3, 1, 2 } } },
	{ "NUL", TEXT(FROM "\na\0b\n\n" FROM "\n\0\n\n"), 2,
	    { { 0, 49, 5, 1, 1 }, { 49, 47, 3, 1, 1 } } },
	{ "8-bit", TEXT(FROM "\n\xff\x80\n\n"), 1, { { 0, 48, 4, 1, 1 } } },
	{ "no newline at the end", TEXT(FROM "\nabc"), 1,
	    { { 0, 47, 5, 0, 1 } } },
	{ "a newline but no empty line", TEXT(FROM "\nabc\n"), 1,
	    { { 0, 48, 5, 0, 1 } } },
	{ "empty body", TEXT(FROM "\nS: 1\n\n\n"), 1,
	    { { 0, 51, 8, 1, 1 } } },
	{ "headers alone", TEXT(FROM "\nS: 1\n\n"), 1,
	    { { 0, 50, 6, 1, 1 } } },
	{ "an empty line alone", TEXT(FROM "\n\n"), 1, { { 0, 45, 0, 1, 1 } } },
	{ "nothing at all", TEXT(FROM "\n"), 1, { { 0, 44, 0, 0, 1 } } },
	{ "not even a newline", TEXT(FROM), 1, { { 0, 43, 0, 0, 0 } } },
	{ "empty, then another", TEXT(FROM "\n\n" FROM "\nx\n\n"), 2,
	    { { 0, 45, 0, 1, 1 }, { 45, 47, 3, 1, 1 } } },
	{ "two empty lines at the end", TEXT(FROM "\nx\n\n\n"), 1,
	    { { 0, 48, 5, 1, 1 } } },
	{ "From in a body, no empty line before it",
	    TEXT(FROM "\nx\n" FROM "\ny\n\n"), 1, { { 0, 93, 51, 1, 1 } } },
	{ "From in a body, no date", TEXT(FROM "\nx\n\nFrom me\ny\n\n"), 1,
	    { { 0, 58, 17, 1, 1 } } },
	{ "quoted From", TEXT(FROM "\nx\n\n>" FROM "\n\n"), 1,
	    { { 0, 93, 51, 1, 1 } } },
	{ "preamble", TEXT("junk\n\n" FROM "\nx\n\n"), 1,
	    { { 6, 47, 3, 1, 1 } } },
	{ "an empty line first", TEXT("\n" FROM "\nx\n\n"), 1,
	    { { 1, 47, 3, 1, 1 } } },
	{ "bare CR", TEXT(FROM "\na\rb\r\r\n\n"), 1, { { 0, 51, 6, 1, 1 } } },
	{ "CR at the very end", TEXT(FROM "\nab\r"), 1,
	    { { 0, 47, 5, 0, 1 } } },
	{ "three", TEXT(FROM "\n1\n\n" FROM "\n2\n\n" FROM "\n3\n\n"), 3,
	    { { 0, 47, 3, 1, 1 }, { 47, 47, 3, 1, 1 }, { 94, 47, 3, 1, 1 } } },
};

static void
check_message(const char *name, size_t number, const struct wanted *wanted)
{
	const struct single_message *message = &mbox.shown.messages[number];

	ATF_CHECK_EQ_MSG(wanted->offset, message->offset, "%s %zu: offset "
	    "%llu", name, number, (unsigned long long)message->offset);
	ATF_CHECK_EQ_MSG(wanted->stored, message->stored, "%s %zu: stored "
	    "%llu", name, number, (unsigned long long)message->stored);
	ATF_CHECK_EQ_MSG(wanted->octets, message->octets, "%s %zu: octets "
	    "%llu", name, number, (unsigned long long)message->octets);
	ATF_CHECK_EQ_MSG(wanted->blank, message->blank_bytes, "%s %zu: "
	    "blank %u", name, number, message->blank_bytes);
	ATF_CHECK_EQ_MSG(wanted->head_ending, message->head_ending,
	    "%s %zu: ending %u", name, number, message->head_ending);
	ATF_CHECK_EQ_MSG(FROM_LENGTH + wanted->head_ending,
	    message->head_bytes, "%s %zu", name, number);
	ATF_CHECK_EQ_MSG(wanted->octets == 0 ? 2 : wanted->octets,
	    single_octets(message), "%s %zu", name, number);
	ATF_CHECK_EQ_MSG(0, message->flags, "%s %zu", name, number);
}

/* Both in mbox form: From_ lines, contents, empty lines, all with CRLF. */
static void
check_whole(const char *name, const char *bytes, size_t length)
{
	size_t wire_length;
	char *wire;

	if (mbox.shown.count == 0)
		return;
	wire = wire_form(bytes + mbox.shown.messages[0].offset,
	    length - (size_t)mbox.shown.messages[0].offset, &wire_length);
	ATF_CHECK_EQ_MSG(wire_length, mbox.whole_octets, "%s: whole %llu",
	    name, (unsigned long long)mbox.whole_octets);
	free(wire);
}

ATF_TC_WITHOUT_HEAD(scans);
ATF_TC_BODY(scans, tc)
{
	size_t i, j;

	(void)tc;
	for (i = 0; i < COUNT(files); i++) {
		scan(files[i].bytes, files[i].length);
		ATF_CHECK_EQ_MSG(files[i].count, mbox.shown.count, "%s: %zu",
		    files[i].name, mbox.shown.count);
		for (j = 0; j < files[i].count && j < mbox.shown.count; j++)
			check_message(files[i].name, j, &files[i].wanted[j]);
		check_whole(files[i].name, files[i].bytes, files[i].length);
		forget();
	}
}

/* What the data pipe gets for one message or the whole mailbox. */
static void
check_sent(const char *what, const char *wanted, size_t length, int whole)
{
	static struct wire wire;
	size_t i, have, parts = whole ? mbox.shown.count : 1;
	uint64_t announced = whole ? mbox.whole_octets :
	    single_octets(&mbox.shown.messages[0]);
	const char *wrong = NULL;
	char *sent;

	memset(&wire, 0, sizeof(wire));
	wire.fd = memfd_create("wire", MFD_CLOEXEC);
	ATF_REQUIRE(wire.fd != -1);
	wire_begin(&wire, announced);
	for (i = 0; i < parts && wrong == NULL; i++)
		wrong = single_send(&mbox, &mbox.shown.messages[i], &wire,
		    whole);
	ATF_REQUIRE_MSG(wrong == NULL, "%s: %s", what, wrong);
	ATF_REQUIRE_EQ(0, wire_end(&wire));
	have = (size_t)lseek(wire.fd, 0, SEEK_END);
	sent = calloc(1, have + 1);
	ATF_REQUIRE(sent != NULL);
	ATF_REQUIRE_EQ((ssize_t)have, pread(wire.fd, sent, have, 0));
	ATF_CHECK_EQ_MSG(announced, have, "%s: %zu sent", what, have);
	ATF_CHECK_MSG(have == length && memcmp(sent, wanted, length) == 0,
	    "%s: %zu octets, expected %zu", what, have, length);
	free(sent);
	(void)close(wire.fd);
}

ATF_TC_WITHOUT_HEAD(sends);
ATF_TC_BODY(sends, tc)
{
	const struct wanted *first;
	size_t i, length, wire_length;
	const char *content;
	char *wire;

	(void)tc;
	for (i = 0; i < COUNT(files); i++) {
		if (files[i].count == 0)
			continue;
		scan(files[i].bytes, files[i].length);
		first = &files[i].wanted[0];
		content = files[i].bytes + first->offset + FROM_LENGTH +
		    first->head_ending;
		length = (size_t)first->stored - FROM_LENGTH -
		    first->head_ending - first->blank;
		wire = wire_form(content, length, &wire_length);
		check_sent(files[i].name, wire, wire_length, 0);
		free(wire);
		wire = wire_form(files[i].bytes + first->offset,
		    files[i].length - (size_t)first->offset, &wire_length);
		check_sent(files[i].name, wire, wire_length, 1);
		free(wire);
		forget();
	}
}

/*
 * One long line between two messages, its end at every place around the
 * edges of the buffer that the scan reads through.
 */
static void
long_line(size_t length, const char *ending, const char *inside)
{
	static char bytes[3 * RELAY_BYTES];
	char what[80];
	size_t have = (size_t)sprintf(bytes, FROM "\n"), content = have;
	size_t wire_length;
	int ends = strchr(ending, '\n') != NULL;
	char *wire;

	(void)snprintf(what, sizeof(what), "a line of %zu, end of %zu, %zu",
	    length, strlen(ending), strlen(inside));
	memset(bytes + have, 'x', length);
	memcpy(bytes + have + length - strlen(inside), inside,
	    strlen(inside));
	have += length;
	have += (size_t)sprintf(bytes + have, "%s", ending);
	wire = wire_form(bytes + content, have - content, &wire_length);
	if (ends)
		have += (size_t)sprintf(bytes + have, "\n" FROM "\ny\n\n");
	scan(bytes, have);
	ATF_CHECK_EQ_MSG(ends ? 2 : 1, mbox.shown.count, "%s: %zu", what,
	    mbox.shown.count);
	ATF_CHECK_EQ_MSG(wire_length, mbox.shown.messages[0].octets, "%s: %llu",
	    what, (unsigned long long)mbox.shown.messages[0].octets);
	check_sent(what, wire, wire_length, 0);
	check_whole(what, bytes, have);
	free(wire);
	forget();
}

ATF_TC_WITHOUT_HEAD(long_lines);
ATF_TC_BODY(long_lines, tc)
{
	static const char *const endings[] = { "\n", "\r\n", "", "\r" };
	static const char *const insides[] = { "", "\r", "\r\r", "\n\rx" };
	/* From the file's beginning, and from the line's. */
	static const size_t edges[] = { RELAY_BYTES,
	    RELAY_BYTES - FROM_LENGTH - 1, 2 * RELAY_BYTES,
	    2 * RELAY_BYTES - FROM_LENGTH - 1 };
	size_t i, j, k, length;

	(void)tc;
	for (i = 0; i < COUNT(edges); i++)
		for (length = edges[i] - 3; length <= edges[i] + 3; length++)
			for (j = 0; j < COUNT(endings); j++)
				for (k = 0; k < COUNT(insides); k++)
					long_line(length, endings[j],
					    insides[k]);
}

/* A From_ line that begins a line's second piece is in that line. */
ATF_TC_WITHOUT_HEAD(from_inside_long_line);
ATF_TC_BODY(from_inside_long_line, tc)
{
	static char bytes[2 * RELAY_BYTES];
	size_t have, shift;

	(void)tc;
	for (shift = 0; shift < 4; shift++) {
		have = (size_t)sprintf(bytes, FROM "\n\n");
		memset(bytes + have, 'x', RELAY_BYTES);
		have = RELAY_BYTES + have - 2 + shift;
		have += (size_t)sprintf(bytes + have, FROM "\n\n");
		scan(bytes, have);
		ATF_CHECK_EQ_MSG(1, mbox.shown.count, "shift %zu: %zu", shift,
		    mbox.shown.count);
		forget();
	}
}

/* The separator itself across the buffer's edge. */
ATF_TC_WITHOUT_HEAD(from_across_edge);
ATF_TC_BODY(from_across_edge, tc)
{
	static char bytes[2 * RELAY_BYTES];
	size_t begin, have;

	(void)tc;
	for (begin = RELAY_BYTES - FROM_LENGTH - 4; begin < RELAY_BYTES + 3;
	    begin++) {
		have = (size_t)sprintf(bytes, FROM "\n");
		memset(bytes + have, 'x', sizeof(bytes) - have);
		for (; have < begin - 80; have += 80)
			bytes[have + 79] = '\n';
		bytes[begin - 2] = bytes[begin - 1] = '\n';
		have = begin + (size_t)sprintf(bytes + begin, FROM "\nyy\n\n");
		scan(bytes, have);
		ATF_REQUIRE_EQ_MSG(2, mbox.shown.count, "at %zu", begin);
		ATF_CHECK_EQ_MSG(begin, mbox.shown.messages[1].offset, "at %zu",
		    begin);
		ATF_CHECK_EQ_MSG(4, mbox.shown.messages[1].octets, "at %zu",
		    begin);
		check_whole("edge", bytes, have);
		forget();
	}
}

/* A file that has become shorter is an error, and not an empty mailbox. */
ATF_TC_WITHOUT_HEAD(cut_file);
ATF_TC_BODY(cut_file, tc)
{
	(void)tc;
	log_to_stderr("test");
	memset(&mbox, 0, sizeof(mbox));
	mbox.fd = memfd_create("mbox", MFD_CLOEXEC);
	ATF_REQUIRE(mbox.fd != -1);
	ATF_REQUIRE(write(mbox.fd, FROM "\nx\n\n", 47) == 47);
	mbox.size = 48;
	mbox.format = &single_mbox;
	ATF_CHECK(single_mbox.scan(&mbox, "INBOX") != NULL);
	forget();
}

/* What may be deleted is what was sent whole: a change since is seen. */
ATF_TC_WITHOUT_HEAD(changed_before_sending);
ATF_TC_BODY(changed_before_sending, tc)
{
	static struct wire wire;
	static const struct {
		const char *bytes;
		off_t at;
	} changes[] = { { "X", 0 }, { "\n", 45 }, { "\r", 46 } };
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(changes); i++) {
		scan(FROM "\nabc\n\n", 49);
		ATF_REQUIRE(pwrite(mbox.fd, changes[i].bytes, 1,
		    changes[i].at) == 1);
		memset(&wire, 0, sizeof(wire));
		wire.fd = memfd_create("wire", MFD_CLOEXEC);
		wire_begin(&wire, single_octets(&mbox.shown.messages[0]));
		ATF_CHECK_MSG(single_send(&mbox, &mbox.shown.messages[0],
		    &wire, 0) != NULL || wire_end(&wire) == -1, "change %zu",
		    i);
		ATF_CHECK_EQ_MSG(0, mbox.shown.messages[0].flags, "change %zu",
		    i);
		(void)close(wire.fd);
		forget();
	}
}

ATF_TC_WITHOUT_HEAD(memory);
ATF_TC_BODY(memory, tc)
{
	static const char one[] = FROM "\nS: 1\n\nbody\n\n";
	const size_t count = 20000, length = sizeof(one) - 1;
	char *bytes = malloc(count * length);
	size_t i;

	(void)tc;
	ATF_CHECK(sizeof(struct single_message) <= 64);
	ATF_REQUIRE(bytes != NULL);
	for (i = 0; i < count; i++)
		memcpy(bytes + i * length, one, length);
	scan(bytes, count * length);
	ATF_CHECK_EQ(count, mbox.shown.count);
	ATF_CHECK_MSG(mbox.shown.room * sizeof(struct single_message) <
	    100 * count, "%zu bytes a message", mbox.shown.room *
	    sizeof(struct single_message) / count);
	for (i = 0; i < count; i++)
		ATF_REQUIRE(mbox.shown.messages[i].offset == i * length &&
		    mbox.shown.messages[i].octets == 14);
	forget();
	free(bytes);
}

/* Line by line, and letter by letter. */
static void
count_slowly(const char *text, size_t length, struct lines_passed *passed)
{
	size_t at = 0, end, line;
	unsigned int ending, blank = 0;

	memset(passed, 0, sizeof(*passed));
	for (; at < length; at = end) {
		for (end = at; end < length && text[end] != '\n';)
			end++;
		if (end++ == length || (blank != 0 && text[at] == 'F'))
			break;
		ending = end - at > 1 && text[end - 2] == '\r' ? 2 : 1;
		line = end - at - ending;
		blank = line == 0 ? ending : 0;
		passed->bytes = end;
		passed->octets += line + 2;
		passed->dots += line > 0 && text[at] == '.';
	}
	passed->blank = blank;
}

static void
check_same(const struct lines_passed *wanted,
    const struct lines_passed *counted, const char *text, size_t length)
{
	if (wanted->bytes != counted->bytes ||
	    wanted->dots != counted->dots ||
	    wanted->octets != counted->octets ||
	    wanted->blank != counted->blank)
		atf_tc_fail("\"%.*s\": %llu bytes of %llu", (int)length, text,
		    (unsigned long long)counted->bytes,
		    (unsigned long long)wanted->bytes);
}

static void
check_count(const char *text, size_t length)
{
	/* Of its very size, with what stands before it in a buffer. */
	char *copy = malloc(length + 3);
	struct lines_passed wanted, counted;

	ATF_REQUIRE(copy != NULL);
	memcpy(copy, "\r\n\n", 3);
	memcpy(copy + 3, text, length);
	count_slowly(text, length, &wanted);
	line_count((unsigned char *)copy + 3, length, &counted);
	check_same(&wanted, &counted, text, length);
	line_count_narrow((unsigned char *)copy + 3, length, &counted);
	check_same(&wanted, &counted, text, length);
	free(copy);
}

/* Lines that are counted many at a time, or fewer, come to what they are. */
ATF_TC_WITHOUT_HEAD(line_counts);
ATF_TC_BODY(line_counts, tc)
{
	static char text[9000];
	size_t length, i, j;
	unsigned int number;

	(void)tc;
	/* All short texts, alone and at each place of a block. */
	for (length = 0; length <= 6; length++)
		for (number = 0; short_text(text, length, number); number++)
			check_count(text, length);
	for (i = 0; i < 200; i++) {
		memset(text, 'x', 400);
		memcpy(text + i, i % 2 == 0 ? "\n\nF" : "\n\r\nF", 4);
		text[399] = '\n';
		check_count(text, 400);
		text[i] = 'x';
		check_count(text, 400);
	}
	/* Lanes that are full: a letter at each place, and by chance. */
	for (i = 0; i < LETTERS; i++) {
		memset(text, letters[i], sizeof(text));
		check_count(text, sizeof(text));
		for (j = 1; j < sizeof(text); j += 2)
			text[j] = '\n';
		check_count(text, sizeof(text));
	}
	for (i = 0; i < 3000; i++) {
		length = randombytes_uniform(sizeof(text));
		random_text(text, length, 60);
		check_count(text, length);
	}
}

/*
 * What is at hand for many lines at a time ends behind a line feed: who takes
 * few of them need not look for it again.
 */
static void
check_peek(const struct line_reader *reader)
{
	const unsigned char *text, *from = reader->buffer + reader->begin;
	const unsigned char *feed = memrchr(from, '\n', reader->end -
	    reader->begin);
	const size_t wanted = reader->inside || feed == NULL ? 0 :
	    (size_t)(feed - from) + 1;

	ATF_REQUIRE_EQ(wanted, lines_peek(reader, UINT64_MAX, &text));
	ATF_REQUIRE(wanted == 0 || text == from);
	ATF_REQUIRE_EQ(wanted / 2, lines_peek(reader, wanted / 2, &text));
}

ATF_TC_WITHOUT_HEAD(whole_lines);
ATF_TC_BODY(whole_lines, tc)
{
	static struct line_reader reader;
	static char bytes[5 * RELAY_BYTES];
	const unsigned char *text, *feed;
	size_t length, skipped, at, i;
	struct line line;
	int fd;

	(void)tc;
	for (i = 0; i < 60; i++) {
		length = randombytes_uniform(sizeof(bytes));
		memset(bytes, 'x', length);
		/* Many short lines, and some longer than the buffer. */
		for (at = 0; at < length; at += 1 + randombytes_uniform(
		    i % 3 == 0 ? 100000 : i % 3 == 1 ? 60 : 5000))
			bytes[at] = '\n';
		fd = memfd_create("lines", MFD_CLOEXEC);
		ATF_REQUIRE(fd != -1);
		ATF_REQUIRE(write(fd, bytes, length) == (ssize_t)length);
		lines_begin(&reader, fd, 0, length, NULL);
		check_peek(&reader);
		for (at = 0; lines_next(&reader, &line) == 1;) {
			at += line.length + line.ending;
			check_peek(&reader);
			skipped = lines_peek(&reader, UINT64_MAX, &text);
			if (skipped == 0 || i % 2 == 0)
				continue;
			feed = memchr(text, '\n', skipped);
			ATF_REQUIRE(feed != NULL);
			lines_skip(&reader, (uint64_t)(feed - text) + 1);
			at += (size_t)(feed - text) + 1;
			check_peek(&reader);
		}
		ATF_CHECK_EQ(length, at);
		ATF_REQUIRE(close(fd) == 0);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, from_line);
	ATF_TP_ADD_TC(tp, from_line_length);
	ATF_TP_ADD_TC(tp, scans);
	ATF_TP_ADD_TC(tp, sends);
	ATF_TP_ADD_TC(tp, long_lines);
	ATF_TP_ADD_TC(tp, from_inside_long_line);
	ATF_TP_ADD_TC(tp, from_across_edge);
	ATF_TP_ADD_TC(tp, cut_file);
	ATF_TP_ADD_TC(tp, changed_before_sending);
	ATF_TP_ADD_TC(tp, memory);
	ATF_TP_ADD_TC(tp, line_counts);
	ATF_TP_ADD_TC(tp, whole_lines);
	return (atf_no_error());
}
