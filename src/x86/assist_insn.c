/* SPDX-License-Identifier: Apache-2.0 */
#include "x86/assist_insn.h"

#include "x86/assist_internal.h"

enum prefix {
	PREFIX_ANY,
	PREFIX_NONE,	  /* neither 66 nor F2 nor F3 */
	PREFIX_NO_REPEAT, /* 66 changes the operand size */
	PREFIX_66,
	PREFIX_F3, /* over 66, which then changes the operand size */
	PREFIX_F2,
};

enum form {
	FORM_ANY,
	FORM_MEM,
	FORM_REG,
};

#define ROW_VEX	     (1u << 0)
#define ROW_MODE64   (1u << 1) /* #UD in other modes */
#define ROW_MAY_LOCK (1u << 2)
#define ROW_REX_W    (1u << 3)

#define MODRM_REG(n)   0x38, ((n) << 3)
#define MODRM_EXACT(v) 0xff, (v)
#define MODRM_ANY      0, 0

struct row {
	enum assist_map map;
	uint8_t opcode;
	enum prefix prefix;
	enum form form;
	uint8_t modrm_mask, modrm;
	unsigned flags;
	enum assist_kind kind;
	assist_handler *handler;
};

/* clang-format off */
static const struct row rows[] = {
	{ASSIST_MAP_0F, 0x01, PREFIX_NONE, FORM_REG, MODRM_EXACT(0xca), 0, ASSIST_CLAC, assist_do_clac},
	{ASSIST_MAP_0F, 0x01, PREFIX_NONE, FORM_REG, MODRM_EXACT(0xcb), 0, ASSIST_STAC, assist_do_stac},
	{ASSIST_MAP_0F, 0xb8, PREFIX_F3, FORM_ANY, MODRM_ANY, 0, ASSIST_POPCNT, assist_do_popcnt},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(4), 0, ASSIST_XSAVE, assist_do_xsave},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(5), 0, ASSIST_XRSTOR, assist_do_xrstor},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(6), 0, ASSIST_XSAVEOPT, assist_do_xsaveopt},
	{ASSIST_MAP_0F, 0xc7, PREFIX_NONE, FORM_MEM, MODRM_REG(3), 0, ASSIST_XRSTORS, assist_do_xrstors},
	{ASSIST_MAP_0F, 0xc7, PREFIX_NONE, FORM_MEM, MODRM_REG(4), 0, ASSIST_XSAVEC, assist_do_xsavec},
	{ASSIST_MAP_0F, 0xc7, PREFIX_NONE, FORM_MEM, MODRM_REG(5), 0, ASSIST_XSAVES, assist_do_xsaves},
	{ASSIST_MAP_0F, 0x01, PREFIX_NONE, FORM_REG, MODRM_EXACT(0xd0), 0, ASSIST_XGETBV, assist_do_xgetbv},

	{ASSIST_MAP_1BYTE, 0xcc, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_INT3, assist_do_int3},
	{ASSIST_MAP_1BYTE, 0x9b, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_FWAIT, assist_do_fwait},
	{ASSIST_MAP_1BYTE, 0xdb, PREFIX_ANY, FORM_REG, MODRM_EXACT(0xe3), 0, ASSIST_X87_CONTROL, assist_do_fninit},
	{ASSIST_MAP_1BYTE, 0xdb, PREFIX_ANY, FORM_REG, MODRM_EXACT(0xe2), 0, ASSIST_X87_CONTROL, assist_do_fnclex},
	{ASSIST_MAP_1BYTE, 0xd9, PREFIX_ANY, FORM_MEM, MODRM_REG(5), 0, ASSIST_X87_CONTROL, assist_do_fldcw},
	{ASSIST_MAP_1BYTE, 0xd9, PREFIX_ANY, FORM_MEM, MODRM_REG(7), 0, ASSIST_X87_CONTROL, assist_do_fnstcw},
	{ASSIST_MAP_1BYTE, 0xdd, PREFIX_ANY, FORM_MEM, MODRM_REG(7), 0, ASSIST_X87_CONTROL, assist_do_fnstsw_mem},
	{ASSIST_MAP_1BYTE, 0xdf, PREFIX_ANY, FORM_REG, MODRM_EXACT(0xe0), 0, ASSIST_X87_CONTROL, assist_do_fnstsw_ax},
	{ASSIST_MAP_0F, 0x77, PREFIX_NONE, FORM_ANY, MODRM_ANY, 0, ASSIST_X87_CONTROL, assist_do_emms},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(0), 0, ASSIST_FXSAVE, assist_do_fxsave},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(1), 0, ASSIST_FXRSTOR, assist_do_fxrstor},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(2), 0, ASSIST_MXCSR, assist_do_ldmxcsr},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(3), 0, ASSIST_MXCSR, assist_do_stmxcsr},

	{ASSIST_MAP_0F, 0xbc, PREFIX_F3, FORM_ANY, MODRM_ANY, 0, ASSIST_TZCNT, assist_do_tzcnt},
	{ASSIST_MAP_0F, 0xbd, PREFIX_F3, FORM_ANY, MODRM_ANY, 0, ASSIST_LZCNT, assist_do_lzcnt},
	{ASSIST_MAP_0F38, 0xf0, PREFIX_F2, FORM_ANY, MODRM_ANY, 0, ASSIST_CRC32, assist_do_crc32},
	{ASSIST_MAP_0F38, 0xf1, PREFIX_F2, FORM_ANY, MODRM_ANY, 0, ASSIST_CRC32, assist_do_crc32},
	{ASSIST_MAP_0F38, 0xf0, PREFIX_NO_REPEAT, FORM_MEM, MODRM_ANY, 0, ASSIST_MOVBE, assist_do_movbe_load},
	{ASSIST_MAP_0F38, 0xf1, PREFIX_NO_REPEAT, FORM_MEM, MODRM_ANY, 0, ASSIST_MOVBE, assist_do_movbe_store},
	{ASSIST_MAP_0F38, 0xf6, PREFIX_66, FORM_ANY, MODRM_ANY, 0, ASSIST_ADX, assist_do_adx},
	{ASSIST_MAP_0F38, 0xf6, PREFIX_F3, FORM_ANY, MODRM_ANY, 0, ASSIST_ADX, assist_do_adx},
	{ASSIST_MAP_0F38, 0xf2, PREFIX_NONE, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_andn},
	{ASSIST_MAP_0F38, 0xf3, PREFIX_NONE, FORM_ANY, MODRM_REG(1), ROW_VEX, ASSIST_BMI, assist_do_bls},
	{ASSIST_MAP_0F38, 0xf3, PREFIX_NONE, FORM_ANY, MODRM_REG(2), ROW_VEX, ASSIST_BMI, assist_do_bls},
	{ASSIST_MAP_0F38, 0xf3, PREFIX_NONE, FORM_ANY, MODRM_REG(3), ROW_VEX, ASSIST_BMI, assist_do_bls},
	{ASSIST_MAP_0F38, 0xf7, PREFIX_NONE, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_bextr},
	{ASSIST_MAP_0F38, 0xf7, PREFIX_66, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_shift},
	{ASSIST_MAP_0F38, 0xf7, PREFIX_F3, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_shift},
	{ASSIST_MAP_0F38, 0xf7, PREFIX_F2, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_shift},
	{ASSIST_MAP_0F38, 0xf5, PREFIX_NONE, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_bzhi},
	{ASSIST_MAP_0F38, 0xf5, PREFIX_F3, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_pext},
	{ASSIST_MAP_0F38, 0xf5, PREFIX_F2, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_pdep},
	{ASSIST_MAP_0F38, 0xf6, PREFIX_F2, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_mulx},
	{ASSIST_MAP_0F3A, 0xf0, PREFIX_F2, FORM_ANY, MODRM_ANY, ROW_VEX, ASSIST_BMI, assist_do_rorx},

	{ASSIST_MAP_0F, 0xc7, PREFIX_ANY, FORM_MEM, MODRM_REG(1), ROW_MAY_LOCK | ROW_REX_W, ASSIST_CMPXCHG16B, assist_do_cmpxchg16b},
	{ASSIST_MAP_0F, 0xc7, PREFIX_ANY, FORM_MEM, MODRM_REG(1), ROW_MAY_LOCK, ASSIST_CMPXCHG8B, assist_do_cmpxchg8b},
	{ASSIST_MAP_0F, 0xc7, PREFIX_NO_REPEAT, FORM_REG, MODRM_REG(6), 0, ASSIST_RDRAND, assist_do_rdrand},
	{ASSIST_MAP_0F, 0xc7, PREFIX_NO_REPEAT, FORM_REG, MODRM_REG(7), 0, ASSIST_RDSEED, assist_do_rdseed},
	{ASSIST_MAP_0F, 0xae, PREFIX_F3, FORM_REG, MODRM_REG(0), ROW_MODE64, ASSIST_RDBASE, assist_do_rdbase},
	{ASSIST_MAP_0F, 0xae, PREFIX_F3, FORM_REG, MODRM_REG(1), ROW_MODE64, ASSIST_RDBASE, assist_do_rdbase},
	{ASSIST_MAP_0F38, 0x82, PREFIX_66, FORM_MEM, MODRM_ANY, 0, ASSIST_INVPCID, assist_do_invpcid},

	{ASSIST_MAP_0F, 0x00, PREFIX_ANY, FORM_ANY, MODRM_REG(4), 0, ASSIST_VERW, assist_do_verify_segment},
	{ASSIST_MAP_0F, 0x00, PREFIX_ANY, FORM_ANY, MODRM_REG(5), 0, ASSIST_VERW, assist_do_verify_segment},
	{ASSIST_MAP_0F, 0x02, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_LSL, assist_do_load_segment_part},
	{ASSIST_MAP_0F, 0x03, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_LSL, assist_do_load_segment_part},

	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_REG, MODRM_REG(5), 0, ASSIST_FENCE, assist_do_fence},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_REG, MODRM_REG(6), 0, ASSIST_FENCE, assist_do_fence},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_REG, MODRM_REG(7), 0, ASSIST_FENCE, assist_do_fence},
	{ASSIST_MAP_0F, 0x01, PREFIX_NONE, FORM_REG, MODRM_EXACT(0xe8), 0, ASSIST_FENCE, assist_do_fence},
	{ASSIST_MAP_0F, 0xae, PREFIX_NONE, FORM_MEM, MODRM_REG(7), 0, ASSIST_CACHE, assist_do_cache_line},
	{ASSIST_MAP_0F, 0xae, PREFIX_66, FORM_MEM, MODRM_REG(7), 0, ASSIST_CACHE, assist_do_cache_line},
	{ASSIST_MAP_0F, 0xae, PREFIX_66, FORM_MEM, MODRM_REG(6), 0, ASSIST_CACHE, assist_do_cache_line},
	{ASSIST_MAP_0F, 0x09, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_CACHE, assist_do_wbinvd},
	{ASSIST_MAP_1BYTE, 0x90, PREFIX_F3, FORM_ANY, MODRM_ANY, 0, ASSIST_NOP, assist_do_nop},
	{ASSIST_MAP_0F, 0x0d, PREFIX_ANY, FORM_MEM, MODRM_ANY, 0, ASSIST_NOP, assist_do_nop},
	{ASSIST_MAP_0F, 0x18, PREFIX_ANY, FORM_MEM, MODRM_ANY, 0, ASSIST_NOP, assist_do_nop},
	{ASSIST_MAP_0F, 0x1c, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_NOP, assist_do_nop},
	{ASSIST_MAP_0F, 0x1e, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_NOP, assist_do_nop},
	{ASSIST_MAP_0F, 0x1f, PREFIX_ANY, FORM_ANY, MODRM_ANY, 0, ASSIST_NOP, assist_do_nop},
};
/* clang-format on */

static bool has_prefix(const struct assist_insn *insn, enum prefix prefix)
{
	switch (prefix) {
	case PREFIX_NONE:
		return !insn->repeat && !insn->has_operand_prefix;
	case PREFIX_NO_REPEAT:
		return !insn->repeat;
	case PREFIX_66:
		return !insn->repeat && insn->has_operand_prefix;
	case PREFIX_F3:
		return insn->repeat == 0xf3;
	case PREFIX_F2:
		return insn->repeat == 0xf2;
	default:
		return true;
	}
}

static bool is_match(const struct row *row, const struct assist_insn *insn)
{
	if (row->map != insn->map || row->opcode != insn->opcode || !(row->flags & ROW_VEX) == insn->is_vex)
		return false;
	if (row->flags & ROW_REX_W && !insn->rex_w)
		return false;
	if (row->form != FORM_ANY && (row->form == FORM_MEM) != assist_insn_has_memory(insn))
		return false;
	return (insn->modrm & row->modrm_mask) == row->modrm && has_prefix(insn, row->prefix);
}

static const struct row *find_row(const struct assist_insn *insn)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (is_match(&rows[i], insn))
			return &rows[i];
	}
	return NULL;
}

static enum assist_outcome execute(struct assist_exec *x)
{
	enum assist_outcome outcome = assist_decode(x);
	const struct row *row;

	if (outcome != ASSIST_COMPLETED)
		return outcome;
	row = find_row(&x->insn);
	if (!row)
		return ASSIST_UNKNOWN;
	x->result->kind = row->kind;
	if (x->insn.has_lock && !(row->flags & ROW_MAY_LOCK))
		return assist_raise(x, VECTOR_UD);
	if (row->flags & ROW_MODE64 && !x->insn.mode64)
		return assist_raise(x, VECTOR_UD);
	if (x->insn.vex_l)
		return assist_raise(x, VECTOR_UD); /* none of ours works on vectors */
	return row->handler(x);
}

static bool is_trap(const struct assist_result *result)
{
	return result->outcome == ASSIST_EXCEPTION && result->kind == ASSIST_INT3 && result->vector == VECTOR_BP;
}

void assist_insn_complete(struct assist_cpu *cpu, struct assist_result *result)
{
	struct assist_exec x = {.cpu = cpu, .result = result};
	const struct kvm_regs before = cpu->regs;

	*result = (struct assist_result){.kind = ASSIST_OTHER};
	result->outcome = execute(&x);
	if (result->outcome != ASSIST_COMPLETED)
		cpu->regs = before;
	if (result->outcome != ASSIST_COMPLETED && !is_trap(result))
		return;
	cpu->regs.rip += x.insn.len;
	if (!x.insn.mode64)
		cpu->regs.rip = (uint32_t)cpu->regs.rip;
	cpu->regs.rflags &= ~RFLAGS_RF;
}

const char *assist_kind_name(enum assist_kind kind)
{
	static const char *const names[ASSIST_KINDS] = {
#define ASSIST_KIND_NAME(name, text) [ASSIST_##name] = text,
		ASSIST_KIND_TABLE(ASSIST_KIND_NAME)
#undef ASSIST_KIND_NAME
	};

	return kind < ASSIST_KINDS ? names[kind] : "unknown";
}
