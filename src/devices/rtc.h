/* SPDX-License-Identifier: Apache-2.0 */
/* MC146818 real-time clock with 128 bytes of CMOS. It shows the host's UTC time; no alarms, no interrupts. Under
 * dev_lock. */
#ifndef VMM_DEVICES_RTC_H
#define VMM_DEVICES_RTC_H

#include <stdint.h>
#include <time.h>

#include "devices/bus.h"

#define RTC_CMOS_SIZE 128

/* Seconds since 1970-01-01 00:00 UTC. */
struct rtc_clock {
	int64_t (*now)(void *opaque);
	void *opaque;
};

struct rtc {
	struct bus_device dev;
	struct rtc_clock clock;
	struct tm time; /* as last looked at */
	uint8_t index;
	uint8_t control; /* status register B: only the data-mode and 24-hour bits */
	uint8_t cmos[RTC_CMOS_SIZE];
};

/* Two ports from @port: index, data. @ram_low and @ram_high are the bytes of RAM below and above 4 GiB: firmware-style
 * memory sizes are put into the CMOS. */
void rtc_init(struct rtc *rtc, uint16_t port, uint64_t ram_low, uint64_t ram_high, struct rtc_clock clock);

/* The host's clock. */
struct rtc_clock rtc_host_clock(void);

#endif
