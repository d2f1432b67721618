/* doctor: looks for what commonly goes wrong, before or while the server runs, and says what to do.
 * One thread's; no lock. */
#ifndef SERVER_DOCTOR_H
#define SERVER_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "proxy/services.h"
#include "state/options.h"

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARN, /* it works, and may not be what was meant */
	DOCTOR_BAD,
	DOCTOR_VERDICTS,
};

/* What all checks look at. */
struct doctor {
	const struct config *config; /* as the server would have it */
	const struct services *services; /* only users, and this host's own addresses */
	size_t users; /* those of -u included */
	const char *users_problem; /* why they cannot be told; "": they are */
	bool is_running; /* a server with these settings is there already */
	FILE *out;
	size_t found[DOCTOR_VERDICTS];

	const char *topic; /* the present check's */
};

/* One thing that is looked at; it says a line for each finding, with doctor_say(). */
struct doctor_check {
	const char *topic;
	void (*look)(struct doctor *d);
};

/* The lists of them: what the host has to give, the engine that nodes share their state by, and who
 * gets in. Each ends with a NULL topic. */
extern const struct doctor_check doctor_host_checks[];
extern const struct doctor_check doctor_shared_checks[];
extern const struct doctor_check doctor_access_checks[];

/* A line: what was found, as for printf(3). With doctor_advise() what to do follows in it. */
void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_advise(struct doctor *d, enum doctor_verdict verdict, const char *advice,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Does all checks of the lists; true when nothing is wrong. */
bool doctor_look(struct doctor *d);

#endif
