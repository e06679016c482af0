/* SPDX-License-Identifier: Apache-2.0 */
/* The UART's registers and interrupts, above all the sequences of Linux's 8250 driver. */
#include "unit/devices/serial_machine.h"

static void divisor_latch_hides_data_and_interrupt_registers(void **state)
{
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;
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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;
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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

	assert_int_equal(get(f, UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void wide_access_is_consecutive_bytes(void **state)
{
	struct serial_machine *f = *state;

	out16(&f->bus, SERIAL_PORT + UART_SCR - 1, 0x5aff); /* MSR is read-only, SCR keeps its byte */
	assert_int_equal(get(f, UART_SCR), 0x5a);
	out32(&f->bus, SERIAL_PORT + UART_FCR, 0x00000301); /* FCR, LCR, MCR, LSR */
	assert_int_equal(get(f, UART_LCR), 0x03);
	assert_int_equal(in16(&f->bus, SERIAL_PORT + UART_IIR), 0x03c1);
	assert_int_equal(in32(&f->bus, SERIAL_PORT + UART_MCR), 0x5ab06000);
}

static void programming_the_uart_marks_it_opened(void **state)
{
	static const unsigned marking[] = {UART_TX, UART_IER, UART_LCR}, others[] = {UART_FCR, UART_MCR, UART_SCR};

	for (unsigned i = 0; i < 3; i++) {
		set_up(state);
		struct serial_machine *f = *state;

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
		cmocka_unit_test_setup(modem_outputs_loop_back_with_their_changes, set_up),
		cmocka_unit_test_setup(carrier_and_ready_lines_are_on, set_up),
		cmocka_unit_test_setup(wide_access_is_consecutive_bytes, set_up),
		cmocka_unit_test_setup(programming_the_uart_marks_it_opened, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
