/*
 * A server that failed is left alone for a while, so that sessions do not wait for it one after the
 * other; whoever comes first after that finds out for all. Of several that were trying it when it
 * failed each may say so; the first is told that it was the first, and the log has one line.
 *
 * How a server fares outlives the configuration that names it, as long as the next one names it in
 * the same words.
 */
#include "state/upstreams.h"

#include <stdlib.h>
#include <string.h>

#include "base/writing.h"

struct upstream_fate {
	_Atomic(unsigned) references;
	_Atomic(int64_t) rests_until; /* 0: it works, as far as is known */
	_Atomic(int64_t) probed_until; /* before that, by whoever had the last turn to probe */
	_Atomic(int64_t) worked_at;
	_Atomic(int) fault;
	_Atomic(uint64_t) sessions, total, failures;
};

static const char *const fault_words[UPSTREAM_FAULTS] = {
	[UPSTREAM_FAULTLESS] = "-",
	[UPSTREAM_UNREACHABLE] = "unreachable",
	[UPSTREAM_SILENT] = "silent",
	[UPSTREAM_BROKEN_OFF] = "broken_off",
	[UPSTREAM_GARBLED] = "garbled",
	[UPSTREAM_LOGIN_REFUSED] = "login_refused",
	[UPSTREAM_LOOP] = "loop",
};

const char *upstream_fault_word(enum upstream_fault fault)
{
	return fault_words[fault];
}

/* ---- a set's life ---- */

static struct upstream_fate *fate_new(void)
{
	struct upstream_fate *f = calloc(1, sizeof(*f));

	if (f != NULL)
		atomic_init(&f->references, 1);
	return f;
}

static struct upstream_fate *fate_hold(struct upstream_fate *f)
{
	atomic_fetch_add(&f->references, 1);
	return f;
}

static void fate_release(struct upstream_fate *f)
{
	if (f != NULL && atomic_fetch_sub(&f->references, 1) == 1)
		free(f);
}

struct upstreams *upstreams_hold(struct upstreams *u)
{
	if (u != NULL)
		atomic_fetch_add(&u->references, 1);
	return u;
}

static void free_server(struct upstream *u)
{
	char *shown = (char *)(uintptr_t)u->shown;

	free(shown);
	fate_release(u->fate);
}

void upstreams_release(struct upstreams *u)
{
	if (u == NULL || atomic_fetch_sub(&u->references, 1) > 1)
		return;
	for (size_t i = 0; i < u->count; i++)
		free_server(&u->servers[i]);
	free(u->servers);
	if (u->lines != NULL)
		explicit_bzero(u->lines, u->line_count * sizeof(*u->lines));
	free(u->lines);
	free(u);
}

/* Room for so many lines. NULL without memory. */
static struct upstreams *upstreams_new(size_t lines)
{
	struct upstreams *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	atomic_init(&u->references, 1);
	u->lines = calloc(lines + 1, sizeof(*u->lines)); /* no set is without */
	u->servers = calloc(lines * UPSTREAM_URLS_MAX + 1, sizeof(*u->servers));
	if (u->lines != NULL && u->servers != NULL)
		return u;
	upstreams_release(u);
	return NULL;
}

/* ---- compiling ---- */

static char *shown_url(const struct upstream_url *url)
{
	struct writing w;

	if (writing_begin(&w) == NULL)
		return NULL;
	upstream_url_put(url, false, w.out);
	(void)writing_end(&w);
	return w.text;
}

/* How the same server fared so far, or one that is new. */
static struct upstream_fate *fate_of(const struct upstreams *before, const struct upstream *u)
{
	for (size_t i = 0; before != NULL && i < before->count; i++) {
		if (strcmp(before->servers[i].name, u->name) == 0 &&
			strcmp(before->servers[i].shown, u->shown) == 0)
			return fate_hold(before->servers[i].fate);
	}
	return fate_new();
}

static bool add_server(struct upstreams *u, const struct upstreams *before,
	const struct upstream_line *line, struct upstream_url *url, char *why)
{
	struct upstream *server = &u->servers[u->count];

	if (url->password_file[0] != '\0' && !upstream_url_read_password(url, why))
		return false;
	*server = (struct upstream){.name = line->name, .url = url, .shown = shown_url(url)};
	if (server->shown != NULL)
		server->fate = fate_of(before, server);
	u->count++;
	if (server->shown != NULL && server->fate != NULL)
		return true;
	strcpy(why, "out of memory");
	return false;
}

static bool add_servers(
	struct upstreams *u, const struct upstreams *before, const char *text, char *why)
{
	struct upstream_line *line = &u->lines[u->line_count++];

	if (!upstream_line_parse(text, strlen(text), line, why))
		return false;
	for (size_t i = 0; i < line->count; i++) {
		if (!add_server(u, before, line, &line->urls[i], why))
			return false;
	}
	return true;
}

size_t upstreams_put_place(const struct settings *s, const char *name, char *out, size_t size)
{
	const struct text_line *line = upstream_line_find(&s->upstreams, name);
	size_t len = line == NULL ? 0 : setting_place_put(&line->place, out, size);

	return len + (size_t)snprintf(out + len, size - len, "upstream: ");
}

static void put_upstream_error(
	const struct settings *s, const char *text, const char *why, char *error)
{
	char name[UPSTREAM_NAME_MAX + 1];
	size_t len =
		upstreams_put_place(s, upstream_line_name(text, name), error, CONFIG_ERROR_MAX);

	snprintf(error + len, CONFIG_ERROR_MAX - len, "%s", why);
}

struct upstreams *upstreams_compile(
	const struct settings *s, const struct upstreams *before, char error[CONFIG_ERROR_MAX])
{
	struct upstreams *u = upstreams_new(s->upstreams.count);
	char why[SETTING_ERROR_MAX] = "";

	if (u == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "upstream: out of memory");
		return NULL;
	}
	for (size_t i = 0; i < s->upstreams.count; i++) {
		if (add_servers(u, before, s->upstreams.lines[i].text, why))
			continue;
		put_upstream_error(s, s->upstreams.lines[i].text, why, error);
		upstreams_release(u);
		return NULL;
	}
	return u;
}

/* ---- a way ---- */

static void add_servers_of(const struct upstreams *u, const char *name, struct upstream_way *way)
{
	for (size_t i = 0; i < u->count && way->count < UPSTREAM_WAY_MAX; i++) {
		if (strcmp(u->servers[i].name, name) == 0)
			way->servers[way->count++] = &u->servers[i];
	}
}

void upstreams_way(const struct config *c, const struct verdict *v, struct upstream_way *out)
{
	const struct rule *rule = v->is_via ? rules_that_decided(c, v) : NULL;

	out->set = NULL;
	out->count = 0;
	out->goes_straight = false;
	if (rule == NULL || c->upstreams == NULL)
		return;
	out->set = upstreams_hold(c->upstreams);
	out->goes_straight = rule->goes_straight;
	for (size_t i = 0; i < rule->via_count; i++)
		add_servers_of(out->set, rule->via[i], out);
}

void upstream_way_end(struct upstream_way *way)
{
	upstreams_release(way->set);
	way->set = NULL;
	way->count = 0;
}

/* ---- how a server fares ---- */

/* Of several who ask at once one may. */
static bool may_probe(struct upstream_fate *f, int64_t now)
{
	int64_t probed_until = atomic_load(&f->probed_until);

	return now >= probed_until &&
		atomic_compare_exchange_strong(
			&f->probed_until, &probed_until, now + UPSTREAM_REST_MS);
}

enum upstream_turn upstream_take_turn(const struct upstream *u, int64_t now)
{
	int64_t rests_until = atomic_load(&u->fate->rests_until);

	if (rests_until == 0)
		return UPSTREAM_MAY_TRY;
	if (now < rests_until || !may_probe(u->fate, now))
		return UPSTREAM_RESTS;
	return UPSTREAM_MAY_PROBE;
}

bool upstream_rests(const struct upstream *u, int64_t now)
{
	int64_t rests_until = atomic_load(&u->fate->rests_until);

	return rests_until != 0 && (now < rests_until || now < atomic_load(&u->fate->probed_until));
}

bool upstream_worked(const struct upstream *u, int64_t now)
{
	bool had_failed = atomic_exchange(&u->fate->rests_until, 0) != 0;

	atomic_store(&u->fate->probed_until, 0);
	atomic_store(&u->fate->worked_at, now);
	return had_failed;
}

bool upstream_has_worked_since(const struct upstream *u, int64_t since)
{
	return atomic_load(&u->fate->worked_at) >= since;
}

bool upstream_failed(const struct upstream *u, enum upstream_fault fault, int64_t now)
{
	bool worked;

	atomic_store(&u->fate->fault, (int)fault);
	atomic_fetch_add(&u->fate->failures, 1);
	worked = atomic_exchange(&u->fate->rests_until, now + UPSTREAM_REST_MS) == 0;
	atomic_store(&u->fate->probed_until, 0);
	return worked;
}

void upstream_undecided(const struct upstream *u, enum upstream_turn turn)
{
	if (turn == UPSTREAM_MAY_PROBE)
		atomic_store(&u->fate->probed_until, 0);
}

void upstream_session_begins(const struct upstream *u)
{
	atomic_fetch_add(&u->fate->sessions, 1);
	atomic_fetch_add(&u->fate->total, 1);
}

void upstream_session_ends(const struct upstream *u)
{
	atomic_fetch_sub(&u->fate->sessions, 1);
}

struct upstream_figures upstream_figures(const struct upstream *u, int64_t now)
{
	int64_t rests_until = atomic_load(&u->fate->rests_until);
	struct upstream_figures f = {.state = rests_until == 0 ? "up" : "resting",
		.sessions = atomic_load(&u->fate->sessions),
		.total = atomic_load(&u->fate->total),
		.failures = atomic_load(&u->fate->failures),
		.fault = fault_words[atomic_load(&u->fate->fault)],
		.rest_ms = rests_until > now ? rests_until - now : 0};

	if (rests_until != 0 && now < atomic_load(&u->fate->probed_until))
		f.state = "probing";
	return f;
}
