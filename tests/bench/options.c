/*
 * DESIGN
 * One table of options; getopt's string and the help are made from it. -q comes first in effect, so
 * that sizes given beside it win wherever they stand.
 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_OPTIONS (sizeof(table) / sizeof(table[0]))

static const struct option_row {
	char letter;
	const char *arg; /* NULL: takes none */
	const char *help;
} table[] = {
	{'p', "NAME,...", "peers to run (default: every script in the peers' folder)"},
	{'s', "NAME,...",
		"scenarios to run, whole names or beginnings: bulk, bulk-8 (default: all)"},
	{'r', "N", "repetitions, interleaved over the peers (default: 5; 3 with -q)"},
	{'q', NULL,
		"quick: less of everything and no large scenario (grow, alone, full) unless named"},
	{'j', "FILE", "write all values as JSON to FILE"},
	{'b', "NAME", "the peer that the others are compared with (default: microsocks)"},
	{'d', "DIR", "folder of the peers' scripts (default: tests/bench/peers)"},
	{'B', "MB", "bulk: million bytes in one run (default: 500; 300 with -q)"},
	{'S', "N", "sessions: sessions in one run (default: 4000; 1500 with -q)"},
	{'T', "N", "trips: round trips in one run (default: 20000; 10000 with -q)"},
	{'M', "N", "memory: sessions open at once (default: 3000; 1000 with -q)"},
	{'U', "N", "udp: datagrams in one run (default: 60000; 50000 with -q)"},
	{'h', NULL, "this help"},
};

static const struct load_size full_size = {
	.bulk_bytes = 500000000,
	.sessions = 4000,
	.trips = 20000,
	.memory_sessions = 3000,
	.datagrams = 60000,
};

static const struct load_size quick_size = {
	.bulk_bytes = 300000000,
	.sessions = 1500,
	.trips = 10000,
	.memory_sessions = 1000,
	.datagrams = 50000,
};

void options_help(FILE *out)
{
	fputs("usage: bench [options]\n"
	      "Measures SOCKS5 servers against each other and against no proxy at all.\n\n",
		out);
	for (size_t i = 0; i < N_OPTIONS; i++)
		fprintf(out, "  -%c %-9s %s\n", table[i].letter,
			table[i].arg != NULL ? table[i].arg : "", table[i].help);
	fputs("\nscenarios:", out);
	for (const struct load_scenario *at = load_scenarios; at->name != NULL; at++)
		fprintf(out, " %s", at->name);
	fputc('\n', out);
}

static void make_optstring(char *text)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		*text++ = table[i].letter;
		if (table[i].arg != NULL)
			*text++ = ':';
	}
	*text = '\0';
}

static int parse_number(char letter, const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *number >= 1 &&
		*number <= max)
		return 0;
	fprintf(stderr, "bench: -%c %s: a number from 1 to %llu is wanted\n", letter, text,
		(unsigned long long)max);
	return -1;
}

static int parse_repetitions(struct options *options, const char *text)
{
	uint64_t number;

	if (parse_number('r', text, 1000, &number) < 0)
		return -1;
	options->repetitions = (size_t)number;
	return 0;
}

static int parse_megabytes(struct options *options, const char *text)
{
	uint64_t number;

	if (parse_number('B', text, 1000000, &number) < 0)
		return -1;
	options->size.bulk_bytes = number * 1000000;
	return 0;
}

static int apply(struct options *options, int letter, const char *arg)
{
	switch (letter) {
	case 'p':
		options->peers = arg;
		return 0;
	case 's':
		options->scenarios = arg;
		return 0;
	case 'j':
		options->json = arg;
		return 0;
	case 'b':
		options->baseline = arg;
		return 0;
	case 'd':
		options->peer_dir = arg;
		return 0;
	case 'q':
		return 0;
	case 'h':
		options->help = true;
		return 0;
	case 'r':
		return parse_repetitions(options, arg);
	case 'B':
		return parse_megabytes(options, arg);
	case 'S':
		return parse_number('S', arg, 20000, &options->size.sessions);
	case 'T':
		return parse_number('T', arg, 10000000, &options->size.trips);
	case 'M':
		return parse_number('M', arg, PEER_SESSIONS, &options->size.memory_sessions);
	case 'U':
		return parse_number('U', arg, 100000000, &options->size.datagrams);
	default:
		return -1;
	}
}

static bool wants_quick(int argc, char *argv[], const char *optstring)
{
	bool found = false;
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, optstring)) != -1)
		found = found || letter == 'q';
	opterr = 1;
	optind = 1;
	return found;
}

static bool covers(const char *item, size_t len, const char *name)
{
	return len > 0 && strncmp(item, name, len) == 0 && (name[len] == '\0' || name[len] == '-');
}

static bool list_has(const char *list, const char *name)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (covers(list, len, name))
			return true;
		if (list[len] == '\0')
			return false;
		list += len + 1;
	}
}

bool options_want(const struct options *options, const struct load_scenario *scenario)
{
	if (options->scenarios != NULL)
		return list_has(options->scenarios, scenario->name);
	return !(options->quick && scenario->large);
}

/* Every item of the list must stand for at least one scenario. */
static int check_scenarios(const char *list)
{
	while (list != NULL) {
		const struct load_scenario *at = load_scenarios;
		size_t len = strcspn(list, ",");

		while (at->name != NULL && !covers(list, len, at->name))
			at++;
		if (at->name == NULL) {
			fprintf(stderr, "bench: no scenario is called '%.*s'\n", (int)len, list);
			return -1;
		}
		list = list[len] == ',' ? list + len + 1 : NULL;
	}
	return 0;
}

int options_parse(struct options *options, int argc, char *argv[])
{
	char optstring[2 * N_OPTIONS + 1];
	bool quick;
	int letter;

	make_optstring(optstring);
	quick = wants_quick(argc, argv, optstring);
	*options = (struct options){
		.peer_dir = "tests/bench/peers",
		.baseline = "microsocks",
		.repetitions = quick ? 3 : 5,
		.size = quick ? quick_size : full_size,
		.quick = quick,
	};
	while ((letter = getopt(argc, argv, optstring)) != -1) {
		if (apply(options, letter, optarg) < 0)
			return -1;
	}
	if (optind < argc) {
		fprintf(stderr, "bench: %s: not an option\n", argv[optind]);
		return -1;
	}
	return check_scenarios(options->scenarios);
}
