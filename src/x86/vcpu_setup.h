/* SPDX-License-Identifier: Apache-2.0 */
/* Architectural state of a vCPU before its first instruction. On the thread that assembles the machine. */
#ifndef VMM_X86_VCPU_SETUP_H
#define VMM_X86_VCPU_SETUP_H

#include "boot/image.h"
#include "kvm/kvm.h"

/* MSRs and local APIC, the same for every vCPU. 0 or -errno. */
MUST_CHECK int vcpu_setup_common(const struct kvm_vcpu *vcpu);

/* Registers of vCPU 0 for @entry: flat segments, and paging by the identity map for IMAGE_CPU_LONG64. 0 or -errno. */
MUST_CHECK int vcpu_setup_boot(const struct kvm_vcpu *vcpu, const struct image_entry *entry);

#endif
