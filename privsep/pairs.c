/*
 * pairs.c - certificates and their keys, opened for postern-keys.
 *
 * Linked into posternd; runs as root, and reads none of them: only root can
 * open the keys' files, and only postern-keys learns what is in them.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "parent.h"

/*
 * Opens a regular file of root's (or the one user's) that nobody else may
 * write, or, with `secret`, even read.  It may be a symbolic link: ACME
 * clients keep the current file by one, and the path is the administrator's.
 */
static int
open_file(const char *path, int secret)
{
	const mode_t others = secret ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;
	const char *wrong = NULL;
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &status) == -1)
		wrong = strerror(errno);
	else if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
	    (status.st_mode & others) != 0)
		wrong = secret ? "expected a regular file of root's, mode "
		    "0600" : "expected a regular file of root's that nobody "
		    "else may write";
	if (wrong == NULL)
		return (fd);
	log_line(LOG_ERR, "event=certificate file=%s error=\"%s\"", path,
	    wrong);
	children_close(&fd);
	return (-1);
}

void
pairs_send(const struct settings *settings, int channel, int required)
{
	struct ipc_keys_pair pair = { 0, (uint32_t)required, "" };
	int files[2];

	for (; pair.index < settings->pair_count; pair.index++) {
		(void)strlcpy(pair.name,
		    settings->pairs[pair.index].certificate, PATH_SIZE);
		files[0] = open_file(pair.name, 0);
		files[1] = open_file(settings->pairs[pair.index].key, 1);
		if (files[0] != -1 && files[1] != -1 && ipc_send(channel,
		    IPC_KEYS_PAIR, 0, &pair, files) == -1)
			log_line(LOG_ERR, "event=certificate file=%s "
			    "error=\"postern-keys did not get it: %s\"",
			    pair.name, strerror(errno));
		else if (required && (files[0] == -1 || files[1] == -1))
			log_fatal("event=stop error=\"a certificate cannot be "
			    "read; its reason stands above\"");
		children_close(&files[0]);
		children_close(&files[1]);
	}
}
