/* SPDX-License-Identifier: Apache-2.0 */
/* The user's terminal in raw mode, restored at exit and after a crash. Main thread. */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

#include <stdbool.h>

/* Is @fd a terminal with us in its foreground? Only then may it be read. */
bool terminal_is_foreground(int fd);

/* Puts @fd into raw mode when it is a terminal and we are in its foreground. True when it did. The first call also
 * installs handlers that restore the terminal when the process dies of a fatal signal. */
bool terminal_enter_raw(int fd);

/* Restores what terminal_enter_raw changed; harmless otherwise. */
void terminal_restore(void);

#endif
