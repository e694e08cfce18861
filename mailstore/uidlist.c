/*
 * uidlist.c - the numbers that Dovecot has given the messages of a Maildir.
 *
 * Linked into postern-store; runs as the user.  Dovecot keeps them in the
 * Maildir, in the file `dovecot-uidlist`.  Its first line is "3 V1600000000
 * N8 ...", with the mailbox's number behind the V.  Each other line is "7 ...
 * :NAME", a message's number and its file name, as it was at some time.
 * Whatever is not so is passed over, and costs no more than that a client
 * fetches a message again.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "uid.h"

#define NAME	"dovecot-uidlist"

/* A message, by its name in the Maildir. */
struct named {
	unsigned char digest[UID_DIGEST_BYTES];
	uint64_t number;
};

struct list {
	struct named *messages;		/* sorted by digest */
	size_t count;
	uint32_t validity, last;	/* as read so far */
	struct uid_given *given;
};

static void
digest_of(const char *label, unsigned char *digest)
{
	(void)crypto_generichash(digest, UID_DIGEST_BYTES,
	    (const unsigned char *)label, strlen(label), NULL, 0);
}

static int
compare(const void *one, const void *other)
{
	return (memcmp(((const struct named *)one)->digest,
	    ((const struct named *)other)->digest, UID_DIGEST_BYTES));
}

/* The digits at `text`, from 1; 0 where there is no such number. */
static uint32_t
read_number(const char *text, const char **end)
{
	const size_t digits = strspn(text, "0123456789");
	unsigned long long number = digits > 0 && digits < 11 ?
	    strtoull(text, NULL, 10) : 0;

	*end = text + digits;
	return (number <= UINT32_MAX ? (uint32_t)number : 0);
}

static void
read_first(struct list *list, const char *text)
{
	const char *end;
	uint32_t number;

	if (strncmp(text, "3 V", 3) != 0)
		return;
	number = read_number(text + 3, &end);
	if (*end == ' ')
		list->validity = number;
}

/* Numbers rise through the file: one that does not is none of Dovecot's. */
static void
read_entry(struct list *list, const char *text)
{
	struct named *found, wanted = { { 0 }, 0 };
	const char *end, *name = strstr(text, " :");
	char label[UID_LABEL_SIZE];
	const uint32_t uid = read_number(text, &end);

	if (uid <= list->last || *end != ' ' || name == NULL ||
	    strlcpy(label, name + 2, sizeof(label)) >= sizeof(label))
		return;
	list->last = uid;
	/* As LABEL_UNIQUE is: what other programs add to a name is cut. */
	label[strcspn(label, ":,")] = '\0';
	digest_of(label, wanted.digest);
	found = list->count == 0 ? NULL : bsearch(&wanted, list->messages,
	    list->count, sizeof(wanted), compare);
	if (found != NULL)
		list->given[found->number - 1] = (struct uid_given){
		    list->validity, uid, 0 };
}

static void
read_lines(struct list *list, int fd, uint64_t size)
{
	static struct line_reader reader;
	char text[FROM_LINE_MAX + 1] = "";
	struct line line;
	int first = 1;

	lines_begin(&reader, fd, 0, size, NULL);
	for (; lines_next(&reader, &line) == 1; first = 0) {
		text[0] = '\0';
		if (line.starts && line.ending == 1 &&
		    line.length < sizeof(text) &&
		    memchr(line.text, '\0', line.length) == NULL) {
			memcpy(text, line.text, line.length);
			text[line.length] = '\0';
		}
		if (first)
			read_first(list, text);
		else if (list->validity != 0)
			read_entry(list, text);
	}
}

/* The file: regular, the user's own; -1 where it is not. */
static int
open_list(const struct mailbox_place *place, struct stat *status)
{
	int maildir = openat(place->directory, place->name, O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = maildir == -1 ? -1 : openat(maildir, NAME, O_RDONLY |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *wrong = fd == -1 && errno != ENOENT ? strerror(errno) :
	    NULL;

	if (maildir != -1)
		(void)close(maildir);
	if (fd != -1 && (fstat(fd, status) == -1 ||
	    !S_ISREG(status->st_mode) || status->st_uid != geteuid())) {
		wrong = "not a file of the user's";
		(void)close(fd);
		fd = -1;
	}
	if (wrong != NULL)
		log_line(LOG_WARNING, "event=uids file=" NAME " error=\"%s\"",
		    wrong);
	return (fd);
}

const char *
uidlist_read(struct mailbox *maildir, struct uid_given *given)
{
	struct list list = { .given = given };
	char label[UID_LABEL_SIZE];
	struct stat status;
	uint64_t number;
	int fd;

	if ((fd = open_list(&maildir->place, &status)) == -1)
		return (NULL);
	list.messages = calloc((size_t)maildir->messages + 1,
	    sizeof(*list.messages));
	if (list.messages == NULL) {
		(void)close(fd);
		return ("the server is short of memory");
	}
	for (number = 1; number <= maildir->messages; number++) {
		if (maildir->format->label(maildir, number, label,
		    sizeof(label)) != LABEL_UNIQUE)
			continue;
		digest_of(label, list.messages[list.count].digest);
		list.messages[list.count++].number = number;
	}
	/* glibc's qsort(3) asks for the machine's memory. */
	if (list.count > 1)
		(void)heapsort(list.messages, list.count,
		    sizeof(*list.messages), compare);
	read_lines(&list, fd, (uint64_t)status.st_size);
	free(list.messages);
	(void)close(fd);
	return (NULL);
}
