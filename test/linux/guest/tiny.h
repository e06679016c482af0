/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest programs use instead of libc: raw system calls, a little output, the entry point. Every page of a
 * program costs a page fault and a copy in the guest, which is slow where KVM emulates the kernel, so they stay at a
 * few KiB each.
 */
#ifndef VMM_TEST_GUEST_TINY_H
#define VMM_TEST_GUEST_TINY_H

#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#define TINY_EXIT_PORT 0xf4

int tiny_main(int argc, char **argv, char **envp);

/* The stack holds argc, argv, NULL, envp, NULL. */
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov (%rsp), %edi\n"
	"	lea 8(%rsp), %rsi\n"
	"	lea 16(%rsp,%rdi,8), %rdx\n"
	"	and $-16, %rsp\n"
	"	call tiny_main\n"
	"	mov %eax, %edi\n"
	"	mov $231, %eax\n" /* exit_group */
	"	syscall\n");

/* Compilers emit calls of these two also in freestanding code. */
void *memset(void *to, int value, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);

void *memset(void *to, int value, size_t size)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

static inline long tiny_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long tiny_syscall(long nr, long a, long b, long c)
{
	return tiny_syscall6(nr, a, b, c, 0, 0, 0);
}

static inline size_t tiny_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static inline int tiny_is_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static inline void tiny_print(const char *text)
{
	tiny_syscall(__NR_write, 1, (long)text, (long)tiny_length(text));
}

/* One write per line: a system call is expensive in the guest. */
struct tiny_line {
	char text[512];
	size_t used;
};

static inline void tiny_add(struct tiny_line *line, const char *text)
{
	while (*text && line->used < sizeof(line->text) - 1)
		line->text[line->used++] = *text++;
	line->text[line->used] = '\0';
}

static inline void tiny_add_number(struct tiny_line *line, uint64_t value, unsigned int base)
{
	char digits[65];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	tiny_add(line, &digits[at]);
}

static inline void tiny_flush(struct tiny_line *line)
{
	tiny_add(line, "\n");
	tiny_syscall(__NR_write, 1, (long)line->text, (long)line->used);
	line->used = 0;
}

static inline uint64_t tiny_parse(const char *text, uint64_t otherwise)
{
	uint64_t value = 0;

	if (!text || !*text)
		return otherwise;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

/* The value of environment variable @name ("NAME="), or NULL. */
static inline const char *tiny_environment(char **envp, const char *name)
{
	size_t length = tiny_length(name);

	for (; *envp; envp++) {
		size_t i = 0;

		while (i < length && (*envp)[i] == name[i])
			i++;
		if (i == length)
			return *envp + length;
	}
	return NULL;
}

/*
 * Ends the machine with @status through the exit port, once the console has drained: what still sits in the UART driver
 * would be lost. Returns only when that is impossible. ioperm, not iopl, and never an MMIO write: it works at CPL 3 on
 * any host.
 */
static inline void tiny_exit_machine(uint32_t status)
{
	tiny_syscall(__NR_ioctl, 1, TCSBRK, 1);
	if (tiny_syscall(__NR_ioperm, TINY_EXIT_PORT, 4, 1) != 0) {
		tiny_print("vmm-exit: no access to port 0xf4 (not root, or a kernel without CONFIG_X86_IOPL_IOPERM)\n");
		return;
	}
	__asm__ volatile("outl %0, %1" : : "a"(status), "Nd"((uint16_t)TINY_EXIT_PORT));
}

#endif
