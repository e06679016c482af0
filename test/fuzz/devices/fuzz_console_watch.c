/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary console output: texts stay printable and bounded, and how the output is cut into pieces changes nothing. */
#include <string.h>

#include "base/compiler.h"
#include "devices/console_watch.h"

/* A checksum of everything reported. */
struct record {
	unsigned count;
	uint64_t sum;
};

static void record_event(void *opaque, enum console_event event, const char *text)
{
	struct record *record = opaque;
	size_t len = strlen(text);

	ASSERT(event <= CONSOLE_RESTARTING && len <= CONSOLE_LINE_SIZE);
	record->count++;
	record->sum = record->sum * 31 + event;
	for (size_t i = 0; i < len; i++) {
		ASSERT(text[i] >= 0x20 && text[i] <= 0x7e);
		record->sum = record->sum * 31 + (uint8_t)text[i];
	}
}

static void check_tail(const struct console_watch *watch, size_t size)
{
	char tail[CONSOLE_TAIL_SIZE + CONSOLE_LINE_SIZE + 1];
	size_t len;

	size = size % sizeof(tail) + 1;
	len = console_watch_tail(watch, tail, size);
	ASSERT(len < size && tail[len] == '\0');
	for (size_t i = 0; i < len; i++)
		ASSERT(tail[i] == '\n' || (tail[i] >= 0x20 && tail[i] <= 0x7e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record whole_record = {0}, cut_record = {0};
	struct console_watch whole, cut;

	console_watch_init(&whole, (struct console_sink){.report = record_event, .opaque = &whole_record});
	console_watch_init(&cut, (struct console_sink){.report = record_event, .opaque = &cut_record});
	console_watch_feed(&whole, data, size);
	for (size_t i = 0; i < size; i++) {
		console_watch_feed(&cut, data + i, 1);
		ASSERT(cut.len <= CONSOLE_LINE_SIZE && cut.tail_count <= CONSOLE_TAIL_SIZE);
	}
	check_tail(&whole, size ? data[0] * 19U : 0);
	console_watch_finish(&whole);
	console_watch_finish(&cut);
	ASSERT(whole_record.count == cut_record.count && whole_record.sum == cut_record.sum);
	ASSERT(whole.tail_count == cut.tail_count && whole.len == cut.len);
	return 0;
}
