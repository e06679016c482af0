/* SPDX-License-Identifier: Apache-2.0 */
/* Text for XML 1.0 (fifth edition): whatever bytes go in, every parser takes what comes out. Any thread. */
#ifndef VMM_MATRIX_XML_H
#define VMM_MATRIX_XML_H

#include <stddef.h>
#include <stdio.h>

/* As an element's content, or as an attribute's value between double quotes. Control characters that XML forbids (2.2)
 * become their pictures (U+2400 and up), what is no UTF-8 becomes U+FFFD; a CR before a LF is left out. Errors stay in
 * the stream. */
void xml_put_text(FILE *to, const void *data, size_t len);
void xml_put_attribute(FILE *to, const char *name, const char *value);

#endif
