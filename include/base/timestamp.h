/* timestamp: the local time as text, put together once a second for all threads, since the C
 * library takes a lock and much of a small stack for it. A sequence lock of atomics; no lock. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>

#define TIMESTAMP_DATE 19 /* "2025-07-15T12:40:39" */
#define TIMESTAMP_ZONE 5 /* "+0200" */

/* The second `when` (since 1970) in local time; neither text is NUL-terminated. Quick for the
 * second that was asked for last. */
void timestamp_format(int64_t when, char date[TIMESTAMP_DATE], char zone[TIMESTAMP_ZONE]);

#endif
