/* SPDX-License-Identifier: Apache-2.0 */
/* The UART's bytes: order, back-pressure in both directions, FIFO resets, loopback. */
#include "unit/devices/serial_machine.h"

static void written_bytes_reach_the_back_end_in_order(void **state)
{
	struct serial_machine *f = *state;

	send_text(f, "hello");
	assert_int_equal(f->out_len, 5);
	assert_memory_equal(f->out, "hello", 5);
	assert_int_equal(f->serial.tx_bytes, 5);
	assert_int_equal(get(f, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

static void back_end_without_write_discards_output(void **state)
{
	struct serial_machine *f = *state;

	f->serial.backend = (struct serial_backend){0};
	send_text(f, "0123456789abcdef0123456789abcdef");
	assert_int_equal(f->serial.tx_bytes, 32);
	assert_int_equal(f->serial.tx_dropped, 0);
	assert_int_equal(get(f, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

static void receive_takes_only_what_fits_and_never_overruns(void **state)
{
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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

static void enabling_thre_while_bytes_wait_raises_it_only_later(void **state)
{
	struct serial_machine *f = *state;

	f->budget = 0;
	enable_fifo_and_interrupts(f, 0, 0);
	send_text(f, "abc");
	put(f, UART_IER, UART_IER_THRI);
	assert_false(f->level);
	f->budget = SIZE_MAX;
	serial_tx_resume(&f->serial);
	assert_true(f->level);
}

static void resume_without_waiting_bytes_raises_nothing(void **state)
{
	struct serial_machine *f = *state;

	enable_fifo_and_interrupts(f, 0, UART_IER_THRI);
	get(f, UART_IIR);
	assert_false(f->level);
	serial_tx_resume(&f->serial);
	assert_false(f->level);
}

static void waiting_bytes_survive_the_ring_wrapping(void **state)
{
	struct serial_machine *f = *state;
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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

	assert_int_equal(receive_text(f, "x"), 1);
	put(f, UART_FCR, UART_FCR_CLEAR_RCVR | UART_FCR_TRIGGER_14);
	assert_int_equal(get(f, UART_RX), 'x');
	assert_int_equal(get(f, UART_IIR), UART_IIR_NO_INT);
}

static void loopback_cuts_the_line_in_both_directions(void **state)
{
	struct serial_machine *f = *state;

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
	struct serial_machine *f = *state;

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

static void lowered_rts_stops_input_until_it_is_raised(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	assert_int_equal(receive_text(f, "ab"), 2);
	put(f, UART_MCR, UART_MCR_DTR);
	assert_int_equal(serial_rx_space(&f->serial), 0);
	assert_int_equal(receive_text(f, "cd"), 0);
	/* What had come before can still be read; room is no reason to send more. */
	assert_int_equal(get(f, UART_LSR) & UART_LSR_DR, UART_LSR_DR);
	assert_int_equal(get(f, UART_RX), 'a');
	assert_int_equal(get(f, UART_RX), 'b');
	assert_int_equal(get(f, UART_LSR) & UART_LSR_DR, 0);
	assert_int_equal(f->rx_space_calls, 0);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	assert_int_equal(f->rx_space_calls, 1);
	assert_int_equal(receive_text(f, "cd"), 2);
	assert_int_equal(get(f, UART_RX), 'c');
	assert_int_equal(f->serial.rx_dropped, 0);
}

static void raised_rts_announces_nothing_when_nothing_was_refused(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_MCR, UART_MCR_RTS);
	put(f, UART_MCR, 0);
	put(f, UART_MCR, UART_MCR_RTS);
	assert_int_equal(f->rx_space_calls, 0);
}

/* Raised while bytes wait in the FIFO: the announcement comes when it is empty. */
static void raised_rts_still_waits_for_the_fifo(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	put(f, UART_MCR, UART_MCR_RTS);
	assert_int_equal(receive_text(f, "0123456789abcdef+"), 16);
	put(f, UART_MCR, 0);
	put(f, UART_MCR, UART_MCR_RTS);
	assert_int_equal(f->rx_space_calls, 0);
	for (unsigned i = 0; i < 16; i++)
		get(f, UART_RX);
	assert_int_equal(f->rx_space_calls, 1);
}

static void guest_that_never_raised_rts_is_served(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	put(f, UART_MCR, UART_MCR_OUT2);
	assert_int_equal(receive_text(f, "x"), 1);
	/* In loopback RTS's pin stays inactive: the drivers' probe is no promise. */
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	put(f, UART_MCR, UART_MCR_OUT2);
	assert_int_equal(receive_text(f, "y"), 1);
}

/* A kernel that printed early leaves RTS raised; its driver lowers it, and raises it when the port is opened. */
static void input_comes_when_linux_opens_the_port_again(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	put(f, UART_MCR, UART_MCR_OUT2);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	put(f, UART_IER, UART_IER_RDI | UART_IER_RLSI);
	assert_true(serial_is_listening(&f->serial));
	assert_int_equal(receive_text(f, "x"), 0);
	assert_int_equal(f->rx_space_calls, 0);
	for (unsigned opens = 1; opens <= 3; opens++) {
		put(f, UART_MCR, UART_MCR_OUT2 | UART_MCR_DTR | UART_MCR_RTS);
		assert_int_equal(f->rx_space_calls, opens);
		assert_int_equal(receive_text(f, "x"), 1);
		assert_true(f->level);
		assert_int_equal(get(f, UART_RX), 'x');
		put(f, UART_MCR, UART_MCR_OUT2);
		assert_int_equal(receive_text(f, "y"), 0);
	}
}

/* Linux's 8250 start-up: probes IER with everything set, clears the FIFOs, and opens with OUT2 and the receive
 * interrupt. */
static void guest_listens_once_its_driver_has_opened_the_port(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_IER, 0x0f);
	put(f, UART_IER, 0);
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	put(f, UART_IER, UART_IER_RDI);
	put(f, UART_IER, 0);
	put(f, UART_MCR, UART_MCR_OUT2);
	put(f, UART_IER, UART_IER_RDI);
	assert_false(serial_is_listening(&f->serial));
	assert_int_equal(f->rx_space_calls, 0);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_true(serial_is_listening(&f->serial));
	assert_int_equal(f->rx_space_calls, 1);
	put(f, UART_IER, 0);
	assert_true(serial_is_listening(&f->serial));
}

static void guest_without_fifos_listens_once_it_transmits(void **state)
{
	struct serial_machine *f = *state;

	put(f, UART_MCR, UART_MCR_OUT2);
	put(f, UART_IER, UART_IER_RDI);
	assert_false(serial_is_listening(&f->serial));
	put(f, UART_TX, '>');
	assert_true(serial_is_listening(&f->serial));
}

static void guest_that_polls_an_idle_line_listens(void **state)
{
	struct serial_machine *f = *state;

	for (unsigned i = 0; i < 1000; i++) { /* a transmitter: looks once a byte */
		get(f, UART_LSR);
		f->out_len = 0;
		put(f, UART_TX, 'x');
	}
	assert_false(serial_is_listening(&f->serial));
	for (unsigned i = 0; i < 64; i++)
		get(f, UART_LSR);
	assert_true(serial_is_listening(&f->serial));
	assert_int_equal(f->rx_space_calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(written_bytes_reach_the_back_end_in_order, set_up),
		cmocka_unit_test_setup(back_end_without_write_discards_output, set_up),
		cmocka_unit_test_setup(receive_takes_only_what_fits_and_never_overruns, set_up),
		cmocka_unit_test_setup(host_is_told_once_when_refused_input_fits_again, set_up),
		cmocka_unit_test_setup(stalled_back_end_holds_sixteen_bytes_then_drops, set_up),
		cmocka_unit_test_setup(thre_shows_only_when_all_waiting_bytes_are_gone, set_up),
		cmocka_unit_test_setup(enabling_thre_while_bytes_wait_raises_it_only_later, set_up),
		cmocka_unit_test_setup(resume_without_waiting_bytes_raises_nothing, set_up),
		cmocka_unit_test_setup(waiting_bytes_survive_the_ring_wrapping, set_up),
		cmocka_unit_test_setup(fifo_reset_bits_empty_their_own_fifo, set_up),
		cmocka_unit_test_setup(switching_the_fifo_mode_empties_both, set_up),
		cmocka_unit_test_setup(fcr_without_enable_programs_nothing_else, set_up),
		cmocka_unit_test_setup(loopback_cuts_the_line_in_both_directions, set_up),
		cmocka_unit_test_setup(loopback_while_output_waits_keeps_thre_off, set_up),
		cmocka_unit_test_setup(lowered_rts_stops_input_until_it_is_raised, set_up),
		cmocka_unit_test_setup(raised_rts_announces_nothing_when_nothing_was_refused, set_up),
		cmocka_unit_test_setup(raised_rts_still_waits_for_the_fifo, set_up),
		cmocka_unit_test_setup(guest_that_never_raised_rts_is_served, set_up),
		cmocka_unit_test_setup(input_comes_when_linux_opens_the_port_again, set_up),
		cmocka_unit_test_setup(guest_listens_once_its_driver_has_opened_the_port, set_up),
		cmocka_unit_test_setup(guest_without_fifos_listens_once_it_transmits, set_up),
		cmocka_unit_test_setup(guest_that_polls_an_idle_line_listens, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
