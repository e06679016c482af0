/* SPDX-License-Identifier: Apache-2.0 */
#include "x86/assist_xstate.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"

uint64_t assist_xstate_in_use(const struct assist_xstate *st)
{
	return load_le64(st->area + XAREA_XSTATE_BV);
}

void assist_xstate_mark(struct assist_xstate *st, uint64_t component)
{
	store_le64(st->area + XAREA_XSTATE_BV, assist_xstate_in_use(st) | component);
}

uint32_t assist_xstate_mxcsr(const struct assist_xstate *st)
{
	return load_le32(st->area + XAREA_MXCSR);
}

bool assist_xstate_is_valid_mxcsr(const struct assist_xstate *st, uint32_t mxcsr)
{
	uint32_t mask = load_le32(st->area + XAREA_MXCSR_MASK);

	/* SDM vol. 1, 11.6.6: a mask of zero stands for this one. */
	return !(mxcsr & ~(mask ? mask : 0xffbfu));
}

void assist_xstate_init(const struct assist_exec *x, struct assist_xstate *st, uint64_t components)
{
	uint64_t in_use = assist_xstate_in_use(st);

	if (components & XSTATE_X87) {
		memset(st->area, 0, XAREA_CONTROL_SIZE);
		memset(st->area + XAREA_ST, 0, XAREA_ST_END - XAREA_ST);
		store_le16(st->area + XAREA_FCW, FCW_INIT);
	}
	if (components & XSTATE_SSE)
		memset(st->area + XAREA_XMM, 0, x->insn.mode64 ? XAREA_XMM_END - XAREA_XMM : 128);
	for (unsigned i = 2; i < 63; i++) {
		if (components >> i & 1)
			memset(st->area + x->cpu->xlayout->component[i].offset, 0, assist_xstate_component_size(x, i));
	}
	/* Outside 64-bit code the upper registers kept their values: the component may still be in use. */
	if (!x->insn.mode64)
		components &= XSTATE_X87;
	store_le64(st->area + XAREA_XSTATE_BV, in_use & ~components);
}

static bool layout_fits(const struct assist_xstate_layout *layout)
{
	for (unsigned i = 2; i < 63; i++) {
		if (layout->component[i].size && layout->component[i].offset < XAREA_EXTENDED)
			return false;
		if (!range_within(layout->component[i].offset, layout->component[i].size, ASSIST_XSAVE_MAX))
			return false;
	}
	return true;
}

enum assist_outcome assist_xstate_fetch(struct assist_exec *x, struct assist_xstate *st)
{
	const struct assist_cpu *cpu = x->cpu;
	uint64_t absent;
	int err;

	if (!layout_fits(cpu->xlayout))
		return assist_fail(x, -E2BIG);
	memset(st, 0, sizeof(*st));
	err = cpu->ops->get_xsave(cpu->opaque, st->area);
	if (err)
		return assist_fail(x, err);
	absent = ~assist_xstate_in_use(st);
	/* The upper registers too, whatever the mode. */
	assist_xstate_init(&(struct assist_exec){.cpu = x->cpu, .insn.mode64 = true}, st, absent);
	return ASSIST_COMPLETED;
}

enum assist_outcome assist_xstate_commit(struct assist_exec *x, struct assist_xstate *st)
{
	int err;

	/* KVM takes MXCSR from the image only together with the SSE component. */
	if (assist_xstate_mxcsr(st) != MXCSR_INIT)
		assist_xstate_mark(st, XSTATE_SSE);
	err = x->cpu->ops->set_xsave(x->cpu->opaque, st->area);
	return err ? assist_fail(x, err) : ASSIST_COMPLETED;
}

/* SDM vol. 1, 13.5.2, 13.5.3, 13.5.5: eight registers of each kind outside 64-bit code. */
uint32_t assist_xstate_component_size(const struct assist_exec *x, unsigned component)
{
	uint32_t size = x->cpu->xlayout->component[component].size;

	if (x->insn.mode64)
		return size;
	if (component == 2 || component == 6)
		return size / 2;
	return component == 7 ? 0 : size;
}

void assist_xstate_control_out(const struct assist_exec *x, const struct assist_xstate *st,
			       uint8_t control[XAREA_CONTROL_SIZE])
{
	memcpy(control, st->area, XAREA_CONTROL_SIZE);
	if (x->insn.rex_w)
		return;
	/* The selectors read as zero, as on CPUs that no longer keep them. */
	memset(control + XAREA_FIP + 4, 0, 4);
	memset(control + XAREA_FDP + 4, 0, 4);
}

void assist_xstate_summarize(struct assist_xstate *st)
{
	uint16_t fcw = load_le16(st->area + XAREA_FCW), fsw = load_le16(st->area + XAREA_FSW);
	uint16_t summary = FSW_SUMMARY | FSW_BUSY;

	if (fsw & ~fcw & FSW_EXCEPTION)
		fsw |= summary;
	else
		fsw &= (uint16_t)~summary;
	store_le16(st->area + XAREA_FSW, fsw);
}

void assist_xstate_take_x87(const struct assist_exec *x, struct assist_xstate *st,
			    const uint8_t control[XAREA_CONTROL_SIZE])
{
	memcpy(st->area, control, XAREA_CONTROL_SIZE);
	store_le16(st->area + XAREA_FCW, (load_le16(st->area + XAREA_FCW) & FCW_WRITABLE) | FCW_ONES);
	assist_xstate_summarize(st);
	st->area[XAREA_FTW + 1] = 0;
	st->area[XAREA_FOP + 1] &= 7;
	/* A register has ten bytes of its sixteen. */
	for (unsigned i = XAREA_ST; i < XAREA_ST_END; i += 16)
		memset(st->area + i + 10, 0, 6);
	if (x->insn.rex_w)
		return;
	memset(st->area + XAREA_FIP + 4, 0, 4);
	memset(st->area + XAREA_FDP + 4, 0, 4);
}

enum assist_outcome assist_xarea_open(struct assist_exec *x, unsigned align, bool write, struct assist_xarea *area)
{
	enum assist_outcome outcome;

	*area = (struct assist_xarea){.write = write};
	outcome = assist_linear(x, XAREA_HEADER, write, &area->gva);
	if (outcome == ASSIST_COMPLETED && area->gva % align)
		return assist_raise_code0(x, VECTOR_GP);
	return outcome;
}

enum assist_outcome assist_xarea_touch(struct assist_exec *x, struct assist_xarea *area, uint32_t offset, uint32_t len)
{
	uint64_t start = area->gva & (GUEST_PAGE_SIZE - 1);
	uint64_t first, last;

	if (!len)
		return ASSIST_COMPLETED;
	/* No layout that fits our image reaches so far: a guest's XCOMP_BV may still ask for it. */
	if (!range_within(offset, len, ASSIST_XSAVE_MAX))
		return assist_fail(x, -E2BIG);
	first = (start + offset) / GUEST_PAGE_SIZE;
	last = (start + offset + len - 1) / GUEST_PAGE_SIZE;
	for (uint64_t i = first; i <= last; i++) {
		/* The first byte touched is what CR2 must show. */
		uint64_t gva = i == first ? area->gva + offset : area->gva - start + i * GUEST_PAGE_SIZE;
		enum assist_outcome outcome;
		void *host;

		if (area->page[i])
			continue;
		if (x->insn.mode64 && !assist_is_canonical(x->cpu, gva))
			return assist_raise_code0(x, VECTOR_GP);
		outcome = assist_host_view(x, gva, 1, area->write, &host);
		if (outcome != ASSIST_COMPLETED)
			return outcome;
		area->page[i] = (uint8_t *)host - (gva & (GUEST_PAGE_SIZE - 1));
	}
	return ASSIST_COMPLETED;
}

/* Host view of @offset, and in *@len how many of the bytes asked for lie in the same page. */
static uint8_t *view(const struct assist_xarea *area, uint32_t offset, uint32_t *len)
{
	uint64_t at = (area->gva & (GUEST_PAGE_SIZE - 1)) + offset;
	uint64_t room = GUEST_PAGE_SIZE - at % GUEST_PAGE_SIZE;

	if (*len > room)
		*len = (uint32_t)room;
	return area->page[at / GUEST_PAGE_SIZE] + at % GUEST_PAGE_SIZE;
}

void assist_xarea_get(const struct assist_xarea *area, uint32_t offset, void *buf, uint32_t len)
{
	uint8_t *to = buf;

	for (uint32_t done = 0, piece; done < len; done += piece) {
		const uint8_t *host;

		piece = len - done;
		host = view(area, offset + done, &piece);
		memcpy(to + done, host, piece);
	}
}

void assist_xarea_put(const struct assist_xarea *area, uint32_t offset, const void *buf, uint32_t len)
{
	const uint8_t *from = buf;

	for (uint32_t done = 0, piece; done < len; done += piece) {
		uint8_t *host;

		piece = len - done;
		host = view(area, offset + done, &piece);
		memcpy(host, from + done, piece);
	}
}

enum assist_outcome assist_xarea_load(struct assist_exec *x, struct assist_xarea *area, uint32_t offset, void *buf,
				      uint32_t len)
{
	enum assist_outcome outcome = assist_xarea_touch(x, area, offset, len);

	if (outcome == ASSIST_COMPLETED)
		assist_xarea_get(area, offset, buf, len);
	return outcome;
}
