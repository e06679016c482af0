/* SPDX-License-Identifier: Apache-2.0 */
/* The UART as drivers see it, above all the sequences of Linux's 8250 driver. */
#include <linux/serial_reg.h>
#include <string.h>

#include "devices/serial.h"
#include "unit/devices/port_machine.h"

#define PORT 0x3f8
#define GSI  4

struct fixture {
	struct bus bus;
	struct serial serial;
	char out[512];
	size_t out_len;
	size_t budget; /* what the back-end still takes */
	bool level;
	unsigned edges; /* calls of the irq line */
	unsigned rx_space_calls;
};

static size_t take_output(void *opaque, const uint8_t *data, size_t len)
{
	struct fixture *f = opaque;

	assert_true(len > 0);
	if (len > f->budget)
		len = f->budget;
	assert_true(f->out_len + len < sizeof(f->out));
	memcpy(f->out + f->out_len, data, len);
	f->out_len += len;
	f->budget -= len;
	return len;
}

static void note_rx_space(void *opaque)
{
	struct fixture *f = opaque;

	f->rx_space_calls++;
}

static void set_line(void *opaque, uint32_t gsi, bool level)
{
	struct fixture *f = opaque;

	assert_int_equal(gsi, GSI);
	assert_int_not_equal(level, f->level); /* only changes reach the line */
	f->level = level;
	f->edges++;
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*f = (struct fixture){.budget = SIZE_MAX};
	serial_init(&f->serial, PORT, (struct irq_line){.set = set_line, .opaque = f, .gsi = GSI},
		    (struct serial_backend){.write = take_output, .opaque = f, .rx_space = note_rx_space});
	assert_int_equal(bus_add(&f->bus, &f->serial.dev), 0);
	*state = f;
	return 0;
}

static uint8_t get(struct fixture *f, unsigned reg)
{
	return in8(&f->bus, (uint16_t)(PORT + reg));
}

static void put(struct fixture *f, unsigned reg, unsigned value)
{
	out8(&f->bus, (uint16_t)(PORT + reg), (uint8_t)value);
}

static void send_text(struct fixture *f, const char *text)
{
	for (; *text; text++)
		put(f, UART_TX, (uint8_t)*text);
}

static size_t receive_text(struct fixture *f, const char *text)
{
	return serial_receive(&f->serial, (const uint8_t *)text, strlen(text));
}

static void enable_fifo_and_interrupts(struct fixture *f, unsigned fcr, unsigned ier)
{
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | fcr);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	put(f, UART_IER, ier);
}

static void written_bytes_reach_the_back_end_in_order(void **state)
{
	struct fixture *f = *state;

	send_text(f, "hello");
	assert_int_equal(f->out_len, 5);
	assert_memory_equal(f->out, "hello", 5);
	assert_int_equal(f->serial.tx_bytes, 5);
	assert_int_equal(get(f, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

static void back_end_without_write_discards_output(void **state)
{
	struct fixture *f = *state;

	f->serial.backend = (struct serial_backend){0};
	send_text(f, "0123456789abcdef0123456789abcdef");
	assert_int_equal(f->serial.tx_bytes, 32);
	assert_int_equal(f->serial.tx_dropped, 0);
	assert_int_equal(get(f, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

static void divisor_latch_hides_data_and_interrupt_registers(void **state)
{
	struct fixture *f = *state;

	put(f, UART_IER, UART_IER_RDI);
	assert_int_equal(receive_text(f, "x"), 1);
	put(f, UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	put(f, UART_DLL, 0x0c);
	put(f, UART_DLM, 0x34);
	assert_int_equal(get(f, UART_DLL), 0x0c);
	assert_int_equal(get(f, UART_DLM), 0x34);
	assert_int_equal(f->out_len, 0);
	put(f, UART_LCR, UART_LCR_WLEN8);
	assert_int_equal(get(f, UART_LCR), UART_LCR_WLEN8);
	assert_int_equal(get(f, UART_IER), UART_IER_RDI);
	assert_int_equal(get(f, UART_RX), 'x');
}

static void linux_finds_a_16550a(void **state)
{
	struct fixture *f = *state;

	put(f, UART_IER, 0);
	assert_int_equal(get(f, UART_IER) & 0x0f, 0);
	put(f, UART_IER, 0x0f);
	assert_int_equal(get(f, UART_IER) & 0x0f, 0x0f);
	put(f, UART_IER, 0);
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(get(f, UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS);
	put(f, UART_MCR, 0);
	/* An EFR would read as 0 behind these two LCR values; here it is IIR. */
	put(f, UART_LCR, UART_LCR_CONF_MODE_B);
	put(f, UART_EFR, 0);
	put(f, UART_LCR, 0);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(get(f, UART_IIR) >> 6, 3);
	put(f, UART_LCR, UART_LCR_CONF_MODE_A);
	assert_int_not_equal(get(f, UART_EFR), 0);
	put(f, UART_LCR, UART_LCR_CONF_MODE_B);
	assert_int_not_equal(get(f, UART_EFR), 0);
	/* A TI16750 would show bit 5 of IIR here, an Xscale bit 6 of IER. */
	put(f, UART_LCR, UART_LCR_CONF_MODE_A);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	assert_int_equal(get(f, UART_IIR) >> 5, 6);
	put(f, UART_LCR, 0);
	put(f, UART_IER, UART_IER_UUE);
	assert_int_equal(get(f, UART_IER), 0);
}

static void linux_fifo_size_probe_counts_sixteen(void **state)
{
	struct fixture *f = *state;
	unsigned count = 0;

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	put(f, UART_MCR, UART_MCR_LOOP);
	for (unsigned i = 0; i < 256; i++)
		put(f, UART_TX, i);
	while (get(f, UART_LSR) & UART_LSR_DR) {
		assert_int_equal(get(f, UART_RX), count);
		count++;
	}
	assert_int_equal(count, 16);
	assert_int_equal(f->out_len, 0);
	assert_int_equal(f->serial.rx_dropped, 240);
}

/* serial8250_do_startup: otherwise Linux polls the UART with a timer. */
static void linux_start_up_test_sees_thre_reasserted(void **state)
{
	struct fixture *f = *state;

	put(f, UART_IER, UART_IER_THRI);
	assert_int_equal(get(f, UART_IIR), UART_IIR_THRI);
	put(f, UART_IER, 0);
	assert_int_equal(get(f, UART_IIR), UART_IIR_NO_INT);
	put(f, UART_IER, UART_IER_THRI);
	assert_int_equal(get(f, UART_IIR), UART_IIR_THRI);
	put(f, UART_IER, 0);

	put(f, UART_IER, UART_IER_THRI);
	assert_int_equal(get(f, UART_LSR) & UART_LSR_TEMT, UART_LSR_TEMT);
	assert_int_equal(get(f, UART_IIR), UART_IIR_THRI);
	assert_int_equal(f->edges, 0); /* OUT2 is off until the test is over */
}

static void linux_transmit_interrupt_loop_ends_when_nothing_is_left(void **state)
{
	struct fixture *f = *state;
	unsigned rounds = 0;

	enable_fifo_and_interrupts(f, 0, UART_IER_RDI | UART_IER_RLSI);
	put(f, UART_IER, UART_IER_RDI | UART_IER_RLSI | UART_IER_THRI);
	assert_true(f->level);
	while (!(get(f, UART_IIR) & UART_IIR_NO_INT)) {
		assert_false(f->level); /* reading IIR took the THRE interrupt back */
		assert_int_equal(get(f, UART_LSR) & UART_LSR_THRE, UART_LSR_THRE);
		if (++rounds <= 3)
			send_text(f, "0123456789abcdef");
		else
			put(f, UART_IER, UART_IER_RDI | UART_IER_RLSI);
	}
	assert_int_equal(rounds, 4);
	assert_int_equal(f->out_len, 48);
	assert_false(f->level);
}

static void reading_iir_clears_only_thre(void **state)
{
	struct fixture *f = *state;

	enable_fifo_and_interrupts(f, 0, UART_IER_RDI | UART_IER_THRI);
	assert_int_equal(receive_text(f, "a"), 1);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_RDI);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_RDI);
	assert_int_equal(get(f, UART_RX), 'a');
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_THRI);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	assert_false(f->level);
}

static void interrupts_appear_in_order_of_priority(void **state)
{
	struct fixture *f = *state;

	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS); /* CTS rises */
	put(f, UART_IER, 0x0f);
	put(f, UART_TX, 'a');
	put(f, UART_TX, 'b'); /* overrun: no FIFO */
	assert_true(f->level);
	assert_int_equal(get(f, UART_IIR), UART_IIR_RLSI);
	assert_int_equal(get(f, UART_LSR) & (UART_LSR_OE | UART_LSR_DR), UART_LSR_OE | UART_LSR_DR);
	assert_int_equal(get(f, UART_LSR) & UART_LSR_OE, 0);
	assert_int_equal(get(f, UART_IIR), UART_IIR_RDI);
	assert_int_equal(get(f, UART_RX), 'a');
	assert_int_equal(get(f, UART_IIR), UART_IIR_THRI);
	assert_int_equal(get(f, UART_IIR), UART_IIR_MSI);
	assert_int_equal(get(f, UART_MSR) & UART_MSR_DCTS, UART_MSR_DCTS);
	assert_int_equal(get(f, UART_IIR), UART_IIR_NO_INT);
	assert_false(f->level);
	assert_int_equal(f->edges, 2);
}

static void out2_gates_the_line_but_not_iir(void **state)
{
	struct fixture *f = *state;

	put(f, UART_IER, UART_IER_RDI);
	assert_int_equal(receive_text(f, "a"), 1);
	assert_int_equal(get(f, UART_IIR), UART_IIR_RDI);
	assert_false(f->level);
	put(f, UART_MCR, UART_MCR_OUT2);
	assert_true(f->level);
	put(f, UART_MCR, 0);
	assert_false(f->level);
}

static void unconnected_line_is_survived(void **state)
{
	struct fixture *f = *state;

	f->serial.irq = (struct irq_line){0};
	enable_fifo_and_interrupts(f, 0, UART_IER_THRI);
	assert_true(f->serial.irq_level);
	assert_int_equal(f->edges, 0);
}

static void trigger_level_tells_data_from_timeout(void **state)
{
	static const struct {
		unsigned fcr, level;
	} rows[] = {
		{UART_FCR_TRIGGER_1, 1}, {UART_FCR_TRIGGER_4, 4}, {UART_FCR_TRIGGER_8, 8}, {UART_FCR_TRIGGER_14, 14}};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		enable_fifo_and_interrupts(f, rows[i].fcr | UART_FCR_CLEAR_RCVR, UART_IER_RDI);
		assert_false(f->level);
		for (unsigned n = 1; n <= SERIAL_FIFO_SIZE; n++) {
			assert_int_equal(receive_text(f, "x"), 1);
			assert_true(f->level);
			assert_int_equal(get(f, UART_IIR) & 0x0f,
					 n < rows[i].level ? UART_IIR_RX_TIMEOUT : UART_IIR_RDI);
		}
	}
}

static void receive_takes_only_what_fits_and_never_overruns(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(serial_rx_space(&f->serial), 1);
	assert_int_equal(receive_text(f, "ab"), 1);
	assert_int_equal(receive_text(f, "b"), 0);
	assert_int_equal(get(f, UART_RX), 'a');
	assert_int_equal(get(f, UART_RX), 0);

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(receive_text(f, "0123456789abcdefXYZ"), 16);
	assert_int_equal(serial_rx_space(&f->serial), 0);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(get(f, UART_RX), "0123456789abcdef"[i]);
	assert_int_equal(get(f, UART_LSR) & (UART_LSR_DR | UART_LSR_OE), 0);
	assert_int_equal(f->serial.rx_bytes, 17);
}

static void host_is_told_once_when_refused_input_fits_again(void **state)
{
	struct fixture *f = *state;

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(receive_text(f, "0123456789abcdef"), 16);
	for (unsigned i = 0; i < 16; i++)
		get(f, UART_RX);
	assert_int_equal(f->rx_space_calls, 0); /* nothing was refused */

	assert_int_equal(receive_text(f, "0123456789abcdef+"), 16);
	for (unsigned i = 0; i < 15; i++)
		get(f, UART_RX);
	assert_int_equal(f->rx_space_calls, 0);
	get(f, UART_RX);
	assert_int_equal(f->rx_space_calls, 1);
	get(f, UART_RX);
	assert_int_equal(f->rx_space_calls, 1);

	assert_int_equal(receive_text(f, "0123456789abcdef+"), 16);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(f->rx_space_calls, 2);
	assert_int_equal(f->serial.rx_dropped, 16);
}

static void stalled_back_end_holds_sixteen_bytes_then_drops(void **state)
{
	struct fixture *f = *state;

	f->budget = 0;
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	send_text(f, "0123456789abcdef");
	assert_int_equal(get(f, UART_LSR) & (UART_LSR_THRE | UART_LSR_TEMT), 0);
	assert_int_equal(f->serial.tx_dropped, 0);
	send_text(f, "XY");
	assert_int_equal(f->serial.tx_dropped, 2);
	f->budget = SIZE_MAX;
	serial_tx_resume(&f->serial);
	assert_int_equal(f->out_len, 16);
	assert_memory_equal(f->out, "0123456789abcdef", 16);
	assert_int_equal(get(f, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

/* A driver answers THRE with 16 bytes without looking: it must not show while bytes wait. */
static void thre_shows_only_when_all_waiting_bytes_are_gone(void **state)
{
	struct fixture *f = *state;

	enable_fifo_and_interrupts(f, 0, UART_IER_THRI);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_THRI);
	f->budget = 3;
	send_text(f, "0123456789");
	assert_false(f->level);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	f->budget = 4;
	serial_tx_resume(&f->serial);
	assert_false(f->level);
	assert_int_equal(get(f, UART_LSR) & UART_LSR_THRE, 0);
	f->budget = SIZE_MAX;
	serial_tx_resume(&f->serial);
	assert_true(f->level);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_THRI);
	assert_memory_equal(f->out, "0123456789", 10);
}

static void resume_without_waiting_bytes_raises_nothing(void **state)
{
	struct fixture *f = *state;

	enable_fifo_and_interrupts(f, 0, UART_IER_THRI);
	get(f, UART_IIR);
	assert_false(f->level);
	serial_tx_resume(&f->serial);
	assert_false(f->level);
}

static void waiting_bytes_survive_the_ring_wrapping(void **state)
{
	struct fixture *f = *state;
	char expected[300];
	size_t len = 0;

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	for (unsigned round = 0; round < 20; round++) {
		f->budget = 0;
		for (unsigned i = 0; i < 11; i++) {
			expected[len] = (char)('A' + len % 26);
			put(f, UART_TX, (uint8_t)expected[len++]);
		}
		f->budget = 7; /* at most one run up to the end of the ring, then the rest */
		serial_tx_resume(&f->serial);
		f->budget = SIZE_MAX;
		serial_tx_resume(&f->serial);
	}
	assert_int_equal(f->out_len, len);
	assert_memory_equal(f->out, expected, len);
	assert_int_equal(f->serial.tx_dropped, 0);
}

static void fifo_reset_bits_empty_their_own_fifo(void **state)
{
	struct fixture *f = *state;

	f->budget = 0;
	enable_fifo_and_interrupts(f, 0, UART_IER_THRI);
	send_text(f, "abc");
	assert_int_equal(receive_text(f, "xyz"), 3);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(get(f, UART_LSR), 0);
	assert_int_equal(receive_text(f, "xyz"), 3);
	assert_false(f->level);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_XMIT);
	assert_int_equal(get(f, UART_LSR), UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
	assert_true(f->level); /* THR became empty */
	assert_int_equal(f->serial.tx_dropped, 3);
	assert_int_equal(f->serial.rx_dropped, 3);
}

static void switching_the_fifo_mode_empties_both(void **state)
{
	struct fixture *f = *state;

	f->budget = 0;
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	send_text(f, "abc");
	assert_int_equal(receive_text(f, "xyz"), 3);
	put(f, UART_FCR, 0);
	assert_int_equal(get(f, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	assert_int_equal(get(f, UART_IIR), UART_IIR_NO_INT);
	assert_int_equal(serial_rx_space(&f->serial), 1);
}

static void fcr_without_enable_programs_nothing_else(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(receive_text(f, "x"), 1);
	put(f, UART_FCR, UART_FCR_CLEAR_RCVR | UART_FCR_TRIGGER_14);
	assert_int_equal(get(f, UART_RX), 'x');
	assert_int_equal(get(f, UART_IIR), UART_IIR_NO_INT);
}

static void loopback_cuts_the_line_in_both_directions(void **state)
{
	struct fixture *f = *state;

	put(f, UART_MCR, UART_MCR_LOOP);
	assert_int_equal(receive_text(f, "x"), 0);
	put(f, UART_TX, 'l');
	assert_int_equal(get(f, UART_RX), 'l');
	assert_int_equal(f->out_len, 0);
	assert_int_equal(f->rx_space_calls, 0);
	put(f, UART_MCR, 0);
	assert_int_equal(f->rx_space_calls, 1); /* the refused byte can come now */
	assert_int_equal(receive_text(f, "x"), 1);
	assert_int_equal(get(f, UART_RX), 'x');
}

static void loopback_while_output_waits_keeps_thre_off(void **state)
{
	struct fixture *f = *state;

	enable_fifo_and_interrupts(f, 0, UART_IER_THRI);
	f->budget = 0;
	send_text(f, "abc");
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	put(f, UART_TX, 'l');
	assert_int_equal(get(f, UART_LSR), UART_LSR_DR);
	assert_int_equal(get(f, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	f->budget = SIZE_MAX;
	serial_tx_resume(&f->serial);
	assert_memory_equal(f->out, "abc", 3);
	assert_true(f->level);
}

static void modem_outputs_loop_back_with_their_changes(void **state)
{
	static const struct {
		uint8_t mcr, msr, rising_delta, falling_delta;
	} rows[] = {
		{UART_MCR_RTS, UART_MSR_CTS, UART_MSR_DCTS, UART_MSR_DCTS},
		{UART_MCR_DTR, UART_MSR_DSR, UART_MSR_DDSR, UART_MSR_DDSR},
		{UART_MCR_OUT1, UART_MSR_RI, 0, UART_MSR_TERI},
		{UART_MCR_OUT2, UART_MSR_DCD, UART_MSR_DDCD, UART_MSR_DDCD},
	};
	struct fixture *f = *state;

	put(f, UART_MCR, UART_MCR_LOOP);
	get(f, UART_MSR);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		put(f, UART_MCR, UART_MCR_LOOP | rows[i].mcr);
		assert_int_equal(get(f, UART_MSR), rows[i].msr | rows[i].rising_delta);
		assert_int_equal(get(f, UART_MSR), rows[i].msr);
		put(f, UART_MCR, UART_MCR_LOOP);
		assert_int_equal(get(f, UART_MSR), rows[i].falling_delta);
	}
}

static void carrier_and_ready_lines_are_on(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void wide_access_is_consecutive_bytes(void **state)
{
	struct fixture *f = *state;

	out16(&f->bus, PORT + UART_SCR - 1, 0x5aff); /* MSR is read-only, SCR keeps its byte */
	assert_int_equal(get(f, UART_SCR), 0x5a);
	out32(&f->bus, PORT + UART_FCR, 0x00000301); /* FCR, LCR, MCR, LSR */
	assert_int_equal(get(f, UART_LCR), 0x03);
	assert_int_equal(in16(&f->bus, PORT + UART_IIR), 0x03c1);
	assert_int_equal(in32(&f->bus, PORT + UART_MCR), 0x5ab06000);
}

static void programming_the_uart_marks_it_opened(void **state)
{
	static const unsigned marking[] = {UART_TX, UART_IER, UART_LCR}, others[] = {UART_FCR, UART_MCR, UART_SCR};

	for (unsigned i = 0; i < 3; i++) {
		set_up(state);
		struct fixture *f = *state;

		put(f, others[i], 0);
		get(f, marking[i]);
		assert_false(f->serial.opened);
		put(f, marking[i], 0);
		assert_true(f->serial.opened);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(written_bytes_reach_the_back_end_in_order, set_up),
		cmocka_unit_test_setup(back_end_without_write_discards_output, set_up),
		cmocka_unit_test_setup(divisor_latch_hides_data_and_interrupt_registers, set_up),
		cmocka_unit_test_setup(linux_finds_a_16550a, set_up),
		cmocka_unit_test_setup(linux_fifo_size_probe_counts_sixteen, set_up),
		cmocka_unit_test_setup(linux_start_up_test_sees_thre_reasserted, set_up),
		cmocka_unit_test_setup(linux_transmit_interrupt_loop_ends_when_nothing_is_left, set_up),
		cmocka_unit_test_setup(reading_iir_clears_only_thre, set_up),
		cmocka_unit_test_setup(interrupts_appear_in_order_of_priority, set_up),
		cmocka_unit_test_setup(out2_gates_the_line_but_not_iir, set_up),
		cmocka_unit_test_setup(unconnected_line_is_survived, set_up),
		cmocka_unit_test_setup(trigger_level_tells_data_from_timeout, set_up),
		cmocka_unit_test_setup(receive_takes_only_what_fits_and_never_overruns, set_up),
		cmocka_unit_test_setup(host_is_told_once_when_refused_input_fits_again, set_up),
		cmocka_unit_test_setup(stalled_back_end_holds_sixteen_bytes_then_drops, set_up),
		cmocka_unit_test_setup(thre_shows_only_when_all_waiting_bytes_are_gone, set_up),
		cmocka_unit_test_setup(resume_without_waiting_bytes_raises_nothing, set_up),
		cmocka_unit_test_setup(waiting_bytes_survive_the_ring_wrapping, set_up),
		cmocka_unit_test_setup(fifo_reset_bits_empty_their_own_fifo, set_up),
		cmocka_unit_test_setup(switching_the_fifo_mode_empties_both, set_up),
		cmocka_unit_test_setup(fcr_without_enable_programs_nothing_else, set_up),
		cmocka_unit_test_setup(loopback_cuts_the_line_in_both_directions, set_up),
		cmocka_unit_test_setup(loopback_while_output_waits_keeps_thre_off, set_up),
		cmocka_unit_test_setup(modem_outputs_loop_back_with_their_changes, set_up),
		cmocka_unit_test_setup(carrier_and_ready_lines_are_on, set_up),
		cmocka_unit_test_setup(wide_access_is_consecutive_bytes, set_up),
		cmocka_unit_test_setup(programming_the_uart_marks_it_opened, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
