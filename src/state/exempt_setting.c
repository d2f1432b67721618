/*
 * A list of networks, as the type of such lists reads it, with a word more.
 */
#include "state/exempt_setting.h"

#include <string.h>

#include "base/parse.h"

/* Longer than any network in words. */
#define WORD_MAX 128

#define LOOPBACK "loopback"
#define NOBODY "none"

static bool add_exempt(void *to, const char *word, size_t len)
{
	struct exempt_clients *exempt = to;
	char why[SETTING_ERROR_MAX], text[WORD_MAX];
	struct setting_input in = {.text = text, .adds = true};

	if (len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	if (strcmp(text, LOOPBACK) == 0)
		exempt->loopback = true;
	else
		return setting_networks.parse(NULL, &exempt->networks, &in, why);
	return true;
}

static bool read_exempt(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct exempt_clients exempt = {.loopback = false};
	const char *text = in->text, *word;
	size_t len;

	(void)setting;
	(void)why;
	if (in->adds)
		exempt = *(const struct exempt_clients *)value;
	if (strcmp(in->text, NOBODY) != 0) {
		while (parse_next_word(&text, &word, &len)) {
			if (!add_exempt(&exempt, word, len))
				return false;
		}
	}
	*(struct exempt_clients *)value = exempt;
	return true;
}

static void write_exempt(const struct setting *setting, const void *value, FILE *out)
{
	const struct exempt_clients *exempt = value;

	if (!exempt->loopback && exempt->networks.count == 0)
		fputs(NOBODY, out);
	if (exempt->loopback)
		fputs(exempt->networks.count > 0 ? LOOPBACK ", " : LOOPBACK, out);
	setting_networks.format(setting, &exempt->networks, out);
}

static bool equal_exempts(const void *a, const void *b)
{
	const struct exempt_clients *e = a, *f = b;

	return e->loopback == f->loopback && setting_networks.equal(&e->networks, &f->networks);
}

static void put_legal_exempt(const struct setting *setting, FILE *out)
{
	(void)setting;
	fprintf(out,
		LOOPBACK " and networks such as 203.0.113.0/24 (no bits set behind the prefix; at "
			 "most %d), or " NOBODY,
		SETTINGS_MAX_NETWORKS);
}

static void ask_exempt(const struct setting *setting, const char *text, FILE *out)
{
	struct exempt_clients exempt = {.loopback = false};
	char hint[NEAREST_HINT_MAX];
	const char *word;
	size_t len;

	if (!setting_find_refused(text, add_exempt, &exempt, &word, &len))
		return;
	fputs(nearest_among(word, len, (const char *const[]){LOOPBACK, NOBODY}, 2, hint), out);
	if (*hint == '\0')
		setting_networks.ask(setting, word, out);
}

const struct setting_type setting_exempt = {
	.size = sizeof(struct exempt_clients),
	.is_list = true,
	.parse = read_exempt,
	.format = write_exempt,
	.equal = equal_exempts,
	.legal = put_legal_exempt,
	.ask = ask_exempt,
};

bool exempt_has(const struct exempt_clients *exempt, const struct addr *a)
{
	return (exempt->loopback && addr_is_loopback(a)) ||
		network_list_contains(&exempt->networks, a);
}
