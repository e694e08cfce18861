/*
 * store.c - postern-store: one session's mail.
 *
 * Runs as the user whose mail it is, never as root.  What asks is net, which
 * may have been taken over: every request is checked by the table, numbers
 * by the snapshot, and nothing is deleted that was not sent whole.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "detect.h"
#include "folder.h"
#include "inbox.h"
#include "lock.h"
#include "log.h"
#include "login_delay.h"
#include "mailbox.h"
#include "maildrop.h"
#include "sandbox.h"
#include "store.h"
#include "template.h"
#include "uid.h"

static struct ipc_store_config config;
static uint64_t session;
static int state_directory = -1;
static struct mailbox mailbox;
static int is_open;
static int whole_asked;		/* FOLDER_SEND may come */
static int all_sent;		/* FOLDER_SEND came to its end */
static struct wire wire;
static struct ipc_data data_to_come;
static uint64_t pipe_room;	/* bytes that fit at once */

/* The session is over: not what it has found. */
static void __attribute__((noreturn))
leave(void)
{
	store_remember();
	exit(0);
}

void
store_answer(enum ipc_type type, const void *payload)
{
	if (ipc_send(CHILD_SESSION, type, session, payload, NULL) == -1)
		leave();
}

void
store_answer_failure(const char *why, enum failure failure)
{
	struct ipc_reason reason;

	memset(&reason, 0, sizeof(reason));
	reason.failure = failure;
	(void)strlcpy(reason.text, why, sizeof(reason.text));
	store_answer(IPC_STORE_FAILED, &reason);
}

/* The inbox has no place of its own. */
static void
close_place(void)
{
	if (mailbox.place.directory != -1)
		(void)close(mailbox.place.directory);
	lock_session_release();
}

static void
close_mailbox(void)
{
	if (is_open) {
		maildrop_end();
		mailbox.format->close(&mailbox);
		close_place();
	}
	is_open = whole_asked = all_sent = 0;
}

/* A request that net never makes: whoever sent it gets nothing more. */
static void __attribute__((noreturn))
broken_promise(const struct ipc_message *message, const char *wrong)
{
	log_fatal("event=ipc from=net message=%s error=\"%s\"",
	    ipc_name(message->header.type), wrong);
}

static void
handle_config(void *context, struct ipc_message *message)
{
	(void)context;
	config = *IPC_PAYLOAD(message, ipc_store_config);
	session = message->header.session;
}

/* A folder that is not there, or may not be opened, is empty. */
static void
open_empty(void)
{
	static const struct ipc_folder_opened nothing;

	store_answer(IPC_FOLDER_OPENED, &nothing);
}

/* Opens what the place leads to, if that is anything with mail. */
static const char *
open_place(enum folder_kind kind)
{
	const char *wrong = NULL;

	mailbox.measure_all = whole_asked;
	mailbox.rename_deleted = (int)config.mh_rename;
	memcpy(mailbox.place.locks, config.locks, sizeof(config.locks));
	mailbox.place.locks[LOCK_KINDS_MAX] = LOCK_NONE;
	mailbox.place.dotlock = DOTLOCK_BESIDE;
	mailbox.place.lock_seconds = config.lock_seconds;
	mailbox.place.pulse = CHILD_SESSION;
	mailbox.place.state = state_directory;
	mailbox.format = &mailbox_inbox;
	if (kind == FOLDER_NAMED) {
		wrong = lock_session(state_directory, &mailbox.place);
		if (wrong == NULL)
			wrong = detect_format(&mailbox);
	}
	if (wrong == NULL && mailbox.format != NULL)
		wrong = mailbox.format->open(&mailbox);
	return (wrong);
}

/*
 * Opens a folder.  NULL, or a reason, also where there is nothing to open:
 * is_open tells.
 */
static const char *
open_folder(const char *name, int whole, enum folder_kind *kind)
{
	const char *wrong;

	close_mailbox();
	memset(&mailbox, 0, sizeof(mailbox));
	whole_asked = whole;
	*kind = folder_find(name, &mailbox.place);
	if (*kind == FOLDER_NONE)
		return (NULL);
	wrong = open_place(*kind);
	if (wrong == NULL && mailbox.format != NULL) {
		is_open = 1;
		if (mailbox.absent)	/* nothing to keep others from */
			lock_session_release();
		return (NULL);
	}
	if (wrong != NULL)
		log_line(LOG_NOTICE, "event=folder folder=%s error=\"%s\"",
		    mailbox.place.label, wrong);
	close_place();
	return (wrong);
}

const char *
store_open(enum failure *failure)
{
	enum folder_kind kind;
	const char *wrong;

	*failure = FAILURE_TOO_SOON;
	if (!login_delay_is_over(state_directory, config.login_delay))
		return ("the last login was a moment ago; wait a little");
	wrong = open_folder("", 0, &kind);
	if (wrong == NULL)
		login_delay_begins(state_directory, config.login_delay);
	*failure = wrong == lock_in_use ? FAILURE_IN_USE :
	    mailbox.unfit || wrong == lock_impossible ? FAILURE_PERMANENT :
	    FAILURE_TEMPORARY;
	return (wrong);
}

struct mailbox *
store_mailbox(void)
{
	return (is_open ? &mailbox : NULL);
}

void
store_remember(void)
{
	if (is_open)
		mailbox.format->remember(&mailbox);
}

enum uid_kind
store_uids(void)
{
	return ((enum uid_kind)config.uids);
}

static void
announce(void)
{
	store_answer(IPC_DATA_FOLLOWS, &data_to_come);
}

uint32_t
store_has_room(uint64_t octets)
{
	return (octets > 0 && octets <= pipe_room);
}

struct wire *
store_begin_data(const struct ipc_data *data)
{
	data_to_come = *data;
	wire_begin(&wire, data->piped);
	return (&wire);
}

static void
handle_open(void *context, struct ipc_message *message)
{
	const struct ipc_folder_open *asked = IPC_PAYLOAD(message,
	    ipc_folder_open);
	struct ipc_folder_opened opened;
	enum folder_kind kind;
	const char *wrong;

	(void)context;
	wrong = open_folder(asked->name, asked->whole != 0, &kind);
	if (is_open) {
		if (kind == FOLDER_NAMED && mailbox.absent)
			log_line(LOG_NOTICE, "event=folder folder=%s "
			    "error=\"there is none\"", mailbox.place.label);
		opened.octets = whole_asked ? mailbox.all_octets : 0;
		opened.messages = mailbox.messages;
		opened.unused = 0;
		store_answer(IPC_FOLDER_OPENED, &opened);
		store_remember();
	} else if (wrong == NULL || (kind == FOLDER_NAMED && mailbox.unfit))
		/* What a stranger's name leads to looks like nothing. */
		open_empty();
	else
		store_answer_failure(wrong, FAILURE_OTHER);
}

/* Octets of a message as they go on the wire; 0 where there is none. */
static uint64_t
octets_of(uint64_t number)
{
	return (is_open ? mailbox.format->octets(&mailbox, number) : 0);
}

static void
handle_measure(void *context, struct ipc_message *message)
{
	const unsigned int phase = *(const unsigned int *)context;
	const uint64_t number = IPC_PAYLOAD(message,
	    ipc_message_number)->number;
	struct ipc_octets size;

	size.octets = phase == PHASE_MAILDROP ? maildrop_octets(number) :
	    octets_of(number);
	store_answer(IPC_MESSAGE_SIZE, &size);
}

static void
log_unsent(const char *wrong)
{
	log_line(LOG_NOTICE, "event=send folder=%s octets=%llu "
	    "announced=%llu error=\"%s\"", mailbox.place.label,
	    (unsigned long long)wire.written,
	    (unsigned long long)wire.announced,
	    wrong != NULL ? wrong : "the session ended");
}

/* Data that turns out not to be what was announced ends the session. */
void
store_finish_data(const char *wrong)
{
	if (wrong == NULL && wire_end(&wire) == 0)
		return;
	/* What net has not heard of, nobody was to get. */
	if (wrong != NULL || wire.is_announced)
		log_unsent(wrong);
	leave();
}

/* One that was not even begun is no reason to end: others can be sent. */
void
store_finish_message(const char *wrong)
{
	if (wrong == NULL || wire.is_announced)
		store_finish_data(wrong);
	else {
		log_unsent(wrong);
		store_answer_failure(wrong, FAILURE_TEMPORARY);
	}
}

/* Where it is known; to read that message now would keep this one waiting. */
static void
tell_next(struct ipc_data *data, uint64_t number)
{
	data->next_known = is_open &&
	    mailbox.format->dots(&mailbox, number) != UINT64_MAX;
	data->next = data->next_known ? octets_of(number) : 0;
	data->ahead = store_has_room(data->next);
}

static void
handle_send(void *context, struct ipc_message *message)
{
	uint64_t number = IPC_PAYLOAD(message, ipc_message_number)->number;
	struct ipc_data data;

	(void)context;
	data.octets = octets_of(number);
	if (data.octets == 0)
		broken_promise(message, "no such message");
	data.piped = data.octets;
	tell_next(&data, number + 1);
	store_finish_message(mailbox.format->send(&mailbox, number,
	    store_begin_data(&data)));
}

static void
handle_send_all(void *context, struct ipc_message *message)
{
	struct ipc_data data = { 0 };

	(void)context;
	if (!whole_asked)
		broken_promise(message, "the mailbox was opened without this");
	data.octets = data.piped = is_open ? mailbox.all_octets : 0;
	(void)store_begin_data(&data);
	store_finish_data(is_open ? mailbox.format->send_all(&mailbox,
	    &wire) : NULL);
	all_sent = 1;
}

static void
handle_delete(void *context, struct ipc_message *message)
{
	const uint64_t number = IPC_PAYLOAD(message,
	    ipc_message_number)->number;

	(void)context;
	/* A client of POP3 may ask for ids afterwards. */
	if (is_open && number == 1 && mailbox.format == &mailbox_inbox)
		uid_foreign_keep(&mailbox, store_uids());
	if (!is_open || mailbox.format->mark(&mailbox, number) == -1)
		broken_promise(message, "this message was not sent");
}

static void
handle_delete_all(void *context, struct ipc_message *message)
{
	uint64_t number;

	(void)context;
	if (!all_sent)
		broken_promise(message, "the mailbox was not sent");
	for (number = 1; is_open && number <= mailbox.messages; number++)
		if (mailbox.format->mark(&mailbox, number) == -1)
			broken_promise(message, "this message was not sent");
}

static void
handle_commit(void *context, struct ipc_message *message)
{
	struct ipc_committed committed = { 0, 0 };
	const char *wrong = NULL;

	(void)context;
	(void)message;
	if (is_open && (wrong = maildrop_give_marks()) == NULL)
		wrong = mailbox.format->commit(&mailbox, &committed.deleted);
	if (wrong == NULL)
		maildrop_committed(committed.deleted);
	committed.gone = mailbox.gone;
	if (wrong != NULL || committed.deleted > 0)
		log_line(wrong != NULL ? LOG_ERR : LOG_INFO, "event=commit "
		    "peer=%s folder=%s deleted=%u%s%s%s", config.peer,
		    mailbox.place.label, committed.deleted,
		    wrong != NULL ? " error=\"" : "", wrong != NULL ? wrong :
		    "", wrong != NULL ? "\"" : "");
	close_mailbox();
	if (wrong != NULL)
		store_answer_failure(wrong, FAILURE_TEMPORARY);
	else
		store_answer(IPC_COMMITTED, &committed);
}

static void
handle_close(void *context, struct ipc_message *message)
{
	(void)context;
	(void)message;
	close_mailbox();
	store_answer(IPC_FOLDER_CLOSED, NULL);
}

static const struct ipc_handler net_handlers[] = {
	{ IPC_FOLDER_OPEN, handle_open },
	{ IPC_MESSAGE_MEASURE, handle_measure },
	{ IPC_MESSAGE_SEND, handle_send },
	{ IPC_FOLDER_SEND, handle_send_all },
	{ IPC_MESSAGE_DELETE, handle_delete },
	{ IPC_FOLDER_DELETE, handle_delete_all },
	{ IPC_COMMIT, handle_commit },
	{ IPC_FOLDER_CLOSE, handle_close },
	{ IPC_MAILDROP_OPEN, store_maildrop_open },
	{ IPC_MESSAGE_GET, store_message_get },
	{ IPC_MAILDROP_LIST, store_maildrop_list },
	{ IPC_MESSAGE_IDENTIFY, store_message_identify },
	{ IPC_MESSAGE_MARK, store_message_mark },
	{ IPC_MAILDROP_UNMARK, store_maildrop_unmark },
};
static const struct ipc_handler parent_handlers[] = {
	{ IPC_STORE_CONFIG, handle_config },
};

static unsigned int
phase_after(enum ipc_type request, unsigned int phase)
{
	switch (request) {
	case IPC_FOLDER_OPEN:
		return (PHASE_FOLDER);
	case IPC_MAILDROP_OPEN:
		return (PHASE_MAILDROP);
	case IPC_COMMIT:
	case IPC_FOLDER_CLOSE:
		return (PHASE_NO_FOLDER);
	default:
		return (phase);
	}
}

/*
 * A file that takes hours to read must not hold the session's place for as
 * long when its client has gone.  A commit is not left half way for that:
 * many clients close behind QUIT.
 */
static int
is_unwanted(void)
{
	struct pollfd net = { CHILD_SESSION, 0, 0 };	/* its end */

	return (poll(&net, 1, 0) == 1);
}

/* Waits for net; its silence, its end and the parent's end are the end. */
static void
serve(unsigned int *phase)
{
	static const struct ipc_channel channel = { ROLE_NET, ROLE_STORE,
	    net_handlers, sizeof(net_handlers) / sizeof(net_handlers[0]) };
	static struct ipc_message message;
	struct pollfd polled[2] = { { CHILD_SESSION, POLLIN, 0 },
	    { CHILD_CONTROL, POLLIN, 0 } };
	const char *wrong;
	int got;

	got = poll(polled, 2, wire.timeout_ms);
	if (got == -1)
		return;
	if (got == 0 || polled[1].revents != 0)
		leave();
	if ((got = ipc_receive(CHILD_SESSION, &message)) == 0)
		leave();
	wrong = got == 1 ? ipc_check(&message, ROLE_NET, ROLE_STORE, *phase) :
	    "not a message";
	if (wrong == NULL && message.header.session != session)
		wrong = "wrong session";
	lines_unwanted = message.header.type == IPC_COMMIT ? NULL :
	    is_unwanted;
	if (wrong == NULL)
		wrong = ipc_dispatch(&channel, *phase, &message, phase);
	if (wrong != NULL)
		broken_promise(&message, wrong);
	*phase = phase_after(message.header.type, *phase);
	ipc_release(&message);
}

static void
expand_folder_root(void)
{
	const char *name = config.system_name[0] != '\0' ?
	    config.system_name : config.user;
	char path[PATH_SIZE];
	size_t length;

	if (config.folder_root[0] == '\0')
		return;
	if (template_expand(config.folder_root, name, config.home, path,
	    sizeof(path)) == -1)
		path[0] = '\0';	/* no home, no folders */
	for (length = strlen(path); length > 1 && path[length - 1] == '/';
	    length--)
		path[length - 1] = '\0';
	(void)strlcpy(config.folder_root, path, sizeof(config.folder_root));
}

/* Its locks, journals and indexes are there: else no mailbox is served. */
static void
open_state_directory(void)
{
	char name[LOG_QUOTED_SIZE];

	state_directory = open(config.state_directory,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state_directory == -1)
		log_line(LOG_ERR, "event=lock file=%s error=\"%s\"",
		    log_quote(name, sizeof(name), config.state_directory),
		    strerror(errno));
}

static void
shut_sandbox(void)
{
	struct sandbox_path paths[INBOX_SANDBOX_PATHS + 2] = {
		{ config.folder_root, SANDBOX_CREATE },
		{ config.state_directory, SANDBOX_CREATE },
	};

	sandbox_files(paths, inbox_sandbox(paths, 2), config.start.without);
	sandbox_enter(&sandbox_store, config.start.without);
}

/* What one write puts into the pipe when that is empty. */
static uint64_t
room_of_pipe(void)
{
#ifdef F_GETPIPE_SZ
	/* Where its owner has very many pipes, less than usual. */
	const int size = fcntl(CHILD_DATA, F_GETPIPE_SZ);

	return (size < 0 ? 0 : size < RELAY_BYTES ? (uint64_t)size :
	    RELAY_BYTES);
#else
	return (PIPE_BYTES_LEAST);
#endif
}

int
main(void)
{
	static char prefix[USER_SIZE + 64];
	unsigned int phase = PHASE_NO_FOLDER;

	(void)umask(077);
	child_receive_settings(ROLE_STORE, parent_handlers,
	    sizeof(parent_handlers) / sizeof(parent_handlers[0]), NULL);
	if (sodium_init() == -1)
		log_fatal("event=start error=\"libsodium cannot start\"");
	(void)snprintf(prefix, sizeof(prefix), "session=%u-%llu user=%s ",
	    config.net, (unsigned long long)session, config.user);
	log_prefix(prefix);
	inbox_begin(&config);
	expand_folder_root();
	open_state_directory();
	folder_begin(&config);
	/* The parent makes both ends for net, which does not wait. */
	(void)fcntl(CHILD_SESSION, F_SETFL, 0);
	wire.fd = CHILD_DATA;
	pipe_room = room_of_pipe();
	wire.announce = announce;
	/* Net's own timer is the one that counts; this one is a safeguard. */
	wire.timeout_ms = (int)(config.idle_seconds + 60) * 1000;
	child_limit(RLIMIT_NOFILE, 32);
	child_limit(RLIMIT_NPROC, 0);
	/* A file that may not grow is an error, and not the end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	shut_sandbox();
	store_answer(IPC_STORE_READY, NULL);
	for (;;)
		serve(&phase);
}
