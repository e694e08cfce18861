/*
 * programs.h - a user whose mail real programs deliver, read and change.
 *
 * Test code alone.  The programs run as the user, with a home and settings
 * of their own in the scratch directory; where root runs the tests the user
 * is nobody, since some programs want an entry in the password file.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "forms.h"
#include "../session/pop3_client.h"

#define NORA		"nora"
#define NOBODY		65534
#define POP2_PORT	0
#define POP3_PORT	1

/* Where Debian has them. */
#define PROCMAIL	"/usr/bin/procmail"
#define MAILDROP	"/usr/bin/maildrop"
#define MUTT		"/usr/bin/mutt"
#define SCRIPT		"/usr/bin/script"	/* a terminal for mutt */
#define NMH		"/usr/bin/mh/"
#define RCVSTORE	"/usr/lib/mh/rcvstore"
#define DELIVER		"/usr/lib/dovecot/deliver"
#define DOVEADM		"/usr/bin/doveadm"
#define PYTHON		"/usr/bin/python3"

/* A command of the shell: mutt with a mailbox, as if somebody typed. */
#define MUTT_DOES(rc, box, keys)					\
	"timeout 20 script -qec \"mutt -F " rc " -f " box " -e 'push "	\
	keys "'\" log </dev/null >/dev/null"

/* A user's mailbox, the daemon that serves it, and where all of it is. */
struct host {
	struct server server;
	enum form form;
	char home[400];
	char box[500];			/* the default mailbox */
	char answer[65536];		/* of the last command */
};

/* Runs a command of the shell as the user, in the home; its status. */
static inline int
host_try(struct host *host, const char *command)
{
	char home[500], box[600], whole[8000];
	const char *const as_nobody[] = { "setpriv", "--reuid=65534",
	    "--regid=65534", "--clear-groups", "env", "-i",
	    "PATH=/usr/bin:/bin:/usr/bin/mh:/usr/lib/mh:/usr/lib/dovecot",
	    "LC_ALL=C", "TERM=vt100", "USER=nobody", "LOGNAME=nobody",
	    home, box, "sh", "-c", whole, NULL };
	int status;

	(void)snprintf(home, sizeof(home), "HOME=%s", host->home);
	(void)snprintf(box, sizeof(box), "BOX=%s", host->box);
	(void)snprintf(whole, sizeof(whole), "umask 077; cd \"$HOME\" && %s",
	    command);
	status = run(geteuid() == 0 ? as_nobody : as_nobody + 4, NULL,
	    host->answer, sizeof(host->answer));
	(void)printf("%s\n%s", command, host->answer);
	if (status != 0)
		(void)printf("(status %d)\n", status);
	(void)fflush(stdout);
	return (status);
}

static inline void
host_run(struct host *host, const char *command)
{
	/* A result is one line: the command stands before it. */
	ATF_REQUIRE_MSG(host_try(host, command) == 0, "a command failed");
}

/* As if its messages had come a while ago: those of MH may go at once then. */
static inline void
host_let_rest(struct host *host)
{
	if (host->form == MH)
		host_run(host, "touch -d '1 hour ago' $BOX/[0-9]*");
}

/* A file in the home, the user's own. */
static inline void
host_write(const struct host *host, const char *name, const void *bytes,
    size_t length)
{
	char path[600];

	folder_write(&host->server, NORA, name, bytes, length);
	(void)snprintf(path, sizeof(path), "%s/%s", host->home, name);
	ATF_REQUIRE(chmod(path, 0600) == 0);
}

/* A file of settings in the home: @ stands for the home, # for the box. */
static inline void
host_settings(const struct host *host, const char *name, const char *text)
{
	struct bytes out = { NULL, 0, 0 };

	add(&out, "", 0);
	for (; *text != '\0'; text++)
		if (*text == '@')
			add_text(&out, host->home);
		else if (*text == '#')
			add_text(&out, host->box);
		else
			add(&out, text, 1);
	host_write(host, name, out.at, out.length);
	free(out.at);
}

static inline void
host_configure(const struct host *host)
{
	static const char *const kinds[FORMS] = { [MBOX] = "mbox",
	    [MH] = "MH", [MAILDIR] = "Maildir" };
	static const char mutt[] = "set mbox_type=%s folder=@ spoolfile=@/no\n"
	    "set confirmcreate=no confirmappend=no move=no sleep_time=0\n"
	    "set delete=yes quit=yes timeout=1 copy=no wait_key=no\n"
	    "set sort=subject mark_old=no\n"
	    /* A cache of headers takes files of one second for the same. */
	    "unset header_cache message_cachedir\n";
	static const char dovecot[] = "base_dir=@/run\nlog_path=@/run.log\n"
	    "ssl=no\nstats_writer_socket_path=\n"
	    "postmaster_address=postmaster@example.org\n"
	    "mail_location=%s#\n";
	char text[2000];

	host_settings(host, ".mh_profile", "Path: @/Mail\n");
	(void)snprintf(text, sizeof(text), mutt, kinds[host->form]);
	host_settings(host, "mutt", text);
	(void)snprintf(text, sizeof(text), mutt, "MH");
	host_settings(host, "mutt.mh", text);
	(void)snprintf(text, sizeof(text), dovecot, host->form == MBOX ?
	    "mbox:@/other:INBOX=" : "maildir:");
	host_settings(host, "dovecot", text);
}

/* Starts a daemon that serves a mailbox of this form, which is empty. */
static inline void
host_start(struct host *host, enum form form)
{
	static const char *const parts[FORMS] = { [MBOX] = "",
	    [MH] = "inbox mh ~/Mail/box\n",
	    [MAILDIR] = "inbox maildir ~/Maildir\n", [MTX] = "",
	    [TENEX] = "" };
	char text[400], spool[300];

	(void)snprintf(text, sizeof(text), "listen pop2 127.0.0.1 port 0\n"
	    "listen pop3 127.0.0.1 port 0\n%s", parts[form]);
	server_prepare(&host->server, text);
	server_add_user(&host->server, NORA, FRED_PASSWORD, NOBODY);
	host->form = form;
	(void)snprintf(host->home, sizeof(host->home), "%s/home/" NORA,
	    host->server.directory);
	if (form == MH || form == MAILDIR)
		(void)snprintf(host->box, sizeof(host->box), "%s/%s",
		    host->home, form == MH ? "Mail/box" : "Maildir");
	else
		(void)snprintf(host->box, sizeof(host->box), "%s",
		    mailbox_path(&host->server, NORA));
	/* Group mail is what users' programs do not have here. */
	(void)snprintf(spool, sizeof(spool), "%s/spool",
	    host->server.directory);
	ATF_REQUIRE(chmod(spool, 01777) == 0);
	host_configure(host);
	server_run(&host->server);
	host_run(host, form == MAILDIR ? "mkdir -p $BOX/cur $BOX/new "
	    "$BOX/tmp" : form == MH ? "mkdir -p $BOX; touch "
	    "$BOX/.mh_sequences" : "true");
}

/* Skips where one of these programs is missing. */
static inline void
needs(const char *const *paths)
{
	for (; *paths != NULL; paths++)
		if (access(*paths, X_OK) == -1)
			atf_tc_skip("%s is not installed", *paths);
}

#define NEEDS(...)	needs((const char *const[]){ __VA_ARGS__, NULL })

/*
 * Mail that a program may deliver: with headers, and otherwise as awkward as
 * it can be.  What is in it follows from its number, which is in its subject.
 */
#define MAILS		15

static inline void
make_mail(unsigned int number, struct bytes *to)
{
	static const char *const bodies[MAILS] = {
		"\nplain\n",
		"\n.\n..\n...x\n.\n",
		"\ntext\nFrom here on\n\nFrom bob@example.org Sun Nov 22 "
		    "01:02:03 2026\nmore\n\n>From quoted\n>>From twice\n"
		    "From\n",
		"", "",
		"X-8: \xfc\xff\x80\n\n\xe2\x82\xac\xfe\xff\n\xa0\n",
		"\n", "\na\rb\n\r\nc\r\n\rd\ne\r\r\n", "\n",
		"\nblank at the end\n\n\n\n", "X-Huge: ",
		"\nno newline at the end",
		"Content-Length: 99999\nStatus: RO\nX-Status: A\n\nlying\n",
		"\n", "X:\ty\n  folded\n\n\t\t tabs \t\n \n"
	};
	char text[300];

	(void)snprintf(text, sizeof(text), "From: ann@example.org\n"
	    "To: nora@example.org\nDate: Sat, 21 Nov 2026 23:33:00 +0000\n"
	    "Message-ID: <%u.programs@example.org>\nSubject: number %03u\n",
	    number, number);
	to->length = 0;
	add_text(to, text);
	add_text(to, number <= MAILS ? bodies[number - 1] : "\none more\n");
	switch (number) {
	case 5:			/* its header has no line end */
		to->length--;
		break;
	case 7:
		add(to, "a\0b\n\0\n\0\0\n", 9);
		break;
	case 9:
		add_many(to, 'x', 70000);
		add_text(to, "\ny\n");
		break;
	case 11:
		while (to->length < 120000)
			add_text(to, "from here to there\n\t");
		add_text(to, "x\n\nbody\n");
		break;
	default:
		break;
	}
}

/* The number in a message's subject; 0: it has none. */
static inline unsigned int
number_of(const struct bytes *mail)
{
	static const char mark[] = "\nSubject: number ";
	const char *at = memmem(mail->at, mail->length, mark, sizeof(mark) -
	    1);
	unsigned int number = 0;
	size_t left;

	if (at == NULL)
		return (0);
	at += sizeof(mark) - 1;
	for (left = mail->length - (size_t)(at - mail->at); left > 0 &&
	    *at >= '0' && *at <= '9'; left--)
		number = number * 10 + (unsigned int)(*at++ - '0');
	return (number);
}

/* Writes mail `number` into the home, as a file of this name. */
static inline void
write_mail(const struct host *host, unsigned int number, const char *name)
{
	struct bytes mail = { NULL, 0, 0 };

	make_mail(number, &mail);
	host_write(host, name, mail.at, mail.length);
	free(mail.at);
}

/* Header fields that mail readers keep their notes in. */
static inline int
is_note(const char *line, size_t length)
{
	static const char *const fields[] = { "Content-Length:", "Lines:",
	    "Status:", "X-Status:", "X-UID:", "X-Keywords:", "X-IMAPbase:",
	    "X-IMAP:" };
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (length > strlen(fields[i]) && strncasecmp(line,
		    fields[i], strlen(fields[i])) == 0)
			return (1);
	return (0);
}

/* Of `length` bytes before a LF, those that are not CRs at the end. */
static inline size_t
without_crs(const char *line, size_t length, int all)
{
	while (length > 0 && line[length - 1] == '\r') {
		length--;
		if (!all)
			break;
	}
	return (length);
}

/*
 * A message's lines without such fields, without the CR before each LF (or
 * all of them), with one line that ends the header, and nothing in a body of
 * empty lines.
 */
static inline void
simplify(struct bytes *mail, int all_crs)
{
	struct bytes out = { NULL, 0, 0 };
	size_t at, end, length, header = 0;
	int note = 0;

	add(&out, "", 0);
	for (at = 0; at < mail->length; at = end) {
		for (end = at; end < mail->length && mail->at[end] != '\n';)
			end++;
		length = without_crs(mail->at + at, end - at, all_crs);
		end += end < mail->length;
		if (header == 0 && mail->at[at] != ' ' && mail->at[at] != '\t')
			note = is_note(mail->at + at, length);
		if (header == 0 && length > 0 && note)
			continue;
		add(&out, mail->at + at, length);
		add_text(&out, "\n");
		if (header == 0 && length == 0)
			header = out.length;
	}
	if (header == 0)
		add_text(&out, "\n");
	while (header > 0 && out.length > header &&
	    strspn(out.at + header, "\n") >= out.length - header)
		out.length--;
	free(mail->at);
	*mail = out;
}

#endif
