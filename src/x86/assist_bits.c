/* SPDX-License-Identifier: Apache-2.0 */
/* Completed instructions on bits of general registers: popcnt, tzcnt, lzcnt, crc32, ADX, BMI1 and BMI2 (SDM vol. 2). */
#include "x86/assist_internal.h"

static void set_flags(struct assist_exec *x, uint64_t affected, uint64_t set)
{
	x->cpu->regs.rflags = (x->cpu->regs.rflags & ~affected) | set;
}

static uint64_t flag_if(bool condition, uint64_t flag)
{
	return condition ? flag : 0;
}

static uint64_t sf_zf_of(uint64_t value, unsigned size)
{
	return flag_if(value == 0, RFLAGS_ZF) | flag_if(value >> (size * 8 - 1) & 1, RFLAGS_SF);
}

static uint64_t low_bits(uint64_t value, unsigned count)
{
	return count >= 64 ? value : value & ((1ULL << count) - 1);
}

static uint64_t vex_operand(const struct assist_exec *x, unsigned size)
{
	return assist_gpr_read(x, x->insn.vex_register, size);
}

enum assist_outcome assist_do_popcnt(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	assist_gpr_write(x, x->insn.reg, size, (uint64_t)__builtin_popcountll(value));
	set_flags(x, RFLAGS_ARITH, flag_if(value == 0, RFLAGS_ZF));
	return ASSIST_COMPLETED;
}

static enum assist_outcome finish_count(struct assist_exec *x, unsigned size, uint64_t value, uint64_t count)
{
	assist_gpr_write(x, x->insn.reg, size, count);
	set_flags(x, RFLAGS_CF | RFLAGS_ZF, flag_if(value == 0, RFLAGS_CF) | flag_if(count == 0, RFLAGS_ZF));
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_tzcnt(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	return finish_count(x, size, value, value ? (unsigned)__builtin_ctzll(value) : size * 8);
}

enum assist_outcome assist_do_lzcnt(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	return finish_count(x, size, value, value ? (unsigned)__builtin_clzll(value) - (64 - size * 8) : size * 8);
}

/* CRC-32C, least significant bit first: polynomial 0x1edc6f41, reflected. */
enum assist_outcome assist_do_crc32(struct assist_exec *x)
{
	unsigned size = x->insn.opcode == 0xf0 ? 1 : assist_operand_size(x);
	uint32_t crc = (uint32_t)assist_gpr_read(x, x->insn.reg, 4);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	for (unsigned i = 0; i < size * 8; i++) {
		bool feedback = (crc ^ value >> i) & 1;

		crc = crc >> 1 ^ (feedback ? 0x82f63b78u : 0);
	}
	assist_gpr_write(x, x->insn.reg, 8, crc);
	return ASSIST_COMPLETED;
}

/* adcx carries in CF, adox in OF; no other flag changes. */
enum assist_outcome assist_do_adx(struct assist_exec *x)
{
	unsigned size = x->insn.rex_w ? 8 : 4;
	uint64_t carry_flag = x->insn.repeat ? RFLAGS_OF : RFLAGS_CF;
	bool carry_in = x->cpu->regs.rflags & carry_flag;
	uint64_t a = assist_gpr_read(x, x->insn.reg, size);
	enum assist_outcome outcome;
	unsigned __int128 sum;
	uint64_t b;

	outcome = assist_rm_read(x, size, &b);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	sum = (unsigned __int128)a + b + carry_in;
	assist_gpr_write(x, x->insn.reg, size, (uint64_t)sum);
	set_flags(x, carry_flag, flag_if(sum >> size * 8, carry_flag));
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_andn(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	value &= ~vex_operand(x, size);
	assist_gpr_write(x, x->insn.reg, size, value);
	set_flags(x, RFLAGS_OF | RFLAGS_CF | RFLAGS_SF | RFLAGS_ZF, sf_zf_of(value, size));
	return ASSIST_COMPLETED;
}

/* blsr, blsmsk and blsi, told apart by the reg field. */
enum assist_outcome assist_do_bls(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	enum assist_outcome outcome;
	uint64_t value, result;
	bool carry;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	carry = value == 0;
	switch (x->insn.reg & 7) {
	case 1:
		result = value & (value - 1);
		break;
	case 2:
		result = value ^ (value - 1);
		break;
	default:
		result = value & -value;
		carry = !carry;
		break;
	}
	result = low_bits(result, size * 8);
	assist_gpr_write(x, x->insn.vex_register, size, result);
	set_flags(x, RFLAGS_OF | RFLAGS_CF | RFLAGS_SF | RFLAGS_ZF, sf_zf_of(result, size) | flag_if(carry, RFLAGS_CF));
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_bextr(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	uint64_t control = vex_operand(x, size);
	unsigned start = control & 0xff, count = control >> 8 & 0xff;
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	value = start >= 64 ? 0 : low_bits(value >> start, count);
	assist_gpr_write(x, x->insn.reg, size, value);
	set_flags(x, RFLAGS_OF | RFLAGS_CF | RFLAGS_ZF, flag_if(value == 0, RFLAGS_ZF));
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_bzhi(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	unsigned count = vex_operand(x, size) & 0xff;
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	value = low_bits(value, count);
	assist_gpr_write(x, x->insn.reg, size, value);
	set_flags(x, RFLAGS_OF | RFLAGS_CF | RFLAGS_SF | RFLAGS_ZF,
		  sf_zf_of(value, size) | flag_if(count >= size * 8, RFLAGS_CF));
	return ASSIST_COMPLETED;
}

/* shlx (66), sarx (F3), shrx (F2). */
enum assist_outcome assist_do_shift(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	unsigned count = (unsigned)vex_operand(x, size) & (size * 8 - 1);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (x->insn.repeat == 0xf2)
		value >>= count;
	else if (x->insn.repeat == 0xf3)
		value = (uint64_t)((size == 8 ? (int64_t)value : (int32_t)value) >> count);
	else
		value <<= count;
	assist_gpr_write(x, x->insn.reg, size, value);
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_rorx(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	unsigned count = x->insn.immediate & (size * 8 - 1);
	enum assist_outcome outcome;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (count)
		value = value >> count | value << (size * 8 - count);
	assist_gpr_write(x, x->insn.reg, size, value);
	return ASSIST_COMPLETED;
}

/* The other factor is RDX. When both destinations are one register it receives the high half. */
enum assist_outcome assist_do_mulx(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	uint64_t factor = assist_gpr_read(x, 2, size);
	enum assist_outcome outcome;
	unsigned __int128 product;
	uint64_t value;

	outcome = assist_rm_read(x, size, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	product = (unsigned __int128)value * factor;
	assist_gpr_write(x, x->insn.vex_register, size, (uint64_t)product);
	assist_gpr_write(x, x->insn.reg, size, (uint64_t)(product >> size * 8));
	return ASSIST_COMPLETED;
}

/* The mask is the r/m operand, the source VEX.vvvv. */
enum assist_outcome assist_do_pdep(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	uint64_t source = vex_operand(x, size), result = 0, mask;
	enum assist_outcome outcome;

	outcome = assist_rm_read(x, size, &mask);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	for (; mask; mask &= mask - 1, source >>= 1)
		result |= source & 1 ? mask & -mask : 0;
	assist_gpr_write(x, x->insn.reg, size, result);
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_pext(struct assist_exec *x)
{
	unsigned size = assist_operand_size(x);
	uint64_t source = vex_operand(x, size), result = 0, mask;
	enum assist_outcome outcome;

	outcome = assist_rm_read(x, size, &mask);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	for (unsigned i = 0; mask; mask &= mask - 1, i++)
		result |= (source & mask & -mask ? 1ULL : 0) << i;
	assist_gpr_write(x, x->insn.reg, size, result);
	return ASSIST_COMPLETED;
}
