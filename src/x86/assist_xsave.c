/* SPDX-License-Identifier: Apache-2.0 */
/* XGETBV, XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS as SDM vol. 1, chapter 13 has them. vCPU thread. */
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "x86/assist_xstate.h"

#define XCOMP_COMPACTED (1ULL << 63)

/* Two legacy pieces of x87, XMM, MXCSR, header, and every extended component. */
#define MAX_PIECES (5 + 62)

struct pieces {
	struct {
		uint32_t offset, len;
		const void *from;
	} piece[MAX_PIECES];
	unsigned nr;
};

/* What the instruction reads of the vCPU besides its registers. */
struct request {
	uint64_t xcr0;
	uint64_t rfbm; /* SDM vol. 1, 13.3: requested-feature bitmap */
	struct assist_xstate st;
};

static enum assist_outcome check_enabled(struct assist_exec *x)
{
	if (!(x->cpu->sregs.cr4 & CR4_OSXSAVE))
		return assist_raise(x, VECTOR_UD);
	return x->cpu->sregs.cr0 & CR0_TS ? assist_raise(x, VECTOR_NM) : ASSIST_COMPLETED;
}

static enum assist_outcome begin(struct assist_exec *x, struct request *rq)
{
	const struct assist_cpu *cpu = x->cpu;
	uint64_t mask = cpu->regs.rdx << 32 | (uint32_t)cpu->regs.rax;
	int err = cpu->ops->get_xcr0(cpu->opaque, &rq->xcr0);

	if (err)
		return assist_fail(x, err);
	rq->rfbm = rq->xcr0 & mask;
	return assist_xstate_fetch(x, &rq->st);
}

/* XSAVES and XRSTORS: at CPL 0, and with no supervisor state enabled, as KVM's image carries none. */
static enum assist_outcome check_supervisor(struct assist_exec *x)
{
	enum assist_outcome outcome = check_enabled(x);
	uint64_t xss;
	int err;

	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (assist_cpl(x->cpu))
		return assist_raise_code0(x, VECTOR_GP);
	err = x->cpu->ops->get_xss(x->cpu->opaque, &xss);
	if (err)
		return assist_fail(x, err);
	return xss ? ASSIST_UNKNOWN : ASSIST_COMPLETED;
}

enum assist_outcome assist_do_xgetbv(struct assist_exec *x)
{
	struct kvm_regs *regs = &x->cpu->regs;
	struct assist_xstate st;
	enum assist_outcome outcome;
	uint64_t value;
	int err;

	if (!(x->cpu->sregs.cr4 & CR4_OSXSAVE))
		return assist_raise(x, VECTOR_UD);
	if ((uint32_t)regs->rcx > 1)
		return assist_raise_code0(x, VECTOR_GP);
	err = x->cpu->ops->get_xcr0(x->cpu->opaque, &value);
	if (err)
		return assist_fail(x, err);
	if ((uint32_t)regs->rcx == 1) {
		outcome = assist_xstate_fetch(x, &st);
		if (outcome != ASSIST_COMPLETED)
			return outcome;
		value &= assist_xstate_in_use(&st);
	}
	regs->rax = (uint32_t)value;
	regs->rdx = value >> 32;
	return ASSIST_COMPLETED;
}

static void add_piece(struct pieces *p, uint32_t offset, uint32_t len, const void *from)
{
	ASSERT(p->nr < MAX_PIECES);
	p->piece[p->nr].offset = offset;
	p->piece[p->nr].len = len;
	p->piece[p->nr++].from = from;
}

/* Where each component of @components (XCOMP_BV) lies in the compacted format. SDM vol. 1, 13.4.3. */
static void lay_out_compacted(const struct assist_xstate_layout *layout, uint64_t components, uint32_t offsets[63])
{
	uint32_t at = XAREA_EXTENDED;

	for (unsigned i = 2; i < 63; i++) {
		if (!(components >> i & 1))
			continue;
		if (layout->component[i].align64)
			at = (uint32_t)align_up(at, 64);
		offsets[i] = at;
		at += layout->component[i].size;
	}
}

static void lay_out_standard(const struct assist_xstate_layout *layout, uint32_t offsets[63])
{
	for (unsigned i = 2; i < 63; i++)
		offsets[i] = layout->component[i].offset;
}

static void add_components(const struct assist_exec *x, const struct assist_xstate *st, uint64_t saved,
			   const uint32_t offsets[63], struct pieces *p)
{
	if (saved & XSTATE_SSE)
		add_piece(p, XAREA_XMM, x->insn.mode64 ? XAREA_XMM_END - XAREA_XMM : 128, st->area + XAREA_XMM);
	for (unsigned i = 2; i < 63; i++) {
		if (saved >> i & 1)
			add_piece(p, offsets[i], assist_xstate_component_size(x, i),
				  st->area + x->cpu->xlayout->component[i].offset);
	}
}

static enum assist_outcome write_pieces(struct assist_exec *x, struct assist_xarea *area, const struct pieces *p)
{
	for (unsigned i = 0; i < p->nr; i++) {
		enum assist_outcome outcome = assist_xarea_touch(x, area, p->piece[i].offset, p->piece[i].len);

		if (outcome != ASSIST_COMPLETED)
			return outcome;
	}
	for (unsigned i = 0; i < p->nr; i++)
		assist_xarea_put(area, p->piece[i].offset, p->piece[i].from, p->piece[i].len);
	return ASSIST_COMPLETED;
}

/* XSAVE and XSAVEOPT; the latter leaves components in their initial state unwritten. SDM vol. 1, 13.7 and 13.9. */
static enum assist_outcome save_standard(struct assist_exec *x, bool skip_initial)
{
	enum assist_outcome outcome = check_enabled(x);
	uint8_t control[XAREA_CONTROL_SIZE], header[8];
	struct pieces p = {.nr = 0};
	struct assist_xarea area;
	uint32_t offsets[63];
	uint64_t in_use, saved;
	struct request rq;

	if (outcome == ASSIST_COMPLETED)
		outcome = begin(x, &rq);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_open(x, 64, true, &area);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_load(x, &area, XAREA_XSTATE_BV, header, sizeof(header));
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	in_use = assist_xstate_in_use(&rq.st);
	saved = skip_initial ? rq.rfbm & in_use : rq.rfbm;
	if (saved & XSTATE_X87) {
		assist_xstate_control_out(x, &rq.st, control);
		add_piece(&p, 0, sizeof(control), control);
		add_piece(&p, XAREA_ST, XAREA_ST_END - XAREA_ST, rq.st.area + XAREA_ST);
	}
	if (rq.rfbm & (XSTATE_SSE | XSTATE_AVX))
		add_piece(&p, XAREA_MXCSR, 8, rq.st.area + XAREA_MXCSR);
	lay_out_standard(x->cpu->xlayout, offsets);
	add_components(x, &rq.st, saved, offsets, &p);
	store_le64(header, (load_le64(header) & ~rq.rfbm) | (in_use & rq.rfbm));
	add_piece(&p, XAREA_XSTATE_BV, sizeof(header), header);
	return write_pieces(x, &area, &p);
}

/* XSAVEC, and XSAVES while no supervisor state is enabled. SDM vol. 1, 13.10 and 13.11. */
static enum assist_outcome save_compacted(struct assist_exec *x)
{
	uint8_t control[XAREA_CONTROL_SIZE], header[16];
	struct pieces p = {.nr = 0};
	enum assist_outcome outcome;
	struct assist_xarea area;
	uint32_t offsets[63];
	struct request rq;
	uint64_t saved;

	outcome = begin(x, &rq);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_open(x, 64, true, &area);
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	/* Here MXCSR counts as SSE state, although XINUSE tells of the XMM registers only. */
	if (assist_xstate_mxcsr(&rq.st) != MXCSR_INIT)
		assist_xstate_mark(&rq.st, XSTATE_SSE);
	saved = rq.rfbm & assist_xstate_in_use(&rq.st);
	if (saved & XSTATE_X87) {
		assist_xstate_control_out(x, &rq.st, control);
		add_piece(&p, 0, sizeof(control), control);
		add_piece(&p, XAREA_ST, XAREA_ST_END - XAREA_ST, rq.st.area + XAREA_ST);
	}
	if (saved & XSTATE_SSE)
		add_piece(&p, XAREA_MXCSR, 8, rq.st.area + XAREA_MXCSR);
	lay_out_compacted(x->cpu->xlayout, rq.rfbm, offsets);
	add_components(x, &rq.st, saved, offsets, &p);
	store_le64(header, saved);
	store_le64(header + 8, rq.rfbm | XCOMP_COMPACTED);
	add_piece(&p, XAREA_XSTATE_BV, sizeof(header), header);
	return write_pieces(x, &area, &p);
}

enum assist_outcome assist_do_xsave(struct assist_exec *x)
{
	return save_standard(x, false);
}

enum assist_outcome assist_do_xsaveopt(struct assist_exec *x)
{
	return save_standard(x, true);
}

enum assist_outcome assist_do_xsavec(struct assist_exec *x)
{
	enum assist_outcome outcome = check_enabled(x);

	return outcome == ASSIST_COMPLETED ? save_compacted(x) : outcome;
}

enum assist_outcome assist_do_xsaves(struct assist_exec *x)
{
	enum assist_outcome outcome = check_supervisor(x);

	return outcome == ASSIST_COMPLETED ? save_compacted(x) : outcome;
}

/* SDM vol. 1, 13.8: what of the header makes XRSTOR fault. */
static bool is_valid_header(const uint8_t header[64], uint64_t xcr0)
{
	uint64_t xstate_bv = load_le64(header), xcomp_bv = load_le64(header + 8);
	unsigned reserved_end = 64;

	if (xcomp_bv & XCOMP_COMPACTED) {
		if (xcomp_bv & ~XCOMP_COMPACTED & ~xcr0 || xstate_bv & ~xcomp_bv || xstate_bv & XCOMP_COMPACTED)
			return false;
	} else {
		reserved_end = 24;
		if (xcomp_bv || xstate_bv & ~xcr0)
			return false;
	}
	for (unsigned i = 16; i < reserved_end; i++) {
		if (header[i])
			return false;
	}
	return true;
}

static enum assist_outcome restore_x87(struct assist_exec *x, struct assist_xarea *area, struct assist_xstate *st)
{
	uint8_t control[XAREA_CONTROL_SIZE];
	enum assist_outcome outcome;

	outcome = assist_xarea_load(x, area, 0, control, sizeof(control));
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_load(x, area, XAREA_ST, st->area + XAREA_ST, XAREA_ST_END - XAREA_ST);
	if (outcome == ASSIST_COMPLETED)
		assist_xstate_take_x87(x, st, control);
	return outcome;
}

/* The standard format always loads MXCSR with SSE or AVX; the compacted one treats it as part of the SSE component. */
static enum assist_outcome restore_mxcsr(struct assist_exec *x, struct assist_xarea *area, struct request *rq,
					 uint64_t xstate_bv, bool compacted)
{
	uint8_t mxcsr[4];
	enum assist_outcome outcome;

	if (!(rq->rfbm & (compacted ? XSTATE_SSE : XSTATE_SSE | XSTATE_AVX)))
		return ASSIST_COMPLETED;
	if (compacted && !(xstate_bv & XSTATE_SSE)) {
		store_le32(rq->st.area + XAREA_MXCSR, MXCSR_INIT);
		return ASSIST_COMPLETED;
	}
	outcome = assist_xarea_load(x, area, XAREA_MXCSR, mxcsr, sizeof(mxcsr));
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	if (!assist_xstate_is_valid_mxcsr(&rq->st, load_le32(mxcsr)))
		return assist_raise_code0(x, VECTOR_GP);
	memcpy(rq->st.area + XAREA_MXCSR, mxcsr, sizeof(mxcsr));
	return ASSIST_COMPLETED;
}

/* SSE's registers and the extended components, @restored from the area. */
static enum assist_outcome restore_components(struct assist_exec *x, struct assist_xarea *area,
					      struct assist_xstate *st, uint64_t restored, const uint32_t offsets[63])
{
	enum assist_outcome outcome = ASSIST_COMPLETED;

	if (restored & XSTATE_SSE)
		outcome = assist_xarea_load(x, area, XAREA_XMM, st->area + XAREA_XMM,
					    x->insn.mode64 ? XAREA_XMM_END - XAREA_XMM : 128);
	for (unsigned i = 2; i < 63 && outcome == ASSIST_COMPLETED; i++) {
		if (restored >> i & 1)
			outcome =
				assist_xarea_load(x, area, offsets[i], st->area + x->cpu->xlayout->component[i].offset,
						  assist_xstate_component_size(x, i));
	}
	return outcome;
}

static enum assist_outcome restore(struct assist_exec *x, bool only_compacted)
{
	enum assist_outcome outcome;
	struct assist_xarea area;
	uint64_t xstate_bv, xcomp_bv;
	uint32_t offsets[63];
	uint8_t header[64];
	struct request rq;

	outcome = begin(x, &rq);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_open(x, 64, false, &area);
	if (outcome == ASSIST_COMPLETED)
		outcome = assist_xarea_load(x, &area, XAREA_HEADER, header, sizeof(header));
	if (outcome != ASSIST_COMPLETED)
		return outcome;
	xstate_bv = load_le64(header);
	xcomp_bv = load_le64(header + 8);
	if (!is_valid_header(header, rq.xcr0) || (only_compacted && !(xcomp_bv & XCOMP_COMPACTED)))
		return assist_raise_code0(x, VECTOR_GP);
	if (xcomp_bv & XCOMP_COMPACTED)
		lay_out_compacted(x->cpu->xlayout, xcomp_bv, offsets);
	else
		lay_out_standard(x->cpu->xlayout, offsets);
	assist_xstate_init(x, &rq.st, rq.rfbm & ~xstate_bv);
	assist_xstate_mark(&rq.st, rq.rfbm & xstate_bv);
	outcome = restore_mxcsr(x, &area, &rq, xstate_bv, xcomp_bv & XCOMP_COMPACTED);
	if (outcome == ASSIST_COMPLETED && rq.rfbm & xstate_bv & XSTATE_X87)
		outcome = restore_x87(x, &area, &rq.st);
	if (outcome == ASSIST_COMPLETED)
		outcome = restore_components(x, &area, &rq.st, rq.rfbm & xstate_bv, offsets);
	/* Nothing has reached the vCPU so far: a fault above leaves its state as it was. */
	return outcome == ASSIST_COMPLETED ? assist_xstate_commit(x, &rq.st) : outcome;
}

enum assist_outcome assist_do_xrstor(struct assist_exec *x)
{
	enum assist_outcome outcome = check_enabled(x);

	return outcome == ASSIST_COMPLETED ? restore(x, false) : outcome;
}

enum assist_outcome assist_do_xrstors(struct assist_exec *x)
{
	enum assist_outcome outcome = check_supervisor(x);

	return outcome == ASSIST_COMPLETED ? restore(x, true) : outcome;
}
