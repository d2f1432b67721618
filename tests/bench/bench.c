/*
 * DESIGN
 * A run is one scenario against one contender: a fresh peer, a fresh origin, a deadline.
 * Repetitions are interleaved (every scenario and contender once, then again), and each starts with
 * another contender, so that what the machine does meanwhile hits all alike. A run that fails
 * leaves its values missing and is named on stderr; the bench goes on. One that took all its time
 * is not repeated. On a signal the run under way ends, its peer is stopped, and nothing is
 * reported.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lineup.h"
#include "load.h"
#include "options.h"
#include "origin.h"
#include "peer.h"
#include "place.h"
#include "report.h"
#include "wire.h"

#define RUN_TIMEOUT_S 60
#define EXIT_USAGE 2
#define EXIT_INTERRUPTED 130

struct bench {
	struct options options;
	struct lineup lineup;
	struct report_column columns[LINEUP_MAX];
	struct report *report;
	FILE *json;
};

static const struct socks_login login = {.user = "bench", .pass = "open-sesame"};

static void on_signal(int signal)
{
	(void)signal;
	wire_interrupt();
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* For us and, by inheritance, for the peers. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void show_progress(
	const struct bench *bench, const char *scenario, const char *name, size_t repetition)
{
	clear_progress();
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%zu/%zu %s %s", repetition + 1, bench->options.repetitions,
			scenario, name);
}

static void complain(
	const struct lineup_member *member, const struct load_scenario *scenario, const char *why)
{
	clear_progress();
	fprintf(stderr, "bench: %s: %s: %s\n", scenario->name, member->name, why);
}

static uint64_t bit_of(const struct load_scenario *scenario)
{
	return 1ull << (scenario - load_scenarios);
}

/* Does it want more than SOCKS5 with plain settings? */
static bool is_special(const struct load_scenario *scenario)
{
	return scenario->variant != NULL || scenario->door != LOAD_SOCKS5;
}

/* A peer that has never started this way is not asked again; later failures may be bad luck. */
static struct peer *start_peer(struct lineup_member *member, const struct load_scenario *scenario)
{
	struct lineup_mode *mode = scenario->login ? &member->login : &member->open;
	enum peer_outcome outcome;
	struct peer *peer;
	char why[512] = "";

	const struct peer_setup setup = {
		.login = scenario->login ? &login : NULL,
		.sessions = scenario->capacity != 0 ? scenario->capacity : PEER_SESSIONS,
		.door = load_door_word(scenario->door),
		.variant = scenario->variant != NULL ? scenario->variant : "",
	};

	outcome = peer_start(member->script, &setup, &peer, why, sizeof(why));
	switch (outcome) {
	case PEER_READY:
		mode->has_started = true;
		return peer;
	case PEER_NOT_HERE:
		snprintf(why, sizeof(why), "not available here");
		break;
	case PEER_FAILED:
		break;
	}
	/* Most peers are not for what is special, which is not worth a word. */
	if (is_special(scenario))
		member->left_out |= bit_of(scenario);
	else
		mode->given_up = !mode->has_started;
	if (why[0] != '\0' && !(is_special(scenario) && outcome == PEER_NOT_HERE))
		complain(member, scenario, why);
	return NULL;
}

static bool takes_part(const struct lineup_member *member, const struct load_scenario *scenario)
{
	if ((member->left_out & bit_of(scenario)) != 0)
		return false;
	if (member->script[0] == '\0')
		return !scenario->needs_peer;
	return is_special(scenario) ||
		!(scenario->login ? &member->login : &member->open)->given_up;
}

static int measure(const struct bench *bench, const struct load_scenario *scenario,
	const struct peer *peer, const struct origin *origin, double *values)
{
	const struct load_run run = {
		.scenario = scenario,
		.size = &bench->options.size,
		.login = scenario->login ? &login : NULL,
		.origin = origin,
		.peer = peer,
	};

	if (origin == NULL)
		return -1;
	wire_set_deadline(RUN_TIMEOUT_S);
	return scenario->run(&run, values);
}

static int run_here(const struct bench *bench, const struct load_scenario *scenario,
	struct lineup_member *member, double *values)
{
	const bool direct = member->script[0] == '\0';
	struct peer *peer = NULL;
	struct origin *origin;
	int rc;

	if (!direct && (peer = start_peer(member, scenario)) == NULL)
		return -1;
	origin = origin_start();
	rc = measure(bench, scenario, peer, origin, values);
	if (rc < 0 && errno == ETIMEDOUT) /* a minute each time would be too much */
		member->left_out |= bit_of(scenario);
	if (rc < 0 && !wire_interrupted())
		complain(member, scenario, strerror(errno));
	peer_stop(peer);
	origin_stop(origin);
	return rc;
}

static int run_scenario(const struct bench *bench, const struct load_scenario *scenario,
	struct lineup_member *member, double *values)
{
	int rc = -1;

	if (!scenario->ethernet)
		return run_here(bench, scenario, member, values);
	if (place_enter() == 0) {
		rc = run_here(bench, scenario, member, values);
	} else {
		member->left_out |= bit_of(scenario);
		complain(member, scenario, "no network of its own can be made here");
	}
	if (place_leave() == 0)
		return rc;
	perror("bench: cannot come back from a network of its own");
	exit(EXIT_FAILURE);
}

static void run_round(struct bench *bench, const struct load_scenario *scenario, size_t first_row,
	size_t repetition)
{
	for (size_t i = 0; i < bench->lineup.size && !wire_interrupted(); i++) {
		size_t column = (i + repetition) % bench->lineup.size;
		struct lineup_member *member = &bench->lineup.members[column];
		double values[LOAD_METRICS_MAX];

		if (!takes_part(member, scenario))
			continue;
		show_progress(bench, scenario->name, member->name, repetition);
		if (run_scenario(bench, scenario, member, values) < 0)
			continue;
		for (size_t m = 0; m < load_metric_count(scenario); m++)
			report_set(bench->report, first_row + m, column, repetition, values[m]);
	}
}

static void run_repetition(struct bench *bench, size_t repetition)
{
	size_t row = 0;

	for (const struct load_scenario *at = load_scenarios; at->name != NULL; at++) {
		if (!options_want(&bench->options, at))
			continue;
		run_round(bench, at, row, repetition);
		row += load_metric_count(at);
	}
}

static void describe_columns(struct bench *bench)
{
	for (size_t i = 0; i < bench->lineup.size; i++) {
		const struct lineup_member *member = &bench->lineup.members[i];
		struct report_column *column = &bench->columns[i];

		column->name = member->name;
		if (member->script[0] == '\0')
			snprintf(column->version, sizeof(column->version), "no proxy");
		else
			peer_version(member->script, column->version, sizeof(column->version));
	}
}

static int prepare_report(struct bench *bench)
{
	const struct options *options = &bench->options;

	describe_columns(bench);
	bench->report = report_new(bench->columns, bench->lineup.size, options->baseline,
		options->repetitions, &options->size);
	if (bench->report == NULL)
		return -1;
	for (const struct load_scenario *at = load_scenarios; at->name != NULL; at++) {
		if (options_want(options, at) && report_add_rows(bench->report, at) < 0)
			return -1;
	}
	return 0;
}

/* Early: a name that cannot be written is better known before ten minutes of measuring. */
static int open_json(struct bench *bench)
{
	if (bench->options.json == NULL)
		return 0;
	bench->json = fopen(bench->options.json, "we");
	if (bench->json == NULL)
		fprintf(stderr, "bench: %s: %s\n", bench->options.json, strerror(errno));
	return bench->json != NULL ? 0 : -1;
}

static int publish(struct bench *bench)
{
	report_table(bench->report, stdout);
	if (bench->json == NULL)
		return EXIT_SUCCESS;
	report_json(bench->report, bench->json);
	if (fclose(bench->json) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "bench: %s: %s\n", bench->options.json, strerror(errno));
	return EXIT_FAILURE;
}

static int run_bench(struct bench *bench)
{
	int status = EXIT_INTERRUPTED;

	if (open_json(bench) < 0)
		return EXIT_FAILURE;
	if (prepare_report(bench) < 0) {
		fprintf(stderr, "bench: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < bench->options.repetitions && !wire_interrupted(); i++)
		run_repetition(bench, i);
	clear_progress();
	if (!wire_interrupted())
		status = publish(bench);
	report_free(bench->report);
	return status;
}

int main(int argc, char *argv[])
{
	static struct bench bench;

	if (options_parse(&bench.options, argc, argv) < 0)
		return EXIT_USAGE;
	if (bench.options.help) {
		options_help(stdout);
		return EXIT_SUCCESS;
	}
	if (lineup_make(&bench.lineup, bench.options.peer_dir, bench.options.peers) < 0)
		return EXIT_USAGE;
	raise_fd_limit();
	catch_signals();
	wire_init();
	return run_bench(&bench);
}
