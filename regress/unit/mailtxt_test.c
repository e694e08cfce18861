/*
 * mailtxt_test.c - the lines before the messages of a MAIL.TXT.
 */
#include <atf-c.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits_postern.h"
#include "mailtxt.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define DATE		"21-Nov-2026 23:33:00"
#define NO_FLAGS	";000000000000"

/* From a block of its very size: a byte read too far is seen by ASan. */
static int
parse(const char *text, size_t length, struct mailtxt_header *header)
{
	unsigned char *copy = malloc(length + (length == 0));
	int answer;

	ATF_REQUIRE(copy != NULL);
	memcpy(copy, text, length);
	answer = mailtxt_parse(copy, length, header);
	free(copy);
	return (answer);
}

static int
resembles(const char *text, size_t length)
{
	unsigned char *copy = malloc(length + (length == 0));
	int answer;

	ATF_REQUIRE(copy != NULL);
	memcpy(copy, text, length);
	answer = mailtxt_resembles(copy, length);
	free(copy);
	return (answer);
}

static const struct {
	const char *line;
	time_t received;
	uint64_t octets;
	int is_deleted;
} headers[] = {
	/* Two and four digits of a year, letters and digits of a zone. */
	{ " 1-Jan-82 10:20:30-MST,523;000000000001", 378753630, 523, 0 },
	{ " 7-Oct-96 09:08:07-PST,1;000000000000", 844708087, 1, 0 },
	{ "07-Oct-96 09:08:07-0800,1;000000000000", 844708087, 1, 0 },
	{ " 7-Oct-1996 09:08:07 -0800,1;000000000000", 844708087, 1, 0 },
	{ DATE " +0100,77" NO_FLAGS, 1795300380, 77, 0 },
	{ DATE "+0100,77" NO_FLAGS, 1795300380, 77, 0 },
	{ DATE "-0700,77" NO_FLAGS, 1795329180, 77, 0 },
	{ DATE " -0700,77" NO_FLAGS, 1795329180, 77, 0 },
	{ DATE " +0545,77" NO_FLAGS, 1795283280, 77, 0 },
	{ "31-Dec-99 23:59:59-GMT,9" NO_FLAGS, 946684799, 9, 0 },
	{ "31-Dec-99 23:59:60-GMT,9" NO_FLAGS, 946684800, 9, 0 },
	{ "29-Feb-2000 00:00:00 +0000,9" NO_FLAGS, 951782400, 9, 0 },
	{ "22-May-90 12:00:00-EST,9" NO_FLAGS, 643395600, 9, 0 },
	{ "22-May-90 12:00:00-edt,9" NO_FLAGS, 643392000, 9, 0 },
	/* A zone that is not known is taken for UTC. */
	{ "22-May-90 12:00:00-Z,9" NO_FLAGS, 643377600, 9, 0 },
	{ "22-May-90 12:00:00-UT,9" NO_FLAGS, 643377600, 9, 0 },
	{ "22-May-90 12:00:00-MESZ,9" NO_FLAGS, 643377600, 9, 0 },
	{ "22-May-90 12:00:00-ABCDEF,9" NO_FLAGS, 643377600, 9, 0 },
	/* Months in any case. */
	{ "21-NOV-2026 23:33:00 +0100,77" NO_FLAGS, 1795300380, 77, 0 },
	{ "21-nov-2026 23:33:00 +0100,77" NO_FLAGS, 1795300380, 77, 0 },
	{ "21-nOv-2026 23:33:00 +0100,77" NO_FLAGS, 1795300380, 77, 0 },
	/* Counts. */
	{ DATE " +0100,0" NO_FLAGS, 1795300380, 0, 0 },
	{ DATE " +0100,00000000000000000077" NO_FLAGS, 1795300380, 77, 0 },
	{ DATE " +0100,18446744073709551615" NO_FLAGS, 1795300380,
	    UINT64_MAX, 0 },
	/* Flags: of all, one alone means deleted. */
	{ DATE " +0100,7;000000000002", 1795300380, 7, 1 },
	{ DATE " +0100,7;777777777777", 1795300380, 7, 1 },
	{ DATE " +0100,7;777777777775", 1795300380, 7, 0 },
	{ DATE " +0100,7;000000000003", 1795300380, 7, 1 },
	{ DATE " +0100,7;000000000006", 1795300380, 7, 1 },
	{ DATE " +0100,7;000000000001", 1795300380, 7, 0 },
	{ DATE " +0100,7;000000000004", 1795300380, 7, 0 },
	{ DATE " +0100,7;000000000010", 1795300380, 7, 0 },
	{ DATE " +0100,7;000000000020", 1795300380, 7, 0 },
	{ DATE " +0100,7;000000000040", 1795300380, 7, 0 },
	{ DATE " +0100,7;222222222220", 1795300380, 7, 0 },
};

ATF_TC_WITHOUT_HEAD(header);
ATF_TC_BODY(header, tc)
{
	struct mailtxt_header got;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(headers); i++) {
		ATF_CHECK_MSG(parse(headers[i].line, strlen(headers[i].line),
		    &got) == 0, "\"%s\"", headers[i].line);
		ATF_CHECK_EQ_MSG(headers[i].received, got.received,
		    "\"%s\": %lld", headers[i].line, (long long)got.received);
		ATF_CHECK_EQ_MSG(headers[i].octets, got.octets, "\"%s\"",
		    headers[i].line);
		ATF_CHECK_EQ_MSG(headers[i].is_deleted, got.is_deleted,
		    "\"%s\"", headers[i].line);
		ATF_CHECK(strlen(headers[i].line) + 2 <= MAILTXT_HEADER_MAX);
		ATF_CHECK(resembles(headers[i].line,
		    strlen(headers[i].line)));
	}
}

static const char *const texts[] = {
	"", " ", "2", "21-", DATE, DATE " +0100", DATE " +0100,",
	DATE " +0100,7", DATE " +0100,7;",
	"From a@example.org Sat Nov 21 23:33:00 2026",
	/* The date. */
	"1-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"  1-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	" 21-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"\t1-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"121-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"00-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	" 0-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"32-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"-1-Nov-2026 23:33:00 +0100,7" NO_FLAGS,
	"21 Nov 2026 23:33:00 +0100,7" NO_FLAGS,
	"21/Nov/2026 23:33:00 +0100,7" NO_FLAGS,
	"21-11-2026 23:33:00 +0100,7" NO_FLAGS,
	"21-Nob-2026 23:33:00 +0100,7" NO_FLAGS,
	"21-November-2026 23:33:00 +0100,7" NO_FLAGS,
	"21-ovD-2026 23:33:00 +0100,7" NO_FLAGS,
	"21-Nov-6 23:33:00 +0100,7" NO_FLAGS,
	"21-Nov-026 23:33:00 +0100,7" NO_FLAGS,
	"21-Nov-20260 23:33:00 +0100,7" NO_FLAGS,
	"21-Nov-2026  23:33:00 +0100,7" NO_FLAGS,
	"21-Nov-2026\t23:33:00 +0100,7" NO_FLAGS,
	/* The time. */
	"21-Nov-2026 24:33:00 +0100,7" NO_FLAGS,
	"21-Nov-2026 23:60:00 +0100,7" NO_FLAGS,
	"21-Nov-2026 23:33:61 +0100,7" NO_FLAGS,
	"21-Nov-2026 3:33:00 +0100,7" NO_FLAGS,
	"21-Nov-2026 23:33 +0100,7" NO_FLAGS,
	"21-Nov-2026 23:33:0 +0100,7" NO_FLAGS,
	"21-Nov-2026 23.33.00 +0100,7" NO_FLAGS,
	"21-Nov-2026 +0100,7" NO_FLAGS,
	/* The zone. */
	DATE ",7" NO_FLAGS, DATE " ,7" NO_FLAGS, DATE "-,7" NO_FLAGS,
	DATE " PST,7" NO_FLAGS, DATE "PST,7" NO_FLAGS,
	DATE " -PST,7" NO_FLAGS, DATE "+PST,7" NO_FLAGS,
	DATE "-ABCDEFG,7" NO_FLAGS, DATE "-PST8,7" NO_FLAGS,
	DATE "-070,7" NO_FLAGS, DATE "-07000,7" NO_FLAGS,
	DATE "0700,7" NO_FLAGS, DATE " 0700,7" NO_FLAGS,
	DATE "  -0700,7" NO_FLAGS, DATE "--0700,7" NO_FLAGS,
	DATE "-2400,7" NO_FLAGS, DATE "-0760,7" NO_FLAGS,
	DATE "-07:00,7" NO_FLAGS, DATE "-07OO,7" NO_FLAGS,
	/* The octets. */
	DATE " +0100," NO_FLAGS, DATE " +0100, 7" NO_FLAGS,
	DATE " +0100,-7" NO_FLAGS, DATE " +0100,+7" NO_FLAGS,
	DATE " +0100,7 " NO_FLAGS, DATE " +0100,0x7" NO_FLAGS,
	DATE " +0100,7.0" NO_FLAGS, DATE " +0100,7,7" NO_FLAGS,
	DATE " +0100;7" NO_FLAGS, DATE " +0100 7" NO_FLAGS,
	DATE " +0100,18446744073709551616" NO_FLAGS,
	DATE " +0100,99999999999999999999" NO_FLAGS,
	DATE " +0100,184467440737095516150" NO_FLAGS,
	DATE " +0100,000000000000000000077" NO_FLAGS,
	/* The flags. */
	DATE " +0100,7;00000000000", DATE " +0100,7;0000000000000",
	DATE " +0100,7;000000000008", DATE " +0100,7;80000000000",
	DATE " +0100,7;00000000000 ", DATE " +0100,7; 00000000000",
	DATE " +0100,7;000000000000 ", DATE " +0100,7;000000000000\r",
	DATE " +0100,7;000000000000-00000001", DATE " +0100,7,000000000000",
	DATE " +0100,7:000000000000", DATE " +0100,7;;000000000000",
};

ATF_TC_WITHOUT_HEAD(no_header);
ATF_TC_BODY(no_header, tc)
{
	static const char good[] = DATE " +0100,77" NO_FLAGS;
	struct mailtxt_header got;
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(texts); i++)
		ATF_CHECK_MSG(parse(texts[i], strlen(texts[i]), &got) == -1,
		    "\"%s\"", texts[i]);
	for (i = 0; i < sizeof(good) - 1; i++)
		ATF_CHECK_MSG(parse(good, i, &got) == -1, "%zu bytes", i);
	/* With the NUL behind it, too. */
	ATF_CHECK(parse(good, sizeof(good), &got) == -1);
}

/* A second opinion. */
static int
is_header(const regex_t *pattern, const char *text)
{
	regmatch_t match[7];
	char *end;

	if (regexec(pattern, text, 7, match, 0) != 0)
		return (0);
	return (strtol(text + match[1].rm_so, NULL, 10) >= 1 &&
	    strtol(text + match[1].rm_so, NULL, 10) <= 31 &&
	    strtol(text + match[2].rm_so, NULL, 10) <= 23 &&
	    strtol(text + match[3].rm_so, NULL, 10) <= 59 &&
	    strtol(text + match[4].rm_so, &end, 10) <= 60 &&
	    (match[6].rm_so == -1 ||
	    (strtol(text + match[6].rm_so, NULL, 10) / 100 <= 23 &&
	    strtol(text + match[6].rm_so, NULL, 10) % 100 <= 59)));
}

/* Every octet of a line, changed into every other one. */
ATF_TC_WITHOUT_HEAD(changed_octets);
ATF_TC_BODY(changed_octets, tc)
{
	static const char *const lines[] = {
		DATE " +0100,77" NO_FLAGS, " 1-Jan-82 10:20:30-MST,523;"
		"000000000001",
	};
	struct mailtxt_header got;
	unsigned int octet, headers_seen = 0;
	char text[MAILTXT_HEADER_MAX];
	regex_t pattern;
	size_t i, at;

	(void)tc;
	ATF_REQUIRE(regcomp(&pattern, "^([ 0-9][0-9])-[a-z]{3}-"
	    "[0-9]{2,4} ([0-9]{2}):([0-9]{2}):([0-9]{2})"
	    "(-[a-z]{1,6}| ?[-+]([0-9]{4})),[0-9]{1,20};[0-7]{12}$",
	    REG_EXTENDED | REG_ICASE) == 0);
	for (i = 0; i < COUNT(lines); i++)
		for (at = 0; at < strlen(lines[i]); at++)
			for (octet = 1; octet < 256; octet++) {
				(void)strlcpy(text, lines[i], sizeof(text));
				text[at] = (char)octet;
				/* Months and years have tests of their own. */
				if (at >= 3 && at < 11)
					continue;
				headers_seen += is_header(&pattern, text) != 0;
				ATF_CHECK_EQ_MSG(is_header(&pattern, text),
				    parse(text, strlen(text), &got) == 0,
				    "\"%s\"", text);
				/* One octet does not make it an mbox. */
				ATF_CHECK_MSG(resembles(text, strlen(text)),
				    "\"%s\"", text);
			}
	ATF_CHECK(headers_seen > 300);
	regfree(&pattern);
}

ATF_TC_WITHOUT_HEAD(no_resemblance);
ATF_TC_BODY(no_resemblance, tc)
{
	static const char *const others[] = {
		"", "\n", "From a Sat Nov 21 23:33:00 2026",
		/* A sender's address must not hide a mailbox. */
		"From a;000000000000@x Sat Nov 21 23:33:00 2026",
		"From " DATE " +0100,77" NO_FLAGS,
		"\nFrom a;000000000000@x Sat Nov 21 23:33:00 2026",
		"\r\n\r\nFrom a;000000000000@x Sat Nov 21 23:33:00 2026",
		"junk\n\nFrom a;000000000000@x Sat Nov 21 23:33:00 2026",
		"Subject: text", "21-Nov-2026 23:33:00 the mailbox was moved",
		"a;00000000000", ";00000000000", "12;8888888888888",
	};
	size_t i;

	(void)tc;
	for (i = 0; i < COUNT(others); i++)
		ATF_CHECK_MSG(!resembles(others[i], strlen(others[i])),
		    "\"%s\"", others[i]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, header);
	ATF_TP_ADD_TC(tp, no_header);
	ATF_TP_ADD_TC(tp, changed_octets);
	ATF_TP_ADD_TC(tp, no_resemblance);
	return (atf_no_error());
}
