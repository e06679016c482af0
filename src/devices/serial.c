/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 16550A UART as in National's PC16550D data sheet (registers named below). Transmission takes no time: a byte leaves
 * when the back-end takes it. Under dev_lock: vCPU threads (registers), I/O thread (receive, resume).
 */
#include "devices/serial.h"

#include <linux/serial_reg.h>

#define MCR_BITS   0x1f
#define IER_BITS   0x0f
#define IDLE_POLLS 64
#define FCR_KEPT   (UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT | UART_FCR_TRIGGER_MASK)

static bool is_fifo_enabled(const struct serial *serial)
{
	return serial->fcr & UART_FCR_ENABLE_FIFO;
}

static bool is_loopback(const struct serial *serial)
{
	return serial->mcr & UART_MCR_LOOP;
}

/*
 * Does the guest take what is sent? A receiver that is not ready lowers RTS, and the other end stops (TIA-232-F, Ready
 * for Receiving, which shares RTS's wire). MCR bit 1 is no more than that wire: data sheet, "Modem Control Register".
 * Linux does it with CRTSCTS (uart_throttle), and while nobody has the port open. A guest that has never raised RTS
 * does not say anything with it.
 */
static bool is_ready(const struct serial *serial)
{
	return !is_loopback(serial) && (!serial->uses_rts || (serial->mcr & UART_MCR_RTS));
}

static bool is_divisor_selected(const struct serial *serial)
{
	return serial->lcr & UART_LCR_DLAB;
}

static unsigned free_rx(const struct serial *serial)
{
	unsigned capacity = is_fifo_enabled(serial) ? SERIAL_FIFO_SIZE : 1;

	return capacity - serial->rx_count;
}

static bool is_rx_trigger_reached(const struct serial *serial)
{
	static const uint8_t triggers[] = {1, 4, 8, 14};

	return !is_fifo_enabled(serial) || serial->rx_count >= triggers[UART_FCR_R_TRIG_BITS(serial->fcr)];
}

/* The status half of MSR; in loopback the modem control outputs come back on the inputs (MCR bit 4). */
static uint8_t modem_lines(const struct serial *serial)
{
	unsigned lines = 0;

	if (!is_loopback(serial))
		return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
	if (serial->mcr & UART_MCR_RTS)
		lines |= UART_MSR_CTS;
	if (serial->mcr & UART_MCR_DTR)
		lines |= UART_MSR_DSR;
	if (serial->mcr & UART_MCR_OUT1)
		lines |= UART_MSR_RI;
	if (serial->mcr & UART_MCR_OUT2)
		lines |= UART_MSR_DCD;
	return (uint8_t)lines;
}

/* THRE says that the whole FIFO is empty, not that it has room: drivers answer it with 16 bytes. */
static uint8_t line_status(const struct serial *serial)
{
	unsigned lsr = serial->lsr_errors;

	if (serial->rx_count > 0)
		lsr |= UART_LSR_DR;
	if (serial->tx_count == 0)
		lsr |= UART_LSR_THRE | UART_LSR_TEMT;
	return (uint8_t)lsr;
}

/* The pending interrupt of the highest priority, as IIR shows it (table "Interrupt Control Functions"). Received bytes
 * below the trigger level are a character timeout at once: the host sends in bursts, so there is nothing to wait for.
 */
static uint8_t pending_interrupt(const struct serial *serial)
{
	if ((serial->ier & UART_IER_RLSI) && serial->lsr_errors)
		return UART_IIR_RLSI;
	if ((serial->ier & UART_IER_RDI) && serial->rx_count > 0)
		return is_rx_trigger_reached(serial) ? UART_IIR_RDI : UART_IIR_RX_TIMEOUT;
	if ((serial->ier & UART_IER_THRI) && serial->thre_pending)
		return UART_IIR_THRI;
	if ((serial->ier & UART_IER_MSI) && serial->msr_delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/* PCs gate the interrupt with OUT2. */
static void update_irq(struct serial *serial)
{
	bool level = (serial->mcr & UART_MCR_OUT2) && pending_interrupt(serial) != UART_IIR_NO_INT;

	if (level == serial->irq_level)
		return;
	serial->irq_level = level;
	irq_set(&serial->irq, level);
}

/*
 * Linux enables the receive interrupt first and the FIFOs, which empties them, next; a driver that leaves them off
 * shows by transmitting that its start-up is over. One that only transmits reads LSR once or twice a byte: 64 times
 * without writing anything is waiting for input.
 */
static void notice_listening(struct serial *serial, bool transmits)
{
	bool by_interrupt =
		(serial->ier & UART_IER_RDI) && (serial->mcr & UART_MCR_OUT2) && (is_fifo_enabled(serial) || transmits);

	if (serial->listening || is_loopback(serial) || (!by_interrupt && serial->idle_polls < IDLE_POLLS))
		return;
	serial->listening = true;
	serial->rx_refused = true; /* whoever waited with input hears of it as of any other space */
}

static void push_rx(struct serial *serial, uint8_t byte)
{
	serial->rx[(serial->rx_head + serial->rx_count) % SERIAL_FIFO_SIZE] = byte;
	serial->rx_count++;
}

static uint8_t pop_rx(struct serial *serial)
{
	uint8_t byte;

	if (serial->rx_count == 0)
		return 0;
	byte = serial->rx[serial->rx_head];
	serial->rx_head = (serial->rx_head + 1) % SERIAL_FIFO_SIZE;
	serial->rx_count--;
	return byte;
}

/* Offers one contiguous run of the waiting bytes; returns whether the back-end took all of it. */
static bool offer_tx_run(struct serial *serial)
{
	unsigned run = SERIAL_FIFO_SIZE - serial->tx_head;
	size_t taken;

	if (run > serial->tx_count)
		run = serial->tx_count;
	taken = run;
	if (serial->backend.write)
		taken = serial->backend.write(serial->backend.opaque, &serial->tx[serial->tx_head], run);
	ASSERT(taken <= run);
	serial->tx_head = (serial->tx_head + (unsigned)taken) % SERIAL_FIFO_SIZE;
	serial->tx_count -= (unsigned)taken;
	serial->tx_bytes += taken;
	return taken == run;
}

static void drain_tx(struct serial *serial)
{
	if (serial->tx_count == 0)
		return;
	while (serial->tx_count > 0)
		if (!offer_tx_run(serial))
			return;
	serial->thre_pending = true;
}

static void loop_back(struct serial *serial, uint8_t byte)
{
	if (free_rx(serial) > 0) {
		push_rx(serial, byte);
	} else {
		serial->lsr_errors |= UART_LSR_OE;
		serial->rx_dropped++;
	}
	serial->thre_pending = serial->tx_count == 0;
}

static void transmit(struct serial *serial, uint8_t byte)
{
	serial->thre_pending = false;
	if (is_loopback(serial)) {
		loop_back(serial, byte);
		return;
	}
	if (serial->tx_count == SERIAL_FIFO_SIZE) {
		serial->tx_dropped++;
		return;
	}
	serial->tx[(serial->tx_head + serial->tx_count) % SERIAL_FIFO_SIZE] = byte;
	serial->tx_count++;
	drain_tx(serial);
}

/* Enabling the interrupt while THR is empty raises it; Linux tests this at start-up. */
static void write_ier(struct serial *serial, uint8_t value)
{
	bool newly_enabled = (value & ~serial->ier) & UART_IER_THRI;

	serial->ier = value & IER_BITS;
	if (newly_enabled && serial->tx_count == 0)
		serial->thre_pending = true;
}

static void clear_rx(struct serial *serial)
{
	serial->rx_dropped += serial->rx_count;
	serial->rx_count = 0;
}

static void clear_tx(struct serial *serial)
{
	if (serial->tx_count == 0)
		return;
	serial->tx_dropped += serial->tx_count;
	serial->tx_count = 0;
	serial->thre_pending = true;
}

/* Without the enable bit the others are not programmed; changing it empties both FIFOs (FCR bit 0). */
static void write_fcr(struct serial *serial, uint8_t value)
{
	bool toggled = (value ^ serial->fcr) & UART_FCR_ENABLE_FIFO;

	if (!(value & UART_FCR_ENABLE_FIFO))
		value = 0;
	if (toggled || (value & UART_FCR_CLEAR_RCVR))
		clear_rx(serial);
	if (toggled || (value & UART_FCR_CLEAR_XMIT))
		clear_tx(serial);
	serial->fcr = value & FCR_KEPT;
}

/* The delta bits lie four below their lines; RI's tells only its trailing edge. In loopback RTS's pin stays inactive.
 */
static void write_mcr(struct serial *serial, uint8_t value)
{
	uint8_t before = modem_lines(serial), after, changed;

	serial->mcr = value & MCR_BITS;
	if ((value & UART_MCR_RTS) && !is_loopback(serial))
		serial->uses_rts = true;
	after = modem_lines(serial);
	changed = before ^ after;
	if (after & UART_MSR_RI)
		changed &= (uint8_t)~UART_MSR_RI;
	serial->msr_delta |= changed >> 4;
}

static uint8_t read_iir(struct serial *serial)
{
	uint8_t id = pending_interrupt(serial);

	if (id == UART_IIR_THRI)
		serial->thre_pending = false;
	return is_fifo_enabled(serial) ? id | UART_FCR_TRIGGER_MASK : id;
}

static uint8_t read_register(struct serial *serial, uint64_t reg)
{
	uint8_t value;

	switch (reg) {
	case UART_RX:
		return is_divisor_selected(serial) ? serial->dll : pop_rx(serial);
	case UART_IER:
		return is_divisor_selected(serial) ? serial->dlm : serial->ier;
	case UART_IIR:
		return read_iir(serial);
	case UART_LCR:
		return serial->lcr;
	case UART_MCR:
		return serial->mcr;
	case UART_LSR:
		value = line_status(serial);
		serial->lsr_errors = 0;
		if (serial->idle_polls < IDLE_POLLS && value == (UART_LSR_THRE | UART_LSR_TEMT))
			serial->idle_polls++;
		return value;
	case UART_MSR:
		value = modem_lines(serial) | serial->msr_delta;
		serial->msr_delta = 0;
		return value;
	default:
		return serial->scr;
	}
}

static void write_register(struct serial *serial, uint64_t reg, uint8_t value)
{
	serial->idle_polls = 0;
	if (reg == UART_TX || reg == UART_IER || reg == UART_LCR)
		serial->opened = true;
	switch (reg) {
	case UART_TX:
		if (is_divisor_selected(serial))
			serial->dll = value;
		else
			transmit(serial, value);
		return;
	case UART_IER:
		if (is_divisor_selected(serial))
			serial->dlm = value;
		else
			write_ier(serial, value);
		return;
	case UART_FCR:
		write_fcr(serial, value);
		return;
	case UART_LCR:
		serial->lcr = value;
		return;
	case UART_MCR:
		write_mcr(serial, value);
		return;
	case UART_SCR:
		serial->scr = value;
		return;
	default: /* LSR and MSR are read-only */
		return;
	}
}

static void finish_access(struct serial *serial, bool transmits)
{
	update_irq(serial);
	notice_listening(serial, transmits);
	if (!serial->rx_refused || serial->rx_count > 0 || !is_ready(serial))
		return;
	serial->rx_refused = false;
	if (serial->backend.rx_space)
		serial->backend.rx_space(serial->backend.opaque);
}

/* A wide port access is byte accesses to consecutive registers, as the ISA bridge of a PC splits it. */
static void read_ports(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	struct serial *serial = container_of(dev, struct serial, dev);

	for (unsigned i = 0; i < len; i++)
		data[i] = read_register(serial, offset + i);
	finish_access(serial, false);
}

static void write_ports(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct serial *serial = container_of(dev, struct serial, dev);

	for (unsigned i = 0; i < len; i++)
		write_register(serial, offset + i, data[i]);
	finish_access(serial, offset == UART_TX && !is_divisor_selected(serial));
}

static const struct bus_ops serial_ops = {.name = "serial", .read = read_ports, .write = write_ports};

void serial_init(struct serial *serial, uint16_t port, struct irq_line irq, struct serial_backend backend)
{
	*serial = (struct serial){
		.dev = {.ops = &serial_ops, .space = BUS_PIO, .base = port, .size = SERIAL_PORTS},
		.irq = irq,
		.backend = backend,
		.dll = 1, /* 115200 baud, as firmware leaves it */
	};
}

bool serial_is_listening(const struct serial *serial)
{
	return serial->listening;
}

size_t serial_rx_space(const struct serial *serial)
{
	return is_ready(serial) ? free_rx(serial) : 0;
}

size_t serial_receive(struct serial *serial, const uint8_t *data, size_t len)
{
	size_t taken = serial_rx_space(serial);

	if (taken > len)
		taken = len;
	for (size_t i = 0; i < taken; i++)
		push_rx(serial, data[i]);
	serial->rx_bytes += taken;
	serial->rx_refused = taken < len;
	update_irq(serial);
	return taken;
}

void serial_tx_resume(struct serial *serial)
{
	drain_tx(serial);
	update_irq(serial);
}
