/*
 * config_open.c - where the configuration is.
 *
 * Linked into posternd, which runs as root and does not read it, and into
 * posternctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "config.h"
#include "pathnames.h"

int
config_open(const char *path, const char **name)
{
	int fd;

	*name = path != NULL ? path : SYSCONFDIR "/posternd.conf";
	fd = open(*name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return (fd == -1 && (path != NULL || errno != ENOENT) ? -2 : fd);
}
