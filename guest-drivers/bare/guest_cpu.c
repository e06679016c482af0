/* SPDX-License-Identifier: Apache-2.0 */
/* What one processor shows and does: MSRs, CPUID, interrupts, CPL 3. */
#include "guest.h"

#define TIMER_VECTOR 0x30
#define PIC_VECTOR   0x20

static bool read_msr(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0;

	TRAP_TRY("rdmsr", "+a"(low), "+d"(high) : "c"(msr));
	*value = (uint64_t)high << 32 | low;
	return trap_taken() < 0;
}

static bool write_msr(uint32_t msr, uint64_t value)
{
	TRAP_TRY("wrmsr", : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
	return trap_taken() < 0;
}

static int unknown_msr(const struct boot_info *info)
{
	static const uint32_t unknown[] = {0xc0011029, 0xdeadbeef};
	uint64_t value;

	(void)info;
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		if (!read_msr(unknown[i], &value))
			CHECK(trap_taken() == VECTOR_GP && trap_record.error_code == 0);
		else
			CHECK(unknown[i] != 0xdeadbeef); /* 0xc0011029 exists in newer KVMs */
		if (!write_msr(unknown[i], 0))
			CHECK(trap_taken() == VECTOR_GP && trap_record.error_code == 0);
		else
			CHECK(unknown[i] != 0xdeadbeef);
	}
	CHECK(read_msr(0xc0000080, &value) && value & 1u << 10); /* EFER.LMA */
	return 0;
}

/* The system-call MSRs read back as written, whoever keeps them. */
static int syscall_msrs(const struct boot_info *info)
{
	static const uint64_t values[] = {0x0023001000000000, 0xffffffff81000000, 0xffffffff81000100, 0x47700};

	(void)info;
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t value;

		CHECK(write_msr(0xc0000081 + i, values[i]));
		CHECK(read_msr(0xc0000081 + i, &value) && value == values[i]);
	}
	return 0;
}

static int cpuid_shows_topology(const struct boot_info *info)
{
	uint32_t cpus = (uint32_t)boot_option_number(info, "cpus", 1);
	struct cpuid leaf1 = cpuid(1, 0), kvm = cpuid(0x40000000, 0);

	CHECK(leaf1.ecx & 1u << 31); /* hypervisor */
	CHECK(leaf1.ebx >> 24 == apic_id());
	CHECK(cpus == 1 || leaf1.edx & 1u << 28); /* some KVMs show HTT of the host for one processor too */
	CHECK((leaf1.ebx >> 16 & 0xff) >= cpus);
	CHECK(kvm.ebx == 0x4b4d564b && kvm.ecx == 0x564b4d56 && kvm.edx == 0x4d); /* "KVMKVMKVM" */
	CHECK(kvm.eax >= 0x40000001);
	if (cpuid(0, 0).eax >= 0xb) {
		struct cpuid threads = cpuid(0xb, 0), cores = cpuid(0xb, 1);

		CHECK(threads.edx == apic_id() && cores.edx == apic_id());
		CHECK((threads.ecx >> 8 & 0xff) == 1 && threads.ebx == 1 && threads.eax == 0);
		CHECK((cores.ecx >> 8 & 0xff) == 2 && cores.ebx == cpus && 1u << cores.eax >= cpus);
		CHECK((cpuid(0xb, 2).ecx >> 8 & 0xff) == 0);
	}
	return 0;
}

static volatile unsigned interrupts;

static void on_timer(void)
{
	interrupts++;
	apic_end_of_interrupt();
}

static int lapic_timer(const struct boot_info *info)
{
	(void)info;
	trap_handle(TIMER_VECTOR, on_timer);
	apic_enable();
	for (unsigned i = 1; i <= 3; i++) {
		apic_start_timer(TIMER_VECTOR, 100000);
		while (interrupts < i)
			wait_for_interrupt();
	}
	CHECK(interrupts == 3);
	return 0;
}

static void on_pit(void)
{
	interrupts++;
	outb(0x20, 0x20); /* end of interrupt */
}

/* Through the 8259s and LINT0, as before any kernel has set up the APICs. */
static int pit(const struct boot_info *info)
{
	(void)info;
	trap_handle(PIC_VECTOR, on_pit);
	pic_init(PIC_VECTOR, 1u << 0);
	outb(0x43, 0x34); /* channel 0, low and high byte, mode 2 */
	outb(0x40, 0x9c); /* 11932 ticks: 10 ms */
	outb(0x40, 0x2e);
	while (interrupts < 3)
		wait_for_interrupt();
	return 0;
}

static void in_user_mode(void)
{
	uint64_t rounds = 100000000;
	uint16_t cs;

	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	CHECK((cs & 3) == 3);
	for (unsigned i = 0; i < 1000; i++)
		outb(0x80, (uint8_t)i);
	CHECK(inl(0x1000) == 0xffffffff);
	CHECK(*(volatile uint32_t *)(uintptr_t)0xd0010000u == 0xffffffff);
	*(volatile uint32_t *)(uintptr_t)0xd0010004u = 1;
	/* A minute's work for an emulator: this code must run on the processor itself. */
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
	print("hello from CPL 3\n");
	kit_exit(33);
}

static int user_mode(const struct boot_info *info)
{
	(void)info;
	user_enter(in_user_mode);
}

static _Noreturn void hang_in_user_mode(void)
{
	print("hanging\n");
	for (;;)
		__asm__ volatile("");
}

static int user_hang(const struct boot_info *info)
{
	(void)info;
	user_enter(hang_in_user_mode);
}

const struct guest_test guest_cpu_tests[] = {
	{"msr-unknown", unknown_msr},
	{"msr-syscall", syscall_msrs},
	{"cpuid", cpuid_shows_topology},
	{"lapic-timer", lapic_timer},
	{"pit", pit},
	{"user", user_mode},
	{"user-hang", user_hang},
	{0},
};
