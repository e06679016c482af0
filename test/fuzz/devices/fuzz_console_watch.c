/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary output of both sources: texts stay printable and bounded, and how it is cut into pieces changes nothing. */
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "devices/console_watch.h"

#define SWITCH 0xff /* the other source speaks from here on */

/* A checksum of everything reported. */
struct record {
	unsigned count;
	uint64_t sum;
};

static void record_event(void *opaque, enum console_event event, const char *text)
{
	struct record *record = opaque;
	size_t len = strlen(text);

	ASSERT(event <= CONSOLE_OOPS && len <= CONSOLE_LINE_SIZE);
	record->count++;
	record->sum = record->sum * 31 + event;
	for (size_t i = 0; i < len; i++) {
		ASSERT(text[i] >= 0x20 && text[i] <= 0x7e);
		record->sum = record->sum * 31 + (uint8_t)text[i];
	}
}

static void check_tail(const struct console_watch *watch, size_t size)
{
	char tail[CONSOLE_TAIL_SIZE + 2 * CONSOLE_LINE_SIZE + 2];
	size_t len;

	size = size % sizeof(tail) + 1;
	len = console_watch_tail(watch, tail, size);
	ASSERT(len < size && tail[len] == '\0');
	for (size_t i = 0; i < len; i++)
		ASSERT(tail[i] == '\n' || (tail[i] >= 0x20 && tail[i] <= 0x7e));
}

static void feed(struct console_watch *watch, bool as_text, const uint8_t *data, size_t len)
{
	if (as_text)
		console_watch_feed_text(watch, data, len);
	else
		console_watch_feed(watch, data, len);
	ASSERT(watch->spoken.len <= CONSOLE_LINE_SIZE && watch->quiet.len <= CONSOLE_LINE_SIZE);
	ASSERT(watch->tail_count <= CONSOLE_TAIL_SIZE && !(watch->spoken.in_tail && watch->quiet.in_tail));
}

/* Each turn of a source at once, or byte by byte. */
static void feed_turns(struct console_watch *watch, bool by_byte, const uint8_t *data, size_t size)
{
	bool as_text = false;

	while (size > 0) {
		const uint8_t *end = memchr(data, SWITCH, size);
		size_t len = end ? (size_t)(end - data) : size;

		for (size_t i = 0; by_byte && i < len; i++)
			feed(watch, as_text, data + i, 1);
		if (!by_byte)
			feed(watch, as_text, data, len);
		as_text = !as_text;
		len += end ? 1 : 0;
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record whole_record = {0}, cut_record = {0};
	struct console_watch whole, cut;

	console_watch_init(&whole, (struct console_sink){.report = record_event, .opaque = &whole_record});
	console_watch_init(&cut, (struct console_sink){.report = record_event, .opaque = &cut_record});
	feed_turns(&whole, false, data, size);
	feed_turns(&cut, true, data, size);
	check_tail(&whole, size ? data[0] * 19U : 0);
	console_watch_finish(&whole);
	console_watch_finish(&cut);
	ASSERT(whole_record.count == cut_record.count && whole_record.sum == cut_record.sum);
	ASSERT(whole.tail_count == cut.tail_count && whole.spoken.len == cut.spoken.len &&
	       whole.quiet.len == cut.quiet.len);
	return 0;
}
