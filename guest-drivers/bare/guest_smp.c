/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up of the other processors by INIT and start-up IPIs. */
#include "guest.h"

static volatile uint32_t running;
static volatile uint8_t seen_apic_ids[256];
static volatile bool release;
static volatile uint32_t counter;

static volatile bool chatter;

#define ADDITIONS 100

void ap_main(uint32_t number)
{
	uint32_t id = cpuid(1, 0).ebx >> 24;

	(void)number;
	while (chatter)
		outsb(COM1, "chatter\n", 8);
	if (id == apic_id())
		__atomic_fetch_add(&seen_apic_ids[id], 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
	while (!release)
		pause();
	for (unsigned i = 0; i < ADDITIONS; i++)
		__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
}

static int start_all(const struct boot_info *info)
{
	uint32_t others = (uint32_t)boot_option_number(info, "cpus", 1) - 1;

	apic_start_others();
	while (running < others)
		pause();
	CHECK(running == others);
	for (uint32_t id = 0; id <= others; id++)
		CHECK(seen_apic_ids[id] == (id == apic_id() ? 0 : 1));
	release = true;
	while (running > 0)
		pause();
	CHECK(counter == others * ADDITIONS);
	print("all processors ran\n");
	return 0;
}

/* The others never stop printing; this processor ends the machine under them. */
static int end_amid_chatter(const struct boot_info *info)
{
	(void)info;
	chatter = true;
	apic_start_others();
	for (unsigned i = 0; i < 5000; i++)
		(void)inb(0x80);
	return 6;
}

const struct guest_test guest_smp_tests[] = {{"smp", start_all}, {"chatter", end_amid_chatter}, {0}};
