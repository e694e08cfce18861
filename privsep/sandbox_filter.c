/*
 * sandbox_filter.c - from a list of system calls to the kernel's filter.
 *
 * Linked into postern-net, postern-auth, postern-store, postern-lock,
 * postern-keys, postern-config and postern-mailbox; runs with their rights,
 * never as root.
 *
 * The rows are halved by their numbers until a few are left, which are tried
 * in turn.  That is not for the calls (the kernel remembers of most numbers
 * that they are allowed) but for each start: the kernel then goes through the
 * program once for every number there is.
 */
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <stddef.h>

#include "limits_postern.h"
#include "sandbox_filter.h"

/*
 * The one way into the kernel that the numbers of CALL() are for.  Not s390x's:
 * its mmap has its arguments in memory, where a filter cannot look.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE		AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)
#define MACHINE		AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE		AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define MACHINE		AUDIT_ARCH_PPC64LE
#endif				/* else there is none: it does not compile */

/* The lower half of an argument comes first. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte order");
#define OFFSET(member)	((uint32_t)offsetof(struct seccomp_data, member))

/* So many rows are tried one after the other. */
#define ROWS_IN_TURN	3

static void
add(struct sandbox_filter *filter, unsigned int code, uint32_t value,
    unsigned int if_true, unsigned int if_false)
{
	if (filter->length < SANDBOX_FILTER_MAX)
		filter->code[filter->length] = (struct sock_filter){
		    (uint16_t)code, (uint8_t)if_true, (uint8_t)if_false,
		    value };
	filter->length++;
}

static void
load(struct sandbox_filter *filter, uint32_t offset)
{
	add(filter, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* Passes over `skipped` instructions unless what was loaded is `value`. */
static void
unless_equal(struct sandbox_filter *filter, uint32_t value,
    unsigned int skipped)
{
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

static void
end(struct sandbox_filter *filter, uint32_t verdict)
{
	add(filter, BPF_RET | BPF_K, verdict, 0, 0);
}

/* Allows the call by this row, or leaves its number loaded for the next. */
static void
try_row(struct sandbox_filter *filter, const struct sandbox_call *row)
{
	const struct sandbox_held *held = row->held;
	unsigned int left = held[0].mask == 0 ? 0 : held[1].mask == 0 ? 1 : 2;

	unless_equal(filter, (uint32_t)row->number, left == 0 ? 1 :
	    3 * left + 2);
	for (; left > 0; left--, held++) {
		load(filter, OFFSET(args) + held->half *
		    (uint32_t)sizeof(uint32_t));
		add(filter, BPF_ALU | BPF_AND | BPF_K, held->mask, 0, 0);
		unless_equal(filter, held->value, 3 * left - 2);
	}
	end(filter, SECCOMP_RET_ALLOW);
	if (held > row->held)
		load(filter, OFFSET(nr));
}

/* Rows of one number stay together: each may allow what another does not. */
static size_t
half_of(const struct sandbox_call *rows, size_t count)
{
	size_t half = count / 2;

	while (half < count && rows[half].number == rows[half - 1].number)
		half++;
	return (half);
}

/* Each way through this ends in a verdict.  It nests as deep as log2(count). */
static void
try_rows(struct sandbox_filter *filter, const struct sandbox_call *rows,
    size_t count)
{
	const size_t half = count > ROWS_IN_TURN ? half_of(rows, count) :
	    count;
	size_t i, jump = filter->length;

	if (half == count) {
		for (i = 0; i < count; i++)
			try_row(filter, &rows[i]);
		end(filter, SECCOMP_RET_KILL_PROCESS);
		return;
	}
	add(filter, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)rows[half].number, 0,
	    0);
	try_rows(filter, rows, half);
	i = filter->length - jump - 1;
	if (i > UINT8_MAX || jump >= SANDBOX_FILTER_MAX)
		filter->length = SANDBOX_FILTER_MAX + 1;
	else
		filter->code[jump].jt = (uint8_t)i;
	try_rows(filter, rows + half, count - half);
}

static void
sort(struct sandbox_call *rows, size_t count)
{
	struct sandbox_call row;
	size_t i, to;

	for (i = 1; i < count; i++) {
		row = rows[i];
		for (to = i; to > 0 && rows[to - 1].number > row.number; to--)
			rows[to] = rows[to - 1];
		rows[to] = row;
	}
}

int
sandbox_filter_make(struct sandbox_filter *filter, struct sandbox_call *rows,
    size_t count)
{
	filter->length = 0;
	load(filter, OFFSET(arch));
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	end(filter, SECCOMP_RET_KILL_PROCESS);
	load(filter, OFFSET(nr));
	sort(rows, count);
	try_rows(filter, rows, count);
	errno = E2BIG;
	return (filter->length <= SANDBOX_FILTER_MAX ? 0 : -1);
}
