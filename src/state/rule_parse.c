/*
 * A rule is read word by word, and what is understood is written down again at the same time in one
 * form: that is the text that is shown and compared, whatever it was written in. Each keyword has a
 * function that takes one of its values.
 *
 * A host without a dot could be meant where a word such as loopback was mistyped; so who means the
 * host writes a dot behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/nearest.h"
#include "base/writing.h"
#include "state/rule.h"
#include "state/upstream_line.h"

#define BLANKS " \t"

#define TO_PLACES                                                                                  \
	(PLACE_BIT(PLACE_LOOPBACK) | PLACE_BIT(PLACE_LINK_LOCAL) | PLACE_BIT(PLACE_METADATA) |     \
		PLACE_BIT(PLACE_MULTICAST) | PLACE_BIT(PLACE_PRIVATE) | PLACE_BIT(PLACE_OWN) |     \
		PLACE_BIT(PLACE_LITERAL))
#define FROM_PLACES (PLACE_BIT(PLACE_LOOPBACK) | PLACE_BIT(PLACE_PRIVATE) | PLACE_BIT(PLACE_LOCAL))

static const char *const keyword_words[RULE_KEYWORDS] = {
	[RULE_FROM] = "from",
	[RULE_USER] = "user",
	[RULE_TO] = "to",
	[RULE_PORT] = "port",
	[RULE_COMMAND] = "command",
	[RULE_TIME] = "time",
};

const char *rule_keyword_word(enum rule_keyword keyword)
{
	return keyword_words[keyword];
}

struct parsing {
	struct rule *rule;
	const struct client_groups *groups;
	struct writing text; /* in its one form */
	char *why;
};

/* ---- what is wrong ---- */

static bool refuse_word(
	struct parsing *p, const char *word, size_t len, const char *legal, const char *hint)
{
	snprintf(p->why, RULE_ERROR_MAX, "\"%.*s\": %s%s", (int)(len < 128 ? len : 128), word,
		legal, hint);
	return false;
}

static bool refuse_without_memory(struct parsing *p)
{
	snprintf(p->why, RULE_ERROR_MAX, "out of memory");
	return false;
}

static struct nearest nearest_place(const char *word, size_t len, unsigned places)
{
	struct nearest nearest = nearest_to(word, len);

	for (enum rule_place place = 0; place < PLACES; place++) {
		if ((places & PLACE_BIT(place)) != 0)
			nearest_try(&nearest, rule_place_word(place));
	}
	return nearest;
}

/* Of a value of `from` or `to`: a network with bits behind its prefix, or a word that is near. */
static bool refuse_place(
	struct parsing *p, const char *word, size_t len, unsigned places, const char *legal)
{
	struct nearest nearest = nearest_place(word, len, places);
	char text[ADDR_TEXT_MAX], hint[ADDR_TEXT_MAX + NEAREST_HINT_MAX];
	struct network around;

	if (network_parse_around(word, len, &around))
		snprintf(hint, sizeof(hint), "; did you mean %s/%u?",
			addr_format_host(&around.base, text), around.prefix);
	else if (len > 2 && memcmp(word, "*.", 2) == 0)
		snprintf(hint, sizeof(hint), "; did you mean %.*s?",
			(int)(len - 1 < 64 ? len - 1 : 64), word + 1);
	else if (memchr(word, ':', len) != NULL)
		snprintf(hint, sizeof(hint), "; ports are values of the keyword port");
	else
		nearest_hint(&nearest, "", hint);
	return refuse_word(p, word, len, legal, hint);
}

/* ---- from and to ---- */

static bool add_area_network(struct parsing *p, struct rule_area *area, const struct network *n)
{
	char text[ADDR_TEXT_MAX];

	if (rule_list_add_network(area->values, n) < 0)
		return refuse_without_memory(p);
	addr_format_host(&n->base, text);
	if (n->prefix == (n->base.sa.sa_family == AF_INET ? 32 : 128))
		fputs(text, p->text.out);
	else
		fprintf(p->text.out, "%s/%u", text, n->prefix);
	return true;
}

#define FILE_PREFIX "file:"
#define FILE_PREFIX_LEN (sizeof(FILE_PREFIX) - 1)

static bool is_file(const char *word, size_t len)
{
	return len >= FILE_PREFIX_LEN && memcmp(word, FILE_PREFIX, FILE_PREFIX_LEN) == 0;
}

static bool add_file(struct parsing *p, struct rule_area *area, const char *word, size_t len)
{
	struct rule_file *files = reallocarray(area->files, area->file_count + 1, sizeof(*files));

	if (files == NULL)
		return refuse_without_memory(p);
	area->files = files;
	if (len == FILE_PREFIX_LEN)
		return refuse_word(p, word, len, "legal is file:PATH", "");
	files[area->file_count] =
		(struct rule_file){.path = strndup(word + FILE_PREFIX_LEN, len - FILE_PREFIX_LEN)};
	if (files[area->file_count].path == NULL)
		return refuse_without_memory(p);
	area->file_count++;
	fprintf(p->text.out, "%.*s", (int)len, word);
	return true;
}

/* A network or address that stands for one whatever the interface; false when it is none. */
static bool read_rule_network(const char *word, size_t len, struct network *n)
{
	return network_parse(word, len, n) &&
		(n->base.sa.sa_family != AF_INET6 || n->base.in6.sin6_scope_id == 0);
}

/* The words, files and networks that `from` and `to` have in common; `*taken` when it was one. */
static bool take_area_value(struct parsing *p, struct rule_area *area, unsigned places,
	const char *word, size_t len, bool *taken)
{
	enum rule_place place;
	struct network n;

	*taken = true;
	if (rule_place_parse(word, len, places, &place)) {
		area->places |= PLACE_BIT(place);
		fputs(rule_place_word(place), p->text.out);
		return true;
	}
	if (is_file(word, len))
		return add_file(p, area, word, len);
	if (read_rule_network(word, len, &n))
		return add_area_network(p, area, &n);
	*taken = false;
	return true;
}

static bool take_client_group(struct parsing *p, const char *word, size_t len)
{
	struct nearest nearest = nearest_to(word + 1, len - 1);
	const struct client_group *group;
	char hint[NEAREST_HINT_MAX];

	fprintf(p->text.out, "%.*s", (int)len, word);
	if (p->groups == NULL)
		return client_groups_valid_name(word + 1, len - 1) ||
			refuse_word(p, word, len, "legal is the @name of a client_group", "");
	group = client_groups_find(p->groups, word + 1, len - 1);
	for (size_t i = 0; group != NULL && i < group->count; i++) {
		if (rule_list_add_network(p->rule->from.values, &group->networks[i]) < 0)
			return refuse_without_memory(p);
	}
	if (group != NULL)
		return true;
	for (size_t i = 0; i < p->groups->count; i++)
		nearest_try(&nearest, p->groups->groups[i].name);
	return refuse_word(p, word, len, "there is no client_group of that name",
		nearest_hint(&nearest, "@", hint));
}

static bool take_from(struct parsing *p, const char *word, size_t len)
{
	bool taken;

	if (len > 1 && *word == '@')
		return take_client_group(p, word, len);
	if (!take_area_value(p, &p->rule->from, FROM_PLACES, word, len, &taken) || taken)
		return *p->why == '\0';
	return refuse_place(p, word, len, FROM_PLACES,
		"legal are networks, addresses, @client_group, loopback, private, local and "
		"file:PATH");
}

/* "loopbak", perhaps a word; "loopbak." is a host. */
static bool may_be_a_word(const char *word, size_t len)
{
	enum rule_place place;

	return memchr(word, '.', len) == NULL &&
		(nearest_place(word, len, TO_PLACES).word != NULL ||
			rule_place_parse(word, len, TO_PLACES, &place));
}

static bool take_rule_name(struct parsing *p, const char *name, size_t len, bool and_below)
{
	if (rule_list_add_name(p->rule->to.values, name, len, and_below) < 0)
		return refuse_without_memory(p);
	fprintf(p->text.out, "%s%.*s%s", and_below ? "." : "", (int)len, name,
		!and_below && may_be_a_word(name, len) ? "." : "");
	return true;
}

static bool take_to(struct parsing *p, const char *word, size_t len)
{
	static const char legal[] =
		"legal are names, .names with all below, networks, addresses, loopback, "
		"link-local, metadata, multicast, private, own, literal and file:PATH";
	char name[RULE_NAME_MAX];
	enum rule_name_form form;
	size_t name_len;
	bool taken;

	if (!take_area_value(p, &p->rule->to, TO_PLACES, word, len, &taken) || taken)
		return *p->why == '\0';
	form = rule_name_parse(word, len, name, &name_len);
	if (form == RULE_NAME_NOT_ASCII)
		return refuse_word(p, word, len,
			"a name that is not ASCII is to be written in its xn-- form", "");
	if (form == RULE_NAME_WRONG || may_be_a_word(word, len))
		return refuse_place(p, word, len, TO_PLACES, legal);
	return take_rule_name(p, name, name_len, form == RULE_NAME_AND_BELOW);
}

/* ---- the other keywords ---- */

static bool is_the_word(const char *word, size_t len, const char *expected)
{
	return strlen(expected) == len && strncasecmp(word, expected, len) == 0;
}

static bool add_user(struct parsing *p, const char *word, size_t len)
{
	bool is_group = *word == '@';
	struct rule *rule = p->rule;
	struct rule_user *users = reallocarray(rule->users, rule->user_count + 1, sizeof(*users));
	char *name = malloc(len + 1);

	if (users != NULL)
		rule->users = users;
	if (users == NULL || name == NULL) {
		free(name);
		return refuse_without_memory(p);
	}
	users[rule->user_count++] = (struct rule_user){.name = name,
		.len = escape_decode(word + is_group, len - is_group, name),
		.is_group = is_group};
	fprintf(p->text.out, "%.*s", (int)len, word);
	return true;
}

static bool take_user(struct parsing *p, const char *word, size_t len)
{
	bool is_anonymous = is_the_word(word, len, "anonymous");
	bool is_known = is_the_word(word, len, "known");

	if (is_anonymous || is_known) {
		p->rule->is_anonymous |= is_anonymous;
		p->rule->is_known |= is_known;
		fputs(is_anonymous ? "anonymous" : "known", p->text.out);
		return true;
	}
	if ((*word == '@' && !client_groups_valid_name(word + 1, len - 1)) ||
		memchr(word, ':', len) != NULL || memchr(word, '"', len) != NULL)
		return refuse_word(p, word, len,
			"legal are users' names (a backslash as \\x5c), @group, anonymous and known",
			"");
	return add_user(p, word, len);
}

static bool take_port(struct parsing *p, const char *word, size_t len)
{
	struct rule *rule = p->rule;
	struct port_range range = {.first = 0}, *ports;
	char text[16] = "";

	if (len < sizeof(text))
		memcpy(text, word, len);
	if (!port_range_parse(text, &range) || range.first == 0)
		return refuse_word(p, word, len,
			"legal are ports from 1 to 65535 and ranges such as 8000-8100", "");
	ports = reallocarray(rule->ports, rule->port_count + 1, sizeof(*ports));
	if (ports == NULL)
		return refuse_without_memory(p);
	rule->ports = ports;
	ports[rule->port_count++] = range;
	fputs(port_range_format(&range, text), p->text.out);
	return true;
}

static bool take_command(struct parsing *p, const char *word, size_t len)
{
	static const struct {
		const char *word;
		enum request_command command;
	} commands[] = {{"connect", REQUEST_CONNECT}, {"bind", REQUEST_BIND},
		{"udp", REQUEST_UDP_ASSOCIATE}};
	struct nearest nearest = nearest_to(word, len);
	char hint[NEAREST_HINT_MAX];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (is_the_word(word, len, commands[i].word)) {
			p->rule->commands |= 1U << commands[i].command;
			fputs(commands[i].word, p->text.out);
			return true;
		}
		nearest_try(&nearest, commands[i].word);
	}
	return refuse_word(
		p, word, len, "legal are connect, bind and udp", nearest_hint(&nearest, "", hint));
}

static bool take_time(struct parsing *p, const char *word, size_t len)
{
	struct rule *rule = p->rule;
	char text[RULE_TIME_TEXT_MAX];
	struct rule_time t, *times;

	if (!rule_time_parse(word, len, &t))
		return refuse_word(p, word, len,
			"legal are times such as mon-fri 08:00-18:00, sat, 22:00-06:00 (local "
			"time, the end is not part of it)",
			"");
	times = reallocarray(rule->times, rule->time_count + 1, sizeof(*times));
	if (times == NULL)
		return refuse_without_memory(p);
	rule->times = times;
	times[rule->time_count++] = t;
	fputs(rule_time_format(&t, text), p->text.out);
	return true;
}

typedef bool taker(struct parsing *p, const char *word, size_t len);

static taker *const takers[RULE_KEYWORDS] = {
	[RULE_FROM] = take_from,
	[RULE_USER] = take_user,
	[RULE_TO] = take_to,
	[RULE_PORT] = take_port,
	[RULE_COMMAND] = take_command,
	[RULE_TIME] = take_time,
};

/* ---- the line ---- */

/* One word at a time, without copies. */
struct words {
	const char *at, *end;
};

static void skip_blanks(struct words *w)
{
	while (w->at < w->end && memchr(BLANKS, *w->at, sizeof(BLANKS) - 1) != NULL)
		w->at++;
}

static size_t length_of_word(const struct words *w, const char *at)
{
	size_t len = 0;

	while (at + len < w->end && memchr(BLANKS ",", at[len], sizeof(BLANKS ",") - 1) == NULL)
		len++;
	return len;
}

/* Hours behind days belong to the same value: "mon-fri 08:00-18:00". */
static size_t length_of_value(const struct words *w, taker *take)
{
	size_t len = length_of_word(w, w->at);
	struct words rest = {.at = w->at + len, .end = w->end};

	if (take != take_time)
		return len;
	skip_blanks(&rest);
	if (rest.at > w->at + len && rest.at < rest.end && *rest.at >= '0' && *rest.at <= '9')
		len = (size_t)(rest.at - w->at) + length_of_word(&rest, rest.at);
	return len;
}

/* The values behind a keyword or verb, up to a blank that no comma is beside. */
static bool parse_list(struct parsing *p, struct words *w, const char *behind, taker *take)
{
	bool is_first = true;

	for (;; is_first = false) {
		size_t len;

		skip_blanks(w);
		len = length_of_value(w, take);
		if (len == 0)
			return refuse_word(p, behind, strlen(behind),
				is_first ? "its values are missing behind it"
					 : "a value is missing behind a comma",
				"");
		fputs(is_first ? " " : ", ", p->text.out);
		if (!take(p, w->at, len))
			return false;
		w->at += len;
		skip_blanks(w);
		if (w->at == w->end || *w->at != ',')
			return true;
		w->at++;
	}
}

static bool find_keyword(
	struct parsing *p, const char *word, size_t len, enum rule_keyword *keyword)
{
	char hint[NEAREST_HINT_MAX];

	for (enum rule_keyword k = 0; k < RULE_KEYWORDS; k++) {
		if (is_the_word(word, len, keyword_words[k])) {
			*keyword = k;
			return true;
		}
	}
	return refuse_word(p, word, len,
		p->rule->action == RULE_VIA
			? "legal here are from, user, to, port, command and time, and values are "
			  "separated by commas; resolve=here stands behind the names of upstreams"
			: "legal here are from, user, to, port, command and time, and values are "
			  "separated by commas",
		nearest_among(word, len, keyword_words, RULE_KEYWORDS, hint));
}

static bool parse_keyword(struct parsing *p, struct words *w)
{
	size_t len = length_of_word(w, w->at);
	enum rule_keyword keyword = RULE_FROM;

	if (!find_keyword(p, w->at, len, &keyword))
		return false;
	if ((p->rule->keywords & (1U << keyword)) != 0)
		return refuse_word(p, w->at, len,
			"each keyword stands once in a rule, its values separated by commas", "");
	p->rule->keywords |= 1U << keyword;
	fprintf(p->text.out, " %s", keyword_words[keyword]);
	w->at += len;
	return parse_list(p, w, keyword_words[keyword], takers[keyword]);
}

/* ---- the verb ---- */

static const char *const verbs[] = {
	[RULE_DENY] = "deny", [RULE_ALLOW] = "allow", [RULE_VIA] = "via"};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static bool add_upstream_name(struct parsing *p, const char *word, size_t len)
{
	struct rule *rule = p->rule;
	char **via = reallocarray(rule->via, rule->via_count + 1, sizeof(*via));

	if (via != NULL)
		rule->via = via;
	if (via == NULL || (via[rule->via_count] = strndup(word, len)) == NULL)
		return refuse_without_memory(p);
	rule->via_count++;
	fprintf(p->text.out, "%.*s", (int)len, word);
	return true;
}

static bool take_upstream_name(struct parsing *p, const char *word, size_t len)
{
	if (p->rule->goes_straight)
		return refuse_word(
			p, word, len, "direct is the last of the names, since it always works", "");
	if (is_the_word(word, len, UPSTREAM_DIRECT)) {
		p->rule->goes_straight = true;
		fputs(UPSTREAM_DIRECT, p->text.out);
		return true;
	}
	if (!upstream_name_is_legal(word, len))
		return refuse_word(p, word, len, "legal are names of upstreams, and direct", "");
	if (p->rule->via_count == RULE_VIA_MAX)
		return refuse_word(p, word, len, "a rule names 8 upstreams at most", "");
	return add_upstream_name(p, word, len);
}

/* "resolve=here", behind the names of upstreams. */
static void parse_resolve(struct parsing *p, struct words *w)
{
	static const char resolve[] = "resolve=here";
	size_t len;

	skip_blanks(w);
	len = length_of_word(w, w->at);
	if (!is_the_word(w->at, len, resolve))
		return;
	p->rule->resolves_here = true;
	fprintf(p->text.out, " %s", resolve);
	w->at += len;
}

static bool parse_upstreams(struct parsing *p, struct words *w)
{
	if (!parse_list(p, w, verbs[RULE_VIA], take_upstream_name))
		return false;
	if (p->rule->via_count == 0)
		return refuse_word(p, UPSTREAM_DIRECT, strlen(UPSTREAM_DIRECT),
			"it stands behind the names of upstreams; alone it is allow", "");
	parse_resolve(p, w);
	return true;
}

static bool parse_action(struct parsing *p, struct words *w)
{
	char hint[NEAREST_HINT_MAX];
	enum rule_action action = 0;
	size_t len;

	skip_blanks(w);
	len = length_of_word(w, w->at);
	while (action < VERBS && !is_the_word(w->at, len, verbs[action]))
		action++;
	if (action == VERBS)
		return refuse_word(p, w->at, len,
			"a rule is allow, deny or via NAME, and then from, user, to, port, command "
			"and time, each with its values",
			nearest_among(w->at, len, verbs, VERBS, hint));
	p->rule->action = action;
	fputs(verbs[action], p->text.out);
	w->at += len;
	return action != RULE_VIA || parse_upstreams(p, w);
}

static bool parse_words(struct parsing *p, struct words *w)
{
	if (!parse_action(p, w))
		return false;
	for (skip_blanks(w); w->at < w->end; skip_blanks(w)) {
		if (!parse_keyword(p, w))
			return false;
	}
	return (rule_list_seal(p->rule->from.values) == 0 &&
		       rule_list_seal(p->rule->to.values) == 0) ||
		refuse_without_memory(p);
}

static struct rule *rule_new(void)
{
	struct rule *rule = calloc(1, sizeof(*rule));

	if (rule == NULL)
		return NULL;
	atomic_init(&rule->references, 1);
	rule->from.values = rule_list_new();
	rule->to.values = rule_list_new();
	if (rule->from.values != NULL && rule->to.values != NULL)
		return rule;
	rule_release(rule);
	return NULL;
}

struct rule *rule_parse(
	const char *text, size_t len, const struct client_groups *groups, char why[RULE_ERROR_MAX])
{
	struct parsing p = {.rule = rule_new(), .groups = groups, .why = why};
	struct words words = {.at = text, .end = text + len};
	bool is_right;

	*why = '\0';
	is_right = p.rule != NULL && writing_begin(&p.text) != NULL ? parse_words(&p, &words)
								    : refuse_without_memory(&p);
	if (!writing_end(&p.text) && is_right)
		is_right = refuse_without_memory(&p);
	if (p.rule != NULL)
		p.rule->text = p.text.text;
	if (is_right)
		return p.rule;
	rule_release(p.rule);
	return NULL;
}
