/*
 * log.c - one line per event, by way of the parent.
 *
 * Linked into every program; runs with each one's rights (in posternd: root).
 * The children have no way to syslog of their own: a chrooted, sandboxed
 * process could not find it again after a restart of syslogd.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc.h"
#include "log.h"

static int parent_channel = -1;
static const char *stderr_name;
static const char *line_prefix = "";

void
log_to_parent(int channel)
{
	parent_channel = channel;
}

void
log_to_syslog(void)
{
	openlog("posternd", LOG_PID | LOG_NDELAY, LOG_MAIL);
	stderr_name = NULL;
}

void
log_to_stderr(const char *program)
{
	stderr_name = program;
}

void
log_prefix(const char *prefix)
{
	line_prefix = prefix;
}

/* Copies `text`, with \xNN for what does not print, as far as there is room. */
static void
escape(char *to, size_t size, const char *text)
{
	size_t used = 0;
	unsigned char c;

	for (; (c = (unsigned char)*text) != '\0' && used + 5 < size; text++)
		if (c < 0x20 || c > 0x7e)
			used += (size_t)snprintf(to + used, size - used,
			    "\\x%02x", c);
		else
			to[used++] = (char)c;
	to[used] = '\0';
}

static void __attribute__((format(printf, 2, 0)))
emit(int priority, const char *format, va_list arguments)
{
	char raw[LOG_TEXT_SIZE];
	struct ipc_log line;
	size_t used = strlcpy(raw, line_prefix, sizeof(raw));

	(void)vsnprintf(raw + used, sizeof(raw) - used, format, arguments);
	memset(&line, 0, sizeof(line));
	escape(line.text, sizeof(line.text), raw);
	line.priority = (uint32_t)priority;
	if (parent_channel != -1)
		(void)ipc_send(parent_channel, IPC_LOG, 0, &line, NULL);
	else if (stderr_name != NULL)
		(void)dprintf(STDERR_FILENO, "%s: %s\n", stderr_name,
		    line.text);
	else
		syslog(priority, "%s", line.text);
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
