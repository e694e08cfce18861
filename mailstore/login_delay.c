/*
 * login_delay.c - how long ago a user last opened the maildrop by POP3.
 *
 * Linked into postern-store; runs as the user.  The file's time is all there
 * is to it; its owner may change that, and gains a login by it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "login_delay.h"

#define NAME	"pop3-login"

int
login_delay_is_over(int state_directory, uint32_t seconds)
{
	struct timespec now;
	struct stat status;
	time_t age;

	if (seconds == 0 || fstatat(state_directory, NAME, &status,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return (1);
	/* Not time(3): its second may begin later than that of files does. */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = now.tv_sec - status.st_mtime;
	/* A time to come is a clock that was put right. */
	return (age < 0 || age >= (time_t)seconds);
}

void
login_delay_begins(int state_directory, uint32_t seconds)
{
	int fd;

	if (seconds == 0)
		return;
	fd = openat(state_directory, NAME, O_WRONLY | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1 || futimens(fd, NULL) == -1)
		log_line(LOG_WARNING, "event=login-delay file=" NAME
		    " error=\"%s\"", strerror(errno));
	if (fd != -1)
		(void)close(fd);
}
