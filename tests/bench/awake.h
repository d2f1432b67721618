/* awake: keeps idle processors from going to sleep. Main thread only. */
#ifndef BENCH_AWAKE_H
#define BENCH_AWAKE_H

struct awake;

/* NULL with errno. */
struct awake *awake_start(void);
/* Accepts NULL. */
void awake_stop(struct awake *awake);

#endif
