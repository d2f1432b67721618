/*
 * Words of one line, in the order of their versions: what a later one adds stands at the end, and
 * what follows behind the last word that is known is passed over.
 */
#include "state/cluster_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

bool cluster_is_name(const char *name)
{
	size_t len =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return len > 0 && len <= CLUSTER_NAME_LEN && name[len] == '\0';
}

bool cluster_node_of_part(const char *part, char node[CLUSTER_NODE_MAX])
{
	size_t len = strcspn(part, "/");
	char name[CLUSTER_NAME_LEN + 1];

	if (len >= sizeof(name))
		return false;
	memcpy(name, part, len);
	name[len] = '\0';
	if (!cluster_is_name(name) || (part[len] == '/' && !cluster_is_name(part + len + 1)))
		return false;
	memcpy(node, name, sizeof(name));
	return true;
}

const char *cluster_format_beat(const struct cluster_beat *b, char out[CLUSTER_BEAT_MAX])
{
	snprintf(out, CLUSTER_BEAT_MAX, "%s %s %lld %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %s",
		b->instance, b->version, (long long)b->started, b->sessions, b->max_sessions,
		b->beat, b->monitor, b->node);
	return out;
}

/* ---- reading ---- */

#define WORDS 8
#define WORD_MAX ADDR_TEXT_MAX /* its NUL included */

/* The words of a text, those that are missing empty; false: one is too long, or is none that can
 * stand in a line of the monitor's. */
static bool split(const char *text, char words[WORDS][WORD_MAX])
{
	for (size_t i = 0; i < WORDS; i++) {
		size_t len = strcspn(text, " ");

		if (len >= WORD_MAX)
			return false;
		memcpy(words[i], text, len);
		words[i][len] = '\0';
		for (size_t k = 0; k < len; k++) {
			if (text[k] < '!' || text[k] > '~')
				return false;
		}
		text += len + strspn(text + len, " ");
	}
	return true;
}

static bool read_word(const char *word, char out[CLUSTER_WORD_MAX])
{
	size_t len = strlen(word);

	if (len == 0 || len >= CLUSTER_WORD_MAX)
		return false;
	memcpy(out, word, len + 1);
	return true;
}

static bool read_count(const char *word, uint64_t *out)
{
	int64_t number;

	if (!parse_number(word, &number))
		return false;
	*out = (uint64_t)number;
	return true;
}

#define YEAR_10000 INT64_C(253402300800)

static bool read_time(const char *word, int64_t *out)
{
	return parse_number(word, out) && *out < YEAR_10000;
}

static void read_monitor(const char *word, char out[ADDR_TEXT_MAX])
{
	struct addr at;
	bool has_port;

	if (addr_parse_port(word, strlen(word), &at, &has_port) && has_port)
		addr_format(&at, out);
	else
		strcpy(out, "-");
}

bool cluster_parse_beat(const char *part, const char *text, struct cluster_beat *out)
{
	struct cluster_beat b = {.beat = 0};
	char words[WORDS][WORD_MAX];

	if (!cluster_node_of_part(part, b.node) || !split(text, words) ||
		!read_word(words[0], b.instance) || !read_word(words[1], b.version) ||
		!read_time(words[2], &b.started) || !read_count(words[3], &b.sessions) ||
		!read_count(words[4], &b.max_sessions) || !read_count(words[5], &b.beat))
		return false;
	strcpy(b.part, part);
	read_monitor(words[6], b.monitor);
	if (cluster_is_name(words[7]))
		strcpy(b.node, words[7]);
	*out = b;
	return true;
}
