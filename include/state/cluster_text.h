/* cluster_text: what nodes tell each other as text. No state, no lock. What others have written is
 * untrusted as far as its form goes. */
#ifndef STATE_CLUSTER_TEXT_H
#define STATE_CLUSTER_TEXT_H

#include <stdbool.h>

#include "state/cluster.h"

/* As nodes may be called, so that keys and lines stay what they are: letters, digits, "." "_" "-",
 * up to CLUSTER_NAME_LEN of them. */
#define CLUSTER_NAME_LEN 30
bool cluster_is_name(const char *name);

/* The node that a part (cluster.h) was of when it came to be: "NODE" or "NODE/WORD". False, and
 * nothing written, for what is no part. */
bool cluster_node_of_part(const char *part, char node[CLUSTER_NODE_MAX]);

#define CLUSTER_BEAT_MAX 256 /* of what a node says of itself; its NUL included */

/* "INSTANCE VERSION STARTED SESSIONS MAX_SESSIONS BEAT MONITOR NODE", without the part. Returns
 * `out`. */
const char *cluster_format_beat(const struct cluster_beat *beat, char out[CLUSTER_BEAT_MAX]);

/* What the node with that part has said of itself so. The last two words may be missing, or be
 * none, as of other versions. False, and nothing written, for what is no such text. */
bool cluster_parse_beat(const char *part, const char *text, struct cluster_beat *out);

#endif
