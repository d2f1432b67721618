/*
 * Each question to a rule that sends requests on is a row of a table, as in rule_review.c.
 */
#include "state/upstream_review.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "state/rules.h"
#include "state/upstreams.h"

#define TEXT_SHOWN 200

struct upstream_reviewing {
	const struct config *config;
	void (*say)(void *context, const char *warning);
	void *context;
};

/* "FILE:3: " of where something was written, and what is said of it. */
static void say_of_place(const struct upstream_reviewing *r, const struct setting_place *place,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say_of_place(const struct upstream_reviewing *r, const struct setting_place *place,
	const char *format, ...)
{
	char text[2048];
	size_t len = setting_place_put(place, text, sizeof(text));
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + len, sizeof(text) - len, format, ap);
	va_end(ap);
	r->say(r->context, text);
}

/* ---- upstreams ---- */

static bool rule_uses(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->via_count; i++) {
		if (strcmp(rule->via[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_used(const struct config *c, const char *name)
{
	for (size_t i = 0; i < rules_count(c->rules); i++) {
		if (rule_uses(rules_get(c->rules, i).rule, name))
			return true;
	}
	return false;
}

static void look_for_unused(const struct upstream_reviewing *r)
{
	const struct text_lines *lines = &r->config->settings.upstreams;
	char name[UPSTREAM_NAME_MAX + 1];

	for (size_t i = 0; i < lines->count; i++) {
		if (!is_used(r->config, upstream_line_name(lines->lines[i].text, name)))
			say_of_place(r, &lines->lines[i].place,
				"upstream: \"%s\": nothing goes through it: no rule says via %s",
				name, name);
	}
}

/* ---- loops ---- */

/* One of its addresses, by index; false when there is none that is known without asking. */
static bool upstream_address(const struct upstream_url *url, size_t index, struct addr *out)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	bool is_localhost = strcasecmp(url->host, "localhost") == 0;
	const char *text = is_localhost ? loopback[index] : url->host;

	if ((index > 0 && !is_localhost) || !addr_parse(text, strlen(text), out))
		return false;
	addr_set_port(out, url->port);
	return true;
}

static bool is_this_proxy(const struct config *c, const struct upstream_url *url, struct own *own)
{
	struct addr addr;

	for (size_t i = 0; i < 2; i++) {
		if (upstream_address(url, i, &addr) && rules_is_listener(c, &addr, own))
			return true;
	}
	return false;
}

bool upstream_review_finds_loop(
	const struct config *c, struct own *own, char error[CONFIG_ERROR_MAX])
{
	for (size_t i = 0; i < c->upstreams->count; i++) {
		const struct upstream *u = &c->upstreams->servers[i];
		size_t len;

		if (!is_this_proxy(c, u->url, own))
			continue;
		len = upstreams_put_place(&c->settings, u->name, error, CONFIG_ERROR_MAX);
		snprintf(error + len, CONFIG_ERROR_MAX - len,
			"\"%s %s\": that is this very proxy: legal is another one", u->name,
			u->shown);
		return true;
	}
	return false;
}

/* ---- rules ---- */

/* Are there names that it matches? */
static bool takes_names(const struct rule *rule)
{
	return (rule->keywords & (1U << RULE_TO)) == 0 || rule_area_names(&rule->to) > 0;
}

static bool denies_addresses(const struct rule *rule)
{
	return rule->action == RULE_DENY && (rule->keywords & (1U << RULE_TO)) != 0 &&
		rule_has_addresses(rule);
}

static void look_for_passed_by(const struct upstream_reviewing *r, size_t index)
{
	struct rule_info info = rules_get(r->config->rules, index), above;

	if (info.rule->resolves_here || !takes_names(info.rule))
		return;
	for (size_t i = 0; i < index; i++) {
		above = rules_get(r->config->rules, i);
		if (!denies_addresses(above.rule))
			continue;
		say_of_place(r, &info.rule->place,
			"rule %s: \"%.*s\": it sends names on, whatever addresses they have, and "
			"so passes rule %s (\"%.*s\") by; with resolve=here they are looked up "
			"here",
			info.word, TEXT_SHOWN, info.rule->text, above.word, TEXT_SHOWN,
			above.rule->text);
		return;
	}
}

static bool has_socks5(const struct upstreams *u, const struct rule *rule)
{
	for (size_t i = 0; i < u->count; i++) {
		if (u->servers[i].url->kind == UPSTREAM_SOCKS5 &&
			rule_uses(rule, u->servers[i].name))
			return true;
	}
	return false;
}

static void look_for_commands(const struct upstream_reviewing *r, size_t index)
{
	static const unsigned streams = 1U << REQUEST_CONNECT;
	struct rule_info info = rules_get(r->config->rules, index);

	if ((info.rule->commands & ~streams) != 0 && !info.rule->goes_straight &&
		!has_socks5(r->config->upstreams, info.rule))
		say_of_place(r, &info.rule->place,
			"rule %s: \"%.*s\": only socks5 upstreams can do bind and udp, and it "
			"names none",
			info.word, TEXT_SHOWN, info.rule->text);
}

static void (*const upstream_looks[])(const struct upstream_reviewing *r, size_t index) = {
	look_for_passed_by, look_for_commands};

void upstream_review(
	const struct config *c, void (*say)(void *context, const char *warning), void *context)
{
	struct upstream_reviewing r = {.config = c, .say = say, .context = context};

	if (c->upstreams == NULL)
		return;
	look_for_unused(&r);
	for (size_t i = 0; i < rules_count(c->rules); i++) {
		if (rules_get(c->rules, i).rule->action != RULE_VIA)
			continue;
		for (size_t k = 0; k < sizeof(upstream_looks) / sizeof(upstream_looks[0]); k++)
			upstream_looks[k](&r, i);
	}
}
