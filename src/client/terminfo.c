/*
 * curses ends the program when it does not like the terminal; so what it would complain of is
 * asked of terminfo first, and told in words.
 */
#include "client/terminfo.h"

#include "client/terminal.h" /* before term.h: see below */

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <term.h>
#include <unistd.h>

/* term.h has macros with the names of what terminals can do. */
#undef columns
#undef lines

/* What terminfo says of its type; NULL when that is enough. */
static const char *type_problem(const char *type, char *out, size_t size)
{
	const char *why = NULL;
	int result;

	if (type == NULL || *type == '\0')
		return "TERM is not set, so nothing is known about the terminal";
	if (setupterm(NULL, STDOUT_FILENO, &result) != OK) {
		why = "no such terminal is known";
	} else {
		if (tigetstr("cup") == NULL)
			why = "a terminal that cannot move its cursor";
		del_curterm(cur_term);
	}
	if (why == NULL)
		return NULL;
	snprintf(out, size, "TERM=%.100s: %s", type, why);
	return out;
}

const char *terminfo_problem(int least_lines, int least_columns, char *out, size_t size)
{
	int has_lines, has_columns;
	const char *why;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return "standard input and output must be a terminal";
	why = type_problem(getenv("TERM"), out, size);
	if (why != NULL)
		return why;
	if (!terminal_size(&has_lines, &has_columns) ||
		(has_lines >= least_lines && has_columns >= least_columns))
		return NULL;
	snprintf(out, size, "the terminal is too small: %dx%d, and %dx%d is the least", has_columns,
		has_lines, least_columns, least_lines);
	return out;
}
