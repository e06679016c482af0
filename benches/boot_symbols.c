/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_symbols.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define SYMBOL_SIZE 128

static FILE *open_map(const char *vmlinux)
{
	char path[BENCH_PATH_SIZE + 16];
	const char *slash = strrchr(vmlinux, '/');
	int folder = slash ? (int)(slash - vmlinux) + 1 : 0;

	snprintf(path, sizeof(path), "%.*sSystem.map", folder, vmlinux);
	return fopen(path, "re");
}

const char *boot_symbols_name(const char *vmlinux, const char *hex, char *buf, size_t size)
{
	char symbol[SYMBOL_SIZE], line[2 * SYMBOL_SIZE], *end;
	uint64_t address = strtoull(hex, &end, 16), best = 0, at;
	FILE *map = *hex && (*end == '\0' || *end == ' ') ? open_map(vmlinux) : NULL;

	snprintf(buf, size, "%s", hex);
	while (map && fgets(line, sizeof(line), map)) {
		if (sscanf(line, "%lx %*c %127s", &at, symbol) != 2 || at > address || at < best)
			continue;
		best = at;
		if (at == address)
			snprintf(buf, size, "%s", symbol);
		else
			snprintf(buf, size, "%s+0x%lx", symbol, address - at);
	}
	if (map)
		fclose(map);
	return buf;
}
