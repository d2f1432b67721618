/*
 * Questions to an engine one after the other, each of which may be refused without a loss to those
 * behind it: rights may be for some commands only. What is written goes under a key of the doctor's
 * own, and is taken away again.
 *
 * A node that has gone without a word has left its line behind. So where there is one of this name
 * it is looked at twice, with a beat in between.
 */
#include "server/engine_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/parse.h"
#include "server/effects.h"
#include "server/engine.h"
#include "server/node_name.h"
#include "server/probe.h"
#include "server/sharing.h"
#include "state/cluster_text.h"

#define KEY_MAX 256
#define REDIS "Redis"

struct asking {
	struct engine *engine;
	const struct settings *settings;
	struct engine_probe *out;
	char key[KEY_MAX]; /* the doctor's own */
};

static void put_text(char *out, size_t size, const char *text)
{
	escape_line(text, strlen(text), out, size);
}

/* The reply to the one command that was asked. NULL, with the reason in `problem`, unless it is of
 * that type. To be freed. */
static redisReply *reply_of(struct asking *a, int type, char problem[ENGINE_PROBE_TEXT])
{
	char error[ENGINE_ERROR_MAX];
	redisReply *r = engine_reply_of(a->engine, type, ENGINE_NO_ANSWER, error);

	if (r == NULL)
		put_text(problem, ENGINE_PROBE_TEXT, error);
	return r;
}

/* Only that it succeeds. */
static bool is_done(struct asking *a, int type, char problem[ENGINE_PROBE_TEXT])
{
	redisReply *r = reply_of(a, type, problem);

	freeReplyObject(r);
	return r != NULL;
}

/* ---- what it is ---- */

/* The line "NAME:VALUE" of what INFO tells; false when it has none. */
static bool read_info(const char *info, const char *name, char out[ENGINE_PROBE_WORD])
{
	size_t len = strlen(name);

	for (; *info != '\0'; info += strcspn(info, "\n"), info += *info == '\n') {
		if (strncmp(info, name, len) != 0 || info[len] != ':')
			continue;
		info += len + 1;
		escape_line(info, strcspn(info, "\r\n"), out, ENGINE_PROBE_WORD);
		return true;
	}
	return false;
}

/* A fork tells its own name and version besides. */
static void take_info(struct engine_probe *out, const char *info)
{
	char redis[ENGINE_PROBE_WORD] = "";

	if (read_info(info, "redis_version", redis))
		out->major = (unsigned)strtoul(redis, NULL, 10);
	strcpy(out->product, REDIS);
	strcpy(out->version, redis);
	if (read_info(info, "valkey_version", out->version))
		strcpy(out->product, "Valkey");
	(void)read_info(info, "maxmemory_policy", out->policy);
}

/* ["server", NAME, "version", VERSION, ...], from Redis 6 on: who may log in may ask it. */
static void take_hello(struct engine_probe *out, const redisReply *r)
{
	for (size_t i = 0; i + 1 < r->elements; i += 2) {
		const char *name = engine_text(r->element[i]);
		const char *value = engine_text(r->element[i + 1]);

		if (strcmp(name, "server") == 0)
			put_text(out->product, sizeof(out->product),
				strcmp(value, "redis") == 0 ? REDIS : value);
		if (strcmp(name, "version") == 0)
			put_text(out->version, sizeof(out->version), value);
	}
}

static void ask_what_it_is(struct asking *a)
{
	char problem[ENGINE_PROBE_TEXT];
	redisReply *r;

	ENGINE_ASK(a->engine, "INFO");
	r = reply_of(a, REDIS_REPLY_STRING, problem);
	if (r != NULL) {
		take_info(a->out, engine_text(r));
	} else {
		ENGINE_ASK(a->engine, "HELLO");
		r = reply_of(a, REDIS_REPLY_ARRAY, problem);
		if (r != NULL)
			take_hello(a->out, r);
	}
	freeReplyObject(r);
}

static void ask_clock(struct asking *a)
{
	char problem[ENGINE_PROBE_TEXT];
	bool is_synchronised;
	int64_t seconds;
	redisReply *r;

	ENGINE_ASK(a->engine, "TIME");
	r = reply_of(a, REDIS_REPLY_ARRAY, problem);
	if (r == NULL)
		return;
	a->out->has_clock = r->elements == 2 && parse_number(engine_text(r->element[0]), &seconds);
	if (a->out->has_clock)
		a->out->ahead = seconds - probe_clock(&is_synchronised);
	freeReplyObject(r);
}

/* ---- what it does for us ---- */

static void drop_key(struct asking *a)
{
	char problem[ENGINE_PROBE_TEXT];

	ENGINE_ASK(a->engine, "DEL", a->key);
	(void)is_done(a, REDIS_REPLY_INTEGER, problem);
}

static void try_writing(struct asking *a)
{
	ENGINE_ASK(a->engine, "HSET", a->key, "doctor", "1");
	if (is_done(a, REDIS_REPLY_INTEGER, a->out->write_problem))
		drop_key(a);
}

static void try_events(struct asking *a)
{
	ENGINE_ASK(a->engine, "XADD", a->key, "MAXLEN", "~", "1", "*", "doctor", "1");
	if (!is_done(a, REDIS_REPLY_STRING, a->out->event_problem))
		return;
	ENGINE_ASK(a->engine, "XREAD", "COUNT", "1", "STREAMS", a->key, "0-0");
	(void)is_done(a, REDIS_REPLY_ARRAY, a->out->event_problem);
	drop_key(a);
}

static void try_scripts(struct asking *a)
{
	ENGINE_ASK(a->engine, "EVAL", "return 1", "0");
	(void)is_done(a, REDIS_REPLY_INTEGER, a->out->script_problem);
}

/* ---- who is there ---- */

/* All that nodes have said of themselves: PART, TEXT, ...; NULL: it does not tell. */
static redisReply *read_nodes(struct asking *a)
{
	char key[KEY_MAX], problem[ENGINE_PROBE_TEXT];

	snprintf(key, sizeof(key), "%.200s:nodes", a->settings->shared_prefix);
	ENGINE_ASK(a->engine, "HGETALL", key);
	return reply_of(a, REDIS_REPLY_ARRAY, problem);
}

/* The next line of a node of our name, from `*at` on; false when there is none. */
static bool next_namesake(
	const struct asking *a, const redisReply *nodes, size_t *at, struct cluster_beat *out)
{
	for (; *at + 1 < nodes->elements; *at += 2) {
		if (!cluster_parse_beat(engine_text(nodes->element[*at]),
			    engine_text(nodes->element[*at + 1]), out) ||
			strcmp(out->node, a->out->node) != 0)
			continue;
		*at += 2;
		return true;
	}
	return false;
}

/* Does a namesake say the same in both? */
static bool stands_still(
	const struct asking *a, const redisReply *before, const struct cluster_beat *now)
{
	struct cluster_beat b;

	for (size_t at = 0; next_namesake(a, before, &at, &b);) {
		if (strcmp(b.part, now->part) == 0 && strcmp(b.instance, now->instance) == 0 &&
			b.beat == now->beat)
			return true;
	}
	return false;
}

static size_t count_moving(const struct asking *a, const redisReply *before, const redisReply *now)
{
	struct cluster_beat b;
	size_t count = 0;

	for (size_t at = 0; next_namesake(a, now, &at, &b);)
		count += !stands_still(a, before, &b);
	return count;
}

static void look_for_namesakes(struct asking *a)
{
	const struct timespec a_beat = {.tv_sec = SHARING_BEAT_MS / 1000 + 1};
	redisReply *before = read_nodes(a), *now = NULL;
	struct cluster_beat b;
	size_t at = 0;

	if (before != NULL && next_namesake(a, before, &at, &b)) {
		(void)nanosleep(&a_beat, NULL);
		now = read_nodes(a);
	}
	if (now != NULL)
		a->out->namesakes = count_moving(a, before, now);
	freeReplyObject(before);
	freeReplyObject(now);
}

/* ---- one after the other ---- */

static bool find_engine(
	const struct settings *s, const struct shared_place *place, struct addr *out)
{
	struct resolver_options options = effects_resolver_options(s);
	struct fdbudget budget = {.limit = 0};
	struct resolver *resolver;
	bool is_found;

	if (addr_parse(place->host, strlen(place->host), out)) {
		addr_set_port(out, place->port);
		return true;
	}
	fdbudget_plan(&budget, fdbudget_raise_limit(), fdbudget_count_open(), 1);
	resolver = resolver_new(&options, &budget);
	is_found = resolver != NULL && resolver_start(resolver) == 0 &&
		engine_find(place, resolver, &budget, out);
	resolver_free(resolver);
	return is_found;
}

static int find_place(struct asking *a, struct shared_place *place, struct addr *at, char *error)
{
	const struct settings *s = a->settings;

	*place = s->shared;
	if (!node_name_find(s, a->out->node))
		snprintf(error, ENGINE_ERROR_MAX,
			"node_name: this host's name is none that a node can have: set it");
	else if (engine_read_password(s->shared_password_file, place, error) == 0 &&
		(place->path[0] != '\0' || find_engine(s, place, at)))
		return 0;
	else if (error[0] == '\0')
		snprintf(error, ENGINE_ERROR_MAX, "%s has no address", place->host);
	return -1;
}

/* An engine that has said why not is there. */
static enum engine_probe_stage stage_of(const char *error)
{
	static const char *const words[] = {"NOAUTH", "WRONGPASS", "NOPERM", "ERR", "DENIED"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(error, words[i], strlen(words[i])) == 0)
			return ENGINE_PROBE_LOGIN;
	}
	return ENGINE_PROBE_CONNECT;
}

static void ask_all(struct asking *a)
{
	ask_what_it_is(a);
	ask_clock(a);
	try_writing(a);
	try_events(a);
	try_scripts(a);
	look_for_namesakes(a);
}

void engine_probe(const struct settings *s, struct engine_probe *out)
{
	struct asking a = {.settings = s, .out = out, .engine = engine_new()};
	char error[ENGINE_ERROR_MAX] = "";
	struct shared_place place;
	struct addr at;

	*out = (struct engine_probe){.stage = ENGINE_PROBE_NAME};
	snprintf(a.key, sizeof(a.key), "%.200s:doctor", s->shared_prefix);
	if (a.engine == NULL) {
		snprintf(error, sizeof(error), "out of memory");
	} else if (find_place(&a, &place, &at, error) == 0) {
		if (engine_connect(a.engine, &place, place.path[0] != '\0' ? NULL : &at, error) < 0)
			out->stage = stage_of(error);
		else
			out->stage = ENGINE_PROBE_DONE;
	}
	put_text(out->problem, sizeof(out->problem), error);
	if (out->stage == ENGINE_PROBE_DONE)
		ask_all(&a);
	engine_free(a.engine);
	explicit_bzero(&place, sizeof(place));
}
