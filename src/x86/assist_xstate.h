/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vCPU's extended state as one XSAVE image in standard format (SDM vol. 1, 13.4), and the guest's save area in
 * memory, whose pages are all translated before the first byte changes. vCPU thread.
 */
#ifndef VMM_X86_ASSIST_XSTATE_H
#define VMM_X86_ASSIST_XSTATE_H

#include "x86/assist_internal.h"

#define XSTATE_X87 (1ULL << 0)
#define XSTATE_SSE (1ULL << 1)
#define XSTATE_AVX (1ULL << 2)

/* Offsets in the legacy region and the header. SDM vol. 1, 10.5.1 and 13.4.2. */
#define XAREA_FCW	 0
#define XAREA_FSW	 2
#define XAREA_FTW	 4
#define XAREA_FOP	 6
#define XAREA_FIP	 8
#define XAREA_FDP	 16
#define XAREA_MXCSR	 24
#define XAREA_MXCSR_MASK 28
#define XAREA_ST	 32
#define XAREA_ST_END	 160
#define XAREA_XMM	 160
#define XAREA_XMM_END	 416
#define XAREA_HEADER	 512
#define XAREA_XSTATE_BV	 512
#define XAREA_XCOMP_BV	 520
#define XAREA_EXTENDED	 576

/* FCW bits 0-5 are masks, 8-12 controls; bit 6 reads as one, the others as zero. */
#define FCW_INIT      0x37f
#define FCW_WRITABLE  0x1f3fu
#define FCW_ONES      0x40u
#define MXCSR_INIT    0x1f80u
#define FSW_SUMMARY   (1u << 7)
#define FSW_BUSY      (1u << 15)
#define FSW_EXCEPTION 0x3fu

struct assist_xstate {
	_Alignas(64) uint8_t area[ASSIST_XSAVE_MAX];
};

/* State components of the image in use (XINUSE). */
uint64_t assist_xstate_in_use(const struct assist_xstate *st);
void assist_xstate_mark(struct assist_xstate *st, uint64_t component);

uint32_t assist_xstate_mxcsr(const struct assist_xstate *st);
/* False for a value with reserved bits set, which must fault. */
bool assist_xstate_is_valid_mxcsr(const struct assist_xstate *st, uint32_t mxcsr);

/* Fetches the image; components not in use hold their initial values in it. Then back. */
enum assist_outcome assist_xstate_fetch(struct assist_exec *x, struct assist_xstate *st);
enum assist_outcome assist_xstate_commit(struct assist_exec *x, struct assist_xstate *st);
/* Gives components (bits of @components) their initial values and marks them so. Not MXCSR. */
void assist_xstate_init(const struct assist_exec *x, struct assist_xstate *st, uint64_t components);

/* The bytes of an extended component (2 and up) that the current mode saves: outside 64-bit code the upper eight
 * registers are left alone. */
uint32_t assist_xstate_component_size(const struct assist_exec *x, unsigned component);

/* FSW's two summary bits follow from its exception flags and FCW's masks, whatever was loaded. */
void assist_xstate_summarize(struct assist_xstate *st);

/* The 24 bytes before MXCSR, which without REX.W hold 32-bit pointers and selectors. */
#define XAREA_CONTROL_SIZE 24
void assist_xstate_control_out(const struct assist_exec *x, const struct assist_xstate *st,
			       uint8_t control[XAREA_CONTROL_SIZE]);
/* The x87 component as the CPU would load it: @control taken in, and of the registers, which the caller has put into
 * the image, what exists. */
void assist_xstate_take_x87(const struct assist_exec *x, struct assist_xstate *st,
			    const uint8_t control[XAREA_CONTROL_SIZE]);

/* The area in guest memory. */
struct assist_xarea {
	uint64_t gva;
	bool write;
	uint8_t *page[PAGING_MAX_PAGES]; /* host view of each guest page touched */
};

/* The operand, aligned to @align bytes or #GP(0). */
enum assist_outcome assist_xarea_open(struct assist_exec *x, unsigned align, bool write, struct assist_xarea *area);
/* Translates the pages of [offset, offset + len); only then may it be copied. */
enum assist_outcome assist_xarea_touch(struct assist_exec *x, struct assist_xarea *area, uint32_t offset, uint32_t len);
void assist_xarea_get(const struct assist_xarea *area, uint32_t offset, void *buf, uint32_t len);
void assist_xarea_put(const struct assist_xarea *area, uint32_t offset, const void *buf, uint32_t len);
/* touch and get in one. */
enum assist_outcome assist_xarea_load(struct assist_exec *x, struct assist_xarea *area, uint32_t offset, void *buf,
				      uint32_t len);

#endif
