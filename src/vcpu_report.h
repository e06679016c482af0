/* SPDX-License-Identifier: Apache-2.0 */
/* What a vCPU was doing, in words: for --timeout, Ctrl-A c and exits that nobody can handle. */
#ifndef VMM_VCPU_REPORT_H
#define VMM_VCPU_REPORT_H

#include <stddef.h>

#include "vcpu.h"

/* On the vCPU's thread: registers and instruction bytes to stderr, the one-line reason into @why. */
void vcpu_report_stuck(struct vcpu *vcpu, char *why, size_t size);

/* While the vCPU is parked: "vCPU 0: RIP 0xffffffff81000000 CPL 0 (halted)" into @buf; returns @buf. */
const char *vcpu_report_position(const struct vcpu *vcpu, char *buf, size_t size);

#endif
