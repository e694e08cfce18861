/*
 * tls.h - TLS of net's clients, whose keys are in postern-keys.
 */
#ifndef TLS_H
#define TLS_H

#include <sys/types.h>

#include <stddef.h>

struct tls;			/* one client's */
struct credentials;		/* certificates; each handle counts */

/* tls.c */

/* Before the sandbox is shut: the library reads its own settings. */
void	tls_begin(void);

/*
 * A server's session on a connected, non-blocking socket, which stays the
 * caller's; NULL: no memory, or there is no certificate.
 */
struct tls *tls_open(int fd);

/* 1 when it is done, 0 to be called again, -1 when it has failed. */
int	tls_handshake(struct tls *tls);

/* What a call that could not go on waits for: EV_READ or EV_WRITE. */
short	tls_waits_for(const struct tls *tls);

/*
 * As recv(2) and send(2) on a non-blocking socket.  The end of the
 * connection is 0, said by the peer or not.  What tls_write took is on the
 * way; it takes no more (EAGAIN) before that is out.
 */
ssize_t	tls_read(struct tls *tls, void *to, size_t size);
ssize_t	tls_write(struct tls *tls, const void *from, size_t size);

/* Octets that have been received, and that no poll(2) will tell of. */
int	tls_pending(const struct tls *tls);

/* As tls_handshake: is what was written out? */
int	tls_flush(struct tls *tls);

/* Says goodbye, if there is room for it, and frees it. */
void	tls_close(struct tls *tls);

/* "version=TLS1.3 cipher=... name=... resumed=no", for the log. */
void	tls_describe(const struct tls *tls, char *text, size_t size);

/* What the last call failed of. */
const char *tls_error(const struct tls *tls);

/* keys_link.c */

/* A new channel to postern-keys; `ready` is called when it has told all. */
void	keys_link_attach(int fd, void (*ready)(void));

/* Certificates and the key of tickets, or NULL; credentials_drop it later. */
struct credentials *credentials_take(void);
void	credentials_drop(struct credentials *credentials);

/* Gives a gnutls_session_t what it needs of them; 0, or the library's error. */
int	credentials_use(struct credentials *credentials, void *session);

#endif
