/*
 * mail.c - the bench's mail: made, and known again octet by octet.
 *
 * Linked into bench_load and its test; runs as whoever runs the bench.
 */
#include <err.h>
#include <limits.h>
#include <string.h>

#include "mail.h"

/* A prime, so that messages begin at all its lines. */
#define PAGE_LINES	1021
#define LINE_LENGTH_MAX	76

/* One page of text in each form, and where its lines begin. */
static struct page {
	char text[PAGE_LINES * (LINE_LENGTH_MAX + 3)];
	size_t starts[PAGE_LINES + 1];
} pages[FORMS];

static const char *
line_end(enum mail_form form)
{
	return (form == FORM_FILE ? "\n" : "\r\n");
}

static void
add(struct page *page, size_t *at, const char *text, size_t length)
{
	memcpy(page->text + *at, text, length);
	*at += length;
}

void
mail_begin(void)
{
	static const char letters[] = "etaoin shrdlu cmfwyp vbgkqj xz";
	uint32_t random = 1;
	size_t at[FORMS] = { 0 }, line, length, i;
	char text[LINE_LENGTH_MAX];
	enum mail_form form;

	for (line = 0; line < PAGE_LINES; line++) {
		random = random * 1664525 + 1013904223;
		length = 40 + (random >> 16) % (LINE_LENGTH_MAX - 40 + 1);
		for (i = 0; i < length; i++) {
			random = random * 1664525 + 1013904223;
			text[i] = letters[(random >> 16) %
			    (sizeof(letters) - 1)];
		}
		if (line % 500 == 7)
			text[0] = '.';
		for (form = 0; form < FORMS; form++) {
			pages[form].starts[line] = at[form];
			if (form == FORM_DOTS && text[0] == '.')
				add(&pages[form], &at[form], ".", 1);
			add(&pages[form], &at[form], text, length);
			add(&pages[form], &at[form], line_end(form),
			    strlen(line_end(form)));
		}
	}
	for (form = 0; form < FORMS; form++)
		pages[form].starts[PAGE_LINES] = at[form];
}

/* Octets from the page's beginning to a line; pages follow each other. */
static uint64_t
up_to(enum mail_form form, uint64_t line)
{
	const struct page *page = &pages[form];

	return (line / PAGE_LINES * page->starts[PAGE_LINES] +
	    page->starts[line % PAGE_LINES]);
}

static uint64_t
first_line(uint32_t number)
{
	return (number * 7ULL % PAGE_LINES);
}

/* From three to five quarters of what is due to each. */
static uint64_t
line_count(const struct mail_set *set, uint32_t number)
{
	uint64_t due = set->bytes / set->messages *
	    PAGE_LINES / pages[FORM_FILE].starts[PAGE_LINES];

	if (set->messages == 1)
		return (due);
	return (1 + due - due / 4 + (number * 2654435761U) %
	    (due / 2 + 1));
}

static size_t
write_head(const struct mail_set *set, uint32_t number, enum mail_form form,
    int mbox, char *head, size_t size)
{
	const char *end = line_end(form);
	char time[16], from[64] = "";
	int length;

	/* Mail comes one after the other: here, one each second of a day. */
	(void)snprintf(time, sizeof(time), "%02u:%02u:%02u",
	    number / 3600 % 24, number / 60 % 60, number % 60);
	if (mbox)
		(void)snprintf(from, sizeof(from),
		    "From sender@example.org Sat Nov 21 %s 2026%s", time, end);
	length = snprintf(head, size,
	    "%sFrom: Sender %u <sender@example.org>%sTo: reader@example.org"
	    "%sDate: Sat, 21 Nov 2026 %s +0000%sSubject: number %u%s"
	    "Message-ID: <%u.%llu.%u@example.org>%s%s",
	    from, number, end, end, time, end, number, end, number,
	    (unsigned long long)set->bytes, set->messages, end, end);

	if (length < 0 || (size_t)length >= size)
		errx(1, "a head does not fit");
	return ((size_t)length);
}

uint64_t
mail_octets(const struct mail_set *set, uint32_t number, enum mail_form form)
{
	char head[512];
	uint64_t first = first_line(number);

	return (write_head(set, number, form, 0, head, sizeof(head)) +
	    up_to(form, first + line_count(set, number)) -
	    up_to(form, first));
}

uint64_t
mail_all_octets(const struct mail_set *set, enum mail_form form)
{
	uint64_t octets = 0;
	uint32_t i;

	for (i = 1; i <= set->messages; i += set->step)
		octets += mail_octets(set, i, form);
	return (octets);
}

uint64_t
mail_mbox_octets(const struct mail_set *set)
{
	struct expected expected;
	uint64_t octets = 0;
	const char *piece;
	size_t length;

	expected_mbox(&expected, set);
	while ((length = expected_piece(&expected, &piece)) > 0) {
		octets += length;
		expected_taken(&expected, length);
	}
	return (octets);
}

static void
begin_message(struct expected *expected)
{
	const struct mail_set *set = expected->set;
	uint64_t first = first_line(expected->number);

	expected->head_length = write_head(set, expected->number,
	    expected->form, expected->mbox, expected->head,
	    sizeof(expected->head));
	expected->head_at = 0;
	expected->page_at = (size_t)up_to(expected->form, first);
	expected->body_left = up_to(expected->form, first +
	    line_count(set, expected->number)) - expected->page_at;
	expected->tail = expected->mbox ? line_end(expected->form) :
	    expected->form == FORM_DOTS ? ".\r\n" : "";
}

void
expected_message(struct expected *expected, const struct mail_set *set,
    uint32_t number, enum mail_form form)
{
	memset(expected, 0, sizeof(*expected));
	expected->set = set;
	expected->number = number;
	expected->form = form;
	begin_message(expected);
}

static void
expect_mbox(struct expected *expected, const struct mail_set *set,
    enum mail_form form)
{
	memset(expected, 0, sizeof(*expected));
	expected->set = set;
	expected->number = 1;
	expected->form = form;
	expected->mbox = 1;
	if (set->messages == 0)
		expected->tail = "";
	else
		begin_message(expected);
}

void
expected_mbox(struct expected *expected, const struct mail_set *set)
{
	expect_mbox(expected, set, FORM_WIRE);
}

size_t
expected_piece(struct expected *expected, const char **piece)
{
	const struct page *page = &pages[expected->form];
	size_t length;

	if (expected->head_at < expected->head_length) {
		*piece = expected->head + expected->head_at;
		return (expected->head_length - expected->head_at);
	}
	if (expected->body_left > 0) {
		*piece = page->text + expected->page_at;
		length = page->starts[PAGE_LINES] - expected->page_at;
		return (length < expected->body_left ? length :
		    (size_t)expected->body_left);
	}
	*piece = expected->tail;
	return (strlen(expected->tail));
}

void
expected_taken(struct expected *expected, size_t length)
{
	if (expected->head_at < expected->head_length)
		expected->head_at += length;
	else if (expected->body_left > 0) {
		expected->page_at = (expected->page_at + length) %
		    pages[expected->form].starts[PAGE_LINES];
		expected->body_left -= length;
	} else
		expected->tail += length;
	if (expected->mbox && expected->body_left == 0 &&
	    *expected->tail == '\0' && expected->number +
	    expected->set->step <= expected->set->messages) {
		expected->number += expected->set->step;
		begin_message(expected);
	}
}

static int
write_expected(struct expected *expected, FILE *file)
{
	const char *piece;
	size_t length;

	while ((length = expected_piece(expected, &piece)) > 0) {
		if (fwrite(piece, 1, length, file) != length)
			return (-1);
		expected_taken(expected, length);
	}
	return (0);
}

int
mail_write_mbox(const struct mail_set *set, FILE *file)
{
	struct expected expected;

	expect_mbox(&expected, set, FORM_FILE);
	return (write_expected(&expected, file));
}

int
mail_write_message(const struct mail_set *set, uint32_t number,
    enum mail_form form, FILE *file)
{
	struct expected expected;

	expected_message(&expected, set, number, form);
	return (write_expected(&expected, file));
}

int
mail_write_maildir(const struct mail_set *set, const char *directory)
{
	char path[PATH_MAX];
	uint32_t i;
	FILE *file;
	int failed;

	for (i = 1; i <= set->messages; i += set->step) {
		(void)snprintf(path, sizeof(path), "%s/%u.%u.example:2,",
		    directory, 1700000000 + i, i);
		if ((file = fopen(path, "w")) == NULL)
			return (-1);
		failed = mail_write_message(set, i, FORM_FILE, file) == -1;
		if (fclose(file) != 0 || failed)
			return (-1);
	}
	return (0);
}
