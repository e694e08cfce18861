/*
 * folder_fuzz.c - any octets as a folder's name, and as a template of a path.
 *
 * Test code alone.  There is mail below a folder root, and other things beside
 * it and behind links.  No name leads out of the root.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dotlock.h"
#include "folder.h"
#include "fuzz.h"
#include "inbox.h"
#include "template.h"

static int home = -1;
static struct stat root;

static void
make_directory(const char *name)
{
	HOLDS(mkdirat(home, name, 0700) == 0);
}

static void
prepare(void)
{
	static struct ipc_store_config config = { .is_template = 1,
	    .user = "fred", .maildrop = "%h/spool/%u" };

	home = fuzz_directory();
	make_directory("mail");
	make_directory("mail/sub");
	make_directory("mail/sub/subsub");
	make_directory("outside");
	make_directory("spool");
	fuzz_file(home, "mail/box", "", 0);
	fuzz_file(home, "mail/sub/box", "", 0);
	fuzz_file(home, "outside/secret", "", 0);
	fuzz_file(home, "spool/fred", "", 0);
	fuzz_file(home, ".mh_profile", "Path: mail\n", 11);
	HOLDS(symlinkat("../outside", home, "mail/out") == 0);
	HOLDS(symlinkat("/", home, "mail/sub/slash") == 0);
	HOLDS(symlinkat("sub", home, "mail/same") == 0);
	HOLDS(fstatat(home, "mail", &root, 0) == 0);
	HOLDS(fchdir(home) == 0);
	HOLDS(getcwd(config.home, sizeof(config.home)) != NULL);
	HOLDS(chdir("..") == 0);
	HOLDS((size_t)snprintf(config.folder_root,
	    sizeof(config.folder_root), "%.1000s/mail", config.home) <
	    sizeof(config.folder_root));
	inbox_begin(&config);
	folder_begin(&config);
}

/* Up and up from there the root comes before the end of the tree. */
static int
is_below_root(int directory)
{
	struct stat here = { 0 }, above;
	int at = fcntl(directory, F_DUPFD_CLOEXEC, 0), up, i, found = 0;

	for (i = 0; i < 64 && !found; i++) {
		HOLDS(fstat(at, &above) == 0);
		if (i > 0 && above.st_ino == here.st_ino &&
		    above.st_dev == here.st_dev)
			break;
		here = above;
		found = here.st_ino == root.st_ino &&
		    here.st_dev == root.st_dev;
		up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		HOLDS(up != -1);
		(void)close(at);
		at = up;
	}
	(void)close(at);
	return (found);
}

static void
check_place(const char *name, const struct mailbox_place *place)
{
	const size_t length = strlen(place->name);
	const char *c;

	HOLDS(is_below_root(place->directory));
	HOLDS(length > 0 && strchr(place->name, '/') == NULL);
	HOLDS(strcmp(place->name, ".") != 0 && strcmp(place->name, "..") != 0);
	HOLDS(!dotlock_is_name(place->name));
	/* The last part of what was asked for. */
	HOLDS(strlen(name) >= length && strcmp(name + strlen(name) - length,
	    place->name) == 0);
	HOLDS(strstr(name, "/../") == NULL && strncmp(name, "../", 3) != 0);
	for (c = place->label; *c != '\0'; c++)
		HOLDS(*c >= 0x20 && *c <= 0x7e);
	(void)close(place->directory);
}

/* With short names: what is expanded is what a simple reader makes of it. */
static void
check_template(const char *template)
{
	char path[2 * PATH_SIZE], small[24];
	struct text wanted = { NULL, 0, 0 };
	const char *c = template;
	int is_right = 1;

	if (strncmp(c, "~/", 2) == 0) {
		text_put(&wanted, "/home/f", 7);
		c++;
	}
	for (; *c != '\0' && is_right; c++)
		if (*c != '%')
			text_put(&wanted, c, 1);
		else if (*++c == 'u')
			text_put(&wanted, "fred", 4);
		else if (*c == 'h')
			text_put(&wanted, "/home/f", 7);
		else {
			text_put(&wanted, "%", 1);
			is_right = *c == '%';
			if (*c == '\0')
				break;
		}
	text_put(&wanted, "", 1);
	is_right = is_right && wanted.at[0] == '/';
	HOLDS((template_expand(template, "fred", "/home/f", path,
	    sizeof(path)) == 0) == (is_right &&
	    wanted.length <= sizeof(path)));
	HOLDS(!is_right || wanted.length > sizeof(path) ||
	    strcmp(path, (char *)wanted.at) == 0);
	HOLDS((template_expand(template, "fred", "/home/f", small,
	    sizeof(small)) == 0) == (is_right &&
	    wanted.length <= sizeof(small)));
	text_free(&wanted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mailbox_place place;
	struct input input = { data, size };
	char *name;
	int lowest;

	if (home == -1)
		prepare();
	lowest = fuzz_lowest_descriptor();
	/* So long at most is what net may send. */
	name = fuzz_string(fuzz_part(&input, FOLDER_SIZE - 1));
	memset(&place, 0, sizeof(place));
	switch (folder_find(name, &place)) {
	case FOLDER_NAMED:
		check_place(name, &place);
		break;
	case FOLDER_DEFAULT:
		HOLDS(place.directory == -1);
		HOLDS(strcmp(place.label, "INBOX") == 0);
		break;
	case FOLDER_NONE:
		/* What is plainly there is found. */
		HOLDS(strcmp(name, "box") != 0 && strcmp(name, "+box") != 0);
		HOLDS(strcmp(name, "sub/box") != 0 &&
		    strcmp(name, "~/mail/sub/box") != 0);
		break;
	}
	check_template(name);
	free(name);
	HOLDS(fuzz_lowest_descriptor() == lowest);
	return (0);
}
