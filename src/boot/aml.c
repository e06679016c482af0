/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/aml.h"

#include <errno.h>
#include <string.h>

#include "base/endian.h"

/* ACPI 6.3, table 20-442: AML encodings */
#define OP_ZERO	    0x00
#define OP_ONE	    0x01
#define OP_NAME	    0x08
#define OP_BYTE	    0x0a
#define OP_WORD	    0x0b
#define OP_DWORD    0x0c
#define OP_STRING   0x0d
#define OP_QWORD    0x0e
#define OP_SCOPE    0x10
#define OP_BUFFER   0x11
#define OP_PACKAGE  0x12
#define OP_EXTENDED 0x5b
#define OP_DEVICE   0x82 /* behind OP_EXTENDED */
#define OP_ONES	    0xff

/* Resource descriptor tags: ACPI 6.3, 6.4.2 (small) and 6.4.3 (large) */
#define RES_IRQ_NO_FLAGS 0x22
#define RES_IO		 0x47
#define RES_END		 0x79
#define RES_MEMORY32	 0x86
#define RES_INTERRUPT	 0x89

#define MEMORY_WRITABLE	   0x01
#define IO_DECODE_16	   0x01
#define INTERRUPT_CONSUMER 0x01
#define INTERRUPT_EDGE	   0x02
#define INTERRUPT_SHARED   0x08

void aml_init(struct aml *aml, uint8_t *buf, size_t size)
{
	*aml = (struct aml){.buf = buf, .size = size};
}

/* Puts bytes in at @at, moving up what is there. */
static void insert(struct aml *aml, size_t at, const void *bytes, size_t n)
{
	if (aml->overflow || n > aml->size - aml->len) {
		aml->overflow = true;
		return;
	}
	memmove(aml->buf + at + n, aml->buf + at, aml->len - at);
	memcpy(aml->buf + at, bytes, n);
	aml->len += n;
}

static void append(struct aml *aml, const void *bytes, size_t n)
{
	insert(aml, aml->len, bytes, n);
}

static void append_byte(struct aml *aml, uint8_t byte)
{
	append(aml, &byte, 1);
}

/* NameSeg (ACPI 6.3, 20.2.2): four characters, short names are filled up with underscores. */
static void append_name(struct aml *aml, const char *name)
{
	char segment[4] = {'_', '_', '_', '_'};
	size_t n = strlen(name);

	ASSERT(n >= 1 && n <= sizeof(segment));
	memcpy(segment, name, n);
	append(aml, segment, sizeof(segment));
}

/* The shortest encoding of @value (ACPI 6.3, 20.2.3); returns its size. */
static size_t encode_integer(uint64_t value, uint8_t out[9])
{
	if (value <= 1 || value == UINT64_MAX) {
		out[0] = value == 0 ? OP_ZERO : value == 1 ? OP_ONE : OP_ONES;
		return 1;
	}
	store_le64(out + 1, value);
	if (value <= UINT8_MAX) {
		out[0] = OP_BYTE;
		return 2;
	}
	if (value <= UINT16_MAX) {
		out[0] = OP_WORD;
		return 3;
	}
	if (value <= UINT32_MAX) {
		out[0] = OP_DWORD;
		return 5;
	}
	out[0] = OP_QWORD;
	return 9;
}

/* PkgLength (ACPI 6.3, 20.2.4): counts its own bytes; with n bytes behind the first the first holds n and 4 bits. */
static size_t encode_package_length(size_t content, uint8_t out[4])
{
	size_t more = 0, total = content + 1;

	if (total < 64) {
		out[0] = (uint8_t)total;
		return 1;
	}
	do
		total = content + 1 + ++more;
	while (total >> (4 + 8 * more));
	ASSERT(more <= 3);
	out[0] = (uint8_t)(more << 6 | (total & 0xf));
	for (size_t i = 0; i < more; i++)
		out[i + 1] = (uint8_t)(total >> (4 + 8 * i));
	return more + 1;
}

static void open_level(struct aml *aml, bool is_template)
{
	ASSERT(aml->depth < AML_MAX_DEPTH);
	aml->levels[aml->depth++] = (struct aml_level){.start = aml->len, .is_template = is_template};
}

void aml_open_scope(struct aml *aml, const char *name)
{
	append_byte(aml, OP_SCOPE);
	open_level(aml, false);
	append_name(aml, name);
}

void aml_open_device(struct aml *aml, const char *name)
{
	append_byte(aml, OP_EXTENDED);
	append_byte(aml, OP_DEVICE);
	open_level(aml, false);
	append_name(aml, name);
}

void aml_open_package(struct aml *aml, uint8_t nr_elements)
{
	append_byte(aml, OP_PACKAGE);
	open_level(aml, false);
	append_byte(aml, nr_elements);
}

void aml_open_template(struct aml *aml)
{
	append_byte(aml, OP_BUFFER);
	open_level(aml, true);
}

void aml_close(struct aml *aml)
{
	uint8_t bytes[9];

	ASSERT(aml->depth);

	const struct aml_level *level = &aml->levels[--aml->depth];

	if (level->is_template) {
		/* A checksum of zero counts as right (ACPI 6.3, 6.4.2.9). */
		append(aml, (const uint8_t[]){RES_END, 0}, 2);
		insert(aml, level->start, bytes, encode_integer(aml->len - level->start, bytes));
	}
	insert(aml, level->start, bytes, encode_package_length(aml->len - level->start, bytes));
}

void aml_put_name(struct aml *aml, const char *name)
{
	append_byte(aml, OP_NAME);
	append_name(aml, name);
}

void aml_put_integer(struct aml *aml, uint64_t value)
{
	uint8_t bytes[9];

	append(aml, bytes, encode_integer(value, bytes));
}

void aml_put_string(struct aml *aml, const char *text)
{
	append_byte(aml, OP_STRING);
	append(aml, text, strlen(text) + 1);
}

static uint32_t hex_digit(char c)
{
	ASSERT((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Three letters of 5 bits each and a 16-bit number, most significant byte first (ACPI 6.3, 19.3.4). */
void aml_put_eisa_id(struct aml *aml, const char *id)
{
	uint32_t value = 0;

	ASSERT(strlen(id) == 7);
	for (unsigned i = 0; i < 3; i++)
		value = value << 5 | ((uint32_t)(id[i] - '@') & 0x1f);
	for (unsigned i = 3; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	aml_put_integer(aml, __builtin_bswap32(value));
}

/* 32-bit fixed memory range descriptor, ACPI 6.3, 6.4.3.4 */
void aml_add_memory32(struct aml *aml, uint32_t base, uint32_t len)
{
	uint8_t d[12] = {RES_MEMORY32, sizeof(d) - 3, 0, MEMORY_WRITABLE};

	store_le32(d + 4, base);
	store_le32(d + 8, len);
	append(aml, d, sizeof(d));
}

/* Extended interrupt descriptor, ACPI 6.3, 6.4.3.6 */
void aml_add_interrupt(struct aml *aml, uint32_t gsi, bool shared)
{
	uint8_t d[9] = {RES_INTERRUPT, sizeof(d) - 3, 0, INTERRUPT_CONSUMER | INTERRUPT_EDGE, 1};

	if (shared)
		d[3] |= INTERRUPT_SHARED;
	store_le32(d + 5, gsi);
	append(aml, d, sizeof(d));
}

/* I/O port descriptor, ACPI 6.3, 6.4.2.5 */
void aml_add_io(struct aml *aml, uint16_t port, uint8_t len)
{
	uint8_t d[8] = {RES_IO, IO_DECODE_16, 0, 0, 0, 0, 1, len};

	store_le16(d + 2, port);
	store_le16(d + 4, port);
	append(aml, d, sizeof(d));
}

/* IRQ descriptor, ACPI 6.3, 6.4.2.1; without flags it is edge-triggered, active high and exclusive. */
void aml_add_isa_irq(struct aml *aml, unsigned irq)
{
	uint8_t d[3] = {RES_IRQ_NO_FLAGS};

	ASSERT(irq < 16);
	store_le16(d + 1, (uint16_t)(1u << irq));
	append(aml, d, sizeof(d));
}

int aml_finish(const struct aml *aml, size_t *len)
{
	ASSERT(aml->depth == 0);
	*len = aml->overflow ? 0 : aml->len;
	return aml->overflow ? -ENOSPC : 0;
}
