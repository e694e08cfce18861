/*
 * forms_test.c - the same messages in all forms are the same mail.
 *
 * A thousand awkward messages, in each of the five forms that a mailbox has,
 * through the real daemon: octet for octet the same by POP2 and by POP1, and
 * so again when the administrator's tool has converted them around, or there
 * and back.  `-v messages=1000` converts all of them there and back.
 */
#include "forms.h"

#define MESSAGES	1000
#define FEW		80	/* each kind of message twice */

typedef void (*maker)(unsigned int, struct bytes *);

/* All of a folder by POP2. */
static void
read_all(const struct server *server, const char *folder, unsigned int count,
    maker make)
{
	struct bytes message = { NULL, 0, 0 }, wire = { NULL, 0, 0 };
	char text[600], size[40];
	unsigned int number;
	int fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#");

	(void)printf("folder %s\n", folder);
	add(&message, "", 0);
	(void)snprintf(text, sizeof(text), "FOLD %s", folder);
	(void)snprintf(size, sizeof(size), "#%u message", count);
	client_say(fd, text, size);
	for (number = 1; number <= count; number++) {
		make(number, &message);
		make_wire(&message, &wire);
		(void)printf("message %u, %zu octets\n", number, wire.length);
		(void)snprintf(text, sizeof(text), "READ %u", number);
		(void)snprintf(size, sizeof(size), "=%zu ", wire.length);
		client_say(fd, text, size);
		client_send(fd, "RETR\r\n");
		client_expect_bytes(fd, wire.at, wire.length);
		client_say(fd, "ACKS", "=");
	}
	client_say(fd, "QUIT", "+");
	client_expect_close(fd);
	free(message.at);
	free(wire.at);
}

/* What POP1 sends of the whole: an mbox as it is, others quoted. */
static void
make_whole(unsigned int count, int quotes, maker make, struct bytes *whole)
{
	struct bytes message = { NULL, 0, 0 };
	unsigned int number;

	add(&message, "", 0);
	whole->length = 0;
	for (number = 1; number <= count; number++) {
		make(number, &message);
		add_from_line(whole, number, &message, "\r\n");
		add_crlf(whole, &message, quotes);
		add_text(whole, "\r\n");
	}
	free(message.at);
}

static void
read_whole(const struct server *server, const char *folder,
    unsigned int count, int quotes, maker make)
{
	struct bytes whole = { NULL, 0, 0 };
	char text[600], size[40];
	int fd = pop1_login(server, 0, FRED, FRED_PASSWORD);

	make_whole(count, quotes, make, &whole);
	(void)printf("whole folder %s, %zu octets\n", folder, whole.length);
	(void)snprintf(text, sizeof(text), "RETR %s", folder);
	(void)snprintf(size, sizeof(size), "#%zu", whole.length);
	client_say(fd, text, size);
	client_send(fd, "RCEV\r\n");
	client_expect_bytes(fd, whole.at, whole.length);
	client_say(fd, "RCVD", "+OK");
	client_say(fd, "QUIT", "+OK");
	client_expect_close(fd);
	free(whole.at);
}

ATF_TC(the_same_mail);
ATF_TC_HEAD(the_same_mail, tc)
{
	atf_tc_set_md_var(tc, "timeout", "900");
}
ATF_TC_BODY(the_same_mail, tc)
{
	struct server server;
	char folder[40];
	int form;

	(void)tc;
	server_start(&server, NULL);
	for (form = 0; form < FORMS; form++) {
		(void)snprintf(folder, sizeof(folder), "mail/%s",
		    form_names[form]);
		write_form(&server, folder, (enum form)form, MESSAGES,
		    make_message);
		read_all(&server, folder + 5, MESSAGES, make_message);
		read_whole(&server, folder + 5, MESSAGES, form != MBOX,
		    make_message);
	}
	server_stop(&server);
}

/* Converts one folder of FRED's into another; it must say this much. */
static void
convert(const struct server *server, const char *from, const char *to,
    enum form form, unsigned int count, unsigned int quoted)
{
	static char output[65536];
	char libexec[300], old[600], new[600], expected[80];
	const char *const arguments[] = { program("posternctl"), "mailbox",
	    "-l", libexec, "convert", "-t", form_names[form], old, new, NULL };

	(void)snprintf(libexec, sizeof(libexec), "%s/libexec",
	    server->directory);
	(void)snprintf(old, sizeof(old), "%s/home/%s/mail/%s",
	    server->directory, FRED, from);
	(void)snprintf(new, sizeof(new), "%s/home/%s/mail/%s",
	    server->directory, FRED, to);
	(void)printf("convert %s to %s\n", from, to);
	ATF_REQUIRE_MSG(run(arguments, NULL, output, sizeof(output)) == 0,
	    "%s to %s: %s", from, to, output);
	(void)printf("%s", output);
	(void)snprintf(expected, sizeof(expected), "\nmessages=%u\n", count);
	ATF_REQUIRE_MSG(strstr(output, expected) != NULL, "%s to %s", from,
	    to);
	(void)snprintf(expected, sizeof(expected), "\nquoted=%u\n"
	    "other-dates=0\n", quoted);
	ATF_REQUIRE_MSG(strstr(output, expected) != NULL, "%s to %s", from,
	    to);
}

/* Around, through every form, and back to the first. */
ATF_TC(around);
ATF_TC_HEAD(around, tc)
{
	atf_tc_set_md_var(tc, "timeout", "900");
}
ATF_TC_BODY(around, tc)
{
	static const enum form way[] = { MH, MTX, MAILDIR, TENEX, MBOX };
	struct server server;
	char from[40] = "begin", to[40];
	size_t i;

	(void)tc;
	server_start(&server, NULL);
	write_form(&server, "mail/begin", MBOX, MESSAGES, make_message);
	for (i = 0; i < FORMS; i++) {
		(void)snprintf(to, sizeof(to), "%zu", i);
		convert(&server, from, to, way[i], MESSAGES, 0);
		read_all(&server, to, MESSAGES, make_message);
		/* Senders and dates are there still. */
		read_whole(&server, to, MESSAGES, way[i] != MBOX,
		    make_message);
		(void)strlcpy(from, to, sizeof(from));
	}
	server_stop(&server);
}

static void
write_here(const struct server *server, enum form form, unsigned int count,
    maker make)
{
	char folder[40];

	(void)snprintf(folder, sizeof(folder), "mail/%s", form_names[form]);
	write_form(server, folder, form, count, make);
}

/*
 * A mailbox of form `from` into one of form `to`, and that back again: `make`
 * says what the mail is then, in both; dates and senders are there still.
 */
static void
go_there_and_back(const struct server *server, enum form from, enum form to,
    unsigned int count, unsigned int quoted, maker make)
{
	char there[40], back[60];

	(void)snprintf(there, sizeof(there), "%s-%s", form_names[from],
	    form_names[to]);
	(void)snprintf(back, sizeof(back), "%s-back", there);
	convert(server, form_names[from], there, to, count, quoted);
	read_all(server, there, count, make);
	convert(server, there, back, from, count, 0);
	read_all(server, back, count, make);
	read_whole(server, back, count, from != MBOX, make);
}

/* From each form to each, the same one too. */
ATF_TC(there_and_back);
ATF_TC_HEAD(there_and_back, tc)
{
	atf_tc_set_md_var(tc, "timeout", "900");
}
ATF_TC_BODY(there_and_back, tc)
{
	const unsigned int count = (unsigned int)
	    atf_tc_get_config_var_as_long_wd(tc, "messages", FEW);
	struct server server;
	int from, to;

	server_start(&server, NULL);
	for (from = 0; from < FORMS; from++) {
		write_here(&server, (enum form)from, count, make_message);
		for (to = 0; to < FORMS; to++)
			go_there_and_back(&server, (enum form)from,
			    (enum form)to, count, 0, make_message);
	}
	server_stop(&server);
}

/*
 * What an mbox cannot hold is quoted there, in as many messages as is said,
 * and stays so; between the other forms it goes as it is.
 */
ATF_TC_WITHOUT_HEAD(quoted_as_told);
ATF_TC_BODY(quoted_as_told, tc)
{
	unsigned int quoted = 0;
	struct server server;
	int from, to;
	size_t i;

	(void)tc;
	server_start(&server, NULL);
	for (i = 0; i < QUOTABLES; i++)
		quoted += strcmp(quotables[i].text, quotables[i].quoted) != 0;
	ATF_REQUIRE(quoted > 0 && quoted < QUOTABLES);
	for (from = MBOX + 1; from < FORMS; from++) {
		write_here(&server, (enum form)from, QUOTABLES, make_quotable);
		for (to = 0; to < FORMS; to++)
			go_there_and_back(&server, (enum form)from,
			    (enum form)to, QUOTABLES, to == MBOX ? quoted : 0,
			    to == MBOX ? make_quoted : make_quotable);
	}
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, the_same_mail);
	ATF_TP_ADD_TC(tp, around);
	ATF_TP_ADD_TC(tp, there_and_back);
	ATF_TP_ADD_TC(tp, quoted_as_told);
	return (atf_no_error());
}
