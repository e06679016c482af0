/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "vcpu_report.h"
#include "vm.h"

struct totals {
	uint64_t exits, pio, mmio, syscalls, exceptions, assists;
	uint64_t kinds[ASSIST_KINDS];
};

static struct totals add_up(const struct vm *vm)
{
	struct totals t = {0};

	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu *v = &vm->vcpus[i];

		t.exits += atomic_load_explicit(&v->stats.exits, memory_order_relaxed);
		t.pio += atomic_load_explicit(&v->stats.pio, memory_order_relaxed);
		t.mmio += atomic_load_explicit(&v->stats.mmio, memory_order_relaxed);
		t.syscalls += atomic_load_explicit(&v->assist.syscalls, memory_order_relaxed);
		t.exceptions += atomic_load_explicit(&v->assist.exceptions, memory_order_relaxed);
		for (unsigned k = 0; k < ASSIST_KINDS; k++) {
			t.kinds[k] += atomic_load_explicit(&v->assist.counts[k], memory_order_relaxed);
			t.assists += atomic_load_explicit(&v->assist.counts[k], memory_order_relaxed);
		}
	}
	return t;
}

void vm_print_status(struct vm *vm)
{
	char position[160];

	log_err("running for %.1fs, %u vCPU%s", (double)(monotonic_ns() - vm->start_ns) / 1e9, vm->nr_vcpus,
		vm->nr_vcpus > 1 ? "s" : "");
	vcpu_pause_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		log_err("%s", vcpu_report_position(&vm->vcpus[i], position, sizeof(position)));
	vcpu_resume_all(&vm->gate);
	vm_print_stats(vm);
}

void vm_print_stats(const struct vm *vm)
{
	struct totals t = add_up(vm);
	char line[512];
	size_t len = 0;

	log_err("exits: %" PRIu64 " (port %" PRIu64 ", MMIO %" PRIu64 ")", t.exits, t.pio, t.mmio);
	if (!vm->assist.active)
		return;
	log_err("assist: %" PRIu64 " instructions, %" PRIu64 " system calls, %" PRIu64 " exceptions", t.assists,
		t.syscalls, t.exceptions);
	for (unsigned k = 0; k < ASSIST_KINDS && len < sizeof(line); k++)
		if (t.kinds[k])
			len += (size_t)snprintf(line + len, sizeof(line) - len, " %s %" PRIu64, assist_kind_name(k),
						t.kinds[k]);
	if (len)
		log_err("assist:%s", line);
}

void vm_put_stats(const struct vm *vm, struct json *json)
{
	struct totals t = add_up(vm);

	json_open_object(json, "stats");
	json_put_u64(json, "exits", t.exits);
	json_put_u64(json, "pio", t.pio);
	json_put_u64(json, "mmio", t.mmio);
	json_put_u64(json, "console-bytes", vm->devices.com1.tx_bytes);
	if (vm->assist.active) {
		json_open_object(json, "assist");
		json_put_u64(json, "syscalls", t.syscalls);
		json_put_u64(json, "exceptions", t.exceptions);
		for (unsigned k = 0; k < ASSIST_KINDS; k++)
			if (t.kinds[k])
				json_put_u64(json, assist_kind_name(k), t.kinds[k]);
		json_close(json);
	}
	json_close(json);
}
