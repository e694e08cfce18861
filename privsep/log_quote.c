/*
 * log_quote.c - a value of a key=value line, whatever bytes it has.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.
 */
#include <stdio.h>
#include <string.h>

#include "log.h"

static int
is_plain(const char *value)
{
	if (*value == '\0')
		return (0);
	for (; *value != '\0'; value++)
		if (*value <= 0x20 || *value > 0x7e ||
		    strchr("\"\\=", *value) != NULL)
			return (0);
	return (1);
}

const char *
log_quote(char *to, size_t size, const char *value)
{
	size_t used = 0;
	unsigned char c;

	if (is_plain(value) && strlen(value) < size) {
		(void)snprintf(to, size, "%s", value);
		return (to);
	}
	to[used++] = '"';
	/* Room is kept for one escape, "...", the quote and the end. */
	for (; (c = (unsigned char)*value) != '\0' && used + 9 < size; value++)
		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			used += (size_t)snprintf(to + used, size - used,
			    "\\x%02x", c);
		else
			to[used++] = (char)c;
	(void)snprintf(to + used, size - used, "%s\"", c == '\0' ? "" : "...");
	return (to);
}
