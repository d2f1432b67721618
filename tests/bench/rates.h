/* rates: the scenarios of rates that are reached: what they cost, how exactly they are held, and
 * what a client feels of them. Main thread only. */
#ifndef BENCH_RATES_H
#define BENCH_RATES_H

struct load_run;

/* Downloads over so many streams for some seconds. */
enum rates_value {
	RATES_CPU, /* s per GB */
	RATES_HELD, /* percent of the rate that went through */
};
int rates_run(const struct load_run *run, double *values);

/* One stream by itself, and echoes beside so many downloads of the same account. */
enum rates_feel {
	RATES_GAP, /* ms, the longest that nothing came */
	RATES_TRIP, /* ms, the median of the echoes */
	RATES_TRIP_LONGEST,
};
int rates_run_feel(const struct load_run *run, double *values);

#endif
