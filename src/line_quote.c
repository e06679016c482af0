/* SPDX-License-Identifier: Apache-2.0 */
#include "line_quote.h"

#include "base/compiler.h"

size_t line_quote_put(struct line_quote *quote, uint8_t *to, const uint8_t *data, size_t len)
{
	size_t used = 0;

	ASSERT(len <= LINE_QUOTE_PIECE);
	for (size_t i = 0; i < len; i++) {
		if (data[i] == LINE_QUOTE_END || data[i] == LINE_QUOTE_NEXT)
			to[used++] = LINE_QUOTE_NEXT;
		to[used++] = data[i];
		quote->line = data[i] == '\n' ? 0 : quote->line + 1;
		if (quote->line == LINE_QUOTE_PIECE) {
			to[used++] = LINE_QUOTE_END;
			quote->line = 0;
		}
	}
	return used;
}
