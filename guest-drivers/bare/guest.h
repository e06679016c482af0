/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the test guest: a table of named tests per file, chosen by "test=NAME" on the command line. */
#ifndef VMM_GUEST_BARE_GUEST_H
#define VMM_GUEST_BARE_GUEST_H

#include "kit.h"

struct guest_test {
	const char *name;
	int (*run)(const struct boot_info *info);
};

#define GUEST_TABLES(X) X(end) X(ports) X(mmio) X(cpu) X(smp) X(uart) X(assist) X(boot)

/* Each ends with an entry without a name. */
#define GUEST_DECLARE(part) extern const struct guest_test guest_##part##_tests[];
GUEST_TABLES(GUEST_DECLARE)
#undef GUEST_DECLARE

#endif
