/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as KVM reports them on an Intel and on an AMD host, and the machine they must become. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "x86/cpuid.h"

#define X2APIC	     (1u << 21)
#define CX16	     (1u << 13)
#define TSC_DEADLINE (1u << 24)
#define HYPERVISOR   (1u << 31)
#define HTT	     (1u << 28)
#define ERMS	     (1u << 9)
#define FSRM	     (1u << 4)
#define CMP_LEGACY   (1u << 1)

#define INDEXED KVM_CPUID_FLAG_SIGNIFCANT_INDEX

/* Intel SDM vol. 2A, CPUID leaf 4: type in bits 0-4, level in 5-7. */
#define CACHE(type, level) ((type) | (level) << 5 | 1u << 8 | 0x7u << 14 | 0x1fu << 26)

static const struct kvm_cpuid_entry2 intel[] = {
	{.function = 0, .eax = 0x1f, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69},
	{.function = 1, .eax = 0x806f8, .ebx = 0xff200800, .ecx = X2APIC | CX16, .edx = 0x0f8bfbff | HTT},
	{.function = 4, .index = 0, .flags = INDEXED, .eax = CACHE(1, 1)},
	{.function = 4, .index = 1, .flags = INDEXED, .eax = CACHE(2, 1)},
	{.function = 4, .index = 2, .flags = INDEXED, .eax = CACHE(3, 2)},
	{.function = 4, .index = 3, .flags = INDEXED, .eax = CACHE(3, 3)},
	{.function = 4, .index = 4, .flags = INDEXED},
	{.function = 7, .index = 0, .flags = INDEXED, .ebx = ERMS | 1, .edx = FSRM | 1},
	{.function = 0xb, .index = 0, .flags = INDEXED, .edx = 0x77},
	{.function = 0x1f, .index = 0, .flags = INDEXED},
	{.function = 0x40000000, .eax = 0x40000001},
	{.function = 0x40000001, .eax = 0x01007efb},
	{.function = 0x80000001, .ecx = 0x121, .edx = 0x2c100800},
	{.function = 0x80000008, .eax = 0x3034},
};

static const struct kvm_cpuid_entry2 amd[] = {
	{.function = 0, .eax = 0x10, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65},
	{.function = 1, .eax = 0xa00f11, .ebx = 0x01080800, .ecx = X2APIC | CX16 | HYPERVISOR, .edx = 0x178bfbff},
	{.function = 7, .index = 0, .flags = INDEXED, .ebx = ERMS, .edx = FSRM},
	{.function = 0x40000001, .eax = 0x01007efb},
	{.function = 0x80000001, .ecx = 0x75c237ff, .edx = 0x2fd3fbff},
	{.function = 0x80000008, .eax = 0x3030, .ecx = 0x707f},
	{.function = 0x8000001d, .index = 0, .flags = INDEXED, .eax = CACHE(1, 1)},
	{.function = 0x8000001d, .index = 3, .flags = INDEXED, .eax = CACHE(3, 3)},
	{.function = 0x8000001e, .eax = 0x55, .ebx = 0x155, .ecx = 0x301},
};

/* What must follow from the number of CPUs: bits of an APIC id. */
static const struct {
	unsigned cpus, bits;
} sizes[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {64, 6}};

static struct kvm_cpuid_table table;

static void fill(const struct kvm_cpuid_entry2 *entries, unsigned count)
{
	memset(&table, 0, sizeof(table));
	table.head.nent = count;
	if (count)
		memcpy(table.entries, entries, count * sizeof(*entries));
}

#define FILL(entries) fill(entries, ARRAY_SIZE(entries))

static const struct kvm_cpuid_entry2 *find(uint32_t function, uint32_t index)
{
	const struct kvm_cpuid_entry2 *found = NULL;

	for (unsigned i = 0; i < table.head.nent; i++) {
		if (table.entries[i].function != function || table.entries[i].index != index)
			continue;
		assert_null(found); /* never twice */
		found = &table.entries[i];
	}
	return found;
}

static const struct kvm_cpuid_entry2 *get(uint32_t function, uint32_t index)
{
	const struct kvm_cpuid_entry2 *e = find(function, index);

	assert_non_null(e);
	return e;
}

static void prepare(unsigned cpu, unsigned nr_cpus)
{
	const struct cpuid_request request = {.cpu = cpu, .nr_cpus = nr_cpus};

	cpuid_prepare(&table, &request);
}

static void assert_topology_leaf(uint32_t leaf, unsigned cpu, unsigned cpus, unsigned bits)
{
	const struct kvm_cpuid_entry2 *threads = get(leaf, 0), *cores = get(leaf, 1), *end = get(leaf, 2);

	assert_int_equal(threads->eax, 0);
	assert_int_equal(threads->ebx, 1);
	assert_int_equal(threads->ecx, 0x100);
	assert_int_equal(cores->eax, bits);
	assert_int_equal(cores->ebx, cpus);
	assert_int_equal(cores->ecx, 0x201);
	assert_int_equal(end->ebx, 0);
	assert_int_equal(end->ecx, 0x002); /* type 0 ends the list */
	assert_int_equal(threads->edx, cpu);
	assert_int_equal(cores->edx, cpu);
	assert_int_equal(end->edx, cpu);
	assert_int_equal(threads->flags & cores->flags & end->flags & INDEXED, INDEXED);
}

static void assert_features(unsigned cpu, unsigned cpus, unsigned bits)
{
	const struct kvm_cpuid_entry2 *e = get(1, 0);

	assert_int_equal(e->ebx >> 24, cpu);
	assert_int_equal(e->ebx >> 16 & 0xff, 1u << bits);
	assert_int_equal(e->ebx & 0xffff, 0x0800);
	assert_int_equal(e->edx & HTT, cpus > 1 ? HTT : 0);
	assert_int_equal(e->ecx, X2APIC | CX16 | HYPERVISOR);
}

static void intel_topology_follows_the_number_of_cpus(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned cpus = sizes[i].cpus, bits = sizes[i].bits, shared = (1u << bits) - 1;

		FILL(intel);
		prepare(cpus - 1, cpus);
		assert_features(cpus - 1, cpus, bits);
		assert_topology_leaf(0xb, cpus - 1, cpus, bits);
		assert_topology_leaf(0x1f, cpus - 1, cpus, bits);
		for (unsigned cache = 0; cache < 4; cache++) {
			assert_int_equal(get(4, cache)->eax >> 14 & 0xfff, cache == 3 ? shared : 0);
			assert_int_equal(get(4, cache)->eax >> 26, shared);
			assert_int_equal(get(4, cache)->eax & 0x3fff, intel[2 + cache].eax & 0x3fff);
		}
		assert_int_equal(get(4, 4)->eax, 0);
		assert_int_equal(get(0x80000008, 0)->ecx, 0); /* AMD's alone */
	}
}

static void amd_topology_follows_the_number_of_cpus(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned cpus = sizes[i].cpus, bits = sizes[i].bits;

		FILL(amd);
		prepare(cpus - 1, cpus);
		assert_features(cpus - 1, cpus, bits);
		assert_int_equal(get(0x80000008, 0)->ecx, (cpus - 1) | bits << 12);
		assert_int_equal(get(0x8000001e, 0)->eax, cpus - 1);
		assert_int_equal(get(0x8000001e, 0)->ebx, cpus - 1);
		assert_int_equal(get(0x8000001e, 0)->ecx, 0);
		assert_int_equal(get(0x80000001, 0)->ecx & CMP_LEGACY, cpus > 1 ? CMP_LEGACY : 0);
		assert_int_equal(get(0x8000001d, 0)->eax >> 14 & 0xfff, 0);
		assert_int_equal(get(0x8000001d, 3)->eax >> 14 & 0xfff, (1u << bits) - 1);
		assert_int_equal(get(0x8000001d, 3)->eax >> 26, 0x1f); /* reserved there: left alone */
	}
}

static void a_missing_topology_leaf_is_added(void **state)
{
	(void)state;
	FILL(amd);
	prepare(2, 3);
	assert_topology_leaf(0xb, 2, 3, 2);
	assert_int_equal(table.head.nent, ARRAY_SIZE(amd) + 3);
	assert_null(find(0x1f, 0));
}

static void every_cpu_has_its_own_id(void **state)
{
	(void)state;
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		FILL(intel);
		prepare(cpu, 64);
		assert_features(cpu, 64, 6);
		assert_topology_leaf(0xb, cpu, 64, 6);
	}
}

static void preparing_twice_changes_nothing_more(void **state)
{
	static struct kvm_cpuid_table once;

	(void)state;
	FILL(intel);
	prepare(1, 2);
	once = table;
	prepare(1, 2);
	assert_memory_equal(&table, &once, sizeof(table));
}

static void only_an_emulated_supervisor_loses_features(void **state)
{
	struct cpuid_request request = {.nr_cpus = 1};

	(void)state;
	FILL(intel);
	cpuid_prepare(&table, &request);
	assert_int_equal(get(1, 0)->ecx & CX16, CX16);
	assert_int_equal(get(7, 0)->ebx, ERMS | 1);
	assert_int_equal(get(7, 0)->edx, FSRM | 1);
	assert_int_equal(get(0x40000001, 0)->eax, 0x01007efb);
	request.emulated = true;
	FILL(intel);
	cpuid_prepare(&table, &request);
	assert_int_equal(get(1, 0)->ecx, X2APIC | HYPERVISOR);
	assert_int_equal(get(7, 0)->ebx, 1);
	assert_int_equal(get(7, 0)->edx, 1);
	assert_int_equal(get(0x40000001, 0)->eax, 0x0100000b);
}

static void the_deadline_timer_is_shown_when_kvm_has_it(void **state)
{
	const struct cpuid_request request = {.nr_cpus = 1, .tsc_deadline = true};

	(void)state;
	FILL(amd);
	cpuid_prepare(&table, &request);
	assert_int_equal(get(1, 0)->ecx & TSC_DEADLINE, TSC_DEADLINE);
	FILL(amd);
	prepare(0, 1);
	assert_int_equal(get(1, 0)->ecx & TSC_DEADLINE, 0);
}

static void an_empty_table_only_gets_the_topology(void **state)
{
	const struct cpuid_request request = {.nr_cpus = 2, .tsc_deadline = true, .emulated = true};

	(void)state;
	fill(NULL, 0);
	cpuid_prepare(&table, &request);
	assert_int_equal(table.head.nent, 3);
	assert_topology_leaf(0xb, 0, 2, 1);
}

static void a_full_table_does_not_grow(void **state)
{
	struct {
		struct kvm_cpuid_table table;
		struct kvm_cpuid_entry2 guard[3];
	} *full = test_calloc(1, sizeof(*full));
	const struct cpuid_request request = {.nr_cpus = 2, .cpu = 1};

	(void)state;
	for (unsigned room = 0; room < 3; room++) {
		memset(full, 0, sizeof(*full));
		full->table.head.nent = KVM_MAX_CPUID_ENTRIES - room;
		for (unsigned i = 0; i < full->table.head.nent; i++)
			full->table.entries[i].function = 0x100 + i;
		cpuid_prepare(&full->table, &request);
		assert_int_equal(full->table.head.nent, KVM_MAX_CPUID_ENTRIES);
		for (unsigned i = 0; i < ARRAY_SIZE(full->guard); i++)
			assert_int_equal(full->guard[i].function, 0);
	}
	test_free(full);
}

static void the_xstate_layout_is_leaf_0xd(void **state)
{
	static const struct kvm_cpuid_entry2 entries[] = {
		{.function = 0xd, .index = 0, .flags = INDEXED, .eax = 0xe7, .ebx = 576, .ecx = 2440, .edx = 0x1},
		{.function = 0xd, .index = 1, .flags = INDEXED, .eax = 0xf, .ebx = 999},
		{.function = 0xd, .index = 2, .flags = INDEXED, .eax = 256, .ebx = 576},
		{.function = 0xd, .index = 5, .flags = INDEXED, .eax = 64, .ebx = 832},
		{.function = 0xd, .index = 17, .flags = INDEXED, .eax = 64, .ebx = 2432, .ecx = 2},
		{.function = 0xd, .index = 64, .flags = INDEXED, .eax = 1, .ebx = 1},
		{.function = 0xd, .index = 0xffffffff, .flags = INDEXED, .eax = 1, .ebx = 1},
		{.function = 0xe, .index = 3, .flags = INDEXED, .eax = 1, .ebx = 1},
	};
	struct assist_xstate_layout layout;

	(void)state;
	FILL(entries);
	cpuid_xstate_layout(&table, &layout);
	assert_int_equal(layout.supported, 0x1000000e7);
	assert_int_equal(layout.size, 2440);
	assert_int_equal(layout.component[2].size, 256);
	assert_int_equal(layout.component[2].offset, 576);
	assert_false(layout.component[2].align64);
	assert_int_equal(layout.component[5].offset, 832);
	assert_int_equal(layout.component[17].size, 64);
	assert_true(layout.component[17].align64);
	for (unsigned i = 0; i < ARRAY_SIZE(layout.component); i++)
		if (i != 2 && i != 5 && i != 17)
			assert_int_equal(layout.component[i].size, 0);
}

static void without_leaf_0xd_there_is_no_xstate(void **state)
{
	struct assist_xstate_layout layout;

	(void)state;
	FILL(amd);
	cpuid_xstate_layout(&table, &layout);
	assert_int_equal(layout.supported, 0);
	assert_int_equal(layout.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intel_topology_follows_the_number_of_cpus),
		cmocka_unit_test(amd_topology_follows_the_number_of_cpus),
		cmocka_unit_test(a_missing_topology_leaf_is_added),
		cmocka_unit_test(every_cpu_has_its_own_id),
		cmocka_unit_test(preparing_twice_changes_nothing_more),
		cmocka_unit_test(only_an_emulated_supervisor_loses_features),
		cmocka_unit_test(the_deadline_timer_is_shown_when_kvm_has_it),
		cmocka_unit_test(an_empty_table_only_gets_the_topology),
		cmocka_unit_test(a_full_table_does_not_grow),
		cmocka_unit_test(the_xstate_layout_is_leaf_0xd),
		cmocka_unit_test(without_leaf_0xd_there_is_no_xstate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
