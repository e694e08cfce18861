/*
 * plain_fuzz.c - any octets as an answer to AUTH PLAIN, and base64 at all.
 *
 * Test code alone.  The octets are taken as what a client sends, and then as
 * words whose base64 it sends: those must come back.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "session.h"

#define VARIANT	sodium_base64_VARIANT_ORIGINAL
#define WORD_MAX	255

/* What RFC 4616 says of the octets: NULL, or the user. */
static const char *
user_of(const char *octets, size_t length, const char **password)
{
	const char *user = memchr(octets, '\0', length), *end, *limit;
	size_t name;

	if (user == NULL)
		return (NULL);
	limit = octets + length;
	name = (size_t)(user++ - octets);
	end = memchr(user, '\0', (size_t)(limit - user));
	if (end == NULL || end == user || end + 1 == limit ||
	    memchr(end + 1, '\0', (size_t)(limit - end) - 1) != NULL)
		return (NULL);
	*password = end + 1;
	if (name > WORD_MAX || end - user > WORD_MAX ||
	    limit - *password > WORD_MAX)
		return (NULL);
	return (name == 0 || strcmp(octets, user) == 0 ? user : NULL);
}

/* The answer stands in a block of its very size, as a line does. */
static void
check_answer(const char *answer, const char *octets, size_t length)
{
	char *text = strdup(answer), *password = NULL;
	const char *user = NULL, *wanted_password = NULL, *wanted, *wrong;

	HOLDS(text != NULL);
	wanted = octets == NULL ? NULL :
	    user_of(octets, length, &wanted_password);
	wrong = plain_read(text, &user, &password);
	HOLDS((wrong == NULL) == (wanted != NULL));
	if (wanted != NULL) {
		HOLDS(strcmp(user, wanted) == 0);
		HOLDS(strlen(password) == length -
		    (size_t)(wanted_password - octets));
		HOLDS(memcmp(password, wanted_password,
		    strlen(password)) == 0);
	} else
		HOLDS(wrong[0] != '\0');
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/=";
	char *answer = fuzz_string((struct input){ data, size });
	const size_t room = strlen(answer) + 1;
	char *octets = malloc(room + size + 1), *base64;
	size_t length;

	/*
	 * As it comes; libsodium says whether it is base64, but takes octets
	 * above 127 for digits.
	 */
	HOLDS(octets != NULL);
	if (answer[0] == '\0' || answer[strspn(answer, digits)] != '\0' ||
	    sodium_base642bin((unsigned char *)octets, room, answer,
	    strlen(answer), NULL, &length, NULL, VARIANT) == -1)
		check_answer(answer, NULL, 0);
	else {
		octets[length] = '\0';
		check_answer(answer, octets, length);
	}
	free(answer);
	/* And the base64 of it. */
	base64 = malloc(sodium_base64_encoded_len(size, VARIANT));
	HOLDS(base64 != NULL);
	(void)sodium_bin2base64(base64, sodium_base64_encoded_len(size,
	    VARIANT), data, size, VARIANT);
	if (size > 0)
		memcpy(octets, data, size);
	octets[size] = '\0';
	check_answer(base64, size > 0 ? octets : NULL, size);
	free(base64);
	free(octets);
	return (0);
}
