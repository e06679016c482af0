/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: everything a run owns, assembled in one readable order and taken down in the reverse one. vm_load fills
 * guest memory (no KVM needed), vm_build makes the KVM objects and devices, vm_run runs it to its end.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"
#include "base/uring.h"
#include "boot/image.h"
#include "boot/machine.h"
#include "config.h"
#include "console.h"
#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/exit_port.h"
#include "devices/i8042.h"
#include "devices/postcode.h"
#include "devices/pvpanic.h"
#include "devices/reset_ports.h"
#include "devices/rtc.h"
#include "devices/serial.h"
#include "events.h"
#include "kvm/kvm.h"
#include "mm/guest_mem.h"
#include "outcome.h"
#include "vcpu.h"
#include "vm_command.h"
#include "x86/assist.h"

#define VM_MAX_COMPLAINTS 16

/* The kernel complained: a warning, an oops. */
struct vm_complaint {
	bool is_oops;
	uint64_t at_ns;
	char line[CONSOLE_LINE_SIZE];
};

/* What vCPU threads tell the I/O thread; guarded by lock, announced through wake_fd. */
struct vm_notices {
	pthread_mutex_t lock;
	struct outcome outcome; /* the first cause wins */
	bool has_panic;
	char panic[OUTCOME_DETAIL_SIZE];
	bool says_halted;
	uint64_t console_up_ns; /* first output byte; 0 before */
	uint64_t init_ns;	/* the kernel started init; 0 before */
	char init_path[128];
	unsigned nr_warns, nr_oopses; /* also those that found no room */
	unsigned nr_complaints;
	struct vm_complaint complaints[VM_MAX_COMPLAINTS]; /* the first ones */
};

struct vm_devices {
	struct serial com1, com2;
	struct i8042 i8042;
	struct reset_ports reset_ports;
	struct rtc rtc;
	struct exit_port exit_port;
	struct pvpanic pvpanic;
	struct acpi_pm acpi_pm;
	struct postcode postcode;
};

struct vm {
	const struct config *config; /* borrowed */
	uint64_t start_ns;
	/* memory and what is in it */
	struct guest_mem mem;
	struct machine machine;
	struct image_entry entry;
	struct image_info image;
	/* the I/O thread's */
	int wake_fd;
	int signal_fd;
	struct uring *ring;
	struct console console;
	struct events events;
	/* KVM */
	struct kvm_host host;
	struct kvm_vm kvm;
	struct kvm_cpuid_table supported_cpuid;
	struct assist_vm assist;
	/* devices */
	pthread_mutex_t dev_lock;
	struct bus bus;
	struct vm_devices devices;
	struct vm_command command;
	/* vCPUs */
	struct vcpu_hooks hooks;
	struct vcpu_gate gate;
	unsigned nr_vcpus;
	struct vcpu vcpus[LAYOUT_MAX_CPUS];
	struct vm_notices notices;
};

/* Guest memory, tables, kernel. 0, or -errno with a line in @err; vm_destroy is due either way. Main thread, as all. */
MUST_CHECK int vm_load(struct vm *vm, const struct config *config, uint64_t start_ns, struct error *err);

/* The loop, the console, KVM, devices and vCPUs, ready to run. 0, or -errno with a line in @err. */
MUST_CHECK int vm_build(struct vm *vm, struct error *err);

/* Runs until something ends the machine; *outcome says what. */
void vm_run(struct vm *vm, struct outcome *outcome);

void vm_destroy(struct vm *vm);

/* Asks for the end of the machine; the first cause counts. Any thread. */
void vm_stop(struct vm *vm, enum outcome_cause cause, uint32_t status, const char *detail);

/* Makes the I/O thread look at the notices and queues. Any thread. */
void vm_wake(const struct vm *vm);

/* --- vm_devices.c: the device table and what connects devices to the machine */
MUST_CHECK int vm_add_devices(struct vm *vm, struct error *err);
void vm_on_console_event(void *opaque, enum console_event event, const char *text);

/* --- vm_news.c: what happens, for --events and as notes; I/O thread */
struct vm_news {
	struct vm *vm;
	bool told_first_instruction, told_console, told_booted, told_init, told_panic, told_command_start,
		told_command_end;
	unsigned told_complaints, told_notes;
};

void vm_news_begin(struct vm_news *news, struct vm *vm);
/* Tells what has not been told yet. */
void vm_news_tell(struct vm_news *news);
/* The machine has ended. */
void vm_news_end(struct vm_news *news, const struct outcome *outcome);
/* A copy of the notices. Any thread. */
void vm_get_notices(struct vm *vm, struct vm_notices *notices);

/* --- vm_hints.c: notes about what the guest's kernel seems to lack */
void vm_print_hints(struct vm *vm, const struct outcome *outcome);

/* --- vm_stats.c: what happened, for --stats, --events and Ctrl-A c */
void vm_print_status(struct vm *vm);
void vm_print_stats(const struct vm *vm);
void vm_put_stats(const struct vm *vm, struct json *json);

#endif
