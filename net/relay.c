/*
 * relay.c - mail from the store's pipe to the client.
 *
 * Linked into postern-net; unprivileged.  Exactly the announced octets go
 * through; nothing is read from the pipe for it that it has no room for.
 */
#include <sys/param.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

/* Moves at a time, so that one fast client does not hold up the others. */
#define MOVES_AT_A_TIME	8

/* Once the last octet is in the buffer, what belongs behind it is too. */
static void
add_trailer(struct session *session)
{
	const size_t length = strlen(session->trailer);

	if (session->relay_left > 0 || length > RELAY_TRAILER)
		return;
	memcpy(session->relay + session->relay_have, session->trailer, length);
	session->relay_have += length;
}

/* The reply goes out with what follows it. */
static void
take_reply(struct session *session)
{
	memcpy(session->relay, session->reply, session->reply_length);
	session->relay_have = session->relay_reply = session->reply_length;
	session->reply_length = session->reply_sent = 0;
}

int
relay_holds_reply(const struct session *session)
{
	return (session->relay_reply > 0 && session->relay_sent == 0);
}

int
relay_begin(struct session *session, uint64_t octets)
{
	/* A short message is copied with what belongs behind it, in one. */
	session->splicing = octets > RELAY_BYTES / 2 &&
	    session->tls == NULL && splice_works();
	session->relay_size = RELAY_TRAILER + (session->splicing ? 0 :
	    session->reply_length + (octets < RELAY_BYTES ? (size_t)octets :
	    RELAY_BYTES));
	if ((session->relay = malloc(session->relay_size)) == NULL)
		return (-1);
	session->data_ready = 0;
	session->relay_left = octets;
	session->relay_have = session->relay_sent = 0;
	session->relay_reply = 0;
	if (!session->splicing)
		take_reply(session);
	add_trailer(session);
	return (0);
}

void
relay_end(struct session *session)
{
	if (session->relay != NULL) {
		(void)event_del(&session->data_event);
		freezero(session->relay, session->relay_size);
	}
	session->relay = NULL;
	session->relaying = 0;
}

/* Asked for from one part to the next; relay_end, on_data take it back. */
static void
wait_for_data(struct session *session)
{
	if (!event_pending(&session->data_event, EV_READ, NULL))
		(void)event_add(&session->data_event, NULL);
}

/* 1: something is there to send; 0: not yet; -1: the store is gone. */
static int
take(struct session *session)
{
	size_t room = session->relay_size - RELAY_TRAILER -
	    session->relay_have;
	size_t wanted = session->relay_left < room ?
	    (size_t)session->relay_left : room;
	ssize_t got = read(session->data, session->relay +
	    session->relay_have, wanted);

	if (got == -1 && (errno == EAGAIN || errno == EINTR)) {
		wait_for_data(session);
		return (0);
	}
	if (got <= 0)
		return (-1);
	session->relay_have += (size_t)got;
	session->relay_left -= (uint64_t)got;
	add_trailer(session);
	return (1);
}

/*
 * 1: some was moved to the client; 0: not yet; -1: one of them is gone.  EAGAIN
 * does not tell which side it is about: unless the pipe has said that it has
 * something it is asked first, and if it has the client is waited for.
 */
static int
move(struct session *session)
{
	const int ready = session->data_ready != 0;
	const size_t wanted = session->relay_left < RELAY_BYTES ?
	    (size_t)session->relay_left : RELAY_BYTES;
	ssize_t moved = splice_octets(session->data, session->fd, wanted,
	    wanted < session->relay_left || session->trailer[0] != '\0');

	session->data_ready = 0;
	if (moved == -1 && (errno == EAGAIN || errno == EINTR)) {
		if (ready && errno == EAGAIN)
			session_wait_to_send(session);
		else
			wait_for_data(session);
		return (0);
	}
	if (moved <= 0)
		return (-1);
	session->relay_left -= (uint64_t)moved;
	session->octets_sent += (uint64_t)moved;
	add_trailer(session);
	return (1);
}

/* 1: all is sent; 0: the client has no room; -1: the client is gone. */
static int
give(struct session *session)
{
	ssize_t sent;
	size_t reply;

	while (session->relay_sent < session->relay_have) {
		sent = stream_write(session, session->relay +
		    session->relay_sent, session->relay_have -
		    session->relay_sent, 0);
		if (sent >= 0) {
			reply = MIN((size_t)sent, session->relay_reply);
			session->relay_sent += (size_t)sent;
			session->relay_reply -= reply;
			session->octets_sent += (size_t)sent - reply;
		} else if (errno == EAGAIN)
			return (0);
		else if (errno != EINTR)
			return (-1);
	}
	session->relay_have = session->relay_sent = 0;
	return (1);
}

static void
finish(struct session *session)
{
	relay_end(session);
	session->protocol->data_sent(session);
	session_run(session);
}

/* From the pipe; as soon as all is out of it there is room for another. */
static int
fetch(struct session *session)
{
	const struct protocol *protocol = session->protocol;
	const int moved = session->splicing ? move(session) : take(session);

	if (moved == 1 && session->relay_left == 0 &&
	    protocol->data_taken != NULL)
		protocol->data_taken(session);
	return (moved);
}

void
relay_run(struct session *session)
{
	int moves, moved = 1;

	for (moves = 0; moves < MOVES_AT_A_TIME && moved == 1; moves++) {
		if (session->relay_have == session->relay_reply &&
		    session->relay_left > 0)
			moved = fetch(session);
		if (moved == 1 && (moved = give(session)) == 0)
			session_wait_to_send(session);
		if (moved == 1 && session->relay_left == 0) {
			finish(session);
			return;
		}
	}
	if (moved == -1) {
		session_trouble(session,
		    "the message could not be sent whole");
		session_run(session);
		return;
	}
	session_progress(session);
	if (moved == 1)		/* there is more, after the others */
		wait_for_data(session);
}
