/*
 * passwd_named_test.c - lines of further passwords, and networks.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "log.h"
#include "passwd_named.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define ALL		"pop1,pop2,pop3"
#define EIGHT		"::1,::1,::1,::1,::1,::1,::1,::1"
#define NAME_63		"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd" \
	"eeeeeeeeeeffffffffffggg"

static const struct {
	const char *line, *name, *hash;
	uint32_t protocols, networks;
} good[] = {
	{ "fred/old:$h::", "old", "$h", 0, 0 },
	{ "fred/old:*::", "old", "*", 0, 0 },
	{ "fred/old:::", "old", "", 0, 0 },
	{ "fred/old:$h:pop1:", "old", "$h", 2, 0 },
	{ "fred/old:$h:pop2:", "old", "$h", 4, 0 },
	{ "fred/old:$h:pop3:", "old", "$h", 8, 0 },
	{ "fred/old:$h:pop3,pop1:", "old", "$h", 10, 0 },
	{ "fred/old:$h:" ALL ":", "old", "$h", 14, 0 },
	{ "fred/old:$h:" ALL "," ALL ":", "old", "$h", 14, 0 },
	{ "fred/old:$h::10.0.0.0/8", "old", "$h", 0, 1 },
	{ "fred/old:$h::::", "old", "$h", 0, 1 },
	{ "fred/old:$h::::1,2001:db8::/32", "old", "$h", 0, 2 },
	{ "fred/old:$h:pop2:10.0.0.1,::1/0,0.0.0.0/0", "old", "$h", 4, 3 },
	{ "fred/old:$h::" EIGHT "," EIGHT, "old", "$h", 0, 16 },
	{ "fred/a.b_c@d+e-f:$h::", "a.b_c@d+e-f", "$h", 0, 0 },
	{ "fred/" NAME_63 ":$h::", NAME_63, "$h", 0, 0 },
};

ATF_TC_WITHOUT_HEAD(good_lines);
ATF_TC_BODY(good_lines, tc)
{
	struct passwd_named named;
	char line[PASSWD_LINE_SIZE];
	const char *wrong;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(good); i++) {
		(void)strlcpy(line, good[i].line, sizeof(line));
		ATF_CHECK(passwd_is_named(line));
		memset(&named, 0xff, sizeof(named));
		wrong = passwd_parse_named(line, &named);
		ATF_REQUIRE_MSG(wrong == NULL, "%s: %s", good[i].line, wrong);
		ATF_CHECK_STREQ("fred", named.user);
		ATF_CHECK_STREQ(good[i].name, named.name);
		ATF_CHECK_STREQ(good[i].hash, named.hash);
		ATF_CHECK_EQ(good[i].protocols, named.protocols);
		ATF_CHECK_EQ(good[i].networks, named.network_count);
	}
}

static const struct {
	const char *line, *expected;
} bad[] = {
	{ "", "user/name:hash:" },
	{ "fred/old", "user/name:hash:" },
	{ "fred/old:$h", "user/name:hash:" },
	{ "fred/old:$h:", "user/name:hash:" },
	{ "fred/old:$h:pop2", "user/name:hash:" },
	{ "fred:$h::", "name of the password" },
	{ "fred/:$h::", "name of the password" },
	{ "fred/a/b:$h::", "name of the password" },
	{ "fred/a b:$h::", "name of the password" },
	{ "fred/.a:$h::", "name of the password" },
	{ "fred/-a:$h::", "name of the password" },
	{ "fred/\xe9:$h::", "name of the password" },
	{ "fred/%s:$h::", "name of the password" },
	{ "fred/" NAME_63 "h:$h::", "name of the password" },
	{ "/old:$h::", "user name" },
	{ "//:$h::", "user name" },
	{ ".fred/old:$h::", "user name" },
	{ "fr ed/old:$h::", "user name" },
	{ "fred/old:$h:pop4:", "protocols" },
	{ "fred/old:$h:pop:", "protocols" },
	{ "fred/old:$h:POP2:", "protocols" },
	{ "fred/old:$h:auto:", "protocols" },
	{ "fred/old:$h:,:", "protocols" },
	{ "fred/old:$h:pop2,:", "protocols" },
	{ "fred/old:$h:pop1 pop2:", "protocols" },
	{ "fred/old:$h:pop2:*", "networks such" },
	{ "fred/old:$h:pop2:,", "networks such" },
	{ "fred/old:$h:pop2:::1,", "networks such" },
	{ "fred/old:$h:pop2:10.0.0.1:", "networks such" },
	{ "fred/old:$h:pop2:10.0.0/8", "networks such" },
	{ "fred/old:$h:pop2:10.0.0.0/33", "networks such" },
	{ "fred/old:$h:pop2:10.0.0.0/-1", "networks such" },
	{ "fred/old:$h:pop2:10.0.0.0/", "networks such" },
	{ "fred/old:$h:pop2:10.0.0.0/8/8", "networks such" },
	{ "fred/old:$h:pop2:10.0.0.0/99999999999999999999",
	    "networks such" },
	{ "fred/old:$h:pop2:::/129", "networks such" },
	{ "fred/old:$h:pop2:host.example.org", "networks such" },
	{ "fred/old:$h:pop2: ::1", "networks such" },
	{ "fred/old:$h::" EIGHT "," EIGHT ",::1", "fewer networks" },
};

ATF_TC_WITHOUT_HEAD(bad_lines);
ATF_TC_BODY(bad_lines, tc)
{
	struct passwd_named named;
	char line[PASSWD_LINE_SIZE];
	const char *wrong;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(bad); i++) {
		(void)strlcpy(line, bad[i].line, sizeof(line));
		wrong = passwd_parse_named(line, &named);
		ATF_REQUIRE_MSG(wrong != NULL, "%s is taken", bad[i].line);
		ATF_CHECK_MSG(strstr(wrong, bad[i].expected) != NULL,
		    "%s: expected \"%s\", got \"%s\"", bad[i].line,
		    bad[i].expected, wrong);
	}
}

/* Fields of every length around what there is room for. */
ATF_TC_WITHOUT_HEAD(long_fields);
ATF_TC_BODY(long_fields, tc)
{
	static char line[4 * PASSWD_LINE_SIZE];
	struct passwd_named named;
	size_t length;

	(void)tc;
	for (length = 1; length < 300; length++) {
		(void)snprintf(line, sizeof(line), "%0*d/a:$h::",
		    (int)length, 0);
		ATF_CHECK_EQ_MSG(length < USER_SIZE,
		    passwd_parse_named(line, &named) == NULL, "%zu", length);
		(void)snprintf(line, sizeof(line), "fred/%0*d:$h::",
		    (int)length, 0);
		ATF_CHECK_EQ_MSG(length < PASSWORD_NAME_SIZE,
		    passwd_parse_named(line, &named) == NULL, "%zu", length);
		(void)snprintf(line, sizeof(line), "fred/a:%0*d::",
		    (int)length, 0);
		ATF_CHECK_EQ_MSG(length < PASSWD_HASH_SIZE,
		    passwd_parse_named(line, &named) == NULL, "%zu", length);
		(void)snprintf(line, sizeof(line), "fred/a:$h::%0*d",
		    (int)length, 0);
		ATF_CHECK_MSG(passwd_parse_named(line, &named) != NULL, "%zu",
		    length);
	}
}

/* Any octets: taken or not, nothing else happens. */
ATF_TC_WITHOUT_HEAD(any_octets);
ATF_TC_BODY(any_octets, tc)
{
	static const char letters[] = "fredpop123,:/.$*-\xff ";
	struct passwd_named named;
	char line[120];
	unsigned int i, j, length, taken = 0;

	(void)tc;
	srandom(937);
	for (i = 0; i < 200000; i++) {
		(void)strlcpy(line, i % 2 == 0 ? "fred/o:h:" : "",
		    sizeof(line));
		length = (unsigned int)random() % 60;
		for (j = (unsigned int)strlen(line); length > 0; length--)
			line[j++] = letters[(size_t)random() %
			    (sizeof(letters) - 1)];
		line[j] = '\0';
		if (passwd_parse_named(line, &named) != NULL)
			continue;
		taken++;
		ATF_REQUIRE(named.user[0] != '\0' && named.name[0] != '\0');
		ATF_REQUIRE(named.network_count <= PASSWORD_NETWORKS_MAX);
		ATF_REQUIRE((named.protocols & ~14U) == 0);
	}
	ATF_CHECK(taken > 10);
}

static const struct {
	const char *network, *inside, *outside;
} networks[] = {
	{ "192.0.2.1", "192.0.2.1", "192.0.2.0" },
	{ "192.0.2.0/31", "192.0.2.1", "192.0.2.2" },
	{ "192.0.2.0/25", "192.0.2.127", "192.0.2.128" },
	{ "192.0.2.77/24", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.0/23", "192.0.3.255", "192.0.4.0" },
	{ "128.0.0.0/1", "255.0.0.0", "127.255.255.255" },
	{ "0.0.0.0/0", "255.255.255.255", "::" },
	{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
	{ "2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::" },
	{ "::1", "::1", "::2" },
	{ "::/127", "::1", "::2" },
	{ "::/0", "ffff::", "0.0.0.0" },
	{ "::ffff:10.0.0.1", "::ffff:a00:1", "10.0.0.1" },
};

static int
has(const struct network *network, const char *text)
{
	unsigned char address[16];
	const int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	ATF_REQUIRE(inet_pton(family, text, address) == 1);
	return (network_has(network, (uint32_t)family, address));
}

ATF_TC_WITHOUT_HEAD(in_networks);
ATF_TC_BODY(in_networks, tc)
{
	struct network network;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(networks); i++) {
		ATF_REQUIRE(network_read(&network, networks[i].network));
		ATF_CHECK_MSG(has(&network, networks[i].inside), "%s in %s",
		    networks[i].inside, networks[i].network);
		ATF_CHECK_MSG(!has(&network, networks[i].outside),
		    "%s out of %s", networks[i].outside,
		    networks[i].network);
	}
}

/* Who looks for a user passes over these lines, and says nothing. */
ATF_TC_WITHOUT_HEAD(not_a_user);
ATF_TC_BODY(not_a_user, tc)
{
	static const char text[] = "fred/a:$1::\nfred:$2:\nfred/b:$3::\n";
	struct passwd_entry entry;

	(void)tc;
	file_write("users", text, strlen(text));
	ATF_REQUIRE(chmod("users", 0600) == 0);
	ATF_CHECK_EQ(1, passwd_find("users", "fred", 1, &entry));
	ATF_CHECK_STREQ("$2", entry.hash);
	ATF_CHECK_EQ(0, passwd_find("users", "fred/a", 0, &entry));
	ATF_CHECK_EQ(0, passwd_find("users", "ann", 1, &entry));
}

/* Whoever it is: what makes no entry is passed over. */
ATF_TC_WITHOUT_HEAD(the_first);
ATF_TC_BODY(the_first, tc)
{
	static const char text[] = "# ann:$0:\n\nbad line\nfred/a:$1::\n"
	    "fred/a:$1:\nfred:$2:\nann:$3:\n";
	struct passwd_entry entry;

	(void)tc;
	file_write("users", text, strlen(text));
	ATF_REQUIRE(chmod("users", 0600) == 0);
	ATF_CHECK_EQ(1, passwd_find_first("users", &entry));
	ATF_CHECK_STREQ("fred", entry.account.user);
	ATF_CHECK_STREQ("$2", entry.hash);
	file_write("users", text, strlen("# ann:$0:\n\nbad line\n"));
	ATF_CHECK_EQ(0, passwd_find_first("users", &entry));
	ATF_CHECK_STREQ("", entry.account.user);
	file_write("users", text, 0);
	ATF_CHECK_EQ(0, passwd_find_first("users", &entry));
	ATF_REQUIRE(unlink("users") == 0);
	ATF_CHECK_EQ(-1, passwd_find_first("users", &entry));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good_lines);
	ATF_TP_ADD_TC(tp, bad_lines);
	ATF_TP_ADD_TC(tp, long_fields);
	ATF_TP_ADD_TC(tp, any_octets);
	ATF_TP_ADD_TC(tp, in_networks);
	ATF_TP_ADD_TC(tp, not_a_user);
	ATF_TP_ADD_TC(tp, the_first);
	return (atf_no_error());
}
