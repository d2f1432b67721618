/* process: what the kernel says that this process uses. Reads /proc; no state, no lock. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_figures {
	uint64_t cpu_ms; /* of all threads, user and system */
	uint64_t threads;
	uint64_t virtual_bytes, resident_bytes;
};

/* False, and all is 0, where /proc cannot be read. */
bool process_read(struct process_figures *out);

/* Of the text of /proc/PID/stat (proc(5)), with `ticks` a second and pages of `page` bytes. False
 * when it is none. */
bool process_parse(const char *text, uint64_t ticks, uint64_t page, struct process_figures *out);

#endif
