/*
 * A stream of open_memstream(3), whose text is there only once it was closed, and whole only where
 * no write and not the closing failed. Where glibc has no memory for the last byte, closing
 * succeeds and there is no text.
 */
#include "base/writing.h"

#include <stdlib.h>

FILE *writing_begin(struct writing *w)
{
	w->text = NULL;
	w->len = 0;
	w->out = open_memstream(&w->text, &w->len);
	return w->out;
}

bool writing_end(struct writing *w)
{
	bool is_whole = w->out != NULL && ferror(w->out) == 0;

	if (w->out != NULL)
		is_whole = fclose(w->out) == 0 && w->text != NULL && is_whole;
	w->out = NULL;
	if (!is_whole) {
		free(w->text);
		w->text = NULL;
		w->len = 0;
	}
	return is_whole;
}
