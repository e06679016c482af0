/* SPDX-License-Identifier: Apache-2.0 */
/* Completed instructions on x87 and SSE control state, FXSAVE and FXRSTOR (SDM vol. 1, 8.1 and 10.5). vCPU thread. */
#include <string.h>

#include "base/endian.h"
#include "x86/assist_xstate.h"

static enum assist_outcome check_x87(struct assist_exec *x)
{
	return x->cpu->sregs.cr0 & (CR0_EM | CR0_TS) ? assist_raise(x, VECTOR_NM) : ASSIST_COMPLETED;
}

static enum assist_outcome check_sse(struct assist_exec *x)
{
	if (x->cpu->sregs.cr0 & CR0_EM || !(x->cpu->sregs.cr4 & CR4_OSFXSR))
		return assist_raise(x, VECTOR_UD);
	return x->cpu->sregs.cr0 & CR0_TS ? assist_raise(x, VECTOR_NM) : ASSIST_COMPLETED;
}

/* An unmasked x87 exception is delivered by the next waiting instruction. With CR0.NE clear it would be the external
 * FERR# and IRQ 13, which no kernel of ours uses. */
static enum assist_outcome check_pending(struct assist_exec *x, const struct assist_xstate *st)
{
	if (!(load_le16(st->area + XAREA_FSW) & FSW_SUMMARY))
		return ASSIST_COMPLETED;
	return x->cpu->sregs.cr0 & CR0_NE ? assist_raise(x, VECTOR_MF) : ASSIST_UNKNOWN;
}

enum assist_outcome assist_do_fwait(struct assist_exec *x)
{
	struct assist_xstate st;
	enum assist_outcome outcome;

	if ((x->cpu->sregs.cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
		return assist_raise(x, VECTOR_NM);
	outcome = assist_xstate_fetch(x, &st);
	return outcome == ASSIST_COMPLETED ? check_pending(x, &st) : outcome;
}

/* The image has the registers from the top of the stack on. */
static void move_top_to_zero(struct assist_xstate *st)
{
	uint16_t fsw = load_le16(st->area + XAREA_FSW);
	uint8_t old[XAREA_ST_END - XAREA_ST];
	unsigned top = fsw >> 11 & 7;

	memcpy(old, st->area + XAREA_ST, sizeof(old));
	for (unsigned i = 0; i < 8; i++)
		memcpy(st->area + XAREA_ST + 16 * ((i + top) & 7), old + 16 * i, 16);
	store_le16(st->area + XAREA_FSW, fsw & 0xc7ff);
}

/* All registers empty, and as with every MMX instruction the top of the stack at 0. */
enum assist_outcome assist_do_emms(struct assist_exec *x)
{
	struct assist_xstate st;
	enum assist_outcome outcome;

	if (x->cpu->sregs.cr0 & CR0_EM)
		return assist_raise(x, VECTOR_UD);
	if (x->cpu->sregs.cr0 & CR0_TS)
		return assist_raise(x, VECTOR_NM);
	outcome = assist_xstate_fetch(x, &st);
	if (outcome == ASSIST_COMPLETED)
		outcome = check_pending(x, &st);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	move_top_to_zero(&st);
	st.area[XAREA_FTW] = 0;
	return assist_xstate_commit(x, &st);
}

/* The registers keep their contents, so the component stays in use. */
enum assist_outcome assist_do_fninit(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);
	struct assist_xstate st;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	move_top_to_zero(&st);
	memset(st.area, 0, XAREA_CONTROL_SIZE);
	store_le16(st.area + XAREA_FCW, FCW_INIT);
	return assist_xstate_commit(x, &st);
}

enum assist_outcome assist_do_fnclex(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);
	struct assist_xstate st;
	uint16_t fsw;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	fsw = load_le16(st.area + XAREA_FSW);
	store_le16(st.area + XAREA_FSW, fsw & 0x7f00);
	return assist_xstate_commit(x, &st);
}

enum assist_outcome assist_do_fldcw(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);
	struct assist_xstate st;
	uint64_t value;
	uint16_t fcw;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome == ASSIST_COMPLETED)
		outcome = check_pending(x, &st);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_rm_read(x, 2, &value);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	fcw = (uint16_t)((value & FCW_WRITABLE) | FCW_ONES);
	store_le16(st.area + XAREA_FCW, fcw);
	assist_xstate_summarize(&st);
	assist_xstate_mark(&st, XSTATE_X87);
	return assist_xstate_commit(x, &st);
}

/* @len bytes at @offset of the image to the memory operand. */
static enum assist_outcome store_field(struct assist_exec *x, uint32_t offset, unsigned len)
{
	struct assist_xstate st;
	enum assist_outcome outcome;
	uint64_t gva;

	outcome = assist_linear(x, len, true, &gva);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	return outcome == ASSIST_COMPLETED ? assist_store(x, gva, st.area + offset, len) : outcome;
}

enum assist_outcome assist_do_fnstcw(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);

	return outcome == ASSIST_COMPLETED ? store_field(x, XAREA_FCW, 2) : outcome;
}

enum assist_outcome assist_do_fnstsw_mem(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);

	return outcome == ASSIST_COMPLETED ? store_field(x, XAREA_FSW, 2) : outcome;
}

enum assist_outcome assist_do_fnstsw_ax(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);
	struct assist_xstate st;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome == ASSIST_COMPLETED)
		assist_gpr_write(x, 0, 2, load_le16(st.area + XAREA_FSW));
	return outcome;
}

enum assist_outcome assist_do_stmxcsr(struct assist_exec *x)
{
	enum assist_outcome outcome = check_sse(x);

	return outcome == ASSIST_COMPLETED ? store_field(x, XAREA_MXCSR, 4) : outcome;
}

enum assist_outcome assist_do_ldmxcsr(struct assist_exec *x)
{
	enum assist_outcome outcome = check_sse(x);
	struct assist_xstate st;
	uint64_t value;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_rm_read(x, 4, &value);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (!assist_xstate_is_valid_mxcsr(&st, (uint32_t)value))
		return assist_raise_code0(x, VECTOR_GP);
	store_le32(st.area + XAREA_MXCSR, (uint32_t)value);
	return assist_xstate_commit(x, &st);
}

static uint32_t fx_size(const struct assist_exec *x)
{
	return x->insn.mode64 ? XAREA_XMM_END : XAREA_XMM + 128;
}

enum assist_outcome assist_do_fxsave(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);
	uint8_t control[XAREA_CONTROL_SIZE];
	struct assist_xarea area;
	struct assist_xstate st;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_open(x, 16, true, &area);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_touch(x, &area, 0, fx_size(x));
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	assist_xstate_control_out(x, &st, control);
	memcpy(st.area, control, sizeof(control));
	assist_xarea_put(&area, 0, st.area, fx_size(x));
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_do_fxrstor(struct assist_exec *x)
{
	enum assist_outcome outcome = check_x87(x);
	uint8_t image[XAREA_XMM_END];
	struct assist_xarea area;
	struct assist_xstate st;

	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_open(x, 16, false, &area);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_load(x, &area, 0, image, fx_size(x));
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xstate_fetch(x, &st);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (!assist_xstate_is_valid_mxcsr(&st, load_le32(image + XAREA_MXCSR)))
		return assist_raise_code0(x, VECTOR_GP);
	/* MXCSR_MASK is the CPU's own. */
	memcpy(image + XAREA_MXCSR_MASK, st.area + XAREA_MXCSR_MASK, 4);
	memcpy(st.area + XAREA_CONTROL_SIZE, image + XAREA_CONTROL_SIZE, fx_size(x) - XAREA_CONTROL_SIZE);
	assist_xstate_take_x87(x, &st, image);
	assist_xstate_mark(&st, XSTATE_X87 | XSTATE_SSE);
	return assist_xstate_commit(x, &st);
}
