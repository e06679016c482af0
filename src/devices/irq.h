/* SPDX-License-Identifier: Apache-2.0 */
/* An interrupt line as a value: a device raises its line without knowing the interrupt controller. */
#ifndef VMM_DEVICES_IRQ_H
#define VMM_DEVICES_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq_line {
	void (*set)(void *opaque, uint32_t gsi, bool level); /* NULL: the line is not connected */
	void *opaque;
	uint32_t gsi;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->opaque, line->gsi, level);
}

#endif
