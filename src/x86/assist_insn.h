/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion of one guest instruction that KVM's emulator lacks: decode, execute on a copy of the vCPU's state, report
 * what to write back. Knows no ioctl: state comes and goes through struct assist_cpu, so every instruction is
 * unit-tested against the same instruction executed natively. Runs on the vCPU's own thread.
 */
#ifndef VMM_X86_ASSIST_INSN_H
#define VMM_X86_ASSIST_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "base/compiler.h"
#include "mm/guest_mem.h"

#define ASSIST_MAX_INSN 15

/* Room for the largest XSAVE area KVM can hand us (AMX: 11,008 bytes). */
#define ASSIST_XSAVE_MAX 16384

/* What the instruction set shows of the extended state: from the guest's CPUID leaf 0xD and its XCR0. */
struct assist_xstate_layout {
	uint64_t supported; /* XCR0 bits the guest may use */
	uint32_t size;	    /* bytes of the standard format with all supported components */
	struct {
		uint32_t offset; /* standard format */
		uint32_t size;
		bool align64; /* compacted format aligns it to 64 bytes */
	} component[64];
};

/* Extended state is fetched and stored lazily: only XSAVE-family instructions pay for it. Each returns 0 or -errno.
 * The buffer is KVM's struct kvm_xsave: standard (non-compacted) format, ASSIST_XSAVE_MAX bytes. */
struct assist_state_ops {
	int (*get_xsave)(void *opaque, void *area);
	int (*set_xsave)(void *opaque, const void *area);
	int (*get_xcr0)(void *opaque, uint64_t *xcr0);
	int (*get_xss)(void *opaque, uint64_t *xss);
};

struct assist_cpu {
	struct kvm_regs regs;	/* in and out */
	struct kvm_sregs sregs; /* in */
	const struct guest_mem *mem;
	const struct assist_xstate_layout *xlayout;
	const struct assist_state_ops *ops;
	void *opaque;
};

enum assist_outcome {
	ASSIST_COMPLETED, /* regs updated, RIP past the instruction */
	ASSIST_EXCEPTION, /* deliver fault below; regs unchanged, except RIP past int3 (a trap) */
	ASSIST_UNKNOWN,	  /* not an instruction we complete */
	ASSIST_FAILED,	  /* a host error (error below) */
};

/* A row per family, for the statistics: name of the enumerator, name shown. */
#define ASSIST_KIND_TABLE(X)                                                                                           \
	X(CLAC, "clac")                                                                                                \
	X(STAC, "stac")                                                                                                \
	X(POPCNT, "popcnt")                                                                                            \
	X(CMPXCHG16B, "cmpxchg16b")                                                                                    \
	X(CMPXCHG8B, "cmpxchg8b")                                                                                      \
	X(FWAIT, "fwait")                                                                                              \
	X(INT3, "int3")                                                                                                \
	X(XSAVE, "xsave")                                                                                              \
	X(XSAVEC, "xsavec")                                                                                            \
	X(XSAVEOPT, "xsaveopt")                                                                                        \
	X(XSAVES, "xsaves")                                                                                            \
	X(XRSTOR, "xrstor")                                                                                            \
	X(XRSTORS, "xrstors")                                                                                          \
	X(XGETBV, "xgetbv")                                                                                            \
	X(FXSAVE, "fxsave")                                                                                            \
	X(FXRSTOR, "fxrstor")                                                                                          \
	X(X87_CONTROL, "x87 control")                                                                                  \
	X(MXCSR, "ldmxcsr/stmxcsr")                                                                                    \
	X(TZCNT, "tzcnt")                                                                                              \
	X(LZCNT, "lzcnt")                                                                                              \
	X(BMI, "bmi1/bmi2")                                                                                            \
	X(ADX, "adcx/adox")                                                                                            \
	X(MOVBE, "movbe")                                                                                              \
	X(CRC32, "crc32")                                                                                              \
	X(RDRAND, "rdrand")                                                                                            \
	X(RDSEED, "rdseed")                                                                                            \
	X(RDBASE, "rdfsbase/rdgsbase")                                                                                 \
	X(VERW, "verr/verw")                                                                                           \
	X(LSL, "lar/lsl")                                                                                              \
	X(INVPCID, "invpcid")                                                                                          \
	X(FENCE, "fence")                                                                                              \
	X(CACHE, "cache control")                                                                                      \
	X(NOP, "nop")                                                                                                  \
	X(OTHER, "other") /* no row matched: fetch faults and unknown instructions */

enum assist_kind {
#define ASSIST_KIND_ENUMERATOR(name, text) ASSIST_##name,
	ASSIST_KIND_TABLE(ASSIST_KIND_ENUMERATOR)
#undef ASSIST_KIND_ENUMERATOR
		ASSIST_KINDS,
};

struct assist_result {
	enum assist_outcome outcome;
	enum assist_kind kind;
	uint8_t vector; /* ASSIST_EXCEPTION */
	bool has_error_code;
	uint32_t error_code;
	bool has_cr2;
	uint64_t cr2;
	bool flush_tlb;		       /* with ASSIST_COMPLETED: the caller must drop cached translations (invpcid) */
	int error;		       /* ASSIST_FAILED: -errno */
	uint8_t insn[ASSIST_MAX_INSN]; /* the bytes at RIP, as far as they could be fetched */
	unsigned insn_len;	       /* bytes fetched */
};

/* Decodes the instruction at RIP and completes it. */
void assist_insn_complete(struct assist_cpu *cpu, struct assist_result *result);

const char *assist_kind_name(enum assist_kind kind);

#endif
