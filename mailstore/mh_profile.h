/*
 * mh_profile.h - where a user of MH keeps the folders.
 */
#ifndef MH_PROFILE_H
#define MH_PROFILE_H

#include <stddef.h>

/*
 * Writes into `path` where "+folder" begins, by the "Path:" of .mh_profile
 * in the home: absolute, a path that is not being from the home.  Returns 0;
 * -1 where there is no such line, or the file is not fit to be read (logged).
 */
int	mh_profile_path(const char *home, char *path, size_t size);

#endif
