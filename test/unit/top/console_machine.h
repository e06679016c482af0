/* SPDX-License-Identifier: Apache-2.0 */
/* A console between a UART, programmed as a guest's driver does it, and pipes in the place of stdin and stdout. */
#ifndef VMM_TEST_CONSOLE_MACHINE_H
#define VMM_TEST_CONSOLE_MACHINE_H

#include "support/ring_pipe.h"

#include <linux/serial_reg.h>
#include <stdio.h>

#include "console.h"
#include "unit/devices/port_machine.h"

#define PORT 0x3f8

struct fixture {
	struct ring_pipe rp; /* what the guest prints arrives here */
	struct config config;
	struct console console;
	pthread_mutex_t dev_lock;
	struct bus bus;
	struct serial serial;
	int in[2];
	char out_path[32];
	unsigned quits, statuses, events;
	uint64_t start_ns;
};

static inline void on_quit(void *opaque)
{
	((struct fixture *)opaque)->quits++;
}

static inline void on_status(void *opaque)
{
	((struct fixture *)opaque)->statuses++;
}

static inline void count_event(void *opaque, enum console_event event, const char *text)
{
	struct fixture *f = opaque;

	(void)text;
	f->events += event != CONSOLE_FIRST_OUTPUT;
}

static inline void ignore_irq(void *opaque, uint32_t gsi, bool level)
{
	(void)opaque;
	(void)gsi;
	(void)level;
}

static inline int connect_console(struct fixture *f)
{
	const struct console_keys keys = {.quit = on_quit, .status = on_status, .opaque = f};
	struct error err;

	if (console_init(&f->console, &f->config, f->start_ns, f->rp.ring, f->rp.wake_fd, keys,
			 (struct console_sink){.report = count_event, .opaque = f}, &err))
		return -1;
	serial_init(&f->serial, PORT, (struct irq_line){.set = ignore_irq}, console_backend(&f->console));
	console_attach(&f->console, &f->serial, &f->dev_lock);
	f->console.in_fd = f->in[0];
	return bus_add(&f->bus, &f->serial.dev);
}

static inline int set_up_with(void **state, bool console_time)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	*state = f;
	f->start_ns = monotonic_ns();
	pthread_mutex_init(&f->dev_lock, NULL);
	if (ring_pipe_init(&f->rp, false) || pipe2(f->in, O_CLOEXEC))
		return -1;
	snprintf(f->out_path, sizeof(f->out_path), "/dev/fd/%d", f->rp.fds[1]);
	f->config.console_time = console_time;
	f->config.console = CONFIG_CONSOLE_FILE;
	f->config.console_path = f->out_path;
	return connect_console(f);
}

static inline int set_up(void **state)
{
	return set_up_with(state, false);
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	console_close_input(&f->console);
	out_stream_close(&f->console.out);
	while (f->console.input_op.in_flight || f->console.rest_op.in_flight || f->console.out.op.in_flight)
		ring_pipe_step(&f->rp);
	console_fini(&f->console);
	ring_pipe_fini(&f->rp);
	close_fd(&f->in[0]);
	close_fd(&f->in[1]);
	pthread_mutex_destroy(&f->dev_lock);
	return 0;
}

static inline uint8_t get(struct fixture *f, unsigned reg)
{
	uint8_t value;

	pthread_mutex_lock(&f->dev_lock);
	value = in8(&f->bus, (uint16_t)(PORT + reg));
	pthread_mutex_unlock(&f->dev_lock);
	return value;
}

static inline void put(struct fixture *f, unsigned reg, uint8_t value)
{
	pthread_mutex_lock(&f->dev_lock);
	out8(&f->bus, (uint16_t)(PORT + reg), value);
	pthread_mutex_unlock(&f->dev_lock);
}

/* What the I/O thread does when something happened. */
static inline void step(struct fixture *f)
{
	ring_pipe_step(&f->rp);
	if (ring_pipe_wakes(&f->rp))
		console_on_wake(&f->console);
}

static inline void listen_by_interrupt(struct fixture *f)
{
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	put(f, UART_IER, UART_IER_RDI);
}

static inline void type(struct fixture *f, const char *text)
{
	assert_int_equal(write_all(f->in[1], text, strlen(text)), 0);
}

/* Reads as a driver does, until @count bytes have come. */
static inline void guest_reads(struct fixture *f, char *buf, size_t count)
{
	size_t len = 0;

	while (len < count) {
		while (len < count && (get(f, UART_LSR) & UART_LSR_DR))
			buf[len++] = (char)get(f, UART_RX);
		step(f);
	}
	for (unsigned i = 0; i < 5; i++)
		step(f);
	buf[len] = 0;
}

static inline void assert_line_is_silent(struct fixture *f)
{
	for (unsigned i = 0; i < 5; i++)
		step(f);
	assert_int_equal(get(f, UART_LSR) & UART_LSR_DR, 0);
}

#endif
