/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kit for freestanding guests: what the boot protocol handed over, ports, serial line, traps, local APIC, the way
 * to CPL 3 and the end by the exit port. A guest defines kit_main(). Interrupts are off unless the guest turns them on.
 */
#ifndef VMM_GUEST_BARE_KIT_H
#define VMM_GUEST_BARE_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bare_asm.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* --- what the VMM handed over; boot_info.c reads all three protocols */
struct boot_range {
	uint64_t start;
	uint64_t size;
	uint32_t type; /* 1: RAM */
};

struct boot_module {
	uint64_t start;
	uint64_t size;
	const char *name; /* NULL or empty: none */
};

#define BOOT_MAX_RANGES	 32
#define BOOT_MAX_MODULES 20

struct boot_info {
	unsigned protocol; /* BOOT_BY_... */
	const char *cmdline;
	struct boot_range ranges[BOOT_MAX_RANGES];
	unsigned nr_ranges;
	struct boot_module modules[BOOT_MAX_MODULES]; /* initrds; Linux hands over one */
	unsigned nr_modules;
	uint64_t fdt; /* 0: none */
	uint64_t rsdp;
};

void boot_info_read(struct boot_info *info, unsigned protocol, uint64_t handed_over);

/* The end of the RAM range that holds the kit. */
uint64_t boot_ram_end(const struct boot_info *info);

/* The value of "key=value" on the command line into @buf; NULL when it is not there. */
const char *boot_option(const struct boot_info *info, const char *key, char *buf, size_t size);
/* As a decimal number; @otherwise when it is not there. */
uint64_t boot_option_number(const struct boot_info *info, const char *key, uint64_t otherwise);

/* The guest: its result is the status it exits with. */
int kit_main(const struct boot_info *info);

/* --- the end */
_Noreturn void kit_exit(uint32_t status);
/* Prints "FAIL file:line: text" and exits with status 1. */
_Noreturn void kit_fail(const char *file, int line, const char *text);
#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			kit_fail(__FILE__, __LINE__, #condition);                                                      \
	} while (0)

/* --- libc's few that the compiler may call */
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
bool text_equal(const char *a, const char *b);

/* --- ports */
static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outsb(uint16_t port, const void *from, size_t count)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

/* --- the processor */
static inline void halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Waits for one interrupt; sti holds it off until hlt has begun. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t index)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(leaf), "2"(index));
	return r;
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* --- COM1 */
#define COM1	 0x3f8
#define UART_IER 1
#define UART_IIR 2
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define LSR_DR	 0x01
#define LSR_THRE 0x20

void print_char(char c);
void print(const char *text);
void print_hex(uint64_t value);
void print_number(uint64_t value);

/* --- traps (interrupts.c). Layout as stubs.S pushes it. */
struct trap_frame {
	uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_GP 13

void traps_init(void);
void traps_load(void); /* on another processor */
/* Handler of an interrupt vector, 32 and up. */
void trap_handle(unsigned vector, void (*handler)(void));

/*
 * An instruction that may fault: TRAP_TRY("rdmsr", outputs : inputs) runs it; a fault resumes behind it. Then
 * trap_taken() tells the vector, or -1.
 */
struct trap_record {
	uint64_t resume; /* 0: an exception ends the guest */
	int64_t vector;
	uint64_t error_code, rip, cs;
};
extern struct trap_record trap_record;

#define TRAP_TRY(instruction, ...)                                                                                     \
	do {                                                                                                           \
		trap_record.vector = -1;                                                                               \
		__asm__ volatile("movq $1f, trap_record(%%rip)\n\t" instruction "\n1:"                                 \
				 : __VA_ARGS__                                                                         \
				 : "memory", "cc");                                                                    \
		trap_record.resume = 0;                                                                                \
	} while (0)

static inline int64_t trap_taken(void)
{
	return trap_record.vector;
}

/* --- local APIC and IOAPIC (apic.c) */
void apic_enable(void);
uint32_t apic_id(void);
void apic_end_of_interrupt(void);
void apic_start_timer(unsigned vector, uint32_t count);
/* Starts all other processors; each runs ap_main(number) with numbers from 0, on its own stack. */
void apic_start_others(void);
void ap_main(uint32_t number);
/* An IOAPIC pin to this processor, edge-triggered. */
void ioapic_route(unsigned pin, unsigned vector);
/* The two 8259s: all lines masked but @unmasked (bit mask), vectors from @vector. */
void pic_init(unsigned vector, uint16_t unmasked);

/* --- CPL 3 (user.c): runs @entry there with IOPL 3, for good; it ends by kit_exit(). */
_Noreturn void user_enter(void (*entry)(void));

#endif
