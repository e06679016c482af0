/* SPDX-License-Identifier: Apache-2.0 */
/* Sleep control, sleep status and reset registers (ACPI 6.5, 4.8.3.6 and 4.8.3.7). Under dev_lock. */
#include "devices/acpi_pm.h"

#define SLP_TYP_SHIFT 2
#define SLP_TYP_MASK  0x1c
#define SLP_EN	      0x20 /* write-only */
#define WAK_STS	      0x80 /* written 1 to clear */

/* Only S5 is a sleep here. A guest that asks for another is awake again at once, as it polls WAK_STS with its
 * interrupts off. */
static void write_sleep_control(struct acpi_pm *pm, uint8_t value)
{
	pm->sleep_type = value & SLP_TYP_MASK;
	if (!(value & SLP_EN))
		return;
	if (pm->sleep_type >> SLP_TYP_SHIFT == pm->s5_type)
		power_request(&pm->power, POWER_OFF, 0);
	else
		pm->sleep_status |= WAK_STS;
}

static void write_register(struct acpi_pm *pm, uint64_t reg, uint8_t value)
{
	switch (reg) {
	case ACPI_PM_SLEEP_CONTROL:
		write_sleep_control(pm, value);
		return;
	case ACPI_PM_SLEEP_STATUS:
		pm->sleep_status &= (uint8_t) ~(value & WAK_STS);
		return;
	default:
		if (value == pm->reset_value)
			power_request(&pm->power, POWER_RESET, 0);
	}
}

static uint8_t read_register(const struct acpi_pm *pm, uint64_t reg)
{
	switch (reg) {
	case ACPI_PM_SLEEP_CONTROL:
		return pm->sleep_type;
	case ACPI_PM_SLEEP_STATUS:
		return pm->sleep_status;
	default:
		return 0;
	}
}

static void read_ports(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	const struct acpi_pm *pm = container_of(dev, struct acpi_pm, dev);

	for (unsigned i = 0; i < len; i++)
		data[i] = read_register(pm, offset + i);
}

static void write_ports(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct acpi_pm *pm = container_of(dev, struct acpi_pm, dev);

	for (unsigned i = 0; i < len; i++)
		write_register(pm, offset + i, data[i]);
}

static const struct bus_ops acpi_pm_ops = {.name = "acpi-pm", .read = read_ports, .write = write_ports};

void acpi_pm_init(struct acpi_pm *pm, uint16_t port, uint8_t s5_type, uint8_t reset_value, struct power_sink power)
{
	*pm = (struct acpi_pm){
		.dev = {.ops = &acpi_pm_ops, .space = BUS_PIO, .base = port, .size = ACPI_PM_SIZE},
		.power = power,
		.s5_type = s5_type,
		.reset_value = reset_value,
	};
}
