/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an instruction, over any registers, control bits and page-table entries. Input: control bytes, PTEs, 16
 * registers, then the code; what is missing is zero. A completed instruction moves RIP on by 1 to 15 bytes, a fault
 * not.
 */
#include <stdlib.h>

#include "unit/x86/assist_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static uint64_t take(struct input *in, size_t len)
{
	uint64_t value = 0;

	if (len > in->size)
		len = in->size;
	memcpy(&value, in->data, len);
	in->data += len;
	in->size -= len;
	return value;
}

#define MODE_32BIT   (1u << 0)
#define MODE_USER    (1u << 1)
#define MODE_PAGED   (1u << 2) /* PTEs from the input */
#define MODE_REGS    (1u << 3) /* registers as they are, not near the data window */
#define MODE_CROSS   (1u << 4) /* the code lies across a page border */
#define MODE_CONTROL (1u << 5) /* control registers from the input */

static void set_mode(struct fixture *f, struct input *in, unsigned mode)
{
	if (mode & MODE_32BIT)
		fixture_set_32bit(f);
	if (mode & MODE_USER) {
		fixture_set_user(f);
		for (unsigned i = 0; i < 8; i++)
			fixture_map(f, (i & 1 ? DATA_PAGE : CODE_PAGE) + i / 2, PTE_P | PTE_W | PTE_U);
	}
	if (mode & MODE_CONTROL) {
		f->cpu.sregs.cr0 ^= take(in, 4);
		f->cpu.sregs.cr4 ^= take(in, 4);
		f->cpu.sregs.efer ^= take(in, 2);
		f->cpu.sregs.gdt.base = DATA_GVA + take(in, 1);
		f->cpu.sregs.gdt.limit = (uint16_t)take(in, 2);
	}
	if (mode & MODE_PAGED) {
		for (unsigned i = 0; i < 4; i++)
			*fixture_entry(f, 1, (i & 1 ? DATA_PAGE : CODE_PAGE) + i / 2) = take(in, 8);
		*fixture_entry(f, 2, WINDOW_GVA >> 21) ^= take(in, 1);
	}
	f->cpu.regs.rip = mode & MODE_CROSS ? CODE_GVA + 4096 - take(in, 1) % 16 : CODE_GVA;
}

static void set_registers(struct fixture *f, struct input *in, unsigned mode)
{
	__u64 *const gprs[] = {&f->cpu.regs.rax, &f->cpu.regs.rbx, &f->cpu.regs.rcx, &f->cpu.regs.rdx, &f->cpu.regs.rsi,
			       &f->cpu.regs.rdi, &f->cpu.regs.rsp, &f->cpu.regs.rbp, &f->cpu.regs.r8,  &f->cpu.regs.r9};

	for (size_t i = 0; i < ARRAY_SIZE(gprs); i++)
		*gprs[i] = mode & MODE_REGS ? take(in, 8) : DATA_GVA + take(in, 2);
	f->cpu.regs.rflags = take(in, 4);
	f->xcr0 = take(in, 3);
	/* The area at the data window, so that headers come from the input as well. */
	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t word = take(in, 8);

		fixture_put(f, DATA_GVA + 512 + i, &word, 8);
	}
}

static void check_result(const struct fixture *f, uint64_t rip)
{
	uint64_t moved = f->cpu.regs.rip - rip;

	if (f->result.kind > ASSIST_OTHER || f->result.insn_len > ASSIST_MAX_INSN)
		abort();
	switch (f->result.outcome) {
	case ASSIST_COMPLETED:
		if (moved < 1 || moved > ASSIST_MAX_INSN)
			abort();
		break;
	case ASSIST_EXCEPTION:
		if (moved && (f->result.vector != VECTOR_BP || moved > ASSIST_MAX_INSN))
			abort();
		break;
	default:
		if (moved)
			abort();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	struct input in = {.data = data, .size = size};
	uint8_t code[ASSIST_MAX_INSN] = {0};
	unsigned mode;
	uint64_t rip;

	if (!f.mem.nr_regions && fixture_init(&f))
		abort();
	mode = (unsigned)take(&in, 1);
	fixture_reset_cpu(&f);
	memset(f.xsave, 0, sizeof(f.xsave));
	*fixture_entry(&f, 2, WINDOW_GVA >> 21) = (TABLE_GPA + 0x3000) | PTE_P | PTE_W | PTE_U;
	for (unsigned i = 0; i < DATA_PAGE + DATA_PAGES; i++)
		fixture_map(&f, i, i < 2 || i >= DATA_PAGE ? PTE_P | PTE_W : 0);
	set_mode(&f, &in, mode);
	set_registers(&f, &in, mode);
	rip = f.cpu.regs.rip;
	memcpy(code, in.data, in.size < sizeof(code) ? in.size : sizeof(code));
	fixture_put(&f, f.cpu.regs.rip, code, sizeof(code));
	assist_insn_complete(&f.cpu, &f.result);
	check_result(&f, rip);
	return 0;
}
