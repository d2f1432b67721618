/*
 * Each question to a rule is a row of a table. Whether one rule leaves nothing to a later one is
 * decided by their texts, which rule_parse() has brought into one form: for each keyword of the
 * earlier one the later one has it too, and each of its values lies within one of the earlier
 * one's. What that cannot tell (two lines that only together leave nothing) is not told.
 */
#include "state/rule_review.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "state/admission.h"
#include "state/users.h"

#define COMPARED_MOST 1000 /* rules that are held against each other */
#define TEXT_SHOWN 200

/* ---- a rule's text, taken apart ---- */

struct text_piece {
	const char *text;
	size_t len;
};

struct rule_words {
	const struct rule *rule;
	char word[RULE_WORD_MAX];
	struct text_piece lists[RULE_KEYWORDS]; /* the values of each keyword; empty: it has none */
};

static enum rule_keyword keyword_of(const struct text_piece *token)
{
	enum rule_keyword k = 0;

	while (k < RULE_KEYWORDS &&
		(strlen(rule_keyword_word(k)) != token->len ||
			memcmp(rule_keyword_word(k), token->text, token->len) != 0))
		k++;
	return k;
}

static bool next_token(const char **text, struct text_piece *token)
{
	*text += strspn(*text, " ");
	*token = (struct text_piece){.text = *text, .len = strcspn(*text, " ")};
	*text += token->len;
	return token->len > 0;
}

/* A token is a keyword where no value can stand: not behind a keyword or a comma. */
static void take_words_apart(const struct rule_info *info, struct rule_words *out)
{
	enum rule_keyword current = RULE_KEYWORDS, k;
	const char *text = info->rule->text;
	struct text_piece token;
	bool takes_value = false;

	*out = (struct rule_words){.rule = info->rule};
	memcpy(out->word, info->word, sizeof(out->word));
	next_token(&text, &token); /* the verb */
	while (next_token(&text, &token)) {
		k = takes_value ? RULE_KEYWORDS : keyword_of(&token);
		if (k < RULE_KEYWORDS) {
			current = k;
			takes_value = true;
			continue;
		}
		takes_value = token.text[token.len - 1] == ',';
		if (current == RULE_KEYWORDS)
			continue;
		if (out->lists[current].len == 0)
			out->lists[current].text = token.text;
		out->lists[current].len =
			(size_t)(token.text + token.len - out->lists[current].text);
	}
}

/* Steps through "a, b c, d" by its commas. */
static bool next_value(struct text_piece *rest, struct text_piece *value)
{
	const char *comma;

	while (rest->len > 0 && (*rest->text == ' ' || *rest->text == ',')) {
		rest->text++;
		rest->len--;
	}
	if (rest->len == 0)
		return false;
	comma = memchr(rest->text, ',', rest->len);
	*value = (struct text_piece){.text = rest->text,
		.len = comma == NULL ? rest->len : (size_t)(comma - rest->text)};
	rest->text += value->len;
	rest->len -= value->len;
	return true;
}

/* ---- is a value within another? ---- */

static bool same_piece(const struct text_piece *a, const struct text_piece *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

static bool ends_with(const struct text_piece *a, const char *end, size_t len)
{
	return a->len >= len && memcmp(a->text + a->len - len, end, len) == 0;
}

/* ".example.org" has example.org and all below. */
static bool is_below(const struct text_piece *inner, const struct text_piece *outer)
{
	if (outer->text[0] != '.')
		return false;
	return ends_with(inner, outer->text, outer->len) ||
		(inner->len == outer->len - 1 &&
			memcmp(inner->text, outer->text + 1, inner->len) == 0);
}

static bool is_within_area(const struct text_piece *inner, const struct text_piece *outer)
{
	struct network n, m;

	if (network_parse(inner->text, inner->len, &n) &&
		network_parse(outer->text, outer->len, &m))
		return m.prefix <= n.prefix && network_contains(&m, &n.base);
	return is_below(inner, outer);
}

static bool is_within_users(const struct text_piece *inner, const struct text_piece *outer)
{
	static const char anonymous[] = "anonymous", known[] = "known";

	return outer->len == strlen(known) && strncasecmp(outer->text, known, outer->len) == 0 &&
		!(inner->len == strlen(anonymous) &&
			strncasecmp(inner->text, anonymous, inner->len) == 0);
}

static bool read_ports(const struct text_piece *piece, struct port_range *out)
{
	char text[16];

	if (piece->len >= sizeof(text))
		return false;
	memcpy(text, piece->text, piece->len);
	text[piece->len] = '\0';
	return port_range_parse(text, out);
}

static bool is_within_ports(const struct text_piece *inner, const struct text_piece *outer)
{
	struct port_range n, m;

	return read_ports(inner, &n) && read_ports(outer, &m) && m.first <= n.first &&
		n.last <= m.last;
}

/* NULL: only what is the same is. */
static bool (*const is_within[RULE_KEYWORDS])(
	const struct text_piece *inner, const struct text_piece *outer) = {
	[RULE_FROM] = is_within_area,
	[RULE_USER] = is_within_users,
	[RULE_TO] = is_within_area,
	[RULE_PORT] = is_within_ports,
};

static bool is_value_within(
	enum rule_keyword k, const struct text_piece *value, struct text_piece outer)
{
	struct text_piece other;

	while (next_value(&outer, &other)) {
		if (same_piece(value, &other) ||
			(is_within[k] != NULL && is_within[k](value, &other)))
			return true;
	}
	return false;
}

static bool is_list_within(
	enum rule_keyword k, struct text_piece inner, const struct text_piece *outer)
{
	struct text_piece value;

	while (next_value(&inner, &value)) {
		if (!is_value_within(k, &value, *outer))
			return false;
	}
	return true;
}

/* ---- does a rule leave anything to a later one? ---- */

/* A place that may be protected, which an earlier rule that does not name it passes over. */
static bool may_be_protected(const struct text_piece *value, unsigned protect)
{
	enum rule_place place;
	struct network n;

	if (rule_place_parse(value->text, value->len, ~0U, &place))
		return true;
	return network_parse(value->text, value->len, &n) &&
		(n.prefix < 8 || (rule_places_of(&n.base) & protect) != 0);
}

static bool names_protected(struct text_piece list, unsigned protect)
{
	struct text_piece value;

	while (next_value(&list, &value)) {
		if (may_be_protected(&value, protect))
			return true;
	}
	return false;
}

static bool leaves_nothing(
	const struct rule_words *earlier, const struct rule_words *later, unsigned protect)
{
	if ((earlier->rule->keywords & ~later->rule->keywords) != 0)
		return false;
	if (earlier->rule->action != RULE_DENY && names_protected(later->lists[RULE_TO], protect) &&
		!same_piece(&earlier->lists[RULE_TO], &later->lists[RULE_TO]))
		return false;
	for (enum rule_keyword k = 0; k < RULE_KEYWORDS; k++) {
		if ((earlier->rule->keywords & (1U << k)) != 0 &&
			!is_list_within(k, later->lists[k], &earlier->lists[k]))
			return false;
	}
	return true;
}

/* ---- does a rule open what is protected? ---- */

static bool is_loopback(const struct text_piece *value)
{
	enum rule_place place;
	struct network n;

	if (rule_place_parse(value->text, value->len, ~0U, &place))
		return place == PLACE_LOOPBACK;
	return network_parse(value->text, value->len, &n) &&
		n.prefix >= (n.base.sa.sa_family == AF_INET ? 8 : 128) &&
		(rule_places_of(&n.base) & PLACE_BIT(PLACE_LOOPBACK)) != 0;
}

/* Are its clients on loopback, all of them? To these loopback is not closed. */
static bool is_from_loopback(const struct rule_words *rule)
{
	struct text_piece list = rule->lists[RULE_FROM], value;

	if (list.len == 0)
		return false;
	while (next_value(&list, &value)) {
		if (!is_loopback(&value))
			return false;
	}
	return true;
}

#define WIDEST_PROTECTED 4 /* bits of its prefix: 224/4 */

static bool is_protected(const struct text_piece *value, unsigned protect)
{
	enum rule_place place;
	struct network n;

	if (rule_place_parse(value->text, value->len, ~0U, &place))
		return (protect & PLACE_BIT(place)) != 0;
	return network_parse(value->text, value->len, &n) && n.prefix >= WIDEST_PROTECTED &&
		(rule_places_of(&n.base) & protect) != 0;
}

/* May it? What is in its files is not looked at. */
static bool opens_protected(const struct rule_words *rule, unsigned protect)
{
	struct text_piece list = rule->lists[RULE_TO], value;

	if (list.len == 0)
		return false;
	if (rule->rule->to.file_count > 0 || (protect & PLACE_BIT(PLACE_REBINDING)) != 0)
		return true;
	if (is_from_loopback(rule))
		protect &= ~PLACE_BIT(PLACE_LOOPBACK);
	while (next_value(&list, &value)) {
		if (is_protected(&value, protect))
			return true;
	}
	return false;
}

/* ---- saying ---- */

struct review {
	const struct config *config;
	const struct group_source *users;
	size_t count;
	struct rule_words *rules;
	size_t like_otherwise; /* from that one on they say what otherwise would */
	const struct rule *names_alone; /* rule_review_names_alone(); NULL: none */
	void (*say)(void *context, const char *warning);
	void *context;
};

static void warn_of_rule(const struct review *r, const struct rule_words *rule, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static void warn_of_rule(
	const struct review *r, const struct rule_words *rule, const char *format, ...)
{
	char place[SETTING_PLACE_MAX], what[512], text[1536];
	va_list ap;

	setting_place_put(&rule->rule->place, place, sizeof(place));
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%srule %s: \"%.*s\": %s", place, rule->word, TEXT_SHOWN,
		rule->rule->text, what);
	r->say(r->context, text);
}

/* ---- what is asked of each rule ---- */

static bool has_keyword(const struct rule *rule, enum rule_keyword k)
{
	return (rule->keywords & (1U << k)) != 0;
}

static void look_for_group(const struct review *r, const struct rule_words *words, const char *name)
{
	if (client_groups_find(&r->config->settings.client_groups, name, strlen(name)) != NULL)
		warn_of_rule(r, words, "@%s is a group of clients: from @%s is how that is written",
			name, name);
	else if (!r->users->has_group(r->users->context, name))
		warn_of_rule(r, words, "no user is in a group %s", name);
}

static void look_for_users(const struct review *r, size_t index)
{
	const struct rule_words *words = &r->rules[index];
	char name[USERS_NAME_MAX + 1], groups[GROUP_SOURCE_TEXT_MAX];

	for (size_t i = 0; i < words->rule->user_count; i++) {
		const struct rule_user *u = &words->rule->users[i];

		snprintf(name, sizeof(name), "%.*s", (int)u->len, u->name);
		if (u->is_group)
			look_for_group(r, words, name);
		else if (!r->users->find(r->users->context, name, groups))
			warn_of_rule(r, words, "there is no user %s", name);
	}
}

static void look_at_logins(const struct review *r, size_t index)
{
	const struct rule_words *words = &r->rules[index];
	bool wants_login = words->rule->is_known || words->rule->user_count > 0;

	if (!has_keyword(words->rule, RULE_USER))
		return;
	if (!words->rule->is_anonymous && !admission_login_checked(r->config))
		warn_of_rule(r, words, "it never matches: with auth = none nobody logs in");
	else if (!wants_login && admission_login_required(r->config))
		warn_of_rule(r, words, "it never matches: everybody has to log in");
}

static bool list_is_empty(const struct rule_list *list)
{
	return list == NULL || rule_list_names(list) + rule_list_networks(list) == 0;
}

/* A file that cannot be read is none that is empty. */
static bool area_is_empty(const struct rule_area *area)
{
	if (area->places != 0 || !list_is_empty(area->values))
		return false;
	for (size_t i = 0; i < area->file_count; i++) {
		if (area->files[i].list == NULL || !list_is_empty(area->files[i].list))
			return false;
	}
	return true;
}

static void look_for_empty_lists(const struct review *r, size_t index)
{
	const struct rule_words *words = &r->rules[index];

	if ((has_keyword(words->rule, RULE_FROM) && area_is_empty(&words->rule->from)) ||
		(has_keyword(words->rule, RULE_TO) && area_is_empty(&words->rule->to)))
		warn_of_rule(r, words, "it never matches: what it names is empty");
}

static void look_at_earlier(const struct review *r, size_t index)
{
	const struct rule_words *words = &r->rules[index], *earlier;

	if (r->count > COMPARED_MOST)
		return;
	for (size_t i = 0; i < index; i++) {
		earlier = &r->rules[i];
		if (!leaves_nothing(earlier, words, (unsigned)r->config->settings.protect))
			continue;
		warn_of_rule(r, words, "it has no effect: rule %s (\"%.*s\") decides all of it",
			earlier->word, TEXT_SHOWN, earlier->rule->text);
		return;
	}
}

static enum rule_action otherwise_of(const struct review *r)
{
	return (enum rule_action)r->config->settings.otherwise;
}

/* A rule that denies and has `user` asks clients of HTTP for a login, which otherwise does not. */
static void look_at_otherwise(const struct review *r, size_t index)
{
	const struct rule_words *words = &r->rules[index];
	bool allows = otherwise_of(r) == RULE_ALLOW;

	if (index >= r->like_otherwise &&
		!(allows ? opens_protected(words, (unsigned)r->config->settings.protect)
			 : has_keyword(words->rule, RULE_USER)))
		warn_of_rule(r, words,
			"it has no effect: without it this is %s all the same (otherwise = %s)",
			allows ? "allowed" : "denied", allows ? "allow" : "deny");
}

/* ---- names that are denied, and the addresses behind them not ---- */

static bool denies_names(const struct rule *rule)
{
	return rule->action == RULE_DENY && rule_area_names(&rule->to) > 0;
}

static bool denies_literal(const struct rule *rule)
{
	return rule->action == RULE_DENY && (rule->to.places & PLACE_BIT(PLACE_LITERAL)) != 0;
}

static bool allows_addresses(const struct rule *rule)
{
	return rule->action != RULE_DENY &&
		(!has_keyword(rule, RULE_TO) || rule->to.places != 0 ||
			rule_area_networks(&rule->to) > 0);
}

bool rule_review_names_alone(
	const struct config *c, const struct rules *rules, struct rule_info *out)
{
	bool is_way_past = c->settings.otherwise != RULE_DENY;

	for (size_t i = rules_count(rules); i-- > 0;) {
		struct rule_info info = rules_get(rules, i);

		if (info.rule->number != 0)
			continue;
		if (denies_literal(info.rule))
			return false;
		*out = info;
		if (is_way_past && denies_names(info.rule))
			return true;
		is_way_past |= allows_addresses(info.rule);
	}
	return false;
}

static void look_for_literal(const struct review *r, size_t index)
{
	if (r->rules[index].rule == r->names_alone)
		warn_of_rule(r, &r->rules[index],
			"who sends addresses instead of names gets there all the same, unless a "
			"rule below says deny to literal");
}

static void (*const looks[])(const struct review *r, size_t index) = {look_for_users,
	look_at_logins, look_for_empty_lists, look_at_earlier, look_at_otherwise, look_for_literal};

/* ---- the whole of it ---- */

static void take_rules(struct review *r, const struct rules *rules)
{
	for (size_t i = 0; i < rules_count(rules); i++) {
		struct rule_info info = rules_get(rules, i);

		if (info.rule->number == 0)
			take_words_apart(&info, &r->rules[r->count++]);
	}
}

void rule_review(const struct config *c, const struct group_source *users,
	void (*say)(void *context, const char *warning), void *context)
{
	struct review r = {.config = c, .users = users, .say = say, .context = context};
	struct rule_info alone;

	r.rules = calloc(rules_count(c->rules) + 1, sizeof(*r.rules));
	if (r.rules == NULL)
		return;
	take_rules(&r, c->rules);
	r.like_otherwise = r.count;
	while (r.like_otherwise > 0 &&
		r.rules[r.like_otherwise - 1].rule->action == otherwise_of(&r))
		r.like_otherwise--;
	if (rule_review_names_alone(c, c->rules, &alone))
		r.names_alone = alone.rule;
	for (size_t i = 0; i < r.count; i++) {
		for (size_t k = 0; k < sizeof(looks) / sizeof(looks[0]); k++)
			looks[k](&r, i);
	}
	free(r.rules);
}

bool rule_review_groups(
	const struct config *c, const struct group_source *users, char error[CONFIG_ERROR_MAX])
{
	const struct client_groups *groups = &c->settings.client_groups;

	for (size_t i = 0; i < groups->count; i++) {
		const struct client_group *g = &groups->groups[i];
		size_t len;

		if (!users->has_group(users->context, g->name))
			continue;
		len = setting_place_put(&g->place, error, CONFIG_ERROR_MAX);
		snprintf(error + len, CONFIG_ERROR_MAX - len,
			"client_group: \"@%s\": users are in a group of that name: legal is one "
			"that is not theirs",
			g->name);
		return false;
	}
	return true;
}
