/*
 * command.c - from a line to a row of a protocol's table, and its argument.
 *
 * Linked into postern-net; unprivileged, on bytes from anybody.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "session.h"

/*
 * RFC 937 "Quoting": takes a word off *rest, in place, up to a space that
 * no back-slash stands before.  NULL when there is none, or when the line
 * ends in a back-slash.
 */
static char *
quoted(char **rest, int stops_at_space)
{
	char *from = *rest, *to = *rest, *word = *rest;

	while (*from != '\0' && !(stops_at_space && *from == ' ')) {
		if (*from == '\\' && *++from == '\0')
			return (NULL);
		*to++ = *from++;
	}
	*rest = from + strspn(from, " ");
	*to = '\0';
	return (to == word ? NULL : word);
}

/*
 * Digits, with spaces around them (the RFC's own example 2 has two before);
 * a number too large for 64 bits is some number too large.
 */
static const char *
read_number(const char *text, struct command *command)
{
	text += strspn(text, " ");
	command->has_number = *text != '\0';
	for (; text[strspn(text, " ")] != '\0'; text++) {
		if (!isdigit((unsigned char)*text))
			return ("expected a message number");
		if (command->number > (UINT64_MAX - 9) / 10)
			command->number = UINT64_MAX;
		else
			command->number = command->number * 10 +
			    (uint64_t)(*text - '0');
	}
	return (NULL);
}

/* RFC 1939: one number, or two where TOP wants them. */
static const char *
read_message(char *text, struct command *command, int with_lines)
{
	struct command second = { 0 };
	char *rest = text + strspn(text, " ");
	const char *wrong;

	rest += strcspn(rest, " ");
	if (with_lines && *rest != '\0')
		*rest++ = '\0';
	wrong = read_number(text, command);
	if (wrong == NULL && !command->has_number)
		wrong = "expected a message number";
	if (wrong != NULL || !with_lines)
		return (wrong);
	if (read_number(rest, &second) != NULL || !second.has_number)
		return ("expected a message number and a number of lines");
	command->lines = second.number;
	return (NULL);
}

static const char *
read_argument(enum argument_rule rule, char *rest, struct command *command)
{
	memset(command, 0, sizeof(*command));
	switch (rule) {
	case ARGUMENT_NONE:
		return (rest[strspn(rest, " ")] == '\0' ? NULL :
		    "expected no argument");
	case ARGUMENT_TEXT:
		command->text = rest;
		return (*rest != '\0' ? NULL : "expected an argument");
	case ARGUMENT_NUMBER:
		return (read_number(rest, command));
	case ARGUMENT_MESSAGE:
	case ARGUMENT_TOP:
		return (read_message(rest, command, rule == ARGUMENT_TOP));
	case ARGUMENT_WORDS:
		command->text = rest;
		return (NULL);
	case ARGUMENT_MAILBOX:
		command->text = quoted(&rest, 0);
		return (command->text != NULL ? NULL : "expected a mailbox");
	case ARGUMENT_LOGIN:
		command->text = quoted(&rest, 1);
		if (command->text != NULL)
			command->password = quoted(&rest, 1);
		return (command->password != NULL && *rest == '\0' ? NULL :
		    "expected a user name and a password");
	}
	return ("unknown rule");
}

const char *
command_read(const struct protocol *protocol, unsigned int state, char *line,
    const struct protocol_row **row, struct command *command)
{
	const struct protocol_row *candidate = protocol->rows;
	const char *wrong = "unknown command";
	size_t length = strcspn(line, " ");
	char *rest = line + length;

	for (; candidate < protocol->rows + protocol->row_count; candidate++) {
		if (strlen(candidate->verb) != length ||
		    strncasecmp(candidate->verb, line, length) != 0)
			continue;
		if ((candidate->states & (1U << state)) == 0) {
			wrong = "this command is out of place here";
			continue;
		}
		*row = candidate;
		return (read_argument(candidate->argument,
		    *rest == ' ' ? rest + 1 : rest, command));
	}
	return (wrong);
}
