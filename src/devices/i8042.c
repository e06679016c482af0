/* SPDX-License-Identifier: Apache-2.0 */
/* i8042 reset, output-port and self-test commands (Intel 8042 as in the IBM PC/AT Technical Reference). Under dev_lock.
 */
#include "devices/i8042.h"

#define STATUS_OUTPUT_FULL 0x01

#define COMMAND_SELF_TEST	  0xaa
#define COMMAND_WRITE_OUTPUT_PORT 0xd1
/* 0xf0-0xff pulse low the output lines whose bits are 0; line 0 is the CPU's reset. 0xfe is the usual form. */
#define COMMAND_PULSE	   0xf0
#define COMMAND_PULSE_MASK 0xf0

#define SELF_TEST_PASSED  0x55
#define OUTPUT_LINE_RESET 0x01 /* active low */

static void read_data(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	struct i8042 *i8042 = container_of(dev, struct i8042, data);

	(void)offset;
	(void)len; /* one port: the bus lets through only bytes */
	data[0] = i8042->has_output ? i8042->output : 0;
	i8042->has_output = false;
}

static void write_data(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct i8042 *i8042 = container_of(dev, struct i8042, data);

	(void)offset;
	(void)len;
	if (i8042->expects_output_port && !(data[0] & OUTPUT_LINE_RESET))
		power_request(&i8042->power, POWER_RESET, 0);
	i8042->expects_output_port = false;
}

/* The input buffer is never full: commands take no time. */
static void read_status(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	const struct i8042 *i8042 = container_of(dev, struct i8042, command);

	(void)offset;
	(void)len;
	data[0] = i8042->has_output ? STATUS_OUTPUT_FULL : 0;
}

static void write_command(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct i8042 *i8042 = container_of(dev, struct i8042, command);
	uint8_t command = data[0];

	(void)offset;
	(void)len;
	i8042->expects_output_port = command == COMMAND_WRITE_OUTPUT_PORT;
	if (command == COMMAND_SELF_TEST) {
		i8042->output = SELF_TEST_PASSED;
		i8042->has_output = true;
	} else if ((command & COMMAND_PULSE_MASK) == COMMAND_PULSE && !(command & OUTPUT_LINE_RESET)) {
		power_request(&i8042->power, POWER_RESET, 0);
	}
}

static const struct bus_ops data_ops = {.name = "i8042-data", .read = read_data, .write = write_data};
static const struct bus_ops command_ops = {.name = "i8042-command", .read = read_status, .write = write_command};

void i8042_init(struct i8042 *i8042, uint16_t data_port, struct power_sink power)
{
	*i8042 = (struct i8042){
		.data = {.ops = &data_ops, .space = BUS_PIO, .base = data_port, .size = 1},
		.command = {.ops = &command_ops,
			    .space = BUS_PIO,
			    .base = (uint64_t)data_port + I8042_COMMAND_OFFSET,
			    .size = 1},
		.power = power,
	};
}
