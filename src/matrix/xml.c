/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/xml.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

#define CONTROL_PICTURES 0x2400u

static void put_code(FILE *to, uint32_t code)
{
	fprintf(to, "&#%" PRIu32 ";", code);
}

/* @code is not ASCII, or a control character. @n bytes at @p are how it was written. */
static void put_unusual(FILE *to, uint32_t code, const uint8_t *p, size_t n)
{
	/* An ill-formed sequence decodes to it too. */
	if (code == UTF8_REPLACEMENT || code == 0xfffe || code == 0xffff)
		put_code(to, UTF8_REPLACEMENT);
	else if (code < 0x20)
		put_code(to, CONTROL_PICTURES + code);
	else if (code >= 0x7f && code < 0xa0)
		put_code(to, code); /* legal, but only as a reference it is seen */
	else
		fwrite(p, 1, n, to);
}

static void put_escaped(FILE *to, const uint8_t *p, size_t len, bool in_attribute)
{
	while (len) {
		uint32_t code;
		size_t n = utf8_decode(p, len, &code);

		if (code == '&')
			fputs("&amp;", to);
		else if (code == '<')
			fputs("&lt;", to);
		else if (code == '>')
			fputs("&gt;", to); /* "]]>" must not appear (2.4) */
		else if (code == '"' && in_attribute)
			fputs("&quot;", to);
		else if (code == '\r' && len > 1 && p[1] == '\n')
			; /* a console's line end */
		else if (code == '\r' || ((code == '\n' || code == '\t') && in_attribute))
			put_code(to, code); /* a parser would make something else of it (2.11, 3.3.3) */
		else if ((code >= 0x20 && code < 0x7f) || code == '\n' || code == '\t')
			putc((int)code, to);
		else
			put_unusual(to, code, p, n);
		p += n;
		len -= n;
	}
}

void xml_put_text(FILE *to, const void *data, size_t len)
{
	put_escaped(to, data, len, false);
}

void xml_put_attribute(FILE *to, const char *name, const char *value)
{
	fprintf(to, " %s=\"", name);
	put_escaped(to, (const uint8_t *)value, strlen(value), true);
	putc('"', to);
}
