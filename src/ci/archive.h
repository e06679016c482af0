/* SPDX-License-Identifier: Apache-2.0 */
/* A newc cpio archive that grows in memory: the few files vmm itself adds to an initramfs. Start-up only. */
#ifndef VMM_CI_ARCHIVE_H
#define VMM_CI_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct archive {
	uint8_t *bytes; /* owned */
	size_t size;
	size_t capacity;
	uint32_t last_ino;
	bool failed; /* memory ran out: everything since is lost */
};

void archive_init(struct archive *archive);
void archive_fini(struct archive *archive);

/* Each adds one member owned by root; @mode is the permission bits. */
void archive_add_folder(struct archive *archive, const char *name, uint32_t mode);
void archive_add_file(struct archive *archive, const char *name, uint32_t mode, const void *data, size_t size);
void archive_add_link(struct archive *archive, const char *name, const char *target);
void archive_add_character_device(struct archive *archive, const char *name, uint32_t mode, uint32_t major,
				  uint32_t minor);

/* Adds the trailer. 0, or -ENOMEM when any member did not fit into memory. */
MUST_CHECK int archive_finish(struct archive *archive);

#endif
