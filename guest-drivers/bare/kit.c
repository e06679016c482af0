/* SPDX-License-Identifier: Apache-2.0 */
/* Start, end, the serial line, and what the compiler wants of libc. */
#include "kit.h"

/* Called by enter_kit. */
_Noreturn void kit_start(unsigned protocol, uint64_t handed_over);

_Noreturn void kit_exit(uint32_t status)
{
	outl(EXIT_PORT, status);
	/* The machine ends soon. Not hlt: CPL 3 may not. */
	for (;;)
		pause();
}

_Noreturn void kit_fail(const char *file, int line, const char *text)
{
	print("FAIL ");
	print(file);
	print_char(':');
	print_number((uint64_t)line);
	print(": ");
	print(text);
	print("\n");
	kit_exit(1);
}

_Noreturn void kit_start(unsigned protocol, uint64_t handed_over)
{
	static struct boot_info info;

	traps_init();
	boot_info_read(&info, protocol, handed_over);
	kit_exit((uint32_t)kit_main(&info));
}

void *memcpy(void *to, const void *from, size_t len)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
	return start;
}

void *memset(void *to, int value, size_t len)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(value) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

void print_char(char c)
{
	while (!(inb(COM1 + UART_LSR) & LSR_THRE))
		pause();
	outb(COM1, (uint8_t)c);
}

void print(const char *text)
{
	while (*text)
		print_char(*text++);
}

void print_hex(uint64_t value)
{
	int shift = 60;

	while (shift > 0 && !(value >> shift))
		shift -= 4;
	print("0x");
	for (; shift >= 0; shift -= 4)
		print_char("0123456789abcdef"[(value >> shift) & 15]);
}

void print_number(uint64_t value)
{
	char digits[21];
	unsigned at = sizeof(digits) - 1;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	print(digits + at);
}
