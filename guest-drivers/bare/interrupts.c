/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt descriptor table and who answers. One processor takes exceptions at a time. */
#include "kit.h"

#define GATE_INTERRUPT 0x8eu
#define GATE_USER      0x60u
#define STUB_SIZE      16

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint8_t trap_stubs[];
void trap_dispatch(struct trap_frame *frame);

struct trap_record trap_record;
static struct gate idt[NR_VECTORS];
static void (*handlers[NR_VECTORS])(void);

static _Noreturn void die(const struct trap_frame *frame)
{
	print("unexpected exception ");
	print_number(frame->vector);
	print(" code ");
	print_hex(frame->error_code);
	print(" at ");
	print_hex(frame->rip);
	print(" cs ");
	print_hex(frame->cs);
	print(" flags ");
	print_hex(frame->rflags);
	print("\n");
	kit_exit(99);
}

void trap_dispatch(struct trap_frame *frame)
{
	if (frame->vector >= 32) {
		if (!handlers[frame->vector])
			die(frame);
		handlers[frame->vector]();
		return;
	}
	trap_record.vector = (int64_t)frame->vector;
	trap_record.error_code = frame->error_code;
	trap_record.rip = frame->rip;
	trap_record.cs = frame->cs;
	if (!trap_record.resume)
		die(frame);
	frame->rip = trap_record.resume;
}

void trap_handle(unsigned vector, void (*handler)(void))
{
	handlers[vector] = handler;
}

void traps_load(void)
{
	const struct table_pointer pointer = {.limit = sizeof(idt) - 1, .base = (uint64_t)(uintptr_t)idt};

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void traps_init(void)
{
	for (unsigned v = 0; v < NR_VECTORS; v++) {
		uint64_t stub = (uint64_t)(uintptr_t)trap_stubs + v * STUB_SIZE;

		idt[v] = (struct gate){
			.offset_low = (uint16_t)stub,
			.offset_mid = (uint16_t)(stub >> 16),
			.selector = SELECTOR_CODE64,
			.type = (uint8_t)(GATE_INTERRUPT | (v == VECTOR_BP ? GATE_USER : 0)),
		};
	}
	traps_load();
}
