/* SPDX-License-Identifier: Apache-2.0 */
/* verr, verw, lar, lsl: questions about a segment descriptor, answered in ZF (SDM vol. 2; vol. 3, 5.10). Linux runs
 * verw at each return to user mode on CPUs with MDS. */
#include "base/endian.h"
#include "x86/assist_internal.h"

#define DESCRIPTOR_CODE	       (1ULL << 43)
#define DESCRIPTOR_CONFORMING  (1ULL << 42) /* of a code segment */
#define DESCRIPTOR_READ_WRITE  (1ULL << 41) /* code: readable; data: writable */
#define DESCRIPTOR_NON_SYSTEM  (1ULL << 44)
#define DESCRIPTOR_GRANULARITY (1ULL << 55)

/* The descriptor, and in *found whether the selector names one. The read is the CPU's own, not the program's: without
 * user rights, and whatever SMAP says. */
static enum assist_outcome read_descriptor(struct assist_exec *x, uint16_t selector, uint64_t *descriptor, bool *found)
{
	const struct kvm_sregs *sregs = &x->cpu->sregs;
	bool local = selector & 4;
	uint64_t base = local ? sregs->ldt.base : sregs->gdt.base;
	uint32_t limit = local ? sregs->ldt.limit : sregs->gdt.limit;
	uint32_t offset = selector & 0xfff8u;
	struct paging_fault fault;
	uint8_t bytes[8];
	int err;

	*found = false;
	if (selector <= 3 || (local && (sregs->ldt.unusable || !sregs->ldt.present)) || offset + 7 > limit)
		return ASSIST_COMPLETED;
	err = paging_read(x->cpu->mem, sregs, x->cpu->regs.rflags | RFLAGS_AC, base + offset, PAGING_READ, bytes,
			  sizeof(bytes), &fault);
	if (err)
		return assist_raise_paging(x, err, &fault);
	*descriptor = load_le64(bytes);
	*found = true;
	return ASSIST_COMPLETED;
}

/* Privilege: a conforming code segment asks for none. */
static bool is_visible(const struct assist_exec *x, uint64_t descriptor, uint16_t selector)
{
	unsigned dpl = descriptor >> 45 & 3;
	uint64_t conforming = DESCRIPTOR_NON_SYSTEM | DESCRIPTOR_CODE | DESCRIPTOR_CONFORMING;

	if ((descriptor & conforming) == conforming)
		return true;
	return assist_cpl(x->cpu) <= dpl && (selector & 3u) <= dpl;
}

static bool can_read(uint64_t descriptor)
{
	return descriptor & DESCRIPTOR_NON_SYSTEM &&
	       (!(descriptor & DESCRIPTOR_CODE) || descriptor & DESCRIPTOR_READ_WRITE);
}

static bool can_write(uint64_t descriptor)
{
	return descriptor & DESCRIPTOR_NON_SYSTEM && !(descriptor & DESCRIPTOR_CODE) &&
	       descriptor & DESCRIPTOR_READ_WRITE;
}

/* System descriptors for which LSL (@gates false) or LAR answer: LDT and TSS, for LAR call and task gates as well. In
 * long mode the 16-bit and task kinds do not exist. */
static bool has_system_type(const struct assist_exec *x, unsigned type, bool gates)
{
	uint32_t types = 1u << 2 | 1u << 9 | 1u << 11 | (gates ? 1u << 12 : 0);

	if (!(x->cpu->sregs.efer & EFER_LMA))
		types |= 1u << 1 | 1u << 3 | (gates ? 1u << 4 | 1u << 5 : 0);
	return types >> type & 1;
}

static enum assist_outcome finish(struct assist_exec *x, bool answer)
{
	x->cpu->regs.rflags &= ~RFLAGS_ZF;
	if (answer)
		x->cpu->regs.rflags |= RFLAGS_ZF;
	return ASSIST_COMPLETED;
}

/* verr is /4, verw /5. */
enum assist_outcome assist_do_verify_segment(struct assist_exec *x)
{
	enum assist_outcome outcome;
	uint64_t selector, descriptor = 0;
	bool found, allowed;

	outcome = assist_rm_read(x, 2, &selector);
	if (outcome == ASSIST_COMPLETED)
		outcome = read_descriptor(x, (uint16_t)selector, &descriptor, &found);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	allowed = (x->insn.reg & 7) == 5 ? can_write(descriptor) : can_read(descriptor);
	return finish(x, found && allowed && is_visible(x, descriptor, (uint16_t)selector));
}

/* lar is 0F 02, lsl 0F 03. Without an answer the destination keeps its value. */
enum assist_outcome assist_do_load_segment_part(struct assist_exec *x)
{
	bool is_lar = x->insn.opcode == 0x02, found;
	enum assist_outcome outcome;
	uint64_t selector, descriptor = 0;
	uint32_t value;

	outcome = assist_rm_read(x, 2, &selector);
	if (outcome == ASSIST_COMPLETED)
		outcome = read_descriptor(x, (uint16_t)selector, &descriptor, &found);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (!found || !is_visible(x, descriptor, (uint16_t)selector))
		return finish(x, false);
	if (!(descriptor & DESCRIPTOR_NON_SYSTEM) && !has_system_type(x, descriptor >> 40 & 15, is_lar))
		return finish(x, false);
	if (is_lar) {
		value = descriptor >> 32 & 0x00f0ff00;
	} else {
		value = (uint32_t)((descriptor & 0xffff) | (descriptor >> 32 & 0xf0000));
		if (descriptor & DESCRIPTOR_GRANULARITY)
			value = value << 12 | 0xfff;
	}
	assist_gpr_write(x, x->insn.reg, assist_operand_size(x), value);
	return finish(x, true);
}
