/* options: the command line. Main thread only. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "load.h"

struct options {
	const char *scenarios; /* comma-separated; NULL: all */
	const char *peers; /* comma-separated; NULL: every script */
	const char *peer_dir;
	const char *baseline;
	const char *json;
	size_t repetitions;
	struct load_size size;
	bool help;
};

/* -1 when the command line makes no sense; the reason is on stderr by then. */
int options_parse(struct options *options, int argc, char *argv[]);
void options_help(FILE *out);

/* The list has `name`, or its part before a '-': "bulk" has "bulk-8-up". NULL has all. */
bool options_list_has(const char *list, const char *name);

#endif
