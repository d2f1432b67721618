/* keeping: the services that are kept, in a folder of the test's, with a disk whose commits fail
 * or wait as the test wants. For tests that wrap database_commit and time. */
#ifndef TESTS_SERVER_KEEPING_H
#define TESTS_SERVER_KEEPING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/scratch.h"
#include "base/log.h"
#include "server/database.h"
#include "server/history_tables.h"

#define KEEPING_FULL 13 /* SQLITE_FULL */
#define KEEPING_CORRUPT 11 /* SQLITE_CORRUPT */

static int commit_failure; /* SQLite's status; 0: none */
static int commit_failures; /* how many are to come */
static void (*before_commit)(void); /* NULL: nothing happens */
static time_t keeping_time;

int __real_database_commit(struct database *d);
int __wrap_database_commit(struct database *d);
time_t __wrap_time(time_t *out);

int __wrap_database_commit(struct database *d)
{
	if (before_commit != NULL)
		before_commit();
	if (commit_failures > 0) {
		commit_failures--;
		return database_fail(d, commit_failure);
	}
	return __real_database_commit(d);
}

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = keeping_time;
	return keeping_time;
}

static struct services kept;

static inline int keeping_enter(void **state)
{
	char error[CONFIG_ERROR_MAX];

	setenv("TZ", "UTC0", 1);
	tzset();
	keeping_time = 1795694400; /* 2026-11-26 12:00 */
	commit_failures = 0;
	before_commit = NULL;
	kept.ledger = ledger_new(16, NULL);
	kept.standing = standing_new();
	kept.config = config_store_new(config_read(&(struct config_source){.path = NULL}, error));
	if (kept.ledger == NULL || kept.standing == NULL || kept.config == NULL)
		return -1;
	return scratch_enter(state) != 0 ? -1 : log_open("log");
}

static inline int keeping_leave(void **state)
{
	log_close();
	standing_free(kept.standing);
	ledger_free(kept.ledger);
	config_store_free(kept.config);
	return scratch_leave(state);
}

/* As by a reload. */
static inline void keeping_set(const char *name, const char *value)
{
	struct config *old = config_get(kept.config), *new = config_clone(old);
	char why[SETTING_ERROR_MAX];

	assert_non_null(new);
	assert_true(setting_set(
		settings_find(name), &new->settings, &(struct setting_input){.text = value}, why));
	config_publish(kept.config, new);
	config_release(old);
}

static inline void keeping_put(const char *key, const char *value)
{
	assert_int_equal(standing_put(kept.standing, STANDING_BAN, key, value), 0);
}

static inline void keeping_copy(void *context, const char *value)
{
	snprintf(context, 512, "%s", value);
}

static inline void keeping_assert_stands(const char *key, const char *expected)
{
	char value[512] = "(nothing)";

	(void)standing_read(kept.standing, STANDING_BAN, key, keeping_copy, value);
	assert_string_equal(value, expected != NULL ? expected : "(nothing)");
}

/* What stands in memory is forgotten, as at an end. */
static inline void keeping_forget(void)
{
	standing_free(kept.standing);
	kept.standing = standing_new();
	assert_non_null(kept.standing);
}

/* A session of the client that moves so many bytes. */
static inline void keeping_serve(const char *client, uint64_t bytes)
{
	struct addr a;
	size_t running;
	struct ledger_entry *e;

	assert_true(addr_parse(client, strlen(client), &a));
	e = ledger_join_client(kept.ledger, &a, 1, &running);
	assert_non_null(e);
	atomic_fetch_add(&ledger_tally(e)->sent, bytes);
	ledger_leave(e, 1);
}

static inline void keeping_note_sum(void *context, const struct history_sum *sum)
{
	char *text = context;

	sprintf(text + strlen(text), "%s%s:%lld/%lld ", sum->name,
		sum->deleted != 0 ? " deleted" : "", (long long)sum->counts.of[LEDGER_SESSIONS],
		(long long)sum->counts.of[LEDGER_SENT]);
}

static inline void keeping_assert_usage(struct database *d, int32_t day, const char *expected)
{
	char text[1024] = "";

	assert_int_equal(history_tables_usage(d, &(struct history_who){.user = NULL}, day, day,
				 keeping_note_sum, text),
		0);
	assert_string_equal(text, expected);
}

static inline size_t keeping_count_lines(const char *like)
{
	char *text = scratch_read("log");
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, like)) != NULL; at++)
		count++;
	free(text);
	return count;
}

#endif
