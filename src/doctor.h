/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host offers to vmm: a table of checks, each with one line and, where something can be mended, the remedy.
 * Files are read below a root folder, so that tests can show it any host. Main thread.
 */
#ifndef VMM_DOCTOR_H
#define VMM_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"
#include "kvm/kvm.h"

enum doctor_status {
	DOCTOR_PASS,
	DOCTOR_INFO, /* neither good nor bad, or could not be looked at */
	DOCTOR_WARN, /* vmm runs, but slower or with less */
	DOCTOR_FAIL, /* vmm cannot run a guest */
	DOCTOR_STATUSES,
};

struct doctor_result {
	const char *name; /* the same in every version */
	enum doctor_status status;
	char text[240];
	char remedy[320]; /* empty: nothing to do */
};

#define DOCTOR_MAX_RESULTS 32
#define DOCTOR_JSON_SIZE   16384

/* What the CPU itself says. */
struct doctor_cpu {
	bool has_virtualization; /* VMX or SVM */
	bool has_hypervisor;	 /* this host is itself a guest */
};

struct doctor {
	const char *root; /* borrowed; "" is this host's own */
	struct doctor_cpu cpu;
	struct kvm_host kvm; /* fd -1 until, and unless, the check of the API opened it */
	struct doctor_result results[DOCTOR_MAX_RESULTS];
	unsigned count;
	unsigned totals[DOCTOR_STATUSES];
};

/* Runs every check. Nothing of it stays open. */
void doctor_run(struct doctor *doctor, const char *root);

bool doctor_is_healthy(const struct doctor *doctor);

/* One aligned line per check, remedies below theirs, a summary. */
void doctor_print(const struct doctor *doctor, FILE *to, bool with_colour);

/* One JSON document with a newline in @buf. 0 with its length, or -ENOSPC. */
MUST_CHECK int doctor_write_json(const struct doctor *doctor, char *buf, size_t size, size_t *len);

const char *doctor_status_name(enum doctor_status status);

#endif
