/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodes ACPI Machine Language (ACPI 6.3, section 20) and resource templates (section 6.4) into a bounded buffer,
 * always in the shortest form, which is also the ASL compiler's. Names are one segment of up to four characters.
 * Start-up only.
 */
#ifndef VMM_BOOT_AML_H
#define VMM_BOOT_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define AML_MAX_DEPTH 8

struct aml_level {
	size_t start;	  /* where the content begins; what precedes it is put in at the close */
	bool is_template; /* else a package length precedes, and nothing else */
};

struct aml {
	uint8_t *buf; /* borrowed */
	size_t size;
	size_t len;
	struct aml_level levels[AML_MAX_DEPTH];
	unsigned depth;
	bool overflow;
};

void aml_init(struct aml *aml, uint8_t *buf, size_t size);

/* Each is ended by aml_close. A template holds only aml_add_*, a package exactly @nr_elements data objects. */
void aml_open_scope(struct aml *aml, const char *name);
void aml_open_device(struct aml *aml, const char *name);
void aml_open_package(struct aml *aml, uint8_t nr_elements);
void aml_open_template(struct aml *aml);
void aml_close(struct aml *aml);

/* Name(@name, ...): the data object, package or template put next is its value. */
void aml_put_name(struct aml *aml, const char *name);
void aml_put_integer(struct aml *aml, uint64_t value);
void aml_put_string(struct aml *aml, const char *text); /* printable ASCII */
void aml_put_eisa_id(struct aml *aml, const char *id);	/* three capitals and four hexadecimal digits */

/* Resource descriptors. All interrupts are edge-triggered and active high. */
void aml_add_memory32(struct aml *aml, uint32_t base, uint32_t len);
void aml_add_interrupt(struct aml *aml, uint32_t gsi, bool shared);
void aml_add_io(struct aml *aml, uint16_t port, uint8_t len);
void aml_add_isa_irq(struct aml *aml, unsigned irq); /* 0-15 */

/* 0 with the number of bytes in *len, or -ENOSPC when they did not fit. Everything opened must be closed. */
MUST_CHECK int aml_finish(const struct aml *aml, size_t *len);

#endif
