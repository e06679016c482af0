/* SPDX-License-Identifier: Apache-2.0 */
/* A UART on a bus with a back-end that can stall and a line that remembers its level, for the UART's tests. */
#ifndef VMM_TEST_SERIAL_MACHINE_H
#define VMM_TEST_SERIAL_MACHINE_H

#include <linux/serial_reg.h>
#include <string.h>

#include "devices/serial.h"
#include "unit/devices/port_machine.h"

#define SERIAL_PORT 0x3f8
#define SERIAL_GSI  4

struct serial_machine {
	struct bus bus;
	struct serial serial;
	char out[512];
	size_t out_len;
	size_t budget; /* what the back-end still takes */
	bool level;
	unsigned edges; /* calls of the irq line */
	unsigned rx_space_calls;
};

static inline size_t take_output(void *opaque, const uint8_t *data, size_t len)
{
	struct serial_machine *f = opaque;

	assert_true(len > 0);
	if (len > f->budget)
		len = f->budget;
	assert_true(f->out_len + len < sizeof(f->out));
	memcpy(f->out + f->out_len, data, len);
	f->out_len += len;
	f->budget -= len;
	return len;
}

static inline void note_rx_space(void *opaque)
{
	struct serial_machine *f = opaque;

	f->rx_space_calls++;
}

static inline void set_line(void *opaque, uint32_t gsi, bool level)
{
	struct serial_machine *f = opaque;

	assert_int_equal(gsi, SERIAL_GSI);
	assert_int_not_equal(level, f->level); /* only changes reach the line */
	f->level = level;
	f->edges++;
}

static inline int set_up(void **state)
{
	static struct serial_machine fixture;
	struct serial_machine *f = &fixture;

	*f = (struct serial_machine){.budget = SIZE_MAX};
	serial_init(&f->serial, SERIAL_PORT, (struct irq_line){.set = set_line, .opaque = f, .gsi = SERIAL_GSI},
		    (struct serial_backend){.write = take_output, .opaque = f, .rx_space = note_rx_space});
	assert_int_equal(bus_add(&f->bus, &f->serial.dev), 0);
	*state = f;
	return 0;
}

static inline uint8_t get(struct serial_machine *f, unsigned reg)
{
	return in8(&f->bus, (uint16_t)(SERIAL_PORT + reg));
}

static inline void put(struct serial_machine *f, unsigned reg, unsigned value)
{
	out8(&f->bus, (uint16_t)(SERIAL_PORT + reg), (uint8_t)value);
}

static inline void send_text(struct serial_machine *f, const char *text)
{
	for (; *text; text++)
		put(f, UART_TX, (uint8_t)*text);
}

static inline size_t receive_text(struct serial_machine *f, const char *text)
{
	return serial_receive(&f->serial, (const uint8_t *)text, strlen(text));
}

static inline void enable_fifo_and_interrupts(struct serial_machine *f, unsigned fcr, unsigned ier)
{
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | fcr);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	put(f, UART_IER, ier);
}

#endif
