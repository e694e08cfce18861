/*
 * pathnames.h - where things are when the build does not say otherwise.
 */
#ifndef PATHNAMES_H
#define PATHNAMES_H

#ifndef SYSCONFDIR
#define SYSCONFDIR	"/etc/postern"
#endif
#ifndef LIBEXECDIR
#define LIBEXECDIR	"/usr/local/libexec/postern"
#endif
#ifndef STATEDIR
#define STATEDIR	"/var/lib/postern/state"
#endif
#ifndef CHROOTDIR
#define CHROOTDIR	"/var/lib/postern/empty"
#endif

#endif
