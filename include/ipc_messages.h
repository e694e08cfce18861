/*
 * ipc_messages.h - every message that one Postern process may send another.
 *
 * This list is the whole of it.  The receiver's checks (ipc_check) are made
 * from it: a message whose sender, receiver, phase, size or number of
 * descriptors differs from its row, or that has a string without an end, is
 * refused.  Payloads are plain structs between programs of one build.
 *
 * Rows: name, sender, receiver, phases of the receiver in which it may
 * come, payload, descriptors.
 */
#ifndef IPC_MESSAGES_H
#define IPC_MESSAGES_H

#include <sys/types.h>

#include <stdint.h>

#include "limits_postern.h"

enum ipc_role {
	ROLE_PARENT,
	ROLE_NET,
	ROLE_AUTH,
	ROLE_STORE,
	ROLE_LOCK,
	ROLE_KEYS,
	ROLE_CONFIG,
	ROLE_CHILD		/* any child: only a row's sender or receiver */
};

/* Phases of a receiver, one bit each. */
enum ipc_phase {
	PHASE_CONFIGURE = 1 << 0,	/* a child that is told its settings */
	PHASE_RUN = 1 << 1,		/* a process that has started */

	/* a store, about its own session */
	PHASE_NO_FOLDER = 1 << 2,	/* sandboxed, nothing open */
	PHASE_FOLDER = 1 << 3,		/* a snapshot is open */
	PHASE_WAIT_LOCK = 1 << 11,	/* it asked for a dotlock */
	PHASE_MAILDROP = 1 << 12,	/* the same, for POP3 */

	/* net, about one session: what it waits for */
	PHASE_WAIT_AUTH = 1 << 4,	/* a verdict from auth, or a store */
	PHASE_WAIT_STORE = 1 << 5,	/* a new store's readiness */
	PHASE_WAIT_FOLDER = 1 << 6,	/* a folder's message count */
	PHASE_WAIT_SIZE = 1 << 7,	/* a message's octets */
	PHASE_WAIT_DATA = 1 << 8,	/* leave to read the data pipe */
	PHASE_WAIT_COMMIT = 1 << 9,	/* the end of a commit */
	PHASE_WAIT_CLOSE = 1 << 10,	/* a folder's locks to be gone */
	PHASE_WAIT_MAILDROP = 1 << 15,	/* POP3's mailbox to be open */
	PHASE_WAIT_STATE = 1 << 13,	/* what is in it now */
	PHASE_WAIT_UID = 1 << 14	/* a message's unique id */
};

#define PHASE_WAIT_ANY_STORE (PHASE_WAIT_STORE | PHASE_WAIT_FOLDER | \
    PHASE_WAIT_SIZE | PHASE_WAIT_DATA | PHASE_WAIT_COMMIT |		\
    PHASE_WAIT_CLOSE | PHASE_WAIT_MAILDROP | PHASE_WAIT_STATE |	\
    PHASE_WAIT_UID)

#define IPC_MESSAGE_LIST(X)						\
	/* the configuration, before anything else runs */		\
	X(CONFIG_FILE,	 PARENT, CONFIG, PHASE_CONFIGURE, config_file, 1) \
	X(CONFIG_PARENT, CONFIG, PARENT, PHASE_CONFIGURE, parent_config, 0) \
	X(CONFIG_NET,	 CONFIG, PARENT, PHASE_CONFIGURE, net_config, 0) \
	X(CONFIG_AUTH,	 CONFIG, PARENT, PHASE_CONFIGURE, auth_config, 0) \
	X(CONFIG_LOCK,	 CONFIG, PARENT, PHASE_CONFIGURE, lock_config, 0) \
	X(CONFIG_STORE,	 CONFIG, PARENT, PHASE_CONFIGURE, store_config, 0) \
	X(CONFIG_ADDRESS, CONFIG, PARENT, PHASE_CONFIGURE, config_address, 0) \
	X(CONFIG_PAIR,	 CONFIG, PARENT, PHASE_CONFIGURE, config_pair, 0) \
	/* settings, before a child runs */				\
	X(NET_CONFIG,	 PARENT, NET,	PHASE_CONFIGURE, net_config, 0)	\
	X(NET_LISTENER,	 PARENT, NET,	PHASE_CONFIGURE, net_listener, 1) \
	X(NET_AUTH,	 PARENT, NET,	PHASE_CONFIGURE, empty, 1)	\
	X(AUTH_CONFIG,	 PARENT, AUTH,	PHASE_CONFIGURE, auth_config, 0) \
	X(STORE_CONFIG,	 PARENT, STORE,	PHASE_CONFIGURE, store_config, 0) \
	X(LOCK_CONFIG,	 PARENT, LOCK,	PHASE_CONFIGURE, lock_config, 0) \
	X(KEYS_CONFIG,	 PARENT, KEYS,	PHASE_CONFIGURE, keys_config, 0) \
	/* a certificate's file and its key's, at the start and on SIGHUP */ \
	X(KEYS_PAIR,	 PARENT, KEYS,	PHASE_CONFIGURE | PHASE_RUN,	\
					keys_pair, 2)			\
	X(START,	 PARENT, CHILD,	PHASE_CONFIGURE, empty, 0)	\
	/* a net process came: auth serves it from now on */		\
	X(AUTH_NET,	 PARENT, AUTH,	PHASE_CONFIGURE | PHASE_RUN,	\
					net_index, 1)			\
	/* net or keys came: they have a new channel to each other */	\
	X(NET_KEYS,	 PARENT, NET,	PHASE_CONFIGURE | PHASE_RUN,	\
					empty, 1)			\
	X(KEYS_NET,	 PARENT, KEYS,	PHASE_CONFIGURE | PHASE_RUN,	\
					net_index, 1)			\
	/* TLS: what net shows its clients, and what proves it */	\
	X(KEYS_RENEWED,	 KEYS,	 NET,	PHASE_RUN, keys_renewed, 0)	\
	X(CERTIFICATE_ASK, NET,	 KEYS,	PHASE_RUN, certificate_ask, 0)	\
	X(CERTIFICATE_PIECE, KEYS, NET,	PHASE_RUN, certificate_piece, 0) \
	X(SIGN,		 NET,	 KEYS,	PHASE_RUN, sign, 0)		\
	X(SIGNED,	 KEYS,	 NET,	PHASE_RUN, signature, 0)	\
	/* a login */							\
	X(LOGIN,	 NET,	 AUTH,	PHASE_RUN, login, 0)		\
	X(LOGIN_REFUSED, AUTH,	 NET,	PHASE_RUN, empty, 0)		\
	/* it cannot be told: a file of passwords cannot be read */	\
	X(LOGIN_FAILED,	 AUTH,	 NET,	PHASE_RUN, empty, 0)		\
	X(LOGIN_GRANTED, AUTH,	 PARENT, PHASE_RUN, login_granted, 0)	\
	X(SESSION_STORE, PARENT, NET,	PHASE_RUN, empty, 2)		\
	X(SESSION_FAILED, PARENT, NET,	PHASE_RUN, reason, 0)		\
	/* an authenticator died: what it was asked is not answered */	\
	X(AUTH_LOST,	 PARENT, NET,	PHASE_RUN, empty, 0)		\
	X(STOP,		 PARENT, NET,	PHASE_RUN, empty, 0)		\
	/* one session's mail */					\
	X(STORE_READY,	 STORE,	 NET,	PHASE_WAIT_STORE, empty, 0)	\
	X(FOLDER_OPEN,	 NET,	 STORE,	PHASE_NO_FOLDER | PHASE_FOLDER,	\
					folder_open, 0)			\
	X(FOLDER_OPENED, STORE,	 NET,	PHASE_WAIT_FOLDER,		\
					folder_opened, 0)		\
	X(MESSAGE_MEASURE, NET,	 STORE,	PHASE_FOLDER | PHASE_MAILDROP,	\
					message_number, 0)		\
	X(MESSAGE_SIZE,	 STORE,	 NET,	PHASE_WAIT_SIZE, octets, 0)	\
	X(MESSAGE_SEND,	 NET,	 STORE,	PHASE_FOLDER, message_number, 0) \
	X(FOLDER_SEND,	 NET,	 STORE,	PHASE_FOLDER, empty, 0)		\
	X(DATA_FOLLOWS,	 STORE,	 NET,	PHASE_WAIT_DATA, data, 0)	\
	X(MESSAGE_DELETE, NET,	 STORE,	PHASE_FOLDER, message_number, 0) \
	X(FOLDER_DELETE, NET,	 STORE,	PHASE_FOLDER, empty, 0)		\
	X(COMMIT,	 NET,	 STORE,	PHASE_FOLDER | PHASE_MAILDROP,	\
					empty, 0)			\
	X(COMMITTED,	 STORE,	 NET,	PHASE_WAIT_COMMIT, committed, 0) \
	X(FOLDER_CLOSE,	 NET,	 STORE,	PHASE_FOLDER, empty, 0)		\
	X(FOLDER_CLOSED, STORE,	 NET,	PHASE_WAIT_CLOSE, empty, 0)	\
	X(STORE_FAILED,	 STORE,	 NET,	PHASE_WAIT_ANY_STORE, reason, 0) \
	/* POP3, beside those above that name its phase */		\
	X(MAILDROP_OPEN, NET,	 STORE,	PHASE_NO_FOLDER, empty, 0)	\
	X(MAILDROP_STATE, STORE, NET,	PHASE_WAIT_MAILDROP |		\
			PHASE_WAIT_STATE, maildrop_state, 0)		\
	X(MESSAGE_GET,	 NET,	 STORE,	PHASE_MAILDROP, message_get, 0)	\
	X(MAILDROP_LIST, NET,	 STORE,	PHASE_MAILDROP, maildrop_list, 0) \
	X(MESSAGE_IDENTIFY, NET, STORE,	PHASE_MAILDROP, message_number, 0) \
	X(MESSAGE_UID,	 STORE,	 NET,	PHASE_WAIT_UID, uid, 0)		\
	X(MESSAGE_MARK,	 NET,	 STORE,	PHASE_MAILDROP, message_number, 0) \
	X(MAILDROP_UNMARK, NET,	 STORE,	PHASE_MAILDROP, empty, 0)	\
	/* a dotlock in the spool: for whom, and this session's channel */ \
	X(LOCK_SESSION,	 PARENT, LOCK,	PHASE_RUN, store_config, 1)	\
	X(LOCK_TAKE,	 STORE,	 LOCK,	PHASE_RUN, empty, 0)		\
	X(LOCK_RELEASE,	 STORE,	 LOCK,	PHASE_RUN, empty, 0)		\
	X(LOCK_ANSWER,	 LOCK,	 STORE,	PHASE_WAIT_LOCK, lock_answer, 0) \
	/* settings are in, the sandbox is shut */			\
	X(STARTED,	 CHILD,	 PARENT, PHASE_CONFIGURE, empty, 0)	\
	/* a line for the log */					\
	X(LOG,		 CHILD,	 PARENT, PHASE_CONFIGURE | PHASE_RUN,	\
					log, 0)

/* Strings that must have an end: message, member. */
#define IPC_STRING_LIST(X)						\
	X(CONFIG_FILE,	 config_file,	path)				\
	X(CONFIG_PARENT, parent_config,	state)				\
	X(CONFIG_NET,	 net_config,	host)				\
	X(CONFIG_NET,	 net_config,	chroot)				\
	X(CONFIG_AUTH,	 auth_config,	passwd_file)			\
	X(CONFIG_AUTH,	 auth_config,	named_file)			\
	X(CONFIG_LOCK,	 lock_config,	mailbox)			\
	X(CONFIG_STORE,	 store_config,	user)				\
	X(CONFIG_STORE,	 store_config,	system_name)			\
	X(CONFIG_STORE,	 store_config,	peer)				\
	X(CONFIG_STORE,	 store_config,	home)				\
	X(CONFIG_STORE,	 store_config,	maildrop)			\
	X(CONFIG_STORE,	 store_config,	maildrop_2)			\
	X(CONFIG_STORE,	 store_config,	maildrop_3)			\
	X(CONFIG_STORE,	 store_config,	folder_root)			\
	X(CONFIG_STORE,	 store_config,	state_directory)		\
	X(CONFIG_PAIR,	 config_pair,	certificate)			\
	X(CONFIG_PAIR,	 config_pair,	key)				\
	X(NET_CONFIG,	 net_config,	host)				\
	X(NET_CONFIG,	 net_config,	chroot)				\
	X(AUTH_CONFIG,	 auth_config,	passwd_file)			\
	X(AUTH_CONFIG,	 auth_config,	named_file)			\
	X(STORE_CONFIG,	 store_config,	user)				\
	X(STORE_CONFIG,	 store_config,	system_name)			\
	X(STORE_CONFIG,	 store_config,	peer)				\
	X(STORE_CONFIG,	 store_config,	home)				\
	X(STORE_CONFIG,	 store_config,	maildrop)			\
	X(STORE_CONFIG,	 store_config,	maildrop_2)			\
	X(STORE_CONFIG,	 store_config,	maildrop_3)			\
	X(STORE_CONFIG,	 store_config,	folder_root)			\
	X(STORE_CONFIG,	 store_config,	state_directory)		\
	X(LOCK_CONFIG,	 lock_config,	mailbox)			\
	X(KEYS_CONFIG,	 keys_config,	chroot)				\
	X(KEYS_PAIR,	 keys_pair,	name)				\
	X(LOCK_SESSION,	 store_config,	user)				\
	X(LOCK_SESSION,	 store_config,	system_name)			\
	X(LOCK_SESSION,	 store_config,	peer)				\
	X(LOCK_SESSION,	 store_config,	home)				\
	X(LOCK_SESSION,	 store_config,	maildrop)			\
	X(LOCK_SESSION,	 store_config,	maildrop_2)			\
	X(LOCK_SESSION,	 store_config,	maildrop_3)			\
	X(LOCK_SESSION,	 store_config,	folder_root)			\
	X(LOCK_SESSION,	 store_config,	state_directory)		\
	X(LOGIN,	 login,		peer)				\
	X(LOGIN,	 login,		user)				\
	X(LOGIN,	 login,		password)			\
	X(LOGIN_GRANTED, login_granted,	peer)				\
	X(LOGIN_GRANTED, login_granted,	user)				\
	X(SESSION_FAILED, reason,	text)				\
	X(FOLDER_OPEN,	 folder_open,	name)				\
	X(STORE_FAILED,	 reason,	text)				\
	X(MESSAGE_UID,	 uid,		text)				\
	X(LOG,		 log,		text)

enum ipc_type {
#define X(name, from, to, phases, payload, descriptors) IPC_##name,
	IPC_MESSAGE_LIST(X)
#undef X
	IPC_TYPES
};

/* Mechanisms that the configuration may name to run without. */
enum sandbox_without {
	WITHOUT_SECCOMP = 1 << 0,
	WITHOUT_LANDLOCK = 1 << 1,
	WITHOUT_CHROOT = 1 << 2
};

enum pop_protocol { PROTOCOL_AUTO, PROTOCOL_POP1, PROTOCOL_POP2,
    PROTOCOL_POP3, PROTOCOLS };

/* What kind of failure it is, for those who tell it by a code (RFC 3206). */
enum failure {
	FAILURE_OTHER,
	FAILURE_IN_USE,		/* another session has the mailbox */
	FAILURE_TEMPORARY,	/* the same may succeed later */
	FAILURE_PERMANENT,	/* somebody must do something about it */
	FAILURE_TOO_SOON	/* since the last login */
};

/* Whose unique ids messages are given. */
enum uid_kind { UID_NATIVE, UID_DOVECOT, UID_UW, UID_POPA3D };

/* What a part of the default mailbox is to be. */
enum part_format {
	FORMAT_ANY,		/* whatever is there */
	FORMAT_FILE,		/* mbox, or MAIL.TXT: its content tells */
	FORMAT_MH,
	FORMAT_MAILDIR
};

/* Locks on a mailbox, in the order in which they are to be taken. */
enum lock_kind {
	LOCK_NONE,		/* ends a list */
	LOCK_FCNTL,
	LOCK_FLOCK,
	LOCK_DOTLOCK,
	LOCK_TRY_DOTLOCK	/* the same, where one can be made */
};

enum listener_quirks { QUIRK_PCNFS = 1 << 0 };

/* What every child is told of how to start. */
struct start_settings {
	uint32_t without;	/* enum sandbox_without bits */
	uint32_t unprivileged;	/* 1: the tree runs as one ordinary user */
};

struct ipc_empty {
	uint64_t unused;	/* 0 */
};

/* Who a process becomes. */
struct identity {
	uid_t uid;
	gid_t gid;
	gid_t extra;			/* one further group, or (gid_t)-1 */
};

struct ipc_config_file {
	char path[PATH_SIZE];		/* for messages about it */
};

/* What the parent itself needs of the configuration. */
struct ipc_parent_config {
	struct start_settings start;
	uint32_t net_processes;
	uint32_t auth_processes;
	uint32_t sessions;
	uint32_t dotlocks;		/* 1: postern-lock is wanted */
	struct identity net_user;
	struct identity auth_user;
	struct identity lock_user;
	struct identity keys_user;
	char state[PATH_SIZE];
};

/* An address to listen on; several may be of one line. */
struct ipc_config_address {
	uint32_t line;			/* which listener, from 0 */
	uint32_t protocol;		/* enum pop_protocol */
	uint32_t quirks;		/* enum listener_quirks bits */
	uint32_t tls;			/* 1: from the first octet */
	uint32_t length;		/* of the address, bytes */
	uint32_t unused;
	unsigned char address[ADDRESS_SIZE];	/* a struct sockaddr */
};

/* A certificate and its key, as the configuration names them. */
struct ipc_config_pair {
	char certificate[PATH_SIZE];
	char key[PATH_SIZE];
};

/* A network from which passwords may come in clear text. */
struct network {
	uint32_t family;		/* AF_INET or AF_INET6 */
	uint32_t prefix;		/* bits of the address that count */
	uint8_t address[16];		/* network order, 4 or 16 in use */
};

struct ipc_net_config {
	struct start_settings start;
	uint32_t index;			/* which net process this is, of all
					   that were ever started */
	uint32_t login_seconds;		/* T2 before login */
	uint32_t session_seconds;	/* T2 after login */
	uint32_t connections;		/* most clients at one time */
	uint32_t network_count;
	uint32_t expire_days;		/* told to POP3 clients; 0: never */
	uint32_t login_delay;		/* the same, seconds */
	uint32_t pairs;			/* certificates: 0: there is no TLS */
	struct network networks[NETWORKS_MAX];
	char host[HOST_NAME_SIZE];	/* as the greeting names it */
	char chroot[PATH_SIZE];
};

struct ipc_net_listener {
	uint32_t protocol;		/* enum pop_protocol */
	uint32_t quirks;		/* enum listener_quirks bits */
	uint32_t tls;			/* 1: from the first octet */
	uint32_t unused;
};

struct ipc_auth_config {
	struct start_settings start;
	uint32_t minimum_uid;
	uint32_t unused;
	char passwd_file[PATH_SIZE];	/* "": the system's accounts */
	char named_file[PATH_SIZE];	/* further passwords; "": none */
};

/* Which net process has the other end of a channel. */
struct ipc_net_index {
	uint32_t index;
	uint32_t unused;
};

struct ipc_lock_config {
	struct start_settings start;
	char mailbox[PATH_SIZE];	/* template; its directory, where it
					   is DIRECTORY/%u: the spool */
};

struct ipc_keys_config {
	struct start_settings start;
	char chroot[PATH_SIZE];
};

/* Two descriptors: the certificate's file and the key's. */
struct ipc_keys_pair {
	uint32_t index;			/* from 0, as the configuration has */
	uint32_t required;		/* 1: keys cannot start without it */
	char name[PATH_SIZE];		/* the certificate's path */
};

/* Net asks for the certificates anew when it hears this. */
struct ipc_keys_renewed {
	uint32_t count;			/* certificates that there are */
	uint32_t unused;
	uint8_t ticket_key[TICKET_KEY_SIZE];
};

struct ipc_certificate_ask {
	uint32_t number;		/* from 0 */
	uint32_t offset;		/* bytes of PEM that are there */
};

struct ipc_certificate_piece {
	uint32_t number;
	uint32_t offset;
	uint32_t size;			/* of the whole chain, bytes of PEM */
	uint32_t length;		/* of this piece */
	uint32_t id;			/* by which the key is asked to sign */
	uint32_t unused;
	uint8_t bytes[CHAIN_PIECE_SIZE];
};

/* The header's session numbers the requests of one channel. */
struct ipc_sign {
	uint32_t id;
	uint32_t algorithm;		/* gnutls_sign_algorithm_t */
	uint32_t length;
	uint32_t unused;
	uint8_t content[SIGN_CONTENT_SIZE];
};

struct ipc_signature {
	uint32_t length;		/* 0: refused */
	uint32_t unused;
	uint8_t bytes[SIGNATURE_SIZE];
};

struct ipc_store_config {
	struct start_settings start;
	uint32_t net;			/* index of the net it serves */
	uint32_t pid;			/* its own */
	uint32_t locks[LOCK_KINDS_MAX + 1];	/* enum lock_kind */
	uint32_t is_template;		/* maildrops have %u, %h, ~ in them */
	uint32_t spool_part;		/* which one is in the spool, from 1 */
	uint32_t formats[INBOX_PARTS_MAX];	/* enum part_format */
	uint32_t lock_seconds;		/* how long to try for a lock */
	uint32_t idle_seconds;		/* a silent net is given up after */
	uint32_t mh_rename;		/* MH: deleted N stays, as ,N */
	uint32_t uids;			/* enum uid_kind */
	uint32_t login_delay;		/* seconds between POP3 logins */
	char user[USER_SIZE];		/* as the client named it */
	char system_name[USER_SIZE];	/* "": a virtual user */
	char peer[PEER_SIZE];
	char home[PATH_SIZE];
	char maildrop[PATH_SIZE];	/* the default mailbox: its parts */
	char maildrop_2[PATH_SIZE];	/* "": no more */
	char maildrop_3[PATH_SIZE];
	char folder_root[PATH_SIZE];	/* a template; "": no folders */
	char state_directory[PATH_SIZE];
};

struct ipc_login {
	uint32_t protocol;
	uint32_t unused;
	char peer[PEER_SIZE];
	char user[USER_SIZE];
	char password[PASSWORD_SIZE];
};

struct ipc_login_granted {
	uint32_t net;			/* index of the net that asked */
	uint32_t unused;
	char peer[PEER_SIZE];
	char user[USER_SIZE];
};

struct ipc_reason {
	char text[REASON_SIZE];		/* printable, for the client */
	uint32_t failure;		/* enum failure */
	uint32_t unused;
};

struct ipc_folder_open {
	uint32_t whole;			/* 1: FOLDER_SEND may come */
	uint32_t unused;
	char name[FOLDER_SIZE];		/* "": the default mailbox */
};

struct ipc_folder_opened {
	uint64_t octets;		/* of FOLDER_SEND's data, if asked */
	uint32_t messages;
	uint32_t unused;
};

struct ipc_message_number {
	uint64_t number;		/* from 1 */
};

struct ipc_octets {
	uint64_t octets;		/* on the wire */
};

struct ipc_data {
	uint64_t octets;		/* of mail */
	uint64_t piped;			/* the same with its dots doubled,
					   where the request was POP3's */
	/* of the message behind it, where the request was for a whole one */
	uint64_t next;			/* its octets; 0: there is none */
	uint32_t next_known;		/* 1: `next` is told; only to POP2 */
	uint32_t ahead;			/* 1: it fits the pipe, and may be
					   asked for now */
};

struct ipc_maildrop_state {
	uint64_t octets;		/* of what is not marked */
	uint32_t messages;
	uint32_t unused;
};

struct ipc_message_get {
	uint64_t number;		/* from 1 */
	uint64_t lines;			/* of the body; UINT64_MAX: all of
					   the message, which is sent then */
};

struct ipc_maildrop_list {
	uint32_t uids;			/* 1: unique ids, 0: octets */
	uint32_t unused;
};

struct ipc_uid {
	char text[UID_SIZE];		/* "": no such message */
};

struct ipc_committed {
	uint32_t deleted;		/* messages */
	uint32_t gone;			/* others that were to be deleted, and
					   that another program had removed */
};

struct ipc_lock_answer {
	uint32_t result;		/* enum dotlock_result */
	uint32_t error;			/* errno, where it is impossible */
};

struct ipc_log {
	uint32_t priority;		/* syslog(3)'s LOG_ERR ... LOG_DEBUG */
	char text[LOG_TEXT_SIZE];
};

#endif
