/*
 * wire.h - mail on its way to net: counted octets into the data pipe.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "limits_postern.h"

struct wire {
	int fd;			/* the pipe, non-blocking */
	int timeout_ms;		/* how long net may leave it full */
	uint64_t announced;	/* octets that must be sent, not one else */
	uint64_t sent;		/* octets taken by wire_put so far */
	size_t used;
	unsigned char buffer[RELAY_BYTES];
};

void	wire_begin(struct wire *wire, uint64_t announced);

/*
 * Takes `length` octets to send.  0, or -1: net is gone or does not read,
 * or there would be more than was announced.
 */
int	wire_put(struct wire *wire, const void *octets, size_t length);

/* Sends what is left.  0, or -1 also when less than announced came. */
int	wire_end(struct wire *wire);

#endif
