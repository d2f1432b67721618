/* full: the scenario of as many sessions as fit into 20,000 descriptors. Main thread only. */
#ifndef BENCH_FULL_H
#define BENCH_FULL_H

struct load_run;

enum full_value {
	FULL_START, /* ms from exec to the first answer of a peer set up for all of them */
	FULL_SERVED, /* sessions whose echo came back while all were open */
	FULL_ROUND, /* ms until the last of these echoes, all sent at once, was back */
	FULL_PER_SESSION, /* kB that an open session adds to the peer */
};

int full_run(const struct load_run *run, double *values);

#endif
