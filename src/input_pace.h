/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast input goes to the guest's UART. A driver takes what has come in its interrupt: a host that fills the FIFO
 * again at once keeps it there. Nobody reads then and nobody lowers RTS, until the guest's kernel throws away what
 * exceeds its own buffer (Linux drivers/tty/tty_buffer.c: 640 KiB). So after some work with input the guest gets as
 * much time for everything else. Pure.
 */
#ifndef VMM_INPUT_PACE_H
#define VMM_INPUT_PACE_H

#include <stdint.h>

#define INPUT_PACE_WORK_NS 20000000
/* Of what one FIFO takes no more is counted: the guest did something else then. */
#define INPUT_PACE_FIFO_NS 5000000

/* Starts as zeroes: input may go at once. */
struct input_pace {
	uint64_t filled_ns; /* when the UART last got input; 0 since it had room again */
	uint64_t work_ns;   /* that the guest spent with input since it last rested */
	uint64_t ready_ns;  /* more may go from then on */
};

/* The UART got input at @now. */
void input_pace_fill(struct input_pace *pace, uint64_t now);
/* It has room again. */
void input_pace_empty(struct input_pace *pace, uint64_t now);

#endif
