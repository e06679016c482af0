/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the machine, as the I/O thread sees it: shared by its life (vm_run.c) and its end (vm_end.c). */
#ifndef VMM_VM_RUN_H
#define VMM_VM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "base/uring.h"
#include "vm.h"

struct run {
	struct vm *vm;
	struct uring_op wake_op, signal_op, timeout_op, watch_op, power_op, serial_op;
	uint64_t wake_count;
	struct signalfd_siginfo signal;
	bool stopping;	  /* the machine has ended */
	bool told_to_end; /* since then: a signal came, or the time is up */
	bool broken;	  /* the loop does not work any more */
	bool draining;	  /* no op starts itself anew */
	struct vm_news news;
	/* the watch on a guest that says it panicked or halted */
	uint64_t watch_since_ns, last_output_ns, output_count;
};

/* One turn of the loop. I/O thread. */
void run_loop_once(struct run *run);

/* Starts a timer of the run's; the ring has room. I/O thread. */
void run_start_timer(struct run *run, struct uring_op *op, uint64_t deadline_ns);

/* --- vm_end.c */

/* The machine has ended, and its vCPUs too: what it leaves is stored, told and written out, *outcome is judged, and no
 * op is in flight any more. I/O thread. */
void run_end(struct run *run, struct outcome *outcome);

#endif
