/* engine_probe: what an engine of each kind is found to be, by one that says what it is told to. */
#include "server/engine_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/scratch.h"
#include "server/engine.h"
#include "server/probe.h"
#include "state/config.h"

/* ---- an engine ---- */

static struct answers {
	const char *refuses_to_connect; /* NULL: it does not */
	const char *info, *hello; /* NULL: not for us */
	const char *time; /* NULL: likewise */
	const char *write_error, *stream_error, *script_error; /* NULL: none */
	const char *nodes[2]; /* what "n/1" says of itself, first and then; NULL: it is not there */
} engine;

static unsigned reads_of_nodes;
static redisReply *next_reply;
static char asked[1024]; /* the words, each command's first two */

int __wrap_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX]);
void __wrap_engine_ask(struct engine *e, const char *const *words);
redisReply *__wrap_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX]);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int64_t __wrap_probe_clock(bool *is_synchronised);

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	assert_true(wanted->tv_sec > 5);
	return 0;
}

int64_t __wrap_probe_clock(bool *is_synchronised)
{
	*is_synchronised = true;
	return 1000;
}

int __wrap_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX])
{
	(void)e;
	assert_int_equal(at == NULL, place->path[0] != '\0');
	if (engine.refuses_to_connect == NULL)
		return 0;
	snprintf(error, ENGINE_ERROR_MAX, "%s", engine.refuses_to_connect);
	return -1;
}

static redisReply *make_reply(int type, const char *text)
{
	redisReply *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->type = type;
	if (type == REDIS_REPLY_INTEGER)
		r->integer = strtoll(text, NULL, 10);
	else if (text != NULL)
		r->str = strdup(text);
	return r;
}

/* Of the words of a text; "": none. */
static redisReply *make_list(const char *words)
{
	redisReply *r = make_reply(REDIS_REPLY_ARRAY, NULL);
	char text[256], *rest = text, *word;

	r->element = calloc(16, sizeof(void *));
	snprintf(text, sizeof(text), "%s", words);
	while (*words != '\0' && (word = strsep(&rest, "|")) != NULL)
		r->element[r->elements++] = make_reply(REDIS_REPLY_STRING, word);
	return r;
}

static redisReply *refuse(const char *error)
{
	return make_reply(REDIS_REPLY_ERROR, error);
}

static redisReply *say_text(const char *text)
{
	return text == NULL ? refuse("NOPERM") : make_reply(REDIS_REPLY_STRING, text);
}

static redisReply *say_list(const char *words)
{
	return words == NULL ? refuse("NOPERM") : make_list(words);
}

static redisReply *say_done(const char *error, int type)
{
	return error == NULL ? make_reply(type, "1") : refuse(error);
}

static redisReply *say_nodes(void)
{
	char text[256] = "n/2|a half line";
	const char *now = engine.nodes[reads_of_nodes++ > 0];

	if (now != NULL)
		snprintf(text, sizeof(text), "n/2|a half line|n/1|%s|other|i 1 5 1 10 7", now);
	return make_list(text);
}

void __wrap_engine_ask(struct engine *e, const char *const *words)
{
	(void)e;
	assert_null(next_reply);
	snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s %s\n", words[0],
		words[1] == NULL ? "" : words[1]);
	if (strcmp(words[0], "INFO") == 0)
		next_reply = say_text(engine.info);
	else if (strcmp(words[0], "HELLO") == 0)
		next_reply = say_list(engine.hello);
	else if (strcmp(words[0], "TIME") == 0)
		next_reply = say_list(engine.time);
	else if (strcmp(words[0], "HSET") == 0)
		next_reply = say_done(engine.write_error, REDIS_REPLY_INTEGER);
	else if (strcmp(words[0], "XADD") == 0)
		next_reply = say_done(engine.stream_error, REDIS_REPLY_STRING);
	else if (strcmp(words[0], "EVAL") == 0)
		next_reply = say_done(engine.script_error, REDIS_REPLY_INTEGER);
	else if (strcmp(words[0], "DEL") == 0)
		next_reply = make_reply(REDIS_REPLY_INTEGER, "1");
	else if (strcmp(words[0], "HGETALL") == 0)
		next_reply = say_nodes();
	else
		next_reply = make_list("stream");
}

redisReply *__wrap_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX])
{
	redisReply *r = next_reply;

	(void)e;
	(void)error;
	next_reply = NULL;
	return r;
}

/* ---- what is found ---- */

static struct engine_probe found;

static void probe_as(const char *node, const char *host, const char *path, const char *password)
{
	struct settings s = {.node_name = (char *)(uintptr_t)node,
		.shared_prefix = (char[]){"p"},
		.shared_password_file = (char *)(uintptr_t)password};

	snprintf(s.shared.host, sizeof(s.shared.host), "%s", host);
	snprintf(s.shared.path, sizeof(s.shared.path), "%s", path);
	reads_of_nodes = 0;
	asked[0] = '\0';
	engine_probe(&s, &found);
}

static void probe(void)
{
	probe_as("n", "192.0.2.5", "", "");
}

static int begin(void **state)
{
	engine = (struct answers){.info = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\n"
					  "maxmemory_policy:noeviction\r\n",
		.time = "1003|17"};
	return scratch_enter(state);
}

static void one_that_is_well_is_found_so(void **state)
{
	(void)state;
	probe();
	assert_int_equal(found.stage, ENGINE_PROBE_DONE);
	assert_string_equal(found.product, "Redis");
	assert_string_equal(found.version, "7.0.15");
	assert_int_equal(found.major, 7);
	assert_string_equal(found.policy, "noeviction");
	assert_true(found.has_clock);
	assert_int_equal(found.ahead, 3);
	assert_string_equal(found.write_problem, "");
	assert_string_equal(found.event_problem, "");
	assert_string_equal(found.script_problem, "");
	assert_string_equal(found.node, "n");
	assert_int_equal(found.namesakes, 0);
	/* All that was written is gone. */
	assert_string_equal(asked,
		"INFO \nTIME \nHSET p:doctor\nDEL p:doctor\nXADD p:doctor\nXREAD COUNT\n"
		"DEL p:doctor\nEVAL return 1\nHGETALL p:nodes\n");
	probe_as("n", "", "r.sock", "");
	assert_int_equal(found.stage, ENGINE_PROBE_DONE);
}

static void forks_and_who_tells_little_are_known(void **state)
{
	(void)state;
	engine.info = "redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.0.1";
	probe();
	assert_string_equal(found.product, "Valkey");
	assert_string_equal(found.version, "8.0.1");
	assert_int_equal(found.major, 7);
	engine.info = NULL;
	engine.hello = "server|redis|version|6.2.0|proto|2|odd";
	probe();
	assert_string_equal(found.product, "Redis");
	assert_string_equal(found.version, "6.2.0");
	assert_string_equal(found.policy, "");
	engine.hello = engine.time = NULL;
	probe();
	assert_string_equal(found.product, "");
	assert_false(found.has_clock);
	assert_int_equal(found.stage, ENGINE_PROBE_DONE);
}

static void what_is_refused_is_told_and_the_rest_is_tried(void **state)
{
	(void)state;
	engine.write_error = "READONLY";
	engine.stream_error = "NOPERM x\ny";
	engine.script_error = "NOPERM";
	probe();
	assert_string_equal(found.write_problem, "READONLY");
	assert_string_equal(found.event_problem, "NOPERM x\\x0ay");
	assert_string_equal(found.script_problem, "NOPERM");
	assert_null(strstr(asked, "DEL"));
}

static void who_cannot_be_reached_or_keeps_out_is_told(void **state)
{
	static const struct {
		const char *error;
		enum engine_probe_stage stage;
	} rows[] = {{"Connection refused", ENGINE_PROBE_CONNECT},
		{"NOAUTH Authentication required.", ENGINE_PROBE_LOGIN},
		{"WRONGPASS invalid", ENGINE_PROBE_LOGIN},
		{"ERR DB index is out of range", ENGINE_PROBE_LOGIN}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		engine.refuses_to_connect = rows[i].error;
		probe();
		assert_int_equal(found.stage, rows[i].stage);
		assert_string_equal(found.problem, rows[i].error);
		assert_string_equal(asked, "");
	}
}

static void what_a_start_would_refuse_is_told(void **state)
{
	(void)state;
	probe_as("no name", "192.0.2.5", "", "");
	assert_int_equal(found.stage, ENGINE_PROBE_NAME);
	assert_string_equal(
		found.problem, "node_name: this host's name is none that a node can have: set it");
	probe_as("n", "192.0.2.5", "", "missing");
	assert_string_equal(found.problem,
		"shared_password_file: missing cannot be read: No such file or directory");
}

static void a_name_is_looked_up(void **state)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c = config_read(&(struct config_source){.path = NULL}, error);

	(void)state;
	assert_non_null(c);
	snprintf(c->settings.shared.host, sizeof(c->settings.shared.host), "localhost");
	engine_probe(&c->settings, &found);
	assert_int_equal(found.stage, ENGINE_PROBE_DONE);
	config_release(c);
}

/* What stands still was left behind by one that has gone. */
static void a_node_of_our_name_counts_while_it_goes_on(void **state)
{
	static const struct {
		const char *first, *then;
		size_t namesakes;
	} rows[] = {{"i 1 5 1 10 7", "i 1 5 1 10 7", 0}, {"i 1 5 1 10 7", "i 1 5 1 10 8", 1},
		{"i 1 5 1 10 7", "j 1 5 1 10 7", 1}, {"i 1 5 1 10 7", NULL, 0},
		{"i 1 5 1 10 7 - m", "i 1 5 1 10 8 - m", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		engine.nodes[0] = rows[i].first;
		engine.nodes[1] = rows[i].then;
		probe();
		assert_int_equal(found.namesakes, rows[i].namesakes);
	}
}

#define probe_test(name) cmocka_unit_test_setup_teardown(name, begin, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(one_that_is_well_is_found_so),
		probe_test(forks_and_who_tells_little_are_known),
		probe_test(what_is_refused_is_told_and_the_rest_is_tried),
		probe_test(who_cannot_be_reached_or_keeps_out_is_told),
		probe_test(what_a_start_would_refuse_is_told),
		probe_test(a_name_is_looked_up),
		probe_test(a_node_of_our_name_counts_while_it_goes_on),
	};

	return cmocka_run_group_tests_name("server/engine_probe", tests, NULL, NULL);
}
