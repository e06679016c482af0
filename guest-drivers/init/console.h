/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's console: init's own streams, and the command's when it has a terminal or input. */
#ifndef VMM_INIT_CONSOLE_H
#define VMM_INIT_CONSOLE_H

#include <stdint.h>

/* A kernel without /dev/console in its initramfs starts init without streams: takes the numbers, so that nothing else
 * gets them. */
void console_hold_streams(void);

/* One line for the user, when there is no other way to tell. */
void console_complain(const char *line);

/* The console's terminal as people use one, and as init's controlling terminal, so that it is the command's too. Were
 * the command the session's leader, the kernel would hang the terminal up when it ends, and throw away what has not
 * left the UART yet. Returns a descriptor, or -errno. */
int console_open_terminal(uint16_t rows, uint16_t columns);

/* The console's terminal for input only: no echo, no signals, no character is changed. Lines, because 0x04 is the end
 * then (or ends a long line early); 0x16 takes the meaning from the character behind it. A descriptor, or -errno. */
int console_open_input(void);

/* Waits until the terminal's last byte has left. */
void console_drain(int fd);

#endif
