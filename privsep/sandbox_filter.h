/*
 * sandbox_filter.h - a list of system calls, as a program that the kernel
 * runs before each call.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <sys/types.h>

#include <linux/filter.h>

#include "limits_postern.h"
#include "sandbox.h"

/* What every process needs, whatever it does (calls_base.c). */
extern const struct sandbox_calls sandbox_base;

struct sandbox_filter {
	struct sock_filter code[SANDBOX_FILTER_MAX];
	size_t length;			/* in instructions */
};

/*
 * Makes the program: a call by this machine's own numbers that any of the
 * `count` rows allows is allowed, and everything else kills the process.  The
 * rows are brought into the order of their numbers.  Returns 0, or -1 with
 * errno when the program would be too long.
 */
int	sandbox_filter_make(struct sandbox_filter *filter,
	    struct sandbox_call *rows, size_t count);

/*
 * All that process `pid` may do with the list `calls`, in `rows`
 * (SANDBOX_ROWS_MAX).  Returns their number, or 0: they do not fit.
 */
size_t	sandbox_rows(const struct sandbox_calls *calls, pid_t pid,
	    struct sandbox_call *rows);

#endif
