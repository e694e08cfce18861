/*
 * log.h - one line per event, by way of the parent.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <syslog.h>

/* The parent (or a tool) logs to stderr; NULL: to syslog(3), as it is open. */
void	log_to_stderr(const char *program);

/* Where finished lines go instead, if not NULL: log_to_parent sets it. */
extern void (*log_output)(int priority, const char *text);

/*
 * log_child.c, in children alone: lines go by LOG messages on this channel to
 * the parent, and begin with the prefix ("key=value " pairs that print, or
 * "").  The prefix is not copied.
 */
void	log_to_parent(int channel);
void	log_prefix(const char *prefix);

/* Writes one line; bytes that do not print are escaped as \xNN. */
void	log_line(int priority, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* For a broken promise inside the program, or no way to go on: exit 1. */
void	log_fatal(const char *format, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

/*
 * Writes `value` into `to` so that it is one value of a key=value line:
 * as it is where it is plain, else in double quotes with \xNN for every
 * byte that does not print, for quotes and for back-slashes.  Cut values
 * end in "...".  Returns `to`.
 */
const char *log_quote(char *to, size_t size, const char *value);

/* Room for a quoted name or folder; values that need more are cut. */
#define LOG_QUOTED_SIZE		512

#endif
