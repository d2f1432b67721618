/* parts: what the monitor looks at and changes, made by a test without a server, on a clock that
 * the test moves. For tests whose line WRAP_ in the Makefile names $(WRAP_PARTS). */
#ifndef TESTS_MONITOR_PARTS_H
#define TESTS_MONITOR_PARTS_H

#include <sodium.h>
#include <time.h>

#include "../base/faults.h"
#include "base/clock.h"
#include "monitor.h"
#include "proxy/services.h"
#include "server/server.h"

/* ---- the clock, and memory that grows ---- */

#define PARTS_TIME 1752576039 /* 2025-07-15 12:40:39 two hours east */

static int64_t parts_now = 1000000; /* clock_ms() */
static time_t parts_time = PARTS_TIME; /* seconds since 1970 */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
time_t __wrap_time(time_t *out);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

int64_t __wrap_clock_ms(void)
{
	return parts_now;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return ms == CLOCK_NEVER ? CLOCK_NEVER : parts_now + ms;
}

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = parts_time;
	return parts_time;
}

void *__wrap_realloc(void *memory, size_t size)
{
	return faults_strikes() ? NULL : __real_realloc(memory, size);
}

/* ---- the parts ---- */

static struct services parts;

const struct config *__wrap_server_base(const struct server *s);

/* As when nothing has changed since the start. */
const struct config *__wrap_server_base(const struct server *s)
{
	struct config *c = config_get(parts.config);

	(void)s;
	config_release(c);
	return c;
}

/* In force at once. */
static inline void parts_set(const char *name, const char *value)
{
	struct config *config = config_get(parts.config);
	char why[SETTING_ERROR_MAX];

	if (!setting_set(settings_find(name), &config->settings,
		    &(struct setting_input){.text = value}, why))
		fail_msg("%s: %s", name, why);
	config_release(config);
}

/* Room for `sessions`, and an access log of `entries`. The settings are the defaults. Nobody
 * is a user yet; users are kept in memory only. */
static inline void parts_make(size_t sessions, size_t entries)
{
	char error[CONFIG_ERROR_MAX];

	assert_int_not_equal(setenv("TZ", "EAST-2", 1), -1);
	tzset();
	assert_true(sodium_init() >= 0);
	stats_init(&parts.stats);
	parts.config = config_store_new(config_read(&(struct config_source){.path = NULL}, error));
	parts.ledger = ledger_new(16, NULL);
	parts.hashing = hashing_new(2);
	parts.users = users_new(parts.hashing, parts.ledger, NULL);
	parts.holdoff = holdoff_new(NULL);
	parts.registry = registry_new(sessions);
	parts.access_log = access_log_new(entries);
	parts.throughput = throughput_new(parts_now);
	assert_non_null(parts.throughput);
	parts.standing = standing_new();
	assert_non_null(parts.standing);
	parts.failures = events_new(entries);
	assert_non_null(parts.failures);
	assert_int_equal(watching_init(&parts.watching), 0);
	parts.client_names = client_names_new(NULL);
	assert_non_null(parts.client_names);
	parts.bans = bans_new(NULL, parts.standing);
	assert_non_null(parts.bans);
	assert_non_null(parts.config);
	assert_non_null(parts.users);
	assert_non_null(parts.holdoff);
	assert_non_null(parts.registry);
	assert_non_null(parts.access_log);
}

static inline void parts_free(void)
{
	client_names_free(parts.client_names);
	watching_free(&parts.watching);
	events_free(parts.failures);
	bans_free(parts.bans);
	standing_free(parts.standing);
	throughput_free(parts.throughput);
	access_log_free(parts.access_log);
	registry_free(parts.registry);
	holdoff_free(parts.holdoff);
	users_free(parts.users);
	hashing_free(parts.hashing);
	ledger_free(parts.ledger);
	config_store_free(parts.config);
}

/* A user with the password "secret". */
static inline void parts_add_user(const char *name, enum user_role role)
{
	char error[USERS_ERROR_MAX];

	assert_int_equal(users_add(parts.users, name, MONITOR_HASH, role, error), 0);
}

static inline struct addr parts_addr(const char *host, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse(host, strlen(host), &a));
	addr_set_port(&a, port);
	return a;
}

static inline struct registry_slot *parts_slot(size_t index)
{
	return registry_slot_at(parts.registry, index);
}

/* A session begins in a slot of the registry, without sockets, from 192.0.2.1 and a port that is
 * the slot's; its id. */
static inline uint64_t parts_begin_session(size_t slot)
{
	struct addr from = parts_addr("192.0.2.1", (uint16_t)(1000 + slot));

	return registry_enter(parts_slot(slot), -1, &from);
}

/* The slot's session moves so many bytes. */
static inline void parts_move(size_t slot, uint64_t sent, uint64_t received)
{
	struct traffic *t = registry_traffic(parts_slot(slot));

	traffic_count(t, TRAFFIC_SENT, sent);
	traffic_count(t, TRAFFIC_RECEIVED, received);
	traffic_active(t, parts_now);
}

/* The slot's session belongs to `user`, a string that outlives it. */
static inline void parts_set_user(size_t slot, const char *user)
{
	registry_set_user(parts_slot(slot), user, strlen(user));
}

/* An entry of the access log; NULL: of nobody's. */
static inline void parts_log_access(const char *user, const char *target, bool granted)
{
	struct addr from = parts_addr("192.0.2.1", 1000);

	user = user == NULL ? USERS_ANONYMOUS : user;
	access_log_add(parts.access_log,
		&(struct access_record){.user = user,
			.user_len = strlen(user),
			.client = &from,
			.target = target,
			.failure = granted ? END_REASONS : END_CONNECT_REFUSED});
}

#endif
