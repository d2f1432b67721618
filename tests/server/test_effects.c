/* effects: which steps run, in which order, and what is undone, with tables of the test's own. What
 * the server's own effects do is in test_change.c. */
#include "server/effects.h"

#include <stdio.h>

#include "../base/scratch.h"
#include "base/log.h"

static char calls[256];
static const char *failing; /* the step whose prepare() fails */

static void note(const char *what, const char *step)
{
	size_t len = strlen(calls);

	snprintf(calls + len, sizeof(calls) - len, "%s%s %s", len > 0 ? ", " : "", what, step);
}

static int note_prepare(const char *step, char *error)
{
	note("prepare", step);
	if (failing == NULL || strcmp(failing, step) != 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "%s cannot be", step);
	return -1;
}

/* A step that notes what is called of it. */
#define STEP(step)                                                                                 \
	static int prepare_##step(struct change *change, char error[CONFIG_ERROR_MAX])             \
	{                                                                                          \
		(void)change;                                                                      \
		return note_prepare(#step, error);                                                 \
	}                                                                                          \
	static void commit_##step(struct change *change)                                           \
	{                                                                                          \
		(void)change;                                                                      \
		note("commit", #step);                                                             \
	}                                                                                          \
	static void finish_##step(struct change *change)                                           \
	{                                                                                          \
		(void)change;                                                                      \
		note("finish", #step);                                                             \
	}                                                                                          \
	static void undo_##step(struct change *change)                                             \
	{                                                                                          \
		(void)change;                                                                      \
		note("undo", #step);                                                               \
	}
#define ROW(step, effect)                                                                          \
	{                                                                                          \
		.of = (effect), .name = #step, .prepare = prepare_##step, .commit = commit_##step, \
		.finish = finish_##step, .undo = undo_##step                                       \
	}

STEP(a)
STEP(b)
STEP(c)
STEP(d)

/* Two steps of one effect, around another; and one that only can be made. */
static const struct effect table[] = {ROW(a, EFFECT_USERS), ROW(b, EFFECT_LISTENERS),
	ROW(c, EFFECT_LOG_FILE), {.of = EFFECT_RESOLVER, .name = "only", .commit = commit_d},
	ROW(d, EFFECT_USERS)};

static int prepare(unsigned effects, char error[CONFIG_ERROR_MAX])
{
	struct change change = {.site = NULL};

	calls[0] = '\0';
	return effects_prepare(table, COUNT(table), effects, &change, error);
}

static void assert_commits(unsigned effects, const char *expected)
{
	struct change change = {.site = NULL};

	calls[0] = '\0';
	effects_commit(table, COUNT(table), effects, &change);
	assert_string_equal(calls, expected);
}

static void only_the_effects_that_are_named_run(void **state)
{
	char error[CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(prepare(0, error), 0);
	assert_string_equal(calls, "");
	assert_commits(0, "");
	assert_int_equal(prepare(EFFECT_RESOLVER, error), 0);
	assert_string_equal(calls, "");
	assert_commits(EFFECT_RESOLVER, "commit d");
	assert_int_equal(prepare(EFFECT_LISTENERS, error), 0);
	assert_string_equal(calls, "prepare b");
	assert_commits(EFFECT_LISTENERS | EFFECT_DOOR, "commit b");
}

static void steps_run_in_the_order_of_the_table(void **state)
{
	char error[CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(prepare(EFFECT_USERS | EFFECT_LISTENERS, error), 0);
	assert_string_equal(calls, "prepare a, prepare b, prepare d");
	assert_commits(EFFECT_USERS | EFFECT_LISTENERS | EFFECT_RESOLVER,
		"commit a, commit b, commit d, commit d");
}

static void all_are_finished_behind_the_last_that_is_made(void **state)
{
	struct change change = {.site = NULL};

	(void)state;
	assert_commits(EFFECT_USERS | EFFECT_RESOLVER, "commit a, commit d, commit d");
	calls[0] = '\0';
	effects_finish(table, COUNT(table), EFFECT_USERS | EFFECT_RESOLVER, &change);
	assert_string_equal(calls, "finish a, finish d");
}

static void what_was_prepared_is_undone_when_a_step_fails(void **state)
{
	static const struct {
		const char *failing, *calls;
	} rows[] = {
		{"a", "prepare a"},
		{"b", "prepare a, prepare b, undo a"},
		{"c", "prepare a, prepare b, prepare c, undo b, undo a"},
		{"d", "prepare a, prepare b, prepare c, prepare d, undo c, undo b, undo a"},
	};
	char error[CONFIG_ERROR_MAX], expected[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		failing = rows[i].failing;
		assert_int_equal(prepare(~0U, error), -1);
		assert_string_equal(calls, rows[i].calls);
		snprintf(expected, sizeof(expected), "%s cannot be", failing);
		assert_string_equal(error, expected);
	}
	failing = "d";
	assert_int_equal(prepare(EFFECT_USERS | EFFECT_LOG_FILE, error), -1);
	assert_string_equal(calls, "prepare a, prepare c, prepare d, undo c, undo a");
	failing = NULL;
}

/* Whatever a setting or a reload asks for is there. */
static void every_effect_has_a_step(void **state)
{
	unsigned named = EFFECTS_OF_ANY_CHANGE | EFFECTS_OF_RELOAD, there = 0;

	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		named |= settings_table[i].effects;
		assert_true(settings_table[i].effects == 0 || settings_table[i].reloadable);
	}
	for (size_t i = 0; i < effects_count; i++)
		there |= effects_table[i].of;
	assert_int_equal(named, there);
}

/* Where it is said: at a start. */
static void who_shares_without_a_folder_is_told_what_is_not_kept(void **state)
{
	struct settings s = {
		.shared = {.path = "/run/redis.sock"}, .state_dir = (char[]){"/state"}};
	char *log;

	assert_int_equal(scratch_enter(state), 0);
	assert_int_equal(log_open("log"), 0);
	effects_warn_of_no_copy(&s);
	s.state_dir = (char[]){""};
	effects_warn_of_no_copy(&s);
	s.shared_users = true;
	effects_warn_of_no_copy(&s);
	s.shared = (struct shared_place){.port = 0};
	effects_warn_of_no_copy(&s);
	log_close();
	log = scratch_read("log");
	assert_null(strstr(log, "/state"));
	assert_non_null(strstr(log,
		"nothing of what accounts use on other nodes until unix:/run/redis.sock?db=0 "
		"answers"));
	assert_non_null(strstr(
		log, "use on other nodes, and none of the users whom they share, until unix:"));
	assert_int_equal(strchr(strchr(log, '\n') + 1, '\n')[1], '\0');
	free(log);
	assert_int_equal(scratch_leave(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_effects_that_are_named_run),
		cmocka_unit_test(steps_run_in_the_order_of_the_table),
		cmocka_unit_test(all_are_finished_behind_the_last_that_is_made),
		cmocka_unit_test(what_was_prepared_is_undone_when_a_step_fails),
		cmocka_unit_test(every_effect_has_a_step),
		cmocka_unit_test(who_shares_without_a_folder_is_told_what_is_not_kept),
	};

	return cmocka_run_group_tests_name("server/effects", tests, NULL, NULL);
}
