/*
 * message_files.h - mailboxes of one file for each message, and what other
 * programs do to them.
 *
 * Test code alone.  Paths are below the home of FRED, as folder_write takes
 * them.
 */
#ifndef MESSAGE_FILES_H
#define MESSAGE_FILES_H

#include <sys/stat.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* A file of each awkward kind, and what it is on the wire. */
struct awkward_file {
	const char *name;
	const char *bytes;
	size_t length;
	const char *wire;
	size_t octets;
};

#define FILE_BYTES(bytes, wire)	bytes, sizeof(bytes) - 1, wire, sizeof(wire) - 1

static const struct awkward_file awkward_files[] = {
	{ "LF", FILE_BYTES("Subject: one\n\nfirst\n",
	    "Subject: one\r\n\r\nfirst\r\n") },
	{ "CRLF", FILE_BYTES("Subject: one\r\n\r\nfirst\r\n",
	    "Subject: one\r\n\r\nfirst\r\n") },
	{ "mixed", FILE_BYTES("Subject: one\n\r\nfirst\r\nand\n",
	    "Subject: one\r\n\r\nfirst\r\nand\r\n") },
	{ "nothing", FILE_BYTES("", "\r\n") },
	{ "an empty line", FILE_BYTES("\n", "\r\n") },
	{ "empty lines", FILE_BYTES("\n\r\n\n", "\r\n\r\n\r\n") },
	{ "no newline", FILE_BYTES("Subject: x\n\nlast", "Subject: x\r\n\r\n"
	    "last\r\n") },
	{ "CR at the end", FILE_BYTES("a\n\nlast\r", "a\r\n\r\nlast\r\r\n") },
	{ "bare CR", FILE_BYTES("a\rb\n\r\rc\r\r\n", "a\rb\r\n\r\rc\r\r\n") },
	{ "NUL", FILE_BYTES("a\0\n\0\n\0", "a\0\r\n\0\r\n\0\r\n") },
	{ "8-bit", FILE_BYTES("\xfc\xff\n\x80", "\xfc\xff\r\n\x80\r\n") },
	{ "From_ lines", FILE_BYTES("a\n\nFrom b Sun Nov 22 01:02:03 2026\n"
	    ">From c\n", "a\r\n\r\nFrom b Sun Nov 22 01:02:03 2026\r\n"
	    ">From c\r\n") },
	{ "a dot", FILE_BYTES("a\n\n.\n..\n", "a\r\n\r\n.\r\n..\r\n") },
};

static inline const char *
home_of(const struct server *server, const char *path)
{
	static char whole[2][2048];
	static int which;

	which = !which;
	(void)snprintf(whole[which], sizeof(whole[which]), "%s/home/%s/%s",
	    server->directory, FRED, path);
	return (whole[which]);
}

static inline void
write_message(const struct server *server, const char *path,
    const char *text)
{
	folder_write(server, FRED, path, text, strlen(text));
}

/* A directory of FRED's, with those above it. */
static inline void
make_folder(const struct server *server, const char *path)
{
	char file[1024];

	(void)snprintf(file, sizeof(file), "%s/x", path);
	folder_write(server, FRED, file, "", 0);
	ATF_REQUIRE(unlink(home_of(server, file)) == 0);
}

static inline int
is_there(const struct server *server, const char *path)
{
	struct stat status;

	return (lstat(home_of(server, path), &status) == 0);
}

static inline void
move_file(const struct server *server, const char *from, const char *to)
{
	ATF_REQUIRE(rename(home_of(server, from), home_of(server, to)) == 0);
}

static inline void
remove_file(const struct server *server, const char *path)
{
	ATF_REQUIRE(unlink(home_of(server, path)) == 0);
}

/* Sets a file's date, as a delivery at that second would have. */
static inline void
date_file(const struct server *server, const char *path, time_t seconds)
{
	const struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };

	ATF_REQUIRE(utimensat(AT_FDCWD, home_of(server, path), times, 0) ==
	    0);
}

/* How many entries the directory has whose names are not "." or "..". */
static inline size_t
count_entries(const struct server *server, const char *path)
{
	DIR *names = opendir(home_of(server, path));
	size_t count = 0;

	ATF_REQUIRE(names != NULL);
	while (readdir(names) != NULL)
		count++;
	(void)closedir(names);
	return (count - 2);
}

/* READs a message, which must have this form, up to its acknowledgment. */
static inline void
read_bytes(int fd, size_t number, const char *wire, size_t octets)
{
	char command[40], size[40];

	(void)snprintf(command, sizeof(command), "READ %zu", number);
	(void)snprintf(size, sizeof(size), "=%zu ", octets);
	client_say(fd, command, size);
	client_send(fd, "RETR\r\n");
	client_expect_bytes(fd, wire, octets);
}

static inline void
read_one(int fd, size_t number, const char *wire)
{
	read_bytes(fd, number, wire, strlen(wire));
}

static inline void
read_and_keep(int fd, size_t number, const char *wire)
{
	read_one(fd, number, wire);
	client_say(fd, "ACKS", "=");
}

static inline void
read_and_delete(int fd, size_t number, const char *wire)
{
	read_one(fd, number, wire);
	client_say(fd, "ACKD", "=");
}

static inline void
quit(int fd, const char *reply)
{
	client_say(fd, "QUIT", reply);
	client_expect_close(fd);
}

/* A POP2 session in the folder, which has so many messages. */
static inline int
fold(const struct server *server, const char *folder, size_t messages)
{
	char command[600], reply[40];
	int fd = pop2_login(server, 0, FRED, FRED_PASSWORD, "#");

	(void)snprintf(command, sizeof(command), "FOLD %s", folder);
	(void)snprintf(reply, sizeof(reply), "#%zu message", messages);
	client_say(fd, command, reply);
	return (fd);
}

/* Asks by POP1 for the whole of a folder; it must be this. */
static inline int
ask_whole(const struct server *server, const char *command,
    const char *whole)
{
	int fd = pop1_login(server, 0, FRED, FRED_PASSWORD);
	char size[40];

	(void)snprintf(size, sizeof(size), "#%zu\r\n", strlen(whole));
	client_send(fd, command);
	client_send(fd, "\r\n");
	client_expect(fd, size);
	client_send(fd, "RCEV\r\n");
	client_expect(fd, whole);
	return (fd);
}

#endif
