/*
 * login_turns.c - whose login comes next before the authenticators.
 *
 * Linked into postern-net; unprivileged.  Whose address has the fewest logins
 * before them comes first, and among equals who has waited longest: a flood
 * from some addresses, however long, does not keep the others waiting, and
 * costs no more to look through than one login.
 */
#include <sys/socket.h>
#include <sys/tree.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

/* An address that has logins waiting, or before the authenticators. */
struct source {
	RB_ENTRY(source) entry;
	TAILQ_ENTRY(source) turn;	/* where has_turn */
	struct login_list waiting;	/* in the order they came */
	unsigned int asked;		/* before the authenticators */
	char address[PEER_SIZE];
};

static int
compare(const struct source *one, const struct source *other)
{
	return (strcmp(one->address, other->address));
}

static RB_HEAD(sources, source) sources = RB_INITIALIZER(&sources);
RB_PROTOTYPE(sources, source, entry, compare)
RB_GENERATE(sources, source, entry, compare)

/* By how many each has before the authenticators. */
TAILQ_HEAD(turns, source);
static struct turns turns[LOGINS_PER_PEER];

/*
 * A peer's address without its port, which ends at the last colon.  Of IPv6 the
 * first 64 bits: who has one address there has all of them (RFC 6177), unless
 * there are addresses of IPv4 behind them.
 */
static void
address_of(const char *peer, char *address, size_t size)
{
	/* RFC 6052, section 2.1: translated for a host that has IPv6 alone. */
	static const unsigned char translated[12] = { 0, 0x64, 0xff, 0x9b };
	struct in6_addr v6;
	char *end;

	(void)strlcpy(address, peer, size);
	if ((end = strrchr(address, ':')) != NULL)
		*end = '\0';
	if (address[0] != '[' || (end = strchr(address, ']')) == NULL)
		return;
	*end = '\0';
	if (inet_pton(AF_INET6, address + 1, &v6) != 1 ||
	    IN6_IS_ADDR_V4MAPPED(&v6) ||
	    memcmp(v6.s6_addr, translated, sizeof(translated)) == 0)
		return;
	memset(v6.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &v6, address, (socklen_t)size);
}

static int
has_turn(const struct source *source)
{
	return (!TAILQ_EMPTY(&source->waiting) &&
	    source->asked < LOGINS_PER_PEER);
}

static void
enter(struct source *source)
{
	if (has_turn(source))
		TAILQ_INSERT_TAIL(&turns[source->asked], source, turn);
}

static void
leave(struct source *source)
{
	if (has_turn(source))
		TAILQ_REMOVE(&turns[source->asked], source, turn);
}

static void
forget_idle(struct source *source)
{
	if (source->asked > 0 || !TAILQ_EMPTY(&source->waiting))
		return;
	(void)RB_REMOVE(sources, &sources, source);
	free(source);
}

void
turns_begin(void)
{
	size_t i;

	for (i = 0; i < LOGINS_PER_PEER; i++)
		TAILQ_INIT(&turns[i]);
}

int
turns_add(struct login *login)
{
	struct source *found, *new = calloc(1, sizeof(*new));
	int is_first;

	if (new == NULL)
		return (-1);
	address_of(login->message.peer, new->address, sizeof(new->address));
	TAILQ_INIT(&new->waiting);
	found = RB_INSERT(sources, &sources, new);
	if (found != NULL)
		free(new);
	else
		found = new;
	login->source = found;
	is_first = TAILQ_EMPTY(&found->waiting);
	TAILQ_INSERT_TAIL(&found->waiting, login, entry);
	if (is_first)		/* others keep their place */
		enter(found);
	return (0);
}

void
turns_remove(struct login *login)
{
	struct source *source = login->source;

	if (TAILQ_FIRST(&source->waiting) == login &&
	    TAILQ_NEXT(login, entry) == NULL)
		leave(source);
	TAILQ_REMOVE(&source->waiting, login, entry);
	forget_idle(source);
}

struct login *
turns_next(void)
{
	size_t i;

	for (i = 0; i < LOGINS_PER_PEER; i++)
		if (!TAILQ_EMPTY(&turns[i]))
			return (TAILQ_FIRST(&TAILQ_FIRST(&turns[i])->waiting));
	return (NULL);
}

void
turns_ask(struct login *login)
{
	struct source *source = login->source;

	leave(source);
	TAILQ_REMOVE(&source->waiting, login, entry);
	source->asked++;
	enter(source);
}

void
turns_answered(struct login *login)
{
	struct source *source = login->source;

	leave(source);
	source->asked--;
	enter(source);
	forget_idle(source);
}
