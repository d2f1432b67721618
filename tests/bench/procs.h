/* procs: CPU time and memory of all processes of a session (setsid). Any thread. */
#ifndef BENCH_PROCS_H
#define BENCH_PROCS_H

#include <sys/types.h>

/* Including threads that ended and children that were reaped. NAN when nothing can be read. */
double procs_cpu_s(pid_t session);
/* Of the threads of that name that live in one process; 0 when there are none. */
double procs_threads_cpu_s(pid_t process, const char *name);
/* Proportional set size: a page shared by n processes counts 1/n in each. NAN as above. */
double procs_memory_kb(pid_t session);

#endif
