/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's kernel and initramfs: as given, or made by the project's scripts. */
#ifndef VMM_BENCH_BOOT_IMAGES_H
#define VMM_BENCH_BOOT_IMAGES_H

#include "bench.h"

struct boot_images {
	char vmlinux[BENCH_PATH_SIZE], bzimage[BENCH_PATH_SIZE], initrd[BENCH_PATH_SIZE];
};

/* Fills what is empty. The scripts are quick when their cache has it; the first kernel takes minutes. Ends the program
 * with a line on stderr when one fails. */
void boot_images_find(const struct bench *bench, struct boot_images *images);

#endif
