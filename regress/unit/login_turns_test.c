/*
 * login_turns_test.c - whose login is next, however many wait.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "session.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct login *
add(const char *address, unsigned int port)
{
	struct login *login = calloc(1, sizeof(*login));

	ATF_REQUIRE(login != NULL);
	(void)snprintf(login->message.peer, PEER_SIZE, "%s:%u", address,
	    port);
	ATF_REQUIRE(turns_add(login) == 0);
	return (login);
}

/* The next one is asked, and must be from the address. */
static struct login *
ask(const char *address)
{
	struct login *login = turns_next();

	ATF_REQUIRE_MSG(login != NULL, "no login from %s", address);
	ATF_CHECK_MSG(strncmp(login->message.peer, address,
	    strlen(address)) == 0 && login->message.peer[strlen(address)] ==
	    ':', "%s in place of %s", login->message.peer, address);
	turns_ask(login);
	return (login);
}

static void
answer(struct login *login)
{
	turns_answered(login);
	free(login);
}

/* In the order they came, and no more than its share. */
ATF_TC_WITHOUT_HEAD(one_address);
ATF_TC_BODY(one_address, tc)
{
	struct login *waiting[LOGINS_PER_PEER + 3], *asked;
	unsigned int i;

	(void)tc;
	turns_begin();
	ATF_CHECK(turns_next() == NULL);
	for (i = 0; i < COUNT(waiting); i++)
		waiting[i] = add("192.0.2.1", i + 1);
	for (i = 0; i < LOGINS_PER_PEER; i++)
		ATF_CHECK(ask("192.0.2.1") == waiting[i]);
	ATF_CHECK(turns_next() == NULL);
	/* Each answer lets one come. */
	answer(waiting[3]);
	ATF_CHECK((asked = ask("192.0.2.1")) == waiting[LOGINS_PER_PEER]);
	ATF_CHECK(turns_next() == NULL);
	answer(asked);
	/* Those that are withdrawn do not. */
	turns_remove(waiting[LOGINS_PER_PEER + 1]);
	free(waiting[LOGINS_PER_PEER + 1]);
	ATF_CHECK(turns_next() == waiting[LOGINS_PER_PEER + 2]);
	turns_remove(waiting[LOGINS_PER_PEER + 2]);
	free(waiting[LOGINS_PER_PEER + 2]);
	ATF_CHECK(turns_next() == NULL);
	for (i = 0; i < LOGINS_PER_PEER; i++)
		if (i != 3)
			answer(waiting[i]);
	ATF_CHECK(turns_next() == NULL);
	ATF_CHECK(add("192.0.2.1", 1) == turns_next());
	answer(ask("192.0.2.1"));
}

/* Floods that have every place wait for who has none. */
ATF_TC_WITHOUT_HEAD(floods);
ATF_TC_BODY(floods, tc)
{
	struct login *asked[LOGINS_ASKED_MAX], *flood[4][100];
	unsigned int i, from;
	char address[20];

	(void)tc;
	turns_begin();
	for (i = 0; i < 100; i++)
		for (from = 0; from < 4; from++) {
			(void)snprintf(address, sizeof(address), "192.0.2.%u",
			    from);
			flood[from][i] = add(address, i + 1);
		}
	/* Each in its turn. */
	for (i = 0; i < LOGINS_ASKED_MAX; i++) {
		(void)snprintf(address, sizeof(address), "192.0.2.%u", i % 4);
		asked[i] = ask(address);
		ATF_CHECK(asked[i] == flood[i % 4][i / 4]);
	}
	(void)add("198.51.100.1", 1);
	(void)add("198.51.100.1", 2);
	(void)add("198.51.100.2", 1);
	for (i = 0; i < 3; i++)
		answer(asked[i]);
	asked[0] = ask("198.51.100.1");
	asked[1] = ask("198.51.100.2");
	asked[2] = ask("198.51.100.1");
	for (i = 0; i < LOGINS_ASKED_MAX; i++)
		answer(asked[i]);
	for (i = LOGINS_ASKED_MAX; i < 400; i++) {
		(void)snprintf(address, sizeof(address), "192.0.2.%u", i % 4);
		answer(ask(address));
	}
	ATF_CHECK(turns_next() == NULL);
}

/* Who has one address of IPv6 has many. */
ATF_TC_WITHOUT_HEAD(version_6);
ATF_TC_BODY(version_6, tc)
{
	/* Were two of them one, others would come between them. */
	static const char *const others[] = { "[64:ff9b::c000:201]",
	    "[64:ff9b::c000:202]", "[::ffff:192.0.2.1]",
	    "[::ffff:192.0.2.2]", "192.0.2.1", "[2001:db8:0:1::1]", "[::1]",
	    "192.0.2.99" };
	struct login *asked[LOGINS_PER_PEER], *other[COUNT(others)];
	char address[60];
	size_t i;

	(void)tc;
	turns_begin();
	for (i = 0; i < LOGINS_PER_PEER; i++) {
		(void)snprintf(address, sizeof(address), "[2001:db8::%zx:1]",
		    i + 1);
		(void)add(address, 1);
		asked[i] = ask(address);
	}
	(void)add("[2001:db8::9]", 1);
	ATF_CHECK(turns_next() == NULL);
	for (i = 0; i < COUNT(others); i++)
		(void)add(others[i], 1);
	for (i = 0; i < COUNT(others); i++)
		other[i] = ask(others[i]);
	ATF_CHECK(turns_next() == NULL);
	answer(asked[0]);
	answer(ask("[2001:db8::9]"));
	for (i = 1; i < LOGINS_PER_PEER; i++)
		answer(asked[i]);
	for (i = 0; i < COUNT(others); i++)
		answer(other[i]);
	ATF_CHECK(turns_next() == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, one_address);
	ATF_TP_ADD_TC(tp, floods);
	ATF_TP_ADD_TC(tp, version_6);
	return (atf_no_error());
}
