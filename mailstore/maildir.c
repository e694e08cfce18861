/*
 * maildir.c - Maildirs behind the mailbox operations.
 *
 * Linked into postern-store and postern-mailbox; runs as the user whose mail
 * it is.  Messages are the files in new and cur.  None is moved or renamed
 * here: that is for programs that show mail to a person.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "file_mailbox.h"
#include "log.h"

/*
 * Names begin with the second of the delivery.  One that does not is put in
 * order by its file's date, which no rename changes.
 */
static int
is_message(const char *name, int64_t *order)
{
	int64_t seconds = 0;
	size_t digits = strspn(name, "0123456789"), i;

	if (name[0] == '.')
		return (0);
	if (digits > 0 && digits < 16 && name[digits] == '.') {
		for (i = 0; i < digits; i++)
			seconds = seconds * 10 + (name[i] - '0');
		*order = seconds;
	}
	return (1);
}

static int
open_directories(struct file_mailbox *state,
    const struct mailbox_place *place)
{
	int maildir = file_mailbox_directory(place->directory, place->name,
	    state->owner);
	int error;

	if (maildir == -1)
		return (-1);
	/* In this order: what moves on while it is listed is met twice. */
	state->directories[0] = file_mailbox_directory(maildir, "new",
	    state->owner);
	if (state->directories[0] != -1)
		state->directories[1] = file_mailbox_directory(maildir, "cur",
		    state->owner);
	error = errno;
	(void)close(maildir);
	errno = error;
	return (state->directories[1] == -1 ? -1 : 0);
}

static const char *
open_maildir(struct mailbox *mailbox)
{
	struct file_mailbox *state = file_mailbox_new(mailbox);

	if (state == NULL)
		return ("the server is short of memory");
	state->is_message = is_message;
	state->names_are_unique = 1;
	return (file_mailbox_open(mailbox, open_directories(state,
	    &mailbox->place)));
}

static const char *
commit(struct mailbox *mailbox, uint32_t *deleted)
{
	const char *wrong;

	*deleted = 0;
	wrong = file_mailbox_verify(mailbox);
	return (wrong != NULL ? wrong : file_mailbox_remove(mailbox, deleted));
}

const struct mailbox_format mailbox_maildir = {
	"maildir", open_maildir, file_mailbox_octets, file_mailbox_sum,
	file_mailbox_send, file_mailbox_send_all, file_mailbox_mark, commit,
	file_mailbox_close, file_mailbox_dots, file_mailbox_label, NULL, NULL,
	file_mailbox_distrust, file_mailbox_remember
};
