/* SPDX-License-Identifier: Apache-2.0 */
/* Leaf and bit numbers: Intel SDM vol. 2A CPUID; AMD APM vol. 3 appendix E; Linux Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "x86/cpuid.h"

#include <cpuid.h>
#include <string.h>

#define LEAF_FEATURES	  0x1u
#define LEAF_CACHE	  0x4u
#define LEAF_EXT_FEATURES 0x7u
#define LEAF_TOPOLOGY	  0xbu
#define LEAF_XSTATE	  0xdu
#define LEAF_TOPOLOGY_V2  0x1fu
#define LEAF_KVM_FEATURES 0x40000001u
#define LEAF_AMD_FEATURES 0x80000001u
#define LEAF_AMD_SIZES	  0x80000008u
#define LEAF_AMD_CACHE	  0x8000001du
#define LEAF_AMD_TOPOLOGY 0x8000001eu

#define ECX1_VMX	    (1u << 5)
#define ECX1_CX16	    (1u << 13)
#define ECX1_TSC_DEADLINE   (1u << 24)
#define ECX1_HYPERVISOR	    (1u << 31)
#define EDX1_HTT	    (1u << 28)
#define EBX7_ERMS	    (1u << 9)
#define EDX7_FSRM	    (1u << 4)
#define AMD_ECX_CMP_LEGACY  (1u << 1)
#define SIGNATURE_HYGON_EBX 0x6f677948u /* "Hygo" */
#define AMD_ECX_SVM	    (1u << 2)

/*
 * KVM's paravirtual features that need no hypercall: CLOCKSOURCE, NOP_IO_DELAY, CLOCKSOURCE2, CLOCKSOURCE_STABLE_BIT.
 * Where supervisor code is emulated a vmcall never completes, so the others must not be offered.
 */
#define KVM_FEATURES_WITHOUT_HYPERCALLS 0x0100000bu

bool cpuid_host_has_hardware_virtualization(void)
{
	unsigned eax, ebx, ecx, edx;

	if (__get_cpuid(LEAF_FEATURES, &eax, &ebx, &ecx, &edx) && (ecx & ECX1_VMX))
		return true;
	return __get_cpuid(LEAF_AMD_FEATURES, &eax, &ebx, &ecx, &edx) && (ecx & AMD_ECX_SVM);
}

static struct kvm_cpuid_entry2 *find_entry(struct kvm_cpuid_table *table, uint32_t function, uint32_t index)
{
	for (unsigned i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function == function && (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index))
			return e;
	}
	return NULL;
}

/* The entry for @function/@index, appended when it is missing and there is room (NULL otherwise). */
static struct kvm_cpuid_entry2 *find_or_add_indexed(struct kvm_cpuid_table *table, uint32_t function, uint32_t index)
{
	struct kvm_cpuid_entry2 *e = find_entry(table, function, index);

	if (e || table->head.nent == KVM_MAX_CPUID_ENTRIES)
		return e;
	e = &table->entries[table->head.nent++];
	*e = (struct kvm_cpuid_entry2){.function = function, .index = index, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX};
	return e;
}

/* Bits needed to number @count things. */
static unsigned bits_for(unsigned count)
{
	unsigned bits = 0;

	while ((1u << bits) < count)
		bits++;
	return bits;
}

static void set_features(struct kvm_cpuid_table *table, const struct cpuid_request *rq)
{
	struct kvm_cpuid_entry2 *e = find_entry(table, LEAF_FEATURES, 0);

	if (!e)
		return;
	e->ebx = (e->ebx & 0xffffu) | rq->cpu << 24 | (1u << bits_for(rq->nr_cpus)) << 16;
	e->edx = rq->nr_cpus > 1 ? e->edx | EDX1_HTT : e->edx & ~EDX1_HTT;
	e->ecx |= ECX1_HYPERVISOR;
	if (rq->tsc_deadline)
		e->ecx |= ECX1_TSC_DEADLINE;
}

/* Leaves 4 and 0x8000001d: L1 and L2 belong to one core, L3 to all. */
static void set_cache_sharing(struct kvm_cpuid_table *table, uint32_t leaf, const struct cpuid_request *rq)
{
	uint32_t cores = (1u << bits_for(rq->nr_cpus)) - 1;

	for (unsigned i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];
		unsigned type = e->eax & 0x1f, level = (e->eax >> 5) & 7;

		if (e->function != leaf || type == 0)
			continue;
		e->eax &= leaf == LEAF_CACHE ? 0x3fffu : ~(0xfffu << 14);
		e->eax |= (level >= 3 ? cores : 0) << 14;
		if (leaf == LEAF_CACHE)
			e->eax |= (cores & 0x3f) << 26;
	}
}

/* Leaves 0xb and 0x1f: sub-leaf 0 describes threads, 1 cores, 2 ends the list (type 0). */
static void set_topology_leaf(struct kvm_cpuid_table *table, uint32_t leaf, const struct cpuid_request *rq)
{
	static const unsigned thread_type = 1, core_type = 2;

	for (uint32_t index = 0; index < 3; index++) {
		struct kvm_cpuid_entry2 *e = find_or_add_indexed(table, leaf, index);

		if (!e)
			return;
		e->edx = rq->cpu;
		e->eax = index == 1 ? bits_for(rq->nr_cpus) : 0;
		e->ebx = index == 0 ? 1 : index == 1 ? rq->nr_cpus : 0;
		e->ecx = index | (index == 0 ? thread_type : index == 1 ? core_type : 0) << 8;
	}
}

static void set_amd_topology(struct kvm_cpuid_table *table, const struct cpuid_request *rq)
{
	struct kvm_cpuid_entry2 *e = find_entry(table, LEAF_AMD_SIZES, 0);

	if (e)
		e->ecx = (rq->nr_cpus - 1) | bits_for(rq->nr_cpus) << 12;
	e = find_entry(table, LEAF_AMD_TOPOLOGY, 0);
	if (e) {
		e->eax = rq->cpu;
		e->ebx = rq->cpu & 0xff; /* one thread per compute unit */
		e->ecx = 0;		 /* node 0 */
	}
	e = find_entry(table, LEAF_AMD_FEATURES, 0);
	if (e)
		e->ecx = rq->nr_cpus > 1 ? e->ecx | AMD_ECX_CMP_LEGACY : e->ecx & ~AMD_ECX_CMP_LEGACY;
}

/* Takes away what an emulated supervisor cannot do, or does slowly: ERMS and FSRM make the kernel choose `rep stosb`,
 * one emulated step a byte, where `rep stosq` takes one for eight. */
static void mask_for_emulation(struct kvm_cpuid_table *table)
{
	struct kvm_cpuid_entry2 *e = find_entry(table, LEAF_FEATURES, 0);

	if (e)
		e->ecx &= ~ECX1_CX16;
	e = find_entry(table, LEAF_EXT_FEATURES, 0);
	if (e) {
		e->ebx &= ~EBX7_ERMS;
		e->edx &= ~EDX7_FSRM;
	}
	e = find_entry(table, LEAF_KVM_FEATURES, 0);
	if (e)
		e->eax &= KVM_FEATURES_WITHOUT_HYPERCALLS;
}

static bool is_amd(struct kvm_cpuid_table *table)
{
	struct kvm_cpuid_entry2 *e = find_entry(table, 0, 0);

	return e && (e->ebx == signature_AMD_ebx || e->ebx == SIGNATURE_HYGON_EBX);
}

void cpuid_prepare(struct kvm_cpuid_table *table, const struct cpuid_request *rq)
{
	set_features(table, rq);
	set_cache_sharing(table, LEAF_CACHE, rq);
	set_cache_sharing(table, LEAF_AMD_CACHE, rq);
	set_topology_leaf(table, LEAF_TOPOLOGY, rq);
	if (find_entry(table, LEAF_TOPOLOGY_V2, 0))
		set_topology_leaf(table, LEAF_TOPOLOGY_V2, rq);
	if (is_amd(table))
		set_amd_topology(table, rq);
	if (rq->emulated)
		mask_for_emulation(table);
}

void cpuid_xstate_layout(const struct kvm_cpuid_table *table, struct assist_xstate_layout *layout)
{
	memset(layout, 0, sizeof(*layout));
	for (unsigned i = 0; i < table->head.nent; i++) {
		const struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function != LEAF_XSTATE)
			continue;
		if (e->index == 0) {
			layout->supported = (uint64_t)e->edx << 32 | e->eax;
			layout->size = e->ecx;
		} else if (e->index >= 2 && e->index < ARRAY_SIZE(layout->component)) {
			layout->component[e->index].size = e->eax;
			layout->component[e->index].offset = e->ebx;
			layout->component[e->index].align64 = e->ecx & 2;
		}
	}
}
