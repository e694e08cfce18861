/*
 * mailtxt_fuzz.c - any octets as a MAIL.TXT: read, sent, and deleted from.
 *
 * Test code alone.  Input: which messages to delete, and whether another
 * program delivers or sets flags meanwhile; how much a read gives at a time;
 * lines of TOP; then the file.
 */
#include <sys/param.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail.h"
#include "mailtxt.h"
#include "rewrite.h"
#include "single_file.h"

static const char delivery[] =
    "22-Nov-2026 10:00:00 +0000,11;000000000000\r\nmeanwhile\r\n";

static int directory, state = -1;

/* One message, shown or hidden. */
struct place {
	uint64_t offset, head, end;
	int is_shown;
};

struct places {
	struct place *list;
	size_t count;
};

static void
open_box(struct mailbox *mailbox, int measure_all)
{
	mail_box(mailbox, &mailbox_single_file, directory, state);
	mailbox->measure_all = measure_all;
	HOLDS(mailbox->format->open(mailbox) == NULL);
	HOLDS(!mailbox->unfit && !mailbox->absent);
}

/* What a head line says of the octets behind it, as strtoull(3) reads it. */
static uint64_t
announced(const struct text *file, const struct place *place)
{
	char line[MAILTXT_HEADER_MAX + 1], *comma, *end;
	unsigned long long octets;

	HOLDS(place->head < sizeof(line));
	memcpy(line, file->at + place->offset, (size_t)place->head);
	line[place->head] = '\0';
	HOLDS((comma = strchr(line, ',')) != NULL);
	errno = 0;
	octets = strtoull(comma + 1, &end, 10);
	HOLDS(errno == 0 && end > comma + 1 && *end == ';');
	HOLDS(strspn(end + 1, "01234567") == MAILTXT_FLAG_BYTES);
	HOLDS(strspn(end + 1 + MAILTXT_FLAG_BYTES, "\r\n") ==
	    strlen(end + 1 + MAILTXT_FLAG_BYTES));
	return (octets);
}

/* No message begins at `at`. */
static int
is_damage(const struct text *file, uint64_t at)
{
	const unsigned char *line = file->at + at;
	const size_t left = file->length - (size_t)at;
	const unsigned char *feed = memchr(line, '\n',
	    MIN(left, MAILTXT_HEADER_MAX));
	struct mailtxt_header header;
	size_t length;

	if (feed == NULL)
		return (1);
	length = (size_t)(feed - line);
	if (length > 0 && line[length - 1] == '\r')
		length--;
	return (mailtxt_parse(line, length, &header) == -1 ||
	    header.octets > left - (size_t)(feed - line) - 1);
}

static const struct single_message *
next_of(const struct single_list *list, size_t at)
{
	return (at < list->count ? &list->messages[at] : NULL);
}

/* Every octet of the file is one message's, as far as it is no damage. */
static void
find_places(const struct mailbox *mailbox, const struct text *file,
    struct places *places)
{
	const struct single_file *single = mailbox->state;
	const struct single_message *shown, *hidden;
	size_t i = 0, j = 0;
	uint64_t at = 0;
	struct place *place;

	HOLDS(single->format == &single_mailtxt);
	places->count = single->shown.count + single->hidden.count;
	places->list = calloc(places->count + 1, sizeof(*places->list));
	HOLDS(places->list != NULL);
	for (place = places->list; i + j < places->count; place++) {
		shown = next_of(&single->shown, i);
		hidden = next_of(&single->hidden, j);
		place->is_shown = hidden == NULL || (shown != NULL &&
		    shown->offset < hidden->offset);
		if (place->is_shown)
			i++;
		else {
			shown = hidden;
			j++;
		}
		HOLDS(shown->offset == at);
		place->offset = at;
		place->head = shown->head_bytes;
		place->end = at += shown->stored;
		HOLDS(at <= file->length && announced(file, place) ==
		    shown->stored - shown->head_bytes);
	}
	HOLDS(single->damaged == (at < file->length));
	HOLDS(!single->damaged || is_damage(file, at));
}

static void
check_content(const struct mail *mail, const struct text *file,
    const struct places *places)
{
	struct text wanted = { NULL, 0, 0 };
	const struct place *place = places->list;
	uint32_t i;

	for (i = 0; i < mail->count; i++, place++) {
		while (!place->is_shown)
			place++;
		wanted.length = 0;
		text_put_wire(&wanted, file->at + place->offset + place->head,
		    (size_t)(place->end - place->offset - place->head));
		HOLDS(text_equal(&wanted, &mail->messages[i]));
	}
	text_free(&wanted);
}

static void
read_box(struct mailbox *mailbox, size_t piece, const struct text *file,
    uint64_t lines, struct mail *mail)
{
	struct text whole = { NULL, 0, 0 };
	struct places places;

	fuzz_piece = piece;
	open_box(mailbox, 1);
	find_places(mailbox, file, &places);
	mail_read(mailbox, lines, mail);
	check_content(mail, file, &places);
	mail_read_whole(mailbox, &whole);
	mail_check_mboxrd(&whole, mail);
	text_free(&whole);
	free(places.list);
}

/* Another program marks all that is shown as seen. */
static void
set_flags(struct text *file, const struct places *places)
{
	const struct place *place = places->list;
	size_t i, ending;

	for (i = 0; i < places->count; i++, place++) {
		ending = file->at[place->offset + place->head - 2] == '\r' ?
		    2 : 1;
		if (place->is_shown)
			memcpy(file->at + place->offset + place->head -
			    ending - MAILTXT_FLAG_BYTES, "252525252505",
			    MAILTXT_FLAG_BYTES);
	}
}

static void
write_over(const struct text *file)
{
	int fd = openat(directory, MAIL_NAME, O_WRONLY | O_CLOEXEC);

	HOLDS(fd != -1);
	HOLDS(write(fd, file->at, file->length) == (ssize_t)file->length);
	(void)close(fd);
}

/* The file without the marked messages, and with nothing else changed. */
static void
check_file(const struct text *file, const struct places *places,
    unsigned int mask)
{
	struct text now = { NULL, 0, 0 }, wanted = { NULL, 0, 0 };
	const struct place *place = places->list;
	uint32_t number = 0;
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < places->count; i++, place++)
		if (place->is_shown && mail_is_marked(mask, ++number)) {
			text_put(&wanted, file->at + at,
			    (size_t)(place->offset - at));
			at = place->end;
		}
	text_put(&wanted, file->at + at, file->length - (size_t)at);
	fuzz_read(directory, MAIL_NAME, &now);
	HOLDS(text_equal(&now, &wanted));
	text_free(&now);
	text_free(&wanted);
}

static void
delete_from(struct mailbox *mailbox, struct text *file,
    const struct mail *before, unsigned int mask)
{
	const struct single_file *single = mailbox->state;
	const int damaged = single->damaged;
	struct mail after;
	struct places places;
	uint32_t marked;

	find_places(mailbox, file, &places);
	marked = mail_mark(mailbox, mask);
	if ((mask & 2) != 0)
		set_flags(file, &places);
	if ((mask & 1) != 0 && !damaged)
		text_put(file, delivery, sizeof(delivery) - 1);
	if ((mask & 3) != 0)
		write_over(file);
	HOLDS(mail_commit(mailbox) == (damaged ? 0 : marked));
	HOLDS(!rewrite_interrupted(&mailbox->place));
	check_file(file, &places, damaged ? 0 : mask);
	if ((mask & 1) == 0 || damaged) {
		open_box(mailbox, 0);
		mail_read(mailbox, 0, &after);
		mail_check_kept(before, damaged ? 0 : mask, &after);
		mailbox->format->close(mailbox);
		mail_free(&after);
	}
	free(places.list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int mask = fuzz_octet(&input);
	size_t piece = 1 + fuzz_octet(&input) % 97;
	const uint64_t lines = fuzz_octet(&input) % 8;
	struct text file = { NULL, 0, 0 };
	struct mail mail, again;
	struct mailbox mailbox;
	int lowest;

	if (state == -1)
		mail_prepare(&directory, &state);
	lowest = fuzz_lowest_descriptor();
	text_put_stretched(&file, input);
	if (file.length > RELAY_BYTES / 2)
		piece *= 500;
	if (file.length > 0 && mailtxt_resembles(file.at,
	    MIN(file.length, MAILTXT_HEADER_MAX))) {
		fuzz_file(directory, MAIL_NAME, file.at, file.length);
		(void)unlinkat(state, "uids", 0);
		read_box(&mailbox, 0, &file, lines, &mail);
		mailbox.format->close(&mailbox);
		read_box(&mailbox, piece, &file, lines, &again);
		HOLDS(mail_equal(&mail, &again));
		fuzz_piece = 0;
		delete_from(&mailbox, &file, &mail, mask);
		mail_free(&mail);
		mail_free(&again);
	}
	text_free(&file);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
