/* SPDX-License-Identifier: Apache-2.0 */
/* Where the program begins, on a stack of its own; it never returns. */
#ifndef VMM_INIT_START_H
#define VMM_INIT_START_H

__attribute__((noreturn)) void init_main(void);

#endif
