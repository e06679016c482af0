/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of an instruction being completed, registers and memory, and the exceptions their access can raise. */
#include <errno.h>

#include "x86/assist_internal.h"

unsigned assist_cpl(const struct assist_cpu *cpu)
{
	if (!(cpu->sregs.cr0 & CR0_PE))
		return 0;
	if (cpu->regs.rflags & RFLAGS_VM)
		return 3;
	/* On the way from real to protected mode CS still holds a real-mode selector: the rule there is SS's DPL. */
	return cpu->sregs.efer & EFER_LMA ? cpu->sregs.cs.selector & 3 : cpu->sregs.ss.dpl;
}

enum assist_outcome assist_raise(struct assist_exec *x, uint8_t vector)
{
	x->result->vector = vector;
	return ASSIST_EXCEPTION;
}

enum assist_outcome assist_raise_code0(struct assist_exec *x, uint8_t vector)
{
	x->result->has_error_code = true;
	return assist_raise(x, vector);
}

enum assist_outcome assist_raise_paging(struct assist_exec *x, int err, const struct paging_fault *fault)
{
	if (err != -EFAULT)
		return assist_fail(x, err);
	x->result->has_error_code = true;
	x->result->error_code = fault->error_code;
	x->result->has_cr2 = true;
	x->result->cr2 = fault->address;
	return assist_raise(x, VECTOR_PF);
}

enum assist_outcome assist_fail(struct assist_exec *x, int err)
{
	x->result->error = err;
	return ASSIST_FAILED;
}

static __u64 *find_gpr(struct kvm_regs *regs, unsigned number)
{
	static const uint8_t offsets[16] = {
		offsetof(struct kvm_regs, rax), offsetof(struct kvm_regs, rcx), offsetof(struct kvm_regs, rdx),
		offsetof(struct kvm_regs, rbx), offsetof(struct kvm_regs, rsp), offsetof(struct kvm_regs, rbp),
		offsetof(struct kvm_regs, rsi), offsetof(struct kvm_regs, rdi), offsetof(struct kvm_regs, r8),
		offsetof(struct kvm_regs, r9),	offsetof(struct kvm_regs, r10), offsetof(struct kvm_regs, r11),
		offsetof(struct kvm_regs, r12), offsetof(struct kvm_regs, r13), offsetof(struct kvm_regs, r14),
		offsetof(struct kvm_regs, r15),
	};

	ASSERT(number < ARRAY_SIZE(offsets));
	return (__u64 *)(void *)((char *)regs + offsets[number]);
}

static uint64_t mask_of(unsigned size)
{
	return size == 8 ? UINT64_MAX : (1ULL << size * 8) - 1;
}

uint64_t assist_gpr_read(const struct assist_exec *x, unsigned number, unsigned size)
{
	/* Without REX, byte registers 4-7 are AH, CH, DH, BH. */
	if (size == 1 && !x->insn.has_rex && number >= 4 && number < 8)
		return *find_gpr(&x->cpu->regs, number - 4) >> 8 & 0xff;
	return *find_gpr(&x->cpu->regs, number) & mask_of(size);
}

void assist_gpr_write(struct assist_exec *x, unsigned number, unsigned size, uint64_t value)
{
	__u64 *gpr = find_gpr(&x->cpu->regs, number);

	if (size >= 4)
		*gpr = value & mask_of(size);
	else
		*gpr = (*gpr & ~mask_of(size)) | (value & mask_of(size));
}

unsigned assist_operand_size(const struct assist_exec *x)
{
	if (x->insn.rex_w)
		return 8;
	return x->insn.has_operand_prefix && !x->insn.is_vex ? 2 : 4;
}

bool assist_is_canonical(const struct assist_cpu *cpu, uint64_t address)
{
	unsigned unused = cpu->sregs.cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

static uint64_t effective_address(const struct assist_exec *x)
{
	const struct assist_insn *insn = &x->insn;
	uint64_t address = (uint64_t)(int64_t)insn->displacement;

	if (insn->rip_relative)
		address += x->cpu->regs.rip + insn->len;
	if (insn->base != ASSIST_NO_REGISTER)
		address += assist_gpr_read(x, insn->base, 8);
	if (insn->index != ASSIST_NO_REGISTER)
		address += assist_gpr_read(x, insn->index, 8) << insn->scale;
	return insn->address_size == 8 ? address : (uint32_t)address;
}

/* Protected mode outside 64-bit code. SDM vol. 3, 5.3-5.5. */
static bool segment_allows(const struct kvm_segment *s, uint64_t offset, unsigned size, bool write)
{
	uint64_t last = offset + size - 1;
	bool is_code = s->type & 8;

	if (s->unusable || !s->present)
		return false;
	if (write && (is_code || !(s->type & 2)))
		return false;
	if (is_code && !(s->type & 2))
		return false;
	/* An expand-down segment holds the offsets above its limit. */
	if (!is_code && s->type & 4)
		return offset > s->limit && last <= (s->db ? 0xffffffffULL : 0xffffULL);
	return last <= s->limit;
}

enum assist_outcome assist_linear(struct assist_exec *x, unsigned size, bool write, uint64_t *gva)
{
	const struct kvm_sregs *sregs = &x->cpu->sregs;
	const struct kvm_segment *segments[] = {&sregs->es, &sregs->cs, &sregs->ss, &sregs->ds, &sregs->fs, &sregs->gs};
	const struct assist_insn *insn = &x->insn;
	const struct kvm_segment *segment = segments[insn->segment];
	uint8_t vector = insn->segment == ASSIST_SS ? VECTOR_SS : VECTOR_GP;
	uint64_t offset = effective_address(x);

	if (!insn->mode64) {
		*gva = (uint32_t)(offset + segment->base);
		return segment_allows(segment, offset, size, write) ? ASSIST_COMPLETED : assist_raise_code0(x, vector);
	}
	*gva = offset + (insn->segment >= ASSIST_FS ? segment->base : 0);
	if (!assist_is_canonical(x->cpu, *gva) || !assist_is_canonical(x->cpu, *gva + size - 1))
		return assist_raise_code0(x, vector);
	return ASSIST_COMPLETED;
}

static uint32_t data_access(const struct assist_exec *x, bool write)
{
	return (write ? PAGING_WRITE : PAGING_READ) | (assist_cpl(x->cpu) == 3 ? PAGING_USER : 0);
}

enum assist_outcome assist_load(struct assist_exec *x, uint64_t gva, void *buf, size_t len)
{
	struct paging_fault fault;
	int err = paging_read(x->cpu->mem, &x->cpu->sregs, x->cpu->regs.rflags, gva, data_access(x, false), buf, len,
			      &fault);

	return err ? assist_raise_paging(x, err, &fault) : ASSIST_COMPLETED;
}

enum assist_outcome assist_store(struct assist_exec *x, uint64_t gva, const void *buf, size_t len)
{
	struct paging_fault fault;
	int err = paging_write(x->cpu->mem, &x->cpu->sregs, x->cpu->regs.rflags, gva, data_access(x, true), buf, len,
			       &fault);

	return err ? assist_raise_paging(x, err, &fault) : ASSIST_COMPLETED;
}

enum assist_outcome assist_host_view(struct assist_exec *x, uint64_t gva, size_t len, bool write, void **host)
{
	struct paging_fault fault;
	gpa_t at;
	int err = paging_translate(x->cpu->mem, &x->cpu->sregs, x->cpu->regs.rflags, gva, data_access(x, write), &at,
				   &fault);

	if (err)
		return assist_raise_paging(x, err, &fault);
	*host = guest_mem_ptr(x->cpu->mem, at, len);
	return *host ? ASSIST_COMPLETED : assist_fail(x, -ENXIO);
}

enum assist_outcome assist_rm_read(struct assist_exec *x, unsigned size, uint64_t *value)
{
	enum assist_outcome outcome;
	uint64_t gva;

	if (!assist_insn_has_memory(&x->insn)) {
		*value = assist_gpr_read(x, x->insn.rm, size);
		return ASSIST_COMPLETED;
	}
	*value = 0;
	outcome = assist_linear(x, size, false, &gva);
	return outcome == ASSIST_COMPLETED ? assist_load(x, gva, value, size) : outcome;
}
