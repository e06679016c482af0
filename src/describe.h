/* SPDX-License-Identifier: Apache-2.0 */
/* --dry-run: the machine as it would run, in words, on stdout. */
#ifndef VMM_DESCRIBE_H
#define VMM_DESCRIBE_H

#include <stdio.h>

#include "vm.h"

/* After vm_load; needs no KVM. */
void describe_machine(const struct vm *vm, FILE *to);

#endif
