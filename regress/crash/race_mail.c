/*
 * race_mail.c - numbered messages, and the checker that knows their fates.
 *
 * Every byte of a message follows from its lane and serial number, so damage
 * shows wherever a message is seen again.
 */
#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "race.h"

#define LARGE_EVERY	40	/* one message in so many is large */
#define FIRST_LINE	"From: " RACE_SENDER "\n"

uint32_t
race_random(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((uint32_t)(*state >> 33) % below);
}

static size_t
ledger_size(const struct race *race)
{
	return (sizeof(struct race_ledger) + sizeof(struct race_mail) *
	    RACE_LANES * race->count);
}

void
race_open(struct race *race)
{
	race->ledger = mmap(NULL, ledger_size(race), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ATF_REQUIRE(race->ledger != MAP_FAILED);
}

void
race_close(struct race *race)
{
	(void)munmap(race->ledger, ledger_size(race));
}

struct race_mail *
race_mail(const struct race *race, unsigned int lane, unsigned int serial)
{
	return (&race->ledger->mails[lane * race->count + serial]);
}

unsigned int
race_now(struct race *race)
{
	return (atomic_fetch_add(&race->ledger->clock, 1) + 1);
}

void
race_complain(struct race *race, const char *format, ...)
{
	unsigned int slot = atomic_fetch_add(&race->ledger->complaints, 1);
	va_list arguments;

	if (slot >= RACE_COMPLAINTS)
		return;
	va_start(arguments, format);
	(void)vsnprintf(race->ledger->texts[slot],
	    sizeof(race->ledger->texts[slot]), format, arguments);
	va_end(arguments);
}

/* A line of the body; what stands at its start is what agents quote. */
static void
add_line(FILE *out, uint64_t *state)
{
	static const char *const starts[] = { "From ", ">From ", "From: ",
	    ">", "." };
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz0123456789 "
	    "<>.:;=?\t\xe9\xfc";
	uint32_t start = race_random(state, 24);
	uint32_t length = race_random(state, 70);

	if (start < sizeof(starts) / sizeof(starts[0]))
		(void)fputs(starts[start], out);
	else if (start < 8)
		length = 0;	/* an empty line */
	while (length-- > 0)
		(void)fputc(octets[race_random(state, sizeof(octets) - 1)],
		    out);
	(void)fputc('\n', out);
}

char *
race_text(unsigned int lane, unsigned int serial, size_t *length)
{
	uint64_t state = ((uint64_t)lane << 32 | serial) + 1;
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);
	long size;

	ATF_REQUIRE(out != NULL);
	(void)race_random(&state, 2);
	size = race_random(&state, LARGE_EVERY) == 0 ? 60000 +
	    (long)race_random(&state, 60000) : (long)race_random(&state, 4000);
	(void)fprintf(out, FIRST_LINE "To: runner@example.org\n"
	    "Date: Sat, 21 Nov 2026 23:33:00 +0000\n"
	    "Message-Id: <%u.%u@race.example.org>\n"
	    "Subject: race %u %u\n\n", lane, serial, lane, serial);
	while (ftell(out) < size)
		add_line(out, &state);
	/* Some end without a newline; the agent has to add it. */
	(void)fprintf(out, "the end of %u %u%s", lane, serial,
	    race_random(&state, 8) == 0 ? "" : "\n");
	ATF_REQUIRE(fclose(out) == 0);
	return (bytes);
}

/* Would an agent put a ">" before this line? */
static int
is_quoted(const struct race_agent *agent, const char *line)
{
	if (agent->form != RACE_MBOX || agent->quotes_nothing)
		return (0);
	while (agent->quotes_quoted && *line == '>')
		line++;
	return (strncmp(line, "From ", 5) == 0);
}

char *
race_stored(const struct race_agent *agent, unsigned int lane,
    unsigned int serial, size_t *length)
{
	size_t given;
	char *text = race_text(lane, serial, &given), *line, *rest = text;
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);

	ATF_REQUIRE(out != NULL);
	if (given > 0 && text[given - 1] == '\n')
		text[given - 1] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		(void)fprintf(out, "%s%s\n", is_quoted(agent, line) ? ">" : "",
		    line);
	ATF_REQUIRE(fclose(out) == 0);
	free(text);
	return (bytes);
}

/* Header lines that mail servers put before a message's own. */
static int
is_added_header(const char *bytes, size_t length)
{
	static const char *const names[] = { "Return-Path: ", "Received: ",
	    "X-Original-To: ", "Delivered-To: ", " ", "\t" };
	const char *end;
	size_t i;

	for (; length > 0; length -= (size_t)(end - bytes), bytes = end) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (length > strlen(names[i]) && strncmp(bytes,
			    names[i], strlen(names[i])) == 0)
				break;
		if (i == sizeof(names) / sizeof(names[0]) ||
		    (end = memchr(bytes, '\n', length)) == NULL)
			return (0);
		end++;
	}
	return (1);
}

/* Where two messages of which one should be the other differ. */
static size_t
difference(const char *one, size_t one_length, const char *other,
    size_t other_length)
{
	size_t i;

	for (i = 0; i < one_length && i < other_length; i++)
		if (one[i] != other[i])
			break;
	return (i);
}

/* The same without the fields that Dovecot keeps its notes in; malloc'd. */
static char *
without_notes(const char *bytes, size_t *length)
{
	static const char *const notes[] = { "X-UID:", "Status:",
	    "X-Keywords:", "X-IMAPbase:", "Content-Length:" };
	char *to = malloc(*length + 1);
	size_t at, end, i, have = 0;
	int body = 0;

	ATF_REQUIRE(to != NULL);
	for (at = 0; at < *length; at = end) {
		for (end = at; end < *length && bytes[end] != '\n';)
			end++;
		end += end < *length;
		body |= bytes[at] == '\n';
		for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
			if (!body && strncmp(bytes + at, notes[i],
			    strlen(notes[i])) == 0)
				break;
		if (i < sizeof(notes) / sizeof(notes[0]))
			continue;
		memcpy(to + have, bytes + at, end - at);
		have += end - at;
	}
	to[*length = have] = '\0';
	return (to);
}

static int
identify(struct race *race, const char *bytes, size_t length,
    unsigned int *lane, unsigned int *serial)
{
	static const char mark[] = "\nSubject: race ";
	const char *first = memmem(bytes, length, FIRST_LINE,
	    strlen(FIRST_LINE));
	const char *subject = memmem(bytes, length, mark, strlen(mark));
	char numbers[32] = "", *stored;
	size_t header, want, differ;

	if (subject != NULL)
		(void)snprintf(numbers, sizeof(numbers), "%.*s",
		    (int)strcspn(subject + strlen(mark), "\n"),
		    subject + strlen(mark));
	if (first == NULL || sscanf(numbers, "%u %u", lane, serial) != 2 ||
	    *lane >= RACE_LANES || *serial >= race->count) {
		race_complain(race, "%zu bytes are no message that was "
		    "delivered: \"%.60s\"", length, bytes);
		return (-1);
	}
	header = (size_t)(first - bytes);
	stored = race_stored(race->agent, *lane, *serial, &want);
	differ = difference(first, length - header, stored, want);
	free(stored);
	if (differ == want && length - header == want && (header == 0 ||
	    (race->agent->adds_header && is_added_header(bytes, header))))
		return (0);
	race_complain(race, "message %u of lane %u is damaged: %zu bytes, "
	    "expected %zu; they differ from byte %zu on", *serial, *lane,
	    length - header, want, differ);
	return (-1);
}

int
race_identify(struct race *race, const char *bytes, size_t length,
    unsigned int *lane, unsigned int *serial)
{
	char *simple;
	int result;

	if (!race->agent->adds_notes)
		return (identify(race, bytes, length, lane, serial));
	simple = without_notes(bytes, &length);
	result = identify(race, simple, length, lane, serial);
	free(simple);
	return (result);
}

int
race_unwire(char *bytes, size_t *length)
{
	size_t from, to = 0;

	for (from = 0; from < *length; from++) {
		if (bytes[from] == '\r' && from + 1 < *length &&
		    bytes[from + 1] == '\n')
			from++;
		else if (bytes[from] == '\n')
			return (-1);
		bytes[to++] = bytes[from];
	}
	*length = to;
	bytes[to] = '\0';
	return (0);
}

/* The end of the message at `at`: the next From_ line, or the file's end. */
static size_t
message_end(const char *from, const char *bytes, size_t length, size_t at)
{
	const char *next = memmem(bytes + at, length - at, from,
	    strlen(from));

	return (next == NULL ? length : (size_t)(next - bytes) + 1);
}

/* Bodies hold no line that begins so, and it is as simple as this. */
int
race_split(struct race *race, const char *sender, const char *bytes,
    size_t length, void (*found)(struct race *, const char *, size_t, void *),
    void *argument)
{
	char before[80], *from = before + 1;
	const char *line;
	size_t at, end;

	(void)snprintf(before, sizeof(before), "\nFrom %s ", sender);
	for (at = 0; at < length; at = end) {
		line = memchr(bytes + at, '\n', length - at);
		end = message_end(before, bytes, length, at);
		if (length - at < strlen(from) || line == NULL ||
		    memcmp(bytes + at, from, strlen(from)) != 0 ||
		    memcmp(bytes + end - 2, "\n\n", 2) != 0) {
			race_complain(race, "bytes %zu to %zu of a mailbox "
			    "are not a message: \"%.60s\"", at, end,
			    bytes + at);
			return (-1);
		}
		line++;
		found(race, line, end - 1 - (size_t)(line - bytes), argument);
	}
	return (0);
}

int
race_in_order(struct race *race, struct race_order *order, unsigned int lane,
    unsigned int serial)
{
	/* One has a queue, and in a Maildir a second has no order. */
	if (race->agent->settle != NULL ||
	    race->agent->form == RACE_MAILDIR)
		return (0);
	if (serial < order->next[lane]) {
		race_complain(race, "message %u of lane %u after number %u",
		    serial, lane, order->next[lane] - 1);
		return (-1);
	}
	order->next[lane] = serial + 1;
	return (0);
}

/* A mailbox being counted. */
struct count {
	struct race_verdict *verdict;
	struct race_order order;
	unsigned int *copies;		/* like the ledger's mails */
	unsigned int user;
};

static void
count_one(struct race *race, const char *bytes, size_t length, void *argument)
{
	struct count *count = argument;
	unsigned int lane, serial;

	if (race_identify(race, bytes, length, &lane, &serial) == -1) {
		count->verdict->damaged++;
		return;
	}
	if (lane % RACE_USERS != count->user) {
		race_complain(race, "message %u of lane %u is in another's "
		    "mailbox", serial, lane);
		count->verdict->damaged++;
	}
	if (count->copies[lane * race->count + serial]++ == 0 &&
	    race_in_order(race, &count->order, lane, serial) == -1)
		count->verdict->disorder++;
}

/* One message's fate against `copies` of it in the mailbox. */
static void
judge_one(struct race *race, unsigned int lane, unsigned int serial,
    unsigned int copies, struct race_verdict *verdict)
{
	const struct race_mail *mail = race_mail(race, lane, serial);
	const char *wrong = NULL;

	verdict->delivered += mail->delivered != 0;
	if (mail->gone > 0 && copies == 0 && mail->seen > 0)
		verdict->gone++;
	else if (copies == 1 && mail->gone == 0)
		verdict->left++;
	else if (copies == 0 && mail->asked != 0 && mail->seen > 0)
		verdict->unsure++;
	else if (copies > 0 && mail->gone > 0) {
		verdict->returned++;
		wrong = "is back";
	} else if (copies > 1) {
		verdict->doubled++;
		wrong = "is there more than once";
	} else if (mail->delivered != 0) {
		verdict->lost++;
		wrong = mail->gone > 0 ? "was deleted unseen" : "is lost";
	} else
		wrong = "was never delivered";
	if (mail->gone > 1) {
		verdict->doubled++;
		wrong = "was deleted twice";
	}
	if (wrong != NULL)
		race_complain(race, "message %u of lane %u %s (tries %u, "
		    "delivered %u, seen %u, asked %u, gone %u, copies %u)",
		    serial, lane, wrong, mail->tries, mail->delivered,
		    mail->seen, mail->asked, mail->gone, copies);
}

int
race_judge(struct race *race, unsigned int user, const char *bytes,
    size_t length, struct race_verdict *verdict)
{
	struct count count = { .verdict = verdict, .user = user };
	const unsigned int before = race->ledger->complaints;
	unsigned int lane, serial;

	count.copies = calloc(RACE_LANES * race->count,
	    sizeof(*count.copies));
	ATF_REQUIRE(count.copies != NULL);
	if (race_split(race, RACE_SENDER, bytes, length, count_one, &count) ==
	    -1)
		verdict->damaged++;
	for (lane = user; lane < RACE_LANES; lane += RACE_USERS)
		for (serial = 0; serial < race->count; serial++)
			judge_one(race, lane, serial, count.copies[lane *
			    race->count + serial], verdict);
	free(count.copies);
	return (race->ledger->complaints == before ? 0 : -1);
}
