/*
 * forms_test.c - the same messages in all forms are the same mail.
 *
 * A thousand awkward messages, in each of the five forms that a mailbox has,
 * through the real daemon: octet for octet the same by POP2 and by POP1, and
 * so again when the administrator's tool has converted them around.
 */
#include "forms.h"

#define MESSAGES	1000
#define FEW		80

/* All of a folder by POP2. */
static void
read_all(const struct server *server, const char *folder, unsigned int count)
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
		make_message(number, &message);
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
make_whole(unsigned int count, int quotes, struct bytes *whole)
{
	struct bytes message = { NULL, 0, 0 };
	unsigned int number;

	add(&message, "", 0);
	whole->length = 0;
	for (number = 1; number <= count; number++) {
		make_message(number, &message);
		add_from_line(whole, number, &message, "\r\n");
		add_crlf(whole, &message, quotes);
		add_text(whole, "\r\n");
	}
	free(message.at);
}

static void
read_whole(const struct server *server, const char *folder,
    unsigned int count, int quotes)
{
	struct bytes whole = { NULL, 0, 0 };
	char text[600], size[40];
	int fd = pop1_login(server, 0, FRED, FRED_PASSWORD);

	make_whole(count, quotes, &whole);
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
		write_form(&server, folder, (enum form)form, MESSAGES);
		read_all(&server, folder + 5, MESSAGES);
		read_whole(&server, folder + 5, MESSAGES, form != MBOX);
	}
	server_stop(&server);
}

/* Converts one folder of FRED's into another; it must say this much. */
static void
convert(const struct server *server, const char *from, const char *to,
    enum form form, unsigned int count)
{
	static char output[65536];
	char libexec[300], old[600], new[600], expected[40];
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
	(void)snprintf(expected, sizeof(expected), "\nmessages=%u\n", count);
	ATF_REQUIRE_MSG(strstr(output, expected) != NULL &&
	    strstr(output, "\nquoted=0\n") != NULL &&
	    strstr(output, "\nother-dates=0\n") != NULL, "%s to %s: %s", from,
	    to, output);
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
	write_form(&server, "mail/begin", MBOX, MESSAGES);
	for (i = 0; i < FORMS; i++) {
		(void)snprintf(to, sizeof(to), "%zu", i);
		convert(&server, from, to, way[i], MESSAGES);
		read_all(&server, to, MESSAGES);
		/* Senders and dates are there still. */
		read_whole(&server, to, MESSAGES, way[i] != MBOX);
		(void)strlcpy(from, to, sizeof(from));
	}
	server_stop(&server);
}

/* From each form to each, the same one too. */
ATF_TC(each_to_each);
ATF_TC_HEAD(each_to_each, tc)
{
	atf_tc_set_md_var(tc, "timeout", "900");
}
ATF_TC_BODY(each_to_each, tc)
{
	struct server server;
	char folder[80];
	int from, to;

	(void)tc;
	server_start(&server, NULL);
	for (from = 0; from < FORMS; from++) {
		(void)snprintf(folder, sizeof(folder), "mail/%s",
		    form_names[from]);
		write_form(&server, folder, (enum form)from, FEW);
		for (to = 0; to < FORMS; to++) {
			(void)snprintf(folder, sizeof(folder), "%s-%s",
			    form_names[from], form_names[to]);
			convert(&server, form_names[from], folder,
			    (enum form)to, FEW);
			read_all(&server, folder, FEW);
		}
	}
	server_stop(&server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, the_same_mail);
	ATF_TP_ADD_TC(tp, around);
	ATF_TP_ADD_TC(tp, each_to_each);
	return (atf_no_error());
}
