/*
 * race_client.c - clients that read and delete while mail is delivered.
 *
 * What they saw, asked for and were told goes into the ledger.  That a
 * mailbox is in use is an ordinary answer; that a connection ends is one
 * only where stores are killed, or where the client itself drops it.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

#define PATIENCE_SECONDS	60
#define LONG_REST_MS		300
#define SESSION_MAX		100	/* messages read in one of POP2 */

/* One session, and what it may still ask the end of. */
struct visit {
	struct race *race;
	int fd;
	unsigned int user;
	unsigned int began, asked;	/* by race_now() */
	uint64_t random;
	struct race_order order;
	struct race_mail **marked;
	size_t marked_count, marked_room;
	int bad;			/* damage was seen */
};

static void
pause_ms(uint32_t ms)
{
	(void)poll(NULL, 0, (int)ms);
}

static int
say(struct visit *visit, const char *command)
{
	char line[600];
	int length = snprintf(line, sizeof(line), "%s\r\n", command);

	return (send(visit->fd, line, (size_t)length, MSG_NOSIGNAL) ==
	    length ? 0 : -1);
}

/* The connection has ended, or its silence is too long. */
static int
ended(const struct visit *visit, ssize_t got)
{
	if (got == -1 && errno == EAGAIN)
		race_complain(visit->race, "no answer in %d s",
		    PATIENCE_SECONDS);
	else if (!visit->race->kills && !visit->race->agent->adds_notes)
		race_complain(visit->race, "the connection ended: %s",
		    got == 0 ? "the end" : strerror(errno));
	atomic_fetch_add(&visit->race->ledger->drops, 1);
	return (-1);
}

static int
take(const struct visit *visit, char *bytes, size_t length)
{
	ssize_t got;

	for (; length > 0; length -= (size_t)got, bytes += got)
		if ((got = recv(visit->fd, bytes, length, 0)) <= 0)
			return (ended(visit, got));
	return (0);
}

static int
take_line(const struct visit *visit, char *line, size_t size)
{
	size_t have = 0;

	do {
		if (have + 1 == size || take(visit, line + have, 1) == -1)
			return (-1);
	} while (line[have++] != '\n');
	line[have - (have >= 2 && line[have - 2] == '\r' ? 2 : 1)] = '\0';
	return (0);
}

/* Refusals that are part of the race. */
static int
is_ordinary(const struct visit *visit, const char *line)
{
	if (strstr(line, "in use by another session") == NULL &&
	    strstr(line, "locked by another program") == NULL &&
	    (!visit->race->agent->adds_notes ||
	    strstr(line, "another program") == NULL) &&
	    (!visit->race->kills || strstr(line, "mailbox process") == NULL))
		return (0);
	atomic_fetch_add(&visit->race->ledger->busy, 1);
	return (1);
}

/* -1: the session is over, by a drop or by a refusal. */
static int
expect(const struct visit *visit, const char *sign, char *line, size_t size)
{
	if (take_line(visit, line, size) == -1)
		return (-1);
	if (strncmp(line, sign, strlen(sign)) == 0)
		return (0);
	if (!is_ordinary(visit, line))
		race_complain(visit->race, "expected \"%s\", got \"%.200s\"",
		    sign, line);
	return (-1);
}

static int
ask(struct visit *visit, const char *command, const char *sign)
{
	char line[600];

	return (say(visit, command) == -1 ? -1 :
	    expect(visit, sign, line, sizeof(line)));
}

/* "#nnn" or "=nnn". */
static int
ask_number(struct visit *visit, const char *command, const char *sign,
    size_t *number)
{
	char line[600];

	if (say(visit, command) == -1 ||
	    expect(visit, sign, line, sizeof(line)) == -1)
		return (-1);
	*number = (size_t)strtoull(line + 1, NULL, 10);
	return (0);
}

/*
 * Has it been acknowledged before this session began?  (Only then is it wrong
 * that it is here: a session whose store was killed may look at what it was
 * sent when others have read and deleted the same.)
 */
static int
is_back(const struct visit *visit, const struct race_mail *mail)
{
	return (mail->gone != 0 && mail->gone_at < visit->began);
}

/*
 * A whole message came.  What was asked before this session began and is here
 * nevertheless has not been done, nor will be: only one session at a time has
 * the mailbox.
 */
static struct race_mail *
saw(struct visit *visit, const char *bytes, size_t length, int again)
{
	struct race_mail *mail;
	unsigned int lane, serial, asked;

	if (race_identify(visit->race, bytes, length, &lane, &serial) == -1)
		return (NULL);
	mail = race_mail(visit->race, lane, serial);
	if (lane % RACE_USERS != visit->user || is_back(visit, mail)) {
		race_complain(visit->race, "message %u of lane %u %s (tries "
		    "%u, delivered %u, seen %u, gone %u)", serial, lane,
		    mail->gone ? "is back" : "is another user's", mail->tries,
		    mail->delivered, mail->seen, mail->gone);
		return (NULL);
	}
	if (!again && race_in_order(visit->race, &visit->order, lane,
	    serial) == -1)
		return (NULL);
	asked = mail->asked;
	if (asked < visit->began)
		(void)atomic_compare_exchange_strong(&mail->asked, &asked, 0);
	atomic_fetch_add(&mail->seen, 1);
	return (mail);
}

static void
mark(struct visit *visit, struct race_mail *mail)
{
	void *more;

	if (visit->marked_count == visit->marked_room) {
		visit->marked_room += 256;
		more = reallocarray(visit->marked, visit->marked_room,
		    sizeof(struct race_mail *));
		if (more == NULL)
			abort();
		visit->marked = more;
	}
	visit->marked[visit->marked_count++] = mail;
}

/* Reads `length` octets; malloc'd as bytes of a file, or NULL. */
static char *
take_mail(struct visit *visit, size_t *length)
{
	char *bytes = malloc(*length + 1);

	if (bytes == NULL)
		abort();
	if (take(visit, bytes, *length) == 0 &&
	    (race_unwire(bytes, length) == 0 ||
	    (race_complain(visit->race, "a line end is not CRLF"), 0)))
		return (bytes);
	free(bytes);
	return (NULL);
}

/* What is marked is asked for: from now on it may go. */
static void
asking(struct visit *visit)
{
	size_t i;

	visit->asked = race_now(visit->race);
	for (i = 0; i < visit->marked_count; i++)
		visit->marked[i]->asked = visit->asked;
	atomic_fetch_add(&visit->race->ledger->commits,
	    visit->marked_count > 0);
}

/* It is acknowledged, or was refused: nothing is left to be sure of. */
static void
answered(struct visit *visit, int done)
{
	const unsigned int now = race_now(visit->race);
	unsigned int asked;
	size_t i;

	for (i = 0; i < visit->marked_count; i++) {
		asked = visit->asked;
		if (done) {
			visit->marked[i]->gone_at = now;
			atomic_fetch_add(&visit->marked[i]->gone, 1);
		} else
			(void)atomic_compare_exchange_strong(
			    &visit->marked[i]->asked, &asked, 0);
	}
	visit->marked_count = 0;
}

/*
 * Sends the command that commits, and waits for the answer or goes.  Where
 * none comes, or it says that the store died, it may have happened; so it may
 * where FOLD is refused, which also opens the next folder.
 */
static int
commit(struct visit *visit, const char *command, const char *sign, int waits)
{
	char line[600];
	int done;

	asking(visit);
	if (say(visit, command) == -1 || !waits ||
	    take_line(visit, line, sizeof(line)) == -1)
		return (-1);
	done = strncmp(line, sign, strlen(sign)) == 0;
	if (!done && !is_ordinary(visit, line))
		race_complain(visit->race, "%s: \"%.200s\"", command, line);
	if (done || (strstr(line, "mailbox process") == NULL &&
	    strcmp(sign, "#") != 0))
		answered(visit, done);
	return (done ? 0 : -1);
}

static void
begin_visit(struct visit *visit)
{
	const struct timeval patience = { PATIENCE_SECONDS, 0 };

	memset(&visit->order, 0, sizeof(visit->order));
	visit->marked_count = 0;
	visit->began = race_now(visit->race);
	visit->fd = client_connect(&visit->race->server, 0);
	(void)setsockopt(visit->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	atomic_fetch_add(&visit->race->ledger->sessions, 1);
}

static int
login_pop2(struct visit *visit, size_t *count)
{
	char line[600];

	if (expect(visit, "+", line, sizeof(line)) == -1)
		return (-1);
	(void)snprintf(line, sizeof(line), "HELO %s " RACE_PASSWORD,
	    race_user(visit->user));
	return (ask_number(visit, line, "#", count));
}

/* READ and RETR; `again`: once more after a NACK. */
static struct race_mail *
fetch(struct visit *visit, const char *command, int again)
{
	struct race_mail *mail;
	size_t length;
	char *bytes;

	if (ask_number(visit, command, "=", &length) == -1)
		return (NULL);
	if (length == 0) {
		race_complain(visit->race, "%s: there is none", command);
		return (NULL);
	}
	if (say(visit, "RETR") == -1 ||
	    (bytes = take_mail(visit, &length)) == NULL)
		return (NULL);
	mail = saw(visit, bytes, length, again);
	free(bytes);
	return (mail);
}

/*
 * Every second user keeps some for good: what is deleted behind them has to
 * leave them as they are, and what is deleted before moves them.
 */
static int
is_kept(const struct visit *visit, const struct race_mail *mail)
{
	return (visit->user % 2 == 1 && (size_t)(mail -
	    visit->race->ledger->mails) % visit->race->count % 8 == 0);
}

/* Reads message `number`, and acknowledges it with or without an end. */
static int
read_one(struct visit *visit, size_t number, uint32_t deletes_of_16)
{
	struct race_mail *mail;
	char command[40];
	int deletes;

	(void)snprintf(command, sizeof(command), "READ %zu", number);
	if ((mail = fetch(visit, command, 0)) == NULL)
		return (-1);
	if (deletes_of_16 > 0 && race_random(&visit->random, 16) == 0 &&
	    (mail = fetch(visit, "NACK", 1)) == NULL)
		return (-1);
	deletes = race_random(&visit->random, 16) < deletes_of_16 &&
	    !is_kept(visit, mail);
	if (ask(visit, deletes ? "ACKD" : "ACKS", "=") == -1)
		return (-1);
	if (deletes)
		mark(visit, mail);
	return (0);
}

static int
read_some(struct visit *visit, size_t count)
{
	const uint32_t of_16 = 1 + race_random(&visit->random, 12);
	size_t first = 1, i;

	if (count > SESSION_MAX)
		first += race_random(&visit->random, (uint32_t)count -
		    SESSION_MAX + 1);
	for (i = first; i <= count && i < first + SESSION_MAX; i++)
		if (read_one(visit, i, of_16) == -1)
			return (-1);
	return (0);
}

/* QUIT mostly; FOLD and on; a drop before the commit, or behind it. */
static void
visit_pop2(struct visit *visit)
{
	size_t count;
	uint32_t how = race_random(&visit->random, 16);

	if (login_pop2(visit, &count) == -1 || read_some(visit, count) == -1)
		return;
	if (how == 0)
		return;
	if (how <= 2) {
		memset(&visit->order, 0, sizeof(visit->order));
		if (commit(visit, "FOLD INBOX", "#", 1) == -1)
			return;
	}
	(void)commit(visit, "QUIT", "+", how != 3);
}

static int
login_pop1(struct visit *visit)
{
	char line[600];

	if (expect(visit, "+", line, sizeof(line)) == -1)
		return (-1);
	(void)snprintf(line, sizeof(line), "USER %s", race_user(visit->user));
	if (ask(visit, line, "+OK") == -1)
		return (-1);
	return (ask(visit, "PASS " RACE_PASSWORD, "+OK"));
}

static void
saw_one(struct race *race, const char *bytes, size_t length, void *argument)
{
	struct visit *visit = argument;
	struct race_mail *mail;
	char *plain = malloc(length + 1);

	if (plain == NULL)
		abort();
	memcpy(plain, bytes, length);
	if (race->agent->form != RACE_MBOX)
		race_unquote(plain, &length);
	mail = saw(visit, plain, length, 0);
	free(plain);
	if (mail == NULL)
		visit->bad = 1;
	else
		mark(visit, mail);
}

/* All mail at once; RDEL means all of it, and some users keep some. */
static void
visit_pop1(struct visit *visit)
{
	const int deletes = visit->user % 2 == 0 &&
	    race_random(&visit->random, 2) == 0;
	uint32_t how = race_random(&visit->random, 8);
	size_t length;
	char *bytes;

	if (login_pop1(visit) == -1 || ask_number(visit, deletes ?
	    "RDEL inbox" : "RETR inbox", "#", &length) == -1 ||
	    say(visit, "RCEV") == -1 ||
	    (bytes = take_mail(visit, &length)) == NULL)
		return;
	visit->bad = 0;
	(void)race_split(visit->race, visit->race->agent->form == RACE_MBOX ?
	    RACE_SENDER : "MAILER-DAEMON", bytes, length, saw_one, visit);
	free(bytes);
	if (!deletes || visit->bad || how == 1)
		visit->marked_count = 0;
	if (how == 0)
		return;
	if (how == 1 ? ask(visit, "RSET", "+OK") == 0 : commit(visit, "RCVD",
	    "+OK", how != 2) == 0)
		(void)ask(visit, "QUIT", "+OK");
}

static void
visits(struct race *race, unsigned int user, uint64_t seed,
    void (*one)(struct visit *), uint32_t rest_ms)
{
	struct visit visit = { .race = race, .user = user, .random = seed };
	unsigned int last = 0;

	if (race->agent->rests_after_reads)
		rest_ms = LONG_REST_MS;
	while (!last) {
		/* All that was delivered is seen once at the least. */
		last = race->ledger->stop;
		begin_visit(&visit);
		one(&visit);
		(void)close(visit.fd);
		atomic_fetch_add(&race->ledger->progress, 1);
		pause_ms(last ? 0 : race_random(&visit.random, rest_ms));
	}
	free(visit.marked);
}

void
race_pop2(struct race *race, unsigned int user, uint64_t seed)
{
	visits(race, user, seed, visit_pop2, 20);
}

/* It deletes all there is: it comes less often. */
void
race_pop1(struct race *race, unsigned int user, uint64_t seed)
{
	visits(race, user, seed, visit_pop1, 100);
}

int
race_read_all(struct race *race, unsigned int user)
{
	struct visit visit = { .race = race, .user = user };
	size_t count, i;
	int done;

	begin_visit(&visit);
	done = login_pop2(&visit, &count) == 0;
	for (i = 1; done && i <= count; i++)
		done = read_one(&visit, i, 0) == 0;
	done = done && commit(&visit, "QUIT", "+", 1) == 0;
	(void)close(visit.fd);
	free(visit.marked);
	return (done ? (int)count : -1);
}
