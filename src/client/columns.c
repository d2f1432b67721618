/*
 * All get what they would like; then, one step after the other, the widest of those that can gives
 * one column back, so that short texts stay whole and long ones end up equal.
 */
#include "client/columns.h"

static int used_by(const struct column *columns, size_t count)
{
	int used = count == 0 ? 0 : (int)count - 1;

	for (size_t i = 0; i < count; i++)
		used += columns[i].width;
	return used;
}

/* The widest that can give way; NULL: none. Of equals the last. */
static struct column *find_widest(struct column *columns, size_t count)
{
	struct column *widest = NULL;

	for (size_t i = 0; i < count; i++) {
		struct column *c = &columns[i];

		if (c->width > c->least && (widest == NULL || c->width >= widest->width))
			widest = c;
	}
	return widest;
}

bool columns_share(struct column *columns, size_t count, int total)
{
	struct column *widest;
	int excess;

	for (size_t i = 0; i < count; i++)
		columns[i].width = columns[i].natural;
	for (excess = used_by(columns, count) - total; excess > 0; excess--) {
		widest = find_widest(columns, count);
		if (widest == NULL)
			return false;
		widest->width--;
	}
	return true;
}
