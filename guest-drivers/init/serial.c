/* SPDX-License-Identifier: Apache-2.0 */
#include "serial.h"

#include <asm/termbits.h>
#include <linux/serial_reg.h>

#include "sys.h"

#define TERMINAL	   "/dev/ttyS1"
#define TERMINAL_ID	   (4 << 8 | 65)
#define TERMINAL_MODE	   (SYS_CHARACTER_DEVICE | 0600)
#define FIFO_SIZE	   16 /* PC16550D: THRE says that so many may be written */
#define POLLS_BEFORE_SLEEP 1000
#define SCRATCH_PATTERN	   0x5a

bool serial_open_terminal(struct serial *serial)
{
	const struct termios raw = {.c_cflag = B115200 | CS8 | CREAD | CLOCAL};
	const int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;

	serial->fd = sys_open(TERMINAL, flags, 0);
	if (serial->fd == -ENOENT && sys_call3(__NR_mknod, (long)TERMINAL, TERMINAL_MODE, TERMINAL_ID) == 0)
		serial->fd = sys_open(TERMINAL, flags, 0);
	if (serial->fd < 0)
		return false;
	sys_ioctl(serial->fd, TCSETS, &raw);
	return true;
}

bool serial_open_ports(struct serial *serial)
{
	serial->fd = -1;
	if (sys_ioperm(SERIAL_COM2_PORT, SERIAL_COM2_PORTS, 1) != 0)
		return false;
	sys_outb(SERIAL_COM2_PORT + UART_SCR, SCRATCH_PATTERN);
	if (sys_inb(SERIAL_COM2_PORT + UART_SCR) != SCRATCH_PATTERN)
		return false;
	sys_outb(SERIAL_COM2_PORT + UART_LCR, UART_LCR_DLAB);
	sys_outb(SERIAL_COM2_PORT + UART_DLL, 1); /* 115200 */
	sys_outb(SERIAL_COM2_PORT + UART_DLM, 0);
	sys_outb(SERIAL_COM2_PORT + UART_LCR, UART_LCR_WLEN8);
	sys_outb(SERIAL_COM2_PORT + UART_IER, 0);
	sys_outb(SERIAL_COM2_PORT + UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	sys_outb(SERIAL_COM2_PORT + UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	serial->by_port = true;
	return true;
}

static void wait_for_line(uint8_t bits)
{
	for (unsigned polls = 0; !(sys_inb(SERIAL_COM2_PORT + UART_LSR) & bits); polls++) {
		if (polls >= POLLS_BEFORE_SLEEP)
			sys_sleep_ms(1);
	}
}

bool serial_write(const struct serial *serial, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	if (serial->by_port) {
		for (size_t i = 0; i < len; i++) {
			if (i % FIFO_SIZE == 0)
				wait_for_line(UART_LSR_THRE);
			sys_outb(SERIAL_COM2_PORT + UART_TX, at[i]);
		}
		return true;
	}
	while (len) {
		long n = sys_write(serial->fd, at, len);

		if (n == -EINTR || n == -EAGAIN)
			continue;
		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

void serial_drain(const struct serial *serial)
{
	if (serial->by_port)
		wait_for_line(UART_LSR_TEMT);
	else
		sys_ioctl(serial->fd, TCSBRK, (const void *)1);
}
