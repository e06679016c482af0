/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a keyboard controller that resets a PC, and its self-test. No keyboard. Under dev_lock. */
#ifndef VMM_DEVICES_I8042_H
#define VMM_DEVICES_I8042_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "devices/power.h"

#define I8042_COMMAND_OFFSET 4 /* the command and status port lies above the data port; those between are not ours */

struct i8042 {
	struct bus_device data;	   /* add both to the bus */
	struct bus_device command; /* reads as status */
	struct power_sink power;
	bool expects_output_port; /* the next data byte is for the output port */
	bool has_output;	  /* @output waits to be read */
	uint8_t output;
};

void i8042_init(struct i8042 *i8042, uint16_t data_port, struct power_sink power);

#endif
