/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of instruction completion share: the decoded instruction in flight, operands, faults. vCPU thread. */
#ifndef VMM_X86_ASSIST_INTERNAL_H
#define VMM_X86_ASSIST_INTERNAL_H

#include "x86/arch.h"
#include "x86/assist_decode.h"
#include "x86/assist_insn.h"
#include "x86/paging.h"

#define CR0_EM	     (1ULL << 2)
#define CR4_OSFXSR   (1ULL << 9)
#define CR4_FSGSBASE (1ULL << 16)
#define CR4_PCIDE    (1ULL << 17)
#define VECTOR_MF    16

/* The six arithmetic flags. */
#define RFLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

struct assist_exec {
	struct assist_cpu *cpu;
	struct assist_result *result;
	struct assist_insn insn;
};

/* Every step answers an outcome; anything but ASSIST_COMPLETED ends the instruction. */
typedef enum assist_outcome assist_handler(struct assist_exec *x);

unsigned assist_cpl(const struct assist_cpu *cpu);

/* Exceptions without an error code, and with error code 0. */
enum assist_outcome assist_raise(struct assist_exec *x, uint8_t vector);
enum assist_outcome assist_raise_code0(struct assist_exec *x, uint8_t vector);
/* Of a paging_* call that did not succeed. */
enum assist_outcome assist_raise_paging(struct assist_exec *x, int err, const struct paging_fault *fault);
enum assist_outcome assist_fail(struct assist_exec *x, int err);

/* General registers by their number in the encoding. A 32-bit write clears the upper half, a 16-bit one keeps it. */
uint64_t assist_gpr_read(const struct assist_exec *x, unsigned number, unsigned size);
void assist_gpr_write(struct assist_exec *x, unsigned number, unsigned size, uint64_t value);

/* The operand size of an instruction without a byte form: 2, 4 or 8. */
unsigned assist_operand_size(const struct assist_exec *x);

/* The linear address of the memory operand for @size bytes, with the segment's and the canonical checks. */
enum assist_outcome assist_linear(struct assist_exec *x, unsigned size, bool write, uint64_t *gva);
/* Loads and stores at a linear address. */
enum assist_outcome assist_load(struct assist_exec *x, uint64_t gva, void *buf, size_t len);
enum assist_outcome assist_store(struct assist_exec *x, uint64_t gva, const void *buf, size_t len);
/* Host view of [gva, gva + len), which the caller knows to lie in one page. */
enum assist_outcome assist_host_view(struct assist_exec *x, uint64_t gva, size_t len, bool write, void **host);

/* The r/m operand, register or memory. @size at most 8. */
enum assist_outcome assist_rm_read(struct assist_exec *x, unsigned size, uint64_t *value);

/* True for an address whose unused upper bits copy the highest used one (48 or 57 are used). */
bool assist_is_canonical(const struct assist_cpu *cpu, uint64_t address);

/* assist_scalar.c */
assist_handler assist_do_nop, assist_do_fence, assist_do_cache_line, assist_do_wbinvd, assist_do_clac, assist_do_stac,
	assist_do_int3, assist_do_cmpxchg8b, assist_do_cmpxchg16b, assist_do_movbe_load, assist_do_movbe_store,
	assist_do_rdrand, assist_do_rdseed, assist_do_invpcid, assist_do_rdbase;

/* assist_bits.c */
assist_handler assist_do_popcnt, assist_do_tzcnt, assist_do_lzcnt, assist_do_crc32, assist_do_adx, assist_do_andn,
	assist_do_bls, assist_do_bextr, assist_do_bzhi, assist_do_shift, assist_do_rorx, assist_do_mulx, assist_do_pdep,
	assist_do_pext;

/* assist_segment.c */
assist_handler assist_do_verify_segment, assist_do_load_segment_part;

/* assist_fpu.c */
assist_handler assist_do_fwait, assist_do_emms, assist_do_fninit, assist_do_fnclex, assist_do_fldcw, assist_do_fnstcw,
	assist_do_fnstsw_mem, assist_do_fnstsw_ax, assist_do_ldmxcsr, assist_do_stmxcsr, assist_do_fxsave,
	assist_do_fxrstor;

/* assist_xsave.c */
assist_handler assist_do_xgetbv, assist_do_xsave, assist_do_xsavec, assist_do_xsaveopt, assist_do_xsaves,
	assist_do_xrstor, assist_do_xrstors;

#endif
