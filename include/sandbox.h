/*
 * sandbox.h - what a process gives up before it meets its peers.
 *
 * Linux: seccomp allow-lists (default: kill the process) and Landlock.
 * OpenBSD: pledge and unveil.  Both fail closed: where the mechanism is
 * missing the process ends with a line that says so, unless the
 * configuration named it under "without".
 *
 * One file per mechanism (sandbox_seccomp.c, sandbox_landlock.c,
 * sandbox_openbsd.c); one list of system calls per role (calls_*.c), of
 * which an executable links only its own.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* Half an argument that is held fast. */
struct sandbox_held {
	uint32_t half;		/* twice the argument, and 1 if its upper */
	uint32_t mask;		/* its bits (0: none are held) that must */
	uint32_t value;		/* have this value */
};

/* A system call that a role may make, with all that is held fast. */
struct sandbox_call {
	int number;
	struct sandbox_held held[2];
};

/* An int, or flags: only a pointer has anything in its upper half. */
#define HELD(argument, mask, value)					\
				{ 2 * (argument), (mask), (value) }
#define HELD_UPPER(argument, mask, value)				\
				{ 2 * (argument) + 1, (mask), (value) }

/* Rows of a list: a call, or a call with arguments held fast. */
#define CALL(name)		{ __NR_##name, { { 0, 0, 0 } } }
#define CALL_NONE		{ -1, { { 0, 0, 0 } } }
#define CALL_HELD(name, ...)	{ __NR_##name, { __VA_ARGS__ } }
#define CALL_MASKED(name, argument, mask, value)			\
				CALL_HELD(name, HELD(argument, mask, value))
#define CALL_IF(name, argument, value)					\
				CALL_MASKED(name, argument, 0xffffffff, value)

/* Opening files for reading, and not making or cutting any. */
#define CALL_OPEN_TO_READ	CALL_MASKED(openat, 2,			\
				    O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)

/* futimens(3), which has no path: of times Landlock says nothing. */
#define CALL_FUTIMENS		CALL_HELD(utimensat,			\
				    HELD(1, 0xffffffff, 0),		\
				    HELD_UPPER(1, 0xffffffff, 0))

struct sandbox_calls {
	const char *promises;	/* the same for pledge(2) */
	const struct sandbox_call *list;
	size_t count;
};

/* The roles' lists: calls_net.c, calls_auth_passwd.c, ... */
extern const struct sandbox_calls sandbox_net, sandbox_auth_passwd,
    sandbox_auth_system, sandbox_store, sandbox_lock, sandbox_keys,
    sandbox_mailbox;

enum sandbox_access {
	SANDBOX_READ,		/* files are read, directories listed */
	SANDBOX_WRITE,		/* and written, cut; none made or removed */
	SANDBOX_CREATE,		/* and made, removed */
	SANDBOX_NAMES,		/* made and removed, not read */
	SANDBOX_CREATE_TREE	/* as CREATE, and directories as well */
};

/* A file or directory that a process may use, with what is below it. */
struct sandbox_path {
	const char *path;	/* "" or NULL: none */
	enum sandbox_access access;
};

/*
 * No core files, no debugger, no regained privilege, no program started
 * from here gets more than this one has.  Never undone.
 */
void	sandbox_harden(void);

/*
 * From here on no file is reached but those of `paths`; one that does not
 * exist is passed over.  `without`: enum sandbox_without bits.
 */
void	sandbox_files(const struct sandbox_path *paths, size_t count,
	    uint32_t without);

/* From here on only these system calls are made. */
void	sandbox_enter(const struct sandbox_calls *calls, uint32_t without);

#endif
