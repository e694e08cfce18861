/*
 * race_test.c - no mail is lost when deliveries and deletions meet.
 *
 * `make check` runs a short version; `make crash` runs the same program with
 * `-v messages=N`, the number that each lane delivers.
 */
#include <sys/stat.h>

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race.h"

static unsigned int
messages(const atf_tc_t *tc, unsigned int usual)
{
	return ((unsigned int)atf_tc_get_config_var_as_long_wd(tc, "messages",
	    (long)usual));
}

/* Runs a race as long as is wanted. */
#define RACE_CASE(name, agent, usual, kills)				\
ATF_TC_WITHOUT_HEAD(name);						\
ATF_TC_BODY(name, tc)							\
{									\
	race_run(&(agent), messages(tc, usual), kills);			\
}

RACE_CASE(own_agent, race_own, 150, 0)
RACE_CASE(own_agent_killed_stores, race_own, 150, 1)
RACE_CASE(procmail, race_procmail, 6, 0)
RACE_CASE(procmail_killed_stores, race_procmail, 6, 1)
RACE_CASE(maildrop, race_maildrop, 10, 0)
RACE_CASE(maildrop_killed_stores, race_maildrop, 10, 1)
RACE_CASE(postfix, race_postfix, 8, 0)
RACE_CASE(postfix_killed_stores, race_postfix, 8, 1)
RACE_CASE(dotlock, race_dotlock, 150, 0)
RACE_CASE(mailtxt, race_mailtxt, 60, 0)
RACE_CASE(mailtxt_killed_stores, race_mailtxt, 60, 1)
RACE_CASE(procmail_maildir, race_procmail_maildir, 6, 0)
RACE_CASE(maildrop_maildir, race_maildrop_maildir, 6, 0)
RACE_CASE(maildrop_maildir_killed_stores, race_maildrop_maildir, 6, 1)
RACE_CASE(rcvstore, race_rcvstore, 10, 0)
RACE_CASE(rcvstore_killed_stores, race_rcvstore, 10, 1)
RACE_CASE(dovecot_maildir, race_dovecot_maildir, 4, 0)
RACE_CASE(dovecot_mbox, race_dovecot_mbox, 4, 0)

/* A finished race, made by hand, that the checker is right to be happy with. */
struct made {
	struct race race;
	char *mailbox;
	size_t length;
};

#define MADE_COUNT	6	/* messages of each lane */

/* A message as it stands in the mailbox, From_ line and all. */
static void
put(FILE *out, unsigned int lane, unsigned int serial)
{
	size_t length;
	char *bytes = race_stored(&race_own, lane, serial, &length);

	(void)fprintf(out, "From " RACE_SENDER
	    " Sat Nov 21 23:33:00 2026\n");
	(void)fwrite(bytes, 1, length, out);
	(void)fputc('\n', out);
	free(bytes);
}

/*
 * Of the first user's first lane, 0 was deleted, 1 perhaps and is gone, 2
 * perhaps and is there; of the others all is there.
 */
static void
make(struct made *made)
{
	FILE *out;
	unsigned int lane, serial;

	memset(made, 0, sizeof(*made));
	made->race.agent = &race_own;
	made->race.count = MADE_COUNT;
	race_open(&made->race);
	out = open_memstream(&made->mailbox, &made->length);
	ATF_REQUIRE(out != NULL);
	for (lane = 0; lane < RACE_LANES; lane += RACE_USERS)
		for (serial = 0; serial < MADE_COUNT; serial++) {
			race_mail(&made->race, lane, serial)->delivered = 1;
			race_mail(&made->race, lane, serial)->seen = 1;
			if (lane > 0 || serial > 1)
				put(out, lane, serial);
		}
	ATF_REQUIRE(fclose(out) == 0);
	race_mail(&made->race, 0, 0)->gone = 1;
	race_mail(&made->race, 0, 1)->asked = 1;
	race_mail(&made->race, 0, 2)->asked = 1;
}

static void
unmake(struct made *made)
{
	free(made->mailbox);
	race_close(&made->race);
}

/* Takes `length` bytes at `at` out and puts `bytes` there. */
static void
change(struct made *made, size_t at, size_t length, const char *bytes,
    size_t fresh)
{
	char *changed = malloc(made->length - length + fresh + 1);

	ATF_REQUIRE(changed != NULL && at + length <= made->length);
	memcpy(changed, made->mailbox, at);
	memcpy(changed + at, bytes, fresh);
	memcpy(changed + at + fresh, made->mailbox + at + length,
	    made->length - at - length);
	made->length = made->length - length + fresh;
	free(made->mailbox);
	made->mailbox = changed;
}

/* The bytes of a message as `put` wrote it; malloc'd. */
static char *
one(unsigned int lane, unsigned int serial, size_t *length)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);

	ATF_REQUIRE(out != NULL);
	put(out, lane, serial);
	ATF_REQUIRE(fclose(out) == 0);
	return (bytes);
}

static size_t
place(const struct made *made, unsigned int lane, unsigned int serial,
    size_t *length)
{
	char *bytes = one(lane, serial, length);
	char *found = memmem(made->mailbox, made->length, bytes, *length);

	free(bytes);
	ATF_REQUIRE(found != NULL);
	return ((size_t)(found - made->mailbox));
}

/* Faults, and what the checker must count for them. */
static void
lose_one(struct made *made)
{
	size_t length, at = place(made, RACE_USERS, 3, &length);

	change(made, at, length, "", 0);
}

static void
lose_the_last(struct made *made)
{
	size_t length;

	made->length = place(made, 2 * RACE_USERS, MADE_COUNT - 1, &length);
}

static void
lose_all(struct made *made)
{
	made->length = 0;
}

static void
double_one(struct made *made)
{
	size_t length;
	char *bytes = one(RACE_USERS, 3, &length);

	change(made, made->length, 0, bytes, length);
	free(bytes);
}

static void
change_an_octet(struct made *made)
{
	size_t length, at = place(made, RACE_USERS, 3, &length);

	made->mailbox[at + length / 2] ^= 1;
}

static void
drop_an_octet(struct made *made)
{
	size_t length, at = place(made, RACE_USERS, 3, &length);

	change(made, at + length / 2, 1, "", 0);
}

static void
add_text(struct made *made)
{
	change(made, made->length, 0, "more\n", 5);
}

static void
bring_back(struct made *made)
{
	size_t length;
	char *bytes = one(0, 0, &length);

	change(made, 0, 0, bytes, length);
	free(bytes);
}

static void
delete_unseen(struct made *made)
{
	race_mail(&made->race, 0, 0)->seen = 0;
}

static void
delete_perhaps_unseen(struct made *made)
{
	race_mail(&made->race, 0, 1)->seen = 0;
}

static void
delete_twice(struct made *made)
{
	race_mail(&made->race, 0, 0)->gone = 2;
}

static void
swap_two(struct made *made)
{
	size_t length, at = place(made, RACE_USERS, 3, &length);
	char *bytes = one(RACE_USERS, 3, &length);

	change(made, at, length, "", 0);
	change(made, made->length, 0, bytes, length);
	free(bytes);
}

static void
put_anothers(struct made *made)
{
	size_t length;
	char *bytes = one(1, 0, &length);

	change(made, made->length, 0, bytes, length);
	free(bytes);
}

static const struct fault {
	const char *name;
	void (*make)(struct made *);
	struct race_verdict verdict;
} faults[] = {
	{ "one is lost", lose_one, { .lost = 1 } },
	{ "the last is lost", lose_the_last, { .lost = 1 } },
	{ "all is lost", lose_all, { .lost = 3 * MADE_COUNT - 3 } },
	{ "one is there twice", double_one, { .doubled = 1 } },
	{ "an octet differs", change_an_octet, { .lost = 1, .damaged = 1 } },
	{ "an octet is gone", drop_an_octet, { .lost = 1, .damaged = 1 } },
	{ "lines of nobody", add_text, { .lost = 1, .damaged = 1 } },
	{ "a deleted one is back", bring_back, { .returned = 1 } },
	{ "deleted unseen", delete_unseen, { .lost = 1 } },
	{ "gone unseen", delete_perhaps_unseen, { .lost = 1 } },
	{ "deleted twice", delete_twice, { .doubled = 1 } },
	{ "out of order", swap_two, { .disorder = 1 } },
	{ "another user's", put_anothers, { .damaged = 1 } },
};

/* The checker has nothing against what is right, and sees what is not. */
ATF_TC_WITHOUT_HEAD(checker);
ATF_TC_BODY(checker, tc)
{
	struct race_verdict verdict;
	struct made made;
	size_t i;

	(void)tc;
	make(&made);
	memset(&verdict, 0, sizeof(verdict));
	ATF_CHECK_EQ_MSG(race_judge(&made.race, 0, made.mailbox, made.length,
	    &verdict), 0, "%s", made.race.ledger->texts[0]);
	ATF_CHECK_EQ(verdict.delivered, 3 * MADE_COUNT);
	ATF_CHECK_EQ(verdict.gone, 1);
	ATF_CHECK_EQ(verdict.unsure, 1);
	ATF_CHECK_EQ(verdict.left, 3 * MADE_COUNT - 2);
	unmake(&made);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		make(&made);
		faults[i].make(&made);
		memset(&verdict, 0, sizeof(verdict));
		ATF_CHECK_EQ_MSG(race_judge(&made.race, 0, made.mailbox,
		    made.length, &verdict), -1, "%s", faults[i].name);
		ATF_CHECK_EQ_MSG(verdict.lost, faults[i].verdict.lost,
		    "%s: %u lost", faults[i].name, verdict.lost);
		ATF_CHECK_EQ_MSG(verdict.doubled, faults[i].verdict.doubled,
		    "%s: %u doubled", faults[i].name, verdict.doubled);
		ATF_CHECK_EQ_MSG(verdict.damaged, faults[i].verdict.damaged,
		    "%s: %u damaged", faults[i].name, verdict.damaged);
		ATF_CHECK_EQ_MSG(verdict.returned, faults[i].verdict.returned,
		    "%s: %u returned", faults[i].name, verdict.returned);
		ATF_CHECK_EQ_MSG(verdict.disorder, faults[i].verdict.disorder,
		    "%s: %u in disorder", faults[i].name, verdict.disorder);
		unmake(&made);
	}
}

static void
write_mailbox(const struct made *made)
{
	file_write(mailbox_path(&made->race.server, race_user(0)),
	    made->mailbox, made->length);
}

/* Rewrites as servers do that replace the file; nothing is deleted, even. */
static void
rename_copy(const struct made *made)
{
	const char *path = mailbox_path(&made->race.server, race_user(0));
	char other[700], *bytes;
	size_t length;

	(void)snprintf(other, sizeof(other), "%s.new", path);
	bytes = file_read(path, &length);
	file_write(other, bytes, length);
	free(bytes);
	ATF_REQUIRE(rename(other, path) == 0);
}

/* Delivers the last two of the lane that keeps the mailbox open. */
static int
deliver_two(struct made *made, void (*between)(const struct made *),
    struct race_verdict *verdict)
{
	const unsigned int lane = 2 * RACE_USERS;
	char *bytes;
	size_t length;
	int result;

	write_mailbox(made);
	ATF_REQUIRE_EQ(0, race_own.deliver(&made->race, lane,
	    MADE_COUNT - 2));
	if (between != NULL)
		between(made);
	ATF_REQUIRE_EQ(0, race_own.deliver(&made->race, lane,
	    MADE_COUNT - 1));
	bytes = file_read(mailbox_path(&made->race.server, race_user(0)),
	    &length);
	memset(verdict, 0, sizeof(*verdict));
	result = race_judge(&made->race, 0, bytes, length, verdict);
	free(bytes);
	return (result);
}

/* What waits with the old file open loses its mail to a rename: it is seen. */
ATF_TC_WITHOUT_HEAD(checker_rename);
ATF_TC_BODY(checker_rename, tc)
{
	struct race_verdict verdict;
	struct made made;
	size_t length;

	(void)tc;
	make(&made);
	made.length = place(&made, 2 * RACE_USERS, MADE_COUNT - 2, &length);
	(void)strlcpy(made.race.server.directory, ".",
	    sizeof(made.race.server.directory));
	ATF_REQUIRE(mkdir("spool", 0755) == 0);
	ATF_CHECK_EQ(deliver_two(&made, NULL, &verdict), 0);
	ATF_CHECK_EQ(deliver_two(&made, rename_copy, &verdict), -1);
	ATF_CHECK_EQ(verdict.lost, 1);
	unmake(&made);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, checker);
	ATF_TP_ADD_TC(tp, checker_rename);
	ATF_TP_ADD_TC(tp, own_agent);
	ATF_TP_ADD_TC(tp, own_agent_killed_stores);
	ATF_TP_ADD_TC(tp, procmail);
	ATF_TP_ADD_TC(tp, procmail_killed_stores);
	ATF_TP_ADD_TC(tp, maildrop);
	ATF_TP_ADD_TC(tp, maildrop_killed_stores);
	ATF_TP_ADD_TC(tp, postfix);
	ATF_TP_ADD_TC(tp, postfix_killed_stores);
	ATF_TP_ADD_TC(tp, dotlock);
	ATF_TP_ADD_TC(tp, mailtxt);
	ATF_TP_ADD_TC(tp, mailtxt_killed_stores);
	ATF_TP_ADD_TC(tp, procmail_maildir);
	ATF_TP_ADD_TC(tp, maildrop_maildir);
	ATF_TP_ADD_TC(tp, maildrop_maildir_killed_stores);
	ATF_TP_ADD_TC(tp, rcvstore);
	ATF_TP_ADD_TC(tp, rcvstore_killed_stores);
	ATF_TP_ADD_TC(tp, dovecot_maildir);
	ATF_TP_ADD_TC(tp, dovecot_mbox);
	return (atf_no_error());
}
