/*
 * fuzz.h - what the fuzz targets share.
 *
 * Test code alone.  A target is one file with LLVMFuzzerTestOneInput in it: it
 * gives the octets of one input to a part of the product, and says what must
 * hold for any octets.  `make fuzz` links it with libFuzzer, which makes
 * inputs up; `make check` links it with replay.c, which reads those of the
 * corpus.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

int	LLVMFuzzerInitialize(int *argc, char ***argv);
int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, with a word on what does not hold, unless it does. */
#define HOLDS(condition)						\
	do {								\
		if (!(condition))					\
			fuzz_broken(#condition, __FILE__, __LINE__);	\
	} while (0)

void	fuzz_broken(const char *what, const char *file, int line)
	    __attribute__((noreturn));

/* What is not yet taken of an input. */
struct input {
	const uint8_t *at;
	size_t left;
};

/* Takes one octet; 0 where none is left. */
unsigned int fuzz_octet(struct input *input);

/* Takes eight of them as a number, the highest first. */
uint64_t fuzz_number(struct input *input);

/* Takes three at a time: a place (modulo `length`), and bits to change. */
void	fuzz_change(unsigned char *octets, size_t length, struct input *input);

/* Takes so many, or as many as are left. */
struct input fuzz_part(struct input *input, size_t length);

/* Takes what stands before the next octet `end`, and that. */
struct input fuzz_until(struct input *input, int end);

/* The part as a string, malloc'd, cut at its first NUL. */
char	*fuzz_string(struct input part);

/* Octets that grow. */
struct text {
	unsigned char *at;
	size_t length, room;
};

void	text_put(struct text *text, const void *octets, size_t length);
int	text_equal(const struct text *one, const struct text *other);
void	text_free(struct text *text);

/* Lines as the wire has them: each ends in CRLF; no octet is one CRLF. */
void	text_put_wire(struct text *text, const void *octets, size_t length);

/*
 * An octet 0x1d and the one behind it stand for a run of so many, within 128
 * of what a reader takes at a time: lines that end about there need no long
 * input.  Two runs at the most.
 */
void	text_put_stretched(struct text *text, struct input from);

/* A directory that is empty at the start; made in the current directory. */
int	fuzz_directory(void);

/* Makes the file anew, of this user alone, with these octets. */
void	fuzz_file(int directory, const char *name, const void *octets,
	    size_t length);

/* What is in the file. */
void	fuzz_read(int directory, const char *name, struct text *text);

/* Removes the files of a directory, and its directories' files. */
void	fuzz_empty(int directory);

/*
 * How much pread(2) gives the product at a time; 0: all that it asks for.
 * fuzz_reads counts those that were cut so.
 */
extern size_t fuzz_piece;
extern unsigned long fuzz_reads;

/* Mailboxes of any size get an index, and all times count as settled. */
extern int fuzz_indexes;

/* So many seconds pass from one look of the product at a clock to the next. */
extern time_t fuzz_leaps;

/* The lowest free descriptor: one that is never closed is seen in the end. */
int	fuzz_lowest_descriptor(void);

#endif
