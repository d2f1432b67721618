/*
 * A browser asks the script for every URL, so it looks nothing up: names are compared as text, and
 * networks with what is an address already. It is written in the oldest JavaScript that engines
 * have, and asks none of them for more than dnsDomainIs(). What comes from settings or from a
 * request gets into it through put_script_text() only.
 */
#include "proxy/pac.h"

#include <stdlib.h>
#include <string.h>

#include "base/template.h"
#include "base/writing.h"
#include "proxy/pages.h"

static const char *const private_networks[] = {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12",
	"192.168.0.0/16", "169.254.0.0/16", "::1", "fc00::/7", "fe80::/10"};

/* As part of a string of the script, or of a comment: only letters, digits and what hosts, ports
 * and lists of proxies are written with stay as they are. */
static void put_script_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || (c != '\0' && strchr(" .:;[]-_", c) != NULL);

		fprintf(out, is_plain ? "%c" : "\\x%02x", c);
	}
}

/* ---- where it goes without the proxy ---- */

static void put_network_test(const struct network *n, FILE *out)
{
	const uint8_t *bytes = n->base.sa.sa_family == AF_INET
		? (const uint8_t *)&n->base.in.sin_addr
		: n->base.in6.sin6_addr.s6_addr;
	size_t len = n->base.sa.sa_family == AF_INET ? 4 : 16;

	fputs("isInNetwork(numbers, [", out);
	for (size_t i = 0; i < len; i += 2)
		fprintf(out, "%s%u", i > 0 ? ", " : "", bytes[i] * 256U + bytes[i + 1]);
	fprintf(out, "], %u)", n->prefix);
}

static void put_private_test(FILE *out)
{
	struct network n;

	for (size_t i = 0; i < sizeof(private_networks) / sizeof(private_networks[0]); i++) {
		const char *text = private_networks[i];

		fputs(i > 0 ? " ||\n\t\t" : "", out);
		if (network_parse(text, strlen(text), &n))
			put_network_test(&n, out);
	}
}

static void put_name_test(const char *name, bool and_below, FILE *out)
{
	fputs("host == \"", out);
	put_script_text(name, out);
	fputs(and_below ? "\" || dnsDomainIs(host, \"." : "\"", out);
	if (and_below) {
		put_script_text(name, out);
		fputs("\")", out);
	}
}

static void put_place_test(const struct direct_place *place, FILE *out)
{
	if (place->kind == DIRECT_PLAIN)
		fputs("host.search(/[.:]/) < 0", out);
	else if (place->kind == DIRECT_PRIVATE)
		put_private_test(out);
	else if (place->kind == DIRECT_NETWORK)
		put_network_test(&place->network, out);
	else
		put_name_test(place->name, place->kind == DIRECT_AND_BELOW, out);
}

/* One condition, "" where nothing is reached so. `*has_networks`: it asks isInNetwork(). */
static void put_direct_test(const struct word_list *list, bool *has_networks, FILE *out)
{
	const char *cursor = NULL, *between = "";
	struct direct_place place;

	while (direct_next(list, &cursor, &place)) {
		fputs(between, out);
		between = " ||\n\t\t";
		put_place_test(&place, out);
		*has_networks |= place.kind == DIRECT_PRIVATE || place.kind == DIRECT_NETWORK;
	}
}

/* ---- the script ---- */

/* The best way first. Some engines know SOCKS only, for either version. */
static void put_proxies(const struct pac *pac, FILE *out)
{
	const struct {
		bool is_there;
		const char *word, *proxy;
	} rows[] = {{pac->has_http, "PROXY ", pac->proxy}, {pac->has_socks5, "SOCKS5 ", pac->proxy},
		{pac->has_socks4 && !pac->has_socks5, "SOCKS4 ", pac->proxy},
		{pac->has_socks4 || pac->has_socks5, "SOCKS ", pac->proxy},
		{pac->falls_back, "DIRECT", ""}};
	const char *between = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].is_there)
			continue;
		fprintf(out, "%s%s", between, rows[i].word);
		put_script_text(rows[i].proxy, out);
		between = "; ";
	}
}

bool pac_put(const struct pac *pac, FILE *out)
{
	struct writing proxy, proxies, direct;
	bool has_networks = false, is_whole;

	if (writing_begin(&proxy) != NULL)
		put_script_text(pac->proxy, proxy.out);
	if (writing_begin(&proxies) != NULL)
		put_proxies(pac, proxies.out);
	if (writing_begin(&direct) != NULL)
		put_direct_test(pac->direct, &has_networks, direct.out);
	is_whole = writing_end(&proxy);
	is_whole = writing_end(&proxies) && is_whole;
	is_whole = writing_end(&direct) && is_whole;
	if (is_whole) {
		const struct template_field fields[] = {{"proxy", proxy.text},
			{"proxies", proxies.text}, {"direct", direct.text},
			{"networks", has_networks ? "yes" : NULL},
			{"login", pac->wants_login ? "yes" : NULL}, {NULL, NULL}};

		is_whole = template_put(page_text(PAGE_PAC), fields, out);
	}
	free(proxy.text);
	free(proxies.text);
	free(direct.text);
	return is_whole;
}
