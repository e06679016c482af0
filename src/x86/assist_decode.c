/* SPDX-License-Identifier: Apache-2.0 */
#include "x86/assist_decode.h"

#include "base/endian.h"
#include "x86/assist_internal.h"

/* Reads on to the next page border: the bytes beyond it are asked for only when the instruction is that long, as its
 * page may be absent. */
static enum assist_outcome fetch_more(struct assist_exec *x)
{
	const struct assist_cpu *cpu = x->cpu;
	struct assist_result *r = x->result;
	uint32_t access = PAGING_FETCH | (assist_cpl(cpu) == 3 ? PAGING_USER : 0);
	uint64_t gva = cpu->regs.rip + r->insn_len;
	struct paging_fault fault;
	size_t piece;
	int err;

	if (x->insn.mode64) {
		if (!assist_is_canonical(cpu, gva))
			return assist_raise_code0(x, VECTOR_GP);
	} else {
		if ((uint32_t)gva > cpu->sregs.cs.limit)
			return assist_raise_code0(x, VECTOR_GP);
		gva = (uint32_t)(gva + cpu->sregs.cs.base);
	}
	piece = (size_t)(GUEST_PAGE_SIZE - (gva & (GUEST_PAGE_SIZE - 1)));
	if (piece > ASSIST_MAX_INSN - r->insn_len)
		piece = ASSIST_MAX_INSN - r->insn_len;
	err = paging_read(cpu->mem, &cpu->sregs, cpu->regs.rflags, gva, access, r->insn + r->insn_len, piece, &fault);
	if (err)
		return assist_raise_paging(x, err, &fault);
	r->insn_len += (unsigned)piece;
	return ASSIST_COMPLETED;
}

static enum assist_outcome next_byte(struct assist_exec *x, uint8_t *byte)
{
	enum assist_outcome outcome;

	if (x->insn.len == ASSIST_MAX_INSN)
		return assist_raise_code0(x, VECTOR_GP);
	if (x->insn.len == x->result->insn_len) {
		outcome = fetch_more(x);
		if (outcome != ASSIST_COMPLETED)
			return outcome;
	}
	*byte = x->result->insn[x->insn.len++];
	return ASSIST_COMPLETED;
}

static bool take_legacy_prefix(struct assist_insn *insn, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		insn->has_operand_prefix = true;
		return true;
	case 0x67:
		/* In 32-bit code the prefix asks for 16-bit addressing; see assist_decode. */
		insn->address_size = insn->mode64 ? 4 : 2;
		return true;
	case 0xf0:
		insn->has_lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		insn->repeat = byte;
		return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		/* Without effect in 64-bit code, not even on an FS or GS override before it. */
		if (!insn->mode64)
			insn->segment = (enum assist_segment)(byte >> 3 & 3);
		return true;
	case 0x64:
	case 0x65:
		insn->segment = byte == 0x64 ? ASSIST_FS : ASSIST_GS;
		return true;
	default:
		return false;
	}
}

/* The prefixes and the first opcode byte. */
static enum assist_outcome take_prefixes(struct assist_exec *x, uint8_t *byte)
{
	struct assist_insn *insn = &x->insn;
	enum assist_outcome outcome;
	uint8_t rex = 0;

	for (;;) {
		outcome = next_byte(x, byte);
		if (outcome != ASSIST_COMPLETED)
			return outcome;
		if (take_legacy_prefix(insn, *byte))
			rex = 0; /* a REX that does not directly precede the opcode is ignored */
		else if (insn->mode64 && (*byte & 0xf0) == 0x40)
			rex = *byte;
		else
			break;
	}
	insn->has_rex = rex;
	insn->rex_w = rex & 8;
	insn->rex_r = (uint8_t)((rex & 4) << 1);
	insn->rex_x = (uint8_t)((rex & 2) << 2);
	insn->rex_b = (uint8_t)((rex & 1) << 3);
	return ASSIST_COMPLETED;
}

/* C5 or C4 and what follows, up to the opcode. SDM vol. 2, 2.3.5. */
static enum assist_outcome take_vex(struct assist_exec *x, uint8_t first, uint8_t p0)
{
	static const uint8_t repeat_of[4] = {0, 0, 0xf3, 0xf2};
	struct assist_insn *insn = &x->insn;
	enum assist_outcome outcome;
	uint8_t p1 = p0;

	/* #UD with any of these before it. */
	if (insn->has_operand_prefix || insn->has_lock || insn->repeat || insn->has_rex)
		return assist_raise(x, VECTOR_UD);
	insn->map = ASSIST_MAP_0F;
	if (first == 0xc4) {
		if ((p0 & 0x1f) < ASSIST_MAP_0F || (p0 & 0x1f) > ASSIST_MAP_0F3A)
			return ASSIST_UNKNOWN;
		insn->map = (enum assist_map)(p0 & 0x1f);
		outcome = next_byte(x, &p1);
		if (outcome != ASSIST_COMPLETED)
			return outcome;
		insn->rex_w = insn->mode64 && p1 & 0x80;
	}
	insn->is_vex = true;
	if (insn->mode64) {
		insn->rex_r = p0 & 0x80 ? 0 : 8;
		insn->rex_x = first == 0xc4 && !(p0 & 0x40) ? 8 : 0;
		insn->rex_b = first == 0xc4 && !(p0 & 0x20) ? 8 : 0;
	}
	insn->vex_register = (uint8_t)(~(unsigned)p1 >> 3 & (insn->mode64 ? 15 : 7));
	insn->vex_l = p1 & 4;
	insn->has_operand_prefix = (p1 & 3) == 1;
	insn->repeat = repeat_of[p1 & 3];
	return next_byte(x, &insn->opcode);
}

/* From the first opcode byte to the opcode proper and its map. */
static enum assist_outcome take_opcode(struct assist_exec *x, uint8_t byte)
{
	struct assist_insn *insn = &x->insn;
	enum assist_outcome outcome;
	uint8_t second;

	insn->opcode = byte;
	if (byte != 0x0f && byte != 0xc4 && byte != 0xc5)
		return ASSIST_COMPLETED;
	outcome = next_byte(x, &second);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (byte != 0x0f) {
		/* Outside 64-bit code LES and LDS share these opcodes; they have no register form. */
		if (!insn->mode64 && second < 0xc0)
			return ASSIST_UNKNOWN;
		return take_vex(x, byte, second);
	}
	insn->map = ASSIST_MAP_0F;
	insn->opcode = second;
	if (second != 0x38 && second != 0x3a)
		return ASSIST_COMPLETED;
	insn->map = second == 0x38 ? ASSIST_MAP_0F38 : ASSIST_MAP_0F3A;
	return next_byte(x, &insn->opcode);
}

/* Right for the opcodes of which the table of completed instructions knows; the others end as unknown anyway. */
static bool opcode_has_modrm(const struct assist_insn *insn)
{
	switch (insn->map) {
	case ASSIST_MAP_1BYTE:
		return insn->opcode >= 0xd8 && insn->opcode <= 0xdf;
	case ASSIST_MAP_0F:
		return insn->opcode != 0x09 && insn->opcode != 0x77;
	default:
		return true;
	}
}

static enum assist_outcome take_displacement(struct assist_exec *x, unsigned size)
{
	uint8_t bytes[4] = {0};

	for (unsigned i = 0; i < size; i++) {
		enum assist_outcome outcome = next_byte(x, &bytes[i]);

		if (outcome != ASSIST_COMPLETED)
			return outcome;
	}
	x->insn.displacement = size == 1 ? (int8_t)bytes[0] : (int32_t)load_le32(bytes);
	return ASSIST_COMPLETED;
}

/* The address form after ModRM for 32- and 64-bit addressing. SDM vol. 2, tables 2-2 and 2-3. */
static enum assist_outcome take_address(struct assist_exec *x, uint8_t rm)
{
	struct assist_insn *insn = &x->insn;
	unsigned size = insn->mod == 1 ? 1 : insn->mod == 2 ? 4 : 0;
	enum assist_outcome outcome;
	uint8_t sib;

	insn->base = rm | insn->rex_b;
	insn->index = ASSIST_NO_REGISTER;
	if (rm == 4) {
		outcome = next_byte(x, &sib);
		if (outcome != ASSIST_COMPLETED)
			return outcome;
		insn->scale = sib >> 6;
		insn->index = (sib >> 3 & 7) | insn->rex_x;
		if (insn->index == 4)
			insn->index = ASSIST_NO_REGISTER;
		insn->base = (sib & 7) | insn->rex_b;
	}
	if (insn->mod == 0 && (insn->base & 7) == 5) {
		insn->rip_relative = insn->mode64 && rm == 5;
		insn->base = ASSIST_NO_REGISTER;
		size = 4;
	}
	if (insn->segment == ASSIST_SEGMENT_DEFAULT)
		insn->segment = insn->base == 4 || insn->base == 5 ? ASSIST_SS : ASSIST_DS;
	return take_displacement(x, size);
}

static enum assist_outcome take_modrm(struct assist_exec *x)
{
	struct assist_insn *insn = &x->insn;
	enum assist_outcome outcome;
	uint8_t modrm;

	outcome = next_byte(x, &modrm);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	insn->has_modrm = true;
	insn->modrm = modrm;
	insn->mod = modrm >> 6;
	insn->reg = (modrm >> 3 & 7) | insn->rex_r;
	insn->rm = (modrm & 7) | insn->rex_b;
	if (insn->mod == 3)
		return ASSIST_COMPLETED;
	if (insn->address_size == 2)
		return ASSIST_UNKNOWN;
	return take_address(x, modrm & 7);
}

enum assist_outcome assist_decode(struct assist_exec *x)
{
	const struct kvm_sregs *sregs = &x->cpu->sregs;
	struct assist_insn *insn = &x->insn;
	enum assist_outcome outcome;
	uint8_t byte;

	*insn = (struct assist_insn){.segment = ASSIST_SEGMENT_DEFAULT};
	insn->mode64 = sregs->efer & EFER_LMA && sregs->cs.l;
	if (!insn->mode64 && (!(sregs->cr0 & CR0_PE) || x->cpu->regs.rflags & RFLAGS_VM || !sregs->cs.db))
		return ASSIST_UNKNOWN;
	insn->address_size = insn->mode64 ? 8 : 4;
	outcome = take_prefixes(x, &byte);
	if (outcome == ASSIST_COMPLETED)
		outcome = take_opcode(x, byte);
	if (outcome == ASSIST_COMPLETED && opcode_has_modrm(insn))
		outcome = take_modrm(x);
	if (outcome == ASSIST_COMPLETED && insn->map == ASSIST_MAP_0F3A)
		outcome = next_byte(x, &insn->immediate);
	return outcome;
}
