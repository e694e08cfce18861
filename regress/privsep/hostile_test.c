/*
 * hostile_test.c - the daemon's processes, when they were taken over.
 *
 * The daemon is given a directory of programs in which one is this very
 * program, which then behaves as that one's double (doubles.h).
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doubles.h"
#include "harness.h"
#include "processes.h"
#include "refusal.h"

static void
order_path(const struct server *server, const char *name, char *path,
    size_t size)
{
	(void)snprintf(path, size, "%s/libexec/%s", server->directory, name);
}

static void
give_order(const struct server *server, const char *name, const char *text)
{
	char path[600];

	order_path(server, name, path, sizeof(path));
	file_write(path, text, strlen(text));
	ATF_REQUIRE(chmod(path, 0644) == 0);
}

/* Makes a libexec in which `name` is this program, and real/ has the other. */
static void
prepare(struct server *server, const char *extra, const char *name)
{
	char path[600], real[600], *bytes;
	size_t length;

	server_prepare(server, extra);
	server_expect_trouble(server);
	order_path(server, "done", path, sizeof(path));
	ATF_REQUIRE(mkdir(path, 0755) == 0 && chmod(path, 01777) == 0);
	order_path(server, "real", path, sizeof(path));
	ATF_REQUIRE(mkdir(path, 0755) == 0 && chmod(path, 0755) == 0);
	order_path(server, name, path, sizeof(path));
	(void)snprintf(real, sizeof(real), "%s/libexec/real/%s",
	    server->directory, name);
	ATF_REQUIRE(rename(path, real) == 0);
	bytes = file_read("/proc/self/exe", &length);
	file_write(path, bytes, length);
	ATF_REQUIRE(chmod(path, 0755) == 0);
	free(bytes);
}

static size_t
log_length(const struct server *server)
{
	size_t length;

	free(file_read(server->log, &length));
	return (length);
}

/* Waits for `text` in what was logged since `from`. */
static int
logged_since(const struct server *server, size_t from, const char *text)
{
	char *log;
	int waited, found = 0;

	for (waited = 0; waited < PATIENCE_MS && !found; waited += 5) {
		log = file_read(server->log, NULL);
		found = strstr(log + from, text) != NULL;
		free(log);
		if (!found)
			sleep_ms(5);
	}
	return (found);
}

static const char two_messages[] =
    "From a@example.org Sat Nov 21 23:33:00 2026\n"
    "Subject: one\n\nfirst\n\n"
    "From b@example.org Sat Nov 21 23:34:00 2026\n"
    "Subject: two\n\nthe second\n\n";
static const char second_alone[] =
    "From b@example.org Sat Nov 21 23:34:00 2026\n"
    "Subject: two\n\nthe second\n\n";

/* A session of somebody else, in the middle of things. */
static int
begin_bystander(const struct server *server)
{
	mailbox_write(server, ANN, two_messages, strlen(two_messages));
	return (pop2_login(server, 0, ANN, ANN_QUOTED, "#2 "));
}

/* It goes on as if nothing had been, to its end. */
static void
end_bystander(const struct server *server, int fd)
{
	client_say(fd, "READ 1", "=23 ");
	client_send(fd, "RETR\r\n");
	client_expect(fd, "Subject: one\r\n\r\nfirst\r\n");
	client_say(fd, "ACKD", "=28 ");
	client_say(fd, "QUIT", "+ ");
	client_expect_close(fd);
	mailbox_must_be(server, ANN, second_alone, strlen(second_alone));
}

/* The doubles with this number, by what they said: its pid. */
static int
double_pid(const struct server *server, unsigned int number)
{
	char text[64], *log, *at;
	int pid;

	(void)snprintf(text, sizeof(text), " double=%u attacks", number);
	log_must_have(server, text);
	log = file_read(server->log, NULL);
	at = strstr(log, text);
	ATF_REQUIRE(at != NULL);
	while (at > log && strncmp(at, "pid=", 4) != 0)
		at--;
	pid = atoi(at + 4);
	free(log);
	return (pid);
}

/* What a net may say to its parent, and then lives. */
static int
is_allowed(uint32_t number)
{
	uint32_t type = type_of(number, IPC_LOG);

	return (complaint(type, trick_of(number), ROLE_NET, ROLE_PARENT,
	    PHASE_RUN) == NULL);
}

static void
check_parent_attack(const struct server *server, uint32_t number,
    uint32_t first)
{
	uint32_t type = type_of(number, IPC_LOG);
	const char *wrong = complaint(type, trick_of(number), ROLE_NET,
	    ROLE_PARENT, PHASE_RUN);
	int pid = double_pid(server, number - first + 2);
	char text[160];

	(void)snprintf(text, sizeof(text), "event=ipc process=net pid=%d "
	    "message=%s error=\"%s\"", pid, strcmp(wrong, "not a message") ==
	    0 ? "none" : rows[type].name, wrong);
	log_must_have(server, text);
	(void)snprintf(text, sizeof(text), "event=exit process=net pid=%d "
	    "signal=9", pid);
	log_must_have(server, text);
}

static void
check_auth_attacks(const struct server *server)
{
	uint32_t number, sent = 0;
	const char *wrong;
	char text[160];

	log_must_have(server, " double=auth answered=");
	for (number = 0; number < AUTH_ATTACKS; number++) {
		wrong = complaint(type_of(number, IPC_LOGIN),
		    trick_of(number), ROLE_NET, ROLE_AUTH, PHASE_RUN);
		if (wrong == NULL)
			continue;
		sent++;
		(void)snprintf(text, sizeof(text), "event=ipc from=net "
		    "index=1 session=%u error=\"%s\"", strcmp(wrong,
		    "not a message") == 0 ? 0 : 1000 + number, wrong);
		log_must_have(server, text);
	}
	(void)snprintf(text, sizeof(text), " double=auth answered=%u", sent);
	log_must_have(server, text);
}

/* One of the rounds in which net processes say everything to the parent. */
static void
attack_auth_and_parent(uint32_t first)
{
	struct server server;
	char text[128];
	uint32_t number;
	pid_t auth, real;
	int fd;

	(void)snprintf(text, sizeof(text), "net-processes %u\n"
	    "auth-processes 1\nmax-connections 100\nmax-sessions 10\n",
	    NET_DOUBLES + 1U);
	prepare(&server, text, "postern-net");
	(void)snprintf(text, sizeof(text), "%u", first);
	give_order(&server, "first", text);
	server_run(&server);
	auth = children_pid(&server, "postern-auth", 0);
	fd = begin_bystander(&server);
	real = children_pid(&server, "postern-net", 0);
	give_order(&server, "go", "");
	check_auth_attacks(&server);
	for (number = first; number < PARENT_ATTACKS &&
	    number < first + PARENT_ROUND; number++)
		if (!is_allowed(number))
			check_parent_attack(&server, number, first);
	/* No attack made a store, or ended auth; the dead come back. */
	ATF_CHECK_EQ(1, children_count(&server, "postern-store"));
	ATF_CHECK_EQ(auth, children_pid(&server, "postern-auth", 0));
	ATF_CHECK(!log_has(&server, "event=refused"));
	children_must_be(&server, "postern-net", NET_DOUBLES + 1);
	ATF_CHECK_EQ(real, children_pid(&server, "postern-net", 0));
	end_bystander(&server, fd);
	server_stop(&server);
}

/* Net processes that say everything to auth and to the parent. */
ATF_TC(net_to_auth_and_parent);
ATF_TC_HEAD(net_to_auth_and_parent, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(net_to_auth_and_parent, tc)
{
	(void)tc;
	attack_auth_and_parent(0);
}

ATF_TC(net_to_parent_second);
ATF_TC_HEAD(net_to_parent_second, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(net_to_parent_second, tc)
{
	(void)tc;
	_Static_assert(PARENT_ATTACKS <= 2 * PARENT_ROUND, "rounds are two");
	attack_auth_and_parent(PARENT_ROUND);
}

/* A datagram of no bytes is not the end of a process that is still there. */
ATF_TC_WITHOUT_HEAD(net_empty_datagram);
ATF_TC_BODY(net_empty_datagram, tc)
{
	struct server server;
	char text[80];
	int fd;

	(void)tc;
	prepare(&server, "net-processes 2\nauth-processes 1\n",
	    "postern-net");
	give_order(&server, "empty", "");
	server_run(&server);
	fd = begin_bystander(&server);
	give_order(&server, "go", "");
	(void)snprintf(text, sizeof(text), "event=exit process=net pid=%d "
	    "signal=9", double_pid(&server, 1));
	log_must_have(&server, text);
	children_must_be(&server, "postern-net", 2);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* A net with a store that is rightly its own cannot make it delete. */
ATF_TC_WITHOUT_HEAD(net_to_own_store);
ATF_TC_BODY(net_to_own_store, tc)
{
	struct server server;
	int fd;

	(void)tc;
	prepare(&server, "net-processes 2\nauth-processes 1\n",
	    "postern-net");
	give_order(&server, "store", "");
	server_add_named(&server, "homeless", FRED_PASSWORD,
	    "no-such-account");
	mailbox_write(&server, FRED, two_messages, strlen(two_messages));
	server_run(&server);
	fd = begin_bystander(&server);
	give_order(&server, "go", "");
	log_must_have(&server, "double=store ended");
	log_must_have(&server, "user=fred event=ipc from=net "
	    "message=FOLDER_DELETE error=\"the mailbox was not sent\"");
	/* Its words are in auth's lines alone, and one value there. */
	log_must_have(&server, "peer=\"192.0.2.1:1 user=ann\" user=fred");
	log_must_have(&server, "peer=? user=homeless error=");
	ATF_CHECK(!log_has(&server, "peer=192.0.2.1"));
	log_must_have(&server, "event=exit process=store");
	children_must_be(&server, "postern-store", 1);
	mailbox_must_be(&server, FRED, two_messages, strlen(two_messages));
	ATF_CHECK_EQ(2, children_count(&server, "postern-net"));
	end_bystander(&server, fd);
	server_stop(&server);
}

/* A real store, with the test as its parent and its net. */

struct store {
	pid_t pid;
	int control, session, data;
};

static struct server scratch;

static void
become_store(int control, int session, int data)
{
	int high[3] = { fcntl(control, F_DUPFD, 100),
	    fcntl(session, F_DUPFD, 100), fcntl(data, F_DUPFD, 100) };
	char path[600];
	int i;

	for (i = 0; i < 3; i++)
		(void)dup2(high[i], CHILD_CONTROL + i);
	closefrom(CHILD_DATA + 1);
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(FRED_UID, FRED_UID, FRED_UID) == -1 ||
	    setresuid(FRED_UID, FRED_UID, FRED_UID) == -1))
		_exit(125);
	(void)signal(SIGPIPE, SIG_IGN);
	order_path(&scratch, "postern-store", path, sizeof(path));
	(void)execl(path, path, (char *)NULL);
	_exit(126);
}

static void
configure_store(const struct store *store)
{
	struct ipc_store_config config;

	memset(&config, 0, sizeof(config));
	config.start.unprivileged = geteuid() != 0;
	config.lock_seconds = 1;
	config.locks[0] = LOCK_FCNTL;
	config.idle_seconds = 5;
	(void)strlcpy(config.user, FRED, sizeof(config.user));
	(void)strlcpy(config.peer, "peer", sizeof(config.peer));
	(void)strlcpy(config.maildrop, mailbox_path(&scratch, FRED),
	    sizeof(config.maildrop));
	(void)snprintf(config.folder_root, sizeof(config.folder_root),
	    "%s/home/fred/mail", scratch.directory);
	(void)snprintf(config.state_directory,
	    sizeof(config.state_directory), "%s/state/fred",
	    scratch.directory);
	ATF_REQUIRE(ipc_send(store->control, IPC_STORE_CONFIG, SESSION,
	    &config, NULL) == 0);
	ATF_REQUIRE(ipc_send(store->control, IPC_START, SESSION, NULL,
	    NULL) == 0);
}

/* The next message of a channel; 0: its end. */
static int
hear(int fd)
{
	struct pollfd polled = { fd, POLLIN, 0 };

	ATF_REQUIRE_MSG(poll(&polled, 1, PATIENCE_MS) == 1,
	    "the store says nothing");
	return (ipc_receive(fd, &heard));
}

static void
hear_type(const struct store *store, uint32_t type)
{
	ATF_REQUIRE_EQ(1, hear(store->session));
	ATF_REQUIRE_MSG(heard.header.type == type, "expected %s, got %s",
	    rows[type].name, ipc_name(heard.header.type));
	ATF_REQUIRE_EQ(SESSION, heard.header.session);
}

static void
start_store(struct store *store)
{
	int control[2], session[2], data[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    control) == 0);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    session) == 0);
	ATF_REQUIRE(pipe2(data, O_CLOEXEC) == 0);
	ATF_REQUIRE((store->pid = fork()) != -1);
	if (store->pid == 0)
		become_store(control[1], session[1], data[1]);
	(void)close(control[1]);
	(void)close(session[1]);
	(void)close(data[1]);
	store->control = control[0];
	store->session = session[0];
	store->data = data[0];
	configure_store(store);
	hear_type(store, IPC_STORE_READY);
}

static void
prepare_scratch(void)
{
	char path[600];

	if (scratch.directory[0] == '\0') {
		server_prepare(&scratch, NULL);
		(void)snprintf(path, sizeof(path), "%s/state/fred",
		    scratch.directory);
		ATF_REQUIRE(mkdir(path, 0700) == 0);
		if (geteuid() == 0)
			ATF_REQUIRE(chown(path, FRED_UID, FRED_UID) == 0);
	}
	mailbox_write(&scratch, FRED, two_messages, strlen(two_messages));
}

/* Gone by itself: its status, and what it logged last. */
static int
bury(struct store *store, char *text, size_t size)
{
	int status;

	text[0] = '\0';
	while (hear(store->control) == 1)
		if (heard.header.type == IPC_LOG)
			(void)strlcpy(text, IPC_PAYLOAD(&heard,
			    ipc_log)->text, size);
	ATF_REQUIRE(waitpid(store->pid, &status, 0) == store->pid);
	(void)close(store->control);
	(void)close(store->session);
	(void)close(store->data);
	ATF_REQUIRE_MSG(WIFEXITED(status), "the store was ended by signal %d",
	    WTERMSIG(status));
	return (WEXITSTATUS(status));
}

/* It says nothing more, is gone, has told why, and the mail is all there. */
static void
must_end(struct store *store, const char *what, const char *message,
    const char *wrong)
{
	char text[LOG_TEXT_SIZE], wanted[256];

	ATF_CHECK_EQ_MSG(0, hear(store->session), "%s: an answer came: %s",
	    what, ipc_name(heard.header.type));
	ATF_CHECK_EQ_MSG(1, bury(store, text, sizeof(text)), "%s", what);
	(void)snprintf(wanted, sizeof(wanted), "session=0-4711 user=fred "
	    "event=ipc from=net message=%s error=\"%s\"", message, wrong);
	ATF_CHECK_MSG(strcmp(text, wanted) == 0 || (message[0] == '\0' &&
	    strstr(text, wrong) != NULL), "%s: expected \"%s\", got \"%s\"",
	    what, wanted, text);
	mailbox_must_be(&scratch, FRED, two_messages, strlen(two_messages));
}

static void
open_folder(const struct store *store, const char *name, int whole)
{
	struct ipc_folder_open open_it;

	memset(&open_it, 0, sizeof(open_it));
	open_it.whole = (uint32_t)whole;
	(void)strlcpy(open_it.name, name, sizeof(open_it.name));
	ATF_REQUIRE(ipc_send(store->session, IPC_FOLDER_OPEN, SESSION,
	    &open_it, NULL) == 0);
	hear_type(store, IPC_FOLDER_OPENED);
}

static void
attack_store(uint32_t type, enum trick trick, unsigned int phase)
{
	const char *wrong = complaint(type, trick, ROLE_NET, ROLE_STORE,
	    phase);
	struct store store;
	char what[80];

	if (wrong == NULL && trick == OTHER_SESSION)
		wrong = "wrong session";
	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof(what), "%s, trick %d, phase %u",
	    rows[type].name, (int)trick, phase);
	start_store(&store);
	if (phase == PHASE_FOLDER)
		open_folder(&store, "", 1);
	attack(store.session, type, trick, SESSION);
	/* What is no message has no name either, or an old one. */
	must_end(&store, what, strcmp(wrong, "not a message") == 0 ? "" :
	    rows[type].name, wrong);
}

/* Every message in every phase. */
ATF_TC(net_to_store_types);
ATF_TC_HEAD(net_to_store_types, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(net_to_store_types, tc)
{
	uint32_t type;

	(void)tc;
	prepare_scratch();
	for (type = 0; type < TYPES; type++) {
		attack_store(type, RIGHT, PHASE_NO_FOLDER);
		attack_store(type, RIGHT, PHASE_FOLDER);
	}
}

ATF_TC(net_to_store_tricks);
ATF_TC_HEAD(net_to_store_tricks, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(net_to_store_tricks, tc)
{
	static const uint32_t types[] = { IPC_FOLDER_OPEN, IPC_MESSAGE_MEASURE,
	    IPC_MESSAGE_SEND, IPC_FOLDER_SEND, IPC_MESSAGE_DELETE,
	    IPC_FOLDER_DELETE, IPC_COMMIT, IPC_FOLDER_CLOSE };
	unsigned int trick;
	size_t i;

	(void)tc;
	prepare_scratch();
	for (i = 0; i < COUNT(types); i++)
		for (trick = SHORT; trick < TRICKS; trick++)
			attack_store(types[i], (enum trick)trick,
			    PHASE_FOLDER);
	for (trick = SHORT; trick < TRICKS; trick++)
		attack_store(IPC_FOLDER_OPEN, (enum trick)trick,
		    PHASE_NO_FOLDER);
}

static void
drain(const struct store *store)
{
	uint64_t left;
	char bytes[512];
	ssize_t got;

	hear_type(store, IPC_DATA_FOLLOWS);
	for (left = IPC_PAYLOAD(&heard, ipc_data)->piped; left > 0;
	    left -= (uint64_t)got) {
		got = read(store->data, bytes, left < sizeof(bytes) ?
		    (size_t)left : sizeof(bytes));
		ATF_REQUIRE(got > 0);
	}
}

static void
ask(const struct store *store, uint32_t type, uint64_t number)
{
	const struct ipc_message_number message = { number };

	ATF_REQUIRE(ipc_send(store->session, type, SESSION, &message,
	    NULL) == 0);
}

/*
 * One step: O opens the mailbox, o a folder that is not there, P and p the
 * same without leave to send all of it, S sends a message, A all of them, D and X ask to delete one or all, C commits,
 * R asks for a message that is not there, B for all where there is no leave.
 */
static void
step(const struct store *store, char what, uint64_t number)
{
	switch (what) {
	case 'O':
	case 'o':
		open_folder(store, what == 'O' ? "" : "no/such/folder", 1);
		break;
	case 'P':
	case 'p':
		open_folder(store, what == 'P' ? "" : "no/such/folder", 0);
		break;
	case 'B':
		ask(store, IPC_FOLDER_SEND, 0);
		break;
	case 'S':
		ask(store, IPC_MESSAGE_SEND, number);
		drain(store);
		break;
	case 'A':
		ask(store, IPC_FOLDER_SEND, 0);
		drain(store);
		break;
	case 'R':
		ask(store, IPC_MESSAGE_SEND, number);
		break;
	case 'D':
		ask(store, IPC_MESSAGE_DELETE, number);
		break;
	case 'X':
		ask(store, IPC_FOLDER_DELETE, 0);
		break;
	case 'C':
		ask(store, IPC_COMMIT, 0);
		hear_type(store, IPC_COMMITTED);
		break;
	default:
		atf_tc_fail("step %c", what);
	}
}

static void
take_steps(const struct store *store, const char *steps)
{
	char what;

	while ((what = *steps++) != '\0')
		if (what != ' ')
			step(store, what, strtoull(steps,
			    (char **)(uintptr_t)&steps, 10));
}

#define NOT_SENT	"MESSAGE_DELETE", "this message was not sent"
#define NONE_SUCH	"MESSAGE_SEND", "no such message"
#define NOT_ALL		"FOLDER_DELETE", "the mailbox was not sent"
#define NO_LEAVE	"FOLDER_SEND", "the mailbox was opened without this"
#define NO_PHASE(name)	name, "wrong phase"

static const struct {
	const char *steps, *message, *wrong;
} lies[] = {
	{ "O D1", NOT_SENT },
	{ "O D0", NOT_SENT },
	{ "O D3", NOT_SENT },
	{ "O D18446744073709551615", NOT_SENT },
	{ "O S1 D2", NOT_SENT },
	{ "O S1 D0", NOT_SENT },
	{ "O S1 D4294967297", NOT_SENT },
	{ "O S1 D1 D1", NOT_SENT },
	{ "O S1 O D1", NOT_SENT },
	{ "O S1 o D1", NOT_SENT },
	{ "o D1", NOT_SENT },
	{ "O S1 D1 R1", NONE_SUCH },
	{ "O R0", NONE_SUCH },
	{ "O R3", NONE_SUCH },
	{ "O R18446744073709551615", NONE_SUCH },
	{ "o R1", NONE_SUCH },
	{ "O X", NOT_ALL },
	{ "O S1 X", NOT_ALL },
	{ "O S1 S2 X", NOT_ALL },
	{ "O A O X", NOT_ALL },
	{ "o X", NOT_ALL },
	{ "P B", NO_LEAVE },
	{ "p B", NO_LEAVE },
	{ "P S1 S2 B", NO_LEAVE },
	{ "O A P B", NO_LEAVE },
	{ "O S1 C D1", NO_PHASE("MESSAGE_DELETE") },
	{ "O A C X", NO_PHASE("FOLDER_DELETE") },
};

/* Requests that the table allows and the snapshot does not. */
ATF_TC_WITHOUT_HEAD(net_to_store_lies);
ATF_TC_BODY(net_to_store_lies, tc)
{
	struct store store;
	size_t i;

	(void)tc;
	prepare_scratch();
	for (i = 0; i < COUNT(lies); i++) {
		start_store(&store);
		take_steps(&store, lies[i].steps);
		must_end(&store, lies[i].steps, lies[i].message,
		    lies[i].wrong);
	}
}

/* Without a commit nothing is deleted; with one, what was sent. */
ATF_TC_WITHOUT_HEAD(net_to_store_leaves);
ATF_TC_BODY(net_to_store_leaves, tc)
{
	static const char *const left[] = { "O", "O S1", "O S1 D1",
	    "O A X", "O S1 S2 D1 D2", "O S1 D1 O" };
	struct store store;
	char text[LOG_TEXT_SIZE];
	size_t i;

	(void)tc;
	prepare_scratch();
	for (i = 0; i <= COUNT(left); i++) {
		start_store(&store);
		take_steps(&store, i < COUNT(left) ? left[i] : "O S1 D1 C");
		ATF_REQUIRE(shutdown(store.session, SHUT_RDWR) == 0);
		ATF_CHECK_EQ(0, bury(&store, text, sizeof(text)));
		if (i < COUNT(left))
			mailbox_must_be(&scratch, FRED, two_messages,
			    strlen(two_messages));
	}
	mailbox_must_be(&scratch, FRED, second_alone, strlen(second_alone));
}

/* A net that asks without end and never listens holds up itself alone. */
ATF_TC_WITHOUT_HEAD(net_floods_store);
ATF_TC_BODY(net_floods_store, tc)
{
	const struct ipc_message_number one = { 1 };
	struct store store;
	char text[LOG_TEXT_SIZE];
	int i;

	(void)tc;
	prepare_scratch();
	start_store(&store);
	open_folder(&store, "", 1);
	ATF_REQUIRE(fcntl(store.session, F_SETFL, O_NONBLOCK) == 0);
	for (i = 0; i < 20000; i++)
		if (ipc_send(store.session, IPC_MESSAGE_MEASURE, SESSION,
		    &one, NULL) == -1) {
			ATF_REQUIRE_EQ(EAGAIN, errno);
			if (i > 2000)
				break;
		}
	ATF_REQUIRE(shutdown(store.session, SHUT_RDWR) == 0);
	ATF_CHECK_EQ(0, bury(&store, text, sizeof(text)));
	mailbox_must_be(&scratch, FRED, two_messages, strlen(two_messages));
}

/* A store that has been taken over, and its client. */

/* All that comes until the end of the connection. */
static size_t
read_rest(int fd, char *bytes, size_t size)
{
	size_t have = 0;
	ssize_t got;

	while (have < size - 1 &&
	    (got = recv(fd, bytes + have, size - 1 - have, 0)) > 0)
		have += (size_t)got;
	ATF_REQUIRE_MSG(got == 0, "the connection was not closed: %s",
	    got == -1 ? strerror(errno) : "more came");
	bytes[have] = '\0';
	(void)close(fd);
	return (have);
}

/* One line of the protocol's error, all printable, and nothing else. */
static void
must_be_refused(int fd, const char *error, const char *what)
{
	char bytes[4096];
	size_t i, length = read_rest(fd, bytes, sizeof(bytes));

	ATF_CHECK_MSG(length > strlen(error) && length <= LINE_OCTETS_MAX &&
	    strncmp(bytes, error, strlen(error)) == 0 &&
	    strcmp(bytes + length - 2, "\r\n") == 0, "%s: \"%s\"", what,
	    bytes);
	for (i = 0; length > 1 && i < length - 2; i++)
		ATF_CHECK_MSG(bytes[i] >= 0x20 && bytes[i] <= 0x7e,
		    "%s: octet %zu of \"%s\"", what, i, bytes);
}

static void
order_store(const struct server *server, enum moment moment, int channel,
    uint32_t type, unsigned int trick)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "%u %d %u %u\n", moment, channel,
	    type, trick);
	give_order(server, "order", text);
}

/* Goes on until the moment of the attack; the reply to come is its effect. */
static int
pop2_until(const struct server *server, enum moment moment)
{
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+ POP2 ");
	client_send(fd, "HELO " MALLORY " x\r\n");
	if (moment <= AT_OPENED)
		return (fd);
	client_expect(fd, "#1 message\r\n");
	if (moment == AFTER_OPENED)
		return (fd);
	client_send(fd, "READ\r\n");
	if (moment == AT_SIZE)
		return (fd);
	client_expect_line(fd, "=14 ");
	if (moment == AT_COMMITTED) {
		client_send(fd, "QUIT\r\n");
		return (fd);
	}
	client_send(fd, "RETR\r\n");
	return (fd);
}

static int
pop1_until(const struct server *server, enum moment moment)
{
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+");
	client_say(fd, "USER " MALLORY, "+OK");
	client_send(fd, "PASS x\r\n");
	if (moment == AT_READY)
		return (fd);
	client_expect_line(fd, "+OK");
	client_send(fd, "RDEL INBOX\r\n");
	if (moment == AT_OPENED)
		return (fd);
	client_expect(fd, "#14\r\n");
	if (moment == AFTER_OPENED)
		return (fd);
	client_send(fd, "RCEV\r\n");
	if (moment != AT_COMMITTED)
		return (fd);
	client_expect(fd, MAIL);
	client_send(fd, "RCVD\r\n");
	return (fd);
}

/* The second listener's. */
static int
pop3_until(const struct server *server, enum moment moment)
{
	static const char *const commands[] = { [AT_SIZE] = "LIST 1\r\n",
	    [AT_DATA] = "RETR 1\r\n", [AFTER_DATA] = "RETR 1\r\n",
	    [AT_COMMITTED] = "QUIT\r\n", [AT_MARKED] = "DELE 1\r\n",
	    [AT_UID] = "UIDL 1\r\n", [AT_AHEAD] = "RETR 1\r\n" };
	int fd = client_connect(server, 1);

	client_expect_line(fd, "+");
	client_say(fd, "USER " MALLORY, "+OK");
	client_send(fd, "PASS x\r\n");
	if (moment <= AT_OPENED)
		return (fd);
	client_expect(fd, "+OK 1 message (14 octets)\r\n");
	if (moment == AFTER_OPENED)
		return (fd);
	client_send(fd, commands[moment]);
	if (moment == AT_AHEAD)
		client_expect(fd, "+OK 14 octets\r\n" MAIL ".\r\n");
	return (fd);
}

static const unsigned int phases[] = { PHASE_WAIT_STORE, PHASE_WAIT_FOLDER,
    0, PHASE_WAIT_SIZE, PHASE_WAIT_DATA, 0, PHASE_WAIT_COMMIT };
static const unsigned int pop3_phases[] = { PHASE_WAIT_STORE,
    PHASE_WAIT_MAILDROP, 0, PHASE_WAIT_SIZE, PHASE_WAIT_DATA, 0,
    PHASE_WAIT_COMMIT, PHASE_WAIT_STATE, PHASE_WAIT_UID, PHASE_WAIT_DATA };

enum { POP2, POP1, POP3 };		/* which protocol the client speaks */

/* In the middle of a message there is no status line: it is cut short. */
static void
must_be_cut(int fd, const char *what)
{
	char bytes[4096];
	size_t length = read_rest(fd, bytes, sizeof(bytes));

	ATF_CHECK_MSG(length <= MAIL_OCTETS &&
	    strncmp(bytes, MAIL, length) == 0, "%s: \"%s\"", what, bytes);
}

/* The same by POP3: a reply that was not out yet is the error. */
static void
must_be_cut_or_refused(int fd, const char *what)
{
	static const char reply[] = "+OK 14 octets\r\n" MAIL;
	char bytes[4096];
	size_t length = read_rest(fd, bytes, sizeof(bytes));

	ATF_CHECK_MSG((length < sizeof(reply) &&
	    strncmp(bytes, reply, length) == 0) ||
	    strncmp(bytes, "-ERR [SYS/TEMP] ", 16) == 0, "%s: \"%s\"", what,
	    bytes);
}

/* Where mail is to come, without a reply before it, a reason would be mail. */
static void
must_be_silent(int fd, const char *what)
{
	char bytes[4096];

	ATF_CHECK_MSG(read_rest(fd, bytes, sizeof(bytes)) == 0, "%s: \"%s\"",
	    what, bytes);
}

static void
attack_client(const struct server *server, enum moment moment, uint32_t type,
    enum trick trick, int pop)
{
	const char *wrong = trick == OTHER_SESSION ? "wrong session" :
	    complaint(type, trick, ROLE_STORE, ROLE_NET,
	    pop == POP3 ? pop3_phases[moment] : phases[moment]);
	size_t before = log_length(server);
	char what[128], text[128];
	int fd;

	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof(what), "pop%d, moment %u, %s, trick %u",
	    pop == POP2 ? 2 : pop == POP1 ? 1 : 3, moment, rows[type].name,
	    trick);
	order_store(server, moment, CHILD_SESSION, type, trick);
	fd = pop == POP3 ? pop3_until(server, moment) : pop == POP1 ?
	    pop1_until(server, moment) : pop2_until(server, moment);
	if (moment == AFTER_DATA && pop == POP3)
		must_be_cut_or_refused(fd, what);
	else if (moment == AFTER_DATA)
		must_be_cut(fd, what);
	else if (moment == AT_DATA && pop != POP3)
		must_be_silent(fd, what);
	else
		must_be_refused(fd, pop == POP2 ? "- " : "-ERR ", what);
	(void)snprintf(text, sizeof(text), "message=%s error=\"%s\"",
	    strcmp(wrong, "not a message") == 0 ? "none" : rows[type].name,
	    wrong);
	ATF_CHECK_MSG(logged_since(server, before, text), "%s: no %s", what,
	    text);
}

static void
start_with_store_double(struct server *server, const char *extra)
{
	prepare(server, extra, "postern-store");
	server_add_user(server, MALLORY, "x", MALLORY_UID);
	server_run(server);
}

/* The others saw nothing of it, and no process is left over. */
static void
stop_undisturbed(struct server *server, int bystander, pid_t net)
{
	children_must_be(server, "postern-store", 1);
	ATF_CHECK_EQ(net, children_pid(server, "postern-net", 0));
	end_bystander(server, bystander);
	children_must_be(server, "postern-store", 0);
	ATF_CHECK(!log_has(server, "event=exit process=net"));
	ATF_CHECK(!log_has(server, "event=exit process=auth"));
	server_stop(server);
}

static void
store_types(int pop)
{
	static const enum moment moments[] = { AT_READY, AT_OPENED,
	    AFTER_OPENED, AT_SIZE, AT_DATA, AFTER_DATA, AT_COMMITTED,
	    AT_MARKED, AT_UID, AT_AHEAD };
	struct server server;
	uint32_t type;
	pid_t net;
	size_t i;
	int fd;

	start_with_store_double(&server, "net-processes 1\n"
	    "listen auto 127.0.0.1 port 0\nlisten pop3 127.0.0.1 port 0\n");
	net = children_pid(&server, "postern-net", 0);
	fd = begin_bystander(&server);
	for (i = 0; i < COUNT(moments); i++)
		for (type = 0; type < TYPES; type++)
			if (pop == POP3 || (moments[i] <= AT_COMMITTED &&
			    (pop == POP2 || moments[i] != AT_SIZE)))
				attack_client(&server, moments[i], type,
				    RIGHT, pop);
	stop_undisturbed(&server, fd, net);
}

/* Every message in every phase of a session. */
ATF_TC(store_to_net_pop2);
ATF_TC_HEAD(store_to_net_pop2, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(store_to_net_pop2, tc)
{
	(void)tc;
	store_types(POP2);
}

ATF_TC(store_to_net_pop1);
ATF_TC_HEAD(store_to_net_pop1, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(store_to_net_pop1, tc)
{
	(void)tc;
	store_types(POP1);
}

ATF_TC(store_to_net_pop3);
ATF_TC_HEAD(store_to_net_pop3, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(store_to_net_pop3, tc)
{
	(void)tc;
	store_types(POP3);
}

/* The right message of each phase, in every wrong form. */
static const struct {
	enum moment moment;
	uint32_t type;
} answers[] = {
	{ AT_READY, IPC_STORE_READY }, { AT_READY, IPC_STORE_FAILED },
	{ AT_OPENED, IPC_FOLDER_OPENED }, { AT_OPENED, IPC_STORE_FAILED },
	{ AT_SIZE, IPC_MESSAGE_SIZE }, { AT_DATA, IPC_DATA_FOLLOWS },
	{ AT_COMMITTED, IPC_COMMITTED },
};

ATF_TC(store_to_net_tricks);
ATF_TC_HEAD(store_to_net_tricks, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(store_to_net_tricks, tc)
{
	struct server server;
	unsigned int trick;
	pid_t net;
	size_t i;
	int fd;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	fd = begin_bystander(&server);
	for (i = 0; i < COUNT(answers); i++)
		for (trick = SHORT; trick < TRICKS; trick++) {
			attack_client(&server, answers[i].moment,
			    answers[i].type, (enum trick)trick, 0);
			if (answers[i].moment != AT_SIZE && trick % 3 == 0)
				attack_client(&server, answers[i].moment,
				    answers[i].type, (enum trick)trick, 1);
		}
	stop_undisturbed(&server, fd, net);
}

/*
 * Messages that the table allows.  `reply` NULL: the protocol's error (where
 * mail is to come: nothing) and the end; "": the end in the middle of the
 * message.
 */
static const struct {
	enum moment moment;
	uint32_t type;
	unsigned int trick;
	const char *reply;
} oddities[] = {
	{ AT_READY, IPC_STORE_FAILED, INJECT, NULL },
	{ AT_OPENED, IPC_STORE_FAILED, INJECT, NULL },
	{ AT_SIZE, IPC_STORE_FAILED, INJECT, NULL },
	{ AT_DATA, IPC_STORE_FAILED, INJECT, NULL },
	{ AT_COMMITTED, IPC_STORE_FAILED, INJECT, NULL },
	{ AT_READY, IPC_STORE_READY, DIE, NULL },
	{ AT_OPENED, IPC_STORE_READY, DIE, NULL },
	{ AFTER_OPENED, IPC_STORE_READY, DIE, NULL },
	{ AT_SIZE, IPC_STORE_READY, DIE, NULL },
	{ AT_DATA, IPC_STORE_READY, DIE, NULL },
	{ AFTER_DATA, IPC_STORE_READY, TOO_FEW, "" },
	{ AT_COMMITTED, IPC_STORE_READY, DIE, NULL },
	{ AT_READY, IPC_STORE_READY, EMPTY, NULL },
	{ AFTER_OPENED, IPC_STORE_READY, EMPTY, NULL },
	{ AT_OPENED, IPC_FOLDER_OPENED, HUGE_NUMBERS,
	    "#4294967295 messages\r\n" },
	{ AT_SIZE, IPC_MESSAGE_SIZE, HUGE_NUMBERS, NULL },
	{ AT_DATA, IPC_DATA_FOLLOWS, HUGE_NUMBERS, NULL },
	{ AT_DATA, IPC_DATA_FOLLOWS, ONE_LESS, NULL },
	{ AT_DATA, IPC_DATA_FOLLOWS, ONE_MORE, NULL },
	{ AT_DATA, IPC_DATA_FOLLOWS, HUGE_NEXT, NULL },
	{ AT_COMMITTED, IPC_COMMITTED, HUGE_NUMBERS, "+ " },
	{ AFTER_DATA, IPC_STORE_READY, TOO_MANY, MAIL },
	{ AT_READY, IPC_STORE_READY, FLOOD, NULL },
	{ AFTER_OPENED, IPC_MESSAGE_SIZE, FLOOD, NULL },
	{ AT_SIZE, IPC_LOG, FLOOD, NULL },
};

static void
try_oddity(const struct server *server, size_t i)
{
	char what[80], bytes[1024];
	int fd;

	(void)snprintf(what, sizeof(what), "oddity %zu (moment %u, trick %u)",
	    i, oddities[i].moment, oddities[i].trick);
	order_store(server, oddities[i].moment, CHILD_SESSION,
	    oddities[i].type, oddities[i].trick);
	fd = pop2_until(server, oddities[i].moment);
	if (oddities[i].moment == AT_DATA) {
		must_be_silent(fd, what);
		must_be_silent(pop1_until(server, AT_DATA), what);
	} else if (oddities[i].reply == NULL)
		must_be_refused(fd, "- ", what);
	else if (oddities[i].reply[0] == '\0')
		must_be_cut(fd, what);
	else {
		client_expect(fd, oddities[i].reply);
		/* What else was in the pipe is not taken for a reply. */
		if (oddities[i].trick == TOO_MANY)
			client_say(fd, "ACKS", "=0 ");
		(void)shutdown(fd, SHUT_WR);
		(void)read_rest(fd, bytes, sizeof(bytes));
		ATF_CHECK_MSG(strstr(bytes, "Subject") == NULL, "%s: %s",
		    what, bytes);
	}
}

ATF_TC_WITHOUT_HEAD(store_oddities);
ATF_TC_BODY(store_oddities, tc)
{
	struct server server;
	pid_t net;
	size_t i;
	int fd;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	fd = begin_bystander(&server);
	for (i = 0; i < COUNT(oddities); i++)
		try_oddity(&server, i);
	ATF_CHECK(!log_has(&server, "#9 messages\x01"));
	stop_undisturbed(&server, fd, net);
}

/* A store that does not keep its word of the message that is asked ahead. */
static const struct {
	uint32_t type;
	unsigned int trick;
	const char *command;		/* NULL: net sees it before any */
} broken_words[] = {
	{ IPC_DATA_FOLLOWS, HUGE_NUMBERS, NULL },
	{ IPC_DATA_FOLLOWS, EMPTY, NULL },
	{ IPC_DATA_FOLLOWS, DIE, NULL },
	{ IPC_MESSAGE_UID, FLOOD, NULL },
	{ IPC_DATA_FOLLOWS, SILENCE, "DELE 1\r\n" },
	{ IPC_DATA_FOLLOWS, TOO_FEW, "TOP 1 0\r\n" },
	{ IPC_DATA_FOLLOWS, TOO_FEW, "LIST\r\n" },
};

ATF_TC_WITHOUT_HEAD(store_ahead);
ATF_TC_BODY(store_ahead, tc)
{
	struct server server;
	char what[40];
	pid_t net;
	size_t i;
	int fd, other;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n"
	    "listen auto 127.0.0.1 port 0\nlisten pop3 127.0.0.1 port 0\n");
	net = children_pid(&server, "postern-net", 0);
	other = begin_bystander(&server);
	for (i = 0; i < COUNT(broken_words); i++) {
		(void)snprintf(what, sizeof(what), "broken word %zu", i);
		order_store(&server, AT_AHEAD, CHILD_SESSION, broken_words[i].type,
		    broken_words[i].trick);
		fd = pop3_until(&server, AT_AHEAD);
		/* Net has heard it: no further mail makes up for what lacks. */
		(void)poll(NULL, 0, 100);
		if (broken_words[i].command != NULL)
			client_send(fd, broken_words[i].command);
		must_be_refused(fd, "-ERR [SYS/TEMP] the mailbox process ",
		    what);
	}
	stop_undisturbed(&server, other, net);
}

/* Of mail that is all in net what is on its way comes whole. */
ATF_TC_WITHOUT_HEAD(store_dies_behind_mail);
ATF_TC_BODY(store_dies_behind_mail, tc)
{
	static const char begin[] = "+OK 30000 octets\r\n";
	const size_t whole = strlen(begin) + LARGE_OCTETS + strlen(".\r\n");
	const char gone[] = "-ERR [SYS/TEMP] the mailbox process is gone\r\n";
	/* More than any system has room for between two programs. */
	const size_t asked = 400;
	struct server server;
	char *bytes = malloc(asked * whole + 100);
	size_t got, i;
	pid_t net;
	int fd, other;

	(void)tc;
	ATF_REQUIRE(bytes != NULL);
	start_with_store_double(&server, "net-processes 1\n"
	    "listen auto 127.0.0.1 port 0\nlisten pop3 127.0.0.1 port 0\n");
	net = children_pid(&server, "postern-net", 0);
	other = begin_bystander(&server);
	order_store(&server, AT_DATA, CHILD_SESSION, IPC_DATA_FOLLOWS,
	    DIE_WHEN_STUCK);
	fd = pop3_until(&server, AFTER_OPENED);
	for (i = 0; i < asked; i++)
		client_send(fd, "RETR 1\r\n");
	children_must_be(&server, "postern-store", 1);
	got = read_rest(fd, bytes, asked * whole + 100);
	for (i = 0; i + whole <= got && bytes[i] == '+'; i += whole) {
		ATF_CHECK(memcmp(bytes + i, begin, strlen(begin)) == 0);
		ATF_CHECK(memcmp(bytes + i + whole - 4, "x.\r\n", 4) == 0);
	}
	ATF_CHECK(i > 0 && i < asked * whole);
	ATF_CHECK_EQ(strlen(gone), got - i);
	ATF_CHECK(memcmp(bytes + i, gone, strlen(gone)) == 0);
	free(bytes);
	stop_undisturbed(&server, other, net);
}

/* The log tells the store's reason, and of this session. */
ATF_TC_WITHOUT_HEAD(store_reason_in_log);
ATF_TC_BODY(store_reason_in_log, tc)
{
	struct server server;
	pid_t net;
	int fd;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	fd = begin_bystander(&server);
	order_store(&server, AT_OPENED, CHILD_SESSION, IPC_STORE_FAILED,
	    INJECT);
	must_be_refused(pop2_until(&server, AT_OPENED), "- bad", "reason");
	log_must_have(&server, "user=mallory");
	log_must_have(&server, "reason=\"bad");
	stop_undisturbed(&server, fd, net);
}

/* A store that says nothing is waited for as long as T2 says. */
ATF_TC_WITHOUT_HEAD(store_silence);
ATF_TC_BODY(store_silence, tc)
{
	struct server server;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n"
	    "session-timeout 3\nlogin-timeout 3\n");
	order_store(&server, AT_READY, CHILD_SESSION, 0, SILENCE);
	must_be_refused(pop2_until(&server, AT_READY), "- ", "ready");
	order_store(&server, AT_SIZE, CHILD_SESSION, 0, SILENCE);
	must_be_refused(pop2_until(&server, AT_SIZE), "- ", "size");
	order_store(&server, AFTER_DATA, CHILD_SESSION, 0, SILENCE);
	must_be_cut(pop2_until(&server, AFTER_DATA), "data");
	children_must_be(&server, "postern-store", 0);
	server_stop(&server);
}

static void
attack_parent(const struct server *server, uint32_t type, enum trick trick)
{
	const char *wrong = complaint(type, trick, ROLE_STORE, ROLE_PARENT,
	    PHASE_RUN);
	size_t before = log_length(server);
	char what[80], text[160];

	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof(what), "%s, trick %u", rows[type].name,
	    trick);
	order_store(server, AFTER_OPENED, CHILD_CONTROL, type, trick);
	must_be_refused(pop2_until(server, AFTER_OPENED), "- ", what);
	(void)snprintf(text, sizeof(text), "message=%s error=\"%s\"",
	    strcmp(wrong, "not a message") == 0 ? "none" : rows[type].name,
	    wrong);
	ATF_CHECK_MSG(logged_since(server, before, "event=ipc process=store"),
	    "%s: not logged", what);
	ATF_CHECK_MSG(logged_since(server, before, text), "%s: no %s", what,
	    text);
	ATF_CHECK_MSG(logged_since(server, before, "signal=9"), "%s: lives",
	    what);
}

/* A store has nothing to say to the parent but log lines. */
ATF_TC_WITHOUT_HEAD(store_to_parent);
ATF_TC_BODY(store_to_parent, tc)
{
	struct server server;
	uint32_t number;
	pid_t net;
	int fd;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	fd = begin_bystander(&server);
	/* Else it could write "event=ready" in the parent's own name. */
	ATF_REQUIRE(complaint(IPC_STARTED, RIGHT, ROLE_STORE, ROLE_PARENT,
	    PHASE_RUN) != NULL);
	for (number = 0; number < PARENT_ATTACKS; number++)
		attack_parent(&server, type_of(number, IPC_LOG),
		    trick_of(number));
	order_store(&server, AFTER_OPENED, CHILD_CONTROL, IPC_LOG, INJECT);
	(void)close(pop2_until(&server, AFTER_OPENED));
	log_must_have(&server, "bad\\x0d\\x0a+ OK\\x0d\\x0a#9 messages\\x01");
	stop_undisturbed(&server, fd, net);
}

/* What postern-lock says to a store: its channel's end, and no other's. */
static void
attack_lock(const struct server *server, uint32_t type, enum trick trick)
{
	const char *wrong = complaint(type, trick, ROLE_STORE, ROLE_LOCK,
	    PHASE_RUN);
	size_t before = log_length(server);
	char what[80], text[160];
	int fd;

	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof(what), "%s, trick %u", rows[type].name,
	    trick);
	order_store(server, AFTER_OPENED, CHILD_LOCK, type, trick);
	fd = pop2_until(server, AFTER_OPENED);
	(void)snprintf(text, sizeof(text), "error=\"%s\"", wrong);
	ATF_CHECK_MSG(logged_since(server, before, "event=ipc from=store "
	    "pid="), "%s: not logged", what);
	ATF_CHECK_MSG(logged_since(server, before, text), "%s: no %s", what,
	    text);
	client_say(fd, "QUIT", "+ ");
	client_expect_close(fd);
}

/* Whatever a store says, postern-lock goes on for the others. */
ATF_TC(store_to_lock);
ATF_TC_HEAD(store_to_lock, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(store_to_lock, tc)
{
	struct server server;
	uint32_t number;
	size_t before;
	pid_t net, lock;
	int fd;

	(void)tc;
	start_with_store_double(&server, "net-processes 1\n");
	net = children_pid(&server, "postern-net", 0);
	lock = children_pid(&server, "postern-lock", 0);
	fd = begin_bystander(&server);
	for (number = 0; number < TYPES + TRICKS; number++)
		attack_lock(&server, type_of(number, IPC_LOCK_TAKE),
		    trick_of(number));
	/* Thousands of requests, and not one answer taken. */
	before = log_length(&server);
	order_store(&server, AFTER_OPENED, CHILD_LOCK, IPC_LOCK_RELEASE,
	    FLOOD);
	(void)close(pop2_until(&server, AFTER_OPENED));
	ATF_CHECK(logged_since(&server, before, "error=\"takes no answers"));
	ATF_CHECK_EQ(lock, children_pid(&server, "postern-lock", 0));
	stop_undisturbed(&server, fd, net);
}

/* A postern-lock that has been taken over. */

static void
start_with_lock_double(struct server *server)
{
	prepare(server, "net-processes 1\nlock-timeout 1\n", "postern-lock");
	server_add_user(server, MALLORY, "x", MALLORY_UID);
	server_run(server);
	mailbox_write(server, MALLORY, second_alone, strlen(second_alone));
}

/* A store believes no other answer, and its session ends. */
static void
attack_as_lock(const struct server *server, uint32_t type,
    enum trick trick)
{
	char what[80], text[80];
	size_t before = log_length(server);

	(void)snprintf(what, sizeof(what), "%s, trick %u", rows[type].name,
	    trick);
	(void)snprintf(text, sizeof(text), "%u %u", type, trick);
	give_order(server, "order", text);
	must_be_refused(pop2_until(server, AT_OPENED), "- ", what);
	ATF_CHECK_MSG(logged_since(server, before, "user=mallory"),
	    "%s: not logged", what);
	mailbox_must_be(server, MALLORY, second_alone, strlen(second_alone));
}

ATF_TC(lock_to_store);
ATF_TC_HEAD(lock_to_store, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(lock_to_store, tc)
{
	struct server server;
	uint32_t number, type;
	pid_t net, lock;
	int fd;

	(void)tc;
	start_with_lock_double(&server);
	net = children_pid(&server, "postern-net", 0);
	lock = children_pid(&server, "postern-lock", 0);
	fd = begin_bystander(&server);
	for (number = 0; number < TYPES + TRICKS; number++) {
		type = type_of(number, IPC_LOCK_ANSWER);
		if (complaint(type, trick_of(number), ROLE_LOCK, ROLE_STORE,
		    PHASE_WAIT_LOCK) != NULL)
			attack_as_lock(&server, type, trick_of(number));
	}
	attack_as_lock(&server, IPC_LOCK_ANSWER, HUGE_NUMBERS);
	log_must_have(&server, "event=ipc from=lock error=\"not an answer\"");
	log_must_have(&server, "event=ipc from=lock error=\"not a result\"");
	ATF_CHECK_EQ(lock, children_pid(&server, "postern-lock", 0));
	stop_undisturbed(&server, fd, net);
}

/* One that goes instead of answering ends that session; another comes. */
ATF_TC_WITHOUT_HEAD(lock_dies);
ATF_TC_BODY(lock_dies, tc)
{
	struct server server;
	pid_t lock;
	int fd;

	(void)tc;
	start_with_lock_double(&server);
	lock = children_pid(&server, "postern-lock", 0);
	attack_as_lock(&server, IPC_LOCK_ANSWER, DIE);
	log_must_have(&server, "event=exit process=lock");
	children_must_be(&server, "postern-lock", 1);
	ATF_CHECK(lock != children_pid(&server, "postern-lock", 0));
	fd = begin_bystander(&server);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* To the parent it has nothing to say but log lines. */
ATF_TC_WITHOUT_HEAD(lock_to_parent);
ATF_TC_BODY(lock_to_parent, tc)
{
	struct server server;
	char text[32];
	int fd;

	(void)tc;
	start_with_lock_double(&server);
	(void)snprintf(text, sizeof(text), "%u", IPC_LOGIN_GRANTED);
	give_order(&server, "parent", text);
	(void)close(pop2_until(&server, AT_OPENED));
	log_must_have(&server, "event=ipc process=lock");
	log_must_have(&server, "message=LOGIN_GRANTED error=\"wrong sender\"");
	log_must_have(&server, "event=exit process=lock");
	children_must_be(&server, "postern-lock", 1);
	fd = begin_bystander(&server);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* An authenticator that has been taken over. */

static int
is_gone(pid_t pid)
{
	char path[64], line[512], *after;
	FILE *file;
	int gone;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((file = fopen(path, "r")) == NULL)
		return (1);
	gone = fgets(line, sizeof(line), file) == NULL ||
	    (after = strrchr(line, ')')) == NULL || after[2] == 'Z';
	(void)fclose(file);
	return (gone);
}

/* A login is what auth's double attacks at, and "go" what keys' does. */
static void
must_stop_loudly(struct server *server, const char *name, const char *what)
{
	char text[80];
	pid_t net = children_pid(server, "postern-net", 0), ended = 0;
	int status = 0, waited, fd;

	fd = client_connect(server, 0);
	client_expect_line(fd, "+ POP2 ");
	client_send(fd, "HELO fred secret\r\n");
	give_order(server, "go", "");
	for (waited = 0; waited < PATIENCE_MS && ended == 0; waited += 5) {
		ended = waitpid(server->pid, &status, WNOHANG);
		sleep_ms(ended == 0 ? 5 : 0);
	}
	ATF_REQUIRE_MSG(ended == server->pid, "%s: the daemon goes on", what);
	server->pid = 0;
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) != 0,
	    "%s: status %d", what, status);
	(void)snprintf(text, sizeof(text), "%s cannot be trusted", name);
	ATF_CHECK_MSG(log_has(server, text), "%s: not logged", what);
	for (waited = 0; waited < PATIENCE_MS && !is_gone(net); waited += 5)
		sleep_ms(5);
	ATF_CHECK_MSG(is_gone(net), "%s: net outlives its parent", what);
	(void)close(fd);
}

static void
attack_as_auth(struct server *server, uint32_t type, enum trick trick)
{
	const char *wrong = complaint(type, trick, ROLE_AUTH, ROLE_PARENT,
	    PHASE_RUN);
	char what[80], text[160];

	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof(what), "%s, trick %u", rows[type].name,
	    trick);
	(void)snprintf(text, sizeof(text), "%u %u", type, trick);
	give_order(server, "order", text);
	(void)unlink(server->log);
	server_run(server);
	must_stop_loudly(server, "postern-auth", what);
	(void)snprintf(text, sizeof(text), "message=%s error=\"%s\"",
	    strcmp(wrong, "not a message") == 0 ? "none" : rows[type].name,
	    wrong);
	ATF_CHECK_MSG(log_has(server, text), "%s: no %s", what, text);
	ATF_CHECK_MSG(!log_has(server, "process=store"), "%s", what);
}

/* A message that it never sends stops the daemon, loudly. */
ATF_TC(auth_to_parent);
ATF_TC_HEAD(auth_to_parent, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(auth_to_parent, tc)
{
	struct server server;
	uint32_t type;
	unsigned int trick;

	(void)tc;
	prepare(&server, "net-processes 1\nauth-processes 1\n",
	    "postern-auth");
	for (type = 0; type < TYPES; type++)
		attack_as_auth(&server, type, RIGHT);
	for (trick = SHORT; trick < TRICKS; trick++)
		attack_as_auth(&server, IPC_LOGIN_GRANTED,
		    (enum trick)trick);
}

ATF_TC_WITHOUT_HEAD(auth_empty_datagram);
ATF_TC_BODY(auth_empty_datagram, tc)
{
	struct server server;
	char text[32];

	(void)tc;
	prepare(&server, "net-processes 1\nauth-processes 1\n",
	    "postern-auth");
	(void)snprintf(text, sizeof(text), "%u %u", IPC_LOGIN_GRANTED, EMPTY);
	give_order(&server, "order", text);
	server_run(&server);
	must_stop_loudly(&server, "postern-auth", "a datagram of no bytes");
}

/* Names that no authenticator can make a mailbox of. */
static const char *const no_mailbox[] = {
	"nobody-here", "rooty", "low", "nameless", "../fred", "fred/../ann",
	"/etc/passwd", "fred/", "..", ".", "-fred", "fr%u", "fr\\ ed",
	"fred:x", "gidzero",
};

static void
append_users(const struct server *server)
{
	static const char lines[] =
	    "rooty:$x:root\nlow:$x:999:999:/:\nmissing:$x:no-such-account\n";
	char path[600];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/passwd", server->directory);
	ATF_REQUIRE((file = fopen(path, "a")) != NULL);
	(void)fputs(lines, file);
	ATF_REQUIRE(fclose(file) == 0);
}

static void
login_as(const struct server *server, const char *user, const char *reply)
{
	char line[300];
	int fd = client_connect(server, 0);

	client_expect_line(fd, "+ POP2 ");
	(void)snprintf(line, sizeof(line), "HELO %s x", user);
	client_say(fd, line, reply);
	client_expect_close(fd);
}

/* Whatever it grants: uid 0, unknown users and paths get no store. */
ATF_TC_WITHOUT_HEAD(auth_grants);
ATF_TC_BODY(auth_grants, tc)
{
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	prepare(&server, "net-processes 1\nauth-processes 1\n"
	    "login-timeout 2\n", "postern-auth");
	append_users(&server);
	server_run(&server);
	fd = begin_bystander(&server);
	for (i = 0; i < COUNT(no_mailbox); i++)
		login_as(&server, no_mailbox[i],
		    "- this account has no mailbox here");
	login_as(&server, "missing", "- this account has no mailbox here");
	children_must_be(&server, "postern-store", 1);
	log_must_have(&server, "user=rooty error=\"uid 0 and gid 0 never");
	log_must_have(&server, server.privileged ?
	    "user=low error=\"uid under minimum-uid\"" :
	    "user=low error=\"running as one ordinary user");
	log_must_have(&server, "user=? error=\"not a valid user name\"");
	/* Nobody asked from there: no store, and no reply. */
	login_as(&server, "othernet", "- timeout");
	login_as(&server, "hugenet", "- timeout");
	children_must_be(&server, "postern-store", 1);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* A store for a session that is not there is not kept. */
ATF_TC_WITHOUT_HEAD(auth_other_session);
ATF_TC_BODY(auth_other_session, tc)
{
	struct server server;
	pid_t net;
	int fd;

	(void)tc;
	prepare(&server, "net-processes 1\nauth-processes 1\n"
	    "login-timeout 2\n", "postern-auth");
	server_run(&server);
	net = children_pid(&server, "postern-net", 0);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+ POP2 ");
	client_say(fd, "HELO fred othersession", "- timeout");
	client_expect_close(fd);
	children_must_be(&server, "postern-store", 0);
	ATF_CHECK_EQ(net, children_pid(&server, "postern-net", 0));
	fd = begin_bystander(&server);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* A bad answer to net is the end of that net process, not of the daemon. */
ATF_TC_WITHOUT_HEAD(auth_to_net);
ATF_TC_BODY(auth_to_net, tc)
{
	struct server server;
	pid_t net;
	int fd;

	(void)tc;
	prepare(&server, "net-processes 1\nauth-processes 1\n",
	    "postern-auth");
	server_run(&server);
	net = children_pid(&server, "postern-net", 0);
	fd = client_connect(&server, 0);
	client_expect_line(fd, "+ POP2 ");
	client_send(fd, "HELO badanswer x\r\n");
	log_must_have(&server, "event=ipc from=auth error=\"wrong size\"");
	log_must_have(&server, "event=exit process=net");
	(void)close(fd);
	children_must_be(&server, "postern-net", 1);
	ATF_CHECK(net != children_pid(&server, "postern-net", 0));
	fd = begin_bystander(&server);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* A postern-keys that has been taken over. */

static void
attack_as_keys(struct server *server, uint32_t type, enum trick trick)
{
	const char *wrong = complaint(type, trick, ROLE_KEYS, ROLE_PARENT,
	    PHASE_RUN);
	char what[80], text[160], go[600];

	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof(what), "%s, trick %u", rows[type].name,
	    trick);
	(void)snprintf(text, sizeof(text), "%u %u", type, trick);
	give_order(server, "order", text);
	order_path(server, "go", go, sizeof(go));
	(void)unlink(go);
	(void)unlink(server->log);
	server_run(server);
	must_stop_loudly(server, "postern-keys", what);
	(void)snprintf(text, sizeof(text), "message=%s error=\"%s\"",
	    strcmp(wrong, "not a message") == 0 ? "none" : rows[type].name,
	    wrong);
	ATF_CHECK_MSG(log_has(server, text), "%s: no %s", what, text);
}

/* Whoever has it has the keys: a message that it never sends is the end. */
ATF_TC(keys_to_parent);
ATF_TC_HEAD(keys_to_parent, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(keys_to_parent, tc)
{
	struct server server;
	char text[1300];
	uint32_t number;

	(void)tc;
	(void)snprintf(text, sizeof(text), "net-processes 1\n"
	    "auth-processes 1\n%s", pair_selfsigned());
	prepare(&server, text, "postern-keys");
	for (number = 0; number < PARENT_ATTACKS; number++)
		attack_as_keys(&server, type_of(number, IPC_LOG),
		    trick_of(number));
}

/* A postern-config that has been taken over. */

#define NO_SETTINGS	"there is no configuration to run by"
#define NO_ADDRESS	"listen: more than 64 addresses, or not one"
#define NO_FAMILY	"error=\"Address family not supported"
#define NO_ROOT		"event=privdrop error=\"asked to stay root\""
#define NO_MODE		"must be started as root, or as another user with"

/* Who can be told this with any effect. */
enum starter { ANYBODY, ROOT, USER };

#define LIE(type, payload, member, value)				\
	{ CHANGED, type, offsetof(struct payload, member),		\
	    sizeof(((struct payload *)NULL)->member), value }
#define PARENT(member, value)						\
	LIE(IPC_CONFIG_PARENT, ipc_parent_config, member, value)
#define ADDRESS(member, value)						\
	LIE(IPC_CONFIG_ADDRESS, ipc_config_address, member, value)
#define FAMILY(family)							\
	{ CHANGED, IPC_CONFIG_ADDRESS, offsetof(struct			\
	    ipc_config_address, address) + offsetof(struct sockaddr,	\
	    sa_family), sizeof(sa_family_t), family }
#define WITHOUT(type)	{ LEFT_OUT, type, 0, 0, 0 }
#define STAYS_ROOT(user)						\
	{ #user ".uid 0", PARENT(user.uid, 0), NO_ROOT, ROOT },		\
	{ #user ".gid 0", PARENT(user.gid, 0), NO_ROOT, ROOT },		\
	{ #user ".extra 0", PARENT(user.extra, 0), NO_ROOT, ROOT }

static const struct {
	const char *what;
	struct lie lie;
	const char *why;
	enum starter starter;
} config_lies[] = {
	{ "no sessions", PARENT(sessions, 0), NO_SETTINGS, ANYBODY },
	{ "sessions", PARENT(sessions, SESSIONS_MAX + 1), NO_SETTINGS,
	    ANYBODY },
	{ "sessions 2^31", PARENT(sessions, 1U << 31), NO_SETTINGS, ANYBODY },
	{ "no net", PARENT(net_processes, 0), NO_SETTINGS, ANYBODY },
	{ "nets", PARENT(net_processes, NET_PROCESSES_MAX + 1), NO_SETTINGS,
	    ANYBODY },
	{ "no auth", PARENT(auth_processes, 0), NO_SETTINGS, ANYBODY },
	{ "auths", PARENT(auth_processes, AUTH_PROCESSES_MAX + 1),
	    NO_SETTINGS, ANYBODY },
	{ "connections", LIE(IPC_CONFIG_NET, ipc_net_config, connections,
	    CONNECTIONS_MAX + 1), NO_SETTINGS, ANYBODY },
	{ "networks", LIE(IPC_CONFIG_NET, ipc_net_config, network_count,
	    NETWORKS_MAX + 1), NO_SETTINGS, ANYBODY },
	{ "a pair less", LIE(IPC_CONFIG_NET, ipc_net_config, pairs, 0),
	    NO_SETTINGS, ANYBODY },
	{ "a pair more", LIE(IPC_CONFIG_NET, ipc_net_config, pairs, 2),
	    NO_SETTINGS, ANYBODY },
	{ "minimum-uid 0", LIE(IPC_CONFIG_AUTH, ipc_auth_config, minimum_uid,
	    0), NO_SETTINGS, ANYBODY },
	{ "locks without an end", LIE(IPC_CONFIG_STORE, ipc_store_config,
	    locks[LOCK_KINDS_MAX], LOCK_FCNTL), NO_SETTINGS, ANYBODY },

	{ "no PARENT", WITHOUT(IPC_CONFIG_PARENT), NO_SETTINGS, ANYBODY },
	{ "no NET", WITHOUT(IPC_CONFIG_NET), NO_SETTINGS, ANYBODY },
	{ "no AUTH", WITHOUT(IPC_CONFIG_AUTH), NO_SETTINGS, ANYBODY },
	{ "no LOCK", WITHOUT(IPC_CONFIG_LOCK), NO_SETTINGS, ANYBODY },
	{ "no STORE", WITHOUT(IPC_CONFIG_STORE), NO_SETTINGS, ANYBODY },
	{ "no PAIR", WITHOUT(IPC_CONFIG_PAIR), NO_SETTINGS, ANYBODY },
	{ "no ADDRESS", WITHOUT(IPC_CONFIG_ADDRESS), NO_SETTINGS, ANYBODY },
	{ "no STARTED", WITHOUT(IPC_STARTED), NO_SETTINGS, ANYBODY },
	{ "status 1", { FAILED, IPC_TYPES, 0, 0, 1 }, NO_SETTINGS, ANYBODY },
	{ "SIGKILL", { KILLED, IPC_TYPES, 0, 0, 0 }, NO_SETTINGS, ANYBODY },

	{ "addresses", { REPEATED, IPC_CONFIG_ADDRESS, 0, 0,
	    SOCKETS_MAX + 1 }, NO_ADDRESS, ANYBODY },
	{ "protocol 4", ADDRESS(protocol, PROTOCOLS), NO_ADDRESS, ANYBODY },
	{ "protocol 9", ADDRESS(protocol, 9), NO_ADDRESS, ANYBODY },
	{ "length 33", ADDRESS(length, ADDRESS_SIZE + 1), NO_ADDRESS,
	    ANYBODY },
	{ "length 200", ADDRESS(length, 200), NO_ADDRESS, ANYBODY },
	{ "too long for IPv4", ADDRESS(length, sizeof(struct sockaddr_in6)),
	    NO_FAMILY, ANYBODY },
	{ "length 0", ADDRESS(length, 0), NO_FAMILY, ANYBODY },
	{ "too short for IPv6", FAMILY(AF_INET6), NO_FAMILY, ANYBODY },
	{ "AF_UNIX", FAMILY(AF_UNIX), NO_FAMILY, ANYBODY },
	{ "AF_UNSPEC", FAMILY(AF_UNSPEC), NO_FAMILY, ANYBODY },

	{ "unprivileged", PARENT(start.unprivileged, 1),
	    "'unprivileged' is for another user than root", ROOT },
	{ "privileged", PARENT(start.unprivileged, 0), NO_MODE, USER },
	STAYS_ROOT(net_user),
	STAYS_ROOT(auth_user),
	STAYS_ROOT(lock_user),
	STAYS_ROOT(keys_user),
};

static void
prepare_config_double(struct server *server)
{
	char text[1300];

	(void)snprintf(text, sizeof(text), "net-processes 1\n"
	    "auth-processes 1\n%s", pair_selfsigned());
	prepare(server, text, "postern-config");
}

static void
order_lie(const struct server *server, const struct lie *lie)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%u %u %zu %zu %u", lie->how,
	    lie->type, lie->offset, lie->size, lie->value);
	give_order(server, "lie", text);
}

/* What the daemon allocates by, binds and becomes is held against limits. */
ATF_TC(config_to_parent);
ATF_TC_HEAD(config_to_parent, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(config_to_parent, tc)
{
	struct server server;
	size_t i;
	int fd;

	(void)tc;
	prepare_config_double(&server);
	for (i = 0; i < COUNT(config_lies); i++) {
		if (config_lies[i].starter == (server.privileged ? USER :
		    ROOT))
			continue;
		order_lie(&server, &config_lies[i].lie);
		must_refuse(&server, config_lies[i].what, config_lies[i].why);
	}
	/* It is the lie that was refused: with none all is well. */
	give_order(&server, "lie", "");
	server_run(&server);
	fd = begin_bystander(&server);
	end_bystander(&server, fd);
	server_stop(&server);
}

/* How a part is to be confined: as the parent is, whatever it says. */
ATF_TC(config_confines);
ATF_TC_HEAD(config_confines, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(config_confines, tc)
{
	static const struct lie starts[] = {
		LIE(IPC_CONFIG_NET, ipc_net_config, start.unprivileged, 1),
		LIE(IPC_CONFIG_NET, ipc_net_config, start.without, ~0U),
	};
	struct server server;
	char root[600], capabilities[64], filter[64];
	pid_t net;
	size_t i;

	(void)tc;
	prepare_config_double(&server);
	for (i = 0; i < COUNT(starts); i++) {
		order_lie(&server, &starts[i]);
		server_run(&server);
		net = children_pid(&server, "postern-net", 0);
		process_link(net, "root", root, sizeof(root));
		ATF_CHECK_MSG(strcmp(root, "/") != 0, "%zu: the root is the "
		    "system's", i);
		ATF_REQUIRE(process_field(net, "CapPrm", capabilities,
		    sizeof(capabilities)) == 0);
		ATF_CHECK_STREQ("0000000000000000", capabilities);
		ATF_REQUIRE(process_field(net, "Seccomp", filter,
		    sizeof(filter)) == 0);
#ifndef POSTERN_SANITIZED	/* there are none then */
		ATF_CHECK_STREQ("2", filter);
#endif
		server_stop(&server);
	}
}

/* Messages that are no part of a configuration, or none at all. */
ATF_TC(config_messages);
ATF_TC_HEAD(config_messages, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(config_messages, tc)
{
	struct server server;
	char what[80], text[160];
	const char *wrong;
	uint32_t number, type;

	(void)tc;
	prepare_config_double(&server);
	for (number = 0; number < TYPES + TRICKS; number++) {
		type = type_of(number, IPC_CONFIG_PARENT);
		wrong = complaint(type, trick_of(number), ROLE_CONFIG,
		    ROLE_PARENT, PHASE_CONFIGURE);
		if (wrong == NULL)
			continue;
		(void)snprintf(what, sizeof(what), "%s, trick %u",
		    rows[type].name, trick_of(number));
		(void)snprintf(text, sizeof(text), "%u %u", type,
		    trick_of(number));
		give_order(&server, "order", text);
		(void)snprintf(text, sizeof(text), "event=ipc process=config "
		    "error=\"%s\"", wrong);
		must_refuse(&server, what, text);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, net_to_auth_and_parent);
	ATF_TP_ADD_TC(tp, net_to_parent_second);
	ATF_TP_ADD_TC(tp, net_empty_datagram);
	ATF_TP_ADD_TC(tp, net_to_own_store);
	ATF_TP_ADD_TC(tp, net_to_store_types);
	ATF_TP_ADD_TC(tp, net_to_store_tricks);
	ATF_TP_ADD_TC(tp, net_to_store_lies);
	ATF_TP_ADD_TC(tp, net_to_store_leaves);
	ATF_TP_ADD_TC(tp, net_floods_store);
	ATF_TP_ADD_TC(tp, store_to_net_pop2);
	ATF_TP_ADD_TC(tp, store_to_net_pop1);
	ATF_TP_ADD_TC(tp, store_to_net_pop3);
	ATF_TP_ADD_TC(tp, store_to_net_tricks);
	ATF_TP_ADD_TC(tp, store_oddities);
	ATF_TP_ADD_TC(tp, store_ahead);
	ATF_TP_ADD_TC(tp, store_dies_behind_mail);
	ATF_TP_ADD_TC(tp, store_reason_in_log);
	ATF_TP_ADD_TC(tp, store_silence);
	ATF_TP_ADD_TC(tp, store_to_parent);
	ATF_TP_ADD_TC(tp, store_to_lock);
	ATF_TP_ADD_TC(tp, lock_to_store);
	ATF_TP_ADD_TC(tp, lock_dies);
	ATF_TP_ADD_TC(tp, lock_to_parent);
	ATF_TP_ADD_TC(tp, auth_to_parent);
	ATF_TP_ADD_TC(tp, auth_empty_datagram);
	ATF_TP_ADD_TC(tp, auth_grants);
	ATF_TP_ADD_TC(tp, auth_other_session);
	ATF_TP_ADD_TC(tp, auth_to_net);
	ATF_TP_ADD_TC(tp, keys_to_parent);
	ATF_TP_ADD_TC(tp, config_to_parent);
	ATF_TP_ADD_TC(tp, config_confines);
	ATF_TP_ADD_TC(tp, config_messages);
	return (atf_no_error());
}
