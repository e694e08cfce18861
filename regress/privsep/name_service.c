/*
 * name_service.c - a name service in the place of libc's for Hesiod.
 *
 * Test code alone, made into a shared object that auth_test puts over
 * libnss_hesiod.so.2, for itself and what it starts.  It does at every question
 * what an authenticator's sandbox has no room for, as libnss_systemd does, and
 * knows one account.  About another it never answers.
 */
#include <sys/socket.h>

#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <unistd.h>

static char elsewhere[] = "t-elsewhere", nothing[] = "", home[] = "/";
static const char hung[] = "t-hung";

enum nss_status _nss_hesiod_getpwnam_r(const char *name,
    struct passwd *result, char *buffer, size_t size, int *error);
enum nss_status _nss_hesiod_getspnam_r(const char *name, struct spwd *result,
    char *buffer, size_t size, int *error);

static int
is_known(const char *name)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd != -1)
		(void)close(fd);
	return (strcmp(name, elsewhere) == 0);
}

enum nss_status
_nss_hesiod_getpwnam_r(const char *name, struct passwd *result, char *buffer,
    size_t size, int *error)
{
	(void)buffer;
	(void)size;
	while (strcmp(name, hung) == 0)
		(void)pause();
	if (!is_known(name)) {
		*error = ENOENT;
		return (NSS_STATUS_NOTFOUND);
	}
	memset(result, 0, sizeof(*result));
	result->pw_name = elsewhere;
	result->pw_passwd = result->pw_gecos = result->pw_shell = nothing;
	result->pw_dir = home;
	result->pw_uid = result->pw_gid = 5199;
	return (NSS_STATUS_SUCCESS);
}

enum nss_status
_nss_hesiod_getspnam_r(const char *name, struct spwd *result, char *buffer,
    size_t size, int *error)
{
	(void)result;
	(void)buffer;
	(void)size;
	(void)is_known(name);
	*error = ENOENT;
	return (NSS_STATUS_NOTFOUND);
}
