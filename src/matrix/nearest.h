/* SPDX-License-Identifier: Apache-2.0 */
/* Which known word a mistyped one is closest to. Pure. */
#ifndef VMM_MATRIX_NEAREST_H
#define VMM_MATRIX_NEAREST_H

/* One of @known (NULL at the end) that differs from @word in a letter or two, or NULL. */
const char *nearest_find(const char *word, const char *const *known);

#endif
