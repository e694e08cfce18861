/*
 * log.h - one line per event, by way of the parent.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <syslog.h>

/* A child logs by LOG messages on this channel to the parent. */
void	log_to_parent(int channel);

/* The parent (or a tool) logs to syslog's mail facility, or to stderr. */
void	log_to_syslog(void);
void	log_to_stderr(const char *program);

/* What every line begins with from now on: "key=value " pairs, or "". */
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

/* Room that LOG_VALUE's quoting of a name or folder needs at the most. */
#define LOG_QUOTED_SIZE		512

#endif
