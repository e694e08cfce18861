/*
 * pop3_fuzz.c - any octets from a client that is to speak POP3.
 *
 * Test code alone.
 */
#include "talk.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	talk(PROTOCOL_POP3, (struct input){ data, size });
	return (0);
}
