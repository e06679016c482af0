/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the vector registers survive what a kernel does between two instructions of a program? Several processes of two
 * threads fill all of ymm or zmm, k, mm, MXCSR and the x87 control word with their own patterns, then go through system
 * calls, context switches, page faults, signals, sleep and plain preemption, and compare. Catches a wrong XSAVE or
 * XRSTOR, in the INIT states too. Exit status: 0 intact, 1 corrupted, 77 no AVX here.
 */
#include "tiny.h"

#define PROCESSES      2
#define TASKS	       (2 * PROCESSES)
#define DEFAULT_ROUNDS 200
#define SECONDS_MAX    20 /* a slow machine does fewer rounds */
#define ROUNDS_MIN     24
#define STACK_SIZE     65536
#define PAGE	       4096
#define FRESH_PAGES    16
#define STATUS_SKIPPED 77

#define SHORT_SPIN 1000
#define LONG_SPIN  60000000 /* more than one tick of a 100 Hz kernel: forces preemption */

#define SIGNAL_USR1 10

/* All that one task keeps in registers. The offsets are used by the assembly below. */
struct registers {
	uint8_t vector[32][64];
	uint64_t mm[8];
	uint64_t mask[8];
	uint32_t mxcsr;
	uint32_t x87_control;
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct registers, mm) == 2048 && offsetof(struct registers, mask) == 2112,
	       "used by the assembly");
_Static_assert(offsetof(struct registers, mxcsr) == 2176, "used by the assembly");

enum kind {
	KIND_FULL,
	KIND_FULL_AGAIN,
	KIND_UPPER_INIT, /* vzeroupper: the AVX component is in its INIT state, SSE is not */
	KIND_ALL_INIT,	 /* vzeroall */
	KIND_COUNT
};

/* What the kernel is made to do while the registers hold their pattern. The order is used by the assembly below. */
struct disturbance {
	uint64_t number, a, b, c; /* a system call */
	uint8_t *touch;		  /* a byte to write: mostly of a fresh page */
	uint64_t spin;		  /* loop turns in user mode */
	uint64_t kind;
};

struct shared {
	uint64_t rounds[TASKS];
	uint32_t failed;
};

struct task {
	struct shared *shared;
	uint64_t rounds;
	unsigned int index;
	uint32_t running; /* the kernel clears it, and wakes its waiter, when a thread ends */
	uint8_t *fresh;
	unsigned int fresh_used;
	struct registers want, got;
};

static uint32_t has_avx512;
static struct registers poison; /* what the signal handler leaves in the registers */

/* disturb(want, got, how): load, disturb, store. No compiler may put code of its own in between. */
void disturb_ymm(const struct registers *want, struct registers *got, const struct disturbance *how);
void disturb_zmm(const struct registers *want, struct registers *got, const struct disturbance *how);
void load_ymm(const struct registers *from);
void load_zmm(const struct registers *from);

#define NUMBERS_8  "0,1,2,3,4,5,6,7"
#define NUMBERS_16 NUMBERS_8 ",8,9,10,11,12,13,14,15"
#define NUMBERS_32 NUMBERS_16 ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"

#define LOAD_MM	     ".irp i," NUMBERS_8 "\n movq 2048+\\i*8(%rdi), %mm\\i\n .endr\n"
#define LOAD_CONTROL "ldmxcsr 2176(%rdi)\n fldcw 2180(%rdi)\n"
#define LOAD_YMM     ".irp i," NUMBERS_16 "\n vmovdqu \\i*64(%rdi), %ymm\\i\n .endr\n"
#define LOAD_ZMM                                                                                                       \
	".irp i," NUMBERS_32                                                                                           \
	"\n vmovdqu64 \\i*64(%rdi), %zmm\\i\n .endr\n"                                                                 \
	".irp i," NUMBERS_8 "\n kmovw 2112+\\i*8(%rdi), %k\\i\n .endr\n"
#define STORE_MM      ".irp i," NUMBERS_8 "\n movq %mm\\i, 2048+\\i*8(%r12)\n .endr\n"
#define STORE_CONTROL "stmxcsr 2176(%r12)\n fnstcw 2180(%r12)\n"
#define STORE_YMM     ".irp i," NUMBERS_16 "\n vmovdqu %ymm\\i, \\i*64(%r12)\n .endr\n"
#define STORE_ZMM                                                                                                      \
	".irp i," NUMBERS_32                                                                                           \
	"\n vmovdqu64 %zmm\\i, \\i*64(%r12)\n .endr\n"                                                                 \
	".irp i," NUMBERS_8 "\n kmovw %k\\i, 2112+\\i*8(%r12)\n .endr\n"

#define DISTURB(name, load, store)                                                                                     \
	__asm__(#name                                                                                                  \
		":\n"                                                                                                  \
		"push %rbx\n push %r12\n"                                                                              \
		"mov %rsi, %r12\n mov %rdx, %rbx\n" LOAD_CONTROL LOAD_MM load                                          \
		"cmpq $2, 48(%rbx)\n jne 1f\n vzeroupper\n"                                                            \
		"1: cmpq $3, 48(%rbx)\n jne 2f\n vzeroall\n"                                                           \
		"2: mov 0(%rbx), %rax\n mov 8(%rbx), %rdi\n mov 16(%rbx), %rsi\n mov 24(%rbx), %rdx\n"                 \
		"syscall\n"                                                                                            \
		"mov 32(%rbx), %rax\n movb $1, (%rax)\n"                                                               \
		"mov 40(%rbx), %rax\n"                                                                                 \
		"3: dec %rax\n jnz 3b\n" store STORE_MM STORE_CONTROL                                                  \
		"emms\n vzeroupper\n pop %r12\n pop %rbx\n ret\n")

DISTURB(disturb_ymm, LOAD_YMM, STORE_YMM);
DISTURB(disturb_zmm, LOAD_ZMM, STORE_ZMM);
__asm__("load_ymm:\n" LOAD_CONTROL LOAD_MM LOAD_YMM "ret\n");
__asm__("load_zmm:\n" LOAD_CONTROL LOAD_MM LOAD_ZMM "ret\n");

/* start_thread(flags, stack top, tid, function, argument): clone; the new thread runs function(argument) and ends. */
long start_thread(long flags, void *stack, uint32_t *tid, void (*function)(struct task *), struct task *task);
__asm__("start_thread:\n"
	"	sub $16, %rsi\n"
	"	mov %rcx, 0(%rsi)\n"
	"	mov %r8, 8(%rsi)\n"
	"	mov %rdx, %r10\n"
	"	mov $56, %eax\n" /* clone */
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jnz 1f\n"
	"	xor %ebp, %ebp\n"
	"	pop %rax\n"
	"	pop %rdi\n"
	"	call *%rax\n"
	"	xor %edi, %edi\n"
	"	mov $60, %eax\n" /* exit, of this thread only */
	"	syscall\n"
	"1:	ret\n");

void return_from_signal(void);
__asm__("return_from_signal:\n"
	"	mov $15, %eax\n" /* rt_sigreturn */
	"	syscall\n");

static void on_signal(int number)
{
	(void)number;
	if (has_avx512)
		load_zmm(&poison);
	else
		load_ymm(&poison);
}

static uint64_t extended_control(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

/* A program may use what CPUID and XCR0 say together. */
static int detect_avx(void)
{
	const uint32_t osxsave_and_avx = 1u << 27 | 1u << 28, avx512f = 1u << 16;
	uint32_t leaf1[4], leaf7[4];

	cpuid(1, leaf1);
	cpuid(7, leaf7);
	if ((leaf1[2] & osxsave_and_avx) != osxsave_and_avx || (extended_control() & 6) != 6)
		return 0;
	has_avx512 = (leaf7[1] & avx512f) && (extended_control() & 0xe6) == 0xe6;
	return 1;
}

static void fill(struct registers *registers, uint64_t seed, enum kind kind)
{
	const unsigned int width = has_avx512 ? 64 : 32, count = has_avx512 ? 32 : 16;

	*registers = (struct registers){.mxcsr = 0x1f80, .x87_control = 0x37f};
	for (unsigned int i = 0; i < count; i++) {
		unsigned int bytes = width;

		if (i < 16 && kind == KIND_UPPER_INIT)
			bytes = 16;
		if (i < 16 && kind == KIND_ALL_INIT)
			bytes = 0;
		for (unsigned int b = 0; b < bytes; b++)
			registers->vector[i][b] = (uint8_t)(seed * 41 + i * 7 + b + 1);
	}
	for (unsigned int i = 0; i < 8; i++) {
		registers->mm[i] = (seed + i + 1) * 0x0101010101010101;
		registers->mask[i] = has_avx512 ? (uint16_t)((seed + i) * 0x1357 + 1) : 0;
	}
	/* Rounding and precision control: harmless here, and different between neighbours. */
	registers->mxcsr = 0x1f80 | (uint32_t)(seed & 3) << 13;
	registers->x87_control = 0x37f ^ (uint32_t)(seed & 3) << 10;
}

/* The name of the first difference, and where it is; NULL when there is none. */
static const char *compare(const struct registers *want, const struct registers *got, unsigned int *number)
{
	for (unsigned int i = 0; i < sizeof(want->vector); i++) {
		*number = i / 64;
		if (want->vector[i / 64][i % 64] != got->vector[i / 64][i % 64])
			return has_avx512 ? "zmm" : "ymm";
	}
	for (unsigned int i = 0; i < 8; i++) {
		*number = i;
		if (want->mm[i] != got->mm[i])
			return "mm";
		if (want->mask[i] != got->mask[i])
			return "k";
	}
	*number = 0;
	if (want->mxcsr != got->mxcsr)
		return "mxcsr ";
	return want->x87_control != got->x87_control ? "x87 control word " : NULL;
}

static void report(const struct task *task, uint64_t round, const char *what, unsigned int number, const char *during)
{
	static const char *const kinds[] = {"all in use", "all in use", "upper halves in INIT state",
					    "all in INIT state"};
	const uint8_t *want = task->want.vector[number], *got = task->got.vector[number];
	struct tiny_line line = {.used = 0};

	tiny_add(&line, "avx-check: task ");
	tiny_add_number(&line, task->index, 10);
	tiny_add(&line, ", round ");
	tiny_add_number(&line, round, 10);
	tiny_add(&line, ": ");
	tiny_add(&line, what);
	tiny_add_number(&line, number, 10);
	tiny_add(&line, " corrupted by ");
	tiny_add(&line, during);
	tiny_add(&line, " (");
	tiny_add(&line, kinds[round % KIND_COUNT]);
	tiny_add(&line, ")");
	for (unsigned int b = 0; b < 64; b++) {
		if (want[b] == got[b])
			continue;
		tiny_add(&line, ", byte ");
		tiny_add_number(&line, b, 10);
		tiny_add(&line, " is 0x");
		tiny_add_number(&line, got[b], 16);
		tiny_add(&line, " not 0x");
		tiny_add_number(&line, want[b], 16);
		break;
	}
	tiny_flush(&line);
}

static uint8_t *fresh_page(struct task *task)
{
	const long size = FRESH_PAGES * PAGE, read_write = 3, private_anonymous = 0x22;

	if (task->fresh_used == FRESH_PAGES) {
		tiny_syscall(__NR_munmap, (long)task->fresh, size, 0);
		task->fresh = NULL;
	}
	if (!task->fresh) {
		task->fresh = (uint8_t *)tiny_syscall6(__NR_mmap, 0, size, read_write, private_anonymous, -1, 0);
		task->fresh_used = 0;
	}
	return task->fresh + PAGE * task->fresh_used++;
}

/* Every kind of disturbance meets every kind of register content: 6 and 4 are stepped independently. */
static const char *choose(struct task *task, uint64_t round, struct disturbance *how)
{
	static const int64_t ten_ms[2] = {0, 10000000};

	*how = (struct disturbance){
		.number = __NR_sched_yield, .touch = fresh_page(task), .spin = SHORT_SPIN, .kind = round % KIND_COUNT};
	switch (round / KIND_COUNT % 6) {
	case 0:
		how->number = __NR_tgkill;
		how->a = (uint64_t)tiny_syscall(__NR_getpid, 0, 0, 0);
		how->b = (uint64_t)tiny_syscall(__NR_gettid, 0, 0, 0);
		how->c = SIGNAL_USR1;
		return "a signal handler or page fault";
	case 1:
		how->number = __NR_nanosleep;
		how->a = (uint64_t)ten_ms;
		return "a sleep or page fault";
	case 2:
		how->number = __NR_getppid;
		how->spin = LONG_SPIN;
		return "a page fault or preemption";
	default:
		return "sched_yield or page fault";
	}
}

static uint64_t now_seconds(void)
{
	int64_t time[2] = {0, 0};

	tiny_syscall(__NR_clock_gettime, 1, (long)time, 0);
	return (uint64_t)time[0];
}

static void run_task(struct task *task)
{
	uint64_t until = now_seconds() + SECONDS_MAX;

	for (uint64_t round = 0; round < task->rounds && !__atomic_load_n(&task->shared->failed, __ATOMIC_RELAXED);
	     round++) {
		struct disturbance how;
		const char *during = choose(task, round, &how), *what;
		unsigned int number;

		if (round >= ROUNDS_MIN && round % ROUNDS_MIN == 0 && now_seconds() >= until)
			break;
		fill(&task->want, round * TASKS + task->index, (enum kind)how.kind);
		(has_avx512 ? disturb_zmm : disturb_ymm)(&task->want, &task->got, &how);
		what = compare(&task->want, &task->got, &number);
		if (what) {
			__atomic_store_n(&task->shared->failed, 1, __ATOMIC_RELAXED);
			report(task, round, what, number, during);
		}
		task->shared->rounds[task->index] = round + 1;
	}
}

/* A process of two threads: its own one and one more. */
static void run_process(struct shared *shared, uint64_t rounds, unsigned int process)
{
	/* VM FS FILES SIGHAND THREAD SYSVSEM, CHILD_CLEARTID */
	const long flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000;
	static uint8_t stack[STACK_SIZE] __attribute__((aligned(64)));
	static struct task tasks[2];
	uint32_t running;

	for (unsigned int i = 0; i < 2; i++)
		tasks[i] = (struct task){.shared = shared, .rounds = rounds, .index = 2 * process + i, .running = 1};
	if (start_thread(flags, stack + sizeof(stack), &tasks[1].running, run_task, &tasks[1]) < 0) {
		tiny_print("avx-check: clone failed\n");
		__atomic_store_n(&shared->failed, 1, __ATOMIC_RELAXED);
		return;
	}
	run_task(&tasks[0]);
	while ((running = __atomic_load_n(&tasks[1].running, __ATOMIC_ACQUIRE)) != 0)
		tiny_syscall6(__NR_futex, (long)&tasks[1].running, 0, (long)running, 0, 0, 0);
}

static void install_handler(void)
{
	/* The kernel's struct sigaction: handler, flags (RESTORER), restorer, mask. */
	struct {
		void (*handler)(int);
		uint64_t flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = {on_signal, 0x04000000, return_from_signal, 0};

	tiny_syscall6(__NR_rt_sigaction, SIGNAL_USR1, (long)&action, 0, 8, 0, 0);
	fill(&poison, 0xee, KIND_FULL);
	/* A handler inherits neither: what it sets must not leak out. */
	poison.mxcsr = 0x1f80 | 3u << 13;
	poison.x87_control = 0x37f ^ 3u << 10;
}

static int finish(const struct shared *shared, int killed)
{
	struct tiny_line line = {.used = 0};
	uint64_t rounds = 0;

	for (unsigned int i = 0; i < TASKS; i++)
		rounds += shared->rounds[i];
	tiny_add(&line, "avx-check: ");
	tiny_add_number(&line, TASKS, 10);
	tiny_add(&line, " tasks, ");
	tiny_add_number(&line, rounds, 10);
	tiny_add(&line, has_avx512 ? " rounds with zmm: " : " rounds with ymm (AVX-512 is absent): ");
	if (shared->failed)
		tiny_add(&line, "registers were corrupted");
	else
		tiny_add(&line, killed ? "a process was killed" : "all registers intact");
	tiny_flush(&line);
	return shared->failed || killed;
}

int tiny_main(int argc, char **argv, char **envp)
{
	const long read_write = 3, shared_anonymous = 0x21;
	uint64_t rounds = tiny_parse(tiny_environment(envp, "VMM_ROUNDS="), DEFAULT_ROUNDS);
	struct shared *shared;
	int status = 0, killed = 0;

	(void)argc;
	(void)argv;
	if (!detect_avx()) {
		tiny_print("avx-check: skipped, no AVX here\n");
		return STATUS_SKIPPED;
	}
	shared = (struct shared *)tiny_syscall6(__NR_mmap, 0, PAGE, read_write, shared_anonymous, -1, 0);
	if ((long)shared < 0) {
		tiny_print("avx-check: mmap failed\n");
		return 1;
	}
	install_handler();
	for (unsigned int i = 0; i < PROCESSES; i++) {
		if (tiny_syscall(__NR_fork, 0, 0, 0) == 0) {
			run_process(shared, rounds, i);
			tiny_syscall(__NR_exit_group, (long)shared->failed, 0, 0);
		}
	}
	/* A child that a corrupted pointer kills is a failure as well. */
	for (unsigned int i = 0; i < PROCESSES; i++) {
		if (tiny_syscall6(__NR_wait4, -1, (long)&status, 0, 0, 0, 0) < 0 || status != 0)
			killed = 1;
	}
	return finish(shared, killed);
}
