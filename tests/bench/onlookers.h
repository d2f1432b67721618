/* onlookers: the scenario of browsers that look on, and a scrape, beside sessions. Main thread
 * only.
 */
#ifndef BENCH_ONLOOKERS_H
#define BENCH_ONLOOKERS_H

struct load_run;

enum onlookers_value {
	ONLOOKERS_CPU, /* µs per session while they look on, all of the proxy's threads */
	ONLOOKERS_ADDED, /* percent, to what a session takes without them */
	ONLOOKERS_FRONT, /* percent of all, which the thread that serves them takes */
};

int onlookers_run(const struct load_run *run, double *values);

#endif
