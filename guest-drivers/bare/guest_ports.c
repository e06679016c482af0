/* SPDX-License-Identifier: Apache-2.0 */
/* Port accesses of every width, at every legacy device and where none is. */
#include "guest.h"

#define NO_DEVICE 0x1000

/* The legacy ports of a PC that this machine has, KVM's own included. */
static const uint16_t legacy_ports[] = {
	0x20,  0x21,  0x40,  0x41,  0x42,  0x43,  0x60,	 0x61,	0x64,  0x70,  0x71,  0x80,  0x92,  0xa0,
	0xa1,  0xf4,  0xf5,  0xf7,  0x2f8, 0x2f9, 0x2fa, 0x2fb, 0x2fc, 0x2fd, 0x2fe, 0x2ff, 0x3f8, 0x3f9,
	0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x4d0, 0x4d1, 0x505, 0x600, 0x601, 0x602, 0xcf8, 0xcf9,
};

/* Writing 0 to these, as a byte or as the low byte of a wider access, ends the guest. */
static bool ends_the_guest(uint16_t port)
{
	return port >= EXIT_PORT - 3 && port <= EXIT_PORT;
}

static int legacy(const struct boot_info *info)
{
	(void)info;
	for (unsigned i = 0; i < ARRAY_SIZE(legacy_ports); i++) {
		uint16_t port = legacy_ports[i];

		(void)inb(port);
		(void)inw(port);
		(void)inl(port);
		if (ends_the_guest(port))
			continue;
		outb(port, 0);
		outw(port, 0);
		outl(port, 0);
	}
	outb(COM1 + UART_LCR, 3);
	print("still here\n");
	return 0;
}

static int unclaimed(const struct boot_info *info)
{
	(void)info;
	CHECK(inb(NO_DEVICE) == 0xff);
	CHECK(inw(NO_DEVICE) == 0xffff);
	CHECK(inl(NO_DEVICE) == 0xffffffff);
	CHECK(inl(NO_DEVICE + 1) == 0xffffffff);
	CHECK(inb(0xffff) == 0xff);
	outb(NO_DEVICE, 1);
	outw(NO_DEVICE, 1);
	outl(NO_DEVICE, 1);
	return 0;
}

/* Accesses that reach out of a device belong to nobody: above all, a PCI configuration address does not reset. */
static int straddling(const struct boot_info *info)
{
	(void)info;
	CHECK(inw(COM1 + 7) == 0xffff);
	CHECK(inl(COM1 + 5) == 0xffffffff);
	CHECK(inl(0x71) == 0xffffffff);
	outl(0xcf8, 0x80000600);
	outw(0xcf8, 0x0600);
	outl(0xcf9, 0x06060606);
	outl(EXIT_PORT - 3, 0x05050505);
	outl(0x4ff + 4, 0x01010101);
	CHECK(inb(0xf4) == 0xff);
	return 0;
}

/* A word at two registers of one UART is two bytes: scratch pads prove it. */
static int wide(const struct boot_info *info)
{
	(void)info;
	outw(0x2f8 + 6, 0x5a00);
	CHECK(inb(0x2f8 + 7) == 0x5a);
	CHECK(inw(0x2f8 + 6) >> 8 == 0x5a);
	CHECK(inl(0x2f8 + 4) >> 24 == 0x5a);
	outl(0x2f8 + 4, 0xa5000000);
	CHECK(inb(0x2f8 + 7) == 0xa5);
	return 0;
}

static bool is_filled(const uint8_t *bytes, size_t len, uint8_t with)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != with)
			return false;
	return true;
}

static void read_string(char width, void *to, size_t count)
{
	const uint16_t port = NO_DEVICE;

	switch (width) {
	case 1:
		__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
		break;
	case 2:
		__asm__ volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
		break;
	default:
		__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
		break;
	}
}

#define STRING_SIZE 6000 /* over a page border wherever it begins */

static int strings(const struct boot_info *info)
{
	static uint8_t bytes[STRING_SIZE + 2];
	static const char text[] = "written by one instruction\n";
	const uint8_t *from = bytes;
	size_t count = 300;

	(void)info;
	for (char width = 1; width <= 4; width = (char)(width * 2)) {
		memset(bytes, 0, sizeof(bytes));
		read_string(width, bytes + 1, STRING_SIZE / (size_t)width);
		CHECK(is_filled(bytes + 1, STRING_SIZE, 0xff));
		CHECK(bytes[0] == 0 && bytes[STRING_SIZE + 1] == 0);
	}
	__asm__ volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(NO_DEVICE) : "memory");
	CHECK(count == 0 && from == bytes + 1200);
	outsb(COM1, text, sizeof(text) - 1);
	return 0;
}

const struct guest_test guest_ports_tests[] = {
	{"ports-legacy", legacy}, {"ports-unclaimed", unclaimed}, {"ports-straddling", straddling},
	{"ports-wide", wide},	  {"ports-strings", strings},	  {0},
};
