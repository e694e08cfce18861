/*
 * stream.c - a client's octets, in clear text or by TLS.
 *
 * Linked into postern-net; unprivileged, on bytes from anybody.
 */
#include <sys/socket.h>

#include "log.h"
#include "session.h"
#include "tls.h"

#ifndef MSG_MORE
#define MSG_MORE	0	/* Linux alone can be told that more follows */
#endif

ssize_t
stream_read(struct session *session, void *to, size_t size)
{
	return (session->tls != NULL ? tls_read(session->tls, to, size) :
	    recv(session->fd, to, size, 0));
}

ssize_t
stream_write(struct session *session, const void *from, size_t size, int more)
{
	return (session->tls != NULL ? tls_write(session->tls, from, size) :
	    send(session->fd, from, size,
	    MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}

int
stream_flush(struct session *session)
{
	return (session->tls != NULL ? tls_flush(session->tls) : 1);
}

int
stream_pending(const struct session *session)
{
	return (session->tls != NULL && tls_pending(session->tls));
}

int
stream_handshake(struct session *session, short *what)
{
	char text[LOG_TEXT_SIZE / 2];
	int done;

	if (session->tls == NULL &&
	    (session->tls = tls_open(session->fd)) == NULL) {
		log_line(LOG_ERR, "event=tls-failed session=%s peer=%s "
		    "reason=\"no certificate, or no memory\"",
		    session_name(session), session->peer);
		return (-1);
	}
	done = tls_handshake(session->tls);
	if (done == 1) {
		tls_describe(session->tls, text, sizeof(text));
		log_line(LOG_INFO, "event=tls session=%s peer=%s %s",
		    session_name(session), session->peer, text);
	} else if (done == -1)
		log_line(LOG_NOTICE, "event=tls-failed session=%s peer=%s "
		    "reason=\"%s\"", session_name(session), session->peer,
		    tls_error(session->tls));
	else
		*what = tls_waits_for(session->tls);
	return (done);
}

void
stream_end_tls(struct session *session)
{
	if (session->tls != NULL)
		tls_close(session->tls);
	session->tls = NULL;
}
