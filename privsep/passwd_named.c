/*
 * passwd_named.c - reading the further passwords of users, and who is first.
 *
 * Linked into postern-auth (its own user) and posternctl (whoever runs it).
 * The daemon passes over these lines: nothing in them says whose mailbox a
 * session gets.
 */
#include <string.h>

#include "account.h"
#include "passwd_named.h"

static const struct {
	const char *name;
	uint32_t bit;
} protocols[] = {
	{ "pop1", 1U << PROTOCOL_POP1 },
	{ "pop2", 1U << PROTOCOL_POP2 },
	{ "pop3", 1U << PROTOCOL_POP3 },
};

#define PROTOCOL_NAMES	(sizeof(protocols) / sizeof(protocols[0]))

static const char *
parse_protocols(char *text, struct passwd_named *named)
{
	const char *word;
	size_t i;

	while (text != NULL && (word = strsep(&text, ",")) != NULL) {
		for (i = 0; i < PROTOCOL_NAMES &&
		    strcmp(word, protocols[i].name) != 0; i++)
			continue;
		if (i == PROTOCOL_NAMES)
			return ("protocols of pop1,pop2,pop3");
		named->protocols |= protocols[i].bit;
	}
	return (NULL);
}

static const char *
parse_networks(char *text, struct passwd_named *named)
{
	const char *word;

	while (text != NULL && (word = strsep(&text, ",")) != NULL) {
		if (named->network_count == PASSWORD_NETWORKS_MAX)
			return ("fewer networks");
		if (!network_read(&named->networks[named->network_count++],
		    word))
			return ("networks such as 192.0.2.0/24");
	}
	return (NULL);
}

const char *
passwd_parse_named(char *line, struct passwd_named *named)
{
	char *user, *name, *hash, *listed;
	const char *wrong;

	memset(named, 0, sizeof(*named));
	name = strsep(&line, ":");
	hash = strsep(&line, ":");
	listed = strsep(&line, ":");
	/* What is left are networks, and an address may have colons. */
	if (line == NULL)
		return ("user/name:hash:protocols:networks");
	user = strsep(&name, "/");
	if (!account_name_valid(user))
		return ("a valid user name");
	if (name == NULL || !account_name_valid(name) ||
	    strlcpy(named->name, name, PASSWORD_NAME_SIZE) >=
	    PASSWORD_NAME_SIZE)
		return ("a valid name of the password");
	(void)strlcpy(named->user, user, USER_SIZE);
	if (strlcpy(named->hash, hash, PASSWD_HASH_SIZE) >= PASSWD_HASH_SIZE)
		return ("a shorter hash");
	wrong = listed[0] != '\0' ? parse_protocols(listed, named) : NULL;
	if (wrong == NULL && line[0] != '\0')
		wrong = parse_networks(line, named);
	return (wrong);
}

int
passwd_is_named(const char *line)
{
	return (line[0] != '#' && line[strcspn(line, ":/")] == '/');
}

int
passwd_find_first(const char *path, struct passwd_entry *entry)
{
	struct passwd_lines lines;
	char *line;
	int found = 0;

	if (passwd_open(path, &lines) == -1)
		return (-1);
	while (!found && (line = passwd_next_line(&lines)) != NULL)
		found = passwd_parse_line(line, entry) == NULL;
	passwd_close(&lines);
	if (!found)
		memset(entry, 0, sizeof(*entry));
	return (lines.failed ? -1 : found);
}
