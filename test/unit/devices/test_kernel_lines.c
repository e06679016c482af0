/* SPDX-License-Identifier: Apache-2.0 */
/* What is a fault's message, what is not, and what printk's prefix looks like. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "devices/kernel_lines.h"

static void assert_all(const char *const *lines, size_t count, enum kernel_line kind)
{
	for (size_t i = 0; i < count; i++)
		if (kernel_lines_judge(lines[i]) != kind)
			fail_msg("not %d but %d: %s", kind, kernel_lines_judge(lines[i]), lines[i]);
}

static void oopses_are_known(void **state)
{
	static const char *const lines[] = {
		"BUG: kernel NULL pointer dereference, address: 0000000000000008",
		"BUG: unable to handle page fault for address: ffffc90000a01000",
		"BUG: unable to handle kernel paging request at 0000000000100104",
		"BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0xa8/0xbc [test_kasan]",
		"BUG: KCSAN: data-race in test_kernel_read / test_kernel_write",
		"BUG: KFENCE: use-after-free read in test_use_after_free_read+0xb3/0x143",
		"BUG: KMSAN: uninit-value in test_uninit_kmsan_check_memory+0x1be/0x380",
		"BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580",
		"BUG: scheduling while atomic: swapper/0/1/0x00000002",
		"BUG: using smp_processor_id() in preemptible [00000000] code: init/1",
		"BUG: Bad page state in process init  pfn:01a2b",
		"BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!",
		"watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [swapper/0:1]",
		"NMI watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [modprobe:77]",
		"NMI watchdog: Watchdog detected hard LOCKUP on cpu 1",
		"watchdog: Watchdog detected hard LOCKUP on cpu 3",
		"watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3",
		"BUG kmalloc-64 (Not tainted): Poison overwritten",
		"BUG kmalloc-64 (Tainted: G    B     ): Redzone overwritten",
		"kernel BUG at mm/slub.c:435!",
		"Kernel BUG at __phys_addr+0x2b/0x30 [verbose debug info unavailable]",
		"Oops: 0000 [#1] PREEMPT SMP NOPTI",
		"Oops: 0002 [#2]",
		"Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
		"general protection fault: 0000 [#1] SMP PTI",
		"general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP",
		"invalid opcode: 0000 [#1] PREEMPT SMP KASAN",
		"divide error: 0000 [#1] SMP",
		"stack segment: 0000 [#1] SMP",
		"double fault: 0000 [#1] SMP",
		"traps: PANIC: double fault, error_code: 0x0",
		"PANIC: double fault, error_code: 0x0",
		"PANIC: early exception 0x0d IP 10:ffffffff81a01234 error 0 cr2 0xffff888001a00000",
		"Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000",
	};

	(void)state;
	assert_all(lines, ARRAY_SIZE(lines), KERNEL_LINE_OOPS);
}

static void warnings_are_known(void **state)
{
	static const char *const lines[] = {
		"WARNING: CPU: 0 PID: 1 at kernel/foo.c:12 func+0x1d/0x20",
		"WARNING: CPU: 1 PID: 77 at func+0x1d/0x20 [module]",
		"WARNING: kernel/foo.c:12 at func+0x1d/0x20, CPU#0: swapper/0/1",
		"WARNING: at func+0x1d/0x20, CPU#3: init/1",
		"WARNING: at kernel/foo.c:12 func+0x1d/0x20()",
		"WARNING: possible circular locking dependency detected",
		"WARNING: possible recursive locking detected",
		"WARNING: possible irq lock inversion dependency detected",
		"WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected",
		"WARNING: inconsistent lock state",
		"WARNING: suspicious RCU usage",
		"WARNING: bad unlock balance detected!",
		"WARNING: bad contention detected!",
		"WARNING: Nested lock was not taken",
		"WARNING: chain_key collision",
		"WARNING: held lock freed!",
		"WARNING: init/1 still has locks held!",
		"WARNING: lock held when returning to user space!",
		"INFO: trying to register non-static key.",
		"[ BUG: Invalid wait context ]",
		"[ INFO: possible circular locking dependency detected ]",
		"[ INFO: suspicious RCU usage. ]",
		"[ INFO: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected ]",
		"[ INFO: inconsistent lock state ]",
		"BUG: MAX_LOCKDEP_CHAINS too low!",
		"BUG: arch topology borken",
		"WARNING: stack recursion on stack type 2",
		"WARNING: kernel stack regs at (____ptrval____) in init:1 has bad 'bp' value 0000000000000000",
		"WARNING: can't access registers at entry_SYSCALL_64_after_hwframe+0x63/0xcd",
		"UBSAN: shift-out-of-bounds in lib/foo.c:12:3",
		"UBSAN: Undefined behaviour in lib/foo.c:12:3",
		"rcu: INFO: rcu_sched self-detected stall on CPU",
		"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
		"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-...D } 6 jiffies s: 37",
		"INFO: rcu_sched self-detected stall on CPU { 0}  (t=6500 jiffies g=54 c=53 q=6)",
		"INFO: rcu_tasks detected stalls on tasks:",
		"INFO: rcu_tasks_trace detected stalls on tasks:",
		"INFO: task kworker/0:1:12 blocked for more than 120 seconds.",
	};

	(void)state;
	assert_all(lines, ARRAY_SIZE(lines), KERNEL_LINE_WARN);
}

/* What Linux says of an unusual machine or set-up, and what follows a message or stands before it. */
static void harmless_lines_are_plain(void **state)
{
	static const char *const lines[] = {
		"",
		"Linux version 6.1.0-13-cloud-amd64 (debian-kernel@lists.debian.org)",
		"[Firmware Bug]: TSC ADJUST: CPU0: -2 force to 0",
		"ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND (20220331/dswload2-162)",
		"ACPI Warning: 32/64X length mismatch in FADT/Gpe0Block: 128/64 (20220331/tbfadt-564)",
		"Warning: unable to open an initial console.",
		"WARNING: The mand mount option has been deprecated and",
		"WARNING: 'bootconfig' found on the kernel command line but CONFIG_BOOT_CONFIG is not set.",
		"process: WARNING: polling idle and HT enabled, performance may degrade",
		"Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible!",
		"RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks!",
		"** WARNING! WARNING! WARNING! WARNING! WARNING! WARNING!  **",
		"mtrr: WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 9MB of RAM.",
		"INFO: lockdep is turned off.",
		"INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.2 msecs",
		"rcu: INFO: Stall ended before state dump start",
		"rcu: Hierarchical RCU implementation.",
		"rcu: rcu_preempt kthread starved for 2500 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=0",
		"INFO: task init:1 is blocked on a mutex likely owned by task kworker/0:1:12.",
		"traps: prog[77] general protection fault ip:401000 sp:7ffe0 error:0 in prog[400000+1000]",
		"traps: prog[78] trap invalid opcode ip:401000 sp:7ffe0 error:0 in prog[400000+1000]",
		"prog[79]: segfault at 0 ip 0000000000401000 sp 00007ffe00000000 error 4 in prog[400000+1000]",
		"NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
		"watchdog: Delayed init of the lockup detector failed: -19",
		"------------[ cut here ]------------",
		"---[ end trace 0000000000000000 ]---",
		"refcount_t: underflow; use-after-free.",
		"Modules linked in:",
		"CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0",
		"#PF: error_code(0x0000) - not-present page",
		"Kernel panic - not syncing: Fatal exception",
		"kobject: 'BUG: x' is no name",
		"WARNING: deprecated",
		"WARNING: possible memory leak detected",
		"WARNING",
		"BUG ",
		"BUG",
		"debug: BUG: of somebody's",
		"overflow: of somebody's",
		"UBSAN: of somebody's",
		"rcu: watchdog: BUG: two subsystems at once",
	};

	(void)state;
	assert_all(lines, ARRAY_SIZE(lines), KERNEL_LINE_PLAIN);
}

static void printks_prefix_is_measured(void **state)
{
	static const struct {
		const char *line;
		size_t len;
	} rows[] = {
		{"[    0.000000] Linux version", 15},
		{"[   12.345678] BUG: x", 15},
		{"[12345.678901] x", 15},
		{"[1234567.678901] x", 17},
		{"[    0.000000] ", 15},
		{"[    0.000000][    T0] Linux version", 23},
		{"[    0.000000][ T1234] x", 23},
		{"[    0.000000][T12345] x", 23},
		{"[    0.000000][T1234567] x", 25},
		{"[    0.000000][    C1] x", 23},
		{"[    T1] x", 9},
		{"[ C1234] x", 9},
		{"", 0},
		{"[", 0},
		{"[ ", 0},
		{"[ T", 0},
		{"[    T] x", 0},
		{"[     T] x", 0},
		{"[    X1] x", 0},
		{"[   T1] x", 0},
		{"[     T1] x", 0},
		{"[    0.000000]", 0},
		{"[    0.000000]x", 0},
		{"[    0.000000][    T0]", 0},
		{"[    0.000000][    T0]x", 0},
		{"[    0.000000][    T] x", 0},
		{"[    0.00000] x", 0},
		{"[    0.0000000] x", 0},
		{"[   0.000000] x", 0},
		{"[     0.000000] x", 0},
		{"[0.000000] x", 0},
		{"[    a.000000] x", 0},
		{"[    0,000000] x", 0},
		{"[     .000000] x", 0},
		{" [    0.000000] x", 0},
		{"<6>[    0.000000] x", 0},
		{"[2026-11-21] x", 0},
		{"[  OK  ] Reached target", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (kernel_lines_prefix(rows[i].line) != rows[i].len)
			fail_msg("not %zu but %zu: %s", rows[i].len, kernel_lines_prefix(rows[i].line), rows[i].line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oopses_are_known),
		cmocka_unit_test(warnings_are_known),
		cmocka_unit_test(harmless_lines_are_plain),
		cmocka_unit_test(printks_prefix_is_measured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
