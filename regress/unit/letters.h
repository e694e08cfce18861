/*
 * letters.h - texts of the letters that lines are told apart by.
 *
 * Test code alone.
 */
#ifndef LETTERS_H
#define LETTERS_H

#include <sodium.h>
#include <stddef.h>

#define LETTERS	5

static const char letters[LETTERS + 1] = "\n\rF.x";

/* The text of a number, of all of a length; 0: there are not so many. */
static inline int
short_text(char *text, size_t length, unsigned int number)
{
	size_t i;

	for (i = 0; i < length; i++) {
		text[i] = letters[number % LETTERS];
		number /= LETTERS;
	}
	return (number == 0);
}

/* These and others, of two kinds to one more than `kinds_max`. */
static inline void
random_text(char *text, size_t length, unsigned int kinds_max)
{
	const unsigned int kinds = 2 + randombytes_uniform(kinds_max);
	unsigned int number;
	size_t i;

	randombytes_buf(text, length);
	for (i = 0; i < length; i++) {
		number = (unsigned char)text[i] % kinds;
		text[i] = number < LETTERS ? letters[number] : 'y';
	}
}

#endif
