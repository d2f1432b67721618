/* upstreams: the servers by which requests go that rules send through others, and how each of them
 * fares. A set is immutable and reference-counted and part of a configuration; how a server fares
 * is atomics that are shared with whatever set it is in later; no lock. */
#ifndef STATE_UPSTREAMS_H
#define STATE_UPSTREAMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/config.h"
#include "state/rules.h"
#include "state/upstream_line.h"

#define UPSTREAM_REST_MS 30000 /* of one that failed; and how long a probe has to say something */

/* What was wrong with a server when it was tried last. */
enum upstream_fault {
	UPSTREAM_FAULTLESS,
	UPSTREAM_UNREACHABLE, /* its name or address, or nobody listens there */
	UPSTREAM_SILENT, /* it did not answer in time */
	UPSTREAM_BROKEN_OFF, /* it closed before it had answered */
	UPSTREAM_GARBLED, /* what it said is not its protocol */
	UPSTREAM_LOGIN_REFUSED,
	UPSTREAM_LOOP, /* it is this very proxy */
	UPSTREAM_FAULTS,
};

/* "unreachable". */
const char *upstream_fault_word(enum upstream_fault fault);

struct upstream_fate;

/* One server, which is one URL. */
struct upstream {
	const char *name; /* of the line that it is in */
	const struct upstream_url *url; /* with its login */
	const char *shown; /* the URL without */
	struct upstream_fate *fate;
};

struct upstreams {
	_Atomic(unsigned) references;
	size_t line_count;
	struct upstream_line *lines;
	size_t count; /* of servers: those of a line stand together, in its order */
	struct upstream *servers;
};

/* The servers of the setting, whose password files are read. Goes on with how those fared of them
 * that `before` has (NULL: there was nothing). NULL with "FILE:LINE: upstream: why" in `error`. */
struct upstreams *upstreams_compile(
	const struct settings *s, const struct upstreams *before, char error[CONFIG_ERROR_MAX]);

/* Writes "FILE:LINE: upstream: ", or as much of it as there is, of the line of that name: how many
 * bytes. `size` is at least 600. */
size_t upstreams_put_place(const struct settings *s, const char *name, char *out, size_t size);

/* NULL is allowed for both. */
struct upstreams *upstreams_hold(struct upstreams *u);
void upstreams_release(struct upstreams *u);

/* ---- a way ---- */

#define UPSTREAM_WAY_MAX (RULE_VIA_MAX * UPSTREAM_URLS_MAX)

/* The servers that may be tried for a request, one after the other. */
struct upstream_way {
	struct upstreams *set; /* a reference; NULL: there are none */
	size_t count;
	const struct upstream *servers[UPSTREAM_WAY_MAX];
	bool goes_straight; /* if none of them works */
};

/* That of a verdict of these rules which says `is_via`; else an empty one. */
void upstreams_way(const struct config *c, const struct verdict *v, struct upstream_way *out);
void upstream_way_end(struct upstream_way *way);

/* ---- how a server fares ---- */

enum upstream_turn {
	UPSTREAM_MAY_TRY,
	UPSTREAM_MAY_PROBE, /* its rest is over, and this is the first to see whether it works */
	UPSTREAM_RESTS, /* it failed, or somebody is finding out */
};

/* At `now` (clock.h). Whoever may try or probe says afterwards what came of it; when a probe has
 * said nothing in UPSTREAM_REST_MS the next one may. */
enum upstream_turn upstream_take_turn(const struct upstream *u, int64_t now);

/* Does it rest, or is it being probed? */
bool upstream_rests(const struct upstream *u, int64_t now);

/* It worked: it was reached, took the login and answered. True when it had failed before. */
bool upstream_worked(const struct upstream *u, int64_t now);

/* Has it worked for anybody since then? */
bool upstream_has_worked_since(const struct upstream *u, int64_t since);

/* It rests from now on. True when it had not failed before. */
bool upstream_failed(const struct upstream *u, enum upstream_fault fault, int64_t now);

/* Nothing came of it: nobody knows whether it works. */
void upstream_undecided(const struct upstream *u, enum upstream_turn turn);

/* A session goes through it, from here to there. */
void upstream_session_begins(const struct upstream *u);
void upstream_session_ends(const struct upstream *u);

struct upstream_figures {
	const char *state; /* "up", "resting", "probing" */
	uint64_t sessions; /* that go through it now */
	uint64_t total; /* that ever did */
	uint64_t failures;
	const char *fault; /* the last one's word; "-": none */
	int64_t rest_ms; /* that is left */
};

struct upstream_figures upstream_figures(const struct upstream *u, int64_t now);

#endif
