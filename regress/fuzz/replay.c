/*
 * replay.c - the corpus of a fuzz target, once, without libFuzzer.
 *
 * Test code alone.  Linked with a target into a program of its own, which
 * `make check` runs; the corpus is that of its name, or what it is given.
 * Ends as the target does when something does not hold: the last line of the
 * output then names the input.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define CORPUS	BUILD_DIRECTORY "/regress/fuzz/corpus/"
#define ENDING	"_fuzz"

static void
replay(int directory, const char *name)
{
	struct text input = { NULL, 0, 0 };
	unsigned char *octets;

	(void)printf("%s\n", name);
	fuzz_read(directory, name, &input);
	/* Of its very size: an octet read too far is seen by ASan. */
	octets = malloc(input.length + (input.length == 0));
	HOLDS(octets != NULL);
	if (input.length > 0)
		memcpy(octets, input.at, input.length);
	(void)LLVMFuzzerTestOneInput(octets, input.length);
	free(octets);
	text_free(&input);
}

static int
is_input(const struct dirent *entry)
{
	return (entry->d_name[0] != '.');
}

static int
replay_all(const char *corpus)
{
	int directory = open(corpus, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int i, count = directory == -1 ? -1 :
	    scandir(corpus, &entries, is_input, alphasort);

	if (count <= 0) {
		(void)fprintf(stderr, "%s: no corpus\n", corpus);
		return (1);
	}
	for (i = 0; i < count; i++) {
		replay(directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	(void)close(directory);
	(void)printf("%d inputs, and all holds\n", count);
	return (0);
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	char corpus[4096];

	/* So that the last line is there also when this ends early. */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)LLVMFuzzerInitialize(&argc, &argv);
	if (argc > 1)
		return (replay_all(argv[1]));
	name = name == NULL ? argv[0] : name + 1;
	if (strlen(name) <= sizeof(ENDING) - 1)
		return (1);
	(void)snprintf(corpus, sizeof(corpus), CORPUS "%.*s",
	    (int)(strlen(name) - (sizeof(ENDING) - 1)), name);
	return (replay_all(corpus));
}
