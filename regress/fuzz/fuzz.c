/*
 * fuzz.c - what the fuzz targets share.
 *
 * Test code alone.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "limits_postern.h"
#include "log.h"
#include "message_file.h"

#define STRETCH		0x1d
#define STRETCHES_MAX	2

/* Few: what leaks them is seen soon. */
#define DESCRIPTORS	100

size_t fuzz_piece;
unsigned long fuzz_reads;
int fuzz_indexes;
time_t fuzz_leaps;

ssize_t	__real_pread(int fd, void *to, size_t length, off_t at);
ssize_t	__wrap_pread(int fd, void *to, size_t length, off_t at);

int	__real_index_is_worth(uint64_t bytes, uint64_t messages);
int	__wrap_index_is_worth(uint64_t bytes, uint64_t messages);
int	__real_index_files_are_worth(uint64_t messages);
int	__wrap_index_files_are_worth(uint64_t messages);
int	__real_index_is_settled(const struct timespec *changed);
int	__wrap_index_is_settled(const struct timespec *changed);

int	__wrap_message_file_is_old(const struct file_identity *);

int	__real_clock_gettime(clockid_t clock, struct timespec *now);
int	__wrap_clock_gettime(clockid_t clock, struct timespec *now);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	static time_t ahead;
	const int got = __real_clock_gettime(clock, now);

	ahead += fuzz_leaps;
	now->tv_sec += ahead;
	return (got);
}

/* No ctime can be made: what has files.c's date is old, and not waited for. */
int
__wrap_message_file_is_old(const struct file_identity *identity)
{
	return (identity->modified.tv_sec <= 1000000000);
}

int
__wrap_index_is_worth(uint64_t bytes, uint64_t messages)
{
	return (fuzz_indexes ? messages > 0 :
	    __real_index_is_worth(bytes, messages));
}

int
__wrap_index_files_are_worth(uint64_t messages)
{
	return (fuzz_indexes ? messages > 0 :
	    __real_index_files_are_worth(messages));
}

int
__wrap_index_is_settled(const struct timespec *changed)
{
	return (fuzz_indexes || __real_index_is_settled(changed));
}

void
fuzz_broken(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* The product's lines are of no interest here, but must be lines. */
static void
take_line(int priority, const char *text)
{
	(void)priority;
	for (; *text != '\0'; text++)
		HOLDS(*text >= 0x20 && *text < 0x7f);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct rlimit limit = { DESCRIPTORS, DESCRIPTORS };

	(void)argc;
	(void)argv;
	HOLDS(sodium_init() != -1);
	HOLDS(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	log_output = take_line;
	return (0);
}

unsigned int
fuzz_octet(struct input *input)
{
	if (input->left == 0)
		return (0);
	input->left--;
	return (*input->at++);
}

uint64_t
fuzz_number(struct input *input)
{
	uint64_t value = 0;
	int i;

	for (i = 0; i < 8; i++)
		value = value << 8 | fuzz_octet(input);
	return (value);
}

void
fuzz_change(unsigned char *octets, size_t length, struct input *input)
{
	size_t at;

	while (input->left >= 3 && length > 0) {
		at = fuzz_octet(input);
		at = at << 8 | fuzz_octet(input);
		octets[at % length] ^= (unsigned char)fuzz_octet(input);
	}
}

struct input
fuzz_part(struct input *input, size_t length)
{
	struct input part = *input;

	if (part.left > length)
		part.left = length;
	input->at += part.left;
	input->left -= part.left;
	return (part);
}

struct input
fuzz_until(struct input *input, int end)
{
	const uint8_t *at = input->left == 0 ? NULL :
	    memchr(input->at, end, input->left);
	struct input part = fuzz_part(input, at == NULL ? input->left :
	    (size_t)(at - input->at));

	(void)fuzz_octet(input);
	return (part);
}

char *
fuzz_string(struct input part)
{
	char *string = malloc(part.left + 1);

	HOLDS(string != NULL);
	if (part.left > 0)
		memcpy(string, part.at, part.left);
	string[part.left] = '\0';
	return (string);
}

void
text_put(struct text *text, const void *octets, size_t length)
{
	if (text->length + length > text->room) {
		text->room = 2 * (text->length + length) + 64;
		text->at = realloc(text->at, text->room);
		HOLDS(text->at != NULL);
	}
	if (length > 0)
		memcpy(text->at + text->length, octets, length);
	text->length += length;
}

int
text_equal(const struct text *one, const struct text *other)
{
	return (one->length == other->length && (one->length == 0 ||
	    memcmp(one->at, other->at, one->length) == 0));
}

void
text_free(struct text *text)
{
	free(text->at);
	memset(text, 0, sizeof(*text));
}

void
text_put_wire(struct text *text, const void *octets, size_t length)
{
	const unsigned char *at = octets, *end, *feed;
	size_t line;

	if (length == 0) {
		text_put(text, "\r\n", 2);
		return;
	}
	for (end = at + length; at < end;) {
		feed = memchr(at, '\n', (size_t)(end - at));
		line = (size_t)((feed != NULL ? feed : end) - at);
		if (feed != NULL && line > 0 && at[line - 1] == '\r')
			line--;
		text_put(text, at, line);
		text_put(text, "\r\n", 2);
		at = feed != NULL ? feed + 1 : end;
	}
}

void
text_put_stretched(struct text *text, struct input from)
{
	static unsigned char run[RELAY_BYTES + 128];
	unsigned int runs = 0;

	if (run[0] == '\0')
		memset(run, 'x', sizeof(run));
	for (; from.left > 0; from.at++, from.left--)
		if (*from.at == STRETCH && from.left > 1 &&
		    runs++ < STRETCHES_MAX) {
			from.at++;
			from.left--;
			text_put(text, run, RELAY_BYTES - 128U + *from.at);
		} else
			text_put(text, from.at, 1);
}

int
fuzz_directory(void)
{
	char name[] = "fuzz.XXXXXX";
	int directory;

	HOLDS(mkdtemp(name) != NULL);
	directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	HOLDS(directory != -1);
	return (directory);
}

void
fuzz_file(int directory, const char *name, const void *octets, size_t length)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);

	HOLDS(fd != -1);
	HOLDS(write(fd, octets, length) == (ssize_t)length);
	(void)close(fd);
}

void
fuzz_read(int directory, const char *name, struct text *text)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	unsigned char octets[4096];
	ssize_t got;

	text->length = 0;
	HOLDS(fd != -1);
	while ((got = read(fd, octets, sizeof(octets))) > 0)
		text_put(text, octets, (size_t)got);
	HOLDS(got == 0);
	(void)close(fd);
}

void
fuzz_empty(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int below;

	HOLDS(names != NULL);
	while ((entry = readdir(names)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    unlinkat(directory, entry->d_name, 0) == 0)
			continue;
		below = openat(directory, entry->d_name, O_RDONLY |
		    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		HOLDS(below != -1);
		fuzz_empty(below);
		(void)close(below);
		HOLDS(unlinkat(directory, entry->d_name, AT_REMOVEDIR) == 0);
	}
	(void)closedir(names);
}

int
fuzz_lowest_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	HOLDS(fd != -1);
	(void)close(fd);
	return (fd);
}

/* A read may always give less than was asked for. */
ssize_t
__wrap_pread(int fd, void *to, size_t length, off_t at)
{
	if (fuzz_piece != 0 && length > fuzz_piece) {
		length = fuzz_piece;
		fuzz_reads++;
	}
	return (__real_pread(fd, to, length, at));
}
