/*
 * Open takes all that may be missing, in use or not allowed: files, sockets, memory; it may need
 * rights that serving does not. Confine gives up what only opening needed: first the user who could
 * have it again (run_as.h), then what even the right user has no use for (confine.h). What was only
 * partly opened can be closed, too.
 */
#include "server/server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/accounts.h"
#include "server/change.h"
#include "server/confine.h"
#include "server/effects.h"
#include "server/fronts.h"
#include "server/helper_groups.h"
#include "server/run_as.h"
#include "state/admission.h"

#define FAILURES_KEPT 10000 /* for WHY */

static void say_unreadable(const char *why)
{
	log_message(LOG_WARN, "%s; what was known of it stays, and it is tried again", why);
}

static int make_shared_state(struct server *s, const struct config *c, char *error)
{
	struct services *v = &s->services;
	struct resolver_options resolver = effects_resolver_options(&c->settings);

	resolver.say = say_unreadable;
	stats_init(&v->stats);
	pipe_pool_init(&v->pipes, &v->budget);
	v->resolver = resolver_new(&resolver, &v->budget);
	v->registry = registry_new(v->budget.sessions);
	v->throughput = throughput_new(v->stats.started);
	v->bans = bans_new(v->own, v->standing);
	v->failures = events_new(FAILURES_KEPT);
	turnaways_init(&v->turnaways);
	v->client_names = client_names_new(say_unreadable);
	if (v->resolver == NULL || v->registry == NULL || v->throughput == NULL ||
		v->bans == NULL || v->failures == NULL || v->client_names == NULL ||
		watching_init(&v->watching) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	return 0;
}

static int make_access_log(struct server *s, const struct settings *settings, char *error)
{
	struct access_log *log = access_log_new((size_t)settings->access_log_entries);

	s->services.access_log = log;
	if (log == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "access_log_entries: out of memory");
		return -1;
	}
	if (effects_open_access_log(log, settings, error) < 0)
		return -1;
	/* What came before is a convenience, and no reason not to start. */
	if (settings->access_log_file[0] != '\0' &&
		access_log_fill(log, settings->access_log_file) < 0)
		log_message(LOG_WARN, "%s cannot be read, so ACCESS_LOG begins anew: %s",
			settings->access_log_file, strerror(errno));
	return 0;
}

/* Also what is known of this host's addresses, which accounts of clients go by. */
static int make_accounts(struct server *s, const struct settings *settings, char *error)
{
	struct services *v = &s->services;

	if (accounts_make(v, settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
		return -1;
	}
	addresses_init(&s->addresses, v->own);
	return 0;
}

static int load_users(
	struct server *s, const struct options *o, const struct settings *settings, char *error)
{
	if (accounts_load(&s->services, o, error) < 0)
		return -1;
	effects_note_users_file(settings);
	effects_warn_of_repeated(o->users, o->user_count);
	return 0;
}

/* To the process, in which only the main thread takes signals: one that is sent to a thread would
 * come before all those that are sent to the process, whatever their numbers. */
static void call_main(void *context)
{
	(void)context;
	kill(getpid(), SERVER_ERRAND_SIGNAL);
}

/* What stands from before, for whoever is opened next. `*is_taken`: another server has the folder.
 */
static int open_state(
	struct server *s, const struct settings *settings, bool *is_taken, char *error)
{
	struct services *v = &s->services;

	v->standing = standing_new();
	if (v->standing == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	if (settings->state_dir[0] == '\0')
		return 0;
	s->keeper = keeper_open(settings->state_dir, v, error);
	*is_taken = s->keeper == NULL && errno == EBUSY;
	s->site.keeper = s->keeper;
	return s->keeper == NULL ? -1 : 0;
}

static int make_helpers(struct server *s, char *error)
{
	s->errands = errands_new(call_main, NULL);
	s->hasher = hasher_new();
	s->lookups = hasher_new();
	s->asker = hasher_new();
	s->janitor = janitor_new();
	if (s->errands != NULL && s->hasher != NULL && s->lookups != NULL && s->asker != NULL &&
		s->janitor != NULL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

/* Who connects waits in the backlog until there are workers. The store takes the configuration
 * over. */
static int open_fronts(struct server *s, struct config *c, char *error)
{
	struct services *v = &s->services;

	if (fronts_open(&s->site.fronts, &v->budget, fronts_descriptors(&c->settings), s->handover,
		    c, error) < 0)
		return -1;
	v->config = config_store_new(c);
	if (v->config != NULL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

/* Accounts are told by a job of the janitor's, and the copy on disk is the keeper's. */
static void note_elsewhere(void *context)
{
	struct server *s = context;

	janitor_call(s->janitor, &s->limiting.job);
	keeper_call(s->keeper);
}

static void note_arrivals(void *context);

/* What comes behind the flag sends it anew. */
static void take_arrivals(struct errand *e)
{
	struct arrivals *a = (struct arrivals *)e;

	atomic_store(&a->is_sent, false);
	if (server_take_users(a->server))
		note_arrivals(a->server);
}

/* Users change in the main thread. */
static void note_arrivals(void *context)
{
	struct server *s = context;

	if (atomic_exchange(&s->arrivals.is_sent, true))
		return;
	s->arrivals.server = s;
	errand_begin(&s->arrivals.errand);
	errand_add_step(&s->arrivals.errand, s->errands, take_arrivals);
	errand_send(&s->arrivals.errand);
}

static int make_sharing(struct server *s, const struct settings *settings, char *error)
{
	const struct sharing_bell bell = {
		.ring = note_elsewhere, .ring_users = note_arrivals, .context = s};

	if (!shared_place_is_set(&settings->shared))
		return 0;
	s->sharing = sharing_new(settings, &s->services, &bell, error);
	return s->sharing == NULL ? -1 : 0;
}

static int apply_limits(struct server *s, struct config *c, char *error)
{
	if (limiting_apply(&s->services, c) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

/* `*bad_input`: what failed is what somebody has written; not that another server is there. */
static int open_all(struct server *s, struct config *c, bool *bad_input, char *error)
{
	const struct settings *settings = &c->settings;
	bool is_taken = false;

	effects_set_log(settings);
	fronts_plan_own(c); /* for what must not lead back to us */
	*bad_input = confine_check(settings, error) < 0 ||
		effects_check_files(settings, error) < 0 || accounts_check(settings, error) < 0 ||
		run_as_begin(c, error) < 0 || effects_open_log(settings, error) < 0 ||
		fronts_check_places(settings, error) < 0 ||
		open_state(s, settings, &is_taken, error) < 0 ||
		make_accounts(s, settings, error) < 0 ||
		effects_compile_upstreams(c, NULL, s->services.own, error) < 0 ||
		effects_compile_rules(c, NULL, true, error) < 0 ||
		make_access_log(s, settings, error) < 0 || make_sharing(s, settings, error) < 0 ||
		load_users(s, s->options, settings, error) < 0;
	if (*bad_input) {
		*bad_input = !is_taken;
		return -1;
	}
	admission_decide_auto(c, s->options->user_count > 0);
	helper_groups_follow(&s->services, c);
	effects_warn_of_rules(c, &s->services);
	if (apply_limits(s, c, error) < 0 ||
		capacity_plan(&s->capacity, &s->services.budget, settings,
			fronts_descriptors(settings), error) < 0 ||
		make_shared_state(s, c, error) < 0 || make_helpers(s, error) < 0)
		return -1;
	return open_fronts(s, c, error);
}

struct server *server_open(
	struct options *o, struct handover *handover, bool *bad_input, char error[CONFIG_ERROR_MAX])
{
	struct config *c;
	struct server *s;

	o->source.given = handover->given;
	o->source.given_count = handover->given_count;
	c = config_read(&o->source, error);
	*bad_input = c == NULL;
	if (c == NULL)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		config_release(c);
		return NULL;
	}
	s->options = o;
	s->handover = handover;
	s->site.source = &o->source;
	s->site.services = &s->services;
	change_begin(&s->site, c);
	if (open_all(s, c, bad_input, error) == 0)
		return s;
	run_as_explain(error);
	if (s->services.config == NULL)
		config_release(c); /* else the store has it */
	server_close(s);
	return NULL;
}

void server_close(struct server *s)
{
	if (s == NULL)
		return;
	fronts_close_all(&s->site.fronts);
	supervision_destroy(&s->supervision);
	change_forget(&s->site);
	janitor_free(s->janitor);
	hasher_free(s->hasher);
	hasher_free(s->lookups);
	hasher_free(s->asker);
	keeper_close(s->keeper);
	sharing_free(s->sharing);
	errands_free(s->errands);
	config_store_free(s->services.config);
	watching_free(&s->services.watching);
	events_free(s->services.failures);
	turnaways_destroy(&s->services.turnaways);
	client_names_free(s->services.client_names);
	bans_free(s->services.bans);
	standing_free(s->services.standing);
	throughput_free(s->services.throughput);
	registry_free(s->services.registry);
	resolver_free(s->services.resolver);
	accounts_release(&s->services);
	access_log_free(s->services.access_log);
	log_close();
	free(s);
}

int server_confine(struct server *s, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_get(s->services.config);
	int result;

	/* From here on the file is read for reloads, and the command line's passwords are hashes.
	 */
	s->options->source.is_reload = true;
	options_free_users(s->options);
	result = run_as_end(error) < 0 || confine_enter(&c->settings, error) < 0 ? -1 : 0;
	config_release(c);
	return result;
}
