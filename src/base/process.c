/*
 * All of it is one line of one file. The second word of that is the program's name in parentheses,
 * which may hold blanks and parentheses itself: what counts begins behind the last one.
 */
#include "base/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool process_parse(const char *text, uint64_t ticks, uint64_t page, struct process_figures *out)
{
	const char *end = strrchr(text, ')');
	unsigned long long user, system, threads, size, resident;

	*out = (struct process_figures){.cpu_ms = 0};
	/* From the third word on: utime and stime are the 14th and 15th, num_threads the 20th,
	 * vsize and rss the 23rd and 24th. */
	if (end == NULL ||
		sscanf(end + 1,
			" %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %*s %*s %*s %*s "
			"%llu %*s %*s %llu %llu",
			&user, &system, &threads, &size, &resident) != 5)
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
