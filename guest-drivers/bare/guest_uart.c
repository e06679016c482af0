/* SPDX-License-Identifier: Apache-2.0 */
/* The serial console: output by polling and by interrupts, input by both, floods. */
#include "guest.h"

#define UART_VECTOR 0x31
#define UART_PIN    4
#define IER_RX	    0x01
#define IER_TX	    0x02
#define MCR_OUT2    0x08
#define FCR_ENABLE  0x01
#define IIR_NONE    0x01
#define IIR_MASK    0x0f
#define IIR_TX	    0x02
#define FIFO_SIZE   16
#define LAST_KEY    'Q'

static int hello(const struct boot_info *info)
{
	(void)info;
	print("hello\n");
	return 0;
}

/* A line of 64 bytes: its number, then a filler. */
static void make_line(char line[64], uint32_t number)
{
	memset(line, '.', 64);
	for (int i = 7; i >= 0; i--, number >>= 4)
		line[i] = "0123456789abcdef"[number & 15];
	line[63] = '\n';
}

/* "lines=N" lines of 64 bytes, waiting for the transmitter before each FIFO's fill. */
static int flood(const struct boot_info *info)
{
	uint32_t lines = (uint32_t)boot_option_number(info, "lines", 1);
	char line[64];

	outb(COM1 + UART_FCR, FCR_ENABLE);
	for (uint32_t i = 0; i < lines; i++) {
		make_line(line, i);
		for (unsigned at = 0; at < sizeof(line); at += FIFO_SIZE) {
			while (!(inb(COM1 + UART_LSR) & LSR_THRE))
				pause();
			outsb(COM1, line + at, FIFO_SIZE);
		}
	}
	return 0;
}

/* As much as "lines=N" says, without ever looking whether anybody takes it. */
static int flood_blindly(const struct boot_info *info)
{
	uint32_t lines = (uint32_t)boot_option_number(info, "lines", 1);
	char line[64];

	outb(COM1 + UART_FCR, FCR_ENABLE);
	make_line(line, 0);
	for (uint32_t i = 0; i < lines; i++)
		outsb(COM1, line, sizeof(line));
	return 5;
}

static void echo_key(uint8_t key)
{
	if (key >= ' ' && key < 0x7f) {
		print_char((char)key);
		return;
	}
	print_char('<');
	print_hex(key);
	print_char('>');
}

static int echo_by_polling(const struct boot_info *info)
{
	uint8_t key = 0;

	(void)info;
	print("ready\n");
	while (key != LAST_KEY) {
		while (!(inb(COM1 + UART_LSR) & LSR_DR))
			pause();
		key = inb(COM1);
		echo_key(key);
	}
	print("\n");
	return 0;
}

static volatile bool done;
static const char *to_send;

static void on_uart(void)
{
	uint8_t id;

	while (!((id = inb(COM1 + UART_IIR) & IIR_MASK) & IIR_NONE)) {
		if (id == IIR_TX) {
			for (unsigned n = 0; n < FIFO_SIZE && *to_send; n++)
				outb(COM1, (uint8_t)*to_send++);
			done = !*to_send;
			if (done)
				outb(COM1 + UART_IER, 0);
		} else {
			uint8_t key = inb(COM1);

			echo_key(key);
			done = key == LAST_KEY;
		}
	}
	apic_end_of_interrupt();
}

static void wait_for_uart(uint8_t ier)
{
	pic_init(32, 0); /* the 8259s would deliver the line too, at their own vector */
	apic_enable();
	trap_handle(UART_VECTOR, on_uart);
	ioapic_route(UART_PIN, UART_VECTOR);
	outb(COM1 + UART_FCR, FCR_ENABLE);
	outb(COM1 + UART_MCR, MCR_OUT2);
	outb(COM1 + UART_IER, ier);
	while (!done)
		wait_for_interrupt();
}

static int echo_by_interrupts(const struct boot_info *info)
{
	(void)info;
	print("ready\n");
	wait_for_uart(IER_RX);
	print("\n");
	return 0;
}

static int send_by_interrupts(const struct boot_info *info)
{
	(void)info;
	to_send = "sent by interrupts, sixteen bytes at a time, to the very end\n";
	wait_for_uart(IER_TX);
	return 0;
}

const struct guest_test guest_uart_tests[] = {
	{"hello", hello},
	{"flood", flood},
	{"flood-blindly", flood_blindly},
	{"echo", echo_by_polling},
	{"echo-irq", echo_by_interrupts},
	{"send-irq", send_by_interrupts},
	{0},
};
