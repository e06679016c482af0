/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks behind doctor.h. A check gathers facts and leaves the verdict to a function without side effects (judge_),
 * which tests can ask about hosts they do not have. Main thread.
 */
#ifndef VMM_DOCTOR_CHECKS_H
#define VMM_DOCTOR_CHECKS_H

#include <stdint.h>

#include "doctor.h"

typedef void doctor_check(struct doctor *doctor, struct doctor_result *result);

/* --- doctor.c: what checks are made of */

void doctor_say(struct doctor_result *result, enum doctor_status status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void doctor_advise(struct doctor_result *result, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define DOCTOR_PATH_SIZE 4096
/* @path, which starts with a slash, below the root; returns @buf. */
const char *doctor_path(const struct doctor *doctor, const char *path, char buf[DOCTOR_PATH_SIZE]);
/* The beginning of a file without white space at its end, NUL-terminated. 0 or -errno, @buf then empty. */
MUST_CHECK int doctor_read(const struct doctor *doctor, const char *path, char *buf, size_t size);
MUST_CHECK int doctor_read_u64(const struct doctor *doctor, const char *path, uint64_t *value);

/* --- doctor_kvm.c */

doctor_check doctor_check_kvm_device, doctor_check_kvm_api, doctor_check_backend, doctor_check_capabilities,
	doctor_check_kvm_vm, doctor_check_vcpus, doctor_check_syscall;

void doctor_judge_open(struct doctor_result *result, int err);
/* @module: the loaded module that serves /dev/kvm, or NULL when none is seen. */
void doctor_judge_backend(struct doctor_result *result, const struct doctor_cpu *cpu, const char *module);
/* @value answers as KVM_CHECK_EXTENSION does. */
void doctor_judge_capabilities(struct doctor_result *result, int (*value)(void *opaque, int capability), void *opaque,
			       bool needs_assist);
void doctor_judge_vcpus(struct doctor_result *result, int max, int recommended);
void doctor_judge_syscall(struct doctor_result *result, int err, bool stays_in_user);

/* --- doctor_checks.c */

doctor_check doctor_check_io_uring, doctor_check_userfaultfd, doctor_check_ksm, doctor_check_huge_pages,
	doctor_check_map_count, doctor_check_overcommit, doctor_check_tun, doctor_check_open_files,
	doctor_check_locked_memory, doctor_check_address_space, doctor_check_memory, doctor_check_busybox;

/* @reason: why io_uring does not serve, NULL when it does. @sysctl: kernel.io_uring_disabled, empty when there is none.
 */
void doctor_judge_io_uring(struct doctor_result *result, const char *reason, const char *sysctl);
/* Errors of the system call and of the device, 0 for success; @sysctl: vm.unprivileged_userfaultfd or empty. */
void doctor_judge_userfaultfd(struct doctor_result *result, int call_err, int device_err, const char *sysctl);
/* Soft limits, UINT64_MAX for unlimited. */
void doctor_judge_open_files(struct doctor_result *result, uint64_t limit);
void doctor_judge_locked_memory(struct doctor_result *result, uint64_t limit);
void doctor_judge_address_space(struct doctor_result *result, uint64_t limit);

#endif
