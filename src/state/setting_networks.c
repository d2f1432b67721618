/*
 * The types of others' places: networks, and who may connect, which is networks or one of the words
 * for some. Of a network with bits behind its prefix it is asked whether the one around it was
 * meant.
 */
#include "state/setting_networks.h"

#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"

/* ---- networks ---- */

static bool add_network(void *to, const char *word, size_t len)
{
	struct network_list *list = to;

	if (list->count == SETTINGS_MAX_NETWORKS ||
		!network_parse(word, len, &list->networks[list->count]))
		return false;
	list->count++;
	return true;
}

/* Behind what was written before, if anything was. */
static void put_networks(const struct network_list *list, const char *separator, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++, separator = ", ")
		fprintf(out, "%s%s/%u", separator, addr_format_host(&list->networks[i].base, text),
			list->networks[i].prefix);
}

static bool same_networks(const struct network_list *l, const struct network_list *m)
{
	if (l->count != m->count)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		if (l->networks[i].prefix != m->networks[i].prefix ||
			!addr_equal(&l->networks[i].base, &m->networks[i].base))
			return false;
	}
	return true;
}

bool network_list_contains(const struct network_list *list, const struct addr *a)
{
	for (size_t i = 0; i < list->count; i++) {
		if (network_contains(&list->networks[i], a))
			return true;
	}
	return false;
}

static bool read_networks(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	struct network_list list = {0};
	const char *text = in->text, *word;
	size_t len;

	(void)setting;
	(void)why;
	if (in->adds)
		list = *(const struct network_list *)value;
	while (parse_next_word(&text, &word, &len)) {
		if (!add_network(&list, word, len))
			return false;
	}
	*(struct network_list *)value = list;
	return true;
}

static void write_networks(const struct setting *setting, const void *value, FILE *out)
{
	(void)setting;
	put_networks(value, "", out);
}

static bool equal_networks(const void *a, const void *b)
{
	return same_networks(a, b);
}

#define LEGAL_NETWORKS "networks such as 203.0.113.0/24 (no bits set behind the prefix; at most 64)"

static void put_legal_networks(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(LEGAL_NETWORKS ", or nothing", out);
}

/* False when there is nothing to be asked about a word that `list` did not take. */
static bool ask_network(const struct network_list *list, const char *word, size_t len, FILE *out)
{
	char text[ADDR_TEXT_MAX];
	struct network around;

	if (list->count == SETTINGS_MAX_NETWORKS || !network_parse_around(word, len, &around))
		return false;
	fprintf(out, "; did you mean %s/%u?", addr_format_host(&around.base, text), around.prefix);
	return true;
}

/* About the first word that is none. */
static void ask_networks(const struct setting *setting, const char *text, FILE *out)
{
	struct network_list list = {.count = 0};
	const char *word;
	size_t len;

	(void)setting;
	if (setting_find_refused(text, add_network, &list, &word, &len))
		(void)ask_network(&list, word, len, out);
}

const struct setting_type setting_networks = {
	.size = sizeof(struct network_list),
	.is_list = true,
	.parse = read_networks,
	.format = write_networks,
	.equal = equal_networks,
	.legal = put_legal_networks,
	.ask = ask_networks,
};

/* ---- who may connect ---- */

static bool is_word(const char *word, size_t len, const char *expected)
{
	return strlen(expected) == len && memcmp(word, expected, len) == 0;
}

static const char *const client_words[] = {"auto", "any", "private"};

static bool add_client(void *to, const char *word, size_t len)
{
	struct client_rule *rule = to;

	if (is_word(word, len, "auto"))
		rule->automatic = true;
	else if (is_word(word, len, "any"))
		rule->any = true;
	else if (is_word(word, len, "private"))
		rule->private_networks = true;
	else
		return add_network(&rule->networks, word, len);
	return true;
}

/* About the first word that is none. */
static void ask_client(const struct setting *setting, const char *text, FILE *out)
{
	struct client_rule rule = {0};
	char hint[NEAREST_HINT_MAX];
	const char *word;
	size_t len;

	(void)setting;
	if (setting_find_refused(text, add_client, &rule, &word, &len) &&
		!ask_network(&rule.networks, word, len, out))
		fputs(nearest_among(word, len, client_words,
			      sizeof(client_words) / sizeof(client_words[0]), hint),
			out);
}

static bool read_clients(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct client_rule rule = {0};
	const char *text = in->text, *word;
	bool empty = true;
	size_t len;

	(void)setting;
	(void)why;
	if (in->adds)
		rule = *(const struct client_rule *)value;
	for (; parse_next_word(&text, &word, &len); empty = false) {
		if (!add_client(&rule, word, len))
			return false;
	}
	if (empty)
		return false;
	*(struct client_rule *)value = rule;
	return true;
}

static void write_clients(const struct setting *setting, const void *value, FILE *out)
{
	const struct client_rule *rule = value;
	const char *separator = "";
	const struct {
		bool is_set;
		const char *word;
	} words[] = {
		{rule->automatic, "auto"}, {rule->any, "any"}, {rule->private_networks, "private"}};

	(void)setting;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!words[i].is_set)
			continue;
		fprintf(out, "%s%s", separator, words[i].word);
		separator = ", ";
	}
	put_networks(&rule->networks, separator, out);
}

static bool equal_clients(const void *a, const void *b)
{
	const struct client_rule *l = a, *m = b;

	return l->automatic == m->automatic && l->any == m->any &&
		l->private_networks == m->private_networks &&
		same_networks(&l->networks, &m->networks);
}

static void put_legal_clients(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("auto, any, private, " LEGAL_NETWORKS ", or several of these", out);
}

const struct setting_type setting_clients = {
	.size = sizeof(struct client_rule),
	.is_list = true,
	.parse = read_clients,
	.format = write_clients,
	.equal = equal_clients,
	.legal = put_legal_clients,
	.ask = ask_client,
};
