/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <linux/mman.h>

#include "sys.h"

#define REST_MS 1

static void rest(void *opaque)
{
	(void)opaque;
	sys_sleep_ms(REST_MS);
}

static bool send_hello(struct sender *sender, enum command_transport transport)
{
	const struct command_hello hello = {.version = COMMAND_PROTO_VERSION, .transport = transport};

	sender->transport = transport;
	sender->sequence = 0;
	return sender_send(sender, COMMAND_FRAME_HELLO, &hello, sizeof(hello));
}

/* The control page and the ring, or NULL. */
static uint8_t *map_window(uint64_t address, uint32_t size)
{
	int fd = sys_open("/dev/mem", O_RDWR | O_CLOEXEC, 0);
	long map;

	if (fd < 0)
		return NULL;
	map = sys_call6(__NR_mmap, 0, (long)COMMAND_WINDOW_PAGE + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			(long)address);
	sys_close(fd);
	return map < 0 ? NULL : (uint8_t *)map;
}

/* What a kernel maps there need not be the window: it is one only if the host has prepared it, and takes the HELLO. */
static bool try_window(struct transport *transport, const struct command_file *head)
{
	struct window *window = &transport->sender.window;
	uint8_t *map = map_window(head->window_address, head->window_size);

	if (!map)
		return false;
	*window = (struct window){
		.control = (struct command_window *)(void *)map,
		.ring = map + COMMAND_WINDOW_PAGE,
		.size = head->window_size,
		.ring_doorbell = doorbell_ring,
		.rest = rest,
		.opaque = &transport->doorbell,
	};
	if (window->control->head != 0 || window->control->tail != 0)
		return false;
	send_hello(&transport->sender, COMMAND_BY_WINDOW);
	return window_try_empty(window);
}

bool transport_open(struct transport *transport, const struct command_file *head)
{
	struct sender *sender = &transport->sender;

	sender_init(sender, head->token);
	if (head->window_address && doorbell_open(&transport->doorbell, head->doorbell_port)) {
		if (try_window(transport, head))
			return true;
		doorbell_close(&transport->doorbell);
	}
	/* A terminal without a UART behind it refuses what is written. */
	if (serial_open_terminal(&sender->serial) && send_hello(sender, COMMAND_BY_SERIAL))
		return true;
	return serial_open_ports(&sender->serial) && send_hello(sender, COMMAND_BY_SERIAL);
}

void transport_drop_ports(const struct transport *transport)
{
	const struct sender *sender = &transport->sender;

	if (sender->transport == COMMAND_BY_WINDOW)
		doorbell_close(&transport->doorbell);
	else if (sender->serial.by_port)
		sys_ioperm(SERIAL_COM2_PORT, SERIAL_COM2_PORTS, 0);
}
