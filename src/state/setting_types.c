/*
 * A setting is used through its type only: nobody but a type knows what its values look like, and
 * nobody but the table which settings there are. So a new type is a struct here, or anywhere, and a
 * new setting a row.
 */
#include "state/setting_types.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* ---- numbers, durations and choices: an int64_t, some of whose values have a word ---- */

static bool value_of_word(const struct setting *setting, const char *text, int64_t *value)
{
	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++) {
		if (strcmp(w->word, text) == 0) {
			*value = w->value;
			return true;
		}
	}
	return false;
}

static bool put_word_of_value(const struct setting *setting, int64_t value, FILE *out)
{
	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++) {
		if (w->value == value) {
			fputs(w->word, out);
			return true;
		}
	}
	return false;
}

static void put_words(const struct setting *setting, FILE *out)
{
	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++)
		fprintf(out, "%s%s", w == setting->words ? "" : ", ", w->word);
}

static bool equal_int(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

/* `parse` reads what is none of the words. */
static bool parse_int(const struct setting *setting, int64_t *value, const char *text,
	bool (*parse)(const char *text, int64_t *out))
{
	int64_t n;

	if (value_of_word(setting, text, value))
		return true;
	if (!parse(text, &n) || n < setting->least || n > setting->most)
		return false;
	*value = n;
	return true;
}

static void put_words_or(const struct setting *setting, FILE *out)
{
	put_words(setting, out);
	if (setting->words != NULL)
		fputs(" or ", out);
}

static void ask_word(const struct setting *setting, const char *text, FILE *out)
{
	struct nearest nearest = nearest_to(text, strlen(text));
	char hint[NEAREST_HINT_MAX];

	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++)
		nearest_try(&nearest, w->word);
	fputs(nearest_hint(&nearest, "", hint), out);
}

static bool read_number(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)why;
	return parse_int(setting, value, in->text, parse_number);
}

static void write_number(const struct setting *setting, const void *value, FILE *out)
{
	int64_t n = *(const int64_t *)value;

	if (!put_word_of_value(setting, n, out))
		fprintf(out, "%lld", (long long)n);
}

static void put_legal_numbers(const struct setting *setting, FILE *out)
{
	put_words_or(setting, out);
	fprintf(out, "a number from %lld to %lld", (long long)setting->least,
		(long long)setting->most);
}

const struct setting_type setting_number = {
	.size = sizeof(int64_t),
	.parse = read_number,
	.format = write_number,
	.equal = equal_int,
	.legal = put_legal_numbers,
	.ask = ask_word,
};

static bool read_duration(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	(void)why;
	return parse_int(setting, value, in->text, parse_duration);
}

static void write_duration(const struct setting *setting, const void *value, FILE *out)
{
	int64_t ms = *(const int64_t *)value;
	char text[32];

	if (!put_word_of_value(setting, ms, out))
		fputs(parse_format_duration(ms, text), out);
}

static void put_legal_durations(const struct setting *setting, FILE *out)
{
	char least[32], most[32];

	put_words_or(setting, out);
	fprintf(out, "a time from %s to %s (500ms, 30s, 5m, 2h, 1d; without a unit: s)",
		parse_format_duration(setting->least, least),
		parse_format_duration(setting->most, most));
}

const struct setting_type setting_duration = {
	.size = sizeof(int64_t),
	.parse = read_duration,
	.format = write_duration,
	.equal = equal_int,
	.legal = put_legal_durations,
	.ask = ask_word,
};

static bool read_choice(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)why;
	return value_of_word(setting, in->text, value);
}

static void write_choice(const struct setting *setting, const void *value, FILE *out)
{
	(void)put_word_of_value(setting, *(const int64_t *)value, out);
}

const struct setting_type setting_choice = {
	.size = sizeof(int64_t),
	.parse = read_choice,
	.format = write_choice,
	.equal = equal_int,
	.legal = put_words,
	.ask = ask_word,
};

/* ---- texts: a string of the value's own ---- */

static const char *text_of(const void *value)
{
	const char *text = *(char *const *)value;

	return text == NULL ? "" : text;
}

static int set_text(void *value, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -1;
	free(*(char **)value);
	*(char **)value = copy;
	return 0;
}

static bool read_text(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	if (setting->valid != NULL && !setting->valid(in->text))
		return false;
	if (set_text(value, in->text) == 0)
		return true;
	strcpy(why, "out of memory");
	return false;
}

static void write_text(const struct setting *setting, const void *value, FILE *out)
{
	(void)setting;
	fputs(text_of(value), out);
}

static bool equal_texts(const void *a, const void *b)
{
	return strcmp(text_of(a), text_of(b)) == 0;
}

static int copy_text(void *to, const void *from)
{
	return set_text(to, text_of(from));
}

static void free_text(void *value)
{
	free(*(char **)value);
}

static void put_legal_texts(const struct setting *setting, FILE *out)
{
	fputs(setting->legal != NULL ? setting->legal : "any text", out);
}

const struct setting_type setting_text = {
	.size = sizeof(char *),
	.parse = read_text,
	.format = write_text,
	.equal = equal_texts,
	.copy = copy_text,
	.free = free_text,
	.legal = put_legal_texts,
};

/* ---- addresses to listen on ---- */

/* A link-local address is one on each link, so it means nothing without its interface. */
static bool lacks_interface(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) &&
		a->in6.sin6_scope_id == 0;
}

/* "[fe80::a%eth0]:80" is wrong by its interface only, or by something else. */
static void blame_interface(const char *word, size_t len, char why[SETTING_ERROR_MAX])
{
	const char *percent = memchr(word, '%', len), *start = *word == '[' ? word + 1 : word;
	struct addr a;
	size_t name;

	if (percent == NULL || !addr_parse(start, (size_t)(percent - start), &a))
		return;
	name = strcspn(percent + 1, "], \t");
	snprintf(why, SETTING_ERROR_MAX, "this host has no network interface %.*s",
		(int)(name < IF_NAMESIZE ? name : IF_NAMESIZE), percent + 1);
}

static bool read_listen_addr(
	const char *word, size_t len, struct addr *out, bool *has_port, char why[SETTING_ERROR_MAX])
{
	if (!addr_parse_port(word, len, out, has_port)) {
		blame_interface(word, len, why);
		return false;
	}
	if (lacks_interface(out))
		snprintf(why, SETTING_ERROR_MAX,
			"a link-local address needs its interface, as in fe80::a%%eth0");
	return !lacks_interface(out);
}

static bool read_addrs(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct listen_list list = {0};
	const char *text = in->text, *word;
	size_t len;

	if (in->adds)
		list = *(const struct listen_list *)value;
	while (parse_next_word(&text, &word, &len)) {
		if (list.count == (size_t)setting->most ||
			!read_listen_addr(word, len, &list.addrs[list.count],
				&list.has_port[list.count], why))
			return false;
		list.count++;
	}
	if (list.count == 0)
		return false;
	*(struct listen_list *)value = list;
	return true;
}

static void write_addrs(const struct setting *setting, const void *value, FILE *out)
{
	const struct listen_list *list = value;
	char text[ADDR_TEXT_MAX];

	(void)setting;
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ", ",
			list->has_port[i] ? addr_format(&list->addrs[i], text)
					  : addr_format_host(&list->addrs[i], text));
}

/* The one at `i`, without a port when none was written. */
static struct addr written_addr(const struct listen_list *list, size_t i)
{
	struct addr a = list->addrs[i];

	if (!list->has_port[i])
		addr_set_port(&a, 0);
	return a;
}

static bool equal_addrs(const void *a, const void *b)
{
	const struct listen_list *l = a, *m = b;

	if (l->count != m->count)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		struct addr one = written_addr(l, i), other = written_addr(m, i);

		if (l->has_port[i] != m->has_port[i] || !addr_equal(&one, &other))
			return false;
	}
	return true;
}

#define LEGAL_ADDRESS "an IPv4 or IPv6 address, with or without a port"

static void put_legal_address(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(LEGAL_ADDRESS, out);
}

const struct setting_type setting_address = {
	.size = sizeof(struct listen_list),
	.parse = read_addrs,
	.format = write_addrs,
	.equal = equal_addrs,
	.legal = put_legal_address,
};

static void put_legal_addresses(const struct setting *setting, FILE *out)
{
	fprintf(out, LEGAL_ADDRESS ", at most %lld", (long long)setting->most);
}

const struct setting_type setting_addresses = {
	.size = sizeof(struct listen_list),
	.is_list = true,
	.parse = read_addrs,
	.format = write_addrs,
	.equal = equal_addrs,
	.legal = put_legal_addresses,
};

/* ---- networks ---- */

static bool add_network(struct network_list *list, const char *word, size_t len)
{
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
	while (parse_next_word(&text, &word, &len)) {
		if (add_network(&list, word, len))
			continue;
		(void)ask_network(&list, word, len, out);
		return;
	}
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

static bool add_client(struct client_rule *rule, const char *word, size_t len)
{
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
	struct nearest nearest;
	const char *word;
	size_t len;

	(void)setting;
	do {
		if (!parse_next_word(&text, &word, &len))
			return;
	} while (add_client(&rule, word, len));
	if (ask_network(&rule.networks, word, len, out))
		return;
	nearest = nearest_to(word, len);
	for (size_t i = 0; i < sizeof(client_words) / sizeof(client_words[0]); i++)
		nearest_try(&nearest, client_words[i]);
	fputs(nearest_hint(&nearest, "", hint), out);
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

/* ---- an address of each family ---- */

/* Words, none too, each an address of a family that there is none of yet. */
static bool read_pair(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct host_pair pair = {.v4 = {.sa = {.sa_family = AF_UNSPEC}}};
	const char *text = in->text, *word;
	size_t len;

	(void)setting;
	(void)why;
	if (in->adds)
		pair = *(const struct host_pair *)value;
	while (parse_next_word(&text, &word, &len)) {
		struct addr a, *place;

		if (!addr_parse(word, len, &a) || addr_is_unspecified(&a))
			return false;
		place = a.sa.sa_family == AF_INET ? &pair.v4 : &pair.v6;
		if (place->sa.sa_family != AF_UNSPEC)
			return false;
		*place = a;
	}
	*(struct host_pair *)value = pair;
	return true;
}

static void write_pair(const struct setting *setting, const void *value, FILE *out)
{
	const struct host_pair *pair = value;
	bool both = pair->v4.sa.sa_family != AF_UNSPEC && pair->v6.sa.sa_family != AF_UNSPEC;
	char text[ADDR_TEXT_MAX];

	(void)setting;
	if (pair->v4.sa.sa_family != AF_UNSPEC)
		fputs(addr_format_host(&pair->v4, text), out);
	fputs(both ? ", " : "", out);
	if (pair->v6.sa.sa_family != AF_UNSPEC)
		fputs(addr_format_host(&pair->v6, text), out);
}

static bool equal_host(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_UNSPEC || b->sa.sa_family == AF_UNSPEC)
		return a->sa.sa_family == b->sa.sa_family;
	return addr_equal(a, b);
}

static bool equal_hosts(const void *a, const void *b)
{
	const struct host_pair *p = a, *q = b;

	return equal_host(&p->v4, &q->v4) && equal_host(&p->v6, &q->v6);
}

static void put_legal_hosts(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("an IPv4 address, an IPv6 address, both, or nothing; without ports", out);
}

const struct setting_type setting_hosts = {
	.size = sizeof(struct host_pair),
	.is_list = true,
	.parse = read_pair,
	.format = write_pair,
	.equal = equal_hosts,
	.legal = put_legal_hosts,
};

/* ---- ranges of ports ---- */

static bool read_ports(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)setting;
	(void)why;
	return port_range_parse(in->text, value);
}

static void write_ports(const struct setting *setting, const void *value, FILE *out)
{
	char text[16];

	(void)setting;
	fputs(port_range_format(value, text), out);
}

static bool equal_ports(const void *a, const void *b)
{
	const struct port_range *r = a, *s = b;

	return r->first == s->first && r->last == s->last;
}

static void put_legal_ports(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("any, a port, or a range of ports such as 40000-40100", out);
}

const struct setting_type setting_ports = {
	.size = sizeof(struct port_range),
	.parse = read_ports,
	.format = write_ports,
	.equal = equal_ports,
	.legal = put_legal_ports,
};

/* ---- what is done with any setting ---- */

static void *value_in(const struct setting *setting, const void *values)
{
	return (char *)(uintptr_t)values + setting->offset;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a != '\0' || *b != '\0'; a++, b++) {
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	}
	return true;
}

const struct setting *setting_find(const struct setting *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (same_name(table[i].name, name))
			return &table[i];
	}
	return NULL;
}

const char *setting_name_hint(
	const struct setting *table, size_t count, const char *name, char out[NEAREST_HINT_MAX])
{
	struct nearest nearest = nearest_to(name, strlen(name));

	for (size_t i = 0; i < count; i++)
		nearest_try(&nearest, table[i].name);
	return nearest_hint(&nearest, "", out);
}

/* Ends a stream of open_memstream(3). -1 when not all of it could be kept. */
static int close_text(FILE *out, char **text)
{
	bool failed = ferror(out) != 0;

	if (fclose(out) == 0 && !failed)
		return 0;
	free(*text);
	*text = NULL;
	return -1;
}

/* What the type asks about a text that it refused. To be freed; NULL without memory. */
static char *text_of_question(const struct setting *setting, const char *refused)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	if (setting->type->ask != NULL)
		setting->type->ask(setting, refused, out);
	return close_text(out, &text) < 0 ? NULL : text;
}

/* What may be shown of a value; NULL without memory. */
static char *masked(const struct setting *setting, const char *value)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (setting->type->mask == NULL)
		return strdup(value);
	out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	setting->type->mask(value, out);
	return close_text(out, &text) < 0 ? NULL : text;
}

bool setting_set(const struct setting *setting, void *values, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	char reason[SETTING_ERROR_MAX] = "", *shown, *legal = NULL, *question = NULL;

	if (setting->type->parse(setting, value_in(setting, values), in, reason))
		return true;
	if (reason[0] == '\0') {
		legal = setting_legal(setting);
		question = text_of_question(setting, in->text);
	}
	shown = masked(setting, in->text);
	snprintf(why, SETTING_ERROR_MAX, "\"%.512s\": %s%s%s", shown != NULL ? shown : "",
		legal != NULL ? "legal is " : reason, legal != NULL ? legal : "",
		question != NULL ? question : "");
	free(shown);
	free(question);
	free(legal);
	return false;
}

char *setting_legal(const struct setting *setting)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	setting->type->legal(setting, out);
	return close_text(out, &text) < 0 ? NULL : text;
}

char *setting_format(const struct setting *setting, const void *values)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	setting->type->format(setting, value_in(setting, values), out);
	return close_text(out, &text) < 0 ? NULL : text;
}

bool setting_equal(const struct setting *setting, const void *a, const void *b)
{
	return setting->type->equal(value_in(setting, a), value_in(setting, b));
}

int setting_copy(const struct setting *setting, void *to, const void *from)
{
	void *value = value_in(setting, to);

	if (setting->type->copy != NULL)
		return setting->type->copy(value, value_in(setting, from));
	memmove(value, value_in(setting, from), setting->type->size);
	return 0;
}

void setting_free(const struct setting *setting, void *values)
{
	void *value = value_in(setting, values);

	if (setting->type->free != NULL)
		setting->type->free(value);
	memset(value, 0, setting->type->size);
}

const char *setting_flag(const struct setting *setting, char out[64])
{
	snprintf(out, 64, "--%s", setting->name);
	for (char *p = out + 2; *p != '\0'; p++) {
		if (*p == '_')
			*p = '-';
	}
	return out;
}
