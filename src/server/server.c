/*
 * Starting has three verbs. Open takes all that may be missing, in use or not allowed: files,
 * sockets, memory; it may need rights that serving does not. Confine gives up what only opening
 * needed. Start makes the threads, those that run beside the workers first: the workers take what
 * the limits on threads and memory leave.
 *
 * Everything stops in the reverse order. What was only partly started can be stopped, too.
 */
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/pool.h"
#include "server/addresses.h"
#include "server/ban_sweep.h"
#include "server/capacity.h"
#include "server/change.h"
#include "server/check.h"
#include "server/doctor.h"
#include "server/effects.h"
#include "server/explain.h"
#include "server/fronts.h"
#include "server/hasher.h"
#include "server/idle.h"
#include "server/janitor.h"
#include "server/keeper.h"
#include "server/limiting.h"
#include "server/naming.h"
#include "server/recheck.h"
#include "server/sampling.h"
#include "server/temporary.h"
#include "server/shares.h"
#include "state/admission.h"
#include "state/ledger_limits.h"
#include "state/operators.h"
#include "state/users_file.h"

#define FAILURES_KEPT 10000 /* for WHY */
#define USERS_TRIES 50 /* to save those of the command line */

struct server {
	struct services services;
	struct capacity capacity;
	bool stopping;
	struct options *options;
	struct site site; /* for changes while serving */
	struct errands *errands; /* for the main thread */
	struct hasher *hasher;
	struct hasher *lookups; /* a thread that may wait for name servers */
	struct pool *pool;
	struct janitor *janitor;
	struct keeper *keeper; /* NULL: nothing is kept */
	struct idle_sweep idle_sweep;
	struct addresses addresses;
	struct sampling sampling;
	struct recheck recheck;
	struct shares shares;
	struct limiting limiting;
	struct naming naming;
	struct ban_sweep ban_sweep;
};

/* ---- what is said at start ---- */

/* A command that works from this host as it stands. */
static void log_try_it(const struct server *s, const struct config *c)
{
	struct addr a = fronts_listeners(&s->site.fronts, FRONT_PROXY)->items[0].bound;
	char text[ADDR_TEXT_MAX];

	if (addr_is_unspecified(&a)) {
		uint16_t port = addr_port(&a);

		addr_parse(a.sa.sa_family == AF_INET ? "127.0.0.1" : "::1",
			a.sa.sa_family == AF_INET ? 9 : 3, &a);
		addr_set_port(&a, port);
	}
	log_message(LOG_INFO, "try it: curl --proxy socks5h://%s%s http://example.org/",
		admission_login_required(c) ? "NAME:PASS@" : "", addr_format(&a, text));
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

/* ---- open ---- */

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
	v->client_names = client_names_new(say_unreadable);
	if (v->resolver == NULL || v->registry == NULL || v->throughput == NULL ||
		v->bans == NULL || v->failures == NULL || v->client_names == NULL ||
		watching_init(&v->watching) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	addresses_init(&s->addresses, v->own);
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

static void release_accounts(struct services *v)
{
	users_free(v->users);
	ledger_free(v->ledger);
	limit_book_free(v->limits);
	holdoff_free(v->holdoff);
	own_free(v->own);
	hashing_free(v->hashing);
}

/* Users who are kept in a file, if one is named, and what they need. -1 with errno. */
static int make_accounts(struct services *v, const struct settings *settings)
{
	const char *path = effects_users_path(settings);
	struct users_backend file;

	v->hashing = hashing_new(capacity_password_checks(settings));
	v->own = own_new();
	if (v->hashing == NULL || v->own == NULL)
		return -1;
	v->holdoff = holdoff_new(v->own);
	v->ledger = ledger_new(LEDGER_IDLE_CLIENTS, v->own);
	v->limits = limit_book_new();
	if (v->holdoff == NULL || v->ledger == NULL || v->limits == NULL)
		return -1;
	ledger_follow(v->ledger, v->limits, v->standing);
	if (path != NULL)
		file = users_file_backend(path);
	v->users = users_new(v->hashing, v->ledger, path == NULL ? NULL : &file);
	return v->users == NULL ? -1 : 0;
}

/* The users of the file and those of the command line. Other servers that start on the same file
 * may write it in between: then it is read again. */
static int load_users(struct services *v, const struct options *o, char *error)
{
	int left = USERS_TRIES;

	do {
		if (users_load(v->users, error) < 0)
			return -1;
		if (operators_put(v->users, v->hashing, o->users, o->user_count, error) == 0)
			return 0;
	} while (users_are_outdated(v->users) && --left > 0);
	return -1;
}

static int make_users(
	struct server *s, const struct options *o, const struct settings *settings, char *error)
{
	struct services *v = &s->services;

	if (make_accounts(v, settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
		return -1;
	}
	if (load_users(v, o, error) < 0)
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

/* What stands from before, for whoever is opened next. */
static int open_state(struct server *s, const struct settings *settings, char *error)
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
	s->site.keeper = s->keeper;
	return s->keeper == NULL ? -1 : 0;
}

static int make_helpers(struct server *s, char *error)
{
	s->errands = errands_new(call_main, NULL);
	s->hasher = hasher_new();
	s->lookups = hasher_new();
	s->janitor = janitor_new();
	if (s->errands != NULL && s->hasher != NULL && s->lookups != NULL && s->janitor != NULL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

/* Who connects waits in the backlog until there are workers. The store takes the configuration
 * over. */
static int open_fronts(struct server *s, struct config *c, char *error)
{
	struct services *v = &s->services;

	if (fronts_open(&s->site.fronts, &v->budget, fronts_descriptors(&c->settings), c, error) <
		0)
		return -1;
	v->config = config_store_new(c);
	if (v->config != NULL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

static int apply_limits(struct server *s, struct config *c, char *error)
{
	if (limiting_apply(&s->services, c) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

/* `*bad_input`: what failed is what somebody has written. */
static int open_all(struct server *s, struct config *c, bool *bad_input, char *error)
{
	const struct settings *settings = &c->settings;

	effects_set_log(settings);
	*bad_input = effects_check_files(settings, error) < 0 ||
		effects_open_log(settings, error) < 0 || fronts_check_places(settings, error) < 0 ||
		open_state(s, settings, error) < 0 ||
		effects_compile_upstreams(c, NULL, s->services.own, error) < 0 ||
		effects_compile_rules(c, NULL, true, error) < 0 ||
		make_access_log(s, settings, error) < 0 ||
		make_users(s, s->options, settings, error) < 0;
	admission_decide_auto(c, s->options->user_count > 0);
	if (!*bad_input)
		effects_warn_of_rules(c, &s->services);
	if (*bad_input || apply_limits(s, c, error) < 0 ||
		capacity_plan(&s->capacity, &s->services.budget, settings,
			fronts_descriptors(settings), error) < 0 ||
		make_shared_state(s, c, error) < 0 || make_helpers(s, error) < 0)
		return -1;
	return open_fronts(s, c, error);
}

struct server *server_open(struct options *o, bool *bad_input, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct server *s;

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
	s->site.source = &o->source;
	s->site.services = &s->services;
	change_begin(&s->site, c);
	if (open_all(s, c, bad_input, error) == 0)
		return s;
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
	change_forget(&s->site);
	janitor_free(s->janitor);
	hasher_free(s->hasher);
	hasher_free(s->lookups);
	keeper_close(s->keeper);
	errands_free(s->errands);
	config_store_free(s->services.config);
	watching_free(&s->services.watching);
	events_free(s->services.failures);
	client_names_free(s->services.client_names);
	bans_free(s->services.bans);
	standing_free(s->services.standing);
	throughput_free(s->services.throughput);
	registry_free(s->services.registry);
	resolver_free(s->services.resolver);
	release_accounts(&s->services);
	access_log_free(s->services.access_log);
	log_close();
	free(s);
}

/* What it takes to look at a configuration that nothing is opened for. -1 with `error`. */
static int prepare_to_look(
	struct services *v, const struct options *o, struct config *c, char *error)
{
	struct addresses addresses;

	admission_decide_auto(c, o->user_count > 0);
	if (make_accounts(v, &c->settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
		return -1;
	}
	addresses_init(&addresses, v->own);
	fronts_plan_own(c);
	return 0;
}

int server_check(const struct options *o, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct services v = {.users = NULL};
	int result;

	if (c == NULL)
		return -1;
	result = prepare_to_look(&v, o, c, error);
	if (result == 0)
		result = check_opening(&v, o, c, error);
	release_accounts(&v);
	config_release(c);
	return result;
}

/* ---- explain ---- */

static int open_resolver(struct services *v, const struct settings *s, char *error)
{
	struct resolver_options options = effects_resolver_options(s);

	fdbudget_plan(&v->budget, fdbudget_raise_limit(), fdbudget_count_open(), 1);
	v->resolver = resolver_new(&options, &v->budget);
	if (v->resolver != NULL && resolver_start(v->resolver) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "names cannot be looked up: %s", strerror(errno));
	return -1;
}

/* Takes over the configuration and what was prepared. */
static int explain_by(struct services *v, const struct options *o, struct config *c, FILE *out,
	enum explain_verdict *verdict, char *error)
{
	struct question q;
	char why[QUESTION_ERROR_MAX] = "";
	int result = -1;

	v->config = config_store_new(c);
	if (v->config == NULL)
		config_release(c);
	if (v->config == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	} else if (!question_parse(o->question, strlen(o->question), &q, why)) {
		snprintf(error, CONFIG_ERROR_MAX, "--explain: %s", why);
	} else if (!o->asks_names || open_resolver(v, &c->settings, error) == 0) {
		*verdict = explain(v, &q, o->asks_names, out);
		result = 0;
	}
	resolver_free(v->resolver);
	config_store_free(v->config);
	release_accounts(v);
	return result;
}

int server_explain(const struct options *o, FILE *out, enum explain_verdict *verdict,
	char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct services v = {.users = NULL};

	if (c == NULL)
		return -1;
	if (prepare_to_look(&v, o, c, error) == 0 && users_load(v.users, error) == 0 &&
		effects_compile_upstreams(c, NULL, v.own, error) == 0 &&
		effects_compile_rules(c, NULL, false, error) == 0 && limiting_apply(&v, c) == 0)
		return explain_by(&v, o, c, out, verdict, error);
	release_accounts(&v);
	config_release(c);
	return -1;
}

/* ---- examine ---- */

/* Only what is bad counts. */
static int examine(
	const struct services *v, const struct options *o, const struct config *c, FILE *out)
{
	struct doctor d = {.config = c,
		.services = v,
		.users = users_count(v->users) + o->user_count,
		.out = out};

	return doctor_look(&d) ? 0 : (int)d.found[DOCTOR_BAD];
}

int server_examine(const struct options *o, FILE *out, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct services v = {.users = NULL};
	int result = -1;

	if (c == NULL)
		return -1;
	log_set_level(LOG_ERROR); /* what else would be said is said here */
	admission_decide_auto(c, o->user_count > 0);
	if (make_accounts(&v, &c->settings) < 0)
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
	else if (users_load(v.users, error) == 0 && own_refresh(v.own) == 0)
		result = examine(&v, o, c, out);
	release_accounts(&v);
	config_release(c);
	return result;
}

/* ---- confine ---- */

int server_confine(struct server *s, char error[CONFIG_ERROR_MAX])
{
	/* From here on the file is read for reloads, and the command line's passwords are hashes.
	 */
	s->options->source.is_reload = true;
	options_free_users(s->options);
	/* Nothing is executed, so nothing that is could give us rights. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "cannot give up new privileges: %s", strerror(errno));
	return -1;
}

/* ---- start ---- */

int server_start(struct server *s, char error[CONFIG_ERROR_MAX])
{
	struct services *v = &s->services;

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
	recheck_init(&s->recheck, v);
	janitor_add(s->janitor, &s->recheck.job);
	if ((s->keeper == NULL || keeper_start(s->keeper) == 0) && hasher_start(s->hasher) == 0 &&
		hasher_start(s->lookups) == 0 && janitor_start(s->janitor) == 0 &&
		resolver_start(v->resolver) == 0)
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
		capacity_log(&s->capacity, &s->services.budget, &c->settings);
		effects_warn_of_open_door(users_count(s->services.users), c);
		effects_warn_of_outgoing(&c->settings);
		effects_warn_of_expectations(c, &s->services);
		effects_warn_of_mixed_hashes(s->services.users);
		result = fronts_begin(&s->site.fronts, error);
	}
	if (result == 0)
		log_start(s, c);
	if (result == 0)
		effects_copy_lists(&s->site, c);
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

struct keeper *server_keeper(struct server *s)
{
	return s->keeper;
}

struct services *server_services(struct server *s)
{
	return &s->services;
}

/* ---- changes ---- */

const struct config *server_base(const struct server *s)
{
	return s->site.base;
}

/* There are no listeners any more to be changed. */
static bool is_stopping(const struct server *s, char *reply)
{
	if (s->stopping)
		snprintf(reply, CHANGE_REPLY_MAX, "the server is stopping");
	return s->stopping;
}

/* Sessions that were let in before the rules changed, and are about to connect, are the job's. */
static void follow_rules(struct server *s, unsigned rule)
{
	recheck_follow(&s->recheck, rule);
	janitor_call(s->janitor, &s->recheck.job);
}

static enum recheck_when recheck_wanted(const struct server *s)
{
	struct config *c = config_get(s->services.config);
	enum recheck_when wanted = (enum recheck_when)c->settings.recheck;

	config_release(c);
	return wanted;
}

int server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	int result = is_stopping(s, reply) ? -1 : change_reload(&s->site, cuts, reply);

	if (result < 0)
		return result;
	limiting_look(&s->limiting);
	janitor_look_again(s->janitor);
	if (cuts || recheck_wanted(s) == RECHECK_ALL)
		follow_rules(s, RECHECK_ANY_RULE);
	return result;
}

int server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	int result = is_stopping(s, reply) ? -1 : change_set(&s->site, setting, value, reply);

	if (result < 0)
		return result;
	limiting_look(&s->limiting);
	janitor_look_again(s->janitor);
	if (recheck_wanted(s) == RECHECK_ALL) {
		recheck_sessions(&s->services, RECHECK_ANY_RULE, true);
		follow_rules(s, RECHECK_ANY_RULE);
	}
	return result;
}

int server_apply_limits(struct server *s)
{
	struct config *c = config_get(s->services.config);
	int result = limiting_apply(&s->services, c);

	config_release(c);
	limiting_look(&s->limiting);
	return result;
}

/* ---- temporary rules ---- */

/* What it denies ends whatever `recheck` says, and with that also what others deny. */
static size_t end_refused(struct server *s, unsigned rule)
{
	unsigned counting = recheck_wanted(s) == RECHECK_NO ? rule : RECHECK_ANY_RULE;
	size_t ended = recheck_sessions(&s->services, counting, true);

	follow_rules(s, counting);
	return ended;
}

int server_add_rule(struct server *s, struct server_rule *rule)
{
	int result =
		temporary_add(&s->services, rule->text, rule->lasts, &rule->number, rule->error);

	if (result == 0)
		rule->ended = end_refused(s, rule->number);
	return result;
}

int server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX])
{
	int dropped = temporary_drop(&s->services, number, error);

	if (dropped > 0 && recheck_wanted(s) != RECHECK_NO)
		(void)end_refused(s, RECHECK_ANY_RULE);
	return dropped;
}

/* ---- stop ---- */

static void stop_accepting(struct server *s)
{
	s->stopping = true;
	pool_stop(s->pool);
	fronts_close(&s->site.fronts, FRONT_PROXY);
}

int64_t server_drain(struct server *s)
{
	struct config *c = config_get(s->services.config);
	int64_t drain_ms = c->settings.drain_timeout;

	config_release(c);
	stop_accepting(s);
	return drain_ms;
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
	registry_stop_all(s->services.registry);
	hashing_wake(s->services.hashing);
	pool_free(s->pool);
	s->pool = NULL;
}

void server_stop(struct server *s)
{
	if (s == NULL)
		return;
	hashing_stop(s->services.hashing);
	janitor_stop(s->janitor);
	hasher_stop(s->hasher);
	hasher_stop(s->lookups);
	limiting_finish(&s->limiting);
	keeper_stop(s->keeper);
}
