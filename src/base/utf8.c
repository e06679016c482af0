/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *code)
{
	uint8_t low = 0x80, high = 0xbf; /* of the next byte */
	size_t need, have;

	*code = UTF8_REPLACEMENT;
	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 1;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	/* No overlong forms, no surrogates, nothing above U+10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;

	uint32_t value = p[0] & (0x7fu >> need);

	for (have = 1; have < need; have++) {
		if (have == len || p[have] < low || p[have] > high)
			return have;
		value = value << 6 | (p[have] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*code = value;
	return need;
}
