/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The value of digit @c in @base, or @base when it is none. */
static unsigned digit_value(char c, unsigned base)
{
	unsigned v = base;

	if (is_digit(c))
		v = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		v = (unsigned)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		v = (unsigned)(c - 'A') + 10;
	return v < base ? v : base;
}

/* Reads digits at *text and moves it behind them. Unlike strtoull: no blanks, no sign, overflow is -ERANGE. */
static int read_digits(const char **text, unsigned base, uint64_t *value)
{
	const char *p = *text;
	bool fits = true;

	*value = 0;
	for (; digit_value(*p, base) < base; p++)
		fits = fits && checked_mul(*value, base, value) && checked_add(*value, digit_value(*p, base), value);
	if (p == *text)
		return -EINVAL;
	*text = p;
	return fits ? 0 : -ERANGE;
}

/* The power of 1024 that suffix letter @c stands for, or 0 when it is none. */
static uint64_t size_unit(char c)
{
	static const char letters[] = "kmgt";
	const char *at = c ? strchr(letters, c | 0x20) : NULL;

	return at ? 1ULL << (10 * (at - letters + 1)) : 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
	uint64_t value, unit;
	int err = read_digits(&text, 10, &value);

	if (err == -EINVAL)
		return err;
	unit = size_unit(*text);
	if (unit) {
		text++;
		if (!strcmp(text, "iB"))
			text++;
	} else {
		unit = 1;
	}
	if (*text == 'B')
		text++;
	/* What is no size at all is told first, whatever the size of its number. */
	if (*text)
		return -EINVAL;
	if (err || !checked_mul(value, unit, &value))
		return -ERANGE;
	*bytes = value;
	return 0;
}

/* Nanoseconds of the unit named @text, or 0 when there is none of that name. */
static uint64_t duration_unit(const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"", 1000000000ULL},
		{"ns", 1},
		{"us", 1000},
		{"ms", 1000000},
		{"s", 1000000000ULL},
		{"m", 60 * 1000000000ULL},
		{"h", 3600 * 1000000000ULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(text, units[i].name))
			return units[i].ns;
	return 0;
}

int parse_duration(const char *text, uint64_t *ns)
{
	const char *fraction = NULL;
	uint64_t value, unit, scale;
	int err = read_digits(&text, 10, &value);

	if (err == -EINVAL)
		return err;
	if (*text == '.') {
		fraction = ++text;
		while (is_digit(*text))
			text++;
		if (text == fraction)
			return -EINVAL;
	}
	unit = duration_unit(text);
	if (!unit)
		return -EINVAL;
	if (err || !checked_mul(value, unit, &value))
		return -ERANGE;
	/* Digits below a nanosecond do not count. */
	scale = unit / 10;
	for (const char *p = fraction; p && p < text && scale; p++, scale /= 10)
		if (!checked_add(value, (uint64_t)(*p - '0') * scale, &value))
			return -ERANGE;
	*ns = value;
	return 0;
}

int parse_u64(const char *text, uint64_t max, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	uint64_t v;
	int err;

	if (hex)
		text += 2;
	err = read_digits(&text, hex ? 16 : 10, &v);
	if (err == -EINVAL || *text)
		return -EINVAL;
	if (err || v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

const char *format_size(uint64_t bytes, char *buf, size_t size)
{
	static const char letters[] = "KMGT";
	unsigned shift = 10, step = 0;

	if (bytes < 1024) {
		snprintf(buf, size, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
		return buf;
	}
	for (; letters[step + 1] && bytes >> (shift + 10); step++)
		shift += 10;

	uint64_t whole = bytes >> shift, rest = bytes & ((1ULL << shift) - 1);

	if (rest == 0)
		snprintf(buf, size, "%" PRIu64 "%c", whole, letters[step]);
	else
		snprintf(buf, size, "%" PRIu64 ".%u%c", whole, (unsigned)(rest * 10 >> shift), letters[step]);
	return buf;
}
