/*
 * auth_system.c - passwords of the system's own accounts (crypt(3)).
 *
 * Linked into postern-auth; runs as its own user, with the group that may
 * read the shadow file as its only further right.
 */
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pwd.h>
#include <shadow.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "auth.h"
#include "log.h"

#ifdef __GLIBC__
#include <nss.h>
#endif

#define SECONDS_A_DAY	86400

/*
 * Costs what this host's passwords cost, and is none: the hash of nothing with
 * a user's setting, or a setting alone.
 */
static char nobodys_hash[CRYPT_OUTPUT_SIZE];

static int
is_hash(const char *hash)
{
	return (hash[0] == '$' || hash[0] == '_');
}

/* The password's hash with the setting of another one; 0: there is none. */
static int
make_hash(const char *password, const char *setting,
    char made[CRYPT_OUTPUT_SIZE])
{
	struct crypt_data *data;
	const char *hash;
	int is_made;

	if ((data = calloc(1, sizeof(*data))) == NULL)
		return (0);
	hash = crypt_r(password, setting, data);
	is_made = hash != NULL && hash[0] != '*' &&
	    strlcpy(made, hash, CRYPT_OUTPUT_SIZE) < CRYPT_OUTPUT_SIZE;
	sodium_memzero(data, sizeof(*data));
	free(data);
	return (is_made);
}

/*
 * Hashes are in the shadow file, and nowhere else that this process could read.
 * Other name services would be asked about every name that is not there, and
 * do what they like: what the sandbox has no room for is the end of a process,
 * at any stranger's word.
 */
static void
ask_files_only(void)
{
#ifdef __GLIBC__
	if (__nss_configure_lookup("passwd", "files") == -1 ||
	    __nss_configure_lookup("shadow", "files") == -1)
		log_fatal("event=start error=\"name services: %s\"",
		    strerror(errno));
#endif
}

static void
open_system(const char *passwd_file)
{
	const struct spwd *shadow;
	const char *setting;

	(void)passwd_file;
	ask_files_only();
	setspent();
	while ((shadow = getspent()) != NULL && nobodys_hash[0] == '\0')
		if (is_hash(shadow->sp_pwdp))
			(void)make_hash("", shadow->sp_pwdp, nobodys_hash);
	endspent();
	if (getspnam("root") == NULL)
		log_line(LOG_ERR, "event=shadow error=\"%s\"; no login "
		    "can be checked", strerror(errno));
	if (nobodys_hash[0] == '\0' &&
	    (setting = crypt_gensalt(NULL, 0, NULL, 0)) != NULL)
		(void)strlcpy(nobodys_hash, setting, sizeof(nobodys_hash));
	if (sodium_init() == -1 || nobodys_hash[0] == '\0')
		log_fatal("event=start error=\"no password hashes\"");
}

/*
 * shadow(5): why the account may not log in today, or NULL.  An empty field is
 * -1; an expiry of 0 is a day that has passed (chage -E 0), as PAM has it.
 */
static const char *
shut_out(const struct spwd *shadow)
{
	long today = (long)(time(NULL) / SECONDS_A_DAY);

	if (!is_hash(shadow->sp_pwdp))
		return ("locked, or without a password");
	if (shadow->sp_expire != -1 && today >= shadow->sp_expire)
		return ("account expired");
	if (shadow->sp_lstchg == 0)
		return ("password must be changed first");
	if (shadow->sp_lstchg > 0 && shadow->sp_max != -1 &&
	    today - shadow->sp_lstchg > shadow->sp_max)
		return ("password expired");
	return (NULL);
}

/* Asked for everybody: whether the file can be read tells of no user. */
static int
can_read_shadow(void)
{
	const int fd = open(_PATH_SHADOW, O_RDONLY | O_CLOEXEC);

	if (fd != -1)
		(void)close(fd);
	return (fd != -1);
}

/* passwd(5): "x" says that the password is in the shadow file. */
static const struct spwd *
find_shadow(const char *user, const char **why)
{
	const struct passwd *found = getpwnam(user);
	const struct spwd *shadow = NULL;

	if (found == NULL || strcmp(found->pw_passwd, "x") != 0)
		*why = "locked, or the password is not in the shadow file";
	else if ((shadow = getspnam(user)) == NULL)
		*why = "no shadow entry";
	else
		*why = shut_out(shadow);
	return (shadow);
}

static int
password_fits(const char *hash, const char *password)
{
	char made[CRYPT_OUTPUT_SIZE];
	int good;

	good = make_hash(password, hash, made) &&
	    strlen(made) == strlen(hash) &&
	    sodium_memcmp(made, hash, strlen(hash)) == 0;
	sodium_memzero(made, sizeof(made));
	return (good);
}

static enum verdict
verify_system(const char *user, const char *password, uid_t minimum_uid,
    const char **why)
{
	const struct account_policy policy = { "", minimum_uid, 0 };
	const struct spwd *shadow = NULL;
	const int can_read = can_read_shadow();
	struct account account;
	int good;

	*why = can_read ? account_find(&policy, user, &account) :
	    "the shadow file cannot be read";
	if (*why == NULL)
		shadow = find_shadow(user, why);
	good = password_fits(shadow != NULL && is_hash(shadow->sp_pwdp) ?
	    shadow->sp_pwdp : nobodys_hash, password);
	if (!can_read)
		return (VERDICT_UNKNOWN);
	if (*why != NULL)
		return (VERDICT_SHUT_OUT);
	*why = good ? NULL : "wrong password";
	return (good ? VERDICT_RIGHT : VERDICT_WRONG);
}

const struct auth_backend auth_system = { open_system, verify_system };
