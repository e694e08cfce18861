/*
 * mail.c - what must hold of any mailbox, whatever its format and its octets.
 *
 * Test code alone.
 */
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail.h"
#include "maildrop.h"
#include "uid.h"

static struct wire wire;

void
mail_prepare(int *directory, int *state)
{
	*directory = fuzz_directory();
	*state = fuzz_directory();
	wire.fd = memfd_create("wire", MFD_CLOEXEC);
	wire.timeout_ms = 1;
	HOLDS(wire.fd != -1);
}

void
mail_box(struct mailbox *mailbox, const struct mailbox_format *format,
    int directory, int state)
{
	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->format = format;
	mailbox->place.directory = directory;
	mailbox->place.state = state;
	mailbox->place.pulse = -1;
	mailbox->place.locks[0] = LOCK_FCNTL;
	(void)strlcpy(mailbox->place.name, MAIL_NAME, FOLDER_SIZE);
	(void)strlcpy(mailbox->place.label, MAIL_NAME, FOLDER_SIZE);
}

/* The wire's end is a file, and what was written to it is there. */
static void
begin(uint64_t announced)
{
	HOLDS(ftruncate(wire.fd, 0) == 0);
	HOLDS(lseek(wire.fd, 0, SEEK_SET) == 0);
	wire_begin(&wire, announced);
}

static void
end(uint64_t announced, struct text *text)
{
	HOLDS(wire_end(&wire) == 0);
	text->length = 0;
	if (announced == 0)
		return;
	HOLDS((uint64_t)lseek(wire.fd, 0, SEEK_END) == announced);
	if (announced > text->room) {
		text->room = (size_t)announced;
		text->at = realloc(text->at, text->room);
		HOLDS(text->at != NULL);
	}
	text->length = (size_t)announced;
	HOLDS(lseek(wire.fd, 0, SEEK_SET) == 0);
	HOLDS(read(wire.fd, text->at, text->length) ==
	    (ssize_t)text->length);
}

/* Behind the line at `at`. */
static size_t
next_line(const struct text *text, size_t at)
{
	const unsigned char *feed = memchr(text->at + at, '\n',
	    text->length - at);

	/* No LF without a CR before it. */
	HOLDS(feed != NULL && feed > text->at && feed[-1] == '\r');
	return ((size_t)(feed - text->at) + 1);
}

/* Lines that end in CRLF, and nothing behind them. */
static void
check_wire_form(const struct text *text)
{
	size_t at;

	HOLDS(text->length >= 2);
	for (at = 0; at < text->length; at = next_line(text, at))
		continue;
}

static void
fetch(struct mailbox *mailbox, uint64_t number, struct text *text)
{
	const uint64_t octets = mailbox->format->octets(mailbox, number);

	HOLDS(octets > 0);
	begin(octets);
	HOLDS(mailbox->format->send(mailbox, number, &wire) == NULL);
	end(octets, text);
	check_wire_form(text);
	HOLDS(mailbox->format->octets(mailbox, number) == octets);
}

/* Takes the doubled dots out, as a POP3 client does. */
static void
unstuff(const struct text *from, struct text *to)
{
	size_t at = 0, next;

	for (to->length = 0; at < from->length; at = next) {
		next = next_line(from, at);
		if (from->at[at] == '.')
			HOLDS(from->at[++at] == '.');
		text_put(to, from->at + at, next - at);
	}
}

/* How long the top of a message is. */
static size_t
top_length(const struct text *message, uint64_t lines)
{
	size_t at = 0, next;
	int in_body = 0;

	for (; at < message->length; at = next) {
		if (in_body && lines-- == 0)
			break;
		next = next_line(message, at);
		in_body |= next - at == 2;
	}
	return (at);
}

/* RETR (`lines` UINT64_MAX) or TOP, as POP3 sends it. */
static void
check_popped(uint64_t number, uint64_t lines, const struct text *message)
{
	static struct text doubled, text;
	const size_t length = lines == UINT64_MAX ? message->length :
	    top_length(message, lines);
	struct ipc_data data;

	HOLDS(maildrop_measure(number, lines, &data) == NULL);
	HOLDS(data.octets == length);
	begin(data.piped);
	HOLDS(maildrop_send(number, lines, &data, &wire) == NULL);
	end(data.piped, &doubled);
	unstuff(&doubled, &text);
	HOLDS(text.length == length &&
	    memcmp(text.at, message->at, length) == 0);
}

static void
check_list(int uids)
{
	static struct text text;
	uint64_t octets;

	HOLDS(maildrop_list_measure(uids, &octets) == NULL);
	begin(octets);
	HOLDS(maildrop_list_send(uids, &wire) == NULL);
	end(octets, &text);
}

/* RFC 1939: 1 to 70 octets that print, and unique. */
static void
read_uid(struct mail *mail, uint32_t number)
{
	char *uid = mail->uids[number - 1];
	size_t i;

	HOLDS(maildrop_uid(number, uid) == NULL);
	for (i = 0; uid[i] != '\0'; i++)
		HOLDS(uid[i] >= '!' && uid[i] <= '~');
	HOLDS(i > 0 && i <= 70);
	for (i = 0; i + 1 < number; i++)
		HOLDS(strcmp(uid, mail->uids[i]) != 0);
}

static void
check_state(const struct mail *mail)
{
	struct ipc_maildrop_state state;
	uint64_t octets = 0;
	uint32_t i;

	for (i = 0; i < mail->count; i++)
		octets += mail->messages[i].length;
	maildrop_state(&state);
	HOLDS(state.messages == mail->count && state.octets == octets);
}

void
mail_read(struct mailbox *mailbox, uint64_t lines, struct mail *mail)
{
	uint32_t number;

	mail->count = mailbox->messages;
	mail->messages = calloc(mail->count + 1U, sizeof(*mail->messages));
	mail->uids = calloc(mail->count + 1U, sizeof(*mail->uids));
	HOLDS(mail->messages != NULL && mail->uids != NULL);
	HOLDS(mailbox->format->octets(mailbox, 0) == 0);
	HOLDS(mailbox->format->octets(mailbox, mail->count + 1ULL) == 0);
	HOLDS(mailbox->format->octets(mailbox, UINT64_MAX) == 0);
	for (number = 1; number <= mail->count; number++)
		fetch(mailbox, number, &mail->messages[number - 1]);
	HOLDS(maildrop_begin(mailbox, UID_NATIVE) == NULL);
	check_state(mail);
	for (number = 1; number <= mail->count; number++) {
		check_popped(number, UINT64_MAX, &mail->messages[number - 1]);
		check_popped(number, lines, &mail->messages[number - 1]);
		read_uid(mail, number);
	}
	check_list(0);
	check_list(1);
	maildrop_end();
}

void
mail_free(struct mail *mail)
{
	uint32_t i;

	for (i = 0; i < mail->count; i++)
		text_free(&mail->messages[i]);
	free(mail->messages);
	free(mail->uids);
	memset(mail, 0, sizeof(*mail));
}

void
mail_read_whole(struct mailbox *mailbox, struct text *text)
{
	begin(mailbox->all_octets);
	HOLDS(mailbox->format->send_all(mailbox, &wire) == NULL);
	end(mailbox->all_octets, text);
}

static int
is_from(const unsigned char *line, size_t length)
{
	return (length >= 5 && memcmp(line, "From ", 5) == 0);
}

/* A line of a message; one ">" goes where it was put there. */
static void
put_unquoted(struct text *message, const unsigned char *line, size_t length)
{
	size_t quotes = 0;

	while (line[quotes] == '>')
		quotes++;
	if (quotes > 0 && is_from(line + quotes, length - quotes)) {
		line++;
		length--;
	}
	text_put(message, line, length);
}

void
mail_check_mboxrd(const struct text *whole, const struct mail *mail)
{
	static struct text message;
	size_t at = 0, length;
	uint32_t i;

	for (i = 0; i < mail->count; i++) {
		HOLDS(at < whole->length);
		length = next_line(whole, at) - at;
		HOLDS(is_from(whole->at + at, length));
		message.length = 0;
		for (at += length; at < whole->length; at += length) {
			length = next_line(whole, at) - at;
			if (is_from(whole->at + at, length))
				break;
			put_unquoted(&message, whole->at + at, length);
		}
		/* The empty line; for a message of nothing that is all. */
		HOLDS(message.length >= 2 && memcmp(message.at +
		    message.length - 2, "\r\n", 2) == 0);
		if (message.length > 2)
			message.length -= 2;
		HOLDS(text_equal(&message, &mail->messages[i]));
	}
	HOLDS(at == whole->length);
}

int
mail_equal(const struct mail *one, const struct mail *other)
{
	uint32_t i;

	if (one->count != other->count)
		return (0);
	for (i = 0; i < one->count; i++)
		if (!text_equal(&one->messages[i], &other->messages[i]) ||
		    strcmp(one->uids[i], other->uids[i]) != 0)
			return (0);
	return (1);
}

int
mail_try(struct mailbox *mailbox, uint64_t number, struct text *sent)
{
	const uint64_t octets = mailbox->format->octets(mailbox, number);
	const char *wrong;

	begin(octets);
	wrong = mailbox->format->send(mailbox, number, &wire);
	HOLDS(wire.written <= octets);
	if (wrong != NULL)
		return (0);
	end(octets, sent);
	return (1);
}

int
mail_try_all(struct mailbox *mailbox)
{
	struct ipc_data data;
	char uid[UID_SIZE];
	uint64_t number;
	int good = 1;

	HOLDS(maildrop_begin(mailbox, UID_NATIVE) == NULL);
	for (number = 1; number <= mailbox->messages; number++) {
		good &= maildrop_uid(number, uid) == NULL;
		if (maildrop_measure(number, UINT64_MAX, &data) != NULL) {
			good = 0;
			continue;
		}
		begin(data.piped);
		good &= maildrop_send(number, UINT64_MAX, &data, &wire) ==
		    NULL && wire_end(&wire) == 0;
	}
	maildrop_end();
	begin(mailbox->all_octets);
	return (good & (mailbox->format->send_all(mailbox, &wire) == NULL &&
	    wire_end(&wire) == 0));
}

void
mail_index_tells_truth(void (*read_box)(int plain, struct mail *mail))
{
	struct mail with, without;
	int i;

	read_box(1, &without);
	for (i = 0; i < 2; i++) {
		read_box(0, &with);
		HOLDS(mail_equal(&with, &without));
		mail_free(&with);
	}
	mail_free(&without);
}

int
mail_is_marked(unsigned int mask, uint32_t number)
{
	return ((mask >> (number - 1) % 8 & 1) != 0);
}

static uint32_t
mark_all(struct mailbox *mailbox, unsigned int mask)
{
	uint32_t number, count = 0;

	for (number = 1; number <= mailbox->messages; number++)
		if (mail_is_marked(mask, number)) {
			HOLDS(maildrop_mark(number) == NULL);
			HOLDS(maildrop_mark(number) != NULL);
			HOLDS(maildrop_octets(number) == 0);
			count++;
		}
	return (count);
}

uint32_t
mail_mark(struct mailbox *mailbox, unsigned int mask)
{
	struct ipc_maildrop_state state;
	uint32_t count;

	HOLDS(maildrop_begin(mailbox, UID_NATIVE) == NULL);
	(void)mark_all(mailbox, ~mask);
	maildrop_unmark_all();
	count = mark_all(mailbox, mask);
	maildrop_state(&state);
	HOLDS(state.messages == mailbox->messages - count);
	HOLDS(maildrop_give_marks() == NULL);
	return (count);
}

uint32_t
mail_commit(struct mailbox *mailbox)
{
	uint32_t deleted;

	HOLDS(mailbox->format->commit(mailbox, &deleted) == NULL);
	maildrop_committed(deleted);
	maildrop_end();
	mailbox->format->close(mailbox);
	return (deleted);
}

void
mail_check_kept(const struct mail *before, unsigned int mask,
    const struct mail *after)
{
	uint32_t i, kept = 0;

	for (i = 0; i < before->count; i++) {
		if (mail_is_marked(mask, i + 1))
			continue;
		HOLDS(kept < after->count);
		HOLDS(text_equal(&before->messages[i],
		    &after->messages[kept]));
		HOLDS(strcmp(before->uids[i], after->uids[kept]) == 0);
		kept++;
	}
	HOLDS(kept == after->count);
}
