/* monitor: the monitor's text protocol as bytes, lines and words. Pure; no state, no lock. */
#ifndef WIRE_MONITOR_H
#define WIRE_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#define MONITOR_LINE_MAX 1024 /* bytes of a request, its LF included */
#define MONITOR_WORD_MAX 255 /* bytes of the name of a command or parameter */

#define MONITOR_MORE 0
#define MONITOR_TOO_LONG (-1)

/* What the server says first. */
#define MONITOR_PROMPT "Please enter Username:password (in that format)"

/* What it says at once to whom it knows by the unix socket, with a name behind it; no login
 * follows. */
#define MONITOR_WELCOME "OK Welcome "

/* Where the service has that socket, for clients that are told no place. */
#define MONITOR_SOCKET "/run/socks5d/monitor.sock"

/* A request's bytes, without LF or CR LF; they point into the bytes that were parsed. */
struct monitor_line {
	const char *text;
	size_t len;
};

/* Looks for a line in the `n` bytes at `p`: how many bytes it takes with its LF (> 0),
 * MONITOR_MORE when it is not complete yet, or MONITOR_TOO_LONG when it cannot become a legal one
 * any more. What follows the line is left alone. */
int monitor_parse_line(const char *p, size_t n, struct monitor_line *out);

/* How many of the `n` bytes at `p` belong to a line that was too long; `*ended` when its LF is the
 * last of them. */
size_t monitor_skip_line(const char *p, size_t n, bool *ended);

/* Are all bytes of the line printable: no control bytes, whatever else? */
bool monitor_is_printable(const struct monitor_line *line);

/* Takes the first word off the line, and the blanks around it; false when there is none left. */
bool monitor_next_word(struct monitor_line *line, struct monitor_line *word);

/* Is `word` the name `name`, whatever the case of its letters? */
bool monitor_is_word(const struct monitor_line *word, const char *name);

#endif
