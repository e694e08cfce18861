/*
 * plain.c - what a client answers to AUTH PLAIN (RFC 5034, RFC 4616).
 *
 * Linked into postern-net; unprivileged, on bytes from anybody.  It works in
 * the buffer that the line is in, which is wiped afterwards: there is no
 * second copy of a password.
 */
#include <string.h>

#include "session.h"

/* RFC 4616: each of the words is at most so long. */
#define WORD_OCTETS_MAX	255

/* The value of a base64 digit, or -1. */
static int
digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return (at == NULL ? -1 : (int)(at - digits));
}

/*
 * Decodes base64 in place (RFC 4648 section 4: whole groups, nothing else in
 * it, no bits left over); -1 where it is not that.
 */
static int
decode(char *text, size_t *length)
{
	const size_t size = strlen(text);
	unsigned int bits = 0;
	size_t i, padding = 0;
	int value;

	if (size == 0 || size % 4 != 0)
		return (-1);
	while (padding < 2 && text[size - 1 - padding] == '=')
		padding++;
	*length = 0;
	for (i = 0; i < size; i++) {
		value = i < size - padding ? digit(text[i]) : 0;
		if (value == -1)
			return (-1);
		bits = bits << 6 | (unsigned int)value;
		if (i % 4 != 3)
			continue;
		text[(*length)++] = (char)(bits >> 16);
		text[(*length)++] = (char)(bits >> 8);
		text[(*length)++] = (char)bits;
		bits = 0;
	}
	*length -= padding;
	/* Bits behind the last octet must be 0. */
	for (i = 0; i < padding; i++)
		if (text[*length + i] != '\0')
			return (-1);
	text[*length] = '\0';
	return (0);
}

const char *
plain_read(char *text, const char **user, char **password)
{
	const char *name = text;
	char *end;
	size_t length;

	if (decode(text, &length) == -1)
		return ("this is not base64");
	end = text + length;
	*user = text + strlen(text) + 1;
	if (*user > end)
		return ("expected a name, a user and a password");
	*password = text + (*user - text) + strlen(*user) + 1;
	if (*password > end || *password + strlen(*password) != end ||
	    **user == '\0' || **password == '\0')
		return ("expected a name, a user and a password");
	if (strlen(name) > WORD_OCTETS_MAX ||
	    strlen(*user) > WORD_OCTETS_MAX ||
	    strlen(*password) > WORD_OCTETS_MAX)
		return ("a name or the password is too long");
	/* Nobody logs in as somebody else here. */
	if (name[0] != '\0' && strcmp(name, *user) != 0)
		return ("[AUTH] the two names must be the same");
	return (NULL);
}
