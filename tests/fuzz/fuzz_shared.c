/*
 * A node that hears from an engine whatever the input says: replies of any shape in any order, in
 * them texts of nodes, uses, resets, bans, users, kills and events. What it then shows of others is
 * in lines that hold together.
 *
 * A reply is a line: "*N" a list of the N replies behind it, ":N" a number, "-TEXT" an error, "_"
 * nothing, "." (a line of its own) none in time, and anything else a text, in which the byte 0x1f
 * stands for the end of a line, and 0x1e for a thousand of the byte before it, so that short inputs
 * have texts longer than what they are put into. Commands that only have to succeed do; after the
 * last reply none comes. Functions of the engine's connection are replaced in the Makefile, and the
 * clock is the test's.
 */
#include "fuzz.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/sharing_parts.h"
#include "state/cluster_text.h"
#include "state/ledger_limits.h"
#include "state/shared_record.h"

#define TEXT_MAX (32 * 1024)
#define REPEAT 1000
#define DEEPEST 6
#define STEPS 5 /* a join, and what follows */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
time_t __wrap_time(time_t *out);
int __wrap_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX]);
redisReply *__wrap_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX]);
int __wrap_engine_skip(struct engine *e, size_t count, char error[ENGINE_ERROR_MAX]);

/* ---- the clock ---- */

static int64_t now_ms;

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return ms == CLOCK_NEVER ? CLOCK_NEVER : now_ms + ms;
}

time_t __wrap_time(time_t *out)
{
	time_t now = 1795694400 + now_ms / 1000;

	if (out != NULL)
		*out = now;
	return now;
}

/* ---- the engine ---- */

static const char *rest, *end; /* of the input */

/* Behind the `n` that are there. */
static size_t put_byte(char out[TEXT_MAX], size_t n, char c)
{
	size_t times = c == 0x1e && n > 0 ? REPEAT : c != '\0' && c != 0x1e;

	if (c == 0x1e && n > 0)
		c = out[n - 1];
	for (; times > 0 && n + 1 < TEXT_MAX; times--)
		out[n++] = c == 0x1f ? '\n' : c;
	return n;
}

/* The next line, its end left out, without a NUL in it; false: there is none. */
static bool next_line(char out[TEXT_MAX])
{
	size_t len, n = 0;
	const char *stop;

	if (rest == end)
		return false;
	stop = memchr(rest, '\n', (size_t)(end - rest));
	len = (size_t)((stop == NULL ? end : stop) - rest);
	for (size_t i = 0; i < len; i++)
		n = put_byte(out, n, rest[i]);
	out[n] = '\0';
	rest = stop == NULL ? end : stop + 1;
	return true;
}

static redisReply *make_reply(int type, const char *text)
{
	redisReply *r = calloc(1, sizeof(*r));

	FUZZ_CHECK(r != NULL);
	r->type = type;
	r->str = text == NULL ? NULL : strdup(text);
	r->len = text == NULL ? 0 : strlen(text);
	return r;
}

static redisReply *read_reply(unsigned depth);

static redisReply *read_list(const char *count, unsigned depth)
{
	redisReply *r = make_reply(REDIS_REPLY_ARRAY, NULL);
	size_t most = strtoul(count, NULL, 10) % 64;

	r->element = calloc(most + 1, sizeof(void *));
	FUZZ_CHECK(r->element != NULL);
	for (redisReply *e; r->elements < most && (e = read_reply(depth + 1)) != NULL;)
		r->element[r->elements++] = e;
	return r;
}

/* NULL: it keeps silent. */
static redisReply *read_reply(unsigned depth)
{
	char line[TEXT_MAX];
	redisReply *r;

	if (!next_line(line) || strcmp(line, ".") == 0)
		return NULL;
	if (line[0] == '*' && depth < DEEPEST)
		return read_list(line + 1, depth);
	if (line[0] == '-')
		return make_reply(REDIS_REPLY_ERROR, line + 1);
	if (strcmp(line, "_") == 0)
		return make_reply(REDIS_REPLY_NIL, NULL);
	if (line[0] != ':')
		return make_reply(REDIS_REPLY_STRING, line);
	r = make_reply(REDIS_REPLY_INTEGER, NULL);
	r->integer = strtoll(line + 1, NULL, 10);
	return r;
}

int __wrap_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX])
{
	(void)e;
	(void)place;
	(void)at;
	(void)error;
	return 0;
}

redisReply *__wrap_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX])
{
	(void)e;
	snprintf(error, ENGINE_ERROR_MAX, "no answer in time");
	return read_reply(0);
}

int __wrap_engine_skip(struct engine *e, size_t count, char error[ENGINE_ERROR_MAX])
{
	(void)e;
	(void)count;
	(void)error;
	return 0;
}

/* ---- the node ---- */

static void ring(void *context)
{
	(void)context;
}

static struct services *make_services(void)
{
	static struct config_source source;
	struct services *v = calloc(1, sizeof(*v));
	char error[CONFIG_ERROR_MAX];

	FUZZ_CHECK(v != NULL);
	v->ledger = ledger_new(16, NULL);
	v->standing = standing_new();
	standing_set_kept(v->standing, true);
	v->bans = bans_new(NULL, v->standing);
	v->registry = registry_new(1);
	v->hashing = hashing_new(1);
	v->users = users_new(v->hashing, v->ledger, NULL);
	v->shared_users = shared_users_new(v->standing, "n");
	v->config = config_store_new(config_read(&source, error));
	v->places.total = 100;
	ledger_follow(v->ledger, NULL, v->standing);
	return v;
}

static void free_services(struct services *v)
{
	shared_users_free(v->shared_users);
	config_store_free(v->config);
	users_free(v->users);
	hashing_free(v->hashing);
	registry_free(v->registry);
	ledger_free(v->ledger);
	bans_free(v->bans);
	standing_free(v->standing);
	free(v);
}

static struct sharing *make_sharing(struct services *v)
{
	const struct sharing_bell bell = {.ring = ring, .ring_users = ring};
	struct settings settings = {.shared = {.host = "10.0.0.1", .port = 6379},
		.shared_password_file = (char[]){""},
		.shared_prefix = (char[]){"p"},
		.state_dir = (char[]){"/state"},
		.node_name = (char[]){"n"}};
	char error[SHARING_ERROR_MAX];
	struct sharing *s = sharing_new(&settings, v, &bell, error);

	FUZZ_CHECK(s != NULL);
	return s;
}

/* ---- what is shown ---- */

static void check_word(const char *word)
{
	FUZZ_CHECK(*word != '\0');
	for (; *word != '\0'; word++)
		FUZZ_CHECK(*word > ' ' && *word <= '~');
}

static void check_line(const char *line)
{
	for (; *line != '\0'; line++)
		FUZZ_CHECK((unsigned char)*line >= ' ' && *line != 0x7f);
}

static void check_nodes(struct cluster *c)
{
	size_t count;
	struct cluster_node *nodes = cluster_nodes(c, now_ms, &count);
	struct cluster_status status;

	FUZZ_CHECK(nodes != NULL);
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(cluster_is_name(nodes[i].beat.node));
		check_word(nodes[i].beat.version);
		check_word(nodes[i].beat.monitor);
		FUZZ_CHECK(nodes[i].silent_ms >= 0);
	}
	cluster_look(c, now_ms, &status);
	check_line(status.problem);
	FUZZ_CHECK(status.nodes <= count + 1);
	free(nodes);
}

static void check_bans(struct bans *b)
{
	size_t count;
	struct ban_info *list = bans_list(b, bans_now(), &count);

	FUZZ_CHECK(list != NULL);
	for (size_t i = 0; i < count; i++)
		FUZZ_CHECK(list[i].until > bans_now().wall);
	free(list);
}

/* ---- texts by themselves ---- */

static void check_beat(const char *text)
{
	char again[CLUSTER_BEAT_MAX];
	struct cluster_beat b, same;

	if (!cluster_parse_beat("n/1", text, &b))
		return;
	cluster_format_beat(&b, again);
	FUZZ_CHECK(cluster_parse_beat("n/1", again, &same));
	FUZZ_CHECK(same.beat == b.beat && strcmp(same.monitor, b.monitor) == 0 &&
		strcmp(same.node, b.node) == 0);
}

static void check_record(const char *text)
{
	struct shared_record r, same;
	char *again;

	if (shared_record_parse(text, &r) != NULL)
		return;
	again = shared_record_format(&r);
	FUZZ_CHECK(again != NULL && shared_record_parse(again, &same) == NULL);
	FUZZ_CHECK(!shared_record_outranks(&same, &r) && !shared_record_outranks(&r, &same));
	free(again);
}

static void check_texts(const uint8_t *bytes, size_t len)
{
	char line[TEXT_MAX];

	rest = (const char *)bytes;
	end = rest + len;
	while (next_line(line)) {
		check_beat(line);
		check_record(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct services *v;
	struct sharing *s;

	FUZZ_CHECK(sodium_init() >= 0);
	(void)!log_open("/dev/null");
	check_texts(bytes, len);
	now_ms = 1000000;
	v = make_services();
	s = make_sharing(v);
	rest = (const char *)bytes;
	end = rest + len;
	for (int i = 0; i < STEPS; i++) {
		sharing_step(s);
		check_nodes(v->cluster);
		check_bans(v->bans);
		now_ms += SHARING_BEAT_MS;
	}
	sharing_free(s);
	free_services(v);
	return 0;
}
