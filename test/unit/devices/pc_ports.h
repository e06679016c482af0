/* SPDX-License-Identifier: Apache-2.0 */
/* All port devices on one bus at their usual places, for the width test and the fuzzer. */
#ifndef VMM_TEST_PC_PORTS_H
#define VMM_TEST_PC_PORTS_H

#include "base/compiler.h"
#include "devices/acpi_pm.h"
#include "devices/exit_port.h"
#include "devices/i8042.h"
#include "devices/postcode.h"
#include "devices/pvpanic.h"
#include "devices/reset_ports.h"
#include "devices/rtc.h"
#include "devices/serial.h"

struct pc_ports {
	struct bus bus;
	struct serial serial;
	struct i8042 i8042;
	struct reset_ports reset_ports;
	struct rtc rtc;
	struct exit_port exit_port;
	struct pvpanic pvpanic;
	struct acpi_pm acpi_pm;
	struct postcode postcode;
};

static inline void pc_ports_init(struct pc_ports *pc, struct irq_line irq, struct serial_backend backend,
				 struct rtc_clock clock, struct power_sink power)
{
	*pc = (struct pc_ports){0};
	serial_init(&pc->serial, 0x3f8, irq, backend);
	i8042_init(&pc->i8042, 0x60, power);
	reset_ports_init(&pc->reset_ports, power);
	rtc_init(&pc->rtc, 0x70, 256ULL << 20, 0, clock);
	exit_port_init(&pc->exit_port, 0xf4, power);
	pvpanic_init(&pc->pvpanic, 0x505, power);
	acpi_pm_init(&pc->acpi_pm, 0x600, 5, 0x01, power);
	postcode_init(&pc->postcode, POSTCODE_PORT);

	struct bus_device *devices[] = {
		&pc->serial.dev,	  &pc->i8042.data,   &pc->i8042.command, &pc->reset_ports.fast,
		&pc->reset_ports.control, &pc->rtc.dev,	     &pc->exit_port.dev, &pc->pvpanic.dev,
		&pc->acpi_pm.dev,	  &pc->postcode.dev,
	};
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
		int err = bus_add(&pc->bus, devices[i]);

		ASSERT(err == 0);
	}
}

#endif
