/*
 * session.h - one client: its connection, its protocol's state, its store.
 */
#ifndef SESSION_H
#define SESSION_H

#include <sys/types.h>
#include <sys/queue.h>

#include <event.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "ipc.h"

struct session;
struct tls;

/* How a row reads what stands behind its verb. */
enum argument_rule {
	ARGUMENT_NONE,
	ARGUMENT_TEXT,		/* RFC 918: the rest of the line, as it is */
	ARGUMENT_MAILBOX,	/* RFC 937 <string>, with quotes */
	ARGUMENT_LOGIN,		/* RFC 937 <user> <SP> <password>, quoted */
	ARGUMENT_NUMBER,	/* RFC 937 [<number>] */
	ARGUMENT_MESSAGE,	/* RFC 1939: a number */
	ARGUMENT_TOP,		/* RFC 1939: two numbers */
	ARGUMENT_WORDS		/* the rest of the line, or nothing */
};

struct command {
	char *text;		/* user, mailbox, or the line's rest */
	char *password;
	int has_number;
	uint64_t number;	/* as large as it can be where it is larger */
	uint64_t lines;		/* the second number, likewise */
};

/*
 * One row of a protocol's table: in these states this verb, with such an
 * argument, is handled so; when the reply is a success the next state is
 * `next`.  What has no row is refused.
 */
struct protocol_row {
	const char *verb;
	unsigned int states;		/* bits: 1 << state */
	enum argument_rule argument;
	void (*handle)(struct session *session, struct command *command);
	unsigned int next;
};

struct protocol {
	enum pop_protocol id;
	const char *name;
	const struct protocol_row *rows;
	size_t row_count;
	const char *const *states;	/* their names */
	unsigned int first_state;
	unsigned int done_state;	/* the reply to QUIT was sent */
	const char *error;		/* "-" or "-ERR" */
	const char *trouble;		/* before reasons that will pass */
	size_t line_octets;		/* the longest line, with its end */
	int errors_close;		/* "if anything goes wrong close" */
	int silent_timeout;		/* and without a word (RFC 1939) */
	int bare_data;			/* mail comes without a reply before
					   it */
	int greets_everybody;		/* it refuses passwords itself, from
					   where they must not come */

	/* The greeting; the connection is open. */
	void (*greet)(struct session *session);

	/* Answers to what a handler asked; any but the first may be NULL. */
	void (*login_refused)(struct session *session);
	void (*store_ready)(struct session *session);
	void (*folder_opened)(struct session *session,
	    const struct ipc_folder_opened *opened);
	void (*size_known)(struct session *session, uint64_t octets);
	void (*data_follows)(struct session *session,
	    const struct ipc_data *data);
	/* All of it is out of the pipe, though not yet with the client. */
	void (*data_taken)(struct session *session);
	void (*data_sent)(struct session *session);
	void (*committed)(struct session *session,
	    const struct ipc_committed *committed);
	void (*folder_closed)(struct session *session);
	void (*store_failed)(struct session *session,
	    const struct ipc_reason *reason);
	void (*maildrop_state)(struct session *session,
	    const struct ipc_maildrop_state *now);
	void (*uid_known)(struct session *session, const char *uid);

	/* A line in the state `response_state` is no command. */
	void (*response)(struct session *session, char *line);
	unsigned int response_state;
};

extern const struct protocol protocol_auto, protocol_pop1, protocol_pop2,
    protocol_pop3;

/* A login on its way; its password is wiped when an authenticator has it. */
struct login {
	TAILQ_ENTRY(login) entry;
	struct source *source;		/* login_turns.c's */
	struct session *session;	/* while it has not been sent */
	uint64_t id;			/* of the session, once it has */
	uint64_t sent_ms;		/* when, by clock_now_ms */
	struct ipc_login message;
};
TAILQ_HEAD(login_list, login);

/* What was asked of the store before its client did. */
enum ahead_state {
	AHEAD_NONE,
	AHEAD_ASKED,
	AHEAD_THERE,			/* it waits in the pipe */
	AHEAD_UNWANTED			/* asked for, and to be thrown away */
};

struct ahead {
	enum ahead_state state;
	int allowed;			/* the store has room for it */
	uint64_t last;			/* what was sent before, 0: nothing */
	enum ipc_type request;
	struct ipc_message_get wanted;	/* its number alone, for POP2 */
	struct ipc_data data;
};

struct session {
	TAILQ_ENTRY(session) entry;	/* among those not logged in */
	uint64_t id;
	int fd;
	const struct protocol *protocol;
	const struct protocol_row *row;	/* the command being answered */
	unsigned int state;
	unsigned int phase;		/* enum ipc_phase, 0: asked nothing */
	uint32_t quirks;
	unsigned int tries;		/* failed logins */
	unsigned int bad_commands;

	unsigned int logged_in : 1;	/* a store is there */
	unsigned int relaying : 1;	/* mail is under way */
	unsigned int splicing : 1;	/* past the relay's buffer */
	unsigned int data_ready : 1;	/* the pipe from the store has some */
	unsigned int lingering : 1;	/* over; waiting for the client's end */
	unsigned int finishing : 1;	/* over when the reply is sent */
	unsigned int gone : 1;		/* the client closed while it waited */
	unsigned int deleting : 1;	/* POP1: RDEL, not RETR */
	unsigned int asked_auth : 1;	/* and there is no answer yet */
	unsigned int refused : 1;	/* it is; to be told in a while */
	unsigned int may_login : 1;	/* TLS, or an address of `cleartext` */
	unsigned int start_tls : 1;	/* when the reply is out */
	unsigned int shaking_hands : 1;	/* TLS is beginning */
	unsigned int greeted : 1;
	unsigned int next_known : 1;	/* POP2: the next message's octets */

	struct tls *tls;		/* NULL: clear text */
	struct event client_event;	/* reading or writing */
	struct event timer;
	struct event store_event;
	struct event data_event;

	size_t have;			/* octets in `line` */
	size_t reply_length, reply_sent;
	char line[SASL_LINE_OCTETS_MAX];
	char reply[LINE_OCTETS_MAX];

	int store;			/* channel to the store, -1 */
	int data;			/* pipe from the store, -1 */
	unsigned char *relay;		/* a buffer, while relaying */
	size_t relay_size, relay_have, relay_sent;
	size_t relay_reply;		/* of relay_have, not sent yet */
	uint64_t relay_left;		/* octets still to come */
	const char *trailer;		/* what is sent behind them */

	struct ahead ahead;

	struct login *login;		/* not yet sent to auth */
	uint64_t current;		/* RFC 937's current message */
	uint64_t size;			/* its octets, as the store has them */
	uint64_t next_size;		/* of the one behind it, if known */
	uint64_t folder_octets;
	uint32_t folder_messages;
	uint32_t marked;		/* POP3: to be deleted */

	/* for the log */
	time_t began;
	uint64_t messages_sent, octets_sent, messages_deleted;
	char end_reason[REASON_SIZE];
	char peer[PEER_SIZE];
	char user[USER_SIZE];
	char folder[FOLDER_SIZE];
};

/* session.c */

/* Takes a new connection; `fd` is its own from now on. */
void	session_begin(int fd, const char *peer, int cleartext_allowed,
	    const struct ipc_net_listener *listener);

/* How many connections there are. */
size_t	session_count(void);

/* No further commands; sessions end when theirs are answered. */
void	session_stop_all(void);

/* The session of this id, or NULL when it has ended. */
struct session *session_find(uint64_t id);

/* Makes the table of connections, and keeps what the settings say. */
void	session_limits(const struct ipc_net_config *config);

/* A store has come: the session is no stranger's any more. */
void	session_logged_in(struct session *session);

/*
 * Its store has ended, and its place among its user's sessions is free: it is
 * one of the strangers again, and has as long as they to end.
 */
void	session_lost_store(struct session *session);

/* For protocols' handlers. */

/* One reply line, CRLF added; text that does not print becomes "?". */
void	session_reply(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* A further line of the same reply. */
void	session_reply_more(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* The command has succeeded: its row's next state. */
void	session_succeed(struct session *session);

/* The one transition of states. */
void	session_enter(struct session *session, unsigned int state);

/* The protocol's error, then the end of the connection. */
void	session_fail(struct session *session, const char *reason);

/* The same where the server is at fault, and for some time only. */
void	session_trouble(struct session *session, const char *reason);

/*
 * The protocol's error to a command: the end of the connection where the
 * protocol's rule is so, else the state stays as it is.
 */
void	session_refuse(struct session *session, const char *reason);

/* The end of the connection, when the reply is out. */
void	session_finish(struct session *session, const char *reason);

/*
 * Sends so many octets from the store, and the trailer (RELAY_TRAILER at the
 * most), to the client, behind the reply; then data_sent.
 */
void	session_relay(struct session *session, uint64_t octets,
	    const char *trailer);

/* The same for what must be as long as the client was told before. */
void	session_relay_known(struct session *session,
	    const struct ipc_data *data, const char *trailer);

/* There is no TLS yet, nobody has logged in, and there is a certificate. */
int	session_may_start_tls(const struct session *session);

/*
 * RFC 2595's STLS: `reply`, then TLS, and the protocol's first state; all that
 * was said before is forgotten.  Octets that came behind the command in clear
 * text end the connection.
 */
void	session_start_tls(struct session *session, const char *reply);

/* Notes who wants to log in. */
void	session_user(struct session *session, const char *user);

/* Asks auth; the password is wiped from `password` and soon from here. */
void	session_login(struct session *session, char *password);

/* Asks the store; the answer comes by the protocol's functions. */
void	session_ask(struct session *session, enum ipc_type request,
	    const void *payload, unsigned int phase);
void	session_open_folder(struct session *session, const char *name,
	    int whole);			/* whole: FOLDER_SEND will follow */
void	session_measure(struct session *session, uint64_t number);

/* "net-number": how every log line names the session. */
const char *session_name(const struct session *session);

/* The host name of greetings, and all settings. */
const char *session_host(void);
const struct ipc_net_config *session_settings(void);

/* Something happened elsewhere: replies go out, commands come in. */
void	session_run(struct session *session);

/* The login is refused: told in a while, also to a client who has closed. */
void	session_refused(struct session *session);

/* Octets moved: T2 begins anew. */
void	session_progress(struct session *session);

/* The client has no room: session_run is called when it has. */
void	session_wait_to_send(struct session *session);

#define RELAY_TRAILER	3	/* octets at the most */

/*
 * stream.c: a client's octets, in clear text or by TLS.  As recv(2) and
 * send(2), where `more` tells that the next write comes soon; stream_flush: is
 * all out that stream_write took?  1, 0: the socket has no room, -1: never.
 */
ssize_t	stream_read(struct session *session, void *to, size_t size);
ssize_t	stream_write(struct session *session, const void *from,
	    size_t size, int more);
int	stream_flush(struct session *session);

/* Octets are here that the socket will not tell of. */
int	stream_pending(const struct session *session);

/*
 * Goes on with the handshake: 1 when TLS has begun, 0 when it waits (for
 * `what`), -1 when it has failed.  Both ends of it are logged.
 */
int	stream_handshake(struct session *session, short *what);

/*
 * splice_*.c: moves what a pipe has to a client in clear text, and copies
 * nothing; as stream_write, and 0 at the pipe's end.  EAGAIN may be said for
 * either.
 */
int	splice_works(void);		/* not on every system */
ssize_t	splice_octets(int pipe, int client, size_t length, int more);

/* No further octets by TLS. */
void	stream_end_tls(struct session *session);

/*
 * relay.c: begins; -1: there is no memory.  relay_end: wipes and frees what it
 * has, also in the middle.
 */
int	relay_begin(struct session *session, uint64_t octets);
void	relay_end(struct session *session);

/* The reply before the mail is with it, and nothing of it is out. */
int	relay_holds_reply(const struct session *session);

/* Moves what can be moved; called when either side is ready. */
void	relay_run(struct session *session);

/*
 * ahead.c: asks for a message that the client has not asked for, once the one
 * before it is out of the pipe.
 */
void	ahead_ask(struct session *session, enum ipc_type request,
	    uint64_t number);

/*
 * Called before each request to the store: 1 when it was made before, and its
 * answer is here or comes as any other.
 */
int	ahead_answers(struct session *session, enum ipc_type request,
	    const void *payload);

/* An answer, while one to that message is due; as ipc_dispatch. */
const char *ahead_hear(struct session *session, struct ipc_message *message);

/* login.c: the queue before the authenticators. */
void	login_begin(int auth_channel);

/* Takes the login; -1: there is no memory for it, and it stays the caller's. */
int	login_enqueue(struct session *session, struct login *login);

/* The session no longer waits. */
void	login_withdraw(struct session *session);

/* An answer came: the session that waits for it, or NULL. */
struct session *login_answered(uint64_t id);

/* An authenticator died: all that was asked is answered with an error. */
void	login_lost(void);

/*
 * login_turns.c: whose login is next.  One that was added waits until it is
 * removed, or asked; one that was asked counts until it is answered, or lost.
 */
void	turns_begin(void);
int	turns_add(struct login *login);		/* -1: no memory */
void	turns_remove(struct login *login);
struct login *turns_next(void);			/* NULL: none; it still waits */
void	turns_ask(struct login *login);		/* that one */
void	turns_answered(struct login *login);

/* store_link.c: a session's store. */
void	store_link_attach(struct session *session, int store, int data);
void	store_link_close(struct session *session);

/* The store has told of data: it is checked, and the protocol hears of it. */
void	store_link_data(struct session *session, const struct ipc_data *data);

/*
 * plain.c: takes an answer to AUTH PLAIN apart (RFC 4616), in place: base64 of
 * [name] NUL user NUL password.  NULL, or what is wrong with it.
 */
const char *plain_read(char *text, const char **user, char **password);

/* command.c */

/*
 * Finds the row for a line (ended by NUL, without its CRLF) and reads its
 * argument in place.  Returns NULL, or what is wrong.
 */
const char *command_read(const struct protocol *protocol, unsigned int state,
	    char *line, const struct protocol_row **row,
	    struct command *command);

#endif
