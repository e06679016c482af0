/* SPDX-License-Identifier: Apache-2.0 */
/* The sleep and reset registers of hardware-reduced ACPI (ACPI 6.5, 4.8.3.6 and 4.8.3.7). Under dev_lock. */
#ifndef VMM_DEVICES_ACPI_PM_H
#define VMM_DEVICES_ACPI_PM_H

#include <stdint.h>

#include "devices/bus.h"
#include "devices/power.h"

/* One byte each, from the base port on. */
enum acpi_pm_register { ACPI_PM_SLEEP_CONTROL, ACPI_PM_SLEEP_STATUS, ACPI_PM_RESET, ACPI_PM_SIZE };

struct acpi_pm {
	struct bus_device dev;
	struct power_sink power;
	uint8_t s5_type;     /* SLP_TYP that means power-off, as in \_S5 */
	uint8_t reset_value; /* as in the FADT */
	uint8_t sleep_type;  /* SLP_TYP as last written, in place */
	uint8_t sleep_status;
};

void acpi_pm_init(struct acpi_pm *pm, uint16_t port, uint8_t s5_type, uint8_t reset_value, struct power_sink power);

#endif
