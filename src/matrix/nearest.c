/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/nearest.h"

#include <stddef.h>
#include <string.h>

#define MAX_WORD 32

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters are to be changed, put in or left out (Levenshtein); both are at most MAX_WORD long. */
static unsigned distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned row[MAX_WORD + 1];

	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned above = row[j];

			row[j] = least(diagonal + (a[i - 1] != b[j - 1]), least(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *nearest_find(const char *word, const char *const *known)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	if (strlen(word) > MAX_WORD)
		return NULL;
	for (; *known; known++) {
		unsigned d = strlen(*known) > MAX_WORD ? best_distance : distance(word, *known);

		/* Two letters of three are no likeness, of four they may have changed places. */
		if (d < best_distance && d * 2 <= strlen(*known)) {
			best = *known;
			best_distance = d;
		}
	}
	return best;
}
