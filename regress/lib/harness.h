/*
 * harness.h - a real daemon in a scratch directory, and clients of it.
 *
 * Used by the ATF test programs.  Every function ends the test case with a
 * failure (atf_tc_fail) when something is not as it must be.  The scratch
 * directory is below the test's work directory, which Kyua removes; the
 * daemon is ended when the test program ends, however it ends.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <sys/types.h>

#include <stddef.h>

#define SERVER_PORTS	8

/* Users that every server has: name, password, uid (where root runs it). */
#define FRED		"fred"
#define FRED_PASSWORD	"secret"
#define FRED_UID	5001
#define ANN		"ann"
#define ANN_PASSWORD	"pass word\\1"	/* a space and a back-slash */
#define ANN_QUOTED	"pass\\ word\\\\1"	/* the same for POP2 */
#define ANN_UID		5002

struct server {
	pid_t pid;			/* of posternd; 0 when stopped */
	char directory[256];		/* scratch: spool/ home/NAME/mail ... */
	char config[300];		/* its configuration file */
	char log[300];			/* its log, one event a line */
	int ports[SERVER_PORTS];	/* in the order of the listen lines */
	int privileged;			/* started as root, with real uids */
};

/*
 * Makes the directory and the configuration (passwd back end, FRED and ANN
 * as virtual users with cheap hashes, folder root ~/mail) without starting.
 * `extra`: further configuration lines; when it has no "listen" line, one
 * `listen auto 127.0.0.1 port 0` is added.  NULL: none.
 */
void	server_prepare(struct server *server, const char *extra);

/*
 * Starts a prepared server, again with a log and ports of its own, and waits
 * until it is ready.
 */
void	server_run(struct server *server);

/* Starts it alone: its pid.  It ends by SIGTERM when the test does. */
pid_t	server_fork(const struct server *server);

/* Both. */
void	server_start(struct server *server, const char *extra);

/*
 * SIGTERM; the tree must end by itself with status 0, and the log must hold
 * no report of a sanitizer, no broken IPC and no child killed by SIGSYS or
 * SIGSEGV, unless the test said that it wants those (server_expect_trouble).
 */
void	server_stop(struct server *server);
void	server_expect_trouble(struct server *server);

/* Adds a virtual user; `uid` counts only where root runs the server. */
void	server_add_user(struct server *server, const char *user,
	    const char *password, unsigned int uid);

/*
 * Adds a further password: "USER/NAME", and "PROTOCOLS:NETWORKS" or ":".  A
 * line of any other kind is added as it is.
 */
void	server_add_named(const struct server *server, const char *key,
	    const char *password, const char *limits);
void	server_add_line(const struct server *server, const char *line);

/* The user's default mailbox: its path, writing it, comparing it. */
const char *mailbox_path(const struct server *server, const char *user);
void	mailbox_write(const struct server *server, const char *user,
	    const void *bytes, size_t length);
void	mailbox_must_be(const struct server *server, const char *user,
	    const void *bytes, size_t length);

/* A file below the user's home: "mail/work", made with its directories. */
void	folder_write(const struct server *server, const char *user,
	    const char *path, const void *bytes, size_t length);
void	folder_must_be(const struct server *server, const char *user,
	    const char *path, const void *bytes, size_t length);

/* Any file. */
void	file_write(const char *path, const void *bytes, size_t length);
char	*file_read(const char *path, size_t *length);	/* malloc'd, NUL added */

/* Waits (10 s at the most) until the log has a line with `text` in it. */
void	log_must_have(const struct server *server, const char *text);
int	log_has(const struct server *server, const char *text);

/* Children of the daemon whose program is `name` ("postern-net"), now. */
int	children_count(const struct server *server, const char *name);

/* Their number; fills in as many as there is room for, from `first` on. */
int	children_list(const struct server *server, const char *name, int first,
	    pid_t *pids, int size);
pid_t	children_pid(const struct server *server, const char *name, int which);

/* The same, or -1 where there is none: it may have ended meanwhile. */
pid_t	children_find(const struct server *server, const char *name,
	    int which);

/* Waits (10 s) until there are `count` of them. */
void	children_must_be(const struct server *server, const char *name,
	    int count);

/* Connections; every read gives up after 10 s and fails the test. */
int	client_connect(const struct server *server, int port_index);
int	client_connect_to(const char *address, int port);
void	client_send(int fd, const char *text);		/* as it is */
void	client_send_bytes(int fd, const void *bytes, size_t length);
void	client_expect(int fd, const char *text);	/* these octets next */
void	client_expect_bytes(int fd, const void *bytes, size_t length);
void	client_expect_line(int fd, const char *prefix);	/* "prefix...CRLF" */
void	client_line(int fd, char *line, size_t size);	/* without CRLF */
void	client_read(int fd, void *bytes, size_t length);
void	client_expect_close(int fd);			/* EOF; then closes */

/* Greeting and login, both protocols; returns the connection. */
int	pop2_login(const struct server *server, int port_index,
	    const char *user, const char *quoted_password, const char *reply);
int	pop1_login(const struct server *server, int port_index,
	    const char *user, const char *password);

/* Sends `command` and CRLF, expects a line that begins with `reply`. */
void	client_say(int fd, const char *command, const char *reply);

/* Runs a program; returns its exit status (or 128 + signal). */
int	run(const char *const *arguments, const char *input, char *output,
	    size_t output_size);

/* The project's own programs, absolute: where `make` put them. */
const char *program(const char *name);

/*
 * Copies those that posternd starts into `directory`/libexec, where other
 * users can reach them, and returns that path.
 */
const char *programs_copy(const char *directory);

/*
 * Makes a certificate and its key for a name in this directory: tls.crt,
 * tls.key.  Returns posternctl's status; what it says is in `output`.
 */
int	selfsigned_make(const char *name, char *output, size_t size);

/* One for one.example.org.  Returns their line of the configuration. */
const char *pair_selfsigned(void);

/* What a message or folder of bytes is on the wire: every line end CRLF,
 * the end CRLF.  malloc'd; the length is stored. */
char	*wire_form(const void *bytes, size_t length, size_t *wire_length);

#endif
