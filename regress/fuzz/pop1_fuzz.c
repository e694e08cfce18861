/*
 * pop1_fuzz.c - any octets from a client that is to speak POP1.
 *
 * Test code alone.
 */
#include "talk.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	talk(PROTOCOL_POP1, (struct input){ data, size });
	return (0);
}
