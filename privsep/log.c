/*
 * log.c - one line per event, by way of the parent.
 *
 * Linked into every program; runs with each one's rights (in posternd: root).
 * How a child's lines reach the parent is in log_child.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "limits_postern.h"
#include "log.h"

void (*log_output)(int, const char *);
static const char *stderr_name;

void
log_to_stderr(const char *program)
{
	stderr_name = program;
}

/* Writes a line, with \xNN for what does not print, as far as there is room. */
static void __attribute__((format(printf, 2, 0)))
emit(int priority, const char *format, va_list arguments)
{
	char raw[LOG_TEXT_SIZE], line[LOG_TEXT_SIZE];
	const char *from = raw;
	size_t used = 0;
	unsigned char c;

	(void)vsnprintf(raw, sizeof(raw), format, arguments);
	for (; (c = (unsigned char)*from) != '\0' && used + 5 < sizeof(line);
	    from++)
		if (c < 0x20 || c > 0x7e)
			used += (size_t)snprintf(line + used,
			    sizeof(line) - used, "\\x%02x", c);
		else
			line[used++] = (char)c;
	line[used] = '\0';
	if (log_output != NULL)
		log_output(priority, line);
	else if (stderr_name != NULL)
		/* dprintf(3) would ask what a device is. */
		(void)fprintf(stderr, "%s: %s\n", stderr_name, line);
	else
		syslog(priority, "%s", line);
}

void
log_line(int priority, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit(priority, format, arguments);
	va_end(arguments);
}

void
log_fatal(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit(LOG_CRIT, format, arguments);
	va_end(arguments);
	exit(1);
}
