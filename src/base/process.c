/*
 * All of it is one line of one file. The second word of that is the program's name in parentheses,
 * which may hold blanks and parentheses itself: what counts begins behind the last one.
 */
#include "base/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number behind so many words that do not matter; false when there is none. */
static bool take_number(const char **at, unsigned skipped, uint64_t *out)
{
	char *end;

	for (; skipped > 0; skipped--) {
		*at += strspn(*at, " ");
		*at += strcspn(*at, " ");
	}
	*out = strtoull(*at, &end, 10);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

bool process_parse(const char *text, uint64_t ticks, uint64_t page, struct process_figures *out)
{
	const char *at = strrchr(text, ')');
	uint64_t user, system, threads, size, resident;

	*out = (struct process_figures){.cpu_ms = 0};
	if (at == NULL)
		return false;
	at++;
	/* utime and stime are the 14th and 15th word, num_threads the 20th, vsize and rss the 23rd
	 * and 24th. */
	if (!take_number(&at, 11, &user) || !take_number(&at, 0, &system) ||
		!take_number(&at, 4, &threads) || !take_number(&at, 2, &size) ||
		!take_number(&at, 0, &resident))
		return false;
	*out = (struct process_figures){.cpu_ms = (user + system) * 1000 / ticks,
		.threads = threads,
		.virtual_bytes = size,
		.resident_bytes = resident * page};
	return true;
}

bool process_read(struct process_figures *out)
{
	FILE *in = fopen("/proc/self/stat", "re");
	char text[1024];
	size_t len = in == NULL ? 0 : fread(text, 1, sizeof(text) - 1, in);

	if (in != NULL)
		fclose(in);
	text[len] = '\0';
	return process_parse(
		text, (uint64_t)sysconf(_SC_CLK_TCK), (uint64_t)sysconf(_SC_PAGESIZE), out);
}
