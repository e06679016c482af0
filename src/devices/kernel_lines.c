/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases of Linux 3.x to 6.19; with each group stands the file of the kernel that prints it. */
#include "devices/kernel_lines.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"

#define SECONDS_WIDTH 5 /* kernel/printk/printk.c, print_time(): "[%5lu.%06lu]" */
#define MICROS_DIGITS 6
#define CALLER_WIDTH  6 /* print_caller(): "[%6s]" of T or C and a number */

struct phrase {
	enum kernel_line kind;
	const char *begin;
	const char *within; /* further on in the line; NULL: nothing more is asked */
};

/* The first that fits counts. */
static const struct phrase phrases[] = {
	/* kernel/panic.c, __warn(): since 6.19, until 6.18, and of old */
	{KERNEL_LINE_WARN, "WARNING: ", ", CPU#"},
	{KERNEL_LINE_WARN, "WARNING: CPU: ", " at "},
	{KERNEL_LINE_WARN, "WARNING: at ", NULL},
	/* kernel/locking/lockdep.c */
	{KERNEL_LINE_WARN, "WARNING: possible ", " lock"},
	{KERNEL_LINE_WARN, "WARNING: ", "-unsafe lock order detected"},
	{KERNEL_LINE_WARN, "WARNING: inconsistent lock state", NULL},
	{KERNEL_LINE_WARN, "WARNING: suspicious RCU usage", NULL},
	{KERNEL_LINE_WARN, "WARNING: bad unlock balance detected", NULL},
	{KERNEL_LINE_WARN, "WARNING: bad contention detected", NULL},
	{KERNEL_LINE_WARN, "WARNING: Nested lock was not taken", NULL},
	{KERNEL_LINE_WARN, "WARNING: chain_key collision", NULL},
	{KERNEL_LINE_WARN, "WARNING: held lock freed", NULL},
	{KERNEL_LINE_WARN, "WARNING: lock held when returning to user space", NULL},
	{KERNEL_LINE_WARN, "WARNING: ", " still has locks held"},
	{KERNEL_LINE_WARN, "INFO: trying to register non-static key", NULL},
	{KERNEL_LINE_WARN, "[ BUG: ", " ]"},
	{KERNEL_LINE_WARN, "[ INFO: possible ", " lock"},
	{KERNEL_LINE_WARN, "[ INFO: ", "-unsafe lock order detected ]"},
	{KERNEL_LINE_WARN, "[ INFO: inconsistent lock state ]", NULL},
	{KERNEL_LINE_WARN, "[ INFO: suspicious RCU usage", NULL},
	{KERNEL_LINE_WARN, "BUG: MAX_", " too low"}, /* a table of lockdep's is full */
	/* arch/x86/kernel/dumpstack_64.c, unwind_frame.c, unwind_orc.c */
	{KERNEL_LINE_WARN, "WARNING: stack recursion on stack type ", NULL},
	{KERNEL_LINE_WARN, "WARNING: kernel stack ", NULL},
	{KERNEL_LINE_WARN, "WARNING: can't access registers at ", NULL},
	/* lib/ubsan.c */
	{KERNEL_LINE_WARN, "UBSAN: ", " in "},
	/* kernel/rcu/tree_stall.h, tree_exp.h, tasks.h: of rcu_sched, rcu_preempt, rcu_tasks and others */
	{KERNEL_LINE_WARN, "INFO: rcu_", " detected stalls"},
	{KERNEL_LINE_WARN, "INFO: rcu_", " detected expedited stalls"},
	{KERNEL_LINE_WARN, "INFO: rcu_", " self-detected stall"},
	/* kernel/hung_task.c */
	{KERNEL_LINE_WARN, "INFO: task ", " for more than "},
	/* kernel/sched/topology.c: said of the machine */
	{KERNEL_LINE_WARN, "BUG: arch topology", NULL},
	/* "BUG: " and what happened: mm/kasan/report.c, mm/kfence/report.c, kernel/kcsan/report.c, arch/x86/mm/fault.c,
	 * kernel/watchdog.c, kernel/sched/core.c, kernel/workqueue.c, mm/page_alloc.c and more */
	{KERNEL_LINE_OOPS, "BUG: ", NULL},
	{KERNEL_LINE_OOPS, "Unable to handle kernel ", NULL},
	/* mm/slub.c, slab_bug() */
	{KERNEL_LINE_OOPS, "BUG ", " (Not tainted): "},
	{KERNEL_LINE_OOPS, "BUG ", " (Tainted: "},
	/* lib/bug.c */
	{KERNEL_LINE_OOPS, "kernel BUG at ", NULL},
	{KERNEL_LINE_OOPS, "Kernel BUG at ", NULL},
	/* arch/x86/kernel/dumpstack.c, __die_header(), with what arch/x86/kernel/traps.c and mm/fault.c give it; newer
	 * kernels put "Oops: " before all of them. What they say of a process has no "[#1]". */
	{KERNEL_LINE_OOPS, "Oops: ", " [#"},
	{KERNEL_LINE_OOPS, "general protection fault", " [#"},
	{KERNEL_LINE_OOPS, "segment-related general protection fault", " [#"},
	{KERNEL_LINE_OOPS, "invalid opcode: ", " [#"},
	{KERNEL_LINE_OOPS, "divide error: ", " [#"},
	{KERNEL_LINE_OOPS, "overflow: ", " [#"},
	{KERNEL_LINE_OOPS, "bounds: ", " [#"},
	{KERNEL_LINE_OOPS, "int3: ", " [#"},
	{KERNEL_LINE_OOPS, "stack segment: ", " [#"},
	{KERNEL_LINE_OOPS, "segment not present: ", " [#"},
	{KERNEL_LINE_OOPS, "invalid TSS: ", " [#"},
	{KERNEL_LINE_OOPS, "coprocessor segment overrun: ", " [#"},
	{KERNEL_LINE_OOPS, "alignment check: ", " [#"},
	{KERNEL_LINE_OOPS, "fpu exception: ", " [#"},
	{KERNEL_LINE_OOPS, "simd exception: ", " [#"},
	{KERNEL_LINE_OOPS, "unexpected #NM exception: ", " [#"},
	{KERNEL_LINE_OOPS, "stack guard page: ", " [#"},
	{KERNEL_LINE_OOPS, "Bad pagetable: ", " [#"},
	{KERNEL_LINE_OOPS, "double fault: ", " [#"},
	{KERNEL_LINE_OOPS, "PANIC: double fault", NULL},
	{KERNEL_LINE_OOPS, "PANIC: early exception ", NULL}, /* arch/x86/mm/extable.c */
	/* kernel/watchdog.c, watchdog_hld.c; newer ones begin with the CPU that noticed */
	{KERNEL_LINE_OOPS, "Watchdog detected hard LOCKUP on cpu ", NULL},
	{KERNEL_LINE_OOPS, "CPU", ": Watchdog detected hard LOCKUP on cpu "},
};

/* pr_fmt() of the files that print some of the above. */
static const char *const subsystems[] = {"rcu: ", "watchdog: ", "NMI watchdog: ", "traps: "};

static bool begins_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

static size_t count_digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* A number behind @letters other characters, all of it right-aligned in @width. The whole length, 0 if it is not that.
 */
static size_t skip_aligned(const char *text, size_t width, size_t letters)
{
	size_t spaces = strspn(text, " ");
	size_t digits = count_digits(text + spaces + letters);
	size_t len = spaces + letters + digits;

	return digits > 0 && (len == width || (len > width && spaces == 0)) ? len : 0;
}

static size_t skip_time(const char *line)
{
	size_t seconds;

	if (line[0] != '[')
		return 0;
	seconds = skip_aligned(line + 1, SECONDS_WIDTH, 0);
	if (seconds == 0 || line[1 + seconds] != '.' || count_digits(line + seconds + 2) != MICROS_DIGITS ||
	    line[seconds + 2 + MICROS_DIGITS] != ']')
		return 0;
	return seconds + MICROS_DIGITS + 3;
}

static size_t skip_caller(const char *line)
{
	size_t len, spaces;

	if (line[0] != '[')
		return 0;
	spaces = strspn(line + 1, " ");
	if (line[1 + spaces] != 'T' && line[1 + spaces] != 'C')
		return 0;
	len = skip_aligned(line + 1, CALLER_WIDTH, 1);
	return len > 0 && line[1 + len] == ']' ? len + 2 : 0;
}

size_t kernel_lines_prefix(const char *line)
{
	size_t len = skip_time(line);

	len += skip_caller(line + len);
	return len > 0 && line[len] == ' ' ? len + 1 : 0;
}

static const char *skip_subsystem(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		if (begins_with(text, subsystems[i]))
			return text + strlen(subsystems[i]);
	return text;
}

static bool fits(const char *text, const struct phrase *phrase)
{
	if (!begins_with(text, phrase->begin))
		return false;
	return !phrase->within || strstr(text + strlen(phrase->begin), phrase->within);
}

enum kernel_line kernel_lines_judge(const char *text)
{
	text = skip_subsystem(text);
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
		if (fits(text, &phrases[i]))
			return phrases[i].kind;
	return KERNEL_LINE_PLAIN;
}
