/* SPDX-License-Identifier: Apache-2.0 */
/* Completed instructions on flags, memory and nothing: clac/stac, int3, cmpxchg8b/16b, fences, caches, random numbers.
 */
#include <cpuid.h>
#include <string.h>

#include "x86/assist_internal.h"

enum assist_outcome assist_do_nop(struct assist_exec *x)
{
	(void)x;
	return ASSIST_COMPLETED;
}

/* lfence, mfence, sfence and serialize: each orders at most what a full fence does, and leaving the guest serializes.
 */
enum assist_outcome assist_do_fence(struct assist_exec *x)
{
	(void)x;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ASSIST_COMPLETED;
}

/* clflush, clflushopt, clwb: the host's caches are coherent, so only the faults of the access matter. */
enum assist_outcome assist_do_cache_line(struct assist_exec *x)
{
	uint64_t byte;

	return assist_rm_read(x, 1, &byte);
}

enum assist_outcome assist_do_wbinvd(struct assist_exec *x)
{
	return assist_cpl(x->cpu) ? assist_raise_code0(x, VECTOR_GP) : ASSIST_COMPLETED;
}

enum assist_outcome assist_do_clac(struct assist_exec *x)
{
	if (assist_cpl(x->cpu))
		return assist_raise(x, VECTOR_UD);
	x->cpu->regs.rflags &= ~RFLAGS_AC;
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_stac(struct assist_exec *x)
{
	if (assist_cpl(x->cpu))
		return assist_raise(x, VECTOR_UD);
	x->cpu->regs.rflags |= RFLAGS_AC;
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_int3(struct assist_exec *x)
{
	return assist_raise(x, VECTOR_BP);
}

/* @expected receives what memory held. By hand, as the compiler calls a library for 16 bytes. */
static bool swap_16_bytes(void *host, uint64_t expected[2], uint64_t low, uint64_t high)
{
	bool swapped;

	__asm__ volatile("lock cmpxchg16b (%[host])"
			 : "=@ccz"(swapped), "+a"(expected[0]), "+d"(expected[1])
			 : [host] "r"(host), "b"(low), "c"(high)
			 : "memory");
	return swapped;
}

static void set_zf(struct assist_exec *x, bool zero)
{
	x->cpu->regs.rflags &= ~RFLAGS_ZF;
	if (zero)
		x->cpu->regs.rflags |= RFLAGS_ZF;
}

/* With or without a lock prefix the exchange is atomic, which no one can object to. The write permission is needed even
 * when the comparison fails, as the CPU then writes the old value back. */
enum assist_outcome assist_do_cmpxchg16b(struct assist_exec *x)
{
	struct kvm_regs *regs = &x->cpu->regs;
	uint64_t expected[2] = {regs->rax, regs->rdx};
	enum assist_outcome outcome;
	uint64_t gva;
	void *host;

	outcome = assist_linear(x, 16, true, &gva);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (gva % 16)
		return assist_raise_code0(x, VECTOR_GP);
	outcome = assist_host_view(x, gva, 16, true, &host);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	set_zf(x, swap_16_bytes(host, expected, regs->rbx, regs->rcx));
	/* On success these are the values they had. */
	regs->rax = expected[0];
	regs->rdx = expected[1];
	return ASSIST_COMPLETED;
}

/* Only the aligned operand, which can be exchanged atomically: KVM's own emulator knows this instruction. */
enum assist_outcome assist_do_cmpxchg8b(struct assist_exec *x)
{
	struct kvm_regs *regs = &x->cpu->regs;
	uint64_t expected = regs->rdx << 32 | (uint32_t)regs->rax;
	uint64_t desired = regs->rcx << 32 | (uint32_t)regs->rbx;
	enum assist_outcome outcome;
	uint64_t gva;
	void *host;
	bool swapped;

	outcome = assist_linear(x, 8, true, &gva);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (gva % 8)
		return ASSIST_UNKNOWN;
	outcome = assist_host_view(x, gva, 8, true, &host);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	swapped = __atomic_compare_exchange_n((uint64_t *)host, &expected, desired, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST);
	set_zf(x, swapped);
	if (!swapped) {
		regs->rax = (uint32_t)expected;
		regs->rdx = expected >> 32;
	}
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_movbe_load(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome == ASSIST_COMPLETED)
		assist_gpr_write(x, x->insn.reg, size, __builtin_bswap64(value) >> (64 - size * 8));
	return outcome;
}

enum assist_outcome assist_do_movbe_store(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	uint64_t value = __builtin_bswap64(assist_gpr_read(x, x->insn.reg, size)) >> (64 - size * 8);
	enum assist_outcome outcome;
	uint64_t gva;

	outcome = assist_linear(x, size, true, &gva);
	return outcome == ASSIST_COMPLETED ? assist_store(x, gva, &value, size) : outcome;
}

/* The number and the carry flag of a native execution are the guest's: the generator is the same. */
static enum assist_outcome finish_random(struct assist_exec *x, uint64_t value, bool valid)
{
	assist_gpr_write(x, x->insn.rm, assist_operand_size(x), value);
	x->cpu->regs.rflags &= ~RFLAGS_ARITH;
	if (valid)
		x->cpu->regs.rflags |= RFLAGS_CF;
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_rdrand(struct assist_exec *x)
{
	unsigned a, b, c, d;
	uint64_t value;
	bool valid;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_RDRND))
		return assist_raise(x, VECTOR_UD);
	__asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(valid));
	return finish_random(x, value, valid);
}

enum assist_outcome assist_do_rdseed(struct assist_exec *x)
{
	unsigned a, b, c, d;
	uint64_t value;
	bool valid;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_RDSEED))
		return assist_raise(x, VECTOR_UD);
	__asm__ volatile("rdseed %0" : "=r"(value), "=@ccc"(valid));
	return finish_random(x, value, valid);
}

enum assist_outcome assist_do_rdbase(struct assist_exec *x)
{
	const struct kvm_sregs *sregs = &x->cpu->sregs;

	if (!(sregs->cr4 & CR4_FSGSBASE))
		return assist_raise(x, VECTOR_UD);
	assist_gpr_write(x, x->insn.rm, x->insn.rex_w ? 8 : 4, x->insn.reg & 1 ? sregs->gs.base : sregs->fs.base);
	return ASSIST_COMPLETED;
}

/* SDM vol. 2, INVPCID: which translations go is the caller's to do, by dropping all. */
enum assist_outcome assist_do_invpcid(struct assist_exec *x)
{
	uint64_t type = assist_gpr_read(x, x->insn.reg, x->insn.mode64 ? 8 : 4);
	struct {
		uint64_t pcid, address;
	} descriptor;
	enum assist_outcome outcome;
	uint64_t gva;

	if (assist_cpl(x->cpu))
		return assist_raise_code0(x, VECTOR_GP);
	outcome = assist_linear(x, sizeof(descriptor), false, &gva);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_load(x, gva, &descriptor, sizeof(descriptor));
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (type > 3 || (type < 2 && descriptor.pcid > 0xfff) ||
	    (type < 2 && descriptor.pcid && !(x->cpu->sregs.cr4 & CR4_PCIDE)) ||
	    (type == 0 && !assist_is_canonical(x->cpu, descriptor.address)))
		return assist_raise_code0(x, VECTOR_GP);
	x->result->flush_tlb = true;
	return ASSIST_COMPLETED;
}
