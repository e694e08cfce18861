/*
 * auth_named.c - the further passwords of users, each with a name.
 *
 * Linked into postern-auth; runs as its own user.  The passwd file is read
 * anew for each login that was not by the account's own password.
 *
 * How long a refusal takes must not tell whose name has such passwords.  So
 * the hashes that are computed are always as many as the user with the most
 * of them has, counting those alone that are for this protocol and this peer.
 * A password for another protocol or network is not even tried.
 */
#include <sys/param.h>

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "auth.h"
#include "log.h"
#include "passwd_named.h"

/*
 * Users are counted by a hash of their names.  Where two share a place, a
 * login costs a hash more, for everybody.
 */
#define PLACES		65536

static const char *file;

struct search {
	const struct ipc_login *login;
	unsigned int count;		/* of the user's that apply */
	char names[PASSWORDS_NAMED_MAX][PASSWORD_NAME_SIZE];
	char hashes[PASSWORDS_NAMED_MAX][PASSWD_HASH_SIZE];
	char other[PASSWD_HASH_SIZE];	/* anybody's first that applies */
	unsigned int most;		/* of one user */
	uint8_t places[PLACES];
};

void
named_open(const char *named_file)
{
	struct passwd_lines lines;

	file = named_file;
	if (sodium_init() == -1)
		log_fatal("event=start error=\"libsodium cannot start\"");
	if (file[0] == '\0')
		return;
	if (passwd_open(file, &lines) == -1)
		log_line(LOG_ERR, "event=passwd file=%s error=\"%s\"; the "
		    "logins that need it cannot be checked", file,
		    strerror(errno));
	else
		passwd_close(&lines);
}

/* The address in a peer's name: "192.0.2.1:1025", "[2001:db8::1]:1025". */
static int
read_peer(struct network *address, const char *peer)
{
	const int in_brackets = peer[0] == '[';
	char text[PEER_SIZE], *end;

	if (strlcpy(text, peer + in_brackets, sizeof(text)) >= sizeof(text) ||
	    (end = strrchr(text, in_brackets ? ']' : ':')) == NULL)
		return (0);
	*end = '\0';
	return (strchr(text, '/') == NULL && network_read(address, text));
}

/* May this password be used with the login's protocol, by its peer? */
static int
admits(const struct passwd_named *named, const struct ipc_login *login)
{
	struct network address;
	uint32_t i;

	/* A number that net has made up is no protocol, and no bit. */
	if (named->protocols != 0 && (login->protocol >= PROTOCOLS ||
	    (named->protocols & 1U << login->protocol) == 0))
		return (0);
	if (named->network_count == 0)
		return (1);
	if (!read_peer(&address, login->peer))
		return (0);
	for (i = 0; i < named->network_count; i++)
		if (network_has(&named->networks[i], address.family,
		    address.address))
			return (1);
	return (0);
}

static unsigned int
place_of(const char *user)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES];
	unsigned char hash[crypto_shorthash_BYTES];

	(void)crypto_shorthash(hash, (const unsigned char *)user, strlen(user),
	    key);
	return ((unsigned int)(hash[0] << 8 | hash[1]) % PLACES);
}

static void
collect(struct search *search, const struct passwd_named *named)
{
	uint8_t *place = &search->places[place_of(named->user)];

	if (hash_unfit(named->hash) != NULL || !admits(named, search->login))
		return;
	if (search->most == 0)
		(void)strlcpy(search->other, named->hash, PASSWD_HASH_SIZE);
	if (*place < PASSWORDS_NAMED_MAX)
		++*place;
	search->most = MAX(search->most, *place);
	if (strcmp(named->user, search->login->user) != 0)
		return;
	if (search->count == PASSWORDS_NAMED_MAX) {
		log_line(LOG_WARNING, "%s: more than %d passwords of %s; %s "
		    "is passed over", file, PASSWORDS_NAMED_MAX, named->user,
		    named->name);
		return;
	}
	(void)strlcpy(search->names[search->count], named->name,
	    PASSWORD_NAME_SIZE);
	(void)strlcpy(search->hashes[search->count++], named->hash,
	    PASSWD_HASH_SIZE);
}

/* Reads the whole file, whoever's the login is; 0: it cannot be read. */
static int
read_file(struct search *search)
{
	struct passwd_named named;
	struct passwd_lines lines;
	const char *wrong;
	char *line;

	if (passwd_open(file, &lines) == -1) {
		log_line(LOG_ERR, "event=passwd file=%s error=\"%s\"", file,
		    strerror(errno));
		return (0);
	}
	while ((line = passwd_next_line(&lines)) != NULL)
		if (!passwd_is_named(line))
			continue;
		else if ((wrong = passwd_parse_named(line, &named)) != NULL)
			passwd_passed_over(&lines, wrong);
		else
			collect(search, &named);
	passwd_close(&lines);
	if (lines.failed)
		log_line(LOG_ERR, "event=passwd file=%s error=\"cannot be "
		    "read to its end\"", file);
	explicit_bzero(&named, sizeof(named));
	return (!lines.failed);
}

enum verdict
named_verify(const struct ipc_login *login, enum verdict own, char *name)
{
	static struct search search;
	unsigned int i;
	int fits, is_read, good = 0;

	if (file[0] == '\0')
		return (own);
	memset(&search, 0, sizeof(search));
	search.login = login;
	is_read = read_file(&search);
	for (i = 0; i < search.most && !good; i++) {
		fits = hash_fits(i < search.count ? search.hashes[i] :
		    search.other, login->password);
		good = fits && i < search.count && own == VERDICT_WRONG;
		if (good)
			(void)strlcpy(name, search.names[i],
			    PASSWORD_NAME_SIZE);
	}
	sodium_memzero(&search, sizeof(search));
	return (good ? VERDICT_RIGHT : is_read ? own : VERDICT_UNKNOWN);
}
