/* SPDX-License-Identifier: Apache-2.0 */
/* Port 0x80: POST codes, and the port that Linux writes to wait a microsecond. Under dev_lock. */
#ifndef VMM_DEVICES_POSTCODE_H
#define VMM_DEVICES_POSTCODE_H

#include <stdint.h>

#include "devices/bus.h"

#define POSTCODE_PORT 0x80

struct postcode {
	struct bus_device dev;
	uint8_t last;
};

void postcode_init(struct postcode *postcode, uint16_t port);

#endif
