/* datagrams: the scenarios of UDP ASSOCIATE: echoes over one association or many. Main thread only.
 */
#ifndef BENCH_DATAGRAMS_H
#define BENCH_DATAGRAMS_H

struct load_run;

/* As many as can be, with a bounded number under way. Values: echoes per second, CPU µs per echo,
 * echoes lost per million. */
int datagrams_run(const struct load_run *run, double *values);

/* At half of the rate that datagrams_run() finds first. Values: echoes lost per million, CPU µs per
 * echo. */
int datagrams_run_half(const struct load_run *run, double *values);

/* At twice the rate that the scenario's variant grants. Values: percent of it that came back, CPU
 * µs per echo. */
int datagrams_run_rate(const struct load_run *run, double *values);

#endif
