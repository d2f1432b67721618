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
	bool quick;
	bool help;
};

/* -1 when the command line makes no sense; the reason is on stderr by then. */
int options_parse(struct options *options, int argc, char *argv[]);
void options_help(FILE *out);

/* Whether to run it: listed by its name or its part before a '-', or with no list, by its size. */
bool options_want(const struct options *options, const struct load_scenario *scenario);

#endif
