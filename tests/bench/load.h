/* load: the scenarios and what one run of them needs. Main thread only unless said. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "origin.h"
#include "peer.h"
#include "socks.h"

#define LOAD_METRICS_MAX 4
#define LOAD_THREADS_MAX 64

/* How much of everything one run does. */
struct load_size {
	uint64_t bulk_bytes;
	uint64_t sessions;
	uint64_t trips;
	uint64_t memory_sessions;
	uint64_t datagrams;
};

struct load_metric {
	const char *name;
	const char *unit;
	bool more_is_better;
};

struct load_run;

/* What the client speaks to the peer. */
enum load_door {
	LOAD_SOCKS5,
	LOAD_SOCKS4,
	LOAD_HTTP, /* CONNECT, or requests for URLs */
	LOAD_DOORS,
};

struct load_scenario {
	const char *name;
	/* 0 with a value for each metric (NAN: not known), or -1 with errno. */
	int (*run)(const struct load_run *run, double *values);
	/* Up to LOAD_METRICS_MAX, then one without a name. */
	const struct load_metric *metrics;
	int clients;
	enum load_door door;
	const char *variant; /* of the peer's settings (README.md); NULL: the plain ones */
	double rate; /* bytes a second that the variant grants each client */
	unsigned divisor; /* of the sessions, where a peer is slow; 0: all are opened */
	double seconds; /* that sessions go on for; 0: as many as there are */
	unsigned sources; /* addresses that they come from in turn; 0: one */
	bool ethernet; /* on a loopback of its own with Ethernet's packets */
	size_t open; /* sessions at once, those that do nothing included; 0: the clients' only */
	unsigned capacity; /* sessions that the peer is set up for; 0: PEER_SESSIONS */
	size_t payload; /* of datagrams */
	bool up;
	bool down;
	bool login;
	bool needs_peer;
	bool large; /* too much for a quick look, unless asked for by name */
};

/* A peer of NULL connects directly to the origin. */
struct load_run {
	const struct load_scenario *scenario;
	const struct load_size *size;
	const struct socks_login *login;
	const struct origin *origin;
	const struct peer *peer;
};

/* The table of all scenarios; its last entry has no name. */
extern const struct load_scenario load_scenarios[];

/* The word for a door in the environment of the peers' scripts. */
const char *load_door_word(enum load_door door);

/* What a value of LOAD_COMPARED is held against, and what is promised of that. */
struct load_comparison {
	const char *scenario;
	const char *metric;
	const char *to_scenario; /* NULL: the same, of another peer */
	const char *to_peer; /* NULL: the same, in another scenario; both NULL: the value itself */
	bool is_difference; /* else a quotient */
	double most; /* 0: nothing in particular */
};

#define LOAD_COMPARED "socks5d"

/* Its last entry has no scenario. */
extern const struct load_comparison load_comparisons[];

size_t load_metric_count(const struct load_scenario *scenario);

/* A connected socket to the origin's port, through the peer if there is one, by the scenario's
 * door: through HTTP by CONNECT. Any thread. */
int load_open(const struct load_run *run, uint16_t port);
/* From the loopback address of that number. */
int load_open_from(const struct load_run *run, uint16_t port, unsigned source);

/* How many sessions the scenario opens in all, one after the other. Any thread. */
uint64_t load_sessions(const struct load_run *run);

/* Part `index` of `total` cut into `parts`; all of them add up to it. Any thread. */
uint64_t load_share(uint64_t total, int parts, int index);

/*
 * work(run, arg, index) in so many threads, at most LOAD_THREADS_MAX. -1 with the errno of the
 * first that failed; the failure ends the others' waiting, too.
 */
int load_in_parallel(const struct load_run *run, int threads, void *arg,
	int (*work)(const struct load_run *run, void *arg, int index));

/* Wall clock and the peer's CPU time over a stretch of the run. */
struct load_meter {
	double start_cpu_s;
	uint64_t start_ns;
	double cpu_s;
	double wall_s;
};

void load_meter_start(struct load_meter *meter, const struct load_run *run);
void load_meter_stop(struct load_meter *meter, const struct load_run *run);

#endif
