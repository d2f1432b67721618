/* engine_probe: what the doctor asks of the engine that nodes share their state by. No state, no
 * lock. */
#ifndef SERVER_ENGINE_PROBE_H
#define SERVER_ENGINE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/cluster.h"
#include "state/settings.h"

#define ENGINE_PROBE_TEXT 512
#define ENGINE_PROBE_WORD 32

/* How far it came: all before that went well. */
enum engine_probe_stage {
	ENGINE_PROBE_NAME, /* its own node's name, the password, or the engine's name */
	ENGINE_PROBE_CONNECT,
	ENGINE_PROBE_LOGIN,
	ENGINE_PROBE_DONE,
};

struct engine_probe {
	enum engine_probe_stage stage;
	char problem[ENGINE_PROBE_TEXT]; /* of the stage, unless that is the last */
	char product[ENGINE_PROBE_WORD], version[ENGINE_PROBE_WORD]; /* "": it does not tell */
	unsigned major; /* of the version of Redis that it speaks; 0: it does not tell */
	/* Why it could not: write, keep events, run scripts; "": it could. */
	char write_problem[ENGINE_PROBE_TEXT], event_problem[ENGINE_PROBE_TEXT];
	char script_problem[ENGINE_PROBE_TEXT];
	char policy[ENGINE_PROBE_WORD]; /* what it does when its memory is full; "": unknown */
	bool has_clock;
	int64_t ahead; /* seconds of its clock before this host's; has_clock */
	char node[CLUSTER_NODE_MAX]; /* what this server calls itself there */
	size_t namesakes; /* others online of that name, a server of these settings included */
};

/* Asks all of it, for a moment with a key of its own beneath the prefix. May take as long as a node
 * needs to say that it is there, where one of this name was. */
void engine_probe(const struct settings *s, struct engine_probe *out);

#endif
