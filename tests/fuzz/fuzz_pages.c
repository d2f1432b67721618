/* What is written for browsers: whatever a setting or a request has in it is text there, so it adds
 * nothing to the script's strings and nothing to the page's elements. The input is lines: a value
 * of pac_direct, the proxy's host, the client, and User-Agent. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/writing.h"
#include "proxy/pac.h"
#include "proxy/setup_page.h"
#include "state/settings.h"

#define LINES 4

static size_t count_of(const struct writing *w, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < w->len; i++)
		count += w->text[i] == c;
	return count;
}

/* Printable ASCII, and strings that end. */
static void check_script(const struct word_list *direct, const char *proxy)
{
	struct pac pac = {.proxy = proxy, .has_http = true, .has_socks5 = true, .direct = direct};
	struct writing w;

	FUZZ_CHECK(writing_begin(&w) != NULL && pac_put(&pac, w.out) && writing_end(&w));
	for (size_t i = 0; i < w.len; i++)
		FUZZ_CHECK((w.text[i] >= ' ' && w.text[i] <= '~') || strchr("\t\n", w.text[i]));
	FUZZ_CHECK(count_of(&w, '"') % 2 == 0);
	FUZZ_CHECK(strstr(w.text, "function FindProxyForURL(url, host) {\n") != NULL);
	free(w.text);
}

static void check_direct(const char *value, const char *proxy)
{
	struct settings s;
	const struct setting *setting = settings_find("pac_direct");
	char why[SETTING_ERROR_MAX];

	FUZZ_CHECK(settings_init(&s) == 0);
	if (setting_set(setting, &s, &(struct setting_input){.text = value}, why))
		check_script(&s.pac_direct, proxy);
	settings_free(&s);
}

static void put(struct writing *w, const char *host, const char *client, const char *agent)
{
	struct setup_page page = {.host = host,
		.port = 1080,
		.has_socks5 = true,
		.client = client,
		.first = setup_page_guess(agent, strlen(agent)),
		.limits = &(struct allowance_view){.is_kept_out = true}};

	FUZZ_CHECK(writing_begin(w) != NULL && setup_page_put(&page, w->out) && writing_end(w));
}

static void check_page(const char *host, const char *client, const char *agent)
{
	struct writing w, plain;

	put(&w, host, client, agent);
	put(&plain, "h", "c", agent);
	FUZZ_CHECK(count_of(&w, '<') == count_of(&plain, '<'));
	FUZZ_CHECK(count_of(&w, '>') == count_of(&plain, '>'));
	FUZZ_CHECK(count_of(&w, '"') == count_of(&plain, '"'));
	free(w.text);
	free(plain.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char text[1024], *rest = text;
	const char *lines[LINES];

	if (len >= sizeof(text))
		return 0;
	memcpy(text, bytes, len);
	text[len] = '\0';
	for (size_t i = 0; i < LINES; i++) {
		char *line = rest != NULL ? strsep(&rest, "\n") : NULL;

		lines[i] = line != NULL ? line : "";
	}
	check_direct(lines[0], lines[1]);
	check_page(lines[1], lines[2], lines[3]);
	return 0;
}
