/* console_parts: what the files of a console (console.c, console_lines.c) have of each other. The
 * admin thread's, but for errands. */
#ifndef MONITOR_CONSOLE_PARTS_H
#define MONITOR_CONSOLE_PARTS_H

#include "monitor/console.h"

/* ---- console.c ---- */

/* It has just done something. */
void console_renew_deadline(struct console *c);

/* It is logged in, and greeted under that name. */
void console_welcome(struct console *c, const char *name);

/* ---- console_lines.c ---- */

/* Answers a line of one that is to log in, or that has: at once, or by an errand, and then it is
 * away. */
void console_take_login_line(struct console *c, const struct monitor_line *line);
void console_take_command_line(struct console *c, const struct monitor_line *line);

/* What was away is back. */
void console_take_back(struct order *o);

#endif
