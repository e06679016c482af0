/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction at RIP taken apart: prefixes, opcode, ModRM, SIB, displacement, immediate (SDM vol. 2, chapter 2). */
#ifndef VMM_X86_ASSIST_DECODE_H
#define VMM_X86_ASSIST_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "x86/assist_insn.h"

struct assist_exec;

enum assist_map {
	ASSIST_MAP_1BYTE,
	ASSIST_MAP_0F,
	ASSIST_MAP_0F38,
	ASSIST_MAP_0F3A,
};

enum assist_segment {
	ASSIST_ES,
	ASSIST_CS,
	ASSIST_SS,
	ASSIST_DS,
	ASSIST_FS,
	ASSIST_GS,
	ASSIST_SEGMENT_DEFAULT,
};

#define ASSIST_NO_REGISTER 0xff

struct assist_insn {
	bool mode64;
	bool has_operand_prefix; /* 66 */
	bool has_lock;
	bool has_rex;
	bool is_vex;
	uint8_t repeat; /* F2, F3 or 0: the last one wins */
	bool rex_w;
	uint8_t rex_r, rex_x, rex_b; /* 0 or 8 */
	uint8_t vex_register;	     /* VEX.vvvv, not inverted */
	bool vex_l;
	enum assist_map map;
	uint8_t opcode;
	bool has_modrm;
	uint8_t modrm;
	uint8_t mod, reg, rm; /* reg and rm with their REX bits; rm means nothing for a memory operand */
	uint8_t address_size; /* 4 or 8 */
	enum assist_segment segment;
	uint8_t base, index; /* register numbers or ASSIST_NO_REGISTER */
	uint8_t scale;
	bool rip_relative;
	int32_t displacement;
	uint8_t immediate;
	uint8_t len;
};

static inline bool assist_insn_has_memory(const struct assist_insn *insn)
{
	return insn->has_modrm && insn->mod != 3;
}

/* Fills x->insn and the bytes of x->result. ASSIST_COMPLETED, ASSIST_UNKNOWN (16-bit code), or the fault of the fetch.
 */
enum assist_outcome assist_decode(struct assist_exec *x);

#endif
