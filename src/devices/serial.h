/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 16550A UART: registers, 16-byte FIFOs, interrupts. All functions run with dev_lock held (vCPU threads for register
 * accesses, the I/O thread for received bytes and for a back-end that can take output again).
 */
#ifndef VMM_DEVICES_SERIAL_H
#define VMM_DEVICES_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "devices/bus.h"
#include "devices/irq.h"

/* Where transmitted bytes go. write never blocks: takes what it can and returns how many bytes that was. rx_space may
 * be NULL; it runs (on a vCPU thread) when the guest begins to listen, and when the receive FIFO is empty and the guest
 * ready again after serial_receive did not take everything. */
struct serial_backend {
	size_t (*write)(void *opaque, const uint8_t *data, size_t len);
	void *opaque;
	void (*rx_space)(void *opaque);
};

#define SERIAL_FIFO_SIZE 16
#define SERIAL_PORTS	 8

struct serial {
	struct bus_device dev;
	struct irq_line irq;
	struct serial_backend backend;
	uint8_t rx[SERIAL_FIFO_SIZE];
	unsigned rx_head, rx_count;
	uint8_t tx[SERIAL_FIFO_SIZE]; /* bytes the back-end did not take yet */
	unsigned tx_head, tx_count;
	uint8_t ier, lcr, mcr, scr, fcr;
	uint8_t dll, dlm;
	uint8_t lsr_errors; /* overrun (loopback only): cleared by reading LSR */
	uint8_t msr_delta;  /* modem lines that changed: cleared by reading MSR */
	bool thre_pending;  /* THR-empty interrupt, cleared by reading IIR or writing THR */
	bool irq_level;	    /* what the line was last set to */
	bool listening;	    /* see serial_is_listening */
	uint8_t idle_polls; /* reads of LSR in a row that found nothing to do */
	bool uses_rts;	    /* the guest has raised RTS: while it is low, nothing is received */
	bool rx_refused;    /* serial_receive left bytes with its caller, who waits for rx_space */
	bool opened;	    /* the guest has programmed the UART (LCR, IER or THR written) */
	uint64_t tx_bytes, tx_dropped, rx_bytes, rx_dropped;
};

/* Prepares @serial at @port (PIO, SERIAL_PORTS bytes). A back-end with a NULL write discards output. */
void serial_init(struct serial *serial, uint16_t port, struct irq_line irq, struct serial_backend backend);

/* Offers received bytes; returns how many the FIFO took (0 when full, in loopback mode, and while the guest has lowered
 * RTS, having raised it before: offer the rest when serial_rx_space() > 0, which the back-end's rx_space announces). */
size_t serial_receive(struct serial *serial, const uint8_t *data, size_t len);
size_t serial_rx_space(const struct serial *serial);

/* Has the guest shown that it reads its input: by enabling the receive interrupt, or by polling an idle line? Before,
 * its driver's start-up would throw received bytes away (Linux clears the FIFOs several times). Stays true once true.
 */
bool serial_is_listening(const struct serial *serial);

/* The back-end can take output again: pushes the waiting bytes and raises the THR-empty interrupt when due. */
void serial_tx_resume(struct serial *serial);

#endif
