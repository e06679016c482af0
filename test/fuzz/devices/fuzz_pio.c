/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest and a moody host at the port devices: the input is a list of accesses, received bytes and back-end
 * stalls. After each step the UART must agree with itself and with the lines it drives.
 */
#include <linux/serial_reg.h>
#include <string.h>

#include "unit/devices/pc_ports.h"

#define UART_BASE 0x3f8
#define GUARD	  0x5c

struct world {
	struct pc_ports pc;
	size_t budget; /* what the console's back-end still takes */
	bool level;
	int64_t now;
	uint64_t sent, received;
};

struct step {
	uint8_t what;
	uint16_t port;
	uint8_t len;
	uint8_t data[8];
};

/* The ports worth visiting; others come from the input as they are. */
static const uint16_t bases[] = {0x3f8, 0x3f8, 0x3f8, 0x60, 0x70, 0x92, 0xf4, 0x505, 0x600, 0xcf9, 0x80, 0xfffc};

static size_t take_output(void *opaque, const uint8_t *data, size_t len)
{
	struct world *world = opaque;

	(void)data;
	ASSERT(len > 0 && len <= SERIAL_FIFO_SIZE);
	if (len > world->budget)
		len = world->budget;
	world->budget -= len;
	world->sent += len;
	return len;
}

static void note_rx_space(void *opaque)
{
	const struct world *world = opaque;

	ASSERT(serial_rx_space(&world->pc.serial) > 0);
}

static void set_line(void *opaque, uint32_t gsi, bool level)
{
	struct world *world = opaque;

	ASSERT(gsi == 4 && level != world->level);
	world->level = level;
}

static int64_t read_clock(void *opaque)
{
	const struct world *world = opaque;

	return world->now;
}

static void ignore_power(void *opaque, enum power_event event, uint32_t value)
{
	(void)opaque;
	(void)value;
	ASSERT(event <= POWER_PANIC);
}

/* An interrupt is pending when its condition holds and it is enabled; the line shows it when OUT2 lets it through. */
static void check_serial(const struct world *world)
{
	const struct serial *serial = &world->pc.serial;
	unsigned rx_size = serial->fcr & UART_FCR_ENABLE_FIFO ? SERIAL_FIFO_SIZE : 1;
	bool pending = ((serial->ier & UART_IER_RDI) && serial->rx_count > 0) ||
		       ((serial->ier & UART_IER_THRI) && serial->thre_pending) ||
		       ((serial->ier & UART_IER_RLSI) && serial->lsr_errors) ||
		       ((serial->ier & UART_IER_MSI) && serial->msr_delta);

	ASSERT(serial->rx_count <= rx_size && serial->rx_head < SERIAL_FIFO_SIZE);
	ASSERT(serial->tx_count <= SERIAL_FIFO_SIZE && serial->tx_head < SERIAL_FIFO_SIZE);
	ASSERT(!serial->thre_pending || serial->tx_count == 0);
	ASSERT(serial->irq_level == world->level);
	ASSERT(world->level == (pending && (serial->mcr & UART_MCR_OUT2)));
	ASSERT(serial->tx_bytes == world->sent && serial->rx_bytes == world->received);
}

/* What the guest sees in IIR and LSR is what the line says. Reads them on a copy, as reading has effects. */
static void check_registers(const struct world *world)
{
	struct world copy = *world;
	uint8_t iir, lsr;

	copy.pc.serial.irq.opaque = &copy;
	copy.pc.serial.backend = (struct serial_backend){0};
	copy.pc.serial.dev.ops->read(&copy.pc.serial.dev, UART_IIR, &iir, 1);
	ASSERT(!world->level || !(iir & UART_IIR_NO_INT));
	ASSERT(((iir & UART_FCR_TRIGGER_MASK) != 0) == ((world->pc.serial.fcr & UART_FCR_ENABLE_FIFO) != 0));
	copy.pc.serial.dev.ops->read(&copy.pc.serial.dev, UART_LSR, &lsr, 1);
	ASSERT(((lsr & UART_LSR_DR) != 0) == (world->pc.serial.rx_count > 0));
	ASSERT(((lsr & UART_LSR_THRE) != 0) == (world->pc.serial.tx_count == 0));
}

static void access_bus(struct world *world, const struct step *step, enum bus_space space, uint64_t addr)
{
	unsigned len = step->len % 9;
	uint8_t data[9];

	if (step->what & 0x80) {
		bus_write(&world->pc.bus, space, addr, step->data, len);
		return;
	}
	memset(data, GUARD, sizeof(data));
	bus_read(&world->pc.bus, space, addr, data, len);
	for (unsigned i = len; i < sizeof(data); i++)
		ASSERT(data[i] == GUARD);
}

static void receive(struct world *world, const struct step *step)
{
	size_t len = step->len % (sizeof(step->data) + 1);
	size_t space = serial_rx_space(&world->pc.serial);
	size_t taken = serial_receive(&world->pc.serial, step->data, len);

	ASSERT(taken == (len < space ? len : space));
	world->received += taken;
}

static void take_step(struct world *world, const struct step *step)
{
	uint64_t addr;

	switch (step->what % 8) {
	case 0:
	case 1:
	case 2:
		access_bus(world, step, BUS_PIO, UART_BASE + step->port % SERIAL_PORTS);
		return;
	case 3:
		access_bus(world, step, BUS_PIO, (uint64_t)bases[step->port % ARRAY_SIZE(bases)] + step->data[7] % 8);
		return;
	case 4:
		memcpy(&addr, step->data, sizeof(addr));
		access_bus(world, step, step->port & 1 ? BUS_PIO : BUS_MMIO, addr);
		return;
	case 5:
		receive(world, step);
		return;
	case 6:
		world->budget = step->data[0] < 0xf0 ? step->data[0] % 32 : SIZE_MAX;
		memcpy(&world->now, step->data, sizeof(world->now));
		return;
	default:
		serial_tx_resume(&world->pc.serial);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.budget = SIZE_MAX};
	struct step step;

	pc_ports_init(&world.pc, (struct irq_line){.set = set_line, .opaque = &world, .gsi = 4},
		      (struct serial_backend){.write = take_output, .opaque = &world, .rx_space = note_rx_space},
		      (struct rtc_clock){.now = read_clock, .opaque = &world},
		      (struct power_sink){.request = ignore_power});
	for (; size >= sizeof(step); data += sizeof(step), size -= sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		take_step(&world, &step);
		check_serial(&world);
		check_registers(&world);
	}
	return 0;
}
