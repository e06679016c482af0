/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the host, with a VM of one page of code, whether `syscall` from CPL 3 arrives at CPL 0. About a millisecond. */
#ifndef VMM_X86_ASSIST_PROBE_H
#define VMM_X86_ASSIST_PROBE_H

#include <stdbool.h>

#include "kvm/kvm.h"

/* 0 with *stays_in_user, or -errno. Any thread. */
MUST_CHECK int assist_probe_syscall(const struct kvm_host *host, bool *stays_in_user);

#endif
