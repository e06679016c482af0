/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KVM_FAILURE  "KVM internal error"
#define CONSOLE_LINE "console [ttyS0] enabled"

void boot_log_reset(struct boot_log *log)
{
	log->count = 0;
	log->first_instruction = log->main_at = log->first_byte = BOOT_UNKNOWN;
	log->has_failed = false;
	log->failure[0] = log->rip[0] = log->code[0] = '\0';
	log->nr_notes = 0;
}

/* "[    1.234567] text": the stamp, and where the text begins. */
static double read_stamp(const char *line, const char **text)
{
	char *end;
	double stamp;

	*text = line;
	if (line[0] != '[')
		return BOOT_UNKNOWN;
	stamp = strtod(line + 1, &end);
	if (end == line + 1 || *end != ']')
		return BOOT_UNKNOWN;
	*text = end[1] == ' ' ? end + 2 : end + 1;
	return stamp;
}

static void take_console(struct boot_log *log, const char *line, double seconds)
{
	struct boot_line *l;
	const char *text;

	if (log->count == BOOT_MAX_LINES)
		return;
	l = &log->lines[log->count++];
	l->stamp = read_stamp(line, &text);
	l->arrived = l->at = seconds;
	snprintf(l->text, sizeof(l->text), "%s", text);
}

/* QEMU's register dump: RIP, and the bytes of the instruction, which begin at the one in angle brackets. */
static void take_dump(struct boot_log *log, const char *line)
{
	const char *mark = strchr(line, '<');

	if (strncmp(line, "RIP=", 4) == 0)
		snprintf(log->rip, sizeof(log->rip), "%.16s", line + 4);
	if (strncmp(line, "Code=", 5) == 0 && mark)
		snprintf(log->code, sizeof(log->code), "%.2s %.17s", mark + 1, strlen(mark) > 5 ? mark + 5 : "");
	if (strstr(line, "emulation failure"))
		snprintf(log->failure, sizeof(log->failure), "%s (emulation failure)", KVM_FAILURE);
}

/* Events wait until vmm's I/O thread has something to do, so their arrival alone tells little. */
static void take_event(struct boot_log *log, const char *line, double seconds)
{
	const char *t = strstr(line, "\"t\":");
	double own = t ? strtod(t + strlen("\"t\":"), NULL) : seconds;

	if (log->main_at < 0 || seconds - own < log->main_at)
		log->main_at = seconds - own;
	if (strstr(line, "\"event\":\"first-instruction\""))
		log->first_instruction = own;
}

static void take_stderr(struct boot_log *log, const char *line, double seconds)
{
	if (strstr(line, KVM_FAILURE)) {
		log->has_failed = true;
		log->failed_at = seconds;
		snprintf(log->failure, sizeof(log->failure), "%s", line);
	}
	if (log->has_failed)
		take_dump(log, line);
	if ((strstr(line, "vmm: exits:") || strstr(line, "vmm: assist:")) && log->nr_notes < BOOT_NOTES)
		snprintf(log->notes[log->nr_notes++], BENCH_TEXT_SIZE, "%s", strchr(line, ':') + 2);
}

bool boot_log_take(void *arg, enum bench_stream stream, const char *line, uint64_t at_ns)
{
	struct boot_log *log = arg;
	double seconds = (double)at_ns / 1e9;

	if (stream == BENCH_STDOUT)
		take_console(log, line, seconds);
	else if (stream == BENCH_STDERR)
		take_stderr(log, line, seconds);
	else
		take_event(log, line, seconds);
	return !log->has_failed;
}

/*
 * The kernel keeps its lines until the console is up, then prints them all, and then says that it is up. Until there
 * its clock, shifted by what lies between that last line's stamp and its arrival, is the better time. Afterwards the
 * arrival is: an emulated kernel's clock falls behind while it is not stable.
 */
void boot_log_finish(struct boot_log *log, const struct bench_child *child)
{
	size_t up = 0;
	double shift;

	if (child->first_byte_ns[BENCH_STDOUT])
		log->first_byte = (double)child->first_byte_ns[BENCH_STDOUT] / 1e9;
	while (up < log->count && !strstr(log->lines[up].text, CONSOLE_LINE))
		up++;
	if (up == log->count || log->lines[up].stamp < 0)
		return;
	shift = log->lines[up].arrived - log->lines[up].stamp;
	for (size_t i = 0; i < up; i++)
		if (log->lines[i].stamp >= 0)
			log->lines[i].at = log->lines[i].stamp + shift;
}

double boot_log_find(const struct boot_log *log, const char *needle)
{
	for (size_t i = 0; i < log->count; i++)
		if (strstr(log->lines[i].text, needle))
			return log->lines[i].at;
	return BOOT_UNKNOWN;
}

double boot_log_last_stamp(const struct boot_log *log)
{
	for (size_t i = log->count; i-- > 0;)
		if (log->lines[i].stamp >= 0)
			return log->lines[i].stamp;
	return BOOT_UNKNOWN;
}

/* Puts @entry where it belongs among the @count largest, largest first; returns their number, at most @max. */
static size_t keep_largest(struct boot_entry *entries, size_t count, size_t max, struct boot_entry entry)
{
	size_t i;

	if (count == max && (max == 0 || entry.seconds <= entries[max - 1].seconds))
		return count;
	i = count < max ? count++ : max - 1;
	for (; i > 0 && entries[i - 1].seconds < entry.seconds; i--)
		entries[i] = entries[i - 1];
	entries[i] = entry;
	return count;
}

size_t boot_log_initcalls(const struct boot_log *log, struct boot_entry *entries, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++) {
		unsigned long long usecs;
		int status;

		if (sscanf(log->lines[i].text, "initcall %*s returned %d after %llu usecs", &status, &usecs) == 2)
			count = keep_largest(entries, count, max, (struct boot_entry){(double)usecs / 1e6, i});
	}
	return count;
}

size_t boot_log_gaps(const struct boot_log *log, struct boot_entry *entries, size_t max)
{
	size_t count = 0;

	for (size_t i = 1; i < log->count && !strstr(log->lines[i - 1].text, BOOT_INIT_LINE); i++)
		count = keep_largest(entries, count, max,
				     (struct boot_entry){log->lines[i].at - log->lines[i - 1].at, i});
	return count;
}
