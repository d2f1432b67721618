/*
 * Both are lists of words that are seldom read, and then one after the other. So they are kept as
 * text, in the form in which they are written, and a word is read again when it is asked for.
 */
#include "state/page_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/writing.h"

/* What a word of a list becomes; false when it is none of those that are legal. */
typedef bool put_word(const char *word, size_t len, FILE *out);

/* ---- lists of words ---- */

static bool list_has(const char *text, const char *word)
{
	const char *other;
	size_t len;

	while (text != NULL && parse_next_word(&text, &other, &len)) {
		if (strlen(word) == len && memcmp(word, other, len) == 0)
			return true;
	}
	return false;
}

/* Puts what is one word already behind the others, unless it is there. */
static bool append_word(struct word_list *list, const char *word)
{
	char *all;

	if (list_has(list->text, word))
		return true;
	if (list->count == PAGE_WORDS_MAX ||
		asprintf(&all, "%s%s%s", list->text != NULL ? list->text : "",
			list->text != NULL ? ", " : "", word) < 0)
		return false;
	free(list->text);
	list->text = all;
	list->count++;
	return true;
}

static bool add_word(struct word_list *list, const char *word, size_t len, put_word *put)
{
	struct writing w;
	bool added = writing_begin(&w) != NULL && put(word, len, w.out);

	added = writing_end(&w) && added && append_word(list, w.text);
	free(w.text);
	return added;
}

static int copy_words(void *to, const void *from)
{
	const struct word_list *old = from;
	struct word_list *list = to;
	struct word_list new = {.text = NULL, .count = old->count};

	if (old->text != NULL && (new.text = strdup(old->text)) == NULL)
		return -1;
	free(list->text);
	*list = new;
	return 0;
}

static void free_words(void *value)
{
	free(((struct word_list *)value)->text);
}

static bool read_words(
	void *value, const struct setting_input *in, const char *nothing, put_word *put)
{
	struct word_list list = {.text = NULL};
	const char *text = in->text, *word;
	size_t len;

	if (in->adds && copy_words(&list, value) < 0)
		return false;
	while (strcmp(in->text, nothing) != 0 && parse_next_word(&text, &word, &len)) {
		if (!add_word(&list, word, len, put)) {
			free_words(&list);
			return false;
		}
	}
	free_words(value);
	*(struct word_list *)value = list;
	return true;
}

static bool equal_words(const void *a, const void *b)
{
	const struct word_list *l = a, *m = b;

	if (l->text == NULL || m->text == NULL)
		return l->text == m->text;
	return strcmp(l->text, m->text) == 0;
}

/* Of a literal address that is one without a port or a scope, which mean nothing to others. */
static bool read_address(const char *word, size_t len, struct addr *out)
{
	return addr_parse(word, len, out) &&
		(out->sa.sa_family != AF_INET6 || out->in6.sin6_scope_id == 0);
}

static bool put_name(const char *word, size_t len, bool and_below, FILE *out)
{
	char name[RULE_NAME_MAX];
	size_t name_len;
	enum rule_name_form form = rule_name_parse(word, len, name, &name_len);

	if (form != RULE_NAME_EXACT && !(form == RULE_NAME_AND_BELOW && and_below))
		return false;
	fprintf(out, "%s%.*s", form == RULE_NAME_AND_BELOW ? "." : "", (int)name_len, name);
	return true;
}

/* ---- pac_direct ---- */

static const char *const direct_words[] = {
	[DIRECT_PRIVATE] = "private", [DIRECT_PLAIN] = "plain", [DIRECT_KINDS] = NULL};

static bool is_kind(const char *word, size_t len, enum direct_kind *kind)
{
	for (*kind = 0; *kind < DIRECT_KINDS; (*kind)++) {
		const char *expected = direct_words[*kind];

		if (expected != NULL && strlen(expected) == len && memcmp(word, expected, len) == 0)
			return true;
	}
	return false;
}

static bool read_network(const char *word, size_t len, struct network *out)
{
	return network_parse(word, len, out) &&
		(out->base.sa.sa_family != AF_INET6 || out->base.in6.sin6_scope_id == 0);
}

/* A word that has a slash, or two colons, or digits and dots only, is no name. */
static bool looks_like_network(const char *word, size_t len)
{
	return memchr(word, '/', len) != NULL || memchr(word, ':', len) != NULL ||
		strspn(word, "0123456789.") >= len;
}

static bool put_direct(const char *word, size_t len, FILE *out)
{
	char text[ADDR_TEXT_MAX];
	enum direct_kind kind;
	struct network network;

	if (is_kind(word, len, &kind))
		fputs(direct_words[kind], out);
	else if (read_network(word, len, &network))
		fprintf(out, "%s/%u", addr_format_host(&network.base, text), network.prefix);
	else
		return !looks_like_network(word, len) && put_name(word, len, true, out);
	return true;
}

static bool read_direct(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)setting;
	(void)why;
	return read_words(value, in, "none", put_direct);
}

static void write_direct(const struct setting *setting, const void *value, FILE *out)
{
	const struct word_list *list = value;

	(void)setting;
	fputs(list->text != NULL ? list->text : "none", out);
}

static void put_legal_direct(const struct setting *setting, FILE *out)
{
	(void)setting;
	fprintf(out,
		"private, plain, names such as www.example.org or .example.org (in ASCII), and "
		"networks such as 203.0.113.0/24 (no bits set behind the prefix; at most %d of all "
		"together), or none",
		PAGE_WORDS_MAX);
}

/* About the first word that is none. */
static void ask_direct(const struct setting *setting, const char *text, FILE *out)
{
	struct word_list list = {.text = NULL};
	char address[ADDR_TEXT_MAX];
	struct network around;
	const char *word;
	size_t len;

	(void)setting;
	while (parse_next_word(&text, &word, &len)) {
		if (add_word(&list, word, len, put_direct))
			continue;
		if (list.count < PAGE_WORDS_MAX && network_parse_around(word, len, &around))
			fprintf(out, "; did you mean %s/%u?",
				addr_format_host(&around.base, address), around.prefix);
		break;
	}
	free_words(&list);
}

const struct setting_type setting_direct = {
	.size = sizeof(struct word_list),
	.is_list = true,
	.parse = read_direct,
	.format = write_direct,
	.equal = equal_words,
	.copy = copy_words,
	.free = free_words,
	.legal = put_legal_direct,
	.ask = ask_direct,
};

bool direct_next(const struct word_list *list, const char **cursor, struct direct_place *out)
{
	const char *word;
	size_t len;

	if (*cursor == NULL)
		*cursor = list->text != NULL ? list->text : "";
	if (!parse_next_word(cursor, &word, &len))
		return false;
	*out = (struct direct_place){.kind = DIRECT_NETWORK};
	if (is_kind(word, len, &out->kind))
		return true;
	if (read_network(word, len, &out->network))
		out->kind = DIRECT_NETWORK;
	else
		out->kind = rule_name_parse(word, len, out->name, &out->name_len) == RULE_NAME_EXACT
			? DIRECT_NAME
			: DIRECT_AND_BELOW;
	return true;
}

/* ---- proxy_name ---- */

static bool put_proxy_name(const char *word, size_t len, FILE *out)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	if (!read_address(word, len, &a))
		return !looks_like_network(word, len) && put_name(word, len, false, out);
	fprintf(out, a.sa.sa_family == AF_INET6 ? "[%s]" : "%s", addr_format_host(&a, text));
	return true;
}

static bool read_proxy_names(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	(void)setting;
	(void)why;
	return read_words(value, in, "", put_proxy_name);
}

static void write_proxy_names(const struct setting *setting, const void *value, FILE *out)
{
	const struct word_list *list = value;

	(void)setting;
	fputs(list->text != NULL ? list->text : "", out);
}

static void put_legal_proxy_names(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("names such as proxy.example.org and addresses, without ports, or nothing", out);
}

const struct setting_type setting_proxy_names = {
	.size = sizeof(struct word_list),
	.is_list = true,
	.parse = read_proxy_names,
	.format = write_proxy_names,
	.equal = equal_words,
	.copy = copy_words,
	.free = free_words,
	.legal = put_legal_proxy_names,
};

bool proxy_names_find(
	const struct word_list *list, const char *host, size_t len, char out[RULE_NAME_MAX + 1])
{
	struct writing w;
	bool found;

	if (list->text == NULL)
		return false;
	found = writing_begin(&w) != NULL && put_proxy_name(host, len, w.out);
	found = writing_end(&w) && found && list_has(list->text, w.text);
	if (found && out != NULL)
		snprintf(out, RULE_NAME_MAX + 1, "%s", w.text);
	free(w.text);
	return found;
}

const char *proxy_names_first(const struct word_list *list, char out[RULE_NAME_MAX + 1])
{
	const char *text = list->text != NULL ? list->text : "", *word = "";
	size_t len = 0;

	(void)parse_next_word(&text, &word, &len);
	snprintf(out, RULE_NAME_MAX + 1, "%.*s", (int)len, word);
	return out;
}
