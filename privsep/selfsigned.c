/*
 * selfsigned.c - a first certificate, signed by its own key.
 *
 * postern-selfsigned: runs as whoever calls posternctl, as root as a rule.  It
 * is a program of its own so that no library of TLS's is in posternctl.
 */
#include <sys/socket.h>

#include <arpa/inet.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "limits_postern.h"
#include "log.h"
#include "pathnames.h"

#define DAYS		365
#define DAYS_MAX	3650
#define DAY_SECONDS	86400

/* A limit as a literal. */
#define LITERAL(tokens)	#tokens
#define LITERAL_OF(limit)	LITERAL(limit)

/* A clock that is somewhat behind must not refuse it. */
#define BEFORE_SECONDS	3600

/* RFC 5280, section 4.1.2.2: at most 20 octets, and positive. */
#define SERIAL_SIZE	16

#define LABEL_MAX	63	/* octets, RFC 1035, section 2.3.4 */
#define ADDRESS_BYTES	16	/* of IPv6; of IPv4 they are 4 */

/* A file that takes its name when it is whole. */
struct output {
	char path[PATH_SIZE];
	char fresh[PATH_SIZE];
	int made;
};

static struct output certificate_file, key_file;

static void
remove_unfinished(void)
{
	if (certificate_file.made)
		(void)unlink(certificate_file.fresh);
	if (key_file.made)
		(void)unlink(key_file.fresh);
}

static void __attribute__((noreturn))
usage(void)
{
	(void)fprintf(stderr, "usage: posternctl tls [-l directory] "
	    "selfsigned [-f] [-d days]\n\t    [-o directory] [name ...]\n");
	exit(2);
}

static void __attribute__((noreturn))
misused(const char *what, const char *expected)
{
	log_line(LOG_ERR, "%s: expected %s", what, expected);
	exit(2);
}

static void
must(int error, const char *what)
{
	if (error < 0)
		log_fatal("%s: %s; nothing was changed", what,
		    gnutls_strerror(error));
}

/* A new file with the contents, on the disk, under a name of its own. */
static void
write_fresh(struct output *output, const gnutls_datum_t *contents, mode_t mode)
{
	int fd = open(output->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    mode);

	output->made = fd != -1;
	if (fd == -1 || write(fd, contents->data, contents->size) !=
	    (ssize_t)contents->size || fsync(fd) == -1 || close(fd) == -1)
		log_fatal("%s: %s%s", output->fresh, strerror(errno),
		    errno == EEXIST ? " (if no other posternctl is at work, "
		    "remove it)" : "");
}

/* Without `force` a file that has the name keeps it. */
static void
take_name(struct output *output, int force)
{
	if ((force ? rename(output->fresh, output->path) :
	    link(output->fresh, output->path)) == -1)
		log_fatal("%s: %s%s", output->path, strerror(errno),
		    errno == EEXIST ? "; -f replaces it" : "");
	if (!force)
		(void)unlink(output->fresh);
	output->made = 0;
}

static void
set_paths(struct output *output, const char *directory, const char *name,
    int force)
{
	if (snprintf(output->path, PATH_SIZE, "%s/%s", directory, name) >=
	    PATH_SIZE || snprintf(output->fresh, PATH_SIZE, "%s.new",
	    output->path) >= PATH_SIZE)
		log_fatal("%s: a path of fewer bytes is needed", directory);
	if (!force && access(output->path, F_OK) == 0)
		log_fatal("%s: exists; -f replaces it", output->path);
}

/* What took its name keeps it through a crash. */
static void
sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || fsync(fd) == -1)
		log_fatal("%s: made, and perhaps not on the disk: %s",
		    directory, strerror(errno));
	(void)close(fd);
}

/*
 * Host names by RFC 1123, section 2.1: the last part is no number, so that none
 * reads as an address.  The first part may be "*".
 */
static int
is_host_name(const char *name)
{
	size_t length;

	if (strlen(name) >= HOST_NAME_SIZE)
		return (0);
	if (strncmp(name, "*.", 2) == 0)
		name += 2;
	for (;; name += length + 1) {
		length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (length == 0 || length > LABEL_MAX || name[0] == '-' ||
		    name[length - 1] == '-')
			return (0);
		if (name[length] != '.')
			return (name[length] == '\0' &&
			    strspn(name, "0123456789") < length);
	}
}

/* An address has bytes, which are returned; 0: it is none. */
static unsigned int
read_address(const char *name, unsigned char bytes[ADDRESS_BYTES])
{
	return (inet_pton(AF_INET, name, bytes) == 1 ? 4 :
	    inet_pton(AF_INET6, name, bytes) == 1 ? ADDRESS_BYTES : 0);
}

/* RFC 5280, section 4.2.1.6: clients look for addresses among addresses. */
static void
add_name(gnutls_x509_crt_t certificate, const char *name)
{
	unsigned char bytes[ADDRESS_BYTES];
	const unsigned int length = read_address(name, bytes);

	must(length > 0 ? gnutls_x509_crt_set_subject_alt_name(certificate,
	    GNUTLS_SAN_IPADDRESS, bytes, length, GNUTLS_FSAN_APPEND) :
	    gnutls_x509_crt_set_subject_alt_name(certificate,
	    GNUTLS_SAN_DNSNAME, name, (unsigned int)strlen(name),
	    GNUTLS_FSAN_APPEND), name);
}

/* What a client of TLS looks at; it can sign no other certificate. */
static void
fill_in(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
    char *const *names, int count, int days)
{
	unsigned char serial[SERIAL_SIZE];
	const time_t now = time(NULL);
	int i;

	must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), "random");
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
	must(gnutls_x509_crt_set_version(certificate, 3), "version");
	must(gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial)),
	    "serial");
	must(gnutls_x509_crt_set_activation_time(certificate,
	    now - BEFORE_SECONDS), "activation");
	must(gnutls_x509_crt_set_expiration_time(certificate,
	    now + (time_t)days * DAY_SECONDS), "expiration");
	/* RFC 5280's common name has at most 64 characters. */
	if (strlen(names[0]) <= 64)
		must(gnutls_x509_crt_set_dn_by_oid(certificate,
		    GNUTLS_OID_X520_COMMON_NAME, 0, names[0],
		    (unsigned int)strlen(names[0])), names[0]);
	for (i = 0; i < count; i++)
		add_name(certificate, names[i]);
	must(gnutls_x509_crt_set_basic_constraints(certificate, 0, -1),
	    "constraints");
	must(gnutls_x509_crt_set_key_usage(certificate,
	    GNUTLS_KEY_DIGITAL_SIGNATURE), "usage");
	must(gnutls_x509_crt_set_key_purpose_oid(certificate,
	    GNUTLS_KP_TLS_WWW_SERVER, 0), "purpose");
	must(gnutls_x509_crt_set_key(certificate, key), "key");
	must(gnutls_x509_crt_sign2(certificate, certificate, key,
	    GNUTLS_DIG_SHA256, 0), "signature");
}

/* Quotes are for blanks alone, as posternd.conf(5) has them. */
static void
tell(gnutls_x509_crt_t certificate)
{
	const char *quote = strpbrk(key_file.path, " \t\r") != NULL ? "\"" :
	    "";
	unsigned char hash[32];
	size_t i, size = sizeof(hash);

	must(gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256,
	    hash, &size), "fingerprint");
	(void)printf("tls-certificate %s%s%s key %s%s%s\nSHA-256 fingerprint ",
	    quote, certificate_file.path, quote, quote, key_file.path, quote);
	for (i = 0; i < size; i++)
		(void)printf("%s%02X", i > 0 ? ":" : "", hash[i]);
	(void)printf("\n");
}

static void
generate(char *const *names, int count, int days, int force)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t key_text, certificate_text;

	must(gnutls_x509_privkey_init(&key), "key");
	must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), "key");
	must(gnutls_x509_crt_init(&certificate), "certificate");
	fill_in(certificate, key, names, count, days);
	must(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM,
	    &certificate_text), "certificate");
	must(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
	    GNUTLS_PKCS_PLAIN, &key_text), "key");
	(void)atexit(remove_unfinished);
	write_fresh(&key_file, &key_text, 0600);
	write_fresh(&certificate_file, &certificate_text, 0644);
	explicit_bzero(key_text.data, key_text.size);
	gnutls_free(key_text.data);
	gnutls_free(certificate_text.data);
	gnutls_x509_privkey_deinit(key);
	take_name(&key_file, force);
	take_name(&certificate_file, force);
	tell(certificate);
	gnutls_x509_crt_deinit(certificate);
}

int
main(int argc, char **argv)
{
	static char this_host[HOST_NAME_SIZE];
	unsigned char bytes[ADDRESS_BYTES];
	char *host[] = { this_host, NULL };
	const char *directory = SYSCONFDIR, *wrong = NULL;
	int option, force = 0, days = DAYS, i;

	log_to_stderr("posternctl");
	while ((option = getopt(argc, argv, "d:fo:")) != -1)
		if (option == 'd')
			days = (int)strtonum(optarg, 1, DAYS_MAX, &wrong);
		else if (option == 'f')
			force = 1;
		else if (option == 'o')
			directory = optarg;
		else
			usage();
	if (wrong != NULL)
		misused("-d", "a number of days from 1 to "
		    LITERAL_OF(DAYS_MAX));
	/* The configuration takes no other path. */
	if (directory[0] != '/' || strpbrk(directory, "\"\n") != NULL)
		misused("-o", "an absolute path without quotes");
	argc -= optind;
	argv += optind;
	for (i = 0; i < argc; i++)
		if (!is_host_name(argv[i]) &&
		    read_address(argv[i], bytes) == 0)
			misused(argv[i], "a host name or an address");
	(void)gethostname(this_host, sizeof(this_host) - 1);
	if (argc == 0 && !is_host_name(this_host))
		log_fatal("this host's name is none for a certificate; "
		    "give one");
	set_paths(&key_file, directory, "tls.key", force);
	set_paths(&certificate_file, directory, "tls.crt", force);
	generate(argc > 0 ? argv : host, argc > 0 ? argc : 1, days, force);
	sync_directory(directory);
	if (fflush(stdout) == EOF || ferror(stdout))
		log_fatal("standard output: %s; the certificate has been made",
		    strerror(errno));
	return (0);
}
