/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/tree_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpio_write.h"

static int compare_paths(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By inode, and by place in the archive within one. */
static int compare_links(const void *a, const void *b, void *entries)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct tree_stamp *x = &((const struct tree_entry *)entries)[i].stamp;
	const struct tree_stamp *y = &((const struct tree_entry *)entries)[j].stamp;

	if (x->dev != y->dev)
		return compare_u64(x->dev, y->dev);
	return x->ino != y->ino ? compare_u64(x->ino, y->ino) : compare_u64(i, j);
}

static bool is_same_inode(const struct tree_entry *a, const struct tree_entry *b)
{
	return a->stamp.dev == b->stamp.dev && a->stamp.ino == b->stamp.ino;
}

/* Looks at one file that differ: it was changed between them, and no common content could be right. */
static bool is_same_file(const struct tree_entry *a, const struct tree_entry *b)
{
	return a->mode == b->mode && a->nlink == b->nlink && tree_stamp_equal(&a->stamp, &b->stamp);
}

static int join_links(struct tree *tree, const uint32_t *links, uint32_t count, struct error *err)
{
	for (uint32_t n = 1; n < count; n++) {
		const struct tree_entry *previous = &tree->entries[links[n - 1]];
		struct tree_entry *entry = &tree->entries[links[n]];

		if (!is_same_inode(previous, entry))
			continue;
		if (S_ISREG(entry->mode) && !is_same_file(previous, entry))
			return tree_fail_changed(tree, err, entry->path);
		entry->first_link = previous->first_link;
	}
	return 0;
}

/* Finds for each entry the first one of the same inode. */
static int find_links(struct tree *tree, struct error *err)
{
	uint32_t *links = calloc((size_t)tree->count + 1, sizeof(*links)), count = 0;
	int code;

	if (!links)
		return tree_fail_errno(tree, err, -ENOMEM, NULL);
	for (uint32_t i = 0; i < tree->count; i++) {
		tree->entries[i].first_link = i;
		tree->entries[i].last_waiting = TREE_NONE;
		if (tree->entries[i].nlink > 1)
			links[count++] = i;
	}
	if (count)
		qsort_r(links, count, sizeof(*links), compare_links, tree->entries);
	code = join_links(tree, links, count, err);
	free(links);
	return code;
}

static void number_inodes(struct tree *tree)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < tree->count; i++) {
		struct tree_entry *entry = &tree->entries[i];

		entry->number = entry->first_link == i ? next++ : tree->entries[entry->first_link].number;
	}
}

/* The next one in the archive. @placed counts them. */
static void place(struct tree *tree, uint32_t *placed, uint32_t index, bool has_data)
{
	struct tree_entry *entry = &tree->entries[index];

	tree->order[(*placed)++] = index;
	entry->is_waiting = false;
	entry->has_data = has_data;
	entry->offset = tree->size;
	tree->size += cpio_member_size(strlen(entry->path), tree_data_size(entry));
}

static void place_links(struct tree *tree, uint32_t *placed, uint32_t last)
{
	struct tree_entry *first = &tree->entries[tree->entries[last].first_link];

	for (uint32_t i = first->last_waiting; i != TREE_NONE; i = tree->entries[i].previous_waiting)
		place(tree, placed, i, false);
	place(tree, placed, last, true);
	first->last_waiting = TREE_NONE;
	first->nr_waiting = 0;
}

static void let_wait(struct tree *tree, uint32_t index)
{
	struct tree_entry *entry = &tree->entries[index], *first = &tree->entries[entry->first_link];

	entry->is_waiting = true;
	entry->previous_waiting = first->last_waiting;
	first->last_waiting = index;
	first->nr_waiting++;
}

static void place_all(struct tree *tree)
{
	uint32_t placed = 0;

	for (uint32_t i = 0; i < tree->count; i++) {
		const struct tree_entry *entry = &tree->entries[i];

		if (!S_ISREG(entry->mode) || entry->nlink < 2)
			place(tree, &placed, i, true);
		else if (tree->entries[entry->first_link].nr_waiting + 1 == entry->nlink)
			place_links(tree, &placed, i);
		else
			let_wait(tree, i);
	}
	for (uint32_t i = tree->count; i-- > 0;)
		if (tree->entries[i].is_waiting)
			place(tree, &placed, i, --tree->entries[tree->entries[i].first_link].nr_waiting == 0);
	ASSERT(placed == tree->count);
}

int tree_order(struct tree *tree, struct error *err)
{
	int code;

	if (tree->count)
		qsort(tree->entries, tree->count, sizeof(*tree->entries), compare_paths);
	tree->order = calloc((size_t)tree->count + 1, sizeof(*tree->order));
	if (!tree->order)
		return tree_fail_errno(tree, err, -ENOMEM, NULL);
	code = find_links(tree, err);
	if (code)
		return code;
	number_inodes(tree);
	place_all(tree);
	tree->trailer_offset = tree->size;
	tree->size += cpio_member_size(strlen(CPIO_TRAILER), 0);
	return 0;
}
