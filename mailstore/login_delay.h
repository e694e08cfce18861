/*
 * login_delay.h - how long ago a user last opened the maildrop by POP3.
 */
#ifndef LOGIN_DELAY_H
#define LOGIN_DELAY_H

#include <stdint.h>

/*
 * True unless a login began in the last `seconds` (RFC 2449, LOGIN-DELAY);
 * 0 seconds are always over.
 */
int	login_delay_is_over(int state_directory, uint32_t seconds);

/* Notes a login. */
void	login_delay_begins(int state_directory, uint32_t seconds);

#endif
