/* SPDX-License-Identifier: Apache-2.0 */
/* Supervisor instructions that KVM's emulator lacks; on every other host they simply work. */
#include "guest.h"

#define CR4_OSXSAVE (1u << 18)
#define CR4_SMAP    (1u << 21)
#define RFLAGS_AC   (1u << 18)
#define RFLAGS_ZF   (1u << 6)

static uint64_t flags(void)
{
	uint64_t value;

	__asm__ volatile("pushfq; pop %0" : "=r"(value));
	return value;
}

static void test_popcnt(void)
{
	static const uint64_t value = 0xf0f0f0f0f0f0f0f1;
	uint64_t result, f;
	uint32_t half;

	__asm__ volatile("popcnt %2, %0; pushfq; pop %1" : "=r"(result), "=r"(f) : "m"(value) : "cc");
	CHECK(result == 33 && !(f & RFLAGS_ZF));
	__asm__ volatile("popcnt %k2, %k0; pushfq; pop %1" : "=r"(half), "=r"(f) : "r"(0) : "cc");
	CHECK(half == 0 && f & RFLAGS_ZF);
}

static void test_clac_stac(void)
{
	if (!(cpuid(7, 0).ebx & 1u << 20))
		return;
	__asm__ volatile("stac" : : : "cc");
	CHECK(flags() & RFLAGS_AC);
	__asm__ volatile("clac" : : : "cc");
	CHECK(!(flags() & RFLAGS_AC));
}

static void test_fwait(void)
{
	__asm__ volatile("fninit; fwait");
}

static void test_int3(void)
{
	TRAP_TRY("int3", :);
	CHECK(trap_taken() == VECTOR_BP);
	CHECK(*(const uint8_t *)(uintptr_t)(trap_record.rip - 1) == 0xcc);
}

/* Runs also where CPUID hides it: the instruction itself cannot be hidden. */
static void test_cmpxchg16b(void)
{
	static uint64_t cell[2] __attribute__((aligned(16))) = {1, 2};
	uint64_t low = 1, high = 2;
	bool swapped;

	__asm__ volatile("lock cmpxchg16b %1; setz %0"
			 : "=q"(swapped), "+m"(cell), "+a"(low), "+d"(high)
			 : "b"(3ULL), "c"(4ULL)
			 : "cc");
	CHECK(swapped && cell[0] == 3 && cell[1] == 4);
	__asm__ volatile("lock cmpxchg16b %1; setz %0"
			 : "=q"(swapped), "+m"(cell), "+a"(low), "+d"(high)
			 : "b"(5ULL), "c"(6ULL)
			 : "cc");
	CHECK(!swapped && low == 3 && high == 4 && cell[0] == 3);
	TRAP_TRY("lock cmpxchg16b %0", "+m"(*(uint64_t *)(void *)((uint8_t *)cell + 8)), "+a"(low), "+d"(high)
		 : "b"(0ULL), "c"(0ULL));
	CHECK(trap_taken() == VECTOR_GP);
}

#define XSAVE_SIZE   4096
#define XMM0_OFFSET  160
#define STATE_OFFSET 512
#define STATE_X87    1u
#define STATE_SSE    2u

static uint8_t area[XSAVE_SIZE] __attribute__((aligned(64)));
static uint8_t pattern[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, got[16];

static void load_xmm0(const uint8_t *from)
{
	__asm__ volatile("movups (%0), %%xmm0" : : "r"(from) : "memory");
}

static void store_xmm0(uint8_t *to)
{
	__asm__ volatile("movups %%xmm0, (%0)" : : "r"(to) : "memory");
}

static void test_xsave(void)
{
	uint64_t *xstate_bv = (uint64_t *)(void *)(area + STATE_OFFSET);

	if (!(cpuid(1, 0).ecx & 1u << 26))
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" : : "a"(STATE_X87 | STATE_SSE), "d"(0), "c"(0));
	load_xmm0(pattern);
	__asm__ volatile("xsave64 %0" : "+m"(area) : "a"(~0u), "d"(~0u));
	CHECK(*xstate_bv & STATE_SSE && !(*xstate_bv & ~(uint64_t)(STATE_X87 | STATE_SSE)));
	CHECK(memcmp(area + XMM0_OFFSET, pattern, sizeof(pattern)) == 0);
	memset(area + XMM0_OFFSET, 0x77, 16);
	__asm__ volatile("xrstor64 %0" : : "m"(area), "a"(STATE_X87), "d"(0));
	store_xmm0(got);
	CHECK(memcmp(got, pattern, sizeof(got)) == 0);
	__asm__ volatile("xrstor64 %0" : : "m"(area), "a"(STATE_SSE), "d"(0));
	store_xmm0(got);
	CHECK(got[0] == 0x77 && got[15] == 0x77);
	/* A component whose XSTATE_BV bit is clear gets its initial value. */
	*xstate_bv = 0;
	__asm__ volatile("xrstor64 %0" : : "m"(area), "a"(STATE_SSE), "d"(0));
	store_xmm0(got);
	CHECK(got[0] == 0 && got[15] == 0);
}

/* XRSTOR of a header with reserved bits set is #GP. */
static void test_xrstor_fault(void)
{
	if (!(cpuid(1, 0).ecx & 1u << 26))
		return;
	memset(area, 0, sizeof(area));
	area[STATE_OFFSET + 7] = 0x80;
	TRAP_TRY("xrstor64 %0", : "m"(area), "a"(STATE_SSE), "d"(0));
	CHECK(trap_taken() == VECTOR_GP);
}

static int assist(const struct boot_info *info)
{
	static void (*const tests[])(void) = {test_popcnt,     test_clac_stac, test_fwait,	 test_int3,
					      test_cmpxchg16b, test_xsave,     test_xrstor_fault};

	(void)info;
	for (unsigned i = 0; i < ARRAY_SIZE(tests); i++)
		tests[i]();
	print("all completed\n");
	return 0;
}

/* SSE2 arithmetic in the supervisor: every processor has it, KVM's emulator does not. */
static int stuck(const struct boot_info *info)
{
	(void)info;
	__asm__ volatile(".globl stuck_here\nstuck_here: paddd %xmm1, %xmm0");
	return 44;
}

const struct guest_test guest_assist_tests[] = {{"assist", assist}, {"stuck", stuck}, {0}};
