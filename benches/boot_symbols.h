/* SPDX-License-Identifier: Apache-2.0 */
/* Names for a kernel's addresses, from the System.map that stands beside its vmlinux. */
#ifndef VMM_BENCH_BOOT_SYMBOLS_H
#define VMM_BENCH_BOOT_SYMBOLS_H

#include <stddef.h>

/* Writes "name" or "name+0x12" for the address @hex ("ffffffff81000000" or "0xffffffff81000000"); @hex itself when it
 * is not an address or no System.map is there. Returns @buf. */
const char *boot_symbols_name(const char *vmlinux, const char *hex, char *buf, size_t size);

#endif
