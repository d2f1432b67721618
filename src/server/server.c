/*
 * Starting has three verbs: open and confine (server_open.c), and start, which makes the threads,
 * those that run beside the workers first: the workers take what the limits on threads and memory
 * leave.
 *
 * Everything stops in the reverse order. What was only partly started can be stopped, too.
 */
#include "server/server_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/plural.h"
#include "server/effects.h"
#include "server/fronts.h"
#include "server/temporary.h"
#include "state/admission.h"

/* By which the front is reached from this host; it listens. */
static const char *reach(const struct server *s, enum front front, char out[ADDR_TEXT_MAX])
{
	struct addr a = fronts_listeners(&s->site.fronts, front)->items[0].bound;

	if (addr_is_unspecified(&a)) {
		uint16_t port = addr_port(&a);

		addr_parse(a.sa.sa_family == AF_INET ? "127.0.0.1" : "::1",
			a.sa.sa_family == AF_INET ? 9 : 3, &a);
		addr_set_port(&a, port);
	}
	return addr_format(&a, out);
}

/* A command that works from this host as it stands, and a page for whoever looks after it. */
static void log_try_it(const struct server *s, const struct config *c)
{
	char text[ADDR_TEXT_MAX];

	log_message(LOG_INFO, "try it: curl --proxy socks5h://%s%s http://example.org/",
		admission_login_required(c) ? "NAME:PASS@" : "", reach(s, FRONT_PROXY, text));
	if (fronts_listeners(&s->site.fronts, FRONT_WEB)->count > 0)
		log_message(LOG_INFO,
			"watch it: http://%s/, where a user with the role admin logs in",
			reach(s, FRONT_WEB, text));
}

/* What is listened on and is not there yet may be about to come, or a mistake. */
static void warn_of_awaited(const struct server *s, const struct listeners *l)
{
	char text[ADDR_TEXT_MAX], all[512];
	struct log_line line;

	for (size_t i = 0; i < l->count; i++) {
		if (!l->items[i].is_awaited)
			continue;
		log_begin(&line, LOG_WARN,
			"this host does not have this address (yet): it is served as soon as it comes");
		log_text(&line, "address", addr_format(&l->items[i].bound, text));
		log_text(&line, "host_has", own_format(s->services.own, all, sizeof(all)));
		log_end(&line);
	}
}

/* ---- start ---- */

/* A job where somebody is told of it. */
static int start_supervision(struct server *s, char error[CONFIG_ERROR_MAX])
{
	if (supervision_init(&s->supervision, s->handover->notify, &s->services) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	if (s->handover->notify->fd >= 0)
		janitor_add(s->janitor, &s->supervision.job);
	return 0;
}

int server_start(struct server *s, char error[CONFIG_ERROR_MAX])
{
	struct services *v = &s->services;

	if (start_supervision(s, error) < 0)
		return -1;
	temporary_restore(v);
	idle_sweep_init(&s->idle_sweep, v->registry, config_idle_limits(v->config));
	janitor_add(s->janitor, &s->idle_sweep.job);
	janitor_add(s->janitor, &s->addresses.job);
	sampling_init(&s->sampling, v, s->janitor, s->keeper);
	janitor_add(s->janitor, &s->sampling.job);
	shares_init(&s->shares, v, s->janitor);
	janitor_add(s->janitor, &s->shares.job);
	limiting_init(&s->limiting, v, s->janitor, s->keeper);
	janitor_add(s->janitor, &s->limiting.job);
	naming_init(&s->naming, v);
	janitor_add(s->janitor, &s->naming.job);
	bans_restore(v->bans, bans_now());
	ban_sweep_init(&s->ban_sweep, v->bans, s->janitor);
	janitor_add(s->janitor, &s->ban_sweep.job);
	if (v->shared_users != NULL) {
		shared_graves_init(&s->graves, v->shared_users, s->keeper);
		janitor_add(s->janitor, &s->graves.job);
	}
	recheck_init(&s->recheck, v);
	janitor_add(s->janitor, &s->recheck.job);
	if ((s->keeper == NULL || keeper_start(s->keeper) == 0) &&
		hasher_start(s->hasher, "hasher") == 0 &&
		hasher_start(s->lookups, "lookups") == 0 &&
		(v->login_helper == NULL || hasher_start(s->asker, "asker") == 0) &&
		janitor_start(s->janitor) == 0 && resolver_start(v->resolver) == 0 &&
		(s->sharing == NULL || sharing_start(s->sharing) == 0))
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "cannot start a thread beside the workers: %s",
		strerror(errno));
	return -1;
}

static int expect_clients(void *context, const struct listeners *next)
{
	return pool_expect(context, next);
}

static void accept_clients(void *context, const struct listeners *next)
{
	pool_listen_on(context, next);
}

static int start_pool(struct server *s, const struct settings *settings, char *error)
{
	struct acceptor acceptor = {.expect = expect_clients, .listen_on = accept_clients};

	if (capacity_plan_workers(&s->capacity, &s->services.budget, settings, error) < 0)
		return -1;
	s->services.relay_room.total = s->capacity.full_buffers;
	s->pool = pool_new(&s->services, &s->services.budget.sessions);
	if (s->pool == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "cannot start a worker thread: %s",
			strerror(errno));
		return -1;
	}
	acceptor.context = s->pool;
	fronts_set_acceptor(&s->site.fronts, FRONT_PROXY, &acceptor);
	return 0;
}

/* Where it stands, and what may not be as it was meant. */
static void log_start(const struct server *s, const struct config *c)
{
	log_try_it(s, c);
	for (enum front i = 0; i < FRONTS; i++)
		warn_of_awaited(s, fronts_listeners(&s->site.fronts, i));
	if (users_count_admins(s->services.users) == 0)
		effects_log_no_admins(LOG_INFO, &c->settings);
}

int server_start_workers(struct server *s, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_get(s->services.config);
	int result = start_pool(s, &c->settings, error);

	if (result == 0) {
		/* The others are for who is known. */
		hashing_set_room(s->services.hashing, (s->services.budget.sessions + 1) / 2);
		if (s->services.login_helper != NULL)
			hashing_set_room(login_helper_queue(s->services.login_helper),
				(s->services.budget.sessions + 1) / 2);
		capacity_log(&s->capacity, &s->services.budget, &c->settings);
		effects_warn_of_open_door(users_count(s->services.users), c);
		effects_warn_of_outgoing(&c->settings);
		effects_warn_of_clear_web(&c->settings);
		effects_warn_of_clear_engine(&c->settings);
		effects_warn_of_no_copy(&c->settings);
		effects_warn_of_expectations(c, &s->services);
		effects_warn_of_mixed_hashes(s->services.users);
		result = fronts_begin(&s->site.fronts, error);
	}
	if (result == 0)
		log_start(s, c);
	if (result == 0) {
		effects_copy_lists(&s->site, c);
		supervision_ready(&s->supervision);
	}
	config_release(c);
	return result;
}

/* ---- what others need ---- */

struct fronts *server_fronts(struct server *s)
{
	return &s->site.fronts;
}

struct errands *server_errands(struct server *s)
{
	return s->errands;
}

struct errands *server_hashes(struct server *s)
{
	return hasher_errands(s->hasher);
}

struct errands *server_lookups(struct server *s)
{
	return hasher_errands(s->lookups);
}

struct errands *server_questions(struct server *s)
{
	return hasher_errands(s->asker);
}

struct keeper *server_keeper(struct server *s)
{
	return s->keeper;
}

struct sharing *server_sharing(struct server *s)
{
	return s->sharing;
}

struct services *server_services(struct server *s)
{
	return &s->services;
}

/* ---- stop ---- */

static void stop_accepting(struct server *s)
{
	s->stopping = true;
	pool_stop(s->pool);
	fronts_close(&s->site.fronts, FRONT_PROXY);
}

#define DRAIN_TOLD_AFTER_MS 2000 /* and then each time after twice as long */

static void log_drain(struct server *s, const char *msg)
{
	int64_t left = s->drain_ends - clock_ms();
	struct log_line line;

	log_begin(&line, LOG_INFO, msg);
	log_number(&line, "sessions", (int64_t)stats_get(&s->services.stats.current));
	log_number(&line, "within_s", left > 0 ? (left + 999) / 1000 : 0);
	log_end(&line);
	s->drain_told = clock_ms();
}

int64_t server_drain(struct server *s)
{
	struct config *c = config_get(s->services.config);

	s->drain_ends = clock_deadline(c->settings.drain_timeout);
	s->drain_pause = DRAIN_TOLD_AFTER_MS;
	config_release(c);
	stop_accepting(s);
	supervision_stops(&s->supervision, s->drain_ends);
	log_drain(s, "stopping: live sessions may finish, a second signal ends them");
	return s->drain_ends;
}

void server_tell_drain(struct server *s)
{
	supervision_tell_status(&s->supervision);
	if (clock_ms() - s->drain_told < s->drain_pause)
		return;
	s->drain_pause *= 2;
	log_drain(s, "stopping: sessions are left");
}

static void log_ended(const struct server *s)
{
	uint64_t count = stats_get(&s->services.stats.current);

	if (count > 0)
		log_message(LOG_INFO, "stopping: %" PRIu64 " session%s that %s left %s ended",
			count, plural(count), count == 1 ? "was" : "were",
			count == 1 ? "is" : "are");
}

bool server_is_drained(struct server *s)
{
	return pool_is_gone(s->pool);
}

void server_stop_workers(struct server *s)
{
	if (s == NULL || s->pool == NULL)
		return;
	if (!s->stopping)
		stop_accepting(s);
	log_ended(s);
	registry_stop_all(s->services.registry);
	users_wake_logins(s->services.users);
	pool_free(s->pool);
	s->pool = NULL;
}

void server_stop(struct server *s)
{
	if (s == NULL)
		return;
	users_stop_logins(s->services.users);
	janitor_stop(s->janitor);
	hasher_stop(s->hasher);
	hasher_stop(s->lookups);
	hasher_stop(s->asker);
	limiting_finish(&s->limiting);
	sharing_stop(s->sharing);
	keeper_stop(s->keeper);
}
