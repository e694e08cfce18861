/*
 * log_child.c - how a child's log lines reach the parent.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.  The children have no way to syslog of their own: a chrooted,
 * sandboxed process could not find it again after a restart of syslogd.  The
 * parent writes the lines, and trusts no byte in them.
 */
#include <stdio.h>
#include <string.h>

#include "ipc.h"
#include "log.h"

static int parent_channel = -1;
static const char *line_prefix = "";

static void
send_line(int priority, const char *text)
{
	struct ipc_log line;

	memset(&line, 0, sizeof(line));
	line.priority = (uint32_t)priority;
	(void)strlcpy(line.text, line_prefix, sizeof(line.text));
	(void)strlcat(line.text, text, sizeof(line.text));
	(void)ipc_send(parent_channel, IPC_LOG, 0, &line, NULL);
}

void
log_to_parent(int channel)
{
	parent_channel = channel;
	log_output = send_line;
}

void
log_prefix(const char *prefix)
{
	line_prefix = prefix;
}
