/*
 * detect.c - which format is what a name leads to.
 *
 * Linked into postern-store and postern-mailbox; runs as the user.  What is
 * there decides, and not its name.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "detect.h"
#include "disk.h"
#include "file_mailbox.h"
#include "log.h"
#include "mh.h"

static int
has_directory(int directory, const char *name)
{
	struct stat status;

	return (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(status.st_mode));
}

static int
is_maildir(int directory)
{
	return (has_directory(directory, "cur") &&
	    has_directory(directory, "new") && has_directory(directory, "tmp"));
}

/* Looks for the first message of an MH folder.  -1 with errno. */
static int
has_numbers(int directory, uid_t owner)
{
	struct file_identity identity;
	struct dirent *entry;
	int fd, error, found = 0;
	DIR *names;

	fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if ((names = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return (-1);
	}
	while (errno = 0, !found && (entry = readdir(names)) != NULL)
		found = mh_number(entry->d_name) > 0 && message_file_look(
		    directory, entry->d_name, &identity) == 0 &&
		    identity.owner == owner;
	error = errno;
	(void)closedir(names);
	errno = error;
	return (!found && error != 0 ? -1 : found);
}

/*
 * An MH folder is made with nothing in it; it is known as one by its
 * sequences, or by its first message.
 */
static const char *
directory_format(struct mailbox *mailbox, int directory, uid_t owner)
{
	struct file_identity identity;
	int numbers = has_numbers(directory, owner);

	if (numbers == -1)
		return ("the mailbox cannot be listed");
	if (is_maildir(directory)) {
		mailbox->format = &mailbox_maildir;
		return (!numbers ? NULL : "the mailbox is both a Maildir and "
		    "a folder of numbers");
	}
	if (numbers || message_file_look(directory, MH_SEQUENCES,
	    &identity) == 0)
		mailbox->format = &mailbox_mh;
	else
		log_line(LOG_WARNING, "event=open folder=%s error=\"neither a "
		    "Maildir nor a folder of numbers\"",
		    mailbox->place.label);
	return (NULL);
}

int
detect_is_maildir(const struct mailbox_place *place)
{
	int directory = file_mailbox_directory(place->directory, place->name,
	    file_mailbox_owner(place));
	int result = directory != -1 && is_maildir(directory);

	if (directory != -1)
		(void)close(directory);
	return (result);
}

const char *
detect_format(struct mailbox *mailbox)
{
	const struct mailbox_place *place = &mailbox->place;
	const char *wrong = "the mailbox cannot be opened";
	struct stat status;
	uid_t owner;
	int directory;

	mailbox->format = NULL;
	if (fstatat(place->directory, place->name, &status,
	    AT_SYMLINK_NOFOLLOW) == -1 || !S_ISDIR(status.st_mode)) {
		/* Which format a file has is told by how it begins. */
		mailbox->format = &mailbox_single_file;
		return (NULL);
	}
	owner = file_mailbox_owner(place);
	directory = file_mailbox_directory(place->directory, place->name,
	    owner);
	if (directory != -1) {
		wrong = directory_format(mailbox, directory, owner);
		(void)close(directory);
		/* That it cannot be listed may pass. */
		mailbox->unfit = wrong != NULL && mailbox->format != NULL;
	} else {
		mailbox->unfit = disk_error_lasts(errno);
		log_line(LOG_ERR, "event=open folder=%s error=\"%s\"",
		    place->label, strerror(errno));
	}
	return (wrong);
}
