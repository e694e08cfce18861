/*
 * passwd_fuzz.c - any octets as Postern's own file of users.
 *
 * Test code alone.  What root reads of it must be whole: names that are valid,
 * paths that are absolute, never uid 0.
 */
#include <netinet/in.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "passwd_file.h"
#include "passwd_named.h"

static int directory = -1;
static char path[PATH_SIZE];

static int
has_end(const char *text, size_t size)
{
	return (memchr(text, '\0', size) != NULL);
}

static void
check_entry(const struct passwd_entry *entry)
{
	const struct account *account = &entry->account;

	HOLDS(has_end(account->user, sizeof(account->user)));
	HOLDS(has_end(entry->hash, sizeof(entry->hash)));
	HOLDS(has_end(account->system_name, sizeof(account->system_name)));
	HOLDS(has_end(account->home, sizeof(account->home)));
	HOLDS(has_end(account->maildrop, sizeof(account->maildrop)));
	HOLDS(account_name_valid(account->user));
	HOLDS(strpbrk(account->user, "/:\n \t") == NULL);
	HOLDS(account->user[0] != '.' && account->user[0] != '-');
	if (account->system_name[0] != '\0') {
		HOLDS(account_name_valid(account->system_name));
		HOLDS(account->uid == 0 && account->gid == 0);
		HOLDS(account->home[0] == '\0');
	} else {
		HOLDS(account->uid != 0 && account->uid != (uid_t)-1);
		HOLDS(account->gid != 0 && account->gid != (gid_t)-1);
		HOLDS(account->home[0] == '/');
		HOLDS(account->maildrop[0] == '\0' ||
		    account->maildrop[0] == '/');
	}
}

/* A further password, of a line that is no user's own. */
static void
check_named(const struct passwd_named *named)
{
	size_t i;

	HOLDS(has_end(named->user, sizeof(named->user)));
	HOLDS(has_end(named->name, sizeof(named->name)));
	HOLDS(has_end(named->hash, sizeof(named->hash)));
	HOLDS(account_name_valid(named->user) && named->name[0] != '\0');
	HOLDS(named->protocols < 1U << PROTOCOLS);
	HOLDS(named->network_count <= PASSWORD_NETWORKS_MAX);
	for (i = 0; i < named->network_count; i++)
		HOLDS(named->networks[i].prefix <=
		    (named->networks[i].family == AF_INET ? 32U : 128U));
}

/* The first entry that a line of the file makes, for `user` or for anybody. */
static int
find(const uint8_t *data, size_t size, const char *user,
    struct passwd_entry *entry)
{
	struct input input = { data, size }, part;
	char *line;
	int found = 0;

	while (input.left > 0 && !found) {
		part = fuzz_until(&input, '\n');
		line = fuzz_string(part);
		found = part.left <= PASSWD_LENGTH_MAX &&
		    line[0] != '\0' && line[0] != '#' &&
		    passwd_parse_line(line, entry) == NULL && (user == NULL ||
		    strcmp(entry->account.user, user) == 0);
		free(line);
	}
	return (found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct passwd_entry entry, wanted;
	char last[USER_SIZE] = "nobody-of-this-name";
	struct input input = { data, size };
	struct passwd_named named;
	char *line, *copy;
	int lowest, is_user;

	if (directory == -1) {
		directory = fuzz_directory();
		HOLDS(fchdir(directory) == 0);
		HOLDS(getcwd(path, sizeof(path)) != NULL);
		HOLDS(chdir("..") == 0);
		(void)strlcat(path, "/passwd", sizeof(path));
	}
	lowest = fuzz_lowest_descriptor();
	fuzz_file(directory, "passwd", data, size);
	while (input.left > 0) {
		line = fuzz_string(fuzz_until(&input, '\n'));
		HOLDS((copy = strdup(line)) != NULL);
		is_user = passwd_parse_line(line, &entry) == NULL;
		if (passwd_parse_named(copy, &named) == NULL) {
			HOLDS(!is_user);
			check_named(&named);
		}
		free(copy);
		if (is_user) {
			check_entry(&entry);
			(void)strlcpy(last, entry.account.user, sizeof(last));
		}
		free(line);
	}
	HOLDS(passwd_find_first(path, &entry) ==
	    find(data, size, NULL, &wanted));
	HOLDS(passwd_find(path, last, (int)(size & 1), &entry) ==
	    find(data, size, last, &wanted));
	if (find(data, size, last, &wanted)) {
		check_entry(&entry);
		HOLDS(memcmp(&entry, &wanted, sizeof(entry)) == 0);
	}
	HOLDS(passwd_find(path, "../x", 0, &entry) == 0);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
