/*
 * filter_test.c - the filter of each role is what its list says.
 *
 * The programs are run here, on every number that a call may have and on
 * arguments around those that are held fast; by the list, and by the program
 * that libseccomp makes of the same list.  What the kernel does with them is
 * in sandbox_test.c.
 */
#include <atf-c.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_filter.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define NUMBERS		1024		/* more than any kernel has */
#define OTHERS_PROGRAM	4096
#define OWN_PID		4711

static const struct {
	const char *name;
	const struct sandbox_calls *calls;
} roles[] = {
	{ "net", &sandbox_net },
	{ "auth (passwd)", &sandbox_auth_passwd },
	{ "auth (system)", &sandbox_auth_system },
	{ "store", &sandbox_store },
	{ "lock", &sandbox_lock },
	{ "keys", &sandbox_keys },
	{ "mailbox", &sandbox_mailbox },
};

struct program {
	struct sock_filter code[OTHERS_PROGRAM];
	size_t length;
};

static struct program ours, theirs;
static struct sandbox_call rows[SANDBOX_ROWS_MAX];
static size_t row_count;

static uint32_t
word_at(const struct seccomp_data *call, uint32_t offset)
{
	uint32_t word;

	ATF_REQUIRE(offset % 4 == 0 && offset + 4 <= sizeof(*call));
	memcpy(&word, (const char *)call + offset, sizeof(word));
	return (word);
}

static int
is_true(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return (a == k);
	case BPF_JGE:
		return (a >= k);
	case BPF_JGT:
		return (a > k);
	default:
		ATF_REQUIRE_EQ(BPF_JSET, BPF_OP(code));
		return ((a & k) != 0);
	}
}

/* What the kernel does: the verdict on a call. */
static uint32_t
verdict(const struct program *program, const struct seccomp_data *call)
{
	const struct sock_filter *at;
	uint32_t a = 0;
	size_t i;

	for (i = 0; i < program->length; i++) {
		at = &program->code[i];
		if (at->code == (BPF_RET | BPF_K))
			return (at->k);
		if (at->code == (BPF_LD | BPF_W | BPF_ABS))
			a = word_at(call, at->k);
		else if (at->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= at->k;
		else if (at->code == (BPF_JMP | BPF_JA))
			i += at->k;
		else {
			ATF_REQUIRE_EQ(BPF_JMP, BPF_CLASS(at->code));
			i += is_true(at->code, a, at->k) ? at->jt : at->jf;
		}
	}
	atf_tc_fail("it has no end");
}

/* Where in its argument the half's bits begin. */
static unsigned int
shift_of(const struct sandbox_held *held)
{
	return (held->half % 2 * 32);
}

static int
is_held(const struct seccomp_data *call, const struct sandbox_held *held)
{
	const __u64 argument = call->args[held->half / 2];

	return (((uint32_t)(argument >> shift_of(held)) & held->mask) ==
	    held->value);
}

/* Arguments that the row allows; what it does not hold is `others`. */
static void
hold(struct seccomp_data *call, const struct sandbox_call *row, int others)
{
	const struct sandbox_held *held;
	__u64 *argument;

	memset(call->args, others, sizeof(call->args));
	for (held = row->held; held < row->held + 2; held++) {
		argument = &call->args[held->half / 2];
		*argument &= ~((__u64)held->mask << shift_of(held));
		*argument |= (__u64)held->value << shift_of(held);
	}
}

/* What the list says. */
static int
is_listed(const struct seccomp_data *call)
{
	size_t i;

	for (i = 0; i < row_count; i++)
		if (call->nr == rows[i].number &&
		    is_held(call, &rows[i].held[0]) &&
		    is_held(call, &rows[i].held[1]))
			return (1);
	return (0);
}

static void
make_ours(void)
{
	struct sandbox_call copy[SANDBOX_ROWS_MAX];
	struct sandbox_filter filter;

	memcpy(copy, rows, sizeof(copy));
	ATF_REQUIRE(sandbox_filter_make(&filter, copy, row_count) == 0);
	ours.length = filter.length;
	memcpy(ours.code, filter.code, filter.length * sizeof(ours.code[0]));
}

/* Both halves of one argument are one comparison to libseccomp. */
static unsigned int
comparisons_of(const struct sandbox_call *row, struct scmp_arg_cmp to[2])
{
	const struct sandbox_held *held;
	unsigned int count = 0;

	for (held = row->held; held < row->held + 2; held++) {
		if (held->mask == 0)
			continue;
		if (count == 0 || to[0].arg != held->half / 2)
			to[count++] = (struct scmp_arg_cmp){ held->half / 2,
			    SCMP_CMP_MASKED_EQ, 0, 0 };
		to[count - 1].datum_a |= (uint64_t)held->mask <<
		    shift_of(held);
		to[count - 1].datum_b |= (uint64_t)held->value <<
		    shift_of(held);
	}
	return (count);
}

static void
make_theirs(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	struct scmp_arg_cmp held[2];
	FILE *file = tmpfile();
	unsigned int count;
	size_t i;
	int error;

	ATF_REQUIRE(filter != NULL && file != NULL);
	for (i = 0; i < row_count; i++) {
		count = comparisons_of(&rows[i], held);
		error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
		    rows[i].number, count, held);
		ATF_REQUIRE(error == 0 || error == -EEXIST);
	}
	ATF_REQUIRE(seccomp_export_bpf(filter, fileno(file)) == 0);
	seccomp_release(filter);
	rewind(file);
	theirs.length = fread(theirs.code, sizeof(theirs.code[0]),
	    OTHERS_PROGRAM, file);
	ATF_REQUIRE(theirs.length > 0 && feof(file));
	(void)fclose(file);
}

static void
make_programs(const struct sandbox_calls *calls)
{
	row_count = sandbox_rows(calls, OWN_PID, rows);
	ATF_REQUIRE(row_count > 0);
	make_ours();
	make_theirs();
}

/* Returns whether it is allowed, which all must agree on. */
static int
judge(const char *role, const struct seccomp_data *call)
{
	const uint32_t own = verdict(&ours, call);
	const uint32_t other = verdict(&theirs, call);
	const int listed = is_listed(call);

	ATF_REQUIRE(own == SECCOMP_RET_ALLOW ||
	    own == SECCOMP_RET_KILL_PROCESS);
	ATF_CHECK_MSG((own == SECCOMP_RET_ALLOW) == listed, "%s: call %d is "
	    "%sallowed", role, call->nr, listed ? "not " : "");
	ATF_CHECK_MSG((other == SECCOMP_RET_ALLOW) == listed, "%s: call %d: "
	    "libseccomp does not think so", role, call->nr);
	return (listed);
}

/* One number, with each row's held arguments as they must be, and near that. */
static size_t
judge_number(const char *role, struct seccomp_data *call)
{
	const struct sandbox_held *held;
	size_t i, bit, passed = 0;
	__u64 *argument;

	for (i = 0; i < row_count; i++)
		for (held = rows[i].held; held < rows[i].held + 2 &&
		    held->mask != 0; held++) {
			hold(call, &rows[i], 0xff);
			passed += (size_t)judge(role, call);
			hold(call, &rows[i], 0);
			passed += (size_t)judge(role, call);
			argument = &call->args[held->half / 2];
			for (bit = 0; bit < 64; bit++) {
				*argument ^= UINT64_C(1) << bit;
				passed += (size_t)judge(role, call);
				*argument ^= UINT64_C(1) << bit;
			}
		}
	memset(call->args, 0, sizeof(call->args));
	return (passed + (size_t)judge(role, call));
}

ATF_TC_WITHOUT_HEAD(every_number);
ATF_TC_BODY(every_number, tc)
{
	struct seccomp_data call;
	size_t role, passed;
	int number;

	(void)tc;
	for (role = 0; role < COUNT(roles); role++) {
		make_programs(roles[role].calls);
		memset(&call, 0, sizeof(call));
		call.arch = seccomp_arch_native();
		passed = 0;
		for (number = -1; number < NUMBERS; number++) {
			call.nr = number;
			passed += judge_number(roles[role].name, &call);
		}
		/* The list is there at all. */
		ATF_CHECK(passed >= row_count / 2);
	}
}

ATF_TC_WITHOUT_HEAD(other_interfaces);
ATF_TC_BODY(other_interfaces, tc)
{
	static const uint32_t machines[] = { 0, AUDIT_ARCH_I386,
	    AUDIT_ARCH_X86_64, AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64,
	    AUDIT_ARCH_PPC64, AUDIT_ARCH_PPC64LE, AUDIT_ARCH_RISCV64,
	    AUDIT_ARCH_S390, AUDIT_ARCH_S390X };
	struct seccomp_data call;
	size_t role, i, own = 0;
	int number;

	(void)tc;
	for (role = 0; role < COUNT(roles); role++) {
		make_programs(roles[role].calls);
		for (i = 0; i < COUNT(machines); i++)
			for (number = 0; number < NUMBERS; number++) {
				memset(&call, 0, sizeof(call));
				call.arch = machines[i];
				call.nr = number;
				if (seccomp_arch_native() == machines[i]) {
					own++;
					/* x32's numbers, and so on */
					call.nr |= 0x40000000;
				}
				ATF_CHECK_EQ_MSG(SECCOMP_RET_KILL_PROCESS,
				    verdict(&ours, &call), "%s: %#x, call %d",
				    roles[role].name, machines[i], call.nr);
			}
	}
	ATF_CHECK_EQ(COUNT(roles) * NUMBERS, own);
}

ATF_TC_WITHOUT_HEAD(own_machine);
ATF_TC_BODY(own_machine, tc)
{
	struct seccomp_data call = { .nr = SYS_read, .arch =
	    seccomp_arch_native() };

	(void)tc;
	make_programs(&sandbox_store);
	ATF_CHECK_EQ(SECCOMP_RET_ALLOW, verdict(&ours, &call));
	call.nr = SYS_tgkill;
	call.args[0] = OWN_PID;
	ATF_CHECK_EQ(SECCOMP_RET_ALLOW, verdict(&ours, &call));
	call.args[0]++;
	ATF_CHECK_EQ(SECCOMP_RET_KILL_PROCESS, verdict(&ours, &call));
}

/* Of any list: one row, many of one number, and more than there is room for. */
ATF_TC_WITHOUT_HEAD(lists_of_any_length);
ATF_TC_BODY(lists_of_any_length, tc)
{
	struct seccomp_data call = { .arch = seccomp_arch_native() };
	struct sandbox_filter filter;
	size_t i;
	int number;

	(void)tc;
	for (row_count = 1; row_count < SANDBOX_ROWS_MAX; row_count++) {
		for (i = 0; i < row_count; i++)
			rows[i] = (struct sandbox_call){ .number =
			    (int)(300 - 2 * i) };
		if (sandbox_filter_make(&filter, rows, row_count) == -1)
			break;
		make_ours();
		for (number = 0; number < 310; number++) {
			call.nr = number;
			ATF_CHECK_EQ(is_listed(&call), verdict(&ours, &call) ==
			    SECCOMP_RET_ALLOW);
		}
	}
	ATF_CHECK_MSG(row_count > 80, "no room for %zu", row_count);
	for (i = 0; i < SANDBOX_ROWS_MAX; i++)
		rows[i] = (struct sandbox_call){ 7, {
		    { (uint32_t)i % 12, ~0U, (uint32_t)i },
		    { (uint32_t)(i + 5) % 12, ~0U, (uint32_t)i } } };
	ATF_CHECK_EQ(-1, sandbox_filter_make(&filter, rows,
	    SANDBOX_ROWS_MAX));
	ATF_CHECK_EQ(E2BIG, errno);
	row_count = 50;
	make_ours();
	call.nr = 7;
	for (i = 0; i < SANDBOX_ROWS_MAX; i++) {
		hold(&call, &rows[i], 0xff);
		ATF_CHECK_EQ(i < row_count, verdict(&ours, &call) ==
		    SECCOMP_RET_ALLOW);
		/* Nor is a number a value. */
		call.nr = (int)i;
		ATF_CHECK_EQ(i == 7, verdict(&ours, &call) ==
		    SECCOMP_RET_ALLOW);
		call.nr = 7;
		/* One of the two is not enough. */
		call.args[rows[i].held[i % 2].half / 2] = ~UINT64_C(0);
		ATF_CHECK_EQ(SECCOMP_RET_KILL_PROCESS, verdict(&ours, &call));
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_number);
	ATF_TP_ADD_TC(tp, other_interfaces);
	ATF_TP_ADD_TC(tp, own_machine);
	ATF_TP_ADD_TC(tp, lists_of_any_length);
	return (atf_no_error());
}
