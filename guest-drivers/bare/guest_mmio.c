/* SPDX-License-Identifier: Apache-2.0 */
/* Memory accesses where no memory is: every width, aligned and not, and across the end of RAM. */
#include "guest.h"

#define HOLE 0xd0010000u /* in the MMIO hole, behind the virtio slots in use */

/* One instruction each, whatever the compiler would make of it. */
static uint64_t load(uint64_t address, unsigned width)
{
	uint64_t value = 0;

	switch (width) {
	case 1:
		__asm__ volatile("movb (%1), %b0" : "+r"(value) : "r"(address) : "memory");
		break;
	case 2:
		__asm__ volatile("movw (%1), %w0" : "+r"(value) : "r"(address) : "memory");
		break;
	case 4:
		__asm__ volatile("movl (%1), %k0" : "+r"(value) : "r"(address) : "memory");
		break;
	default:
		__asm__ volatile("movq (%1), %0" : "+r"(value) : "r"(address) : "memory");
		break;
	}
	return value;
}

static void store(uint64_t address, unsigned width, uint64_t value)
{
	switch (width) {
	case 1:
		__asm__ volatile("movb %b1, (%0)" : : "r"(address), "r"(value) : "memory");
		break;
	case 2:
		__asm__ volatile("movw %w1, (%0)" : : "r"(address), "r"(value) : "memory");
		break;
	case 4:
		__asm__ volatile("movl %k1, (%0)" : : "r"(address), "r"(value) : "memory");
		break;
	default:
		__asm__ volatile("movq %1, (%0)" : : "r"(address), "r"(value) : "memory");
		break;
	}
}

static uint64_t ones(unsigned width)
{
	return width == 8 ? ~0ULL : (1ULL << 8 * width) - 1;
}

static int unclaimed(const struct boot_info *info)
{
	static const uint64_t addresses[] = {HOLE,	   HOLE + 1,	 HOLE + 3,     HOLE + 7,
					     HOLE + 0xffd, HOLE + 0xffe, HOLE + 0xfff, 0xfeffffffu};

	(void)info;
	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++)
		for (unsigned width = 1; width <= 8; width *= 2) {
			store(addresses[i], width, 0x1122334455667788);
			CHECK(load(addresses[i], width) == ones(width));
		}
	return 0;
}

/* The part of an access that lies in RAM is RAM, the rest is all ones. */
static int end_of_ram(const struct boot_info *info)
{
	const uint64_t end = boot_ram_end(info);

	for (unsigned width = 2; width <= 8; width *= 2) {
		store(end - 8, 8, 0);
		store(end - width / 2, width, 0x1111111111111111);
		CHECK(load(end - 8, 8) == (uint64_t)0x1111111111111111 << (64 - 4 * width));
		CHECK(load(end - width / 2, width) ==
		      (0x1111111111111111 & ones(width / 2)) + (ones(width / 2) << 4 * width));
	}
	CHECK(load(end, 8) == ~0ULL);
	return 0;
}

static int strings(const struct boot_info *info)
{
	static uint8_t bytes[256];
	void *to = bytes;
	const void *from = (const void *)(uintptr_t)HOLE;
	size_t count = sizeof(bytes);

	(void)info;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	CHECK(count == 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		CHECK(bytes[i] == 0xff);
	to = (void *)(uintptr_t)HOLE;
	count = sizeof(bytes) / 8;
	__asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0x0123456789abcdef) : "memory");
	CHECK(count == 0);
	to = (void *)(uintptr_t)HOLE;
	from = bytes;
	count = sizeof(bytes) / 4;
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	CHECK(count == 0);
	return 0;
}

/* Read-modify-write instructions reach a device as a read and a write. */
static int combined(const struct boot_info *info)
{
	uint64_t address = HOLE;
	uint32_t value = 1;

	(void)info;
	__asm__ volatile("addl $1, (%0)" : : "r"(address) : "memory", "cc");
	__asm__ volatile("xchgl %0, (%1)" : "+r"(value) : "r"(address) : "memory");
	CHECK(value == 0xffffffff);
	value = 1;
	__asm__ volatile("lock xaddl %0, (%1)" : "+r"(value) : "r"(address) : "memory", "cc");
	CHECK(value == 0xffffffff);
	return 0;
}

const struct guest_test guest_mmio_tests[] = {
	{"mmio-unclaimed", unclaimed},
	{"mmio-end-of-ram", end_of_ram},
	{"mmio-strings", strings},
	{"mmio-combined", combined},
	{0},
};
