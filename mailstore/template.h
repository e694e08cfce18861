/*
 * template.h - paths with a user's name and home in them.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stddef.h>

/*
 * Writes `template` into `to` with %u (user), %h (home), %% and a leading
 * "~/" (home) replaced.  Returns 0, or -1 when it does not fit, has another
 * % in it, or is not an absolute path in the end.
 */
int	template_expand(const char *template, const char *user,
	    const char *home, char *to, size_t size);

#endif
