/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt controllers: local APIC (Intel SDM vol. 3, chapter 11), IOAPIC (82093AA), the pair of 8259s. */
#include "kit.h"

#define LAPIC		   0xfee00000u
#define LAPIC_ID	   0x20
#define LAPIC_EOI	   0xb0
#define LAPIC_SPURIOUS	   0xf0
#define LAPIC_ICR	   0x300
#define LAPIC_LVT_TIMER	   0x320
#define LAPIC_TIMER_COUNT  0x380
#define LAPIC_TIMER_DIVIDE 0x3e0

#define SPURIOUS_ENABLE 0x100u
#define SPURIOUS_VECTOR 63u
#define DIVIDE_BY_1	0xbu
#define ICR_INIT	0x500u
#define ICR_STARTUP	0x600u
#define ICR_ASSERT	0x4000u
#define ICR_OTHERS	0xc0000u

#define IOAPIC		   0xfec00000u
#define IOAPIC_SELECT	   0x00
#define IOAPIC_WINDOW	   0x10
#define IOAPIC_REDIRECTION 0x10

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xa0

extern const uint8_t ap_page[], ap_page_end[];
void ap_start(uint32_t number);

static volatile uint32_t *lapic(unsigned reg)
{
	return (volatile uint32_t *)(uintptr_t)(LAPIC + reg);
}

void apic_enable(void)
{
	*lapic(LAPIC_SPURIOUS) = SPURIOUS_ENABLE | SPURIOUS_VECTOR;
}

uint32_t apic_id(void)
{
	return *lapic(LAPIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
	*lapic(LAPIC_EOI) = 0;
}

void apic_start_timer(unsigned vector, uint32_t count)
{
	*lapic(LAPIC_TIMER_DIVIDE) = DIVIDE_BY_1;
	*lapic(LAPIC_LVT_TIMER) = vector;
	*lapic(LAPIC_TIMER_COUNT) = count;
}

void apic_start_others(void)
{
	memcpy((void *)AP_PAGE, ap_page, (size_t)(ap_page_end - ap_page));
	apic_enable();
	*lapic(LAPIC_ICR) = ICR_OTHERS | ICR_ASSERT | ICR_INIT;
	*lapic(LAPIC_ICR) = ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | AP_PAGE >> 12;
}

void ap_start(uint32_t number)
{
	traps_load();
	ap_main(number);
}

static void write_ioapic(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)(IOAPIC + IOAPIC_SELECT) = reg;
	*(volatile uint32_t *)(uintptr_t)(IOAPIC + IOAPIC_WINDOW) = value;
}

void ioapic_route(unsigned pin, unsigned vector)
{
	write_ioapic(IOAPIC_REDIRECTION + 2 * pin + 1, apic_id() << 24);
	write_ioapic(IOAPIC_REDIRECTION + 2 * pin, vector);
}

/* ICW1: edge, cascade, ICW4 follows; ICW2: vectors; ICW3: the slave is at line 2; ICW4: 8086 mode. */
void pic_init(unsigned vector, uint16_t unmasked)
{
	outb(PIC_MASTER, 0x11);
	outb(PIC_SLAVE, 0x11);
	outb(PIC_MASTER + 1, (uint8_t)vector);
	outb(PIC_SLAVE + 1, (uint8_t)(vector + 8));
	outb(PIC_MASTER + 1, 1u << 2);
	outb(PIC_SLAVE + 1, 2);
	outb(PIC_MASTER + 1, 1);
	outb(PIC_SLAVE + 1, 1);
	outb(PIC_MASTER + 1, (uint8_t)~unmasked);
	outb(PIC_SLAVE + 1, (uint8_t)(~unmasked >> 8));
}
