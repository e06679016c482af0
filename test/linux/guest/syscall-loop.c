/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many system calls, checked for what the processor and Linux promise: the result; RCX the return address and R11 the
 * flags; every other register, RFLAGS and the stack unchanged. Fails when a VMM that helps with `syscall` forgets one
 * of them.
 */
#include "tiny.h"

#define DEFAULT_CALLS 20000
#define SPREAD_EVERY  500 /* one round of the other calls per so many getppid calls */

#define FLAGS_ALWAYS 0x202u
/* CF PF AF ZF SF DF OF AC ID: all that a user program can change and `syscall` has to mask and restore. */
#define FLAGS_FREE 0x240cd5u

/* The offsets are used by the assembly below. */
struct probe {
	uint64_t in[12]; /* rbx rbp rsi rdi rdx r8 r9 r10 r12 r13 r14 r15 */
	uint64_t number, in_flags;
	uint64_t out[12];
	uint64_t result, out_flags, rcx, r11, return_address;
};

_Static_assert(offsetof(struct probe, number) == 96 && offsetof(struct probe, out) == 112, "used by the assembly");
_Static_assert(offsetof(struct probe, result) == 208, "used by the assembly");

void probe_syscall(struct probe *probe);

__asm__("probe_syscall:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	push %rdi\n"
	"	mov %rdi, %rax\n"
	"	mov 0(%rax), %rbx; mov 8(%rax), %rbp; mov 16(%rax), %rsi; mov 24(%rax), %rdi\n"
	"	mov 32(%rax), %rdx; mov 40(%rax), %r8; mov 48(%rax), %r9; mov 56(%rax), %r10\n"
	"	mov 64(%rax), %r12; mov 72(%rax), %r13; mov 80(%rax), %r14; mov 88(%rax), %r15\n"
	"	pushq 104(%rax)\n"
	"	popfq\n"
	"	mov 96(%rax), %rax\n"
	"	syscall\n"
	"1:	pushfq\n"
	"	push %rax\n"
	"	mov 16(%rsp), %rax\n"
	"	mov %rbx, 112(%rax); mov %rbp, 120(%rax); mov %rsi, 128(%rax); mov %rdi, 136(%rax)\n"
	"	mov %rdx, 144(%rax); mov %r8, 152(%rax); mov %r9, 160(%rax); mov %r10, 168(%rax)\n"
	"	mov %r12, 176(%rax); mov %r13, 184(%rax); mov %r14, 192(%rax); mov %r15, 200(%rax)\n"
	"	popq 208(%rax)\n"
	"	popq 216(%rax)\n"
	"	mov %rcx, 224(%rax); mov %r11, 232(%rax)\n"
	"	lea 1b(%rip), %rcx\n"
	"	mov %rcx, 240(%rax)\n"
	"	pushq $0x202\n" /* the ABI wants DF clear, and alignment checks are not for C code */
	"	popfq\n"
	"	pop %rdi\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

static int complain(const char *what, uint64_t call, uint64_t got, uint64_t expected)
{
	struct tiny_line line = {.used = 0};

	tiny_add(&line, "syscall-loop: ");
	tiny_add(&line, what);
	tiny_add(&line, " is 0x");
	tiny_add_number(&line, got, 16);
	tiny_add(&line, ", expected 0x");
	tiny_add_number(&line, expected, 16);
	tiny_add(&line, ", in call ");
	tiny_add_number(&line, call, 10);
	tiny_flush(&line);
	return 1;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int check_probe(const struct probe *probe, uint64_t call, uint64_t expected)
{
	static const char *const names[] = {"rbx", "rbp", "rsi", "rdi", "rdx", "r8",
					    "r9",  "r10", "r12", "r13", "r14", "r15"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (probe->out[i] != probe->in[i])
			return complain(names[i], call, probe->out[i], probe->in[i]);
	}
	if (probe->result != expected)
		return complain("the result", call, probe->result, expected);
	if (probe->rcx != probe->return_address)
		return complain("rcx", call, probe->rcx, probe->return_address);
	if (probe->r11 != probe->in_flags)
		return complain("r11", call, probe->r11, probe->in_flags);
	if (probe->out_flags != probe->in_flags)
		return complain("rflags", call, probe->out_flags, probe->in_flags);
	return 0;
}

/* A call without arguments, with noise in every register and flag. */
static int call_with_noise(uint64_t *random, uint64_t call, long number, uint64_t expected)
{
	struct probe probe = {.number = (uint64_t)number};

	for (size_t i = 0; i < sizeof(probe.in) / sizeof(probe.in[0]); i++)
		probe.in[i] = next_random(random);
	probe.in_flags = FLAGS_ALWAYS | (next_random(random) & FLAGS_FREE);
	probe_syscall(&probe);
	return check_probe(&probe, call, expected);
}

static int expect(const char *what, long got, long expected)
{
	return got == expected ? 0 : complain(what, 0, (uint64_t)got, (uint64_t)expected);
}

static int check_errors(void)
{
	int wrong = 0;

	wrong |= expect("an unknown call", tiny_syscall(100000, 0, 0, 0), -38); /* ENOSYS */
	wrong |= expect("call -1", tiny_syscall(-1, 0, 0, 0), -38);		/* ENOSYS */
	wrong |= expect("close(-1)", tiny_syscall(__NR_close, -1, 0, 0), -9);	/* EBADF */
	wrong |= expect("uname(1)", tiny_syscall(__NR_uname, 1, 0, 0), -14);	/* EFAULT */
	wrong |= expect("yield", tiny_syscall(__NR_sched_yield, 0, 0, 0), 0);
	return wrong;
}

static int check_pipe(void)
{
	uint64_t sent = 0x0123456789abcdef, received = 0;
	int fds[2] = {-1, -1};
	int wrong = 0;

	wrong |= expect("pipe", tiny_syscall(__NR_pipe, (long)fds, 0, 0), 0);
	wrong |= expect("write to a pipe", tiny_syscall(__NR_write, fds[1], (long)&sent, 8), 8);
	wrong |= expect("write from nowhere", tiny_syscall(__NR_write, fds[1], 1, 8), -14); /* EFAULT */
	wrong |= expect("lseek on a pipe", tiny_syscall(__NR_lseek, fds[0], 0, 0), -29);    /* ESPIPE */
	wrong |= expect("read from a pipe", tiny_syscall(__NR_read, fds[0], (long)&received, 8), 8);
	wrong |= expect("what came through the pipe", (long)received, (long)sent);
	wrong |= expect("close", tiny_syscall(__NR_close, fds[0], 0, 0), 0);
	wrong |= expect("close", tiny_syscall(__NR_close, fds[1], 0, 0), 0);
	return wrong;
}

/* The only call here whose six arguments all matter. */
static int check_mmap(void)
{
	const long read_write = 3, private_anonymous = 0x22, size = 8192;
	long bad = tiny_syscall6(__NR_mmap, 0, size, read_write, private_anonymous, -1, 1);
	long good = tiny_syscall6(__NR_mmap, 0, size, read_write, private_anonymous, -1, 0);
	volatile uint64_t *word = (volatile uint64_t *)(good + 4096);
	int wrong = expect("mmap at offset 1", bad, -22); /* EINVAL */

	if (good < 0)
		return expect("mmap", good, 0);
	wrong |= expect("a fresh page", (long)*word, 0);
	*word = 0x1122334455667788;
	wrong |= expect("a written page", (long)*word, 0x1122334455667788);
	wrong |= expect("munmap", tiny_syscall(__NR_munmap, good, size, 0), 0);
	return wrong;
}

static int check_clock(void)
{
	struct {
		int64_t seconds, nanoseconds;
	} first = {-1, -1}, second = {-1, -1};
	int wrong = 0;

	wrong |= expect("clock_gettime", tiny_syscall(__NR_clock_gettime, 1, (long)&first, 0), 0);
	wrong |= expect("clock_gettime", tiny_syscall(__NR_clock_gettime, 1, (long)&second, 0), 0);
	if (first.seconds < 0 || second.seconds < first.seconds ||
	    (second.seconds == first.seconds && second.nanoseconds < first.nanoseconds))
		wrong |= complain("the monotonic clock", 0, (uint64_t)second.nanoseconds, (uint64_t)first.nanoseconds);
	return wrong;
}

static int check_fork(void)
{
	long child = tiny_syscall(__NR_fork, 0, 0, 0);
	int status = 0;

	if (child == 0)
		tiny_syscall(__NR_exit_group, 7, 0, 0);
	if (expect("wait4", tiny_syscall6(__NR_wait4, child, (long)&status, 0, 0, 0, 0), child))
		return 1;
	return expect("the child's status", status, 7 << 8);
}

int tiny_main(int argc, char **argv, char **envp)
{
	uint64_t calls = tiny_parse(tiny_environment(envp, "VMM_CALLS="), DEFAULT_CALLS), others = 0;
	uint64_t parent = (uint64_t)tiny_syscall(__NR_getppid, 0, 0, 0), random = 0x9e3779b97f4a7c15;
	uint64_t self = (uint64_t)tiny_syscall(__NR_getpid, 0, 0, 0);
	struct tiny_line line = {.used = 0};

	(void)argc;
	(void)argv;
	if (check_fork())
		return 1;
	for (uint64_t i = 0; i < calls; i++) {
		if (call_with_noise(&random, i, __NR_getppid, parent))
			return 1;
		if (i % SPREAD_EVERY)
			continue;
		if (call_with_noise(&random, i, __NR_getpid, self) || call_with_noise(&random, i, __NR_gettid, self))
			return 1;
		if (check_errors() || check_pipe() || check_mmap() || check_clock())
			return 1;
		others++;
	}
	tiny_add(&line, "syscall-loop: ");
	tiny_add_number(&line, calls, 10);
	tiny_add(&line, " getppid calls and ");
	tiny_add_number(&line, others, 10);
	tiny_add(&line, " rounds of others: results, registers and flags are right");
	tiny_flush(&line);
	return 0;
}
