/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of COMMAND_OUT as a newc cpio stream in OUT frames. The command may have put anything there: no link is
 * followed, no other file system entered, nothing but files, folders and links is opened. Memory is bounded.
 */
#ifndef VMM_INIT_PACK_H
#define VMM_INIT_PACK_H

#include "sender.h"

/* Returns how many entries are lost: each has a note. What is left out on purpose has one too, but is not lost. */
uint32_t pack_send(struct sender *sender);

#endif
