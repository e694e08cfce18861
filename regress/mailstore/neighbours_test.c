/*
 * neighbours_test.c - other programs change a mailbox while a session has it.
 *
 * What is sent is the message that was announced, or the session ends with an
 * error.  What goes in the end is what this session has sent and its client
 * acknowledged, and what the other program has removed; nothing else.
 */
#include <sys/socket.h>

#include <errno.h>

#include "programs.h"

#define COUNT		8

/* In the order of the mailbox: a program that sorts turns it around. */
static const unsigned int numbers[COUNT] = { 15, 14, 10, 8, 6, 4, 2, 1 };

/* When the other program comes. */
enum moment { AFTER_LOGIN, BEFORE_RETR, BEFORE_ACK, BEFORE_QUIT, MOMENTS };
#define AT		5	/* of this message */

struct change {
	const char *name;
	const char *needs[3];
	const char *command;
	unsigned int removes[3];	/* numbers of mail; 0 ends */
	unsigned int adds;
};

#define DELETE_010	"<delete-pattern>\\\"~s 010\\\"<enter><sync-mailbox>" \
			"<exit>"
#define FLAG_SOME	"<tag-pattern>\\\"~s 00[2468]\\\"<enter>"	\
			"<tag-prefix><flag-message><sync-mailbox><exit>"

static const struct change mh_changes[] = {
	{ "rmm", { NMH "rmm" }, "rmm +$BOX 2 7", { 14, 2 }, 0 },
	{ "folder -pack", { NMH "folder", NMH "rmm" },
	    "rmm +$BOX 1 && folder +$BOX -pack -fast", { 15 }, 0 },
	{ "sortm", { NMH "sortm" }, "sortm +$BOX -textfield subject",
	    { 0 }, 0 },
	{ "refile", { NMH "refile" }, "rm -rf Mail/other; mkdir Mail/other; "
	    "refile -src +$BOX 3 5 +other", { 10, 6 }, 0 },
	{ "rcvstore", { "/usr/lib/mh/rcvstore" }, "rcvstore +$BOX <m/016",
	    { 0 }, 16 },
	{ "mutt deletes", { MUTT, SCRIPT }, MUTT_DOES("mutt", "$BOX",
	    DELETE_010), { 10 }, 0 },
};

static const struct change maildir_changes[] = {
	{ "mutt flags", { MUTT, SCRIPT }, MUTT_DOES("mutt", "$BOX",
	    FLAG_SOME), { 0 }, 0 },
	{ "mutt deletes", { MUTT, SCRIPT }, MUTT_DOES("mutt", "$BOX",
	    DELETE_010), { 10 }, 0 },
	{ "Dovecot flags", { DOVEADM }, "doveadm -c dovecot flags add "
	    "'\\Seen \\Answered' mailbox INBOX 2:6", { 0 }, 0 },
	{ "Dovecot expunges", { DOVEADM }, "doveadm -c dovecot expunge "
	    "mailbox INBOX subject 'number 006'", { 6 }, 0 },
	{ "Dovecot moves", { DOVEADM }, "doveadm -c dovecot mailbox create "
	    "other; doveadm -c dovecot move other mailbox INBOX subject "
	    "'number 014'", { 14 }, 0 },
	{ "Dovecot delivers", { DELIVER }, "deliver -c $HOME/dovecot -e -f "
	    "ann@example.org <m/016", { 0 }, 16 },
};

static const struct change mbox_changes[] = {
	{ "mutt flags", { MUTT, SCRIPT }, MUTT_DOES("mutt", "$BOX",
	    FLAG_SOME), { 0 }, 0 },
	{ "mutt deletes", { MUTT, SCRIPT }, MUTT_DOES("mutt", "$BOX",
	    DELETE_010), { 10 }, 0 },
	{ "Dovecot flags", { DOVEADM }, "doveadm -c dovecot flags add "
	    "'\\Seen \\Answered' mailbox INBOX 2:6", { 0 }, 0 },
	{ "Dovecot expunges", { DOVEADM }, "doveadm -c dovecot expunge "
	    "mailbox INBOX subject 'number 006'", { 6 }, 0 },
	{ "procmail", { PROCMAIL }, "cp " PROCMAIL " . && ./procmail -f "
	    "ann@example.org $HOME/rc <m/016", { 0 }, 16 },
};

/* What became of a session. */
struct outcome {
	int over;			/* it ended early, with an error */
	int refused;			/* QUIT was answered by an error */
	int acknowledged[COUNT];	/* by ACKD */
	size_t sent;
};

/* As on the first day. */
static void
fill(struct host *host)
{
	struct bytes mail = { NULL, 0, 0 }, mbox = { NULL, 0, 0 };
	char name[60];
	size_t i;

	host_run(host, host->form == MBOX ? "rm -rf $BOX* other" :
	    host->form == MH ? "rm -rf Mail; mkdir -p $BOX; touch "
	    "$BOX/.mh_sequences" : "rm -rf Maildir; mkdir -p $BOX/cur "
	    "$BOX/new $BOX/tmp");
	add(&mbox, "", 0);
	for (i = 0; i < COUNT; i++) {
		make_mail(numbers[i], &mail);
		add_text(&mbox, "From ann@example.org Sat Nov 21 23:33:00 "
		    "2026\n");
		add(&mbox, mail.at, mail.length);
		add_text(&mbox, "\n");
		if (host->form == MH)
			(void)snprintf(name, sizeof(name), "Mail/box/%zu",
			    i + 1);
		else
			(void)snprintf(name, sizeof(name),
			    "Maildir/new/%zu.x.h", 1700000000 + i);
		if (host->form != MBOX)
			host_write(host, name, mail.at, mail.length);
	}
	host_let_rest(host);
	if (host->form == MBOX) {
		host_write(host, "mbox", mbox.at, mbox.length);
		host_run(host, "cp mbox $BOX");
	}
	free(mail.at);
	free(mbox.at);
}

/* -1: the connection has ended. */
static int
take(int fd, char *bytes, size_t length)
{
	ssize_t got;

	for (; length > 0; length -= (size_t)got, bytes += got) {
		got = recv(fd, bytes, length, 0);
		ATF_REQUIRE_MSG(got != -1 || errno == ECONNRESET,
		    "no answer");
		if (got <= 0)
			return (-1);
	}
	return (0);
}

/* A command's answer; -1: the end, or an error. */
static int
ask(int fd, const char *command, char *line, size_t size)
{
	size_t have = 0;

	client_send(fd, command);
	line[0] = '\0';
	do {
		if (have + 1 == size || take(fd, line + have, 1) == -1)
			return (-1);
	} while (line[have++] != '\n');
	line[have] = '\0';
	return (line[0] == '-' ? -1 : 0);
}

static void
meddle(struct host *host, const struct change *change, enum moment moment,
    enum moment now)
{
	if (moment == now)
		host_run(host, change->command);
}

/* Reads message `i`, from 0: 0, -1 when the session is over. */
static int
read_one(struct host *host, int fd, const struct change *change,
    enum moment moment, size_t i, struct outcome *outcome)
{
	struct bytes mail = { NULL, 0, 0 }, wire = { NULL, 0, 0 };
	struct bytes got = { NULL, 0, 0 };
	char line[600], command[40];
	int result = -1;

	add(&wire, "", 0);
	make_mail(numbers[i], &mail);
	make_wire(&mail, &wire);
	(void)snprintf(command, sizeof(command), "READ %zu\r\n", i + 1);
	if (ask(fd, command, line, sizeof(line)) == -1)
		goto out;
	ATF_REQUIRE_EQ('=', line[0]);
	result = 0;
	/* It is not there any more. */
	if (atoi(line + 1) == 0)
		goto out;
	if (i + 1 == AT)
		meddle(host, change, moment, BEFORE_RETR);
	result = -1;
	ATF_CHECK_EQ_MSG(wire.length, (size_t)atoi(line + 1), "%s: %s",
	    change->name, command);
	add_many(&got, ' ', wire.length);
	client_send(fd, "RETR\r\n");
	if (take(fd, got.at, got.length) == -1)
		goto out;
	ATF_CHECK_MSG(memcmp(got.at, wire.at, wire.length) == 0,
	    "%s: another message than %u was sent", change->name, numbers[i]);
	outcome->sent++;
	if (i + 1 == AT)
		meddle(host, change, moment, BEFORE_ACK);
	result = ask(fd, i % 2 == 1 ? "ACKD\r\n" : "ACKS\r\n", line,
	    sizeof(line));
	outcome->acknowledged[i] = i % 2 == 1;
out:
	free(mail.at);
	free(wire.at);
	free(got.at);
	return (result);
}

static void
hold_session(struct host *host, const struct change *change,
    enum moment moment, struct outcome *outcome)
{
	char line[600];
	size_t i;
	int fd;

	memset(outcome, 0, sizeof(*outcome));
	fd = client_connect(&host->server, POP2_PORT);
	client_expect_line(fd, "+ POP2");
	client_say(fd, "HELO " NORA " " FRED_PASSWORD, "#8 ");
	meddle(host, change, moment, AFTER_LOGIN);
	for (i = 0; i < COUNT && !outcome->over; i++)
		outcome->over = read_one(host, fd, change, moment, i,
		    outcome) == -1;
	if (!outcome->over) {
		meddle(host, change, moment, BEFORE_QUIT);
		outcome->refused = ask(fd, "QUIT\r\n", line, sizeof(line)) ==
		    -1;
	}
	(void)close(fd);
	/* It may have ended before its turn came. */
	if (outcome->over && moment == BEFORE_QUIT)
		host_run(host, change->command);
}

/* How often each number is in the mailbox, with every octet right. */
static void
count_mails(struct host *host, const struct change *change,
    unsigned int counts[MAILS + 2])
{
	struct bytes got = { NULL, 0, 0 }, want = { NULL, 0, 0 };
	int fd = pop3_login(&host->server, POP3_PORT, NORA, FRED_PASSWORD);
	unsigned int number, i, count;
	char line[600];

	memset(counts, 0, (MAILS + 2) * sizeof(counts[0]));
	client_send(fd, "STAT\r\n");
	client_line(fd, line, sizeof(line));
	ATF_REQUIRE(sscanf(line, "+OK %u", &count) == 1);
	for (i = 1; i <= count; i++) {
		(void)snprintf(line, sizeof(line), "RETR %u", i);
		got.at = pop3_ask(fd, line, &got.length);
		got.room = got.length + 1;
		number = number_of(&got);
		ATF_REQUIRE_MSG(number > 0 && number <= MAILS + 1, "%s: what "
		    "is message %u?", change->name, i);
		make_mail(number, &want);
		simplify(&got, 1);
		simplify(&want, 1);
		ATF_CHECK_MSG(got.length == want.length && memcmp(got.at,
		    want.at, got.length) == 0, "%s: mail %u is damaged",
		    change->name, number);
		counts[number]++;
		free(got.at);
	}
	pop3_quit(fd);
	free(want.at);
}

static int
is_removed(const struct change *change, unsigned int number)
{
	size_t i;

	for (i = 0; i < 3 && change->removes[i] != 0; i++)
		if (change->removes[i] == number)
			return (1);
	return (0);
}

static void
check(struct host *host, const struct change *change, enum moment moment,
    const struct outcome *outcome)
{
	unsigned int counts[MAILS + 2], least, most;
	size_t i;

	count_mails(host, change, counts);
	for (i = 0; i < COUNT; i++) {
		least = most = !is_removed(change, numbers[i]);
		if (outcome->acknowledged[i] && !outcome->over)
			least = 0;
		if (outcome->acknowledged[i] && !outcome->over &&
		    !outcome->refused)
			most = 0;
		ATF_CHECK_MSG(counts[numbers[i]] >= least &&
		    counts[numbers[i]] <= most, "%s at moment %d: mail %u is "
		    "there %u times", change->name, (int)moment, numbers[i],
		    counts[numbers[i]]);
	}
	if (change->adds != 0)
		ATF_CHECK_EQ_MSG(1, counts[change->adds], "%s: what it "
		    "delivered is there %u times", change->name,
		    counts[change->adds]);
}

static int
is_there(const struct change *change)
{
	size_t i;

	for (i = 0; i < 3 && change->needs[i] != NULL; i++)
		if (access(change->needs[i], X_OK) == -1)
			return (0);
	return (1);
}

/* Every change at every moment; how many sessions came to their end. */
static void
change_under(enum form form, const struct change *changes, size_t count)
{
	size_t i, tried = 0, whole = 0, sent = 0;
	struct outcome outcome;
	static struct host host;
	enum moment moment;

	host_start(&host, form);
	host_settings(&host, "rc", "DEFAULT=#\nORGMAIL=#\n");
	write_mail(&host, MAILS + 1, "m/016");
	for (i = 0; i < count; i++)
		for (moment = 0; moment < MOMENTS && is_there(&changes[i]);
		    moment++) {
			fill(&host);
			hold_session(&host, &changes[i], moment, &outcome);
			(void)printf("%s at moment %d: %zu sent%s%s\n",
			    changes[i].name, (int)moment, outcome.sent,
			    outcome.over ? ", over" : "", outcome.refused ?
			    ", refused" : "");
			(void)fflush(stdout);
			check(&host, &changes[i], moment, &outcome);
			tried++;
			whole += !outcome.over && !outcome.refused;
			sent += outcome.sent;
		}
	server_stop(&host.server);
	if (tried == 0)
		atf_tc_skip("none of the programs is installed");
	/* To end every session would be no service. */
	(void)printf("%zu of %zu sessions were whole\n", whole, tried);
	ATF_CHECK(whole > 0 && sent > tried);
}

#define UNDER(name, form, changes)					\
ATF_TC_WITHOUT_HEAD(name);						\
ATF_TC_BODY(name, tc)							\
{									\
	(void)tc;							\
	change_under(form, changes, sizeof(changes) / sizeof(changes[0])); \
}

UNDER(mh, MH, mh_changes)
UNDER(maildir, MAILDIR, maildir_changes)
UNDER(mbox, MBOX, mbox_changes)

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, mh);
	ATF_TP_ADD_TC(tp, maildir);
	ATF_TP_ADD_TC(tp, mbox);
	return (atf_no_error());
}
