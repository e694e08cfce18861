/*
 * calls_keys.c - what postern-keys may ask of the system.
 *
 * Linked into postern-keys; runs as its own user.  Reading what it was handed,
 * signing and answering are on the base list: there is nothing else.
 */
#include "sandbox.h"

const struct sandbox_calls sandbox_keys = { "stdio recvfd", NULL, 0 };
