/*
 * Both commands tell of the same events: WHY of those that were kept because a session failed, the
 * newest first; WATCH of all, as they happen. A watcher is a source that lasts (reply.h): it is
 * asked whenever something has happened and what it said before went out, so one who does not read
 * is asked no more, and loses what the ring cannot hold. Filters are looked at when an event is
 * read, so that sessions pay for none of them.
 */
#include "monitor/insight_commands.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/escape.h"
#include "base/parse.h"
#include "monitor/account_name.h"
#include "monitor/listings.h"
#include "state/advice.h"
#include "state/cluster.h"
#include "state/events.h"
#include "state/ledger_limits.h"
#include "state/watching.h"

#define WHY_NEWEST 20 /* that are shown where no number is asked for */

/* ---- a line of an event ---- */

static const char *or_dash(const char *text)
{
	return *text == '\0' ? "-" : text;
}

static const char *event_user(const struct event *e, char out[4 * USERS_NAME_MAX + 1])
{
	return or_dash(escape_word(e->user, e->user_len, out, 4 * USERS_NAME_MAX + 1));
}

static const char *event_time(const struct event *e, char out[32])
{
	time_t seconds = (time_t)e->time;
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	return out;
}

static void add_error(struct reply *r, int error)
{
	const char *name = error == 0 ? "-" : strerrorname_np(error);

	if (name != NULL)
		reply_add(r, " error:%s", name);
	else
		reply_add(r, " error:%d", error);
}

/* What the account of that name uses and runs on other nodes, as far as that was the reason. */
static bool add_elsewhere_of(
	struct reply *r, struct services *v, enum end_reason reason, const char *who)
{
	struct ledger_account account;
	uint32_t running = cluster_sum(v->cluster, who, 0).sessions;
	bool is_known = ledger_find_account(v->ledger, who, (int64_t)time(NULL), &account);
	uint64_t used = is_known ? account.news.sum.used - account.news.use.used : 0;

	if (reason == END_QUOTA_REACHED && used > 0)
		reply_add(r, " used_elsewhere:%llu", (unsigned long long)used);
	else if (reason == END_TOO_MANY_SESSIONS && running > 0)
		reply_add(r, " running_elsewhere:%u", running);
	else
		return false;
	return true;
}

/* The limit was the user's, or that of the client. */
static void add_elsewhere(struct reply *r, struct services *v, const struct event *e)
{
	struct network client = own_client_of(v->own, &e->client);
	char user[USERS_NAME_MAX + 1], text[NETWORK_TEXT_MAX];

	if (v->cluster == NULL)
		return;
	snprintf(user, sizeof(user), "%.*s", (int)e->user_len, e->user);
	if (e->user_len == 0 || !add_elsewhere_of(r, v, e->reason, user))
		(void)add_elsewhere_of(r, v, e->reason, network_format(&client, text));
}

static void add_why(struct reply *r, const struct event *e, struct services *v)
{
	char user[4 * USERS_NAME_MAX + 1], when[32], client[ADDR_TEXT_MAX];
	const char *advice = advice_find(e->reason, e->rule);

	reply_add(r, "time:%s user:%s client:%s command:%s target:%s reason:%s rule:%s",
		event_time(e, when), event_user(e, user), addr_format_host(&e->client, client),
		or_dash(e->command), or_dash(e->target), end_reason_word(e->reason),
		or_dash(e->rule));
	add_error(r, e->error);
	listings_add_name(r, v->client_names, &e->client);
	add_elsewhere(r, v, e);
	reply_add(r, " advice:%s\n", advice == NULL ? "-" : advice);
}

/* ---- WHY ---- */

struct why {
	struct services *services;
	struct config *config; /* whose groups count */
	bool everybody, by_client;
	bool by_group; /* `user` is its name, with the @ */
	struct network client;
	char user[USERS_NAME_MAX + 1];
	uint64_t next; /* behind the event that is looked at next */
	uint64_t left; /* that are still wanted */
	bool found;
	struct event_copy copy;
};

/* Is the client in the group, or the user as things are now? */
static bool is_of_group(const struct why *w, const struct event *e)
{
	const char *group = w->user + 1;
	const struct client_group *clients =
		client_groups_find(&w->config->settings.client_groups, group, strlen(group));

	if (clients != NULL)
		return client_group_contains(clients, &e->client);
	return e->user_len > 0 && users_is_in_group(w->services->users, e->user, group);
}

static bool is_asked_for(const struct why *w, const struct event *e)
{
	if (w->by_client)
		return network_contains_on_link(&w->client, &e->client);
	if (w->by_group)
		return is_of_group(w, e);
	return w->everybody ||
		(strlen(w->user) == e->user_len && memcmp(w->user, e->user, e->user_len) == 0);
}

static void say_none_of_group(const struct why *w, const char *group, struct reply *r)
{
	const struct client_groups *clients = &w->config->settings.client_groups;

	if (client_groups_find(clients, w->user + 1, strlen(w->user + 1)) != NULL ||
		account_group_is_known(w->services, w->user + 1))
		reply_add(r, "OK No session of group %s has failed\n", group);
	else
		reply_error(r, "There is no group %s", group);
}

/* Of a user who is none a spelling mistake is likelier than that all went well. */
static void say_none(const struct why *w, struct reply *r)
{
	char user[4 * USERS_NAME_MAX + 1], client[NETWORK_TEXT_MAX];

	if (w->everybody) {
		reply_add(r, "OK No session has failed\n");
		return;
	}
	if (w->by_client) {
		reply_add(r, "OK No session of client %s has failed\n",
			network_format(&w->client, client));
		return;
	}
	escape_word(w->user, strlen(w->user), user, sizeof(user));
	if (w->by_group)
		say_none_of_group(w, user, r);
	else if (strcmp(w->user, USERS_ANONYMOUS) == 0 ||
		users_have(w->services->users, w->user, strlen(w->user)))
		reply_add(r, "OK No session of user %s has failed\n", user);
	else
		reply_error(r, "There is no user %s, and no failure of one", user);
}

static bool more_why(void *state, struct reply *r)
{
	struct why *w = state;

	while (w->left > 0 && w->next > 0 && r->len < REPLY_CHUNK &&
		events_read(w->services->failures, w->next - 1, &w->copy)) {
		w->next--;
		if (!is_asked_for(w, &w->copy.event))
			continue;
		if (!w->found)
			reply_add(r, "OK The newest failures:\n");
		w->found = true;
		w->left--;
		add_why(r, &w->copy.event, w->services);
	}
	if (r->len >= REPLY_CHUNK)
		return true;
	if (!w->found)
		say_none(w, r);
	return false;
}

/* False when it is nobody; then `r` says so. */
static bool ask_for(struct why *w, const char *who, struct reply *r)
{
	int is_client = account_client_parse(who, &w->client, r);

	w->everybody = strcmp(who, "*") == 0;
	w->by_client = is_client > 0;
	w->by_group = who[0] == '@';
	snprintf(w->user, sizeof(w->user), "%s", account_session_user(who));
	return is_client >= 0;
}

static void end_why(void *state)
{
	struct why *w = state;

	config_release(w->config);
	free(w);
}

void insight_run_why(const struct monitor_request *q, struct reply *r)
{
	int64_t newest = WHY_NEWEST;
	uint64_t begin;
	struct why *w;

	if (q->count > 1 && (!parse_number(q->parameters[1], &newest) || newest == 0)) {
		reply_error(r, "\"%s\": the count is a number from 1 on", q->parameters[1]);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		reply_error(r, "Out of memory");
		return;
	}
	w->services = q->services;
	w->config = config_get(q->services->config);
	w->left = (uint64_t)newest;
	if (!ask_for(w, q->parameters[0], r)) {
		end_why(w);
		return;
	}
	events_range(q->services->failures, &begin, &w->next);
	reply_continue(r, more_why, end_why, w);
}

/* ---- WATCH: what is wanted ---- */

/* What is left out is not looked at. */
struct watch_filter {
	bool has_user, has_client, has_network;
	struct network client;
	struct network network; /* of the target's addresses */
	char user[USERS_NAME_MAX + 1];
	char host[ACCESS_TARGET_MAX]; /* or a domain with its dot in front */
};

static bool take_user(struct watch_filter *f, const char *value)
{
	const char *user = account_session_user(value);

	f->has_user = strcmp(user, USERS_ANONYMOUS) == 0 ||
		users_name_problem(user, strlen(user)) == NULL;
	if (f->has_user)
		strcpy(f->user, user);
	return f->has_user;
}

static bool take_client(struct watch_filter *f, const char *value)
{
	f->has_client = network_parse(value, strlen(value), &f->client);
	return f->has_client;
}

static bool take_host(struct watch_filter *f, const char *value)
{
	size_t len = strlen(value);

	f->has_network = network_parse(value, len, &f->network);
	if (!f->has_network && network_parse_around(value, len, &f->network))
		return false;
	if (len > 1 && value[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(f->host))
		return false;
	memcpy(f->host, value, len);
	f->host[len] = '\0';
	return true;
}

static const struct watch_key {
	const char *key;
	bool (*take)(struct watch_filter *f, const char *value);
	const char *legal;
} watch_keys[] = {
	{"user=", take_user, "the name of a user, or Anonymous"},
	{"client=", take_client, "an address or a network"},
	{"to=", take_host, "a host, a domain with a dot in front, an address or a network"},
};

/* False when it is none of them; then `r` says so. */
static bool take_filter(struct watch_filter *f, const char *parameter, struct reply *r)
{
	for (size_t i = 0; i < sizeof(watch_keys) / sizeof(watch_keys[0]); i++) {
		const struct watch_key *k = &watch_keys[i];
		size_t len = strlen(k->key);

		if (strncmp(parameter, k->key, len) != 0)
			continue;
		if (k->take(f, parameter + len))
			return true;
		reply_error(r, "\"%s\": behind %s comes %s", parameter, k->key, k->legal);
		return false;
	}
	reply_error(r, "\"%s\": what can be asked for is user=, client= and to=", parameter);
	return false;
}

/* Of "host:port" or "[address]:port"; its length. */
static size_t host_of(const char **target)
{
	const char *colon = strrchr(*target, ':');
	size_t len = colon == NULL ? strlen(*target) : (size_t)(colon - *target);

	if (len > 1 && **target == '[' && (*target)[len - 1] == ']') {
		++*target;
		len -= 2;
	}
	return len > 0 && (*target)[len - 1] == '.' ? len - 1 : len;
}

static bool host_fits(const struct watch_filter *f, const char *target)
{
	size_t len = host_of(&target), wanted = strlen(f->host);
	struct addr literal;

	if (f->has_network)
		return addr_parse(target, len, &literal) &&
			network_contains_on_link(&f->network, &literal);
	if (f->host[0] != '.')
		return len == wanted && strncasecmp(target, f->host, len) == 0;
	/* The domain itself, too. */
	if (len + 1 == wanted)
		return strncasecmp(target, f->host + 1, len) == 0;
	return len >= wanted && strncasecmp(target + len - wanted, f->host, wanted) == 0;
}

static bool target_fits(const struct watch_filter *f, const struct event *e)
{
	return f->host[0] == '\0' || host_fits(f, e->target) ||
		(f->has_network && e->address.sa.sa_family != AF_UNSPEC &&
			network_contains_on_link(&f->network, &e->address));
}

static bool is_wanted(const struct watch_filter *f, const struct event *e)
{
	return (!f->has_client || network_contains_on_link(&f->client, &e->client)) &&
		(!f->has_user ||
			(strlen(f->user) == e->user_len &&
				memcmp(f->user, e->user, e->user_len) == 0)) &&
		target_fits(f, e);
}

/* ---- WATCH ---- */

struct watch_state {
	struct watching *watching;
	struct client_names *names;
	struct watch_filter filter;
	uint64_t next;
	struct event_copy copy;
};

static void add_what_was_asked(struct reply *r, const struct event *e)
{
	char user[4 * USERS_NAME_MAX + 1];

	if (*e->command != '\0')
		reply_add(r, " user:%s command:%s target:%s", event_user(e, user), e->command,
			or_dash(e->target));
	else if (e->user_len > 0)
		reply_add(r, " user:%s", event_user(e, user));
}

static void add_outcome(struct reply *r, const struct event *e)
{
	char address[ADDR_TEXT_MAX];

	reply_add(r, " reason:%s rule:%s", end_reason_word(e->reason), or_dash(e->rule));
	add_error(r, e->error);
	if (e->kind == EVENT_END)
		reply_add(r, " address:%s sent:%llu received:%llu ms:%lld",
			addr_format(&e->address, address), (unsigned long long)e->sent,
			(unsigned long long)e->received, (long long)e->total_ms);
}

static void add_event(struct reply *r, const struct event *e, struct client_names *names)
{
	char when[32], client[ADDR_TEXT_MAX];

	reply_add(r, "event:%s time:%s id:%llu client:%s", event_kind_word(e->kind),
		event_time(e, when), (unsigned long long)e->id, addr_format(&e->client, client));
	add_what_was_asked(r, e);
	if (e->reason != END_REASONS)
		add_outcome(r, e);
	listings_add_name(r, names, &e->client);
	reply_add(r, "\n");
}

/* False when there is none yet. */
static bool add_next_event(struct watch_state *w, struct reply *r)
{
	uint64_t lost;

	if (!watching_next(w->watching, &w->next, &w->copy, &lost))
		return false;
	if (lost > 0)
		reply_add(r, "event:lost count:%llu\n", (unsigned long long)lost);
	if (is_wanted(&w->filter, &w->copy.event))
		add_event(r, &w->copy.event, w->names);
	return true;
}

static bool more_events(void *state, struct reply *r)
{
	while (r->len < REPLY_CHUNK && add_next_event(state, r))
		;
	return true;
}

static void end_watch(void *state)
{
	struct watch_state *w = state;

	watching_end(w->watching);
	free(w);
}

/* NULL when a parameter is wrong, or without memory; then `r` says so. To be freed. */
static struct watch_state *make_watch(const struct monitor_request *q, struct reply *r)
{
	struct watch_state *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		reply_error(r, "Out of memory");
		return NULL;
	}
	for (size_t i = 0; i < q->count; i++) {
		if (!take_filter(&w->filter, q->parameters[i], r)) {
			free(w);
			return NULL;
		}
	}
	w->watching = &q->services->watching;
	w->names = q->services->client_names;
	return w;
}

void insight_run_watch(const struct monitor_request *q, struct reply *r)
{
	struct watch_state *w = make_watch(q, r);

	if (w == NULL)
		return;
	watching_begin(w->watching, &w->next);
	reply_add(r, "OK Watching: a line ends it\n");
	reply_last(r, more_events, end_watch, w);
}

bool insight_put_events(
	const struct monitor_request *q, uint64_t *next, size_t most, struct reply *r)
{
	struct watch_state *w = make_watch(q, r);

	if (w == NULL)
		return false;
	w->next = *next;
	for (size_t i = 0; i < most && add_next_event(w, r); i++)
		;
	*next = w->next;
	free(w);
	return true;
}
