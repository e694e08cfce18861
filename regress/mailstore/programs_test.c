/*
 * programs_test.c - mailboxes that real programs write and read.
 *
 * Each program delivers the same awkward mail; what Postern serves is that
 * mail, octet for octet, but for what the program itself has changed, which
 * the table tells.  Some is deleted then; the program (or another one) must
 * read the rest as it was, deliver once more, and be read again.
 */
#include <dirent.h>

#include "programs.h"

/* What a program makes of mail that it is given. */
#define QUOTES		0x01	/* "From " in a body becomes ">From " */
#define QUOTES_QUOTED	0x02	/* and so does ">From " */
#define ADDS_END	0x04	/* a last line gets its end */
#define ADDS_FIELDS	0x08	/* sets fields of its own: see fields[] */
#define SETS_LENGTH	0x10	/* a Content-Length that lies */
#define ADDS_FROM	0x20	/* the first line is a From_ line */
#define DROPS_CR	0x40	/* one CR before each LF goes */
#define DROPS_LINE	0x80	/* an empty last line stands for the one that
				   an mbox has behind each message */
#define ADDS_LINE	0x100	/* an empty last line, where there is none */
#define BIT(number)	(1U << (number))
#define LIES		13	/* the mail with that Content-Length */
#define MARKED_FIRST	3	/* what programs mark */
#define MARKED_LAST	8

/* Copies all messages into the MH folder "seen". */
struct reader {
	const char *needs[3];
	const char *command;
	unsigned int spoils;		/* BITs of mail that it reads wrong */
};

struct program {
	const char *needs[3];
	enum form form;
	unsigned int changes;
	unsigned int leaves_out;	/* BITs of mail that is not for it */
	const char *settings;		/* its file "rc", or NULL */
	const char *deliver;		/* each file of $MAILS */
	const char *mark;		/* 3 to 8, in some way, or NULL */
	const struct reader *reader;
};

#define EACH(command)	"for m in $MAILS; do " command " <$m || exit 1; done"
#define COPY_ALL_TO(box)						\
	"<tag-pattern>~A<enter><tag-prefix><copy-message>" box		\
	"<enter><exit>"

static const struct reader mutt_reads = { .needs = { MUTT, SCRIPT },
    .command = "mkdir -p Mail/seen; touch Mail/seen/.mh_sequences; "
    MUTT_DOES("mutt.mh", "$BOX",
    COPY_ALL_TO("$HOME/Mail/seen")) };
/* Its lines end at a NUL; an empty body's line is lost to it. */
static const struct reader inc_reads = { .needs = { NMH "inc" },
    .command = "mkdir -p Mail/seen; test ! -s $BOX || "
    "inc -file $BOX -notruncate -silent +seen", .spoils = BIT(7) };
static const struct reader nmh_reads = { .needs = { NMH "refile" },
    .command = "mkdir -p Mail/seen; ! pick +$BOX >/dev/null 2>&1 || "
    "refile -link -src +$BOX all +seen" };
static const struct reader dovecot_reads = { .needs = { DOVEADM },
    .command = "mkdir -p Mail/seen; n=0; for u in $(doveadm -c dovecot search "
    "mailbox INBOX all | cut -d ' ' -f 2); do n=$((n + 1)); doveadm -c "
    "dovecot fetch text mailbox INBOX uid $u | tail -n +2 >Mail/seen/$n; "
    "done" };
static const struct reader python_reads = { .needs = { PYTHON },
    .command = "mkdir -p Mail/seen; " PYTHON " -c '\n"
    "import mailbox, os\n"
    "at = os.environ[\"BOX\"]\n"
    "if not os.path.isdir(at): box = mailbox.mbox(at)\n"
    "elif os.path.isdir(at + \"/cur\"): box = mailbox.Maildir(at)\n"
    "else: box = mailbox.MH(at)\n"
    "for n, key in enumerate(sorted(box.keys()), 1):\n"
    "    open(f\"Mail/seen/{n}\", \"wb\").write(box.get_bytes(key))\n'" };

#define PROCMAIL_MAIL	"cp " PROCMAIL " . && "				\
			EACH("./procmail -f ann@example.org $HOME/rc")
#define MAILDROP_MAIL	"cp " MAILDROP " . && "				\
			EACH("./maildrop -f ann@example.org $HOME/rc")
#define DOVECOT_MAIL	EACH("deliver -c $HOME/dovecot -e -f ann@example.org")
#define DOVECOT_MARK	"doveadm -c dovecot flags add '\\Flagged \\Seen' " \
			"mailbox INBOX 3:8"
#define SOURCE		"rm -rf source; mkdir source; touch "		\
			"source/.mh_sequences; n=0; for m in $MAILS; do " \
			"n=$((n + 1)); cp $m source/$n; done; "
#define MUTT_MAIL	SOURCE MUTT_DOES("mutt", "source",		\
			COPY_ALL_TO("$BOX"))
#define MUTT_MARK	MUTT_DOES("mutt", "$BOX",			\
			"<tag-pattern>\\\"~s 00[3-8]\\\"<enter>"	\
			"<tag-prefix><flag-message><exit>")
#define NMH_MARK	"mark +$BOX 3-8 -sequence keep -add -zero && "	\
			"mark +$BOX 1 2 5 6 -sequence odd -add -zero"

static const struct program
    procmail_mbox = {
	/* Mail without a last line's end would get no line behind it. */
	.needs = { PROCMAIL }, .form = MBOX, .leaves_out = BIT(5) | BIT(12),
	.changes = QUOTES | DROPS_LINE | SETS_LENGTH,
	.settings = "DEFAULT=#\nORGMAIL=#\n",
	.deliver = PROCMAIL_MAIL, .reader = &mutt_reads },
    procmail_maildir = {
	.needs = { PROCMAIL }, .form = MAILDIR, .changes = SETS_LENGTH,
	.settings = "DEFAULT=#/\nORGMAIL=#/\n",
	.deliver = PROCMAIL_MAIL, .reader = &python_reads },
    procmail_mh = {
	.needs = { PROCMAIL, NMH "mark" }, .form = MH,
	/* As in an mbox, but for the quoting. */
	.changes = ADDS_FROM | ADDS_LINE | SETS_LENGTH,
	.settings = "DEFAULT=#/.\nORGMAIL=#/.\n",
	.deliver = PROCMAIL_MAIL, .mark = NMH_MARK, .reader = &nmh_reads },
    maildrop_mbox = {
	.needs = { MAILDROP }, .form = MBOX,
	.changes = QUOTES | QUOTES_QUOTED | ADDS_END,
	.settings = "DEFAULT=\"#\"\nto \"#\"\n",
	.deliver = MAILDROP_MAIL, .reader = &inc_reads },
    maildrop_maildir = {
	.needs = { MAILDROP }, .form = MAILDIR, .changes = ADDS_END,
	.settings = "DEFAULT=\"#\"\nto \"#\"\n",
	.deliver = MAILDROP_MAIL, .mark = MUTT_MARK, .reader = &mutt_reads },
    dovecot_mbox = {
	/* It counts a body's octets, and does not quote what is in it. */
	.needs = { DELIVER, DOVEADM }, .form = MBOX, .leaves_out = BIT(3),
	.changes = ADDS_FIELDS | ADDS_END | DROPS_CR,
	.deliver = DOVECOT_MAIL, .mark = DOVECOT_MARK,
	.reader = &dovecot_reads },
    dovecot_maildir = {
	.needs = { DELIVER, DOVEADM }, .form = MAILDIR, .changes = DROPS_CR,
	.deliver = DOVECOT_MAIL, .mark = DOVECOT_MARK,
	.reader = &dovecot_reads },
    mutt_mbox = {
	/* The same; and no empty line behind mail without a line's end. */
	.needs = { MUTT, SCRIPT }, .form = MBOX,
	.leaves_out = BIT(3) | BIT(5) | BIT(12),
	.changes = ADDS_FIELDS, .deliver = MUTT_MAIL, .mark = MUTT_MARK,
	.reader = &mutt_reads },
    mutt_maildir = {
	.needs = { MUTT, SCRIPT }, .form = MAILDIR, .leaves_out = BIT(5),
	.changes = ADDS_FIELDS, .deliver = MUTT_MAIL, .mark = MUTT_MARK,
	.reader = &mutt_reads },
    mutt_mh = {
	.needs = { MUTT, SCRIPT }, .form = MH, .leaves_out = BIT(5),
	.changes = ADDS_FIELDS, .deliver = MUTT_MAIL, .mark = MUTT_MARK,
	.reader = &python_reads },
    rcvstore = {
	.needs = { RCVSTORE, NMH "mark" }, .form = MH,
	.deliver = EACH("rcvstore +$BOX"), .mark = NMH_MARK,
	.reader = &nmh_reads },
    inc = {
	/* As above, of what it reads. */
	.needs = { NMH "inc", NMH "mark" }, .form = MH,
	.leaves_out = BIT(7) | BIT(14), .changes = QUOTES | ADDS_END,
	.deliver = "for m in $MAILS; do echo 'From ann@example.org "
	    "Sat Nov 21 23:33:00 2026'; sed 's/^From />&/' $m; "
	    "test $m != m/005 -a $m != m/012 || echo; echo; done >drop && "
	    "inc -file drop -truncate -silent +$BOX",
	.mark = NMH_MARK, .reader = &nmh_reads };

/* Numbers of the mail that must be in the mailbox. */
struct expected {
	unsigned int numbers[MAILS + 1];
	size_t count;
};

/* What the program must have made of this mail. */
static void
make_delivered(const struct program *program, unsigned int number,
    struct bytes *to)
{
	struct bytes mail = { NULL, 0, 0 };
	size_t i, line = 0, arrows;

	make_mail(number, &mail);
	add(to, "", 0);
	to->length = 0;
	for (i = 0; i < mail.length; i++) {
		for (arrows = i; program->changes & QUOTES_QUOTED &&
		    arrows < mail.length && mail.at[arrows] == '>';)
			arrows++;
		if (program->changes & QUOTES && i == line &&
		    mail.length - arrows > 5 &&
		    memcmp(mail.at + arrows, "From ", 5) == 0)
			add_text(to, ">");
		if (mail.at[i] == '\n')
			line = i + 1;
		if (program->changes & DROPS_CR && mail.at[i] == '\r' &&
		    i + 1 < mail.length && mail.at[i + 1] == '\n')
			continue;
		add(to, mail.at + i, 1);
	}
	if (program->changes & ADDS_END && !has_line_end(to))
		add_text(to, "\n");
	if (program->changes & DROPS_LINE && to->length > 1 &&
	    memcmp(to->at + to->length - 2, "\n\n", 2) == 0)
		to->length--;
	if (program->changes & ADDS_LINE &&
	    memcmp(to->at + to->length - 2, "\n\n", 2) != 0)
		add_text(to, "\n");
	free(mail.at);
}

/* Takes a number off the list; the next one where order counts. */
static unsigned int
expect_number(const struct bytes *mail, struct expected *left, int ordered)
{
	unsigned int number = number_of(mail);
	size_t i;

	for (i = 0; i < left->count; i++)
		if (left->numbers[i] == number)
			break;
	ATF_REQUIRE_MSG(i < left->count && (!ordered || i == 0),
	    "mail %u, expected %u of %zu", number, left->count == 0 ? 0 :
	    left->numbers[0], left->count);
	left->count--;
	memmove(left->numbers + i, left->numbers + i + 1,
	    (left->count - i) * sizeof(left->numbers[0]));
	return (number);
}

static void
must_be_equal(const struct bytes *got, const struct bytes *want,
    unsigned int number, const char *who)
{
	size_t i;

	for (i = 0; i < got->length && i < want->length; i++)
		if (got->at[i] != want->at[i])
			break;
	ATF_REQUIRE_MSG(got->length == want->length && i == want->length,
	    "%s: mail %u has %zu octets, expected %zu; they differ at %zu",
	    who, number, got->length, want->length, i);
}

/* Octets that Postern sent; returns which mail it is. */
static unsigned int
check_served(const struct program *program, struct bytes *got,
    struct expected *left)
{
	const unsigned int number = expect_number(got, left,
	    program->form != MAILDIR);
	struct bytes want = { NULL, 0, 0 }, wire = { NULL, 0, 0 };
	const char *line;

	if (program->changes & ADDS_FROM) {
		line = memchr(got->at, '\n', got->length);
		ATF_REQUIRE(strncmp(got->at, "From ann@", 9) == 0);
		got->length -= (size_t)(++line - got->at);
		memmove(got->at, line, got->length);
	}
	make_delivered(program, number, &want);
	add(&wire, "", 0);
	make_wire(&want, &wire);
	if (program->changes & ADDS_FIELDS ||
	    (program->changes & SETS_LENGTH && number == LIES)) {
		simplify(got, 0);
		simplify(&wire, 0);
	}
	must_be_equal(got, &wire, number, "served");
	free(want.at);
	free(wire.at);
	return (number);
}

/*
 * Reads all by POP2 and deletes every fourth of the numbers, from `which`
 * on; 0: all.
 */
static void
visit_pop2(struct host *host, const struct program *program,
    struct expected *expected, unsigned int which)
{
	struct expected left = *expected;
	struct bytes got = { NULL, 0, 0 };
	char text[80], line[600];
	unsigned int number;
	size_t i, kept = 0, count = left.count;
	int fd;

	(void)snprintf(text, sizeof(text), "#%zu message", count);
	fd = client_connect(&host->server, POP2_PORT);
	client_expect_line(fd, "+ POP2");
	client_say(fd, "HELO " NORA " " FRED_PASSWORD, text);
	for (i = 1; i <= count; i++) {
		(void)snprintf(text, sizeof(text), "READ %zu\r\n", i);
		client_send(fd, text);
		client_line(fd, line, sizeof(line));
		ATF_REQUIRE_MSG(line[0] == '=' && atoi(line + 1) > 0, "%s",
		    line);
		got.length = 0;
		add_many(&got, ' ', (size_t)atoi(line + 1));
		client_send(fd, "RETR\r\n");
		client_read(fd, got.at, got.length);
		number = check_served(program, &got, &left);
		if (which == 0 || number % 4 == which)
			client_say(fd, "ACKD", "=");
		else {
			client_say(fd, "ACKS", "=");
			expected->numbers[kept++] = number;
		}
	}
	expected->count = kept;
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	free(got.at);
}

/* The same by POP3. */
static void
visit_pop3(struct host *host, const struct program *program,
    struct expected *expected, unsigned int which)
{
	struct expected left = *expected;
	struct bytes got = { NULL, 0, 0 };
	unsigned int number;
	size_t i, kept = 0, count = left.count;
	char text[80], dele[80];
	int fd = pop3_login(&host->server, POP3_PORT, NORA, FRED_PASSWORD);

	(void)snprintf(text, sizeof(text), "+OK %zu ", count);
	client_say(fd, "STAT", text);
	for (i = 1; i <= count; i++) {
		(void)snprintf(text, sizeof(text), "RETR %zu", i);
		(void)snprintf(dele, sizeof(dele), "DELE %zu", i);
		got.at = pop3_ask(fd, text, &got.length);
		got.room = got.length + 1;
		number = check_served(program, &got, &left);
		free(got.at);
		if (number % 4 == which)
			client_say(fd, dele, "+OK");
		else
			expected->numbers[kept++] = number;
	}
	expected->count = kept;
	pop3_quit(fd);
}

/* All that the reader copied is what was delivered, and nothing is missing. */
static void
check_seen(struct host *host, const struct program *program,
    const struct expected *expected)
{
	struct expected left = *expected;
	struct bytes got = { NULL, 0, 0 }, want = { NULL, 0, 0 };
	unsigned int file, number;
	char path[500], *from;

	/* Mutt can tag nothing then, and asks. */
	if (left.count == 0 && program->reader == &mutt_reads)
		return;
	host_run(host, "rm -rf Mail/seen");
	host_run(host, program->reader->command);
	for (file = 1; left.count > 0; file++) {
		(void)snprintf(path, sizeof(path), "%s/Mail/seen/%u",
		    host->home, file);
		ATF_REQUIRE_MSG(access(path, F_OK) == 0, "%zu are missing, "
		    "the first %u", left.count, left.numbers[0]);
		got.at = file_read(path, &got.length);
		from = strstr(got.at, "From: ann@");
		ATF_REQUIRE(from != NULL);
		got.length -= (size_t)(from - got.at);
		memmove(got.at, from, got.length);
		number = expect_number(&got, &left, program->form != MAILDIR);
		make_delivered(program, number, &want);
		simplify(&got, 1);
		simplify(&want, 1);
		if ((program->reader->spoils & BIT(number)) == 0)
			must_be_equal(&got, &want, number, "read");
		free(got.at);
	}
	(void)snprintf(path, sizeof(path), "%s/Mail/seen/%u", host->home,
	    file);
	ATF_REQUIRE_MSG(access(path, F_OK) == -1, "more than was delivered");
	free(want.at);
}

/* Names in a Maildir; they hold the flags. */
static void
list_names(struct host *host, char *names, size_t size)
{
	if (host->form != MAILDIR)
		return;
	host_run(host, "ls $BOX/new && ls $BOX/cur");
	ATF_REQUIRE(strlcpy(names, host->answer, size) < size);
}

/* What is left has the name, or is in the sequences, that it was. */
static void
check_marks(struct host *host, const struct program *program,
    const struct expected *all, const struct expected *left, char *names)
{
	char now[8192] = "", want[200] = "", *rest = now, *line;
	size_t i, j, count = 0;

	list_names(host, now, sizeof(now));
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0' && ++count > 0)
			ATF_REQUIRE_MSG(strstr(names, line) != NULL,
			    "%s has got another name", line);
	ATF_REQUIRE(program->form != MAILDIR || count == left->count);
	if (program->mark == NULL || strcmp(program->mark, NMH_MARK) != 0)
		return;
	for (i = 0; i < all->count; i++)
		for (j = 0; j < left->count; j++)
			if (left->numbers[j] == all->numbers[i] &&
			    i + 1 >= MARKED_FIRST && i + 1 <= MARKED_LAST)
				(void)snprintf(want + strlen(want),
				    sizeof(want) - strlen(want), "%zu\n",
				    i + 1);
	host_run(host, "pick +$BOX keep");
	ATF_REQUIRE_STREQ(want, host->answer);
}

static void
deliver(struct host *host, const struct program *program, const char *mails)
{
	char command[4000];

	(void)snprintf(command, sizeof(command), "MAILS=\"%s\"; %s", mails,
	    program->deliver);
	host_run(host, command);
	host_let_rest(host);
}

static void
deliver_all(struct host *host, const struct program *program,
    struct expected *expected)
{
	char mails[20 * MAILS] = "", name[20];
	unsigned int number;

	expected->count = 0;
	for (number = 1; number <= MAILS + 1; number++) {
		(void)snprintf(name, sizeof(name), "m/%03u", number);
		write_mail(host, number, name);
		if (number > MAILS || program->leaves_out & BIT(number))
			continue;
		(void)strlcat(mails, name, sizeof(mails));
		(void)strlcat(mails, " ", sizeof(mails));
		expected->numbers[expected->count++] = number;
	}
	deliver(host, program, mails);
}

static void
work_together(const struct program *program)
{
	static struct host host;
	struct expected expected, all;
	char names[8192] = "";

	needs(program->needs);
	needs(program->reader->needs);
	host_start(&host, program->form);
	if (program->settings != NULL)
		host_settings(&host, "rc", program->settings);
	deliver_all(&host, program, &expected);
	all = expected;
	if (program->mark != NULL)
		host_run(&host, program->mark);
	list_names(&host, names, sizeof(names));
	visit_pop2(&host, program, &expected, 1);
	visit_pop3(&host, program, &expected, 2);
	ATF_REQUIRE(expected.count > 4 && expected.count < all.count - 4);
	check_marks(&host, program, &all, &expected, names);
	check_seen(&host, program, &expected);
	deliver(&host, program, "m/016");
	expected.numbers[expected.count++] = MAILS + 1;
	check_seen(&host, program, &expected);
	visit_pop3(&host, program, &expected, 3);
	visit_pop2(&host, program, &expected, 0);
	check_seen(&host, program, &expected);
	server_stop(&host.server);
}

#define WITH(name)							\
ATF_TC_WITHOUT_HEAD(name);						\
ATF_TC_BODY(name, tc)							\
{									\
	(void)tc;							\
	work_together(&(name));						\
}

WITH(procmail_mbox)
WITH(procmail_maildir)
WITH(procmail_mh)
WITH(maildrop_mbox)
WITH(maildrop_maildir)
WITH(dovecot_mbox)
WITH(dovecot_maildir)
WITH(mutt_mbox)
WITH(mutt_maildir)
WITH(mutt_mh)
WITH(rcvstore)
WITH(inc)

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, procmail_mbox);
	ATF_TP_ADD_TC(tp, procmail_maildir);
	ATF_TP_ADD_TC(tp, procmail_mh);
	ATF_TP_ADD_TC(tp, maildrop_mbox);
	ATF_TP_ADD_TC(tp, maildrop_maildir);
	ATF_TP_ADD_TC(tp, dovecot_mbox);
	ATF_TP_ADD_TC(tp, dovecot_maildir);
	ATF_TP_ADD_TC(tp, mutt_mbox);
	ATF_TP_ADD_TC(tp, mutt_maildir);
	ATF_TP_ADD_TC(tp, mutt_mh);
	ATF_TP_ADD_TC(tp, rcvstore);
	ATF_TP_ADD_TC(tp, inc);
	return (atf_no_error());
}
