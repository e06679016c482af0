/* SPDX-License-Identifier: Apache-2.0 */
/* POST code latch: keeps the last byte, for reports about a guest that got stuck early. Under dev_lock. */
#include "devices/postcode.h"

static void read_code(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	const struct postcode *postcode = container_of(dev, struct postcode, dev);

	(void)offset;
	(void)len; /* one port: the bus lets through only bytes */
	data[0] = postcode->last;
}

static void write_code(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct postcode *postcode = container_of(dev, struct postcode, dev);

	(void)offset;
	(void)len;
	postcode->last = data[0];
}

static const struct bus_ops postcode_ops = {.name = "postcode", .read = read_code, .write = write_code};

void postcode_init(struct postcode *postcode, uint16_t port)
{
	*postcode = (struct postcode){
		.dev = {.ops = &postcode_ops, .space = BUS_PIO, .base = port, .size = 1},
	};
}
